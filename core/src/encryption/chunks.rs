//! The content of an envelope: chunks of 64 KiB, each under AES-256-GCM, numbered, the last one marked.
//!
//! This is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015). The nonce of a chunk is its number in
//! eleven bytes, big-endian, and one byte that is 1 for the last chunk and 0 for all others; a data key is used for one
//! object, so no nonce comes twice. So a chunk that was changed, moved, dropped, added or taken from elsewhere does not
//! open, and neither does an object that was cut. All but the last chunk are full; only an empty object has an empty one.

use std::io::Read;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use super::{TAG_LEN, cipher};
use crate::error::{Error, ErrorKind, Result};

/// Plain bytes of a full chunk.
pub(super) const CHUNK: usize = 64 * 1024;

/// What it reads is what `from` gives, encrypted.
pub(crate) struct Sealing<R>(Chunks<R>);

/// What it reads is what `from` gives, opened chunk by chunk. What was read counts only once its end was: only that
/// shows that nothing is missing. A fault is an [`Error`] within the one of `std::io`.
pub(crate) struct Opening<R>(Chunks<R>);

struct Chunks<R> {
    from: R,
    cipher: LessSafeKey,
    context: Vec<u8>,
    /// The one that was read ahead, since only the next tells whether one is the last.
    ahead: Option<Zeroizing<Vec<u8>>>,
    number: u64,
    ready: Zeroizing<Vec<u8>>,
    given: usize,
    ended: bool,
}

impl<R: Read> Sealing<R> {
    pub(super) fn new(key: &[u8], context: &[u8], from: R) -> Result<Self> {
        Chunks::new(key, context, from).map(Self)
    }
}

impl<R: Read> Opening<R> {
    pub(super) fn new(key: &[u8], context: &[u8], from: R) -> Result<Self> {
        Chunks::new(key, context, from).map(Self)
    }
}

impl<R> Sealing<R> {
    /// What it reads from.
    pub(crate) fn get_ref(&self) -> &R {
        &self.0.from
    }
}

impl<R: Read> Read for Sealing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer, CHUNK, |cipher, nonce, context, mut chunk| {
            cipher
                .seal_in_place_append_tag(nonce, Aad::from(context), &mut *chunk)
                .map_err(|_| Error::new(ErrorKind::Internal, "could not encrypt; report it"))?;
            Ok(chunk)
        })
    }
}

impl<R: Read> Read for Opening<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let first = self.0.number == 0;
        self.0.read(buffer, CHUNK + TAG_LEN, |cipher, nonce, context, mut chunk| {
            let opened = cipher.open_in_place(nonce, Aad::from(context), &mut chunk).map_err(|_| tampered())?;
            let length = opened.len();
            // an empty chunk after a full one is another form of the same content
            if length == 0 && !first {
                return Err(tampered());
            }
            chunk.truncate(length);
            Ok(chunk)
        })
    }
}

impl<R: Read> Chunks<R> {
    fn new(key: &[u8], context: &[u8], from: R) -> Result<Self> {
        Ok(Self {
            from,
            cipher: cipher(key)?,
            context: context.to_vec(),
            ahead: None,
            number: 0,
            ready: Zeroizing::default(),
            given: 0,
            ended: false,
        })
    }

    fn read(
        &mut self,
        buffer: &mut [u8],
        size: usize,
        turn: impl FnOnce(&LessSafeKey, Nonce, &[u8], Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>>,
    ) -> std::io::Result<usize> {
        if self.given == self.ready.len() && !self.ended {
            let chunk = match self.ahead.take() {
                Some(chunk) => chunk,
                None => read_chunk(&mut self.from, size)?,
            };
            let next = read_chunk(&mut self.from, size)?;
            let last = next.is_empty();
            self.ready = turn(&self.cipher, nonce(self.number, last), &self.context, chunk)
                .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e))?;
            self.given = 0;
            self.ended = last;
            self.number += 1;
            self.ahead = Some(next);
        }
        let rest = self.ready.get(self.given..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(rest) {
            *to = *from;
        }
        self.given += length;
        Ok(length)
    }
}

fn nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    if let Some((place, rest)) = nonce.get_mut(3..).and_then(|tail| tail.split_first_chunk_mut::<8>()) {
        *place = number.to_be_bytes();
        rest.fill(u8::from(last));
    }
    Nonce::assume_unique_for_key(nonce)
}

