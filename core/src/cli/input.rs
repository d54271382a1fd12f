//! What commands read: subjects, resources and JSON files.

use std::path::Path;

use clap::Args;
use serde::de::DeserializeOwned;

use super::git::{self, Revision};
use crate::artifact::ResourceDescriptor;
use crate::commit::Commit;
use crate::digest::{Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// What a statement is about.
#[derive(Args)]
pub(crate) struct Subjects {
    /// What it is about: NAME=FILE, or NAME=sha256:HEX, the name may be left
    /// out; several digests of one thing are joined with commas.
    #[arg(long = "subject", value_name = "NAME=FILE|DIGEST")]
    subjects: Vec<String>,
    /// Package URL or other URI of the subjects.
    #[arg(long, value_name = "URI")]
    subject_uri: Option<String>,
    /// It is about this Git revision: its commit and tree.
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    #[command(flatten)]
    pub(crate) repository: Repository,
}

/// A Git repository.
#[derive(Args)]
pub(crate) struct Repository {
    /// The Git repository.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: std::path::PathBuf,
    /// URI of the repository [default: made from its `origin`].
    #[arg(long, value_name = "URI")]
    repository_uri: Option<String>,
}

impl Subjects {
    pub(crate) fn read(&self) -> Result<Vec<ResourceDescriptor>> {
        self.read_with(Vec::new())
    }

    /// The subjects, after `more` that were found elsewhere.
    pub(crate) fn read_with(&self, more: Vec<ResourceDescriptor>) -> Result<Vec<ResourceDescriptor>> {
        let mut subjects = more;
        subjects.extend(self.read_if_any()?);
        if subjects.is_empty() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "nothing says what the statement is about; name it with `--subject` or `--revision`",
            ));
        }
        Ok(subjects)
    }

    /// The subjects, of which there may be none.
    pub(crate) fn read_if_any(&self) -> Result<Vec<ResourceDescriptor>> {
        let mut subjects = Vec::new();
        for text in &self.subjects {
            let subject = resource(text)?;
            subjects.push(match &self.subject_uri {
                Some(uri) => subject.with_uri(uri),
                None => subject,
            });
        }
        if let Some(revision) = &self.revision {
            subjects.push(self.repository.revision(revision)?.descriptor()?);
        }
        Ok(subjects)
    }
}

impl Repository {
    pub(crate) fn revision(&self, revision: &str) -> Result<Revision> {
        Revision::read(&self.repository, revision, self.repository_uri.as_deref())
    }

    /// The commits of a range, the newest first.
    pub(crate) fn commits(&self, range: &str) -> Result<Vec<Commit>> {
        git::commits(&self.repository, range)
    }

    /// What the repository is called.
    pub(crate) fn uri(&self) -> Result<String> {
        git::uri(&self.repository, self.repository_uri.as_deref())
    }
}

/// `NAME=FILE`, `NAME=sha256:HEX`, or either without a name.
pub(crate) fn resource(text: &str) -> Result<ResourceDescriptor> {
    let (name, what) = match text.split_once('=') {
        Some((name, what)) if !name.is_empty() => (Some(name), what),
        _ => (None, text),
    };
    let digests: Result<Vec<Digest>> = what.split(',').map(str::parse).collect();
    match digests {
        Ok(digests) => {
            let descriptor = ResourceDescriptor::of(DigestSet::new(digests)?);
            Ok(name.map_or(descriptor.clone(), |name| descriptor.named(name)))
        }
        // a digest with a fault is told as such, not looked for as a file
        Err(e) if what.starts_with("sha") && what.contains(':') => Err(e),
        Err(_) => {
            let path = Path::new(what);
            let digest = Digest::of_file(path)?;
            let file = path.file_name().map(|n| n.to_string_lossy().into_owned());
            let descriptor = ResourceDescriptor::of(digest);
            Ok(match name.map(str::to_owned).or(file) {
                Some(name) => descriptor.named(name),
                None => descriptor,
            })
        }
    }
}

/// The digest of `sha256:HEX`, or of the file of this name.
pub(crate) fn digest(text: &str) -> Result<Digest> {
    if text.starts_with("sha256:") { text.parse() } else { Digest::of_file(Path::new(text)) }
}

/// A JSON file, read strictly; `what` names it in errors.
pub(crate) fn json_file<T: DeserializeOwned>(what: &str, path: &Path) -> Result<T> {
    let limit = u64::try_from(limits::PAYLOAD_BYTES).unwrap_or(u64::MAX);
    let bytes = limits::read_file(what, path, limit)?;
    json::parse(what, &bytes).map_err(|e| e.with("path", path.display()))
}

/// A record, as its signers made it.
pub(crate) fn record(path: &Path) -> Result<Vec<u8>> {
    limits::read_file("record", path, limits::RECORD_BYTES)
}

/// `NAME=VALUE`, for options that bind a name to a file.
pub(crate) fn named(text: &str) -> Result<(&str, &Path)> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name, Path::new(value))),
        _ => Err(Error::new(
            ErrorKind::ApiMisuse,
            format!("expected `NAME=FILE`, found `{}`; write both", text.escape_debug()),
        )),
    }
}
