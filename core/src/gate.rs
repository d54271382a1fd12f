//! The gate: selects evidence completely, asks the policy, records the decision, and gives a permit only then.
//!
//! Evidence is selected by walking the entries of the ledger up to its checkpoint, never by asking an index. Every
//! decision is a record, refusals too: no record, no permit.

mod change;
mod environment;
mod evidence;
mod reference;
mod select;
mod witnessed;

use serde::Deserialize;

use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{ATTACHMENT_LOCATION, Anchored, Ledger, Receipt};
use crate::policy::{self, CheckOutcome, CheckResult, PolicyBundle};
use crate::predicate::{self, Enforcement, EvaluationResult, Gate, LedgerState, PolicyEvaluation, RecordRef};
use crate::signer::Signer;
use crate::statement::Statement;
use crate::timestamp::Timestamp;

pub use reference::ArtifactReference;
use select::Evidence;
pub(crate) use select::find_decision as decision_record;

/// The change id in a decision about an artifact for which no change was named.
pub const NO_CHANGE: &str = "urn:sealwright:no-change-named";

/// What a gate is asked.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct GateRequest {
    /// What is to go somewhere, as the caller names it; only a digest decides.
    pub artifact: ArtifactReference,
    /// Its package URL, for display.
    pub purl: Option<String>,
    /// Where it is to go. The gate is that of its class.
    pub environment: predicate::Environment,
    /// The release it belongs to.
    pub release_id: String,
    /// The change it answers; demanded above dev.
    pub change_id: Option<String>,
    /// The signer (by its name in the trust policy) that will deploy it.
    pub deployer: String,
}

impl GateRequest {
    /// Asks whether `artifact` of `release_id` may go to `environment`, to be deployed by the signer `deployer`.
    pub fn new(
        artifact: ArtifactReference,
        environment: predicate::Environment,
        release_id: impl Into<String>,
        deployer: impl Into<String>,
    ) -> Self {
        Self {
            artifact,
            purl: None,
            environment,
            release_id: release_id.into(),
            change_id: None,
            deployer: deployer.into(),
        }
    }

    /// Names the change the artifact answers.
    #[must_use]
    pub fn for_change(mut self, change_id: impl Into<String>) -> Self {
        self.change_id = Some(change_id.into());
        self
    }

    fn gate(&self) -> Gate {
        match self.environment.class {
            predicate::EnvironmentClass::Dev => Gate::Dev,
            predicate::EnvironmentClass::Test | predicate::EnvironmentClass::Staging => Gate::Staging,
            predicate::EnvironmentClass::Prod => Gate::Prod,
        }
    }
}

/// A recorded decision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decision {
    /// What was decided, as recorded.
    pub evaluation: PolicyEvaluation,
    /// Payload digest of the record, by which a promotion names it.
    pub payload: Digest,
    /// Proof that the record is in the ledger.
    pub receipt: Receipt,
}

/// The right to promote and deploy one artifact into one environment, once and soon. Made only by a gate.
///
/// The right itself is the record in the ledger, which refuses its misuse; this is its handle.
#[derive(Clone, Debug)]
pub struct Permit {
    decision: Digest,
    artifacts: Vec<ResourceDescriptor>,
    environment: predicate::Environment,
    change_id: Option<String>,
}

impl Decision {
    /// Whether the artifact may go on.
    pub fn passed(&self) -> bool {
        self.evaluation.result == EvaluationResult::Passed && self.evaluation.enforcement == Enforcement::Enforced
    }

    /// What refuses: each enforced check that failed or could not be decided.
    pub fn refusals(&self) -> impl Iterator<Item = &predicate::CheckResult> {
        self.evaluation.checks.iter().filter(|c| {
            c.enforcement == Enforcement::Enforced
                && matches!(c.result, predicate::CheckOutcome::Failed | predicate::CheckOutcome::Error)
        })
    }

    /// The permit, if the policy passed.
    ///
    /// # Errors
    /// `POLICY_DENIED` if a check failed, `POLICY_UNDECIDED` if one could not be decided; the message is theirs.
    pub fn enforce(&self, ledger: &Ledger) -> Result<Permit> {
        if self.passed() {
            return Permit::of_decision(ledger, &self.payload);
        }
        let kind = match self.evaluation.result {
            EvaluationResult::Failed => ErrorKind::PolicyDenied,
            _ => ErrorKind::PolicyUndecided,
        };
        let messages: Vec<_> = self.refusals().filter_map(|c| c.message.as_deref()).collect();
        let checks: Vec<_> = self.refusals().map(|c| c.id.as_str()).collect();
        Err(Error::new(kind, messages.join("\n")).with("checks", checks.join(" ")).with("decision", &self.payload))
    }
}

