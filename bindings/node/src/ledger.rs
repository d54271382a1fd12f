//! The ledger, its receipts and what it finds.
#![expect(
    clippy::too_many_arguments,
    reason = "what a ledger is made of has no defaults; a twin has the environment beside it"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer, ClassInstance, This, ToNapiValue, TypeName};
use napi_derive::napi;
use sealwright::affected::{Asked, affected};
use sealwright::ledger::{self, Anchors, Pages, Pins, ReceiptDemand};
use sealwright::remote::Access;
use sealwright::{Result, key};

use crate::data::{Bytes, Json, bytes_of, now as time};
use crate::iterator::Next;
use crate::key::PrivateKey;
use crate::opening::Opening;
use crate::record::{Statement, Verified};
use crate::signer::AnySigner;
use crate::witness::log_keys;
use crate::work::{Work, at_once, later, twins};

/// A ledger in a folder, in a bucket or behind an address: append, prove, search, audit. Calls on one handle take turns.
#[napi]
pub struct Ledger {
    shared: Arc<Shared>,
    origin: String,
    place: String,
    anchored: ledger::Anchored,
}

/// A ledger, and what a getter tells of it, which must not wait for work on it.
struct Shared {
    ledger: Mutex<ledger::Ledger>,
    told: Mutex<Told>,
}

/// What the last work on a ledger left of what may change.
struct Told {
    log_key: String,
    encrypted_with: Option<String>,
}

impl Told {
    fn of(ledger: &ledger::Ledger) -> Self {
        let encrypted_with = ledger.key_encryption_key().map(str::to_owned);
        Self { log_key: ledger.log_key().to_string(), encrypted_with }
    }
}

impl Shared {
    fn work<T>(&self, work: impl FnOnce(&mut ledger::Ledger) -> Result<T>) -> Result<T> {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work(&mut ledger);
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Told::of(&ledger);
        done
    }

