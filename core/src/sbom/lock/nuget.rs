//! Reads `packages.lock.json` of NuGet, versions 1 to 3.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::error::{self, Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::license;
use crate::sbom::model::{Hash, Scope};
use crate::sbom::purl;
use crate::sbom::tree::Found;
use crate::sbom::xml::{self, Element};

/// Longest project file that is read.
const PROJECT_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Deserialize)]
struct Wire {
    version: Option<Value>,
    dependencies: Option<BTreeMap<String, Target>>,
    /// In version 3 a target is a member of the document itself.
    #[serde(flatten)]
    targets: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct TargetV3 {
    framework: String,
    #[serde(default)]
    dependencies: Target,
}

/// Packages by name.
type Target = BTreeMap<String, Entry>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "type")]
    kind: Kind,
    resolved: Option<String>,
    content_hash: Option<String>,
    #[serde(default)]
    dependencies: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum Kind {
    Direct,
    Transitive,
    CentralTransitive,
    Project,
}

/// What the lock file `found` says. It does not tell what is for tests alone, so all packages are `required`.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let targets = targets(path, text)?;
    let mut packages: Vec<Package> = Vec::new();
    let mut direct = BTreeSet::new();
    // NuGet compares names without their case
    let mut places: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (target, entries) in &targets {
        for (name, entry) in entries {
            let place = packages.len();
            if places.insert((target.as_str(), name.to_lowercase()), place).is_some() {
                return Err(malformed(path, format_args!("has `{}` twice in `{target}`", name.escape_debug())));
            }
            packages.push(package(path, name, entry)?);
            if entry.kind == Kind::Direct {
                direct.insert(place);
            }
        }
    }
    let mut lock = LockFile { path: path.clone(), packages, product: None, unnamed_needs: Vec::new() };
    let mut n = 0;
    let mut needed = BTreeSet::new();
    for (target, entries) in &targets {
        // what is for one runtime has the framework's packages below it
        let framework = target.split_once('/').map(|(framework, _)| framework);
        for (name, entry) in entries {
            for need in entry.dependencies.keys() {
                let key = need.to_lowercase();
                let below = || places.get(&(framework?, key.clone()));
                let Some(place) = places.get(&(target.as_str(), key.clone())).or_else(below) else {
                    let (name, need) = (name.escape_debug(), need.escape_debug());
                    let fault = format_args!("says that `{name}` needs `{need}`, which `{target}` does not hold");
                    return Err(malformed(path, fault));
                };
                needed.insert(*place);
                if let Some(package) = lock.packages.get_mut(n) {
                    package.needs.push(*place);
                }
            }
            n += 1;
        }
    }
    // of other projects the file does not tell which are named by this one
    let is_project = |n: &usize| lock.packages.get(*n).is_some_and(|p| p.origin == Origin::Local);
    direct.extend((0..n).filter(|n| is_project(n) && !needed.contains(n)));
    let direct: Vec<usize> = direct.into_iter().collect();
    match project(&found.folder)? {
        Some(project) => {
            lock.product = Some(n);
            lock.packages.push(Package { needs: direct, ..project });
        }
        None => lock.unnamed_needs = direct,
    }
    Ok(lock)
}

