//! Moving a ledger from one place to another: the same checkpoint, the same bytes of every object.
//!
//! Two places must never both take an append, or the history forks. So the old one is marked before the new one gets its
//! checkpoint, and the mark lies where it can't be passed over: in the checkpoint itself, as one more line of its note
//! (which readers of signed notes ignore, as they must), put there by the same compare-and-swap as any commit. A sequencer
//! that has not seen it finds the checkpoint changed, and one that looks again finds the mark.
//!
//! A move that was cut short is taken up by the same call.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use serde::Serialize;

use super::archive::ARCHIVED;
use super::folder::{LOCK, UNFINISHED, is_queued};
use super::log_key::read_checkpoint;
use super::mark::{self, MOVED};
use super::sealed::KEYS;
use super::storage::{Batch, Outcome, Right, Storage, Upload};
use super::store::{ATTACHMENTS, BODIES, CHECKPOINT, CONFIG, TILES};
use super::{Anchors, Ledger, Pins, Place};
use crate::encryption::KeyEncryptionKey;
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;

/// The fact by which a fault says where a ledger was moved.
const MOVED_TO: &str = "movedTo";
/// Folders of which a ledger sheds objects.
const SHED: [&str; 5] = [TILES, BODIES, KEYS, ATTACHMENTS, ARCHIVED];
/// Bytes of small objects that are carried at once.
const LOAD: u64 = 16 * 1024 * 1024;
/// Objects that are carried at once.
const LOAD_OBJECTS: usize = 256;

/// What a move did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Relocated {
    /// Name of the log.
    pub origin: String,
    /// Where it was.
    pub from: String,
    /// Where it is.
    pub to: String,
    /// Number of entries.
    pub size: u64,
    /// Root of its checkpoint, base64; the same in both places.
    pub root: String,
    /// Objects compared in both places, byte by byte.
    pub objects: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Objects that were carried; the others were there from an earlier attempt.
    pub carried: u64,
}

/// How far a move is, in objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MoveProgress {
    /// Objects that are in both places.
    pub done: u64,
    /// All of them.
    pub all: u64,
}

