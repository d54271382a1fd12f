//! The golden ledgers of format version 1, which every later version reads: root, proofs, records and answers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod small;

use std::path::{Path, PathBuf};

use sealwright::digest::{Algorithm, Digest};
use sealwright::encryption::KeyFile;
use sealwright::ledger::{Anchored, Anchors, Ledger, Pins, Query};
use serde_json::Value;
use small::{copy, read, tempdir};

/// The plain one, and the encrypted one with its key.
const GOLDEN: [&str; 2] = ["ledger-v1", "ledger-encrypted-v1"];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures").join(name)
}

fn expected(name: &str) -> Value {
    serde_json::from_slice(&read(golden(name).join("expected.json"))).unwrap()
}

/// A copy that can be written to, opened with all that is known of it.
fn opened(name: &str) -> (tempfile::TempDir, Ledger) {
    let dir = tempdir();
    copy(&golden(name), dir.path());
    let expected = expected(name);
    let mut pins = Pins::none();
    pins.log_key = Some(expected["logKey"].as_str().unwrap().parse().unwrap());
    pins.trust_policy = Some(expected["trustPolicy"].as_str().unwrap().parse().unwrap());
    pins.min_checkpoint = Some(expected["checkpoint"].as_str().unwrap().as_bytes().to_vec());
    let anchors = Anchors::in_folder(dir.path().join("anchors"));
    let (folder, key) = (dir.path().join("ledger"), dir.path().join("kek.json"));
    let ledger = match key.exists() {
        true => Ledger::open_encrypted(&folder, &anchors, &pins, &KeyFile::parse(&read(key), None).unwrap()),
        false => Ledger::open(&folder, &anchors, &pins),
    };
    (dir, ledger.unwrap())
}

#[test]
fn the_golden_ledgers_of_version_1_open_prove_and_answer_as_when_they_were_written() {
    GOLDEN.into_iter().for_each(opens_proves_and_answers);
}

fn opens_proves_and_answers(name: &str) {
    let expected = expected(name);
    let (_dir, mut ledger) = opened(name);
    assert_eq!(ledger.is_encrypted(), name == GOLDEN[1]);
    assert_eq!(ledger.anchored(), Anchored::Extends);
    assert_eq!(ledger.origin(), expected["origin"].as_str().unwrap());
    assert_eq!(ledger.size(), expected["size"].as_u64().unwrap());
    assert_eq!(ledger.checkpoint().checkpoint().root().to_string(), expected["root"].as_str().unwrap());
    assert_eq!(ledger.checkpoint().note(), expected["checkpoint"].as_str().unwrap());
    for record in expected["records"].as_array().unwrap() {
        let found = ledger.record(record["index"].as_u64().unwrap()).unwrap();
        assert_eq!(found.statement().payload_digest().to_string(), record["payload"].as_str().unwrap());
        assert_eq!(found.speaker.signer, record["signer"].as_str().unwrap());
    }
    for index in 0..ledger.size() {
        let record = ledger.record(index).unwrap();
        ledger.prove(index).unwrap().verify(record.verified.record(), ledger.log_key()).unwrap();
    }
    let attachment: Digest = expected["attachment"].as_str().unwrap().parse().unwrap();
    assert_eq!(attachment.algorithm(), Algorithm::Sha256);
    assert_eq!(ledger.attachment(&attachment).unwrap(), b"<testsuite/>");
    let report = ledger.audit().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
}

#[test]
fn s004_the_golden_ledgers_give_the_same_answers_by_their_index_and_by_their_log() {
    GOLDEN.into_iter().for_each(answers_by_index_and_log);
}

fn answers_by_index_and_log(name: &str) {
    let expected = expected(name);
    let (_dir, ledger) = opened(name);
    for rebuilt in [false, true] {
        if rebuilt {
            ledger.rebuild_index().unwrap();
        }
        for case in expected["search"].as_array().unwrap() {
            let query: Query = serde_json::from_value(case["query"].clone()).unwrap();
            let right: Vec<u64> = serde_json::from_value(case["indexes"].clone()).unwrap();
            let found = ledger.search(&query).unwrap();
            assert_eq!(found.records.iter().map(|r| r.index).collect::<Vec<_>>(), right, "{}", case["query"]);
            assert_eq!(found.more, case["more"].as_bool().unwrap());
            let complete = ledger.complete(&query).unwrap();
            assert_eq!(complete.records.iter().map(|r| r.index).collect::<Vec<_>>(), right, "{}", case["query"]);
            assert_eq!((complete.more, complete.size), (found.more, ledger.size()));
        }
    }
}

/// The receipt, read without any code of the ledger.
#[test]
fn a_receipt_of_version_1_verifies_by_itself() {
    GOLDEN.into_iter().for_each(receipt_verifies);
}

fn receipt_verifies(name: &str) {
    let expected = expected(name);
    let receipt = &expected["receipt"]["receipt"];
    let entry = receipt["entry"].as_str().unwrap();
    let key = expected["logKey"].as_str().unwrap().parse().unwrap();
    let proof = sealwright::checkpoint::TlogProof::parse_and_verify(
        receipt["proof"].as_str().unwrap().as_bytes(),
        &sealwright::merkle::leaf_hash(entry.as_bytes()),
        &key,
    )
    .unwrap();
    assert_eq!(proof.index(), expected["receipt"]["index"].as_u64().unwrap());
    let (_dir, ledger) = opened(name);
    assert_eq!(
        ledger.record(proof.index()).unwrap().verified.record(),
        expected["receipt"]["record"].as_str().unwrap().as_bytes()
    );
}
