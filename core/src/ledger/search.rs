//! Searching: by release, commit, digest, environment, service, change, kind, type and time, in any combination.

use rusqlite::types::Value;
use serde::Deserialize;

use super::index::{fault, keys};
use super::{Ledger, LedgerRecord};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// What to look for. All that is set must hold; nothing set finds everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
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
        let limit = query.limit.unwrap_or(100);
        if limit > limits::SEARCH_ROWS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "a page of {limit} results is too large; ask for at most {} and page with `after`",
                    limits::SEARCH_ROWS
                ),
            ));
        }
        let index = self.catch_up_index()?;
        let (sql, mut values) = query.to_sql();
        let size = self.size();
        values.push(Value::Integer(i64::try_from(size).unwrap_or(i64::MAX)));
        values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)));
        let mut select = index.prepare_cached(&sql).map_err(fault)?;
        let rows = select
            .query_map(rusqlite::params_from_iter(values), |row| row.get::<_, i64>(0))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<i64>>>)
            .map_err(fault)?;
        let more = rows.len() > limit;
        let mut records = Vec::new();
        let lies = |row: i64| {
            Error::new(
                ErrorKind::LedgerTampered,
                format!(
                    "the search index names entry {row}, which does not match; nothing of it is shown: make it anew with \
                     `sealwright ledger rebuild`"
                ),
            )
        };
        for row in rows.into_iter().take(limit) {
            let record = self.record(u64::try_from(row).map_err(|_| lies(row))?)?;
            if !query.matches(&record) {
                return Err(lies(row));
            }
            records.push(record);
        }
        Ok(Found { records, more, size })
    }
}

impl Query {
    /// Finds everything, page by page.
    pub fn everything() -> Self {
        Self::default()
    }

    fn keys(&self) -> impl Iterator<Item = (&'static str, &String)> {
        [
            ("release", &self.release),
            ("commit", &self.commit),
            ("digest", &self.digest),
            ("environment", &self.environment),
            ("service", &self.service),
            ("change", &self.change),
            ("kind", &self.kind),
        ]
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|v| (name, v)))
    }

    /// Whether a record matches, by its own content.
    pub(crate) fn matches(&self, record: &LedgerRecord) -> bool {
        let own = keys(record.statement());
        self.keys().all(|(name, value)| own.iter().any(|(n, v)| *n == name && v == value))
            && self.predicate_type.as_deref().is_none_or(|t| t == record.statement().predicate_type())
            && self.since.is_none_or(|t| record.entry.time >= t.unix_millis())
            && self.until.is_none_or(|t| record.entry.time < t.unix_millis())
            && self.after.is_none_or(|after| record.index > after)
    }

    /// The query as SQL; the caller adds the values of the last two parameters, size and limit.
    fn to_sql(&self) -> (String, Vec<Value>) {
        let mut conditions = Vec::new();
        let mut values = Vec::new();
        for (name, value) in self.keys() {
            conditions.push("idx IN (SELECT idx FROM key WHERE name = ? AND value = ?)");
            values.push(Value::Text(name.to_owned()));
            values.push(Value::Text(value.clone()));
        }
        if let Some(predicate_type) = &self.predicate_type {
            conditions.push("type = ?");
            values.push(Value::Text(predicate_type.clone()));
        }
        if let Some(since) = self.since {
            conditions.push("time >= ?");
            values.push(Value::Integer(since.unix_millis()));
        }
        if let Some(until) = self.until {
            conditions.push("time < ?");
            values.push(Value::Integer(until.unix_millis()));
        }
        if let Some(after) = self.after {
            conditions.push("idx > ?");
            values.push(Value::Integer(i64::try_from(after).unwrap_or(i64::MAX)));
        }
        conditions.push("idx < ?");
        (format!("SELECT idx FROM entry WHERE {} ORDER BY idx LIMIT ?", conditions.join(" AND ")), values)
    }
}