/// The next `size` bytes, fewer at the end.
fn read_chunk(from: &mut impl Read, size: usize) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut chunk = Zeroizing::new(Vec::with_capacity(size + TAG_LEN));
    from.take(size as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

/// The fault that a reader of this module met, or that of the system.
pub(crate) fn read_fault(e: std::io::Error) -> Error {
    match e.downcast::<Error>() {
        Ok(own) => own,
        Err(e) => Error::new(ErrorKind::Io, format!("what was encrypted could not be read: {e}")).caused_by(e),
    }
}

fn tampered() -> Error {
    Error::new(
        ErrorKind::LedgerTampered,
        "what was encrypted is not as it was written: it was changed, cut, or put in another's place; restore it from a copy",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::encryption::DataKey;

    const PLACE: &[u8] = b"example.org/log\0body\x007";
    const FULL: usize = CHUNK + TAG_LEN;

    /// The sizes at which chunks begin and end, and any others.
    fn sizes() -> impl Strategy<Value = usize> {
        prop_oneof![
            Just(0),
            Just(1),
            Just(CHUNK - 1),
            Just(CHUNK),
            Just(CHUNK + 1),
            Just(2 * CHUNK),
            Just(3 * CHUNK - 1),
            0..4 * CHUNK,
        ]
    }

    fn content(size: usize, seed: u8) -> Vec<u8> {
        (0..size).map(|n| (n as u8).wrapping_mul(31).wrapping_add(seed)).collect()
    }

    fn refused(key: &DataKey, sealed: &[u8]) {
        assert_eq!(key.open(PLACE, sealed).unwrap_err().code(), "LEDGER_TAMPERED");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_size_comes_back_and_any_change_is_refused(
            size in sizes(), seed in any::<u8>(), at in any::<usize>(), bit in 0..8u8, cut in any::<usize>()
        ) {
            let key = DataKey::generate().unwrap();
            let plain = content(size, seed);
            let sealed = key.seal(PLACE, &plain).unwrap();
            prop_assert_eq!(sealed.len(), size + TAG_LEN * size.div_ceil(CHUNK).max(1));
            prop_assert_eq!(&key.open(PLACE, &sealed).unwrap(), &plain);

            let mut flipped = sealed.clone();
            flipped[at % sealed.len()] ^= 1 << bit;
            refused(&key, &flipped);
            refused(&key, &sealed[..cut % sealed.len()]);
            refused(&key, &[sealed.as_slice(), &[0]].concat());
            refused(&key, &[sealed.as_slice(), &sealed].concat());
            let elsewhere = key.open(b"example.org/log\0body\x008", &sealed).unwrap_err();
            prop_assert_eq!(elsewhere.code(), "LEDGER_TAMPERED");
        }

        #[test]
        fn chunks_of_another_order_or_another_object_are_refused(
            chunks in 2..5usize, first in any::<usize>(), second in any::<usize>(), rest in 1..CHUNK
        ) {
            let key = DataKey::generate().unwrap();
            let size = (chunks - 1) * CHUNK + rest;
            let sealed = key.seal(PLACE, &content(size, 1)).unwrap();
            let parts: Vec<&[u8]> = sealed.chunks(FULL).collect();
            prop_assert_eq!(parts.len(), chunks);
            let (first, second) = (first % chunks, second % chunks);
            let mut moved = parts.clone();
            moved.swap(first, second);
            if first != second {
                refused(&key, &moved.concat());
            }
            let mut without = parts.clone();
            without.remove(first);
            refused(&key, &without.concat());
            // the same place of another object, under its own key
            let other = DataKey::generate().unwrap().seal(PLACE, &content(size, 2)).unwrap();
            let mut spliced = parts;
            spliced[first] = other.chunks(FULL).nth(first).unwrap();
            refused(&key, &spliced.concat());
        }
    }

    #[test]
    fn a_late_fault_is_told_before_a_byte_is_given_out() {
        let key = DataKey::generate().unwrap();
        let mut sealed = key.seal(PLACE, &content(3 * CHUNK, 5)).unwrap();
        *sealed.last_mut().unwrap() ^= 1;
        let mut seen = 0;
        let mut stream = Opening::new(&key.0[..], PLACE, sealed.as_slice()).unwrap();
        let mut buffer = [0; 1000];
        let fault = loop {
            match stream.read(&mut buffer) {
                Ok(read) => seen += read,
                Err(e) => break read_fault(e),
            }
            assert!(seen <= 3 * CHUNK);
        };
        assert_eq!(fault.code(), "LEDGER_TAMPERED");
        assert_eq!(seen, 2 * CHUNK, "a stream would have had these, which is why nobody gets one before its end");
        refused(&key, &sealed);
    }
}
