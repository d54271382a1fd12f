//! What platforms, clusters and logs show, row by row: one that passes, and one that must not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "helpers of tests")]

mod corpora;
mod ingested;
mod world;

use std::io::Write as _;

use sealwright::ingest::{FORMATS, Told, read_from};
use sealwright::json::Value;
use sealwright::predicate::*;
use sealwright::statement::Statement;
use serde_json::json;

use self::ingested::{NOW, case, case_with, claims};
use self::world::World;

/// The statements of a type.
fn of<P: PredicateType>(statements: &[Statement]) -> Vec<P> {
    statements.iter().filter(|s| s.predicate_type() == P::TYPE).map(|s| s.predicate_as().unwrap()).collect()
}

/// The attributes that a case denies.
fn denied(name: &str) -> Vec<String> {
    claims(name).into_iter().filter_map(|(attribute, why)| why.map(|_| attribute)).collect()
}

/// It denies nothing, and claims this.
fn holds(name: &str, attribute: &str) {
    let claims = claims(name);
    assert!(claims.iter().any(|(claimed, _)| claimed == attribute), "{name}: {claims:?}");
    assert!(claims.iter().all(|(_, why)| why.is_none()), "{name}: {claims:?}");
}

#[test]
fn s034_an_event_of_a_forge_gives_change_request_and_approvals() {
    let change = &case("github-pull-request-event").statements[0];
    let request: ChangeRequest = change.predicate_as().unwrap();
    assert_eq!(request.change_id, "https://github.com/example/shop/pull/17");
    let authors: Vec<_> = request.authors.iter().map(|a| a.subject.clone().unwrap()).collect();
    assert_eq!(authors, ["1001", "1002"]);
    let approvals = of::<Approval>(&case("github-reviews-passed").statements);
    assert_eq!(approvals.len(), 1);
    assert_eq!(approvals[0].capture.method, CaptureMethod::SystemOfRecord);
    assert_eq!(approvals[0].approver.subject.as_deref(), Some("1002"));
    assert_eq!(approvals[0].change_id, Some(request.change_id));
    assert_eq!(of::<Approval>(&case("gitlab-approvals-passed").statements).len(), 1);
}

#[test]
fn s034_a_review_that_asks_for_changes_or_was_dismissed_approves_nothing() {
    let decisions: Vec<_> =
        of::<Approval>(&case("github-reviews-failed").statements).into_iter().map(|a| a.decision).collect();
    assert_eq!(decisions, [ApprovalDecision::Rejected; 2]);
    assert_eq!(case_with("github-reviews-remarks", &json!({})).unwrap_err().code(), "MALFORMED");
    assert_eq!(case_with("github-reviews-no-tree", &json!({})).unwrap_err().code(), "API_MISUSE");
}

#[test]
fn s034_a_branch_without_protection_is_denied() {
    holds("github-branch-protection-passed", "BRANCH_PROTECTED");
    holds("gitlab-branch-protection-passed", "BRANCH_PROTECTED");
    for name in [
        "github-branch-protection-no-review",
        "github-branch-protection-administrators",
        "github-branch-protection-unprotected",
        "gitlab-branch-protection-direct-push",
    ] {
        assert_eq!(denied(name), ["BRANCH_PROTECTED"], "{name}");
    }
}

#[test]
fn s053_each_violation_of_the_baseline_is_denied_alone() {
    holds("kubernetes-workloads-passed", "NETWORK_POLICY_PRESENT");
    assert_eq!(claims("kubernetes-workloads-passed").len(), 5);
    for (name, attribute) in [
        ("root", "NON_ROOT"),
        ("privileged", "NOT_PRIVILEGED"),
        ("no-limits", "RESOURCE_LIMITS_SET"),
        ("no-network-policy", "NETWORK_POLICY_PRESENT"),
        ("foreign-registry", "REGISTRY_ALLOWED"),
    ] {
        assert_eq!(denied(&format!("kubernetes-workloads-{name}")), [attribute]);
    }
}

