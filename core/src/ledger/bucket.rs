//! A ledger in a bucket of S3-compatible storage, with a PostgreSQL database beside it.
//!
//! The names of objects are those of a folder, under a prefix. The bucket alone says what is true; the database says
//! whose turn it is to write, and helps searching.
//!
//! # A commit
//!
//! 1. All of the batch is written as **one** object, `pending/<SHA-256 of the new checkpoint>`.
//! 2. `checkpoint` is replaced, by `If-Match` on the ETag of the one the batch was made for. **This is the commit.**
//! 3. The objects of the batch are put in place, each by `If-None-Match: *`; then the pending object is removed.
//!
//! So no object has its name before it is committed, what has its name is never written over, and a sequencer that died,
//! or that was taken for dead and goes on, leaves nothing in the way of the next: before step 2 a pending object that
//! nobody reads, after it one that everybody finds by the checkpoint. A reader that misses an object looks into it.
//!
//! A pending object is removed only when the checkpoint is another one than it was made for: then it is placed, or can't be
//! committed any more. No commit is made on top of one that is not placed.

mod database;
mod engine;
mod objects;
mod pending;
mod search;
mod settings;
mod settle;
mod signed;
mod upload;

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio_postgres::Client;

pub use settings::BucketPlace;

use self::database::{Database, Turn};
use self::engine::Engine;
use self::objects::{Kept, Objects, Over, Put};
use self::pending::PENDING;
use self::search::{Meanwhile, PostgresIndex};
use self::settle::{Batched, commit, place, settle, unplaced};
use self::upload::INCOMING;
use super::index::Index;
use super::sealed::{KEYRING, KEYS};
use super::storage::{Batch, Content, IndexAt, Outcome, Queue, Repair, Right, Storage, Upload};
use super::store::{BODIES, CHECKPOINT};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A ledger's bucket and database.
#[derive(Debug)]
pub(crate) struct BucketStorage {
    place: String,
    objects: Objects,
    database: Database,
    state: Mutex<State>,
    repairs: Mutex<Vec<Repair>>,
    engine: Arc<Engine>,
}

#[derive(Default)]
struct State {
    /// Whether a right of this value is held: the session's lock does not keep its own process off.
    held: bool,
    /// A session that had the turn before.
    session: Option<Client>,
    /// The checkpoint of which everything is in place, by its hash.
    settled: Option<String>,
    /// Pending objects that can't be committed once the checkpoint is another.
    doomed: BTreeSet<String>,
    /// When the lock of the keyring was last brought forward.
    renewed: Option<Instant>,
}

/// The turn to write, and what is known of the checkpoint since it was taken.
#[derive(Debug)]
struct BucketRight<'a> {
    storage: &'a BucketStorage,
    session: Option<Client>,
    /// With its ETag, if it may be replaced by that.
    current: Option<Current>,
    /// The checkpoint that whoever has this right goes by.
    seen: Option<Bytes>,
}

/// The checkpoint as it was read, with its ETag; none if there is none.
pub(in crate::ledger::bucket) type Current = Option<(Bytes, Option<String>)>;

/// How long searching goes without the database after it failed.
const WITHOUT_DATABASE: Duration = Duration::from_secs(30);
/// How often the lock of the keyring is brought forward, and days that it is then locked for longer than a body: it
/// opens what was written last, and must not go before that.
const RENEWED: Duration = Duration::from_secs(12 * 3600);
const LONGER: u32 = 1;

