//! The run-book for stolen keys, run as it is written on a made-up organisation: what the thief could do before, what is
//! refused after, and what stays valid.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod corpora;
#[allow(dead_code, reason = "shared with the tests of the command")]
#[path = "cli/place.rs"]
mod place;

use std::process::{Command, Stdio};

use corpora::corpora;
use place::Place;
use serde_json::{Value, json};

const BUILDER: &str = "https://example.org/builders/main";
const RELEASE: &str = "shop-1.4.0";

/// Three admins, two of whom must sign, everybody who signs, a release, and files with what is said over and over.
fn organisation() -> Place {
    let place = Place::new();
    let mut line = String::from("trust init --from trust.json --key ann.pem --out one.json");
    for admin in ["ann", "bea", "cid"] {
        place.key(admin, "p256");
        line.push_str(&format!(" --admin {admin}={admin}.pub"));
    }
    for signer in ["ci", "ada", "deployer", "records", "packs"] {
        place.key(signer, "p256");
        line.push_str(&format!(" --signer {signer}={signer}.pub"));
    }
    line.push_str(" --person 'Ada Example=ada.pub'");
    for other in ["ci-3", "log"] {
        place.key(other, "ed25519");
    }
    place.write("sealwright.toml", "ledger = 'ledger'\nstate = 'state'\nlog-key = 'log.pem'\n");
    let signer = |name: &str, types: Value| json!({ "name": name, "predicateTypes": types });
    let policy = json!({
        "threshold": 2,
        "signers": [
            { "name": "ci", "predicateTypes": ["provenance"], "for": [{ "builder": BUILDER }] },
            signer("ada", json!(["approval"])),
            signer("deployer", json!(["deployment"])),
            signer("records", json!(["release", "environment-snapshot", "drift-report"])),
            signer("packs", json!(["evidence-pack"])),
        ],
        "people": [{ "person": "Ada Example", "roles": ["release-manager"] }],
    });
    place.write("trust.json", policy.to_string());
    let (code, text) = shell(&place, &format!("sealwright {line}"), "");
    assert_eq!(code, 0, "{text}");
    place.pass("trust sign one.json --key bea.pem --out two.json");
    place.pass("ledger init --origin example.org/releases --trust one.json --trust two.json");
    place.write("artifact", "the artifact");
    files(&place);
    place.pass(&format!("release begin {RELEASE} --purl pkg:generic/shop@1.4.0 --artifact artifact --key records.pem"));
    place
}

fn files(place: &Place) {
    let actor = json!({ "id": "urn:example:deployer", "kind": "workload" });
    let environment = json!({ "id": "urn:sealwright:environment:dev", "class": "dev" });
    let provenance = json!({
        "buildDefinition": { "buildType": "https://example.org/build/v1", "externalParameters": {} },
        "runDetails": { "builder": { "id": BUILDER } },
    });
    let approval = json!({
        "stage": "promotion", "decision": "APPROVED", "inRole": "release-manager", "meaning": "I agree",
        "approver": { "id": "mailto:ada@example.org", "kind": "human", "displayName": "Ada Example" },
        "changeId": "https://example.org/shop/changes/17", "environment": environment,
        "capture": { "method": "direct-signature" },
    });
    let deployment = json!({
        "deploymentId": "urn:example:deployment:1", "environment": environment, "triggeredBy": actor, "executedBy": actor,
        "startedAt": "2026-11-21T08:00:00Z", "finishedAt": "2026-11-21T08:00:00Z", "status": "SUCCEEDED",
        "releaseId": RELEASE, "changeIds": [], "strategy": "rolling", "configuration": [], "resources": ["urn:example:dev:shop"],
    });
    place.write("provenance.json", provenance.to_string());
    place.write("approval.json", approval.to_string());
    place.write("deployment.json", deployment.to_string());
    place.write("release.json", json!({ "purl": "pkg:generic/shop@1.4.0" }).to_string());
    let digest = sealwright::digest::Digest::sha256(&place.read("artifact"));
    let state = json!([{ "resource": "urn:example:dev:shop", "digest": { "sha256": digest.hex() } }]);
    place.write("state.json", state.to_string());
}

/// The commands of each `sh` block below a heading, in order, each with what the comment above it says.
fn commands(heading: &str) -> Vec<(String, String)> {
    let book = include_str!("../../docs/run-book-stolen-key.md");
    let section = book.split("\n## ").find(|s| s.lines().next() == Some(heading)).unwrap();
    let (mut commands, mut comment, mut open, mut inside) = (Vec::new(), String::new(), String::new(), false);
    for line in section.lines().map(str::trim) {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ if line.starts_with("# ") => line[2..].clone_into(&mut comment),
            _ => {
                open.push_str(line.trim_end_matches('\\'));
                if !line.ends_with('\\') {
                    commands.push((std::mem::take(&mut open), std::mem::take(&mut comment)));
                }
            }
        }
    }
    commands
}

