//! Several CycloneDX documents as one.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::convert::{Map, Names, uuid_of};
use super::document::Document;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::timestamp::Timestamp;

/// Keys that hold references, as a text or a list of texts.
const REFERRING: [&str; 8] =
    ["ref", "dependsOn", "provides", "assemblies", "dependencies", "vulnerabilities", "subjects", "bom-ref"];

/// Lists that are put together.
const LISTS: [&str; 5] = ["components", "services", "compositions", "vulnerabilities", "annotations"];

/// What a merged SBOM is about.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct MergeOptions {
    /// Name of the product that holds what the SBOMs are about.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
    /// When it was made; without it, the same documents give the same bytes.
    pub timestamp: Option<Timestamp>,
}

impl MergeOptions {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// `MALFORMED` for another key or type, and without a name.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::parse("merge options", bytes)
    }
}

/// A merged SBOM.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Merge {
    /// What was made, of the highest version among the sources.
    pub document: Document,
    /// What of the sources is not in it.
    pub lost: Vec<MergeLoss>,
}

/// A part of one of several SBOMs that is not in what was made of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MergeLoss {
    /// The place of the SBOM in the list, from 0.
    pub source: usize,
    /// Where it stands there, as a JSON pointer into [`Document::json`].
    pub path: String,
    /// Why it was left.
    pub reason: String,
}

/// Makes one SBOM of several CycloneDX ones: their subjects are what the product needs, components that are the same in
/// all but their `bom-ref` are there once, and others keep theirs or get a number behind it.
///
/// # Errors
/// `API_MISUSE` for less than two documents or no name; `UNSUPPORTED` for one of SPDX, which is to be converted first;
/// `MALFORMED` if a part that is put together is not what its format demands.
pub fn merge(documents: &[Document], options: &MergeOptions) -> Result<Merge> {
    if documents.len() < 2 || options.name.is_empty() {
        return Err(Error::new(ErrorKind::ApiMisuse, "a merge needs two SBOMs and the name of their product"));
    }
    if let Some(other) = documents.iter().find(|d| !d.format().is_cyclonedx()) {
        let text = format!("{} is not merged; convert it to CycloneDX first", other.format().name());
        return Err(Error::new(ErrorKind::Unsupported, text));
    }
    let version = documents.iter().map(Document::version).max().unwrap_or_default();
    let mut merging = Merging::default();
    let root = merging.names.give(
        &options.version.as_ref().map_or_else(|| options.name.clone(), |version| format!("{}@{version}", options.name)),
    );
    let mut needs = BTreeSet::new();
    for (n, document) in documents.iter().enumerate() {
        needs.extend(merging.add(n, document)?);
    }
    merging.rows.insert(root.clone(), (needs, BTreeSet::new()));
    let mut subject = json!({ "type": "application", "bom-ref": root, "name": options.name });
    if let (Some(subject), Some(version)) = (subject.as_object_mut(), &options.version) {
        subject.insert("version".to_owned(), version.clone().into());
    }
    let mut metadata = json!({
        "component": subject,
        "tools": [{ "name": "sealwright", "version": env!("CARGO_PKG_VERSION") }],
    });
    if let (Some(metadata), Some(time)) = (metadata.as_object_mut(), options.timestamp) {
        metadata.insert("timestamp".to_owned(), time.to_string().into());
    }
    let digests: Vec<_> = documents.iter().map(|d| Digest::sha256(d.bytes()).hex()).collect();
    let mut bom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "serialNumber": uuid_of(format!("{} {}", root, digests.join(" ")).as_bytes()),
        "version": 1,
        "metadata": metadata,
    });
    let rows = merging.rows.into_iter().map(|(from, (needs, provides))| {
        let mut row = json!({ "ref": from, "dependsOn": needs });
        if let (Some(row), false) = (row.as_object_mut(), provides.is_empty()) {
            row.insert("provides".to_owned(), json!(provides));
        }
        row
    });
    if let Some(bom) = bom.as_object_mut() {
        bom.insert("dependencies".to_owned(), rows.collect());
        for (key, list) in merging.lists {
            bom.insert(key.to_owned(), list.into());
        }
    }
    Ok(Merge { document: Document::from_json(&bom)?, lost: merging.lost })
}

#[derive(Default)]
struct Merging {
    names: Names,
    lists: BTreeMap<&'static str, Vec<Value>>,
    /// What each part needs, and what it provides.
    rows: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)>,
    /// References of components by the components without them.
    known: BTreeMap<String, String>,
    lost: Vec<MergeLoss>,
}

