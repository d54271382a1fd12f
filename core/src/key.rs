//! Keys of P-256, P-384, Ed25519 and RSA: key files, signing, verifying.
//!
//! Private keys are read from PKCS#8, encrypted PKCS#8 (PBES2), SEC1 and cosign's key files, and written as PKCS#8 or for
//! cosign. Public keys are read from PEM, SubjectPublicKeyInfo and JWK, and have one canonical encoding, so that one key
//! has one [`PublicKey::id`]. RSA keys only verify. All signature arithmetic is aws-lc's.

mod algorithm;
mod cosign;
mod elliptic;
mod encrypted;
mod file;
mod jwk;
mod pem;
mod private;
mod public;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

pub(crate) use self::encrypted::check_scrypt;
pub(crate) use self::file::write_secret;
pub use self::file::{read_private, read_public, write_private, write_private_as};
pub(crate) use self::pem::certificate_pem;
pub use self::private::PrivateKey;
pub(crate) use self::private::not_empty;
pub use self::public::PublicKey;
pub(crate) use self::public::is_small_order;
use crate::digest::Algorithm;
use crate::error::{Error, ErrorKind, Result};

/// The kinds of key this library signs and verifies with, each with its one signature algorithm and hash, as in
/// Sigstore's algorithm registry.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// ECDSA on NIST P-256 over SHA-256, signatures in ASN.1 DER (`PKIX_ECDSA_P256_SHA_256`).
    P256,
    /// ECDSA on NIST P-384 over SHA-384, signatures in ASN.1 DER (`PKIX_ECDSA_P384_SHA_384`).
    P384,
    /// Pure Ed25519, RFC 8032 (`PKIX_ED25519`).
    Ed25519,
    /// RSA of 2048 to 4096 bits over SHA-256, PKCS#1 v1.5 or PSS with a salt of 32 bytes (`PKIX_RSA_PKCS1V15_*` and
    /// `PKIX_RSA_PSS_*`): the key does not say which. Only verified, never signed with.
    Rsa,
}

/// How a private key lies in a file.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyFormat {
    /// PKCS#8, in PBES2 if there is a passphrase: what `openssl` and most tools read.
    #[default]
    Pkcs8,
    /// What `cosign` reads; always encrypted.
    Cosign,
}

impl KeyType {
    const ALL: [Self; 4] = [Self::P256, Self::P384, Self::Ed25519, Self::Rsa];

    /// `p256`, `p384`, `ed25519` or `rsa`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        }
    }

    /// The hash of a message that is signed in its place, or none where the message itself is (Ed25519). A signer of a
    /// type that has one needs to see nothing but the digest.
    pub const fn prehash(self) -> Option<Algorithm> {
        match self {
            Self::P256 | Self::Rsa => Some(Algorithm::Sha256),
            Self::P384 => Some(Algorithm::Sha384),
            Self::Ed25519 => None,
        }
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeyType {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("the key type `{}` is not known; use `p256`, `p384` or `ed25519`", name.escape_debug()),
            )
        })
    }
}

impl FromStr for KeyFormat {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "pkcs8" => Ok(Self::Pkcs8),
            "cosign" => Ok(Self::Cosign),
            _ => Err(Error::new(
                ErrorKind::Unsupported,
                format!("the key format `{}` is not known; use `pkcs8` or `cosign`", name.escape_debug()),
            )),
        }
    }
}
