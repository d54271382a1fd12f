//! DER read in place: one value after the other, strict in its lengths, nothing copied.

use der::{Decode, Header, Reader, SliceReader};

use crate::timestamp::Timestamp;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// One value with its tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tlv<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

/// The next value of `input`, which then begins after it.
pub(crate) fn next<'a>(input: &mut &'a [u8]) -> Option<Tlv<'a>> {
    let mut reader = SliceReader::new(input).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    let content = reader.read_slice(header.length).ok()?;
    let length = input.len().checked_sub(usize::try_from(reader.remaining_len()).ok()?)?;
    let (whole, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(Tlv { tag: *whole.first()?, content, whole })
}

/// The content of the next value, which must have `tag`.
pub(crate) fn expect<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    next(input).filter(|tlv| tlv.tag == tag).map(|tlv| tlv.content)
}

/// The next value, if it has `tag`.
pub(crate) fn optional<'a>(input: &mut &'a [u8], tag: u8) -> Option<Tlv<'a>> {
    if input.first() == Some(&tag) { next(input) } else { None }
}

/// The content of the only value of `input`, which must have `tag`.
pub(crate) fn only(mut input: &[u8], tag: u8) -> Option<&[u8]> {
    expect(&mut input, tag).filter(|_| input.is_empty())
}

/// A value of these parts.
pub(crate) fn write(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    let bytes = length.to_be_bytes();
    let significant = bytes.iter().position(|b| *b != 0).and_then(|first| bytes.get(first..)).unwrap_or(&[0]);
    match significant {
        [short] if *short < 0x80 => out.push(*short),
        long => {
            out.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            out.extend_from_slice(long);
        }
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// A UTCTime or GeneralizedTime in UTC with seconds; the latter may have a fraction (RFC 3161 section 2.4.2).
pub(crate) fn time(tlv: Tlv<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(tlv.content).ok()?;
    let century = match tlv.tag {
        // RFC 5280 section 4.1.2.5.1: two digits of 1950 to 2049
        0x17 if text.as_bytes().first().is_some_and(|b| *b < b'5') => "20",
        0x17 => "19",
        0x18 => "",
        _ => return None,
    };
    let text = format!("{century}{text}");
    let (digits, fraction) = text.split_at_checked(14)?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit())
        && (fraction == "Z" || (tlv.tag == 0x18 && fraction.starts_with('.') && fraction.len() <= 11));
    let part = |range: std::ops::Range<usize>| digits.get(range);
    let (date, clock) = (
        format!("{}-{}-{}", part(0..4)?, part(4..6)?, part(6..8)?),
        format!("{}:{}:{}", part(8..10)?, part(10..12)?, part(12..14)?),
    );
    if plain { format!("{date}T{clock}{fraction}").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_at_every_length_of_a_length() {
        for size in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let content = vec![7; size];
            let value = write(OCTETS, &[&content]);
            assert_eq!(only(&value, OCTETS).unwrap(), content, "{size}");
            assert!(only(&[&value[..], &[0]].concat(), OCTETS).is_none() && only(&value, SEQUENCE).is_none());
        }
        // a length in more bytes than it needs, and one without an end
        assert!(only(&[OCTETS, 0x81, 1, 7], OCTETS).is_none() && only(&[SEQUENCE, 0x80, 0, 0], SEQUENCE).is_none());
    }

    #[test]
    fn times_are_read_in_utc_only() {
        let at = |tag, text: &str| time(Tlv { tag, content: text.as_bytes(), whole: &[] }).map(|t| t.to_string());
        assert_eq!(at(0x17, "250612120220Z").as_deref(), Some("2025-06-12T12:02:20Z"));
        assert_eq!(at(0x17, "991231235959Z").as_deref(), Some("1999-12-31T23:59:59Z"));
        assert_eq!(at(0x18, "20250612120220.25Z").as_deref(), Some("2025-06-12T12:02:20.25Z"));
        for (tag, text) in [
            (0x17, "2506121202Z"),
            (0x17, "250612120220+0100"),
            (0x17, "250612120220.5Z"),
            (0x18, "20250612120220"),
            (0x18, "20251312120220Z"),
            (0x18, "2025061212022\u{e9}Z"),
            (0x0c, "20250612120220Z"),
        ] {
            assert_eq!(at(tag, text), None, "{text}");
        }
    }
}
