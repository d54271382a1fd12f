//! What Python packages need, with extras and groups, and what that makes of their scope.

use std::collections::{BTreeMap, BTreeSet};

use super::pyproject::{Direct, Project};
use super::python::Reading;
use crate::error::Result;
use crate::limits;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::Scope;

/// A need of a package, and the extras that it asks of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Need {
    /// The place in the packages of a lock file.
    pub(super) package: usize,
    pub(super) extras: Vec<String>,
}

impl Need {
    /// Of a package without extras.
    pub(super) fn of(package: usize) -> Self {
        Self { package, extras: Vec::new() }
    }
}

/// All that a package needs.
#[derive(Default)]
pub(super) struct Needs {
    /// In any case.
    pub(super) always: Vec<Need>,
    /// With an extra, by its name.
    pub(super) extras: BTreeMap<String, Vec<Need>>,
    /// To work on it: its groups, as for tests.
    pub(super) groups: Vec<Need>,
}

impl Needs {
    fn all(&self) -> impl Iterator<Item = &Need> {
        self.always.iter().chain(self.extras.values().flatten()).chain(&self.groups)
    }
}

/// Packages of a lock file, each with what it needs.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) packages: Vec<Package>,
    /// One for each package.
    pub(super) needs: Vec<Needs>,
}

impl Tree {
    pub(super) fn push(&mut self, package: Package, needs: Needs) -> usize {
        self.packages.push(package);
        self.needs.push(needs);
        self.packages.len() - 1
    }

    /// The places of the packages of each name.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` if there are too many of one name.
    pub(super) fn by_name(&self, reading: Reading<'_>) -> Result<BTreeMap<String, Vec<usize>>> {
        let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, package) in self.packages.iter().enumerate() {
            let same = places.entry(package.name.clone()).or_default();
            if same.len() == limits::LOCKED_VERSIONS {
                return Err(reading.too_many_versions(&package.name));
            }
            same.push(place);
        }
        Ok(places)
    }

    /// Adds the project of the manifest as a package; gives its place, or if it has no name what it needs. Where no
    /// manifest tells, these are the packages that no other needs. `may_lack` tells what the lock file may leave out.
    ///
    /// # Errors
    /// `MALFORMED` if the manifest needs a package that the lock file does not hold.
    pub(super) fn add_root(
        &mut self,
        reading: Reading<'_>,
        project: Option<&Project>,
        may_lack: &dyn Fn(&Direct) -> bool,
    ) -> Result<(Option<usize>, Needs)> {
        let by_name = self.by_name(reading)?;
        let mut needs = Needs::default();
        for direct in project.iter().flat_map(|project| &project.direct) {
            let Some(places) = by_name.get(&direct.name) else {
                let own = project.is_some_and(|project| project.is_named(&direct.name));
                if own || direct.conditional || may_lack(direct) {
                    continue;
                }
                return Err(reading.fault(format_args!(
                    "lacks `{}`, which the `pyproject.toml` beside it needs, so it is cut or stale",
                    direct.name
                )));
            };
            let list = match direct.scope {
                Scope::Required => &mut needs.always,
                // by which of its extras says nothing here
                Scope::Optional => needs.extras.entry(String::new()).or_default(),
                Scope::Excluded => &mut needs.groups,
            };
            list.extend(places.iter().map(|&package| Need { package, extras: direct.extras.clone() }));
        }
        if needs.all().next().is_none() {
            let needed: BTreeSet<usize> = self.needs.iter().flat_map(Needs::all).map(|need| need.package).collect();
            needs.always = (0..self.packages.len()).filter(|n| !needed.contains(n)).map(Need::of).collect();
        }
        match project.map(|project| project.package(reading)).transpose()?.flatten() {
            Some(package) => Ok((Some(self.push(package, needs)), Needs::default())),
            None => Ok((None, needs)),
        }
    }

    /// The lock file, with an edge for each need.
    pub(super) fn into_lock(mut self, path: &str, product: Option<usize>, unnamed: &Needs) -> LockFile {
        for (package, needs) in self.packages.iter_mut().zip(&self.needs) {
            package.needs = needs.all().map(|need| need.package).collect();
        }
        let unnamed_needs = unnamed.all().map(|need| need.package).collect();
        LockFile { path: path.to_owned(), packages: self.packages, product, unnamed_needs }
    }

    /// Gives each package its scope by how it is reached from the product, from `unnamed`, and from packages of the tree
    /// that no other needs: always is required, by extras of the tree optional, by its groups excluded. What is not
    /// reached is required, since nothing says that it is not.
    pub(super) fn set_scopes(&mut self, product: Option<usize>, unnamed: &Needs) {
        let mut walk = Walk { tree: self, scopes: vec![None; self.packages.len()], extras: BTreeSet::new() };
        let users: BTreeSet<usize> = (self.needs.iter().enumerate())
            .flat_map(|(n, needs)| needs.all().map(|need| need.package).filter(move |m| *m != n))
            .chain(unnamed.all().map(|need| need.package))
            .collect();
        let roots = (0..self.packages.len()).filter(|n| walk.is_local(*n) && !users.contains(n)).chain(product);
        let mut open: Vec<Need> = unnamed.always.iter().cloned().chain(roots.map(Need::of)).collect();
        walk.reach(&mut open, Scope::Required);
        open.extend(unnamed.extras.values().flatten().cloned());
        walk.reach(&mut open, Scope::Optional);
        open.extend(unnamed.groups.iter().cloned());
        walk.reach(&mut open, Scope::Excluded);
        let scopes = walk.scopes;
        for (package, scope) in self.packages.iter_mut().zip(scopes) {
            package.scope = scope.unwrap_or(Scope::Required);
        }
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    scopes: Vec<Option<Scope>>,
    /// Extras that were asked for.
    extras: BTreeSet<(usize, String)>,
}

impl Walk<'_> {
    fn is_local(&self, place: usize) -> bool {
        self.tree.packages.get(place).is_some_and(|p| p.origin == Origin::Local)
    }

    /// Goes on from `open`, and from what packages of the tree that were reached before need in this scope.
    fn reach(&mut self, open: &mut Vec<Need>, scope: Scope) {
        let before: Vec<usize> = (0..self.scopes.len())
            .filter(|n| self.is_local(*n) && self.scopes.get(*n).is_some_and(Option::is_some))
            .collect();
        for place in before {
            self.open_local(place, open, scope);
        }
        while let Some(need) = open.pop() {
            let Some(needs) = self.tree.needs.get(need.package) else { continue };
            if let Some(unseen) = self.scopes.get_mut(need.package).filter(|s| s.is_none()) {
                *unseen = Some(scope);
                open.extend(needs.always.iter().cloned());
                if self.is_local(need.package) {
                    self.open_local(need.package, open, scope);
                }
            }
            for extra in need.extras {
                if let Some(further) = needs.extras.get(&extra)
                    && self.extras.insert((need.package, extra))
                {
                    open.extend(further.iter().cloned());
                }
            }
        }
    }

    /// What a package of the tree needs beside what it always does.
    fn open_local(&self, place: usize, open: &mut Vec<Need>, scope: Scope) {
        let Some(needs) = self.tree.needs.get(place) else { return };
        if scope >= Scope::Optional {
            open.extend(needs.extras.values().flatten().cloned());
        }
        if scope >= Scope::Excluded {
            open.extend(needs.groups.iter().cloned());
        }
    }
}
