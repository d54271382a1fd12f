//! Keys.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi_derive::napi;
use sealwright::Result;
use sealwright::key::{self, KeyFormat};

use crate::work::{Work, at_once, later};

/// A private key that signs. It cannot be copied or shown; its bytes are zeroed when it is let go.
#[napi]
pub struct PrivateKey(pub(crate) Arc<key::PrivateKey>);

impl PrivateKey {
    fn of(key: key::PrivateKey) -> Self {
        Self(Arc::new(key))
    }

    /// A private key is never copied, so a handle that keeps one reads it anew.
    pub(crate) fn own(key: &key::PrivateKey) -> Result<key::PrivateKey> {
        key::PrivateKey::from_pem(key.to_pem()?.as_bytes(), None)
    }
}

#[napi]
impl PrivateKey {
    /// Makes a new key of type `p256`, `p384` or `ed25519`.
    #[napi]
    pub fn generate(env: Env, key_type: String) -> napi::Result<Self> {
        at_once(&env, || key::PrivateKey::generate(key_type.parse()?).map(Self::of))
    }

    /// Reads a PEM file: PKCS#8, encrypted PKCS#8, SEC1, or one of cosign.
    #[napi(ts_return_type = "Promise<PrivateKey>")]
    pub fn from_pem(pem: String, passphrase: Option<String>) -> AsyncTask<Work<PrivateKey>> {
        later(move || key::PrivateKey::from_pem(pem.as_bytes(), passphrase.as_deref()).map(Self::of))
    }

    /// Reads a PEM file: PKCS#8, encrypted PKCS#8, SEC1, or one of cosign.
    #[napi]
    pub fn from_pem_sync(env: Env, pem: String, passphrase: Option<String>) -> napi::Result<Self> {
        at_once(&env, || key::PrivateKey::from_pem(pem.as_bytes(), passphrase.as_deref()).map(Self::of))
    }

    /// Reads a key file.
    #[napi(ts_return_type = "Promise<PrivateKey>")]
    pub fn read(path: String, passphrase: Option<String>) -> AsyncTask<Work<PrivateKey>> {
        later(move || key::read_private(Path::new(&path), passphrase.as_deref()).map(Self::of))
    }

    /// Reads a key file.
    #[napi]
    pub fn read_sync(env: Env, path: String, passphrase: Option<String>) -> napi::Result<Self> {
        at_once(&env, || key::read_private(Path::new(&path), passphrase.as_deref()).map(Self::of))
    }

    /// Writes a new file that only its owner can read, encrypted if there is a passphrase. Nothing is overwritten.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn write(
        &self,
        path: String,
        passphrase: Option<String>,
        #[napi(ts_arg_type = "'pkcs8' | 'cosign'")] format: Option<String>,
    ) -> AsyncTask<Work<()>> {
        let key = Arc::clone(&self.0);
        later(move || written(&key, &path, passphrase.as_deref(), format.as_deref()))
    }

    /// Writes a new file that only its owner can read, encrypted if there is a passphrase. Nothing is overwritten.
    #[napi]
    pub fn write_sync(
        &self,
        env: Env,
        path: String,
        passphrase: Option<String>,
        #[napi(ts_arg_type = "'pkcs8' | 'cosign'")] format: Option<String>,
    ) -> napi::Result<()> {
        at_once(&env, || written(&self.0, &path, passphrase.as_deref(), format.as_deref()))
    }

    /// The key as a PEM file, encrypted if there is a passphrase. The text stays in memory until Node frees it.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn to_pem(
        &self,
        passphrase: Option<String>,
        #[napi(ts_arg_type = "'pkcs8' | 'cosign'")] format: Option<String>,
    ) -> AsyncTask<Work<String>> {
        let key = Arc::clone(&self.0);
        later(move || pem(&key, passphrase.as_deref(), format.as_deref()))
    }

    /// The key as a PEM file, encrypted if there is a passphrase. The text stays in memory until Node frees it.
    #[napi]
    pub fn to_pem_sync(
        &self,
        env: Env,
        passphrase: Option<String>,
        #[napi(ts_arg_type = "'pkcs8' | 'cosign'")] format: Option<String>,
    ) -> napi::Result<String> {
        at_once(&env, || pem(&self.0, passphrase.as_deref(), format.as_deref()))
    }

    /// The public half.
    #[napi(getter)]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public().clone())
    }

    /// Signs bytes: P-256 and P-384 give ASN.1 DER ECDSA over their hash, Ed25519 its 64 bytes.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn sign(&self, message: &[u8]) -> AsyncTask<Work<Buffer>> {
        let (key, message) = (Arc::clone(&self.0), message.to_vec());
        later(move || key.sign(&message).map(Buffer::from))
    }

    /// Signs bytes: P-256 and P-384 give ASN.1 DER ECDSA over their hash, Ed25519 its 64 bytes.
    #[napi]
    pub fn sign_sync(&self, env: Env, message: &[u8]) -> napi::Result<Buffer> {
        at_once(&env, || self.0.sign(message).map(Buffer::from))
    }
}