/// Runs one command in a shell, as somebody at a terminal would; gives its exit code and what it printed.
fn shell(place: &Place, command: &str, since: &str) -> (i32, String) {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_sealwright")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let output = Command::new("sh")
        .args(["-uc", command])
        .current_dir(place.path(""))
        .env("PATH", path)
        .env("HOME", place.path(""))
        .env("SINCE", since)
        .env("SEALWRIGHT_PASSPHRASE", "correct horse")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap()).concat();
    (output.status.code().unwrap(), text)
}

/// Does what stands below a heading, line by line; a line that must be refused is, and every other one passes.
fn follow(place: &Place, heading: &str, since: &str) {
    let commands = commands(heading);
    assert!(!commands.is_empty(), "nothing to do below `{heading}`");
    obey(place, &commands, since);
}

fn obey(place: &Place, commands: &[(String, String)], since: &str) {
    for (command, comment) in commands {
        let (code, text) = shell(place, command, since);
        match comment.strip_prefix("must end with ") {
            Some(refusal) => assert!(code == 1 && text.contains(&format!("[{refusal}]")), "{command}\n{code} {text}"),
            None if comment.starts_with("may find ") => assert!(code < 2, "{command}\n{code} {text}"),
            None => assert_eq!(code, 0, "{command}\n{text}"),
        }
    }
}

/// Appends what a command line says; gives the index of its entry.
fn says(place: &Place, line: &str) -> u64 {
    place.json(0, line)["receipt"]["index"].as_u64().unwrap()
}

/// Time and standing of an entry.
fn entry(place: &Place, index: u64) -> (String, bool) {
    let shown = place.json(0, &format!("ledger show {index}"));
    (shown["loggedAt"].as_str().unwrap().to_owned(), shown["revoked"].as_bool().unwrap())
}

/// A signer speaks, then a thief in its place; the run-book is followed; what was said before is as good as it was, and
/// what the thief said is not.
fn stolen(place: &Place, heading: &str, line: &str) {
    let honest = says(place, line);
    // the clock of entries counts milliseconds, and the run-book asks for a moment between the two
    std::thread::sleep(std::time::Duration::from_millis(5));
    let stolen = says(place, line);
    let (since, before) = entry(place, stolen);
    assert!(!before, "until somebody says so, the thief is believed");
    follow(place, "For every key", &since);
    follow(place, heading, &since);
    assert!(!entry(place, honest).1, "{heading}: what was logged before the theft stays valid");
    assert!(entry(place, stolen).1, "{heading}: what was logged since supports nothing");
}

#[test]
fn a_builders_key() {
    let place = organisation();
    // each time another payload, or it would be the same entry
    let line = "attest provenance --predicate provenance.json --subject artifact --key ci.pem --append";
    let other = "attest provenance --predicate provenance.json --subject other=artifact --key ci.pem --append";
    let honest = says(&place, other);
    std::thread::sleep(std::time::Duration::from_millis(5));
    let stolen = says(&place, line);
    let since = entry(&place, stolen).0;
    follow(&place, "For every key", &since);
    follow(&place, "A builder's or another workload's key", &since);
    assert!(!entry(&place, honest).1 && entry(&place, stolen).1);
}

#[test]
fn an_approvers_key_and_then_the_person() {
    let place = organisation();
    stolen(&place, "An approver's key", "record approval --predicate approval.json --subject artifact --key ada.pem");
    let people = &place.json(0, "trust show")["policy"]["people"][0];
    assert_eq!(people["ids"].as_array().unwrap().len(), 2, "both keys are one person's");
}

#[test]
fn a_deployers_key() {
    let line = "attest deployment --predicate deployment.json --subject artifact --key deployer.pem --append";
    stolen(&organisation(), "A deployer's key", line);
}

#[test]
fn the_key_of_decisions_releases_and_snapshots() {
    let place = organisation();
    let line = "snapshot --environment dev --observed state.json --key records.pem";
    stolen(&place, "The key of decisions, releases and snapshots", line);
}

#[test]
fn the_key_of_packs_and_reports() {
    let place = organisation();
    place.pass(&format!("pack build --release {RELEASE} --out pack --key packs.pem"));
    let list = |place: &Place, pack: &str, more: &str| {
        let mut lines = more.to_owned();
        for name in ["ann", "bea", "cid", "ci", "ada", "deployer", "records", "packs"] {
            let id = place.json(0, &format!("key public {name}.pub"))["keyId"].as_str().unwrap().to_owned();
            let may = if name == pack { " pack" } else { "" };
            lines.push_str(&format!("key {id} p256 {name}.pub{may}\n"));
        }
        place.write("SIGNERS", lines);
    };
    list(&place, "packs", "");
    place.pass("pack verify pack --signers SIGNERS --log-key log.pub");
    let since = entry(&place, 0).0;
    follow(&place, "For every key", &since);
    let commands = commands("The key of packs and reports");
    let (new_key, rest) = commands.split_at(2);
    obey(&place, new_key, &since);
    // the auditors are told
    let id = place.json(0, "key public packs-2.pub")["keyId"].as_str().unwrap().to_owned();
    list(&place, "", &format!("key {id} p256 packs-2.pub pack\n"));
    obey(&place, rest, &since);
}

