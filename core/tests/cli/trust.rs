//! The trust policy by commands: several admins, versions, revocations.

use serde_json::{Value, json};

use crate::place::Place;

const BUILDER: &str = "https://example.org/builders/main";

/// Two admins who both must sign, a third to come, a builder with a successor, and a note that says nothing.
fn organisation() -> Place {
    let place = Place::new();
    for name in ["ann", "bea", "cid", "builder", "builder-2"] {
        place.key(name, "p256");
    }
    place.key("log", "ed25519");
    place.write("sealwright.toml", "ledger = 'ledger'\nstate = 'state'\nlog-key = 'log.pem'\n");
    let policy = json!({
        "signers": [{ "name": "builder", "predicateTypes": ["release"], "for": [{ "builder": BUILDER }] }],
        "people": [{ "person": "ada", "roles": ["engineer"] }],
    });
    place.write("trust.json", policy.to_string());
    place.pass(
        "trust init --from trust.json --admin ann=ann.pub --admin bea=bea.pub --signer builder=builder.pub \
         --person ada=builder.pub --key ann.pem --out one.json",
    );
    // one signature is not enough for a ledger
    let refused = place.json(1, "ledger init --origin example.org/x --trust one.json");
    assert_eq!(refused["error"]["code"], "TRUST_POLICY_REFUSED");
    assert_eq!(place.json(1, "trust sign one.json --key cid.pem")["error"]["code"], "NOT_ENTITLED");
    place.pass("trust sign one.json --key bea.pem --out two.json");
    place.pass("ledger init --origin example.org/x --trust one.json --trust two.json");
    place.write("release.json", json!({ "purl": "pkg:generic/x@1" }).to_string());
    place.write("x", "x");
    place
}

/// A record by the builder, appended or refused with this code.
fn build(place: &Place, key: &str, release: &str) -> Result<Value, String> {
    place.write("release.json", json!({ "purl": "pkg:generic/x@1", "releaseId": release }).to_string());
    let line = format!("attest release --predicate release.json --subject x --key {key}.pem --append --json");
    let ran = place.run(&line);
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    match ran.code {
        0 => Ok(answer),
        _ => Err(answer["error"]["code"].as_str().unwrap().to_owned()),
    }
}

fn version(place: &Place) -> u64 {
    place.json(0, "trust show")["version"].as_u64().unwrap()
}

/// Rewrites a file that `trust show --out` wrote.
fn edit(place: &Place, name: &str, change: impl FnOnce(&mut Value)) {
    place.pass(&format!("trust show --out {name}"));
    let mut policy: Value = serde_json::from_slice(&place.read(name)).unwrap();
    change(&mut policy);
    place.write(name, policy.to_string());
}

