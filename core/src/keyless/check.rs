//! The last step: what the services gave must verify, as by the identity that the token names.

use super::token::Token;
use crate::digest::Digest;
use crate::error::Result;
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust::TrustRoot;
use crate::verifier::{Artifact, Blob, CertificateIdentity, Expectation, Identity, Matcher, Verifier};

pub(super) fn statement(
    bundle: &[u8],
    statement: &Statement,
    token: &Token,
    trust: &TrustRoot,
    now: Timestamp,
) -> Result<()> {
    // which subjects it has is compared below, with all else that it says
    let expectation = Expectation::new(Artifact::AnyUnsafe, identity(token)?, now);
    let verified = Verifier::new(trust.clone()).verify(bundle, &expectation).map_err(doing)?;
    if verified.value().payload() == statement.payload() { Ok(()) } else { Err(super::sign::changed()) }
}

pub(super) fn blob(bundle: &[u8], artifact: &Digest, token: &Token, trust: &TrustRoot, now: Timestamp) -> Result<()> {
    let expectation = Expectation::new(Artifact::Is(artifact.clone()), identity(token)?, now);
    Verifier::new(trust.clone()).verify_blob(bundle, Blob::Digest(artifact.clone()), &expectation).map_err(doing)?;
    Ok(())
}

/// An e-mail address is certified as it stands in the token. What is certified of a workload is up to the authority's
/// own templates, so that only its issuer is demanded here; that the key is ours, the signature says.
fn identity(token: &Token) -> Result<Identity> {
    let subject = match token.email() {
        Some(email) => Matcher::Exact(email.to_owned()),
        None => Matcher::pattern("(?s).+")?,
    };
    Ok(Identity::Certificate(CertificateIdentity::new(subject, token.certified_issuer())))
}

fn doing(e: crate::error::Error) -> crate::error::Error {
    e.while_doing("what the services gave does not verify against the trusted root, and is not given out")
}
