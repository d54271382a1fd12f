//! The journal of a folder: what was committed and may not yet be on disk in its own files.
//!
//! ```text
//! header   "sealwright-journal/v1\n", the boot it was written in, "\n", 32 hex digits at random, "\n"
//! frame    length (8 bytes, big-endian), SHA-256 over the sum before it and the payload, payload
//! ```
//!
//! The sum before the first frame is that of the header, so that frames of an older journal in the same file never
//! follow on new ones. A frame is one commit: the objects, those they make stale, and the checkpoint before and after. A
//! frame that is not whole, and all after it, never happened. Integers are big-endian.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::io::{Seek as _, SeekFrom};

use sha2::{Digest as _, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::ledger::storage::Batch;

pub(super) type Sum = [u8; 32];

const MAGIC: &str = "sealwright-journal/v1\n";
/// A boot as the system names it, or dashes.
const BOOT: usize = 36;
pub(super) const HEADER: usize = MAGIC.len() + BOOT + 1 + 32 + 1;
/// Length and sum before a payload.
const FRAME_HEAD: usize = 8 + 32;

/// What is known of a journal: the same for all who hold the folder's lock, each reads on from where it stopped.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// Its header, empty if there is no journal.
    pub(super) header: Vec<u8>,
    /// Where the last whole frame ends.
    pub(super) end: u64,
    /// Sum of the last whole frame.
    pub(super) sum: Sum,
    /// Objects that lie in it whole, and can be grown from.
    pub(super) whole: BTreeSet<String>,
    /// All objects that are not stale.
    pub(super) objects: BTreeSet<String>,
    /// The checkpoint before its first frame.
    pub(super) before: Option<Vec<u8>>,
    /// The checkpoint after its last frame.
    pub(super) after: Option<Vec<u8>>,
    /// What its last frame made stale.
    pub(super) stale: Vec<String>,
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
            let base = object.grown_from.as_ref().filter(|(from, _)| self.whole.contains(from));
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
        (out, sum)
    }

    /// Takes a frame that lies at its end.
    pub(super) fn push(&mut self, length: usize, sum: Sum, frame: &Frame<'_>) {
        if self.after.is_none() {
            self.before = frame.before.map(<[u8]>::to_vec);
        }
        self.end += length as u64;
        self.sum = sum;
        for object in &frame.objects {
            if is_partial(object.name) {
                self.whole.insert(object.name.to_owned());
            }
            self.objects.insert(object.name.to_owned());
        }
        for name in &frame.stale {
            self.whole.remove(*name);
            self.objects.remove(*name);
        }
        self.after = Some(frame.after.to_vec());
        self.stale = frame.stale.iter().map(|name| (*name).to_owned()).collect();
    }

    /// Reads whole frames of `bytes`, which lie at its end, up to the first that is not.
    pub(super) fn read_on(&mut self, mut bytes: &[u8], mut visit: impl FnMut(&Frame<'_>)) {
        while let Some((payload, sum)) = self.next(bytes)
            && let Some(frame) = Frame::parse(payload)
        {
            visit(&frame);
            let length = FRAME_HEAD + payload.len();
            self.push(length, sum, &frame);
            bytes = bytes.get(length..).unwrap_or_default();
        }
    }

    fn next<'a>(&self, bytes: &'a [u8]) -> Option<(&'a [u8], Sum)> {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (sum, rest) = rest.split_first_chunk::<32>()?;
        let payload = rest.get(..usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        let right: Sum = Sha256::new_with_prefix(self.sum).chain_update(payload).finalize().into();
        (right == *sum).then_some((payload, right))
    }
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

/// The header of a file, if it is one of a journal.
pub(super) fn read_header(file: &mut std::fs::File) -> std::io::Result<Option<Vec<u8>>> {
    let mut header = Vec::with_capacity(HEADER);
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
    Ok((header.len() == HEADER && header.starts_with(MAGIC.as_bytes())).then_some(header))
}

impl<'a> Frame<'a> {
    pub(super) fn of(batch: &'a Batch<'_>) -> Self {
        Self {
            objects: batch
                .objects
                .iter()
                .map(|o| FrameObject { name: &o.name, grown_from: None, bytes: &o.bytes })
                .collect(),
            stale: batch.stale.iter().map(String::as_str).collect(),
            before: batch.before,
            after: batch.checkpoint,
        }
    }

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

/// Contents of objects that grow, as frame after frame is read.
#[derive(Default)]
pub(super) struct Contents(pub(super) BTreeMap<String, Vec<u8>>);

impl Contents {
    /// The whole of an object; none if what it begins with does not lie in the journal.
    pub(super) fn whole(&self, object: &FrameObject<'_>) -> Option<Vec<u8>> {
        match object.grown_from {
            None => Some(object.bytes.to_vec()),
            Some((from, kept)) => Some([self.0.get(from)?.get(..kept)?, object.bytes].concat()),
        }
    }
}

pub(super) fn is_partial(name: &str) -> bool {
    name.contains(".p/")
}

/// A name of a ledger's object below one of its folders; a journal is read before anything is verified, so it must not
/// lead out of the folder.
fn is_name(name: &[u8]) -> Option<&str> {
    let name = str::from_utf8(name).ok()?;
    let ours = ["tile/", "bodies/", "keys/bodies/", "rotations/"].iter().any(|folder| name.starts_with(folder));
    let plain = |part: &str| {
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
    };
    (ours && name.split('/').all(plain)).then_some(name)
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
        sum = Sha256::new_with_prefix(sum).chain_update(payload).finalize().into();
        out.extend([&length[..], &sum, payload].concat());
        rest = tail;
    }
    out.extend(rest);
    out
}
