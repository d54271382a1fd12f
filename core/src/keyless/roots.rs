//! Trusted roots by TUF, and an archive of all that were ever fetched.
//!
//! Fetching is always asked for by name. What was fetched lies in a folder:
//!
//! ```text
//! pinned-root.json        the root of the repository that trust began with
//! tuf/                    what the TUF client remembers, so that nothing older is taken again
//! roots/<time>.json       each trusted root, by the time it came in; never dropped
//! signing-config.json     the newest signing configuration, if the repository has one
//! ```

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sigstore_trust_root::SigstoreInstance;
use sigstore_trust_root::tuf::{SIGNING_CONFIG_TARGET, TRUSTED_ROOT_TARGET};
use sigstore_tuf::{Error as TufError, FileStore, HttpRepository, Updater};

use super::http::{block_on, client};
use super::merge::merged;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result, with_causes};
use crate::timestamp::Timestamp;
use crate::trust::TrustRoot;
use crate::{json, limits};

/// A TUF repository of trusted roots, and the root that trust in it begins with.
#[derive(Clone, Debug)]
pub struct RootSource {
    url: String,
    pinned: Vec<u8>,
}

impl RootSource {
    /// Sigstore's public-good instance, by the root that this library carries.
    pub fn public_good() -> Self {
        Self::of(SigstoreInstance::PublicGood)
    }

    /// Sigstore's staging instance, likewise.
    pub fn staging() -> Self {
        Self::of(SigstoreInstance::Staging)
    }

    /// GitHub's own instance, for private repositories, likewise.
    pub fn github() -> Self {
        Self::of(SigstoreInstance::GitHub)
    }

    /// The repository at `url`, begun with this `root.json`: which one that is, decides about all that comes from there.
    pub fn new(url: impl Into<String>, pinned: impl Into<Vec<u8>>) -> Self {
        Self { url: url.into(), pinned: pinned.into() }
    }

    fn of(instance: SigstoreInstance) -> Self {
        Self::new(instance.tuf_url(), instance.tuf_root())
    }
}

/// A folder with all trusted roots that were ever fetched from one [`RootSource`].
#[derive(Clone, Debug)]
pub struct RootArchive {
    folder: PathBuf,
}

/// A trusted root as it came in. As data it has no `bytes`; [`RootArchive::trusted_root`] gives those of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ArchivedRoot {
    /// When it was fetched first.
    pub fetched_at: Timestamp,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// The file: a Sigstore `TrustedRoot` in JSON.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

impl RootArchive {
    /// The archive in this folder, which need not exist yet.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Fetches the trusted root and the signing configuration of `source`, and adds the root to the archive if it is new.
    /// Gives the root, and whether it is new.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` if the repository can't be reached; `BAD_SIGNATURE` if its metadata is not signed as the
    /// pinned root demands, `EXPIRED`, `DIGEST_MISMATCH`; `TRUST_POLICY_REFUSED` for something older than was seen
    /// before, or if the archive is of another source; `NOT_FOUND` if it has no trusted root; `MALFORMED`; those of
    /// writing files. After an error the archive is as it was.
    pub fn refresh(&self, source: &RootSource, now: Timestamp) -> Result<(ArchivedRoot, bool)> {
        let begun = self.belongs_to(source)?;
        let (root, config) = block_on(fetch(source, self.folder.join("tuf"), now))?;
        // what can't be believed is not kept either
        TrustRoot::new()
            .with_sigstore(&root)
            .map_err(|e| e.while_doing(format_args!("trusted root of `{}`", source.url)))?;
        let known = self.roots()?;
        if !begun {
            write(&self.folder, PINNED, &source.pinned)?;
        }
        let last = known.last();
        let newest = match last.filter(|last| last.bytes == root) {
            Some(last) => (last.clone(), false),
            None => {
                // the order of the archive is by time, whatever the clock does
                let fetched_at = last.map_or(now, |last| now.max(last.fetched_at.plus_millis(1)));
                write(&self.folder.join("roots"), &file_name(fetched_at), &root)?;
                (ArchivedRoot { fetched_at, digest: Digest::sha256(&root), bytes: root }, true)
            }
        };
        if let Some(config) = config {
            write(&self.folder, SIGNING_CONFIG, &config)?;
        }
        Ok(newest)
    }

