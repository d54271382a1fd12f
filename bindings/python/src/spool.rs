//! Records that wait for a network.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::spool;

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

    /// Names of the records that wait, oldest first.
    fn waiting(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        run(py, || self.0.waiting())
    }

    /// Appends what waits to a ledger, oldest first: `delivered`, `refused` with the reason and put aside, and, if something
    /// else ended it, `stopped`.
    #[pyo3(signature = (ledger, *, now=None))]
    fn send<'py>(&self, py: Python<'py>, ledger: &Ledger, now: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let now = data::now(py, now)?;
        data::write(py, &ledger.run(py, |ledger| self.0.send_to(ledger, now))?)
    }
}