impl Ledger {
    /// Moves the ledger at `from` to `to`, which must be empty, a place it was moved away from before, or one that the
    /// same move left unfinished. Afterwards `from` takes no append any more; it can be read, and removed by hand.
    ///
    /// What is encrypted stays so, under the same keys; bodies in an archive stay there. All objects are compared in both
    /// places, byte by byte, before the old place is marked, and the ledger is opened at the new one before this returns.
    ///
    /// # Errors
    /// As [`Ledger::open_at`] for `from`; `ALREADY_EXISTS` if something else is at `to`; `APPEND_REFUSED` if it was moved
    /// elsewhere before; `LEDGER_BUSY` if others append meanwhile; `LEDGER_FORKED` if what lies at `to` contradicts it;
    /// `PERMISSION_DENIED`, `STORAGE_FULL`, `SERVICE_UNAVAILABLE` or `IO`. After any of them exactly one place takes
    /// appends, or none until the same move is called again.
    pub fn move_to(
        from: &Place,
        to: &Place,
        anchors: &Anchors,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        progress: &mut dyn FnMut(MoveProgress),
    ) -> Result<Relocated> {
        // as it is stored: what is encrypted is carried as it is
        let source = from.storage()?;
        let mut ledger = Self::open_in(&source, anchors, pins, kek)?;
        let target = to.storage()?;
        if source.place() == target.place() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "the ledger is there already; name another place to move it to",
            ));
        }
        let patience = Duration::from_millis(limits::LEDGER_LOCK_MILLIS);
        let mut leave = source.acquire(patience)?;
        leave.settle()?;
        ledger.refresh()?;
        if let Some(elsewhere) = ledger.moved_to().filter(|place| *place != target.place()) {
            return Err(moved(&elsewhere));
        }
        let empty = target.create()?;
        let mut enter = target.acquire(patience)?;
        let config = source.read(CONFIG, limits::CHECKPOINT_BYTES)?;
        let found = ledger.check_target(target.as_ref(), empty, &config)?;
        enter.write(CONFIG, &config)?;
        let carried = carry(source.as_ref(), target.as_ref(), enter.as_mut(), progress)?;
        if !empty && target.has_index() {
            // it may hold what was disposed of since
            target.remove_index()?;
        }
        let note = ledger.checkpoint.note().to_owned();
        let clean = mark::without(&note, MOVED);
        if note == clean {
            let marked = mark::with(&note, MOVED, target.place().as_bytes());
            swap(leave.as_mut(), Some(note.as_bytes()), marked.as_bytes())?;
            leave.settle()?;
        }
        if found.as_deref() != Some(clean.as_bytes()) {
            swap(enter.as_mut(), found.as_deref(), clean.as_bytes())?;
        }
        enter.settle()?;
        drop((enter, leave));
        let arrived = Self::open_in(&target, anchors, pins, kek)?;
        if arrived.checkpoint.checkpoint() != ledger.checkpoint.checkpoint() {
            return Err(Error::new(ErrorKind::LedgerForked, "the ledger that was moved is not the one that arrived"));
        }
        Ok(Relocated {
            origin: arrived.origin().to_owned(),
            from: source.place(),
            to: arrived.place(),
            size: arrived.size(),
            root: arrived.checkpoint.checkpoint().root().to_string(),
            objects: carried.objects,
            bytes: carried.bytes,
            carried: carried.carried,
        })
    }

    /// Where the ledger was moved to, if it was; it takes no append then.
    pub fn moved_to(&self) -> Option<String> {
        mark(self.checkpoint.note())
    }

    /// Refuses to write to a ledger that was moved away since this handle looked. The caller holds the right to write, so
    /// that it is not moved meanwhile.
    ///
    /// # Errors
    /// `APPEND_REFUSED` if it was moved; those of reading its checkpoint.
    pub(crate) fn check_here(&self) -> Result<()> {
        check_not_moved(read_checkpoint(&self.store, &self.log_key)?.note())
    }

    /// As [`Ledger::check_here`], by the checkpoint that this handle has seen: the newest, if it looked with the right in
    /// hand.
    pub(crate) fn check_seen_here(&self) -> Result<()> {
        check_not_moved(self.checkpoint.note())
    }

    /// The checkpoint at the target, if what is there may be made this ledger.
    fn check_target(&self, target: &dyn Storage, empty: bool, config: &[u8]) -> Result<Option<Vec<u8>>> {
        let taken = |why: &str| {
            let place = target.place();
            Error::new(ErrorKind::AlreadyExists, format!("`{place}` can't take the ledger: {why}; name another place"))
        };
        if empty {
            return Ok(None);
        }
        match optional(target.read(CONFIG, limits::CHECKPOINT_BYTES))? {
            None => return Err(taken("it is not empty")),
            Some(found) if found != config => return Err(taken("another ledger lies there")),
            Some(_) => {}
        }
        let Some(found) = optional(target.read(CHECKPOINT, limits::CHECKPOINT_BYTES))? else { return Ok(None) };
        let there = self.log_key.parse_and_verify(&found)?;
        let same = there.checkpoint() == self.checkpoint.checkpoint();
        if mark(there.note()).is_none() && !(same && self.moved_to().is_some()) {
            return Err(taken("a ledger of the same name lies there, and takes appends"));
        }
        self.check_extends(there.checkpoint())?;
        Ok(Some(found))
    }
}

/// Whether a fault is that the ledger was moved away, so that it is none of what was to be written.
pub(crate) fn is_of_moved_ledger(e: &Error) -> bool {
    e.context().iter().any(|(name, _)| *name == MOVED_TO)
}

/// Refuses to write to a ledger that was moved away, by the note of its checkpoint.
fn check_not_moved(note: &str) -> Result<()> {
    match mark(note) {
        Some(place) => Err(moved(&place)),
        None => Ok(()),
    }
}

struct Carried {
    objects: u64,
    bytes: u64,
    carried: u64,
}

