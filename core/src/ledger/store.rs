//! The folder a ledger lies in: C2SP tlog-tiles, bodies, attachments; what is written is whole and on disk.
//!
//! ```text
//! ledger.json          format, origin and public key of the log
//! checkpoint           the newest signed checkpoint; replacing it is what commits an append
//! tile/<L>/<N>         hash tiles, tile/entries/<N> entry bundles (C2SP tlog-tiles; .p/<W> for partial ones)
//! bodies/<N>           salt and record of entry N, N written like a tile index
//! attachments/<hex>    files that records name by SHA-256
//! rotations/<n>        notes by which the key of the log was replaced, from 1
//! checkpoints/<N>      checkpoints that witnesses cosigned (<N>.tsr: RFC 3161 tokens over them), N like a tile index
//! mirror.json          in a copy that is pulled: where from, and when
//! lock                 held while anything is written; empty
//! unfinished           the file that is being written, before it gets its name
//! index.sqlite         for searching; derived, never the truth, made anew at will
//! ```

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use super::entry::Body;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::merkle::{BundleId, Hash, TILE_WIDTH, TileId, TileReader, decode_entries, decode_tile};

pub(crate) const CONFIG: &str = "ledger.json";
pub(crate) const CHECKPOINT: &str = "checkpoint";
pub(crate) const LOCK: &str = "lock";
pub(crate) const INDEX: &str = "index.sqlite";
/// While the index is written: what SQLite needs to undo that. It applies or drops it on opening, nothing else reads it.
pub(crate) const INDEX_JOURNAL: &str = "index.sqlite-journal";
pub(crate) const BODIES: &str = "bodies";
pub(crate) const ATTACHMENTS: &str = "attachments";
pub(crate) const TILES: &str = "tile";
/// Notes by which the key of the log was replaced, numbered from 1.
pub(crate) const ROTATIONS: &str = "rotations";
/// Cosigned and timestamped checkpoints, by size.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// In a copy that is pulled from elsewhere: where from, and when.
pub(crate) const MIRROR: &str = "mirror.json";
/// The one file that is not yet whole, on its way to its name; never read, and cleared before the next append.
pub(crate) const UNFINISHED: &str = "unfinished";

/// A ledger's folder.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    root: PathBuf,
}

/// The right to append, held by one process at a time and given up when dropped, or when the process dies.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "holding the file open is what holds the lock")] File);

impl Store {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Makes the folder, on disk, unless it is there.
    pub(crate) fn make(&self) -> Result<()> {
        make_folder(&self.root)
    }

