//! Symmetric keys in AWS KMS.

use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::error::ProvideErrorMetadata as _;
use aws_sdk_kms::primitives::Blob;
use zeroize::Zeroizing;

use super::{KeyEncryptionKey, wrong_key};
use crate::error::{Error, Result};
use crate::signer::aws_kms::{client, parse, refusal};
use crate::signer::external::failed;
use crate::signer::service::wait;

/// Name of the entry of the encryption context that says which ledger a keyring is of.
const CONTEXT: &str = "sealwright-ledger";

/// A key that encrypts and opens by asking KMS, which binds the ledger's origin as encryption context.
pub(super) struct AwsKmsKey {
    client: Client,
    key: String,
    id: String,
    name: String,
    time_limit: Duration,
}

impl AwsKmsKey {
    /// Names the key; it is asked for nothing until it is used. Credentials and region are found as AWS's SDK finds them.
    pub(super) fn open(rest: &str, time_limit: Duration) -> Result<Self> {
        let (endpoint, key) = parse(rest)?;
        let name = format!("the KMS key `{key}`");
        let client = wait(&name, time_limit, async { Ok::<_, Error>(client(endpoint, key).await) })?;
        Ok(Self { client, key: key.to_owned(), id: format!("awskms:{rest}"), name, time_limit })
    }
}

impl KeyEncryptionKey for AwsKmsKey {
    fn id(&self) -> &str {
        &self.id
    }

    fn encrypt(&self, secret: &[u8], context: &str) -> Result<Vec<u8>> {
        let request =
            self.client.encrypt().key_id(&self.key).plaintext(Blob::new(secret)).encryption_context(CONTEXT, context);
        let answer =
            wait(&self.name, self.time_limit, async { request.send().await.map_err(|e| refusal(&self.name, &e)) })?;
        let sealed = answer.ciphertext_blob().map(|b| b.as_ref().to_vec()).filter(|b| !b.is_empty());
        sealed.ok_or_else(|| failed(&self.name, "answered with nothing encrypted"))
    }

    fn decrypt(&self, sealed: &[u8], context: &str) -> Result<Zeroizing<Vec<u8>>> {
        let request = self
            .client
            .decrypt()
            .key_id(&self.key)
            .ciphertext_blob(Blob::new(sealed))
            .encryption_context(CONTEXT, context);
        let answer = wait(&self.name, self.time_limit, async {
            request.send().await.map_err(|e| {
                let code = e.as_service_error().and_then(|told| told.code()).unwrap_or_default();
                let refused = refusal(&self.name, &e);
                match code {
                    "IncorrectKeyException" | "InvalidCiphertextException" => {
                        wrong_key(&format!("{} does not open the keyring", self.name)).caused_by(refused)
                    }
                    _ => refused,
                }
            })
        })?;
        let opened = answer.plaintext().map(|b| Zeroizing::new(b.as_ref().to_vec()));
        opened.ok_or_else(|| failed(&self.name, "answered with nothing opened"))
    }
}
