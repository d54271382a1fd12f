//! What a gate decided, on which inputs, by which rules (predicates section 4.3).

use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::field::{At, Check, ROOT};
use super::vocabulary::vocabulary;
use super::{Environment, PredicateType, Profile, RecordRef, Tags};
use crate::artifact::ResourceDescriptor;
use crate::error::Result;
use crate::json::Value;
use crate::timestamp::Timestamp;

/// A decision of a gate. Subjects: what is gated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyEvaluation {
    /// Which gate.
    pub gate: Gate,
    /// Profile of the policy bundle.
    pub profile: Profile,
    /// Trust policy in force.
    pub trust_policy: RecordRef,
    /// Change judged; needed at the gates staging and prod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_id: Option<String>,
    /// Release the artifact belongs to (an extension of ours); the permit is for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release_id: Option<String>,
    /// Signer, by its name in the trust policy, that is to deploy (an extension of ours); the permit is for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployer: Option<String>,
    /// Target; needed at the gates dev, staging and prod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The present, as the gate was told.
    pub evaluated_at: Timestamp,
    /// The decision.
    pub result: EvaluationResult,
    /// Whether the gate blocks; advisory only in dev.
    pub enforcement: Enforcement,
    /// What evaluated.
    pub engine: Engine,
    /// Policy bundle, by digest.
    pub policy: ResourceDescriptor,
    /// Its version for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// SHA-256 of the input document, hex.
    pub input_digest: String,
    /// Every record used.
    pub input_attestations: Vec<RecordRef>,
    /// The ledger as the gate saw it.
    pub ledger_state: LedgerState,
    /// What completeness is claimed for.
    pub selection: Selection,
    /// Every rule that ran.
    pub checks: Vec<CheckResult>,
    /// True if this gate never judged this change and digest before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_attempt: Option<bool>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
}

/// What evaluated a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Engine {
    /// Name and version, such as `pkg:cargo/regorus@0.14.1`.
    pub id: String,
    /// Options that change what a rule means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<Map<String, Value>>,
}

/// A ledger as a gate saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerState {
    /// Origin of its checkpoint.
    pub origin: String,
    /// Tree size.
    pub size: u64,
    /// Root hash, base64.
    pub root_hash: String,
    /// Time of the last entry.
    pub last_entry_at: Timestamp,
    /// Time of the cosignature or time stamp relied on; needed at staging and prod beyond a single operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchored_at: Option<Timestamp>,
}

/// What a gate selected from the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Selection {
    /// Tags asked for, plain.
    pub tags: Tags,
    /// Entries that matched.
    pub matched: u64,
    /// Control entries up to the checkpoint.
    pub control: u64,
    /// Of both, those whose body was disposed of.
    pub disposed: u64,
}

/// What one rule said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// Check id, such as `EV-PROV-001`.
    pub id: String,
    /// What it said.
    pub result: CheckOutcome,
    /// Whether it counts; an advisory one is recorded only.
    pub enforcement: Enforcement,
    /// The question it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Control ids it serves.
    pub controls: Vec<String>,
    /// What is wrong with which subject; needed when failed or in error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How to fix it; needed when failed or in error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remediation: Option<String>,
    /// Records it rested on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<RecordRef>,
    /// The grant, or the emergency change, that excepts it; needed when excepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<RecordRef>,
}

vocabulary! {
    /// A gate.
    Gate {
        /// After the build.
        Build = "build",
        /// Into development.
        Dev = "dev",
        /// Into staging or test.
        Staging = "staging",
        /// Into production.
        Prod = "prod",
        /// For a policy bundle.
        Policy = "policy",
        /// For a disposal of records.
        Dispose = "dispose",
    }
}

vocabulary! {
    /// What a gate decided.
    EvaluationResult {
        /// Let through.
        Passed = "PASSED",
        /// Refused.
        Failed = "FAILED",
        /// Refused, because it could not be decided.
        Error = "ERROR",
    }
}

