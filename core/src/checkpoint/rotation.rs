//! Replacing the key of a log: a note signed with the old key and with the new one, bounded by a size.
//!
//! ```text
//! sealwright-log-rotation/v1
//! <origin>
//! <size of the last checkpoint of the old key>
//! <root of that checkpoint>
//! <old key, as a vkey>
//! <new key, as a vkey>
//! ```
//!
//! A note of this text is no checkpoint, whose second line is a number, and a checkpoint is none of these.

use super::note::{Note, not_signed_by, sign_note, written_line};
use super::{Checkpoint, SignedCheckpoint, VerifierKey, decimal};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PrivateKey;
use crate::limits;
use crate::merkle::Hash;

/// That the key of a log was replaced at a size. Exists only signed or verified by both keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRotation {
    at: Checkpoint,
    old: VerifierKey,
    new: VerifierKey,
    note: String,
}

/// The keys of one log, one after the other: each signs checkpoints from the size at which it came to that at which it
/// was replaced, both included.
///
/// ```
/// use sealwright::checkpoint::{Checkpoint, KeyRotation, LogKeys, SignedCheckpoint, VerifierKey};
/// use sealwright::key::{KeyType, PrivateKey};
/// use sealwright::merkle::leaf_hash;
/// let [old, new] = [PrivateKey::generate(KeyType::Ed25519)?, PrivateKey::generate(KeyType::Ed25519)?];
/// let last = Checkpoint::new("ledger.example", 1, leaf_hash(b"entry"))?;
/// let rotation = KeyRotation::sign(&last, &old, &new)?;
///
/// // whoever knows either key knows the other by the note
/// for known in [&old, &new] {
///     let known = VerifierKey::new("ledger.example", known.public().clone())?;
///     let keys = LogKeys::through(&known, &[rotation.note()])?;
///     let later = Checkpoint::new("ledger.example", 2, leaf_hash(b"other"))?;
///     keys.parse_and_verify(SignedCheckpoint::sign(last.clone(), &old)?.note().as_bytes())?;
///     keys.parse_and_verify(SignedCheckpoint::sign(later.clone(), &new)?.note().as_bytes())?;
///     let late = SignedCheckpoint::sign(later, &old)?;
///     assert_eq!(keys.parse_and_verify(late.note().as_bytes()).unwrap_err().code(), "UNTRUSTED_SIGNER");
/// }
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogKeys {
    first: VerifierKey,
    rotations: Vec<KeyRotation>,
}

const FIRST_LINE: &str = "sealwright-log-rotation/v1";

impl KeyRotation {
    /// Replaces the key `old` of a log, whose last checkpoint by it is `last`, by `new`.
    ///
    /// # Errors
    /// `UNSUPPORTED` if a key is not of type Ed25519, `API_MISUSE` if both are the same.
    pub fn sign(last: &Checkpoint, old: &PrivateKey, new: &PrivateKey) -> Result<Self> {
        let key = |key: &PrivateKey| VerifierKey::new(last.origin(), key.public().clone());
        let (old_key, new_key) = (key(old)?, key(new)?);
        if old_key == new_key {
            return Err(Error::new(ErrorKind::ApiMisuse, "the new key of the log is the old one; generate another"));
        }
        let text = text(last, &old_key, &new_key);
        let mut note = sign_note(&text, last.origin(), old)?;
        note.push_str(&written_line(last.origin(), new_key.id(), &new.sign(text.as_bytes())?));
        Ok(Self { at: last.clone(), old: old_key, new: new_key, note })
    }

