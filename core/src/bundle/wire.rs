//! The JSON form of bundles.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::log_entry::EntryWire;
use super::{Bundle, Content, LogEntry, Material, MessageSignature, V03, Version, base64, malformed, over};
use crate::digest::{Algorithm, Digest};
use crate::envelope::{Envelope, EnvelopeWire, IN_TOTO, Signature};
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// Media types with their version. The first of a version is the one that is written.
const MEDIA_TYPES: [(&str, Version); 5] = [
    (V03, Version::V03),
    ("application/vnd.dev.sigstore.bundle+json;version=0.3", Version::V03),
    ("application/vnd.dev.sigstore.bundle+json;version=0.2", Version::V02),
    ("application/vnd.dev.sigstore.bundle+json;version=0.1", Version::V01),
    ("application/vnd.dev.sigstore.bundle+json", Version::V01),
];

const ALGORITHMS: [(&str, Algorithm); 3] =
    [("SHA2_256", Algorithm::Sha256), ("SHA2_384", Algorithm::Sha384), ("SHA2_512", Algorithm::Sha512)];

pub(super) fn read(bytes: &[u8]) -> Result<Bundle> {
    let wire: RecordWire<'_> = match typed("bundle", bytes) {
        Ok(wire) => wire,
        // what is no strict JSON is told as such
        Err(e) => return json::check("record", bytes).and(Err(of_another_version(bytes).unwrap_or(e))),
    };
    json::check_around("record", bytes, wire.dsse_envelope.as_ref().map_or("", EnvelopeWire::payload))?;
    let Some(media_type) = wire.media_type else {
        if wire.payload_type.is_some() {
            let content = Content::Envelope(Envelope::from_wire(typed("envelope", bytes)?)?);
            return Ok(Bundle::new(Material::Bare, content));
        }
        if wire.attestation.is_some() {
            return typed::<AttestationWire<'_>>("attestation", bytes)?.read();
        }
        return Err(not_a_bundle(""));
    };
    let version = version_of(&media_type).ok_or_else(|| not_a_bundle(&media_type))?;
    let material = wire.verification_material.ok_or_else(|| malformed("it lacks `verificationMaterial`"))?;
    let content = match (wire.dsse_envelope, wire.message_signature) {
        (Some(envelope), None) => Content::Envelope(Envelope::from_wire(envelope)?),
        (None, Some(message)) => Content::Message(message.read()?),
        _ => return Err(malformed("it must hold a DSSE envelope or a message signature, and one of them")),
    };
    let entries = material.tlog_entries.unwrap_or_default();
    if entries.len() > limits::BUNDLE_PARTS {
        return Err(over("log entries", limits::BUNDLE_PARTS));
    }
    let timestamps = material.timestamp_verification_data.unwrap_or_default();
    let timestamps = timestamps.rfc3161_timestamps.unwrap_or_default();
    if timestamps.len() > limits::BUNDLE_PARTS {
        return Err(over("timestamps", limits::BUNDLE_PARTS));
    }
    let signer = SignerWire {
        public_key: material.public_key,
        certificate: material.certificate,
        x509_certificate_chain: material.x509_certificate_chain,
    };
    let timestamps = timestamps.iter().map(|t| base64("signedTimestamp", &t.signed_timestamp));
    let (log_entries, timestamps) = (
        entries.into_iter().map(LogEntry::from_wire).collect::<Result<Vec<_>>>()?,
        timestamps.collect::<Result<Vec<_>>>()?,
    );
    if holds_twice(&log_entries) || holds_twice(&timestamps) {
        return Err(malformed("it holds the same log entry or timestamp twice"));
    }
    Ok(Bundle { version, material: signer.read(version)?, log_entries, timestamps, content })
}

