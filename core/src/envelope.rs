//! DSSE: the signed envelope around a payload (secure-systems-lab/dsse v1.0.2, envelope.md and protocol.md).
//!
//! What is signed is the pre-authentication encoding of the payload type and the payload, so that neither needs
//! parsing before the signature is checked.

use std::borrow::Cow;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::sync::LazyLock;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use base64::engine::{Simd, general_purpose::PAD};
use base64::{DecodeError, Engine as _};
use serde::{Deserialize, Serialize};

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// The payload type of an in-toto Statement.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// A DSSE envelope, not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// One signature of an [`Envelope`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// An unauthenticated hint which key made it.
    pub keyid: Option<String>,
    /// The signature over the pre-authentication encoding.
    pub sig: Vec<u8>,
}

impl Signature {
    /// A signature with a hint which key made it.
    pub fn new(keyid: Option<String>, sig: Vec<u8>) -> Self {
        Self { keyid, sig }
    }
}

impl Envelope {
    /// An envelope of these parts.
    ///
    /// # Errors
    /// `API_MISUSE` without a signature.
    pub fn new(payload_type: impl Into<String>, payload: Vec<u8>, signatures: Vec<Signature>) -> Result<Self> {
        if signatures.is_empty() {
            return Err(Error::new(ErrorKind::ApiMisuse, "an envelope needs at least one signature; sign it first"));
        }
        Ok(Self { payload_type: payload_type.into(), payload, signatures })
    }

    /// Reads an envelope from JSON. Unknown members are ignored, as the specification demands.
    ///
    /// # Errors
    /// `MALFORMED` if it is no envelope, `LIMIT_EXCEEDED` for too large a payload or too many signatures.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::from_wire(json::parse_around("envelope", bytes, EnvelopeWire::payload)?)
    }

    /// The JSON form; base64 with the standard alphabet.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = String::new();
        self.write_json(&mut json);
        json.into_bytes()
    }

    /// Writes the JSON form behind what `json` holds. The payload goes past the JSON writer, which would look for something to
    /// escape in each of its megabytes, and base64 has nothing.
    pub(crate) fn write_json(&self, json: &mut String) {
        let signatures: Vec<_> = self.signatures.iter().map(SignatureWire::of).collect();
        let (payload_type, signatures) = (json::to_text(&self.payload_type), json::to_text(&signatures));
        json.reserve(self.payload.len() / 3 * 4 + payload_type.len() + signatures.len() + 64);
        json.push_str(r#"{"payload":""#);
        STANDARD.encode_string(&self.payload, json);
        for part in [r#"","payloadType":"#, &payload_type, r#","signatures":"#, &signatures, "}"] {
            json.push_str(part);
        }
    }

    /// The media type of the payload, authenticated with it.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The payload, decoded.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload, taken out.
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// The signatures, at least one.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The bytes that each signature is over.
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// The digest of the bytes that each signature is over, which need not be put together for it.
    pub(crate) fn pae_digest(&self, algorithm: Algorithm) -> Result<Digest> {
        pae_digest(algorithm, &self.payload_type, &self.payload)
    }

    pub(crate) fn from_wire(wire: EnvelopeWire<'_>) -> Result<Self> {
        let payload = decode("payload", &wire.payload)?;
        if payload.len() > limits::PAYLOAD_BYTES {
            return Err(over("payload", limits::PAYLOAD_BYTES));
        }
        if wire.signatures.len() > limits::ENVELOPE_SIGNATURES {
            return Err(over("number of signatures", limits::ENVELOPE_SIGNATURES));
        }
        let signatures = wire
            .signatures
            .into_iter()
            .map(|s| {
                let keyid = s.keyid.filter(|k| !k.is_empty()).map(Cow::into_owned);
                Ok(Signature { keyid, sig: decode("signature", &s.sig)? })
            })
            .collect::<Result<Vec<_>>>()?;
        if signatures.is_empty() {
            return Err(Error::new(ErrorKind::Malformed, "the envelope has no signature; expected at least one"));
        }
        Ok(Self { payload_type: wire.payload_type.into_owned(), payload, signatures })
    }
}

