//! An archive: bodies of a certain age lie in another storage, and are found there by what their entries commit to.
//!
//! A body leaves a marker behind (`archived/<N>`, which holds the commitment of entry N), so that it is not taken for
//! lost. The marker is there whenever the archive may have a copy. In the archive it lies as `<first two digits>/<commitment>`, as it was stored here: still encrypted, if the
//! ledger is. The header that opens it stays here, so that disposing of it makes the archived copy unreadable as well.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::folder::FolderStorage;
use super::index::Index;
use super::storage::{Content, IndexAt, Queue, Repair, Right, Storage};
use super::store::{BODIES, Store};
use super::{Entry, Ledger};
use crate::bundle::Bundle;
use crate::encryption::sealed_limit;
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;
use crate::predicate::{
    Approval, Gate, LegalHold, PolicyEvaluation, Predicate, PredicateType as _, RetentionDisposal, Stage,
};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// Where markers of archived bodies lie.
pub(crate) const ARCHIVED: &str = "archived";
/// Bytes of a marker: SHA-256 in hex.
pub(super) const MARKER_BYTES: u64 = 64;

/// What was moved between a ledger and its archive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Moved {
    /// Entries whose bodies were moved.
    pub entries: Vec<u64>,
    /// Bytes they take, as stored.
    pub bytes: u64,
}

impl Ledger {
    /// Lets this handle read bodies that lie in the archive in `folder`, and move others there. The folder is made when
    /// the first is moved.
    ///
    /// # Errors
    /// `API_MISUSE` for a ledger behind an address.
    pub fn with_archive(mut self, folder: &std::path::Path) -> Result<Self> {
        if self.layers.bottom().service().is_some() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "an archive is named where the ledger lies, as `archive` in the configuration of its sequencer; leave it out",
            ));
        }
        self.set_layers(self.layers.clone().with_archive(Arc::new(FolderStorage::new(folder))));
        Ok(self)
    }

    /// Moves bodies of entries logged before `before` to the archive. Trust policies stay, since nothing is read without
    /// them; so do holds, and disposals with their decisions and approvals, which say why a body is not there. A body
    /// leaves only when its copy is whole and durable.
    ///
    /// # Errors
    /// `API_MISUSE` without an archive; `LEDGER_TAMPERED` if a body is not the one its entry commits to;
    /// `APPEND_REFUSED` if the ledger was moved; `LEDGER_BUSY`, `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`. What was moved
    /// by then stays moved.
    pub fn archive(&mut self, before: Timestamp, progress: &mut dyn FnMut(u64, u64)) -> Result<Moved> {
        let archive = self.archive_storage()?;
        let storage = Arc::clone(self.layers.bottom());
        let mut entries = Vec::new();
        self.walk(|index, entry| {
            if entry.time < before.unix_millis() && !self.trust_entries.contains(&index) && !always_stays(entry) {
                entries.push((index, entry.record.clone(), may_explain(entry)));
            }
            Ok(())
        })?;
        let mut right = storage.acquire(self.patience)?;
        self.check_here()?;
        // what a repair would write again must not come back
        right.settle()?;
        archive.create()?;
        let mut there = archive.acquire(self.patience)?;
        let mut moved = Moved::default();
        for (done, (index, commitment, may_explain)) in (0..).zip(&entries) {
            progress(done, entries.len() as u64);
            let name = Store::body_name(*index);
            let Some(bytes) = optional(storage.read(&name, stored_limit()))? else { continue };
            // what is damaged must not leave as if it were whole
            let (_, body) = self.proven_body(*index)?;
            if *may_explain && explains_disposals(&body.record)? {
                continue;
            }
            let place = place(commitment);
            // before the copy: whoever disposes of it when this is cut short finds by it that there may be one
            right.write(&marker(*index), commitment.as_bytes())?;
            there.write(&place, &bytes)?;
            if archive.read(&place, stored_limit())? != bytes {
                return Err(Error::new(
                    ErrorKind::Io,
                    format!(
                        "the archive gave back other bytes than entry {index} was written with; look after its disk"
                    ),
                ));
            }
            right.remove(std::slice::from_ref(&name))?;
            moved.entries.push(*index);
            moved.bytes += bytes.len() as u64;
        }
        progress(entries.len() as u64, entries.len() as u64);
        Ok(moved)
    }

    /// Moves bodies back from the archive: those of `entries`, or all.
    ///
    /// # Errors
    /// `API_MISUSE` without an archive; `BODY_LOST` if the archive does not have one; `LEDGER_TAMPERED` if one is not what
    /// its entry commits to; `APPEND_REFUSED` if the ledger was moved; `LEDGER_BUSY`, `PERMISSION_DENIED`, `STORAGE_FULL` or
    /// `IO`.
    pub fn unarchive(&mut self, entries: Option<&[u64]>, progress: &mut dyn FnMut(u64, u64)) -> Result<Moved> {
        let archive = self.archive_storage()?;
        let storage = Arc::clone(self.layers.bottom());
        let mut archived = self.archived()?;
        if let Some(entries) = entries {
            archived.retain(|index| entries.contains(index));
        }
        let mut right = storage.acquire(self.patience)?;
        self.check_here()?;
        if archived.is_empty() {
            return Ok(Moved::default());
        }
        let mut there = archive.acquire(self.patience)?;
        let mut moved = Moved::default();
        for (done, index) in (0..).zip(&archived) {
            progress(done, archived.len() as u64);
            // proven before it counts as here again
            let (entry, _) = self.proven_body(*index)?;
            let name = Store::body_name(*index);
            let place = place(&entry.record);
            // it lies here still, or again, where this or the way there was cut short
            if storage.size(&name)?.is_none() {
                let bytes = archive.read(&place, stored_limit())?;
                right.write(&name, &bytes)?;
                moved.bytes += bytes.len() as u64;
            }
            // the marker last: as long as there may be a copy it says so
            there.remove(&[place])?;
            right.remove(&[marker(*index)])?;
            moved.entries.push(*index);
        }
        progress(archived.len() as u64, archived.len() as u64);
        Ok(moved)
    }

    /// Entries whose bodies are archived, in order.
    ///
    /// # Errors
    /// `PERMISSION_DENIED` or `IO`.
    pub fn archived(&self) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        self.layers.bottom().list(&format!("{ARCHIVED}/"), &mut |name, _| {
            found.extend(marked(name).filter(|index| *index < self.size()));
            Ok(())
        })?;
        found.sort_unstable();
        Ok(found)
    }

    /// Whether the body of an entry was moved to an archive.
    pub(super) fn is_archived(&self, index: u64) -> Result<bool> {
        Ok(self.layers.bottom().size(&marker(index))?.is_some())
    }

    fn archive_storage(&self) -> Result<Arc<dyn Storage>> {
        self.layers.archive().cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::ApiMisuse,
                "no archive is named; name the folder that bodies are to be moved to or from",
            )
        })
    }
}

