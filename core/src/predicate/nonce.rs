//! Nonces, so that the digest of a record whose content can be guessed confirms nothing.

use crate::error::Result;
use crate::random;

/// 16 fresh random bytes in lower-case hex (predicates section 1.10).
///
/// A retry sends the same bytes; a Statement made anew takes a new nonce.
///
/// # Errors
/// `INTERNAL` if the operating system gives no randomness.
pub fn nonce() -> Result<String> {
    let mut bytes = [0; 16];
    random::fill(&mut bytes)?;
    Ok(hex::encode(bytes))
}
