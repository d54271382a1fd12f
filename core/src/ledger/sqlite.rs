//! The search index of a ledger in a folder: one SQLite file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params, params_from_iter};

use super::index::{Find, Index, Row, Unusable};
use crate::error::{Error, ErrorKind};

const SCHEMA: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE IF NOT EXISTS entry (
        idx INTEGER PRIMARY KEY, time INTEGER NOT NULL, type TEXT NOT NULL, payload TEXT NOT NULL, signer TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS entry_payload ON entry (payload);
    CREATE INDEX IF NOT EXISTS entry_type ON entry (type);
    CREATE TABLE IF NOT EXISTS key ( -- version 2: components and vulnerabilities, too
        name TEXT NOT NULL, value TEXT NOT NULL, idx INTEGER NOT NULL, PRIMARY KEY (name, value, idx)) WITHOUT ROWID;
    COMMIT;";

/// Rows of a key that are counted to tell which key of a query is the rarest.
const COUNTED: i64 = 1000;

/// A search index in SQLite.
#[derive(Debug)]
pub(crate) struct SqliteIndex {
    connection: Connection,
    /// Version of the schema that was seen to be ours.
    checked: Option<i64>,
    /// The file, and what it was when it was opened.
    file: Option<(PathBuf, FileId)>,
}

/// What tells a file from another one put in its place.
type FileId = Option<(u64, u64)>;

type Answer<T> = Result<T, Unusable>;

impl SqliteIndex {
    /// The index in the file at `path`, made if it is not there.
    pub(crate) fn at(path: &Path, patience: Duration) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(patience)?;
        // or a statement is compiled anew for each value of its parameters
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self { connection, checked: None, file: Some((path.to_owned(), file_id(path))) })
    }

    /// An index that nobody else sees.
    pub(crate) fn in_memory() -> rusqlite::Result<Self> {
        Ok(Self { connection: Connection::open_in_memory()?, checked: None, file: None })
    }

    /// Whether nothing was ever written to it.
    fn is_empty(&self) -> Answer<bool> {
        Ok(self.checked.is_none() && schema(&self.connection)?.is_empty())
    }

    /// The connection, once its tables are those of an index.
    fn sound(&mut self) -> Answer<&mut Connection> {
        let version = self.connection.prepare_cached("PRAGMA schema_version")?.query_row([], |row| row.get(0))?;
        if self.checked != Some(version) {
            // a view or a trigger in the place of our tables would run what somebody else wrote
            let shape = schema(&self.connection)?;
            if shape.is_empty() {
                self.connection.execute_batch(SCHEMA)?;
            } else if shape != schema(&empty()?)? {
                return Err(Unusable::Damaged(Error::new(ErrorKind::Io, OTHER_TABLES)));
            }
            self.checked = self.connection.query_row("PRAGMA schema_version", [], |row| row.get(0)).map(Some)?;
        }
        Ok(&mut self.connection)
    }
}

const OTHER_TABLES: &str = "the search index has other tables than its own";

impl Index for SqliteIndex {
    fn is_current(&self) -> bool {
        self.file.as_ref().is_none_or(|(path, id)| file_id(path) == *id)
    }

    fn have(&mut self) -> Answer<u64> {
        // whoever only looks makes no file
        if self.is_empty()? {
            return Ok(0);
        }
        Ok(have(self.sound()?)?)
    }

