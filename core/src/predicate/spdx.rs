//! SPDX documents as predicates (in-toto/attestation spec/predicates/spdx2.md and spdx3.md). What is in them is read
//! elsewhere.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::PredicateType;
use super::field::ROOT;
use crate::error::Result;
use crate::json::Value;

/// An SPDX document of version 2, kept as it is. Subjects: what it is the SBOM of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spdx {
    /// Always `SPDXRef-DOCUMENT`.
    #[serde(rename = "SPDXID")]
    pub spdx_id: String,
    /// Version of the format, such as `SPDX-2.3`.
    #[serde(rename = "spdxVersion")]
    pub spdx_version: String,
    /// Every other member.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

/// An SPDX document of version 3 (JSON-LD), kept as it is. Subjects: what it is the SBOM of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spdx3 {
    /// Where its words are defined, which tells its version.
    #[serde(rename = "@context")]
    pub context: Value,
    /// All that it says.
    #[serde(rename = "@graph")]
    pub graph: Vec<Value>,
    /// Every other member.
    #[serde(flatten)]
    pub members: Map<String, Value>,
}

impl PredicateType for Spdx {
    const TYPE: &'static str = "https://spdx.dev/Document/v2.3";

    fn validate(&self) -> Result<()> {
        ROOT.text("SPDXID", &self.spdx_id)?;
        if !self.spdx_version.starts_with("SPDX-2.") {
            return Err(ROOT.field("spdxVersion").wrong(format_args!(
                "is `{}`, expected `SPDX-2.3`; give an SPDX document of version 2 in JSON",
                self.spdx_version.escape_debug()
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
        let is_spdx = match &self.context {
            Value::Array(all) => all.iter().any(known),
            one => known(one),
        };
        if is_spdx {
            return Ok(());
        }
        Err(ROOT.field("@context").wrong("is not that of SPDX 3; give an SPDX document of version 3 in JSON-LD"))
    }
}
