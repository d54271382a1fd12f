//! The search index of a ledger in a bucket: two tables in a schema of PostgreSQL.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error as Failure, Row as Found};

use super::database::Database;
use super::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::index::{Find, Index, Row, Unusable};
use crate::ledger::sqlite::{self, SqliteIndex};

/// A search index in PostgreSQL, by one session.
pub(super) struct PostgresIndex {
    engine: Arc<Engine>,
    database: Database,
    client: Arc<Client>,
    /// Whether its tables were seen to be ours.
    checked: bool,
}

type Answer<T> = std::result::Result<T, Unusable>;
type Value = Box<dyn ToSql + Send + Sync>;

/// Longest text that is kept as it is: an index of PostgreSQL takes no key over 2,700 bytes.
const PLAIN: usize = 500;

/// What the index holds: since version 2 components and vulnerabilities, too.
const VERSION: &str = "version 2";

/// Name, type and nullability of all columns, in order.
const SHAPE: [(&str, &str, &str); 8] = [
    ("entry", "idx", "bigint"),
    ("entry", "time", "bigint"),
    ("entry", "type", "text"),
    ("entry", "payload", "text"),
    ("entry", "signer", "text"),
    ("key", "name", "text"),
    ("key", "value", "text"),
    ("key", "idx", "bigint"),
];

impl PostgresIndex {
    /// The index that is kept; its tables are made when something is to be written.
    pub(super) fn open(engine: &Arc<Engine>, database: &Database) -> Result<Self> {
        let own = database.clone();
        let client = engine.wait(async move { own.connect().await })?;
        Ok(Self { engine: Arc::clone(engine), database: database.clone(), client: Arc::new(client), checked: false })
    }

    pub(super) fn exists(&mut self) -> Answer<bool> {
        let sql = format!("SELECT to_regclass('{}.entry') IS NOT NULL", self.database.schema);
        Ok(self.query(sql, Vec::new())?.first().is_some_and(|row| row.try_get(0).unwrap_or_default()))
    }

    pub(super) fn remove(&mut self) -> Answer<()> {
        self.checked = false;
        let schema = &self.database.schema;
        // a view of somebody else's on them goes, too: what is derived is made anew
        self.execute(format!("DROP TABLE IF EXISTS {schema}.entry, {schema}.key CASCADE"))
    }

