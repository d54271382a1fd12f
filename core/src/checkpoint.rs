//! What a ledger signs about itself: C2SP checkpoints in signed notes, and proofs that carry one.
//!
//! A [`SignedCheckpoint`] and a [`TlogProof`] exist only signed or verified; nothing of a note is read before its
//! signature is. Signatures by other keys stay in the note; those of witnesses count once
//! [`SignedCheckpoint::cosignatures`] has verified them. The key of a log is replaced by a [`KeyRotation`].

mod cosignature;
mod note;
mod proof;
mod rotation;
mod witnesses;

use std::fmt;
use std::str::FromStr;

pub use self::cosignature::{Cosignature, WitnessKey, cosign};
use self::note::{Note, not_signed_by};
pub use self::note::{VerifierKey, sign_note, verify_note};
pub use self::proof::TlogProof;
pub use self::rotation::{KeyRotation, LogKeys};
pub use self::witnesses::Witnesses;
pub(crate) use self::witnesses::twin;
use crate::error::{Error, ErrorKind, Result};
use crate::key::PrivateKey;
use crate::merkle::{EMPTY_ROOT, Hash};

/// The state of a ledger: which one, how many entries, and the root over them (C2SP tlog-checkpoint).
///
/// Written as the text that is signed. Extension lines are refused: no auditor can check what they say.
///
/// ```
/// use sealwright::checkpoint::Checkpoint;
/// let text = "ledger.example/team\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
/// let checkpoint: Checkpoint = text.parse()?;
/// assert_eq!((checkpoint.origin(), checkpoint.size()), ("ledger.example/team", 0));
/// assert_eq!(checkpoint.to_string(), text);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// The state of the ledger `origin` with `size` entries under `root`.
    ///
    /// # Errors
    /// `MALFORMED` if the origin is empty or has control characters, or if an empty ledger has another root than
    /// [`EMPTY_ROOT`].
    pub fn new(origin: impl Into<String>, size: u64, root: Hash) -> Result<Self> {
        let origin = origin.into();
        if origin.is_empty() || origin.chars().any(char::is_control) {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` is no name of a ledger; use one like `ledger.example/team`", note::shown(&origin)),
            ));
        }
        if size == 0 && root != EMPTY_ROOT {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("an empty ledger has the root `{EMPTY_ROOT}`, found `{root}`; the checkpoint is wrong"),
            ));
        }
        Ok(Self { origin, size, root })
    }

    /// Which ledger: a unique name like `ledger.example/team`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root over the entries.
    pub fn root(&self) -> &Hash {
        &self.root
    }

    /// The text that is signed, three lines.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.body())
    }
}

impl FromStr for Checkpoint {
    type Err = Error;

    /// Reads the text that is signed: `MALFORMED` if it is none, `UNSUPPORTED` if it has extension lines.
    fn from_str(body: &str) -> Result<Self> {
        let malformed = |what: &str| {
            Error::new(
                ErrorKind::Malformed,
                format!("the checkpoint has {what}; expected the lines origin, size and root of C2SP tlog-checkpoint"),
            )
        };
        let body = body.strip_suffix('\n').ok_or_else(|| malformed("no end of line at its end"))?;
        let mut lines = body.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(malformed("less than three lines"));
        };
        let size = decimal(size).ok_or_else(|| malformed("no plain decimal size"))?;
        let checkpoint = Self::new(origin, size, root.parse()?)?;
        match lines.next() {
            None => Ok(checkpoint),
            Some("") => Err(malformed("an empty line")),
            Some(_) => Err(Error::new(
                ErrorKind::Unsupported,
                "the checkpoint has extension lines, which no one can check; use a ledger that writes none",
            )),
        }
    }
}

/// A checkpoint whose signature by the ledger's key was made or verified here, and the whole note it stands in.
///
/// ```
/// use sealwright::checkpoint::{Checkpoint, SignedCheckpoint, VerifierKey};
/// use sealwright::key::{KeyType, PrivateKey};
/// use sealwright::merkle::leaf_hash;
/// let key = PrivateKey::generate(KeyType::Ed25519)?;
/// let checkpoint = Checkpoint::new("ledger.example/team", 1, leaf_hash(b"entry"))?;
/// let signed = SignedCheckpoint::sign(checkpoint, &key)?;
///
/// let trusted = VerifierKey::new("ledger.example/team", key.public().clone())?;
/// let read = SignedCheckpoint::parse_and_verify(signed.note().as_bytes(), &trusted)?;
/// assert_eq!(read, signed);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
    /// The note with the log's own signature alone.
    own: String,
}

impl SignedCheckpoint {
    /// Signs `checkpoint` under the name of its origin. Whoever signs answers for it that the ledger never shows another
    /// state of this size.
    ///
    /// # Errors
    /// `UNSUPPORTED` if the key is not of type Ed25519, `MALFORMED` if the origin can't name a key (spaces, `+`).
    pub fn sign(checkpoint: Checkpoint, key: &PrivateKey) -> Result<Self> {
        let note = sign_note(&checkpoint.body(), &checkpoint.origin, key)?;
        Ok(Self { checkpoint, own: note.clone(), note })
    }

    /// Reads a note, verifies that `key` signed it, and only then reads the checkpoint in it, whose origin must be the
    /// name of the key.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if the key did not sign it, `UNTRUSTED_SIGNER` if the key is that of another origin; `MALFORMED`,
    /// `UNSUPPORTED`, `LIMIT_EXCEEDED`.
    pub fn parse_and_verify(note: &[u8], key: &VerifierKey) -> Result<Self> {
        let note = Note::read(note)?;
        Self::of_note(&note, key)?.ok_or_else(|| not_signed_by(key))
    }

    /// The checkpoint in a note, if `key` signed it.
    fn of_note(note: &Note<'_>, key: &VerifierKey) -> Result<Option<Self>> {
        if !note.is_signed_by(key)? {
            return Ok(None);
        }
        let checkpoint: Checkpoint = note.text.parse()?;
        if checkpoint.origin != key.name() {
            return Err(Error::new(
                ErrorKind::UntrustedSigner,
                format!(
                    "expected a checkpoint of ledger `{}`, found one of `{}`, which this key does not speak for",
                    key.name(),
                    note::shown(&checkpoint.origin)
                ),
            )
            .with("expected", key.name())
            .with("found", note::shown(&checkpoint.origin)));
        }
        let mut own = format!("{}\n", note.text);
        // written twice it is no other signature
        if let Some(line) = note.lines.iter().find(|line| line.is_of(key.name(), key.id())) {
            own.push_str(line.whole);
            own.push('\n');
        }
        Ok(Some(Self { checkpoint, note: note.whole.to_owned(), own }))
    }

    /// What was signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note, with all its signatures, as it was written.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The note with the log's own signature and no other, which is the same whoever cosigned it: what a timestamp of a
    /// checkpoint is over.
    pub fn log_note(&self) -> &str {
        &self.own
    }
}

/// A number in its one decimal spelling.
fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}