#[test]
fn s053_a_snapshot_shows_what_the_pods_run_and_a_tag_is_no_digest() {
    let snapshot = &of::<EnvironmentSnapshot>(&case("kubernetes-workloads-passed").statements)[0];
    assert_eq!(snapshot.state.len(), 1);
    assert_eq!(snapshot.state[0].resource, "k8s://prod-1.example.org/shop/deployments/shop");
    assert_eq!((snapshot.state[0].replicas, snapshot.coverage), (Some(2), Coverage::Full));
    let by_tag = &of::<EnvironmentSnapshot>(&case("kubernetes-workloads-foreign-registry").statements)[0];
    assert_eq!((by_tag.state[0].digest.clone(), by_tag.coverage), (None, Coverage::Partial));
}

#[test]
fn s054_an_alert_is_found_by_the_image_that_ran_and_others_are_not() {
    let image = "sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d".parse().unwrap();
    assert!(case("falco-failed").statements[0].has_subject(&image));
    assert!(!case("falco-passed").statements[0].has_subject(&image));
    let segment = &of::<AuditLogSegment>(&case("falco-failed").statements)[0];
    assert_eq!(segment.summary.as_ref().unwrap()["outcome"]["Warning"], 1);
}

#[test]
fn s091_a_shell_in_production_is_an_alert_and_reads_are_not() {
    let mut world = World::with_policy(|policy| {
        let records = policy.signers.iter_mut().find(|s| s.name == "records").unwrap();
        let types = [PrivilegedSession::TYPE, KeyAccess::TYPE, AuditLogSegment::TYPE];
        records.predicate_types.extend(types.map(str::to_owned));
    });
    for (name, alerts) in [("kubernetes-audit-passed", 0), ("kubernetes-audit-failed", 2)] {
        let mut control = 0;
        for statement in case(name).statements {
            let receipt = world.record("records", &statement).unwrap();
            control += usize::from(world.ledger.entry(receipt.index).unwrap().control);
        }
        // the shell that no incident explains, and the read that was denied
        assert_eq!(control, alerts, "{name}");
    }
}

#[test]
fn s097_a_resource_that_changed_or_came_without_a_record_is_drift() {
    let mut world = World::with_policy(|policy| {
        let deployer = policy.signers.iter_mut().find(|s| s.name == "deployer").unwrap();
        assert!(deployer.predicate_types.contains(&Deployment::TYPE.to_owned()));
    });
    let deployed = &case("terraform-state-deployed").statements[0];
    world.record("deployer", deployed).unwrap();
    let prod = Environment::new("aws://123456789012", EnvironmentClass::Dev);
    let observed = |acl: &str, more: bool| -> Vec<Observed> {
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/reports/terraform-state/passed.json");
        let mut state: Value = serde_json::from_slice(&std::fs::read(fixture).unwrap()).unwrap();
        let resources = state["values"]["root_module"]["resources"].as_array_mut().unwrap();
        resources[0]["values"]["acl"] = json!(acl);
        if more {
            let mut other = resources[0].clone();
            other["address"] = json!("aws_s3_bucket.other");
            resources.push(other);
        }
        let told = json!({"environment": {"id": "aws://123456789012", "class": "dev"},
            "collector": {"id": "spiffe://watch.example.org/collector", "kind": "workload"}});
        let bytes = serde_json::to_vec(&state).unwrap();
        let taken = sealwright::ingest::read(&bytes, &ingested::told(&told), NOW.parse().unwrap()).unwrap();
        of::<EnvironmentSnapshot>(&taken.statements)[0].state.clone()
    };
    let undecided = FindingType::DeploymentWithoutDecision;
    let found = |world: &mut World, state| -> Vec<FindingType> {
        world.drift(&prod, state).into_iter().map(|(f, _)| f).collect()
    };
    assert_eq!(found(&mut world, observed("private", false)), [undecided; 2]);
    let changed = found(&mut world, observed("public-read", true));
    assert!(changed.contains(&FindingType::UnapprovedDigest), "{changed:?}");
    assert!(changed.contains(&FindingType::DeploymentWithoutRecord), "{changed:?}");
}

