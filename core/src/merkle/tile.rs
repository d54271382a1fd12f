//! Tiles: where the hashes of a tree are kept (C2SP tlog-tiles, "Merkle Tree").

use std::fmt;
use std::str::FromStr;

use super::{Hash, tampered};
use crate::error::{Error, ErrorKind, Result};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// A tile: its level, its number within the level, and how many hashes it holds (256 if full).
///
/// Written as its path, `tile/<level>/<number>[.p/<width>]`.
///
/// ```
/// use sealwright::merkle::TileId;
/// let id = TileId::new(1, 1_234_067, 8)?;
/// assert_eq!(id.to_string(), "tile/1/x001/x234/067.p/8");
/// assert_eq!(id.to_string().parse::<TileId>()?, id);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    level: u8,
    index: u64,
    width: u16,
}

/// Gives the tiles of one tree.
pub trait TileReader {
    /// The hashes of a tile, exactly as many as its width. The partial tiles asked for are those of the tree size given
    /// to the call that asks; where only the full tile is kept, its beginning is the partial one.
    ///
    /// # Errors
    /// Any; they reach the caller unchanged.
    fn tile(&self, id: TileId) -> Result<Vec<Hash>>;
}

impl TileId {
    /// The tile `index` of `level` (0 to 63), `width` hashes wide (1 to 256).
    ///
    /// # Errors
    /// `API_MISUSE` if a number is out of its range.
    pub fn new(level: u8, index: u64, width: u16) -> Result<Self> {
        if level > 63 || width == 0 || width > TILE_WIDTH {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("there is no tile of level `{level}` and width `{width}`; use levels 0–63 and widths 1–256"),
            ));
        }
        Ok(Self { level, index, width })
    }

    /// The tile that holds hash number `position` of `level` in the tree of `size` leaves, as wide as it is there.
    ///
    /// # Errors
    /// `API_MISUSE` if the tree has no such hash.
    pub fn containing(level: u8, position: u64, size: u64) -> Result<Self> {
        let hashes = hashes_at(level, size);
        if position >= hashes {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("a tree of size `{size}` has no hash `{position}` at tile level `{level}`"),
            ));
        }
        let index = position / u64::from(TILE_WIDTH);
        Self::new(level, index, width_of(index, hashes))
    }

    /// The level: 0 holds leaf hashes, each further one the roots of the full tiles below.
    pub fn level(&self) -> u8 {
        self.level
    }

    /// The number within the level.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// How many hashes it holds, 1 to 256.
    pub fn width(&self) -> u16 {
        self.width
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tile/{}/{}", self.level, coordinates(self.index, self.width))
    }
}

impl FromStr for TileId {
    type Err = Error;

    /// Reads the path, in its one spelling, else `MALFORMED`.
    fn from_str(path: &str) -> Result<Self> {
        let id = path
            .strip_prefix("tile/")
            .and_then(|rest| rest.split_once('/'))
            .and_then(|(level, rest)| Some((level.parse().ok()?, parse_coordinates(rest)?)))
            .and_then(|(level, (index, width))| Self::new(level, index, width).ok());
        match id {
            Some(id) if id.to_string() == path => Ok(id),
            _ => Err(bad_path(path, "tile/<level>/<number>[.p/<width>]")),
        }
    }
}

/// A tile as it is stored: its hashes, one after the other.
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.as_bytes()).copied().collect()
}

/// Reads a stored tile.
///
/// # Errors
/// `LEDGER_TAMPERED` if it does not hold exactly `width` hashes.
pub fn decode_tile(bytes: &[u8], width: u16) -> Result<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if hashes.len() != usize::from(width) || !rest.is_empty() {
        return Err(tampered(format!(
            "a tile of {width} hashes has {} bytes, found {}; restore it from a copy",
            usize::from(width) * 32,
            bytes.len()
        )));
    }
    Ok(hashes.iter().copied().map(Hash::from).collect())
}

/// How many hashes the tiles of `level` hold in a tree of `size` leaves.
pub(super) fn hashes_at(level: u8, size: u64) -> u64 {
    size.checked_shr(8 * u32::from(level)).unwrap_or(0)
}

/// The width of tile `index` where its level holds `hashes`, of which it holds at least one.
pub(super) fn width_of(index: u64, hashes: u64) -> u16 {
    let beyond = hashes.saturating_sub(index.saturating_mul(u64::from(TILE_WIDTH)));
    u16::try_from(beyond).map_or(TILE_WIDTH, |width| width.min(TILE_WIDTH))
}

/// `<N>[.p/<W>]` of a path.
pub(super) fn coordinates(index: u64, width: u16) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    if width < TILE_WIDTH { format!("{path}.p/{width}") } else { path }
}

/// Reads what [`coordinates`] wrote, and more: the caller compares spellings.
pub(super) fn parse_coordinates(path: &str) -> Option<(u64, u16)> {
    let (number, width) = match path.split_once(".p/") {
        Some((number, width)) => (number, width.parse().ok()?),
        None => (path, TILE_WIDTH),
    };
    let mut index = 0u64;
    for element in number.split('/') {
        let digits: u64 = element.trim_start_matches('x').parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    Some((index, width))
}

pub(super) fn bad_path(path: &str, expected: &str) -> Error {
    let shown: String = path.escape_debug().take(80).collect();
    Error::new(ErrorKind::Malformed, format!("`{shown}` is no path of a ledger; expected `{expected}`"))
}
