//! What a ledger entry lets one select a record by (predicates section 1.1).

use packageurl::PackageUrl;
use serde::{Deserialize, Serialize};

use super::cyclonedx::Cyclonedx;
use super::deployment::Deployment;
use super::kind;
use super::promotion::Promotion;
use super::release::Release;
use super::{NAMESPACE, PredicateType, is_sbom};
use crate::artifact::ResourceDescriptor;
use crate::json::Value;

/// Tags of a record, or tags asked for; each list is sorted and holds nothing twice.
///
/// They are read loosely, from whatever the record holds: an entry with a tag too many is only opened in vain, one
/// with a tag too few may be passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tags {
    /// Digests of the subjects, `<algorithm>:<digest>`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject: Vec<String>,
    /// Ids of changes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub change: Vec<String>,
    /// Services: purls without version, qualifiers and subpath.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<String>,
    /// Ids of releases.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub release: Vec<String>,
    /// Ids of environments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
    /// Payload digest, hex, of the policy-evaluation that a promotion, deployment or publication spends.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decision: Vec<String>,
    /// Evidence types of the control catalogue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kind: Vec<String>,
}

/// What tags and evidence types are read from: the JSON of a predicate, of an SBOM no more than these need.
pub(crate) fn told(predicate_type: &str, predicate: &[u8]) -> Value {
    /// Whether it is a VEX as well.
    #[derive(Deserialize, Serialize)]
    struct OfBom {
        #[serde(default)]
        vulnerabilities: Value,
    }
    let read = match predicate_type {
        t if Cyclonedx::reads(t) => serde_json::from_slice::<OfBom>(predicate).and_then(serde_json::to_value),
        t if is_sbom(t) => Ok(Value::Null),
        _ => serde_json::from_slice(predicate),
    };
    read.unwrap_or_default()
}

impl Tags {
    /// The tags of a record, from its subjects and the JSON of its predicate.
    pub(crate) fn of(subjects: &[ResourceDescriptor], predicate_type: &str, predicate: &Value) -> Self {
        let mut tags = Self { kind: kind::kinds(predicate_type, predicate), ..Self::default() };
        for subject in subjects {
            let digests = subject.digest.iter().flat_map(|set| set.entries());
            tags.subject.extend(digests.map(|(algorithm, digest)| format!("{algorithm}:{digest}")));
            tags.service.extend(subject.uri.as_deref().and_then(unversioned));
        }
        if Release::reads(predicate_type) {
            tags.release.extend(texts(predicate, &["sealwright_releaseId"]));
            tags.service.extend(texts(predicate, &["purl"]).iter().filter_map(|purl| unversioned(purl)));
        }
        if let Some(name) = predicate_type.strip_prefix(NAMESPACE) {
            tags.add_own(name, predicate_type, predicate);
        }
        tags.sorted()
    }

    /// What our own records name. A type not known here may use the same fields for the same things.
    fn add_own(&mut self, name: &str, predicate_type: &str, predicate: &Value) {
        self.change.extend(texts(predicate, &["changeId"]));
        self.change.extend(texts(predicate, &["changeIds"]));
        self.release.extend(texts(predicate, &["releaseId"]));
        self.environment.extend(texts(predicate, &["environment", "id"]));
        self.service.extend(texts(predicate, &["purl"]).iter().filter_map(|purl| unversioned(purl)));
        let publication = name.starts_with("publication/");
        if publication {
            self.environment.extend(texts(predicate, &["channel", "id"]));
        }
        if predicate_type == Promotion::TYPE {
            self.environment.extend(texts(predicate, &["from", "id"]));
            self.environment.extend(texts(predicate, &["to", "id"]));
        }
        if name.starts_with("exception/") {
            self.add_scope(predicate);
        }
        if publication || predicate_type == Promotion::TYPE || predicate_type == Deployment::TYPE {
            self.decision.extend(texts(predicate, &["decision", "digest", "sha256"]));
        }
    }

    /// What a grant covers that is not among its subjects, such as things not yet built.
    fn add_scope(&mut self, grant: &Value) {
        for uri in texts(grant, &["scope", "services"]) {
            self.service.push(unversioned(&uri).unwrap_or(uri));
        }
        let digests = grant.pointer("/scope/digests").and_then(Value::as_array).into_iter().flatten();
        for (algorithm, digest) in digests.filter_map(Value::as_object).flatten() {
            self.subject.extend(digest.as_str().map(|digest| format!("{algorithm}:{digest}")));
        }
    }

    fn sorted(mut self) -> Self {
        let lists = [
            &mut self.subject,
            &mut self.change,
            &mut self.service,
            &mut self.release,
            &mut self.environment,
            &mut self.decision,
            &mut self.kind,
        ];
        for list in lists {
            list.sort_unstable();
            list.dedup();
        }
        self
    }
}

/// The text, or the texts of the list, at `path`.
fn texts(value: &Value, path: &[&str]) -> Vec<String> {
    match path.iter().try_fold(value, |value, name| value.get(name)) {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The service or package a purl is of: the purl without version, qualifiers and subpath. Nothing if it is no purl.
pub(crate) fn unversioned(uri: &str) -> Option<String> {
    if !uri.starts_with("pkg:") {
        return None;
    }
    let mut purl: PackageUrl<'_> = uri.parse().ok()?;
    purl.without_version();
    purl.clear_qualifiers();
    purl.without_subpath();
    Some(purl.to_string())
}