    fn query(&self, sql: String, values: Vec<Value>) -> Answer<Vec<Found>> {
        let (client, database) = (Arc::clone(&self.client), self.database.clone());
        let asked = self.engine.wait(async move {
            let asked = async {
                let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|v| &**v as &(dyn ToSql + Sync)).collect();
                Ok(client.query(&sql, &values).await.map_err(|e| faulty(&database, e)))
            };
            database.within(asked).await
        });
        asked.map_err(Unusable::Unwritable)?
    }

    fn execute(&self, sql: String) -> Answer<()> {
        let (client, database) = (Arc::clone(&self.client), self.database.clone());
        let done = self.engine.wait(async move {
            database.within(async { Ok(client.batch_execute(&sql).await.map_err(|e| faulty(&database, e))) }).await
        });
        done.map_err(Unusable::Unwritable)?
    }

    /// Sees once that the tables are ours, and makes them if there are none.
    fn sound(&mut self) -> Answer<()> {
        if self.checked {
            return Ok(());
        }
        if !self.exists()? {
            let schema = &self.database.schema;
            self.execute(format!(
                "BEGIN; SELECT pg_advisory_xact_lock(hashtext('{schema}'));
                CREATE SCHEMA IF NOT EXISTS {schema};
                CREATE TABLE IF NOT EXISTS {schema}.entry (idx bigint PRIMARY KEY, time bigint NOT NULL,
                    type text COLLATE \"C\" NOT NULL, payload text COLLATE \"C\" NOT NULL, signer text COLLATE \"C\" NOT NULL);
                CREATE INDEX IF NOT EXISTS entry_payload ON {schema}.entry (payload);
                CREATE INDEX IF NOT EXISTS entry_time ON {schema}.entry (time);
                CREATE INDEX IF NOT EXISTS entry_type ON {schema}.entry (type, idx);
                CREATE TABLE IF NOT EXISTS {schema}.key (name text COLLATE \"C\" NOT NULL,
                    value text COLLATE \"C\" NOT NULL, idx bigint NOT NULL, PRIMARY KEY (name, value, idx));
                COMMENT ON TABLE {schema}.key IS '{VERSION}';
                COMMIT"
            ))
            .inspect_err(|_| self.undo())?;
        }
        if let Some(other) = self.other_shape()? {
            return Err(damaged(&other));
        }
        self.checked = true;
        Ok(())
    }

    /// How the tables are not ours. A view, a rule or a trigger in their place would say what somebody else wrote.
    fn other_shape(&self) -> Answer<Option<String>> {
        let schema = &self.database.schema;
        let rows = self.query(
            format!(
                "SELECT c.relname::text, c.relkind::text, c.relhasrules, c.relrowsecurity,
                    EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
                    obj_description(c.oid, 'pg_class')
                 FROM pg_class c WHERE c.relnamespace = to_regnamespace('{schema}') AND c.relkind <> 'i' ORDER BY 1"
            ),
            Vec::new(),
        )?;
        let mut tables = Vec::new();
        for row in &rows {
            let name: String = row.try_get(0).map_err(unread)?;
            let kind: String = row.try_get(1).map_err(unread)?;
            let more = (2..5).any(|column| row.try_get::<_, bool>(column).unwrap_or(true));
            if kind != "r" || more {
                return Ok(Some(format!("`{}` is no plain table", name.escape_debug())));
            }
            let version: Option<String> = row.try_get(5).map_err(unread)?;
            if name == "key" && version.as_deref() != Some(VERSION) {
                return Ok(Some("it is of another version".to_owned()));
            }
            tables.push(name);
        }
        if tables != ["entry", "key"] {
            return Ok(Some("its tables are not those of an index".to_owned()));
        }
        let rows = self.query(
            format!(
                "SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
                 WHERE table_schema = '{schema}' ORDER BY table_name, ordinal_position"
            ),
            Vec::new(),
        )?;
        let mut columns: Vec<(String, String, String)> = Vec::new();
        for row in &rows {
            columns.push((
                row.try_get(0).map_err(unread)?,
                row.try_get(1).map_err(unread)?,
                row.try_get(2).map_err(unread)?,
            ));
        }
        let own = columns.iter().map(|(table, column, kind)| (table.as_str(), column.as_str(), kind.as_str()));
        Ok((!own.eq(SHAPE)).then(|| "its columns are not those of an index".to_owned()))
    }

    /// Ends a transaction that failed, so that the session can be used again.
    fn undo(&self) {
        let _ = self.execute("ROLLBACK".to_owned());
    }

    fn count(&self, table: &str) -> Answer<u64> {
        let rows = self.query(format!("SELECT count(*) FROM {}.{table}", self.database.schema), Vec::new())?;
        number(&rows)
    }

    fn fill(&self, from: u64, rows: &[Row]) -> Answer<u64> {
        let schema = &self.database.schema;
        self.execute(format!("BEGIN; LOCK TABLE {schema}.entry IN EXCLUSIVE MODE"))?;
        // another process may have filled it while we waited
        let found = self.last()?;
        if found != from {
            self.execute("ROLLBACK".to_owned())?;
            return Ok(found);
        }
        let text = |of: fn(&Row) -> &str| -> Value {
            Box::new(rows.iter().map(|r| kept(of(r)).into_owned()).collect::<Vec<_>>())
        };
        let values: Vec<Value> = vec![
            Box::new(rows.iter().map(|row| signed(row.index)).collect::<Vec<_>>()),
            Box::new(rows.iter().map(|row| row.time).collect::<Vec<_>>()),
            text(|row| &row.predicate_type),
            text(|row| &row.payload),
            text(|row| &row.signer),
        ];
        self.query(
            format!(
                "INSERT INTO {schema}.entry
                 SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])"
            ),
            values,
        )?;
        let keys: BTreeSet<(&str, Cow<'_, str>, i64)> = rows
            .iter()
            .flat_map(|row| row.keys.iter().map(|(name, value)| (*name, kept(value), signed(row.index))))
            .collect();
        let values: Vec<Value> = vec![
            Box::new(keys.iter().map(|(name, ..)| (*name).to_owned()).collect::<Vec<_>>()),
            Box::new(keys.iter().map(|(_, value, _)| value.clone().into_owned()).collect::<Vec<_>>()),
            Box::new(keys.iter().map(|(.., index)| *index).collect::<Vec<_>>()),
        ];
        self.query(
            format!("INSERT INTO {schema}.key SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])"),
            values,
        )?;
        self.execute("COMMIT".to_owned())?;
        Ok(from + rows.len() as u64)
    }

    fn last(&self) -> Answer<u64> {
        number(
            &self.query(format!("SELECT COALESCE(MAX(idx) + 1, 0) FROM {}.entry", self.database.schema), Vec::new())?,
        )
    }
}

