//! Signed certificate timestamps in a certificate (RFC 6962 section 3.3): that a log of certificates vouches for it.

use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;
use crate::trust::certificate::Certificate;
use crate::trust::{CertificateAuthority, TrustRoot};

/// Checks that a believed log vouches for `certificate`, which `authority` gave.
pub(super) fn check(certificate: &Certificate<'_>, authority: &CertificateAuthority, trust: &TrustRoot) -> Result<()> {
    let list = certificate
        .sct_list()
        .ok_or_else(|| bad("holds no timestamp of a log of certificates", "sign with one that was logged"))?;
    let timestamps = read(list)
        .ok_or_else(|| bad("holds a list of log timestamps that is damaged", "sign with another certificate"))?;
    let mut known = false;
    let precertificate = certificate.precertificate();
    for timestamp in &timestamps {
        let logs = &trust.sigstore().certificate_logs;
        let Some(log) = logs.iter().find(|log| log.id == timestamp.log_id && log.window.contains(timestamp.at)) else {
            continue;
        };
        known = true;
        let signed = timestamp.signed(&precertificate, authority.key_hash.bytes());
        if signed.is_some_and(|signed| log.key.verifies_with(timestamp.digest, &signed, timestamp.signature)) {
            return Ok(());
        }
    }
    Err(if known {
        bad("was not what its log signed", "get the bundle again")
    } else {
        bad("is vouched for by no believed log", "if its log is right, give the trusted root that holds it")
    })
}

fn bad(what: &str, next: &str) -> Error {
    Error::new(ErrorKind::BadSct, format!("the signer's certificate {what}; {next}"))
}

struct Sct<'a> {
    log_id: &'a [u8],
    at: Timestamp,
    millis: &'a [u8],
    extensions: &'a [u8],
    digest: crate::digest::Algorithm,
    signature: &'a [u8],
}

impl Sct<'_> {
    /// The bytes that the log signed: an entry of a precertificate.
    fn signed(&self, precertificate: &[u8], issuer_key_hash: &[u8]) -> Option<Vec<u8>> {
        let [0, length @ ..] = u32::try_from(precertificate.len()).ok()?.to_be_bytes() else { return None };
        let extensions = u16::try_from(self.extensions.len()).ok()?.to_be_bytes();
        // version 1, a certificate timestamp, then the entry of type precertificate
        Some(
            [&[0, 0], self.millis, &[0, 1], issuer_key_hash, &length, precertificate, &extensions, self.extensions]
                .concat(),
        )
    }
}

/// Reads the list in its TLS encoding. Timestamps of a version or algorithm that is not known are left out.
fn read(list: &[u8]) -> Option<Vec<Sct<'_>>> {
    let mut input = list;
    let mut list = opaque(&mut input).filter(|_| input.is_empty())?;
    let mut found = Vec::new();
    while !list.is_empty() {
        let mut one = opaque(&mut list)?;
        let version = take(&mut one, 1)?;
        let (log_id, millis) = (take(&mut one, 32)?, take(&mut one, 8)?);
        let extensions = opaque(&mut one)?;
        let algorithm = take(&mut one, 2)?;
        let signature = opaque(&mut one).filter(|_| one.is_empty())?;
        let at = i64::from_be_bytes(millis.try_into().ok()?);
        // RFC 5246 section 7.4.1.4.1: SHA-256, 384 and 512; RSA, ECDSA, and what Ed25519 is written as
        let digest = match algorithm {
            [4, 1 | 3] => crate::digest::Algorithm::Sha256,
            [5, 1 | 3] => crate::digest::Algorithm::Sha384,
            [6, 1] | [8, 7] => crate::digest::Algorithm::Sha512,
            _ => continue,
        };
        if version == [0] {
            let at = Timestamp::from_unix_millis(at).ok()?;
            found.push(Sct { log_id, at, millis, extensions, digest, signature });
        }
    }
    Some(found)
}

fn take<'a>(input: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(taken)
}

/// A text of up to 65,535 bytes behind its length.
fn opaque<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = u16::from_be_bytes(take(input, 2)?.try_into().ok()?);
    take(input, length.into())
}
