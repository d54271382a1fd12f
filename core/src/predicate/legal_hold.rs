//! Stops or releases the disposal of records (predicates section 4.17).

use serde::{Deserialize, Serialize};

use super::field::{At, Check, ROOT};
use super::vocabulary::vocabulary;
use super::{Actor, PredicateType, RecordRef, Window};
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A legal hold. Subjects: payload digests of the records held, or `uriSha256` of `hold_id` when the scope defines them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LegalHold {
    /// 16 random bytes, hex.
    pub nonce: String,
    /// Identity of the hold, a URI.
    pub hold_id: String,
    /// Whether it begins or ends.
    pub action: HoldAction,
    /// Case reference; no details.
    pub matter: String,
    /// Who answers for it.
    pub custodian: Actor,
    /// Who ordered it.
    pub ordered_by: Actor,
    /// When.
    pub at: Timestamp,
    /// What it holds, beside the records among its subjects.
    pub scope: HoldScope,
    /// The placing record; needed for a release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub releases: Option<RecordRef>,
}

/// A query for what is held. All that is set must hold; of a list, one value. Nothing set holds everything, unless the
/// subjects of the record name what is held.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HoldScope {
    /// Services: purls without version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Release ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub releases: Vec<String>,
    /// Environment ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Predicate types, exact.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub predicate_types: Vec<String>,
    /// When they were logged, both ends included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

vocabulary! {
    /// Whether a hold begins or ends.
    HoldAction {
        /// It begins.
        Placed = "PLACED",
        /// It ends.
        Released = "RELEASED",
    }
}

impl HoldScope {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl PredicateType for LegalHold {
    const TYPE: &'static str = "https://sealwright.dev/attestation/legal-hold/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.nonce(&self.nonce)?;
        at.uri("holdId", &self.hold_id)?;
        at.text("matter", &self.matter)?;
        at.check("custodian", &self.custodian)?;
        at.check("orderedBy", &self.ordered_by)?;
        at.check("scope", &self.scope)?;
        let released = self.action == HoldAction::Released;
        at.needed("releases", !released || self.releases.is_some(), "`predicate.action` is `RELEASED`")?;
        at.check("releases", &self.releases)
    }
}

impl Check for HoldScope {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("services", &self.services)?;
        at.text("releases", &self.releases)?;
        at.text("environments", &self.environments)?;
        at.types("predicateTypes", &self.predicate_types)?;
        at.check("window", &self.window)
    }
}
