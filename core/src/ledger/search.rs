//! Searching: by release, commit, digest, environment, service, change, kind, component, resource,
//! vulnerability, type and time, in any combination.

use serde::{Deserialize, Serialize};

use super::index::{Find, UNREAD, keys};
use super::leads::lies;
use super::{Index, Ledger, LedgerRecord};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// What to look for. All that is set must hold; nothing set finds everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Query {
    /// Release id.
    pub release: Option<String>,
    /// Git commit, lower-case hex.
    pub commit: Option<String>,
    /// Digest of a subject, `sha256:<hex>`.
    pub digest: Option<String>,
    /// Environment id.
    pub environment: Option<String>,
    /// Service: a purl without version.
    pub service: Option<String>,
    /// Change id.
    pub change: Option<String>,
    /// Evidence type of the control catalogue, such as `build.provenance`.
    pub kind: Option<String>,
    /// A package that an SBOM lists: its package url without version and qualifiers, or, where it has none, its name.
    pub component: Option<String>,
    /// Resource that a deployment touched, a URI.
    pub resource: Option<String>,
    /// Id of a vulnerability that a scan found.
    pub vulnerability: Option<String>,
    /// Predicate type, exact.
    pub predicate_type: Option<String>,
    /// Logged at or after this.
    pub since: Option<Timestamp>,
    /// Logged before this.
    pub until: Option<Timestamp>,
    /// Only entries after this index, for the next page: the order is that of the ledger and never changes.
    pub after: Option<u64>,
    /// Most results to give; 100 if not said, 10,000 at most.
    pub limit: Option<usize>,
}

/// What a search found, each record proven and verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Found {
    /// The records, in the order of the ledger.
    pub records: Vec<LedgerRecord>,
    /// Whether there are more; search again with `after` set to the last index.
    pub more: bool,
    /// Number of entries of the ledger that was searched.
    pub size: u64,
}

impl Ledger {
    /// Searches the index, and gives only records that prove and that do match.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if the index names a record that does not match; those of [`Ledger::record`];
    /// `LIMIT_EXCEEDED` for too large a page.
    pub fn search(&self, query: &Query) -> Result<Found> {
        let limit = query.page()?;
        let size = self.size();
        let mut records = Vec::new();
        let mut rest = query.clone();
        loop {
            let (rows, more) = self.find(&rest, limit)?;
            for row in &rows {
                let record = match self.record(*row) {
                    // its row matches whatever asks for nothing, and a page of such rows must not look like the end
                    Err(e) if e.kind() == ErrorKind::BodyDisposed => continue,
                    record => record?,
                };
                if !query.matches(&record) {
                    return Err(lies(*row));
                }
                records.push(record);
            }
            if !more || !records.is_empty() {
                return Ok(Found { records, more, size });
            }
            rest.after = rows.last().copied();
        }
    }

    /// Where a query leads, for whoever reads and verifies the records themselves.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` for too large a page; `BODY_ARCHIVED` or `BODY_LOST` for an entry that may match, and could not be
    /// read when the index was filled; otherwise as [`Ledger::record`].
    #[cfg(feature = "serve")]
    pub(crate) fn leads(&self, query: &Query) -> Result<(Vec<u64>, bool)> {
        self.find(query, query.page()?)
    }

    /// Where a query leads, in the order of the ledger, and whether there is more.
    pub(super) fn find(&self, query: &Query, limit: usize) -> Result<(Vec<u64>, bool)> {
        let size = self.size();
        let Some(service) = self.store.storage().service() else {
            let mut rows = self.find_in_index(query, size, limit.saturating_add(1))?;
            let more = rows.len() > limit;
            rows.truncate(limit);
            return Ok((rows, more));
        };
        let (mut rows, more) = service.search(&Query { limit: Some(limit), ..query.clone() })?;
        // an answer that goes back would be asked for without end
        let goes_back = query.after.is_some_and(|after| rows.first().is_some_and(|first| *first <= after));
        if rows.len() > limit || goes_back || !rows.is_sorted_by(|a, b| a < b) {
            return Err(Error::new(
                ErrorKind::LedgerTampered,
                "the ledger's service answers a search out of order or with more than was asked for; nothing of it is \
                 shown: call whoever operates it",
            ));
        }
        // the service may have seen entries that this handle has not
        let found = rows.len();
        rows.retain(|row| *row < size);
        let more = more && found > 0 && rows.len() == found;
        Ok((rows, more))
    }
}

