//! Reads `pdm.lock`, versions 2 to 4.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::pyproject::{Direct, Project};
use super::python::{Reading, Source, file_name, requirement, shown};
use super::python_graph::{Need, Needs, Tree};
use super::python_range::allows;
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::{Hash, Scope};
use crate::sbom::tree::Found;

const REMEDY: &str = "run `pdm lock` and look at it";

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    package: Vec<WirePackage>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    lock_version: Option<String>,
    groups: Option<Vec<String>>,
    /// Files by `name version`, before version 4.3.
    #[serde(default)]
    files: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
struct WirePackage {
    name: String,
    version: Option<String>,
    /// What a package needs with extras stands in an entry of its own.
    #[serde(default)]
    extras: Vec<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    /// Where metadata are inherited: the groups that need it.
    groups: Option<Vec<String>>,
    #[serde(default)]
    files: Vec<File>,
    git: Option<String>,
    hg: Option<String>,
    svn: Option<String>,
    bzr: Option<String>,
    r#ref: Option<String>,
    revision: Option<String>,
    subdirectory: Option<String>,
    url: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
struct File {
    file: Option<String>,
    url: Option<String>,
    hash: String,
}

/// What the lock file `found` says; the project beside it is the product.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let reading = Reading { path: &found.relative, remedy: REMEDY };
    let wire: Wire = reading.toml(text)?;
    let Some(metadata) = &wire.metadata else { return Err(reading.fault("has no `metadata`, so it is cut")) };
    let version = metadata.lock_version.as_deref().unwrap_or_default();
    if !matches!(version.split('.').next(), Some("2" | "3" | "4")) {
        let version = shown(version);
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{}` is a lock file of PDM of version `{version}`; versions 2 to 4 are read", found.relative),
        ));
    }
    let project = Project::open(&found.folder)?;
    let mut tree = Tree::default();
    // an entry with extras is the package of the entry without them
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut entries = Vec::with_capacity(wire.package.len());
    let mut seen = BTreeSet::new();
    for wire in &wire.package {
        let mut package = reading.package(&wire.name, wire.version.as_deref(), source(wire))?;
        if package.version.is_none() && package.origin != Origin::Local {
            return Err(reading.fault(format_args!("has `{}` without a version", package.name)));
        }
        if !seen.insert((package.purl.clone(), &wire.extras)) {
            return Err(reading.fault(format_args!("has `{}` twice", package.name)));
        }
        let listed = format!("{} {}", wire.name, wire.version.as_deref().unwrap_or_default());
        for file in wire.files.iter().chain(metadata.files.get(&listed).into_iter().flatten()) {
            package.files.extend(hash(reading, &package.name, file)?);
        }
        if let Some(groups) = &wire.groups {
            package.scope = scope(groups, project.as_ref());
        }
        entries.push(match places.get(&package.purl) {
            Some(&place) => {
                unite(&mut tree, place, package);
                place
            }
            None => {
                let key = package.purl.clone();
                let place = tree.push(package, Needs::default());
                places.insert(key, place);
                place
            }
        });
    }
    let by_name = tree.by_name(reading)?;
    for (wire, &place) in wire.package.iter().zip(&entries) {
        let found = needs(reading, &tree.packages, &by_name, wire, place)?;
        let Some(needs) = tree.needs.get_mut(place) else { continue };
        if wire.extras.is_empty() {
            needs.always.extend(found);
        } else {
            for extra in &wire.extras {
                needs.extras.entry(reading.name(extra)?).or_default().extend(found.iter().cloned());
            }
        }
    }
    // a lock file may be of some groups alone
    let locked_default = metadata.groups.as_ref().is_none_or(|groups| groups.iter().any(|g| g == "default"));
    let may_lack = |direct: &Direct| direct.scope != Scope::Required || !locked_default;
    let (product, unnamed) = tree.add_root(reading, project.as_ref(), &may_lack)?;
    let told: Vec<Scope> = tree.packages.iter().map(|p| p.scope).collect();
    tree.set_scopes(product, &unnamed);
    for (wire, place) in wire.package.iter().zip(entries) {
        if let (Some(_), Some(package), Some(told)) = (&wire.groups, tree.packages.get_mut(place), told.get(place)) {
            package.scope = *told;
        }
    }
    Ok(tree.into_lock(&found.relative, product, &unnamed))
}

fn unite(tree: &mut Tree, place: usize, package: Package) {
    let Some(known) = tree.packages.get_mut(place) else { return };
    known.files.extend(package.files);
    known.scope = known.scope.min(package.scope);
}

/// The scope that groups tell; without a manifest, a group is one of optional packages for all that is known.
fn scope(groups: &[String], project: Option<&Project>) -> Scope {
    let of = |group: &String| match project {
        _ if group == "default" => Scope::Required,
        Some(project) if !project.extras.contains(group) => Scope::Excluded,
        _ => Scope::Optional,
    };
    groups.iter().map(of).min().unwrap_or(Scope::Required)
}

fn source(wire: &WirePackage) -> Source<'_> {
    let repositories = [("git", &wire.git), ("hg", &wire.hg), ("svn", &wire.svn), ("bzr", &wire.bzr)];
    for (kind, url) in repositories {
        if let Some(url) = url {
            let revision = wire.revision.as_deref().or(wire.r#ref.as_deref());
            return Source::Repository { kind, url, revision, folder: wire.subdirectory.as_deref() };
        }
    }
    match (&wire.path, &wire.url) {
        (Some(_), _) => Source::Tree,
        (None, Some(url)) => Source::File(url),
        (None, None) => Source::Index(""),
    }
}

fn hash(reading: Reading<'_>, package: &str, file: &File) -> Result<Option<(String, Hash)>> {
    let address = file.file.as_ref().or(file.url.as_ref()).map_or("", String::as_str);
    Ok(reading.hash(package, &file.hash)?.map(|hash| (file_name(address).to_owned(), hash)))
}

/// What an entry needs beside the package itself.
fn needs(
    reading: Reading<'_>,
    packages: &[Package],
    by_name: &BTreeMap<String, Vec<usize>>,
    wire: &WirePackage,
    own: usize,
) -> Result<Vec<Need>> {
    let mut found = Vec::new();
    for text in &wire.dependencies {
        let Some(required) = requirement(text) else {
            return Err(reading.fault(format_args!(
                "says that `{}` needs `{}`, which is no requirement",
                shown(&wire.name),
                shown(text)
            )));
        };
        let places = by_name.get(&required.name).map(Vec::as_slice).unwrap_or_default();
        // what a marker leaves out everywhere is not in the file
        if places.is_empty() && required.marker.is_none() {
            return Err(reading.fault(format_args!(
                "says that `{}` needs `{}`, which it does not hold",
                shown(&wire.name),
                required.name
            )));
        }
        let version = |place: usize| packages.get(place).and_then(|p| p.version.as_deref());
        let allowed = |place: &&usize| version(**place).is_none_or(|version| allows(required.specifier, version));
        let meant: Vec<usize> = places.iter().filter(allowed).copied().collect();
        let meant = if meant.is_empty() { places.to_vec() } else { meant };
        let others = meant.into_iter().filter(|place| *place != own);
        found.extend(others.map(|package| Need { package, extras: required.extras.clone() }));
    }
    Ok(found)
}
