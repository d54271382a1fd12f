//! A report while it is read: what it is, what is told of it, and how it becomes statements.

use std::fmt::Display;

use serde::Deserialize;
use serde_json::Map;

use super::finding::{Findings, Level};
use super::told::{Told, Tool, missing};
use super::{Format, Limits};
use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::predicate::{
    Attribute, Scai, ScanMetadata, TestKind, TestResult, VulnDatabase, VulnScanner, VulnSeverity, Vulnerability, Vulns,
    nonce,
};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// A report that is being read.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(super) format: &'static Format,
    pub(super) told: &'a Told,
    pub(super) now: Timestamp,
    pub(super) bytes: &'a [u8],
    /// The document; `null` for what is no JSON.
    pub(super) json: &'a Value,
    /// The report itself, by digest.
    pub(super) descriptor: ResourceDescriptor,
}

/// When and by what a scanner ran, as far as its report says.
#[derive(Debug, Default)]
pub(super) struct Ran {
    pub(super) tool: Option<String>,
    pub(super) version: Option<String>,
    pub(super) database: Option<Timestamp>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    /// Digests of what the report says it is about.
    pub(super) about: Vec<Digest>,
}

/// A claim about something that has no bytes.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) attribute: &'static str,
    pub(super) target: String,
    pub(super) conditions: Map<String, Value>,
}

