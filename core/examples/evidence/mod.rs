//! Cases of what others sign: files, certificates, builds, commits, layouts; and of signers elsewhere.

mod instance;
#[path = "../../tests/commit/repository.rs"]
#[allow(dead_code, clippy::panic, reason = "used in part; tests")]
mod repository;
#[path = "../../tests/layout/supply_chain.rs"]
#[allow(dead_code, reason = "used in part")]
mod supply_chain;

use std::fs;

use sealwright::digest::Digest;
use sealwright::json::Value;
use sealwright::key::PrivateKey;
use sealwright::signer::{sign, sign_blob};
use sealwright::statement::Statement;
use serde_json::json;

use self::instance::{ISSUER, Instance, REPOSITORY, SUBJECT};
use self::repository::Repository;
use self::supply_chain::{Chain, Form, NOW};
use super::{Keys, START, case, fixtures, note, text};

const FILE: &str = "what was built\n";
/// After all that is made here.
const LATER: &str = "2027-06-01T00:00:00Z";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const BUILDER: &str = "https://example.org/builders/main";
const COMMIT: &str = "83a20ec058e2fb00e7fa4558c4c6e81e2dcf253d";

type Case = (&'static str, &'static str, &'static str, Value, Value);

fn write(topic: &str, cases: impl IntoIterator<Item = Case>) {
    for (name, title, expect, input, gives) in cases {
        case(topic, name, title, expect, input, gives);
    }
}

/// `value` with these members set; null takes one away.
fn with(value: &Value, members: Value) -> Value {
    let mut value = value.clone();
    for (name, member) in members.as_object().unwrap() {
        match member {
            Value::Null => _ = value.as_object_mut().unwrap().remove(name),
            member => value[name] = member.clone(),
        }
    }
    value
}

pub(super) fn write_all(keys: &Keys) {
    blob(keys);
    certificate();
    provenance(keys);
    commit();
    gitsign();
    layout();
    signer(keys);
}

fn signed(key: &PrivateKey) -> String {
    text(sign_blob(&mut FILE.as_bytes(), key).unwrap().to_json())
}

fn blob(keys: &Keys) {
    let signers = json!({"builder": keys.builder.public().to_pem(), "p256": keys.p256.public().to_pem()});
    let digest = Digest::sha256(FILE.as_bytes()).to_string();
    let input = |bundle: &str, blob: Value, members: Value| {
        let expectation = with(&json!({"signer": "p256", "at": START}), members);
        json!({"signers": signers, "trustedRoots": [], "bundle": bundle, "blob": blob, "expectation": expectation})
    };
    let (p256, ed25519) = (signed(&keys.p256), signed(&keys.builder));
    let record = text(sign(&note("shop.tar"), &keys.p256).unwrap().to_json());
    let (bytes, by_digest) = (json!({"text": FILE}), json!({"digest": digest}));
    let builder = json!({"signer": "builder"});
    write(
        "blob",
        [
            ("good", "A file as it was signed", "ok", input(&p256, bytes.clone(), json!({})), json!(["p256"])),
            ("good-ed25519", "By Ed25519", "ok", input(&ed25519, bytes.clone(), builder.clone()), json!(["builder"])),
            ("good-digest", "Known by its digest", "ok", input(&p256, by_digest.clone(), json!({})), json!(["p256"])),
            (
                "good-artifact",
                "The file that is demanded",
                "ok",
                input(&p256, bytes.clone(), json!({"artifact": digest})),
                json!(["p256"]),
            ),
            (
                "digest-of-ed25519",
                "Ed25519 is over the bytes themselves",
                "UNSUPPORTED",
                input(&ed25519, by_digest, builder),
                Value::Null,
            ),
            (
                "other-file",
                "The signature of another file",
                "DIGEST_MISMATCH",
                input(&p256, json!({"text": "what was not built\n"}), json!({})),
                Value::Null,
            ),
            (
                "other-artifact",
                "Another file is demanded",
                "DIGEST_MISMATCH",
                input(&p256, bytes.clone(), json!({"artifact": Digest::sha256(b"other").to_string()})),
                Value::Null,
            ),
            (
                "no-digest",
                "A name is no digest",
                "UNSUPPORTED",
                input(&p256, json!({"digest": "shop:latest"}), json!({})),
                Value::Null,
            ),
            (
                "other-signer",
                "Somebody else signed",
                "UNTRUSTED_SIGNER",
                input(&ed25519, bytes.clone(), json!({})),
                Value::Null,
            ),
            (
                "record",
                "An attestation is no signature of a file",
                "UNSUPPORTED",
                input(&record, bytes.clone(), json!({})),
                Value::Null,
            ),
            (
                "predicate-type",
                "A file has no predicate type",
                "API_MISUSE",
                input(&p256, bytes.clone(), json!({"predicateType": PROVENANCE})),
                Value::Null,
            ),
            (
                "unlogged",
                "A log is demanded, and there is none",
                "BAD_LOG_ENTRY",
                input(&p256, bytes.clone(), json!({"logEntries": 1})),
                Value::Null,
            ),
            (
                "no-timestamp",
                "A timestamp is demanded, and there is none",
                "BAD_TIMESTAMP",
                input(&p256, bytes, json!({"timestamps": 1})),
                Value::Null,
            ),
        ],
    );
}

fn certificate() {
    let instance = Instance::new();
    let bundle = text(instance.sign(FILE.as_bytes()).to_json());
    let ada = json!({"subject": SUBJECT, "issuer": ISSUER});
    let demand =
        json!({"identity": ada, "unloggedUnsafe": true, "withoutSctUnsafe": true, "timestamps": 1, "at": LATER});
    let base = json!({
        "signers": {}, "trustedRoots": [instance.trusted_root()], "bundle": bundle, "blob": {"text": FILE},
        "expectation": demand,
    });
    let expecting = |members: Value| with(&base, json!({"expectation": with(&demand, members)}));
    let holder = |members: Value| expecting(json!({"identity": with(&ada, members)}));
    let extension = |name: &str, value: Value| holder(json!({"extensions": {name: value}}));
    let named = |signers: Value, name: &str| {
        with(
            &base,
            json!({"signers": signers, "expectation": with(&demand, json!({"identity": null, "signer": name}))}),
        )
    };
    let of_ada = |until: &str| json!({"ada": {"identity": ada, "validUntil": until}});
    let good = |name, title, input| (name, title, "ok", input, json!([SUBJECT]));
    let bad = |name, title, code, input| (name, title, code, input, Value::Null);
    write(
        "certificate",
        [
            good("good", "Signed by the holder of a certificate", base.clone()),
            good(
                "good-pattern",
                "The subject fits a pattern",
                holder(json!({"subject": null, "subjectPattern": ".*@example\\.org"})),
            ),
            good(
                "good-extension",
                "It says of the build what is demanded",
                extension("sourceRepositoryUri", json!(REPOSITORY)),
            ),
            good(
                "good-extension-pattern",
                "Or what fits",
                extension("sourceRepositoryUri", json!({"pattern": "https://git\\.example/acme/.*"})),
            ),
            ("good-name", "A certificate identity by its name", "ok", named(of_ada(LATER), "ada"), json!(["ada"])),
            bad("other-subject", "Of somebody else", "UNTRUSTED_SIGNER", holder(json!({"subject": "eve@example.org"}))),
            bad(
                "other-issuer",
                "Vouched for by somebody else",
                "UNTRUSTED_SIGNER",
                holder(json!({"issuer": "https://other.example"})),
            ),
            bad(
                "part-of-subject",
                "A pattern holds the whole subject",
                "UNTRUSTED_SIGNER",
                holder(json!({"subject": null, "subjectPattern": "ada"})),
            ),
            bad(
                "other-extension",
                "It says another repository",
                "UNTRUSTED_SIGNER",
                extension("sourceRepositoryUri", json!("https://git.example/acme/other")),
            ),
            bad(
                "no-extension",
                "It does not say what is demanded",
                "UNTRUSTED_SIGNER",
                extension("buildTrigger", json!("push")),
            ),
            bad("unknown-extension", "There is no such extension", "MALFORMED", extension("colour", json!("red"))),
            bad("two-subjects", "A subject and a pattern", "MALFORMED", holder(json!({"subjectPattern": ".*"}))),
            bad("signer-and-identity", "Two ways to say who", "MALFORMED", expecting(json!({"signer": "ada"}))),
            bad("expired-name", "The name counted no more", "EXPIRED", named(of_ada("2026-01-01T00:00:00Z"), "ada")),
            bad(
                "unlogged",
                "No log of signatures holds it",
                "BAD_LOG_ENTRY",
                expecting(json!({"unloggedUnsafe": null})),
            ),
            bad(
                "without-sct",
                "No log of certificates vouches for it",
                "BAD_SCT",
                expecting(json!({"withoutSctUnsafe": null})),
            ),
            bad(
                "two-timestamps",
                "One timestamp is less than two",
                "BAD_TIMESTAMP",
                expecting(json!({"timestamps": 2})),
            ),
            bad(
                "stamped-later",
                "The timestamp is of a time to come",
                "BAD_TIMESTAMP",
                expecting(json!({"at": "2026-01-01T00:00:00Z"})),
            ),
            bad(
                "unknown-authority",
                "Nobody believes the authority",
                "UNTRUSTED_CERTIFICATE",
                with(&base, json!({"trustedRoots": []})),
            ),
            bad(
                "other-file",
                "The signature of another file",
                "DIGEST_MISMATCH",
                with(&base, json!({"blob": {"text": "x"}})),
            ),
            bad("no-root", "What is no trusted root", "MALFORMED", with(&base, json!({"trustedRoots": [{}]}))),
        ],
    );
}

fn build(builder: &str, commit: &str) -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://example.org/build/v1",
            "externalParameters": {"source": "git+https://git.example/acme/shop@refs/tags/v1.4.0", "profile": "release"},
            "resolvedDependencies": [
                {"uri": "git+https://git.example/acme/shop@refs/tags/v1.4.0", "digest": {"gitCommit": commit}},
            ],
        },
        "runDetails": {"builder": {"id": builder}},
    })
}

