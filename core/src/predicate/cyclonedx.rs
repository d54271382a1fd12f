//! CycloneDX BOMs as predicates (in-toto/attestation spec/predicates/cyclonedx.md). What is in them is read elsewhere.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::PredicateType;
use super::field::ROOT;
use super::whole::Whole;
use crate::error::Result;

/// A CycloneDX BOM, kept as it is. Subjects: what it is the BOM of.
#[derive(Clone, Debug, PartialEq)]
pub struct Cyclonedx {
    bom_format: String,
    spec_version: String,
    whole: Whole,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    bom_format: String,
    spec_version: String,
}

impl Cyclonedx {
    /// Version of the format, such as `1.6`.
    pub fn spec_version(&self) -> &str {
        &self.spec_version
    }

    /// The BOM in JSON, as it was given; [`sbom::read`](crate::sbom::read) reads what is in it.
    pub fn as_json(&self) -> &str {
        self.whole.as_str()
    }
}

impl<'de> Deserialize<'de> for Cyclonedx {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        let (Head { bom_format, spec_version }, whole) = Whole::read(from)?;
        Ok(Self { bom_format, spec_version, whole })
    }
}

impl Serialize for Cyclonedx {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.whole.serialize(serializer)
    }
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
