//! What only the key of an encrypted ledger shows: that bodies and attachments are those that its entries name.

use std::sync::Arc;

use super::bodies::{is_of, small};
use super::copying::Copying;
use super::marker::Marker;
use super::settling::set_aside;
use super::{ErrorKind, Progress, Result};
use crate::encryption::KeyEncryptionKey;
use crate::error::optional;
use crate::ledger::archive::{ArchivedStorage, marker as archived_marker, stored_limit};
use crate::ledger::entry::{Body, Entry};
use crate::ledger::sealed::{KEYS, SealedStorage, header_name};
use crate::ledger::storage::Storage;
use crate::ledger::store::{ATTACHMENTS, Store};
use crate::limits;
use crate::merkle::TILE_WIDTH;

/// What became of a body here that is not the one its entry commits to.
enum Mended {
    /// The source had what was spoiled of it.
    Right(Body),
    /// The source has lost it.
    Missing,
    /// What the source has is wrong as well.
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
        let Some(keyring) = self.keys.as_mut().and_then(|keys| keys.opened.take()) else { return Ok(()) };
        let origin = self.mirrored.origin.clone();
        if self.settle_keys(&keyring, &origin, kek)? {
            marker.proven_to = 0;
            marker.write(self.right)?;
        }
        let below: Arc<dyn Storage> = match &self.archive {
            Some(archive) => Arc::new(ArchivedStorage::new(self.store.shared(), Arc::clone(archive))),
            None => self.store.shared(),
        };
        let sealed = Arc::new(SealedStorage::new(Arc::clone(&below), Arc::new(keyring)));
        let through = Store::new(Arc::<SealedStorage>::clone(&sealed));
        let from = marker.proven_to;
        let mut again = self.lacked.clone();
        if self.archive_unseen && self.archive.is_some() {
            again.extend(&self.archived);
        }
        again.retain(|index| *index < from);
        for index in again.into_iter().chain(from..size) {
            self.prove_body(index, &sealed, &through, below.as_ref())?;
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

    fn prove_body(&mut self, index: u64, sealed: &SealedStorage, through: &Store, below: &dyn Storage) -> Result<()> {
        let entry = Entry::parse(&self.store.entry(index, self.mirrored.size)?)?;
        let body = match through.body(index) {
            Ok(Some(body)) => Some(body).filter(|body| is_of(body, &entry)),
            Ok(None) => {
                if self.store.storage().size(&archived_marker(index))?.is_none() && !self.lacking.contains(&index) {
                    self.lack_body(index);
                }
                return Ok(());
            }
            Err(e)
                if matches!(e.kind(), ErrorKind::LedgerTampered | ErrorKind::WrongKey | ErrorKind::LimitExceeded) =>
            {
                None
            }
            Err(e) => return Err(e),
        };
        // the disk here may have spoiled what the source still has
        let mended = match body {
            Some(body) => Mended::Right(body),
            None => self.mended_body(index, &entry, sealed, below)?,
        };
        match mended {
            Mended::Right(body) => {
                self.lacks_no_body(index);
                self.attachments_of(index, &body.record, Some(sealed))?;
            }
            Mended::Missing => self.lack_body(index),
            Mended::Wrong => self.refuse(index),
        }
        Ok(())
    }

    /// Makes a body good with what the source has of its header and content. Only what could not be made good is removed,
    /// and of that nothing which is its own.
    fn mended_body(
        &mut self,
        index: u64,
        entry: &Entry,
        sealed: &SealedStorage,
        below: &dyn Storage,
    ) -> Result<Mended> {
        let name = Store::body_name(index);
        let header_name = header_name(&name);
        let header_at_source = match &self.keys {
            Some(keys) => keys.header_of(self.source, &header_name)?,
            None => None,
        };
        let body_at_source = small(self.source.read(&name, stored_limit()))?;
        let header_here = small(optional(self.store.read(&header_name, limits::SEALED_HEADER_BYTES as u64)))?;
        let body_here = small(optional(below.read(&name, stored_limit())))?;
        let bodies = [&body_at_source, &body_here];
        for header in [&header_at_source, &header_here].into_iter().flatten() {
            for (stored, is_new) in bodies.into_iter().zip([true, false]) {
                let Some(stored) = stored else { continue };
                let opened = sealed.opened_body(&name, header, stored).and_then(|bytes| Body::from_bytes(&bytes));
                if let Some(body) = opened.filter(|body| is_of(body, entry)) {
                    self.put(&header_name, header)?;
                    if is_new {
                        self.put(&name, stored)?;
                    }
                    return Ok(Mended::Right(body));
                }
            }
        }
        let mut wrong = vec![name.clone()];
        if !header_here.is_some_and(|header| sealed.is_header_of(&name, &header)) {
            wrong.insert(0, header_name);
        }
        self.right.remove(&wrong)?;
        Ok(if header_at_source.is_none() || body_at_source.is_none() { Mended::Missing } else { Mended::Wrong })
    }

    /// Removes what no header leads to: what came without the key, and has a newer one since.
    fn clear_attachments(&mut self, sealed: &SealedStorage) -> Result<()> {
        // nobody knows what a header leads to that lies under an older key
        if set_aside(self.store)?.iter().any(|name| name.contains(ATTACHMENTS)) {
            return Ok(());
        }
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
