//! Chain of custody of a release, and what is missing in its evidence.

use std::collections::BTreeSet;

use serde::Serialize;

use super::of_release;
use crate::digest::{Algorithm, Digest};
use crate::error::Result;
use crate::ledger::{Ledger, LedgerRecord, Selection};
use crate::predicate::{EnvironmentClass, Finding, FindingType, Predicate, Severity};
use crate::timestamp::Timestamp;

/// Each hand-over of a release's artifacts, in the order of the ledger, and each link that is missing.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Custody {
    /// The release.
    pub release_id: String,
    /// Hand-overs.
    pub steps: Vec<CustodyStep>,
    /// Links that are missing, in words; empty means that the chain is whole.
    pub missing: Vec<String>,
}

/// One hand-over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CustodyStep {
    /// Index of the record.
    pub index: u64,
    /// When it was logged.
    pub logged_at: Timestamp,
    /// What happened: `built`, `released`, `decided`, `promoted`, `deployed` or `observed`.
    pub act: &'static str,
    /// Environment id, if it is about one.
    pub environment: Option<String>,
    /// SHA-256 of the artifacts, hex.
    pub digests: Vec<String>,
    /// The signer's name in the trust policy.
    pub signer: String,
    /// Payload digest of the decision it spent, hex.
    pub decision: Option<String>,
}

/// The chain of custody of a release.
///
/// # Errors
/// Those of [`Ledger::record`].
pub fn custody(ledger: &Ledger, release_id: &str) -> Result<Custody> {
    custody_of(&about_release(ledger, release_id)?, release_id)
}

/// The chain of custody of a release, from records that are all there is about it, and maybe others.
pub(crate) fn custody_of(records: &[LedgerRecord], release_id: &str) -> Result<Custody> {
    let mut steps = Vec::new();
    let mut without_promotion = BTreeSet::new();
    let selection = selection_of(records, release_id)?;
    for record in records.iter().filter(|r| selection.matches(&r.entry)) {
        steps.extend(step(record)?);
        if let Predicate::Deployment(d) = record.statement().predicate()?
            && d.environment.class == EnvironmentClass::Dev
            && d.promotion.is_none()
        {
            without_promotion.insert(record.index);
        }
    }
    let missing = missing_links(&steps, release_id, &without_promotion);
    Ok(Custody { release_id: release_id.to_owned(), steps, missing })
}

/// Evidence gaps of a release: deployments without a decision, artifacts without provenance or SBOM. What a signer
/// said who is revoked since is no evidence.
///
/// # Errors
/// Those of [`Ledger::record`].
pub fn gaps(ledger: &Ledger, release_id: &str) -> Result<Vec<Finding>> {
    gaps_of(&about_release(ledger, release_id)?, release_id)
}

/// Evidence gaps of a release, from records that are all there is about it, and maybe others.
pub(crate) fn gaps_of(records: &[LedgerRecord], release_id: &str) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let mut built: Vec<Digest> = Vec::new();
    let mut listed: Vec<Digest> = Vec::new();
    let mut artifacts: Vec<Digest> = Vec::new();
    let selection = selection_of(records, release_id)?;
    for record in records.iter().filter(|r| selection.matches(&r.entry)) {
        match record.statement().predicate()? {
            Predicate::Provenance(_) if !record.revoked => built.extend(sha256(record)),
            Predicate::Cyclonedx(_) | Predicate::Spdx(_) | Predicate::Spdx3(_) if !record.revoked => {
                listed.extend(sha256(record));
            }
            Predicate::Release(_) => artifacts.extend(sha256(record)),
            Predicate::Deployment(d) if d.decision.is_none() || record.revoked => {
                let mut finding = finding(FindingType::DeploymentWithoutDecision, Severity::High);
                finding.resource = Some(d.deployment_id);
                finding.first_seen_at = Some(record.logged_at()?);
                findings.push(finding);
            }
            _ => {}
        }
    }
    artifacts.sort();
    artifacts.dedup();
    for (there, kind) in [(built, "build.provenance"), (listed, "sbom")] {
        for artifact in artifacts.iter().filter(|a| !there.contains(a)) {
            let mut finding = missing(release_id, kind);
            finding.observed = Some([("sha256".to_owned(), artifact.hex().into())].into_iter().collect());
            findings.push(finding);
        }
    }
    if artifacts.is_empty() {
        findings.push(missing(release_id, "artifact.release"));
    }
    Ok(findings)
}

