//! Receipts: proof that a record is in the ledger.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};

use super::entry::{Body, Entry};
use crate::checkpoint::{Cosignature, LogKeys, SignedCheckpoint, TlogProof, VerifierKey, WitnessKey, Witnesses};
use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{Hash, leaf_hash};
use crate::{json, limits};

/// Proof that a record is in a ledger: its entry, the salt of its commitment, and a C2SP tlog-proof.
///
/// Given only by a [`Ledger`](super::Ledger), when the record is on disk and under a signed checkpoint. One that is read
/// from elsewhere is a claim, until [`Receipt::verify`] has verified it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Receipt {
    /// Index of the entry, from 0.
    pub index: u64,
    /// The entry, exactly as it was hashed.
    pub entry: String,
    /// The 32-byte salt of the commitment, base64.
    pub salt: String,
    /// `c2sp.org/tlog-proof@v1` with the inclusion proof and the checkpoint.
    pub proof: String,
    /// Whether the record was in the ledger before this call.
    pub already_there: bool,
}

/// What is known of a ledger from elsewhere, against which a receipt is verified.
#[derive(Clone, Debug)]
pub struct ReceiptDemand {
    keys: LogKeys,
    witnesses: Option<Witnesses>,
}

/// What a verified receipt says: where the record is, in which state of which ledger, and who cosigned that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ReceiptVerdict {
    /// Index of the entry, from 0.
    pub index: u64,
    /// Which ledger.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// The root over them.
    #[serde(serialize_with = "as_text")]
    pub root: Hash,
    /// Who cosigned that state, of the witnesses demanded.
    pub cosignatures: Vec<Cosignature>,
}

impl ReceiptDemand {
    /// Demands the ledger of these keys.
    pub fn new(keys: LogKeys) -> Self {
        Self { keys, witnesses: None }
    }

    /// Reads what is demanded from JSON: `logKey` (a C2SP verifier key), and if need be `rotations` (the notes by which it
    /// was replaced, the oldest first), `witnesses` (C2SP verifier keys) and how many of them must have cosigned, `quorum`
    /// (all, if it is not said).
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known or not said; those of [`LogKeys::through`] and
    /// [`Witnesses::new`], also for a quorum without witnesses.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let wire: DemandWire = json::parse("demand of a receipt", bytes)?;
        Ok(Self {
            keys: LogKeys::through(&wire.log_key.parse()?, &wire.rotations)?,
            witnesses: Witnesses::demanded(wire.witnesses, wire.quorum)?,
        })
    }

    /// Demands that a quorum of these witnesses cosigned the checkpoint.
    #[must_use]
    pub fn require_witnesses(mut self, witnesses: Witnesses) -> Self {
        self.witnesses = Some(witnesses);
        self
    }
}