impl Report<'_> {
    /// The document as the type that the format demands.
    pub(super) fn typed<'de, T: Deserialize<'de>>(&'de self) -> Result<T> {
        self.part(self.json, "")
    }

    /// A part of the document as the type that the format demands; `place` says which.
    pub(super) fn part<'de, T: Deserialize<'de>>(&self, value: &'de Value, place: &str) -> Result<T> {
        T::deserialize(value).map_err(|e| {
            // what serde finds wrong it quotes, and that may be the secret
            if self.format.holds_secrets {
                return self.malformed("is not what its format demands");
            }
            let at = if place.is_empty() { String::new() } else { format!(" at `{place}`") };
            self.malformed(format_args!(
                "is not what its format demands{at}: {}",
                crate::json::for_people(&e.to_string())
            ))
        })
    }

    /// `MALFORMED`: `fault` goes on from "the report".
    pub(super) fn malformed(&self, fault: impl Display) -> Error {
        let title = self.format.title;
        Error::new(ErrorKind::Malformed, format!("the {title} {fault}; make it anew, and do not change it by hand"))
    }

    /// `UNSUPPORTED`: `fault` goes on from "the report", and says what to do.
    pub(super) fn unsupported(&self, fault: impl Display) -> Error {
        Error::new(ErrorKind::Unsupported, format!("the {} {fault}", self.format.title))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.told.limits
    }

    /// An instant as tools write it, with any offset from UTC.
    pub(super) fn time(&self, text: &str) -> Result<Timestamp> {
        time(text).ok_or_else(|| self.malformed(format_args!("has the time `{}`, which is none", text.escape_debug())))
    }

    /// An instant that tools leave empty, or at the year 1, where they have none.
    pub(super) fn time_if_any(&self, text: Option<&str>) -> Result<Option<Timestamp>> {
        match text {
            None | Some("") => Ok(None),
            Some(text) if text.starts_with("0001-") => Ok(None),
            Some(text) => self.time(text).map(Some),
        }
    }

    /// The tool as the report names it, completed by what is told. It must have a name and a version.
    pub(super) fn tool(&self, name: Option<&str>, version: Option<&str>) -> Result<Tool> {
        let tool = self.tool_if_versioned(name, version)?;
        if tool.version.is_none() {
            let why = format!("the {} does not say which version of `{}` wrote it", self.format.title, tool.name);
            return Err(missing("tool", &why));
        }
        Ok(tool)
    }

    /// As [`Report::tool`], for what need not say its version.
    pub(super) fn tool_if_versioned(&self, name: Option<&str>, version: Option<&str>) -> Result<Tool> {
        let (name, version) = (name.filter(|n| !n.is_empty()), version.filter(|v| !v.is_empty()));
        let told = self.told.tool.as_ref();
        for (found, said) in [(name, told.map(|t| &t.name)), (version, told.and_then(|t| t.version.as_ref()))] {
            if let (Some(found), Some(said)) = (found, said)
                && !found.eq_ignore_ascii_case(said)
            {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    format!("the report says `{}` where `tool` says `{said}`; leave `tool` out", found.escape_debug()),
                ));
            }
        }
        let name = name.map(str::to_owned).or_else(|| told.map(|tool| tool.name.clone()));
        let name = name.ok_or_else(|| missing("tool", "the report does not say which tool wrote it"))?;
        let version = version.map(str::to_owned).or_else(|| told.and_then(|tool| tool.version.clone()));
        Ok(Tool::new(name, version.as_deref()))
    }

    /// What the statement is about: what is told, else what the report says. Both must agree where both are there.
    pub(super) fn subjects(&self, about: &[Digest]) -> Result<Vec<ResourceDescriptor>> {
        let told = &self.told.subjects;
        if told.is_empty() {
            if about.is_empty() {
                return Err(missing("subjects", "the report does not say by digest what it is about"));
            }
            return Ok(about.iter().map(|digest| ResourceDescriptor::of(digest.clone())).collect());
        }
        if !about.is_empty() && !about.iter().any(|digest| told.iter().any(|subject| subject.has(digest))) {
            let found: Vec<_> = about.iter().map(Digest::to_string).collect();
            return Err(Error::new(
                ErrorKind::DigestMismatch,
                format!(
                    "the {} is about {}, which is none of the subjects; name what was scanned",
                    self.format.title,
                    found.join(" and ")
                ),
            ));
        }
        Ok(told.clone())
    }

    /// From which level on a finding fails.
    pub(super) fn fail_at(&self) -> Level {
        self.told.fail_at.unwrap_or(Level::High)
    }

    /// The kind of test that is told.
    pub(super) fn told_kind(&self) -> Result<TestKind> {
        self.told
            .demand(&self.told.kind, "kind", "the report does not say of what kind it is (sast, dast, iac, …)")
            .copied()
    }

    /// A test result of this kind.
    pub(super) fn test_result(&self, kind: TestKind, ran: &Ran, found: Findings) -> Result<Statement> {
        self.test_result_about(self.subjects(&ran.about)?, kind, ran, found)
    }

    /// As [`Report::test_result`], about these subjects.
    pub(super) fn test_result_about(
        &self,
        subjects: Vec<ResourceDescriptor>,
        kind: TestKind,
        ran: &Ran,
        found: Findings,
    ) -> Result<Statement> {
        let tool = self.tool_if_versioned(ran.tool.as_deref(), ran.version.as_deref())?;
        let result = TestResult {
            result: found.outcome(),
            configuration: self.told.configuration.clone(),
            url: None,
            passed_tests: Vec::new(),
            warned_tests: found.warned,
            failed_tests: found.failed,
            test_kind: Some(kind),
            tool: Some(tool.descriptor()),
            report: Some(self.descriptor.clone()),
            counts: found.counts,
            requirements: Vec::new(),
            started_at: ran.started_at.or(self.told.started_at),
            finished_at: ran.finished_at.or(self.told.finished_at),
        };
        Statement::new(subjects, &result)
    }

    /// A scan for known vulnerabilities.
    pub(super) fn vulns(&self, ran: &Ran, found: Vec<(Level, Vulnerability)>, left_out: u64) -> Result<Statement> {
        let tool = self.tool(ran.tool.as_deref(), ran.version.as_deref())?;
        let why = |what: &str| format!("the {} does not say {what}", self.format.title);
        let database = match (ran.database, self.told.database_date) {
            (Some(found), Some(said)) if found != said => {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    format!("the report says `{found}` where `databaseDate` says `{said}`; leave `databaseDate` out"),
                ));
            }
            (found, said) => found.or(said),
        };
        let last_update =
            *self.told.demand(&database, "databaseDate", &why("how new its database of vulnerabilities was"))?;
        let finished = ran.finished_at.or(self.told.finished_at);
        let finished = *self.told.demand(&finished, "finishedAt", &why("when the scan ended"))?;
        let started = ran.started_at.or(self.told.started_at).unwrap_or(finished);
        let mut counts = Findings::default();
        found.iter().for_each(|(level, _)| counts.count(level.name(), 1));
        counts.count("suppressed", left_out);
        let scan = Vulns {
            scanner: VulnScanner {
                uri: tool.uri(),
                version: tool.version,
                db: VulnDatabase { uri: None, version: None, last_update },
                result: found.into_iter().map(|(_, finding)| finding).collect(),
            },
            metadata: ScanMetadata { scan_started_on: started, scan_finished_on: finished },
            report: Some(self.descriptor.clone()),
            counts: counts.counts,
        };
        Statement::new(self.subjects(&ran.about)?, &scan)
    }

    /// The id of the environment in the record of which the report gives a part.
    pub(super) fn told_environment_id(&self) -> Result<&str> {
        let id =
            self.told.predicate.as_ref().and_then(|record| record.pointer("/environment/id")).and_then(Value::as_str);
        let id = id.ok_or_else(|| {
            missing("predicate", "the report is a part of a record, of which `environment` is missing")
        })?;
        Ok(id.trim_end_matches('/'))
    }

    /// The record that is told, completed by what the report says; neither overrules the other.
    pub(super) fn completed(&self, members: Map<String, Value>) -> Result<Value> {
        self.completed_over(members, &[])
    }

    /// As [`Report::completed`], but what the report says of `over` replaces what is told, which it holds.
    pub(super) fn completed_over(&self, members: Map<String, Value>, over: &[&str]) -> Result<Value> {
        let Some(Value::Object(told)) = &self.told.predicate else {
            return Err(missing("predicate", "the report is a part of a record, the rest of which is not told"));
        };
        let mut record = told.clone();
        for (name, value) in members {
            match record.get(&name) {
                Some(said) if *said != value && !over.contains(&name.as_str()) => {
                    return Err(Error::new(
                        ErrorKind::ApiMisuse,
                        format!(
                            "`predicate` says otherwise than the report what `{name}` is; leave it out of `predicate`"
                        ),
                    ));
                }
                _ => record.insert(name, value),
            };
        }
        if !record.contains_key("nonce") {
            record.insert("nonce".to_owned(), nonce()?.into());
        }
        Ok(Value::Object(record))
    }

    /// Claims about attributes; their subjects are those told, else what they are about.
    pub(super) fn claims(&self, claims: Vec<Claim>) -> Result<Statement> {
        let mut subjects = self.told.subjects.clone();
        if subjects.is_empty() {
            let mut targets: Vec<&String> = claims.iter().map(|claim| &claim.target).collect();
            targets.sort_unstable();
            targets.dedup();
            subjects = targets.into_iter().map(|uri| named_thing(uri)).collect();
        }
        let attributes = claims.into_iter().map(|claim| Attribute {
            attribute: claim.attribute.to_owned(),
            target: Some(ResourceDescriptor::at(claim.target)),
            conditions: Some(claim.conditions).filter(|conditions| !conditions.is_empty()),
            evidence: Some(self.descriptor.clone()),
        });
        Statement::new(subjects, &Scai { attributes: attributes.collect(), producer: None })
    }
}

