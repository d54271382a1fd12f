//! Logs: one sealed segment of each, with counts, and records of their own for the events that matter.
//!
//! Memory is bounded by what matters in a log, not by its length: lines are hashed, counted and dropped.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use serde_json::Map;
use sha2::{Digest as _, Sha256};

use super::finding::Findings;
use super::report::{Ran, Report, named_thing};
use super::{Level, Tool};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;
use crate::merkle::{Frontier, Hash, leaf_hash};
use crate::predicate::{
    AccessKind, Actor, AuditLogSegment, KeyAccess, KeyOperation, KeyOutcome, KeyResource, LogKind, PrivilegedSession,
    TestKind, Window, nonce,
};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// How the entries of a log are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Log {
    pub(super) kind: LogKind,
    /// Whether an object is an entry of this log.
    pub(super) is: fn(&Value) -> bool,
    /// Where the list of entries stands in a document that holds many; an empty pointer for a bare list.
    pub(super) list: &'static str,
    pub(super) event: fn(&Value) -> Event,
}

/// What an entry says. What it should say and does not is counted.
#[derive(Debug, Default)]
pub(crate) struct Event {
    pub(super) at: Option<Timestamp>,
    pub(super) who: Option<String>,
    pub(super) what: Option<String>,
    pub(super) on: Option<String>,
    pub(super) outcome: Option<String>,
    /// Whether an outcome is not to be expected yet, or no thing is acted on.
    pub(super) without: &'static [&'static str],
    pub(super) matters: Option<Matter>,
}

/// An event that becomes a record of its own.
#[derive(Debug)]
pub(crate) enum Matter {
    Session(Session),
    Access(Access),
    Denied(Denied),
    /// The artifact that an alert is about; the segment is found by it.
    About(Digest),
    /// It would become a record, but for this, which it does not say.
    Without(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(super) id: String,
    pub(super) human: bool,
    /// Path below the source.
    pub(super) target: String,
    pub(super) kind: AccessKind,
    pub(super) ended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Access {
    pub(super) resource: String,
    pub(super) kind: KeyResource,
    pub(super) operation: KeyOperation,
    pub(super) human: bool,
    pub(super) outcome: KeyOutcome,
}

/// A request that was not admitted.
#[derive(Clone, Debug)]
pub(crate) struct Denied {
    pub(super) resource: String,
    pub(super) images: Vec<Digest>,
    pub(super) why: String,
}

/// Most words that a summary counts by; the rest is counted together.
const WORDS: usize = 500;
/// Leaves that are hashed into the tree at once.
const BATCH: usize = 256;

#[derive(Default)]
struct Gathered {
    events: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    missing: BTreeMap<&'static str, u64>,
    counts: BTreeMap<&'static str, BTreeMap<String, u64>>,
    sessions: BTreeMap<String, (Session, String, Timestamp, Timestamp)>,
    accesses: BTreeMap<(Access, String), (u64, Timestamp, Timestamp)>,
    denied: Vec<Denied>,
    about: BTreeSet<Digest>,
}

/// Statements about a log in a document.
pub(super) fn of_document(report: &Report<'_>, log: &Log) -> Result<Vec<Statement>> {
    let one = [report.json.clone()];
    let events = match report.json.pointer(log.list) {
        Some(Value::Array(events)) => events.as_slice(),
        _ => one.as_slice(),
    };
    let mut gathered = Gathered::default();
    for (index, event) in events.iter().enumerate() {
        gathered.take(report, log, event, &format!("{}/{index}", log.list))?;
    }
    gathered.seal(report, log, None)
}

/// Statements about a log of one entry a line, read to its end. The report's descriptor is filled in.
pub(super) fn of_lines(report: &mut Report<'_>, log: &Log, lines: &mut dyn BufRead) -> Result<Vec<Statement>> {
    let (mut hasher, mut tree, mut leaves) = (Sha256::new(), Frontier::default(), Vec::<Hash>::with_capacity(BATCH));
    let mut gathered = Gathered::default();
    let mut number = 0_u64;
    let mut line = Vec::new();
    while read_line(lines, &mut line)? {
        hasher.update(&line);
        number += 1;
        let text = line.trim_ascii();
        if text.is_empty() {
            continue;
        }
        let place = format!("line {number}");
        let event: Value = json::parse(&format!("{place} of the {}", report.format.title), text)?;
        gathered.take(report, log, &event, &place)?;
        leaves.push(leaf_hash(text));
        if leaves.len() == BATCH {
            tree.grow(&leaves)?;
            leaves.clear();
        }
    }
    tree.grow(&leaves)?;
    let digest = Digest::new(Algorithm::Sha256, hasher.finalize().to_vec())?;
    report.descriptor.digest = Some(digest.into());
    gathered.seal(report, log, Some(tree.root().to_string()))
}

/// The next line with its end, bounded; false at the end of the input.
pub(super) fn read_line(lines: &mut dyn BufRead, line: &mut Vec<u8>) -> Result<bool> {
    line.clear();
    loop {
        let failed = |e: std::io::Error| Error::new(ErrorKind::Io, format!("could not read the log: {e}")).caused_by(e);
        let chunk = match lines.fill_buf() {
            Ok(chunk) => chunk,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(e)),
        };
        if chunk.is_empty() {
            return Ok(!line.is_empty());
        }
        let end = chunk.iter().position(|b| *b == b'\n').map(|end| end + 1);
        let taken = end.unwrap_or(chunk.len());
        line.extend_from_slice(chunk.get(..taken).unwrap_or_default());
        lines.consume(taken);
        if line.len() > limits::LOG_LINE_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "a line of the log is longer than {} bytes; check that it is the file you mean",
                    limits::LOG_LINE_BYTES
                ),
            ));
        }
        if end.is_some() {
            return Ok(true);
        }
    }
}

