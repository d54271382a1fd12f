//! Which packages an advisory is about: the format of OSV (schema 1, <https://ossf.github.io/osv-schema/>).

use std::collections::BTreeSet;

use packageurl::PackageUrl;
use serde::Deserialize;

use super::document::short;
use super::version::VersionRange;
use crate::error::{Error, ErrorKind, Result};
use crate::json;

/// Names of a vulnerability, and the packages that have it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Advisory {
    /// Its names: its own id, then its aliases, such as a CVE.
    pub ids: Vec<String>,
    /// What is affected.
    pub packages: Vec<Vulnerable>,
}

/// A package, in some of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vulnerable {
    /// Its package url, without version.
    pub purl: String,
    /// The versions, one by one.
    pub versions: BTreeSet<String>,
    /// Ranges of versions; neither these nor single ones means all versions.
    pub ranges: Vec<VersionRange>,
    /// Its name, without what stands before it.
    name: String,
}

impl Vulnerable {
    pub(crate) fn new(purl: &PackageUrl<'_>, versions: BTreeSet<String>, ranges: Vec<VersionRange>) -> Self {
        let mut purl = purl.clone();
        purl.without_version();
        purl.clear_qualifiers();
        purl.without_subpath();
        Self { name: purl.name().to_owned(), purl: purl.to_string(), versions, ranges }
    }

    /// Its name, by which a component without a package url may be it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether a version of the package is meant; none if that can't be told without one.
    pub fn contains(&self, version: Option<&str>) -> Option<bool> {
        if self.versions.is_empty() && self.ranges.is_empty() {
            return Some(true);
        }
        let version = version.filter(|version| !version.is_empty())?;
        Some(self.versions.contains(version) || self.ranges.iter().any(|range| range.contains(version)))
    }
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    #[serde(default)]
    aliases: Vec<String>,
    withdrawn: Option<String>,
    #[serde(default)]
    affected: Vec<Affected>,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    events: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Introduced(String),
    Fixed(String),
    LastAffected(String),
    Limit(#[expect(dead_code, reason = "it bounds what was looked at in a repository, no version")] String),
}

/// Ecosystems of OSV and the types of their package urls.
const ECOSYSTEMS: [(&str, &str); 11] = [
    ("crates.io", "cargo"),
    ("npm", "npm"),
    ("PyPI", "pypi"),
    ("Go", "golang"),
    ("Maven", "maven"),
    ("RubyGems", "gem"),
    ("Packagist", "composer"),
    ("NuGet", "nuget"),
    ("Pub", "pub"),
    ("Hex", "hex"),
    ("SwiftURL", "swift"),
];

impl Advisory {
    /// Reads an advisory of OSV in JSON.
    ///
    /// ```
    /// use sealwright::sbom::Advisory;
    /// let advisory = Advisory::parse(br#"{"id":"GHSA-x","aliases":["CVE-2021-23337"],"affected":[{
    ///     "package":{"ecosystem":"npm","name":"lodash"},
    ///     "ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"4.17.21"}]}]}]}"#)?;
    /// assert_eq!(advisory.ids, ["GHSA-x", "CVE-2021-23337"]);
    /// assert_eq!(advisory.packages[0].purl, "pkg:npm/lodash");
    /// # Ok::<(), sealwright::Error>(())
    /// ```
    ///
    /// # Errors
    /// `MALFORMED` for another document, one that was withdrawn, or one that names no package; `UNSUPPORTED` for an
    /// ecosystem without package urls, and for a package that is told by commits alone, which no SBOM can be held against.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let wire: Wire = json::parse("advisory", bytes)?;
        let fault =
            |fault: String| Error::new(ErrorKind::Malformed, format!("the advisory `{}` {fault}", short(&wire.id)));
        if wire.withdrawn.is_some() {
            return Err(fault("was withdrawn; it is about nothing any more".to_owned()));
        }
        let mut packages = Vec::new();
        for affected in &wire.affected {
            let Some(package) = &affected.package else {
                return Err(unsupported(&wire.id, "names commits of a repository and no package"));
            };
            let purl = package.purl(&wire.id)?;
            let ranges = affected.ranges(&wire.id)?;
            packages.push(Vulnerable::new(&purl, affected.versions.iter().cloned().collect(), ranges));
        }
        if packages.is_empty() {
            return Err(fault("names no package; give one in the format of OSV".to_owned()));
        }
        let ids = std::iter::once(wire.id).chain(wire.aliases).collect();
        Ok(Self { ids, packages })
    }
}

