//! A key whose private number is known, so that a test can look for it wherever something was written or sent.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sealwright::key::{KeyType, PrivateKey};

pub(crate) struct Planted {
    pub(crate) key: PrivateKey,
    scalar: Vec<u8>,
}

impl Planted {
    pub(crate) fn new(key_type: KeyType) -> Self {
        Self::of(PrivateKey::generate(key_type).unwrap())
    }

    pub(crate) fn of(key: PrivateKey) -> Self {
        let pem = key.to_pem().unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(body).unwrap();
        // PKCS#8 around ECPrivateKey: version 1, then the number
        let length = if key.public().key_type() == KeyType::P384 { 48 } else { 32 };
        let before = [2, 1, 1, 4, length];
        let at = der.windows(before.len()).position(|w| w == before).unwrap() + before.len();
        let scalar = der[at..at + usize::from(length)].to_vec();
        Self { key, scalar }
    }

    /// The number as it could be written: as bytes, in hex, and in base64 wherever it begins in a group of three.
    pub(crate) fn forms(&self) -> Vec<Vec<u8>> {
        let mut forms = vec![self.scalar.clone()];
        let hex = hex::encode(&self.scalar);
        forms.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
        for engine in [&STANDARD, &URL_SAFE_NO_PAD] {
            for before in 0..3 {
                let text = engine.encode([vec![0; before], self.scalar.clone()].concat());
                // without the characters that hold bits of what stands around it
                let text = text.trim_end_matches('=').as_bytes();
                forms.push(text[if before == 0 { 0 } else { before + 1 }..text.len() - 1].to_vec());
            }
        }
        forms
    }

    /// Whether a half of the private number, in any form, stands in `bytes`; line breaks aside.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        let joined: Vec<u8> = bytes.iter().copied().filter(|b| *b != b'\n' && *b != b'\r').collect();
        let forms = self.forms();
        let mut halves = forms.iter().flat_map(|form| form.chunks(form.len().div_ceil(2)));
        halves.any(|half| [bytes, &joined].iter().any(|text| text.windows(half.len()).any(|w| w == half)))
    }

    /// Fails if a half of the private number, in any form, stands in `bytes`.
    pub(crate) fn assert_absent(&self, place: &str, bytes: &[u8]) {
        assert!(!self.is_in(bytes), "the private number is in {place}");
    }
}
