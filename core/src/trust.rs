//! What a verifier believes: keys by name, each within its time window.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::key::PublicKey;
use crate::timestamp::Timestamp;

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

/// Everything a [`Verifier`](crate::verifier::Verifier) believes. Empty, it believes nothing.
#[derive(Clone, Debug, Default)]
pub struct TrustRoot {
    keys: Vec<TrustedKey>,
}

impl TrustRoot {
    /// Believes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads trusted keys from JSON: an object of names, each with a `PUBLIC KEY` PEM file, or with an object of `key`
    /// (the same) and `validFrom` and `validUntil`, either of which may be left out.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known; those of [`PublicKey::from_pem`], [`Window::new`] and
    /// [`TrustRoot::with_key`].
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let wire: BTreeMap<String, KeyWire> = json::parse("trusted keys", bytes)?;
        wire.into_iter().try_fold(Self::new(), |root, (name, wire)| {
            let (pem, window) = match wire {
                KeyWire::Pem(pem) => (pem, Window::ALWAYS),
                KeyWire::Within { key, valid_from, valid_until } => (key, Window::new(valid_from, valid_until)?),
            };
            let key = PublicKey::from_pem(pem.as_bytes())
                .map_err(|e| e.while_doing(format_args!("trusted key `{}`", name.escape_debug())))?;
            root.with_key(name, key, window)
        })
    }

    /// Believes signatures of `key` under `name` within `window`.
    ///
    /// # Errors
    /// `API_MISUSE` if the name or the key is there already: one key under two names would count as two signers.
    pub fn with_key(mut self, name: impl Into<String>, key: PublicKey, window: Window) -> Result<Self> {
        let name = name.into();
        if let Some(twin) = self.keys.iter().find(|k| k.name == name || k.key == key) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!(
                    "`{name}` shares its name or key with the trusted key `{}`; each key needs one name",
                    twin.name
                ),
            ));
        }
        self.keys.push(TrustedKey { name, key, window });
        Ok(self)
    }

    /// The keys, in the order they were added.
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum KeyWire {
    Pem(String),
    #[serde(rename_all = "camelCase")]
    Within {
        key: String,
        valid_from: Option<Timestamp>,
        valid_until: Option<Timestamp>,
    },
}
