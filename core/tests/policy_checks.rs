//! Each check of the starter bundle: what passes it, what fails it alone, and what it then says.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "what tests share may panic as they may")]

#[cfg(test)]
mod policy_input;

use policy_input::*;
use sealwright::policy::{CheckResult, Enforcement, EvaluationResult, PolicyBundle};
use serde_json::{Value, json};

/// One release, broken.
struct Case {
    check: &'static str,
    gate: &'static str,
    category: &'static str,
    broken: fn(&mut Value),
    /// All enforced checks that refuse, if they are not this one alone.
    refused: &'static [&'static str],
    message: &'static str,
    fix: &'static str,
}

const CASE: Case =
    Case { check: "", gate: "prod", category: "operational", broken: |_| {}, refused: &[], message: "", fix: "" };

fn cases() -> Vec<Case> {
    vec![
        Case {
            check: "EV-SIG-001",
            broken: |i| {
                set(
                    i,
                    "/records/refused",
                    json!([{ "index": 8, "payload": payload(8), "code": "BAD_SIGNATURE",
                    "signer": null, "predicateType": null, "actor": null, "why": "no signature is valid" }]),
                );
            },
            message: "Record 0000000000000000000000000000000000000000000000000000000000000008 has no valid signature.",
            fix: "Sign it again with the pipeline identity; do not edit signed records.",
            ..CASE
        },
        Case {
            check: "EV-SIG-001",
            gate: "dev",
            broken: |i| {
                set(
                    i,
                    "/records/refused",
                    json!([{ "index": 8, "payload": null, "code": "SOMETHING_NEW",
                    "signer": null, "predicateType": null, "actor": null, "why": "?" }]),
                );
            },
            message: "Record at entry 8 has no valid signature.",
            fix: "Sign it again with the pipeline identity; do not edit signed records.",
            ..CASE
        },
        Case {
            check: "EV-SIG-001",
            broken: |i| set(i, "/records/read", json!(0)),
            message: "Record at any entry has no valid signature.",
            fix: "Sign it again with the pipeline identity; do not edit signed records.",
            ..CASE
        },
        Case {
            check: "EV-SIG-002",
            broken: |i| {
                set(
                    i,
                    "/records/refused",
                    json!([{ "index": 8, "payload": payload(8), "code": "NOT_ENTITLED",
                    "signer": "deployer", "predicateType": "https://slsa.dev/provenance/v1",
                    "actor": "https://ci.example/build", "why": "not listed" }]),
                );
            },
            message: "Signer deployer may not issue https://slsa.dev/provenance/v1 for https://ci.example/build under \
                      trust policy 3.",
            fix: "Use the listed identity, or have the trust policy changed by its thresholds.",
            ..CASE
        },
        Case {
            check: "EV-SIG-002",
            broken: |i| set(i, "/trustPolicy/problems", json!(["version 2 was seen before"])),
            message: "Signer of any record may not issue anything for anybody under trust policy 3 (version 2 was \
                      seen before).",
            fix: "Use the listed identity, or have the trust policy changed by its thresholds.",
            ..CASE
        },
        Case {
            check: "EV-LOG-001",
            gate: "dev",
            broken: |i| set(i, "/ledger/missing", json!([7])),
            message: "Record at the entry is not in ledger example.org/ledger at size 90, or entry 7 has no record.",
            fix: "Append it and wait for the next checkpoint; if a body is lost, restore it from the mirror.",
            ..CASE
        },
        Case {
            check: "EV-LOG-001",
            broken: |i| set(i, "/ledger/proven", json!(false)),
            message: "Record of this decision is not in ledger example.org/ledger at size 90, or entry unknown has no \
                      record.",
            fix: "Append it and wait for the next checkpoint; if a body is lost, restore it from the mirror.",
            ..CASE
        },
        Case {
            check: "EV-LOG-001",
            broken: |i| set(i, "/ledger/lastEntryUnix", json!(NOW + 1)),
            message: "Record of the last entry, which is later than now, is not in ledger example.org/ledger at size \
                      90, or entry unknown has no record.",
            fix: "Append it and wait for the next checkpoint; if a body is lost, restore it from the mirror.",
            ..CASE
        },
        Case {
            check: "EV-LOG-001",
            gate: "staging",
            broken: |i| set(i, "/ledger/anchored", json!(false)),
            message: "Record of the highest checkpoint seen is not in ledger example.org/ledger at size 90, or entry \
                      unknown has no record.",
            fix: "Append it and wait for the next checkpoint; if a body is lost, restore it from the mirror.",
            ..CASE
        },
        Case {
            check: "EV-ART-001",
            broken: |i| set(i, "/artifact", json!({ "sha256": null, "purl": null, "reference": "app:1.2" })),
            refused: &[
                "EV-ART-001",
                "EV-PROV-001",
                "EV-PROV-002",
                "EV-PROV-003",
                "EV-SBOM-001",
                "EV-TEST-002",
                "EV-SRC-002",
                "EV-CHG-001",
                "EV-APPR-001",
                "EV-APPR-003",
                "EV-PROM-001",
                "EV-PROM-002",
                "EV-DEP-001",
            ],
            message: "app:1.2 is named by tag.",
            fix: "Replace the tag by the digest it stands for.",
            ..CASE
        },
        Case {
            check: "EV-PROV-001",
            gate: "dev",
            broken: |i| set(i, "/evidence/provenance", json!([])),
            refused: &["EV-PROV-001", "EV-PROV-002"],
            message: "No build provenance for sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
            fix: "Build with the provenance step; a local build cannot be promoted.",
            ..CASE
        },
        Case {
            check: "EV-PROV-002",
            broken: |i| set(i, "/evidence/provenance/0/builderAuthorised", json!(false)),
            message: "Builder https://ci.example/build is not authorised.",
            fix: "Run the build on one of https://ci.example/build.",
            ..CASE
        },
        Case {
            check: "EV-PROV-003",
            broken: |i| set(i, "/evidence/provenance/0/repository", json!("git+https://git.example/fork")),
            message: "Provenance says git+https://git.example/fork@cccccccccccccccccccccccccccccccccccccccc, the \
                      change says git+https://git.example/app@cccccccccccccccccccccccccccccccccccccccc.",
            fix: "Build the reviewed commit.",
            ..CASE
        },
        Case {
            check: "EV-SBOM-001",
            broken: |i| set(i, "/evidence/sbom/0/components", json!(0)),
            message: "No usable SBOM for sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.",
            fix: "Run the SBOM step on the built artifact.",
            ..CASE
        },
        Case {
            check: "EV-TEST-001",
            broken: |i| set(i, "/evidence/tests/0/result", json!("FAILED")),
            message: "Test kind unit: FAILED by cargo test.",
            fix: "Run it on this digest; fix failures.",
            ..CASE
        },
        Case {
            check: "EV-TEST-001",
            broken: |i| {
                // a newer failure of the same tool wins over an older pass
                let mut newer = i["evidence"]["tests"][1].clone();
                newer["index"] = json!(50);
                newer["result"] = json!("FAILED");
                set(i, "/evidence/tests/-", newer);
            },
            message: "Test kind integration: FAILED by cargo test.",
            fix: "Run it on this digest; fix failures.",
            ..CASE
        },
        Case {
            check: "EV-TEST-001",
            category: "clinical-risk",
            broken: |i| i["evidence"]["tests"].as_array_mut().unwrap().retain(|test| test["kind"] != "system"),
            message: "Test kind system: missing.",
            fix: "Run it on this digest; fix failures.",
            ..CASE
        },
        Case {
            check: "EV-TEST-002",
            broken: |i| set(i, "/evidence/tests/0/subjects", json!(["gitCommit:cccc"])),
            message: "Result 000000000000000000000000000000000000000000000000000000000000000a is about gitCommit:cccc.",
            fix: "Test this digest; do not reuse results of another build.",
            ..CASE
        },
        Case {
            check: "EV-SRC-001",
            category: "security-sensitive",
            broken: |i| set(i, "/approvals/1/approver/roles", json!(["peer-reviewer"])),
            message: "1 of 2 reviews; nobody not counted because nobody else reviewed.",
            fix: "Ask a non-author in role security to review.",
            ..CASE
        },
        Case {
            check: "EV-SRC-001",
            broken: |i| set(i, "/approvals/0/approver/kind", json!("workload")),
            refused: &["EV-SRC-001", "EV-SRC-002"],
            message: "0 of 1 reviews; bob not counted because no human decided.",
            fix: "Ask a non-author in role peer-reviewer to review.",
            ..CASE
        },
        Case {
            check: "EV-SRC-002",
            broken: |i| set(i, "/approvals/0/overTree", json!("8888888888888888888888888888888888888888")),
            message: "Review covers tree 8888888888888888888888888888888888888888, built tree is \
                      7777777777777777777777777777777777777777.",
            fix: "Review the final revision again.",
            ..CASE
        },
        Case {
            check: "EV-CHG-001",
            broken: |i| {
                // an older provenance of the same bytes names a commit nobody asked for
                let mut older = i["evidence"]["provenance"][0].clone();
                older["index"] = json!(4);
                older["commit"] = json!("dddddddddddddddddddddddddddddddddddddddd");
                set(i, "/evidence/provenance/-", older);
            },
            message: "Commits dddddddddddddddddddddddddddddddddddddddd belong to no change request.",
            fix: "Open a request and link them.",
            ..CASE
        },
        Case {
            check: "EV-CHG-001",
            gate: "staging",
            broken: |i| set(i, "/change", Value::Null),
            refused: &["EV-PROV-003", "EV-SRC-001", "EV-SRC-002", "EV-CHG-001", "EV-APPR-001", "EV-APPR-002"],
            message: "Commits cccccccccccccccccccccccccccccccccccccccc belong to no change request.",
            fix: "Open a request and link them.",
            ..CASE
        },
        Case {
            check: "EV-APPR-001",
            category: "data-processing",
            broken: |i| drop(i["approvals"].as_array_mut().unwrap().pop()),
            message: "1 of 2 approvals for k8s://prod-1; missing role privacy.",
            fix: "Ask privacy.",
            ..CASE
        },
        Case {
            check: "EV-APPR-001",
            category: "operational",
            broken: |i| set(i, "/approvals/1/decidedAtUnix", json!(NOW - 14 * DAY - 1)),
            message: "0 of 1 approvals for k8s://prod-1; missing role release-manager.",
            fix: "Ask release-manager.",
            ..CASE
        },
        Case {
            check: "EV-APPR-002",
            category: "operational",
            broken: |i| {
                // one approver more than needed, who wrote a part
                let target = environment("prod");
                let own =
                    approval(70, "promotion", "alice", &["release-manager"], &[format!("sha256:{}", sha())], &target);
                set(i, "/approvals/-", own);
            },
            message: "alice is both author and approver (S1).",
            fix: "Have another person in role release-manager do one of the two.",
            ..CASE
        },
        Case {
            check: "EV-APPR-002",
            category: "security-sensitive",
            broken: |i| {
                for (place, who) in [(2, "bob"), (3, "carol")] {
                    set(i, &format!("/approvals/{place}/approver/person"), json!(who));
                }
            },
            message: "bob is both source reviewer and approver (S2). carol is both source reviewer and approver (S2).",
            fix: "Have another person in role release-manager do one of the two. Have another person in role security \
                  do one of the two.",
            ..CASE
        },
        Case {
            check: "EV-APPR-002",
            gate: "build",
            broken: |i| set(i, "/deployer/key", json!("key-builder")),
            message: "deployer is both builder and deployer (S3).",
            fix: "Have another person in role deployer do one of the two.",
            ..CASE
        },
        Case {
            check: "EV-APPR-002",
            broken: |i| {
                set(i, "/evidence/provenance/0/person", json!("olga"));
                set(i, "/deployer/person", json!("olga"));
            },
            message: "olga is both builder and deployer (S3).",
            fix: "Have another person in role deployer do one of the two.",
            ..CASE
        },
        Case {
            check: "EV-APPR-002",
            category: "data-processing",
            broken: |i| {
                let hidden = json!({ "id": "mailto:x@example.org", "person": null });
                set(i, "/change/authors/-", hidden);
            },
            message: "mailto:x@example.org is both author and possibly, being mapped to no person, approver (S8).",
            fix: "Have another person in role author do one of the two.",
            ..CASE
        },
        Case {
            check: "EV-APPR-003",
            broken: |i| {
                let target = environment("prod");
                let other =
                    approval(70, "promotion", "erin", &["security"], &[format!("sha256:{}", hex('b'))], &target);
                set(i, "/approvals/-", other);
            },
            message: "Approval 0000000000000000000000000000000000000000000000000000000000000046 is for \
                      sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb in k8s://prod-1, change \
                      https://tickets.example/7.",
            fix: "Approve again for sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa in \
                  k8s://prod-1.",
            ..CASE
        },
        Case {
            check: "EV-PROM-001",
            broken: |i| set(i, "/custody/promotions", json!([])),
            message: "No record that sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa passed \
                      staging.",
            fix: "Deploy and check there first.",
            ..CASE
        },
        Case {
            check: "EV-PROM-002",
            broken: |i| {
                let mut newer = i["custody"]["deployments"][1].clone();
                newer["index"] = json!(48);
                newer["digests"] = json!([hex('b')]);
                set(i, "/custody/deployments/-", newer);
            },
            message: "Digest in k8s://staging-1 is \
                      sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.",
            fix: "Promote the validated digest; do not rebuild.",
            ..CASE
        },
        Case {
            check: "EV-PROM-002",
            gate: "staging",
            broken: |i| set(i, "/custody/deployments", json!([])),
            message: "Digest in dev is not known to run there.",
            fix: "Promote the validated digest; do not rebuild.",
            ..CASE
        },
        Case {
            check: "EV-DEP-001",
            broken: |i| set(i, "/deployer/signer", json!("builder")),
            message: "builder built and deploys.",
            fix: "Use the deploy identity.",
            ..CASE
        },
        Case {
            check: "EV-POL-001",
            gate: "dev",
            broken: |i| set(i, "/policy/signed", json!(false)),
            message: "",
            fix: "Have it reviewed and signed.",
            ..CASE
        },
        Case {
            check: "EV-POL-001",
            broken: |i| set(i, "/policy/pinned", json!(false)),
            message: "",
            fix: "Have it reviewed and signed.",
            ..CASE
        },
    ]
}

