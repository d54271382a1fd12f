//! Running the rules of a bundle over an input, and judging what they gave.

use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};

use super::bundle::{Check, DECIDED, PolicyBundle};
use super::input::{Input, is_sha256_hex};
use super::message::{self, Fields, Place};
use super::need::{Demand, Need, Plan};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;

/// The engine that decides, as a package URL; its version is pinned in Cargo.toml.
pub const ENGINE: &str = "pkg:cargo/regorus@0.14.1";

/// Longest input document, in bytes.
const INPUT_BYTES: u64 = limits::POLICY_BUNDLE_BYTES;

/// What a bundle says about an input.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// The verdict. Only `PASSED` lets a release go on.
    pub result: EvaluationResult,
    /// Every check the bundle carries, in its order.
    pub checks: Vec<CheckOutcome>,
    /// SHA-256 of the canonical input (RFC 8785).
    #[serde(serialize_with = "digest_hex")]
    pub input_digest: Digest,
    /// [`ENGINE`].
    pub engine: String,
    /// Why nothing could be decided, if it is not the fault of single checks.
    pub problem: Option<String>,
}

/// The verdict of an evaluation.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EvaluationResult {
    /// No enforced check failed or is undecided, and at least one passed.
    Passed,
    /// An enforced check failed; or none passed.
    Failed,
    /// An enforced check could not be decided.
    Error,
}

/// What became of one check.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckOutcome {
    /// Its id.
    pub id: String,
    /// Its result.
    pub result: CheckResult,
    /// Whether it decides.
    pub enforcement: Enforcement,
    /// The question it answers.
    pub question: String,
    /// The controls it serves.
    pub controls: Vec<String>,
    /// What is to be said: why it failed or could not be decided, or what a passed check warns of.
    pub message: Option<String>,
    /// How to meet it.
    pub remediation: Option<String>,
    /// SHA-256 of the payloads it rests on, as hex, sorted.
    pub evidence: Vec<String>,
}

/// The result of a check (policy section 1).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CheckResult {
    /// Met on verified evidence.
    Passed,
    /// The evidence says no, or is missing.
    Failed,
    /// It could not be decided; cannot be excepted.
    Error,
    /// The tables do not ask it here.
    NotApplicable,
}

/// Whether a check decides.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enforcement {
    /// It decides.
    Enforced,
    /// It is told.
    Advisory,
}

/// Decides: runs the bundle over the input and judges each check.
///
/// Trouble of the policy is no error of this call but an [`Error`](CheckResult::Error) of the checks concerned, which
/// refuses like a failure. It takes 10 seconds at most ([`limits::POLICY_MILLIS`]).
pub fn evaluate(bundle: &PolicyBundle, input: &Input) -> Evaluation {
    match json::canonical("policy input", input) {
        Ok(bytes) => decide(bundle, input, &bytes, Duration::from_millis(limits::POLICY_MILLIS)),
        Err(e) => all_undecided(bundle, None, &[], e.message()),
    }
}

/// Decides over a stored input document, to check a decision taken earlier.
///
/// As [`evaluate`]; a document that lacks a key, has one too many or is no strict JSON leaves all undecided.
pub fn evaluate_json(bundle: &PolicyBundle, input: &[u8]) -> Evaluation {
    if input.len() as u64 > INPUT_BYTES {
        return all_undecided(bundle, None, input, TOO_LONG);
    }
    match json::parse::<Input>("policy input", input) {
        Ok(input) => evaluate(bundle, &input),
        Err(e) => all_undecided(bundle, None, input, e.message()),
    }
}

const TOO_LONG: &str = "the policy input is longer than 16 MiB; select fewer records";

fn decide(bundle: &PolicyBundle, input: &Input, bytes: &[u8], limit: Duration) -> Evaluation {
    match run(bundle, input, bytes, limit) {
        Ok((plan, outcomes)) => judge(bundle, input, bytes, &plan, &outcomes),
        Err(e) => all_undecided(bundle, Some(input), bytes, e.message()),
    }
}

/// What rules see: the input, and what the tables demand of it.
#[derive(Serialize)]
struct Seen<'a> {
    #[serde(flatten)]
    input: &'a Input,
    demand: &'a Demand,
}

