//! Writes `fixtures/cases`, `fixtures/ledgers` and `fixtures/packs` anew, from the keys in `fixtures/keys`.
//!
//! `cargo run -p sealwright --example make_cases`. Signatures of P-256 and the salts of ledgers differ from run to run;
//! what a case expects does not. With the word `storage` it writes the cases of `opening`, `encryption-key` and `schedule`
//! alone, which are the same each time. With the word `ingest` it writes what the reports of `fixtures/reports` give into
//! the cases that name them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::needless_pass_by_value,
    reason = "makes test data"
)]

mod evidence;
#[path = "../tests/ingested/mod.rs"]
mod ingested;
mod packs;
mod storage;
#[path = "../tests/world/mod.rs"]
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::{Digest, DigestSet};
use sealwright::envelope::{Envelope, IN_TOTO, Signature, pae};
use sealwright::json::Value;
use sealwright::key::{KeyType, PrivateKey, read_private};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::trust_policy::key_descriptor;
use serde_json::json;
use world::{START, World, artifact};

const NOTE: &str = "https://example.org/attestation/note/v1";

fn main() {
    if std::env::args().nth(1).as_deref() == Some("storage") {
        return storage::write_all();
    }
    if std::env::args().nth(1).as_deref() == Some("ingest") {
        return ingest();
    }
    let keys = Keys::read();
    for folder in ["ledgers", "packs"] {
        let _ = fs::remove_dir_all(fixtures().join(folder));
    }
    for topic in fs::read_dir(fixtures().join("cases")).unwrap().map(|e| e.unwrap().path()) {
        // written by hand, as the reports beside them are
        if !topic.ends_with("ingest") {
            fs::remove_dir_all(topic).unwrap();
        }
    }
    verify(&keys);
    statement();
    digest();
    key(&keys);
    trust_policy(&keys);
    junit();
    sbom();
    ledger();
    packs::write(&keys);
    evidence::write_all(&keys);
    storage::write_all();
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// The test keys, made when they are not there.
struct Keys {
    builder: PrivateKey,
    other: PrivateKey,
    p256: PrivateKey,
}

impl Keys {
    fn read() -> Self {
        let key = |name: &str, key_type| {
            let path = fixtures().join(format!("keys/test-only-{name}.pem"));
            if !path.exists() {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, PrivateKey::generate(key_type).unwrap().to_pem().unwrap().as_bytes()).unwrap();
            }
            read_private(&path, None).unwrap()
        };
        Self {
            builder: key("builder", KeyType::Ed25519),
            other: key("other", KeyType::Ed25519),
            p256: key("p256", KeyType::P256),
        }
    }
}

/// Writes one case. What `gives` says, the call must give; null says nothing.
fn case(topic: &str, name: &str, title: &str, expect: &str, input: Value, gives: Value) {
    let mut case = json!({"title": title, "expect": expect, "input": input});
    if !gives.is_null() {
        case["gives"] = gives;
    }
    let path = fixtures().join(format!("cases/{topic}/{name}.json"));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("{}\n", serde_json::to_string_pretty(&case).unwrap())).unwrap();
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

fn note(about: &str) -> Statement {
    let subject = ResourceDescriptor::of(Digest::sha256(about.as_bytes())).named(about);
    Statement::from_json(NOTE, vec![subject], &json!({"note": "made for tests"})).unwrap()
}

