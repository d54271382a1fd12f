//! Sigstore bundles: a signature with what is needed to verify it (sigstore/protobuf-specs, sigstore_bundle.proto).
//!
//! We write v0.3. v0.1 to v0.3 and bare DSSE envelopes are read, with all that a verifier needs, and kept byte for byte
//! by whoever stores them. Nothing in a bundle is believed until a [`Verifier`](crate::verifier::Verifier) says so.

mod log_entry;
mod wire;

pub use self::log_entry::{InclusionProof, LogEntry};
use crate::digest::Digest;
use crate::envelope::{Envelope, decode_base64};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Media type of what we write.
pub const V03: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A record as it is stored and passed on: what was signed, and how its signer is to be found. Not verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    version: Version,
    material: Material,
    log_entries: Vec<LogEntry>,
    timestamps: Vec<Vec<u8>>,
    content: Content,
}

/// The version of a bundle's format.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// A log entry holds a promise of inclusion, and may hold a proof.
    V01,
    /// A log entry holds a proof of inclusion, and may hold a promise.
    V02,
    /// As v0.2; a certificate comes without its chain.
    V03,
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
    /// An X.509 certificate in DER, without its chain.
    Certificate(Vec<u8>),
    /// X.509 certificates in DER, from the signer's upwards: at least that one, and no root. Up to v0.2.
    CertificateChain(Vec<Vec<u8>>),
    /// Nothing: the record is a bare DSSE envelope.
    Bare,
}

/// What is signed in a [`Bundle`].
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A DSSE envelope with its payload.
    Envelope(Envelope),
    /// A signature over bytes that lie elsewhere.
    Message(MessageSignature),
}

/// A signature over bytes that lie elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageSignature {
    /// The digest of the bytes: a hint which bytes, and by which algorithm they were hashed.
    pub digest: Option<Digest>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl MessageSignature {
    /// A signature over what has this digest.
    pub fn new(digest: Option<Digest>, signature: Vec<u8>) -> Self {
        Self { digest, signature }
    }
}

impl From<Envelope> for Content {
    fn from(envelope: Envelope) -> Self {
        Self::Envelope(envelope)
    }
}

impl From<MessageSignature> for Content {
    fn from(message: MessageSignature) -> Self {
        Self::Message(message)
    }
}

impl Bundle {
    /// A bundle signed with a key that the verifier knows under `key_id`.
    pub fn of_key(content: impl Into<Content>, key_id: impl Into<String>) -> Self {
        Self::new(Material::PublicKey { hint: Some(key_id.into()) }, content.into())
    }

    /// A bundle signed with the key of this certificate (X.509 in DER).
    pub fn of_certificate(content: impl Into<Content>, certificate: Vec<u8>) -> Self {
        Self::new(Material::Certificate(certificate), content.into())
    }

    fn new(material: Material, content: Content) -> Self {
        Self { version: Version::V03, material, log_entries: Vec::new(), timestamps: Vec::new(), content }
    }

    /// The same bundle with an entry of a transparency log.
    #[must_use]
    pub fn with_log_entry(mut self, entry: LogEntry) -> Self {
        self.log_entries.push(entry);
        self
    }

    /// The same bundle with an RFC 3161 timestamp over its signature: the TimeStampResp, in DER. A bare envelope becomes
    /// a bundle whose key has no hint.
    #[must_use]
    pub fn with_timestamp(mut self, response: Vec<u8>) -> Self {
        if self.material == Material::Bare {
            self.material = Material::PublicKey { hint: None };
        }
        self.timestamps.push(response);
        self
    }

    /// Reads a Sigstore bundle v0.1 to v0.3, a bare DSSE envelope, or an attestation of the Python package index (PEP 740),
    /// which becomes a bundle v0.3.
    ///
    /// # Errors
    /// `MALFORMED` if it is neither, `UNSUPPORTED` for another version, `LIMIT_EXCEEDED` if it is too large.
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
        wire::read(bytes)
    }

    /// The JSON form, in the version it was read in; what is made here is v0.3.
    pub fn to_json(&self) -> Vec<u8> {
        wire::write(self)
    }

    /// The version of its format.
    pub fn version(&self) -> Version {
        self.version
    }

    /// How the signer is to be found.
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// The signer's certificate in DER, if it brings one.
    pub fn certificate(&self) -> Option<&[u8]> {
        match &self.material {
            Material::Certificate(der) => Some(der),
            Material::CertificateChain(chain) => chain.first().map(Vec::as_slice),
            Material::PublicKey { .. } | Material::Bare => None,
        }
    }

    /// The certificates beside the signer's.
    pub(crate) fn chain(&self) -> &[Vec<u8>] {
        match &self.material {
            Material::CertificateChain(chain) => chain.get(1..).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Entries of transparency logs.
    pub fn log_entries(&self) -> &[LogEntry] {
        &self.log_entries
    }

    /// RFC 3161 timestamps over its signature, in DER.
    pub fn timestamps(&self) -> &[Vec<u8>] {
        &self.timestamps
    }

    /// What is signed.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The envelope.
    ///
    /// # Errors
    /// `UNSUPPORTED` if it is a bundle of a message signature.
    pub fn envelope(&self) -> Result<&Envelope> {
        match &self.content {
            Content::Envelope(envelope) => Ok(envelope),
            Content::Message(_) => Err(no_envelope()),
        }
    }

    /// The envelope, taken out.
    ///
    /// # Errors
    /// As [`Bundle::envelope`].
    pub fn into_envelope(self) -> Result<Envelope> {
        match self.content {
            Content::Envelope(envelope) => Ok(envelope),
            Content::Message(_) => Err(no_envelope()),
        }
    }
}

fn no_envelope() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "expected an attestation, found the signature of a file; verify it together with the file",
    )
}

