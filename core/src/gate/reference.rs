//! How a caller names an artifact. Only a digest decides; what a tag names can change at any moment.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};

/// An artifact as the caller names it: `sha256:<hex>`, `name@sha256:<hex>`, or something without a digest, which no
/// gate lets pass (EV-ART-001).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArtifactReference {
    text: String,
    digest: Option<Digest>,
}

impl ArtifactReference {
    /// An artifact by its digest.
    ///
    /// # Errors
    /// `UNSUPPORTED` for another algorithm than SHA-256, by which environments name what they run.
    pub fn of(digest: Digest) -> Result<Self> {
        if digest.algorithm() != Algorithm::Sha256 {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("a gate compares artifacts by sha256, found `{digest}`; give the SHA-256 of the artifact"),
            ));
        }
        Ok(Self { text: digest.to_string(), digest: Some(digest) })
    }

    /// The digest, if it has one and nothing else that could name another artifact.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The subject of a decision about it. Without a digest it is the reference itself, as a thing without bytes.
    pub(super) fn subject(&self, purl: Option<&str>) -> ResourceDescriptor {
        let digest = self.digest.clone().unwrap_or_else(|| Digest::of_uri(&self.text));
        let subject = ResourceDescriptor::of(digest).named(&self.text);
        match purl {
            Some(purl) => subject.with_uri(purl),
            None => subject,
        }
    }
}

impl FromStr for ArtifactReference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > 4096 || text.chars().any(char::is_control) {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` names no artifact; write `sha256:<hex>` or `name@sha256:<hex>`", text.escape_debug()),
            ));
        }
        let (name, digest) = match text.rsplit_once('@') {
            Some((name, digest)) => (name, digest),
            None => ("", text),
        };
        // a tag beside the digest is a second name that may mean another artifact, so it decides nothing and neither
        // does the digest beside it
        let tagged = name.rsplit('/').next().is_some_and(|last| last.contains(':'));
        let digest = match digest.parse::<Digest>() {
            Ok(digest) if digest.algorithm() == Algorithm::Sha256 && !tagged => Some(digest),
            _ => None,
        };
        Ok(Self { text: text.to_owned(), digest })
    }
}

impl<'de> Deserialize<'de> for ArtifactReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for ArtifactReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s017_tags_alone_and_beside_a_digest_decide_nothing() {
        let hex = Digest::sha256(b"artifact").hex();
        let decided = |text: &str| text.parse::<ArtifactReference>().unwrap().digest().map(Digest::hex);
        for tag in ["latest", "v1", "registry.example:5000/app:v1", "app:v1@sha256:00", "sha256:abc", "md5:00"] {
            assert_eq!(decided(tag), None, "{tag}");
        }
        assert_eq!(decided(&format!("registry.example:5000/app:v1@sha256:{hex}")), None);
        assert_eq!(decided(&format!("registry.example:5000/app@sha256:{hex}")), Some(hex.clone()));
        assert_eq!(decided(&format!("sha256:{hex}")), Some(hex));
    }
}
