//! The ledger in a bucket with PostgreSQL: appending, searches, proofs and audits at several sizes, beside one write to the bucket
//! and one query to the database, below which nothing can go.
//!
//! `core/tests/services/run.py cargo bench -p sealwright-benches -- bucket [largest size]`; 10,000 entries unless said
//! otherwise. Without the services it says so and ends.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, AuditDepth, BucketPlace, Ledger, Pins, Place, Query};
use sealwright::predicate::{PredicateType, TestResult};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust_policy;
use sealwright_benches::one_operator;

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn statement(n: u64) -> Statement {
    let json = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": Digest::sha256(&(n % 1000).to_be_bytes()).hex()}}],
        "predicateType": TestResult::TYPE,
        "predicate": {"result": "PASSED", "configuration": [{"uri": format!("https://example.org/suite/{n}")}]},
    });
    Statement::parse(serde_json::to_vec(&json).unwrap()).unwrap()
}

fn place(facts: &serde_json::Value, server: &str, name: &str) -> Place {
    let text = |pointer: &str| facts.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let description = format!(
        "bucket = \"s3://plain/{name}\"\ndatabase = \"{}\"\nendpoint = \"{}\"\nregion = \"us-east-1\"\n",
        text("/postgres/url"),
        text(&format!("/buckets/{server}"))
    );
    let place = BucketPlace::from_toml(description.as_bytes()).unwrap();
    let place = place.with_variable("AWS_ACCESS_KEY_ID", &text("/buckets/access_key")).unwrap();
    Place::Bucket(Box::new(place.with_variable("AWS_SECRET_ACCESS_KEY", &text("/buckets/secret_key")).unwrap()))
}

/// Times of `times` runs, in order.
fn timed(times: usize, mut run: impl FnMut(usize)) -> Vec<Duration> {
    let mut spent: Vec<Duration> = (0..times)
        .map(|n| {
            let begun = Instant::now();
            run(n);
            begun.elapsed()
        })
        .collect();
    spent.sort_unstable();
    spent
}

pub(crate) fn run(largest: u64) {
    let Some(file) = std::env::var_os("SEALWRIGHT_SERVICES") else {
        println!("not run: SEALWRIGHT_SERVICES names no services.json; `core/tests/services/run.py` starts them");
        return;
    };
    let facts: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let mut measured: BTreeMap<String, BTreeMap<&str, u128>> = BTreeMap::new();
    for server in ["versitygw", "seaweedfs"] {
        let dir = tempfile::tempdir().unwrap();
        let place = place(&facts, server, &format!("bench-{}", std::process::id()));
        let anchors = Anchors::in_folder(dir.path().join("state"));
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let log = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let record =
            sign(&trust_policy::statement(&one_operator(&key, &[TestResult::TYPE])).unwrap(), &key).unwrap().to_json();
        let mut ledger = Ledger::init_at(&place, &anchors, "example.org/bench", log, &[record], None, now()).unwrap();
        let mut made = 0;
        let mut size = 1000;
        while size <= largest {
            let mut row = |what: &str, spent: Duration| {
                println!("{server:<10} {what:<36} {size:>9}  {:>12.1} µs", spent.as_secs_f64() * 1e6);
                let name = format!("ledger of {size} on {server} and PostgreSQL: {what}");
                measured.insert(name, BTreeMap::from([("ours", spent.as_nanos())]));
            };
            let mut records = |ledger: &Ledger, count: u64| -> Vec<_> {
                made += count;
                let signed = (made - count..made).map(|n| sign(&statement(n), &key).unwrap().to_json());
                signed.map(|record| ledger.verify(&record, now()).unwrap()).collect()
            };
            while ledger.size() < size {
                let batch = records(&ledger, (size - ledger.size()).min(1000));
                ledger.append_all(&batch, now()).unwrap();
            }
            let mut content = 0_u64;
            // an attachment is one conditional write, beside the turn that is taken for it
            let write = timed(50, |_| {
                content += 1;
                drop(
                    ledger.attach_stream(&[&content.to_be_bytes()[..], &size.to_be_bytes()[..]].concat()[..]).unwrap(),
                );
            });
            row("one object written", write[25]);
            let one = records(&ledger, 100);
            let spent = timed(100, |n| drop(ledger.append(&one[n], now()).unwrap()));
            row("append, one writer", spent[50]);
            row("append, one writer, p99", spent[98]);
            let batch = records(&ledger, 1000);
            let spent = timed(1, |_| drop(ledger.append_all(&batch, now()).unwrap()));
            row("append, batch of 1,000, each", spent[0] / 1000);
            let mut reader = Ledger::open_at(&place, &anchors, &Pins::none(), None).unwrap();
            let proof = timed(100, |n| drop(reader.prove(n as u64 * 7919 % size).unwrap()));
            row("receipt from the bucket", proof[50]);
            let mut query = Query::everything();
            query.digest = Some(Digest::sha256(&500_u64.to_be_bytes()).to_string());
            query.limit = Some(20);
            assert!(!reader.search(&query).unwrap().records.is_empty());
            row("search, 20 rows, p99", timed(100, |_| drop(reader.search(&query).unwrap()))[98]);
            for (what, depth) in
                [("audit, entries and tiles", AuditDepth::Entries), ("audit, bodies as well", AuditDepth::Bodies)]
            {
                row(what, timed(1, |_| assert!(reader.audit_to(depth).unwrap().is_clean()))[0]);
            }
            size *= 10;
        }
    }
    let written = serde_json::to_vec_pretty(&measured).unwrap();
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/bucket.json"), written).unwrap();
}