    fn told<T>(&self, tell: impl FnOnce(&Told) -> T) -> T {
        tell(&self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Ledger {
    fn of(ledger: ledger::Ledger) -> Self {
        let (origin, place, anchored) = (ledger.origin().to_owned(), ledger.place(), ledger.anchored());
        let told = Mutex::new(Told::of(&ledger));
        Self { shared: Arc::new(Shared { ledger: Mutex::new(ledger), told }), origin, place, anchored }
    }

    /// Does work on the ledger off the event loop.
    pub(crate) fn later<T: Send + ToNapiValue + TypeName + 'static>(
        &self,
        work: impl FnOnce(&mut ledger::Ledger) -> Result<T> + Send + 'static,
    ) -> AsyncTask<Work<T>> {
        let shared = Arc::clone(&self.shared);
        later(move || shared.work(work))
    }

    /// Does work on the ledger at once.
    pub(crate) fn at_once<T>(&self, env: &Env, work: impl FnOnce(&mut ledger::Ledger) -> Result<T>) -> napi::Result<T> {
        at_once(env, || self.shared.work(work))
    }
}

/// What a new ledger is made of.
struct New {
    place: String,
    anchors: String,
    origin: String,
    log_key: Arc<key::PrivateKey>,
    trust_policy: Vec<Vec<u8>>,
    now: Option<Json>,
    opening: Opening,
}

impl New {
    fn made(self) -> Result<Ledger> {
        let place = self.opening.read()?.place(&self.place)?;
        let (anchors, log_key) = (Anchors::in_folder(self.anchors), PrivateKey::own(&self.log_key)?);
        let (trust_policy, kek, now) = (&self.trust_policy, self.opening.kek(), time(self.now)?);
        ledger::Ledger::init_at(&place, &anchors, &self.origin, log_key, trust_policy, kek, now).map(Ledger::of)
    }
}

fn opened(place: &str, anchors: &str, opening: &Opening) -> Result<Ledger> {
    let anchors = Anchors::in_folder(anchors);
    opening.read()?.open(place, &anchors, opening.log_key()?, opening.kek()).map(Ledger::of)
}

fn connected(url: &str, anchors: &str, access: Option<&Json>, pins: Option<&Json>) -> Result<Ledger> {
    let (access, pins) = (Access::from_json(bytes_of(access))?, Pins::from_json(bytes_of(pins))?);
    ledger::Ledger::connect(url, &access, &Anchors::in_folder(anchors), &pins).map(Ledger::of)
}

fn moved(from: &str, to: &str, anchors: &str, opening: &Opening) -> Result<Json> {
    let read = opening.read()?;
    let (from, to, anchors) = (read.place(from)?, read.place(to)?, Anchors::in_folder(anchors));
    Json::of(&ledger::Ledger::move_to(&from, &to, &anchors, read.pins(), opening.kek(), &mut |_| {})?)
}

fn copies(records: Vec<Buffer>) -> Vec<Vec<u8>> {
    records.iter().map(|record| record.to_vec()).collect()
}

#[napi]
impl Ledger {
    /// Makes a new ledger at `place`, a folder or a bucket that a file describes. Its first entries are the signed records of
    /// version 1 of its trust policy.
    ///
    /// `anchors` is a folder outside of it, in which its highest checkpoint is remembered. `origin` names the log for
    /// ever. `logKey` (Ed25519) signs its checkpoints. Of `opening`, `encryptionKey` encrypts it.
    #[napi(ts_return_type = "Promise<Ledger>")]
    pub fn init(
        place: String,
        anchors: String,
        origin: String,
        log_key: &PrivateKey,
        trust_policy: Vec<Buffer>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
        opening: Option<Opening>,
    ) -> AsyncTask<Work<Ledger>> {
        let (log_key, trust_policy) = (Arc::clone(&log_key.0), copies(trust_policy));
        let opening = opening.unwrap_or_default();
        later(move || New { place, anchors, origin, log_key, trust_policy, now, opening }.made())
    }

    /// As `init`, at once.
    #[napi]
    pub fn init_sync(
        env: Env,
        place: String,
        anchors: String,
        origin: String,
        log_key: &PrivateKey,
        trust_policy: Vec<Buffer>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
        opening: Option<Opening>,
    ) -> napi::Result<Self> {
        let (log_key, trust_policy) = (Arc::clone(&log_key.0), copies(trust_policy));
        let opening = opening.unwrap_or_default();
        at_once(&env, || New { place, anchors, origin, log_key, trust_policy, now, opening }.made())
    }

    /// Opens the ledger at `place`: an address, a file in TOML that describes a bucket, or a folder; to read it and, with
    /// its `logKey` or behind an address, to append.
    #[napi(ts_return_type = "Promise<Ledger>")]
    pub fn open(place: String, anchors: String, opening: Option<Opening>) -> AsyncTask<Work<Ledger>> {
        later(move || opened(&place, &anchors, &opening.unwrap_or_default()))
    }

    /// As `open`, at once.
    #[napi]
    pub fn open_sync(env: Env, place: String, anchors: String, opening: Option<Opening>) -> napi::Result<Self> {
        at_once(&env, || opened(&place, &anchors, &opening.unwrap_or_default()))
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

    /// Moves the ledger at `from` to `to`, with the same root; `from` takes no append any more.
    #[napi(ts_return_type = "Promise<Relocated>")]
    pub fn move_to(from: String, to: String, anchors: String, opening: Option<Opening>) -> AsyncTask<Work<Json>> {
        later(move || moved(&from, &to, &anchors, &opening.unwrap_or_default()))
    }

    /// As `moveTo`, at once.
    #[napi(ts_return_type = "Relocated")]
    pub fn move_to_sync(
        env: Env,
        from: String,
        to: String,
        anchors: String,
        opening: Option<Opening>,
    ) -> napi::Result<Json> {
        at_once(&env, || moved(&from, &to, &anchors, &opening.unwrap_or_default()))
    }

    /// The name of the log.
    #[napi(getter)]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Where it lies, for people to read.
    #[napi(getter)]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The key of the log, as a C2SP verifier key; the newest that this handle has seen.
    #[napi(getter)]
    pub fn log_key(&self) -> String {
        self.shared.told(|told| told.log_key.clone())
    }

    /// Name of the key it is encrypted with, if it is.
    #[napi(getter)]
    pub fn key_encryption_key(&self) -> Option<String> {
        self.shared.told(|told| told.encrypted_with.clone())
    }

    /// Whether it could be compared with what was seen of it before.
    #[napi(getter, ts_return_type = "'extends' | 'first-use'")]
    pub fn anchored(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.anchored))
    }

    /// As `search`, all pages, each read when it is needed: `for await (const record of ledger.iterate(query))`. `limit` is
    /// the length of a page.
    #[napi]
    pub fn iterate(&self, env: Env, #[napi(ts_arg_type = "Query")] query: Option<Json>) -> napi::Result<Records> {
        let pages = at_once(&env, || read(query.as_ref()).map(Pages::of))?;
        Ok(Records { shared: Arc::clone(&self.shared), pages: Arc::new(Mutex::new((pages, VecDeque::new()))) })
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
            let receipts = ledger.append_all(&records, time(now)?)?;
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
        let receipts = self.at_once(&env, |ledger| ledger.append_all(&records, time(now)?))?;
        Ok(receipts.into_iter().map(Receipt).collect())
    }

    /// Appends a verified record. The same Statement by the same signer gives its first receipt again.
    #[napi(ts_return_type = "Promise<Receipt>")]
    pub fn append(
        &self,
        record: &Verified,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> AsyncTask<Work<Receipt>> {
        let record = Arc::clone(&record.0);
        self.later(move |ledger| ledger.append(&record, time(now)?).map(Receipt))
    }

    /// Appends a verified record. The same Statement by the same signer gives its first receipt again.
    #[napi]
    pub fn append_sync(
        &self,
        env: Env,
        record: &Verified,
        #[napi(ts_arg_type = "Time")] now: Option<Json>,
    ) -> napi::Result<Receipt> {
        self.at_once(&env, |ledger| ledger.append(&record.0, time(now)?).map(Receipt))
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
        self.later(move |ledger| ledger.record_statement(&statement, &*key, time(now)?).map(Receipt))
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
        self.at_once(&env, |ledger| ledger.record_statement(&statement.0, &*key.0, time(now)?).map(Receipt))
    }
}

twins! { Ledger, ledger;
    "Number of entries."
    size, size_sync() -> i64, "Promise<number>", "number" => Ok(number(ledger.size()));

    "The newest checkpoint this handle has seen, a signed note."
    checkpoint, checkpoint_sync() -> String, "Promise<string>", "string" => Ok(ledger.checkpoint().note().to_owned());

    "The trust policy in force."
    trust_policy, trust_policy_sync() -> Json, "Promise<Record<string, unknown>>", "Record<string, unknown>" =>
        Json::of(ledger.trust_policy()?.predicate());

    "Looks for entries that others appended meanwhile."
    refresh, refresh_sync() -> (), "Promise<void>", "void" => ledger.refresh();

    "What was not whole when this handle opened the ledger or wrote to it, and is now."
    repairs, repairs_sync() -> Json, "Promise<Repair[]>", "Repair[]" => Json::of(&ledger.repairs());

    "Where it was moved to, if it was; it takes no append then."
    moved_to, moved_to_sync() -> Json, "Promise<string | null>", "string | null" => Json::of(&ledger.moved_to());

    "What it holds as of `now`: bytes by type and age, and how late evidence arrives."
    stats, stats_sync(#[napi(ts_arg_type = "Time")] now: Option<Json>)
        -> LedgerStats, "Promise<LedgerStats>", "LedgerStats" => ledger.stats(time(now)?).map(LedgerStats);

    "Verifies a record under the trust policy in force, as it must be before it is appended."
    verify, verify_sync(
        #[napi(ts_arg_type = "Uint8Array")] record: Bytes,
        #[napi(ts_arg_type = "Time")] now: Option<Json>
    ) -> Verified, "Promise<Verified>", "Verified" => ledger.verify(&record.0, time(now)?).map(Verified::of);

    "The entry at `index`, proven."
    entry, entry_sync(index: i64) -> Json, "Promise<Entry>", "Entry" => Json::of(&ledger.entry(place(index))?);

    "The record at `index`, proven and verified."
    record, record_sync(index: i64) -> LedgerRecord, "Promise<LedgerRecord>", "LedgerRecord" =>
        ledger.record(place(index)).map(LedgerRecord);

    "Receipt of the entry at `index` under the present checkpoint."
    prove, prove_sync(index: i64) -> Receipt, "Promise<Receipt>", "Receipt" => ledger.prove(place(index)).map(Receipt);

    "Searches; all that is said must hold, nothing said finds everything."
    search, search_sync(#[napi(ts_arg_type = "Query")] query: Option<Json>) -> Found, "Promise<Found>", "Found" =>
        ledger.search(&read(query.as_ref())?).map(Found);

    "As `search`, from the log and not from the index, which could hide: it reads every entry."
    complete, complete_sync(#[napi(ts_arg_type = "Query")] query: Option<Json>)
        -> Complete, "Promise<Complete>", "Complete" => ledger.complete(&read(query.as_ref())?).map(Complete);

    "Which releases contain a package or have a vulnerability, where they run, since when, and by which path it came in."
    affected, affected_sync(#[napi(ts_arg_type = "Asked")] asked: Json) -> Json, "Promise<Affected>", "Affected" =>
        Json::of(&affected(ledger, &Asked::from_json(asked.as_bytes())?)?);

    "Makes the search index anew from the log."
    rebuild_index, rebuild_index_sync() -> (), "Promise<void>", "void" => ledger.rebuild_index();

    "Brings what this handle appended to rest, and says if that failed; it can be used on."
    close, close_sync() -> (), "Promise<void>", "void" => ledger.close();

    "Brings what was appended to rest, into its own files and those to disk, for what reads the folder by itself."
    settle, settle_sync() -> (), "Promise<void>", "void" => ledger.settle();

    "Audits every byte where the ledger lies, and behind an address what the log and its records lead to; no findings means"
    "that it is whole."
    audit, audit_sync() -> Json, "Promise<AuditReport>", "AuditReport" => Json::of(&ledger.audit()?);
}

fn read(query: Option<&Json>) -> Result<ledger::Query> {
    sealwright::json::parse("query", bytes_of(query))
}

/// A count as JavaScript has it; a ledger never has 2^53 entries.
pub(crate) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// An index as the core has it; below nothing is beyond everything, and not found.
fn place(index: i64) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX)
}

/// Records of a ledger, one after the other.
#[napi]
pub struct Records {
    shared: Arc<Shared>,
    pages: Arc<Mutex<(Pages, VecDeque<ledger::LedgerRecord>)>>,
}

#[napi]
impl Records {
    /// The next record.
    #[napi(ts_return_type = "Promise<IteratorResult<LedgerRecord, undefined>>")]
    pub fn next(&self) -> AsyncTask<Work<Next<LedgerRecord>>> {
        let (shared, pages) = (Arc::clone(&self.shared), Arc::clone(&self.pages));
        later(move || {
            let mut held = pages.lock().unwrap_or_else(PoisonError::into_inner);
            let (pages, page) = &mut *held;
            if page.is_empty() {
                page.extend(shared.work(|ledger| pages.next(ledger))?.into_iter().flatten());
            }
            Ok(Next(page.pop_front().map(LedgerRecord)))
        })
    }

    /// The iterator itself.
    #[napi(well_known_symbol = "asyncIterator", ts_return_type = "this")]
    pub fn records<'a>(&self, this: This<'a>) -> This<'a> {
        this
    }
}

/// What a ledger holds and costs.
#[napi]
pub struct LedgerStats(ledger::LedgerStats);

#[napi]
impl LedgerStats {
    /// The figures as data.
    #[napi(js_name = "toJSON", ts_return_type = "LedgerStatsData")]
    pub fn to_json(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0))
    }

