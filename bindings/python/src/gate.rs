//! The gate: decisions and permits.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealwright::gate;

use crate::data;
use crate::ledger::Ledger;
use crate::receipt::Receipt;
use crate::signer::AnySigner;

/// A recorded decision.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Decision(gate::Decision);

#[pymethods]
impl Decision {
    /// Whether the artifact may go on.
    #[getter]
    fn passed(&self) -> bool {
        self.0.passed()
    }

    /// What was decided, as recorded.
    #[getter]
    fn evaluation<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.evaluation)
    }

    /// Each enforced check that failed or could not be decided.
    #[getter]
    fn refusals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.refusals().collect::<Vec<_>>())
    }

    /// Digest of the record's payload, by which a promotion names it.
    #[getter]
    fn payload(&self) -> String {
        self.0.payload.to_string()
    }

    /// Proof that the record is in the ledger.
    #[getter]
    fn receipt(&self) -> Receipt {
        Receipt(self.0.receipt.clone())
    }

    /// The permit if the policy passed, else `PolicyDenied` with the messages of the checks.
    fn enforce(&self, py: Python<'_>, ledger: &Ledger) -> PyResult<Permit> {
        ledger.run(py, |ledger| self.0.enforce(ledger)).map(Permit)
    }
}

/// The right to promote and deploy one artifact into one environment, once and soon. Made only by a gate.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Permit(pub(crate) gate::Permit);

#[pymethods]
impl Permit {
    /// The permit of a decision in this ledger, for a process that did not decide itself.
    #[staticmethod]
    fn of_decision(py: Python<'_>, ledger: &Ledger, decision: &str) -> PyResult<Self> {
        ledger.run(py, |ledger| gate::Permit::of_decision(ledger, &decision.parse()?)).map(Self)
    }

    /// Payload digest of the decision it stands for.
    #[getter]
    fn decision(&self) -> String {
        self.0.decision().to_string()
    }

    /// The artifacts it is for.
    #[getter]
    fn artifacts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.artifacts())
    }

    /// The environment it is for.
    #[getter]
    fn environment<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, self.0.environment())
    }

    /// The change it is for.
    #[getter]
    fn change_id(&self) -> Option<&str> {
        self.0.change_id()
    }
}

/// Decides whether an artifact may go to an environment, by the policy bundle that the trust policy pins, and records it.
///
/// `artifact` is `sha256:<hex>` or `name@sha256:<hex>`, `environment` a dict of `id` and `class`, `deployer` the signer
/// that will deploy it. `key` signs the decision. A refusal raises nothing here: see `Decision.enforce`.
#[pyfunction]
#[pyo3(
    signature = (ledger, key, *, now=None, **request),
    text_signature = "(ledger, key, *, artifact, environment, release_id, deployer, change_id=None, purl=None, now=None)"
)]
pub(crate) fn decide(
    py: Python<'_>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    now: Option<&str>,
    request: Option<&Bound<'_, PyDict>>,
) -> PyResult<Decision> {
    let key = key.get();
    let request = data::read_options(py, "gate request", request)?;
    let now = data::now(py, now)?;
    ledger.run(py, |ledger| gate::decide(ledger, &request, key, now)).map(Decision)
}
