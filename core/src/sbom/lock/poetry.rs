//! Reads `poetry.lock`, versions 1.0 to 2.1.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::pyproject::{Direct, PoetryNeed, Project};
use super::python::{Reading, Source, leading_name, name, shown};
use super::python_graph::{Need, Needs, Tree};
use super::python_range::allows;
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Package};
use crate::sbom::model::{Hash, Scope};
use crate::sbom::tree::Found;

const REMEDY: &str = "run `poetry lock` and look at it";

/// What Poetry before 1.2 took for a part of every environment, and left out.
const LEFT_OUT: [&str; 4] = ["distribute", "pip", "setuptools", "wheel"];

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    package: Vec<WirePackage>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Metadata {
    lock_version: Option<String>,
    /// Files by the name of their package, before version 2.
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
    /// Before version 1.
    hashes: Option<toml::Value>,
}

#[derive(Deserialize)]
struct WirePackage {
    name: String,
    version: String,
    /// Before version 2.
    category: Option<String>,
    /// Since version 2.1.
    groups: Option<Vec<String>>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    files: Vec<File>,
    #[serde(default)]
    dependencies: BTreeMap<String, PoetryNeed>,
    #[serde(default)]
    extras: BTreeMap<String, Vec<String>>,
    source: Option<WireSource>,
}

