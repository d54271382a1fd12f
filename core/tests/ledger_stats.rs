//! What a ledger says of itself: complete answers, figures, attachments of any length.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod small;
mod world;

use std::io::Read;

use sealwright::digest::{Digest, DigestSet};
use sealwright::ledger::{AuditDepth, AuditFindingKind, Query};
use sealwright::predicate::{PredicateType as _, TestKind, TestOutcome, TestResult};
use small::{Small, files};
use world::{World, artifact};

#[test]
fn s132_the_figures_are_those_of_the_files() {
    let mut world = World::released(&artifact());
    world.ledger.attach(&[7; 5000]).unwrap();
    world.tests(&artifact(), TestKind::Unit, TestOutcome::Passed);
    assert!(world.ledger.audit().unwrap().is_clean(), "nothing is left in the journal");
    let now = world.now.plus_millis(40 * 86_400_000);
    let stats = world.ledger.stats(now).unwrap();
    let size = |prefix: &str| -> u64 {
        let names = files(&world.folder()).into_iter().filter(|n| n.starts_with(prefix) && !n.starts_with("index"));
        names.map(|name| std::fs::metadata(world.folder().join(name)).unwrap().len()).sum()
    };
    assert_eq!(stats.bytes, size(""));
    assert_eq!(stats.tile_bytes, size("tile/"));
    assert_eq!(stats.body_bytes, size("bodies/"));
    assert_eq!(stats.attachment_bytes, size("attachments/"));
    assert_eq!(stats.types.values().map(|held| held.bytes).sum::<u64>(), stats.body_bytes);
    assert_eq!(stats.types.values().map(|held| held.records).sum::<u64>(), world.ledger.size());
    assert_eq!(stats.ages.iter().map(|aged| aged.held.bytes).sum::<u64>(), stats.body_bytes);
    assert_eq!((stats.ages[0].held.bytes, stats.ages[1].held.bytes), (0, stats.body_bytes), "40 days are under 90");
    // the same numbers in the other format
    let text = stats.to_prometheus();
    let value = |name: &str| -> u64 {
        let line = text.lines().find(|line| line.starts_with(&format!("sealwright_ledger_{name}{{"))).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!((value("entries"), value("bytes")), (stats.size, stats.bytes));
    assert_eq!((value("body_bytes"), value("attachment_bytes")), (stats.body_bytes, stats.attachment_bytes));
    let sum: u64 = text
        .lines()
        .filter(|line| line.starts_with("sealwright_ledger_record_bytes{"))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(sum, stats.body_bytes);
    assert!(stats.evidence_latency.values().any(|latency| latency.count > 0));
    // a body that is gone is told apart
    std::fs::remove_file(world.folder().join(world::body_name(3))).unwrap();
    let less = world.ledger.stats(now).unwrap();
    assert_eq!(less.types.values().map(|held| held.without_body).sum::<u64>(), 1);
}

#[test]
fn s011_evidence_that_comes_late_raises_the_latency_of_its_type() {
    let mut world = World::new();
    assert!(!world.ledger.stats(world.now).unwrap().evidence_latency.contains_key(TestResult::TYPE));
    // each is logged a second later, at the next tick of the world
    let mut record = |millis: i64| {
        let finished = world.now.plus_millis(1000 - millis);
        world.tests_with(&artifact(), |t| (t.test_kind, t.finished_at) = (Some(TestKind::Unit), Some(finished)));
        world.ledger.stats(world.now).unwrap().evidence_latency[TestResult::TYPE].clone()
    };
    for millis in [0, 500, 2_000] {
        assert_eq!((record(millis).max, record(millis + 1).late), (millis, 0));
    }
    let prompt = record(2_500);
    assert_eq!((prompt.count, prompt.late, prompt.max), (7, 0, 2_500));
    let late = record(90_000_000);
    assert_eq!((late.count, late.late, late.max, late.p99), (8, 1, 90_000_000, 90_000_000));
    assert_eq!(late.at_most, [4, 7, 7, 7, 8], "up to a second, a minute, an hour, a day, a week");
    // an event that is said to be after its entry is no latency
    let ahead = record(-600_000);
    assert_eq!((ahead.count, ahead.out_of_order, ahead.max), (8, 1, 90_000_000));
    // and the same in the other format
    let text = world.ledger.stats(world.now).unwrap().to_prometheus();
    let bucket = |bound: &str| {
        let labels = format!("type=\"{}\",le=\"{bound}\"}} ", TestResult::TYPE);
        let line = text.lines().find(|line| line.contains("evidence_latency_seconds_bucket") && line.contains(&labels));
        line.unwrap_or_else(|| panic!("{bound}: {text}")).rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!((bucket("1.000"), bucket("604800.000"), bucket("+Inf")), (4, 8, 8));
}

#[test]
fn a_complete_answer_does_not_ask_the_index_and_says_what_has_no_body() {
    let world = World::released(&artifact());
    let mut query = Query::everything();
    query.digest = Some(artifact().to_string());
    query.kind = Some("test.unit".to_owned());
    let found = world.ledger.search(&query).unwrap();
    let indexes: Vec<u64> = found.records.iter().map(|r| r.index).collect();
    assert!(!indexes.is_empty());
    // the index hides all of it
    let index = rusqlite::Connection::open(world.folder().join("index.sqlite")).unwrap();
    index.execute_batch("DELETE FROM key WHERE name = 'kind'").unwrap();
    assert!(world.ledger.search(&query).unwrap().records.is_empty());
    let complete = world.ledger.complete(&query).unwrap();
    assert_eq!(complete.records.iter().map(|r| r.index).collect::<Vec<_>>(), indexes);
    assert_eq!((complete.size, complete.root), (world.ledger.size(), *world.ledger.checkpoint().checkpoint().root()));
    assert!(!complete.more && complete.without_body.is_empty());
    let mut page = query.clone();
    page.limit = Some(0);
    assert!(world.ledger.complete(&page).unwrap().more);
    std::fs::remove_file(world.folder().join(world::body_name(indexes[0]))).unwrap();
    let complete = world.ledger.complete(&query).unwrap();
    assert_eq!(complete.without_body, indexes[..1]);
    assert_eq!(complete.records.len(), indexes.len() - 1);
}

/// Bytes that come one by one out of nothing.
struct Endless(u64);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = buffer.len().min(usize::try_from(self.0).unwrap());
        buffer[..read].fill(7);
        self.0 -= read as u64;
        Ok(read)
    }
}

