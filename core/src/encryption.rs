//! Encryption at rest: an envelope around each body and attachment of a ledger, and the keys that open it.
//!
//! Each object has a data key of its own, and lies in chunks under AES-256-GCM. The data key is wrapped by a key of the
//! ledger's [`Keyring`], and the keyring's root by a [`KeyEncryptionKey`] that is kept elsewhere: in a key file, on a
//! PKCS#11 token, in AWS KMS, in Vault. One question to it opens all. The wrapped data key is the object's header, and
//! lies apart from it, so that a rotation writes headers and nothing else (decision 0022).

#[cfg(feature = "kms")]
mod aws_kms;
mod chunks;
mod header;
mod key_encryption_key;
mod key_file;
mod keyring;
mod open;
#[cfg(feature = "hsm")]
mod pkcs11;
mod tag_key;
#[cfg(feature = "kms")]
mod vault;

use std::io::Read;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

pub(crate) use self::chunks::{Opening, Sealing, read_fault};
pub(crate) use self::header::FORMAT;
pub use self::header::Header;
pub use self::key_encryption_key::KeyEncryptionKey;
pub use self::key_file::KeyFile;
pub use self::keyring::Keyring;
pub use self::open::open_key_encryption_key;
pub(crate) use self::tag_key::TagKey;
use crate::error::{Error, ErrorKind, Result};
use crate::random;

/// Bytes of every key here.
const KEY_LEN: usize = 32;
/// Bytes that AES-GCM adds.
const TAG_LEN: usize = 16;

/// The key of one object.
pub(crate) struct DataKey(Key);

/// 32 bytes that are wiped when dropped.
type Key = Zeroizing<[u8; KEY_LEN]>;

impl DataKey {
    pub(crate) fn generate() -> Result<Self> {
        new_key().map(Self)
    }

    /// Encrypts bytes for the place that `context` names.
    pub(crate) fn seal(&self, context: &[u8], bytes: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(bytes.len() + TAG_LEN * (bytes.len() / chunks::CHUNK + 1));
        self.sealing(context, bytes)?.read_to_end(&mut out).map_err(read_fault)?;
        Ok(out)
    }

    /// Opens what [`DataKey::seal`] gave for the same place. Nothing is given out unless all of it is genuine.
    ///
    /// Fails with `LEDGER_TAMPERED`.
    pub(crate) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(sealed.len());
        self.opening(context, sealed)?.read_to_end(&mut out).map_err(read_fault)?;
        Ok(out)
    }

    /// As [`DataKey::seal`], as a stream.
    pub(crate) fn sealing<R: Read>(&self, context: &[u8], from: R) -> Result<Sealing<R>> {
        Sealing::new(&self.0[..], context, from)
    }

    /// As [`DataKey::open`], as a stream: nothing of it is proven before its end was read.
    pub(crate) fn opening<R: Read>(&self, context: &[u8], from: R) -> Result<Opening<R>> {
        Opening::new(&self.0[..], context, from)
    }
}

/// How many plain bytes an envelope of so many bytes holds.
pub(crate) fn plain_size(sealed: u64) -> u64 {
    let full = (chunks::CHUNK + TAG_LEN) as u64;
    sealed.saturating_sub(sealed.div_ceil(full).max(1) * TAG_LEN as u64)
}

/// The most bytes that an envelope of so many plain bytes has, and some more.
pub(crate) const fn sealed_limit(plain: u64) -> u64 {
    plain + plain / 1024 + 1024
}

fn new_key() -> Result<Key> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    random::fill(key.as_mut())?;
    Ok(key)
}

fn cipher(key: &[u8]) -> Result<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, key);
    key.map(LessSafeKey::new).map_err(|_| Error::new(ErrorKind::Internal, "a key has not 32 bytes; report it"))
}

/// Nonce, ciphertext and tag of a small secret under `key`, bound to `aad`.
fn wrap(key: &[u8], secret: &[u8], aad: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    random::fill(&mut nonce)?;
    let mut sealed = Zeroizing::new(secret.to_vec());
    cipher(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut *sealed)
        .map_err(|_| Error::new(ErrorKind::Internal, "could not encrypt; report it"))?;
    Ok([&nonce[..], &sealed].concat())
}

/// What [`wrap`] wrapped; nothing if it is another key, another place, or was changed.
fn unwrap(key: &[u8], wrapped: &[u8], aad: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Some((nonce, sealed)) = wrapped.split_first_chunk::<NONCE_LEN>() else { return Ok(None) };
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let cipher = cipher(key)?;
    let opened = cipher.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut bytes);
    Ok(opened.ok().map(|opened| Zeroizing::new(opened.to_vec())))
}

fn unwrap_key(key: &[u8], wrapped: &[u8], aad: &[u8]) -> Result<Option<Key>> {
    let opened = unwrap(key, wrapped, aad)?;
    Ok(opened.and_then(|bytes| <[u8; KEY_LEN]>::try_from(bytes.as_slice()).ok()).map(Zeroizing::new))
}

/// The error of a key that does not open what it is given for.
fn wrong_key(why: &str) -> Error {
    Error::new(ErrorKind::WrongKey, format!("{why}; name the key that the ledger was encrypted, or last rotated, with"))
}
