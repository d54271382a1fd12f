//! Files of a ledger as streams.

use std::io::Read as _;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};
use sealwright::{Error, ErrorKind, ledger};

use crate::error::run;

/// Bytes of a piece that is given out.
const PIECE: u64 = 256 * 1024;

/// A file of a ledger, read in pieces like a binary file, and checked at its end.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct AttachmentReader {
    /// Bytes of the file.
    #[pyo3(get)]
    size: u64,
    reader: Mutex<ledger::AttachmentReader>,
}

impl AttachmentReader {
    pub(crate) fn of(reader: ledger::AttachmentReader) -> Self {
        Self { size: reader.size(), reader: Mutex::new(reader) }
    }

    fn piece<'py>(&self, py: Python<'py>, most: u64) -> PyResult<Bound<'py, PyBytes>> {
        let piece = run(py, || {
            let mut piece = Vec::new();
            let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            reader.by_ref().take(most).read_to_end(&mut piece).map_err(|e| match e.downcast::<Error>() {
                Ok(changed) => changed,
                Err(e) => Error::new(ErrorKind::Io, format!("the attachment could not be read: {e}")).caused_by(e),
            })?;
            Ok(piece)
        })?;
        Ok(PyBytes::new(py, &piece))
    }
}

#[pymethods]
impl AttachmentReader {
    /// At most `size` bytes, or all that is left; none at the end. A file that was changed raises `LedgerError` there.
    #[pyo3(signature = (size=-1), text_signature = "($self, size=-1)")]
    fn read<'py>(&self, py: Python<'py>, size: i64) -> PyResult<Bound<'py, PyBytes>> {
        self.piece(py, u64::try_from(size).unwrap_or(u64::MAX))
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let piece = self.piece(py, PIECE)?;
        Ok(if piece.as_bytes().is_empty() { None } else { Some(piece) })
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, PyTuple>) {}
}
