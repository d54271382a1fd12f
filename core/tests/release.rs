//! One release from source to production: gates, promotion by digest, deployment, snapshots and drift.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod world;

use world::{World, artifact};

#[test]
fn a_release_goes_from_build_to_production_as_one_digest() {
    let mut world = World::released(&artifact());
    let report = world.ledger.audit().unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
}
