//! Verdicts on SBOMs that others made, and their way through this library (systems row 22). Each exception is explained.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "helpers of tests")]

mod corpora;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealwright::json::Value;
use sealwright::sbom::{Document, Finding, Target, convert};

use self::corpora::corpora;

/// Official files of which our verdict is another than their name says, and why.
const OTHER_VERDICTS: [(&str, &str); 2] = [
    ("valid-formulation-1.5.json", "two workspaces have the bom-ref `workspace-1`, which the specification forbids"),
    (
        "valid-attestation-1.6.xml",
        "a signatory needs a signature or an organisation; its XML signature has no form in JSON, so it seems to lack both",
    ),
];

/// Pairs of official files that do not hold the same in XML and JSON are not compared.
const DIFFERING_TWINS: &str = "the two files say different things";

#[test]
fn s022_verdicts_on_the_official_cyclonedx_files_are_those_of_their_names() {
    let Some(dir) = corpora("cyclonedx/spec-testdata") else { return };
    let (mut seen, mut wrong) = (BTreeMap::new(), Vec::new());
    for file in files(&dir, &["json", "xml"]) {
        let name = name_of(&file);
        let (valid, why) = match Document::parse(&std::fs::read(&file).unwrap()).and_then(|d| d.validate()) {
            Ok(findings) => (findings.is_empty(), format!("{findings:?}")),
            Err(e) => (false, e.to_string()),
        };
        let expected = name.starts_with("valid-") && !OTHER_VERDICTS.iter().any(|(file, _)| *file == name);
        if valid != expected {
            wrong.push(format!("{name}: {why}"));
        }
        *seen.entry(file.extension().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen.values().all(|n| *n >= 170), "{seen:?}");
}

/// What decides nothing in a schema.
const PROSE: [&str; 6] = ["$comment", "default", "description", "examples", "meta:enum", "title"];

#[test]
fn our_schemas_are_the_official_ones_without_their_prose() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sbom/schema");
    let Some(cyclonedx) = corpora("cyclonedx/spec/schema") else { return };
    let Some(spdx) = corpora("spdx/spec-2.3/schemas/spdx-schema.json") else { return };
    let read = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let mut pairs = vec![("spdx-2.3", spdx)];
    for name in ["bom-1.4", "bom-1.5", "bom-1.6", "bom-1.7", "spdx", "jsf-0.82", "cryptography-defs"] {
        pairs.push((name, cyclonedx.join(format!("{name}.schema.json"))));
    }
    for (name, official) in pairs {
        assert_eq!(read(&own.join(format!("{name}.schema.json"))), without_prose(read(&official), false), "{name}");
    }
}

/// `named`: whether the keys are names of properties or definitions, which say nothing of themselves.
fn without_prose(value: Value, named: bool) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(key, _)| named || !PROSE.contains(&&**key));
            let kept = kept.map(|(key, value)| match &*key {
                "const" | "enum" if !named => (key, value),
                "properties" | "definitions" | "$defs" | "patternProperties" | "dependencies" if !named => {
                    (key, without_prose(value, true))
                }
                _ => (key, without_prose(value, false)),
            });
            Value::Object(kept.collect())
        }
        Value::Array(list) => list.into_iter().map(|item| without_prose(item, false)).collect(),
        other => other,
    }
}

#[test]
fn cyclonedx_xml_becomes_what_its_json_twin_says() {
    let Some(dir) = corpora("cyclonedx/spec-testdata") else { return };
    let (mut same, mut different) = (0, Vec::new());
    for file in files(&dir, &["xml"]) {
        let twin = file.with_extension("json");
        if !name_of(&file).starts_with("valid-") || !twin.exists() {
            continue;
        }
        let read = |path: &Path| Document::parse(&std::fs::read(path).unwrap()).unwrap().json().clone();
        if plain(read(&file)) == plain(read(&twin)) { same += 1 } else { different.push(name_of(&file)) }
    }
    assert!(same >= 50, "{same} twins are the same; not so, since {DIFFERING_TWINS}: {different:?}");
}

