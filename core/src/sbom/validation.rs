//! Holds a BOM against the official CycloneDX 1.6 schema, and against what a schema can't say.

use std::collections::HashSet;
use std::sync::OnceLock;

use jsonschema::{Draft, Registry, Validator};
use serde::Serialize;

use super::purl;
use super::summary::unsupported;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};

/// Findings that are told of one BOM; a BOM with so many needs no longer list.
const FINDINGS: usize = 100;
/// Longest message of a finding, in characters.
const MESSAGE: usize = 300;

/// The schema files name each other by these; `README.md` beside them says where they come from.
const BASE: &str = "http://cyclonedx.org/schema/";
const BOM: &str = include_str!("schema/bom-1.6.SNAPSHOT.schema.json");
pub(super) const SPDX: &str = include_str!("schema/spdx.SNAPSHOT.schema.json");
const JSF: &str = include_str!("schema/jsf-0.82.SNAPSHOT.schema.json");

/// A fault of a BOM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Finding {
    /// The rule that is broken.
    pub rule: Rule,
    /// Where, as a JSON pointer.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

/// What a BOM is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rule {
    /// The CycloneDX 1.6 JSON schema.
    Schema,
    /// A `bom-ref` stands once ("Every bom-ref must be unique within the BOM").
    UniqueRef,
    /// An edge of `dependencies` leads to a `bom-ref` of the BOM, or is a BOM-Link to another one.
    KnownRef,
    /// A `purl` is a package url.
    Purl,
}

/// Every fault of a CycloneDX 1.6 JSON document, the first 100 at most; none means valid.
///
/// ```
/// let bom = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library"}]}"#;
/// let findings = sealwright::sbom::validate(bom)?;
/// assert_eq!(findings[0].path, "/components/0");
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// `MALFORMED` if it is no strict JSON object, `UNSUPPORTED` if it says to be of another version, `LIMIT_EXCEEDED` if
/// it is nested too deep.
pub fn validate(bytes: &[u8]) -> Result<Vec<Finding>> {
    let bom: Value = json::parse("SBOM", bytes)?;
    if let Some(version) = bom.get("specVersion").and_then(Value::as_str).filter(|v| *v != "1.6") {
        return Err(unsupported(version, "1.6 is validated"));
    }
    let schema = schema()?;
    let mut findings = Vec::new();
    // asking for a verdict alone is much faster than asking for reasons
    if !schema.is_valid(&bom) {
        findings.extend(schema.iter_errors(&bom).take(FINDINGS).map(|e| Finding {
            rule: Rule::Schema,
            path: e.instance_path().to_string(),
            message: short(&e.masked().to_string()),
        }));
    }
    let mut walk = Walk { refs: HashSet::new(), findings };
    walk.visit(&bom);
    walk.check_edges(&bom);
    walk.findings.truncate(FINDINGS);
    Ok(walk.findings)
}

fn schema() -> Result<&'static Validator> {
    static SCHEMA: OnceLock<Result<Validator, String>> = OnceLock::new();
    let compiled = SCHEMA.get_or_init(|| compile().map_err(|e| e.to_string()));
    compiled.as_ref().map_err(|e| Error::new(ErrorKind::Internal, format!("the CycloneDX schema can't be used: {e}")))
}

fn compile() -> Result<Validator, Box<dyn std::error::Error>> {
    let registry = Registry::new()
        .add(format!("{BASE}spdx.SNAPSHOT.schema.json"), serde_json::from_str::<Value>(SPDX)?)?
        .add(format!("{BASE}jsf-0.82.SNAPSHOT.schema.json"), serde_json::from_str::<Value>(JSF)?)?
        .prepare()?;
    let schema = serde_json::from_str(BOM)?;
    Ok(jsonschema::options()
        .with_draft(Draft::Draft7)
        .should_validate_formats(true)
        .with_registry(&registry)
        .build(&schema)?)
}

fn short(message: &str) -> String {
    match message.char_indices().nth(MESSAGE) {
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
        None => message.to_owned(),
    }
}

struct Walk<'a> {
    refs: HashSet<&'a str>,
    findings: Vec<Finding>,
}

impl<'a> Walk<'a> {
    /// Looks at every `bom-ref` and `purl` of the document.
    fn visit(&mut self, bom: &'a Value) {
        let mut open = vec![(String::new(), bom)];
        while let Some((path, value)) = open.pop() {
            match value {
                Value::Object(map) => {
                    if let Some(text) = map.get("bom-ref").and_then(Value::as_str)
                        && !self.refs.insert(text)
                    {
                        self.tell(
                            Rule::UniqueRef,
                            &path,
                            format_args!("the bom-ref `{}` stands twice", text.escape_debug()),
                        );
                    }
                    if let Some(text) = map.get("purl").and_then(Value::as_str)
                        && let Some(fault) = purl::fault(text)
                    {
                        self.tell(
                            Rule::Purl,
                            &format!("{path}/purl"),
                            format_args!("`{}` is no package url: {fault}", text.escape_debug()),
                        );
                    }
                    let inner = map.iter().filter(|(_, v)| v.is_object() || v.is_array());
                    open.extend(
                        inner
                            .rev()
                            .map(|(key, v)| (format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), v)),
                    );
                }
                Value::Array(list) => {
                    let inner = list.iter().enumerate().filter(|(_, v)| v.is_object() || v.is_array());
                    open.extend(inner.rev().map(|(n, v)| (format!("{path}/{n}"), v)));
                }
                _ => {}
            }
        }
    }

    /// Looks at both ends of every edge.
    fn check_edges(&mut self, bom: &Value) {
        let rows = bom.get("dependencies").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        for (n, row) in rows.iter().enumerate() {
            let ends = |name: &str| row.get(name).and_then(Value::as_array).into_iter().flatten();
            for end in row.get("ref").into_iter().chain(ends("dependsOn")).chain(ends("provides")) {
                let Some(end) = end.as_str() else { continue };
                if !self.refs.contains(end) && !end.starts_with("urn:cdx:") {
                    let path = format!("/dependencies/{n}");
                    self.tell(
                        Rule::KnownRef,
                        &path,
                        format_args!("`{}` is no bom-ref of this BOM", end.escape_debug()),
                    );
                }
            }
        }
    }

    fn tell(&mut self, rule: Rule, path: &str, message: std::fmt::Arguments<'_>) {
        if self.findings.len() < FINDINGS {
            self.findings.push(Finding { rule, path: path.to_owned(), message: short(&message.to_string()) });
        }
    }
}
