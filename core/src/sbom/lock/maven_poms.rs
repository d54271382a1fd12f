//! The `pom.xml` files of a tree as they stand (Maven's POM reference, model version 4.0.0).

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::maven::Project;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::sbom::xml::{self, Element};

/// Longest pom that is read.
const POM_BYTES: u64 = 4 * 1024 * 1024;
const NAMESPACE: &str = "http://maven.apache.org/POM/4.0.0";

/// The poms of one tree, which are read once, when the first of them is asked for.
#[derive(Default)]
pub(in crate::sbom) struct Poms {
    /// Each by its path relative to the root of the tree.
    files: Vec<(String, PathBuf)>,
    index: OnceCell<Index>,
}

/// All poms of a tree.
pub(super) struct Index {
    /// By path.
    pub(super) poms: BTreeMap<String, Pom>,
    /// The path of each by group, name and version; none of two that have the same.
    pub(super) places: BTreeMap<(String, String, String), Option<String>>,
}

impl Poms {
    /// What a pom is called.
    pub(in crate::sbom) const NAME: &'static str = "pom.xml";

    pub(in crate::sbom) fn new(files: Vec<(String, PathBuf)>) -> Self {
        Self { files, index: OnceCell::new() }
    }

    pub(super) fn index(&self) -> Result<&Index> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let mut poms = BTreeMap::new();
        let mut left = limits::DOCUMENT_BYTES;
        for (relative, path) in &self.files {
            let bytes = limits::read_file("pom", path, POM_BYTES.min(left))?;
            left = left.saturating_sub(bytes.len() as u64);
            let text = String::from_utf8(bytes).map_err(|e| malformed(relative, "is not UTF-8 text").caused_by(e))?;
            poms.insert(relative.clone(), pom(relative, &text)?);
        }
        let mut places = BTreeMap::new();
        for path in poms.keys() {
            // one that can't be told is refused when it is its turn
            if let Ok(coordinates) = Project::open(&poms, path).and_then(|project| project.coordinates()) {
                places.entry(coordinates).and_modify(|place| *place = None).or_insert_with(|| Some(path.clone()));
            }
        }
        Ok(self.index.get_or_init(|| Index { poms, places }))
    }
}

/// A pom. Nothing in it is interpolated or inherited yet.
#[derive(Debug)]
pub(super) struct Pom {
    pub(super) parent: Option<Parent>,
    pub(super) group: Option<String>,
    pub(super) artifact: String,
    pub(super) version: Option<String>,
    pub(super) packaging: Option<String>,
    pub(super) licenses: Vec<String>,
    pub(super) properties: BTreeMap<String, String>,
    pub(super) managed: Vec<Dependency>,
    pub(super) dependencies: Vec<Dependency>,
    pub(super) modules: Vec<String>,
}

/// The pom that another one inherits from.
#[derive(Debug)]
pub(super) struct Parent {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: String,
    /// Where it stands; none if it is only to be looked for in repositories.
    pub(super) relative: Option<String>,
}

/// A dependency, or what is managed of one.
#[derive(Debug, PartialEq)]
pub(super) struct Dependency {
    pub(super) group: String,
    pub(super) artifact: String,
    pub(super) version: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) classifier: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) optional: Option<String>,
}

fn pom(path: &str, text: &str) -> Result<Pom> {
    let root = xml::read("pom", text.trim_start_matches('\u{feff}'));
    let root = root.map_err(|e| e.while_doing(format_args!("`{path}`")))?;
    if root.name != "project" {
        let name = root.name.escape_debug();
        return Err(malformed(path, format_args!("has the root element `{name}`, expected `project`")));
    }
    let read = Reader { path };
    let version = read.value(&root, "modelVersion")?.unwrap_or_else(|| "4.0.0".to_owned());
    if version != "4.0.0" || !(root.namespace.is_empty() || root.namespace == NAMESPACE) {
        let version = if version == "4.0.0" { root.namespace } else { version };
        return Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{path}` is a pom of the model `{}`; 4.0.0 is read", version.escape_debug()),
        ));
    }
    let managed = read.child(&root, "dependencyManagement")?;
    let properties = read.child(&root, "properties")?.map(|properties| {
        // of a property that stands twice Maven takes the last
        properties.own().map(|property| (property.name.clone(), property.text.trim().to_owned())).collect()
    });
    let mut licenses = Vec::new();
    for license in read.list(&root, "licenses", "license")? {
        licenses.extend(read.value(license, "name")?);
    }
    Ok(Pom {
        parent: read.child(&root, "parent")?.map(|parent| read.parent(parent)).transpose()?,
        group: read.value(&root, "groupId")?,
        artifact: read.needed(&root, "artifactId")?,
        version: read.value(&root, "version")?,
        packaging: read.value(&root, "packaging")?,
        licenses,
        properties: properties.unwrap_or_default(),
        managed: managed.map(|managed| read.dependencies(managed)).transpose()?.unwrap_or_default(),
        dependencies: read.dependencies(&root)?,
        modules: read.list(&root, "modules", "module")?.map(|module| module.text.trim().to_owned()).collect(),
    })
}

struct Reader<'a> {
    path: &'a str,
}

impl Reader<'_> {
    fn parent(&self, parent: &Element) -> Result<Parent> {
        Ok(Parent {
            group: self.needed(parent, "groupId")?,
            artifact: self.needed(parent, "artifactId")?,
            version: self.needed(parent, "version")?,
            relative: match self.child(parent, "relativePath")? {
                Some(relative) => Some(relative.text.trim().to_owned()).filter(|text| !text.is_empty()),
                None => Some(format!("../{}", Poms::NAME)),
            },
        })
    }

    fn dependencies(&self, holder: &Element) -> Result<Vec<Dependency>> {
        self.list(holder, "dependencies", "dependency")?
            .map(|dependency| {
                Ok(Dependency {
                    group: self.needed(dependency, "groupId")?,
                    artifact: self.needed(dependency, "artifactId")?,
                    version: self.value(dependency, "version")?,
                    kind: self.value(dependency, "type")?,
                    classifier: self.value(dependency, "classifier")?,
                    scope: self.value(dependency, "scope")?,
                    optional: self.value(dependency, "optional")?,
                })
            })
            .collect()
    }

    /// The elements called `name` in the one called `list`.
    fn list<'e>(
        &self,
        holder: &'e Element,
        list: &str,
        name: &'static str,
    ) -> Result<impl Iterator<Item = &'e Element>> {
        let list = self.child(holder, list)?;
        Ok(list.into_iter().flat_map(Element::own).filter(move |element| element.name == name))
    }

    fn needed(&self, holder: &Element, name: &str) -> Result<String> {
        self.value(holder, name)?.ok_or_else(|| {
            malformed(self.path, format_args!("has a `{}` without `{name}`", holder.name.escape_debug()))
        })
    }

    fn value(&self, holder: &Element, name: &str) -> Result<Option<String>> {
        let text = self.child(holder, name)?.map(|element| element.text.trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()))
    }

    fn child<'e>(&self, holder: &'e Element, name: &str) -> Result<Option<&'e Element>> {
        let mut found = holder.own().filter(|element| element.name == name);
        let first = found.next();
        if found.next().is_some() {
            let holder = holder.name.escape_debug();
            return Err(malformed(self.path, format_args!("has `{name}` twice in one `{holder}`")));
        }
        Ok(first)
    }
}

pub(super) fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("the pom `{path}` {fault}; run `mvn validate` and look at it"))
}
