//! The private half: PKCS#8, encrypted PKCS#8 and SEC1 in, PKCS#8 out.

use std::fmt;

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use p256::elliptic_curve::sec1::ToSec1Point;
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{self, Decode, Reader, SliceReader, TagMode, TagNumber};
use pkcs8::pkcs5::{self, EncryptionScheme, pbes2};
use pkcs8::{EncodePrivateKey, EncryptedPrivateKeyInfoRef, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use super::{KeyType, PublicKey, algorithm_name, curve_name, other_type, pem};
use crate::error::{Error, ErrorKind, Result};

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
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// PKCS#8 v1 before the 32 bytes of an Ed25519 seed (RFC 8410 section 7). OpenSSL 3 does not read v2.
const ED25519_PKCS8: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

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

impl PrivateKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// `INTERNAL` if the machine has no random numbers.
    pub fn generate(key_type: KeyType) -> Result<Self> {
        let mut secret = Zeroizing::new([0u8; 32]);
        loop {
            random(secret.as_mut())?;
            match key_type {
                KeyType::Ed25519 => return Self::of_seed(secret.as_ref()),
                // a number over the group's order is drawn again, once in 2³² times
                KeyType::P256 => {
                    if let Ok(scalar) = p256::SecretKey::from_slice(secret.as_ref()) {
                        return Self::of_scalar(&scalar);
                    }
                }
            }
        }
    }

    /// Reads a PEM file of one block: `PRIVATE KEY`, `ENCRYPTED PRIVATE KEY` (PBES2), or `EC PRIVATE KEY` (SEC1, P-256,
    /// with the curve named). `passphrase` is not used for a key that is not encrypted.
    ///
    /// # Errors
    /// `MALFORMED`, `UNSUPPORTED` for other types and encryptions, `WRONG_PASSPHRASE` for a wrong or missing one,
    /// `LIMIT_EXCEEDED` if opening it would take minutes or more memory than fits.
    pub fn from_pem(pem: &[u8], passphrase: Option<&str>) -> Result<Self> {
        let block = pem::read("private key", pem)?;
        match block.label.as_str() {
            "PRIVATE KEY" => Self::from_pkcs8(&block.der),
            "ENCRYPTED PRIVATE KEY" => Self::from_encrypted(&block.der, passphrase),
            "EC PRIVATE KEY" => Self::from_sec1(&block.der),
            "RSA PRIVATE KEY" => Err(other_type("RSA")),
            "DSA PRIVATE KEY" => Err(other_type("DSA")),
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
        if passphrase.is_empty() {
            return Err(Error::new(ErrorKind::ApiMisuse, "an empty passphrase protects nothing; give a longer one"));
        }
        let (mut salt, mut iv) = ([0u8; 16], [0u8; 16]);
        random(&mut salt)?;
        random(&mut iv)?;
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
        let info = PrivateKeyInfoRef::from_der(&self.pkcs8).map_err(|e| failed(e.into()))?;
        let encrypted = info.encrypt_with_params(params, passphrase).map_err(failed)?;
        Ok(Zeroizing::new(pem::write("ENCRYPTED PRIVATE KEY", encrypted.as_bytes())?))
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `message`: P-256 gives ASN.1 DER ECDSA over SHA-256, Ed25519 its 64 bytes.
    ///
    /// # Errors
    /// `INTERNAL` if the cryptographic library fails.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let signature = match &self.pair {
            Pair::P256(pair) => pair.sign(&SystemRandom::new(), message),
            Pair::Ed25519(pair) => pair.try_sign(message),
        };
        Ok(signature.map_err(|_| internal("sign"))?.as_ref().to_vec())
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(damaged)?;
        match algorithm_name(&info.algorithm) {
            "P-256" => {
                let scalar = p256::SecretKey::try_from(info).map_err(damaged)?;
                Self::of_scalar(&scalar)
            }
            "Ed25519" => {
                let seed = <&OctetStringRef>::from_der(info.private_key.as_bytes()).map_err(damaged)?;
                let key = Self::of_seed(seed.as_bytes())?;
                match info.public_key {
                    Some(public) if public.as_bytes() != Some(key.public.raw()) => Err(damaged("halves differ")),
                    _ => Ok(key),
                }
            }
            name => Err(other_type(name)),
        }
    }

    fn from_sec1(der: &[u8]) -> Result<Self> {
        match curve_name(sec1_curve(der).map_err(damaged)?) {
            "P-256" => Self::of_scalar(&p256::SecretKey::from_sec1_der(der).map_err(damaged)?),
            name => Err(other_type(name)),
        }
    }

    fn from_encrypted(der: &[u8], passphrase: Option<&str>) -> Result<Self> {
        let info = EncryptedPrivateKeyInfoRef::from_der(der).map_err(|e| match e.kind() {
            der::ErrorKind::OidUnknown { .. } | der::ErrorKind::OidMalformed => other_encryption(),
            _ => damaged(e),
        })?;
        let wrong = |how: &str| Error::new(ErrorKind::WrongPassphrase, how);
        check_cost(&info.encryption_algorithm)?;
        let passphrase =
            passphrase.ok_or_else(|| wrong("the key is encrypted and no passphrase was given; give it one"))?;
        let differs = || wrong("the passphrase does not open this key; check it, and that it is the key you mean");
        let opened: SecretDocument = info.decrypt(passphrase).map_err(|e| match e {
            pkcs8::Error::EncryptedPrivateKey(
                pkcs5::Error::UnsupportedAlgorithm { .. } | pkcs5::Error::NoPbes1CryptSupport,
            ) => other_encryption(),
            _ => differs(),
        })?;
        // a wrong passphrase can give well-padded nonsense, once in 256 times
        PrivateKeyInfoRef::from_der(opened.as_bytes()).map_err(|_| differs())?;
        Self::from_pkcs8(opened.as_bytes())
    }

    fn of_scalar(scalar: &p256::SecretKey) -> Result<Self> {
        let point = scalar.public_key().to_sec1_point(false);
        let secret = Zeroizing::new(scalar.to_bytes());
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            secret.as_slice(),
            point.as_bytes(),
        )
        .map_err(damaged)?;
        let document = scalar.to_pkcs8_der().map_err(|e| internal("encode the key").caused_by(e))?;
        let public = PublicKey::from_raw(KeyType::P256, point.as_bytes())?;
        Ok(Self { pair: Pair::P256(pair), pkcs8: Zeroizing::new(document.as_bytes().to_vec()), public })
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

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({} {})", self.public.key_type(), self.public.id())
    }
}

