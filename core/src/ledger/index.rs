//! The search index: SQLite, derived from the log, filled after the receipt and made anew at will. Never the truth.

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::store::{INDEX, INDEX_JOURNAL};
use super::{Ledger, read_checkpoint};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::Predicate;
use crate::statement::Statement;

const SCHEMA: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS entry (
        idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL, signer TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS entry_payload ON entry (payload);
    CREATE TABLE IF NOT EXISTS key (
        name TEXT NOT NULL, value TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (name, value, idx)) WITHOUT ROWID;
    COMMIT;";

/// Why an index could not be used.
enum Unusable {
    /// It is not what we wrote: damaged, of another shape, or ahead of the log.
    Damaged(Error),
    /// It can't be written now: the folder is read-only, the disk full, or another process at work on it.
    Unwritable(Error),
    /// The log itself refuses.
    Log(Error),
}

impl Ledger {
    /// Makes the index anew from the log.
    ///
    /// # Errors
    /// As [`Ledger::record`] for any entry; `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`.
    pub fn rebuild_index(&self) -> Result<()> {
        self.remove_index()?;
        self.fill(self.open_index()).map(|_| ()).map_err(Unusable::into_error)
    }

    /// The index, brought up to this handle's checkpoint; in memory if the folder can't be written.
    pub(super) fn catch_up_index(&self) -> Result<Connection> {
        let usable = match self.fill(self.open_index()) {
            // a damaged index is no loss: it is derived
            Err(Unusable::Damaged(e)) => match self.remove_index() {
                Ok(()) => self.fill(self.open_index()),
                Err(_) => Err(Unusable::Unwritable(e)),
            },
            usable => usable,
        };
        match usable {
            Err(Unusable::Damaged(_) | Unusable::Unwritable(_)) => {
                self.fill(Connection::open_in_memory()).map_err(Unusable::into_error)
            }
            usable => usable.map_err(Unusable::into_error),
        }
    }

    fn remove_index(&self) -> Result<()> {
        [INDEX, INDEX_JOURNAL].iter().try_for_each(|name| self.store.remove(name))
    }

    /// Index of the entry of this payload by this signer, if there is one.
    pub(super) fn find_payload(&self, payload: &Digest, signer: &str) -> Result<Option<u64>> {
        let index = self.catch_up_index()?;
        let row: Option<i64> = index
            .query_row(
                "SELECT idx FROM entry WHERE payload = ?1 AND signer = ?2 AND idx < ?3 ORDER BY idx LIMIT 1",
                params![payload.hex(), signer, row_number(self.size())],
                |row| row.get(0),
            )
            .optional()
            .map_err(fault)?;
        let Some(row) = row.and_then(|r| u64::try_from(r).ok()) else { return Ok(None) };
        // an index that lies here would swallow an append, so the record itself is asked
        let record = self.record(row)?;
        let same = record.statement().payload_digest() == *payload && record.speaker.identity == signer;
        Ok(same.then_some(row))
    }

    /// How the index differs from the log, if it does. Rows that are not there yet are no difference.
    pub(super) fn index_differs(&self) -> Result<Option<String>> {
        let index = self.open_index().map_err(fault)?;
        // one view of it, while another process may be filling it
        index.execute_batch("BEGIN").map_err(fault)?;
        let sound: String = index.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(fault)?;
        if sound != "ok" {
            return Ok(Some(format!("SQLite says `{sound}`")));
        }
        let fresh = self.fill(Connection::open_in_memory()).map_err(Unusable::into_error)?;
        let shape = schema(&index).map_err(fault)?;
        if shape.is_empty() {
            return Ok(None);
        }
        if shape != schema(&fresh).map_err(fault)? {
            return Ok(Some("its tables are not those of an index".to_owned()));
        }
        let have = row_number(self.indexed(&index).map_err(fault)?);
        for select in [
            "SELECT idx, time, type, payload, signer FROM entry WHERE idx < ?1 ORDER BY idx",
            "SELECT idx, name, value FROM key WHERE idx < ?1 ORDER BY idx, name, value",
        ] {
            // all that it has, also keys of entries that it does not list
            let own = rows(&index, select, i64::MAX).map_err(fault)?;
            let right = rows(&fresh, select, have).map_err(fault)?;
            if own != right {
                let differs = own.iter().zip(&right).find(|(a, b)| a != b).map(|(row, _)| format!("{row:?}"));
                let differs = differs.unwrap_or_else(|| "a row more or less".to_owned());
                return Ok(Some(format!("it says other than the log: {differs}")));
            }
        }
        Ok(None)
    }

    fn open_index(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(self.store.path(INDEX), flags)
    }

    fn fill(&self, index: rusqlite::Result<Connection>) -> std::result::Result<Connection, Unusable> {
        let mut index = index?;
        index.busy_timeout(self.patience)?;
        // a view or a trigger in the place of our tables would run what somebody else wrote
        let shape = schema(&index)?;
        if shape.is_empty() {
            index.execute_batch(SCHEMA)?;
        } else if shape != schema(&empty()?)? {
            return Err(Unusable::Damaged(Error::new(ErrorKind::Io, "the search index has other tables than its own")));
        }
        if self.is_filled(self.indexed(&index)?)? {
            return Ok(index);
        }
        let transaction = index.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        // another process may have filled it while we waited
        let mut have = self.indexed(&transaction)?;
        if !self.is_filled(have)? {
            while have < self.size() {
                self.insert(&transaction, have)?;
                have += 1;
            }
        }
        transaction.commit()?;
        Ok(index)
    }

    /// Whether an index with `have` entries has all of this handle's. It may run ahead of the handle, never of the log.
    fn is_filled(&self, have: u64) -> std::result::Result<bool, Unusable> {
        if have > self.size() {
            let log = read_checkpoint(&self.store, &self.log_key).map_err(Unusable::Log)?;
            if have > log.checkpoint().size() {
                let ahead = "the search index names entries that the log does not have";
                return Err(Unusable::Damaged(Error::new(ErrorKind::Io, ahead)));
            }
        }
        Ok(have >= self.size())
    }

    fn indexed(&self, index: &Connection) -> rusqlite::Result<u64> {
        let rows: i64 = index.query_row("SELECT COALESCE(MAX(idx), -1) FROM entry", [], |row| row.get(0))?;
        Ok(u64::try_from(rows.saturating_add(1)).unwrap_or(0))
    }

    fn insert(&self, index: &Connection, at: u64) -> std::result::Result<(), Unusable> {
        let record = self.record(at).map_err(Unusable::Log)?;
        let statement = record.statement();
        let row = row_number(at);
        index.prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
            row,
            record.entry.time,
            statement.predicate_type(),
            statement.payload_digest().hex(),
            record.speaker.identity
        ])?;
        let mut insert = index.prepare_cached("INSERT OR IGNORE INTO key VALUES (?1, ?2, ?3)")?;
        for (name, value) in keys(statement) {
            insert.execute(params![name, value, row])?;
        }
        Ok(())
    }
}