pub(super) fn write(bundle: &Bundle) -> Vec<u8> {
    let certificate = |der: &Vec<u8>| CertificateWire { raw_bytes: STANDARD.encode(der).into() };
    let (mut public_key, mut leaf, mut chain) = (None, None, None);
    match (&bundle.material, &bundle.content) {
        (Material::Bare, Content::Envelope(envelope)) => return envelope.to_json(),
        (Material::Bare, Content::Message(_)) => public_key = Some(PublicKeyWire { hint: None }),
        (Material::PublicKey { hint }, _) => {
            public_key = Some(PublicKeyWire { hint: hint.as_deref().map(Cow::Borrowed) });
        }
        (Material::Certificate(der), _) => leaf = Some(certificate(der)),
        (Material::CertificateChain(ders), _) => {
            chain = Some(ChainWire { certificates: ders.iter().map(certificate).collect() });
        }
    }
    let message_signature = match &bundle.content {
        Content::Envelope(_) => None,
        Content::Message(message) => Some(MessageWire::of(message)),
    };
    let timestamps: Vec<_> =
        bundle.timestamps.iter().map(|t| TimestampWire { signed_timestamp: STANDARD.encode(t).into() }).collect();
    let entries: Vec<_> = bundle.log_entries.iter().map(LogEntry::to_wire).collect();
    let media_type = MEDIA_TYPES.iter().find(|(_, v)| *v == bundle.version).map_or(V03, |(name, _)| name);
    let wire = BundleWire {
        media_type,
        verification_material: MaterialWire {
            public_key,
            certificate: leaf,
            x509_certificate_chain: chain,
            tlog_entries: (!entries.is_empty()).then_some(entries),
            timestamp_verification_data: (!timestamps.is_empty())
                .then_some(TimestampsWire { rfc3161_timestamps: Some(timestamps) }),
        },
        message_signature,
    };
    let mut json = json::to_text(&wire);
    if let Content::Envelope(envelope) = &bundle.content {
        // it writes itself, as the last member
        json.pop();
        json.push_str(r#","dsseEnvelope":"#);
        envelope.write_json(&mut json);
        json.push('}');
    }
    json.into_bytes()
}

fn holds_twice<T: PartialEq>(parts: &[T]) -> bool {
    parts.iter().enumerate().any(|(n, part)| parts.iter().take(n).any(|other| other == part))
}

/// Reads what [`json::check`] finds to be strict JSON.
fn typed<'de, T: Deserialize<'de>>(what: &str, bytes: &'de [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("the {what} is not what its format demands: {e}; get it again"))
            .with("line", e.line())
            .with("column", e.column())
            .caused_by(e)
    })
}

fn version_of(media_type: &str) -> Option<Version> {
    MEDIA_TYPES.iter().find(|(name, _)| *name == media_type).map(|(_, version)| *version)
}

/// Why a bundle that is not of our shape need not be: its version is another one.
fn of_another_version(bytes: &[u8]) -> Option<Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        media_type: String,
    }
    let shape: Shape = serde_json::from_slice(bytes).ok()?;
    version_of(&shape.media_type).is_none().then(|| not_a_bundle(&shape.media_type))
}

fn not_a_bundle(found: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the media type `{}` is no Sigstore bundle v0.1 to v0.3; expected `{V03}` or a DSSE envelope",
            found.escape_debug()
        ),
    )
    .with("expected", V03)
    .with("found", found.escape_debug())
}

/// A bundle, or by a member of theirs, an envelope or an attestation of the Python package index.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RecordWire<'a> {
    #[serde(borrow)]
    media_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    verification_material: Option<MaterialWire<'a>>,
    #[serde(borrow)]
    dsse_envelope: Option<EnvelopeWire<'a>>,
    #[serde(borrow)]
    message_signature: Option<MessageWire<'a>>,
    payload_type: Option<IgnoredAny>,
    #[serde(rename = "verification_material")]
    attestation: Option<IgnoredAny>,
}

/// An attestation of the Python package index (PEP 740), which is a bundle v0.3 in other words.
#[derive(Deserialize)]
struct AttestationWire<'a> {
    version: u64,
    #[serde(borrow)]
    verification_material: AttestationMaterialWire<'a>,
    #[serde(borrow)]
    envelope: AttestationEnvelopeWire<'a>,
}

#[derive(Deserialize)]
struct AttestationMaterialWire<'a> {
    #[serde(borrow)]
    certificate: Cow<'a, str>,
    #[serde(borrow)]
    transparency_entries: Vec<EntryWire<'a>>,
}

#[derive(Deserialize)]
struct AttestationEnvelopeWire<'a> {
    #[serde(borrow)]
    statement: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

