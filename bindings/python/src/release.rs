//! Releases: begun, promoted, deployed, observed, compared.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;
use sealwright::alert::{self, Watch};
use sealwright::digest::Digest;
use sealwright::release;

use crate::data;
use crate::gate::Permit;
use crate::ledger::Ledger;
use crate::receipt::Receipt;
use crate::signer::AnySigner;

/// A record that an act left in the ledger.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Recorded(pub(crate) release::Recorded);

#[pymethods]
impl Recorded {
    /// Digest of its payload, by which other records name it.
    #[getter]
    fn payload(&self) -> String {
        self.0.payload.to_string()
    }

    /// Proof that it is in the ledger.
    #[getter]
    fn receipt(&self) -> Receipt {
        Receipt(self.0.receipt.clone())
    }
}

/// Begins a release: gives it its id, to which all evidence about its artifacts (ResourceDescriptors) is linked.
#[pyfunction]
#[pyo3(signature = (ledger, key, *, release_id, purl, artifacts, now=None))]
pub(crate) fn release_begin(
    py: Python<'_>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    release_id: &str,
    purl: &str,
    artifacts: &Bound<'_, PyAny>,
    now: Option<&str>,
) -> PyResult<Recorded> {
    let key = key.get();
    let (artifacts, now) = (data::read("artifacts", artifacts)?, data::now(py, now)?);
    ledger.run(py, |ledger| release::begin(ledger, release_id, purl, artifacts, key, now)).map(Recorded)
}

/// Promotes what a permit is for into its environment, and spends the permit. `promoted_by` is an Actor.
#[pyfunction]
#[pyo3(signature = (ledger, key, permit, *, release_id, promoted_by, now=None))]
pub(crate) fn promote(
    py: Python<'_>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    permit: &Permit,
    release_id: &str,
    promoted_by: &Bound<'_, PyAny>,
    now: Option<&str>,
) -> PyResult<Recorded> {
    let key = key.get();
    let (by, now) = (data::read("actor", promoted_by)?, data::now(py, now)?);
    ledger.run(py, |ledger| release::promote(ledger, &permit.0, release_id, by, key, now)).map(Recorded)
}

/// Records a deployment; without a `permit` it is an evidence gap from then on.
///
/// Above dev, `promotion` is the payload digest of the promotion. The rest is what a deployment record says.
#[pyfunction]
#[pyo3(
    signature = (ledger, key, permit=None, *, promotion=None, now=None, **deployment),
    text_signature = "(ledger, key, permit=None, *, promotion=None, deployment_id, release_id, environment, artifacts, \
                      triggered_by, executed_by, started_at, status, strategy, finished_at=None, change_ids=None, \
                      configuration=None, replaces=None, resources=None, earliest_commit_at=None, now=None)"
)]
pub(crate) fn deploy(
    py: Python<'_>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    permit: Option<&Permit>,
    promotion: Option<&str>,
    now: Option<&str>,
    deployment: Option<&Bound<'_, PyDict>>,
) -> PyResult<Recorded> {
    let key = key.get();
    let (deployment, now) = (data::read_options(py, "deployment", deployment)?, data::now(py, now)?);
    let recorded = ledger.run(py, |ledger| {
        let promotion = promotion.map(str::parse::<Digest>).transpose()?;
        release::deploy(ledger, deployment, permit.map(|p| &p.0), promotion.as_ref(), key, now)
    })?;
    Ok(Recorded(recorded))
}

/// Records what an observer saw running. `source` is the raw answer it was made from; the ledger keeps it.
#[pyfunction]
#[pyo3(signature = (ledger, key, *, environment, observer, state, source, now=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of one call")]
pub(crate) fn snapshot(
    py: Python<'_>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    environment: &Bound<'_, PyAny>,
    observer: &Bound<'_, PyAny>,
    state: &Bound<'_, PyAny>,
    source: PyBackedBytes,
    now: Option<&str>,
) -> PyResult<Recorded> {
    let key = key.get();
    let (environment, observer) = (data::read("environment", environment)?, data::read("actor", observer)?);
    let (state, now) = (data::read("observed state", state)?, data::now(py, now)?);
    let recorded =
        ledger.run(py, |ledger| release::snapshot(ledger, environment, observer, state, &source, key, now))?;
    Ok(Recorded(recorded))
}

/// Compares the newest snapshot of an environment with what was deployed into it, and records the result.
///
/// Gives `report`, as recorded, and `recorded`.
#[pyfunction]
#[pyo3(signature = (ledger, key, *, environment_id, now=None))]
pub(crate) fn drift<'py>(
    py: Python<'py>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    environment_id: &str,
    now: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let key = key.get();
    let now = data::now(py, now)?;
    data::write(py, &ledger.run(py, |ledger| release::drift(ledger, environment_id, key, now))?)
}

/// Uses of keys and secrets in the hours up to `now` that somebody should look at: unusual reads, and keys whose uses do
/// not match what they signed; and documents that end.
///
/// Gives `size`, `from`, `to`, `alerts` and `unread`.
#[pyfunction]
#[pyo3(
    signature = (ledger, *, now=None, **watch),
    text_signature = "(ledger, *, now=None, hours=24, before=7, times=3, more=5, days=30)"
)]
pub(crate) fn alerts<'py>(
    py: Python<'py>,
    ledger: &Ledger,
    now: Option<&str>,
    watch: Option<&Bound<'_, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (watch, now): (Watch, _) = (data::read_options(py, "watch", watch)?, data::now(py, now)?);
    data::write(py, &ledger.run(py, |ledger| alert::alerts(ledger, &watch, now))?)
}

/// The chain of custody of a release: `steps`, and the links that are `missing`.
#[pyfunction]
pub(crate) fn custody<'py>(py: Python<'py>, ledger: &Ledger, release_id: &str) -> PyResult<Bound<'py, PyAny>> {
    data::write(py, &ledger.run(py, |ledger| release::custody(ledger, release_id))?)
}

/// The evidence gaps of a release; none means that nothing is missing.
#[pyfunction]
pub(crate) fn gaps<'py>(py: Python<'py>, ledger: &Ledger, release_id: &str) -> PyResult<Bound<'py, PyAny>> {
    data::write(py, &ledger.run(py, |ledger| release::gaps(ledger, release_id))?)
}
