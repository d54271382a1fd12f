//! Reads `Cargo.lock`, versions 1 to 4.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::cargo_manifest::Manifests;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::license;
use crate::sbom::model::{Hash, Scope};
use crate::sbom::purl;
use crate::sbom::tree::Found;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: Option<u32>,
    #[serde(default)]
    package: Vec<WirePackage>,
    /// The root package of lock files before 2018.
    root: Option<WirePackage>,
    /// Checksums, in version 1.
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(rename = "patch")]
    _patch: Option<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    replace: Option<String>,
}

#[derive(Deserialize)]
struct VersionAlone {
    version: Option<toml::Value>,
}

/// What the lock file `found` says; licences come from manifests of the workspace and below Cargo's home.
pub(super) fn read(found: &Found, text: &str, options: &GenerateOptions) -> Result<LockFile> {
    let wire = parse(&found.relative, text)?;
    let manifests = Manifests::open(&found.folder, options.cargo_home.as_deref())?;
    let mut wires = wire.package;
    wires.extend(wire.root);
    let lookup = Lookup::new(&found.relative, &wires)?;

    let mut packages = Vec::with_capacity(wires.len());
    for package in &wires {
        let needs = package.dependencies.iter().chain(&package.replace);
        let needs = needs.map(|d| lookup.find(package, d)).collect::<Result<_>>()?;
        let origin = if package.source.is_some() { Origin::Fetched } else { Origin::Local };
        let declared = match package.source.as_deref() {
            None => manifests.license_of_member(&package.name),
            // the checkout of a git source has no folder by name and version
            Some(source) if source.starts_with("git+") => None,
            Some(_) => manifests.license_of_unpacked(&package.name, &package.version)?,
        };
        packages.push(Package {
            purl: purl::cargo(&package.name, &package.version, package.source.as_deref())?,
            group: None,
            name: package.name.clone(),
            version: Some(package.version.clone()),
            origin,
            // a lock file does not tell which packages are for tests alone
            scope: Scope::Required,
            hashes: checksum(&found.relative, package, &wire.metadata)?.into_iter().collect(),
            files: Vec::new(),
            licenses: declared.and_then(|text| license::declared(&text)).into_iter().collect(),
            needs,
        });
    }
    let product = match manifests.product() {
        Some(name) => Some(member(&found.relative, &packages, name)?),
        None => None,
    };
    Ok(LockFile { path: found.relative.clone(), packages, product, unnamed_needs: Vec::new() })
}

fn parse(path: &str, text: &str) -> Result<Wire> {
    let wire: Wire = toml::from_str(text).map_err(|e| match toml::from_str::<VersionAlone>(text) {
        Ok(VersionAlone { version: Some(version) }) if version.as_integer().is_none_or(|v| !(1..=4).contains(&v)) => {
            unknown_version(path, &version)
        }
        _ => Error::new(
            ErrorKind::Malformed,
            format!("`{path}` is no whole lock file of Cargo: {}; lock again and don't edit it", e.message()),
        )
        .caused_by(e),
    })?;
    match wire.version {
        None | Some(1..=4) => {}
        Some(version) => return Err(unknown_version(path, &version)),
    }
    if wire.package.is_empty() && wire.root.is_none() {
        return Err(malformed(path, "holds no package"));
    }
    Ok(wire)
}

/// The place of the package that the manifest beside the lock file names.
fn member(path: &str, packages: &[Package], name: &str) -> Result<usize> {
    packages.iter().position(|p| p.origin == Origin::Local && p.name == name).ok_or_else(|| {
        malformed(
            path,
            format_args!(
                "lacks the package `{}` of the manifest beside it, so it is cut or stale",
                name.escape_debug()
            ),
        )
    })
}

/// Packages by name.
struct Lookup<'a> {
    path: &'a str,
    wires: &'a [WirePackage],
    by_name: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Lookup<'a> {
    fn new(path: &'a str, wires: &'a [WirePackage]) -> Result<Self> {
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (n, package) in wires.iter().enumerate() {
            let sound = |text: &str, also: &str| {
                !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || also.contains(c))
            };
            // both become part of a path below the Cargo home
            if !sound(&package.name, "-_") || !sound(&package.version, ".-+") {
                let what = format!("{} {}", package.name, package.version);
                return Err(malformed(
                    path,
                    format_args!("has the package `{}`, which is no name and version", what.escape_debug()),
                ));
            }
            let same = by_name.entry(&package.name).or_default();
            let twice = same.iter().filter_map(|&m| wires.get(m));
            if twice.into_iter().any(|m| m.version == package.version && m.source == package.source) {
                return Err(malformed(path, format_args!("has `{} {}` twice", package.name, package.version)));
            }
            same.push(n);
        }
        Ok(Self { path, wires, by_name })
    }

    /// The package that `dependency` (`name`, `name version` or `name version (source)`) of `user` means.
    fn find(&self, user: &WirePackage, dependency: &str) -> Result<usize> {
        let mut parts = dependency.splitn(3, ' ');
        let name = parts.next().unwrap_or_default();
        let version = parts.next();
        let source = parts.next().map(|s| s.trim_start_matches('(').trim_end_matches(')'));
        let candidates = self.by_name.get(name).map(Vec::as_slice).unwrap_or_default();
        let meant: Vec<usize> = candidates
            .iter()
            .copied()
            .filter(|&n| {
                self.wires.get(n).is_some_and(|p| {
                    version.is_none_or(|v| v == p.version) && source.is_none_or(|s| same_source(s, p.source.as_deref()))
                })
            })
            .collect();
        let local = || meant.iter().copied().find(|&n| self.wires.get(n).is_some_and(|p| p.source.is_none()));
        let what = |fault| {
            let (user, dependency) = (&user.name, dependency.escape_debug());
            malformed(self.path, format_args!("says that `{user}` needs `{dependency}`, {fault}"))
        };
        match (&*meant, source) {
            ([one], _) => Ok(*one),
            ([], _) => Err(what("which it does not hold")),
            // a package of the tree has no source to write
            (_, None) => local().ok_or_else(|| what("which more than one package is")),
            _ => Err(what("which more than one package is")),
        }
    }
}

/// Whether a dependency's source means that of a package; it may leave out the commit of a git source.
fn same_source(wanted: &str, source: Option<&str>) -> bool {
    source.is_some_and(|source| {
        wanted == source || (!wanted.contains('#') && source.split_once('#').is_some_and(|(url, _)| url == wanted))
    })
}

fn checksum(path: &str, package: &WirePackage, metadata: &BTreeMap<String, String>) -> Result<Option<Hash>> {
    let apart = || {
        let source = package.source.as_deref()?;
        metadata.get(&format!("checksum {} {} ({source})", package.name, package.version))
    };
    match package.checksum.as_ref().or_else(apart).map(String::as_str) {
        None | Some("<none>") => Ok(None),
        Some(hex) => {
            let digest = Digest::from_hex(Algorithm::Sha256, hex)
                .map_err(|e| e.while_doing(format_args!("`{path}`, checksum of `{}`", package.name)))?;
            Ok(Some(Hash { alg: "SHA-256", content: digest.hex() }))
        }
    }
}

fn unknown_version(path: &str, version: &dyn std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("`{path}` is a Cargo lock file of version {version}; versions 1 to 4 are read"),
    )
}

fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `cargo update --workspace` and look at it")
}
