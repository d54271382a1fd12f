//! What lies between a ledger and where it is stored: an archive, then encryption.

use std::fmt;
use std::sync::Arc;

use super::archive::ArchivedStorage;
use super::label::Labels;
use super::sealed::{KEYRING, SealedStorage};
use super::storage::{Right, Storage};
use super::store::Store;
use crate::encryption::{KeyEncryptionKey, Keyring};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The layers of one ledger.
#[derive(Clone)]
pub(crate) struct Layers {
    /// Where it is stored, as it is stored.
    bottom: Arc<dyn Storage>,
    archive: Option<Arc<dyn Storage>>,
    keyring: Option<Arc<Keyring>>,
    /// Whether it is encrypted, and read through a service without its key.
    hidden: bool,
}

impl Layers {
    /// No layers.
    pub(crate) fn plain(bottom: Arc<dyn Storage>) -> Self {
        Self { bottom, archive: None, keyring: None, hidden: false }
    }

    /// New keys for a ledger that is being made.
    pub(crate) fn encrypted(bottom: Arc<dyn Storage>, origin: &str, kek: &dyn KeyEncryptionKey) -> Result<Self> {
        let keyring = Some(Arc::new(Keyring::generate(origin, kek)?));
        Ok(Self { bottom, archive: None, keyring, hidden: false })
    }

    /// The keys of a ledger that is there.
    ///
    /// A service gives what it has in the clear to whoever may read it; there the key shows what entries are about.
    ///
    /// Fails with `WRONG_KEY` if they are needed and not given, or the other way round.
    pub(crate) fn open(
        bottom: Arc<dyn Storage>,
        origin: &str,
        is_encrypted: bool,
        kek: Option<&dyn KeyEncryptionKey>,
    ) -> Result<Self> {
        let hidden = is_encrypted && kek.is_none() && bottom.service().is_some();
        let keyring = match (is_encrypted, kek) {
            _ if hidden => None,
            (false, None) => None,
            (true, Some(kek)) => Some(Arc::new(read_keyring(bottom.as_ref(), origin, kek)?)),
            (true, None) => {
                return Err(Error::new(
                    ErrorKind::WrongKey,
                    format!(
                        "the ledger `{origin}` is encrypted and no key was given; name the one it is encrypted with"
                    ),
                ));
            }
            // whoever has a key for it expects that nobody reads along
            (false, Some(_)) => {
                return Err(Error::new(
                    ErrorKind::WrongKey,
                    format!(
                        "the ledger `{origin}` is not encrypted, and a key for it was given; find out whether it was put in \
                         the place of an encrypted one, or leave the key out"
                    ),
                ));
            }
        };
        Ok(Self { bottom, archive: None, keyring, hidden })
    }

    pub(crate) fn with_archive(mut self, archive: Arc<dyn Storage>) -> Self {
        self.archive = Some(archive);
        self
    }

    pub(crate) fn with_keyring(mut self, keyring: Arc<Keyring>) -> Self {
        self.keyring = Some(keyring);
        self
    }

    /// The ledger's objects, seen through all layers.
    pub(crate) fn store(&self) -> Store {
        match self.sealed() {
            None => Store::new(self.stored()),
            Some(sealed) => Store::new(Arc::new(sealed)),
        }
    }

    /// The encrypting layer, if there is one.
    pub(crate) fn sealed(&self) -> Option<SealedStorage> {
        let keyring = self.keyring.as_ref().filter(|_| self.bottom.service().is_none())?;
        Some(SealedStorage::new(self.stored(), Arc::clone(keyring)))
    }

    /// Everything below encryption: what lies here or in the archive, as it is stored.
    pub(crate) fn stored(&self) -> Arc<dyn Storage> {
        match &self.archive {
            None => Arc::clone(&self.bottom),
            Some(archive) => Arc::new(ArchivedStorage::new(Arc::clone(&self.bottom), Arc::clone(archive))),
        }
    }

    /// Where it is stored, without what is archived.
    pub(crate) fn bottom(&self) -> &Arc<dyn Storage> {
        &self.bottom
    }

    pub(crate) fn archive(&self) -> Option<&Arc<dyn Storage>> {
        self.archive.as_ref()
    }

    pub(crate) fn keyring(&self) -> Option<&Arc<Keyring>> {
        self.keyring.as_ref()
    }

    pub(crate) fn labels(&self) -> Labels {
        match &self.keyring {
            Some(keyring) => Labels::Keyed(Arc::clone(keyring.tag_key())),
            None if self.hidden => Labels::Hidden,
            None => Labels::Plain,
        }
    }

    /// Whether it is encrypted where it lies.
    pub(crate) fn are_encrypted(&self) -> bool {
        self.hidden || self.keyring.is_some()
    }

    /// Writes the keyring of a ledger that is being made.
    pub(crate) fn write_keyring(&self, right: &mut dyn Right) -> Result<()> {
        match &self.keyring {
            Some(keyring) => right.write(KEYRING, &keyring.to_bytes()?),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layers").field("keyring", &self.keyring).finish_non_exhaustive()
    }
}

fn read_keyring(storage: &dyn Storage, origin: &str, kek: &dyn KeyEncryptionKey) -> Result<Keyring> {
    let lost = |e: Error, what: &str| {
        Error::new(
            ErrorKind::LedgerTampered,
            format!(
                "the keyring of the ledger {what}: {}; without it nothing can be read, restore it from a copy",
                e.message()
            ),
        )
        .caused_by(e)
    };
    let bytes = storage.read(KEYRING, limits::KEYRING_FILE_BYTES as u64).map_err(|e| match e.kind() {
        ErrorKind::NotFound => lost(e, "is missing"),
        _ => e,
    })?;
    Keyring::open(&bytes, origin, kek).map_err(|e| match e.kind() {
        ErrorKind::Malformed | ErrorKind::LimitExceeded => lost(e, "is not as it was written"),
        _ => e,
    })
}
