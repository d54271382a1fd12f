//! Where a build took its source from: a Git repository, a ref in it, and the commit it meant.

use serde::Serialize;

use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest, DigestSet};

/// A source, in one spelling whatever the builder wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Source {
    /// The repository as `git+https://host/path`, without user, `.git`, ref and query; another URI as it is.
    pub repository: String,
    /// The ref, such as `refs/tags/v1.2.3`, if the builder named one.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The commit in lower-case hex, if the builder named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl Source {
    /// The source at `uri`, such as `git+https://github.com/octo/app@refs/heads/main`, of these digests.
    pub fn new(uri: &str, digests: Option<&DigestSet>) -> Self {
        let (repository, reference) = split(uri);
        Self { repository, reference, commit: digests.and_then(commit) }
    }

    pub(super) fn of(resource: &ResourceDescriptor) -> Option<Self> {
        resource.uri.as_deref().map(|uri| Self::new(uri, resource.digest.as_ref()))
    }

    /// The branch, if the ref is one.
    pub fn branch(&self) -> Option<&str> {
        self.reference.as_deref()?.strip_prefix("refs/heads/")
    }

    /// The tag, if the ref is one.
    pub fn tag(&self) -> Option<&str> {
        self.reference.as_deref()?.strip_prefix("refs/tags/")
    }
}

/// The commit of a digest set: `gitCommit`, or `sha1` as builders of v0.2 wrote it.
fn commit(digests: &DigestSet) -> Option<String> {
    digests.get(Algorithm::GitCommit).map(|d| d.hex()).or_else(|| {
        let (_, hex) = digests.entries().find(|(name, _)| *name == "sha1")?;
        Digest::from_hex(Algorithm::GitCommit, hex).ok().map(|d| d.hex())
    })
}

/// The repository of a Git address in one spelling, and the ref behind `@` or `#`.
///
/// `github.com/octo/app`, `https://github.com/octo/app.git`, `git@github.com:octo/app` and
/// `git+https://github.com/octo/app@refs/heads/main` name the same repository. User and password are left out.
pub(super) fn split(uri: &str) -> (String, Option<String>) {
    let bare = uri.strip_prefix("git+").unwrap_or(uri);
    let (scheme, rest) = match bare.split_once("://") {
        Some((scheme @ ("https" | "http" | "ssh" | "git"), rest)) => (scheme, rest.to_owned()),
        Some(_) => return (uri.to_owned(), None),
        None => match bare.split_once(':') {
            Some((host, path)) if host.contains('@') && !host.contains('/') => ("ssh", format!("{host}/{path}")),
            Some((head, _)) if !head.contains('/') => return (uri.to_owned(), None),
            _ => ("https", bare.to_owned()),
        },
    };
    let (host, path) = rest.split_once('/').unwrap_or((&rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let end = path.find(['@', '#', '?']).unwrap_or(path.len());
    let (path, tail) = path.split_at(end);
    let reference = tail.strip_prefix(['@', '#']).filter(|r| !r.is_empty()).map(str::to_owned);
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    // who fetched over ssh or git meant the same repository; plain http is another promise, and stays
    let scheme = if scheme == "http" { "http" } else { "https" };
    (format!("git+{scheme}://{host}/{path}"), reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_repository_has_one_spelling() {
        for uri in [
            "github.com/octo/app",
            "https://github.com/octo/app",
            "https://ann:secret@github.com/octo/app.git",
            "git+https://github.com/octo/app@refs/heads/main",
            "git@github.com:octo/app.git",
            "ssh://git@github.com/octo/app/",
            "https://github.com/octo/app.git#refs/heads/main",
        ] {
            assert_eq!(split(uri).0, "git+https://github.com/octo/app", "{uri}");
        }
        for other in
            ["github.com/octo/app2", "github.com/octo", "github.com.evil/octo/app", "http://github.com/octo/app"]
        {
            assert_ne!(split(other).0, "git+https://github.com/octo/app", "{other}");
        }
        assert_eq!(split("pkg:npm/left@1").0, "pkg:npm/left@1");
    }

    #[test]
    fn the_ref_says_branch_or_tag_and_nothing_else_does() {
        let of = |uri: &str| Source::new(uri, None);
        assert_eq!(of("git+https://h/r@refs/tags/v1").tag(), Some("v1"));
        assert_eq!(of("git+https://h/r@refs/heads/a@b").branch(), Some("a@b"));
        let bare = of("git+https://h/r@main");
        assert_eq!((bare.branch(), bare.tag(), bare.reference.as_deref()), (None, None, Some("main")));
    }
}
