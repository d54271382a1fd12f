//! Verification: from bytes and an expectation to a proof that they were signed as demanded.
//!
//! Order: (0) bounds and shape of the envelope, (1) the signature over the pre-authentication bytes by a demanded
//! signer, (2) the time window of its key, (3) only then the payload is parsed, (4) its predicate type and its
//! subject are compared with what was demanded. Nothing demanded is an error, not a pass.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bundle::{Bundle, Material};
use crate::digest::Digest;
use crate::envelope::{Envelope, IN_TOTO};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::key::{KeyType, PublicKey};
use crate::predicate::PredicateType;
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust::{TrustRoot, TrustedKey};

/// Verifies records against what a [`TrustRoot`] believes.
#[derive(Clone, Debug)]
pub struct Verifier {
    trust: TrustRoot,
}

/// What one verification demands. Artifact and identity must be said; skipping the artifact is spelled out.
#[derive(Clone, Debug)]
pub struct Expectation {
    artifact: Artifact,
    identity: Identity,
    predicate_type: Option<String>,
    at: Timestamp,
}

/// Which artifact the record must be about.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Artifact {
    /// One of its subjects has this digest.
    Is(Digest),
    /// Any. Only for callers that compare the subjects themselves afterwards.
    AnyUnsafe,
}

/// Who must have signed.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The trusted key of this name.
    Key(String),
    /// One of the trusted keys of these names.
    OneOf(Vec<String>),
}

impl Artifact {
    /// How [`Artifact::AnyUnsafe`] is written where it is data.
    pub const ANY_UNSAFE: &str = "any-unsafe";
}

impl std::str::FromStr for Artifact {
    type Err = Error;

    /// Reads `sha256:<hex>`, or [`Artifact::ANY_UNSAFE`].
    fn from_str(text: &str) -> Result<Self> {
        if text == Self::ANY_UNSAFE { Ok(Self::AnyUnsafe) } else { text.parse().map(Self::Is) }
    }
}

impl Identity {
    /// The trusted key called `name`.
    pub fn key(name: impl Into<String>) -> Self {
        Self::Key(name.into())
    }

    fn names(&self) -> &[String] {
        match self {
            Self::Key(name) => std::slice::from_ref(name),
            Self::OneOf(names) => names,
        }
    }
}

impl Expectation {
    /// Demands `artifact`, signed by `identity`, with a key that was valid at `at` (when it was signed or logged).
    pub fn new(artifact: Artifact, identity: Identity, at: Timestamp) -> Self {
        Self { artifact, identity, predicate_type: None, at }
    }

    /// Reads what is demanded from JSON: `artifact` (`sha256:<hex>`, or `any-unsafe`), `signer` (a name, or a list of
    /// names of which one does), and if need be `predicateType` and `at`, which is `now` if it is not said.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known or not said; `UNSUPPORTED` for an unknown digest algorithm.
    pub fn from_json(bytes: &[u8], now: Timestamp) -> Result<Self> {
        let wire: Wire = json::parse("expectation", bytes)?;
        let identity = match wire.signer {
            SignerWire::Name(name) => Identity::Key(name),
            SignerWire::Names(names) => Identity::OneOf(names),
        };
        let artifact = wire.artifact.parse()?;
        Ok(Self { artifact, identity, predicate_type: wire.predicate_type, at: wire.at.unwrap_or(now) })
    }

    /// Demands this predicate type, too.
    #[must_use]
    pub fn require_type(mut self, predicate_type: impl Into<String>) -> Self {
        self.predicate_type = Some(predicate_type.into());
        self
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    artifact: String,
    signer: SignerWire,
    predicate_type: Option<String>,
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SignerWire {
    Name(String),
    Names(Vec<String>),
}

/// Proof that a value was signed as demanded. Made only by a [`Verifier`].
#[derive(Clone, Debug)]
pub struct Verified<T> {
    value: T,
    signers: Vec<SignedBy>,
    record: Arc<[u8]>,
}

/// A signer whose signature was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SignedBy {
    /// The name the trust root gives it.
    pub name: String,
    /// Lower-case hex SHA-256 of its SubjectPublicKeyInfo.
    pub key_id: String,
    /// Kind of key.
    pub key_type: KeyType,
}

impl<T> Verified<T> {
    /// What was signed.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// What was signed, without its proof.
    pub fn into_value(self) -> T {
        self.value
    }

