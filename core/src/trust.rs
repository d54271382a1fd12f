//! What a verifier believes: keys and certificate identities by name, each within its time window, and the authorities
//! and logs of Sigstore trusted roots.

mod authority;
pub(crate) mod certificate;
mod identity;
pub(crate) mod scheme;
mod sigstore;
pub(crate) mod tlv;
mod verified_signatures;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use sigstore_trust_root::{
    SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT, SIGSTORE_STAGING_TRUSTED_ROOT,
};

pub(crate) use self::authority::{CertificateAuthority, CertificateFile, TimestampAuthority};
pub use self::identity::{CertificateClaims, CertificateIdentity, Extension, Matcher, Pattern};
pub(crate) use self::sigstore::{Log, Sigstore};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::key::PublicKey;
use crate::timestamp::Timestamp;
use verified_signatures::VerifiedSignatures;

/// From when until when something counts. The start is inclusive, the end exclusive; none is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// First instant that counts.
    pub from: Option<Timestamp>,
    /// First instant that counts no more.
    pub until: Option<Timestamp>,
}

impl Window {
    /// Always.
    pub const ALWAYS: Self = Self { from: None, until: None };

    /// From `from` to before `until`.
    ///
    /// # Errors
    /// `API_MISUSE` if it ends before it begins.
    pub fn new(from: Option<Timestamp>, until: Option<Timestamp>) -> Result<Self> {
        match (from, until) {
            (Some(f), Some(u)) if f >= u => Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("a validity from `{f}` to `{u}` is empty; give an end after its start"),
            )),
            _ => Ok(Self { from, until }),
        }
    }

    /// From `from` to `to`, both inclusive.
    pub(crate) fn closed(from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        Self { from, until: to.map(|to| to.plus_millis(1)) }
    }

    /// Where both count.
    pub(crate) fn within(self, other: Self) -> Self {
        let until = match (self.until, other.until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { from: self.from.max(other.from), until }
    }

    /// Whether `at` lies within.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| at >= from) && self.until.is_none_or(|until| at < until)
    }

    /// Checks that `at` lies within; `what` names the thing in the error.
    ///
    /// # Errors
    /// `NOT_YET_VALID` before the start, `EXPIRED` from the end on.
    pub fn check(&self, what: &str, at: Timestamp) -> Result<()> {
        if let Some(from) = self.from.filter(|f| at < *f) {
            return Err(Error::new(
                ErrorKind::NotYetValid,
                format!(
                    "{what} is valid from `{from}`, and this was signed or logged at `{at}`; use a key that is valid"
                ),
            )
            .with("from", from)
            .with("at", at));
        }
        if let Some(until) = self.until.filter(|u| at >= *u) {
            return Err(Error::new(
                ErrorKind::Expired,
                format!(
                    "{what} was valid until `{until}`, and this was signed or logged at `{at}`; sign with a valid key"
                ),
            )
            .with("until", until)
            .with("at", at));
        }
        Ok(())
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.until) {
            (None, None) => f.write_str("always"),
            (Some(from), None) => write!(f, "from {from}"),
            (None, Some(until)) => write!(f, "until {until}"),
            (Some(from), Some(until)) => write!(f, "from {from} until {until}"),
        }
    }
}

/// A key with the name its owner gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustedKey {
    /// The name that an expectation demands.
    pub name: String,
    /// The key.
    pub key: PublicKey,
    /// When its signatures count.
    pub window: Window,
}

/// A certificate identity with the name that was given to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustedIdentity {
    /// The name that an expectation demands.
    pub name: String,
    /// Whose certificates count.
    pub identity: CertificateIdentity,
    /// When they must have signed.
    pub window: Window,
}

/// Everything a [`Verifier`](crate::verifier::Verifier) believes. Empty, it believes nothing.
#[derive(Clone, Debug, Default)]
pub struct TrustRoot {
    keys: Vec<TrustedKey>,
    identities: Vec<TrustedIdentity>,
    sigstore: Arc<Sigstore>,
    /// What was verified by it and its clones, if that is to be remembered.
    verified: Option<Arc<VerifiedSignatures>>,
}

impl TrustRoot {
    /// Believes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Remembers which signatures of its keys it verified, together with its clones: it takes a digest to ask.
    pub(crate) fn remembering_signatures(mut self) -> Self {
        self.verified = Some(Arc::default());
        self
    }

    pub(crate) fn verified_signatures(&self) -> Option<&VerifiedSignatures> {
        self.verified.as_deref()
    }

    /// Believes the authorities and logs of Sigstore's public good instance, as they were when this was released.
    /// Nobody's signature counts until an identity is demanded.
    ///
    /// # Errors
    /// Never in practice: the root is part of the program.
    pub fn public_good() -> Result<Self> {
        Self::new().with_sigstore(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes())
    }

    /// Believes the authorities and logs of Sigstore's staging instance, which is for tests.
    ///
    /// # Errors
    /// As [`TrustRoot::public_good`].
    pub fn staging() -> Result<Self> {
        Self::new().with_sigstore(SIGSTORE_STAGING_TRUSTED_ROOT.as_bytes())
    }

