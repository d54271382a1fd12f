//! What one verification demands.

use serde::Deserialize;

use crate::checkpoint::{WitnessKey, Witnesses};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::timestamp::Timestamp;
use crate::trust::CertificateIdentity;

/// What one verification demands. Artifact and identity must be said; skipping the artifact is spelled out.
///
/// A signer with a certificate must have at least one authenticated time within it, an entry in a believed transparency
/// log, and a believed log of certificates that vouches for the certificate. A signer with a key needs none of these
/// unless they are demanded.
#[derive(Clone, Debug)]
pub struct Expectation {
    pub(super) artifact: Option<Artifact>,
    pub(super) identity: Identity,
    pub(super) predicate_type: Option<String>,
    pub(super) at: Timestamp,
    pub(super) log_entries: usize,
    pub(super) timestamps: usize,
    pub(super) witnesses: Option<Witnesses>,
    /// Whether a certificate counts without an entry in a log of signatures.
    pub(super) unlogged: bool,
    /// Whether a certificate counts without one in a log of certificates.
    pub(super) without_sct: bool,
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
    /// The trusted key or certificate identity of this name.
    Key(String),
    /// One of the trusted keys or certificate identities of these names.
    OneOf(Vec<String>),
    /// Whoever holds a certificate of this identity, named in the trust root or not.
    Certificate(CertificateIdentity),
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
    /// The trusted key or certificate identity called `name`.
    pub fn key(name: impl Into<String>) -> Self {
        Self::Key(name.into())
    }

    /// How it is written in errors.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Key(name) => name.clone(),
            Self::OneOf(names) => names.join("`, `"),
            Self::Certificate(identity) => identity.to_string(),
        }
    }
}

impl From<CertificateIdentity> for Identity {
    fn from(identity: CertificateIdentity) -> Self {
        Self::Certificate(identity)
    }
}

impl Expectation {
    /// Demands `artifact`, signed by `identity`. `at` is the present, or when the record was logged here: a key must be
    /// valid then, and no log and no timestamp authority can have seen the record later.
    pub fn new(artifact: Artifact, identity: Identity, at: Timestamp) -> Self {
        Self { artifact: Some(artifact), ..Self::of_signer(identity, at) }
    }

    /// Demands a signature by `identity` over the blob that is given to
    /// [`Verifier::verify_blob`](super::Verifier::verify_blob), and says nothing of records.
    pub fn of_signer(identity: Identity, at: Timestamp) -> Self {
        Self {
            artifact: None,
            identity,
            predicate_type: None,
            at,
            log_entries: 0,
            timestamps: 0,
            witnesses: None,
            unlogged: false,
            without_sct: false,
        }
    }

    /// Reads what is demanded from JSON: `artifact` (`sha256:<hex>`, or `any-unsafe`), `signer` (a name, or a list of
    /// names of which one does) or `identity` (a [`CertificateIdentity`]), and if need be `predicateType`, `logEntries`,
    /// `timestamps`, `witnesses` with `quorum` (see [`Witnesses`]), the waivers `unloggedUnsafe` and `withoutSctUnsafe`, and
    /// `at`, which is `now` if it is not said.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known or not said; `UNSUPPORTED` for an unknown digest algorithm; those of
    /// [`Witnesses::new`], also for a quorum without witnesses.
    pub fn from_json(bytes: &[u8], now: Timestamp) -> Result<Self> {
        let wire: Wire = json::parse("expectation", bytes)?;
        let identity = match (wire.signer, wire.identity) {
            (Some(SignerWire::Name(name)), None) => Identity::Key(name),
            (Some(SignerWire::Names(names)), None) => Identity::OneOf(names),
            (None, Some(identity)) => Identity::Certificate(identity),
            _ => {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    "the expectation needs `signer` or `identity`, and one of them; say who must have signed",
                ));
            }
        };
        Ok(Self {
            artifact: wire.artifact.map(|a| a.parse()).transpose()?,
            predicate_type: wire.predicate_type,
            log_entries: wire.log_entries,
            timestamps: wire.timestamps,
            witnesses: Witnesses::demanded(wire.witnesses, wire.quorum)?,
            unlogged: wire.unlogged_unsafe,
            without_sct: wire.without_sct_unsafe,
            ..Self::of_signer(identity, wire.at.unwrap_or(now))
        })
    }

    /// Demands this artifact, too.
    #[must_use]
    pub fn require_artifact(mut self, artifact: Artifact) -> Self {
        self.artifact = Some(artifact);
        self
    }

    /// Demands this predicate type, too.
    #[must_use]
    pub fn require_type(mut self, predicate_type: impl Into<String>) -> Self {
        self.predicate_type = Some(predicate_type.into());
        self
    }

    /// Demands entries in so many different transparency logs. Of a certificate one is demanded in any case.
    #[must_use]
    pub fn require_log_entries(mut self, number: usize) -> Self {
        self.log_entries = number;
        self
    }

    /// Demands RFC 3161 timestamps of so many different authorities.
    #[must_use]
    pub fn require_timestamps(mut self, number: usize) -> Self {
        self.timestamps = number;
        self
    }

    /// Demands that each of the logs which are demanded, and at least one, proves its entry by a checkpoint that a quorum
    /// of these witnesses signed: then no log alone can show an entry to one and hide it from another.
    #[must_use]
    pub fn require_witnesses(mut self, witnesses: Witnesses) -> Self {
        self.witnesses = Some(witnesses);
        self
    }

    /// Takes a certificate without an entry in a transparency log: for a private instance of Sigstore that has none. A
    /// timestamp must then say when it signed.
    #[must_use]
    pub fn unlogged_unsafe(mut self) -> Self {
        self.unlogged = true;
        self
    }

    /// Takes a certificate that no log of certificates vouches for: for a private instance of Sigstore that has none.
    #[must_use]
    pub fn without_sct_unsafe(mut self) -> Self {
        self.without_sct = true;
        self
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    artifact: Option<String>,
    signer: Option<SignerWire>,
    identity: Option<CertificateIdentity>,
    predicate_type: Option<String>,
    #[serde(default)]
    log_entries: usize,
    #[serde(default)]
    timestamps: usize,
    witnesses: Option<Vec<WitnessKey>>,
    quorum: Option<usize>,
    #[serde(default)]
    unlogged_unsafe: bool,
    #[serde(default)]
    without_sct_unsafe: bool,
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SignerWire {
    Name(String),
    Names(Vec<String>),
}
