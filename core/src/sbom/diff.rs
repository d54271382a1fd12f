//! What changed from one SBOM to another.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use packageurl::PackageUrl;
use serde::Serialize;

use super::summary::{ComponentSummary, Summary};
use super::version::compare;

/// What changed from one SBOM to another, each list sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Difference {
    /// Components that only the second has.
    pub added: Vec<Change>,
    /// Components that only the first has.
    pub removed: Vec<Change>,
    /// Components of which the second has a newer version instead.
    pub upgraded: Vec<Change>,
    /// Components of which the second has an older version instead.
    pub downgraded: Vec<Change>,
    /// Components of the same version with other licences.
    pub licenses: Vec<Change>,
    /// Components of the same version with another hash of the same algorithm.
    pub replaced: Vec<Change>,
    /// Models that name other data, or data with other hashes.
    pub datasets: Vec<Change>,
}

impl Difference {
    /// Whether nothing of it changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A change of one component.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// Its package url without a version, else its type and name.
    pub component: String,
    /// What the first SBOM has: a version, or licences, hashes or data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What the second has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

type Versions<'a> = BTreeMap<&'a str, &'a ComponentSummary>;

/// What changed from `before` to `after`. A component is the same by its package url without version, else by type, group
/// and name; its subject is none of the components.
pub fn diff(before: &Summary, after: &Summary) -> Difference {
    let (old, new) = (by_name(before), by_name(after));
    let none = Versions::new();
    let mut difference = Difference::default();
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (was, is) = (old.get(name).unwrap_or(&none), new.get(name).unwrap_or(&none));
        let gone: Vec<&str> = was.keys().filter(|v| !is.contains_key(*v)).copied().collect();
        let come: Vec<&str> = is.keys().filter(|v| !was.contains_key(*v)).copied().collect();
        let change = |before: Option<&str>, after: Option<&str>| Change {
            component: name.clone(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        match (&gone[..], &come[..]) {
            ([from], [to]) => {
                let list = if compare(from, to) == Ordering::Greater {
                    &mut difference.downgraded
                } else {
                    &mut difference.upgraded
                };
                list.push(change(Some(from), Some(to)));
            }
            _ => {
                difference.removed.extend(gone.iter().map(|v| change(Some(v), None)));
                difference.added.extend(come.iter().map(|v| change(None, Some(v))));
            }
        }
        for (version, was) in was {
            let Some(is) = is.get(version) else { continue };
            if sorted(&was.licenses) != sorted(&is.licenses) {
                difference.licenses.push(change(Some(&was.licenses.join(", ")), Some(&is.licenses.join(", "))));
            }
            let hashes: BTreeMap<_, _> = was.hashes.iter().map(|(a, c)| (a, c)).collect();
            let other = is.hashes.iter().find(|(a, c)| hashes.get(a).is_some_and(|old| !old.eq_ignore_ascii_case(c)));
            if let Some((algorithm, content)) = other {
                let old = hashes.get(algorithm).map(|old| format!("{algorithm} {old}"));
                difference.replaced.push(change(old.as_deref(), Some(&format!("{algorithm} {content}"))));
            }
        }
        // a model may keep its version over other data
        let data = |versions: &Versions<'_>| -> Vec<String> {
            let sets = versions.values().flat_map(|c| &c.datasets);
            let mut sets: Vec<_> = sets
                .map(|set| {
                    let name = set.name.as_deref().or(set.bom_ref.as_deref()).unwrap_or_default();
                    let hashes: Vec<_> =
                        set.hashes.iter().map(|(a, c)| format!("{a} {}", c.to_ascii_lowercase())).collect();
                    format!("{name} {}", hashes.join(" ")).trim_end().to_owned()
                })
                .collect();
            sets.sort();
            sets
        };
        let (was, is) = (data(was), data(is));
        if was != is {
            difference.datasets.push(change(Some(&was.join(", ")), Some(&is.join(", "))));
        }
    }
    difference
}

fn by_name(summary: &Summary) -> BTreeMap<String, Versions<'_>> {
    let mut names: BTreeMap<String, Versions<'_>> = BTreeMap::new();
    for component in &summary.components {
        names.entry(name(component)).or_default().insert(component.version.as_deref().unwrap_or_default(), component);
    }
    names
}

fn name(component: &ComponentSummary) -> String {
    if let Some(purl) = component.purl.as_deref().and_then(|text| text.parse::<PackageUrl<'_>>().ok()) {
        let namespace = purl.namespace().map(|n| format!("{n}/")).unwrap_or_default();
        return format!("pkg:{}/{namespace}{}", purl.ty(), purl.name());
    }
    let kind = component.kind.as_deref().unwrap_or("component");
    let group = component.group.as_deref().map(|g| format!("{g}/")).unwrap_or_default();
    format!("{kind} {group}{}", component.name)
}

fn sorted(texts: &[String]) -> Vec<&String> {
    let mut texts: Vec<_> = texts.iter().collect();
    texts.sort();
    texts
}
