//! The test vector of DSSE.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::Signature as P256Signature;
use sealwright::envelope::{Envelope, Signature};
use sealwright::json::Value;
use sealwright::key::{KeyType, PublicKey};

/// The envelope of the vector and the key that signed it; what it says is to be signed, we say too.
pub(crate) fn dsse_vector(folder: &Path) -> (Envelope, PublicKey) {
    let vector: Value = serde_json::from_slice(&std::fs::read(folder.join("vector.json")).unwrap()).unwrap();
    let text = |name: &str| vector[name].as_str().unwrap();
    let raw = STANDARD.decode(text("sig")).unwrap();
    let der = P256Signature::from_slice(&raw).unwrap().to_der().as_bytes().to_vec();
    let point = [vec![4], decimal(text("X")), decimal(text("Y"))].concat();
    let key = PublicKey::from_raw(KeyType::P256, &point).unwrap();
    let payload = text("payload").as_bytes().to_vec();
    let envelope = Envelope::new(text("payloadType"), payload, vec![Signature::new(None, der)]).unwrap();
    assert_eq!(envelope.pae(), text("pae").as_bytes());
    (envelope, key)
}

/// 32 bytes of a decimal number.
fn decimal(text: &str) -> Vec<u8> {
    let mut bytes = vec![0u8; 32];
    for digit in text.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 10;
            *byte = (carry & 0xff) as u8;
            carry >>= 8;
        }
    }
    bytes
}
