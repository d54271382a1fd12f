//! OpenVEX documents (specification 0.2.0, and 0.0.1 before it), kept as they are.

use serde::Deserialize;

use super::report::Report;
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::sbom::{OPENVEX_CONTEXTS, OPENVEX_JUSTIFICATIONS};
use crate::statement::Statement;

/// The type of the statements, which a version may follow.
const TYPE: &str = "https://openvex.dev/ns";

pub(super) const FORMAT: Format = Format {
    name: "openvex",
    title: "OpenVEX document",
    media_type: "application/json",
    recognised_by: "`@context` https://openvex.dev/ns",
    says: "author and times in the document",
    becomes: &[TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "@context")]
    context: String,
    #[serde(rename = "@id", default)]
    id: String,
    author: String,
    timestamp: Option<String>,
    version: Value,
    statements: Vec<VexStatement>,
}

#[derive(Deserialize)]
struct VexStatement {
    vulnerability: Value,
    #[serde(default)]
    products: Vec<Value>,
    status: String,
    timestamp: Option<String>,
    justification: Option<String>,
    impact_statement: Option<String>,
    action_statement: Option<String>,
}

fn is(json: &Value) -> bool {
    json.get("@context").and_then(Value::as_str).is_some_and(|context| context.starts_with(TYPE))
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let document: Document = report.typed()?;
    let old = document.context != "https://openvex.dev/ns/v0.2.0";
    if !OPENVEX_CONTEXTS.contains(&&*document.context) {
        let context = document.context.escape_debug();
        return Err(report.unsupported(format_args!("is of the version `{context}`; 0.0.1 and 0.2.0 are read")));
    }
    let version = document.version.as_u64().or_else(|| document.version.as_str()?.parse().ok());
    if document.id.is_empty() || document.author.is_empty() || version.is_none_or(|version| version == 0) {
        return Err(report.malformed("has no `@id`, `author` or `version` (from 1)"));
    }
    if let Some(time) = &document.timestamp {
        report.time(time)?;
    }
    if document.statements.is_empty() {
        return Err(report.malformed("holds no statement, so it says nothing"));
    }
    for (index, statement) in document.statements.iter().enumerate() {
        if let Some(fault) = fault(statement, old) {
            return Err(report.malformed(format_args!("{fault} in `statements[{index}]`")));
        }
        if let Some(time) = &statement.timestamp {
            report.time(time)?;
        }
    }
    Ok(vec![Statement::from_json(&document.context, report.subjects(&[])?, report.json)?])
}

/// What is wrong with a statement (OpenVEX 0.2.0, "Statement fields" and "Status labels").
fn fault(statement: &VexStatement, old: bool) -> Option<String> {
    let name = match &statement.vulnerability {
        Value::String(name) if old => name.as_str(),
        vulnerability => {
            let named = vulnerability.get("name").or_else(|| vulnerability.get("@id"));
            named.and_then(Value::as_str).unwrap_or_default()
        }
    };
    if name.is_empty() {
        return Some("names no vulnerability".to_owned());
    }
    if statement.products.is_empty() {
        return Some("names no product".to_owned());
    }
    let said = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    match statement.status.as_str() {
        "not_affected" => match statement.justification.as_deref() {
            Some(word) if !OPENVEX_JUSTIFICATIONS.contains(&word) => {
                Some(format!("gives the justification `{}`", word.escape_debug()))
            }
            None if !said(&statement.impact_statement) => Some("does not say why it is not affected".to_owned()),
            _ => None,
        },
        "affected" if !said(&statement.action_statement) && !old => Some("does not say what to do".to_owned()),
        "affected" | "fixed" | "under_investigation" => None,
        other => Some(format!("has the status `{}`", other.escape_debug())),
    }
}
