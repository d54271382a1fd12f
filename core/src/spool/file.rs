//! Files of a spool: whole and on disk under their name, or not there. What a process that died left is cleared.

use std::fs::{File, TryLockError};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use crate::random;

use crate::error::{Error, ErrorKind, Result};

/// What the name of a file begins with that is not whole.
const UNFINISHED: &str = ".unfinished-";

/// A file that is being written, locked for as long as its writer lives; it goes unless it gets its name.
pub(super) struct Unfinished {
    file: File,
    path: PathBuf,
    named: bool,
}

impl Unfinished {
    /// A new one in `folder`, which is made. What others left there is cleared.
    pub(super) fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(|e| Error::io("make folder", folder, e))?;
        clear(folder);
        loop {
            let mut own = [0; 8];
            random::fill(&mut own)?;
            let path = folder.join(format!("{UNFINISHED}{}", hex::encode(own)));
            let failed = |e| Error::io("write", &path, e);
            let file = File::options().write(true).create_new(true).open(&path).map_err(failed)?;
            file.lock().map_err(failed)?;
            // somebody may have cleared it before it was locked
            if path.exists() {
                return Ok(Self { file, path, named: false });
            }
        }
    }

    /// Writes what `content` gives, to its end.
    pub(super) fn fill(&mut self, content: &mut dyn Read) -> Result<()> {
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let read = match content.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => {
                    return Err(Error::new(ErrorKind::Io, format!("the content could not be read: {e}")).caused_by(e));
                }
            };
            let written = self.file.write_all(chunk.get(..read).unwrap_or_default());
            written.map_err(|e| Error::io("write", &self.path, e))?;
        }
    }

    /// Brings it to disk and gives it its name, over what has that.
    pub(super) fn name(mut self, path: &Path) -> Result<()> {
        self.file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.path, path))
            .map_err(|e| Error::io("write", path, e))?;
        self.named = true;
        sync(path.parent().unwrap_or(Path::new(".")))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.named {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Removes what processes that died were writing. As far as that goes: it is in nobody's way.
fn clear(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED));
        if !ours || !entry.file_type().is_ok_and(|t| t.is_file()) {
            continue;
        }
        let Ok(file) = File::options().write(true).open(entry.path()) else { continue };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {}
            _ => _ = std::fs::remove_file(entry.path()),
        }
    }
}

/// Writes a file of which several processes may write the same at once.
pub(super) fn write(path: &Path, mut bytes: &[u8]) -> Result<()> {
    let mut file = Unfinished::new(path.parent().unwrap_or(Path::new(".")))?;
    file.fill(&mut bytes)?;
    file.name(path)
}

pub(super) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, e)),
        _ => path.parent().map_or(Ok(()), sync),
    }
}

/// Brings the names in a folder to disk, where the system can.
fn sync(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io("sync folder", folder, e))?;
    }
    Ok(())
}

/// Names of files in `folder` that are `ours`, in order; at most `most`.
///
/// What is not named by us is not read, and a link is not followed.
pub(super) fn names(folder: &Path, most: usize, ours: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let failed = |e| Error::io("read folder", folder, e);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let is_file = entry.file_type().is_ok_and(|t| t.is_file());
        if let Some(name) = entry.file_name().to_str().filter(|name| is_file && ours(name)) {
            names.push(name.to_owned());
        }
        if names.len() > most {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("over {most} files wait in `{}`; send them first", folder.display()),
            ));
        }
    }
    names.sort();
    Ok(names)
}
