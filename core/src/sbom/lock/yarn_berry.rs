//! Reads `yarn.lock` as Yarn writes it since version 2, `__metadata` versions 4 to 10.
//!
//! The `checksum` of a package is that of the zip file which Yarn makes of its archive and keeps in its cache, by the
//! compression that `cacheKey` names. It is the hash of nothing that was published, so that components have no hash by it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::package_json::{self, Manifest, Ranges, normal};
use super::scope::{self, Need};
use super::yaml;
use super::yarn::malformed;
use super::yarn_locator::{self, Locator, Source};
use super::yarn_resolutions::Resolutions;
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::Scope;
use crate::sbom::tree::Found;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    version: Option<String>,
    resolution: Option<String>,
    #[serde(default)]
    dependencies: Ranges,
    #[serde(default)]
    dependencies_meta: BTreeMap<String, Meta>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(default)]
    optional: bool,
}

/// The settings that ranges stand in which several projects share.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    catalog: Ranges,
    catalogs: BTreeMap<String, Ranges>,
}

pub(super) fn read(found: &Found, text: &str) -> Result<LockFile> {
    let path = &found.relative;
    let documents = yaml::documents::<BTreeMap<String, Entry>>(text, 1);
    let documents =
        documents.map_err(|fault| malformed(path, format_args!("is no whole lock file of Yarn: {fault}")))?;
    let mut entries = documents.into_iter().next().unwrap_or_default();
    let version = entries.remove("__metadata").and_then(|metadata| metadata.version).unwrap_or_default();
    if !version.parse::<u32>().is_ok_and(|version| (4..=10).contains(&version)) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{path}` is a lock file of Yarn of version `{}`; versions 4 to 10 of `__metadata` are read, and version 1",
                version.escape_debug()
            ),
        ));
    }
    let root = Manifest::read(found, "")?;
    let mut reader = Reader {
        found,
        path,
        resolutions: root.as_ref().map(|root| Resolutions::new(&root.resolutions)).unwrap_or_default(),
        strict: root.is_some(),
        descriptors: BTreeMap::new(),
        bound: BTreeMap::new(),
        names: BTreeMap::new(),
        packages: Vec::new(),
        places: BTreeMap::new(),
        projects: BTreeMap::new(),
        settings: None,
    };
    let mut places = Vec::with_capacity(entries.len());
    for (key, entry) in &entries {
        places.push(reader.add(key, entry)?);
    }
    if root.is_some() && !reader.projects.values().any(|project| project.folder.is_empty()) {
        return Err(malformed(path, "lacks the project of the manifest beside it, so it is cut or stale"));
    }
    reader.read(&entries, &places)
}

/// A project of the workspace.
struct Project {
    folder: String,
    place: Option<usize>,
    manifest: Manifest,
}

struct Reader<'a> {
    found: &'a Found,
    path: &'a str,
    resolutions: Resolutions<'a>,
    /// Whether the manifest of the root was there to tell what replaces what.
    strict: bool,
    /// Places of packages by what they were asked for.
    descriptors: BTreeMap<&'a str, Option<usize>>,
    /// The same without what binds it, and then by whom it is bound to.
    bound: BTreeMap<String, BTreeMap<String, Option<usize>>>,
    /// Places of packages by the name before the `@` of that.
    names: BTreeMap<&'a str, BTreeSet<Option<usize>>>,
    packages: Vec<Package>,
    /// The place of each package by its package url.
    places: BTreeMap<String, usize>,
    /// By what they are called as packages.
    projects: BTreeMap<&'a str, Project>,
    settings: Option<Settings>,
}

impl<'a> Reader<'a> {
    /// The place of a package; none for the project of the root if it has no name.
    fn add(&mut self, key: &'a str, entry: &'a Entry) -> Result<Option<usize>> {
        let path = self.path;
        let wrong = |fault: &str| malformed(path, format_args!("has `{}` {fault}", key.escape_debug()));
        let resolution = entry.resolution.as_deref().ok_or_else(|| wrong("without a resolution"))?;
        let locator = yarn_locator::parse(resolution).map_err(|what| {
            let (key, what) = (key.escape_debug(), what.escape_debug());
            Error::new(
                ErrorKind::Unsupported,
                format!(
                    "`{path}` has `{key}` from `{what}`, which is none of the places that Yarn itself fetches from"
                ),
            )
        })?;
        let place = self.place(&locator, entry, resolution)?;
        for descriptor in key.split(',').map(str::trim) {
            let (name, _) = yarn_locator::split(descriptor).ok_or_else(|| wrong("which is no name and range"))?;
            if self.descriptors.insert(descriptor, place).is_some() {
                return Err(malformed(path, format_args!("has `{}` twice", descriptor.escape_debug())));
            }
            self.names.entry(name).or_default().insert(place);
            let locator = descriptor.split_once("locator=").and_then(|(_, locator)| locator.split('&').next());
            let user = yarn_locator::decoded(locator.unwrap_or_default());
            self.bound.entry(plain(descriptor)).or_default().insert(user, place);
        }
        Ok(place)
    }

    fn place(&mut self, locator: &Locator, entry: &Entry, resolution: &'a str) -> Result<Option<usize>> {
        let (path, name) = (self.path, &*locator.name);
        // what Yarn writes for packages of the tree
        let version = entry.version.as_deref().filter(|version| *version != "0.0.0-use.local");
        let version = locator.version.as_deref().or(version);
        let package = match &locator.source {
            Source::Registry(archive) => {
                package_json::package(path, name, version, archive.as_deref(), Origin::Fetched)?
            }
            Source::Elsewhere(address) => package_json::package(path, name, version, Some(address), Origin::Fetched)?,
            Source::Local => package_json::package(path, name, version, None, Origin::Local)?,
            Source::Project(folder) => {
                let folder = normal("", folder);
                let manifest = Manifest::read(self.found, &folder)?;
                let unnamed = folder.is_empty() && manifest.as_ref().is_some_and(|manifest| manifest.name.is_none());
                let manifest = manifest.unwrap_or_default();
                let place = (!unnamed).then_some(self.packages.len());
                if !unnamed {
                    self.packages.push(manifest.package(path, name)?);
                }
                self.projects.insert(resolution, Project { folder, place, manifest });
                return Ok(place);
            }
        };
        if package.origin == Origin::Local {
            self.packages.push(package);
            return Ok(Some(self.packages.len() - 1));
        }
        // a patched package stands beside the one that was patched, and is the same but for the patch
        let place = *self.places.entry(package.purl.clone()).or_insert(self.packages.len());
        if place == self.packages.len() {
            self.packages.push(package);
        }
        Ok(Some(place))
    }

    fn read(mut self, entries: &BTreeMap<String, Entry>, places: &[Option<usize>]) -> Result<LockFile> {
        let mut needs = vec![Vec::new(); self.packages.len()];
        let mut unnamed = Vec::new();
        for (entry, user) in entries.values().zip(places) {
            let resolution = entry.resolution.as_deref().unwrap_or_default();
            let mut own = Vec::with_capacity(entry.dependencies.len());
            for (name, range) in &entry.dependencies {
                let place = self.find(resolution, name, range)?;
                let optional = entry.dependencies_meta.get(name).is_some_and(|meta| meta.optional);
                let scope = match self.projects.get(resolution) {
                    Some(Project { manifest, .. }) => scope_in(manifest, name, optional),
                    None if optional => Scope::Optional,
                    None => Scope::Required,
                };
                own.extend(place.map(|place| Need { place, scope }));
            }
            match user.and_then(|user| needs.get_mut(user)) {
                Some(needs) => needs.append(&mut own),
                None => unnamed.append(&mut own),
            }
        }
        let projects: Vec<usize> = self.projects.values().filter_map(|project| project.place).collect();
        let product = self.projects.values().find(|project| project.folder.is_empty()).and_then(|root| root.place);
        scope::assign(&mut self.packages, &needs, &projects, &unnamed);
        Ok(LockFile {
            path: self.path.to_owned(),
            packages: self.packages,
            product,
            unnamed_needs: unnamed.iter().map(|need| need.place).collect(),
        })
    }

    /// The package that `user` means by `range` of `name`.
    fn find(&mut self, user: &str, name: &str, range: &str) -> Result<Option<usize>> {
        let replaced = self.resolutions.of(user, name, range).to_owned();
        let meant = self.catalogued(name, &replaced)?.unwrap_or(replaced);
        let exact = [format!("{name}@{meant}"), format!("{name}@npm:{meant}")];
        let known = exact.iter().find_map(|descriptor| self.descriptors.get(descriptor.as_str()));
        let only = || self.names.get(name).filter(|places| !self.strict && places.len() == 1)?.first();
        let place = known.or_else(|| self.bound(user, name, &meant)).or_else(only);
        place.copied().ok_or_else(|| {
            let what = format!("{name}@{meant}");
            let (user, what) = (user.escape_debug(), what.escape_debug());
            malformed(self.path, format_args!("says that `{user}` needs `{what}`, which it does not hold"))
        })
    }

    /// The package whose descriptor is that of `name` and `range`, but that Yarn wrote it in another way or bound it to
    /// its user, as it does with files and patches.
    fn bound(&self, user: &str, name: &str, range: &str) -> Option<&Option<usize>> {
        let fit = self.bound.get(&plain(&format!("{name}@{range}")))?;
        if fit.len() == 1 { fit.values().next() } else { fit.get(user) }
    }

    /// The range that `catalog:` or `catalog:name` stands for.
    fn catalogued(&mut self, name: &str, range: &str) -> Result<Option<String>> {
        let Some(catalog) = range.strip_prefix("catalog:") else { return Ok(None) };
        if self.settings.is_none() {
            self.settings = Some(yaml::settings(&self.found.folder.join(".yarnrc.yml"))?);
        }
        let settings = self.settings.as_ref();
        let ranges = settings.and_then(|s| if catalog.is_empty() { Some(&s.catalog) } else { s.catalogs.get(catalog) });
        Ok(ranges.and_then(|ranges| ranges.get(name).cloned()))
    }
}

/// A descriptor as the user of the package wrote it.
fn plain(descriptor: &str) -> String {
    let bare = descriptor.split("::").next().unwrap_or_default();
    yarn_locator::decoded(bare).replace("@npm:", "@")
}

/// What a project needs `name` for; the file has all that it needs in one list.
fn scope_in(manifest: &Manifest, name: &str, optional: bool) -> Scope {
    if optional || manifest.optional_dependencies.contains_key(name) {
        Scope::Optional
    } else if manifest.dev_dependencies.contains_key(name) && !manifest.dependencies.contains_key(name) {
        Scope::Excluded
    } else {
        Scope::Required
    }
}
