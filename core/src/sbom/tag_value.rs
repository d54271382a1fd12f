//! SPDX 2.2 and 2.3 tag-value files, brought to the JSON form of SPDX 2.3 (specification, chapters 6 to 12).

use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::document::{JsonForm, Places};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

/// Where in the JSON document a tag belongs, and what starts such a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Document,
    Package,
    File,
    Snippet,
    License,
    Annotation,
    Relationship,
    Review,
}

/// What the value of a tag becomes.
#[derive(Clone, Copy)]
enum Kind {
    /// A text that starts a new object.
    Start,
    /// A text.
    Text,
    /// A text of `creationInfo`.
    Creation,
    /// An item of a list.
    Item,
    /// `true` or `false`.
    Flag,
    /// `algorithm: value`, an item of `checksums`.
    Checksum,
    /// A value, and maybe `(excludes: …)`.
    VerificationCode,
    /// `category type locator`.
    ExternalRef,
    /// `from:to`, in bytes or lines.
    Range,
    /// `document uri algorithm: value`.
    ExternalDocument,
    /// `element type element`, which starts a relationship.
    Relationship,
}

use Kind::{
    Checksum, Creation, ExternalDocument, ExternalRef, Flag, Item, Range, Relationship, Start, Text, VerificationCode,
};
use Section as S;

const TAGS: &[(&str, Section, &str, Kind)] = &[
    ("SPDXVersion", S::Document, "spdxVersion", Text),
    ("DataLicense", S::Document, "dataLicense", Text),
    ("DocumentName", S::Document, "name", Text),
    ("DocumentNamespace", S::Document, "documentNamespace", Text),
    ("DocumentComment", S::Document, "comment", Text),
    ("ExternalDocumentRef", S::Document, "externalDocumentRefs", ExternalDocument),
    ("LicenseListVersion", S::Document, "licenseListVersion", Creation),
    ("Creator", S::Document, "creators", Creation),
    ("Created", S::Document, "created", Creation),
    ("CreatorComment", S::Document, "comment", Creation),
    ("PackageName", S::Package, "name", Start),
    ("PackageVersion", S::Package, "versionInfo", Text),
    ("PackageFileName", S::Package, "packageFileName", Text),
    ("PackageSupplier", S::Package, "supplier", Text),
    ("PackageOriginator", S::Package, "originator", Text),
    ("PackageDownloadLocation", S::Package, "downloadLocation", Text),
    ("FilesAnalyzed", S::Package, "filesAnalyzed", Flag),
    ("PackageVerificationCode", S::Package, "packageVerificationCode", VerificationCode),
    ("PackageChecksum", S::Package, "checksums", Checksum),
    ("PackageHomePage", S::Package, "homepage", Text),
    ("PackageSourceInfo", S::Package, "sourceInfo", Text),
    ("PackageLicenseConcluded", S::Package, "licenseConcluded", Text),
    ("PackageLicenseInfoFromFiles", S::Package, "licenseInfoFromFiles", Item),
    ("PackageLicenseDeclared", S::Package, "licenseDeclared", Text),
    ("PackageLicenseComments", S::Package, "licenseComments", Text),
    ("PackageCopyrightText", S::Package, "copyrightText", Text),
    ("PackageSummary", S::Package, "summary", Text),
    ("PackageDescription", S::Package, "description", Text),
    ("PackageComment", S::Package, "comment", Text),
    ("PackageAttributionText", S::Package, "attributionTexts", Item),
    ("ExternalRef", S::Package, "externalRefs", ExternalRef),
    ("PrimaryPackagePurpose", S::Package, "primaryPackagePurpose", Text),
    ("ReleaseDate", S::Package, "releaseDate", Text),
    ("BuiltDate", S::Package, "builtDate", Text),
    ("ValidUntilDate", S::Package, "validUntilDate", Text),
    ("FileName", S::File, "fileName", Start),
    ("FileType", S::File, "fileTypes", Item),
    ("FileChecksum", S::File, "checksums", Checksum),
    ("LicenseConcluded", S::File, "licenseConcluded", Text),
    ("LicenseInfoInFile", S::File, "licenseInfoInFiles", Item),
    ("LicenseComments", S::File, "licenseComments", Text),
    ("FileCopyrightText", S::File, "copyrightText", Text),
    ("FileComment", S::File, "comment", Text),
    ("FileNotice", S::File, "noticeText", Text),
    ("FileContributor", S::File, "fileContributors", Item),
    ("FileAttributionText", S::File, "attributionTexts", Item),
    ("FileDependency", S::File, "fileDependencies", Item),
    ("SnippetSPDXID", S::Snippet, "SPDXID", Start),
    ("SnippetFromFileSPDXID", S::Snippet, "snippetFromFile", Text),
    ("SnippetByteRange", S::Snippet, "offset", Range),
    ("SnippetLineRange", S::Snippet, "lineNumber", Range),
    ("SnippetLicenseConcluded", S::Snippet, "licenseConcluded", Text),
    ("LicenseInfoInSnippet", S::Snippet, "licenseInfoInSnippets", Item),
    ("SnippetLicenseComments", S::Snippet, "licenseComments", Text),
    ("SnippetCopyrightText", S::Snippet, "copyrightText", Text),
    ("SnippetComment", S::Snippet, "comment", Text),
    ("SnippetName", S::Snippet, "name", Text),
    ("SnippetAttributionText", S::Snippet, "attributionTexts", Item),
    ("LicenseID", S::License, "licenseId", Start),
    ("ExtractedText", S::License, "extractedText", Text),
    ("LicenseName", S::License, "name", Text),
    ("LicenseCrossReference", S::License, "seeAlsos", Item),
    ("LicenseComment", S::License, "comment", Text),
    ("Annotator", S::Annotation, "annotator", Start),
    ("AnnotationDate", S::Annotation, "annotationDate", Text),
    ("AnnotationType", S::Annotation, "annotationType", Text),
    ("AnnotationComment", S::Annotation, "comment", Text),
    ("SPDXREF", S::Annotation, "SPDXREF", Text),
    ("Relationship", S::Relationship, "", Relationship),
    ("RelationshipComment", S::Relationship, "comment", Text),
    ("Reviewer", S::Review, "reviewer", Start),
    ("ReviewDate", S::Review, "reviewDate", Text),
    ("ReviewComment", S::Review, "comment", Text),
];

