//! What a ledger entry derives from a record: the control flag, tags and kinds (predicates sections 1.1 and 1.2).
#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test by panicking")]

use sealwright::digest::Digest;
use sealwright::statement::Statement;
use serde_json::{Value, json};

const OURS: &str = "https://sealwright.dev/attestation/";

#[test]
fn every_row_of_the_control_table_holds() {
    let always = [
        "change-request",
        "exception-status",
        "rollback",
        "drift-report",
        "incident",
        "emergency-review",
        "risk",
        "legal-hold",
        "retention-disposal",
        "trust-policy",
    ];
    for name in always {
        assert!(of_ours(name, &json!({})).is_control(), "{name}");
    }

    for stage in ["source-review", "change", "promotion", "deployment", "exception", "retroactive", "disposal"] {
        controls("approval", &json!({"decision": "APPROVED", "stage": stage}), false);
        controls("approval", &json!({"decision": "REJECTED", "stage": stage}), true);
        controls("approval", &json!({"decision": "DISMISSED", "stage": stage}), true);
    }
    controls("approval", &json!({"decision": "APPROVED", "stage": "policy"}), true);

    let decision = reference("evaluation");
    for (status, control) in [("STARTED", false), ("SUCCEEDED", false), ("FAILED", true), ("ABORTED", true)] {
        controls("deployment", &json!({"decision": decision, "status": status}), control);
        controls("deployment", &json!({"status": status}), true);
    }
    for (status, control) in [("PUBLISHED", false), ("FAILED", true), ("WITHDRAWN", true)] {
        controls("publication", &json!({"decision": decision, "status": status}), control);
        controls("publication", &json!({"status": status}), true);
    }

    controls("policy-evaluation", &json!({"result": "PASSED"}), false);
    controls("policy-evaluation", &json!({"result": "FAILED"}), true);
    controls("policy-evaluation", &json!({"result": "ERROR"}), true);

    controls("privileged-session", &json!({"incident": decision}), false);
    controls("privileged-session", &json!({"approval": decision}), false);
    controls("privileged-session", &json!({"actor": {}}), true);

    for operation in ["sign", "verify", "encrypt", "decrypt", "read", "create", "rotate"] {
        controls("key-access", &json!({"operation": operation, "outcome": "SUCCEEDED"}), false);
        controls("key-access", &json!({"operation": operation, "outcome": "DENIED"}), true);
        controls("key-access", &json!({"operation": operation, "outcome": "FAILED"}), true);
    }
    for operation in ["disable", "destroy", "policy-change"] {
        controls("key-access", &json!({"operation": operation, "outcome": "SUCCEEDED"}), true);
    }

    for name in ["exception", "promotion", "environment-snapshot", "audit-log-segment", "evidence-pack", "scorecard"] {
        controls(name, &json!({}), false);
    }
    for other in [
        "https://slsa.dev/provenance/v1",
        "https://cyclonedx.org/bom",
        "https://spdx.dev/Document/v3",
        "https://in-toto.io/attestation/svr/v0.2",
        "https://in-toto.io/attestation/release/v0.2",
        "https://in-toto.io/attestation/link/v0.3",
        "https://in-toto.io/attestation/runtime-trace/v0.1",
        "https://in-toto.io/attestation/reference/v0.1",
        "https://example.org/anything/v1",
    ] {
        assert!(!of(other, &json!({})).is_control(), "{other}");
    }
    for unknown in ["vow/v0.1", "approval/v0.2", "exception/v1", "scorecard", ""] {
        assert!(of(&format!("{OURS}{unknown}"), &json!({})).is_control(), "{unknown}");
    }
}

#[test]
fn findings_of_standard_types_are_control_records_and_clean_passes_are_not() {
    let tests = "https://in-toto.io/attestation/test-result/v0.1";
    let vsa = "https://slsa.dev/verification_summary/v1";
    let scan = "https://in-toto.io/attestation/vulns/v0.2";
    let vex = "https://openvex.dev/ns/v0.2.0";
    let scai = "https://in-toto.io/attestation/scai/v0.3";
    let clean = [
        (tests, json!({"result": "PASSED"})),
        (tests, json!({"result": "PASSED", "failedTests": [], "sealwright_counts": {"high": 0}})),
        (vsa, json!({"verificationResult": "PASSED"})),
        (scan, json!({"scanner": {"result": []}})),
        (vex, json!({"statements": [{"status": "fixed"}, {"status": "not_affected"}]})),
        (scai, json!({"attributes": [{"attribute": "MFA_ENFORCED"}]})),
        (
            scai,
            json!({"attributes": [{"attribute": "BACKUP_FRESH", "conditions": {"ageSeconds": 5, "rpoSeconds": 5}}]}),
        ),
    ];
    for (predicate_type, predicate) in &clean {
        assert!(!of(predicate_type, predicate).is_control(), "{predicate_type} {predicate}");
    }
    let found = [
        (tests, json!({"result": "WARNED"})),
        (tests, json!({"result": "FAILED"})),
        (tests, json!({"result": "PASSED", "failedTests": ["t"]})),
        (tests, json!({"result": "PASSED", "warnedTests": ["t"]})),
        (tests, json!({"result": "PASSED", "sealwright_counts": {"low": 1}})),
        (vsa, json!({"verificationResult": "FAILED"})),
        (scan, json!({"scanner": {"result": [{"id": "CVE-2026-1"}]}})),
        (vex, json!({"statements": [{"status": "fixed"}, {"status": "affected"}]})),
        (vex, json!({"statements": [{"status": "under_investigation"}]})),
        (scai, json!({"attributes": [{"attribute": "MFA_ENFORCED", "conditions": {"enforced": false}}]})),
        (scai, json!({"attributes": [{"attribute": "MFA_ENFORCED", "conditions": {"denied": true}}]})),
        (
            scai,
            json!({"attributes": [{"attribute": "BACKUP_FRESH", "conditions": {"ageSeconds": 6, "rpoSeconds": 5}}]}),
        ),
        (scai, json!({"attributes": [{"attribute": "CREDENTIAL_ROTATED", "conditions": {"maxAgeSeconds": 5}}]})),
        (scai, json!({"attributes": [{"attribute": "PUBLICLY_EXPOSED"}]})),
    ];
    for (predicate_type, predicate) in &found {
        assert!(of(predicate_type, predicate).is_control(), "{predicate_type} {predicate}");
    }
}

