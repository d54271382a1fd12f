//! A sequencer elsewhere: what it does, and what is believed of it, which is nothing that was not verified here.

use super::layers::Layers;
use super::receipt::UnverifiedReceipt;
#[cfg(feature = "remote")]
use super::{Index, sqlite};
use super::{Ledger, Query, Receipt};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::statement::Statement;
use crate::verifier::Verified;

/// The service behind a ledger that is read from an address.
pub(crate) trait Service: std::fmt::Debug + Send + Sync {
    /// Submits records, all or none, and gives what it says are their receipts.
    fn submit(&self, records: &[&[u8]]) -> Result<Vec<Submitted>>;

    /// Where a query leads, and whether there is more.
    fn search(&self, query: &Query) -> Result<(Vec<u64>, bool)>;

    /// The entries that it says hold the trust policy.
    fn trust_policy_entries(&self) -> Result<Vec<u64>>;

    /// Leaves a file.
    fn attach(&self, digest: &Digest, file: &Attachment<'_>) -> Result<()>;
}

/// A file to be left with a service, read anew for each attempt.
#[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "made everywhere, sent by a client alone"))]
pub(crate) enum Attachment<'a> {
    Bytes(&'a [u8]),
    File(&'a std::path::Path),
}

/// What a service says became of a record.
pub(crate) struct Submitted {
    pub(crate) receipt: UnverifiedReceipt,
    /// The record that was there before, if it has other bytes.
    pub(crate) record: Option<Vec<u8>>,
}

/// Where the versions of the trust policy are found.
#[derive(Clone, Copy)]
pub(crate) enum TrustFrom<'a> {
    /// By walking all entries that no anchor covers.
    Entries,
    /// At these, as somebody said.
    Told(&'a [u64]),
}

/// An index that ends with its handle.
#[cfg(feature = "remote")]
pub(crate) fn memory_index() -> Result<Box<dyn Index>> {
    sqlite::SqliteIndex::in_memory().map(|index| Box::new(index) as Box<dyn Index>).map_err(sqlite::fault)
}

impl Ledger {
    /// Where the service says the trust policy lies, where that can't be looked for: without the key of an encrypted ledger
    /// nobody sees what an entry is about.
    pub(super) fn told(layers: &Layers) -> Result<Option<Vec<u64>>> {
        match layers.bottom().service() {
            Some(service) if !layers.labels().are_known() => service.trust_policy_entries().map(Some),
            _ => Ok(None),
        }
    }

    /// Entries before `size` that the service says hold further versions of the trust policy.
    pub(super) fn told_since(&self, size: u64) -> Result<Vec<u64>> {
        let mut told = Self::told(&self.layers)?.unwrap_or_default();
        told.retain(|index| *index < size && !self.trust_entries.contains(index));
        Ok(told)
    }

    /// Takes the trust policies at the entries that somebody named. Each is proven and verified; what they left out is not
    /// looked for, so that such a handle must not be used to judge.
    pub(super) fn take_told(&mut self, entries: &[u64]) -> Result<()> {
        entries.iter().try_for_each(|index| self.take_trust_policy(*index))?;
        self.trust.newest().map(|_| ())
    }

    /// Has a service append records, and takes its receipts for what they prove.
    pub(super) fn submit(&mut self, service: &dyn Service, records: &[Verified<Statement>]) -> Result<Vec<Receipt>> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let bytes: Vec<&[u8]> = records.iter().map(Verified::record).collect();
        let submitted = service.submit(&bytes)?;
        self.refresh()?;
        if submitted.len() != records.len() {
            return Err(unproven(&format!("{} receipts for {} records", submitted.len(), records.len())));
        }
        submitted.into_iter().zip(records).map(|(submitted, record)| self.accept(submitted, record)).collect()
    }

    /// A receipt that proves that this record, or the same statement by the same signer, is in this very log.
    fn accept(&self, submitted: Submitted, record: &Verified<Statement>) -> Result<Receipt> {
        let kept = submitted.record.as_deref().unwrap_or(record.record());
        let (receipt, checkpoint) = submitted
            .receipt
            .verify(kept, &self.log_key)
            .map_err(|e| unproven(&format!("a receipt that does not hold ({})", e.message())).caused_by(e))?;
        // the log that this handle has read must extend the one of the receipt, and hold its entry
        self.check_extends(checkpoint.checkpoint())?;
        if self.proven_entry(receipt.index)?.0 != receipt.entry.as_bytes() {
            return Err(unproven("a receipt for an entry that its log does not hold"));
        }
        if kept != record.record() {
            let at = self.entry(receipt.index)?.logged_at()?;
            let before = self.trust.verify_despite_revocation(kept, receipt.index, at)?;
            let speaker =
                |verified: &Verified<Statement>, index| Ok::<_, Error>(self.trust.speaker(verified, index)?.identity);
            if before.value().payload_digest() != record.value().payload_digest()
                || speaker(&before, receipt.index)? != speaker(record, self.size())?
            {
                return Err(unproven("the receipt of another record"));
            }
        }
        Ok(receipt)
    }
}

/// What a service answers that an honest one does not.
fn unproven(what: &str) -> Error {
    Error::new(
        ErrorKind::LedgerTampered,
        format!(
            "the ledger's service gave {what}; nothing of it is believed: keep the answer, and call whoever operates it"
        ),
    )
}
