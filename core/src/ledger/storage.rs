//! Where a ledger lies: what it needs of a folder, or of object storage and a database.
//!
//! A ledger is a set of **named objects** (`tile/0/001`, `bodies/004`; [`super::store`] makes the names) and one object,
//! [`CHECKPOINT`](super::store::CHECKPOINT), that says which of them count. Everything but the checkpoint is written once
//! and never changed; what no checkpoint commits to is not read. So a storage has to keep only these promises:
//!
//! 1. **A commit is whole and durable.** When [`Right::commit`] returns [`Outcome::Committed`], all objects of the
//!    [`Batch`] and its checkpoint are there after a power loss, and whoever reads the new checkpoint can read all of
//!    them. If it fails, the checkpoint is the one it was, and nothing of the batch takes space for longer than it must.
//! 2. **Two never both commit.** The checkpoint is replaced only where it still is the one the batch was made for
//!    (compare-and-swap); else the answer is [`Outcome::Overtaken`] and nothing has happened. The [`Right`] only keeps
//!    others from trying meanwhile: a storage whose right can be lost unnoticed (a lease) is still safe.
//! 3. **What is removed is gone**, from every copy the storage itself keeps.
//! 4. **It comes to itself.** What a process that died left is made whole or undone by [`Storage::acquire`] and
//!    [`Storage::recover`], and [`Storage::repairs`] says what was done.
//!
//! Names are made by the ledger and never hold `..`; a storage joins them to its root or prefix and knows nothing else
//! of them. No path is computed outside of an implementation. Methods block; an implementation over a network drives its
//! own runtime. What lies here may have been written by an enemy: a ledger verifies all it reads, and a storage bounds it.
//!
//! The search index belongs to the storage as well ([`Storage::index`]): in a folder it is SQLite, beside object storage a
//! database. It is derived, never the truth, and made anew from the log at will ([`super::index`]).

use std::fmt;
use std::io::Read;
use std::time::Duration;

use serde::Serialize;

use super::index::Index;
use super::service::Service;
use crate::error::Result;

/// Where a ledger lies.
pub(crate) trait Storage: fmt::Debug + Send + Sync {
    /// Where that is, for people to read: a path, or a URL without credentials.
    fn place(&self) -> String;

    /// Makes the place itself, durable, unless it is there. Says whether nothing lies in it.
    fn create(&self) -> Result<bool>;

    /// Removes what was written of a ledger that could not be made, as far as that goes.
    fn destroy(&self);

    /// The whole object `name`, at most `limit` bytes, else `LIMIT_EXCEEDED`; `NOT_FOUND` if there is none.
    fn read(&self, name: &str, limit: u64) -> Result<Vec<u8>>;

    /// The object `name` as a stream; `NOT_FOUND` if there is none.
    fn stream(&self, name: &str) -> Result<Content>;

    /// Bytes of the object `name`, none if it is not there.
    fn size(&self, name: &str) -> Result<Option<u64>>;

    /// Visits all objects whose name begins with `prefix` (ending in `/`, or empty), in no certain order, with their
    /// sizes; nothing that the storage keeps for itself.
    fn list(&self, prefix: &str, visit: &mut dyn FnMut(&str, u64) -> Result<()>) -> Result<()>;