#[test]
fn content_that_cannot_be_read_makes_a_control_record() {
    for name in ["approval", "deployment", "publication", "policy-evaluation", "privileged-session", "key-access"] {
        controls(name, &json!({}), true);
    }
    controls("approval", &json!({"decision": ["APPROVED"], "stage": "change"}), true);
    controls("approval", &json!({"decision": "APPROVED", "stage": "other"}), true);
    controls("deployment", &json!({"decision": {"digest": {}}, "status": "SUCCEEDED"}), true);
    controls("deployment", &json!({"decision": null, "status": "SUCCEEDED"}), true);
    controls("deployment", &json!({"decision": reference("x"), "status": "DONE"}), true);
    controls("privileged-session", &json!({"incident": {}, "approval": null}), true);
    for standard in [
        "https://in-toto.io/attestation/test-result/v0.1",
        "https://in-toto.io/attestation/vulns/v0.1",
        "https://cosign.sigstore.dev/attestation/vuln/v1",
        "https://in-toto.io/attestation/scai/v0.3",
        "https://slsa.dev/verification_summary/v1",
        "https://openvex.dev/ns",
    ] {
        assert!(of(standard, &json!({})).is_control(), "{standard}");
    }
    let counts = json!({"result": "PASSED", "sealwright_counts": {"high": "none"}});
    assert!(of("https://in-toto.io/attestation/test-result/v0.1", &counts).is_control());
}

#[test]
fn tags_name_everything_a_record_is_about_sorted_and_once() {
    let subject = json!([
        {"uri": "pkg:oci/shop@sha256%3Aab?repository_url=registry.example.org/shop", "digest": {"sha256": "b".repeat(64), "md9": "x"}},
        {"uri": "pkg:npm/%40example/shop@1.2.3#dist", "digest": {"sha256": "b".repeat(64)}},
        {"uri": "https://example.org/not-a-purl", "digest": {"gitCommit": "a".repeat(40)}},
    ]);
    let tags = about(&subject, "https://example.org/x", &json!({"changeId": "x:ignored"})).tags();
    let commit = format!("gitCommit:{}", "a".repeat(40));
    assert_eq!(tags.subject, [commit, "md9:x".to_owned(), format!("sha256:{}", "b".repeat(64))]);
    assert_eq!(tags.service, ["pkg:npm/%40example/shop", "pkg:oci/shop"]);
    assert!(tags.change.is_empty() && tags.kind.is_empty());

    let deployment = json!({"changeIds": ["x:b", "x:a", "x:b"], "releaseId": "r1", "environment": {"id": "k8s:prod"},
        "decision": reference("evaluation")});
    let tags = of_ours("deployment", &deployment).tags();
    assert_eq!(tags.change, ["x:a", "x:b"]);
    assert_eq!((tags.release, tags.environment), (vec!["r1".to_owned()], vec!["k8s:prod".to_owned()]));
    assert_eq!(tags.decision, [Digest::sha256(b"evaluation").hex()]);
    assert_eq!(tags.kind, ["deployment.record"]);

    let promotion = json!({"from": {"id": "k8s:staging"}, "to": {"id": "k8s:prod"}, "decision": reference("e")});
    let tags = of_ours("promotion", &promotion).tags();
    assert_eq!(tags.environment, ["k8s:prod", "k8s:staging"]);
    assert_eq!(tags.decision, [Digest::sha256(b"e").hex()]);

    let publication = json!({"channel": {"id": "npm:registry"}, "purl": "pkg:npm/shop@1.0.0", "decision": reference("e"),
        "changeIds": ["x:a"], "releaseId": "r1"});
    let tags = of_ours("publication", &publication).tags();
    assert_eq!((tags.environment, tags.service), (vec!["npm:registry".to_owned()], vec!["pkg:npm/shop".to_owned()]));
    assert_eq!((tags.decision.len(), tags.change.len(), tags.release.len()), (1, 1, 1));

    let evaluation = json!({"changeId": "x:a", "environment": {"id": "k8s:prod"}});
    let tags = of_ours("policy-evaluation", &evaluation).tags();
    assert_eq!((tags.change, tags.environment), (vec!["x:a".to_owned()], vec!["k8s:prod".to_owned()]));
    assert!(tags.decision.is_empty());

    let release = json!({"purl": "pkg:pypi/shop@2.1.0", "sealwright_releaseId": "r1"});
    let tags = of("https://in-toto.io/attestation/release/v0.1", &release).tags();
    assert_eq!((tags.service, tags.release), (vec!["pkg:pypi/shop".to_owned()], vec!["r1".to_owned()]));

    let grant =
        json!({"scope": {"services": ["pkg:npm/shop@1", "https://example.org/repo"], "digests": [{"sha512": "cc"}]}});
    let tags = of_ours("exception", &grant).tags();
    assert_eq!(tags.service, ["https://example.org/repo", "pkg:npm/shop"]);
    assert!(tags.subject.contains(&"sha512:cc".to_owned()));
}

