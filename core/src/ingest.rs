//! Reads what test runners, scanners, platforms and logs wrote, strictly, and makes statements of it: what is not
//! understood is refused, never passed.
//!
//! Each format is one file with one [`Format`], listed in [`FORMATS`]. [`read`] takes a report whole, [`read_from`] takes
//! a log of one JSON object a line as a stream. What a report does not say (what it is about, which tool wrote it, how
//! new its database was) is told with [`Told`]; what it does say is never overruled.
//!
//! ```
//! use sealwright::ingest::{Told, read};
//! let report = br#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"lint","version":"3.1"}},"results":[]}]}"#;
//! let told = Told::from_json(br#"{"kind":"sast","subjects":[{"digest":{"gitCommit":
//!     "d20ace7968ba43c0219f62d71334c1095bab1602"}}]}"#)?;
//! let taken = read(report, &told, "2026-11-21T09:30:00Z".parse()?)?;
//! assert_eq!(taken.format, "sarif");
//! assert_eq!(taken.statements[0].predicate_json()?["result"], "PASSED");
//! # Ok::<(), sealwright::Error>(())
//! ```

mod cvss;
mod finding;
mod log;
mod report;
mod told;

mod admission;
mod argo_cd;
mod aws_settings;
mod azure_monitor;
mod backups;
mod branch_protection;
mod cargo_audit;
mod certificates;
mod checkov;
mod cloudtrail;
mod falco;
mod forge_audit;
mod free_text;
mod gitleaks;
mod grype;
/// JUnit XML test reports.
pub mod junit;
mod kubernetes_audit;
mod mapped;
mod npm_audit;
mod openvex;
mod osv_scanner;
mod pip_audit;
mod pull_request;
mod rbac;
mod sarif;
mod terraform;
mod transit;
mod trivy;
mod vault_audit;
mod workloads;

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use serde::Serialize;

use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::statement::Statement;
use crate::timestamp::Timestamp;

pub use self::finding::Level;
pub use self::mapped::Mapping;
use self::report::Report;
pub use self::told::{Limits, Told, Tool};

/// Every format that is read, in the order in which docs/guide/ingest.md lists them.
pub const FORMATS: &[Format] = &[
    junit::FORMAT,
    sarif::FORMAT,
    trivy::FORMAT,
    grype::FORMAT,
    osv_scanner::FORMAT,
    npm_audit::FORMAT,
    pip_audit::FORMAT,
    cargo_audit::FORMAT,
    gitleaks::FORMAT,
    checkov::FORMAT,
    openvex::FORMAT,
    terraform::PLAN,
    terraform::STATE,
    workloads::FORMAT,
    rbac::FORMAT,
    kubernetes_audit::FORMAT,
    admission::FORMAT,
    falco::FORMAT,
    argo_cd::FORMAT,
    certificates::FORMAT,
    backups::VELERO,
    backups::RESTIC,
    transit::TESTSSL,
    transit::ISTIO,
    cloudtrail::FORMAT,
    aws_settings::FORMAT,
    azure_monitor::FORMAT,
    vault_audit::FORMAT,
    pull_request::GITHUB,
    pull_request::GITHUB_REVIEWS,
    pull_request::GITLAB,
    pull_request::GITLAB_APPROVALS,
    branch_protection::GITHUB,
    branch_protection::GITLAB,
    forge_audit::GITHUB,
    forge_audit::GITLAB,
    mapped::FORMAT,
    free_text::FORMAT,
];

/// A format of reports.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Format {
    /// Its name, as it is typed.
    pub name: &'static str,
    /// What it is, for people.
    pub title: &'static str,
    /// Media type of its reports.
    pub media_type: &'static str,
    /// By which content it is recognised.
    pub recognised_by: &'static str,
    /// Where tool, version, times and the date of the database are found; what is not there must be told.
    pub says: &'static str,
    /// Types of the statements that it becomes.
    pub becomes: &'static [&'static str],
    /// Whether its reports may hold the secrets that were found or used; then no more than their digest is kept.
    pub holds_secrets: bool,
    #[serde(skip)]
    pub(crate) reader: Reader,
}

impl Format {
    /// Whether it is a log, which is read as a stream and becomes a segment.
    pub fn is_log(&self) -> bool {
        matches!(self.reader, Reader::Log(_))
    }
}