impl Ledger {
    /// What the index finds. Entries that could not be read when it was filled are asked for, so that none is passed over.
    fn find_in_index(&self, query: &Query, size: u64, limit: usize) -> Result<Vec<u64>> {
        let find = query.find();
        let unread = Find { keys: vec![(UNREAD, "")], after: find.after, ..Find::default() };
        let ask = |index: &mut dyn Index| {
            Ok((index.find(&find, size, limit)?, index.find(&unread, size, limits::SEARCH_ROWS)?))
        };
        let mut made_anew = false;
        loop {
            let (found, unread) = self.with_index(ask)?;
            let end = found.last().copied().filter(|_| found.len() == limit).unwrap_or(size);
            let mut readable = false;
            for index in unread.into_iter().take_while(|index| *index < end) {
                if query.may_match(index, &self.proven_entry(index)?.0, &self.labels)? {
                    match self.record(index) {
                        Err(e) if e.kind() != ErrorKind::BodyDisposed => return Err(e),
                        _ => readable = true,
                    }
                }
            }
            if !readable || made_anew {
                return Ok(found);
            }
            // what was away is here again, or is known to be gone
            self.refill_index(&mut |_| {})?;
            made_anew = true;
        }
    }
}

/// What a query finds, page by page, so that no more than one page is held.
///
/// The order is that of the ledger and never changes: a page is not moved by what is appended meanwhile.
#[derive(Clone, Debug)]
pub struct Pages {
    query: Query,
    ended: bool,
}

impl Pages {
    /// The pages of a query, each as long as its `limit` says.
    pub fn of(query: Query) -> Self {
        Self { query, ended: false }
    }

    /// The next page, none after the last. After a fault it is asked for again.
    ///
    /// # Errors
    /// As [`Ledger::search`].
    pub fn next(&mut self, ledger: &Ledger) -> Result<Option<Vec<LedgerRecord>>> {
        if self.ended {
            return Ok(None);
        }
        let found = ledger.search(&self.query)?;
        self.ended = !found.more;
        let Some(last) = found.records.last() else { return Ok(None) };
        self.query.after = Some(last.index);
        Ok(Some(found.records))
    }
}

impl Query {
    /// Finds everything, page by page.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Results of a page.
    fn page(&self) -> Result<usize> {
        let limit = self.limit.unwrap_or(100);
        if limit > limits::SEARCH_ROWS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "a page of {limit} results is too large; ask for at most {} and page with `after`",
                    limits::SEARCH_ROWS
                ),
            ));
        }
        Ok(limit)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [
            ("release", &self.release),
            ("commit", &self.commit),
            ("digest", &self.digest),
            ("environment", &self.environment),
            ("service", &self.service),
            ("change", &self.change),
            ("kind", &self.kind),
            ("component", &self.component),
            ("resource", &self.resource),
            ("vulnerability", &self.vulnerability),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|v| (name, v)))
    }

    /// Whether a record matches, by its own content.
    pub(crate) fn matches(&self, record: &LedgerRecord) -> bool {
        self.matches_by(record, &keys(record.statement()))
    }

    /// As [`Query::matches`], with all that the record is found by.
    pub(super) fn matches_by(&self, record: &LedgerRecord, own: &[(&'static str, String)]) -> bool {
        self.keys().all(|(name, value)| own.iter().any(|(n, v)| *n == name && v == value))
            && self.predicate_type.as_deref().is_none_or(|t| t == record.statement().predicate_type())
            && self.since.is_none_or(|t| record.entry.time >= t.unix_millis())
            && self.until.is_none_or(|t| record.entry.time < t.unix_millis())
            && self.after.is_none_or(|after| record.index > after)
    }
}
