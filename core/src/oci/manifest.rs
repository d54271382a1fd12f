//! Manifests as a registry takes and gives them.

pub(super) use crate::image::manifest::{
    DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, Document, INDEX, Index, MANIFEST, Manifest,
};
pub use crate::image::{Annotations, Platform};

use crate::digest::{Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::image::manifest;

/// The config of an artifact that has none, `{}`.
pub(super) const EMPTY: &str = "application/vnd.oci.empty.v1+json";

impl Descriptor {
    pub(super) fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::sha256(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: None,
            platform: None,
        }
    }

    /// Checks that `bytes` are what it points to.
    pub(super) fn check(&self, bytes: &[u8]) -> Result<()> {
        check_digest(&self.digest, bytes)?;
        if self.size != bytes.len() as u64 {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` has {} bytes, and is said to have {}", self.digest, bytes.len(), self.size),
            ));
        }
        Ok(())
    }
}

/// Checks that `bytes` have `digest`, whatever the registry says they have.
pub(super) fn check_digest(digest: &Digest, mut bytes: &[u8]) -> Result<()> {
    let found = DigestSet::of_reader(&mut bytes, &[digest.algorithm()])?;
    if found.contains(digest) {
        return Ok(());
    }
    let found = found.get(digest.algorithm()).map(|d| d.to_string()).unwrap_or_default();
    Err(Error::new(
        ErrorKind::DigestMismatch,
        format!("the registry was asked for `{digest}` and gave `{found}`; do not use it, and see who serves it"),
    )
    .with("expected", digest)
    .with("found", found))
}

/// Reads a manifest or an index as a registry would give it, for tests of hostile input.
///
/// # Errors
/// `MALFORMED`, `UNSUPPORTED` or `LIMIT_EXCEEDED` if it is neither.
pub fn check_manifest(bytes: &[u8]) -> Result<()> {
    manifest::guess(bytes).map(|_| ())
}
