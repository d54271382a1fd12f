//! Writes a ledger of format version 1 to a folder of `fixtures`, with what every later version must read in it.
//!
//! `cargo run -p sealwright --example golden_ledger -- ledger-v1|ledger-encrypted-v1`. Each is written once for a version
//! of the format, and one that is there is not written anew: salts and keys are new each time, and the private keys are
//! thrown away, but for the one that the encrypted one is read with. A later version gets folders of its own.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "makes test data"
)]

#[path = "../tests/world/mod.rs"]
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use sealwright::digest::Digest;
use sealwright::encryption::KeyFile;
use sealwright::ledger::{Ledger, Query};
use sealwright::predicate::{TestKind, TestOutcome};
use serde_json::{Value, json};
use world::{World, artifact, dev, prod, staging};

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    // one full tile and some, or as much as makes a release
    let (kek, size) = match name.as_str() {
        "ledger-v1" => (None, 262),
        "ledger-encrypted-v1" => (Some(KeyFile::generate().unwrap()), 40),
        _ => panic!("say which: ledger-v1 or ledger-encrypted-v1"),
    };
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name);
    assert!(!to.exists(), "it is written once");
    let mut world = World::encrypted_with(kek.as_ref());
    world.build(&artifact());
    world.go(&artifact(), &dev());
    world.go(&artifact(), &staging());
    world.approval("release-manager", &artifact(), &prod());
    world.go(&artifact(), &prod());
    world.ledger.attach(b"<testsuite/>").unwrap();
    while world.ledger.size() < size {
        let about = Digest::sha256(&world.ledger.size().to_be_bytes());
        world.tests(&about, TestKind::Unit, TestOutcome::Passed);
    }
    // the audit leaves the folder at rest
    assert!(world.ledger.audit().unwrap().is_clean());
    for (from, name) in [(world.folder(), "ledger"), (world.dir.path().join("state"), "anchors")] {
        copy(&from, &to.join(name));
    }
    if let Some(kek) = kek {
        fs::write(to.join("kek.json"), kek.to_bytes(None).unwrap()).unwrap();
    }
    let expected = expected(&world.ledger);
    fs::write(to.join("expected.json"), format!("{expected:#}\n")).unwrap();
}

fn expected(ledger: &Ledger) -> Value {
    let (checkpoint, size) = (ledger.checkpoint(), ledger.size());
    let queries = [
        json!({ "release": world::RELEASE }),
        json!({ "commit": world::COMMIT }),
        json!({ "digest": artifact().to_string() }),
        json!({ "environment": prod().id }),
        json!({ "kind": "test.unit", "until": ledger.record(size / 6).unwrap().logged_at().unwrap() }),
        json!({ "predicateType": "https://sealwright.dev/attestation/approval/v0.1" }),
        json!({ "release": world::RELEASE, "environment": prod().id, "digest": artifact().to_string(),
            "predicateType": "https://sealwright.dev/attestation/deployment/v0.1" }),
        json!({ "since": ledger.record(size - 12).unwrap().logged_at().unwrap(), "limit": 5 }),
        json!({ "release": "none of this name" }),
    ];
    let answers = queries.into_iter().map(|asked| {
        let query: Query = serde_json::from_value(asked.clone()).unwrap();
        let found = ledger.search(&query).unwrap();
        let indexes: Vec<u64> = found.records.iter().map(|record| record.index).collect();
        json!({ "query": asked, "indexes": indexes, "more": found.more })
    });
    let records = [0, 1, size - 7, size - 6, size - 1].map(|index| {
        let record = ledger.record(index).unwrap();
        let payload = record.statement().payload_digest().to_string();
        json!({ "index": index, "payload": payload, "signer": record.speaker.signer })
    });
    json!({
        "origin": ledger.origin(),
        "logKey": ledger.log_key().to_string(),
        "trustPolicy": ledger.trust().versions().next().unwrap().1.payload().to_string(),
        "size": ledger.size(),
        "root": checkpoint.checkpoint().root().to_string(),
        "checkpoint": checkpoint.note(),
        "attachment": Digest::sha256(b"<testsuite/>").to_string(),
        "records": records,
        "receipt": { "index": 7, "record": String::from_utf8(ledger.record(7).unwrap().verified.record().to_vec()).unwrap(),
            "receipt": ledger.prove(7).unwrap() },
        "search": answers.collect::<Vec<_>>(),
    })
}

/// Copies what belongs to the format: no lock, no index, no journal, which each version makes anew.
fn copy(from: &Path, to: &PathBuf) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(name));
        } else if name != "lock" && !name.starts_with("index.sqlite") && !name.ends_with(".newest") {
            fs::copy(entry.path(), to.join(name)).unwrap();
        }
    }
}
