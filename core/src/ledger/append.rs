//! Appending: verified under the trust policy, ordered, committed by a signed checkpoint, then receipted.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::random;

use super::edge::{Edge, EdgeTiles};
use super::entry::{Body, Entry};
use super::group::Seal;
use super::index::Row;
use super::label::Labels;
use super::receipt::Receipt;
use super::storage::{Batch, Object, Outcome, Right};
use super::store::{Store, partial_tiles};
use super::walk::lost_tile;
use super::{Anchored, Ledger};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PrivateKey;
use crate::limits;
use crate::merkle::{inclusion_proofs, leaf_hash, verify_inclusion};
use crate::predicate::{Deployment, LegalHold, PredicateType as _, Promotion, Release, RetentionDisposal};
use crate::signer::{Signer, sign};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust_policy::{TrustChain, is_trust_policy};
use crate::verifier::Verified;

/// Records from which on they are verified by more than one thread.
const MANY: usize = 32;

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
        let storage = self.store.shared();
        if let Some(service) = storage.service() {
            return self.submit(service, records);
        }
        self.sequencer()?;
        let job = Job {
            records: records.iter().map(|record| record.record().to_vec()).collect(),
            submitter: self.submitter.clone(),
            now,
        };
        let begun = std::time::Instant::now();
        let receipts = self.append_in_turn(&job, records)?;
        self.appended_in(begun.elapsed());
        if self.tail().is_long() {
            // derived, and caught up by whoever searches; nobody waits for it with the right in hand
            let _ = self.with_index(|_| Ok(()));
        }
        Ok(receipts)
    }

    pub(super) fn check_genesis(&self, records: &[Vec<u8>], now: Timestamp) -> Result<()> {
        let mut trust = self.trust.clone();
        for (index, record) in (0..).zip(records) {
            let verified = trust.verify(record, index, now)?;
            trust.take(&verified, index, now)?;
        }
        trust.newest().map(|_| ())
    }

    pub(super) fn append_genesis(&mut self, records: &[Vec<u8>], right: &mut dyn Right, now: Timestamp) -> Result<()> {
        let mut admission = self.admission()?;
        let mut trust = self.trust.clone();
        let mut all = Vec::new();
        for (index, record) in (0..).zip(records) {
            let verified = trust.verify(record, index, now)?;
            trust.take(&verified, index, now)?;
            all.push(verified);
        }
        // who they are is known once all of them together are in force
        for (index, verified) in (0..).zip(all) {
            let identity = trust.speaker(&verified, index)?.identity;
            admission.pending.push(Pending::new(verified, identity, now, &self.labels)?);
        }
        self.commit(admission, right)?;
        // a place where it can't lie as it must is none
        right.settle()?;
        self.anchored = Anchored::Extends;
        self.remember(true)
    }

    pub(super) fn sequencer(&self) -> Result<Arc<PrivateKey>> {
        let key = self.sequencer.clone().ok_or_else(|| {
            Error::new(ErrorKind::ApiMisuse, "this ledger was opened for reading; give its log key to append")
        })?;
        self.check_signs(&key)?;
        Ok(key)
    }

    /// The seal of submissions, made once.
    pub(super) fn seal(&mut self) -> Result<Seal> {
        if let Some(seal) = &self.seal {
            return Ok(seal.clone());
        }
        let seal = Seal::new(self.sequencer()?.as_ref(), self.origin())?;
        self.seal = Some(seal.clone());
        Ok(seal)
    }

    /// A batch that is empty as yet. Its time is never before that of the last entry.
    pub(super) fn admission(&mut self) -> Result<Admission> {
        let at = self.edge()?.last()?.map(|entry| entry.logged_at()).transpose()?;
        Ok(Admission { at, ..Admission::default() })
    }

    /// Checks the records of a job and takes them into the batch, all or none; says where each will be.
    pub(super) fn admit(&mut self, admission: &mut Admission, job: &Job) -> Result<Vec<Place>> {
        let (mark, trust, at) = (admission.pending.len(), admission.trust.clone(), admission.at);
        let admitted = self.admit_each(admission, job);
        if admitted.is_err() {
            let end = self.size() + mark as u64;
            admission.pending.truncate(mark);
            admission.places.retain(|_, index| *index < end);
            (admission.trust, admission.at) = (trust, at);
        }
        admitted
    }

    fn admit_each(&mut self, admission: &mut Admission, job: &Job) -> Result<Vec<Place>> {
        let at = admission.at.map_or(job.now, |last| last.max(job.now));
        admission.at = Some(at);
        let first = self.size() + admission.pending.len() as u64;
        let together = verify_each(admission.trust.as_ref().unwrap_or(&self.trust), &job.records, first, at);
        let apart = match &together {
            Ok(run) => run.iter().any(|verified| is_trust_policy(verified.value().predicate_type())),
            Err(_) => true,
        };
        if job.records.len() < 2 || !apart {
            return self.admit_run(admission, together?, job, at);
        }
        // a version of the trust policy judges what follows on it in the same batch
        let mut places = Vec::new();
        for record in &job.records {
            let index = self.size() + admission.pending.len() as u64;
            let trust = admission.trust.as_ref().unwrap_or(&self.trust);
            let verified = verify_each(trust, std::slice::from_ref(record), index, at)?;
            places.extend(self.admit_run(admission, verified, job, at)?);
        }
        Ok(places)
    }

    /// Takes verified records into the batch; a trust policy comes alone.
    fn admit_run(
        &mut self,
        admission: &mut Admission,
        run: Vec<Verified<Statement>>,
        job: &Job,
        at: Timestamp,
    ) -> Result<Vec<Place>> {
        let first = self.size() + admission.pending.len() as u64;
        let trust = admission.trust.as_ref().unwrap_or(&self.trust);
        let mut speakers = Vec::new();
        let mut wanted = Vec::new();
        for verified in &run {
            let statement = verified.value();
            if !statement.is_v1() {
                return Err(Error::new(
                    ErrorKind::AppendRefused,
                    "a Statement v0.1 is no record; ingest it, so that somebody of the trust policy signs it as v1",
                ));
            }
            if let Some(policy) = trust.in_force_at(first) {
                policy.check_may_append(job.submitter.as_deref(), statement.predicate_type())?;
            }
            let speaker = trust.speaker(verified, first)?;
            wanted.push((statement.payload_digest().hex(), speaker.identity.clone()));
            speakers.push(speaker);
        }
        let known = self.find_payloads(&wanted)?;
        let mut places = Vec::new();
        for (((verified, speaker), known), identity) in run.into_iter().zip(speakers).zip(known).zip(wanted) {
            let index = self.size() + admission.pending.len() as u64;
            if let Some(index) = admission.places.get(&identity).copied().or(known) {
                places.push(Place { index, already_there: true });
                continue;
            }
            let statement = verified.value();
            if may_be_refused(statement.predicate_type()) {
                let pending: Vec<_> = admission.pending.iter().map(|p| (&p.entry, p.verified.value())).collect();
                self.check_release_id(statement, &pending)?;
                self.check_hold(statement)?;
                self.check_disposal(statement, at, index, &pending)?;
                self.check_may_spend(statement, &speaker.signer, at, &pending)?;
            }
            if is_trust_policy(statement.predicate_type()) {
                let mut newer = admission.trust.clone().unwrap_or_else(|| self.trust.clone());
                newer.take(&verified, index, at)?;
                admission.trust = Some(newer);
            }
            admission.places.insert(identity, index);
            places.push(Place { index, already_there: false });
            admission.pending.push(Pending::new(verified, speaker.identity, at, &self.labels)?);
        }
        Ok(places)
    }

    /// Commits a batch; afterwards this handle stands at the new checkpoint. Gives what was written.
    pub(super) fn commit(&mut self, admission: Admission, right: &mut dyn Right) -> Result<Fresh> {
        let mut fresh = Fresh::default();
        if admission.pending.is_empty() {
            return Ok(fresh);
        }
        let key = self.sequencer()?;
        let before = self.size();
        let entries: Vec<Vec<u8>> = admission.pending.iter().map(|p| p.bytes.clone()).collect();
        let (edge, tiles, growth) = self.edge()?.grow(&entries)?;
        let mut objects: Vec<Object> = (before..)
            .zip(&admission.pending)
            .map(|(index, pending)| Object {
                name: Store::body_name(index),
                bytes: pending.body.to_bytes(),
                grown_from: None,
            })
            .collect();
        objects.extend(tiles);
        if objects.iter().map(|object| object.bytes.len()).sum::<usize>() > limits::LEDGER_BATCH_BYTES {
            return Err(Error::new(ErrorKind::LimitExceeded, "the batch has over 1 GiB; append it in parts"));
        }
        let checkpoint = Checkpoint::new(self.origin(), growth.size, growth.root)?;
        let signed = SignedCheckpoint::sign(checkpoint, &key)?;
        let now = partial_tiles(growth.size);
        let committed = right.commit(Batch {
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
        self.edge = Some(edge);
        self.appended = true;
        for (index, pending) in (before..).zip(admission.pending) {
            if is_trust_policy(pending.verified.value().predicate_type()) {
                self.trust.take(&pending.verified, index, pending.entry.logged_at()?)?;
                self.trust_entries.push(index);
            }
            self.tail().push(Row::new(index, pending.entry.time, pending.verified.value(), pending.identity));
            fresh.0.insert(index, (pending.bytes, pending.body.salt));
        }
        Ok(fresh)
    }

    /// Clears once what an append of an earlier process left.
    pub(super) fn sweep(&mut self, right: &mut dyn Right) -> Result<()> {
        if !self.swept {
            self.store.sweep(self.size(), right)?;
            self.swept = true;
        }
        Ok(())
    }

    /// Receipts under the present checkpoint; what was just written is not read again.
    pub(super) fn receipts(&self, places: &[Place], fresh: &Fresh) -> Result<Vec<Receipt>> {
        let (size, root) = (self.size(), self.checkpoint.checkpoint().root());
        let indexes: Vec<u64> = places.iter().map(|p| p.index).filter(|index| fresh.0.contains_key(index)).collect();
        let tiles = EdgeTiles { edge: self.edge.as_ref(), store: &self.store };
        let mut proofs = inclusion_proofs(&indexes, size, &tiles).map_err(lost_tile)?.into_iter();
        let mut receipts = Vec::new();
        for place in places {
            receipts.push(match (fresh.0.get(&place.index), place) {
                (Some((bytes, salt)), _) => {
                    let proof = proofs.next().unwrap_or_default();
                    verify_inclusion(place.index, size, &leaf_hash(bytes), &proof, root)?;
                    let receipt = Receipt::of_bytes(place.index, bytes, salt, &proof, &self.checkpoint)?;
                    Receipt { already_there: place.already_there, ..receipt }
                }
                (None, place) => self.receipt(place)?.0,
            });
        }
        Ok(receipts)
    }

    /// The receipt of an entry under the present checkpoint, and its body.
    pub(super) fn receipt(&self, place: &Place) -> Result<(Receipt, Body)> {
        let (bytes, proof) = self.proven_entry(place.index)?;
        let body = self.body_of(place.index, &Entry::parse(&bytes)?)?;
        let receipt = Receipt::of_bytes(place.index, &bytes, &body.salt, &proof, &self.checkpoint)?;
        Ok((Receipt { already_there: place.already_there, ..receipt }, body))
    }

    /// The right edge at this handle's checkpoint.
    pub(super) fn edge(&mut self) -> Result<&Edge> {
        let known = self.edge.take().filter(|edge| edge.is_at(self.checkpoint.checkpoint()));
        let edge = match known {
            Some(edge) => edge,
            None => Edge::load(self.checkpoint.checkpoint(), &self.store)?,
        };
        Ok(self.edge.insert(edge))
    }
}

/// What is to be appended together, all or none.
pub(crate) struct Job {
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) submitter: Option<String>,
    pub(crate) now: Timestamp,
}