vocabulary! {
    /// What one check said.
    CheckOutcome {
        /// Met.
        Passed = "PASSED",
        /// Not met.
        Failed = "FAILED",
        /// Could not be decided.
        Error = "ERROR",
        /// Not met, with leave.
        Excepted = "EXCEPTED",
        /// Does not apply here.
        NotApplicable = "NOT_APPLICABLE",
    }
}

vocabulary! {
    /// Whether a gate or a check blocks.
    Enforcement {
        /// It blocks.
        Enforced = "enforced",
        /// It is recorded only.
        Advisory = "advisory",
    }
}

impl PredicateType for PolicyEvaluation {
    const TYPE: &'static str = "https://sealwright.dev/attestation/policy-evaluation/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        let gate = format!("`predicate.gate` is `{}`", self.gate);
        let strict = matches!(self.gate, Gate::Staging | Gate::Prod);
        at.check("profile", &self.profile)?;
        at.check("trustPolicy", &self.trust_policy)?;
        at.needed("changeId", !strict || self.change_id.is_some(), &gate)?;
        at.uri("changeId", &self.change_id)?;
        let targeted = strict || self.gate == Gate::Dev;
        at.needed("environment", !targeted || self.environment.is_some(), &gate)?;
        at.check("environment", &self.environment)?;
        if self.enforcement == Enforcement::Advisory && self.gate != Gate::Dev {
            return Err(at.field("enforcement").wrong("is `advisory`, which only the gate `dev` may be; enforce it"));
        }
        at.field("engine").uri("id", &self.engine.id)?;
        at.digested("policy", &self.policy)?;
        at.text("policyVersion", &self.policy_version)?;
        at.sha256("inputDigest", &self.input_digest)?;
        at.check("inputAttestations", &self.input_attestations)?;
        let last = Some(self.ledger_state.last_entry_at);
        at.not_before("evaluatedAt", Some(self.evaluated_at), "predicate.ledgerState.lastEntryAt", last)?;
        at.check("ledgerState", &self.ledger_state)?;
        let anchored = self.ledger_state.anchored_at.is_some();
        let exempt = !strict || self.profile.single_operator;
        at.field("ledgerState").needed("anchoredAt", exempt || anchored, &gate)?;
        at.check("checks", &self.checks)?;
        self.check_result()
    }
}

impl PolicyEvaluation {
    /// A pass needs one enforced check that passed, and none that refuses.
    fn check_result(&self) -> Result<()> {
        if self.result != EvaluationResult::Passed {
            return Ok(());
        }
        let result = ROOT;
        let result = result.field("result");
        let mut enforced = self.checks.iter().filter(|c| c.enforcement == Enforcement::Enforced);
        if let Some(check) = enforced.clone().find(|c| matches!(c.result, CheckOutcome::Failed | CheckOutcome::Error)) {
            let (id, outcome) = (check.id.escape_debug(), check.result);
            return Err(result.wrong(format_args!("is `PASSED`, but the enforced check `{id}` is `{outcome}`; refuse")));
        }
        if enforced.any(|c| c.result == CheckOutcome::Passed) {
            return Ok(());
        }
        Err(result.wrong("is `PASSED`, but no enforced check passed; refuse, or enforce a check"))
    }
}

impl Check for LedgerState {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("origin", &self.origin)?;
        at.text("rootHash", &self.root_hash)
    }
}

impl Check for CheckResult {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("id", &self.id)?;
        at.text("question", &self.question)?;
        at.text("controls", &self.controls)?;
        let result = format!("`{at}.result` is `{}`", self.result);
        let refused = matches!(self.result, CheckOutcome::Failed | CheckOutcome::Error);
        at.needed("message", !refused || self.message.is_some(), &result)?;
        at.text("message", &self.message)?;
        at.needed("remediation", !refused || self.remediation.is_some(), &result)?;
        at.text("remediation", &self.remediation)?;
        at.check("evidence", &self.evidence)?;
        let excepted = self.result == CheckOutcome::Excepted;
        at.needed("exception", !excepted || self.exception.is_some(), &result)?;
        at.check("exception", &self.exception)
    }
}
