//! Signing, with a private key or with a signer that is elsewhere.

use std::sync::Arc;

use napi::bindgen_prelude::{AsyncTask, Buffer, ClassInstance, Either, FromNapiValue, TypeName, Uint8Array};
use napi::{Env, Status, ValueType, sys};
use napi_derive::napi;
use sealwright::signer::{self, Access};
use sealwright::{Result, statement};

use crate::blob::{BlobFile, Content};
use crate::data::{Json, bytes_of};
use crate::key::{PrivateKey, PublicKey};
use crate::record::Statement;
use crate::work::{Work, at_once, later};

/// A signer that was opened by its reference, wherever its key is.
#[napi]
pub struct Signer(Arc<dyn signer::Signer + Send + Sync>);

/// Whoever signs: a PrivateKey or a Signer.
pub struct AnySigner(pub(crate) Arc<dyn signer::Signer + Send + Sync>);

impl TypeName for AnySigner {
    fn type_name() -> &'static str {
        "PrivateKey | Signer"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

#[expect(unsafe_code, reason = "the trait's functions are unsafe to call; Node gives value and environment together")]
impl FromNapiValue for AnySigner {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> napi::Result<Self> {
        type Given<'a> = Either<ClassInstance<'a, PrivateKey>, ClassInstance<'a, Signer>>;
        // SAFETY: the caller gives a value of this environment
        let given = unsafe { Given::from_napi_value(env, value) };
        let neither = |_| napi::Error::new(Status::InvalidArg, "expected a PrivateKey or a Signer");
        Ok(Self(match given.map_err(neither)? {
            Either::A(key) => Arc::<sealwright::key::PrivateKey>::clone(&key.0),
            Either::B(signer) => Arc::clone(&signer.0),
        }))
    }
}

#[napi]
impl Signer {
    /// Opens the signer that `reference` names: a key file, `pkcs11:…`, `awskms://…`, `hashivault://…` or `command:…`.
    #[napi(ts_return_type = "Promise<Signer>")]
    pub fn open(
        reference: String,
        #[napi(ts_arg_type = "SignerAccess")] access: Option<Json>,
    ) -> AsyncTask<Work<Signer>> {
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

    /// The public half.
    #[napi(getter)]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().clone())
    }

    /// Signs bytes. All but a key file get to see their digest, and nothing else of them.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn sign(&self, message: &[u8]) -> AsyncTask<Work<Buffer>> {
        let (signer, message) = (Arc::clone(&self.0), message.to_vec());
        later(move || signer.sign(&message).map(Buffer::from))
    }

    /// As `sign`, at once.
    #[napi]
    pub fn sign_sync(&self, env: Env, message: &[u8]) -> napi::Result<Buffer> {
        at_once(&env, || self.0.sign(message).map(Buffer::from))
    }
}

fn opened(reference: &str, access: Option<&Json>) -> Result<Signer> {
    signer::open(reference, &Access::from_json(bytes_of(access))?).map(|signer| Signer(signer.into()))
}

/// Signs a Statement: a record, which is a Sigstore bundle v0.3.
#[napi(ts_return_type = "Promise<Buffer>")]
pub fn sign(
    statement: &Statement,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
) -> AsyncTask<Work<Buffer>> {
    let statement = Arc::clone(&statement.0);
    later(move || signed(&statement, &key.0))
}

/// Signs a Statement: a record, which is a Sigstore bundle v0.3.
#[napi]
pub fn sign_sync(
    env: Env,
    statement: &Statement,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
) -> napi::Result<Buffer> {
    at_once(&env, || signed(&statement.0, &key.0))
}

fn signed(statement: &statement::Statement, key: &dyn signer::Signer) -> Result<Buffer> {
    signer::sign(statement, key).map(|bundle| bundle.to_json().into())
}

/// Signs bytes or a file as they are: a Sigstore bundle v0.3 with a message signature.
#[napi(ts_return_type = "Promise<Buffer>")]
pub fn sign_blob(
    blob: Either<Uint8Array, BlobFile>,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
) -> AsyncTask<Work<Buffer>> {
    let blob = Content::from(blob);
    later(move || signed_blob(blob, &key.0))
}

/// As `signBlob`, at once.
#[napi]
pub fn sign_blob_sync(
    env: Env,
    blob: Either<Uint8Array, BlobFile>,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
) -> napi::Result<Buffer> {
    at_once(&env, || signed_blob(blob.into(), &key.0))
}

fn signed_blob(blob: Content, key: &dyn signer::Signer) -> Result<Buffer> {
    signer::sign_blob(&mut blob.reader()?, key).map(|bundle| bundle.to_json().into())
}
