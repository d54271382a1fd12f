//! An SBOM as somebody wrote it, in any format that is read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::schema::{self, Schema};
use super::summary::{Summary, unsupported};
use super::{cyclonedx_xml, tag_value, xml};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;
use crate::statement::Statement;

const CYCLONEDX_NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";
const SPDX_3_CONTEXT: &str = "https://spdx.org/rdf/3.";

/// The formats that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Format {
    /// CycloneDX 1.4 to 1.7 as JSON.
    #[serde(rename = "CycloneDX JSON")]
    CycloneDxJson,
    /// CycloneDX 1.4 to 1.7 as XML.
    #[serde(rename = "CycloneDX XML")]
    CycloneDxXml,
    /// SPDX 2.2 and 2.3 as JSON.
    #[serde(rename = "SPDX JSON")]
    SpdxJson,
    /// SPDX 2.2 and 2.3 as tag-value text.
    #[serde(rename = "SPDX tag-value")]
    SpdxTagValue,
    /// SPDX 3.0 as JSON-LD.
    #[serde(rename = "SPDX JSON-LD")]
    SpdxJsonLd,
}

impl Format {
    /// Its name: `CycloneDX JSON`, `CycloneDX XML`, `SPDX JSON`, `SPDX tag-value` or `SPDX JSON-LD`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CycloneDxJson => "CycloneDX JSON",
            Self::CycloneDxXml => "CycloneDX XML",
            Self::SpdxJson => "SPDX JSON",
            Self::SpdxTagValue => "SPDX tag-value",
            Self::SpdxJsonLd => "SPDX JSON-LD",
        }
    }

    /// Whether it is one of CycloneDX.
    pub fn is_cyclonedx(self) -> bool {
        matches!(self, Self::CycloneDxJson | Self::CycloneDxXml)
    }

    /// Whether documents of it are JSON, and can be written again after an edit.
    pub fn is_json(self) -> bool {
        matches!(self, Self::CycloneDxJson | Self::SpdxJson | Self::SpdxJsonLd)
    }
}

/// An SBOM: its bytes as they were given, and its content as JSON.
///
/// The bytes are never changed. [`Document::summary`] is derived from the content, and so is what is validated, so that
/// nothing that a format holds is lost on the way through, known or not. An edit gives another document.
///
/// ```
/// use sealwright::sbom::{Document, Format};
/// let document = Document::parse(b"SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nPackageName: a\n")?;
/// assert_eq!(document.format(), Format::SpdxTagValue);
/// assert_eq!(document.summary()?.components[0].name, "a");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Document {
    format: Format,
    version: String,
    bytes: Vec<u8>,
    json: Value,
    /// Where the parts of `json` stand in XML and tag-value files.
    pub(super) places: Places,
    /// What is wrong beside what the JSON form shows, as path and message.
    pub(super) faults: Vec<(String, String)>,
    /// What the JSON form has no place for, as path and reason.
    pub(super) left: Vec<(String, String)>,
}

