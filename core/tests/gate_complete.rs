//! Hiding evidence never helps: what is taken from the index changes nothing, what is taken from the store refuses.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod world;

use proptest::strategy::{Just, Strategy as Generated};
use proptest::test_runner::{Config, TestRunner};
use proptest::{arbitrary::any, collection, prop_assert, prop_assert_eq, prop_oneof, sample};
use sealwright::digest::Digest;
use sealwright::gate::{Decision, decide};
use sealwright::predicate::*;
use sealwright::statement::Statement;
use world::*;

/// Staging would pass but for one record, whose entry is given.
fn refused_for(act: fn(&mut World)) -> (World, u64) {
    let mut world = World::new();
    world.build(&artifact());
    world.go(&artifact(), &dev());
    act(&mut world);
    let index = world.ledger.size() - 1;
    (world, index)
}

fn fail(world: &mut World) {
    world.tests(&artifact(), TestKind::Unit, TestOutcome::Failed);
}

fn dismiss(world: &mut World) {
    let is_review = |i: &u64| {
        let record = world.ledger.record(*i).unwrap();
        matches!(record.statement().predicate(), Ok(Predicate::Approval(a)) if a.stage == Stage::SourceReview)
    };
    let review = (0..world.ledger.size()).rev().find(is_review).unwrap();
    let payload = world.ledger.record(review).unwrap().statement().payload_digest();
    world
        .approve("reviewer", Stage::SourceReview, None, |a| {
            (a.decision, a.dismisses) = (ApprovalDecision::Dismissed, Some(RecordRef::to(&payload)));
        })
        .unwrap();
}

fn stricter(world: &mut World) {
    world.change_with(|c| (c.categories, c.risk_tier) = (vec![Category::SecuritySensitive], RiskTier::High));
}

fn reject(world: &mut World) {
    world.approve("reviewer", Stage::SourceReview, None, |a| a.decision = ApprovalDecision::Rejected).unwrap();
}

/// What is done, and the check that refuses because of it.
type Refused = (&'static str, fn(&mut World), &'static str);

const ACTS: [Refused; 4] = [
    ("a newer failing test", fail, "EV-TEST-001"),
    ("a dismissal", dismiss, "EV-SRC-001"),
    ("a stricter change", stricter, "EV-SRC-001"),
    ("a rejection", reject, "EV-SRC-001"),
];

fn ids(decision: &Decision) -> Vec<&str> {
    decision.refusals().map(|c| c.id.as_str()).collect()
}

/// Decides as another process would, which has nothing in memory.
fn decide_anew(world: &mut World) -> Decision {
    let request = world.request(&artifact(), &staging());
    let now = world.tick();
    let mut ledger = world.open().unwrap().with_log_key(world.log_key()).unwrap();
    decide(&mut ledger, &request, &world.keys["records"], now).unwrap()
}

fn sql(world: &World, statement: &str) {
    let index = rusqlite::Connection::open(world.folder().join("index.sqlite")).unwrap();
    index.execute_batch(statement).unwrap();
}

#[test]
fn hiding_a_record_from_the_index_changes_no_decision() {
    for (what, act, check) in ACTS {
        for forge in [
            "DELETE FROM entry WHERE idx = {}; DELETE FROM key WHERE idx = {};",
            "UPDATE key SET value = 'x' || value WHERE idx = {};",
            "UPDATE entry SET payload = '00', type = 'https://example.org/harmless' WHERE idx = {};",
        ] {
            let (mut world, index) = refused_for(act);
            sql(&world, &forge.replace("{}", &index.to_string()));
            let decision = decide_anew(&mut world);
            assert!(ids(&decision).contains(&check) && !decision.passed(), "{what}: {:?}", ids(&decision));
        }
        let (mut world, _) = refused_for(act);
        std::fs::remove_file(world.folder().join("index.sqlite")).unwrap();
        assert!(ids(&decide_anew(&mut world)).contains(&check), "{what}");
    }
}

#[test]
fn a_record_taken_from_the_store_refuses() {
    for (what, act, _) in ACTS {
        let (mut world, index) = refused_for(act);
        std::fs::remove_file(world.folder().join(body_name(index))).unwrap();
        let decision = decide_anew(&mut world);
        assert_eq!(ids(&decision), ["EV-LOG-001"], "{what}");
        let message = decision.refusals().next().unwrap().message.as_deref().unwrap();
        assert!(message.contains(&format!("entry {index} has no record")), "{what}: {message}");
    }
}

#[test]
fn a_record_replaced_in_the_store_refuses() {
    for (what, act, _) in ACTS {
        let (mut world, index) = refused_for(act);
        let folder = world.folder();
        // by a record that the same ledger holds elsewhere, by nothing, and by one edited
        let other = std::fs::read(folder.join(body_name(1))).unwrap();
        let mut edited = std::fs::read(folder.join(body_name(index))).unwrap();
        let last = edited.len() - 3;
        edited[last] ^= 1;
        for body in [other, Vec::new(), vec![0; 40], edited] {
            std::fs::write(folder.join(body_name(index)), body).unwrap();
            let decision = decide_anew(&mut world);
            let found = ids(&decision);
            assert!(found == ["EV-SIG-001"] || found == ["EV-LOG-001"], "{what}: {found:?}");
        }
    }
}

