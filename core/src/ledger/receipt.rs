//! Receipts: proof that a record is in the ledger.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::entry::{Body, Entry};
use crate::checkpoint::{SignedCheckpoint, TlogProof, VerifierKey};
use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{Hash, leaf_hash};

/// Proof that a record is in a ledger: its entry, the salt of its commitment, and a C2SP tlog-proof.
///
/// Made only by a [`Ledger`](super::Ledger), when the record is on disk and under a signed checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
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

    /// Verifies that `record` is in the ledger whose checkpoints `log_key` signs.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if the receipt is not of this record or does not prove its inclusion, `BAD_SIGNATURE` or
    /// `UNTRUSTED_SIGNER` if its checkpoint is not the log's, `MALFORMED` if it is no receipt.
    pub fn verify(&self, record: &[u8], log_key: &VerifierKey) -> Result<()> {
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
        let proof = TlogProof::parse_and_verify(self.proof.as_bytes(), &leaf_hash(self.entry.as_bytes()), log_key)?;
        if proof.index() != self.index {
            return Err(Error::new(ErrorKind::LedgerTampered, "the proof of the receipt is for another entry"));
        }
        Ok(())
    }
}
