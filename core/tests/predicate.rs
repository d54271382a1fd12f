//! Our predicates against their schema: both accept the same examples, and both refuse what lacks a required field.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "helpers of tests fail the test by panicking"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;

use sealwright::digest::Digest;
use sealwright::json;
use sealwright::predicate::{EnvironmentSnapshot, Predicate, PredicateType, RecordRef, TrustPolicy, nonce};
use sealwright::statement::Statement;
use serde_json::{Value, json};

const NAMES: [&str; 14] = [
    "change-request",
    "approval",
    "policy-evaluation",
    "promotion",
    "deployment",
    "environment-snapshot",
    "drift-report",
    "key-access",
    "privileged-session",
    "audit-log-segment",
    "legal-hold",
    "retention-disposal",
    "evidence-pack",
    "trust-policy",
];

#[test]
fn every_example_is_accepted_by_schema_and_library_and_written_without_loss() {
    let schema = jsonschema::validator_for(&fixture("schema")).unwrap();
    for name in NAMES {
        let example = fixture(name);
        assert!(schema.is_valid(&example), "{name}: {:?}", schema.iter_errors(&example).next());
        let statement = statement(&example);
        let again = rewritten(&statement);
        assert_eq!(again.predicate_json().unwrap(), example["predicate"], "{name}");
        assert_eq!(again.predicate_type(), example["predicateType"], "{name}");
        assert_eq!(again.payload(), json::canonical("example", &example).unwrap(), "{name}");
        assert_eq!(again.predicate().unwrap(), statement.predicate().unwrap(), "{name}");
    }
}

#[test]
fn each_required_field_is_demanded_by_schema_and_library() {
    let schema = fixture("schema");
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in NAMES {
        let example = fixture(name);
        let definition = &schema["$defs"][name];
        let (mut there, mut demanded) = (Vec::new(), BTreeSet::new());
        required(&schema, definition, Some(&example["predicate"]), "/predicate", "", &mut there);
        all_required(&schema, definition, "", &mut demanded);
        let tried: BTreeSet<_> = there.iter().map(|(_, place)| place.clone()).collect();
        assert_eq!(tried, demanded, "{name}: the example lacks an object whose fields are required");
        for (pointer, _) in &there {
            let mut without = example.clone();
            remove(&mut without, pointer);
            assert!(!validator.is_valid(&without), "{name}: the schema does not demand {pointer}");
            let e = statement(&without).predicate().expect_err(pointer);
            assert_eq!(e.code(), "MALFORMED", "{name} without {pointer}");
            // without its one member, what is at fault is the digest set
            let field = pointer.trim_end_matches("/sha256").rsplit('/').next().unwrap();
            assert!(e.message().contains(field), "{name} without {pointer}: {e}");
        }
    }
}

