//! Signatures by the holder of a certificate that a Sigstore authority gave.

use super::expectation::Expectation;
use super::{SignedBy, sct};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;
use crate::trust::certificate::Certificate;
use crate::trust::scheme::{Family, VerifyingKey};
use crate::trust::{CertificateAuthority, CertificateIdentity, TrustRoot, Window};

/// An identity that is demanded: of no name if it is not in the trust root.
pub(super) struct Demanded<'t> {
    pub(super) name: Option<&'t str>,
    pub(super) identity: &'t CertificateIdentity,
    pub(super) window: Window,
}

/// A certificate that a believed authority gave to a demanded identity. When it counts is not checked yet.
pub(super) struct Holder<'a> {
    pub(super) certificate: Certificate<'a>,
    pub(super) key: VerifyingKey,
    pub(super) signed_by: SignedBy,
    window: Window,
    authority_window: Window,
}

/// Checks whose certificate it is: given by a believed authority, vouched for by a believed log, to a demanded identity.
pub(super) fn holder<'a>(
    (leaf, above): (&'a [u8], &[Vec<u8>]),
    trust: &TrustRoot,
    demanded: &[Demanded<'_>],
    expectation: &Expectation,
) -> Result<Holder<'a>> {
    let certificate = Certificate::parse(leaf)?;
    check_order(&certificate, above)?;
    let key = VerifyingKey::from_spki(certificate.spki)?;
    let authority = giver(leaf, &certificate, trust)?;
    if !expectation.without_sct {
        sct::check(&certificate, authority, trust)?;
    }
    let claims = certificate.claims()?;
    let mut refusal = None;
    let identity = demanded.iter().find(|d| match d.identity.check(&claims) {
        Ok(()) => true,
        Err(e) => {
            refusal.get_or_insert(e);
            false
        }
    });
    let Some(identity) = identity else {
        return Err(refusal.unwrap_or_else(|| Error::new(ErrorKind::ApiMisuse, "no signer is demanded")));
    };
    let signed_by = SignedBy {
        name: identity.name.unwrap_or(&claims.subject).to_owned(),
        key_id: Digest::sha256(certificate.spki).hex(),
        key_type: key.family().key_type(),
        certificate: Some(claims),
    };
    Ok(Holder { window: identity.window, authority_window: authority.window(), certificate, key, signed_by })
}

impl Holder<'_> {
    /// Checks that certificate, authority and identity count at each of these times, of which there is at least one.
    pub(super) fn check_times(&self, times: &[Timestamp]) -> Result<()> {
        if times.is_empty() {
            return Err(Error::new(
                ErrorKind::BadTimestamp,
                "nothing authenticated says when the record was signed, and its certificate counts for minutes only; \
                 sign with a timestamp, or with a log that promises inclusion",
            ));
        }
        for at in times {
            self.certificate.window().check("the signer's certificate", *at)?;
            if !self.authority_window.contains(*at) {
                return Err(Error::new(
                    ErrorKind::UntrustedCertificate,
                    "the authority of the signer's certificate did not count at the time of signing; check the trusted \
                     root",
                )
                .with("expected", self.authority_window)
                .with("found", at));
            }
            self.window.check(&format!("the identity `{}`", self.signed_by.name), *at)?;
        }
        Ok(())
    }
}

/// Checks that the certificates beside the signer's are its chain, each given by the next. They are of no other use: the
/// way to the root is the trusted root's own.
fn check_order(leaf: &Certificate<'_>, above: &[Vec<u8>]) -> Result<()> {
    let mut issuer = leaf.issuer;
    for der in above {
        let next = Certificate::parse(der)?;
        if next.subject != issuer {
            return Err(Error::new(
                ErrorKind::UntrustedCertificate,
                "the certificates beside the signer's are not its chain, each given by the next; leave them out",
            ));
        }
        issuer = next.issuer;
    }
    Ok(())
}

/// How the holder of this certificate hashes a message before signing it, or that it does not; none if the certificate
/// can't be read, which is told later.
pub(super) fn prehash(leaf: &[u8]) -> Option<Option<Algorithm>> {
    let family = Certificate::parse(leaf).and_then(|c| Family::of_spki(c.spki)).ok()?;
    Some(if family.hashes_by_itself() { None } else { Some(family.usual_digest()) })
}

/// The believed authority that gave the certificate. Of several with the same key, one that counted then.
fn giver<'t>(leaf: &[u8], certificate: &Certificate<'_>, trust: &'t TrustRoot) -> Result<&'t CertificateAuthority> {
    let authorities = &trust.sigstore().certificate_authorities;
    let counted = |a: &&CertificateAuthority| a.window().contains(certificate.not_before);
    let all = || authorities.iter().map(|a| &**a);
    let candidates = all().filter(counted).chain(all().filter(|a| !counted(a)));
    candidates.into_iter().find(|a| a.gave(leaf, certificate.not_before)).ok_or_else(|| {
        Error::new(
            ErrorKind::UntrustedCertificate,
            "the signer's certificate was given by no believed authority for signing code; if its authority is right, \
             give the trusted root that holds it",
        )
        .with("authorities", all().map(CertificateAuthority::name).collect::<Vec<_>>().join(", "))
    })
}
