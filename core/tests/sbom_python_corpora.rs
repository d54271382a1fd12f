//! SBOMs of the lock files of Python that others wrote, against a plain reading of the same files.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod corpora;
mod locked;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sealwright::sbom::Sbom;
use toml::{Table, Value};

use self::corpora::corpora;
use self::locked::{edges, generate, hashes, purls, tree};

/// The SBOM of one lock file and the manifest beside it, without other lock files of its folder.
fn alone(folder: &Path, names: &[&str]) -> Sbom {
    let texts: Vec<_> = names.iter().map(|name| std::fs::read_to_string(folder.join(name)).unwrap()).collect();
    let files: Vec<_> = names.iter().copied().zip(texts.iter().map(String::as_str)).collect();
    let dir = tree(&files);
    generate(dir.path(), if names.len() == 1 { Some("product") } else { None })
}

/// Every value of `key` in the lines of a text.
fn values(text: &str, pattern: &str) -> BTreeSet<String> {
    let pattern = regex::Regex::new(pattern).unwrap();
    pattern
        .captures_iter(text)
        .map(|c| c.iter().skip(1).flatten().map(|m| m.as_str()).collect::<Vec<_>>().join("@"))
        .collect()
}

/// `name@version` of each component, and of the product if it has a version.
fn found(bom: &Sbom) -> BTreeSet<String> {
    let all = bom.components.iter().chain([&bom.metadata.component]);
    all.filter_map(|c| Some(format!("{}@{}", c.name, c.version.as_ref()?))).collect()
}

fn all_hashes(bom: &Sbom) -> BTreeSet<String> {
    bom.components.iter().flat_map(hashes).map(|hash| hash.replace("SHA-256:", "")).collect()
}

/// Names of what each package needs, by its name, as the tables of a lock file have it.
fn needs(text: &str, list: impl Fn(&Table) -> Vec<String>) -> BTreeMap<String, BTreeSet<String>> {
    let lock: Table = text.parse().unwrap();
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        let package = package.as_table().unwrap();
        needs.entry(package["name"].as_str().unwrap().to_owned()).or_default().extend(list(package));
    }
    needs.retain(|_, to| !to.is_empty());
    needs
}

/// The same of the edges of a BOM.
fn edges_by_name(bom: &Sbom) -> BTreeMap<String, BTreeSet<String>> {
    let name = |purl: &str| purl.trim_start_matches("pkg:pypi/").split('@').next().unwrap().to_owned();
    let rows = edges(bom).into_iter().map(|(from, to)| (name(from), to.into_iter().map(name).collect()));
    let mut by_name: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (from, to) in rows {
        let to: BTreeSet<String> = to;
        by_name.entry(from).or_default().extend(to);
    }
    by_name
}

const PACKAGE: &str = r#"(?m)^\[\[package\]\]\nname = "([^"]+)"\nversion = "([^"]+)""#;
const HASH: &str = r#"hash = "sha256:([0-9a-f]{64})""#;

#[test]
fn uv_locks_give_every_package_hash_and_edge() {
    let Some(dir) = corpora("lockfiles") else { return };
    for (folder, names, least) in
        [("real/uv", &["uv.lock", "pyproject.toml"][..], 80), ("trivy-fixtures/uv", &["uv.lock"][..], 4)]
    {
        let folder = dir.join(folder);
        let text = std::fs::read_to_string(folder.join("uv.lock")).unwrap();
        let made = if names.len() == 1 { generate(&folder, None) } else { alone(&folder, names) };
        let packages = values(&text, PACKAGE);
        assert!(packages.len() >= least);
        assert_eq!(found(&made), packages);
        assert_eq!(all_hashes(&made), values(&text, HASH));
        let listed = |value: &Value| -> Vec<String> {
            value.as_array().unwrap().iter().map(|need| need["name"].as_str().unwrap().to_owned()).collect()
        };
        let needs = needs(&text, |package| {
            let mut all: Vec<String> = package.get("dependencies").into_iter().flat_map(listed).collect();
            for key in ["optional-dependencies", "dev-dependencies"] {
                let groups = package.get(key).and_then(Value::as_table);
                all.extend(groups.into_iter().flat_map(Table::values).flat_map(listed));
            }
            all
        });
        assert_eq!(edges_by_name(&made), needs);
        // the corpora's stand-in for the default index is an index like any other
        assert!(purls(&made).iter().all(|purl| purl.ends_with("?repository_url=https:%2F%2Fpypi.example%2Fsimple")));
    }
}