/// How a format is read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reader {
    /// JUnit XML.
    Xml(fn(&Report<'_>) -> Result<Vec<Statement>>),
    /// One JSON document: whether it is of the format, and what it says.
    Json { is: fn(&Value) -> bool, read: fn(&Report<'_>) -> Result<Vec<Statement>> },
    /// Entries, one a line or in a document.
    Log(log::Log),
    /// Any JSON; never guessed.
    Mapped(fn(&Report<'_>) -> Result<Vec<Statement>>),
    /// Any text; never guessed.
    Text(fn(&Report<'_>) -> Result<Vec<Statement>>),
}

/// What was made of a report.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Ingested {
    /// Name of the format.
    pub format: &'static str,
    /// What the report says; at least one.
    pub statements: Vec<Statement>,
    /// The report itself, by digest, as the statements name it.
    pub report: ResourceDescriptor,
    /// Whether the report may hold secrets, so that nothing but its digest may be kept.
    pub holds_secrets: bool,
}

/// Reads a report of the format that `told` names, else of the one format that it is recognised as.
///
/// # Errors
/// `UNSUPPORTED` for a format, version or encoding that is not read, or if no format or more than one recognises it;
/// `MALFORMED` if it is not what its format demands, is cut, or contradicts itself; `LIMIT_EXCEEDED` if it is too long
/// or too deep; `API_MISUSE` if `told` leaves out what the report does not say, or contradicts it; `DIGEST_MISMATCH` if
/// the report is about something else than the subjects; `REGULATED_DATA` if a statement would hold a secret, or data of
/// people.
pub fn read(report: &[u8], told: &Told, now: Timestamp) -> Result<Ingested> {
    read_from(&mut &*report, told, now)
}

/// As [`read`], of what a reader gives. A log of one entry a line is never held in memory; all else is read whole.
///
/// # Errors
/// As [`read`], and `IO`.
pub fn read_from(reader: &mut dyn BufRead, told: &Told, now: Timestamp) -> Result<Ingested> {
    let format = told.format.as_deref().map(named).transpose()?;
    let (mut start, mut line) = (Vec::new(), Vec::new());
    // the first line, and what follows it up to the first that is not blank
    let mut lines = 0;
    while lines < 2 && format.is_none_or(|format| matches!(format.reader, Reader::Log(_))) {
        let limit = limits::LOG_LINE_BYTES as u64;
        line.clear();
        let length = (&mut *reader).take(limit).read_until(b'\n', &mut line).map_err(unreadable)?;
        start.extend_from_slice(&line);
        if length == 0 || (lines == 0 && !is_entry(&start)) {
            break;
        }
        lines += usize::from(!line.trim_ascii().is_empty());
        // two lines are never longer, so that the rest is blank
        if start.len() > 2 * limits::LOG_LINE_BYTES {
            let fault = "the report goes on with blank lines without end; check that it is the file you mean";
            return Err(Error::new(ErrorKind::LimitExceeded, fault));
        }
    }
    if lines == 2 {
        return read_lines(&mut start.chain(reader), format, told, now);
    }
    let left = limits::DOCUMENT_BYTES.saturating_sub(start.len() as u64) + 1;
    reader.take(left).read_to_end(&mut start).map_err(unreadable)?;
    read_document(&start, format, told, now)
}

/// As [`read_from`], of a file.
///
/// # Errors
/// As [`read_from`]; `NOT_FOUND` or `PERMISSION_DENIED` if it can't be opened.
pub fn read_file(path: &Path, told: &Told, now: Timestamp) -> Result<Ingested> {
    let file = limits::open_file("report", path)?;
    read_from(&mut BufReader::new(file), told, now).map_err(|e| e.with("path", path.display()))
}

fn unreadable(e: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("could not read the report to its end: {e}")).caused_by(e)
}

/// Whether it is one whole JSON object.
fn is_entry(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.starts_with(b"{") && line.ends_with(b"}") && crate::json::check("entry", line).is_ok()
}

fn read_lines(
    reader: &mut dyn BufRead,
    format: Option<&'static Format>,
    told: &Told,
    now: Timestamp,
) -> Result<Ingested> {
    let mut first = Vec::new();
    log::read_line(reader, &mut first)?;
    let entry = crate::json::parse("entry", first.trim_ascii())?;
    let format = match format {
        Some(format) => format,
        None => guessed(Some(&entry))?,
    };
    let Reader::Log(log) = format.reader else { return Err(not_of(format)) };
    let mut descriptor = ResourceDescriptor::default().named(format.title).with_media_type(format.media_type);
    descriptor.download_location.clone_from(&told.location);
    let mut read = Report { format, told, now, bytes: &[], json: &Value::Null, descriptor };
    let statements = log::of_lines(&mut read, &log, &mut first.chain(reader))?;
    finished(read, statements)
}

fn read_document(report: &[u8], format: Option<&'static Format>, told: &Told, now: Timestamp) -> Result<Ingested> {
    within(report, limits::DOCUMENT_BYTES)?;
    let bytes = report.strip_prefix(b"\xef\xbb\xbf").unwrap_or(report);
    let is_text = format.is_some_and(|format| matches!(format.reader, Reader::Text(_)));
    let json = if is_text { None } else { document(bytes)? };
    let format = match format {
        Some(format) => format,
        None => guessed(json.as_ref())?,
    };
    let mut descriptor =
        ResourceDescriptor::of(Digest::sha256(report)).named(format.title).with_media_type(format.media_type);
    descriptor.download_location.clone_from(&told.location);
    let null = Value::Null;
    let read = Report { format, told, now, bytes, json: json.as_ref().unwrap_or(&null), descriptor };
    let statements = match (format.reader, &json) {
        (Reader::Xml(of_xml), _) => of_xml(&read)?,
        (Reader::Text(of_text), _) => of_text(&read)?,
        (Reader::Json { is, read: of_json }, Some(json)) if is(json) => of_json(&read)?,
        (Reader::Log(log), Some(json)) if (log.is)(json) => log::of_document(&read, &log)?,
        (Reader::Mapped(of_json), Some(_)) => of_json(&read)?,
        _ => return Err(not_of(format)),
    };
    finished(read, statements)
}

/// What is signed is searched first.
fn finished(read: Report<'_>, statements: Vec<Statement>) -> Result<Ingested> {
    if statements.is_empty() {
        return Err(read.malformed("says nothing that could be recorded"));
    }
    let guard = read.told.guard()?;
    statements.iter().try_for_each(|statement| guard.check(statement))?;
    let holds_secrets = read.format.holds_secrets;
    Ok(Ingested { format: read.format.name, statements, report: read.descriptor, holds_secrets })
}

/// The format of this name.
///
/// # Errors
/// `UNSUPPORTED` if there is none.
pub fn named(name: &str) -> Result<&'static Format> {
    FORMATS.iter().find(|format| format.name == name).ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            format!("the format `{}` is not known; write one of {}", name.escape_debug(), names(FORMATS.iter())),
        )
    })
}

/// The JSON of the report; `None` if it does not begin as JSON does.
fn document(bytes: &[u8]) -> Result<Option<Value>> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the report is in the encoding `UTF-16`; only UTF-8 is read, so write it in that",
        ));
    }
    match bytes.iter().find(|b| !b.is_ascii_whitespace()) {
        Some(b'{' | b'[') => {
            within(bytes, limits::REPORT_BYTES)?;
            crate::json::parse("report", bytes).map(Some)
        }
        Some(b'<') => Ok(None),
        _ => Err(Error::new(
            ErrorKind::Malformed,
            "the report is neither JSON nor XML; name the file that the tool wrote",
        )),
    }
}

