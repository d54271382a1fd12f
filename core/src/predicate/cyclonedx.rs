//! CycloneDX BOMs as predicates (in-toto/attestation spec/predicates/cyclonedx.md). What is in them is read elsewhere.

use serde::{Deserialize, Serialize};

use super::PredicateType;
use super::field::ROOT;
use super::whole::Whole;
use crate::error::Result;

/// A CycloneDX BOM, kept as it is. Subjects: what it is the BOM of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cyclonedx(Whole<Head>);

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    bom_format: String,
    spec_version: String,
}

impl Cyclonedx {
    /// Version of the format, such as `1.6`.
    pub fn spec_version(&self) -> &str {
        &self.0.head.spec_version
    }

    /// The BOM in JSON, as it was given; [`sbom::read`](crate::sbom::read) reads what is in it.
    pub fn as_json(&self) -> &str {
        self.0.as_str()
    }
}

impl PredicateType for Cyclonedx {
    const TYPE: &'static str = "https://cyclonedx.org/bom";

    fn validate(&self) -> Result<()> {
        if self.0.head.bom_format != "CycloneDX" {
            return Err(ROOT.field("bomFormat").wrong(format_args!(
                "is `{}`, expected `CycloneDX`; give a CycloneDX BOM in JSON",
                self.0.head.bom_format.escape_debug()
            )));
        }
        ROOT.text("specVersion", &self.0.head.spec_version)
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
