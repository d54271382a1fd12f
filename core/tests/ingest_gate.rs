//! What tools found, at the gate: an ingested report counts like any other test result, for the kind it is of and for the
//! artifact it is about. The bundle is the starter's, with other kinds demanded.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod ingested;
mod world;

use sealwright::gate;
use sealwright::guard::Guard;
use sealwright::ingest::Ingested;
use sealwright::json::Value;
use sealwright::policy::{PolicyBundle, starter_bundle};
use sealwright::predicate::{PredicateType as _, TestOutcome, TestResult, Vulns};
use serde_json::json;

use self::ingested::{case, case_with};
use self::world::{World, artifact, dev};

/// A world whose bundle demands these kinds of tests, and no others, before anything goes into dev.
fn demanding(kinds: &[&str]) -> World {
    let mut document: Value = serde_json::from_slice(&starter_bundle().unwrap()).unwrap();
    let cells = document["tables"]["evidence"].as_array_mut().unwrap();
    for cell in cells.iter_mut().filter(|cell| cell["check"] == "EV-TEST-001") {
        let unit = cell["testKinds"] == json!(["unit"]);
        cell["dev"] = json!({"any": {"need": if unit { "R" } else { "-" }}});
        if unit {
            cell["testKinds"] = json!(kinds);
        }
    }
    let bytes = sealwright::json::canonical("bundle", &document).unwrap();
    let bundle = PolicyBundle::parse(&bytes).unwrap();
    let mut world = World::with_policy(|policy| {
        policy.profile = gate::profile(&bundle);
        policy.policy_bundle = Some(gate::policy_descriptor(&bundle));
        let tester = policy.signers.iter_mut().find(|signer| signer.name == "tester").unwrap();
        tester.predicate_types.push(Vulns::TYPE.to_owned());
    });
    world.ledger.attach(&bytes).unwrap();
    world.provenance(&artifact());
    world.sbom(&artifact());
    world
}

/// The case, told to be about the artifact.
fn about_the_artifact(name: &str, more: &Value) -> Ingested {
    let mut told = more.clone();
    told["subjects"] = json!([{"name": "shop", "digest": {"sha256": artifact().hex()}}]);
    case_with(name, &told).unwrap()
}

fn record(world: &mut World, taken: &Ingested) {
    for statement in &taken.statements {
        world.record("tester", statement).unwrap();
    }
}

/// The checks that refuse the artifact after these reports, each with what else is told of it.
fn refused(kinds: &[&str], reports: &[(&str, Value)]) -> Vec<String> {
    let mut world = demanding(kinds);
    for (name, told) in reports {
        record(&mut world, &about_the_artifact(name, told));
    }
    let decision = world.decide(&artifact(), &dev());
    decision
        .refusals()
        .filter(|check| check.id.starts_with("EV-TEST"))
        .map(|check| check.message.clone().unwrap())
        .collect()
}

/// A report that passes lets the artifact go, one that does not stops it, and so does none at all.
fn stops(kind: &str, passed: (&str, Value), failed: (&str, Value)) {
    assert_eq!(refused(&[kind], &[passed]), [""; 0], "{kind}");
    let message = refused(&[kind], &[failed]).join(" ");
    assert!(message.contains(kind) && message.contains("FAILED"), "{kind}: {message}");
    let missing = refused(&[kind], &[]).join(" ");
    assert!(missing.contains(kind) && missing.contains("missing"), "{kind}: {missing}");
}

/// Nothing of these words is in any statement.
fn holds_none_of(taken: &Ingested, words: &[&str]) {
    for statement in &taken.statements {
        let payload = String::from_utf8(statement.payload().to_vec()).unwrap();
        assert!(words.iter().all(|word| !payload.contains(word)), "{payload}");
    }
}

#[test]
fn s038_a_breach_of_a_quality_rule_stops_the_artifact() {
    stops("sast", ("sarif-passed", json!({})), ("sarif-failed", json!({})));
}

#[test]
fn s038_a_warning_stops_it_where_the_threshold_is_lower() {
    let told = json!({"failAt": "medium"});
    let taken = case_with("sarif-failed", &told).unwrap();
    let result: TestResult = taken.statements[0].predicate_as().unwrap();
    assert_eq!((result.failed_tests.len(), result.warned_tests.len()), (2, 0));
}

#[test]
fn s039_an_identifier_that_is_logged_is_found_and_not_stored() {
    stops("phi", ("free-text-passed", json!({})), ("free-text-social-security-number", json!({})));
    holds_none_of(&case("free-text-social-security-number"), &["123-45-6789", "4111"]);
}

#[test]
fn s040_each_kind_of_scan_that_a_stage_demands_is_missed_by_name() {
    let kinds = ["secrets", "sast", "iac"];
    let some = [("gitleaks-passed", json!({})), ("sarif-passed", json!({}))];
    let message = refused(&kinds, &some).join(" ");
    assert!(message.contains("iac") && !message.contains("sast") && !message.contains("secrets"), "{message}");
    let all = [some.to_vec(), vec![("checkov-passed", json!({}))]].concat();
    assert_eq!(refused(&kinds, &all), [""; 0]);
}