#[test]
fn kinds_follow_type_and_content() {
    let tests = "https://in-toto.io/attestation/test-result/v0.1";
    let cases = [
        ("https://slsa.dev/provenance/v1", json!({}), vec!["build.provenance"]),
        ("https://slsa.dev/provenance/v1.0", json!({}), vec!["build.provenance"]),
        ("https://cyclonedx.org/bom", json!({"vulnerabilities": [{"id": "x"}]}), vec!["sbom"]),
        ("https://cyclonedx.org/bom/v1.4", json!({"vulnerabilities": [{"analysis": {}}]}), vec!["sbom", "vex"]),
        ("https://cyclonedx.org/bom/v2", json!({}), vec![]),
        ("https://spdx.dev/Document", json!({}), vec!["sbom"]),
        ("https://openvex.dev/ns/v0.2.0", json!({}), vec!["vex"]),
        ("https://openvex.dev/nsx", json!({}), vec![]),
        (tests, json!({"sealwright_testKind": "unit"}), vec!["test.unit"]),
        (tests, json!({"sealwright_testKind": "recovery"}), vec!["test.recovery"]),
        (tests, json!({"sealwright_testKind": "container-config"}), vec!["scan.container-config"]),
        (tests, json!({"sealwright_testKind": "other"}), vec![]),
        (tests, json!({}), vec![]),
        (
            "https://slsa.dev/verification_summary/v1",
            json!({"verifiedLevels": ["SLSA_SOURCE_LEVEL_3", "SLSA_BUILD_LEVEL_2", "SLSA_BUILD_REPRODUCED"]}),
            vec!["build.reproduced", "build.vsa", "source.vsa"],
        ),
        ("https://in-toto.io/attestation/scai/v0.3", json!({"attributes": [{"attribute": "X"}]}), vec![]),
        (
            "https://in-toto.io/attestation/scai/v0.3",
            json!({"attributes": [{"attribute": "X"}, {"attribute": "NON_ROOT"}]}),
            vec!["config.assertion"],
        ),
        ("https://in-toto.io/attestation/vulns/v0.2", json!({}), vec!["scan.vulnerability"]),
        ("https://in-toto.io/attestation/svr/v0.2", json!({}), vec![]),
    ];
    for (predicate_type, predicate, kinds) in cases {
        assert_eq!(of(predicate_type, &predicate).tags().kind, kinds, "{predicate_type} {predicate}");
    }
    let approvals = [
        ("source-review", "source.review"),
        ("promotion", "change.approval"),
        ("policy", "governance.approval"),
        ("disposal", "governance.approval"),
    ];
    for (stage, kind) in approvals {
        assert_eq!(of_ours("approval", &json!({"stage": stage})).tags().kind, [kind]);
    }
    assert_eq!(of_ours("legal-hold", &json!({})).tags().kind, ["retention.hold"]);
    assert!(of_ours("unheard-of", &json!({})).tags().kind.is_empty());
}

fn controls(name: &str, predicate: &Value, expected: bool) {
    assert_eq!(of_ours(name, predicate).is_control(), expected, "{name} {predicate}");
}

fn of_ours(name: &str, predicate: &Value) -> Statement {
    of(&format!("{OURS}{name}/v0.1"), predicate)
}

fn of(predicate_type: &str, predicate: &Value) -> Statement {
    about(&json!([{"digest": {"sha256": "0".repeat(64)}}]), predicate_type, predicate)
}

fn about(subject: &Value, predicate_type: &str, predicate: &Value) -> Statement {
    let statement = json!({"_type": "https://in-toto.io/Statement/v1", "subject": subject,
        "predicateType": predicate_type, "predicate": predicate});
    Statement::parse(serde_json::to_vec(&statement).unwrap()).unwrap()
}

fn reference(payload: &str) -> Value {
    json!({"digest": {"sha256": Digest::sha256(payload.as_bytes()).hex()}, "mediaType": "application/vnd.in-toto+json"})
}
