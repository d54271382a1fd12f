//! Where another copy of a log is read: a folder, or a static file server over HTTP.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Place;
use super::folder::FolderStorage;
#[cfg(feature = "witness")]
use super::http::Http;
use super::log_key::rotation_name;
use super::storage::Storage;
use super::store::{CHECKPOINT, CHECKPOINTS};
#[cfg(feature = "witness")]
use super::witnessed::names_of;
use super::witnessed::size_of;
use crate::address::is_address;
#[cfg(not(feature = "witness"))]
use crate::address::shown;
use crate::checkpoint::{LogKeys, VerifierKey};
use crate::error::{Error, ErrorKind, Result, optional};
use crate::limits;
use crate::merkle::{BundleId, Hash, TILE_WIDTH, TileId, TileReader, decode_entries, decode_tile};

/// A log somewhere else, in the layout of C2SP tlog-tiles. Nothing that comes from it is believed.
pub struct LogSource(Kind);

enum Kind {
    Storage(Arc<dyn Storage>),
    #[cfg(feature = "witness")]
    Http(Http),
}

/// Longest entry that any tiled log may have.
const FOREIGN_ENTRY_BYTES: u64 = 65_535;

impl LogSource {
    /// The log at a URL (`https`, or `http` to this machine), else in the folder of this path.
    ///
    /// # Errors
    /// `MALFORMED` for a URL that is none, `UNSUPPORTED` for any if this build speaks no HTTP (feature `witness`), and for
    /// a file that describes a bucket, of which [`LogSource::at`] reads.
    pub fn open(place: &str) -> Result<Self> {
        if !is_address(place) {
            if Place::describes(Path::new(place)) {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    format!("`{place}` describes a bucket, which is not read without its credentials; open its place"),
                ));
            }
            return Ok(Self::folder(place));
        }
        #[cfg(feature = "witness")]
        return Ok(Self(Kind::Http(Http::new("log", place)?)));
        #[cfg(not(feature = "witness"))]
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("`{}` is a URL, and this build speaks no HTTP; build it with the feature `witness`", shown(place)),
        ))
    }

    /// The log of the ledger at `place`.
    ///
    /// # Errors
    /// `MALFORMED` if the bucket can't be used as it is described.
    pub fn at(place: &Place) -> Result<Self> {
        place.storage().map(|storage| Self(Kind::Storage(storage)))
    }

    /// The log in a folder.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Storage(Arc::new(FolderStorage::new(path))))
    }

    /// The folder it lies in, if it is one.
    pub(super) fn path(&self) -> Option<PathBuf> {
        match &self.0 {
            Kind::Storage(storage) => Some(storage.place().into()),
            #[cfg(feature = "witness")]
            Kind::Http(_) => None,
        }
    }

    /// The keys of the log, of which `known` is one, by the notes there of their rotations; `known` alone if there are none.
    ///
    /// # Errors
    /// Those of [`LogKeys::through`]; `SERVICE_UNAVAILABLE`, `PERMISSION_DENIED` or `IO` if it can't be read.
    pub fn keys(&self, known: &VerifierKey) -> Result<LogKeys> {
        let mut rotations = Vec::new();
        while let Some(note) = self.read(&rotation_name(rotations.len() + 1), limits::CHECKPOINT_BYTES)? {
            rotations.push(note);
            if rotations.len() > limits::LOG_KEY_ROTATIONS {
                break;
            }
        }
        LogKeys::through(known, &rotations)
    }

    /// The whole of a file; none if there is none of this name.
    pub(super) fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        match &self.0 {
            Kind::Storage(storage) => optional(storage.read(name, limit)),
            #[cfg(feature = "witness")]
            Kind::Http(http) => http.get(name, limit),
        }
    }

    /// A file as a stream; none if there is none of this name.
    pub(super) fn stream(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>> {
        match &self.0 {
            Kind::Storage(storage) => {
                Ok(optional(storage.stream(name))?.map(|content| content.bytes as Box<dyn Read + '_>))
            }
            #[cfg(feature = "witness")]
            Kind::Http(http) => Ok(http.open(name)?.map(|content| Box::new(content) as Box<dyn Read + '_>)),
        }
    }

    /// The checkpoint, unverified.
    pub(super) fn checkpoint(&self) -> Result<Vec<u8>> {
        self.read(CHECKPOINT, limits::CHECKPOINT_BYTES)?.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                format!("there is no log at `{self}`: it has no checkpoint; check the place"),
            )
        })
    }

    /// Names of files about cosigned checkpoints: all that a folder has; of a server, which tells no names, those of the
    /// size it has now.
    pub(super) fn witnessed_names(&self, size: u64) -> Result<Vec<String>> {
        match &self.0 {
            Kind::Storage(storage) => {
                let mut names = Vec::new();
                storage.list(&format!("{CHECKPOINTS}/"), &mut |name, _| {
                    names.extend(size_of(name).filter(|of| *of <= size).map(|_| name.to_owned()));
                    Ok(())
                })?;
                Ok(names)
            }
            #[cfg(feature = "witness")]
            Kind::Http(_) => Ok(names_of(size).to_vec()),
        }
    }

    /// Names of all files that begin with `prefix`; none of a server, which does not tell them.
    pub(super) fn names(&self, prefix: &str) -> Result<Option<Vec<String>>> {
        match &self.0 {
            Kind::Storage(storage) => {
                let mut names = Vec::new();
                storage.list(prefix, &mut |name, _| {
                    names.push(name.to_owned());
                    Ok(())
                })?;
                Ok(Some(names))
            }
            #[cfg(feature = "witness")]
            Kind::Http(_) => Ok(None),
        }
    }

    /// The tiles of the tree of `size` leaves, unverified.
    pub(super) fn tiles(&self, size: u64) -> SourceTiles<'_> {
        SourceTiles { source: self, size }
    }
}

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Storage(storage) => f.write_str(&storage.place()),
            #[cfg(feature = "witness")]
            Kind::Http(http) => http.fmt(f),
        }
    }
}

