//! `mirror.json`: what a copy remembers of its pulls.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result, optional};
use crate::ledger::source::LogSource;
use crate::ledger::storage::Right;
use crate::ledger::store::{MIRROR, Store};
use crate::timestamp::Timestamp;
use crate::{json, limits};

const FORMAT: &str = "sealwright-mirror/v1";
/// Entries that are remembered one by one; of more, all are looked through again.
const REMEMBERED: usize = 1000;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Marker {
    v: String,
    source: String,
    /// When it was pulled last to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pulled_at: Option<Timestamp>,
    /// Whether more was missing at the source than is remembered, and all is to be looked through again.
    #[serde(default)]
    incomplete: bool,
    /// Entries of which something is missing, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lacking: Vec<u64>,
    /// Size of the log up to which disposals were carried out here.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) disposed_to: u64,
    /// Of an encrypted ledger: entries, from the first on, that were held against their records with its key.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) proven_to: u64,
    /// Whether records lie in the archive of the source whose attachments were not looked for.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) archive_unseen: bool,
    /// Whether it is to become a ledger, and is not whole yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) restoring: bool,
    /// As it was written last.
    #[serde(skip)]
    written: Vec<u8>,
}

impl Marker {
    pub(super) fn new(source: &LogSource) -> Self {
        Self {
            v: FORMAT.to_owned(),
            source: source.to_string(),
            pulled_at: None,
            incomplete: false,
            lacking: Vec::new(),
            disposed_to: 0,
            proven_to: 0,
            archive_unseen: false,
            restoring: false,
            written: Vec::new(),
        }
    }

    pub(super) fn read(store: &Store) -> Result<Option<Self>> {
        let Some(bytes) = optional(store.read(MIRROR, limits::CHECKPOINT_BYTES))? else { return Ok(None) };
        let marker: Self = json::parse("marker of a mirror", &bytes)?;
        if marker.v != FORMAT {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("a mirror of format `{}`, expected `{FORMAT}`; use a newer version", marker.v.escape_debug()),
            ));
        }
        Ok(Some(marker))
    }

    pub(super) fn write(&mut self, right: &mut dyn Right) -> Result<()> {
        self.written = json::canonical("marker of a mirror", self)?;
        right.write(MIRROR, &self.written)
    }

    /// Whether it is as it was written last: nobody else was at it since.
    pub(super) fn is_still_there(&self, store: &Store) -> Result<bool> {
        let there = optional(store.read(MIRROR, limits::CHECKPOINT_BYTES))?;
        Ok(there.is_some_and(|there| there == self.written))
    }

    pub(super) fn comes_from(&mut self, source: &LogSource) {
        self.source = source.to_string();
    }

    /// Entries below `had` that are to be looked at again.
    pub(super) fn again(&self, had: u64) -> BTreeSet<u64> {
        match self.incomplete {
            true => (0..had).collect(),
            false => self.lacking.iter().copied().filter(|index| *index < had).collect(),
        }
    }

    pub(super) fn lacks(&mut self, lacking: &BTreeSet<u64>) {
        self.incomplete = lacking.len() > REMEMBERED;
        self.lacking = if self.incomplete { Vec::new() } else { lacking.iter().copied().collect() };
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_false(value: &bool) -> bool {
    !*value
}
