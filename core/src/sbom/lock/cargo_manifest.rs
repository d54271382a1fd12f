//! What `Cargo.toml` files add to a lock file: which package is the product, and licences.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::members::{folders, matching};
use crate::error::Result;

#[derive(Deserialize)]
struct Wire {
    #[serde(alias = "project")]
    package: Option<WirePackage>,
    workspace: Option<WireWorkspace>,
}

#[derive(Deserialize)]
struct WirePackage {
    name: Option<String>,
    license: Option<Inherited>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WireWorkspace {
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    default_members: Vec<String>,
    package: Option<WirePackage>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Inherited {
    Text(String),
    FromWorkspace {
        #[serde(rename = "workspace")]
        _workspace: bool,
    },
}

/// The manifests that go with one lock file.
pub(super) struct Manifests {
    product: Option<String>,
    /// Licence by name of the package.
    licenses: BTreeMap<String, Option<String>>,
    /// The folders below `registry/src` of the Cargo home.
    sources: Vec<PathBuf>,
}

impl Manifests {
    /// Reads the manifest in `folder` and those of its workspace members.
    pub(super) fn open(folder: &Path, cargo_home: Option<&Path>) -> Result<Self> {
        let mut manifests = Self { product: None, licenses: BTreeMap::new(), sources: Vec::new() };
        if let Some(home) = cargo_home {
            manifests.sources = folders(&home.join("registry/src"));
        }
        let Some(root) = read(folder)? else { return Ok(manifests) };
        let shared = root.workspace.as_ref().and_then(|w| w.package.as_ref());
        let shared = shared.and_then(|p| text(p.license.as_ref(), None));
        manifests.product = root.package.as_ref().and_then(|p| p.name.clone());
        manifests.declare(root.package.as_ref(), shared.as_deref());
        if let Some(workspace) = &root.workspace {
            for pattern in &workspace.members {
                for member in matching(folder, pattern) {
                    if let Some(wire) = read(&member)? {
                        manifests.declare(wire.package.as_ref(), shared.as_deref());
                    }
                }
            }
            let only = |list: &[String]| if let [one] = list { matching(folder, one).pop() } else { None };
            let chosen = only(&workspace.default_members).or_else(|| only(&workspace.members));
            if let (None, Some(member)) = (&manifests.product, chosen) {
                manifests.product = read(&member)?.and_then(|w| w.package?.name);
            }
        }
        Ok(manifests)
    }

    /// The package that the lock file is for: that of the manifest beside it, or the only (default) member.
    pub(super) fn product(&self) -> Option<&str> {
        self.product.as_deref()
    }

    /// The licence that a workspace member declares.
    pub(super) fn license_of_member(&self, name: &str) -> Option<String> {
        self.licenses.get(name).cloned().flatten()
    }

    /// The licence that a package of a registry declares, if it was unpacked below the Cargo home.
    pub(super) fn license_of_unpacked(&self, name: &str, version: &str) -> Result<Option<String>> {
        for source in &self.sources {
            if let Some(wire) = read(&source.join(format!("{name}-{version}")))? {
                return Ok(wire.package.and_then(|p| text(p.license.as_ref(), None)));
            }
        }
        Ok(None)
    }

    fn declare(&mut self, package: Option<&WirePackage>, shared: Option<&str>) {
        if let Some((name, package)) = package.and_then(|p| Some((p.name.clone()?, p))) {
            self.licenses.insert(name, text(package.license.as_ref(), shared));
        }
    }
}

fn text(license: Option<&Inherited>, shared: Option<&str>) -> Option<String> {
    match license? {
        Inherited::Text(text) => Some(text.clone()),
        Inherited::FromWorkspace { .. } => shared.map(str::to_owned),
    }
}

/// The manifest in `folder`, if there is one.
fn read(folder: &Path) -> Result<Option<Wire>> {
    super::toml_manifest(&folder.join("Cargo.toml"))
}
