//! Where the files of a layout or archive lie: in a folder, or in a tarball, which may be compressed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use super::tar::{Kind, Stream, Tar};
use super::unpack::{Unpack, fault_of, is_packed};
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;

/// A folder or a tarball with an image in it.
pub(super) enum Source {
    Folder(PathBuf),
    Archive(Archive),
}

pub(super) struct Archive {
    path: PathBuf,
    is_packed: bool,
    files: BTreeMap<String, Named>,
    /// Bytes that it may still unpack to, over all the times that it is read.
    left: u64,
}

/// What stands under a name.
enum Named {
    /// The number of the entry, from 0.
    File(usize),
    Link(String),
}

/// What [`Source::visit`] does with a file: its name, its size and its content.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&str, u64, &mut dyn Read) -> Result<()>;

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let meta = std::fs::metadata(path).map_err(|e| Error::io("read the image", path, e))?;
        if meta.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let mut file = limits::open_file("an image layout or archive", path)?;
        let mut start = Vec::with_capacity(4);
        (&mut file).take(4).read_to_end(&mut start).map_err(|e| Error::io("read", path, e))?;
        let mut archive = Archive {
            path: path.to_owned(),
            is_packed: is_packed(&start),
            files: BTreeMap::new(),
            // it is read a few times, and its layers are counted on their own
            left: limits::IMAGE_UNPACKED_BYTES.saturating_mul(4),
        };
        archive.list()?;
        Ok(Self::Archive(archive))
    }

    /// The name that the file `name` has if it is no link; none if it is not there.
    pub(super) fn find(&self, name: &str) -> Result<Option<String>> {
        // names stand in documents of the image, and are none of the machine
        if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(malformed(format_args!("names a file `{}`, which is no plain path", name.escape_debug())));
        }
        match self {
            Self::Folder(folder) => match std::fs::metadata(folder.join(name)) {
                Ok(_) => Ok(Some(name.to_owned())),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(e) => Err(Error::io("read", &folder.join(name), e)),
            },
            Self::Archive(archive) => archive.find(name),
        }
    }

    /// Gives those of the `wanted` files that are there to `take`, in the order that is the fastest. They are named as
    /// [`Source::find`] says.
    pub(super) fn visit(&mut self, wanted: &BTreeSet<String>, take: Visit<'_>) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                for name in wanted {
                    let path = folder.join(name);
                    let Some(file) = optional(limits::open_file("a file of the image", &path))? else { continue };
                    let size = file.metadata().map_err(|e| Error::io("read", &path, e))?.len();
                    take(name, size, &mut FileReader { file, path })?;
                }
                Ok(())
            }
            Self::Archive(archive) => archive.visit(wanted, take),
        }
    }

    /// The contents of the `wanted` files that are there, each of at most `limit` bytes.
    pub(super) fn read(&mut self, wanted: &BTreeSet<String>, limit: u64) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut contents = BTreeMap::new();
        self.visit(wanted, &mut |name, size, reader| {
            if size > limit {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("`{name}` of the image has {size} bytes, over {limit}; it is no image of ours"),
                )
                .with("limit", limit));
            }
            let mut content = Vec::new();
            reader.take(limit).read_to_end(&mut content).map_err(fault_of)?;
            contents.insert(name.to_owned(), content);
            Ok(())
        })?;
        Ok(contents)
    }
}

impl Archive {
    /// Notes what stands in it.
    fn list(&mut self) -> Result<()> {
        let mut files = BTreeMap::new();
        self.walk(None, &mut |ordinal, name, kind, _| {
            let named = match kind {
                Kind::File { .. } => Named::File(ordinal),
                // older versions of Docker name a layer that two images share by a link
                Kind::Symlink(target) => Named::Link(joined(name, target)?),
                Kind::Hardlink(target) => Named::Link(text(target)?),
                Kind::Directory | Kind::Sparse | Kind::Special => return Ok(()),
            };
            if files.insert(name.to_owned(), named).is_some() {
                return Err(malformed(format_args!("holds `{}` twice", name.escape_debug())));
            }
            Ok(())
        })?;
        self.files = files;
        Ok(())
    }

