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
        check_key(&name, &key)?;
        let id = key_id(&name, ED25519, &key);
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
        f.write_str(&vkey(&self.name, ED25519, &self.key))
    }
}

impl FromStr for VerifierKey {
    type Err = Error;

    /// Reads a vkey: `MALFORMED` if it is none, `UNSUPPORTED` if it is of another type than Ed25519.
    fn from_str(text: &str) -> Result<Self> {
        let (name, key) = read_vkey(text, ED25519, "1 (Ed25519)")?;
        Self::new(name, key)
    }
}

/// Checks that `key` can sign notes under `name`.
pub(super) fn check_key(name: &str, key: &PublicKey) -> Result<()> {
    if !is_key_name(name) {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "`{}` can't name a key; use a name like `ledger.example/team`, without spaces and `+`",
                shown(name)
            ),
        ));
    }
    if key.key_type() != KeyType::Ed25519 {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("checkpoints are signed with ed25519 keys, found one of type {}; make a new one", key.key_type()),
        ));
    }
    Ok(())
}

/// The id by which signature lines of one type name a key.
pub(super) fn key_id(name: &str, signature_type: u8, key: &PublicKey) -> [u8; 4] {
    let hashed = [name.as_bytes(), b"\n", &[signature_type], key.raw()].concat();
    Digest::sha256(&hashed).bytes().first_chunk().copied().unwrap_or_default()
}

/// A key as a vkey of one signature type.
pub(super) fn vkey(name: &str, signature_type: u8, key: &PublicKey) -> String {
    let material = STANDARD.encode([&[signature_type], key.raw()].concat());
    format!("{name}+{}+{material}", hex::encode(key_id(name, signature_type, key)))
}

/// Name and key of a vkey that is of the signature type `expected`, which is called `called`.
pub(super) fn read_vkey<'a>(text: &'a str, expected: u8, called: &str) -> Result<(&'a str, PublicKey)> {
    let malformed =
        |what: &str| Error::new(ErrorKind::Malformed, format!("`{}` is no verifier key: {what}", shown(text)));
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(malformed("expected `<name>+<key id>+<key>`"));
    };
    let key = STANDARD.decode(key).map_err(|_| malformed("the key is not base64"))?;
    let key = match key.split_first() {
        Some((&found, raw)) if found == expected => PublicKey::from_raw(KeyType::Ed25519, raw)?,
        Some((other, _)) => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("expected a verifier key of type {called}, found type {other}"),
            ));
        }
        None => return Err(malformed("the key is empty")),
    };
    check_key(name, &key)?;
    let own = hex::encode(key_id(name, expected, &key));
    if own != id {
        return Err(malformed(&format!("the key id of this name and key is `{own}`")));
    }
    Ok((name, key))
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
    Ok(format!("{text}\n{}", written_line(name, signer.id, &key.sign(text.as_bytes())?)))
}

/// Verifies that `key` signed `note`; gives the note and its text. Lines of other keys are ignored, as they must be.
///
/// # Errors
/// `BAD_SIGNATURE` if the key did not sign it or if a signature in its name is wrong, `MALFORMED` if it is no note,
/// `LIMIT_EXCEEDED` over [`limits::CHECKPOINT_BYTES`] or [`limits::NOTE_SIGNATURES`].
pub fn verify_note<'a>(note: &'a [u8], key: &VerifierKey) -> Result<(&'a str, &'a str)> {
    let note = Note::read(note)?;
    if note.is_signed_by(key)? { Ok((note.whole, note.text)) } else { Err(not_signed_by(key)) }
}

/// A note taken apart. Nothing of it is verified.
#[derive(Debug)]
pub(super) struct Note<'a> {
    pub(super) whole: &'a str,
    pub(super) text: &'a str,
    pub(super) lines: Vec<SignatureLine<'a>>,
}

/// A signature line `— <name> <base64>`.
#[derive(Debug)]
pub(super) struct SignatureLine<'a> {
    /// The line as it stands there, without its end.
    pub(super) whole: &'a str,
    pub(super) name: &'a str,
    pub(super) id: [u8; 4],
    pub(super) signature: Vec<u8>,
}

impl<'a> Note<'a> {
    pub(super) fn read(note: &'a [u8]) -> Result<Self> {
        if note.len() as u64 > limits::CHECKPOINT_BYTES {
            return Err(too_long("bytes", limits::CHECKPOINT_BYTES));
        }
        let whole = std::str::from_utf8(note)
            .ok()
            .filter(|note| is_plain(note))
            .ok_or_else(|| malformed("it is not plain text in UTF-8"))?;
        let blank = whole.rfind("\n\n").ok_or_else(|| malformed("no empty line stands before the signatures"))?;
        let (text, signatures) = whole.split_at_checked(blank + 1).unwrap_or_default();
        let signatures = signatures.strip_prefix('\n').unwrap_or_default();
        Ok(Self { whole, text, lines: signature_lines(signatures)? })
    }

    /// Whether `key` signed it; a signature in its name that is wrong spoils the note.
    pub(super) fn is_signed_by(&self, key: &VerifierKey) -> Result<bool> {
        let mut valid = false;
        for line in self.lines.iter().filter(|line| line.is_of(&key.name, key.id)) {
            key.key.verify(self.text.as_bytes(), &line.signature)?;
            valid = true;
        }
        Ok(valid)
    }
}

impl SignatureLine<'_> {
    pub(super) fn is_of(&self, name: &str, id: [u8; 4]) -> bool {
        self.name == name && self.id == id
    }
}

/// Reads signature lines, each with its end.
pub(super) fn signature_lines(text: &str) -> Result<Vec<SignatureLine<'_>>> {
    let lines = text.strip_suffix('\n').ok_or_else(|| malformed("its last signature line is not finished"))?;
    let mut read = Vec::new();
    for line in lines.split('\n') {
        if read.len() == limits::NOTE_SIGNATURES {
            return Err(too_long("signatures", limits::NOTE_SIGNATURES as u64));
        }
        read.push(signature_line(line).ok_or_else(|| malformed("a line after the empty one is no signature"))?);
    }
    Ok(read)
}

pub(super) fn not_signed_by(key: &VerifierKey) -> Error {
    Error::new(
        ErrorKind::BadSignature,
        format!("no signature by `{key}`; it is another ledger's, or the key was changed"),
    )
    .with("key", key)
}

/// The name, key id and signature of `— <name> <base64>`.
fn signature_line(line: &str) -> Option<SignatureLine<'_>> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    let signature = STANDARD.decode(signature).ok()?;
    let (id, signature) = signature.split_first_chunk()?;
    (is_key_name(name) && !signature.is_empty()).then(|| SignatureLine {
        whole: line,
        name,
        id: *id,
        signature: signature.to_vec(),
    })
}

/// The line of a signature of `name` and `id`, with its end.
pub(super) fn written_line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    format!("— {name} {}\n", STANDARD.encode([&id[..], signature].concat()))
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && is_plain(name) && !name.chars().any(|c| c.is_whitespace() || c == '+')
}

/// Whether a text has no control characters of ASCII but the end of line.
fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c >= ' ' || c == '\n')
}

pub(super) fn malformed(what: &str) -> Error {
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
