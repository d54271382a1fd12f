//! Writes a ledger of format version 1 to `fixtures/ledger-v1`, with what every later version must read in it.
//!
//! `cargo run -p sealwright --example golden_ledger`. It is written once for a version of the format: salts and keys are
//! new each time, and the private keys are thrown away. A later version gets a folder of its own, and this one stays.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "makes test data")]

#[path = "../tests/world/mod.rs"]
mod world;

use std::fs;
use std::path::{Path, PathBuf};

use sealwright::digest::Digest;
use sealwright::ledger::{Ledger, Query};
use sealwright::predicate::{TestKind, TestOutcome};
use serde_json::{Value, json};
use world::{World, artifact};

/// Entries: one full tile, and some.
const SIZE: u64 = 262;

fn main() {
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/ledger-v1");
    let _ = fs::remove_dir_all(&to);
    let mut world = World::released(&artifact());
    world.ledger.attach(b"<testsuite/>").unwrap();
    while world.ledger.size() < SIZE {
        let about = Digest::sha256(&world.ledger.size().to_be_bytes());
        world.tests(&about, TestKind::Unit, TestOutcome::Passed);
    }
    // the audit leaves the folder at rest
    assert!(world.ledger.audit().unwrap().is_clean());
    for (from, name) in [(world.folder(), "ledger"), (world.dir.path().join("state"), "anchors")] {
        copy(&from, &to.join(name));
    }
    let expected = expected(&world.ledger);
    fs::write(to.join("expected.json"), format!("{expected:#}\n")).unwrap();
}

fn expected(ledger: &Ledger) -> Value {
    let checkpoint = ledger.checkpoint();
    let queries = [
        json!({ "release": world::RELEASE }),
        json!({ "commit": world::COMMIT }),
        json!({ "digest": artifact().to_string() }),
        json!({ "environment": world::prod().id }),
        json!({ "kind": "test.unit", "until": ledger.record(40).unwrap().logged_at().unwrap() }),
        json!({ "predicateType": "https://sealwright.dev/attestation/approval/v0.1" }),
        json!({ "release": world::RELEASE, "environment": world::prod().id, "digest": artifact().to_string(),
            "predicateType": "https://sealwright.dev/attestation/deployment/v0.1" }),
        json!({ "since": ledger.record(250).unwrap().logged_at().unwrap(), "limit": 5 }),
        json!({ "release": "none of this name" }),
    ];
    let answers = queries.into_iter().map(|asked| {
        let query: Query = serde_json::from_value(asked.clone()).unwrap();
        let found = ledger.search(&query).unwrap();
        let indexes: Vec<u64> = found.records.iter().map(|record| record.index).collect();
        json!({ "query": asked, "indexes": indexes, "more": found.more })
    });
    let records = [0, 1, 255, 256, SIZE - 1].map(|index| {
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
