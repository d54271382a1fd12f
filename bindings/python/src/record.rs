//! Statements and verifying.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::{statement, verifier};

use crate::blob::Blob;
use crate::data;
use crate::error::run;
use crate::trust::Trust;

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

    /// When it was signed at the latest, as a log or a timestamp authority says; RFC 3339.
    #[getter]
    fn signed_at(&self) -> Option<String> {
        self.0.signed_at().map(|at| at.to_string())
    }

    /// The transparency logs that hold the signature: of each `log`, `index` and, if it says so, `integratedAt`;
    /// with `witnesses` demanded, those that cosigned it.
    #[getter]
    fn log_entries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.log_entries())
    }

    /// The timestamps over the signature: of each `authority` and `at`.
    #[getter]
    fn timestamps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.timestamps())
    }

    /// The record, byte for byte as it was given.
    #[getter]
    fn record(&self) -> &[u8] {
        self.0.record()
    }
}

/// Verifies records and signed files against what a trust root believes.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Verifier(verifier::Verifier);

#[pymethods]
impl Verifier {
    /// Believes `trust`: a TrustRoot, or no more than its signers.
    #[new]
    fn new(py: Python<'_>, trust: Trust<'_>) -> PyResult<Self> {
        Ok(Self(verifier::Verifier::new(trust.root(py)?)))
    }

    /// Verifies a record: a Sigstore bundle or a DSSE envelope with an in-toto Statement.
    ///
    /// `artifact` is `sha256:<hex>`, or `any-unsafe` for callers that compare the subjects themselves. `signer` is a
    /// name that the trust root gives, or several of which one does; `identity` is in its place a dict of `subject` or
    /// `subjectPattern`, `issuer` and `extensions` of a certificate. `witnesses` are C2SP verifier keys of
    /// those who must have cosigned the checkpoints of the logs, `quorum` how many of them are enough. `at` is when it was
    /// signed or logged, the present if not said.
    #[pyo3(
        signature = (record, **expectation),
        text_signature = "($self, record, *, artifact, signer=None, identity=None, predicate_type=None, \
                          log_entries=None, timestamps=None, witnesses=None, quorum=None, unlogged_unsafe=None, \
                          without_sct_unsafe=None, at=None)"
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

    /// Verifies a Sigstore bundle with the signature of `blob`: bytes, a path, a binary file, or its digest.
    ///
    /// The rest is as for a record; `artifact` may be left out. Gives `digest`, `signers`, `logEntries`, `timestamps` and,
    /// if it is known, `signedAt`.
    #[pyo3(
        signature = (bundle, blob, **expectation),
        text_signature = "($self, bundle, blob, *, artifact=None, signer=None, identity=None, log_entries=None, \
                          timestamps=None, witnesses=None, quorum=None, unlogged_unsafe=None, without_sct_unsafe=None, \
                          at=None)"
    )]
    fn verify_blob<'py>(
        &self,
        py: Python<'py>,
        bundle: PyBackedBytes,
        blob: Blob,
        expectation: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let expectation = data::json_of_options(py, expectation)?;
        let now = data::now(py, None)?;
        let verified = run(py, || {
            let expectation = verifier::Expectation::from_json(&expectation, now)?;
            blob.work(|blob| self.0.verify_blob(&bundle, blob, &expectation))
        })?;
        data::write(py, &verified)
    }
}

/// Verifies a record, as `Verifier(trust).verify` does.
#[pyfunction]
#[pyo3(
    signature = (record, *, trust, **expectation),
    text_signature = "(record, *, trust, artifact, signer=None, identity=None, predicate_type=None, log_entries=None, \
                      timestamps=None, witnesses=None, quorum=None, unlogged_unsafe=None, without_sct_unsafe=None, at=None)"
)]
pub(crate) fn verify(
    py: Python<'_>,
    record: PyBackedBytes,
    trust: Trust<'_>,
    expectation: Option<&Bound<'_, PyDict>>,
) -> PyResult<Verified> {
    Verifier::new(py, trust)?.verify(py, record, expectation)
}