/// A BOM without what the two notations write differently and mean the same.
fn plain(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.remove("$schema");
            let inner = std::mem::take(map).into_iter().map(|(key, value)| (key, plain(value)));
            // an empty list is none; signatures are of each notation its own
            *map =
                inner.filter(|(k, v)| k != "signature" && v.as_array().is_none_or(|list| !list.is_empty())).collect();
        }
        Value::Array(list) => *list = std::mem::take(list).into_iter().map(plain).collect(),
        Value::String(text) => *text = text.split_whitespace().collect::<Vec<_>>().join(" "),
        Value::Number(number) => value = number.as_f64().unwrap().into(),
        _ => {}
    }
    value
}

/// SPDX documents that are not valid: the file, the code of the error or the rules that are broken, and why.
const SPDX_FAULTS: [(&str, &str, &str); 22] = [
    ("ntia-conformance/SPDXSBOMExampleTests/alpine.spdx", "UNSUPPORTED", "SPDX 2.2"),
    (
        "ntia-conformance/SPDXSBOMExampleTests/bom-alpine-3.15.spdx.json",
        "Form",
        "files analysed by nobody have a verification code",
    ),
    ("ntia-conformance/SPDXSBOMExampleTests/photon.spdx.tag", "UNSUPPORTED", "SPDX 2.2"),
    ("ntia-conformance/missing_author_name/SPDXJSONExample-v2.3.spdx.json", "Schema", "creators are demanded"),
    (
        "ntia-conformance/missing_author_name/SPDXTagExample-v2.3.spdx",
        "Form Schema",
        "creators are demanded; a creator is empty",
    ),
    (
        "ntia-conformance/missing_component_name/SPDXJsonExample.json",
        "MALFORMED",
        "no SPDX 2: all of it is below `Document`",
    ),
    (
        "ntia-conformance/missing_concluded_license/SPDXJSONExample-v2.3.spdx.json",
        "License",
        "the licence is an empty text",
    ),
    ("ntia-conformance/missing_timestamp/SPDXJSONExample-v2.3.spdx.json", "Form", "the time is an empty text"),
    ("ntia-conformance/missing_timestamp/SPDXTagExample-v2.3.spdx", "Form Schema", "a time is demanded"),
    (
        "ntia-conformance/missing_unique_identifiers/SPDXJSONExample-v2.3.spdx.json",
        "KnownRef Schema",
        "a package has no SPDXID",
    ),
    (
        "ntia-conformance/missing_unique_identifiers/SPDXTagExample-v2.3.spdx",
        "KnownRef Notation Schema",
        "a package has no SPDXID",
    ),
    ("ntia-conformance/other_tests/SPDXSimpleTag.tag", "UNSUPPORTED", "SPDX 2.2"),
    (
        "ntia-conformance/other_tests/test_components_without_functions.spdx",
        "KnownRef Notation",
        "relations lead to nothing",
    ),
    ("ntia-conformance/real_world_sboms/spdx_sample_01.json", "UNSUPPORTED", "SPDX 2.2"),
    ("ntia-conformance/real_world_sboms/spdx_sample_02.spdx", "Purl", "a purl of that tool is none"),
    ("ntia-conformance/real_world_sboms/spdx_sample_07.spdx", "UNSUPPORTED", "SPDX 2.1"),
    ("ntia-conformance/real_world_sboms/spdx_sample_10.json", "UNSUPPORTED", "SPDX 2.2"),
    ("ntia-conformance/real_world_sboms/spdx_sample_12.json", "UNSUPPORTED", "SPDX 2.2"),
    ("ntia-conformance/real_world_sboms/spdx_sample_13.json", "UNSUPPORTED", "SPDX 2.2"),
    ("ntia-conformance/real_world_sboms/spdx_sample_14.spdx", "UNSUPPORTED", "SPDX 2.1"),
    ("ntia-conformance/spdx3/has_sbom.json", "UNSUPPORTED", "SPDX 3.0.0"),
    ("ntia-conformance/spdx3/missing_unique_identifiers.json", "Schema", "a file has no spdxId"),
];

