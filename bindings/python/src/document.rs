//! Documents that others read and write: SBOMs and test reports.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::ingest::junit;
use sealwright::sbom;

use crate::data;
use crate::error::run;

/// Makes one CycloneDX 1.6 BOM of all lock files below `root`.
#[pyfunction]
#[pyo3(
    signature = (root, **options),
    text_signature = "(root, *, name=None, version=None, purl=None, bom_ref=None, timestamp=None, cargo_home=None)"
)]
pub(crate) fn sbom_generate<'py>(
    py: Python<'py>,
    root: PathBuf,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = data::read_options(py, "options", options)?;
    data::write(py, &run(py, || sbom::generate(&root, &options))?)
}

/// Every fault of a CycloneDX 1.6 JSON document, the first 100 at most; none means valid.
#[pyfunction]
pub(crate) fn sbom_validate(py: Python<'_>, document: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || sbom::validate(&document))?)
}

/// The view of a CycloneDX JSON document that policies look at.
#[pyfunction]
pub(crate) fn sbom_read(py: Python<'_>, document: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || sbom::read(&document))?)
}

/// Reads a JUnit XML report.
#[pyfunction]
pub(crate) fn junit_read(py: Python<'_>, report: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &run(py, || junit::read(&report))?)
}
