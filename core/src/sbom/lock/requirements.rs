//! Reads requirements files of pip in which each requirement has one version.

use std::collections::BTreeMap;

use super::pyproject::{Direct, Project};
use super::python::{Reading, Requirement, Source, file_name, name, pinned, requirement, shown};
use super::python_graph::{Need, Needs, Tree};
use super::requirements_files::{Gathered, Wanted, gather, within};
use super::requirements_lines::Via;
use crate::error::{Error, Result};
use crate::limits;
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Package};
use crate::sbom::tree::Found;

const REMEDY: &str = "write one version of each package with `pip-compile` or `uv pip compile`";

/// What the file `found` and those that it includes say; the project beside it is the product.
///
/// A file with a requirement that is not pinned is refused: what would be installed is not told, and a list without it
/// would pass for a whole one.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let reading = Reading { path: &found.relative, remedy: REMEDY };
    let gathered = gather(reading, found, text)?;
    let resolver = Resolver::new(reading, found, &gathered)?;
    let mut tree = Tree::default();
    let mut users: Vec<Option<&[Via]>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut versions: BTreeMap<String, Option<String>> = BTreeMap::new();
    for wanted in &gathered.wanted {
        let Some((package, is_marked)) = resolver.package(wanted)? else { continue };
        let first = versions.entry(package.name.clone()).or_insert_with(|| package.version.clone());
        // only markers can tell two versions apart
        if !is_marked && *first != package.version {
            return Err(resolver.fault(wanted, format_args!("asks for `{}` in two versions", package.name)));
        }
        if let Some(known) = places.get(&package.purl).and_then(|&place| tree.packages.get_mut(place)) {
            known.files.extend(package.files);
            continue;
        }
        let purl = package.purl.clone();
        places.insert(purl, tree.push(package, Needs::default()));
        users.push(wanted.via.as_deref());
    }
    let project = Project::open(&found.folder)?;
    if users.iter().all(Option::is_none) {
        // the manifest tells what is direct, and all is where there is none
        let (product, unnamed) = tree.add_root(reading, project.as_ref(), &|_: &Direct| true)?;
        return Ok(tree.into_lock(&found.relative, product, &unnamed));
    }
    let needs = Needs { always: add_edges(reading, &mut tree, &users)?, ..Needs::default() };
    let (product, unnamed) = match project.map(|project| project.package(reading)).transpose()?.flatten() {
        Some(package) => (Some(tree.push(package, needs)), Needs::default()),
        None => (None, needs),
    };
    Ok(tree.into_lock(&found.relative, product, &unnamed))
}

/// Adds the edges that the notes of `pip-compile` tell; gives the packages that are direct by them.
fn add_edges(reading: Reading<'_>, tree: &mut Tree, users: &[Option<&[Via]>]) -> Result<Vec<Need>> {
    let by_name = tree.by_name(reading)?;
    let mut direct = Vec::new();
    for (place, via) in users.iter().enumerate() {
        let mut is_direct = via.is_none_or(<[Via]>::is_empty);
        for user in via.iter().copied().flatten() {
            let users = match user {
                Via::Package(name) => by_name.get(name).map(Vec::as_slice).unwrap_or_default(),
                Via::File => &[],
            };
            is_direct |= users.is_empty();
            for user in users.iter().filter(|user| **user != place) {
                if let Some(needs) = tree.needs.get_mut(*user) {
                    needs.always.push(Need::of(place));
                }
            }
        }
        if is_direct {
            direct.push(Need::of(place));
        }
    }
    Ok(direct)
}

struct Resolver<'a> {
    reading: Reading<'a>,
    found: &'a Found,
    index: &'a str,
    /// What constraint files allow, by name.
    constraints: BTreeMap<String, Vec<(&'a str, &'a Wanted)>>,
}

impl<'a> Resolver<'a> {
    fn new(reading: Reading<'a>, found: &'a Found, gathered: &'a Gathered) -> Result<Self> {
        let mut constraints: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for wanted in &gathered.constraints {
            let required = requirement(&wanted.text);
            if let Some((name, version)) = required.and_then(|r| Some((r.name, pinned(r.specifier)?))) {
                if constraints.get(&name).is_some_and(|same| same.len() == limits::LOCKED_VERSIONS) {
                    return Err(reading.too_many_versions(&name));
                }
                constraints.entry(name).or_default().push((version, wanted));
            }
        }
        Ok(Self { reading, found, index: gathered.index.as_deref().unwrap_or_default(), constraints })
    }

