//! Strict reading of JSON, and its canonical form (RFC 8785).
//!
//! What was signed is never written again: readers keep the bytes they were given. Reading refuses what two
//! parsers could understand in two ways: a key twice in one object, nesting beyond
//! [`JSON_DEPTH`](crate::limits::JSON_DEPTH), anything after the value, anything that is not UTF-8.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

pub use serde_json::Value;

/// Reads a `T` from strict JSON; `what` names the document in errors ("statement", "trust policy").
///
/// # Errors
/// `MALFORMED` with the place of the fault, `LIMIT_EXCEEDED` for too deep nesting.
pub fn parse<'de, T: Deserialize<'de>>(what: &str, bytes: &'de [u8]) -> Result<T> {
    check(what, bytes)?;
    parse_checked(what, bytes)
}

/// As [`parse`], of bytes that [`check`] has found to be strict.
pub(crate) fn parse_checked<'de, T: Deserialize<'de>>(what: &str, bytes: &'de [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| fault(what, bytes, &e))
}

/// As [`parse`], of a document with one text that may have megabytes, which `T` holds and `long` gives.
pub(crate) fn parse_around<'de, T: Deserialize<'de>>(
    what: &str,
    bytes: &'de [u8],
    long: impl FnOnce(&T) -> &str,
) -> Result<T> {
    match serde_json::from_slice(bytes) {
        Ok(read) => check_around(what, bytes, long(&read)).map(|()| read),
        // what is no strict JSON is told as such
        Err(e) => check(what, bytes).and(Err(fault(what, bytes, &e))),
    }
}

