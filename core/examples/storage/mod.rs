//! Cases of where ledgers lie, the keys they are encrypted with, and how long records are kept.

use std::fs;

use sealwright::checkpoint::VerifierKey;
use sealwright::encryption::{KeyEncryptionKey as _, KeyFile};
use sealwright::key::read_private;
use serde_json::json;

use super::{Value, World, case, copy, fixtures};
use crate::world::artifact;

const SCHEDULE: &str = "sealwright-retention/v1";

pub(super) fn write_all() {
    encryption_key();
    opening();
    schedule();
}

fn key_path(name: &str) -> String {
    format!("keys/test-only-{name}.json")
}

/// A key for tests, made when it is not there.
fn kek(name: &str, passphrase: Option<&str>) -> KeyFile {
    let path = fixtures().join(key_path(name));
    if !path.exists() {
        KeyFile::generate().unwrap().write(&path, passphrase).unwrap();
    }
    KeyFile::read(&path, passphrase).unwrap()
}

fn encryption_key() {
    let (plain, sealed) = (kek("kek", None), kek("sealed-kek", Some("correct horse")));
    let input = |reference: &str, access: Value| json!({"reference": reference, "access": access});
    let bad = |name, title, code, reference: &str, access| (name, title, code, input(reference, access), Value::Null);
    let good = |name, title, file: &str, access, key: &KeyFile| {
        let input = json!({"file": key_path(file), "access": access});
        (name, title, "ok", input, json!(key.id()))
    };
    let all = [
        good("plain", "A key file", "kek", json!({}), &plain),
        good("sealed", "A key file with a passphrase", "sealed-kek", json!({"passphrase": "correct horse"}), &sealed),
        (
            "wrong-passphrase",
            "Another passphrase",
            "WRONG_PASSPHRASE",
            json!({"file": key_path("sealed-kek"), "access": {"passphrase": "battery staple"}}),
            Value::Null,
        ),
        (
            "private-key",
            "A key that signs",
            "MALFORMED",
            json!({"file": "keys/test-only-p256.pem", "access": {}}),
            Value::Null,
        ),
        bad("no-file", "There is no such key file", "NOT_FOUND", "no/such/key.json", json!({})),
        bad("pkcs11", "A token's reference that is cut", "MALFORMED", "pkcs11:token", json!({})),
        bad("aws-kms", "A KMS reference without a key", "MALFORMED", "awskms://", json!({})),
        bad("vault-nowhere", "Nothing says where Vault is", "API_MISUSE", "hashivault://ledger", json!({})),
        bad("command", "Commands sign, and do not encrypt", "UNSUPPORTED", "command:seal", json!({})),
        bad("unknown-access", "What nobody asked for", "MALFORMED", "key.json", json!({"password": "x"})),
    ];
    for (name, title, expect, input, gives) in all {
        case("encryption-key", name, title, expect, input, gives);
    }
}

