//! `pip-audit --format json`: an object since 2.1, a bare list before.
//!
//! It rates nothing. What it skipped was not looked at: such a report is refused.

use serde::Deserialize;

use super::finding::Level;
use super::report::{Ran, Report, component, vulnerability};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Vulns};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "pip-audit",
    title: "pip-audit report",
    media_type: "application/json",
    recognised_by: "`dependencies` of objects with `name` and `vulns`, or a list of them",
    says: "nothing of version, time and the database's date: all must be told",
    becomes: &[Vulns::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
struct Document {
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
    vulns: Option<Vec<Flaw>>,
    skip_reason: Option<String>,
}

#[derive(Deserialize)]
struct Flaw {
    id: String,
}

fn is(json: &Value) -> bool {
    let list = json.get("dependencies").unwrap_or(json);
    let of = |d: &Value| d.get("name").is_some() && (d.get("vulns").is_some() || d.get("skip_reason").is_some());
    list.as_array().is_some_and(|list| list.iter().all(of))
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let dependencies = match report.json {
        Value::Array(_) => report.typed()?,
        _ => report.typed::<Document>()?.dependencies,
    };
    if dependencies.is_empty() {
        return Err(report.malformed("lists no dependency, so it says of nothing that it was looked at"));
    }
    let mut found = Vec::new();
    for dependency in dependencies {
        let Dependency { name, version, vulns, skip_reason } = dependency;
        let (Some(flaws), None) = (vulns, skip_reason) else {
            return Err(report.malformed(format_args!(
                "skipped `{}`, so it is not whole: have pip-audit audit that, too, or leave it out of what it audits",
                name.escape_debug()
            )));
        };
        let component = format!("pkg:pypi/{}", component(&name, &version.unwrap_or_default()));
        found.extend(flaws.into_iter().map(|flaw| (Level::Unknown, vulnerability(&flaw.id, Vec::new(), &component))));
    }
    let ran = Ran { tool: Some("pip-audit".to_owned()), ..Ran::default() };
    Ok(vec![report.vulns(&ran, found, 0)?])
}