fn provenance(keys: &Keys) {
    let subject = json!([{"name": "shop", "digest": {"sha256": "11".repeat(32)}}]);
    let record = |predicate_type: &str, predicate: &Value| {
        let subject = serde_json::from_value(subject.clone()).unwrap();
        let statement = Statement::from_json(predicate_type, subject, predicate).unwrap();
        text(sign(&statement, &keys.builder).unwrap().to_json())
    };
    let good = record(PROVENANCE, &build(BUILDER, COMMIT));
    let input = |record: &str, expectation: Value| {
        let keys = json!({"ci": keys.builder.public().to_pem()});
        json!({"record": record, "keys": keys, "signer": "ci", "expectation": expectation})
    };
    let demand = |expectation| input(&good, expectation);
    let builder = |members: Value| json!({"builders": [with(&json!({"id": BUILDER}), members)]});
    let good_case = |name, title, expectation| (name, title, "ok", demand(expectation), json!(BUILDER));
    let bad = |name, title, code, expectation| (name, title, code, demand(expectation), Value::Null);
    write(
        "provenance",
        [
            good_case(
                "good-source",
                "The source, in another spelling",
                json!({"sourceUri": "git.example/acme/shop", "sourceCommit": COMMIT}),
            ),
            good_case("good-versioned-tag", "A tag of the version", json!({"sourceVersionedTag": "v1"})),
            good_case("good-builder", "The builder, by its signer", builder(json!({"signers": ["ci"]}))),
            good_case(
                "good-parameters",
                "Parameters, and no others",
                json!({"parameters": {"profile": "release"}, "allowedParameters": ["source"]}),
            ),
            bad("other-source", "Another source", "EXPECTATION_UNMET", json!({"sourceUri": "git.example/acme/other"})),
            bad("other-commit", "Another commit", "EXPECTATION_UNMET", json!({"sourceCommit": "00".repeat(20)})),
            bad("other-tag", "Another tag", "EXPECTATION_UNMET", json!({"sourceTag": "v1.5.0"})),
            bad("branch", "A tag is no branch", "EXPECTATION_UNMET", json!({"sourceBranch": "main"})),
            bad(
                "other-builder",
                "Another builder",
                "EXPECTATION_UNMET",
                json!({"builders": [{"id": "https://example.org/builders/other"}]}),
            ),
            bad(
                "other-signer-of-builder",
                "Signed by one who does not sign for the builder",
                "UNTRUSTED_SIGNER",
                builder(json!({"signers": ["other"]})),
            ),
            bad(
                "other-build-type",
                "Another build type",
                "EXPECTATION_UNMET",
                json!({"buildTypes": ["https://example.org/build/v2"]}),
            ),
            bad(
                "unexpected-parameter",
                "A parameter that is not allowed",
                "EXPECTATION_UNMET",
                json!({"allowedParameters": ["source"]}),
            ),
            bad("nothing", "Nothing is demanded", "API_MISUSE", json!({})),
            bad("unknown-member", "Something nobody knows is demanded", "MALFORMED", json!({"colour": "red"})),
            bad("short-commit", "Half a commit", "API_MISUSE", json!({"sourceCommit": "83a20ec"})),
            (
                "two-commits",
                "One source at two commits",
                "EXPECTATION_UNMET",
                input(&record(PROVENANCE, &build(BUILDER, &"00".repeat(20))), json!({"sourceCommit": COMMIT})),
                Value::Null,
            ),
            (
                "no-provenance",
                "A record of something else",
                "WRONG_TYPE",
                input(&record("https://example.org/x/v1", &json!({})), json!({"sourceUri": "git.example/acme/shop"})),
                Value::Null,
            ),
        ],
    );
}

