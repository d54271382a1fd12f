//! What an entry of Rekor says: digest, signature and signer (sigstore/rekor pkg/types, sigstore/rekor-tiles).
//!
//! An entry of `dsse` 0.0.1 and `intoto` 0.0.2 also holds a hash of the whole envelope as its client wrote it, which
//! nobody can compute again and which nothing here depends on.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::entry::bad;
use super::signed::Signed;
use crate::bundle::LogEntry;
use crate::digest::Algorithm;
use crate::error::{Error, ErrorKind, Result};
use crate::trust::certificate::Certificate;

/// What a signature was checked with, as an entry must name it.
pub(super) enum Verifies<'a> {
    /// A certificate in DER, and its SubjectPublicKeyInfo.
    Certificate(&'a [u8], &'a [u8]),
    /// A key, by its SubjectPublicKeyInfo.
    Key(&'a [u8]),
}

/// The parts of an entry that say what it is about.
pub(super) struct Body<'a> {
    kind: Kind,
    hashed: Hashed,
    signatures: Vec<(Cow<'a, str>, Verifier<'a>)>,
    payload_type: Option<Cow<'a, str>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    HashedRekord1,
    HashedRekord2,
    Dsse1,
    Dsse2,
    InToto2,
}

const KINDS: [(&str, &str, Kind); 5] = [
    ("hashedrekord", "0.0.1", Kind::HashedRekord1),
    ("hashedrekord", "0.0.2", Kind::HashedRekord2),
    ("dsse", "0.0.1", Kind::Dsse1),
    ("dsse", "0.0.2", Kind::Dsse2),
    ("intoto", "0.0.2", Kind::InToto2),
];

/// The digest of what was signed, or of the payload of the envelope.
struct Hashed {
    algorithm: Algorithm,
    digest: Vec<u8>,
}

enum Verifier<'a> {
    /// Base64 of a PEM file with a certificate or a key.
    Pem(Cow<'a, str>),
    /// Base64 of a certificate in DER.
    Certificate(Cow<'a, str>),
    /// Base64 of a SubjectPublicKeyInfo in DER.
    Key(Cow<'a, str>),
}

/// Reads the body of an entry, which must be of the kind and version that the bundle says.
pub(super) fn parse(entry: &LogEntry) -> Result<Body<'_>> {
    let (.., kind) =
        KINDS.iter().find(|(kind, version, _)| *kind == entry.kind && *version == entry.version).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!(
                    "a log entry is of kind `{}` {}; expected hashedrekord, dsse or intoto",
                    entry.kind.escape_debug(),
                    entry.version.escape_debug()
                ),
            )
        })?;
    let wire: BodyWire<'_> = serde_json::from_slice(&entry.canonicalized_body)
        .map_err(|e| bad("has a body that is none", "get the bundle again").caused_by(e))?;
    if wire.kind != entry.kind || wire.api_version != entry.version {
        return Err(bad("is of another kind than the bundle says", "get the bundle again")
            .with("expected", format_args!("{} {}", entry.kind, entry.version))
            .with("found", format_args!("{} {}", wire.kind, wire.api_version)));
    }
    read(*kind, wire.spec.get()).ok_or_else(|| bad("lacks what its kind demands", "get the bundle again"))
}

fn read(kind: Kind, spec: &str) -> Option<Body<'_>> {
    let mut payload_type = None;
    let (hashed, signatures) = match kind {
        Kind::HashedRekord1 => {
            let HashedRekord1 { data, signature } = serde_json::from_str(spec).ok()?;
            (data.hash.read()?, vec![(signature.content, Verifier::Pem(signature.public_key.content))])
        }
        Kind::HashedRekord2 => {
            let HashedRekord2 { inner } = serde_json::from_str(spec).ok()?;
            (inner.data.read()?, vec![inner.signature.read()?])
        }
        Kind::Dsse1 => {
            let Dsse1 { payload_hash, signatures } = serde_json::from_str(spec).ok()?;
            let signatures = signatures.into_iter().map(|s| (s.signature, Verifier::Pem(s.verifier))).collect();
            (payload_hash.read()?, signatures)
        }
        Kind::Dsse2 => {
            let Dsse2 { inner } = serde_json::from_str(spec).ok()?;
            let signatures = inner.signatures.into_iter().map(Signature2::read).collect::<Option<_>>()?;
            (inner.payload_hash.read()?, signatures)
        }
        Kind::InToto2 => {
            let InToto2 { content } = serde_json::from_str(spec).ok()?;
            payload_type = Some(content.envelope.payload_type);
            let signatures = content.envelope.signatures.into_iter();
            (content.payload_hash.read()?, signatures.map(|s| (s.sig, Verifier::Pem(s.public_key))).collect())
        }
    };
    Some(Body { kind, hashed, signatures, payload_type })
}

