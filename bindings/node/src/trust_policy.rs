//! Building the trust policy of a ledger.

use napi::Env;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;
use sealwright::policy::PolicyBundle;
use sealwright::{gate, policy, trust_policy};

use crate::data::Json;
use crate::key::PublicKey;
use crate::record::Statement;
use crate::work::at_once;

/// The Statement of a trust policy, ready to be signed by its admins.
#[napi]
pub fn trust_policy_statement(
    env: Env,
    #[napi(ts_arg_type = "Record<string, unknown>")] policy: Json,
) -> napi::Result<Statement> {
    at_once(&env, || trust_policy::statement(&policy.read("trust policy")?).map(Statement::of))
}

/// How a trust policy carries the public key of a signer.
#[napi(ts_return_type = "ResourceDescriptor")]
pub fn key_descriptor(env: Env, key: &PublicKey) -> napi::Result<Json> {
    at_once(&env, || Json::of(&trust_policy::key_descriptor(&key.0)))
}

/// The policy bundle for a first ledger on one machine. Attach it to the ledger whose trust policy pins it.
#[napi]
pub fn starter_bundle(env: Env) -> napi::Result<Buffer> {
    at_once(&env, || policy::starter_bundle().map(Buffer::from))
}

/// How records name a policy bundle that is attached to their ledger.
#[napi(ts_return_type = "ResourceDescriptor")]
pub fn policy_descriptor(env: Env, bundle: &[u8]) -> napi::Result<Json> {
    at_once(&env, || Json::of(&gate::policy_descriptor(&PolicyBundle::parse(bundle)?)))
}

/// The profile of a policy bundle, as records carry it.
#[napi(ts_return_type = "Record<string, unknown>")]
pub fn policy_profile(env: Env, bundle: &[u8]) -> napi::Result<Json> {
    at_once(&env, || Json::of(&gate::profile(&PolicyBundle::parse(bundle)?)))
}
