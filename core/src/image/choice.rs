//! Which image of several is meant.

use std::collections::BTreeSet;

use super::Chosen;
use super::manifest::Platform;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};

/// What an image is told apart by; whatever is given must hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    /// Digest of its manifest, of an index that lists it, or its id in an archive of Docker.
    pub(crate) digest: Option<Digest>,
    /// Its tag, or all of its reference.
    pub(crate) tag: Option<String>,
    pub(crate) platform: Option<PlatformName>,
}

/// A platform as people write it: `os/architecture`, or `os/architecture/variant`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlatformName(Platform);

impl std::str::FromStr for PlatformName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts.as_slice() {
            [os, architecture, variant @ ..] if variant.len() <= 1 && parts.iter().all(|part| !part.is_empty()) => {
                Ok(Self(Platform {
                    os: (*os).to_owned(),
                    architecture: (*architecture).to_owned(),
                    variant: variant.first().map(|variant| (*variant).to_owned()),
                }))
            }
            _ => Err(Error::new(
                ErrorKind::Malformed,
                format!("`{}` is no platform; write it as `linux/amd64` or `linux/arm/v7`", text.escape_debug()),
            )),
        }
    }
}

impl PlatformName {
    /// Whether `platform` is what is asked for; a variant need not be asked for.
    pub(super) fn is(&self, platform: &Platform) -> bool {
        let Self(asked) = self;
        asked.os == platform.os
            && asked.architecture == platform.architecture
            && (asked.variant.is_none() || asked.variant == platform.variant)
    }
}

impl Choice {
    /// Whether the digest asked for is one of these, of an image and of what lists it.
    pub(super) fn has_digest<'a>(&self, mut digests: impl Iterator<Item = &'a Digest>) -> bool {
        self.digest.as_ref().is_none_or(|asked| digests.any(|digest| digest == asked))
    }

    /// Whether the tag asked for is one of these names, or the tag of one.
    pub(super) fn has_tag(&self, names: &BTreeSet<String>) -> bool {
        let Some(asked) = &self.tag else { return true };
        names.iter().any(|name| name == asked || tag_of(name) == Some(asked))
    }

    /// The only image of `found`, which meet what is asked for.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, `API_MISUSE` if there are several: `listed` are all there are.
    pub(super) fn only(&self, mut found: Vec<Chosen>, listed: &BTreeSet<String>) -> Result<Chosen> {
        let shown = || listed.iter().take(20).map(|line| format!("\n  {line}")).collect::<String>();
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("there are several images, name one by digest, tag or platform:{}", shown()),
            )),
            (None, _) => Err(Error::new(
                ErrorKind::NotFound,
                format!("there is no such image whose manifest and config are there; there are:{}", shown()),
            )),
        }
    }
}

/// The tag of a reference.
pub(super) fn tag_of(reference: &str) -> Option<&str> {
    let (name, tag) = reference.split('@').next()?.rsplit_once(':')?;
    // what follows a colon may also be the port of a registry without a tag
    (!name.is_empty() && !tag.contains('/')).then_some(tag)
}

/// How a person sees an image in a list.
pub(super) fn line(digest: &Digest, platform: Option<&Platform>, names: &BTreeSet<String>) -> String {
    let platform = platform.map(|p| {
        let variant = p.variant.as_ref().map(|v| format!("/{v}")).unwrap_or_default();
        format!(" {}/{}{variant}", p.os, p.architecture)
    });
    let names = names.iter().take(4).map(|name| format!(" {}", name.escape_debug())).collect::<String>();
    format!("`{digest}{}{names}`", platform.unwrap_or_default())
}
