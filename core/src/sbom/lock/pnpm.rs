//! Reads `pnpm-lock.yaml`, versions 5.0 to 5.4, 6 and 9.
//!
//! A package that is there several times, with other peers each, is one package of the BOM that needs what any of them
//! needs. Since pnpm 11 a document before the lock file itself holds pnpm and its plugins, which count as development.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::package_json::{self, Manifest, normal};
use super::pnpm_key::Form;
use super::scope::{self, Need};
use super::{integrity, npm, yaml};
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::Scope;
use crate::sbom::purl;
use crate::sbom::tree::Found;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    lockfile_version: String,
    #[serde(default)]
    importers: BTreeMap<String, Importer>,
    #[serde(default)]
    packages: BTreeMap<String, Entry>,
    /// What packages need, since version 9.
    #[serde(default)]
    snapshots: BTreeMap<String, Entry>,
    // of the only project, before version 9
    #[serde(default)]
    dependencies: References,
    #[serde(default)]
    optional_dependencies: References,
    #[serde(default)]
    dev_dependencies: References,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionAlone {
    lockfile_version: String,
}

/// A project of the workspace.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Importer {
    dependencies: References,
    optional_dependencies: References,
    dev_dependencies: References,
    config_dependencies: References,
    package_manager_dependencies: References,
    publish_directory: Option<String>,
}

impl Importer {
    fn needs_nothing(&self) -> bool {
        [&self.dependencies, &self.optional_dependencies, &self.dev_dependencies].iter().all(|needs| needs.is_empty())
    }
}

type References = BTreeMap<String, Reference>;

/// What a project's dependency was resolved to; since version 6 beside what was asked for.
#[derive(Deserialize)]
#[serde(untagged)]
enum Reference {
    Alone(String),
    Beside { version: String },
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    name: Option<String>,
    version: Option<String>,
    resolution: Option<Resolution>,
    dependencies: BTreeMap<String, String>,
    optional_dependencies: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resolution {
    #[serde(rename = "type")]
    kind: Option<String>,
    integrity: Option<String>,
    tarball: Option<String>,
    registry: Option<String>,
    directory: Option<String>,
    repo: Option<String>,
    commit: Option<String>,
    url: Option<String>,
}

/// The settings of a workspace that names of registries stand in.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    named_registries: BTreeMap<String, String>,
}

/// What the lock file `found` says; names, versions and licences of projects come from their manifests.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let documents = parse(&found.relative, text)?;
    let mut reader = Reader::new(found);
    // what stands before the last document is not of the projects, whose manifests ask for more
    for (_, document) in documents.iter().rev() {
        for (folder, importer) in &document.importers {
            reader.project(folder, importer)?;
        }
    }
    for (form, document) in &documents {
        reader.document(*form, document)?;
    }
    let Reader { mut packages, needs, projects, unnamed, .. } = reader;
    let named: Vec<usize> = projects.values().copied().flatten().collect();
    scope::assign(&mut packages, &needs, &named, &unnamed);
    Ok(LockFile {
        path: found.relative.clone(),
        packages,
        product: projects.get("").copied().flatten(),
        unnamed_needs: unnamed.iter().map(|need| need.place).collect(),
    })
}

