//! Documents that others read and write: test reports and evidence packs.

use std::path::Path;
use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use sealwright::ingest::junit;
use sealwright::pack::{self, PackDemand};
use sealwright::{Result, ledger, signer};

use crate::data::Json;
use crate::ledger::Ledger;
use crate::signer::AnySigner;
use crate::work::{Work, at_once, later};

/// Reads a JUnit XML report.
#[napi(namespace = "junit", js_name = "read", ts_return_type = "Promise<JUnitReport>")]
pub fn junit_read(report: &[u8]) -> AsyncTask<Work<Json>> {
    let report = report.to_vec();
    later(move || Json::of(&junit::read(&report)?))
}

/// Reads a JUnit XML report.
#[napi(namespace = "junit", js_name = "readSync", ts_return_type = "JUnitReport")]
pub fn junit_read_sync(env: Env, report: &[u8]) -> napi::Result<Json> {
    at_once(&env, || Json::of(&junit::read(report)?))
}

/// Writes the evidence pack of a release to `folder`, which must be new or empty. `key` signs its manifest.
#[napi(namespace = "pack", js_name = "build", ts_return_type = "Promise<BuiltPack>")]
pub fn pack_build(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    folder: String,
    #[napi(ts_arg_type = "PackRequest")] request: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Json>> {
    let key = Arc::clone(&key.0);
    ledger.later(move |ledger| built(ledger, &key, &folder, &request, now))
}

/// Writes the evidence pack of a release to `folder`, which must be new or empty. `key` signs its manifest.
#[napi(namespace = "pack", js_name = "buildSync", ts_return_type = "BuiltPack")]
pub fn pack_build_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    folder: String,
    #[napi(ts_arg_type = "PackRequest")] request: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Json> {
    ledger.at_once(&env, |ledger| built(ledger, &key.0, &folder, &request, now))
}

fn built(
    ledger: &mut ledger::Ledger,
    key: &dyn signer::Signer,
    folder: &str,
    request: &Json,
    now: Option<Json>,
) -> Result<Json> {
    let request = request.read("pack request")?;
    Json::of(&pack::build(ledger, &request, Path::new(folder), key, crate::data::now(now)?)?)
}

/// Verifies the pack in `folder` against what is known from elsewhere.
#[napi(namespace = "pack", js_name = "verify", ts_return_type = "Promise<PackVerdict>")]
pub fn pack_verify(folder: String, #[napi(ts_arg_type = "PackDemand")] demand: Json) -> AsyncTask<Work<Json>> {
    later(move || verified(&folder, &demand))
}

/// Verifies the pack in `folder` against what is known from elsewhere.
#[napi(namespace = "pack", js_name = "verifySync", ts_return_type = "PackVerdict")]
pub fn pack_verify_sync(
    env: Env,
    folder: String,
    #[napi(ts_arg_type = "PackDemand")] demand: Json,
) -> napi::Result<Json> {
    at_once(&env, || verified(&folder, &demand))
}

fn verified(folder: &str, demand: &Json) -> Result<Json> {
    Json::of(&pack::verify(Path::new(folder), &PackDemand::from_json(demand.as_bytes())?)?)
}
