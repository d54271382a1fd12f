//! A log of Rekor's first version. It can't be run here, so one of ours stands in: it answers as that one does, with a
//! promise, a proof in a tree of one entry, and no timestamp authority beside it. The certificates are Fulcio's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::digest::Digest;
use sealwright::json::canonical;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::keyless::{LogVersion, Services as Signers, Token, sign_blob, sign_statement};
use sealwright::merkle::leaf_hash;
use sealwright::statement::Statement;
use sealwright::trust::TrustRoot;
use sealwright::verifier::{Artifact, CertificateIdentity, Expectation, Verifier};
use serde_json::{Value, json};

use crate::harness::{Services, Who};
use crate::keyless::{now, soon};
use crate::loopback::Loopback;
use crate::peers::statement;

const FILE: &[u8] = b"what was built\n";
const ORIGIN: &str = "rekor.example.net";

#[test]
#[ignore = "needs make test-services"]
fn what_is_logged_in_rekor_v1_verifies_without_a_timestamp_authority() {
    let services = Services::from_env();
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let trust = TrustRoot::new().with_sigstore(&root_with(&services, &key)).unwrap();
    let log = Loopback::new(move |request| {
        assert_eq!(request.line, "POST /api/v1/log/entries");
        (201, logged(&key, &serde_json::from_str(&request.body).unwrap()))
    });
    let signers = Signers::new(services.text("/fulcio"), &log.url("/"), LogVersion::V1).unwrap();
    let token = || Token::parse(&services.token(Who::Person)).unwrap();
    let stated = Statement::parse(statement("file", FILE).into_bytes()).unwrap();
    let record = sign_statement(&stated, &signers, &token(), &trust, now()).unwrap();
    sign_blob(&Digest::sha256(FILE), &signers, &token(), &trust, now()).unwrap();
    let kinds: Vec<Value> =
        log.asked().iter().map(|r| serde_json::from_str::<Value>(&r.body).unwrap()["kind"].clone()).collect();
    assert_eq!(kinds, ["dsse", "hashedrekord"]);

    let identity = CertificateIdentity::new(services.subject(Who::Person), services.issuer(Who::Person));
    let expectation = Expectation::new(Artifact::Is(Digest::sha256(FILE)), identity.into(), soon());
    let verified = Verifier::new(trust).verify(&record, &expectation.require_log_entries(1)).unwrap();
    assert!(verified.log_entries()[0].integrated_at.is_some() && verified.timestamps().is_empty());
}

#[test]
#[ignore = "needs make test-services"]
fn what_a_log_answers_about_something_else_is_not_given_out() {
    let services = Services::from_env();
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let trust = TrustRoot::new().with_sigstore(&root_with(&services, &key)).unwrap();
    let log = Loopback::new(move |request| {
        let mut entry: Value = serde_json::from_str(&request.body).unwrap();
        entry["spec"]["data"]["hash"]["value"] = Digest::sha256(b"another").hex().into();
        (201, logged(&key, &entry))
    });
    let signers = Signers::new(services.text("/fulcio"), &log.url("/"), LogVersion::V1).unwrap();
    let token = Token::parse(&services.token(Who::Person)).unwrap();
    let e = sign_blob(&Digest::sha256(FILE), &signers, &token, &trust, now()).unwrap_err();
    assert_eq!(e.code(), "BAD_LOG_ENTRY", "{e}");
}

/// The trusted root of the services, and this log.
fn root_with(services: &Services, key: &PrivateKey) -> Vec<u8> {
    let mut root: Value = serde_json::from_slice(&services.file("/trusted_root")).unwrap();
    let public = key.public().spki_der();
    root["tlogs"].as_array_mut().unwrap().push(json!({
        "baseUrl": format!("https://{ORIGIN}"),
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": STANDARD.encode(public),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": { "start": "2020-01-01T00:00:00Z" },
        },
        "logId": { "keyId": STANDARD.encode(Digest::sha256(public).bytes()) },
    }));
    serde_json::to_vec(&root).unwrap()
}

/// What Rekor answers to a proposed entry (rekor, openapi.yaml, `LogEntry`).
fn logged(key: &PrivateKey, proposed: &Value) -> Vec<u8> {
    let body = canonical("entry", &stored(proposed)).unwrap();
    let log_id = Digest::sha256(key.public().spki_der());
    let promised = json!({
        "body": STANDARD.encode(&body),
        "integratedTime": now().unix_seconds(),
        "logID": log_id.hex(),
        "logIndex": 0,
    });
    let promise = key.sign(&canonical("promise", &promised).unwrap()).unwrap();
    let root = leaf_hash(&body);
    let note = format!("{ORIGIN} - 1\n1\n{root}\n");
    let mut signature = log_id.bytes()[..4].to_vec();
    signature.extend(key.sign(note.as_bytes()).unwrap());
    let mut entry = promised;
    entry["verification"] = json!({
        "signedEntryTimestamp": STANDARD.encode(promise),
        "inclusionProof": {
            "checkpoint": format!("{note}\n\u{2014} {ORIGIN} {}\n", STANDARD.encode(signature)),
            "hashes": [],
            "logIndex": 0,
            "rootHash": hex::encode(root.as_bytes()),
            "treeSize": 1,
        },
    });
    serde_json::to_vec(&json!({ "24296fb24b8ad77a": entry })).unwrap()
}

/// What Rekor stores of it: of an envelope its hashes and signatures, of anything else what was proposed.
fn stored(proposed: &Value) -> Value {
    let Some(content) = proposed.pointer("/spec/proposedContent") else { return proposed.clone() };
    let text = content["envelope"].as_str().unwrap();
    let envelope: Value = serde_json::from_str(text).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": Digest::sha256(bytes).hex() });
    json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": hash(text.as_bytes()),
            "payloadHash": hash(&payload),
            "signatures": [{ "signature": envelope["signatures"][0]["sig"], "verifier": content["verifiers"][0] }],
        },
    })
}
