//! The right edge of a tree: all that is needed to append to it.

use super::tile::{TILE_WIDTH, TileId, TileReader, hashes_at, width_of};
use super::tree::read_exact;
use super::{EMPTY_ROOT, Hash, node_hash, tampered};
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
    levels: [Level; 8],
}

/// The partial tile of a level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Level {
    /// Its hashes, at most 255.
    hashes: Vec<Hash>,
    /// Roots of the full subtrees they make, the largest first, so that not all of them are hashed again at each append.
    peaks: Vec<Hash>,
}

impl Level {
    fn of(hashes: Vec<Hash>) -> Self {
        let mut level = Self::default();
        hashes.into_iter().for_each(|hash| level.push(hash));
        level
    }

    fn push(&mut self, hash: Hash) {
        // as a binary counter: each one at the end of the count is a subtree as large as the one that is added
        let mut peak = hash;
        for _ in 0..self.hashes.len().trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                peak = node_hash(&left, &peak);
            }
        }
        self.peaks.push(peak);
        self.hashes.push(hash);
    }

    /// The root of its hashes and of `right`, which stands as a last hash beside them.
    fn root(&self, right: Option<Hash>) -> Option<Hash> {
        let joined = |right: Option<Hash>, peak: &Hash| Some(right.map_or(*peak, |right| node_hash(peak, &right)));
        self.peaks.iter().rev().fold(right, joined)
    }
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
        let mut levels: [Level; 8] = Default::default();
        for (level, edge) in (0..).zip(&mut levels) {
            let hashes = hashes_at(level, size);
            let index = hashes / u64::from(TILE_WIDTH);
            let width = width_of(index, hashes);
            if width > 0 {
                *edge = Level::of(read_exact(tiles, TileId::new(level, index, width)?)?);
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
        self.levels.get(usize::from(level)).map_or(&[], |level| level.hashes.as_slice())
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        // what lies right of a level's hashes is one smaller subtree, and stands as a last hash beside them
        self.levels.iter().fold(None, |right, level| level.root(right)).unwrap_or(EMPTY_ROOT)
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
                if edge.hashes.len() == usize::from(TILE_WIDTH) {
                    let full = std::mem::take(edge);
                    above.extend(full.root(None));
                    tiles.push((TileId::new(level, index, TILE_WIDTH)?, full.hashes));
                    index += 1;
                }
            }
            let width = width_of(index, hashes_at(level, size));
            if width > 0 {
                tiles.push((TileId::new(level, index, width)?, edge.hashes.clone()));
            }
            rising = above;
        }
        self.size = size;
        Ok(Growth { tiles, size, root: self.root() })
    }
}