    /// Believes the authorities of GitHub's own instance, which signs for private repositories. It has no logs, so an
    /// expectation must waive them and demand a timestamp.
    ///
    /// # Errors
    /// As [`TrustRoot::public_good`].
    pub fn github() -> Result<Self> {
        Self::new().with_sigstore(SIGSTORE_GITHUB_TRUSTED_ROOT.as_bytes())
    }

    /// Believes trusted signers, and nothing else. See [`TrustRoot::with_signers`].
    ///
    /// # Errors
    /// As [`TrustRoot::with_signers`].
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        Self::new().with_signers(bytes)
    }

    /// Believes trusted signers, which it reads from JSON: an object of names, each with a `PUBLIC KEY` PEM file, or with
    /// an object of `key` (the same) or `identity` (a [`CertificateIdentity`]), and `validFrom` and `validUntil`, either
    /// of which may be left out.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known; those of [`PublicKey::from_pem`], [`Window::new`] and
    /// [`TrustRoot::with_key`].
    pub fn with_signers(self, json: &[u8]) -> Result<Self> {
        let wire: BTreeMap<String, SignerWire> = json::parse("trusted signers", json)?;
        wire.into_iter().try_fold(self, |root, (name, wire)| {
            let within = match wire {
                SignerWire::Pem(pem) => Within { key: Some(pem), ..Within::default() },
                SignerWire::Within(within) => within,
            };
            let window = Window::new(within.valid_from, within.valid_until)?;
            match (within.key, within.identity) {
                (Some(pem), None) => {
                    let key = PublicKey::from_pem(pem.as_bytes())
                        .map_err(|e| e.while_doing(format_args!("trusted key `{}`", name.escape_debug())))?;
                    root.with_key(name, key, window)
                }
                (None, Some(identity)) => root.with_identity(name, identity, window),
                _ => Err(Error::new(
                    ErrorKind::Malformed,
                    format!("the trusted signer `{}` needs `key` or `identity`, and one of them", name.escape_debug()),
                )),
            }
        })
    }

    /// Believes signatures of `key` under `name` within `window`.
    ///
    /// # Errors
    /// `API_MISUSE` if the name or the key is there already: one key under two names would count as two signers.
    pub fn with_key(mut self, name: impl Into<String>, key: PublicKey, window: Window) -> Result<Self> {
        let name = name.into();
        if let Some(twin) = self.keys.iter().find(|k| k.key == key) {
            return Err(shared(&name, &twin.name));
        }
        self.check_name(&name)?;
        self.keys.push(TrustedKey { name, key, window });
        Ok(self)
    }

    /// Believes whoever holds a certificate of `identity`, given by an authority of a trusted root, under `name`, if it
    /// signed within `window`.
    ///
    /// # Errors
    /// `API_MISUSE` if the name or the identity is there already.
    pub fn with_identity(
        mut self,
        name: impl Into<String>,
        identity: CertificateIdentity,
        window: Window,
    ) -> Result<Self> {
        let name = name.into();
        if let Some(twin) = self.identities.iter().find(|i| i.identity == identity) {
            return Err(shared(&name, &twin.name));
        }
        self.check_name(&name)?;
        self.identities.push(TrustedIdentity { name, identity, window });
        Ok(self)
    }

    /// Believes the authorities and logs of a Sigstore trusted root (v0.1 or v0.2, JSON), each in the times it gives.
    ///
    /// Several may be believed, such as past roots out of an archive: give them from the oldest to the newest, because
    /// what a later one says of the same authority or log replaces what an earlier one said.
    ///
    /// # Errors
    /// `MALFORMED`, `UNSUPPORTED` or `LIMIT_EXCEEDED` if it is no such root. Logs and timestamp authorities with a kind
    /// of key that is not known are left out.
    pub fn with_sigstore(mut self, trusted_root: &[u8]) -> Result<Self> {
        Arc::make_mut(&mut self.sigstore).add(trusted_root)?;
        Ok(self)
    }

    /// The keys, in the order they were added.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The certificate identities, in the order they were added.
    pub fn identities(&self) -> &[TrustedIdentity] {
        &self.identities
    }

    /// The names of all signers, keys first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|k| k.name.as_str()).chain(self.identities.iter().map(|i| i.name.as_str()))
    }

    pub(crate) fn sigstore(&self) -> &Sigstore {
        &self.sigstore
    }

    fn check_name(&self, name: &str) -> Result<()> {
        if self.names().any(|n| n == name) { Err(shared(name, name)) } else { Ok(()) }
    }
}

fn shared(name: &str, twin: &str) -> Error {
    Error::new(
        ErrorKind::ApiMisuse,
        format!("`{name}` shares its name, key or identity with the trusted signer `{twin}`; each needs one name"),
    )
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SignerWire {
    Pem(String),
    Within(Within),
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Within {
    key: Option<String>,
    identity: Option<CertificateIdentity>,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}
