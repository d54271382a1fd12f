//! Sigstore bundles: a DSSE envelope with what is needed to verify it (sigstore/protobuf-specs, sigstore_bundle.proto).
//!
//! We write v0.3 with one signature. v0.1 to v0.3 and bare DSSE envelopes are read, and kept byte for byte by whoever
//! stores them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::envelope::{Envelope, EnvelopeWire};
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// Media type of what we write.
pub const V03: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

const READ: [&str; 5] = [
    V03,
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json",
];

/// A record as it is stored and passed on: an envelope, and how its signer is to be found. Not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    material: Material,
    envelope: Envelope,
}

/// How the signer of a [`Bundle`] is to be found. Hints and certificates are unauthenticated until verified.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// A key known to the verifier; the hint may name it.
    PublicKey {
        /// Which key, in the words of its owner. We write the key id.
        hint: Option<String>,
    },
    /// An X.509 certificate in DER, the leaf of a chain.
    Certificate(Vec<u8>),
    /// Nothing: the record is a bare DSSE envelope.
    Bare,
}

impl Bundle {
    /// A bundle of a key-signed envelope.
    pub fn of_key(envelope: Envelope, key_id: impl Into<String>) -> Self {
        Self { material: Material::PublicKey { hint: Some(key_id.into()) }, envelope }
    }

    /// Reads a Sigstore bundle v0.1 to v0.3 with a DSSE envelope, or a bare DSSE envelope.
    ///
    /// # Errors
    /// `MALFORMED` if it is neither, `UNSUPPORTED` for another version or for a bundle of a message signature,
    /// `LIMIT_EXCEEDED` if it is too large.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > limits::RECORD_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "the record has {} bytes, over {}; attach large reports by digest",
                    bytes.len(),
                    limits::RECORD_BYTES
                ),
            ));
        }
        let shape: Shape = json::parse("record", bytes)?;
        if shape.payload_type.is_some() && shape.media_type.is_none() {
            return Ok(Self { material: Material::Bare, envelope: Envelope::parse(bytes)? });
        }
        let media_type = shape.media_type.unwrap_or_default();
        if !READ.contains(&media_type.as_str()) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the media type `{}` is no Sigstore bundle v0.1 to v0.3; expected `{V03}` or a DSSE envelope",
                    media_type.escape_debug()
                ),
            ));
        }
        let wire: BundleWire = json::parse("bundle", bytes)?;
        let Some(envelope) = wire.dsse_envelope else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the bundle holds no DSSE envelope; expected an attestation, found a message signature or nothing",
            ));
        };
        Ok(Self { material: wire.verification_material.into_material()?, envelope: Envelope::from_wire(envelope)? })
    }

    /// The JSON form, v0.3.
    pub fn to_json(&self) -> Vec<u8> {
        let (hint, certificate) = match &self.material {
            Material::PublicKey { hint } => (hint.clone(), None),
            Material::Certificate(der) => (None, Some(CertificateWire { raw_bytes: STANDARD.encode(der) })),
            Material::Bare => return self.envelope.to_json(),
        };
        let public_key = certificate.is_none().then_some(PublicKeyWire { hint });
        let wire = BundleWire {
            media_type: V03.to_owned(),
            verification_material: MaterialWire { public_key, certificate, x509_certificate_chain: None },
            dsse_envelope: Some(self.envelope.to_wire()),
        };
        // strings and base64 always have a JSON form
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// How the signer is to be found.
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// The envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The envelope, taken out.
    pub fn into_envelope(self) -> Envelope {
        self.envelope
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    media_type: Option<String>,
    payload_type: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleWire {
    media_type: String,
    verification_material: MaterialWire,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<EnvelopeWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaterialWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<PublicKeyWire>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<CertificateWire>,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "x509CertificateChain")]
    x509_certificate_chain: Option<ChainWire>,
}

#[derive(Serialize, Deserialize)]
struct PublicKeyWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CertificateWire {
    raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
struct ChainWire {
    certificates: Vec<CertificateWire>,
}

impl MaterialWire {
    fn into_material(self) -> Result<Material> {
        let leaf =
            self.certificate.or_else(|| self.x509_certificate_chain.and_then(|c| c.certificates.into_iter().next()));
        match (self.public_key, leaf) {
            (Some(key), None) => Ok(Material::PublicKey { hint: key.hint.filter(|h| !h.is_empty()) }),
            (None, Some(certificate)) => {
                STANDARD.decode(&certificate.raw_bytes).map(Material::Certificate).map_err(|e| {
                    Error::new(ErrorKind::Malformed, format!("the certificate of the bundle is not base64: {e}"))
                        .caused_by(e)
                })
            }
            _ => Err(Error::new(
                ErrorKind::Malformed,
                "the verification material of the bundle must be a public key or a certificate, and one of them",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{IN_TOTO, Signature};

    fn bundle() -> Bundle {
        let signature = Signature::new(Some("id".into()), vec![1; 64]);
        Bundle::of_key(Envelope::new(IN_TOTO, b"{}".to_vec(), vec![signature]).unwrap(), "id")
    }

    #[test]
    fn a_bundle_reads_what_it_wrote_and_the_sigstore_crate_reads_it_too() {
        let bytes = bundle().to_json();
        assert_eq!(Bundle::parse(&bytes).unwrap(), bundle());
        let peer = sigstore_types::Bundle::from_json(std::str::from_utf8(&bytes).unwrap());
        assert!(peer.is_ok(), "{:?}", peer.err());
    }

    #[test]
    fn a_bare_envelope_is_read_as_one() {
        let bytes = bundle().into_envelope().to_json();
        let bare = Bundle::parse(&bytes).unwrap();
        assert_eq!(bare.material(), &Material::Bare);
        assert_eq!(bare.to_json(), bytes);
    }

    #[test]
    fn unknown_versions_and_message_signatures_are_refused() {
        let text = String::from_utf8(bundle().to_json()).unwrap();
        for (from, to, code) in [
            ("bundle.v0.3+json", "bundle.v9.9+json", "UNSUPPORTED"),
            ("dsseEnvelope", "messageSignature", "UNSUPPORTED"),
            ("\"publicKey\":{\"hint\":\"id\"}", "", "MALFORMED"),
            ("application/vnd.in-toto+json\"", "x\",\"payloadType\":\"y\"", "MALFORMED"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert_eq!(Bundle::parse(changed.as_bytes()).unwrap_err().code(), code, "{changed}");
        }
    }
}
