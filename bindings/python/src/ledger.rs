//! The ledger, its receipts and what it finds.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyDict, PyTuple};
use sealwright::affected::{Asked, affected};
use sealwright::checkpoint::LogKeys;
use sealwright::json::Value;
use sealwright::ledger::{self, Anchors, Pages, Pins, Schedule};
use sealwright::opening::Opening;
use sealwright::remote::Access;
use sealwright::{Error, key, keyless};

use crate::attachment::AttachmentReader;
use crate::blob::Content;
use crate::data;
use crate::encryption::{KeyEncryptionKey, kek};
use crate::error::{raised, run};
use crate::key::PrivateKey;
use crate::receipt::Receipt;
use crate::record::{Statement, Verified};
use crate::retention::{DisposalPlan, Retention};
use crate::signer::AnySigner;

/// A ledger in a folder, in a bucket or behind an address: append, prove, search, audit. Several threads may use one handle;
/// they take turns.
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
pub(crate) fn own(key: &PrivateKey) -> Result<key::PrivateKey, Error> {
    key::PrivateKey::from_pem(key.0.to_pem()?.as_bytes(), None)
}

/// The keys of a log of which `known` is one, by the notes of its rotations.
pub(crate) fn log_keys(known: &str, rotations: &[String]) -> Result<LogKeys, Error> {
    LogKeys::through(&known.parse()?, rotations)
}

/// A place is a text: a path, or an address.
#[derive(FromPyObject)]
pub(crate) enum Place {
    Text(String),
    Path(PathBuf),
}

impl Place {
    pub(crate) fn text(&self) -> Result<&str, Error> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Path(path) => path_text(path),
        }
    }
}

/// A path as it crosses.
fn path_text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::new(sealwright::ErrorKind::ApiMisuse, "the path is not UTF-8; name another"))
}

