//! One digest, unchanged, moved to the next environment (predicates section 4.6).

use serde::{Deserialize, Serialize};

use super::field::{At, Check, ROOT};
use super::{Actor, Environment, PredicateType, RecordRef};
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A promotion. Subjects: all artifacts of the release.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Promotion {
    /// 16 random bytes, hex.
    pub nonce: String,
    /// Release.
    pub release_id: String,
    /// Source; absent only if `to` is the first environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Environment>,
    /// Target.
    pub to: Environment,
    /// The passing policy-evaluation, spent by this record.
    pub decision: RecordRef,
    /// Approvals counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<RecordRef>,
    /// The promotion that brought it to `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_promotion: Option<RecordRef>,
    /// Who or what moved it.
    pub promoted_by: Actor,
    /// When.
    pub promoted_at: Timestamp,
    /// Only if the bytes were copied to another registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relocation: Option<Relocation>,
}

/// A copy of the bytes to another registry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relocation {
    /// Old place.
    pub from: String,
    /// New place.
    pub to: String,
    /// Whether the digest was compared after the copy.
    pub digest_verified: bool,
}

impl PredicateType for Promotion {
    const TYPE: &'static str = "https://sealwright.dev/attestation/promotion/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.nonce(&self.nonce)?;
        at.text("releaseId", &self.release_id)?;
        at.check("from", &self.from)?;
        at.check("to", &self.to)?;
        let first = self.previous_promotion.is_none();
        at.needed("from", first || self.from.is_some(), "`predicate.previousPromotion` says it was somewhere before")?;
        at.check("decision", &self.decision)?;
        at.check("approvals", &self.approvals)?;
        at.check("previousPromotion", &self.previous_promotion)?;
        at.check("promotedBy", &self.promoted_by)?;
        at.check("relocation", &self.relocation)
    }
}

impl Check for Relocation {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.uri("from", &self.from)?;
        at.uri("to", &self.to)
    }
}
