//! Roots and proofs out of tiles. Each call reads every tile once, at most two of each level.

use std::collections::BTreeMap;

use super::tile::{TileId, TileReader};
use super::{EMPTY_ROOT, Hash, node_hash, root_of, tampered};
use crate::error::{Error, ErrorKind, Result};

/// The root of the tree of `size` leaves that the tiles hold. Compare it with a signed one.
///
/// # Errors
/// `LEDGER_TAMPERED` if a tile has another width than asked for; those of the reader.
pub fn root(size: u64, tiles: &dyn TileReader) -> Result<Hash> {
    Tree::new(size, tiles).range(0, size)
}

/// The proof that the tree of `size` leaves holds its leaf `index`, from the leaf's sibling up (RFC 6962 section 2.1.1).
/// The tiles are taken as they are; [`verify_inclusion`](super::verify_inclusion) tells whether they were good.
///
/// # Errors
/// `API_MISUSE` if `index` is not below `size`; `LEDGER_TAMPERED` if a tile has another width than asked for; those of
/// the reader.
pub fn inclusion_proof(index: u64, size: u64, tiles: &dyn TileReader) -> Result<Vec<Hash>> {
    Tree::new(size, tiles).inclusion(index)
}

/// The proofs of [`inclusion_proof`] for many leaves: each tile is read once, and each node computed once.
///
/// # Errors
/// As [`inclusion_proof`].
pub fn inclusion_proofs(indexes: &[u64], size: u64, tiles: &dyn TileReader) -> Result<Vec<Vec<Hash>>> {
    let mut tree = Tree::new(size, tiles);
    tree.known = Some(BTreeMap::new());
    indexes.iter().map(|index| tree.inclusion(*index)).collect()
}

/// The proof that the tree of `size` leaves continues the one of its first `old_size` leaves (RFC 6962 section 2.1.2),
/// empty if both are the same. The tiles are taken as they are;
/// [`verify_consistency`](super::verify_consistency) tells whether they were good.
///
/// # Errors
/// `API_MISUSE` if `old_size` is 0 or over `size`; `LEDGER_TAMPERED` if a tile has another width than asked for; those of
/// the reader.
pub fn consistency_proof(old_size: u64, size: u64, tiles: &dyn TileReader) -> Result<Vec<Hash>> {
    if old_size == 0 || old_size > size {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!(
                "no proof shows that a ledger of size `{size}` continues one of size `{old_size}`; use 1 to `{size}`"
            ),
        ));
    }
    let mut proof = Vec::new();
    let mut tree = Tree::new(size, tiles);
    let (mut start, mut end) = (0, size);
    while end != old_size {
        let middle = start + left_of(end - start);
        if old_size <= middle {
            proof.push(tree.range(middle, end)?);
            end = middle;
        } else {
            proof.push(tree.range(start, middle)?);
            start = middle;
        }
    }
    // the whole old tree is known to whoever asks
    if start != 0 {
        proof.push(tree.range(start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Leaves left of the root in a tree of `size` leaves, which are at least two.
fn left_of(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// One tree, and the tiles of it that were read.
struct Tree<'a> {
    size: u64,
    tiles: &'a dyn TileReader,
    read: BTreeMap<TileId, Vec<Hash>>,
    /// Nodes that were computed, by height and number, where that is worth keeping.
    known: Option<BTreeMap<(u32, u64), Hash>>,
}

impl<'a> Tree<'a> {
    fn new(size: u64, tiles: &'a dyn TileReader) -> Self {
        Self { size, tiles, read: BTreeMap::new(), known: None }
    }

    fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>> {
        let size = self.size;
        if index >= size {
            return Err(Error::new(ErrorKind::ApiMisuse, format!("a ledger of size `{size}` has no entry `{index}`")));
        }
        let mut proof = Vec::new();
        let (mut start, mut end) = (0, size);
        while end - start > 1 {
            let middle = start + left_of(end - start);
            if index < middle {
                proof.push(self.range(middle, end)?);
                end = middle;
            } else {
                proof.push(self.range(start, middle)?);
                start = middle;
            }
        }
        proof.reverse();
        Ok(proof)
    }

    /// The root over the leaves `start..end`, where `start` is a multiple of a power of two not below their number.
    fn range(&mut self, start: u64, end: u64) -> Result<Hash> {
        let mut complete = Vec::new();
        let mut at = start;
        while at < end {
            let height = (end - at).ilog2();
            complete.push(self.node(height, at >> height)?);
            at += 1 << height;
        }
        let folded = complete.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
        Ok(folded.unwrap_or(EMPTY_ROOT))
    }

    /// The root over the leaves `number * 2^height .. (number + 1) * 2^height`.
    fn node(&mut self, height: u32, number: u64) -> Result<Hash> {
        if let Some(hash) = self.known.as_ref().and_then(|known| known.get(&(height, number))) {
            return Ok(*hash);
        }
        let hash = self.compute(height, number)?;
        if let Some(known) = &mut self.known {
            known.insert((height, number), hash);
        }
        Ok(hash)
    }

    fn compute(&mut self, height: u32, number: u64) -> Result<Hash> {
        let (level, above) = ((height / 8) as u8, height % 8);
        let position = number << above;
        let id = TileId::containing(level, position, self.size)?;
        let hashes = match self.read.entry(id) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert(read_exact(self.tiles, id)?),
        };
        let first = (position % 256) as usize;
        match hashes.get(first..first + (1 << above)) {
            Some(below) => Ok(root_of(below)),
            None => Err(Error::new(ErrorKind::Internal, format!("`{id}` does not reach to node {number}"))),
        }
    }
}

/// Reads a tile and checks its width.
pub(super) fn read_exact(tiles: &dyn TileReader, id: TileId) -> Result<Vec<Hash>> {
    let hashes = tiles.tile(id)?;
    if hashes.len() != usize::from(id.width()) {
        return Err(tampered(format!("`{id}` holds {} hashes; restore it from a copy", hashes.len())));
    }
    Ok(hashes)
}
