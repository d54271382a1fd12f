//! A copy of a ledger that is pulled from elsewhere, over and over, and a ledger made of such a copy.
//!
//! Every tile, entry and body is held against the signed checkpoint before it is kept, and the checkpoint is written last:
//! what a pull that was cut short left is found again by the next. A mirror is a ledger's folder with `mirror.json` in it;
//! it is read, searched, audited and packed like one, and takes no records.
//!
//! Of an encrypted ledger it holds what the source holds: keyring, headers, ciphertext. Without the key a pull only adds,
//! for nobody can tell then whether what is new in the place of something else is right, or what is gone was disposed of.
//! With the key all of it is proven, disposals are carried out, and rotated keys take their place ([`keys`]).

mod attachments;
mod bodies;
mod copying;
mod disposals;
mod keys;
mod marker;
mod proving;
mod restoring;
mod settling;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use self::copying::Copying;
use self::keys::Keys;
use self::marker::Marker;
use super::anchor::Anchors;
use super::entry::Entry;
use super::folder::{FolderStorage, LOCK};
use super::log_key::{check_continues, other_key, read_keys};
use super::sealed::KEYRING;
use super::source::LogSource;
use super::storage::{Right, Storage};
use super::store::{CHECKPOINT, CONFIG, MIRROR, Store};
use super::tiled::{TiledLog, damaged};
use super::{Ledger, Pins, Progress, parse_config, read_checkpoint};
use crate::checkpoint::{LogKeys, SignedCheckpoint, VerifierKey};
use crate::encryption::KeyEncryptionKey;
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;
use crate::merkle::TILE_WIDTH;
use crate::timestamp::Timestamp;

/// Where a mirror keeps keyrings, and the headers under them, beside its own: those that took the place of others at the
/// source and that nobody with the key has proven yet, and what lies under older ones that its key does not open.
pub(super) const UNPROVEN: &str = "unproven/";

/// A copy of a ledger in a folder of its own.
#[derive(Debug)]
pub struct Mirror {
    store: Store,
    anchors: Anchors,
    archive: Option<PathBuf>,
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
    /// Entries that have no record, neither here nor at the source, and nothing says why.
    pub without_body: u64,
    /// Entries that have no record because it was disposed of, as the log itself shows; of those that were looked at.
    pub disposed: u64,
    /// Entries whose record lies in the archive of the source.
    pub archived: u64,
    /// Records that were erased here, because they were disposed of.
    pub erased: u64,
    /// Entries whose record at the source is not the one they commit to, a hundred at most; nothing of them is kept.
    pub refused: Vec<u64>,
    /// Attachments that records name, and the source does not have as they must be.
    pub attachments_missing: u64,
    /// Entries of an encrypted ledger whose records nobody has held against them, because its key was not given.
    pub unproven: u64,
    /// Whether the keys of an encrypted ledger were rotated and the new ones wait to be proven with its key.
    pub keys_unproven: bool,
    /// Whether some attachments could not be looked for. Records lead to them, so it takes the key of an encrypted ledger,
    /// unless the source is a folder, and the archive of those that are archived.
    pub attachments_unseen: bool,
}

impl Mirrored {
    /// Whether nothing is missing: what the entries name is here as it must be, lies in the archive, or was disposed of;
    /// and all was looked for.
    ///
    /// Of an encrypted ledger this is known of what was proven with its key; [`Mirrored::unproven`] counts the rest.
    pub fn is_whole(&self) -> bool {
        !self.lacks_something() && !self.attachments_unseen && !self.keys_unproven
    }

