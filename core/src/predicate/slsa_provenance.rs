//! SLSA build provenance v1 (slsa-framework/slsa, spec/build-provenance.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::field::ROOT;
use super::{PredicateType, unset};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::json::Value;
use crate::timestamp::Timestamp;

/// How artifacts were built. Subjects: the artifacts.
///
/// Counts only for pairs of signer and `builder.id` that the trust policy names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provenance {
    /// What went in.
    pub build_definition: BuildDefinition,
    /// What happened.
    pub run_details: RunDetails,
}

/// What went into a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildDefinition {
    /// Template of the build, a URI.
    pub build_type: String,
    /// Parameters from outside, to be checked by whoever relies on it.
    pub external_parameters: Map<String, Value>,
    /// Parameters of the platform.
    #[serde(default, deserialize_with = "unset::or_default", skip_serializing_if = "Map::is_empty")]
    pub internal_parameters: Map<String, Value>,
    /// What was fetched, as far as known.
    #[serde(default, deserialize_with = "unset::or_resources", skip_serializing_if = "Vec::is_empty")]
    pub resolved_dependencies: Vec<ResourceDescriptor>,
}

/// What happened in a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunDetails {
    /// The platform that ran it.
    pub builder: Builder,
    /// Facts of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BuildMetadata>,
    /// Logs and the like.
    #[serde(default, deserialize_with = "unset::or_resources", skip_serializing_if = "Vec::is_empty")]
    pub byproducts: Vec<ResourceDescriptor>,
}

/// A build platform.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Builder {
    /// Its identity, a URI.
    pub id: String,
    /// What it depends on outside of builds.
    #[serde(default, deserialize_with = "unset::or_resources", skip_serializing_if = "Vec::is_empty")]
    pub builder_dependencies: Vec<ResourceDescriptor>,
    /// Versions of its parts.
    #[serde(default, deserialize_with = "unset::or_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// Facts of one run of a build.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BuildMetadata {
    /// The run, as the platform names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_id: Option<String>,
    /// Start.
    #[serde(default, deserialize_with = "unset::or_time", skip_serializing_if = "Option::is_none")]
    pub started_on: Option<Timestamp>,
    /// End.
    #[serde(default, deserialize_with = "unset::or_time", skip_serializing_if = "Option::is_none")]
    pub finished_on: Option<Timestamp>,
}

impl Provenance {
    /// The predicate types that are read as a provenance of v1.
    pub const TYPES: [&'static str; 2] = [Self::TYPE, "https://slsa.dev/provenance/v1.0"];
}

impl PredicateType for Provenance {
    const TYPE: &'static str = "https://slsa.dev/provenance/v1";

    fn validate(&self) -> Result<()> {
        ROOT.field("buildDefinition").text("buildType", &self.build_definition.build_type)?;
        let run = ROOT;
        let run = run.field("runDetails");
        run.field("builder").text("id", &self.run_details.builder.id)
    }

    fn reads(predicate_type: &str) -> bool {
        // go-witness writes the second
        Self::TYPES.contains(&predicate_type)
    }
}
