//! Keys of authorities, logs and certificates: more kinds and digests than the keys we sign with.

use std::fmt;

use aws_lc_rs::digest as aws;
use aws_lc_rs::signature::{self as lc, ParsedPublicKey, VerificationAlgorithm};
use pkcs8::der::Decode;
use pkcs8::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, is_small_order};

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// What kind of key it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    P256,
    P384,
    Ed25519,
    /// PKCS#1 v1.5, 2048 to 8192 bits.
    Rsa,
}

/// A key that verifies, with its usual digest parsed in advance.
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    family: Family,
    raw: Vec<u8>,
    usual: ParsedPublicKey,
}

impl VerifyingKey {
    /// Reads a DER SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// `MALFORMED` if it is none, `UNSUPPORTED` for a kind of key that is not known.
    pub(crate) fn from_spki(der: &[u8]) -> Result<Self> {
        let (family, raw) = parts(der)?;
        Self::from_raw(family, raw)
    }

    /// A key of its raw bytes: an uncompressed point, 32 bytes of Ed25519, or a PKCS#1 RSAPublicKey.
    ///
    /// # Errors
    /// `MALFORMED` if they are no such key.
    pub(crate) fn from_raw(family: Family, raw: &[u8]) -> Result<Self> {
        let bad = || Error::new(ErrorKind::Malformed, "the public key is no point of its curve, or damaged");
        let point = matches!(family, Family::P256 | Family::P384);
        if point && raw.first() != Some(&4) {
            return Err(bad());
        }
        // under a point of small order anyone can sign
        if family == Family::Ed25519 && is_small_order(raw) {
            return Err(bad());
        }
        let algorithm = algorithm(family, family.usual_digest()).ok_or_else(bad)?;
        let usual = ParsedPublicKey::new(algorithm, raw).map_err(|_| bad())?;
        Ok(Self { family, raw: raw.to_vec(), usual })
    }

    pub(crate) fn family(&self) -> Family {
        self.family
    }

    /// Whether `signature` is one over `message`, hashed as usual for the key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.usual.verify_sig(message, signature).is_ok()
    }

    /// Whether `signature` is one over `message`, hashed with `digest`; what hashes by itself does so in any case.
    pub(crate) fn verifies_with(&self, digest: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if digest == self.family.usual_digest() || self.family.hashes_by_itself() {
            return self.verifies(message, signature);
        }
        self.parsed_for(digest).is_some_and(|key| key.verify_sig(message, signature).is_ok())
    }

    /// Whether `signature` is one over what has this digest. Ed25519 has no such signatures.
    pub(crate) fn verifies_digest(&self, digest: &Digest, signature: &[u8]) -> bool {
        if self.family.hashes_by_itself() {
            return false;
        }
        let imported = match digest.algorithm() {
            Algorithm::Sha256 => aws::Digest::import_less_safe(digest.bytes(), &aws::SHA256),
            Algorithm::Sha384 => aws::Digest::import_less_safe(digest.bytes(), &aws::SHA384),
            Algorithm::Sha512 => aws::Digest::import_less_safe(digest.bytes(), &aws::SHA512),
            _ => return false,
        };
        let Ok(imported) = imported else { return false };
        if digest.algorithm() == self.family.usual_digest() {
            return self.usual.verify_digest_sig(&imported, signature).is_ok();
        }
        self.parsed_for(digest.algorithm()).is_some_and(|key| key.verify_digest_sig(&imported, signature).is_ok())
    }

    fn parsed_for(&self, digest: Algorithm) -> Option<ParsedPublicKey> {
        ParsedPublicKey::new(algorithm(self.family, digest)?, &self.raw).ok()
    }
}

/// The kind and the raw bytes of a DER SubjectPublicKeyInfo.
fn parts(der: &[u8]) -> Result<(Family, &[u8])> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|e| {
        Error::new(ErrorKind::Malformed, "expected a public key in DER, found other bytes").caused_by(e)
    })?;
    let raw = info
        .subject_public_key
        .as_bytes()
        .ok_or_else(|| Error::new(ErrorKind::Malformed, "the public key is no whole number of bytes"))?;
    let curve = info.algorithm.parameters_oid().ok();
    let plain = info.algorithm.parameters.is_none();
    let family = match (info.algorithm.oid, curve) {
        (EC, Some(P256)) => Family::P256,
        (EC, Some(P384)) => Family::P384,
        (ED25519, None) if plain => Family::Ed25519,
        (RSA, None) if info.algorithm.parameters.is_none_or(|p| p.is_null()) => Family::Rsa,
        (oid, _) => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("a public key of type `{oid}` is not supported; use P-256, P-384, Ed25519 or RSA"),
            )
            .with("found", oid));
        }
    };
    Ok((family, raw))
}

impl Family {
    /// The kind of key in a DER SubjectPublicKeyInfo, without reading the key itself.
    ///
    /// # Errors
    /// As [`VerifyingKey::from_spki`].
    pub(crate) fn of_spki(der: &[u8]) -> Result<Self> {
        parts(der).map(|(family, _)| family)
    }

    /// Whether a signature is over the message itself, so that nobody else may hash it.
    pub(crate) fn hashes_by_itself(self) -> bool {
        self == Self::Ed25519
    }

    /// What such a key is called among those that we sign with.
    pub(crate) fn key_type(self) -> KeyType {
        match self {
            Self::P256 => KeyType::P256,
            Self::P384 => KeyType::P384,
            Self::Ed25519 => KeyType::Ed25519,
            Self::Rsa => KeyType::Rsa,
        }
    }

    /// The digest that its signatures are over if nothing says otherwise. Ed25519 hashes by itself.
    pub(crate) fn usual_digest(self) -> Algorithm {
        match self {
            Self::P256 | Self::Rsa => Algorithm::Sha256,
            Self::P384 => Algorithm::Sha384,
            Self::Ed25519 => Algorithm::Sha512,
        }
    }
}

fn algorithm(family: Family, digest: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match (family, digest) {
        (Family::P256, Algorithm::Sha256) => &lc::ECDSA_P256_SHA256_ASN1,
        (Family::P256, Algorithm::Sha384) => &lc::ECDSA_P256_SHA384_ASN1,
        (Family::P384, Algorithm::Sha256) => &lc::ECDSA_P384_SHA256_ASN1,
        (Family::P384, Algorithm::Sha384) => &lc::ECDSA_P384_SHA384_ASN1,
        (Family::Ed25519, Algorithm::Sha512) => &lc::ED25519,
        (Family::Rsa, Algorithm::Sha256) => &lc::RSA_PKCS1_2048_8192_SHA256,
        (Family::Rsa, Algorithm::Sha384) => &lc::RSA_PKCS1_2048_8192_SHA384,
        (Family::Rsa, Algorithm::Sha512) => &lc::RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    })
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({:?})", self.family)
    }
}
