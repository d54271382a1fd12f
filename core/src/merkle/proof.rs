//! Proofs held against a root.

use super::{EMPTY_ROOT, Hash, node_hash, tampered};
use crate::error::{Error, ErrorKind, Result};

/// Checks that the tree of `size` leaves with `root` holds `leaf` at `index` (RFC 9162 section 2.1.3.2; the tree is that
/// of RFC 6962).
///
/// # Errors
/// `LEDGER_TAMPERED` if the proof does not show it.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, proof: &[Hash], root: &Hash) -> Result<()> {
    let shown = index < size && included(index, size - 1, leaf, proof) == Some(*root);
    if shown {
        return Ok(());
    }
    Err(tampered(format!(
        "the proof does not show that entry `{index}` is in the ledger of size `{size}` with root `{root}`; the entry, the \
         proof or the checkpoint is not the ledger's"
    ))
    .with("index", index)
    .with("size", size)
    .with("root", root))
}

/// The root that follows from `leaf` at `index`, if the proof is as long as it must be.
fn included(mut index: u64, mut last: u64, leaf: &Hash, proof: &[Hash]) -> Option<Hash> {
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if is_right(&mut index, &mut last) {
            hash = node_hash(sibling, &hash);
        } else {
            hash = node_hash(&hash, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether the node `index` of a level whose last node is `last` is a right child. A last node without a sibling rises
/// as it is, so both numbers are moved up to the level where it has one.
fn is_right(index: &mut u64, last: &mut u64) -> bool {
    if *index & 1 == 0 && *index != *last {
        return false;
    }
    while *index & 1 == 0 && *index != 0 {
        *index >>= 1;
        *last >>= 1;
    }
    true
}

/// Checks that the tree of `size` leaves with `root` is the tree of `old_size` leaves with `old_root`, continued
/// (RFC 9162 section 2.1.4.2). Between trees of the same size the proof is empty.
///
/// # Errors
/// `LEDGER_FORKED` if the proof does not show it, `LEDGER_ROLLED_BACK` if `size` is below `old_size`, `API_MISUSE` from an
/// empty tree to one that is not: every tree continues the empty one, so there is nothing to check.
pub fn verify_consistency(old_size: u64, old_root: &Hash, size: u64, root: &Hash, proof: &[Hash]) -> Result<()> {
    let facts =
        |e: Error| e.with("old_size", old_size).with("old_root", old_root).with("size", size).with("root", root);
    if size < old_size {
        return Err(facts(Error::new(
            ErrorKind::LedgerRolledBack,
            format!("the ledger has size `{size}` and had `{old_size}` before; entries were taken away"),
        )));
    }
    if old_size == 0 && size > 0 {
        return Err(facts(Error::new(
            ErrorKind::ApiMisuse,
            "every ledger continues the empty one; check against a checkpoint that has entries",
        )));
    }
    let shown = if old_size == size {
        proof.is_empty() && old_root == root && (size != 0 || *root == EMPTY_ROOT)
    } else {
        continued(old_size, old_root, size, proof) == Some((*old_root, *root))
    };
    if shown {
        return Ok(());
    }
    Err(facts(Error::new(
        ErrorKind::LedgerForked,
        format!(
            "the ledger of size `{size}` with root `{root}` does not continue the one of size `{old_size}` with root \
             `{old_root}`; it was rewritten, or the proof is not the ledger's"
        ),
    )))
}

/// Both roots that follow from the proof, for 0 < `old_size` < `size`.
fn continued(old_size: u64, old_root: &Hash, size: u64, proof: &[Hash]) -> Option<(Hash, Hash)> {
    let (mut index, mut last) = (old_size - 1, size - 1);
    while index & 1 == 1 {
        index >>= 1;
        last >>= 1;
    }
    // a complete old tree is itself the first node, and the proof leaves it out
    let (seed, rest) = if old_size.is_power_of_two() { (old_root, proof) } else { proof.split_first()? };
    let (mut old, mut new) = (*seed, *seed);
    for sibling in rest {
        if last == 0 {
            return None;
        }
        if is_right(&mut index, &mut last) {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
        } else {
            new = node_hash(&new, sibling);
        }
        index >>= 1;
        last >>= 1;
    }
    (last == 0).then_some((old, new))
}