fn run(bundle: &PolicyBundle, input: &Input, bytes: &[u8], limit: Duration) -> Result<(Plan, Value)> {
    if bytes.len() as u64 > INPUT_BYTES {
        return Err(Error::new(ErrorKind::PolicyUndecided, TOO_LONG));
    }
    if input.profile != *bundle.profile() {
        let found = message::clean(&input.profile.name);
        let what = format!("the input is for profile `{found}`, the bundle has `{}`", bundle.profile().name);
        return Err(Error::new(ErrorKind::PolicyUndecided, what));
    }
    let plan = bundle.tables.plan(bundle.checks(), input, &bundle.digest().hex())?;
    let seen = serde_json::to_string(&Seen { input, demand: &plan.demand })
        .map_err(|e| Error::new(ErrorKind::PolicyUndecided, format!("the input cannot be handed over: {e}")))?;
    let outcomes = bundle.compiled.run(seen, limit)?;
    Ok((plan, outcomes))
}

/// The shape every rule has to give, and no other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    outcome: GivenOutcome,
    fields: Vec<Fields>,
    evidence: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum GivenOutcome {
    Passed,
    Failed,
}

fn judge(bundle: &PolicyBundle, input: &Input, bytes: &[u8], plan: &Plan, outcomes: &Value) -> Evaluation {
    let place = place(input);
    let mut checks = Vec::new();
    for check in bundle.checks() {
        let need = plan.needs.get(&check.id).copied().unwrap_or(Need::Required);
        let mut outcome = blank(check, need);
        if need != Need::NotAsked && check.id != DECIDED {
            match given(outcomes, &check.id) {
                Ok(given) => fill(&mut outcome, check, place, given),
                Err(cause) => undecided(&mut outcome, check, place, &check.id, &cause),
            }
        }
        checks.push(outcome);
    }
    if let Some(check) = bundle.check(DECIDED) {
        let open = checks.iter().find(|outcome| outcome.result == CheckResult::Error).map(|outcome| outcome.id.clone());
        if let Some(decided) = checks.iter_mut().find(|outcome| outcome.id == DECIDED) {
            match open {
                _ if plan.needs.get(DECIDED) == Some(&Need::NotAsked) => {}
                Some(id) => undecided(decided, check, place, &id, "its rule gave no decision"),
                None => decided.result = CheckResult::Passed,
            }
        }
    }
    Evaluation {
        result: verdict(&checks),
        checks,
        input_digest: Digest::sha256(bytes),
        engine: ENGINE.to_owned(),
        problem: None,
    }
}

fn verdict(checks: &[CheckOutcome]) -> EvaluationResult {
    let mut enforced = checks.iter().filter(|outcome| outcome.enforcement == Enforcement::Enforced);
    if enforced.clone().any(|outcome| outcome.result == CheckResult::Error) {
        return EvaluationResult::Error;
    }
    let failed = enforced.clone().any(|outcome| outcome.result == CheckResult::Failed);
    // that the engine decided is no evidence: another check has to have passed
    if !failed && enforced.any(|outcome| outcome.result == CheckResult::Passed && outcome.id != DECIDED) {
        EvaluationResult::Passed
    } else {
        EvaluationResult::Failed
    }
}

fn given(outcomes: &Value, id: &str) -> std::result::Result<Given, String> {
    let value = outcomes.get(id).ok_or("its rule is undefined for this input")?;
    let given = Given::deserialize(value).map_err(|e| format!("its rule gave the wrong shape ({e})"))?;
    match given.evidence.iter().find(|payload| !is_sha256_hex(payload)) {
        Some(bad) => Err(format!("its rule names `{bad}` as evidence, which is no payload digest")),
        None => Ok(given),
    }
}

fn blank(check: &Check, need: Need) -> CheckOutcome {
    CheckOutcome {
        id: check.id.clone(),
        result: CheckResult::NotApplicable,
        enforcement: if need == Need::Advised { Enforcement::Advisory } else { Enforcement::Enforced },
        question: check.question.clone(),
        controls: check.controls.clone(),
        message: None,
        remediation: None,
        evidence: Vec::new(),
    }
}

