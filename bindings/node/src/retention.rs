//! How long records are kept: what is due, legal holds, disposals, and the archive.

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use sealwright::ledger::{self, Schedule};
use sealwright::release::{self, HoldOrder};
use sealwright::{Result, signer};

use crate::data::{Json, now as time};
use crate::ledger::Ledger;
use crate::release::Recorded;
use crate::signer::AnySigner;
use crate::work::{Work, at_once, twins};

twins! { Ledger, ledger;
    "The retention of all records under a schedule, as of `now`."
    retention, retention_sync(
        #[napi(ts_arg_type = "Schedule")] schedule: Json,
        #[napi(ts_arg_type = "Time")] now: Option<Json>
    ) -> Retention, "Promise<Retention>", "Retention" => ledger.retention(&read(&schedule)?, time(now)?).map(Retention);

    "What of `entries`, or of all records, could be disposed of. Nothing is changed."
    plan_disposal, plan_disposal_sync(
        #[napi(ts_arg_type = "Schedule")] schedule: Json,
        #[napi(ts_arg_type = "number[]")] entries: Option<Json>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>
    ) -> DisposalPlan, "Promise<DisposalPlan>", "DisposalPlan" =>
        ledger.plan_disposal(&read(&schedule)?, indexes(entries.as_ref())?.as_deref(), time(now)?).map(DisposalPlan);

    "Disposes of `entries`, or of all records that are due and that two records officers approved of. The decision and"
    "the record of the disposal are appended first; then bodies are erased. Entries stay, and proofs still verify."
    dispose, dispose_sync(
        #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
        #[napi(ts_arg_type = "Schedule")] schedule: Json,
        #[napi(ts_arg_type = "Actor")] executed_by: Json,
        #[napi(ts_arg_type = "number[]")] entries: Option<Json>,
        #[napi(ts_arg_type = "Time")] now: Option<Json>
    ) -> Json, "Promise<Disposal>", "Disposal" => {
        let (by, entries) = (executed_by.read("actor")?, indexes(entries.as_ref())?);
        Json::of(&ledger.dispose(&read(&schedule)?, entries.as_deref(), by, &*key.0, time(now)?)?)
    };

    "Erases bodies whose disposal is recorded, and whose erasing was cut short. Gives their entries."
    finish_disposals, finish_disposals_sync() -> Json, "Promise<number[]>", "number[]" =>
        Json::of(&ledger.finish_disposals()?);

    "All legal holds that were ever placed."
    holds, holds_sync() -> Json, "Promise<Hold[]>", "Hold[]" => Json::of(&ledger.holds()?);

    "Moves bodies of entries logged before `before` to the archive."
    archive, archive_sync(#[napi(ts_arg_type = "Time")] before: Json) -> Json, "Promise<Moved>", "Moved" =>
        Json::of(&ledger.archive(before.read("time")?, &mut |_, _| {})?);

    "Moves bodies back from the archive: those of `entries`, or all."
    unarchive, unarchive_sync(#[napi(ts_arg_type = "number[]")] entries: Option<Json>)
        -> Json, "Promise<Moved>", "Moved" =>
        Json::of(&ledger.unarchive(indexes(entries.as_ref())?.as_deref(), &mut |_, _| {})?);

    "Entries whose bodies are archived."
    archived, archived_sync() -> Json, "Promise<number[]>", "number[]" => Json::of(&ledger.archived()?);
}

fn read(schedule: &Json) -> Result<Schedule> {
    Schedule::parse(schedule.as_bytes())
}

fn indexes(entries: Option<&Json>) -> Result<Option<Vec<u64>>> {
    entries.map(|entries| entries.read("indexes of entries")).transpose()
}

/// The rules of a schedule for evidence of these kinds, with their periods, the longest first.
#[napi(ts_return_type = "[rule: string, period: string][]")]
pub fn longest_retention(
    env: Env,
    #[napi(ts_arg_type = "Schedule")] schedule: Json,
    kinds: Vec<String>,
) -> napi::Result<Json> {
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    at_once(&env, || Json::of(&read(&schedule)?.longest(&kinds)))
}

/// The retention of all records of a ledger.
#[napi]
pub struct Retention(ledger::Retention);

#[napi]
impl Retention {
    /// Records that may be disposed of now.
    #[napi(getter, ts_return_type = "Due[]")]
    pub fn due(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.due().collect::<Vec<_>>()))
    }

    /// The whole as data.
    #[napi(js_name = "toJSON", ts_return_type = "{ size: number; at: string; records: Due[] }")]
    pub fn to_json(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0))
    }
}