impl Document {
    /// Reads an SBOM; its content alone says which format it is of.
    ///
    /// It need not be valid: [`super::validate`] tells that.
    ///
    /// # Errors
    /// `MALFORMED` for what is no SBOM, is cut, is not strict JSON or sound XML, has a document type or entities of its
    /// own, or claims to be of two formats; `UNSUPPORTED` for a version or an encoding that is not read;
    /// `LIMIT_EXCEEDED` if it is over [`limits::SBOM_BYTES`] or [`limits::SBOM_VALUES`], or nested too deep.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > limits::SBOM_BYTES {
            return Err(too_much(format_args!("{} bytes", limits::SBOM_BYTES)));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            return Err(encoding("UTF-16"));
        }
        let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        match text.iter().find(|b| !b.is_ascii_whitespace()) {
            Some(b'{' | b'[') => {
                check_values(text)?;
                Self::of_json(bytes, json::parse("SBOM", text)?)
            }
            Some(b'<') => Self::from_xml(bytes, text),
            _ => Self::from_tag_value(bytes, text),
        }
    }

    /// The SBOM that is the predicate of a statement, whose JSON was checked as a whole.
    pub(super) fn of_statement(statement: &Statement) -> Result<Self> {
        let bytes = statement.predicate_bytes();
        if bytes.len() as u64 > limits::SBOM_BYTES {
            return Err(too_much(format_args!("{} bytes", limits::SBOM_BYTES)));
        }
        check_values(bytes)?;
        Self::of_json(bytes, json::parse_checked("SBOM", bytes)?)
    }

    fn of_json(bytes: &[u8], json: Value) -> Result<Self> {
        let (format, version) = recognise(&json)?;
        let (places, faults, left) = Default::default();
        Ok(Self { format, version, bytes: bytes.to_vec(), json, places, faults, left })
    }

    fn from_xml(bytes: &[u8], text: &[u8]) -> Result<Self> {
        let start = String::from_utf8_lossy(text.get(..text.len().min(200)).unwrap_or_default());
        if let Some(name) = declared_encoding(&start)
            && !["utf-8", "us-ascii", "ascii"].contains(&&*name.to_ascii_lowercase())
        {
            return Err(encoding(name));
        }
        let text = utf8(text)?;
        // each has a start and an end, but for empty ones
        if text.bytes().filter(|b| *b == b'<').count() > limits::SBOM_VALUES {
            return Err(too_much(format_args!("{} tags", limits::SBOM_VALUES)));
        }
        let root = xml::read("SBOM", text)?;
        let version = root.namespace.strip_prefix(CYCLONEDX_NAMESPACE).filter(|_| root.name == "bom");
        let Some(version) = version else {
            return Err(unknown(format_args!("an XML element `{}`", short(&root.name))));
        };
        let schema =
            schema::cyclonedx(version).ok_or_else(|| unsupported("CycloneDX", version, "1.4 to 1.7 are read"))?;
        let form = cyclonedx_xml::to_json(&root, version, schema)?;
        let (format, version) = (Format::CycloneDxXml, version.to_owned());
        Ok(Self::of_form(format, version, bytes, form))
    }

    fn from_tag_value(bytes: &[u8], text: &[u8]) -> Result<Self> {
        let text = utf8(text)?;
        if !tag_value::is_one(text) {
            let found = if text.trim().is_empty() { "nothing" } else { "something else" };
            return Err(unknown(format_args!("{found}")));
        }
        if text.lines().count() > limits::SBOM_VALUES {
            return Err(too_much(format_args!("{} lines", limits::SBOM_VALUES)));
        }
        let form = tag_value::to_json(text)?;
        let (_, version) = recognise(&form.json)?;
        Ok(Self::of_form(Format::SpdxTagValue, version, bytes, form))
    }

    fn of_form(format: Format, version: String, bytes: &[u8], form: JsonForm) -> Self {
        let JsonForm { json, places, faults, left } = form;
        Self { format, version, bytes: bytes.to_vec(), json, places, faults, left }
    }

    /// The format it is of.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The version of that format: `1.4` to `1.7` of CycloneDX, `2.2`, `2.3`, `3.0.0` or `3.0.1` of SPDX.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The bytes as they were given.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All its content as JSON: that of a JSON document as it stands, else the JSON form of the same version.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// What it holds, in one view for all formats.
    ///
    /// # Errors
    /// `MALFORMED` if a part that the view shows is of another type than its format demands, or a component has no name.
    pub fn summary(&self) -> Result<Summary> {
        let summary = self.lenient_summary()?;
        if let Some(component) = summary.subject.iter().chain(&summary.components).find(|c| c.name.is_empty()) {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("the component at `{}` has no name; give each one", component.path),
            ));
        }
        Ok(summary)
    }

    /// This document with an edit of its content, and bytes of its own. What the edit leaves is as it was; numbers
    /// beyond the precision of a double are rounded.
    ///
    /// # Errors
    /// `UNSUPPORTED` if it is no JSON document; otherwise as [`Document::parse`].
    pub fn edited(&self, edit: impl FnOnce(&mut Value)) -> Result<Self> {
        if !self.format.is_json() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} is read and not written; convert the SBOM to JSON first", self.format.name()),
            ));
        }
        let mut json = self.json.clone();
        edit(&mut json);
        Self::from_json(&json)
    }

    /// The document that is written for `json`.
    pub(super) fn from_json(json: &Value) -> Result<Self> {
        let mut bytes = serde_json::to_vec_pretty(json)
            .map_err(|e| Error::new(ErrorKind::Internal, format!("the SBOM can't be written: {e}")).caused_by(e))?;
        bytes.push(b'\n');
        Self::parse(&bytes)
    }

    /// Whether it tells any relation of parts of SPDX, whatever its kind.
    pub(super) fn relates(&self) -> bool {
        self.json.get("relationships").and_then(Value::as_array).is_some_and(|rows| !rows.is_empty())
    }

    /// Its schema.
    pub(super) fn schema(&self) -> Result<&'static Schema> {
        if self.format.is_cyclonedx() {
            return schema::cyclonedx(&self.version)
                .ok_or_else(|| unsupported("CycloneDX", &self.version, "1.4 to 1.7 are validated"));
        }
        schema::spdx(&self.version).ok_or_else(|| unsupported("SPDX", &self.version, "2.3 and 3.0.1 are validated"))
    }
}

