//! The ledger: append, prove, search, audit. Append-only, and nobody can quietly rewrite it.
//!
//! The tree commits to small entries (predicates section 1.1); records lie beside it as salted bodies. Tiles and
//! checkpoints are those of C2SP, so independent tools read them. A [`Receipt`] is given only when the record is on
//! disk and under a signed checkpoint. The highest checkpoint seen is remembered outside of the folder ([`Anchors`]).

mod anchor;
mod append;
mod attachment;
mod audit;
#[cfg(feature = "object-store")]
mod bucket;
mod book;
mod complete;
mod edge;
mod entry;
mod folder;
mod group;
mod index;
mod place;
mod receipt;
mod release_id;
mod relocation;
mod search;
mod spend;
mod sqlite;
mod stats;
mod storage;
mod store;
mod tail;
mod walk;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use anchor::Anchors;
pub(crate) use audit::attachments_named;
pub use audit::{AuditDepth, AuditFinding, AuditFindingKind, AuditReport};
pub use attachment::AttachmentReader;
#[cfg(feature = "object-store")]
pub use bucket::BucketPlace;
pub use complete::Complete;
pub use entry::Entry;
pub(crate) use entry::check_commitment;
pub use place::Place;
pub use receipt::Receipt;
pub use relocation::{MoveProgress, Moved};
pub use search::{Found, Query};
pub use stats::{Aged, Held, Latency, LedgerStats};
pub use storage::{Repair, RepairKind};
pub use walk::LedgerRecord;
pub(crate) use walk::{Selected, Selection};

use crate::checkpoint::{Checkpoint, SignedCheckpoint, VerifierKey};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PrivateKey};
use crate::merkle::{EMPTY_ROOT, Hash, consistency_proof, verify_consistency};
use crate::timestamp::Timestamp;
use crate::predicate::{PredicateType as _, TrustPolicy as TrustPolicyRecord};
use crate::trust_policy::{TrustChain, TrustPolicy};
use crate::{json, limits};
use anchor::Anchor;
use book::Book;
use edge::Edge;
use folder::FolderStorage;
use group::Seal;
use index::Index;
use storage::Storage;
use store::{CHECKPOINT, CONFIG, Store};
use tail::Tail;
use walk::lost_tile;

/// A ledger in a folder.
pub struct Ledger {
    store: Store,
    anchors: Anchors,
    log_key: VerifierKey,
    checkpoint: SignedCheckpoint,
    trust: TrustChain,
    trust_entries: Vec<u64>,
    anchored: Anchored,
    sequencer: Option<Arc<PrivateKey>>,
    submitter: Option<String>,
    patience: Duration,
    /// The search index, once it was needed; the connection stays open.
    index: Mutex<Option<Box<dyn Index>>>,
    /// Entries that the index may not have.
    tail: Mutex<Tail>,
    /// What appends are checked against.
    book: Mutex<Book>,
    /// The right edge of the log, once it was needed.
    edge: Option<Edge>,
    /// What submissions to others carry.
    seal: Option<Seal>,
    /// Whether this handle has cleared leftovers.
    swept: bool,
    /// Whether this handle appended.
    appended: bool,
    /// The size up to which its anchor was brought to disk.
    remembered: u64,
}

/// Start of a `downloadLocation` that says that a file lies in the same ledger; its SHA-256 in hex follows.
pub const ATTACHMENT_LOCATION: &str = "ledger:attachments/";

/// Whether a ledger could be compared with what was seen of it before.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchored {
    /// It extends the highest checkpoint seen before.
    Extends,
    /// It was opened here for the first time: its key, trust policy and checkpoint were taken as found.
    FirstUse,
}

/// What is known of a ledger from elsewhere, before it is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Pins {
    /// The key of the log.
    pub log_key: Option<VerifierKey>,
    /// Payload digest of version 1 of the trust policy.
    pub trust_policy: Option<Digest>,
    /// A checkpoint the ledger must extend, as signed.
    pub min_checkpoint: Option<Vec<u8>>,
}

