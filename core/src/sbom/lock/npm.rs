//! Reads `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{integrity, npm_v1, package_json};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::license;
use crate::sbom::model::{Hash, Scope};
use crate::sbom::tree::Found;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    name: Option<String>,
    version: Option<String>,
    lockfile_version: Option<json::Value>,
    packages: Option<Box<RawValue>>,
    dependencies: Option<Box<RawValue>>,
}

/// A package by its folder, as versions 2 and 3 have it; version 1 is brought to this form.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Entry {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) resolved: Option<String>,
    pub(super) integrity: Option<String>,
    pub(super) link: bool,
    pub(super) dev: bool,
    pub(super) optional: bool,
    pub(super) dev_optional: bool,
    pub(super) license: Option<json::Value>,
    pub(super) dependencies: BTreeMap<String, String>,
    pub(super) dev_dependencies: BTreeMap<String, String>,
    pub(super) optional_dependencies: BTreeMap<String, String>,
    pub(super) peer_dependencies: BTreeMap<String, String>,
    pub(super) workspaces: Option<json::Value>,
}

/// Packages by folder; the key of the root is empty.
pub(super) type Folders = BTreeMap<String, Entry>;

/// What the lock file `found` says.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let wire: Wire = json::parse("lock file", text.as_bytes()).map_err(|e| e.while_doing(format_args!("`{path}`")))?;
    let version = wire.lockfile_version.as_ref().and_then(json::Value::as_u64);
    let mut folders: Folders = match (version, wire.packages, wire.dependencies) {
        (Some(2 | 3), Some(packages), _) => section(path, &packages)?,
        (Some(2 | 3), None, _) => return Err(malformed(path, "has no `packages`")),
        (Some(1), _, dependencies) => {
            let tree = dependencies.as_deref().map(|d| section(path, d)).transpose()?.unwrap_or_default();
            npm_v1::folders(found, tree)?
        }
        _ => {
            let version = wire.lockfile_version.unwrap_or_default();
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{path}` is an npm lock file of version {version}; versions 1, 2 and 3 are read"),
            ));
        }
    };
    let Some(root) = folders.get_mut("") else { return Err(malformed(path, "has no root package")) };
    root.name = root.name.take().or(wire.name);
    root.version = root.version.take().or(wire.version);
    assemble(path, &folders)
}

fn section<T: serde::de::DeserializeOwned>(path: &str, raw: &RawValue) -> Result<T> {
    serde_json::from_str(raw.get()).map_err(|e| malformed(path, e))
}

fn assemble(path: &str, folders: &Folders) -> Result<LockFile> {
    let mut places = BTreeMap::new();
    for (folder, entry) in folders.iter().filter(|(folder, e)| !e.link && (!folder.is_empty() || e.name.is_some())) {
        let at = places.len();
        places.insert(folder.as_str(), (at, entry));
    }
    let mut lock = LockFile { path: path.to_owned(), packages: Vec::new(), product: None, unnamed_needs: Vec::new() };
    lock.product = places.get("").map(|(at, _)| *at);
    // the map and this loop have the same order, so that a place is the position in `packages`
    for (folder, (_, entry)) in &places {
        let needs = needs(path, folder, entry, folders, &places)?;
        lock.packages.push(package(path, folder, entry, needs)?);
    }
    if lock.product.is_none()
        && let Some(root) = folders.get("")
    {
        lock.unnamed_needs = needs(path, "", root, folders, &places)?;
    }
    Ok(lock)
}

type Places<'a> = BTreeMap<&'a str, (usize, &'a Entry)>;

fn needs(path: &str, folder: &str, entry: &Entry, folders: &Folders, places: &Places<'_>) -> Result<Vec<usize>> {
    // peers may be left out (`legacy-peer-deps`), as may what is optional or for another platform
    let may_miss = entry.optional_dependencies.keys().chain(entry.peer_dependencies.keys());
    let must = entry.dependencies.keys().filter(|d| !entry.optional_dependencies.contains_key(*d));
    // only of packages in the tree itself are the development dependencies installed
    let (dev_must, dev_may): (_, &BTreeMap<_, _>) = match folder {
        "" => (Some(&entry.dev_dependencies), &BTreeMap::new()),
        _ => (None, &entry.dev_dependencies),
    };
    let mut found = Vec::new();
    for name in must.chain(dev_must.into_iter().flat_map(BTreeMap::keys)) {
        match resolve(folder, name, folders, places) {
            Some(place) => found.push(place),
            None => {
                let user = if folder.is_empty() { "the root package" } else { folder };
                let name = name.escape_debug();
                return Err(malformed(path, format_args!("says that `{user}` needs `{name}`, which it does not hold")));
            }
        }
    }
    found.extend(may_miss.chain(dev_may.keys()).filter_map(|name| resolve(folder, name, folders, places)));
    if folder.is_empty() && entry.workspaces.is_some() {
        found.extend(members(folders).into_iter().filter_map(|name| resolve(folder, name, folders, places)));
    }
    Ok(found)
}

/// The members of the root's workspace: what is linked in its `node_modules` and not asked for as a folder.
fn members(folders: &Folders) -> Vec<&str> {
    let needs = |e| {
        let Entry { dependencies, dev_dependencies, optional_dependencies, .. }: &Entry = e;
        dependencies.iter().chain(dev_dependencies).chain(optional_dependencies)
    };
    let asked = folders.values().flat_map(needs).filter(|(_, range)| range.starts_with("file:"));
    let asked: BTreeSet<&str> = asked.map(|(name, _)| name.as_str()).collect();
    let links = folders.iter().filter(|(_, e)| e.link).filter_map(|(folder, _)| folder.strip_prefix("node_modules/"));
    links.filter(|name| !name.contains("/node_modules/") && !asked.contains(name)).collect()
}

/// The package that `name` means in `folder`: the nearest `node_modules` that has it, as Node.js looks it up.
fn resolve(folder: &str, name: &str, folders: &Folders, places: &Places<'_>) -> Option<usize> {
    let mut base = folder;
    loop {
        let key = if base.is_empty() { format!("node_modules/{name}") } else { format!("{base}/node_modules/{name}") };
        match folders.get(&key) {
            Some(Entry { link: true, resolved: Some(target), .. }) => {
                return places.get(target.trim_start_matches("./")).map(|(place, _)| *place);
            }
            Some(_) => return places.get(key.as_str()).map(|(place, _)| *place),
            None if base.is_empty() => return None,
            None => base = parent(base),
        }
    }
}

/// The folder above that can hold a `node_modules` of its own.
fn parent(folder: &str) -> &str {
    let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
    if above == "node_modules" { "" } else { above.strip_suffix("/node_modules").unwrap_or(above) }
}

fn package(path: &str, folder: &str, entry: &Entry, needs: Vec<usize>) -> Result<Package> {
    let name = entry.name.clone().unwrap_or_else(|| name_of(folder).to_owned());
    let resolved = entry.resolved.as_deref();
    let installed = folder.starts_with("node_modules/") || folder.contains("/node_modules/");
    let origin =
        if installed && resolved.is_none_or(|r| !r.starts_with("file:")) { Origin::Fetched } else { Origin::Local };
    let scope = match entry {
        Entry { dev: true, .. } => Scope::Excluded,
        Entry { optional: true, .. } | Entry { dev_optional: true, .. } => Scope::Optional,
        _ => Scope::Required,
    };
    let mut package = package_json::package(path, &name, entry.version.as_deref(), resolved, origin)?;
    package.scope = scope;
    package.hashes = entry.integrity.as_deref().map(|i| hashes(path, folder, i)).transpose()?.unwrap_or_default();
    package.licenses = license::of_npm(entry.license.as_ref());
    package.needs = needs;
    Ok(package)
}

/// The last part of a folder, and the scope before it.
pub(super) fn name_of(folder: &str) -> &str {
    let start = folder.rfind("node_modules/").map_or(0, |at| at + "node_modules/".len());
    let rest = folder.get(start..).unwrap_or_default();
    let base = rest.rfind('/').map_or(0, |at| at + 1);
    let scope =
        rest.get(..base.saturating_sub(1)).and_then(|above| above.rfind('/').map_or(Some(0), |at| Some(at + 1)));
    match scope {
        Some(at) if rest.get(at..).is_some_and(|r| r.starts_with('@')) => rest.get(at..).unwrap_or_default(),
        _ => rest.get(base..).unwrap_or_default(),
    }
}

fn hashes(path: &str, folder: &str, text: &str) -> Result<Vec<Hash>> {
    let wrong = |fault| malformed(path, format_args!("has for `{folder}` the integrity {fault}"));
    integrity::hashes(text).map_err(wrong)
}

pub(super) fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `npm install` and look at it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_folders_where_no_name_stands() {
        for (folder, name) in [
            ("node_modules/a", "a"),
            ("node_modules/@s/a", "@s/a"),
            ("node_modules/@s/a/node_modules/b", "b"),
            ("packages/a", "a"),
            ("packages/@s/a", "@s/a"),
            ("@s/a", "@s/a"),
            ("a", "a"),
        ] {
            assert_eq!(name_of(folder), name);
        }
    }

    #[test]
    fn look_up_goes_from_folder_to_folder_upwards() {
        let chain = |mut folder: &'static str| {
            let mut seen = vec![folder];
            while !folder.is_empty() {
                folder = parent(folder);
                seen.push(folder);
            }
            seen
        };
        assert_eq!(
            chain("node_modules/a/node_modules/@s/b"),
            ["node_modules/a/node_modules/@s/b", "node_modules/a/node_modules/@s", "node_modules/a", ""]
        );
        assert_eq!(chain("packages/a"), ["packages/a", "packages", ""]);
    }
}
