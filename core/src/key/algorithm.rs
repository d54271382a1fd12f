//! What a key is by the object identifiers of its file, and the fixed bytes of its encodings.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use pkcs8::ObjectIdentifier;

use super::KeyType;
use crate::error::{Error, ErrorKind};

impl KeyType {
    /// What stands before the raw key in its SubjectPublicKeyInfo (RFC 5480, RFC 8410); of RSA it depends on the key.
    pub(super) const fn spki_prefix(self) -> &'static [u8] {
        match self {
            Self::P256 => b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
            Self::P384 => b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
            Self::Ed25519 => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
            Self::Rsa => b"",
        }
    }

    /// Bytes of the raw public key; of RSA it depends on the key.
    pub(super) const fn raw_length(self) -> Option<usize> {
        match self {
            Self::P256 => Some(65),
            Self::P384 => Some(97),
            Self::Ed25519 => Some(32),
            Self::Rsa => None,
        }
    }

    pub(super) fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1,
            Self::P384 => &ECDSA_P384_SHA384_ASN1,
            Self::Ed25519 => &ED25519,
            Self::Rsa => &RSA_PKCS1_2048_8192_SHA256,
        }
    }
}

/// The common name of a key's algorithm, for choosing and for errors.
pub(super) fn algorithm_name(algorithm: &pkcs8::AlgorithmIdentifierRef<'_>) -> &'static str {
    match algorithm.oid.to_string().as_str() {
        "1.2.840.10045.2.1" => curve_name(algorithm.parameters_oid().ok()),
        "1.3.101.112" if algorithm.parameters.is_none() => "Ed25519",
        "1.3.101.113" => "Ed448",
        "1.3.101.110" => "X25519",
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.113549.1.1.10" => "RSA-PSS",
        "1.2.840.10040.4.1" => "DSA",
        "2.16.840.1.101.3.4.3.17" | "2.16.840.1.101.3.4.3.18" | "2.16.840.1.101.3.4.3.19" => "ML-DSA",
        _ => "unknown",
    }
}

pub(super) fn curve_name(oid: Option<ObjectIdentifier>) -> &'static str {
    match oid.map(|oid| oid.to_string()).as_deref() {
        Some("1.2.840.10045.3.1.7") => "P-256",
        Some("1.3.132.0.34") => "P-384",
        Some("1.3.132.0.35") => "P-521",
        Some("1.3.132.0.10") => "secp256k1",
        Some(_) => "elliptic-curve (on a rare curve)",
        None => "elliptic-curve (curve not named)",
    }
}

/// The refusal of a public key that can't verify here.
pub(super) fn no_verifier(found: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "expected a P-256, P-384, Ed25519 or RSA key, found one of type `{}`; make a new one with type p256, p384 or \
             ed25519",
            found.escape_debug()
        ),
    )
    .with("found", found.escape_debug())
}

/// The refusal of a private key that can't sign here.
pub(super) fn no_signer(found: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "expected a P-256, P-384 or Ed25519 key, found one of type `{}`; make a new one with type p256, p384 or ed25519",
            found.escape_debug()
        ),
    )
    .with("found", found.escape_debug())
}