#[test]
fn s058_every_check_says_what_why_and_how_to_fix_it() {
    let bundle = starter();
    let cases = cases();
    let told = |id: &str| id == "EV-POL-002" || cases.iter().any(|case| case.check == id);
    assert!(bundle.checks().iter().all(|check| told(&check.id)), "a check has no message test");
    for case in &cases {
        let mut input = good(&bundle, case.gate, case.category);
        (case.broken)(&mut input);
        let evaluation = decide(&bundle, &input);
        let wanted = if case.refused.is_empty() { &[case.check][..] } else { case.refused };
        assert_eq!(refused(&evaluation), wanted, "{}: {}", case.check, case.message);
        assert_eq!(evaluation.result, EvaluationResult::Failed);
        let check = bundle.check(case.check).unwrap();
        let digest = input["artifact"]["sha256"].as_str().map_or("unknown", |hex| &hex[..12]).to_owned();
        let policy = format!("Policy bundle {} is not approved.", bundle.digest());
        let message = if case.message.is_empty() { &policy } else { case.message };
        let outcome = outcome(&evaluation, case.check);
        assert_eq!(
            outcome.message.as_deref().unwrap(),
            format!(
                "{} {} {digest}: {message} Answers: {} Controls: {}. Fix: {}",
                case.check,
                case.gate,
                check.question,
                check.controls.join(", "),
                case.fix
            )
        );
        assert_eq!(outcome.remediation.as_deref(), Some(case.fix));
    }
}

