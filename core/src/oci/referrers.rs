//! Which manifests refer to an image: by the referrers API, and by the tag that stands in for it (OCI distribution
//! specification v1.1, "Listing Referrers" and "Referrers Tag Schema").

use std::time::Duration;

use reqwest::StatusCode;

use super::manifest::{Descriptor, Document, INDEX, Index};
use super::reference::Reference;
use super::transport::{Transport, refused};
use crate::digest::Digest;
use crate::error::{Error, ErrorClass, ErrorKind, Result};
use crate::{json, limits};

/// How often the list under the tag is looked at and written, until an entry stays in it.
const ATTEMPTS: usize = 24;
/// Longer than others take from reading the list to writing it.
const SETTLED: Duration = Duration::from_millis(400);

/// The tag that lists the referrers of a digest where there is no API for it.
pub(super) fn fallback_tag(digest: &Digest) -> String {
    // a tag has at most 128 characters
    digest.to_string().replace(':', "-").chars().take(128).collect()
}

impl Transport {
    /// What refers to the image, by API and by tag: a registry may have learned the API after it was written to. What
    /// lies under the tag and is no list is told as an error beside the rest.
    pub(super) fn referrers(&self, image: &Reference, digest: &Digest) -> Result<(Vec<Descriptor>, Option<Error>)> {
        let mut found = self.referrers_by_api(image, digest)?.unwrap_or_default();
        let (by_tag, error) = match self.fallback(image, digest) {
            Ok(index) => (index.map(|index| index.manifests).unwrap_or_default(), None),
            Err(error) if error.kind().class() == ErrorClass::InvalidInput => (Vec::new(), Some(error)),
            Err(error) => return Err(error),
        };
        for descriptor in by_tag {
            if !found.iter().any(|other| other.digest == descriptor.digest) {
                found.push(descriptor);
            }
        }
        bounded(found.len())?;
        Ok((found, error))
    }

    /// The list of the API; `None` if the registry has none.
    fn referrers_by_api(&self, image: &Reference, digest: &Digest) -> Result<Option<Vec<Descriptor>>> {
        let mut found = Vec::new();
        let mut url = self.url(image, &format!("referrers/{digest}"))?;
        for page in 0..limits::OCI_PAGES {
            let answer = self.get_url(image, url, INDEX, limits::OCI_MANIFEST_BYTES)?;
            let media_type = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
            if page == 0
                && (answer.status == StatusCode::NOT_FOUND || (answer.status.is_success() && media_type != INDEX))
            {
                return Ok(None);
            }
            if answer.status != StatusCode::OK {
                return Err(refused(image, answer.status, "the list of referrers was not given"));
            }
            let Document::Index(index) = Document::parse(&answer.body, media_type)? else {
                return Err(Error::new(ErrorKind::Malformed, "the list of referrers is no index; see who serves it"));
            };
            found.extend(index.manifests);
            bounded(found.len())?;
            match answer.header("link").and_then(next) {
                Some(link) => url = self.follow(&answer.url, link)?,
                None => return Ok(Some(found)),
            }
        }
        Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("the list of referrers has over {} pages; see what is wrong with the registry", limits::OCI_PAGES),
        )
        .with("limit", limits::OCI_PAGES))
    }

    /// The index under the tag.
    fn fallback(&self, image: &Reference, digest: &Digest) -> Result<Option<Index>> {
        let tag = fallback_tag(digest);
        match self.manifest(image, &tag, None)?.map(|fetched| fetched.document) {
            Some(Document::Index(index)) => Ok(Some(index)),
            Some(Document::Manifest(_)) => Err(Error::new(
                ErrorKind::Malformed,
                format!("the tag `{tag}` must list referrers, and is an image; remove it if it is of no other use"),
            )),
            None => Ok(None),
        }
    }

    /// Adds `entry` to the index under the tag.
    ///
    /// A registry has no way to write only if nobody else has. So each writer looks twice whether its entry is still
    /// there, with a pause in which a slower writer who had read before would have written, and writes again if it is not.
    pub(super) fn add_to_fallback(&self, image: &Reference, digest: &Digest, entry: &Descriptor) -> Result<()> {
        let mut seen = 0;
        for attempt in 0..ATTEMPTS {
            let mut index = self.fallback(image, digest)?.unwrap_or_else(|| Index {
                schema_version: 2,
                media_type: Some(INDEX.to_owned()),
                artifact_type: None,
                manifests: Vec::new(),
                subject: None,
                annotations: None,
            });
            if index.manifests.iter().any(|other| other.digest == entry.digest) {
                seen += 1;
                // what was there before anything was written has settled
                if attempt == 0 || seen == 2 {
                    return Ok(());
                }
                std::thread::sleep(SETTLED);
                continue;
            }
            seen = 0;
            index.manifests.push(entry.clone());
            bounded(index.manifests.len())?;
            let bytes = json::canonical("index", &index)?;
            let media_type = index.media_type.as_deref().unwrap_or(INDEX);
            self.put_manifest(image, &fallback_tag(digest), media_type, &bytes)?;
            // writers wait differently long, by what they add
            let jitter = u64::from(entry.digest.bytes().first().copied().unwrap_or_default());
            std::thread::sleep(Duration::from_millis(20 + jitter));
        }
        Err(Error::new(
            ErrorKind::ServiceUnavailable,
            format!("the list of referrers of `{image}` is being rewritten by others all the time; try again"),
        ))
    }
}

/// The target of `<…>; rel="next"`.
fn next(link: &str) -> Option<&str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    (parameters.contains("rel=\"next\"") || parameters.contains("rel=next")).then_some(target)
}

fn bounded(entries: usize) -> Result<()> {
    if entries <= limits::OCI_ENTRIES {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::LimitExceeded,
        format!("over {} manifests refer to the image; remove what nobody needs", limits::OCI_ENTRIES),
    )
    .with("limit", limits::OCI_ENTRIES))
}
