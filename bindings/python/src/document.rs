//! Documents that others read and write: test reports and evidence packs.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::ingest::junit;
use sealwright::pack::{self, PackDemand};

use crate::data;
use crate::error::run;
use crate::ledger::Ledger;
use crate::signer::AnySigner;

/// Reads a JUnit XML report.
#[pyfunction]
pub(crate) fn junit_read(py: Python<'_>, report: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || junit::read(&report))?)
}

/// Writes the evidence pack of a release to `folder`, which must be new or empty. `key` signs its manifest.
///
/// Gives `packId`, `manifest` (its SHA-256), `statement`, `record` (the signed statement, as text) and `files`.
#[pyfunction]
#[pyo3(
    signature = (ledger, key, folder, *, now=None, **request),
    text_signature = "(ledger, key, folder, *, release_id, requested_by, requested_at, title=None, now=None)"
)]
pub(crate) fn pack_build<'py>(
    py: Python<'py>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    folder: PathBuf,
    now: Option<&str>,
    request: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let key = key.get();
    let (request, now) = (data::read_options(py, "pack request", request)?, data::now(py, now)?);
    data::write(py, &ledger.run(py, |ledger| pack::build(ledger, &request, &folder, key, now))?)
}

/// Verifies the pack in `folder` against what is known from elsewhere.
///
/// `signers` is the path of a SIGNERS file, `log_key` the `PUBLIC KEY` PEM text of the ledger, `min_checkpoint` a signed
/// note the ledger must extend, `trust_policy` the payload digest of its first version, `witnesses` the C2SP verifier keys
/// of those who must have cosigned the checkpoint, and `quorum` how many of them (all, if it is not said).
#[pyfunction]
#[pyo3(
    signature = (folder, **demand),
    text_signature = "(folder, *, signers, log_key, min_checkpoint=None, trust_policy=None, witnesses=None, \
                      quorum=None)"
)]
pub(crate) fn pack_verify<'py>(
    py: Python<'py>,
    folder: PathBuf,
    demand: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let demand = data::json_of_options(py, demand)?;
    data::write(py, &run(py, || pack::verify(&folder, &PackDemand::from_json(&demand)?))?)
}