fn verify(keys: &Keys) {
    let statement = note("shop.tar");
    let record = text(sign(&statement, &keys.builder).unwrap().to_json());
    let envelope = |signers: &[&PrivateKey]| {
        let message = pae(IN_TOTO, statement.payload());
        let signatures =
            signers.iter().map(|k| Signature::new(Some(k.public().id()), k.sign(&message).unwrap())).collect();
        text(Envelope::new(IN_TOTO, statement.payload().to_vec(), signatures).unwrap().to_json())
    };
    let payload = base64(statement.payload());
    let edited = base64(&text(statement.payload().to_vec()).replace("made", "mode").into_bytes());
    let pem = keys.builder.public().to_pem();
    let trusted = json!({"builder": pem, "other": keys.other.public().to_pem(), "p256": keys.p256.public().to_pem()});
    let within = |from: &str, until: &str| json!({"builder": {"key": pem, "validFrom": from, "validUntil": until}});
    let subject = Digest::sha256(b"shop.tar").to_string();
    let demand = json!({"artifact": subject, "signer": "builder", "at": START});
    let input = |record: &str, keys: Value, change: Value| {
        let mut expectation = demand.clone();
        for (name, value) in change.as_object().unwrap() {
            expectation[name] = value.clone();
        }
        json!({"record": record, "keys": keys, "expectation": expectation})
    };
    let signers = |names: &[&str]| json!(names);
    let mut unsigned: Value = serde_json::from_str(&record).unwrap();
    unsigned["dsseEnvelope"]["signatures"] = json!([]);
    let unsigned = unsigned.to_string();
    let plain = |record: &str| input(record, trusted.clone(), json!({}));
    let with = |change: Value| input(&record, trusted.clone(), change);
    let all = [
        ("good", "A record as it was signed", "ok", plain(&record), signers(&["builder"])),
        ("good-type", "Of the demanded type", "ok", with(json!({"predicateType": NOTE})), signers(&["builder"])),
        (
            "good-any-artifact",
            "The artifact is waived in so many words",
            "ok",
            with(json!({"artifact": "any-unsafe"})),
            signers(&["builder"]),
        ),
        (
            "good-one-of",
            "One of two demanded signers signed",
            "ok",
            with(json!({"signer": ["other", "builder"]})),
            signers(&["builder"]),
        ),
        (
            "good-bare-envelope",
            "A DSSE envelope without a bundle",
            "ok",
            plain(&envelope(&[&keys.builder])),
            signers(&["builder"]),
        ),
        (
            "good-p256",
            "Signed with P-256",
            "ok",
            input(&text(sign(&statement, &keys.p256).unwrap().to_json()), trusted.clone(), json!({"signer": "p256"})),
            signers(&["p256"]),
        ),
        (
            "good-several-signatures",
            "Two signed, and both are demanded",
            "ok",
            input(&envelope(&[&keys.other, &keys.builder]), trusted.clone(), json!({"signer": ["builder", "other"]})),
            signers(&["other", "builder"]),
        ),
        (
            "several-signatures-one-demanded",
            "Two signed, and only the demanded one is named",
            "ok",
            plain(&envelope(&[&keys.other, &keys.builder])),
            signers(&["builder"]),
        ),
        (
            "same-signature-twice",
            "A signer counts once",
            "ok",
            plain(&envelope(&[&keys.builder, &keys.builder])),
            signers(&["builder"]),
        ),
        (
            "edited-payload",
            "The payload was edited",
            "BAD_SIGNATURE",
            plain(&record.replace(&payload, &edited)),
            Value::Null,
        ),
        (
            "edited-signature",
            "The signature is another's",
            "BAD_SIGNATURE",
            plain(&record.replace(&signature(&record), &("A".repeat(86) + "=="))),
            Value::Null,
        ),
        ("wrong-key", "Another trusted key signed", "UNTRUSTED_SIGNER", with(json!({"signer": "other"})), Value::Null),
        (
            "unknown-key",
            "The signer is not trusted at all",
            "UNTRUSTED_SIGNER",
            input(&record, json!({"other": keys.other.public().to_pem()}), json!({"signer": "other"})),
            Value::Null,
        ),
        (
            "signer-without-key",
            "The demanded signer has no key",
            "API_MISUSE",
            with(json!({"signer": "nobody"})),
            Value::Null,
        ),
        ("no-signer", "No signer is demanded", "API_MISUSE", with(json!({"signer": []})), Value::Null),
        (
            "signer-not-said",
            "The expectation leaves out the signer",
            "MALFORMED",
            without(plain(&record), "signer"),
            Value::Null,
        ),
        (
            "artifact-not-said",
            "The expectation leaves out the artifact",
            "API_MISUSE",
            without(plain(&record), "artifact"),
            Value::Null,
        ),
        (
            "unknown-option",
            "The expectation says what nobody knows",
            "MALFORMED",
            with(json!({"skipArtifact": true})),
            Value::Null,
        ),
        (
            "wrong-artifact",
            "The record is about something else",
            "DIGEST_MISMATCH",
            with(json!({"artifact": Digest::sha256(b"other").to_string()})),
            Value::Null,
        ),
        (
            "artifact-by-name",
            "An artifact is named by a tag",
            "UNSUPPORTED",
            with(json!({"artifact": "shop:latest"})),
            Value::Null,
        ),
        (
            "wrong-type",
            "The record is of another type",
            "WRONG_TYPE",
            with(json!({"predicateType": "https://slsa.dev/provenance/v1"})),
            Value::Null,
        ),
        (
            "expired",
            "The key is past its validity",
            "EXPIRED",
            input(&record, within("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), json!({})),
            Value::Null,
        ),
        (
            "expired-to-the-instant",
            "The end of a validity counts no more",
            "EXPIRED",
            input(&record, within("2025-01-01T00:00:00Z", START), json!({})),
            Value::Null,
        ),
        (
            "not-yet-valid",
            "The key is not valid yet",
            "NOT_YET_VALID",
            input(&record, within("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"), json!({})),
            Value::Null,
        ),
        (
            "valid-from-the-instant",
            "The start of a validity counts",
            "ok",
            input(&record, within(START, "2028-01-01T00:00:00Z"), json!({})),
            signers(&["builder"]),
        ),
        (
            "one-key-two-names",
            "A key under two names would count twice",
            "API_MISUSE",
            input(&record, json!({"builder": pem, "twin": pem}), json!({})),
            Value::Null,
        ),
        (
            "duplicate-keys",
            "The envelope has a field twice",
            "MALFORMED",
            plain(&record.replacen("{\"mediaType\"", "{\"mediaType\":\"x\",\"mediaType\"", 1)),
            Value::Null,
        ),
        (
            "deep-nesting",
            "Nested 200 deep",
            "LIMIT_EXCEEDED",
            plain(&("[".repeat(200) + &"]".repeat(200))),
            Value::Null,
        ),
        ("empty", "Nothing", "MALFORMED", plain(""), Value::Null),
        ("garbage", "No JSON", "MALFORMED", plain("\u{0}not a record"), Value::Null),
        ("cut", "Cut in the middle", "MALFORMED", plain(record.get(..record.len() / 2).unwrap()), Value::Null),
        ("trailing-bytes", "Something after the record", "MALFORMED", plain(&format!("{record}{{}}")), Value::Null),
        (
            "unknown-bundle-version",
            "A bundle of a version to come",
            "UNSUPPORTED",
            plain(&record.replace("v0.3+json", "v9.9+json")),
            Value::Null,
        ),
        (
            "other-payload-type",
            "The payload is no in-toto Statement",
            "UNSUPPORTED",
            plain(&record.replace("application/vnd.in-toto+json", "text/plain")),
            Value::Null,
        ),
        ("no-signatures", "Nobody signed", "MALFORMED", plain(&unsigned), Value::Null),
    ];
    for (name, title, expect, input, gives) in all {
        case("verify", name, title, expect, input, gives);
    }
}

fn without(mut input: Value, name: &str) -> Value {
    input["expectation"].as_object_mut().unwrap().remove(name);
    input
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn signature(record: &str) -> String {
    let record: Value = serde_json::from_str(record).unwrap();
    record["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap().to_owned()
}

fn statement() {
    let subject = json!([{"name": "shop", "digest": {"sha256": "11".repeat(32)}}]);
    let provenance = json!({
        "buildDefinition": {"buildType": "https://example.org/build/v1", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://example.org/builders/main"}},
    });
    let slsa = "https://slsa.dev/provenance/v1";
    let input = |predicate_type: &str, subjects: &Value, predicate: Value| json!({"predicateType": predicate_type, "subjects": subjects, "predicate": predicate});
    let all = [
        ("provenance", "SLSA provenance", "ok", input(slsa, &subject, provenance.clone())),
        (
            "unknown-type",
            "A type not known here is kept",
            "ok",
            input("https://example.org/x/v1", &subject, json!({"any": [1, 2]})),
        ),
        ("no-subject", "About nothing", "MALFORMED", input(slsa, &json!([]), provenance.clone())),
        (
            "subject-without-digest",
            "A name is no identity",
            "MALFORMED",
            input(slsa, &json!([{"name": "shop"}]), provenance.clone()),
        ),
        (
            "short-digest",
            "A digest that is cut",
            "MALFORMED",
            input(slsa, &json!([{"digest": {"sha256": "1111"}}]), provenance.clone()),
        ),
        (
            "upper-case-digest",
            "A digest in capitals",
            "MALFORMED",
            input(slsa, &json!([{"digest": {"sha256": "AA".repeat(32)}}]), provenance),
        ),
        (
            "provenance-without-builder",
            "Provenance that names no builder",
            "MALFORMED",
            input(
                slsa,
                &subject,
                json!({"buildDefinition": {"buildType": "https://example.org/build/v1", "externalParameters": {}}}),
            ),
        ),
        (
            "predicate-not-an-object",
            "A predicate that is a list",
            "MALFORMED",
            input("https://example.org/x/v1", &subject, json!([])),
        ),
        ("empty-type", "Of no type", "MALFORMED", input("", &subject, json!({}))),
    ];
    for (name, title, expect, input) in all {
        case("statement", name, title, expect, input, Value::Null);
    }
    let payload = text(note("shop.tar").payload().to_vec());
    let all = [
        ("good", "A Statement v1", "ok", payload.clone()),
        ("other-version", "Of a version to come", "MALFORMED", payload.replace("Statement/v1", "Statement/v9")),
        ("duplicate-keys", "A field twice", "MALFORMED", payload.replacen('{', "{\"predicateType\":\"x\",", 1)),
        ("trailing-bytes", "Something after it", "MALFORMED", format!("{payload} x")),
        ("empty", "Nothing", "MALFORMED", String::new()),
        ("deep-nesting", "Nested 200 deep", "LIMIT_EXCEEDED", "[".repeat(200) + &"]".repeat(200)),
    ];
    for (name, title, expect, payload) in all {
        case("payload", name, title, expect, json!({"payload": payload}), Value::Null);
    }
}

fn digest() {
    let good = Digest::sha256(b"hello\n");
    let set = |d: &Digest| serde_json::to_value(DigestSet::from(d.clone())).unwrap();
    let commit = "gitCommit:d20ace7968ba43c0219f62d71334c1095bab1602";
    let all = [
        ("sha256", "SHA-256", "ok", good.to_string(), set(&good)),
        ("git-commit", "A Git commit", "ok", commit.to_owned(), set(&commit.parse().unwrap())),
        ("tag", "A tag is no digest", "UNSUPPORTED", "shop:latest".to_owned(), Value::Null),
        ("bare-hex", "Hex without its algorithm", "MALFORMED", good.hex(), Value::Null),
        (
            "upper-case",
            "Capitals",
            "MALFORMED",
            good.to_string().to_uppercase().replace("SHA256", "sha256"),
            Value::Null,
        ),
        ("cut", "Cut", "MALFORMED", "sha256:00".to_owned(), Value::Null),
        ("md5", "A broken algorithm", "UNSUPPORTED", format!("md5:{}", "00".repeat(16)), Value::Null),
        ("empty", "Nothing", "MALFORMED", String::new(), Value::Null),
    ];
    for (name, title, expect, text, gives) in all {
        case("digest", name, title, expect, json!({"text": text}), gives);
    }
}

fn key(keys: &Keys) {
    let plain = keys.p256.to_pem().unwrap().to_string();
    let locked = keys.builder.to_encrypted_pem("correct horse").unwrap().to_string();
    let public = keys.builder.public();
    let all = [
        ("plain", "A plain key", "ok", json!({"private": plain}), json!(keys.p256.public().id())),
        (
            "encrypted",
            "An encrypted key",
            "ok",
            json!({"private": locked, "passphrase": "correct horse"}),
            json!(public.id()),
        ),
        (
            "wrong-passphrase",
            "A wrong passphrase",
            "WRONG_PASSPHRASE",
            json!({"private": locked, "passphrase": "battery staple"}),
            Value::Null,
        ),
        ("no-passphrase", "No passphrase", "WRONG_PASSPHRASE", json!({"private": locked}), Value::Null),
        ("cut", "A key file that is cut", "MALFORMED", json!({"private": plain.get(..60).unwrap()}), Value::Null),
        ("public", "A public key", "ok", json!({"public": public.to_pem()}), json!(public.id())),
        (
            "private-as-public",
            "A private key given as a public one",
            "MALFORMED",
            json!({"public": plain}),
            Value::Null,
        ),
    ];
    for (name, title, expect, input, gives) in all {
        case("key", name, title, expect, input, gives);
    }
}

fn trust_policy(keys: &Keys) {
    let key = serde_json::to_value(key_descriptor(keys.builder.public())).unwrap();
    let signer = json!({"name": "admin", "key": key, "predicateTypes": ["https://sealwright.dev/attestation/trust-policy/v0.1"]});
    let good = json!({
        "version": 1, "admins": [{"signer": "admin"}], "threshold": 1, "signers": [signer], "writers": [], "people": [],
        "revocations": [], "profile": {"name": "starter", "singleOperator": true, "leavesOut": []}, "witnesses": [],
        "quorum": 0,
    });
    let with = |name: &str, value: Value| {
        let mut policy = good.clone();
        policy[name] = value;
        policy
    };
    let all = [
        ("good", "One admin who is trusted", "ok", good.clone()),
        ("unknown-admin", "An admin without a key", "MALFORMED", with("admins", json!([{"signer": "nobody"}]))),
        ("threshold-out-of-reach", "More signatures than admins", "MALFORMED", with("threshold", json!(2))),
        ("no-threshold", "Nobody needs to sign", "MALFORMED", with("threshold", json!(0))),
        (
            "key-twice",
            "One key under two names",
            "TRUST_POLICY_REFUSED",
            with("signers", json!([good["signers"][0], {"name": "twin", "key": key, "predicateTypes": []}])),
        ),
    ];
    for (name, title, expect, policy) in all {
        case("trust-policy", name, title, expect, json!({"policy": policy}), Value::Null);
    }
}

fn junit() {
    let report = |tests: u64, failures: u64, names: &[&str]| json!({"tests": tests, "failures": failures, "errors": 0, "skipped": 0, "failedNames": names, "durationMillis": 0});
    let all = [
        (
            "passed",
            "All passed",
            "ok",
            r#"<testsuite tests="2"><testcase name="a"/><testcase name="b"/></testsuite>"#,
            report(2, 0, &[]),
        ),
        (
            "failed",
            "One failed",
            "ok",
            r#"<testsuite><testcase classname="c" name="a"/><testcase classname="c" name="b"><failure/></testcase></testsuite>"#,
            report(2, 1, &["c::b"]),
        ),
        (
            "cut-out",
            "A suite shows fewer tests than it declares",
            "MALFORMED",
            r#"<testsuite tests="3"><testcase name="a"/></testsuite>"#,
            Value::Null,
        ),
        ("not-closed", "Cut in the middle", "MALFORMED", r#"<testsuite><testcase name="a"/>"#, Value::Null),
        ("doctype", "A document type", "MALFORMED", r#"<!DOCTYPE x [<!ENTITY e "x">]><testsuite/>"#, Value::Null),
        ("other-root", "Another document", "UNSUPPORTED", "<html/>", Value::Null),
        ("empty", "Nothing", "MALFORMED", "", Value::Null),
    ];
    for (name, title, expect, report, gives) in all {
        case("junit", name, title, expect, json!({"report": report}), gives);
    }
}

/// Writes anew what each report gives; read it before it is committed.
fn ingest() {
    for path in fs::read_dir(fixtures().join("cases/ingest")).unwrap().map(|e| e.unwrap().path()) {
        let mut case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let report = fs::read(fixtures().join(case["input"]["report"].as_str().unwrap())).unwrap();
        let ended = ingested::run_case(&case["input"], &report);
        let code = ended.as_ref().map_or_else(|e| e.code(), |_| "ok");
        assert_eq!(case["expect"], code, "{}: {ended:?}", path.display());
        if let Ok(taken) = &ended {
            case["gives"] = ingested::statements(taken);
        }
        fs::write(path, format!("{}\n", serde_json::to_string_pretty(&case).unwrap())).unwrap();
    }
}

fn sbom() {
    let bom = |spec: &str, components: &str| {
        format!(r#"{{"bomFormat":"CycloneDX","specVersion":"{spec}","version":1,"components":{components}}}"#)
    };
    let all = [
        (
            "valid",
            "A valid BOM has no findings",
            "ok",
            bom("1.6", r#"[{"type":"library","name":"leftpad","version":"1.0.0"}]"#),
            json!([]),
        ),
        (
            "nameless",
            "A component without a name",
            "ok",
            bom("1.6", r#"[{"type":"library"}]"#),
            json!(["schema /components/0"]),
        ),
        ("other-version", "Another version", "UNSUPPORTED", bom("1.2", "[]"), Value::Null),
        ("garbage", "No JSON", "MALFORMED", "<bom/>".to_owned(), Value::Null),
    ];
    for (name, title, expect, document, gives) in all {
        case("sbom", name, title, expect, json!({"document": document}), gives);
    }
}

fn ledger() {
    let mut world = World::with_policy(|policy| policy.policy_bundle = None);
    let at = |name: &str| fixtures().join("ledgers").join(name);
    let keep = |world: &World, name: &str| {
        copy(&world.folder(), &at(name));
        for derived in ["attachments", "index.sqlite", "lock"] {
            let path = at(name).join(derived);
            let _ = fs::remove_file(&path);
            let _ = fs::remove_dir_all(&path);
        }
    };
    world.provenance(&artifact());
    world.sbom(&artifact());
    keep(&world, "older");
    world.change();
    keep(&world, "whole");
    copy(&world.dir.path().join("state"), &at("anchors"));
    let _ = fs::remove_file(at("anchors").join("lock"));
    let largest = |folder: &str| {
        let mut files: Vec<_> = files(&at("whole"), folder);
        files.sort_by_key(|f| fs::metadata(at("whole").join(f)).unwrap().len());
        files.pop().unwrap()
    };
    let input = |folder: &str, anchors: bool, change: Value| json!({"folder": format!("ledgers/{folder}"), "anchors": anchors.then_some("ledgers/anchors"), "change": change});
    let (body, tile) = (largest("bodies"), largest("tile/entries"));
    let all = [
        ("whole", "As it was written", "ok", input("whole", true, Value::Null)),
        ("first-use", "Opened for the first time", "ok", input("older", false, Value::Null)),
        ("rolled-back", "An older state than was seen before", "LEDGER_ROLLED_BACK", input("older", true, Value::Null)),
        (
            "edited-body",
            "A record was edited",
            "LEDGER_TAMPERED",
            input("whole", true, json!({"file": body, "append": " "})),
        ),
        ("lost-body", "A record is gone", "BODY_LOST", input("whole", true, json!({"file": body, "remove": true}))),
        ("cut-tile", "Entries are cut", "LEDGER_TAMPERED", input("whole", true, json!({"file": tile, "keep": 40}))),
        (
            "edited-checkpoint",
            "The checkpoint was edited",
            "LEDGER_TAMPERED",
            input("whole", true, json!({"file": "checkpoint", "append": "x"})),
        ),
        (
            "no-ledger",
            "There is no ledger",
            "NOT_FOUND",
            input("whole", false, json!({"file": "ledger.json", "remove": true})),
        ),
    ];
    for (name, title, expect, input) in all {
        case("ledger", name, title, expect, input, Value::Null);
    }
}

/// The files below `root/part`, by their path from `root`.
fn files(root: &Path, part: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(part)).unwrap().map(Result::unwrap) {
        let name = format!("{part}/{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() { found.extend(files(root, &name)) } else { found.push(name) }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
