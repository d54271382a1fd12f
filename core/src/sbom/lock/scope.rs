//! What packages are needed for, where a lock file says it of direct dependencies alone.

use crate::sbom::graph::Package;
use crate::sbom::model::Scope;

/// A package that is needed, and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// Its place in the list of packages.
    pub(super) place: usize,
    /// `Optional` if it may be missing, `Excluded` if it is for development.
    pub(super) scope: Scope,
}

/// Gives each package its scope and what it needs. `needs` has one row for each of them, `projects` are the packages of
/// the tree that are worked on, `unnamed` is what one without a name needs.
///
/// A package has the strongest scope of the ways that lead to it from a project, a way the weakest of its steps. To what
/// no way leads the file gives no purpose, so it is required.
pub(super) fn assign(packages: &mut [Package], needs: &[Vec<Need>], projects: &[usize], unnamed: &[Need]) {
    let mut scopes = vec![None; packages.len()];
    for scope in [Scope::Required, Scope::Optional, Scope::Excluded] {
        let mut seen = vec![false; packages.len()];
        let within = |need: &&Need| need.scope <= scope;
        let mut open: Vec<usize> = projects.to_vec();
        open.extend(unnamed.iter().filter(within).map(|need| need.place));
        while let Some(place) = open.pop() {
            match seen.get_mut(place) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            if let Some(known) = scopes.get_mut(place) {
                known.get_or_insert(scope);
            }
            open.extend(needs.get(place).into_iter().flatten().filter(within).map(|need| need.place));
        }
    }
    for ((package, scope), needs) in packages.iter_mut().zip(scopes).zip(needs) {
        package.scope = scope.unwrap_or(Scope::Required);
        package.needs = needs.iter().map(|need| need.place).collect();
    }
}
