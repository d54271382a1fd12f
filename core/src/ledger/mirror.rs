//! A copy of a ledger that is pulled from elsewhere, over and over, and a ledger made of such a copy.
//!
//! Every tile, entry and body is held against the signed checkpoint before it is kept, and the checkpoint is written last:
//! what a pull that was cut short left is found again by the next. A mirror is a ledger's folder with `mirror.json` in it;
//! it is read, searched, audited and packed like one, and takes no records.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::anchor::Anchors;
use super::entry::{Body, Entry};
use super::folder::FolderStorage;
use super::log_key::{check_continues, other_key, read_keys, rotation_name};
use super::source::LogSource;
use super::storage::{Batch, Outcome, Right, Upload};
use super::store::{ATTACHMENTS, CHECKPOINT, CONFIG, MIRROR, Store};
use super::tiled::{TiledLog, damaged};
use super::{Ledger, Pins, Progress, attachments_named, parse_config, read_checkpoint};
use crate::bundle::Bundle;
use crate::checkpoint::{LogKeys, SignedCheckpoint, VerifierKey};
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::merkle::{BundleId, TILE_WIDTH, TileId, TileReader as _, encode_entries, encode_tile, leaf_hash};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::{json, limits};

/// A copy of a ledger in a folder of its own.
#[derive(Debug)]
pub struct Mirror {
    store: Store,
    anchors: Anchors,
}

/// What a pull came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Mirrored {
    /// Name of the log.
    pub origin: String,
    /// Entries that the copy had before.
    pub had: u64,
    /// Entries that it has now, as the source said.
    pub size: u64,
    /// Root over them, base64.
    pub root: String,
    /// Entries pulled now whose record the source does not have.
    pub without_body: u64,
    /// Entries whose record at the source is not the one they commit to, a hundred at most; nothing of them is kept.
    pub refused: Vec<u64>,
    /// Attachments that records name, and the source does not have as they must be.
    pub attachments_missing: u64,
}

impl Mirrored {
    /// Whether the source had all that its entries name, as it must be.
    pub fn is_whole(&self) -> bool {
        self.without_body == 0 && self.refused.is_empty() && self.attachments_missing == 0
    }
}

/// How far a copy is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Lag {
    /// Entries that the source has and the copy has not.
    pub entries: u64,
    /// For how long the oldest of them has been in the ledger, in milliseconds; 0 if there are none.
    pub millis: i64,
    /// When the copy was pulled last, if it ever was to its end.
    pub pulled_at: Option<Timestamp>,
}

/// What `mirror.json` says.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Marker {
    v: String,
    source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pulled_at: Option<Timestamp>,
    /// Whether something was missing at the source, and is to be looked for again.
    #[serde(default)]
    incomplete: bool,
}

const FORMAT: &str = "sealwright-mirror/v1";
/// How often a pull begins anew because the source grew beneath it.
const TRIES: usize = 5;
/// Indexes of refused bodies that are told.
const TOLD: usize = 100;

impl Mirror {
    /// The mirror in `folder`, whether it was pulled before or not. `anchors` remember what was seen of its ledger.
    pub fn open(folder: &Path, anchors: &Anchors) -> Self {
        Self { store: Store::new(Arc::new(FolderStorage::new(folder))), anchors: anchors.clone() }
    }

