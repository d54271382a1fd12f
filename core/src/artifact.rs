//! What evidence is about: the in-toto ResourceDescriptor, matched by digest alone.

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

/// An in-toto ResourceDescriptor (in-toto/attestation spec/v1/resource_descriptor.md).
///
/// Needs at least one of `uri`, `digest` and `content`. A name or a URI never identifies it; digests do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceDescriptor {
    /// Label for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Global name, such as a purl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<DigestSet>,
    /// The resource itself, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Where to get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub download_location: Option<String>,
    /// Media type of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<serde_json::Map<String, Value>>,
}

impl ResourceDescriptor {
    /// A resource known by digests.
    pub fn of(digest: impl Into<DigestSet>) -> Self {
        Self { digest: Some(digest.into()), ..Self::default() }
    }

    /// A resource known by a URI alone.
    pub fn at(uri: impl Into<String>) -> Self {
        Self { uri: Some(uri.into()), ..Self::default() }
    }

    /// Sets the label for people.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets the global name, such as a purl.
    #[must_use]
    pub fn with_uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = Some(uri.into());
        self
    }

    /// Sets the media type.
    #[must_use]
    pub fn with_media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// Whether it has `digest`.
    pub fn has(&self, digest: &Digest) -> bool {
        self.digest.as_ref().is_some_and(|set| set.contains(digest))
    }

    /// Its digests of known algorithms.
    pub fn digests(&self) -> impl Iterator<Item = Digest> + '_ {
        self.digest.iter().flat_map(DigestSet::known)
    }

    /// Checks that it can stand for something; `what` names it in the error.
    ///
    /// # Errors
    /// `MALFORMED` if it has neither `uri`, `digest` nor `content`.
    pub fn validate(&self, what: &str) -> Result<()> {
        if self.uri.is_none() && self.digest.is_none() && self.content.is_none() {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("{what} has no `uri`, `digest` or `content`; give it one of them"),
            ));
        }
        Ok(())
    }
}
