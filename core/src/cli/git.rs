//! What `git` says of a revision.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::artifact::ResourceDescriptor;
use crate::commit::Commit;
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

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
        let repository = self::uri(folder, uri)?;
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

/// What the repository in `folder` is called: `uri`, or by its `origin`.
pub(crate) fn uri(folder: &Path, uri: Option<&str>) -> Result<String> {
    match uri {
        Some(uri) => Ok(uri.to_owned()),
        None => repository_uri(&git(folder, &["remote", "get-url", "origin"])?),
    }
}

/// So many ids are asked for at once: few enough to fit into a pipe, so that neither side waits for the other.
const AT_ONCE: usize = 100;

/// The commits of a range, the newest first, as they are and not as `git replace` shows them.
pub(crate) fn commits(folder: &Path, range: &str) -> Result<Vec<Commit>> {
    let most = format!("--max-count={}", limits::COMMITS + 1);
    let listed = git(folder, &["--no-replace-objects", "rev-list", &most, "--end-of-options", range])?;
    let ids: Vec<&str> = listed.lines().collect();
    if ids.is_empty() {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("there is no commit in `{}`; name a range that has some", range.escape_debug()),
        ));
    }
    if ids.len() > limits::COMMITS {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!("`{}` has more than {} commits; name a shorter range", range.escape_debug(), limits::COMMITS),
        ));
    }
    let mut commits = Vec::with_capacity(ids.len());
    for ids in ids.chunks(AT_ONCE) {
        let objects = objects(folder, ids)?;
        let mut rest = objects.as_slice();
        for id in ids {
            let raw = next_object(&mut rest, id).ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    format!("`git cat-file` does not give the commit `{id}`; fetch it first"),
                )
            })?;
            let digest = Digest::from_hex(Algorithm::GitCommit, id)?;
            commits.push(Commit::parse(raw, &digest).map_err(|e| e.while_doing(format_args!("commit `{id}`")))?);
        }
    }
    Ok(commits)
}

/// What `git cat-file --batch` prints for these ids.
fn objects(folder: &Path, ids: &[&str]) -> Result<Vec<u8>> {
    let failed = |e: std::io::Error| Error::new(ErrorKind::Io, format!("could not ask `git`: {e}")).caused_by(e);
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args(["--no-replace-objects", "cat-file", "--batch"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    if let Some(mut asked) = child.stdin.take() {
        asked.write_all((ids.join("\n") + "\n").as_bytes()).map_err(failed)?;
    }
    child.wait_with_output().map(|output| output.stdout).map_err(failed)
}

/// The commit `id`, which stands first: a line with id, kind and size, the object, and a line break.
fn next_object<'a>(rest: &mut &'a [u8], id: &str) -> Option<&'a [u8]> {
    let end = rest.iter().position(|b| *b == b'\n')?;
    let (line, below) = rest.split_at_checked(end)?;
    let line = std::str::from_utf8(line).ok()?;
    let size: usize = line.strip_prefix(id)?.strip_prefix(" commit ")?.parse().ok()?;
    let (object, below) = below.get(1..)?.split_at_checked(size)?;
    *rest = below.get(1..)?;
    Some(object)
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
