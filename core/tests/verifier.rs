//! What a verifier takes, and by which code it refuses the rest. Real bundles of others: see the corpora.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod corpora;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::bundle::Bundle;
use sealwright::digest::{Algorithm, Digest};
use sealwright::envelope::{Envelope, IN_TOTO, Signature};
use sealwright::json::Value;
use sealwright::key::{KeyType, PrivateKey, PublicKey};
use sealwright::predicate::{PredicateType, Provenance, TestResult};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, CertificateIdentity, Expectation, Identity, Verified, Verifier};

use self::corpora::corpora;

const RESULT: &str = r#"{"result":"PASSED","configuration":[]}"#;

struct Setting {
    builder: PrivateKey,
    tester: PrivateKey,
    verifier: Verifier,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-21T08:00:00Z")
}

fn setting() -> Setting {
    let (builder, tester) =
        (PrivateKey::generate(KeyType::P256).unwrap(), PrivateKey::generate(KeyType::Ed25519).unwrap());
    let year = Window::new(Some(at("2026-01-01T00:00:00Z")), Some(at("2027-01-01T00:00:00Z"))).unwrap();
    let root = TrustRoot::new();
    let root = root.with_key("builder", builder.public().clone(), year).unwrap();
    let root = root.with_key("tester", tester.public().clone(), Window::ALWAYS).unwrap();
    Setting { builder, tester, verifier: Verifier::new(root) }
}

fn artifact() -> Digest {
    Digest::sha256(b"the built artifact")
}

fn statement() -> Statement {
    let text = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"shop","digest":{{"sha256":"{}"}}}}],"predicateType":"{}","predicate":{RESULT}}}"#,
        artifact().hex(),
        TestResult::TYPE
    );
    Statement::parse(text.into_bytes()).unwrap()
}

fn expected(name: &str) -> Expectation {
    Expectation::new(Artifact::Is(artifact()), Identity::key(name), now())
}

fn code(result: sealwright::error::Result<Verified<Statement>>) -> &'static str {
    result.unwrap_err().code()
}

/// An envelope of the statement, signed by these.
fn envelope(payload_type: &str, payload: &[u8], signers: &[&PrivateKey]) -> Envelope {
    let message = sealwright::envelope::pae(payload_type, payload);
    let signature = |key: &&PrivateKey| Signature::new(Some(key.public().id()), key.sign(&message).unwrap());
    Envelope::new(payload_type, payload.to_vec(), signers.iter().map(signature).collect()).unwrap()
}

#[test]
fn a_record_of_the_demanded_signer_about_the_demanded_artifact_is_verified() {
    let s = setting();
    let record = sign(&statement(), &s.builder).unwrap().to_json();
    let verified = s.verifier.verify(&record, &expected("builder").require_type(TestResult::TYPE)).unwrap();
    assert_eq!(verified.value().payload(), statement().payload());
    assert_eq!(verified.record(), record);
    let signers: Vec<_> = verified.signers().iter().map(|s| (s.name.as_str(), s.key_id.clone())).collect();
    assert_eq!(signers, [("builder", s.builder.public().id())]);
    assert_eq!(verified.predicate_as::<TestResult>().unwrap().signers()[0].name, "builder");
    assert_eq!(verified.predicate_as::<Provenance>().unwrap_err().code(), "WRONG_TYPE");
}

#[test]
fn another_signer_than_demanded_is_refused_whether_it_is_known_or_not() {
    let s = setting();
    let stranger = PrivateKey::generate(KeyType::P256).unwrap();
    for key in [&s.tester, &stranger] {
        let record = sign(&statement(), key).unwrap().to_json();
        assert_eq!(code(s.verifier.verify(&record, &expected("builder"))), "UNTRUSTED_SIGNER");
    }
    // one that says it is the builder
    let mut forged = envelope(IN_TOTO, statement().payload(), &[&stranger]).signatures().to_vec();
    forged[0].keyid = Some(s.builder.public().id());
    let forged = Envelope::new(IN_TOTO, statement().payload().to_vec(), forged).unwrap();
    let record = Bundle::of_key(forged, s.builder.public().id()).to_json();
    assert_eq!(code(s.verifier.verify(&record, &expected("builder"))), "BAD_SIGNATURE");
}

