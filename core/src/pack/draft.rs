//! Writing a pack beside the place where it is to stand, and moving it there whole.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::manifest::{FileLine, Role};
use super::{MANIFEST, MANIFEST_RECORD};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::predicate::nonce;

/// A pack that is being written; what is not finished is removed when dropped.
pub(super) struct Draft {
    /// Where it is written.
    root: PathBuf,
    /// Where it is to stand.
    folder: PathBuf,
    /// By path.
    lines: BTreeMap<String, FileLine>,
}

impl Draft {
    /// Begins a pack that is to stand at `folder`, which must be new or empty.
    pub(super) fn begin(folder: &Path) -> Result<Self> {
        match std::fs::read_dir(folder) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(Error::new(
                        ErrorKind::AlreadyExists,
                        format!("`{}` is not empty; name a new folder for the pack", folder.display()),
                    ));
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
                return Err(Error::new(
                    ErrorKind::AlreadyExists,
                    format!("`{}` is a file; name a new folder for the pack", folder.display()),
                ));
            }
            Err(e) => return Err(Error::io("read folder", folder, e)),
        }
        let name = folder.file_name().and_then(|n| n.to_str()).ok_or_else(|| {
            Error::new(ErrorKind::ApiMisuse, format!("`{}` names no new folder; name one", folder.display()))
        })?;
        let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(parent).map_err(|e| Error::io("make folder", parent, e))?;
        let root = parent.join(format!(".{name}.{}.unfinished", nonce()?));
        std::fs::create_dir(&root).map_err(|e| Error::io("make folder", &root, e))?;
        Ok(Self { root, folder: folder.to_path_buf(), lines: BTreeMap::new() })
    }

    /// Writes a file and lists it.
    pub(super) fn add(&mut self, path: &str, role: Role, bytes: &[u8]) -> Result<&mut FileLine> {
        if !is_pack_path(path) || self.lines.contains_key(path) {
            return Err(Error::new(
                ErrorKind::Internal,
                format!("`{path}` can't be a file of a pack, or is one twice"),
            ));
        }
        self.write(path, bytes)?;
        let line = FileLine {
            path: path.to_owned(),
            sha256: Digest::sha256(bytes).hex(),
            size: bytes.len() as u64,
            media_type: media_type(path).to_owned(),
            role,
            ledger_index: None,
            salt: None,
            payload_sha256: None,
            predicate_type: None,
            controls: Vec::new(),
        };
        Ok(self.lines.entry(path.to_owned()).or_insert(line))
    }

    /// All files so far, by path.
    pub(super) fn lines(&self) -> Vec<FileLine> {
        self.lines.values().cloned().collect()
    }

    /// Adds manifest and signature, and moves the pack to its place. Gives the number of files.
    pub(super) fn finish(self, manifest: &[u8], record: &[u8]) -> Result<usize> {
        self.write(MANIFEST, manifest)?;
        self.write(MANIFEST_RECORD, record)?;
        // an empty folder gives way; one that was filled meanwhile does not, and the pack is not written then
        if self.folder.is_dir() {
            std::fs::remove_dir(&self.folder).map_err(|e| Error::io("replace the empty folder", &self.folder, e))?;
        }
        std::fs::rename(&self.root, &self.folder).map_err(|e| Error::io("write the pack to", &self.folder, e))?;
        Ok(self.lines.len() + 2)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        let place = self.root.join(path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent).map_err(|e| Error::io("make folder", parent, e))?;
        }
        std::fs::write(&place, bytes).map_err(|e| Error::io("write", &place, e))?;
        #[cfg(unix)]
        if path.ends_with(".sh") {
            use std::os::unix::fs::PermissionsExt as _;
            let executable = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(&place, executable).map_err(|e| Error::io("make executable", &place, e))?;
        }
        Ok(())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // after finish() it is gone already
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// Whether a path is one that a pack may have: plain relative names that mean the same on every system.
pub(super) fn is_pack_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+@-".contains(c);
    path.split('/')
        .all(|part| part.chars().all(plain) && part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
}

/// A name cut down to what paths of a pack may hold.
pub(super) fn plain_name(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._+@-".contains(c) { c } else { '_' };
    let name: String = name.chars().map(plain).take(80).collect();
    if name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') { name } else { format!("_{name}") }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        _ if path.ends_with(".sigstore.json") => "application/vnd.dev.sigstore.bundle.v0.3+json",
        "json" => "application/json",
        "jsonl" => "application/jsonl",
        "csv" => "text/csv",
        "html" => "text/html",
        "pem" | "pub" => "application/x-pem-file",
        "sh" => "application/x-sh",
        "txt" | "tlog-proof" | "" => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_pack_or_hide_are_none_of_it() {
        for good in ["checkpoint", "entries/000001.json", "a/_b+c@d-e.f"] {
            assert!(is_pack_path(good), "{good}");
        }
        for bad in ["", "/a", "a//b", "../a", "a/../b", ".hidden", "a/.b", "a b", "a\n", "a\\b", "ä", "-a", "a/"] {
            assert!(!is_pack_path(bad), "{bad}");
        }
    }

    #[test]
    fn any_name_becomes_one_a_path_may_hold() {
        for name in ["", "..", "a/b", "\u{202e}evil", "-x", "name with blanks", "ünïcode", "shop"] {
            assert!(is_pack_path(&plain_name(name)), "{name}");
        }
    }
}
