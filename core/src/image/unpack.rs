//! Streams that may be compressed: plain, gzip (RFC 1952) or zstd (RFC 8878), told by their first bytes.

use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::tar::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Bytes that are decompressed.
pub(super) struct Unpack<'a, R: Read> {
    codec: Codec<R>,
    /// Bytes that may still be given.
    left: &'a mut u64,
    given: u64,
}

type Source<R> = BufReader<Chain<Cursor<Vec<u8>>, Counted<R>>>;

enum Codec<R: Read> {
    Plain(Source<R>),
    Gzip(Box<MultiGzDecoder<Source<R>>>),
    Zstd(Box<Zstd<Source<R>>>),
}

impl<'a, R: Read> Unpack<'a, R> {
    /// Reads what `reader` gives; of all streams with the same `left` no more than that.
    pub(super) fn new(reader: R, left: &'a mut u64) -> Result<Self> {
        let mut reader = Counted { reader, count: 0 };
        let mut start = Vec::with_capacity(4);
        (&mut reader).take(4).read_to_end(&mut start).map_err(fault_of)?;
        let is_gzip = start.starts_with(&[0x1f, 0x8b]);
        let is_zstd = is_zstd(&start);
        let source = BufReader::with_capacity(64 * 1024, Cursor::new(start).chain(reader));
        let codec = if is_gzip {
            Codec::Gzip(Box::new(MultiGzDecoder::new(source)))
        } else if is_zstd {
            Codec::Zstd(Box::new(Zstd { source, decoder: FrameDecoder::new(), in_frame: false }))
        } else {
            Codec::Plain(source)
        };
        Ok(Self { codec, left, given: 0 })
    }

    fn taken(&self) -> u64 {
        let source = match &self.codec {
            Codec::Plain(source) => source,
            Codec::Gzip(gzip) => gzip.get_ref(),
            Codec::Zstd(zstd) => &zstd.source,
        };
        source.get_ref().get_ref().1.count
    }
}

/// Whether a stream that starts so is of zstd: a frame, or one to pass over (RFC 8878, section 3.1).
fn is_zstd(start: &[u8]) -> bool {
    matches!(start, [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}

/// Whether a file that starts so is compressed.
pub(super) fn is_packed(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b]) || is_zstd(start)
}

impl<R: Read> Read for Unpack<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.codec {
            Codec::Plain(source) => source.read(out)?,
            Codec::Gzip(gzip) => gzip.read(out)?,
            Codec::Zstd(zstd) => zstd.read(out)?,
        };
        self.given += count as u64;
        *self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| limit(format_args!("unpacks to over {} bytes", limits::IMAGE_UNPACKED_BYTES)))?;
        if self.given > limits::IMAGE_UNPACKED_FREELY
            && self.given / limits::IMAGE_RATIO > self.taken()
            && !matches!(self.codec, Codec::Plain(_))
        {
            return Err(limit(format_args!("unpacks to over {} times its length", limits::IMAGE_RATIO)));
        }
        Ok(count)
    }
}

impl<R: Read> Stream for Unpack<'_, R> {}

/// Counts what was read.
struct Counted<R> {
    reader: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(out)?;
        self.count += count as u64;
        Ok(count)
    }
}

/// One zstd frame after the other.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.in_frame && self.decoder.can_collect() > 0 {
                return self.decoder.read(out);
            }
            if !self.in_frame {
                if self.source.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                self.begin()?;
            } else if self.decoder.is_finished() {
                if self
                    .decoder
                    .get_checksum_from_data()
                    .is_some_and(|told| self.decoder.get_calculated_checksum().is_some_and(|found| found != told))
                {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a zstd frame has another checksum"));
                }
                self.in_frame = false;
            } else {
                let strategy = BlockDecodingStrategy::UptoBytes(out.len());
                self.decoder.decode_blocks(&mut self.source, strategy).map_err(|e| of_zstd(&e))?;
            }
        }
    }
}

impl<R: BufRead> Zstd<R> {
    fn begin(&mut self) -> io::Result<()> {
        match self.decoder.reset(&mut self.source) {
            Ok(()) => {
                self.in_frame = true;
                Ok(())
            }
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                let length = u64::from(length);
                if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? != length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(())
            }
            Err(FrameDecoderError::WindowSizeTooBig { .. }) => Err(limit("needs too much memory to unpack")),
            Err(e) => Err(of_zstd(&e)),
        }
    }
}

fn of_zstd(e: &FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, e.to_string())
}

fn limit(fault: impl std::fmt::Display) -> io::Error {
    let error = Error::new(ErrorKind::LimitExceeded, format!("the image {fault}; see whether it is a bomb"));
    io::Error::other(error)
}

/// What went wrong in a stream: what it carries, or that its bytes are not what they should be. Files say their own errors
/// where they are read ([`super::source`]).
pub(super) fn fault_of(e: io::Error) -> Error {
    match e.downcast::<Error>() {
        Ok(error) => error,
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            Error::new(ErrorKind::Malformed, "the data ends too early, it was cut; fetch it anew")
        }
        Err(e) => Error::new(ErrorKind::Malformed, format!("the data can't be unpacked: {e}; fetch it anew")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_that_share_a_bound_give_no_more_than_that_together() {
        let mut left = 10;
        let mut read = |bytes: &[u8]| {
            let mut unpacked = Vec::new();
            let mut unpack = Unpack::new(bytes, &mut left)?;
            unpack.read_to_end(&mut unpacked).map_err(fault_of)?;
            Ok(unpacked)
        };
        let first: Result<_> = read(b"12345678");
        assert_eq!(first.unwrap(), b"12345678");
        assert_eq!(read(b"12").unwrap(), b"12");
        assert_eq!(read(b"1").unwrap_err().code(), "LIMIT_EXCEEDED");
    }
}
