//! Reads `pom.xml`, which is no lock file: it names what a project needs itself, and not what that needs in turn.
//!
//! What of it can be told from the tree alone is read: parents that stand in it, properties, managed versions, imported
//! poms that stand in it. What a parent or an import from elsewhere, the command line or the environment may add is not
//! guessed: then the pom is refused. Profiles are left out, and so are plugins, which do not go into the product.

use std::collections::{BTreeMap, BTreeSet};

use super::maven_poms::{Dependency, Index, Pom, Poms, malformed};
use crate::error::{Error, ErrorKind, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::license;
use crate::sbom::model::Scope;
use crate::sbom::purl;
use crate::sbom::tree::Found;

/// Poms that inherit from each other, and poms that import each other.
const DEPTH: usize = 32;
/// Properties that are put into one text.
const EXPANSIONS: usize = 200;
/// A text with its properties put in.
const TEXT_BYTES: usize = 4096;

/// What the pom `found` says. Its text was read with all poms of the tree.
pub(super) fn read(found: &Found, _: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let index = found.poms.index()?;
    let project = Project::open(&index.poms, path)?;
    project.check_modules(index)?;
    let dependencies = project.dependencies()?;
    let mut managed = Managed::of(index, &project, &dependencies)?;
    let mut lock = LockFile {
        path: path.clone(),
        packages: vec![project.package()?],
        product: Some(0),
        unnamed_needs: Vec::new(),
    };
    for (key, dependency) in dependencies {
        lock.packages.push(needed(index, &project, &mut managed, &key, dependency)?);
    }
    let needs = (1..lock.packages.len()).collect();
    if let Some(own) = lock.packages.first_mut() {
        own.needs = needs;
    }
    Ok(lock)
}

/// What tells one dependency from another: group, name, type and classifier.
type Key = (String, String, String, String);

/// A pom with those it inherits from, itself first.
pub(super) struct Project<'a> {
    lineage: Vec<(&'a str, &'a Pom)>,
}

impl<'a> Project<'a> {
    /// # Errors
    /// `UNSUPPORTED` if it inherits from a pom that does not stand in the tree.
    pub(super) fn open(poms: &'a BTreeMap<String, Pom>, path: &str) -> Result<Self> {
        let own = poms.get_key_value(path).ok_or_else(|| malformed(path, "was not there"))?;
        let mut lineage = vec![(own.0.as_str(), own.1)];
        while let Some((child, pom)) = lineage.last().copied()
            && let Some(parent) = &pom.parent
        {
            let Some(above) = parent.relative.as_deref().and_then(|relative| at(poms, child, relative)) else {
                return Err(outside(child, parent));
            };
            if lineage.len() >= DEPTH {
                return Err(malformed(path, format_args!("inherits from more than {DEPTH} others, or from itself")));
            }
            lineage.push(above);
        }
        let project = Self { lineage };
        project.check_parents()?;
        Ok(project)
    }

    /// Checks that the poms that were found are those that were meant; Maven looks for others in repositories.
    fn check_parents(&self) -> Result<()> {
        for (n, (child, pom)) in self.lineage.iter().enumerate() {
            let Some(parent) = &pom.parent else { continue };
            let above = Self { lineage: self.lineage.get(n + 1..).unwrap_or_default().to_vec() };
            let meant = (above.text(&parent.group)?, above.text(&parent.artifact)?, above.text(&parent.version)?);
            if above.coordinates()? != meant {
                return Err(outside(child, parent));
            }
        }
        Ok(())
    }

