//! What is demanded of a build, by builder calls or as data.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::builder::{self, TrustedBuilder};
use super::{dependency, parameter, version};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};

/// What is demanded of a build, beside who signed and for which artifact, which a
/// [`crate::verifier::Expectation`] demands. What is not demanded is not looked at.
///
/// As data ([`ProvenanceExpectation::from_json`]) the members are those of the struct in lowerCamelCase.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ProvenanceExpectation {
    /// Builders of which one must have built it, each with its signers.
    pub builders: Vec<TrustedBuilder>,
    /// The repository, in any spelling of its address.
    pub source_uri: Option<String>,
    /// The commit in lower-case hex.
    pub source_commit: Option<String>,
    /// The branch that was built, without `refs/heads/`.
    pub source_branch: Option<String>,
    /// The tag that was built, without `refs/tags/`.
    pub source_tag: Option<String>,
    /// The version that was built: `v1` is any tag `v1.*`, `v1.2` any `v1.2.*`. A pre-release must be given in full.
    pub source_versioned_tag: Option<String>,
    /// The event that started it, such as `push`.
    pub trigger: Option<String>,
    /// Whose machine it ran on, such as `github-hosted`.
    pub runner_environment: Option<String>,
    /// Build types of which it must be one.
    pub build_types: Vec<String>,
    /// Inputs of a workflow that was started by hand.
    pub workflow_inputs: BTreeMap<String, String>,
    /// External parameters with their values, by name or JSON pointer (RFC 6901).
    pub parameters: BTreeMap<String, Value>,
    /// The only external parameters there may be, by name or JSON pointer; what lies below them is allowed. Those of
    /// `parameters` are, too.
    pub allowed_parameters: Option<Vec<String>>,
    /// URIs in which each resolved dependency must lie.
    pub dependency_sources: Option<Vec<String>>,
    /// Digests of which each base image must have one; there must be a base image.
    pub base_images: Option<Vec<Digest>>,
    /// Digests of which each image of the build environment must have one; there must be an image.
    pub environment_images: Option<Vec<Digest>>,
    /// No subject may be named by a tag.
    pub refuse_tags: bool,
    /// The tag that people read. It ought to be the commit, whole or its first 7 or more digits; if it is not, that is
    /// a finding and no refusal.
    pub image_tag: Option<String>,
}

impl ProvenanceExpectation {
    /// Demands nothing yet, which [`ProvenanceExpectation::check`] refuses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads what is demanded from JSON.
    ///
    /// # Errors
    /// `MALFORMED`, also for a member that is not known; `API_MISUSE` if it demands nothing, or something that
    /// nothing can meet.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let expectation: Self = json::parse("provenance expectation", bytes)?;
        expectation.validate()?;
        Ok(expectation)
    }

    /// Demands that this builder, or another one demanded in this way, built it.
    #[must_use]
    pub fn require_builder(mut self, builder: TrustedBuilder) -> Self {
        self.builders.push(builder);
        self
    }

    /// Demands the repository.
    #[must_use]
    pub fn require_source(mut self, uri: impl Into<String>) -> Self {
        self.source_uri = Some(uri.into());
        self
    }

    /// Demands the commit, in lower-case hex.
    #[must_use]
    pub fn require_commit(mut self, commit: impl Into<String>) -> Self {
        self.source_commit = Some(commit.into());
        self
    }

    /// Demands that this branch was built.
    #[must_use]
    pub fn require_branch(mut self, branch: impl Into<String>) -> Self {
        self.source_branch = Some(branch.into());
        self
    }

    /// Demands that this tag was built.
    #[must_use]
    pub fn require_tag(mut self, tag: impl Into<String>) -> Self {
        self.source_tag = Some(tag.into());
        self
    }

    /// Demands that a tag of this version was built.
    #[must_use]
    pub fn require_versioned_tag(mut self, version: impl Into<String>) -> Self {
        self.source_versioned_tag = Some(version.into());
        self
    }

    /// Demands the event that started it.
    #[must_use]
    pub fn require_trigger(mut self, trigger: impl Into<String>) -> Self {
        self.trigger = Some(trigger.into());
        self
    }

    /// Demands whose machine it ran on.
    #[must_use]
    pub fn require_runner_environment(mut self, environment: impl Into<String>) -> Self {
        self.runner_environment = Some(environment.into());
        self
    }

    /// Demands this build type, or another one demanded in this way.
    #[must_use]
    pub fn require_build_type(mut self, build_type: impl Into<String>) -> Self {
        self.build_types.push(build_type.into());
        self
    }

    /// Demands an input of a workflow that was started by hand.
    #[must_use]
    pub fn require_workflow_input(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.workflow_inputs.insert(name.into(), value.into());
        self
    }

    /// Demands an external parameter, by name or JSON pointer.
    #[must_use]
    pub fn require_parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Refuses every external parameter that lies neither below one of these nor is demanded.
    #[must_use]
    pub fn allow_parameters<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.allowed_parameters = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Refuses every resolved dependency that lies in none of these.
    #[must_use]
    pub fn allow_dependencies_from<S: Into<String>>(mut self, sources: impl IntoIterator<Item = S>) -> Self {
        self.dependency_sources = Some(sources.into_iter().map(Into::into).collect());
        self
    }

    /// Refuses a base image without one of these digests, and a build that names no base image.
    #[must_use]
    pub fn approve_base_images(mut self, digests: impl IntoIterator<Item = Digest>) -> Self {
        self.base_images = Some(digests.into_iter().collect());
        self
    }

    /// Refuses a build environment made of an image without one of these digests, and a build that names none.
    #[must_use]
    pub fn approve_environment_images(mut self, digests: impl IntoIterator<Item = Digest>) -> Self {
        self.environment_images = Some(digests.into_iter().collect());
        self
    }

    /// Refuses subjects that are named by a tag.
    #[must_use]
    pub fn refuse_tags(mut self) -> Self {
        self.refuse_tags = true;
        self
    }

    /// Compares the tag that people read with the commit; a difference is a finding.
    #[must_use]
    pub fn compare_image_tag(mut self, tag: impl Into<String>) -> Self {
        self.image_tag = Some(tag.into());
        self
    }

    /// Checks that something is demanded, and that it can be met.
    ///
    /// # Errors
    /// `API_MISUSE`.
    pub(super) fn validate(&self) -> Result<()> {
        let findings_only = Self { image_tag: self.image_tag.clone(), ..Self::default() };
        if *self == findings_only {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "nothing is demanded of the build; demand its builder, its source or both",
            ));
        }
        builder::validate(&self.builders)?;
        if let Some(commit) = &self.source_commit {
            Digest::from_hex(Algorithm::GitCommit, commit).map_err(|e| misused("sourceCommit", e.message()))?;
        }
        if let Some(tag) = self.source_versioned_tag.as_deref().filter(|tag| !version::is_version(tag)) {
            let why = format!("`{}` is no version; write it as `v1`, `v1.2` or `v1.2.3`", tag.escape_debug());
            return Err(misused("sourceVersionedTag", &why));
        }
        self.parameters
            .keys()
            .chain(self.allowed_parameters.iter().flatten())
            .try_for_each(|n| parameter::validate(n))?;
        self.dependency_sources.iter().flatten().try_for_each(|s| dependency::validate(s))
    }
}

fn misused(field: &'static str, why: &str) -> Error {
    Error::new(ErrorKind::ApiMisuse, format!("`{field}`: {why}")).with("field", field)
}
