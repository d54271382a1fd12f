//! The one thread that appends: it takes what waits, and brings it under one checkpoint.
//!
//! While a commit runs the next submissions gather, so that many submitters share one fsync. Each submission stays whole
//! or refused for itself.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::log::Level;
use super::state::State;
use crate::error::{Error, ErrorKind, Result};
use crate::key::PrivateKey;
use crate::ledger::{Job, Ledger, Receipt, event_time, is_of_moved_ledger, is_of_replaced_key};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::verifier::Verified;

/// How often a sequencer with nothing to do looks whether another process appended.
const IDLE: Duration = Duration::from_secs(1);

/// A submission on its way.
pub(super) struct Submission {
    pub(super) records: Vec<Verified<Statement>>,
    pub(super) credential: String,
    pub(super) answer: oneshot::Sender<Result<Vec<Appended>>>,
    /// What it takes of the memory for submissions, given back when it is done.
    pub(super) _held: Option<tokio::sync::OwnedSemaphorePermit>,
}

/// What became of a record.
#[derive(Debug)]
pub(super) struct Appended {
    pub(super) receipt: Receipt,
    /// The record that was there before, if it has other bytes.
    pub(super) record: Option<Vec<u8>>,
}

/// The way to the thread.
pub(super) struct Queue(Mutex<Option<SyncSender<Submission>>>);

impl Queue {
    pub(super) fn new(length: usize) -> (Self, Receiver<Submission>) {
        let (sender, receiver) = sync_channel(length);
        (Self(Mutex::new(Some(sender))), receiver)
    }

    /// Puts a submission into the queue.
    ///
    /// # Errors
    /// `LEDGER_BUSY` if too many wait, or if the sequencer is stopping.
    pub(super) fn submit(&self, submission: Submission) -> Result<()> {
        let queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = |why: &str| Error::new(ErrorKind::LedgerBusy, format!("{why}; submit it again"));
        match queue.as_ref().map(|queue| queue.try_send(submission)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(busy("too many submissions wait")),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(busy("the sequencer is stopping")),
        }
    }

    /// Takes nothing more; what is in the queue is still appended.
    pub(super) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The ledger, and the keys that it may have: the present one, and others that may replace it.
pub(super) struct Appending {
    pub(super) ledger: Ledger,
    pub(super) keys: Vec<Arc<PrivateKey>>,
    /// Whether something was appended since the ledger was last brought to rest.
    pub(super) unsettled: bool,
}

/// Starts the thread, which ends when the queue is closed and empty.
pub(super) fn start(appending: Appending, queue: Receiver<Submission>, state: Arc<State>) -> Result<JoinHandle<()>> {
    let run = move || run(appending, &queue, &state);
    std::thread::Builder::new()
        .name("sequencer".to_owned())
        .spawn(run)
        .map_err(|e| Error::new(ErrorKind::Internal, "the sequencer could not be started").caused_by(e))
}

fn run(mut appending: Appending, queue: &Receiver<Submission>, state: &State) {
    loop {
        let first = match queue.recv_timeout(IDLE) {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                appending.settle();
                look(&mut appending, state);
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return appending.settle(),
        };
        let most = state.config.limits.batch_records;
        let mut records = first.records.len();
        let mut batch = vec![first];
        while records < most
            && let Ok(next) = queue.try_recv()
        {
            records += next.records.len();
            batch.push(next);
        }
        state.metrics.queued.fetch_sub(i64::try_from(batch.len()).unwrap_or(0), Ordering::Relaxed);
        append(&mut appending, batch, state);
    }
}

impl Appending {
    /// Brings the ledger to rest for what reads it without this service, if nobody else is writing.
    fn settle(&mut self) {
        self.unsettled = self.unsettled && self.ledger.settle_within(Duration::ZERO).is_err();
    }

    /// Looks at the ledger, and whether it can still be appended to: it may have been moved, or got another key.
    fn look(&mut self, state: &State) -> Result<()> {
        self.ledger.refresh()?;
        self.sign(state)?;
        self.ledger.check_keyring()?;
        self.ledger.check_seen_here()
    }

    /// Goes on with the key that the log has now.
    fn sign(&mut self, state: &State) -> Result<()> {
        if self.ledger.sign_with_one_of(&self.keys)? {
            state.log(Level::Info, "log-key-replaced", &[("key", self.ledger.log_key().to_string().into())]);
        }
        Ok(())
    }

