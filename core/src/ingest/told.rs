//! What whoever ingests a report says, because the report does not.

use std::str::FromStr;

use packageurl::PackageUrl;
use serde::{Deserialize, Serialize};

use super::finding::Level;
use super::mapped::Mapping;
use crate::artifact::ResourceDescriptor;
use crate::digest::DigestSet;
use crate::error::{Error, ErrorKind, Result};
use crate::guard::Guard;
use crate::json::{self, Value};
use crate::predicate::{Actor, Coverage, Environment, TestKind};
use crate::timestamp::Timestamp;

/// What is said beside a report. Everything may be left out; a format that needs it refuses without it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Told {
    /// Name of the format; without it, it is recognised by its content.
    pub format: Option<String>,
    /// What the report is about, each by digest.
    pub subjects: Vec<ResourceDescriptor>,
    /// Kind of tests or scan, where one format serves many.
    pub kind: Option<TestKind>,
    /// The tool, where the report does not name it or its version.
    pub tool: Option<Tool>,
    /// How new the database of a scanner was, where the report does not say.
    pub database_date: Option<Timestamp>,
    /// When the run began, where the report does not say.
    pub started_at: Option<Timestamp>,
    /// When the run ended, or when a state was observed, where the report does not say.
    pub finished_at: Option<Timestamp>,
    /// What configured the tests or the scanner.
    pub configuration: Vec<ResourceDescriptor>,
    /// Who brings it in: the observer of a state, the sealer of a log.
    pub collector: Option<Actor>,
    /// The environment a state was seen in, or an access went to.
    pub environment: Option<Environment>,
    /// What a claim is about, or the log that a segment is of: a URI, where the report does not name it.
    pub source: Option<String>,
    /// Number of the segment of a log, from 0.
    pub sequence: Option<u64>,
    /// The segment before it; needed from 1 on.
    pub previous_segment: Option<DigestSet>,
    /// From which level on a finding fails a test result: `high` (by default), `medium`, `low` or `info`.
    pub fail_at: Option<Level>,
    /// What claims are held against.
    pub limits: Limits,
    /// Rules of one's own by which statements and free text are searched, as [`Guard::with_rules`] reads them.
    pub guard: Option<Value>,
    /// Where the report is kept, if it is.
    pub location: Option<String>,
    /// Whether a list shows all there is, or a part, which is also what is meant without it.
    pub coverage: Option<Coverage>,
    /// How a report of one's own is read.
    pub mapping: Option<Mapping>,
    /// The rest of a record of which the report gives a part: of a change request or a deployment.
    pub predicate: Option<Value>,
    /// The tree that was reviewed, `gitTree`, where an event of a forge does not say.
    pub tree: Option<DigestSet>,
}

/// What claims about a state are held against; each is needed only by formats that ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct Limits {
    /// Longest age of a key or secret, in seconds.
    pub max_age_seconds: Option<u64>,
    /// Longest age of a backup, in seconds.
    pub rpo_seconds: Option<u64>,
    /// Where images may come from, such as `registry.example.org/shop`.
    pub registries: Vec<String>,
    /// Accounts of CI, such as `system:serviceaccount:ci:runner`, that must not be able to deploy.
    pub ci_accounts: Vec<String>,
    /// Least version of TLS, `1.2` or `1.3`.
    pub tls_version: Option<String>,
    /// Least days that a certificate must still be valid.
    pub certificate_days: Option<u64>,
}

/// A tool with its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Tool {
    /// What it is called; results of the same name replace each other.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Told {
    /// Reads it from JSON, its fields in `camelCase`.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        json::parse("what is told of a report", bytes)
    }

    /// The rules that come with the library, with those of one's own.
    pub(crate) fn guard(&self) -> Result<Guard> {
        self.guard.iter().try_fold(Guard::built_in(), |guard, rules| guard.with_rules(&json::to_vec(rules, 1024)))
    }

    /// What is told, or `API_MISUSE` that says what is missing.
    pub(super) fn demand<'a, T>(&self, what: &'a Option<T>, name: &str, why: &str) -> Result<&'a T> {
        what.as_ref().ok_or_else(|| missing(name, why))
    }
}

pub(super) fn missing(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::ApiMisuse, format!("{why}; say it with `{name}`"))
}

impl Tool {
    /// A tool of this name and version.
    pub fn new(name: impl Into<String>, version: Option<&str>) -> Self {
        Self { name: name.into(), version: version.filter(|v| !v.is_empty()).map(str::to_owned) }
    }

    /// Its name and a generic package URL with its version; a URN where the version is not known.
    pub(super) fn descriptor(&self) -> ResourceDescriptor {
        ResourceDescriptor::at(self.uri()).named(&self.name)
    }

    pub(super) fn uri(&self) -> String {
        let urn = || format!("urn:sealwright:tool:{}", self.name.replace(char::is_whitespace, "-"));
        let Some(version) = &self.version else { return urn() };
        PackageUrl::new("generic", self.name.clone())
            .and_then(|mut purl| purl.with_version(version.clone()).map(|purl| purl.to_string()))
            .unwrap_or_else(|_| urn())
    }
}

impl FromStr for Tool {
    type Err = Error;

    /// `NAME` or `NAME@VERSION`.
    fn from_str(text: &str) -> Result<Self> {
        let (name, version) = match text.rsplit_once('@') {
            Some((name, version)) if !name.is_empty() && !version.is_empty() => (name, Some(version)),
            _ => (text, None),
        };
        if name.is_empty() {
            return Err(Error::new(ErrorKind::ApiMisuse, "the tool has no name; write it as `NAME@VERSION`"));
        }
        Ok(Self::new(name, version))
    }
}
