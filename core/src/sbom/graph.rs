//! Packages of several lock files, united into one graph.

use std::collections::{BTreeMap, BTreeSet};

use super::license::LicenseChoice;
use super::model::{Aggregate, Component, ComponentKind, Composition, Dependency, Hash, Property, Scope};
use crate::error::{Error, ErrorKind, Result};

/// Where the bytes of a package come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The tree itself.
    Local,
    /// A registry, a repository or another server.
    Fetched,
}

/// The `h1` of a `go.sum`: SHA-256 over the hashes of the files of a module, and so the hash of no archive.
pub(super) const GO_SUM: &str = "h1";

/// How much a kind of file tells of its packages, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coverage {
    /// All of them, and what each needs.
    Whole,
    /// All of them, and which of them the tree itself needs; not what those need in turn.
    Flat,
    /// All of them, and not what needs what.
    Unlinked,
    /// What the tree itself needs, and not what that needs in turn.
    Direct,
}

/// A package as one lock file has it.
pub(super) struct Package {
    /// What stands before its name: an npm scope, the group of Maven, the vendor of Composer.
    pub(super) group: Option<String>,
    /// Its name without the group.
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) purl: String,
    pub(super) origin: Origin,
    pub(super) scope: Scope,
    /// Of its archive; of algorithm [`GO_SUM`] what `go.sum` has.
    pub(super) hashes: Vec<Hash>,
    /// Hashes of the files of a release, of which an installer takes one, each with the name of its file; an empty one
    /// where the lock file does not tell it.
    pub(super) files: Vec<(String, Hash)>,
    pub(super) licenses: Vec<LicenseChoice>,
    /// Places in [`LockFile::packages`].
    pub(super) needs: Vec<usize>,
}

impl Package {
    /// Whether people call it `name`, with its group if it has one.
    fn is_named(&self, name: &str) -> bool {
        match &self.group {
            None => self.name == name,
            Some(group) => {
                let rest = name.strip_prefix(group.as_str()).and_then(|rest| rest.strip_prefix(['/', ':']));
                rest == Some(&self.name)
            }
        }
    }
}

/// What one lock file says.
pub(super) struct LockFile {
    /// Its path relative to the root of the tree.
    pub(super) path: String,
    pub(super) packages: Vec<Package>,
    /// The place of the package that the manifest beside it describes.
    pub(super) product: Option<usize>,
    /// What a manifest without a name needs.
    pub(super) unnamed_needs: Vec<usize>,
}

/// A package as all lock files together have it.
struct Node {
    package: Package,
    found_in: BTreeSet<String>,
    /// Of the file that tells most of it.
    coverage: Coverage,
    needs: BTreeSet<usize>,
}

/// All packages, each once.
#[derive(Default)]
pub(super) struct Graph {
    places: BTreeMap<(String, Origin), usize>,
    nodes: Vec<Node>,
    /// What manifests without a name need.
    unnamed_needs: BTreeSet<usize>,
    /// How much each file tells, by its path.
    coverages: BTreeMap<String, Coverage>,
}

impl Graph {
    /// Adds what a lock file says that tells so much; gives the place of its product.
    ///
    /// # Errors
    /// `DIGEST_MISMATCH` if it has another hash for a package than a lock file added before.
    pub(super) fn add(&mut self, lock: LockFile, coverage: Coverage) -> Result<Option<usize>> {
        self.coverages.insert(lock.path.clone(), coverage);
        let mut places = Vec::with_capacity(lock.packages.len());
        let mut needs = Vec::with_capacity(lock.packages.len());
        for mut package in lock.packages {
            needs.push(std::mem::take(&mut package.needs));
            places.push(self.unite(package, &lock.path, coverage)?);
        }
        let place = |local: &usize| places.get(*local).copied();
        for (from, needs) in places.iter().zip(&needs) {
            if let Some(node) = self.nodes.get_mut(*from) {
                node.needs.extend(needs.iter().filter_map(place));
            }
        }
        self.unnamed_needs.extend(lock.unnamed_needs.iter().filter_map(place));
        Ok(lock.product.as_ref().and_then(place))
    }

    fn unite(&mut self, mut package: Package, path: &str, coverage: Coverage) -> Result<usize> {
        // of a package of the tree its own manifest tells all it needs
        let coverage = if package.origin == Origin::Local { Coverage::Whole } else { coverage };
        let key = (package.purl.clone(), package.origin);
        let Some(node) = self.places.get(&key).and_then(|&place| self.nodes.get_mut(place)) else {
            let place = self.nodes.len();
            self.places.insert(key, place);
            let files = std::mem::take(&mut package.files);
            unite_files(&mut package, files, path)?;
            let found_in = BTreeSet::from([path.to_owned()]);
            self.nodes.push(Node { package, found_in, coverage, needs: BTreeSet::new() });
            return Ok(place);
        };
        let known = &mut node.package;
        for hash in package.hashes {
            let mut same = known.hashes.iter().filter(|h| h.alg == hash.alg).peekable();
            if let Some(other) = same.peek().copied() {
                if !same.any(|h| h.content == hash.content) {
                    return Err(other_hash(&known.purl, path, &hash, &other.content));
                }
            } else {
                known.hashes.push(hash);
            }
        }
        unite_files(known, package.files, path)?;
        known.scope = known.scope.min(package.scope);
        node.coverage = node.coverage.min(coverage);
        if known.licenses.is_empty() {
            known.licenses = package.licenses;
        }
        node.found_in.insert(path.to_owned());
        self.places.get(&key).copied().ok_or_else(|| Error::new(ErrorKind::Internal, "a package lost its place"))
    }

