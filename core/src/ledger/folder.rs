//! A ledger in a folder.
//!
//! ```text
//! ledger.json          format, origin and public key of the log
//! checkpoint           the newest signed checkpoint; replacing it is what commits an append
//! tile/<L>/<N>         hash tiles, tile/entries/<N> entry bundles (C2SP tlog-tiles; .p/<W> for partial ones)
//! bodies/<N>           salt and record of entry N, N written like a tile index
//! attachments/<hex>    files that records name by SHA-256
//! lock                 held while anything is written; empty
//! unfinished           the file that is being written, before it gets its name
//! index.sqlite         for searching; derived, never the truth, made anew at will
//! ```

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::index::Index;
use super::sqlite::{self, SqliteIndex};
use super::storage::{Batch, Content, IndexAt, Outcome, Repair, Right, Storage, Upload};
use super::store::{BODIES, CHECKPOINT, CONFIG, TILES};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

pub(crate) const LOCK: &str = "lock";
pub(crate) const INDEX: &str = "index.sqlite";
/// While the index is written: what SQLite needs to undo that. It applies or drops it on opening, nothing else reads it.
pub(crate) const INDEX_JOURNAL: &str = "index.sqlite-journal";
/// The one file that is not yet whole, on its way to its name; never read, and cleared before the next append.
pub(crate) const UNFINISHED: &str = "unfinished";

/// A ledger's folder.
#[derive(Debug)]
pub(crate) struct FolderStorage {
    root: PathBuf,
    repairs: Mutex<Vec<Repair>>,
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
        Self { root: root.into(), repairs: Mutex::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn remove_file(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &path, e)),
            _ => Ok(()),
        }
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
        make_folder(&self.root)?;
        let mut entries = std::fs::read_dir(&self.root).map_err(|e| Error::io("read folder", &self.root, e))?.flatten();
        // whoever makes a ledger at the same time has locked it first
        Ok(entries.all(|entry| entry.file_name() == LOCK))
    }

    fn destroy(&self) {
        for name in [CHECKPOINT, CONFIG, INDEX, LOCK] {
            let _ = std::fs::remove_file(self.path(name));
        }
        for name in [TILES, BODIES] {
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
        limits::read_file("ledger file", &self.path(name), limit)
    }

    fn stream(&self, name: &str) -> Result<Content> {
        let path = self.path(name);
        let failed = |e| Error::io("read ledger file", &path, e);
        let file = File::open(&path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        Ok(Content { bytes: Box::new(file), size })
    }

    fn size(&self, name: &str) -> Result<Option<u64>> {
        let path = self.path(name);
        match std::fs::metadata(&path) {
            Ok(meta) => Ok(meta.is_file().then(|| meta.len())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("look at", &path, e)),
        }
    }

    fn list(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
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
                } else if !(folder.is_empty() && [INDEX, INDEX_JOURNAL].contains(&found)) {
                    let size = match entry.metadata() {
                        Ok(meta) => meta.len(),
                        // others write meanwhile
                        Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                        Err(e) => return Err(failed(e)),
                    };
                    visit(&name, size)?;
                }
            }
        }
        Ok(())
    }

    fn acquire(&self, patience: Duration) -> Result<Box<dyn Right + '_>> {
        Ok(Box::new(FolderRight { folder: self, lock: lock_folder(&self.root, patience)? }))
    }

    fn recover(&self) -> Result<()> {
        Ok(())
    }

    fn repairs(&self) -> Vec<Repair> {
        self.repairs.lock().map(|repairs| repairs.clone()).unwrap_or_default()
    }

    fn index(&self, how: IndexAt) -> Result<Box<dyn Index>> {
        let patience = Duration::from_millis(limits::LEDGER_LOCK_MILLIS);
        let index = match how {
            IndexAt::Storage => SqliteIndex::at(&self.path(INDEX), patience),
            IndexAt::Memory => SqliteIndex::in_memory(),
        };
        index.map(|index| Box::new(index) as Box<dyn Index>).map_err(sqlite::fault)
    }

    fn remove_index(&self) -> Result<()> {
        [INDEX, INDEX_JOURNAL].iter().try_for_each(|name| self.remove_file(name))
    }
}

impl Right for FolderRight<'_> {
    fn commit(&mut self, batch: &Batch<'_>) -> Result<Outcome> {
        let limit = limits::CHECKPOINT_BYTES;
        let found = match self.folder.read(CHECKPOINT, limit) {
            Ok(found) => Some(found),
            Err(e) if e.kind() == ErrorKind::NotFound => None,
            Err(e) => return Err(e),
        };
        if found.as_deref() != batch.before {
            return Ok(Outcome::Overtaken);
        }
        for object in &batch.objects {
            self.write(&object.name, &object.bytes)?;
        }
        self.write(CHECKPOINT, batch.checkpoint)?;
        // it is committed; what can't be removed now, the next append sweeps
        let _ = self.remove(&batch.stale);
        Ok(Outcome::Committed)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        write_whole(&self.folder.path(name), &self.folder.path(UNFINISHED), bytes)
    }

    fn remove(&mut self, names: &[String]) -> Result<()> {
        for name in names {
            self.folder.remove_file(name)?;
            self.folder.remove_partial_folder(name);
        }
        Ok(())
    }

    fn keep(&mut self, upload: &mut dyn Upload) -> Result<()> {
        let unfinished = self.folder.path(UNFINISHED);
        let _ = std::fs::remove_file(&unfinished);
        let kept = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&unfinished)
            .and_then(|mut file| {
                copy(upload, &mut file)?;
                file.sync_all()
            })
            .map_err(|e| Error::io("write", &unfinished, e))
            .and_then(|()| {
                let path = self.folder.path(&upload.name());
                let folder = path.parent().unwrap_or(&self.folder.root);
                make_folder(folder)?;
                std::fs::rename(&unfinished, &path).map_err(|e| Error::io("write", &path, e))?;
                sync_folder(folder)
            });
        if kept.is_err() {
            let _ = std::fs::remove_file(&unfinished);
        }
        kept
    }

    fn settle(&mut self) -> Result<()> {
        Ok(())
    }
}

fn copy(from: &mut dyn Upload, to: &mut File) -> std::io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => to.write_all(buffer.get(..read).unwrap_or_default())?,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Waits for the lock of a folder. The system frees it when its holder dies, however it dies.
pub(crate) fn lock_folder(root: &Path, patience: Duration) -> Result<File> {
    let path = root.join(LOCK);
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

/// Writes `bytes` to the new file `unfinished`, brings them to disk, then gives it the name `path`. The caller holds the
/// lock of the folder, so nobody else writes there.
pub(crate) fn write_whole(path: &Path, unfinished: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folder(folder)?;
    // a new file, or else a link laid in its place would lead the writing elsewhere
    let _ = std::fs::remove_file(unfinished);
    let result = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(unfinished)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(unfinished, path))
        .map_err(|e| Error::io("write", path, e));
    if result.is_err() {
        // best effort: the next append clears it as well
        let _ = std::fs::remove_file(unfinished);
        return result;
    }
    sync_folder(folder)
}

/// Makes a folder and those above it, each on disk in its parent.
fn make_folder(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|p| !p.as_os_str().is_empty()) {
        make_folder(parent)?;
    }
    match std::fs::create_dir(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(Error::io("make folder", folder, e)),
        _ => folder.parent().filter(|p| !p.as_os_str().is_empty()).map_or(Ok(()), sync_folder),
    }
}

/// Brings the names in a folder to disk, where the system can.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io("sync folder", folder, e))?;
    }
    Ok(())
}
