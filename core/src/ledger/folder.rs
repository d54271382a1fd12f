//! A ledger in a folder.
//!
//! ```text
//! ledger.json          format, origin and public key of the log
//! checkpoint           the newest signed checkpoint
//! tile/<L>/<N>         hash tiles, tile/entries/<N> entry bundles (C2SP tlog-tiles; .p/<W> for partial ones)
//! bodies/<N>           salt and record of entry N, N written like a tile index
//! attachments/<hex>    files that records name by SHA-256
//! rotations/<n>        notes by which the key of the log was replaced, from 1
//! checkpoints/<N>      checkpoints that witnesses cosigned (<N>.tsr: RFC 3161 tokens over them), N like a tile index
//! archived/<N>         in the place of a body that was moved to an archive: what its entry commits to
//! keyring.json, keys/  of an encrypted ledger ([`super::sealed`])
//! mirror.json          in a copy that is pulled: where from, and when
//! unproven/            in a copy of an encrypted ledger: keyring and headers that wait to be proven with its key
//! queue/<hex>          what those who wait for the lock would append; whoever has it commits for them and answers
//! journal              what was committed and may not be on disk in its own files yet; often not there
//! lock                 held while anything is written; empty
//! unfinished           the file that is being written, before it gets its name
//! index.sqlite         for searching; derived, never the truth, made anew at will
//! ```
//!
//! **A commit** is one frame at the end of the [journal], brought to disk. Whoever reads the ledger reads the journal as
//! well, so that it is seen at once. Its files are put in their places later, the checkpoint last: by the first commit a
//! second or more after that was last done, by whoever opens the ledger, and by its writer when it is done. Nobody waits
//! until they are on disk; after a power loss the journal has them. When it has grown to [`JOURNAL`] bytes, or its writer
//! is done, everything it holds is brought to disk in its own files and it is emptied (decision 0020).

mod disk;
#[cfg(test)]
mod faults;
mod journal;
mod queue;
mod replay;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::random;

use self::disk::Disk;
use self::journal::{Journal, Sum};
pub(crate) use self::queue::is_queued;
use self::queue::{FolderQueue, Kept, QUEUE};
use super::index::Index;
use super::sealed::{KEYRING, KEYS};
use super::sqlite::{self, SqliteIndex};
use super::storage::{Batch, Content, IndexAt, Outcome, Queue, Repair, RepairKind, Right, Storage, Upload};
use super::store::{BODIES, CHECKPOINT, CONFIG, TILES};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

pub(crate) const LOCK: &str = "lock";
pub(crate) const INDEX: &str = "index.sqlite";
/// While the index is written: what SQLite needs to undo that. It applies or drops it on opening, nothing else reads it.
pub(crate) const INDEX_JOURNAL: &str = "index.sqlite-journal";
/// The one file that is not yet whole, on its way to its name; never read, and cleared before the next append.
pub(crate) const UNFINISHED: &str = "unfinished";
pub(crate) const JOURNAL_FILE: &str = "journal";

/// How long the journal gets before what it holds is brought to disk in its own files.
const JOURNAL: u64 = 8 * 1024 * 1024;
/// How long what was committed may wait to be put in its place while more is committed.
const PLACE_AFTER: Duration = Duration::from_secs(1);
/// The most room that is made at once for frames to come.
const ROOM: u64 = 1024 * 1024;
/// More files than these are brought to disk by one call for the whole file system, where there is such a call.
const FEW_FILES: usize = 64;
/// The boot of this machine, where the system has a name for it.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A ledger's folder.
#[derive(Debug)]
pub(crate) struct FolderStorage {
    root: PathBuf,
    disk: Disk,
    boot: Option<String>,
    /// How old the checkpoint in its place may be when a commit is not put in place at once.
    place_after: Duration,
    state: Mutex<State>,
    repairs: Mutex<Vec<Repair>>,
    queue: Arc<Mutex<Kept>>,
}

