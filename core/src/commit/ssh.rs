//! SSH signatures: SSHSIG (OpenSSH's PROTOCOL.sshsig) under the namespace `git`, also by FIDO keys (PROTOCOL.u2f).

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, EcdsaVerificationAlgorithm,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ssh_key::public::{EcdsaPublicKey, KeyData, RsaPublicKey};
use ssh_key::{EcdsaCurve, HashAlg, Mpint};

use super::allowed_signers::AllowedSigner;
use super::object::Signed;
use super::{CommitSigner, SignerKey, bad_signature, untrusted};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey};
use crate::timestamp::Timestamp;

const NAMESPACE: &str = "git";
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// Flags and counter of a FIDO key, behind its signature.
const FIDO_TRAILER: usize = 5;
/// Of the flags: somebody touched the key.
const USER_PRESENT: u8 = 1;

/// What stands in an SSHSIG.
struct Signature<'a> {
    key: KeyData,
    namespace: &'a str,
    hash: &'a str,
    algorithm: &'a str,
    bytes: &'a [u8],
    /// Flags and counter of a FIDO key; empty for others.
    trailer: &'a [u8],
}

/// Verifies the signature and that one of `signers` may have made it at this time.
pub(super) fn verify(
    signers: &[AllowedSigner],
    revoked: &[KeyData],
    signed: &Signed,
    at: Timestamp,
) -> Result<CommitSigner> {
    let blob = unarmored(&signed.signature)?;
    let signature = Signature::parse(&blob)?;
    let key = &signature.key;
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let lines: Vec<_> = signers.iter().filter(|s| s.is_of(key)).collect();
    if lines.is_empty() {
        return Err(untrusted(&fingerprint, "one of the allowed SSH signers"));
    }
    if signature.namespace != NAMESPACE {
        return Err(Error::new(
            ErrorKind::BadSignature,
            format!(
                "expected an SSH signature for `{NAMESPACE}`, found one for `{}`; it was made for something else",
                signature.namespace.escape_debug()
            ),
        )
        .with("expected", NAMESPACE)
        .with("found", signature.namespace));
    }
    let message = signature.message(&signed.payload).ok_or_else(|| malformed("one over an unknown hash"))?;
    check(&signature, &message, &fingerprint)?;
    if revoked.contains(key) {
        return Err(Error::new(
            ErrorKind::Revoked,
            format!("the SSH key `{fingerprint}` is revoked; have somebody sign it anew with another key"),
        )
        .with("key", fingerprint));
    }
    let mut refused = None;
    for line in lines {
        match line.check(&fingerprint, NAMESPACE, at) {
            Ok(()) => {
                let algorithm = key.algorithm().as_str().to_owned();
                return Ok(CommitSigner {
                    key: SignerKey::Ssh { fingerprint, algorithm },
                    principals: line.principals.clone(),
                    forge: None,
                    signed_at: at,
                });
            }
            Err(e) => refused = Some(e),
        }
    }
    Err(refused.unwrap_or_else(|| untrusted(&fingerprint, "one of the allowed SSH signers")))
}

/// The bytes in the armor.
fn unarmored(text: &str) -> Result<Vec<u8>> {
    let inner = text.trim_end().strip_prefix(BEGIN).and_then(|t| t.strip_suffix(END));
    let base64: Option<String> = inner.map(|t| t.chars().filter(|c| !matches!(c, '\n' | '\r')).collect());
    base64.and_then(|b| STANDARD.decode(b).ok()).ok_or_else(|| malformed("something else around or in it"))
}

impl<'a> Signature<'a> {
    fn parse(blob: &'a [u8]) -> Result<Self> {
        let read = || {
            let rest = blob.strip_prefix(b"SSHSIG\0\0\0\x01")?;
            let (key, rest) = field(rest)?;
            let (namespace, rest) = field(rest)?;
            let (reserved, rest) = field(rest)?;
            let (hash, rest) = field(rest)?;
            let (signature, rest) = field(rest)?;
            let (algorithm, signature) = field(signature)?;
            let (bytes, trailer) = field(signature)?;
            let text = |bytes| std::str::from_utf8(bytes).ok();
            let whole = rest.is_empty() && reserved.is_empty();
            whole.then_some((key, text(namespace)?, text(hash)?, text(algorithm)?, bytes, trailer))
        };
        let (key, namespace, hash, algorithm, bytes, trailer) = read().ok_or_else(|| malformed("other bytes"))?;
        let key = public_key(key)?;
        Ok(Self { key, namespace, hash, algorithm, bytes, trailer })
    }

    /// What is signed over `payload`.
    fn message(&self, payload: &[u8]) -> Option<Vec<u8>> {
        let algorithm = match self.hash {
            "sha256" => &SHA256,
            "sha512" => &SHA512,
            _ => return None,
        };
        let mut message = b"SSHSIG".to_vec();
        for part in [NAMESPACE.as_bytes(), b"", self.hash.as_bytes(), digest(algorithm, payload).as_ref()] {
            message.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
            message.extend_from_slice(part);
        }
        Some(message)
    }
}

