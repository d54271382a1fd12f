//! Drafting the next version of a trust policy: what its admins then sign.

use super::{KEY_ISSUER, TrustPolicy, key_descriptor};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PublicKey;
use crate::predicate::{PersonId, RecordRef, Revocation, TrustPolicy as Predicate, TrustedSigner};
use crate::timestamp::Timestamp;

/// The version after `policy`, so far with nothing changed.
pub fn next(policy: &TrustPolicy) -> Predicate {
    let mut draft = policy.predicate().clone();
    draft.version += 1;
    draft.supersedes = Some(RecordRef::to(policy.payload()));
    draft
}

/// Revokes a signer, a person or a record; a signer is no admin any more. A signer stays listed, so that whoever still
/// uses it is told that it is revoked.
pub fn revoke(draft: &mut Predicate, revocation: Revocation) {
    draft.admins.retain(|admin| admin.signer != revocation.target);
    if !draft.revocations.contains(&revocation) {
        draft.revocations.push(revocation);
    }
}

/// Lets a signer go on under a new name, as a revocation demands: the same types, pairs and person. A new `key` is
/// needed where it signs with one; a certificate identity keeps its issuer and subject, and counts from `from` on.
///
/// # Errors
/// `NOT_FOUND` if there is no such signer, `API_MISUSE` if the key is missing or one too many.
pub fn replace(
    draft: &mut Predicate,
    signer: &str,
    name: &str,
    key: Option<&PublicKey>,
    from: Timestamp,
) -> Result<()> {
    let old = find(draft, signer)?.clone();
    let mut new = TrustedSigner { name: name.to_owned(), ..old.clone() };
    match (&old.key, key) {
        (Some(_), Some(key)) => {
            new.key = Some(key_descriptor(key));
            (new.valid_from, new.valid_until) = (None, None);
            follow(draft, &old, key)?;
        }
        (None, None) => {
            new.valid_from = Some(from);
            draft.signers.retain(|s| s.name != signer);
        }
        (Some(_), None) => {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{signer}` signs with a key, and a revoked key does not come back; give `{name}` a new one"),
            ));
        }
        (None, Some(_)) => {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{signer}` signs with certificates, not with a key; leave the key out"),
            ));
        }
    }
    if let Some(admin) = draft.admins.iter_mut().find(|admin| admin.signer == signer) {
        name.clone_into(&mut admin.signer);
    }
    draft.signers.push(new);
    Ok(())
}

/// Gives a signer a new key under its old name: a planned change, not one after a theft.
///
/// # Errors
/// `NOT_FOUND` if there is no such signer, `API_MISUSE` if it signs with certificates.
pub fn rotate(draft: &mut Predicate, signer: &str, key: &PublicKey) -> Result<()> {
    let old = find(draft, signer)?.clone();
    if old.key.is_none() {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!("`{signer}` signs with certificates, which change by themselves; leave it as it is"),
        ));
    }
    follow(draft, &old, key)?;
    for signer in draft.signers.iter_mut().filter(|s| s.name == signer) {
        signer.key = Some(key_descriptor(key));
        (signer.valid_from, signer.valid_until) = (None, None);
    }
    Ok(())
}

fn find<'a>(draft: &'a Predicate, signer: &str) -> Result<&'a TrustedSigner> {
    draft.signers.iter().find(|s| s.name == signer).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("the trust policy has no signer `{}`", signer.escape_debug()))
    })
}

/// Lists the id of a new key under the person who holds the old one, who stays the person behind both.
fn follow(draft: &mut Predicate, old: &TrustedSigner, key: &PublicKey) -> Result<()> {
    let Some(old) = super::public_key(old)? else { return Ok(()) };
    let id = |key: &PublicKey| PersonId { issuer: KEY_ISSUER.to_owned(), subject: key.id() };
    if let Some(person) = draft.people.iter_mut().find(|p| p.ids.contains(&id(&old)) && !p.ids.contains(&id(key))) {
        person.ids.push(id(key));
    }
    Ok(())
}
