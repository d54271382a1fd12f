//! Conversion between CycloneDX and SPDX 2.3, which says what could not be carried over.

use std::collections::BTreeMap;

use serde::Serialize;

use super::document::{Document, Format, short};
use super::{to_cyclonedx, to_spdx};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::timestamp::Timestamp;

pub(super) type Map = serde_json::Map<String, Value>;

/// What an SBOM is converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// CycloneDX as JSON: 1.6, or of a CycloneDX XML document the same version.
    CycloneDx,
    /// SPDX 2.3 as JSON, or of a tag-value document the same version.
    Spdx,
}

impl std::str::FromStr for Target {
    type Err = Error;

    /// # Errors
    /// `MALFORMED` for anything but `cyclonedx` and `spdx`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "cyclonedx" => Ok(Self::CycloneDx),
            "spdx" => Ok(Self::Spdx),
            _ => Err(Error::new(
                ErrorKind::Malformed,
                format!("expected `cyclonedx` or `spdx`, found `{}`", short(text)),
            )),
        }
    }
}

/// A converted SBOM.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Conversion {
    /// What was made.
    pub document: Document,
    /// What of the source is not in it, in the order of the source.
    pub lost: Vec<Loss>,
}

/// A part of an SBOM that a conversion could not carry over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Loss {
    /// Where it stands in the source, as a JSON pointer into [`Document::json`].
    pub path: String,
    /// Why it was left.
    pub reason: String,
}

/// Converts an SBOM to another format.
///
/// Names that hold only within a document (`bom-ref`, `SPDXID`) are made anew. The same source gives the same document.
/// `created` is when it was made, which SPDX demands: without it, the time that the source says.
///
/// ```
/// use sealwright::sbom::{Document, Target, convert};
/// let bom = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","metadata":{"timestamp":"2026-11-21T09:30:00Z"},
///     "components":[{"type":"library","name":"a","version":"1.0.0","tags":["x"]}]}"#;
/// let converted = convert(&Document::parse(bom)?, Target::Spdx, None)?;
/// let subject = converted.document.summary()?.subject;
/// assert_eq!(subject.and_then(|s| s.version).as_deref(), Some("1.0.0"), "it is all that the document describes");
/// assert_eq!(converted.lost[0].path, "/components/0/tags");
/// # Ok::<(), sealwright::Error>(())
/// ```
///
/// # Errors
/// `UNSUPPORTED` for SPDX 3.0 and for a document that is in the target's format already; `API_MISUSE` if no time is
/// known; `MALFORMED` if the source is not what its format demands in a part that is carried over.
pub fn convert(document: &Document, target: Target, created: Option<Timestamp>) -> Result<Conversion> {
    let (json, mut lost) = match (document.format(), target) {
        (Format::CycloneDxXml, Target::CycloneDx) | (Format::SpdxTagValue, Target::Spdx) => {
            (document.json().clone(), left_out(document))
        }
        (Format::CycloneDxJson | Format::CycloneDxXml, Target::Spdx) => {
            let mut lost = left_out(document);
            let (json, more) = to_spdx::convert(document, created)?;
            lost.extend(more);
            (json, lost)
        }
        (Format::SpdxJson | Format::SpdxTagValue, Target::CycloneDx) => {
            let mut lost = left_out(document);
            let (json, more) = to_cyclonedx::convert(document, created)?;
            lost.extend(more);
            (json, lost)
        }
        (format, _) => {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("{} {} is not converted to that format", format.name(), document.version()),
            ));
        }
    };
    lost.dedup();
    Ok(Conversion { document: Document::from_json(&json)?, lost })
}

/// What the JSON form of an XML or tag-value document lacks.
fn left_out(document: &Document) -> Vec<Loss> {
    let left = document.left.iter().chain(&document.faults);
    left.map(|(path, reason)| Loss { path: path.clone(), reason: reason.clone() }).collect()
}

/// An object of the source, of which all that is taken is carried over.
pub(super) struct Source {
    map: Map,
    pub(super) path: String,
}

impl Source {
    pub(super) fn new(value: &Value, path: impl Into<String>) -> Result<Self> {
        let path = path.into();
        match value {
            Value::Object(map) => Ok(Self { map: map.clone(), path }),
            _ => Err(wrong(&path, "an object")),
        }
    }