impl Pins {
    /// Nothing is known.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads pins from JSON: `logKey` (a C2SP verifier key), `trustPolicy` (`sha256:<hex>`) and `minCheckpoint` (a
    /// signed note), each of which may be left out.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known; `UNSUPPORTED` for an unknown digest algorithm.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let wire: PinsWire = json::parse("pins", bytes)?;
        Ok(Self {
            log_key: wire.log_key.map(|key| key.parse()).transpose()?,
            trust_policy: wire.trust_policy.map(|digest| digest.parse()).transpose()?,
            min_checkpoint: wire.min_checkpoint.map(String::into_bytes),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PinsWire {
    log_key: Option<String>,
    trust_policy: Option<String>,
    min_checkpoint: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    v: String,
    origin: String,
    log_key: String,
}

const FORMAT: &str = "sealwright-ledger/v1";
/// Entries after which the anchor is brought to disk again.
const REMEMBERED_EVERY: u64 = 256;

impl Ledger {
    /// Makes a new ledger in `folder` (which must not exist, or be empty), whose first entries are the records of
    /// version 1 of the trust policy, and remembers it in `anchors`.
    ///
    /// `origin` names the log for ever, a name without blanks that nobody else uses, such as
    /// `example.org/releases`. `log_key` (Ed25519) signs its checkpoints.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` if something is there or the origin is known here, `API_MISUSE` for an unusable origin or key,
    /// those of [`TrustChain::verify`] for the trust policy, `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`.
    pub fn init(
        folder: &Path,
        anchors: &Anchors,
        origin: &str,
        log_key: PrivateKey,
        trust_policy: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<Self> {
        Self::init_in(Arc::new(FolderStorage::new(folder)), anchors, origin, log_key, trust_policy, now)
    }

    /// As [`Ledger::init`], in any place. A bucket must be there, its service hold to conditional writes, and nothing lie
    /// under the prefix.
    ///
    /// # Errors
    /// As [`Ledger::init`]; `UNSUPPORTED` if the service passes over the conditions of a write; `SERVICE_UNAVAILABLE`.
    pub fn init_at(
        place: &Place,
        anchors: &Anchors,
        origin: &str,
        log_key: PrivateKey,
        trust_policy: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<Self> {
        Self::init_in(place.storage()?, anchors, origin, log_key, trust_policy, now)
    }

    /// As [`Ledger::init`], in any storage.
    pub(crate) fn init_in(
        storage: Arc<dyn Storage>,
        anchors: &Anchors,
        origin: &str,
        log_key: PrivateKey,
        trust_policy: &[Vec<u8>],
        now: Timestamp,
    ) -> Result<Self> {
        if log_key.public().key_type() != KeyType::Ed25519 {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "the key of a log must be Ed25519; generate one of that type",
            ));
        }
        let vkey = VerifierKey::new(origin, log_key.public().clone())?;
        if anchors.load(origin)?.is_some() {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("a ledger of the origin `{origin}` is known here already; open it, or choose another origin"),
            ));
        }
        let store = Store::new(storage);
        let config = Config { v: FORMAT.to_owned(), origin: origin.to_owned(), log_key: vkey.to_string() };
        let checkpoint = SignedCheckpoint::sign(Checkpoint::new(origin, 0, EMPTY_ROOT)?, &log_key)?;
        let mut ledger = Self {
            store,
            anchors: anchors.clone(),
            log_key: vkey,
            checkpoint,
            trust: TrustChain::pinned(None),
            trust_entries: Vec::new(),
            anchored: Anchored::FirstUse,
            sequencer: Some(Arc::new(log_key)),
            submitter: None,
            patience: Duration::from_millis(limits::LEDGER_LOCK_MILLIS),
            index: Mutex::default(),
            tail: Mutex::default(),
            book: Mutex::default(),
            edge: None,
            seal: None,
            swept: false,
            appended: false,
            remembered: 0,
        };
        // the whole trust policy is checked before a first byte is written
        ledger.check_genesis(trust_policy, now)?;
        let storage = ledger.store.shared();
        let place = storage.place();
        let taken = |what: String| Err(Error::new(ErrorKind::AlreadyExists, what));
        if !storage.create()? {
            return taken(format!("`{place}` is not empty; name a new folder for the ledger"));
        }
        let mut right = storage.acquire(ledger.patience)?;
        if storage.size(CONFIG)?.is_some() {
            return taken(format!("another process made a ledger at `{place}` just now; open that"));
        }
        let made = right
            .write(CONFIG, &json::canonical("ledger configuration", &config)?)
            .and_then(|()| ledger.append_genesis(trust_policy, right.as_mut(), now));
        if let Err(e) = made {
            // nothing was receipted, so nothing is lost: the same call can be made again
            storage.destroy();
            return Err(e);
        }
        drop(right);
        Ok(ledger)
    }

    /// Opens the ledger in `folder`, to read it and, with [`Ledger::with_log_key`], to append.
    ///
    /// Its checkpoint must be signed by the pinned key and extend the highest one seen. What is not pinned, neither in
    /// `pins` nor in `anchors`, is taken as found ([`Ledger::anchored`] tells).
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none; `LEDGER_ROLLED_BACK`, `LEDGER_FORKED` against what was seen before;
    /// `LEDGER_TAMPERED`, `TRUST_POLICY_REFUSED` for its content; `PERMISSION_DENIED` or `IO`.
    pub fn open(folder: &Path, anchors: &Anchors, pins: &Pins) -> Result<Self> {
        Self::open_in(Arc::new(FolderStorage::new(folder)), anchors, pins)
    }

    /// As [`Ledger::open`], in any place.
    ///
    /// # Errors
    /// As [`Ledger::open`]; `SERVICE_UNAVAILABLE`.
    pub fn open_at(place: &Place, anchors: &Anchors, pins: &Pins) -> Result<Self> {
        Self::open_in(place.storage()?, anchors, pins)
    }

    /// As [`Ledger::open`], in any storage.
    pub(crate) fn open_in(storage: Arc<dyn Storage>, anchors: &Anchors, pins: &Pins) -> Result<Self> {
        let patience = Duration::from_millis(limits::LEDGER_LOCK_MILLIS);
        let in_flux = storage.recover(Duration::ZERO)?;
        match Self::open_as_it_is(&storage, anchors, pins) {
            // half of what somebody else is making whole right now
            Err(e) if in_flux && e.kind() == ErrorKind::LedgerTampered => {
                storage.recover(patience)?;
                Self::open_as_it_is(&storage, anchors, pins)
            }
            opened => opened,
        }
    }

    fn open_as_it_is(storage: &Arc<dyn Storage>, anchors: &Anchors, pins: &Pins) -> Result<Self> {
        let store = Store::new(Arc::clone(storage));
        let (origin, found_key) = read_config(&store)?;
        let anchor = anchors.load(&origin)?;
        let known_key = match &anchor {
            Some(anchor) => Some(anchor.log_key.parse::<VerifierKey>()?),
            None => None,
        };
        for key in pins.log_key.iter().chain(&known_key) {
            if *key != found_key {
                return Err(Error::new(
                    ErrorKind::LedgerForked,
                    format!("the ledger is signed by the key `{found_key}`, pinned is `{key}`; this is another ledger"),
                )
                .with("expected", key)
                .with("found", &found_key));
            }
        }
        let known_policy = match &anchor {
            Some(anchor) => Some(Digest::from_hex(crate::digest::Algorithm::Sha256, &anchor.trust_policy)?),
            None => None,
        };
        if let (Some(given), Some(known)) = (&pins.trust_policy, &known_policy)
            && given != known
        {
            return Err(Error::new(
                ErrorKind::TrustPolicyRefused,
                format!(
                    "the trust policy `{given}` is demanded, and `{known}` is pinned here; ask its admins which is right"
                ),
            ));
        }
        let checkpoint = read_checkpoint(&store, &found_key)?;
        let mut ledger = Self {
            store,
            anchors: anchors.clone(),
            log_key: found_key,
            checkpoint,
            trust: TrustChain::pinned(pins.trust_policy.clone().or(known_policy)),
            trust_entries: Vec::new(),
            anchored: if anchor.is_some() || pins.min_checkpoint.is_some() {
                Anchored::Extends
            } else {
                Anchored::FirstUse
            },
            sequencer: None,
            submitter: None,
            patience: Duration::from_millis(limits::LEDGER_LOCK_MILLIS),
            index: Mutex::default(),
            tail: Mutex::default(),
            book: Mutex::default(),
            edge: None,
            seal: None,
            swept: false,
            appended: false,
            remembered: 0,
        };
        let verified = |note: &[u8]| SignedCheckpoint::parse_and_verify(note, &ledger.log_key);
        let seen = anchor.as_ref().map(|a| verified(a.checkpoint.as_bytes())).transpose()?;
        let demanded = pins.min_checkpoint.as_deref().map(verified).transpose()?;
        for seen in seen.iter().chain(&demanded) {
            ledger.check_extends(seen.checkpoint())?;
        }
        ledger.load_trust(anchor.as_ref().zip(seen.as_ref()))?;
        ledger.remember(true)?;
        Ok(ledger)
    }

    /// Lets this handle append, with the key that signs checkpoints.
    ///
    /// # Errors
    /// `UNTRUSTED_SIGNER` if it is another key than the ledger's.
    pub fn with_log_key(mut self, key: PrivateKey) -> Result<Self> {
        let vkey = VerifierKey::new(self.origin(), key.public().clone())?;
        if vkey != self.log_key {
            return Err(Error::new(
                ErrorKind::UntrustedSigner,
                format!(
                    "the key `{vkey}` is not the one of the ledger, `{}`; give the key it was made with",
                    self.log_key
                ),
            ));
        }
        self.sequencer = Some(Arc::new(key));
        Ok(self)
    }

    /// Names the credential of whoever submits what this handle appends; the trust policy says what it may
    /// ([`TrustPolicy::check_may_append`]).
    ///
    /// In a ledger in a folder this is the caller's word. It keeps a job from writing what it is not for; it does not
    /// hold off somebody who has the folder and the log key.
    #[must_use]
    pub fn with_submitter(mut self, credential: impl Into<String>) -> Self {
        self.submitter = Some(credential.into());
        self
    }

    /// How long to wait for another process that is appending; a minute unless said otherwise.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        self.checkpoint.checkpoint().origin()
    }