    fn fault(&self, wanted: &Wanted, what: impl std::fmt::Display) -> Error {
        self.reading.fault(format_args!("{what} in line {} of `{}`", wanted.line, wanted.file))
    }

    /// The package that is wanted, and whether a marker may leave it out; none for the project itself.
    fn package(&self, wanted: &Wanted) -> Result<Option<(Package, bool)>> {
        let text = &wanted.text;
        match requirement(text).filter(|r| r.url.is_some() || !is_archive(text)) {
            Some(Requirement { name, url: Some(url), marker, .. }) => {
                Ok(Some((self.at_address(wanted, url, Some(&name))?, marker.is_some())))
            }
            Some(required) => Ok(Some((self.of_index(wanted, &required)?, required.marker.is_some()))),
            None => {
                let (address, marker) = match text.split_once(" ;").or_else(|| text.split_once("; ")) {
                    Some((address, marker)) => (address.trim(), Some(marker)),
                    None => (text.as_str(), None),
                };
                let is_remote = address.contains("://") && !address.starts_with("file:");
                if is_remote || repository(address).is_some() || is_archive(address) {
                    return Ok(Some((self.at_address(wanted, address, None)?, marker.is_some())));
                }
                Ok(self.local(wanted, address)?.map(|package| (package, marker.is_some())))
            }
        }
    }

    fn of_index(&self, wanted: &Wanted, required: &Requirement<'_>) -> Result<Package> {
        let allowed = self.constraints.get(&required.name).map(Vec::as_slice).unwrap_or_default();
        let one = |list: &[(&'a str, &'a Wanted)]| match list {
            [(version, _), others @ ..] if others.iter().all(|(other, _)| other == version) => Some(*version),
            _ => None,
        };
        let Some(version) = pinned(required.specifier).or_else(|| one(allowed)) else {
            return Err(self.fault(wanted, format_args!("has `{}`, which is not pinned,", shown(&wanted.text))));
        };
        let mut package = self.reading.package(&required.name, Some(version), Source::Index(self.index))?;
        let constrained = allowed.iter().filter(|(v, _)| *v == version).flat_map(|(_, wanted)| &wanted.hashes);
        package.files = wanted.hashes.iter().chain(constrained).map(|h| (String::new(), h.clone())).collect();
        Ok(package)
    }

    /// What stands at an address: a repository or an archive.
    fn at_address(&self, wanted: &Wanted, address: &str, known: Option<&str>) -> Result<Package> {
        let (url, fragment) = address.split_once('#').unwrap_or((address, ""));
        let given = |key| fragment.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        let egg = given("egg").map(|egg| egg.split('[').next().unwrap_or_default());
        if let Some(kind) = repository(url) {
            let (url, revision) = revision(url);
            let Some(revision) = revision else {
                return Err(self.fault(wanted, format_args!("has `{}`, which names no revision,", shown(&wanted.text))));
            };
            let named = known.or(egg).unwrap_or_else(|| file_name(url).trim_end_matches(".git"));
            let folder = given("subdirectory");
            let source = Source::Repository { kind, url, revision: Some(revision), folder };
            return self.reading.package(named, None, source);
        }
        let file = file_name(url);
        let parts = archive(file);
        let Some(named) = known.or(egg).or(parts.map(|(name, _)| name)) else {
            return Err(self.fault(wanted, format_args!("has `{}`, which tells no name,", shown(&wanted.text))));
        };
        let version = parts.filter(|(of, _)| name(of) == name(named)).map(|(_, version)| version);
        let is_remote = url.starts_with("http://") || url.starts_with("https://");
        let mut package =
            self.reading.package(named, version, if is_remote { Source::File(url) } else { Source::Tree })?;
        package.files = wanted.hashes.iter().map(|hash| (file.to_owned(), hash.clone())).collect();
        for alg in ["sha256", "sha384", "sha512"] {
            if let Some(content) = given(alg) {
                package.files.extend(self.reading.hash_by(named, alg, content)?.map(|hash| (file.to_owned(), hash)));
            }
        }
        Ok(package)
    }

