//! `cargo audit --json`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::report::{Ran, Report, component, vulnerability};
use super::{Format, Reader, cvss};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Vulns};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "cargo-audit",
    title: "cargo audit report",
    media_type: "application/json",
    recognised_by: "`database`, `lockfile` and `vulnerabilities` with `found`",
    says: "the database's date in `database.last-updated`; version and time must be told",
    becomes: &[Vulns::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
struct Document {
    database: Database,
    lockfile: Lockfile,
    settings: Option<Settings>,
    vulnerabilities: Vulnerabilities,
    #[serde(default)]
    warnings: BTreeMap<String, Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Database {
    last_updated: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Lockfile {
    dependency_count: u64,
}

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    ignore: Vec<String>,
}

#[derive(Deserialize)]
struct Vulnerabilities {
    found: bool,
    count: usize,
    list: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    advisory: Advisory,
    package: Package,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    cvss: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

fn is(json: &Value) -> bool {
    json.get("database").is_some()
        && json.get("lockfile").is_some()
        && json.pointer("/vulnerabilities/found").is_some_and(Value::is_boolean)
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let document: Document = report.typed()?;
    let Vulnerabilities { found, count, list } = document.vulnerabilities;
    if count != list.len() || found == list.is_empty() {
        let shown = list.len();
        return Err(report.malformed(format_args!("says `found` {found} and counts {count}, and lists {shown}")));
    }
    if document.lockfile.dependency_count == 0 {
        return Err(report.malformed("is of a lock file without dependencies, so nothing was looked at"));
    }
    let ran = Ran {
        tool: Some("cargo-audit".to_owned()),
        database: report.time_if_any(document.database.last_updated.as_deref())?,
        ..Ran::default()
    };
    let found = list.into_iter().map(|found| {
        let vector = found.advisory.cvss.unwrap_or_default();
        let level = cvss::level(&vector);
        let severity = vec![("level", level.name().to_owned()), ("cvss", vector)];
        let component = format!("pkg:cargo/{}", component(&found.package.name, &found.package.version));
        (level, vulnerability(&found.advisory.id, severity, &component))
    });
    // unmaintained and unsound crates are warnings by the tool's own terms, and so is what it was told to ignore
    let ignored = document.settings.map_or(0, |settings| settings.ignore.len());
    let warned = document.warnings.values().map(Vec::len).sum::<usize>() + ignored;
    Ok(vec![report.vulns(&ran, found.collect(), u64::try_from(warned).unwrap_or(u64::MAX))?])
}
