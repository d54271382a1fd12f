//! Names of what a ledger is made of, and reading it: C2SP tlog-tiles, bodies, attachments.
//!
//! Where it lies, a [`Storage`] knows.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::entry::Body;
use super::sealed::header_name;
use super::storage::{Right, Storage};
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;
use crate::merkle::{BundleId, Hash, TILE_WIDTH, TileId, TileReader, decode_entries, decode_tile};

pub(crate) const CONFIG: &str = "ledger.json";
pub(crate) const CHECKPOINT: &str = "checkpoint";
pub(crate) const BODIES: &str = "bodies";
pub(crate) const ATTACHMENTS: &str = "attachments";
pub(crate) const TILES: &str = "tile";
/// Notes by which the key of the log was replaced, numbered from 1.
pub(crate) const ROTATIONS: &str = "rotations";
/// Cosigned and timestamped checkpoints, by size.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
/// In a copy that is pulled from elsewhere: where from, and when.
pub(crate) const MIRROR: &str = "mirror.json";

/// Full tiles that are kept in memory, 8 KiB each.
const KEPT_TILES: usize = 512;
/// How long a file that is being written is waited for before it is looked at again.
const HALF_WRITTEN: Duration = Duration::from_millis(1);
/// Full bundles that are kept in memory, at most 256 KiB each.
const KEPT_BUNDLES: usize = 8;

/// A ledger's objects, by name.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    storage: Arc<dyn Storage>,
    kept: Arc<Mutex<Kept>>,
}

/// Full tiles and bundles, which never change. What was read wrong from disk stays wrong here until it is forgotten.
#[derive(Debug, Default)]
struct Kept {
    tiles: HashMap<TileId, Arc<Vec<Hash>>>,
    bundles: VecDeque<(BundleId, Arc<Vec<u8>>)>,
}

impl Store {
    pub(crate) fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, kept: Arc::default() }
    }

    /// Forgets tiles and bundles, so that they are read again.
    pub(crate) fn forget(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // each change of it is one insertion
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A bundle as it is stored, at least as wide as its id says.
    fn bundle(&self, id: BundleId) -> Result<Arc<Vec<u8>>> {
        if let Some((_, bytes)) = self.kept().bundles.iter().find(|(kept, _)| *kept == id) {
            return Ok(Arc::clone(bytes));
        }
        let limit = (limits::ENTRY_BYTES as u64 + 2) * u64::from(TILE_WIDTH);
        let bytes = Arc::new(self.read_at_least(&id.to_string(), id.width(), limit, is_bundle)?.0);
        if id.width() == TILE_WIDTH {
            let bundles = &mut self.kept().bundles;
            bundles.push_front((id, Arc::clone(&bytes)));
            bundles.truncate(KEPT_BUNDLES);
        }
        Ok(bytes)
    }

    pub(crate) fn storage(&self) -> &dyn Storage {
        self.storage.as_ref()
    }

    /// The storage to hold on to while the ledger's handle changes.
    pub(crate) fn shared(&self) -> Arc<dyn Storage> {
        Arc::clone(&self.storage)
    }

    pub(crate) fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        self.storage.read(name, limit)
    }

    /// The entries of a bundle.
    pub(crate) fn entries(&self, id: BundleId) -> Result<Vec<Vec<u8>>> {
        let limit = (limits::ENTRY_BYTES as u64 + 2) * u64::from(TILE_WIDTH);
        let (bytes, width) = self.read_at_least(&id.to_string(), id.width(), limit, is_bundle)?;
        let mut entries = decode_entries(&bytes, width)?;
        entries.truncate(usize::from(id.width()));
        Ok(entries)
    }

    /// The bytes of the entry `index` in the log of `size`.
    pub(crate) fn entry(&self, index: u64, size: u64) -> Result<Vec<u8>> {
        let bytes = self.bundle(BundleId::containing(index, size)?)?;
        let mut rest = bytes.as_slice();
        for number in 0..=index % u64::from(TILE_WIDTH) {
            let Some((length, tail)) = rest.split_first_chunk() else { break };
            let Some((entry, tail)) = tail.split_at_checked(u16::from_be_bytes(*length).into()) else { break };
            if number == index % u64::from(TILE_WIDTH) {
                return Ok(entry.to_vec());
            }
            rest = tail;
        }
        Err(Error::new(ErrorKind::LedgerTampered, format!("the entry bundle of index {index} is too short")))
    }

    /// A tile or bundle of this path, or a wider one in its place: others append while this is read, and what a
    /// wider one begins with is the narrower one. Gives the width that was found. A wider one that is not whole, as
    /// `is_whole` says, is being written right now, and is none.
    fn read_at_least(
        &self,
        path: &str,
        width: u16,
        limit: u64,
        is_whole: impl Fn(&[u8], u16) -> bool,
    ) -> Result<(Vec<u8>, u16)> {
        let missing = match self.read(path, limit) {
            Err(e) if e.kind() == ErrorKind::NotFound && width < TILE_WIDTH => e,
            found => return found.map(|bytes| (bytes, width)),
        };
        let whole = path.split(".p/").next().unwrap_or(path);
        // the narrower one is removed after the wider one is there, so a second look finds what a first one missed; what was
        // seen and is gone made room for a still wider one, and there are as many of those as a tile has hashes
        let (mut unseen, mut outrun) = (0, 0);
        while unseen < 3 && outrun < TILE_WIDTH {
            let whole_one = self.read(whole, limit);
            if let Some(bytes) = whole_one.as_ref().ok().filter(|bytes| is_whole(bytes, TILE_WIDTH)) {
                return Ok((bytes.clone(), TILE_WIDTH));
            }
            let wider: Vec<_> = self.widths(whole).into_iter().filter(|w| *w > width).collect();
            let mut half = whole_one.is_ok();
            for wider in &wider {
                match self.read(&format!("{whole}.p/{wider}"), limit) {
                    Ok(bytes) if is_whole(&bytes, *wider) => return Ok((bytes, *wider)),
                    found => half |= found.is_ok(),
                }
            }
            if half {
                std::thread::sleep(HALF_WRITTEN);
            }
            if wider.is_empty() && !half { unseen += 1 } else { outrun += 1 }
        }
        Err(missing)
    }

    fn widths(&self, whole: &str) -> Vec<u16> {
        let folder = format!("{whole}.p/");
        let mut widths: Vec<u16> = Vec::new();
        let listed = self.storage.list(&folder, &mut |name, _| {
            let width = name.strip_prefix(&folder).and_then(|w| w.parse::<u16>().ok());
            widths.extend(width.filter(|w| *w < TILE_WIDTH));
            Ok(())
        });
        if listed.is_err() {
            return Vec::new();
        }
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
        let bytes = optional(self.read(&Self::body_name(index), limits::RECORD_BYTES + 32))?;
        Ok(bytes.and_then(|bytes| Body::from_bytes(&bytes)))
    }

    /// Clears what an append that was cut short left: bodies beyond `size`, and tiles that a log of this size does not
    /// have. Gives their names.
    pub(crate) fn sweep(&self, size: u64, right: &mut dyn Right) -> Result<Vec<String>> {
        let mut dead = Vec::new();
        for name in (size..).map(Self::body_name) {
            // the header that would open it is written first
            if self.storage.size(&name)?.is_none() && self.storage.size(&header_name(&name))?.is_none() {
                break;
            }
            dead.push(name);
        }
        self.storage.list(&format!("{TILES}/"), &mut |name, _| {
            if is_misplaced(name, size) {
                dead.push(name.to_owned());
            }
            Ok(())
        })?;
        dead.extend(self.storage.leftovers()?);
        // backwards, so that what is left when this is cut short is found again from its beginning
        dead.reverse();
        right.remove(&dead)?;
        Ok(dead)
    }
}

