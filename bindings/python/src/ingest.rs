//! Reports of tools, platforms and logs as Statements, and the search for what must not be signed.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::guard::Guard;
use sealwright::ingest;

use crate::data;
use crate::error::run;
use crate::record::Statement;

/// What was made of a report.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Ingested(ingest::Ingested);

#[pymethods]
impl Ingested {
    /// Name of the format that it was read as.
    #[getter]
    fn format(&self) -> &str {
        self.0.format
    }

    /// What the report says, ready to be signed.
    #[getter]
    fn statements(&self) -> Vec<Statement> {
        self.0.statements.iter().cloned().map(Statement).collect()
    }

    /// The report itself, by digest.
    #[getter]
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.report)
    }

    /// Whether the report may hold secrets, so that nothing but its digest may be kept.
    #[getter]
    fn holds_secrets(&self) -> bool {
        self.0.holds_secrets
    }
}

/// Reads a report, and makes statements of it. `told` says what the report does not.
#[pyfunction]
#[pyo3(signature = (report, told=None, *, now=None))]
pub(crate) fn ingest_read(
    py: Python<'_>,
    report: PyBackedBytes,
    told: Option<&Bound<'_, PyDict>>,
    now: Option<&str>,
) -> PyResult<Ingested> {
    let (told, now) = (told_of(told)?, data::now(py, now)?);
    run(py, || ingest::read(&report, &ingest::Told::from_json(&told)?, now)).map(Ingested)
}

/// As `read`, of a file; a log of one entry a line is never held in memory.
#[pyfunction]
#[pyo3(signature = (path, told=None, *, now=None))]
pub(crate) fn ingest_read_file(
    py: Python<'_>,
    path: PathBuf,
    told: Option<&Bound<'_, PyDict>>,
    now: Option<&str>,
) -> PyResult<Ingested> {
    let (told, now) = (told_of(told)?, data::now(py, now)?);
    run(py, || ingest::read_file(&path, &ingest::Told::from_json(&told)?, now)).map(Ingested)
}

fn told_of(told: Option<&Bound<'_, PyDict>>) -> PyResult<Vec<u8>> {
    told.map_or_else(|| Ok(b"{}".to_vec()), |told| data::json_of(told))
}

/// Every format that is read: its name, what it is recognised by, what it says and becomes.
#[pyfunction]
pub(crate) fn ingest_formats(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &ingest::FORMATS)
}

/// Searches text for secrets and data of people: rule, class and place of each finding, never the value. `rules` are rules of
/// one's own, as JSON.
#[pyfunction]
#[pyo3(signature = (text, rules=None))]
pub(crate) fn guard_text<'py>(
    py: Python<'py>,
    text: &str,
    rules: Option<PyBackedBytes>,
) -> PyResult<Bound<'py, PyAny>> {
    let found = run(py, || {
        let guard = rules.iter().try_fold(Guard::built_in(), |guard, rules| guard.with_rules(rules))?;
        Ok(guard.text(text))
    })?;
    data::write(py, &found)
}