    fn path(&self) -> &'a str {
        self.lineage.first().map_or("", |(path, _)| path)
    }

    /// Group, name and version.
    pub(super) fn coordinates(&self) -> Result<(String, String, String)> {
        let part = |name: &str| {
            let raw = self.field(name);
            let raw = raw.ok_or_else(|| malformed(self.path(), format_args!("has neither a `{name}` nor a parent")))?;
            self.sound(&self.text(raw)?)
        };
        Ok((part("groupId")?, part("artifactId")?, part("version")?))
    }

    /// Its packaging, as the type by which others name what it makes.
    fn kind(&self) -> Result<String> {
        let packaging = self.lineage.first().and_then(|(_, pom)| pom.packaging.as_deref()).unwrap_or("jar");
        let packaging = self.text(packaging)?;
        Ok(if let "pom" | "war" | "ear" | "rar" = &*packaging { packaging } else { "jar".to_owned() })
    }

    fn package(&self) -> Result<Package> {
        let (group, name, version) = self.coordinates()?;
        let licenses = self.lineage.iter().map(|(_, pom)| &pom.licenses).find(|licenses| !licenses.is_empty());
        let key = (group, name, self.kind()?, String::new());
        let mut package = package(self.path(), &key, version, Origin::Local, Scope::Required)?;
        package.licenses = license::any_of(licenses.into_iter().flatten().map(|text| &**text));
        Ok(package)
    }

    /// What it needs itself, with what it inherits of that.
    fn dependencies(&self) -> Result<BTreeMap<Key, &'a Dependency>> {
        let mut all: BTreeMap<Key, &Dependency> = BTreeMap::new();
        for (path, pom) in &self.lineage {
            let mut own: BTreeMap<Key, &Dependency> = BTreeMap::new();
            for dependency in &pom.dependencies {
                let key = self.key(dependency)?;
                if own.insert(key, dependency).is_some_and(|other| other != dependency) {
                    let name = format!("{}:{}", dependency.group, dependency.artifact);
                    return Err(malformed(
                        path,
                        format_args!("has the dependency `{}` in two ways", name.escape_debug()),
                    ));
                }
            }
            for (key, dependency) in own {
                all.entry(key).or_insert(dependency);
            }
        }
        Ok(all)
    }

    fn key(&self, dependency: &Dependency) -> Result<Key> {
        Ok((
            self.sound(&self.text(&dependency.group)?)?,
            self.sound(&self.text(&dependency.artifact)?)?,
            self.text(dependency.kind.as_deref().unwrap_or("jar"))?,
            self.text(dependency.classifier.as_deref().unwrap_or_default())?,
        ))
    }

    /// Every module stands in the tree, so that it is read, too.
    fn check_modules(&self, index: &Index) -> Result<()> {
        let Some((path, pom)) = self.lineage.first() else { return Ok(()) };
        match pom.modules.iter().find(|module| at(&index.poms, path, module).is_none()) {
            None => Ok(()),
            Some(gone) => {
                Err(malformed(path, format_args!("has the module `{}`, which is not there", gone.escape_debug())))
            }
        }
    }

    /// `raw` with the properties it names (Maven's model interpolation).
    fn text(&self, raw: &str) -> Result<String> {
        let path = self.path();
        let mut text = raw.to_owned();
        for _ in 0..EXPANSIONS {
            let Some((before, rest)) = text.split_once("${") else { return Ok(text) };
            let Some((name, after)) = rest.split_once('}') else {
                return Err(malformed(path, format_args!("has `{}`, which does not end", raw.escape_debug())));
            };
            let value = self.property(name).ok_or_else(|| {
                let name = name.escape_debug();
                unknown(path, format_args!("uses the property `{name}`, which no pom of the tree sets"))
            })?;
            if before.len() + value.len() + after.len() > TEXT_BYTES {
                break;
            }
            text = format!("{before}{value}{after}");
        }
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!(
                "`{path}` has `{}`, which becomes too long or names itself; write it without so many properties",
                raw.escape_debug()
            ),
        ))
    }

    fn property(&self, name: &str) -> Option<&'a str> {
        let prefixed = name.strip_prefix("project.").or_else(|| name.strip_prefix("pom."));
        let set = || self.lineage.iter().find_map(|(_, pom)| pom.properties.get(name).map(|value| &**value));
        prefixed.and_then(|field| self.field(field)).or_else(set).or_else(|| self.field(name))
    }

    fn field(&self, name: &str) -> Option<&'a str> {
        let (_, own) = self.lineage.first()?;
        let parent = own.parent.as_ref();
        match name {
            "artifactId" => Some(&own.artifact),
            "groupId" => own.group.as_deref().or(parent.map(|parent| &*parent.group)),
            "version" => own.version.as_deref().or(parent.map(|parent| &*parent.version)),
            "packaging" => own.packaging.as_deref().or(Some("jar")),
            "parent.groupId" => parent.map(|parent| &*parent.group),
            "parent.artifactId" => parent.map(|parent| &*parent.artifact),
            "parent.version" => parent.map(|parent| &*parent.version),
            _ => None,
        }
    }

    /// `text`, if it may be a group, a name or a version.
    fn sound(&self, text: &str) -> Result<String> {
        let bad = |c: char| c.is_whitespace() || c.is_control() || "\\/:\"<>|?*".contains(c);
        if text.is_empty() || text.contains(bad) {
            let text = text.escape_debug();
            return Err(malformed(self.path(), format_args!("has `{text}` for a group, a name or a version")));
        }
        Ok(text.to_owned())
    }
}