    /// A folder; none if it is that of the file itself, which is the project.
    fn local(&self, wanted: &Wanted, path: &str) -> Result<Option<Package>> {
        let path = path.strip_prefix("file:").unwrap_or(path);
        let path = path.split(['[', '#']).next().unwrap_or_default().trim();
        if !path.starts_with('.') && !path.contains(['/', '\\']) {
            return Err(self.fault(wanted, format_args!("has `{}`, which is no requirement,", shown(&wanted.text))));
        }
        let above = wanted.file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let own = self.found.relative.rsplit_once('/').map_or("", |(folder, _)| folder);
        let inside = within(above, path);
        if inside.as_deref() == Some(own) {
            return Ok(None);
        }
        let depth = self.found.relative.matches('/').count();
        let root = self.found.folder.ancestors().nth(depth).unwrap_or(&self.found.folder);
        let project = inside.map(|inside| Project::open(&root.join(inside))).transpose()?.flatten();
        if let Some(package) = project.map(|project| project.package(self.reading)).transpose()?.flatten() {
            return Ok(Some(package));
        }
        let folder = path.trim_end_matches(['/', '\\', '.']);
        self.reading.package(file_name(folder), None, Source::Tree).map(Some)
    }
}

/// The kind of repository that an address begins with.
fn repository(address: &str) -> Option<&'static str> {
    let is = |kind: &&str| address.strip_prefix(kind).is_some_and(|rest| rest.starts_with('+'));
    ["git", "hg", "svn", "bzr"].into_iter().find(is)
}

/// The address of a repository, and the revision after its path.
fn revision(url: &str) -> (&str, Option<&str>) {
    let path = match url.find("://") {
        Some(scheme) => url.get(scheme + 3..).and_then(|rest| rest.find('/')).map(|at| scheme + 3 + at),
        // as for ssh: `user@host:path`
        None => url.find(':'),
    };
    match path.and_then(|path| Some(path + url.get(path..)?.find('@')?)) {
        Some(at) => {
            let (url, revision) = url.split_at(at);
            (url, revision.strip_prefix('@').filter(|r| !r.is_empty()))
        }
        None => (url, None),
    }
}

fn is_archive(address: &str) -> bool {
    let path = address.split(['#', '?']).next().unwrap_or_default();
    [".whl", ".zip", ".tar.gz", ".tar.bz2", ".tgz"].iter().any(|end| path.ends_with(end))
}

/// The name and version that the name of a wheel or a source archive tells.
fn archive(file: &str) -> Option<(&str, &str)> {
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut parts = stem.split('-');
        return Some((parts.next()?, parts.next()?));
    }
    let stem = [".tar.gz", ".tar.bz2", ".tgz", ".zip"].iter().find_map(|end| file.strip_suffix(end))?;
    stem.rsplit_once('-').filter(|(_, version)| version.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(revision("git+ssh://git@h.example/a@1.0"), ("git+ssh://git@h.example/a", Some("1.0")));
        assert_eq!(revision("git+https://u:p@h.example/a.git"), ("git+https://u:p@h.example/a.git", None));
        assert_eq!(revision("git+https://h.example/a@"), ("git+https://h.example/a", None));
        assert_eq!(revision("git+git@h.example:a/b.git@1.0"), ("git+git@h.example:a/b.git", Some("1.0")));
        assert_eq!(revision("git+https://h.example:8443/a@1"), ("git+https://h.example:8443/a", Some("1")));
        assert_eq!(repository("git+git@h.example:a"), Some("git"));
        assert_eq!(repository("gitlab/a"), None);
        assert_eq!(archive("a_b-1.0-py3-none-any.whl"), Some(("a_b", "1.0")));
        assert_eq!(archive("a-b-1.0.tar.gz"), Some(("a-b", "1.0")));
        assert_eq!(archive("main.zip"), None);
        assert_eq!(archive("a-main.zip"), None);
    }
}
