//! Gitleaks' JSON, of version 8 and of those before. Neither the secret nor the line it stands in is taken.

use serde::Deserialize;

use super::finding::{Findings, Level};
use super::report::{Ran, Report};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, TestKind, TestResult};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "gitleaks",
    title: "Gitleaks report",
    media_type: "application/json",
    recognised_by: "a list of objects with `RuleID` and `Secret`, or `rule` and `offender`; an empty list must be named",
    says: "nothing of version and time",
    becomes: &[TestResult::TYPE],
    holds_secrets: true,
    reader: Reader::Json { is, read },
};

/// A finding, without what was found.
#[derive(Deserialize)]
struct Leak {
    #[serde(alias = "RuleID")]
    rule: String,
    #[serde(alias = "File")]
    file: String,
    #[serde(alias = "StartLine", alias = "lineNumber")]
    line_number: Option<u64>,
    #[serde(alias = "Commit", default)]
    commit: String,
}

fn is(json: &Value) -> bool {
    let of = |leak: &Value| {
        let has = |name: &str| leak.get(name).is_some();
        (has("RuleID") && has("Secret")) || (has("rule") && has("offender"))
    };
    json.as_array().is_some_and(|leaks| leaks.iter().all(of))
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let leaks: Vec<Leak> = report.typed()?;
    let mut found = Findings::default();
    for leak in leaks {
        let line = leak.line_number.map(|line| format!(":{line}")).unwrap_or_default();
        let commit: String = leak.commit.chars().take(12).collect();
        let name = format!("{} {}{line} {commit}", leak.rule, leak.file);
        found.add(Level::High, report.fail_at(), name.trim_end());
    }
    let ran = Ran { tool: Some("gitleaks".to_owned()), ..Ran::default() };
    Ok(vec![report.test_result(TestKind::Secrets, &ran, found)?])
}