#[test]
fn entries_cut_off_moved_or_relabelled_end_the_gate() {
    let (mut world, _) = refused_for(fail);
    let request = world.request(&artifact(), &staging());
    let entries = world.folder().join("tile/entries/000.p").join(world.ledger.size().to_string());
    let bytes = std::fs::read(&entries).unwrap();
    let failed = "\"control\":true";
    let text = String::from_utf8_lossy(&bytes).replace(failed, "\"control\":null");
    for edited in [bytes[..bytes.len() - 40].to_vec(), text.into_bytes()] {
        assert_ne!(edited, bytes);
        std::fs::write(&entries, edited).unwrap();
        let now = world.tick();
        let mut ledger = match world.open() {
            Ok(ledger) => ledger.with_log_key(world.log_key()).unwrap(),
            Err(e) => {
                assert_eq!(e.code(), "LEDGER_TAMPERED");
                continue;
            }
        };
        let e = decide(&mut ledger, &request, &world.keys["records"], now).unwrap_err();
        assert_eq!(e.code(), "LEDGER_TAMPERED", "{e}");
    }
}

/// What may happen in a small ledger.
#[derive(Clone, Copy, Debug)]
enum Act {
    Change,
    StricterChange,
    Review,
    Reject,
    Provenance,
    Sbom,
    EmptySbom,
    Test(TestKind, TestOutcome),
    TestOfCommit(TestOutcome),
    Deploy,
    OtherArtifact,
}

fn act() -> impl Generated<Value = Act> {
    let kind = sample::select(vec![TestKind::Unit, TestKind::Integration, TestKind::Contract]);
    let result = sample::select(vec![TestOutcome::Passed, TestOutcome::Passed, TestOutcome::Failed]);
    prop_oneof![
        Just(Act::Change),
        Just(Act::StricterChange),
        Just(Act::Review),
        Just(Act::Reject),
        Just(Act::Provenance),
        Just(Act::Sbom),
        Just(Act::EmptySbom),
        (kind, result.clone()).prop_map(|(k, r)| Act::Test(k, r)),
        result.prop_map(Act::TestOfCommit),
        Just(Act::Deploy),
        Just(Act::OtherArtifact),
    ]
}

fn perform(world: &mut World, act: Act) {
    match act {
        Act::Change => drop(world.change()),
        Act::StricterChange => stricter(world),
        Act::Review => drop(world.review()),
        Act::Reject => reject(world),
        Act::Provenance => drop(world.provenance(&artifact())),
        Act::Sbom => drop(world.sbom(&artifact())),
        Act::EmptySbom => drop(world.sbom_with(&artifact(), "[]")),
        Act::Test(kind, result) => drop(world.tests(&artifact(), kind, result)),
        Act::TestOfCommit(result) => {
            let mut test = test_result(world, result);
            test.test_kind = Some(TestKind::Unit);
            let statement = Statement::new(vec![world.revision()], &test).unwrap();
            world.record("tester", &statement).unwrap();
        }
        Act::Deploy => {
            let deploy = world.deployment(&artifact(), &dev());
            world.deploy(deploy, None, None).unwrap();
        }
        Act::OtherArtifact => drop(world.tests(&Digest::sha256(b"other"), TestKind::Unit, TestOutcome::Failed)),
    }
}

#[test]
fn taking_any_one_record_from_the_store_never_turns_a_refusal_into_a_pass() {
    // half of the ledgers begin with all that staging asks for, so that passes are seen, too
    let ledgers = (any::<bool>(), collection::vec(act(), 0..5));
    let mut runner = TestRunner::new(Config { cases: 12, failure_persistence: None, ..Config::default() });
    runner
        .run(&ledgers, |(good, acts)| {
            let mut world = World::new();
            if good {
                world.build(&artifact());
                perform(&mut world, Act::Deploy);
            }
            for act in acts {
                perform(&mut world, act);
            }
            let size = world.ledger.size();
            let whole = decide_anew(&mut world);
            let used: Vec<u64> = whole
                .evaluation
                .input_attestations
                .iter()
                .filter_map(|r| r.annotations.as_ref()?.ledger_index)
                .collect();
            // entry 0 is the trust policy, without which no ledger opens
            for index in 1..size {
                let body = world.folder().join(body_name(index));
                let bytes = std::fs::read(&body).unwrap();
                std::fs::remove_file(&body).unwrap();
                let decision = decide_anew(&mut world);
                if used.contains(&index) {
                    prop_assert!(ids(&decision).contains(&"EV-LOG-001"), "entry {index}: {:?}", ids(&decision));
                }
                prop_assert!(whole.passed() || !decision.passed(), "entry {index}");
                std::fs::write(&body, bytes).unwrap();
            }
            prop_assert_eq!(decide_anew(&mut world).passed(), whole.passed());
            Ok(())
        })
        .unwrap();
}
