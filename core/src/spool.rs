//! A spool: a folder of signed records that wait to be appended, for runners that have no network.
//!
//! ```text
//! waiting/<time>-<number>-<sha256>.json    records, oldest first
//! receipts/<sha256>.json                   receipts of those that were appended
//! refused/<name>                           records that no ledger took, each with <name>.reason.json
//! ```
//!
//! A file is whole or not there. A record leaves `waiting` only when its receipt or the reason of its refusal is on
//! disk, so sending can be cut short at any moment and made again: the ledger appends a record once.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::bundle::Bundle;
use crate::digest::Digest;
use crate::error::{Error, ErrorClass, ErrorKind, Result};
use crate::ledger::{Ledger, Receipt};
use crate::timestamp::Timestamp;
use crate::{json, limits};

/// A folder of records that wait.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
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
        Self { folder: folder.into() }
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
        let folder = self.folder.join(WAITING);
        let failed = |e| Error::io("read folder", &folder, e);
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            // what is not named by us is not read, and a link is not followed
            let is_file = entry.file_type().is_ok_and(|t| t.is_file());
            if let Some(name) = entry.file_name().to_str().filter(|name| is_file && number(name).is_some()) {
                names.push(name.to_owned());
            }
            if names.len() > limits::SPOOLED_RECORDS {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("over {} records wait in `{}`", limits::SPOOLED_RECORDS, folder.display()),
                ));
            }
        }
        names.sort();
        Ok(names)
    }

    /// Sends all that waits to a ledger that takes appends, as [`Spool::send`] does.
    ///
    /// # Errors
    /// As [`Spool::send`].
    pub fn send_to(&self, ledger: &mut Ledger, now: Timestamp) -> Result<Sent> {
        self.send(|record| {
            let verified = ledger.verify(record, now)?;
            ledger.append(&verified, now)
        })
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
                            "the record is not the one its file is named by",
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
                Err(e) if is_about_the_record(&e) => {
                    let aside = self.folder.join(REFUSED).join(&name);
                    let reason = Reason::of(&e);
                    write(&with_suffix(&aside, ".reason.json"), &json::canonical("reason", &reason)?)?;
                    match std::fs::rename(&path, &aside) {
                        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                            return Err(Error::io("put aside", &path, e));
                        }
                        _ => sent.refused.push((name, e)),
                    }
                }
                Err(e) => {
                    sent.stopped = Some(e);
                    break;
                }
            }
        }
        Ok(sent)
    }
}

/// Whether a record would be refused again for what it is, however often it is sent.
fn is_about_the_record(e: &Error) -> bool {
    match e.kind() {
        ErrorKind::AppendRefused | ErrorKind::PermitRefused | ErrorKind::AlreadyExists => true,
        ErrorKind::Malformed | ErrorKind::LimitExceeded | ErrorKind::Unsupported => true,
        kind => kind.class() == ErrorClass::VerificationFailed,
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

/// Writes a file of which several processes may write the same at once: whole, on disk, then under its name.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|e| Error::io("make folder", folder, e))?;
    let mut own = [0; 8];
    rand::fill(&mut own).map_err(|_| Error::new(ErrorKind::Internal, "the system gave no random bytes"))?;
    let unfinished = folder.join(format!(".unfinished-{}", hex::encode(own)));
    let written = File::options()
        .write(true)
        .create_new(true)
        .open(&unfinished)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&unfinished, path));
    if let Err(e) = written {
        let _ = std::fs::remove_file(&unfinished);
        return Err(Error::io("write", path, e));
    }
    sync(folder)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, e)),
        _ => path.parent().map_or(Ok(()), sync),
    }
}

/// Brings the names in a folder to disk, where the system can.
fn sync(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io("sync folder", folder, e))?;
    }
    Ok(())
}