/// What a handle knows of the journal.
#[derive(Debug, Default)]
struct State {
    journal: Journal,
    /// Whether this handle ever looked at it.
    looked: bool,
    /// Whether this handle has the right to write: then nobody else changes the journal.
    writing: bool,
    /// Whether this handle wrote to it since it was emptied.
    wrote: bool,
    /// Whether the disk failed in a way that leaves open what is on it.
    broken: bool,
}

/// The right to write to a folder: a lock that the system gives back when its holder dies, however it dies.
#[derive(Debug)]
struct FolderRight<'a> {
    folder: &'a FolderStorage,
    #[expect(dead_code, reason = "holding the file open is what holds the lock")]
    lock: File,
}

impl FolderStorage {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self::on(Disk::default(), root)
    }

    fn on(disk: Disk, root: impl Into<PathBuf>) -> Self {
        let boot = limits::read_file("boot id", Path::new(BOOT_ID), 64).ok();
        let boot = boot.and_then(|boot| String::from_utf8(boot).ok()).map(|boot| boot.trim().to_owned());
        let (root, state, repairs) = (root.into(), Mutex::default(), Mutex::default());
        Self { root, disk, boot, place_after: PLACE_AFTER, state, repairs, queue: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| {
            // another thread panicked at it: what is known may be half of it
            let mut state = poisoned.into_inner();
            *state = State { broken: true, ..State::default() };
            self.state.clear_poison();
            state
        })
    }

    fn is_broken(&self) -> Error {
        Error::new(
            ErrorKind::Io,
            format!("the disk under `{}` failed; look at it, then open the ledger again", self.place()),
        )
    }

    fn repaired(&self, kind: RepairKind, message: impl Into<String>) {
        if let Ok(mut repairs) = self.repairs.lock() {
            repairs.push(Repair::new(kind, message));
        }
    }

    /// The checkpoint in its place, which may be an older one.
    fn placed_checkpoint(&self) -> Result<Option<Vec<u8>>> {
        match limits::read_file("ledger file", &self.path(CHECKPOINT), limits::CHECKPOINT_BYTES) {
            Ok(found) => Ok(Some(found)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Whether the checkpoint in its place is so old that what was committed since is to be put in place.
    fn is_due(&self) -> bool {
        let written = std::fs::metadata(self.path(CHECKPOINT)).and_then(|meta| meta.modified());
        // a clock that went backwards says nothing of its age
        written.ok().and_then(|written| written.elapsed().ok()).is_none_or(|age| age >= self.place_after)
    }

    /// Brings everything that the journal holds to disk in its own files, and empties the journal.
    fn empty_journal(&self, state: &mut State) -> Result<()> {
        if state.broken {
            return Err(self.is_broken());
        }
        if state.journal.header.is_empty() {
            return Ok(());
        }
        self.put_in_place(&mut state.journal)?;
        if let Err(e) = self.sync_objects(&state.journal) {
            // the system tells of such a fault once: what it could not bring to disk is written anew
            state.journal.is_in_doubt = true;
            return Err(e);
        }
        let path = self.path(JOURNAL_FILE);
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|file| self.disk.cut(&file, &path, 0))
            .map_err(|e| Error::io("empty", &path, e))?;
        state.journal = Journal::default();
        state.wrote = false;
        Ok(())
    }

    fn sync_objects(&self, journal: &Journal) -> Result<()> {
        if journal.checkpoint().is_none() {
            return Ok(());
        }
        if journal.contents.len() > FEW_FILES && self.disk.sync_everything(&self.root)? {
            return Ok(());
        }
        let mut folders = BTreeSet::from([self.root.clone()]);
        for name in journal.contents.keys().map(String::as_str).chain([CHECKPOINT]) {
            let path = self.path(name);
            let synced = File::open(&path).and_then(|file| self.disk.sync(&file, &path));
            match synced {
                // disposed of since
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                synced => synced.map_err(|e| Error::io("sync", &path, e))?,
            }
            let below = path.ancestors().skip(1).take_while(|folder| *folder != self.root);
            folders.extend(below.map(Path::to_owned));
        }
        // the deepest first: a folder's name is on disk when those below it are
        folders.iter().rev().filter(|folder| folder.is_dir()).try_for_each(|folder| self.disk.sync_folder(folder))
    }

    /// Writes a frame to the end of the journal, with at most so much room after it, and brings it to disk; gives its
    /// length and sum.
    fn write_frame(&self, journal: &mut Journal, batch: &Batch<'_>, room: u64) -> Result<(usize, Sum)> {
        journal::check_names(batch)?;
        let path = self.path(JOURNAL_FILE);
        let failed = |e| Error::io("write", &path, e);
        self.check_no_link(&path)?;
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => self.disk.create(&path).map_err(failed)?,
            file => file.map_err(failed)?,
        };
        let mut begun = 0;
        let mut bytes = Vec::new();
        if journal.checkpoints.is_empty() {
            // its name may not be on disk, whoever made it
            self.disk.sync_folder(&self.root)?;
            let mut random = [0; 16];
            random::fill(&mut random)?;
            journal.begin(journal::header(random, self.boot.as_deref()));
            journal.is_checked = true;
            bytes.clone_from(&journal.header);
        } else {
            begun = journal.end;
        }
        let (frame, sum) = journal.encode(batch);
        bytes.extend(&frame);
        let end = begun + bytes.len() as u64;
        if end > limits::LEDGER_JOURNAL_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                "the batch is longer than any journal; append it in parts",
            ));
        }
        if begun > 0 && end > file.metadata().map_err(failed)?.len() {
            // as much room as there are frames, so that one who appends once makes none
            bytes.resize(bytes.len() + usize::try_from(begun.min(room)).unwrap_or(0), 0);
        }
        let written = file
            .seek(SeekFrom::Start(begun))
            .and_then(|_| self.disk.write(&mut file, &path, &bytes))
            .and_then(|()| self.disk.sync_data(&file, &path));
        if let Err(e) = written {
            if begun == 0 {
                *journal = Journal::default();
            }
            return Err(failed(e));
        }
        self.seal(&mut file, end);
        Ok((frame.len(), sum))
    }

    /// Makes the journal end where it ended before a commit that failed.
    fn cut_journal(&self, end: u64) -> Result<()> {
        let path = self.path(JOURNAL_FILE);
        OpenOptions::new()
            .write(true)
            .open(&path)
            .and_then(|file| {
                self.disk.cut(&file, &path, end)?;
                self.disk.sync_data(&file, &path)
            })
            .map_err(|e| Error::io("cut", &path, e))
    }

    /// An object that may not be in its place yet.
    fn waiting<T>(&self, name: &str, look: impl Fn(&[u8]) -> T) -> Result<Option<T>> {
        let state = self.state();
        if state.looked && !state.journal.contents.contains_key(name) {
            return Ok(None);
        }
        drop(state);
        // what was removed since is no longer in the journal
        Ok(self.look()?.journal.contents.get(name).map(|content| look(&content.bytes)))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn remove_file(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        self.disk.remove(&path).map_err(|e| Error::io("remove", &path, e))
    }

    /// Removes the folder of a partial tile, if nothing is left in it.
    fn remove_partial_folder(&self, name: &str) {
        if let Some((folder, _)) = name.rsplit_once('/').filter(|(folder, _)| folder.ends_with(".p")) {
            // it stays if another partial tile lies in it
            let _ = std::fs::remove_dir(self.path(folder));
        }
    }
}

