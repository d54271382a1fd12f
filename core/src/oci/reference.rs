//! References to images: `registry/repository[:tag][@digest]` (OCI distribution specification, "Pulling manifests").

use std::fmt;
use std::str::FromStr;

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};

/// Where an image lies in a registry. Only a digest says which image it is; a tag is a name that moves.
///
/// ```
/// use sealwright::oci::Reference;
/// let image: Reference = "registry.example.org:5000/team/app:v1".parse()?;
/// assert_eq!((image.registry(), image.repository()), ("registry.example.org:5000", "team/app"));
/// assert_eq!((image.tag(), image.digest()), (Some("v1"), None));
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// What stands for Docker Hub, which names without a registry are of.
const DOCKER_HUB: &str = "docker.io";

impl Reference {
    /// The registry's host, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one is named.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if one is named.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository by digest, without a tag.
    #[must_use]
    pub fn at(&self, digest: &Digest) -> Self {
        let (registry, repository) = (self.registry.clone(), self.repository.clone());
        Self { registry, repository, tag: None, digest: Some(digest.clone()) }
    }

    /// The digest, which must be named.
    ///
    /// # Errors
    /// `API_MISUSE` if it is not.
    pub(super) fn pinned(&self) -> Result<&Digest> {
        self.digest.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::ApiMisuse,
                format!(
                    "`{self}` names no digest, and a tag may be moved; resolve it once, and name the image by \
                     `@sha256:…`"
                ),
            )
        })
    }

    /// The host that answers for the registry.
    pub(super) fn host(&self) -> &str {
        if self.registry == DOCKER_HUB { "registry-1.docker.io" } else { &self.registry }
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let malformed = || {
            Error::new(
                ErrorKind::Malformed,
                format!(
                    "`{}` is no image; write `registry/repository@sha256:<hex>`, or with a tag to look it up",
                    text.escape_debug()
                ),
            )
        };
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>()?)),
            None => (text, None),
        };
        if digest.as_ref().is_some_and(|d| !matches!(d.algorithm(), Algorithm::Sha256 | Algorithm::Sha512)) {
            return Err(malformed());
        }
        let (name, tag) = match rest.rsplit_once(':') {
            // a colon before a slash belongs to the port
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
            _ => (rest, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path.to_owned()),
            Some(_) => (DOCKER_HUB, name.to_owned()),
            None => (DOCKER_HUB, format!("library/{name}")),
        };
        if !is_host(registry) || !is_repository(&path) || !tag.is_none_or(is_tag) {
            return Err(malformed());
        }
        Ok(Self { registry: registry.to_owned(), repository: path, tag: tag.map(str::to_owned), digest })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

fn is_host(host: &str) -> bool {
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let letters = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(letters)
        && name.split('.').all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
        && port.is_none_or(|port| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/…)*`
fn is_repository(path: &str) -> bool {
    let component = |text: &str| {
        let separators = text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        let plain = |s: &str| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-');
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        edge(text.chars().next()) && edge(text.chars().next_back()) && separators.into_iter().all(plain)
    };
    path.len() <= 255 && path.split('/').all(component)
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
fn is_tag(tag: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128 && tag.bytes().next().is_some_and(word) && tag.bytes().all(|b| word(b) || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_written() {
        let hex = "0".repeat(64);
        for (text, written) in [
            ("ghcr.io/a/b:v1".to_owned(), "ghcr.io/a/b:v1".to_owned()),
            ("localhost/a".to_owned(), "localhost/a".to_owned()),
            ("127.0.0.1:5000/a".to_owned(), "127.0.0.1:5000/a".to_owned()),
            ("busybox".to_owned(), "docker.io/library/busybox".to_owned()),
            ("me/app:1.0-rc_1".to_owned(), "docker.io/me/app:1.0-rc_1".to_owned()),
            (format!("r.example:1/a__b/c--d.e:T@sha256:{hex}"), format!("r.example:1/a__b/c--d.e:T@sha256:{hex}")),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), written);
            assert_eq!(written.parse::<Reference>().unwrap(), reference);
        }
    }

    #[test]
    fn what_is_no_reference_is_malformed() {
        for text in [
            "",
            "/",
            "r.example/",
            "r.example//a",
            "r.example/A",
            "r.example/a:",
            "r.example/a:.x",
            "r.example/../a",
            "r.example/a_-b",
            "r.example/a?x=1",
            "r.example/a b",
            "r.example:port/a",
            "r.example:99999/a",
            "user@r.example/a",
            "-x.example/a",
            "r..example/a",
            "r.example/a@sha256:00",
            "r.example/a@gitCommit:d20ace7968ba43c0219f62d71334c1095bab1602",
            "http://r.example/a",
        ] {
            assert!(text.parse::<Reference>().is_err(), "{text}");
        }
    }
}