impl Job {
    /// Written for another process that does it.
    pub(super) fn encode(&self) -> Vec<u8> {
        let submitter = self.submitter.as_ref().map_or(&[][..], |name| name.as_bytes());
        let mut out = self.now.unix_millis().to_be_bytes().to_vec();
        out.push(u8::from(self.submitter.is_some()));
        for part in std::iter::once(submitter).chain(self.records.iter().map(Vec::as_slice)) {
            out.extend((part.len() as u64).to_be_bytes());
            out.extend(part);
        }
        out
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (now, rest) = bytes.split_first_chunk::<8>()?;
        let (named, mut rest) = rest.split_first()?;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (length, tail) = rest.split_first_chunk::<8>()?;
            let (part, tail) = tail.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
            parts.push(part);
            rest = tail;
        }
        let (submitter, records) = parts.split_first()?;
        let submitter = (*named == 1).then(|| String::from_utf8(submitter.to_vec()).ok());
        Some(Self {
            records: records.iter().map(|record| record.to_vec()).collect(),
            submitter: match submitter {
                Some(name) => Some(name?),
                None => None,
            },
            now: Timestamp::from_unix_millis(i64::from_be_bytes(*now)).ok()?,
        })
    }
}

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) index: u64,
    /// Whether it was there before.
    pub(super) already_there: bool,
}