#[test]
fn s041_a_seeded_key_stops_the_artifact_and_is_in_no_record() {
    stops("secrets", ("gitleaks-passed", json!({})), ("gitleaks-failed", json!({})));
    stops("secrets", ("free-text-passed", json!({"kind": "secrets"})), ("free-text-secret", json!({})));
    holds_none_of(&case("gitleaks-failed"), &["planted-secret-value", "ann@example.org"]);
    holds_none_of(&case("free-text-secret"), &["a1B2"]);
    assert!(case("gitleaks-failed").holds_secrets);
}

#[test]
fn s042_a_seeded_social_security_number_stops_the_artifact_and_numbers_without_checksum_do_not() {
    stops("phi", ("free-text-passed", json!({})), ("free-text-social-security-number", json!({})));
    let guard = Guard::built_in();
    for clean in ["4111 1111 1111 1112", "000-12-3456", "GB83 WEST 1234 5698 7654 32", "NHS 943 476 5918"] {
        assert!(guard.text(clean).is_empty(), "{clean}");
    }
    for hit in ["4111 1111 1111 1111", "123-45-6789", "GB82 WEST 1234 5698 7654 32", "NHS 943 476 5919", "MRN 12345678"]
    {
        assert_eq!(guard.text(hit).len(), 1, "{hit}");
    }
}

#[test]
fn s042_a_record_of_ours_with_such_a_number_is_not_made_and_the_refusal_does_not_repeat_it() {
    let e = case_with("junit-passed", &json!({"tool": {"name": "123-45-6789"}})).unwrap_err();
    assert_eq!(e.code(), "REGULATED_DATA");
    assert!(!e.message().contains("123-45"), "{e}");
}

#[test]
fn s042_rules_of_ones_own_are_data() {
    let rule = |pattern: &str| {
        json!({"guard": {"v": "sealwright-guard/v1",
        "rules": [{"id": "case-number", "class": "phi", "pattern": pattern}]}, "tool": {"name": "CASE-12345678"}})
    };
    assert_eq!(case_with("junit-passed", &rule(r"\bCASE-(\d{8})\b")).unwrap_err().code(), "REGULATED_DATA");
    assert!(case_with("junit-passed", &rule(r"\bCASE-(\d{9})\b")).is_ok());
    for wrong in ["(", "x*"] {
        assert_eq!(case_with("junit-passed", &rule(wrong)).unwrap_err().code(), "MALFORMED", "{wrong}");
    }
}

#[test]
fn s043_a_high_finding_of_static_analysis_stops_the_artifact_and_the_report_is_kept_by_digest() {
    stops("sast", ("sarif-passed", json!({})), ("sarif-failed", json!({})));
    let taken = case("sarif-failed");
    let result: TestResult = taken.statements[0].predicate_as().unwrap();
    assert_eq!(result.report.unwrap().digest, taken.report.digest);
}

#[test]
fn s044_a_vulnerable_dependency_is_a_record_that_no_gate_can_pass_over_and_a_clean_scan_is_not() {
    for format in ["trivy", "grype", "osv-scanner", "npm-audit", "pip-audit", "cargo-audit"] {
        for (outcome, control) in [("passed", false), ("failed", true)] {
            let mut world = demanding(&["unit"]);
            let taken = case(&format!("{format}-{outcome}"));
            let receipt = world.record("tester", &taken.statements[0]).unwrap();
            let entry = world.ledger.entry(receipt.index).unwrap();
            assert_eq!(entry.control, control, "{format} {outcome}");
            let scan: Vulns = taken.statements[0].predicate_as().unwrap();
            // what a threshold asks for: how bad, and how new the database was
            assert_eq!(scan.scanner.result.is_empty(), !control, "{format}");
            assert_eq!(scan.counts.is_empty(), !control, "{format}");
            assert!(scan.scanner.db.last_update <= scan.metadata.scan_finished_on, "{format}");
        }
    }
}

#[test]
fn s045_a_licence_that_a_scanner_objects_to_fails() {
    let licences = |name: &str| {
        let results = case(name).statements.into_iter().filter_map(|s| s.predicate_as::<TestResult>().ok());
        results
            .filter(|r| r.test_kind.is_some_and(|kind| kind.name() == "license"))
            .map(|r| r.result)
            .collect::<Vec<_>>()
    };
    assert_eq!(licences("trivy-failed"), [TestOutcome::Failed]);
    assert_eq!(licences("trivy-passed"), []);
}

#[test]
fn s046_a_public_bucket_stops_the_artifact() {
    stops("iac", ("checkov-passed", json!({})), ("checkov-failed", json!({})));
}

#[test]
fn s047_a_scan_of_another_image_is_refused_and_one_of_this_image_is_bound_to_it() {
    let taken = case("trivy-passed");
    let image = "sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d".parse().unwrap();
    assert!(taken.statements[0].has_subject(&image));
    let e = case_with("trivy-other-image", &json!({})).unwrap_err();
    assert_eq!(e.code(), "DIGEST_MISMATCH");
}

#[test]
fn s048_a_finding_in_the_running_application_stops_the_artifact() {
    stops("dast", ("mapped-passed", json!({})), ("mapped-failed", json!({})));
}

#[test]
fn s049_each_kind_of_test_is_missed_by_name() {
    for kind in ["unit", "integration", "contract", "schema", "system", "environment"] {
        let told = json!({"kind": kind});
        stops(kind, ("junit-passed", told.clone()), ("junit-failed", told));
    }
}
