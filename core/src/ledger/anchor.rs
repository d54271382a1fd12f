//! What was seen of a ledger, kept outside of it: its key, its first trust policy, and its highest checkpoint.
//!
//! Rolling the whole folder back to an older, once valid state is invisible from inside. The anchor, in another
//! folder, is what tells. An append writes it and does not wait until it is on disk: a process that dies loses nothing of
//! it, and after a power loss at most what was seen since it was last brought to disk, which is at each opening and
//! closing and every 256 entries (decision 0020).

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
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
    /// The key the log began with, as a C2SP verifier key.
    pub(crate) log_key: String,
    /// The rotations of its key, as signed, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rotations: Vec<String>,
    /// Payload digest of version 1 of the trust policy.
    pub(crate) trust_policy: String,
    /// The highest checkpoint, as signed.
    pub(crate) checkpoint: String,
    /// Indexes of the trust policies up to that checkpoint, so that the next opening need not walk to find them.
    pub(crate) trust_policy_entries: Vec<u64>,
}

/// What a handle raised an anchor to, and how it left the file of it.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) checkpoint: String,
    /// The sum in the file that was not waited for; empty if the anchor was brought to disk, or found.
    sum: String,
}

/// The anchor that was brought to disk.
const SYNCED: &str = "json";
/// A higher one that was written since and not waited for.
const NEWEST: &str = "newest";
/// Hex digits of the sum at its start.
const SUM: usize = 64;

impl Anchor {
    pub(crate) const FORMAT: &str = "sealwright-anchor/v1";

    /// Whether it is of the same ledger, whose key was replaced at least as often, and of a larger size.
    fn is_higher_than(&self, other: &Self) -> bool {
        self.size() > other.size() && self.log_key == other.log_key && self.rotations.len() >= other.rotations.len()
    }

    /// The size that its checkpoint states; nothing of it is verified here.
    fn size(&self) -> u64 {
        self.checkpoint.lines().nth(1).and_then(|size| size.parse().ok()).unwrap_or(0)
    }
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

    /// What is kept of a ledger: the highest of what was brought to disk and what was only written.
    pub(crate) fn load(&self, origin: &str) -> Result<Option<Anchor>> {
        let Some(synced) = self.read(origin, SYNCED)? else { return Ok(None) };
        // while it is written, and after a power loss, it may be torn; then the other one counts
        match self.read(origin, NEWEST) {
            Ok(Some(newest)) if newest.is_higher_than(&synced) => Ok(Some(newest)),
            _ => Ok(Some(synced)),
        }
    }

