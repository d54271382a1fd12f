//! Brings version 1 of `package-lock.json` (npm 5 and 6) to the form of the later ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::npm::{Entry, Folders};
use crate::error::{ErrorKind, Result};
use crate::json;
use crate::limits;
use crate::sbom::tree::Found;

/// Packages by name, each with those in its own `node_modules`.
pub(super) type Tree = BTreeMap<String, Nested>;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Nested {
    version: Option<String>,
    resolved: Option<String>,
    integrity: Option<String>,
    dev: bool,
    optional: bool,
    requires: Requires,
    dependencies: Tree,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Requires {
    Packages(BTreeMap<String, String>),
    Flag(#[expect(dead_code, reason = "npm 5.0 wrote a bare true or false here, which says nothing")] bool),
}

impl Default for Requires {
    fn default() -> Self {
        Self::Packages(BTreeMap::new())
    }
}

/// The packages of `tree` by folder, with the root as the `package.json` beside the lock file has it.
///
/// Where there is none, the root needs those packages at the top that no other needs: npm keeps no others.
pub(super) fn folders(found: &Found, tree: Tree) -> Result<Folders> {
    let mut folders = Folders::new();
    let mut open: Vec<(String, Tree)> = vec![(String::new(), tree)];
    while let Some((above, tree)) = open.pop() {
        for (name, nested) in tree {
            let folder = format!("{above}node_modules/{name}");
            open.push((format!("{folder}/"), nested.dependencies));
            let mut entry = Entry {
                resolved: nested.resolved,
                integrity: nested.integrity,
                dev: nested.dev,
                optional: nested.optional,
                ..Entry::default()
            };
            if let Requires::Packages(packages) = nested.requires {
                entry.dependencies = packages;
            }
            name_version(&mut entry, nested.version);
            folders.insert(folder, entry);
        }
    }
    let root = match limits::read_file("package.json", &found.folder.join("package.json"), limits::MANIFEST_BYTES) {
        Ok(bytes) => json::parse("package.json", &bytes)?,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            let needed: BTreeSet<&String> = folders.values().flat_map(|e| e.dependencies.keys()).collect();
            let top = folders.keys().filter_map(|f| f.strip_prefix("node_modules/"));
            let direct = top.filter(|f| !f.contains("/node_modules/") && !needed.contains(&(*f).to_owned()));
            Entry { dependencies: direct.map(|f| (f.to_owned(), String::new())).collect(), ..Entry::default() }
        }
        Err(e) => return Err(e),
    };
    folders.insert(String::new(), root);
    Ok(folders)
}

/// A `version` is a version, `npm:other@version`, or the address that the package comes from.
fn name_version(entry: &mut Entry, version: Option<String>) {
    let Some(version) = version else { return };
    if let Some((name, version)) = version.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@')) {
        entry.name = Some(name.to_owned());
        entry.version = Some(version.to_owned());
    } else if version.contains([':', '/']) {
        entry.resolved = Some(version);
    } else {
        entry.version = Some(version);
    }
}
