//! The header of an rpm package as its database keeps it: an index of tags, and their values (rpm.org, "Package format",
//! "Header").

use std::collections::{BTreeMap, BTreeSet};

/// Tags that are read (rpm.org, "RPM Tags").
pub(super) mod tag {
    pub(in super::super) const NAME: u32 = 1000;
    pub(in super::super) const VERSION: u32 = 1001;
    pub(in super::super) const RELEASE: u32 = 1002;
    pub(in super::super) const EPOCH: u32 = 1003;
    pub(in super::super) const LICENSE: u32 = 1014;
    pub(in super::super) const ARCH: u32 = 1022;
    pub(in super::super) const SOURCE_RPM: u32 = 1044;
    pub(in super::super) const PROVIDE_NAME: u32 = 1047;
    pub(in super::super) const REQUIRE_NAME: u32 = 1049;
    pub(super) const DIR_INDEXES: u32 = 1116;
    pub(super) const BASE_NAMES: u32 = 1117;
    pub(super) const DIR_NAMES: u32 = 1118;
}

const INT32: u32 = 4;
const STRING: u32 = 6;
const STRINGS: u32 = 8;
const TRANSLATED: u32 = 9;
/// Bytes before the index, and of one row of it.
const START: usize = 8;
const ROW: usize = 16;

/// Values of one tag.
const COUNT: usize = 1_000_000;

pub(super) struct Header {
    bytes: Vec<u8>,
    /// Where the values begin.
    values: usize,
    rows: BTreeMap<u32, Row>,
}

#[derive(Clone, Copy)]
struct Row {
    kind: u32,
    offset: usize,
    count: usize,
}

impl Header {
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, &'static str> {
        const WRONG: &str = "has a package whose header is cut or none";
        let rows = number(&bytes, 0).ok_or(WRONG)?;
        let length = number(&bytes, 4).ok_or(WRONG)?;
        let values = rows.checked_mul(ROW).and_then(|index| index.checked_add(START)).ok_or(WRONG)?;
        if rows == 0 || values.checked_add(length) != Some(bytes.len()) {
            return Err(WRONG);
        }
        let mut header = Self { values, rows: BTreeMap::new(), bytes };
        for at in (START..values).step_by(ROW) {
            let field = |n: usize| number(&header.bytes, at + 4 * n).ok_or(WRONG);
            let (tag, kind, offset, count) = (field(0)?, field(1)?, field(2)?, field(3)?);
            let row = Row { kind: u32::try_from(kind).map_err(|_| WRONG)?, offset, count };
            let tag = u32::try_from(tag).map_err(|_| WRONG)?;
            // tags of the header itself, below 100, point elsewhere
            if tag >= 100 && (offset > length || count > COUNT || header.rows.insert(tag, row).is_some()) {
                return Err(WRONG);
            }
        }
        Ok(header)
    }

    /// The first text of a tag.
    pub(super) fn text(&self, tag: u32) -> Option<String> {
        self.texts(tag).into_iter().next()
    }

    /// All texts of a tag, as far as they are there.
    pub(super) fn texts(&self, tag: u32) -> Vec<String> {
        let Some(row) = self.rows.get(&tag).filter(|row| matches!(row.kind, STRING | STRINGS | TRANSLATED)) else {
            return Vec::new();
        };
        let start = self.bytes.get(self.values + row.offset..).unwrap_or_default();
        let texts = start.split(|byte| *byte == 0).take(row.count);
        texts.map(|text| String::from_utf8_lossy(text).into_owned()).collect()
    }

    /// The first number of a tag.
    pub(super) fn number(&self, tag: u32) -> Option<usize> {
        self.numbers(tag).next()
    }

    fn numbers(&self, tag: u32) -> impl Iterator<Item = usize> {
        let row = self.rows.get(&tag).filter(|row| row.kind == INT32);
        let start = row.map_or(0, |row| self.values + row.offset);
        let count = row.map_or(0, |row| row.count);
        (0..count).map_while(move |n| number(&self.bytes, start.checked_add(n.checked_mul(4)?)?))
    }

    /// Those files of the package that are wanted, which are folders by the names in them.
    pub(super) fn paths_among(&self, wanted: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
        if wanted.is_empty() {
            return Vec::new();
        }
        let folders = self.texts(tag::DIR_NAMES);
        let names = self.texts(tag::BASE_NAMES);
        let folder_of = self.numbers(tag::DIR_INDEXES).map(|n| folders.get(n).map(String::as_str).unwrap_or_default());
        let files = folder_of.zip(&names);
        let found = files.filter(|(folder, name)| wanted.get(*name).is_some_and(|folders| folders.contains(*folder)));
        found.map(|(folder, name)| format!("{folder}{name}")).collect()
    }
}

/// Four bytes, the highest first.
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(four)).ok()
}
