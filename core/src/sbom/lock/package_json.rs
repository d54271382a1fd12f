//! `package.json`, beside a lock file and in the folders of its workspace, and packages of npm's kind.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;
use crate::sbom::graph::{Origin, Package};
use crate::sbom::license;
use crate::sbom::model::Scope;
use crate::sbom::purl;
use crate::sbom::tree::Found;

/// Ranges of versions by name.
pub(super) type Ranges = BTreeMap<String, String>;

/// What a `package.json` says, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Manifest {
    pub(super) name: Option<String>,
    version: Option<String>,
    license: Option<Value>,
    pub(super) dependencies: Ranges,
    pub(super) dev_dependencies: Ranges,
    pub(super) optional_dependencies: Ranges,
    /// What Yarn takes in place of what packages ask for.
    pub(super) resolutions: Ranges,
    workspaces: Option<Workspaces>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Workspaces {
    Patterns(Vec<String>),
    More {
        #[serde(default)]
        packages: Vec<String>,
    },
}

impl Manifest {
    /// The one in the folder that `below` names from that of the lock file; none if there is no such file, or the folder
    /// lies outside of the tree.
    pub(super) fn read(found: &Found, below: &str) -> Result<Option<Self>> {
        let Some(folder) = folder(found, below) else { return Ok(None) };
        let path = folder.join("package.json");
        match limits::read_file("manifest", &path, limits::MANIFEST_BYTES) {
            Ok(bytes) => {
                if !bytes.trim_ascii_start().starts_with(b"{") {
                    let path = path.display();
                    let told = format!("the manifest `{path}` is no JSON object; mend it");
                    return Err(Error::new(ErrorKind::Malformed, told));
                }
                let manifest: Result<Self> = json::parse("manifest", &bytes);
                let mut manifest = manifest.map_err(|e| e.while_doing(format_args!("`{}`", path.display())))?;
                manifest.name = manifest.name.filter(|name| !name.is_empty());
                Ok(Some(manifest))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Where the members of the workspace lie, as patterns.
    pub(super) fn members(&self) -> &[String] {
        match &self.workspaces {
            Some(Workspaces::Patterns(patterns) | Workspaces::More { packages: patterns }) => patterns,
            None => &[],
        }
    }

    /// A package of a registry that is asked for, if there is one.
    pub(super) fn asks_for(&self) -> Option<&str> {
        let all = self.dependencies.iter().chain(&self.dev_dependencies).chain(&self.optional_dependencies);
        let local =
            |range: &str| ["workspace:", "link:", "file:", "portal:"].iter().any(|start| range.starts_with(start));
        all.filter(|(_, range)| !local(range)).map(|(name, _)| name.as_str()).next()
    }

    /// The package it describes, by the name `fallback` if it has none of its own.
    pub(super) fn package(&self, path: &str, fallback: &str) -> Result<Package> {
        let name = self.name.as_deref().unwrap_or(fallback);
        let mut package = package(path, name, self.version.as_deref(), None, Origin::Local)?;
        package.licenses = license::of_npm(self.license.as_ref());
        Ok(package)
    }
}

/// A package of npm's kind; `resolved` is where its archive comes from, if not from the registry or the tree.
pub(super) fn package(
    path: &str,
    name: &str,
    version: Option<&str>,
    resolved: Option<&str>,
    origin: Origin,
) -> Result<Package> {
    let text = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let named = name.matches('/').count() == usize::from(name.starts_with('@'));
    if origin == Origin::Fetched && !(named && text(name) && version.is_none_or(text)) {
        let what = format!("{name} {}", version.unwrap_or_default());
        return Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "the lock file `{path}` has the package `{}`, which is no name and version; lock again and look at it",
                what.escape_debug()
            ),
        ));
    }
    let (group, bare) = match name.split_once('/') {
        Some((scope, bare)) => (Some(scope.to_owned()), bare),
        None => (None, name),
    };
    Ok(Package {
        purl: purl::npm(name, version, resolved).map_err(|e| e.while_doing(format_args!("`{path}`")))?,
        group,
        name: bare.to_owned(),
        version: version.map(str::to_owned),
        origin,
        scope: Scope::Required,
        hashes: Vec::new(),
        files: Vec::new(),
        licenses: Vec::new(),
        needs: Vec::new(),
    })
}

/// `commit` in `repo`, which may be of the form that SSH uses, as an address.
pub(super) fn git(repo: &str, commit: &str) -> String {
    if repo.starts_with("git+") || repo.starts_with("git:") {
        format!("{repo}#{commit}")
    } else if repo.contains("://") {
        format!("git+{repo}#{commit}")
    } else {
        format!("git+ssh://{}#{commit}", repo.replacen(':', "/", 1))
    }
}

/// Where `registry` has the archives of `name`.
pub(super) fn archive(registry: &str, name: &str) -> String {
    format!("{}/{name}/-/", registry.trim_end_matches('/'))
}

/// `path` from `folder`, in its shortest form; empty for the folder of the lock file itself.
pub(super) fn normal(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The folder that `below` names from that of the lock file, unless it is outside of the tree.
pub(super) fn folder(found: &Found, below: &str) -> Option<PathBuf> {
    let mut folder = found.folder.clone();
    let mut depth = found.relative.matches('/').count();
    for part in normal("", below).split('/').filter(|part| !part.is_empty()) {
        if part == ".." {
            depth = depth.checked_sub(1)?;
            folder.pop();
        } else if part.contains(['\\', ':']) {
            return None;
        } else {
            folder.push(part);
        }
    }
    Some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_brought_to_their_shortest_form() {
        for (folder, path, short) in [
            ("", ".", ""),
            ("", "./packages//a/", "packages/a"),
            ("packages/a", "../b", "packages/b"),
            ("packages/a", "../../..", ".."),
            ("../x", "../y", "../y"),
            ("", "../../x/../y", "../../y"),
        ] {
            assert_eq!(normal(folder, path), short);
        }
    }
}
