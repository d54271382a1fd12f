//! The search index: SQLite, derived from the log, filled after the receipt and made anew at will. Never the truth.

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::Ledger;
use super::store::INDEX;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::Predicate;
use crate::statement::Statement;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS entry (
        idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL, signer TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS entry_payload ON entry (payload);
    CREATE TABLE IF NOT EXISTS key (
        name TEXT NOT NULL, value TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (name, value, idx)) WITHOUT ROWID;
    PRAGMA user_version = 1;";

impl Ledger {
    /// Makes the index anew from the log.
    ///
    /// # Errors
    /// As [`Ledger::record`] for any entry; `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`.
    pub fn rebuild_index(&self) -> Result<()> {
        for name in [INDEX.to_owned(), format!("{INDEX}-journal")] {
            self.store.remove(&name)?;
        }
        self.catch_up_index().map(|_| ())
    }

    /// The index, brought up to this handle's checkpoint; in memory if the folder can't be written.
    pub(super) fn catch_up_index(&self) -> Result<Connection> {
        match self.fill(self.open_index()) {
            Ok(index) => Ok(index),
            // a damaged index is no loss: it is derived
            Err(e) if e.kind() == ErrorKind::Io => {
                let fresh = match self.store.remove(INDEX).and_then(|()| self.store.remove(&format!("{INDEX}-journal")))
                {
                    Ok(()) => self.open_index(),
                    Err(_) => Connection::open_in_memory(),
                };
                self.fill(fresh).or_else(|_| self.fill(Connection::open_in_memory()))
            }
            Err(e) => Err(e),
        }
    }

    /// Index of the entry of this payload by this signer, if there is one.
    pub(super) fn find_payload(&self, payload: &Digest, key_id: &str) -> Result<Option<u64>> {
        let index = self.catch_up_index()?;
        let row: Option<i64> = index
            .query_row(
                "SELECT idx FROM entry WHERE payload = ?1 AND signer = ?2 ORDER BY idx LIMIT 1",
                params![payload.hex(), key_id],
                |row| row.get(0),
            )
            .optional()
            .map_err(fault)?;
        let Some(row) = row.and_then(|r| u64::try_from(r).ok()) else { return Ok(None) };
        // an index that lies here would swallow an append, so the record itself is asked
        let record = self.record(row)?;
        let same = record.statement().payload_digest() == *payload && record.speaker.key_id == key_id;
        Ok(same.then_some(row))
    }

    /// How the index differs from the log, if it does. Rows that are not there yet are no difference.
    pub(super) fn index_differs(&self) -> Result<Option<String>> {
        let index = self.open_index().map_err(fault)?;
        let sound: String = index.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(fault)?;
        if sound != "ok" {
            return Ok(Some(format!("SQLite says `{sound}`")));
        }
        let have = self.indexed(&index)?;
        let fresh = self.fill(Connection::open_in_memory())?;
        for select in [
            "SELECT quote(idx) || ' ' || quote(time) || ' ' || quote(type) || ' ' || quote(payload) || ' ' || quote(signer) \
             FROM entry WHERE idx < ?1 ORDER BY idx",
            "SELECT quote(name) || ' ' || quote(value) || ' ' || quote(idx) FROM key WHERE idx < ?1 ORDER BY name, value, idx",
        ] {
            let rows = |connection: &Connection| {
                let mut statement = connection.prepare(select)?;
                statement
                    .query_map([i64::try_from(have).unwrap_or(i64::MAX)], |row| row.get::<_, String>(0))?
                    .collect::<rusqlite::Result<Vec<_>>>()
            };
            let (own, right) = (rows(&index).map_err(fault)?, rows(&fresh).map_err(fault)?);
            if own != right {
                let other =
                    own.iter().zip(&right).find(|(a, b)| a != b).map_or("a row more or less", |(a, _)| a.as_str());
                return Ok(Some(format!("it says other than the log: {other}")));
            }
        }
        let beyond: i64 = index
            .query_row("SELECT COUNT(*) FROM key WHERE idx >= ?1", [i64::try_from(have).unwrap_or(i64::MAX)], |row| {
                row.get(0)
            })
            .map_err(fault)?;
        Ok((beyond > 0).then(|| "it has keys of entries it does not list".to_owned()))
    }

    fn open_index(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(self.store.path(INDEX), flags)
    }

    fn fill(&self, index: rusqlite::Result<Connection>) -> Result<Connection> {
        let mut index = index.map_err(fault)?;
        index.busy_timeout(self.patience).map_err(fault)?;
        index.execute_batch(SCHEMA).map_err(fault)?;
        let have = self.indexed(&index)?;
        if have == self.size() {
            return Ok(index);
        }
        let transaction = index.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(fault)?;
        // another process may have filled it while we waited
        let mut have = self.indexed(&transaction)?;
        if have > self.size() {
            // it may run ahead of this handle, never of the log
            return transaction.commit().map_err(fault).map(|()| index);
        }
        while have < self.size() {
            self.insert(&transaction, have)?;
            have += 1;
        }
        transaction.commit().map_err(fault)?;
        Ok(index)
    }

    fn indexed(&self, index: &Connection) -> Result<u64> {
        let rows: i64 =
            index.query_row("SELECT COALESCE(MAX(idx) + 1, 0) FROM entry", [], |row| row.get(0)).map_err(fault)?;
        Ok(u64::try_from(rows).unwrap_or(0))
    }

    fn insert(&self, index: &Connection, at: u64) -> Result<()> {
        let record = self.record(at)?;
        let statement = record.statement();
        let row = i64::try_from(at).unwrap_or(i64::MAX);
        index
            .prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)")
            .and_then(|mut insert| {
                insert.execute(params![
                    row,
                    record.entry.time,
                    statement.predicate_type(),
                    statement.payload_digest().hex(),
                    record.speaker.key_id
                ])
            })
            .map_err(fault)?;
        let mut insert = index.prepare_cached("INSERT OR IGNORE INTO key VALUES (?1, ?2, ?3)").map_err(fault)?;
        for (name, value) in keys(statement) {
            insert.execute(params![name, value, row]).map_err(fault)?;
        }
        Ok(())
    }
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
