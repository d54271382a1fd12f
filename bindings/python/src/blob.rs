//! What is signed as it is: bytes, a file, or a stream.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::{Error, Result, verifier};

/// Bytes, the path of a file, or an object with `read`.
#[derive(FromPyObject)]
pub(crate) enum Content {
    Bytes(PyBackedBytes),
    File(PathBuf),
    Stream(Py<PyAny>),
}

/// A digest such as `sha256:<hex>`, or what has it.
#[derive(FromPyObject)]
pub(crate) enum Blob {
    Digest(String),
    Content(Content),
}

impl Content {
    pub(crate) fn reader(self) -> Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Self::File(path) => Box::new(File::open(&path).map_err(|e| Error::io("read file", &path, e))?),
            Self::Stream(stream) => Box::new(Stream(stream)),
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

/// An object with `read`, as binary files have it.
struct Stream(Py<PyAny>);

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Python::attach(|py| {
            let read = self.0.bind(py).call_method1("read", (buffer.len(),))?;
            let bytes: PyBackedBytes = read.extract().map_err(PyErr::from)?;
            let into = buffer.get_mut(..bytes.len()).ok_or_else(|| io::Error::other("`read` gave more than asked"))?;
            into.copy_from_slice(&bytes);
            Ok(bytes.len())
        })
    }
}
