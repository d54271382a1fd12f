//! A spool: a folder of signed records that wait to be appended, for runners that have no network.
//!
//! ```text
//! attachments/<sha256>                     files that records name, sent before any record
//! waiting/<time>-<number>-<sha256>.json    records, oldest first
//! receipts/<sha256>.json                   receipts of those that were appended
//! refused/<name>                           records and files that no ledger took, each with <name>.reason.json
//! ```
//!
//! A file is whole or not there. A record leaves `waiting` only when its receipt or the reason of its refusal is on
//! disk, so sending can be cut short at any moment and made again: the ledger appends a record once.

mod attachment;
mod file;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

pub use attachment::Attached;

use crate::bundle::Bundle;
use crate::digest::Digest;
use crate::error::{Error, ErrorClass, ErrorKind, Result};
use crate::ledger::{Ledger, Receipt, is_of_moved_ledger, is_of_replaced_key};
use crate::timestamp::Timestamp;
use crate::{json, limits};
use file::{names, remove, write};

/// A folder of records that wait.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
    /// Bytes of the longest attachment that is sent.
    longest: u64,
}

/// What became of the records of a spool.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Sent {
    /// Records that are in the ledger now, by the SHA-256 of their bytes.
    pub delivered: Vec<(Digest, Receipt)>,
    /// Records that were put aside, by their file's name in `refused`, with the reason.
    pub refused: Vec<(String, Error)>,
    /// What ended the sending before its end; the records from there on still wait.
    pub stopped: Option<Error>,
}

impl Serialize for Sent {
    /// As `delivered` (each `record` and `receipt`), `refused` (each `file`, `code` and `message`) and `stopped` (`code` and
    /// `message`, or null).
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Delivered<'a> {
            record: &'a Digest,
            receipt: &'a Receipt,
        }
        #[derive(serde::Serialize)]
        struct Refused<'a> {
            file: &'a str,
            #[serde(flatten)]
            reason: Reason<'a>,
        }
        let delivered: Vec<_> = self.delivered.iter().map(|(record, receipt)| Delivered { record, receipt }).collect();
        let refused: Vec<_> = self.refused.iter().map(|(file, e)| Refused { file, reason: Reason::of(e) }).collect();
        let mut sent = serializer.serialize_struct("Sent", 3)?;
        sent.serialize_field("delivered", &delivered)?;
        sent.serialize_field("refused", &refused)?;
        sent.serialize_field("stopped", &self.stopped.as_ref().map(Reason::of))?;
        sent.end()
    }
}

#[derive(serde::Serialize)]
struct Reason<'a> {
    code: &'a str,
    message: &'a str,
}

impl<'a> Reason<'a> {
    fn of(e: &'a Error) -> Self {
        Self { code: e.code(), message: e.message() }
    }
}

const WAITING: &str = "waiting";
const RECEIPTS: &str = "receipts";
const REFUSED: &str = "refused";