    fn find(&self, name: &str) -> Result<Option<String>> {
        let mut name = name;
        for _ in 0..limits::IMAGE_LINKS {
            match self.files.get(name) {
                None => return Ok(None),
                Some(Named::File(_)) => return Ok(Some(name.to_owned())),
                Some(Named::Link(target)) => name = target,
            }
        }
        Err(malformed(format_args!("has links that go round, at `{}`", name.escape_debug())))
    }

    fn visit(&mut self, wanted: &BTreeSet<String>, take: Visit<'_>) -> Result<()> {
        let place = |name: &String| match self.files.get(name)? {
            Named::File(ordinal) => Some(*ordinal),
            Named::Link(_) => None,
        };
        let Some(last) = wanted.iter().filter_map(place).max() else { return Ok(()) };
        self.walk(Some(last), &mut |_, name, kind, reader| match kind {
            Kind::File { size } if wanted.contains(name) => take(name, *size, reader),
            _ => Ok(()),
        })
    }

    /// Gives each entry to `see`, up to the number `last`.
    fn walk(&mut self, last: Option<usize>, see: See<'_>) -> Result<()> {
        let file = limits::open_file("an image layout or archive", &self.path)?;
        let reader = FileReader { file, path: self.path.clone() };
        if self.is_packed {
            let unpack = Unpack::new(reader, &mut self.left)?;
            each(&mut Tar::new(unpack), last, see)
        } else {
            each(&mut Tar::new(BufReader::with_capacity(64 * 1024, reader)), last, see)
        }
        .map_err(|e| e.while_doing(format_args!("`{}`", self.path.display())))
    }
}

/// The number of an entry, its name, what it is, and its content.
type See<'a> = &'a mut dyn FnMut(usize, &str, &Kind, &mut dyn Read) -> Result<()>;

fn each<R: Stream>(tar: &mut Tar<R>, last: Option<usize>, see: See<'_>) -> Result<()> {
    let mut ordinal = 0;
    while last.is_none_or(|last| ordinal <= last) {
        let Some(entry) = tar.next()? else { break };
        if ordinal >= limits::IMAGE_ARCHIVE_ENTRIES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("it holds over {} files; it is no image of ours", limits::IMAGE_ARCHIVE_ENTRIES),
            ));
        }
        see(ordinal, &text(&entry.path)?, &entry.kind, tar)?;
        ordinal += 1;
    }
    Ok(())
}

fn text(path: &[u8]) -> Result<String> {
    String::from_utf8(path.to_vec()).map_err(|_| malformed("holds a name that is no UTF-8"))
}

/// Where a link that stands at `name` leads to.
fn joined(name: &str, target: &[u8]) -> Result<String> {
    let target = text(target)?;
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            ".." => return Err(malformed(format_args!("has a link out of itself, at `{}`", name.escape_debug()))),
            part => parts.push(part),
        }
    }
    if target.starts_with('/') {
        return Err(malformed(format_args!("has a link out of itself, at `{}`", name.escape_debug())));
    }
    Ok(parts.join("/"))
}

fn malformed(fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("the archive {fault}; write it anew"))
}

/// A file of the machine. What fails in reading it is carried through the streams above it.
struct FileReader {
    file: File,
    path: PathBuf,
}

impl Read for FileReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.file.read(out) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => Err(io::Error::other(Error::io("read", &self.path, e))),
            read => read,
        }
    }
}

impl io::Seek for FileReader {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.file.seek(to).map_err(|e| io::Error::other(Error::io("read", &self.path, e)))
    }
}

impl Stream for BufReader<FileReader> {
    fn skip(&mut self, count: u64) -> io::Result<()> {
        let far = || io::Error::other(malformed("has an entry that is longer than any file"));
        self.seek_relative(i64::try_from(count).map_err(|_| far())?)
    }
}