fn opening() {
    let at = fixtures().join("ledgers/encrypted");
    kek("other-kek", None);
    if !at.exists() {
        let mut world = World::encrypted_with(Some(&kek("kek", None)));
        world.provenance(&artifact());
        world.change();
        copy(&world.folder(), &at);
        for derived in ["index.sqlite", "lock"] {
            let _ = fs::remove_file(at.join(derived));
        }
    }
    let within = |folder: &str, key: Option<&str>, opening: Value| {
        json!({
            "folder": format!("ledgers/{folder}"),
            "change": null,
            "encryptionKey": key.map(key_path),
            "opening": opening,
        })
    };
    let plain = |opening: Value| within("whole", None, opening);
    let beyond = |place: &str, opening: Value| json!({"place": place, "encryptionKey": null, "opening": opening});
    let other = read_private(&fixtures().join("keys/test-only-other.pem"), None).unwrap();
    let other = VerifierKey::new("example.org/releases", other.public().clone()).unwrap().to_string();
    let all = [
        ("plain", "A folder", "ok", plain(json!({}))),
        ("encrypted", "An encrypted ledger with its key", "ok", within("encrypted", Some("kek"), json!({}))),
        ("wrong-key", "Another key", "WRONG_KEY", within("encrypted", Some("other-kek"), json!({}))),
        ("no-key", "No key", "WRONG_KEY", within("encrypted", None, json!({}))),
        ("needless-key", "A key for what is not encrypted", "WRONG_KEY", within("whole", Some("kek"), json!({}))),
        ("unknown", "What nobody asked for", "MALFORMED", plain(json!({"pin": {}}))),
        ("unknown-pin", "A pin that nobody asked for", "MALFORMED", plain(json!({"pins": {"key": "x"}}))),
        ("not-a-key", "A pin that is no key", "MALFORMED", plain(json!({"pins": {"logKey": "x"}}))),
        ("pinned-log", "The key of another log", "LEDGER_FORKED", plain(json!({"pins": {"logKey": other}}))),
        (
            "pinned-policy",
            "Another trust policy",
            "TRUST_POLICY_REFUSED",
            plain(json!({"pins": {"trustPolicy": format!("sha256:{}", "0".repeat(64))}})),
        ),
        ("two-tokens", "Two tokens", "MALFORMED", plain(json!({"access": {"token": "a", "tokenFile": "b"}}))),
        ("nothing-there", "There is no such folder", "NOT_FOUND", beyond("no/such/ledger", json!({}))),
        ("no-description", "No such description of a bucket", "NOT_FOUND", beyond("no/such/bucket.toml", json!({}))),
        ("insecure", "An address without TLS", "MALFORMED", beyond("http://ledger.example.org", json!({}))),
        ("no-address", "An address of what speaks no HTTP", "MALFORMED", beyond("ftp://ledger.example.org", json!({}))),
        (
            "submitter-of-a-service",
            "The service knows who submits",
            "API_MISUSE",
            beyond("https://ledger.example.org", json!({"submitter": "ci"})),
        ),
    ];
    for (name, title, expect, input) in all {
        case("opening", name, title, expect, input, Value::Null);
    }
}

fn schedule() {
    let of = |more: Value| {
        let mut schedule = json!({"v": SCHEDULE, "frameworks": ["hipaa-security-rule"]});
        for (name, member) in more.as_object().unwrap() {
            schedule[name] = member.clone();
        }
        schedule
    };
    let rule = json!({"id": "ours", "minimum": "P7Y", "kinds": ["build.provenance"]});
    let all = [
        ("framework", "A framework", "ok", of(json!({})), json!([["hipaa-doc", "P6Y"]])),
        (
            "longest",
            "The longest rule comes first",
            "ok",
            of(json!({"rules": [rule]})),
            json!([["ours", "P7Y"], ["hipaa-doc", "P6Y"]]),
        ),
        (
            "longer",
            "A period longer than the catalogue states",
            "ok",
            of(json!({"periods": {"hipaa-doc": "P8Y"}})),
            json!([["hipaa-doc", "P8Y"]]),
        ),
        (
            "shorter",
            "A period shorter than the catalogue states",
            "MALFORMED",
            of(json!({"periods": {"hipaa-doc": "P5Y"}})),
            Value::Null,
        ),
        ("no-framework", "Nothing applies", "MALFORMED", of(json!({"frameworks": []})), Value::Null),
        ("unknown-framework", "No such framework", "MALFORMED", of(json!({"frameworks": ["x"]})), Value::Null),
        ("unknown-member", "What nobody asked for", "MALFORMED", of(json!({"rule": []})), Value::Null),
        ("other-version", "Another version", "UNSUPPORTED", of(json!({"v": "sealwright-retention/v2"})), Value::Null),
        (
            "no-period",
            "A period that is none",
            "MALFORMED",
            of(json!({"rules": [{"id": "ours", "minimum": "7 years"}]})),
            Value::Null,
        ),
    ];
    for (name, title, expect, schedule, gives) in all {
        case("schedule", name, title, expect, json!({"schedule": schedule, "kinds": ["build.provenance"]}), gives);
    }
}
