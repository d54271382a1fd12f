//! Reports of tools, platforms and logs as Statements, and the search for what must not be signed.

use std::path::Path;

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use sealwright::guard::Guard;
use sealwright::{Result, ingest};

use crate::data::{Json, bytes_of};
use crate::record::Statement;
use crate::work::{Work, at_once, later};

/// What was made of a report.
#[napi(namespace = "ingest")]
pub struct Ingested(ingest::Ingested);

#[napi(namespace = "ingest")]
impl Ingested {
    /// Name of the format that it was read as.
    #[napi(getter)]
    pub fn format(&self) -> &str {
        self.0.format
    }

    /// What the report says, ready to be signed.
    #[napi(getter)]
    pub fn statements(&self) -> Vec<Statement> {
        self.0.statements.iter().cloned().map(Statement::of).collect()
    }

    /// The report itself, by digest.
    #[napi(getter, ts_return_type = "ResourceDescriptor")]
    pub fn report(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.report))
    }

    /// Whether the report may hold secrets, so that nothing but its digest may be kept.
    #[napi(getter)]
    pub fn holds_secrets(&self) -> bool {
        self.0.holds_secrets
    }
}

/// Reads a report, and makes statements of it. `told` says what the report does not.
#[napi(namespace = "ingest", js_name = "read", ts_return_type = "Promise<ingest.Ingested>")]
pub fn ingest_read(
    report: &[u8],
    #[napi(ts_arg_type = "Told")] told: Option<Json>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Ingested>> {
    let report = report.to_vec();
    later(move || read(&report, told.as_ref(), now))
}

/// Reads a report, and makes statements of it. `told` says what the report does not.
#[napi(namespace = "ingest", js_name = "readSync")]
pub fn ingest_read_sync(
    env: Env,
    report: &[u8],
    #[napi(ts_arg_type = "Told")] told: Option<Json>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Ingested> {
    at_once(&env, || read(report, told.as_ref(), now))
}

fn read(report: &[u8], told: Option<&Json>, now: Option<Json>) -> Result<Ingested> {
    let told = ingest::Told::from_json(bytes_of(told))?;
    ingest::read(report, &told, crate::data::now(now)?).map(Ingested)
}

/// As `read`, of a file; a log of one entry a line is never held in memory.
#[napi(namespace = "ingest", js_name = "readFile", ts_return_type = "Promise<ingest.Ingested>")]
pub fn ingest_read_file(
    path: String,
    #[napi(ts_arg_type = "Told")] told: Option<Json>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Ingested>> {
    later(move || read_file(&path, told.as_ref(), now))
}

/// As `readSync`, of a file; a log of one entry a line is never held in memory.
#[napi(namespace = "ingest", js_name = "readFileSync")]
pub fn ingest_read_file_sync(
    env: Env,
    path: String,
    #[napi(ts_arg_type = "Told")] told: Option<Json>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Ingested> {
    at_once(&env, || read_file(&path, told.as_ref(), now))
}

fn read_file(path: &str, told: Option<&Json>, now: Option<Json>) -> Result<Ingested> {
    let told = ingest::Told::from_json(bytes_of(told))?;
    ingest::read_file(Path::new(path), &told, crate::data::now(now)?).map(Ingested)
}

/// Every format that is read: its name, what it is recognised by, what it says and becomes.
#[napi(namespace = "ingest", js_name = "formats", ts_return_type = "IngestFormat[]")]
pub fn ingest_formats(env: Env) -> napi::Result<Json> {
    at_once(&env, || Json::of(&ingest::FORMATS))
}

/// Searches text for secrets and data of people: rule, class and place of each finding, never the value. `rules` are rules of
/// one's own.
#[napi(namespace = "guard", js_name = "text", ts_return_type = "GuardHit[]")]
pub fn guard_text(
    env: Env,
    text: String,
    #[napi(ts_arg_type = "Record<string, unknown>")] rules: Option<Json>,
) -> napi::Result<Json> {
    at_once(&env, || {
        let guard = rules.iter().try_fold(Guard::built_in(), |guard, rules| guard.with_rules(rules.as_bytes()))?;
        Json::of(&guard.text(&text))
    })
}
