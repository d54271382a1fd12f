//! What the gate refuses, by which check, and that the refusal is in the ledger. Each test breaks a release that would
//! pass in one place.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod world;

use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::gate::{ArtifactReference, GateRequest, decide};
use sealwright::ledger::{Anchors, Pins};
use sealwright::predicate::*;
use sealwright::statement::Statement;
use world::*;

const DAY: i64 = 24 * 3_600_000;

#[test]
fn the_releases_that_these_tests_break_would_pass() {
    assert!(for_staging().decide(&artifact(), &staging()).passed());
    let mut world = for_prod();
    world.approval("release-manager", &artifact(), &prod());
    assert!(world.decide(&artifact(), &prod()).passed());
}

#[test]
fn s015_a_wrong_builder_is_refused() {
    // the trust policy lists another builder for this signer from now on
    let mut world = for_staging();
    world
        .change_trust_policy(|p| p.signers[1].speaks_for[0].builder = Some("https://example.org/other".to_owned()))
        .unwrap();
    let message = refuses(&mut world, &staging(), &["EV-PROV-002"]);
    assert!(message.contains(BUILDER) && message.contains("https://example.org/other"), "{message}");
    // one that was never listed does not even get into the ledger
    let e = world.provenance_of(&artifact(), "https://evil.example", COMMIT).unwrap_err();
    assert_eq!(e.code(), "NOT_ENTITLED");
}

#[test]
fn s015_a_wrong_commit_is_refused() {
    let mut world = for_staging();
    world.provenance_of(&artifact(), BUILDER, "3333333333333333333333333333333333333333").unwrap();
    let message = refuses(&mut world, &staging(), &["EV-PROV-003", "EV-SRC-002", "EV-CHG-001"]);
    assert!(message.contains("3333333333"), "{message}");
}

#[test]
fn s015_an_unexpected_parameter_is_left_out_by_the_starter_profile_and_every_decision_says_so() {
    let mut world = for_staging();
    let decision = world.decide(&artifact(), &dev());
    let said = decision.evaluation.profile.leaves_out.iter().find(|l| l.check == "EV-PROV-004").unwrap();
    assert_eq!(said.part, "all");
}

#[test]
fn s016_a_rebuilt_digest_is_refused() {
    let mut world = for_staging();
    let rebuilt = Digest::sha256(b"built once more from the same source");
    world.provenance(&rebuilt);
    world.sbom(&rebuilt);
    for kind in [TestKind::Unit, TestKind::Integration, TestKind::Contract] {
        world.tests(&rebuilt, kind, TestOutcome::Passed);
    }
    let decision = world.decide(&rebuilt, &staging());
    let message = is_refusal(&mut world, &decision, &["EV-PROM-002"]);
    assert!(message.contains(&artifact().to_string()), "{message}");
    // and so is the validated one, once the rebuilt one runs where it was
    let mut deploy = world.deployment(&rebuilt, &dev());
    deploy.release_id = RELEASE.to_owned();
    world.deploy(deploy, None, None).unwrap();
    refuses(&mut world, &staging(), &["EV-PROM-002"]);
}

#[test]
fn s017_what_is_no_digest_alone_is_refused_and_recorded() {
    let mut world = for_staging();
    let hex = artifact().hex();
    for reference in ["latest", "v1", "registry.example/shop:v1", &format!("registry.example/shop:v1@sha256:{hex}")] {
        let mut request = world.request(&artifact(), &staging());
        request.artifact = reference.parse().unwrap();
        let decision = world.decide_on(&request);
        assert!(ids(&decision).contains(&"EV-ART-001"), "{reference}: {:?}", ids(&decision));
        assert!(!decision.passed() && decision.enforce(&world.ledger).is_err());
        let record = world.ledger.record(decision.receipt.index).unwrap();
        assert!(!record.statement().has_subject(&artifact()));
        assert_eq!(record.statement().subjects()[0].name.as_deref(), Some(reference));
    }
    let mut request = world.request(&artifact(), &staging());
    request.artifact = format!("registry.example/shop@sha256:{hex}").parse().unwrap();
    // the refusals before were about other things
    assert!(world.decide_on(&request).passed());
}

