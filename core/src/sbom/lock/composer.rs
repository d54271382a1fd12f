//! Reads `composer.lock`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::error::{self, Error, Result};
use crate::json;
use crate::limits;
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::license;
use crate::sbom::model::{Hash, Scope};
use crate::sbom::purl;
use crate::sbom::tree::Found;

/// Where Packagist wants to be told of installations; its packages name it.
const PACKAGIST: &str = "https://packagist.org/";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Wire {
    packages: Vec<WirePackage>,
    packages_dev: Option<Vec<WirePackage>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WirePackage {
    name: String,
    version: String,
    source: Option<Place>,
    dist: Option<Place>,
    #[serde(default)]
    require: Links,
    #[serde(default)]
    replace: Links,
    #[serde(default)]
    provide: Links,
    #[serde(default)]
    license: Licenses,
    notification_url: Option<String>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(rename = "type")]
    kind: String,
    url: String,
    reference: Option<String>,
    shasum: Option<String>,
}

/// Names with versions. PHP writes an empty object as a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Links {
    Some(BTreeMap<String, String>),
    None([(); 0]),
}

impl Default for Links {
    fn default() -> Self {
        Self::None([])
    }
}

impl Links {
    /// Names of packages, in lower case. What has no vendor is the platform: PHP, its extensions, Composer itself.
    fn packages(&self) -> impl Iterator<Item = String> {
        let names = match self {
            Self::Some(links) => Some(links.keys()),
            Self::None(_) => None,
        };
        names.into_iter().flatten().filter(|name| name.contains('/')).map(|name| name.to_lowercase())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Licenses {
    Several(Vec<String>),
    One(String),
}

impl Default for Licenses {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// What is read of `composer.json`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Manifest {
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    license: Licenses,
    #[serde(default)]
    require: Links,
    #[serde(default)]
    require_dev: Links,
    #[serde(default)]
    replace: Links,
    #[serde(default)]
    provide: Links,
}

/// What the lock file `found` says.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let wire: Wire = json::parse("lock file", text.as_bytes()).map_err(|e| e.while_doing(format_args!("`{path}`")))?;
    let runtime = wire.packages.iter().map(|package| (package, Scope::Required));
    let dev = wire.packages_dev.iter().flatten().map(|package| (package, Scope::Excluded));
    let wires: Vec<(&WirePackage, Scope)> = runtime.chain(dev).collect();

    let bytes = error::optional(limits::read_file(
        "composer.json",
        &found.folder.join("composer.json"),
        limits::MANIFEST_BYTES,
    ))?;
    let manifest: Option<Manifest> = bytes.map(|bytes| json::parse("composer.json", &bytes)).transpose()?;
    let lookup = Lookup::new(path, &wires, manifest.as_ref())?;

    let mut lock = LockFile { path: path.clone(), packages: Vec::new(), product: None, unnamed_needs: Vec::new() };
    for (wire, scope) in &wires {
        let needs = lookup.all(&wire.name, wire.require.packages())?;
        lock.packages.push(package(path, wire, *scope, needs)?);
    }
    let direct = match &manifest {
        Some(manifest) => {
            let needs = manifest.require.packages().chain(manifest.require_dev.packages());
            lookup.all("composer.json", needs)?
        }
        None => unneeded(&lock.packages),
    };
    match manifest.as_ref().and_then(|manifest| Some((manifest, manifest.name.as_ref()?))) {
        Some((manifest, name)) => {
            let (group, name) = split(path, name)?;
            let version = manifest.version.as_deref();
            lock.product = Some(lock.packages.len());
            lock.packages.push(Package {
                purl: purl::of("composer", Some(&group), &name, version, None)?,
                group: Some(group),
                name,
                version: version.map(str::to_owned),
                origin: Origin::Local,
                scope: Scope::Required,
                hashes: Vec::new(),
                files: Vec::new(),
                licenses: licenses(&manifest.license),
                needs: direct,
            });
        }
        None => lock.unnamed_needs = direct,
    }
    Ok(lock)
}

/// The places of what no other package needs: Composer locks no others, so that somebody asked for these.
fn unneeded(packages: &[Package]) -> Vec<usize> {
    let needed: BTreeSet<usize> = packages.iter().flat_map(|package| package.needs.iter().copied()).collect();
    (0..packages.len()).filter(|n| !needed.contains(n)).collect()
}

fn package(path: &str, wire: &WirePackage, scope: Scope, needs: Vec<usize>) -> Result<Package> {
    let (group, name) = split(path, &wire.name)?;
    let origin = origin(wire);
    let qualifier = origin.as_ref().map(|(key, value)| (*key, &**value));
    let is_local = wire.dist.as_ref().is_some_and(|dist| dist.kind == "path");
    Ok(Package {
        purl: purl::of("composer", Some(&group), &name, Some(&wire.version), qualifier)
            .map_err(|e| e.while_doing(format_args!("`{path}`")))?,
        group: Some(group),
        name,
        version: Some(wire.version.clone()),
        origin: if is_local { Origin::Local } else { Origin::Fetched },
        scope,
        hashes: checksum(path, wire)?.into_iter().collect(),
        files: Vec::new(),
        licenses: licenses(&wire.license),
        needs,
    })
}

/// The qualifier for a package that is not from Packagist.
fn origin(wire: &WirePackage) -> Option<(&'static str, String)> {
    if wire.notification_url.as_ref().is_some_and(|url| url.starts_with(PACKAGIST)) {
        return None;
    }
    match (&wire.source, &wire.dist) {
        (_, Some(dist)) if dist.kind == "path" => None,
        (Some(source), _) if source.kind == "git" => {
            Some(("vcs_url", purl::git_url(&source.url, source.reference.as_deref())))
        }
        (Some(source), _) => {
            let at = source.reference.as_ref().map(|at| format!("@{at}")).unwrap_or_default();
            Some(("vcs_url", format!("{}+{}{at}", source.kind, purl::public_url(&source.url))))
        }
        (None, Some(dist)) => Some(("download_url", purl::public_url(&dist.url))),
        (None, None) => None,
    }
}

fn checksum(path: &str, wire: &WirePackage) -> Result<Option<Hash>> {
    match wire.dist.as_ref().and_then(|dist| dist.shasum.as_deref()) {
        None | Some("") => Ok(None),
        Some(hex) if hex.len() == 40 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            Ok(Some(Hash { alg: "SHA-1", content: hex.to_ascii_lowercase() }))
        }
        Some(other) => {
            let other = other.escape_debug();
            Err(malformed(path, format_args!("has the shasum `{other}` for `{}`, which is no SHA-1", wire.name)))
        }
    }
}

