//! Signing: whoever holds a private key signs bytes, and a Statement becomes a record.

use crate::bundle::Bundle;
use crate::envelope::{Envelope, IN_TOTO, Signature, pae};
use crate::error::Result;
use crate::key::{PrivateKey, PublicKey};
use crate::statement::Statement;

/// Holds a private key, here or in hardware, and signs with it.
pub trait Signer {
    /// The public key of the signatures.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message`: ECDSA over its SHA-256 as ASN.1 DER for P-256, Ed25519 (RFC 8032) over it for Ed25519.
    ///
    /// # Errors
    /// `INTERNAL`, or what the hardware or service behind it reports.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>>;
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        self.public()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        Self::sign(self, message)
    }
}

/// Signs `statement`: a Sigstore bundle v0.3 with one signature, which other tools can verify too.
///
/// # Errors
/// What the signer reports.
pub fn sign(statement: &Statement, signer: &dyn Signer) -> Result<Bundle> {
    let key_id = signer.public_key().id();
    let sig = signer.sign(&pae(IN_TOTO, statement.payload()))?;
    let envelope =
        Envelope::new(IN_TOTO, statement.payload().to_vec(), vec![Signature::new(Some(key_id.clone()), sig)])?;
    Ok(Bundle::of_key(envelope, key_id))
}
