//! Appending: verified under the trust policy, ordered, committed by a signed checkpoint, then receipted.
//!
//! Order on disk: bodies, tiles, checkpoint. The checkpoint is the commit: what lies beyond it never happened, and is
//! cleared before the next append. Every file is whole and synced before its name appears.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::rand;

use super::entry::{Body, Entry};
use super::receipt::Receipt;
use super::relocation::check_not_moved;
use super::storage::{Batch, Object, Outcome, Right};
use super::store::{Store, partial_tiles};
use super::walk::lost_tile;
use super::{Anchored, Ledger};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PrivateKey;
use crate::merkle::{BundleId, Frontier, Hash, TILE_WIDTH, TileId, encode_entries, encode_tile, leaf_hash};
use crate::signer::{Signer, sign};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::verifier::Verified;

impl Ledger {
    /// Verifies a record under the trust policy in force, as it must be before it is appended.
    ///
    /// # Errors
    /// Those of [`TrustChain::verify`](crate::trust_policy::TrustChain::verify).
    pub fn verify(&self, record: &[u8], now: Timestamp) -> Result<Verified<Statement>> {
        self.trust.verify(record, self.size(), now)
    }

    /// Appends a record and gives its receipt. The same Statement by the same signer gives its first receipt again.
    ///
    /// # Errors
    /// As [`Ledger::append_all`].
    pub fn append(&mut self, record: &Verified<Statement>, now: Timestamp) -> Result<Receipt> {
        self.append_all(std::slice::from_ref(record), now)?
            .pop()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "an append gave no receipt"))
    }

    /// Signs a statement and appends it, in one.
    ///
    /// # Errors
    /// Those of the signer, and as [`Ledger::append_all`].
    pub fn record_statement(&mut self, statement: &Statement, signer: &dyn Signer, now: Timestamp) -> Result<Receipt> {
        let record = sign(statement, signer)?.to_json();
        let verified = self.verify(&record, now)?;
        self.append(&verified, now)
    }

    /// Appends records in this order, all or none, under one checkpoint.
    ///
    /// # Errors
    /// `API_MISUSE` if this handle has no log key; those of the trust policy; `APPEND_REFUSED` for what no ledger
    /// takes, for what the submitter may not append, and if the ledger was moved; `ALREADY_EXISTS` for a release id that was given to something else; `PERMIT_REFUSED` if a promotion or
    /// deployment names a decision it may not use; `LEDGER_BUSY` if another process appends for too long;
    /// `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`. After any of them nothing is receipted and what was receipted before
    /// is untouched.
    pub fn append_all(&mut self, records: &[Verified<Statement>], now: Timestamp) -> Result<Vec<Receipt>> {
        let key = self.sequencer()?;
        let storage = self.store.shared();
        let mut right = storage.acquire(self.patience)?;
        self.refresh()?;
        check_not_moved(self.checkpoint.note())?;
        self.sweep(right.as_mut())?;
        let at = self.next_time(now)?;
        let mut batch: Vec<Pending> = Vec::new();
        let mut places: Vec<(u64, bool)> = Vec::new();
        let mut in_batch: HashMap<(Vec<u8>, String), u64> = HashMap::new();
        let mut trust = self.trust.clone();
        for record in records {
            let index = self.size() + batch.len() as u64;
            // proof of another verifier is not proof under this ledger's trust policy, so it is verified again
            let verified = trust.verify(record.record(), index, at)?;
            let statement = verified.value();
            if !statement.is_v1() {
                return Err(Error::new(
                    ErrorKind::AppendRefused,
                    "a Statement v0.1 is no record; ingest it, so that somebody of the trust policy signs it as v1",
                ));
            }
            if let Some(policy) = trust.in_force_at(index) {
                policy.check_may_append(self.submitter.as_deref(), statement.predicate_type())?;
            }
            let speaker = trust.speaker(&verified, index)?;
            let identity = (statement.payload_digest().bytes().to_vec(), speaker.identity);
            let known = match in_batch.get(&identity) {
                Some(&index) => Some(index),
                None => self.find_payload(&statement.payload_digest(), &identity.1)?,
            };
            if let Some(known) = known {
                places.push((known, true));
                continue;
            }
            let pending: Vec<_> = batch.iter().map(|p| (&p.entry, p.verified.value())).collect();
            self.check_release_id(statement, &pending)?;
            self.check_spend(statement, &speaker.signer, at, self.size(), &pending)?;
            let body = Body { salt: fresh_salt()?, record: record.record().to_vec() };
            let entry = Entry::derive(statement, &body, at)?;
            if crate::trust_policy::is_trust_policy(statement.predicate_type()) {
                trust.take(&verified, index, at)?;
            }
            in_batch.insert(identity, index);
            places.push((index, false));
            batch.push(Pending { entry, body, verified });
        }
        if !batch.is_empty() {
            self.commit(&batch, &key, at, right.as_mut())?;
            // derived, and caught up by whoever searches; a receipt does not wait for it
            let _ = self.with_index(|_| Ok(()));
        }
        // also for what was there already: an earlier call may have failed right here
        self.remember()?;
        drop(right);
        places.into_iter().map(|(index, already_there)| Ok(Receipt { already_there, ..self.prove(index)? })).collect()
    }

    pub(super) fn check_genesis(&self, records: &[Vec<u8>], now: Timestamp) -> Result<()> {
        let mut trust = self.trust.clone();
        for (index, record) in (0..).zip(records) {
            let verified = trust.verify(record, index, now)?;
            trust.take(&verified, index, now)?;
        }
        trust.newest().map(|_| ())
    }

    pub(super) fn append_genesis(
        &mut self,
        records: &[Vec<u8>],
        right: &mut dyn Right,
        now: Timestamp,
    ) -> Result<()> {
        let key = self.sequencer()?;
        let mut batch = Vec::new();
        let mut trust = self.trust.clone();
        for (index, record) in (0..).zip(records) {
            let verified = trust.verify(record, index, now)?;
            trust.take(&verified, index, now)?;
            let body = Body { salt: fresh_salt()?, record: record.clone() };
            let entry = Entry::derive(verified.value(), &body, now)?;
            batch.push(Pending { entry, body, verified });
        }
        self.commit(&batch, &key, now, right)?;
        self.anchored = Anchored::Extends;
        self.remember()
    }

    fn sequencer(&self) -> Result<Arc<PrivateKey>> {
        self.sequencer.clone().ok_or_else(|| {
            Error::new(ErrorKind::ApiMisuse, "this ledger was opened for reading; give its log key to append")
        })
    }

    /// The sequencer's time for the next entries: `now`, but never before the last entry.
    fn next_time(&self, now: Timestamp) -> Result<Timestamp> {
        match self.size() {
            0 => Ok(now),
            size => Ok(now.max(self.entry(size - 1)?.logged_at()?)),
        }
    }

    /// Writes a batch and its checkpoint; afterwards this handle stands at the new checkpoint.
    fn commit(&mut self, batch: &[Pending], key: &PrivateKey, at: Timestamp, right: &mut dyn Right) -> Result<()> {
        let before = self.size();
        let mut objects: Vec<Object> = (before..)
            .zip(batch)
            .map(|(index, pending)| Object {
                name: Store::body_name(index),
                bytes: pending.body.to_bytes(),
                grown_from: None,
            })
            .collect();
        let bytes = batch.iter().map(|p| p.entry.to_bytes()).collect::<Result<Vec<_>>>()?;
        let leaves: Vec<Hash> = bytes.iter().map(|b| leaf_hash(b)).collect();
        let growth = Frontier::load(before, self.checkpoint.checkpoint().root(), &self.store)
            .map_err(lost_tile)?
            .grow(&leaves)?;
        let tile = |id: &TileId, hashes: &[Hash]| Object {
            name: id.to_string(),
            bytes: encode_tile(hashes),
            grown_from: None,
        };
        objects.extend(growth.tiles.iter().map(|(id, hashes)| tile(id, hashes)));
        objects.extend(self.grown_bundles(before, growth.size, bytes)?);
        let checkpoint = Checkpoint::new(self.origin(), growth.size, growth.root)?;
        let signed = SignedCheckpoint::sign(checkpoint, key)?;
        let now = partial_tiles(growth.size);
        let committed = right.commit(&Batch {
            objects,
            stale: partial_tiles(before).into_iter().filter(|path| !now.contains(path)).collect(),
            // the one of a ledger that is being made was never written
            before: (before > 0).then(|| self.checkpoint.note().as_bytes()),
            checkpoint: signed.note().as_bytes(),
        })?;
        if committed == Outcome::Overtaken {
            return Err(Error::new(
                ErrorKind::LedgerBusy,
                format!("another sequencer appended to the ledger `{}` meanwhile; run it again", self.origin()),
            ));
        }
        self.checkpoint = signed;
        for (index, pending) in (before..).zip(batch) {
            if crate::trust_policy::is_trust_policy(pending.verified.value().predicate_type()) {
                self.trust.take(&pending.verified, index, at)?;
                self.trust_entries.push(index);
            }
        }
        Ok(())
    }

    /// Clears once what an append of an earlier process left.
    fn sweep(&mut self, right: &mut dyn Right) -> Result<()> {
        if !self.swept {
            self.store.sweep(self.size(), right)?;
            self.swept = true;
        }
        Ok(())
    }

    fn grown_bundles(&self, before: u64, after: u64, new: Vec<Vec<u8>>) -> Result<Vec<Object>> {
        let width = u64::from(TILE_WIDTH);
        let first = before / width;
        let mut all = match before % width {
            0 => Vec::new(),
            _ => self.store.entries(BundleId::containing(before - 1, before)?)?,
        };
        all.extend(new);
        (first..)
            .zip(all.chunks(usize::from(TILE_WIDTH)))
            .map(|(tile, entries)| {
                let id = BundleId::containing(tile * width, after)?;
                Ok(Object { name: id.to_string(), bytes: encode_entries(entries)?, grown_from: None })
            })
            .collect()
    }
}

struct Pending {
    entry: Entry,
    body: Body,
    verified: Verified<Statement>,
}

fn fresh_salt() -> Result<[u8; 32]> {
    let mut salt = [0; 32];
    rand::fill(&mut salt).map_err(|_| Error::new(ErrorKind::Internal, "the system gave no random bytes"))?;
    Ok(salt)
}
