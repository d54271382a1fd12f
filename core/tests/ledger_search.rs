//! Searching: what the index answers is what a full scan finds, and an index that lies is refused or named.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod small;
mod world;

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use sealwright::digest::{Algorithm, Digest};
use sealwright::ledger::{AuditFindingKind, Entry, Ledger, LedgerRecord, Query};
use sealwright::predicate::{Predicate, TestKind, TestOutcome};
use sealwright::timestamp::Timestamp;
use small::{NOTE, Small, note, open};
use world::{World, artifact, dev, prod, staging};

/// Sets one key of a query.
type Set = fn(&mut Query, Option<String>);

const INDEX: &str = "index.sqlite";

/// A release that went all the way, a second artifact, other changes, and deployments that had no decision.
fn generated() -> World {
    let mut world = World::released(&artifact());
    for n in 0..6_u8 {
        let other = Digest::sha256(&[n % 2]);
        world.tests(&other, if n % 3 == 0 { TestKind::Unit } else { TestKind::Contract }, TestOutcome::Passed);
        world.provenance_of(&other, world::BUILDER, &format!("{n}").repeat(40)).unwrap();
        world.change_with(|change| change.change_id = format!("https://example.org/shop/changes/{}", 17 + n % 3));
        let environment = [dev(), staging(), prod()][usize::from(n % 3)].clone();
        let mut deploy = world.deployment(&other, &environment);
        deploy.release_id = format!("shop-1.{}.0", n % 2);
        world.deploy(deploy, None, None).unwrap();
    }
    world
}

/// All records, by reading one after the other.
fn scan(ledger: &Ledger) -> Vec<LedgerRecord> {
    (0..ledger.size()).map(|index| ledger.record(index).unwrap()).collect()
}

/// What a full scan says of a query, without any code of the search.
fn scanned(all: &[LedgerRecord], query: &Query) -> Vec<u64> {
    let tagged = |entry: &Entry, tag: &str, wanted: &Option<String>| {
        wanted.as_deref().is_none_or(|value| entry.tag(tag).any(|v| v == value))
    };
    all.iter()
        .filter(|record| {
            let (entry, statement) = (&record.entry, record.statement());
            assert!(!entry.has_more_tags());
            let mut commits: Vec<String> =
                entry.tag("subject").filter_map(|s| s.strip_prefix("gitCommit:").map(str::to_owned)).collect();
            if let Ok(Predicate::Provenance(p)) = statement.predicate() {
                let sources = p.build_definition.resolved_dependencies.into_iter().filter_map(|s| s.digest);
                commits.extend(sources.filter_map(|d| d.get(Algorithm::GitCommit)).map(|d| d.hex()));
            }
            tagged(entry, "release", &query.release)
                && tagged(entry, "subject", &query.digest)
                && tagged(entry, "environment", &query.environment)
                && tagged(entry, "service", &query.service)
                && tagged(entry, "change", &query.change)
                && tagged(entry, "kind", &query.kind)
                && query.commit.as_ref().is_none_or(|commit| commits.contains(commit))
                && query.predicate_type.as_deref().is_none_or(|t| t == entry.predicate_type)
                && query.since.is_none_or(|t| record.logged_at().unwrap() >= t)
                && query.until.is_none_or(|t| record.logged_at().unwrap() < t)
                && query.after.is_none_or(|after| record.index > after)
        })
        .map(|record| record.index)
        .collect()
}

/// One of the values that occur, or one that does not, or none; none most often, so that combinations find something.
fn maybe(mut values: Vec<String>) -> impl Strategy<Value = Option<String>> {
    values.sort();
    values.dedup();
    values.push("nothing of this name' OR 1=1".to_owned());
    prop_oneof![10 => Just(None), 2 => select(values).prop_map(Some)]
}

