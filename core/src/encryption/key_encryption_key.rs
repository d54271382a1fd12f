//! The key that all others lie under, kept apart from the ledger.

use zeroize::Zeroizing;

use crate::error::Result;

/// Encrypts and opens the root of a ledger's keyring, wherever the key is. [`open_key_encryption_key`] opens one by its
/// reference.
///
/// [`open_key_encryption_key`]: super::open_key_encryption_key
pub trait KeyEncryptionKey: Send + Sync {
    /// What names the key in the keyring, such as an ARN; no secret. A ledger is opened by the key of this name alone.
    fn id(&self) -> &str;

    /// Encrypts `secret` (32 bytes); `context` (the origin of the ledger) is not secret and must be the same again on
    /// opening, where the key's holder can bind it.
    ///
    /// # Errors
    /// Those of whoever holds the key: `SIGNER_FAILED`, `SERVICE_UNAVAILABLE`, `INTERNAL`.
    fn encrypt(&self, secret: &[u8], context: &str) -> Result<Vec<u8>>;

    /// Opens what [`KeyEncryptionKey::encrypt`] gave.
    ///
    /// # Errors
    /// `WRONG_KEY` if it does not open it, and those of whoever holds the key.
    fn decrypt(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>>;
}

impl<K: KeyEncryptionKey + ?Sized> KeyEncryptionKey for Box<K> {
    fn id(&self) -> &str {
        (**self).id()
    }

    fn encrypt(&self, secret: &[u8], context: &str) -> Result<Vec<u8>> {
        (**self).encrypt(secret, context)
    }

    fn decrypt(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>> {
        (**self).decrypt(sealed, context)
    }
}
