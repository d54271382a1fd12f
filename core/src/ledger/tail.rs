//! Which payloads the log holds: what the index has, and the entries behind it.
//!
//! The index is filled after the receipt, many entries at once. Entries it does not have yet are known by the payloads of
//! their bodies, which are read once.

use std::collections::BTreeMap;
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
    entries: BTreeMap<u64, Recent>,
}

#[derive(Debug)]
struct Recent {
    /// SHA-256 of the payload, hex; empty if the body is gone.
    payload: String,
    /// What the index is to hold of it, if this handle appended it.
    row: Option<Row>,
}

impl Tail {
    /// Takes what this handle appended.
    pub(super) fn push(&mut self, row: Row) {
        self.entries.insert(row.index, Recent { payload: row.payload.clone(), row: Some(row) });
    }

    /// What the index is to hold of an entry, if this handle appended it.
    pub(super) fn row(&self, index: u64) -> Option<&Row> {
        self.entries.get(&index)?.row.as_ref()
    }

    pub(super) fn is_long(&self) -> bool {
        self.entries.len() as u64 >= LONGEST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Forgets what the index has.
    pub(super) fn keep_from(&mut self, have: u64) {
        self.entries = self.entries.split_off(&have);
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
        for index in have.min(size)..size {
            if !self.tail().entries.contains_key(&index) {
                let payload = self.payload(index)?;
                self.tail().entries.insert(index, Recent { payload, row: None });
            }
        }
        for ((payload, signer), found) in wanted.iter().zip(&mut found) {
            let behind: Vec<u64> = {
                let tail = self.tail();
                tail.entries.iter().filter(|(_, recent)| recent.payload == *payload).map(|(index, _)| *index).collect()
            };
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

    fn payload(&self, index: u64) -> Result<String> {
        match self.proven_record(index) {
            Ok((_, record)) => Ok(Digest::sha256(Bundle::parse(&record)?.into_envelope()?.payload()).hex()),
            Err(e) if is_no_repetition(&e) => Ok(String::new()),
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
