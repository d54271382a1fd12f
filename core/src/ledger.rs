//! The ledger: append, prove, search, audit. Append-only, and nobody can quietly rewrite it.
//!
//! The tree commits to small entries (predicates section 1.1); records lie beside it as salted bodies. Tiles and
//! checkpoints are those of C2SP, so independent tools read them. A [`Receipt`] is given only when the record is on
//! disk and under a signed checkpoint. The highest checkpoint seen is remembered outside of the folder ([`Anchors`]).

mod anchor;
mod append;
mod archive;
mod attachment;
mod audit;
mod book;
#[cfg(feature = "object-store")]
mod bucket;
mod complete;
mod config;
mod edge;
mod encrypted;
mod encryption_keys;
mod entry;
mod folder;
mod fork;
mod group;
#[cfg(feature = "witness")]
mod http;
mod index;
mod label;
mod layers;
mod leads;
mod linked;
mod log_key;
mod mark;
mod mirror;
mod pins;
mod place;
pub(crate) mod receipt;
mod release_id;
mod relocation;
mod retention;
mod sealed;
mod search;
#[cfg(feature = "serve")]
mod served;
pub(crate) mod service;
mod source;
mod spend;
mod sqlite;
mod stats;
pub(crate) mod storage;
mod store;
mod tail;
mod tiled;
mod walk;
mod witness;
#[cfg(feature = "witness")]
mod witness_client;
mod witnessed;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;

pub use anchor::Anchors;
#[cfg(feature = "serve")]
pub(crate) use append::Job;
pub use archive::Moved;
pub use attachment::AttachmentReader;
pub(crate) use audit::attachments_named;
pub use audit::{AuditDepth, AuditFinding, AuditFindingKind, AuditReport};
#[cfg(feature = "object-store")]
pub use bucket::BucketPlace;
pub use complete::Complete;
pub use encryption_keys::RotatedKeys;
pub use entry::Entry;
pub(crate) use entry::check_commitment;
pub use fork::Fork;
pub(crate) use label::{Labels, Listing, check_listing};
pub use mirror::{Lag, Mirror, Mirrored};
pub use pins::Pins;
pub(crate) use pins::PinsWire;
pub use place::Place;
pub use receipt::{Receipt, ReceiptDemand, ReceiptVerdict};
pub use relocation::{MoveProgress, Relocated};
pub use retention::{Disposal, DisposalPlan, Due, Hold, Retention, Schedule};
pub use search::{Found, Pages, Query};
pub use source::LogSource;
#[cfg(feature = "serve")]
pub(crate) use stats::event_time;
pub use stats::{Aged, Held, Latency, LedgerStats};
pub use storage::{Repair, RepairKind};
pub use tiled::{Progress, TiledLog};
pub use walk::LedgerRecord;
pub(crate) use walk::{Selected, Selection};
pub use witness::{Witness, WitnessAnswer};
#[cfg(feature = "witness")]
pub use witness_client::Asked;
#[cfg(feature = "serve")]
pub(crate) use witnessed::is_about_checkpoint;
pub use witnessed::{Unwitnessed, Witnessed};

use crate::checkpoint::{Checkpoint, LogKeys, SignedCheckpoint, VerifierKey};
use crate::digest::Digest;
use crate::encryption::KeyEncryptionKey;
use crate::error::{Error, ErrorKind, Result};
use crate::key::{KeyType, PrivateKey};
use crate::limits;
use crate::merkle::{EMPTY_ROOT, Hash, consistency_proof, verify_consistency};
use crate::predicate::{PredicateType as _, TrustPolicy as TrustPolicyRecord};
use crate::timestamp::Timestamp;
use crate::trust_policy::{TrustChain, TrustPolicy};
use anchor::{Anchor, Noted};
use book::Book;
use config::{parse_config, read_config};
use edge::Edge;
use folder::FolderStorage;
use group::Seal;
pub(crate) use index::{Index, UNREADABLE};
use layers::Layers;
pub(crate) use log_key::is_of_replaced_key;
use log_key::read_checkpoint;
pub(crate) use relocation::is_of_moved_ledger;
use retention::Disposals;
use service::TrustFrom;
use storage::Storage;
use store::{CHECKPOINT, CONFIG, Store};
use tail::Tail;
use walk::lost_tile;

