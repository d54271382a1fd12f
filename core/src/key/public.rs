//! The public half: what verifies.

use std::fmt;

use aws_lc_rs::digest as hash;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PSS_2048_8192_SHA256};
use pkcs8::der::asn1::{AnyRef, BitStringRef, UintRef};
use pkcs8::der::{self, Decode, Encode, Reader, SliceReader};
use pkcs8::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};

use super::algorithm::{algorithm_name, no_verifier};
use super::{KeyType, jwk, pem};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};

/// A public key that can verify.
///
/// ```
/// use sealwright::key::{KeyType, PrivateKey, PublicKey};
/// let key = PrivateKey::generate(KeyType::P384)?;
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
    /// Where the raw key begins in `spki`.
    raw_at: usize,
    parsed: ParsedPublicKey,
    /// An RSA key again, for the other of its two encodings.
    pss: Option<ParsedPublicKey>,
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
            "RSA PUBLIC KEY" => Self::from_raw(KeyType::Rsa, &block.der),
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

    /// Reads one public key as JSON Web Key (RFC 7517, RFC 7518 section 6, RFC 8037).
    ///
    /// # Errors
    /// `MALFORMED` if it is something else, holds a private key, or is not for signatures; `UNSUPPORTED` if it is a key
    /// of another type.
    pub fn from_jwk(json: &[u8]) -> Result<Self> {
        jwk::read(json)
    }

    /// Reads a DER SubjectPublicKeyInfo: for P-256 and P-384 with an uncompressed point on the curve, for Ed25519 with a
    /// point that is not of small order (to which anyone can sign), for RSA with 2048 to 4096 bits.
    ///
    /// # Errors
    /// `MALFORMED` if it is none in canonical encoding, `UNSUPPORTED` if it is a key of another type.
    pub fn from_spki_der(der: &[u8]) -> Result<Self> {
        for key_type in [KeyType::P256, KeyType::P384, KeyType::Ed25519] {
            if let Some(raw) = der.strip_prefix(key_type.spki_prefix())
                && Some(raw.len()) == key_type.raw_length()
            {
                return Self::from_raw(key_type, raw);
            }
        }
        if let Ok(info) = SubjectPublicKeyInfoRef::from_der(der)
            && algorithm_name(&info.algorithm) == "RSA"
            && let Some(raw) = info.subject_public_key.as_bytes()
        {
            let key = Self::from_raw(KeyType::Rsa, raw)?;
            if key.spki == der {
                return Ok(key);
            }
        }
        Err(why_not(der))
    }

    /// Makes a key of its raw bytes: of P-256 and P-384 the uncompressed point (65 and 97 bytes), of Ed25519 the 32 bytes
    /// of RFC 8032, of RSA the DER `RSAPublicKey` of RFC 8017.
    ///
    /// # Errors
    /// `MALFORMED` if they are no such key, `UNSUPPORTED` for an RSA key of another size.
    pub fn from_raw(key_type: KeyType, raw: &[u8]) -> Result<Self> {
        let bad = |what: &str| Error::new(ErrorKind::Malformed, format!("this {key_type} public key is {what}"));
        if let Some(expected) = key_type.raw_length().filter(|n| *n != raw.len()) {
            return Err(bad(&format!("{} bytes long; expected {expected}", raw.len())));
        }
        let parsed = || ParsedPublicKey::new(key_type.verification(), raw);
        let no_point = |_| bad("no point of the curve; the key file is damaged or forged");
        let mut pss = None;
        let (spki, parsed) = match key_type {
            KeyType::P256 | KeyType::P384 => {
                if raw.first() != Some(&4) {
                    return Err(bad("no uncompressed point; it is damaged"));
                }
                ([key_type.spki_prefix(), raw].concat(), parsed().map_err(no_point)?)
            }
            KeyType::Ed25519 => {
                if is_small_order(raw) {
                    return Err(bad("a point of small order, under which anyone can sign; make a new key"));
                }
                ([key_type.spki_prefix(), raw].concat(), parsed().map_err(no_point)?)
            }
            KeyType::Rsa => {
                let spki = rsa_spki(raw)?;
                let damaged = |_| bad("no usable pair of modulus and exponent; the key file is damaged or forged");
                pss = Some(ParsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, raw).map_err(damaged)?);
                (spki, parsed().map_err(damaged)?)
            }
        };
        let raw_at = spki.len().saturating_sub(raw.len());
        Ok(Self { key_type, spki, raw_at, parsed, pss })
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

    /// The raw bytes, as [`PublicKey::from_raw`] takes them.
    pub fn raw(&self) -> &[u8] {
        self.spki.get(self.raw_at..).unwrap_or_default()
    }

    /// Verifies `signature` over `message` by the algorithm of the [`KeyType`].
    ///
    /// # Errors
    /// `BAD_SIGNATURE`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let mut encodings = [Some(&self.parsed), self.pss.as_ref()].into_iter().flatten();
        if encodings.any(|key| key.verify_sig(message, signature).is_ok()) { Ok(()) } else { Err(self.not_its_own()) }
    }

    /// Verifies `signature` over the message that has this digest, without the message.
    ///
    /// # Errors
    /// `BAD_SIGNATURE`; `UNSUPPORTED` for Ed25519, which signs messages and no digests; `API_MISUSE` for a digest of
    /// another algorithm than [`KeyType::prehash`].
    pub fn verify_digest(&self, digest: &Digest, signature: &[u8]) -> Result<()> {
        let digest = prehashed(self.key_type, digest)?;
        let mut encodings = [Some(&self.parsed), self.pss.as_ref()].into_iter().flatten();
        if encodings.any(|key| key.verify_digest_sig(&digest, signature).is_ok()) {
            Ok(())
        } else {
            Err(self.not_its_own())
        }
    }

    fn not_its_own(&self) -> Error {
        Error::new(
            ErrorKind::BadSignature,
            format!(
                "the signature is not one of the {} key `{}` over these bytes; they were changed, or another key signed",
                self.key_type,
                self.id()
            ),
        )
        .with("key", self.id())
    }
}

