//! What is signed as it is: bytes or a file.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use napi::bindgen_prelude::{Either, Either3, Uint8Array};
use napi_derive::napi;
use sealwright::{Error, Result, verifier};

/// A file, by its path.
#[napi(object)]
pub struct BlobFile {
    /// The path.
    pub path: String,
}

/// Bytes, or a file.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    File(String),
}

/// A digest such as `sha256:<hex>`, or what has it.
pub(crate) enum Blob {
    Digest(String),
    Content(Content),
}

impl From<Either<Uint8Array, BlobFile>> for Content {
    fn from(given: Either<Uint8Array, BlobFile>) -> Self {
        match given {
            Either::A(bytes) => Self::Bytes(bytes.to_vec()),
            Either::B(file) => Self::File(file.path),
        }
    }
}

impl From<Either3<String, Uint8Array, BlobFile>> for Blob {
    fn from(given: Either3<String, Uint8Array, BlobFile>) -> Self {
        match given {
            Either3::A(digest) => Self::Digest(digest),
            Either3::B(bytes) => Self::Content(Content::Bytes(bytes.to_vec())),
            Either3::C(file) => Self::Content(Content::File(file.path)),
        }
    }
}

impl Content {
    /// Keeps it in a ledger; gives its digest.
    pub(crate) fn attach(self, ledger: &sealwright::ledger::Ledger) -> Result<String> {
        let kept = match self {
            Self::Bytes(bytes) => ledger.attach(&bytes),
            Self::File(path) => ledger.attach_file(Path::new(&path)),
        };
        kept.map(|digest| digest.to_string())
    }

    /// Keeps it in a spool; gives its digest.
    pub(crate) fn attach_to(self, spool: &sealwright::spool::Spool) -> Result<String> {
        let kept = match self {
            Self::Bytes(bytes) => spool.attach(bytes.as_slice()),
            Self::File(path) => spool.attach_file(Path::new(&path)),
        };
        kept.map(|digest| digest.to_string())
    }

    pub(crate) fn reader(self) -> Result<Box<dyn Read>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Self::File(path) => Box::new(File::open(&path).map_err(|e| Error::io("read file", Path::new(&path), e))?),
        })
    }
}

impl Blob {
    /// Does work of the core on it.
    pub(crate) fn work<T>(self, work: impl FnOnce(verifier::Blob<'_>) -> Result<T>) -> Result<T> {
        match self {
            Self::Digest(digest) => work(verifier::Blob::Digest(digest.parse()?)),
            Self::Content(Content::Bytes(bytes)) => work(verifier::Blob::Bytes(&bytes)),
            Self::Content(content) => work(verifier::Blob::Reader(&mut content.reader()?)),
        }
    }
}
