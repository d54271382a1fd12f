//! One pull at work: entries and the tiles over them, each proven before it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::keys::Keys;
use super::marker::Marker;
use super::{Error, ErrorKind, Mirrored, Progress, Result, TiledLog};
use crate::checkpoint::{LogKeys, SignedCheckpoint};
use crate::ledger::archive::{ARCHIVED, marked};
use crate::ledger::entry::Entry;
use crate::ledger::log_key::rotation_name;
use crate::ledger::source::LogSource;
use crate::ledger::storage::{Batch, Outcome, Right, Storage};
use crate::ledger::store::Store;
use crate::limits;
use crate::merkle::{
    BundleId, Hash, TILE_WIDTH, TileId, TileReader as _, decode_entries, encode_entries, encode_tile, leaf_hash,
};
use crate::predicate::{PredicateType as _, RetentionDisposal};

const WIDTH: u64 = TILE_WIDTH as u64;

/// What is copied, from where, to where, and what was found.
pub(super) struct Copying<'a> {
    pub(super) store: &'a Store,
    pub(super) right: &'a mut dyn Right,
    pub(super) source: &'a LogSource,
    /// Of an encrypted ledger.
    pub(super) keys: Option<Keys>,
    pub(super) mirrored: Mirrored,
    /// Entries of which something is missing.
    pub(super) lacking: BTreeSet<u64>,
    /// Those of them that have no record.
    pub(super) bodyless: BTreeSet<u64>,
    /// How many files are missing that the record of an entry names.
    pub(super) files_missing: BTreeMap<u64, u64>,
    /// Entries of which something was missing before.
    pub(super) lacked: BTreeSet<u64>,
    /// Whether a new entry may be that of a disposal.
    pub(super) disposal_seen: bool,
    /// The archive of the source, if it was named.
    pub(super) archive: Option<Arc<dyn Storage>>,
    /// Entries whose records lie there.
    pub(super) archived: BTreeSet<u64>,
    /// Whether such records were not looked at before.
    pub(super) archive_unseen: bool,
}

impl<'a> Copying<'a> {
    pub(super) fn new(
        store: &'a Store,
        right: &'a mut dyn Right,
        source: &'a LogSource,
        log: &TiledLog<'_>,
        origin: String,
        had: u64,
    ) -> Self {
        let mirrored = Mirrored {
            origin,
            had,
            size: log.size(),
            root: log.checkpoint().checkpoint().root().to_string(),
            without_body: 0,
            disposed: 0,
            archived: 0,
            erased: 0,
            refused: Vec::new(),
            attachments_missing: 0,
            unproven: 0,
            keys_unproven: false,
            attachments_unseen: false,
        };
        Self {
            store,
            right,
            source,
            keys: None,
            mirrored,
            lacking: BTreeSet::new(),
            bodyless: BTreeSet::new(),
            files_missing: BTreeMap::new(),
            lacked: BTreeSet::new(),
            disposal_seen: false,
            archive: None,
            archived: BTreeSet::new(),
            archive_unseen: false,
        }
    }

    /// Whether records lie in an archive that was not named.
    pub(super) fn archive_unseen_now(&self) -> bool {
        self.archive.is_none() && !self.archived.is_empty()
    }

    /// Tells that attachments were not looked for; without the key those of a folder come by their names.
    pub(super) fn note_unseen(&mut self) {
        let by_records = self.keys.as_ref().is_none_or(|keys| keys.opened.is_some());
        self.mirrored.attachments_unseen |= by_records && self.archive_unseen_now();
    }

    /// Looks once more for what was missing, and for records that came back from the archive of the source.
    pub(super) fn look_again(&mut self, log: &TiledLog<'_>, marker: &Marker) -> Result<()> {
        let had = self.mirrored.had;
        self.lacked = marker.again(had);
        let mut again = self.lacked.clone();
        self.store.storage().list(&format!("{ARCHIVED}/"), &mut |name, _| {
            again.extend(marked(name).filter(|index| *index < had));
            Ok(())
        })?;
        let mut bundle: Option<(u64, Vec<Vec<u8>>)> = None;
        for index in again {
            let number = index / WIDTH;
            let entries = match bundle.take() {
                Some((of, entries)) if of == number => entries,
                _ => self.proven_entries(log, number)?.1,
            };
            let bytes = usize::try_from(index % WIDTH).ok().and_then(|place| entries.get(place));
            if let Some(bytes) = bytes {
                let entry = Entry::parse(bytes).map_err(|e| e.while_doing(format_args!("entry {index}")))?;
                self.body(index, &entry)?;
            }
            bundle = Some((number, entries));
        }
        Ok(())
    }