/// A digest for the functions that sign and verify digests, if it is of the key type's own hash.
pub(super) fn prehashed(key_type: KeyType, digest: &Digest) -> Result<hash::Digest> {
    let Some(expected) = key_type.prehash() else {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("a key of type {key_type} signs whole messages, not their digests; give the message"),
        ));
    };
    let algorithm = match expected {
        Algorithm::Sha384 => &hash::SHA384,
        _ => &hash::SHA256,
    };
    let imported = hash::Digest::import_less_safe(digest.bytes(), algorithm).ok();
    imported.filter(|_| digest.algorithm() == expected).ok_or_else(|| {
        let found = digest.algorithm().name();
        Error::new(
            ErrorKind::ApiMisuse,
            format!(
                "a key of type {key_type} signs {} digests, found a {found} digest; hash with that",
                expected.name()
            ),
        )
        .with("expected", expected.name())
        .with("found", found)
    })
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

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// The one SubjectPublicKeyInfo of an `RSAPublicKey` (RFC 3279 section 2.3.1).
fn rsa_spki(raw: &[u8]) -> Result<Vec<u8>> {
    let damaged = |e: der::Error| {
        Error::new(ErrorKind::Malformed, "this rsa public key is no modulus with an exponent; it is damaged")
            .caused_by(e)
    };
    let [modulus, _] = rsa_numbers(raw).map_err(damaged)?;
    let leading = modulus.as_bytes().first().map_or(0, |b| b.leading_zeros());
    let bits = u32::try_from(modulus.as_bytes().len()).unwrap_or(u32::MAX).saturating_mul(8).saturating_sub(leading);
    if !RSA_BITS.contains(&bits) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("expected an RSA key of 2048 to 4096 bits, found one of {bits}; make a new key"),
        )
        .with("found", bits));
    }
    let info = SubjectPublicKeyInfoRef {
        algorithm: AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) },
        subject_public_key: BitStringRef::from_bytes(raw).map_err(damaged)?,
    };
    info.to_der().map_err(damaged)
}

/// Modulus and exponent of an `RSAPublicKey` in strict DER (RFC 8017 appendix A.1.1).
fn rsa_numbers(raw: &[u8]) -> der::Result<[UintRef<'_>; 2]> {
    let mut reader = SliceReader::new(raw)?;
    let numbers =
        reader.sequence(|fields| Ok::<_, der::Error>([UintRef::decode(fields)?, UintRef::decode(fields)?]))?;
    reader.finish()?;
    Ok(numbers)
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

pub(crate) fn is_small_order(raw: &[u8]) -> bool {
    let mut unsigned = raw.to_vec();
    if let Some(last) = unsigned.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&hex::encode(unsigned).as_str())
}

/// Says what a SubjectPublicKeyInfo is that was not accepted.
fn why_not(der: &[u8]) -> Error {
    let info = match SubjectPublicKeyInfoRef::from_der(der) {
        Ok(info) => info,
        Err(e) => {
            return Error::new(
                ErrorKind::Malformed,
                "expected a public key as DER SubjectPublicKeyInfo, found other bytes; give the file as the key tool \
                 wrote it",
            )
            .caused_by(e);
        }
    };
    match algorithm_name(&info.algorithm) {
        curve @ ("P-256" | "P-384") => Error::new(
            ErrorKind::Unsupported,
            format!(
                "expected a {curve} key with an uncompressed point, found another form; \
                 `openssl ec -pubin -conv_form uncompressed` rewrites it"
            ),
        ),
        "Ed25519" => {
            Error::new(ErrorKind::Malformed, "this Ed25519 public key has another length than 32 bytes; it is damaged")
        }
        "RSA" => Error::new(
            ErrorKind::Malformed,
            "this RSA public key is not in its one DER encoding; `openssl pkey -pubin` rewrites it",
        ),
        name => no_verifier(name),
    }
}
