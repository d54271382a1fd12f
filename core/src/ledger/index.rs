//! The search index: derived from the log, filled after the receipt and made anew at will. Never the truth.
//!
//! What it says is believed only where the log agrees: a row it names is read and proven before it is shown or counts as
//! a repetition. What it hides can't be seen from it; [`Ledger::audit`] compares it with the log row by row, and
//! [`Ledger::complete`] answers from the log alone.

use super::storage::IndexAt;
use super::store::{CHECKPOINT, Store};
use super::walk::is_without_body;
use super::{Ledger, LedgerRecord, Progress, Query, read_checkpoint};
use crate::digest::Algorithm;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::predicate::{Deployment, PredicateType as _, Provenance, RetentionDisposal, Vulns, is_sbom};
use crate::sbom::{self, Summary};
use crate::statement::Statement;

/// A search index. One handle is used by one thread at a time.
///
/// The key and value columns are opaque to it: an encrypted ledger gives and asks keyed hashes in their place.
pub(crate) trait Index: Send {
    /// Whether it still is the index that is kept: not one that somebody replaced meanwhile.
    fn is_current(&self) -> bool;

    /// How many entries it has: all below this number, if nobody changed it.
    fn have(&mut self) -> std::result::Result<u64, Unusable>;

    /// Adds rows, all or none, if it still has `from` entries; says how many it has afterwards. Another process may have
    /// added some meanwhile, then nothing is added.
    fn insert(&mut self, from: u64, rows: &[Row]) -> std::result::Result<u64, Unusable>;

    /// How many entries it has, and for each payload (SHA-256, hex) and signer the first entry of them below `before`.
    fn first(
        &mut self,
        wanted: &[(String, String)],
        before: u64,
    ) -> std::result::Result<(u64, Vec<Option<u64>>), Unusable>;

    /// Entries that match, in ascending order, of those below `before`; at most `limit`.
    fn find(&mut self, find: &Find<'_>, before: u64, limit: usize) -> std::result::Result<Vec<u64>, Unusable>;

    /// How it differs from what it should hold, in itself: damage, tables that are not its own.
    fn damage(&mut self) -> std::result::Result<Option<String>, Unusable>;

    /// How what it holds of the entries `from` on differs from `rows`, and `None` if it does not.
    fn differs(&mut self, from: u64, rows: &[Row]) -> std::result::Result<Option<String>, Unusable>;

    /// Number of entry rows and of key rows, of whatever entry.
    fn counts(&mut self) -> std::result::Result<(u64, u64), Unusable>;
}

/// What an index holds of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) index: u64,
    pub(crate) time: i64,
    pub(crate) predicate_type: String,
    /// SHA-256 of the payload, hex.
    pub(crate) payload: String,
    /// Who signed it, as [`Speaker::identity`](crate::trust_policy::Speaker).
    pub(crate) signer: String,
    /// What it is found by, beside type and time, sorted.
    pub(crate) keys: Vec<(&'static str, String)>,
}

/// What to find, as an index can: all keys, and ranges of time and index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Find<'a> {
    pub(crate) keys: Vec<(&'static str, &'a str)>,
    pub(crate) predicate_type: Option<&'a str>,
    /// Logged at or after, Unix milliseconds.
    pub(crate) since: Option<i64>,
    /// Logged before.
    pub(crate) until: Option<i64>,
    pub(crate) after: Option<u64>,
}

/// Why an index could not be used.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It is not what we wrote: damaged, of another shape, or ahead of the log.
    Damaged(Error),
    /// It can't be written or reached now: read-only, the disk full, another process at work on it, no connection.
    Unwritable(Error),
    /// The log itself refuses.
    Log(Error),
}

impl Unusable {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Damaged(e) | Self::Unwritable(e) | Self::Log(e) => e,
        }
    }
}

/// The component of an SBOM that can't be read: it may list anything.
pub(crate) const UNREADABLE: &str = "?";
/// The key of entries whose records could not be read when the index was filled.
pub(super) const UNREAD: &str = "unread";
/// Rows that are inserted at once while an index is filled.
const ROWS: u64 = 1024;

