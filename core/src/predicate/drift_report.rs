//! An environment compared with what was approved, or the ledger with what it should hold (predicates section 4.10).

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::field::{At, Check, ROOT};
use super::vocabulary::vocabulary;
use super::{PredicateType, RecordRef, Window};
use crate::error::Result;
use crate::json::Value;
use crate::timestamp::Timestamp;

/// A comparison. Subject: the snapshot's payload digest, or the checkpoint root for a gap report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftReport {
    /// Which comparison.
    pub kind: DriftKind,
    /// When.
    pub compared_at: Timestamp,
    /// What was observed; needed for drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<RecordRef>,
    /// What says how it ought to be.
    pub baseline: Vec<RecordRef>,
    /// The time looked at; needed for a gap report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// What was found; empty means nothing.
    pub findings: Vec<Finding>,
    /// What followed.
    pub action: DriftAction,
    /// Where it followed, a URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_reference: Option<String>,
}

/// One thing that is not as it ought to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Kind of finding; `type` in JSON.
    #[serde(rename = "type")]
    pub finding_type: FindingType,
    /// What it is about, a URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// How it ought to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Map<String, Value>>,
    /// How it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Map<String, Value>>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_seen_at: Option<Timestamp>,
    /// Controls affected.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
    /// Weight.
    pub severity: Severity,
}

vocabulary! {
    /// What is compared.
    DriftKind {
        /// What runs with what was approved.
        Drift = "drift",
        /// What the ledger holds with what it should.
        EvidenceGap = "evidence-gap",
    }
}

vocabulary! {
    /// Kind of finding.
    FindingType {
        /// Runs, and was never approved.
        UnapprovedDigest = "unapproved-digest",
        /// Runs with a configuration never approved.
        UnapprovedConfiguration = "unapproved-configuration",
        /// Ought to run, and does not.
        MissingResource = "missing-resource",
        /// Runs, and nobody can say what it is.
        UnknownDigest = "unknown-digest",
        /// Was deployed without passing a gate.
        DeploymentWithoutDecision = "deployment-without-decision",
        /// Was deployed, and no record says so.
        DeploymentWithoutRecord = "deployment-without-record",
        /// A record says it was deployed, and nobody saw it.
        RecordWithoutDeployment = "record-without-deployment",
        /// A record that ought to be there is not.
        MissingEvidence = "missing-evidence",
        /// A record is about nothing known.
        UnlinkedEvidence = "unlinked-evidence",
        /// A record is too old.
        StaleEvidence = "stale-evidence",
        /// A number in a sequence is left out.
        SequenceGap = "sequence-gap",
        /// An exception ended, and its cause did not.
        ExceptionLapsed = "exception-lapsed",
        /// A review is late.
        ReviewOverdue = "review-overdue",
        /// Something held was disposed of.
        HoldBreached = "hold-breached",
        /// An entry says otherwise than its record.
        EntryMislabelled = "entry-mislabelled",
        /// An entry has no record, and no disposal says why.
        BodyLost = "body-lost",
    }
}

vocabulary! {
    /// Weight of a finding, lowest first.
    Severity {
        /// Low.
        Low = "low",
        /// Moderate.
        Moderate = "moderate",
        /// High.
        High = "high",
        /// Critical.
        Critical = "critical",
    }
}

vocabulary! {
    /// What followed a comparison.
    DriftAction {
        /// Nothing.
        None = "none",
        /// Somebody was told.
        Alerted = "alerted",
        /// The environment was put back.
        Reverted = "reverted",
        /// A ticket was opened.
        Ticketed = "ticketed",
    }
}

impl PredicateType for DriftReport {
    const TYPE: &'static str = "https://sealwright.dev/attestation/drift-report/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        let kind = format!("`predicate.kind` is `{}`", self.kind);
        at.needed("snapshot", self.kind != DriftKind::Drift || self.snapshot.is_some(), &kind)?;
        at.check("snapshot", &self.snapshot)?;
        at.check("baseline", &self.baseline)?;
        at.needed("window", self.kind != DriftKind::EvidenceGap || self.window.is_some(), &kind)?;
        at.check("window", &self.window)?;
        at.check("findings", &self.findings)?;
        at.uri("actionReference", &self.action_reference)
    }
}

impl Check for Finding {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.uri("resource", &self.resource)?;
        at.text("controls", &self.controls)
    }
}