impl BucketStorage {
    pub(crate) fn new(place: &BucketPlace) -> Result<Self> {
        Ok(Self {
            place: place.to_string(),
            objects: Objects::new(place)?,
            database: Database::new(place)?,
            state: Mutex::default(),
            repairs: Mutex::default(),
            engine: Arc::new(Engine::start()?),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // nothing in it is half changed when a thread panics
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn repaired(&self, new: Vec<Repair>) {
        self.repairs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(new);
    }

    fn found(&self, name: &str, limit: u64) -> Result<Option<Bytes>> {
        let (objects, own) = (self.objects.clone(), name.to_owned());
        self.engine.wait(async move {
            // what is missing may lie in the batch of the checkpoint, and be put in place while we look for it there
            for last in [false, true] {
                if let Some((bytes, _)) = objects.get(&own, limit).await? {
                    return Ok(Some(bytes));
                }
                if last || !own.contains('/') {
                    break;
                }
                if let Some(bytes) = unplaced(&objects).await?.and_then(|batch| batch.find(&own).cloned()) {
                    return Ok(Some(bytes));
                }
            }
            Ok(None)
        })
    }

    fn missing(&self, name: &str) -> Error {
        Error::new(ErrorKind::NotFound, format!("there is no `{name}` in `{}`", self.place))
    }
}

impl Storage for BucketStorage {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn create(&self) -> Result<bool> {
        let objects = self.objects.clone();
        self.engine.wait(async move {
            // an attempt that was cut short is nothing that lies there
            let empty = objects.page("", None).await?.iter().all(|(name, _)| is_own(name));
            if empty {
                objects.check_conditions().await?;
                objects.check_lock().await?;
            }
            Ok(empty)
        })
    }

    fn destroy(&self) {
        let objects = self.objects.clone();
        let _ = self.engine.wait(async move { objects.remove(objects.names("").await?).await });
        let _ = self.remove_index();
    }

    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let bytes = self.found(name, limit)?.ok_or_else(|| self.missing(name))?;
        if bytes.len() as u64 > limit {
            let what = format!("`{name}` has {} bytes, and at most {limit} are read", bytes.len());
            return Err(Error::new(ErrorKind::LimitExceeded, what));
        }
        Ok(bytes.into())
    }

    fn stream(&self, name: &str) -> Result<Content> {
        let (objects, own) = (self.objects.clone(), name.to_owned());
        if let Some((stream, size)) = self.engine.wait(async move { objects.stream(&own).await })? {
            let engine = Arc::clone(&self.engine);
            let bytes = Box::new(Body { engine, stream: Some(stream), chunk: Bytes::new(), left: size });
            return Ok(Content { bytes, size });
        }
        let bytes = self.found(name, limits::LEDGER_PENDING_BYTES)?.ok_or_else(|| self.missing(name))?;
        let size = bytes.len() as u64;
        Ok(Content { bytes: Box::new(bytes.reader()), size })
    }

    fn size(&self, name: &str) -> Result<Option<u64>> {
        let (objects, own) = (self.objects.clone(), name.to_owned());
        self.engine.wait(async move {
            if let Some(size) = objects.size(&own).await? {
                return Ok(Some(size));
            }
            let batch = if own.contains('/') { unplaced(&objects).await? } else { None };
            match batch.and_then(|batch| batch.find(&own).map(|bytes| bytes.len() as u64)) {
                Some(size) => Ok(Some(size)),
                None => objects.size(&own).await,
            }
        })
    }

    fn list(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()> {
        let objects = self.objects.clone();
        let mut more: Vec<(String, u64)> = self.engine.wait(async move {
            let batch = unplaced(&objects).await?;
            Ok(batch.map(|b| b.objects.iter().map(|(n, c)| (n.clone(), c.len() as u64)).collect()).unwrap_or_default())
        })?;
        more.retain(|(name, _)| name.starts_with(prefix));
        let mut after = None;
        loop {
            let (objects, prefix, from) = (self.objects.clone(), prefix.to_owned(), after.take());
            // page by page, so that a visit may use this storage itself
            let page = self.engine.wait(async move { objects.page(&prefix, from).await })?;
            for (name, size) in &page {
                more.retain(|(own, _)| own != name);
                if !is_own(name) {
                    visit(name, *size)?;
                }
            }
            let full = page.len() == objects::PAGE;
            match page.into_iter().last() {
                Some((name, _)) if full => after = Some(name),
                _ => break,
            }
        }
        more.iter().try_for_each(|(name, size)| visit(name, *size))
    }

    fn acquire(&self, patience: Duration) -> Result<Box<dyn Right + '_>> {
        let begun = Instant::now();
        let kept = loop {
            let mut state = self.state();
            if !state.held {
                state.held = true;
                break state.session.take();
            }
            drop(state);
            if begun.elapsed() >= patience {
                let what =
                    format!("another thread has appended to the ledger at `{}` for too long; run it again", self.place);
                return Err(Error::new(ErrorKind::LedgerBusy, what));
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        // from here on it gives back what it has when it is dropped
        let mut right = BucketRight { storage: self, session: None, current: None, seen: None };
        let database = self.database.clone();
        let (session, turn) = self.engine.wait(async move { database.take_turn(kept, begun, patience).await })?;
        if turn == Turn::AnotherHas {
            self.state().session = Some(session);
            let what = format!(
                "another process has appended to the ledger at `{}` for over {} s; run it again, or end that process",
                self.place,
                patience.as_secs()
            );
            return Err(Error::new(ErrorKind::LedgerBusy, what));
        }
        right.session = Some(session);
        match right.settle_unless_known() {
            // who may only read finds what is not in place all the same, and holds others off
            Err(e) if e.kind() == ErrorKind::PermissionDenied => {}
            done => done?,
        }
        Ok(Box::new(right))
    }

    fn recover(&self, _: Duration) -> Result<bool> {
        // reading finds what is not in place
        Ok(false)
    }

    fn repairs(&self) -> Vec<Repair> {
        self.repairs.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn queue(&self) -> Option<Box<dyn Queue + '_>> {
        None
    }

    fn index(&self, how: IndexAt) -> Result<Box<dyn Index>> {
        Ok(match how {
            IndexAt::Storage => Box::new(PostgresIndex::open(&self.engine, &self.database)?),
            IndexAt::Memory => Box::new(Meanwhile::new(WITHOUT_DATABASE)?),
        })
    }

    fn has_index(&self) -> bool {
        let open = PostgresIndex::open(&self.engine, &self.database);
        // where it can't be known, whoever asks finds out why
        open.ok().is_none_or(|mut index| index.exists().unwrap_or(true))
    }

    fn remove_index(&self) -> Result<()> {
        let mut index = PostgresIndex::open(&self.engine, &self.database)?;
        index.remove().map_err(super::index::Unusable::into_error)
    }
}

impl BucketRight<'_> {
    /// Brings the lock of the keyring forward, where what it opens is about to be locked.
    fn renew_keyring<'n>(&self, mut names: impl Iterator<Item = &'n str>) -> Result<()> {
        let storage = self.storage;
        let due = storage.state().renewed.is_none_or(|at| at.elapsed() >= RENEWED);
        if !storage.objects.locks() || !due || !names.any(is_header) {
            return Ok(());
        }
        let objects = storage.objects.clone();
        storage.engine.wait(async move { objects.retain(KEYRING, LONGER).await })?;
        storage.state().renewed = Some(Instant::now());
        Ok(())
    }

    /// Puts in place what the checkpoint commits to, unless it is known to be.
    fn settle_unless_known(&mut self) -> Result<()> {
        let objects = self.storage.objects.clone();
        let limit = limits::CHECKPOINT_BYTES;
        let current = self.storage.engine.wait(async move { objects.get(CHECKPOINT, limit).await })?;
        let hash = hash_of(current.as_ref());
        let known = self.storage.state().settled.as_ref() == Some(&hash);
        self.seen = current.as_ref().map(|(note, _)| note.clone());
        self.current = Some(current);
        if known { Ok(()) } else { self.settle_all() }
    }

    fn settle_all(&mut self) -> Result<()> {
        let objects = self.storage.objects.clone();
        let settled = self.storage.engine.wait(async move { settle(&objects).await })?;
        let mut state = self.storage.state();
        state.settled = Some(hash_of(settled.current.as_ref()));
        state.doomed.extend(settled.undecided);
        drop(state);
        self.seen = settled.current.as_ref().map(|(note, _)| note.clone());
        self.current = Some(settled.current);
        self.storage.repaired(settled.repairs);
        Ok(())
    }

    /// The checkpoint, if it is `expected` and all of it is in place.
    fn at(&mut self, expected: Option<&[u8]>) -> Result<Option<Current>> {
        let is = |current: &Option<Current>| {
            current.as_ref().is_some_and(|c| c.as_ref().map(|(note, _)| &note[..]) == expected)
        };
        let settled = self.storage.state().settled.clone();
        if !is(&self.current) || settled != Some(hash_of(self.current.as_ref().and_then(Option::as_ref))) {
            self.settle_all()?;
        }
        Ok(if is(&self.current) { self.current.clone() } else { None })
    }
}

impl Right for BucketRight<'_> {
    fn commit(&mut self, batch: Batch<'_>) -> Result<Outcome> {
        let Some(current) = self.at(batch.before)? else { return Ok(Outcome::Overtaken) };
        self.renew_keyring(batch.objects.iter().map(|object| object.name.as_str()))?;
        let batched = Batched::of(&batch)?;
        let objects = self.storage.objects.clone();
        self.storage.engine.wait(async move { objects.check_lock().await })?;
        let hash = pending::hash(batch.checkpoint);
        let doomed = pending::name(batch.checkpoint);
        self.current = None;
        let objects = self.storage.objects.clone();
        let written = batched.clone();
        let outcome = self.storage.engine.wait(async move { commit(&objects, &written, current).await });
        match outcome {
            Err(e) => {
                // it may yet be committed by a request that is still on its way, so its batch stays until it can't be
                self.storage.state().doomed.insert(doomed);
                return Err(e);
            }
            Ok(Outcome::Overtaken) => return Ok(Outcome::Overtaken),
            Ok(Outcome::Committed) => {}
        }
        self.seen = Some(Bytes::copy_from_slice(batch.checkpoint));
        let gone: Vec<String> = std::mem::take(&mut self.storage.state().doomed).into_iter().collect();
        let objects = self.storage.objects.clone();
        // it is committed; what can't be put in place now, whoever writes next does, and readers find it meanwhile
        let placed = self.storage.engine.wait(async move {
            place(&objects, &batched.pending).await?;
            objects.remove(gone.into_iter().chain([doomed]).collect()).await
        });
        if placed.is_ok() {
            self.storage.state().settled = Some(hash);
        }
        Ok(Outcome::Committed)
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.write_all(&[(name.to_owned(), bytes.to_vec())])
    }

    fn write_all(&mut self, all: &[(String, Vec<u8>)]) -> Result<()> {
        if all.iter().all(|(name, _)| name != KEYRING) {
            self.renew_keyring(all.iter().map(|(name, _)| name.as_str()))?;
        } else {
            // it is another from now on
            self.storage.state().renewed = None;
        }
        let objects = self.storage.objects.clone();
        let all: Vec<(String, Bytes)> = all.iter().map(|(name, bytes)| (name.clone(), bytes.clone().into())).collect();
        self.storage.engine.wait(async move {
            let done: Vec<Result<Put>> = futures_util::stream::iter(all)
                .map(|(name, bytes)| {
                    let objects = objects.clone();
                    async move { objects.put(&name, bytes, Over::Anything, kept(&name)).await }
                })
                .buffer_unordered(objects::AT_ONCE)
                .collect()
                .await;
            done.into_iter().collect::<Result<Vec<_>>>().map(|_| ())
        })
    }

    fn remove(&mut self, names: &[String]) -> Result<()> {
        if names.is_empty() {
            return Ok(());
        }
        let seen = self.seen.clone();
        if names.iter().any(|name| name.starts_with(BODIES)) {
            // a batch that is not in place would be a copy
            self.settle_all()?;
        }
        let (objects, names) = (self.storage.objects.clone(), names.to_vec());
        self.storage.engine.wait(async move {
            // who lost the turn without seeing it takes for leftovers what another committed since. Nothing has its name
            // before its checkpoint is there, so what was named for removal is judged by a checkpoint that is read now
            let now = objects.get(CHECKPOINT, limits::CHECKPOINT_BYTES).await?.map(|(note, _)| note);
            if now != seen {
                let what = "another sequencer appended to the ledger meanwhile; run it again";
                return Err(Error::new(ErrorKind::LedgerBusy, what));
            }
            objects.remove(names).await
        })
    }

    fn keep(&mut self, upload: &mut dyn Upload) -> Result<()> {
        upload::keep(&self.storage.engine, &self.storage.objects, upload)
    }

    fn settle(&mut self) -> Result<()> {
        self.settle_all()
    }
}

impl Drop for BucketRight<'_> {
    fn drop(&mut self) {
        let database = self.storage.database.clone();
        let kept = self.session.take().and_then(|session| {
            self.storage.engine.wait(async move { Ok(database.give_turn(session).await) }).ok().flatten()
        });
        let mut state = self.storage.state();
        if kept.is_some() {
            state.session = kept;
        }
        state.held = false;
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("held", &self.held).field("settled", &self.settled).finish_non_exhaustive()
    }
}

