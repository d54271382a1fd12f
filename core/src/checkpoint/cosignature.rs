//! C2SP tlog-cosignature, version 1: what a witness says of a checkpoint, and when it said so.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::SignedCheckpoint;
use super::note::{Note, SignatureLine, check_key, key_id, read_vkey, signature_lines, vkey, written_line};
use crate::error::{Error, ErrorKind, Result};
use crate::key::{PrivateKey, PublicKey};
use crate::limits;
use crate::timestamp::Timestamp;

/// The key of a witness, with the name it signs under; written as a vkey of type 4 (timestamped Ed25519 cosignatures).
///
/// ```
/// use sealwright::checkpoint::WitnessKey;
/// use sealwright::key::{KeyType, PrivateKey};
/// let key = PrivateKey::generate(KeyType::Ed25519)?;
/// let witness = WitnessKey::new("witness.example/w1", key.public().clone())?;
/// assert_eq!(witness.to_string().parse::<WitnessKey>()?, witness);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: PublicKey,
}

/// That a witness found a checkpoint to extend all it saw of that log before, at a time. Exists only verified.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Cosignature {
    /// Name of the witness's key.
    pub witness: String,
    /// When it cosigned, to the second.
    pub at: Timestamp,
}

/// The signature type of timestamped Ed25519 cosignatures.
const COSIGNATURE_V1: u8 = 4;

impl WitnessKey {
    /// The key `key` under `name`.
    ///
    /// # Errors
    /// `UNSUPPORTED` if the key is not of type Ed25519, `MALFORMED` if the name is empty or has spaces, `+` or control
    /// characters.
    pub fn new(name: impl Into<String>, key: PublicKey) -> Result<Self> {
        let name = name.into();
        check_key(&name, &key)?;
        let id = key_id(&name, COSIGNATURE_V1, &key);
        Ok(Self { name, id, key })
    }

    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key itself.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The time in a line of this witness over `body`, if it is one; a wrong one is `BAD_SIGNATURE`.
    fn verify(&self, line: &SignatureLine<'_>, body: &str) -> Result<Option<Timestamp>> {
        if !line.is_of(&self.name, self.id) {
            return Ok(None);
        }
        self.signed_at(&line.signature, body).map(Some)
    }

    /// Whether lines of this name and key id are its own.
    pub(crate) fn is_named(&self, name: &str, id: [u8; 4]) -> bool {
        self.name == name && self.id == id
    }

    /// When it cosigned `body`, as the signature of its line says.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if it is none of it over this text.
    pub(crate) fn signed_at(&self, signature: &[u8], body: &str) -> Result<Timestamp> {
        let bad = || {
            Error::new(
                ErrorKind::BadSignature,
                format!(
                    "the cosignature of `{}` is not a valid one of this checkpoint; ask the witness again",
                    self.name
                ),
            )
            .with("witness", &self.name)
        };
        let (seconds, signature) = signature.split_first_chunk().ok_or_else(bad)?;
        let seconds = i64::try_from(u64::from_be_bytes(*seconds)).map_err(|_| bad())?;
        self.key.verify(message(seconds, body).as_bytes(), signature).map_err(|_| bad())?;
        let millis = seconds.checked_mul(1000).ok_or_else(bad)?;
        Timestamp::from_unix_millis(millis).map_err(|_| bad())
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&vkey(&self.name, COSIGNATURE_V1, &self.key))
    }
}

impl FromStr for WitnessKey {
    type Err = Error;

    /// Reads a vkey: `MALFORMED` if it is none, `UNSUPPORTED` if it is of another type than 4, such as the ML-DSA-44 of
    /// type 6.
    fn from_str(text: &str) -> Result<Self> {
        let (name, key) = read_vkey(text, COSIGNATURE_V1, "4 (Ed25519 cosignature)")?;
        Self::new(name, key)
    }
}