    /// Reads a rotation of which one of the two keys is known: its signature is verified before anything is read, then
    /// that of the other.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if one of the two keys did not sign it, `UNTRUSTED_SIGNER` if `known` is neither of them,
    /// `MALFORMED`, `LIMIT_EXCEEDED`.
    pub fn parse_and_verify(note: &[u8], known: &VerifierKey) -> Result<Self> {
        let note = Note::read(note)?;
        if !note.is_signed_by(known)? {
            return Err(not_signed_by(known));
        }
        // a line of anybody else would say nothing, and could be changed by anybody
        if note.lines.len() != 2 {
            return Err(Error::new(ErrorKind::Malformed, "a rotation has two signatures, by the old and the new key"));
        }
        let (at, old, new) = parse(note.text)?;
        if *known != old && *known != new {
            return Err(Error::new(
                ErrorKind::UntrustedSigner,
                format!("the rotation is signed by `{known}`, and replaces another key"),
            ));
        }
        for key in [&old, &new] {
            if !note.is_signed_by(key)? {
                return Err(not_signed_by(key));
            }
        }
        Ok(Self { at, old, new, note: note.whole.to_owned() })
    }

    /// The last checkpoint of the old key.
    pub fn at(&self) -> &Checkpoint {
        &self.at
    }

    /// The key that was replaced.
    pub fn old(&self) -> &VerifierKey {
        &self.old
    }

    /// The key that came in its place.
    pub fn new_key(&self) -> &VerifierKey {
        &self.new
    }

    /// The note, as it was signed.
    pub fn note(&self) -> &str {
        &self.note
    }
}

fn text(at: &Checkpoint, old: &VerifierKey, new: &VerifierKey) -> String {
    format!("{FIRST_LINE}\n{}{old}\n{new}\n", at.body())
}

fn parse(text: &str) -> Result<(Checkpoint, VerifierKey, VerifierKey)> {
    let malformed = |what: &str| {
        Error::new(
            ErrorKind::Malformed,
            format!("the rotation {what}; expected the lines `{FIRST_LINE}`, origin, size, root, old key and new key"),
        )
    };
    let lines: Vec<&str> = text.strip_suffix('\n').unwrap_or_default().split('\n').collect();
    let [FIRST_LINE, origin, size, root, old, new] = lines.as_slice() else {
        return Err(malformed("has other lines"));
    };
    let size = decimal(size).filter(|size| *size > 0).ok_or_else(|| malformed("has no size"))?;
    let root: Hash = root.parse()?;
    let (old, new): (VerifierKey, VerifierKey) = (old.parse()?, new.parse()?);
    if old.name() != *origin || new.name() != *origin || old == new {
        return Err(malformed("names keys of another origin, or one key twice"));
    }
    Ok((Checkpoint::new(*origin, size, root)?, old, new))
}

impl From<VerifierKey> for LogKeys {
    fn from(key: VerifierKey) -> Self {
        Self { first: key, rotations: Vec::new() }
    }
}