    /// Pulls what the ledger at `source` has and the copy has not. A pull that was cut short is continued.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` if the folder holds something else than a mirror of this ledger; `LEDGER_FORKED` if the source
    /// contradicts the copy, the pins or what was seen before (both checkpoints are then kept as proof beside the
    /// anchors), `LEDGER_ROLLED_BACK` if it is smaller; `LEDGER_TAMPERED` if a tile or an entry there is not what its
    /// checkpoint commits to; `SERVICE_UNAVAILABLE`, `STORAGE_FULL`, `PERMISSION_DENIED` or `IO`. What was kept up to then
    /// stays.
    pub fn pull(
        &self,
        source: &LogSource,
        pins: &Pins,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mirrored> {
        let storage = self.store.shared();
        if !storage.create()? && self.marker()?.is_none() {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("`{}` is not empty, and no mirror; name a new folder", storage.place()),
            ));
        }
        let mut right = storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?;
        let before = self.marker()?;
        let incomplete = before.as_ref().is_none_or(|marker| marker.incomplete);
        mark(right.as_mut(), source, before.and_then(|marker| marker.pulled_at), true)?;
        let mirrored = self.copy(right.as_mut(), source, pins, incomplete, progress)?;
        mark(right.as_mut(), source, Some(now), !mirrored.is_whole())?;
        right.settle()?;
        drop(right);
        // reads the trust policy, and remembers the checkpoint
        match Ledger::open_in(storage, &self.anchors, pins, None) {
            // without the records of the trust policy it is a copy of the log alone
            Err(e) if e.kind() == ErrorKind::BodyLost => Ok(mirrored),
            opened => opened.map(|_| mirrored),
        }
    }

    /// Makes a ledger of a copy, in this folder, which must be new or empty. It has the same root, and appends with the
    /// same log key. A restore that was cut short is continued.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` if something is in the folder; `LEDGER_ROLLED_BACK` if more was seen of the ledger than the copy
    /// has; otherwise as [`Mirror::pull`].
    pub fn restore(
        folder: &Path,
        anchors: &Anchors,
        copy: &LogSource,
        pins: &Pins,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mirrored> {
        let target = Self::open(folder, anchors);
        let storage = target.store.shared();
        let begun = target.marker()?.is_some() && storage.size(CHECKPOINT)?.is_none();
        if !storage.create()? && !begun {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("`{}` is not empty; name a new folder for the ledger", storage.place()),
            ));
        }
        let mut right = storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?;
        // nobody appends to half a ledger
        mark(right.as_mut(), copy, None, true)?;
        let restored = target.copy(right.as_mut(), copy, pins, true, progress)?;
        right.remove(&[MIRROR.to_owned()])?;
        right.settle()?;
        drop(right);
        Ledger::open_in(storage, anchors, pins, None)?;
        Ok(restored)
    }

    /// How far the copy is behind the ledger at `source` at the time `now`; nothing is pulled.
    ///
    /// # Errors
    /// As [`Mirror::pull`], `NOT_FOUND` if there is no copy yet.
    pub fn lag(&self, source: &LogSource, now: Timestamp) -> Result<Lag> {
        let (_, first, _) = parse_config(&self.store.read(CONFIG, limits::CHECKPOINT_BYTES)?)?;
        let keys = source.keys(&first)?;
        let own = self.own(&first, &keys)?;
        let log = TiledLog::open(source, &keys).map_err(damaged)?;
        let size = own.as_ref().map_or(0, |own| own.checkpoint().size());
        if let Some(own) = &own {
            self.check_extends(&log, own, &keys)?;
        }
        let entries = log.size() - size;
        let mut millis = 0;
        if entries > 0 {
            let width = u64::from(TILE_WIDTH);
            let bundle = log.entries(size / width).map_err(damaged)?;
            let place = usize::try_from(size % width).unwrap_or(usize::MAX);
            let oldest = bundle.get(place).map(|bytes| Entry::parse(bytes)).transpose()?;
            millis = oldest.map_or(0, |entry| (now.unix_millis() - entry.time).max(0));
        }
        Ok(Lag { entries, millis, pulled_at: self.marker()?.and_then(|marker| marker.pulled_at) })
    }

    /// Copies all that is new; begins anew if the source grew beneath, which takes its partial tiles away.
    fn copy(
        &self,
        right: &mut dyn Right,
        source: &LogSource,
        pins: &Pins,
        anew: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mirrored> {
        let mut tries = 0;
        loop {
            tries += 1;
            let begun = source.checkpoint()?;
            match self.copy_once(right, source, &begun, pins, anew, progress) {
                Err(e)
                    if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::LedgerTampered)
                        && tries < TRIES
                        && source.checkpoint()? != begun => {}
                Err(e) => return Err(damaged(e)),
                copied => return copied,
            }
        }
    }

    fn copy_once(
        &self,
        right: &mut dyn Right,
        source: &LogSource,
        checkpoint: &[u8],
        pins: &Pins,
        anew: bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mirrored> {
        let config = source.read(CONFIG, limits::CHECKPOINT_BYTES)?.ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("the log at `{source}` is no ledger of ours: it has no `{CONFIG}`; audit it as a foreign log"),
            )
        })?;
        let (origin, first, is_encrypted) = parse_config(&config)?;
        if is_encrypted {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the ledger at `{source}` is encrypted, and mirrors hold what they can check; copy its folder"),
            ));
        }
        let keys = source.keys(&first)?;
        if let Some(pinned) = pins.log_key.as_ref().filter(|pinned| keys.all().all(|key| key != *pinned)) {
            return Err(other_key(pinned, keys.current()));
        }
        let log = TiledLog::at(source, keys.parse_and_verify(checkpoint)?)?;
        for rotation in keys.rotations() {
            log.extends(rotation.at())?;
        }
        for seen in self.seen(&origin, &keys, pins)? {
            self.check_extends(&log, &seen, &keys)?;
        }
        let own = self.own(&first, &keys)?;
        if let Some(own) = &own {
            self.check_extends(&log, own, &keys)?;
        }
        let had = own.as_ref().map_or(0, |own| own.checkpoint().size());
        let mut mirrored = Mirrored {
            origin,
            had,
            size: log.size(),
            root: log.checkpoint().checkpoint().root().to_string(),
            without_body: 0,
            refused: Vec::new(),
            attachments_missing: 0,
        };
        let from = if anew { 0 } else { had };
        self.copy_entries(right, source, &log, from, &mut mirrored, progress)?;
        self.copy_upper_tiles(right, &log, had)?;
        for (number, rotation) in (1..).zip(keys.rotations()) {
            self.put(right, &rotation_name(number), rotation.note().as_bytes())?;
        }
        self.copy_witnessed(right, source, &log, &keys)?;
        self.put(right, CONFIG, &config)?;
        // now all of it is there
        let outcome = right.commit(&Batch {
            objects: Vec::new(),
            stale: Vec::new(),
            before: own.as_ref().map(|own| own.note().as_bytes()),
            checkpoint: log.checkpoint().note().as_bytes(),
        })?;
        if outcome == Outcome::Overtaken {
            return Err(Error::new(
                ErrorKind::LedgerBusy,
                "another process pulled into this copy meanwhile; run it again",
            ));
        }
        self.store.sweep(log.size(), right)?;
        Ok(mirrored)
    }

    /// Bundles, the tiles over them, bodies and attachments, from the bundle of entry `from` on.
    fn copy_entries(
        &self,
        right: &mut dyn Right,
        source: &LogSource,
        log: &TiledLog<'_>,
        from: u64,
        mirrored: &mut Mirrored,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let width = u64::from(TILE_WIDTH);
        let mut done = from / width * width;
        while done < log.size() {
            let id = BundleId::containing(done, log.size())?;
            let hashes = log.tile(id.tile())?;
            // what an earlier pull kept need not come again
            let here = self.store.read(&id.to_string(), (limits::ENTRY_BYTES as u64 + 2) * width).ok();
            let here = here.and_then(|bytes| crate::merkle::decode_entries(&bytes, id.width()).ok());
            let here = here.filter(|entries| entries.iter().map(|e| leaf_hash(e)).eq(hashes.iter().copied()));
            let entries = match here {
                Some(entries) => entries,
                None => log.entries(done / width)?,
            };
            for (index, bytes) in (done..).zip(&entries) {
                let entry = Entry::parse(bytes).map_err(|e| e.while_doing(format_args!("entry {index}")))?;
                self.copy_body(right, source, index, &entry, mirrored)?;
            }
            self.put(right, &id.to_string(), &encode_entries(&entries)?)?;
            self.put(right, &id.tile().to_string(), &encode_tile(&hashes))?;
            done += entries.len() as u64;
            progress(Progress { done, of: log.size() });
        }
        Ok(())
    }

    fn copy_body(
        &self,
        right: &mut dyn Right,
        source: &LogSource,
        index: u64,
        entry: &Entry,
        mirrored: &mut Mirrored,
    ) -> Result<()> {
        let name = Store::body_name(index);
        let is_right = |body: &Body| body.commitment() == entry.record && body.record.len() as u64 == entry.size;
        let here = self.store.body(index).ok().flatten().filter(|body| is_right(body));
        let body = match here {
            Some(body) => body,
            None => match source.read(&name, limits::RECORD_BYTES + 32)? {
                None => {
                    mirrored.without_body += 1;
                    return Ok(());
                }
                Some(bytes) => match Body::from_bytes(&bytes).filter(|body| is_right(body)) {
                    Some(body) => {
                        right.write(&name, &bytes)?;
                        body
                    }
                    None => {
                        if mirrored.refused.len() < TOLD {
                            mirrored.refused.push(index);
                        }
                        return Ok(());
                    }
                },
            },
        };
        for hex in attachments_of(&body.record) {
            if !self.copy_attachment(right, source, &hex)? {
                mirrored.attachments_missing += 1;
            }
        }
        Ok(())
    }

    /// Copies a file that is named by its digest; false if the source has none that is what it is called.
    fn copy_attachment(&self, right: &mut dyn Right, source: &LogSource, hex: &str) -> Result<bool> {
        let Ok(expected) = Digest::from_hex(Algorithm::Sha256, hex) else { return Ok(false) };
        let name = format!("{ATTACHMENTS}/{}", expected.hex());
        let sha256 = |bytes: &mut dyn Read| DigestSet::of_reader(bytes, &[Algorithm::Sha256]);
        let here = self.store.storage().stream(&name).and_then(|mut content| sha256(&mut content.bytes));
        if here.is_ok_and(|found| found.contains(&expected)) {
            return Ok(true);
        }
        let Some(content) = source.stream(&name)? else { return Ok(false) };
        let mut arriving = Arriving { content, name, expected, hash: Sha256::new(), length: 0, fault: None };
        match (right.keep(&mut arriving), arriving.fault) {
            (Ok(()), _) => Ok(true),
            (Err(_), Some(Fault::Other)) => Ok(false),
            (Err(_), Some(Fault::Source(e))) => Err(e),
            (Err(e), None) => Err(e),
        }
    }

    /// Tiles above the leaves that are new, or wider than here.
    fn copy_upper_tiles(&self, right: &mut dyn Right, log: &TiledLog<'_>, had: u64) -> Result<()> {
        let width = u64::from(TILE_WIDTH);
        let (mut hashes, mut known) = (log.size() / width, had / width);
        for level in 1..8u8 {
            let mut index = known / width;
            while index * width < hashes {
                let id = TileId::containing(level, index * width, log.size())?;
                self.put(right, &id.to_string(), &encode_tile(&log.tile(id)?))?;
                index += 1;
            }
            (hashes, known) = (hashes / width, known / width);
        }
        Ok(())
    }

    /// Cosigned checkpoints with their timestamps, as far as the source tells which there are.
    fn copy_witnessed(
        &self,
        right: &mut dyn Right,
        source: &LogSource,
        log: &TiledLog<'_>,
        keys: &LogKeys,
    ) -> Result<()> {
        for name in source.witnessed_names(log.size())? {
            let limit = limits::CHECKPOINT_BYTES.max(limits::TIMESTAMP_BYTES);
            let Some(bytes) = source.read(&name, limit)? else { continue };
            if !name.ends_with(".tsr") {
                let Ok(kept) = keys.parse_and_verify(&bytes) else { continue };
                if log.extends(kept.checkpoint()).is_err() {
                    continue;
                }
            }
            self.put(right, &name, &bytes)?;
        }
        Ok(())
    }

    /// The checkpoint of the copy, if it was ever pulled to its end.
    fn own(&self, first: &VerifierKey, keys: &LogKeys) -> Result<Option<SignedCheckpoint>> {
        match self.store.read(CONFIG, limits::CHECKPOINT_BYTES) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            config => {
                let (_, own, _) = parse_config(&config?)?;
                if own != *first {
                    return Err(other_key(&own, first));
                }
            }
        }
        check_continues(&read_keys(&self.store, first)?, keys)?;
        if self.store.storage().size(CHECKPOINT)?.is_none() {
            return Ok(None);
        }
        read_checkpoint(&self.store, keys).map(Some)
    }

    /// Checkpoints of this ledger that are known from elsewhere.
    fn seen(&self, origin: &str, keys: &LogKeys, pins: &Pins) -> Result<Vec<SignedCheckpoint>> {
        let mut seen = Vec::new();
        if let Some(anchor) = self.anchors.load(origin)? {
            check_continues(&anchor.log_keys()?, keys)?;
            seen.push(keys.parse_and_verify(anchor.checkpoint.as_bytes())?);
        }
        if let Some(note) = &pins.min_checkpoint {
            seen.push(keys.parse_and_verify(note)?);
        }
        Ok(seen)
    }

    fn check_extends(&self, log: &TiledLog<'_>, seen: &SignedCheckpoint, keys: &LogKeys) -> Result<()> {
        let Err(e) = log.extends(seen.checkpoint()) else { return Ok(()) };
        match e.kind() {
            ErrorKind::LedgerForked => match log.contradicts(seen)? {
                Some(fork) => {
                    self.anchors.keep_fork(&fork, keys.first())?;
                    Err(fork.refusal().with("proof", self.anchors.folder().display()).caused_by(e))
                }
                None => Err(e),
            },
            ErrorKind::LedgerRolledBack => {
                let (now, before) = (log.size(), seen.checkpoint().size());
                Err(Error::new(
                    ErrorKind::LedgerRolledBack,
                    format!(
                        "the copy is stale: it has {now} entries, {} less than the {before} that were seen of the ledger \
                         `{}`; use a newer one",
                        before - now,
                        seen.checkpoint().origin()
                    ),
                )
                .with("expected", before)
                .with("found", now)
                .with("lag", before - now)
                .caused_by(e))
            }
            _ => Err(e),
        }
    }

    /// Writes a file unless it is there as it must be.
    fn put(&self, right: &mut dyn Right, name: &str, bytes: &[u8]) -> Result<()> {
        let same = self.store.read(name, bytes.len() as u64).is_ok_and(|there| there == bytes);
        if same { Ok(()) } else { right.write(name, bytes) }
    }

    fn marker(&self) -> Result<Option<Marker>> {
        match self.store.read(MIRROR, limits::CHECKPOINT_BYTES) {
            Ok(bytes) => json::parse("marker of a mirror", &bytes).map(Some),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

fn mark(right: &mut dyn Right, source: &LogSource, pulled_at: Option<Timestamp>, incomplete: bool) -> Result<()> {
    let marker = Marker { v: FORMAT.to_owned(), source: source.to_string(), pulled_at, incomplete };
    right.write(MIRROR, &json::canonical("marker of a mirror", &marker)?)
}

/// An attachment on its way, which gets its name only if it is what that says.
struct Arriving<'a> {
    content: Box<dyn Read + 'a>,
    name: String,
    expected: Digest,
    hash: Sha256,
    length: u64,
    fault: Option<Fault>,
}

enum Fault {
    /// It is something else, or too long for one.
    Other,
    /// The source did not give it to its end.
    Source(Error),
}

impl Read for Arriving<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let other = || std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not what its name says");
        let count = match self.content.read(buffer) {
            Ok(count) => count,
            Err(e) => {
                let told = e.to_string();
                self.fault = Some(Fault::Source(e.downcast::<Error>().unwrap_or_else(|e| {
                    Error::new(ErrorKind::Io, format!("an attachment could not be read at the source: {e}"))
                })));
                return Err(std::io::Error::other(told));
            }
        };
        self.length += count as u64;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        let ended = count == 0 && !buffer.is_empty();
        let is_other = ended && self.hash.clone().finalize()[..] != *self.expected.bytes();
        if is_other || self.length > limits::MIRRORED_ATTACHMENT_BYTES {
            self.fault = Some(Fault::Other);
            return Err(other());
        }
        Ok(count)
    }
}

impl Upload for Arriving<'_> {
    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Attachments that a record names, once each. A record that can't be read names none; the ledger judges it.
fn attachments_of(record: &[u8]) -> BTreeSet<String> {
    let statement = Bundle::parse(record)
        .and_then(Bundle::into_envelope)
        .and_then(|envelope| Statement::parse(envelope.into_payload()));
    statement.map(|statement| attachments_named(&statement).into_iter().collect()).unwrap_or_default()
}