impl Package {
    fn purl(&self, id: &str) -> Result<PackageUrl<'static>> {
        let bad = |e: packageurl::Error| {
            let name = short(&self.name);
            Error::new(
                ErrorKind::Malformed,
                format!("the advisory `{}` names `{name}`, which has no package url: {e}", short(id)),
            )
        };
        if let Some(purl) = &self.purl {
            return purl.parse().map_err(bad);
        }
        // what follows a colon is a release of the ecosystem, as in `Debian:12`
        let ecosystem = self.ecosystem.split(':').next().unwrap_or_default();
        let Some((_, kind)) = ECOSYSTEMS.iter().find(|(name, _)| *name == ecosystem) else {
            let what = format!("is about the ecosystem `{}` and gives no package url", short(&self.ecosystem));
            return Err(unsupported(id, &what));
        };
        let name = match *kind {
            // PEP 503
            "pypi" => self.name.to_lowercase().replace(['_', '.'], "-"),
            "maven" => self.name.replacen(':', "/", 1),
            _ => self.name.clone(),
        };
        let (namespace, name) = match name.rsplit_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, name.as_str()),
        };
        let mut purl = PackageUrl::new(*kind, name.to_owned()).map_err(bad)?;
        if let Some(namespace) = namespace {
            purl.with_namespace(namespace.to_owned()).map_err(bad)?;
        }
        Ok(purl)
    }
}

impl Affected {
    fn ranges(&self, id: &str) -> Result<Vec<VersionRange>> {
        let (commits, ranges): (Vec<_>, Vec<_>) = self.ranges.iter().partition(|range| range.kind == "GIT");
        if !commits.is_empty() && ranges.is_empty() && self.versions.is_empty() {
            return Err(unsupported(id, "tells what is affected by commits alone"));
        }
        let parsed = ranges.iter().flat_map(|range| range.intervals()).map(|interval| interval.parse());
        parsed.collect::<Result<_>>().map_err(|e| e.while_doing(format_args!("the advisory `{}`", short(id))))
    }
}

impl Range {
    /// From each introduction to the fix that follows it; without one to the end.
    fn intervals(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut open: Option<String> = None;
        // `0` stands before every version there is, also before `0-alpha` (OSV, `introduced`)
        let from = |version: &String| if version == "0" { String::new() } else { format!(">={version}") };
        let both = |lower: &String, upper: String| if lower.is_empty() { upper } else { format!("{lower}, {upper}") };
        for event in &self.events {
            match (event, &open) {
                // two in a row: the first says all that the second does
                (Event::Introduced(version), None) => open = Some(from(version)),
                (Event::Fixed(version), Some(lower)) => {
                    found.push(both(lower, format!("<{version}")));
                    open = None;
                }
                (Event::LastAffected(version), Some(lower)) => {
                    found.push(both(lower, format!("<={version}")));
                    open = None;
                }
                _ => {}
            }
        }
        found.extend(open.map(|lower| if lower.is_empty() { "vers:generic/*".to_owned() } else { lower }));
        found
    }
}