#[test]
fn s058_the_whole_line_of_a_refusal_names_check_place_artifact_question_controls_and_fix() {
    let bundle = starter();
    let mut input = good(&bundle, "prod", "operational");
    set(&mut input, "/evidence/provenance/0/builderAuthorised", json!(false));
    assert_eq!(
        outcome(&decide(&bundle, &input), "EV-PROV-002").message.as_deref().unwrap(),
        "EV-PROV-002 prod aaaaaaaaaaaa: Builder https://ci.example/build is not authorised. Answers: Did the \
         authorised builder make it? Controls: slsa-build:L2, nist:SI-7(15), nist:CM-14. Fix: Run the build on one of \
         https://ci.example/build."
    );
}

#[test]
fn a_release_with_all_its_evidence_passes_every_gate_in_every_category() {
    let bundle = starter();
    for gate in ["build", "dev", "staging", "prod"] {
        for category in CATEGORIES {
            let evaluation = decide(&bundle, &good(&bundle, gate, category));
            assert_eq!(evaluation.result, EvaluationResult::Passed, "{gate} {category}: {:?}", refused(&evaluation));
            assert_eq!(outcome(&evaluation, "EV-POL-002").result, CheckResult::Passed);
            let passed = outcome(&evaluation, "EV-PROV-001");
            assert_eq!((&passed.message, &passed.evidence), (&None, &vec![payload(5)]));
        }
    }
}

