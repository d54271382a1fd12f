//! One view of an SBOM, whatever its format, for policies and all that asks what is inside.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::document::{Document, Format, short};
use super::{cyclonedx_view, spdx_view, spdx3_view};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::statement::Statement;

/// What an SBOM holds, whoever wrote it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Summary {
    /// `CycloneDX` or `SPDX`.
    pub format: String,
    /// The version of the format: `1.4` to `1.7` of CycloneDX, `2.2`, `2.3`, `3.0.0` or `3.0.1` of SPDX.
    pub spec_version: String,
    /// What the document calls itself (SPDX).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What tells it from all others: `serialNumber` (CycloneDX), `documentNamespace` (SPDX 2), `spdxId` (SPDX 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
    /// When it was made, as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it, people and organisations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authors: Vec<String>,
    /// What made it, with its version where that is told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// When in the life of the product it was made, such as `build` (CycloneDX `lifecycles`, SPDX 3 `software_sbomType`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lifecycles: Vec<String>,
    /// What the BOM is about, if it says so.
    pub subject: Option<ComponentSummary>,
    /// Number of components, nested ones included, the subject not.
    pub component_count: usize,
    /// The components, nested ones after the one they stand in. Of SPDX these are the packages.
    pub components: Vec<ComponentSummary>,
    /// What needs or holds what, by `bomRef`.
    pub edges: Vec<Edge>,
    /// Parts, by `bomRef`, of which the document itself says that it may not tell all they hold or need: `compositions`
    /// that are not complete (CycloneDX), relationships to `NOASSERTION` (SPDX 2), their `completeness` (SPDX 3). Sorted.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub incomplete: BTreeSet<String>,
}

impl Summary {
    /// Whether the BOM is an inventory at all: it lists a component.
    pub fn is_usable(&self) -> bool {
        self.component_count > 0
    }
}

/// One component.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ComponentSummary {
    /// Where it stands in [`Document::json`], as a JSON pointer.
    pub path: String,
    /// Its type, such as `library`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// What edges name it by.
    pub bom_ref: Option<String>,
    /// Group, such as an npm scope.
    pub group: Option<String>,
    /// Name, without the group.
    pub name: String,
    /// Version.
    pub version: Option<String>,
    /// Who supplies it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<String>,
    /// Package url, as it stands.
    pub purl: Option<String>,
    /// CPE, as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpe: Option<String>,
    /// Other identifiers: SWID tags, SWHIDs, OmniBOR ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identifiers: Vec<String>,
    /// `required`, `optional` or `excluded`; not said means required.
    pub scope: Option<String>,
    /// Licences: ids, expressions and names, as they stand. Of SPDX the concluded one, else the declared one.
    pub licenses: Vec<String>,
    /// The copyright notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copyright: Option<String>,
    /// Hashes as algorithm, by its CycloneDX name, and content, as it stands.
    pub hashes: Vec<(String, String)>,
    /// Data that a model was trained or tested with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub datasets: Vec<Dataset>,
}

/// Data that a machine-learning model names.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Dataset {
    /// Its name, if it is told.
    pub name: Option<String>,
    /// The `bomRef` of the component that it is, if it is one.
    pub bom_ref: Option<String>,
    /// Hashes of that component.
    pub hashes: Vec<(String, String)>,
}

/// What one part has to do with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EdgeKind {
    /// The first needs the second.
    DependsOn,
    /// The second is a part of the first.
    Contains,
    /// The first implements the second, such as an algorithm (CycloneDX 1.6 `provides`).
    Provides,
}

/// What needs or holds what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Edge {
    /// The first part, by its `bomRef`.
    pub from: String,
    /// The second part, by its `bomRef`.
    pub to: String,
    /// What the first has to do with the second.
    pub kind: EdgeKind,
}

/// Reads an SBOM of any format that [`Document::parse`] takes.
///
/// It need not be valid: use [`super::validate`] to demand that.
///
/// ```
/// let bom = br#"{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"a"}]}"#;
/// let summary = sealwright::sbom::read(bom)?;
/// assert!(summary.is_usable());
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// As [`Document::parse`] and [`Document::summary`].
pub fn read(bytes: &[u8]) -> Result<Summary> {
    Document::parse(bytes)?.summary()
}

/// As [`read`], of the SBOM that is the predicate of a statement.
pub(crate) fn read_statement(statement: &Statement) -> Result<Summary> {
    Document::of_statement(statement)?.summary()
}

