//! Signatures by keys that the trust root names.

use super::SignedBy;
use super::expectation::{Expectation, Identity};
use super::signed::Signed;
use crate::bundle::{Bundle, Content, Material};
use crate::digest::Algorithm;
use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;
use crate::timestamp::Timestamp;
use crate::trust::{TrustRoot, TrustedKey};

/// One signature of a bundle, with the hint that stands beside it.
pub(super) struct Signature<'a> {
    pub(super) bytes: &'a [u8],
    keyid: Option<&'a str>,
}

/// The signatures of a bundle.
pub(super) fn signatures(bundle: &Bundle) -> Vec<Signature<'_>> {
    match bundle.content() {
        Content::Envelope(envelope) => {
            let signatures = envelope.signatures().iter();
            signatures.map(|s| Signature { bytes: &s.sig, keyid: s.keyid.as_deref() }).collect()
        }
        Content::Message(message) => vec![Signature { bytes: &message.signature, keyid: None }],
    }
}

/// The demanded signers with a valid signature and a valid key, each once, with their signature.
pub(super) fn signers<'t, 'b>(
    trust: &'t TrustRoot,
    demanded: &[&'t TrustedKey],
    bundle: &'b Bundle,
    signed: &Signed<'_>,
    expectation: &Expectation,
) -> Result<Vec<(&'t TrustedKey, &'b [u8])>> {
    let mut found: Vec<(&TrustedKey, &[u8])> = Vec::new();
    let hints = hints(bundle);
    let (named, others): (Vec<&&TrustedKey>, Vec<_>) = demanded.iter().partition(|k| is_named(k, &hints));
    for signature in signatures(bundle) {
        // a hint says which key to try first, and no more: a key that verifies is the signer, whatever the hint says
        let valid = named.iter().chain(&others).find(|k| is_signed_by(trust, signed, &k.key, signature.bytes));
        if let Some(key) = valid.filter(|key| !found.iter().any(|(known, _)| known == **key)) {
            found.push((key, signature.bytes));
        }
    }
    if found.is_empty() {
        return Err(nobody(trust, bundle, demanded, &expectation.identity));
    }
    valid_at(found, &[expectation.at])
}

/// Whether `signature` is one by `key`; not computed again if the trust root remembers that it is.
fn is_signed_by(trust: &TrustRoot, signed: &Signed<'_>, key: &PublicKey, signature: &[u8]) -> bool {
    let verify = || signed.is_signed_by_key(key, signature);
    match trust.verified_signatures().zip(signed.digest(Algorithm::Sha256)) {
        Some((known, digest)) => known.holds(key, &digest, signature, verify),
        None => verify(),
    }
}

/// Those of the signers whose keys count at each of these times.
///
/// # Errors
/// `EXPIRED` or `NOT_YET_VALID` if none does.
pub(super) fn valid_at<'t, 'b>(
    mut signers: Vec<(&'t TrustedKey, &'b [u8])>,
    times: &[Timestamp],
) -> Result<Vec<(&'t TrustedKey, &'b [u8])>> {
    let mut refusal = None;
    signers.retain(|(key, _)| {
        let counts = times.iter().try_for_each(|at| key.window.check(&format!("the key `{}`", key.name), *at));
        counts.map_err(|e| refusal.get_or_insert(e).kind()).is_ok()
    });
    match refusal {
        Some(e) if signers.is_empty() => Err(e),
        _ => Ok(signers),
    }
}

pub(super) fn signed_by(key: &TrustedKey) -> SignedBy {
    SignedBy {
        name: key.name.clone(),
        key_id: PublicKey::id(&key.key),
        key_type: key.key.key_type(),
        certificate: None,
    }
}

/// By what names the signers of a bundle may be known.
fn hints(bundle: &Bundle) -> Vec<&str> {
    let hint = match bundle.material() {
        Material::PublicKey { hint } => hint.as_deref(),
        _ => None,
    };
    signatures(bundle).iter().filter_map(|s| s.keyid).chain(hint).collect()
}

fn is_named(key: &TrustedKey, hints: &[&str]) -> bool {
    !hints.is_empty() && {
        let id = key.key.id();
        hints.iter().any(|hint| *hint == id || *hint == key.name)
    }
}

/// Tells an edited record of a demanded signer from a record of somebody else.
fn nobody(trust: &TrustRoot, bundle: &Bundle, demanded: &[&TrustedKey], identity: &Identity) -> Error {
    let hints = hints(bundle);
    let wanted = identity.shown();
    if let Some(key) = demanded.iter().find(|k| is_named(k, &hints)) {
        return Error::new(
            ErrorKind::BadSignature,
            format!(
                "the record names the key `{}`, and its signature is not valid over these bytes; the record was edited \
                 or the signature is not its own: get it again from where it was made",
                key.name
            ),
        )
        .with("signer", &key.name);
    }
    match hints.first() {
        Some(other) => {
            let known = trust.keys().iter().find(|k| is_named(k, &hints)).map(|k| k.name.as_str());
            let other = known.unwrap_or(other);
            Error::new(
                ErrorKind::UntrustedSigner,
                format!(
                    "expected a signature by `{wanted}`, found one by `{}`; check who must sign it",
                    other.escape_debug()
                ),
            )
            .with("expected", wanted)
            .with("found", other)
        }
        None => Error::new(
            ErrorKind::BadSignature,
            format!("no signature of the record is valid for `{wanted}`; get it again, or check who must sign it"),
        )
        .with("expected", wanted),
    }
}
