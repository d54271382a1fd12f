//! Reads `Pipfile.lock`, specification 6.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::pyproject::Project;
use super::python::{Reading, Source, file_name, pinned, shown};
use super::python_graph::{Need, Needs, Tree};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::sbom::GenerateOptions;
use crate::sbom::graph::LockFile;
use crate::sbom::model::Scope;
use crate::sbom::tree::Found;

const REMEDY: &str = "run `pipenv lock` and look at it";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Meta {
    pipfile_spec: Option<json::Value>,
    #[serde(default)]
    sources: Vec<Index>,
}

#[derive(Deserialize)]
struct Index {
    name: Option<String>,
    url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    version: Option<String>,
    hashes: Vec<String>,
    index: Option<String>,
    git: Option<String>,
    hg: Option<String>,
    svn: Option<String>,
    bzr: Option<String>,
    r#ref: Option<String>,
    subdirectory: Option<String>,
    path: Option<String>,
    file: Option<String>,
}

/// What the lock file `found` says. It has no edges: the product needs what the `Pipfile` beside it names, or all of
/// it where there is none.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let reading = Reading { path: &found.relative, remedy: REMEDY };
    let mut sections: BTreeMap<String, json::Value> =
        json::parse("lock file", text.as_bytes()).map_err(|e| e.while_doing(format_args!("`{}`", found.relative)))?;
    let Some(meta) = sections.remove("_meta") else { return Err(reading.fault("has no `_meta`")) };
    let meta: Meta = value(reading, meta)?;
    if meta.pipfile_spec.as_ref().and_then(json::Value::as_u64) != Some(6) {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{}` is of specification {}; specification 6 is read",
                found.relative,
                shown(&meta.pipfile_spec.unwrap_or_default().to_string())
            ),
        ));
    }
    for needed in ["default", "develop"] {
        if !sections.contains_key(needed) {
            return Err(reading.fault(format_args!("has no `{needed}`")));
        }
    }
    let direct = direct(reading, found)?;
    let mut tree = Tree::default();
    let mut needs = Needs::default();
    for (section, packages) in sections {
        let scope = if section == "default" { Scope::Required } else { Scope::Excluded };
        let packages: BTreeMap<String, Entry> = value(reading, packages)?;
        let mut places = BTreeMap::new();
        for (name, entry) in packages {
            let version = match entry.version.as_deref() {
                None | Some("*") => None,
                Some(version) => match pinned(version) {
                    Some(version) => Some(version),
                    None => return Err(reading.fault(format_args!("has `{}` in no one version", shown(&name)))),
                },
            };
            let source = source(reading, &meta, &name, &entry)?;
            if version.is_none() && matches!(source, Source::Index(_)) {
                return Err(reading.fault(format_args!("has `{}` without a version", shown(&name))));
            }
            let mut package = reading.package(&name, version, source)?;
            package.scope = scope;
            let file = entry.file.as_deref().map(file_name).unwrap_or_default();
            for hash in &entry.hashes {
                package.files.extend(reading.hash(&package.name, hash)?.map(|hash| (file.to_owned(), hash)));
            }
            let name = package.name.clone();
            let place = tree.push(package, Needs::default());
            if places.insert(name.clone(), place).is_some() {
                return Err(reading.fault(format_args!("has `{name}` twice in `{section}`")));
            }
        }
        let list = if scope == Scope::Required { &mut needs.always } else { &mut needs.groups };
        match direct.as_ref().map(|direct| direct.get(section.as_str())) {
            None => list.extend(places.into_values().map(Need::of)),
            Some(direct) => {
                for name in direct.into_iter().flatten() {
                    let Some(place) = places.get(name) else {
                        return Err(reading.fault(format_args!(
                            "lacks `{name}`, which the `Pipfile` beside it names, so it is cut or stale"
                        )));
                    };
                    list.push(Need::of(*place));
                }
            }
        }
    }
    let project = Project::open(&found.folder)?;
    let (product, unnamed) = match project.map(|project| project.package(reading)).transpose()?.flatten() {
        Some(package) => (Some(tree.push(package, needs)), Needs::default()),
        None => (None, needs),
    };
    Ok(tree.into_lock(&found.relative, product, &unnamed))
}

fn value<T: serde::de::DeserializeOwned>(reading: Reading<'_>, value: json::Value) -> Result<T> {
    serde_json::from_value(value)
        .map_err(|e| reading.fault(format_args!("can't be read: {}", super::brief(&e.to_string()))))
}

/// The names in each section of the `Pipfile`, by the section of the lock file, if there is one.
fn direct(reading: Reading<'_>, found: &Found) -> Result<Option<BTreeMap<String, Vec<String>>>> {
    let wire: Option<BTreeMap<String, toml::Value>> = super::toml_manifest(&found.folder.join("Pipfile"))?;
    let Some(wire) = wire else { return Ok(None) };
    let mut direct = BTreeMap::new();
    for (section, table) in wire {
        let section = match section.as_str() {
            "source" | "requires" | "scripts" | "pipenv" | "pipfile" => continue,
            "packages" => "default".to_owned(),
            "dev-packages" => "develop".to_owned(),
            _ => section,
        };
        let names = table.as_table().into_iter().flat_map(|table| table.keys()).map(|name| reading.name(name));
        direct.insert(section, names.collect::<Result<_>>()?);
    }
    Ok(Some(direct))
}

fn source<'a>(reading: Reading<'_>, meta: &'a Meta, name: &str, entry: &'a Entry) -> Result<Source<'a>> {
    let repositories = [("git", &entry.git), ("hg", &entry.hg), ("svn", &entry.svn), ("bzr", &entry.bzr)];
    for (kind, url) in repositories {
        if let Some(url) = url {
            let (revision, folder) = (entry.r#ref.as_deref(), entry.subdirectory.as_deref());
            return Ok(Source::Repository { kind, url, revision, folder });
        }
    }
    if let Some(url) = &entry.file {
        let is_remote = url.starts_with("http://") || url.starts_with("https://");
        return Ok(if is_remote { Source::File(url) } else { Source::Tree });
    }
    if entry.path.is_some() {
        return Ok(Source::Tree);
    }
    let index = match &entry.index {
        // Pipenv takes what names no index from the first
        None => meta.sources.first(),
        Some(index) => Some(
            meta.sources.iter().find(|source| source.name.as_ref() == Some(index) || source.url == *index).ok_or_else(
                || reading.fault(format_args!("takes `{}` from `{}`, which is no source", shown(name), shown(index))),
            )?,
        ),
    };
    Ok(Source::Index(index.map_or("", |index| &index.url)))
}
