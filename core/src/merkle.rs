//! Merkle trees of RFC 6962 over SHA-256, kept in tiles (C2SP tlog-tiles): hashes, proofs, tiles, growing.
//!
//! Pure functions: what is stored is read through a [`TileReader`]. Tiles and proofs are never trusted for themselves:
//! [`Frontier::load`] checks what it read against a root, and a proof made of tiles counts only once
//! [`verify_inclusion`] or [`verify_consistency`] holds it against the root of a signed checkpoint.

mod entries;
mod frontier;
mod proof;
mod tile;
mod tree;

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub use self::entries::{BundleId, decode_entries, encode_entries};
pub use self::frontier::{Frontier, Growth};
pub use self::proof::{verify_consistency, verify_inclusion};
pub use self::tile::{TILE_WIDTH, TileId, TileReader, decode_tile, encode_tile};
pub use self::tree::{consistency_proof, inclusion_proof, inclusion_proofs, root};
use crate::error::{Error, ErrorKind, Result};

/// A hash of the tree: of a leaf, of a node, or the root. Written in base64, as in checkpoints.
///
/// ```
/// use sealwright::merkle::{EMPTY_ROOT, Hash};
/// assert_eq!(EMPTY_ROOT.to_string(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
/// assert_eq!(EMPTY_ROOT.to_string().parse::<Hash>()?, EMPTY_ROOT);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// The root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

impl Hash {
    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = Error;

    /// Reads canonical base64 of 32 bytes, else `MALFORMED`.
    fn from_str(text: &str) -> Result<Self> {
        STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or_else(|| {
            let shown: String = text.escape_debug().take(80).collect();
            Error::new(ErrorKind::Malformed, format!("`{shown}` is no hash; expected 32 bytes in base64 with padding"))
        })
    }
}

/// The hash of a leaf that holds `entry`: SHA-256(0x00 ‖ entry) (RFC 6962 section 2.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(Sha256::new_with_prefix([0]).chain_update(entry).finalize().into())
}

/// The hash of a node over two others: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 section 2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash(Sha256::new_with_prefix([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// The root of the tree with these leaf hashes (RFC 6962 section 2.1).
///
/// ```
/// use sealwright::merkle::{leaf_hash, node_hash, root_of};
/// let [a, b, c] = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
/// assert_eq!(root_of(&[a, b, c]), node_hash(&node_hash(&a, &b), &c));
/// ```
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

fn tampered(message: String) -> Error {
    Error::new(ErrorKind::LedgerTampered, message)
}
