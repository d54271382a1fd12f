//! Keys of ledgers, holds, retention, disposal and archives by commands, as the guides have them.

use std::process::Command;

use serde_json::json;

use crate::place::Place;

/// A ledger with a keeper of records and two records officers, encrypted or not.
fn records(encrypted: bool) -> Place {
    let place = Place::new();
    for name in ["admin", "records", "ben", "cleo"] {
        place.key(name, "p256");
    }
    place.key("log", "ed25519");
    let key = if encrypted { "encryption-key = 'ledger-key.json'\n" } else { "" };
    place.write(
        "sealwright.toml",
        format!("ledger = 'ledger'\nstate = 'state'\nlog-key = 'log.pem'\nretention = 'retention.json'\n{key}"),
    );
    let kept = json!(["release", "legal-hold", "retention-disposal", "policy-evaluation", "test-result"]);
    let policy = json!({
        "signers": [
            { "name": "records", "predicateTypes": kept },
            { "name": "ben", "predicateTypes": ["approval"] },
            { "name": "cleo", "predicateTypes": ["approval"] },
        ],
        "people": [
            { "person": "ben", "roles": ["records-officer"] },
            { "person": "cleo", "roles": ["records-officer"] },
        ],
    });
    place.write("policy.json", policy.to_string());
    place.pass(
        "trust init --from policy.json --admin admin=admin.pub --signer records=records.pub --signer ben=ben.pub \
         --signer cleo=cleo.pub --person ben=ben.pub --person cleo=cleo.pub --key admin.pem --out trust.json",
    );
    if encrypted {
        place.pass("ledger key --out ledger-key.json --no-passphrase");
    }
    place.pass("ledger init --origin example.org/kept --trust trust.json");
    // a day is as long as anything is kept here: entries cannot be made in the past
    place.write(
        "retention.json",
        json!({ "v": "sealwright-retention/v1", "frameworks": [], "rules": [{ "id": "house", "minimum": "P1D" }] })
            .to_string(),
    );
    place.write("release.json", json!({ "purl": "pkg:generic/x@1", "sealwright_releaseId": "x-1" }).to_string());
    place.write("x", "x");
    place.pass("attest release --predicate release.json --subject x --key records.pem --append");
    place
}

#[test]
fn holds_are_placed_shown_and_released() {
    for encrypted in [false, true] {
        let place = records(encrypted);
        let id = "https://example.org/holds/17";
        let none = place.json(2, &format!("ledger hold place --id {id} --matter M --key records.pem"));
        assert_eq!(none["error"]["code"], "API_MISUSE", "nothing says what is held");
        place.pass(&format!("ledger hold place --id {id} --matter M --release x-1 --key records.pem"));
        let held = place.json(0, "ledger retention");
        assert_eq!(held["due"]["records"], 0);
        let told = held["records"][1]["obstacles"].to_string();
        assert!(told.contains("holds/17"), "{told}");
        assert!(place.pass("ledger hold list").contains("in force"));
        place.pass(&format!("ledger hold release --id {id} --key records.pem"));
        assert_eq!(place.json(0, "ledger hold list")["holds"], json!([]));
        assert_eq!(place.json(0, "ledger hold list --all")["holds"][0]["releasedBy"], 3);
        let again = place.json(2, &format!("ledger hold release --id {id} --key records.pem"));
        assert_eq!(again["error"]["code"], "NOT_FOUND");
        assert_eq!(place.json(0, "ledger audit")["findings"], json!([]));
    }
}

#[test]
fn what_is_not_due_is_not_disposed_of_and_a_plan_says_why() {
    let place = records(false);
    let plan = place.json(1, "ledger dispose --what-if --entry 1");
    assert_eq!((&plan["mayGo"], &plan["refused"][0]["index"]), (&json!(false), &json!(1)));
    let refused = place.json(1, "ledger dispose --entry 1 --key records.pem");
    assert_eq!(refused["error"]["code"], "POLICY_DENIED");
    assert!(refused["error"]["message"].as_str().unwrap().contains("its time ends on"));
    assert_eq!(place.json(2, "ledger dispose --key records.pem")["error"]["code"], "NOT_FOUND");
    let approve = "ledger dispose --approve --entry 1 --key ben.pem --by mailto:ben@example.org --by-name Ben";
    assert_eq!(place.json(1, approve)["error"]["code"], "POLICY_DENIED");
    assert_eq!(place.json(0, "ledger dispose --finish")["erased"], json!([]));
    assert_eq!(place.json(2, "ledger dispose --entry 9 --what-if")["error"]["code"], "NOT_FOUND");
}

#[test]
fn bodies_go_to_an_archive_and_come_back() {
    for encrypted in [false, true] {
        let place = records(encrypted);
        let moved = place.json(0, "ledger archive --before 2100-01-01T00:00:00Z --archive cold");
        assert_eq!(moved["moved"]["entries"], json!([1]));
        assert_eq!(place.json(2, "ledger show 1")["error"]["code"], "BODY_ARCHIVED");
        place.pass("ledger show 1 --archive cold");
        assert_eq!(place.json(1, "ledger audit")["findings"][0]["kind"], "body-archived");
        assert_eq!(place.json(0, "ledger audit --archive cold")["findings"], json!([]));
        assert_eq!(place.json(0, "ledger unarchive --archive cold")["moved"]["entries"], json!([1]));
        place.pass("ledger show 1");
        assert_eq!(place.json(2, "ledger unarchive")["error"]["code"], "API_MISUSE");
    }
}

#[test]
fn keys_of_a_ledger_are_rotated_and_a_wrong_one_is_told() {
    let place = records(true);
    place.pass("ledger key --out next.json --no-passphrase");
    assert_eq!(place.json(2, "ledger audit --encryption-key next.json")["error"]["code"], "WRONG_KEY");
    let rotated = place.json(0, "ledger rotate encryption-key --to next.json");
    assert!(rotated["headers"].as_u64().unwrap() >= 2, "{rotated}");
    assert_eq!(place.json(2, "ledger audit")["error"]["code"], "WRONG_KEY");
    assert_eq!(place.json(0, "ledger audit --encryption-key next.json")["findings"], json!([]));
    place.pass("ledger rotate encryption-key --encryption-key next.json");
    place.pass("ledger search --release x-1 --encryption-key next.json");
    assert_eq!(place.json(2, "ledger key --out next.json --no-passphrase")["error"]["code"], "ALREADY_EXISTS");
}

#[test]
fn the_commands_of_the_guides_run() {
    for (name, place, least) in [("encryption", Place::new(), 9), ("retention", records(false), 8)] {
        let guide = format!("{}/../docs/guide/{name}.md", env!("CARGO_MANIFEST_DIR"));
        let guide = std::fs::read_to_string(guide).unwrap();
        if name == "retention" {
            let schedule = guide.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
            place.write("retention.json", schedule);
        }
        let script: String = guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(script.matches("sealwright ").count() >= least, "{script}");
        place.write("guide.sh", format!("set -euo pipefail\n{script}"));
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_sealwright")).parent().unwrap();
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.arg("guide.sh").current_dir(place.path("")).env("PATH", path).env("HOME", place.path(""));
        bash.env("SEALWRIGHT_LOG_KEY", place.path("log.pem"));
        let ran = bash.output().unwrap();
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}