    /// The same in the text format of Prometheus.
    #[napi]
    pub fn to_prometheus(&self) -> String {
        self.0.to_prometheus()
    }
}

/// All records that match a query, up to a checkpoint.
#[napi]
pub struct Complete(ledger::Complete);

#[napi]
impl Complete {
    /// The records, in the order of the ledger.
    #[napi(getter)]
    pub fn records(&self) -> Vec<LedgerRecord> {
        self.0.records.iter().cloned().map(LedgerRecord).collect()
    }

    /// Entries that may match, and whose body is not there.
    #[napi(getter)]
    pub fn without_body(&self) -> Vec<i64> {
        self.0.without_body.iter().copied().map(number).collect()
    }

    /// Whether there are more; ask again with `after` set to the last index.
    #[napi(getter)]
    pub fn more(&self) -> bool {
        self.0.more
    }

    /// Number of entries that were walked: nothing that matches was logged before and is left out.
    #[napi(getter)]
    pub fn size(&self) -> i64 {
        number(self.0.size)
    }

    /// Root of the checkpoint of that size, base64.
    #[napi(getter)]
    pub fn root(&self) -> String {
        self.0.root.to_string()
    }
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

    /// Verifies that `record` is in the ledger whose checkpoints `logKey` signs, or a key that replaced it by the notes
    /// `rotations`: resolves, or rejects.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn verify(&self, record: &[u8], log_key: String, rotations: Option<Vec<String>>) -> AsyncTask<Work<()>> {
        let (receipt, record) = (self.0.clone(), record.to_vec());
        later(move || checked(&receipt, &record, &log_key, rotations.as_deref()))
    }

    /// As `verify`, at once: returns, or throws.
    #[napi]
    pub fn verify_sync(
        &self,
        env: Env,
        record: &[u8],
        log_key: String,
        rotations: Option<Vec<String>>,
    ) -> napi::Result<()> {
        at_once(&env, || checked(&self.0, record, &log_key, rotations.as_deref()))
    }
}

fn checked(receipt: &ledger::Receipt, record: &[u8], log_key: &str, rotations: Option<&[String]>) -> Result<()> {
    receipt.verify_with(record, &log_keys(log_key, rotations)?).map(drop)
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
