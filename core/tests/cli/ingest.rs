//! `ingest`: the commands of docs/guide/ingest.md as they stand there, and what people see of them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::place::Place;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/reports")).join(name)
}

fn place() -> Place {
    let place = Place::new();
    place.key("tester", "p256");
    place.write("shop.bin", "shop");
    for (name, from) in [
        ("scan.sarif", "sarif/failed.sarif"),
        ("audit-0.log", "kubernetes-audit/failed.log"),
        ("audit-1.log", "kubernetes-audit/passed.log"),
        ("probe.json", "mapped/failed.json"),
        ("notes.txt", "free-text/passed.txt"),
    ] {
        place.write(name, std::fs::read(fixture(from)).unwrap());
    }
    // of a folder, which has no digest of its own
    let mut trivy: Value = serde_json::from_slice(&std::fs::read(fixture("trivy/failed.json")).unwrap()).unwrap();
    trivy.as_object_mut().unwrap().remove("Metadata");
    place.write("trivy.json", serde_json::to_vec(&trivy).unwrap());
    place
}

#[test]
fn the_commands_of_the_ingest_guide_run() {
    let place = place();
    let guide = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/ingest.md")).unwrap();
    let mapping = guide.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    place.write("mapping.json", mapping);
    let script: String = guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    place.write("guide.sh", format!("set -euo pipefail\n{script}"));
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_sealwright")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    let ran = bash.arg("guide.sh").current_dir(place.path("")).env("PATH", path).env("HOME", place.path("")).output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for made in [
        "scan.sigstore.json",
        "trivy.sigstore.json",
        "trivy.sigstore.2.json",
        "audit.sigstore.json",
        "probe.sigstore.json",
        "notes.sigstore.json",
    ] {
        assert!(place.path(made).exists(), "{made}");
    }
    for line in String::from_utf8(ran.stdout).unwrap().lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn people_see_which_format_it_was_and_what_was_found() {
    let place = place();
    let out = place.pass("ingest guess scan.sarif --kind sast --subject shop=shop.bin --key tester.pem --out r.json");
    assert_eq!(
        out,
        "scan.sarif: SARIF report\n  test-result: sast, FAILED, high 1, medium 1, suppressed 1\n    r.json\n"
    );
    let formats = place.pass("ingest formats");
    assert!(formats.lines().all(|line| line.chars().count() <= 80), "{formats}");
    assert!(formats.contains("kubernetes-audit\n"), "{formats}");
}

#[test]
fn files_of_one_call_are_segments_of_one_log_in_their_order() {
    let place = place();
    let told = "--source k8s://x/audit --collector spiffe://x.example.org/c --environment prod --key tester.pem";
    let answer = place.json(0, &format!("ingest kubernetes-audit audit-1.log audit-1.log {told} --out s.json"));
    assert_eq!(answer["reports"].as_array().unwrap().len(), 2);
    let payload = |name: &str| -> Value {
        use base64::Engine as _;
        let record: Value = serde_json::from_slice(&std::fs::read(place.path(name)).unwrap()).unwrap();
        let payload = record["dsseEnvelope"]["payload"].as_str().unwrap();
        serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload).unwrap()).unwrap()
    };
    let (first, second) = (payload("s.json"), payload("s.2.json"));
    assert_eq!((&first["predicate"]["sequence"], &second["predicate"]["sequence"]), (&json!(0), &json!(1)));
    assert_eq!(second["predicate"]["previousSegment"], first["predicate"]["segment"]["digest"]);
}

#[test]
fn a_secret_in_what_a_person_writes_is_refused_by_its_place_alone() {
    let place = place();
    let change = json!({
        "changeId": "https://example.org/changes/1", "title": "t", "reason": "patient 123-45-6789",
        "requestedBy": {"id": "mailto:ann@example.org", "kind": "human"},
        "authors": [{"id": "mailto:ann@example.org", "kind": "human"}], "categories": ["operational"],
        "categorySource": "rule", "riskTier": "low", "impact": {"summary": "none"}, "rollbackPlan": {"method": "restore"}
    });
    place.write("change.json", change.to_string());
    let ran =
        place.run("attest change-request --subject shop.bin --predicate change.json --key tester.pem --out c.json");
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("REGULATED_DATA") && ran.err.contains("/reason") && !ran.err.contains("123-45"),
        "{}",
        ran.err
    );
    assert!(!place.path("c.json").exists());
}
