//! Manifests, indexes and descriptors (OCI image specification v1.1), read strictly: what two readers could take for two
//! things is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Annotations of a manifest or descriptor. They are unauthenticated: whoever may write to the registry sets them.
pub type Annotations = BTreeMap<String, String>;

/// What points to content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Annotations>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<Platform>,
}

/// What an image of an index runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Platform {
    /// Architecture, such as `amd64`.
    pub architecture: String,
    /// Operating system, such as `linux`.
    pub os: String,
    /// Variant of the architecture, such as `v7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Annotations>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub(crate) schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    pub(crate) manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) annotations: Option<Annotations>,
}

/// One or the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Document {
    Manifest(Manifest),
    Index(Index),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: u32,
    media_type: Option<String>,
    layers: Option<serde::de::IgnoredAny>,
    config: Option<serde::de::IgnoredAny>,
    manifests: Option<serde::de::IgnoredAny>,
}

impl Document {
    /// Reads a manifest or an index. `media_type` is what the registry called it, or what pointed to it.
    pub(crate) fn parse(bytes: &[u8], media_type: &str) -> Result<Self> {
        let shape: Shape = json::parse("manifest", bytes)?;
        if shape.schema_version != 2 {
            return Err(unsupported(format!("the manifest has schema version {}, expected 2", shape.schema_version)));
        }
        if shape.manifests.is_some() && (shape.layers.is_some() || shape.config.is_some()) {
            return Err(malformed("this is both a manifest and an index, and could be taken for either"));
        }
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if let Some(own) = shape.media_type.as_deref().filter(|own| *own != media_type) {
            return Err(malformed(format!("the manifest calls itself `{own}`, and was called `{media_type}`")));
        }
        match media_type {
            MANIFEST | DOCKER_MANIFEST => {
                let manifest: Manifest = json::parse("manifest", bytes)?;
                bounded(manifest.layers.len())?;
                Ok(Self::Manifest(manifest))
            }
            INDEX | DOCKER_INDEX => {
                let index: Index = json::parse("index", bytes)?;
                bounded(index.manifests.len())?;
                Ok(Self::Index(index))
            }
            other => Err(unsupported(format!("`{other}` is neither an image manifest nor an index"))),
        }
    }
}

/// Reads a manifest or an index that nothing has named a media type for.
pub(crate) fn guess(bytes: &[u8]) -> Result<Document> {
    let shape: Shape = json::parse("manifest", bytes)?;
    let guess = if shape.manifests.is_some() { INDEX } else { MANIFEST };
    Document::parse(bytes, shape.media_type.as_deref().unwrap_or(guess))
}

fn bounded(entries: usize) -> Result<()> {
    if entries <= limits::OCI_ENTRIES {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LimitExceeded,
        format!("the manifest has {entries} entries, over {}; it is no image of ours", limits::OCI_ENTRIES),
    )
    .with("limit", limits::OCI_ENTRIES))
}

fn malformed(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Malformed, message)
}

fn unsupported(message: String) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> serde_json::Value {
        let config = serde_json::json!({ "mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::sha256(b"{}"), "size": 2 });
        serde_json::json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [] })
    }

    fn code(value: &serde_json::Value, media_type: &str) -> &'static str {
        Document::parse(value.to_string().as_bytes(), media_type).map_or_else(|e| e.code(), |_| "")
    }

    #[test]
    fn a_manifest_that_could_be_an_index_is_refused() {
        let mut both = manifest();
        both["manifests"] = serde_json::json!([]);
        assert_eq!(code(&both, MANIFEST), "MALFORMED");
        both.as_object_mut().unwrap().remove("mediaType");
        assert_eq!(code(&both, MANIFEST), "MALFORMED");
        assert_eq!(code(&both, INDEX), "MALFORMED");
        assert_eq!(code(&manifest(), INDEX), "MALFORMED", "called an index, calls itself a manifest");
        assert_eq!(code(&manifest(), MANIFEST), "");
        assert_eq!(code(&manifest(), &format!("{MANIFEST}; charset=utf-8")), "");
    }

    #[test]
    fn other_schemas_and_media_types_are_unsupported() {
        let mut old = manifest();
        old["schemaVersion"] = 1.into();
        assert_eq!(code(&old, MANIFEST), "UNSUPPORTED");
        let mut other = manifest();
        other["mediaType"] = "text/html".into();
        assert_eq!(code(&other, "text/html"), "UNSUPPORTED");
        let mut digest = manifest();
        digest["config"]["digest"] = "md5:d41d8cd98f00b204e9800998ecf8427e".into();
        assert_eq!(code(&digest, MANIFEST), "MALFORMED");
    }
}
