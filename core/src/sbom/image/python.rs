//! Installed Python packages, by their metadata (packaging.python.org, "Core metadata specifications" and "Recording
//! installed projects"; PEP 376 and setuptools before them).

use std::collections::{BTreeMap, BTreeSet};

use super::inventory::{Package, Told};
use super::malformed;
use crate::error::Result;
use crate::sbom::license::{self, LicenseChoice};
use crate::sbom::purl;

struct Metadata {
    name: String,
    version: String,
    licenses: Vec<LicenseChoice>,
    /// Names of packages that it needs whatever the machine is and no extra is asked for.
    requires: Vec<String>,
}

pub(super) fn read(told: &[Told], recorded: &BTreeSet<String>) -> Result<Vec<Package>> {
    let mut packages = Vec::with_capacity(told.len());
    let mut requirements = Vec::with_capacity(told.len());
    // packages of one folder find each other
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (place, told) in told.iter().enumerate() {
        let path = &told.file.found.path;
        let (folder, own) = folders(path);
        let metadata = parse(path, own, &String::from_utf8_lossy(&told.content))?;
        let name = normalized(&metadata.name);
        // what an installer wrote lists its files; without, the package came by another way, such as a distribution's
        let is_recorded = recorded.contains(format!("{folder}/{own}").trim_start_matches('/'));
        packages.push(Package {
            group: None,
            purl: purl::of("pypi", None, &name, Some(&metadata.version), None)?,
            name: metadata.name,
            version: Some(metadata.version),
            licenses: metadata.licenses,
            facts: vec![("sealwright:python-record", if is_recorded { "present" } else { "missing" }.to_owned())],
            found: told.file.found.clone(),
            needs: BTreeSet::new(),
        });
        requirements.push((folder.to_owned(), metadata.requires));
        places.insert((folder.to_owned(), name), place);
    }
    for (package, (folder, requires)) in packages.iter_mut().zip(requirements) {
        let needs = requires.iter().filter_map(|name| places.get(&(folder.clone(), normalized(name))).copied());
        package.needs = needs.collect();
    }
    Ok(packages)
}

/// The folder that the package is installed in, and the name of its own folder or file there.
fn folders(path: &str) -> (&str, &str) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if name == "METADATA" || name == "PKG-INFO" {
        folder.rsplit_once('/').unwrap_or(("", folder))
    } else {
        (folder, name)
    }
}

fn parse(path: &str, own: &str, text: &str) -> Result<Metadata> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            // the description follows
            break;
        }
        match (line.strip_prefix([' ', '\t']), line.split_once(':')) {
            (Some(more), _) => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(more.trim());
                }
            }
            (None, Some((name, value))) => fields.push((name.trim().to_lowercase(), value.trim().to_owned())),
            (None, None) => {}
        }
    }
    let all = |field: &str| {
        let field = field.to_owned();
        fields.iter().filter(move |(name, _)| *name == field).map(|(_, value)| value.as_str())
    };
    let one = |field: &str| all(field).find(|value| !value.is_empty() && *value != "UNKNOWN");
    // installers name the folder by both
    let stem = own.rsplit_once('.').map_or("", |(stem, _)| stem);
    let (folder_name, folder_version) = match stem.split_once('-') {
        Some((name, version)) => (Some(name), version.split("-py").next()),
        None => (None, None),
    };
    let name = one("name").or(folder_name).unwrap_or_default();
    let version = one("version").or(folder_version).unwrap_or_default();
    let sound = |text: &str, also: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
    };
    if !sound(name, "._-") || !sound(version, "._-+!*") {
        return Err(malformed(
            path,
            format_args!(
                "names a package `{}` of version `{}`, which is no name and version",
                name.escape_debug(),
                version.escape_debug()
            ),
        ));
    }
    let expression = one("license-expression").and_then(license::declared);
    let classifiers =
        || all("classifier").filter_map(|text| text.strip_prefix("License :: ")).filter_map(of_classifier);
    let licenses = match expression {
        Some(expression) => vec![expression],
        // the field may hold all of a licence's text
        None => match one("license").filter(|text| !text.contains('\n') && text.len() < 100) {
            Some(text) => license::declared(text).into_iter().collect(),
            None => classifiers().collect::<BTreeSet<_>>().into_iter().filter_map(license::declared).collect(),
        },
    };
    Ok(Metadata {
        name: name.to_owned(),
        version: version.to_owned(),
        licenses,
        requires: all("requires-dist")
            .filter(|text| !text.contains(';'))
            .map(|text| required(text).to_owned())
            .collect(),
    })
}

/// The licence of a classifier `OSI Approved :: MIT License`, without what says nothing.
fn of_classifier(text: &str) -> Option<&str> {
    let name = text.rsplit(" :: ").next()?.trim();
    Some(match name {
        "OSI Approved" | "Other/Proprietary License" => return None,
        "MIT License" => "MIT",
        "Apache Software License" => "Apache-2.0",
        "ISC License (ISCL)" => "ISC",
        "Mozilla Public License 2.0 (MPL 2.0)" => "MPL-2.0",
        "GNU General Public License v2 (GPLv2)" => "GPL-2.0-only",
        "GNU General Public License v2 or later (GPLv2+)" => "GPL-2.0-or-later",
        "GNU General Public License v3 (GPLv3)" => "GPL-3.0-only",
        "GNU General Public License v3 or later (GPLv3+)" => "GPL-3.0-or-later",
        "GNU Lesser General Public License v3 (LGPLv3)" => "LGPL-3.0-only",
        "GNU Lesser General Public License v3 or later (LGPLv3+)" => "LGPL-3.0-or-later",
        "GNU Affero General Public License v3" => "AGPL-3.0-only",
        "GNU Affero General Public License v3 or later (AGPLv3+)" => "AGPL-3.0-or-later",
        "The Unlicense (Unlicense)" => "Unlicense",
        "zlib/libpng License" => "Zlib",
        name => name,
    })
}

/// The name in a requirement `name[extra] (>=1.0)`.
fn required(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c)).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// The name by which packages are the same (PEP 503).
fn normalized(name: &str) -> String {
    let parts = name.split(['-', '_', '.']).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-").to_lowercase()
}
