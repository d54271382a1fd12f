//! Digests of bytes, files and folders.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::digest::{Algorithm, Digest, DigestSet};

use crate::data;
use crate::error::run;

/// SHA-256 of bytes, as `sha256:<hex>`.
#[pyfunction]
pub(crate) fn digest_bytes(py: Python<'_>, data: PyBackedBytes) -> String {
    py.detach(|| Digest::sha256(&data).to_string())
}

/// SHA-256 of a file, as `sha256:<hex>`.
#[pyfunction]
pub(crate) fn digest_file(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    run(py, || Digest::of_file(&path).map(|d| d.to_string()))
}

/// The `dirHash1` of a folder, as a DigestSet.
#[pyfunction]
pub(crate) fn digest_folder(py: Python<'_>, path: PathBuf) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || DigestSet::of_folder(&path))?)
}

/// The digests of a file by several algorithms in one pass, as a DigestSet.
#[pyfunction]
pub(crate) fn digest_set(py: Python<'_>, path: PathBuf, algorithms: Vec<String>) -> PyResult<Bound<'_, PyAny>> {
    let digests = run(py, || {
        let algorithms = algorithms.iter().map(|name| name.parse()).collect::<Result<Vec<Algorithm>, _>>()?;
        DigestSet::of_file(&path, &algorithms)
    })?;
    data::write(py, &digests)
}

/// Reads a digest such as `sha256:<hex>`, and gives it as a DigestSet.
#[pyfunction]
pub(crate) fn parse_digest<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    data::write(py, &DigestSet::from(run(py, || text.parse::<Digest>())?))
}
