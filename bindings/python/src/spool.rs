//! Records that wait for a network.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::spool;

use crate::blob::Content;
use crate::data;
use crate::error::run;
use crate::ledger::Ledger;

/// A folder of signed records that wait to be appended, for runners without a network.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Spool(spool::Spool);

#[pymethods]
impl Spool {
    /// The spool in `folder`, which is made when a first record is added.
    #[new]
    fn new(folder: PathBuf) -> Self {
        Self(spool::Spool::in_folder(folder))
    }

    /// Adds a record, on disk when this returns; gives its path. Its form is looked at, not its signature.
    #[pyo3(signature = (record, *, now=None))]
    fn add(&self, py: Python<'_>, record: PyBackedBytes, now: Option<&str>) -> PyResult<String> {
        let now = data::now(py, now)?;
        run(py, || self.0.add(&record, now).map(|path| path.display().to_string()))
    }

    /// Keeps what records name by its SHA-256, which is returned: bytes, a path, or a binary file, of any length; on disk
    /// when this returns. Attach it before the records that name it are added.
    fn attach(&self, py: Python<'_>, content: Content) -> PyResult<String> {
        let kept = run(py, || match content {
            Content::File(path) => self.0.attach_file(&path),
            other => self.0.attach(other.reader()?),
        });
        kept.map(|digest| digest.to_string())
    }

    /// Names of the records that wait, oldest first.
    fn waiting(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        run(py, || self.0.waiting())
    }

    /// SHA-256 of the attachments that wait.
    fn attachments(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        run(py, || Ok(self.0.attachments()?.iter().map(ToString::to_string).collect()))
    }

    /// Sends what waits to a ledger, attachments before records, and these oldest first: `delivered`, `refused` with the
    /// reason and put aside, and, if something else ended it, `stopped`.
    #[pyo3(signature = (ledger, *, now=None))]
    fn send<'py>(&self, py: Python<'py>, ledger: &Ledger, now: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let now = data::now(py, now)?;
        data::write(py, &ledger.run(py, |ledger| self.0.send_to(ledger, now))?)
    }
}
