//! An X.509 certificate as it lies in its bytes: nothing is copied, so that what a log signed can be put together again.

use std::collections::BTreeMap;

use der::Decode;
use der::asn1::{ObjectIdentifier, Utf8StringRef};

use super::identity::{CertificateClaims, Extension};
use super::{Window, tlv};
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;

const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
const FULCIO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1");
const FULCIO_USER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// A certificate, read and not verified.
#[derive(Clone, Debug)]
pub(crate) struct Certificate<'a> {
    /// What stands in the TBSCertificate before its extensions.
    before_extensions: &'a [u8],
    pub(crate) serial: &'a [u8],
    /// The issuer's name, whole.
    pub(crate) issuer: &'a [u8],
    /// Its own name, whole.
    pub(crate) subject: &'a [u8],
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    /// The SubjectPublicKeyInfo, whole.
    pub(crate) spki: &'a [u8],
    extensions: Vec<Part<'a>>,
}

#[derive(Clone, Debug)]
struct Part<'a> {
    oid: ObjectIdentifier,
    value: &'a [u8],
    whole: &'a [u8],
}

impl<'a> Certificate<'a> {
    /// Reads a certificate of version 3 in DER.
    ///
    /// # Errors
    /// `MALFORMED`.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        read(bytes).ok_or_else(|| {
            Error::new(ErrorKind::Malformed, "expected an X.509 certificate of version 3 in DER, found other bytes")
        })
    }

    /// From its first to its last second.
    pub(crate) fn window(&self) -> Window {
        Window::closed(Some(self.not_before), Some(self.not_after))
    }

    /// The list of signed certificate timestamps (RFC 6962 section 3.3), in its TLS encoding.
    pub(crate) fn sct_list(&self) -> Option<&'a [u8]> {
        tlv::only(self.extension(SCT_LIST)?, tlv::OCTETS)
    }

    /// The subject key identifier.
    pub(crate) fn key_id(&self) -> Option<&'a [u8]> {
        tlv::only(self.extension(SUBJECT_KEY_ID)?, tlv::OCTETS)
    }

    /// The TBSCertificate without the list of timestamps: what a log signed before it was put in.
    pub(crate) fn precertificate(&self) -> Vec<u8> {
        let kept: Vec<&[u8]> = self.extensions.iter().filter(|e| e.oid != SCT_LIST).map(|e| e.whole).collect();
        let list = tlv::write(tlv::SEQUENCE, &kept);
        tlv::write(tlv::SEQUENCE, &[self.before_extensions, &tlv::write(0xa3, &[&list])])
    }

    /// Its one alternative name: an e-mail address, a URI or Fulcio's user name.
    pub(crate) fn holder(&self) -> Option<&'a str> {
        self.extension(SUBJECT_ALT_NAME).and_then(alternative_name)
    }

    /// The issuer of the token that Fulcio gave it for, if it says one.
    ///
    /// # Errors
    /// `UNTRUSTED_CERTIFICATE` if it is no text, or if its two places (`.1` and `.8`) differ.
    pub(crate) fn token_issuer(&self) -> Result<Option<&'a str>> {
        let mut found = None;
        for part in &self.extensions {
            let said = match part.fulcio_arc() {
                Some(1) => bare_text(part.value),
                Some(8) => text(part.value),
                _ => continue,
            };
            let said = said.ok_or_else(|| odd("has an issuer that is no text"))?;
            if found.replace(said).is_some_and(|other| other != said) {
                return Err(odd("names two issuers of the signer's identity"));
            }
        }
        Ok(found)
    }

    /// Whether it restricts the names below it.
    pub(crate) fn constrains_names(&self) -> bool {
        self.extension(NAME_CONSTRAINTS).is_some()
    }

    /// What Fulcio says in it of its holder.
    ///
    /// # Errors
    /// `UNTRUSTED_CERTIFICATE` if it names not exactly one subject, or no issuer of its token.
    pub(crate) fn claims(&self) -> Result<CertificateClaims> {
        let subject =
            self.holder().ok_or_else(|| odd("does not name exactly one e-mail address, URI or user"))?.to_owned();
        let issuer = self.token_issuer()?.ok_or_else(|| odd("names no issuer of the signer's identity"))?.to_owned();
        let mut extensions = BTreeMap::new();
        for part in &self.extensions {
            let Some((arc, extension)) = part.fulcio_arc().and_then(|arc| Some((arc, Extension::of_arc(arc)?))) else {
                continue;
            };
            // the first six hold bare text, those from .8 on hold a UTF8String
            if let Some(said) = if arc <= 6 { bare_text(part.value) } else { text(part.value) } {
                extensions.insert(extension, said.to_owned());
            }
        }
        Ok(CertificateClaims { subject, issuer, extensions, not_before: self.not_before, not_after: self.not_after })
    }

    fn extension(&self, oid: ObjectIdentifier) -> Option<&'a [u8]> {
        self.extensions.iter().find(|e| e.oid == oid).map(|e| e.value)
    }
}