    /// Removes what was written of a ledger that could not be made, as far as that goes.
    pub(crate) fn unmake(&self) {
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

    /// Waits for the right to append. The system frees it when its holder dies, however it dies.
    pub(crate) fn lock(&self, patience: Duration) -> Result<Lock> {
        let path = self.path(LOCK);
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
                Ok(()) => return Ok(Lock(file)),
                Err(std::fs::TryLockError::Error(e)) => return Err(Error::io("lock the ledger at", &path, e)),
                Err(std::fs::TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                    return Err(Error::new(
                        ErrorKind::LedgerBusy,
                        format!(
                            "another process has appended to the ledger `{}` for over {} s; run it again, or end that process",
                            self.root.display(),
                            patience.as_secs()
                        ),
                    ));
                }
                Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
            }
        }
    }

    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        limits::read_file("ledger file", &self.path(name), limit)
    }

    /// Writes a file whole and on disk before its name appears; what stood there before is replaced at once. The caller
    /// holds the lock.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        write_whole(&self.path(name), &self.path(UNFINISHED), bytes)
    }

    /// Begins a file that comes piece by piece; it gets its name only when it is whole and what was expected.
    pub(crate) fn begin(&self, name: &str) -> Result<Arriving> {
        let (path, unfinished) = (self.path(name), self.path(UNFINISHED));
        make_folder(path.parent().unwrap_or(Path::new(".")))?;
        let _ = std::fs::remove_file(&unfinished);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&unfinished)
            .map_err(|e| Error::io("write", &unfinished, e))?;
        Ok(Arriving { file, path, unfinished, hash: Sha256::new() })
    }

    /// The entries of a bundle.
    pub(crate) fn entries(&self, id: BundleId) -> Result<Vec<Vec<u8>>> {
        let limit = (limits::ENTRY_BYTES as u64 + 2) * u64::from(TILE_WIDTH);
        let (bytes, width) = self.read_at_least(&id.to_string(), id.width(), limit)?;
        let mut entries = decode_entries(&bytes, width)?;
        entries.truncate(usize::from(id.width()));
        Ok(entries)
    }

    /// A tile or bundle of this path, or a wider one in its place: others append while this is read, and what a
    /// wider one begins with is the narrower one. Gives the width that was found.
    fn read_at_least(&self, path: &str, width: u16, limit: u64) -> Result<(Vec<u8>, u16)> {
        let missing = match self.read(path, limit) {
            Err(e) if e.kind() == ErrorKind::NotFound && width < TILE_WIDTH => e,
            found => return found.map(|bytes| (bytes, width)),
        };
        let whole = path.split(".p/").next().unwrap_or(path);
        // the narrower one is removed after the wider one is there, so a second look finds what a first one missed
        for _ in 0..3 {
            if let Ok(bytes) = self.read(whole, limit) {
                return Ok((bytes, TILE_WIDTH));
            }
            for wider in self.widths(whole).into_iter().filter(|w| *w > width) {
                if let Ok(bytes) = self.read(&format!("{whole}.p/{wider}"), limit) {
                    return Ok((bytes, wider));
                }
            }
        }
        Err(missing)
    }

    fn widths(&self, whole: &str) -> Vec<u16> {
        let Ok(entries) = std::fs::read_dir(self.path(&format!("{whole}.p"))) else { return Vec::new() };
        let mut widths: Vec<u16> =
            entries.filter_map(|e| e.ok()?.file_name().to_str()?.parse().ok()).filter(|w| *w < TILE_WIDTH).collect();
        widths.sort_unstable_by(|a, b| b.cmp(a));
        widths
    }

    pub(crate) fn body_name(index: u64) -> String {
        // numbered like a full tile, three digits a folder
        let number = BundleId::new(index, TILE_WIDTH).map(|id| id.to_string()).unwrap_or_default();
        format!("{BODIES}/{}", number.trim_start_matches("tile/entries/"))
    }

    /// The body of an entry, none if it is not there.
    pub(crate) fn body(&self, index: u64) -> Result<Option<Body>> {
        match self.read(&Self::body_name(index), limits::RECORD_BYTES + 32) {
            Ok(bytes) => Ok(Body::from_bytes(&bytes)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &path, e)),
            _ => Ok(()),
        }
    }
}

/// A file on its way to its name, hashed as it comes. Dropped before its end, it is gone.
pub(crate) struct Arriving {
    file: File,
    path: PathBuf,
    unfinished: PathBuf,
    hash: Sha256,
}

impl Arriving {
    pub(crate) fn write(&mut self, piece: &[u8]) -> Result<()> {
        self.hash.update(piece);
        self.file.write_all(piece).map_err(|e| Error::io("write", &self.path, e))
    }

    /// Gives the file its name if its SHA-256 is the one expected.
    pub(crate) fn finish_if(self, expected: &Digest) -> Result<bool> {
        if self.hash.clone().finalize().as_slice() != expected.bytes() {
            return Ok(false);
        }
        self.file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.unfinished, &self.path))
            .map_err(|e| Error::io("write", &self.path, e))?;
        sync_folder(self.path.parent().unwrap_or(Path::new(".")))?;
        Ok(true)
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        // it is gone already where it got its name; else the next append clears it as well
        let _ = std::fs::remove_file(&self.unfinished);
    }
}