impl Permit {
    /// The permit of a decision in this ledger, for a process that did not decide itself.
    ///
    /// # Errors
    /// `PERMIT_REFUSED` if there is no such decision or it is no enforced pass; those of [`Ledger::record`].
    pub fn of_decision(ledger: &Ledger, decision: &Digest) -> Result<Self> {
        let record = decision_record(ledger, decision)?;
        let evaluation: PolicyEvaluation = record.statement().predicate_as()?;
        let environment = evaluation.environment.filter(|_| {
            evaluation.result == EvaluationResult::Passed && evaluation.enforcement == Enforcement::Enforced
        });
        let environment = environment.ok_or_else(|| {
            Error::new(
                ErrorKind::PermitRefused,
                format!("the decision `{decision}` is no enforced pass; meet the policy, then ask the gate again"),
            )
        })?;
        let artifacts = record.statement().subjects().to_vec();
        Ok(Self { decision: decision.clone(), artifacts, environment, change_id: evaluation.change_id })
    }

    /// Payload digest of the decision it stands for.
    pub fn decision(&self) -> &Digest {
        &self.decision
    }

    /// The artifacts it is for.
    pub fn artifacts(&self) -> &[ResourceDescriptor] {
        &self.artifacts
    }

    /// The environment it is for.
    pub fn environment(&self) -> &predicate::Environment {
        &self.environment
    }

    /// The change it is for.
    pub fn change_id(&self) -> Option<&str> {
        self.change_id.as_deref()
    }
}

/// Decides by the policy bundle that the trust policy pins, and records the decision, signed by `signer`.
///
/// An environment that was released into before as a stricter class than `request` says is judged, and recorded, as
/// that class.
///
/// Above dev, and unless its profile is that of a single operator, `now` must be within five minutes of a witness
/// cosignature or a timestamp over the checkpoint, and as many witnesses as the trust policy demands must have cosigned
/// it (EV-LOG-002).
///
/// # Errors
/// Those of the ledger, and of its trust policy if `signer` may not issue decisions; `POLICY_UNDECIDED` if the trust
/// policy pins no bundle, or nobody else ever saw the checkpoint of a decision that needs it. There is no decision then,
/// and no permit. A refusal by the policy is no error here: see [`Decision::enforce`].
pub fn decide(ledger: &mut Ledger, request: &GateRequest, signer: &dyn Signer, now: Timestamp) -> Result<Decision> {
    ledger.refresh()?;
    let digest = ledger.trust_policy()?.pinned_bundle().ok_or_else(|| {
        Error::new(
            ErrorKind::PolicyUndecided,
            "the trust policy pins no policy bundle, so there are no rules to decide by; have its admins pin one",
        )
    })?;
    let bundle = PolicyBundle::parse(&ledger.policy_bundle(&digest)?)?;
    let judged = environment::judged(ledger, &request.environment)?;
    let request = &GateRequest { environment: judged.environment, ..request.clone() };
    let evidence = select::evidence(ledger, request, &bundle, &judged.unreadable)?;
    let witnessed = ledger.witnessed()?;
    let input = evidence::input(ledger, request, &bundle, &evidence, &witnessed, now)?;
    let evaluation = policy::evaluate(&bundle, &input);
    let mut predicate = PolicyEvaluation {
        gate: request.gate(),
        profile: profile(&bundle),
        trust_policy: RecordRef::to(ledger.trust_policy()?.payload()),
        // a refusal for want of a change is a record, too, and says that none was named
        change_id: Some(request.change_id.clone().unwrap_or_else(|| NO_CHANGE.to_owned())),
        release_id: Some(request.release_id.clone()),
        deployer: Some(request.deployer.clone()),
        environment: Some(request.environment.clone()),
        // a gate never stands before the last entry, whatever the clock of its machine says
        evaluated_at: evidence.last.map_or(now, |last| now.max(last)),
        result: result_of(evaluation.result),
        enforcement: Enforcement::Enforced,
        engine: predicate::Engine { id: evaluation.engine.to_owned(), configuration: None },
        policy: policy_descriptor(&bundle),
        policy_version: Some(bundle.version().to_owned()),
        input_digest: evaluation.input_digest.hex(),
        input_attestations: evidence.records.iter().map(record_ref).collect(),
        ledger_state: LedgerState {
            origin: ledger.origin().to_owned(),
            size: ledger.size(),
            root_hash: ledger.checkpoint().checkpoint().root().to_string(),
            last_entry_at: evidence.last.unwrap_or(now),
            anchored_at: witnessed.anchored_at(),
        },
        selection: predicate::Selection {
            tags: evidence.tags(),
            matched: evidence.matched,
            control: evidence.controls,
            disposed: evidence.disposed,
        },
        checks: evaluation.checks.iter().map(|c| check_result(c, &evidence)).collect::<Result<_>>()?,
        first_attempt: Some(evidence.is_first_attempt(request)),
        duration_ms: None,
    };
    witnessed::judge(&mut predicate, ledger, &witnessed, now)?;
    let statement = Statement::new(vec![request.artifact.subject(request.purl.as_deref())], &predicate)?;
    let receipt = ledger.record_statement(&statement, signer, now)?;
    Ok(Decision { evaluation: predicate, payload: statement.payload_digest(), receipt })
}