    fn insert(&mut self, from: u64, rows: &[Row]) -> Answer<u64> {
        let transaction = self.sound()?.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // another process may have filled it while we waited
        let found = have(&transaction)?;
        if found != from {
            return Ok(found);
        }
        {
            let mut entry = transaction.prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)")?;
            let mut key = transaction.prepare_cached("INSERT OR IGNORE INTO key VALUES (?1, ?2, ?3)")?;
            for row in rows {
                let number = row_number(row.index);
                entry.execute(params![number, row.time, row.predicate_type, row.payload, row.signer])?;
                for (name, value) in &row.keys {
                    key.execute(params![name, value, number])?;
                }
            }
        }
        transaction.commit()?;
        Ok(from + rows.len() as u64)
    }

    fn first(&mut self, wanted: &[(String, String)], before: u64) -> Answer<(u64, Vec<Option<u64>>)> {
        // in one transaction, so that the file is locked and looked at once more and not for each
        let index = self.sound()?.transaction()?;
        let (have, mut found) = (have(&index)?, Vec::with_capacity(wanted.len()));
        let mut first = index.prepare_cached(
            "SELECT idx FROM entry WHERE payload = ?1 AND signer = ?2 AND idx < ?3 ORDER BY idx LIMIT 1",
        )?;
        for (payload, signer) in wanted {
            let row: Option<i64> =
                first.query_row(params![payload, signer, row_number(before.min(have))], |row| row.get(0)).optional()?;
            found.push(row.and_then(|row| u64::try_from(row).ok()));
        }
        Ok((have, found))
    }

    fn find(&mut self, find: &Find<'_>, before: u64, limit: usize) -> Answer<Vec<u64>> {
        let index = self.sound()?;
        let mut find = find.clone();
        rarest_first(index, &mut find)?;
        // entry time never decreases, so a range of time is a range of entries
        let from = match find.since {
            Some(since) => first_at(index, since, before)?,
            None => 0,
        };
        let to = match find.until {
            Some(until) => first_at(index, until, before)?,
            None => before,
        };
        let from = from.max(find.after.map_or(0, |after| after.saturating_add(1)));
        let (sql, mut values) = select(&find);
        values.extend([row_number(from), row_number(to), i64::try_from(limit).unwrap_or(i64::MAX)].map(Value::Integer));
        let mut select = index.prepare_cached(&sql)?;
        let rows = select.query_map(params_from_iter(values), |row| row.get::<_, i64>(0))?;
        rows.map(|row| u64::try_from(row?).map_err(|_| damaged("it names an entry below the first"))).collect()
    }

    fn damage(&mut self) -> Answer<Option<String>> {
        let sound: String = self.connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
        if sound != "ok" {
            return Ok(Some(format!("SQLite says `{sound}`")));
        }
        let shape = schema(&self.connection)?;
        let own = shape.is_empty() || shape == schema(&empty()?)?;
        Ok((!own).then(|| "its tables are not those of an index".to_owned()))
    }

    fn differs(&mut self, from: u64, rows: &[Row]) -> Answer<Option<String>> {
        let index = self.sound()?;
        let mut entry = index.prepare_cached("SELECT time, type, payload, signer FROM entry WHERE idx = ?1")?;
        let mut key = index.prepare_cached("SELECT 1 FROM key WHERE name = ?1 AND value = ?2 AND idx = ?3")?;
        for (at, row) in (from..).zip(rows) {
            let number = row_number(at);
            let right = [
                Value::Integer(row.time),
                Value::Text(row.predicate_type.clone()),
                Value::Text(row.payload.clone()),
                Value::Text(row.signer.clone()),
            ];
            let own = entry.query_row([number], values).optional()?;
            if own.as_deref() != Some(&right[..]) {
                return Ok(Some(format!("it says other than the log of entry {at}: {own:?}")));
            }
            for (name, value) in &row.keys {
                if !key.exists(params![name, value, number])? {
                    return Ok(Some(format!("it says other than the log of entry {at}: the {name} is not there")));
                }
            }
        }
        Ok(None)
    }

    fn counts(&mut self) -> Answer<(u64, u64)> {
        let count = |index: &Connection, sql| index.query_row(sql, [], |row| row.get::<_, i64>(0));
        if self.is_empty()? {
            return Ok((0, 0));
        }
        let index = self.sound()?;
        let (entries, keys) = (count(index, "SELECT COUNT(*) FROM entry")?, count(index, "SELECT COUNT(*) FROM key")?);
        Ok((u64::try_from(entries).unwrap_or(0), u64::try_from(keys).unwrap_or(0)))
    }
}

#[cfg(unix)]
fn file_id(path: &Path) -> FileId {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}

