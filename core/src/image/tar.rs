//! Reads tar archives as a stream: the formats of POSIX (ustar, pax), of GNU tar and of before them (POSIX.1-2024, pax,
//! "pax Interchange Format"; GNU tar, "Basic Tar Format").

use std::io::{self, Read};

use super::unpack::fault_of;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

const BLOCK: usize = 512;

/// Bytes that can be passed over.
pub(super) trait Stream: Read {
    /// Passes over `count` bytes. The end of the stream may go by unnoticed; the next read notices.
    fn skip(&mut self, count: u64) -> io::Result<()> {
        io::copy(&mut self.take(count), &mut io::sink()).map(|_| ())
    }
}

/// What an archive holds under one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Without a slash at either end, empty or `.` parts; the root is empty.
    pub(super) path: Box<[u8]>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File {
        size: u64,
    },
    /// A file with holes, whose content is not read.
    Sparse,
    Directory,
    Symlink(Box<[u8]>),
    /// Another name of the file at this path, in the form of [`Entry::path`].
    Hardlink(Box<[u8]>),
    /// A device or a named pipe.
    Special,
}

/// An archive that is being read.
pub(super) struct Tar<R> {
    stream: R,
    /// Bytes of the present entry that were not read, and of what fills its last block.
    left: u64,
    padding: u64,
    /// Bytes of headers that may still be read.
    headers: u64,
}

/// What headers say of the entry after them.
#[derive(Default)]
struct Extended {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: bool,
}

impl<R: Stream> Tar<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, left: 0, padding: 0, headers: limits::IMAGE_NAME_BYTES }
    }

    /// The next entry, or none at the end of the archive.
    ///
    /// # Errors
    /// `MALFORMED` if it is cut or no archive, `UNSUPPORTED` for a kind of entry that no image has, `LIMIT_EXCEEDED`.
    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        let mut extended = Extended::default();
        loop {
            self.pass_over()?;
            let block = self.block()?;
            if block.iter().all(|byte| *byte == 0) {
                return self.end().map(|()| None);
            }
            let header = Header(&block);
            header.check()?;
            let size = extended.size.map_or_else(|| header.number(124, 12), Ok)?;
            match header.flag() {
                b'x' => {
                    let records = self.text(header.number(124, 12)?)?;
                    read_pax(&records, &mut extended)?;
                }
                // what it says of all entries, runtimes pass over
                b'g' => drop(self.text(header.number(124, 12)?)?),
                b'L' => extended.path = Some(until_zero(self.text(header.number(124, 12)?)?)),
                b'K' => extended.link = Some(until_zero(self.text(header.number(124, 12)?)?)),
                flag => {
                    let raw = extended.path.take().unwrap_or_else(|| header.path());
                    let path = clean(&raw)?;
                    let link = extended.link.take().unwrap_or_else(|| until_zero(header.field(157, 100).to_vec()));
                    let (kind, content) = match flag {
                        0 if raw.last() == Some(&b'/') => (Kind::Directory, 0),
                        0 | b'0' | b'7' if extended.sparse => (Kind::Sparse, size),
                        0 | b'0' | b'7' => (Kind::File { size }, size),
                        b'1' => (Kind::Hardlink(clean(&link)?), 0),
                        b'2' => (Kind::Symlink(bounded(link)?.into()), 0),
                        b'3' | b'4' | b'6' => (Kind::Special, 0),
                        b'5' => (Kind::Directory, 0),
                        b'S' => {
                            self.pass_over_map(&block)?;
                            (Kind::Sparse, size)
                        }
                        other => {
                            return Err(Error::new(
                                ErrorKind::Unsupported,
                                format!(
                                    "`{}` is of the kind `{}`, which no image holds; write the image anew",
                                    shown(&path),
                                    char::from(other).escape_default()
                                ),
                            ));
                        }
                    };
                    self.left = content;
                    self.padding = padding(content);
                    return Ok(Some(Entry { path, kind }));
                }
            }
        }
    }

    /// The stream, after its last entry.
    pub(super) fn into_stream(self) -> R {
        self.stream
    }

    fn pass_over(&mut self) -> Result<()> {
        let count = self.left.saturating_add(self.padding);
        (self.left, self.padding) = (0, 0);
        if count == 0 { Ok(()) } else { self.stream.skip(count).map_err(fault_of) }
    }

    fn block(&mut self) -> Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        self.stream.read_exact(&mut block).map_err(fault_of)?;
        Ok(block)
    }

    /// After one block of zeros: there is another, or nothing at all.
    fn end(&mut self) -> Result<()> {
        let mut block = Vec::with_capacity(BLOCK);
        (&mut self.stream).take(BLOCK as u64).read_to_end(&mut block).map_err(fault_of)?;
        if block.iter().any(|byte| *byte != 0) {
            return Err(malformed("goes on after its end"));
        }
        Ok(())
    }

    /// The content of a header that is a text of its own.
    fn text(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > limits::IMAGE_HEADER_BYTES {
            return Err(limit("a header", limits::IMAGE_HEADER_BYTES));
        }
        self.headers =
            self.headers.checked_sub(size).ok_or_else(|| limit("the headers together", limits::IMAGE_NAME_BYTES))?;
        (self.left, self.padding) = (size, padding(size));
        content(self)
    }

    /// Passes over what tells where the holes of a file are, in the old format of GNU tar.
    fn pass_over_map(&mut self, header: &[u8; BLOCK]) -> Result<()> {
        let mut more = header.get(482).is_some_and(|flag| *flag != 0);
        while more {
            self.headers = self
                .headers
                .checked_sub(BLOCK as u64)
                .ok_or_else(|| limit("the headers together", limits::IMAGE_NAME_BYTES))?;
            more = self.block()?.get(504).is_some_and(|flag| *flag != 0);
        }
        Ok(())
    }
}

