//! Group commit: those who wait for the right to append leave what they would append, and whoever has it commits all.
//!
//! Only who holds the key of the log may append, so a submission carries a code that only they can make. It is verified
//! anew by whoever takes it, under the trust policy of that moment, for the submitter it names. An answer is a hint: who
//! waits proves its own receipts from the log. What is refused is tried once more by its owner, who then knows why.

use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::append::{Fresh, Job, Place};
use super::storage::{Right, Storage, Ticket};
use super::{Ledger, Receipt};
use crate::error::{Error, ErrorKind, Result};
use crate::key::PrivateKey;
use crate::statement::Statement;
use crate::verifier::Verified;

/// Submissions that are taken at once.
const MOST: usize = 256;
/// How long somebody commits for others before it goes on with its own work.
const STINT: Duration = Duration::from_millis(25);
/// Waits between looks at the lock and for an answer.
const FIRST_WAIT: Duration = Duration::from_micros(100);
const LONGEST_WAIT: Duration = Duration::from_millis(2);

/// Makes and checks the code of submissions.
#[derive(Clone)]
pub(super) struct Seal(hmac::Key);

impl Seal {
    /// Derived from a signature that is never given out. What it is over ends without an end of line, so it is no note
    /// and signs no checkpoint.
    pub(super) fn new(key: &PrivateKey, origin: &str) -> Result<Self> {
        let secret = Zeroizing::new(key.sign(format!("sealwright-queue/v1 {origin}").as_bytes())?);
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    fn put_on(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let tag = hmac::sign(&self.0, &bytes);
        bytes.extend(tag.as_ref());
        bytes
    }

    fn take_off<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (bytes, tag) = bytes.split_at_checked(bytes.len().checked_sub(32)?)?;
        hmac::verify(&self.0, bytes, tag).ok().map(|()| bytes)
    }
}

impl Ledger {
    /// Brings what was appended to rest: into its own files, and those to disk.
    ///
    /// Whoever reads a folder through this library sees an append at once, and closing the ledger does the same. It is for
    /// what reads the folder by itself while the ledger stays open, such as a copy or a web server.
    ///
    /// # Errors
    /// `LEDGER_BUSY` if another process appends for too long; `PERMISSION_DENIED`, `STORAGE_FULL` or `IO`.
    pub fn settle(&self) -> Result<()> {
        self.settle_within(self.patience)
    }

    /// As [`Ledger::settle`], with another patience with whoever appends.
    pub(crate) fn settle_within(&self, patience: Duration) -> Result<()> {
        let storage = self.store.shared();
        if storage.service().is_some() {
            return Ok(());
        }
        storage.acquire(patience)?.settle()
    }

    /// Appends by whoever has the right: this handle, or another that commits for both.
    pub(super) fn append_in_turn(&mut self, job: &Job, records: &[Verified<Statement>]) -> Result<Vec<Receipt>> {
        let storage = self.store.shared();
        let begun = Instant::now();
        let mut ticket: Option<Box<dyn Ticket>> = None;
        let mut wait = Duration::ZERO;
        loop {
            if let Some(answer) = ticket.as_ref().and_then(|ticket| ticket.answer()) {
                ticket = None;
                if let Some(receipts) = self.receipts_of(&answer, records)? {
                    return Ok(receipts);
                }
            }
            match storage.acquire(Duration::ZERO) {
                Ok(right) => {
                    let answer = ticket.take().and_then(|ticket| {
                        ticket.withdraw();
                        ticket.answer()
                    });
                    if let Some(answer) = answer {
                        drop(right);
                        if let Some(receipts) = self.receipts_of(&answer, records)? {
                            return Ok(receipts);
                        }
                        continue;
                    }
                    return self.append_for_all(storage.as_ref(), right, job);
                }
                Err(e) if e.kind() == ErrorKind::LedgerBusy => {}
                Err(e) => return Err(e),
            }
            let waited = begun.elapsed();
            if waited >= self.patience {
                // one that was taken is being committed right now, and is not said to have failed
                let taken = ticket.as_ref().is_some_and(|ticket| !ticket.withdraw());
                if !taken || waited >= self.patience * 2 + STINT * 40 {
                    return Err(self.busy());
                }
            } else if wait.is_zero() {
                // what can't be left there, for want of space or of the right to write, waits for its own turn
                let sealed = self.seal()?.put_on(job.encode());
                ticket = storage.queue().and_then(|queue| queue.submit(&sealed).ok());
                wait = FIRST_WAIT;
            }
            std::thread::sleep(wait);
            wait = LONGEST_WAIT.min(wait * 2);
        }
    }

