//! Reads version 1 of `yarn.lock`, and the manifests beside it: the file itself says neither what the product needs nor
//! what is for development.

use std::collections::{BTreeMap, BTreeSet};

use super::package_json::{self, Manifest, Ranges};
use super::scope::{self, Need};
use super::yarn::{self, malformed};
use super::yarn_syntax::{self, Entry};
use super::{integrity, npm};
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::{Hash, Scope};
use crate::sbom::tree::Found;

pub(super) fn read(found: &Found, text: &str) -> Result<LockFile> {
    let path = &found.relative;
    let header = text.lines().filter_map(|line| line.strip_prefix("# yarn lockfile v"));
    let versions: Vec<&str> = header.map(str::trim).collect();
    if let Some(version) = versions.iter().find(|version| **version != "1") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "`{path}` is a lock file of Yarn of version {}; version 1 is read, and those that have `__metadata`",
                version.escape_debug()
            ),
        ));
    }
    let entries = yarn_syntax::entries(text).map_err(|fault| malformed(path, fault))?;
    if versions.is_empty() && entries.is_empty() {
        return Err(malformed(path, "has no package and not the first lines that Yarn writes"));
    }
    let root = Manifest::read(found, "")?;
    let projects = match &root {
        Some(manifest) => yarn::members(found, manifest)?,
        None => BTreeMap::new(),
    };
    Reader::new(path, &entries, root.as_ref(), &projects)?.read()
}

struct Reader<'a> {
    path: &'a str,
    entries: &'a [Entry],
    root: Option<&'a Manifest>,
    projects: &'a BTreeMap<String, Manifest>,
    /// Places of packages by what they were asked for.
    patterns: BTreeMap<&'a str, usize>,
    /// Places of packages by the name before the `@` of that.
    names: BTreeMap<&'a str, BTreeSet<usize>>,
    /// Places of members of the workspace by name.
    members: BTreeMap<&'a str, usize>,
    packages: Vec<Package>,
    product: Option<usize>,
    /// The place of the first of `entries`.
    first: usize,
}

impl<'a> Reader<'a> {
    fn new(
        path: &'a str,
        entries: &'a [Entry],
        root: Option<&'a Manifest>,
        projects: &'a BTreeMap<String, Manifest>,
    ) -> Result<Self> {
        let mut reader = Self {
            path,
            entries,
            root,
            projects,
            patterns: BTreeMap::new(),
            names: BTreeMap::new(),
            members: BTreeMap::new(),
            packages: Vec::new(),
            product: None,
            first: 0,
        };
        if let Some((root, name)) = root.and_then(|root| Some((root, root.name.as_deref()?))) {
            reader.product = Some(0);
            reader.packages.push(root.package(path, name)?);
        }
        for (folder, manifest) in projects {
            let package = manifest.package(path, npm::name_of(folder))?;
            let name = manifest.name.as_deref().unwrap_or(npm::name_of(folder));
            reader.members.insert(name, reader.packages.len());
            reader.packages.push(package);
        }
        reader.first = reader.packages.len();
        for entry in entries {
            let place = reader.packages.len();
            for pattern in &entry.patterns {
                if reader.patterns.insert(pattern, place).is_some() {
                    return Err(malformed(path, format_args!("has `{}` twice", pattern.escape_debug())));
                }
                reader.names.entry(split(pattern).0).or_default().insert(place);
            }
            reader.packages.push(package(path, entry)?);
        }
        Ok(reader)
    }

    fn read(mut self) -> Result<LockFile> {
        let mut needs = vec![Vec::new(); self.packages.len()];
        for (n, entry) in self.entries.iter().enumerate() {
            let user = entry.patterns.first().map_or("", String::as_str);
            let mut found = self.needs(user, &entry.dependencies, &entry.optional_dependencies, Scope::Required)?;
            found.extend(self.needs(user, &entry.optional_dependencies, &Ranges::new(), Scope::Optional)?);
            if let Some(needs) = needs.get_mut(self.first + n) {
                *needs = found;
            }
        }
        let mut unnamed = Vec::new();
        let first = usize::from(self.product.is_some());
        for (n, (folder, manifest)) in self.projects.iter().enumerate() {
            if let Some(needs) = needs.get_mut(first + n) {
                *needs = self.needs_of(folder, manifest)?;
            }
        }
        match (self.root, needs.first_mut().filter(|_| self.product.is_some())) {
            (Some(manifest), Some(needs)) => *needs = self.needs_of("the root project", manifest)?,
            (Some(manifest), None) => unnamed = self.needs_of("the root project", manifest)?,
            // what no other needs: Yarn keeps no others
            (None, _) => {
                let needed: BTreeSet<usize> = needs.iter().flatten().map(|need: &Need| need.place).collect();
                let direct = (0..self.packages.len()).filter(|place| !needed.contains(place));
                unnamed.extend(direct.map(|place| Need { place, scope: Scope::Required }));
            }
        }
        let projects: Vec<usize> = (0..self.first).collect();
        scope::assign(&mut self.packages, &needs, &projects, &unnamed);
        Ok(LockFile {
            path: self.path.to_owned(),
            packages: self.packages,
            product: self.product,
            unnamed_needs: unnamed.iter().map(|need| need.place).collect(),
        })
    }

    /// What a project needs.
    fn needs_of(&self, user: &str, manifest: &Manifest) -> Result<Vec<Need>> {
        let optional = &manifest.optional_dependencies;
        let mut needs = self.needs(user, &manifest.dependencies, optional, Scope::Required)?;
        needs.extend(self.needs(user, optional, &Ranges::new(), Scope::Optional)?);
        needs.extend(self.needs(user, &manifest.dev_dependencies, optional, Scope::Excluded)?);
        Ok(needs)
    }