#[test]
fn s060_a_release_that_skipped_a_stage_is_refused() {
    let bundle = starter();
    let stages = |broken: fn(&mut Value)| {
        let mut input = good(&bundle, "prod", "operational");
        broken(&mut input);
        refused(&decide(&bundle, &input)).iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()
    };
    // never in dev, never in staging, in staging before dev, without a decision, another release's chain
    assert_eq!(stages(|i| drop(i["custody"]["deployments"].as_array_mut().unwrap().remove(0))), ["EV-PROM-001"]);
    assert_eq!(
        stages(|i| drop(i["custody"]["deployments"].as_array_mut().unwrap().pop())),
        ["EV-PROM-001", "EV-PROM-002"]
    );
    assert_eq!(stages(|i| set(i, "/custody/deployments/0/index", json!(80))), ["EV-PROM-001"]);
    assert_eq!(stages(|i| set(i, "/custody/deployments/1/decision", Value::Null)), ["EV-PROM-001"]);
    assert_eq!(stages(|i| set(i, "/releaseId", json!("r2"))), ["EV-PROM-001", "EV-PROM-002"]);
    assert_eq!(stages(|i| set(i, "/custody/promotions/0/from", environment("prod"))), ["EV-PROM-001"]);
    assert_eq!(stages(|i| set(i, "/custody/deployments/1/status", json!("FAILED"))), ["EV-PROM-001", "EV-PROM-002"]);
}