/// A release built with another SBOM, or none, in dev already.
fn with_sbom(sbom: impl FnOnce(&mut World)) -> World {
    let mut world = World::new();
    world.change();
    world.review();
    world.provenance(&artifact());
    sbom(&mut world);
    for kind in [TestKind::Unit, TestKind::Integration, TestKind::Contract] {
        world.tests(&artifact(), kind, TestOutcome::Passed);
    }
    world.go(&artifact(), &dev());
    world
}

#[test]
fn s022_a_missing_sbom_an_empty_one_and_one_of_another_digest_are_refused_above_dev() {
    refuses(&mut with_sbom(|_| {}), &staging(), &["EV-SBOM-001"]);
    refuses(&mut with_sbom(|w| drop(w.sbom_with(&artifact(), "[]"))), &staging(), &["EV-SBOM-001"]);
    refuses(&mut with_sbom(|w| drop(w.sbom(&Digest::sha256(b"other")))), &staging(), &["EV-SBOM-001"]);
    // the newest counts
    let mut world = for_staging();
    world.sbom_with(&artifact(), "[]");
    refuses(&mut world, &staging(), &["EV-SBOM-001"]);
}

#[test]
fn s050_a_test_result_of_another_digest_does_not_count() {
    let mut world = World::new();
    world.change();
    world.review();
    world.provenance(&artifact());
    world.sbom(&artifact());
    for kind in [TestKind::Unit, TestKind::Integration, TestKind::Contract] {
        world.tests(&Digest::sha256(b"other"), kind, TestOutcome::Passed);
    }
    world.go(&artifact(), &dev());
    refuses(&mut world, &staging(), &["EV-TEST-001", "EV-TEST-002"]);
    // results of the source alone are not bound to what was built from it
    for kind in [TestKind::Unit, TestKind::Integration, TestKind::Contract] {
        let mut test = test_result(&world, TestOutcome::Passed);
        test.test_kind = Some(kind);
        let statement = Statement::new(vec![world.revision()], &test).unwrap();
        world.record("tester", &statement).unwrap();
    }
    refuses(&mut world, &staging(), &["EV-TEST-002"]);
}

#[test]
fn the_newest_test_result_wins_by_the_order_of_the_ledger_not_by_its_own_time() {
    let mut world = for_staging();
    let long_ago = world.now.plus_millis(-30 * DAY);
    world.tests_with(&artifact(), |t| {
        (t.test_kind, t.result, t.finished_at) = (Some(TestKind::Unit), TestOutcome::Failed, Some(long_ago));
    });
    refuses(&mut world, &staging(), &["EV-TEST-001"]);
    // another tool that passes is no answer, the same one is
    world.tests_with(&artifact(), |t| {
        t.test_kind = Some(TestKind::Unit);
        t.tool = Some(ResourceDescriptor::at("pkg:cargo/nextest@1.0.0").named("nextest"));
    });
    refuses(&mut world, &staging(), &["EV-TEST-001"]);
    world.tests(&artifact(), TestKind::Unit, TestOutcome::Passed);
    assert!(world.decide(&artifact(), &staging()).passed());
}

#[test]
fn a_test_result_that_leaves_out_its_kind_or_contradicts_itself_does_not_make_a_pass() {
    let mut world = for_staging();
    world.tests_with(&artifact(), |t| t.result = TestOutcome::Failed);
    refuses(&mut world, &staging(), &["EV-TEST-001"]);
    world.tests_with(&artifact(), |_| {});
    assert!(world.decide(&artifact(), &staging()).passed());
    world.tests_with(&artifact(), |t| {
        (t.test_kind, t.failed_tests) = (Some(TestKind::Unit), vec!["prices".to_owned()]);
    });
    refuses(&mut world, &staging(), &["EV-TEST-001"]);
}

