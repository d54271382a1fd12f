//! SSH signatures: SSHSIG (OpenSSH's PROTOCOL.sshsig) under the namespace `git`, also by FIDO keys (PROTOCOL.u2f).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use sha2::{Digest as _, Sha256};
use ssh_key::public::{EcdsaPublicKey, KeyData, RsaPublicKey};
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, Mpint, SshSig};

use super::allowed_signers::AllowedSigner;
use super::object::Signed;
use super::{CommitSigner, SignerKey, bad_signature, untrusted};
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

/// Verifies the signature and that one of `signers` may have made it at this time.
pub(super) fn verify(
    signers: &[AllowedSigner],
    revoked: &[KeyData],
    signed: &Signed,
    at: Timestamp,
) -> Result<CommitSigner> {
    let signature = parse(&signed.signature)?;
    let key = signature.public_key();
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let lines: Vec<_> = signers.iter().filter(|s| s.is_of(key)).collect();
    if lines.is_empty() {
        return Err(untrusted(&fingerprint, "one of the allowed SSH signers"));
    }
    if signature.namespace() != NAMESPACE {
        return Err(Error::new(
            ErrorKind::BadSignature,
            format!(
                "expected an SSH signature for `{NAMESPACE}`, found one for `{}`; it was made for something else",
                signature.namespace().escape_debug()
            ),
        )
        .with("expected", NAMESPACE)
        .with("found", signature.namespace()));
    }
    let message = SshSig::signed_data(NAMESPACE, signature.hash_alg(), &signed.payload)
        .map_err(|e| Error::new(ErrorKind::Internal, "could not put together what an SSH key signs").caused_by(e))?;
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

fn parse(text: &str) -> Result<SshSig> {
    let malformed = || {
        Error::new(
            ErrorKind::Malformed,
            "expected one SSH signature of version 1, found something else in its place; sign it again with Git",
        )
    };
    let text = text.trim_end();
    if !text.starts_with(BEGIN) || !text.ends_with(END) || text.matches("-----BEGIN ").count() != 1 {
        return Err(malformed());
    }
    let signature = SshSig::from_pem(text).map_err(|e| malformed().caused_by(e))?;
    if signature.version() != SshSig::VERSION || !signature.reserved().is_empty() {
        return Err(malformed());
    }
    Ok(signature)
}

/// Verifies the signature of the key it names itself.
fn check(signature: &SshSig, message: &[u8], fingerprint: &str) -> Result<()> {
    let bytes = signature.signature_bytes();
    let bad = || bad_signature(fingerprint);
    match (signature.public_key(), signature.algorithm()) {
        (KeyData::Ed25519(key), Algorithm::Ed25519) => ed25519(&key.0, message, bytes).map_err(|_| bad()),
        (KeyData::Ecdsa(key), Algorithm::Ecdsa { curve }) if key.curve() == curve => {
            ecdsa(key, message, bytes).ok_or_else(bad)
        }
        (KeyData::Rsa(key), Algorithm::Rsa { hash: Some(hash) }) => rsa(key, hash, message, bytes).ok_or_else(bad),
        (KeyData::SkEd25519(key), Algorithm::SkEd25519) => {
            let (bytes, message) = fido(key.application(), message, bytes).ok_or_else(bad)?;
            ed25519(&key.public_key().0, &message, bytes).map_err(|_| bad())?;
            touched(&message, fingerprint)
        }
        (KeyData::SkEcdsaSha2NistP256(key), Algorithm::SkEcdsaSha2NistP256) => {
            let (bytes, message) = fido(key.application(), message, bytes).ok_or_else(bad)?;
            ecdsa(&EcdsaPublicKey::NistP256(*key.ec_point()), &message, bytes).ok_or_else(bad)?;
            touched(&message, fingerprint)
        }
        (_, algorithm) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "the SSH signature is `{}` of the key `{fingerprint}`, which is weak or not known; sign with an Ed25519, \
                 ECDSA or RSA key (SHA-2)",
                algorithm.as_str().escape_debug()
            ),
        )
        .with("found", algorithm.as_str())),
    }
}

fn ed25519(key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<()> {
    PublicKey::from_raw(KeyType::Ed25519, key)?.verify(message, signature)
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

fn rsa(key: &RsaPublicKey, hash: HashAlg, message: &[u8], signature: &[u8]) -> Option<()> {
    let algorithm = match hash {
        HashAlg::Sha256 => &RSA_PKCS1_2048_8192_SHA256,
        HashAlg::Sha512 => &RSA_PKCS1_2048_8192_SHA512,
        _ => return None,
    };
    let (n, e) = (key.n.as_positive_bytes()?, key.e.as_positive_bytes()?);
    // OpenSSH drops leading zeros of a signature
    let signature = padded(signature, n.len())?;
    RsaPublicKeyComponents { n, e }.verify(algorithm, message, &signature).ok()
}

/// What a FIDO key signs in place of the message: the hash of its application, its flags and counter, and the hash of the
/// message. Gives the bare signature with it.
fn fido<'a>(application: &str, message: &[u8], signature: &'a [u8]) -> Option<(&'a [u8], Vec<u8>)> {
    let (bare, trailer) = signature.split_at_checked(signature.len().checked_sub(FIDO_TRAILER)?)?;
    let signed = [Sha256::digest(application).as_slice(), trailer, Sha256::digest(message).as_slice()].concat();
    Some((bare, signed))
}

/// A FIDO key that signs untouched is a plain key that malware may use.
fn touched(message: &[u8], fingerprint: &str) -> Result<()> {
    match message.get(Sha256::output_size()) {
        Some(flags) if flags & USER_PRESENT != 0 => Ok(()),
        _ => Err(Error::new(
            ErrorKind::NotEntitled,
            format!("the FIDO key `{fingerprint}` signed without being touched; sign again and touch it"),
        )
        .with("key", fingerprint)),
    }
}

/// The first of a row of numbers, each behind its length (RFC 4251, `mpint`).
fn number(bytes: &[u8]) -> Option<(Mpint, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (number, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some((Mpint::from_bytes(number).ok()?, rest))
}

fn padded(bytes: &[u8], size: usize) -> Option<Vec<u8>> {
    let missing = size.checked_sub(bytes.len())?;
    Some([vec![0; missing].as_slice(), bytes].concat())
}