impl Gathered {
    fn take(&mut self, report: &Report<'_>, log: &Log, value: &Value, place: &str) -> Result<()> {
        if !(log.is)(value) {
            let title = report.format.title;
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{place}` is no entry of a {title}: expected {}; check the log", report.format.recognised_by),
            ));
        }
        let mut event = (log.event)(value);
        // a log of requests without times is dated by whoever took it
        event.at = event.at.or(report.told.finished_at.filter(|_| event.without.contains(&"time")));
        self.events += 1;
        self.first = self.first.into_iter().chain(event.at).min();
        self.last = self.last.into_iter().chain(event.at).max();
        let fields = [("who", &event.who), ("what", &event.what), ("on", &event.on), ("outcome", &event.outcome)];
        for (name, word) in fields {
            match word {
                Some(word) => self.count(name, word),
                None if event.without.contains(&name) => {}
                None => *self.missing.entry(name).or_default() += 1,
            }
        }
        if event.at.is_none() {
            *self.missing.entry("time").or_default() += 1;
        }
        let who = event.who.unwrap_or_else(|| "unknown".to_owned());
        match (event.matters, event.at) {
            (None, _) => {}
            (Some(Matter::About(digest)), _) => {
                self.about.insert(digest);
            }
            (Some(Matter::Without(what)), _) => {
                return Err(
                    report.malformed(format_args!("has an entry without its `{what}` at `{place}`, which matters"))
                );
            }
            (Some(Matter::Denied(denied)), _) => self.denied.push(denied),
            (Some(_), None) => {
                return Err(report.malformed(format_args!("has an entry without its time at `{place}`, which matters")));
            }
            (Some(Matter::Session(session)), Some(at)) => {
                let kept = self.sessions.entry(session.id.clone()).or_insert_with(|| (session.clone(), who, at, at));
                kept.0.ended |= session.ended;
                (kept.2, kept.3) = (kept.2.min(at), kept.3.max(at));
            }
            (Some(Matter::Access(access)), Some(at)) => {
                let kept = self.accesses.entry((access, who)).or_insert((0, at, at));
                *kept = (kept.0 + 1, kept.1.min(at), kept.2.max(at));
            }
        }
        if self.sessions.len() + self.accesses.len() + self.denied.len() + self.about.len() > limits::LOG_RECORDS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the log makes more than {} records; split it", limits::LOG_RECORDS),
            ));
        }
        Ok(())
    }

    fn count(&mut self, name: &'static str, word: &str) {
        let words = self.counts.entry(name).or_default();
        let word: String = word.chars().take(200).collect();
        let word = if words.contains_key(&word) || words.len() < WORDS { word } else { "others".to_owned() };
        *words.entry(word).or_default() += 1;
    }

    fn seal(self, report: &Report<'_>, log: &Log, merkle_root: Option<String>) -> Result<Vec<Statement>> {
        let told = report.told;
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return Err(report.malformed("has no entry with a time, so it shows nothing of any period"));
        };
        let source = told.demand(&told.source, "source", "a log does not say which it is")?.trim_end_matches('/');
        let collector = told.demand(&told.collector, "collector", "a log does not say who sealed it")?.clone();
        let mut summary: Map<String, Value> =
            self.counts.iter().map(|(name, words)| ((*name).to_owned(), words.clone().into_iter().collect())).collect();
        if !self.missing.is_empty() {
            let missing: Map<String, Value> =
                self.missing.iter().map(|(n, c)| ((*n).to_owned(), (*c).into())).collect();
            summary.insert("missing".to_owned(), missing.into());
        }
        let segment = AuditLogSegment {
            source: source.to_owned(),
            source_kind: log.kind,
            format: report.format.media_type.to_owned(),
            segment: report.descriptor.clone(),
            first_event_at: first,
            last_event_at: last,
            event_count: self.events,
            sequence: told.sequence.unwrap_or_default(),
            previous_segment: told.previous_segment.clone(),
            merkle_root,
            collector,
            sealed_at: report.now,
            storage: None,
            summary: Some(summary),
        };
        let mut subjects = vec![report.descriptor.clone()];
        subjects.extend(self.about.iter().map(|digest| ResourceDescriptor::of(digest.clone())));
        let mut statements = vec![Statement::new(subjects, &segment)?];
        for (session, who, first, last) in self.sessions.values() {
            statements.push(session.statement(report, source, who, (*first, *last))?);
        }
        for ((access, who), (count, first, last)) in &self.accesses {
            statements.push(access.statement(report, source, who, *count, Window { from: *first, to: *last })?);
        }
        for denied in &self.denied {
            statements.push(denied.statement(report, source)?);
        }
        Ok(statements)
    }
}

/// Who acted, as the log knows them; who that is, the trust policy says.
fn actor(source: &str, who: &str, human: bool) -> Actor {
    let id = if who.starts_with("arn:") { encoded(who) } else { format!("{source}/users/{}", encoded(who)) };
    let actor = if human { Actor::human(id, who) } else { Actor::workload(id) };
    actor.vouched_by(source, who)
}

/// What may stand in a URI as it is; all else percent-encoded (RFC 3986 section 2.1).
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'@' | b'/' | b'*' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A thing of the log: one that is named in full, or one below the source.
fn thing(source: &str, name: &str) -> String {
    if name.starts_with("arn:") { encoded(name) } else { format!("{source}/{}", encoded(name)) }
}

impl Session {
    fn statement(
        &self,
        report: &Report<'_>,
        source: &str,
        who: &str,
        (first, last): (Timestamp, Timestamp),
    ) -> Result<Statement> {
        let told = report.told;
        let why = "the log holds privileged access and does not say into which environment";
        let session = PrivilegedSession {
            nonce: nonce()?,
            session_id: thing(source, &format!("sessions/{}", self.id)),
            actor: actor(source, who, self.human),
            target: thing(source, &self.target),
            environment: told.demand(&told.environment, "environment", why)?.clone(),
            access_kind: self.kind,
            justification: "none was given: seen in the log".to_owned(),
            incident: None,
            approval: None,
            started_at: first,
            ended_at: self.ended.then_some(last),
            // a log tells no more than how long it was seen
            expires_at: last,
            transcript: None,
            reviewed_by: None,
        };
        Statement::new(vec![named_thing(&session.session_id)], &session)
    }
}

impl Access {
    fn statement(&self, report: &Report<'_>, source: &str, who: &str, count: u64, window: Window) -> Result<Statement> {
        let access = KeyAccess {
            nonce: nonce()?,
            resource: thing(source, &self.resource),
            resource_kind: self.kind,
            operation: self.operation,
            actor: actor(source, who, self.human),
            at: window.to,
            outcome: self.outcome,
            purpose: None,
            signed_digest: None,
            count: Some(count),
            window: Some(window),
            baseline_count: None,
            source_event: report.descriptor.clone(),
        };
        Statement::new(vec![named_thing(&access.resource)], &access)
    }
}

impl Denied {
    fn statement(&self, report: &Report<'_>, source: &str) -> Result<Statement> {
        let resource = thing(source, &self.resource);
        let mut findings = Findings::default();
        findings.add(Level::High, Level::High, format!("{}: {}", self.resource, self.why));
        let tool = report.told.tool.as_ref().map_or_else(|| Tool::new("admission", None), Tool::clone);
        let mut about: Vec<_> = self.images.iter().cloned().map(ResourceDescriptor::of).collect();
        about.push(named_thing(&resource));
        let ran = Ran { tool: Some(tool.name), version: tool.version, ..Ran::default() };
        report.test_result_about(about, TestKind::ContainerConfig, &ran, findings)
    }
}

/// The text at a pointer, if it is there and not empty.
pub(super) fn text(value: &Value, pointer: &str) -> Option<String> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The instant at a pointer.
pub(super) fn at(value: &Value, pointer: &str) -> Option<Timestamp> {
    super::report::time(value.pointer(pointer)?.as_str()?)
}
