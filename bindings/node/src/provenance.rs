//! Builds and verification summaries: what is demanded of them, and written from what was checked.

use napi::Env;
use napi_derive::napi;
use sealwright::provenance::{self, Build, ProvenanceExpectation, SummaryExpectation};

use crate::data::{Json, now};
use crate::record::{Statement, Verified};
use crate::work::at_once;

/// A build that is what was demanded. Made only by checking.
#[napi(namespace = "provenance")]
pub struct Checked(provenance::Checked);

/// Proof that two builds of one commit made the same artifacts. Made only by comparing them.
#[napi(namespace = "provenance")]
pub struct Reproduction(provenance::Reproduction);

#[napi(namespace = "provenance")]
impl Checked {
    /// The build, the digest of the payload, and findings, which are worth knowing and decide nothing.
    #[napi(js_name = "toJSON", ts_return_type = "CheckedBuild")]
    pub fn to_json(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0))
    }

    /// The predicate of a verification summary (SLSA VSA) that says so. `policy` has a `uri`.
    #[napi(ts_return_type = "Record<string, unknown>")]
    pub fn summary(
        &self,
        env: Env,
        verifier_id: String,
        resource_uri: String,
        #[napi(ts_arg_type = "ResourceDescriptor")] policy: Json,
        levels: Vec<String>,
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> napi::Result<Json> {
        at_once(&env, || {
            Json::of(&self.0.summary(verifier_id, resource_uri, policy.read("policy")?, &levels, now(at)?)?)
        })
    }
}

#[napi(namespace = "provenance")]
impl Reproduction {
    /// The digests of the artifacts, the ids of the two builders, and the digests of the two payloads.
    #[napi(
        js_name = "toJSON",
        ts_return_type = "{ artifacts: string[]; builders: [string, string]; provenance: [string, string] }"
    )]
    pub fn to_json(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0))
    }

    /// As `Checked.summary`, with the property that the artifacts were reproduced.
    #[napi(ts_return_type = "Record<string, unknown>")]
    pub fn summary(
        &self,
        env: Env,
        verifier_id: String,
        resource_uri: String,
        #[napi(ts_arg_type = "ResourceDescriptor")] policy: Json,
        levels: Vec<String>,
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> napi::Result<Json> {
        at_once(&env, || {
            Json::of(&self.0.summary(verifier_id, resource_uri, policy.read("policy")?, &levels, now(at)?)?)
        })
    }
}

/// Checks the build that a verified record tells of (SLSA provenance v1, v0.2 or v0.1).
#[napi(namespace = "provenance", js_name = "check")]
pub fn provenance_check(
    env: Env,
    record: &Verified,
    #[napi(ts_arg_type = "ProvenanceExpectation")] expectation: Json,
) -> napi::Result<Checked> {
    at_once(&env, || ProvenanceExpectation::from_json(expectation.as_bytes())?.check(&record.0).map(Checked))
}

/// Checks a verified verification summary (SLSA VSA), and gives its predicate.
#[napi(namespace = "provenance", js_name = "checkSummary", ts_return_type = "Record<string, unknown>")]
pub fn provenance_check_summary(
    env: Env,
    record: &Verified,
    #[napi(ts_arg_type = "SummaryExpectation")] expectation: Json,
) -> napi::Result<Json> {
    at_once(&env, || Json::of(&SummaryExpectation::from_json(expectation.as_bytes())?.check(&record.0)?))
}

/// The build that a Statement tells of, with nothing demanded.
#[napi(namespace = "provenance", js_name = "build", ts_return_type = "Build")]
pub fn provenance_build(env: Env, statement: &Statement) -> napi::Result<Json> {
    at_once(&env, || Json::of(&Build::of(&statement.0)?))
}

/// Checks that two verified provenances tell of two builds of one commit that made the same artifacts.
#[napi(namespace = "provenance", js_name = "reproduced")]
pub fn provenance_reproduced(env: Env, first: &Verified, second: &Verified) -> napi::Result<Reproduction> {
    at_once(&env, || provenance::reproduced(&first.0, &second.0).map(Reproduction))
}

/// Checks that a verified SCAI record claims `BUILD_ISOLATED` about an artifact of this build: returns, or throws.
#[napi(namespace = "provenance", js_name = "isolated")]
pub fn provenance_isolated(env: Env, provenance: &Verified, claim: &Verified) -> napi::Result<()> {
    at_once(&env, || provenance::isolated(&provenance.0, &claim.0))
}