fn fill(outcome: &mut CheckOutcome, check: &Check, place: Place<'_>, given: Given) {
    let passed = given.outcome == GivenOutcome::Passed;
    outcome.result = if passed { CheckResult::Passed } else { CheckResult::Failed };
    if !passed || !given.fields.is_empty() {
        let (message, fix) = message::render(check, place, &given.fields);
        (outcome.message, outcome.remediation) = (Some(message), Some(fix));
    }
    outcome.evidence = given.evidence;
    outcome.evidence.sort();
    outcome.evidence.dedup();
}

fn undecided(outcome: &mut CheckOutcome, check: &Check, place: Place<'_>, id: &str, cause: &str) {
    let fix = "Fix the input or rule; an error never passes.";
    let message = format!("Check {id} could not be evaluated: {}.", message::clean(cause));
    outcome.result = CheckResult::Error;
    outcome.message = Some(message::line(check, place, &message, fix));
    outcome.remediation = Some(fix.to_owned());
}

/// Nothing could be run: every check of the bundle is undecided.
fn all_undecided(bundle: &PolicyBundle, input: Option<&Input>, bytes: &[u8], cause: &str) -> Evaluation {
    let place = input.map_or(Place { environment: "unknown", sha256: None }, place);
    let checks = bundle.checks().iter().map(|check| {
        let mut outcome = blank(check, Need::Required);
        undecided(&mut outcome, check, place, &check.id, cause);
        outcome
    });
    Evaluation {
        result: EvaluationResult::Error,
        checks: checks.collect(),
        input_digest: Digest::sha256(bytes),
        engine: ENGINE.to_owned(),
        problem: Some(message::clean(cause)),
    }
}

fn place(input: &Input) -> Place<'_> {
    Place { environment: &input.gate, sha256: input.artifact.sha256.as_deref().filter(|hex| is_sha256_hex(hex)) }
}

fn digest_hex<S: Serializer>(digest: &Digest, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&digest.hex())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::starter_bundle;

    #[test]
    fn s057_an_evaluation_out_of_time_is_undecided_in_every_check() {
        let bundle = PolicyBundle::parse(&starter_bundle().unwrap()).unwrap();
        let slow = "package sealwright\n\nimport rego.v1\n\nmore if { some a in xs; some b in xs; some c in xs; \
                    a + b + c < 0 }\n\nxs contains n if { some a in digits; some b in digits; some c in digits; \
                    n := (a * 100 + b * 10) + c }\n\ndigits := [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n\n\
                    checks[\"EV-SIG-001\"] := {\"outcome\": \"PASSED\", \"fields\": [], \"evidence\": []} if more";
        let mut document: Value = serde_json::from_slice(&starter_bundle().unwrap()).unwrap();
        document["checks"].as_array_mut().unwrap().truncate(1);
        document["modules"] = serde_json::json!({ "slow.rego": slow });
        let slow = PolicyBundle::parse(&json::canonical("bundle", &document).unwrap()).unwrap();
        let input = serde_json::json!({
            "gate": "dev", "nowUnix": 0, "profile": bundle.profile(),
            "trustPolicy": { "version": 1, "payload": "", "problems": [], "builders": [] },
            "target": { "id": "dev", "class": "dev" }, "releaseId": "r", "releaseKind": "service",
            "artifact": { "sha256": null, "purl": null, "reference": "x" }, "deployer": null, "change": null,
            "approvals": [], "evidence": { "provenance": [], "sbom": [], "tests": [] },
            "custody": { "promotions": [], "deployments": [] }, "records": { "read": 1, "refused": [] },
            "ledger": { "origin": "o", "size": 1, "rootHash": "", "lastEntryUnix": 0, "matched": 1, "control": 0,
                        "disposed": 0, "missing": [], "anchored": true, "proven": true, "cosignatures": 0,
                "quorum": 0, "anchoredAtUnix": null },
            "policy": { "digest": "", "signed": true, "pinned": true, "approvals": [], "authors": [] }
        });
        let input: Input = serde_json::from_value(input).unwrap();
        let bytes = json::canonical("input", &input).unwrap();
        let evaluation = decide(&slow, &input, &bytes, Duration::from_millis(100));
        assert_eq!(evaluation.result, EvaluationResult::Error);
        assert!(evaluation.checks.iter().all(|check| check.result == CheckResult::Error));
        assert!(evaluation.problem.unwrap().contains("time limit"));
        // the same input leaves the sound bundle time enough to refuse
        assert_eq!(evaluate(&bundle, &input).result, EvaluationResult::Failed);
    }
}