    /// Objects beside the log that were kept in part and that nothing leads to, asked by the holder of the right.
    fn leftovers(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Whether a right is never lost while it is held, so that nobody else can be writing.
    fn right_lasts(&self) -> bool {
        false
    }

    /// Waits for the right to write, at most for `patience`, and makes whole what its last holder left.
    ///
    /// `LEDGER_BUSY` if another holds it for longer. Whoever may only read may get a right as well, to hold others off
    /// while reading; writing with it is refused.
    fn acquire(&self, patience: Duration) -> Result<Box<dyn Right + '_>>;

    /// Makes whole what a process that died left, if that is needed before reading and nobody else is at it; waits for
    /// others for `patience`. Says whether there was anything that others may be at right now: then what was read may
    /// have been half of it, and is read again after a longer wait before it is called damage.
    fn recover(&self, patience: Duration) -> Result<bool>;

    /// What was repaired since this value was made, oldest first.
    fn repairs(&self) -> Vec<Repair>;

    /// Where those who wait for the right leave what they would append, if others can see it there.
    fn queue(&self) -> Option<Box<dyn Queue + '_>>;

    /// Opens the search index, empty if there is none.
    fn index(&self, how: IndexAt) -> Result<Box<dyn Index>>;

    /// Whether a search index is kept.
    fn has_index(&self) -> bool;

    /// Removes the search index, so that it is made anew.
    fn remove_index(&self) -> Result<()>;

    /// The sequencer behind it, where others than whoever reads this storage write it.
    fn service(&self) -> Option<&dyn Service> {
        None
    }
}

/// The right to write, held by one at a time and given back when dropped, or when its process dies.
pub(crate) trait Right: fmt::Debug {
    /// Commits a batch: promises 1 and 2 of the [module](self).
    fn commit(&mut self, batch: Batch<'_>) -> Result<Outcome>;

    /// Writes a small object, whole and durable, in the place of what had its name. For what is not part of the log.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// As [`Right::write`] of each, in no certain order, and faster where that is possible.
    fn write_all(&mut self, objects: &[(String, Vec<u8>)]) -> Result<()> {
        objects.iter().try_for_each(|(name, bytes)| self.write(name, bytes))
    }

    /// Removes objects for good, and from any copy kept for a repair. What is not there is no error.
    fn remove(&mut self, names: &[String]) -> Result<()>;

    /// Takes a stream of any length and keeps it, durable, under the name it has at its end.
    fn keep(&mut self, upload: &mut dyn Upload) -> Result<()>;

    /// Brings the storage to rest: nothing is left to be made whole, whoever opens it next.
    fn settle(&mut self) -> Result<()>;
}

/// Submissions of those who wait for the right to append, for group commit. Nothing in it is durable or believed.
pub(crate) trait Queue {
    /// Leaves a submission; it is withdrawn when the ticket is dropped.
    fn submit(&self, bytes: &[u8]) -> Result<Box<dyn Ticket>>;

    /// Takes submissions whose owners still wait, so that nobody else takes them. For the holder of the right.
    fn take(&self, most: usize) -> Vec<Waiting>;

    /// Answers one that was taken, if that can be done.
    fn answer(&self, id: &str, bytes: &[u8]);
}

/// The place of a submission in the queue, for its owner.
pub(crate) trait Ticket {
    /// The answer, once there is one.
    fn answer(&self) -> Option<Vec<u8>>;

    /// Takes the submission back; says whether nobody had taken it yet.
    fn withdraw(&self) -> bool;
}

/// A submission that was taken.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
}

/// An object as a stream.
pub(crate) struct Content {
    pub(crate) bytes: Box<dyn Read + Send>,
    pub(crate) size: u64,
}

/// A stream whose name is known when it was read to its end, such as a file that is named by its digest.
pub(crate) trait Upload: Read {
    /// The name, asked after the last byte was read.
    fn name(&self) -> String;
}

/// Whether a batch was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Committed,
    /// The checkpoint is not the one the batch was made for; look at it, and make the batch anew.
    Overtaken,
}

/// What one commit writes.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    /// New objects. One may be there already, left by a commit that failed; it is replaced.
    pub(crate) objects: Vec<Object>,
    /// Objects that are of no use once this is committed: narrower partial tiles. Removing them may fail silently.
    pub(crate) stale: Vec<String>,
    /// The checkpoint this was made for, none for the first.
    pub(crate) before: Option<&'a [u8]>,
    /// The new one.
    pub(crate) checkpoint: &'a [u8],
}

/// An object that a commit writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The object it begins with, and how long that is: a partial tile is a narrower one and some more. A storage may
    /// use it to write less, or not at all.
    pub(crate) grown_from: Option<(String, usize)>,
}

/// Which search index to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IndexAt {
    /// The one that is kept.
    Storage,
    /// A new one that nobody else sees, and that ends with its handle.
    Memory,
}

/// Something that was not whole when a ledger was opened or written to, and is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repair {
    /// What was done.
    pub kind: RepairKind,
    /// The same, in words.
    pub message: String,
}

/// Kinds of repairs.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepairKind {
    /// An append that was committed, and whose files were not all in their places, was completed.
    Completed,
    /// An append that was cut short before it was committed was dropped; nobody has a receipt for it.
    Dropped,
    /// Files that no checkpoint commits to, or that a later one made superfluous, were removed.
    Cleared,
}

impl Repair {
    pub(crate) fn new(kind: RepairKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}
