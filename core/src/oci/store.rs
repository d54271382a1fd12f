//! Manifests and blobs of a repository, each checked against its digest.

use reqwest::{Method, StatusCode, Url};

use super::manifest::{DOCKER_INDEX, DOCKER_MANIFEST, Descriptor, Document, INDEX, MANIFEST, check_digest};
use super::reference::Reference;
use super::transport::{Access, Answer, Ask, Transport, refused};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A manifest or index as a registry gave it.
pub(super) struct Fetched {
    pub(super) bytes: Vec<u8>,
    pub(super) media_type: String,
    /// The one asked for, or the one its bytes have.
    pub(super) digest: Digest,
    pub(super) document: Document,
}

impl Fetched {
    /// A descriptor that points to it.
    pub(super) fn descriptor(&self) -> Descriptor {
        let mut descriptor = Descriptor::of(&self.media_type, &self.bytes);
        descriptor.digest = self.digest.clone();
        descriptor
    }
}

impl Transport {
    pub(super) fn get(&self, image: &Reference, path: &str, accept: &str, limit: u64) -> Result<Answer> {
        self.get_url(image, self.url(image, path)?, accept, limit)
    }

    pub(super) fn get_url(&self, image: &Reference, url: Url, accept: &str, limit: u64) -> Result<Answer> {
        self.send(image, Access::Pull, &Ask { method: Method::GET, url, accept, content: None, limit })
    }

    /// The manifest or index under a digest or, if `name` is a tag, under that; `None` if there is none.
    pub(super) fn manifest(&self, image: &Reference, name: &str, digest: Option<&Digest>) -> Result<Option<Fetched>> {
        let accept = [MANIFEST, INDEX, DOCKER_MANIFEST, DOCKER_INDEX].join(", ");
        let answer = self.get(image, &format!("manifests/{name}"), &accept, limits::OCI_MANIFEST_BYTES)?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if answer.status != StatusCode::OK {
            return Err(refused(image, answer.status, "the manifest was not given"));
        }
        let digest = match digest {
            Some(digest) => {
                check_digest(digest, &answer.body)?;
                digest.clone()
            }
            None => Digest::sha256(&answer.body),
        };
        let media_type = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let document = Document::parse(&answer.body, media_type).map_err(|e| e.while_doing(image))?;
        Ok(Some(Fetched { media_type: media_type.to_owned(), digest, document, bytes: answer.body }))
    }

    /// The manifest or index under a digest.
    pub(super) fn manifest_at(&self, image: &Reference, digest: &Digest) -> Result<Fetched> {
        self.manifest(image, &digest.to_string(), Some(digest))?
            .ok_or_else(|| refused(image, StatusCode::NOT_FOUND, "there is no such manifest"))
    }

    /// The content of a descriptor.
    pub(super) fn blob(&self, image: &Reference, descriptor: &Descriptor) -> Result<Vec<u8>> {
        if descriptor.size > limits::RECORD_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("`{}` has {} bytes, over {}", descriptor.digest, descriptor.size, limits::RECORD_BYTES),
            )
            .with("limit", limits::RECORD_BYTES));
        }
        let path = format!("blobs/{}", descriptor.digest);
        // a longer answer than promised is refused as soon as it shows
        let answer = self.get(image, &path, "*/*", descriptor.size)?;
        if answer.status != StatusCode::OK {
            return Err(refused(image, answer.status, "the blob was not given"));
        }
        descriptor.check(&answer.body)?;
        Ok(answer.body)
    }

    /// Puts a blob, unless it is there.
    pub(super) fn put_blob(&self, image: &Reference, bytes: &[u8]) -> Result<()> {
        let digest = Digest::sha256(bytes);
        let there = Ask {
            method: Method::HEAD,
            url: self.url(image, &format!("blobs/{digest}"))?,
            accept: "*/*",
            content: None,
            limit: 0,
        };
        if self.send(image, Access::Push, &there)?.status == StatusCode::OK {
            return Ok(());
        }
        let ask = |method, url, content| Ask { method, url, accept: "*/*", content, limit: limits::KEY_BYTES };
        let begin = ask(Method::POST, self.url(image, "blobs/uploads/")?, None);
        let begun = self.send(image, Access::Push, &begin)?;
        if begun.status != StatusCode::ACCEPTED {
            return Err(refused(image, begun.status, "the upload of a blob was not begun"));
        }
        let mut place = self.follow(&begun.url, begun.header("location").unwrap_or_default())?;
        if place.origin() != begin.url.origin() {
            return Err(refused(image, begun.status, "the upload was sent to another host, which is not followed"));
        }
        place.query_pairs_mut().append_pair("digest", &digest.to_string());
        let end = ask(Method::PUT, place, Some(("application/octet-stream", bytes)));
        let ended = self.send(image, Access::Push, &end)?;
        if ended.status != StatusCode::CREATED {
            return Err(refused(image, ended.status, "the blob was not taken"));
        }
        Ok(())
    }

    /// Puts a manifest under `name`, its digest or a tag, byte for byte.
    pub(super) fn put_manifest(&self, image: &Reference, name: &str, media_type: &str, bytes: &[u8]) -> Result<Answer> {
        let url = self.url(image, &format!("manifests/{name}"))?;
        let content = Some((media_type, bytes));
        let ask = Ask { method: Method::PUT, url, accept: "*/*", content, limit: limits::KEY_BYTES };
        let answer = self.send(image, Access::Push, &ask)?;
        if !answer.status.is_success() {
            return Err(refused(image, answer.status, "the manifest was not taken"));
        }
        Ok(answer)
    }
}
