//! What only the key of an encrypted ledger shows: that bodies and attachments are those that its entries name.

use std::sync::Arc;

use super::bodies::is_of;
use super::copying::Copying;
use super::marker::Marker;
use super::{ErrorKind, Progress, Result};
use crate::encryption::KeyEncryptionKey;
use crate::ledger::archive::{ArchivedStorage, marker as archived_marker};
use crate::ledger::entry::Entry;
use crate::ledger::sealed::{KEYS, SealedStorage, header_name};
use crate::ledger::storage::Storage;
use crate::ledger::store::{ATTACHMENTS, Store};
use crate::merkle::TILE_WIDTH;

/// Whether a body is what its entry commits to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Right,
    Missing,
    Wrong,
}

impl Copying<'_> {
    /// Holds the records of an encrypted ledger against their entries, those that were not before; what is wrong does not
    /// stay. Without its key it counts them.
    pub(super) fn prove(
        &mut self,
        marker: &mut Marker,
        kek: Option<&dyn KeyEncryptionKey>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let size = self.mirrored.size;
        if self.keys.is_none() {
            return Ok(());
        }
        let Some(kek) = kek else {
            self.mirrored.unproven = size - marker.proven_to.min(size);
            return Ok(());
        };
        let origin = self.mirrored.origin.clone();
        if self.settle_keys(&origin, kek)? {
            marker.proven_to = 0;
            marker.write(self.right)?;
        }
        let Some(keyring) = self.keys.as_mut().and_then(|keys| keys.opened.take()) else { return Ok(()) };
        let below: Arc<dyn Storage> = match &self.archive {
            Some(archive) => Arc::new(ArchivedStorage::new(self.store.shared(), Arc::clone(archive))),
            None => self.store.shared(),
        };
        let sealed = Arc::new(SealedStorage::new(below, Arc::new(keyring)));
        let through = Store::new(Arc::<SealedStorage>::clone(&sealed));
        let from = marker.proven_to;
        let mut again = self.lacked.clone();
        if self.archive_unseen && self.archive.is_some() {
            again.extend(&self.archived);
        }
        again.retain(|index| *index < from);
        for index in again.into_iter().chain(from..size) {
            self.prove_body(index, &sealed, &through)?;
            if (index + 1).is_multiple_of(u64::from(TILE_WIDTH)) {
                progress(Progress { done: index + 1, of: size });
            }
        }
        if from < self.mirrored.had {
            self.clear_attachments(&sealed)?;
        }
        marker.proven_to = size;
        Ok(())
    }

    fn prove_body(&mut self, index: u64, sealed: &SealedStorage, through: &Store) -> Result<()> {
        let entry = Entry::parse(&self.store.entry(index, self.mirrored.size)?)?;
        let name = Store::body_name(index);
        for last in [false, true] {
            let (shown, body) = match through.body(index) {
                Ok(Some(body)) if is_of(&body, &entry) => (Shown::Right, Some(body)),
                Ok(None) => (Shown::Missing, None),
                Ok(Some(_)) => (Shown::Wrong, None),
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::LedgerTampered | ErrorKind::WrongKey | ErrorKind::LimitExceeded
                    ) =>
                {
                    (Shown::Wrong, None)
                }
                Err(e) => return Err(e),
            };
            if let Some(body) = body {
                return self.attachments_of(index, &body.record, Some(sealed));
            }
            if shown == Shown::Missing {
                if self.store.storage().size(&archived_marker(index))?.is_none() && !self.lacking.contains(&index) {
                    self.lack_body(index);
                }
                return Ok(());
            }
            self.right.remove(&[header_name(&name), name.clone()])?;
            if last {
                self.refuse(index);
            } else {
                // the disk here may have spoiled what the source still has
                self.body(index, &entry)?;
            }
        }
        Ok(())
    }

    /// Removes what no header leads to: what came without the key, and has a newer one since.
    fn clear_attachments(&mut self, sealed: &SealedStorage) -> Result<()> {
        let mut dead = Vec::new();
        sealed.list(&format!("{ATTACHMENTS}/"), &mut |name, _| {
            let is_led_to = name.strip_prefix(ATTACHMENTS).is_some_and(|rest| rest.len() == 65);
            if !is_led_to && (name.starts_with(ATTACHMENTS) || name.starts_with(KEYS)) {
                dead.push(name.to_owned());
            }
            Ok(())
        })?;
        self.right.remove(&dead)
    }
}
