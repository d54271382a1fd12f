//! Whose cosignatures count, and how many of them are demanded.

use super::{Cosignature, SignedCheckpoint, WitnessKey};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Whom one believes as witnesses, and how many of them must have cosigned a checkpoint: at least one. No witness stands
/// here twice, by its name or its key, so that none counts as two.
///
/// Where JSON demands them: `witnesses`, a list of vkeys, and `quorum`; all of them if it is not said.
///
/// ```
/// use sealwright::checkpoint::{WitnessKey, Witnesses};
/// use sealwright::key::{KeyType, PrivateKey};
/// let key = PrivateKey::generate(KeyType::Ed25519)?;
/// let witness = WitnessKey::new("witness.example/w1", key.public().clone())?;
/// assert_eq!(Witnesses::all(vec![witness.clone()])?.quorum(), 1);
/// assert_eq!(Witnesses::new(vec![witness.clone(), witness], 2).unwrap_err().code(), "API_MISUSE");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnesses {
    keys: Vec<WitnessKey>,
    quorum: usize,
}

impl Witnesses {
    /// Believes `keys`, and demands cosignatures of `quorum` of them.
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
        if let Some(twin) = twin(&keys) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("the witness `{}` shares its name or key with another; name each once", twin.name()),
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

    /// Believes `keys`, and demands cosignatures of all of them.
    ///
    /// # Errors
    /// As [`Witnesses::new`].
    pub fn all(keys: Vec<WitnessKey>) -> Result<Self> {
        let quorum = keys.len();
        Self::new(keys, quorum)
    }

    /// What is demanded by keys and a quorum that need not be said; nothing if neither is.
    ///
    /// # Errors
    /// As [`Witnesses::new`], and `API_MISUSE` for a quorum of nobody.
    pub(crate) fn demanded(keys: Option<Vec<WitnessKey>>, quorum: Option<usize>) -> Result<Option<Self>> {
        match (keys, quorum) {
            (None, None) => Ok(None),
            (Some(keys), None) => Self::all(keys).map(Some),
            (keys, Some(quorum)) => Self::new(keys.unwrap_or_default(), quorum).map(Some),
        }
    }

    /// How many must have cosigned.
    pub fn quorum(&self) -> usize {
        self.quorum
    }

    /// Those that are believed.
    pub fn keys(&self) -> &[WitnessKey] {
        &self.keys
    }

    /// Who of them cosigned `checkpoint`, and when; at least the quorum.
    ///
    /// # Errors
    /// `BAD_CHECKPOINT` if fewer did, otherwise as [`SignedCheckpoint::cosignatures`].
    pub fn check(&self, checkpoint: &SignedCheckpoint) -> Result<Vec<Cosignature>> {
        let found = checkpoint.cosignatures(&self.keys)?;
        if found.len() >= self.quorum {
            return Ok(found);
        }
        Err(Error::new(
            ErrorKind::BadCheckpoint,
            format!(
                "expected a checkpoint that {} of the {} named witnesses cosigned, found one that {} of them cosigned; ask \
                 for a later one, or check the keys of the witnesses",
                self.quorum,
                self.keys.len(),
                found.len()
            ),
        )
        .with("expected", self.quorum)
        .with("found", found.len()))
    }
}

/// The first key that stands there a second time, or under a name that does: one key is one witness, whatever it is
/// called, for a cosignature does not commit to the name.
pub(crate) fn twin(keys: &[WitnessKey]) -> Option<&WitnessKey> {
    let is_twin = |(place, key): &(usize, &WitnessKey)| {
        keys.iter().take(*place).any(|other| other.name() == key.name() || other.key() == key.key())
    };
    keys.iter().enumerate().find(is_twin).map(|(_, key)| key)
}