impl Serialize for Document {
    /// As its text.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(&self.bytes))
    }
}

/// Format and version of a JSON document.
fn recognise(json: &Value) -> Result<(Format, String)> {
    let context = json.get("@context");
    let contexts = || context.into_iter().chain(context.and_then(Value::as_array).into_iter().flatten());
    let spdx_3 = contexts().filter_map(Value::as_str).find_map(|c| c.strip_prefix(SPDX_3_CONTEXT));
    match (json.get("bomFormat"), json.get("spdxVersion"), spdx_3) {
        (Some(format), None, None) => {
            if format != "CycloneDX" {
                return Err(unknown(format_args!("a `bomFormat` that is not `CycloneDX`")));
            }
            let version = json.get("specVersion").and_then(Value::as_str).unwrap_or_default();
            if schema::cyclonedx(version).is_none() {
                return Err(unsupported("CycloneDX", version, "1.4 to 1.7 are read"));
            }
            Ok((Format::CycloneDxJson, version.to_owned()))
        }
        (None, Some(version), None) => {
            let version = version.as_str().and_then(|v| v.strip_prefix("SPDX-")).unwrap_or_default();
            if !["2.2", "2.3"].contains(&version) {
                return Err(unsupported("SPDX", version, "2.2, 2.3, 3.0.0 and 3.0.1 are read"));
            }
            Ok((Format::SpdxJson, version.to_owned()))
        }
        (None, None, Some(rest)) => {
            let patch = rest.split('/').next().unwrap_or_default();
            if !["0.0", "0.1"].contains(&patch) {
                return Err(unsupported("SPDX", &format!("3.{patch}"), "2.2, 2.3, 3.0.0 and 3.0.1 are read"));
            }
            Ok((Format::SpdxJsonLd, format!("3.{patch}")))
        }
        (None, None, None) => Err(unknown(format_args!("another JSON document"))),
        _ => Err(unknown(format_args!("a document that claims to be of two formats"))),
    }
}

/// An XML or tag-value document as JSON.
pub(super) struct JsonForm {
    pub(super) json: Value,
    pub(super) places: Places,
    /// What is wrong with the notation, as path and message.
    pub(super) faults: Vec<(String, String)>,
    /// What the JSON form has no place for, as path and reason.
    pub(super) left: Vec<(String, String)>,
}

/// Lines of the source by JSON pointer, and names of elements.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(BTreeMap<String, (String, usize)>);

impl Places {
    pub(super) fn note(&mut self, path: &str, element: &str, line: usize) {
        self.0.entry(path.to_owned()).or_insert_with(|| (element.to_owned(), line));
    }

    /// Where `path` stands, or else the nearest part around it.
    pub(super) fn find(&self, path: &str) -> Option<String> {
        let mut path = path;
        loop {
            if let Some((element, line)) = self.0.get(path) {
                let of =
                    if element.is_empty() { String::new() } else { format!(", element `{}`", element.escape_debug()) };
                return Some(format!("line {line}{of}"));
            }
            path = path.rsplit_once('/')?.0;
        }
    }
}

fn declared_encoding(start: &str) -> Option<&str> {
    let declaration = start.trim_start().strip_prefix("<?xml")?.split("?>").next()?;
    let value = declaration.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next()?;
    value.get(1..)?.split(quote).next()
}

/// Refuses more JSON values than are read.
fn check_values(text: &[u8]) -> Result<()> {
    // each value but the first follows one of these
    let values = text.iter().filter(|b| matches!(b, b',' | b'[' | b'{')).count();
    if values > limits::SBOM_VALUES {
        return Err(too_much(format_args!("{} values", limits::SBOM_VALUES)));
    }
    Ok(())
}

fn utf8(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("the SBOM is not UTF-8: {e}; write it in that")).caused_by(e)
    })
}

fn encoding(name: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the SBOM is in the encoding `{}`; only UTF-8 is read, so write it in that", short(name)),
    )
}

fn too_much(what: std::fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("the SBOM has more than {what}; split it"))
}

fn unknown(found: std::fmt::Arguments<'_>) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!(
            "expected an SBOM, found {found}; CycloneDX 1.4 to 1.7 is read as JSON and XML, SPDX 2.2 and 2.3 as JSON and \
             tag-value, SPDX 3.0 as JSON-LD"
        ),
    )
}

/// The start of `text`, for messages.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    text.chars().take(40).collect::<String>().escape_debug().to_string().into()
}
