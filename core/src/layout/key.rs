//! Keys of classic in-toto metadata: securesystemslib's JSON form, and PEM (in-toto specification v1.0 section 4.2).
//!
//! Ed25519, ECDSA on P-256 and P-384, and RSA with PSS or PKCS#1 v1.5. The key id is only what metadata calls a key:
//! two ids of the same key are one signer.

use std::fmt;

use aws_lc_rs::signature::{
    self as aws, ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, ParsedPublicKey, RsaParameters,
    RsaPssSaltLength, VerificationAlgorithm,
};
use pkcs8::SubjectPublicKeyInfoRef;
use pkcs8::der::{Decode, pem};
use serde::Deserialize;
use serde_json::json;

use super::canonical;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::key::{KeyType, PublicKey};
use crate::limits;

/// A public key that signs layouts or links, with the id they know it by.
///
/// ```
/// use sealwright::layout::LayoutKey;
/// let key = LayoutKey::parse(
///     br#"{"keytype": "ed25519", "scheme": "ed25519",
///          "keyval": {"public": "32b2b597295d7a9ef4c5cfd2d588f6b02dc983a58cf5677b1d7d20af82c7e1a2"}}"#,
/// )?;
/// assert_eq!(key.key_id().len(), 64);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone)]
pub struct LayoutKey {
    key_id: String,
    scheme: String,
    identity: Digest,
    /// More than one for RSA-PSS, whose salt may have two lengths.
    parsed: Vec<ParsedPublicKey>,
}

#[derive(Deserialize)]
pub(super) struct KeyWire {
    keyid: Option<String>,
    keytype: Option<String>,
    scheme: Option<String>,
    /// An object of its own kind for each type of key.
    keyval: Option<Value>,
    /// Only OpenPGP keys have it.
    method: Option<String>,
}

// written `const` so that they live as long as the program
const PSS_256_MAX: RsaParameters = aws::RSA_PSS_2048_8192_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
const PSS_384_MAX: RsaParameters = aws::RSA_PSS_2048_8192_SHA384.with_pss_salt_length(RsaPssSaltLength::Max);
const PSS_512_MAX: RsaParameters = aws::RSA_PSS_2048_8192_SHA512.with_pss_salt_length(RsaPssSaltLength::Max);