impl Part<'_> {
    /// Which of Fulcio's extensions it is.
    fn fulcio_arc(&self) -> Option<u32> {
        let der = self.oid.as_bytes().strip_prefix(FULCIO.as_bytes())?;
        match der {
            [arc] if *arc < 0x80 => Some(u32::from(*arc)),
            _ => None,
        }
    }
}

fn odd(what: &str) -> Error {
    Error::new(ErrorKind::UntrustedCertificate, format!("the signer's certificate {what}; take one that Fulcio gave"))
}

fn read(bytes: &[u8]) -> Option<Certificate<'_>> {
    let mut certificate = tlv::only(bytes, tlv::SEQUENCE)?;
    let tbs = tlv::expect(&mut certificate, tlv::SEQUENCE)?;
    let mut rest = tbs;
    // [0] EXPLICIT INTEGER: 2 is version 3
    if tlv::next(&mut rest)?.whole != [0xa0, 3, 2, 1, 2] {
        return None;
    }
    let serial = tlv::expect(&mut rest, tlv::INTEGER)?;
    tlv::expect(&mut rest, tlv::SEQUENCE)?;
    let issuer = tlv::next(&mut rest)?.whole;
    let mut validity = tlv::expect(&mut rest, tlv::SEQUENCE)?;
    let (not_before, not_after) = (tlv::time(tlv::next(&mut validity)?)?, tlv::time(tlv::next(&mut validity)?)?);
    let subject = tlv::next(&mut rest)?.whole;
    let spki = tlv::next(&mut rest)?.whole;
    // unique ids, of no use to anybody, stay where they are
    tlv::optional(&mut rest, 0x81);
    tlv::optional(&mut rest, 0x82);
    let before_extensions = tbs.get(..tbs.len() - rest.len())?;
    let mut list = tlv::only(tlv::expect(&mut rest, 0xa3)?, tlv::SEQUENCE)?;
    let mut extensions: Vec<Part<'_>> = Vec::with_capacity(24);
    while !list.is_empty() {
        let part = extension(tlv::next(&mut list)?)?;
        if extensions.iter().any(|e| e.oid == part.oid) {
            return None;
        }
        extensions.push(part);
    }
    (rest.is_empty() && validity.is_empty()).then_some(Certificate {
        before_extensions,
        serial,
        issuer,
        subject,
        not_before,
        not_after,
        spki,
        extensions,
    })
}

fn extension(part: tlv::Tlv<'_>) -> Option<Part<'_>> {
    let mut fields = part.content;
    let oid = ObjectIdentifier::from_der(tlv::next(&mut fields)?.whole).ok()?;
    tlv::optional(&mut fields, 0x01);
    Some(Part { oid, value: tlv::only(fields, tlv::OCTETS)?, whole: part.whole })
}

/// The one name of a SubjectAlternativeName: an e-mail address, a URI, or Fulcio's user name.
fn alternative_name(value: &[u8]) -> Option<&str> {
    let mut names = tlv::only(value, tlv::SEQUENCE)?;
    let name = tlv::next(&mut names).filter(|_| names.is_empty())?;
    let said = match name.tag {
        0x81 | 0x86 => std::str::from_utf8(name.content).ok().filter(|s| s.is_ascii())?,
        0xa0 => {
            let mut other = name.content;
            let oid = ObjectIdentifier::from_der(tlv::next(&mut other)?.whole).ok()?;
            text(tlv::only(other, 0xa0)?).filter(|_| oid == FULCIO_USER_NAME)?
        }
        _ => return None,
    };
    (!said.is_empty()).then_some(said)
}

fn text(value: &[u8]) -> Option<&str> {
    Utf8StringRef::from_der(value).ok().map(|s| s.as_str())
}

/// Text as it is, or, as some wrote it, in a UTF8String; its tag is a control character that no such text begins with.
fn bare_text(value: &[u8]) -> Option<&str> {
    text(value).or_else(|| std::str::from_utf8(value).ok())
}