#[cfg(not(unix))]
fn file_id(path: &Path) -> FileId {
    // where an open file can't be removed, it is enough that there is one
    path.exists().then_some((0, 0))
}

fn have(index: &Connection) -> rusqlite::Result<u64> {
    let last: i64 =
        index.prepare_cached("SELECT COALESCE(MAX(idx), -1) FROM entry")?.query_row([], |row| row.get(0))?;
    Ok(u64::try_from(last.saturating_add(1)).unwrap_or(0))
}

/// Puts the key with the fewest rows first: the entries of that one are gone through.
fn rarest_first(index: &Connection, find: &mut Find<'_>) -> rusqlite::Result<()> {
    if find.keys.len() < 2 {
        return Ok(());
    }
    let mut count =
        index.prepare_cached("SELECT COUNT(*) FROM (SELECT 1 FROM key WHERE name = ?1 AND value = ?2 LIMIT ?3)")?;
    let mut counted = Vec::new();
    for (name, value) in &find.keys {
        let rows: i64 = count.query_row(params![name, value, COUNTED], |row| row.get(0))?;
        counted.push((rows, *name, *value));
    }
    counted.sort_by_key(|(rows, ..)| *rows);
    find.keys = counted.into_iter().map(|(_, name, value)| (name, value)).collect();
    Ok(())
}

/// The first entry at or after a time, `before` if there is none: halving, as time never decreases.
fn first_at(index: &Connection, time: i64, before: u64) -> rusqlite::Result<u64> {
    let mut at = index.prepare_cached("SELECT time FROM entry WHERE idx = ?1")?;
    let (mut low, mut high) = (0, before);
    while low < high {
        let middle = low + (high - low) / 2;
        let found: Option<i64> = at.query_row([row_number(middle)], |row| row.get(0)).optional()?;
        // a row that is not there hides what it would have said; the audit names it
        if found.is_some_and(|found| found < time) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

/// The query as SQL; the caller adds the values of the last three parameters: first entry, end and limit.
fn select(find: &Find<'_>) -> (String, Vec<Value>) {
    let text = |value: &str| Value::Text(value.to_owned());
    let mut values = Vec::new();
    let mut conditions = Vec::new();
    let mut tables = Vec::new();
    for (number, (name, value)) in find.keys.iter().enumerate() {
        tables.push(format!("key AS k{number}"));
        conditions.push(format!("k{number}.name = ? AND k{number}.value = ?"));
        values.extend([text(name), text(value)]);
        if number > 0 {
            conditions.push(format!("k{number}.idx = k0.idx"));
        }
    }
    // CROSS JOIN keeps the order of the tables, so that the first one, in the order of the log, is gone through
    let base = if find.keys.is_empty() { "entry" } else { "k0" };
    if let Some(predicate_type) = find.predicate_type {
        conditions.push("entry.type = ?".to_owned());
        values.push(text(predicate_type));
        if !find.keys.is_empty() {
            conditions.push("entry.idx = k0.idx".to_owned());
        }
    }
    if find.keys.is_empty() || find.predicate_type.is_some() {
        tables.push("entry".to_owned());
    }
    conditions.push(format!("{base}.idx >= ? AND {base}.idx < ?"));
    let (tables, conditions) = (tables.join(" CROSS JOIN "), conditions.join(" AND "));
    (format!("SELECT {base}.idx FROM {tables} WHERE {conditions} ORDER BY {base}.idx LIMIT ?"), values)
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

fn values(row: &rusqlite::Row<'_>) -> rusqlite::Result<Vec<Value>> {
    (0..row.as_ref().column_count()).map(|column| row.get(column)).collect()
}

fn row_number(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

fn damaged(why: &str) -> Unusable {
    Unusable::Damaged(Error::new(ErrorKind::Io, format!("the search index is damaged: {why}")))
}

pub(crate) fn fault(e: rusqlite::Error) -> Error {
    Error::new(
        ErrorKind::Io,
        format!("the search index could not be used: {e}; rebuild it with `sealwright ledger rebuild`"),
    )
    .caused_by(e)
}
