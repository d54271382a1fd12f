//! Reads `uv.lock`, version 1 of all revisions.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::pyproject::Project;
use super::python::{Reading, Source, file_name, shown};
use super::python_graph::{Need, Needs, Tree};
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin};
use crate::sbom::model::Hash;
use crate::sbom::tree::Found;

const REMEDY: &str = "run `uv lock` and look at it";

#[derive(Deserialize)]
struct Versioned {
    version: Option<toml::Value>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    manifest: Manifest,
    // its name before version 1 was settled
    #[serde(default, alias = "distribution")]
    package: Vec<WirePackage>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Manifest {
    members: Vec<String>,
    requirements: Vec<Requirement>,
    dependency_groups: BTreeMap<String, Vec<Requirement>>,
}

/// What a script or a root without a project asks for.
#[derive(Deserialize)]
struct Requirement {
    name: String,
    #[serde(default)]
    extras: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WirePackage {
    name: String,
    version: Option<String>,
    source: WireSource,
    #[serde(default)]
    dependencies: Vec<Dependency>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<Dependency>>,
    #[serde(default, alias = "dependency-groups")]
    dev_dependencies: BTreeMap<String, Vec<Dependency>>,
    sdist: Option<File>,
    #[serde(default)]
    wheels: Vec<File>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(default)]
struct WireSource {
    registry: Option<String>,
    git: Option<String>,
    url: Option<String>,
    path: Option<String>,
    directory: Option<String>,
    editable: Option<String>,
    r#virtual: Option<String>,
    subdirectory: Option<String>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    version: Option<String>,
    source: Option<WireSource>,
    #[serde(default)]
    extra: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    url: Option<String>,
    path: Option<String>,
    filename: Option<String>,
    hash: Option<String>,
}

/// What the lock file `found` says; the project beside it adds its licence.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let reading = Reading { path: &found.relative, remedy: REMEDY };
    let wire = parse(reading, text)?;
    let project = Project::open(&found.folder)?;
    let mut tree = Tree::default();
    let mut seen = BTreeSet::new();
    for wire in &wire.package {
        if !seen.insert((&wire.name, &wire.version, &wire.source)) {
            return Err(reading.fault(format_args!("has `{}` twice", shown(&wire.name))));
        }
        let source = source(reading, wire)?;
        let mut package = reading.package(&wire.name, wire.version.as_deref(), source)?;
        if package.version.is_none() && package.origin != Origin::Local {
            return Err(reading.fault(format_args!("has `{}` without a version", package.name)));
        }
        for file in wire.sdist.iter().chain(&wire.wheels) {
            package.files.extend(hash(reading, &package.name, file)?);
        }
        tree.push(package, Needs::default());
    }
    let lookup = Lookup { reading, wires: &wire.package, by_name: tree.by_name(reading)? };
    for (wire, needs) in wire.package.iter().zip(&mut tree.needs) {
        needs.always = lookup.all(&wire.name, &wire.dependencies)?;
        for (extra, dependencies) in &wire.optional_dependencies {
            needs.extras.insert(reading.name(extra)?, lookup.all(&wire.name, dependencies)?);
        }
        for dependencies in wire.dev_dependencies.values() {
            needs.groups.extend(lookup.all(&wire.name, dependencies)?);
        }
    }
    for member in &wire.manifest.members {
        lookup.places(member, "the workspace")?;
    }
    let mut unnamed = Needs::default();
    for requirement in &wire.manifest.requirements {
        unnamed.always.extend(lookup.asked(requirement)?);
    }
    for requirement in wire.manifest.dependency_groups.values().flatten() {
        unnamed.groups.extend(lookup.asked(requirement)?);
    }
    let product = product(reading, &wire.package, &tree, project.as_ref())?;
    if let (Some(project), Some(package)) = (&project, product.and_then(|p| tree.packages.get_mut(p))) {
        package.licenses = project.licenses();
    }
    tree.set_scopes(product, &unnamed);
    Ok(tree.into_lock(&found.relative, product, &unnamed))
}

fn parse(reading: Reading<'_>, text: &str) -> Result<Wire> {
    let versioned: Versioned = reading.toml(text)?;
    match versioned.version {
        Some(toml::Value::Integer(1)) => reading.toml(text),
        None => Err(reading.fault("has no `version`, so it is cut")),
        Some(version) => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` is a lock file of uv of version {}; version 1 is read",
                reading.path,
                shown(&version.to_string())
            ),
        )),
    }
}

/// The package at the lock file's own folder; it must be there if there is a project.
fn product(
    reading: Reading<'_>,
    wires: &[WirePackage],
    tree: &Tree,
    project: Option<&Project>,
) -> Result<Option<usize>> {
    let here = |source: &WireSource| {
        let path = source.editable.as_ref().or(source.r#virtual.as_ref()).or(source.directory.as_ref());
        path.is_some_and(|path| path.trim_start_matches("./").is_empty() || path == ".")
    };
    let product = wires.iter().position(|wire| here(&wire.source));
    let found = product.and_then(|p| tree.packages.get(p));
    match project.and_then(|p| Some((p, p.name.as_deref()?))) {
        Some((project, named)) if found.is_none_or(|package| !project.is_named(&package.name)) => {
            Err(reading.fault(format_args!(
                "lacks the project `{}` of the `pyproject.toml` beside it, so it is cut or stale",
                shown(named)
            )))
        }
        _ => Ok(product),
    }
}

fn source<'a>(reading: Reading<'_>, wire: &'a WirePackage) -> Result<Source<'a>> {
    let s = &wire.source;
    let fields = [&s.registry, &s.git, &s.url, &s.path, &s.directory, &s.editable, &s.r#virtual];
    if fields.iter().filter(|field| field.is_some()).count() != 1 {
        return Err(reading.fault(format_args!("does not say from where `{}` comes", shown(&wire.name))));
    }
    Ok(match s {
        WireSource { registry: Some(url), .. } => Source::Index(url),
        WireSource { git: Some(url), .. } => {
            let (url, revision) = url.split_once('#').map_or((url.as_str(), None), |(url, at)| (url, Some(at)));
            Source::Repository { kind: "git", url, revision, folder: s.subdirectory.as_deref() }
        }
        WireSource { url: Some(url), .. } => Source::File(url),
        _ => Source::Tree,
    })
}

fn hash(reading: Reading<'_>, package: &str, file: &File) -> Result<Option<(String, Hash)>> {
    let Some(hash) = &file.hash else { return Ok(None) };
    let address = file.filename.as_ref().or(file.url.as_ref()).or(file.path.as_ref()).map_or("", String::as_str);
    Ok(reading.hash(package, hash)?.map(|hash| (file_name(address).to_owned(), hash)))
}

struct Lookup<'a> {
    reading: Reading<'a>,
    wires: &'a [WirePackage],
    by_name: BTreeMap<String, Vec<usize>>,
}

impl Lookup<'_> {
    fn all(&self, user: &str, dependencies: &[Dependency]) -> Result<Vec<Need>> {
        dependencies.iter().map(|dependency| self.find(user, dependency)).collect()
    }

    /// The packages named `name`, at least one.
    fn places(&self, name: &str, user: &str) -> Result<&[usize]> {
        match self.by_name.get(&self.reading.name(name)?) {
            Some(places) => Ok(places),
            None => Err(self.reading.fault(format_args!(
                "says that `{}` needs `{}`, which it does not hold",
                shown(user),
                shown(name)
            ))),
        }
    }

    /// The one package that `dependency` means: uv names version and source where there are several of a name.
    fn find(&self, user: &str, dependency: &Dependency) -> Result<Need> {
        let mut meant = self.places(&dependency.name, user)?.iter().copied().filter(|&place| {
            self.wires.get(place).is_some_and(|wire| {
                dependency.version.as_ref().is_none_or(|v| wire.version.as_ref() == Some(v))
                    && dependency.source.as_ref().is_none_or(|s| *s == wire.source)
            })
        });
        let extras = dependency.extra.iter().map(|extra| self.reading.name(extra)).collect::<Result<_>>()?;
        match (meant.next(), meant.next()) {
            (Some(package), None) => Ok(Need { package, extras }),
            (found, _) => {
                let fault = if found.is_some() { "more than one package is" } else { "it does not hold" };
                let version = dependency.version.as_deref().unwrap_or_default();
                let (user, name) = (shown(user), shown(&dependency.name));
                Err(self
                    .reading
                    .fault(format_args!("says that `{user}` needs `{name} {}`, which {fault}", shown(version))))
            }
        }
    }

    /// All packages of a name: a requirement of the root tells no version.
    fn asked(&self, requirement: &Requirement) -> Result<Vec<Need>> {
        let extras = requirement.extras.iter().map(|e| self.reading.name(e)).collect::<Result<Vec<_>>>()?;
        let places = self.places(&requirement.name, "the root")?;
        Ok(places.iter().map(|&package| Need { package, extras: extras.clone() }).collect())
    }
}