impl Ledger {
    /// Makes the index anew from the log. An entry whose record is not there, or is not what it was, holds nothing up; a
    /// search that may lead to it says so.
    ///
    /// # Errors
    /// As [`Ledger::entry`] for any entry; `LEDGER_BUSY`, `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`.
    pub fn rebuild_index(&self) -> Result<()> {
        self.rebuild_index_with(&mut |_| {})
    }

    /// As [`Ledger::rebuild_index`]; `progress` is told how far it is.
    ///
    /// # Errors
    /// As [`Ledger::rebuild_index`].
    pub fn rebuild_index_with(&self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let storage = self.store.shared();
        // whoever does the same at the same time would take it away while this fills it
        let _right = storage.acquire(self.patience)?;
        self.refill_index(progress)
    }

    /// Empties the index and fills it again.
    pub(super) fn refill_index(&self, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        self.with_index_slot(|slot| {
            *slot = None;
            self.store.storage().remove_index()?;
            let mut index = self.store.storage().index(IndexAt::Storage)?;
            self.fill(index.as_mut(), progress).map_err(Unusable::into_error)?;
            *slot = Some(index);
            Ok(())
        })
    }

    /// Removes the index, since something that it holds must not be kept; the next search makes it anew.
    pub(super) fn forget_index(&self) -> Result<()> {
        // what this handle remembers of what it appended would come back by it
        self.tail().keep_from(u64::MAX);
        self.with_index_slot(|slot| {
            *slot = None;
            self.store.storage().remove_index()
        })
    }

    /// Does work with the index, brought up to this handle's checkpoint; in memory if the storage can't be written.
    pub(super) fn with_index<T>(&self, work: impl Fn(&mut dyn Index) -> std::result::Result<T, Unusable>) -> Result<T> {
        self.ask_index(true, work)
    }

    /// As [`Ledger::with_index`], with whatever it has if it need not be filled.
    pub(super) fn ask_index<T>(
        &self,
        fill: bool,
        work: impl Fn(&mut dyn Index) -> std::result::Result<T, Unusable>,
    ) -> Result<T> {
        self.with_index_slot(|slot| {
            let storage = self.store.storage();
            let run = |index: &mut Option<Box<dyn Index>>| -> std::result::Result<T, Unusable> {
                if index.as_ref().is_none_or(|index| !index.is_current()) {
                    *index = Some(storage.index(IndexAt::Storage).map_err(Unusable::Unwritable)?);
                }
                let open = index.as_mut().ok_or_else(|| Unusable::Unwritable(no_index()))?.as_mut();
                if fill {
                    self.fill(open, &mut |_| {})?;
                }
                work(open)
            };
            let mut found = run(slot);
            if let Err(Unusable::Damaged(_)) = found {
                // a damaged index is no loss: it is derived
                *slot = None;
                if storage.remove_index().is_ok() {
                    found = run(slot);
                }
            }
            match found {
                Err(Unusable::Damaged(_) | Unusable::Unwritable(_)) => {
                    *slot = Some(storage.index(IndexAt::Memory)?);
                    run(slot).inspect_err(|_| *slot = None).map_err(Unusable::into_error)
                }
                found => found.map_err(Unusable::into_error),
            }
        })
    }

    fn with_index_slot<T>(&self, work: impl FnOnce(&mut Option<Box<dyn Index>>) -> Result<T>) -> Result<T> {
        let mut slot = self.index.lock().map_err(|_| no_index())?;
        work(&mut slot)
    }

    fn fill(&self, index: &mut dyn Index, progress: &mut dyn FnMut(Progress)) -> std::result::Result<(), Unusable> {
        let mut have = index.have()?;
        if have > self.size() {
            // it may run ahead of the handle, never of the log
            let log = read_checkpoint(&self.store, &self.log_key).map_err(Unusable::Log)?;
            if have > log.checkpoint().size() {
                let ahead = "the search index names entries that the log does not have";
                return Err(Unusable::Damaged(Error::new(ErrorKind::Io, ahead)));
            }
        }
        while have < self.size() {
            let rows = self.new_rows(have, self.size().min(have + ROWS))?;
            let now = index.insert(have, &rows)?;
            if now <= have {
                return Err(Unusable::Damaged(Error::new(ErrorKind::Io, "the search index takes no rows")));
            }
            have = now;
            self.tail().keep_from(have);
            progress(Progress { done: have, of: self.size() });
        }
        Ok(())
    }