impl Index for PostgresIndex {
    fn is_current(&self) -> bool {
        !self.client.is_closed()
    }

    fn have(&mut self) -> Answer<u64> {
        // whoever only looks makes no tables
        if !self.checked && !self.exists()? {
            return Ok(0);
        }
        self.sound()?;
        self.last()
    }

    fn insert(&mut self, from: u64, rows: &[Row]) -> Answer<u64> {
        self.sound()?;
        self.fill(from, rows).inspect_err(|_| self.undo())
    }

    fn first(&mut self, wanted: &[(String, String)], before: u64) -> Answer<(u64, Vec<Option<u64>>)> {
        let have = self.have()?;
        let mut found = Vec::with_capacity(wanted.len());
        for (payload, signer) in wanted {
            self.sound()?;
            let before = signed(before.min(have));
            let rows = self.query(
                format!(
                    "SELECT idx FROM {}.entry WHERE payload = $1 AND signer = $2 AND idx < $3 ORDER BY idx LIMIT 1",
                    self.database.schema
                ),
                vec![Box::new(kept(payload).into_owned()), Box::new(kept(signer).into_owned()), Box::new(before)],
            )?;
            found.push(if rows.is_empty() { None } else { Some(number(&rows)?) });
        }
        Ok((have, found))
    }

    fn find(&mut self, find: &Find<'_>, before: u64, limit: usize) -> Answer<Vec<u64>> {
        self.sound()?;
        let (sql, values) = select(&self.database.schema, find, before, limit);
        let rows = self.query(sql, values)?;
        rows.iter().map(|row| number(std::slice::from_ref(row))).collect()
    }

    fn damage(&mut self) -> Answer<Option<String>> {
        if !self.exists()? {
            return Ok(None);
        }
        self.other_shape()
    }

