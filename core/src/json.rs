//! Strict reading of JSON, and its canonical form (RFC 8785).
//!
//! What was signed is never written again: readers keep the bytes they were given. Reading refuses what two
//! parsers could understand in two ways: a key twice in one object, nesting beyond
//! [`JSON_DEPTH`](crate::limits::JSON_DEPTH), anything after the value, anything that is not UTF-8.

use std::collections::HashSet;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, Result};

pub use serde_json::Value;

/// Reads a `T` from strict JSON; `what` names the document in errors ("statement", "trust policy").
///
/// # Errors
/// `MALFORMED` with the place of the fault, `LIMIT_EXCEEDED` for too deep nesting.
pub fn parse<'de, T: Deserialize<'de>>(what: &str, bytes: &'de [u8]) -> Result<T> {
    check(what, bytes)?;
    serde_json::from_slice(bytes).map_err(|e| fault(what, bytes, &e))
}

/// Reads a `T` among which are secrets: as [`parse`], but an error quotes nothing of it, and ends with `hint`.
pub(crate) fn parse_secret<'de, T: Deserialize<'de>>(what: &str, bytes: &'de [u8], hint: &str) -> Result<T> {
    parse(what, bytes).map_err(|e| Error::new(e.kind(), format!("the {what} is not what its format demands; {hint}")))
}

/// Checks that `bytes` are one strict JSON value, without keeping it.
///
/// # Errors
/// As [`parse`].
pub fn check(what: &str, bytes: &[u8]) -> Result<()> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::new(ErrorKind::Malformed, format!("expected {what} as JSON, found nothing")));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Strict.deserialize(&mut reader).and_then(|()| reader.end()).map_err(|e| fault(what, bytes, &e))
}

/// The RFC 8785 form of `value`: sorted keys, no blanks, one way to write each number.
///
/// # Errors
/// `MALFORMED` if a number is beyond what RFC 8785 can write without loss.
pub fn canonical<T: Serialize>(what: &str, value: &T) -> Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).map_err(|e| {
        Error::new(ErrorKind::Malformed, format!("{what} has no canonical JSON form: {e}; numbers must fit 53 bits"))
            .caused_by(e)
    })
}

fn fault(what: &str, bytes: &[u8], e: &serde_json::Error) -> Error {
    let text = e.to_string();
    let kind = if text.starts_with("recursion limit") { ErrorKind::LimitExceeded } else { ErrorKind::Malformed };
    let start = String::from_utf8_lossy(bytes.get(..bytes.len().min(24)).unwrap_or_default());
    Error::new(
        kind,
        format!("{what} is not what its format demands: {text}; it starts with `{}`", start.escape_debug()),
    )
    .with("line", e.line())
    .with("column", e.column())
}

/// Walks one value, refusing a key that stands twice in one object. serde_json bounds the depth at 128.
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Strict)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if seen.contains(&key) {
                return Err(serde::de::Error::custom(format_args!("the key `{}` stands twice", key.escape_debug())));
            }
            map.next_value_seed(Strict)?;
            seen.insert(key);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"b":1,"\u0062":2}}]"#] {
            let e = check("statement", text.as_bytes()).unwrap_err();
            assert_eq!(e.code(), "MALFORMED");
            assert!(e.message().contains("stands twice"), "{e}");
        }
        check("statement", br#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).unwrap();
    }

    #[test]
    fn ten_thousand_levels_of_nesting_are_refused_without_a_crash() {
        let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
        assert_eq!(check("statement", &deep).unwrap_err().code(), "LIMIT_EXCEEDED");
    }

    #[test]
    fn nothing_garbage_and_a_second_value_are_malformed() {
        for bytes in [&b""[..], b" \n", b"\xff\xfe", b"{} {}", b"{\"a\":\"\xc3\"}", b"nul"] {
            assert_eq!(check("statement", bytes).unwrap_err().code(), "MALFORMED", "{bytes:?}");
        }
    }
}
