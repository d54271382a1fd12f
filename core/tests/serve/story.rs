//! A whole release through a sequencer: gates, promotions and deployments by people who hold no ledger key.

use sealwright::ledger::{Anchored, Query};
use sealwright::pack;
use sealwright::predicate::Environment;

use crate::team::{Running, Team};
use crate::world::{RELEASE, artifact, dev, prod, staging};

/// Gate, promotion, and the deployment by a caller who may write nothing else.
fn go(team: &mut Team, running: &Running, environment: &Environment) {
    let artifact = artifact();
    let permit = team.world.permit(&artifact, environment);
    let promotion = team.world.promote(&permit).unwrap();
    let deploy = team.world.deployment(&artifact, environment);
    let deployers = team.connect(running, "deployer").unwrap();
    let others = std::mem::replace(&mut team.world.ledger, deployers);
    team.world.deploy(deploy, Some(&permit), Some(&promotion.payload)).unwrap();
    team.world.ledger = others;
    team.world.ledger.refresh().unwrap();
}

#[test]
fn a_release_goes_from_build_to_production_through_an_address() {
    let mut team = Team::new();
    let running = team.start();
    let remote = team.connect(&running, "everything").unwrap();
    assert_eq!(remote.anchored(), Anchored::FirstUse);
    let _ = std::mem::replace(&mut team.world.ledger, remote);
    // the bundle of the policy was attached when the ledger was made, and is read through the address
    team.world.now = team.now();
    // a gate above dev wants a ledger that was seen before
    let again = team.connect(&running, "everything").unwrap();
    assert_eq!(again.anchored(), Anchored::Extends);
    team.world.ledger = again;
    let artifact = artifact();
    team.world.build(&artifact);
    go(&mut team, &running, &dev());
    go(&mut team, &running, &staging());
    team.world.approval("release-manager", &artifact, &prod());
    go(&mut team, &running, &prod());

    // what was read through the address is what lies in the folder
    let folder = team.folder();
    assert_eq!(folder.size(), team.world.ledger.size());
    assert_eq!(folder.checkpoint().note(), team.world.ledger.checkpoint().note());
    for query in [
        Query::everything(),
        serde_json::from_str(r#"{"release":"shop-1.4.0"}"#).unwrap(),
        serde_json::from_str(r#"{"environment":"urn:example:env:prod","limit":2}"#).unwrap(),
        serde_json::from_str(r#"{"kind":"build.provenance"}"#).unwrap(),
    ] {
        let (here, there) = (folder.search(&query).unwrap(), team.world.ledger.search(&query).unwrap());
        let indexes = |found: &sealwright::ledger::Found| found.records.iter().map(|r| r.index).collect::<Vec<_>>();
        assert_eq!((indexes(&here), here.more), (indexes(&there), there.more), "{query:?}");
        assert!(!there.records.is_empty());
    }
    for index in 0..folder.size() {
        let (here, there) = (folder.prove(index).unwrap(), team.world.ledger.prove(index).unwrap());
        assert_eq!(here, there);
    }
    // and an auditor's pack is built from the address alone
    let request = pack::PackRequest::new(RELEASE, team.world.actor("records"), team.now());
    let out = team.dir().join("pack");
    let now = team.world.tick();
    let built = pack::build(&mut team.world.ledger, &request, &out, &team.world.keys["records"], now).unwrap();
    assert!(built.files > 10 && out.is_dir());
    running.stop();
    let mut folder = team.folder();
    assert!(folder.audit().unwrap().is_clean(), "{:?}", folder.audit().unwrap());
}