fn commit() {
    let place = Repository::new();
    let public = place.ssh_key("key", &["ed25519"]);
    let id = place.commit_as(Some("key"), &["--date", "2026-11-20T09:00:00Z", "-m", "Prices"]);
    let raw = place.text(&id);
    let unsigned = place.commit(None);
    let edited = raw.replace("Prices", "Prizes");
    let edited_id = place.store("commit", &edited);
    let tag = place.tag("v1", "key");
    let ada = format!("ada@example.org {public}\n");
    let input = |kind: &str, raw: &str, id: &str, signers: &str| json!({"kind": kind, "raw": raw, "id": id, "allowedSigners": signers, "now": LATER});
    let with_options = |options: &str| format!("ada@example.org {options} {public}\n");
    let bob = place.ssh_key("bob", &["ed25519"]);
    let gives = json!(["ada@example.org"]);
    let (a, tagged) = ("commit", place.text(&tag));
    write(
        "commit",
        [
            ("good", "Signed by an SSH key", "ok", input(a, &raw, &id, &ada), gives.clone()),
            ("good-tag", "A signed tag", "ok", input("tag", &tagged, &tag, &ada), gives),
            (
                "unsigned",
                "Nobody signed",
                "BAD_SIGNATURE",
                input(a, &place.text(&unsigned), &unsigned, &ada),
                Value::Null,
            ),
            ("edited", "Edited after it was signed", "BAD_SIGNATURE", input(a, &edited, &edited_id, &ada), Value::Null),
            ("other-id", "It is another commit", "DIGEST_MISMATCH", input(a, &raw, &edited_id, &ada), Value::Null),
            (
                "unknown-key",
                "A key that nobody trusts",
                "UNTRUSTED_SIGNER",
                input(a, &raw, &id, &format!("bob@example.org {bob}\n")),
                Value::Null,
            ),
            (
                "expired-key",
                "The key was not valid any more",
                "EXPIRED",
                input(a, &raw, &id, &with_options("valid-before=\"20260101Z\"")),
                Value::Null,
            ),
            (
                "other-namespace",
                "The key is not for Git",
                "NOT_ENTITLED",
                input(a, &raw, &id, &with_options("namespaces=\"file\"")),
                Value::Null,
            ),
            (
                "no-signers",
                "What is no file of allowed signers",
                "MALFORMED",
                input(a, &raw, &id, "ada@example.org\n"),
                Value::Null,
            ),
            ("no-commit", "What is no commit", "MALFORMED", input(a, "tree\n", &id, &ada), Value::Null),
            ("no-id", "What is no id", "MALFORMED", input(a, &raw, "HEAD", &ada), Value::Null),
        ],
    );
}