/// The profile of a bundle, as records carry it.
pub fn profile(bundle: &PolicyBundle) -> predicate::Profile {
    let profile = bundle.profile();
    predicate::Profile {
        name: profile.name.clone(),
        single_operator: profile.single_operator,
        leaves_out: profile
            .leaves_out
            .iter()
            .map(|l| predicate::LeftOut { check: l.check.clone(), part: l.part.clone(), why: l.why.clone() })
            .collect(),
    }
}

/// How records name a policy bundle that is attached to their ledger.
pub fn policy_descriptor(bundle: &PolicyBundle) -> ResourceDescriptor {
    let mut descriptor = ResourceDescriptor::of(bundle.digest().clone())
        .named(bundle.name())
        .with_media_type("application/vnd.sealwright.policy-bundle+json");
    descriptor.download_location = Some(format!("{ATTACHMENT_LOCATION}{}", bundle.digest().hex()));
    descriptor
}

fn record_ref(record: &crate::ledger::LedgerRecord) -> RecordRef {
    let mut reference = RecordRef::to(&record.statement().payload_digest());
    reference.annotations = Some(predicate::RecordHints {
        ledger_index: Some(record.index),
        predicate_type: Some(record.statement().predicate_type().to_owned()),
    });
    reference
}

fn check_result(check: &CheckOutcome, evidence: &Evidence) -> Result<predicate::CheckResult> {
    let named = check.evidence.iter().map(|payload| {
        let digest = Digest::from_hex(Algorithm::Sha256, payload)?;
        let record = evidence.records.iter().find(|r| r.statement().payload_digest() == digest);
        Ok(record.map_or_else(|| RecordRef::to(&digest), record_ref))
    });
    Ok(predicate::CheckResult {
        id: check.id.clone(),
        result: match check.result {
            CheckResult::Passed => predicate::CheckOutcome::Passed,
            CheckResult::Failed => predicate::CheckOutcome::Failed,
            CheckResult::NotApplicable => predicate::CheckOutcome::NotApplicable,
            _ => predicate::CheckOutcome::Error,
        },
        enforcement: match check.enforcement {
            policy::Enforcement::Advisory => Enforcement::Advisory,
            policy::Enforcement::Enforced => Enforcement::Enforced,
        },
        question: Some(check.question.clone()),
        controls: check.controls.clone(),
        message: check.message.clone(),
        remediation: check.remediation.clone(),
        evidence: named.collect::<Result<_>>()?,
        exception: None,
    })
}

fn result_of(result: policy::EvaluationResult) -> EvaluationResult {
    match result {
        policy::EvaluationResult::Passed => EvaluationResult::Passed,
        policy::EvaluationResult::Failed => EvaluationResult::Failed,
        _ => EvaluationResult::Error,
    }
}

/// Whether the checkpoint could be compared with what was seen before, and the log is not known to have signed two
/// histories.
fn is_anchored(ledger: &Ledger) -> Result<bool> {
    Ok(ledger.anchored() == Anchored::Extends && ledger.forks()?.is_empty())
}