/// As [`check`], of a document from which `read`, a text of it, was read before. If it stands there as it is, that was all
/// that it needs, and it is not looked at again.
pub(crate) fn check_around(what: &str, bytes: &[u8], read: &str) -> Result<()> {
    const LONG: usize = 16 * 1024;
    let start = (read.as_ptr() as usize).wrapping_sub(bytes.as_ptr() as usize);
    let around = (bytes.get(..start), bytes.get(start.saturating_add(read.len())..));
    match around {
        (Some(before), Some(after)) if read.len() > LONG => {
            // a fault has its place in the whole
            check(what, &[before, after].concat()).or_else(|_| check(what, bytes))
        }
        _ => check(what, bytes),
    }
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

/// The JSON form of `value`, about `size` bytes long, of which nothing can fail: texts, numbers and lists of them.
pub(crate) fn to_vec<T: Serialize>(value: &T, size: usize) -> Vec<u8> {
    let mut json = Vec::with_capacity(size);
    if serde_json::to_writer(&mut json, value).is_err() {
        json.clear();
    }
    json
}

/// As [`to_vec`], of what is put into a text.
pub(crate) fn to_text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
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

/// What serde says, in the words of JSON: names of types are nothing to whoever wrote the document.
pub(crate) fn for_people(text: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut left = text.split(' ');
    while let Some(word) = left.next() {
        let named = match word {
            // the name of the type follows
            "struct" => left.next().map(|_| "an object"),
            "enum" => left.next().map(|_| "one of several words"),
            "map" => Some("an object"),
            "map," => Some("an object,"),
            "sequence" => Some("an array"),
            "sequence," => Some("an array,"),
            "ident" => Some("a JSON value"),
            _ => None,
        };
        if named.is_some() && words.last() == Some(&"a") {
            words.pop();
        }
        words.push(named.unwrap_or(word));
    }
    words.join(" ")
}

/// As [`canonical`], of a value that is put into an object which must be readable afterwards, and faster: what has integers
/// and keys of ASCII alone is in that form as any JSON writer writes it.
///
/// # Errors
/// As [`canonical`]; `LIMIT_EXCEEDED` if it is nested too deeply.
pub(crate) fn canonical_member(what: &str, value: &Value) -> Result<Vec<u8>> {
    // the object around it is one level, and at the last one serde_json refuses
    if is_plain(value, limits::JSON_DEPTH - 2)
        .ok_or_else(|| Error::new(ErrorKind::LimitExceeded, format!("{what} is nested too deeply; flatten it")))?
    {
        return Ok(to_vec(value, 256));
    }
    canonical(what, value)
}

/// Whether it has nothing that RFC 8785 writes in its own way; `None` if there are more than `levels`.
fn is_plain(value: &Value, levels: usize) -> Option<bool> {
    let mut plain = true;
    match value {
        Value::Number(number) => plain = number.as_i64().is_some_and(|n| n.unsigned_abs() < 1 << 53),
        Value::Array(items) => {
            let levels = levels.checked_sub(1)?;
            for item in items {
                plain &= is_plain(item, levels)?;
            }
        }
        Value::Object(members) => {
            let levels = levels.checked_sub(1)?;
            plain = members.keys().all(|key| key.is_ascii()) && members.keys().is_sorted();
            for member in members.values() {
                plain &= is_plain(member, levels)?;
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
    Some(plain)
}

fn fault(what: &str, bytes: &[u8], e: &serde_json::Error) -> Error {
    let text = for_people(&e.to_string());
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
        let mut seen = Keys::default();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if seen.contains(&key) {
                return Err(serde::de::Error::custom(format_args!("the key `{}` stands twice", key.escape_debug())));
            }
            map.next_value_seed(Strict)?;
            seen.add(key);
        }
        Ok(())
    }
}

/// The keys of one object. Most have few, and looking through a list is faster than hashing.
#[derive(Default)]
struct Keys<'a> {
    first: Vec<Cow<'a, str>>,
    more: HashSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    const FIRST: usize = 12;

    fn contains(&self, key: &str) -> bool {
        self.first.iter().any(|known| known == key) || self.more.contains(key)
    }

    fn add(&mut self, key: Cow<'a, str>) {
        if self.first.len() < Self::FIRST {
            self.first.push(key);
        } else {
            self.more.insert(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_refused_at_any_depth() {
        let many: String = (0..100).map(|n| format!(r#""{n}":1,"#)).collect();
        let [late, early] = ["99", "0"].map(|twice| format!(r#"{{{many}"{twice}":1}}"#));
        check("statement", format!(r#"{{{many}"a":1}}"#).as_bytes()).unwrap();
        for text in [r#"{"a":1,"a":1}"#, r#"[{"x":{"b":1,"\u0062":2}}]"#, &late, &early] {
            let e = check("statement", text.as_bytes()).unwrap_err();
            assert_eq!(e.code(), "MALFORMED");
            assert!(e.message().contains("stands twice"), "{e}");
        }
        check("statement", br#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#).unwrap();
    }

    #[test]
    fn what_stands_around_a_long_text_is_checked_as_without_it() {
        #[derive(serde::Deserialize)]
        struct Held<'a> {
            #[serde(borrow)]
            text: Cow<'a, str>,
        }
        let long = "t".repeat(100_000);
        let read = |json: &str| parse_around("document", json.as_bytes(), |held: &Held<'_>| &held.text).map(|_| ());
        let code = |json: &str| read(json).map_err(|e| e.code());
        for text in [long.as_str(), &format!("{long}\\n{long}"), "short"] {
            assert_eq!(code(&format!(r#"{{"a":1,"text":"{text}","b":[{{"a":1}}]}}"#)), Ok(()));
            for twice in [r#""a":1,"a":2"#, r#""b":{"c":1,"\u0063":2}"#] {
                for json in [format!(r#"{{"text":"{text}",{twice}}}"#), format!(r#"{{{twice},"text":"{text}"}}"#)] {
                    let e = read(&json).unwrap_err();
                    assert!(e.code() == "MALFORMED" && e.message().contains("stands twice"), "{e}");
                    assert_eq!(e.message(), check("document", json.as_bytes()).unwrap_err().message());
                }
            }
            let deep = format!(r#"{{"text":"{text}","b":{}{}}}"#, "[".repeat(200), "]".repeat(200));
            assert_eq!(code(&deep), Err("LIMIT_EXCEEDED"));
            assert_eq!(code(&format!(r#"{{"text":"{text}"}} {{}}"#)), Err("MALFORMED"));
            assert_eq!(code(&format!(r#"{{"txt":"{text}"}}"#)), Err("MALFORMED"));
        }
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
