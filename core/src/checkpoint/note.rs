//! C2SP signed-note, with Ed25519 keys.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PrivateKey, PublicKey};
use crate::limits;

/// A key that signs notes, with the name it signs under; written as a vkey,
/// `<name>+<hex of the key id>+<base64 of type and key>`.
///
/// ```
/// use sealwright::checkpoint::VerifierKey;
/// let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
/// let key: VerifierKey = vkey.parse()?;
/// assert_eq!(key.name(), "example.com/foo");
/// assert_eq!(key.to_string(), vkey);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: PublicKey,
}

/// The signature type of Ed25519 over the text itself.
const ED25519: u8 = 1;

impl VerifierKey {
    /// The key `key` under `name`.
    ///
    /// # Errors
    /// `UNSUPPORTED` if the key is not of type Ed25519, `MALFORMED` if the name is empty or has spaces, `+` or control
    /// characters.
    pub fn new(name: impl Into<String>, key: PublicKey) -> Result<Self> {
        let name = name.into();
        if !is_key_name(&name) {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!(
                    "`{}` can't name a key; use a name like `ledger.example/team`, without spaces and `+`",
                    shown(&name)
                ),
            ));
        }
        if key.key_type() != KeyType::Ed25519 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "checkpoints are signed with ed25519 keys, found one of type {}; make a new one",
                    key.key_type()
                ),
            ));
        }
        let hashed = [name.as_bytes(), b"\n", &[ED25519], key.raw()].concat();
        let id = Digest::sha256(&hashed).bytes().first_chunk().copied().unwrap_or_default();
        Ok(Self { name, id, key })
    }

    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The id by which signature lines name it.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The key itself.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ED25519], self.key.raw()].concat());
        write!(f, "{}+{}+{key}", self.name, hex::encode(self.id))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    /// Reads a vkey: `MALFORMED` if it is none, `UNSUPPORTED` if it is of another type than Ed25519.
    fn from_str(vkey: &str) -> Result<Self> {
        let malformed =
            |what: &str| Error::new(ErrorKind::Malformed, format!("`{}` is no verifier key: {what}", shown(vkey)));
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed("expected `<name>+<key id>+<key>`"));
        };
        let key = STANDARD.decode(key).map_err(|_| malformed("the key is not base64"))?;
        let read = match key.split_first() {
            Some((&ED25519, raw)) => Self::new(name, PublicKey::from_raw(KeyType::Ed25519, raw)?)?,
            Some((other, _)) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("expected a verifier key of type 1 (Ed25519), found type {other}"),
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

/// Signs `text` (whole lines) under `name`; gives the note.
///
/// # Errors
/// `UNSUPPORTED` if the key is not of type Ed25519, `MALFORMED` if the name can't name a key or the text has control
/// characters or an unfinished line.
pub fn sign_note(text: &str, name: &str, key: &PrivateKey) -> Result<String> {
    let signer = VerifierKey::new(name, key.public().clone())?;
    if !text.ends_with('\n') || !is_plain(text) {
        return Err(malformed("the text to sign has control characters, or does not end with an end of line"));
    }
    let signature = STANDARD.encode([&signer.id[..], &key.sign(text.as_bytes())?].concat());
    Ok(format!("{text}\n— {name} {signature}\n"))
}

/// Verifies that `key` signed `note`; gives the note and its text. Lines of other keys are ignored, as they must be.
///
/// # Errors
/// `BAD_SIGNATURE` if the key did not sign it or if a signature in its name is wrong, `MALFORMED` if it is no note,
/// `LIMIT_EXCEEDED` over [`limits::CHECKPOINT_BYTES`] or [`limits::NOTE_SIGNATURES`].
pub fn verify_note<'a>(note: &'a [u8], key: &VerifierKey) -> Result<(&'a str, &'a str)> {
    if note.len() as u64 > limits::CHECKPOINT_BYTES {
        return Err(too_long("bytes", limits::CHECKPOINT_BYTES));
    }
    let note = std::str::from_utf8(note)
        .ok()
        .filter(|note| is_plain(note))
        .ok_or_else(|| malformed("it is not plain text in UTF-8"))?;
    let blank = note.rfind("\n\n").ok_or_else(|| malformed("no empty line stands before the signatures"))?;
    let (text, signatures) = note.split_at_checked(blank + 1).unwrap_or_default();
    let lines = signatures
        .strip_prefix('\n')
        .and_then(|lines| lines.strip_suffix('\n'))
        .ok_or_else(|| malformed("its last signature line is not finished"))?;
    let mut valid = false;
    for (count, line) in lines.split('\n').enumerate() {
        if count == limits::NOTE_SIGNATURES {
            return Err(too_long("signatures", limits::NOTE_SIGNATURES as u64));
        }
        let (name, id, signature) =
            signature_line(line).ok_or_else(|| malformed("a line after the empty one is no signature"))?;
        if name == key.name && id == key.id {
            key.key.verify(text.as_bytes(), &signature)?;
            valid = true;
        }
    }
    if valid {
        return Ok((note, text));
    }
    Err(Error::new(
        ErrorKind::BadSignature,
        format!("no signature by `{key}`; it is another ledger's, or the key was changed"),
    )
    .with("key", key))
}

/// The name, key id and signature of `— <name> <base64>`.
fn signature_line(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    let signature = STANDARD.decode(signature).ok()?;
    let (id, signature) = signature.split_first_chunk()?;
    (is_key_name(name) && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && is_plain(name) && !name.chars().any(|c| c.is_whitespace() || c == '+')
}

/// Whether a text has no control characters of ASCII but the end of line.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c >= ' ' || c == '\n')
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("expected a signed note (C2SP signed-note), but {what}"))
}

fn too_long(what: &str, limit: u64) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!("the signed note has more than {limit} {what}; it can't be a checkpoint"),
    )
    .with("limit", limit)
}

/// Foreign text for an error.
pub(super) fn shown(text: &str) -> String {
    text.escape_debug().take(200).collect()
}