impl Storage for FolderStorage {
    fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn create(&self) -> Result<bool> {
        self.disk.make_folder(&self.root)?;
        let mut entries = std::fs::read_dir(&self.root).map_err(|e| Error::io("read folder", &self.root, e))?.flatten();
        // whoever makes a ledger at the same time has locked it first
        Ok(entries.all(|entry| entry.file_name() == LOCK))
    }

    fn destroy(&self) {
        for name in [CHECKPOINT, CONFIG, KEYRING, JOURNAL_FILE, INDEX, LOCK] {
            let _ = std::fs::remove_file(self.path(name));
        }
        for name in [TILES, BODIES, KEYS, QUEUE] {
            let _ = std::fs::remove_dir_all(self.path(name));
        }
        // whatever an unfinished write left goes, too; a folder with anything else in it stays
        if let Ok(entries) = std::fs::read_dir(&self.root) {
            for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().ends_with(UNFINISHED)) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let _ = std::fs::remove_dir(&self.root);
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let waiting = match name {
            CHECKPOINT => self.look()?.journal.checkpoint().map(<[u8]>::to_vec),
            name => self.waiting(name, <[u8]>::to_vec)?,
        };
        if let Some(bytes) = waiting {
            if bytes.len() as u64 > limit {
                return Err(limits::too_long("ledger file", &self.path(name), limit));
            }
            return Ok(bytes);
        }
        limits::read_file("ledger file", &self.path(name), limit)
    }