    /// Takes a text.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.map.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(&format!("{}/{key}", self.path), "a text")),
        }
    }

    /// Takes a list.
    pub(super) fn list(&mut self, key: &str) -> Result<Vec<Value>> {
        match self.map.remove(key) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(wrong(&format!("{}/{key}", self.path), "a list")),
        }
    }

    /// Takes the objects of a list.
    pub(super) fn objects(&mut self, key: &str) -> Result<Vec<Self>> {
        let path = format!("{}/{key}", self.path);
        self.list(key)?.iter().enumerate().map(|(n, item)| Self::new(item, format!("{path}/{n}"))).collect()
    }

    /// Takes the texts of a list.
    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>> {
        let path = format!("{}/{key}", self.path);
        let items = self.list(key)?.into_iter();
        items.map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong(&path, "a list of texts"))).collect()
    }

    /// Takes an object.
    pub(super) fn object(&mut self, key: &str) -> Result<Option<Self>> {
        let path = format!("{}/{key}", self.path);
        self.map.remove(key).filter(|v| !v.is_null()).map(|value| Self::new(&value, path)).transpose()
    }

    /// Takes whatever it is.
    pub(super) fn value(&mut self, key: &str) -> Option<Value> {
        self.map.remove(key)
    }

    /// Tells all that was not taken.
    pub(super) fn leave(self, lost: &mut Vec<Loss>, reason: &str) {
        for key in self.map.keys() {
            let key = key.replace('~', "~0").replace('/', "~1");
            lost.push(Loss { path: format!("{}/{key}", self.path), reason: reason.to_owned() });
        }
    }

    /// Tells that the part `key` was not carried over.
    pub(super) fn lose(&self, key: &str, lost: &mut Vec<Loss>, reason: impl Into<String>) {
        lost.push(Loss { path: format!("{}/{key}", self.path), reason: reason.into() });
    }
}

fn wrong(path: &str, expected: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("the SBOM has at `{path}` something else than {expected}; validate it first"),
    )
    .with("path", path)
}

/// The time a converted document was made, to the second, as SPDX writes it.
pub(super) fn created(given: Option<Timestamp>, told: Option<&str>) -> Result<String> {
    let time = match (given, told) {
        (Some(time), _) => time,
        (None, Some(told)) => told.parse().or_else(|_| with_offset(told)).map_err(|_: Error| {
            Error::new(ErrorKind::Malformed, format!("the SBOM's time `{}` is none; give one", short(told)))
        })?,
        (None, None) => {
            return Err(Error::new(ErrorKind::ApiMisuse, "the SBOM says no time that it was made; give one"));
        }
    };
    let text = time.to_string();
    let seconds = text.split(['.', 'Z']).next().unwrap_or_default();
    Ok(format!("{seconds}Z"))
}

/// A time with an offset from UTC, as CycloneDX lets it be written.
fn with_offset(text: &str) -> Result<Timestamp> {
    let time: jiff::Timestamp = text
        .parse()
        .map_err(|e| Error::new(ErrorKind::Malformed, format!("`{}` is no time", short(text))).caused_by(e))?;
    Timestamp::from_unix_millis(time.as_millisecond())
}

/// A UUID that is the same for the same bytes (RFC 9562, version 8), as a URN.
pub(super) fn uuid_of(bytes: &[u8]) -> String {
    let hex = Digest::sha256(bytes).hex();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("urn:uuid:{}-{}-8{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// Names that are given once each, with how often each was asked for.
#[derive(Default)]
pub(super) struct Names(BTreeMap<String, usize>);

impl Names {
    /// `wanted`, or with a number behind it if it is taken.
    pub(super) fn give(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        while self.0.contains_key(&name) {
            let asked = self.0.entry(wanted.to_owned()).or_insert(1);
            *asked += 1;
            name = format!("{wanted}-{asked}");
        }
        self.0.insert(name.clone(), 1);
        name
    }
}

/// Algorithms by their CycloneDX and SPDX 2.3 names.
pub(super) const ALGORITHMS: [(&str, &str); 12] = [
    ("MD5", "MD5"),
    ("SHA-1", "SHA1"),
    ("SHA-256", "SHA256"),
    ("SHA-384", "SHA384"),
    ("SHA-512", "SHA512"),
    ("SHA3-256", "SHA3-256"),
    ("SHA3-384", "SHA3-384"),
    ("SHA3-512", "SHA3-512"),
    ("BLAKE2b-256", "BLAKE2b-256"),
    ("BLAKE2b-384", "BLAKE2b-384"),
    ("BLAKE2b-512", "BLAKE2b-512"),
    ("BLAKE3", "BLAKE3"),
];

/// Types of components by their CycloneDX and SPDX 2.3 names.
pub(super) const TYPES: [(&str, &str); 8] = [
    ("application", "APPLICATION"),
    ("container", "CONTAINER"),
    ("device", "DEVICE"),
    ("file", "FILE"),
    ("firmware", "FIRMWARE"),
    ("framework", "FRAMEWORK"),
    ("library", "LIBRARY"),
    ("operating-system", "OPERATING_SYSTEM"),
];
