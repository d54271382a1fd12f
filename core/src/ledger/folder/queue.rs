//! The queue of a folder: submissions of those who wait, where whoever holds the lock sees them.
//!
//! Whoever has had to wait keeps two files for as long as its handle lives, since a new file costs more than an append:
//! `queue/<32 hex>`, which it keeps locked, so that one whose owner died is told from one that waits, and
//! `queue/<32 hex>.answer`. In each stand a number, a length and so many bytes: in the first a submission, or nothing; in
//! the other the answer to the submission of that number, or [`TAKEN`] in the place of its length. Only the owner writes
//! the first, and only the holder of the folder's lock the other. Nothing here is durable or believed: what counts is what
//! is in the log.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::random;

use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::{Queue, Ticket, Waiting};

pub(super) const QUEUE: &str = "queue";
const ANSWER: &str = ".answer";
/// Number and length.
const HEAD: u64 = 16;
/// What one submission may hold.
const LONGEST: u64 = 64 * 1024 * 1024;
/// The length of an answer that is being worked on.
const TAKEN: u64 = u64::MAX;

/// What a handle keeps of the queue.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Its own place, once it had to wait.
    own: Option<Own>,
    /// The places of others, by their ids.
    others: BTreeMap<String, Other>,
}

#[derive(Debug)]
struct Own {
    path: PathBuf,
    submission: File,
    answer: File,
    /// Of the last submission.
    number: u64,
    /// Whether a ticket is out for it.
    waits: bool,
}

#[derive(Debug)]
struct Other {
    submission: File,
    answer: File,
}

/// The queue of a folder.
#[derive(Debug)]
pub(super) struct FolderQueue {
    pub(super) folder: PathBuf,
    pub(super) kept: Arc<Mutex<Kept>>,
}

#[derive(Debug)]
struct FolderTicket {
    kept: Arc<Mutex<Kept>>,
}

/// Whether a name is one of the queue: it comes and goes, and is no part of the ledger.
pub(crate) fn is_queued(name: &str) -> bool {
    name.strip_prefix("queue/").is_some_and(|name| is_id(name.strip_suffix(ANSWER).unwrap_or(name)))
}

fn is_id(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    // what is half known is read again
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes a number, a length and bytes in the place of what a file held.
fn write(mut file: &File, number: u64, length: u64, bytes: &[u8]) -> std::io::Result<()> {
    let head = [number.to_be_bytes(), length.to_be_bytes()].concat();
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&[&head, bytes].concat())
}

/// The number and length that a file begins with, if it does.
fn read_head(mut file: &File) -> Option<(u64, u64)> {
    let mut head = [0; HEAD as usize];
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_exact(&mut head).ok()?;
    let (number, length) = head.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), u64::from_be_bytes(length.try_into().ok()?)))
}

/// The bytes after the head, if all of them are there.
fn read_rest(mut file: &File, length: u64) -> Option<Vec<u8>> {
    if length > LONGEST || file.metadata().ok()?.len() != HEAD + length {
        return None;
    }
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(HEAD)).ok()?;
    file.take(length).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == length).then_some(bytes)
}

impl Own {
    fn new(folder: &Path) -> Result<Self> {
        let mut id = [0; 16];
        random::fill(&mut id)?;
        let path = folder.join(hex::encode(id));
        let create = |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let made = create(&answer_of(&path)).or_else(|e| match e.kind() {
            std::io::ErrorKind::NotFound => {
                let _ = std::fs::create_dir(folder);
                create(&answer_of(&path))
            }
            _ => Err(e),
        });
        let made = made.and_then(|answer| {
            let submission = create(&path)?;
            // never waited for: whoever saw it before it was locked takes its owner for dead, and has removed it
            submission.try_lock().map_err(std::io::Error::from)?;
            Ok(Self { path: path.clone(), submission, answer, number: 0, waits: false })
        });
        made.map_err(|e| {
            let _ = std::fs::remove_file(answer_of(&path));
            Error::io("write", &path, e)
        })
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(answer_of(&self.path));
    }
}

fn answer_of(path: &Path) -> PathBuf {
    path.with_extension("answer")
}