    /// The key of the log.
    pub fn log_key(&self) -> &VerifierKey {
        &self.log_key
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.checkpoint().size()
    }

    /// The newest checkpoint this handle has seen, signed.
    pub fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }

    /// Whether the ledger could be compared with what was seen of it before.
    pub fn anchored(&self) -> Anchored {
        self.anchored
    }

    /// All versions of the trust policy.
    pub fn trust(&self) -> &TrustChain {
        &self.trust
    }

    /// The trust policy in force.
    ///
    /// # Errors
    /// `TRUST_POLICY_REFUSED` if none is in force.
    pub fn trust_policy(&self) -> Result<&TrustPolicy> {
        self.trust.newest()
    }

    /// Where the ledger lies, for people to read: the path of its folder.
    pub fn place(&self) -> String {
        self.store.storage().place()
    }

    /// What was not whole when this handle opened the ledger or wrote to it, and is now; oldest first. Nothing that was
    /// receipted is ever among what was dropped.
    pub fn repairs(&self) -> Vec<Repair> {
        self.store.storage().repairs()
    }

    /// Looks for entries that others appended meanwhile.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn refresh(&mut self) -> Result<()> {
        let newer = read_checkpoint(&self.store, &self.log_key)?;
        if newer.checkpoint() == self.checkpoint.checkpoint() {
            // it may have other lines than before
            self.checkpoint = newer;
            return Ok(());
        }
        let mut policies = Vec::new();
        let store = self.store.clone();
        let advanced = self.edge().cloned().and_then(|edge| {
            edge.advance(newer.checkpoint(), &store, |index, bytes| {
                if book::holds(bytes, TrustPolicyRecord::TYPE) {
                    policies.push(index);
                }
                Ok(())
            })
        });
        let before = std::mem::replace(&mut self.checkpoint, newer);
        let trust = (!policies.is_empty()).then(|| (self.trust.clone(), self.trust_entries.clone()));
        let taken = match advanced {
            Ok(edge) => {
                self.edge = Some(edge);
                policies.into_iter().try_for_each(|index| self.take_trust_policy(index))
            }
            // what it contradicts tells more than which bytes are wrong
            Err(e) => self.check_extends(before.checkpoint()).and(Err(e)),
        };
        if let Err(e) = taken {
            // all of it goes back, or half of what is refused would be believed
            (self.checkpoint, self.edge) = (before, None);
            if let Some((trust, entries)) = trust {
                (self.trust, self.trust_entries) = (trust, entries);
            }
            return Err(e);
        }
        self.remember(false)
    }

    /// Checks that the ledger extends a checkpoint seen before.
    pub(crate) fn check_extends(&self, seen: &Checkpoint) -> Result<()> {
        let now = self.checkpoint.checkpoint();
        if seen.origin() != now.origin() {
            return Err(Error::new(
                ErrorKind::LedgerForked,
                format!("expected the ledger `{}`, found `{}`", seen.origin(), now.origin()),
            ));
        }
        if now.size() < seen.size() {
            return Err(Error::new(
                ErrorKind::LedgerRolledBack,
                format!(
                    "the ledger `{}` has {} entries, and {} were seen before; it was rolled back to an older state: restore the \
                     newer one from a copy, and find out who replaced it",
                    now.origin(), now.size(), seen.size()
                ),
            )
            .with("expected", seen.size())
            .with("found", now.size()));
        }
        let forked = |e: Error| {
            Error::new(
                ErrorKind::LedgerForked,
                format!(
                    "the ledger `{}` with {} entries contradicts the checkpoint of {} entries seen before: its history was \
                     rewritten; keep both states as proof and call the owner of the evidence",
                    now.origin(), now.size(), seen.size()
                ),
            )
            .caused_by(e)
        };
        if seen.size() == 0 {
            return Ok(());
        }
        let proof = consistency_proof(seen.size(), now.size(), &self.store).map_err(lost_tile)?;
        verify_consistency(seen.size(), seen.root(), now.size(), now.root(), &proof).map_err(forked)
    }

    /// Reads the trust policies: those the anchor knows by index, and those found by walking what is newer than its
    /// verified checkpoint.
    fn load_trust(&mut self, anchor: Option<(&Anchor, &SignedCheckpoint)>) -> Result<()> {
        match anchor {
            Some((anchor, seen)) => {
                for &index in &anchor.trust_policy_entries {
                    self.take_trust_policy(index)?;
                }
                self.load_trust_after(seen.checkpoint().size(), seen.checkpoint().root())?;
            }
            None => self.load_trust_after(0, &EMPTY_ROOT)?,
        }
        self.trust.newest().map(|_| ())
    }

    fn load_trust_after(&mut self, size: u64, root: &Hash) -> Result<()> {
        let mut found = Vec::new();
        let seen = Edge::load(&Checkpoint::new(self.origin(), size, *root)?, &self.store)?;
        let edge = seen.advance(self.checkpoint.checkpoint(), &self.store, |index, bytes| {
            // an entry has one canonical form, in which its type has one spelling
            if book::holds(bytes, TrustPolicyRecord::TYPE) {
                found.push(index);
            }
            Ok(())
        })?;
        self.edge = Some(edge);
        found.into_iter().try_for_each(|index| self.take_trust_policy(index))
    }

    fn take_trust_policy(&mut self, index: u64) -> Result<()> {
        let (entry, record) = self.proven_record(index)?;
        let at = entry.logged_at()?;
        if !crate::trust_policy::is_trust_policy(&entry.predicate_type) {
            return Ok(());
        }
        let verified = self.trust.verify(&record, index, at)?;
        self.trust.take(&verified, index, at)?;
        self.trust_entries.push(index);
        Ok(())
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        // a thread that panicked left it whole or emptied, and it is derived
        self.tail.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Remembers the checkpoint outside of the folder, unless a higher one is remembered already.
    fn remember(&mut self, durable: bool) -> Result<()> {
        let Some((_, first)) = self.trust.versions().next() else { return Ok(()) };
        let anchor = Anchor {
            v: Anchor::FORMAT.to_owned(),
            origin: self.origin().to_owned(),
            log_key: self.log_key.to_string(),
            trust_policy: first.payload().hex(),
            checkpoint: self.checkpoint.note().to_owned(),
            trust_policy_entries: self.trust_entries.clone(),
        };
        let durable = durable || self.size() - self.remembered.min(self.size()) >= REMEMBERED_EVERY;
        self.anchors.raise(&anchor, durable, |kept| {
            if kept.checkpoint == anchor.checkpoint {
                return Ok(false);
            }
            let kept = SignedCheckpoint::parse_and_verify(kept.checkpoint.as_bytes(), &self.log_key)?;
            Ok(kept.checkpoint().size() < self.size())
        })?;
        if durable {
            self.remembered = self.size();
        }
        Ok(())
    }
}