fn within(bytes: &[u8], limit: u64) -> Result<()> {
    if bytes.len() as u64 <= limit {
        return Ok(());
    }
    let fault = format!("the report is longer than {limit} bytes; split it, or check that it is the file you mean");
    Err(Error::new(ErrorKind::LimitExceeded, fault))
}

/// The one format that recognises the content. Nothing is guessed of an empty document.
fn guessed(json: Option<&Value>) -> Result<&'static Format> {
    let recognised: Vec<&Format> = FORMATS
        .iter()
        .filter(|format| match (format.reader, json) {
            (Reader::Xml(_), None) => true,
            (Reader::Json { is, .. } | Reader::Log(log::Log { is, .. }), Some(json)) => !is_empty(json) && is(json),
            _ => false,
        })
        .collect();
    match recognised.as_slice() {
        [format] => Ok(format),
        [] => Err(Error::new(
            ErrorKind::Unsupported,
            format!("the report is of no format that is recognised; name its format: {}", names(FORMATS.iter())),
        )),
        several => Err(Error::new(
            ErrorKind::Unsupported,
            format!("the report could be any of {}; name its format", names(several.iter().copied())),
        )),
    }
}

/// Whether it says nothing, so that any tool may have written it: `[]`, `{}`, `{"results":[]}`.
fn is_empty(json: &Value) -> bool {
    let nothing = |value: &Value| match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        other => other.is_null(),
    };
    nothing(json) || json.as_object().is_some_and(|members| members.values().all(nothing))
}

fn not_of(format: &Format) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the report is no {}: expected {}; name the file that the tool wrote",
            format.title, format.recognised_by
        ),
    )
}

fn names<'a>(formats: impl Iterator<Item = &'a Format>) -> String {
    formats.map(|format| format.name).collect::<Vec<_>>().join(", ")
}
