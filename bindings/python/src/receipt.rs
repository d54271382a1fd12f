//! Receipts.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::ledger::{self, ReceiptDemand};

use crate::data;
use crate::error::run;
use crate::ledger::log_keys;

/// Proof that a record is in a ledger. Given by a ledger; one that is parsed is a claim until it is checked.
#[pyclass(frozen, eq, module = "sealwright")]
#[derive(PartialEq)]
pub(crate) struct Receipt(pub(crate) ledger::Receipt);

#[pymethods]
impl Receipt {
    /// Reads a receipt as `ledger prove` writes it, and as the JSON of `to_dict`.
    #[staticmethod]
    fn parse(py: Python<'_>, receipt: PyBackedBytes) -> PyResult<Self> {
        run(py, || ledger::Receipt::from_json(&receipt)).map(Self)
    }

    /// Index of the entry, from 0.
    #[getter]
    fn index(&self) -> u64 {
        self.0.index
    }

    /// Whether the record was in the ledger before.
    #[getter]
    fn already_there(&self) -> bool {
        self.0.already_there
    }

    /// The receipt as data: `index`, `entry`, `salt`, `proof` (C2SP tlog-proof), `alreadyThere`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0)
    }

    /// Verifies that `record` is in the ledger of `log_key`, a C2SP verifier key, without the ledger.
    ///
    /// `rotations` are the notes by which that key was replaced, the oldest first; `witnesses` the C2SP verifier keys of
    /// those who must have cosigned the checkpoint, and `quorum` how many of them (all, if it is not said). Gives `index`,
    /// `origin`, `size`, `root` and `cosignatures`.
    #[pyo3(
        signature = (record, **demand),
        text_signature = "($self, record, *, log_key, rotations=None, witnesses=None, quorum=None)"
    )]
    fn check<'py>(
        &self,
        py: Python<'py>,
        record: PyBackedBytes,
        demand: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let demand = data::json_of_options(py, demand)?;
        data::write(py, &run(py, || self.0.check(&record, &ReceiptDemand::from_json(&demand)?))?)
    }

    /// Verifies that `record` is in the ledger whose checkpoints `log_key` signs, or a key that replaced it by the notes
    /// `rotations`; returns nothing, or raises.
    #[pyo3(signature = (record, log_key, *, rotations=vec![]))]
    fn verify(&self, py: Python<'_>, record: PyBackedBytes, log_key: &str, rotations: Vec<String>) -> PyResult<()> {
        run(py, || self.0.verify_with(&record, &log_keys(log_key, &rotations)?).map(drop))
    }
}
