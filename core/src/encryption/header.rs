//! The header of an envelope: the data key, wrapped. Without it the content cannot be opened by anybody, ever.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// Format name of an envelope.
pub(crate) const FORMAT: &str = "sealwright-sealed/v1";

/// The wrapped data key of one object, as it stands in a file of its own beside the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Which key of the keyring wraps it.
    pub(super) wrapped_by: String,
    /// Nonce, ciphertext and tag.
    pub(super) wrapped: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    v: String,
    wrapped_by: String,
    key: String,
}

impl Header {
    /// Reads a header; only the one canonical form is one.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED`, `MALFORMED`, or `UNSUPPORTED` for another version.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > limits::SEALED_HEADER_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("a header has {} bytes, over {}", bytes.len(), limits::SEALED_HEADER_BYTES),
            ));
        }
        let wire: Wire = json::parse("envelope header", bytes)?;
        if wire.v != FORMAT {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("an envelope of format `{}`, expected `{FORMAT}`; use a newer version", wire.v.escape_debug()),
            ));
        }
        let header = Self { wrapped_by: wire.wrapped_by, wrapped: decoded("data key", &wire.key)? };
        if header.to_bytes()? != bytes {
            return Err(Error::new(ErrorKind::Malformed, "the envelope header is not written canonically"));
        }
        Ok(header)
    }

    /// The bytes of its file: RFC 8785 JSON.
    ///
    /// # Errors
    /// `INTERNAL` if it can't be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let wire =
            Wire { v: FORMAT.to_owned(), wrapped_by: self.wrapped_by.clone(), key: STANDARD.encode(&self.wrapped) };
        json::canonical("envelope header", &wire)
    }

    /// The id of the key of the keyring that wraps it.
    pub fn wrapped_by(&self) -> &str {
        &self.wrapped_by
    }
}

pub(super) fn decoded(what: &str, text: &str) -> Result<Vec<u8>> {
    STANDARD
        .decode(text)
        .map_err(|e| Error::new(ErrorKind::Malformed, format!("the wrapped {what} is not base64: {e}")).caused_by(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_is_a_header_and_no_other() {
        let header = Header { wrapped_by: "00ff".to_owned(), wrapped: vec![7; 60] };
        let bytes = header.to_bytes().unwrap();
        assert_eq!(Header::parse(&bytes).unwrap(), header);
        let text = String::from_utf8(bytes).unwrap();
        for (other, code) in [
            (format!("{text} "), "MALFORMED"),
            (text.replace("{\"", "{ \""), "MALFORMED"),
            (text.replace("/v1", "/v2"), "UNSUPPORTED"),
            (text.replace("Bw", "B="), "MALFORMED"),
            ("x".repeat(limits::SEALED_HEADER_BYTES + 1), "LIMIT_EXCEEDED"),
        ] {
            assert_eq!(Header::parse(other.as_bytes()).unwrap_err().code(), code, "{other}");
        }
    }
}
