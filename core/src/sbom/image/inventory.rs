//! All packages of an image, and the components and edges they become.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{File, Files};
use super::os_release::Os;
use super::{apk, dpkg, gem, go, node, python, rpm};
use crate::error::{Error, ErrorKind, Result};
use crate::image::{FileRef, Image};
use crate::limits;
use crate::sbom::license::LicenseChoice;
use crate::sbom::model::{Component, ComponentKind, Dependency, Property};
use crate::sbom::plain;

/// The property that names what a package was built from, and the version of that.
pub(super) const SOURCE: &str = "sealwright:source-package";

/// Where a package was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    /// The path of the file that tells of it, from the root of the image.
    pub(super) path: String,
    /// The digest of the layer that this file is from.
    pub(super) layer: String,
}

/// A package of one package manager.
pub(super) struct Package {
    /// The scope of an npm package.
    pub(super) group: Option<String>,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) purl: String,
    pub(super) licenses: Vec<LicenseChoice>,
    /// More properties, such as what it was built from.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) found: Found,
    /// Places of what it needs, among the packages of the same reader.
    pub(super) needs: BTreeSet<usize>,
}

/// A file and its content.
pub(super) struct Told {
    pub(super) file: File,
    pub(super) content: Vec<u8>,
}

pub(super) struct Inventory {
    os: Option<Os>,
    /// Packages of the system.
    system: Vec<Package>,
    /// Packages of languages.
    others: Vec<Package>,
}

