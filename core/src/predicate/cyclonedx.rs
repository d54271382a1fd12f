//! CycloneDX BOMs as predicates (in-toto/attestation spec/predicates/cyclonedx.md). What is in them is read elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::PredicateType;
use super::field::ROOT;
use crate::error::Result;
use crate::json::Value;

/// A CycloneDX BOM, kept as it is. Subjects: what it is the BOM of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cyclonedx {
    /// Always `CycloneDX`.
    pub bom_format: String,
    /// Version of the format, such as `1.6`.
    pub spec_version: String,
    /// Every other member.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl PredicateType for Cyclonedx {
    const TYPE: &'static str = "https://cyclonedx.org/bom";

    fn validate(&self) -> Result<()> {
        if self.bom_format != "CycloneDX" {
            return Err(ROOT.field("bomFormat").wrong(format_args!(
                "is `{}`, expected `CycloneDX`; give a CycloneDX BOM in JSON",
                self.bom_format.escape_debug()
            )));
        }
        ROOT.text("specVersion", &self.spec_version)
    }

    fn reads(predicate_type: &str) -> bool {
        match predicate_type.strip_prefix(Self::TYPE) {
            Some("") => true,
            // the in-toto page's own example says `/v1.4`
            Some(suffix) => suffix
                .strip_prefix("/v1.")
                .is_some_and(|minor| !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit())),
            None => false,
        }
    }
}
