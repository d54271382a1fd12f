//! What a verifier of a pack brings along, and what it gets.

use super::prefix::Extension;
use super::signers::Signers;
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::key::PublicKey;
use crate::predicate::EvidencePack;

/// What is known from elsewhere, against which a pack is verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PackDemand {
    /// Who may sign records, and who manifests.
    pub signers: Signers,
    /// The key of the ledger (Ed25519).
    pub log_key: PublicKey,
    /// The newest checkpoint seen of this ledger, as signed.
    pub min_checkpoint: Option<Vec<u8>>,
    /// Payload digest of version 1 of the trust policy.
    pub trust_policy: Option<Digest>,
}

impl PackDemand {
    /// Demands these signers and this ledger.
    pub fn new(signers: Signers, log_key: PublicKey) -> Self {
        Self { signers, log_key, min_checkpoint: None, trust_policy: None }
    }

    /// Demands a ledger no older than this signed checkpoint.
    #[must_use]
    pub fn no_older_than(mut self, checkpoint: Vec<u8>) -> Self {
        self.min_checkpoint = Some(checkpoint);
        self
    }

    /// Demands that the trust policy began with the version of this payload digest.
    #[must_use]
    pub fn pin_trust_policy(mut self, payload: Digest) -> Self {
        self.trust_policy = Some(payload);
        self
    }
}

/// A pack that was verified, and what it says of itself.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PackVerdict {
    /// The signed statement over the manifest.
    pub statement: EvidencePack,
    /// The state of the ledger that everything in the pack is proven against.
    pub checkpoint: Checkpoint,
    /// Number of records.
    pub records: u64,
    /// Number of entries without a record.
    pub bare_entries: u64,
    /// Whether the ledger is known to extend the checkpoint seen before.
    pub extension: Extension,
    /// Whether a `manifest.tsr` lies beside the manifest. It was not checked.
    pub has_unchecked_timestamp: bool,
}
