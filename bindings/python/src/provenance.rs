//! Builds and verification summaries: what is demanded of them, and written from what was checked.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealwright::provenance::{self, Build, ProvenanceExpectation, SummaryExpectation};

use crate::data;
use crate::error::run;
use crate::record::{Statement, Verified};

/// A build that is what was demanded. Made only by checking.
#[pyclass(frozen, module = "sealwright.provenance")]
pub(crate) struct Checked(provenance::Checked);

/// Proof that two builds of one commit made the same artifacts. Made only by comparing them.
#[pyclass(frozen, module = "sealwright.provenance")]
pub(crate) struct Reproduction(provenance::Reproduction);

#[pymethods]
impl Checked {
    /// `build`, `provenance` (digest of its payload) and `findings`, which are worth knowing and decide nothing.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0)
    }

    /// The predicate of a verification summary (SLSA VSA) that says so. `policy` is a ResourceDescriptor with a `uri`.
    #[pyo3(signature = (*, verifier_id, resource_uri, policy, levels, now=None))]
    fn summary<'py>(
        &self,
        py: Python<'py>,
        verifier_id: &str,
        resource_uri: &str,
        policy: &Bound<'py, PyAny>,
        levels: Vec<String>,
        now: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (policy, now) = (data::read("policy", policy)?, data::now(py, now)?);
        data::write(py, &run(py, || self.0.summary(verifier_id, resource_uri, policy, &levels, now))?)
    }
}

#[pymethods]
impl Reproduction {
    /// `artifacts`, `builders` and `provenance` (digests of the payloads).
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0)
    }

    /// As `Checked.summary`, with the property that the artifacts were reproduced.
    #[pyo3(signature = (*, verifier_id, resource_uri, policy, levels, now=None))]
    fn summary<'py>(
        &self,
        py: Python<'py>,
        verifier_id: &str,
        resource_uri: &str,
        policy: &Bound<'py, PyAny>,
        levels: Vec<String>,
        now: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (policy, now) = (data::read("policy", policy)?, data::now(py, now)?);
        data::write(py, &run(py, || self.0.summary(verifier_id, resource_uri, policy, &levels, now))?)
    }
}

/// Checks the build that a verified record tells of (SLSA provenance v1, v0.2 or v0.1).
#[pyfunction]
#[pyo3(
    signature = (record, **expectation),
    text_signature = "(record, *, builders=None, source_uri=None, source_commit=None, source_branch=None, \
                      source_tag=None, source_versioned_tag=None, trigger=None, runner_environment=None, \
                      build_types=None, workflow_inputs=None, parameters=None, allowed_parameters=None, \
                      dependency_sources=None, base_images=None, environment_images=None, refuse_tags=None, \
                      image_tag=None)"
)]
pub(crate) fn provenance_check(
    py: Python<'_>,
    record: &Verified,
    expectation: Option<&Bound<'_, PyDict>>,
) -> PyResult<Checked> {
    let expectation = data::json_of_options(py, expectation)?;
    run(py, || ProvenanceExpectation::from_json(&expectation)?.check(&record.0)).map(Checked)
}

/// Checks a verified verification summary (SLSA VSA), and gives its predicate.
#[pyfunction]
#[pyo3(
    signature = (record, **expectation),
    text_signature = "(record, *, verifier_id=None, resource_uri=None, policy_uri=None, levels=None, \
                      dependency_level=None, subjects=None, verified_from=None, verified_until=None, key_id=None)"
)]
pub(crate) fn provenance_check_summary<'py>(
    py: Python<'py>,
    record: &Verified,
    expectation: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let expectation = data::json_of_options(py, expectation)?;
    data::write(py, &run(py, || SummaryExpectation::from_json(&expectation)?.check(&record.0))?)
}

/// The build that a Statement tells of, with nothing demanded.
#[pyfunction]
pub(crate) fn provenance_build<'py>(py: Python<'py>, statement: &Statement) -> PyResult<Bound<'py, PyAny>> {
    data::write(py, &run(py, || Build::of(&statement.0))?)
}

/// Checks that two verified provenances tell of two builds of one commit that made the same artifacts.
#[pyfunction]
pub(crate) fn provenance_reproduced(py: Python<'_>, first: &Verified, second: &Verified) -> PyResult<Reproduction> {
    run(py, || provenance::reproduced(&first.0, &second.0)).map(Reproduction)
}

/// Checks that a verified SCAI record claims `BUILD_ISOLATED` about an artifact of this build; returns nothing, or raises.
#[pyfunction]
pub(crate) fn provenance_isolated(py: Python<'_>, provenance: &Verified, claim: &Verified) -> PyResult<()> {
    run(py, || provenance::isolated(&provenance.0, &claim.0))
}