/// Whether the storage keeps an object for itself.
fn is_own(name: &str) -> bool {
    [PENDING, INCOMING].iter().any(|folder| name.starts_with(&format!("{folder}/")))
}

/// What the place may lock until a date: what nothing but a disposal may remove, and what opens that. A header that is
/// written anew under another key stays as long as what it opens.
fn kept(name: &str) -> Kept {
    match name {
        KEYRING => Kept::Retained,
        name if is_header(name) => Kept::AsBefore,
        name if name.starts_with(&format!("{BODIES}/")) => Kept::Retained,
        _ => Kept::Freely,
    }
}

/// Whether an object is the header of an encrypted one.
fn is_header(name: &str) -> bool {
    name.strip_prefix(KEYS).is_some_and(|rest| rest.starts_with('/'))
}

/// A name for a checkpoint, also for none.
fn hash_of(current: Option<&(Bytes, Option<String>)>) -> String {
    current.map_or_else(|| "-".to_owned(), |(note, _)| pending::hash(note))
}

/// The content of an object, read as it is asked for.
struct Body {
    engine: Arc<Engine>,
    stream: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    chunk: Bytes,
    left: u64,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() {
            let Some(mut stream) = self.stream.take() else { return Ok(0) };
            let (stream, next) = self
                .engine
                .wait(async move {
                    let next = stream.next().await;
                    Ok((stream, next))
                })
                .map_err(std::io::Error::other)?;
            match next {
                Some(chunk) => {
                    self.chunk = chunk.map_err(std::io::Error::other)?;
                    self.stream = Some(stream);
                }
                None if self.left > 0 => {
                    return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the answer was cut short"));
                }
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.chunk.len());
        let part = self.chunk.split_to(length);
        if let Some(to) = buffer.get_mut(..length) {
            to.copy_from_slice(&part);
        }
        self.left = self.left.saturating_sub(length as u64);
        Ok(length)
    }
}
