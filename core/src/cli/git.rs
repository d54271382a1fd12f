//! What `git` says of a revision.

use std::path::Path;
use std::process::Command;

use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};

/// A commit with its tree, and the repository it is from.
pub(crate) struct Revision {
    commit: Digest,
    tree: Digest,
    repository: String,
}

impl Revision {
    /// Asks `git` for a revision of the repository in `folder`, called `uri` or by its `origin`.
    pub(crate) fn read(folder: &Path, revision: &str, uri: Option<&str>) -> Result<Self> {
        let resolve =
            |kind: &str| git(folder, &["rev-parse", "--verify", "--end-of-options", &format!("{revision}^{{{kind}}}")]);
        let repository = match uri {
            Some(uri) => uri.to_owned(),
            None => repository_uri(&git(folder, &["remote", "get-url", "origin"])?)?,
        };
        Ok(Self {
            commit: Digest::from_hex(Algorithm::GitCommit, &resolve("commit")?)?,
            tree: Digest::from_hex(Algorithm::GitTree, &resolve("tree")?)?,
            repository,
        })
    }

    /// The revision as a subject: commit and tree.
    pub(crate) fn descriptor(&self) -> Result<ResourceDescriptor> {
        let digests = DigestSet::new([self.commit.clone(), self.tree.clone()])?;
        Ok(ResourceDescriptor::of(digests).with_uri(&self.repository))
    }

    /// The commit as the source of a build.
    pub(crate) fn source(&self) -> ResourceDescriptor {
        ResourceDescriptor::of(self.commit.clone()).with_uri(&self.repository).named("source")
    }
}

/// A remote as a URI, without user or password.
pub(crate) fn repository_uri(remote: &str) -> Result<String> {
    let rest = match remote.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => Some(rest.to_owned()),
        None if remote.contains('@') => Some(remote.replacen(':', "/", 1)),
        _ => None,
    };
    let rest = rest.ok_or_else(|| {
        Error::new(
            ErrorKind::ApiMisuse,
            "the `origin` of the repository is no address that others could use; name it with `--repository-uri`",
        )
    })?;
    let (host, path) = rest.split_once('/').unwrap_or((&rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Ok(format!("git+https://{host}/{}", path.trim_end_matches(".git")))
}

/// What `git` prints for these arguments.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().map_err(|e| {
        Error::new(ErrorKind::NotFound, format!("could not run `git`: {e}; install it, or give the digests yourself"))
            .caused_by(e)
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "`git {}` found nothing in `{}`: {}; check the folder and the revision",
                arguments.join(" "),
                folder.display(),
                said.trim()
            ),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_named_without_the_secrets_of_its_remote() {
        for remote in [
            "https://ann:token@example.org/shop.git",
            "git@example.org:shop.git",
            "ssh://git@example.org/shop",
            "http://example.org/shop",
        ] {
            assert_eq!(repository_uri(remote).unwrap(), "git+https://example.org/shop", "{remote}");
        }
        assert_eq!(repository_uri("/home/ann/shop").unwrap_err().code(), "API_MISUSE");
    }
}