fn base64(what: &str, text: &str) -> Result<Vec<u8>> {
    decode_base64(text).map_err(|e| malformed(&format!("`{what}` is not base64: {e}")).caused_by(e))
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("the bundle is not what its format demands: {what}; get it again"))
}

fn over(what: &str, limit: usize) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("the bundle has more than {limit} {what}")).with("limit", limit)
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
        let message = MessageSignature::new(Some(Digest::sha256(b"file")), vec![2; 64]);
        for bundle in [
            bundle(),
            bundle().with_timestamp(vec![0x30, 0]),
            Bundle::of_key(message.clone(), "id"),
            Bundle::of_certificate(message, vec![0x30, 0]),
        ] {
            let bytes = bundle.to_json();
            assert_eq!(Bundle::parse(&bytes).unwrap(), bundle);
            let peer = sigstore_types::Bundle::from_json(std::str::from_utf8(&bytes).unwrap());
            assert!(peer.is_ok(), "{:?}", peer.err());
        }
    }

    #[test]
    fn a_bare_envelope_is_read_as_one() {
        let bytes = bundle().into_envelope().unwrap().to_json();
        let bare = Bundle::parse(&bytes).unwrap();
        assert_eq!(bare.material(), &Material::Bare);
        assert_eq!(bare.to_json(), bytes);
    }

    #[test]
    fn unknown_versions_and_mixed_parts_are_refused() {
        let text = String::from_utf8(bundle().to_json()).unwrap();
        let key = "\"publicKey\":{\"hint\":\"id\"}";
        for (from, to, code) in [
            ("bundle.v0.3+json", "bundle.v9.9+json", "UNSUPPORTED"),
            ("dsseEnvelope", "messageSignature", "MALFORMED"),
            ("dsseEnvelope", "other", "MALFORMED"),
            ("\"dsseEnvelope\"", "\"messageSignature\":{\"signature\":\"AA==\"},\"dsseEnvelope\"", "MALFORMED"),
            (key, "", "MALFORMED"),
            (key, "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"MAA=\"}]}", "MALFORMED"),
            (key, "\"publicKey\":{},\"certificate\":{\"rawBytes\":\"MAA=\"}", "MALFORMED"),
            (key, "\"certificate\":{\"rawBytes\":\"!\"}", "MALFORMED"),
            ("application/vnd.in-toto+json\"", "x\",\"payloadType\":\"y\"", "MALFORMED"),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text);
            assert_eq!(Bundle::parse(changed.as_bytes()).unwrap_err().code(), code, "{changed}");
        }
        let many = (0..=limits::BUNDLE_PARTS).fold(bundle(), |b, _| b.with_timestamp(vec![1]));
        assert_eq!(Bundle::parse(&many.to_json()).unwrap_err().code(), "LIMIT_EXCEEDED");
        let twice = bundle().with_timestamp(vec![1]).with_timestamp(vec![1]);
        assert_eq!(Bundle::parse(&twice.to_json()).unwrap_err().code(), "MALFORMED");
    }

    #[test]
    fn an_older_bundle_is_written_in_its_version_with_its_chain() {
        let text = String::from_utf8(bundle().to_json()).unwrap();
        let chain = "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"MAA=\"},{\"rawBytes\":\"MAAA\"}]}";
        for version in ["0.1", "0.2"] {
            let old = text
                .replace("bundle.v0.3+json", &format!("bundle+json;version={version}"))
                .replace("\"publicKey\":{\"hint\":\"id\"}", chain);
            let read = Bundle::parse(old.as_bytes()).unwrap();
            assert_eq!(Bundle::parse(&read.to_json()).unwrap(), read);
            assert!(String::from_utf8(read.to_json()).unwrap().contains(&format!("version={version}")));
            assert_eq!(read.certificate(), Some(&[0x30, 0][..]));
            let none = old.replace("{\"rawBytes\":\"MAA=\"},{\"rawBytes\":\"MAAA\"}", "");
            assert_eq!(Bundle::parse(none.as_bytes()).unwrap_err().code(), "MALFORMED");
        }
    }
}