    fn stream(&self, name: &str) -> Result<Content> {
        if let Some(bytes) = self.waiting(name, <[u8]>::to_vec)? {
            let size = bytes.len() as u64;
            return Ok(Content { bytes: Box::new(std::io::Cursor::new(bytes)), size });
        }
        let path = self.path(name);
        let failed = |e| Error::io("read ledger file", &path, e);
        let file = limits::open_file("ledger file", &path)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok(Content { bytes: Box::new(file), size })
    }

    fn size(&self, name: &str) -> Result<Option<u64>> {
        if let Some(size) = self.waiting(name, |bytes| bytes.len() as u64)? {
            return Ok(Some(size));
        }
        let path = self.path(name);
        match std::fs::metadata(&path) {
            Ok(meta) => Ok(meta.is_file().then_some(meta.len())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("look at", &path, e)),
        }
    }

    fn list(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        let (mut waiting, stale) = {
            let journal = &self.look()?.journal;
            let within = journal.contents.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
            let waiting: BTreeMap<_, _> =
                within.map(|(name, content)| (name.clone(), content.bytes.len() as u64)).collect();
            // once all is in its place, what is stale was left over
            let waits = self.placed_checkpoint()?.as_deref() != journal.checkpoint();
            (waiting, if waits { journal.stale.clone() } else { BTreeSet::new() })
        };
        let mut open = vec![prefix.trim_end_matches('/').to_owned()];
        while let Some(folder) = open.pop() {
            let path = self.path(&folder);
            let entries = match std::fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => return Err(Error::io("read folder", &path, e)),
            };
            for entry in entries {
                let failed = |e| Error::io("read folder", &path, e);
                let entry = entry.map_err(failed)?;
                let found = entry.file_name();
                let Some(found) = found.to_str() else {
                    visit(&entry.path().to_string_lossy(), 0)?;
                    continue;
                };
                let name = if folder.is_empty() { found.to_owned() } else { format!("{folder}/{found}") };
                // a link is no folder of ours, whatever it points to
                if entry.file_type().map_err(failed)?.is_dir() {
                    open.push(name);
                } else if is_queued(&name) {
                    // comes and goes
                } else if !(folder.is_empty() && [INDEX, INDEX_JOURNAL, JOURNAL_FILE].contains(&found)) {
                    let size = match entry.metadata() {
                        Ok(meta) => meta.len(),
                        // others write meanwhile
                        Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                        Err(e) => return Err(failed(e)),
                    };
                    // the lock has no bytes, or is something else
                    if !stale.contains(&name) && (name != LOCK || size > 0) {
                        visit(&name, waiting.remove(&name).unwrap_or(size))?;
                    }
                }
            }
        }
        waiting.iter().try_for_each(|(name, size)| visit(name, *size))
    }

    fn right_lasts(&self) -> bool {
        true
    }

    fn acquire(&self, patience: Duration) -> Result<Box<dyn Right + '_>> {
        let lock = lock_folder(&self.root, patience)?;
        let mut state = self.state();
        self.catch_up(&mut state)?;
        state.writing = true;
        Ok(Box::new(FolderRight { folder: self, lock }))
    }

    fn recover(&self, patience: Duration) -> Result<bool> {
        // a journal is empty or not there while nobody has anything left to do
        if self.size(JOURNAL_FILE)?.is_none_or(|size| size == 0) {
            return Ok(false);
        }
        match lock_folder(&self.root, patience) {
            Ok(_lock) => {
                let mut state = self.state();
                match self.catch_up(&mut state) {
                    // whoever may not write reads from the journal what is not in its place
                    Err(e) if e.kind() == ErrorKind::PermissionDenied => return Ok(true),
                    caught_up => caught_up?,
                }
                // for those who read the files without the journal
                let _ = self.put_in_place(&mut state.journal);
            }
            // whoever holds it has caught up before it wrote
            Err(e) if e.kind() == ErrorKind::LedgerBusy => {}
            // a folder of which the lock can't be opened, such as a copy on a read-only medium
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {}
            Err(e) => return Err(e),
        }
        Ok(true)
    }

    fn repairs(&self) -> Vec<Repair> {
        self.repairs.lock().map(|repairs| repairs.clone()).unwrap_or_default()
    }

    fn queue(&self) -> Option<Box<dyn Queue + '_>> {
        Some(Box::new(FolderQueue { folder: self.path(QUEUE), kept: Arc::clone(&self.queue) }))
    }

    fn index(&self, how: IndexAt) -> Result<Box<dyn Index>> {
        let patience = Duration::from_millis(limits::LEDGER_LOCK_MILLIS);
        let index = match how {
            IndexAt::Storage => SqliteIndex::at(&self.path(INDEX), patience),
            IndexAt::Memory => SqliteIndex::in_memory(),
        };
        index.map(|index| Box::new(index) as Box<dyn Index>).map_err(sqlite::fault)
    }

    fn has_index(&self) -> bool {
        self.path(INDEX).exists()
    }

    fn remove_index(&self) -> Result<()> {
        [INDEX, INDEX_JOURNAL].iter().try_for_each(|name| self.remove_file(name))
    }
}

