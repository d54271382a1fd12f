//! Attachments: files that records name by their SHA-256, of any length.

use std::io::Read;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::Ledger;
use super::service::Attachment;
use super::storage::{Content, Upload};
use super::store::ATTACHMENTS;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

impl Ledger {
    /// Keeps a file that records name by its SHA-256, such as a raw report or a policy bundle.
    ///
    /// # Errors
    /// As [`Ledger::attach_stream`].
    pub fn attach(&self, bytes: &[u8]) -> Result<Digest> {
        let digest = Digest::sha256(bytes);
        if let Some(service) = self.store.storage().service() {
            service.attach(&digest, &Attachment::Bytes(bytes))?;
            return Ok(digest);
        }
        if self.has_whole(&digest)? {
            return Ok(digest);
        }
        self.attach_stream(bytes)
    }

    /// Keeps the file at `path`, as [`Ledger::attach_stream`] does.
    ///
    /// # Errors
    /// As [`Ledger::attach_stream`]; `NOT_FOUND` if there is no such file.
    pub fn attach_file(&self, path: &Path) -> Result<Digest> {
        if let Some(service) = self.store.storage().service() {
            let digest = Digest::of_file(path)?;
            service.attach(&digest, &Attachment::File(path))?;
            return Ok(digest);
        }
        let file = limits::open_file("a file", path)?;
        let digest = Digest::of_file(path)?;
        if self.has_whole(&digest)? {
            return Ok(digest);
        }
        self.attach_stream(file)
    }

    /// Whether an attachment is there as it must be, in a ledger that was not moved away.
    fn has_whole(&self, digest: &Digest) -> Result<bool> {
        self.check_here()?;
        Ok(self.attachment_stream(digest).and_then(AttachmentReader::check).is_ok())
    }

    /// Keeps a file of any length that records name by its SHA-256. It is read once, to its end, and never held in
    /// memory as a whole.
    ///
    /// # Errors
    /// `LEDGER_BUSY`, `APPEND_REFUSED` if the ledger was moved, `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`, also if `content`
    /// can't be read. Nothing is kept then.
    pub fn attach_stream(&self, content: impl Read) -> Result<Digest> {
        let storage = self.store.shared();
        let mut upload = Attached { content, hasher: Sha256::new() };
        let mut right = storage.acquire(self.patience)?;
        // as it is now: it may have been moved since this handle looked
        self.check_here()?;
        right.keep(&mut upload)?;
        upload.digest()
    }

    /// The policy bundle of this digest, kept as an attachment.
    ///
    /// # Errors
    /// As [`Ledger::attachment`].
    pub fn policy_bundle(&self, digest: &Digest) -> Result<Vec<u8>> {
        self.attachment(digest).map_err(|e| e.while_doing("policy bundle"))
    }

    /// A file kept by [`Ledger::attach`], checked against its digest.
    ///
    /// # Errors
    /// `NOT_FOUND` if it was never attached, `LEDGER_TAMPERED` if its bytes changed, `LIMIT_EXCEEDED` over 1 GiB, which
    /// [`Ledger::attachment_stream`] reads.
    pub fn attachment(&self, digest: &Digest) -> Result<Vec<u8>> {
        let bytes = self.store.read(&attachment_name(digest), limits::ATTACHMENT_BYTES)?;
        if Digest::sha256(&bytes).bytes() != digest.bytes() {
            return Err(changed(digest));
        }
        Ok(bytes)
    }

    /// A file kept by [`Ledger::attach`], of any length. Nothing of it is proven before it was read to its end, where
    /// the last read fails if its bytes changed.
    ///
    /// # Errors
    /// `NOT_FOUND` if it was never attached; `PERMISSION_DENIED` or `IO`.
    pub fn attachment_stream(&self, digest: &Digest) -> Result<AttachmentReader> {
        let content = self.store.storage().stream(&attachment_name(digest))?;
        Ok(AttachmentReader { content, hasher: Sha256::new(), digest: digest.clone() })
    }
}

/// A file of a ledger, read to its end and checked there.
pub struct AttachmentReader {
    content: Content,
    hasher: Sha256,
    digest: Digest,
}

impl AttachmentReader {
    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        self.content.size
    }

    /// Reads what is left of it, and checks the whole.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if its bytes are not those its digest says, `IO` if it can't be read.
    pub fn check(mut self) -> Result<()> {
        std::io::copy(&mut self, &mut std::io::sink()).map(|_| ()).map_err(|e| match e.downcast::<Error>() {
            Ok(tampered) => tampered,
            Err(e) => Error::new(ErrorKind::Io, format!("the attachment could not be read: {e}")).caused_by(e),
        })
    }
}

impl Read for AttachmentReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.content.bytes.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        if read == 0 && !buffer.is_empty() && self.hasher.clone().finalize()[..] != *self.digest.bytes() {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, changed(&self.digest)));
        }
        Ok(read)
    }
}

impl std::fmt::Debug for AttachmentReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AttachmentReader").field("digest", &self.digest).finish_non_exhaustive()
    }
}

/// A stream on its way into the ledger, hashed as it passes.
struct Attached<R> {
    content: R,
    hasher: Sha256,
}

impl<R> Attached<R> {
    fn digest(&self) -> Result<Digest> {
        Digest::new(Algorithm::Sha256, self.hasher.clone().finalize().to_vec())
    }
}

impl<R: Read> Read for Attached<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl<R: Read> Upload for Attached<R> {
    fn name(&self) -> String {
        format!("{ATTACHMENTS}/{}", hex::encode(self.hasher.clone().finalize()))
    }
}

fn attachment_name(digest: &Digest) -> String {
    format!("{ATTACHMENTS}/{}", digest.hex())
}

fn changed(digest: &Digest) -> Error {
    Error::new(
        ErrorKind::LedgerTampered,
        format!("the attachment `{digest}` is not what its name says; restore it from a copy"),
    )
}
