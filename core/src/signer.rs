//! Signing: whoever holds a private key signs bytes, a Statement becomes a record, and a file gets its signature.
//!
//! A [`PrivateKey`] signs here. [`open`] opens a signer by its reference, wherever the key is: a key file, a PKCS#11
//! token, AWS KMS, Vault's transit, a command. All but a key file see a digest and nothing else of what is signed, and
//! each signature that comes back is verified before it is used.

#[cfg(feature = "kms")]
pub(crate) mod aws_kms;
mod command;
pub(crate) mod external;
mod open;
#[cfg(feature = "hsm")]
pub(crate) mod pkcs11;
mod pkcs11_uri;
#[cfg(feature = "kms")]
pub(crate) mod service;
#[cfg(feature = "kms")]
pub(crate) mod vault;

use std::io::Read;
use std::sync::Arc;

pub use self::command::CommandSigner;
#[cfg(not(all(feature = "hsm", feature = "kms")))]
pub(crate) use self::open::not_built_in;
pub(crate) use self::open::scheme;
pub use self::open::{Access, AskSecret, Secret, VaultAccess, is_key_file, open};
pub use self::pkcs11_uri::Pkcs11Uri;
use crate::bundle::{Bundle, MessageSignature};
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::envelope::{Envelope, IN_TOTO, Signature, pae, pae_digest};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{PrivateKey, PublicKey};
use crate::limits;
use crate::statement::Statement;

/// Holds a private key, here or elsewhere, and signs with it.
///
/// A signer that only ever gets to see digests implements [`Signer::sign_digest`] alone.
pub trait Signer {
    /// The public key of the signatures.
    fn public_key(&self) -> &PublicKey;

    /// Signs the message that has this digest, by the algorithm of the [`KeyType`](crate::key::KeyType): ECDSA as ASN.1
    /// DER.
    ///
    /// # Errors
    /// `UNSUPPORTED` for a key without [prehash](crate::key::KeyType::prehash), `API_MISUSE` for a digest of another
    /// algorithm; `INTERNAL`, or what the hardware or service behind it reports (`SIGNER_FAILED`,
    /// `SERVICE_UNAVAILABLE`).
    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>>;

    /// Signs `message` by the algorithm of the [`KeyType`](crate::key::KeyType): ECDSA over its hash as ASN.1 DER,
    /// Ed25519 (RFC 8032) over itself. Unless a signer says otherwise, it hashes here and hands on the digest.
    ///
    /// # Errors
    /// As [`Signer::sign_digest`].
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        self.sign_digest(&prehash(self.public_key(), message)?)
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        self.public()
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>> {
        Self::sign_digest(self, digest)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        Self::sign(self, message)
    }
}

impl<S: Signer + ?Sized> Signer for Box<S> {
    fn public_key(&self) -> &PublicKey {
        (**self).public_key()
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>> {
        (**self).sign_digest(digest)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        (**self).sign(message)
    }
}

impl<S: Signer + ?Sized> Signer for Arc<S> {
    fn public_key(&self) -> &PublicKey {
        (**self).public_key()
    }

    fn sign_digest(&self, digest: &Digest) -> Result<Vec<u8>> {
        (**self).sign_digest(digest)
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        (**self).sign(message)
    }
}

/// Signs `statement`: a Sigstore bundle v0.3 with one signature, which other tools can verify too.
///
/// The id of the key is the hint of the bundle and does not stand beside the signature: tools that verify DSSE in Go,
/// such as cosign, compute ids of their own, and pass over a signature that bears another one.
///
/// # Errors
/// What the signer reports.
pub fn sign(statement: &Statement, signer: &dyn Signer) -> Result<Bundle> {
    let (key, payload) = (signer.public_key(), statement.payload());
    let sig = match key.key_type().prehash() {
        Some(algorithm) => signer.sign_digest(&pae_digest(algorithm, IN_TOTO, payload)?)?,
        None => signer.sign(&pae(IN_TOTO, payload))?,
    };
    let key_id = key.id();
    let envelope = Envelope::new(IN_TOTO, statement.payload().to_vec(), vec![Signature::new(None, sig)])?;
    Ok(Bundle::of_key(envelope, key_id))
}

/// Signs what `blob` gives: a Sigstore bundle v0.3 with a message signature, as `cosign sign-blob` makes them. It is
/// hashed as it is read; only Ed25519 needs it whole.
///
/// # Errors
/// `IO` if it can't be read, `LIMIT_EXCEEDED` if it is too large for Ed25519, and what the signer reports.
///
/// ```
/// use sealwright::key::{KeyType, PrivateKey};
/// use sealwright::signer::sign_blob;
/// let key = PrivateKey::generate(KeyType::P256)?;
/// let bundle = sign_blob(&mut b"what was built".as_slice(), &key)?.to_json();
/// assert!(bundle.starts_with(br#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json""#));
/// # Ok::<(), sealwright::Error>(())
/// ```
pub fn sign_blob(blob: &mut dyn Read, signer: &dyn Signer) -> Result<Bundle> {
    let key = signer.public_key();
    let (digest, signature) = match key.key_type().prehash() {
        Some(algorithm) => {
            let digest = digest_of(blob, algorithm)?;
            let signature = signer.sign_digest(&digest)?;
            (digest, signature)
        }
        None => {
            let mut bytes = Vec::new();
            let read = blob.take(limits::DOCUMENT_BYTES + 1).read_to_end(&mut bytes);
            read.map_err(|e| Error::new(ErrorKind::Io, format!("could not read what to sign: {e}")).caused_by(e))?;
            if bytes.len() as u64 > limits::DOCUMENT_BYTES {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!(
                        "Ed25519 signs the bytes themselves, and these are more than {}; sign large files with p256",
                        limits::DOCUMENT_BYTES
                    ),
                ));
            }
            (Digest::sha256(&bytes), signer.sign(&bytes)?)
        }
    };
    Ok(Bundle::of_key(MessageSignature::new(Some(digest), signature), key.id()))
}

fn prehash(key: &PublicKey, mut message: &[u8]) -> Result<Digest> {
    let key_type = key.key_type();
    let algorithm = key_type.prehash().ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            format!(
                "this signer gets only digests, and a key of type {key_type} signs whole messages; use p256 or p384"
            ),
        )
    })?;
    digest_of(&mut message, algorithm)
}

fn digest_of(bytes: &mut dyn Read, algorithm: Algorithm) -> Result<Digest> {
    let digests = DigestSet::of_reader(bytes, &[algorithm])?;
    digests.get(algorithm).ok_or_else(|| Error::new(ErrorKind::Internal, "the digest was not computed; report it"))
}
