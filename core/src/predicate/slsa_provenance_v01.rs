//! SLSA provenance v0.1 (slsa-framework/slsa, docs/provenance/v0.1.md). Read, never written by us.

use serde::{Deserialize, Serialize};

use super::field::ROOT;
use super::slsa_provenance::Builder;
use super::slsa_provenance_v02::InvocationMetadata;
use super::{PredicateType, unset};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::json::Value;

/// How artifacts were built, in the words of v0.1. Subjects: the artifacts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProvenanceV01 {
    /// The platform that ran it.
    pub builder: Builder,
    /// How it was run.
    pub recipe: Recipe,
    /// Facts of this run.
    #[serde(default, deserialize_with = "unset::or_default")]
    pub metadata: InvocationMetadata,
    /// What was fetched, as far as known.
    #[serde(default, deserialize_with = "unset::or_resources", skip_serializing_if = "Vec::is_empty")]
    pub materials: Vec<ResourceDescriptor>,
}

/// How a build was run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recipe {
    /// Template of the build, a URI.
    #[serde(rename = "type")]
    pub build_type: String,
    /// Which of the materials holds the recipe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defined_in_material: Option<usize>,
    /// Where to begin in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry_point: Option<String>,
    /// Parameters from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// Parameters of the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Value>,
}

impl PredicateType for ProvenanceV01 {
    const TYPE: &'static str = "https://slsa.dev/provenance/v0.1";

    fn validate(&self) -> Result<()> {
        ROOT.field("recipe").text("type", &self.recipe.build_type)?;
        ROOT.field("builder").text("id", &self.builder.id)?;
        let place = self.recipe.defined_in_material;
        if place.is_some_and(|index| index >= self.materials.len()) {
            return Err(ROOT.field("recipe").field("definedInMaterial").wrong(format_args!(
                "points beyond the {} materials; give the index of one of them",
                self.materials.len()
            )));
        }
        Ok(())
    }
}