/// What is said of dependencies wherever they are named.
#[derive(Default)]
struct Managed {
    entries: BTreeMap<Key, Entry>,
    /// Imported poms that do not stand in the tree.
    outside: Vec<String>,
    imported: BTreeSet<String>,
    /// Names of what is asked for.
    wanted: BTreeSet<String>,
}

struct Entry {
    /// Told only where it is used: of what is not, its properties need not be set.
    version: Option<Result<String>>,
    scope: Option<String>,
    optional: Option<String>,
    /// Whether a pom from elsewhere may say something else, and goes before it.
    is_doubtful: bool,
}

impl Managed {
    fn of(index: &Index, project: &Project<'_>, needs: &BTreeMap<Key, &Dependency>) -> Result<Self> {
        let mut managed = Self { wanted: needs.keys().map(|key| key.1.clone()).collect(), ..Self::default() };
        managed.add(index, project, 0)?;
        Ok(managed)
    }

    /// The first that says something holds: the pom, those it inherits from, then imports in their order.
    fn add(&mut self, index: &Index, project: &Project<'_>, depth: usize) -> Result<()> {
        if depth > DEPTH {
            return Err(malformed(project.path(), format_args!("imports poms over more than {DEPTH} others")));
        }
        let mut imports = Vec::new();
        for dependency in project.lineage.iter().flat_map(|(_, pom)| &pom.managed) {
            // a parent may manage thousands for each of thousands of modules
            let may_be_import = dependency.kind.as_ref().is_some_and(|kind| kind == "pom" || kind.contains("${"));
            let is_wanted = self.wanted.contains(&dependency.artifact) || dependency.artifact.contains("${");
            if !may_be_import && !is_wanted {
                continue;
            }
            let key = project.key(dependency)?;
            let text = |raw: &Option<String>| raw.as_deref().map(|raw| project.text(raw)).transpose();
            let version = dependency.version.as_deref().map(|raw| project.text(raw));
            let scope = text(&dependency.scope)?;
            if key.2 == "pom" && scope.as_deref() == Some("import") {
                imports.push((key.0, key.1, version.transpose()?.unwrap_or_default()));
            } else {
                let is_doubtful = !self.outside.is_empty();
                let entry = Entry { version, scope, optional: text(&dependency.optional)?, is_doubtful };
                self.entries.entry(key).or_insert(entry);
            }
        }
        for import in imports {
            let place = index.places.get(&import).and_then(Option::as_deref);
            match place.map(|place| Project::open(&index.poms, place)) {
                Some(Ok(_)) if place.is_some_and(|place| !self.imported.insert(place.to_owned())) => {}
                Some(Ok(bom)) => self.add(index, &bom, depth + 1)?,
                _ => self.outside.push(format!("{}:{}:{}", import.0, import.1, import.2)),
            }
        }
        Ok(())
    }
}

