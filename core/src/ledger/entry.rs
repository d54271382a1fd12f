//! The ledger entry, `sealwright-entry/v1`: what the Merkle tree commits to (predicates section 1.1).
//!
//! An entry stays for ever and tells nothing of its record but what it is selected by: the commitment is salted, and
//! record and salt lie apart, in the body.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::label::{Labels, TYPE, named};
use crate::encryption::TagKey;
use crate::error::{Error, ErrorKind, Result};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::{json, limits};

/// Format name of an entry.
const FORMAT: &str = "sealwright-entry/v1";
/// Tag that says that not all tags fitted; such an entry matches every selection.
const MORE: &str = "more";

/// A ledger entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    v: String,
    /// Sequencer's Unix milliseconds; never less than that of the entry before.
    pub time: i64,
    /// Whether the record can turn a pass into a refusal (predicates section 1.2).
    pub control: bool,
    /// Predicate type of the record; in an encrypted ledger its label ([`Entry::is_of_type`]).
    #[serde(rename = "type")]
    pub predicate_type: String,
    /// What the record is selected by: `subject`, `change`, `service`, `release`, `environment`, `decision`, `kind`; in
    /// an encrypted ledger their labels ([`Entry::has_tag`]).
    pub tags: BTreeMap<String, BTreeSet<String>>,
    /// Lower-case hex of SHA-256 over salt and record.
    pub record: String,
    /// Bytes of the record.
    pub size: u64,
    /// How type and tags are to be understood.
    #[serde(skip)]
    labels: Labels,
}

/// Salt and record of an entry; erased together when a record is disposed of.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) salt: [u8; 32],
    pub(crate) record: Vec<u8>,
}

impl Body {
    /// The stored form: the salt, then the record.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        [&self.salt[..], &self.record].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (salt, record) = bytes.split_first_chunk::<32>()?;
        Some(Self { salt: *salt, record: record.to_vec() })
    }

    /// What an entry says of this body.
    pub(crate) fn commitment(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.salt);
        hasher.update(&self.record);
        hex::encode(hasher.finalize())
    }
}

/// The body of `entry`, if this salt and record are what it commits to.
///
/// # Errors
/// `LEDGER_TAMPERED` if not.
pub(crate) fn check_commitment(entry: &Entry, salt: [u8; 32], record: Vec<u8>) -> Result<Body> {
    let body = Body { salt, record };
    if entry.record != body.commitment() || entry.size != body.record.len() as u64 {
        return Err(Error::new(ErrorKind::LedgerTampered, "the entry does not commit to this record"));
    }
    Ok(body)
}

impl Entry {
    /// Derives the entry of a record, logged at `time`. A ledger makes no entry in any other way.
    pub(crate) fn derive(statement: &Statement, body: &Body, time: Timestamp, labels: &Labels) -> Result<Self> {
        let mut tags = BTreeMap::new();
        for (name, values) in named(statement) {
            let labelled = values.iter().map(|value| labels.of(name, value).map(Cow::into_owned));
            let labelled = labelled.collect::<Result<BTreeSet<_>>>()?;
            if !labelled.is_empty() {
                tags.insert(name.to_owned(), labelled);
            }
        }
        let mut entry = Self {
            v: FORMAT.to_owned(),
            time: time.unix_millis(),
            control: statement.is_control(),
            predicate_type: labels.of(TYPE, statement.predicate_type())?.into_owned(),
            tags,
            record: body.commitment(),
            size: body.record.len() as u64,
            labels: labels.clone(),
        };
        entry.fit()?;
        Ok(entry)
    }

    /// Whether this is the entry of a record that was logged at `time`. Labels that are not known here are counted by name,
    /// and all else is compared.
    pub(crate) fn is_of(&self, statement: &Statement, body: &Body, time: Timestamp, labels: &Labels) -> Result<bool> {
        if labels.are_known() {
            return Ok(Self::derive(statement, body, time, labels)? == *self);
        }
        // any label is as long as any other, so the same tags fit
        let stand_in = Labels::Keyed(Arc::new(TagKey::of_nobody()));
        let derived = Self::derive(statement, body, time, &stand_in)?;
        let shape = |entry: &Self| entry.tags.iter().map(|(name, of)| (name.clone(), of.len())).collect::<Vec<_>>();
        Ok(shape(&derived) == shape(self)
            && (derived.time, derived.control, derived.size) == (self.time, self.control, self.size)
            && derived.record == self.record)
    }

