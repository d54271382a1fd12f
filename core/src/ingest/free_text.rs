//! Any text, searched by the guard: the small scan of one's own for secrets and for data of people.

use super::finding::{Findings, Level};
use super::report::{Ran, Report};
use super::{Format, Reader};
use crate::error::{Error, ErrorKind, Result};
use crate::guard::Class;
use crate::predicate::{PredicateType as _, TestKind, TestResult};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "free-text",
    title: "text",
    media_type: "text/plain",
    recognised_by: "any text in UTF-8; it must be named",
    says: "the library searches it; its kind, secrets or phi, must be told",
    becomes: &[TestResult::TYPE],
    holds_secrets: true,
    reader: Reader::Text(read),
};

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let text = std::str::from_utf8(report.bytes).map_err(|_| report.malformed("is not UTF-8"))?;
    if text.trim().is_empty() {
        return Err(report.malformed("holds nothing that could be searched"));
    }
    let (kind, class) = match report.told_kind()? {
        kind @ TestKind::Secrets => (kind, Class::Secrets),
        kind @ TestKind::Phi => (kind, Class::Phi),
        other => {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("text is searched for `secrets` or `phi`, not for `{other}`; say one of them with `kind`"),
            ));
        }
    };
    let mut found = Findings::default();
    for hit in report.told.guard()?.text(text).into_iter().filter(|hit| hit.class == class) {
        found.add(Level::High, report.fail_at(), format!("{} {}", hit.rule, hit.place));
    }
    let ran = Ran {
        tool: Some("sealwright-guard".to_owned()),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        finished_at: Some(report.now),
        ..Ran::default()
    };
    Ok(vec![report.test_result(kind, &ran, found)?])
}
