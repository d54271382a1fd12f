//! What the SPDX 2.3 schema can't say.

use std::collections::HashSet;

use super::spdx_view::DOCUMENT;
use super::validation::{Findings, Rule, cycle, hash_fault, license_fault, purl_fault};
use crate::json::Value;
use crate::timestamp::Timestamp;

/// Relationships in which nothing may reach itself: the parts of a thing, and what it was made from.
const ACYCLIC: [(&str, &str); 3] =
    [("CONTAINS", "CONTAINED_BY"), ("ANCESTOR_OF", "DESCENDANT_OF"), ("GENERATES", "GENERATED_FROM")];

/// Keys that hold licence expressions, one or a list of them.
const LICENSES: [&str; 5] =
    ["licenseConcluded", "licenseDeclared", "licenseInfoFromFiles", "licenseInfoInFiles", "licenseInfoInSnippets"];

/// Looks at a document.
pub(super) fn check(document: &Value, findings: &mut Findings) {
    let mut rules = Rules { ids: HashSet::new(), documents: HashSet::new(), licenses: HashSet::new(), findings };
    rules.header(document);
    rules.names(document);
    for list in ["packages", "files", "snippets"] {
        for (n, element) in items(document, list).iter().enumerate() {
            rules.element(element, &format!("/{list}/{n}"));
        }
    }
    rules.relationships(document);
}

struct Rules<'a, 'f> {
    /// `SPDXID` of each element.
    ids: HashSet<&'a str>,
    /// `DocumentRef-…` of each external document.
    documents: HashSet<&'a str>,
    /// `LicenseRef-…` of each extracted licence.
    licenses: HashSet<&'a str>,
    findings: &'f mut Findings,
}

