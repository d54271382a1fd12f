//! Subresource Integrity (W3C): how npm, pnpm, Yarn and Bun keep the hashes of archives.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::sbom::model::Hash;

/// The hashes that `integrity` holds, else what in it is none.
pub(super) fn hashes(integrity: &str) -> Result<Vec<Hash>, String> {
    let mut found = Vec::new();
    for part in integrity.split_ascii_whitespace() {
        let (alg, rest) = part.split_once('-').unwrap_or((part, ""));
        let (alg, length) = match alg {
            "sha512" => ("SHA-512", 64),
            "sha384" => ("SHA-384", 48),
            "sha256" => ("SHA-256", 32),
            "sha1" => ("SHA-1", 20),
            // the specification has readers pass over algorithms they don't know
            _ => continue,
        };
        let encoded = rest.split('?').next().unwrap_or_default();
        match STANDARD.decode(encoded) {
            Ok(bytes) if bytes.len() == length => found.push(Hash { alg, content: hex::encode(bytes) }),
            _ => return Err(format!("`{}`, which is no {alg}", part.escape_debug())),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integrity_of_a_wrong_length_is_refused() {
        assert!(hashes("sha512-AAAA").is_err());
        assert!(hashes("sha1-***").is_err());
        assert_eq!(hashes("md9-AAAA").unwrap(), []);
        let two = hashes("sha1-5QNHYR1+aQlDIIu9r+vLwvuGbUY=?x sha1-IQmtx5ZYh8/AXLvUQsrIv7s2CGM=").unwrap();
        assert_eq!(two[0].content, "e50347611d7e690943208bbdafebcbc2fb866d46");
        assert_eq!(two.len(), 2);
    }
}
