//! What a verifier believes.

use napi::Env;
use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;
use sealwright::{Result, trust};

use crate::data::{Json, bytes_of};
use crate::work::at_once;

/// What a verifier believes: keys and certificate identities by name, and the authorities and logs of Sigstore trusted
/// roots. It is never changed; each `with…` gives another one.
#[napi]
pub struct TrustRoot(pub(crate) trust::TrustRoot);

/// A trust root, or no more than its signers.
pub(crate) fn root(given: &Either<ClassInstance<'_, TrustRoot>, Json>) -> Result<trust::TrustRoot> {
    match given {
        Either::A(root) => Ok(root.0.clone()),
        Either::B(signers) => trust::TrustRoot::from_json(signers.as_bytes()),
    }
}

#[napi]
impl TrustRoot {
    /// Believes these signers, by name.
    #[napi(constructor)]
    pub fn new(env: Env, #[napi(ts_arg_type = "TrustedSigners")] signers: Option<Json>) -> napi::Result<Self> {
        at_once(&env, || trust::TrustRoot::from_json(bytes_of(signers.as_ref())).map(Self))
    }

    /// Believes Sigstore's public-good instance, by the copy that is built in.
    #[napi]
    pub fn public_good(env: Env) -> napi::Result<Self> {
        at_once(&env, || trust::TrustRoot::public_good().map(Self))
    }

    /// Believes Sigstore's staging instance, which is for tests, by the copy that is built in.
    #[napi]
    pub fn staging(env: Env) -> napi::Result<Self> {
        at_once(&env, || trust::TrustRoot::staging().map(Self))
    }

    /// Believes GitHub's own instance, for private repositories, by the copy that is built in. It has no logs.
    #[napi]
    pub fn github(env: Env) -> napi::Result<Self> {
        at_once(&env, || trust::TrustRoot::github().map(Self))
    }

    /// Believes these signers, too.
    #[napi]
    pub fn with_signers(
        &self,
        env: Env,
        #[napi(ts_arg_type = "TrustedSigners")] signers: Json,
    ) -> napi::Result<TrustRoot> {
        at_once(&env, || self.0.clone().with_signers(signers.as_bytes()).map(Self))
    }

    /// Believes a Sigstore trusted root (JSON), too. Of several, the newest comes last.
    #[napi]
    pub fn with_sigstore(&self, env: Env, trusted_root: &[u8]) -> napi::Result<TrustRoot> {
        at_once(&env, || self.0.clone().with_sigstore(trusted_root).map(Self))
    }
}
