//! The cases of packs, and the pack they are about.

use std::fs;

use sealwright::checkpoint::WitnessKey;
use sealwright::json::Value;
use sealwright::key::PrivateKey;
use sealwright::pack::{self, PackRequest};
use serde_json::json;

use crate::world::{RELEASE, START, World, artifact};
use crate::{Keys, case, files, fixtures};

pub(crate) fn write(keys: &Keys) {
    let mut world = World::released(&artifact());
    let folder = fixtures().join("packs/whole");
    let trusted = fixtures().join("packs/trusted");
    let request = PackRequest::new(RELEASE, world.actor("release-manager"), START.parse().unwrap());
    pack::build(&mut world.ledger, &request, &folder, &world.keys["records"], world.now).unwrap();
    fs::create_dir_all(&trusted).unwrap();
    let mut lines = String::from(
        "# the signers of the pack beside this folder; made for tests, their private keys were thrown away\n",
    );
    for (name, key) in &world.keys {
        fs::write(trusted.join(format!("{name}.pem")), key.public().to_pem()).unwrap();
        let pack = if *name == "records" { " pack" } else { "" };
        lines += &format!("key {} {} {name}.pem{pack}\n", key.public().id(), key.public().key_type());
    }
    fs::write(trusted.join("SIGNERS"), &lines).unwrap();
    fs::write(trusted.join("NO-PACKER"), lines.replace(" pack\n", "\n")).unwrap();
    let log_key = world.ledger.log_key().key().to_pem();
    let input = |signers: &str, change: Value| json!({"folder": "packs/whole", "signers": format!("packs/trusted/{signers}"), "logKey": log_key, "change": change});
    let mut records: Vec<_> = files(&folder, "records");
    records.sort();
    let record = records.first().unwrap().clone();
    let all = [
        ("whole", "As it was written", "ok", input("SIGNERS", Value::Null)),
        (
            "edited-record",
            "A record was edited",
            "PACK_TAMPERED",
            input("SIGNERS", json!({"file": record, "append": " "})),
        ),
        ("lost-record", "A record is gone", "PACK_TAMPERED", input("SIGNERS", json!({"file": record, "remove": true}))),
        (
            "extra-file",
            "A file that the manifest does not list",
            "PACK_TAMPERED",
            input("SIGNERS", json!({"file": "records/extra.json", "append": "{}"})),
        ),
        (
            "edited-manifest",
            "The manifest was edited",
            "PACK_TAMPERED",
            input("SIGNERS", json!({"file": "manifest.json", "append": " "})),
        ),
        ("wrong-signer", "Signed by one who may not sign packs", "UNTRUSTED_SIGNER", input("NO-PACKER", Value::Null)),
    ];
    for (name, title, expect, input) in all {
        case("pack", name, title, expect, input, Value::Null);
    }
    let witness = |name: &str, key: &PrivateKey| WitnessKey::new(name, key.public().clone()).unwrap();
    let (w1, w2) = (witness("witness.example.org/w1", &keys.builder), witness("witness.example.org/w2", &keys.other));
    let twin = witness("witness.example.org/w2", &keys.builder);
    for (name, title, expect, demand) in [
        ("unwitnessed", "A witness did not cosign", "BAD_CHECKPOINT", json!({"witnesses": [w1]})),
        (
            "too-few-witnesses",
            "One of two had to cosign",
            "BAD_CHECKPOINT",
            json!({"witnesses": [w1, w2], "quorum": 1}),
        ),
        ("witness-twice", "A witness is named twice", "API_MISUSE", json!({"witnesses": [w1, w1], "quorum": 2})),
        ("witness-renamed", "A witness has two names", "API_MISUSE", json!({"witnesses": [w1, twin], "quorum": 1})),
        ("no-quorum", "None of the witnesses has to cosign", "API_MISUSE", json!({"witnesses": [w1], "quorum": 0})),
        ("no-witnesses", "Nobody is named as a witness", "API_MISUSE", json!({"witnesses": []})),
        ("quorum-of-nobody", "A quorum of no witnesses", "API_MISUSE", json!({"quorum": 1})),
    ] {
        let mut input = input("SIGNERS", Value::Null);
        input["demand"] = demand;
        case("pack", name, title, expect, input, Value::Null);
    }
}
