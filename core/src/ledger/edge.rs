//! The right edge of a log, as a handle keeps it: what an append needs, and what a newer checkpoint is held against.

use super::entry::Entry;
use super::storage::Object;
use super::store::Store;
use super::walk::lost_tile;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{
    BundleId, Frontier, Growth, Hash, TILE_WIDTH, TileId, TileReader, encode_entries, encode_tile, leaf_hash,
};

const WIDTH: u64 = TILE_WIDTH as u64;

/// Partial tiles and the partial entry bundle of a log, proven to be those of a checkpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Edge {
    frontier: Frontier,
    /// The entries of the last bundle, if it is not full, as they are stored.
    bundle: Vec<u8>,
    /// The last entry; empty if there is none.
    last: Vec<u8>,
}

impl Edge {
    /// Reads the edge of a log at a checkpoint that was verified.
    pub(super) fn load(at: &Checkpoint, store: &Store) -> Result<Self> {
        let size = at.size();
        let frontier = Frontier::load(size, at.root(), store).map_err(lost_tile)?;
        let mut edge = Self { frontier, ..Self::default() };
        if size == 0 {
            return Ok(edge);
        }
        let entries = store.entries(BundleId::containing(size - 1, size)?).map_err(lost_tile)?;
        if !size.is_multiple_of(WIDTH) {
            edge.bundle = encode_entries(&entries)?;
        }
        let hashes = match size.is_multiple_of(WIDTH) {
            true => store.tile(TileId::new(0, size / WIDTH - 1, TILE_WIDTH)?).map_err(lost_tile)?,
            false => edge.frontier.partial(0).to_vec(),
        };
        if !entries.iter().map(|entry| leaf_hash(entry)).eq(hashes) {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                "the last entries of the ledger are not those its tiles commit to; restore it from a copy",
            ));
        }
        edge.last = entries.into_iter().next_back().unwrap_or_default();
        Ok(edge)
    }

    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Whether it is that of this checkpoint.
    pub(super) fn is_at(&self, checkpoint: &Checkpoint) -> bool {
        self.size() == checkpoint.size() && self.frontier.root() == *checkpoint.root()
    }

    /// The last entry, none if there is none.
    pub(super) fn last(&self) -> Result<Option<Entry>> {
        (self.size() > 0).then(|| Entry::parse(&self.last)).transpose()
    }

    /// Reads the entries up to `to`, visits the bytes of each, and proves at the end that they are those of that
    /// checkpoint and go on from this edge: what was gathered counts only if this gives the edge there.
    pub(super) fn advance(
        &self,
        to: &Checkpoint,
        store: &Store,
        mut visit: impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<Self> {
        let mut edge = self.clone();
        while edge.size() < to.size() {
            let from = edge.size();
            let entries = store.entries(BundleId::containing(from, to.size())?).map_err(lost_tile)?;
            let begun = usize::try_from(from % WIDTH).unwrap_or(usize::MAX);
            let new = entries.get(begun..).unwrap_or_default();
            if new.is_empty() {
                break;
            }
            edge.frontier.grow(&new.iter().map(|bytes| leaf_hash(bytes)).collect::<Vec<_>>())?;
            for (index, bytes) in (from..).zip(new) {
                visit(index, bytes)?;
            }
            edge.bundle = match edge.size().is_multiple_of(WIDTH) {
                true => Vec::new(),
                false => encode_entries(&entries)?,
            };
            edge.last = new.last().cloned().unwrap_or_default();
        }
        if !edge.is_at(to) {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!(
                    "the entries of the ledger `{}` are not those its checkpoint commits to; restore it from a copy",
                    to.origin()
                ),
            ));
        }
        Ok(edge)
    }

    /// The edge after `entries`, and the tiles and bundles that are new or wider there.
    pub(super) fn grow(&self, entries: &[Vec<u8>]) -> Result<(Self, Vec<Object>, Growth)> {
        let before = self.size();
        let leaves: Vec<Hash> = entries.iter().map(|bytes| leaf_hash(bytes)).collect();
        let mut edge = self.clone();
        let growth = edge.frontier.grow(&leaves)?;
        let mut objects = Vec::new();
        for (id, hashes) in &growth.tiles {
            let old = before.checked_shr(8 * u32::from(id.level())).unwrap_or(0);
            let grown_from = match u16::try_from(old % WIDTH) {
                Ok(width) if width > 0 && old / WIDTH == id.index() => {
                    Some((TileId::new(id.level(), id.index(), width)?.to_string(), usize::from(width) * 32))
                }
                _ => None,
            };
            objects.push(Object { name: id.to_string(), bytes: encode_tile(hashes), grown_from });
        }
        let mut rest = entries;
        let mut at = before;
        while !rest.is_empty() {
            let room = usize::try_from(WIDTH - at % WIDTH).unwrap_or(0);
            let (new, later) = rest.split_at(room.min(rest.len()));
            let tail = encode_entries(new)?;
            let begun = edge.bundle.len();
            let grown_from = match begun {
                0 => None,
                _ => Some((BundleId::containing(at - 1, at)?.to_string(), begun)),
            };
            edge.bundle.extend(&tail);
            at += new.len() as u64;
            let id = BundleId::containing(at - 1, at)?;
            objects.push(Object { name: id.to_string(), bytes: edge.bundle.clone(), grown_from });
            if at.is_multiple_of(WIDTH) {
                edge.bundle.clear();
            }
            rest = later;
        }
        if let Some(last) = entries.last() {
            edge.last.clone_from(last);
        }
        Ok((edge, objects, growth))
    }
}

/// Tiles of a log of which the edge is known: its partial tiles are not read again.
pub(super) struct EdgeTiles<'a> {
    pub(super) edge: Option<&'a Edge>,
    pub(super) store: &'a Store,
}

impl TileReader for EdgeTiles<'_> {
    fn tile(&self, id: TileId) -> Result<Vec<Hash>> {
        if let Some(edge) = self.edge {
            let hashes = edge.size().checked_shr(8 * u32::from(id.level())).unwrap_or(0);
            let partial = edge.frontier.partial(id.level());
            if hashes / WIDTH == id.index() && usize::from(id.width()) == partial.len() {
                return Ok(partial.to_vec());
            }
        }
        self.store.tile(id)
    }
}
