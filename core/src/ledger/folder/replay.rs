//! Reading the journal of a folder: what was committed and is not in its place yet, and what a crash left.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom};
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
    /// Whether all of it is known to be on disk.
    on_disk: bool,
}

impl FolderStorage {
    /// Reads what others committed since the last look, if nobody here is writing.
    pub(super) fn look(&self) -> Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        state.looked = true;
        if state.writing {
            return Ok(state);
        }
        for _ in 0..ATTEMPTS {
            let followed = self.follow(&mut state.journal, false)?;
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
    /// last whole frame, which is on disk.
    pub(super) fn catch_up(&self, state: &mut State) -> Result<()> {
        let path = self.path(JOURNAL_FILE);
        let Some(followed) = self.follow(&mut state.journal, true)? else { return Ok(()) };
        if followed.end == End::Torn {
            self.drop_tail(&path, state.journal.end, followed.length)?;
        }
        if !followed.on_disk {
            self.seal_frames(&state.journal)?;
        }
        if state.journal.is_checked || state.journal.checkpoint().is_none() {
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
        // after another boot no file is known to be on disk
        if !state.journal.is_of_boot(self.boot.as_deref()) {
            return self.replay(state);
        }
        state.journal.is_checked = true;
        Ok(())
    }

    /// Reads the journal on from where it is known; none if there is none. Without the lock only what is on disk.
    fn follow(&self, journal: &mut Journal, locked: bool) -> Result<Option<Followed>> {
        let path = self.path(JOURNAL_FILE);
        self.check_no_link(&path)?;
        let mut file = match limits::open_file("journal", &path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                *journal = Journal::default();
                return Ok(None);
            }
            file => file?,
        };
        let failed = |e| Error::io("read", &path, e);
        let mut length = file.metadata().map_err(failed)?.len();
        let header = journal::read_header(&mut file).map_err(failed)?;
        let known = header.as_ref() == Some(&journal.header) && length >= journal.end;
        if !known {
            *journal = Journal::default();
        }
        let Some(header) = header else {
            // cut short before its first frame, if it is not empty
            let end = if length == 0 { End::Clean } else { End::Torn };
            return Ok(Some(Followed { first: true, length, end, on_disk: true }));
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
        let may_wait = self.boot.is_none() || journal.is_of_boot(self.boot.as_deref());
        if !locked && may_wait {
            length = journal.sealed(&mut file, length).map_err(failed)?;
        }
        let end = journal.read_on(&mut file, &path, length)?;
        let on_disk = !locked || journal.is_sealed(&mut file).map_err(failed)?;
        Ok(Some(Followed { first: !known, length, end, on_disk }))
    }

    /// Brings to disk what a process wrote that died before it was there.
    fn seal_frames(&self, journal: &Journal) -> Result<()> {
        let path = self.path(JOURNAL_FILE);
        let sealed = OpenOptions::new().write(true).open(&path).map_err(|e| Error::io("write", &path, e));
        let sealed = sealed.and_then(|mut file| {
            self.disk.sync_data(&file, &path).map_err(|e| Error::io("sync", &path, e))?;
            self.seal(&mut file, journal.end);
            Ok(())
        });
        match sealed {
            // whoever only reads gives no receipt for it
            Err(e) if e.kind() == ErrorKind::PermissionDenied => Ok(()),
            sealed => sealed,
        }
    }

    /// Marks the frame that ends at `end` as one that is on disk. If that fails, others see it with the next one.
    pub(super) fn seal(&self, file: &mut File, end: u64) {
        let path = self.path(JOURNAL_FILE);
        let _ = file.seek(SeekFrom::Start(end - 1)).and_then(|_| self.disk.write(file, &path, &[journal::SEALED]));
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
        self.check_folders(&state.journal)?;
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
        let placed = self.placed_checkpoint()?.filter(|_| !journal.is_in_doubt);
        if placed.as_deref() != journal.checkpoint() {
            self.check_folders(journal)?;
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
        if !journal.is_in_doubt && self.placed_checkpoint()?.as_deref() == Some(newest) {
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

    /// Checks that the folders of a ledger that objects are put into are folders: a link would lead out of it.
    fn check_folders(&self, journal: &Journal) -> Result<()> {
        let folders: BTreeSet<&Path> =
            journal.contents.keys().flat_map(|name| Path::new(name).ancestors().skip(1)).collect();
        folders.iter().try_for_each(|folder| self.check_no_link(&self.root.join(folder)))
    }

    /// Checks that nobody put a link in the place of a file or folder of a ledger.
    pub(super) fn check_no_link(&self, path: &Path) -> Result<()> {
        if *path != self.root && path.symlink_metadata().is_ok_and(|meta| meta.is_symlink()) {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!("`{}` is a link, which no file of a ledger is; restore the ledger from a copy", path.display()),
            ));
        }
        Ok(())
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