/// Refuses a key file whose opening would take minutes or the machine's memory.
fn check_cost(scheme: &EncryptionScheme) -> Result<()> {
    let Some(params) = scheme.pbes2() else { return Err(other_encryption()) };
    let fits = match &params.kdf {
        pbes2::Kdf::Pbkdf2(pbkdf2) => pbkdf2.iteration_count <= PBKDF2_ROUNDS,
        pbes2::Kdf::Scrypt(scrypt) => {
            let memory = scrypt.cost_parameter.saturating_mul(128 * u64::from(scrypt.block_size));
            memory <= SCRYPT_BYTES && memory.saturating_mul(u64::from(scrypt.parallelization)) <= SCRYPT_WORK
        }
        _ => return Err(other_encryption()),
    };
    if fits {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LimitExceeded,
        "opening this key would cost more time or memory than allowed; `openssl pkcs8 -topk8 -scrypt` rewrites it cheaper",
    ))
}

/// The curve that a SEC1 `ECPrivateKey` names (RFC 5915 section 3).
fn sec1_curve(der: &[u8]) -> der::Result<Option<ObjectIdentifier>> {
    SliceReader::new(der)?.sequence(|fields| {
        u8::decode(fields)?;
        <&OctetStringRef>::decode(fields)?;
        let curve = fields.context_specific(TagNumber(0), TagMode::Explicit)?;
        fields.read_slice(fields.remaining_len())?;
        Ok(curve)
    })
}

fn random(bytes: &mut [u8]) -> Result<()> {
    rand::fill(bytes).map_err(|_| internal("get random numbers"))
}

fn internal(what: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("could not {what}; run it again, and report it if it stays"))
}

fn damaged(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Malformed, "the private key is damaged; take it from a backup, or make a new one")
        .caused_by(cause)
}

fn other_encryption() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "expected a key under PBES2 with scrypt or PBKDF2 and AES, found another encryption; \
         `openssl pkcs8 -topk8 -scrypt` rewrites it",
    )
}
