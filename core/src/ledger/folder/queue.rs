//! The queue of a folder: submissions of those who wait, where whoever holds the lock sees them.
//!
//! A submission is a file `queue/<32 hex>` that its owner keeps locked while it waits, so that one whose owner died is told
//! from one that waits. Whoever holds the folder's lock takes it by removing it, and answers in `queue/<32 hex>.answer`.
//! Nothing here is durable or believed: what counts is what is in the log.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use aws_lc_rs::rand;

use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::{Queue, Ticket, Waiting};
use crate::limits;

pub(super) const QUEUE: &str = "queue";
const ANSWER: &str = ".answer";
const UNFINISHED: &str = ".new";
/// What one submission may hold.
const LONGEST: u64 = 64 * 1024 * 1024;

/// The queue of a folder.
#[derive(Debug)]
pub(super) struct FolderQueue {
    pub(super) folder: PathBuf,
}

#[derive(Debug)]
struct FolderTicket {
    path: PathBuf,
    #[expect(dead_code, reason = "holding the file open is what says that its owner lives")]
    file: File,
}

/// Whether a name is one of the queue: it comes and goes, and is no part of the ledger.
pub(crate) fn is_queued(name: &str) -> bool {
    let name = name.strip_prefix("queue/");
    let id = name.map(|name| name.strip_suffix(ANSWER).or(name.strip_suffix(UNFINISHED)).unwrap_or(name));
    id.is_some_and(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}

impl Queue for FolderQueue {
    fn submit(&self, bytes: &[u8]) -> Result<Box<dyn Ticket>> {
        if bytes.len() as u64 > LONGEST {
            return Err(Error::new(ErrorKind::LimitExceeded, "too much for the queue; it waits for its own turn"));
        }
        let mut id = [0; 16];
        rand::fill(&mut id).map_err(|_| Error::new(ErrorKind::Internal, "the system gave no random bytes"))?;
        let path = self.folder.join(hex::encode(id));
        // whole before it has the name that is looked for
        let hidden = path.with_extension("new");
        let open = || OpenOptions::new().write(true).create_new(true).open(&hidden);
        let made = open().or_else(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                let _ = std::fs::create_dir(&self.folder);
                open()
            }
            _ => Err(e),
        });
        let placed = made.and_then(|mut file| {
            file.lock()?;
            file.write_all(bytes)?;
            std::fs::rename(&hidden, &path)?;
            Ok(file)
        });
        match placed {
            Ok(file) => Ok(Box::new(FolderTicket { path, file })),
            Err(e) => {
                let _ = std::fs::remove_file(&hidden);
                Err(Error::io("write", &path, e))
            }
        }
    }

    fn take(&self, most: usize) -> Vec<Waiting> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let mut waiting: Vec<Waiting> = Vec::new();
        for entry in entries.flatten() {
            // what is not taken now is taken next time
            if waiting.len() == most || waiting.iter().map(|w| w.bytes.len() as u64).sum::<u64>() >= LONGEST {
                break;
            }
            let name = entry.file_name();
            let Some(id) = name.to_str().filter(|id| id.len() == 32) else {
                clear(&entry.path());
                continue;
            };
            let path = entry.path();
            // anything but a plain file could hold up whoever opens it
            if !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            let Ok(file) = File::open(&path) else { continue };
            // its owner holds it while it waits
            let lives = matches!(file.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock));
            if std::fs::remove_file(&path).is_err() || !lives {
                continue;
            }
            let mut bytes = Vec::new();
            if (&file).take(LONGEST + 1).read_to_end(&mut bytes).is_ok() && bytes.len() as u64 <= LONGEST {
                waiting.push(Waiting { id: id.to_owned(), bytes });
            }
        }
        waiting
    }

    fn answer(&self, id: &str, bytes: &[u8]) {
        let path = self.folder.join(id).with_extension("new");
        // an owner that gets none waits for its turn
        let written = OpenOptions::new().write(true).create_new(true).open(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            std::fs::rename(&path, self.folder.join(format!("{id}{ANSWER}")))
        });
        if written.is_err() {
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Removes what an owner that died left: an answer nobody took, a submission that was never whole. A minute is longer
/// than either lives.
fn clear(path: &std::path::Path) {
    let age = path.metadata().and_then(|meta| meta.modified()).ok().and_then(|written| written.elapsed().ok());
    if age.is_some_and(|age| age.as_secs() >= 10 * limits::LEDGER_LOCK_MILLIS / 1000) {
        let _ = std::fs::remove_file(path);
    }
}

impl FolderTicket {
    fn answered(&self) -> PathBuf {
        self.path.with_extension("answer")
    }
}

impl Ticket for FolderTicket {
    fn answer(&self) -> Option<Vec<u8>> {
        let path = self.answered();
        let bytes = limits::read_file("answer", &path, 1024 * 1024).ok()?;
        let _ = std::fs::remove_file(&path);
        Some(bytes)
    }

    fn withdraw(&self) -> bool {
        std::fs::remove_file(&self.path).is_ok()
    }
}

impl Drop for FolderTicket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(self.answered());
    }
}
