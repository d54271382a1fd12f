//! Entry bundles: where the entries of a tree are kept (C2SP tlog-tiles, "Log entries").

use std::fmt;
use std::str::FromStr;

use super::tampered;
use super::tile::{TILE_WIDTH, TileId, bad_path, coordinates, parse_coordinates};
use crate::error::{Error, ErrorKind, Result};

/// A bundle: its number, and how many entries it holds (256 if full). Bundle n holds the entries whose hashes tile n of
/// level 0 holds. Written as its path, `tile/entries/<number>[.p/<width>]`.
///
/// ```
/// use sealwright::merkle::BundleId;
/// assert_eq!(BundleId::containing(300, 310)?.to_string(), "tile/entries/001.p/54");
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BundleId(TileId);

impl BundleId {
    /// The bundle `index`, `width` entries wide (1 to 256).
    ///
    /// # Errors
    /// `API_MISUSE` if the width is out of its range.
    pub fn new(index: u64, width: u16) -> Result<Self> {
        TileId::new(0, index, width).map(Self)
    }

    /// The bundle that holds entry `index` in the tree of `size` leaves, as wide as it is there.
    ///
    /// # Errors
    /// `API_MISUSE` if the tree has no such entry.
    pub fn containing(index: u64, size: u64) -> Result<Self> {
        TileId::containing(0, index, size).map(Self)
    }

    /// The number of the bundle.
    pub fn index(&self) -> u64 {
        self.0.index()
    }

    /// How many entries it holds, 1 to 256.
    pub fn width(&self) -> u16 {
        self.0.width()
    }

    /// The tile with the hashes of its entries.
    pub fn tile(&self) -> TileId {
        self.0
    }
}

impl fmt::Display for BundleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/entries/{}", coordinates(self.index(), self.width()))
    }
}

impl FromStr for BundleId {
    type Err = Error;

    /// Reads the path, in its one spelling, else `MALFORMED`.
    fn from_str(path: &str) -> Result<Self> {
        let id = path
            .strip_prefix("tile/entries/")
            .and_then(parse_coordinates)
            .and_then(|(index, width)| Self::new(index, width).ok());
        match id {
            Some(id) if id.to_string() == path => Ok(id),
            _ => Err(bad_path(path, "tile/entries/<number>[.p/<width>]")),
        }
    }
}

/// A bundle as it is stored: each entry after its length in two bytes, big-endian.
///
/// # Errors
/// `API_MISUSE` for none or more than 256 entries, `LIMIT_EXCEEDED` for an entry over 65535 bytes.
pub fn encode_entries<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>> {
    if entries.is_empty() || entries.len() > usize::from(TILE_WIDTH) {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            format!("a bundle holds 1 to 256 entries, not {}", entries.len()),
        ));
    }
    let mut bytes = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let length = u16::try_from(entry.len()).map_err(|_| {
            Error::new(ErrorKind::LimitExceeded, format!("an entry has at most 65535 bytes, not {}", entry.len()))
        })?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

/// Reads a stored bundle.
///
/// # Errors
/// `LEDGER_TAMPERED` if it does not hold exactly `width` entries.
pub fn decode_entries(bytes: &[u8], width: u16) -> Result<Vec<Vec<u8>>> {
    let broken = || tampered(format!("the bundle does not hold exactly {width} entries; restore it from a copy"));
    let mut entries = Vec::with_capacity(usize::from(width));
    let mut rest = bytes;
    for _ in 0..width {
        let (length, tail) = rest.split_first_chunk().ok_or_else(broken)?;
        let (entry, tail) = tail.split_at_checked(u16::from_be_bytes(*length).into()).ok_or_else(broken)?;
        entries.push(entry.to_vec());
        rest = tail;
    }
    if rest.is_empty() { Ok(entries) } else { Err(broken()) }
}
