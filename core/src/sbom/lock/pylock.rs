//! Reads `pylock.toml`, version 1 (PEP 751).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::pyproject::{Direct, Project};
use super::python::{Reading, Source, file_name, shown};
use super::python_graph::{Need, Needs, Tree};
use super::python_marker::{Chosen, may_hold};
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::LockFile;
use crate::sbom::model::{Hash, Scope};
use crate::sbom::tree::Found;

const REMEDY: &str = "lock again with the tool that made it and look at it";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Versioned {
    lock_version: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Wire {
    packages: Vec<WirePackage>,
    #[serde(default)]
    default_groups: Vec<String>,
}

#[derive(Deserialize)]
struct WirePackage {
    name: String,
    version: Option<String>,
    marker: Option<String>,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    index: Option<String>,
    vcs: Option<Repository>,
    directory: Option<Folder>,
    archive: Option<File>,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
}

/// Keys of the package that is meant, as many as tell it apart.
#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
    index: Option<String>,
    vcs: Option<Repository>,
    directory: Option<Folder>,
    archive: Option<File>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Repository {
    r#type: Option<String>,
    url: Option<String>,
    path: Option<String>,
    commit_id: Option<String>,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct Folder {
    path: Option<String>,
}

#[derive(Deserialize)]
struct File {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

/// What the lock file `found` says; the project beside it is the product.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let reading = Reading { path: &found.relative, remedy: REMEDY };
    let wire = parse(reading, text)?;
    let mut tree = Tree::default();
    for wire in &wire.packages {
        let mut package = reading.package(&wire.name, wire.version.as_deref(), source(reading, wire)?)?;
        let is_release = wire.vcs.is_none() && wire.directory.is_none() && wire.archive.is_none();
        if package.version.is_none() && is_release {
            return Err(reading.fault(format_args!("has `{}` without a version", package.name)));
        }
        for file in wire.archive.iter().chain(&wire.sdist).chain(&wire.wheels) {
            package.files.extend(hashes(reading, &package.name, file)?);
        }
        tree.push(package, Needs::default());
    }
    let by_name = tree.by_name(reading)?;
    for (user, needs) in wire.packages.iter().zip(&mut tree.needs) {
        for dependency in &user.dependencies {
            let places = by_name.get(&reading.name(&dependency.name)?).map(Vec::as_slice).unwrap_or_default();
            let mut meant = places.iter().filter(|p| wire.packages.get(**p).is_some_and(|w| dependency.means(w)));
            match (meant.next(), meant.next()) {
                (Some(&place), None) => needs.always.push(Need::of(place)),
                (found, _) => {
                    let fault = if found.is_some() { "more than one package is" } else { "it does not hold" };
                    let (user, name) = (shown(&user.name), shown(&dependency.name));
                    return Err(reading.fault(format_args!("says that `{user}` needs `{name}`, which {fault}")));
                }
            }
        }
    }
    let project = Project::open(&found.folder)?;
    // one with a name of its own may be of some groups alone
    let is_named = !found.path.ends_with("pylock.toml");
    let may_lack = |direct: &Direct| is_named || direct.scope != Scope::Required;
    let (product, unnamed) = tree.add_root(reading, project.as_ref(), &may_lack)?;
    let of = |all_extras| Chosen { all_extras, groups: &wire.default_groups };
    for (wire, package) in wire.packages.iter().zip(&mut tree.packages) {
        package.scope = match wire.marker.as_deref() {
            None => Scope::Required,
            Some(marker) if may_hold(marker, &of(false)) => Scope::Required,
            Some(marker) if may_hold(marker, &of(true)) => Scope::Optional,
            Some(_) => Scope::Excluded,
        };
    }
    Ok(tree.into_lock(&found.relative, product, &unnamed))
}

fn parse(reading: Reading<'_>, text: &str) -> Result<Wire> {
    let versioned: Versioned = reading.toml(text)?;
    match versioned.lock_version {
        Some(toml::Value::String(version)) if version == "1" || version.starts_with("1.") => reading.toml(text),
        None => Err(reading.fault("has no `lock-version`, so it is cut")),
        Some(version) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` is a lock file of PEP 751 of version {}; version 1 is read",
                reading.path,
                shown(&version.to_string())
            ),
        )),
    }
}

impl Dependency {
    fn means(&self, package: &WirePackage) -> bool {
        fn same<T: PartialEq>(given: Option<&T>, has: Option<&T>) -> bool {
            given.is_none_or(|given| has == Some(given))
        }
        let vcs = self.vcs.as_ref().is_none_or(|given| {
            package.vcs.as_ref().is_some_and(|has| {
                same(given.url.as_ref(), has.url.as_ref())
                    && same(given.path.as_ref(), has.path.as_ref())
                    && same(given.commit_id.as_ref(), has.commit_id.as_ref())
                    && same(given.subdirectory.as_ref(), has.subdirectory.as_ref())
            })
        });
        let folder = |folder: &Folder| folder.path.clone();
        let directory =
            self.directory.as_ref().is_none_or(|d| package.directory.as_ref().is_some_and(|p| folder(p) == folder(d)));
        let archive = self.archive.as_ref().is_none_or(|given| {
            package.archive.as_ref().is_some_and(|has| {
                same(given.url.as_ref(), has.url.as_ref()) && same(given.path.as_ref(), has.path.as_ref())
            })
        });
        same(self.version.as_ref(), package.version.as_ref())
            && same(self.index.as_ref(), package.index.as_ref())
            && vcs
            && directory
            && archive
    }
}

fn source<'a>(reading: Reading<'_>, wire: &'a WirePackage) -> Result<Source<'a>> {
    let release = wire.sdist.is_some() || !wire.wheels.is_empty();
    let told = [wire.vcs.is_some(), wire.directory.is_some(), wire.archive.is_some(), release];
    // PEP 751: these are mutually exclusive
    if told.iter().filter(|is| **is).count() != 1 {
        return Err(reading.fault(format_args!("does not say from where `{}` comes", shown(&wire.name))));
    }
    Ok(match wire {
        WirePackage { vcs: Some(vcs), .. } => match &vcs.url {
            Some(url) => Source::Repository {
                kind: vcs.r#type.as_deref().unwrap_or("git"),
                url,
                revision: vcs.commit_id.as_deref(),
                folder: vcs.subdirectory.as_deref(),
            },
            None => Source::Tree,
        },
        WirePackage { archive: Some(File { url: Some(url), .. }), .. } => Source::File(url),
        WirePackage { archive: Some(_), .. } | WirePackage { directory: Some(_), .. } => Source::Tree,
        WirePackage { index, .. } => Source::Index(index.as_deref().unwrap_or_default()),
    })
}

fn hashes(reading: Reading<'_>, package: &str, file: &File) -> Result<Vec<(String, Hash)>> {
    let address = file.name.as_ref().or(file.url.as_ref()).or(file.path.as_ref()).map_or("", String::as_str);
    let found = file.hashes.iter().map(|(alg, content)| reading.hash_by(package, alg, content));
    let found = found.collect::<Result<Vec<_>>>()?;
    Ok(found.into_iter().flatten().map(|hash| (file_name(address).to_owned(), hash)).collect())
}
