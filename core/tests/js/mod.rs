//! Lock files of a workspace as pnpm and Yarn wrote them, and what is asked of their BOMs.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests, each with its own part of them"
)]

use std::collections::BTreeMap;
use std::path::Path;

use sealwright::sbom::{self, GenerateOptions, Sbom};

/// The integrity of every package here, and the hash it stands for.
pub(crate) const INTEGRITY: &str = "sha1-5QNHYR1+aQlDIIu9r+vLwvuGbUY=";

pub(crate) const SHA_1: &str = "e50347611d7e690943208bbdafebcbc2fb866d46";

pub(crate) const ROOT: &str = r#"{"name":"app","version":"1.0.0","license":"MIT","workspaces":["packages/*"],
    "dependencies":{"a":"^1"},"devDependencies":{"d":"^1"},"optionalDependencies":{"o":"^1"}}"#;

/// A workspace with everything that version 9 has; below, the same as older versions wrote it.
pub(crate) const PNPM_9: &str = include_str!("../../../fixtures/lock-files/pnpm-9.yaml");

pub(crate) const PNPM_6: &str = include_str!("../../../fixtures/lock-files/pnpm-6.yaml");

pub(crate) const YARN_1: &str = include_str!("../../../fixtures/lock-files/yarn-1.lock");

pub(crate) const LIB: &str = r#"{"name":"lib","version":"2.0.0","license":"Zlib","dependencies":{
    "@s/g":"git+ssh://git@github.com/s/g.git#main","a":">=1 <3","h":"https://github.com/s/h.git",
    "local":"file:packages/local","other":"^1.0.0","t":"https://x.example/t.tgz"},"devDependencies":{"d":"^1"}}"#;

pub(crate) const YARN_8: &str = include_str!("../../../fixtures/lock-files/yarn-8.lock");

/// A workspace of `app`, `lib` and `local` with that lock file.
pub(crate) fn workspace(name: &str, lock: &str) -> tempfile::TempDir {
    tree(&[
        (name, lock),
        ("package.json", ROOT),
        ("packages/lib/package.json", r#"{"name":"lib","version":"2.0.0","license":"Zlib"}"#),
        ("packages/local/package.json", r#"{"name":"local","version":"0.1.0"}"#),
    ])
}

pub(crate) fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("INTEGRITY", INTEGRITY)).unwrap();
    }
    dir
}

pub(crate) fn generate(root: &Path, name: Option<&str>) -> Sbom {
    let mut options = GenerateOptions::default();
    options.name = name.map(str::to_owned);
    sbom::generate(root, &options).unwrap_or_else(|e| panic!("{}: {e:?}", root.display()))
}

pub(crate) fn refusal(root: &Path) -> &'static str {
    sbom::generate(root, &GenerateOptions::default()).map_or_else(|e| e.code(), |_| "accepted")
}

/// Valid by schema and beyond, and every component in the graph.
pub(crate) fn assert_sound(bom: &Sbom, what: &str) {
    assert_eq!(sbom::validate(&bom.to_json().unwrap()).unwrap(), [], "{what}");
    assert_eq!(bom.dependencies.len(), bom.components.len() + 1, "{what}");
}

pub(crate) fn edges(bom: &Sbom) -> BTreeMap<String, Vec<String>> {
    bom.dependencies.iter().map(|row| (row.component.clone(), row.depends_on.iter().cloned().collect())).collect()
}

pub(crate) fn scopes(bom: &Sbom) -> BTreeMap<String, String> {
    let scope = |c: &sbom::Component| serde_json::to_value(c.scope).unwrap().as_str().unwrap().to_owned();
    bom.components.iter().map(|c| (c.purl.clone().unwrap(), scope(c))).collect()
}

pub(crate) fn hashes_of(bom: &Sbom, purl: &str) -> Vec<String> {
    let component = bom.components.iter().find(|c| c.purl.as_deref() == Some(purl)).unwrap();
    component.hashes.iter().map(|hash| format!("{} {}", hash.alg, hash.content)).collect()
}

pub(crate) fn npm_purl(name: &str, version: &str) -> String {
    // names of npm are lower case by the specification of package urls, those of before 2017 too
    let name = name.to_lowercase().replacen('@', "%40", 1);
    format!("pkg:npm/{name}@{}", version.replace('+', "%2B"))
}
