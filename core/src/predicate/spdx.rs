//! SPDX documents as predicates (in-toto/attestation spec/predicates/spdx2.md and spdx3.md). What is in them is read
//! elsewhere.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::PredicateType;
use super::field::ROOT;
use super::whole::Whole;
use crate::error::Result;
use crate::json::Value;

/// An SPDX document of version 2, kept as it is. Subjects: what it is the SBOM of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spdx(Whole<Head>);

/// An SPDX document of version 3 (JSON-LD), kept as it is. Subjects: what it is the SBOM of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spdx3(Whole<Head3>);

#[derive(Clone, Debug, Deserialize)]
struct Head {
    #[serde(rename = "SPDXID")]
    spdx_id: String,
    #[serde(rename = "spdxVersion")]
    spdx_version: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Head3 {
    /// Where its words are defined, which tells its version.
    #[serde(rename = "@context")]
    context: Value,
    #[serde(rename = "@graph")]
    _graph: Vec<IgnoredAny>,
}

impl Spdx {
    /// Version of the format, such as `SPDX-2.3`.
    pub fn spdx_version(&self) -> &str {
        &self.0.head.spdx_version
    }

    /// The document in JSON, as it was given; [`sbom::read`](crate::sbom::read) reads what is in it.
    pub fn as_json(&self) -> &str {
        self.0.as_str()
    }
}

impl Spdx3 {
    /// The document in JSON-LD, as it was given; [`sbom::read`](crate::sbom::read) reads what is in it.
    pub fn as_json(&self) -> &str {
        self.0.as_str()
    }
}

impl PredicateType for Spdx {
    const TYPE: &'static str = "https://spdx.dev/Document/v2.3";

    fn validate(&self) -> Result<()> {
        ROOT.text("SPDXID", &self.0.head.spdx_id)?;
        if !self.spdx_version().starts_with("SPDX-2.") {
            return Err(ROOT.field("spdxVersion").wrong(format_args!(
                "is `{}`, expected `SPDX-2.3`; give an SPDX document of version 2 in JSON",
                self.spdx_version().escape_debug()
            )));
        }
        Ok(())
    }

    fn reads(predicate_type: &str) -> bool {
        // go-witness and cosign write the bare form
        predicate_type == Self::TYPE || predicate_type == "https://spdx.dev/Document"
    }
}

impl PredicateType for Spdx3 {
    const TYPE: &'static str = "https://spdx.dev/Document/v3";

    fn validate(&self) -> Result<()> {
        let known =
            |context: &Value| context.as_str().is_some_and(|context| context.starts_with("https://spdx.org/rdf/3."));
        let is_spdx = match &self.0.head.context {
            Value::Array(all) => all.iter().any(known),
            one => known(one),
        };
        if is_spdx {
            return Ok(());
        }
        Err(ROOT.field("@context").wrong("is not that of SPDX 3; give an SPDX document of version 3 in JSON-LD"))
    }
}