    fn read(&self, origin: &str, ending: &str) -> Result<Option<Anchor>> {
        let path = self.path(origin, ending);
        let mut bytes = match limits::read_file("anchor", &path, 4 * limits::CHECKPOINT_BYTES) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        if ending == NEWEST {
            bytes = match whole(&bytes) {
                Some(anchor) => anchor.to_vec(),
                None => return Ok(None),
            };
        }
        let anchor: Anchor = json::parse("anchor", &bytes)?;
        if anchor.v != Anchor::FORMAT || anchor.origin != origin {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` is no anchor of the ledger `{origin}`; restore it from a copy", path.display()),
            ));
        }
        Ok(Some(anchor))
    }

    /// Keeps `anchor` if `is_newer` than what is kept; two processes never put the older over the newer. It is brought
    /// to disk if `durable`, and by [`Anchors::settle`] otherwise. `noted` is what the caller raised it to last.
    pub(crate) fn raise(
        &self,
        anchor: &Anchor,
        durable: bool,
        noted: Option<&Noted>,
        is_newer: impl Fn(&Anchor) -> Result<bool>,
    ) -> Result<Noted> {
        let found = || Noted { checkpoint: anchor.checkpoint.clone(), sum: String::new() };
        // a first look needs neither the lock nor a folder that can be written; whoever goes on from what it noted itself
        // need not look
        if noted.is_none_or(|noted| noted.checkpoint == anchor.checkpoint)
            && let Some(kept) = self.load(&anchor.origin)?
            && !is_newer(&kept)?
        {
            return Ok(noted.cloned().unwrap_or_else(found));
        }
        if noted.is_none() {
            std::fs::create_dir_all(&self.folder).map_err(|e| Error::io("make the state folder", &self.folder, e))?;
        }
        let _lock = self.lock()?;
        // where nobody wrote since, the caller goes on from what is kept
        if !durable && noted.is_some_and(|noted| self.is_as_left(&anchor.origin, noted)) {
            return self.write(anchor, false);
        }
        let kept = self.load(&anchor.origin)?;
        if let Some(kept) = &kept
            && !is_newer(kept)?
        {
            return Ok(found());
        }
        // the first one is always brought to disk: without it the other would not be looked at
        self.write(anchor, durable || kept.is_none())
    }

    /// Whether the file that was not waited for is still the one that was noted.
    fn is_as_left(&self, origin: &str, noted: &Noted) -> bool {
        let mut sum = [0; SUM];
        let read = File::open(self.path(origin, NEWEST)).and_then(|mut file| file.read_exact(&mut sum));
        read.is_ok() && sum == noted.sum.as_bytes()
    }

    /// Brings to disk what is kept of a ledger.
    pub(crate) fn settle(&self, origin: &str) -> Result<()> {
        if !self.path(origin, NEWEST).exists() {
            return Ok(());
        }
        let _lock = self.lock()?;
        match self.load(origin)? {
            Some(kept) => self.write(&kept, true).map(drop),
            None => Ok(()),
        }
    }

    /// Writes a file beside the anchors, whole and on disk.
    pub(super) fn keep(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        std::fs::create_dir_all(&self.folder).map_err(|e| Error::io("make the state folder", &self.folder, e))?;
        let _lock = self.lock()?;
        write_whole(path, &self.folder.join(UNFINISHED), bytes)
    }

    fn lock(&self) -> Result<File> {
        lock_folder(&self.folder, Duration::from_millis(limits::LEDGER_LOCK_MILLIS))
    }

    fn write(&self, anchor: &Anchor, durable: bool) -> Result<Noted> {
        let unfinished = self.folder.join(UNFINISHED);
        let bytes = json::canonical("anchor", anchor)?;
        let checkpoint = anchor.checkpoint.clone();
        if !durable {
            let path = self.path(&anchor.origin, NEWEST);
            let sum = write_over(&path, &bytes).map_err(|e| Error::io("write", &path, e))?;
            return Ok(Noted { checkpoint, sum });
        }
        write_whole(&self.path(&anchor.origin, SYNCED), &unfinished, &bytes)?;
        // it says no more than the other one now
        let _ = std::fs::remove_file(self.path(&anchor.origin, NEWEST));
        Ok(Noted { checkpoint, sum: String::new() })
    }

    fn path(&self, origin: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", Digest::sha256(origin.as_bytes()).hex()))
    }
}

/// Writes an anchor in the place of another, with a sum that tells whether it is whole, and gives the sum. A new file for
/// each would cost more than the append.
fn write_over(path: &Path, anchor: &[u8]) -> std::io::Result<String> {
    // no link is followed
    if path.symlink_metadata().is_ok_and(|meta| !meta.is_file()) {
        std::fs::remove_file(path)?;
    }
    let sum = Digest::sha256(anchor).hex();
    let bytes = [sum.as_bytes(), b"\n", anchor, b"\n"].concat();
    // what follows of a longer one says nothing
    OpenOptions::new().write(true).create(true).truncate(false).open(path)?.write_all(&bytes)?;
    Ok(sum)
}

/// The anchor of a file that [`write_over`] wrote, if it is whole.
fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let (sum, anchor) = bytes.split_at_checked(SUM)?;
    let anchor = anchor.strip_prefix(b"\n")?;
    let anchor = anchor.split(|byte| *byte == b'\n').next()?;
    (Digest::sha256(anchor).hex().as_bytes() == sum).then_some(anchor)
}
