//! What a permit is worth: one promotion and one deployment, of this digest, here, soon, and only if nothing changed.
//! All of it is refused by the ledger itself, whoever calls it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod world;

use sealwright::digest::Digest;
use sealwright::error::Result;
use sealwright::gate::{Decision, Permit};
use sealwright::predicate::*;
use sealwright::release::{self, Deploy};
use sealwright::statement::Statement;
use world::*;

const HOUR: i64 = 3_600_000;

/// A world in which everything is there for dev and staging, and the artifact runs in dev.
fn ready() -> World {
    let mut world = World::new();
    world.build(&artifact());
    world.go(&artifact(), &dev());
    world
}

fn refused<T: std::fmt::Debug>(result: Result<T>) -> String {
    let e = result.unwrap_err();
    assert_eq!(e.code(), "PERMIT_REFUSED", "{e}");
    e.message().to_owned()
}

/// A promotion record as anybody with the right key could write it, without the library's own calls.
fn promotion(world: &World, decision: &Digest, artifact: &Digest, to: &Environment) -> Statement {
    let promotion = Promotion {
        nonce: nonce().unwrap(),
        release_id: RELEASE.to_owned(),
        from: None,
        to: to.clone(),
        decision: RecordRef::to(decision),
        approvals: vec![],
        previous_promotion: None,
        promoted_by: world.actor("records"),
        promoted_at: world.now,
        relocation: None,
    };
    Statement::new(vec![world.subject(artifact)], &promotion).unwrap()
}

#[test]
fn s088_one_decision_is_one_promotion_and_one_deployment() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    let promoted = world.promote(&permit).unwrap();
    assert!(refused(world.promote(&permit)).contains("spent by an earlier promotion"));
    let deploy = world.deployment(&artifact(), &staging());
    world.deploy(deploy, Some(&permit), Some(&promoted.payload)).unwrap();
    let other = world.deployment(&artifact(), &staging());
    let message = refused(world.deploy(other, Some(&permit), Some(&promoted.payload)));
    assert!(message.contains("spent by an earlier deployment"), "{message}");
}

#[test]
fn later_records_of_the_same_deployment_are_no_new_use() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    let promoted = world.promote(&permit).unwrap();
    let mut started = world.deployment(&artifact(), &staging());
    (started.status, started.finished_at) = (DeploymentStatus::Started, None);
    let mut finished = started.clone();
    world.deploy(started, Some(&permit), Some(&promoted.payload)).unwrap();
    // late, and after a failing test: what happened is recorded all the same
    world.tests(&artifact(), TestKind::Unit, TestOutcome::Failed);
    world.now = world.now.plus_millis(5 * HOUR);
    (finished.status, finished.finished_at) = (DeploymentStatus::Failed, Some(world.now));
    world.deploy(finished.clone(), Some(&permit), Some(&promoted.payload)).unwrap();
    // but not as another artifact, or elsewhere
    finished.artifacts = vec![world.subject(&Digest::sha256(b"other"))];
    assert!(refused(world.deploy(finished, Some(&permit), Some(&promoted.payload))).contains("another digest"));
}

#[test]
fn s088_a_decision_is_for_one_digest_and_one_environment() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    let other = Digest::sha256(b"other");
    let second = Environment::new("urn:example:env:staging-2", EnvironmentClass::Staging);
    let same_name = Environment::new(staging().id, EnvironmentClass::Prod);
    for (artifact, environment, why) in [
        (&other, &staging(), "for another digest"),
        (&artifact(), &second, "not for `urn:example:env:staging-2`"),
        (&artifact(), &prod(), "not for `urn:example:env:prod`"),
        (&artifact(), &same_name, "(staging), not for `urn:example:env:staging` (prod)"),
    ] {
        let statement = promotion(&world, permit.decision(), artifact, environment);
        let message = refused(world.record("records", &statement));
        assert!(message.contains(why), "{message}");
    }
    // two artifacts for the decision of one
    let two = Statement::new(
        vec![world.subject(&artifact()), world.subject(&other)],
        &promotion(&world, permit.decision(), &artifact(), &staging()).predicate_as::<Promotion>().unwrap(),
    );
    assert!(refused(world.record("records", &two.unwrap())).contains("another digest"));
    world.promote(&permit).unwrap();
}

