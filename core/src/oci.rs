//! Bundles beside the image they are about, in its OCI registry (distribution and image specifications v1.1).
//!
//! A bundle is stored as cosign stores it: a manifest of its own whose `subject` is the image, found by the referrers API,
//! or by the tag `sha256-<hex>` where a registry has none. What a registry gives is checked against its digest and
//! otherwise not believed: a bundle becomes evidence by [`crate::verifier`] alone, with the digest of the image.
//!
//! An index and the images of its platforms are different artifacts with different digests. Nothing here takes one for
//! the other; [`Resolved::link`] says how they hang together.

mod access;
mod bundles;
mod legacy;
mod manifest;
mod reference;
mod referrers;
mod store;
mod transport;

use serde::Serialize;

pub use self::access::Credentials;
pub use self::bundles::{Bundles, Found, Place, Unreadable};
pub use self::legacy::signed_image;
use self::manifest::Document;
pub use self::manifest::{Annotations, Platform, check_manifest};
pub use self::reference::Reference;
use self::store::Fetched;
pub use self::transport::PlainHttp;
use self::transport::Transport;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};

/// A way to registries, with the credentials for one of them.
///
/// Calls block, on a runtime of its own; they may not be made within an async runtime. No proxy is used.
pub struct Registry {
    transport: Transport,
}

/// What a reference stands for at the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Resolved {
    /// The digest, by which to go on.
    pub digest: Digest,
    /// Media type of the manifest.
    pub media_type: String,
    /// What it is.
    pub kind: Kind,
}

/// What lies under a digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Kind {
    /// One image, or another artifact.
    Manifest,
    /// An index of several, each an artifact of its own.
    Index {
        /// What it lists.
        members: Vec<Member>,
    },
}

/// What an index lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Member {
    /// Its own digest.
    pub digest: Digest,
    /// What it runs on, if the index says so.
    pub platform: Option<Platform>,
    /// Media type of its manifest.
    pub media_type: String,
}

/// That an index lists an image: evidence about one is none about the other, but for what says that it is about both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Link {
    /// Digest of the index.
    pub index: Digest,
    /// Digest of the image.
    pub member: Digest,
    /// What the image runs on, as the index says.
    pub platform: Option<Platform>,
}

impl Registry {
    /// Speaks to registries with `credentials`, and without TLS only where `plain` says.
    ///
    /// # Errors
    /// `INTERNAL` if the machine gives no runtime or no trusted certificates.
    pub fn new(credentials: Credentials, plain: PlainHttp) -> Result<Self> {
        Ok(Self { transport: Transport::new(credentials, plain)? })
    }

    /// Speaks to registries as JSON says: with `user` and `password`, with `token`, or with what `dockerConfig` (the text
    /// of a Docker configuration file) holds for `registry`; else with no credentials. `plainHttpUnsafe` allows plain HTTP
    /// to every registry.
    ///
    /// # Errors
    /// `MALFORMED`, also for something that is not known, and for credentials that are not whole or of two kinds; those of
    /// [`Credentials::from_docker_config`] and [`Registry::new`].
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let (credentials, plain) = access::from_json(bytes)?;
        Self::new(credentials, plain)
    }

    /// Looks up what a reference stands for. A tag is looked up now; go on with the digest found.
    ///
    /// # Errors
    /// `API_MISUSE` if it names neither a tag nor a digest; `NOT_FOUND`; `DIGEST_MISMATCH` if the content differs from the
    /// digest, or the tag stands for another digest than the one named beside it; `MALFORMED`, `UNSUPPORTED` for what is
    /// no image; `PERMISSION_DENIED`, `SERVICE_UNAVAILABLE`, `LIMIT_EXCEEDED` for what the registry does.
    pub fn resolve(&self, image: &Reference) -> Result<Resolved> {
        let fetched = match (image.tag(), image.digest()) {
            (None, None) => {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    format!("`{image}` names neither a tag nor a digest; add `@sha256:…`, or the tag to look up"),
                ));
            }
            (None, Some(digest)) => self.transport.manifest_at(image, digest)?,
            (Some(tag), digest) => {
                let fetched = self.transport.manifest(image, tag, None)?.ok_or_else(|| {
                    Error::new(ErrorKind::NotFound, format!("there is no `{image}`; check the name and the tag"))
                })?;
                if let Some(digest) = digest {
                    manifest::check_digest(digest, &fetched.bytes)
                        .map_err(|e| e.while_doing(format_args!("the tag `{tag}` stands for another image")))?;
                }
                fetched
            }
        };
        Ok(resolved(fetched))
    }
}

impl Resolved {
    /// How the index and one of its members hang together.
    ///
    /// # Errors
    /// `EXPECTATION_UNMET` if this is no index, or does not list `member`.
    pub fn link(&self, member: &Digest) -> Result<Link> {
        let members = match &self.kind {
            Kind::Index { members } => members.as_slice(),
            Kind::Manifest => &[],
        };
        match members.iter().find(|m| m.digest == *member) {
            Some(found) => {
                Ok(Link { index: self.digest.clone(), member: member.clone(), platform: found.platform.clone() })
            }
            None => Err(Error::new(
                ErrorKind::ExpectationUnmet,
                format!("`{}` is no index that lists `{member}`; check which of the two is meant", self.digest),
            )
            .with("expected", member)
            .with("found", &self.digest)),
        }
    }
}

fn resolved(fetched: Fetched) -> Resolved {
    let kind = match fetched.document {
        Document::Manifest(_) => Kind::Manifest,
        Document::Index(index) => {
            let member =
                |d: manifest::Descriptor| Member { digest: d.digest, platform: d.platform, media_type: d.media_type };
            Kind::Index { members: index.manifests.into_iter().map(member).collect() }
        }
    };
    Resolved { digest: fetched.digest, media_type: fetched.media_type, kind }
}
