//! SLSA verification summary v1 (slsa-framework/slsa, spec/verification_summary.md).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::field::ROOT;
use super::vocabulary::vocabulary;
use super::{PredicateType, unset};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// What a verifier found about an artifact or a source revision, the subjects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vsa {
    /// Who verified.
    pub verifier: VsaVerifier,
    /// When.
    #[serde(default, deserialize_with = "unset::or_time", skip_serializing_if = "Option::is_none")]
    pub time_verified: Option<Timestamp>,
    /// Where the artifact is to be had.
    pub resource_uri: String,
    /// By which policy; it has a `uri`.
    pub policy: ResourceDescriptor,
    /// What was looked at; complete if not empty.
    #[serde(default, deserialize_with = "unset::or_resources", skip_serializing_if = "Vec::is_empty")]
    pub input_attestations: Vec<ResourceDescriptor>,
    /// Whether it passed.
    pub verification_result: VerificationResult,
    /// Levels, at most one of each track, and properties.
    pub verified_levels: Vec<String>,
    /// Number of dependencies at each level; empty says there are none, absence says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependency_levels: Option<BTreeMap<String, u64>>,
    /// SLSA version used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slsa_version: Option<String>,
}

/// Who verified.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VsaVerifier {
    /// Its identity, a URI.
    pub id: String,
    /// Versions of its parts.
    #[serde(default, deserialize_with = "unset::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

vocabulary! {
    /// What a verifier found.
    VerificationResult {
        /// It met the policy.
        Passed = "PASSED",
        /// It did not.
        Failed = "FAILED",
    }
}

impl PredicateType for Vsa {
    const TYPE: &'static str = "https://slsa.dev/verification_summary/v1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.field("verifier").text("id", &self.verifier.id)?;
        at.text("resourceUri", &self.resource_uri)?;
        at.field("policy").needed("uri", self.policy.uri.is_some(), "it names the policy applied")?;
        let mut tracks = BTreeSet::new();
        for level in &self.verified_levels {
            let track = level.strip_prefix("SLSA_").and_then(|rest| rest.split_once("_LEVEL_"));
            if track.is_some_and(|(track, _)| !tracks.insert(track)) {
                return Err(at.field("verifiedLevels").wrong(format_args!(
                    "has a second level of the track of `{}`; keep the highest of each track",
                    level.escape_debug()
                )));
            }
        }
        Ok(())
    }
}