#[test]
fn a_pass_into_dev_cannot_be_spent_on_the_same_name_called_prod() {
    let mut world = World::new();
    world.build(&artifact());
    let as_dev = Environment::new(prod().id, EnvironmentClass::Dev);
    let permit = world.permit(&artifact(), &as_dev);
    let statement = promotion(&world, permit.decision(), &artifact(), &prod());
    assert!(refused(world.record("records", &statement)).contains("(dev), not for `urn:example:env:prod` (prod)"));
    let deploy = world.deployment(&artifact(), &prod());
    let some = Digest::sha256(b"some promotion");
    assert!(refused(world.deploy(deploy, Some(&permit), Some(&some))).contains("(dev), not for"));
}

#[test]
fn a_decision_counts_a_day_into_dev_and_four_hours_above_and_not_a_second_longer() {
    for (environment, hours) in [(dev(), 24), (staging(), 4)] {
        for late in [0, 1000] {
            let mut world = ready();
            let permit = world.permit(&artifact(), &environment);
            // `promote` is another second later
            world.now = world.now.plus_millis(hours * HOUR - 1000 + late);
            match late {
                0 => drop(world.promote(&permit).unwrap()),
                _ => assert!(refused(world.promote(&permit)).contains(&format!("counts for {} min", hours * 60))),
            }
        }
    }
}

#[test]
fn what_is_logged_after_the_decision_and_could_change_it_voids_the_permit() {
    type Act = fn(&mut World);
    let acts: [(&str, Act); 9] = [
        ("a failing test", |w| drop(w.tests(&artifact(), TestKind::Unit, TestOutcome::Failed))),
        ("a failing test of the source alone", |w| {
            let mut failed = test_result(w, TestOutcome::Failed);
            failed.test_kind = Some(TestKind::Contract);
            let statement = Statement::new(vec![w.revision()], &failed).unwrap();
            drop(w.record("tester", &statement).unwrap());
        }),
        ("a rejection", |w| {
            let to = staging();
            w.approve("release-manager", Stage::Promotion, Some(&artifact()), |a| {
                (a.environment, a.decision) = (Some(to), ApprovalDecision::Rejected);
            })
            .unwrap();
        }),
        ("a dismissed review", |w| {
            let review = RecordRef::to(&Digest::sha256(b"any"));
            w.approve("reviewer", Stage::SourceReview, None, |a| {
                (a.decision, a.dismisses) = (ApprovalDecision::Dismissed, Some(review));
            })
            .unwrap();
        }),
        ("a stricter change", |w| drop(w.change_with(|c| c.risk_tier = RiskTier::Critical))),
        ("another trust policy", |w| drop(w.change_trust_policy(|_| {}).unwrap())),
        ("a refused decision", |w| drop(w.decide(&artifact(), &prod()))),
        ("a deployment without a decision", |w| {
            let deploy = w.deployment(&artifact(), &staging());
            drop(w.deploy(deploy, None, None).unwrap());
        }),
        ("a deployment of another digest of the release elsewhere", |w| {
            let elsewhere = Environment::new("urn:example:env:lab", EnvironmentClass::Dev);
            let mut deploy = w.deployment(&Digest::sha256(b"rebuilt"), &elsewhere);
            deploy.change_ids = vec!["https://example.org/other/changes/1".to_owned()];
            drop(w.deploy(deploy, None, None).unwrap());
        }),
    ];
    for (what, act) in acts {
        let mut world = ready();
        let permit = world.permit(&artifact(), &staging());
        act(&mut world);
        let statement = promotion(&world, permit.decision(), &artifact(), &staging());
        let message = refused(world.record("records", &statement));
        assert!(message.starts_with("since the decision, a record of type"), "{what}: {message}");
    }
}

#[test]
fn what_is_about_something_else_or_harmless_leaves_the_permit_be() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    world.tests(&artifact(), TestKind::Unit, TestOutcome::Passed);
    let other = Digest::sha256(b"of another team");
    let mut failed = test_result(&world, TestOutcome::Failed);
    failed.test_kind = Some(TestKind::Unit);
    let subject = sealwright::artifact::ResourceDescriptor::of(other);
    world.record("tester", &Statement::new(vec![subject], &failed).unwrap()).unwrap();
    world.promote(&permit).unwrap();
}

#[test]
fn a_control_record_between_promotion_and_deployment_stops_the_deployment() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    let promoted = world.promote(&permit).unwrap();
    world.tests(&artifact(), TestKind::Integration, TestOutcome::Failed);
    let deploy = world.deployment(&artifact(), &staging());
    assert!(refused(world.deploy(deploy.clone(), Some(&permit), Some(&promoted.payload))).contains("decide again"));
    // it can be recorded without a decision, and is a gap from then on
    world.deploy(deploy, None, None).unwrap();
}

