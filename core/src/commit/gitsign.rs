//! gitsign: CMS signatures (RFC 5652) by Fulcio certificates, with their entry in a transparency log inside.
//!
//! A gitsign signature is a Sigstore bundle in another dress: what is signed is the DER of the signed attributes, one of
//! which is the digest of the object. It is taken apart here, put together as a bundle, and verified as any other bundle.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString};
use der::{Decode, Encode};
use x509_cert::Certificate;
use x509_cert::attr::Attributes;

use super::object::Signed;
use super::protobuf::log_entry;
use super::{CommitSigner, SignerKey, bad_signature};
use crate::bundle::{Bundle, LogEntry, MessageSignature};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;
use crate::trust::TrustRoot;
use crate::verifier::{Blob, Expectation, Identity, Verifier};

const BEGIN: &str = "-----BEGIN SIGNED MESSAGE-----";
const END: &str = "-----END SIGNED MESSAGE-----";
const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const TIMESTAMP_TOKEN: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.14");
const LOG_ENTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.3.1");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// Verifies the signature by one of the certificate identities that `trust` names.
pub(super) fn verify(trust: &TrustRoot, signed: &Signed, now: Timestamp) -> Result<CommitSigner> {
    let cms = SignedMessage::parse(&signed.signature)?;
    if cms.digest != Digest::sha256(&signed.payload).bytes() {
        return Err(bad_signature("of its certificate"));
    }
    let bundle = cms.bundle()?.to_json();
    let names = trust.identities().iter().map(|i| i.name.clone()).collect();
    let expectation = Expectation::of_signer(Identity::OneOf(names), now);
    let verified = Verifier::new(trust.clone()).verify_blob(&bundle, Blob::Bytes(&cms.message), &expectation)?;
    let claims = verified.signers().iter().find_map(|s| s.certificate.as_ref());
    match (claims, verified.signed_at()) {
        (Some(claims), Some(signed_at)) => Ok(CommitSigner {
            key: SignerKey::Certificate { subject: claims.subject.clone(), issuer: claims.issuer.clone() },
            principals: vec![claims.subject.clone()],
            forge: None,
            signed_at,
        }),
        _ => Err(Error::new(ErrorKind::Internal, "a certificate was verified without its claims or its time")),
    }
}

/// A detached CMS signature by one signer. Not verified.
struct SignedMessage {
    signer: SignerInfo,
    certificate: Vec<u8>,
    /// The signed attributes in DER, which the signature is over.
    message: Vec<u8>,
    /// What they say is the digest of the object.
    digest: Vec<u8>,
}

impl SignedMessage {
    fn parse(text: &str) -> Result<Self> {
        let der = unarmored(text).ok_or_else(|| malformed("something else around or in it"))?;
        let content = ContentInfo::from_der(&der).map_err(|e| malformed("other bytes").caused_by(e))?;
        if content.content_type != SIGNED_DATA {
            return Err(malformed("a CMS message that is not signed"));
        }
        let data: SignedData = content.content.decode_as().map_err(|e| malformed("broken signed data").caused_by(e))?;
        if data.encap_content_info.econtent_type != DATA || data.encap_content_info.econtent.is_some() {
            return Err(malformed("one with content of its own"));
        }
        let [signer] = data.signer_infos.0.as_slice() else { return Err(malformed("none or several signers")) };
        if signer.digest_alg.oid != SHA256 {
            return Err(malformed("one over another hash than SHA-256"));
        }
        let attributes = signer.signed_attrs.as_ref().ok_or_else(|| malformed("one without signed attributes"))?;
        let content_type = only(attributes, CONTENT_TYPE)?.ok_or_else(|| malformed("no type of its content"))?;
        if content_type.decode_as::<ObjectIdentifier>().ok() != Some(DATA) {
            return Err(malformed("one of other content than plain bytes"));
        }
        let digest = only(attributes, MESSAGE_DIGEST)?.and_then(|v| v.decode_as::<OctetString>().ok());
        let digest = digest.ok_or_else(|| malformed("no digest of the object"))?.into_bytes();
        let message = attributes.to_der().map_err(|e| malformed("broken signed attributes").caused_by(e))?;
        let certificates = data.certificates.iter().flat_map(|set| set.0.iter());
        let certificate = certificates.filter_map(|c| match c {
            CertificateChoices::Certificate(c) => Some(c),
            CertificateChoices::Other(_) => None,
        });
        let certificate = certificate.into_iter().find(|c| is_named(c, &signer.sid));
        let certificate = certificate.ok_or_else(|| malformed("no certificate of its signer"))?;
        let certificate = certificate.to_der().map_err(|e| malformed("a broken certificate").caused_by(e))?;
        Ok(Self { certificate, message, digest, signer: signer.clone() })
    }

