//! Reads `bun.lock`, versions 0 and 1: JSON with a comma after the last element of a list.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::package_json::{self, Manifest, Ranges, normal};
use super::scope::{self, Need};
use super::{integrity, npm};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::Scope;
use crate::sbom::tree::Found;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    lockfile_version: Option<Value>,
    #[serde(default)]
    workspaces: BTreeMap<String, Wiring>,
    /// By the way that leads to them: `a/b` is what `a` alone means by `b`.
    #[serde(default)]
    packages: BTreeMap<String, Vec<Value>>,
}

/// Packages within packages, and scopes.
const DEPTH: usize = 128;

/// What a project or a package needs.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wiring {
    name: Option<String>,
    version: Option<String>,
    dependencies: Ranges,
    dev_dependencies: Ranges,
    optional_dependencies: Ranges,
    peer_dependencies: Ranges,
}

/// What the lock file `found` says; licences of projects come from their manifests.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let wire: Wire = json::parse("lock file", without_last_commas(text).as_bytes())
        .map_err(|e| e.while_doing(format_args!("`{path}`")))?;
    if wire.lockfile_version.as_ref().and_then(Value::as_u64).is_none_or(|version| version > 1) {
        let version = wire.lockfile_version.unwrap_or_default();
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{path}` is a lock file of Bun of version {version}; versions 0 and 1 are read"),
        ));
    }
    let Some(root) = wire.workspaces.get("") else { return Err(malformed(path, "has no root project")) };
    let mut reader = Reader { path, packages: Vec::new(), needs: Vec::new(), places: BTreeMap::new() };
    let mut projects: BTreeMap<String, Option<usize>> = BTreeMap::new();
    for (folder, wiring) in &wire.workspaces {
        let folder = normal("", folder);
        let place = match wiring.name.as_deref() {
            None if folder.is_empty() => None,
            name => Some(reader.project(found, &folder, name, wiring)?),
        };
        projects.insert(folder, place);
    }
    let mut wirings = Vec::new();
    for (key, parts) in &wire.packages {
        let (ident, wiring) = reader.parts(key, parts)?;
        let place = match ident.1.strip_prefix("workspace:") {
            Some(folder) => projects.get(&normal("", folder)).copied().flatten().ok_or_else(|| {
                malformed(path, format_args!("has the project `{}`, which it does not hold", folder.escape_debug()))
            })?,
            None => reader.package(key, ident, parts)?,
        };
        reader.places.insert(key, place);
        wirings.push((key.as_str(), place, wiring));
    }
    for (key, place, wiring) in &wirings {
        let needs = reader.needs(key, key, wiring, false)?;
        reader.need(*place, needs);
    }
    for (folder, wiring) in wire.workspaces.iter().filter(|(folder, _)| !folder.is_empty()) {
        let Some(place) = projects.get(&normal("", folder)).copied().flatten() else { continue };
        let needs = reader.needs(wiring.name.as_deref().unwrap_or(npm::name_of(folder)), folder, wiring, true)?;
        reader.need(place, needs);
    }
    let mut unnamed = reader.needs("", "the root project", root, true)?;
    let product = projects.get("").copied().flatten();
    if let Some(product) = product {
        reader.need(product, std::mem::take(&mut unnamed));
    }
    let projects: Vec<usize> = projects.values().copied().flatten().collect();
    scope::assign(&mut reader.packages, &reader.needs, &projects, &unnamed);
    Ok(LockFile {
        path: path.clone(),
        packages: reader.packages,
        product,
        unnamed_needs: unnamed.iter().map(|need| need.place).collect(),
    })
}

struct Reader<'a> {
    path: &'a str,
    packages: Vec<Package>,
    needs: Vec<Vec<Need>>,
    /// Places of packages by the way that leads to them.
    places: BTreeMap<&'a str, usize>,
}

impl<'a> Reader<'a> {
    fn add(&mut self, package: Package) -> usize {
        self.packages.push(package);
        self.needs.push(Vec::new());
        self.packages.len() - 1
    }

    fn need(&mut self, user: usize, more: Vec<Need>) {
        if let Some(needs) = self.needs.get_mut(user) {
            needs.extend(more);
        }
    }

    fn project(&mut self, found: &Found, folder: &str, name: Option<&str>, wiring: &Wiring) -> Result<usize> {
        let fallback = name.unwrap_or(npm::name_of(folder));
        let package = match Manifest::read(found, folder)? {
            Some(manifest) => manifest.package(self.path, fallback)?,
            None => package_json::package(self.path, fallback, wiring.version.as_deref(), None, Origin::Local)?,
        };
        Ok(self.add(package))
    }

    /// The name and reference of a package, and what it needs.
    fn parts<'b>(&self, key: &str, parts: &'b [Value]) -> Result<((&'b str, &'b str), Wiring)> {
        let wrong = |what: &str| malformed(self.path, format_args!("has the package `{}` {what}", key.escape_debug()));
        // each look-up goes through all of them
        if key.matches('/').count() > DEPTH {
            return Err(wrong("within too many others"));
        }
        let ident = parts.first().and_then(Value::as_str).unwrap_or_default();
        let at = ident.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1);
        let ident = at.and_then(|at| Some((ident.get(..at)?, ident.get(at + 1..)?)));
        let ident = ident.ok_or_else(|| wrong("without a name and version"))?;
        let wiring = parts.iter().find(|part| part.is_object());
        let wiring = wiring.map(|wiring| Wiring::deserialize(wiring).map_err(|e| wrong(&format!("that is none: {e}"))));
        Ok((ident, wiring.transpose()?.unwrap_or_default()))
    }

    fn package(&mut self, key: &str, (name, reference): (&str, &str), parts: &[Value]) -> Result<usize> {
        let path = self.path;
        let local = ["file:", "link:", "root:", "./", "../", "/"].iter().any(|start| reference.starts_with(start));
        let git = reference.starts_with("git") || reference.starts_with("bitbucket:") || reference.starts_with("ssh:");
        let mut package = if local || reference.ends_with(".tgz") && !reference.contains("://") {
            package_json::package(path, name, None, None, Origin::Local)?
        } else if git || reference.contains("://") {
            let address = reference.replacen("bitbucket:", "git+https://bitbucket.org/", 1);
            package_json::package(path, name, None, Some(&address), Origin::Fetched)?
        } else {
            let registry = parts.get(1).and_then(Value::as_str).unwrap_or_default();
            let resolved = match registry {
                "" => None,
                archive if archive.ends_with(".tgz") => Some(archive.to_owned()),
                registry => Some(package_json::archive(registry, name)),
            };
            package_json::package(path, name, Some(reference), resolved.as_deref(), Origin::Fetched)?
        };
        if let Some(text) =
            parts.iter().skip(1).rev().find_map(Value::as_str).filter(|text| !git && text.starts_with("sha"))
        {
            let wrong = |fault| malformed(path, format_args!("has for `{}` the integrity {fault}", key.escape_debug()));
            package.hashes = integrity::hashes(text).map_err(wrong)?;
        }
        Ok(self.add(package))
    }

    /// What `user`, which stands at `key`, needs.
    fn needs(&self, key: &str, user: &str, wiring: &Wiring, is_project: bool) -> Result<Vec<Need>> {
        let mut needs = Vec::new();
        let none = Ranges::new();
        for (scope, ranges, must) in [
            (Scope::Required, &wiring.dependencies, true),
            (Scope::Optional, &wiring.optional_dependencies, false),
            (Scope::Required, &wiring.peer_dependencies, false),
            (Scope::Excluded, if is_project { &wiring.dev_dependencies } else { &none }, true),
        ] {
            for name in ranges.keys() {
                match self.find(key, name) {
                    Some(place) => needs.push(Need { place, scope }),
                    None if must && !wiring.optional_dependencies.contains_key(name) => {
                        let (user, name) = (user.escape_debug(), name.escape_debug());
                        return Err(malformed(
                            self.path,
                            format_args!("says that `{user}` needs `{name}`, which it does not hold"),
                        ));
                    }
                    None => {}
                }
            }
        }
        Ok(needs)
    }

    /// What `name` means at `key`: the package that is nearest on the way to it.
    fn find(&self, key: &str, name: &str) -> Option<usize> {
        let mut above = key;
        while !above.is_empty() {
            if let Some(place) = self.places.get(&*format!("{above}/{name}")) {
                return Some(*place);
            }
            let parent = above.rsplit_once('/').map_or("", |(parent, _)| parent);
            let scope = parent.rsplit_once('/').map_or(("", parent), |(parent, scope)| (parent, scope));
            above = if scope.1.starts_with('@') { scope.0 } else { parent };
        }
        self.places.get(name).copied()
    }
}

/// `text` without the commas after which a list or an object ends.
fn without_last_commas(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = c == '\\' && !escaped;
        } else if c == ',' {
            let after = text.get(at + 1..).unwrap_or_default().trim_start_matches([' ', '\t', '\r', '\n']);
            if after.starts_with([']', '}']) {
                continue;
            }
        } else {
            quoted = c == '"';
        }
        plain.push(c);
    }
    plain
}

fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `bun install` and look at it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_last_commas_outside_of_text_are_left_out() {
        for (text, plain) in [
            ("[1, 2,]", "[1, 2]"),
            ("{\"a\": [1,\n],\n}", "{\"a\": [1\n]\n}"),
            (r#"{"a,}": ",]", "b\",}": "\\",}"#, r#"{"a,}": ",]", "b\",}": "\\"}"#),
            ("[,,]", "[,]"),
        ] {
            assert_eq!(without_last_commas(text), plain);
        }
    }
}
