//! Installed Node packages: each folder below a `node_modules` with a `package.json` (docs.npmjs.com, package.json; Node.js,
//! "Modules: CommonJS modules", "Loading from node_modules folders").

use std::collections::{BTreeMap, BTreeSet};

use super::inventory::{Lookups, Package, Told};
use super::malformed;
use crate::error::Result;
use crate::image::{Place, Tree};
use crate::json::Value;
use crate::sbom::license;
use crate::sbom::purl;

pub(super) fn read(told: &[Told], tree: &mut Tree) -> Result<Vec<Package>> {
    let mut packages = Vec::with_capacity(told.len());
    let mut requirements = Vec::with_capacity(told.len());
    for told in told {
        let path = &told.file.found.path;
        let manifest = parse(path, &told.content)?;
        let folder = path.strip_suffix("/package.json").unwrap_or(path);
        let folder_name = folder.rsplit("/node_modules/").next().unwrap_or(folder);
        let text = |field: &str| manifest.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text("name").unwrap_or(folder_name);
        let version = text("version");
        let (group, plain) = match name.split_once('/') {
            Some((scope, name)) if scope.starts_with('@') => (Some(scope.to_owned()), name),
            _ => (None, name),
        };
        packages.push(Package {
            purl: purl::npm(name, version, None)?,
            group,
            name: plain.to_owned(),
            version: version.map(str::to_owned),
            licenses: license::of_npm(manifest.get("license").or_else(|| manifest.get("licenses"))),
            facts: Vec::new(),
            found: told.file.found.clone(),
            needs: BTreeSet::new(),
        });
        requirements.push(needed(&manifest));
    }
    let places: BTreeMap<Place, usize> = told.iter().enumerate().map(|(n, told)| (told.file.place, n)).collect();
    let mut lookups = Lookups::default();
    for (package, names) in packages.iter_mut().zip(requirements) {
        let folder = package.found.path.strip_suffix("/package.json").unwrap_or_default().to_owned();
        for name in names {
            package.needs.extend(lookup(tree, &places, &folder, &name, &mut lookups)?);
        }
    }
    Ok(packages)
}

fn parse(path: &str, content: &[u8]) -> Result<Value> {
    // as Node reads it: a byte order mark is passed over, and of a key that stands twice the last counts
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    match serde_json::from_slice(content) {
        Ok(Value::Object(object)) => Ok(Value::Object(object)),
        Ok(_) => Err(malformed(path, "is no JSON object")),
        Err(e) => Err(malformed(path, format_args!("is no JSON: {e}"))),
    }
}

/// Names of what a package needs at run time, also where it does without.
fn needed(manifest: &Value) -> BTreeSet<String> {
    let fields = ["dependencies", "optionalDependencies", "peerDependencies"];
    let objects = fields.iter().filter_map(|field| manifest.get(field)?.as_object());
    let names = objects.flat_map(|object| object.keys());
    names.filter(|name| !name.split('/').any(|part| matches!(part, "" | "." | ".."))).cloned().collect()
}

/// The package that `name` means in `folder`: in the nearest `node_modules` that has it.
fn lookup(
    tree: &mut Tree,
    places: &BTreeMap<Place, usize>,
    folder: &str,
    name: &str,
    lookups: &mut Lookups,
) -> Result<Option<usize>> {
    let mut above = Some(folder);
    while let Some(folder) = above {
        if !folder.ends_with("/node_modules") {
            lookups.take(1)?;
            let place = tree.find(format!("{folder}/node_modules/{name}/package.json").as_bytes())?;
            if let Some(found) = place {
                return Ok(places.get(&found).copied());
            }
        }
        above = folder.rsplit_once('/').map(|(above, _)| above);
    }
    Ok(None)
}