impl Merging {
    /// Adds a document; gives the reference of its subject.
    fn add(&mut self, n: usize, document: &Document) -> Result<Option<String>> {
        let mut bom = document.json().clone();
        let mut lists: Vec<(&'static str, Vec<Value>)> =
            LISTS.iter().map(|key| (*key, take_list(&mut bom, key))).collect();
        let subject = bom.get_mut("metadata").and_then(|m| m.as_object_mut()?.remove("component"));
        if let (Some(subject), Some((_, components))) = (&subject, lists.first_mut()) {
            components.insert(0, subject.clone());
        }
        // what each reference of this document is called in the merged one
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut known = Vec::new();
        for (key, items) in &mut lists {
            let mut kept = Vec::new();
            for (at, mut item) in std::mem::take(items).into_iter().enumerate() {
                let own = item.get("bom-ref").and_then(Value::as_str).map(str::to_owned);
                if *key == "components" {
                    // an edge needs a name
                    let reference = own.clone().unwrap_or_else(|| format!("component-{n}-{at}"));
                    let mut bare = item.clone();
                    bare.as_object_mut().map(|map| map.remove("bom-ref"));
                    let bare = bare.to_string();
                    if let Some(there) = self.known.get(&bare) {
                        names.insert(reference, there.clone());
                        continue;
                    }
                    let given = self.names.give(&reference);
                    names.insert(reference.clone(), given.clone());
                    known.push((bare, given));
                    if let Some(map) = item.as_object_mut() {
                        map.insert("bom-ref".to_owned(), reference.into());
                    }
                }
                inner_names(&item, *key == "components", &mut names, &mut self.names);
                kept.push(item);
            }
            *items = kept;
        }
        self.known.extend(known);
        for (key, items) in lists {
            let items = items.into_iter().map(|mut item| {
                rename(&mut item, &names);
                item
            });
            let items: Vec<_> = items.collect();
            if !items.is_empty() {
                self.lists.entry(key).or_default().extend(items);
            }
        }
        for row in take_list(&mut bom, "dependencies") {
            let name = |value: &Value| value.as_str().map(|text| names.get(text).map_or(text, |n| n).to_owned());
            let ends = |key: &str| row.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(&name);
            let Some(from) = row.get("ref").and_then(&name) else { continue };
            let (needs, provides) = self.rows.entry(from).or_default();
            needs.extend(ends("dependsOn"));
            provides.extend(ends("provides"));
        }
        let left = bom.as_object().map(Map::keys).into_iter().flatten();
        for key in
            left.filter(|key| !matches!(&***key, "bomFormat" | "specVersion" | "serialNumber" | "version" | "$schema"))
        {
            let reason = "a merged SBOM has its own".to_owned();
            self.lost.push(MergeLoss { source: n, path: format!("/{key}"), reason });
        }
        let reference = subject.and_then(|s| s.get("bom-ref")?.as_str().map(str::to_owned));
        let unnamed = format!("component-{n}-0");
        Ok(names.get(reference.as_deref().unwrap_or(&unnamed)).cloned())
    }
}

/// Gives names to what an item holds.
fn inner_names(item: &Value, top_is_named: bool, names: &mut BTreeMap<String, String>, given: &mut Names) {
    let mut open: Vec<(&Value, bool)> = vec![(item, top_is_named)];
    while let Some((value, named)) = open.pop() {
        match value {
            Value::Object(map) => {
                if let (false, Some(name)) = (named, map.get("bom-ref").and_then(Value::as_str)) {
                    let new = given.give(name);
                    names.insert(name.to_owned(), new);
                }
                open.extend(map.values().map(|v| (v, false)));
            }
            Value::Array(list) => open.extend(list.iter().map(|v| (v, false))),
            _ => {}
        }
    }
}

/// Puts the new names where the old ones stand.
fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    let renamed = |value: &mut Value| {
        if let Some(new) = value.as_str().and_then(|text| names.get(text)) {
            *value = new.clone().into();
        }
    };
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner {
                    Value::String(_) if REFERRING.contains(&&**key) => renamed(inner),
                    Value::Array(list) if REFERRING.contains(&&**key) => {
                        for item in list {
                            if item.is_string() { renamed(item) } else { rename(item, names) }
                        }
                    }
                    _ => rename(inner, names),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| rename(item, names)),
        _ => {}
    }
}

fn take_list(bom: &mut Value, key: &str) -> Vec<Value> {
    match bom.as_object_mut().and_then(|map| map.remove(key)) {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}
