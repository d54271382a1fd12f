//! The ledger, its receipts and what it finds.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyDict, PyTuple};
use sealwright::ledger::{self, Anchors, Pages, Pins, ReceiptDemand};
use sealwright::remote::Access;
use sealwright::{Error, key};

use crate::data;
use crate::error::run;
use crate::key::PrivateKey;
use crate::record::{Statement, Verified};
use crate::signer::AnySigner;

/// A ledger in a folder: append, prove, search, audit. Several threads may use one handle; they take turns.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Ledger(Mutex<ledger::Ledger>);

impl Ledger {
    /// Does work on the ledger with the interpreter let go.
    pub(crate) fn run<T: Send>(
        &self,
        py: Python<'_>,
        work: impl Send + FnOnce(&mut ledger::Ledger) -> Result<T, Error>,
    ) -> PyResult<T> {
        run(py, || work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// A private key is never copied, so a handle that keeps one reads it anew.
fn own(key: &PrivateKey) -> Result<key::PrivateKey, Error> {
    key::PrivateKey::from_pem(key.0.to_pem()?.as_bytes(), None)
}

#[pymethods]
impl Ledger {
    /// Makes a new ledger in `folder`, whose first entries are the signed records of version 1 of its trust policy.
    ///
    /// `anchors` is a folder outside of it, in which its highest checkpoint is remembered. `origin` names the log for
    /// ever. `log_key` (Ed25519) signs its checkpoints.
    #[staticmethod]
    #[pyo3(signature = (folder, *, anchors, origin, log_key, trust_policy, now=None))]
    fn init(
        py: Python<'_>,
        folder: PathBuf,
        anchors: PathBuf,
        origin: &str,
        log_key: &PrivateKey,
        trust_policy: Vec<Vec<u8>>,
        now: Option<&str>,
    ) -> PyResult<Self> {
        let now = data::now(py, now)?;
        let made = run(py, || {
            ledger::Ledger::init(&folder, &Anchors::in_folder(anchors), origin, own(log_key)?, &trust_policy, now)
        })?;
        Ok(Self(Mutex::new(made)))
    }

    /// Opens a ledger, to read it and, with its `log_key`, to append.
    ///
    /// `pins` is what is known of it from elsewhere: a dict of `logKey`, `trustPolicy` and `minCheckpoint`. `submitter` is
    /// the credential of whoever appends, where the trust policy lists writers.
    #[staticmethod]
    #[pyo3(signature = (folder, *, anchors, log_key=None, pins=None, submitter=None))]
    fn open(
        py: Python<'_>,
        folder: PathBuf,
        anchors: PathBuf,
        log_key: Option<&PrivateKey>,
        pins: Option<&Bound<'_, PyAny>>,
        submitter: Option<String>,
    ) -> PyResult<Self> {
        let pins = pins.map(data::json_of).transpose()?;
        let opened = run(py, || {
            let pins = pins.map_or_else(|| Ok(Pins::none()), |json| Pins::from_json(&json))?;
            let opened = ledger::Ledger::open(&folder, &Anchors::in_folder(anchors), &pins)?;
            let opened = submitter.into_iter().fold(opened, ledger::Ledger::with_submitter);
            match log_key {
                Some(key) => opened.with_log_key(own(key)?),
                None => Ok(opened),
            }
        })?;
        Ok(Self(Mutex::new(opened)))
    }

    /// Opens the ledger at `url`, to read it and to append through its service.
    ///
    /// `access` is what is shown to it: a dict of `token` or `tokenFile`, `certificate` with `key`, and `authorities`.
    #[staticmethod]
    #[pyo3(signature = (url, *, anchors, access=None, pins=None))]
    fn connect(
        py: Python<'_>,
        url: &str,
        anchors: PathBuf,
        access: Option<&Bound<'_, PyAny>>,
        pins: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let (access, pins) = (access.map(data::json_of).transpose()?, pins.map(data::json_of).transpose()?);
        let opened = run(py, || {
            let access = access.map_or_else(|| Ok(Access::anonymous()), |json| Access::from_json(&json))?;
            let pins = pins.map_or_else(|| Ok(Pins::none()), |json| Pins::from_json(&json))?;
            ledger::Ledger::connect(url, &access, &Anchors::in_folder(anchors), &pins)
        })?;
        Ok(Self(Mutex::new(opened)))
    }

    /// A handle holds nothing between two calls, so that leaving a block needs nothing.
    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (*_raised))]
    fn __exit__(&self, _raised: &Bound<'_, PyTuple>) {}

    /// As `search`, all pages, each read when it is needed; `limit` is the length of a page.
    #[pyo3(
        signature = (**query),
        text_signature = "($self, *, release=None, commit=None, digest=None, environment=None, service=None, \
                          change=None, kind=None, predicate_type=None, since=None, until=None, after=None, limit=None)"
    )]
    fn iterate(this: Py<Self>, py: Python<'_>, query: Option<&Bound<'_, PyDict>>) -> PyResult<Records> {
        let pages = Pages::of(data::read_options(py, "query", query)?);
        Ok(Records { ledger: this, pages: Mutex::new((pages, VecDeque::new())) })
    }

