//! The journal of a folder: what was committed, and may not be in its own files yet, or not on disk there.
//!
//! ```text
//! header   "sealwright-journal/v1\n", the boot it was written in, "\n", 32 hex digits at random, "\n"
//! frame    length (8 bytes, big-endian), SHA-256 over the sum before it and the payload, payload, seal (1 byte)
//! ```
//!
//! The sum before the first frame is that of the header, so that frames of an older journal in the same file never
//! follow on new ones. A frame is one commit: the objects, those they make stale, and the checkpoint before and after. A
//! frame that is not whole, and all after it, never happened. Integers are big-endian.
//!
//! The seal is 0 until the frame is on disk; then it is made 1, which need not be on disk itself. Whoever reads without the
//! lock believes a frame if it or one after it is sealed: what is not on disk yet may still be cut off. After another boot
//! everything that is read is on disk.
//!
//! Zeros may follow on the last frame: room for the next ones. A write into room that is on disk already is brought there
//! without a word to the file system's own journal, in less than half the time.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::{Batch, Object};
use crate::limits;
use crate::merkle::{BundleId, TILE_WIDTH, TileId};

pub(super) type Sum = [u8; 32];

const MAGIC: &str = "sealwright-journal/v1\n";
/// A boot as the system names it, or dashes.
const BOOT: usize = 36;
pub(super) const HEADER: usize = MAGIC.len() + BOOT + 1 + 32 + 1;
/// Length and sum before a payload.
const FRAME_HEAD: usize = 8 + 32;
/// What follows on a payload.
const SEAL: usize = 1;
pub(super) const SEALED: u8 = 1;

/// What is known of a journal: each who reads it goes on from where it stopped.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Its header, empty if there is no journal.
    pub(super) header: Vec<u8>,
    /// Where the last whole frame ends.
    pub(super) end: u64,
    /// Sum of the last whole frame.
    sum: Sum,
    /// Its objects as its last frame leaves them.
    pub(super) contents: BTreeMap<String, Content>,
    /// What its frames made stale, as far as that may lie in the folder.
    pub(super) stale: BTreeSet<String>,
    /// The checkpoint before its first frame.
    pub(super) before: Option<Vec<u8>>,
    /// The checkpoints after each of its frames.
    pub(super) checkpoints: Vec<Vec<u8>>,
    /// Whether it was held against the folder with the lock in hand.
    pub(super) is_checked: bool,
    /// Whether what is in its place can't be believed to be there, since bringing it to disk failed.
    pub(super) is_in_doubt: bool,
    /// Bytes of its contents.
    held: u64,
}

/// An object of a journal, whole.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// The frame that it came with, counted from 0.
    pub(super) frame: usize,
}

/// One commit, as read.
pub(super) struct Frame<'a> {
    pub(super) objects: Vec<FrameObject<'a>>,
    pub(super) stale: Vec<&'a str>,
    pub(super) before: Option<&'a [u8]>,
    pub(super) after: &'a [u8],
}

pub(super) struct FrameObject<'a> {
    pub(super) name: &'a str,
    /// What it begins with, and how long that is.
    pub(super) grown_from: Option<(&'a str, usize)>,
    pub(super) bytes: &'a [u8],
}

/// A header for a new journal.
pub(super) fn header(random: [u8; 16], boot: Option<&str>) -> Vec<u8> {
    let boot = boot.filter(|boot| boot.len() == BOOT).map_or_else(|| "-".repeat(BOOT), str::to_owned);
    format!("{MAGIC}{boot}\n{}\n", hex::encode(random)).into_bytes()
}

impl Journal {
    /// Whether it was written since the machine was started: then what was written to other files is seen by all, on
    /// disk or not.
    pub(super) fn is_of_boot(&self, boot: Option<&str>) -> bool {
        let own = self.header.get(MAGIC.len()..MAGIC.len() + BOOT);
        boot.is_some_and(|boot| own == Some(boot.as_bytes()))
    }

