//! Spending a decision: the ledger itself refuses a second use, another digest or place, and a late one.
//!
//! A recorded, passing, enforced policy-evaluation allows one promotion and one deployment (all records of one
//! `deploymentId`). Uses are found by walking the entries, so that nothing an index hides is spent twice (predicates
//! sections 4.3, 4.6, 4.7; policy section 1.10). The walk is made once for each handle ([`Book`]).

use std::collections::BTreeSet;

use super::Ledger;
use super::book::Book;
use super::entry::Entry;
use super::walk::{Selection, is_without_body};
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::policy::PolicyBundle;
use crate::predicate::{
    Deployment, Enforcement, Environment, EnvironmentClass, EvaluationResult, PolicyEvaluation, Predicate,
    PredicateType, Promotion,
};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// What a record asks of the decision it names.
struct Use<'a> {
    decision: Digest,
    environment: &'a Environment,
    subjects: BTreeSet<Vec<u8>>,
    release: &'a str,
    signer: &'a str,
    by: UseBy<'a>,
}

enum UseBy<'a> {
    Promotion,
    Deployment(&'a Deployment),
}

impl Ledger {
    /// Refuses a promotion or deployment by `signer`, to be logged at entry `index` at the time `at`, whose decision it
    /// may not use.
    /// `pending` are records of the same batch that go before it.
    ///
    /// # Errors
    /// `PERMIT_REFUSED`; `BODY_DISPOSED`, `BODY_ARCHIVED` or `BODY_LOST` if that can't be told, for want of the decision or
    /// of a record that used it.
    pub(super) fn check_spend(
        &self,
        statement: &Statement,
        signer: &str,
        at: Timestamp,
        index: u64,
        pending: &[(&Entry, &Statement)],
    ) -> Result<()> {
        let predicate = statement.predicate()?;
        let (decision, environment, release, by) = match &predicate {
            Predicate::Promotion(p) => (p.decision.payload()?, &p.to, &p.release_id, UseBy::Promotion),
            Predicate::Deployment(d) => match &d.decision {
                Some(decision) => (decision.payload()?, &d.environment, &d.release_id, UseBy::Deployment(d)),
                // what happened without a decision is recorded, and is a finding from then on
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        let subjects = artifacts(statement);
        let usage = Use { decision, environment, subjects, release, signer, by };
        self.check_use(&usage, at, index, pending).map_err(|e| {
            let e = if is_without_body(&e) { e.while_doing("its decision can't be looked at") } else { e };
            e.with("decision", &usage.decision)
        })
    }

    /// As [`Ledger::check_spend`], for a record that is to be appended: what can't be told is refused.
    pub(super) fn check_may_spend(
        &self,
        statement: &Statement,
        signer: &str,
        at: Timestamp,
        pending: &[(&Entry, &Statement)],
    ) -> Result<()> {
        let checked = self.check_spend(statement, signer, at, self.size(), pending);
        checked.map_err(|e| if is_without_body(&e) { refused(e.message(), "decide again").caused_by(e) } else { e })
    }

    fn check_use(&self, usage: &Use<'_>, at: Timestamp, place: u64, pending: &[(&Entry, &Statement)]) -> Result<()> {
        self.with_book(|book| self.check_use_in(book, usage, at, place, pending))
    }

    fn check_use_in(
        &self,
        book: &mut Book,
        usage: &Use<'_>,
        at: Timestamp,
        place: u64,
        pending: &[(&Entry, &Statement)],
    ) -> Result<()> {
        let payload = usage.decision.hex();
        let found = match self.decision_in(book, &usage.decision, place)? {
            Some(index) => Some(self.record(index)?),
            None => None,
        };
        let uses = book.uses(&self.labels, &payload, place)?;
        let decided = found.ok_or_else(|| {
            refused(&format!("the decision `{payload}` is not in this ledger"), "ask the gate of this ledger")
        })?;
        let evaluation: PolicyEvaluation = decided.statement().predicate_as()?;
        check_decision(&evaluation, decided.statement(), usage)?;
        if decided.revoked {
            return Err(refused("the decision was revoked", "decide again"));
        }
        if !self.is_first_use(usage, &uses, pending)? {
            return Ok(());
        }
        self.check_in_time(&evaluation, decided.logged_at()?, at)?;
        let selection = relevant(decided.statement(), &evaluation, usage);
        // what was logged while the gate decided, it has not seen either
        let seen = evaluation.ledger_state.size.min(decided.index);
        let after =
            book.controls(seen, place).find(|(_, entry)| selection.matches(entry) || Selection::cannot_rule_out(entry));
        let in_batch =
            pending.iter().find(|(e, _)| e.control && (selection.matches(e) || Selection::cannot_rule_out(e)));
        let found = after.map(|(index, _)| self.record(index).map(|r| r.statement().predicate_type().to_owned()));
        if let Some(found) = found.or(in_batch.map(|(_, s)| Ok(s.predicate_type().to_owned()))) {
            // it may be one that cannot be read, and has still to be looked at
            let found = found.unwrap_or_else(|_| "not readable".to_owned());
            return Err(refused(
                &format!("since the decision, a record of type `{found}` was logged that may change it"),
                "decide again",
            ));
        }
        Ok(())
    }

    /// Whether no use of this kind was made yet. Further records of the same deployment are no new use.
    fn is_first_use(&self, usage: &Use<'_>, uses: &[u64], pending: &[(&Entry, &Statement)]) -> Result<bool> {
        let mut earlier: Vec<Statement> = Vec::new();
        for index in uses {
            let record = self.record(*index)?;
            // a promotion revoked since has spent its decision, but allows nothing any more
            let is_promotion = record.statement().predicate_type() == Promotion::TYPE;
            if record.revoked && is_promotion && matches!(usage.by, UseBy::Deployment(_)) {
                continue;
            }
            earlier.push(record.statement().clone());
        }
        let payload = usage.decision.hex();
        earlier.extend(pending.iter().filter(|(e, _)| e.has_tag("decision", &payload)).map(|(_, s)| (*s).clone()));
        match &usage.by {
            UseBy::Promotion => {
                if earlier.iter().any(|s| s.predicate_type() == Promotion::TYPE) {
                    return Err(refused("the decision was spent by an earlier promotion", "decide again"));
                }
                Ok(true)
            }
            UseBy::Deployment(deployment) => {
                check_promotion(deployment, &earlier)?;
                let mut first = true;
                for statement in earlier.iter().filter(|s| s.predicate_type() != Promotion::TYPE) {
                    match statement.predicate()? {
                        Predicate::Deployment(other) if other.deployment_id == deployment.deployment_id => {
                            first = false;
                        }
                        _ => {
                            return Err(refused("the decision was spent by an earlier deployment", "decide again"));
                        }
                    }
                }
                Ok(first)
            }
        }
    }

    fn check_in_time(&self, evaluation: &PolicyEvaluation, decided_at: Timestamp, at: Timestamp) -> Result<()> {
        let digest = evaluation
            .policy
            .digest
            .as_ref()
            .and_then(|d| d.get(Algorithm::Sha256))
            .ok_or_else(|| refused("the decision names no policy bundle by SHA-256", "decide again"))?;
        let class = evaluation.environment.as_ref().map_or(EnvironmentClass::Prod, |e| e.class);
        let bundle = PolicyBundle::parse(&self.policy_bundle(&digest)?)?;
        let valid = bundle.permit_valid_millis(class.name())?;
        let age = at.unix_millis() - decided_at.unix_millis();
        if age > valid {
            return Err(refused(
                &format!("the decision is {} min old, and counts for {} min", age / 60_000, valid / 60_000),
                "decide again",
            )
            .with("ageMillis", age));
        }
        Ok(())
    }
}

fn check_decision(evaluation: &PolicyEvaluation, statement: &Statement, usage: &Use<'_>) -> Result<()> {
    if evaluation.result != EvaluationResult::Passed || evaluation.enforcement != Enforcement::Enforced {
        return Err(refused("the decision is no enforced pass", "meet the policy, then ask the gate again"));
    }
    // the class as well as the id: a pass into dev is none into an environment of the same name that is now called prod
    let decided = evaluation.environment.as_ref().map(|e| (e.id.as_str(), e.class.name()));
    let used = (usage.environment.id.as_str(), usage.environment.class.name());
    if decided != Some(used) {
        let (id, class) = decided.unwrap_or(("none", "none"));
        return Err(refused(
            &format!("the decision is for the environment `{id}` ({class}), not for `{}` ({})", used.0, used.1),
            "ask the gate for this environment",
        ));
    }
    if artifacts(statement) != usage.subjects {
        return Err(refused("the decision is for another digest", "ask the gate for this artifact"));
    }
    if let Some(release) = evaluation.release_id.as_deref().filter(|r| *r != usage.release) {
        return Err(refused(
            &format!("the decision is for the release `{release}`, not for `{}`", usage.release),
            "ask the gate for this release",
        ));
    }
    let deployer = evaluation.deployer.as_deref().filter(|_| matches!(usage.by, UseBy::Deployment(_)));
    if let Some(deployer) = deployer.filter(|d| *d != usage.signer) {
        return Err(refused(
            &format!("the decision lets `{deployer}` deploy, and `{}` did", usage.signer),
            "have the one deploy that the gate was asked about",
        ));
    }
    Ok(())
}

/// Above dev, a deployment names the promotion that named its decision.
fn check_promotion(deployment: &Deployment, earlier: &[Statement]) -> Result<()> {
    let Some(promotion) = &deployment.promotion else {
        if deployment.environment.class == EnvironmentClass::Dev {
            return Ok(());
        }
        return Err(refused("above dev, a deployment names the promotion it follows", "promote first"));
    };
    let named = promotion.payload()?;
    if !earlier.iter().any(|s| s.predicate_type() == Promotion::TYPE && s.payload_digest() == named) {
        return Err(refused(
            &format!("the promotion `{}` did not spend this decision", named.hex()),
            "name the promotion that did",
        ));
    }
    Ok(())
}

/// What a control entry must touch to void the decision: anything the decision, its evidence or its use is about.
fn relevant(decision: &Statement, evaluation: &PolicyEvaluation, usage: &Use<'_>) -> Selection {
    let mut selection = Selection::default().with("environment", &usage.environment.id);
    let asked = &evaluation.selection.tags;
    for (name, values) in [("subject", &asked.subject), ("change", &asked.change), ("release", &asked.release)] {
        for value in values {
            selection = selection.with(name, value);
        }
    }
    let tags = decision.tags();
    for (name, values) in [
        ("subject", tags.subject),
        ("change", tags.change),
        ("service", tags.service),
        ("release", tags.release),
        ("environment", tags.environment),
    ] {
        for value in values {
            selection = selection.with(name, value);
        }
    }
    selection
}

fn artifacts(statement: &Statement) -> BTreeSet<Vec<u8>> {
    let digests = statement.subjects().iter().flat_map(|s| s.digests());
    digests.filter(|d| d.algorithm() == Algorithm::Sha256).map(|d| d.bytes().to_vec()).collect()
}

fn refused(why: &str, fix: &str) -> Error {
    Error::new(ErrorKind::PermitRefused, format!("{why}; {fix}"))
}
