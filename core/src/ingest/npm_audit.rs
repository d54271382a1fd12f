//! `npm audit --json`, of npm 7 and later (report version 2) and of npm 6.
//!
//! An advisory is one finding. A package that is vulnerable only because it depends on another is none of its own; npm's
//! totals count it, and are held against the list.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::finding::Level;
use super::report::{Ran, Report, vulnerability};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Vulnerability, Vulns};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "npm-audit",
    title: "npm audit report",
    media_type: "application/json",
    recognised_by: "`auditReportVersion`, or `advisories` with `metadata`",
    says: "nothing of version, time and the database's date: all must be told",
    becomes: &[Vulns::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    audit_report_version: Option<u64>,
    vulnerabilities: Option<BTreeMap<String, Package>>,
    advisories: Option<BTreeMap<String, Advisory>>,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Metadata {
    vulnerabilities: BTreeMap<String, u64>,
    dependencies: Option<Value>,
    total_dependencies: Option<u64>,
}

#[derive(Deserialize)]
struct Package {
    severity: String,
    via: Vec<Via>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Via {
    Package(String),
    Advisory(Advisory),
}

#[derive(Deserialize)]
struct Advisory {
    #[serde(alias = "id")]
    source: Value,
    #[serde(alias = "module_name")]
    name: String,
    severity: String,
    #[serde(default)]
    url: String,
    cvss: Option<Cvss>,
}

#[derive(Deserialize)]
struct Cvss {
    score: Option<f64>,
}

fn is(json: &Value) -> bool {
    json.get("auditReportVersion").is_some() || (json.get("advisories").is_some() && json.get("metadata").is_some())
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let document: Document = report.typed()?;
    let mut totals: BTreeMap<&str, u64> = BTreeMap::new();
    let mut found = Vec::new();
    match (document.audit_report_version, &document.vulnerabilities, &document.advisories) {
        (Some(2), Some(packages), None) => {
            for (name, package) in packages {
                *totals.entry(&package.severity).or_default() += 1;
                for via in &package.via {
                    match via {
                        Via::Advisory(advisory) => found.push(finding(advisory)),
                        Via::Package(other) if packages.contains_key(other) => {}
                        Via::Package(other) => {
                            let (name, other) = (name.escape_debug(), other.escape_debug());
                            return Err(report.malformed(format_args!(
                                "says that `{name}` is vulnerable by `{other}`, of which it says nothing"
                            )));
                        }
                    }
                }
            }
            if let Some(name) = unexplained(packages) {
                let name = name.escape_debug();
                return Err(report.malformed(format_args!("says that `{name}` is vulnerable and not by what")));
            }
        }
        (None, None, Some(advisories)) => {
            for advisory in advisories.values() {
                found.push(finding(advisory));
                *totals.entry(&advisory.severity).or_default() += 1;
            }
        }
        _ => return Err(report.unsupported("is of a version that is not read; use npm 6 to 11")),
    }
    let metadata = &document.metadata;
    let looked_at = metadata.dependencies.as_ref().and_then(|all| all.get("total")?.as_u64());
    if looked_at.or(metadata.total_dependencies) == Some(0) {
        return Err(report.malformed("is of a project without dependencies, so nothing was looked at"));
    }
    // npm 6 counts each place of a package, so that its totals are no less than the advisories
    let exact = document.audit_report_version.is_some();
    for word in ["info", "low", "moderate", "high", "critical"] {
        let said = metadata.vulnerabilities.get(word).copied().unwrap_or_default();
        let shown = totals.get(word).copied().unwrap_or_default();
        if (exact && said != shown) || (said == 0) != (shown == 0) {
            return Err(report.malformed(format_args!("counts {said} of the severity `{word}` and lists {shown}")));
        }
    }
    let ran = Ran { tool: Some("npm".to_owned()), ..Ran::default() };
    Ok(vec![report.vulns(&ran, found, 0)?])
}

/// A package of which `via` leads to no advisory, however far it is followed.
fn unexplained(packages: &BTreeMap<String, Package>) -> Option<&str> {
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let (mut reached, mut next) = (BTreeSet::new(), Vec::new());
    for (name, package) in packages {
        for via in &package.via {
            match via {
                Via::Package(other) => dependents.entry(other).or_default().push(name),
                Via::Advisory(_) => next.push(name.as_str()),
            }
        }
    }
    while let Some(name) = next.pop() {
        if reached.insert(name) {
            next.extend(dependents.get(name).into_iter().flatten());
        }
    }
    packages.keys().map(String::as_str).find(|name| !reached.contains(name))
}

fn finding(advisory: &Advisory) -> (Level, Vulnerability) {
    // the id of GitHub stands at the end of its address; else npm's own number is all there is
    let ghsa = advisory.url.rsplit('/').next().filter(|id| id.starts_with("GHSA-"));
    let id = ghsa.map_or_else(|| format!("npm-{}", advisory.source.to_string().trim_matches('"')), str::to_owned);
    let score = advisory.cvss.as_ref().and_then(|cvss| cvss.score).filter(|score| *score > 0.0);
    let mut severity = vec![("npm", advisory.severity.clone())];
    severity.extend(score.map(|score| ("cvss_score", score.to_string())));
    (Level::of_word(&advisory.severity), vulnerability(&id, severity, &format!("pkg:npm/{}", advisory.name)))
}
