//! Drift: what an observer saw running, against what was deployed with a decision.

use serde::Serialize;
use serde_json::Map;

use super::custody::finding;
use super::{Recorded, recorded};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::ledger::{Ledger, LedgerRecord, Selection};
use crate::predicate::{
    Coverage, Deployment, DeploymentStatus, DriftAction, DriftKind, DriftReport, EnvironmentSnapshot, Finding,
    FindingType, Observed, Predicate, RecordRef, Severity,
};
use crate::signer::Signer;
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// A recorded comparison of an environment with what was approved for it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Drift {
    /// What was found, as recorded.
    pub report: DriftReport,
    /// The record.
    pub recorded: Recorded,
}

/// Compares the newest snapshot of an environment with the newest successful deployments into it, and records the
/// result. Findings: another digest or configuration than deployed, a digest nobody could tell, a workload nobody
/// deployed, a deployed workload that is gone (only a full snapshot can tell), a deployment without a decision.
///
/// # Errors
/// `NOT_FOUND` if the environment was never observed; those of the ledger.
pub fn drift(ledger: &mut Ledger, environment_id: &str, signer: &dyn Signer, now: Timestamp) -> Result<Drift> {
    ledger.refresh()?;
    let selected = ledger.select(&Selection::default().with("environment", environment_id))?;
    let mut snapshot = None;
    let mut deployments: Vec<(LedgerRecord, Deployment)> = Vec::new();
    for index in selected.matched {
        let record = ledger.record(index)?;
        match record.statement().predicate()? {
            Predicate::EnvironmentSnapshot(s) if s.environment.id == environment_id && !record.revoked => {
                snapshot = Some((record, *s));
            }
            Predicate::Deployment(d)
                if d.environment.id == environment_id && d.status == DeploymentStatus::Succeeded =>
            {
                deployments.push((record, *d));
            }
            _ => {}
        }
    }
    let (observed, snapshot) = snapshot.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!("nobody has observed the environment `{environment_id}`; record a snapshot first"),
        )
    })?;
    let (findings, baseline) = compare(&snapshot, &deployments)?;
    let action = if findings.is_empty() { DriftAction::None } else { DriftAction::Alerted };
    let report = DriftReport {
        kind: DriftKind::Drift,
        compared_at: now,
        snapshot: Some(RecordRef::to(&observed.statement().payload_digest())),
        baseline,
        window: None,
        findings,
        action,
        action_reference: None,
    };
    let subject = ResourceDescriptor::of(observed.statement().payload_digest()).named("environment snapshot");
    let statement = Statement::new(vec![subject], &report)?;
    let recorded = recorded(ledger, &statement, signer, now)?;
    Ok(Drift { report, recorded })
}

fn compare(
    snapshot: &EnvironmentSnapshot,
    deployments: &[(LedgerRecord, Deployment)],
) -> Result<(Vec<Finding>, Vec<RecordRef>)> {
    let mut findings = Vec::new();
    let mut baseline: Vec<RecordRef> = Vec::new();
    let newest = |resource: &str| deployments.iter().rev().find(|(_, d)| d.resources.iter().any(|r| r == resource));
    for running in &snapshot.state {
        let Some((record, deployment)) = newest(&running.resource) else {
            findings.push(about(running, FindingType::DeploymentWithoutRecord, Severity::High, None));
            continue;
        };
        let reference = RecordRef::to(&record.statement().payload_digest());
        if !baseline.contains(&reference) {
            baseline.push(reference);
        }
        let expected: Vec<&DigestSet> =
            record.statement().subjects().iter().filter_map(|s| s.digest.as_ref()).collect();
        // a gate decides about SHA-256 alone, so that no other digest beside it can make something else approved
        match running.digest.as_ref().and_then(|d| d.get(Algorithm::Sha256)) {
            None => {
                findings.push(about(running, FindingType::UnknownDigest, Severity::High, expected.first().copied()));
            }
            Some(digest) if !expected.iter().any(|e| e.contains(&digest)) => {
                findings.push(about(
                    running,
                    FindingType::UnapprovedDigest,
                    Severity::Critical,
                    expected.first().copied(),
                ));
            }
            Some(_) => {}
        }
        if let Some(configuration) = &running.configuration {
            let known = deployment.configuration.iter().any(|c| configuration.known().any(|d| c.has(&d)));
            if !known {
                findings.push(about(running, FindingType::UnapprovedConfiguration, Severity::High, None));
            }
        }
        // a revoked deployer did deploy, and what it did counts as done without a decision
        if deployment.decision.is_none() || record.revoked {
            findings.push(about(running, FindingType::DeploymentWithoutDecision, Severity::High, None));
        }
    }
    if snapshot.coverage == Coverage::Full {
        let mut gone: Vec<&String> = deployments.iter().flat_map(|(_, d)| &d.resources).collect();
        gone.sort();
        gone.dedup();
        for resource in gone.into_iter().filter(|r| !snapshot.state.iter().any(|s| s.resource == **r)) {
            let mut missing = finding(FindingType::MissingResource, Severity::High);
            missing.resource = Some(resource.clone());
            findings.push(missing);
        }
    }
    Ok((findings, baseline))
}

fn about(running: &Observed, finding_type: FindingType, severity: Severity, expected: Option<&DigestSet>) -> Finding {
    let mut finding = finding(finding_type, severity);
    finding.resource = Some(running.resource.clone());
    finding.expected = expected.and_then(digest_value);
    finding.observed = running.digest.as_ref().and_then(digest_value);
    finding
}

fn digest_value(digests: &DigestSet) -> Option<Map<String, Value>> {
    let digest = digests.get(Algorithm::Sha256)?;
    Some([("sha256".to_owned(), Value::String(digest.hex()))].into_iter().collect())
}