#[test]
fn an_admins_key() {
    let place = organisation();
    // the thief proposes to be the only admin, and does not get further than that
    place.pass("trust show --out usurped.json");
    let mut usurped: Value = serde_json::from_slice(&place.read("usurped.json")).unwrap();
    usurped["admins"] = json!([{ "signer": "ann" }]);
    usurped["threshold"] = 1.into();
    place.write("usurped.json", usurped.to_string());
    let left = place.json(0, "trust sign --from usurped.json --key ann.pem");
    assert_eq!(left["inForce"], false);
    let since = entry(&place, left["receipt"]["index"].as_u64().unwrap()).0;
    follow(&place, "For every key", &since);
    follow(&place, "An admin's key", &since);
    assert_eq!(place.json(0, "trust show")["version"], 2);
    let late = place.json(2, &format!("trust sign {} --key bea.pem", left["payload"].as_str().unwrap()));
    assert_eq!(late["error"]["code"], "NOT_FOUND", "what the thief left is void");
}

#[test]
fn the_log_key() {
    let place = organisation();
    place.pass("ledger stats --checkpoint-out last-good-checkpoint");
    let old = place.json(0, "ledger stats")["logKey"].as_str().unwrap().to_owned();
    let since = entry(&place, 0).0;
    follow(&place, "For every key", &since);
    follow(&place, "The log key", &since);
    let new = place.json(0, "ledger stats")["logKey"].as_str().unwrap().to_owned();
    assert_ne!(old, new);
    for pinned in [&old, &new] {
        place.json(0, &format!("ledger stats --pin-log-key {pinned}"));
    }
}

#[test]
fn the_log_key_lost_or_used_by_its_thief() {
    let place = organisation();
    let line = "record approval --predicate approval.json --subject artifact --key ada.pem";
    says(&place, line);
    place.pass("ledger stats --checkpoint-out last-good-checkpoint");
    let stolen = says(&place, line);
    let since = entry(&place, stolen).0;
    follow(&place, "For every key", &since);
    follow(&place, "The log key, lost or used by its thief", &since);
    let old = place.json(0, "ledger audit");
    assert_eq!(old["findings"], json!([]), "the old ledger stays readable");
    assert_eq!(place.json(0, "trust show --ledger ledger-2")["version"], 1);
}

#[test]
fn a_token_that_signs_keyless() {
    let (Some(record), Some(root)) = (
        corpora("sigstore-bundles/gh-cli/sigstore-js-2.1.0-bundle.json"),
        corpora("sigstore-trust-roots/public-good/targets/trusted_root.json"),
    ) else {
        return;
    };
    let place = organisation();
    place.pass("trust show --out next.json");
    let mut next: Value = serde_json::from_slice(&place.read("next.json")).unwrap();
    next["signers"].as_array_mut().unwrap().push(json!({
        "name": "release-job",
        "issuer": "https://token.actions.githubusercontent.com",
        "identity": "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
        "predicateTypes": ["provenance"],
        "for": [{ "builder": "https://github.com/actions/runner/github-hosted" }],
    }));
    place.write("next.json", next.to_string());
    place.write("held-back.json", std::fs::read(record).unwrap());
    place.write("root.json", std::fs::read(root).unwrap());
    place.pass("trust sign --from next.json --trusted-root root.json --key ann.pem --out ann.json");
    place.pass("trust sign ann.json --key bea.pem");
    let stolen = place.json(0, "ledger append held-back.json")["receipts"][0]["index"].as_u64().unwrap();
    let (since, before) = entry(&place, stolen);
    assert!(!before, "until somebody says so, the thief is believed");
    follow(&place, "For every key", &since);
    follow(&place, "A token or an account that signs keyless", &since);
    assert!(entry(&place, stolen).1);
}

#[test]
fn every_section_of_the_run_book_is_run_by_a_test() {
    let book = include_str!("../../docs/run-book-stolen-key.md");
    let own = include_str!("runbook.rs");
    let sections = book.split("\n## ").skip(1).map(|s| s.lines().next().unwrap());
    for heading in sections.filter(|heading| !commands(heading).is_empty()) {
        assert!(own.contains(&format!("\"{heading}\"")), "no test follows `{heading}`");
    }
}
