//! Ways through an SBOM from what it is about to one of its components.

use std::collections::{BTreeMap, VecDeque};

use crate::sbom::{EdgeKind, Summary};

/// Most ways that are shown to one component.
const MOST: usize = 10;

/// The edges of an SBOM, by what they lead to.
pub(super) struct Paths<'b> {
    root: Option<&'b str>,
    /// What needs or holds each component.
    users: BTreeMap<&'b str, Vec<&'b str>>,
    names: BTreeMap<&'b str, String>,
}

impl<'b> Paths<'b> {
    pub(super) fn of(bom: &'b Summary) -> Self {
        let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for edge in bom.edges.iter().filter(|edge| edge.kind != EdgeKind::Provides) {
            users.entry(&edge.to).or_default().push(&edge.from);
        }
        let names = bom.components.iter().filter_map(|c| {
            let name = c.group.as_ref().map_or_else(|| c.name.clone(), |group| format!("{group}/{}", c.name));
            let name = c.version.as_ref().map_or(name.clone(), |version| format!("{name}@{version}"));
            Some((c.bom_ref.as_deref()?, name))
        });
        Self { root: bom.subject.as_ref().and_then(|s| s.bom_ref.as_deref()), users, names: names.collect() }
    }

    /// The shortest ways to `target`, one for each component that the subject needs directly and that leads there: names
    /// with versions, from that component to the target.
    pub(super) fn to(&self, target: &str) -> Vec<Vec<String>> {
        let Some(root) = self.root else { return Vec::new() };
        // backwards from the target, so that each component knows its next step
        let mut next: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = VecDeque::from([target]);
        let mut direct = Vec::new();
        while let Some(at) = open.pop_front() {
            for &user in self.users.get(at).map(Vec::as_slice).unwrap_or_default() {
                if user == root {
                    if !direct.contains(&at) && direct.len() < MOST {
                        direct.push(at);
                    }
                } else if user != target && !next.contains_key(user) {
                    next.insert(user, at);
                    open.push_back(user);
                }
            }
        }
        let way = |start: &str| {
            let mut at = start;
            let mut names = vec![self.name(at)];
            while let Some(step) = next.get(at).filter(|_| at != target) {
                at = step;
                names.push(self.name(at));
            }
            names
        };
        direct.into_iter().map(way).collect()
    }

    fn name(&self, bom_ref: &str) -> String {
        self.names.get(bom_ref).cloned().unwrap_or_else(|| bom_ref.to_owned())
    }
}
