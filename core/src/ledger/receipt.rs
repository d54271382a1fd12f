//! Receipts: proof that a record is in the ledger.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::entry::{Body, Entry};
use crate::checkpoint::{LogKeys, SignedCheckpoint, TlogProof, VerifierKey};
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
