//! Provenance from what a CI system says.

use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use sealwright::Result;
use sealwright::ci::{self, CiRun, CiSystem};

use crate::data::{Json, bytes_of, environment, now};
use crate::work::at_once;

/// The predicate of SLSA provenance v1 of the build that this runs in, from what `system` says: its name, or `auto`.
///
/// The variables are those of this process unless others are given; `systems` describes more systems in TOML.
#[napi(namespace = "ci", js_name = "provenance", ts_return_type = "Record<string, unknown>")]
pub fn ci_provenance(
    env: Env,
    system: String,
    #[napi(ts_arg_type = "Variables")] variables: Option<Json>,
    #[napi(ts_arg_type = "CiRun")] run: Option<Json>,
    systems: Option<Vec<Uint8Array>>,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> napi::Result<Json> {
    at_once(&env, || {
        let environment = environment(variables.as_ref())?;
        let more = systems.iter().flatten().map(|toml| CiSystem::parse(toml)).collect::<Result<Vec<_>>>()?;
        let run = CiRun::from_json(bytes_of(run.as_ref()), now(at)?)?;
        Json::of(&ci::system(&system, &environment, more)?.provenance(&environment, &run)?)
    })
}

/// The predicate of SLSA provenance v1 of a build on a machine that is no CI system. `source` has a `uri` and a digest.
#[napi(namespace = "ci", js_name = "plainMachine", ts_return_type = "Record<string, unknown>")]
pub fn ci_plain_machine(
    env: Env,
    builder_id: String,
    #[napi(ts_arg_type = "ResourceDescriptor")] source: Json,
    #[napi(ts_arg_type = "CiRun")] run: Option<Json>,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> napi::Result<Json> {
    at_once(&env, || {
        let run = CiRun::from_json(bytes_of(run.as_ref()), now(at)?)?;
        Json::of(&ci::plain_machine(&builder_id, source.read("source")?, &run)?)
    })
}
