//! Keys of P-256 and Ed25519: key files, signing, verifying.
//!
//! Private keys are read from PKCS#8, encrypted PKCS#8 (PBES2) and SEC1, and written as PKCS#8. Public keys are read and
//! written as SubjectPublicKeyInfo in its one canonical encoding, so that one key has one [`PublicKey::id`].
//! All signature arithmetic is aws-lc's.

mod file;
mod pem;
mod private;

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ED25519, ParsedPublicKey, VerificationAlgorithm};
use pkcs8::der::Decode;
use pkcs8::{ObjectIdentifier, SubjectPublicKeyInfoRef};

use serde::Serialize;

pub use self::file::{read_private, read_public, write_private};
pub use self::private::PrivateKey;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};

/// The kinds of key this library signs and verifies with.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// ECDSA on NIST P-256 over SHA-256, signatures in ASN.1 DER.
    P256,
    /// Pure Ed25519 (RFC 8032).
    Ed25519,
}

impl KeyType {
    /// `p256` or `ed25519`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::Ed25519 => "ed25519",
        }
    }

    /// What stands before the raw key in its SubjectPublicKeyInfo (RFC 5480, RFC 8410).
    const fn spki_prefix(self) -> &'static [u8] {
        match self {
            Self::P256 => b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
            Self::Ed25519 => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
        }
    }

    const fn raw_length(self) -> usize {
        match self {
            Self::P256 => 65,
            Self::Ed25519 => 32,
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_ASN1,
            Self::Ed25519 => &ED25519,
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
        [Self::P256, Self::Ed25519].into_iter().find(|t| t.name() == name).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("the key type `{}` is not known; use `p256` or `ed25519`", name.escape_debug()),
            )
        })
    }
}

/// A public key that can verify.
///
/// ```
/// use sealwright::key::{KeyType, PrivateKey, PublicKey};
/// let key = PrivateKey::generate(KeyType::Ed25519)?;
/// let signature = key.sign(b"text")?;
/// let public = PublicKey::from_pem(key.public().to_pem().as_bytes())?;
/// public.verify(b"text", &signature)?;
/// assert_eq!(public.verify(b"test", &signature).unwrap_err().code(), "BAD_SIGNATURE");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone)]
pub struct PublicKey {
    key_type: KeyType,
    spki: Vec<u8>,
    parsed: ParsedPublicKey,
}

