//! Releases: begun, promoted, deployed, observed, compared.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use sealwright::alert::{Watch, alerts as look};
use sealwright::digest::Digest;
use sealwright::{Result, gate, ledger, release, signer};

use crate::data::Json;
use crate::gate::Permit;
use crate::ledger::{Ledger, Receipt};
use crate::signer::AnySigner;
use crate::work::Work;

/// A record that an act left in the ledger.
#[napi]
pub struct Recorded(pub(crate) release::Recorded);

#[napi]
impl Recorded {
    /// Digest of its payload, by which other records name it.
    #[napi(getter)]
    pub fn payload(&self) -> String {
        self.0.payload.to_string()
    }

    /// Proof that it is in the ledger.
    #[napi(getter)]
    pub fn receipt(&self) -> Receipt {
        Receipt(self.0.receipt.clone())
    }
}

/// Begins a release: gives it its id, to which all evidence about its artifacts is linked.
#[napi(ts_return_type = "Promise<Recorded>")]
pub fn release_begin(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    release_id: String,
    purl: String,
    #[napi(ts_arg_type = "ResourceDescriptor[]")] artifacts: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Recorded>> {
    let key = Arc::clone(&key.0);
    ledger.later(move |ledger| begun(ledger, &key, &release_id, &purl, &artifacts, now))
}

/// As `releaseBegin`, at once.
#[napi]
pub fn release_begin_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    release_id: String,
    purl: String,
    #[napi(ts_arg_type = "ResourceDescriptor[]")] artifacts: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Recorded> {
    ledger.at_once(&env, |ledger| begun(ledger, &key.0, &release_id, &purl, &artifacts, now))
}

fn begun(
    ledger: &mut ledger::Ledger,
    key: &dyn signer::Signer,
    release_id: &str,
    purl: &str,
    artifacts: &Json,
    now: Option<Json>,
) -> Result<Recorded> {
    release::begin(ledger, release_id, purl, artifacts.read("artifacts")?, key, crate::data::now(now)?).map(Recorded)
}

/// Promotes what a permit is for into its environment, and spends the permit.
#[napi(ts_return_type = "Promise<Recorded>")]
pub fn promote(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    permit: &Permit,
    release_id: String,
    #[napi(ts_arg_type = "Actor")] promoted_by: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Recorded>> {
    let (key, permit) = (Arc::clone(&key.0), Arc::clone(&permit.0));
    ledger.later(move |ledger| promoted(ledger, &key, &permit, &release_id, &promoted_by, now))
}

/// As `promote`, at once.
#[napi]
pub fn promote_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    permit: &Permit,
    release_id: String,
    #[napi(ts_arg_type = "Actor")] promoted_by: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Recorded> {
    ledger.at_once(&env, |ledger| promoted(ledger, &key.0, &permit.0, &release_id, &promoted_by, now))
}

fn promoted(
    ledger: &mut ledger::Ledger,
    key: &dyn signer::Signer,
    permit: &gate::Permit,
    release_id: &str,
    promoted_by: &Json,
    now: Option<Json>,
) -> Result<Recorded> {
    release::promote(ledger, permit, release_id, promoted_by.read("actor")?, key, crate::data::now(now)?).map(Recorded)
}

/// Records a deployment; without a permit it is an evidence gap from then on.
///
/// Above dev, `promotion` is the payload digest of the promotion.
#[napi(ts_return_type = "Promise<Recorded>")]
pub fn deploy(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "Deploy")] deployment: Json,
    permit: Option<&Permit>,
    promotion: Option<String>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Recorded>> {
    let (key, permit) = (Arc::clone(&key.0), permit.map(|p| Arc::clone(&p.0)));
    ledger.later(move |ledger| deployed(ledger, &key, &deployment, permit.as_deref(), promotion.as_deref(), now))
}

/// As `deploy`, at once.
#[napi]
pub fn deploy_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "Deploy")] deployment: Json,
    permit: Option<&Permit>,
    promotion: Option<String>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Recorded> {
    let permit = permit.map(|p| &*p.0);
    ledger.at_once(&env, |ledger| deployed(ledger, &key.0, &deployment, permit, promotion.as_deref(), now))
}

fn deployed(
    ledger: &mut ledger::Ledger,
    key: &dyn signer::Signer,
    deployment: &Json,
    permit: Option<&gate::Permit>,
    promotion: Option<&str>,
    now: Option<Json>,
) -> Result<Recorded> {
    let promotion = promotion.map(str::parse::<Digest>).transpose()?;
    let (deployment, now) = (deployment.read("deployment")?, crate::data::now(now)?);
    release::deploy(ledger, deployment, permit, promotion.as_ref(), key, now).map(Recorded)
}