impl<R: Read> Read for Tar<R> {
    /// The content of the present entry; an error if the archive ends in it.
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        let Some(out) = out.get_mut(..most).filter(|out| !out.is_empty()) else { return Ok(0) };
        let count = self.stream.read(out)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= count as u64;
        Ok(count)
    }
}

struct Header<'a>(&'a [u8; BLOCK]);

impl Header<'_> {
    fn field(&self, start: usize, length: usize) -> &[u8] {
        self.0.get(start..start + length).unwrap_or_default()
    }

    fn flag(&self) -> u8 {
        self.field(156, 1).first().copied().unwrap_or_default()
    }

    /// Whether its bytes have the sum that it says; some writers took bytes as signed.
    fn check(&self) -> Result<()> {
        let told = self.number(148, 8)?;
        let bytes = || self.0.iter().enumerate().map(|(n, byte)| if (148..156).contains(&n) { b' ' } else { *byte });
        let unsigned: u64 = bytes().map(u64::from).sum();
        let signed: i64 = bytes().map(|byte| i64::from(byte.cast_signed())).sum();
        if told == unsigned || i64::try_from(told) == Ok(signed) {
            return Ok(());
        }
        Err(malformed("has a header whose checksum is wrong"))
    }

    /// A number: octal digits, or base 256 where GNU tar needs more.
    fn number(&self, start: usize, length: usize) -> Result<u64> {
        let field = self.field(start, length);
        let wrong = || malformed("has a header with a number that is none");
        if let Some((&first, rest)) = field.split_first().filter(|(first, _)| **first & 0x80 != 0) {
            // the next bit is the sign
            if first & 0x40 != 0 {
                return Err(wrong());
            }
            let start = u64::from(first & 0x3f);
            return rest
                .iter()
                .try_fold(start, |n, byte| n.checked_mul(256)?.checked_add(u64::from(*byte)))
                .ok_or_else(wrong);
        }
        let text = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
        let digits = text.iter().all(|byte| matches!(byte, b'0'..=b'7'));
        match std::str::from_utf8(text) {
            Ok("") => Ok(0),
            Ok(text) if digits => u64::from_str_radix(text, 8).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    }

    fn path(&self) -> Vec<u8> {
        let name = until_zero(self.field(0, 100).to_vec());
        // GNU tar, which ends its magic otherwise, has times where POSIX has the start of a long path
        let prefix =
            if self.field(257, 6) == b"ustar\0" { until_zero(self.field(345, 155).to_vec()) } else { Vec::new() };
        if prefix.is_empty() { name } else { [&prefix, &b"/"[..], &name].concat() }
    }
}

