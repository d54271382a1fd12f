//! Which payloads the log holds: what the index has, and the entries behind it.
//!
//! The index is filled after the receipt, many entries at once. Entries it does not have yet are known by the payloads of
//! their bodies, which are read once.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::Ledger;
use super::index::Row;
use super::walk::is_without_body;
use crate::bundle::Bundle;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};

/// Entries that the index may lack before it is filled.
const LONGEST: u64 = 1024;

/// What a handle knows of entries that the index may not have.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// What the index is to hold of each, if this handle appended it.
    entries: BTreeMap<u64, Option<Row>>,
    /// Where each payload is, by its SHA-256 as hex; not those whose body is gone.
    places: HashMap<String, Vec<u64>>,
}

impl Tail {
    /// Takes what this handle appended.
    pub(super) fn push(&mut self, row: Row) {
        self.place(row.index, &row.payload);
        self.entries.insert(row.index, Some(row));
    }

    /// Takes what another appended, with its payload if that is there.
    fn take(&mut self, index: u64, payload: Option<&str>) {
        if let Some(payload) = payload {
            self.place(index, payload);
        }
        self.entries.insert(index, None);
    }

    fn place(&mut self, index: u64, payload: &str) {
        let places = self.places.entry(payload.to_owned()).or_default();
        if let Err(at) = places.binary_search(&index) {
            places.insert(at, index);
        }
    }

    /// What the index is to hold of an entry, if this handle appended it.
    pub(super) fn row(&self, index: u64) -> Option<&Row> {
        self.entries.get(&index)?.as_ref()
    }

    /// The entries from `have` on, up to `size`, that it does not know.
    fn unknown(&self, have: u64, size: u64) -> Vec<u64> {
        let is_within = |end: Option<(&u64, &Option<Row>)>| end.is_none_or(|(index, _)| (have..size).contains(index));
        let (first, last) = (self.entries.first_key_value(), self.entries.last_key_value());
        // mostly all are known, and counting them is enough
        if self.entries.len() as u64 == size - have && is_within(first) && is_within(last) {
            return Vec::new();
        }
        (have..size).filter(|index| !self.entries.contains_key(index)).collect()
    }

    pub(super) fn is_long(&self) -> bool {
        self.entries.len() as u64 >= LONGEST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets what the index has.
    pub(super) fn keep_from(&mut self, have: u64) {
        if self.entries.first_key_value().is_some_and(|(first, _)| *first < have) {
            self.entries = self.entries.split_off(&have);
            self.places.retain(|_, places| {
                places.retain(|index| *index >= have);
                !places.is_empty()
            });
        }
    }
}

impl Drop for Ledger {
    /// Leaves nothing of what this handle appended for the next one to catch up with.
    fn drop(&mut self) {
        // the storage sees to its own files
        let _ = self.rest();
    }
}

impl Ledger {
    /// Brings what this handle appended to rest, as dropping it does, and says if that failed. It can be used on.
    ///
    /// What another process is appending meanwhile, that process brings to rest.
    ///
    /// # Errors
    /// `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`; `MALFORMED` if something else lies where its files belong. What was
    /// receipted is there all the same, and the next who opens the ledger sees to it.
    pub fn close(&mut self) -> Result<()> {
        if !self.appended {
            return Ok(());
        }
        match self.settle_within(Duration::ZERO) {
            Err(e) if e.kind() == ErrorKind::LedgerBusy => {}
            settled => settled?,
        }
        self.rest()
    }

    /// Index and anchor, as far as this handle made them wait.
    fn rest(&mut self) -> Result<()> {
        if self.appended {
            if !self.tail().is_empty() {
                // derived: whoever searches makes it whole
                let _ = self.with_index(|_| Ok(()));
            }
            self.anchors.settle(self.origin())?;
            self.appended = false;
        }
        Ok(())
    }
}

impl Ledger {
    /// For each payload (SHA-256, hex) and signer: the first entry of it by that signer, if there is one.
    ///
    /// Each answer was read and proven. What a forged index hides is not found, and so appended once more; the audit
    /// names the row that is not there, and the entry that is there twice.
    pub(super) fn find_payloads(&mut self, wanted: &[(String, String)]) -> Result<Vec<Option<u64>>> {
        let size = self.size();
        let ask = |fill: bool| self.ask_index(fill, |index| index.first(wanted, size));
        let mut asked = ask(false);
        // an index that is far behind is filled; one that runs ahead of the log, or can't be used, is made anew
        if asked.as_ref().map_or(true, |(have, _)| *have > size || size - have > LONGEST) {
            asked = ask(true);
        }
        let (have, mut found) = asked?;
        self.tail().keep_from(have.min(size));
        let unknown = self.tail().unknown(have.min(size), size);
        for index in unknown {
            let payload = self.payload(index)?;
            self.tail().take(index, payload.as_deref());
        }
        for ((payload, signer), found) in wanted.iter().zip(&mut found) {
            let behind = self.tail().places.get(payload).cloned().unwrap_or_default();
            let mut right = None;
            for index in found.iter().copied().chain(behind) {
                // an index that lies here would swallow an append, so the record itself is asked
                let record = match self.record(index) {
                    Err(e) if is_no_repetition(&e) => continue,
                    record => record?,
                };
                if record.statement().payload_digest().hex() == *payload && record.speaker.identity == *signer {
                    right = Some(index);
                    break;
                }
            }
            *found = right;
        }
        Ok(found)
    }

    /// The payload of an entry, if its body is there.
    fn payload(&self, index: u64) -> Result<Option<String>> {
        match self.proven_record(index) {
            Ok((_, record)) => Ok(Some(Digest::sha256(Bundle::parse(&record)?.into_envelope()?.payload()).hex())),
            Err(e) if is_no_repetition(&e) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Whether nothing can repeat a record: what was disposed of is known to nobody any more, for what is not there no receipt
/// can be given, and what was changed is a repetition of nothing. A gate must be able to record that it refuses because
/// of it.
fn is_no_repetition(e: &Error) -> bool {
    is_without_body(e) || e.kind() == ErrorKind::LedgerTampered
}
