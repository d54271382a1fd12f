//! Packs whose checkpoint witnesses cosigned: who counts for a verifier, and how many of them.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod world;

use std::fs;

use sealwright::checkpoint::{WitnessKey, cosign};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::pack::{self, PackDemand, PackRequest};
use sealwright::predicate::Witness;
use serde_json::{Value, json};
use world::{RELEASE, World, artifact};

#[test]
fn s140_a_quorum_is_of_different_witnesses_that_the_verifier_names() {
    let witness = |name: &str| {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        (WitnessKey::new(name, key.public().clone()).unwrap(), key)
    };
    let (own, key) = witness("witness.example.org/w1");
    let mut world = World::with_policy(|policy| {
        policy.witnesses.push(Witness { name: own.name().to_owned(), key: own.to_string() });
    });
    world.build(&artifact());
    let line = cosign(world.ledger.checkpoint(), own.name(), &key, world.now).unwrap();
    let cosigned = world.ledger.checkpoint().with_cosignatures(&line, std::slice::from_ref(&own)).unwrap();
    world.ledger.keep_cosigned(cosigned.note().as_bytes()).unwrap();
    let (folder, signers) = ["pack", "SIGNERS"].map(|name| world.dir.path().join(name)).into();
    let request = PackRequest::new(RELEASE, world.actor("release-manager"), world::START.parse().unwrap());
    let now = world.now;
    pack::build(&mut world.ledger, &request, &folder, &world.keys["records"], now).unwrap();
    let mut lines = String::new();
    for (name, key) in &world.keys {
        fs::write(world.dir.path().join(format!("{name}.pem")), key.public().to_pem()).unwrap();
        lines += &format!("key {} {} {name}.pem pack\n", key.public().id(), key.public().key_type());
    }
    fs::write(&signers, lines).unwrap();
    let log_key = world.ledger.log_key().key().to_pem();
    let found = |more: Value| {
        let mut demand = json!({ "signers": signers, "logKey": log_key });
        demand.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let demand = PackDemand::from_json(demand.to_string().as_bytes()).map_err(|e| e.code())?;
        pack::verify(&folder, &demand).map(|verdict| verdict.cosignatures.len()).map_err(|e| e.code())
    };
    let twin = WitnessKey::new("witness.example.org/w2", key.public().clone()).unwrap().to_string();
    let (own, other) = (own.to_string(), witness("witness.example.org/w2").0.to_string());
    let mut wrong = Vec::new();
    for (more, expected) in [
        (json!({}), Ok(1)),
        (json!({ "witnesses": [own] }), Ok(1)),
        (json!({ "witnesses": [own, other], "quorum": 1 }), Ok(1)),
        (json!({ "witnesses": [own, other] }), Err("BAD_CHECKPOINT")),
        (json!({ "witnesses": [own, other], "quorum": 2 }), Err("BAD_CHECKPOINT")),
        (json!({ "witnesses": [other] }), Err("BAD_CHECKPOINT")),
        (json!({ "witnesses": [own, own], "quorum": 2 }), Err("API_MISUSE")),
        (json!({ "witnesses": [own, twin], "quorum": 1 }), Err("API_MISUSE")),
        (json!({ "witnesses": [own], "quorum": 0 }), Err("API_MISUSE")),
        (json!({ "witnesses": [own], "quorum": 2 }), Err("API_MISUSE")),
        (json!({ "witnesses": [] }), Err("API_MISUSE")),
        (json!({ "quorum": 1 }), Err("API_MISUSE")),
        (json!({ "witnesses": ["x"] }), Err("MALFORMED")),
    ] {
        let found = found(more.clone());
        if found != expected {
            wrong.push(format!("{more}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
