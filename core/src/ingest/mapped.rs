//! A team's own JSON reports, mapped by data: a small file says where in a report things stand, by JSON pointers (RFC 6901),
//! and by what the report says that it ran. Nothing is guessed: what a pointer does not find, or a word that the mapping does
//! not know, refuses.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::finding::{Findings, Level};
use super::report::{Claim, Ran, Report, vulnerability};
use super::{Format, Reader};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::predicate::{ATTRIBUTES, PredicateType as _, Scai, TestKind, TestResult, Vulns};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "mapped",
    title: "mapped report",
    media_type: "application/json",
    recognised_by: "any JSON, by the mapping that is told",
    says: "what the mapping says",
    becomes: &[TestResult::TYPE, Vulns::TYPE, Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Mapped(read),
};

/// How the JSON reports of a tool are read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// Always `sealwright-mapping/v1`.
    v: String,
    becomes: Becomes,
    /// What shows that the tool ran to its end: each pointer with the value that must stand there.
    ran: BTreeMap<String, Value>,
    tool: Field,
    version: Option<Field>,
    started_at: Option<Field>,
    finished_at: Option<Field>,
    database_date: Option<Field>,
    findings: Option<FindingsAt>,
    /// Numbers that the report itself gives, by level; they must be those of its findings.
    #[serde(default)]
    counts: BTreeMap<Level, String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Becomes {
    TestResult { kind: TestKind },
    Vulns {},
    Scai { attribute: String, target: Field, conditions: BTreeMap<String, String> },
}

/// A word that is always the same, or where it stands.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Field {
    Is(String),
    At(String),
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FindingsAt {
    /// The list.
    list: String,
    /// Below each of it: what it is called.
    name: String,
    /// Below each of it: how bad it is.
    severity: Option<String>,
    /// Levels by the tool's words.
    #[serde(default)]
    levels: BTreeMap<String, Level>,
    /// Below each of it: the component that has the vulnerability.
    component: Option<String>,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// `MALFORMED` if it is not what docs/guide/ingest.md describes, `UNSUPPORTED` for another version.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mapping: Self = json::parse("mapping", bytes)?;
        mapping.check()?;
        Ok(mapping)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.v != "sealwright-mapping/v1" {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the mapping is of the version `{}`; `sealwright-mapping/v1` is read", self.v.escape_debug()),
            ));
        }
        let wrong = |fault: &str| Err(Error::new(ErrorKind::Malformed, format!("the mapping {fault}")));
        if self.ran.is_empty() {
            return wrong(
                "does not say in `ran` what shows that the tool ran; name at least one pointer with its value",
            );
        }
        let mut pointers: Vec<&String> = self.ran.keys().chain(self.counts.values()).collect();
        let fields = [
            Some(&self.tool),
            self.version.as_ref(),
            self.started_at.as_ref(),
            self.finished_at.as_ref(),
            self.database_date.as_ref(),
        ];
        pointers.extend(fields.into_iter().flatten().filter_map(Field::pointer));
        if let Some(findings) = &self.findings {
            pointers.extend([&findings.list, &findings.name]);
            pointers.extend(findings.severity.iter().chain(&findings.component));
            if findings.severity.is_some() == findings.levels.is_empty() {
                return wrong("needs `severity` and `levels` together; give both, or leave both out");
            }
        }
        match (&self.becomes, &self.findings) {
            (Becomes::Scai { attribute, target, conditions }, None) => {
                if !ATTRIBUTES.contains(&attribute.as_str()) {
                    return wrong("claims an attribute that satisfies nothing; take one of the vocabulary");
                }
                pointers.extend(target.pointer().into_iter().chain(conditions.values()));
            }
            (Becomes::Scai { .. }, Some(_)) => return wrong("makes a claim of findings; leave `findings` out"),
            (Becomes::Vulns {}, Some(findings)) if findings.component.is_some() => {}
            (Becomes::Vulns {}, _) => return wrong("needs `findings` with `component` for vulnerabilities"),
            (Becomes::TestResult { .. }, Some(_)) => {}
            (Becomes::TestResult { .. }, None) => return wrong("needs `findings` for a test result"),
        }
        match pointers.into_iter().find(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            Some(pointer) => Err(Error::new(
                ErrorKind::Malformed,
                format!("the mapping has the pointer `{}`; write it as `/a/b` (RFC 6901)", pointer.escape_debug()),
            )),
            None => Ok(()),
        }
    }
}

