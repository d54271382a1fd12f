//! The real source: commit, tree, authors and remote of the repository, as `git` tells them.

use std::path::Path;
use std::process::Command;

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
        let seconds: i64 = show("%ct")?.parse().unwrap_or(0);
        let remote = git(root, &["remote", "get-url", "origin"]).unwrap_or_default();
        let name = root.canonicalize().ok().and_then(|p| Some(p.file_name()?.to_string_lossy().into_owned()));
        Ok(Self {
            commit: git(root, &["rev-parse", "HEAD"])?,
            tree: git(root, &["rev-parse", "HEAD^{tree}"])?,
            title: show("%s")?,
            author,
            authors,
            committed_at: Timestamp::from_unix_millis(seconds.saturating_mul(1000))?,
            repository: repository_uri(&remote, name.as_deref().unwrap_or("repository")),
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

/// A remote as a URI without user or password; a path of this machine is nobody else's business.
fn repository_uri(remote: &str, name: &str) -> String {
    let rest = match remote.split_once("://") {
        Some(("https" | "http" | "ssh" | "git", rest)) => rest.to_owned(),
        None if remote.contains('@') => remote.replacen(':', "/", 1),
        _ => return format!("urn:sealwright:repository:{name}"),
    };
    let host_and_path = rest.rsplit_once('@').map_or(rest.as_str(), |(_, host)| host);
    format!("git+https://{}", host_and_path.trim_end_matches(".git"))
}

fn git(root: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").arg("-C").arg(root).args(arguments).output().map_err(|e| {
        Error::new(
            ErrorKind::NotFound,
            format!("could not run `git`: {e}; install it, the demo tells of a real commit"),
        )
        .caused_by(e)
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "`git {}` found nothing in `{}`: {}; run the demo in a Git checkout with at least one commit",
                arguments.join(" "),
                root.display(),
                said.trim()
            ),
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