    /// The packages that `ranges` mean, those of `but` aside.
    fn needs(&self, user: &str, ranges: &Ranges, but: &Ranges, scope: Scope) -> Result<Vec<Need>> {
        let mut needs = Vec::with_capacity(ranges.len());
        for (name, range) in ranges.iter().filter(|(name, _)| !but.contains_key(*name)) {
            match self.find(name, range) {
                Some(place) => needs.push(Need { place, scope }),
                // one that could not be found for this platform is left out of the file
                None if scope == Scope::Optional => {}
                None => {
                    let what = format!("{name}@{range}");
                    let (user, what) = (user.escape_debug(), what.escape_debug());
                    return Err(malformed(
                        self.path,
                        format_args!("says that `{user}` needs `{what}`, which it does not hold"),
                    ));
                }
            }
        }
        Ok(needs)
    }

    fn find(&self, name: &str, range: &str) -> Option<usize> {
        let pattern = |range: &str| self.patterns.get(&*format!("{name}@{range}")).copied();
        let found = pattern(range).or_else(|| self.members.get(name).copied());
        let bare = || self.patterns.get(name).copied().filter(|_| range.is_empty());
        let resolved = || {
            let resolutions = self.root?.resolutions.iter();
            let mut of_name =
                resolutions.filter(|(path, _)| path.as_str() == name || path.ends_with(&format!("/{name}")));
            of_name.find_map(|(_, range)| pattern(range))
        };
        // without the manifest nothing tells whether it has `resolutions`
        let only = || match (self.root, self.names.get(name)) {
            (None, Some(places)) if places.len() == 1 => places.first().copied(),
            _ => None,
        };
        found.or_else(bare).or_else(resolved).or_else(only)
    }
}

fn package(path: &str, entry: &Entry) -> Result<Package> {
    let what = entry.patterns.first().map_or("", String::as_str);
    let wrong = |fault: &str| malformed(path, format_args!("has `{}` {fault}", what.escape_debug()));
    let version = entry.version.as_deref().filter(|v| !v.is_empty()).ok_or_else(|| wrong("without a version"))?;
    let mut names: BTreeSet<&str> = entry.patterns.iter().filter_map(|pattern| alias(split(pattern).1)).collect();
    if names.is_empty() {
        names.extend(entry.name.as_deref());
    }
    if names.is_empty() {
        names.extend(entry.patterns.iter().map(|pattern| split(pattern).0));
    }
    let mut names = names.into_iter();
    let (Some(name), None) = (names.next(), names.next()) else { return Err(wrong("for several packages")) };
    let range = split(what).1;
    let local = ["file:", "link:", "./", "../", "/", "~/"].iter().any(|start| range.starts_with(start));
    let (address, fragment) = entry.resolved.as_deref().map_or((None, None), |resolved| {
        resolved.split_once('#').map_or((Some(resolved), None), |(address, fragment)| (Some(address), Some(fragment)))
    });
    let mut package = match (address, fragment) {
        (None, _) if local => package_json::package(path, name, Some(version), None, Origin::Local)?,
        (Some(address), _) if address.starts_with("file:") => {
            package_json::package(path, name, Some(version), None, Origin::Local)?
        }
        (Some(address), commit) if is_git(address) => {
            let resolved = package_json::git(address, commit.ok_or_else(|| wrong("of git without a commit"))?);
            return package_json::package(path, name, Some(version), Some(&resolved), Origin::Fetched);
        }
        (None, _) if range.contains("://") => return Err(wrong("from elsewhere, and not what was taken from there")),
        // what is no address is the name of a file in a mirror, which tells nothing of where it came from
        _ => {
            let address = address.filter(|address| address.starts_with("http"));
            package_json::package(path, name, Some(version), address, Origin::Fetched)?
        }
    };
    if let Some(text) = &entry.integrity {
        package.hashes = integrity::hashes(text).map_err(|fault| wrong(&format!("with the integrity {fault}")))?;
    }
    // the older way of holding an archive to its hash
    if let Some(content) = fragment.filter(|f| f.len() == 40 && f.bytes().all(|b| b.is_ascii_hexdigit())) {
        let content = content.to_ascii_lowercase();
        let same = |hash: &&Hash| hash.alg == "SHA-1";
        if package.hashes.iter().filter(same).any(|hash| hash.content == content) {
            return Ok(package);
        }
        if package.hashes.iter().any(|hash| same(&hash)) {
            return Err(wrong("with two SHA-1 hashes"));
        }
        package.hashes.push(Hash { alg: "SHA-1", content });
    }
    Ok(package)
}

/// The name and the range of a pattern.
fn split(pattern: &str) -> (&str, &str) {
    let at = pattern.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1);
    at.and_then(|at| Some((pattern.get(..at)?, pattern.get(at + 1..)?))).unwrap_or((pattern, ""))
}

/// The name of the package that a range of the form `npm:name@range` means.
fn alias(range: &str) -> Option<&str> {
    let target =
        range.strip_prefix("npm:").filter(|target| target.starts_with(|c: char| c.is_alphabetic() || c == '@'));
    target.map(|target| split(target).0)
}

fn is_git(address: &str) -> bool {
    ["git+", "git:", "git@", "ssh:"].iter().any(|start| address.starts_with(start)) || address.ends_with(".git")
}
