//! Finds the lock files of a source tree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::lock::{self, Format};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A lock file found below the root.
pub(super) struct Found {
    pub(super) format: &'static Format,
    /// Its folder.
    pub(super) folder: PathBuf,
    pub(super) path: PathBuf,
    /// Its path relative to the root, `/` between parts.
    pub(super) relative: String,
    /// All poms of the tree, which need each other.
    pub(super) poms: Rc<lock::Poms>,
}

impl Found {
    /// Whether it stands in the root itself.
    pub(super) fn is_at_root(&self) -> bool {
        !self.relative.contains('/')
    }

    /// Reads it as text, at most `left` bytes.
    pub(super) fn read(&self, left: u64) -> Result<String> {
        read_text(&self.path, &self.relative, left)
    }
}

/// Reads the file at `path` as text, at most `left` bytes; errors name it `relative`.
pub(super) fn read_text(path: &Path, relative: &str, left: u64) -> Result<String> {
    let bytes = limits::read_file("lock file", path, left)?;
    let text = String::from_utf8(bytes).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("`{relative}` is not UTF-8 text; write it anew")).caused_by(e)
    })?;
    if text.lines().any(|line| line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ")) {
        return Err(Error::new(
            ErrorKind::Malformed,
            format!("`{relative}` holds merge-conflict markers; resolve the conflict and lock again"),
        ));
    }
    Ok(text)
}

/// `found` without those that are meant by `paths`, or stand in a folder that is, and the paths of these.
///
/// # Errors
/// `API_MISUSE` for a path that means none of them: a mistyped one would leave in what should not count.
pub(super) fn without(found: Vec<Found>, paths: &[String]) -> Result<(Vec<Found>, Vec<String>)> {
    let is_meant = |file: &Found, path: &str| {
        let rest = file.relative.strip_prefix(path.trim_start_matches("./").trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if let Some(path) = paths.iter().find(|path| !found.iter().any(|file| is_meant(file, path))) {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!("`{}` is to be left out and is no lock file, nor a folder with one", path.escape_debug()),
        ));
    }
    let (excluded, rest): (Vec<_>, Vec<_>) =
        found.into_iter().partition(|file| paths.iter().any(|path| is_meant(file, path)));
    Ok((rest, excluded.into_iter().map(|file| file.relative).collect()))
}

/// All lock files below `root`, sorted by path. Build outputs, installed packages and hidden folders are left out,
/// links are not followed.
pub(super) fn lock_files(root: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let mut open = vec![(root.to_path_buf(), String::new(), 0)];
    let mut seen = 0;
    let mut poms = Vec::new();
    while let Some((folder, prefix, depth)) = open.pop() {
        if depth > limits::FOLDER_DEPTH {
            return Err(too_much(root, format_args!("folders deeper than {}", limits::FOLDER_DEPTH)));
        }
        for entry in std::fs::read_dir(&folder).map_err(|e| Error::io("read folder", &folder, e))? {
            let entry = entry.map_err(|e| Error::io("read folder", &folder, e))?;
            let kind = entry.file_type().map_err(|e| Error::io("read", &entry.path(), e))?;
            seen += 1;
            if seen > limits::FOLDER_FILES {
                return Err(too_much(root, format_args!("more than {} files", limits::FOLDER_FILES)));
            }
            // a name that is not UTF-8 is none of those read here, and as a folder has no path we could write down
            let Ok(name) = entry.file_name().into_string() else { continue };
            let relative = format!("{prefix}{name}");
            if kind.is_dir() && !name.starts_with('.') && !matches!(&*name, "target" | "node_modules") {
                open.push((entry.path(), format!("{relative}/"), depth + 1));
            } else if kind.is_file() {
                let Some(format) = lock::format_of(&name) else { continue };
                if name == lock::Poms::NAME {
                    poms.push((relative.clone(), entry.path()));
                }
                found.push(Found { format, folder: folder.clone(), path: entry.path(), relative, poms: Rc::default() });
            }
        }
    }
    // npm reads no `package-lock.json` beside an `npm-shrinkwrap.json`
    let shrunk: BTreeSet<PathBuf> =
        found.iter().filter(|f| f.path.ends_with("npm-shrinkwrap.json")).map(|f| f.folder.clone()).collect();
    found.retain(|f| !(f.path.ends_with("package-lock.json") && shrunk.contains(&f.folder)));
    found.sort_by(|a, b| a.relative.cmp(&b.relative));
    let poms = Rc::new(lock::Poms::new(poms));
    found.iter_mut().for_each(|file| file.poms = Rc::clone(&poms));
    Ok(found)
}

fn too_much(root: &Path, what: std::fmt::Arguments<'_>) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("`{}` holds {what}; name a smaller folder", root.display()))
}