    /// The place of the first local package of this name.
    pub(super) fn local(&self, name: &str) -> Option<usize> {
        self.nodes.iter().position(|n| n.package.origin == Origin::Local && n.package.is_named(name))
    }

    /// The component of the package at `place`, as the product.
    pub(super) fn product(&self, place: usize) -> Option<Component> {
        let package = &self.nodes.get(place)?.package;
        let mut component = component(package, ComponentKind::Application);
        component.scope = None;
        component.bom_ref = component.purl.clone();
        Some(component)
    }

    /// The components and edges, `product` aside, which stands at `place` or in no lock file.
    ///
    /// The product needs what its lock file says, what manifests without a name need, and each local package
    /// that nothing else here needs.
    pub(super) fn write(&self, product: &str, place: Option<usize>) -> Result<(Vec<Component>, Vec<Dependency>)> {
        let refs: Vec<String> = (0..self.nodes.len()).map(|n| self.bom_ref(n, product, place)).collect();
        let of = |places: &BTreeSet<usize>| -> BTreeSet<String> {
            places.iter().filter_map(|&n| refs.get(n).cloned()).collect()
        };
        let mut needs = self.product_needs(place);
        if let Some(node) = place.and_then(|p| self.nodes.get(p)) {
            needs.extend(&node.needs);
        }
        let local = self.nodes.iter().filter(|n| n.package.origin == Origin::Local);
        let direct: BTreeSet<usize> = local.flat_map(|n| &n.needs).chain(&needs).copied().collect();

        let mut components = Vec::with_capacity(self.nodes.len());
        let mut edges = vec![Dependency { component: product.to_owned(), depends_on: of(&needs) }];
        for (n, (node, bom_ref)) in self.nodes.iter().zip(&refs).enumerate() {
            if Some(n) == place {
                continue;
            }
            let mut component = component(&node.package, ComponentKind::Library);
            component.bom_ref = Some(bom_ref.clone());
            let found = node.found_in.iter().map(|path| Property { name: "sealwright:lockfile", value: path.clone() });
            component.properties.extend(found);
            let relationship = match node.coverage {
                _ if direct.contains(&n) => Some("direct"),
                Coverage::Unlinked => None,
                _ => Some("transitive"),
            };
            component.properties.extend(
                relationship.map(|value| Property { name: "sealwright:relationship", value: value.to_owned() }),
            );
            components.push(component);
            edges.push(Dependency { component: bom_ref.clone(), depends_on: of(&node.needs) });
        }
        components.sort_by(|a, b| a.bom_ref.cmp(&b.bom_ref));
        edges.sort_by(|a, b| a.component.cmp(&b.component));
        let mut pairs = edges.iter().zip(edges.iter().skip(1));
        if let Some((same, _)) = pairs.find(|(a, b)| a.component == b.component) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{}` names the product and a package; give the product another bom-ref", same.component),
            ));
        }
        Ok((components, edges))
    }

    /// What of the components and edges may not be all there is, and which files do not tell it.
    pub(super) fn unknowns(&self, product: &str, place: Option<usize>) -> (Vec<Composition>, Vec<Property>) {
        let of = |coverage: Coverage| self.coverages.values().filter(move |c| **c == coverage).count();
        let mut compositions = Vec::new();
        if of(Coverage::Direct) > 0 {
            // another file may tell what packages need of each other
            let alone = of(Coverage::Direct) == self.coverages.len();
            let aggregate = if alone { Aggregate::IncompleteFirstPartyOnly } else { Aggregate::Incomplete };
            compositions.push(Composition {
                aggregate,
                assemblies: vec![product.to_owned()],
                dependencies: Vec::new(),
            });
        }
        let unknown = self.nodes.iter().enumerate().filter(|(_, node)| node.coverage != Coverage::Whole);
        let mut refs: BTreeSet<String> = unknown.map(|(n, _)| self.bom_ref(n, product, place)).collect();
        if of(Coverage::Unlinked) > 0 {
            refs.insert(product.to_owned());
        }
        if !refs.is_empty() {
            let dependencies = refs.into_iter().collect();
            compositions.push(Composition { aggregate: Aggregate::Unknown, assemblies: Vec::new(), dependencies });
        }
        let told = self.coverages.iter().filter_map(|(path, coverage)| {
            let what = match coverage {
                Coverage::Whole => return None,
                Coverage::Flat => "tells direct dependencies, and not what those need in turn",
                Coverage::Unlinked => "does not tell what needs what",
                Coverage::Direct => "names direct dependencies alone, and not those of profiles",
            };
            Some(Property { name: "sealwright:incomplete", value: format!("{path} {what}") })
        });
        (compositions, told.collect())
    }

    fn bom_ref(&self, n: usize, product: &str, place: Option<usize>) -> String {
        let Some(node) = self.nodes.get(n).filter(|_| Some(n) != place) else { return product.to_owned() };
        let purl = &node.package.purl;
        // a local package beside a published one of the same name and version is another component
        let local = node.package.origin == Origin::Local;
        if local && self.places.contains_key(&(purl.clone(), Origin::Fetched)) {
            format!("{purl}#local")
        } else {
            purl.clone()
        }
    }

    fn product_needs(&self, place: Option<usize>) -> BTreeSet<usize> {
        let mut needs = self.unnamed_needs.clone();
        let above = self.leading_to(place);
        let needed: BTreeSet<usize> = self
            .nodes
            .iter()
            .enumerate()
            .flat_map(|(n, node)| node.needs.iter().copied().filter(move |&m| m != n))
            .collect();
        needs.extend((0..self.nodes.len()).filter(|n| {
            let local = self.nodes.get(*n).is_some_and(|node| node.package.origin == Origin::Local);
            local && Some(*n) != place && !needed.contains(n) && !above.contains(n)
        }));
        needs
    }

    /// The places from which edges lead to `place`.
    fn leading_to(&self, place: Option<usize>) -> BTreeSet<usize> {
        let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (n, node) in self.nodes.iter().enumerate() {
            for &need in &node.needs {
                users.entry(need).or_default().push(n);
            }
        }
        let mut above = BTreeSet::new();
        let mut open: Vec<usize> = place.into_iter().collect();
        while let Some(n) = open.pop() {
            for &user in users.get(&n).map(Vec::as_slice).unwrap_or_default() {
                if above.insert(user) {
                    open.push(user);
                }
            }
        }
        above
    }
}

/// Lock files may list different files of one release, but not one file with different hashes.
fn unite_files(known: &mut Package, files: Vec<(String, Hash)>, path: &str) -> Result<()> {
    let mut before: BTreeMap<(String, &str), BTreeSet<String>> = BTreeMap::new();
    for (file, hash) in &known.files {
        before.entry((file.clone(), hash.alg)).or_default().insert(hash.content.clone());
    }
    let mut after: BTreeMap<(String, &str), Vec<Hash>> = BTreeMap::new();
    for (file, hash) in files {
        after.entry((file, hash.alg)).or_default().push(hash);
    }
    for ((file, alg), hashes) in after {
        let known_here = before.get(&(file.clone(), alg));
        if let (Some(known_here), Some(hash)) = (known_here, hashes.first())
            && !hashes.iter().any(|h| known_here.contains(&h.content))
        {
            let other = known_here.first().map(String::as_str).unwrap_or_default();
            return Err(other_hash(&known.purl, path, hash, other));
        }
        if let (false, Some((first, more))) = (file.is_empty(), hashes.split_first())
            && let Some(other) = more.iter().find(|h| h.content != first.content)
        {
            return Err(other_hash(&known.purl, path, first, &other.content));
        }
        let unseen = hashes.into_iter().filter(|h| known_here.is_none_or(|known| !known.contains(&h.content)));
        known.files.extend(unseen.map(|hash| (file.clone(), hash)));
    }
    Ok(())
}

fn other_hash(purl: &str, path: &str, hash: &Hash, other: &str) -> Error {
    let Hash { alg, content } = hash;
    Error::new(
        ErrorKind::DigestMismatch,
        format!(
            "`{purl}` has the {alg} `{content}` in `{path}` and `{other}` elsewhere; one of them is not the package that \
             was published, find out which"
        ),
    )
    .with("purl", purl)
}

fn component(package: &Package, kind: ComponentKind) -> Component {
    let hashes = package.hashes.iter().filter(|hash| hash.alg != GO_SUM);
    let sums = package.hashes.iter().filter(|hash| hash.alg == GO_SUM);
    let sums = sums.map(|h| Property { name: "sealwright:go-sum", value: format!("{GO_SUM}:{}", h.content) });
    Component {
        kind,
        bom_ref: None,
        group: package.group.clone(),
        name: package.name.clone(),
        version: package.version.clone(),
        scope: Some(package.scope),
        hashes: hashes.chain(package.files.iter().map(|(_, hash)| hash)).cloned().collect(),
        licenses: package.licenses.clone(),
        purl: Some(package.purl.clone()),
        properties: sums.collect(),
    }
}
