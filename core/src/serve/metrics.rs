//! What a sequencer counts, in the text format of Prometheus (version 0.0.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The media type of the text.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the buckets of times of work, in seconds.
const WORK: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10.0];
/// Upper bounds of the buckets of the lag of evidence, in seconds.
const LAG: [f64; 8] = [1.0, 10.0, 60.0, 300.0, 3600.0, 21_600.0, 86_400.0, 604_800.0];

#[derive(Debug)]
pub(super) struct Metrics {
    /// By route and status.
    requests: Mutex<BTreeMap<(&'static str, u16), u64>>,
    request_time: Histogram<10>,
    commit_time: Histogram<10>,
    batch_time: Histogram<10>,
    lag: Histogram<8>,
    pub(super) refused_callers: AtomicU64,
    pub(super) refused_rates: AtomicU64,
    pub(super) appended: AtomicU64,
    pub(super) already_there: AtomicU64,
    pub(super) refused_records: AtomicU64,
    pub(super) batches: AtomicU64,
    pub(super) late: AtomicU64,
    pub(super) spooled: AtomicU64,
    pub(super) in_flight: AtomicI64,
    pub(super) connections: AtomicI64,
    pub(super) queued: AtomicI64,
    pub(super) size: AtomicU64,
    /// Lag of the newest record, in milliseconds.
    pub(super) last_lag: AtomicI64,
}

#[derive(Debug)]
struct Histogram<const N: usize> {
    bounds: [f64; N],
    counts: [AtomicU64; N],
    count: AtomicU64,
    sum_millis: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    fn new(bounds: [f64; N]) -> Self {
        Self {
            bounds,
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            count: AtomicU64::new(0),
            sum_millis: AtomicU64::new(0),
        }
    }

    fn observe(&self, time: Duration) {
        let seconds = time.as_secs_f64();
        for (_, count) in self.bounds.iter().zip(&self.counts).filter(|(bound, _)| seconds <= **bound) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_millis.fetch_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn write(&self, out: &mut String, name: &str, help: &str) {
        head(out, name, help, "histogram");
        for (bound, count) in self.bounds.iter().zip(&self.counts) {
            let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {}", count.load(Ordering::Relaxed));
        }
        let count = self.count.load(Ordering::Relaxed);
        let millis = self.sum_millis.load(Ordering::Relaxed);
        let _ = writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "{name}_sum {}.{:03}\n{name}_count {count}", millis / 1000, millis % 1000);
    }
}

impl Metrics {
    pub(super) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            requests: Mutex::default(),
            request_time: Histogram::new(WORK),
            commit_time: Histogram::new(WORK),
            batch_time: Histogram::new([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0]),
            lag: Histogram::new(LAG),
            refused_callers: zero(),
            refused_rates: zero(),
            appended: zero(),
            already_there: zero(),
            refused_records: zero(),
            batches: zero(),
            late: zero(),
            spooled: zero(),
            in_flight: AtomicI64::new(0),
            connections: AtomicI64::new(0),
            queued: AtomicI64::new(0),
            size: zero(),
            last_lag: AtomicI64::new(0),
        }
    }

    pub(super) fn request(&self, route: &'static str, status: u16, time: Duration) {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner).entry((route, status)).or_default() += 1;
        self.request_time.observe(time);
    }

    /// A commit of submissions by so many callers' requests.
    pub(super) fn commit(&self, submissions: usize, time: Duration) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.commit_time.observe(time);
        self.batch_time.observe(Duration::from_secs(submissions as u64));
    }

    pub(super) fn lag(&self, lag: Duration) {
        self.lag.observe(lag);
        self.last_lag.store(i64::try_from(lag.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let name = "sealwright_ledger_requests_total";
        head(&mut out, name, "Requests answered.", "counter");
        for ((route, status), count) in self.requests.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = writeln!(out, "{name}{{route=\"{route}\",status=\"{status}\"}} {count}");
        }
        let counters = [
            ("records_appended_total", "Records appended.", &self.appended),
            ("records_already_there_total", "Records submitted that were there before.", &self.already_there),
            ("submissions_refused_total", "Submissions refused by a rule of the ledger.", &self.refused_records),
            ("commits_total", "Checkpoints signed.", &self.batches),
            ("callers_refused_total", "Requests of callers who showed nothing that is taken.", &self.refused_callers),
            ("rate_limited_total", "Requests refused because a caller asked too often.", &self.refused_rates),
            ("late_records_total", "Records logged later after their event than is expected.", &self.late),
            ("spooled_records_total", "Records taken from the spool folder.", &self.spooled),
        ];
        for (name, help, value) in counters {
            let name = format!("sealwright_ledger_{name}");
            head(&mut out, &name, help, "counter");
            let _ = writeln!(out, "{name} {}", value.load(Ordering::Relaxed));
        }
        let last_lag = self.last_lag.load(Ordering::Relaxed);
        let gauges = [
            ("requests_in_flight", "Requests being answered.", self.in_flight.load(Ordering::Relaxed).to_string()),
            ("connections", "Open connections.", self.connections.load(Ordering::Relaxed).to_string()),
            (
                "submissions_queued",
                "Submissions that wait for a commit.",
                self.queued.load(Ordering::Relaxed).to_string(),
            ),
            ("entries", "Entries of the ledger.", self.size.load(Ordering::Relaxed).to_string()),
            (
                "evidence_lag_last_seconds",
                "Time from event to entry of the newest record that says when its event was.",
                format!("{}.{:03}", last_lag / 1000, last_lag % 1000),
            ),
        ];
        for (name, help, value) in gauges {
            let name = format!("sealwright_ledger_{name}");
            head(&mut out, &name, help, "gauge");
            let _ = writeln!(out, "{name} {value}");
        }
        self.request_time.write(&mut out, "sealwright_ledger_request_seconds", "Time to answer a request.");
        self.commit_time.write(&mut out, "sealwright_ledger_commit_seconds", "Time of a commit, fsync included.");
        self.batch_time.write(&mut out, "sealwright_ledger_commit_submissions", "Submissions under one commit.");
        self.lag.write(&mut out, "sealwright_ledger_evidence_lag_seconds", "Time from event to entry.");
        out
    }
}

fn head(out: &mut String, name: &str, help: &str, kind: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}