fn missing(release_id: &str, kind: &str) -> Finding {
    let mut finding = finding(FindingType::MissingEvidence, Severity::High);
    finding.resource = Some(format!("urn:sealwright:release:{release_id}"));
    finding.expected = Some([("kind".to_owned(), kind.into())].into_iter().collect());
    finding
}

pub(super) fn finding(finding_type: FindingType, severity: Severity) -> Finding {
    Finding {
        finding_type,
        resource: None,
        expected: None,
        observed: None,
        first_seen_at: None,
        controls: Vec::new(),
        severity,
    }
}

/// Everything about a release: what is tagged with it, and what is about its artifacts.
fn about_release(ledger: &Ledger, release_id: &str) -> Result<Vec<LedgerRecord>> {
    let selection = selection_of(&of_release(ledger, release_id)?, release_id)?;
    ledger.select(&selection)?.matched.into_iter().map(|index| ledger.record(index)).collect()
}

/// What selects everything about a release, from records that hold all that are tagged with it.
fn selection_of(records: &[LedgerRecord], release_id: &str) -> Result<Selection> {
    let mut selection = Selection::default().with("release", release_id);
    for record in records.iter().filter(|r| r.entry.has_tag("release", release_id)) {
        if matches!(record.statement().predicate()?, Predicate::Release(_)) {
            for digest in sha256(record) {
                selection = selection.with("subject", digest.to_string());
            }
        }
    }
    Ok(selection)
}

fn step(record: &LedgerRecord) -> Result<Option<CustodyStep>> {
    let (act, environment, decision) = match record.statement().predicate()? {
        Predicate::Provenance(_) => ("built", None, None),
        Predicate::Release(_) => ("released", None, None),
        Predicate::PolicyEvaluation(e) => ("decided", e.environment.map(|e| e.id), None),
        Predicate::Promotion(p) => ("promoted", Some(p.to.id), Some(p.decision.payload()?.hex())),
        Predicate::Deployment(d) => {
            // a revoked deployer did deploy, and what it did counts as done without a decision
            let decision = d.decision.filter(|_| !record.revoked).map(|r| r.payload()).transpose()?.map(|d| d.hex());
            ("deployed", Some(d.environment.id), decision)
        }
        Predicate::EnvironmentSnapshot(s) => ("observed", Some(s.environment.id), None),
        _ => return Ok(None),
    };
    Ok(Some(CustodyStep {
        index: record.index,
        logged_at: record.logged_at()?,
        act,
        environment,
        digests: sha256(record).map(|d| d.hex()).collect(),
        signer: record.speaker.signer.clone(),
        decision,
    }))
}

/// `without_promotion` are deployments that need none: into the first environment.
fn missing_links(steps: &[CustodyStep], release_id: &str, without_promotion: &BTreeSet<u64>) -> Vec<String> {
    let mut missing = Vec::new();
    let released = steps.iter().find(|s| s.act == "released");
    match released {
        None => missing.push(format!("no record begins the release `{release_id}`")),
        Some(released) => {
            for digest in &released.digests {
                if !steps.iter().any(|s| s.act == "built" && s.digests.contains(digest)) {
                    missing.push(format!("no record says how `sha256:{digest}` was built"));
                }
            }
        }
    }
    for deployed in steps.iter().filter(|s| s.act == "deployed") {
        let place = deployed.environment.as_deref().unwrap_or("nowhere");
        let index = deployed.index;
        if released.is_some_and(|r| deployed.digests.iter().any(|d| !r.digests.contains(d))) {
            missing.push(format!("entry {index} deploys to `{place}` a digest that the release does not hold"));
        }
        let promoted =
            |s: &&CustodyStep| s.act == "promoted" && s.index < index && s.environment == deployed.environment;
        match &deployed.decision {
            None => missing.push(format!("entry {index} deploys to `{place}` without a decision")),
            Some(_) if without_promotion.contains(&index) => {}
            Some(decision) if !steps.iter().filter(promoted).any(|s| s.decision.as_ref() == Some(decision)) => {
                missing.push(format!("no promotion leads to entry {index}, the deployment to `{place}`"));
            }
            Some(_) => {}
        }
    }
    missing
}

fn sha256(record: &LedgerRecord) -> impl Iterator<Item = Digest> {
    let digests = record.statement().subjects().iter().flat_map(|s| s.digests());
    digests.filter(|d| d.algorithm() == Algorithm::Sha256)
}
