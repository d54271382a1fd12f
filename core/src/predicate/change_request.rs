//! What is to change, why, how risky it is, how it is tested and taken back (predicates section 4.1).

use serde::{Deserialize, Serialize};

use super::field::{At, Check, ROOT};
use super::vocabulary::vocabulary;
use super::{Actor, PredicateType, RecordRef};
use crate::artifact::ResourceDescriptor;
use crate::digest::DigestSet;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A change as requested. Subjects: its source revisions, and the artifact once it is built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeRequest {
    /// 16 random bytes, hex.
    pub nonce: String,
    /// Identity in its system of record, a URI.
    pub change_id: String,
    /// One line.
    pub title: String,
    /// Why.
    pub reason: String,
    /// Who asks.
    pub requested_by: Actor,
    /// Everyone who wrote any part; duties are separated against this list.
    pub authors: Vec<Actor>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// What kinds of change it is; the strictest governs.
    pub categories: Vec<Category>,
    /// Who says so.
    pub category_source: CategorySource,
    /// Risk after classification.
    pub risk_tier: RiskTier,
    /// The rules that classified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<ResourceDescriptor>,
    /// Only on an emergency change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
    /// Effect on security and privacy.
    pub impact: Impact,
    /// Needed for changes with clinical risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intended_use: Option<String>,
    /// Incidents or problem reports it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problem_reports: Vec<ResourceDescriptor>,
    /// Entries of the risk register it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<RecordRef>,
    /// Kinds of test required.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test_plan: Vec<String>,
    /// How to return to a secure state.
    pub rollback_plan: RollbackPlan,
    /// What a router asked for; the policy decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_approvals: Vec<RequiredApproval>,
    /// Earlier version of this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<RecordRef>,
}

/// Why a change may not wait for the normal path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Emergency {
    /// The incident that justifies it.
    pub incident: RecordRef,
    /// Why the normal path is too slow.
    pub reason: String,
    /// Who declared it; no author.
    pub declared_by: Actor,
    /// Deadline of the review afterwards.
    pub review_due_by: Timestamp,
}

/// Effect of a change on security, privacy and safety.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// In words.
    pub summary: String,
    /// Kinds of data touched, such as `ephi` or `pan`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_classes: Vec<String>,
    /// Control ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_controls: Vec<String>,
    /// Effect on safety and on risk controls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safety: Option<String>,
}

/// How a change is taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RollbackPlan {
    /// Kind of return.
    pub method: RollbackMethod,
    /// Steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What would come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_digest: Option<DigestSet>,
}

/// An approval a router asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequiredApproval {
    /// Role.
    pub role: String,
    /// How many.
    pub count: u64,
}

vocabulary! {
    /// Kind of change.
    Category {
        /// Looks only.
        Cosmetic = "cosmetic",
        /// Running of the service.
        Operational = "operational",
        /// May harm a patient.
        ClinicalRisk = "clinical-risk",
        /// Touches security.
        SecuritySensitive = "security-sensitive",
        /// Touches how personal data is processed.
        DataProcessing = "data-processing",
    }
}

vocabulary! {
    /// Who put a change into its categories.
    CategorySource {
        /// A person.
        Declared = "declared",
        /// Rules over paths and content.
        Rule = "rule",
        /// Both; rules only raise.
        Both = "both",
    }
}

vocabulary! {
    /// Risk of a change, lowest first.
    RiskTier {
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
    /// Kind of return to a secure state.
    RollbackMethod {
        /// Deploy what ran before.
        RedeployPrevious = "redeploy-previous",
        /// Switch to the standby slot.
        SwitchBack = "switch-back",
        /// Repair by a further change.
        ForwardFix = "forward-fix",
        /// Restore from a backup.
        Restore = "restore",
    }
}

impl PredicateType for ChangeRequest {
    const TYPE: &'static str = "https://sealwright.dev/attestation/change-request/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.nonce(&self.nonce)?;
        at.uri("changeId", &self.change_id)?;
        at.text("title", &self.title)?;
        at.text("reason", &self.reason)?;
        at.check("requestedBy", &self.requested_by)?;
        at.some("authors", &self.authors)?;
        at.check("authors", &self.authors)?;
        at.some("categories", &self.categories)?;
        at.check("classifier", &self.classifier)?;
        at.check("emergency", &self.emergency)?;
        at.check("impact", &self.impact)?;
        at.text("intendedUse", &self.intended_use)?;
        let clinical = self.categories.contains(&Category::ClinicalRisk);
        at.needed(
            "intendedUse",
            !clinical || self.intended_use.is_some(),
            "the change is of category `clinical-risk`",
        )?;
        at.check("problemReports", &self.problem_reports)?;
        at.check("risks", &self.risks)?;
        at.text("testPlan", &self.test_plan)?;
        at.field("rollbackPlan").text("description", &self.rollback_plan.description)?;
        at.check("requiredApprovals", &self.required_approvals)?;
        at.check("supersedes", &self.supersedes)
    }
}

impl Check for Emergency {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.check("incident", &self.incident)?;
        at.text("reason", &self.reason)?;
        at.check("declaredBy", &self.declared_by)
    }
}

impl Check for Impact {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("summary", &self.summary)?;
        at.text("dataClasses", &self.data_classes)?;
        at.text("affectedControls", &self.affected_controls)?;
        at.text("safety", &self.safety)
    }
}

impl Check for RequiredApproval {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("role", &self.role)
    }
}
