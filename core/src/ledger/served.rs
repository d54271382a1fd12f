//! Parts of a ledger as they are served to others, who verify them themselves.

use super::Ledger;
use super::log_key::rotation_name;
use super::store::CONFIG;
use crate::error::Result;
use crate::limits;
use crate::merkle::{BundleId, TileId, TileReader as _, encode_entries, encode_tile};

impl Ledger {
    /// This ledger as it is now, to read it on another thread; it does not append.
    pub(crate) fn reader(&self) -> Self {
        let (log_key, checkpoint) = (self.log_key.clone(), self.checkpoint.clone());
        let mut reader = Self::of(self.layers.clone(), self.anchors.clone(), log_key, checkpoint, self.trust.clone());
        reader.trust_entries.clone_from(&self.trust_entries);
        reader.anchored = self.anchored;
        reader.patience = self.patience;
        reader.remembered = self.remembered;
        reader.trust_is_told = self.trust_is_told;
        reader
    }

    pub(crate) fn config_file(&self) -> Result<Vec<u8>> {
        self.store.read(CONFIG, limits::CHECKPOINT_BYTES)
    }

    /// The note by which the key of the log was replaced for the nth time; `NOT_FOUND` if it was not.
    pub(crate) fn rotation_file(&self, number: usize) -> Result<Vec<u8>> {
        self.store.read(&rotation_name(number), limits::CHECKPOINT_BYTES)
    }

    /// The checkpoint that this handle has seen and checked, not a newer one that others may have written.
    pub(crate) fn checkpoint_file(&self) -> Vec<u8> {
        self.checkpoint.note().as_bytes().to_vec()
    }

    /// A tile as wide as it is asked for, cut from a wider one if that has replaced it.
    pub(crate) fn tile_file(&self, id: TileId) -> Result<Vec<u8>> {
        self.store.tile(id).map(|hashes| encode_tile(&hashes))
    }

    /// An entry bundle as wide as it is asked for.
    pub(crate) fn bundle_file(&self, id: BundleId) -> Result<Vec<u8>> {
        encode_entries(&self.store.entries(id)?)
    }

    /// Salt and record of an entry, proven.
    pub(crate) fn body_file(&self, index: u64) -> Result<Vec<u8>> {
        self.proven_body(index).map(|(_, body)| body.to_bytes())
    }

    /// The entries that hold the trust policy's versions.
    pub(crate) fn trust_policy_entries(&self) -> &[u64] {
        &self.trust_entries
    }
}