    pub(super) fn begin(&mut self, header: Vec<u8>) {
        *self = Self { sum: Sha256::digest(&header).into(), end: header.len() as u64, header, ..Self::default() };
    }

    /// The bytes of the next frame, its payload written so that it can be read back from this journal alone.
    pub(super) fn encode(&self, batch: &Batch<'_>) -> (Vec<u8>, Sum) {
        let room = batch.objects.iter().map(|o| o.bytes.len() + o.name.len() + 64).sum::<usize>();
        let mut out = vec![0; FRAME_HEAD];
        out.reserve(room);
        number(&mut out, batch.objects.len());
        for object in &batch.objects {
            text(&mut out, object.name.as_bytes());
            let base = object.grown_from.as_ref().filter(|(from, _)| self.contents.contains_key(from));
            let kept = base.map_or(0, |(_, kept)| *kept);
            text(&mut out, base.map_or(&[][..], |(from, _)| from.as_bytes()));
            number(&mut out, kept);
            text(&mut out, object.bytes.get(kept..).unwrap_or_default());
        }
        number(&mut out, batch.stale.len());
        batch.stale.iter().for_each(|name| text(&mut out, name.as_bytes()));
        text(&mut out, batch.before.unwrap_or_default());
        text(&mut out, batch.checkpoint);
        let payload = out.get(FRAME_HEAD..).unwrap_or_default();
        let sum: Sum = Sha256::new_with_prefix(self.sum).chain_update(payload).finalize().into();
        let head = [&(payload.len() as u64).to_be_bytes()[..], &sum].concat();
        out.splice(..FRAME_HEAD, head);
        out.push(0);
        (out, sum)
    }

    /// Takes what was written to its end.
    pub(super) fn push(&mut self, length: usize, sum: Sum, batch: Batch<'_>) {
        if self.checkpoints.is_empty() {
            self.before = batch.before.map(<[u8]>::to_vec);
        }
        self.end += length as u64;
        self.sum = sum;
        let frame = self.checkpoints.len();
        let length = |content: Option<&Content>| content.map_or(0, |content| content.bytes.len() as u64);
        for name in batch.stale {
            self.held -= length(self.contents.remove(&name).as_ref());
            self.stale.insert(name);
        }
        for object in batch.objects {
            self.stale.remove(&object.name);
            self.held += object.bytes.len() as u64;
            let content = Content { bytes: object.bytes, frame };
            self.held -= length(self.contents.insert(object.name, content).as_ref());
        }
        self.checkpoints.push(batch.checkpoint.to_vec());
    }

    /// The checkpoint after its last frame, none without a frame.
    pub(super) fn checkpoint(&self) -> Option<&[u8]> {
        self.checkpoints.last().map(Vec::as_slice)
    }

    /// How many of its frames lie in a folder with this checkpoint; none if the folder was never at any of them.
    pub(super) fn frames_in(&self, checkpoint: Option<&[u8]>) -> Option<usize> {
        let after = self.checkpoints.iter().rposition(|after| Some(after.as_slice()) == checkpoint);
        after.map(|frame| frame + 1).or_else(|| (self.before.as_deref() == checkpoint).then_some(0))
    }