#[test]
fn what_was_logged_while_the_gate_decided_voids_the_permit_too() {
    let mut world = ready();
    let decision = world.decide(&artifact(), &staging());
    // the same decision, as a gate would have recorded it that saw the ledger before the failing test came in
    let mut seen_before = decision.evaluation.clone();
    world.tests(&artifact(), TestKind::Unit, TestOutcome::Failed);
    seen_before.duration_ms = Some(1);
    let statement = Statement::new(vec![world.subject(&artifact())], &seen_before).unwrap();
    world.record("records", &statement).unwrap();
    let permit = Permit::of_decision(&world.ledger, &statement.payload_digest()).unwrap();
    assert!(refused(world.promote(&permit)).contains("since the decision"));
}

#[test]
fn s088_a_refused_advisory_or_unknown_decision_is_no_permit() {
    let mut world = ready();
    let refusal = world.decide(&artifact(), &prod());
    assert!(!refusal.passed());
    refused(Permit::of_decision(&world.ledger, &refusal.payload));
    let statement = promotion(&world, &refusal.payload, &artifact(), &prod());
    assert!(refused(world.record("records", &statement)).contains("no enforced pass"));

    let mut advisory = world.decide(&artifact(), &dev()).evaluation;
    advisory.enforcement = Enforcement::Advisory;
    let advisory = Statement::new(vec![world.subject(&artifact())], &advisory).unwrap();
    world.record("records", &advisory).unwrap();
    refused(Permit::of_decision(&world.ledger, &advisory.payload_digest()));
    let statement = promotion(&world, &advisory.payload_digest(), &artifact(), &dev());
    assert!(refused(world.record("records", &statement)).contains("no enforced pass"));

    let unknown = Digest::sha256(b"never decided");
    refused(Permit::of_decision(&world.ledger, &unknown));
    let statement = promotion(&world, &unknown, &artifact(), &staging());
    assert!(refused(world.record("records", &statement)).contains("is not in this ledger"));
}

#[test]
fn a_decision_changed_in_memory_is_no_permit() {
    let mut world = ready();
    let mut refusal: Decision = world.decide(&artifact(), &prod());
    refusal.evaluation.result = EvaluationResult::Passed;
    refused(refusal.enforce(&world.ledger));
}

#[test]
fn above_dev_a_deployment_names_the_promotion_that_spent_its_decision() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    let promoted = world.promote(&permit).unwrap();
    let deploy = world.deployment(&artifact(), &staging());
    let other = Digest::sha256(b"another promotion");
    assert!(refused(world.deploy(deploy.clone(), Some(&permit), Some(&other))).contains("did not spend this decision"));
    // the type itself refuses one that names none
    assert!(world.deploy(deploy.clone(), Some(&permit), None).is_err());
    world.deploy(deploy, Some(&permit), Some(&promoted.payload)).unwrap();
}

#[test]
fn a_decision_revoked_since_is_no_permit() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    let (since, decision) = (world.now, permit.decision().hex());
    // the new trust policy alone voids it, so a decision made after it is revoked by yet another one
    world.change_trust_policy(|_| {}).unwrap();
    let permit = world.permit(&artifact(), &staging());
    let target = permit.decision().hex();
    assert_ne!(target, decision);
    world
        .change_trust_policy(|p| p.revocations.push(Revocation { target, since, reason: "wrong bundle".to_owned() }))
        .unwrap();
    assert!(refused(world.promote(&permit)).contains("the decision was revoked"));
}

#[test]
fn a_promotion_revoked_since_allows_no_deployment() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    let since = world.now;
    let promotion = world.promote(&permit).unwrap();
    let target = promotion.payload.hex();
    world
        .change_trust_policy(|p| {
            p.revocations.push(Revocation { target, since, reason: "promoted by mistake".to_owned() });
        })
        .unwrap();
    let deploy = world.deployment(&artifact(), &staging());
    let why = refused(world.deploy(deploy, Some(&permit), Some(&promotion.payload)));
    assert!(why.contains("did not spend this decision"), "{why}");
}

