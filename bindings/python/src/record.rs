//! Statements, signing and verifying.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::{signer, statement, trust, verifier};

use crate::data;
use crate::error::run;
use crate::key::PrivateKey;

/// An in-toto Statement: what is said (the predicate) about what (the subjects).
#[pyclass(frozen, eq, module = "sealwright")]
#[derive(PartialEq)]
pub(crate) struct Statement(pub(crate) statement::Statement);

#[pymethods]
impl Statement {
    /// A new Statement. A known predicate type is held against its specification, an unknown one is taken as it is.
    #[new]
    fn new(
        py: Python<'_>,
        predicate_type: &str,
        subjects: &Bound<'_, PyAny>,
        predicate: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let (subjects, predicate) = (data::read("subjects", subjects)?, data::read("predicate", predicate)?);
        run(py, || statement::Statement::from_json(predicate_type, subjects, &predicate)).map(Self)
    }

    /// Reads a payload as it was signed.
    #[staticmethod]
    fn parse(py: Python<'_>, payload: Vec<u8>) -> PyResult<Self> {
        run(py, || statement::Statement::parse(payload)).map(Self)
    }

    /// The bytes that were or will be signed.
    #[getter]
    fn payload(&self) -> &[u8] {
        self.0.payload()
    }

    /// SHA-256 of the payload, by which other records name this one.
    #[getter]
    fn payload_digest(&self) -> String {
        self.0.payload_digest().to_string()
    }

    /// The type of the predicate.
    #[getter]
    fn predicate_type(&self) -> &str {
        self.0.predicate_type()
    }

    /// What it is about: ResourceDescriptors, each with a digest.
    #[getter]
    fn subjects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.subjects())
    }

    /// What it says.
    #[getter]
    fn predicate<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &run(py, || self.0.predicate_json())?)
    }
}

/// Proof that a record was signed as demanded. Made only by verifying.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Verified(pub(crate) verifier::Verified<statement::Statement>);

#[pymethods]
impl Verified {
    /// What was signed.
    #[getter]
    fn statement(&self) -> Statement {
        Statement(self.0.value().clone())
    }

    /// Those who signed, each with `name`, `keyId` and `keyType`.
    #[getter]
    fn signers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.signers())
    }

    /// The record, byte for byte as it was given.
    #[getter]
    fn record(&self) -> &[u8] {
        self.0.record()
    }
}

/// Verifies records against trusted keys.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Verifier(verifier::Verifier);

#[pymethods]
impl Verifier {
    /// Believes `keys`: by name a `PUBLIC KEY` PEM text, or a dict of `key`, `validFrom` and `validUntil`.
    #[new]
    fn new(py: Python<'_>, keys: &Bound<'_, PyAny>) -> PyResult<Self> {
        let keys = data::json_of(keys)?;
        run(py, || trust::TrustRoot::from_json(&keys)).map(|root| Self(verifier::Verifier::new(root)))
    }

    /// Verifies a record: a Sigstore bundle or a DSSE envelope with an in-toto Statement.
    ///
    /// `artifact` is `sha256:<hex>`, or `any-unsafe` for callers that compare the subjects themselves. `signer` is a
    /// name among the keys, or several of which one does. `at` is when it was signed or logged, the present if not said.
    #[pyo3(
        signature = (record, **expectation),
        text_signature = "($self, record, *, artifact, signer, predicate_type=None, at=None)"
    )]
    fn verify(
        &self,
        py: Python<'_>,
        record: PyBackedBytes,
        expectation: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Verified> {
        let expectation = data::json_of_options(py, expectation)?;
        let now = data::now(py, None)?;
        run(py, || self.0.verify(&record, &verifier::Expectation::from_json(&expectation, now)?)).map(Verified)
    }
}

/// Signs a Statement: a record, which is a Sigstore bundle v0.3.
#[pyfunction]
pub(crate) fn sign(py: Python<'_>, statement: &Statement, key: &PrivateKey) -> PyResult<Vec<u8>> {
    run(py, || signer::sign(&statement.0, &key.0).map(|bundle| bundle.to_json()))
}

/// Verifies a record against trusted keys, as `Verifier(keys).verify` does.
#[pyfunction]
#[pyo3(
    signature = (record, *, keys, **expectation),
    text_signature = "(record, *, keys, artifact, signer, predicate_type=None, at=None)"
)]
pub(crate) fn verify(
    py: Python<'_>,
    record: PyBackedBytes,
    keys: &Bound<'_, PyAny>,
    expectation: Option<&Bound<'_, PyDict>>,
) -> PyResult<Verified> {
    Verifier::new(py, keys)?.verify(py, record, expectation)
}
