//! How long records are kept: what is due, legal holds, and approvals of disposals.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use sealwright::ledger::{self, Schedule};
use sealwright::release::{self, HoldOrder};

use crate::data;
use crate::error::run;
use crate::ledger::Ledger;
use crate::release::Recorded;
use crate::signer::AnySigner;

/// The retention of all records of a ledger.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Retention(pub(crate) ledger::Retention);

#[pymethods]
impl Retention {
    /// Records that may be disposed of now.
    #[getter]
    fn due<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.due().collect::<Vec<_>>())
    }

    /// The whole as data: `size`, `at` and `records`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0)
    }
}

/// What would be disposed of, and what stands in the way.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct DisposalPlan(pub(crate) ledger::DisposalPlan);

#[pymethods]
impl DisposalPlan {
    /// Whether all of it may go.
    #[getter]
    fn may_go(&self) -> bool {
        self.0.may_go()
    }

    /// The whole as data: `at`, `schedule`, `items`, `refused`, `attachments`, `approvals` and `lacking`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0)
    }
}

/// The rules of a schedule for evidence of these kinds, with their periods, the longest first.
#[pyfunction]
pub(crate) fn longest_retention(
    py: Python<'_>,
    schedule: &Bound<'_, PyAny>,
    kinds: Vec<String>,
) -> PyResult<Vec<(String, String)>> {
    let schedule = data::json_of(schedule)?;
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    run(py, || {
        let schedule = Schedule::parse(&schedule)?;
        Ok(schedule.longest(&kinds).into_iter().map(|(rule, period)| (rule.to_owned(), period)).collect())
    })
}

/// Places a legal hold: from then on nothing that it covers is disposed of.
///
/// Of the query all that is said must hold, and of a list one value; records named by `entries` are held in any case.
/// `window` is a dict of `from` and `to`.
#[pyfunction]
#[pyo3(
    signature = (ledger, key, *, now=None, **order),
    text_signature = "(ledger, key, *, hold_id, matter, ordered_by, custodian=None, entries=None, services=None, \
                      releases=None, environments=None, predicate_types=None, window=None, everything=None, now=None)"
)]
pub(crate) fn place_hold(
    py: Python<'_>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    now: Option<&str>,
    order: Option<&Bound<'_, PyDict>>,
) -> PyResult<Recorded> {
    let (order, now, key) = (data::json_of_options(py, order)?, data::now(py, now)?, key.get());
    ledger.run(py, |ledger| release::place_hold(ledger, HoldOrder::from_json(&order)?, key, now)).map(Recorded)
}

/// Releases a legal hold; nothing is disposed of by that.
#[pyfunction]
#[pyo3(signature = (ledger, key, *, hold_id, ordered_by, matter=None, now=None))]
pub(crate) fn release_hold(
    py: Python<'_>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    hold_id: &str,
    ordered_by: &Bound<'_, PyAny>,
    matter: Option<String>,
    now: Option<&str>,
) -> PyResult<Recorded> {
    let (by, now, key) = (data::read("actor", ordered_by)?, data::now(py, now)?, key.get());
    ledger.run(py, |ledger| release::release_hold(ledger, hold_id, matter, by, key, now)).map(Recorded)
}

/// Approves the disposal of `entries`, or of all records that are due, as a records officer.
#[pyfunction]
#[pyo3(signature = (ledger, key, *, schedule, approver, entries=None, now=None))]
pub(crate) fn approve_disposal(
    py: Python<'_>,
    ledger: &Ledger,
    key: AnySigner<'_>,
    schedule: &Bound<'_, PyAny>,
    approver: &Bound<'_, PyAny>,
    entries: Option<Vec<u64>>,
    now: Option<&str>,
) -> PyResult<Recorded> {
    let (schedule, now, key) = (data::json_of(schedule)?, data::now(py, now)?, key.get());
    let by = data::read("actor", approver)?;
    let approved = ledger.run(py, |ledger| {
        release::approve_disposal(ledger, &Schedule::parse(&schedule)?, entries.as_deref(), by, key, now)
    });
    approved.map(Recorded)
}
