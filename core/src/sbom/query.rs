//! Which components an SBOM has: by package url, name, range of versions and licence.

use packageurl::PackageUrl;
use serde::{Deserialize, Serialize};

use super::document::short;
use super::license;
use super::summary::{ComponentSummary, Summary};
use super::version::VersionRange;
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::predicate::unversioned;

/// What is looked for; a component must meet all that is given.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Query {
    /// A package url. What it does not say, such as a version, may be anything.
    pub purl: Option<String>,
    /// The name, or `group/name`.
    pub name: Option<String>,
    /// A range of versions, as [`VersionRange`] reads it.
    pub range: Option<String>,
    /// An SPDX licence id that stands anywhere in its licences.
    pub license: Option<String>,
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct QueryResult {
    /// The components that meet it.
    pub found: Vec<ComponentSummary>,
    /// The components that may meet it, and say too little to tell: no version where a range is asked for, no package
    /// url but the same name.
    pub undecided: Vec<ComponentSummary>,
}

impl Query {
    /// Reads it from JSON.
    ///
    /// # Errors
    /// `MALFORMED` for another key or type.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::parse("query", bytes)
    }

    /// Looks through the subject and the components of an SBOM.
    ///
    /// ```
    /// # let bom = br#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"a","version":"1.4.0"}]}"#;
    /// # let summary = sealwright::sbom::read(bom)?;
    /// let mut query = sealwright::sbom::Query::default();
    /// query.name = Some("a".to_owned());
    /// query.range = Some("<1.5".to_owned());
    /// assert_eq!(query.find(&summary)?.found.len(), 1);
    /// # Ok::<(), sealwright::Error>(())
    /// ```
    ///
    /// # Errors
    /// `API_MISUSE` if nothing is asked for; `MALFORMED` for what is no package url or no range.
    pub fn find(&self, summary: &Summary) -> Result<QueryResult> {
        let wanted = self.read()?;
        let mut result = QueryResult::default();
        for component in summary.subject.iter().chain(&summary.components) {
            match self.meets(&wanted, component) {
                Some(true) => result.found.push(component.clone()),
                Some(false) => {}
                None => result.undecided.push(component.clone()),
            }
        }
        Ok(result)
    }

    fn read(&self) -> Result<(Option<PackageUrl<'static>>, Option<VersionRange>)> {
        if self.purl.is_none() && self.name.is_none() && self.range.is_none() && self.license.is_none() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "the query asks for nothing; give a purl, name, range or licence",
            ));
        }
        let bad = |text: &String, e: packageurl::Error| {
            Error::new(ErrorKind::Malformed, format!("`{}` is no package url: {e}", short(text)))
        };
        let purl = self.purl.as_ref().map(|text| text.parse().map_err(|e| bad(text, e))).transpose()?;
        let range = self.range.as_ref().map(|text| text.parse()).transpose()?;
        Ok((purl, range))
    }

    /// Whether a component meets it; none if that can't be told.
    fn meets(
        &self,
        (purl, range): &(Option<PackageUrl<'static>>, Option<VersionRange>),
        component: &ComponentSummary,
    ) -> Option<bool> {
        let mut certain = true;
        if let Some(wanted) = purl {
            match component.purl.as_deref().and_then(|text| text.parse::<PackageUrl<'_>>().ok()) {
                Some(own) if !is_of(wanted, &own) => return Some(false),
                Some(_) => {}
                // without a package url, the same name may be the same package
                None if component.name == wanted.name() => certain = false,
                None => return Some(false),
            }
        }
        if let Some(name) = &self.name {
            let whole = component.group.as_ref().map(|group| format!("{group}/{}", component.name));
            if *name != component.name && Some(name) != whole.as_ref() {
                return Some(false);
            }
        }
        if let Some(license) = &self.license {
            let wanted = license::canonical(license);
            let names = |text: &str| license::names(text).any(|name| name == license || name == wanted);
            if !component.licenses.iter().any(|text| names(text) || names(&license::canonical(text))) {
                return Some(false);
            }
        }
        if let Some(range) = range {
            match component.version.as_deref().filter(|version| !version.is_empty()) {
                Some(version) if !range.contains(version) => return Some(false),
                Some(_) => {}
                None => certain = false,
            }
        }
        certain.then_some(true)
    }
}

/// Whether `own` has all that `wanted` says.
pub(super) fn is_of(wanted: &PackageUrl<'_>, own: &PackageUrl<'_>) -> bool {
    wanted.ty() == own.ty()
        && wanted.namespace() == own.namespace()
        && wanted.name() == own.name()
        && wanted.version().is_none_or(|version| own.version() == Some(version))
        && wanted.subpath().is_none_or(|path| own.subpath() == Some(path))
        && wanted.qualifiers().iter().all(|(key, value)| own.qualifiers().get(key) == Some(value))
}

impl ComponentSummary {
    /// What it is found by in a ledger: its package url without version, qualifiers and subpath; its name if it has none.
    pub(crate) fn package(&self) -> String {
        self.purl.as_deref().and_then(unversioned).unwrap_or_else(|| self.name.clone())
    }
}
