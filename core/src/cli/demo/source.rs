//! The real source: commit, tree, authors and remote of the repository, as `git` tells them.

use std::path::Path;

use super::super::git::{git, repository_uri};
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::Actor;
use crate::timestamp::Timestamp;
use crate::trust_policy::GIT_ISSUER;

pub(super) struct Source {
    pub(super) commit: String,
    pub(super) tree: String,
    pub(super) title: String,
    pub(super) author: Author,
    /// Author, committer and co-authors, each once.
    pub(super) authors: Vec<Author>,
    pub(super) committed_at: Timestamp,
    /// Where the repository says it comes from, else its own name.
    pub(super) repository: String,
    /// Whether files differ from the commit.
    pub(super) modified: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Author {
    pub(super) name: String,
    pub(super) address: String,
}

impl Author {
    /// The author as records name them.
    pub(super) fn actor(&self) -> Actor {
        Actor::human(format!("mailto:{}", self.address), &self.name).vouched_by(GIT_ISSUER, &self.address)
    }
}

impl Source {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let show = |format: &str| git(root, &["show", "-s", &format!("--format={format}"), "HEAD"]);
        let author = Author { name: show("%an")?, address: show("%ae")?.to_lowercase() };
        let mut authors = vec![author.clone()];
        let committer = Author { name: show("%cn")?, address: show("%ce")?.to_lowercase() };
        let co_authors = show("%(trailers:key=Co-authored-by,valueonly)")?;
        for other in std::iter::once(committer).chain(co_authors.lines().filter_map(co_author)) {
            if !authors.iter().any(|a| a.address == other.address) {
                authors.push(other);
            }
        }
        let told = show("%ct")?;
        let seconds: i64 = told.parse().map_err(|_| {
            Error::new(
                ErrorKind::Malformed,
                format!("`git` says `{told}` for the time of the commit, expected seconds"),
            )
        })?;
        // a clone of a folder of this machine, or of nothing, has no address that others could use
        let remote = git(root, &["remote", "get-url", "origin"]).and_then(|remote| repository_uri(&remote));
        Ok(Self {
            commit: git(root, &["rev-parse", "HEAD"])?,
            tree: git(root, &["rev-parse", "HEAD^{tree}"])?,
            title: show("%s")?,
            author,
            authors,
            committed_at: Timestamp::from_unix_millis(seconds.saturating_mul(1000))?,
            repository: remote.unwrap_or_else(|_| "urn:sealwright:demo:repository".to_owned()),
            modified: !git(root, &["status", "--porcelain", "--untracked-files=no"])?.is_empty(),
        })
    }

    pub(super) fn change_id(&self) -> String {
        format!("urn:sealwright:demo:change:{}", &self.commit)
    }

    pub(super) fn tree_digest(&self) -> Result<DigestSet> {
        Digest::from_hex(Algorithm::GitTree, &self.tree).map(DigestSet::from)
    }
}

fn co_author(line: &str) -> Option<Author> {
    let (name, rest) = line.split_once('<')?;
    let address = rest.split('>').next()?.trim().to_lowercase();
    (!address.is_empty()).then(|| Author { name: name.trim().to_owned(), address })
}