#[test]
fn nobody_demanded_or_somebody_unknown_demanded_is_misuse_and_not_a_pass() {
    let s = setting();
    let record = sign(&statement(), &s.builder).unwrap().to_json();
    for identity in
        [Identity::OneOf(vec![]), Identity::key("nobody"), Identity::OneOf(vec!["builder".into(), "x".into()])]
    {
        let expectation = Expectation::new(Artifact::Is(artifact()), identity, now());
        assert_eq!(code(s.verifier.verify(&record, &expectation)), "API_MISUSE");
    }
    let empty = Verifier::new(TrustRoot::new());
    assert_eq!(code(empty.verify(&record, &expected("builder"))), "API_MISUSE");
}

#[test]
fn an_edited_payload_payload_type_or_signature_is_a_bad_signature() {
    let s = setting();
    let good = envelope(IN_TOTO, statement().payload(), &[&s.builder]);
    let mut payload = statement().payload().to_vec();
    let place = payload.windows(6).position(|w| w == b"PASSED").unwrap();
    payload[place] = b'p';
    let mut signature = good.signatures()[0].clone();
    signature.sig[9] ^= 1;
    let edited = [
        Envelope::new(IN_TOTO, payload, good.signatures().to_vec()),
        Envelope::new("application/vnd.in-toto.test+json", statement().payload().to_vec(), good.signatures().to_vec()),
        Envelope::new(IN_TOTO, statement().payload().to_vec(), vec![signature]),
    ];
    for envelope in edited {
        let record = Bundle::of_key(envelope.unwrap(), s.builder.public().id()).to_json();
        assert_eq!(code(s.verifier.verify(&record, &expected("builder"))), "BAD_SIGNATURE");
    }
}

#[test]
fn another_artifact_and_another_type_are_refused() {
    let s = setting();
    let record = sign(&statement(), &s.builder).unwrap().to_json();
    let other = Expectation::new(Artifact::Is(Digest::sha256(b"other")), Identity::key("builder"), now());
    let e = s.verifier.verify(&record, &other).unwrap_err();
    assert_eq!(e.code(), "DIGEST_MISMATCH");
    assert!(e.message().contains(&artifact().to_string()), "{e}");
    // the same bytes under another algorithm are another digest
    let git = Digest::new(Algorithm::GitCommit, vec![1; 20]).unwrap();
    let other = Expectation::new(Artifact::Is(git), Identity::key("builder"), now());
    assert_eq!(code(s.verifier.verify(&record, &other)), "DIGEST_MISMATCH");
    let wrong = expected("builder").require_type(Provenance::TYPE);
    assert_eq!(code(s.verifier.verify(&record, &wrong)), "WRONG_TYPE");
    let prefix = expected("builder").require_type("https://in-toto.io/attestation/test-result/");
    assert_eq!(code(s.verifier.verify(&record, &prefix)), "WRONG_TYPE");
}

#[test]
fn a_key_counts_from_its_first_instant_to_before_its_last() {
    let s = setting();
    let record = sign(&statement(), &s.builder).unwrap().to_json();
    for (time, wanted) in [
        ("2025-12-31T23:59:59.999Z", Some("NOT_YET_VALID")),
        ("2026-01-01T00:00:00Z", None),
        ("2026-12-31T23:59:59.999Z", None),
        ("2027-01-01T00:00:00Z", Some("EXPIRED")),
    ] {
        let expectation = Expectation::new(Artifact::Is(artifact()), Identity::key("builder"), at(time));
        assert_eq!(s.verifier.verify(&record, &expectation).err().map(|e| e.code()), wanted, "{time}");
    }
}

