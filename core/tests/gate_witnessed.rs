//! EV-LOG-002: decisions above dev of an organisation that is no single operator rest on a checkpoint that others saw.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, clippy::panic, reason = "tests")]

mod world;

use sealwright::checkpoint::WitnessKey;
use sealwright::gate::decide;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger, LogSource, Pins, Witness};
use sealwright::policy::{PolicyBundle, starter_bundle};
use sealwright::predicate::{Admin, CheckOutcome, TrustPolicy};
use sealwright::signer::sign;
use sealwright::{gate, json, trust_policy};
use world::*;

/// An organisation whose bundle is the starter's, for more than one operator.
struct Team {
    world: World,
    witnesses: Vec<Witness>,
}

impl Team {
    fn new(witnesses: usize, quorum: u64) -> Self {
        let mut document: serde_json::Value = serde_json::from_slice(&starter_bundle().unwrap()).unwrap();
        document["profile"]["singleOperator"] = false.into();
        let bytes = json::canonical("bundle", &document).unwrap();
        let bundle = PolicyBundle::parse(&bytes).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let keys = keys();
        let mut policy = trust_policy(&keys);
        policy.profile = gate::profile(&bundle);
        policy.policy_bundle = Some(gate::policy_descriptor(&bundle));
        policy.admins = ["admin", "reviewer"].map(|name| Admin { signer: name.to_owned() }).into();
        policy.threshold = 2;
        let signers = policy.signers.iter_mut().filter(|s| s.name == "reviewer");
        signers.for_each(|s| {
            s.predicate_types.push(<TrustPolicy as sealwright::predicate::PredicateType>::TYPE.to_owned());
        });
        let mut team = Vec::new();
        for number in 1..=witnesses {
            let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
            let name = format!("witness.example.org/w{number}");
            let public = WitnessKey::new(&name, key.public().clone()).unwrap();
            policy.witnesses.push(sealwright::predicate::Witness { name: name.clone(), key: public.to_string() });
            team.push(Witness::open(&dir.path().join(format!("witness-{number}")), &name, key).unwrap());
        }
        policy.quorum = quorum;
        let statement = trust_policy::statement(&policy).unwrap();
        let records: Vec<_> =
            ["admin", "reviewer"].iter().map(|name| sign(&statement, &keys[name]).unwrap().to_json()).collect();
        let now = START.parse().unwrap();
        let log_key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let anchors = Anchors::in_folder(dir.path().join("state"));
        let ledger = Ledger::init(&dir.path().join("ledger"), &anchors, ORIGIN, log_key, &records, now).unwrap();
        ledger.attach(&bytes).unwrap();
        Self { world: World { dir, ledger, keys, now }, witnesses: team }
    }

    fn cosign(&mut self, count: usize) {
        let known = self.world.ledger.log_key().clone();
        for witness in &self.witnesses[..count] {
            let source = LogSource::folder(self.world.folder());
            let cosigned = witness.cosign(&source, Some(&known), self.world.now).unwrap();
            self.world.ledger.keep_cosigned(cosigned.note().as_bytes()).unwrap();
        }
    }
}

fn log_002(decision: &gate::Decision) -> (CheckOutcome, String) {
    let check = decision.evaluation.checks.iter().find(|c| c.id == "EV-LOG-002").unwrap();
    (check.result, check.message.clone().unwrap_or_default())
}

#[test]
fn s003_above_dev_no_permit_without_witnesses_just_now_and_enough_of_them() {
    let mut team = Team::new(2, 2);
    team.world.build(&artifact());
    // into dev nobody else is asked
    team.world.go(&artifact(), &dev());
    let (request, now) = (team.world.request(&artifact(), &staging()), team.world.tick());
    let e = decide(&mut team.world.ledger, &request, &team.world.keys["records"], now).unwrap_err();
    assert_eq!(e.code(), "POLICY_UNDECIDED");
    assert!(e.message().contains("ledger witness"), "{e}");

    team.cosign(1);
    let decision = team.world.decide(&artifact(), &staging());
    assert_eq!(ids(&decision), ["EV-LOG-002"]);
    let (outcome, message) = log_002(&decision);
    assert_eq!(outcome, CheckOutcome::Failed);
    assert!(message.contains("by 1 witnesses of 2 needed"), "{message}");
    is_refusal(&mut team.world, &decision, &["EV-LOG-002"]);

    // the refusal itself was appended, so what was cosigned is not the newest any more
    team.cosign(2);
    team.world.now = team.world.now.plus_millis(299_000);
    let decision = team.world.decide(&artifact(), &staging());
    assert!(decision.passed(), "{:?}", ids(&decision));
    assert_eq!(log_002(&decision).0, CheckOutcome::Passed);
    let anchored = decision.evaluation.ledger_state.anchored_at.unwrap();
    assert_eq!(team.world.now.unix_millis() - anchored.unix_millis(), 300_000);
    let recorded = team.world.ledger.record(decision.receipt.index).unwrap();
    assert!(recorded.statement().predicate().is_ok());

    team.cosign(2);
    team.world.now = team.world.now.plus_millis(300_000);
    let decision = team.world.decide(&artifact(), &staging());
    assert_eq!(ids(&decision), ["EV-LOG-002"]);
    assert!(log_002(&decision).1.contains("over 5 minutes"), "{}", log_002(&decision).1);
    assert!(team.world.ledger.audit().unwrap().is_clean());
}

#[test]
fn s003_a_ledger_known_to_have_signed_two_histories_gives_no_permit_above_dev() {
    let mut world = for_staging();
    let forked = world.dir.path().join("forked");
    let copied = std::process::Command::new("cp").arg("-r").arg(world.folder()).arg(&forked).status().unwrap();
    assert!(copied.success());
    // whoever holds the log key shows another history to others
    let elsewhere = Anchors::in_folder(world.dir.path().join("elsewhere"));
    let mut other = Ledger::open(&forked, &elsewhere, &Pins::none()).unwrap().with_log_key(world.log_key()).unwrap();
    world.change();
    let now = world.tick();
    let request = world.request(&artifact(), &dev());
    decide(&mut other, &request, &world.keys["records"], now).unwrap();
    // one day the two meet
    assert_eq!(Ledger::open(&forked, &world.anchors(), &Pins::none()).unwrap_err().code(), "LEDGER_FORKED");
    assert_eq!(world.ledger.forks().unwrap().len(), 1);
    refuses(&mut world, &staging(), &["EV-LOG-001"]);
    assert!(world.decide(&artifact(), &dev()).passed(), "into dev nothing of it is asked");
}

#[test]
fn a_single_operator_is_asked_for_no_witness_and_still_says_when_one_saw_the_ledger() {
    let mut world = for_staging();
    let decision = world.decide(&artifact(), &staging());
    assert!(decision.passed());
    assert_eq!(decision.evaluation.ledger_state.anchored_at, None);
    assert!(decision.evaluation.checks.iter().all(|c| c.id != "EV-LOG-002"));
}
