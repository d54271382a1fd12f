//! Keys in the transit engine of Vault or OpenBao.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{KeyEncryptionKey, wrong_key};
use crate::error::Result;
use crate::signer::VaultAccess;
use crate::signer::external::failed;
use crate::signer::vault::{Vault, key_name};

/// A transit key, which must be one of AES-GCM or ChaCha20-Poly1305: these bind the ledger's origin.
pub(super) struct TransitKey {
    vault: Vault,
    key: String,
    id: String,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: String,
}

impl TransitKey {
    pub(super) fn open(rest: &str, access: &VaultAccess, time_limit: Duration) -> Result<Self> {
        let key = key_name(rest)?;
        let vault = Vault::new(access, format!("the Vault key `{key}`"), time_limit)?;
        Ok(Self { vault, key: key.to_owned(), id: format!("hashivault:{rest}") })
    }
}

impl KeyEncryptionKey for TransitKey {
    fn id(&self) -> &str {
        &self.id
    }

    fn encrypt(&self, secret: &[u8], context: &str) -> Result<Vec<u8>> {
        let question = json!({
            "plaintext": *Zeroizing::new(STANDARD.encode(secret)),
            "associated_data": STANDARD.encode(context),
        });
        let answer: Encrypted = self.vault.ask(Method::POST, &format!("encrypt/{}", self.key), Some(&question))?;
        if !answer.ciphertext.starts_with("vault:v") {
            return Err(failed(&self.vault.name, "answered with something else than a ciphertext"));
        }
        Ok(answer.ciphertext.into_bytes())
    }

    fn decrypt(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>> {
        let wrong = || wrong_key(&format!("{} does not open the keyring", self.vault.name));
        let question = json!({
            "ciphertext": std::str::from_utf8(sealed).map_err(|_| wrong())?,
            "associated_data": STANDARD.encode(context),
        });
        let answer: Decrypted =
            self.vault.ask(Method::POST, &format!("decrypt/{}", self.key), Some(&question)).map_err(|e| {
                // Vault answers 400 to what its key does not open
                match e.context().iter().any(|(name, value)| *name == "status" && value == "400") {
                    true => wrong().caused_by(e),
                    false => e,
                }
            })?;
        let plaintext = Zeroizing::new(answer.plaintext);
        STANDARD
            .decode(plaintext.as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| failed(&self.vault.name, "answered with something else than base64"))
    }
}