#[test]
fn several_signatures_count_once_for_each_demanded_signer() {
    let s = setting();
    let stranger = PrivateKey::generate(KeyType::P256).unwrap();
    let keys = [&stranger, &s.builder, &s.builder, &s.tester, &s.tester];
    let record = envelope(IN_TOTO, statement().payload(), &keys).to_json();
    let names = |expectation: &Expectation| {
        let verified = s.verifier.verify(&record, expectation).unwrap();
        verified.signers().iter().map(|s| s.name.clone()).collect::<Vec<_>>()
    };
    let both = Identity::OneOf(vec!["tester".to_owned(), "builder".to_owned(), "builder".to_owned()]);
    assert_eq!(names(&Expectation::new(Artifact::Is(artifact()), both.clone(), now())), ["builder", "tester"]);
    assert_eq!(names(&expected("tester")), ["tester"]);
    // one whose key is past its time counts no more, and does not stop the other
    let late = Expectation::new(Artifact::Is(artifact()), both, at("2028-01-01T00:00:00Z"));
    assert_eq!(names(&late), ["tester"]);
    // a signature that is not valid adds nobody
    let mut signatures = envelope(IN_TOTO, statement().payload(), &[&s.builder]).signatures().to_vec();
    signatures.push(Signature::new(Some(s.tester.public().id()), vec![7; 64]));
    let record = Envelope::new(IN_TOTO, statement().payload().to_vec(), signatures).unwrap().to_json();
    assert_eq!(code(s.verifier.verify(&record, &expected("tester"))), "BAD_SIGNATURE");
    assert_eq!(s.verifier.verify(&record, &expected("builder")).unwrap().signers().len(), 1);
}

#[test]
fn too_many_signatures_are_refused_before_any_is_checked() {
    let s = setting();
    let one = envelope(IN_TOTO, statement().payload(), &[&s.builder]).signatures()[0].clone();
    let record = Envelope::new(IN_TOTO, statement().payload().to_vec(), vec![one; 33]).unwrap().to_json();
    assert_eq!(code(s.verifier.verify(&record, &expected("builder"))), "LIMIT_EXCEEDED");
}

#[test]
fn the_payload_type_may_name_the_predicate_and_says_nothing_of_it() {
    let s = setting();
    for (payload_type, taken) in [
        (IN_TOTO, true),
        ("application/vnd.in-toto.provenance+json", true),
        ("application/vnd.in-toto.+json", false),
        ("application/vnd.in-toto+json; charset=utf-8", false),
        ("application/json", false),
        ("", false),
    ] {
        let record = envelope(payload_type, statement().payload(), &[&s.builder]).to_json();
        match s.verifier.verify(&record, &expected("builder")) {
            // its name says provenance, and it is a test result
            Ok(verified) => assert!(taken && verified.value().predicate_type() == TestResult::TYPE, "{payload_type}"),
            Err(e) => assert!(!taken && e.code() == "UNSUPPORTED", "{payload_type}: {e}"),
        }
    }
}