impl AttestationWire<'_> {
    fn read(self) -> Result<Bundle> {
        if self.version != 1 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the attestation is of version {}; expected version 1 of PEP 740", self.version),
            ));
        }
        let payload = base64("statement", &self.envelope.statement)?;
        if payload.len() > limits::PAYLOAD_BYTES {
            return Err(over("bytes of payload", limits::PAYLOAD_BYTES));
        }
        let signature = Signature::new(None, base64("signature", &self.envelope.signature)?);
        let entries = self.verification_material.transparency_entries;
        if entries.len() > limits::BUNDLE_PARTS {
            return Err(over("log entries", limits::BUNDLE_PARTS));
        }
        Ok(Bundle {
            version: Version::V03,
            material: Material::Certificate(base64("certificate", &self.verification_material.certificate)?),
            log_entries: entries.into_iter().map(LogEntry::from_wire).collect::<Result<_>>()?,
            timestamps: Vec::new(),
            content: Envelope::new(IN_TOTO, payload, vec![signature])?.into(),
        })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BundleWire<'a> {
    media_type: &'a str,
    verification_material: MaterialWire<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_signature: Option<MessageWire<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaterialWire<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    public_key: Option<PublicKeyWire<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    certificate: Option<CertificateWire<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none", rename = "x509CertificateChain")]
    x509_certificate_chain: Option<ChainWire<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    tlog_entries: Option<Vec<EntryWire<'a>>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<TimestampsWire<'a>>,
}

struct SignerWire<'a> {
    public_key: Option<PublicKeyWire<'a>>,
    certificate: Option<CertificateWire<'a>>,
    x509_certificate_chain: Option<ChainWire<'a>>,
}

#[derive(Serialize, Deserialize)]
struct PublicKeyWire<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    hint: Option<Cow<'a, str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateWire<'a> {
    #[serde(borrow)]
    raw_bytes: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct ChainWire<'a> {
    #[serde(borrow)]
    certificates: Vec<CertificateWire<'a>>,
}

#[derive(Default, Serialize, Deserialize)]
struct TimestampsWire<'a> {
    #[serde(borrow, default, rename = "rfc3161Timestamps")]
    rfc3161_timestamps: Option<Vec<TimestampWire<'a>>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TimestampWire<'a> {
    #[serde(borrow)]
    signed_timestamp: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageWire<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    message_digest: Option<DigestWire<'a>>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct DigestWire<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow)]
    digest: Cow<'a, str>,
}

impl SignerWire<'_> {
    fn read(self, version: Version) -> Result<Material> {
        match (self.public_key, self.certificate, self.x509_certificate_chain) {
            (Some(key), None, None) => {
                Ok(Material::PublicKey { hint: key.hint.filter(|h| !h.is_empty()).map(Cow::into_owned) })
            }
            (None, Some(certificate), None) => base64("certificate", &certificate.raw_bytes).map(Material::Certificate),
            (None, None, Some(chain)) if version < Version::V03 => {
                if chain.certificates.is_empty() {
                    return Err(malformed("its certificate chain is empty"));
                }
                if chain.certificates.len() > limits::BUNDLE_PARTS {
                    return Err(over("certificates", limits::BUNDLE_PARTS));
                }
                let chain = chain.certificates.iter().map(|c| base64("x509CertificateChain", &c.raw_bytes));
                chain.collect::<Result<_>>().map(Material::CertificateChain)
            }
            (None, None, Some(_)) => Err(malformed("from v0.3 on, a certificate comes without its chain")),
            _ => Err(malformed("its verification material must be a public key or a certificate, and one of them")),
        }
    }
}

impl<'a> MessageWire<'a> {
    fn read(self) -> Result<MessageSignature> {
        let digest = self.message_digest.map(|wire| {
            let (_, algorithm) = ALGORITHMS.iter().find(|(name, _)| *name == wire.algorithm).ok_or_else(|| {
                Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "the bundle names the digest algorithm `{}`; expected SHA2_256, SHA2_384 or SHA2_512",
                        wire.algorithm.escape_debug()
                    ),
                )
            })?;
            Digest::new(*algorithm, base64("digest", &wire.digest)?)
        });
        Ok(MessageSignature::new(digest.transpose()?, base64("signature", &self.signature)?))
    }

    fn of(message: &MessageSignature) -> Self {
        let digest = message.digest.as_ref().and_then(|digest| {
            let (name, _) = ALGORITHMS.iter().find(|(_, a)| *a == digest.algorithm())?;
            Some(DigestWire { algorithm: Cow::Borrowed(*name), digest: STANDARD.encode(digest.bytes()).into() })
        });
        Self { message_digest: digest, signature: STANDARD.encode(&message.signature).into() }
    }
}