#[test]
fn each_conditional_requirement_is_demanded_by_name() {
    let grant = json!({"id": "X", "result": "EXCEPTED", "enforcement": "advisory", "controls": []});
    let failed = json!({"id": "X", "result": "FAILED", "enforcement": "advisory", "controls": [], "message": "m"});
    let error = json!({"id": "X", "result": "ERROR", "enforcement": "advisory", "controls": [], "remediation": "r"});
    let cases = [
        ("change-request", json!({"intendedUse": null}), "intendedUse"),
        ("approval", json!({"approver/displayName": null}), "approver.displayName"),
        ("approval", json!({"changeId": null}), "changeId"),
        ("approval", json!({"stage": "change", "changeId": null}), "changeId"),
        ("approval", json!({"stage": "retroactive", "changeId": null}), "changeId"),
        ("approval", json!({"stage": "promotion", "environment": null}), "environment"),
        ("approval", json!({"stage": "deployment", "environment": null}), "environment"),
        ("approval", json!({"overTree": null}), "overTree"),
        ("approval", json!({"overTree": {"sha256": "0".repeat(64)}}), "overTree"),
        ("approval", json!({"dismisses": null}), "dismisses"),
        ("approval", json!({"capture/system": null}), "capture.system"),
        ("approval", json!({"capture/sourceEvent": null}), "capture.sourceEvent"),
        ("approval", json!({"capture/method": "delegated", "capture/system": null}), "capture.system"),
        ("policy-evaluation", json!({"changeId": null}), "changeId"),
        ("policy-evaluation", json!({"gate": "staging", "changeId": null}), "changeId"),
        ("policy-evaluation", json!({"environment": null}), "environment"),
        ("policy-evaluation", json!({"gate": "dev", "environment": null}), "environment"),
        ("policy-evaluation", json!({"enforcement": "advisory"}), "enforcement"),
        ("policy-evaluation", json!({"ledgerState/anchoredAt": null}), "ledgerState.anchoredAt"),
        ("policy-evaluation", json!({"evaluatedAt": "2026-11-02T11:58:59Z"}), "evaluatedAt"),
        ("policy-evaluation", json!({"checks/0": grant}), "checks[0].exception"),
        ("policy-evaluation", json!({"checks/0": failed}), "checks[0].remediation"),
        ("policy-evaluation", json!({"checks/0": error}), "checks[0].message"),
        ("policy-evaluation", json!({"result": "PASSED"}), "result"),
        ("policy-evaluation", json!({"result": "PASSED", "checks": []}), "result"),
        ("promotion", json!({"from": null}), "from"),
        ("deployment", json!({"finishedAt": null}), "finishedAt"),
        ("deployment", json!({"finishedAt": "2026-11-02T12:05:59Z"}), "finishedAt"),
        ("deployment", json!({"promotion": null}), "promotion"),
        ("deployment", json!({"promotion": null, "environment/class": "test"}), "promotion"),
        ("deployment", json!({"configuration/0": {"uri": "https://example.org/values"}}), "configuration[0].digest"),
        ("drift-report", json!({"snapshot": null}), "snapshot"),
        ("drift-report", json!({"kind": "evidence-gap", "window": null}), "window"),
        ("drift-report", json!({"window/to": "2026-10-01T00:00:00Z"}), "window.to"),
        ("key-access", json!({"signedDigest": null, "count": null, "window": null}), "signedDigest"),
        ("key-access", json!({"window": null}), "window"),
        ("key-access", json!({"window/to": "2026-11-02T11:00:00Z"}), "window.to"),
        (
            "key-access",
            json!({"sourceEvent/digest": null, "sourceEvent/uri": "https://x.example.org"}),
            "sourceEvent.digest",
        ),
        ("privileged-session", json!({"incident": null}), "incident"),
        ("privileged-session", json!({"endedAt": "2026-11-02T11:00:00Z"}), "endedAt"),
        ("privileged-session", json!({"expiresAt": "2026-11-02T11:00:00Z"}), "expiresAt"),
        ("audit-log-segment", json!({"previousSegment": null}), "previousSegment"),
        ("audit-log-segment", json!({"lastEventAt": "2026-11-02T11:00:00Z"}), "lastEventAt"),
        ("evidence-pack", json!({"generatedAt": "2026-11-03T08:59:59Z"}), "generatedAt"),
        ("evidence-pack", json!({"redactions/0/record": null, "redactions/0/path": null}), "redactions[0]"),
        ("trust-policy", json!({"version": 0}), "version"),
        ("trust-policy", json!({"supersedes": null}), "supersedes"),
        ("trust-policy", json!({"threshold": 0}), "threshold"),
        ("trust-policy", json!({"threshold": 1}), "threshold"),
        ("trust-policy", json!({"threshold": 3}), "threshold"),
        ("trust-policy", json!({"quorum": 0}), "quorum"),
        ("trust-policy", json!({"quorum": 2}), "quorum"),
        ("trust-policy", json!({"admins/0/signer": "nobody"}), "admins[0].signer"),
        ("trust-policy", json!({"admins/0/signer": "ben"}), "admins[1].signer"),
        ("trust-policy", json!({"signers/0/key": null}), "signers[0].issuer"),
        ("trust-policy", json!({"signers/1/issuer": null}), "signers[1].issuer"),
        ("trust-policy", json!({"signers/1/identity": null}), "signers[1].identity"),
        ("trust-policy", json!({"signers/0/identity": "x"}), "signers[0]"),
        ("trust-policy", json!({"signers/0/key/content": null}), "signers[0].key.content"),
        ("trust-policy", json!({"signers/0/key/content": "AAAA"}), "signers[0].key.digest"),
        ("trust-policy", json!({"signers/0/predicateTypes/0": "https://slsa.dev/*"}), "signers[0].predicateTypes[0]"),
        ("trust-policy", json!({"signers/0/validUntil": "2025-01-01T00:00:00Z"}), "signers[0].validUntil"),
        ("trust-policy", json!({"signers/0/for/0": {}}), "signers[0].for[0]"),
        ("trust-policy", json!({"signers/1/name": "ci"}), "signers"),
        (
            "trust-policy",
            json!({"people/0/ids/1": {"issuer": "https://id.example.org", "subject": "1002"}}),
            "people[0].ids[1]",
        ),
        ("trust-policy", json!({"trustedRoots/0/content": "AAAA"}), "trustedRoots[0].digest"),
        ("trust-policy", json!({"trustedRoots/0/digest": null}), "trustedRoots[0].digest"),
        ("trust-policy", json!({"keyless/predicateTypes": []}), "keyless.predicateTypes"),
        ("trust-policy", json!({"keyless/maxCertificateSeconds": 0}), "keyless.maxCertificateSeconds"),
        ("trust-policy", json!({"signers/0/extensions": {"buildTrigger": "push"}}), "signers[0]"),
        ("trust-policy", json!({"signers/0/for/0/collector": null}), "signers[0].for[0].attributes"),
        ("trust-policy", json!({"policyBundle": {"uri": "https://example.org/bundle"}}), "policyBundle.digest"),
    ];
    for (name, edits, field) in cases {
        let e = statement(&edited(name, &edits)).predicate().expect_err(&format!("{name} with {edits}"));
        assert_eq!(e.code(), "MALFORMED", "{name} with {edits}");
        assert!(e.message().starts_with(&format!("`predicate.{field}` ")), "{name} with {edits}: {e}");
    }
}