/// What gitsign signed, as fixtures/gitsign has it.
fn gitsign() {
    let read = |name: &str| text(fs::read(fixtures().join("gitsign").join(name)).unwrap());
    let place = Repository::new();
    let (commit, tag, online) = (read("commit"), read("tag"), read("online.commit"));
    let root: Value = serde_json::from_str(&read("trusted_root.json")).unwrap();
    let mut other_logs = root.clone();
    other_logs["tlogs"].as_array_mut().unwrap().retain(|log| log["baseUrl"] != "https://rekor.example.net");
    let edited = commit.replace("Prices", "Prizes");
    assert_ne!(edited, commit);
    let signer = "release@example.org";
    // the issuer ran on loopback, at another port each time
    let issuer = read("issuer");
    let input = |kind: &str, raw: &str, root: &Value, subject: &str, issuer: &str| {
        let signers = json!({"release": {"identity": {"subject": subject, "issuer": issuer}}});
        json!({"kind": kind, "raw": raw, "id": place.store(kind, raw), "trustedRoot": root.to_string(), "signers": signers, "now": LATER})
    };
    let (a, gives) = ("commit", json!([signer]));
    write(
        "commit",
        [
            ("gitsign", "Signed by gitsign", "ok", input(a, &commit, &root, signer, &issuer), gives.clone()),
            ("gitsign-tag", "A tag signed by gitsign", "ok", input("tag", &tag, &root, signer, &issuer), gives),
            (
                "gitsign-edited",
                "Edited after gitsign signed it",
                "BAD_SIGNATURE",
                input(a, &edited, &root, signer, &issuer),
                Value::Null,
            ),
            (
                "gitsign-other-subject",
                "Signed by somebody else with gitsign",
                "UNTRUSTED_SIGNER",
                input(a, &commit, &root, "mallory@example.org", &issuer),
                Value::Null,
            ),
            (
                "gitsign-other-issuer",
                "By a token of another issuer",
                "UNTRUSTED_SIGNER",
                input(a, &commit, &root, signer, "https://issuer.example.net"),
                Value::Null,
            ),
            (
                "gitsign-other-log",
                "In a log that is not believed",
                "BAD_LOG_ENTRY",
                input(a, &commit, &other_logs, signer, &issuer),
                Value::Null,
            ),
            (
                "gitsign-online",
                "Its entry is in the log alone",
                "BAD_LOG_ENTRY",
                input(a, &online, &root, signer, &issuer),
                Value::Null,
            ),
        ],
    );
}

