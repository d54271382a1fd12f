//! Signed index of an evidence pack (predicates section 4.19).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::drift_report::Finding;
use super::field::{At, Check, ROOT};
use super::{Actor, PredicateType, Profile, RecordRef, Window};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A pack, or one hand-over of it. Subject: its `manifest.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EvidencePack {
    /// Identity, a URI.
    pub pack_id: String,
    /// Name.
    pub title: String,
    /// What chose the records.
    pub selection: PackSelection,
    /// Who asked.
    pub requested_by: Actor,
    /// When they asked.
    pub requested_at: Timestamp,
    /// When it was ready.
    pub generated_at: Timestamp,
    /// Tool and version.
    pub generator: ResourceDescriptor,
    /// The ledger it is complete up to.
    pub ledger: PackLedger,
    /// Profile in force at that size.
    pub profile: Profile,
    /// Number of records by predicate type.
    pub contents: BTreeMap<String, u64>,
    /// What ought to be in it, and is.
    pub completeness: Completeness,
    /// Policy bundle included.
    pub policy: ResourceDescriptor,
    /// Catalogue of controls used.
    pub catalogue: ResourceDescriptor,
    /// What was withheld.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redactions: Vec<Redaction>,
    /// Pack before it for the same selection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_pack: Option<RecordRef>,
    /// Hand-overs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custody: Vec<Handover>,
}

/// What chose the records of a pack; members left out do not narrow it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackSelection {
    /// Release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Environment ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environments: Vec<String>,
    /// Stretch of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Frameworks whose controls are shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frameworks: Vec<String>,
}

/// The ledger a pack is complete up to; these three members and no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PackLedger {
    /// Origin of its checkpoint.
    pub origin: String,
    /// Tree size.
    pub size: u64,
    /// Root hash, base64.
    pub root_hash: String,
}

/// How complete a pack is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completeness {
    /// Records there ought to be.
    pub expected: u64,
    /// Records there are.
    pub present: u64,
    /// Findings of the gap report.
    pub gaps: Vec<Finding>,
}

/// Something withheld from a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Redaction {
    /// The record it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<RecordRef>,
    /// Its place in the pack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Why.
    pub reason: String,
    /// Salted hash of what was withheld.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salted_hash: Option<String>,
}

/// One hand-over of a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Handover {
    /// Who gave it.
    pub from: Actor,
    /// Who took it.
    pub to: Actor,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the manifest handed over, hex.
    pub sha256: String,
}

impl PredicateType for EvidencePack {
    const TYPE: &'static str = "https://sealwright.dev/attestation/evidence-pack/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.uri("packId", &self.pack_id)?;
        at.text("title", &self.title)?;
        at.check("selection", &self.selection)?;
        at.check("requestedBy", &self.requested_by)?;
        at.not_before("generatedAt", Some(self.generated_at), "predicate.requestedAt", Some(self.requested_at))?;
        at.check("generator", &self.generator)?;
        at.field("ledger").text("origin", &self.ledger.origin)?;
        at.field("ledger").text("rootHash", &self.ledger.root_hash)?;
        at.check("profile", &self.profile)?;
        at.field("completeness").check("gaps", &self.completeness.gaps)?;
        at.digested("policy", &self.policy)?;
        at.digested("catalogue", &self.catalogue)?;
        at.check("redactions", &self.redactions)?;
        at.check("previousPack", &self.previous_pack)?;
        at.check("custody", &self.custody)
    }
}

impl Check for PackSelection {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("release", &self.release)?;
        at.text("services", &self.services)?;
        at.text("environments", &self.environments)?;
        at.check("window", &self.window)?;
        at.text("frameworks", &self.frameworks)
    }
}

impl Check for Redaction {
    fn check(&self, at: &At<'_>) -> Result<()> {
        if self.record.is_none() && self.path.is_none() {
            return Err(at.wrong("names no `record` and no `path`; say what was withheld"));
        }
        at.check("record", &self.record)?;
        at.text("path", &self.path)?;
        at.text("reason", &self.reason)?;
        at.text("saltedHash", &self.salted_hash)
    }
}

impl Check for Handover {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.check("from", &self.from)?;
        at.check("to", &self.to)?;
        at.sha256("sha256", &self.sha256)
    }
}