#[test]
fn s057_missing_evidence_and_an_engine_that_cannot_decide_are_refused() {
    // nothing at all
    let mut world = World::new();
    let decision = world.decide(&artifact(), &prod());
    assert_eq!(decision.evaluation.result, EvaluationResult::Failed);
    for check in ["EV-PROV-001", "EV-SBOM-001", "EV-TEST-001", "EV-CHG-001", "EV-SRC-001", "EV-APPR-001", "EV-PROM-001"]
    {
        assert!(ids(&decision).contains(&check), "{check}");
    }
    // a bundle whose rule gives no decision for this input
    let mut document: serde_json::Value =
        serde_json::from_slice(&sealwright::policy::starter_bundle().unwrap()).unwrap();
    let rules = document["modules"]["artifact.rego"].as_str().unwrap().replace("default sbom001 := false", "");
    document["modules"]["artifact.rego"] = rules.into();
    let bytes = sealwright::json::canonical("bundle", &document).unwrap();
    let bundle = sealwright::policy::PolicyBundle::parse(&bytes).unwrap();
    let mut world = World::with_policy(|p| p.policy_bundle = Some(sealwright::gate::policy_descriptor(&bundle)));
    // missing
    let (now, request) = (world.tick(), world.request(&artifact(), &staging()));
    let e = decide(&mut world.ledger, &request, &world.keys["records"], now).unwrap_err();
    assert_eq!(e.code(), "NOT_FOUND");
    world.ledger.attach(&bytes).unwrap();
    let decision = world.decide(&artifact(), &staging());
    assert_eq!(decision.evaluation.result, EvaluationResult::Error);
    let undecided: Vec<_> = decision.refusals().filter(|c| c.result == CheckOutcome::Error).map(|c| &*c.id).collect();
    assert_eq!(undecided, ["EV-SBOM-001", "EV-POL-002"]);
    assert_eq!(decision.enforce(&world.ledger).unwrap_err().code(), "POLICY_UNDECIDED");
    // edited
    for attached in std::fs::read_dir(world.folder().join("attachments")).unwrap().map(Result::unwrap) {
        std::fs::write(attached.path(), b"something else").unwrap();
    }
    let now = world.tick();
    let e = decide(&mut world.ledger, &request, &world.keys["records"], now).unwrap_err();
    assert_eq!(e.code(), "LEDGER_TAMPERED");
}

#[test]
fn s057_a_decision_that_cannot_be_recorded_is_none() {
    let mut world = for_staging();
    let (now, request) = (world.tick(), world.request(&artifact(), &staging()));
    let mut reader = world.open().unwrap();
    assert_eq!(decide(&mut reader, &request, &world.keys["records"], now).unwrap_err().code(), "API_MISUSE");
    assert_eq!(decide(&mut world.ledger, &request, &world.keys["tester"], now).unwrap_err().code(), "NOT_ENTITLED");
}

#[test]
fn s066_a_refused_run_is_in_the_ledger_with_all_it_rested_on() {
    let mut world = for_prod();
    let size = world.ledger.size();
    let decision = world.decide(&artifact(), &prod());
    is_refusal(&mut world, &decision, &["EV-APPR-001"]);
    assert_eq!((decision.receipt.index, world.ledger.size()), (size, size + 1));
    let record = world.ledger.record(size).unwrap();
    assert!(record.entry.control && record.statement().has_subject(&artifact()));
    assert_eq!(decision.evaluation.ledger_state.size, size);
    // every record but the trust policy, which is named apart
    assert_eq!(decision.evaluation.input_attestations.len() as u64, size - 1);
    assert!(decision.evaluation.first_attempt.unwrap());
    assert!(!world.decide(&artifact(), &prod()).evaluation.first_attempt.unwrap());
}

