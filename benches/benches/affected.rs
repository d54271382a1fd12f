//! Which of a thousand releases contain a package, and where they run: 1,000 SBOMs of 1,000 components each, each release
//! deployed, the package in ten of them.
//!
//! `cargo bench -p sealwright-benches -- affected`. The answer is checked before anything is timed. The handle is opened
//! anew for the first figure, so that nothing was verified before.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a bench")]

use std::path::Path;
use std::time::Instant;

use sealwright::affected::{Asked, affected};
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger, Pins};
use sealwright::predicate::{Cyclonedx, Deployment, PredicateType};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust_policy;
use sealwright_benches::one_operator;
use serde_json::{Value, json};

const SBOMS: usize = 1000;
const COMPONENTS: usize = 1000;
const SEEDED: usize = 100;

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn statement(n: usize, predicate_type: &str, predicate: &Value) -> Statement {
    let subject = json!([{"digest": {"sha256": Digest::sha256(&n.to_be_bytes()).hex()}, "name": format!("service-{n}"),
        "uri": format!("pkg:generic/service-{n}@1.0.0")}]);
    let json = json!({"_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": predicate_type,
        "predicate": predicate});
    Statement::parse(json.to_string().into_bytes()).unwrap()
}

fn sbom(n: usize) -> Value {
    let component = |c: usize| {
        let (name, version) = match (c, n.is_multiple_of(SEEDED)) {
            (500, true) => ("seeded".to_owned(), "1.2.3".to_owned()),
            _ => (format!("package-{}", (c * 7 + n) % 5000), format!("{}.{}.0", c % 20, n % 7)),
        };
        let purl = format!("pkg:npm/{name}@{version}");
        json!({"type": "library", "bom-ref": format!("{c}"), "name": name, "version": version, "purl": purl})
    };
    let components: Vec<Value> = (0..COMPONENTS).map(component).collect();
    let edge = |c: usize| json!({"ref": format!("{c}"), "dependsOn": [format!("{}", c + 1)]});
    let mut dependencies: Vec<Value> = (0..COMPONENTS - 1).map(edge).collect();
    dependencies.push(json!({"ref": "root", "dependsOn": ["490", "0"]}));
    json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components,
        "metadata": {"component": {"type": "application", "name": format!("service-{n}"), "bom-ref": "root"}},
        "dependencies": dependencies})
}

fn deployment(n: usize) -> Value {
    let actor = json!({"id": "urn:example:workload:deployer", "kind": "workload"});
    json!({"nonce": format!("{n:032x}"), "deploymentId": format!("urn:example:deployment:{n}"), "releaseId": format!("r{n}"),
        "changeIds": [], "environment": {"id": "urn:example:prod", "class": "prod"}, "triggeredBy": actor,
        "executedBy": actor, "startedAt": now(), "finishedAt": now(), "status": "SUCCEEDED", "strategy": "rolling",
        "configuration": [], "resources": [format!("urn:example:prod:service-{n}")]})
}

fn open(dir: &Path) -> Ledger {
    Ledger::open(&dir.join("ledger"), &Anchors::in_folder(dir.join("state")), &Pins::none()).unwrap()
}

pub(crate) fn run() {
    let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let policy = one_operator(&key, &[Cyclonedx::TYPE, Deployment::TYPE]);
    let record = sign(&trust_policy::statement(&policy).unwrap(), &key).unwrap().to_json();
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let anchors = Anchors::in_folder(dir.path().join("state"));
    let log = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let mut ledger =
        Ledger::init(&dir.path().join("ledger"), &anchors, "example.org/bench", log, &[record], now()).unwrap();
    let begun = Instant::now();
    for from in (0..SBOMS).step_by(100) {
        let of = |n: usize| [statement(n, Cyclonedx::TYPE, &sbom(n)), statement(n, Deployment::TYPE, &deployment(n))];
        let records = (from..from + 100)
            .flat_map(of)
            .map(|statement| ledger.verify(&sign(&statement, &key).unwrap().to_json(), now()).unwrap());
        let records: Vec<_> = records.collect();
        ledger.append_all(&records, now()).unwrap();
    }
    drop(ledger);
    println!("{SBOMS} SBOMs and deployments signed, appended and indexed in {:.1} s", begun.elapsed().as_secs_f64());

    let asked = Asked::from_json(br#"{"purl":"pkg:npm/seeded","range":"<2"}"#).unwrap();
    let check = |ledger: &Ledger, asked: &Asked| {
        let found = affected(ledger, asked).unwrap();
        assert_eq!(found.artifacts.len(), SBOMS / SEEDED);
        assert!(found.artifacts.iter().all(|a| a.running.len() == 1 && a.components[0].paths.len() == 2));
    };
    let mut measured = serde_json::Map::new();
    let mut row = |name: &str, times: usize, run: &mut dyn FnMut()| {
        let mut spent: Vec<_> = (0..times)
            .map(|_| {
                let begun = Instant::now();
                run();
                begun.elapsed()
            })
            .collect();
        spent.sort_unstable();
        let median = spent[times / 2];
        println!("{name:<52} {:>10.2} ms", median.as_secs_f64() * 1e3);
        measured.insert(name.to_owned(), json!({"ours": u64::try_from(median.as_nanos()).unwrap()}));
    };
    let mut fresh: Vec<Ledger> = (0..11).map(|_| open(dir.path())).collect();
    row("affected, 1,000 SBOMs of 1,000, first question", 11, &mut || check(&fresh.pop().unwrap(), &asked));
    let ledger = open(dir.path());
    row("affected, 1,000 SBOMs of 1,000, asked again", 11, &mut || check(&ledger, &asked));
    let complete = Asked::from_json(br#"{"purl":"pkg:npm/seeded","range":"<2","complete":true}"#).unwrap();
    row("affected, 1,000 SBOMs of 1,000, by the whole log", 1, &mut || check(&ledger, &complete));
    let written = serde_json::to_vec_pretty(&measured).unwrap();
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/affected.json"), written).unwrap();
}