/// What would be disposed of, and what stands in the way.
#[napi]
pub struct DisposalPlan(ledger::DisposalPlan);

#[napi]
impl DisposalPlan {
    /// Whether all of it may go.
    #[napi(getter)]
    pub fn may_go(&self) -> bool {
        self.0.may_go()
    }

    /// The whole as data.
    #[napi(js_name = "toJSON", ts_return_type = "DisposalPlanData")]
    pub fn to_json(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0))
    }
}

/// Places a legal hold: from then on nothing that it covers is disposed of.
#[napi(ts_return_type = "Promise<Recorded>")]
pub fn place_hold(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "HoldOrder")] order: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Recorded>> {
    ledger.later(move |ledger| held(ledger, &*key.0, &order, now))
}

/// As `placeHold`, at once.
#[napi]
pub fn place_hold_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "HoldOrder")] order: Json,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Recorded> {
    ledger.at_once(&env, |ledger| held(ledger, &*key.0, &order, now))
}

fn held(ledger: &mut ledger::Ledger, key: &dyn signer::Signer, order: &Json, now: Option<Json>) -> Result<Recorded> {
    release::place_hold(ledger, HoldOrder::from_json(order.as_bytes())?, key, time(now)?).map(Recorded)
}

/// Releases a legal hold; nothing is disposed of by that.
#[napi(ts_return_type = "Promise<Recorded>")]
pub fn release_hold(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    hold_id: String,
    #[napi(ts_arg_type = "Actor")] ordered_by: Json,
    matter: Option<String>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Recorded>> {
    ledger.later(move |ledger| released(ledger, &*key.0, &hold_id, &ordered_by, matter, now))
}

/// As `releaseHold`, at once.
#[napi]
pub fn release_hold_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    hold_id: String,
    #[napi(ts_arg_type = "Actor")] ordered_by: Json,
    matter: Option<String>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Recorded> {
    ledger.at_once(&env, |ledger| released(ledger, &*key.0, &hold_id, &ordered_by, matter, now))
}

fn released(
    ledger: &mut ledger::Ledger,
    key: &dyn signer::Signer,
    hold_id: &str,
    ordered_by: &Json,
    matter: Option<String>,
    now: Option<Json>,
) -> Result<Recorded> {
    release::release_hold(ledger, hold_id, matter, ordered_by.read("actor")?, key, time(now)?).map(Recorded)
}

/// Approves the disposal of `entries`, or of all records that are due, as a records officer.
#[napi(ts_return_type = "Promise<Recorded>")]
pub fn approve_disposal(
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "Schedule")] schedule: Json,
    #[napi(ts_arg_type = "Actor")] approver: Json,
    #[napi(ts_arg_type = "number[]")] entries: Option<Json>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> AsyncTask<Work<Recorded>> {
    ledger.later(move |ledger| approved(ledger, &*key.0, &schedule, &approver, entries.as_ref(), now))
}

/// As `approveDisposal`, at once.
#[napi]
pub fn approve_disposal_sync(
    env: Env,
    ledger: &Ledger,
    #[napi(ts_arg_type = "PrivateKey | Signer")] key: AnySigner,
    #[napi(ts_arg_type = "Schedule")] schedule: Json,
    #[napi(ts_arg_type = "Actor")] approver: Json,
    #[napi(ts_arg_type = "number[]")] entries: Option<Json>,
    #[napi(ts_arg_type = "Time")] now: Option<Json>,
) -> napi::Result<Recorded> {
    ledger.at_once(&env, |ledger| approved(ledger, &*key.0, &schedule, &approver, entries.as_ref(), now))
}

fn approved(
    ledger: &mut ledger::Ledger,
    key: &dyn signer::Signer,
    schedule: &Json,
    approver: &Json,
    entries: Option<&Json>,
    now: Option<Json>,
) -> Result<Recorded> {
    let (approver, entries) = (approver.read("actor")?, indexes(entries)?);
    release::approve_disposal(ledger, &read(schedule)?, entries.as_deref(), approver, key, time(now)?).map(Recorded)
}