impl Claim {
    /// It holds.
    pub(super) fn of(attribute: &'static str, target: impl Into<String>) -> Self {
        Self { attribute, target: target.into(), conditions: Map::new() }
    }

    /// With a condition.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.conditions.insert(name.to_owned(), value.into());
        self
    }

    /// It does not hold, for this reason, if there is one.
    pub(super) fn denied_if(self, reason: Option<String>) -> Self {
        match reason {
            Some(reason) => self.with("denied", reason),
            None => self,
        }
    }
}

/// A thing without bytes as a subject (predicates section 1.7).
pub(super) fn named_thing(uri: &str) -> ResourceDescriptor {
    ResourceDescriptor::of(Digest::of_uri(uri)).with_uri(uri)
}

/// A finding of a scanner for vulnerabilities.
pub(super) fn vulnerability(id: &str, severity: Vec<(&str, String)>, component: &str) -> Vulnerability {
    let severity = severity.into_iter().filter(|(_, score)| !score.is_empty());
    Vulnerability {
        id: id.to_owned(),
        severity: severity.map(|(method, score)| VulnSeverity { method: method.to_owned(), score }).collect(),
        annotations: vec![[("component".to_owned(), Value::from(component))].into_iter().collect()],
    }
}

/// An instant with any offset from UTC, or without a fraction, as RFC 3339 allows.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let t: jiff::Timestamp = text.parse().ok()?;
    Timestamp::from_unix_millis(t.as_millisecond()).ok()
}

/// `name@version`, or the name alone.
pub(super) fn component(name: &str, version: &str) -> String {
    if version.is_empty() { name.to_owned() } else { format!("{name}@{version}") }
}