/// A component that several packages may be.
struct Node {
    component: Component,
    found: BTreeSet<Found>,
    facts: BTreeSet<(&'static str, String)>,
    needs: BTreeSet<String>,
    is_system: bool,
}

impl Inventory {
    pub(super) fn read(image: &mut Image, files: Files) -> Result<Self> {
        let mut contents = image.read(&files.all())?;
        // a file may be told of under two names
        let content = |file: &FileRef| contents.get(file).cloned().unwrap_or_default();
        let os = files.os_release.as_ref().map(|file| Os::parse(&content(file))).transpose()?;
        let told = |files: Vec<File>| -> Vec<Told> {
            files.into_iter().map(|file| Told { content: content(&file.file), file }).collect()
        };
        let (dpkg, apk, rpm) = (told(files.dpkg), told(files.apk), told(files.rpm));
        let (python, node, gems) = (told(files.python), told(files.node), told(files.gems));
        let mut system = Vec::new();
        if !dpkg.is_empty() || !apk.is_empty() || !rpm.is_empty() {
            let os = os.as_ref().ok_or_else(|| {
                Error::new(
                    ErrorKind::Unsupported,
                    "the image has packages of a distribution and no `/etc/os-release` that tells which; add that file",
                )
            })?;
            let copyright =
                |name: &str| files.copyrights.get(name).and_then(|file| contents.get(file)).map(Vec::as_slice);
            append(&mut system, dpkg::read(&dpkg, os, &copyright)?);
            append(&mut system, apk::read(&apk, os)?);
            append(&mut system, rpm::read(&rpm, os)?);
        }
        let programs = files.programs.into_iter().map(|file| {
            let content = image.found_in(&file.file).cloned().unwrap_or_default();
            Told { file, content }
        });
        let programs: Vec<Told> = programs.collect();
        contents.clear();
        let mut others = python::read(&python, &files.recorded)?;
        append(&mut others, node::read(&node, &mut image.tree)?);
        append(&mut others, gem::read(&gems)?);
        append(&mut others, go::read(&programs)?);
        if system.is_empty() && others.is_empty() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "the image holds no package of dpkg, apk, rpm, Python, Node, Ruby or Go, and others are not read; make the SBOM \
                 from the lock files that it was built from",
            ));
        }
        Ok(Self { os, system, others })
    }

    /// The components and edges; `product` is the image. It needs the system and the language packages that no other
    /// needs; the system consists of its packages.
    pub(super) fn write(self, product: &str) -> Result<(Vec<Component>, Vec<Dependency>)> {
        let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
        for (packages, is_system) in [(self.system, true), (self.others, false)] {
            let refs: Vec<String> = packages.iter().map(|package| package.purl.clone()).collect();
            for package in packages {
                let needs = package.needs.iter().filter_map(|&need| refs.get(need).cloned());
                let needs: BTreeSet<String> = needs.filter(|need| *need != package.purl).collect();
                let node = nodes.entry(package.purl.clone()).or_insert_with(|| Node::of(&package, is_system));
                node.found.insert(package.found);
                node.facts.extend(package.facts);
                node.needs.extend(needs);
                if node.component.licenses.is_empty() {
                    node.component.licenses = package.licenses;
                }
            }
        }
        let needed: BTreeSet<String> = nodes.values().flat_map(|node| node.needs.iter().cloned()).collect();
        let of_system: BTreeSet<String> =
            nodes.iter().filter(|(_, node)| node.is_system).map(|(bom_ref, _)| bom_ref.clone()).collect();
        let mut reached: BTreeSet<String> = nodes
            .keys()
            .filter(|bom_ref| !of_system.contains(*bom_ref) && !needed.contains(*bom_ref))
            .cloned()
            .collect();
        // packages that need each other are reached from the first of them
        reach_all(&nodes, &of_system, &mut reached);

        let mut components = Vec::with_capacity(nodes.len() + 1);
        let mut edges = Vec::with_capacity(nodes.len() + 2);
        if let Some(os) = self.os {
            let component = os.component();
            let bom_ref = component.bom_ref.clone().unwrap_or_default();
            reached.insert(bom_ref.clone());
            edges.push(Dependency { component: bom_ref, depends_on: of_system });
            components.push(component);
        }
        edges.push(Dependency { component: product.to_owned(), depends_on: reached });
        for (bom_ref, node) in nodes {
            edges.push(Dependency { component: bom_ref, depends_on: node.needs.clone() });
            components.push(node.into_component());
        }
        components.sort_by(|a, b| a.bom_ref.cmp(&b.bom_ref));
        edges.sort_by(|a, b| a.component.cmp(&b.component));
        let mut pairs = edges.iter().zip(edges.iter().skip(1));
        match pairs.find(|(a, b)| a.component == b.component) {
            None => Ok((components, edges)),
            Some((same, _)) => Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{}` names the image and a package; give the image another bom-ref", same.component),
            )),
        }
    }
}

/// Adds to `roots` what must be in it for every package that is not of the system to be reached.
fn reach_all(nodes: &BTreeMap<String, Node>, of_system: &BTreeSet<String>, roots: &mut BTreeSet<String>) {
    let mut seen: BTreeSet<&String> = BTreeSet::new();
    let mut open: Vec<&String> = nodes.keys().filter(|bom_ref| roots.contains(*bom_ref)).collect();
    let mut rest = nodes.keys().filter(|bom_ref| !of_system.contains(*bom_ref));
    loop {
        while let Some(bom_ref) = open.pop() {
            if seen.insert(bom_ref) {
                open.extend(nodes.get(bom_ref).into_iter().flat_map(|node| &node.needs));
            }
        }
        let Some(next) = rest.find(|bom_ref| !seen.contains(*bom_ref)) else { return };
        roots.insert(next.clone());
        open.push(next);
    }
}

impl Node {
    fn of(package: &Package, is_system: bool) -> Self {
        let mut component = plain(package.name.clone(), package.version.clone());
        component.kind = ComponentKind::Library;
        component.group.clone_from(&package.group);
        component.bom_ref = Some(package.purl.clone());
        component.purl = Some(package.purl.clone());
        Self { component, found: BTreeSet::new(), facts: BTreeSet::new(), needs: BTreeSet::new(), is_system }
    }

    fn into_component(mut self) -> Component {
        let layers: BTreeSet<&String> = self.found.iter().map(|found| &found.layer).collect();
        let layers = layers.into_iter().map(|layer| ("sealwright:layer", layer.clone()));
        let paths = self.found.iter().map(|found| ("sealwright:path", found.path.clone()));
        let properties = layers.chain(paths).chain(self.facts);
        self.component.properties = properties.map(|(name, value)| Property { name, value }).collect();
        self.component
    }
}

/// Adds packages, whose needs are places among them alone.
fn append(all: &mut Vec<Package>, more: Vec<Package>) {
    let start = all.len();
    all.extend(more.into_iter().map(|mut package| {
        package.needs = package.needs.iter().map(|need| need + start).collect();
        package
    }));
}

/// Lookups of what packages need that may still be made: names that many provide and many need are a bomb.
pub(super) struct Lookups(usize);

impl Default for Lookups {
    fn default() -> Self {
        Self(limits::IMAGE_LOOKUPS)
    }
}

impl Lookups {
    pub(super) fn take(&mut self, count: usize) -> Result<()> {
        self.0 = self.0.checked_sub(count).ok_or_else(|| {
            Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "finding what packages need takes over {} lookups; see what the image is",
                    limits::IMAGE_LOOKUPS
                ),
            )
        })?;
        Ok(())
    }
}
