//! What a ledger holds and costs: bytes by type and age, and how late evidence arrives.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::edge::Edge;
use super::store::{ATTACHMENTS, BODIES, Store, TILES};
use super::walk::is_without_body;
use super::{Entry, Ledger};
use crate::bundle::Bundle;
use crate::error::Result;
use crate::predicate::Predicate;
use crate::statement::Statement;
use crate::timestamp::Timestamp;

const DAY_MILLIS: i64 = 86_400_000;
/// Ages, in days, that bytes are counted up to.
const AGES: [u32; 5] = [30, 90, 365, 1095, 2555];
/// Latencies, in milliseconds, that are counted up to: a second, a minute, an hour, a day, a week.
const LATENCIES: [i64; 5] = [1_000, 60_000, 3_600_000, DAY_MILLIS, 7 * DAY_MILLIS];

/// Latencies of appends, in microseconds, that are counted up to.
const APPENDS: [i64; 5] = [250, 1_000, 5_000, 25_000, 250_000];
/// Appends of a handle whose latency is remembered.
const REMEMBERED: usize = 4096;

/// What a ledger holds, up to a checkpoint.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LedgerStats {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the checkpoint, base64.
    pub root: String,
    /// Bytes of everything that is kept, but for the index and the journal.
    pub bytes: u64,
    /// Bytes of tiles and entry bundles.
    pub tile_bytes: u64,
    /// Bytes of bodies.
    pub body_bytes: u64,
    /// Number of attachments.
    pub attachments: u64,
    /// Bytes of attachments.
    pub attachment_bytes: u64,
    /// By predicate type.
    pub types: BTreeMap<String, Held>,
    /// By age, youngest first: up to so many days each, the last without an end.
    pub ages: Vec<Aged>,
    /// From the event a record tells of to its entry, by predicate type, in milliseconds; records that tell no time are
    /// left out.
    pub evidence_latency: BTreeMap<String, Latency>,
    /// How long the last appends by this handle took, receipts included, in microseconds. Nothing of it is kept.
    pub append_latency: Latency,
}

/// Records, and bytes of their bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Held {
    /// Number of entries.
    pub records: u64,
    /// How many of them have no body any more.
    pub without_body: u64,
    /// Bytes of their bodies as they are kept.
    pub bytes: u64,
}

/// What is of one age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Aged {
    /// Days since it was logged, at most; none for all that is older.
    pub up_to_days: Option<u32>,
    /// What is held of that age.
    #[serde(flatten)]
    pub held: Held,
}

/// A distribution of durations, all in the same unit; percentiles by nearest rank.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Latency {
    /// Durations that were measured.
    pub count: u64,
    /// Events said to be more than five minutes after they were logged: counted here and nowhere else.
    pub out_of_order: u64,
    /// Records that came over 24 hours after their event.
    pub late: u64,
    /// Sum of all.
    pub sum: i64,
    /// Half are at most this.
    pub p50: i64,
    /// 95 of 100 are at most this.
    pub p95: i64,
    /// 99 of 100 are at most this.
    pub p99: i64,
    /// The longest.
    pub max: i64,
    /// How many are at most 1 s, 1 min, 1 h, 1 d and 7 d; of appends 250 µs, 1 ms, 5 ms, 25 ms and 250 ms.
    pub at_most: [u64; 5],
}

impl Latency {
    /// The distribution of durations in milliseconds.
    pub fn of(durations: Vec<i64>) -> Self {
        let late = durations.iter().filter(|d| **d > DAY_MILLIS).count() as u64;
        Self { late, ..Self::within(durations, LATENCIES) }
    }

    fn within(mut durations: Vec<i64>, bounds: [i64; 5]) -> Self {
        durations.sort_unstable();
        let rank = |percent: usize| {
            let rank = (durations.len() * percent).div_ceil(100).max(1);
            durations.get(rank - 1).copied().unwrap_or(0)
        };
        let at_most = bounds.map(|bound| durations.partition_point(|d| *d <= bound) as u64);
        Self {
            count: durations.len() as u64,
            out_of_order: 0,
            late: 0,
            sum: durations.iter().sum(),
            p50: rank(50),
            p95: rank(95),
            p99: rank(99),
            max: durations.last().copied().unwrap_or(0),
            at_most,
        }
    }
}

