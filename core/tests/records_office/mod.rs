//! Two records officers, and somebody who may place holds and dispose, in the world of the tests.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, reason = "shared by tests that use parts of it")]

use sealwright::Error;
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::{Digest, DigestSet};
use sealwright::ledger::{Disposal, DisposalPlan, Query, Receipt, Schedule};
use sealwright::predicate::*;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;

use super::world::{World, artifact};

/// Two years after everything: what HIPAA keeps for six is not due, what PCI keeps for two is.
pub(crate) const LATER: &str = "2029-01-01T00:00:00Z";

pub(crate) fn pci() -> Schedule {
    Schedule::of_frameworks(["pci-dss-4.0.1"]).unwrap()
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A world with two records officers, and somebody who may place holds and dispose.
pub(crate) fn officers() -> World {
    officers_with(|_| {})
}

/// The same, with a trust policy that is changed before it is signed.
pub(crate) fn officers_with(change: impl FnOnce(&mut TrustPolicy)) -> World {
    let mut world = World::with_policy(|policy| {
        for person in policy.people.iter_mut().filter(|p| p.person != "ada") {
            person.roles.push("records-officer".to_owned());
        }
        let records = policy.signers.iter_mut().find(|s| s.name == "records").unwrap();
        records.predicate_types.extend([LegalHold::TYPE, RetentionDisposal::TYPE].map(str::to_owned));
        change(policy);
    });
    world.build(&artifact());
    world
}

/// An approval of a plan, changed before it is signed.
pub(crate) fn approve_with(
    world: &mut World,
    signer: &str,
    plan: &DisposalPlan,
    change: impl FnOnce(&mut Approval, &mut Vec<ResourceDescriptor>),
) -> Result<Receipt, Error> {
    let mut subjects = plan.subjects();
    let mut approval = Approval {
        nonce: nonce().unwrap(),
        stage: Stage::Disposal,
        decision: ApprovalDecision::Approved,
        approver: world.actor(signer),
        in_role: "records-officer".to_owned(),
        meaning: "approval".to_owned(),
        decided_at: world.now,
        change_id: None,
        environment: None,
        considered: vec![],
        conditions: vec![],
        comment: None,
        review_uri: None,
        over_tree: None,
        expires_at: None,
        dismisses: None,
        capture: Capture { method: CaptureMethod::DirectSignature, system: None, source_event: None },
    };
    change(&mut approval, &mut subjects);
    world.record(signer, &Statement::new(subjects, &approval).unwrap())
}

pub(crate) fn approve(world: &mut World, signer: &str, plan: &DisposalPlan) -> Receipt {
    approve_with(world, signer, plan, |_, _| {}).unwrap()
}

/// Plans, has both officers approve, and disposes.
pub(crate) fn dispose(world: &mut World, schedule: &Schedule, entries: &[u64]) -> Result<Disposal, Error> {
    let plan = world.ledger.plan_disposal(schedule, Some(entries), world.now)?;
    for officer in ["reviewer", "release-manager"] {
        approve(world, officer, &plan);
    }
    let (now, actor) = (world.tick(), world.actor("records"));
    world.ledger.dispose(schedule, Some(entries), actor, &world.keys["records"], now)
}

pub(crate) fn hold(
    world: &mut World,
    id: &str,
    scope: HoldScope,
    records: &[u64],
    releases: Option<&Digest>,
) -> Result<Receipt, Error> {
    let held = records.iter().map(|i| world.ledger.record(*i).unwrap().statement().payload_digest());
    let mut subjects: Vec<_> = held.map(ResourceDescriptor::of).collect();
    if subjects.is_empty() {
        let set = serde_json::json!({ "uriSha256": Digest::sha256(id.as_bytes()).hex() });
        let set: DigestSet = serde_json::from_value(set).unwrap();
        subjects.push(ResourceDescriptor::of(set).with_uri(id));
    }
    let hold = LegalHold {
        nonce: nonce().unwrap(),
        hold_id: id.to_owned(),
        action: if releases.is_some() { HoldAction::Released } else { HoldAction::Placed },
        matter: "Matter 17".to_owned(),
        custodian: world.actor("release-manager"),
        ordered_by: world.actor("release-manager"),
        at: world.now,
        scope,
        releases: releases.map(RecordRef::to),
    };
    world.record("records", &Statement::new(subjects, &hold).unwrap())
}

/// The entry of the provenance: no control record, of a kind that PCI asks for.
pub(crate) fn provenance(world: &World) -> u64 {
    let mut query = Query::everything();
    query.kind = Some("build.provenance".to_owned());
    world.ledger.search(&query).unwrap().records[0].index
}