fn needed(
    index: &Index,
    project: &Project<'_>,
    managed: &mut Managed,
    key: &Key,
    dependency: &Dependency,
) -> Result<Package> {
    let path = project.path();
    let name = format!("{}:{}", key.0, key.1);
    let mut entry = managed.entries.remove(key);
    let known = entry.as_mut().filter(|entry| !entry.is_doubtful).and_then(|entry| entry.version.take());
    let version = match (&dependency.version, known) {
        (Some(version), _) => project.text(version)?,
        (None, Some(version)) => version?,
        (None, None) => {
            let from = match managed.outside.first() {
                Some(import) => format!(", and `{import}`, which it imports, is not in the tree"),
                None => String::new(),
            };
            return Err(unknown(path, format_args!("has no version for `{}`{from}", name.escape_debug())));
        }
    };
    let Some(version) = pinned(&version) else {
        let (name, version) = (name.escape_debug(), version.escape_debug());
        return Err(unknown(path, format_args!("has `{version}` for `{name}`, which more than one version may be")));
    };
    let text = |raw: Option<&String>| raw.map(|raw| project.text(raw)).transpose();
    let scope = text(dependency.scope.as_ref().or(entry.as_ref().and_then(|entry| entry.scope.as_ref())))?;
    let optional = text(dependency.optional.as_ref().or(entry.as_ref().and_then(|entry| entry.optional.as_ref())))?;
    let scope = match (scope.as_deref().unwrap_or("compile"), optional.as_deref()) {
        ("test", _) => Scope::Excluded,
        // at run time a container brings what is provided
        ("provided", _) | ("compile" | "runtime" | "system", Some("true")) => Scope::Optional,
        ("compile" | "runtime" | "system", _) => Scope::Required,
        (other, _) => {
            let (name, other) = (name.escape_debug(), other.escape_debug());
            return Err(malformed(
                path,
                format_args!("has the scope `{other}` for `{name}`, which Maven does not have"),
            ));
        }
    };
    let version = project.sound(version)?;
    match index.places.get(&(key.0.clone(), key.1.clone(), version.clone())) {
        None => package(path, key, version, Origin::Fetched, scope),
        Some(place) => {
            let mut key = key.clone();
            if let (true, Some(place)) = (key.2 == "jar" && key.3.is_empty(), place) {
                key.2 = Project::open(&index.poms, place)?.kind()?;
            }
            package(path, &key, version, Origin::Local, scope)
        }
    }
}

/// The one version that `version` is, if it is one: `1.0`, or `[1.0]`, but no range, and no newest.
fn pinned(version: &str) -> Option<&str> {
    let version = version.strip_prefix('[').and_then(|v| v.strip_suffix(']')).unwrap_or(version).trim();
    let is_open = version.is_empty() || version.contains(['[', ']', '(', ')', ',']);
    (!is_open && !matches!(version, "LATEST" | "RELEASE")).then_some(version)
}

/// A package with its purl (purl-spec, type `maven`: `type` and `classifier` unless they are the usual).
fn package(path: &str, key: &Key, version: String, origin: Origin, scope: Scope) -> Result<Package> {
    let (group, name, kind, classifier) = key;
    let classifier = Some(("classifier", &**classifier)).filter(|(_, value)| !value.is_empty());
    let purl = purl::of("maven", Some(group), name, Some(&version), classifier).and_then(|purl| match &**kind {
        "jar" => Ok(purl),
        kind => purl::with_qualifier(&purl, "type", kind),
    });
    Ok(Package {
        group: Some(group.clone()),
        name: name.clone(),
        version: Some(version),
        purl: purl.map_err(|e| e.while_doing(format_args!("`{path}`")))?,
        origin,
        scope,
        hashes: Vec::new(),
        files: Vec::new(),
        licenses: Vec::new(),
        needs: Vec::new(),
    })
}

/// The pom that `relative` means in the folder of the pom `base`: that file, or the pom of that folder.
fn at<'a>(poms: &'a BTreeMap<String, Pom>, base: &str, relative: &str) -> Option<(&'a str, &'a Pom)> {
    let mut parts: Vec<&str> = base.split('/').collect();
    parts.pop();
    for part in relative.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    let path = parts.join("/");
    let inner = if path.is_empty() { Poms::NAME.to_owned() } else { format!("{path}/{}", Poms::NAME) };
    poms.get_key_value(&path).or_else(|| poms.get_key_value(&inner)).map(|(path, pom)| (path.as_str(), pom))
}

fn outside(path: &str, parent: &super::maven_poms::Parent) -> Error {
    let name = format!("{}:{}:{}", parent.group, parent.artifact, parent.version);
    unknown(path, format_args!("inherits from `{}`, which is not in the tree", name.escape_debug()))
}

/// What can't be told without asking repositories.
fn unknown(path: &str, fault: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the pom `{path}` {fault}, so what it needs can't be told from it; let Maven make the SBOM of this folder \
             (`mvn org.cyclonedx:cyclonedx-maven-plugin:makeAggregateBom`) and merge it with those of the others"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_version_is_a_version() {
        for (text, expected) in [
            ("1.0", Some("1.0")),
            ("[1.0]", Some("1.0")),
            ("1.0-SNAPSHOT", Some("1.0-SNAPSHOT")),
            ("[1.0,2.0)", None),
            ("(,1.0]", None),
            ("[1.0,)", None),
            ("[1.0],[2.0]", None),
            ("LATEST", None),
            ("RELEASE", None),
            ("", None),
        ] {
            assert_eq!(pinned(text), expected, "{text}");
        }
    }
}