fn written(key: &key::PrivateKey, path: &str, passphrase: Option<&str>, format: Option<&str>) -> Result<()> {
    key::write_private_as(Path::new(path), key, read_format(format)?, passphrase)
}

fn pem(key: &key::PrivateKey, passphrase: Option<&str>, format: Option<&str>) -> Result<String> {
    Ok(key.to_file(read_format(format)?, passphrase)?.as_str().to_owned())
}

fn read_format(format: Option<&str>) -> Result<KeyFormat> {
    format.map_or(Ok(KeyFormat::default()), str::parse)
}

/// A public key that verifies.
#[napi]
pub struct PublicKey(pub(crate) key::PublicKey);

#[napi]
impl PublicKey {
    /// Reads a `PUBLIC KEY` PEM file.
    #[napi]
    pub fn from_pem(env: Env, pem: String) -> napi::Result<Self> {
        at_once(&env, || key::PublicKey::from_pem(pem.as_bytes()).map(Self))
    }

    /// Reads a JSON Web Key.
    #[napi]
    pub fn from_jwk(env: Env, json: String) -> napi::Result<Self> {
        at_once(&env, || key::PublicKey::from_jwk(json.as_bytes()).map(Self))
    }

    /// Reads a key file. A private key given by mistake is refused, not used.
    #[napi(ts_return_type = "Promise<PublicKey>")]
    pub fn read(path: String) -> AsyncTask<Work<PublicKey>> {
        later(move || key::read_public(Path::new(&path)).map(Self))
    }

    /// Reads a key file. A private key given by mistake is refused, not used.
    #[napi]
    pub fn read_sync(env: Env, path: String) -> napi::Result<Self> {
        at_once(&env, || key::read_public(Path::new(&path)).map(Self))
    }

    /// The key as a `PUBLIC KEY` PEM file.
    #[napi]
    pub fn to_pem(&self) -> String {
        self.0.to_pem()
    }

    /// Lower-case hex SHA-256 of its SubjectPublicKeyInfo.
    #[napi(getter)]
    pub fn id(&self) -> String {
        self.0.id()
    }

    /// `p256`, `p384`, `ed25519` or `rsa`.
    #[napi(getter)]
    pub fn key_type(&self) -> &str {
        self.0.key_type().name()
    }

    /// Verifies a signature over bytes: resolves, or rejects with `BAD_SIGNATURE`.
    #[napi(ts_return_type = "Promise<void>")]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> AsyncTask<Work<()>> {
        let (key, message, signature) = (self.0.clone(), message.to_vec(), signature.to_vec());
        later(move || key.verify(&message, &signature))
    }

    /// Verifies a signature over bytes: returns, or throws `BAD_SIGNATURE`.
    #[napi]
    pub fn verify_sync(&self, env: Env, message: &[u8], signature: &[u8]) -> napi::Result<()> {
        at_once(&env, || self.0.verify(message, signature))
    }
}