    /// The name of the log.
    #[getter]
    fn origin(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |ledger| Ok(ledger.origin().to_owned()))
    }

    /// The key of the log, as a C2SP verifier key.
    #[getter]
    fn log_key(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |ledger| Ok(ledger.log_key().to_string()))
    }

    /// Number of entries.
    #[getter]
    fn size(&self, py: Python<'_>) -> PyResult<u64> {
        self.run(py, |ledger| Ok(ledger.size()))
    }

    /// The newest checkpoint this handle has seen, a signed note.
    #[getter]
    fn checkpoint(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |ledger| Ok(ledger.checkpoint().note().to_owned()))
    }

    /// `extends` what was seen of it before, or `first-use`.
    #[getter]
    fn anchored<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| Ok(ledger.anchored()))?)
    }

    /// The trust policy in force.
    fn trust_policy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.trust_policy().map(|p| p.predicate().clone()))?)
    }

    /// Looks for entries that others appended meanwhile.
    fn refresh(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, ledger::Ledger::refresh)
    }

    /// Verifies a record under the trust policy in force, as it must be before it is appended.
    #[pyo3(signature = (record, *, now=None))]
    fn verify(&self, py: Python<'_>, record: PyBackedBytes, now: Option<&str>) -> PyResult<Verified> {
        let now = data::now(py, now)?;
        self.run(py, |ledger| ledger.verify(&record, now)).map(Verified)
    }

    /// Appends a verified record. The same Statement by the same signer gives its first receipt again.
    #[pyo3(signature = (record, *, now=None))]
    fn append(&self, py: Python<'_>, record: &Verified, now: Option<&str>) -> PyResult<Receipt> {
        let now = data::now(py, now)?;
        self.run(py, |ledger| ledger.append(&record.0, now)).map(Receipt)
    }

    /// Appends verified records in this order, all or none.
    #[pyo3(signature = (records, *, now=None))]
    fn append_all(
        &self,
        py: Python<'_>,
        records: Vec<PyRef<'_, Verified>>,
        now: Option<&str>,
    ) -> PyResult<Vec<Receipt>> {
        let now = data::now(py, now)?;
        let records: Vec<_> = records.iter().map(|record| record.0.clone()).collect();
        let receipts = self.run(py, |ledger| ledger.append_all(&records, now))?;
        Ok(receipts.into_iter().map(Receipt).collect())
    }

    /// Signs a Statement and appends it, in one.
    #[pyo3(signature = (statement, key, *, now=None))]
    fn record_statement(
        &self,
        py: Python<'_>,
        statement: &Statement,
        key: AnySigner<'_>,
        now: Option<&str>,
    ) -> PyResult<Receipt> {
        let key = key.get();
        let now = data::now(py, now)?;
        self.run(py, |ledger| ledger.record_statement(&statement.0, key, now)).map(Receipt)
    }

    /// The entry at `index`, proven.
    fn entry<'py>(&self, py: Python<'py>, index: u64) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.entry(index))?)
    }

    /// The record at `index`, proven and verified.
    fn record(&self, py: Python<'_>, index: u64) -> PyResult<LedgerRecord> {
        self.run(py, |ledger| ledger.record(index)).map(LedgerRecord)
    }

    /// Receipt of the entry at `index` under the present checkpoint.
    fn prove(&self, py: Python<'_>, index: u64) -> PyResult<Receipt> {
        self.run(py, |ledger| ledger.prove(index)).map(Receipt)
    }

    /// Searches; all that is said must hold, nothing said finds everything. Times are RFC 3339 in UTC.
    #[pyo3(
        signature = (**query),
        text_signature = "($self, *, release=None, commit=None, digest=None, environment=None, service=None, \
                          change=None, kind=None, predicate_type=None, since=None, until=None, after=None, limit=None)"
    )]
    fn search(&self, py: Python<'_>, query: Option<&Bound<'_, PyDict>>) -> PyResult<Found> {
        let query = data::read_options(py, "query", query)?;
        self.run(py, |ledger| ledger.search(&query)).map(Found)
    }

    /// Makes the search index anew from the log.
    fn rebuild_index(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |ledger| ledger.rebuild_index())
    }

    /// Audits every byte of the folder; no `findings` means that the ledger is whole.
    fn audit<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, ledger::Ledger::audit)?)
    }

    /// Keeps a file that records name by its SHA-256, which is returned.
    fn attach(&self, py: Python<'_>, data: PyBackedBytes) -> PyResult<String> {
        self.run(py, |ledger| ledger.attach(&data).map(|d| d.to_string()))
    }

    /// A file that was attached, checked against its digest.
    fn attachment(&self, py: Python<'_>, digest: &str) -> PyResult<Vec<u8>> {
        self.run(py, |ledger| ledger.attachment(&digest.parse()?))
    }
}

