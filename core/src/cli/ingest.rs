//! `ingest`: what a tool, a platform or a log wrote, as signed records.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::{Subjects, json_file, resource};
use super::predicate_names::short;
use super::settings::Settings;
use super::sign::Signing;
use super::text::Page;
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::ingest::{FORMATS, Format, Ingested, Mapping, Told, Tool, named, read, read_file};
use crate::json::Value;
use crate::ledger::{ATTACHMENT_LOCATION, Ledger};
use crate::limits;
use crate::predicate::{Actor, TestKind};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

#[derive(Args)]
pub(crate) struct Ingest {
    /// What the files are: junit, sarif, trivy, …; `guess` recognises it by
    /// the content, and `formats` lists all.
    format: String,
    /// The reports, as the tool wrote them; of a log, its segments in order.
    files: Vec<PathBuf>,
    #[command(flatten)]
    subjects: Subjects,
    /// Kind of tests or scan: unit, integration, sast, dast, iac, …
    #[arg(long)]
    kind: Option<TestKind>,
    /// The tool, NAME or NAME@VERSION, where the report does not say.
    #[arg(long, value_name = "NAME@VERSION")]
    tool: Option<Tool>,
    /// How new a scanner's database was, where the report does not say.
    #[arg(long, value_name = "TIME")]
    database_date: Option<Timestamp>,
    /// When the run began, where the report does not say.
    #[arg(long, value_name = "TIME")]
    started_at: Option<Timestamp>,
    /// When the run ended, or the state was seen, where the report does not
    /// say.
    #[arg(long, value_name = "TIME")]
    finished_at: Option<Timestamp>,
    /// What configured it, NAME=FILE or NAME=sha256:HEX.
    #[arg(long, value_name = "NAME=FILE")]
    configuration: Vec<String>,
    /// The cluster, bucket or log that it is about, a URI.
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    /// The workload that brings it in, a URI.
    #[arg(long, value_name = "URI")]
    collector: Option<String>,
    /// dev, test, staging, prod, or a name of sealwright.toml.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Its id [default: urn:sealwright:environment:NAME].
    #[arg(long, value_name = "URI", requires = "environment")]
    environment_id: Option<String>,
    /// Number of the first segment of a log.
    #[arg(long, value_name = "NUMBER")]
    sequence: Option<u64>,
    /// Digest of the segment before it.
    #[arg(long, value_name = "DIGEST", requires = "sequence")]
    previous: Option<Digest>,
    /// How a report of your own is read, a JSON file.
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// The rest of a change request or deployment, a JSON file.
    #[arg(long, value_name = "FILE")]
    predicate: Option<PathBuf>,
    /// The tree that was reviewed.
    #[arg(long, value_name = "HEX")]
    tree: Option<String>,
    /// All else that must be said, a JSON file, such as {"limits":
    /// {"rpoSeconds": 86400}}.
    #[arg(long, value_name = "FILE")]
    told: Option<PathBuf>,
    #[command(flatten)]
    signing: Signing,
}

impl Ingest {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        if self.format == "formats" {
            return formats();
        }
        if self.files.is_empty() {
            return Err(Error::new(ErrorKind::ApiMisuse, "no report is named; name at least one file"));
        }
        let format = if self.format == "guess" { None } else { Some(named(&self.format)?) };
        let mut told = self.told(settings, format)?;
        let mut ledger = self.signing.open(settings)?;
        let mut page = Page::default();
        let (mut records, mut reports) = (Vec::new(), Vec::new());
        for file in &self.files {
            let (taken, held) = take(file, &mut told, ledger.as_ref(), settings.now()?)?;
            page.line(format!("{}: {}", file.display(), named(taken.format)?.title));
            let mut report = json!({ "file": file.display().to_string(), "format": taken.format });
            if let Some(rule) = held {
                page.wrapped("  ", "    ", &format!("not kept, because it holds `{rule}`"));
                super::sign::insert(&mut report, "notKept", json!(rule));
            }
            reports.push(report);
            // the next file of a log is its next segment
            told.sequence = Some(told.sequence.unwrap_or_default() + 1);
            told.previous_segment.clone_from(&taken.report.digest);
            for statement in &taken.statements {
                let out = self.signing.out().map(|out| numbered(out, records.len()));
                let record = self.signing.one(settings, statement, ledger.as_mut(), out.as_deref())?;
                show(&mut page, statement, &record)?;
                records.push(record);
            }
        }
        let [only] = records.as_slice() else {
            if self.signing.out().is_none() && ledger.is_none() {
                let all: Vec<_> =
                    records.iter().filter_map(|record| record.get("record")).map(Value::to_string).collect();
                return Ok(Answer::document(
                    (all.join("\n") + "\n").into_bytes(),
                    json!({ "reports": reports, "records": records }),
                ));
            }
            return Ok(Answer::new(page.finish(), json!({ "reports": reports, "records": records })));
        };
        let mut value = only.clone();
        super::sign::insert(&mut value, "reports", json!(reports));
        match only.get("record") {
            Some(record) if self.signing.out().is_none() => {
                Ok(Answer::document(record.to_string().into_bytes(), value))
            }
            _ => Ok(Answer::new(page.finish(), value)),
        }
    }

    fn told(&self, settings: &Settings, format: Option<&'static Format>) -> Result<Told> {
        let mut told: Told = match &self.told {
            Some(path) => json_file("what is told of a report", path)?,
            None => Told::default(),
        };
        told.format = format.map(|format| format.name.to_owned());
        told.subjects.extend(self.subjects.read_if_any()?);
        for text in &self.configuration {
            told.configuration.push(resource(text)?);
        }
        told.kind = self.kind.or(told.kind);
        told.tool = self.tool.clone().or(told.tool);
        told.database_date = self.database_date.or(told.database_date);
        told.started_at = self.started_at.or(told.started_at);
        told.finished_at = self.finished_at.or(told.finished_at);
        told.source = self.source.clone().or(told.source);
        told.sequence = self.sequence.or(told.sequence);
        told.collector = self.collector.as_ref().map(Actor::workload).or(told.collector);
        told.previous_segment = self.previous.clone().map(Into::into).or(told.previous_segment);
        if let Some(name) = &self.environment {
            told.environment = Some(settings.environment(name, self.environment_id.as_deref())?);
        }
        if let Some(path) = &self.mapping {
            told.mapping = Some(Mapping::parse(&limits::read_file("mapping", path, limits::PAYLOAD_BYTES as u64)?)?);
        }
        if let Some(path) = &self.predicate {
            told.predicate = Some(json_file("predicate", path)?);
        }
        if let Some(tree) = &self.tree {
            told.tree = Some(DigestSet::from(Digest::from_hex(Algorithm::GitTree, tree)?));
        }
        // a test report is made by the run before this command
        if told.finished_at.is_none() && told.format.as_deref() == Some("junit") {
            told.finished_at = Some(settings.now()?);
        }
        Ok(told)
    }
}