impl LayoutKey {
    /// Reads a `PUBLIC KEY` PEM file, or a key in securesystemslib's JSON form. A PEM file says no scheme, so RSA is
    /// taken as `rsassa-pss-sha256`, as the in-toto tools do.
    ///
    /// # Errors
    /// `MALFORMED` if it is neither, `UNSUPPORTED` for another type of key or an OpenPGP key, `LIMIT_EXCEEDED` if it is
    /// too long.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > limits::KEY_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the key has {} bytes, over {}; give a key file", bytes.len(), limits::KEY_BYTES),
            ));
        }
        if bytes.trim_ascii_start().starts_with(b"-----BEGIN ") {
            Self::from_pem(bytes)
        } else {
            Self::from_json(bytes)
        }
    }

    /// What metadata calls the key. Of a PEM file the SHA-256 that securesystemslib computes.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// How it signs, such as `ed25519` or `rsassa-pss-sha256`.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// SHA-256 over type and bytes of the key: the same for one key under two ids or two schemes.
    pub(super) fn identity(&self) -> &Digest {
        &self.identity
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.iter().any(|key| key.verify_sig(message, signature).is_ok())
    }

    /// Makes the key that a layout lists under `key_id`.
    pub(super) fn listed(key_id: &str, wire: &KeyWire) -> Result<Self> {
        if wire.keyid.as_deref().is_some_and(|own| own != key_id) {
            return Err(malformed(format!("the key listed as `{key_id}` calls itself by another id")));
        }
        Self::from_wire(wire, Some(key_id))
    }

    fn from_json(bytes: &[u8]) -> Result<Self> {
        let wire: KeyWire = json::parse("key", bytes)?;
        Self::from_wire(&wire, wire.keyid.as_deref())
    }

    fn from_pem(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("expected a PEM file, found binary data"))?;
        let der = spki_of_pem(text)?;
        let (keytype, scheme) = match algorithm(&der)? {
            Algorithm::Ed25519 => ("ed25519", "ed25519"),
            Algorithm::P256 => ("ecdsa", "ecdsa-sha2-nistp256"),
            Algorithm::P384 => ("ecdsa", "ecdsa-sha2-nistp384"),
            Algorithm::Rsa => ("rsa", "rsassa-pss-sha256"),
        };
        let public = if keytype == "ed25519" {
            hex::encode(PublicKey::from_spki_der(&der)?.raw())
        } else {
            format!("{}\n", text.trim())
        };
        let wire = KeyWire {
            keyid: None,
            keytype: Some(keytype.to_owned()),
            scheme: Some(scheme.to_owned()),
            keyval: Some(json!({ "public": public })),
            method: None,
        };
        Self::from_wire(&wire, None)
    }

    fn from_wire(wire: &KeyWire, key_id: Option<&str>) -> Result<Self> {
        if wire.method.as_deref().is_some_and(|m| m.starts_with("pgp+")) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "an OpenPGP key stands in the layout, which is not read; list an Ed25519, ECDSA or RSA key instead",
            ));
        }
        let public = wire.keyval.as_ref().and_then(|value| value.get("public")).and_then(Value::as_str);
        let (Some(keytype), Some(scheme), Some(public)) = (&wire.keytype, &wire.scheme, public) else {
            return Err(malformed("a key needs `keytype`, `scheme` and the text `public` in `keyval`"));
        };
        let (identity, parsed) = match (keytype.as_str(), scheme.as_str()) {
            ("ed25519", "ed25519") => {
                let raw =
                    hex::decode(public).map_err(|e| malformed("the Ed25519 key is not written in hex").caused_by(e))?;
                // refuses points of small order
                let key = PublicKey::from_raw(KeyType::Ed25519, &raw)?;
                (identity("ed25519", key.raw()), vec![parse(&ED25519, key.raw())?])
            }
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
                let key = PublicKey::from_spki_der(&spki_of_pem(public)?)?;
                if key.key_type() != KeyType::P256 {
                    return Err(malformed(format!("a key of scheme `{scheme}` holds a key of another type")));
                }
                (identity("p256", key.raw()), vec![parse(&ECDSA_P256_SHA256_ASN1, key.raw())?])
            }
            ("ecdsa" | "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384") => {
                let der = spki_of_pem(public)?;
                let raw = raw_key(&der, Algorithm::P384, scheme)?;
                // one encoding for one key: the uncompressed point
                if raw.first() != Some(&4) {
                    return Err(malformed("a P-384 key must be an uncompressed point"));
                }
                (identity("p384", raw), vec![parse(&ECDSA_P384_SHA384_ASN1, raw)?])
            }
            ("rsa", scheme) => {
                let der = spki_of_pem(public)?;
                let raw = raw_key(&der, Algorithm::Rsa, scheme)?;
                let parsed = rsa(scheme)?.into_iter().map(|a| parse(a, raw)).collect::<Result<_>>()?;
                (identity("rsa", raw), parsed)
            }
            (keytype, scheme) => return Err(unsupported(keytype, scheme)),
        };
        let key_id = match key_id {
            Some(id) => id.to_owned(),
            None => computed_id(keytype, scheme, public)?,
        };
        Ok(Self { key_id, scheme: scheme.clone(), identity, parsed })
    }
}

impl fmt::Debug for LayoutKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LayoutKey({} {})", self.scheme, self.key_id)
    }
}

/// The key id of securesystemslib: SHA-256 over the canonical JSON of the key.
fn computed_id(keytype: &str, scheme: &str, public: &str) -> Result<String> {
    let value: Value = json!({ "keytype": keytype, "scheme": scheme, "keyval": { "public": public } });
    Ok(Digest::sha256(&canonical::encode(&value)?).hex())
}

