//! What is common to keys that are elsewhere: what they may be, and what is believed of what they answer.

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey};

/// Refuses a key that signs no digests, or that nothing new is signed with.
pub(super) fn require_ecdsa(by: &str, key: &PublicKey) -> Result<()> {
    match key.key_type() {
        KeyType::P256 | KeyType::P384 => Ok(()),
        other => Err(Error::new(
            ErrorKind::Unsupported,
            format!("expected a key of type p256 or p384 for {by}, which gets only digests to sign; found {other}"),
        )
        .with("found", other)),
    }
}

/// The signature, if it is one of `key` over the digest. Whoever holds the key is not trusted to have used it.
pub(super) fn checked(by: &str, key: &PublicKey, digest: &Digest, signature: Vec<u8>) -> Result<Vec<u8>> {
    key.verify_digest(digest, &signature).map(|()| signature).map_err(|e| {
        failed(by, &format!("answered with no signature of the key `{}` over what was to be signed", key.id()))
            .caused_by(e)
    })
}

/// The error of a signer that did not sign.
pub(crate) fn failed(by: &str, why: &str) -> Error {
    Error::new(ErrorKind::SignerFailed, format!("{by} {why}; look after it and sign again"))
}
