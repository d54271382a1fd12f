//! What all parts of a sequencer share.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::Semaphore;

use super::Clock;
use super::caller::Callers;
use super::config::Config;
use super::log::{Level, Log};
use super::metrics::Metrics;
use super::rate::Rates;
use super::sequencer::Queue;
use crate::error::{Error, Result};
use crate::ledger::Ledger;
use crate::timestamp::Timestamp;

/// Strangers whose rates are told apart.
const STRANGERS: usize = 10_000;

/// How long an append that failed is trouble before another is tried, if none was meanwhile.
const TROUBLED: Duration = Duration::from_secs(10);

/// What keeps a sequencer from appending.
struct Trouble {
    told: String,
    /// When an append failed by it; none for what is seen by looking.
    failed: Option<Instant>,
}

pub(super) struct State {
    pub(super) config: Config,
    pub(super) callers: Callers,
    pub(super) metrics: Metrics,
    pub(super) queue: Queue,
    /// How often each caller asks, by name.
    pub(super) rates: Rates<String>,
    /// How often those ask who show nothing that is taken, by address.
    pub(super) strangers: Rates<IpAddr>,
    /// Requests that may be answered at once.
    pub(super) requests: Semaphore,
    /// Memory for submissions, in KiB.
    pub(super) memory: Arc<Semaphore>,
    reader: RwLock<Arc<Ledger>>,
    /// What keeps it from appending, as it was last logged; nothing if it can.
    trouble: Mutex<Option<Trouble>>,
    stopping: AtomicBool,
    clock: Clock,
    log: Log,
}

impl State {
    pub(super) fn new(config: Config, callers: Callers, queue: Queue, reader: Ledger, clock: Clock, log: Log) -> Self {
        let limits = &config.limits;
        let kib = usize::try_from(limits.pending_bytes / 1024 + 1).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let metrics = Metrics::new();
        metrics.size.store(reader.size(), Ordering::Relaxed);
        Self {
            callers,
            metrics,
            queue,
            rates: Rates::new(limits.burst, limits.per_second, config.callers.len().max(1)),
            strangers: Rates::new(limits.burst, limits.per_second, STRANGERS),
            requests: Semaphore::new(limits.requests),
            memory: Arc::new(Semaphore::new(kib)),
            reader: RwLock::new(Arc::new(reader)),
            trouble: Mutex::default(),
            stopping: AtomicBool::new(false),
            clock,
            log,
            config,
        }
    }

    /// The ledger as it was after the last commit, for reading.
    pub(super) fn ledger(&self) -> Arc<Ledger> {
        Arc::clone(&self.reader.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets readers see what `ledger` sees.
    pub(super) fn publish(&self, ledger: &Ledger) {
        self.metrics.size.store(ledger.size(), Ordering::Relaxed);
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ledger.reader());
    }

    pub(super) fn now(&self) -> Result<Timestamp> {
        (self.clock)()
    }

    pub(super) fn log(&self, level: Level, event: &str, fields: &[(&str, Value)]) {
        let now = self.now().or_else(|_| Timestamp::from_unix_millis(0));
        if let Ok(now) = now {
            self.log.write(now, level, event, fields);
        }
    }

    /// Remembers that it appended.
    pub(super) fn appended(&self) {
        self.well(|_| true);
    }

    /// Remembers that the ledger can be read, and nothing is seen that keeps it from appending.
    pub(super) fn looked(&self) {
        // whether the disk takes something again, looking does not tell
        self.well(|trouble| trouble.failed.is_none_or(|at| at.elapsed() >= TROUBLED));
    }

    fn well(&self, is_over: impl FnOnce(&Trouble) -> bool) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.take_if(|trouble| is_over(trouble)).is_some() {
            self.log(Level::Info, "recovered", &[]);
        }
    }

    /// Remembers, and logs once, why it can't append: by a fault that looking found, or an append.
    pub(super) fn trouble(&self, event: &str, e: &Error, by_append: bool) {
        let told = format!("{event} {} {}", e.code(), e.message());
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble.as_ref().is_none_or(|trouble| trouble.told != told) {
            let fields = [("code", e.code().into()), ("message", e.message().into())];
            self.log(Level::Error, event, &fields);
        }
        *trouble = Some(Trouble { told, failed: by_append.then(Instant::now) });
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_ready(&self) -> bool {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).is_none() && !self.stopping.load(Ordering::Relaxed)
    }
}