/// Records of a ledger, one after the other.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Records {
    ledger: Py<Ledger>,
    pages: Mutex<(Pages, VecDeque<ledger::LedgerRecord>)>,
}

#[pymethods]
impl Records {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<LedgerRecord>> {
        let next = self.ledger.get().run(py, |ledger| {
            let mut held = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
            let (pages, page) = &mut *held;
            if page.is_empty() {
                page.extend(pages.next(ledger)?.into_iter().flatten());
            }
            Ok(page.pop_front())
        })?;
        Ok(next.map(LedgerRecord))
    }
}

/// Proof that a record is in a ledger. Given by a ledger; one that is parsed is a claim until it is checked.
#[pyclass(frozen, eq, module = "sealwright")]
#[derive(PartialEq)]
pub(crate) struct Receipt(pub(crate) ledger::Receipt);

#[pymethods]
impl Receipt {
    /// Reads a receipt as `ledger prove` writes it, and as the JSON of `to_dict`.
    #[staticmethod]
    fn parse(py: Python<'_>, receipt: PyBackedBytes) -> PyResult<Self> {
        run(py, || ledger::Receipt::from_json(&receipt)).map(Self)
    }

    /// Index of the entry, from 0.
    #[getter]
    fn index(&self) -> u64 {
        self.0.index
    }

    /// Whether the record was in the ledger before.
    #[getter]
    fn already_there(&self) -> bool {
        self.0.already_there
    }

    /// The receipt as data: `index`, `entry`, `salt`, `proof` (C2SP tlog-proof), `alreadyThere`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0)
    }

    /// Verifies that `record` is in the ledger of `log_key`, a C2SP verifier key, without the ledger.
    ///
    /// `rotations` are the notes by which that key was replaced, the oldest first; `witnesses` the C2SP verifier keys of
    /// those who must have cosigned the checkpoint, and `quorum` how many of them (all, if it is not said). Gives `index`,
    /// `origin`, `size`, `root` and `cosignatures`.
    #[pyo3(
        signature = (record, **demand),
        text_signature = "($self, record, *, log_key, rotations=None, witnesses=None, quorum=None)"
    )]
    fn check<'py>(
        &self,
        py: Python<'py>,
        record: PyBackedBytes,
        demand: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let demand = data::json_of_options(py, demand)?;
        data::write(py, &run(py, || self.0.check(&record, &ReceiptDemand::from_json(&demand)?))?)
    }

    /// Verifies that `record` is in the ledger whose checkpoints `log_key` signs; returns nothing, or raises.
    fn verify(&self, py: Python<'_>, record: PyBackedBytes, log_key: &str) -> PyResult<()> {
        run(py, || self.0.verify(&record, &log_key.parse()?))
    }
}

/// A record of a ledger: proven to be in it, and verified under the trust policy at its index.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct LedgerRecord(ledger::LedgerRecord);

#[pymethods]
impl LedgerRecord {
    /// Index of its entry, from 0.
    #[getter]
    fn index(&self) -> u64 {
        self.0.index
    }

    /// When it was logged, RFC 3339.
    #[getter]
    fn logged_at(&self, py: Python<'_>) -> PyResult<String> {
        run(py, || self.0.logged_at().map(|t| t.to_string()))
    }

    /// Its entry.
    #[getter]
    fn entry<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.entry)
    }

    /// The record, verified.
    #[getter]
    fn verified(&self) -> Verified {
        Verified(self.0.verified.clone())
    }

    /// What the record says.
    #[getter]
    fn statement(&self) -> Statement {
        Statement(self.0.statement().clone())
    }

    /// Who signed it: `signer`, `keyId`, `person` and `roles` of the trust policy.
    #[getter]
    fn speaker<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0.speaker)
    }

    /// Whether a revocation of today takes away what it supports.
    #[getter]
    fn revoked(&self) -> bool {
        self.0.revoked
    }
}

/// What a search found.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Found(ledger::Found);

#[pymethods]
impl Found {
    /// The records, in the order of the ledger.
    #[getter]
    fn records(&self) -> Vec<LedgerRecord> {
        self.0.records.iter().cloned().map(LedgerRecord).collect()
    }

    /// Whether there are more; search again with `after` set to the last index.
    #[getter]
    fn more(&self) -> bool {
        self.0.more
    }

    /// Number of entries of the ledger that was searched.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }
}