    /// Those who signed, each once, at least one; all of them were demanded.
    pub fn signers(&self) -> &[SignedBy] {
        &self.signers
    }

    /// The record, byte for byte as it was given.
    pub fn record(&self) -> &[u8] {
        &self.record
    }
}

impl Verified<Statement> {
    /// The typed predicate, with the proof kept.
    ///
    /// # Errors
    /// `WRONG_TYPE` if it is of another type, `MALFORMED` if it breaks the rules of its type.
    pub fn predicate_as<P: PredicateType>(&self) -> Result<Verified<P>> {
        let value = self.value.predicate_as::<P>()?;
        Ok(Verified { value, signers: self.signers.clone(), record: Arc::clone(&self.record) })
    }
}

impl Verifier {
    /// A verifier that believes `trust`.
    pub fn new(trust: TrustRoot) -> Self {
        Self { trust }
    }

    /// Verifies a record: a Sigstore bundle or a bare DSSE envelope with an in-toto Statement.
    ///
    /// # Errors
    /// `MALFORMED`, `LIMIT_EXCEEDED`, `UNSUPPORTED` for what is no record; `BAD_SIGNATURE`, `UNTRUSTED_SIGNER`,
    /// `EXPIRED`, `NOT_YET_VALID` for its signature; `WRONG_TYPE`, `DIGEST_MISMATCH` for its content; `API_MISUSE` if
    /// the expectation names no signer or one that is not trusted.
    pub fn verify(&self, record: &[u8], expectation: &Expectation) -> Result<Verified<Statement>> {
        let bundle = Bundle::parse(record)?;
        if !is_in_toto(bundle.envelope().payload_type()) {
            return Err(wrong_payload_type(bundle.envelope(), IN_TOTO));
        }
        let signers = self.signers_of(&bundle, &expectation.identity, expectation.at)?;
        let statement = Statement::parse(bundle.into_envelope().into_payload())?;
        if let Some(demanded) = expectation.predicate_type.as_deref().filter(|d| *d != statement.predicate_type()) {
            return Err(Error::new(
                ErrorKind::WrongType,
                format!("expected a record of type `{demanded}`, found `{}`", statement.predicate_type()),
            )
            .with("expected", demanded)
            .with("found", statement.predicate_type()));
        }
        if let Artifact::Is(digest) = &expectation.artifact
            && !statement.has_subject(digest)
        {
            let found: Vec<_> = statement.subjects().iter().flat_map(|s| s.digests()).map(|d| d.to_string()).collect();
            return Err(Error::new(
                ErrorKind::DigestMismatch,
                format!(
                    "the record is not about `{digest}`, but about {}; check the artifact, or take its own record",
                    shortened(&found)
                ),
            )
            .with("expected", digest)
            .with("found", found.first().map_or("", String::as_str)));
        }
        Ok(Verified { value: statement, signers, record: record.into() })
    }