/// Salts as long as the hash (all in-toto tools), or as long as fits (OpenSSL's default).
fn rsa(scheme: &str) -> Result<Vec<&'static dyn VerificationAlgorithm>> {
    Ok(match scheme {
        "rsassa-pss-sha256" => vec![&aws::RSA_PSS_2048_8192_SHA256, &PSS_256_MAX],
        "rsassa-pss-sha384" => vec![&aws::RSA_PSS_2048_8192_SHA384, &PSS_384_MAX],
        "rsassa-pss-sha512" => vec![&aws::RSA_PSS_2048_8192_SHA512, &PSS_512_MAX],
        "rsa-pkcs1v15-sha256" => vec![&aws::RSA_PKCS1_2048_8192_SHA256],
        "rsa-pkcs1v15-sha384" => vec![&aws::RSA_PKCS1_2048_8192_SHA384],
        "rsa-pkcs1v15-sha512" => vec![&aws::RSA_PKCS1_2048_8192_SHA512],
        other => return Err(unsupported("rsa", other)),
    })
}

fn parse(algorithm: &'static dyn VerificationAlgorithm, raw: &[u8]) -> Result<ParsedPublicKey> {
    ParsedPublicKey::new(algorithm, raw).map_err(|e| {
        malformed("the public key is not one of its type, or an RSA key under 2048 bits; make a new one").caused_by(e)
    })
}

fn identity(kind: &str, raw: &[u8]) -> Digest {
    Digest::sha256(&[kind.as_bytes(), b"\0", raw].concat())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Ed25519,
    P256,
    P384,
    Rsa,
}

fn algorithm(spki: &[u8]) -> Result<Algorithm> {
    let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(no_spki)?;
    let curve = info.algorithm.parameters_oid().ok().map(|oid| oid.to_string());
    match (info.algorithm.oid.to_string().as_str(), curve.as_deref()) {
        ("1.3.101.112", None) => Ok(Algorithm::Ed25519),
        ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")) => Ok(Algorithm::P256),
        ("1.2.840.10045.2.1", Some("1.3.132.0.34")) => Ok(Algorithm::P384),
        ("1.2.840.113549.1.1.1", _) => Ok(Algorithm::Rsa),
        (oid, _) => Err(unsupported(oid, "unknown")),
    }
}

/// The key within its SubjectPublicKeyInfo, read strictly, so that one key has one form.
fn raw_key<'a>(spki: &'a [u8], expected: Algorithm, scheme: &str) -> Result<&'a [u8]> {
    if algorithm(spki)? != expected {
        return Err(malformed(format!("a key of scheme `{scheme}` holds a key of another type")));
    }
    let info = SubjectPublicKeyInfoRef::from_der(spki).map_err(no_spki)?;
    info.subject_public_key.as_bytes().ok_or_else(|| malformed("the public key is not whole bytes"))
}

fn spki_of_pem(text: &str) -> Result<Vec<u8>> {
    let (label, der) = pem::decode_vec(text.trim().as_bytes()).map_err(|e| {
        malformed("expected a public key as one PEM block, found something else; write it with `openssl pkey -pubout`")
            .caused_by(e)
    })?;
    if label != "PUBLIC KEY" {
        return Err(malformed(format!(
            "expected a PEM block of type `PUBLIC KEY`, found `{label}`; `openssl pkey -pubout` writes it"
        )));
    }
    Ok(der)
}

fn no_spki(e: pkcs8::der::Error) -> Error {
    malformed("expected a public key as SubjectPublicKeyInfo, found other bytes").caused_by(e)
}

fn unsupported(keytype: &str, scheme: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the key type `{keytype}` with scheme `{scheme}` is not known; use ed25519, ecdsa-sha2-nistp256, \
             ecdsa-sha2-nistp384 or rsassa-pss-sha256"
        ),
    )
    .with("found", scheme)
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Malformed, message)
}
