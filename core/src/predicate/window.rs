//! A stretch of time.

use serde::{Deserialize, Serialize};

use super::field::{At, Check};
use crate::error::Result;
use crate::timestamp::Timestamp;

/// From one instant to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Start.
    pub from: Timestamp,
    /// End, not before the start.
    pub to: Timestamp,
}

impl Check for Window {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.not_before("to", Some(self.to), "from", Some(self.from))
    }
}
