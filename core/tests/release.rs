//! One release from source to production: gates, promotion by digest, deployment, snapshots and drift.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod world;

use sealwright::digest::{Algorithm, Digest, DigestSet};
use sealwright::predicate::*;
use sealwright::release;
use world::*;

#[test]
fn a_release_goes_from_build_to_production_as_one_digest() {
    let mut world = World::released(&artifact());
    let report = world.ledger.audit().unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    let custody = release::custody(&world.ledger, RELEASE).unwrap();
    assert!(custody.missing.is_empty(), "{:?}", custody.missing);
    assert!(custody.steps.iter().all(|s| s.digests.is_empty() || s.digests == [artifact().hex()]));
    let acts: Vec<_> = custody.steps.iter().map(|s| s.act).collect();
    let hop = ["decided", "promoted", "deployed"];
    assert_eq!(acts, [&["built", "released"][..], &hop, &hop, &hop].concat());
    assert!(release::gaps(&world.ledger, RELEASE).unwrap().is_empty());
}

#[test]
fn s092_the_record_of_a_deployment_is_complete() {
    let world = World::released(&artifact());
    let (record, deployment) = newest_deployment(&world);
    assert!(record.statement().has_subject(&artifact()));
    assert_eq!(deployment.environment, prod());
    assert_eq!(deployment.release_id, RELEASE);
    assert_eq!(deployment.change_ids, [CHANGE]);
    assert_eq!(deployment.status, DeploymentStatus::Succeeded);
    assert_eq!(deployment.triggered_by, world.actor("deployer"));
    assert!(deployment.finished_at.is_some_and(|end| end >= deployment.started_at));
    assert!(deployment.decision.is_some() && deployment.promotion.is_some());
    assert_eq!(deployment.resources, ["urn:example:env:prod/shop"]);
    assert!(deployment.configuration.iter().all(|c| c.digest.is_some()) && !deployment.configuration.is_empty());
    assert_eq!(record.speaker.signer, "deployer");
}

fn newest_deployment(world: &World) -> (sealwright::ledger::LedgerRecord, Deployment) {
    let records = (0..world.ledger.size()).rev().map(|index| world.ledger.record(index).unwrap());
    let mut deployments = records.filter_map(|r| match r.statement().predicate() {
        Ok(Predicate::Deployment(d)) => Some((r, *d)),
        _ => None,
    });
    deployments.next().unwrap()
}

fn running(resource: &str, digest: Option<Digest>) -> Observed {
    Observed {
        resource: format!("{}/{resource}", prod().id),
        digest: digest.map(DigestSet::from),
        configuration: Some(Digest::sha256(b"replicas: 2\n").into()),
        started_at: None,
        replicas: None,
    }
}

#[test]
fn s099_each_kind_of_drift_is_found_alone() {
    let mut world = World::released(&artifact());
    let shop = || running("shop", Some(artifact()));
    let place = |resource: &str| format!("{}/{resource}", prod().id);
    assert_eq!(world.drift(&prod(), vec![shop()]), []);
    let mut reconfigured = shop();
    reconfigured.configuration = Some(Digest::sha256(b"replicas: 3\n").into());
    let evil = Digest::sha256(b"something else");
    // beside the digest that was decided about, another one proves nothing
    let mut aliased = shop();
    let other = Digest::new(Algorithm::Sha512, vec![1; 64]).unwrap();
    aliased.digest = Some(DigestSet::new([evil.clone(), other.clone()]).unwrap());
    let mut unknown = shop();
    unknown.digest = Some(other.into());
    for (state, found) in [
        (vec![running("shop", Some(evil))], vec![(FindingType::UnapprovedDigest, place("shop"))]),
        (vec![aliased], vec![(FindingType::UnapprovedDigest, place("shop"))]),
        (vec![running("shop", None)], vec![(FindingType::UnknownDigest, place("shop"))]),
        (vec![unknown], vec![(FindingType::UnknownDigest, place("shop"))]),
        (vec![reconfigured], vec![(FindingType::UnapprovedConfiguration, place("shop"))]),
        (
            vec![running("miner", Some(artifact())), shop()],
            vec![(FindingType::DeploymentWithoutRecord, place("miner"))],
        ),
        (vec![], vec![(FindingType::MissingResource, place("shop"))]),
    ] {
        assert_eq!(world.drift(&prod(), state), found);
    }
    // the newest snapshot counts
    assert_eq!(world.drift(&prod(), vec![shop()]), []);
}

#[test]
fn s092_a_deployment_that_nobody_recorded_is_found_by_snapshot_and_drift() {
    let mut world = World::new();
    world.build(&artifact());
    assert_eq!(
        world.drift(&prod(), vec![running("shop", Some(artifact()))]),
        [(FindingType::DeploymentWithoutRecord, format!("{}/shop", prod().id))]
    );
    let e = release::drift(&mut world.ledger, &staging().id, &world.keys["records"], world.now).unwrap_err();
    assert_eq!(e.code(), "NOT_FOUND");
}