#[test]
fn s089_unverifiable_provenance_is_refused_and_recorded() {
    // edited in the store
    let mut world = for_staging();
    let index = index_of(&world, Provenance::TYPE);
    let body = world.folder().join(body_name(index));
    let mut bytes = std::fs::read(&body).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&body, bytes).unwrap();
    let decision = world.decide(&artifact(), &staging());
    assert!(ids(&decision).contains(&"EV-SIG-001") && ids(&decision).contains(&"EV-PROV-001"), "{:?}", ids(&decision));
    assert!(!decision.passed() && world.ledger.record(decision.receipt.index).is_ok());
    // none
    let mut world = World::new();
    let decision = world.decide(&artifact(), &dev());
    assert!(ids(&decision).contains(&"EV-PROV-001"));
    // signed by somebody else, it does not get in
    let provenance = for_staging();
    let record = provenance.ledger.record(index_of(&provenance, Provenance::TYPE)).unwrap();
    assert_eq!(world.record("tester", record.statement()).unwrap_err().code(), "NOT_ENTITLED");
}

fn index_of(world: &World, predicate_type: &str) -> u64 {
    (0..world.ledger.size()).find(|i| world.ledger.entry(*i).unwrap().is_of_type(predicate_type)).unwrap()
}

#[test]
fn the_builder_does_not_deploy() {
    let mut world = for_staging();
    let mut request = world.request(&artifact(), &staging());
    request.deployer = "builder".to_owned();
    let decision = world.decide_on(&request);
    let message = is_refusal(&mut world, &decision, &["EV-APPR-002", "EV-DEP-001"]);
    assert!(message.contains("builder is both builder and deployer (S3)"), "{message}");
    assert!(message.contains("builder built and deploys."), "{message}");
    request.deployer = "nobody".to_owned();
    let decision = world.decide_on(&request);
    is_refusal(&mut world, &decision, &["EV-DEP-001"]);
}

#[test]
fn now_before_the_last_entry_is_refused() {
    let mut world = for_staging();
    let request = world.request(&artifact(), &staging());
    let before = world.now.plus_millis(-2000);
    let decision = decide(&mut world.ledger, &request, &world.keys["records"], before).unwrap();
    let message = is_refusal(&mut world, &decision, &["EV-LOG-001"]);
    assert!(message.contains("later than now"), "{message}");
}

#[test]
fn a_ledger_that_was_never_seen_before_gives_no_pass_above_dev() {
    let mut world = for_staging();
    let elsewhere = tempfile::tempdir().unwrap();
    let anchors = Anchors::in_folder(elsewhere.path().to_path_buf());
    let open = || opened(&world.folder(), &anchors, &Pins::none()).unwrap().with_log_key(world.log_key()).unwrap();
    let mut ledger = open();
    let request = world.request(&artifact(), &staging());
    let decision = decide(&mut ledger, &request, &world.keys["records"], world.now).unwrap();
    assert_eq!(ids(&decision), ["EV-LOG-001"]);
    // seen once, it can be compared
    let mut ledger = open();
    let now = world.tick();
    assert!(decide(&mut ledger, &request, &world.keys["records"], now).unwrap().passed());
}

#[test]
fn an_environment_of_class_test_is_judged_as_staging() {
    let mut world = World::new();
    world.build(&artifact());
    let test = Environment::new("urn:example:env:test", EnvironmentClass::Test);
    let decision = world.decide(&artifact(), &test);
    assert_eq!(decision.evaluation.gate, Gate::Staging);
    is_refusal(&mut world, &decision, &["EV-PROM-002"]);
}

#[test]
fn an_environment_known_as_prod_is_judged_as_prod_whatever_the_caller_says() {
    let mut world = World::released(&artifact());
    let evil = Digest::sha256(b"unreviewed");
    world.provenance(&evil);
    for class in [EnvironmentClass::Dev, EnvironmentClass::Test] {
        let decision = world.decide(&evil, &Environment::new(prod().id, class));
        assert_eq!(decision.evaluation.gate, Gate::Prod);
        assert_eq!(decision.evaluation.environment, Some(prod()));
        assert!(ids(&decision).contains(&"EV-PROM-001") && !decision.passed());
    }
    // what was released into it can't be read: that is no reason to believe the caller
    let newest = world.ledger.size() - 3;
    let index = (0..=newest).rev().find(|i| world.ledger.entry(*i).unwrap().is_of_type(Deployment::TYPE)).unwrap();
    std::fs::remove_file(world.folder().join(body_name(index))).unwrap();
    let decision = world.decide(&evil, &Environment::new(prod().id, EnvironmentClass::Dev));
    assert!(ids(&decision).contains(&"EV-LOG-001"), "{:?}", ids(&decision));
}