fn parse(path: &str, text: &str) -> Result<Vec<(Form, Wire)>> {
    let wires: Vec<Wire> = yaml::documents(text, 2).map_err(|fault| {
        let versions: Vec<VersionAlone> = yaml::documents(text, 2).unwrap_or_default();
        match versions.iter().find(|v| Form::of_version(&v.lockfile_version).is_none()) {
            Some(VersionAlone { lockfile_version }) => unknown_version(path, lockfile_version),
            None => malformed(path, format_args!("is no whole lock file of pnpm: {fault}")),
        }
    })?;
    if wires.is_empty() {
        return Err(malformed(path, "is empty"));
    }
    let mut documents = Vec::new();
    for mut wire in wires {
        let form = Form::of_version(&wire.lockfile_version);
        let form = form.ok_or_else(|| unknown_version(path, &wire.lockfile_version))?;
        if wire.importers.is_empty() && form != Form::At {
            let only = Importer {
                dependencies: std::mem::take(&mut wire.dependencies),
                optional_dependencies: std::mem::take(&mut wire.optional_dependencies),
                dev_dependencies: std::mem::take(&mut wire.dev_dependencies),
                ..Importer::default()
            };
            wire.importers.insert(".".to_owned(), only);
        }
        if wire.importers.is_empty() {
            return Err(malformed(path, "has no project, so it is cut"));
        }
        documents.push((form, wire));
    }
    Ok(documents)
}

struct Reader<'a> {
    found: &'a Found,
    path: &'a str,
    packages: Vec<Package>,
    needs: Vec<Vec<Need>>,
    /// Places of projects by their folders; none for that of the root if it has no name.
    projects: BTreeMap<String, Option<usize>>,
    /// Places of what else links lead to, and folders that projects publish.
    linked: BTreeMap<String, Option<usize>>,
    /// What the project of the root needs, if it has no name.
    unnamed: Vec<Need>,
    registries: Option<BTreeMap<String, String>>,
}

impl<'a> Reader<'a> {
    fn new(found: &'a Found) -> Self {
        Self {
            found,
            path: &found.relative,
            packages: Vec::new(),
            needs: Vec::new(),
            projects: BTreeMap::new(),
            linked: BTreeMap::new(),
            unnamed: Vec::new(),
            registries: None,
        }
    }

    fn add(&mut self, package: Package) -> usize {
        self.packages.push(package);
        self.needs.push(Vec::new());
        self.packages.len() - 1
    }

    fn project(&mut self, folder: &str, importer: &Importer) -> Result<()> {
        let folder = normal("", folder);
        if self.projects.contains_key(&folder) {
            return Ok(());
        }
        let manifest = Manifest::read(self.found, &folder)?.unwrap_or_default();
        if let (true, Some(name)) = (importer.needs_nothing(), manifest.asks_for()) {
            let (folder, name) = (if folder.is_empty() { "." } else { &folder }, name.escape_debug());
            let fault =
                format!("says that `{folder}` needs nothing, and its manifest asks for `{name}`; it is cut or stale");
            return Err(malformed(self.path, fault));
        }
        let place = match &manifest.name {
            None if folder.is_empty() => None,
            _ => Some(self.add(manifest.package(self.path, npm::name_of(&folder))?)),
        };
        if let Some(published) = &importer.publish_directory {
            self.linked.insert(normal(&folder, published), place);
        }
        self.projects.insert(folder, place);
        Ok(())
    }