impl Right for FolderRight<'_> {
    fn commit(&mut self, batch: Batch<'_>) -> Result<Outcome> {
        let folder = self.folder;
        let mut state = folder.state();
        if state.broken {
            return Err(folder.is_broken());
        }
        let placed;
        let current = match state.journal.checkpoint() {
            Some(newest) => Some(newest),
            None => {
                placed = folder.placed_checkpoint()?;
                placed.as_deref()
            }
        };
        if current != batch.before {
            return Ok(Outcome::Overtaken);
        }
        // where space is short, no more is committed than there is room for in its place
        let is_short = Disk::is_short_of_space(&folder.root);
        if state.journal.end > JOURNAL {
            // that it could not be emptied before must not go on unnoticed
            folder.empty_journal(&mut state)?;
        } else if is_short {
            folder.put_in_place(&mut state.journal)?;
        }
        let room = if is_short { 0 } else { ROOM };
        let mut begun = state.journal.end;
        let mut written = folder.write_frame(&mut state.journal, &batch, room);
        if written.as_ref().is_err_and(|e| e.kind() == ErrorKind::StorageFull) && begun > 0 {
            // the journal itself takes space that can be had
            folder.cut_journal(begun)?;
            folder.empty_journal(&mut state)?;
            begun = 0;
            written = folder.write_frame(&mut state.journal, &batch, room);
        }
        state.wrote = true;
        let (length, sum) = match written {
            Ok(written) => written,
            Err(e) => {
                // if the journal can't be cut, it may be that the commit is found by the next who opens; nobody has a
                // receipt for it then
                state.broken = folder.path(JOURNAL_FILE).exists() && folder.cut_journal(begun).is_err();
                return Err(e);
            }
        };
        state.journal.push(length, sum, batch);
        // it is committed; what fails from here on is tried again
        if state.journal.end > JOURNAL {
            let _ = folder.empty_journal(&mut state);
        } else if is_short || folder.is_due() {
            let _ = folder.put_in_place(&mut state.journal);
        }
        Ok(Outcome::Committed)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if self.folder.state().journal.contents.contains_key(name) {
            // the journal would bring back what this replaces
            self.settle()?;
        }
        self.folder.disk.write_whole(&self.folder.path(name), &self.folder.path(UNFINISHED), bytes)
    }

    fn remove(&mut self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        // the journal would bring them back, and keeps a copy
        self.settle()?;
        let mut folders = BTreeSet::new();
        for name in names {
            self.folder.remove_file(name)?;
            self.folder.remove_partial_folder(name);
            folders.extend(self.folder.path(name).parent().map(Path::to_owned));
        }
        folders.iter().filter(|folder| folder.is_dir()).try_for_each(|folder| self.folder.disk.sync_folder(folder))
    }

    fn keep(&mut self, upload: &mut dyn Upload) -> Result<()> {
        let (disk, unfinished) = (&self.folder.disk, self.folder.path(UNFINISHED));
        let _ = std::fs::remove_file(&unfinished);
        let kept = disk
            .create(&unfinished)
            .and_then(|mut file| {
                copy(upload, |bytes| disk.write(&mut file, &unfinished, bytes))?;
                disk.sync(&file, &unfinished)
            })
            .map_err(|e| Error::io("write", &unfinished, e))
            .and_then(|()| {
                let path = self.folder.path(&upload.name());
                let folder = path.parent().unwrap_or(&self.folder.root);
                disk.make_folder(folder)?;
                disk.rename(&unfinished, &path).map_err(|e| Error::io("write", &path, e))?;
                disk.sync_folder(folder)
            });
        if kept.is_err() {
            let _ = std::fs::remove_file(&unfinished);
        }
        kept
    }

    fn settle(&mut self) -> Result<()> {
        let folder = self.folder;
        folder.empty_journal(&mut folder.state())?;
        if !folder.path(JOURNAL_FILE).exists() {
            return Ok(());
        }
        folder.remove_file(JOURNAL_FILE)?;
        // or else a power loss would bring it back, and by it what is removed next
        folder.disk.sync_folder(&folder.root)
    }
}