#[test]
fn one_person_fills_one_seat_however_many_roles_they_hold() {
    let bundle = starter();
    // three people for three seats, but two of the seats can only be filled by the same one
    let mut input = good(&bundle, "prod", "clinical-risk");
    let all = json!(["release-manager", "clinical-safety", "quality"]);
    set(&mut input, "/approvals/2/approver/roles", all);
    set(&mut input, "/approvals/3/approver/roles", json!(["clinical-safety"]));
    set(&mut input, "/approvals/4/approver/roles", json!(["clinical-safety"]));
    let evaluation = decide(&bundle, &input);
    assert_eq!(refused(&evaluation), ["EV-APPR-001"]);
    // the same person under two ids is one
    let mut input = good(&bundle, "prod", "security-sensitive");
    set(&mut input, "/approvals/3/approver/person", json!("dave"));
    assert_eq!(refused(&decide(&bundle, &input)), ["EV-APPR-001"]);
    // a triple that two people share, in a union of five seats: pairs alone would not see it
    let mut input = good(&bundle, "prod", "clinical-risk");
    set(&mut input, "/change/categories", json!(["clinical-risk", "data-processing", "security-sensitive"]));
    set(&mut input, "/approvals", json!([]));
    let (subjects, target) = ([format!("sha256:{}", sha())], environment("prod"));
    let shared: &[&str] = &["release-manager", "clinical-safety", "quality"];
    let people: [(&str, &[&str]); 5] =
        [("p", shared), ("q", shared), ("r", &["privacy"]), ("s", &["security"]), ("t", &["security", "privacy"])];
    for (n, (who, roles)) in (60..).zip(people) {
        set(&mut input, "/approvals/-", approval(n, "promotion", who, roles, &subjects, &target));
    }
    assert_eq!(outcome(&decide(&bundle, &input), "EV-APPR-001").result, CheckResult::Failed);
    set(&mut input, "/approvals/4/approver/roles", json!(["quality"]));
    assert_eq!(outcome(&decide(&bundle, &input), "EV-APPR-001").result, CheckResult::Passed);
}