    /// Reads on in a file of `length` bytes from where it ends: the whole frames, up to the first that is not.
    ///
    /// Fails with `LEDGER_TAMPERED` if a frame goes on from what the journal does not hold.
    pub(super) fn read_on(&mut self, file: &mut (impl Read + Seek), path: &Path, length: u64) -> Result<End> {
        let failed = |e| Error::io("read", path, e);
        file.seek(SeekFrom::Start(self.end)).map_err(failed)?;
        loop {
            let left = length.saturating_sub(self.end);
            let mut head = Vec::with_capacity(FRAME_HEAD);
            file.by_ref().take(left.min(FRAME_HEAD as u64)).read_to_end(&mut head).map_err(failed)?;
            if head.iter().all(|byte| *byte == 0) {
                return Ok(End::Clean);
            }
            let Some((size, sum)) = head.split_first_chunk::<8>() else { return Ok(End::Torn) };
            let size = u64::from_be_bytes(*size);
            if size > left.saturating_sub((FRAME_HEAD + SEAL) as u64) {
                return Ok(End::Torn);
            }
            let mut payload = Vec::new();
            file.by_ref().take(size).read_to_end(&mut payload).map_err(failed)?;
            let right: Sum = Sha256::new_with_prefix(self.sum).chain_update(&payload).finalize().into();
            let frame = (right == *sum).then(|| Frame::parse(&payload)).flatten();
            let Some(frame) = frame else { return Ok(End::Torn) };
            file.seek(SeekFrom::Current(SEAL as i64)).map_err(failed)?;
            let grown: u64 = frame
                .objects
                .iter()
                .map(|o| o.bytes.len() as u64 + o.grown_from.map_or(0, |(_, kept)| kept as u64))
                .sum();
            if self.held.saturating_add(grown) > 2 * limits::LEDGER_JOURNAL_BYTES {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("`{}` holds more than any journal; restore the ledger from a copy", path.display()),
                ));
            }
            let objects = frame.objects.iter().map(|object| self.whole(object, path)).collect::<Result<_>>()?;
            let stale = frame.stale.iter().map(|name| (*name).to_owned()).collect();
            let batch = Batch { objects, stale, before: frame.before, checkpoint: frame.after };
            self.push(FRAME_HEAD + payload.len() + SEAL, right, batch);
        }
    }

    /// Where the last sealed frame of a file of `length` bytes ends, from where this journal ends on.
    pub(super) fn sealed(&self, file: &mut (impl Read + Seek), length: u64) -> std::io::Result<u64> {
        let (mut at, mut sealed) = (self.end, self.end);
        while length.saturating_sub(at) > (FRAME_HEAD + SEAL) as u64 {
            let mut size = [0; 8];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut size)?;
            let size = u64::from_be_bytes(size);
            if size == 0 || size > length - at - (FRAME_HEAD + SEAL) as u64 {
                break;
            }
            at += FRAME_HEAD as u64 + size + SEAL as u64;
            if read_byte(file, at - 1)? == SEALED {
                sealed = at;
            }
        }
        Ok(sealed)
    }

    /// Whether its last frame is sealed, or it has none.
    pub(super) fn is_sealed(&self, file: &mut (impl Read + Seek)) -> std::io::Result<bool> {
        Ok(self.checkpoints.is_empty() || read_byte(file, self.end - 1)? == SEALED)
    }

    /// An object of the next frame, with what it begins with.
    fn whole(&self, object: &FrameObject<'_>, path: &Path) -> Result<Object> {
        let base = match object.grown_from {
            None => &[][..],
            Some((from, kept)) => {
                let base = self.contents.get(from).and_then(|content| content.bytes.get(..kept));
                base.ok_or_else(|| {
                    Error::new(
                        ErrorKind::LedgerTampered,
                        format!(
                            "`{}` does not hold all of `{}`; restore the ledger from a copy",
                            path.display(),
                            object.name
                        ),
                    )
                })?
            }
        };
        Ok(Object { name: object.name.to_owned(), bytes: [base, object.bytes].concat(), grown_from: None })
    }
}

/// How a journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a whole frame, and room for more if the file goes on.
    Clean,
    /// With a frame that is not whole.
    Torn,
}

/// Checks that a journal would give back what it is given: a frame with a name that it does not read is lost.
///
/// Fails with `INTERNAL`.
pub(super) fn check_names(batch: &Batch<'_>) -> Result<()> {
    let mut names = batch.objects.iter().map(|object| &object.name).chain(&batch.stale);
    match names.find(|name| is_name(name.as_bytes()).is_none()) {
        Some(name) => {
            Err(Error::new(ErrorKind::Internal, format!("`{name}` is nothing that a journal holds; report it")))
        }
        None => Ok(()),
    }
}

