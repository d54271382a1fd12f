//! The ledger, its receipts and what it finds.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer, ClassInstance, ToNapiValue, TypeName};
use napi_derive::napi;
use sealwright::ledger::{self, Anchors, Pins, ReceiptDemand};
use sealwright::remote::Access;
use sealwright::{Result, key};

use crate::data::{Json, bytes_of};
use crate::key::PrivateKey;
use crate::record::{Statement, Verified};
use crate::signer::AnySigner;
use crate::work::{Work, at_once, later};

type Shared = Arc<Mutex<ledger::Ledger>>;

/// A ledger in a folder: append, prove, search, audit. Calls on one handle take turns.
#[napi]
pub struct Ledger {
    ledger: Shared,
    origin: String,
    log_key: String,
    anchored: ledger::Anchored,
}

impl Ledger {
    fn of(ledger: ledger::Ledger) -> Self {
        let (origin, log_key, anchored) = (ledger.origin().to_owned(), ledger.log_key().to_string(), ledger.anchored());
        Self { ledger: Arc::new(Mutex::new(ledger)), origin, log_key, anchored }
    }

    /// Does work on the ledger off the event loop.
    pub(crate) fn later<T: Send + ToNapiValue + TypeName + 'static>(
        &self,
        work: impl FnOnce(&mut ledger::Ledger) -> Result<T> + Send + 'static,
    ) -> AsyncTask<Work<T>> {
        let ledger = Arc::clone(&self.ledger);
        later(move || work(&mut ledger.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Does work on the ledger at once.
    pub(crate) fn at_once<T>(&self, env: &Env, work: impl FnOnce(&mut ledger::Ledger) -> Result<T>) -> napi::Result<T> {
        at_once(env, || work(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn made(
    folder: &str,
    anchors: &str,
    origin: &str,
    log_key: &key::PrivateKey,
    trust_policy: &[Vec<u8>],
    at: Option<Json>,
) -> Result<Ledger> {
    let (anchors, log_key) = (Anchors::in_folder(anchors), PrivateKey::own(log_key)?);
    ledger::Ledger::init(Path::new(folder), &anchors, origin, log_key, trust_policy, crate::data::now(at)?)
        .map(Ledger::of)
}

fn opened(
    folder: &str,
    anchors: &str,
    log_key: Option<&key::PrivateKey>,
    pins: Option<&Json>,
    submitter: Option<String>,
) -> Result<Ledger> {
    let pins = Pins::from_json(bytes_of(pins))?;
    let opened = ledger::Ledger::open(Path::new(folder), &Anchors::in_folder(anchors), &pins)?;
    let opened = submitter.into_iter().fold(opened, ledger::Ledger::with_submitter);
    let opened = match log_key {
        Some(key) => opened.with_log_key(PrivateKey::own(key)?)?,
        None => opened,
    };
    Ok(Ledger::of(opened))
}

fn connected(url: &str, anchors: &str, access: Option<&Json>, pins: Option<&Json>) -> Result<Ledger> {
    let (access, pins) = (Access::from_json(bytes_of(access))?, Pins::from_json(bytes_of(pins))?);
    ledger::Ledger::connect(url, &access, &Anchors::in_folder(anchors), &pins).map(Ledger::of)
}

fn copies(records: Vec<Buffer>) -> Vec<Vec<u8>> {
    records.iter().map(|record| record.to_vec()).collect()
}

#[napi]
impl Ledger {
    /// Makes a new ledger in `folder`, whose first entries are the signed records of version 1 of its trust policy.
    ///
    /// `anchors` is a folder outside of it, in which its highest checkpoint is remembered. `origin` names the log for
    /// ever. `logKey` (Ed25519) signs its checkpoints.
    #[napi(ts_return_type = "Promise<Ledger>")]
    pub fn init(
        folder: String,
        anchors: String,
        origin: String,
        log_key: &PrivateKey,
        trust_policy: Vec<Buffer>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> AsyncTask<Work<Ledger>> {
        let (log_key, trust_policy) = (Arc::clone(&log_key.0), copies(trust_policy));
        later(move || made(&folder, &anchors, &origin, &log_key, &trust_policy, now))
    }

    /// As `init`, at once.
    #[napi]
    pub fn init_sync(
        env: Env,
        folder: String,
        anchors: String,
        origin: String,
        log_key: &PrivateKey,
        trust_policy: Vec<Buffer>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> napi::Result<Self> {
        at_once(&env, || made(&folder, &anchors, &origin, &log_key.0, &copies(trust_policy), now))
    }

    /// Opens a ledger, to read it and, with its `logKey`, to append. `pins` is what is known of it from elsewhere.
    /// `submitter` is the credential of whoever appends, where the trust policy lists writers.
    #[napi(ts_return_type = "Promise<Ledger>")]
    pub fn open(
        folder: String,
        anchors: String,
        log_key: Option<&PrivateKey>,
        #[napi(ts_arg_type = "Pins")] pins: Option<Json>,
        submitter: Option<String>,
    ) -> AsyncTask<Work<Ledger>> {
        let log_key = log_key.map(|key| Arc::clone(&key.0));
        later(move || opened(&folder, &anchors, log_key.as_deref(), pins.as_ref(), submitter))
    }

    /// As `open`, at once.
    #[napi]
    pub fn open_sync(
        env: Env,
        folder: String,
        anchors: String,
        log_key: Option<&PrivateKey>,
        #[napi(ts_arg_type = "Pins")] pins: Option<Json>,
        submitter: Option<String>,
    ) -> napi::Result<Self> {
        at_once(&env, || opened(&folder, &anchors, log_key.map(|key| &*key.0), pins.as_ref(), submitter))
    }

    /// Opens the ledger at `url`, to read it and to append through its service; `access` is what is shown to it.
    #[napi(ts_return_type = "Promise<Ledger>")]
    pub fn connect(
        url: String,
        anchors: String,
        #[napi(ts_arg_type = "Access")] access: Option<Json>,
        #[napi(ts_arg_type = "Pins")] pins: Option<Json>,
    ) -> AsyncTask<Work<Ledger>> {
        later(move || connected(&url, &anchors, access.as_ref(), pins.as_ref()))
    }

    /// As `connect`, at once.
    #[napi]
    pub fn connect_sync(
        env: Env,
        url: String,
        anchors: String,
        #[napi(ts_arg_type = "Access")] access: Option<Json>,
        #[napi(ts_arg_type = "Pins")] pins: Option<Json>,
    ) -> napi::Result<Self> {
        at_once(&env, || connected(&url, &anchors, access.as_ref(), pins.as_ref()))
    }

    /// The name of the log.
    #[napi(getter)]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key of the log, as a C2SP verifier key.
    #[napi(getter)]
    pub fn log_key(&self) -> &str {
        &self.log_key
    }

    /// Whether it could be compared with what was seen of it before.
    #[napi(getter, ts_return_type = "'extends' | 'first-use'")]
    pub fn anchored(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.anchored))
    }

    /// Number of entries.
    #[napi(ts_return_type = "Promise<number>")]
    pub fn size(&self) -> AsyncTask<Work<i64>> {
        self.later(|ledger| Ok(number(ledger.size())))
    }

    /// Number of entries.
    #[napi]
    pub fn size_sync(&self, env: Env) -> napi::Result<i64> {
        self.at_once(&env, |ledger| Ok(number(ledger.size())))
    }

    /// The newest checkpoint this handle has seen, a signed note.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn checkpoint(&self) -> AsyncTask<Work<String>> {
        self.later(|ledger| Ok(ledger.checkpoint().note().to_owned()))
    }

    /// The newest checkpoint this handle has seen, a signed note.
    #[napi]
    pub fn checkpoint_sync(&self, env: Env) -> napi::Result<String> {
        self.at_once(&env, |ledger| Ok(ledger.checkpoint().note().to_owned()))
    }

    /// The trust policy in force.
    #[napi(ts_return_type = "Promise<Record<string, unknown>>")]
    pub fn trust_policy(&self) -> AsyncTask<Work<Json>> {
        self.later(|ledger| Json::of(ledger.trust_policy()?.predicate()))
    }

    /// The trust policy in force.
    #[napi(ts_return_type = "Record<string, unknown>")]
    pub fn trust_policy_sync(&self, env: Env) -> napi::Result<Json> {
        self.at_once(&env, |ledger| Json::of(ledger.trust_policy()?.predicate()))
    }

    /// Looks for entries that others appended meanwhile.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn refresh(&self) -> AsyncTask<Work<()>> {
        self.later(ledger::Ledger::refresh)
    }

    /// Looks for entries that others appended meanwhile.
    #[napi]
    pub fn refresh_sync(&self, env: Env) -> napi::Result<()> {
        self.at_once(&env, ledger::Ledger::refresh)
    }

    /// Verifies a record under the trust policy in force, as it must be before it is appended.
    #[napi(ts_return_type = "Promise<Verified>")]
    pub fn verify(&self, record: &[u8], #[napi(ts_arg_type = "Time")] now: Option<Json>) -> AsyncTask<Work<Verified>> {
        let record = record.to_vec();
        self.later(move |ledger| ledger.verify(&record, crate::data::now(now)?).map(Verified::of))
    }

    /// Verifies a record under the trust policy in force, as it must be before it is appended.
    #[napi]
    pub fn verify_sync(
        &self,
        env: Env,
        record: &[u8],
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> napi::Result<Verified> {
        self.at_once(&env, |ledger| ledger.verify(record, crate::data::now(now)?).map(Verified::of))
    }

    /// Appends a verified record. The same Statement by the same signer gives its first receipt again.
    #[napi(ts_return_type = "Promise<Receipt>")]
    pub fn append(
        &self,
        record: &Verified,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> AsyncTask<Work<Receipt>> {
        let record = Arc::clone(&record.0);
        self.later(move |ledger| ledger.append(&record, crate::data::now(now)?).map(Receipt))
    }

    /// Appends a verified record. The same Statement by the same signer gives its first receipt again.
    #[napi]
    pub fn append_sync(
        &self,
        env: Env,
        record: &Verified,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> napi::Result<Receipt> {
        self.at_once(&env, |ledger| ledger.append(&record.0, crate::data::now(now)?).map(Receipt))
    }

    /// Appends verified records in this order, all or none.
    #[napi(ts_return_type = "Promise<Receipt[]>")]
    pub fn append_all(
        &self,
        records: Vec<ClassInstance<'_, Verified>>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> AsyncTask<Work<Vec<Receipt>>> {
        let records: Vec<_> = records.iter().map(|record| (*record.0).clone()).collect();
        self.later(move |ledger| {
            let receipts = ledger.append_all(&records, crate::data::now(now)?)?;
            Ok(receipts.into_iter().map(Receipt).collect())
        })
    }

    /// Appends verified records in this order, all or none.
    #[napi]
    pub fn append_all_sync(
        &self,
        env: Env,
        records: Vec<ClassInstance<'_, Verified>>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> napi::Result<Vec<Receipt>> {
        let records: Vec<_> = records.iter().map(|record| (*record.0).clone()).collect();
        let receipts = self.at_once(&env, |ledger| ledger.append_all(&records, crate::data::now(now)?))?;
        Ok(receipts.into_iter().map(Receipt).collect())
    }

    /// Signs a Statement and appends it, in one.
    #[napi(ts_return_type = "Promise<Receipt>")]
    pub fn record_statement(
        &self,
        statement: &Statement,
        #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> AsyncTask<Work<Receipt>> {
        let (statement, key) = (Arc::clone(&statement.0), Arc::clone(&key.0));
        self.later(move |ledger| ledger.record_statement(&statement, &*key, crate::data::now(now)?).map(Receipt))
    }

    /// Signs a Statement and appends it, in one.
    #[napi]
    pub fn record_statement_sync(
        &self,
        env: Env,
        statement: &Statement,
        #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> napi::Result<Receipt> {
        self.at_once(&env, |ledger| ledger.record_statement(&statement.0, &*key.0, crate::data::now(now)?).map(Receipt))
    }

    /// The entry at `index`, proven.
    #[napi(ts_return_type = "Promise<Entry>")]
    pub fn entry(&self, index: i64) -> AsyncTask<Work<Json>> {
        self.later(move |ledger| Json::of(&ledger.entry(place(index))?))
    }

    /// The entry at `index`, proven.
    #[napi(ts_return_type = "Entry")]
    pub fn entry_sync(&self, env: Env, index: i64) -> napi::Result<Json> {
        self.at_once(&env, |ledger| Json::of(&ledger.entry(place(index))?))
    }

    /// The record at `index`, proven and verified.
    #[napi(ts_return_type = "Promise<LedgerRecord>")]
    pub fn record(&self, index: i64) -> AsyncTask<Work<LedgerRecord>> {
        self.later(move |ledger| ledger.record(place(index)).map(LedgerRecord))
    }

    /// The record at `index`, proven and verified.
    #[napi]
    pub fn record_sync(&self, env: Env, index: i64) -> napi::Result<LedgerRecord> {
        self.at_once(&env, |ledger| ledger.record(place(index)).map(LedgerRecord))
    }

    /// Receipt of the entry at `index` under the present checkpoint.
    #[napi(ts_return_type = "Promise<Receipt>")]
    pub fn prove(&self, index: i64) -> AsyncTask<Work<Receipt>> {
        self.later(move |ledger| ledger.prove(place(index)).map(Receipt))
    }

    /// Receipt of the entry at `index` under the present checkpoint.
    #[napi]
    pub fn prove_sync(&self, env: Env, index: i64) -> napi::Result<Receipt> {
        self.at_once(&env, |ledger| ledger.prove(place(index)).map(Receipt))
    }

    /// Searches; all that is said must hold, nothing said finds everything.
    #[napi(ts_return_type = "Promise<Found>")]
    pub fn search(&self, #[napi(ts_arg_type = "Query")] query: Option<Json>) -> AsyncTask<Work<Found>> {
        self.later(move |ledger| found(ledger, query.as_ref()))
    }

    /// Searches; all that is said must hold, nothing said finds everything.
    #[napi]
    pub fn search_sync(&self, env: Env, #[napi(ts_arg_type = "Query")] query: Option<Json>) -> napi::Result<Found> {
        self.at_once(&env, |ledger| found(ledger, query.as_ref()))
    }

    /// Makes the search index anew from the log.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn rebuild_index(&self) -> AsyncTask<Work<()>> {
        self.later(|ledger| ledger.rebuild_index())
    }

    /// Makes the search index anew from the log.
    #[napi]
    pub fn rebuild_index_sync(&self, env: Env) -> napi::Result<()> {
        self.at_once(&env, |ledger| ledger.rebuild_index())
    }

    /// Audits every byte of the folder; no findings means that the ledger is whole.
    #[napi(ts_return_type = "Promise<AuditReport>")]
    pub fn audit(&self) -> AsyncTask<Work<Json>> {
        self.later(|ledger| Json::of(&ledger.audit()?))
    }

    /// Audits every byte of the folder; no findings means that the ledger is whole.
    #[napi(ts_return_type = "AuditReport")]
    pub fn audit_sync(&self, env: Env) -> napi::Result<Json> {
        self.at_once(&env, |ledger| Json::of(&ledger.audit()?))
    }

    /// Keeps a file that records name by its SHA-256, which is returned.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn attach(&self, data: &[u8]) -> AsyncTask<Work<String>> {
        let data = data.to_vec();
        self.later(move |ledger| ledger.attach(&data).map(|d| d.to_string()))
    }

    /// Keeps a file that records name by its SHA-256, which is returned.
    #[napi]
    pub fn attach_sync(&self, env: Env, data: &[u8]) -> napi::Result<String> {
        self.at_once(&env, |ledger| ledger.attach(data).map(|d| d.to_string()))
    }

    /// A file that was attached, checked against its digest.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn attachment(&self, digest: String) -> AsyncTask<Work<Buffer>> {
        self.later(move |ledger| ledger.attachment(&digest.parse()?).map(Buffer::from))
    }

    /// A file that was attached, checked against its digest.
    #[napi]
    pub fn attachment_sync(&self, env: Env, digest: String) -> napi::Result<Buffer> {
        self.at_once(&env, |ledger| ledger.attachment(&digest.parse()?).map(Buffer::from))
    }
}

fn found(ledger: &ledger::Ledger, query: Option<&Json>) -> Result<Found> {
    ledger.search(&sealwright::json::parse("query", bytes_of(query))?).map(Found)
}

/// A count as JavaScript has it; a ledger never has 2^53 entries.
fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An index as the core has it; below nothing is beyond everything, and not found.
fn place(index: i64) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}

/// Proof that a record is in a ledger. Given by a ledger; one that is parsed is a claim until it is checked.
#[napi]
pub struct Receipt(pub(crate) ledger::Receipt);

#[napi]
impl Receipt {
    /// Reads a receipt as `ledger prove` writes it, and as its JSON.
    #[napi]
    pub fn parse(env: Env, receipt: &[u8]) -> napi::Result<Self> {
        at_once(&env, || ledger::Receipt::from_json(receipt).map(Self))
    }

    /// Index of the entry, from 0.
    #[napi(getter)]
    pub fn index(&self) -> i64 {
        number(self.0.index)
    }

    /// Whether the record was in the ledger before.
    #[napi(getter)]
    pub fn already_there(&self) -> bool {
        self.0.already_there
    }

    /// The receipt as data, with its C2SP tlog-proof.
    #[napi(js_name = "toJSON", ts_return_type = "ReceiptData")]
    pub fn to_json(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0))
    }

    /// Verifies that `record` is in the ledger that is demanded, without the ledger.
    #[napi(ts_return_type = "Promise<ReceiptVerdict>")]
    pub fn check(&self, record: &[u8], #[napi(ts_arg_type = "ReceiptDemand")] demand: Json) -> AsyncTask<Work<Json>> {
        let (receipt, record) = (self.0.clone(), record.to_vec());
        later(move || Json::of(&receipt.check(&record, &ReceiptDemand::from_json(demand.as_bytes())?)?))
    }

    /// As `check`, at once.
    #[napi(ts_return_type = "ReceiptVerdict")]
    pub fn check_sync(
        &self,
        env: Env,
        record: &[u8],
        #[napi(ts_arg_type = "ReceiptDemand")] demand: Json,
    ) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.check(record, &ReceiptDemand::from_json(demand.as_bytes())?)?))
    }

    /// Verifies that `record` is in the ledger whose checkpoints `logKey` signs: resolves, or rejects.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn verify(&self, record: &[u8], log_key: String) -> AsyncTask<Work<()>> {
        let (receipt, record) = (self.0.clone(), record.to_vec());
        later(move || receipt.verify(&record, &log_key.parse()?))
    }

    /// Verifies that `record` is in the ledger whose checkpoints `logKey` signs: returns, or throws.
    #[napi]
    pub fn verify_sync(&self, env: Env, record: &[u8], log_key: String) -> napi::Result<()> {
        at_once(&env, || self.0.verify(record, &log_key.parse()?))
    }
}

