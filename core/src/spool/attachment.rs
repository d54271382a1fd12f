//! Files that records of a spool name by their SHA-256.

use std::io::Read;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::file::{Unfinished, names, remove};
use super::{Spool, may_pass};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

const ATTACHMENTS: &str = "attachments";

/// What became of the attachments of a spool.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Attached {
    /// Those that are in the ledger now.
    pub delivered: Vec<Digest>,
    /// Those that were put aside, by their file's name in `refused`, with the reason.
    pub refused: Vec<(String, Error)>,
    /// What ended the sending before its end; the attachments from there on still wait.
    pub stopped: Option<Error>,
}

impl Spool {
    /// Keeps a file that records name by its SHA-256, such as a raw report, streamed and on disk when this returns. Attach
    /// it before the records that name it are added, so that they never wait without it.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if too many wait; `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`, also if `content` can't be read.
    /// Nothing is kept then.
    pub fn attach(&self, content: impl Read) -> Result<Digest> {
        let folder = self.folder.join(ATTACHMENTS);
        if self.attachments()?.len() >= limits::SPOOLED_RECORDS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("{} files wait in `{}`; send them first", limits::SPOOLED_RECORDS, folder.display()),
            ));
        }
        let mut file = Unfinished::new(&folder)?;
        let mut content = Hashed { content, hasher: Sha256::new() };
        file.fill(&mut content)?;
        let digest = Digest::new(Algorithm::Sha256, content.hasher.finalize().to_vec())?;
        file.name(&folder.join(digest.hex()))?;
        Ok(digest)
    }

    /// As [`Spool::attach`], of the file at `path`.
    ///
    /// # Errors
    /// As [`Spool::attach`]; `NOT_FOUND` if there is no such file, `MALFORMED` if it is a folder, a pipe or a socket.
    pub fn attach_file(&self, path: &Path) -> Result<Digest> {
        self.attach(limits::open_file("a file", path)?)
    }

    /// Attachments that wait.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if there are too many; `PERMISSION_DENIED` or `IO`.
    pub fn attachments(&self) -> Result<Vec<Digest>> {
        let of = |name: &str| Digest::from_hex(Algorithm::Sha256, name).ok().filter(|d| d.hex() == name);
        let names = names(&self.folder.join(ATTACHMENTS), limits::SPOOLED_RECORDS, |name| of(name).is_some())?;
        Ok(names.iter().filter_map(|name| of(name)).collect())
    }

    /// Gives the path of each attachment that waits to `deliver`, which keeps the file and gives its digest. Send them
    /// before the records ([`Spool::send`]), and the records only if nothing stopped this.
    ///
    /// # Errors
    /// As [`Spool::send`].
    pub fn send_attachments(&self, mut deliver: impl FnMut(&Path) -> Result<Digest>) -> Result<Attached> {
        let mut sent = Attached::default();
        for digest in self.attachments()? {
            let path = self.folder.join(ATTACHMENTS).join(digest.hex());
            let is_it = |found: &Digest| if *found == digest { Ok(()) } else { Err(another()) };
            let delivered = self
                .check_length(&path)
                .and_then(|()| is_it(&Digest::of_file(&path)?))
                .and_then(|()| is_it(&deliver(&path)?));
            match delivered {
                Ok(()) => {
                    remove(&path)?;
                    sent.delivered.push(digest);
                }
                // another process sent it meanwhile
                Err(e) if e.kind() == ErrorKind::NotFound && !path.exists() => {}
                Err(e) if !may_pass(&e) => sent.refused.push(self.put_aside(&path, &digest.hex(), e)?),
                Err(e) => {
                    sent.stopped = Some(e);
                    break;
                }
            }
        }
        Ok(sent)
    }

    /// Refuses a file that is too long before it is read.
    fn check_length(&self, path: &Path) -> Result<()> {
        let length = std::fs::metadata(path).map_err(|e| Error::io("read", path, e))?.len();
        if length <= self.longest {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("an attachment here has at most {} bytes, and this one {length}; keep it elsewhere", self.longest),
        )
        .with("limit", self.longest))
    }
}

fn another() -> Error {
    Error::new(ErrorKind::DigestMismatch, "the file is not the one it is named by; have whoever made it add it again")
}

/// A stream that is hashed as it passes.
struct Hashed<R> {
    content: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