impl Drop for Ledger {
    /// Leaves nothing of what this handle appended for the next one to catch up with.
    fn drop(&mut self) {
        if self.appended {
            if !self.tail().is_empty() {
                let _ = self.with_index(|_| Ok(()));
            }
            let _ = self.anchors.settle(self.origin());
        }
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("origin", &self.origin()).field("size", &self.size()).finish_non_exhaustive()
    }
}

fn read_config(store: &Store) -> Result<(String, VerifierKey)> {
    let bytes = store.read(CONFIG, limits::CHECKPOINT_BYTES).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::new(
            ErrorKind::NotFound,
            format!("there is no ledger at `{}`; make one with `sealwright ledger init`", store.storage().place()),
        ),
        _ => e,
    })?;
    let tampered = |why: &str| {
        Error::new(ErrorKind::LedgerTampered, format!("`{CONFIG}` of the ledger is not as it was written: {why}"))
    };
    let config: Config = json::parse("ledger configuration", &bytes).map_err(|e| tampered(e.message()))?;
    if config.v != FORMAT {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("the ledger is of format `{}`, expected `{FORMAT}`; use a newer version", config.v.escape_debug()),
        ));
    }
    let key: VerifierKey = config.log_key.parse().map_err(|e: Error| tampered(e.message()))?;
    if key.name() != config.origin || json::canonical("ledger configuration", &config)? != bytes {
        return Err(tampered("its origin and key do not match, or it is not written canonically"));
    }
    Ok((config.origin, key))
}

fn read_checkpoint(store: &Store, key: &VerifierKey) -> Result<SignedCheckpoint> {
    let bytes = store.read(CHECKPOINT, limits::CHECKPOINT_BYTES).map_err(|e| match e.kind() {
        ErrorKind::NotFound => Error::new(
            ErrorKind::LedgerTampered,
            format!("the ledger at `{}` has lost its checkpoint; restore it from a copy", store.storage().place()),
        ),
        _ => e,
    })?;
    let checkpoint = SignedCheckpoint::parse_and_verify(&bytes, key).map_err(|e| {
        Error::new(
            ErrorKind::LedgerTampered,
            format!("the checkpoint of the ledger is not as it was signed: {}", e.message()),
        )
        .caused_by(e)
    })?;
    if checkpoint.note().as_bytes() != bytes {
        return Err(Error::new(
            ErrorKind::LedgerTampered,
            "the checkpoint of the ledger holds more than its signed note",
        ));
    }
    Ok(checkpoint)
}