impl Ledger {
    /// What the ledger holds as of `now`, by walking all of it.
    ///
    /// # Errors
    /// `LEDGER_TAMPERED` if an entry or a body is not the one the checkpoint commits to; `PERMISSION_DENIED` or `IO`.
    pub fn stats(&self, now: Timestamp) -> Result<LedgerStats> {
        let storage = self.store.storage();
        let checkpoint = self.checkpoint.checkpoint();
        let mut stats = LedgerStats {
            origin: self.origin().to_owned(),
            size: self.size(),
            root: checkpoint.root().to_string(),
            bytes: 0,
            tile_bytes: 0,
            body_bytes: 0,
            attachments: 0,
            attachment_bytes: 0,
            types: BTreeMap::new(),
            ages: AGES
                .into_iter()
                .map(Some)
                .chain([None])
                .map(|d| Aged { up_to_days: d, held: Held::default() })
                .collect(),
            evidence_latency: BTreeMap::new(),
            append_latency: Latency::within(self.append_micros.iter().copied().collect(), APPENDS),
        };
        storage.list("", &mut |name, bytes| {
            stats.bytes += bytes;
            match name.split('/').next() {
                Some(TILES) => stats.tile_bytes += bytes,
                Some(BODIES) => stats.body_bytes += bytes,
                Some(ATTACHMENTS) => {
                    stats.attachments += 1;
                    stats.attachment_bytes += bytes;
                }
                _ => {}
            }
            Ok(())
        })?;
        let mut latencies: BTreeMap<String, (Vec<i64>, u64)> = BTreeMap::new();
        Edge::default().advance(checkpoint, &self.store, |index, bytes| {
            let entry = Entry::parse(bytes).map_err(|e| e.while_doing(format_args!("entry {index}")))?;
            let entry = entry.labelled(&self.labels);
            let body = storage.size(&Store::body_name(index))?;
            let held = Held { records: 1, without_body: u64::from(body.is_none()), bytes: body.unwrap_or(0) };
            let event = self.event_time(index, &entry)?;
            // where an entry hides its type, its record tells it
            let name = event.as_ref().map_or_else(|| entry.predicate_type.clone(), |(name, _)| name.clone());
            stats.types.entry(name.clone()).or_default().add(held);
            let days = (now.unix_millis() - entry.time).max(0) / DAY_MILLIS;
            if let Some(aged) = stats.ages.iter_mut().find(|a| a.up_to_days.is_none_or(|most| days < i64::from(most))) {
                aged.held.add(held);
            }
            if let Some(at) = event.and_then(|(_, at)| at) {
                let (durations, out_of_order) = latencies.entry(name).or_default();
                match entry.time - at.unix_millis() {
                    ahead if ahead < -300_000 => *out_of_order += 1,
                    // a clock that is a little fast is no data error
                    duration => durations.push(duration.max(0)),
                }
            }
            Ok(())
        })?;
        stats.evidence_latency = latencies
            .into_iter()
            .map(|(name, (durations, out_of_order))| (name, Latency { out_of_order, ..Latency::of(durations) }))
            .collect();
        Ok(stats)
    }

    /// Notes how long an append took.
    pub(super) fn appended_in(&mut self, took: std::time::Duration) {
        if self.append_micros.len() == REMEMBERED {
            self.append_micros.pop_front();
        }
        self.append_micros.push_back(i64::try_from(took.as_micros()).unwrap_or(i64::MAX));
    }

