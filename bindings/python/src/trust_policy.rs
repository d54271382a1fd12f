//! Building the trust policy of a ledger.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::policy::PolicyBundle;
use sealwright::{gate, policy, trust_policy};

use crate::data;
use crate::error::run;
use crate::key::PublicKey;
use crate::record::Statement;

/// The Statement of a trust policy, ready to be signed by its admins.
#[pyfunction]
pub(crate) fn trust_policy_statement(py: Python<'_>, policy: &Bound<'_, PyAny>) -> PyResult<Statement> {
    let policy = data::read("trust policy", policy)?;
    run(py, || trust_policy::statement(&policy)).map(Statement)
}

/// How a trust policy carries the public key of a signer.
#[pyfunction]
pub(crate) fn key_descriptor<'py>(py: Python<'py>, key: &PublicKey) -> PyResult<Bound<'py, PyAny>> {
    data::write(py, &trust_policy::key_descriptor(&key.0))
}

/// The policy bundle for a first ledger on one machine. Attach it to the ledger whose trust policy pins it.
#[pyfunction]
pub(crate) fn starter_bundle(py: Python<'_>) -> PyResult<Vec<u8>> {
    run(py, policy::starter_bundle)
}

/// How records name a policy bundle that is attached to their ledger.
#[pyfunction]
pub(crate) fn policy_descriptor(py: Python<'_>, bundle: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &gate::policy_descriptor(&run(py, || PolicyBundle::parse(&bundle))?))
}

/// The profile of a policy bundle, as records carry it.
#[pyfunction]
pub(crate) fn policy_profile(py: Python<'_>, bundle: PyBackedBytes) -> PyResult<Bound<'_, PyAny>> {
    data::write(py, &gate::profile(&run(py, || PolicyBundle::parse(&bundle))?))
}