#[test]
fn what_a_condition_does_not_ask_for_may_be_left_out() {
    let cases = [
        ("change-request", json!({"intendedUse": null, "categories": ["operational"], "emergency": null})),
        ("approval", json!({"stage": "policy", "changeId": null, "overTree": null, "environment": null})),
        ("approval", json!({"decision": "APPROVED", "dismisses": null})),
        ("approval", json!({"approver/kind": "workload", "approver/displayName": null})),
        ("approval", json!({"capture": {"method": "direct-signature"}})),
        ("policy-evaluation", json!({"ledgerState/anchoredAt": null, "profile/singleOperator": true})),
        (
            "policy-evaluation",
            json!({"gate": "build", "changeId": null, "environment": null, "ledgerState/anchoredAt": null}),
        ),
        ("policy-evaluation", json!({"gate": "dev", "enforcement": "advisory"})),
        ("policy-evaluation", json!({"result": "PASSED", "checks/1/enforcement": "advisory"})),
        ("promotion", json!({"from": null, "previousPromotion": null})),
        ("deployment", json!({"decision": null, "promotion": null})),
        ("deployment", json!({"promotion": null, "environment/class": "dev"})),
        ("deployment", json!({"status": "STARTED", "finishedAt": null})),
        ("drift-report", json!({"window": null})),
        ("key-access", json!({"signedDigest": null})),
        ("key-access", json!({"signedDigest": null, "count": null, "window": null, "outcome": "DENIED"})),
        ("privileged-session", json!({"incident": null, "accessKind": "exec"})),
        ("audit-log-segment", json!({"previousSegment": null, "sequence": 0})),
        ("drift-report", json!({"kind": "evidence-gap", "snapshot": null})),
        ("trust-policy", json!({"version": 1, "supersedes": null})),
        ("trust-policy", json!({"threshold": 1, "quorum": 0, "profile/singleOperator": true})),
    ];
    for (name, edits) in cases {
        let statement = statement(&edited(name, &edits));
        statement.predicate().unwrap_or_else(|e| panic!("{name} with {edits}: {e}"));
        rewritten(&statement);
    }
}

