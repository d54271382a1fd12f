//! Catching up with the journal of a folder: what others committed, and what a crash left.

use std::io::{Read as _, Seek as _, SeekFrom};

use super::journal::{self, Contents, Journal, is_partial};
use super::{CHECKPOINT, FolderStorage, JOURNAL_FILE, State, Storage as _, UNFINISHED};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::RepairKind;
use crate::limits;

impl FolderStorage {
    /// Reads what others wrote to the journal since this handle last held the lock, which the caller holds, and puts
    /// into the folder what of it is not there. Afterwards the journal ends with its last whole frame.
    pub(super) fn catch_up(&self, state: &mut State) -> Result<()> {
        let path = self.path(JOURNAL_FILE);
        let failed = |e| Error::io("read", &path, e);
        let mut file = match limits::open_file("journal", &path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                *state = State { seen: true, broken: state.broken, ..State::default() };
                return Ok(());
            }
            file => file?,
        };
        let length = file.metadata().map_err(failed)?.len();
        let header = journal::read_header(&mut file).map_err(failed)?;
        let known = state.seen && header.as_ref() == Some(&state.journal.header) && length >= state.journal.end;
        if known && length == state.journal.end {
            return Ok(());
        }
        if !known {
            *state = State { broken: state.broken, ..State::default() };
        }
        let Some(header) = header else {
            // cut short before its first frame, if it is not empty
            self.drop_tail(&path, 0, length)?;
            state.seen = true;
            return Ok(());
        };
        if !known {
            state.journal.begin(header);
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(state.journal.end)).map_err(failed)?;
        if length > limits::LEDGER_JOURNAL_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("`{}` is longer than any journal; restore the ledger from a copy", path.display()),
            ));
        }
        file.take(length).read_to_end(&mut bytes).map_err(failed)?;
        // frames that another handle wrote were put into the folder by it, unless it died meanwhile
        let whole = known || state.journal.is_of_boot(self.boot.as_deref());
        state.journal.read_on(&bytes, |_| {});
        self.drop_tail(&path, state.journal.end, length)?;
        state.seen = true;
        if state.journal.after.is_some() {
            if whole && self.checkpoint()? == state.journal.after {
                self.remove_stale(&state.journal.stale);
            } else {
                self.replay(state).inspect_err(|_| state.seen = false)?;
            }
        }
        Ok(())
    }

    /// Cuts off what follows on the last whole frame.
    fn drop_tail(&self, path: &std::path::Path, end: u64, length: u64) -> Result<()> {
        if length <= end {
            return Ok(());
        }
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
        let path = self.path(JOURNAL_FILE);
        let bytes = limits::read_file("journal", &path, limits::LEDGER_JOURNAL_BYTES)?;
        let mut found = Journal::default();
        found.begin(state.journal.header.clone());
        let checkpoint = self.checkpoint()?;
        // the folder may be at any of the checkpoints the journal passes through, and at no other
        let (mut known, mut first) = (false, true);
        let mut frames = 0_usize;
        found.read_on(bytes.get(journal::HEADER..).unwrap_or_default(), |frame| {
            known |= (first && frame.before == checkpoint.as_deref()) || checkpoint.as_deref() == Some(frame.after);
            first = false;
            frames += 1;
        });
        if !known {
            self.repaired(
                RepairKind::Dropped,
                format!(
                    "`{}` does not belong to the checkpoint beside it, as in a folder that was copied while it was \
                     written to; it was left out, and the audit tells whether the folder is whole without it",
                    path.display()
                ),
            );
            return self.discard(state);
        }
        let mut contents = Contents::default();
        let mut changed = 0_usize;
        let mut refused = None;
        let mut stale = Vec::new();
        let mut again = Journal::default();
        again.begin(state.journal.header.clone());
        again.read_on(bytes.get(journal::HEADER..).unwrap_or_default(), |frame| {
            for object in &frame.objects {
                let Some(whole) = contents.whole(object) else {
                    refused = Some(Error::new(
                        ErrorKind::LedgerTampered,
                        format!(
                            "`{}` does not hold all of `{}`; restore the ledger from a copy",
                            path.display(),
                            object.name
                        ),
                    ));
                    continue;
                };
                if is_partial(object.name) {
                    contents.0.insert(object.name.to_owned(), whole);
                } else if refused.is_none() {
                    match self.put_if_other(object.name, &whole) {
                        Ok(put) => changed += usize::from(put),
                        Err(e) => refused = Some(e),
                    }
                }
            }
            for name in &frame.stale {
                contents.0.remove(*name);
                stale.push((*name).to_owned());
            }
        });
        if let Some(e) = refused {
            return Err(self.must_write(e));
        }
        for (name, whole) in &contents.0 {
            changed += usize::from(self.put_if_other(name, whole).map_err(|e| self.must_write(e))?);
        }
        if checkpoint != state.journal.after {
            let after = state.journal.after.clone().unwrap_or_default();
            self.disk
                .replace(&self.path(CHECKPOINT), &self.path(UNFINISHED), &after, false)
                .map_err(|e| self.must_write(e))?;
            changed += 1;
        }
        stale.retain(|name| !contents.0.contains_key(name));
        self.remove_stale(&stale);
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

    fn discard(&self, state: &mut State) -> Result<()> {
        self.cut_journal(0).map_err(|e| self.must_write(e))?;
        state.journal = Journal::default();
        Ok(())
    }

    /// Writes an object unless it is there as it should be. Readers may be at it, so it is replaced at once.
    fn put_if_other(&self, name: &str, bytes: &[u8]) -> Result<bool> {
        if self.read(name, bytes.len() as u64).is_ok_and(|found| found == bytes) {
            return Ok(false);
        }
        let path = self.path(name);
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
        .caused_by(e)
    }
}