    fn differs(&mut self, from: u64, rows: &[Row]) -> Answer<Option<String>> {
        self.sound()?;
        let schema = &self.database.schema;
        let range = || -> Vec<Value> { vec![Box::new(signed(from)), Box::new(signed(from + rows.len() as u64))] };
        let found = self.query(
            format!("SELECT idx, time, type, payload, signer FROM {schema}.entry WHERE idx >= $1 AND idx < $2"),
            range(),
        )?;
        let mut entries = BTreeMap::new();
        for row in &found {
            let text = |column| row.try_get::<_, String>(column).map_err(unread);
            let (index, time): (i64, i64) = (row.try_get(0).map_err(unread)?, row.try_get(1).map_err(unread)?);
            entries.insert(index, (time, text(2)?, text(3)?, text(4)?));
        }
        let found =
            self.query(format!("SELECT idx, name, value FROM {schema}.key WHERE idx >= $1 AND idx < $2"), range())?;
        let mut keys = BTreeSet::new();
        for row in &found {
            let text = |column| row.try_get::<_, String>(column).map_err(unread);
            keys.insert((row.try_get::<_, i64>(0).map_err(unread)?, text(1)?, text(2)?));
        }
        for (at, row) in (from..).zip(rows) {
            let number = signed(at);
            let right = (
                row.time,
                kept(&row.predicate_type).into_owned(),
                kept(&row.payload).into_owned(),
                kept(&row.signer).into_owned(),
            );
            if entries.get(&number) != Some(&right) {
                return Ok(Some(format!("it says other than the log of entry {at}")));
            }
            for (name, value) in &row.keys {
                if !keys.contains(&(number, (*name).to_owned(), kept(value).into_owned())) {
                    return Ok(Some(format!("it says other than the log of entry {at}: the {name} is not there")));
                }
            }
        }
        Ok(None)
    }

    fn counts(&mut self) -> Answer<(u64, u64)> {
        if !self.exists()? {
            return Ok((0, 0));
        }
        Ok((self.count("entry")?, self.count("key")?))
    }
}

/// An index in memory for as long as the database is away; after that the kept one is tried again.
pub(super) struct Meanwhile {
    index: SqliteIndex,
    until: Instant,
}

impl Meanwhile {
    pub(super) fn new(lasting: Duration) -> Result<Self> {
        Ok(Self { index: SqliteIndex::in_memory().map_err(sqlite::fault)?, until: Instant::now() + lasting })
    }
}

impl Index for Meanwhile {
    fn is_current(&self) -> bool {
        Instant::now() < self.until
    }

    fn have(&mut self) -> Answer<u64> {
        self.index.have()
    }

    fn insert(&mut self, from: u64, rows: &[Row]) -> Answer<u64> {
        self.index.insert(from, rows)
    }

    fn first(&mut self, wanted: &[(String, String)], before: u64) -> Answer<(u64, Vec<Option<u64>>)> {
        self.index.first(wanted, before)
    }

    fn find(&mut self, find: &Find<'_>, before: u64, limit: usize) -> Answer<Vec<u64>> {
        self.index.find(find, before, limit)
    }

    fn damage(&mut self) -> Answer<Option<String>> {
        self.index.damage()
    }

    fn differs(&mut self, from: u64, rows: &[Row]) -> Answer<Option<String>> {
        self.index.differs(from, rows)
    }

    fn counts(&mut self) -> Answer<(u64, u64)> {
        self.index.counts()
    }
}

/// The query as SQL with its values.
fn select(schema: &str, find: &Find<'_>, before: u64, limit: usize) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = Vec::new();
    let mut value = |of: Value| -> String {
        values.push(of);
        format!("${}", values.len())
    };
    let of_entry = find.predicate_type.is_some() || find.since.is_some() || find.until.is_some();
    let mut tables = Vec::new();
    let mut conditions = Vec::new();
    for (number, (name, wanted)) in find.keys.iter().enumerate() {
        tables.push(format!("{schema}.key k{number}"));
        let (name, wanted) = (value(Box::new((*name).to_owned())), value(Box::new(kept(wanted).into_owned())));
        conditions.push(format!("k{number}.name = {name} AND k{number}.value = {wanted}"));
        if number > 0 {
            conditions.push(format!("k{number}.idx = k0.idx"));
        }
    }
    let base = if find.keys.is_empty() { "e" } else { "k0" };
    if of_entry || find.keys.is_empty() {
        tables.push(format!("{schema}.entry e"));
        if !find.keys.is_empty() {
            conditions.push("e.idx = k0.idx".to_owned());
        }
    }
    if let Some(predicate_type) = find.predicate_type {
        conditions.push(format!("e.type = {}", value(Box::new(kept(predicate_type).into_owned()))));
    }
    if let Some(since) = find.since {
        conditions.push(format!("e.time >= {}", value(Box::new(since))));
    }
    if let Some(until) = find.until {
        conditions.push(format!("e.time < {}", value(Box::new(until))));
    }
    let from = find.after.map_or(0, |after| after.saturating_add(1));
    let (from, to) = (value(Box::new(signed(from))), value(Box::new(signed(before))));
    conditions.push(format!("{base}.idx >= {from} AND {base}.idx < {to}"));
    let limit = value(Box::new(i64::try_from(limit).unwrap_or(i64::MAX)));
    let sql = format!(
        "SELECT {base}.idx FROM {} WHERE {} ORDER BY {base}.idx LIMIT {limit}",
        tables.join(", "),
        conditions.join(" AND ")
    );
    (sql, values)
}