impl Unusable {
    fn into_error(self) -> Error {
        match self {
            Self::Damaged(e) | Self::Unwritable(e) | Self::Log(e) => e,
        }
    }
}

impl From<rusqlite::Error> for Unusable {
    fn from(e: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match e.sqlite_error_code() {
            Some(
                Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::ReadOnly
                | Code::DiskFull
                | Code::CannotOpen
                | Code::PermissionDenied
                | Code::OutOfMemory
                | Code::SystemIoFailure
                | Code::FileLockingProtocolFailed,
            ) => Self::Unwritable(fault(e)),
            _ => Self::Damaged(fault(e)),
        }
    }
}

/// The index of nothing.
fn empty() -> rusqlite::Result<Connection> {
    let index = Connection::open_in_memory()?;
    index.execute_batch(SCHEMA)?;
    Ok(index)
}

/// Everything a database is made of, in SQL.
fn schema(index: &Connection) -> rusqlite::Result<Vec<Vec<Value>>> {
    let mut select = index.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")?;
    select.query_map([], values)?.collect()
}

fn rows(index: &Connection, select: &str, before: i64) -> rusqlite::Result<Vec<Vec<Value>>> {
    index.prepare(select)?.query_map([before], values)?.collect()
}

fn values(row: &rusqlite::Row<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..row.as_ref().column_count()).map(|column| row.get(column)).collect()
}

fn row_number(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

/// All that a record is found by, beside its type and time.
pub(super) fn keys(statement: &Statement) -> Vec<(&'static str, String)> {
    let tags = statement.tags();
    let mut keys = Vec::new();
    for (name, values) in [
        ("digest", tags.subject),
        ("change", tags.change),
        ("service", tags.service),
        ("release", tags.release),
        ("environment", tags.environment),
        ("kind", tags.kind),
    ] {
        keys.extend(values.into_iter().map(|value| (name, value)));
    }
    keys.extend(commits(statement).into_iter().map(|commit| ("commit", commit)));
    keys
}

/// Commits a record is about: its Git subjects, and the sources a provenance was built from.
fn commits(statement: &Statement) -> Vec<String> {
    let mut commits: Vec<String> = statement
        .subjects()
        .iter()
        .flat_map(|s| s.digests())
        .filter(|d| d.algorithm() == Algorithm::GitCommit)
        .map(|d| d.hex())
        .collect();
    if let Ok(Predicate::Provenance(provenance)) = statement.predicate() {
        let sources = provenance.build_definition.resolved_dependencies.into_iter();
        commits.extend(sources.filter_map(|s| s.digest?.get(Algorithm::GitCommit)).map(|d| d.hex()));
    }
    commits.sort();
    commits.dedup();
    commits
}

pub(super) fn fault(e: rusqlite::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("the search index could not be used: {e}; rebuild it with `sealwright ledger rebuild`"),
    )
    .caused_by(e)
}