/// What an observer saw, as it was given.
struct Observation {
    environment: Json,
    observer: Json,
    state: Json,
    source: Vec<u8>,
    now: Option<Json>,
}

/// Records what an observer saw running. `source` is the raw answer it was made from; the ledger keeps it.
#[napi(ts_return_type = "Promise<Recorded>")]
pub fn snapshot(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "Environment")] environment: Json,
    #[napi(ts_arg_type = "Actor")] observer: Json,
    #[napi(ts_arg_type = "Observed[]")] state: Json,
    source: &[u8],
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Recorded>> {
    let key = Arc::clone(&key.0);
    let seen = Observation { environment, observer, state, source: source.to_vec(), now };
    ledger.later(move |ledger| observed(ledger, &key, seen))
}

/// As `snapshot`, at once.
#[napi]
#[allow(
    clippy::too_many_arguments,
    reason = "arguments of the core's call; napi writes it twice, once without the lint"
)]
pub fn snapshot_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "Environment")] environment: Json,
    #[napi(ts_arg_type = "Actor")] observer: Json,
    #[napi(ts_arg_type = "Observed[]")] state: Json,
    source: &[u8],
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Recorded> {
    let seen = Observation { environment, observer, state, source: source.to_vec(), now };
    ledger.at_once(&env, |ledger| observed(ledger, &key.0, seen))
}

fn observed(ledger: &mut ledger::Ledger, key: &dyn signer::Signer, seen: Observation) -> Result<Recorded> {
    let (environment, observer) = (seen.environment.read("environment")?, seen.observer.read("actor")?);
    let (state, now) = (seen.state.read("observed state")?, crate::data::now(seen.now)?);
    release::snapshot(ledger, environment, observer, state, &seen.source, key, now).map(Recorded)
}

/// Compares the newest snapshot of an environment with what was deployed into it, and records the result.
#[napi(ts_return_type = "Promise<Drift>")]
pub fn drift(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    environment_id: String,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Json>> {
    let key = Arc::clone(&key.0);
    ledger.later(move |ledger| Json::of(&release::drift(ledger, &environment_id, &*key, crate::data::now(now)?)?))
}

/// As `drift`, at once.
#[napi(ts_return_type = "Drift")]
pub fn drift_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    environment_id: String,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Json> {
    ledger.at_once(&env, |ledger| Json::of(&release::drift(ledger, &environment_id, &*key.0, crate::data::now(now)?)?))
}

/// Uses of keys and secrets in the hours up to `now` that somebody should look at: unusual reads, and keys whose uses do
/// not match what they signed; and documents that end.
#[napi(ts_return_type = "Promise<Alerts>")]
pub fn alerts(
    ledger: &Ledger,
    #[napi(ts_arg_type = "Watch")] watch: Option<Json>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Json>> {
    ledger.later(move |ledger| watched(ledger, watch, now))
}

/// As `alerts`, at once.
#[napi(ts_return_type = "Alerts")]
pub fn alerts_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "Watch")] watch: Option<Json>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Json> {
    ledger.at_once(&env, |ledger| watched(ledger, watch, now))
}

fn watched(ledger: &ledger::Ledger, watch: Option<Json>, now: Option<Json>) -> Result<Json> {
    let watch = watch.map_or_else(|| Ok(Watch::default()), |watch| Watch::from_json(watch.as_bytes()))?;
    Json::of(&look(ledger, &watch, crate::data::now(now)?)?)
}

/// The chain of custody of a release.
#[napi(ts_return_type = "Promise<Custody>")]
pub fn custody(ledger: &Ledger, release_id: String) -> AsyncTask<Work<Json>> {
    ledger.later(move |ledger| Json::of(&release::custody(ledger, &release_id)?))
}

/// The chain of custody of a release.
#[napi(ts_return_type = "Custody")]
pub fn custody_sync(env: Env, ledger: &Ledger, release_id: String) -> napi::Result<Json> {
    ledger.at_once(&env, |ledger| Json::of(&release::custody(ledger, &release_id)?))
}

/// The evidence gaps of a release; none means that nothing is missing.
#[napi(ts_return_type = "Promise<Finding[]>")]
pub fn gaps(ledger: &Ledger, release_id: String) -> AsyncTask<Work<Json>> {
    ledger.later(move |ledger| Json::of(&release::gaps(ledger, &release_id)?))
}

/// The evidence gaps of a release; none means that nothing is missing.
#[napi(ts_return_type = "Finding[]")]
pub fn gaps_sync(env: Env, ledger: &Ledger, release_id: String) -> napi::Result<Json> {
    ledger.at_once(&env, |ledger| Json::of(&release::gaps(ledger, &release_id)?))
}
