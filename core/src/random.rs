//! Random bytes of the operating system.
//!
//! Not those of aws-lc: where it is built with its default, it gathers entropy of its own before the first one, which
//! takes a process some 60 ms (decision 0040).

use crate::error::{Error, ErrorKind, Result};

/// Fills `bytes` with fresh random bytes, fit for keys.
///
/// # Errors
/// `INTERNAL` if the system gives none.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes)
        .map_err(|e| Error::new(ErrorKind::Internal, "the system gave no random bytes; run it again").caused_by(e))
}
