//! Trees with lock files, and what the SBOM of one says.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests, each with its own part of it"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sealwright::sbom::{self, Component, GenerateOptions, Sbom};

pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

fn product(name: Option<&str>) -> GenerateOptions {
    let mut options = GenerateOptions::default();
    options.name = name.map(str::to_owned);
    options
}

/// The SBOM of a folder, which is valid, whole and the same twice.
pub(crate) fn generate(root: &Path, name: Option<&str>) -> Sbom {
    let made = || sbom::generate(root, &product(name)).unwrap_or_else(|e| panic!("{}: {e:?}", root.display()));
    let bom = made();
    let bytes = bom.to_json().unwrap();
    assert_eq!(made().to_json().unwrap(), bytes);
    assert_eq!(sbom::validate(&bytes).unwrap(), [], "{}", root.display());
    assert_eq!(bom.dependencies.len(), bom.components.len() + 1);
    let refs: BTreeSet<_> = bom.dependencies.iter().map(|d| d.component.as_str()).collect();
    assert!(bom.dependencies.iter().flat_map(|d| &d.depends_on).all(|to| refs.contains(to.as_str())));
    bom
}

/// That of files whose product has no name.
pub(crate) fn bom(files: &[(&str, &str)]) -> Sbom {
    generate(tree(files).path(), Some("product"))
}

/// That of files of which a manifest names the product.
pub(crate) fn bom_of_manifest(files: &[(&str, &str)]) -> Sbom {
    generate(tree(files).path(), None)
}

/// The code and the message with which files are refused.
pub(crate) fn refusal(files: &[(&str, &str)]) -> (&'static str, String) {
    match sbom::generate(tree(files).path(), &product(Some("product"))) {
        Ok(bom) => ("accepted", format!("{:?}", purls(&bom))),
        Err(e) => (e.code(), e.message().to_owned()),
    }
}

pub(crate) fn purls(bom: &Sbom) -> Vec<&str> {
    bom.components.iter().map(|c| c.purl.as_deref().unwrap()).collect()
}

/// What each component and the product needs, but for those that need nothing.
pub(crate) fn edges(bom: &Sbom) -> BTreeMap<&str, Vec<&str>> {
    let rows = bom.dependencies.iter().filter(|row| !row.depends_on.is_empty());
    rows.map(|row| (&*row.component, row.depends_on.iter().map(|to| &**to).collect())).collect()
}

pub(crate) fn component<'a>(bom: &'a Sbom, purl: &str) -> &'a Component {
    let found = bom.components.iter().find(|c| c.purl.as_deref() == Some(purl));
    found.unwrap_or_else(|| panic!("no {purl} in {:?}", purls(bom)))
}

/// Name and scope of each component, the product aside.
pub(crate) fn scopes(bom: &Sbom) -> Vec<(&str, &'static str)> {
    let of = |c: &Component| match c.scope {
        Some(sbom::Scope::Required) => "required",
        Some(sbom::Scope::Optional) => "optional",
        Some(sbom::Scope::Excluded) => "excluded",
        _ => "none",
    };
    bom.components.iter().map(|c| (c.name.as_str(), of(c))).collect()
}

/// `ALG:hex` of each hash.
pub(crate) fn hashes(component: &Component) -> Vec<String> {
    component.hashes.iter().map(|hash| format!("{}:{}", hash.alg, hash.content)).collect()
}

pub(crate) fn property<'a>(component: &'a Component, name: &str) -> Option<&'a str> {
    component.properties.iter().find(|p| p.name == name).map(|p| p.value.as_str())
}