impl Body<'_> {
    pub(super) fn is_v2(&self) -> bool {
        matches!(self.kind, Kind::HashedRekord2 | Kind::Dsse2)
    }

    /// Checks that the entry is about `signature` over `signed`, checked with `by`.
    pub(super) fn is_about(&self, signed: &Signed<'_>, signature: &[u8], by: &Verifies<'_>) -> Result<()> {
        let other = |what: &str| bad(&format!("is about another {what}"), "get the bundle again");
        let envelope = signed.envelope();
        let digest = match (self.kind, envelope) {
            (Kind::HashedRekord1, None) | (Kind::HashedRekord2, _) => signed.digest(self.hashed.algorithm),
            (Kind::Dsse1 | Kind::Dsse2 | Kind::InToto2, Some(_)) => signed.payload_digest(self.hashed.algorithm),
            _ => return Err(bad("is of a kind for something else than what was signed", "get the bundle again")),
        };
        let digest = digest.ok_or_else(|| other("digest than the one that is known"))?;
        if digest.bytes() != self.hashed.digest {
            return Err(other("artifact")
                .with("expected", &digest)
                .with("found", format_args!("{}:{}", self.hashed.algorithm.name(), hex::encode(&self.hashed.digest))));
        }
        if self.payload_type.as_deref().is_some_and(|t| envelope.is_some_and(|e| e.payload_type() != t)) {
            return Err(other("type of payload"));
        }
        let mut of_signature =
            self.signatures.iter().filter(|(text, _)| self.decoded(text).as_deref() == Some(signature));
        match of_signature.next() {
            None => Err(other("signature")),
            Some((_, verifier)) if self.is_by(verifier, by) => Ok(()),
            Some(_) => Err(other("signer")),
        }
    }

    fn decoded(&self, text: &str) -> Option<Vec<u8>> {
        let once = STANDARD.decode(text).ok()?;
        // this kind alone encodes twice
        if self.kind == Kind::InToto2 { STANDARD.decode(once).ok() } else { Some(once) }
    }

    fn is_by(&self, verifier: &Verifier<'_>, by: &Verifies<'_>) -> bool {
        let (certificate, key) = match verifier {
            Verifier::Pem(text) => match STANDARD.decode(text.as_ref()).ok().and_then(|pem| pem_block(&pem)) {
                Some((label, der)) if label == "CERTIFICATE" => (Some(der), None),
                Some((label, der)) if label == "PUBLIC KEY" => (None, Some(der)),
                _ => return false,
            },
            Verifier::Certificate(text) => (STANDARD.decode(text.as_ref()).ok(), None),
            Verifier::Key(text) => (None, STANDARD.decode(text.as_ref()).ok()),
        };
        match (by, certificate, key) {
            // clients of this kind gave the key alone
            (Verifies::Certificate(_, spki), None, Some(key)) if self.kind == Kind::InToto2 => key == *spki,
            (Verifies::Certificate(der, _), Some(certificate), None) => certificate == *der,
            (Verifies::Key(spki), None, Some(key)) => key == *spki,
            (Verifies::Key(spki), Some(certificate), None) => {
                Certificate::parse(&certificate).is_ok_and(|c| c.spki == *spki)
            }
            _ => false,
        }
    }
}