    /// The same signature as a Sigstore bundle.
    fn bundle(&self) -> Result<Bundle> {
        let signature = self.signer.signature.as_bytes().to_vec();
        let content = MessageSignature::new(Some(Digest::sha256(&self.message)), signature.clone());
        let bundle = Bundle::of_certificate(content, self.certificate.clone());
        let none = Attributes::default();
        let unsigned = self.signer.unsigned_attrs.as_ref().unwrap_or(&none);
        let Some(entry) = only(unsigned, LOG_ENTRY)? else {
            return Err(Error::new(
                ErrorKind::BadLogEntry,
                "the gitsign signature brings no entry of a transparency log, and nothing is asked online; sign with \
                 `gitsign.rekorMode` set to `offline`",
            ));
        };
        let entry = entry.decode_as::<OctetString>().ok().and_then(|bytes| log_entry(bytes.as_bytes()));
        let entry = entry.ok_or_else(|| {
            Error::new(ErrorKind::BadLogEntry, "the log entry of the gitsign signature can't be read; sign it again")
        })?;
        let bundle = bundle.with_log_entry(self.with_body(entry, &signature));
        match only(unsigned, TIMESTAMP_TOKEN)? {
            Some(token) => {
                let token = token.to_der().map_err(|e| malformed("a broken timestamp").caused_by(e))?;
                Ok(bundle.with_timestamp(response(&token).ok_or_else(|| malformed("a timestamp too long"))?))
            }
            None => Ok(bundle),
        }
    }

    /// gitsign leaves out what the log has, for it can be put together again (RFC 8785): the log's own signatures show
    /// whether it was this.
    fn with_body(&self, entry: LogEntry, signature: &[u8]) -> LogEntry {
        if !entry.canonicalized_body.is_empty() {
            return entry;
        }
        let body = format!(
            r#"{{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{{"data":{{"hash":{{"algorithm":"sha256","value":"{}"}}}},"signature":{{"content":"{}","publicKey":{{"content":"{}"}}}}}}}}"#,
            Digest::sha256(&self.message).hex(),
            STANDARD.encode(signature),
            STANDARD.encode(pem(&self.certificate)),
        );
        LogEntry { canonicalized_body: body.into_bytes(), ..entry }
    }
}

/// The bytes in the armor.
fn unarmored(text: &str) -> Option<Vec<u8>> {
    let inner = text.trim_end().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let base64: String = inner.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    STANDARD.decode(base64).ok()
}

/// The only value of an attribute that stands once or not at all.
fn only(attributes: &Attributes, oid: ObjectIdentifier) -> Result<Option<&der::Any>> {
    let mut all = attributes.iter().filter(|a| a.oid == oid);
    match (all.next().map(|a| a.values.as_slice()), all.next()) {
        (None, _) => Ok(None),
        (Some([value]), None) => Ok(Some(value)),
        _ => Err(malformed("an attribute with several values")),
    }
}

fn is_named(certificate: &Certificate, by: &SignerIdentifier) -> bool {
    let certificate = &certificate.tbs_certificate;
    match by {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            named.issuer == certificate.issuer && named.serial_number == certificate.serial_number
        }
        // gitsign never names it so
        SignerIdentifier::SubjectKeyIdentifier(_) => false,
    }
}

/// A certificate as Go's `encoding/pem` writes it.
fn pem(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines = base64.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line) + "\n");
    let lines: String = lines.collect();
    format!("-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n")
}

/// A TimeStampResp (RFC 3161) that grants `token`.
fn response(token: &[u8]) -> Option<Vec<u8>> {
    const GRANTED: [u8; 5] = [0x30, 3, 2, 1, 0];
    let length = u16::try_from(GRANTED.len() + token.len()).ok()?;
    let header: &[u8] = match (length, length.to_be_bytes()) {
        (..=0x7f, [_, low]) => &[0x30, low],
        (..=0xff, [_, low]) => &[0x30, 0x81, low],
        (_, [high, low]) => &[0x30, 0x82, high, low],
    };
    Some([header, &GRANTED, token].concat())
}

fn malformed(found: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("expected one gitsign signature (detached CMS), found {found}; sign it again with gitsign"),
    )
}
