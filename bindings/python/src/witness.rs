//! Witnesses, mirrors, and proofs of forks.

use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use sealwright::Error;
use sealwright::ledger::{self, Anchors, Fork, LogSource, Pins};

use crate::data;
use crate::encryption::{KeyEncryptionKey, kek};
use crate::error::run;
use crate::key::PrivateKey;
use crate::ledger::{Place, log_keys, own};

/// A witness of our own: it remembers the highest checkpoint of each log, and cosigns only what extends it.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Witness(ledger::Witness);

#[pymethods]
impl Witness {
    /// The witness of this name and key (Ed25519), whose state lies in `folder`.
    #[new]
    fn new(py: Python<'_>, folder: PathBuf, name: &str, key: &PrivateKey) -> PyResult<Self> {
        run(py, || ledger::Witness::open(&folder, name, own(key)?)).map(Self)
    }

    /// Its key, to be named in trust policies.
    #[getter]
    fn key(&self) -> String {
        self.0.key().to_string()
    }

    /// Cosigns the checkpoint of a log, in a folder or at a URL, if it extends what was cosigned before. `log_key` is needed
    /// the first time. Gives the cosigned checkpoint.
    #[pyo3(signature = (log, *, log_key=None, now=None))]
    fn cosign(&self, py: Python<'_>, log: Place, log_key: Option<&str>, now: Option<&str>) -> PyResult<String> {
        let now = data::now(py, now)?;
        run(py, || {
            let known = log_key.map(str::parse).transpose()?;
            Ok(self.0.cosign(&source(&log)?, known.as_ref(), now)?.note().to_owned())
        })
    }

    /// Believes the checkpoints of a log that this key signs, and those that follow it by the notes of its rotations.
    #[pyo3(signature = (log_key, *, rotations=vec![]))]
    fn trust_log(&self, py: Python<'_>, log_key: &str, rotations: Vec<String>) -> PyResult<()> {
        run(py, || self.0.trust_log(&log_keys(log_key, &rotations)?))
    }

    /// Answers a request `add-checkpoint` of C2SP tlog-witness, as an HTTP server says it: `status`, `contentType`, `body`.
    #[pyo3(signature = (request, *, now=None))]
    fn add_checkpoint<'py>(
        &self,
        py: Python<'py>,
        request: PyBackedBytes,
        now: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let now = data::now(py, now)?;
        data::write(py, &run(py, || self.0.add_checkpoint(&request, now))?)
    }
}

fn source(place: &Place) -> Result<LogSource, Error> {
    LogSource::open(place.text()?)
}

/// Checks a proof that a log signed two histories, by its key and the notes of its rotations; returns nothing, or raises.
#[pyfunction]
#[pyo3(signature = (proof, log_key, *, rotations=vec![]))]
pub(crate) fn verify_fork(
    py: Python<'_>,
    proof: &Bound<'_, PyAny>,
    log_key: &str,
    rotations: Vec<String>,
) -> PyResult<()> {
    let proof = data::json_of(proof)?;
    run(py, || Fork::parse_and_verify(&proof, &log_keys(log_key, &rotations)?).map(drop))
}

/// A copy of a ledger in a folder of its own, which is pulled over and over.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Mirror(ledger::Mirror);

#[pymethods]
impl Mirror {
    /// The mirror in `folder`, whether it was pulled before or not. `anchors` remember what was seen of its ledger;
    /// `archive` is the folder that bodies of the ledger were moved to.
    #[new]
    #[pyo3(signature = (folder, *, anchors, archive=None))]
    fn new(folder: PathBuf, anchors: PathBuf, archive: Option<PathBuf>) -> Self {
        Self(opened(&folder, anchors, archive.as_deref()))
    }

    /// Pulls what the ledger at `source`, a folder or a URL, has and the copy has not; all of it is checked, of an encrypted
    /// ledger with its key.
    #[pyo3(signature = (source, *, encryption_key=None, pins=None, now=None))]
    fn pull<'py>(
        &self,
        py: Python<'py>,
        source: Place,
        encryption_key: Option<&KeyEncryptionKey>,
        pins: Option<&Bound<'py, PyAny>>,
        now: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (pins, now) = (pins.map(data::json_of).transpose()?, data::now(py, now)?);
        let pulled =
            run(py, || self.0.pull(&self::source(&source)?, &read(pins)?, kek(encryption_key), now, &mut |_| {}))?;
        data::write(py, &pulled)
    }

    /// How far the copy is behind; nothing is pulled.
    #[pyo3(signature = (source, *, now=None))]
    fn lag<'py>(&self, py: Python<'py>, source: Place, now: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let now = data::now(py, now)?;
        data::write(py, &run(py, || self.0.lag(&self::source(&source)?, now))?)
    }

    /// Makes a ledger of a copy, the folder of a mirror or a URL, in a new folder; it has the same root.
    #[staticmethod]
    #[pyo3(signature = (folder, copy, *, anchors, encryption_key=None, archive=None, pins=None))]
    fn restore<'py>(
        py: Python<'py>,
        folder: PathBuf,
        copy: Place,
        anchors: PathBuf,
        encryption_key: Option<&KeyEncryptionKey>,
        archive: Option<PathBuf>,
        pins: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let pins = pins.map(data::json_of).transpose()?;
        let restored = run(py, || {
            let mirror = opened(&folder, anchors, archive.as_deref());
            mirror.restore(&source(&copy)?, &read(pins)?, kek(encryption_key), &mut |_| {})
        })?;
        data::write(py, &restored)
    }
}

fn opened(folder: &Path, anchors: PathBuf, archive: Option<&Path>) -> ledger::Mirror {
    let mirror = ledger::Mirror::open(folder, &Anchors::in_folder(anchors));
    archive.into_iter().fold(mirror, ledger::Mirror::with_archive)
}

fn read(pins: Option<Vec<u8>>) -> Result<Pins, Error> {
    pins.map_or_else(|| Ok(Pins::none()), |json| Pins::from_json(&json))
}
