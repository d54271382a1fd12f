//! Witnesses of transparency logs (C2SP tlog-cosignature): that others saw the same tree as we.
//!
//! A witness signs a checkpoint only if it extends all it signed before, so that a log which shows two histories needs a
//! quorum of them to lie with it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PublicKey};
use crate::limits;
use crate::timestamp::Timestamp;

/// The key of a witness with the name it signs under, written as a vkey (C2SP signed-note, tlog-cosignature):
/// `<name>+<hex of the key id>+<base64 of type 4 and an Ed25519 key>`.
///
/// ```
/// use sealwright::verifier::WitnessKey;
/// let vkey = "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G";
/// let key: WitnessKey = vkey.parse()?;
/// assert_eq!(key.name(), "witness.navigli.sunlight.geomys.org");
/// assert_eq!(key.to_string(), vkey);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: PublicKey,
}

/// Whom one believes as witnesses, and how many of them must have signed a checkpoint.
///
/// As JSON: `keys`, a list of vkeys, and `quorum`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "WitnessesWire")]
pub struct Witnesses {
    keys: Vec<WitnessKey>,
    quorum: usize,
}

/// That a believed witness signed the checkpoint of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Witnessed {
    /// The name of the witness.
    pub name: String,
    /// When it signed, in its own words.
    pub at: Timestamp,
}

/// The signature type of a timestamped Ed25519 cosignature.
const COSIGNATURE: u8 = 4;

impl WitnessKey {
    /// The key `key` under `name`.
    ///
    /// # Errors
    /// `UNSUPPORTED` if the key is not of type Ed25519, `MALFORMED` if the name is empty or has spaces, `+` or control
    /// characters.
    pub fn new(name: impl Into<String>, key: PublicKey) -> Result<Self> {
        let name = name.into();
        if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+') {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` can't name a witness; use its name without spaces and `+`", name.escape_debug()),
            ));
        }
        if key.key_type() != KeyType::Ed25519 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("expected the ed25519 key of a witness, found one of type {}", key.key_type()),
            ));
        }
        let hashed = Digest::sha256(&[name.as_bytes(), b"\n", &[COSIGNATURE], key.raw()].concat());
        let id = hashed.bytes().first_chunk().copied().unwrap_or_default();
        Ok(Self { name, id, key })
    }

    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it signed the checkpoint with this text, by the signature of its line.
    fn check(&self, text: &str, signature: &[u8]) -> Option<Timestamp> {
        let (seconds, signature) = signature.split_first_chunk()?;
        let seconds = u64::from_be_bytes(*seconds);
        let message = format!("cosignature/v1\ntime {seconds}\n{text}");
        self.key.verify(message.as_bytes(), signature).ok()?;
        Timestamp::from_unix_millis(i64::try_from(seconds).ok()?.checked_mul(1000)?).ok()
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[COSIGNATURE], self.key.raw()].concat());
        write!(f, "{}+{}+{key}", self.name, hex::encode(self.id))
    }
}

impl FromStr for WitnessKey {
    type Err = Error;

    /// Reads a vkey: `MALFORMED` if it is none, `UNSUPPORTED` if it is of another type than an Ed25519 cosigner's.
    fn from_str(vkey: &str) -> Result<Self> {
        let malformed = |what: &str| {
            let shown: String = vkey.escape_debug().take(200).collect();
            Error::new(ErrorKind::Malformed, format!("`{shown}` is no key of a witness: {what}"))
        };
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("expected `<name>+<key id>+<key>`"));
        };
        let key = STANDARD.decode(key).map_err(|_| malformed("the key is not base64"))?;
        let read = match key.split_first() {
            Some((&COSIGNATURE, raw)) => Self::new(name, PublicKey::from_raw(KeyType::Ed25519, raw)?)?,
            Some((other, _)) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!(
                        "expected the key of a witness, of type 4 (Ed25519 cosignatures), found type {other}; the key of a \
                         log is no witness"
                    ),
                ));
            }
            None => return Err(malformed("the key is empty")),
        };
        if hex::encode(read.id) != id {
            return Err(malformed(&format!("the key id of this name and key is `{}`", hex::encode(read.id))));
        }
        Ok(read)
    }
}

impl Witnesses {
    /// Believes `keys`, and demands signatures of `quorum` of them.
    ///
    /// # Errors
    /// `API_MISUSE` if one name or key stands twice, because what a witness signs does not say its name and one would
    /// count as two, or if the quorum is none, or more than there are; `LIMIT_EXCEEDED` for more than
    /// [`limits::NOTE_SIGNATURES`].
    pub fn new(keys: Vec<WitnessKey>, quorum: usize) -> Result<Self> {
        if keys.len() > limits::NOTE_SIGNATURES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("more than {} witnesses are named; no checkpoint has so many", limits::NOTE_SIGNATURES),
            )
            .with("limit", limits::NOTE_SIGNATURES));
        }
        let twin = |(n, key): (usize, &WitnessKey)| {
            keys.iter().take(n).any(|other| other.name == key.name || other.key == key.key).then(|| key.name.clone())
        };
        if let Some(name) = keys.iter().enumerate().find_map(twin) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("the witness `{}` shares its name or key with another; name each once", name.escape_debug()),
            ));
        }
        if quorum == 0 || quorum > keys.len() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("a quorum of {quorum} of {} witnesses is none; demand one to all of them", keys.len()),
            ));
        }
        Ok(Self { keys, quorum })
    }

    /// How many must have signed.
    pub fn quorum(&self) -> usize {
        self.quorum
    }

    /// Those that are believed.
    pub fn keys(&self) -> &[WitnessKey] {
        &self.keys
    }

    /// The witness that a signature line names, if it is one of these.
    pub(super) fn named(&self, name: &str, id: [u8; 4]) -> Option<&WitnessKey> {
        self.keys.iter().find(|key| key.name == name && key.id == id)
    }
}

/// What the line of `witness` says about a checkpoint with this text; none if it is not a signature of the witness.
pub(super) fn check(witness: &WitnessKey, text: &str, signature: &[u8]) -> Option<Witnessed> {
    witness.check(text, signature).map(|at| Witnessed { name: witness.name.clone(), at })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessesWire {
    keys: Vec<String>,
    quorum: usize,
}

impl TryFrom<WitnessesWire> for Witnesses {
    type Error = Error;

    fn try_from(wire: WitnessesWire) -> Result<Self> {
        Self::new(wire.keys.iter().map(|key| key.parse()).collect::<Result<_>>()?, wire.quorum)
    }
}
