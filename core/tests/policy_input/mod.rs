//! A release that passes every gate, to be broken in one place by each test.

use sealwright::policy::{
    CheckOutcome, CheckResult, Enforcement, Evaluation, PolicyBundle, evaluate_json, starter_bundle,
};
use serde_json::{Value, json};

pub(crate) const CATEGORIES: [&str; 5] =
    ["cosmetic", "operational", "data-processing", "security-sensitive", "clinical-risk"];
pub(crate) const NOW: i64 = 1_795_132_800;
pub(crate) const DAY: i64 = 86_400;

pub(crate) fn starter() -> PolicyBundle {
    PolicyBundle::parse(&starter_bundle().unwrap()).unwrap()
}

/// 64 hex digits that stand for a digest.
pub(crate) fn hex(digit: char) -> String {
    digit.to_string().repeat(64)
}

pub(crate) fn payload(number: u32) -> String {
    format!("{number:064x}")
}

pub(crate) fn sha() -> String {
    hex('a')
}

pub(crate) fn commit() -> String {
    "c".repeat(40)
}

pub(crate) fn tree() -> String {
    "7".repeat(40)
}

pub(crate) fn environment(class: &str) -> Value {
    json!({ "id": format!("k8s://{class}-1"), "class": class })
}

pub(crate) fn approval(
    number: u32,
    stage: &str,
    person: &str,
    roles: &[&str],
    subjects: &[String],
    target: &Value,
) -> Value {
    json!({
        "payload": payload(number), "index": number, "stage": stage, "decision": "APPROVED", "subjects": subjects,
        "overTree": if stage == "source-review" { json!(tree()) } else { Value::Null },
        "environment": target, "change": if stage == "policy" { Value::Null } else { json!("https://tickets.example/7") },
        "approver": { "id": format!("mailto:{person}@example.org"), "person": person, "kind": "human", "roles": roles,
                      "signer": person, "key": format!("key-{person}") },
        "decidedAtUnix": NOW - DAY, "expiresAtUnix": null, "dismisses": null,
        "displayName": person, "meaning": "approval"
    })
}

/// People enough for any single category, one person per seat.
pub(crate) fn reviews(category: &str) -> Vec<Value> {
    let seats: &[(&str, &[&str])] = match category {
        "cosmetic" | "operational" => &[("bob", &["peer-reviewer"])],
        "data-processing" => &[("bob", &["peer-reviewer"]), ("carol", &["data-owner"])],
        "security-sensitive" => &[("bob", &["peer-reviewer"]), ("carol", &["security"])],
        _ => &[("bob", &["peer-reviewer"]), ("carol", &["peer-reviewer", "code-owner"])],
    };
    let subjects = [format!("gitCommit:{}", commit()), format!("gitTree:{}", tree())];
    let seats = seats.iter().zip(20..);
    seats.map(|((who, roles), n)| approval(n, "source-review", who, roles, &subjects, &Value::Null)).collect()
}

pub(crate) fn promotion_approvals(category: &str, class: &str) -> Vec<Value> {
    let seats: &[(&str, &str)] = match (class, category) {
        ("staging", "security-sensitive") => &[("dave", "release-manager")],
        ("staging", "clinical-risk") => &[("dave", "quality")],
        ("prod", "cosmetic" | "operational") => &[("dave", "release-manager")],
        ("prod", "data-processing") => &[("dave", "release-manager"), ("erin", "privacy")],
        ("prod", "security-sensitive") => &[("dave", "release-manager"), ("erin", "security")],
        ("prod", "clinical-risk") => &[("dave", "release-manager"), ("erin", "clinical-safety"), ("frank", "quality")],
        _ => &[],
    };
    let (subjects, target) = ([format!("sha256:{}", sha())], environment(class));
    let seats = seats.iter().zip(60..);
    seats.map(|((who, role), n)| approval(n, "promotion", who, &[role], &subjects, &target)).collect()
}

fn deployment(number: u32, class: &str) -> Value {
    json!({
        "payload": payload(number), "index": number, "environment": environment(class), "digests": [sha()],
        "releaseId": "r1", "status": "SUCCEEDED", "decision": payload(number + 100),
        "signer": "deployer", "key": "key-deployer", "person": null
    })
}

