//! The right edge of a tree: all that is needed to append to it.

use super::tile::{TILE_WIDTH, TileId, TileReader, hashes_at, width_of};
use super::tree::read_exact;
use super::{EMPTY_ROOT, Hash, root_of, tampered};
use crate::error::{Error, ErrorKind, Result};

/// The partial tiles at the right edge of a tree, of each level one. It grows leaf by leaf and tells which tiles change.
///
/// ```
/// use sealwright::merkle::{Frontier, leaf_hash, root_of};
/// let leaves = [leaf_hash(b"one"), leaf_hash(b"two")];
/// let mut tree = Frontier::default();
/// let growth = tree.grow(&leaves)?;
/// assert_eq!(growth.root, root_of(&leaves));
/// let [(id, hashes)] = growth.tiles.as_slice() else { panic!() };
/// assert_eq!((id.to_string().as_str(), hashes.as_slice()), ("tile/0/000.p/2", &leaves[..]));
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    // of each level the hashes of its partial tile, at most 255
    levels: [Vec<Hash>; 8],
}

/// What changed when a tree grew.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Growth {
    /// Every tile that is new or wider, with all its hashes, each level after the one below.
    pub tiles: Vec<(TileId, Vec<Hash>)>,
    /// Leaves in the tree now.
    pub size: u64,
    /// The root now.
    pub root: Hash,
}

impl Frontier {
    /// Reads the right edge of the tree of `size` leaves, at most one tile of each level, and checks that it hashes to
    /// `root`, which must come from a signed checkpoint. All that is read is under the root, so nothing wrong stays.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if the tiles are not those of the root; those of the reader.
    pub fn load(size: u64, root: &Hash, tiles: &dyn TileReader) -> Result<Self> {
        let mut levels: [Vec<Hash>; 8] = Default::default();
        for (level, edge) in (0..).zip(&mut levels) {
            let hashes = hashes_at(level, size);
            let index = hashes / u64::from(TILE_WIDTH);
            let width = width_of(index, hashes);
            if width > 0 {
                *edge = read_exact(tiles, TileId::new(level, index, width)?)?;
            }
        }
        let frontier = Self { size, levels };
        if frontier.root() != *root {
            return Err(tampered(format!(
                "the tiles at the end of the ledger of size `{size}` do not hash to its root `{root}`; restore them from \
                 a copy"
            ))
            .with("size", size)
            .with("root", root));
        }
        Ok(frontier)
    }

    /// Leaves in the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of its partial tile of `level`; none if there is no such level, or the last tile is full.
    pub fn partial(&self, level: u8) -> &[Hash] {
        self.levels.get(usize::from(level)).map_or(&[], Vec::as_slice)
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        // what lies right of a level's hashes is one smaller subtree, and stands as a last hash beside them
        let right = self.levels.iter().fold(None, |right: Option<Hash>, hashes| {
            let hashes: Vec<Hash> = hashes.iter().copied().chain(right).collect();
            (!hashes.is_empty()).then(|| root_of(&hashes))
        });
        right.unwrap_or(EMPTY_ROOT)
    }

    /// Appends leaves and tells which tiles change. Nothing is appended if it fails.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if the tree would have more than 2⁶⁴ − 1 leaves.
    pub fn grow(&mut self, leaves: &[Hash]) -> Result<Growth> {
        let old_size = self.size;
        let size = old_size.checked_add(leaves.len() as u64).ok_or_else(|| {
            Error::new(ErrorKind::LimitExceeded, format!("a ledger of size `{old_size}` can't take so many entries"))
        })?;
        let mut tiles = Vec::new();
        let mut rising = leaves.to_vec();
        for (level, edge) in (0..).zip(&mut self.levels) {
            if rising.is_empty() {
                break;
            }
            let mut index = hashes_at(level, old_size) / u64::from(TILE_WIDTH);
            let mut above = Vec::new();
            for hash in rising {
                edge.push(hash);
                if edge.len() == usize::from(TILE_WIDTH) {
                    let full = std::mem::take(edge);
                    above.push(root_of(&full));
                    tiles.push((TileId::new(level, index, TILE_WIDTH)?, full));
                    index += 1;
                }
            }
            let width = width_of(index, hashes_at(level, size));
            if width > 0 {
                tiles.push((TileId::new(level, index, width)?, edge.clone()));
            }
            rising = above;
        }
        self.size = size;
        Ok(Growth { tiles, size, root: self.root() })
    }
}
