//! A batch on its way into the log: one object that holds all of it, written before the checkpoint that commits it.
//!
//! ```text
//! pending/<SHA-256 of the new checkpoint>
//!     sealwright-pending/v1 <SHA-256 of the checkpoint before, or -> <length of the next line>
//!     {"objects": [["bodies/007", 1234], …], "stale": ["tile/0/000.p/7", …]}
//!     the bytes of the objects, one after another
//! ```
//!
//! Whoever finds the checkpoint finds the batch by its name, with no listing and without asking a database.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::Batch;
use crate::{json, limits};

pub(super) const PENDING: &str = "pending";
const FORMAT: &str = "sealwright-pending/v1";
/// Enough to hold the first line.
pub(super) const FIRST_LINE: u64 = 128;

/// What a batch holds, ready to be put in place.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) objects: Vec<(String, Bytes)>,
    pub(super) stale: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    objects: Vec<(String, u64)>,
    stale: Vec<String>,
}

/// The name that stands for a checkpoint.
pub(super) fn hash(checkpoint: &[u8]) -> String {
    hex::encode(Sha256::digest(checkpoint))
}

/// The name of the batch that `checkpoint` commits.
pub(super) fn name(checkpoint: &[u8]) -> String {
    format!("{PENDING}/{}", hash(checkpoint))
}

impl Pending {
    /// The object to write.
    pub(super) fn write(batch: &Batch<'_>) -> Result<Bytes> {
        let header = Wire {
            objects: batch.objects.iter().map(|o| (o.name.clone(), o.bytes.len() as u64)).collect(),
            stale: batch.stale.clone(),
        };
        let header = json::canonical("batch", &header)?;
        let before = batch.before.map_or_else(|| "-".to_owned(), hash);
        let mut bytes = format!("{FORMAT} {before} {}\n", header.len()).into_bytes();
        bytes.extend_from_slice(&header);
        bytes.push(b'\n');
        let length = batch.objects.iter().fold(bytes.len() as u64, |sum, o| sum.saturating_add(o.bytes.len() as u64));
        if length > limits::LEDGER_PENDING_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("a batch of {length} bytes is too large for one append; append fewer records at once"),
            ));
        }
        batch.objects.iter().for_each(|o| bytes.extend_from_slice(&o.bytes));
        Ok(bytes.into())
    }

    pub(super) fn parse(bytes: &Bytes) -> Result<Self> {
        let read = || -> Option<Self> {
            let line = bytes.iter().take(usize::try_from(FIRST_LINE).ok()?).position(|b| *b == b'\n')?;
            let (_, length) = first_line(bytes)?;
            let begin = line + 1;
            let end = begin.checked_add(length).filter(|end| bytes.get(*end) == Some(&b'\n'))?;
            let wire: Wire = json::parse("batch", bytes.get(begin..end)?).ok()?;
            let mut at = end + 1;
            let mut objects = Vec::new();
            for (name, size) in wire.objects {
                let next = at.checked_add(usize::try_from(size).ok()?).filter(|next| *next <= bytes.len())?;
                objects.push((name, bytes.slice(at..next)));
                at = next;
            }
            (at == bytes.len()).then_some(Self { objects, stale: wire.stale })
        };
        read().ok_or_else(|| {
            Error::new(
                ErrorKind::LedgerTampered,
                format!("a batch in `{PENDING}/` is not as it was written; restore it from a copy"),
            )
        })
    }

    pub(super) fn find(&self, name: &str) -> Option<&Bytes> {
        self.objects.iter().find(|(own, _)| own == name).map(|(_, bytes)| bytes)
    }
}

/// The checkpoint that a batch was made for, by its hash, `-` for none.
pub(super) fn made_for(beginning: &[u8]) -> Option<String> {
    first_line(beginning).map(|(before, _)| before)
}

fn first_line(bytes: &[u8]) -> Option<(String, usize)> {
    let line = std::str::from_utf8(bytes.split(|b| *b == b'\n').next()?).ok()?;
    let mut words = line.split(' ');
    let (format, before, length) = (words.next()?, words.next()?, words.next()?);
    (format == FORMAT && words.next().is_none()).then_some((before.to_owned(), length.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::storage::Object;

    fn batch(objects: &[(&str, &[u8])]) -> Bytes {
        let object = |(name, bytes): &(&str, &[u8])| Object {
            name: (*name).to_owned(),
            bytes: bytes.to_vec(),
            grown_from: None,
        };
        let objects = objects.iter().map(object).collect();
        let stale = vec!["tile/0/000.p/6".to_owned()];
        Pending::write(&Batch { objects, stale, before: Some(b"before"), checkpoint: b"after" }).unwrap()
    }

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        let written = batch(&[("bodies/006", b"one\n\ntwo"), ("tile/0/000.p/7", b"")]);
        let read = Pending::parse(&written).unwrap();
        assert_eq!(read.find("bodies/006").unwrap(), &b"one\n\ntwo"[..]);
        assert_eq!(read.find("tile/0/000.p/7").unwrap(), &b""[..]);
        assert_eq!(read.stale, ["tile/0/000.p/6"]);
        assert_eq!(read.find("bodies/007"), None);
        assert_eq!(made_for(&written[..100]), Some(hash(b"before")));
    }

    #[test]
    fn a_batch_that_was_cut_or_changed_is_refused() {
        let written = batch(&[("bodies/006", b"content")]);
        for length in 0..written.len() {
            assert_eq!(Pending::parse(&written.slice(..length)).unwrap_err().code(), "LEDGER_TAMPERED", "{length}");
        }
        let longer = Bytes::from([&written[..], b"x"].concat());
        assert_eq!(Pending::parse(&longer).unwrap_err().code(), "LEDGER_TAMPERED");
    }
}
