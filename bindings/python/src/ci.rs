//! Provenance from what a CI system says.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::ci::{self, CiRun, CiSystem};

use crate::data;
use crate::error::run;

/// The predicate of SLSA provenance v1 of the build that this runs in, from what `system` says: its name, or `auto`.
///
/// `environment` is that of this process unless another one is given, `systems` describes more systems in TOML.
#[pyfunction]
#[pyo3(
    signature = (system, *, environment=None, systems=None, now=None, **build),
    text_signature = "(system, *, environment=None, systems=None, started=None, finished=None, parameters=None, \
                      dependencies=None, now=None)"
)]
pub(crate) fn ci_provenance<'py>(
    py: Python<'py>,
    system: &str,
    environment: Option<&Bound<'py, PyAny>>,
    systems: Option<Vec<PyBackedBytes>>,
    now: Option<&str>,
    build: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (environment, build) = (data::environment(py, environment)?, data::json_of_options(py, build)?);
    let now = data::now(py, now)?;
    let provenance = run(py, || {
        let more = systems.iter().flatten().map(|toml| CiSystem::parse(toml)).collect::<Result<Vec<_>, _>>()?;
        ci::system(system, &environment, more)?.provenance(&environment, &CiRun::from_json(&build, now)?)
    })?;
    data::write(py, &provenance)
}

/// The predicate of SLSA provenance v1 of a build on a machine that is no CI system. `source` is a ResourceDescriptor with
/// a `uri` and a digest.
#[pyfunction]
#[pyo3(
    signature = (builder_id, source, *, now=None, **build),
    text_signature = "(builder_id, source, *, started=None, finished=None, parameters=None, dependencies=None, now=None)"
)]
pub(crate) fn ci_plain_machine<'py>(
    py: Python<'py>,
    builder_id: &str,
    source: &Bound<'py, PyAny>,
    now: Option<&str>,
    build: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (source, build) = (data::read("source", source)?, data::json_of_options(py, build)?);
    let now = data::now(py, now)?;
    data::write(py, &run(py, || ci::plain_machine(builder_id, source, &CiRun::from_json(&build, now)?))?)
}