#[test]
fn s097_a_plan_names_what_it_touches_and_nothing_else() {
    let plan = &of::<Deployment>(&case("terraform-plan-passed").statements)[0];
    assert_eq!(plan.resources, ["aws://123456789012/aws_s3_bucket.shop", "aws://123456789012/aws_s3_bucket.old"]);
    assert!(plan.configuration_diff.is_some());
    assert!(case("terraform-plan-passed").holds_secrets);
    let state = String::from_utf8(case("terraform-state-passed").statements[0].payload().to_vec()).unwrap();
    assert!(!state.contains("planted-secret-value"));
}

#[test]
fn s107_a_store_without_encryption_is_denied() {
    holds("aws-settings-encrypted", "ENCRYPTED_AT_REST");
    assert_eq!(denied("aws-settings-not-encrypted"), ["ENCRYPTED_AT_REST"]);
    assert_eq!(denied("aws-settings-databases"), ["ENCRYPTED_AT_REST", "NO_PUBLIC_EXPOSURE"]);
    holds("aws-settings-object-lock", "OBJECT_LOCK_ENABLED");
    assert_eq!(denied("aws-settings-no-retention"), ["OBJECT_LOCK_ENABLED"]);
}

#[test]
fn s108_an_end_that_offers_tls_1_1_is_denied_and_so_is_plain_text_between_services() {
    holds("testssl-passed", "TLS_MIN_VERSION");
    assert_eq!(denied("testssl-tls-1.1"), ["TLS_MIN_VERSION"]);
    holds("istio-peer-authentication-passed", "MTLS_ENFORCED");
    assert_eq!(denied("istio-peer-authentication-permissive"), ["MTLS_ENFORCED"]);
    assert_eq!(denied("istio-peer-authentication-one-port"), ["MTLS_ENFORCED"]);
}

#[test]
fn s109_uses_of_a_key_are_counted_and_a_key_that_does_not_rotate_is_denied() {
    let uses = of::<KeyAccess>(&case("cloudtrail-failed").statements);
    let signed = uses.iter().find(|u| u.operation == KeyOperation::Sign).unwrap();
    assert_eq!((signed.count, signed.outcome), (Some(2), KeyOutcome::Succeeded));
    assert_eq!(signed.resource, "arn:aws:kms:eu-west-1:123456789012:key/1");
    assert!(of::<KeyAccess>(&case("cloudtrail-passed").statements).is_empty());
    holds("aws-settings-key-rotates", "CREDENTIAL_ROTATED");
    assert_eq!(denied("aws-settings-key-does-not-rotate"), ["CREDENTIAL_ROTATED"]);
    assert_eq!(denied("aws-settings-rotations"), ["CREDENTIAL_ROTATED"]);
}

#[test]
fn s110_a_place_with_data_of_people_in_it_fails_its_scan() {
    let result = |name: &str| of::<TestResult>(&case(name).statements)[0].result;
    assert_eq!(result("free-text-passed"), TestOutcome::Passed);
    assert_eq!(result("free-text-social-security-number"), TestOutcome::Failed);
}

#[test]
fn s112_reads_of_a_secrets_manager_are_on_record_and_a_refused_one_is_told() {
    let outcomes: Vec<_> =
        of::<KeyAccess>(&case("vault-audit-failed").statements).iter().map(|a| (a.operation, a.outcome)).collect();
    assert!(outcomes.contains(&(KeyOperation::Read, KeyOutcome::Succeeded)));
    assert!(outcomes.contains(&(KeyOperation::Read, KeyOutcome::Denied)));
    assert!(of::<KeyAccess>(&case("vault-audit-passed").statements).is_empty());
    assert_eq!(case_with("vault-audit-another", &json!({})).unwrap_err().code(), "MALFORMED");
}