    fn rows(&self, from: u64, to: u64) -> std::result::Result<Vec<Row>, Unusable> {
        let row = |index| match self.record(index) {
            Ok(record) => Ok(Row::of(&record)),
            // it is found by nothing any more, and has its place
            Err(e) if e.kind() == ErrorKind::BodyDisposed => {
                self.entry(index).map(|entry| Row::bare(index, entry.time))
            }
            // what it says can't be known now, and must not hold up what can
            Err(e) if is_without_body(&e) || e.kind() == ErrorKind::LedgerTampered => {
                self.entry(index).map(|entry| Row::unread(index, entry.time))
            }
            Err(e) => Err(e),
        };
        (from..to).map(|index| row(index).map_err(Unusable::Log)).collect()
    }

    /// As [`Ledger::rows`], without reading again what this handle appended.
    fn new_rows(&self, from: u64, to: u64) -> std::result::Result<Vec<Row>, Unusable> {
        let known: Vec<Option<Row>> = (from..to).map(|index| self.tail().row(index).cloned()).collect();
        let may_be_gone = known.iter().any(Option::is_some) && self.may_have_disposed(from).map_err(Unusable::Log)?;
        (from..to)
            .zip(known)
            .map(|(index, known)| match known {
                Some(row) if !(may_be_gone && self.is_gone(index).map_err(Unusable::Log)?) => Ok(row),
                _ => self.rows(index, index + 1)?.pop().ok_or_else(|| Unusable::Log(no_index())),
            })
            .collect()
    }

    /// Whether another handle may have disposed of an entry from `from` on: a disposal stands in the log, or may.
    fn may_have_disposed(&self, from: u64) -> Result<bool> {
        let note = self.store.read(CHECKPOINT, limits::CHECKPOINT_BYTES)?;
        if note != self.checkpoint.note().as_bytes() {
            return Ok(true);
        }
        self.with_book(|book| {
            let mut controls = book.controls(from, self.size());
            Ok(controls.any(|(_, entry)| entry.is_of_type(RetentionDisposal::TYPE)))
        })
    }

    /// Whether an entry's body is neither here nor in an archive.
    fn is_gone(&self, index: u64) -> Result<bool> {
        Ok(self.store.storage().size(&Store::body_name(index))?.is_none() && !self.is_archived(index)?)
    }

    /// Whether the index holds more of an entry that was disposed of than its place.
    pub(super) fn is_indexed(&self, index: u64) -> Result<bool> {
        if !self.store.storage().has_index() {
            return Ok(false);
        }
        let bare = [Row::bare(index, self.entry(index)?.time)];
        self.ask_index(false, |rows| Ok(rows.have()? > index && rows.differs(index, &bare)?.is_some()))
    }
}

/// An index that is compared with the log, part by part.
pub(super) struct Compared {
    index: Box<dyn Index>,
    /// Entries it has, of those of the log.
    have: u64,
    entries: u64,
    keys: u64,
    difference: Option<String>,
}

impl Compared {
    pub(super) fn new(mut index: Box<dyn Index>, size: u64) -> std::result::Result<Self, Unusable> {
        let difference = index.damage()?;
        let have = match difference {
            None => index.have()?.min(size),
            Some(_) => 0,
        };
        Ok(Self { index, have, entries: 0, keys: 0, difference })
    }

    /// Compares entries `from` to `to`, of which `rows` should be all. Rows that are not there yet are no difference.
    pub(super) fn part(&mut self, from: u64, to: u64, rows: &[Row]) {
        let rows = rows.get(..usize::try_from(self.have.clamp(from, to) - from).unwrap_or(0)).unwrap_or_default();
        if self.difference.is_some() || rows.is_empty() {
            return;
        }
        self.entries += rows.len() as u64;
        self.keys += rows.iter().map(|row| row.keys.len() as u64).sum::<u64>();
        self.difference = self.index.differs(from, rows).unwrap_or_else(|e| Some(e.into_error().message().to_owned()));
    }