    /// Appends jobs, with another key if the log got one meanwhile.
    fn append_each(&mut self, jobs: &[Job], state: &State) -> Result<Vec<Result<Vec<Receipt>>>> {
        match self.ledger.append_each(jobs) {
            Err(e) if is_of_replaced_key(&e) => {
                self.sign(state)?;
                self.ledger.append_each(jobs)
            }
            appended => appended,
        }
    }
}

/// What a fault that is about the ledger and no submission is called in the log.
fn event(e: &Error, other: &'static str) -> &'static str {
    match e {
        e if is_of_moved_ledger(e) => "ledger-moved",
        e if is_of_replaced_key(e) => "log-key-missing",
        e if e.kind() == ErrorKind::WrongKey => "encryption-key-missing",
        _ => other,
    }
}

/// Looks for what others did, so that readers see it.
fn look(appending: &mut Appending, state: &State) {
    let before = appending.ledger.checkpoint().clone();
    let looked = appending.look(state);
    // also if witnesses cosigned it
    if *appending.ledger.checkpoint() != before {
        state.publish(&appending.ledger);
    }
    match looked {
        Ok(()) => state.looked(),
        Err(e) => state.trouble(event(&e, "ledger-refused"), &e, false),
    }
}

fn append(appending: &mut Appending, batch: Vec<Submission>, state: &State) {
    let now = match state.now() {
        Ok(now) => now,
        Err(e) => {
            for submission in batch {
                let _ = submission.answer.send(Err(Error::new(e.kind(), e.message())));
            }
            return;
        }
    };
    let begun = Instant::now();
    let jobs: Vec<Job> = batch.iter().map(|submission| submission.job(now)).collect();
    appending.unsettled = true;
    let done = appending.append_each(&jobs, state);
    let ledger = &appending.ledger;
    state.publish(ledger);
    let answers: Vec<Result<Vec<Appended>>> = match done {
        Ok(each) => {
            // what was there before was looked up, and tells nothing of the disk
            let is_new = |receipts: &Vec<Receipt>| receipts.iter().any(|receipt| !receipt.already_there);
            if each.iter().flatten().any(is_new) {
                state.appended();
            }
            each.into_iter().zip(&batch).map(|(receipts, one)| appended(ledger, receipts?, one)).collect()
        }
        // about none of them, so all of them are told; it is no verdict on what they sent
        Err(e) => {
            let name = event(&e, "append-failed");
            // what looking finds as well is over when looking finds it no more
            state.trouble(name, &e, name == "append-failed" && e.kind() != ErrorKind::LedgerBusy);
            let told = || match e.kind() {
                kind @ (ErrorKind::LedgerBusy | ErrorKind::StorageFull | ErrorKind::Io) => {
                    Error::new(kind, e.message())
                }
                _ => Error::new(
                    ErrorKind::ServiceUnavailable,
                    "the sequencer can't append; its operator finds why in the log",
                ),
            };
            for submission in batch {
                let _ = submission.answer.send(Err(told()));
            }
            return;
        }
    };
    state.metrics.commit(batch.len(), begun.elapsed());
    finish(answers.into_iter().zip(batch).collect(), now, state);
}

impl Submission {
    fn job(&self, now: Timestamp) -> Job {
        let records = self.records.iter().map(|record| record.record().to_vec()).collect();
        Job { records, submitter: Some(self.credential.clone()), now }
    }
}

fn appended(ledger: &Ledger, receipts: Vec<Receipt>, submission: &Submission) -> Result<Vec<Appended>> {
    let each = receipts.into_iter().zip(&submission.records);
    each.map(|(receipt, record)| {
        let before = if receipt.already_there { Some(ledger.proven_record(receipt.index)?.1) } else { None };
        Ok(Appended { receipt, record: before.filter(|before| before != record.record()) })
    })
    .collect()
}

fn finish(answers: Vec<(Result<Vec<Appended>>, Submission)>, now: Timestamp, state: &State) {
    for (answer, submission) in answers {
        match &answer {
            Ok(appended) => {
                for (one, record) in appended.iter().zip(&submission.records) {
                    if one.receipt.already_there {
                        state.metrics.already_there.fetch_add(1, Ordering::Relaxed);
                    } else {
                        state.metrics.appended.fetch_add(1, Ordering::Relaxed);
                        lag(&one.receipt, record.value(), now, state);
                    }
                }
            }
            Err(e) => {
                state.metrics.refused_records.fetch_add(1, Ordering::Relaxed);
                if super::answer::is_ours(e) {
                    let fields = [("code", e.code().into()), ("message", e.message().into())];
                    state.log(Level::Error, "append-failed", &fields);
                }
            }
        }
        // whoever asked may be gone; the records are there
        let _ = submission.answer.send(answer);
    }
}

/// How long after its event a record was logged, where it says when that was.
fn lag(receipt: &Receipt, statement: &Statement, now: Timestamp, state: &State) {
    let Some(happened) = event_time(statement) else { return };
    // a clock ahead of ours makes no record early
    let millis = u64::try_from(now.unix_millis().saturating_sub(happened.unix_millis())).unwrap_or(0);
    let lag = Duration::from_millis(millis);
    state.metrics.lag(lag);
    if lag > state.config.limits.lag {
        state.metrics.late.fetch_add(1, Ordering::Relaxed);
        let fields = [
            ("entry", receipt.index.into()),
            ("type", statement.predicate_type().into()),
            ("lagSeconds", lag.as_secs().into()),
        ];
        state.log(Level::Warn, "late-evidence", &fields);
    }
}