#[test]
fn s022_spdx_documents_are_valid_or_break_the_rules_that_are_told() {
    let Some(dir) = corpora("spdx") else { return };
    let (mut valid, mut wrong) = (0, Vec::new());
    for file in files(&dir, &["json", "spdx", "tag"]) {
        let name = file.strip_prefix(&dir).unwrap().display().to_string();
        // the 2.2 examples of the 2.3 specification, and its schema
        if name.starts_with("spec-2.3") {
            assert!(Document::parse(&std::fs::read(&file).unwrap()).and_then(|d| d.validate()).is_err(), "{name}");
            continue;
        }
        let verdict = match Document::parse(&std::fs::read(&file).unwrap()) {
            Err(e) => e.code().to_owned(),
            Ok(document) => document.validate().map_or_else(|e| e.code().to_owned(), |found| rules(&found)),
        };
        let expected = SPDX_FAULTS.iter().find(|(file, ..)| *file == name).map_or("valid", |(_, verdict, _)| verdict);
        if verdict != expected {
            wrong.push(format!("{name}: {verdict}, expected {expected}"));
        }
        valid += usize::from(verdict == "valid");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(valid >= 19, "only {valid}");
}

fn rules(findings: &[Finding]) -> String {
    let mut rules: Vec<_> = findings.iter().map(|f| format!("{:?}", f.rule)).collect();
    rules.sort();
    rules.dedup();
    if rules.is_empty() { "valid".to_owned() } else { rules.join(" ") }
}

#[test]
fn what_is_read_and_written_again_is_the_same() {
    let (mut seen, mut changed) = (0, Vec::new());
    for root in ["cyclonedx", "spdx", "scanner-outputs"] {
        let Some(dir) = corpora(root) else { return };
        for file in files(&dir, &["json", "golden"]) {
            let bytes = std::fs::read(&file).unwrap();
            let Ok(document) = Document::parse(&bytes) else { continue };
            if !document.format().is_json() {
                continue;
            }
            seen += 1;
            assert_eq!(document.bytes(), bytes);
            let again = document.edited(|_| {}).unwrap();
            let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
            let (before, after): (Value, Value) =
                (serde_json::from_slice(text).unwrap(), serde_json::from_slice(again.bytes()).unwrap());
            if before != after || document.summary().ok() != again.summary().ok() {
                changed.push(file.display().to_string());
            }
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
    assert!(seen >= 300, "only {seen}");
}

#[test]
fn a_converted_sbom_is_valid_and_holds_the_same_components() {
    let (mut seen, mut wrong) = (0, Vec::new());
    for root in ["cyclonedx", "spdx"] {
        let Some(dir) = corpora(root) else { return };
        for file in files(&dir, &["json", "xml", "spdx", "tag"]) {
            let Ok(document) = Document::parse(&std::fs::read(&file).unwrap()) else { continue };
            if !document.validate().is_ok_and(|found| found.is_empty()) {
                continue;
            }
            let target = if document.format().is_cyclonedx() { Target::Spdx } else { Target::CycloneDx };
            let time = Some("2026-11-21T09:30:00Z".parse().unwrap());
            let made = match convert(&document, target, time) {
                Err(e) if e.code() == "UNSUPPORTED" => continue,
                Err(e) => panic!("{}: {e:?}", file.display()),
                Ok(made) => made,
            };
            seen += 1;
            let findings = made.document.validate().unwrap();
            if !findings.is_empty() {
                wrong.push(format!("{}: {findings:?}", file.display()));
            }
            let names = |document: &Document| {
                let summary = document.summary().unwrap();
                let all =
                    summary.subject.into_iter().chain(summary.components).filter(|c| c.kind.as_deref() != Some("file"));
                let mut names: Vec<_> = all.map(|c| (c.version.filter(|v| !v.is_empty()), c.purl)).collect();
                names.sort();
                names
            };
            if names(&document) != names(&made.document) {
                wrong.push(format!("{}: {:?} became {:?}", file.display(), names(&document), names(&made.document)));
            }
            assert_eq!(convert(&document, target, time).unwrap().document.bytes(), made.document.bytes());
        }
    }
    assert!(wrong.is_empty(), "{} of {seen}: {wrong:#?}", wrong.len());
    assert!(seen >= 200, "only {seen}");
}

fn name_of(file: &Path) -> String {
    file.file_name().unwrap().to_str().unwrap().to_owned()
}

/// The files below `dir` whose names end so.
fn files(dir: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| endings.iter().any(|ending| e == *ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