    fn document(&mut self, form: Form, wire: &Wire) -> Result<()> {
        // by key, what a package is and what it needs
        let mut nodes: BTreeMap<&str, (&Entry, &Entry)> = BTreeMap::new();
        let none = Entry::default();
        let mut told = BTreeSet::new();
        for (key, snapshot) in &wire.snapshots {
            let id = form.without_peers(key);
            let of_folder = || form.parse(key).reference.filter(|r| r.starts_with("file:")).map(|_| &none);
            let Some(entry) = wire.packages.get(id).or_else(of_folder) else {
                let key = key.escape_debug();
                return Err(malformed(self.path, format_args!("says what `{key}` needs, and not what it is")));
            };
            told.insert(id);
            nodes.insert(key, (entry, snapshot));
        }
        for (key, entry) in wire.packages.iter().filter(|(key, _)| !told.contains(key.as_str())) {
            if form == Form::At {
                // a package that nothing can need, for it is not said what it needs itself
                let package = self.package(form, key, entry)?;
                self.add(package);
            } else {
                nodes.insert(key, (entry, entry));
            }
        }
        let mut places = BTreeMap::new();
        for (key, (entry, _)) in &nodes {
            let package = self.package(form, key, entry)?;
            places.insert(*key, self.add(package));
        }
        for (key, (_, wiring)) in &nodes {
            let Some(&user) = places.get(key) else { continue };
            for (scope, dependencies) in
                [(Scope::Required, &wiring.dependencies), (Scope::Optional, &wiring.optional_dependencies)]
            {
                for (name, reference) in dependencies {
                    let place = self.target(form, &places, key, "", (name, reference))?;
                    self.need(Some(user), place, scope);
                }
            }
        }
        for (folder, importer) in &wire.importers {
            let folder = normal("", folder);
            let user = self.projects.get(&folder).copied().flatten();
            for (scope, dependencies) in [
                (Scope::Required, &importer.dependencies),
                (Scope::Optional, &importer.optional_dependencies),
                (Scope::Excluded, &importer.dev_dependencies),
                (Scope::Excluded, &importer.config_dependencies),
                (Scope::Excluded, &importer.package_manager_dependencies),
            ] {
                for (name, Reference::Alone(version) | Reference::Beside { version }) in dependencies {
                    let who = if folder.is_empty() { "the root project" } else { &folder };
                    let place = self.target(form, &places, who, &folder, (name, version))?;
                    self.need(user, place, scope);
                }
            }
        }
        Ok(())
    }

    fn need(&mut self, user: Option<usize>, place: Option<usize>, scope: Scope) {
        let Some(place) = place else { return };
        match user.and_then(|user| self.needs.get_mut(user)) {
            Some(needs) => needs.push(Need { place, scope }),
            None => self.unnamed.push(Need { place, scope }),
        }
    }

    /// The package that `user`, in `folder`, means by a dependency; none for the root if it has no name.
    fn target(
        &mut self,
        form: Form,
        places: &BTreeMap<&str, usize>,
        user: &str,
        folder: &str,
        (name, reference): (&str, &str),
    ) -> Result<Option<usize>> {
        if let Some(link) = reference.strip_prefix("link:") {
            let target = normal(folder, link);
            if let Some(place) = self.projects.get(&target).or_else(|| self.linked.get(&target)) {
                return Ok(*place);
            }
            let manifest = Manifest::read(self.found, &target)?.unwrap_or_default();
            let place = self.add(manifest.package(self.path, name)?);
            self.linked.insert(target, Some(place));
            return Ok(Some(place));
        }
        let key = form.target(name, reference);
        places.get(key.as_str()).copied().map(Some).ok_or_else(|| {
            let (user, key) = (user.escape_debug(), key.escape_debug());
            malformed(self.path, format_args!("says that `{user}` needs `{key}`, which it does not hold"))
        })
    }