    /// Predicate type of a record, and when that happened which it tells of.
    fn event_time(&self, index: u64, entry: &Entry) -> Result<Option<(String, Option<Timestamp>)>> {
        match self.body_of(index, entry) {
            Ok(body) => {
                let statement = Statement::parse(Bundle::parse(&body.record)?.into_envelope()?.into_payload())?;
                Ok(Some((statement.predicate_type().to_owned(), event_time(&statement))))
            }
            Err(e) if is_without_body(&e) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

impl Latency {
    /// Written as a histogram in seconds, of which a unit of its durations is so many parts.
    fn histogram(&self, out: &mut String, name: &str, labels: &str, bounds: [i64; 5], parts: i64) {
        let digits = parts.ilog10() as usize;
        let seconds = |value: i64| format!("{}.{:0digits$}", value / parts, value % parts);
        for (bound, count) in bounds.into_iter().zip(self.at_most) {
            line(out, &format!("{name}_bucket"), &format!("{labels},le=\"{}\"", seconds(bound)), count);
        }
        line(out, &format!("{name}_bucket"), &format!("{labels},le=\"+Inf\""), self.count);
        line(out, &format!("{name}_sum"), labels, seconds(self.sum));
        line(out, &format!("{name}_count"), labels, self.count);
    }
}

impl Held {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.without_body += other.without_body;
        self.bytes += other.bytes;
    }
}

/// When that happened which a record tells of, if it says so.
pub(crate) fn event_time(statement: &Statement) -> Option<Timestamp> {
    match statement.predicate().ok()? {
        Predicate::Provenance(p) => p.run_details.metadata.and_then(|m| m.finished_on.or(m.started_on)),
        Predicate::TestResult(t) => t.finished_at.or(t.started_at),
        Predicate::Vsa(v) => v.time_verified,
        Predicate::ChangeRequest(c) => Some(c.created_at),
        Predicate::Approval(a) => Some(a.decided_at),
        Predicate::PolicyEvaluation(e) => Some(e.evaluated_at),
        Predicate::Promotion(p) => Some(p.promoted_at),
        Predicate::Deployment(d) => Some(d.finished_at.unwrap_or(d.started_at)),
        Predicate::EnvironmentSnapshot(s) => Some(s.observed_at),
        Predicate::DriftReport(d) => Some(d.compared_at),
        _ => None,
    }
}

impl LedgerStats {
    /// The same figures in the text format of Prometheus, each under the label `origin`.
    pub fn to_prometheus(&self) -> String {
        let mut out = String::new();
        let origin = label(&self.origin);
        for (name, help, value) in [
            ("entries", "Entries of the ledger.", self.size),
            ("bytes", "Bytes of everything that is kept.", self.bytes),
            ("tile_bytes", "Bytes of tiles and entry bundles.", self.tile_bytes),
            ("body_bytes", "Bytes of bodies.", self.body_bytes),
            ("attachments", "Attachments.", self.attachments),
            ("attachment_bytes", "Bytes of attachments.", self.attachment_bytes),
        ] {
            head(&mut out, name, "gauge", help);
            line(&mut out, name, &format!("origin={origin}"), value);
        }
        for (name, help, pick) in [
            ("records", "Entries by predicate type.", (|h| h.records) as fn(&Held) -> u64),
            ("record_bytes", "Bytes of bodies by predicate type.", |h| h.bytes),
            ("records_without_body", "Entries without a body by predicate type.", |h| h.without_body),
        ] {
            head(&mut out, name, "gauge", help);
            for (predicate_type, held) in &self.types {
                line(&mut out, name, &format!("origin={origin},type={}", label(predicate_type)), pick(held));
            }
        }
        head(&mut out, "age_bytes", "gauge", "Bytes of bodies by age in days, each up to so many.");
        for aged in &self.ages {
            let days = aged.up_to_days.map_or("+Inf".to_owned(), |days| days.to_string());
            line(&mut out, "age_bytes", &format!("origin={origin},up_to_days=\"{days}\""), aged.held.bytes);
        }
        let mut name = "evidence_latency_seconds";
        head(&mut out, name, "histogram", "From the event to the entry.");
        for (predicate_type, latency) in &self.evidence_latency {
            let labels = format!("origin={origin},type={}", label(predicate_type));
            latency.histogram(&mut out, name, &labels, LATENCIES, 1000);
        }
        name = "append_latency_seconds";
        head(&mut out, name, "histogram", "Appends by this process, receipts included.");
        self.append_latency.histogram(&mut out, name, &format!("origin={origin}"), APPENDS, 1_000_000);
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP sealwright_ledger_{name} {help}\n# TYPE sealwright_ledger_{name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &str, value: impl std::fmt::Display) {
    let _ = writeln!(out, "sealwright_ledger_{name}{{{labels}}} {value}");
}

/// A value of a label, quoted.
fn label(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n"))
}
