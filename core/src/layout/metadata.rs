//! Signed classic metadata: the metablock with canonical JSON, or a DSSE envelope (in-toto specification v1.0
//! section 4.1, ITE-5). What is signed is read only after a signature was checked.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::canonical;
use super::key::LayoutKey;
use crate::digest::Digest;
use crate::envelope::{Envelope, IN_TOTO};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;

/// A layout or link with its signatures, none of which was checked.
pub(super) struct Metadata {
    /// What the signatures are over.
    message: Vec<u8>,
    /// The layout or link as JSON.
    content: Vec<u8>,
    signatures: Vec<Signature>,
}

struct Signature {
    key_id: String,
    sig: Vec<u8>,
}

#[derive(Deserialize)]
struct Shape {
    payload: Option<serde::de::IgnoredAny>,
    signed: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct MetablockWire {
    signed: Value,
    signatures: Vec<SignatureWire>,
}

#[derive(Deserialize)]
struct SignatureWire {
    keyid: String,
    /// Absent from OpenPGP signatures, which are passed over.
    sig: Option<String>,
}

#[derive(Deserialize)]
struct TypeWire {
    #[serde(rename = "_type")]
    kind: String,
}

impl Metadata {
    /// Reads the container, and nothing of what it says. `what` names the file in errors.
    pub(super) fn parse(what: &str, bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > limits::LAYOUT_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("{what} has {} bytes, over {}", bytes.len(), limits::LAYOUT_BYTES),
            )
            .with("limit", limits::LAYOUT_BYTES));
        }
        let shape: Shape = json::parse(what, bytes)?;
        match (shape.payload, shape.signed) {
            (Some(_), None) => Self::of_envelope(what, bytes),
            (None, Some(_)) => Self::of_metablock(what, bytes),
            _ => Err(Error::new(
                ErrorKind::Malformed,
                format!("{what} is no signed in-toto metadata; expected either `signed` or a DSSE `payload`"),
            )),
        }
    }

    fn of_envelope(what: &str, bytes: &[u8]) -> Result<Self> {
        let envelope = Envelope::parse(bytes).map_err(|e| e.while_doing(what))?;
        if envelope.payload_type() != IN_TOTO {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{what} holds a payload of type `{}`, expected `{IN_TOTO}`", envelope.payload_type()),
            )
            .with("expected", IN_TOTO)
            .with("found", envelope.payload_type()));
        }
        let signatures = envelope
            .signatures()
            .iter()
            .map(|s| Signature { key_id: s.keyid.clone().unwrap_or_default(), sig: s.sig.clone() })
            .collect();
        Ok(Self { message: envelope.pae(), content: envelope.into_payload(), signatures })
    }

    fn of_metablock(what: &str, bytes: &[u8]) -> Result<Self> {
        let wire: MetablockWire = json::parse(what, bytes)?;
        if wire.signatures.len() > limits::ENVELOPE_SIGNATURES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("{what} has more than {} signatures", limits::ENVELOPE_SIGNATURES),
            )
            .with("limit", limits::ENVELOPE_SIGNATURES));
        }
        let mut signatures = Vec::new();
        for SignatureWire { keyid, sig } in wire.signatures {
            let Some(sig) = sig else { continue };
            let sig = hex::decode(sig).map_err(|e| {
                Error::new(ErrorKind::Malformed, format!("a signature of {what} is not written in hex")).caused_by(e)
            })?;
            signatures.push(Signature { key_id: keyid, sig });
        }
        // what is signed is the canonical form, so it is also what is read
        let message = canonical::encode(&wire.signed).map_err(|e| e.while_doing(what))?;
        let content = serde_json::to_vec(&wire.signed)
            .map_err(|e| Error::new(ErrorKind::Internal, "metadata has no JSON form").caused_by(e))?;
        Ok(Self { message, content, signatures })
    }

    /// Whether `key` signed it. The ids of signatures are hints, and are not looked at.
    pub(super) fn is_signed_by(&self, key: &LayoutKey) -> bool {
        self.signatures.iter().any(|s| key.verifies(&self.message, &s.sig))
    }

    /// The ids its signatures name, unauthenticated.
    pub(super) fn hints(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|s| s.key_id.as_str())
    }

    /// SHA-256 of what was signed.
    pub(super) fn digest(&self) -> Digest {
        Digest::sha256(&self.message)
    }

    /// Which of the two kinds of metadata it says it is: `layout`, `link`. Only of metadata that was verified.
    pub(super) fn kind(&self, what: &str) -> Result<String> {
        let wire: TypeWire = json::parse(what, &self.content)?;
        Ok(wire.kind)
    }

    /// What was signed. Only of metadata that was verified.
    pub(super) fn content<T: DeserializeOwned>(&self, what: &str) -> Result<T> {
        json::parse(what, &self.content)
    }
}