fn public_key(blob: &[u8]) -> Result<KeyData> {
    let kind = field(blob).and_then(|(kind, _)| std::str::from_utf8(kind).ok()).unwrap_or_default();
    if kind.contains("-cert-") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the signature is by an SSH certificate (`{}`), which is not supported; sign with the plain key",
                kind.escape_debug()
            ),
        )
        .with("found", kind));
    }
    let key = ssh_key::PublicKey::from_bytes(blob).map_err(|e| malformed("a key that can't be read").caused_by(e))?;
    // one key has one form
    if key.to_bytes().ok().as_deref() != Some(blob) {
        return Err(malformed("a key in another form than OpenSSH writes"));
    }
    Ok(key.key_data().clone())
}

/// Verifies the signature by the key it names itself.
fn check(signature: &Signature<'_>, message: &[u8], fingerprint: &str) -> Result<()> {
    let bytes = signature.bytes;
    let key = &signature.key;
    let is_fido = matches!(key, KeyData::SkEd25519(_) | KeyData::SkEcdsaSha2NistP256(_));
    if signature.trailer.len() != if is_fido { FIDO_TRAILER } else { 0 } {
        return Err(malformed("other bytes behind it"));
    }
    let named = signature.algorithm == key.algorithm().as_str();
    let verified = match key {
        KeyData::Ed25519(key) if named => ed25519(&key.0, message, bytes),
        KeyData::Ecdsa(key) if named => ecdsa(key, message, bytes),
        KeyData::Rsa(key) if signature.algorithm.starts_with("rsa-sha2-") => {
            rsa(key, signature.algorithm, message, bytes)
        }
        KeyData::SkEd25519(sk) if named => {
            ed25519(&sk.public_key().0, &by_fido(sk.application(), signature.trailer, message), bytes)
        }
        KeyData::SkEcdsaSha2NistP256(sk) if named => {
            let key = EcdsaPublicKey::NistP256(*sk.ec_point());
            ecdsa(&key, &by_fido(sk.application(), signature.trailer, message), bytes)
        }
        _ => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the SSH signature is `{}` of the key `{fingerprint}`, which is weak or not known; sign with an \
                     Ed25519, ECDSA or RSA key (SHA-2)",
                    signature.algorithm.escape_debug()
                ),
            )
            .with("found", signature.algorithm));
        }
    };
    verified.ok_or_else(|| bad_signature(fingerprint))?;
    // a FIDO key that signs untouched is a plain key that malware may use
    if is_fido && signature.trailer.first().is_none_or(|flags| flags & USER_PRESENT == 0) {
        return Err(Error::new(
            ErrorKind::NotEntitled,
            format!("the FIDO key `{fingerprint}` signed without being touched; sign again and touch it"),
        )
        .with("key", fingerprint));
    }
    Ok(())
}

fn ed25519(key: &[u8; 32], message: &[u8], signature: &[u8]) -> Option<()> {
    PublicKey::from_raw(KeyType::Ed25519, key).ok()?.verify(message, signature).ok()
}

/// Both halves of an SSH ECDSA signature are numbers of varying length; the library wants them of equal length.
fn ecdsa(key: &EcdsaPublicKey, message: &[u8], signature: &[u8]) -> Option<()> {
    let (algorithm, size): (&'static EcdsaVerificationAlgorithm, _) = match key.curve() {
        EcdsaCurve::NistP256 => (&ECDSA_P256_SHA256_FIXED, 32),
        EcdsaCurve::NistP384 => (&ECDSA_P384_SHA384_FIXED, 48),
        EcdsaCurve::NistP521 => (&ECDSA_P521_SHA512_FIXED, 66),
    };
    let (r, rest) = number(signature)?;
    let (s, rest) = number(rest)?;
    if !rest.is_empty() {
        return None;
    }
    let fixed = [padded(r.as_positive_bytes()?, size)?, padded(s.as_positive_bytes()?, size)?].concat();
    UnparsedPublicKey::new(algorithm, key.as_sec1_bytes()).verify(message, &fixed).ok()
}

fn rsa(key: &RsaPublicKey, algorithm: &str, message: &[u8], signature: &[u8]) -> Option<()> {
    let algorithm = match algorithm {
        "rsa-sha2-256" => &RSA_PKCS1_2048_8192_SHA256,
        "rsa-sha2-512" => &RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    };
    let (n, e) = (key.n.as_positive_bytes()?, key.e.as_positive_bytes()?);
    // OpenSSH drops leading zeros of a signature
    let signature = padded(signature, n.len())?;
    RsaPublicKeyComponents { n, e }.verify(algorithm, message, &signature).ok()
}

/// What a FIDO key signs in place of the message: the hash of its application, its flags and counter, and the hash of the
/// message.
fn by_fido(application: &str, trailer: &[u8], message: &[u8]) -> Vec<u8> {
    [Digest::sha256(application.as_bytes()).bytes(), trailer, Digest::sha256(message).bytes()].concat()
}

/// The first of a row of fields, each behind its length (RFC 4251, `string`), and the rest.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn number(bytes: &[u8]) -> Option<(Mpint, &[u8])> {
    let (number, rest) = field(bytes)?;
    Some((Mpint::from_bytes(number).ok()?, rest))
}

fn padded(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let missing = size.checked_sub(bytes.len())?;
    Some([vec![0; missing].as_slice(), bytes].concat())
}

fn malformed(found: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("expected one SSH signature of version 1, found {found}; sign it again with Git"),
    )
}