impl Spool {
    /// The spool in `folder`, which is made when a first record is added.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), longest: u64::MAX }
    }

    /// Sends attachments of at most so many bytes; a longer one is put aside unread.
    #[must_use]
    pub fn with_longest_attachment(mut self, bytes: u64) -> Self {
        self.longest = bytes;
        self
    }

    /// Says whether there is such a folder; one that was mistyped holds nothing that waits.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none.
    pub fn check_there(&self) -> Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        let what = format!("there is no spool at `{}`; check the name of the folder", self.folder.display());
        Err(Error::new(ErrorKind::NotFound, what).with("path", self.folder.display()))
    }

    /// Adds a record, on disk when this returns. One that waits already is not added again.
    ///
    /// Its form is looked at, not its signature: whom to believe, the ledger's trust policy says.
    ///
    /// # Errors
    /// `MALFORMED` or `LIMIT_EXCEEDED` if it is no record, `LIMIT_EXCEEDED` if too many wait; `PERMISSION_DENIED`,
    /// `STORAGE_FULL` or `IO`.
    pub fn add(&self, record: &[u8], now: Timestamp) -> Result<PathBuf> {
        Bundle::parse(record)?;
        let hex = Digest::sha256(record).hex();
        let waiting = self.waiting()?;
        if let Some(there) = waiting.iter().find(|name| name.ends_with(&format!("-{hex}.json"))) {
            return Ok(self.folder.join(WAITING).join(there));
        }
        if waiting.len() >= limits::SPOOLED_RECORDS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("{} records wait in `{}`; send them first", waiting.len(), self.folder.display()),
            ));
        }
        // several within one millisecond keep the order they were added in
        let number = waiting.iter().filter_map(|name| number(name)).max().map_or(0, |n| n + 1);
        let name = format!("{:015}-{number:09}-{hex}.json", now.unix_millis().max(0));
        let path = self.folder.join(WAITING).join(name);
        write(&path, record)?;
        Ok(path)
    }

    /// Names of the records that wait, oldest first.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if there are too many; `PERMISSION_DENIED` or `IO`.
    pub fn waiting(&self) -> Result<Vec<String>> {
        names(&self.folder.join(WAITING), limits::SPOOLED_RECORDS, |name| number(name).is_some())
    }

    /// Sends all that waits to a ledger that takes appends: attachments, as [`Spool::send_attachments`] does, then records, as
    /// [`Spool::send`] does.
    ///
    /// # Errors
    /// As [`Spool::send`]; `NOT_FOUND` if there is no such folder.
    pub fn send_to(&self, ledger: &mut Ledger, now: Timestamp) -> Result<Sent> {
        self.check_there()?;
        let attached = self.send_attachments(|path| ledger.attach_file(path))?;
        let mut sent = Sent { refused: attached.refused, stopped: attached.stopped, ..Sent::default() };
        if sent.stopped.is_some() {
            return Ok(sent);
        }
        let records = self.send(|record| {
            let verified = ledger.verify(record, now)?;
            ledger.append(&verified, now)
        })?;
        sent.delivered = records.delivered;
        sent.refused.extend(records.refused);
        sent.stopped = records.stopped;
        Ok(sent)
    }

    /// Gives each record that waits to `deliver`, oldest first. One that is refused for what it is is put aside with the
    /// reason; any other fault ends the sending, and the records from there on still wait.
    ///
    /// # Errors
    /// `PERMISSION_DENIED`, `STORAGE_FULL` or `IO` of the spool itself.
    pub fn send(&self, mut deliver: impl FnMut(&[u8]) -> Result<Receipt>) -> Result<Sent> {
        let mut sent = Sent::default();
        for name in self.waiting()? {
            let path = self.folder.join(WAITING).join(&name);
            let delivered = match limits::read_file("spooled record", &path, limits::RECORD_BYTES) {
                // another process sent it meanwhile
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                read => read.and_then(|record| {
                    let digest = Digest::sha256(&record);
                    if !name.ends_with(&format!("-{}.json", digest.hex())) {
                        return Err(Error::new(
                            ErrorKind::DigestMismatch,
                            "the record is not the one its file is named by; have whoever signed it add it again",
                        ));
                    }
                    deliver(&record).map(|receipt| (digest, receipt))
                }),
            };
            match delivered {
                Ok((digest, receipt)) => {
                    let kept = self.folder.join(RECEIPTS).join(format!("{}.json", digest.hex()));
                    write(&kept, &json::canonical("receipt", &receipt)?)?;
                    remove(&path)?;
                    sent.delivered.push((digest, receipt));
                }
                Err(e) if !may_pass(&e) => sent.refused.push(self.put_aside(&path, &name, e)?),
                Err(e) => {
                    sent.stopped = Some(e);
                    break;
                }
            }
        }
        Ok(sent)
    }

    /// Puts a file aside, with the reason beside it.
    fn put_aside(&self, path: &Path, name: &str, e: Error) -> Result<(String, Error)> {
        let aside = self.folder.join(REFUSED).join(name);
        let reason = Reason::of(&e);
        write(&with_suffix(&aside, ".reason.json"), &json::canonical("reason", &reason)?)?;
        match std::fs::rename(path, &aside) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("put aside", path, e)),
            _ => Ok((name.to_owned(), e)),
        }
    }
}

/// Whether a fault is none of what was sent, so that sending it again may do.
fn may_pass(e: &Error) -> bool {
    // refused for what has become of the ledger, whatever the kind
    if is_of_moved_ledger(e) || is_of_replaced_key(e) {
        return true;
    }
    match e.kind() {
        ErrorKind::AppendRefused | ErrorKind::PermitRefused | ErrorKind::AlreadyExists => false,
        ErrorKind::Malformed | ErrorKind::LimitExceeded | ErrorKind::Unsupported => false,
        kind => kind.class() != ErrorClass::VerificationFailed,
    }
}

/// The number in a name that is one of ours.
fn number(name: &str) -> Option<u64> {
    let mut parts = name.strip_suffix(".json")?.split('-');
    let (Some(time), Some(number), Some(hex), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_hex = hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    (time.len() == 15 && number.len() == 9 && digits(time) && digits(number) && is_hex).then(|| number.parse().ok())?
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