impl<'a> Rules<'a, '_> {
    /// Chapter 6 of the specification.
    fn header(&mut self, document: &Value) {
        let text = |key: &str| document.get(key).and_then(Value::as_str);
        let mut form = |path: &str, sound: bool, expected: &str| {
            if !sound {
                self.findings.tell(Rule::Form, path, format_args!("expected {expected}"));
            }
        };
        form("/dataLicense", text("dataLicense").is_none_or(|l| l == "CC0-1.0"), "`CC0-1.0`");
        form("/SPDXID", text("SPDXID").is_none_or(|id| id == DOCUMENT), "`SPDXRef-DOCUMENT`");
        let namespace = text("documentNamespace");
        let sound = namespace.is_some_and(|n| n.contains(':') && !n.contains(['#', ' ']));
        form("/documentNamespace", sound, "a URI without a fragment that no other document has");
        let creation = document.get("creationInfo");
        if let Some(created) = creation.and_then(|c| c.get("created")?.as_str()) {
            form("/creationInfo/created", is_time(created), "a UTC time as `YYYY-MM-DDThh:mm:ssZ`");
        }
        let creators = creation.and_then(|c| c.get("creators")?.as_array()).map(Vec::as_slice).unwrap_or_default();
        for (n, creator) in creators.iter().enumerate() {
            let kinds = ["Person:", "Organization:", "Tool:"];
            let sound = creator.as_str().is_none_or(|c| kinds.iter().any(|kind| c.starts_with(kind)));
            form(&format!("/creationInfo/creators/{n}"), sound, "`Person: …`, `Organization: …` or `Tool: …`");
        }
    }

    /// Collects what may be referred to.
    fn names(&mut self, document: &'a Value) {
        let own = document.get("SPDXID").and_then(Value::as_str).map(|id| (String::new(), id));
        let mut ids: Vec<(String, &'a str)> = own.into_iter().collect();
        for list in ["packages", "files", "snippets"] {
            let elements = items(document, list).iter().enumerate();
            ids.extend(elements.filter_map(|(n, e)| Some((format!("/{list}/{n}"), e.get("SPDXID")?.as_str()?))));
        }
        for (path, id) in ids {
            let tail = id.strip_prefix("SPDXRef-").unwrap_or_default();
            if tail.is_empty() || !tail.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b)) {
                let message =
                    format_args!("`{}` is not `SPDXRef-` with letters, digits, `.` and `-`", id.escape_debug());
                self.findings.tell(Rule::Form, &format!("{path}/SPDXID"), message);
            }
            if !self.ids.insert(id) {
                let message = format_args!("the SPDXID `{}` stands twice", id.escape_debug());
                self.findings.tell(Rule::UniqueRef, &path, message);
            }
        }
        for (list, key) in [("externalDocumentRefs", "externalDocumentId"), ("hasExtractedLicensingInfos", "licenseId")]
        {
            for (n, row) in items(document, list).iter().enumerate() {
                let Some(id) = row.get(key).and_then(Value::as_str) else { continue };
                let known = if key == "licenseId" { &mut self.licenses } else { &mut self.documents };
                if !known.insert(id) {
                    let message = format_args!("`{}` stands twice", id.escape_debug());
                    self.findings.tell(Rule::UniqueRef, &format!("/{list}/{n}/{key}"), message);
                }
                if let Some(checksum) = row.get("checksum") {
                    self.checksum(checksum, &format!("/{list}/{n}/checksum"));
                }
            }
        }
    }

    fn element(&mut self, element: &Value, path: &str) {
        for (n, sum) in items(element, "checksums").iter().enumerate() {
            self.checksum(sum, &format!("{path}/checksums/{n}"));
        }
        for key in LICENSES {
            match element.get(key) {
                Some(Value::String(text)) => self.license(text, &format!("{path}/{key}")),
                Some(Value::Array(texts)) => {
                    for (n, text) in texts.iter().enumerate() {
                        let text = text.as_str().unwrap_or_default();
                        self.license(text, &format!("{path}/{key}/{n}"));
                    }
                }
                _ => {}
            }
        }
        for (n, reference) in items(element, "externalRefs").iter().enumerate() {
            if reference.get("referenceType").is_some_and(|t| t == "purl")
                && let Some(purl) = reference.get("referenceLocator").and_then(Value::as_str)
            {
                let path = format!("{path}/externalRefs/{n}/referenceLocator");
                self.findings.fault(Rule::Purl, &path, purl_fault(purl));
            }
        }
        for key in ["supplier", "originator"] {
            let Some(text) = element.get(key).and_then(Value::as_str) else { continue };
            let sound = text == "NOASSERTION" || ["Person:", "Organization:"].iter().any(|kind| text.starts_with(kind));
            if !sound {
                let expected = format_args!("expected `Person: …`, `Organization: …` or `NOASSERTION`");
                self.findings.tell(Rule::Form, &format!("{path}/{key}"), expected);
            }
        }
        for key in ["releaseDate", "builtDate", "validUntilDate"] {
            if element.get(key).and_then(Value::as_str).is_some_and(|time| !is_time(time)) {
                let expected = format_args!("expected a UTC time as `YYYY-MM-DDThh:mm:ssZ`");
                self.findings.tell(Rule::Form, &format!("{path}/{key}"), expected);
            }
        }
        if element.get("filesAnalyzed").is_some_and(|f| f == false) {
            for key in ["packageVerificationCode", "licenseInfoFromFiles"] {
                if element.get(key).is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty())) {
                    let message = format_args!("`{key}` stands beside a `filesAnalyzed` of false");
                    self.findings.tell(Rule::Form, &format!("{path}/{key}"), message);
                }
            }
        }
        for key in ["hasFiles", "snippetFromFile"] {
            let one = element.get(key).into_iter();
            for end in one.flat_map(|v| v.as_array().map_or(std::slice::from_ref(v), Vec::as_slice)) {
                self.end(end, &format!("{path}/{key}"));
            }
        }
    }

    fn checksum(&mut self, sum: &Value, path: &str) {
        let part = |key: &str| sum.get(key).and_then(Value::as_str);
        if let (Some(algorithm), Some(value)) = (part("algorithm"), part("checksumValue")) {
            self.findings.fault(Rule::HashLength, &format!("{path}/checksumValue"), hash_fault(algorithm, value));
        }
    }

    /// An expression, and the licences of the document that it names.
    fn license(&mut self, text: &str, path: &str) {
        if matches!(text, "NONE" | "NOASSERTION") {
            return;
        }
        self.findings.fault(Rule::License, path, license_fault(text));
        for name in text.split(|c: char| c.is_whitespace() || "()".contains(c)) {
            if name.starts_with("LicenseRef-") && !self.licenses.contains(name.trim_end_matches('+')) {
                let message = format_args!("`{}` is no licence of this document", name.escape_debug());
                self.findings.tell(Rule::KnownRef, path, message);
            }
        }
    }

    fn relationships(&mut self, document: &'a Value) {
        for (n, id) in items(document, "documentDescribes").iter().enumerate() {
            self.end(id, &format!("/documentDescribes/{n}"));
        }
        let rows = items(document, "relationships");
        let text = |row: &'a Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default();
        for (n, row) in rows.iter().enumerate() {
            for key in ["spdxElementId", "relatedSpdxElement"] {
                let path = format!("/relationships/{n}/{key}");
                let Some(end) = row.get(key) else { continue };
                let open = key == "relatedSpdxElement" && (end == "NONE" || end == "NOASSERTION");
                if !open {
                    self.end(end, &path);
                }
            }
        }
        for (down, up) in ACYCLIC {
            let edges = rows.iter().filter_map(|row| {
                let (from, to) = (text(row, "spdxElementId"), text(row, "relatedSpdxElement"));
                match text(row, "relationshipType") {
                    kind if kind == down => Some((from, to)),
                    kind if kind == up => Some((to, from)),
                    _ => None,
                }
            });
            // the same said from both sides is one edge
            let edges: Vec<_> = edges.collect();
            if let Some(id) = cycle(&edges) {
                let message = format_args!("`{}` leads to itself by `{down}`", id.escape_debug());
                self.findings.tell(Rule::Cycle, "/relationships", message);
            }
        }
    }

    fn end(&mut self, end: &Value, path: &str) {
        let Some(end) = end.as_str() else { return };
        let known = match end.split_once(':') {
            Some((document, _)) => self.documents.contains(document),
            None => self.ids.contains(end),
        };
        if !known {
            let message = format_args!("`{}` is no element of this document", end.escape_debug());
            self.findings.tell(Rule::KnownRef, path, message);
        }
    }
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether `text` is a time as SPDX has it: UTC, without fractions of a second.
fn is_time(text: &str) -> bool {
    text.len() == 20 && text.ends_with('Z') && text.parse::<Timestamp>().is_ok()
}