#[test]
fn an_approval_taken_back_expired_or_not_of_a_known_human_does_not_count() {
    let bundle = starter();
    let refusals = |category: &str, broken: &dyn Fn(&mut Value)| {
        let mut input = good(&bundle, "prod", category);
        broken(&mut input);
        refused(&decide(&bundle, &input)).iter().map(|id| (*id).to_owned()).collect::<Vec<_>>()
    };
    let later = |decision: &str, index: u32| {
        let mut later = promotion_approvals("operational", "prod").remove(0);
        later["decision"] = json!(decision);
        later["index"] = json!(index);
        later["payload"] = json!(payload(index));
        later
    };
    let dismissal = |i: &mut Value| {
        let mut record = later("DISMISSED", 70);
        record["dismisses"] = json!(payload(60));
        set(i, "/approvals/-", record);
    };
    let short = ["EV-APPR-001"];
    assert_eq!(refusals("operational", &dismissal), short);
    assert_eq!(refusals("operational", &|i| set(i, "/approvals/-", later("REJECTED", 70))), short);
    // a no before the yes is history
    assert!(refusals("operational", &|i| set(i, "/approvals/-", later("REJECTED", 59))).is_empty());
    assert_eq!(refusals("operational", &|i| set(i, "/approvals/1/expiresAtUnix", json!(NOW))), short);
    assert!(refusals("operational", &|i| set(i, "/approvals/1/expiresAtUnix", json!(NOW + 1))).is_empty());
    assert_eq!(refusals("operational", &|i| set(i, "/approvals/1/decidedAtUnix", json!(NOW + 1))), short);
    assert_eq!(refusals("operational", &|i| set(i, "/approvals/1/approver/kind", json!("workload"))), short);
    // unmapped ids count for low and moderate, not for high
    let unmapped = |i: &mut Value| set(i, "/approvals/2/approver/person", Value::Null);
    assert_eq!(refusals("security-sensitive", &unmapped), short);
    assert!(refusals("operational", &|i| set(i, "/approvals/1/approver/person", Value::Null)).is_empty());
    // seven days for security-sensitive, to the second
    let age = |seconds: i64| move |i: &mut Value| set(i, "/approvals/2/decidedAtUnix", json!(NOW - seconds));
    assert!(refusals("security-sensitive", &age(7 * DAY)).is_empty());
    assert_eq!(refusals("security-sensitive", &age(7 * DAY + 1)), short);
}

