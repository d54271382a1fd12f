//! The private half: PKCS#8, encrypted PKCS#8, SEC1 and cosign's files in, PKCS#8 and cosign's files out.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::Decode;
use pkcs8::der::asn1::OctetStringRef;
use zeroize::Zeroizing;

use super::algorithm::{algorithm_name, curve_name, no_signer};
use super::elliptic::{self, Elliptic, Sec1};
use super::public::prehashed;
use super::{KeyFormat, KeyType, PublicKey, cosign, encrypted, pem};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::random;

/// A private key that signs. It cannot be cloned or shown; its bytes are zeroed when it is dropped.
///
/// ```
/// use sealwright::key::{KeyType, PrivateKey};
/// let key = PrivateKey::generate(KeyType::P256)?;
/// let file = key.to_encrypted_pem("correct horse")?;
/// let again = PrivateKey::from_pem(file.as_bytes(), Some("correct horse"))?;
/// assert_eq!(again.public(), key.public());
/// let refused = PrivateKey::from_pem(file.as_bytes(), Some("battery staple"));
/// assert_eq!(refused.unwrap_err().code(), "WRONG_PASSPHRASE");
/// # Ok::<(), sealwright::Error>(())
/// ```
pub struct PrivateKey {
    pair: Pair,
    // unencrypted PKCS#8; aws-lc zeroes its own copy when it frees it
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// PKCS#8 v1 before the 32 bytes of an Ed25519 seed (RFC 8410 section 7). OpenSSL 3 does not read v2.
const ED25519_PKCS8: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

impl PrivateKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// `UNSUPPORTED` for RSA, with which nothing new is signed; `INTERNAL` if the machine has no random numbers.
    pub fn generate(key_type: KeyType) -> Result<Self> {
        match key_type {
            KeyType::Rsa => Err(Error::new(
                ErrorKind::Unsupported,
                "RSA keys are verified, not made; make one of type p256, p384 or ed25519",
            )),
            KeyType::Ed25519 => {
                let mut seed = Zeroizing::new([0u8; 32]);
                random::fill(seed.as_mut())?;
                Self::of_seed(seed.as_ref())
            }
            KeyType::P256 | KeyType::P384 => {
                let mut scalar = Zeroizing::new(vec![0u8; elliptic::scalar_length(key_type)]);
                loop {
                    random::fill(&mut scalar)?;
                    // a number over the group's order is drawn again, once in 2³² times
                    if let Ok(key) = elliptic::of_scalar(key_type, &scalar) {
                        return Ok(key.into());
                    }
                }
            }
        }
    }