/// Packages by target, `framework` or `framework/runtime`.
fn targets(path: &str, text: &str) -> Result<BTreeMap<String, Target>> {
    let wire: Wire = json::parse("lock file", text.as_bytes()).map_err(|e| e.while_doing(format_args!("`{path}`")))?;
    match (wire.version.as_ref().and_then(Value::as_u64), wire.dependencies) {
        (Some(1 | 2), Some(targets)) => Ok(targets),
        (Some(1 | 2), None) => Err(malformed(path, "has no `dependencies`")),
        (Some(3), _) => {
            let mut targets = BTreeMap::new();
            for (name, target) in wire.targets {
                let target: TargetV3 = serde_json::from_value(target)
                    .map_err(|e| malformed(path, format_args!("has no target at `{}`: {e}", name.escape_debug())))?;
                if target.framework.is_empty() {
                    return Err(malformed(path, format_args!("has no framework for `{}`", name.escape_debug())));
                }
                targets.insert(name, target.dependencies);
            }
            Ok(targets)
        }
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{path}` is a NuGet lock file of version {}; versions 1, 2 and 3 are read",
                wire.version.unwrap_or_default()
            ),
        )),
    }
}

fn package(path: &str, name: &str, entry: &Entry) -> Result<Package> {
    let origin = if entry.kind == Kind::Project { Origin::Local } else { Origin::Fetched };
    if origin == Origin::Fetched && entry.resolved.is_none() {
        return Err(malformed(path, format_args!("has no version of `{}`", name.escape_debug())));
    }
    Ok(Package {
        purl: purl::of("nuget", None, name, entry.resolved.as_deref(), None)
            .map_err(|e| e.while_doing(format_args!("`{path}`")))?,
        group: None,
        name: name.to_owned(),
        version: entry.resolved.clone(),
        origin,
        scope: Scope::Required,
        files: Vec::new(),
        hashes: entry
            .content_hash
            .as_deref()
            .map(|hash| content_hash(path, name, hash))
            .transpose()?
            .into_iter()
            .collect(),
        licenses: Vec::new(),
        needs: Vec::new(),
    })
}

/// SHA-512 in base64, of the package without the signature that a repository put into it.
fn content_hash(path: &str, name: &str, text: &str) -> Result<Hash> {
    match STANDARD.decode(text) {
        Ok(bytes) if bytes.len() == 64 => Ok(Hash { alg: "SHA-512", content: hex::encode(bytes) }),
        _ => {
            let (name, text) = (name.escape_debug(), text.escape_debug());
            Err(malformed(path, format_args!("has the contentHash `{text}` for `{name}`, which is no SHA-512")))
        }
    }
}

/// The project that stands beside the lock file, if it is the only one there.
fn project(folder: &Path) -> Result<Option<Package>> {
    let entries = std::fs::read_dir(folder).map_err(|e| Error::io("read folder", folder, e))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut projects = names.filter(|name| [".csproj", ".fsproj", ".vbproj"].iter().any(|end| name.ends_with(end)));
    let (Some(file), None) = (projects.next(), projects.next()) else { return Ok(None) };
    let Some(bytes) = error::optional(limits::read_file("project", &folder.join(&file), PROJECT_BYTES))? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("the project `{file}` is not UTF-8 text; write it anew")).caused_by(e)
    })?;
    let root = xml::read("project", text.trim_start_matches('\u{feff}'))
        .map_err(|e| e.while_doing(format_args!("`{file}`")))?;
    let name = property(&root, &["PackageId", "AssemblyName"]).or_else(|| file.rsplit_once('.').map(|(name, _)| name));
    let Some(name) = name.filter(|name| !name.is_empty()) else { return Ok(None) };
    let version = property(&root, &["PackageVersion", "Version"]);
    Ok(Some(Package {
        purl: purl::of("nuget", None, name, version, None).map_err(|e| e.while_doing(format_args!("`{file}`")))?,
        group: None,
        name: name.to_owned(),
        version: version.map(str::to_owned),
        origin: Origin::Local,
        scope: Scope::Required,
        hashes: Vec::new(),
        files: Vec::new(),
        licenses: property(&root, &["PackageLicenseExpression"]).and_then(license::declared).into_iter().collect(),
        needs: Vec::new(),
    }))
}

/// The first of these properties that the project sets to a plain value, whatever the build is told.
fn property<'a>(project: &'a Element, names: &[&str]) -> Option<&'a str> {
    let groups = || project.own().filter(|e| e.name == "PropertyGroup" && e.attribute("Condition").is_none());
    let plain = |element: &'a Element| {
        let text = element.text.trim();
        let is_plain = element.attribute("Condition").is_none() && !text.is_empty() && !text.contains("$(");
        is_plain.then_some(text)
    };
    names.iter().find_map(|name| groups().flat_map(Element::own).filter(|e| e.name == *name).find_map(plain))
}

fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `dotnet restore --force-evaluate` and look at it")
}