/// A ledger in a folder.
pub struct Ledger {
    store: Store,
    /// What the store is seen through.
    layers: Layers,
    /// How its entries are labelled.
    labels: Labels,
    anchors: Anchors,
    log_key: LogKeys,
    checkpoint: SignedCheckpoint,
    trust: TrustChain,
    trust_entries: Vec<u64>,
    anchored: Anchored,
    sequencer: Option<Arc<PrivateKey>>,
    submitter: Option<String>,
    patience: Duration,
    /// The search index, once it was needed; the connection stays open.
    index: Mutex<Option<Box<dyn Index>>>,
    /// Disposals up to this size, once they were asked for.
    disposals: Mutex<Option<(u64, Arc<Disposals>)>>,
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
    /// The checkpoint it last remembered.
    noted: Option<Noted>,
    /// How long its last appends took.
    append_micros: VecDeque<i64>,
    /// Whether somebody said where the trust policy lies, and nobody looked for what they left out.
    trust_is_told: bool,
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
        Self::init_in(Arc::new(FolderStorage::new(folder)), anchors, origin, log_key, trust_policy, None, now)
    }

    /// As [`Ledger::init`], in any storage.
    pub(crate) fn init_in(
        storage: Arc<dyn Storage>,
        anchors: &Anchors,
        origin: &str,
        log_key: PrivateKey,
        trust_policy: &[Vec<u8>],
        kek: Option<&dyn KeyEncryptionKey>,
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
        let config = config::written(&vkey, kek.is_some())?;
        let layers = match kek {
            Some(kek) => Layers::encrypted(storage, origin, kek)?,
            None => Layers::plain(storage),
        };
        let checkpoint = SignedCheckpoint::sign(Checkpoint::new(origin, 0, EMPTY_ROOT)?, &log_key)?;
        let mut ledger = Self::of(layers, anchors.clone(), vkey.into(), checkpoint, TrustChain::pinned(None));
        ledger.sequencer = Some(Arc::new(log_key));
        // the whole trust policy is checked before a first byte is written
        ledger.check_genesis(trust_policy, now)?;
        let storage = Arc::clone(ledger.layers.bottom());
        let place = storage.place();
        let taken = |what: String| Err(Error::new(ErrorKind::AlreadyExists, what));
        if !storage.create()? {
            return taken(format!("`{place}` is not empty; name a new folder for the ledger"));
        }
        let mut right = storage.acquire(ledger.patience)?;
        if storage.size(CONFIG)?.is_some() {
            return taken(format!("another process made a ledger at `{place}` just now; open that"));
        }
        let made =
            right.write(CONFIG, &config).and_then(|()| ledger.layers.write_keyring(right.as_mut())).and_then(|()| {
                match ledger.layers.sealed() {
                    Some(sealed) => ledger.append_genesis(trust_policy, sealed.over(right).as_mut(), now),
                    None => ledger.append_genesis(trust_policy, right.as_mut(), now),
                }
            });
        if let Err(e) = made {
            // nothing was receipted, so nothing is lost: the same call can be made again
            storage.destroy();
            return Err(e);
        }
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
        let storage: Arc<dyn Storage> = Arc::new(FolderStorage::new(folder));
        Self::open_in(&storage, anchors, pins, None)
    }

    /// As [`Ledger::open`], in any storage.
    pub(crate) fn open_in(
        storage: &Arc<dyn Storage>,
        anchors: &Anchors,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
    ) -> Result<Self> {
        Self::open_with(storage, anchors, pins, kek, TrustFrom::Entries)
    }

    /// As [`Ledger::open`], in any storage, with the trust policy from where `trust` says.
    pub(crate) fn open_with(
        storage: &Arc<dyn Storage>,
        anchors: &Anchors,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        trust: TrustFrom<'_>,
    ) -> Result<Self> {
        let patience = Duration::from_millis(limits::LEDGER_LOCK_MILLIS);
        let in_flux = storage.recover(Duration::ZERO)?;
        match Self::open_as_it_is(storage, anchors, pins, kek, trust) {
            // half of what somebody else is making whole right now
            Err(e) if in_flux && e.kind() == ErrorKind::LedgerTampered => {
                storage.recover(patience)?;
                Self::open_as_it_is(storage, anchors, pins, kek, trust)
            }
            opened => opened,
        }
    }

    fn open_as_it_is(
        storage: &Arc<dyn Storage>,
        anchors: &Anchors,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        trust: TrustFrom<'_>,
    ) -> Result<Self> {
        let store = Store::new(Arc::clone(storage));
        let (origin, first_key, is_encrypted) = read_config(&store)?;
        let log_key = log_key::read_keys(&store, &first_key)?;
        let anchor = anchors.load(&origin)?;
        if let Some(pinned) = pins.log_key.as_ref().filter(|pinned| log_key.all().all(|key| key != *pinned)) {
            return Err(log_key::other_key(pinned, log_key.current()));
        }
        if let Some(anchor) = &anchor {
            log_key::check_continues(&anchor.log_keys()?, &log_key)?;
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
        let checkpoint = read_checkpoint(&store, &log_key)?;
        let layers = Layers::open(store.shared(), &origin, is_encrypted, kek)?;
        let told = if matches!(trust, TrustFrom::Entries) { Self::told(&layers)? } else { None };
        let trust = told.as_deref().map_or(trust, TrustFrom::Told);
        let known_trust = TrustChain::pinned(pins.trust_policy.clone().or(known_policy));
        let mut ledger = Self::of(layers, anchors.clone(), log_key, checkpoint, known_trust);
        if anchor.is_some() || pins.min_checkpoint.is_some() {
            ledger.anchored = Anchored::Extends;
        }
        ledger.trust_is_told = matches!(trust, TrustFrom::Told(_));
        let verified = |note: &[u8]| ledger.log_key.parse_and_verify(note);
        let seen = anchor.as_ref().map(|a| verified(a.checkpoint.as_bytes())).transpose()?;
        let demanded = pins.min_checkpoint.as_deref().map(verified).transpose()?;
        for seen in seen.iter().chain(&demanded) {
            ledger.check_extends(seen.checkpoint()).map_err(|e| ledger.keep_contradiction(seen, e))?;
        }
        ledger.check_rotations()?;
        match trust {
            TrustFrom::Entries => ledger.load_trust(anchor.as_ref().zip(seen.as_ref()))?,
            TrustFrom::Told(entries) => ledger.take_told(entries)?,
        }
        ledger.remember(true)?;
        Ok(ledger)
    }

    /// A handle that has looked at nothing yet but the checkpoint.
    fn of(layers: Layers, anchors: Anchors, log_key: LogKeys, checkpoint: SignedCheckpoint, trust: TrustChain) -> Self {
        Self {
            store: layers.store(),
            labels: layers.labels(),
            layers,
            anchors,
            log_key,
            checkpoint,
            trust,
            trust_entries: Vec::new(),
            anchored: Anchored::FirstUse,
            sequencer: None,
            submitter: None,
            patience: Duration::from_millis(limits::LEDGER_LOCK_MILLIS),
            index: Mutex::default(),
            disposals: Mutex::default(),
            tail: Mutex::default(),
            book: Mutex::default(),
            edge: None,
            seal: None,
            swept: false,
            appended: false,
            remembered: 0,
            noted: None,
            append_micros: VecDeque::new(),
            trust_is_told: false,
        }
    }

    /// Sees the ledger through other layers from now on.
    fn set_layers(&mut self, layers: Layers) {
        (self.store, self.labels) = (layers.store(), layers.labels());
        self.layers = layers;
    }

    /// Lets this handle append, with the key that signs checkpoints.
    ///
    /// # Errors
    /// `UNTRUSTED_SIGNER` if it is another key than the ledger's, or was replaced; `API_MISUSE` for a mirror.
    pub fn with_log_key(mut self, key: PrivateKey) -> Result<Self> {
        let vkey = VerifierKey::new(self.origin(), key.public().clone())?;
        if vkey != *self.log_key() {
            let was = self.log_key.all().any(|key| *key == vkey);
            let what = if was { "was replaced as the one of the ledger by" } else { "is not the one of the ledger," };
            return Err(Error::new(
                ErrorKind::UntrustedSigner,
                format!("the key `{vkey}` {what} `{}`; give that one", self.log_key()),
            ));
        }
        self.check_no_mirror()?;
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

    /// The key of the log, the newest if it was replaced ([`Ledger::log_keys`]).
    pub fn log_key(&self) -> &VerifierKey {
        self.log_key.current()
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
        // the one that was verified is not verified again; the key may have been replaced without a new one
        let same = self.store.read(CHECKPOINT, limits::CHECKPOINT_BYTES);
        let same = same.is_ok_and(|note| note == self.checkpoint.note().as_bytes());
        if same && !log_key::is_replaced_after(&self.store, &self.log_key)? {
            return Ok(());
        }
        let mut keys = log_key::read_keys(&self.store, self.log_key.first())?;
        let newer = match read_checkpoint(&self.store, &keys) {
            Ok(newer) => newer,
            Err(e) => {
                // the key may have been replaced between the two
                keys = log_key::read_keys(&self.store, self.log_key.first())?;
                read_checkpoint(&self.store, &keys).map_err(|_| e)?
            }
        };
        log_key::check_continues(&self.log_key, &keys)?;
        if newer.checkpoint() == self.checkpoint.checkpoint() && keys == self.log_key {
            // witnesses may have cosigned it
            self.checkpoint = newer;
            return Ok(());
        }
        let mut policies = Vec::new();
        let store = self.store.clone();
        let policy_type = self.labels.of(label::TYPE, TrustPolicyRecord::TYPE).map(std::borrow::Cow::into_owned);
        let advanced = self.edge().cloned().and_then(|edge| {
            edge.advance(newer.checkpoint(), &store, |index, bytes| {
                if policy_type.as_ref().is_ok_and(|policy_type| book::holds(bytes, policy_type)) {
                    policies.push(index);
                }
                Ok(())
            })
        });
        if !self.labels.are_known() {
            policies = self.told_since(newer.checkpoint().size())?;
        }
        let before = std::mem::replace(&mut self.checkpoint, newer);
        let known = std::mem::replace(&mut self.log_key, keys);
        let trust = (!policies.is_empty()).then(|| (self.trust.clone(), self.trust_entries.clone()));
        let taken = match advanced {
            Ok(edge) => {
                self.edge = Some(edge);
                let taken = policies.into_iter().try_for_each(|index| self.take_trust_policy(index));
                taken.and_then(|()| self.check_rotations())
            }
            // what it contradicts tells more than which bytes are wrong
            Err(e) => {
                let extends = self.check_extends(before.checkpoint());
                extends.map_err(|e| self.keep_contradiction(&before, e)).and(Err(e))
            }
        };
        if let Err(e) = taken {
            // all of it goes back, or half of what is refused would be believed
            (self.checkpoint, self.edge) = (before, None);
            self.log_key = known;
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
        let policy_type = self.labels.of(label::TYPE, TrustPolicyRecord::TYPE)?.into_owned();
        let seen = Edge::load(&Checkpoint::new(self.origin(), size, *root)?, &self.store)?;
        let edge = seen.advance(self.checkpoint.checkpoint(), &self.store, |index, bytes| {
            // an entry has one canonical form, in which its type has one spelling
            if book::holds(bytes, &policy_type) {
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
        if self.labels.are_known() && !entry.is_of_type(TrustPolicyRecord::TYPE) {
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
        if self.trust_is_told {
            return Ok(());
        }
        let Some((_, first)) = self.trust.versions().next() else { return Ok(()) };
        let anchor = Anchor {
            v: Anchor::FORMAT.to_owned(),
            origin: self.origin().to_owned(),
            log_key: self.log_key.first().to_string(),
            rotations: self.log_key.rotations().iter().map(|rotation| rotation.note().to_owned()).collect(),
            trust_policy: first.payload().hex(),
            checkpoint: self.checkpoint.note().to_owned(),
            trust_policy_entries: self.trust_entries.clone(),
        };
        let durable = durable || self.size() - self.remembered.min(self.size()) >= REMEMBERED_EVERY;
        let noted = self.noted.as_ref();
        let raised = self.anchors.raise(&anchor, durable, noted, |kept| {
            match kept.rotations.len().cmp(&anchor.rotations.len()) {
                std::cmp::Ordering::Less => return Ok(true),
                std::cmp::Ordering::Greater => return Ok(false),
                std::cmp::Ordering::Equal if kept.checkpoint == anchor.checkpoint => return Ok(false),
                std::cmp::Ordering::Equal => {}
            }
            // what this handle wrote there itself, it went on from
            if noted.is_some_and(|noted| noted.checkpoint == kept.checkpoint) {
                return Ok(true);
            }
            let kept = self.log_key.parse_and_verify(kept.checkpoint.as_bytes())?;
            Ok(kept.checkpoint().size() < self.size())
        })?;
        if durable {
            self.remembered = self.size();
        }
        self.noted = Some(raised);
        Ok(())
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("origin", &self.origin()).field("size", &self.size()).finish_non_exhaustive()
    }
}
