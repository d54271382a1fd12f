//! PKCS#8 under a passphrase: PBES2 (RFC 8018).

use pkcs8::der::{self, Decode};
use pkcs8::pkcs5::{self, EncryptionScheme, pbes2};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};

use super::private::{damaged, internal};
use crate::error::{Error, ErrorKind, Result};
use crate::random;

// scrypt: the strongest of the OWASP choices of equal cost that stays under the 32 MiB which OpenSSL 3 grants itself
const SCRYPT_N: u64 = 1 << 14;
const SCRYPT_R: u16 = 8;
const SCRYPT_P: u16 = 5;
/// Most memory that a key file may ask scrypt for, in bytes.
const SCRYPT_BYTES: u64 = 256 * 1024 * 1024;
/// Most work that a key file may ask scrypt for, as memory passed over, in bytes.
const SCRYPT_WORK: u64 = 4 * SCRYPT_BYTES;
/// Most rounds that a key file may ask PBKDF2 for.
const PBKDF2_ROUNDS: u32 = 10_000_000;

/// Encrypts PKCS#8 with scrypt and AES-256-CBC.
pub(super) fn encrypt(pkcs8: &[u8], passphrase: &str) -> Result<SecretDocument> {
    let (mut salt, mut iv) = ([0u8; 16], [0u8; 16]);
    random::fill(&mut salt)?;
    random::fill(&mut iv)?;
    let failed = |e: pkcs8::Error| internal("encrypt the key").caused_by(e);
    let kdf = pbes2::ScryptParams {
        salt: pbes2::Salt::new(salt).map_err(|e| failed(e.into()))?,
        cost_parameter: SCRYPT_N,
        block_size: SCRYPT_R,
        parallelization: SCRYPT_P,
        key_length: None,
    };
    let params =
        pbes2::Parameters { kdf: pbes2::Kdf::Scrypt(kdf), encryption: pbes2::EncryptionScheme::Aes256Cbc { iv } };
    let info = PrivateKeyInfoRef::from_der(pkcs8).map_err(|e| failed(e.into()))?;
    info.encrypt_with_params(params, passphrase).map_err(failed)
}

/// Opens encrypted PKCS#8.
pub(super) fn decrypt(der: &[u8], passphrase: Option<&str>) -> Result<SecretDocument> {
    let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|e| match e.kind() {
        der::ErrorKind::OidUnknown { .. } | der::ErrorKind::OidMalformed => other_encryption(),
        _ => damaged(e),
    })?;
    check_cost(&info.encryption_algorithm)?;
    let opened: SecretDocument = info.decrypt(given(passphrase)?).map_err(|e| match e {
        pkcs8::Error::EncryptedPrivateKey(
            pkcs5::Error::UnsupportedAlgorithm { .. } | pkcs5::Error::NoPbes1CryptSupport,
        ) => other_encryption(),
        _ => wrong_passphrase(),
    })?;
    // a wrong passphrase can give well-padded nonsense, once in 256 times
    PrivateKeyInfoRef::from_der(opened.as_bytes()).map_err(|_| wrong_passphrase())?;
    Ok(opened)
}

/// The passphrase of an encrypted key.
pub(super) fn given(passphrase: Option<&str>) -> Result<&str> {
    passphrase.ok_or_else(|| {
        Error::new(ErrorKind::WrongPassphrase, "the key is encrypted and no passphrase was given; give it one")
    })
}

pub(super) fn wrong_passphrase() -> Error {
    Error::new(
        ErrorKind::WrongPassphrase,
        "the passphrase does not open this key; check it, and that it is the key you mean",
    )
}

/// Refuses scrypt parameters that would take minutes or the machine's memory.
pub(crate) fn check_scrypt(n: u64, r: u64, p: u64) -> Result<()> {
    let memory = n.saturating_mul(r).saturating_mul(128);
    if memory <= SCRYPT_BYTES && memory.saturating_mul(p) <= SCRYPT_WORK { Ok(()) } else { Err(too_dear()) }
}

fn check_cost(scheme: &EncryptionScheme) -> Result<()> {
    let Some(params) = scheme.pbes2() else { return Err(other_encryption()) };
    match &params.kdf {
        pbes2::Kdf::Pbkdf2(pbkdf2) if pbkdf2.iteration_count <= PBKDF2_ROUNDS => Ok(()),
        pbes2::Kdf::Pbkdf2(_) => Err(too_dear()),
        pbes2::Kdf::Scrypt(scrypt) => {
            check_scrypt(scrypt.cost_parameter, scrypt.block_size.into(), scrypt.parallelization.into())
        }
        _ => Err(other_encryption()),
    }
}

fn too_dear() -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        "opening this key would cost more time or memory than allowed; `openssl pkcs8 -topk8 -scrypt` rewrites it cheaper",
    )
}

fn other_encryption() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "expected a key under PBES2 with scrypt or PBKDF2 and AES, found another encryption; \
         `openssl pkcs8 -topk8 -scrypt` rewrites it",
    )
}
