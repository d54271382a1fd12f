//! Reads `mix.lock` of Elixir.

use std::collections::{BTreeMap, BTreeSet};

use super::mix_term::{self, Term};
use crate::error::{Error, Result};
use crate::sbom::GenerateOptions;
use crate::sbom::graph::{LockFile, Origin, Package};
use crate::sbom::model::{Hash, Scope};
use crate::sbom::purl;
use crate::sbom::tree::Found;

/// What the lock file `found` says. It does not tell what is for tests alone, so all packages are `required`; what nothing
/// else needs is direct.
pub(super) fn read(found: &Found, text: &str, _: &GenerateOptions) -> Result<LockFile> {
    let path = &found.relative;
    let term = mix_term::read(text).map_err(|at| {
        let line = text.bytes().take(at).filter(|b| *b == b'\n').count() + 1;
        malformed(path, format_args!("is no map of plain terms in line {line}"))
    })?;
    let Term::Map(pairs) = term else { return Err(malformed(path, "is no map")) };
    let mut places = BTreeMap::new();
    for (n, (app, _)) in pairs.iter().enumerate() {
        if places.insert(app.as_str(), n).is_some() {
            return Err(malformed(path, format_args!("has `{}` twice", app.escape_debug())));
        }
    }
    let mut packages = Vec::with_capacity(pairs.len());
    for (app, entry) in &pairs {
        let Term::Tuple(parts) = entry else { return Err(unknown(path, app)) };
        let parts: Vec<&Term> = parts.iter().collect();
        packages.push(match (parts.first().and_then(|kind| kind.text()), parts.get(1..).unwrap_or_default()) {
            (Some("hex"), rest) => hex_package(path, app, rest, &places)?,
            (Some("git"), [Term::Text(url), Term::Text(commit), ..]) => {
                let vcs = purl::git_url(url, Some(commit));
                package(path, None, app, commit, Some(("vcs_url", &vcs)))?
            }
            _ => return Err(unknown(path, app)),
        });
    }
    let needed: BTreeSet<usize> = packages.iter().flat_map(|package| package.needs.iter().copied()).collect();
    let unnamed_needs = (0..packages.len()).filter(|n| !needed.contains(n)).collect();
    Ok(LockFile { path: path.clone(), packages, product: None, unnamed_needs })
}

/// Name, version, inner checksum, build tools, needs, repository and outer checksum; before Hex 0.21 without the last.
fn hex_package(path: &str, app: &str, parts: &[&Term], places: &BTreeMap<&str, usize>) -> Result<Package> {
    let [name, Term::Text(version), Term::Text(_), Term::List(_), Term::List(needs), Term::Text(repository), rest @ ..] =
        parts
    else {
        return Err(unknown(path, app));
    };
    let name = name.text().ok_or_else(|| unknown(path, app))?;
    // an organisation of hex.pm is `hexpm:name`; of other repositories only their name is told
    let (namespace, other) = match repository.as_str() {
        "hexpm" => (None, None),
        other => match other.strip_prefix("hexpm:") {
            Some(organisation) => (Some(organisation), None),
            None => (None, Some(("repository_url", other))),
        },
    };
    let mut package = package(path, namespace, name, version, other)?;
    // the inner checksum is of what is in the archive, the outer one of the archive
    match rest {
        [] => {}
        [Term::Text(hex)] if hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()) => {
            package.hashes.push(Hash { alg: "SHA-256", content: hex.to_ascii_lowercase() });
        }
        _ => {
            return Err(malformed(path, format_args!("has a checksum of `{}` that is no SHA-256", app.escape_debug())));
        }
    }
    for need in needs {
        let Term::Tuple(need) = need else { return Err(unknown(path, app)) };
        let name = need.first().and_then(Term::text).ok_or_else(|| unknown(path, app))?;
        // what is optional, or stands in the tree (`path:` in `mix.exs`), is not in the file
        package.needs.extend(places.get(name));
    }
    Ok(package)
}

fn package(
    path: &str,
    namespace: Option<&str>,
    name: &str,
    version: &str,
    qualifier: Option<(&'static str, &str)>,
) -> Result<Package> {
    Ok(Package {
        group: namespace.map(str::to_owned),
        name: name.to_owned(),
        version: Some(version.to_owned()),
        purl: purl::of("hex", namespace, name, Some(version), qualifier)
            .map_err(|e| e.while_doing(format_args!("`{path}`")))?,
        origin: Origin::Fetched,
        scope: Scope::Required,
        hashes: Vec::new(),
        files: Vec::new(),
        licenses: Vec::new(),
        needs: Vec::new(),
    })
}

fn unknown(path: &str, app: &str) -> Error {
    malformed(path, format_args!("has `{}` in a form that is not read", app.escape_debug()))
}

fn malformed(path: &str, fault: impl std::fmt::Display) -> Error {
    super::malformed(path, fault, "run `mix deps.get` and look at it")
}
