//! What the inclusion proofs of a pack tell of earlier states of its ledger.
//!
//! A pack carries no consistency proof, because nobody knows at its making which checkpoint its reader has seen. Yet
//! each inclusion proof names nodes of the tree, and the nodes that an earlier root is made of may be among them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{Hash, node_hash};

/// Whether the checkpoint of a pack is known to extend the one seen before.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Extension {
    /// No earlier checkpoint was given.
    NotAsked,
    /// It is the same state, or its tree holds the earlier one whole.
    Proven,
    /// The proofs in the pack do not reach far enough to tell; a consistency proof from the ledger would.
    NotShown,
}

/// Whole subtrees known from verified proofs, by level and position on it.
#[derive(Default)]
pub(super) struct Nodes(BTreeMap<(u32, u64), Hash>);

impl Nodes {
    /// Learns the nodes of a verified inclusion proof of the leaf at `index` in a tree of `size`.
    pub(super) fn learn(&mut self, index: u64, size: u64, leaf: &Hash, path: &[Hash]) {
        let (mut level, mut at, mut last) = (0, index, size.saturating_sub(1));
        let mut hash = *leaf;
        self.keep(level, at, size, hash);
        for sibling in path {
            // as RFC 9162 section 2.1.3.2: a last node without sibling moves up as it is
            while at == last && at & 1 == 0 && at > 0 {
                (level, at, last) = (level + 1, at >> 1, last >> 1);
            }
            if at & 1 == 1 {
                self.keep(level, at - 1, size, *sibling);
                hash = node_hash(sibling, &hash);
            } else {
                self.keep(level, at + 1, size, *sibling);
                hash = node_hash(&hash, sibling);
            }
            (level, at, last) = (level + 1, at >> 1, last >> 1);
            self.keep(level, at, size, hash);
        }
    }

    /// Checks that the tree held `root` when it had `size` entries, if the nodes known tell.
    pub(super) fn check(&self, size: u64, root: &Hash) -> Result<Extension> {
        let mut whole: Option<Hash> = None;
        let mut end = size;
        // the peaks of a tree of this size, from the right
        while end > 0 {
            let level = end.trailing_zeros();
            let Some(peak) = self.0.get(&(level, (end >> level) - 1)) else { return Ok(Extension::NotShown) };
            whole = Some(whole.map_or(*peak, |right| node_hash(peak, &right)));
            end -= 1 << level;
        }
        match whole {
            Some(found) if found == *root => Ok(Extension::Proven),
            Some(found) => Err(Error::new(
                ErrorKind::LedgerForked,
                format!(
                    "with {size} entries the ledger had the root `{found}`, and you have seen `{root}`: its history was \
                     rewritten; keep both as proof and call the owner of the evidence"
                ),
            )
            .with("expected", root)
            .with("found", found)),
            // an empty ledger is the beginning of any
            None => Ok(Extension::Proven),
        }
    }

    /// Keeps a node if its subtree is whole in a tree of `size`; the others are made anew with each entry.
    fn keep(&mut self, level: u32, at: u64, size: u64, hash: Hash) {
        let whole =
            1_u64.checked_shl(level).and_then(|width| (at + 1).checked_mul(width)).is_some_and(|end| end <= size);
        if whole {
            self.0.insert((level, at), hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{leaf_hash, root_of};

    /// The audit path of RFC 9162 section 2.1.3.1, written as it stands there.
    fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
        if leaves.len() <= 1 {
            return Vec::new();
        }
        let split = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(split);
        let (mut path, other) = if index < split {
            (path(index, left), root_of(right))
        } else {
            (path(index - split, right), root_of(left))
        };
        path.push(other);
        path
    }

    #[test]
    fn the_proof_of_the_last_entry_seen_tells_every_earlier_root_and_a_forked_one() {
        for size in 1..40_usize {
            let leaves: Vec<Hash> = (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect();
            for seen in 1..=size {
                let mut nodes = Nodes::default();
                let index = seen - 1;
                nodes.learn(index as u64, size as u64, &leaves[index], &path(index, &leaves));
                let root = root_of(&leaves[..seen]);
                assert_eq!(nodes.check(seen as u64, &root).unwrap(), Extension::Proven, "{seen} of {size}");
                let forked = nodes.check(seen as u64, &leaf_hash(b"other")).unwrap_err();
                assert_eq!(forked.code(), "LEDGER_FORKED");
            }
        }
    }

    #[test]
    fn what_the_proofs_do_not_reach_is_not_shown() {
        let leaves: Vec<Hash> = (0..9_u8).map(|i| leaf_hash(&[i])).collect();
        let mut nodes = Nodes::default();
        nodes.learn(8, 9, &leaves[8], &path(8, &leaves));
        assert_eq!(nodes.check(3, &root_of(&leaves[..3])).unwrap(), Extension::NotShown);
        assert_eq!(nodes.check(8, &root_of(&leaves[..8])).unwrap(), Extension::Proven);
    }
}
