//! Which class an environment is judged by: never a lower one than it was released into before.

use crate::error::{Error, ErrorKind, Result};
use crate::ledger::Ledger;
use crate::predicate::{Deployment, Environment, EnvironmentClass, Predicate, PredicateType, Promotion};

/// An environment as a gate judges it.
pub(super) struct Judged {
    pub(super) environment: Environment,
    /// Entries that may have said more of it, and can't be read.
    pub(super) unreadable: Vec<u64>,
}

/// The environment that was asked for, with the class of the newest release into it if that is stricter.
///
/// The caller names the class, and would choose the gate by it. A promotion or deployment that spent a decision has
/// the class of that decision, which was judged so in turn: by the newest alone, no later one is lower.
pub(super) fn judged(ledger: &Ledger, asked: &Environment) -> Result<Judged> {
    let mut spent = Vec::new();
    ledger.walk(|index, entry| {
        let here = entry.has_tag("environment", &asked.id) || entry.has_more_tags();
        let moves = || [Promotion::TYPE, Deployment::TYPE].iter().any(|t| entry.is_of_type(t));
        if here && entry.tag("decision").next().is_some() && moves() {
            spent.push(index);
        }
        Ok(())
    })?;
    let mut judged = Judged { environment: asked.clone(), unreadable: Vec::new() };
    for index in spent.into_iter().rev() {
        let known = match ledger.record(index) {
            Ok(record) => into(record.statement().predicate()?),
            Err(e) if is_of_the_machine(&e) => return Err(e),
            Err(_) => {
                judged.unreadable.push(index);
                None
            }
        };
        if let Some(known) = known.filter(|known| known.id == asked.id) {
            if strictness(known.class) > strictness(asked.class) {
                judged.environment.class = known.class;
            }
            break;
        }
    }
    Ok(judged)
}

/// Whether the machine failed, not the evidence: there is no decision at all then.
pub(super) fn is_of_the_machine(e: &Error) -> bool {
    matches!(e.kind(), ErrorKind::Io | ErrorKind::PermissionDenied | ErrorKind::StorageFull | ErrorKind::Internal)
}

fn into(predicate: Predicate) -> Option<Environment> {
    match predicate {
        Predicate::Promotion(promotion) => Some(promotion.to),
        Predicate::Deployment(deployment) => Some(deployment.environment),
        _ => None,
    }
}

fn strictness(class: EnvironmentClass) -> u8 {
    match class {
        EnvironmentClass::Dev => 0,
        EnvironmentClass::Test | EnvironmentClass::Staging => 1,
        EnvironmentClass::Prod => 2,
    }
}