/// The DSSE pre-authentication encoding.
///
/// ```
/// let bytes = sealwright::envelope::pae("http://example.com/HelloWorld", b"hello world");
/// assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
/// ```
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    [pae_head(payload_type, payload).as_bytes(), payload].concat()
}

/// The digest of the pre-authentication encoding.
pub(crate) fn pae_digest(algorithm: Algorithm, payload_type: &str, payload: &[u8]) -> Result<Digest> {
    Digest::of_parts(algorithm, &[pae_head(payload_type, payload).as_bytes(), payload])
}

fn pae_head(payload_type: &str, payload: &[u8]) -> String {
    format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len())
}

/// Base64 with the standard alphabet and padding.
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Standard or URL-safe alphabet; padding demanded.
pub(crate) fn decode_base64(text: &str) -> std::result::Result<Vec<u8>, DecodeError> {
    STANDARD.decode(text).or_else(|e| URL_SAFE.decode(text).map_err(|_| e))
}

/// The widest instructions that the machine has: payloads may have megabytes.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static STANDARD: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static URL_SAFE: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(PAD));

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnvelopeWire<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow)]
    payload_type: Cow<'a, str>,
    #[serde(borrow)]
    signatures: Vec<SignatureWire<'a>>,
}

impl EnvelopeWire<'_> {
    /// The payload in base64.
    pub(crate) fn payload(&self) -> &str {
        &self.payload
    }
}

#[derive(Serialize, Deserialize)]
struct SignatureWire<'a> {
    #[serde(borrow)]
    sig: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    keyid: Option<Cow<'a, str>>,
}

impl<'a> SignatureWire<'a> {
    fn of(signature: &'a Signature) -> Self {
        Self { sig: encode_base64(&signature.sig).into(), keyid: signature.keyid.as_deref().map(Cow::Borrowed) }
    }
}

/// In either alphabet, as the DSSE protocol allows.
fn decode(what: &str, text: &str) -> Result<Vec<u8>> {
    decode_base64(text).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("the {what} of the envelope is not base64: {e}")).caused_by(e)
    })
}

fn over(what: &str, limit: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("the {what} of the envelope is over {limit}")).with("limit", limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_reads_what_it_wrote() {
        let envelope =
            Envelope::new(IN_TOTO, b"{}".to_vec(), vec![Signature::new(Some("k".into()), vec![1, 2, 255])]).unwrap();
        assert_eq!(Envelope::parse(&envelope.to_json()).unwrap(), envelope);
    }

    #[test]
    fn both_base64_alphabets_are_read() {
        let text = r#"{"payload":"_-8=","payloadType":"t","signatures":[{"sig":"/+8=","keyid":""}]}"#;
        let envelope = Envelope::parse(text.as_bytes()).unwrap();
        assert_eq!(envelope.payload(), envelope.signatures()[0].sig);
        assert_eq!(envelope.signatures()[0].keyid, None);
    }

    #[test]
    fn what_is_no_envelope_is_refused() {
        for (text, code) in [
            (r#"{"payload":"e30=","payloadType":"t","signatures":[]}"#, "MALFORMED"),
            (r#"{"payload":"e30","payloadType":"t","signatures":[{"sig":"AA=="}]}"#, "MALFORMED"),
            (r#"{"payload":"e30=","signatures":[{"sig":"AA=="}]}"#, "MALFORMED"),
            (r#"{"payload":"e30=","payload":"e30=","payloadType":"t","signatures":[{"sig":"AA=="}]}"#, "MALFORMED"),
            ("[]", "MALFORMED"),
        ] {
            assert_eq!(Envelope::parse(text.as_bytes()).unwrap_err().code(), code, "{text}");
        }
        let many = format!(
            r#"{{"payload":"e30=","payloadType":"t","signatures":[{}]}}"#,
            vec![r#"{"sig":"AA=="}"#; limits::ENVELOPE_SIGNATURES + 1].join(",")
        );
        assert_eq!(Envelope::parse(many.as_bytes()).unwrap_err().code(), "LIMIT_EXCEEDED");
    }
}