/// A record of a ledger: proven to be in it, and verified under the trust policy at its index.
#[napi]
pub struct LedgerRecord(ledger::LedgerRecord);

#[napi]
impl LedgerRecord {
    /// Index of its entry, from 0.
    #[napi(getter)]
    pub fn index(&self) -> i64 {
        number(self.0.index)
    }

    /// When it was logged, RFC 3339.
    #[napi(getter)]
    pub fn logged_at(&self, env: Env) -> napi::Result<String> {
        at_once(&env, || self.0.logged_at().map(|t| t.to_string()))
    }

    /// Its entry.
    #[napi(getter, ts_return_type = "Entry")]
    pub fn entry(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.entry))
    }

    /// The record, verified.
    #[napi(getter)]
    pub fn verified(&self) -> Verified {
        Verified::of(self.0.verified.clone())
    }

    /// What the record says.
    #[napi(getter)]
    pub fn statement(&self) -> Statement {
        Statement::of(self.0.statement().clone())
    }

    /// Who signed it, as the trust policy at its index knows them.
    #[napi(getter, ts_return_type = "Speaker")]
    pub fn speaker(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.speaker))
    }

    /// Whether a revocation of today takes away what it supports.
    #[napi(getter)]
    pub fn revoked(&self) -> bool {
        self.0.revoked
    }
}

/// What a search found.
#[napi]
pub struct Found(ledger::Found);

#[napi]
impl Found {
    /// The records, in the order of the ledger.
    #[napi(getter)]
    pub fn records(&self) -> Vec<LedgerRecord> {
        self.0.records.iter().cloned().map(LedgerRecord).collect()
    }

    /// Whether there are more; search again with `after` set to the last index.
    #[napi(getter)]
    pub fn more(&self) -> bool {
        self.0.more
    }

    /// Number of entries of the ledger that was searched.
    #[napi(getter)]
    pub fn size(&self) -> i64 {
        number(self.0.size)
    }
}
