//! `ledger.json`: what a ledger is, written once when it is made and never changed.

use serde::{Deserialize, Serialize};

use super::encrypted;
use super::store::{CONFIG, Store};
use crate::checkpoint::VerifierKey;
use crate::encryption;
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

const FORMAT: &str = "sealwright-ledger/v1";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    v: String,
    origin: String,
    log_key: String,
    /// Format of the envelopes, if it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encryption: Option<String>,
}

/// The bytes of `ledger.json` for a ledger whose first key this is.
pub(super) fn written(key: &VerifierKey, is_encrypted: bool) -> Result<Vec<u8>> {
    let config = Config {
        v: FORMAT.to_owned(),
        origin: key.name().to_owned(),
        log_key: key.to_string(),
        encryption: is_encrypted.then(|| encryption::FORMAT.to_owned()),
    };
    json::canonical("ledger configuration", &config)
}

/// As [`parse_config`], of the ledger that lies there.
pub(super) fn read_config(store: &Store) -> Result<(String, VerifierKey, bool)> {
    let bytes = store.read(CONFIG, limits::CHECKPOINT_BYTES).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::new(
            ErrorKind::NotFound,
            format!("there is no ledger at `{}`; make one with `sealwright ledger init`", store.storage().place()),
        ),
        _ => e,
    })?;
    parse_config(&bytes)
}

/// Origin and first key of a ledger, and whether it is encrypted, by its `ledger.json`.
pub(super) fn parse_config(bytes: &[u8]) -> Result<(String, VerifierKey, bool)> {
    let tampered = |why: &str| {
        Error::new(ErrorKind::LedgerTampered, format!("`{CONFIG}` of the ledger is not as it was written: {why}"))
    };
    let config: Config = json::parse("ledger configuration", bytes).map_err(|e| tampered(e.message()))?;
    if config.v != FORMAT {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("the ledger is of format `{}`, expected `{FORMAT}`; use a newer version", config.v.escape_debug()),
        ));
    }
    let key: VerifierKey = config.log_key.parse().map_err(|e: Error| tampered(e.message()))?;
    if key.name() != config.origin || json::canonical("ledger configuration", &config)? != bytes {
        return Err(tampered("its origin and key do not match, or it is not written canonically"));
    }
    Ok((config.origin, key, encrypted::is_known(config.encryption.as_deref())?))
}