/// A batch that is being put together.
#[derive(Default)]
pub(super) struct Admission {
    pending: Vec<Pending>,
    /// The trust policy as records of this batch made it; none if they did not change it.
    trust: Option<TrustChain>,
    /// Time of the last entry.
    at: Option<Timestamp>,
    /// By payload and signer.
    places: HashMap<(String, String), u64>,
}

struct Pending {
    entry: Entry,
    bytes: Vec<u8>,
    body: Body,
    verified: Verified<Statement>,
    /// Who signed it.
    identity: String,
}

impl Pending {
    fn new(verified: Verified<Statement>, identity: String, at: Timestamp, labels: &Labels) -> Result<Self> {
        let body = Body { salt: fresh_salt()?, record: verified.record().to_vec() };
        let entry = Entry::derive(verified.value(), &body, at, labels)?;
        Ok(Self { bytes: entry.to_bytes()?, entry, body, verified, identity })
    }
}

/// Entries and salts of what a handle just wrote.
#[derive(Default)]
pub(super) struct Fresh(BTreeMap<u64, (Vec<u8>, [u8; 32])>);

impl Fresh {
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether all that is new of these places was written.
    pub(super) fn has(&self, places: &[Place]) -> bool {
        places.iter().all(|place| place.already_there || self.0.contains_key(&place.index))
    }
}