/// Reads one file; what may be kept of it, the ledger keeps. A rule that finds something in the report itself comes with it:
/// then no more than its digest is kept.
fn take(path: &Path, told: &mut Told, ledger: Option<&Ledger>, now: Timestamp) -> Result<(Ingested, Option<String>)> {
    told.location = None;
    let taken = read_file(path, told, now)?;
    let Some(ledger) = ledger.filter(|_| !taken.holds_secrets && !is_log_format(named(taken.format).ok())) else {
        return Ok((taken, None));
    };
    let bytes = limits::read_file("report", path, limits::DOCUMENT_BYTES)?;
    if let Some(hit) = told.guard()?.text(&String::from_utf8_lossy(&bytes)).into_iter().next() {
        return Ok((taken, Some(hit.rule)));
    }
    told.location = Some(format!("{ATTACHMENT_LOCATION}{}", ledger.attach(&bytes)?.hex()));
    let again = read(&bytes, told, now);
    told.location = None;
    again.map(|taken| (taken, None))
}

fn is_log_format(format: Option<&Format>) -> bool {
    format.is_some_and(Format::is_log)
}

/// `out.json`, then `out.2.json` and so on.
fn numbered(out: &Path, index: usize) -> PathBuf {
    if index == 0 {
        return out.to_owned();
    }
    let number = (index + 1).to_string();
    match out.extension() {
        Some(extension) => out.with_extension(format!("{number}.{}", extension.to_string_lossy())),
        None => out.with_extension(number),
    }
}

fn show(page: &mut Page, statement: &Statement, record: &Value) -> Result<()> {
    let predicate = statement.predicate_json()?;
    let kind = short(statement.predicate_type());
    page.wrapped("  ", "    ", &super::text::harmless(&format!("{kind}{}", said(&predicate))));
    if let Some(index) = record.pointer("/receipt/index") {
        page.line(format!("    entry {index}"));
    } else if let Some(out) = record.get("out").and_then(Value::as_str) {
        page.line(format!("    {out}"));
    }
    Ok(())
}

/// What a record says, in a few words.
fn said(predicate: &Value) -> String {
    let text = |name: &str| predicate.get(name).and_then(Value::as_str);
    let counts = predicate.get("sealwright_counts").and_then(Value::as_object);
    let counts =
        counts.map(|counts| counts.iter().map(|(word, n)| format!("{word} {n}")).collect::<Vec<_>>().join(", "));
    let mut parts = Vec::new();
    parts.extend(text("sealwright_testKind").into_iter().chain(text("result")).map(str::to_owned));
    parts.extend(text("decision").or_else(|| text("operation")).or_else(|| text("accessKind")).map(str::to_owned));
    if let Some(found) = predicate.pointer("/scanner/result").and_then(Value::as_array) {
        parts.push(format!("{} found", found.len()));
    }
    for (list, word) in
        [("attributes", "claims"), ("state", "running"), ("statements", "statements"), ("resources", "resources")]
    {
        parts.extend(predicate.get(list).and_then(Value::as_array).map(|list| format!("{} {word}", list.len())));
    }
    let denied = predicate.get("attributes").and_then(Value::as_array).into_iter().flatten();
    let denied = denied.filter(|claim| crate::predicate::is_denied(claim)).count();
    if denied > 0 {
        parts.push(format!("{denied} denied"));
    }
    parts.extend(predicate.get("eventCount").map(|events| format!("{events} events")));
    parts.extend(counts);
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

fn formats() -> Result<Answer> {
    let mut page = Page::default();
    for format in FORMATS {
        page.line(format.name);
        page.wrapped("  ", "  ", format.title);
        page.wrapped("  ", "    ", &format!("by {}", format.recognised_by));
        page.wrapped("  ", "    ", &format!("says {}", format.says));
        let types: Vec<_> = format.becomes.iter().map(|uri| short(uri)).collect();
        page.wrapped("  ", "    ", &format!("becomes {}", types.join(", ")));
    }
    Ok(Answer::new(page.finish(), to_json(&FORMATS)?))
}
