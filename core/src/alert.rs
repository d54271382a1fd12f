//! Alerts: what the records of access show that somebody should look at.
//!
//! Collectors record each use of a key or secret, as the logs of their services tell it. Asked over a stretch of time, the
//! ledger tells which secrets were read more often than they are (by whom, and by anybody), and for keys that sign
//! records, which uses left no record and which records no use. It tells documents that expired as well, such as the
//! certificate of a provider, and those that soon will. It is read whole, so no index can hide a use.
//!
//! A key is one whose uses are recorded if its descriptor in the trust policy has a `uri`, and records of access name
//! that as their resource.

mod documents;
mod key_use;
mod reads;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::ledger::{Ledger, LedgerRecord, Query};
use crate::predicate::{KeyAccess, PredicateType as _};
use crate::timestamp::Timestamp;

const HOUR: i64 = 3_600_000;
/// The longest that is looked at in one go, with what came before it: ten years in hours.
const LONGEST: u64 = 10 * 366 * 24;
/// Records that are held at once.
const PAGE: usize = 1000;

/// What is looked at, and from when on it is unusual.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Watch {
    /// Length of the stretch that is looked at, in hours. It ends at the present.
    pub hours: u64,
    /// Stretches of that length before it, from which the usual number is taken: the middle one of theirs.
    pub before: u64,
    /// Reads are unusual if they are more than so many times the usual number,
    pub times: u64,
    /// and at least so many more than it.
    pub more: u64,
    /// Days before its end from which on a document is told.
    pub days: u64,
}

impl Default for Watch {
    /// A day, held against the seven before it; over three times as many, and five more. Documents 30 days before.
    fn default() -> Self {
        Self { hours: 24, before: 7, times: 3, more: 5, days: 30 }
    }
}

impl Watch {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// `MALFORMED` for another key or type.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::parse("watch", bytes)
    }

    fn check(&self) -> Result<()> {
        let whole = self.before.checked_add(1).and_then(|stretches| stretches.checked_mul(self.hours));
        let is_long = whole.is_none_or(|whole| whole > LONGEST) || self.days > LONGEST / 24;
        if self.hours == 0 || self.before == 0 || is_long {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!(
                    "expected a stretch of an hour at least, one before it at least, and ten years in all at most; found \
                     {} stretches of {} hours before it, and {} days ahead",
                    self.before, self.hours, self.days
                ),
            ));
        }
        Ok(())
    }
}

/// The answer, as of a size of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Alerts {
    /// Number of entries of the ledger that was read.
    pub size: u64,
    /// Start of the stretch.
    pub from: Timestamp,
    /// Its end, which is not part of it.
    pub to: Timestamp,
    /// What was found, the earliest first.
    pub alerts: Vec<Alert>,
    /// Entries that may matter and whose body is not there, or does not hold what its type demands: nobody can tell.
    pub unread: BTreeSet<u64>,
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Alert {
    /// When it was first seen; of a document, its end.
    pub at: Timestamp,
    /// What it is.
    pub kind: AlertKind,
    /// The secret or key, the id of whoever read, or the document.
    pub about: String,
    /// What happened, in a sentence.
    pub message: String,
    /// Entries that say so.
    pub records: BTreeSet<u64>,
}

/// Kinds of alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum AlertKind {
    /// A secret was read more often than it is.
    UnusualReads,
    /// Somebody read more secrets, or one more often, than they do.
    UnusualReader,
    /// A key that signs records was used, and the ledger has no record of it.
    UseWithoutSignature,
    /// A record is signed by a key, and the service that keeps it logged no such use.
    SignatureWithoutUse,
    /// A document no longer counts.
    DocumentExpired,
    /// A document will soon no longer count.
    DocumentExpires,
}

/// What there is to look at in the stretch that ends at `now`.
///
/// # Errors
/// `API_MISUSE` for a stretch of no length or over ten years; those of [`Ledger::complete`].
pub fn alerts(ledger: &Ledger, watch: &Watch, now: Timestamp) -> Result<Alerts> {
    watch.check()?;
    let hours = i64::try_from(watch.hours).unwrap_or(i64::MAX);
    let from = now.plus_millis(-hours.saturating_mul(HOUR));
    let mut found = Alerts { size: ledger.size(), from, to: now, alerts: Vec::new(), unread: BTreeSet::new() };
    let mut query = Query::everything();
    query.predicate_type = Some(KeyAccess::TYPE.to_owned());
    let mut uses = Vec::new();
    each(ledger, query, &mut found.unread, |record| {
        uses.push(Use { index: record.index, access: record.statement().predicate_as()? });
        Ok(())
    })?;
    found.alerts.extend(reads::unusual(&uses, watch, from, now));
    found.alerts.extend(key_use::unmatched(ledger, &uses, from, now, &mut found.unread)?);
    found.alerts.extend(documents::ended(ledger, watch, now, &mut found.unread)?);
    found.alerts.sort();
    Ok(found)
}

/// A record of access.
struct Use {
    index: u64,
    access: KeyAccess,
}

impl Use {
    fn is_within(&self, from: Timestamp, to: Timestamp) -> bool {
        (from..to).contains(&self.access.at)
    }
}

/// Visits all records that match, from the log, without holding them all. One of which the visitor can't read what it
/// demands is told as unread.
fn each(
    ledger: &Ledger,
    mut query: Query,
    unread: &mut BTreeSet<u64>,
    mut visit: impl FnMut(LedgerRecord) -> Result<()>,
) -> Result<()> {
    query.limit = Some(PAGE);
    loop {
        let page = ledger.complete(&query)?;
        unread.extend(page.without_body);
        query.after = page.records.last().map(|record| record.index);
        for record in page.records {
            let index = record.index;
            match visit(record) {
                Err(e) if e.kind() == ErrorKind::Malformed => drop(unread.insert(index)),
                visited => visited?,
            }
        }
        if !page.more {
            return Ok(());
        }
    }
}
