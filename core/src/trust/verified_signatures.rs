//! Signatures that were verified before.
//!
//! Whether a signature is one of a key over some bytes never changes, so it need not be computed again: a ledger verifies
//! a record when it comes, when it is appended, and each time it is read. When a key counts is asked each time.

use std::collections::{HashSet, VecDeque};
use std::sync::Mutex;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::key::PublicKey;

/// Most that are remembered, the newest: half a megabyte.
const MOST: usize = 8192;

/// Signatures that were found good, by digest of key, signed bytes and signature.
#[derive(Debug, Default)]
pub(crate) struct VerifiedSignatures(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    known: HashSet<[u8; 32]>,
    /// The oldest first.
    order: VecDeque<[u8; 32]>,
}

impl VerifiedSignatures {
    /// Whether `verify` finds that `signature` is one of `key` over what has the digest `signed`; asked once.
    pub(crate) fn holds(
        &self,
        key: &PublicKey,
        signed: &Digest,
        signature: &[u8],
        verify: impl FnOnce() -> bool,
    ) -> bool {
        let id = id(key, signed, signature);
        let known = |remembered: &Remembered| remembered.known.contains(&id);
        if self.0.lock().is_ok_and(|remembered| known(&remembered)) {
            return true;
        }
        if !verify() {
            return false;
        }
        if let Ok(mut remembered) = self.0.lock()
            && remembered.known.insert(id)
        {
            remembered.order.push_back(id);
            if remembered.order.len() > MOST
                && let Some(oldest) = remembered.order.pop_front()
            {
                remembered.known.remove(&oldest);
            }
        }
        true
    }
}

fn id(key: &PublicKey, signed: &Digest, signature: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in [key.spki_der(), signed.to_string().as_bytes(), signature] {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyType, PrivateKey};

    #[test]
    fn a_signature_counts_for_its_key_and_its_bytes_alone() {
        let known = VerifiedSignatures::default();
        let (key, other) =
            (PrivateKey::generate(KeyType::Ed25519).unwrap(), PrivateKey::generate(KeyType::P256).unwrap());
        let (one, two) = (Digest::sha256(b"one"), Digest::sha256(b"two"));
        assert!(!known.holds(key.public(), &one, b"sig", || false));
        assert!(known.holds(key.public(), &one, b"sig", || true), "what was not found good was not remembered");
        assert!(known.holds(key.public(), &one, b"sig", || panic!("asked twice")));
        assert!(!known.holds(other.public(), &one, b"sig", || false));
        assert!(!known.holds(key.public(), &two, b"sig", || false));
        assert!(!known.holds(key.public(), &one, b"sih", || false));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let known = VerifiedSignatures::default();
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let signed = Digest::sha256(b"one");
        for n in 0..=MOST {
            assert!(known.holds(key.public(), &signed, &n.to_be_bytes(), || true));
        }
        assert!(!known.holds(key.public(), &signed, &0_usize.to_be_bytes(), || false));
        assert!(known.holds(key.public(), &signed, &MOST.to_be_bytes(), || false));
        assert_eq!(known.0.lock().unwrap().known.len(), MOST);
    }
}