impl Queue for FolderQueue {
    fn submit(&self, bytes: &[u8]) -> Result<Box<dyn Ticket>> {
        if bytes.len() as u64 > LONGEST {
            return Err(Error::new(ErrorKind::LimitExceeded, "too much for the queue; it waits for its own turn"));
        }
        let mut kept = lock(&self.kept);
        // whoever holds the lock may have taken it for that of an owner that died
        let lives = kept.own.as_ref().is_some_and(|own| own.path.exists());
        let mut own = match kept.own.take() {
            Some(own) if own.waits => {
                kept.own = Some(own);
                return Err(Error::new(ErrorKind::LedgerBusy, "another thread waits; this one waits for its own turn"));
            }
            Some(own) if lives => own,
            _ => Own::new(&self.folder)?,
        };
        own.number += 1;
        write(&own.submission, own.number, bytes.len() as u64, bytes).map_err(|e| Error::io("write", &own.path, e))?;
        own.waits = true;
        kept.own = Some(own);
        Ok(Box::new(FolderTicket { kept: Arc::clone(&self.kept) }))
    }

    fn take(&self, most: usize) -> Vec<Waiting> {
        let mut kept = lock(&self.kept);
        let Kept { own, others: known } = &mut *kept;
        let own = own.as_ref().and_then(|own| own.path.file_name());
        let mut others = std::mem::take(known);
        let mut waiting: Vec<Waiting> = Vec::new();
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().filter(|id| is_id(id)).map(str::to_owned) else { continue };
            // what is not taken now is taken next time
            let full = waiting.len() == most || waiting.iter().map(|w| w.bytes.len() as u64).sum::<u64>() >= LONGEST;
            if full || own == Some(name.as_os_str()) {
                continue;
            }
            let Some(other) = others.remove(&id).or_else(|| Other::open(&entry)) else { continue };
            if other.clear_dead(&entry.path()) {
                continue;
            }
            if let Some(bytes) = other.take() {
                waiting.push(Waiting { id: id.clone(), bytes });
            }
            known.insert(id, other);
        }
        waiting
    }

    fn answer(&self, id: &str, bytes: &[u8]) {
        let kept = lock(&self.kept);
        let Some(other) = kept.others.get(id) else { return };
        // an owner that gets none waits for its turn
        if let Some((number, TAKEN)) = read_head(&other.answer) {
            let _ = write(&other.answer, number, bytes.len() as u64, bytes);
        }
    }
}

impl Other {
    fn open(entry: &std::fs::DirEntry) -> Option<Self> {
        // anything but a plain file could hold up whoever opens it
        let plain = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.is_file());
        let (path, answer) = (entry.path(), answer_of(&entry.path()));
        if !plain(&path) || !plain(&answer) {
            return None;
        }
        let answer = OpenOptions::new().read(true).write(true).open(answer).ok()?;
        Some(Self { submission: File::open(path).ok()?, answer })
    }

    /// A submission that nobody took, of an owner that waits.
    fn take(&self) -> Option<Vec<u8>> {
        let (number, length) = read_head(&self.submission)?;
        if read_head(&self.answer).is_some_and(|(answered, _)| answered == number) {
            return None;
        }
        let bytes = read_rest(&self.submission, length)?;
        write(&self.answer, number, TAKEN, &[]).ok()?;
        // withdrawn meanwhile; its owner looks whether it was taken after it withdrew it
        (read_head(&self.submission) == Some((number, length))).then_some(bytes)
    }

    /// Removes what an owner that died left. It holds its file while it lives.
    fn clear_dead(&self, path: &Path) -> bool {
        let lives = matches!(self.submission.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock));
        if !lives {
            let _ = self.submission.unlock();
            let _ = std::fs::remove_file(path);
            let _ = std::fs::remove_file(answer_of(path));
        }
        !lives
    }
}

impl Ticket for FolderTicket {
    fn answer(&self) -> Option<Vec<u8>> {
        let kept = lock(&self.kept);
        let own = kept.own.as_ref()?;
        let (number, length) = read_head(&own.answer)?;
        read_rest(&own.answer, length).filter(|_| number == own.number)
    }

    fn withdraw(&self) -> bool {
        let kept = lock(&self.kept);
        let Some(own) = &kept.own else { return true };
        let withdrawn = own.submission.set_len(0);
        withdrawn.is_ok() && read_head(&own.answer).is_none_or(|(number, _)| number != own.number)
    }
}

impl Drop for FolderTicket {
    fn drop(&mut self) {
        let mut kept = lock(&self.kept);
        if let Some(own) = &mut kept.own {
            let _ = own.submission.set_len(0);
            own.waits = false;
        }
    }
}