/// Whether `text` starts as a tag-value file does: comments, then `SPDXVersion:`.
pub(super) fn is_one(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.starts_with("SPDXVersion:"))
}

/// The JSON form of the file, the line of each part, and what is wrong with the file alone.
///
/// # Errors
/// `MALFORMED` for a line that is no tag, comment or part of a text, and for a text that does not end.
pub(super) fn to_json(text: &str) -> Result<JsonForm> {
    let mut reading = Reading::default();
    let mut lines = text.lines().enumerate();
    while let Some((n, line)) = lines.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (tag, value) = trimmed.split_once(':').ok_or_else(|| no_tag(n, trimmed))?;
        if tag.is_empty() || !tag.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(no_tag(n, trimmed));
        }
        let mut value = value.trim().to_owned();
        if let Some(start) = value.strip_prefix("<text>") {
            let mut whole = start.to_owned();
            let mut ended = start.contains("</text>");
            while !ended {
                let Some((_, more)) = lines.next() else {
                    return Err(malformed(n, "starts a `<text>` that does not end"));
                };
                ended = more.contains("</text>");
                whole.push('\n');
                whole.push_str(more);
            }
            let (inner, rest) = whole.split_once("</text>").unwrap_or((&whole, ""));
            if !rest.trim().is_empty() {
                return Err(malformed(n, "has more after the end of its `<text>`"));
            }
            value = inner.to_owned();
        }
        reading.tag(n + 1, tag, &value)?;
    }
    Ok(reading.end())
}

fn no_tag(line: usize, text: &str) -> Error {
    let start: String = text.chars().take(40).collect();
    malformed(line, format_args!("is no `Tag: value`, but `{}`", start.escape_debug()))
}

fn malformed(line: usize, fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("line {} of the SPDX file {fault}; write it anew", line + 1))
}

#[derive(Default)]
struct Reading {
    document: Map<String, Value>,
    creation: Map<String, Value>,
    packages: Vec<Map<String, Value>>,
    files: Vec<Map<String, Value>>,
    snippets: Vec<Map<String, Value>>,
    licenses: Vec<Map<String, Value>>,
    annotations: Vec<Map<String, Value>>,
    relationships: Vec<Map<String, Value>>,
    reviews: Vec<Map<String, Value>>,
    /// The section that `SPDXID` belongs to.
    element: Option<Section>,
    places: Places,
    faults: Vec<(String, String)>,
}

impl Reading {
    fn section(&mut self, section: Section) -> (Option<&mut Vec<Map<String, Value>>>, &'static str) {
        match section {
            S::Document => (None, ""),
            S::Package => (Some(&mut self.packages), "packages"),
            S::File => (Some(&mut self.files), "files"),
            S::Snippet => (Some(&mut self.snippets), "snippets"),
            S::License => (Some(&mut self.licenses), "hasExtractedLicensingInfos"),
            S::Annotation => (Some(&mut self.annotations), "annotations"),
            S::Relationship => (Some(&mut self.relationships), "relationships"),
            S::Review => (Some(&mut self.reviews), "revieweds"),
        }
    }

