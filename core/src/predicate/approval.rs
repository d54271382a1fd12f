//! A decision by one person, or a counted decision of a system (predicates section 4.2).

use serde::{Deserialize, Serialize};

use super::actor::ActorKind;
use super::field::{At, Check, ROOT};
use super::vocabulary::vocabulary;
use super::{Actor, Environment, PredicateType, RecordRef};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, DigestSet};
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A decision. Subjects: exactly what was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// 16 random bytes, hex.
    pub nonce: String,
    /// What kind of thing was decided.
    pub stage: Stage,
    /// What was decided.
    pub decision: ApprovalDecision,
    /// Who decided.
    pub approver: Actor,
    /// The role they meant to decide in, for display.
    pub in_role: String,
    /// What the signature means, in words.
    pub meaning: String,
    /// When the person decided.
    pub decided_at: Timestamp,
    /// Which change; needed where the stage is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// Target; needed for promotion and deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Records the approver had before them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<RecordRef>,
    /// Conditions, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Link to the review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_uri: Option<String>,
    /// The `gitTree` that was read; needed for a source review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_tree: Option<DigestSet>,
    /// After this it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The approval withdrawn; needed for a dismissal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismisses: Option<RecordRef>,
    /// How the decision reached the ledger.
    pub capture: Capture,
}

/// How a decision reached the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Capture {
    /// Who vouches for it.
    pub method: CaptureMethod,
    /// The platform that vouches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The platform's event as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_event: Option<ResourceDescriptor>,
}

vocabulary! {
    /// What kind of thing an approval is about.
    Stage {
        /// Source revision.
        SourceReview = "source-review",
        /// Change request.
        Change = "change",
        /// Promotion to an environment.
        Promotion = "promotion",
        /// Deployment to an environment.
        Deployment = "deployment",
        /// Exception from a check.
        Exception = "exception",
        /// Policy bundle.
        Policy = "policy",
        /// Something already done.
        Retroactive = "retroactive",
        /// Disposal of records.
        Disposal = "disposal",
    }
}

vocabulary! {
    /// What an approver decided.
    ApprovalDecision {
        /// Yes.
        Approved = "APPROVED",
        /// No.
        Rejected = "REJECTED",
        /// An earlier decision of the same person no longer stands.
        Dismissed = "DISMISSED",
    }
}

vocabulary! {
    /// Who vouches for a decision.
    CaptureMethod {
        /// The person signed.
        DirectSignature = "direct-signature",
        /// A platform vouches.
        SystemOfRecord = "system-of-record",
        /// A workload signed on the person's token.
        Delegated = "delegated",
    }
}

impl Stage {
    /// Whether an approval of this stage is for one change.
    pub const fn is_about_a_change(self) -> bool {
        matches!(self, Self::SourceReview | Self::Change | Self::Promotion | Self::Deployment | Self::Retroactive)
    }
}

impl PredicateType for Approval {
    const TYPE: &'static str = "https://sealwright.dev/attestation/approval/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.nonce(&self.nonce)?;
        at.check("approver", &self.approver)?;
        at.field("approver").needed(
            "displayName",
            self.approver.kind != ActorKind::Human || self.approver.display_name.is_some(),
            "a person's approval bears their printed name",
        )?;
        at.text("inRole", &self.in_role)?;
        at.text("meaning", &self.meaning)?;
        let stage = format!("`predicate.stage` is `{}`", self.stage);
        at.needed("changeId", !self.stage.is_about_a_change() || self.change_id.is_some(), &stage)?;
        at.uri("changeId", &self.change_id)?;
        let targeted = matches!(self.stage, Stage::Promotion | Stage::Deployment);
        at.needed("environment", !targeted || self.environment.is_some(), &stage)?;
        at.check("environment", &self.environment)?;
        at.check("considered", &self.considered)?;
        at.text("conditions", &self.conditions)?;
        at.text("comment", &self.comment)?;
        at.uri("reviewUri", &self.review_uri)?;
        if self.stage == Stage::SourceReview {
            at.needed("overTree", self.over_tree.is_some(), &stage)?;
            at.holds("overTree", self.over_tree.as_ref(), Algorithm::GitTree)?;
        }
        at.not_before("expiresAt", self.expires_at, "predicate.decidedAt", Some(self.decided_at))?;
        let dismissed = self.decision == ApprovalDecision::Dismissed;
        at.needed("dismisses", !dismissed || self.dismisses.is_some(), "`predicate.decision` is `DISMISSED`")?;
        at.check("dismisses", &self.dismisses)?;
        at.check("capture", &self.capture)
    }
}

impl Check for Capture {
    fn check(&self, at: &At<'_>) -> Result<()> {
        let direct = self.method == CaptureMethod::DirectSignature;
        let why = format!("`{at}.method` is `{}`", self.method);
        at.needed("system", direct || self.system.is_some(), &why)?;
        at.uri("system", &self.system)?;
        at.needed("sourceEvent", direct || self.source_event.is_some(), &why)?;
        match &self.source_event {
            Some(event) => at.digested("sourceEvent", event),
            None => Ok(()),
        }
    }
}