    /// How it differs, if it does: also in what it has of entries that it does not list.
    pub(super) fn finish(mut self) -> Option<String> {
        if self.difference.is_some() {
            return self.difference;
        }
        match self.index.counts() {
            Ok(counts) if counts == (self.entries, self.keys) => None,
            Ok(_) => Some("it says other than the log: a row more or less".to_owned()),
            Err(e) => Some(e.into_error().message().to_owned()),
        }
    }
}

fn no_index() -> Error {
    Error::new(ErrorKind::Internal, "the search index of this handle was lost")
}

impl Row {
    /// That of an entry whose record was disposed of.
    pub(super) fn bare(index: u64, time: i64) -> Self {
        let none = String::new;
        Self { index, time, predicate_type: none(), payload: none(), signer: none(), keys: Vec::new() }
    }

    /// That of an entry whose record could not be read when the index was filled.
    fn unread(index: u64, time: i64) -> Self {
        Self { keys: vec![(UNREAD, String::new())], ..Self::bare(index, time) }
    }

    pub(crate) fn of(record: &LedgerRecord) -> Self {
        Self::new(record.index, record.entry.time, record.statement(), record.speaker.identity.clone())
    }

    pub(crate) fn new(index: u64, time: i64, statement: &Statement, signer: String) -> Self {
        let mut keys = keys(statement);
        keys.sort();
        keys.dedup();
        Self {
            index,
            time,
            predicate_type: statement.predicate_type().to_owned(),
            payload: statement.payload_digest().hex(),
            signer,
            keys,
        }
    }
}

impl Query {
    pub(super) fn find(&self) -> Find<'_> {
        Find {
            keys: self.keys().map(|(name, value)| (name, value.as_str())).collect(),
            predicate_type: self.predicate_type.as_deref(),
            since: self.since.map(|t| t.unix_millis()),
            until: self.until.map(|t| t.unix_millis()),
            after: self.after,
        }
    }
}

/// All that a record is found by, beside its type and time.
pub(super) fn keys(statement: &Statement) -> Vec<(&'static str, String)> {
    keys_with(statement, bom_of(statement).as_ref())
}

/// As [`keys`], with the SBOM that it is, read before.
pub(super) fn keys_with(statement: &Statement, bom: Option<&Result<Summary>>) -> Vec<(&'static str, String)> {
    let tags = statement.tags();
    let mut keys = Vec::new();
    for (name, values) in [
        ("digest", tags.subject),
        ("change", tags.change),
        ("service", tags.service),
        ("release", tags.release),
        ("environment", tags.environment),
        ("kind", tags.kind),
    ] {
        keys.extend(values.into_iter().map(|value| (name, value)));
    }
    keys.extend(commits(statement).into_iter().map(|commit| ("commit", commit)));
    match bom {
        Some(Ok(bom)) => {
            let listed = bom.subject.iter().chain(&bom.components);
            keys.extend(listed.map(|component| ("component", component.package())));
        }
        Some(Err(_)) => keys.push(("component", UNREADABLE.to_owned())),
        None => {}
    }
    if let Ok(done) = statement.predicate_as::<Deployment>() {
        keys.extend(done.resources.into_iter().map(|uri| ("resource", uri)));
    } else if let Ok(scan) = statement.predicate_as::<Vulns>() {
        keys.extend(scan.scanner.result.into_iter().map(|found| ("vulnerability", found.id)));
    }
    keys
}

/// The SBOM that a record is, if it is one.
pub(super) fn bom_of(statement: &Statement) -> Option<Result<Summary>> {
    is_sbom(statement.predicate_type()).then(|| sbom::read_statement(statement))
}

/// Commits a record is about: its Git subjects, and the sources a provenance was built from.
fn commits(statement: &Statement) -> Vec<String> {
    let mut commits: Vec<String> = statement
        .subjects()
        .iter()
        .flat_map(|s| s.digests())
        .filter(|d| d.algorithm() == Algorithm::GitCommit)
        .map(|d| d.hex())
        .collect();
    if let Ok(provenance) = statement.predicate_as::<Provenance>() {
        let sources = provenance.build_definition.resolved_dependencies.into_iter();
        commits.extend(sources.filter_map(|s| s.digest?.get(Algorithm::GitCommit)).map(|d| d.hex()));
    }
    commits.sort();
    commits.dedup();
    commits
}