impl Field {
    fn pointer(&self) -> Option<&String> {
        match self {
            Self::At(pointer) => Some(pointer),
            Self::Is(_) => None,
        }
    }

    fn read(&self, report: &Report<'_>) -> Result<String> {
        match self {
            Self::Is(word) => Ok(word.clone()),
            Self::At(pointer) => word(report, report.json, pointer),
        }
    }
}

/// The text or number at a pointer.
fn word(report: &Report<'_>, from: &Value, pointer: &str) -> Result<String> {
    match from.pointer(pointer) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(report.malformed(format_args!("has neither text nor number at `{}`", pointer.escape_debug()))),
    }
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let told = report.told;
    let mapping = told.demand(&told.mapping, "mapping", "a report of your own is read by a mapping")?;
    mapping.check()?;
    for (pointer, value) in &mapping.ran {
        if report.json.pointer(pointer) != Some(value) {
            return Err(report.malformed(format_args!(
                "does not say that the tool ran: `{}` is not `{value}`",
                pointer.escape_debug()
            )));
        }
    }
    let field = |field: &Option<Field>| field.as_ref().map(|field| field.read(report)).transpose();
    let instant = |of: &Option<Field>| field(of)?.map(|text| report.time(&text)).transpose();
    let ran = Ran {
        tool: Some(mapping.tool.read(report)?),
        version: field(&mapping.version)?,
        database: instant(&mapping.database_date)?,
        started_at: instant(&mapping.started_at)?,
        finished_at: instant(&mapping.finished_at)?,
        about: Vec::new(),
    };
    let findings = match &mapping.findings {
        Some(at) => listed(report, at)?,
        None => Vec::new(),
    };
    for (level, pointer) in &mapping.counts {
        let said = report.json.pointer(pointer).and_then(Value::as_u64);
        let shown = findings.iter().filter(|(found, _, _)| found == level).count();
        if said != u64::try_from(shown).ok() {
            let said = said.map_or_else(|| "no number".to_owned(), |said| said.to_string());
            return Err(report.malformed(format_args!("counts {said} of the level {} and lists {shown}", level.name())));
        }
    }
    let statement = match &mapping.becomes {
        Becomes::TestResult { kind } => {
            let mut found = Findings::default();
            for (level, name, component) in findings {
                let name = component.map_or(name.clone(), |component| format!("{name} {component}"));
                found.add(level, report.fail_at(), name);
            }
            report.test_result(*kind, &ran, found)?
        }
        Becomes::Vulns {} => {
            let found = findings.into_iter().map(|(level, name, component)| {
                let severity = vec![("level", level.name().to_owned())];
                (level, vulnerability(&name, severity, &component.unwrap_or_default()))
            });
            report.vulns(&ran, found.collect(), 0)?
        }
        Becomes::Scai { attribute, target, conditions } => {
            let known = ATTRIBUTES.iter().find(|known| *known == attribute);
            let attribute = known.ok_or_else(|| report.malformed("claims an attribute that is not known"))?;
            let mut claim = Claim::of(attribute, target.read(report)?);
            for (name, pointer) in conditions {
                let value = report.json.pointer(pointer).filter(|value| !value.is_null());
                let value = value
                    .ok_or_else(|| report.malformed(format_args!("has nothing at `{}`", pointer.escape_debug())))?;
                claim = claim.with(name, value.clone());
            }
            report.claims(vec![claim])?
        }
    };
    Ok(vec![statement])
}

type Listed = (Level, String, Option<String>);

fn listed(report: &Report<'_>, at: &FindingsAt) -> Result<Vec<Listed>> {
    let list = report.json.pointer(&at.list).and_then(Value::as_array);
    let list = list.ok_or_else(|| report.malformed(format_args!("has no list at `{}`", at.list.escape_debug())))?;
    let each = list.iter().map(|finding| {
        let level = match &at.severity {
            None => Level::Unknown,
            Some(pointer) => {
                let said = word(report, finding, pointer)?;
                *at.levels.get(&said).ok_or_else(|| {
                    report.malformed(format_args!(
                        "has the severity `{}`, which the mapping does not know",
                        said.escape_debug()
                    ))
                })?
            }
        };
        let component = at.component.as_ref().map(|pointer| word(report, finding, pointer)).transpose()?;
        Ok((level, word(report, finding, &at.name)?, component))
    });
    each.collect()
}