fn layout() {
    let chain = Chain::new(Form::Dsse);
    let links_of = |chain: &Chain| -> Value {
        let signed = |(name, content): (&String, &Value)| {
            let by = if name.starts_with("write") { &chain.writer } else { &chain.packer };
            (name.clone(), json!(text(by.sign(content, Form::Dsse))))
        };
        chain.links.iter().map(signed).collect::<serde_json::Map<_, _>>().into()
    };
    let links = links_of(&chain);
    let input = |layout: &Value, members: Value| {
        let expectation = json!({"artifact": Digest::sha256(b"app").to_string(), "at": NOW});
        let base = json!({
            "layout": text(chain.owner.sign(layout, Form::Dsse)), "owners": [chain.owner.listed.to_string()],
            "links": links, "expectation": expectation,
        });
        with(&base, members)
    };
    let plain = |members: Value| input(&chain.layout, members);
    let expecting = |members: Value| {
        let base = plain(json!({}));
        with(&base, json!({"expectation": with(&base["expectation"], members)}))
    };
    let mut inspecting = chain.layout.clone();
    inspecting["inspect"] = json!([{
        "_type": "inspection", "name": "untar", "run": ["tar", "xf", "app.tgz"],
        "expected_materials": [], "expected_products": [],
    }]);
    let mut fewer = links.clone();
    fewer.as_object_mut().unwrap().retain(|name, _| !name.starts_with("write"));
    let mut other = Chain::new(Form::Dsse);
    (other.owner, other.layout) = (supply_chain::Person::new(sealwright::key::KeyType::P256), chain.layout.clone());
    let bad = |name, title, code, input| (name, title, code, input, Value::Null);
    write(
        "layout",
        [
            ("good", "As the owner laid it out", "ok", plain(json!({})), json!(["write", "pack"])),
            (
                "good-commands",
                "By the commands that are expected",
                "ok",
                expecting(json!({"requireCommands": true})),
                json!(["write", "pack"]),
            ),
            bad(
                "other-artifact",
                "The last step made something else",
                "DIGEST_MISMATCH",
                expecting(json!({"artifact": Digest::sha256(b"other").to_string()})),
            ),
            bad(
                "artifact-not-said",
                "The expectation leaves out the artifact",
                "MALFORMED",
                expecting(json!({"artifact": null})),
            ),
            bad(
                "expired",
                "The layout may be used no more",
                "EXPIRED",
                expecting(json!({"at": "2028-01-01T00:00:00Z"})),
            ),
            bad(
                "other-owner",
                "Somebody else owns it",
                "UNTRUSTED_SIGNER",
                plain(json!({"owners": [other.owner.listed.to_string()]})),
            ),
            bad("no-owner", "Nobody owns it", "API_MISUSE", plain(json!({"owners": []}))),
            bad("no-key", "What is no key", "MALFORMED", plain(json!({"owners": ["{}"]}))),
            bad("lost-link", "Nobody shows the first step", "EXPECTATION_UNMET", plain(json!({"links": fewer}))),
            bad("inspection", "A layout that asks for a command", "INSPECTION_REFUSED", input(&inspecting, json!({}))),
            bad(
                "parameter-name",
                "What is no name of a parameter",
                "API_MISUSE",
                expecting(json!({"parameters": {"a b": "c"}})),
            ),
            bad("no-layout", "What is no layout", "MALFORMED", plain(json!({"layout": "{}"}))),
        ],
    );
}

