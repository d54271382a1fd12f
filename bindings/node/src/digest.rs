//! Digests of bytes, files and folders.

use std::path::Path;

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use sealwright::Result;
use sealwright::digest::{Algorithm, Digest, DigestSet};

use crate::data::Json;
use crate::work::{Work, at_once, later};

/// SHA-256 of bytes, as `sha256:<hex>`.
#[napi(ts_return_type = "Promise<string>")]
pub fn digest_bytes(data: &[u8]) -> AsyncTask<Work<String>> {
    let data = data.to_vec();
    later(move || Ok(Digest::sha256(&data).to_string()))
}

/// SHA-256 of bytes, as `sha256:<hex>`.
#[napi]
pub fn digest_bytes_sync(data: &[u8]) -> String {
    Digest::sha256(data).to_string()
}

/// SHA-256 of a file, as `sha256:<hex>`.
#[napi(ts_return_type = "Promise<string>")]
pub fn digest_file(path: String) -> AsyncTask<Work<String>> {
    later(move || file(&path))
}

/// SHA-256 of a file, as `sha256:<hex>`.
#[napi]
pub fn digest_file_sync(env: Env, path: String) -> napi::Result<String> {
    at_once(&env, || file(&path))
}

fn file(path: &str) -> Result<String> {
    Digest::of_file(Path::new(path)).map(|d| d.to_string())
}

/// The `dirHash1` of a folder, as a DigestSet.
#[napi(ts_return_type = "Promise<DigestSet>")]
pub fn digest_folder(path: String) -> AsyncTask<Work<Json>> {
    later(move || folder(&path))
}

/// The `dirHash1` of a folder, as a DigestSet.
#[napi(ts_return_type = "DigestSet")]
pub fn digest_folder_sync(env: Env, path: String) -> napi::Result<Json> {
    at_once(&env, || folder(&path))
}

fn folder(path: &str) -> Result<Json> {
    Json::of(&DigestSet::of_folder(Path::new(path))?)
}

/// The digests of a file by several algorithms in one pass, as a DigestSet.
#[napi(ts_return_type = "Promise<DigestSet>")]
pub fn digest_set(path: String, algorithms: Vec<String>) -> AsyncTask<Work<Json>> {
    later(move || set(&path, &algorithms))
}

/// The digests of a file by several algorithms in one pass, as a DigestSet.
#[napi(ts_return_type = "DigestSet")]
pub fn digest_set_sync(env: Env, path: String, algorithms: Vec<String>) -> napi::Result<Json> {
    at_once(&env, || set(&path, &algorithms))
}

fn set(path: &str, algorithms: &[String]) -> Result<Json> {
    let algorithms = algorithms.iter().map(|name| name.parse()).collect::<Result<Vec<Algorithm>>>()?;
    Json::of(&DigestSet::of_file(Path::new(path), &algorithms)?)
}

/// Reads a digest such as `sha256:<hex>`, and gives it as a DigestSet.
#[napi(ts_return_type = "DigestSet")]
pub fn parse_digest(env: Env, text: String) -> napi::Result<Json> {
    at_once(&env, || Json::of(&DigestSet::from(text.parse::<Digest>()?)))
}