#[test]
fn of_two_processes_that_spend_a_decision_at_once_one_wins() {
    for _ in 0..4 {
        let mut world = ready();
        let permit = world.permit(&artifact(), &staging());
        let now = world.tick();
        let barrier = std::sync::Barrier::new(4);
        let results: Vec<Result<_>> = std::thread::scope(|scope| {
            let (world, permit, begin) = (&world, &permit, &barrier);
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    let mut ledger = world.open().unwrap().with_log_key(world.log_key()).unwrap();
                    scope.spawn(move || {
                        begin.wait();
                        let by = Actor::workload("urn:example:workload:records");
                        release::promote(&mut ledger, permit, RELEASE, by, &world.keys["records"], now)
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 3));
        lost.into_iter().for_each(|r| drop(refused(r)));
        assert!(world.ledger.audit().unwrap().is_clean());
    }
}

#[test]
fn of_two_promotions_in_one_batch_none_is_taken() {
    let mut world = ready();
    let permit = world.permit(&artifact(), &staging());
    let size = world.ledger.size();
    let records: Vec<_> = (0..2)
        .map(|_| {
            let statement = promotion(&world, permit.decision(), &artifact(), &staging());
            let record = sealwright::signer::sign(&statement, &world.keys["records"]).unwrap().to_json();
            world.ledger.verify(&record, world.now).unwrap()
        })
        .collect();
    let now = world.tick();
    refused(world.ledger.append_all(&records, now));
    assert_eq!(world.ledger.size(), size);
    world.ledger.append_all(&records[..1], now).unwrap();
}

#[test]
fn s099_a_deployment_without_a_decision_is_taken_and_shows_everywhere() {
    let mut world = ready();
    let mut deploy: Deploy = world.deployment(&artifact(), &staging());
    deploy.resources = vec!["urn:example:env:staging/shop".to_owned()];
    let id = deploy.deployment_id.clone();
    let recorded = world.deploy(deploy, None, None).unwrap();
    let gaps = release::gaps(&world.ledger, RELEASE).unwrap();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(
        (gaps[0].finding_type, gaps[0].resource.as_deref()),
        (FindingType::DeploymentWithoutDecision, Some(&*id))
    );
    let custody = release::custody(&world.ledger, RELEASE).unwrap();
    let index = recorded.receipt.index;
    assert_eq!(custody.missing, [format!("entry {index} deploys to `urn:example:env:staging` without a decision")]);
    let running = Observed {
        resource: "urn:example:env:staging/shop".to_owned(),
        digest: Some(artifact().into()),
        configuration: None,
        started_at: None,
        replicas: None,
    };
    let found = world.drift(&staging(), vec![running]);
    assert_eq!(found, [(FindingType::DeploymentWithoutDecision, "urn:example:env:staging/shop".to_owned())]);
}

#[test]
fn the_trust_policy_pins_the_rules_and_without_them_there_is_no_decision() {
    let world = World::with_policy(|p| p.policy_bundle = None);
    let mut ledger = world.ledger;
    let request = sealwright::gate::GateRequest::new(
        sealwright::gate::ArtifactReference::of(artifact()).unwrap(),
        dev(),
        RELEASE,
        "deployer",
    );
    let e = sealwright::gate::decide(&mut ledger, &request, &world.keys["records"], world.now).unwrap_err();
    assert_eq!(e.code(), "POLICY_UNDECIDED");
}

#[test]
fn a_permit_is_for_its_release_and_its_deployer() {
    let mut world = World::with_policy(|policy| {
        let tester = policy.signers.iter_mut().find(|s| s.name == "tester").unwrap();
        tester.predicate_types.push(Deployment::TYPE.to_owned());
    });
    world.build(&artifact());
    let permit = world.permit(&artifact(), &dev());
    let now = world.tick();
    let by = world.actor("records");
    let elsewhere = release::promote(&mut world.ledger, &permit, "another-release", by, &world.keys["records"], now);
    assert_eq!(elsewhere.unwrap_err().code(), "PERMIT_REFUSED");
    let promotion = world.promote(&permit).unwrap();
    let mut deploy = world.deployment(&artifact(), &dev());
    deploy.release_id = "another-release".to_owned();
    assert!(refused(world.deploy(deploy, Some(&permit), Some(&promotion.payload))).contains("`another-release`"));
    // another signer who may issue deployments is not the one the gate was asked about
    let deploy = world.deployment(&artifact(), &dev());
    let now = world.tick();
    let by_another =
        release::deploy(&mut world.ledger, deploy, Some(&permit), Some(&promotion.payload), &world.keys["tester"], now);
    assert!(refused(by_another).contains("lets `deployer` deploy, and `tester` did"));
    let deploy = world.deployment(&artifact(), &dev());
    world.deploy(deploy, Some(&permit), Some(&promotion.payload)).unwrap();
}
