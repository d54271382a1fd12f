//! Which type of evidence a record is, by its predicate type and what tells it from others of that type.
//!
//! The ids are the evidence types of the control catalogue. Types that one record alone cannot show (a second
//! build that agrees, the provenance of a policy bundle, a summary published from a decision) are not derived here.

use super::cyclonedx::Cyclonedx;
use super::reference::Reference;
use super::release::Release;
use super::scai::{ATTRIBUTES, Scai};
use super::slsa_provenance::Provenance;
use super::test_result::{TestKind, TestResult};
use super::vsa::Vsa;
use super::{Approval, NAMESPACE, PredicateType, is_sbom};
use crate::json::Value;

/// Evidence types of a predicate, as ids of the control catalogue.
pub(super) fn kinds(predicate_type: &str, predicate: &Value) -> Vec<String> {
    let text = |name: &str| predicate.get(name).and_then(Value::as_str).unwrap_or_default();
    let kinds = match predicate_type {
        t if Provenance::reads(t) => vec!["build.provenance"],
        t if Release::reads(t) => vec!["artifact.release"],
        t if Cyclonedx::reads(t) => cyclonedx(predicate),
        t if is_sbom(t) => vec!["sbom"],
        Vsa::TYPE => vsa(predicate),
        Scai::TYPE => scai(predicate),
        TestResult::TYPE => return text("sealwright_testKind").parse().ok().map(test_kind).into_iter().collect(),
        Approval::TYPE => approval(text("stage")),
        t if is_openvex(t) => vec!["vex"],
        "https://in-toto.io/attestation/runtime-trace/v0.1" => vec!["build.trace"],
        "https://in-toto.io/attestation/link/v0.3" => vec!["step.link"],
        "https://in-toto.io/attestation/vulns/v0.2" => vec!["scan.vulnerability"],
        Reference::TYPE => vec!["document.reference"],
        t => t.strip_prefix(NAMESPACE).and_then(own).into_iter().collect(),
    };
    kinds.into_iter().map(str::to_owned).collect()
}

/// OpenVEX, with or without a version.
pub(super) fn is_openvex(predicate_type: &str) -> bool {
    predicate_type.strip_prefix("https://openvex.dev/ns").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn own(name: &str) -> Option<&'static str> {
    Some(match name.strip_suffix("/v0.1")? {
        "change-request" => "change.request",
        "policy-evaluation" => "policy.evaluation",
        "exception" => "exception.grant",
        "exception-status" => "exception.status",
        "promotion" => "promotion.record",
        "deployment" => "deployment.record",
        "publication" => "publication.record",
        "rollback" => "rollback.record",
        "environment-snapshot" => "environment.snapshot",
        "drift-report" => "drift.report",
        "key-access" => "key.access",
        "privileged-session" => "privileged.session",
        "audit-log-segment" => "audit.segment",
        "incident" => "incident.record",
        "emergency-review" => "emergency.review",
        "risk" => "risk.entry",
        "legal-hold" => "retention.hold",
        "retention-disposal" => "retention.disposal",
        "trust-policy" => "trust.policy",
        "evidence-pack" => "pack.manifest",
        "scorecard" => "scorecard",
        _ => return None,
    })
}

fn approval(stage: &str) -> Vec<&'static str> {
    match stage {
        "source-review" => vec!["source.review"],
        "change" | "promotion" | "deployment" => vec!["change.approval"],
        "exception" | "policy" | "retroactive" | "disposal" => vec!["governance.approval"],
        _ => Vec::new(),
    }
}

fn test_kind(kind: TestKind) -> String {
    let family = match kind {
        TestKind::Unit
        | TestKind::Integration
        | TestKind::Contract
        | TestKind::Schema
        | TestKind::System
        | TestKind::Environment
        | TestKind::Recovery => "test",
        TestKind::Sast
        | TestKind::Dast
        | TestKind::Secrets
        | TestKind::Phi
        | TestKind::License
        | TestKind::Iac
        | TestKind::ContainerConfig
        | TestKind::Pentest => "scan",
    };
    format!("{family}.{kind}")
}

fn cyclonedx(bom: &Value) -> Vec<&'static str> {
    let analysed = items(bom, "vulnerabilities").any(|v| v.get("analysis").is_some_and(|a| !a.is_null()));
    if analysed { vec!["sbom", "vex"] } else { vec!["sbom"] }
}

fn vsa(summary: &Value) -> Vec<&'static str> {
    let has = |prefix: &str| {
        items(summary, "verifiedLevels").any(|level| level.as_str().is_some_and(|level| level.starts_with(prefix)))
    };
    let all = [
        ("SLSA_BUILD_LEVEL_", "build.vsa"),
        ("SLSA_BUILD_REPRODUCED", "build.reproduced"),
        ("SLSA_SOURCE_LEVEL_", "source.vsa"),
    ];
    all.into_iter().filter(|(prefix, _)| has(prefix)).map(|(_, kind)| kind).collect()
}

fn scai(report: &Value) -> Vec<&'static str> {
    let known = items(report, "attributes")
        .filter_map(|claim| claim.get("attribute").and_then(Value::as_str))
        .any(|attribute| ATTRIBUTES.contains(&attribute));
    if known { vec!["config.assertion"] } else { Vec::new() }
}

/// The members of a list, none if it is no list.
fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}