#[test]
fn a_project_of_groups_alone_has_all_of_them_excluded() {
    let Some(dir) = corpora("lockfiles/real/uv") else { return };
    let made = alone(&dir, &["uv.lock", "pyproject.toml"]);
    assert_eq!(made.metadata.component.purl.as_deref(), Some("pkg:pypi/uv@0.12.5"));
    assert_eq!(made.metadata.component.licenses.len(), 1);
    // the project needs nothing but its groups `check`, `docker`, `docs` and `release`
    assert!(locked::scopes(&made).iter().all(|(_, scope)| *scope == "excluded"));
}

#[test]
fn poetry_locks_give_every_package_hash_and_edge() {
    let Some(dir) = corpora("lockfiles") else { return };
    let real = "real/poetry-702/tests/_data/infiles/poetry/regression-issue702/lock21";
    for (folder, names, least) in
        [(real, &["poetry.lock"][..], 63), ("trivy-fixtures/poetry", &["poetry.lock", "pyproject.toml"][..], 3)]
    {
        let folder = dir.join(folder);
        let text = std::fs::read_to_string(folder.join("poetry.lock")).unwrap();
        let made = alone(&folder, names);
        let mut packages = values(&text, PACKAGE);
        assert!(packages.len() >= least);
        if names.len() == 2 {
            packages.insert("test@0.1.0".to_owned());
        }
        assert_eq!(found(&made), packages);
        assert_eq!(all_hashes(&made), values(&text, HASH));
        let held: BTreeSet<String> = packages.iter().map(|p| p.split('@').next().unwrap().to_owned()).collect();
        let mut expected = needs(&text, |package| {
            let keys = package.get("dependencies").and_then(Value::as_table).into_iter().flat_map(Table::keys);
            // what markers leave out everywhere is not in the file
            keys.map(|key| key.to_lowercase().replace(['_', '.'], "-")).filter(|key| held.contains(key)).collect()
        });
        let mut found = edges_by_name(&made);
        if names.len() == 2 {
            expected.insert("test".to_owned(), ["click", "werkzeug"].map(str::to_owned).into());
        } else {
            found.remove("product");
        }
        assert_eq!(found, expected);
        assert!(purls(&made).iter().all(|purl| !purl.contains('?')), "Poetry names no default index");
        assert!(locked::scopes(&made).iter().all(|(_, scope)| *scope == "required"));
    }
}

#[test]
fn pipfile_locks_give_every_package_and_hash() {
    let Some(dir) = corpora("lockfiles/trivy-fixtures") else { return };
    for (folder, least) in [("pipenv", 1), ("trivy-ci-test", 20)] {
        let folder = dir.join(folder);
        let text = std::fs::read_to_string(folder.join("Pipfile.lock")).unwrap();
        let made = alone(&folder, &["Pipfile.lock"]);
        let lock: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut packages = BTreeSet::new();
        for section in ["default", "develop"] {
            for (name, entry) in lock[section].as_object().unwrap() {
                // a repository has a revision
                let Some(version) = entry["version"].as_str() else { continue };
                let version = version.trim_start_matches("==");
                packages.insert(format!("{}@{version}", name.to_lowercase().replace(['_', '.'], "-")));
            }
        }
        assert!(packages.len() >= least);
        assert_eq!(found(&made), packages);
        assert_eq!(all_hashes(&made), values(&text, r#""sha256:([0-9a-f]{64})""#));
        let from_elsewhere: Vec<_> = purls(&made).into_iter().filter(|purl| purl.contains('?')).collect();
        // of the one all comes from the stand-in for the default index; the other names that by its older address
        let expected = match folder.ends_with("pipenv") {
            true => "pkg:pypi/werkzeug@0.11.1?repository_url=https:%2F%2Fpypi.example%2Fsimple",
            false => {
                "pkg:pypi/django-postgres-extra?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2FSectorLabs%2F\
                 django-postgres-extra%40eef2ed5504d225858d4e4f5d77a838082ca6053e"
            }
        };
        assert_eq!(from_elsewhere, [expected]);
    }
}

#[test]
fn a_pylock_of_others_gives_every_package_hash_and_edge() {
    let Some(dir) = corpora("lockfiles/trivy-fixtures/pylock") else { return };
    let made = alone(&dir, &["pylock.toml"]);
    assert_eq!(purls(&made), ["pkg:pypi/click@8.1.3", "pkg:pypi/colorama@0.4.6", "pkg:pypi/werkzeug@0.11.1"]);
    let text = std::fs::read_to_string(dir.join("pylock.toml")).unwrap();
    assert_eq!(all_hashes(&made), values(&text, r#"sha256 = "([0-9a-f]{64})""#));
    assert_eq!(edges(&made)["pkg:pypi/click@8.1.3"], ["pkg:pypi/colorama@0.4.6"]);
    assert_eq!(edges(&made)["product"], ["pkg:pypi/click@8.1.3", "pkg:pypi/werkzeug@0.11.1"]);
}