/// Whether an entry is of a type that is asked whenever a body is missing, or is to be let go.
fn always_stays(entry: &Entry) -> bool {
    entry.is_of_type(RetentionDisposal::TYPE) || entry.is_of_type(LegalHold::TYPE)
}

/// Whether an entry may be the decision or an approval of a disposal; its record tells.
fn may_explain(entry: &Entry) -> bool {
    entry.is_of_type(PolicyEvaluation::TYPE) || entry.is_of_type(Approval::TYPE)
}

fn explains_disposals(record: &[u8]) -> Result<bool> {
    let statement = Statement::parse(Bundle::parse(record)?.into_envelope()?.into_payload())?;
    Ok(match statement.predicate()? {
        Predicate::PolicyEvaluation(evaluation) => evaluation.gate == Gate::Dispose,
        Predicate::Approval(approval) => approval.stage == Stage::Disposal,
        _ => false,
    })
}

/// A storage whose missing bodies are looked for in an archive.
#[derive(Debug)]
pub(crate) struct ArchivedStorage {
    inner: Arc<dyn Storage>,
    archive: Arc<dyn Storage>,
}

impl ArchivedStorage {
    pub(crate) fn new(inner: Arc<dyn Storage>, archive: Arc<dyn Storage>) -> Self {
        Self { inner, archive }
    }

    /// Where the archive has the body of this name, if it is archived.
    fn place_of(&self, name: &str) -> Result<Option<String>> {
        let Some(rest) = name.strip_prefix(BODIES) else { return Ok(None) };
        let marker = optional(self.inner.read(&format!("{ARCHIVED}{rest}"), MARKER_BYTES))?;
        let Some(marker) = marker else { return Ok(None) };
        let commitment = String::from_utf8(marker).ok().filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        // a marker that says something else leads nowhere, and what it leads to is proven before it is used
        Ok(commitment.filter(|hex| hex.len() as u64 == MARKER_BYTES).map(|hex| place(&hex)))
    }
}

impl Storage for ArchivedStorage {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn create(&self) -> Result<bool> {
        self.inner.create()
    }

    fn destroy(&self) {
        self.inner.destroy();
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        match self.inner.read(name, limit) {
            Err(e) if e.kind() == ErrorKind::NotFound => match self.place_of(name)? {
                Some(place) => self.archive.read(&place, limit),
                None => Err(e),
            },
            read => read,
        }
    }

    fn stream(&self, name: &str) -> Result<Content> {
        self.inner.stream(name)
    }

    fn size(&self, name: &str) -> Result<Option<u64>> {
        self.inner.size(name)
    }

    fn list(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        self.inner.list(prefix, visit)
    }

    fn right_lasts(&self) -> bool {
        self.inner.right_lasts()
    }

    fn acquire(&self, patience: Duration) -> Result<Box<dyn Right + '_>> {
        self.inner.acquire(patience)
    }

    fn recover(&self, patience: Duration) -> Result<bool> {
        self.inner.recover(patience)
    }

    fn repairs(&self) -> Vec<Repair> {
        self.inner.repairs()
    }

    fn queue(&self) -> Option<Box<dyn Queue + '_>> {
        self.inner.queue()
    }

    fn has_index(&self) -> bool {
        self.inner.has_index()
    }

    fn index(&self, how: IndexAt) -> Result<Box<dyn Index>> {
        self.inner.index(how)
    }

    fn remove_index(&self) -> Result<()> {
        self.inner.remove_index()
    }
}

/// Most bytes of a body as stored: what encryption adds is little.
pub(super) fn stored_limit() -> u64 {
    sealed_limit(limits::RECORD_BYTES)
}

/// Where an archive has the body of this commitment.
pub(super) fn place(commitment: &str) -> String {
    format!("{}/{commitment}", commitment.get(..2).unwrap_or_default())
}

/// The marker of an archived body: numbered like the body.
pub(super) fn marker(index: u64) -> String {
    Store::body_name(index).replacen(BODIES, ARCHIVED, 1)
}

/// Whether this is the marker of an archived body of a ledger of this size.
pub(super) fn is_marker(name: &str, size: u64) -> bool {
    marked(name).is_some_and(|index| index < size)
}

/// The entry that a marker is of.
pub(super) fn marked(name: &str) -> Option<u64> {
    let number = name.strip_prefix(ARCHIVED)?.replace(['/', 'x'], "").parse().ok()?;
    (marker(number) == name).then_some(number)
}
