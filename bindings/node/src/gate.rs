//! The gate: decisions and permits.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use sealwright::{gate, ledger, signer};

use crate::data::Json;
use crate::ledger::{Ledger, Receipt};
use crate::signer::AnySigner;
use crate::work::{Work, at_once};

/// A recorded decision.
#[napi]
pub struct Decision(gate::Decision);

#[napi]
impl Decision {
    /// Whether the artifact may go on.
    #[napi(getter)]
    pub fn passed(&self) -> bool {
        self.0.passed()
    }

    /// What was decided, as recorded.
    #[napi(getter, ts_return_type = "Record<string, unknown>")]
    pub fn evaluation(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.evaluation))
    }

    /// Each enforced check that failed or could not be decided.
    #[napi(getter, ts_return_type = "CheckResult[]")]
    pub fn refusals(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.refusals().collect::<Vec<_>>()))
    }

    /// Digest of the record's payload, by which a promotion names it.
    #[napi(getter)]
    pub fn payload(&self) -> String {
        self.0.payload.to_string()
    }

    /// Proof that the record is in the ledger.
    #[napi(getter)]
    pub fn receipt(&self) -> Receipt {
        Receipt(self.0.receipt.clone())
    }

    /// The permit if the policy passed; else it rejects with `POLICY_DENIED` and the messages of the checks.
    #[napi(ts_return_type = "Promise<Permit>")]
    pub fn enforce(&self, ledger: &Ledger) -> AsyncTask<Work<Permit>> {
        let decision = self.0.clone();
        ledger.later(move |ledger| decision.enforce(ledger).map(Permit::of))
    }

    /// The permit if the policy passed; else it throws `POLICY_DENIED` with the messages of the checks.
    #[napi]
    pub fn enforce_sync(&self, env: Env, ledger: &Ledger) -> napi::Result<Permit> {
        ledger.at_once(&env, |ledger| self.0.enforce(ledger).map(Permit::of))
    }
}

/// The right to promote and deploy one artifact into one environment, once and soon. Made only by a gate.
#[napi]
pub struct Permit(pub(crate) Arc<gate::Permit>);

impl Permit {
    fn of(permit: gate::Permit) -> Self {
        Self(Arc::new(permit))
    }
}

#[napi]
impl Permit {
    /// The permit of a decision in this ledger, for a process that did not decide itself.
    #[napi(ts_return_type = "Promise<Permit>")]
    pub fn of_decision(ledger: &Ledger, decision: String) -> AsyncTask<Work<Permit>> {
        ledger.later(move |ledger| gate::Permit::of_decision(ledger, &decision.parse()?).map(Self::of))
    }

    /// The permit of a decision in this ledger, for a process that did not decide itself.
    #[napi]
    pub fn of_decision_sync(env: Env, ledger: &Ledger, decision: String) -> napi::Result<Self> {
        ledger.at_once(&env, |ledger| gate::Permit::of_decision(ledger, &decision.parse()?).map(Self::of))
    }

    /// Payload digest of the decision it stands for.
    #[napi(getter)]
    pub fn decision(&self) -> String {
        self.0.decision().to_string()
    }

    /// The artifacts it is for.
    #[napi(getter, ts_return_type = "ResourceDescriptor[]")]
    pub fn artifacts(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.artifacts()))
    }

    /// The environment it is for.
    #[napi(getter, ts_return_type = "Environment")]
    pub fn environment(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(self.0.environment()))
    }

    /// The change it is for.
    #[napi(getter)]
    pub fn change_id(&self) -> Option<&str> {
        self.0.change_id()
    }
}

/// Decides whether an artifact may go to an environment, by the policy bundle that the trust policy pins, and records it.
///
/// `key` signs the decision. A refusal is no failure here: see `Decision.enforce`.
#[napi(ts_return_type = "Promise<Decision>")]
pub fn decide(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "GateRequest")] request: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Decision>> {
    let key = Arc::clone(&key.0);
    ledger.later(move |ledger| decided(ledger, &key, &request, now))
}

/// As `decide`, at once.
#[napi]
pub fn decide_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "GateRequest")] request: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Decision> {
    ledger.at_once(&env, |ledger| decided(ledger, &key.0, &request, now))
}

fn decided(
    ledger: &mut ledger::Ledger,
    key: &dyn signer::Signer,
    request: &Json,
    now: Option<Json>,
) -> sealwright::Result<Decision> {
    gate::decide(ledger, &request.read("gate request")?, key, crate::data::now(now)?).map(Decision)
}
