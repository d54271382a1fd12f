//! Replacing the key of the log, and the keys it had.

use std::sync::Arc;

use super::mark;
use super::storage::{Batch, Object, Outcome};
use super::store::{CHECKPOINT, MIRROR, ROTATIONS, Store};
use super::{Anchor, Ledger};
use crate::checkpoint::{KeyRotation, LogKeys, SignedCheckpoint, VerifierKey};
use crate::error::{Error, ErrorKind, Result, optional};
use crate::key::PrivateKey;
use crate::limits;

impl Ledger {
    /// Replaces the key that signs checkpoints. The note that says so is signed with the old key, which this handle must
    /// have, and with the new one, and lies in the ledger from then on. Checkpoints up to now stay verifiable by the old
    /// key; those of further entries need the new one. Nothing else changes, and this handle goes on with the new key.
    ///
    /// # Errors
    /// `API_MISUSE` if this handle has no log key, or the log had the new one before; `UNSUPPORTED` if it is not Ed25519;
    /// `UNTRUSTED_SIGNER` if another process replaced the key meanwhile; `LIMIT_EXCEEDED` after too many rotations;
    /// `APPEND_REFUSED` if the ledger was moved; `LEDGER_BUSY`, `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`. The old key is
    /// still the one that signs, unless only what remembers the ledger outside of it could not be written.
    /// After `SERVICE_UNAVAILABLE` of a bucket nobody knows, and the ledger tells once it is opened again.
    pub fn rotate_log_key(&mut self, new: PrivateKey) -> Result<KeyRotation> {
        let storage = self.store.shared();
        if storage.service().is_some() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{}` is an address; replace the key of a log where the ledger lies", storage.place()),
            ));
        }
        let old = self.sequencer()?;
        let mut right = storage.acquire(self.patience)?;
        self.refresh()?;
        self.check_seen_here()?;
        self.check_signs(&old)?;
        if self.log_key.rotations().len() >= limits::LOG_KEY_ROTATIONS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the key of a log is replaced at most {} times; begin a new ledger", limits::LOG_KEY_ROTATIONS),
            ));
        }
        let rotation = KeyRotation::sign(self.checkpoint.checkpoint(), &old, &new)?;
        let mut keys = self.log_key.clone();
        keys.rotate(rotation.clone()).map_err(|e| {
            Error::new(ErrorKind::ApiMisuse, "the log had this key before; generate another one").caused_by(e)
        })?;
        // one commit with the checkpoint it ends at: whoever would still go on with the old key finds that changed
        let (before, fenced) = (self.checkpoint.note().to_owned(), mark::fenced(self.checkpoint.note())?);
        let committed = right.commit(Batch {
            objects: vec![Object {
                name: rotation_name(keys.rotations().len()),
                bytes: rotation.note().as_bytes().to_vec(),
                grown_from: None,
            }],
            stale: Vec::new(),
            before: Some(before.as_bytes()),
            checkpoint: fenced.as_bytes(),
        })?;
        if committed == Outcome::Overtaken {
            return Err(Error::new(
                ErrorKind::LedgerBusy,
                format!("another sequencer appended to the ledger `{}` meanwhile; run it again", self.origin()),
            ));
        }
        self.checkpoint = keys.parse_and_verify(fenced.as_bytes())?;
        self.log_key = keys;
        self.sequencer = Some(Arc::new(new));
        // what was submitted under the old key is no submission any more
        self.seal = None;
        self.remember(true)?;
        Ok(rotation)
    }

    /// All keys of the log, one after the other.
    pub fn log_keys(&self) -> &LogKeys {
        &self.log_key
    }

    /// Checks that `key` is still the one that signs: another process may have replaced it.
    pub(super) fn check_signs(&self, key: &PrivateKey) -> Result<()> {
        if VerifierKey::new(self.origin(), key.public().clone())? == *self.log_key() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::UntrustedSigner,
            format!(
                "another process replaced the key of the log by `{}`; open the ledger with that one",
                self.log_key()
            ),
        )
        .with(REPLACED, self.log_key()))
    }

    /// Has this handle append with the one of `keys` that the log has now. Says whether it had another before.
    ///
    /// # Errors
    /// `UNTRUSTED_SIGNER` if the log has none of them, `API_MISUSE` for a mirror.
    #[cfg(feature = "serve")]
    pub(crate) fn sign_with_one_of(&mut self, keys: &[Arc<PrivateKey>]) -> Result<bool> {
        for key in keys {
            if VerifierKey::new(self.origin(), key.public().clone())? != *self.log_key() {
                continue;
            }
            if self.sequencer.as_ref().is_some_and(|own| Arc::ptr_eq(own, key)) {
                return Ok(false);
            }
            self.check_no_mirror()?;
            // what was submitted under another key is no submission any more
            self.seal = None;
            return Ok(self.sequencer.replace(Arc::clone(key)).is_some());
        }
        Err(Error::new(
            ErrorKind::UntrustedSigner,
            format!(
                "the key of the log is `{}`, and none of the {} keys at hand is that one; give it, and start again",
                self.log_key(),
                keys.len()
            ),
        )
        .with(REPLACED, self.log_key()))
    }

    /// Refuses to append to a copy.
    pub(super) fn check_no_mirror(&self) -> Result<()> {
        if self.store.storage().size(MIRROR)?.is_some() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "this is a mirror, and what is appended to it would be a fork; restore it to a folder of its own first",
            ));
        }
        Ok(())
    }

    /// Each rotation must be of a checkpoint of this very history.
    pub(super) fn check_rotations(&self) -> Result<()> {
        self.log_key.rotations().iter().try_for_each(|rotation| self.check_extends(rotation.at()))
    }
}

/// The fact by which a fault says that the key of the log was replaced.
const REPLACED: &str = "replacedBy";

/// Whether a fault is that the key of the log was replaced, so that it is none of what was to be appended.
pub(crate) fn is_of_replaced_key(e: &Error) -> bool {
    e.context().iter().any(|(name, _)| *name == REPLACED)
}

pub(super) fn rotation_name(number: usize) -> String {
    format!("{ROTATIONS}/{number}")
}

/// Whether a rotation stands there that is not among these keys.
pub(super) fn is_replaced_after(store: &Store, keys: &LogKeys) -> Result<bool> {
    Ok(store.storage().size(&rotation_name(keys.rotations().len() + 1))?.is_some())
}

/// The keys of the log in a folder, which began with `first`.
pub(super) fn read_keys(store: &Store, first: &VerifierKey) -> Result<LogKeys> {
    let mut keys = LogKeys::from(first.clone());
    loop {
        let name = rotation_name(keys.rotations().len() + 1);
        let Some(note) = optional(store.read(&name, limits::CHECKPOINT_BYTES))? else { return Ok(keys) };
        let tampered = |e: Error| {
            Error::new(
                ErrorKind::LedgerTampered,
                format!("`{name}` of the ledger is not as it was signed: {}", e.message()),
            )
            .caused_by(e)
        };
        let rotation = KeyRotation::parse_and_verify(&note, keys.current()).map_err(tampered)?;
        if keys.rotations().len() >= limits::LOG_KEY_ROTATIONS {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                format!("`{name}` of the ledger is one rotation too many"),
            ));
        }
        keys.rotate(rotation).map_err(tampered)?;
    }
}

impl Anchor {
    /// The keys that were seen of the log.
    pub(super) fn log_keys(&self) -> Result<LogKeys> {
        LogKeys::through(&self.log_key.parse()?, &self.rotations)
    }
}

/// Checks that the keys found continue those seen before.
pub(super) fn check_continues(seen: &LogKeys, found: &LogKeys) -> Result<()> {
    if seen.first() != found.first() {
        return Err(other_key(seen.first(), found.first()));
    }
    for (place, before) in seen.rotations().iter().enumerate() {
        match found.rotations().get(place) {
            None => {
                return Err(Error::new(
                    ErrorKind::LedgerRolledBack,
                    format!(
                        "the key of the ledger `{}` was replaced at size {} when it was seen before, and here it was not; \
                         restore the newer state from a copy, and find out who replaced it",
                        found.first().name(),
                        before.at().size()
                    ),
                ));
            }
            Some(now) if now.at() == before.at() && now.new_key() == before.new_key() => {}
            Some(now) => return Err(other_key(before.new_key(), now.new_key())),
        }
    }
    Ok(())
}

/// That a ledger has another key than is known.
pub(super) fn other_key(expected: &VerifierKey, found: &VerifierKey) -> Error {
    Error::new(
        ErrorKind::LedgerForked,
        format!("the ledger is signed by the key `{found}`, pinned is `{expected}`; this is another ledger"),
    )
    .with("expected", expected)
    .with("found", found)
}

/// The checkpoint that lies there, which one of `keys` must have signed, and nothing more.
pub(super) fn read_checkpoint(store: &Store, keys: &LogKeys) -> Result<SignedCheckpoint> {
    let bytes = store.read(CHECKPOINT, limits::CHECKPOINT_BYTES).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::new(
            ErrorKind::LedgerTampered,
            format!("the ledger at `{}` has lost its checkpoint; restore it from a copy", store.storage().place()),
        ),
        _ => e,
    })?;
    let checkpoint = keys.parse_and_verify(&bytes).map_err(|e| {
        Error::new(
            ErrorKind::LedgerTampered,
            format!("the checkpoint of the ledger is not as it was signed: {}", e.message()),
        )
        .caused_by(e)
    })?;
    if checkpoint.note().as_bytes() != bytes {
        return Err(Error::new(
            ErrorKind::LedgerTampered,
            "the checkpoint of the ledger holds more than its signed note",
        ));
    }
    Ok(checkpoint)
}