    fn package(&mut self, form: Form, key: &str, entry: &Entry) -> Result<Package> {
        let named = form.parse(key);
        let none = Resolution::default();
        let resolution = entry.resolution.as_ref().unwrap_or(&none);
        let path = self.path;
        let wrong = |what: &str| {
            let key = key.escape_debug();
            malformed(path, format_args!("has the package `{key}`, {what}"))
        };
        let name = || entry.name.as_deref().or(named.name).ok_or_else(|| wrong("which has no name"));
        let version = entry.version.as_deref().or(named.version);
        let file = named.reference.and_then(|r| r.strip_prefix("file:"));
        let folder = resolution.directory.as_deref().or_else(|| file.filter(|file| !is_archive(file)));
        let mut package = match resolution.kind.as_deref() {
            Some("directory") | None if folder.is_some() => {
                let folder = normal("", folder.unwrap_or_default());
                let manifest = Manifest::read(self.found, &folder)?.unwrap_or_default();
                let fallback = entry.name.as_deref().or(named.name).unwrap_or(npm::name_of(&folder));
                return manifest.package(self.path, fallback);
            }
            Some("git") => {
                let (Some(repo), Some(commit)) = (&resolution.repo, &resolution.commit) else {
                    return Err(wrong("of git without a repository and commit"));
                };
                let resolved = package_json::git(repo, commit);
                // no git checkout is ever held against a hash
                return package_json::package(self.path, name()?, version, Some(&resolved), Origin::Fetched);
            }
            // a runtime such as Node.js is no package of a registry, and has one archive for each platform
            Some("variations") => return self.runtime(name()?, named.reference, version, None),
            Some("binary") => self.runtime(name()?, named.reference, version, resolution.url.as_deref())?,
            Some(kind) => {
                let (key, kind) = (key.escape_debug(), kind.escape_debug());
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("`{path}` has `{key}` from a resolver of its own, `{kind}`; only those of pnpm are read"),
                ));
            }
            None => {
                if entry.resolution.is_none() {
                    return Err(wrong("which has no resolution"));
                }
                let name = name()?;
                let local = file.is_some() || resolution.tarball.as_deref().is_some_and(|t| t.starts_with("file:"));
                if local {
                    package_json::package(self.path, name, version, None, Origin::Local)?
                } else {
                    let resolved = match (&resolution.tarball, &resolution.registry, named.registry) {
                        (Some(tarball), ..) => Some(tarball.clone()).filter(|tarball| tarball.starts_with("http")),
                        (None, Some(registry), _) => Some(package_json::archive(registry, name)),
                        (None, None, Some(registry)) if form == Form::At => {
                            Some(package_json::archive(&self.registry(registry)?, name))
                        }
                        // the scheme is not written down, and registries have TLS
                        (None, None, Some(host)) => {
                            Some(package_json::archive(&format!("https://{}", host.replace('+', ":")), name))
                        }
                        (None, None, None) => None,
                    };
                    package_json::package(self.path, name, version, resolved.as_deref(), Origin::Fetched)?
                }
            }
        };
        if let Some(text) = &resolution.integrity {
            let of = |fault| wrong(&format!("with the integrity {fault}"));
            package.hashes = integrity::hashes(text).map_err(of)?;
        }
        Ok(package)
    }

    fn runtime(
        &self,
        name: &str,
        reference: Option<&str>,
        version: Option<&str>,
        url: Option<&str>,
    ) -> Result<Package> {
        let version = version.or_else(|| reference?.strip_prefix("runtime:"));
        let url = url.map(purl::public_url);
        let mut package = package_json::package(self.path, name, version, None, Origin::Fetched)?;
        package.purl = purl::of("generic", None, name, version, url.as_deref().map(|url| ("download_url", url)))?;
        Ok(package)
    }

    /// The address of the registry that the settings beside the lock file call `name`.
    fn registry(&mut self, name: &str) -> Result<String> {
        if self.registries.is_none() {
            let settings: Settings = yaml::settings(&self.found.folder.join("pnpm-workspace.yaml"))?;
            self.registries = Some(settings.named_registries);
        }
        let known = self.registries.as_ref().and_then(|registries| registries.get(name).cloned());
        let built_in = match name {
            "npmjs" => Some("https://registry.npmjs.org"),
            "gh" => Some("https://npm.pkg.github.com"),
            _ => None,
        };
        known.or_else(|| built_in.map(str::to_owned)).ok_or_else(|| {
            let name = name.escape_debug();
            super::malformed(
                self.path,
                format_args!(
                    "has packages of the registry `{name}`, and no `pnpm-workspace.yaml` beside it says which that is"
                ),
                "put its address under `namedRegistries`",
            )
        })
    }
}

fn is_archive(file: &str) -> bool {
    [".tgz", ".tar.gz", ".tar"].iter().any(|ending| file.to_ascii_lowercase().ends_with(ending))
}

fn unknown_version(path: &str, version: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "`{path}` is a lock file of pnpm of version {}; versions 5.0 to 5.4, 6.0, 6.1 and 9.0 are read",
            version.escape_debug()
        ),
    )
}

fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `pnpm install` and look at it")
}