fn unsupported(id: &str, what: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the advisory `{}` {what}, so that no SBOM can be held against it; ask by package url", short(id)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(affected: &str) -> Vulnerable {
        let text = format!(r#"{{"id":"X-1","affected":[{{"package":{{"ecosystem":"npm","name":"a"}}{affected}}}]}}"#);
        Advisory::parse(text.as_bytes()).unwrap().packages.remove(0)
    }

    #[test]
    fn events_become_intervals() {
        let of = |events: &str| told(&format!(r#","ranges":[{{"type":"SEMVER","events":[{events}]}}]"#));
        for (events, inside, outside) in [
            (r#"{"introduced":"0"},{"fixed":"2.0.0"}"#, &["0.1", "1.9.9", "0-alpha"][..], &["2.0.0", "3"][..]),
            (
                r#"{"introduced":"1.0.0"},{"fixed":"1.2.0"},{"introduced":"2.0.0"},{"last_affected":"2.1.0"}"#,
                &["1.0.0", "1.1.9", "2.0.0", "2.1.0"],
                &["0.9", "1.2.0", "1.9", "2.1.1"],
            ),
            (r#"{"introduced":"3.0.0"}"#, &["3.0.0", "99"], &["2.9"]),
            (r#"{"introduced":"0"}"#, &["0", "99"], &[]),
        ] {
            let package = of(events);
            assert!(inside.iter().all(|v| package.contains(Some(v)) == Some(true)), "{events}");
            assert!(outside.iter().all(|v| package.contains(Some(v)) == Some(false)), "{events}");
            assert_eq!(package.contains(None), None, "{events}");
        }
        assert_eq!(told("").contains(None), Some(true));
        let listed = told(r#","versions":["1.0.0","1.0.1"]"#);
        assert_eq!((listed.contains(Some("1.0.1")), listed.contains(Some("1.0.2"))), (Some(true), Some(false)));
    }

    #[test]
    fn packages_of_each_ecosystem_have_their_package_url() {
        for (ecosystem, name, purl) in [
            ("npm", "@s/a", "pkg:npm/%40s/a"),
            ("PyPI", "Flask_Login", "pkg:pypi/flask-login"),
            ("Go", "github.com/a/b", "pkg:golang/github.com/a/b"),
            ("Maven", "org.a:b", "pkg:maven/org.a/b"),
            ("Packagist", "v/a", "pkg:composer/v/a"),
            ("crates.io", "serde", "pkg:cargo/serde"),
        ] {
            let package = Package { ecosystem: ecosystem.to_owned(), name: name.to_owned(), purl: None };
            assert_eq!(package.purl("X").unwrap().to_string(), purl);
        }
    }

    #[test]
    fn what_no_sbom_can_be_held_against_is_refused() {
        for (text, code) in [
            (r#"{"id":"X","affected":[]}"#, "MALFORMED"),
            (
                r#"{"id":"X","withdrawn":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}"#,
                "MALFORMED",
            ),
            (r#"{"id":"X","affected":[{"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}"#, "UNSUPPORTED"),
            (
                r#"{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"GIT","events":[{"introduced":"0"}]}]}]}"#,
                "UNSUPPORTED",
            ),
            (r#"{"id":"X","affected":[{"package":{"ecosystem":"Debian:12","name":"a"}}]}"#, "UNSUPPORTED"),
            (r#"{"id":"X","affected":[{"package":{"ecosystem":"npm","name":""}}]}"#, "MALFORMED"),
            (
                r#"{"id":"X","affected":[{"package":{"ecosystem":"npm","name":"a"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"^1"}]}]}]}"#,
                "MALFORMED",
            ),
            (r#"{"affected":[]}"#, "MALFORMED"),
        ] {
            assert_eq!(Advisory::parse(text.as_bytes()).unwrap_err().code(), code, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "\\PC{0,60}", events in "[{}\":,a-z0-9.]{0,60}") {
            let _ = Advisory::parse(text.as_bytes());
            let wire = format!(r#"{{"id":"X","affected":[{{"package":{{"ecosystem":"npm","name":"a"}},"ranges":[{{"type":"SEMVER","events":[{events}]}}]}}]}}"#);
            let _ = Advisory::parse(wire.as_bytes());
        }
    }
}