#[test]
fn a_version_is_proposed_by_one_admin_signed_by_the_others_and_then_in_force() {
    let place = organisation();
    edit(&place, "next.json", |policy| {
        policy["people"][0]["roles"] = json!(["engineer", "security"]);
        policy["signers"][0]["predicateTypes"] = json!(["release", "sbom"]);
    });
    let proposed = place.json(0, "trust sign --from next.json --admin cid=cid.pub --key ann.pem");
    assert_eq!((&proposed["version"], &proposed["inForce"]), (&json!(2), &json!(false)));
    assert_eq!(
        proposed["changes"],
        json!([
            "admin cid added",
            "signer builder changed: predicateTypes",
            "signer cid added",
            "person ada changed: roles"
        ])
    );
    assert_eq!(proposed["signatures"]["former"], json!({ "signed": ["ann"], "open": ["bea"], "missing": 1 }));
    assert_eq!(proposed["signatures"]["own"]["missing"], 1);
    let payload = proposed["payload"].as_str().unwrap();

    // what is signed is what was shown, named by its digest; nobody else signs it
    assert_eq!(version(&place), 1);
    let waiting = place.json(0, "trust show");
    assert_eq!(waiting["proposals"][0]["payload"], payload);
    assert_eq!(waiting["proposals"][0]["changes"], proposed["changes"]);
    let other = format!("trust sign sha256:{} --key bea.pem", "0".repeat(64));
    assert_eq!(place.json(2, &other)["error"]["code"], "NOT_FOUND");
    assert_eq!(place.json(1, &format!("trust sign {payload} --key builder.pem"))["error"]["code"], "NOT_ENTITLED");
    let text = place.pass("trust show");
    assert!(text.contains("admins of version 1: 1 missing, of bea; signed by ann"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");

    let signed = place.json(0, &format!("trust sign {payload} --key bea.pem"));
    assert_eq!((&signed["inForce"], version(&place)), (&json!(true), 2));
    assert_eq!(place.json(0, "trust show")["proposals"], json!([]));
    assert_eq!(place.json(0, "ledger audit")["findings"], json!([]));
}

#[test]
fn a_signature_goes_by_file_to_whoever_appends() {
    let place = organisation();
    place.pass("trust sign --rotate builder=builder-2.pub --key ann.pem --out ann.json");
    assert_eq!(place.json(0, "trust show")["proposals"], json!([]), "nothing was appended");
    place.pass("trust sign ann.json --key bea.pem --out bea.json");
    place.pass("ledger append ann.json bea.json");
    assert_eq!(version(&place), 2);
    let policy = &place.json(0, "trust show")["policy"];
    assert_eq!(policy["people"][0]["ids"].as_array().unwrap().len(), 2, "one person with both keys");
    build(&place, "builder-2", "r-1").unwrap();
    assert_eq!(build(&place, "builder", "r-2"), Err("UNTRUSTED_SIGNER".to_owned()));
}

#[test]
fn a_record_of_a_proposal_is_appended_with_the_signature_that_joins_it() {
    let place = organisation();
    place.pass("trust sign --rotate builder=builder-2.pub --key ann.pem --out ann.json");
    let size = place.json(0, "ledger stats")["size"].clone();
    assert_eq!(place.json(1, "trust sign ann.json --key cid.pem")["error"]["code"], "NOT_ENTITLED");
    assert_eq!(place.json(0, "ledger stats")["size"], size, "neither of the two is appended");
    let signed = place.json(0, "trust sign ann.json --key bea.pem");
    assert_eq!((&signed["inForce"], version(&place)), (&json!(true), 2));
}

#[test]
fn a_revocation_with_its_successor_is_one_command_for_each_admin() {
    let place = organisation();
    let before = build(&place, "builder", "r-1").unwrap();
    let index = before["receipt"]["index"].as_u64().unwrap();
    let shown = || place.json(0, &format!("ledger show {index}"));
    let since = shown()["loggedAt"].as_str().unwrap().to_owned();
    let line = format!("trust revoke builder --since {since} --reason stolen --replace builder-2=builder-2.pub");
    let proposed = place.json(0, &format!("{line} --key ann.pem"));
    assert_eq!(proposed["inForce"], false);
    build(&place, "builder", "r-2").unwrap();
    place.pass(&format!("trust sign {} --key bea.pem", proposed["payload"].as_str().unwrap()));
    assert_eq!(build(&place, "builder", "r-3"), Err("REVOKED".to_owned()));
    build(&place, "builder-2", "r-3").unwrap();
    // `since` is the first moment that is not believed, so that the first record is not, either
    assert_eq!(shown()["revoked"], true);
    let people = place.json(0, "trust show")["policy"]["people"].clone();
    assert_eq!(people[0]["ids"].as_array().unwrap().len(), 2);
    assert_eq!(place.json(0, "ledger audit")["findings"], json!([]));
}

#[test]
fn a_revoked_admin_is_no_admin_and_a_threshold_that_needs_it_is_refused() {
    let place = organisation();
    let alone = place.json(2, "trust revoke bea --since 2026-01-01T00:00:00Z --reason stolen --key ann.pem");
    assert_eq!(alone["error"]["code"], "MALFORMED", "{alone:#}");
    let line = "trust revoke bea --since 2026-01-01T00:00:00Z --reason stolen --replace cid=cid.pub --key";
    let proposed = place.json(0, &format!("{line} ann.pem"));
    assert_eq!(proposed["signatures"]["own"], json!({ "signed": ["ann"], "open": ["cid"], "missing": 1 }));
    let payload = proposed["payload"].as_str().unwrap().to_owned();
    place.pass(&format!("trust sign {payload} --key cid.pem"));
    assert_eq!(version(&place), 1, "the version before counts its own admins");
    place.pass(&format!("trust sign {payload} --key bea.pem"));
    assert_eq!(version(&place), 2);
}

#[test]
fn wrong_calls_write_nothing() {
    let place = organisation();
    place.pass("trust show --out old.json");
    place.pass("trust sign --rotate builder=builder-2.pub --key ann.pem");
    let size = place.json(0, "ledger stats")["size"].clone();
    let day = "--reason r --key ann.pem";
    for (exit, code, line) in [
        (2, "API_MISUSE", "trust sign --key ann.pem".to_owned()),
        (2, "NOT_FOUND", "trust sign --rotate nobody=cid.pub --key ann.pem".to_owned()),
        (2, "NOT_FOUND", format!("trust revoke nobody --since 2026-01-01T00:00:00Z {day}")),
        (2, "API_MISUSE", format!("trust revoke builder --since 2999-01-01T00:00:00Z {day}")),
        (2, "API_MISUSE", format!("trust revoke builder --since 2026-01-01T00:00:00Z --replace b {day}")),
        (
            1,
            "TRUST_POLICY_REFUSED",
            format!("trust revoke builder --since 2026-01-01T00:00:00Z --replace b=builder.pub {day}"),
        ),
        (
            1,
            "NOT_ENTITLED",
            "trust revoke builder --since 2026-01-01T00:00:00Z --reason r --key builder.pem".to_owned(),
        ),
    ] {
        let answer = place.json(exit, &line);
        assert_eq!(answer["error"]["code"], code, "{line}: {answer:#}");
        assert_eq!(place.json(0, "ledger stats")["size"], size, "{line}");
    }
    // a file made from an older version would undo what came between
    let waiting = place.json(0, "trust show")["proposals"][0]["payload"].as_str().unwrap().to_owned();
    place.pass(&format!("trust sign {waiting} --key bea.pem"));
    let stale = place.json(1, "trust sign --from old.json --key ann.pem");
    assert_eq!(stale["error"]["code"], "TRUST_POLICY_REFUSED", "{stale:#}");
}

#[test]
fn a_submitter_is_named_where_the_policy_lists_writers() {
    let place = organisation();
    edit(&place, "next.json", |policy| {
        policy["writers"] = json!([
            { "credential": "admins", "predicateTypes": ["trust-policy"] },
            { "credential": "ci", "predicateTypes": ["release"] },
        ]);
    });
    let proposed = place.json(0, "trust sign --from next.json --key ann.pem");
    place.pass(&format!("trust sign {} --key bea.pem", proposed["payload"].as_str().unwrap()));
    assert_eq!(build(&place, "builder", "r-1"), Err("APPEND_REFUSED".to_owned()));
    let line = "attest release --predicate release.json --subject x --key builder.pem --append";
    assert_eq!(place.json(1, &format!("{line} --submitter admins"))["error"]["code"], "APPEND_REFUSED");
    place.pass(&format!("{line} --submitter ci"));
    place.write("release.json", json!({ "purl": "pkg:generic/x@1", "releaseId": "r-2" }).to_string());
    assert_eq!(place.run_with(&[("SEALWRIGHT_SUBMITTER", "ci")], line).code, 0);
}
