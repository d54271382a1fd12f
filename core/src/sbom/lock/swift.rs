//! Reads `Package.resolved` of the Swift package manager, versions 1 to 3.
//!
//! It pins every package, and does not tell what needs what.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::Scope;
use crate::sbom::purl;
use crate::sbom::tree::Found;

#[derive(Deserialize)]
struct Wire {
    version: Option<Value>,
    object: Option<Object>,
    pins: Option<Vec<Pin>>,
}

#[derive(Deserialize)]
struct Object {
    pins: Vec<Pin>,
}

/// A package; version 1 has other names for two fields.
#[derive(Deserialize)]
struct Pin {
    #[serde(alias = "package")]
    identity: String,
    #[serde(default)]
    kind: Option<String>,
    #[serde(alias = "repositoryURL", default)]
    location: String,
    state: State,
}

#[derive(Deserialize)]
struct State {
    version: Option<String>,
    revision: Option<String>,
}

/// What the lock file `found` says. It does not tell what is for tests alone, so all packages are `required`.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let wire: Wire = json::parse("lock file", text.as_bytes()).map_err(|e| e.while_doing(format_args!("`{path}`")))?;
    let pins = match (wire.version.as_ref().and_then(Value::as_u64), wire.object, wire.pins) {
        (Some(1), Some(object), None) => object.pins,
        (Some(2 | 3), None, Some(pins)) => pins,
        (Some(1..=3), ..) => return Err(malformed(path, "has no `pins`")),
        _ => {
            let version = wire.version.unwrap_or_default();
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("`{path}` is a lock file of Swift of version {version}; versions 1, 2 and 3 are read"),
            ));
        }
    };
    let mut seen = BTreeSet::new();
    let mut packages = Vec::with_capacity(pins.len());
    for pin in &pins {
        if !seen.insert(pin.identity.to_lowercase()) {
            return Err(malformed(path, format_args!("has `{}` twice", pin.identity.escape_debug())));
        }
        packages.push(package(path, pin)?);
    }
    Ok(LockFile { path: path.clone(), packages, product: None, unnamed_needs: Vec::new() })
}

/// A package by where it is kept (purl-spec, type `swift`: host and folder are the namespace).
fn package(path: &str, pin: &Pin) -> Result<Package> {
    let fault = |what: &str| malformed(path, format_args!("has {what} for `{}`", pin.identity.escape_debug()));
    let version = pin.state.version.as_ref().or(pin.state.revision.as_ref()).ok_or_else(|| fault("no version"))?;
    let (namespace, name, origin) = match pin.kind.as_deref() {
        Some("registry") => {
            let (scope, name) = pin.identity.split_once('.').ok_or_else(|| fault("no scope of a registry"))?;
            (scope.to_owned(), name.to_owned(), Origin::Fetched)
        }
        Some("localSourceControl" | "fileSystem") => (String::new(), pin.identity.clone(), Origin::Local),
        None | Some("remoteSourceControl") => {
            let (namespace, name) = place(&pin.location).ok_or_else(|| fault("no address of a repository"))?;
            (namespace, name, Origin::Fetched)
        }
        Some(_) => return Err(fault("a kind that is not known")),
    };
    let purl = match origin {
        // its path is one of somebody's machine
        Origin::Local => purl::of("generic", None, &name, Some(version), None),
        Origin::Fetched => purl::of("swift", Some(&namespace), &name, Some(version), None),
    };
    Ok(Package {
        purl: purl.map_err(|e| e.while_doing(format_args!("`{path}`")))?,
        group: Some(namespace).filter(|namespace| !namespace.is_empty()),
        name,
        version: Some(version.clone()),
        origin,
        scope: Scope::Required,
        hashes: Vec::new(),
        files: Vec::new(),
        licenses: Vec::new(),
        needs: Vec::new(),
    })
}

/// Host with folder, and name, of a repository at `https://host/folder/name.git` or `user@host:folder/name.git`.
fn place(url: &str) -> Option<(String, String)> {
    let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
    let bare = match bare.split_once('/') {
        Some((authority, path)) if !authority.contains(':') || url.contains("://") => {
            let host = authority.rsplit('@').next().unwrap_or_default();
            format!("{}/{path}", host.split(':').next().unwrap_or_default())
        }
        _ => bare.rsplit('@').next().unwrap_or_default().replacen(':', "/", 1),
    };
    let bare = bare.trim_end_matches('/');
    let (namespace, name) = bare.strip_suffix(".git").unwrap_or(bare).rsplit_once('/')?;
    let sound = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    (sound(name) && namespace.split('/').all(sound)).then(|| (namespace.to_owned(), name.to_owned()))
}

fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `swift package resolve` and look at it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_has_a_host_a_folder_and_a_name() {
        for url in [
            "https://github.com/apple/swift-nio.git",
            "https://github.com/apple/swift-nio",
            "https://user:s3cret@github.com:443/apple/swift-nio/",
            "ssh://git@github.com/apple/swift-nio.git",
            "git@github.com:apple/swift-nio.git",
        ] {
            assert_eq!(place(url).unwrap(), ("github.com/apple".to_owned(), "swift-nio".to_owned()), "{url}");
        }
        assert_eq!(place("swift-nio"), None);
        assert_eq!(place("https:///swift-nio"), None);
    }
}
