//! Reading the journal of a folder: what was committed and is not in its place yet, and what a crash left.

use std::path::Path;
use std::sync::MutexGuard;

use super::journal::{self, End, Journal};
use super::{CHECKPOINT, FolderStorage, JOURNAL_FILE, State, Storage as _, UNFINISHED};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::RepairKind;
use crate::limits;

/// How often a journal is read again that somebody emptied meanwhile.
const ATTEMPTS: usize = 5;

/// What [`FolderStorage::follow`] found of a journal.
struct Followed {
    /// Whether this is the first look at this journal.
    first: bool,
    /// Bytes of the file, and how it ends.
    length: u64,
    end: End,
}

impl FolderStorage {
    /// Reads what others committed since the last look, if nobody here is writing.
    pub(super) fn look(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        if state.writing {
            return Ok(state);
        }
        for _ in 0..ATTEMPTS {
            let followed = self.follow(&mut state.journal)?;
            let Some(Followed { first: true, .. }) = followed else { return Ok(state) };
            let checkpoint = self.placed_checkpoint()?;
            if state.journal.checkpoint().is_none() || state.journal.frames_in(checkpoint.as_deref()).is_some() {
                return Ok(state);
            }
            // emptied since, or none of this folder's; then the folder says what counts
            state.journal = Journal::default();
        }
        Ok(state)
    }

    /// With the lock: reads what others committed, and sees to what a crash left. Afterwards the journal ends with its
    /// last whole frame.
    pub(super) fn catch_up(&self, state: &mut State) -> Result<()> {
        let path = self.path(JOURNAL_FILE);
        let Some(Followed { first, length, end }) = self.follow(&mut state.journal)? else { return Ok(()) };
        if end == End::Torn {
            self.drop_tail(&path, state.journal.end, length)?;
        }
        if !first || state.journal.checkpoint().is_none() {
            return Ok(());
        }
        // the folder may be at any of the checkpoints the journal passes through, and at no other
        if state.journal.frames_in(self.placed_checkpoint()?.as_deref()).is_none() {
            self.repaired(
                RepairKind::Dropped,
                format!(
                    "`{}` does not belong to the checkpoint beside it, as in a folder that was copied while it was \
                     written to; it was left out, and the audit tells whether the folder is whole without it",
                    path.display()
                ),
            );
            state.journal = Journal::default();
            return self.cut_journal(0).map_err(|e| self.must_write(e));
        }
        if state.journal.is_of_boot(self.boot.as_deref()) {
            return Ok(());
        }
        // after another boot no file is known to be on disk
        let replayed = self.replay(state);
        if replayed.is_err() {
            state.journal = Journal::default();
        }
        replayed
    }

    /// Reads the journal on from where it is known; none if there is none.
    fn follow(&self, journal: &mut Journal) -> Result<Option<Followed>> {
        let path = self.path(JOURNAL_FILE);
        let mut file = match limits::open_file("journal", &path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                *journal = Journal::default();
                return Ok(None);
            }
            file => file?,
        };
        let failed = |e| Error::io("read", &path, e);
        let length = file.metadata().map_err(failed)?.len();
        let header = journal::read_header(&mut file).map_err(failed)?;
        let known = header.as_ref() == Some(&journal.header) && length >= journal.end;
        if !known {
            *journal = Journal::default();
        }
        let Some(header) = header else {
            // cut short before its first frame, if it is not empty
            let end = if length == 0 { End::Clean } else { End::Torn };
            return Ok(Some(Followed { first: true, length, end }));
        };
        if length > limits::LEDGER_JOURNAL_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("`{}` is longer than any journal; restore the ledger from a copy", path.display()),
            ));
        }
        if !known {
            journal.begin(header);
        }
        let end = journal.read_on(&mut file, &path, length)?;
        Ok(Some(Followed { first: !known, length, end }))
    }

    /// Cuts off what follows on the last whole frame.
    fn drop_tail(&self, path: &Path, end: u64, length: u64) -> Result<()> {
        match self.cut_journal(end) {
            // it was not committed, so it does no harm to whoever only reads
            Err(e) if e.kind() == ErrorKind::PermissionDenied => return Ok(()),
            cut => cut?,
        }
        self.repaired(
            RepairKind::Dropped,
            format!(
                "{} bytes at the end of `{}` were an append that was cut short before it was committed",
                length - end,
                path.display()
            ),
        );
        Ok(())
    }

    /// Puts into the folder what the journal holds and the folder does not, brings it to disk, and empties the journal.
    fn replay(&self, state: &mut State) -> Result<()> {
        let mut changed = 0_usize;
        for (name, content) in &state.journal.contents {
            changed += usize::from(self.put_if_other(name, &content.bytes).map_err(|e| self.must_write(e))?);
        }
        changed += usize::from(self.place_checkpoint(&state.journal).map_err(|e| self.must_write(e))?);
        self.remove_stale(&mut state.journal);
        if changed > 0 {
            self.repaired(
                RepairKind::Completed,
                format!("{changed} files of committed appends were not in their places, and were put there"),
            );
        }
        match self.empty_journal(state) {
            // whoever may only read finds everything in its place, and nothing to do
            Err(e) if changed == 0 && e.kind() == ErrorKind::PermissionDenied => Ok(()),
            emptied => emptied.map_err(|e| self.must_write(e)),
        }
    }

    /// Puts what is not in its place yet there; nobody waits until it is on disk.
    pub(super) fn put_in_place(&self, journal: &mut Journal) -> Result<()> {
        let placed = self.placed_checkpoint()?;
        if placed.as_deref() != journal.checkpoint() {
            let from = journal.frames_in(placed.as_deref()).unwrap_or(0);
            let waiting = journal.contents.iter().filter(|(_, content)| content.frame >= from);
            for (name, content) in waiting {
                self.disk.put(&self.path(name), &content.bytes)?;
            }
            self.place_checkpoint(journal)?;
        }
        self.remove_stale(journal);
        Ok(())
    }

    fn place_checkpoint(&self, journal: &Journal) -> Result<bool> {
        let Some(newest) = journal.checkpoint() else { return Ok(false) };
        if self.placed_checkpoint()?.as_deref() == Some(newest) {
            return Ok(false);
        }
        self.disk.replace(&self.path(CHECKPOINT), &self.path(UNFINISHED), newest, false)?;
        Ok(true)
    }

    /// Removes what is stale and may lie in the folder; what can't be removed, the next append sweeps.
    fn remove_stale(&self, journal: &mut Journal) {
        for name in std::mem::take(&mut journal.stale) {
            let _ = self.disk.remove(&self.path(&name));
            self.remove_partial_folder(&name);
        }
    }

    /// Writes an object unless it is there as it should be. Readers may be at it, so it is replaced at once.
    fn put_if_other(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        let path = self.path(name);
        if limits::read_file("ledger file", &path, bytes.len() as u64).is_ok_and(|found| found == bytes) {
            return Ok(false);
        }
        self.disk.make_unsynced(path.parent().unwrap_or(&self.root))?;
        self.disk.replace(&path, &self.path(UNFINISHED), bytes, false)?;
        Ok(true)
    }

    fn must_write(&self, e: Error) -> Error {
        if e.kind() != ErrorKind::PermissionDenied {
            return e;
        }
        Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "the ledger at `{}` was cut short and must be made whole by somebody who may write there; have them run \
                 `sealwright ledger audit`, then try again",
                self.place()
            ),
        )
    }
}