fn read_byte(file: &mut (impl Read + Seek), at: u64) -> std::io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut byte)?;
    let [byte] = byte;
    Ok(byte)
}

/// The header of a file, if it is one of a journal.
pub(super) fn read_header(file: &mut std::fs::File) -> std::io::Result<Option<Vec<u8>>> {
    let mut header = Vec::with_capacity(HEADER);
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
    Ok((header.len() == HEADER && header.starts_with(MAGIC.as_bytes())).then_some(header))
}

impl<'a> Frame<'a> {
    fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut rest = payload;
        let count = take_number(&mut rest)?;
        let mut objects = Vec::new();
        for _ in 0..count {
            let name = take_name(&mut rest)?;
            let from = take_text(&mut rest)?;
            let kept = take_number(&mut rest)?;
            let grown_from = match from {
                [] => None,
                from => Some((is_name(from)?, kept)),
            };
            objects.push(FrameObject { name, grown_from, bytes: take_text(&mut rest)? });
        }
        let count = take_number(&mut rest)?;
        let mut stale = Vec::new();
        for _ in 0..count {
            stale.push(take_name(&mut rest)?);
        }
        let before = Some(take_text(&mut rest)?).filter(|before| !before.is_empty());
        let after = take_text(&mut rest)?;
        rest.is_empty().then_some(Self { objects, stale, before, after })
    }
}

/// The name of an object that a commit writes: a tile, a bundle, a body, its header or a rotation. A journal is read before
/// anything is verified, so nothing else is one.
fn is_name(name: &[u8]) -> Option<&str> {
    let name = str::from_utf8(name).ok()?;
    let is_tile = name.parse::<TileId>().is_ok() || name.parse::<BundleId>().is_ok();
    let is_ours = match name.strip_prefix("keys/").unwrap_or(name).strip_prefix("bodies/") {
        // numbered like a full bundle
        Some(number) => format!("tile/entries/{number}").parse::<BundleId>().is_ok_and(|id| id.width() == TILE_WIDTH),
        None => {
            is_tile
                || name
                    .strip_prefix("rotations/")
                    .is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()) && !n.is_empty())
        }
    };
    is_ours.then_some(name)
}

fn number(out: &mut Vec<u8>, number: usize) {
    out.extend((number as u64).to_be_bytes());
}

fn text(out: &mut Vec<u8>, text: &[u8]) {
    number(out, text.len());
    out.extend(text);
}

fn take_number(rest: &mut &[u8]) -> Option<usize> {
    let (number, tail) = rest.split_first_chunk::<8>()?;
    *rest = tail;
    usize::try_from(u64::from_be_bytes(*number)).ok()
}

fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(rest)?;
    let (text, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(text)
}

fn take_name<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    take_text(rest).and_then(is_name)
}

/// The journal as it would have been written with the header it has: all frames that are whole but for their sums.
#[cfg(test)]
pub(super) fn rewritten(bytes: &[u8]) -> Vec<u8> {
    let Some((header, mut rest)) = bytes.split_at_checked(HEADER) else { return bytes.to_vec() };
    let mut out = header.to_vec();
    let mut sum: Sum = Sha256::digest(header).into();
    while let Some((length, tail)) = rest.split_first_chunk::<8>() {
        let Some((_, tail)) = tail.split_first_chunk::<32>() else { break };
        let Some((payload, tail)) = tail.split_at_checked(u64::from_be_bytes(*length) as usize) else { break };
        let Some((seal, tail)) = tail.split_first_chunk::<SEAL>().filter(|_| !payload.is_empty()) else { break };
        sum = Sha256::new_with_prefix(sum).chain_update(payload).finalize().into();
        out.extend([&length[..], &sum, payload, seal].concat());
        rest = tail;
    }
    out.extend(rest);
    out
}