    /// Appends jobs of several submitters under one checkpoint, each of them whole or refused for itself. What others left
    /// in the queue of the storage is not taken; they append in their turn.
    ///
    /// # Errors
    /// As [`Ledger::append_all`], where it is about none of the jobs: then nothing was appended.
    #[cfg(feature = "serve")]
    pub(crate) fn append_each(&mut self, jobs: &[Job]) -> Result<Vec<Result<Vec<Receipt>>>> {
        self.seal()?;
        let storage = self.store.shared();
        let mut right = storage.acquire(self.patience)?;
        self.refresh()?;
        self.check_seen_here()?;
        self.sweep(right.as_mut())?;
        let mut admission = self.admission()?;
        let places: Vec<_> = jobs.iter().map(|job| self.admit(&mut admission, job)).collect();
        let fresh = self.commit(admission, right.as_mut())?;
        self.remember(false)?;
        drop(right);
        if self.tail().is_long() {
            // derived, and caught up by whoever searches; nobody waits for it with the right in hand
            let _ = self.with_index(|_| Ok(()));
        }
        Ok(places.into_iter().map(|places| places.and_then(|places| self.receipts(&places, &fresh))).collect())
    }

    fn busy(&self) -> Error {
        Error::new(
            ErrorKind::LedgerBusy,
            format!(
                "another process has appended to the ledger `{}` for over {} s; run it again, or end that process",
                self.place(),
                self.patience.as_secs()
            ),
        )
    }

    /// With the right to append: commits this job and those of whoever waits, in as few commits as can be.
    fn append_for_all(
        &mut self,
        storage: &dyn Storage,
        mut right: Box<dyn Right + '_>,
        job: &Job,
    ) -> Result<Vec<Receipt>> {
        let begun = Instant::now();
        self.refresh()?;
        self.check_seen_here()?;
        self.sweep(right.as_mut())?;
        let queue = storage.queue();
        let waiting = || queue.as_ref().map(|queue| queue.take(MOST)).unwrap_or_default();
        let mut others = waiting();
        let mut admission = self.admission()?;
        let own = self.admit(&mut admission, job);
        let mut fresh = Fresh::default();
        let (mut failed, mut for_others) = (None, false);
        loop {
            let mut answers = Vec::new();
            for other in &others {
                // a submission that is none of ours gets no answer
                let Some(job) = self.seal()?.take_off(&other.bytes).and_then(Job::decode) else { continue };
                answers.push((&other.id, self.admit(&mut admission, &job).ok()));
            }
            for_others |= !answers.is_empty();
            let committed = self.commit(admission, right.as_mut()).and_then(|new| {
                fresh.extend(new);
                self.remember(false)
            });
            for (id, places) in answers {
                let answer = places.filter(|_| committed.is_ok()).map(|places| encode_places(&places));
                if let Some(queue) = &queue {
                    queue.answer(id, &answer.unwrap_or_default());
                }
            }
            if let Err(e) = committed {
                failed = Some(e);
                break;
            }
            others = match begun.elapsed() < STINT {
                true => waiting(),
                false => Vec::new(),
            };
            if others.is_empty() {
                break;
            }
            admission = self.admission()?;
        }
        if for_others && failed.is_none() {
            // whoever has the right next would read what it does not know from the log, each for itself
            let _ = self.with_index(|_| Ok(()));
        }
        drop(right);
        let places = own?;
        // a commit that failed later was for others
        if let Some(e) = failed.filter(|_| !fresh.has(&places)) {
            return Err(e);
        }
        self.receipts(&places, &fresh)
    }

    /// The receipts of an answer, if it is right and not a refusal.
    fn receipts_of(&mut self, answer: &[u8], records: &[Verified<Statement>]) -> Result<Option<Vec<Receipt>>> {
        let Some(places) = decode_places(answer, records.len()) else { return Ok(None) };
        self.refresh()?;
        let mut receipts = Vec::new();
        for (place, record) in places.iter().zip(records) {
            let Ok((receipt, body)) = self.receipt(place) else { return Ok(None) };
            if body.record != record.record() {
                // the same statement in another envelope
                let there = self.record(place.index)?;
                let own = self.trust.speaker(record, self.size())?;
                if there.statement().payload_digest() != record.value().payload_digest()
                    || there.speaker.identity != own.identity
                {
                    return Ok(None);
                }
            }
            receipts.push(receipt);
        }
        self.appended = true;
        Ok(Some(receipts))
    }
}

fn encode_places(places: &[Place]) -> Vec<u8> {
    places
        .iter()
        .flat_map(|place| place.index.to_be_bytes().into_iter().chain([u8::from(place.already_there)]))
        .collect()
}

fn decode_places(answer: &[u8], count: usize) -> Option<Vec<Place>> {
    let (chunks, rest) = answer.as_chunks::<9>();
    if chunks.len() != count || !rest.is_empty() {
        return None;
    }
    let place = |chunk: &[u8; 9]| {
        let (index, already_there) = chunk.split_first_chunk::<8>()?;
        Some(Place { index: u64::from_be_bytes(*index), already_there: already_there == [1] })
    };
    chunks.iter().map(place).collect()
}
