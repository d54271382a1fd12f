//! Which default checks a policy bundle leaves out.

use serde::{Deserialize, Serialize};

use super::field::{At, Check};
use crate::error::Result;

/// Profile of a policy bundle (predicates section 3); from the signed bundle, never from a flag.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// `default`, `starter`, or one of the owner's.
    pub name: String,
    /// True if nobody else witnesses the ledger.
    pub single_operator: bool,
    /// What it leaves out; empty for `default`.
    pub leaves_out: Vec<LeftOut>,
}

/// A check, or a part of one, that a profile leaves out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Check id.
    pub check: String,
    /// Which part of it, or `all`.
    pub part: String,
    /// Reason.
    pub why: String,
}

impl Check for Profile {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("name", &self.name)?;
        at.check("leavesOut", &self.leaves_out)
    }
}

impl Check for LeftOut {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("check", &self.check)?;
        at.text("part", &self.part)?;
        at.text("why", &self.why)
    }
}
