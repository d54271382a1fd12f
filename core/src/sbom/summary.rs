//! The view of a CycloneDX BOM that policies look at.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// Versions of CycloneDX JSON that are read.
const VERSIONS: [&str; 4] = ["1.4", "1.5", "1.6", "1.7"];

/// What a BOM holds, whoever wrote it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Summary {
    /// Always `CycloneDX`.
    pub format: String,
    /// The version of the format, `1.4` to `1.7`.
    pub spec_version: String,
    /// What the BOM is about, if it says so.
    pub subject: Option<ComponentSummary>,
    /// Number of components, nested ones included, the subject not.
    pub component_count: usize,
    /// The components, nested ones after the one they stand in.
    pub components: Vec<ComponentSummary>,
}

impl Summary {
    /// Whether the BOM is an inventory at all: it lists a component.
    pub fn is_usable(&self) -> bool {
        self.component_count > 0
    }
}

/// One component, as far as policies ask.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ComponentSummary {
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
    /// Package url, as it stands.
    pub purl: Option<String>,
    /// `required`, `optional` or `excluded`; not said means required.
    pub scope: Option<String>,
    /// Licences: ids, expressions and names, as they stand.
    pub licenses: Vec<String>,
    /// Hashes as `algorithm` and `content`, as they stand.
    pub hashes: Vec<(String, String)>,
}

/// Reads a CycloneDX JSON document of version 1.4 to 1.7, whatever else it holds.
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
/// `MALFORMED` if it is no strict JSON or no CycloneDX, `UNSUPPORTED` for another version, `LIMIT_EXCEEDED` if it is
/// nested too deep.
pub fn read(bytes: &[u8]) -> Result<Summary> {
    let wire: Wire = json::parse("SBOM", bytes)?;
    if wire.bom_format.as_deref() != Some("CycloneDX") {
        return Err(Error::new(
            ErrorKind::Malformed,
            "the document has no `bomFormat` of `CycloneDX`; give a CycloneDX BOM as JSON",
        ));
    }
    let spec_version = wire.spec_version.unwrap_or_default();
    if !VERSIONS.contains(&&*spec_version) {
        return Err(unsupported(&spec_version, "1.4 to 1.7 are read"));
    }
    let mut components = Vec::new();
    let mut open: Vec<WireComponent> = wire.components.unwrap_or_default();
    open.reverse();
    while let Some(mut component) = open.pop() {
        open.extend(component.components.take().unwrap_or_default().into_iter().rev());
        components.push(component.into());
    }
    Ok(Summary {
        format: "CycloneDX".to_owned(),
        spec_version,
        subject: wire.metadata.and_then(|m| m.component).map(ComponentSummary::from),
        component_count: components.len(),
        components,
    })
}

/// The error for a BOM of another version than those this library takes.
pub(super) fn unsupported(spec_version: &str, taken: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the BOM is of CycloneDX version `{}`; {taken}", spec_version.escape_debug()),
    )
    .with("found", spec_version)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    bom_format: Option<String>,
    spec_version: Option<String>,
    metadata: Option<WireMetadata>,
    components: Option<Vec<WireComponent>>,
}

#[derive(Deserialize)]
struct WireMetadata {
    component: Option<WireComponent>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WireComponent {
    #[serde(rename = "type")]
    kind: Option<String>,
    bom_ref: Option<String>,
    group: Option<String>,
    name: String,
    version: Option<String>,
    purl: Option<String>,
    scope: Option<String>,
    licenses: Option<Vec<WireLicense>>,
    hashes: Option<Vec<WireHash>>,
    components: Option<Vec<WireComponent>>,
}

#[derive(Deserialize)]
struct WireLicense {
    expression: Option<String>,
    license: Option<WireLicenseName>,
}

#[derive(Deserialize)]
struct WireLicenseName {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct WireHash {
    alg: String,
    content: String,
}

impl From<WireComponent> for ComponentSummary {
    fn from(wire: WireComponent) -> Self {
        let license = |l: WireLicense| l.expression.or_else(|| l.license.and_then(|l| l.id.or(l.name)));
        Self {
            kind: wire.kind,
            bom_ref: wire.bom_ref,
            group: wire.group,
            name: wire.name,
            version: wire.version,
            purl: wire.purl,
            scope: wire.scope,
            licenses: wire.licenses.unwrap_or_default().into_iter().filter_map(license).collect(),
            hashes: wire.hashes.unwrap_or_default().into_iter().map(|h| (h.alg, h.content)).collect(),
        }
    }
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
    fn what_is_no_cyclonedx_of_a_known_version_is_refused() {
        for (bytes, code) in [
            (&br#"{"spdxVersion":"SPDX-2.3"}"#[..], "MALFORMED"),
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