impl Store {
    /// Whether a log of `size` entries has an object of this name: a tile, a bundle or a body.
    pub(crate) fn is_part(name: &str, size: u64) -> bool {
        match name.strip_prefix("bodies/") {
            Some(number) => {
                let body = format!("{TILES}/entries/{number}").parse::<BundleId>();
                body.is_ok_and(|id| id.width() == TILE_WIDTH && id.index() < size)
            }
            None => is_tile(name) && !is_misplaced(name, size),
        }
    }
}

fn is_tile(name: &str) -> bool {
    name.parse::<TileId>().is_ok() || name.parse::<BundleId>().is_ok()
}

/// Whether these bytes are a whole bundle of this width.
fn is_bundle(bytes: &[u8], width: u16) -> bool {
    decode_entries(bytes, width).is_ok()
}

/// Whether a tile or bundle is none of a log of `size` entries: beyond it, or narrower or wider than it is there.
fn is_misplaced(name: &str, size: u64) -> bool {
    let tile = name.parse::<TileId>().or_else(|_| name.parse::<BundleId>().map(|id| id.tile()));
    // what is no tile is no leftover either; the audit names it
    let Ok(tile) = tile else { return false };
    let hashes = (0..tile.level()).fold(size, |hashes, _| hashes / u64::from(TILE_WIDTH));
    let kept = hashes.saturating_sub(tile.index().saturating_mul(TILE_WIDTH.into())).min(TILE_WIDTH.into());
    u64::from(tile.width()) != kept
}

impl TileReader for Store {
    fn tile(&self, id: TileId) -> Result<Vec<Hash>> {
        if let Some(hashes) = self.kept().tiles.get(&id) {
            return Ok(hashes.to_vec());
        }
        let is_tile = |bytes: &[u8], width: u16| bytes.len() == usize::from(width) * 32;
        let (bytes, width) = self.read_at_least(&id.to_string(), id.width(), u64::from(TILE_WIDTH) * 32, is_tile)?;
        let mut hashes = decode_tile(&bytes, width)?;
        hashes.truncate(usize::from(id.width()));
        if id.width() == TILE_WIDTH {
            let tiles = &mut self.kept().tiles;
            if tiles.len() == KEPT_TILES {
                tiles.clear();
            }
            tiles.insert(id, Arc::new(hashes.clone()));
        }
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