    /// Reads an entry; only the one canonical form of at most 1 KiB is one.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` for anything else.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self> {
        let fault = |why: String| Error::new(ErrorKind::LedgerTampered, format!("not a ledger entry: {why}"));
        if bytes.len() > limits::ENTRY_BYTES {
            return Err(fault(format!("{} bytes, over {}", bytes.len(), limits::ENTRY_BYTES)));
        }
        let entry: Self = json::parse("entry", bytes).map_err(|e| fault(e.message().to_owned()))?;
        if entry.v != FORMAT {
            return Err(fault(format!("format `{}`, expected `{FORMAT}`", entry.v.escape_debug())));
        }
        if entry.to_bytes()? != bytes {
            return Err(fault("it is not written canonically".to_owned()));
        }
        Ok(entry)
    }

    /// The same entry, understood by these labels.
    pub(crate) fn labelled(mut self, labels: &Labels) -> Self {
        self.labels = labels.clone();
        self
    }

    pub(crate) fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The bytes that a leaf is the hash of.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        json::canonical("entry", self)
    }

    /// When it was logged.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if that is no time.
    pub fn logged_at(&self) -> Result<Timestamp> {
        Timestamp::from_unix_millis(self.time).map_err(|e| {
            Error::new(ErrorKind::LedgerTampered, format!("the time of an entry is none: {}", e.message()))
        })
    }

    /// Whether its record is of this predicate type.
    pub fn is_of_type(&self, predicate_type: &str) -> bool {
        self.labels.is(&self.predicate_type, TYPE, predicate_type)
    }

    /// The values of one tag; in an encrypted ledger their labels.
    pub fn tag(&self, name: &str) -> impl Iterator<Item = &str> {
        self.tags.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Whether it has this value of this tag.
    pub fn has_tag(&self, name: &str, value: &str) -> bool {
        let Some(values) = self.tags.get(name) else { return false };
        self.labels.of(name, value).is_ok_and(|label| values.contains(label.as_ref()))
    }

    /// Whether not all tags fitted, so that it matches every selection.
    pub fn has_more_tags(&self) -> bool {
        self.tags.contains_key(MORE)
    }

    /// Leaves out tag values until the entry fits, the bulkiest tags first; `decision` never, permits are found by it.
    fn fit(&mut self) -> Result<()> {
        // quotes and a comma are written around each value
        let weight = |value: &String| value.len() + 3;
        let mut bulk: BTreeMap<String, usize> =
            self.tags.iter().map(|(name, values)| (name.clone(), values.iter().map(weight).sum())).collect();
        let mut rough: usize = bulk.values().sum();
        // a statement may have a hundred thousand subjects: only what could fit is written out to be measured
        while rough > limits::ENTRY_BYTES || self.to_bytes()?.len() > limits::ENTRY_BYTES {
            self.tags.insert(MORE.to_owned(), BTreeSet::from(["true".to_owned()]));
            let bulkiest =
                bulk.iter_mut().filter(|(name, bulk)| *name != "decision" && **bulk > 0).max_by_key(|(_, b)| **b);
            let Some((name, bulk)) = bulkiest else {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!(
                        "an entry for the predicate type `{}` does not fit {} bytes; use a shorter type",
                        self.predicate_type.escape_debug(),
                        limits::ENTRY_BYTES
                    ),
                ));
            };
            let dropped = self.tags.get_mut(name).and_then(BTreeSet::pop_last).map_or(*bulk, |value| weight(&value));
            *bulk = bulk.saturating_sub(dropped);
            rough = rough.saturating_sub(dropped);
        }
        self.tags.retain(|_, values| !values.is_empty());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::ResourceDescriptor;
    use crate::digest::Digest;
    use crate::predicate::Release;

    #[test]
    fn a_statement_with_very_many_subjects_gets_an_entry_that_matches_everything() {
        let release = Release {
            purl: "pkg:generic/a@1".to_owned(),
            package_id: None,
            release_id: Some("r".to_owned()),
            release_kind: None,
        };
        let subjects = (0..50_000u32).map(|n| ResourceDescriptor::of(Digest::sha256(&n.to_be_bytes()))).collect();
        let statement = Statement::new(subjects, &release).unwrap();
        let body = Body { salt: [7; 32], record: b"record".to_vec() };
        let entry = Entry::derive(&statement, &body, Timestamp::from_unix_millis(1).unwrap(), &Labels::Plain).unwrap();
        let bytes = entry.to_bytes().unwrap();
        assert!(bytes.len() <= limits::ENTRY_BYTES);
        assert!(entry.has_more_tags() && entry.has_tag("release", "r"));
        assert_eq!(Entry::parse(&bytes).unwrap(), entry);
    }
}