    /// All roots, the oldest first. Touches no network.
    ///
    /// # Errors
    /// `MALFORMED` for a file that does not belong there; those of reading files.
    pub fn roots(&self) -> Result<Vec<ArchivedRoot>> {
        let folder = self.folder.join("roots");
        if !folder.exists() {
            return Ok(Vec::new());
        }
        let failed = |e| Error::io("read", &folder, e);
        let mut roots = Vec::new();
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_none_or(|e| e != "json") {
                continue;
            }
            if roots.len() == limits::ARCHIVED_ROOTS {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("`{}` holds over {} trusted roots", folder.display(), limits::ARCHIVED_ROOTS),
                ));
            }
            let name = path.file_stem().and_then(|n| n.to_str()).unwrap_or_default();
            let fetched_at = name.parse().ok().and_then(|millis| Timestamp::from_unix_millis(millis).ok());
            let fetched_at = fetched_at.ok_or_else(|| {
                Error::new(
                    ErrorKind::Malformed,
                    format!("`{}` was not put there by a refresh; remove it from the archive", path.display()),
                )
            })?;
            let bytes = limits::read_file("trusted root", &path, limits::TRUSTED_ROOT_BYTES as u64)?;
            roots.push(ArchivedRoot { fetched_at, digest: Digest::sha256(&bytes), bytes });
        }
        roots.sort_by_key(|root| root.fetched_at);
        Ok(roots)
    }

    /// One trusted root of all: the newest, with what earlier ones had beside it. What the newest names counts as it
    /// says there; what it names no more counts until the time it was found missing. Touches no network.
    ///
    /// # Errors
    /// `NOT_FOUND` before the first refresh; those of [`RootArchive::roots`].
    pub fn trusted_root(&self) -> Result<Vec<u8>> {
        let roots = self.roots()?;
        let parsed = roots.iter().map(|root| Ok((root.fetched_at, json::parse("trusted root", &root.bytes)?)));
        let parsed: Vec<_> = parsed.collect::<Result<_>>()?;
        let whole = merged(&parsed).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!(
                    "there is no trusted root in `{}` yet; fetch one with `sealwright root refresh`",
                    self.folder.display()
                ),
            )
            .with("path", self.folder.display())
        })?;
        serde_json::to_vec(&whole).map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))
    }

    /// The signing configuration that came with the newest root. Touches no network.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none; those of reading files.
    pub fn signing_config(&self) -> Result<Vec<u8>> {
        limits::read_file(
            "signing configuration",
            &self.folder.join("signing-config.json"),
            limits::TRUSTED_ROOT_BYTES as u64,
        )
    }

    /// Whether the folder is begun, and with this source: the roots of two never stand in one archive.
    fn belongs_to(&self, source: &RootSource) -> Result<bool> {
        json::check("root of the TUF repository", &source.pinned)?;
        let path = self.folder.join(PINNED);
        if !path.exists() {
            return Ok(false);
        }
        let found = limits::read_file("pinned root", &path, limits::TRUSTED_ROOT_BYTES as u64)?;
        if found == source.pinned {
            return Ok(true);
        }
        Err(Error::new(
            ErrorKind::TrustPolicyRefused,
            format!(
                "the archive `{}` began with another root than the one given for `{}`; name another folder for it",
                self.folder.display(),
                source.url
            ),
        )
        .with("expected", Digest::sha256(&found))
        .with("found", Digest::sha256(&source.pinned)))
    }
}

const PINNED: &str = "pinned-root.json";
const SIGNING_CONFIG: &str = "signing-config.json";

async fn fetch(source: &RootSource, store: PathBuf, now: Timestamp) -> Result<(Vec<u8>, Option<Vec<u8>>)> {
    let at = jiff::Timestamp::from_millisecond(now.unix_millis())
        .map_err(|e| Error::new(ErrorKind::Internal, format!("`{now}` is out of range")).caused_by(e))?;
    let refused = |e| refusal(source, e);
    let repository = HttpRepository::new(&source.url).map_err(refused)?.with_http_client(client()?);
    let mut updater = Updater::new(repository, &source.pinned).map_err(refused)?.with_store(FileStore::new(store));
    updater.refresh(at).await.map_err(refused)?;
    let root = updater.get_target(TRUSTED_ROOT_TARGET, at).await.map_err(refused)?;
    let config = match updater.get_target(SIGNING_CONFIG_TARGET, at).await {
        Ok(config) => Some(config),
        Err(TufError::TargetNotFound(_)) => None,
        Err(e) => return Err(refused(e)),
    };
    Ok((root, config))
}

fn refusal(source: &RootSource, e: TufError) -> Error {
    let (kind, hint) = match &e {
        TufError::Transport { .. } => (ErrorKind::ServiceUnavailable, "check its address and try again"),
        TufError::Io { .. } => (ErrorKind::Io, "look at the disk"),
        TufError::Expired { .. } => (ErrorKind::Expired, "its keeper must sign it again, or somebody holds you back"),
        TufError::Rollback { .. } | TufError::BadRootVersion { .. } | TufError::EqualVersion { .. } => {
            (ErrorKind::TrustPolicyRefused, "somebody offers what is older than you have")
        }
        TufError::IntegrityMismatch(_) => (ErrorKind::DigestMismatch, "get it from its keeper"),
        TufError::TargetNotFound(_) => (ErrorKind::NotFound, "check that it is a repository of Sigstore's roots"),
        TufError::UnsupportedScheme { .. } => (ErrorKind::Unsupported, "ask its keeper for another kind of key"),
        TufError::ThresholdNotMet { .. }
        | TufError::DuplicateSignature { .. }
        | TufError::UnusableKey { .. }
        | TufError::UnknownRole(_)
        | TufError::Crypto(_) => (ErrorKind::BadSignature, "check that the pinned root is that of this repository"),
        _ => (ErrorKind::Malformed, "check that it is a TUF repository"),
    };
    Error::new(kind, format!("the TUF repository `{}` is refused: {}; {hint}", source.url, with_causes(&e)))
        .with("repository", &source.url)
        .caused_by(e)
}

fn file_name(at: Timestamp) -> String {
    format!("{:015}.json", at.unix_millis())
}

/// Writes a file that is either there whole, or not at all.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let (path, unfinished) = (folder.join(name), folder.join(format!("{name}.unfinished")));
    let failed = |e| Error::io("write", &path, e);
    fs::create_dir_all(folder).map_err(failed)?;
    let mut file = fs::File::create(&unfinished).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&unfinished, &path).map_err(failed)
}
