//! Checkov's JSON: one object for each framework, alone or in a list.

use serde::Deserialize;

use super::finding::{Findings, Level};
use super::report::{Ran, Report};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, TestKind, TestResult};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "checkov",
    title: "Checkov report",
    media_type: "application/json",
    recognised_by: "`check_type`, `results` and `summary` with `checkov_version`, or a list of such",
    says: "version in `summary.checkov_version`",
    becomes: &[TestResult::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
struct Framework {
    check_type: String,
    results: Results,
    summary: Summary,
}

#[derive(Deserialize)]
struct Results {
    #[serde(default)]
    passed_checks: Vec<Value>,
    failed_checks: Vec<Check>,
    #[serde(default)]
    skipped_checks: Vec<Value>,
    #[serde(default)]
    parsing_errors: Vec<Value>,
}

#[derive(Deserialize)]
struct Check {
    check_id: String,
    resource: String,
    severity: Option<String>,
}

#[derive(Deserialize)]
struct Summary {
    passed: usize,
    failed: usize,
    skipped: usize,
    parsing_errors: usize,
    checkov_version: String,
}

fn is(json: &Value) -> bool {
    let of = |part: &Value| part.get("check_type").is_some() && part.pointer("/summary/checkov_version").is_some();
    // what it writes where it found nothing to check
    let nothing = json.get("checkov_version").is_some() && json.get("passed").is_some();
    nothing || of(json) || json.as_array().is_some_and(|parts| !parts.is_empty() && parts.iter().all(of))
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let nothing = || report.malformed("says that no resource was checked, which shows nothing");
    if report.json.get("checkov_version").is_some() {
        return Err(nothing());
    }
    let parts: Vec<Framework> = match report.json {
        Value::Array(_) => report.typed()?,
        _ => vec![report.typed()?],
    };
    let (mut found, mut checked) = (Findings::default(), 0);
    let mut ran = Ran { tool: Some("checkov".to_owned()), ..Ran::default() };
    for part in parts {
        let Framework { check_type, results, summary } = part;
        // `--compact` and `--quiet` leave out what passed, and nothing else
        let passed = results.passed_checks.len();
        let shown = (results.failed_checks.len(), results.skipped_checks.len(), results.parsing_errors.len());
        if shown != (summary.failed, summary.skipped, summary.parsing_errors)
            || (passed != summary.passed && passed > 0)
        {
            let check_type = check_type.escape_debug();
            return Err(report.malformed(format_args!("counts other checks of `{check_type}` than it lists")));
        }
        checked += summary.passed + summary.failed;
        if ran.version.as_ref().is_some_and(|version| *version != summary.checkov_version) {
            return Err(report.malformed("is of several versions"));
        }
        ran.version = Some(summary.checkov_version);
        for check in results.failed_checks {
            let level = check.severity.as_deref().map_or(Level::Unknown, Level::of_word);
            found.add(level, report.fail_at(), format!("{} {}", check.check_id, check.resource));
        }
        found.count("suppressed", u64::try_from(summary.skipped).unwrap_or(u64::MAX));
        found.broke("notParsed", u64::try_from(summary.parsing_errors).unwrap_or(u64::MAX));
    }
    if checked == 0 {
        return Err(nothing());
    }
    let kind = report.told.kind.unwrap_or(TestKind::Iac);
    Ok(vec![report.test_result(kind, &ran, found)?])
}