impl fmt::Debug for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogSource({self})")
    }
}

/// The tiles of a source at one size of its tree, as they are.
pub(super) struct SourceTiles<'a> {
    source: &'a LogSource,
    size: u64,
}

impl SourceTiles<'_> {
    /// The entries of a bundle. They need not be entries of ours.
    pub(super) fn entries(&self, id: BundleId) -> Result<Vec<Vec<u8>>> {
        let limit = (FOREIGN_ENTRY_BYTES + 2) * u64::from(TILE_WIDTH);
        let (bytes, width) = self.read_at_least(&id.to_string(), id.width(), limit)?;
        let mut entries = decode_entries(&bytes, width)?;
        entries.truncate(usize::from(id.width()));
        Ok(entries)
    }

    /// The file of this path, or the full one in the place of a partial one: logs may drop that once it is full.
    fn read_at_least(&self, path: &str, width: u16, limit: u64) -> Result<(Vec<u8>, u16)> {
        if let Some(bytes) = self.source.read(path, limit)? {
            return Ok((bytes, width));
        }
        let (whole, partial) = path.split_once(".p/").unwrap_or((path, ""));
        if !partial.is_empty() {
            if let Some(bytes) = self.source.read(whole, limit)? {
                return Ok((bytes, TILE_WIDTH));
            }
            // in a folder the next wider one can be looked for; a server does not tell its names
            match &self.source.0 {
                Kind::Storage(storage) => {
                    for wider in wider_than(storage.as_ref(), whole, width)? {
                        if let Some(bytes) = self.source.read(&format!("{whole}.p/{wider}"), limit)? {
                            return Ok((bytes, wider));
                        }
                    }
                }
                #[cfg(feature = "witness")]
                Kind::Http(_) => {}
            }
        }
        Err(Error::new(
            ErrorKind::NotFound,
            format!("`{}` has no `{path}`, which its checkpoint commits to; try again, or restore it", self.source),
        )
        .with("path", path))
    }
}

impl TileReader for SourceTiles<'_> {
    fn tile(&self, id: TileId) -> Result<Vec<Hash>> {
        // a tile of a smaller tree is the beginning of the one that this tree has
        let here = TileId::containing(id.level(), id.index().saturating_mul(u64::from(TILE_WIDTH)), self.size)?;
        let (bytes, width) = self.read_at_least(&here.to_string(), here.width(), u64::from(TILE_WIDTH) * 32)?;
        let mut hashes = decode_tile(&bytes, width)?;
        hashes.truncate(usize::from(id.width()));
        Ok(hashes)
    }
}

fn wider_than(storage: &dyn Storage, whole: &str, width: u16) -> Result<Vec<u16>> {
    let folder = format!("{whole}.p/");
    let mut widths: Vec<u16> = Vec::new();
    storage.list(&folder, &mut |name, _| {
        let found = name.strip_prefix(&folder).and_then(|w| w.parse::<u16>().ok());
        widths.extend(found.filter(|w| (width + 1..TILE_WIDTH).contains(w)));
        Ok(())
    })?;
    widths.sort_unstable();
    Ok(widths)
}

#[cfg(feature = "witness")]
pub(super) fn too_long(name: &str, limit: u64) -> Error {
    Error::new(
        ErrorKind::LimitExceeded,
        format!("`{name}` of the log is longer than {limit} bytes; it is none of a log"),
    )
    .with("limit", limit)
}
