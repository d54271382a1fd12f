//! in-toto release v0.2, and v0.1 on reading (in-toto/attestation spec/predicates/release.md), with our extension
//! fields (predicates section 2.4).

use packageurl::PackageUrl;
use serde::{Deserialize, Serialize};

use super::PredicateType;
use super::field::ROOT;
use super::vocabulary::vocabulary;
use crate::error::Result;

/// A release. Subjects: all its artifacts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Wire")]
pub struct Release {
    /// Name and version, a purl.
    pub purl: String,
    /// What stays the same between versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_id: Option<String>,
    /// The `releaseId` of our records. `sealwright_releaseId` in JSON.
    #[serde(rename = "sealwright_releaseId", skip_serializing_if = "Option::is_none")]
    pub release_id: Option<String>,
    /// What is released; absent means a service. `sealwright_releaseKind` in JSON.
    #[serde(rename = "sealwright_releaseKind", skip_serializing_if = "Option::is_none")]
    pub release_kind: Option<ReleaseKind>,
}

/// `releaseId` is what v0.1 called `packageId`; both versions are in use with either name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    purl: String,
    package_id: Option<String>,
    release_id: Option<String>,
    #[serde(rename = "sealwright_releaseId")]
    sealwright_release_id: Option<String>,
    #[serde(rename = "sealwright_releaseKind")]
    sealwright_release_kind: Option<ReleaseKind>,
}

vocabulary! {
    /// What is released.
    ReleaseKind {
        /// It is deployed, by us.
        Service = "service",
        /// It is published, for programs.
        Library = "library",
        /// It is published, for devices.
        Firmware = "firmware",
        /// It is published as a device.
        Device = "device",
    }
}

impl From<Wire> for Release {
    fn from(wire: Wire) -> Self {
        Self {
            purl: wire.purl,
            package_id: wire.package_id.or(wire.release_id),
            release_id: wire.sealwright_release_id,
            release_kind: wire.sealwright_release_kind,
        }
    }
}

impl Release {
    /// The predicate types that are read as a release.
    pub const TYPES: [&'static str; 2] = [Self::TYPE, "https://in-toto.io/attestation/release/v0.1"];
}

impl PredicateType for Release {
    const TYPE: &'static str = "https://in-toto.io/attestation/release/v0.2";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        match self.purl.parse::<PackageUrl<'_>>() {
            Ok(purl) if purl.version().is_some() => {}
            Ok(_) => return Err(at.field("purl").wrong("has no version; write it as `pkg:npm/example@1.2.3`")),
            Err(e) => {
                return Err(at.field("purl").wrong(format_args!(
                    "is `{}`, no package URL: {e}; write it as `pkg:npm/example@1.2.3`",
                    self.purl.escape_debug()
                )));
            }
        }
        at.text("sealwright_releaseId", &self.release_id)
    }

    fn reads(predicate_type: &str) -> bool {
        Self::TYPES.contains(&predicate_type)
    }
}