#[test]
fn s113_a_secret_over_its_age_is_denied_and_a_younger_one_is_not() {
    let claims = claims("aws-settings-secrets");
    assert_eq!(claims.iter().map(|(_, why)| why.is_some()).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn s114_a_ci_that_is_cluster_admin_or_may_deploy_is_denied() {
    holds("kubernetes-rbac-passed", "CI_CANNOT_DEPLOY");
    assert_eq!(denied("kubernetes-rbac-cluster-admin"), ["LEAST_PRIVILEGE_REVIEWED", "CI_CANNOT_DEPLOY"]);
    assert_eq!(denied("kubernetes-rbac-all-service-accounts"), ["LEAST_PRIVILEGE_REVIEWED", "CI_CANNOT_DEPLOY"]);
    assert_eq!(denied("kubernetes-rbac-deploys"), ["CI_CANNOT_DEPLOY"]);
    assert_eq!(case_with("kubernetes-rbac-unknown-role", &json!({})).unwrap_err().code(), "MALFORMED");
}

#[test]
fn s115_rights_of_everybody_are_denied() {
    holds("kubernetes-rbac-passed", "LEAST_PRIVILEGE_REVIEWED");
    assert_eq!(denied("kubernetes-rbac-everybody"), ["LEAST_PRIVILEGE_REVIEWED"]);
}

#[test]
fn s116_an_export_of_an_identity_provider_is_a_claim_and_a_condition_denies_it() {
    holds("mapped-claim", "MFA_ENFORCED");
    assert_eq!(denied("mapped-claim-denied"), ["MFA_ENFORCED"]);
}

#[test]
fn s118_the_fields_that_an_audit_log_must_have_are_counted_where_they_are_missing() {
    let summary = |name: &str| of::<AuditLogSegment>(&case(name).statements)[0].summary.clone().unwrap();
    assert!(summary("kubernetes-audit-passed").get("missing").is_none());
    let failed = summary("kubernetes-audit-failed");
    assert_eq!(failed["missing"], json!({"outcome": 1}));
    assert_eq!(failed["who"]["ann@example.org"], 3);
    assert_eq!(case_with("kubernetes-audit-cut", &json!({})).unwrap_err().code(), "MALFORMED");
}

#[test]
fn s118_a_real_audit_log_is_read_to_its_end() {
    let Some(dir) = corpora::corpora("k8s-audit/audit2rbac") else { return };
    let bytes = std::fs::read(dir.join("testdata/demo.log")).unwrap();
    let told = json!({"source": "k8s://demo.example.org/audit", "collector": {"id": "spiffe://x.example.org/c", "kind": "workload"}});
    let taken = sealwright::ingest::read(&bytes, &ingested::told(&told), NOW.parse().unwrap()).unwrap();
    let segment = &of::<AuditLogSegment>(&taken.statements)[0];
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
    assert_eq!((taken.format, segment.event_count), ("kubernetes-audit", lines as u64));
}

#[test]
fn s118_a_long_log_is_one_segment_in_bounded_memory() {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/reports/kubernetes-audit/passed.log");
    let lines = std::fs::read(fixture).unwrap();
    let mut file = tempfile::tempfile().unwrap();
    let times = 20_000_u64;
    for _ in 0..times {
        file.write_all(&lines).unwrap();
    }
    std::io::Seek::rewind(&mut file).unwrap();
    let told = json!({"source": "k8s://x/audit", "collector": {"id": "spiffe://x.example.org/c", "kind": "workload"}});
    let told = Told::from_json(&serde_json::to_vec(&told).unwrap()).unwrap();
    let taken = read_from(&mut std::io::BufReader::new(file), &told, NOW.parse().unwrap()).unwrap();
    assert_eq!(taken.statements.len(), 1);
    let segment: AuditLogSegment = taken.statements[0].predicate_as().unwrap();
    assert_eq!(segment.event_count, 2 * times);
    assert!(taken.statements[0].payload().len() < 2000);
}

#[test]
fn s119_logs_of_cloud_and_forges_become_segments_and_a_log_of_nobody_is_refused() {
    for (name, kind) in [
        ("cloudtrail-passed", LogKind::CloudAudit),
        ("azure-monitor-passed", LogKind::CloudAudit),
        ("github-audit-passed", LogKind::ScmAudit),
        ("gitlab-audit-passed", LogKind::ScmAudit),
    ] {
        let segment = &of::<AuditLogSegment>(&case(name).statements)[0];
        assert_eq!(segment.source_kind, kind, "{name}");
        assert!(segment.event_count > 0, "{name}");
    }
    for name in ["github-audit-no-collector", "gitlab-audit-no-source"] {
        assert_eq!(case_with(name, &json!({})).unwrap_err().code(), "API_MISUSE", "{name}");
    }
}

#[test]
fn s119_a_command_run_in_a_machine_by_azure_is_a_session_and_its_vault_tells_of_keys_and_secrets() {
    let sessions = of::<PrivilegedSession>(&case("azure-monitor-failed").statements);
    assert_eq!(sessions.len(), 1);
    assert_eq!((sessions[0].access_kind, sessions[0].ended_at.is_some()), (AccessKind::Exec, true));
    let uses = of::<KeyAccess>(&case("azure-monitor-key-vault").statements);
    let told: Vec<_> = uses.iter().map(|u| (u.operation, u.outcome, u.count, u.actor.kind)).collect();
    // versions of one secret are one secret
    assert!(told.contains(&(KeyOperation::Read, KeyOutcome::Succeeded, Some(2), ActorKind::Workload)));
    assert!(told.contains(&(KeyOperation::Read, KeyOutcome::Denied, Some(1), ActorKind::Human)));
    assert!(told.contains(&(KeyOperation::Sign, KeyOutcome::Succeeded, Some(1), ActorKind::Workload)));
    assert_eq!(told.len(), 3);
    assert_eq!(case_with("azure-monitor-command-without-id", &json!({})).unwrap_err().code(), "MALFORMED");
}

#[test]
fn s121_an_exec_is_a_session_of_its_own_with_start_and_end() {
    let statements = case("kubernetes-audit-failed").statements;
    let sessions = of::<PrivilegedSession>(&statements);
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].access_kind, AccessKind::Exec);
    assert_eq!(sessions[0].target, "k8s://prod-1.example.org/audit/shop/pods/shop-1");
    assert_eq!(sessions[0].started_at.to_string(), "2026-11-20T12:00:01Z");
    assert_eq!(sessions[0].ended_at.map(|at| at.to_string()).as_deref(), Some("2026-11-20T12:04:01Z"));
    let reads = of::<KeyAccess>(&statements);
    assert_eq!(
        reads.iter().map(|r| (r.count, r.outcome)).collect::<Vec<_>>(),
        [(Some(2), KeyOutcome::Succeeded), (Some(1), KeyOutcome::Denied)]
    );
    assert!(of::<PrivilegedSession>(&case("kubernetes-audit-passed").statements).is_empty());
}

