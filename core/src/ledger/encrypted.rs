//! Making and opening encrypted ledgers.

use std::path::Path;
use std::sync::Arc;

use super::folder::FolderStorage;
use super::storage::Storage;
use super::{Anchors, Labels, Ledger, Pins};
use crate::encryption::{self, KeyEncryptionKey};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PrivateKey;
use crate::timestamp::Timestamp;

impl Ledger {
    /// As [`Ledger::init`], encrypted: bodies and attachments are envelopes under keys that `kek` opens, and entries and
    /// index hold labels in the place of types and tags (decision 0022). Without `kek` nothing of a record is readable.
    ///
    /// # Errors
    /// As [`Ledger::init`], and those of [`KeyEncryptionKey::encrypt`].
    pub fn init_encrypted(
        folder: &Path,
        anchors: &Anchors,
        origin: &str,
        log_key: PrivateKey,
        trust_policy: &[Vec<u8>],
        kek: &dyn KeyEncryptionKey,
        now: Timestamp,
    ) -> Result<Self> {
        Self::init_in(Arc::new(FolderStorage::new(folder)), anchors, origin, log_key, trust_policy, Some(kek), now)
    }

    /// As [`Ledger::open`], of an encrypted ledger.
    ///
    /// # Errors
    /// As [`Ledger::open`]; `WRONG_KEY` if it lies under another key, or under none; those of
    /// [`KeyEncryptionKey::decrypt`].
    pub fn open_encrypted(folder: &Path, anchors: &Anchors, pins: &Pins, kek: &dyn KeyEncryptionKey) -> Result<Self> {
        let storage: Arc<dyn Storage> = Arc::new(FolderStorage::new(folder));
        Self::open_in(&storage, anchors, pins, Some(kek))
    }

    /// Whether bodies, attachments and what they are found by are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.layers.are_encrypted()
    }

    /// Name of the key-encryption key, if the ledger is encrypted.
    pub fn key_encryption_key(&self) -> Option<&str> {
        self.layers.keyring().map(|keyring| keyring.kek())
    }

    /// How its entries are labelled.
    pub(crate) fn labels(&self) -> &Labels {
        &self.labels
    }
}

/// Whether a ledger with this word in its configuration is encrypted, in a way known here.
pub(super) fn is_known(format: Option<&str>) -> Result<bool> {
    match format {
        None => Ok(false),
        Some(encryption::FORMAT) => Ok(true),
        Some(other) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the ledger is encrypted as `{}`, expected `{}`; use a newer version",
                other.escape_debug(),
                encryption::FORMAT
            ),
        )),
    }
}
