//! Rekor's first version, with promises and a Merkle tree in Trillian, and no timestamp authority beside it.

use std::sync::Mutex;

use sealwright::digest::Digest;
use sealwright::keyless::{LogVersion, Services as Signers, Token, sign_blob, sign_statement};
use sealwright::statement::Statement;
use sealwright::trust::TrustRoot;
use sealwright::verifier::{Artifact, Blob, CertificateIdentity, Expectation, Verifier};
use serde_json::Value;

use crate::harness::{Services, Who, post};
use crate::keyless::{now, soon};
use crate::loopback::Loopback;
use crate::peers::statement;

const FILE: &[u8] = b"what was built\n";
const ENTRIES: &str = "/api/v1/log/entries";

fn trust(services: &Services) -> TrustRoot {
    TrustRoot::new().with_sigstore(&services.file("/trusted_root_v1")).unwrap()
}

fn token(services: &Services) -> Token {
    Token::parse(&services.token(Who::Person)).unwrap()
}

#[test]
#[ignore = "needs make test-services"]
fn what_is_logged_in_rekor_v1_verifies_without_a_timestamp_authority() {
    let services = Services::from_env();
    let trust = trust(&services);
    let signers = Signers::new(services.text("/fulcio"), services.text("/rekor_v1"), LogVersion::V1).unwrap();
    let stated = Statement::parse(statement("file", FILE).into_bytes()).unwrap();
    let record = sign_statement(&stated, &signers, &token(&services), &trust, now()).unwrap();
    let bundle = sign_blob(&Digest::sha256(FILE), &signers, &token(&services), &trust, now()).unwrap();
    let kinds = [&record, &bundle].map(|made| {
        let made: Value = serde_json::from_slice(made).unwrap();
        made["verificationMaterial"]["tlogEntries"][0]["kindVersion"]["kind"].clone()
    });
    assert_eq!(kinds, ["dsse", "hashedrekord"]);

    let identity = CertificateIdentity::new(services.subject(Who::Person), services.issuer(Who::Person));
    let expectation = Expectation::new(Artifact::Is(Digest::sha256(FILE)), identity.into(), soon());
    let expectation = expectation.require_log_entries(1);
    let verifier = Verifier::new(trust);
    let verified = verifier.verify(&record, &expectation).unwrap();
    assert!(verified.log_entries()[0].integrated_at.is_some() && verified.timestamps().is_empty());
    let verified = verifier.verify_blob(&bundle, Blob::Bytes(FILE), &expectation).unwrap();
    assert!(verified.log_entries()[0].integrated_at.is_some());
    // and those who do not believe this log
    let other = Verifier::new(TrustRoot::new().with_sigstore(&services.file("/trusted_root")).unwrap());
    assert_eq!(other.verify(&record, &expectation).unwrap_err().code(), "BAD_LOG_ENTRY");
}

#[test]
#[ignore = "needs make test-services"]
fn what_a_log_answers_about_something_else_is_not_given_out() {
    let services = Services::from_env();
    let (trust, log) = (trust(&services), services.text("/rekor_v1").to_owned());
    // tells everybody what it answered the first one
    let first = Mutex::new(None);
    let before = Loopback::new(move |request| {
        assert_eq!(request.line, format!("POST {ENTRIES}"));
        let mut first = first.lock().unwrap();
        (201, first.get_or_insert_with(|| post(&log, ENTRIES, &request.body)).clone().into_bytes())
    });
    let signers = Signers::new(services.text("/fulcio"), &before.url("/"), LogVersion::V1).unwrap();
    let sign = |file: &[u8]| sign_blob(&Digest::sha256(file), &signers, &token(&services), &trust, now());
    sign(FILE).unwrap();
    let e = sign(b"another").unwrap_err();
    assert_eq!(e.code(), "BAD_LOG_ENTRY", "{e}");
    assert_eq!(before.asked().len(), 2);
}