impl Document {
    /// The view, in which a component may lack its name.
    pub(super) fn lenient_summary(&self) -> Result<Summary> {
        let mut summary = match self.format() {
            Format::CycloneDxJson | Format::CycloneDxXml => cyclonedx_view::summary(self.json())?,
            Format::SpdxJson | Format::SpdxTagValue => spdx_view::summary(self.json())?,
            Format::SpdxJsonLd => spdx3_view::summary(self.json())?,
        };
        summary.format = if self.format().is_cyclonedx() { "CycloneDX" } else { "SPDX" }.to_owned();
        self.version().clone_into(&mut summary.spec_version);
        summary.component_count = summary.components.len();
        resolve_datasets(&mut summary);
        Ok(summary)
    }
}

/// Gives datasets that are components their names and hashes.
fn resolve_datasets(summary: &mut Summary) {
    if summary.subject.iter().chain(&summary.components).all(|c| c.datasets.is_empty()) {
        return;
    }
    let known: BTreeMap<String, (String, Vec<(String, String)>)> = summary
        .components
        .iter()
        .filter_map(|c| Some((c.bom_ref.clone()?, (c.name.clone(), c.hashes.clone()))))
        .collect();
    for dataset in summary.subject.iter_mut().chain(&mut summary.components).flat_map(|c| &mut c.datasets) {
        if let Some((name, hashes)) = dataset.bom_ref.as_ref().and_then(|r| known.get(r)) {
            dataset.name.get_or_insert_with(|| name.clone());
            dataset.hashes.clone_from(hashes);
        }
    }
}

/// The error for a document of another version than those this library takes.
pub(super) fn unsupported(format: &str, version: &str, taken: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the SBOM is of {format} version `{}`; {taken}", short(version)))
        .with("found", version)
}

/// The text at `key`; none if there is none.
pub(super) fn text<'a>(object: &'a Value, key: &str, path: &str) -> Result<Option<&'a str>> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_type(&format!("{path}/{key}"), "a text")),
    }
}

/// The items of the list at `key`; none if there is none.
pub(super) fn list<'a>(object: &'a Value, key: &str, path: &str) -> Result<&'a [Value]> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(wrong_type(&format!("{path}/{key}"), "a list")),
    }
}

/// The texts of the list at `key`.
pub(super) fn texts<'a>(object: &'a Value, key: &str, path: &str) -> Result<Vec<&'a str>> {
    let text = |item: &'a Value| item.as_str().ok_or_else(|| wrong_type(&format!("{path}/{key}"), "a list of texts"));
    list(object, key, path)?.iter().map(text).collect()
}

fn wrong_type(path: &str, expected: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("the SBOM has at `{path}` something else than {expected}; write it anew"))
        .with("path", path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_components_count_and_keep_their_order() {
        let bom = br#"{"bomFormat":"CycloneDX","specVersion":"1.4","metadata":{"component":{"name":"app"}},
            "components":[{"name":"a","components":[{"name":"b"},{"name":"c"}]},
                          {"name":"d","licenses":[{"license":{"id":"MIT"}},{"expression":"A OR B"}]}]}"#;
        let summary = read(bom).unwrap();
        let names: Vec<_> = summary.components.iter().map(|c| &*c.name).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(summary.component_count, 4);
        assert_eq!(summary.components[3].licenses, ["MIT", "A OR B"]);
        assert_eq!(summary.subject.unwrap().name, "app");
    }

    #[test]
    fn what_is_no_sbom_of_a_known_version_is_refused() {
        for (bytes, code) in [
            (&br#"{"spdxVersion":"SPDX-2.0"}"#[..], "UNSUPPORTED"),
            (br#"{"spdxVersion":"SPDX-2.3","packages":[{}]}"#, "MALFORMED"),
            (br#"{"spdxVersion":"SPDX-2.3","bomFormat":"CycloneDX","specVersion":"1.6"}"#, "MALFORMED"),
            (br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"name":1}]}"#, "MALFORMED"),
            (br#"{"bomFormat":"CycloneDX"}"#, "UNSUPPORTED"),
            (br#"{"bomFormat":"CycloneDX","specVersion":"1.3"}"#, "UNSUPPORTED"),
            (br#"{"bomFormat":"CycloneDX","specVersion":"2.0"}"#, "UNSUPPORTED"),
            (br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{}]}"#, "MALFORMED"),
            (br#"{"bomFormat":"CycloneDX","specVersion":"1.6","specVersion":"1.6"}"#, "MALFORMED"),
            (br#"{"bomFormat":"CycloneDX","specVersion":"1.6","compo"#, "MALFORMED"),
            (b"<bom/>", "MALFORMED"),
            (b"", "MALFORMED"),
        ] {
            assert_eq!(read(bytes).unwrap_err().code(), code, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
