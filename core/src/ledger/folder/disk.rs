//! Every call that changes a folder, in one place, so that a test can let each of them fail.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::error::{Error, Result};

/// Space that is little: a few times what a journal and what it puts in place take.
#[cfg(target_os = "linux")]
const SHORT_OF_SPACE: u64 = 64 * 1024 * 1024;

/// The disk as the folder of a ledger uses it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: Option<std::sync::Arc<Faults>>,
}

/// Which call is to fail, for tests.
#[cfg(test)]
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Calls so far.
    pub(crate) calls: std::sync::atomic::AtomicU64,
    /// The call that fails, counted from 0.
    pub(crate) at: std::sync::atomic::AtomicU64,
    /// Whether all later ones fail as well, as if the machine stood still from there on.
    pub(crate) stays: std::sync::atomic::AtomicBool,
}

impl Disk {
    /// Makes a new file; never one that is there, so that no link is followed.
    pub(crate) fn create(&self, path: &Path) -> io::Result<File> {
        self.gate(path)?;
        OpenOptions::new().write(true).create_new(true).open(path)
    }

    pub(crate) fn write(&self, file: &mut File, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Err(e) = self.gate(path) {
            // a write that fails may have written some
            let _ = file.write_all(bytes.get(..bytes.len() / 2).unwrap_or_default());
            return Err(e);
        }
        file.write_all(bytes)
    }

    pub(crate) fn sync(&self, file: &File, path: &Path) -> io::Result<()> {
        self.gate(path)?;
        file.sync_all()
    }

    pub(crate) fn sync_data(&self, file: &File, path: &Path) -> io::Result<()> {
        self.gate(path)?;
        file.sync_data()
    }

    pub(crate) fn cut(&self, file: &File, path: &Path, length: u64) -> io::Result<()> {
        self.gate(path)?;
        file.set_len(length)
    }

    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.gate(to)?;
        std::fs::rename(from, to)
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.gate(path)?;
        match std::fs::remove_file(path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Makes a folder and those above it, each on disk in its parent.
    pub(crate) fn make_folder(&self, folder: &Path) -> Result<()> {
        self.make(folder, true)
    }

    /// Makes a folder and those above it.
    pub(crate) fn make_unsynced(&self, folder: &Path) -> Result<()> {
        self.make(folder, false)
    }

    fn make(&self, folder: &Path, synced: bool) -> Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let parent = folder.parent().filter(|p| !p.as_os_str().is_empty());
        if let Some(parent) = parent {
            self.make(parent, synced)?;
        }
        match self.gate(folder).and_then(|()| std::fs::create_dir(folder)) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(Error::io("make folder", folder, e)),
            _ if synced => parent.map_or(Ok(()), |parent| self.sync_folder(parent)),
            _ => Ok(()),
        }
    }

    /// Brings the names in a folder to disk, where the system can.
    pub(crate) fn sync_folder(&self, folder: &Path) -> Result<()> {
        if cfg!(unix) {
            self.gate(folder)
                .and_then(|()| File::open(folder))
                .and_then(|f| f.sync_all())
                .map_err(|e| Error::io("sync folder", folder, e))?;
        }
        Ok(())
    }

    /// Brings all that was written to the file system of `folder` to disk, where the system can do that at once; says
    /// whether it did.
    pub(crate) fn sync_everything(&self, folder: &Path) -> Result<bool> {
        #[cfg(target_os = "linux")]
        {
            self.gate(folder)
                .and_then(|()| File::open(folder))
                .and_then(|f| rustix::fs::syncfs(f).map_err(io::Error::from))
                .map_err(|e| Error::io("sync the file system of", folder, e))?;
            Ok(true)
        }
        #[cfg(not(target_os = "linux"))]
        {
            self.gate(folder).map_err(|e| Error::io("sync", folder, e))?;
            Ok(false)
        }
    }

    /// Whether the file system of `folder` has little space left, where the system tells.
    #[cfg(target_os = "linux")]
    pub(crate) fn is_short_of_space(folder: &Path) -> bool {
        rustix::fs::statvfs(folder).is_ok_and(|left| left.f_bavail.saturating_mul(left.f_frsize) < SHORT_OF_SPACE)
    }

    /// Whether the file system of `folder` has little space left: nobody tells here.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn is_short_of_space(_folder: &Path) -> bool {
        false
    }

    /// Writes `bytes` to the new file `unfinished`, brings them to disk, then gives it the name `path`. The caller holds
    /// the lock of the folder, so nobody else writes there.
    pub(crate) fn write_whole(&self, path: &Path, unfinished: &Path, bytes: &[u8]) -> Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        self.make_folder(folder)?;
        self.replace(path, unfinished, bytes, true)?;
        self.sync_folder(folder)
    }

    /// Writes `bytes` to the new file `unfinished`, then gives it the name `path`; brought to disk before if `synced`.
    pub(crate) fn replace(&self, path: &Path, unfinished: &Path, bytes: &[u8], synced: bool) -> Result<()> {
        // a new file, or else a link laid in its place would lead the writing elsewhere
        let replaced = self
            .remove(unfinished)
            .and_then(|()| self.create(unfinished))
            .and_then(|mut file| {
                self.write(&mut file, unfinished, bytes)?;
                if synced { self.sync(&file, unfinished) } else { Ok(()) }
            })
            .and_then(|()| self.rename(unfinished, path))
            .map_err(|e| Error::io("write", path, e));
        if replaced.is_err() {
            // best effort: the next append clears it as well
            let _ = std::fs::remove_file(unfinished);
        }
        replaced
    }

    /// Writes a file that is read by nobody before something else names it. What stood there is replaced.
    pub(crate) fn put(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let failed = |e| Error::io("write", path, e);
        let mut file = match self.create(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                self.remove(path).and_then(|()| self.create(path)).map_err(failed)?
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                self.make_unsynced(path.parent().unwrap_or(Path::new(".")))?;
                self.create(path).map_err(failed)?
            }
            file => file.map_err(failed)?,
        };
        self.write(&mut file, path, bytes).map_err(failed)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "a test lets it fail")]
    fn gate(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn gate(&self, _path: &Path) -> io::Result<()> {
        use std::sync::atomic::Ordering::SeqCst;
        let Some(faults) = &self.faults else { return Ok(()) };
        let call = faults.calls.fetch_add(1, SeqCst);
        let at = faults.at.load(SeqCst);
        if call == at || (call > at && faults.stays.load(SeqCst)) {
            return Err(io::Error::other("planted fault"));
        }
        Ok(())
    }
}