#[test]
fn s124_a_request_that_was_not_admitted_is_found_by_its_image_and_says_why() {
    let denied = of::<TestResult>(&case("admission-review-failed").statements);
    assert_eq!(denied[0].failed_tests, ["shop/pod/shop-1: image is not signed"]);
    let image = "sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d".parse().unwrap();
    assert!(case("admission-review-failed").statements[1].has_subject(&image));
    assert!(of::<TestResult>(&case("admission-review-passed").statements).is_empty());
}

#[test]
fn s125_a_certificate_that_ends_soon_is_warned_of_and_an_expired_one_is_denied() {
    holds("cert-manager-passed", "CERTIFICATE_VALID");
    holds("cert-manager-ends-soon", "CERTIFICATE_VALID");
    let soon = case("cert-manager-ends-soon").statements[0].predicate_json().unwrap();
    assert!(soon["attributes"][0]["conditions"]["warning"].is_string());
    assert_eq!(denied("cert-manager-expired"), ["CERTIFICATE_VALID"]);
    assert_eq!(denied("cert-manager-never-issued"), ["CERTIFICATE_VALID"]);
}

#[test]
fn s126_a_backup_over_its_age_is_denied_and_one_that_shrank_is_warned_of() {
    holds("velero-passed", "BACKUP_FRESH");
    assert_eq!(denied("velero-too-old"), ["BACKUP_FRESH"]);
    holds("restic-passed", "BACKUP_FRESH");
    assert_eq!(denied("restic-too-old"), ["BACKUP_FRESH"]);
    let shrunk = case("restic-shrunk").statements[0].predicate_json().unwrap();
    assert!(shrunk["attributes"][0]["conditions"]["warning"].is_string());
}