/// What a handle has swept already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swept {
    /// Nothing: all tiles are looked at.
    Never,
    /// All tiles, once: from then on those at the edge are enough.
    Once,
}

impl Store {
    /// Clears what an append that was cut short left: what lies beyond `size`, partial tiles that a wider one has
    /// replaced, and the unfinished file.
    pub(crate) fn sweep(&self, size: u64, swept: Swept) -> Result<()> {
        let width = u64::from(TILE_WIDTH);
        let mut dead = vec![UNFINISHED.to_owned()];
        dead.extend((size..).map(Self::body_name).take_while(|name| self.path(name).exists()));
        let mut hashes = size;
        for level in 0..8 {
            let edge = hashes / width;
            let first = if swept == Swept::Never { 0 } else { edge };
            for index in first.. {
                let mut found = self.misplaced(&TileId::new(level, index, TILE_WIDTH)?.to_string(), index, hashes)?;
                if level == 0 {
                    found.extend(self.misplaced(&BundleId::new(index, TILE_WIDTH)?.to_string(), index, hashes)?);
                }
                if index > edge && found.is_empty() {
                    break;
                }
                dead.extend(found);
            }
            hashes = edge;
        }
        // backwards, so that what is left when this is cut short is found again from its beginning
        for name in dead.iter().rev() {
            self.remove(name)?;
            self.remove_partial_folder(name);
        }
        Ok(())
    }

    /// Files of the tile or bundle `index`, whose whole path is `whole`, that a level of `hashes` does not have.
    fn misplaced(&self, whole: &str, index: u64, hashes: u64) -> Result<Vec<String>> {
        let width = u64::from(TILE_WIDTH);
        let kept = hashes.saturating_sub(index * width).min(width);
        let mut found = Vec::new();
        if kept < width && self.path(whole).is_file() {
            found.push(whole.to_owned());
        }
        let folder = self.path(&format!("{whole}.p"));
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            Err(e) => return Err(Error::io("read folder", &folder, e)),
        };
        for entry in entries {
            let name = entry.map_err(|e| Error::io("read folder", &folder, e))?.file_name();
            if let Some(name) = name.to_str().filter(|name| kept == width || **name != kept.to_string()) {
                found.push(format!("{whole}.p/{name}"));
            }
        }
        Ok(found)
    }

    /// Removes the folder of a partial tile, if nothing is left in it.
    pub(crate) fn remove_partial_folder(&self, path: &str) {
        if let Some((folder, _)) = path.rsplit_once('/').filter(|(folder, _)| folder.ends_with(".p")) {
            // it stays if another partial tile lies in it
            let _ = std::fs::remove_dir(self.path(folder));
        }
    }
}

impl TileReader for Store {
    fn tile(&self, id: TileId) -> Result<Vec<Hash>> {
        let (bytes, width) = self.read_at_least(&id.to_string(), id.width(), u64::from(TILE_WIDTH) * 32)?;
        let mut hashes = decode_tile(&bytes, width)?;
        hashes.truncate(usize::from(id.width()));
        Ok(hashes)
    }
}

/// Paths of the partial tiles of a log of `size` entries, and of its partial entry bundle.
pub(crate) fn partial_tiles(size: u64) -> Vec<String> {
    let width = u64::from(TILE_WIDTH);
    let mut paths = Vec::new();
    let mut hashes = size;
    for level in 0.. {
        if hashes == 0 {
            break;
        }
        if !hashes.is_multiple_of(width) {
            // both numbers are in range: the level is below 8 and the width below 256
            let partial = u16::try_from(hashes % width).unwrap_or(TILE_WIDTH);
            paths.extend(TileId::new(level, hashes / width, partial).map(|id| id.to_string()));
            if level == 0 {
                paths.extend(BundleId::new(hashes / width, partial).map(|id| id.to_string()));
            }
        }
        hashes /= width;
    }
    paths
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