    /// Reads a PEM file of one block: `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY` (PBES2), `EC PRIVATE KEY` (SEC1 with the
    /// curve named), or cosign's `ENCRYPTED SIGSTORE PRIVATE KEY` and `ENCRYPTED COSIGN PRIVATE KEY`. `passphrase` is not
    /// used for a key that is not encrypted; cosign encrypts with an empty one, too.
    ///
    /// # Errors
    /// `MALFORMED`, `UNSUPPORTED` for other types and encryptions, `WRONG_PASSPHRASE` for a wrong or missing one,
    /// `LIMIT_EXCEEDED` if opening it would take minutes or more memory than fits.
    pub fn from_pem(pem: &[u8], passphrase: Option<&str>) -> Result<Self> {
        let block = pem::read("private key", pem)?;
        match block.label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(&block.der),
            "ENCRYPTED PRIVATE KEY" => Self::from_pkcs8(encrypted::decrypt(&block.der, passphrase)?.as_bytes()),
            cosign::LABEL | cosign::OLD_LABEL => Self::from_pkcs8(&cosign::decrypt(&block.der, passphrase)?),
            "EC PRIVATE KEY" => Self::from_sec1(&block.der),
            "RSA PRIVATE KEY" => Err(no_signer("RSA")),
            "DSA PRIVATE KEY" => Err(no_signer("DSA")),
            "PUBLIC KEY" => Err(Error::new(
                ErrorKind::Malformed,
                "expected a private key, found a public key; name the file with the private half",
            )),
            label => Err(pem::unknown_label("`PRIVATE KEY`, `ENCRYPTED PRIVATE KEY` or `EC PRIVATE KEY`", label)),
        }
    }

    /// The key as an unencrypted `PRIVATE KEY` PEM file (PKCS#8).
    ///
    /// # Errors
    /// `INTERNAL` if it can't be encoded.
    pub fn to_pem(&self) -> Result<Zeroizing<String>> {
        Ok(Zeroizing::new(pem::write("PRIVATE KEY", &self.pkcs8)?))
    }

    /// The key as an `ENCRYPTED PRIVATE KEY` PEM file: PKCS#8 under PBES2 with scrypt and AES-256-CBC, which OpenSSL 3
    /// reads.
    ///
    /// # Errors
    /// `API_MISUSE` for an empty passphrase, `INTERNAL` if the machine has no random numbers.
    pub fn to_encrypted_pem(&self, passphrase: &str) -> Result<Zeroizing<String>> {
        let encrypted = encrypted::encrypt(&self.pkcs8, not_empty(passphrase)?)?;
        Ok(Zeroizing::new(pem::write("ENCRYPTED PRIVATE KEY", encrypted.as_bytes())?))
    }

    /// The key as an `ENCRYPTED SIGSTORE PRIVATE KEY` PEM file, which cosign reads.
    ///
    /// # Errors
    /// `API_MISUSE` for an empty passphrase, `INTERNAL` if the machine has no random numbers.
    pub fn to_cosign_pem(&self, passphrase: &str) -> Result<Zeroizing<String>> {
        let encrypted = cosign::encrypt(&self.pkcs8, not_empty(passphrase)?)?;
        Ok(Zeroizing::new(pem::write(cosign::LABEL, &encrypted)?))
    }

    /// The key as a PEM file of this format, encrypted if there is a passphrase.
    ///
    /// # Errors
    /// `API_MISUSE` for an empty passphrase, and for a cosign file without one; `INTERNAL` as the others.
    pub fn to_file(&self, format: KeyFormat, passphrase: Option<&str>) -> Result<Zeroizing<String>> {
        match (format, passphrase) {
            (KeyFormat::Pkcs8, None) => self.to_pem(),
            (KeyFormat::Pkcs8, Some(passphrase)) => self.to_encrypted_pem(passphrase),
            (KeyFormat::Cosign, Some(passphrase)) => self.to_cosign_pem(passphrase),
            (KeyFormat::Cosign, None) => Err(Error::new(
                ErrorKind::ApiMisuse,
                "a key file of cosign is always encrypted; give a passphrase, or write PKCS#8",
            )),
        }
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message` by the algorithm of the [`KeyType`].
    ///
    /// # Errors
    /// `INTERNAL` if the cryptographic library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let signature = match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message),
            Pair::Ed25519(pair) => pair.try_sign(message),
        };
        Ok(signature.map_err(|_| internal("sign"))?.as_ref().to_vec())
    }

    /// Signs the message that has this digest, without the message.
    ///
    /// # Errors
    /// `UNSUPPORTED` for Ed25519, `API_MISUSE` for a digest of another algorithm than [`KeyType::prehash`], `INTERNAL`.
    pub fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>> {
        let digest = prehashed(self.public.key_type(), digest)?;
        let Pair::Ecdsa(pair) = &self.pair else { return Err(internal("sign")) };
        Ok(pair.sign_digest(&digest).map_err(|_| internal("sign"))?.as_ref().to_vec())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(damaged)?;
        let elliptic = |key_type, curve| {
            let sec1 = Sec1::parse(info.private_key.as_bytes()).map_err(damaged)?;
            if sec1.curve.is_some_and(|named| curve_name(Some(named)) != curve) {
                return Err(damaged("the curve is named twice, differently"));
            }
            Ok(sec1.into_key(key_type)?.into())
        };
        match algorithm_name(&info.algorithm) {
            "P-256" => elliptic(KeyType::P256, "P-256"),
            "P-384" => elliptic(KeyType::P384, "P-384"),
            "Ed25519" => {
                let seed = <&OctetStringRef>::from_der(info.private_key.as_bytes()).map_err(damaged)?;
                let key = Self::of_seed(seed.as_bytes())?;
                match info.public_key {
                    Some(public) if public.as_bytes() != Some(key.public.raw()) => Err(damaged("halves differ")),
                    _ => Ok(key),
                }
            }
            name => Err(no_signer(name)),
        }
    }

    fn from_sec1(der: &[u8]) -> Result<Self> {
        let sec1 = Sec1::parse(der).map_err(damaged)?;
        match curve_name(sec1.curve) {
            "P-256" => Ok(sec1.into_key(KeyType::P256)?.into()),
            "P-384" => Ok(sec1.into_key(KeyType::P384)?.into()),
            name => Err(no_signer(name)),
        }
    }

    fn of_seed(seed: &[u8]) -> Result<Self> {
        if seed.len() != 32 {
            return Err(damaged(format!("an Ed25519 private key has 32 bytes, this one {}", seed.len())));
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(damaged)?;
        let public = PublicKey::from_raw(KeyType::Ed25519, pair.public_key().as_ref())?;
        let pkcs8 = Zeroizing::new([ED25519_PKCS8, seed].concat());
        Ok(Self { pair: Pair::Ed25519(pair), pkcs8, public })
    }
}

impl From<Elliptic> for PrivateKey {
    fn from(Elliptic { pair, pkcs8, public }: Elliptic) -> Self {
        Self { pair: Pair::Ecdsa(pair), pkcs8, public }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} {})", self.public.key_type(), self.public.id())
    }
}

/// Refuses a passphrase for a new key file that protects nothing.
///
/// Fails with `API_MISUSE`.
pub(crate) fn not_empty(passphrase: &str) -> Result<&str> {
    if passphrase.is_empty() {
        return Err(Error::new(ErrorKind::ApiMisuse, "an empty passphrase protects nothing; give a longer one"));
    }
    Ok(passphrase)
}

pub(super) fn internal(what: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("could not {what}; run it again, and report it if it stays"))
}

pub(super) fn damaged(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Malformed, "the private key is damaged; take it from a backup, or make a new one")
        .caused_by(cause)
}
