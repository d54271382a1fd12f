//! Reads `Gemfile.lock` and `gems.locked` of Bundler.
//!
//! Its indentation is its structure: sections at the margin, their options at two blanks, gems at four, and what a gem
//! needs at six.

use std::collections::{BTreeMap, BTreeSet};

use super::gem_sections::{self, Section, Source, Spec};
use crate::error::{Error, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::Scope;
use crate::sbom::purl;
use crate::sbom::tree::Found;

/// The one that Bundler takes for granted.
const RUBYGEMS: [&str; 2] = ["https://rubygems.org", "http://rubygems.org"];

/// What the lock file `found` says. Groups of the `Gemfile` are not in it, so all gems are `required`.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let read = gem_sections::read(path, text)?;
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut full_names = BTreeSet::new();
    let specs: Vec<(&Section<'_>, &Spec<'_>)> =
        read.sources.iter().flat_map(|section| section.specs.iter().map(move |spec| (section, spec))).collect();
    for (n, (_, spec)) in specs.iter().enumerate() {
        if !full_names.insert(&spec.full) {
            return Err(malformed(path, format_args!("has `{}` twice", spec.full)));
        }
        by_name.entry(spec.name).or_default().push(n);
    }
    if let Some(stray) = read.checksums.keys().find(|of| !full_names.contains(of) && !of.starts_with("bundler (")) {
        return Err(malformed(
            path,
            format_args!("has a checksum of `{}`, which it does not hold", stray.escape_debug()),
        ));
    }
    // several of one name are those of several platforms
    let places = |name: &str| by_name.get(name).map(Vec::as_slice).unwrap_or_default();

    let mut packages = Vec::with_capacity(specs.len());
    for (section, spec) in &specs {
        let mut needs = Vec::new();
        for name in &spec.needs {
            // Bundler itself comes with Ruby
            if places(name).is_empty() && *name != "bundler" {
                let name = name.escape_debug();
                return Err(malformed(
                    path,
                    format_args!("says that `{}` needs `{name}`, which it does not hold", spec.name),
                ));
            }
            needs.extend(places(name));
        }
        packages.push(Package {
            group: None,
            name: spec.name.to_owned(),
            version: Some(spec.version.to_owned()),
            purl: purl(section, spec).map_err(|e| e.while_doing(format_args!("`{path}`")))?,
            origin: if section.source == Source::Path { Origin::Local } else { Origin::Fetched },
            scope: Scope::Required,
            hashes: read.checksums.get(&spec.full).cloned().unwrap_or_default(),
            files: Vec::new(),
            licenses: Vec::new(),
            needs,
        });
    }
    // a gem of a platform that was not locked for stands among the dependencies alone
    let direct: Vec<usize> = read.dependencies.iter().flat_map(|name| places(name)).copied().collect();
    if !read.is_ended
        && let Some(stray) = unreached(&packages, &direct)
    {
        return Err(malformed(path, format_args!("holds `{stray}`, which nothing needs, so it is cut or stale")));
    }
    let own: Vec<usize> = (0..specs.len())
        .filter(|n| specs.get(*n).is_some_and(|(s, _)| s.source == Source::Path && s.remotes == ["."]))
        .collect();
    let mut lock = LockFile { path: path.clone(), packages, product: None, unnamed_needs: Vec::new() };
    match (&own[..], own.first().and_then(|n| lock.packages.get_mut(*n))) {
        ([product], Some(package)) => {
            package.needs.extend(direct.iter().filter(|n| *n != product));
            lock.product = Some(*product);
        }
        _ => lock.unnamed_needs = direct,
    }
    Ok(lock)
}

/// The name of a gem to which no way leads from `direct`.
fn unreached<'a>(packages: &'a [Package], direct: &[usize]) -> Option<&'a str> {
    let mut reached: BTreeSet<usize> = direct.iter().copied().collect();
    let mut open: Vec<usize> = direct.to_vec();
    while let Some(package) = open.pop().and_then(|n| packages.get(n)) {
        open.extend(package.needs.iter().copied().filter(|n| reached.insert(*n)));
    }
    packages.iter().enumerate().find(|(n, _)| !reached.contains(n)).map(|(_, package)| &*package.name)
}

/// The purl of a gem (purl-spec, type `gem`): its platform, and where it is from if that is not rubygems.org.
fn purl(section: &Section<'_>, spec: &Spec<'_>) -> Result<String> {
    let remote = section.remotes.first().copied().unwrap_or_default();
    let origin = match section.source {
        Source::Path => None,
        Source::Git => Some(("vcs_url", purl::git_url(remote, section.revision))),
        Source::Plugin => Some(("repository_url", purl::public_url(remote))),
        // which of several a gem comes from is not told; whoever asks for foreign ones must find it
        Source::Registry => {
            let foreign = section.remotes.iter().find(|r| !RUBYGEMS.contains(&r.trim_end_matches('/')));
            foreign.map(|remote| ("repository_url", purl::public_url(remote)))
        }
    };
    let origin = origin.as_ref().map(|(key, value)| (*key, &**value));
    let purl = purl::of("gem", None, spec.name, Some(spec.version), origin)?;
    match spec.platform {
        None | Some("ruby") => Ok(purl),
        Some(platform) => purl::with_qualifier(&purl, "platform", platform),
    }
}

pub(super) fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `bundle lock` and look at it")
}
