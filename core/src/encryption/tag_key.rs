//! The key under which an encrypted ledger hides what its entries are selected by.

use aws_lc_rs::hmac;

use super::Key;

/// Makes labels of tags: HMAC-SHA-256 over name, NUL and value, of which an entry holds the first 16 bytes in hex
/// (predicates section 1.1).
pub(crate) struct TagKey(hmac::Key);

impl TagKey {
    pub(super) fn new(key: &Key) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key[..]))
    }

    /// What stands in the place of `value`.
    pub(crate) fn label(&self, name: &str, value: &str) -> String {
        hex::encode(self.mac(name, value).as_ref().iter().take(16).copied().collect::<Vec<_>>())
    }

    /// A label that no two values share, for names of files.
    pub(crate) fn name(&self, name: &str, value: &str) -> String {
        hex::encode(self.mac(name, value))
    }

    fn mac(&self, name: &str, value: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(name.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        context.sign()
    }
}

impl std::fmt::Debug for TagKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TagKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_what_openssl_computes() {
        // printf 'release\0shop-1.4.0' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0b0b…0b
        let key = TagKey::new(&zeroize::Zeroizing::new([0x0b; 32]));
        assert_eq!(key.name("release", "shop-1.4.0"), EXPECTED);
        assert_eq!(key.label("release", "shop-1.4.0"), EXPECTED[..32]);
        assert_ne!(key.label("release", "shop-1.4.0"), key.label("change", "shop-1.4.0"));
        assert_eq!(format!("{key:?}"), "TagKey");
    }

    const EXPECTED: &str = "539a2ae28c05ac62acc0c48cd3fbef1de7da1e338359f89e797a5f0743080fbc";
}
