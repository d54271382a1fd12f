//! in-toto vulns v0.2: what a scanner for known vulnerabilities found (in-toto/attestation
//! spec/predicates/vulns_02.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Map;

use super::PredicateType;
use super::field::{At, Check, ROOT};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::json::Value;
use crate::timestamp::Timestamp;

/// One scan. Subjects: what was scanned. No `result` means that nothing was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vulns {
    /// What scanned, and what it found.
    pub scanner: VulnScanner,
    /// When it ran.
    pub metadata: ScanMetadata,
    /// Raw report, by digest. `sealwright_report` in JSON.
    #[serde(rename = "sealwright_report", default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ResourceDescriptor>,
    /// Findings by severity. `sealwright_counts` in JSON.
    #[serde(rename = "sealwright_counts", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
}

/// What scanned, with which knowledge.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VulnScanner {
    /// The scanner, a URI; a purl with its version if that is known.
    pub uri: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What it looked things up in.
    pub db: VulnDatabase,
    /// What it found.
    pub result: Vec<Vulnerability>,
}

/// The database of a scanner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VulnDatabase {
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How new it is: what became known later was not looked for.
    pub last_update: Timestamp,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vulnerability {
    /// Its id, such as a CVE.
    pub id: String,
    /// How bad it is, by each method; empty if nobody says. A single one may be read as an object.
    #[serde(deserialize_with = "one_or_many")]
    pub severity: Vec<VulnSeverity>,
    /// What else the scanner says, such as the component.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<Map<String, Value>>,
}

/// How bad a finding is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VulnSeverity {
    /// By which measure: `nvd`, `cvss_score`, the name of the scanner, …
    pub method: String,
    /// The measure's word or number.
    pub score: String,
}

/// When a scan ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScanMetadata {
    /// Start.
    pub scan_started_on: Timestamp,
    /// End.
    pub scan_finished_on: Timestamp,
}

impl PredicateType for Vulns {
    const TYPE: &'static str = "https://in-toto.io/attestation/vulns/v0.2";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        let scanner = at.field("scanner");
        scanner.uri("uri", &self.scanner.uri)?;
        scanner.text("version", &self.scanner.version)?;
        let db = scanner.field("db");
        db.uri("uri", &self.scanner.db.uri)?;
        db.text("version", &self.scanner.db.version)?;
        scanner.check("result", &self.scanner.result)?;
        let metadata = at.field("metadata");
        let (started, finished) = (self.metadata.scan_started_on, self.metadata.scan_finished_on);
        metadata.not_before("scanFinishedOn", Some(finished), "predicate.metadata.scanStartedOn", Some(started))?;
        match &self.report {
            Some(report) => at.digested("sealwright_report", report),
            None => Ok(()),
        }
    }
}

impl Check for Vulnerability {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("id", &self.id)?;
        at.check("severity", &self.severity)
    }
}

impl Check for VulnSeverity {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("method", &self.method)?;
        at.text("score", &self.score)
    }
}

/// The text of the specification shows an object, its example an array.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<VulnSeverity>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        Many(Vec<VulnSeverity>),
        One(VulnSeverity),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::Many(many) => many,
        OneOrMany::One(one) => vec![one],
    })
}
