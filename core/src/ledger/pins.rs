//! What is known of a ledger from elsewhere.

use serde::Deserialize;

use crate::checkpoint::VerifierKey;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::json;

/// What is known of a ledger from elsewhere, before it is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Pins {
    /// The key of the log.
    pub log_key: Option<VerifierKey>,
    /// Payload digest of version 1 of the trust policy.
    pub trust_policy: Option<Digest>,
    /// A checkpoint the ledger must extend, as signed.
    pub min_checkpoint: Option<Vec<u8>>,
}

impl Pins {
    /// Nothing is known.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads pins from JSON: `logKey` (a C2SP verifier key), `trustPolicy` (`sha256:<hex>`) and `minCheckpoint` (a
    /// signed note), each of which may be left out.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known; `UNSUPPORTED` for an unknown digest algorithm.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::parse::<PinsWire>("pins", bytes)?.try_into()
    }
}

impl TryFrom<PinsWire> for Pins {
    type Error = Error;

    fn try_from(wire: PinsWire) -> Result<Self> {
        Ok(Self {
            log_key: wire.log_key.map(|key| key.parse()).transpose()?,
            trust_policy: wire.trust_policy.map(|digest| digest.parse()).transpose()?,
            min_checkpoint: wire.min_checkpoint.map(String::into_bytes),
        })
    }
}

/// Pins as data.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PinsWire {
    log_key: Option<String>,
    trust_policy: Option<String>,
    min_checkpoint: Option<String>,
}