/// The label and content of a PEM file of one block.
fn pem_block(pem: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = std::str::from_utf8(pem).ok()?.trim();
    let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let content = rest.strip_suffix("-----")?.strip_suffix(label)?.strip_suffix("-----END ")?;
    let content: String = content.split_ascii_whitespace().collect();
    Some((label.to_owned(), STANDARD.decode(content).ok()?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BodyWire<'a> {
    #[serde(borrow)]
    api_version: Cow<'a, str>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    spec: &'a RawValue,
}

#[derive(Deserialize)]
struct HashedRekord1<'a> {
    #[serde(borrow)]
    data: HashedRekord1Data<'a>,
    #[serde(borrow)]
    signature: HashedRekord1Signature<'a>,
}

#[derive(Deserialize)]
struct HashedRekord1Data<'a> {
    #[serde(borrow)]
    hash: HexHash<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HashedRekord1Signature<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow)]
    public_key: HashedRekord1Key<'a>,
}

#[derive(Deserialize)]
struct HashedRekord1Key<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HashedRekord2<'a> {
    #[serde(borrow, rename = "hashedRekordV002")]
    inner: HashedRekord2Inner<'a>,
}

#[derive(Deserialize)]
struct HashedRekord2Inner<'a> {
    #[serde(borrow)]
    data: Base64Hash<'a>,
    #[serde(borrow)]
    signature: Signature2<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dsse1<'a> {
    #[serde(borrow)]
    payload_hash: HexHash<'a>,
    #[serde(borrow)]
    signatures: Vec<Dsse1Signature<'a>>,
}

#[derive(Deserialize)]
struct Dsse1Signature<'a> {
    #[serde(borrow)]
    signature: Cow<'a, str>,
    #[serde(borrow)]
    verifier: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Dsse2<'a> {
    #[serde(borrow, rename = "dsseV002")]
    inner: Dsse2Inner<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dsse2Inner<'a> {
    #[serde(borrow)]
    payload_hash: Base64Hash<'a>,
    #[serde(borrow)]
    signatures: Vec<Signature2<'a>>,
}

#[derive(Deserialize)]
struct InToto2<'a> {
    #[serde(borrow)]
    content: InToto2Content<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InToto2Content<'a> {
    #[serde(borrow)]
    envelope: InToto2Envelope<'a>,
    #[serde(borrow)]
    payload_hash: HexHash<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InToto2Envelope<'a> {
    #[serde(borrow)]
    payload_type: Cow<'a, str>,
    #[serde(borrow)]
    signatures: Vec<InToto2Signature<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InToto2Signature<'a> {
    #[serde(borrow)]
    sig: Cow<'a, str>,
    #[serde(borrow)]
    public_key: Cow<'a, str>,
}

#[derive(Deserialize)]
struct HexHash<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Base64Hash<'a> {
    #[serde(borrow)]
    algorithm: Cow<'a, str>,
    #[serde(borrow)]
    digest: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Signature2<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
    #[serde(borrow)]
    verifier: Verifier2<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verifier2<'a> {
    #[serde(borrow)]
    x509_certificate: Option<Raw<'a>>,
    #[serde(borrow)]
    public_key: Option<Raw<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw<'a> {
    #[serde(borrow)]
    raw_bytes: Cow<'a, str>,
}

impl HexHash<'_> {
    fn read(&self) -> Option<Hashed> {
        let algorithm = match self.algorithm.as_ref() {
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            _ => return None,
        };
        Some(Hashed { algorithm, digest: hex::decode(self.value.as_ref()).ok()? })
    }
}

impl Base64Hash<'_> {
    fn read(&self) -> Option<Hashed> {
        let algorithm = match self.algorithm.as_ref() {
            "SHA2_256" => Algorithm::Sha256,
            "SHA2_384" => Algorithm::Sha384,
            "SHA2_512" => Algorithm::Sha512,
            _ => return None,
        };
        Some(Hashed { algorithm, digest: STANDARD.decode(self.digest.as_ref()).ok()? })
    }
}

impl<'a> Signature2<'a> {
    fn read(self) -> Option<(Cow<'a, str>, Verifier<'a>)> {
        let verifier = match (self.verifier.x509_certificate, self.verifier.public_key) {
            (Some(certificate), None) => Verifier::Certificate(certificate.raw_bytes),
            (None, Some(key)) => Verifier::Key(key.raw_bytes),
            _ => return None,
        };
        Some((self.content, verifier))
    }
}