impl Drop for FolderRight<'_> {
    fn drop(&mut self) {
        // before the lock goes, so that what is known is what was left
        self.folder.state().writing = false;
    }
}

impl Drop for FolderStorage {
    /// Leaves nothing for the next to make whole, unless somebody else is writing.
    fn drop(&mut self) {
        let state = self.state();
        let wrote = state.wrote && !state.broken;
        drop(state);
        if wrote && let Ok(mut right) = self.acquire(Duration::ZERO) {
            let _ = right.settle();
        }
    }
}

fn copy(from: &mut dyn Upload, mut to: impl FnMut(&[u8]) -> std::io::Result<()>) -> std::io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => to(buffer.get(..read).unwrap_or_default())?,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Waits for the lock of a folder. The system frees it when its holder dies, however it dies.
pub(crate) fn lock_folder(root: &Path, patience: Duration) -> Result<File> {
    let path = root.join(LOCK);
    // opening a pipe waits for somebody at its other end
    if std::fs::metadata(&path).is_ok_and(|meta| !meta.is_file()) {
        return Err(Error::new(
            ErrorKind::LedgerTampered,
            format!("`{}` is no file; somebody put something in the place of the lock, remove it", path.display()),
        ));
    }
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        // whoever may only read can hold appending off as well, for an audit
        .or_else(|e| File::open(&path).map_err(|_| e))
        .map_err(|e| Error::io("lock the ledger at", &path, e))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::Error(e)) => return Err(Error::io("lock the ledger at", &path, e)),
            Err(std::fs::TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                return Err(Error::new(
                    ErrorKind::LedgerBusy,
                    format!(
                        "another process has appended to the ledger `{}` for over {} s; run it again, or end that process",
                        root.display(),
                        patience.as_secs()
                    ),
                ));
            }
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Writes a file of the state folder, whole and on disk; the caller holds its lock.
pub(crate) fn write_whole(path: &Path, unfinished: &Path, bytes: &[u8]) -> Result<()> {
    Disk::default().write_whole(path, unfinished, bytes)
}