impl LogKeys {
    /// The keys of a log of which `known` is one, by its rotations in their order, the oldest first.
    ///
    /// # Errors
    /// `UNTRUSTED_SIGNER` if `known` is none of its keys or the rotations are of no one chain; those of
    /// [`KeyRotation::parse_and_verify`]; `LIMIT_EXCEEDED` over [`limits::LOG_KEY_ROTATIONS`].
    pub fn through(known: &VerifierKey, rotations: &[impl AsRef<[u8]>]) -> Result<Self> {
        if rotations.len() > limits::LOG_KEY_ROTATIONS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("a log has at most {} rotations of its key", limits::LOG_KEY_ROTATIONS),
            ));
        }
        if rotations.is_empty() {
            return Ok(known.clone().into());
        }
        let found = rotations
            .iter()
            .enumerate()
            .find_map(|(place, note)| Some((place, KeyRotation::parse_and_verify(note.as_ref(), known).ok()?)));
        let (place, rotation) = found.ok_or_else(|| {
            Error::new(
                ErrorKind::UntrustedSigner,
                format!("`{known}` is none of the keys that the rotations of this log name; it is another log's"),
            )
            .with("expected", known)
        })?;
        let mut chain = vec![rotation];
        // towards the first key, each by the one after it, then towards the newest
        for note in rotations.iter().take(place).rev() {
            let Some(next) = chain.first() else { break };
            let earlier = KeyRotation::parse_and_verify(note.as_ref(), &next.old)?;
            chain.insert(0, earlier);
        }
        for note in rotations.iter().skip(place + 1) {
            let Some(last) = chain.last() else { break };
            let later = KeyRotation::parse_and_verify(note.as_ref(), &last.new)?;
            chain.push(later);
        }
        let Some(first) = chain.first() else { return Ok(known.clone().into()) };
        let mut keys = Self::from(first.old.clone());
        for rotation in chain {
            keys.rotate(rotation)?;
        }
        Ok(keys)
    }

    /// Adds a rotation after those that are there.
    ///
    /// # Errors
    /// `UNTRUSTED_SIGNER` if it does not replace the newest key, brings back one that was replaced, or is of a smaller
    /// size than the last one.
    pub fn rotate(&mut self, rotation: KeyRotation) -> Result<()> {
        let follows = rotation.old == *self.current()
            && self.all().all(|key| *key != rotation.new)
            && self.rotations.last().is_none_or(|last| last.at.size() <= rotation.at.size());
        if !follows {
            return Err(Error::new(
                ErrorKind::UntrustedSigner,
                format!(
                    "the rotation to `{}` does not follow the keys of the log, of which `{}` is the newest",
                    rotation.new,
                    self.current()
                ),
            ));
        }
        self.rotations.push(rotation);
        Ok(())
    }

    /// The key the log began with.
    pub fn first(&self) -> &VerifierKey {
        &self.first
    }

    /// The key that signs now.
    pub fn current(&self) -> &VerifierKey {
        self.rotations.last().map_or(&self.first, |rotation| &rotation.new)
    }

    /// All keys, the first one first.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &VerifierKey> {
        std::iter::once(&self.first).chain(self.rotations.iter().map(|rotation| &rotation.new))
    }

    /// The rotations, the oldest first.
    pub fn rotations(&self) -> &[KeyRotation] {
        &self.rotations
    }

    /// Reads a note, verifies that the key of its size signed it, and only then reads the checkpoint in it.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if none of the keys signed it, `UNTRUSTED_SIGNER` if one did that was replaced before this size,
    /// or came after it; `MALFORMED`, `UNSUPPORTED`, `LIMIT_EXCEEDED`.
    pub fn parse_and_verify(&self, note: &[u8]) -> Result<SignedCheckpoint> {
        let note = Note::read(note)?;
        let mut refused = None;
        for (place, key) in self.all().enumerate().collect::<Vec<_>>().into_iter().rev() {
            let Some(signed) = SignedCheckpoint::of_note(&note, key)? else { continue };
            let size = signed.checkpoint().size();
            let from = place.checked_sub(1).and_then(|before| self.rotations.get(before)).map_or(0, |r| r.at.size());
            let until = self.rotations.get(place).map_or(u64::MAX, |r| r.at.size());
            if (from..=until).contains(&size) {
                self.check_bounds(signed.checkpoint())?;
                return Ok(signed);
            }
            refused = Some((key, from, until, size));
        }
        Err(match refused {
            None => not_signed_by(self.current()),
            Some((key, from, until, size)) => Error::new(
                ErrorKind::UntrustedSigner,
                format!(
                    "the checkpoint of size {size} is signed by `{key}`, which signs sizes {from} to {until}; the key was \
                     replaced: ask for a checkpoint of the newest key"
                ),
            )
            .with("key", key)
            .with("size", size),
        })
    }

    /// The checkpoint at which a key was replaced has one root.
    fn check_bounds(&self, checkpoint: &Checkpoint) -> Result<()> {
        for rotation in &self.rotations {
            if rotation.at.size() == checkpoint.size() && rotation.at.root() != checkpoint.root() {
                return Err(Error::new(
                    ErrorKind::LedgerForked,
                    format!(
                        "the checkpoint of size {} has another root than the one at which the key of the log was \
                         replaced; keep both as proof and call the owner of the evidence",
                        checkpoint.size()
                    ),
                ));
            }
        }
        Ok(())
    }
}