#[test]
fn an_author_under_another_id_is_an_author() {
    let bundle = starter();
    for broken in ["/approvals/0/approver", "/approvals/1/approver"] {
        // the trust policy maps the approver to the author's person
        let mut input = good(&bundle, "prod", "operational");
        set(&mut input, &format!("{broken}/person"), json!("alice"));
        assert!(refused(&decide(&bundle, &input)).contains(&"EV-APPR-002"), "{broken}");
        // an unmapped author approves under the same id
        let mut input = good(&bundle, "prod", "operational");
        set(&mut input, "/change/authors/0/person", Value::Null);
        set(&mut input, &format!("{broken}/id"), json!("mailto:alice@example.org"));
        assert!(refused(&decide(&bundle, &input)).contains(&"EV-APPR-002"), "{broken}");
    }
}

#[test]
fn a_policy_that_is_not_pinned_needs_an_owner_and_an_engineer_who_did_not_write_it() {
    let bundle = starter();
    let with = |broken: &dyn Fn(&mut Value)| {
        let mut input = good(&bundle, "dev", "operational");
        let subjects = [bundle.digest().to_string()];
        let approvals = [("olga", "policy-owner"), ("emil", "engineer")]
            .iter()
            .zip(80..)
            .map(|((who, role), n)| approval(n, "policy", who, &[role], &subjects, &Value::Null));
        set(&mut input, "/policy/pinned", json!(false));
        set(&mut input, "/policy/approvals", approvals.collect());
        set(&mut input, "/policy/authors", json!([{ "id": "mailto:pat@example.org", "person": "pat" }]));
        broken(&mut input);
        outcome(&decide(&bundle, &input), "EV-POL-001").result
    };
    assert_eq!(with(&|_| {}), CheckResult::Passed);
    assert_eq!(with(&|i| set(i, "/policy/authors/0/person", json!("emil"))), CheckResult::Failed);
    assert_eq!(with(&|i| set(i, "/policy/approvals/1/approver/person", json!("olga"))), CheckResult::Failed);
    assert_eq!(
        with(&|i| set(i, "/policy/approvals/0/subjects", json!([format!("sha256:{}", hex('0'))]))),
        CheckResult::Failed
    );
    assert_eq!(with(&|i| set(i, "/policy/digest", json!(hex('0')))), CheckResult::Failed);
    assert_eq!(with(&|i| set(i, "/policy/approvals/0/decision", json!("REJECTED"))), CheckResult::Failed);
}

#[test]
fn advisory_failures_are_told_and_do_not_decide() {
    let bundle = starter();
    let mut input = good(&bundle, "dev", "operational");
    set(&mut input, "/evidence/sbom", json!([]));
    set(&mut input, "/evidence/tests", json!([]));
    let evaluation = decide(&bundle, &input);
    assert_eq!(evaluation.result, EvaluationResult::Passed);
    for id in ["EV-SBOM-001", "EV-TEST-001"] {
        let told = outcome(&evaluation, id);
        assert_eq!((told.result, told.enforcement), (CheckResult::Failed, Enforcement::Advisory));
        assert!(told.message.is_some());
    }
    // a raised tier turns each warning into a refusal
    set(&mut input, "/change/bumped", json!(true));
    assert_eq!(refused(&decide(&bundle, &input)), ["EV-SBOM-001", "EV-TEST-001"]);
    // a kind of test that is only advised warns on a check that passes
    let mut input = good(&bundle, "prod", "data-processing");
    input["evidence"]["tests"].as_array_mut().unwrap().retain(|test| test["kind"] != "system");
    let evaluation = decide(&bundle, &input);
    assert_eq!(evaluation.result, EvaluationResult::Passed);
    assert!(outcome(&evaluation, "EV-TEST-001").message.as_deref().unwrap().contains("Test kind system: missing."));
}

