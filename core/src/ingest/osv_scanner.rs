//! OSV-Scanner's JSON. It is written only where packages were found to look up, so that an empty list of results says
//! that none of them is vulnerable.

use serde::Deserialize;

use super::finding::Level;
use super::report::{Ran, Report, component, vulnerability};
use super::{Format, Reader, cvss};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Vulns};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "osv-scanner",
    title: "OSV-Scanner report",
    media_type: "application/json",
    recognised_by: "`results`, each with `source` and `packages`",
    says: "nothing of version, time and the database's date: all must be told",
    becomes: &[Vulns::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
struct Document {
    results: Vec<Source>,
}

#[derive(Deserialize)]
struct Source {
    packages: Vec<Packaged>,
}

#[derive(Deserialize)]
struct Packaged {
    package: Package,
    #[serde(default)]
    vulnerabilities: Vec<Flaw>,
    #[serde(default)]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    ecosystem: String,
}

#[derive(Deserialize)]
struct Flaw {
    id: String,
    #[serde(default)]
    severity: Vec<Severity>,
    database_specific: Option<Value>,
}

#[derive(Deserialize)]
struct Severity {
    #[serde(rename = "type")]
    method: String,
    score: String,
}

#[derive(Deserialize)]
struct Group {
    ids: Vec<String>,
    #[serde(default)]
    max_severity: String,
}

fn is(json: &Value) -> bool {
    let Some(results) = json.get("results").and_then(Value::as_array) else { return false };
    // Semgrep has `results`, too, but errors and a version beside
    json.as_object().is_some_and(|members| {
        members.keys().all(|name| {
            name == "results"
                || name.starts_with("experimental")
                || matches!(name.as_str(), "license_summary" | "image_metadata")
        })
    }) && results.iter().all(|result| result.get("source").is_some() && result.get("packages").is_some())
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let document: Document = report.typed()?;
    let mut found = Vec::new();
    for packaged in document.results.into_iter().flat_map(|source| source.packages) {
        let Packaged { package, vulnerabilities, groups } = packaged;
        let name = match package.ecosystem.as_str() {
            "" => component(&package.name, &package.version),
            ecosystem => format!("{ecosystem}/{}", component(&package.name, &package.version)),
        };
        for flaw in vulnerabilities {
            let score =
                groups.iter().find(|group| group.ids.contains(&flaw.id)).map(|group| group.max_severity.as_str());
            let level = level(&flaw, score.unwrap_or_default());
            let severity = flaw.severity.iter().map(|s| (s.method.as_str(), s.score.clone()));
            let severity = std::iter::once(("level", level.name().to_owned())).chain(severity);
            found.push((level, vulnerability(&flaw.id, severity.collect(), &name)));
        }
    }
    let ran = Ran { tool: Some("osv-scanner".to_owned()), ..Ran::default() };
    Ok(vec![report.vulns(&ran, found, 0)?])
}

/// The worst of what the database, the scanner's group and the vectors say.
fn level(flaw: &Flaw, group: &str) -> Level {
    let word = flaw.database_specific.as_ref().and_then(|d| d.get("severity")).and_then(Value::as_str);
    let known = word.map(Level::of_word).into_iter().chain(group.parse().ok().map(Level::of_score));
    let known = known.chain(flaw.severity.iter().map(|severity| cvss::level(&severity.score)));
    known.filter(|level| *level != Level::Unknown).min().unwrap_or(Level::Unknown)
}