/// Reads records `<length> <key>=<value>\n`. An empty value takes back what the header says, which is no other path.
fn read_pax(mut records: &[u8], extended: &mut Extended) -> Result<()> {
    let wrong = || malformed("has an extended header that is cut or none");
    while !records.is_empty() {
        let space = records.iter().take(20).position(|byte| *byte == b' ').ok_or_else(wrong)?;
        let digits = records.get(..space).and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(wrong)?;
        let length = digits.parse::<usize>().ok().filter(|length| *length > space + 1).ok_or_else(wrong)?;
        let (record, rest) = records.split_at_checked(length).ok_or_else(wrong)?;
        records = rest;
        let record = record.get(space + 1..).and_then(|text| text.strip_suffix(b"\n")).ok_or_else(wrong)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(wrong)?;
        let (key, value) = record.split_at(equals);
        let value = value.get(1..).unwrap_or_default();
        let text = || (!value.is_empty()).then(|| value.to_vec());
        match key {
            // the name of a sparse file stands in a key of its own
            b"path" if extended.sparse => {}
            b"path" => extended.path = text(),
            b"linkpath" => extended.link = text(),
            b"size" => {
                let size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
                extended.size = Some(size);
            }
            b"GNU.sparse.name" => (extended.path, extended.sparse) = (text(), true),
            key if key.starts_with(b"GNU.sparse.") => extended.sparse = true,
            _ => {}
        }
    }
    Ok(())
}

/// A path without what says nothing. One that would climb is refused: no image has it.
fn clean(path: &[u8]) -> Result<Box<[u8]>> {
    let mut cleaned = Vec::with_capacity(path.len());
    let mut depth = 0;
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => return Err(malformed(format_args!("has the path `{}`, which climbs", shown(path)))),
            part => {
                if !cleaned.is_empty() {
                    cleaned.push(b'/');
                }
                cleaned.extend_from_slice(part);
                depth += 1;
            }
        }
    }
    if depth > limits::IMAGE_DEPTH {
        return Err(limit("the depth of a path", limits::IMAGE_DEPTH as u64));
    }
    Ok(bounded(cleaned)?.into())
}

fn bounded(path: Vec<u8>) -> Result<Vec<u8>> {
    if path.len() > limits::IMAGE_PATH_BYTES {
        return Err(limit("a path", limits::IMAGE_PATH_BYTES as u64));
    }
    if path.contains(&0) {
        return Err(malformed("has a path with a zero byte in it"));
    }
    Ok(path)
}

fn until_zero(mut text: Vec<u8>) -> Vec<u8> {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    text.truncate(end);
    text
}

fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

/// The whole content of an entry, however long it is said to be.
pub(super) fn content(reader: &mut dyn Read) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.read_to_end(&mut content).map_err(fault_of)?;
    Ok(content)
}

/// A path as it stands in messages.
pub(super) fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).escape_debug().to_string()
}

fn malformed(fault: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("the tar archive {fault}; fetch it anew"))
}

fn limit(what: &str, most: u64) -> Error {
    Error::new(ErrorKind::LimitExceeded, format!("{what} of the tar archive has over {most}; it is no image of ours"))
        .with("limit", most)
}
