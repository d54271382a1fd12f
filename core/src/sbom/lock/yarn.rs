//! Reads `yarn.lock`: version 1, and the YAML that Yarn writes since its version 2.

use std::collections::BTreeMap;

use super::package_json::{Manifest, normal};
use super::{members, yarn_berry, yarn_v1};
use crate::error::{Error, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::LockFile;
use crate::sbom::tree::Found;

/// What the lock file `found` says.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    if text.lines().any(|line| line.trim_end() == "__metadata:") {
        yarn_berry::read(found, text)
    } else {
        yarn_v1::read(found, text)
    }
}

/// The manifests of the members that the one in the root names, by their folders.
pub(super) fn members(found: &Found, root: &Manifest) -> Result<BTreeMap<String, Manifest>> {
    let (left_out, named): (Vec<&String>, Vec<_>) = root.members().iter().partition(|p| p.starts_with('!'));
    let mut manifests = BTreeMap::new();
    let relative = |folder: std::path::PathBuf| {
        let below = folder.strip_prefix(&found.folder).ok()?.to_str()?.replace('\\', "/");
        Some(normal("", &below)).filter(|below| !below.is_empty())
    };
    for folder in named.iter().flat_map(|pattern| members::matching(&found.folder, pattern)) {
        let Some(folder) = relative(folder) else { continue };
        if let Some(manifest) = Manifest::read(found, &folder)? {
            manifests.insert(folder, manifest);
        }
    }
    for pattern in left_out {
        let pattern = pattern.trim_start_matches('!');
        for folder in members::matching(&found.folder, pattern).into_iter().filter_map(relative) {
            manifests.remove(&folder);
        }
    }
    Ok(manifests)
}

pub(super) fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `yarn install` and look at it")
}