impl Serialize for WitnessKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WitnessKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Cosigns a checkpoint at the time `at`; gives the signature line with its end. Whoever cosigns answers for it that the
/// checkpoint extends everything they cosigned of this log before; [`Witness`](crate::ledger::Witness) keeps that.
///
/// # Errors
/// `UNSUPPORTED` if the key is not of type Ed25519, `MALFORMED` if the name can't name a key, `API_MISUSE` for a time
/// before 1970.
pub fn cosign(checkpoint: &SignedCheckpoint, name: &str, key: &PrivateKey, at: Timestamp) -> Result<String> {
    let witness = WitnessKey::new(name, key.public().clone())?;
    let seconds = at.unix_seconds();
    let stamp = u64::try_from(seconds).map_err(|_| {
        Error::new(ErrorKind::ApiMisuse, format!("a cosignature can't be of `{at}`, before 1970; set the clock right"))
    })?;
    let signature = key.sign(message(seconds, &checkpoint.checkpoint().body()).as_bytes())?;
    Ok(written_line(name, witness.id, &[&stamp.to_be_bytes()[..], &signature].concat()))
}

/// What is signed: header, time, and the body of the checkpoint.
fn message(seconds: i64, body: &str) -> String {
    format!("cosignature/v1\ntime {seconds}\n{body}")
}

impl SignedCheckpoint {
    /// Who of these witnesses cosigned it, and when; of each key the newest cosignature, in the order of `witnesses`. Lines
    /// of others are ignored, as they must be. Whether they are enough, [`Witnesses::check`](super::Witnesses::check)
    /// tells.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if a line in the name of one of them is not its cosignature of this checkpoint.
    pub fn cosignatures(&self, witnesses: &[WitnessKey]) -> Result<Vec<Cosignature>> {
        let note = Note::read(self.note.as_bytes())?;
        let mut found = Vec::new();
        for (place, witness) in witnesses.iter().enumerate() {
            // one key is one witness, whatever it is called
            if witnesses.iter().take(place).any(|other| other.key == witness.key) {
                continue;
            }
            let mut newest = None;
            for line in &note.lines {
                newest = newest.max(witness.verify(line, note.text)?);
            }
            found.extend(newest.map(|at| Cosignature { witness: witness.name.clone(), at }));
        }
        Ok(found)
    }

    /// The checkpoint with the cosignatures of these witnesses that `lines` holds added to its note. A witness has one
    /// line in it, the newest; of `lines`, those of others are left out.
    ///
    /// # Errors
    /// `BAD_SIGNATURE` if a line in the name of one of them is not its cosignature of this checkpoint, `MALFORMED` for
    /// what is no signature line, `LIMIT_EXCEEDED` if the note becomes too long.
    pub fn with_cosignatures(&self, lines: &str, witnesses: &[WitnessKey]) -> Result<Self> {
        let body = self.checkpoint.body();
        let own = Note::read(self.note.as_bytes())?;
        let mut newest: Vec<(&WitnessKey, Timestamp, &str)> = Vec::new();
        for line in own.lines.iter().chain(&signature_lines(lines)?) {
            for witness in witnesses {
                let Some(at) = witness.verify(line, &body)? else { continue };
                match newest.iter_mut().find(|(known, ..)| *known == witness) {
                    Some(known) if known.1 < at => *known = (witness, at, line.whole),
                    Some(_) => {}
                    None => newest.push((witness, at, line.whole)),
                }
            }
        }
        let mut note = format!("{body}\n");
        let of_others = |line: &&SignatureLine<'_>| witnesses.iter().all(|w| !line.is_of(&w.name, w.id));
        let kept = own.lines.iter().filter(of_others).map(|line| line.whole);
        let mut count = 0;
        for line in kept.chain(newest.iter().map(|(.., line)| *line)) {
            note.push_str(line);
            note.push('\n');
            count += 1;
        }
        if count > limits::NOTE_SIGNATURES || note.len() as u64 > limits::CHECKPOINT_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("a checkpoint holds at most {} signatures; ask fewer witnesses", limits::NOTE_SIGNATURES),
            ));
        }
        Ok(Self { checkpoint: self.checkpoint.clone(), note, own: self.own.clone() })
    }

    /// Signature lines that are neither of the log nor of one of these witnesses; they say nothing to anybody here.
    pub(crate) fn foreign_lines(&self, witnesses: &[WitnessKey]) -> Result<Vec<String>> {
        let note = Note::read(self.note.as_bytes())?;
        let known = |line: &SignatureLine<'_>| {
            self.own.lines().any(|own| own == line.whole) || witnesses.iter().any(|w| line.is_of(&w.name, w.id))
        };
        Ok(note.lines.iter().filter(|line| !known(line)).map(|line| line.whole.to_owned()).collect())
    }
}
