//! Reads `go.mod`, with the hashes of the `go.sum` beside it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::go_mod::{GoMod, malformed, parse, sums};
use crate::error::{ErrorKind, Result};
use crate::limits;
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{GO_SUM, LockFile, Origin, Package};
use crate::sbom::model::{Hash, Scope};
use crate::sbom::purl;
use crate::sbom::tree::Found;

/// Longest `go.sum` that is read.
const SUM_BYTES: u64 = 64 * 1024 * 1024;

/// Hashes of modules by path and version, none where there is only that of the `go.mod`.
type Sums = BTreeMap<(String, String), Option<String>>;

/// What `found` and the `go.sum` beside it say. Since Go 1.17 a `go.mod` lists each module that something is built from;
/// before, those that are not direct are taken from the `go.sum`.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let parsed = parse(path, text)?;
    let sums = match limits::read_file("go.sum", &found.folder.join("go.sum"), SUM_BYTES) {
        Ok(bytes) => {
            let path = format!("{}.sum", path.trim_end_matches(".mod"));
            let text = std::str::from_utf8(&bytes).map_err(|e| malformed(&path, "is not UTF-8 text").caused_by(e))?;
            sums(&path, text)?
        }
        Err(e) if e.kind() == ErrorKind::NotFound => Sums::new(),
        Err(e) => return Err(e),
    };
    let selected = selected(path, &parsed, &sums)?;
    let mut packages = vec![package(&parsed.module, None, Origin::Local)?];
    let mut direct = BTreeSet::new();
    for (required, version, is_direct) in selected {
        let by_version = parsed.replaces.get(&(required.to_owned(), Some(version.to_owned())));
        let package = match by_version.or_else(|| parsed.replaces.get(&(required.to_owned(), None))) {
            None => fetched(required, version, &sums)?,
            Some(replace) => match &replace.version {
                Some(version) => fetched(&replace.path, version, &sums)?,
                None => package(required, None, Origin::Local)?,
            },
        };
        if is_direct {
            direct.insert(packages.len());
        }
        packages.push(package);
    }
    if let Some(product) = packages.first_mut() {
        product.needs = direct.into_iter().collect();
    }
    Ok(LockFile { path: path.clone(), packages, product: Some(0), unnamed_needs: Vec::new() })
}

/// Path and version of each module that is built from, and whether the module itself imports it.
fn selected<'a>(path: &str, parsed: &'a GoMod, sums: &'a Sums) -> Result<Vec<(&'a str, &'a str, bool)>> {
    let mut versions: BTreeMap<&str, (&str, bool)> = BTreeMap::new();
    for require in &parsed.requires {
        if parsed.excludes.contains(&(require.path.clone(), require.version.clone())) {
            let (required, version) = (&require.path, &require.version);
            return Err(malformed(path, format_args!("requires `{required} {version}`, which it excludes")));
        }
        if versions.insert(&require.path, (&require.version, !require.is_indirect)).is_some() {
            return Err(malformed(path, format_args!("requires `{}` twice", require.path)));
        }
    }
    if parsed.go.unwrap_or((1, 16)) < (1, 17) {
        if sums.is_empty() && !versions.is_empty() {
            return Err(super::malformed(
                path,
                "is of a Go before 1.17, which does not list the modules that others need, and has no `go.sum` beside it",
                "run `go mod tidy -go=1.17`",
            ));
        }
        // of all versions that are asked for, Go selects the highest
        let mut highest: BTreeMap<&str, (&str, bool)> = BTreeMap::new();
        for ((module, version), sum) in sums.iter().filter(|((module, _), _)| *module != parsed.module) {
            let entry = highest.entry(module).or_insert((version, sum.is_some()));
            if order(version, entry.0) == Ordering::Greater {
                *entry = (version, sum.is_some());
            }
        }
        for (module, (version, _)) in highest.into_iter().filter(|(_, (_, is_built))| *is_built) {
            versions.entry(module).or_insert((version, false));
        }
    }
    Ok(versions.into_iter().map(|(path, (version, is_direct))| (path, version, is_direct)).collect())
}

fn fetched(path: &str, version: &str, sums: &Sums) -> Result<Package> {
    let mut package = package(path, Some(version), Origin::Fetched)?;
    let sum = sums.get(&(path.to_owned(), version.to_owned())).cloned().flatten();
    package.hashes = sum.map(|content| Hash { alg: GO_SUM, content }).into_iter().collect();
    Ok(package)
}

/// A module; its path is in lower case in the purl, as the type `golang` has it.
fn package(path: &str, version: Option<&str>, origin: Origin) -> Result<Package> {
    let lower = path.to_ascii_lowercase();
    let (namespace, name) = match lower.rsplit_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, lower.as_str()),
    };
    Ok(Package {
        group: None,
        name: path.to_owned(),
        version: version.map(str::to_owned),
        purl: purl::of("golang", namespace, name, version, None)?,
        origin,
        // a `go.mod` does not tell which modules are for tests and tools alone
        scope: Scope::Required,
        hashes: Vec::new(),
        files: Vec::new(),
        licenses: Vec::new(),
        needs: Vec::new(),
    })
}

/// The order of versions of modules (SemVer 2.0.0, section 11).
fn order(a: &str, b: &str) -> Ordering {
    let parts = |version: &str| -> (Vec<String>, String) {
        let version = version.trim_start_matches('v').split('+').next().unwrap_or_default();
        let (core, before) = version.split_once('-').unwrap_or((version, ""));
        (core.split('.').map(str::to_owned).collect(), before.to_owned())
    };
    let number = |a: &str, b: &str| (a.len(), a).cmp(&(b.len(), b));
    let ((a, a_before), (b, b_before)) = (parts(a), parts(b));
    let core = a.iter().zip(&b).map(|(a, b)| number(a, b)).find(|order| order.is_ne());
    if let Some(order) = core {
        return order;
    }
    if a_before.is_empty() || b_before.is_empty() {
        // a release follows what came before it
        return a_before.is_empty().cmp(&b_before.is_empty());
    }
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let (mut a, mut b) = (a_before.split('.'), b_before.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (a, b) if a.is_none() || b.is_none() => a.is_some().cmp(&b.is_some()),
            (Some(a), Some(b)) if is_number(a) && is_number(b) => number(a, b),
            (Some(a), Some(b)) if is_number(a) != is_number(b) => is_number(b).cmp(&is_number(a)),
            (a, b) => a.cmp(&b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_modules_are_ordered() {
        let rising = [
            "v0.0.0-20190101000000-000000000000",
            "v0.0.0-20200101000000-000000000000",
            "v0.9.0",
            "v1.0.0-alpha",
            "v1.0.0-alpha.1",
            "v1.0.0-rc.2",
            "v1.0.0-rc.10",
            "v1.0.0",
            "v1.0.1-0.20200101000000-000000000000",
            "v1.0.1",
            "v1.10.0",
            "v2.0.0+incompatible",
        ];
        for pair in rising.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(order(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        assert_eq!(order("v1.0.0", "v1.0.0+incompatible"), Ordering::Equal);
    }
}