fn as_text<S: Serializer>(root: &Hash, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(root)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DemandWire {
    log_key: String,
    #[serde(default)]
    rotations: Vec<String>,
    witnesses: Option<Vec<WitnessKey>>,
    quorum: Option<usize>,
}

impl Receipt {
    /// Reads a receipt as `ledger prove` writes it. It proves nothing until it is verified.
    ///
    /// # Errors
    /// `MALFORMED` if it is none, `LIMIT_EXCEEDED` if it is too long.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let limit = 4 * limits::CHECKPOINT_BYTES;
        if bytes.len() as u64 > limit {
            return Err(Error::new(ErrorKind::LimitExceeded, format!("a receipt has at most {limit} bytes"))
                .with("limit", limit));
        }
        json::parse("receipt", bytes)
    }

    /// Of an entry as it was hashed, and its salt.
    pub(crate) fn of_bytes(
        index: u64,
        entry: &[u8],
        salt: &[u8; 32],
        path: &[Hash],
        checkpoint: &SignedCheckpoint,
    ) -> Result<Self> {
        let proof = TlogProof::new(index, &leaf_hash(entry), path.to_vec(), checkpoint.clone())?.to_text();
        Ok(Self {
            index,
            entry: String::from_utf8(entry.to_vec())
                .map_err(|e| Error::new(ErrorKind::Internal, "an entry is not UTF-8").caused_by(e))?,
            salt: STANDARD.encode(salt),
            proof,
            already_there: false,
        })
    }

    /// What the ledger says of the record.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if it is no entry.
    pub fn parsed_entry(&self) -> Result<Entry> {
        Entry::parse(self.entry.as_bytes())
    }

    /// Verifies that `record` is in the ledger whose checkpoints `log_key` signs.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if the receipt is not of this record or does not prove its inclusion, `BAD_SIGNATURE` or
    /// `UNTRUSTED_SIGNER` if its checkpoint is not the log's, `MALFORMED` if it is no receipt.
    pub fn verify(&self, record: &[u8], log_key: &VerifierKey) -> Result<()> {
        self.verify_with(record, &LogKeys::from(log_key.clone())).map(|_| ())
    }

    /// Verifies that `record` is in the ledger that is demanded, under a checkpoint that as many witnesses cosigned as are
    /// demanded.
    ///
    /// # Errors
    /// As [`Receipt::verify_with`]; `BAD_CHECKPOINT` if fewer witnesses cosigned it, `BAD_SIGNATURE` if a line in the name
    /// of one of them is not its cosignature.
    pub fn check(&self, record: &[u8], demand: &ReceiptDemand) -> Result<ReceiptVerdict> {
        let checkpoint = self.verify_with(record, &demand.keys)?;
        let cosignatures = demand.witnesses.as_ref().map(|witnesses| witnesses.check(&checkpoint)).transpose()?;
        let state = checkpoint.checkpoint();
        Ok(ReceiptVerdict {
            index: self.index,
            origin: state.origin().to_owned(),
            size: state.size(),
            root: *state.root(),
            cosignatures: cosignatures.unwrap_or_default(),
        })
    }

    /// As [`Receipt::verify`], of a log whose key may have been replaced; gives the checkpoint that the proof leads to,
    /// which knows who cosigned it.
    ///
    /// # Errors
    /// As [`Receipt::verify`]; `UNTRUSTED_SIGNER` if the key was replaced before the checkpoint.
    pub fn verify_with(&self, record: &[u8], keys: &LogKeys) -> Result<SignedCheckpoint> {
        let salt = STANDARD
            .decode(&self.salt)
            .ok()
            .and_then(|s| <[u8; 32]>::try_from(s).ok())
            .ok_or_else(|| Error::new(ErrorKind::Malformed, "the salt of the receipt is not 32 bytes in base64"))?;
        let entry = Entry::parse(self.entry.as_bytes())?;
        let body = Body { salt, record: record.to_vec() };
        if entry.record != body.commitment() || entry.size != record.len() as u64 {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!("entry {} does not commit to this record; take the receipt that was given for it", self.index),
            ));
        }
        let leaf = leaf_hash(self.entry.as_bytes());
        let proof = TlogProof::parse_and_verify_with(self.proof.as_bytes(), &leaf, keys)?;
        if proof.index() != self.index {
            return Err(Error::new(ErrorKind::LedgerTampered, "the proof of the receipt is for another entry"));
        }
        Ok(proof.checkpoint().clone())
    }
}

/// A receipt as it comes from elsewhere, of which nothing is proven.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UnverifiedReceipt {
    index: u64,
    entry: String,
    salt: String,
    proof: String,
    already_there: bool,
}

impl UnverifiedReceipt {
    /// The receipt with its checkpoint, if it proves that `record` is in the log of `keys`.
    pub(crate) fn verify(self, record: &[u8], keys: &LogKeys) -> Result<(Receipt, SignedCheckpoint)> {
        let Self { index, entry, salt, proof, already_there } = self;
        let receipt = Receipt { index, entry, salt, proof, already_there };
        let checkpoint = receipt.verify_with(record, keys)?;
        Ok((receipt, checkpoint))
    }
}

impl From<Receipt> for UnverifiedReceipt {
    fn from(receipt: Receipt) -> Self {
        let Receipt { index, entry, salt, proof, already_there } = receipt;
        Self { index, entry, salt, proof, already_there }
    }
}
