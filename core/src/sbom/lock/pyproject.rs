//! What a `pyproject.toml` adds to a lock file: the product, its licence, and what it needs itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::python::{Reading, Source, name, requirement, shown};
use crate::error::Result;
use crate::sbom::graph::Package;
use crate::sbom::license::{self, LicenseChoice};
use crate::sbom::model::Scope;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Wire {
    project: Option<WireProject>,
    #[serde(default)]
    dependency_groups: BTreeMap<String, Vec<GroupItem>>,
    #[serde(default)]
    tool: Tools,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WireProject {
    name: Option<String>,
    version: Option<String>,
    license: Option<WireLicense>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    optional_dependencies: BTreeMap<String, Vec<String>>,
}

/// Text of PEP 639 and of Poetry, or the table of PEP 621.
#[derive(Deserialize)]
#[serde(untagged)]
enum WireLicense {
    Text(String),
    Table { text: Option<String> },
}

/// A requirement, or another group by its name (PEP 735), which is read where it stands.
#[derive(Deserialize)]
#[serde(untagged)]
enum GroupItem {
    Requirement(String),
    Group(#[expect(dead_code, reason = "what the other group needs is read there")] toml::Table),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tools {
    poetry: Option<Poetry>,
    pdm: Pdm,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Poetry {
    name: Option<String>,
    version: Option<String>,
    license: Option<WireLicense>,
    dependencies: BTreeMap<String, PoetryNeed>,
    dev_dependencies: BTreeMap<String, PoetryNeed>,
    group: BTreeMap<String, PoetryGroup>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PoetryGroup {
    dependencies: BTreeMap<String, PoetryNeed>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
struct Pdm {
    dev_dependencies: BTreeMap<String, Vec<String>>,
}

/// How Poetry writes what a package needs: a range, or more of it, or several for different markers.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum PoetryNeed {
    Range(String),
    One(PoetryTable),
    Several(Vec<PoetryTable>),
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PoetryTable {
    pub(super) version: Option<String>,
    pub(super) optional: bool,
    pub(super) extras: Vec<String>,
    pub(super) markers: Option<String>,
    python: Option<String>,
    platform: Option<String>,
}

impl PoetryNeed {
    pub(super) fn tables(&self) -> &[PoetryTable] {
        match self {
            Self::Range(_) => &[],
            Self::One(table) => std::slice::from_ref(table),
            Self::Several(tables) => tables,
        }
    }

    /// Whether nothing is needed on some platform or version of Python.
    pub(super) fn is_conditional(&self) -> bool {
        self.tables().iter().any(|t| t.markers.is_some() || t.python.is_some() || t.platform.is_some())
    }
}

/// A package that a project itself needs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Direct {
    pub(super) name: String,
    pub(super) extras: Vec<String>,
    /// Required, optional by an extra, or excluded by a group.
    pub(super) scope: Scope,
    /// Whether a marker may leave it out.
    pub(super) conditional: bool,
}

/// A project as its manifest tells it.
pub(super) struct Project {
    pub(super) name: Option<String>,
    version: Option<String>,
    license: Option<String>,
    pub(super) direct: Vec<Direct>,
    /// The names of its extras.
    pub(super) extras: BTreeSet<String>,
}

impl Project {
    /// Reads the manifest in `folder`, if there is one.
    pub(super) fn open(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("pyproject.toml");
        let wire: Option<Wire> = super::toml_manifest(&path)?;
        let Some(wire) = wire else { return Ok(None) };
        let mut direct = Vec::new();
        let mut add = |text: &str, scope| match requirement(text) {
            Some(r) => {
                direct.push(Direct { name: r.name, extras: r.extras, scope, conditional: r.marker.is_some() });
                Ok(())
            }
            None => Err(super::broken_manifest(&path, format_args!("`{}` is no requirement", shown(text)))),
        };
        let (mut named, mut version, mut license, mut extras) = (None, None, None, BTreeSet::new());
        if let Some(project) = wire.project {
            project.dependencies.iter().try_for_each(|r| add(r, Scope::Required))?;
            project.optional_dependencies.values().flatten().try_for_each(|r| add(r, Scope::Optional))?;
            extras.extend(project.optional_dependencies.into_keys());
            (named, version, license) = (project.name, project.version, project.license);
        }
        for item in wire.dependency_groups.values().flatten() {
            if let GroupItem::Requirement(text) = item {
                add(text, Scope::Excluded)?;
            }
        }
        for text in wire.tool.pdm.dev_dependencies.values().flatten() {
            // PDM writes what is editable in pip's form; the lock file has it as a package of the tree
            if !text.trim_start().starts_with('-') {
                add(text, Scope::Excluded)?;
            }
        }
        if let Some(poetry) = wire.tool.poetry {
            add_poetry(&mut direct, &poetry)
                .map_err(|key| super::broken_manifest(&path, format_args!("`{key}` is no name of a package")))?;
            named = named.or(poetry.name);
            version = version.or(poetry.version);
            license = license.or(poetry.license);
        }
        let license = license.and_then(|license| match license {
            WireLicense::Text(text) => Some(text),
            WireLicense::Table { text } => text,
        });
        Ok(Some(Self { name: named, version, license, direct, extras }))
    }

    /// The licences it declares. A whole text is none: it has lines.
    pub(super) fn licenses(&self) -> Vec<LicenseChoice> {
        let text = self.license.as_deref().filter(|text| !text.trim().contains('\n'));
        text.and_then(license::declared).into_iter().collect()
    }

    /// Whether `normal`, in the one form of names, is its name.
    pub(super) fn is_named(&self, normal: &str) -> bool {
        self.name.as_deref().and_then(name).is_some_and(|own| own == normal)
    }

    /// It as a package of the tree, if it has a name.
    pub(super) fn package(&self, reading: Reading<'_>) -> Result<Option<Package>> {
        let Some(name) = &self.name else { return Ok(None) };
        let mut package = reading.package(name, self.version.as_deref(), Source::Tree)?;
        package.licenses = self.licenses();
        Ok(Some(package))
    }
}

/// # Errors
/// The key that is no name.
fn add_poetry(direct: &mut Vec<Direct>, poetry: &Poetry) -> std::result::Result<(), String> {
    let development = poetry.group.iter().flat_map(|(group, needs)| {
        // Poetry takes a group of this name for the dependencies themselves
        let scope = if group == "main" { Scope::Required } else { Scope::Excluded };
        needs.dependencies.iter().map(move |need| (need, scope))
    });
    let main = poetry.dependencies.iter().map(|need| (need, Scope::Required));
    let legacy = poetry.dev_dependencies.iter().map(|need| (need, Scope::Excluded));
    for ((key, need), scope) in main.chain(legacy).chain(development).filter(|((key, _), _)| *key != "python") {
        let tables = need.tables();
        let optional = !tables.is_empty() && tables.iter().all(|table| table.optional);
        let extras = tables.iter().flat_map(|table| &table.extras).filter_map(|extra| name(extra));
        direct.push(Direct {
            name: name(key).ok_or_else(|| shown(key))?,
            extras: extras.collect(),
            scope: if optional { scope.max(Scope::Optional) } else { scope },
            conditional: need.is_conditional(),
        });
    }
    Ok(())
}