#[derive(Deserialize)]
struct WireSource {
    r#type: Option<String>,
    url: String,
    reference: Option<String>,
    resolved_reference: Option<String>,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct File {
    file: String,
    hash: String,
}

/// What the lock file `found` says; the project beside it is the product.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let reading = Reading { path: &found.relative, remedy: REMEDY };
    let wire: Wire = reading.toml(text)?;
    let Some(metadata) = &wire.metadata else {
        return Err(reading.fault("has no `metadata`, which ends it, so it is cut"));
    };
    let version = metadata.lock_version.as_deref().unwrap_or("1.0");
    if !matches!(version.split('.').next(), Some("1" | "2")) || metadata.hashes.is_some() {
        let version = if metadata.hashes.is_some() { "0" } else { version };
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` is a lock file of Poetry of version {}; versions 1.0 to 2.1 are read",
                found.relative,
                shown(version)
            ),
        ));
    }
    let mut tree = Tree::default();
    let mut seen = BTreeSet::new();
    for wire in &wire.package {
        let mut package = reading.package(&wire.name, Some(&wire.version), source(wire))?;
        package.files = files(reading, &package, &wire.files)?;
        if !seen.insert(package.purl.clone()) {
            return Err(reading.fault(format_args!("has `{} {}` twice", package.name, shown(&wire.version))));
        }
        tree.push(package, Needs::default());
    }
    let by_name = tree.by_name(reading)?;
    add_listed_files(reading, &mut tree, &by_name, &metadata.files)?;
    let lookup = Lookup { reading, wires: &wire.package, by_name };
    for (wire, needs) in wire.package.iter().zip(&mut tree.needs) {
        *needs = lookup.needs(wire)?;
    }
    let project = Project::open(&found.folder)?;
    let may_lack = |direct: &Direct| LEFT_OUT.contains(&&*direct.name);
    let (product, unnamed) = tree.add_root(reading, project.as_ref(), &may_lack)?;
    tree.set_scopes(product, &unnamed);
    for (package, wire) in tree.packages.iter_mut().zip(&wire.package) {
        let at_most = if wire.optional { Scope::Optional } else { Scope::Required };
        package.scope = scope(wire).unwrap_or(package.scope.max(at_most));
    }
    Ok(tree.into_lock(&found.relative, product, &unnamed))
}

/// The scope that the file tells.
fn scope(wire: &WirePackage) -> Option<Scope> {
    let main = match (&wire.groups, wire.category.as_deref()) {
        (Some(groups), _) => groups.iter().any(|group| group == "main"),
        (None, Some(category)) => category == "main",
        (None, None) => return None,
    };
    Some(match (main, wire.optional) {
        (false, _) => Scope::Excluded,
        (true, true) => Scope::Optional,
        (true, false) => Scope::Required,
    })
}

fn source(wire: &WirePackage) -> Source<'_> {
    let Some(source) = &wire.source else { return Source::Index("") };
    match source.r#type.as_deref() {
        Some("directory" | "file") => Source::Tree,
        Some("url") => Source::File(&source.url),
        Some("git") => Source::Repository {
            kind: "git",
            url: &source.url,
            revision: source.resolved_reference.as_deref().or(source.reference.as_deref()),
            folder: source.subdirectory.as_deref(),
        },
        _ => Source::Index(&source.url),
    }
}

fn files(reading: Reading<'_>, package: &Package, files: &[File]) -> Result<Vec<(String, Hash)>> {
    let mut hashes = Vec::with_capacity(files.len());
    for File { file, hash } in files {
        // Poetry 1.0 wrote a bare SHA-256
        let hash = match hash.contains(':') {
            true => reading.hash(&package.name, hash)?,
            false => reading.hash_by(&package.name, "sha256", hash)?,
        };
        hashes.extend(hash.map(|hash| (file.clone(), hash)));
    }
    Ok(hashes)
}

/// Files that stand in the metadata, by name alone: of several versions, each has those with its version in their name.
fn add_listed_files(
    reading: Reading<'_>,
    tree: &mut Tree,
    by_name: &BTreeMap<String, Vec<usize>>,
    listed: &BTreeMap<String, Vec<File>>,
) -> Result<()> {
    for (named, list) in listed {
        let Some(places) = by_name.get(&reading.name(named)?) else {
            return Err(reading.fault(format_args!("has files of `{}`, which it does not hold", shown(named))));
        };
        for place in places {
            let Some(package) = tree.packages.get_mut(*place) else { continue };
            let mut hashes = files(reading, package, list)?;
            let version = package.version.as_deref().unwrap_or_default();
            hashes.retain(|(file, _)| places.len() == 1 || is_of_version(file, version));
            package.files.extend(hashes);
        }
    }
    Ok(())
}

fn is_of_version(file: &str, version: &str) -> bool {
    file.match_indices(&format!("-{version}")).any(|(at, found)| {
        let rest = file.get(at + found.len()..).unwrap_or_default();
        rest.starts_with('-') || [".tar", ".zip", ".tgz"].iter().any(|end| rest.starts_with(end))
    })
}

struct Lookup<'a> {
    reading: Reading<'a>,
    wires: &'a [WirePackage],
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Lookup<'_> {
    fn needs(&self, wire: &WirePackage) -> Result<Needs> {
        let mut needs = Needs::default();
        let mut optional = BTreeMap::new();
        for (key, need) in &wire.dependencies {
            let named = self.reading.name(key)?;
            let tables = need.tables();
            let is_optional = !tables.is_empty() && tables.iter().all(|table| table.optional);
            let Some(places) = self.by_name.get(&named) else {
                if is_optional || need.is_conditional() || LEFT_OUT.contains(&&*named) {
                    continue;
                }
                return Err(self
                    .reading
                    .fault(format_args!("says that `{}` needs `{named}`, which it does not hold", shown(&wire.name))));
            };
            let extras: Vec<String> = tables.iter().flat_map(|t| &t.extras).filter_map(|extra| name(extra)).collect();
            let meant = self.meant(places, need).into_iter();
            let found: Vec<Need> = meant.map(|package| Need { package, extras: extras.clone() }).collect();
            if is_optional {
                optional.insert(named, found);
            } else {
                needs.always.extend(found);
            }
        }
        for (extra, requirements) in &wire.extras {
            // its ranges are those of Poetry, which are not all of PEP 508
            let required = requirements.iter().filter_map(|text| leading_name(text));
            let found = required.filter_map(|(name, _)| optional.get(&name)).flatten().cloned().collect();
            needs.extras.insert(self.reading.name(extra)?, found);
        }
        Ok(needs)
    }

    /// Of several versions those that the ranges allow; all if no range does.
    fn meant(&self, places: &[usize], need: &PoetryNeed) -> Vec<usize> {
        let allowed = |version: &str| match need {
            PoetryNeed::Range(range) => allows(range, version),
            need => need.tables().iter().any(|t| t.version.as_deref().is_none_or(|range| allows(range, version))),
        };
        let within = |place: &&usize| self.wires.get(**place).is_some_and(|wire| allowed(&wire.version));
        let meant: Vec<usize> = places.iter().filter(within).copied().collect();
        if meant.is_empty() { places.to_vec() } else { meant }
    }
}