/// A text as it is kept: one that is too long for an index, or that PostgreSQL can't hold, by its digest.
fn kept(text: &str) -> Cow<'_, str> {
    // the mark can't begin a text that is kept as it is, so the two never meet
    if text.len() > PLAIN || text.contains('\0') || text.starts_with('\u{1}') {
        Cow::Owned(format!("\u{1}{}", hex::encode(Sha256::digest(text))))
    } else {
        Cow::Borrowed(text)
    }
}

fn signed(index: u64) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

fn number(rows: &[Found]) -> Answer<u64> {
    let number: i64 = rows.first().ok_or_else(|| damaged("it gave no number"))?.try_get(0).map_err(unread)?;
    u64::try_from(number).map_err(|_| damaged("it names an entry below the first"))
}

/// Whether a failed query tells of damage: PostgreSQL's classes of errors in what was asked or stored.
fn faulty(database: &Database, e: Failure) -> Unusable {
    let code = e.as_db_error().map(|e| e.code().code().to_owned()).unwrap_or_default();
    let error = database.failed(e);
    // undefined or of another shape, corrupted, not as constrained; not a right that is missing
    let damage = ["22", "23", "42", "XX"].iter().any(|class| code.starts_with(class)) && code != "42501";
    if damage { Unusable::Damaged(Error::new(ErrorKind::Io, error.message())) } else { Unusable::Unwritable(error) }
}

fn unread(e: Failure) -> Unusable {
    Unusable::Damaged(Error::new(ErrorKind::Io, format!("the search index is damaged: {e}")).caused_by(e))
}

fn damaged(why: &str) -> Unusable {
    Unusable::Damaged(Error::new(ErrorKind::Io, format!("the search index is damaged: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_an_index_cannot_hold_are_kept_by_their_digest() {
        assert_eq!(kept("release-1"), "release-1");
        let long = "x".repeat(PLAIN + 1);
        for text in [long.as_str(), "a\0b", "\u{1}release-1"] {
            assert_eq!(kept(text).len(), 65, "{text:?}");
            assert!(!kept(text).contains('\0'));
        }
        assert_ne!(kept("a\0b"), kept("a\0c"));
    }

    #[test]
    fn a_query_asks_for_all_that_it_names() {
        let find = Find {
            keys: vec![("release", "r"), ("commit", "c")],
            predicate_type: Some("t"),
            since: Some(1),
            until: None,
            after: Some(4),
        };
        let (sql, values) = select("s", &find, 10, 3);
        assert_eq!(
            sql,
            "SELECT k0.idx FROM s.key k0, s.key k1, s.entry e WHERE k0.name = $1 AND k0.value = $2 AND k1.name = $3 AND \
             k1.value = $4 AND k1.idx = k0.idx AND e.idx = k0.idx AND e.type = $5 AND e.time >= $6 AND k0.idx >= $7 AND \
             k0.idx < $8 ORDER BY k0.idx LIMIT $9"
        );
        assert_eq!(values.len(), 9);
        let (sql, _) = select("s", &Find::default(), 10, 3);
        assert_eq!(sql, "SELECT e.idx FROM s.entry e WHERE e.idx >= $1 AND e.idx < $2 ORDER BY e.idx LIMIT $3");
    }
}