    /// Bundles, the tiles over them, and what hangs on their entries, from the first that is new.
    pub(super) fn entries(&mut self, log: &TiledLog<'_>, progress: &mut dyn FnMut(Progress)) -> Result<()> {
        let had = self.mirrored.had;
        let disposal = match &self.keys {
            None => Some(RetentionDisposal::TYPE.to_owned()),
            Some(keys) => keys.label_of_type(RetentionDisposal::TYPE),
        };
        let mut done = had / WIDTH * WIDTH;
        while done < log.size() {
            let (hashes, entries) = self.proven_entries(log, done / WIDTH)?;
            let id = BundleId::containing(done, log.size())?;
            for (index, bytes) in (done..).zip(&entries).filter(|(index, _)| *index >= had) {
                let entry = Entry::parse(bytes).map_err(|e| e.while_doing(format_args!("entry {index}")))?;
                self.disposal_seen |= disposal.as_ref().is_none_or(|label| *label == entry.predicate_type);
                self.body(index, &entry)?;
            }
            self.put(&id.to_string(), &encode_entries(&entries)?)?;
            self.put(&id.tile().to_string(), &encode_tile(&hashes))?;
            done += entries.len() as u64;
            progress(Progress { done, of: log.size() });
        }
        Ok(())
    }

    /// The entries of a bundle and their hashes; what an earlier pull kept need not come again.
    fn proven_entries(&self, log: &TiledLog<'_>, number: u64) -> Result<(Vec<Hash>, Vec<Vec<u8>>)> {
        let id = BundleId::containing(number * WIDTH, log.size())?;
        let hashes = log.tile(id.tile())?;
        let here = self.store.read(&id.to_string(), (limits::ENTRY_BYTES as u64 + 2) * WIDTH).ok();
        let here = here.and_then(|bytes| decode_entries(&bytes, id.width()).ok());
        let here = here.filter(|entries| entries.iter().map(|e| leaf_hash(e)).eq(hashes.iter().copied()));
        let entries = match here {
            Some(entries) => entries,
            None => log.entries(number)?,
        };
        Ok((hashes, entries))
    }

    /// Tiles above the leaves that are new, or wider than here.
    pub(super) fn upper_tiles(&mut self, log: &TiledLog<'_>) -> Result<()> {
        let (mut hashes, mut known) = (log.size() / WIDTH, self.mirrored.had / WIDTH);
        for level in 1..8u8 {
            let mut index = known / WIDTH;
            while index * WIDTH < hashes {
                let id = TileId::containing(level, index * WIDTH, log.size())?;
                self.put(&id.to_string(), &encode_tile(&log.tile(id)?))?;
                index += 1;
            }
            (hashes, known) = (hashes / WIDTH, known / WIDTH);
        }
        Ok(())
    }

    /// Notes by which the key of the log was replaced; they were verified.
    pub(super) fn rotations(&mut self, keys: &LogKeys) -> Result<()> {
        for (number, rotation) in (1..).zip(keys.rotations()) {
            self.put(&rotation_name(number), rotation.note().as_bytes())?;
        }
        Ok(())
    }

    /// Cosigned checkpoints with their timestamps, as far as the source tells which there are.
    pub(super) fn witnessed(&mut self, log: &TiledLog<'_>, keys: &LogKeys) -> Result<()> {
        for name in self.source.witnessed_names(log.size())? {
            let limit = limits::CHECKPOINT_BYTES.max(limits::TIMESTAMP_BYTES);
            let Some(bytes) = self.source.read(&name, limit)? else { continue };
            if !name.ends_with(".tsr") {
                let Ok(kept) = keys.parse_and_verify(&bytes) else { continue };
                if log.extends(kept.checkpoint()).is_err() {
                    continue;
                }
            }
            self.put(&name, &bytes)?;
        }
        Ok(())
    }

    /// Makes it count, now that all of it is there.
    pub(super) fn commit(&mut self, log: &TiledLog<'_>, before: Option<&SignedCheckpoint>) -> Result<()> {
        let outcome = self.right.commit(Batch {
            objects: Vec::new(),
            stale: Vec::new(),
            before: before.map(|own| own.note().as_bytes()),
            checkpoint: log.checkpoint().note().as_bytes(),
        })?;
        if outcome == Outcome::Overtaken {
            return Err(Error::new(
                ErrorKind::LedgerBusy,
                "another process pulled into this copy meanwhile; run it again",
            ));
        }
        self.store.sweep(log.size(), self.right)?;
        Ok(())
    }

    /// Writes a file unless it is there as it must be.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let same = self.store.read(name, bytes.len() as u64).is_ok_and(|there| there == bytes);
        if same { Ok(()) } else { self.right.write(name, bytes) }
    }
}