    /// The object that a tag of `section` speaks of, and its path.
    fn object(&mut self, section: Section) -> Option<(&mut Map<String, Value>, String)> {
        if section == S::Document {
            return Some((&mut self.document, String::new()));
        }
        let (list, name) = self.section(section);
        let list = list?;
        let n = list.len().checked_sub(1)?;
        list.last_mut().map(|object| (object, format!("/{name}/{n}")))
    }

    fn tag(&mut self, line: usize, tag: &str, value: &str) -> Result<()> {
        if tag == "SPDXID" {
            let section = self.element.unwrap_or(S::Document);
            // a file stands below the package that it is part of (specification 8.1)
            if let (S::File, Some(package)) = (section, self.packages.last_mut()) {
                push(package, "hasFiles", value.into());
            }
            return self.put(line, tag, section, "SPDXID", value.into());
        }
        if tag == "ExternalRefComment" {
            let last = self.packages.last_mut().and_then(|p| p.get_mut("externalRefs")?.as_array_mut()?.last_mut());
            match last.and_then(Value::as_object_mut) {
                Some(reference) => drop(reference.insert("comment".to_owned(), value.into())),
                None => self.fault(line, "", format_args!("`{tag}` follows no `ExternalRef`")),
            }
            return Ok(());
        }
        let Some(&(_, section, key, kind)) = TAGS.iter().find(|(name, ..)| *name == tag) else {
            self.fault(line, "", format_args!("`{tag}` is no tag of SPDX 2.3"));
            return Ok(());
        };
        match kind {
            Start => self.start(line, section, key, value),
            // JSON writes it with an underscore
            Text if key == "primaryPackagePurpose" => {
                return self.put(line, tag, section, key, value.replace('-', "_").into());
            }
            Text => return self.put(line, tag, section, key, value.into()),
            Flag => {
                let flag = match value {
                    "true" => true.into(),
                    "false" => false.into(),
                    // what the schema refuses
                    other => other.into(),
                };
                return self.put(line, tag, section, key, flag);
            }
            Creation if key == "creators" => {
                push(&mut self.creation, key, value.into());
            }
            Creation => {
                if self.creation.insert(key.to_owned(), value.into()).is_some() {
                    self.fault(line, "/creationInfo", format_args!("`{tag}` stands twice"));
                }
            }
            Item => self.add(line, tag, section, key, value.into()),
            Checksum => {
                let (algorithm, sum) = value.split_once(':').unwrap_or((value, ""));
                let item = json!({ "algorithm": algorithm.trim(), "checksumValue": sum.trim() });
                self.add(line, tag, section, key, item);
            }
            VerificationCode => {
                let (code, excluded) = value.split_once('(').unwrap_or((value, ""));
                let mut object = json!({ "packageVerificationCodeValue": code.trim() });
                let excluded = excluded.trim_end().trim_end_matches(')').trim();
                let excluded = excluded.strip_prefix("excludes:").unwrap_or(excluded);
                let files: Vec<_> = excluded.split(',').map(str::trim).filter(|f| !f.is_empty()).collect();
                if let (false, Some(object)) = (files.is_empty(), object.as_object_mut()) {
                    object.insert("packageVerificationCodeExcludedFiles".to_owned(), files.into());
                }
                return self.put(line, tag, section, key, object);
            }
            ExternalRef => {
                let mut words = value.splitn(3, ' ').map(str::trim);
                let mut word = || words.next().unwrap_or_default();
                let category = word().replace('_', "-");
                let item =
                    json!({ "referenceCategory": category, "referenceType": word(), "referenceLocator": word() });
                self.add(line, tag, section, key, item);
            }
            Range => self.range(line, tag, key, value),
            ExternalDocument => {
                let (names, sum) = value.rsplit_once(':').unwrap_or((value, ""));
                let words: Vec<_> = names.split_whitespace().collect();
                let [id, uri, algorithm] = words[..] else {
                    self.fault(line, "", format_args!("`{tag}` is not `DocumentRef-… uri algorithm: value`"));
                    return Ok(());
                };
                let checksum = json!({ "algorithm": algorithm, "checksumValue": sum.trim() });
                let item = json!({ "externalDocumentId": id, "spdxDocument": uri, "checksum": checksum });
                self.add(line, tag, section, key, item);
            }
            Relationship => {
                let words: Vec<_> = value.split_whitespace().collect();
                let [from, kind, to] = words[..] else {
                    self.fault(line, "", format_args!("`{tag}` is not `element TYPE element`"));
                    return Ok(());
                };
                self.start(line, section, "spdxElementId", from);
                if let Some((object, _)) = self.object(section) {
                    object.insert("relationshipType".to_owned(), kind.into());
                    object.insert("relatedSpdxElement".to_owned(), to.into());
                }
            }
        }
        Ok(())
    }

