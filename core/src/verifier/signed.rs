//! What a signature is over: the pre-authentication bytes of an envelope, or a blob.

use std::cell::OnceCell;
use std::io::Read;

use der::Encode as _;
use der::asn1::UintRef;

use crate::digest::{Algorithm, Digest, DigestSet};
use crate::envelope::Envelope;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey};
use crate::limits;
use crate::trust::scheme::VerifyingKey;

/// A blob that was signed, whole or by its digest.
#[non_exhaustive]
pub enum Blob<'a> {
    /// Its digest, computed elsewhere. Ed25519 signatures need the bytes themselves.
    Digest(Digest),
    /// Its bytes.
    Bytes(&'a [u8]),
    /// Where its bytes come from; they are read once.
    Reader(&'a mut dyn Read),
}

/// What a signature is over.
pub(super) enum Signed<'a> {
    Envelope { envelope: &'a Envelope, pae: OnceCell<Vec<u8>>, sha256: OnceCell<Digest>, sha384: OnceCell<Digest> },
    Blob { digests: Vec<Digest>, bytes: Option<std::borrow::Cow<'a, [u8]>>, algorithm: Option<Algorithm> },
}

impl<'a> Signed<'a> {
    pub(super) fn of_envelope(envelope: &'a Envelope) -> Self {
        let (sha256, sha384) = (OnceCell::new(), OnceCell::new());
        Self::Envelope { envelope, pae: OnceCell::new(), sha256, sha384 }
    }

    /// Reads a blob. `algorithm` is what the bundle says that it was hashed with, and `others` may be asked for, too.
    /// Only where `whole` is set, because the signature may be over the bytes themselves, are they kept.
    pub(super) fn of_blob(
        blob: Blob<'a>,
        algorithm: Option<Algorithm>,
        others: &[Algorithm],
        whole: bool,
    ) -> Result<Self> {
        let mut wanted = vec![Algorithm::Sha256];
        wanted.extend(algorithm.iter().chain(others).filter(|a| a.is_over_bytes()));
        wanted.sort_unstable();
        wanted.dedup();
        let (digests, bytes) = match blob {
            Blob::Digest(digest) => (vec![digest], None),
            Blob::Bytes(bytes) => {
                let digests = wanted.iter().map(|algorithm| Digest::of_bytes(*algorithm, bytes));
                (digests.collect::<Result<_>>()?, Some(bytes.into()))
            }
            Blob::Reader(reader) if whole => {
                let mut bytes = Vec::new();
                let read = reader.take(limits::DOCUMENT_BYTES + 1).read_to_end(&mut bytes);
                read.map_err(|e| Error::new(ErrorKind::Io, format!("could not read to the end: {e}")).caused_by(e))?;
                if bytes.len() as u64 > limits::DOCUMENT_BYTES {
                    return Err(Error::new(
                        ErrorKind::LimitExceeded,
                        format!(
                            "an Ed25519 signature is over the bytes themselves, and these are more than {}; sign large \
                             files with another kind of key",
                            limits::DOCUMENT_BYTES
                        ),
                    ));
                }
                (hashed(&mut bytes.as_slice(), &wanted)?, Some(bytes.into()))
            }
            Blob::Reader(reader) => (hashed(reader, &wanted)?, None),
        };
        Ok(Self::Blob { digests, bytes, algorithm })
    }

    pub(super) fn envelope(&self) -> Option<&'a Envelope> {
        match self {
            Self::Envelope { envelope, .. } => Some(envelope),
            Self::Blob { .. } => None,
        }
    }

    /// Its digest, if it can be known.
    pub(super) fn digest(&self, algorithm: Algorithm) -> Option<Digest> {
        match self {
            // asked for each signature and key
            Self::Envelope { envelope, sha256, sha384, .. } => {
                let computed = || envelope.pae_digest(algorithm).ok();
                let place = match algorithm {
                    Algorithm::Sha256 => sha256,
                    Algorithm::Sha384 => sha384,
                    _ => return computed(),
                };
                if place.get().is_none() {
                    _ = place.set(computed()?);
                }
                place.get().cloned()
            }
            Self::Blob { digests, .. } => digests.iter().find(|d| d.algorithm() == algorithm).cloned(),
        }
    }

    /// The digest of the payload, where there is one.
    pub(super) fn payload_digest(&self, algorithm: Algorithm) -> Option<Digest> {
        Digest::of_bytes(algorithm, self.envelope()?.payload()).ok()
    }

    /// Checks that it has this digest.
    pub(super) fn check_is(&self, expected: &Digest) -> Result<()> {
        match self.digest(expected.algorithm()) {
            Some(found) if found == *expected => Ok(()),
            Some(found) => Err(Error::new(
                ErrorKind::DigestMismatch,
                format!(
                    "the signature is not of this file: expected `{expected}`, found `{found}`; take its own bundle"
                ),
            )
            .with("expected", expected)
            .with("found", found)),
            None => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the signature is of a file known by its {} digest; give that, or the file",
                    expected.algorithm().name()
                ),
            )
            .with("expected", expected)),
        }
    }

    /// Its digest by `algorithm`, or else by any.
    pub(super) fn any_digest(&self, algorithm: Option<Algorithm>) -> Result<Digest> {
        let first = || match self {
            Self::Envelope { .. } => None,
            Self::Blob { digests, .. } => digests.first().cloned(),
        };
        let found = algorithm.and_then(|a| self.digest(a)).or_else(first);
        found.ok_or_else(|| Error::new(ErrorKind::Internal, "a blob was not hashed"))
    }

    /// Whether nothing but its digest is known.
    pub(super) fn is_digest_alone(&self) -> bool {
        matches!(self, Self::Blob { bytes: None, .. })
    }

    /// Whether `signature` is one by `key`, which the trust root names, over it.
    pub(super) fn is_signed_by_key(&self, key: &PublicKey, signature: &[u8]) -> bool {
        let (bytes, algorithm) = match self {
            Self::Envelope { envelope, pae, .. } => {
                let Some(algorithm) = key.key_type().prehash() else {
                    return key.verify(pae.get_or_init(|| envelope.pae()), signature).is_ok();
                };
                return self.digest(algorithm).is_some_and(|digest| is_over(&digest, key, signature));
            }
            Self::Blob { bytes, algorithm, .. } => (bytes, *algorithm),
        };
        match key.key_type().prehash() {
            None => bytes.as_ref().is_some_and(|bytes| key.verify(bytes, signature).is_ok()),
            Some(usual) if algorithm.is_none_or(|a| a == usual) => {
                self.digest(usual).is_some_and(|digest| key.verify_digest(&digest, signature).is_ok())
            }
            Some(_) => VerifyingKey::from_spki(key.spki_der()).is_ok_and(|key| self.is_signed_by(&key, signature)),
        }
    }

    /// Whether `signature` is one by `key` over it.
    pub(super) fn is_signed_by(&self, key: &VerifyingKey, signature: &[u8]) -> bool {
        let by_itself = key.family().hashes_by_itself();
        let algorithm = match self {
            Self::Envelope { envelope, pae, .. } if by_itself => {
                return key.verifies(pae.get_or_init(|| envelope.pae()), signature);
            }
            Self::Blob { bytes: Some(bytes), .. } if by_itself => return key.verifies(bytes, signature),
            Self::Envelope { .. } => None,
            Self::Blob { algorithm, .. } => *algorithm,
        };
        let digest = self.digest(algorithm.unwrap_or(key.family().usual_digest()));
        digest.is_some_and(|digest| key.verifies_digest(&digest, signature))
    }
}

/// Whether `signature` is one by `key` over what has this digest. DSSE leaves its encoding open, and some write an ECDSA signature
/// as the two numbers side by side (IEEE P1363), where ours and Sigstore's are ASN.1.
fn is_over(digest: &Digest, key: &PublicKey, signature: &[u8]) -> bool {
    let width = match key.key_type() {
        KeyType::P256 => Some(32),
        KeyType::P384 => Some(48),
        _ => None,
    };
    let side_by_side = || {
        let (r, s) = signature.split_at_checked(width?).filter(|(r, s)| r.len() == s.len())?;
        [UintRef::new(r).ok()?, UintRef::new(s).ok()?].to_der().ok()
    };
    let verifies = |signature: &[u8]| key.verify_digest(digest, signature).is_ok();
    verifies(signature) || side_by_side().is_some_and(|asn1| verifies(&asn1))
}

fn hashed(reader: &mut dyn Read, algorithms: &[Algorithm]) -> Result<Vec<Digest>> {
    DigestSet::of_reader(reader, algorithms).map(|set| set.known().collect())
}
