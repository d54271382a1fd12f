//! EV-LOG-002, as far as the ledger knows it: did others see this checkpoint, and just now (predicates section 1.3)?

use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Ledger, Witnessed};
use crate::limits;
use crate::predicate::{CheckOutcome, CheckResult, Enforcement, EvaluationResult, Gate, PolicyEvaluation};
use crate::timestamp::Timestamp;

const CHECK: &str = "EV-LOG-002";

/// Holds a decision above dev to the witnesses of the trust policy, whatever the rules of its bundle say, unless its
/// profile is that of a single operator. A bundle that has no rule for it gets the answer from here.
pub(super) fn judge(
    decision: &mut PolicyEvaluation,
    ledger: &Ledger,
    witnessed: &Witnessed,
    now: Timestamp,
) -> Result<()> {
    if !matches!(decision.gate, Gate::Staging | Gate::Prod) || decision.profile.single_operator {
        return Ok(());
    }
    let fix = "have the witnesses cosign it with `sealwright ledger witness`, then ask again";
    if witnessed.anchored_at().is_none() {
        return Err(Error::new(
            ErrorKind::PolicyUndecided,
            format!(
                "nobody but the ledger `{}` has seen its checkpoint of {} entries, so no decision above dev can be \
                 recorded; {fix}",
                ledger.origin(),
                witnessed.size
            ),
        ));
    }
    let problem = problem(witnessed, now);
    let known = decision.checks.iter().position(|check| check.id == CHECK);
    if known.is_some() && problem.is_none() {
        return Ok(());
    }
    if let Some(place) = known {
        decision.checks.remove(place);
    }
    if problem.is_some() && decision.result == EvaluationResult::Passed {
        decision.result = EvaluationResult::Failed;
    }
    decision.checks.push(CheckResult {
        id: CHECK.to_owned(),
        result: if problem.is_some() { CheckOutcome::Failed } else { CheckOutcome::Passed },
        enforcement: Enforcement::Enforced,
        question: Some("Is the ledger state trustworthy and current?".to_owned()),
        controls: vec!["nist:AU-9".to_owned(), "soc2:CC7.2".to_owned()],
        remediation: problem.as_ref().map(|_| format!("Check the ledger service and witnesses: {fix}.")),
        message: problem.map(|problem| format!("Checkpoint of {} is {problem}.", ledger.origin())),
        evidence: Vec::new(),
        exception: None,
    });
    Ok(())
}

fn problem(witnessed: &Witnessed, now: Timestamp) -> Option<String> {
    if !witnessed.has_quorum() {
        return Some(format!("cosigned by {} witnesses of {} needed", witnessed.cosignatures.len(), witnessed.quorum));
    }
    if !witnessed.is_fresh(now) {
        let at = witnessed.anchored_at().map(|at| at.to_string()).unwrap_or_default();
        return Some(format!(
            "last seen by others at {at}, which is over {} minutes from now",
            limits::ANCHOR_MILLIS / 60_000
        ));
    }
    None
}