    fn lacks_something(&self) -> bool {
        self.without_body > 0 || !self.refused.is_empty() || self.attachments_missing > 0
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

/// How often a pull begins anew because the source grew beneath it, or its keys were rotated.
const TRIES: usize = 5;

impl Mirror {
    /// The mirror in `folder`, whether it was pulled before or not. `anchors` remember what was seen of its ledger.
    pub fn open(folder: &Path, anchors: &Anchors) -> Self {
        let store = Store::new(Arc::new(FolderStorage::new(folder)));
        Self { store, anchors: anchors.clone(), archive: None }
    }

    /// Names the folder of the source's archive, so that what only records there tell is known: the attachments they name,
    /// and what was disposed of. Nothing is copied from it or changed in it.
    #[must_use]
    pub fn with_archive(mut self, folder: &Path) -> Self {
        self.archive = Some(folder.to_owned());
        self
    }

    /// Pulls what the ledger at `source` has and the copy has not. A pull that was cut short is continued.
    ///
    /// `kek` is the key that the ledger is encrypted with. Without it the copy of an encrypted ledger is as good as can be
    /// told without: tiles and entries are proven, bodies have the right size, headers are under a key of the keyring.
    /// Nothing that it has is then erased or replaced; rotated keys wait beside the older ones.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` if the folder holds something else than a mirror of this ledger; `LEDGER_FORKED` if the source
    /// contradicts the copy, the pins or what was seen before (both checkpoints are then kept as proof beside the
    /// anchors), `LEDGER_ROLLED_BACK` if it is smaller; `LEDGER_TAMPERED` if a tile or an entry there is not what its
    /// checkpoint commits to; `WRONG_KEY` if the ledger is encrypted with another key, or is not encrypted; those of
    /// [`KeyEncryptionKey::decrypt`]; `API_MISUSE` if one lies within the other; `UNSUPPORTED` if the source does not say what
    /// ledger it is, or the copy is of a newer version; `LEDGER_BUSY`, `SERVICE_UNAVAILABLE`, `STORAGE_FULL`, `PERMISSION_DENIED` or `IO`. What was kept up
    /// to then stays.
    pub fn pull(
        &self,
        source: &LogSource,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        now: Timestamp,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Mirrored> {
        let storage = self.store.shared();
        self.check_apart(source)?;
        let may_be_one = storage.create()? || storage.size(LOCK)?.is_some();
        let taken = || {
            Error::new(
                ErrorKind::AlreadyExists,
                format!("`{}` is not empty, and no mirror; name a new folder", storage.place()),
            )
        };
        if !may_be_one && Marker::read(&self.store)?.is_none() {
            return Err(taken());
        }
        let mut right = storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?;
        // another pull may have begun it just now
        if !storage.create()? && Marker::read(&self.store)?.is_none() {
            return Err(taken());
        }
        let mut marker = Marker::read(&self.store)?.unwrap_or_else(|| Marker::new(source));
        if marker.restoring {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("`{}` is a ledger that is being restored; finish that, or name a new folder", storage.place()),
            ));
        }
        let mut followed = self.follow(right.as_mut(), &mut marker, source, pins, kek, progress)?;
        drop(right);
        // the key tells what was disposed of; without the records of the trust policy it is a copy of the log alone
        if let Some(mut ledger) = self.opened(&followed, pins, kek)? {
            self.carry_out_disposals(&mut ledger, &mut marker, &mut followed)?;
        }
        let mut right = storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?;
        // who pulled meanwhile knows more
        if marker.is_still_there(&self.store)? {
            marker.pulled_at = Some(now);
            marker.write(right.as_mut())?;
        }
        right.settle()?;
        Ok(followed.mirrored)
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
        Ok(Lag { entries, millis, pulled_at: Marker::read(&self.store)?.and_then(|marker| marker.pulled_at) })
    }

    /// Copies all that is new; begins anew if the source grew beneath, which takes its partial tiles away, or its keys were
    /// rotated.
    fn follow(
        &self,
        right: &mut dyn Right,
        marker: &mut Marker,
        source: &LogSource,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Followed> {
        let is_new = Marker::read(&self.store)?.is_none();
        marker.comes_from(source);
        let followed = match marker.write(right) {
            Ok(()) => self.follow_to_its_end(right, marker, source, pins, kek, progress),
            Err(e) => Err(e),
        };
        if followed.is_err() && is_new {
            // what went wrong before tells more
            let _ = self.clear_begun(right);
        }
        followed
    }

    /// Refuses a copy within what it is a copy of, and the other way round.
    fn check_apart(&self, source: &LogSource) -> Result<()> {
        let whole = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).ok();
        let here = whole(Path::new(&self.store.storage().place()));
        match source.path().and_then(|path| whole(&path)).zip(here) {
            Some((source, here)) if source != here && (here.starts_with(&source) || source.starts_with(&here)) => {
                Err(Error::new(
                    ErrorKind::ApiMisuse,
                    format!(
                        "`{}` and `{}` lie within each other, and neither would be whole any more; name another folder",
                        here.display(),
                        source.display()
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Removes what was written of a copy of which nothing was copied: the place was wrong, or the key.
    fn clear_begun(&self, right: &mut dyn Right) -> Result<()> {
        let storage = self.store.shared();
        let mut more = false;
        storage.list("", &mut |name, _| {
            more |= ![MIRROR, KEYRING].contains(&name);
            Ok(())
        })?;
        if !more {
            right.remove(&[MIRROR.to_owned(), KEYRING.to_owned()])?;
            storage.destroy();
        }
        Ok(())
    }

    fn follow_to_its_end(
        &self,
        right: &mut dyn Right,
        marker: &mut Marker,
        source: &LogSource,
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Followed> {
        let state = || Ok((source.checkpoint()?, keys::said(source)?));
        let mut tries = 0;
        loop {
            tries += 1;
            let begun = state()?;
            match self.follow_once(right, marker, source, &begun.0, pins, kek, progress) {
                Err(e)
                    if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::LedgerTampered)
                        && tries < TRIES
                        && state()? != begun => {}
                Err(e) => return Err(damaged(e)),
                followed => return followed,
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "those of a pull, and what it begins with")]
    fn follow_once(
        &self,
        right: &mut dyn Right,
        marker: &mut Marker,
        source: &LogSource,
        checkpoint: &[u8],
        pins: &Pins,
        kek: Option<&dyn KeyEncryptionKey>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Followed> {
        let config = source.read(CONFIG, limits::CHECKPOINT_BYTES)?.ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!("the log at `{source}` is no ledger of ours: it has no `{CONFIG}`; audit it as a foreign log"),
            )
        })?;
        let (origin, first, is_encrypted) = parse_config(&config)?;
        if kek.is_some() && !is_encrypted {
            return Err(Error::new(
                ErrorKind::WrongKey,
                format!(
                    "the ledger at `{source}` is not encrypted, and a key for it was given; find out whether it was put in \
                     the place of an encrypted one, or leave the key out"
                ),
            ));
        }
        if is_encrypted && marker.restoring && kek.is_none() {
            return Err(Error::new(
                ErrorKind::WrongKey,
                format!(
                    "the ledger `{origin}` is encrypted, and whether its copy is whole only its key tells; name it"
                ),
            ));
        }
        let log_keys = source.keys(&first)?;
        if let Some(pinned) = pins.log_key.as_ref().filter(|pinned| log_keys.all().all(|key| key != *pinned)) {
            return Err(other_key(pinned, log_keys.current()));
        }
        let log = TiledLog::at(source, log_keys.parse_and_verify(checkpoint)?)?;
        for rotation in log_keys.rotations() {
            log.extends(rotation.at())?;
        }
        for seen in self.seen(&origin, &log_keys, pins)? {
            self.check_extends(&log, &seen, &log_keys)?;
        }
        let own = self.own(&first, &log_keys)?;
        if let Some(own) = &own {
            self.check_extends(&log, own, &log_keys)?;
        }
        let had = own.as_ref().map_or(0, |own| own.checkpoint().size());
        let keys = match is_encrypted {
            true => Some(Keys::begin(&self.store, right, source, &origin, kek)?),
            false => None,
        };
        let mut copying = Copying::new(&self.store, right, source, &log, origin, had);
        copying.keys = keys;
        copying.archive = self.archive.as_ref().map(|folder| Arc::new(FolderStorage::new(folder)) as Arc<dyn Storage>);
        copying.archive_unseen = marker.archive_unseen;
        copying.look_again(&log, marker)?;
        copying.entries(&log, progress)?;
        copying.upper_tiles(&log)?;
        copying.rotations(&log_keys)?;
        copying.witnessed(&log, &log_keys)?;
        copying.put(CONFIG, &config)?;
        copying.sealed_files()?;
        copying.note_unseen();
        // remembered before they count, so that they are not forgotten when this is cut short
        marker.lacks(&copying.lacking);
        marker.archive_unseen |= copying.archive_unseen_now();
        marker.write(copying.right)?;
        copying.commit(&log, own.as_ref())?;
        copying.prove(marker, kek, progress)?;
        marker.lacks(&copying.lacking);
        marker.archive_unseen = copying.archive_unseen_now();
        marker.write(copying.right)?;
        let hinted = copying.disposal_seen || copying.bodyless.iter().any(|index| !copying.lacked.contains(index));
        Ok(Followed {
            is_encrypted,
            may_be_disposed: hinted || marker.disposed_to < had,
            bodyless: copying.bodyless,
            lacking: copying.lacking,
            files_missing: copying.files_missing,
            mirrored: copying.mirrored,
        })
    }

    /// The copy as a ledger, with its trust policy read and its checkpoint remembered; none if that takes a key that was
    /// not given, or records that the source does not give.
    fn opened(&self, followed: &Followed, pins: &Pins, kek: Option<&dyn KeyEncryptionKey>) -> Result<Option<Ledger>> {
        if followed.is_encrypted && kek.is_none() {
            return Ok(None);
        }
        match Ledger::open_in(&self.store.shared(), &self.anchors, pins, kek) {
            Err(e) if e.kind() == ErrorKind::BodyLost => Ok(None),
            opened => self.archived(opened?).map(Some),
        }
    }

    /// The copy as a ledger, which reads what lies in the archive, if that is named.
    fn archived(&self, ledger: Ledger) -> Result<Ledger> {
        match &self.archive {
            Some(folder) => ledger.with_archive(folder),
            None => Ok(ledger),
        }
    }

    /// The checkpoint of the copy, if it was ever pulled to its end.
    fn own(&self, first: &VerifierKey, keys: &LogKeys) -> Result<Option<SignedCheckpoint>> {
        let Some(config) = optional(self.store.read(CONFIG, limits::CHECKPOINT_BYTES))? else { return Ok(None) };
        let (_, own, _) = parse_config(&config)?;
        if own != *first {
            return Err(other_key(&own, first));
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
}

/// What was copied, and what of it is to be explained.
struct Followed {
    mirrored: Mirrored,
    is_encrypted: bool,
    /// Entries of which something is missing.
    lacking: BTreeSet<u64>,
    /// Those of them that have no record.
    bodyless: BTreeSet<u64>,
    /// How many files are missing that the record of an entry names.
    files_missing: BTreeMap<u64, u64>,
    /// Whether there is reason to ask the log what was disposed of.
    may_be_disposed: bool,
}