impl PublicKey {
    /// Reads a `PUBLIC KEY` PEM file (RFC 7468) of exactly one block.
    ///
    /// # Errors
    /// `MALFORMED` if it is something else, `UNSUPPORTED` if it is a key of another type.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let block = pem::read("public key", pem)?;
        match block.label.as_str() {
            "PUBLIC KEY" => Self::from_spki_der(&block.der),
            "RSA PUBLIC KEY" => Err(other_type("RSA")),
            label if label.ends_with("PRIVATE KEY") => Err(Error::new(
                ErrorKind::Malformed,
                "expected a public key, found a private key; give its public half, and keep this file to yourself",
            )),
            "CERTIFICATE" => Err(Error::new(
                ErrorKind::Malformed,
                "expected a public key, found a certificate; `openssl x509 -noout -pubkey` writes its key",
            )),
            label => Err(pem::unknown_label("`PUBLIC KEY`", label)),
        }
    }

    /// Reads a DER SubjectPublicKeyInfo: for P-256 with an uncompressed point on the curve, for Ed25519 with a point that
    /// is not of small order (to which anyone can sign).
    ///
    /// # Errors
    /// `MALFORMED` if it is none in canonical encoding, `UNSUPPORTED` if it is a key of another type.
    pub fn from_spki_der(der: &[u8]) -> Result<Self> {
        for key_type in [KeyType::P256, KeyType::Ed25519] {
            if let Some(raw) = der.strip_prefix(key_type.spki_prefix())
                && raw.len() == key_type.raw_length()
            {
                return Self::from_raw(key_type, raw);
            }
        }
        Err(why_not(der))
    }

    /// Makes a key of its raw bytes: of P-256 the uncompressed point (65 bytes), of Ed25519 the 32 bytes of RFC 8032.
    ///
    /// # Errors
    /// `MALFORMED` if they are no such key.
    pub fn from_raw(key_type: KeyType, raw: &[u8]) -> Result<Self> {
        let bad = |what: &str| Error::new(ErrorKind::Malformed, format!("this {key_type} public key is {what}"));
        if raw.len() != key_type.raw_length() {
            return Err(bad(&format!("{} bytes long; expected {}", raw.len(), key_type.raw_length())));
        }
        if key_type == KeyType::P256 && raw.first() != Some(&4) {
            return Err(bad("no uncompressed point; it is damaged"));
        }
        if key_type == KeyType::Ed25519 && is_small_order(raw) {
            return Err(bad("a point of small order, under which anyone can sign; make a new key"));
        }
        let parsed = ParsedPublicKey::new(key_type.verification(), raw)
            .map_err(|_| bad("no point of the curve; the key file is damaged or forged"))?;
        Ok(Self { key_type, spki: [key_type.spki_prefix(), raw].concat(), parsed })
    }

    /// The key as a `PUBLIC KEY` PEM file.
    pub fn to_pem(&self) -> String {
        // encoding fails only for sizes that no key has
        pem::write("PUBLIC KEY", &self.spki).unwrap_or_default()
    }

    /// The key as a DER SubjectPublicKeyInfo.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The type of the key.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// What the key is called everywhere: the lower-case hex SHA-256 of its SubjectPublicKeyInfo.
    pub fn id(&self) -> String {
        Digest::sha256(&self.spki).hex()
    }

    /// The raw bytes: of P-256 the uncompressed point (65 bytes), of Ed25519 the 32 bytes of RFC 8032.
    pub fn raw(&self) -> &[u8] {
        self.spki.strip_prefix(self.key_type.spki_prefix()).unwrap_or_default()
    }

    /// Verifies `signature` over `message`: of P-256 ASN.1 DER ECDSA over SHA-256, of Ed25519 64 bytes.
    ///
    /// # Errors
    /// `BAD_SIGNATURE`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        self.parsed.verify_sig(message, signature).map_err(|_| {
            Error::new(
                ErrorKind::BadSignature,
                format!(
                    "the signature is not one of the {} key `{}` over these bytes; they were changed, or another key \
                     signed",
                    self.key_type,
                    self.id()
                ),
            )
            .with("key", self.id())
        })
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.key_type, self.id())
    }
}

/// The encodings of Ed25519 points of order 1, 2, 4 and 8, canonical or not, but for the sign bit.
const SMALL_ORDER: [&str; 7] = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

fn is_small_order(raw: &[u8]) -> bool {
    let mut unsigned = raw.to_vec();
    if let Some(last) = unsigned.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&hex::encode(unsigned).as_str())
}

/// Says what a SubjectPublicKeyInfo is that was not accepted.
fn why_not(der: &[u8]) -> Error {
    match SubjectPublicKeyInfoRef::from_der(der) {
        Err(e) => Error::new(
            ErrorKind::Malformed,
            "expected a public key as DER SubjectPublicKeyInfo, found other bytes; give the file as the key tool wrote it",
        )
        .caused_by(e),
        Ok(info) => match algorithm_name(&info.algorithm) {
            "P-256" => Error::new(
                ErrorKind::Unsupported,
                "expected a P-256 key with an uncompressed point, found another form; \
                 `openssl ec -pubin -conv_form uncompressed` rewrites it",
            ),
            "Ed25519" => {
                Error::new(ErrorKind::Malformed, "this Ed25519 public key has another length than 32 bytes; it is damaged")
            }
            name => other_type(name),
        },
    }
}

/// The common name of a key's algorithm, for choosing and for errors.
fn algorithm_name(algorithm: &pkcs8::AlgorithmIdentifierRef<'_>) -> &'static str {
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

fn curve_name(oid: Option<ObjectIdentifier>) -> &'static str {
    match oid.map(|oid| oid.to_string()).as_deref() {
        Some("1.2.840.10045.3.1.7") => "P-256",
        Some("1.3.132.0.34") => "P-384",
        Some("1.3.132.0.35") => "P-521",
        Some("1.3.132.0.10") => "secp256k1",
        Some(_) => "elliptic-curve (on a rare curve)",
        None => "elliptic-curve (curve not named)",
    }
}

fn other_type(found: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "expected a P-256 or Ed25519 key, found one of type `{found}`; make a new one with type p256 or ed25519"
        ),
    )
    .with("found", found)
}