#[test]
fn values_in_messages_are_bounded_and_hold_no_control_characters() {
    let bundle: PolicyBundle = starter();
    let mut input = good(&bundle, "prod", "operational");
    set(&mut input, "/evidence/provenance/0/builderAuthorised", json!(false));
    let nasty = format!("a\u{1b}[31m\n\u{202e}{{allowed}}{}", "x".repeat(5000));
    set(&mut input, "/evidence/provenance/0/builderId", json!(nasty));
    let message = outcome(&decide(&bundle, &input), "EV-PROV-002").message.clone().unwrap();
    assert!(message.contains("Builder a[31m{allowed}xxx"), "{message}");
    assert!(message.chars().count() < 700 && !message.contains(|c: char| c.is_control() || c == '\u{202e}'));
}

#[test]
fn s058_a_message_stays_short_however_much_is_wrong() {
    let bundle = starter();
    let mut input = good(&bundle, "prod", "operational");
    let refused: Vec<Value> = (0..300)
        .map(|index| {
            json!({ "index": index, "payload": null, "code": "BAD_SIGNATURE", "signer": "x".repeat(300),
                    "predicateType": null, "actor": null, "why": "edited" })
        })
        .collect();
    set(&mut input, "/records/refused", json!(refused));
    for record in 0..300 {
        let mut other = input["evidence"]["tests"][0].clone();
        (other["index"], other["result"], other["tool"]) =
            (json!(200 + record), json!("FAILED"), json!(format!("{record}")));
        input["evidence"]["tests"].as_array_mut().unwrap().push(other);
    }
    let evaluation = decide(&bundle, &input);
    for check in &evaluation.checks {
        let message = check.message.as_deref().unwrap_or_default();
        assert!(message.chars().count() <= 600, "{message}");
    }
    let message = outcome(&evaluation, "EV-SIG-001").message.as_deref().unwrap();
    assert!(message.contains("Record at entry 0 has no valid signature.") && message.contains(" And 29"), "{message}");
}

#[test]
fn an_author_cannot_say_that_the_reviewed_tree_is_that_of_another_commit() {
    let bundle = starter();
    let mut input = good(&bundle, "prod", "operational");
    let evil = "e".repeat(40);
    set(&mut input, "/change/revisions/0/commit", json!(evil));
    set(&mut input, "/evidence/provenance/0/commit", json!(evil));
    assert_eq!(refused(&decide(&bundle, &input)), ["EV-SRC-002"]);
    // the builder may: a merge of the reviewed tree under another commit
    set(&mut input, "/evidence/provenance/0/tree", json!(tree()));
    assert_eq!(decide(&bundle, &input).result, EvaluationResult::Passed);
    set(&mut input, "/evidence/provenance/0/tree", json!("8".repeat(40)));
    assert_eq!(refused(&decide(&bundle, &input)), ["EV-SRC-002"]);
}

#[test]
fn a_failing_test_of_no_kind_counts_against_every_kind() {
    let bundle = starter();
    let mut input = good(&bundle, "prod", "operational");
    let mut unspecified = input["evidence"]["tests"][0].clone();
    (unspecified["kind"], unspecified["result"], unspecified["index"]) =
        (json!("unspecified"), json!("FAILED"), json!(80));
    set(&mut input, "/evidence/tests/-", unspecified.clone());
    let evaluation = decide(&bundle, &input);
    assert_eq!(refused(&evaluation), ["EV-TEST-001"]);
    let message = outcome(&evaluation, "EV-TEST-001").message.as_deref().unwrap();
    assert!(message.contains("Test kind of no kind: FAILED by cargo test."), "{message}");
    // the next run of the same tool answers it, and still counts for no kind
    (unspecified["result"], unspecified["index"]) = (json!("PASSED"), json!(81));
    set(&mut input, "/evidence/tests/-", unspecified.clone());
    assert_eq!(decide(&bundle, &input).result, EvaluationResult::Passed);
    set(&mut input, "/evidence/tests", json!([unspecified]));
    assert_eq!(refused(&decide(&bundle, &input)), ["EV-TEST-001", "EV-TEST-002"]);
}