/// Types that are held against what the ledger has.
pub(super) fn may_be_refused(predicate_type: &str) -> bool {
    const CHECKED: [&str; 4] = [Promotion::TYPE, Deployment::TYPE, LegalHold::TYPE, RetentionDisposal::TYPE];
    Release::reads(predicate_type) || CHECKED.contains(&predicate_type)
}

/// Verifies records that are to stand from `first` on, by more than one thread if they are many.
fn verify_each(trust: &TrustChain, records: &[Vec<u8>], first: u64, at: Timestamp) -> Result<Vec<Verified<Statement>>> {
    let verify = |records: &[Vec<u8>]| -> Result<Vec<_>> {
        records.iter().map(|record| trust.verify(record, first, at)).collect()
    };
    // asking the system reads files each time
    let threads = || std::thread::available_parallelism().map_or(1, |threads| threads.get().min(8));
    let threads = if records.len() < MANY { 1 } else { threads() };
    if threads < 2 {
        return verify(records);
    }
    let lost = |_| Error::new(ErrorKind::Internal, "a thread that verified records panicked");
    let parts: Vec<Result<Vec<_>>> = std::thread::scope(|scope| {
        let started: Vec<_> =
            records.chunks(records.len().div_ceil(threads)).map(|part| scope.spawn(move || verify(part))).collect();
        started.into_iter().map(|thread| thread.join().map_err(lost).and_then(|part| part)).collect()
    });
    parts.into_iter().try_fold(Vec::with_capacity(records.len()), |mut all, part| {
        all.extend(part?);
        Ok(all)
    })
}

fn fresh_salt() -> Result<[u8; 32]> {
    let mut salt = [0; 32];
    random::fill(&mut salt)?;
    Ok(salt)
}