#[pymethods]
impl Ledger {
    /// Makes a new ledger at `place`, a folder or a bucket that a file describes. Its first entries are the signed records of
    /// version 1 of its trust policy.
    ///
    /// `anchors` is a folder outside of it, in which its highest checkpoint is remembered. `origin` names the log for
    /// ever. `log_key` (Ed25519) signs its checkpoints. `encryption_key` encrypts it. `variables` tell the credentials of a
    /// bucket, those of this process if not given.
    #[staticmethod]
    #[pyo3(
        signature = (place, *, anchors, origin, log_key, trust_policy, encryption_key=None, now=None, **opening),
        text_signature = "(place, *, anchors, origin, log_key, trust_policy, encryption_key=None, variables=None, now=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn init(
        py: Python<'_>,
        place: Place,
        anchors: PathBuf,
        origin: &str,
        log_key: &PrivateKey,
        trust_policy: Vec<Vec<u8>>,
        encryption_key: Option<&KeyEncryptionKey>,
        now: Option<&str>,
        opening: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let (opening, now) = (data::json_of_options(py, opening)?, data::now(py, now)?);
        let made = run(py, || {
            let place = Opening::from_json(&opening, data::variable)?.place(place.text()?)?;
            let (anchors, log_key) = (Anchors::in_folder(anchors), own(log_key)?);
            ledger::Ledger::init_at(&place, &anchors, origin, log_key, &trust_policy, kek(encryption_key), now)
        })?;
        Ok(Self(Mutex::new(made)))
    }

    /// Opens the ledger at `place`: an address, a file in TOML that describes a bucket, or a folder; to read it and, with
    /// its `log_key` or behind an address, to append.
    ///
    /// `encryption_key` opens one that is encrypted. `pins` is what is known of it from elsewhere: a dict of `logKey`,
    /// `trustPolicy` and `minCheckpoint`. `submitter` is the credential of whoever appends, where the trust policy lists
    /// writers. `archive` is the folder that bodies were moved to. `access` is what is shown to an address, as for
    /// `connect`. `variables` tell the credentials of a bucket, those of this process if not given.
    #[staticmethod]
    #[pyo3(
        signature = (place, *, anchors, log_key=None, encryption_key=None, archive=None, **opening),
        text_signature = "(place, *, anchors, log_key=None, encryption_key=None, pins=None, submitter=None, \
                          archive=None, access=None, variables=None)"
    )]
    fn open(
        py: Python<'_>,
        place: Place,
        anchors: PathBuf,
        log_key: Option<&PrivateKey>,
        encryption_key: Option<&KeyEncryptionKey>,
        archive: Option<PathBuf>,
        opening: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let opening = opening.cloned().unwrap_or_else(|| PyDict::new(py));
        opening.set_item("archive", archive.as_deref().map(path_text).transpose().map_err(|e| raised(py, &e))?)?;
        let opening = data::json_of_options(py, Some(&opening))?;
        let opened = run(py, || {
            let log_key = log_key.map(own).transpose()?;
            let anchors = Anchors::in_folder(anchors);
            Opening::from_json(&opening, data::variable)?.open(place.text()?, &anchors, log_key, kek(encryption_key))
        })?;
        Ok(Self(Mutex::new(opened)))
    }

    /// Moves the ledger at `source` to `to`, each a folder or a bucket that a file describes, with the same root; the old
    /// place takes no append any more. The rest is as for `open`.
    #[staticmethod]
    #[pyo3(
        signature = (source, to, *, anchors, encryption_key=None, **opening),
        text_signature = "(source, to, *, anchors, encryption_key=None, pins=None, variables=None)"
    )]
    fn move_to<'py>(
        py: Python<'py>,
        source: Place,
        to: Place,
        anchors: PathBuf,
        encryption_key: Option<&KeyEncryptionKey>,
        opening: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let opening = data::json_of_options(py, opening)?;
        let moved = run(py, || {
            let opening = Opening::from_json(&opening, data::variable)?;
            let (from, to) = (opening.place(source.text()?)?, opening.place(to.text()?)?);
            let (anchors, kek) = (Anchors::in_folder(anchors), kek(encryption_key));
            ledger::Ledger::move_to(&from, &to, &anchors, opening.pins(), kek, &mut |_| {})
        })?;
        data::write(py, &moved)
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

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    /// Closes the ledger. What the block raised goes before what closing does.
    #[pyo3(signature = (*raised))]
    fn __exit__(&self, py: Python<'_>, raised: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.close(py).or_else(|e| if raised.iter().any(|of| !of.is_none()) { Ok(()) } else { Err(e) })
    }

    /// As `search`, all pages, each read when it is needed; `limit` is the length of a page.
    #[pyo3(
        signature = (**query),
        text_signature = "($self, *, release=None, commit=None, digest=None, environment=None, service=None, \
                          change=None, kind=None, component=None, vulnerability=None, resource=None, predicate_type=None, \
                          since=None, until=None, after=None, limit=None)"
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

    /// Where it lies, for people to read.
    #[getter]
    fn place(&self, py: Python<'_>) -> PyResult<String> {
        self.run(py, |ledger| Ok(ledger.place()))
    }

    /// The key of the log, as a C2SP verifier key; the newest that this handle has seen.
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

    /// Name of the key it is encrypted with, if it is.
    #[getter]
    fn key_encryption_key(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.run(py, |ledger| Ok(ledger.key_encryption_key().map(str::to_owned)))
    }

    /// Where it was moved to, if it was; it takes no append then.
    #[getter]
    fn moved_to(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.run(py, |ledger| Ok(ledger.moved_to()))
    }

    /// What was not whole when this handle opened the ledger or wrote to it, and is now.
    fn repairs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| Ok(ledger.repairs()))?)
    }

    /// What it holds as of `now`: bytes by type and age, and how late evidence arrives.
    #[pyo3(signature = (*, now=None))]
    fn stats(&self, py: Python<'_>, now: Option<&str>) -> PyResult<LedgerStats> {
        let now = data::now(py, now)?;
        self.run(py, |ledger| ledger.stats(now)).map(LedgerStats)
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
                          change=None, kind=None, component=None, vulnerability=None, resource=None, predicate_type=None, \
                          since=None, until=None, after=None, limit=None)"
    )]
    fn search(&self, py: Python<'_>, query: Option<&Bound<'_, PyDict>>) -> PyResult<Found> {
        let query = data::read_options(py, "query", query)?;
        self.run(py, |ledger| ledger.search(&query)).map(Found)
    }

    /// As `search`, from the log and not from the index, which could hide: it reads every entry.
    #[pyo3(
        signature = (**query),
        text_signature = "($self, *, release=None, commit=None, digest=None, environment=None, service=None, \
                          change=None, kind=None, component=None, vulnerability=None, resource=None, predicate_type=None, \
                          since=None, until=None, after=None, limit=None)"
    )]
    fn complete(&self, py: Python<'_>, query: Option<&Bound<'_, PyDict>>) -> PyResult<Complete> {
        let query = data::read_options(py, "query", query)?;
        self.run(py, |ledger| ledger.complete(&query)).map(Complete)
    }

    /// Which releases contain a package or have a vulnerability, where they run, since when, and by which path it came in.
    #[pyo3(
        signature = (**asked),
        text_signature = "($self, *, purl=None, range=None, advisory=None, vulnerability=None, complete=False)"
    )]
    fn affected<'py>(&self, py: Python<'py>, asked: Option<&Bound<'_, PyDict>>) -> PyResult<Bound<'py, PyAny>> {
        let asked: Asked = data::read_options(py, "question", asked)?;
        data::write(py, &self.run(py, |ledger| affected(ledger, &asked))?)
    }

    /// Makes the search index anew from the log.
    fn rebuild_index(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |ledger| ledger.rebuild_index())
    }

    /// Brings what this handle appended to rest, as leaving a `with` block does; it can be used on.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |ledger| ledger.close())
    }

    /// Brings what was appended to rest, into its own files and those to disk, for what reads the folder by itself.
    fn settle(&self, py: Python<'_>) -> PyResult<()> {
        self.run(py, |ledger| ledger.settle())
    }

    /// Audits every byte where it lies, behind an address what log and records lead to; without `findings` it is whole.
    fn audit<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, ledger::Ledger::audit)?)
    }

    /// Keeps what records name by its SHA-256, which is returned: bytes, a path, or a binary file, of any length. A file is
    /// read while the ledger waits for it; behind an address give bytes or a path.
    fn attach(&self, py: Python<'_>, content: Content) -> PyResult<String> {
        let kept = self.run(py, |ledger| match content {
            Content::Bytes(bytes) => ledger.attach(&bytes),
            Content::File(path) => ledger.attach_file(&path),
            stream @ Content::Stream(_) => ledger.attach_stream(stream.reader()?),
        });
        kept.map(|digest| digest.to_string())
    }

    /// A file that was attached, checked against its digest; whole, so at most 1 GiB.
    fn attachment(&self, py: Python<'_>, digest: &str) -> PyResult<Vec<u8>> {
        self.run(py, |ledger| ledger.attachment(&digest.parse()?))
    }

    /// A file of any length that was attached, in pieces. Nothing of it is proven before its end, where what was changed is
    /// refused.
    fn attachment_stream(&self, py: Python<'_>, digest: &str) -> PyResult<AttachmentReader> {
        self.run(py, |ledger| ledger.attachment_stream(&digest.parse()?)).map(AttachmentReader::of)
    }

    /// Puts an encrypted ledger under another key, or its keys anew under the same; no record is touched.
    fn rotate_encryption_keys<'py>(&self, py: Python<'py>, to: &KeyEncryptionKey) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.rotate_encryption_keys(&*to.0, &mut |_, _| {}))?)
    }

    /// Replaces the key that signs checkpoints. Gives the note that says so, for those who pin the old one.
    fn rotate_log_key(&self, py: Python<'_>, new_key: &PrivateKey) -> PyResult<String> {
        self.run(py, |ledger| ledger.rotate_log_key(own(new_key)?).map(|rotation| rotation.note().to_owned()))
    }

    /// The notes by which the log key was replaced, each signed with the old and the new one.
    fn rotations(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.run(py, |ledger| {
            Ok(ledger.log_keys().rotations().iter().map(|rotation| rotation.note().to_owned()).collect())
        })
    }

    /// What the witnesses and time-stamp authorities of the trust policy said of the present checkpoint.
    fn witnessed<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.witnessed())?)
    }

    /// Asks witnesses of the trust policy over the network, each at its URL by its name, and keeps what they give.
    fn ask_witnesses<'py>(&self, py: Python<'py>, urls: BTreeMap<String, String>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.ask_witnesses(&urls))?)
    }

    /// Keeps the cosignatures of a checkpoint that was cosigned elsewhere.
    fn keep_cosigned<'py>(&self, py: Python<'py>, checkpoint: &str) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.keep_cosigned(checkpoint.as_bytes()))?)
    }

    /// Has the RFC 3161 authority at `url`, which the trust policy believes, sign the time of the present checkpoint.
    fn timestamp_checkpoint<'py>(&self, py: Python<'py>, url: &str) -> PyResult<Bound<'py, PyAny>> {
        let stamped = self.run(py, |ledger| {
            let checkpoint = ledger.checkpoint().clone();
            let token = keyless::timestamp_of_bytes(checkpoint.log_note().as_bytes(), url)?;
            ledger.keep_timestamp(&checkpoint, &token)
        })?;
        data::write(py, &stamped)
    }

    /// Keeps an RFC 3161 token (DER) over the log's own note of a checkpoint.
    fn keep_timestamp<'py>(
        &self,
        py: Python<'py>,
        checkpoint: &str,
        token: PyBackedBytes,
    ) -> PyResult<Bound<'py, PyAny>> {
        let stamped = self.run(py, |ledger| {
            let checkpoint = ledger.log_keys().parse_and_verify(checkpoint.as_bytes())?;
            ledger.keep_timestamp(&checkpoint, &token)
        })?;
        data::write(py, &stamped)
    }

    /// The proofs kept on this machine that this log signed two histories.
    fn forks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let forks = self.run(py, |ledger| {
            let forks = ledger.forks()?.into_iter();
            forks
                .map(|fork| sealwright::json::parse("proof of a fork", &fork.to_json()?))
                .collect::<Result<Vec<Value>, _>>()
        })?;
        data::write(py, &forks)
    }

    /// The retention of all records under a schedule (a dict), as of `now`.
    #[pyo3(signature = (schedule, *, now=None))]
    fn retention(&self, py: Python<'_>, schedule: &Bound<'_, PyAny>, now: Option<&str>) -> PyResult<Retention> {
        let (schedule, now) = (data::json_of(schedule)?, data::now(py, now)?);
        self.run(py, |ledger| ledger.retention(&Schedule::parse(&schedule)?, now)).map(Retention)
    }

    /// What of `entries`, or of all records, could be disposed of. Nothing is changed.
    #[pyo3(signature = (schedule, *, entries=None, now=None))]
    fn plan_disposal(
        &self,
        py: Python<'_>,
        schedule: &Bound<'_, PyAny>,
        entries: Option<Vec<u64>>,
        now: Option<&str>,
    ) -> PyResult<DisposalPlan> {
        let (schedule, now) = (data::json_of(schedule)?, data::now(py, now)?);
        let plan = self.run(py, |ledger| ledger.plan_disposal(&Schedule::parse(&schedule)?, entries.as_deref(), now));
        plan.map(DisposalPlan)
    }

    /// Disposes of `entries`, or of all records that are due and that two records officers approved of. The decision and the
    /// record of the disposal are appended first; then bodies are erased. Entries stay, and proofs still verify.
    #[pyo3(signature = (schedule, key, *, executed_by, entries=None, now=None))]
    fn dispose<'py>(
        &self,
        py: Python<'py>,
        schedule: &Bound<'py, PyAny>,
        key: AnySigner<'py>,
        executed_by: &Bound<'py, PyAny>,
        entries: Option<Vec<u64>>,
        now: Option<&str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (schedule, now) = (data::json_of(schedule)?, data::now(py, now)?);
        let (by, key) = (data::read("actor", executed_by)?, key.get());
        let done =
            self.run(py, |ledger| ledger.dispose(&Schedule::parse(&schedule)?, entries.as_deref(), by, key, now))?;
        data::write(py, &done)
    }

    /// Erases bodies whose disposal is recorded, and whose erasing was cut short. Gives their entries.
    fn finish_disposals(&self, py: Python<'_>) -> PyResult<Vec<u64>> {
        self.run(py, ledger::Ledger::finish_disposals)
    }

    /// All legal holds that were ever placed.
    fn holds<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.holds())?)
    }

    /// Moves bodies of entries logged before `before` to the archive.
    fn archive<'py>(&self, py: Python<'py>, before: &str) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.archive(before.parse()?, &mut |_, _| {}))?)
    }

    /// Moves bodies back from the archive: those of `entries`, or all.
    #[pyo3(signature = (entries=None))]
    fn unarchive<'py>(&self, py: Python<'py>, entries: Option<Vec<u64>>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.run(py, |ledger| ledger.unarchive(entries.as_deref(), &mut |_, _| {}))?)
    }

    /// Entries whose bodies are archived.
    fn archived(&self, py: Python<'_>) -> PyResult<Vec<u64>> {
        self.run(py, |ledger| ledger.archived())
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

/// What a ledger holds and costs.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct LedgerStats(ledger::LedgerStats);

#[pymethods]
impl LedgerStats {
    /// The figures as data.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        data::write(py, &self.0)
    }

    /// The same in the text format of Prometheus.
    fn to_prometheus(&self) -> String {
        self.0.to_prometheus()
    }
}

/// All records that match a query, up to a checkpoint.
#[pyclass(frozen, module = "sealwright")]
pub(crate) struct Complete(ledger::Complete);

#[pymethods]
impl Complete {
    /// The records, in the order of the ledger.
    #[getter]
    fn records(&self) -> Vec<LedgerRecord> {
        self.0.records.iter().cloned().map(LedgerRecord).collect()
    }

    /// Entries that may match, and whose body is not there.
    #[getter]
    fn without_body(&self) -> Vec<u64> {
        self.0.without_body.clone()
    }

    /// Whether there are more; ask again with `after` set to the last index.
    #[getter]
    fn more(&self) -> bool {
        self.0.more
    }

    /// Number of entries that were walked: nothing that matches was logged before and is left out.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size
    }

    /// Root of the checkpoint of that size, base64.
    #[getter]
    fn root(&self) -> String {
        self.0.root.to_string()
    }
}