/// Of several licences one may be chosen ("disjunctive licenses" in Composer's schema).
fn licenses(field: &Licenses) -> Vec<license::LicenseChoice> {
    match field {
        Licenses::One(text) => license::declared(text).into_iter().collect(),
        Licenses::Several(texts) => license::any_of(texts.iter().map(|text| &**text)),
    }
}

/// Vendor and name, in lower case, in which Composer compares them and purl-spec writes them.
fn split(path: &str, name: &str) -> Result<(String, String)> {
    match name.split_once('/') {
        Some((vendor, rest)) if !vendor.is_empty() && !rest.is_empty() && !rest.contains('/') => {
            Ok((vendor.to_lowercase(), rest.to_lowercase()))
        }
        _ => Err(malformed(path, format_args!("has the package `{}`, which is no `vendor/name`", name.escape_debug()))),
    }
}

/// Packages by name.
struct Lookup<'a> {
    path: &'a str,
    by_name: BTreeMap<String, usize>,
    /// Those that stand for a name which may be no package at all.
    instead: BTreeMap<String, Vec<usize>>,
    /// Names that the project itself stands for.
    by_root: BTreeSet<String>,
}

impl<'a> Lookup<'a> {
    fn new(path: &'a str, wires: &[(&WirePackage, Scope)], manifest: Option<&Manifest>) -> Result<Self> {
        let mut lookup = Self { path, by_name: BTreeMap::new(), instead: BTreeMap::new(), by_root: BTreeSet::new() };
        for (n, (wire, _)) in wires.iter().enumerate() {
            if lookup.by_name.insert(wire.name.to_lowercase(), n).is_some() {
                return Err(malformed(path, format_args!("has `{}` twice", wire.name.escape_debug())));
            }
            for name in wire.replace.packages().chain(wire.provide.packages()) {
                lookup.instead.entry(name).or_default().push(n);
            }
        }
        if let Some(root) = manifest {
            lookup.by_root.extend(root.replace.packages().chain(root.provide.packages()));
            lookup.by_root.extend(root.name.as_ref().map(|name| name.to_lowercase()));
        }
        Ok(lookup)
    }

    /// The places of what `user` needs: the package of the name, else all that replace or provide it.
    fn all(&self, user: &str, names: impl Iterator<Item = String>) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        for name in names {
            match (self.by_name.get(&name), self.instead.get(&name)) {
                (Some(place), _) => found.push(*place),
                (None, Some(places)) => found.extend(places),
                (None, None) if self.by_root.contains(&name) => {}
                (None, None) => {
                    let (user, name) = (user.escape_debug(), name.escape_debug());
                    let fault = format_args!("holds nothing for `{name}`, which `{user}` needs, so it is cut or stale");
                    return Err(malformed(self.path, fault));
                }
            }
        }
        Ok(found)
    }
}

fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `composer update --lock` and look at it")
}