    fn start(&mut self, line: usize, section: Section, key: &str, value: &str) {
        if matches!(section, S::Package | S::File | S::Snippet) {
            self.element = Some(section);
        }
        let mut object = Map::new();
        object.insert(key.to_owned(), value.into());
        let (list, name) = self.section(section);
        if let Some(list) = list {
            list.push(object);
            let n = list.len() - 1;
            self.places.note(&format!("/{name}/{n}"), "", line);
        }
    }

    fn put(&mut self, line: usize, tag: &str, section: Section, key: &str, value: Value) -> Result<()> {
        let Some((object, path)) = self.object(section) else {
            self.fault(line, "", format_args!("`{tag}` stands before what it speaks of"));
            return Ok(());
        };
        let twice = object.insert(key.to_owned(), value).is_some();
        self.places.note(&format!("{path}/{key}"), "", line);
        if twice {
            self.fault(line, &path, format_args!("`{tag}` stands twice"));
        }
        Ok(())
    }

    fn add(&mut self, line: usize, tag: &str, section: Section, key: &str, item: Value) {
        let Some((object, path)) = self.object(section) else {
            return self.fault(line, "", format_args!("`{tag}` stands before what it speaks of"));
        };
        let n = push(object, key, item);
        self.places.note(&format!("{path}/{key}/{n}"), "", line);
    }

    fn range(&mut self, line: usize, tag: &str, key: &str, value: &str) {
        let ends = value.split_once(':').map(|(a, b)| (a.trim().parse::<u64>(), b.trim().parse::<u64>()));
        let Some((Ok(from), Ok(to))) = ends else {
            return self.fault(line, "", format_args!("`{tag}` is not `from:to`"));
        };
        let file = self.snippets.last().and_then(|s| s.get("snippetFromFile")).cloned().unwrap_or_else(|| "".into());
        let pointer = |at: u64| json!({ "reference": file, key: at });
        let item = json!({ "startPointer": pointer(from), "endPointer": pointer(to) });
        self.add(line, tag, S::Snippet, "ranges", item);
    }

    fn fault(&mut self, line: usize, path: &str, message: std::fmt::Arguments<'_>) {
        self.faults.push((path.to_owned(), format!("line {line}: {message}")));
    }

    fn end(mut self) -> JsonForm {
        if !self.creation.is_empty() {
            self.document.insert("creationInfo".to_owned(), Value::Object(std::mem::take(&mut self.creation)));
        }
        let id = |object: &Map<String, Value>| object.get("SPDXID").and_then(Value::as_str).map(str::to_owned);
        let mut annotated: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for mut annotation in std::mem::take(&mut self.annotations) {
            let target = annotation.remove("SPDXREF").and_then(|t| t.as_str().map(str::to_owned)).unwrap_or_default();
            annotated.entry(target).or_default().push(Value::Object(annotation));
        }
        let elements = self.packages.iter_mut().chain(&mut self.files).chain(&mut self.snippets);
        for element in elements.chain([&mut self.document]) {
            if let Some(list) = id(element).and_then(|id| annotated.remove(&id)) {
                element.insert("annotations".to_owned(), list.into());
            }
        }
        for annotation in annotated.into_values().flatten() {
            self.faults.push((String::new(), "an annotation names no element of the document".to_owned()));
            push(&mut self.document, "annotations", annotation);
        }
        for (name, list) in [
            ("packages", self.packages),
            ("files", self.files),
            ("snippets", self.snippets),
            ("hasExtractedLicensingInfos", self.licenses),
            ("relationships", self.relationships),
            ("revieweds", self.reviews),
        ] {
            if !list.is_empty() {
                self.document.insert(name.to_owned(), list.into_iter().map(Value::Object).collect());
            }
        }
        let json = Value::Object(self.document);
        JsonForm { json, places: self.places, faults: self.faults, left: Vec::new() }
    }
}

/// Adds an item to a list of `object`; gives its place.
fn push(object: &mut Map<String, Value>, key: &str, item: Value) -> usize {
    match object.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(list) => {
            list.push(item);
            list.len() - 1
        }
        _ => 0,
    }
}
