//! SLSA provenance v0.2 (slsa-framework/slsa, docs/provenance/v0.2.md). Read, never written by us.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::field::ROOT;
use super::slsa_provenance::Builder;
use super::{PredicateType, unset};
use crate::artifact::ResourceDescriptor;
use crate::digest::DigestSet;
use crate::error::Result;
use crate::json::Value;
use crate::timestamp::Timestamp;

/// How artifacts were built, in the words of v0.2. Subjects: the artifacts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvenanceV02 {
    /// The platform that ran it.
    pub builder: Builder,
    /// Template of the build, a URI.
    pub build_type: String,
    /// What started it.
    #[serde(default, deserialize_with = "unset::or_default")]
    pub invocation: Invocation,
    /// Steps, where they lie in no configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_config: Option<Value>,
    /// Facts of this run.
    #[serde(default, deserialize_with = "unset::or_default")]
    pub metadata: InvocationMetadata,
    /// What was fetched, as far as known.
    #[serde(default, deserialize_with = "unset::or_resources", skip_serializing_if = "Vec::is_empty")]
    pub materials: Vec<ResourceDescriptor>,
}

/// What started a build.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    /// Where its configuration lies.
    #[serde(default, deserialize_with = "unset::or_default")]
    pub config_source: ConfigSource,
    /// Parameters from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Value>,
    /// Parameters of the platform.
    #[serde(default, deserialize_with = "unset::or_default", skip_serializing_if = "Map::is_empty")]
    pub environment: Map<String, Value>,
}

/// Where the configuration of a build lies.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSource {
    /// The resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its digests.
    #[serde(default, deserialize_with = "unset::or_digests", skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSet>,
    /// Where to begin in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<String>,
}

/// Facts of one run, in the words of v0.2 and v0.1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvocationMetadata {
    /// The run, as the platform names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_invocation_id: Option<String>,
    /// Start.
    #[serde(default, deserialize_with = "unset::or_time", skip_serializing_if = "Option::is_none")]
    pub build_started_on: Option<Timestamp>,
    /// End.
    #[serde(default, deserialize_with = "unset::or_time", skip_serializing_if = "Option::is_none")]
    pub build_finished_on: Option<Timestamp>,
}

impl PredicateType for ProvenanceV02 {
    const TYPE: &'static str = "https://slsa.dev/provenance/v0.2";

    fn validate(&self) -> Result<()> {
        ROOT.text("buildType", &self.build_type)?;
        ROOT.field("builder").text("id", &self.builder.id)
    }
}