#[test]
fn shapes_are_checked_wherever_they_stand() {
    let cases = [
        ("change-request", json!({"nonce": "00"}), "nonce"),
        ("change-request", json!({"nonce": "A".repeat(32)}), "nonce"),
        ("change-request", json!({"changeId": "42"}), "changeId"),
        ("change-request", json!({"changeId": "https://example.org/a b"}), "changeId"),
        ("change-request", json!({"title": ""}), "title"),
        ("change-request", json!({"authors": []}), "authors"),
        ("change-request", json!({"authors/1/id": "ci"}), "authors[1].id"),
        ("change-request", json!({"categories": []}), "categories"),
        ("change-request", json!({"impact/summary": ""}), "impact.summary"),
        ("change-request", json!({"risks/0/mediaType": "application/json"}), "risks[0].mediaType"),
        ("change-request", json!({"risks/0/digest": {"gitCommit": "0".repeat(40)}}), "risks[0].digest"),
        ("change-request", json!({"problemReports/0": {"name": "x"}}), "problemReports[0]"),
        ("policy-evaluation", json!({"inputDigest": "sha256:00"}), "inputDigest"),
        ("deployment", json!({"changeIds/0": "42"}), "changeIds[0]"),
        ("environment-snapshot", json!({"state/0/resource": "z:z"}), "state"),
        ("evidence-pack", json!({"custody/0/sha256": "x"}), "custody[0].sha256"),
    ];
    for (name, edits, field) in cases {
        let e = statement(&edited(name, &edits)).predicate().expect_err(&format!("{name} with {edits}"));
        assert_eq!(e.code(), "MALFORMED");
        assert!(e.message().starts_with(&format!("`predicate.{field}` ")), "{name} with {edits}: {e}");
    }
}

#[test]
fn words_outside_a_closed_vocabulary_and_members_too_many_in_a_pack_ledger_are_refused() {
    for (name, edits) in [
        ("change-request", json!({"riskTier": "HIGH"})),
        ("approval", json!({"decision": "approved"})),
        ("policy-evaluation", json!({"gate": "production"})),
        ("deployment", json!({"status": "DONE"})),
        ("drift-report", json!({"findings/0/type": "other"})),
        ("evidence-pack", json!({"ledger/extra": 1})),
    ] {
        assert_eq!(statement(&edited(name, &edits)).predicate().unwrap_err().code(), "MALFORMED", "{name} {edits}");
    }
}

#[test]
fn fields_nobody_knows_are_ignored_and_stay_in_the_payload() {
    for name in NAMES {
        let example = edited(name, &json!({"com.example.extra": {"x": [1]}}));
        let statement = statement(&example);
        assert_eq!(statement.predicate().unwrap(), self::statement(&fixture(name)).predicate().unwrap(), "{name}");
        assert_eq!(statement.predicate_json().unwrap(), example["predicate"], "{name}");
    }
}

#[test]
fn subjects_that_are_computed_are_those_of_the_examples() {
    let policy = statement(&fixture("trust-policy"));
    assert!(policy.has_subject(&policy.predicate_as::<TrustPolicy>().unwrap().subject_digest().unwrap()));
    let snapshot = statement(&fixture("environment-snapshot"));
    assert!(snapshot.has_subject(&snapshot.predicate_as::<EnvironmentSnapshot>().unwrap().state_digest().unwrap()));
}

