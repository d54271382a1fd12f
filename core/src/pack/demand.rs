//! What a verifier of a pack brings along, and what it gets.

use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

use super::prefix::Extension;
use super::signers::Signers;
use crate::checkpoint::{Checkpoint, Cosignature, WitnessKey, Witnesses};
use crate::digest::Digest;
use crate::error::Result;
use crate::json;
use crate::key::PublicKey;
use crate::predicate::EvidencePack;
use crate::verifier::Timestamped;

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
    /// Witnesses of the ledger, of whom a quorum must have cosigned the checkpoint. Without them none is demanded, and
    /// what those of the trust policy in the pack cosigned is told.
    pub witnesses: Option<Witnesses>,
}

impl PackDemand {
    /// Demands these signers and this ledger.
    pub fn new(signers: Signers, log_key: PublicKey) -> Self {
        Self { signers, log_key, min_checkpoint: None, trust_policy: None, witnesses: None }
    }

    /// Reads what is demanded from JSON: `signers` (the path of a SIGNERS file), `logKey` (a `PUBLIC KEY` PEM file), and
    /// if need be `minCheckpoint` (a signed note), `trustPolicy` (`sha256:<hex>`), `witnesses` (C2SP verifier keys) and
    /// how many of them must have cosigned, `quorum` (all, if it is not said).
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known or not said; those of [`Signers::read`],
    /// [`PublicKey::from_pem`] and [`Witnesses::new`], also for a quorum without witnesses; `UNSUPPORTED` for an unknown
    /// digest algorithm.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let wire: DemandWire = json::parse("demand of a pack", bytes)?;
        Ok(Self {
            signers: Signers::read(&wire.signers)?,
            log_key: PublicKey::from_pem(wire.log_key.as_bytes())?,
            min_checkpoint: wire.min_checkpoint.map(String::into_bytes),
            trust_policy: wire.trust_policy.map(|digest| digest.parse()).transpose()?,
            witnesses: Witnesses::demanded(wire.witnesses, wire.quorum)?,
        })
    }

    /// Demands a ledger no older than this signed checkpoint.
    #[must_use]
    pub fn no_older_than(mut self, checkpoint: Vec<u8>) -> Self {
        self.min_checkpoint = Some(checkpoint);
        self
    }

    /// Demands that a quorum of these witnesses cosigned the checkpoint.
    #[must_use]
    pub fn require_witnesses(mut self, witnesses: Witnesses) -> Self {
        self.witnesses = Some(witnesses);
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
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PackVerdict {
    /// The signed statement over the manifest.
    pub statement: EvidencePack,
    /// The state of the ledger that everything in the pack is proven against.
    #[serde(serialize_with = "as_body")]
    pub checkpoint: Checkpoint,
    /// Number of records.
    pub records: u64,
    /// Number of entries without a record.
    pub bare_entries: u64,
    /// Of these, those that a disposal record of the pack says were disposed of.
    pub disposed_entries: u64,
    /// Whether the ledger is known to extend the checkpoint seen before.
    pub extension: Extension,
    /// Who cosigned the checkpoint, of the witnesses demanded; if none were, of those of the trust policy in the pack.
    pub cosignatures: Vec<Cosignature>,
    /// Authorities of the trust policy in the pack that timestamped the checkpoint.
    pub timestamps: Vec<Timestamped>,
    /// Whether a `manifest.tsr` lies beside the manifest. It was not checked.
    pub has_unchecked_timestamp: bool,
}

fn as_body<S: Serializer>(checkpoint: &Checkpoint, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&checkpoint.body())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DemandWire {
    signers: PathBuf,
    log_key: String,
    min_checkpoint: Option<String>,
    trust_policy: Option<String>,
    witnesses: Option<Vec<WitnessKey>>,
    quorum: Option<usize>,
}