fn signer(keys: &Keys) {
    let input = |reference: &str, access: Value| json!({"reference": reference, "access": access});
    let pem = keys.p256.public().to_pem();
    let bad = |name, title, code, reference, access| (name, title, code, input(reference, access), Value::Null);
    write(
        "signer",
        [
            bad("no-file", "There is no such key file", "NOT_FOUND", "no/such/key.pem", json!({})),
            bad("pkcs11", "A token's reference that is cut", "MALFORMED", "pkcs11:token", json!({})),
            bad("pkcs11-no-module", "A token without its library", "API_MISUSE", "pkcs11:token=a;object=b", json!({})),
            bad("aws-kms", "A KMS reference without a key", "MALFORMED", "awskms://", json!({})),
            bad("vault-nowhere", "Nothing says where Vault is", "API_MISUSE", "hashivault://builder", json!({})),
            bad("command-without-key", "A command does not tell its key", "API_MISUSE", "command:sign", json!({})),
            bad("command-words", "Words that are no list", "MALFORMED", "command:[\"sign\"", json!({"publicKey": pem})),
            bad("unknown-scheme", "A service that is not known", "UNSUPPORTED", "gcpkms://builder", json!({})),
            bad("unknown-access", "What nobody asked for", "MALFORMED", "key.pem", json!({"password": "x"})),
            bad("no-public-key", "What is no public key", "MALFORMED", "command:sign", json!({"publicKey": "x"})),
        ],
    );
}