#[test]
fn two_nonces_differ_and_have_the_shape_a_record_demands() {
    let (one, two) = (nonce().unwrap(), nonce().unwrap());
    assert_ne!(one, two);
    statement(&edited("promotion", &json!({"nonce": one}))).predicate().unwrap();
}

#[test]
fn a_reference_to_something_that_is_no_sha256_points_nowhere() {
    assert_eq!(RecordRef::to(&Digest::of_uri("x:y")).payload().unwrap_err().code(), "MALFORMED");
}

/// The pointer to each required field that is there, with its place in the schema (array indexes left out).
fn required(
    root: &Value,
    schema: &Value,
    value: Option<&Value>,
    pointer: &str,
    place: &str,
    found: &mut Vec<(String, String)>,
) {
    let schema = resolved(root, schema);
    let Some(value) = value else { return };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.get(name).is_some() {
            found.push((format!("{pointer}/{name}"), format!("{place}/{name}")));
        }
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        required(root, inner, value.get(name), &format!("{pointer}/{name}"), &format!("{place}/{name}"), found);
    }
    for (i, item) in value.as_array().into_iter().flatten().enumerate() {
        required(root, &schema["items"], Some(item), &format!("{pointer}/{i}"), place, found);
    }
}

/// The place of every required field of the schema.
fn all_required(root: &Value, schema: &Value, place: &str, found: &mut BTreeSet<String>) {
    let schema = resolved(root, schema);
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        found.insert(format!("{place}/{name}"));
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        all_required(root, inner, &format!("{place}/{name}"), found);
    }
    if !schema["items"].is_null() {
        all_required(root, &schema["items"], place, found);
    }
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().map_or(schema, |to| root.pointer(to.trim_start_matches('#')).unwrap())
}

fn rewritten(statement: &Statement) -> Statement {
    fn new<P: PredicateType>(of: &Statement, predicate: &P) -> Statement {
        assert_eq!(of.predicate_as::<P>().unwrap().validate().map_err(|e| e.to_string()), Ok(()));
        Statement::new(of.subjects().to_vec(), predicate).unwrap()
    }
    match statement.predicate().unwrap() {
        Predicate::ChangeRequest(p) => new(statement, &*p),
        Predicate::Approval(p) => new(statement, &*p),
        Predicate::PolicyEvaluation(p) => new(statement, &*p),
        Predicate::Promotion(p) => new(statement, &*p),
        Predicate::Deployment(p) => new(statement, &*p),
        Predicate::EnvironmentSnapshot(p) => new(statement, &*p),
        Predicate::DriftReport(p) => new(statement, &*p),
        Predicate::KeyAccess(p) => new(statement, &*p),
        Predicate::PrivilegedSession(p) => new(statement, &*p),
        Predicate::AuditLogSegment(p) => new(statement, &*p),
        Predicate::LegalHold(p) => new(statement, &*p),
        Predicate::RetentionDisposal(p) => new(statement, &*p),
        Predicate::EvidencePack(p) => new(statement, &*p),
        Predicate::TrustPolicy(p) => new(statement, &*p),
        other => panic!("no example of {other:?}"),
    }
}

fn statement(value: &Value) -> Statement {
    Statement::parse(serde_json::to_vec(value).unwrap()).unwrap()
}

fn fixture(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/predicates/{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// An example with the members of its predicate at these paths set, or removed where `null`.
fn edited(name: &str, edits: &Value) -> Value {
    let mut example = fixture(name);
    for (path, value) in edits.as_object().unwrap() {
        let pointer = format!("/predicate/{path}");
        if value.is_null() {
            remove(&mut example, &pointer);
        } else {
            let (above, last) = pointer.rsplit_once('/').unwrap();
            match example.pointer_mut(above).unwrap() {
                Value::Array(list) => list[last.parse::<usize>().unwrap()] = value.clone(),
                above => above[last] = value.clone(),
            }
        }
    }
    example
}

fn remove(value: &mut Value, pointer: &str) {
    let (above, last) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(above).unwrap().as_object_mut().unwrap().remove(last).expect(pointer);
}