/// An input that just passes `gate` for a change of one category.
pub(crate) fn good(bundle: &PolicyBundle, gate: &str, category: &str) -> Value {
    let tier = match category {
        "cosmetic" => "low",
        "operational" => "moderate",
        "clinical-risk" => "critical",
        _ => "high",
    };
    let tests = ["unit", "integration", "contract", "schema", "system", "environment"].iter().zip(10..);
    let tests: Vec<Value> = tests
        .map(|(kind, n)| {
            json!({ "payload": payload(n), "index": n, "kind": kind, "tool": "cargo test", "result": "PASSED",
                    "subjects": [format!("sha256:{}", sha())] })
        })
        .collect();
    let mut approvals = reviews(category);
    approvals.extend(promotion_approvals(category, gate));
    json!({
        "gate": gate, "nowUnix": NOW, "profile": bundle.profile(),
        "trustPolicy": { "version": 3, "payload": hex('3'), "problems": [], "builders": ["https://ci.example/build"] },
        "target": environment(gate), "releaseId": "r1", "releaseKind": "service",
        "artifact": { "sha256": sha(), "purl": null, "reference": "registry.example/app@sha256:aaaa" },
        "deployer": { "signer": "deployer", "key": "key-deployer", "person": null },
        "change": {
            "id": "https://tickets.example/7", "payload": payload(3), "index": 3, "categories": [category],
            "tier": tier, "bumped": false, "emergency": false,
            "authors": [{ "id": "mailto:alice@example.org", "person": "alice" }],
            "revisions": [{ "commit": commit(), "tree": tree() }],
            "repositories": ["git+https://git.example/app"]
        },
        "approvals": approvals,
        "evidence": {
            "provenance": [{
                "payload": payload(5), "index": 5, "builderId": "https://ci.example/build", "builderAuthorised": true,
                "signer": "builder", "key": "key-builder", "person": null, "repository": "git+https://git.example/app",
                "commit": commit(), "tree": null, "buildType": "https://ci.example/v1", "subjects": [format!("sha256:{}", sha())]
            }],
            "sbom": [{ "payload": payload(6), "index": 6, "format": "CycloneDX", "components": 12,
                       "subjects": [format!("sha256:{}", sha())] }],
            "tests": tests
        },
        "custody": {
            "promotions": [{ "payload": payload(41), "index": 41, "from": environment("dev"),
                             "to": environment("staging"), "digests": [sha()], "releaseId": "r1",
                             "decision": payload(141) }],
            "deployments": [deployment(40, "dev"), deployment(42, "staging")]
        },
        "records": { "read": 20, "refused": [] },
        "ledger": { "origin": "example.org/ledger", "size": 90, "rootHash": hex('9'), "lastEntryUnix": NOW - 60,
                    "matched": 20, "control": 4, "disposed": 0, "missing": [], "anchored": true, "proven": true,
                    "cosignatures": 0, "quorum": 0, "anchoredAtUnix": null },
        "policy": { "digest": bundle.digest().hex(), "signed": true, "pinned": true, "approvals": [], "authors": [] }
    })
}

pub(crate) fn decide(bundle: &PolicyBundle, input: &Value) -> Evaluation {
    evaluate_json(bundle, input.to_string().as_bytes())
}

/// The ids of enforced checks that did not pass.
pub(crate) fn refused(evaluation: &Evaluation) -> Vec<&str> {
    let bad = |check: &&CheckOutcome| {
        check.enforcement == Enforcement::Enforced && matches!(check.result, CheckResult::Failed | CheckResult::Error)
    };
    evaluation.checks.iter().filter(bad).map(|check| check.id.as_str()).collect()
}

pub(crate) fn outcome<'a>(evaluation: &'a Evaluation, id: &str) -> &'a CheckOutcome {
    evaluation.checks.iter().find(|check| check.id == id).unwrap()
}

/// Sets what a JSON pointer names; the parent has to exist.
pub(crate) fn set(input: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match input.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent}")) {
        Value::Object(map) => drop(map.insert(key.to_owned(), value)),
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        other => panic!("{pointer}: {other}"),
    }
}
