//! Worlds that a gate is about to judge, and what its refusal must look like.

use sealwright::gate::Decision;
use sealwright::predicate::*;

use super::*;

/// Everything staging asks for is there, and the artifact runs in dev.
pub(crate) fn for_staging() -> World {
    let mut world = World::new();
    world.build(&artifact());
    world.go(&artifact(), &dev());
    world
}

/// Everything prod asks for is there but the approval.
pub(crate) fn for_prod() -> World {
    let mut world = for_staging();
    world.go(&artifact(), &staging());
    world
}

pub(crate) fn ids(decision: &Decision) -> Vec<&str> {
    decision.refusals().map(|c| c.id.as_str()).collect()
}

/// Asserts that exactly these checks refuse, that the refusal is in the ledger, and that there is no permit.
pub(crate) fn refuses(world: &mut World, environment: &Environment, checks: &[&str]) -> String {
    let decision = world.decide(&artifact(), environment);
    is_refusal(world, &decision, checks)
}

pub(crate) fn is_refusal(world: &mut World, decision: &Decision, checks: &[&str]) -> String {
    assert_eq!(ids(decision), checks, "{:#?}", decision.refusals().collect::<Vec<_>>());
    let record = world.ledger.record(decision.receipt.index).unwrap();
    let recorded: PolicyEvaluation = record.statement().predicate_as().unwrap();
    assert_eq!(recorded, decision.evaluation);
    assert_ne!(recorded.result, EvaluationResult::Passed);
    let e = decision.enforce(&world.ledger).unwrap_err();
    assert!(["POLICY_DENIED", "POLICY_UNDECIDED"].contains(&e.code()), "{e}");
    e.message().to_owned()
}
