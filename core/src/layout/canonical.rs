//! The canonical JSON of classic in-toto metadata (OLPC; in-toto specification v1.0 section 4.1).
//!
//! Other than RFC 8785: keys are sorted by code point, numbers are whole, and in strings only the quote and the backslash
//! are escaped. Older than it, and used nowhere else here.

use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

/// The canonical form of `value`, over which classic signatures are made.
pub(super) fn encode(value: &Value) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    write(value, &mut out)?;
    Ok(out)
}

/// The depth is bounded by whoever read the value.
fn write(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            out.extend_from_slice(number.to_string().as_bytes());
        }
        Value::Number(number) => {
            return Err(Error::new(
                ErrorKind::Malformed,
                format!("`{number}` has no form in canonical JSON, which knows whole numbers of 64 bits alone"),
            ));
        }
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write(item, out)?;
            }
            out.push(b']');
        }
        Value::Object(members) => {
            // by bytes of UTF-8, which is the order of code points
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (i, (name, member)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                string(name, out);
                out.push(b':');
                write(member, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_securesystemslib_writes_it() {
        // securesystemslib 1.6.0, `formats.encode_canonical`
        let value: Value = serde_json::from_str(
            "{\"b\": [1, -2, 18446744073709551615, true, false, null], \"a\": \"q\\\"\\\\ \\u0007\\n/\u{e9}\", \
             \"\u{ff5e}\": {}, \"\u{1f600}\": []}",
        )
        .unwrap();
        let expected = "{\"a\":\"q\\\"\\\\ \u{7}\n/\u{e9}\",\"b\":[1,-2,18446744073709551615,true,false,null],\
                        \"\u{ff5e}\":{},\"\u{1f600}\":[]}";
        assert_eq!(String::from_utf8(encode(&value).unwrap()).unwrap(), expected);
    }

    #[test]
    fn fractions_have_no_canonical_form() {
        for text in ["1.5", "1e3", "1.0", "99999999999999999999999"] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(encode(&value).unwrap_err().code(), "MALFORMED", "{text}");
        }
    }
}