fn queries(all: &[LedgerRecord]) -> impl Strategy<Value = Query> + use<> {
    let tags = |name: &'static str| -> Vec<String> {
        all.iter().flat_map(|r| r.entry.tag(name).map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    let commits = (0..6).map(|n| n.to_string().repeat(40)).collect();
    let types = all.iter().map(|r| r.entry.predicate_type.clone()).collect();
    let times: Vec<Timestamp> = all.iter().map(|r| r.logged_at().unwrap()).collect();
    let time = || prop_oneof![5 => Just(None), 1 => select(times.clone()).prop_map(Some)];
    let size = all.len() as u64;
    let keys = (
        maybe(tags("release")),
        maybe(commits),
        maybe(tags("subject")),
        maybe(tags("environment")),
        maybe(tags("service")),
        maybe(tags("change")),
        maybe(tags("kind")),
        maybe(types),
    );
    let after = prop_oneof![8 => Just(None), 2 => (0..size + 2).prop_map(Some), 1 => Just(Some(u64::MAX))];
    let limit = prop_oneof![3 => Just(None), 1 => (1..8_usize).prop_map(Some)];
    (keys, time(), time(), after, limit).prop_map(|(keys, since, until, after, limit)| {
        let mut query = Query::everything();
        (query.release, query.commit, query.digest, query.environment) = (keys.0, keys.1, keys.2, keys.3);
        (query.service, query.change, query.kind, query.predicate_type) = (keys.4, keys.5, keys.6, keys.7);
        (query.since, query.until, query.after, query.limit) = (since, until, after, limit);
        query
    })
}

#[test]
fn s005_an_answer_of_the_index_is_what_a_full_scan_finds() {
    let world = generated();
    let all = scan(&world.ledger);
    let strategy = queries(&all);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let found_some = std::cell::Cell::new(0);
    runner
        .run(&strategy, |query| {
            let expected = scanned(&all, &query);
            let limit = query.limit.unwrap_or(100);
            let found = world.ledger.search(&query).unwrap();
            let indexes: Vec<_> = found.records.iter().map(|r| r.index).collect();
            prop_assert_eq!(&indexes[..], &expected[..expected.len().min(limit)]);
            prop_assert_eq!(found.more, expected.len() > limit);
            prop_assert_eq!(found.size, all.len() as u64);
            found_some.set(found_some.get() + usize::from(!expected.is_empty()));
            Ok(())
        })
        .unwrap();
    let found_some = found_some.get();
    assert!(found_some > 40, "only {found_some} queries found anything: they prove too little");
}

#[test]
fn s005_each_key_alone_finds_something_and_pages_join_to_the_whole() {
    let world = generated();
    let all = scan(&world.ledger);
    let first = |name: &str| all.iter().find_map(|r| r.entry.tag(name).next().map(str::to_owned));
    let sets: [(&str, Set); 6] = [
        ("release", |q, v| q.release = v),
        ("subject", |q, v| q.digest = v),
        ("environment", |q, v| q.environment = v),
        ("service", |q, v| q.service = v),
        ("change", |q, v| q.change = v),
        ("kind", |q, v| q.kind = v),
    ];
    for (name, set) in sets {
        let mut query = Query::everything();
        set(&mut query, first(name));
        let whole: Vec<_> = world.ledger.search(&query).unwrap().records.iter().map(|r| r.index).collect();
        assert!(!whole.is_empty(), "{name}");
        assert_eq!(whole, scanned(&all, &query), "{name}");
        query.limit = Some(2);
        let mut paged = Vec::new();
        loop {
            let page = world.ledger.search(&query).unwrap();
            paged.extend(page.records.iter().map(|r| r.index));
            if !page.more {
                break;
            }
            query.after = paged.last().copied();
        }
        assert_eq!(paged, whole, "{name}");
    }
    let mut query = Query::everything();
    query.commit = Some(world::COMMIT.to_owned());
    assert!(world.ledger.search(&query).unwrap().records.len() > 2, "the change, its reviews and the provenance");
    query.limit = Some(10_001);
    assert_eq!(world.ledger.search(&query).unwrap_err().code(), "LIMIT_EXCEEDED");
}

#[test]
fn s004_an_index_that_is_lost_or_made_anew_gives_the_same_answers() {
    let world = generated();
    let query = Query::everything();
    let answers =
        |ledger: &Ledger| -> Vec<u64> { ledger.search(&query).unwrap().records.iter().map(|r| r.index).collect() };
    let before = answers(&world.ledger);
    assert_eq!(before.len() as u64, world.ledger.size());
    let index = world.folder().join(INDEX);
    std::fs::remove_file(&index).unwrap();
    assert_eq!(answers(&world.ledger), before);
    assert!(index.exists());
    world.ledger.rebuild_index().unwrap();
    assert_eq!(answers(&world.ledger), before);
    for damaged in [&b""[..], b"SQLite format 3\0", &[7; 5000]] {
        std::fs::write(&index, damaged).unwrap();
        assert_eq!(answers(&world.open().unwrap()), before);
    }
    assert!(world.open().unwrap().audit().unwrap().is_clean());
}

/// A small ledger with three notes and one test-result, its index spoiled by SQL.
fn spoiled(sql: &str) -> Small {
    let mut small = Small::new();
    for n in 0..3 {
        small.note(&format!("{n}"));
    }
    small.ledger.search(&Query::everything()).unwrap();
    let index = rusqlite::Connection::open(small.folder().join(INDEX)).unwrap();
    index.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    small
}

fn named_by_audit(dir: &Path) -> bool {
    let report = open(dir).unwrap().audit().unwrap();
    report.findings.iter().any(|f| f.kind == AuditFindingKind::IndexDiffers)
}

#[test]
fn s004_an_answer_that_does_not_prove_is_refused_and_audit_names_the_row() {
    let wanted = Digest::sha256(b"1");
    let other = Digest::sha256(b"2");
    let mut query = Query::everything();
    query.digest = Some(wanted.to_string());
    for sql in [
        // a row that points elsewhere, and one of a wrong tag
        "UPDATE key SET idx = 3 WHERE name = 'digest' AND idx = 2".to_owned(),
        format!("UPDATE key SET value = '{wanted}' WHERE value = '{other}'"),
        format!("INSERT INTO key VALUES ('digest', '{wanted}', 1)"),
    ] {
        let small = spoiled(&sql);
        assert!(named_by_audit(small.dir.path()), "{sql}");
        let refused = small.ledger.search(&query).unwrap_err();
        assert_eq!(refused.code(), "LEDGER_TAMPERED", "{sql}: {refused}");
    }
    let small = spoiled(&format!("UPDATE entry SET type = 'x', time = 0 WHERE type = '{NOTE}'"));
    assert!(named_by_audit(small.dir.path()));
    query = Query::everything();
    query.predicate_type = Some("x".to_owned());
    assert_eq!(small.ledger.search(&query).unwrap_err().code(), "LEDGER_TAMPERED");
}

#[test]
fn s004_hidden_and_invented_rows_are_named_and_nothing_of_them_is_believed() {
    for sql in [
        "DELETE FROM key WHERE idx = 2",
        "DELETE FROM entry WHERE idx = 2",
        "UPDATE entry SET payload = 'x' WHERE idx = 1",
        "UPDATE entry SET signer = 'x' WHERE idx = 1",
        "INSERT INTO key VALUES ('digest', 'x', 99)",
        "INSERT INTO entry VALUES (99, 0, 't', 'p', 's')",
        "INSERT INTO entry VALUES (-1, 0, 't', 'p', 's')",
        "CREATE TABLE other (x)",
        "CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM key; END",
        "DROP TABLE key; CREATE VIEW key AS SELECT 'digest' AS name, 'x' AS value, 1 AS idx",
    ] {
        let mut small = spoiled(sql);
        assert!(named_by_audit(small.dir.path()), "{sql}");
        // what is not in the log is never shown, and what comes after is found, whatever the index said before
        match small.ledger.search(&Query::everything()) {
            Ok(found) => assert!(found.records.len() >= 3 && found.records.iter().all(|r| r.index < 4), "{sql}"),
            Err(e) => assert_eq!(e.code(), "LEDGER_TAMPERED", "{sql}: {e}"),
        }
        let new = small.note("new");
        let mut query = Query::everything();
        query.digest = Some(Digest::sha256(b"new").to_string());
        let found = small.ledger.search(&query).unwrap();
        assert_eq!(found.records.iter().map(|r| r.index).collect::<Vec<_>>(), [new.index], "{sql}");
        small.ledger.rebuild_index().unwrap();
        assert!(!named_by_audit(small.dir.path()), "{sql}");
    }
}

#[test]
fn s004_an_index_never_swallows_an_append() {
    let payload = note("new").payload_digest();
    for sql in [
        format!("UPDATE entry SET payload = '{}' WHERE idx = 2", payload.hex()),
        format!("INSERT INTO entry SELECT 4, time, type, '{}', signer FROM entry WHERE idx = 2", payload.hex()),
    ] {
        let mut small = spoiled(&sql);
        let receipt = small.note("new");
        assert_eq!((receipt.index, receipt.already_there), (4, false), "{sql}");
        receipt.verify(&small.bytes(4), small.ledger.log_key()).unwrap();
    }
}

#[test]
fn an_index_with_a_query_without_end_does_not_hold_a_search_up() {
    let small = spoiled(
        "DROP TABLE entry; CREATE VIEW entry AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
         SELECT i AS idx, i AS time, '' AS type, '' AS payload, '' AS signer FROM n",
    );
    assert!(named_by_audit(small.dir.path()));
    assert_eq!(small.ledger.search(&Query::everything()).unwrap().records.len(), 4);
}