    /// The demanded signers with a valid signature and a valid key, each once.
    fn signers_of(&self, bundle: &Bundle, identity: &Identity, at: Timestamp) -> Result<Vec<SignedBy>> {
        let demanded = self.demanded(identity)?;
        let hint = match bundle.material() {
            Material::PublicKey { hint } => hint.as_deref(),
            Material::Bare => None,
            Material::Certificate(_) => {
                return Err(Error::new(
                    ErrorKind::UntrustedSigner,
                    "the record is signed with a certificate, and only keys are trusted here; name the signer's key",
                ));
            }
        };
        let message = bundle.envelope().pae();
        let mut found: Vec<&TrustedKey> = Vec::new();
        for signature in bundle.envelope().signatures() {
            // the key id is a hint only: a key that verifies is the signer, whatever the hint says
            let valid = demanded.iter().find(|k| k.key.verify(&message, &signature.sig).is_ok());
            if let Some(key) = valid.filter(|k| !found.contains(k)) {
                found.push(key);
            }
        }
        if found.is_empty() {
            return Err(self.no_signer(bundle, hint, &demanded, identity));
        }
        let mut refusal = None;
        found.retain(|k| match k.window.check(&format!("the key `{}`", k.name), at) {
            Ok(()) => true,
            Err(e) => {
                refusal.get_or_insert(e);
                false
            }
        });
        match refusal {
            Some(e) if found.is_empty() => Err(e),
            _ => Ok(found.into_iter().map(signed_by).collect()),
        }
    }

    fn demanded(&self, identity: &Identity) -> Result<Vec<&TrustedKey>> {
        let names = identity.names();
        if names.is_empty() {
            return Err(Error::new(ErrorKind::ApiMisuse, "no signer is demanded; name who must have signed"));
        }
        names
            .iter()
            .map(|name| {
                self.trust.keys().iter().find(|k| k.name == *name).ok_or_else(|| {
                    Error::new(
                        ErrorKind::ApiMisuse,
                        format!("the demanded signer `{name}` is not in the trust root; add its key"),
                    )
                })
            })
            .collect()
    }

    /// Tells an edited record of a demanded signer from a record of somebody else.
    fn no_signer(&self, bundle: &Bundle, hint: Option<&str>, demanded: &[&TrustedKey], identity: &Identity) -> Error {
        let hints = || bundle.envelope().signatures().iter().filter_map(|s| s.keyid.as_deref()).chain(hint);
        let names = |k: &&TrustedKey| hints().any(|h| h == k.key.id() || h == k.name);
        let wanted = identity.names().join("`, `");
        if let Some(key) = demanded.iter().find(|k| names(k)) {
            return Error::new(
                ErrorKind::BadSignature,
                format!(
                    "the record names the key `{}`, and its signature is not valid over these bytes; the record was edited \
                     or the signature is not its own: get it again from where it was made",
                    key.name
                ),
            )
            .with("signer", &key.name);
        }
        match hints().next() {
            Some(other) => {
                let known = self.trust.keys().iter().find(|k| names(k)).map(|k| k.name.as_str());
                let other = known.unwrap_or(other);
                Error::new(
                    ErrorKind::UntrustedSigner,
                    format!(
                        "expected a signature by `{wanted}`, found one by `{}`; check who must sign it",
                        other.escape_debug()
                    ),
                )
                .with("expected", wanted)
                .with("found", other)
            }
            None => Error::new(
                ErrorKind::BadSignature,
                format!("no signature of the record is valid for `{wanted}`; get it again, or check who must sign it"),
            )
            .with("expected", wanted),
        }
    }
}

/// The record's payload type may name the predicate (in-toto framework v1.2); what counts is the type in the payload.
fn is_in_toto(payload_type: &str) -> bool {
    payload_type == IN_TOTO
        || payload_type
            .strip_prefix("application/vnd.in-toto.")
            .and_then(|rest| rest.strip_suffix("+json"))
            .is_some_and(|name| !name.is_empty())
}

fn wrong_payload_type(envelope: &Envelope, expected: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("expected a payload of type `{expected}`, found `{}`", envelope.payload_type().escape_debug()),
    )
}

fn signed_by(key: &TrustedKey) -> SignedBy {
    SignedBy { name: key.name.clone(), key_id: PublicKey::id(&key.key), key_type: key.key.key_type() }
}

fn shortened(found: &[String]) -> String {
    let first = found.first().map_or("nothing", String::as_str);
    match found.len() {
        0 | 1 => format!("`{first}`"),
        n => format!("`{first}` and {} more", n - 1),
    }
}