/// Brings all objects but the checkpoint to the target, and compares each in both places.
fn carry(
    source: &dyn Storage,
    target: &dyn Storage,
    enter: &mut dyn Right,
    progress: &mut dyn FnMut(MoveProgress),
) -> Result<Carried> {
    let (wanted, mut there) = (objects(source)?, objects(target)?);
    let all = wanted.len() as u64;
    let mut done = Carried { objects: 0, bytes: 0, carried: 0 };
    let mut load: Vec<(String, Vec<u8>)> = Vec::new();
    let mut weight = 0;
    for (name, size) in &wanted {
        let is_there = there.remove(name) == Some(*size);
        done.objects += 1;
        done.bytes += size;
        if name.starts_with(&format!("{ATTACHMENTS}/")) {
            if !(is_there && same_stream(source, target, name)?) {
                done.carried += 1;
                enter.keep(&mut Carry { content: source.stream(name)?.bytes, name })?;
                if !same_stream(source, target, name)? {
                    return Err(differs(name));
                }
            }
        } else {
            let bytes = source.read(name, *size)?;
            if !(is_there && target.read(name, *size)? == bytes) {
                weight += bytes.len() as u64;
                load.push((name.clone(), bytes));
            }
        }
        if weight >= LOAD || load.len() >= LOAD_OBJECTS || done.objects == all {
            done.carried += load.len() as u64;
            unload(target, enter, &load)?;
            load.clear();
            weight = 0;
            progress(MoveProgress { done: done.objects, all });
        }
    }
    // what it had before and was shed since: partial tiles that have grown, what was disposed of, archived or restored
    let stale: Vec<String> = there.into_keys().collect();
    let may_go = |name: &str| SHED.iter().any(|f| name.strip_prefix(f).is_some_and(|rest| rest.starts_with('/')));
    if let Some(other) = stale.iter().find(|name| !may_go(name)) {
        let what =
            format!("`{}` lies at `{}` and is nothing of this ledger; remove it", other.escape_debug(), target.place());
        return Err(Error::new(ErrorKind::AlreadyExists, what));
    }
    enter.remove(&stale)?;
    Ok(done)
}

fn unload(target: &dyn Storage, enter: &mut dyn Right, load: &[(String, Vec<u8>)]) -> Result<()> {
    enter.write_all(load)?;
    load.iter().try_for_each(
        |(name, bytes)| {
            if target.read(name, bytes.len() as u64)? == *bytes { Ok(()) } else { Err(differs(name)) }
        },
    )
}

/// All that is carried, by name, with its size.
fn objects(storage: &dyn Storage) -> Result<BTreeMap<String, u64>> {
    let mut objects = BTreeMap::new();
    storage.list("", &mut |name, size| {
        // nor what others would append, who are told where to
        if ![CHECKPOINT, CONFIG, LOCK, UNFINISHED].contains(&name) && !is_queued(name) {
            objects.insert(name.to_owned(), size);
        }
        Ok(())
    })?;
    Ok(objects)
}

fn same_stream(source: &dyn Storage, target: &dyn Storage, name: &str) -> Result<bool> {
    let failed =
        |e: std::io::Error| Error::new(ErrorKind::Io, format!("`{name}` could not be compared: {e}")).caused_by(e);
    let mut streams = [source.stream(name)?.bytes, target.stream(name)?.bytes];
    let mut chunks = [vec![0; 256 * 1024], vec![0; 256 * 1024]];
    loop {
        let mut lengths = [0; 2];
        for ((stream, chunk), length) in streams.iter_mut().zip(&mut chunks).zip(&mut lengths) {
            *length = fill(stream.as_mut(), chunk).map_err(failed)?;
        }
        let [one, other] = &chunks;
        let [length, of_other] = lengths;
        if length != of_other || one.get(..length) != other.get(..length) {
            return Ok(false);
        }
        if length == 0 {
            return Ok(true);
        }
    }
}

fn fill(from: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

/// An object on its way, under the name it has.
struct Carry<'a> {
    content: Box<dyn Read + Send>,
    name: &'a str,
}

impl Read for Carry<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.content.read(buffer)
    }
}

impl Upload for Carry<'_> {
    fn name(&self) -> String {
        self.name.to_owned()
    }
}

fn swap(right: &mut dyn Right, before: Option<&[u8]>, checkpoint: &[u8]) -> Result<()> {
    let batch = Batch { objects: Vec::new(), stale: Vec::new(), before, checkpoint };
    match right.commit(batch)? {
        Outcome::Committed => Ok(()),
        Outcome::Overtaken => Err(Error::new(
            ErrorKind::LedgerBusy,
            "somebody appended to the ledger while it was moved; run the same move again",
        )),
    }
}

/// The place that the mark of a checkpoint names.
fn mark(note: &str) -> Option<String> {
    mark::of(note, MOVED).map(|place| String::from_utf8_lossy(&place).into_owned())
}

fn moved(place: &str) -> Error {
    Error::new(
        ErrorKind::AppendRefused,
        format!("the ledger was moved to `{}`; append to it there", place.escape_debug()),
    )
    .with(MOVED_TO, place)
}

fn differs(name: &str) -> Error {
    Error::new(ErrorKind::Io, format!("`{name}` is not the same in the new place; run the same move again"))
}