#[test]
fn a_control_record_of_a_type_that_is_not_known_refuses() {
    let unknown = "https://sealwright.dev/attestation/recall/v0.1";
    let mut world = World::with_policy(|p| p.signers[7].predicate_types.push(unknown.to_owned()));
    world.build(&artifact());
    world.go(&artifact(), &dev());
    let statement = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"{unknown}","predicate":{{}}}}"#,
        artifact().hex()
    );
    world.record("records", &Statement::parse(statement.into_bytes()).unwrap()).unwrap();
    let decision = world.decide(&artifact(), &staging());
    assert_eq!(ids(&decision), ["EV-SIG-001"]);
}

#[test]
fn without_a_change_request_there_is_no_way_above_dev() {
    let mut world = for_staging();
    let request = GateRequest::new(ArtifactReference::of(artifact()).unwrap(), staging(), RELEASE, "deployer")
        .for_change("https://example.org/shop/changes/99");
    let decision = world.decide_on(&request);
    assert!(ids(&decision).contains(&"EV-CHG-001") && !decision.passed());
    // and a refusal because none was named at all is a record, too
    let request = GateRequest::new(ArtifactReference::of(artifact()).unwrap(), staging(), RELEASE, "deployer");
    let decision = world.decide_on(&request);
    assert!(ids(&decision).contains(&"EV-CHG-001") && !decision.passed());
    assert_eq!(decision.evaluation.change_id.as_deref(), Some(sealwright::gate::NO_CHANGE));
}

#[test]
fn a_bundle_may_leave_out_only_what_the_trust_policy_allows() {
    let mut world = World::with_policy(|policy| policy.profile.leaves_out.retain(|left| left.check != "EV-LOG-002"));
    world.build(&artifact());
    let decision = world.decide(&artifact(), &dev());
    assert_eq!(ids(&decision), ["EV-SIG-002"]);
    assert!(decision.refusals().any(|c| c.message.as_deref().is_some_and(|m| m.contains("EV-LOG-002"))));
}

#[test]
fn s058_every_refusal_names_check_environment_digest_question_controls_and_fix() {
    let mut world = World::new();
    let hostile = "urn:example:\u{202e}".to_owned() + &"x".repeat(3000);
    world.change_with(|c| c.authors = vec![Actor::human(hostile, "x".repeat(3000))]);
    world.provenance_of(&artifact(), BUILDER, "3333333333333333333333333333333333333333").unwrap();
    world.approve("reviewer", Stage::SourceReview, None, |a| a.decision = ApprovalDecision::Rejected).unwrap();
    let digest12 = &artifact().hex()[..12];
    for environment in [dev(), staging(), prod()] {
        let decision = world.decide(&artifact(), &environment);
        assert!(decision.refusals().count() >= 2 || environment == dev());
        for check in decision.refusals() {
            let message = check.message.as_deref().unwrap();
            let (question, fix) = (check.question.as_deref().unwrap(), check.remediation.as_deref().unwrap());
            assert!(message.starts_with(&format!("{} {} {digest12}: ", check.id, environment.class)), "{message}");
            for part in [question, fix, &check.controls.join(", ")] {
                assert!(!part.is_empty() && message.contains(part), "{message}");
            }
            assert!(message.chars().count() <= 600, "{} {message}", message.chars().count());
            assert!(!message.contains(|c: char| c.is_control() || c == '\u{202e}'), "{message}");
        }
    }
}