#[test]
fn an_attachment_is_streamed_in_and_out_and_a_changed_one_fails_at_its_end() {
    let small = Small::new();
    let size = 20 * 1024 * 1024 + 3;
    let digest = small.ledger.attach_stream(Endless(size)).unwrap();
    let right = DigestSet::of_reader(&mut Endless(size), &[digest.algorithm()]).unwrap();
    assert!(right.contains(&digest));
    let mut reader = small.ledger.attachment_stream(&digest).unwrap();
    assert_eq!(reader.size(), size);
    assert_eq!(std::io::copy(&mut reader, &mut std::io::sink()).unwrap(), size);
    let file = small.folder().join("attachments").join(digest.hex());
    let mut bytes = small::read(&file);
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let refused = small.ledger.attachment_stream(&digest).unwrap().check().unwrap_err();
    assert_eq!(refused.code(), "LEDGER_TAMPERED");
    assert_eq!(small.ledger.attachment_stream(&Digest::sha256(b"none")).unwrap_err().code(), "NOT_FOUND");
}

#[test]
fn a_source_that_fails_leaves_no_attachment() {
    struct Broken(Endless);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the line went dead")),
                read => Ok(read),
            }
        }
    }
    let small = Small::new();
    let before = files(&small.folder());
    assert_eq!(small.ledger.attach_stream(Broken(Endless(1_000_000))).unwrap_err().code(), "IO");
    assert_eq!(files(&small.folder()), before);
}

#[test]
fn an_audit_goes_as_deep_as_it_is_asked_to() {
    let mut small = Small::new();
    for n in 0..3 {
        small.note(&format!("{n}"));
    }
    let mut told = Vec::new();
    let clean =
        small.ledger.audit_with(AuditDepth::Everything, &mut |progress| told.push((progress.done, progress.of)));
    assert!(clean.unwrap().is_clean());
    small.ledger.rebuild_index_with(&mut |progress| told.push((progress.done, progress.of))).unwrap();
    assert_eq!(told, [(4, 4), (4, 4)]);
    let body = small.folder().join("bodies/002");
    let mut bytes = small::read(&body);
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&body, bytes).unwrap();
    std::fs::write(small.folder().join("note.txt"), "more").unwrap();
    let mut kinds = |depth| {
        let report = small.ledger.audit_to(depth).unwrap();
        assert_eq!(report.depth, depth);
        report.findings.iter().map(|f| f.kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds(AuditDepth::Entries), []);
    assert_eq!(kinds(AuditDepth::Bodies), [AuditFindingKind::BodyTampered]);
    assert_eq!(kinds(AuditDepth::Everything), [AuditFindingKind::UnexpectedFile, AuditFindingKind::BodyTampered]);
}
