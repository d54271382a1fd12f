//! `commits verify`, and change requests that take their subjects and authors from commits.

use std::process::Command;

use serde_json::{Value, json};

use crate::place::Place;

/// A repository with a commit that Ada signed, and one that says it is hers and is not signed.
fn repository() -> Place {
    let place = Place::new();
    let words = ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"];
    for name in ["ada", "eve"] {
        assert!(Command::new("ssh-keygen").args(words).arg(place.path(name)).status().unwrap().success());
    }
    let public = String::from_utf8(place.read("ada.pub")).unwrap();
    place.write("allowed", format!("ada@example.org {public}"));
    place.git("init -q");
    place.git("remote add origin https://example.org/shop.git");
    place.git("config gpg.format ssh");
    place.git("commit -q --allow-empty -m Signed -Sada");
    place.git("tag signed");
    place.git("commit -q --allow-empty -m Unsigned");
    place.git("commit -q --allow-empty -m Forged -Seve");
    place
}

#[test]
fn s035_the_commits_of_a_range_are_listed_with_what_is_doubtful() {
    let place = repository();
    let told = place.pass("commits verify signed --allowed-signers allowed");
    assert!(
        told.starts_with("✓ ") && told.contains("  ada@example.org") && told.contains("  by ada@example.org"),
        "{told}"
    );
    assert!(told.ends_with("1 commits, 1 clear, 0 doubtful\n"), "{told}");
    let ran = place.run("commits verify HEAD --allowed-signers allowed");
    assert_eq!(ran.code, 1, "{}", ran.err);
    for said in ["UNSIGNED: ", "UNKNOWN_SIGNER: ", "3 commits, 1 clear, 2 doubtful"] {
        assert!(ran.out.contains(said), "{}", ran.out);
    }
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    let answer = place.json(1, "commits verify HEAD --allowed-signers allowed");
    assert_eq!((&answer["clear"], &answer["doubtful"]), (&json!(1), &json!(2)));
    assert_eq!(answer["commits"][0]["doubts"][0]["kind"], "UNKNOWN_SIGNER");
    assert_eq!(answer["commits"][1]["doubts"][0]["kind"], "UNSIGNED");
    assert_eq!(answer["commits"][2]["signer"]["key"]["type"], "ssh");
    assert_eq!(answer["commits"][2]["commit"], place.git("rev-parse signed"));
    assert_eq!(place.json(1, "commits verify HEAD --forge web=allowed")["clear"], 1);
}

#[test]
fn what_commits_are_to_be_verified_and_by_whom_must_be_said() {
    let place = repository();
    assert_eq!(place.json(2, "commits verify HEAD")["error"]["code"], "API_MISUSE");
    assert_eq!(place.json(2, "commits verify HEAD --identity ada@example.org")["error"]["code"], "API_MISUSE");
    assert_eq!(place.json(2, "commits verify no-such --allowed-signers allowed")["error"]["code"], "NOT_FOUND");
    assert_eq!(place.json(2, "commits verify HEAD..HEAD --allowed-signers allowed")["error"]["code"], "NOT_FOUND");
    assert_eq!(place.json(2, "commits verify HEAD --allowed-signers nowhere")["error"]["code"], "NOT_FOUND");
    let no_keyring = if cfg!(feature = "openpgp") { "MALFORMED" } else { "UNSUPPORTED" };
    assert_eq!(place.json(2, "commits verify HEAD --openpgp-keyring allowed")["error"]["code"], no_keyring);
    assert_eq!(place.json(2, "commits verify --output=x --allowed-signers allowed")["error"]["code"], "API_MISUSE");
}

#[test]
fn s035_a_replaced_commit_is_shown_as_it_is() {
    let place = repository();
    place.git("replace HEAD signed");
    assert_eq!(place.json(1, "commits verify HEAD^..HEAD --allowed-signers allowed")["doubtful"], 1);
}

/// A ledger in which the author may ask for changes.
fn with_ledger(place: &Place) {
    for (name, key_type) in [("admin", "p256"), ("author", "p256"), ("log", "ed25519")] {
        place.key(name, key_type);
    }
    place.write("sealwright.toml", "ledger = 'ledger'\nstate = 'state'\nlog-key = 'log.pem'\nkey = 'author.pem'\n");
    let trust = json!({
        "signers": [{ "name": "author", "predicateTypes": ["change-request"] }],
        "people": [{ "person": "ada", "ids": [{ "issuer": "urn:sealwright:git", "subject": "ada@example.org" }], "roles": ["engineer"] }],
    });
    place.write("trust.json", trust.to_string());
    place.pass(
        "trust init --from trust.json --admin admin=admin.pub --signer author=author.pub --person ada=author.pub \
         --key admin.pem --out trust.sigstore.json",
    );
    place.pass("ledger init --origin example.org/releases --trust trust.sigstore.json");
    let change = json!({
        "changeId": "https://example.org/shop/pull/7",
        "title": "Show prices with tax",
        "reason": "Customers ask for it",
        "requestedBy": { "id": "mailto:ada@example.org", "kind": "human" },
        "categories": ["operational"],
        "categorySource": "declared",
        "riskTier": "moderate",
        "impact": { "summary": "Prices on one page" },
        "rollbackPlan": { "method": "redeploy-previous" },
    });
    place.write("change.json", change.to_string());
}

#[test]
fn s035_a_change_request_says_who_wrote_its_commits() {
    let place = repository();
    with_ledger(&place);
    let record = "record change-request --predicate change.json --allowed-signers allowed";
    let refused = place.json(1, &format!("{record} --commits HEAD --require-signed"));
    assert_eq!(refused["error"]["code"], "EXPECTATION_UNMET");
    place.pass(&format!("{record} --commits signed --require-signed"));
    let ran = place.run(&format!("{record} --commits HEAD"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("2 of 3 commits are doubtful"), "{}", ran.err);
    let shown = place.json(0, "ledger show 2");
    let statement = find(&shown, "subject").unwrap_or_else(|| panic!("{shown:#}"));
    assert_eq!(statement["subject"].as_array().unwrap().len(), 3);
    assert_eq!(statement["subject"][0]["digest"]["gitCommit"], place.git("rev-parse HEAD"));
    assert_eq!(statement["subject"][1]["annotations"]["doubts"], json!(["UNSIGNED"]));
    assert_eq!(statement["subject"][2]["annotations"]["signer"]["principals"], json!(["ada@example.org"]));
    let authors = statement["predicate"]["authors"].as_array().unwrap();
    assert_eq!(authors.len(), 1);
    assert_eq!(authors[0]["subject"], "ada@example.org");
}

/// The object that has this member, anywhere in an answer.
fn find<'a>(value: &'a Value, member: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) if members.contains_key(member) => Some(value),
        Value::Object(members) => members.values().find_map(|v| find(v, member)),
        Value::Array(items) => items.iter().find_map(|v| find(v, member)),
        _ => None,
    }
}
