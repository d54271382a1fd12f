//! What an observer saw running (predicates section 4.9).

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::field::{At, Check, ROOT};
use super::vocabulary::vocabulary;
use super::{Actor, Environment, PredicateType};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Digest, DigestSet};
use crate::error::Result;
use crate::json::{self, Value};
use crate::timestamp::Timestamp;

/// A snapshot. Subjects: [`EnvironmentSnapshot::state_digest`], and every artifact seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentSnapshot {
    /// Where.
    pub environment: Environment,
    /// Collector; not the deployer.
    pub observer: Actor,
    /// When.
    pub observed_at: Timestamp,
    /// Whether all was seen.
    pub coverage: Coverage,
    /// One entry per running thing, by resource, then digest.
    pub state: Vec<Observed>,
    /// The raw answer it was made from.
    pub source_data: ResourceDescriptor,
}

/// A running thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observed {
    /// Workload, function or host, a URI.
    pub resource: String,
    /// Digest of what it runs; `None` if unknown, which is a finding and is written `{}`.
    #[serde(serialize_with = "write_digest", deserialize_with = "read_digest")]
    pub digest: Option<DigestSet>,
    /// Digest of its live configuration in normal form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<DigestSet>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// How many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u64>,
}

vocabulary! {
    /// Whether a snapshot saw all there was.
    Coverage {
        /// All; what is not in it did not run.
        Full = "full",
        /// A part; it proves no absence.
        Partial = "partial",
    }
}

impl EnvironmentSnapshot {
    /// SHA-256 of the RFC 8785 form of `state`, so that equal states have equal digests.
    ///
    /// # Errors
    /// `MALFORMED` if a number is beyond RFC 8785.
    pub fn state_digest(&self) -> Result<Digest> {
        Ok(Digest::sha256(&json::canonical("state", &self.state)?))
    }
}

impl PredicateType for EnvironmentSnapshot {
    const TYPE: &'static str = "https://sealwright.dev/attestation/environment-snapshot/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.check("environment", &self.environment)?;
        at.check("observer", &self.observer)?;
        at.check("state", &self.state)?;
        if !self.state.is_sorted_by_key(|seen| (&seen.resource, &seen.digest)) {
            return Err(at.field("state").wrong("is not in order; sort it by `resource`, then `digest`"));
        }
        at.check("sourceData", &self.source_data)
    }
}

impl Check for Observed {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.uri("resource", &self.resource)
    }
}

fn write_digest<S: Serializer>(digest: &Option<DigestSet>, serializer: S) -> Result<S::Ok, S::Error> {
    match digest {
        Some(digest) => digest.serialize(serializer),
        None => serializer.collect_map(std::iter::empty::<(&str, &str)>()),
    }
}

fn read_digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DigestSet>, D::Error> {
    let set = serde_json::Map::<String, Value>::deserialize(deserializer)?;
    if set.is_empty() {
        return Ok(None);
    }
    DigestSet::deserialize(Value::Object(set)).map(Some).map_err(serde::de::Error::custom)
}
