//! C2SP tlog-proof: a proof of one entry that needs nothing else but the ledger's key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{LogKeys, SignedCheckpoint, VerifierKey, decimal};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::merkle::{Hash, verify_inclusion};

/// A proof that a ledger holds an entry at an index, with the signed checkpoint it leads to.
///
/// It exists only made or verified here, for one leaf. The `extra` line of the format is neither written nor given out,
/// because nothing authenticates it.
///
/// ```
/// use sealwright::checkpoint::{Checkpoint, SignedCheckpoint, TlogProof, VerifierKey};
/// use sealwright::key::{KeyType, PrivateKey};
/// use sealwright::merkle::{leaf_hash, root_of};
/// let key = PrivateKey::generate(KeyType::Ed25519)?;
/// let [one, two] = [leaf_hash(b"one"), leaf_hash(b"two")];
/// let checkpoint = SignedCheckpoint::sign(Checkpoint::new("ledger.example", 2, root_of(&[one, two]))?, &key)?;
/// let proof = TlogProof::new(1, &two, vec![one], checkpoint)?;
///
/// let trusted = VerifierKey::new("ledger.example", key.public().clone())?;
/// let file = proof.to_text();
/// assert_eq!(TlogProof::parse_and_verify(file.as_bytes(), &two, &trusted)?, proof);
/// assert!(TlogProof::parse_and_verify(file.as_bytes(), &one, &trusted).is_err());
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    index: u64,
    hashes: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";

impl TlogProof {
    /// The proof that the ledger holds `leaf` at `index`, by `hashes` from the leaf's sibling up.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if the hashes do not lead from the leaf to the checkpoint.
    pub fn new(index: u64, leaf: &Hash, hashes: Vec<Hash>, checkpoint: SignedCheckpoint) -> Result<Self> {
        let state = checkpoint.checkpoint();
        verify_inclusion(index, state.size(), leaf, &hashes, state.root())?;
        Ok(Self { index, hashes, checkpoint })
    }

    /// Reads a `.tlog-proof` file, verifies its checkpoint with `key` and its path from `leaf` to the checkpoint.
    ///
    /// # Errors
    /// Those of [`SignedCheckpoint::parse_and_verify`]; `LEDGER_TAMPERED` if it is not a proof of `leaf`; `MALFORMED`,
    /// `LIMIT_EXCEEDED`.
    pub fn parse_and_verify(file: &[u8], leaf: &Hash, key: &VerifierKey) -> Result<Self> {
        Self::parse_and_verify_with(file, leaf, &LogKeys::from(key.clone()))
    }

    /// As [`TlogProof::parse_and_verify`], of a log whose key was replaced.
    ///
    /// # Errors
    /// As [`TlogProof::parse_and_verify`]; `UNTRUSTED_SIGNER` if the key was replaced before the checkpoint.
    pub fn parse_and_verify_with(file: &[u8], leaf: &Hash, keys: &LogKeys) -> Result<Self> {
        let limit = 2 * limits::CHECKPOINT_BYTES;
        if file.len() as u64 > limit {
            return Err(Error::new(ErrorKind::LimitExceeded, format!("a tlog-proof has at most {limit} bytes"))
                .with("limit", limit));
        }
        let text = std::str::from_utf8(file).map_err(|_| malformed("it is not text in UTF-8"))?;
        let (head, note) =
            text.split_once("\n\n").ok_or_else(|| malformed("no empty line stands before the checkpoint"))?;
        let checkpoint = keys.parse_and_verify(note.as_bytes())?;

        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed(&format!("its first line is not `{FIRST_LINE}`")));
        }
        let mut line = lines.next();
        if let Some(extra) = line.and_then(|line| line.strip_prefix("extra ")) {
            STANDARD.decode(extra).map_err(|_| malformed("its `extra` line is not base64"))?;
            line = lines.next();
        }
        let index = line
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or_else(|| malformed("it has no line `index <number>`"))?;
        let hashes = lines.map(str::parse).collect::<Result<Vec<Hash>>>()?;
        Self::new(index, leaf, hashes, checkpoint)
    }

    /// The proof as a `.tlog-proof` file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{FIRST_LINE}\nindex {}\n", self.index);
        for hash in &self.hashes {
            text.push_str(&format!("{hash}\n"));
        }
        text + "\n" + self.checkpoint.note()
    }

    /// Where the entry is in the ledger, from 0.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The path from the leaf's sibling up.
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }

    /// The state of the ledger that holds the entry.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("expected a proof of C2SP tlog-proof, but {what}"))
}
