//! What cosign wrote before bundles: signatures and attestations under the tags `sha256-<hex>.sig` and `.att`, with
//! their evidence in annotations (sigstore/cosign specs/SIGNATURE_SPEC.md). Read, and given as Sigstore bundles v0.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::manifest::{Annotations, Descriptor};
use crate::digest::{Algorithm, Digest};
use crate::envelope::Envelope;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};

const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
const V01: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG_ENTRY: &str = "dev.sigstore.cosign/bundle";
const TIMESTAMP: &str = "dev.sigstore.cosign/rfc3161timestamp";

/// A layer, as far as it is one of cosign's.
pub(super) enum Legacy {
    /// A bundle, or a bare envelope if nothing but a key can verify it.
    Attestation(Vec<u8>),
    /// A bundle with a signature over `payload`.
    Signature { bundle: Vec<u8>, payload: Vec<u8> },
}

/// The log entry that cosign keeps in an annotation.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LogEntryWire {
    signed_entry_timestamp: String,
    payload: LogPayloadWire,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogPayloadWire {
    body: String,
    integrated_time: i64,
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BodyWire {
    api_version: String,
    kind: String,
}

/// Whether a layer is one that [`read`] reads.
pub(super) fn is_legacy(layer: &Descriptor) -> bool {
    matches!(layer.media_type.as_str(), SIMPLE_SIGNING | ENVELOPE)
}

/// Makes a bundle of a layer and its annotations. Nothing of it is verified.
pub(super) fn read(layer: &Descriptor, bytes: Vec<u8>) -> Result<Legacy> {
    let none = Annotations::new();
    let annotations = layer.annotations.as_ref().unwrap_or(&none);
    let material = material(annotations)?;
    if layer.media_type == ENVELOPE {
        // verifiers of bundles want one signature, and no key id
        let envelope = Envelope::parse(&bytes)?;
        if material.get("x509CertificateChain").is_none() {
            return Ok(Legacy::Attestation(bytes));
        }
        let dsse: Value = json::parse("envelope", &envelope.to_json())?;
        let bundle = json!({ "mediaType": V01, "verificationMaterial": material, "dsseEnvelope": dsse });
        return Ok(Legacy::Attestation(bundle.to_string().into_bytes()));
    }
    let signature = annotations
        .get(SIGNATURE)
        .filter(|signature| STANDARD.decode(signature).is_ok())
        .ok_or_else(|| malformed(format!("the layer `{}` has no signature in its annotations", layer.digest)))?;
    let bundle = json!({
        "mediaType": V01,
        "verificationMaterial": material,
        "messageSignature": {
            "messageDigest": { "algorithm": "SHA2_256", "digest": STANDARD.encode(Digest::sha256(&bytes).bytes()) },
            "signature": signature,
        },
    });
    Ok(Legacy::Signature { bundle: bundle.to_string().into_bytes(), payload: bytes })
}

/// The digest of the image that a simple-signing payload is about. Only of a payload whose signature was verified.
///
/// # Errors
/// `MALFORMED` if it is no such payload.
pub fn signed_image(payload: &[u8]) -> Result<Digest> {
    #[derive(Deserialize)]
    struct PayloadWire {
        critical: CriticalWire,
    }
    #[derive(Deserialize)]
    struct CriticalWire {
        image: ImageWire,
        #[serde(rename = "type")]
        kind: String,
    }
    #[derive(Deserialize)]
    struct ImageWire {
        #[serde(rename = "docker-manifest-digest")]
        digest: Digest,
    }
    let wire: PayloadWire = json::parse("simple-signing payload", payload)?;
    if wire.critical.kind != "cosign container image signature" {
        return Err(malformed(format!("the payload is a `{}`, expected a signature of an image", wire.critical.kind)));
    }
    if wire.critical.image.digest.algorithm() != Algorithm::Sha256 {
        return Err(malformed("the payload names its image by another digest than sha256"));
    }
    Ok(wire.critical.image.digest)
}

/// The `verificationMaterial` of a v0.1 bundle.
fn material(annotations: &Annotations) -> Result<Value> {
    let mut material = serde_json::Map::new();
    match annotations.get(CERTIFICATE).filter(|pem| !pem.trim().is_empty()) {
        Some(leaf) => {
            let chain = annotations.get(CHAIN).map_or("", String::as_str);
            let certificates: Vec<Value> = [certificates(leaf)?, certificates(chain)?]
                .concat()
                .into_iter()
                .map(|der| json!({ "rawBytes": STANDARD.encode(der) }))
                .collect();
            material.insert("x509CertificateChain".to_owned(), json!({ "certificates": certificates }));
        }
        None => {
            material.insert("publicKey".to_owned(), json!({}));
        }
    }
    if let Some(text) = annotations.get(LOG_ENTRY) {
        let entry: LogEntryWire = json::parse("log entry in an annotation", text.as_bytes())?;
        let body =
            STANDARD.decode(&entry.payload.body).map_err(|e| malformed("a log entry is not base64").caused_by(e))?;
        let kind: BodyWire = json::parse("body of a log entry", &body)?;
        let log_id = hex::decode(&entry.payload.log_id).map_err(|e| malformed("a log id is not hex").caused_by(e))?;
        let entry = json!([{
            "logIndex": entry.payload.log_index.to_string(),
            "logId": { "keyId": STANDARD.encode(log_id) },
            "kindVersion": { "kind": kind.kind, "version": kind.api_version },
            "integratedTime": entry.payload.integrated_time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": entry.signed_entry_timestamp },
            "canonicalizedBody": entry.payload.body,
        }]);
        material.insert("tlogEntries".to_owned(), entry);
    }
    if let Some(text) = annotations.get(TIMESTAMP) {
        #[derive(Deserialize)]
        struct TimestampWire {
            #[serde(rename = "SignedRFC3161Timestamp")]
            signed: String,
        }
        let wire: TimestampWire = json::parse("timestamp in an annotation", text.as_bytes())?;
        let timestamps = json!({ "rfc3161Timestamps": [{ "signedTimestamp": wire.signed }] });
        material.insert("timestampVerificationData".to_owned(), timestamps);
    }
    Ok(material.into())
}

/// All certificates of a PEM text.
fn certificates(text: &str) -> Result<Vec<Vec<u8>>> {
    const END: &str = "-----END CERTIFICATE-----";
    let mut found = Vec::new();
    for block in text.split_inclusive(END).map(str::trim).filter(|block| !block.is_empty()) {
        let (label, der) = pkcs8::der::pem::decode_vec(block.as_bytes())
            .map_err(|e| malformed("a certificate in an annotation is no PEM block").caused_by(e))?;
        if label != "CERTIFICATE" {
            return Err(malformed(format!("expected a certificate in an annotation, found `{label}`")));
        }
        found.push(der);
    }
    Ok(found)
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Malformed, message)
}