#[test]
fn a_certificate_is_no_trusted_key() {
    let s = setting();
    let record = String::from_utf8(sign(&statement(), &s.builder).unwrap().to_json()).unwrap();
    let hint = format!(r#""publicKey":{{"hint":"{}"}}"#, s.builder.public().id());
    let certificate = format!(r#""certificate":{{"rawBytes":"{}"}}"#, STANDARD.encode([0x30, 0]));
    let changed = record.replace(&hint, &certificate);
    assert_ne!(changed, record);
    assert_eq!(code(s.verifier.verify(changed.as_bytes(), &expected("builder"))), "UNTRUSTED_SIGNER");
    let both = record.replace(&hint, &format!("{hint},{certificate}"));
    assert_eq!(code(s.verifier.verify(both.as_bytes(), &expected("builder"))), "MALFORMED");
}

#[test]
fn every_change_of_one_byte_is_refused_or_leaves_the_same_verified_statement() {
    let s = setting();
    for record in [
        sign(&statement(), &s.builder).unwrap().to_json(),
        envelope(IN_TOTO, statement().payload(), &[&s.tester]).to_json(),
    ] {
        let either = Identity::OneOf(vec!["builder".to_owned(), "tester".to_owned()]);
        let expectation = Expectation::new(Artifact::Is(artifact()), either, now());
        let whole = s.verifier.verify(&record, &expectation).unwrap();
        for place in 0..record.len() {
            for change in [|b: u8| b ^ 1, |b: u8| b ^ 0x20, |b: u8| b ^ 0x80, |_| b'"', |_| b' ', |_| b'A'] {
                let mut edited = record.clone();
                edited[place] = change(edited[place]);
                if let Ok(verified) = s.verifier.verify(&edited, &expectation) {
                    assert_eq!(verified.value().payload(), whole.value().payload(), "byte {place}");
                    assert_eq!(verified.signers(), whole.signers(), "byte {place}");
                }
            }
            let cut = s.verifier.verify(&record[..place], &expectation);
            assert!(cut.is_err(), "cut at {place}");
        }
    }
}

#[test]
fn what_is_signed_is_verified_before_it_is_read() {
    let s = setting();
    let stranger = PrivateKey::generate(KeyType::Ed25519).unwrap();
    // no statement at all: of a stranger it is not even looked at
    let record = |key| envelope(IN_TOTO, b"{\"_type\":1}", &[key]).to_json();
    assert_eq!(code(s.verifier.verify(&record(&stranger), &expected("builder"))), "UNTRUSTED_SIGNER");
    assert_eq!(code(s.verifier.verify(&record(&s.builder), &expected("builder"))), "MALFORMED");
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The keyed bundles of an answer of the npm registry.
fn keyed_bundles(path: &Path) -> Vec<Vec<u8>> {
    let answer = json(path);
    let bundles = answer["attestations"].as_array().unwrap().iter().map(|a| &a["bundle"]);
    let keyed = bundles.filter(|b| b["verificationMaterial"]["publicKey"].is_object());
    keyed.map(|b| serde_json::to_vec(b).unwrap()).collect()
}

#[test]
fn publish_attestations_of_the_npm_registry_are_verified_by_its_key() {
    let (Some(keys), Some(bundles)) =
        (corpora("sigstore-trust-roots/public-good/targets"), corpora("sigstore-bundles"))
    else {
        return;
    };
    let keys = json(&keys.join("npm-keys.json"));
    let key = keys["keys"].as_array().unwrap().iter().find(|k| k["keyUsage"] == "npm:attestations").unwrap();
    let der = STANDARD.decode(key["publicKey"]["rawBytes"].as_str().unwrap()).unwrap();
    let validity = &key["publicKey"]["validFor"];
    let window = Window::new(Some(at(validity["start"].as_str().unwrap())), validity["end"].as_str().map(at)).unwrap();
    let name = key["keyId"].as_str().unwrap();
    let root = TrustRoot::new().with_key(name, PublicKey::from_spki_der(&der).unwrap(), window).unwrap();
    let verifier = Verifier::new(root);
    let expectation = |time: &str| Expectation::new(Artifact::AnyUnsafe, Identity::key(name), at(time));
    let mut seen = 0;
    for file in [
        "npm-cli/test/fixtures/sigstore/valid-sigstore-attestations.json",
        "npm-cli/test/fixtures/sigstore/valid-tuf-js-attestations.json",
        "pacote/sigstore/valid-attestations.json",
    ] {
        for bundle in keyed_bundles(&bundles.join(file)) {
            let verified = verifier.verify(&bundle, &expectation("2023-06-01T00:00:00Z")).unwrap();
            assert!(verified.value().predicate_type().starts_with("https://github.com/npm/attestation/"), "{file}");
            assert!(!verified.value().is_v1());
            let text = String::from_utf8(bundle).unwrap();
            let place = text.find("\"sig\":\"").unwrap() + 20;
            let mut edited = text.clone().into_bytes();
            edited[place] = if edited[place] == b'A' { b'B' } else { b'A' };
            assert_eq!(code(verifier.verify(&edited, &expectation("2023-06-01T00:00:00Z"))), "BAD_SIGNATURE");
            assert_eq!(code(verifier.verify(text.as_bytes(), &expectation("2099-01-01T00:00:00Z"))), "EXPIRED");
            let other = PublicKey::from_pem(PrivateKey::generate(KeyType::P256).unwrap().public().to_pem().as_bytes());
            let other = TrustRoot::new().with_key("npm", other.unwrap(), Window::ALWAYS).unwrap();
            let demanded = Expectation::new(Artifact::AnyUnsafe, Identity::key("npm"), now());
            assert_eq!(code(Verifier::new(other).verify(text.as_bytes(), &demanded)), "UNTRUSTED_SIGNER");
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
}

#[test]
fn managed_key_bundles_over_plain_files_are_no_records() {
    let Some(folder) = corpora("sigstore-bundles/conformance/bundle-verify") else { return };
    let s = setting();
    let cases = [
        "managed-key-happy-path",
        "managed-key-and-trusted-root",
        "managed-key-wrong-key_fail",
        "managed-key-no-key_fail",
    ];
    for case in cases {
        let bundle = std::fs::read(folder.join(case).join("bundle.sigstore.json")).unwrap();
        assert_eq!(code(s.verifier.verify(&bundle, &expected("builder"))), "UNSUPPORTED", "{case}");
        // their signature is over the digest of a file; the key itself is read, and the wrong one is no key
        if let Ok(pem) = std::fs::read(folder.join(case).join("key.pub")) {
            assert_eq!(PublicKey::from_pem(&pem).is_ok(), case != "managed-key-wrong-key_fail", "{case}");
        }
    }
}

#[test]
fn evidence_that_is_demanded_of_a_key_must_be_there_and_believed() {
    let s = setting();
    let record = sign(&statement(), &s.builder).unwrap();
    let run = |record: &Bundle, expectation: Expectation| {
        s.verifier.verify(&record.to_json(), &expectation).map(|v| v.signed_at()).map_err(|e| e.code())
    };
    assert_eq!(run(&record, expected("builder").require_log_entries(0).require_timestamps(0)), Ok(None));
    assert_eq!(run(&record, expected("builder").require_log_entries(1)), Err("BAD_LOG_ENTRY"));
    assert_eq!(run(&record, expected("builder").require_timestamps(1)), Err("BAD_TIMESTAMP"));
    // one that is none is told even where none is demanded
    let stamped = record.with_timestamp(vec![0x30, 0]);
    assert_eq!(run(&stamped, expected("builder")), Err("BAD_TIMESTAMP"));
}

#[test]
fn what_is_demanded_may_be_data() {
    let now = now();
    let digest = artifact();
    for good in [
        format!(r#"{{"artifact":"{digest}","signer":"builder"}}"#),
        r#"{"artifact":"any-unsafe","signer":["builder","tester"],"logEntries":1,"timestamps":2}"#.to_owned(),
        r#"{"artifact":"any-unsafe","identity":{"subject":"ada@example.org","issuer":"https://example.org"}}"#.to_owned(),
        r#"{"artifact":"any-unsafe","identity":{"subjectPattern":".*@example\\.org","issuer":"i","extensions":{"buildTrigger":"push"}},"unloggedUnsafe":true,"withoutSctUnsafe":true}"#.to_owned(),
    ] {
        Expectation::from_json(good.as_bytes(), now).unwrap();
    }
    for bad in [
        r#"{"artifact":"any-unsafe"}"#,
        r#"{"artifact":"any-unsafe","signer":"a","identity":{"subject":"a","issuer":"i"}}"#,
        r#"{"artifact":"any-unsafe","identity":{"subject":"a"}}"#,
        r#"{"artifact":"any-unsafe","identity":{"subject":"a","issuer":"i","extensions":{"x":"y"}}}"#,
        r#"{"artifact":"any-unsafe","signer":"a","logEntries":-1}"#,
        r#"{"artifact":"any-unsafe","signer":"a","unlogged":true}"#,
        r#"{"artifact":"latest","signer":"a"}"#,
    ] {
        assert_eq!(Expectation::from_json(bad.as_bytes(), now).unwrap_err().code(), "MALFORMED", "{bad}");
    }
}

#[test]
fn one_identity_has_one_name_which_is_no_keys() {
    let identity = |subject: &str| CertificateIdentity::new(subject, "https://example.org");
    let s = setting();
    let root = TrustRoot::new().with_identity("ada", identity("ada@example.org"), Window::ALWAYS).unwrap();
    for (name, subject) in [("ada", "other@example.org"), ("other", "ada@example.org")] {
        let twin = root.clone().with_identity(name, identity(subject), Window::ALWAYS);
        assert_eq!(twin.unwrap_err().code(), "API_MISUSE");
    }
    assert_eq!(root.with_key("ada", s.builder.public().clone(), Window::ALWAYS).unwrap_err().code(), "API_MISUSE");
    let json = r#"{"ada":{"identity":{"subject":"ada@example.org","issuer":"https://example.org"},"validUntil":"2027-01-01T00:00:00Z"}}"#;
    let read = TrustRoot::from_json(json.as_bytes()).unwrap();
    assert_eq!((read.identities()[0].name.as_str(), read.keys().len()), ("ada", 0));
    for bad in
        [r#"{"ada":{}}"#, r#"{"ada":{"identity":{"subject":"a","issuer":"i"},"key":"x"}}"#, r#"{"ada":{"other":1}}"#]
    {
        assert_eq!(TrustRoot::from_json(bad.as_bytes()).unwrap_err().code(), "MALFORMED", "{bad}");
    }
}

#[test]
fn what_is_no_trusted_root_is_refused() {
    let root = |text: &str| TrustRoot::new().with_sigstore(text.as_bytes()).map(|_| ()).map_err(|e| e.code());
    let of =
        |rest: &str| format!(r#"{{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"{rest}}}"#);
    assert_eq!(root(&of("")), Ok(()));
    assert_eq!(root(r#"{"mediaType":"application/json"}"#), Err("UNSUPPORTED"));
    let log = |id: &str, details: &str, key: &str, window: &str| {
        let log = format!(
            r#"{{"baseUrl":"https://log.example","hashAlgorithm":"SHA2_256","publicKey":{{"rawBytes":"{key}","keyDetails":"{details}"{window}}},"logId":{{"keyId":"{id}"}}}}"#
        );
        of(&format!(r#","tlogs":[{log}]"#))
    };
    let key = STANDARD.encode(PrivateKey::generate(KeyType::P256).unwrap().public().spki_der());
    let id = STANDARD.encode([7; 32]);
    let p256 = "PKIX_ECDSA_P256_SHA_256";
    assert_eq!(root(&log(&id, p256, &key, "")), Ok(()));
    // a log of the day after tomorrow is left out, and one that is damaged is not
    assert_eq!(root(&log(&id, "PKIX_ML_DSA_65", &STANDARD.encode(ML_DSA), "")), Ok(()));
    for (id, key, window) in [
        (STANDARD.encode([7; 31]), key.clone(), ""),
        (id.clone(), STANDARD.encode([0x30, 0]), ""),
        (id.clone(), "!".to_owned(), ""),
        (id.clone(), key.clone(), r#","validFor":{}"#),
        (id.clone(), key.clone(), r#","validFor":{"start":"2026-01-02T00:00:00Z","end":"2026-01-01T00:00:00Z"}"#),
    ] {
        assert_eq!(root(&log(&id, p256, &key, window)), Err("MALFORMED"), "{id} {key} {window}");
    }
    for chain in [r#"{"certificates":[]}"#, r#"{"certificates":[{"rawBytes":"MAA="}]}"#] {
        for authority in ["certificateAuthorities", "timestampAuthorities"] {
            let text = of(&format!(r#","{authority}":[{{"uri":"https://ca.example","certChain":{chain}}}]"#));
            assert_eq!(root(&text), Err("MALFORMED"), "{text}");
        }
    }
    let twice = log(&id, p256, &key, "").replace("\"tlogs\":[", "\"tlogs\":[LOG,");
    let one = twice.split("LOG,").nth(1).unwrap().strip_suffix("]}").unwrap().to_owned();
    assert_eq!(root(&twice.replace("LOG", &one)), Err("MALFORMED"));
}

/// A SubjectPublicKeyInfo of ML-DSA-65 with a key of one byte.
const ML_DSA: &[u8] = b"\x30\x11\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12\x03\x02\x00\x01";
