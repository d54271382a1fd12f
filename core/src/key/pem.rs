//! PEM (RFC 7468), read strictly: one block, nothing around it.

use pkcs8::der::pem::{self, LineEnding};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};

/// A PEM block, decoded.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) der: Zeroizing<Vec<u8>>,
}

const BEGIN: &str = "-----BEGIN ";

/// Reads the only block of `text`; `what` names what was expected there.
pub(super) fn read(what: &str, text: &[u8]) -> Result<Block> {
    let malformed =
        |found: &str| Error::new(ErrorKind::Malformed, format!("expected a {what} as one PEM block, found {found}"));
    let text = std::str::from_utf8(text).map_err(|_| malformed("binary data; give the PEM file"))?;
    let mut block = text.trim();
    // `openssl ecparam -genkey` writes the name of the curve before the key, which names it too
    if block.starts_with("-----BEGIN EC PARAMETERS-----")
        && let Some((_, key)) = block.split_once("-----END EC PARAMETERS-----")
    {
        block = key.trim_start();
    }
    if !block.starts_with(BEGIN) {
        return Err(malformed("other text; the first line must be `-----BEGIN …-----`"));
    }
    if block.matches(BEGIN).count() > 1 {
        return Err(malformed("several blocks; put each key into its own file"));
    }
    if block.contains("\nProc-Type:") {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "the key is encrypted in the old PEM way, which is weak; `openssl pkcs8 -topk8 -scrypt` rewrites it",
        ));
    }
    let (label, der) = pem::decode_vec(block.as_bytes())
        .map_err(|e| malformed("a broken block; give the file as the key tool wrote it").caused_by(e))?;
    Ok(Block { label: label.to_owned(), der: Zeroizing::new(der) })
}

/// Writes a block with lines that end in LF.
pub(super) fn write(label: &str, der: &[u8]) -> Result<String> {
    pem::encode_string(label, LineEnding::LF, der)
        .map_err(|e| Error::new(ErrorKind::Internal, "could not write the key as PEM").caused_by(e))
}

/// A certificate in DER as a PEM file.
pub(crate) fn certificate_pem(der: &[u8]) -> Result<String> {
    write("CERTIFICATE", der)
}

/// The error about a block that is none of `expected`.
pub(super) fn unknown_label(expected: &str, label: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("expected a PEM block of type {expected}, found `{label}`; convert it with the tool that wrote it"),
    )
    .with("found", label)
}
