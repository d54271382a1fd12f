//! What was seen of a ledger, kept outside of it: its key, its first trust policy, and its highest checkpoint.
//!
//! Rolling the whole folder back to an older, once valid state is invisible from inside. The anchor, in another
//! folder, is what tells.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::folder::{UNFINISHED, lock_folder, write_whole};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// The state folder: one anchor for each ledger origin.
#[derive(Clone, Debug)]
pub struct Anchors {
    folder: PathBuf,
}

/// What was seen of one ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Anchor {
    pub(crate) v: String,
    pub(crate) origin: String,
    /// The log's key as a C2SP verifier key.
    pub(crate) log_key: String,
    /// Payload digest of version 1 of the trust policy.
    pub(crate) trust_policy: String,
    /// The highest checkpoint, as signed.
    pub(crate) checkpoint: String,
    /// Indexes of the trust policies up to that checkpoint, so that the next opening need not walk to find them.
    pub(crate) trust_policy_entries: Vec<u64>,
}

impl Anchor {
    pub(crate) const FORMAT: &str = "sealwright-anchor/v1";
}

impl Anchors {
    /// Anchors kept in `folder`, which must not lie in a ledger's own folder.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether something of the ledger of this origin was seen before.
    #[cfg(feature = "remote")]
    pub(crate) fn knows(&self, origin: &str) -> Result<bool> {
        self.load(origin).map(|anchor| anchor.is_some())
    }

    pub(crate) fn load(&self, origin: &str) -> Result<Option<Anchor>> {
        let path = self.path(origin);
        let bytes = match limits::read_file("anchor", &path, 2 * limits::CHECKPOINT_BYTES) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let anchor: Anchor = json::parse("anchor", &bytes)?;
        if anchor.v != Anchor::FORMAT || anchor.origin != origin {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` is no anchor of the ledger `{origin}`; restore it from a copy", path.display()),
            ));
        }
        Ok(Some(anchor))
    }

    /// Keeps `anchor` if `is_newer` than what is kept; two processes never put the older over the newer.
    pub(crate) fn raise(&self, anchor: &Anchor, is_newer: impl Fn(&Anchor) -> Result<bool>) -> Result<()> {
        // what is kept is replaced whole, so a first look needs neither the lock nor a folder that can be written
        if let Some(kept) = self.load(&anchor.origin)?
            && !is_newer(&kept)?
        {
            return Ok(());
        }
        std::fs::create_dir_all(&self.folder).map_err(|e| Error::io("make the state folder", &self.folder, e))?;
        let _lock = lock_folder(&self.folder, Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?;
        if let Some(kept) = self.load(&anchor.origin)?
            && !is_newer(&kept)?
        {
            return Ok(());
        }
        let unfinished = self.folder.join(UNFINISHED);
        write_whole(&self.path(&anchor.origin), &unfinished, &json::canonical("anchor", anchor)?)
    }

    fn path(&self, origin: &str) -> PathBuf {
        self.folder.join(format!("{}.json", Digest::sha256(origin.as_bytes()).hex()))
    }
}