/// A claim about monitoring, of an answer in which it is switched on or off.
fn monitored(active: bool) -> Vec<(String, bool)> {
    let answer = json!({"release": "shop-1.4.0", "dashboard": "https://monitor.example.org/d/shop", "active": active})
        .to_string();
    let told = json!({"format": "mapped", "mapping": {"v": "sealwright-mapping/v1", "tool": {"is": "monitor"},
        "ran": {"/release": "shop-1.4.0"}, "becomes": {"scai": {"attribute": "MONITORING_ACTIVE",
        "target": {"at": "/dashboard"}, "conditions": {"active": "/active"}}}}});
    let taken = sealwright::ingest::read(answer.as_bytes(), &ingested::told(&told), NOW.parse().unwrap()).unwrap();
    let claims = taken.statements[0].predicate_json().unwrap();
    let each = claims["attributes"].as_array().unwrap().iter();
    each.map(|claim| {
        (claim["target"]["uri"].as_str().unwrap().to_owned(), claim["conditions"]["active"] == json!(true))
    })
    .collect()
}

#[test]
fn s127_a_store_of_the_monitoring_itself_without_encryption_is_denied() {
    let told = json!({"source": "s3://metrics.example.org"});
    let claim =
        |name: &str| case_with(name, &told).unwrap().statements[0].predicate_json().unwrap()["attributes"][0].clone();
    let (good, bad) = (claim("aws-settings-encrypted"), claim("aws-settings-not-encrypted"));
    assert_eq!(good["target"]["uri"], "s3://metrics.example.org");
    assert!(good["conditions"]["denied"].is_null() && bad["conditions"]["denied"].is_string());
}

#[test]
fn s128_a_release_whose_monitoring_is_off_is_denied_and_one_that_is_watched_links_to_it() {
    let dashboard = "https://monitor.example.org/d/shop".to_owned();
    assert_eq!(monitored(true), [(dashboard.clone(), true)]);
    // a condition that is false denies
    assert_eq!(monitored(false), [(dashboard, false)]);
}

#[test]
fn a_report_of_500_megabytes_is_refused_before_it_is_read_to_its_end() {
    let mut endless = std::io::BufReader::new(std::io::Read::take(std::io::repeat(b'['), 500 << 20));
    for format in [None, Some("sarif"), Some("kubernetes-audit"), Some("junit"), Some("free-text")] {
        let mut told = Told::default();
        told.format = format.map(str::to_owned);
        let e = read_from(&mut endless, &told, NOW.parse().unwrap()).unwrap_err();
        assert!(["LIMIT_EXCEEDED", "MALFORMED"].contains(&e.code()), "{format:?}: {e}");
    }
}

#[test]
fn the_guide_lists_every_format_as_the_library_does_and_every_format_has_its_reports() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let guide = std::fs::read_to_string(root.join("docs/guide/ingest.md")).unwrap();
    let rows: Vec<&str> =
        guide.lines().skip_while(|l| !l.starts_with("| format |")).skip(2).take_while(|l| l.starts_with('|')).collect();
    let parsers = std::fs::read_to_string(root.join("core/tests/hostile/parsers.rs")).unwrap();
    assert_eq!(rows.len(), FORMATS.len());
    for (row, format) in rows.iter().zip(FORMATS) {
        let start = format!("| `{}` | {} | {} | ", format.name, format.recognised_by, format.says);
        assert!(row.starts_with(&start), "the guide has\n{row}\nthe library\n{start}");
        assert_eq!(row.split(" | ").last().unwrap().split(", ").count(), format.becomes.len(), "{row}");
        let cases = std::fs::read_dir(root.join("fixtures/cases/ingest")).unwrap();
        let cases = cases
            .filter(|c| c.as_ref().unwrap().file_name().to_str().unwrap().starts_with(&format!("{}-", format.name)));
        assert!(cases.count() >= 2, "{} has no cases", format.name);
        assert!(parsers.contains(&format!("\"ingest-{}\"", format.name)), "{} is not fuzzed", format.name);
    }
}

#[test]
fn a_deployment_that_a_controller_made_is_recorded_as_it_went() {
    let status = |name: &str| of::<Deployment>(&case(name).statements)[0].status;
    assert_eq!(
        (status("argo-cd-deployed"), status("argo-cd-failed")),
        (DeploymentStatus::Succeeded, DeploymentStatus::Failed)
    );
}
