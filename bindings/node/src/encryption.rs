//! The keys that ledgers are encrypted with.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use sealwright::Result;
use sealwright::encryption::{self, KeyFile};
use sealwright::signer::Access;

use crate::data::{Json, bytes_of};
use crate::work::{Work, at_once, later};

/// A key that ledgers are encrypted with, wherever it is. It cannot be shown.
#[napi]
pub struct KeyEncryptionKey(pub(crate) Arc<dyn encryption::KeyEncryptionKey>);

#[napi]
impl KeyEncryptionKey {
    /// Makes a new key in a new file that only its owner can read, under a passphrase if there is one.
    ///
    /// Without this file and its passphrase nobody reads what was encrypted with it.
    #[napi(ts_return_type = "Promise<KeyEncryptionKey>")]
    pub fn generate(path: String, passphrase: Option<String>) -> AsyncTask<Work<KeyEncryptionKey>> {
        later(move || generated(&path, passphrase.as_deref()))
    }

    /// As `generate`, at once.
    #[napi]
    pub fn generate_sync(env: Env, path: String, passphrase: Option<String>) -> napi::Result<Self> {
        at_once(&env, || generated(&path, passphrase.as_deref()))
    }

    /// Opens the key that `reference` names: a key file, `pkcs11:…`, `awskms://…` or `hashivault://…`.
    #[napi(ts_return_type = "Promise<KeyEncryptionKey>")]
    pub fn open(
        reference: String,
        #[napi(ts_arg_type = "SignerAccess")] access: Option<Json>,
    ) -> AsyncTask<Work<KeyEncryptionKey>> {
        later(move || opened(&reference, access.as_ref()))
    }

    /// As `open`, at once.
    #[napi]
    pub fn open_sync(
        env: Env,
        reference: String,
        #[napi(ts_arg_type = "SignerAccess")] access: Option<Json>,
    ) -> napi::Result<Self> {
        at_once(&env, || opened(&reference, access.as_ref()))
    }

    /// What names the key in the ledgers it opens; no secret.
    #[napi(getter)]
    pub fn id(&self) -> &str {
        self.0.id()
    }
}

fn generated(path: &str, passphrase: Option<&str>) -> Result<KeyEncryptionKey> {
    let key = KeyFile::generate()?;
    key.write(Path::new(path), passphrase)?;
    Ok(KeyEncryptionKey(Arc::new(key)))
}

fn opened(reference: &str, access: Option<&Json>) -> Result<KeyEncryptionKey> {
    let access = Access::from_json(bytes_of(access))?;
    encryption::open_key_encryption_key(reference, &access).map(|key| KeyEncryptionKey(key.into()))
}
