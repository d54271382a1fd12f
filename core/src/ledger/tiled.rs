//! Reading a tiled log that somebody else keeps: every hash and every entry is proven before it is given out.
//!
//! The tiles at the right edge hash to the signed root. Each full tile hashes to one hash of the tile above it, which is
//! proven in the same way, so no more than one tile of each level is held.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::fork::Fork;
use super::source::{LogSource, SourceTiles};
use crate::checkpoint::{Checkpoint, LogKeys, SignedCheckpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{
    BundleId, Frontier, Hash, TILE_WIDTH, TileId, TileReader, consistency_proof, leaf_hash, root_of, verify_consistency,
};

/// How far long work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Entries that are done.
    pub done: u64,
    /// Entries in all.
    pub of: u64,
}

/// A tiled log (C2SP tlog-tiles) at one of its checkpoints. It need not be a ledger of ours.
///
/// ```no_run
/// use sealwright::checkpoint::{LogKeys, VerifierKey};
/// use sealwright::ledger::{LogSource, TiledLog};
/// let source = LogSource::open("https://log.example/2026")?;
/// let key: VerifierKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse()?;
/// let keys = LogKeys::from(key);
/// let log = TiledLog::open(&source, &keys)?;
/// let entries = log.audit(&mut |_| {})?;
/// assert_eq!(entries, log.checkpoint().checkpoint().size());
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Debug)]
pub struct TiledLog<'a> {
    source: &'a LogSource,
    checkpoint: SignedCheckpoint,
    edge: Frontier,
    /// Of each level the full tile that was proven last.
    proven: RefCell<BTreeMap<u8, (u64, Vec<Hash>)>>,
}

impl<'a> TiledLog<'a> {
    /// Reads the checkpoint of a log, which one of `keys` must have signed, and the right edge of its tree.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is no log, those of [`LogKeys::parse_and_verify`] for its checkpoint, `LEDGER_TAMPERED` if its
    /// tiles are not those of its root, `SERVICE_UNAVAILABLE`, `PERMISSION_DENIED` or `IO` if it can't be read.
    pub fn open(source: &'a LogSource, keys: &LogKeys) -> Result<Self> {
        let checkpoint =
            keys.parse_and_verify(&source.checkpoint()?).map_err(|e| e.while_doing("checkpoint of the log"))?;
        Self::at(source, checkpoint)
    }

    /// The log at a checkpoint that it had, or has.
    pub(super) fn at(source: &'a LogSource, checkpoint: SignedCheckpoint) -> Result<Self> {
        let state = checkpoint.checkpoint();
        let edge = Frontier::load(state.size(), state.root(), &source.tiles(state.size()))?;
        Ok(Self { source, checkpoint, edge, proven: RefCell::default() })
    }

    /// Its checkpoint.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// The proof that it extends `old`, verified.
    ///
    /// # Errors
    /// `LEDGER_ROLLED_BACK` if it is smaller, `LEDGER_FORKED` if it contradicts it; those of reading tiles.
    pub fn extends(&self, old: &Checkpoint) -> Result<Vec<Hash>> {
        let now = self.checkpoint.checkpoint();
        if now.origin() != old.origin() {
            return Err(Error::new(
                ErrorKind::LedgerForked,
                format!("expected the log `{}`, found `{}`", old.origin(), now.origin()),
            ));
        }
        if old.size() == 0 {
            return Ok(Vec::new());
        }
        if now.size() < old.size() {
            // says which sizes
            verify_consistency(old.size(), old.root(), now.size(), now.root(), &[])?;
        }
        let proof = consistency_proof(old.size(), now.size(), self)?;
        verify_consistency(old.size(), old.root(), now.size(), now.root(), &proof)?;
        Ok(proof)
    }

    /// The proof that it contradicts `old`, if it does.
    pub(super) fn contradicts(&self, old: &SignedCheckpoint) -> Result<Option<Fork>> {
        Fork::prove(old, &self.checkpoint, self)
    }

    /// The entries of a bundle, each the one that the checkpoint commits to.
    ///
    /// # Errors
    /// `API_MISUSE` if there is no such bundle, `LEDGER_TAMPERED` if it holds other entries; those of reading tiles.
    pub fn entries(&self, number: u64) -> Result<Vec<Vec<u8>>> {
        let id = BundleId::containing(number.saturating_mul(u64::from(TILE_WIDTH)), self.size())?;
        let entries = self.raw().entries(id)?;
        let hashes = self.tile(id.tile())?;
        for (place, (entry, hash)) in entries.iter().zip(&hashes).enumerate() {
            if leaf_hash(entry) != *hash {
                let index = number * u64::from(TILE_WIDTH) + place as u64;
                return Err(Error::new(
                    ErrorKind::LedgerTampered,
                    format!("entry {index} at `{}` is not the one its checkpoint commits to", self.source),
                )
                .with("index", index));
            }
        }
        Ok(entries)
    }

    /// Reads all of it: every tile and every entry, each hashed. Gives the number of entries.
    ///
    /// # Errors
    /// As [`TiledLog::entries`].
    pub fn audit(&self, progress: &mut dyn FnMut(Progress)) -> Result<u64> {
        let size = self.size();
        let width = u64::from(TILE_WIDTH);
        let mut done = 0;
        while done < size {
            done += self.entries(done / width)?.len() as u64;
            progress(Progress { done, of: size });
        }
        Ok(done)
    }

    pub(super) fn size(&self) -> u64 {
        self.checkpoint.checkpoint().size()
    }

    fn raw(&self) -> SourceTiles<'_> {
        self.source.tiles(self.size())
    }
}

impl TileReader for TiledLog<'_> {
    fn tile(&self, id: TileId) -> Result<Vec<Hash>> {
        let width = u64::from(TILE_WIDTH);
        // of a smaller tree it is the beginning of the one here
        let here = TileId::containing(id.level(), id.index().saturating_mul(width), self.size())?;
        let mut hashes =
            if here.width() < TILE_WIDTH { self.edge.partial(id.level()).to_vec() } else { self.full_tile(here)? };
        hashes.truncate(usize::from(id.width()));
        Ok(hashes)
    }
}

impl TiledLog<'_> {
    fn full_tile(&self, id: TileId) -> Result<Vec<Hash>> {
        let width = u64::from(TILE_WIDTH);
        if let Some((index, hashes)) = self.proven.borrow().get(&id.level())
            && *index == id.index()
        {
            return Ok(hashes.clone());
        }
        let above = self.tile(TileId::containing(id.level() + 1, id.index(), self.size())?)?;
        let place = usize::try_from(id.index() % width).unwrap_or(usize::MAX);
        let hashes = self.raw().tile(id)?;
        if above.get(place) != Some(&root_of(&hashes)) {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!("`{id}` at `{}` is not the one its checkpoint commits to; restore it from a copy", self.source),
            )
            .with("path", id));
        }
        self.proven.borrow_mut().insert(id.level(), (id.index(), hashes.clone()));
        Ok(hashes)
    }
}

/// What a source has lost, or gives in no form that it can have, is damage of that source.
pub(super) fn damaged(e: Error) -> Error {
    match e.kind() {
        ErrorKind::NotFound | ErrorKind::Malformed | ErrorKind::LimitExceeded => Error::new(
            ErrorKind::LedgerTampered,
            format!("what the source gives is not as its log wrote it: {}; restore it there", e.message()),
        )
        .caused_by(e),
        _ => e,
    }
}
