//! Where something runs or goes.

use serde::{Deserialize, Serialize};

use super::field::{At, Check};
use super::vocabulary::vocabulary;
use crate::error::Result;

/// An environment, or a publication channel (predicates section 3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// Account, cluster or namespace, a URI.
    pub id: String,
    /// Which columns of the policy tables apply.
    pub class: EnvironmentClass,
    /// Name people use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Region, for residency rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Kind of data held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_class: Option<DataClass>,
}

vocabulary! {
    /// How strictly an environment is judged.
    EnvironmentClass {
        /// Development.
        Dev = "dev",
        /// Test, judged as staging.
        Test = "test",
        /// Staging, or a pre-release channel.
        Staging = "staging",
        /// Production, or a publication channel.
        Prod = "prod",
    }
}

vocabulary! {
    /// Kind of data an environment holds.
    DataClass {
        /// Made up.
        Synthetic = "synthetic",
        /// Of people, who can no longer be told.
        Deidentified = "deidentified",
        /// Under a data protection law or contract.
        Regulated = "regulated",
    }
}

impl Environment {
    /// An environment known by id and class alone.
    pub fn new(id: impl Into<String>, class: EnvironmentClass) -> Self {
        Self { id: id.into(), class, name: None, region: None, data_class: None }
    }
}

impl Check for Environment {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.uri("id", &self.id)?;
        at.text("name", &self.name)?;
        at.text("region", &self.region)
    }
}