#[test]
fn s099_what_a_revoked_deployer_did_counts_as_done_without_a_decision() {
    let mut world = World::released(&artifact());
    let since = START.parse().unwrap();
    let target = "deployer".to_owned();
    world
        .change_trust_policy(|p| p.revocations.push(Revocation { target, since, reason: "stolen".to_owned() }))
        .unwrap();
    assert_eq!(
        world.drift(&prod(), vec![running("shop", Some(artifact()))]),
        [(FindingType::DeploymentWithoutDecision, format!("{}/shop", prod().id))]
    );
    let custody = release::custody(&world.ledger, RELEASE).unwrap();
    assert_eq!(custody.missing.len(), 3, "{:?}", custody.missing);
    assert_eq!(release::gaps(&world.ledger, RELEASE).unwrap().len(), 3);
}

#[test]
fn s027_each_missing_link_of_custody_is_named() {
    let missing = |world: &World| release::custody(&world.ledger, RELEASE).unwrap().missing;
    let mut world = World::new();
    assert_eq!(missing(&world), [format!("no record begins the release `{RELEASE}`")]);
    let (now, subject) = (world.tick(), world.subject(&artifact()));
    release::begin(&mut world.ledger, RELEASE, PURL, vec![subject], &world.keys["records"], now).unwrap();
    let built = format!("no record says how `{}` was built", artifact());
    assert_eq!(missing(&world), [built.as_str()]);
    // a build of something else is none of it
    world.provenance(&Digest::sha256(b"other"));
    assert_eq!(missing(&world), [built]);
    world.provenance(&artifact());
    assert!(missing(&world).is_empty());
    let deploy = world.deployment(&Digest::sha256(b"other"), &prod());
    let index = world.deploy(deploy, None, None).unwrap().receipt.index;
    assert_eq!(
        missing(&world),
        [
            format!("entry {index} deploys to `urn:example:env:prod` a digest that the release does not hold"),
            format!("entry {index} deploys to `urn:example:env:prod` without a decision"),
        ]
    );
}

#[test]
fn s027_gaps_are_told_for_each_artifact_of_a_release() {
    let mut world = World::new();
    let second = Digest::sha256(b"the second artifact");
    let (now, subjects) = (world.tick(), vec![world.subject(&artifact()), world.subject(&second)]);
    release::begin(&mut world.ledger, RELEASE, PURL, subjects, &world.keys["records"], now).unwrap();
    world.provenance(&artifact());
    world.sbom(&artifact());
    let gaps = release::gaps(&world.ledger, RELEASE).unwrap();
    let told: Vec<_> = gaps
        .iter()
        .map(|g| (g.finding_type, g.expected.as_ref().unwrap()["kind"].as_str().unwrap(), &g.observed))
        .collect();
    let observed = Some([("sha256".to_owned(), second.hex().into())].into_iter().collect());
    assert_eq!(
        told,
        [
            (FindingType::MissingEvidence, "build.provenance", &observed),
            (FindingType::MissingEvidence, "sbom", &observed)
        ]
    );
    assert_eq!(release::gaps(&world.ledger, "no such release").unwrap().len(), 1);
}

#[test]
fn s006_a_release_id_is_given_once() {
    let mut world = World::new();
    world.build(&artifact());
    let (now, other) = (world.tick(), world.subject(&Digest::sha256(b"other")));
    let e = release::begin(&mut world.ledger, RELEASE, PURL, vec![other], &world.keys["records"], now).unwrap_err();
    assert_eq!(e.code(), "ALREADY_EXISTS");
    let (now, same) = (world.tick(), world.subject(&artifact()));
    let again = release::begin(&mut world.ledger, RELEASE, PURL, vec![same], &world.keys["records"], now).unwrap();
    assert!(again.receipt.already_there);
}

#[test]
fn s016_what_the_environment_before_does_not_run_is_not_promoted() {
    let mut world = World::new();
    world.build(&artifact());
    world.go(&artifact(), &dev());
    let permit = world.permit(&artifact(), &staging());
    let mut deploy = world.deployment(&Digest::sha256(b"rebuilt"), &dev());
    deploy.resources = vec![];
    world.deploy(deploy, None, None).unwrap();
    assert_eq!(world.promote(&permit).unwrap_err().code(), "DIGEST_MISMATCH");
}

#[test]
fn a_deployer_speaks_for_its_own_environments_alone() {
    let mut world = World::with_policy(|p| {
        p.signers[6].speaks_for.push(SpeaksFor { environment: Some(dev().id), ..SpeaksFor::default() });
    });
    world.build(&artifact());
    world.go(&artifact(), &dev());
    let deploy = world.deployment(&artifact(), &prod());
    assert_eq!(world.deploy(deploy, None, None).unwrap_err().code(), "NOT_ENTITLED");
}
