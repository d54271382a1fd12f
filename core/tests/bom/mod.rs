//! Folders of lock files, and the BOMs that are made of them, looked at as JSON.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::path::Path;

use sealwright::json::Value;
use sealwright::sbom::{self, GenerateOptions};

pub(crate) type Files<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn tree(files: Files<'_>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

/// What is made of these files, with the product `product` if no manifest names one.
pub(crate) fn bom_of(files: Files<'_>) -> Value {
    bom(tree(files).path())
}

/// What is made of a folder: valid, the same twice, each component with a row, each edge to a component.
pub(crate) fn bom(root: &Path) -> Value {
    let mut options = GenerateOptions::default();
    let made = sbom::generate(root, &options).or_else(|e| match e.code() {
        "API_MISUSE" => {
            options.name = Some("product".to_owned());
            sbom::generate(root, &options)
        }
        _ => Err(e),
    });
    let made = made.unwrap_or_else(|e| panic!("{}: {e:?}", root.display()));
    let bytes = made.to_json().unwrap();
    assert_eq!(sbom::generate(root, &options).unwrap().to_json().unwrap(), bytes);
    assert_eq!(sbom::validate(&bytes).unwrap(), [], "{}", root.display());
    let bom: Value = serde_json::from_slice(&bytes).unwrap();
    let product = bom["metadata"]["component"]["bom-ref"].as_str().unwrap();
    let refs: BTreeSet<&str> =
        list(&bom["components"]).map(|c| c["bom-ref"].as_str().unwrap()).chain([product]).collect();
    assert_eq!(list(&bom["dependencies"]).count(), refs.len());
    for row in list(&bom["dependencies"]) {
        assert!(list(&row["dependsOn"]).chain([&row["ref"]]).all(|end| refs.contains(end.as_str().unwrap())), "{row}");
    }
    bom
}

/// The code and the message of the refusal of these files.
pub(crate) fn refused(files: Files<'_>) -> (String, String) {
    let dir = tree(files);
    let mut options = GenerateOptions::default();
    options.name = Some("product".to_owned());
    match sbom::generate(dir.path(), &options) {
        Ok(made) => panic!("{files:?} became {}", String::from_utf8(made.to_json().unwrap()).unwrap()),
        Err(e) => (e.code().to_owned(), e.message().to_owned()),
    }
}

/// `purl scope` of each component.
pub(crate) fn scopes(bom: &Value) -> Vec<String> {
    let text = |c: &Value, key: &str| c[key].as_str().unwrap().to_owned();
    list(&bom["components"]).map(|c| format!("{} {}", text(c, "purl"), text(c, "scope"))).collect()
}

/// The purl of each component.
pub(crate) fn purls(bom: &Value) -> BTreeSet<String> {
    list(&bom["components"]).map(|c| c["purl"].as_str().unwrap().to_owned()).collect()
}

/// What the component called `of` needs.
pub(crate) fn needs<'a>(bom: &'a Value, of: &str) -> Vec<&'a str> {
    let row = list(&bom["dependencies"]).find(|row| row["ref"] == of).unwrap_or_else(|| panic!("no row of {of}"));
    list(&row["dependsOn"]).map(|end| end.as_str().unwrap()).collect()
}

pub(crate) fn component<'a>(bom: &'a Value, purl: &str) -> &'a Value {
    list(&bom["components"]).find(|c| c["purl"] == purl).unwrap_or_else(|| panic!("no {purl}"))
}

/// Whether a component stands there as `direct`, `transitive` or neither.
pub(crate) fn relationship<'a>(bom: &'a Value, purl: &str) -> Option<&'a str> {
    let properties = list(&component(bom, purl)["properties"]);
    properties.filter(|p| p["name"] == "sealwright:relationship").find_map(|p| p["value"].as_str())
}

/// The start of the character at or before `at`.
pub(crate) fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap_or(0)
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
