//! One release from keys to production, by commands alone.

use serde_json::{Value, json};

use crate::place::Place;

const RELEASE: &str = "shop-1.4.0";
const CHANGE: &str = "https://example.org/shop/changes/17";
const PURL: &str = "pkg:generic/shop@1.4.0";
const BUILDER: &str = "https://example.org/builders/main";

/// A repository with a built file, keys, and a ledger that trusts them.
fn organisation() -> Place {
    let place = Place::new();
    for (name, key_type) in [
        ("admin", "p256"),
        ("builder", "p256"),
        ("tester", "ed25519"),
        ("author", "ed25519"),
        ("reviewer", "p256"),
        ("manager", "p256"),
        ("deployer", "ed25519"),
        ("records", "p256"),
        ("log", "ed25519"),
    ] {
        place.key(name, key_type);
    }
    place.write(
        "sealwright.toml",
        "ledger = 'ledger'\nstate = 'state'\nlog-key = 'log.pem'\nkey = 'records.pem'\n[keys]\nbuilder = 'builder.pem'\n",
    );
    place.write("trust.json", trust_policy().to_string());
    place.pass(
        "trust init --from trust.json --admin admin=admin.pub --signer builder=builder.pub --signer tester=tester.pub \
         --signer author=author.pub --signer reviewer=reviewer.pub --signer manager=manager.pub \
         --signer deployer=deployer.pub --signer records=records.pub --person ada=author.pub --person ben=reviewer.pub \
         --person cleo=manager.pub --key admin.pem --out trust.sigstore.json",
    );
    place.pass("ledger init --origin example.org/releases --trust trust.sigstore.json");
    place.write("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"1.4.0\"\n");
    place.write(
        "Cargo.lock",
        format!(
            "version = 4\n[[package]]\nname = \"shop\"\nversion = \"1.4.0\"\ndependencies = [\"tax\"]\n\n\
             [[package]]\nname = \"tax\"\nversion = \"1.0.0\"\n\
             source = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{}\"\n",
            "1".repeat(64)
        ),
    );
    place.write("shop.bin", "the built artifact");
    place.git("init -q");
    place.git("remote add origin https://example.org/shop.git");
    place.git("add Cargo.toml Cargo.lock");
    place.git("commit -qm Show-prices-with-tax");
    place
}

fn trust_policy() -> Value {
    let signer = |name: &str, types: Value| json!({ "name": name, "predicateTypes": types });
    let builder = json!({
        "name": "builder",
        "predicateTypes": ["https://slsa.dev/provenance/v1", "sbom"],
        "for": [{ "builder": BUILDER }],
    });
    json!({
        "signers": [
            builder,
            signer("tester", json!(["test-result"])),
            signer("author", json!(["change-request", "approval"])),
            signer("reviewer", json!(["approval"])),
            signer("manager", json!(["approval"])),
            signer("deployer", json!(["deployment"])),
            signer("records", json!(["release", "policy-evaluation", "promotion", "environment-snapshot", "drift-report",
                "evidence-pack"])),
        ],
        "people": [
            { "person": "ada", "ids": [git("ada@example.org")], "roles": ["engineer"] },
            { "person": "ben", "ids": [git("ben@example.org")], "roles": ["peer-reviewer", "engineer"] },
            { "person": "cleo", "roles": ["release-manager", "policy-owner"] },
        ],
    })
}

fn git(address: &str) -> Value {
    json!({ "issuer": "urn:sealwright:git", "subject": address })
}

fn person(login: &str, name: &str) -> Value {
    let address = format!("{login}@example.org");
    json!({ "id": format!("mailto:{address}"), "kind": "human", "displayName": name,
        "issuer": "urn:sealwright:git", "subject": address })
}

fn change() -> Value {
    json!({
        "changeId": CHANGE,
        "title": "Show prices with tax",
        "reason": "Customers ask for it",
        "requestedBy": person("ada", "Ada Example"),
        "authors": [person("ada", "Ada Example")],
        "categories": ["operational"],
        "categorySource": "declared",
        "riskTier": "moderate",
        "impact": { "summary": "Prices on one page", "dataClasses": [], "affectedControls": [] },
        "rollbackPlan": { "method": "redeploy-previous" },
    })
}

fn approval(stage: &str, approver: &Value, role: &str) -> Value {
    json!({
        "stage": stage,
        "decision": "APPROVED",
        "approver": approver,
        "inRole": role,
        "meaning": "I looked at it and agree",
        "changeId": CHANGE,
        "capture": { "method": "direct-signature" },
    })
}

/// All evidence that the gates ask for, but for the approval of the promotion to prod.
fn attest(place: &Place) {
    place.pass(&format!(
        "attest provenance --git --builder-id {BUILDER} --build-type https://example.org/build/v1 \
         --subject shop=shop.bin --subject-uri {PURL} --key builder --out provenance.json"
    ));
    place.pass("ledger append provenance.json");
    place.pass("sbom generate --out sbom.json");
    place.pass("sbom validate sbom.json");
    place.pass("attest sbom --predicate sbom.json --subject shop=shop.bin --key builder --append");
    place.write("junit.xml", "<testsuite tests=\"1\"><testcase name=\"adds-tax\"/></testsuite>");
    for kind in ["unit", "integration", "contract"] {
        place.pass(&format!(
            "ingest junit junit.xml --kind {kind} --tool cargo-test --subject shop=shop.bin --key tester.pem --append"
        ));
    }
    place.write("change.json", change().to_string());
    place.pass("record change-request --predicate change.json --revision HEAD --key author.pem");
    let mut review = approval("source-review", &person("ben", "Ben Example"), "peer-reviewer");
    review["overTree"] = json!({ "gitTree": place.git("rev-parse HEAD^{tree}") });
    place.write("review.json", review.to_string());
    place.pass("record approval --predicate review.json --revision HEAD --key reviewer.pem");
    place.pass(&format!("release begin {RELEASE} --purl {PURL} --artifact shop=shop.bin"));
}

fn digest(place: &Place) -> String {
    sealwright::digest::Digest::sha256(&place.read("shop.bin")).to_string()
}

fn gate(place: &Place, code: i32, environment: &str) -> Value {
    let line = format!(
        "gate {environment} --artifact {} --release {RELEASE} --change {CHANGE} --deployer deployer",
        digest(place)
    );
    place.json(code, &line)
}

/// Gate, promotion and deployment into one environment.
fn go(place: &Place, environment: &str) {
    let decision = gate(place, 0, environment);
    assert_eq!(decision["passed"], true);
    let decision = decision["decision"].as_str().unwrap();
    let promoted = place.json(0, &format!("promote --decision {decision} --release {RELEASE}"));
    place.pass(&format!(
        "deploy --decision {decision} --promotion {} --release {RELEASE} --resource urn:example:{environment}:shop \
         --key deployer.pem",
        promoted["payload"].as_str().unwrap()
    ));
}

#[test]
fn a_release_goes_from_key_generation_to_production_and_audit_by_commands_alone() {
    let place = organisation();
    attest(&place);
    go(&place, "dev");
    go(&place, "staging");

    let refused = gate(&place, 1, "prod");
    assert_eq!(refused["error"]["code"], "POLICY_DENIED");
    assert!(refused["error"]["context"]["checks"].as_str().unwrap().contains("EV-APPR-001"), "{refused:#}");

    let mut approval = approval("promotion", &person("cleo", "Cleo Example"), "release-manager");
    approval["approver"].as_object_mut().unwrap().retain(|name, _| name != "issuer" && name != "subject");
    approval["environment"] = json!({ "id": "urn:sealwright:environment:prod", "class": "prod" });
    place.write("approval.json", approval.to_string());
    place.pass("record approval --predicate approval.json --subject shop=shop.bin --key manager.pem");
    go(&place, "prod");

    let hex = digest(&place);
    let hex = hex.strip_prefix("sha256:").unwrap();
    let state = |hex: &str| json!([{ "resource": "urn:example:prod:shop", "digest": { "sha256": hex } }]).to_string();
    place.write("state.json", state(hex));
    place.pass("snapshot --environment prod --observed state.json");
    assert_eq!(place.json(0, "drift --environment prod")["report"]["findings"], json!([]));
    place.write("state.json", state(&"0".repeat(64)));
    place.pass("snapshot --environment prod --observed state.json");
    let drifted = place.json(1, "drift --environment prod");
    assert_eq!(drifted["report"]["findings"][0]["type"], "unapproved-digest");

    let audit = place.json(0, "ledger audit");
    assert_eq!(audit["findings"], json!([]));
    let shown = place.json(0, &format!("release show {RELEASE}"));
    assert_eq!((&shown["missing"], &shown["gaps"]), (&json!([]), &json!([])));
    looks(&place, hex);
    hands_over(&place);
}

/// The pack of that release, and how it is checked with nothing but what is known from elsewhere.
fn hands_over(place: &Place) {
    place.pass("ledger stats --checkpoint-out checkpoint");
    place.pass(&format!("pack build --release {RELEASE} --out pack"));
    let mut signers = String::new();
    for name in ["admin", "builder", "tester", "author", "reviewer", "manager", "deployer", "records"] {
        let key = place.json(0, &format!("key public {name}.pub"));
        let (id, key_type) = (key["keyId"].as_str().unwrap(), key["type"].as_str().unwrap());
        let pack = if name == "records" { " pack" } else { "" };
        signers.push_str(&format!("key {id} {key_type} {name}.pub{pack}\n"));
    }
    place.write("SIGNERS", signers);
    let verify = "pack verify pack --signers SIGNERS --log-key log.pub --min-checkpoint checkpoint";
    let verdict = place.json(0, verify);
    assert_eq!((&verdict["extension"], &verdict["statement"]["completeness"]["gaps"]), (&json!("proven"), &json!([])));
    // no witness is said to have seen it, and nothing passes for one
    for name in ["w1", "w2"] {
        place.key(name, "ed25519");
    }
    let [w1, w2] = ["w1", "w2"].map(|name| {
        place.pass(&format!("key public {name}.pem --witness witness.example.org/{name}")).trim().to_owned()
    });
    for (exit, code, more) in [
        (1, "BAD_CHECKPOINT", format!("--witness {w1} --witness {w2}")),
        (1, "BAD_CHECKPOINT", format!("--witness {w1} --witness {w2} --quorum 1")),
        (2, "API_MISUSE", format!("--witness {w1} --witness {w1}")),
        (2, "API_MISUSE", format!("--witness {w1} --quorum 0")),
    ] {
        assert_eq!(place.json(exit, &format!("{verify} {more}"))["error"]["code"], code, "{more}");
    }
    place.pass("ledger append pack/manifest.sigstore.json");
    place.write("pack/README.md", "changed");
    assert_eq!(place.json(1, verify)["error"]["code"], "PACK_TAMPERED");
}

/// What one can ask of the ledger of that release.
fn looks(place: &Place, hex: &str) {
    let timeline = place.pass(&format!("release timeline {RELEASE}"));
    assert_eq!(timeline.matches(" deployed ").count(), 3, "{timeline}");
    for (line, records) in [
        ("ledger search --kind build.provenance".to_owned(), 1),
        (format!("ledger search --digest sha256:{hex} --type approval"), 1),
        ("ledger search --environment prod --type deployment".to_owned(), 1),
        (format!("ledger search --release {RELEASE} --type promotion"), 3),
        (format!("ledger search --change {CHANGE} --type change-request"), 1),
        (format!("ledger search --commit {}", place.git("rev-parse HEAD")), 3),
        ("ledger search --until 2026-01-01T00:00:00Z".to_owned(), 0),
        ("ledger search --after 2 --limit 4".to_owned(), 4),
    ] {
        let found = place.json(0, &line);
        assert_eq!(found["records"].as_array().unwrap().len(), records, "{line}\n{found:#}");
    }
    let bom: Value = serde_json::from_slice(&place.read("sbom.json")).unwrap();
    let purl = bom["components"][0]["purl"].as_str().unwrap();
    let found = place.json(0, &format!("affected {purl} --complete"));
    assert_eq!(found, place.json(0, &format!("affected {purl}")));
    assert_eq!(found["artifacts"][0]["digest"], format!("sha256:{hex}"));
    assert_eq!(found["artifacts"][0]["releases"], json!([RELEASE]));
    let running = found["artifacts"][0]["running"].as_array().unwrap();
    // what was seen last in production is something else
    let running: Vec<&str> = running.iter().map(|place| place["class"].as_str().unwrap()).collect();
    assert_eq!(running, ["dev", "staging"]);
    let told = place.pass(&format!("affected {purl}"));
    assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    assert!(told.starts_with("1 artifact contains it or may, 1 of them runs\n\nshop\n  sha256:"), "{told}");
    assert!(place.pass("affected CVE-2026-0001").starts_with("no artifact is known to contain it"));
    assert_eq!(place.json(2, "affected pkg:npm/a@1 --range <1")["error"]["code"], "API_MISUSE");
    let shown = place.json(0, "ledger show 1 --out shown.json");
    assert_eq!(shown["signer"], "builder");
    assert_eq!(place.read("shown.json"), place.read("provenance.json"), "a record comes out as it went in");
    place.pass("verify shop.bin --bundle shown.json --key builder.pub --type provenance");
    let receipt = place.json(0, "ledger prove 1");
    assert_eq!(receipt["index"], 1);
    let stats = place.json(0, "ledger stats");
    assert_eq!(stats["types"]["https://sealwright.dev/attestation/promotion/v0.1"]["records"], 3);
    place.pass("ledger rebuild");
    place.pass("ledger search");
    assert!(place.pass("trust show").contains("cleo: release-manager, policy-owner"));
}

#[test]
fn s058_a_refusing_gate_says_which_check_why_and_how_to_meet_it_at_80_columns() {
    let place = organisation();
    let line =
        format!("gate prod --artifact {} --release {RELEASE} --change {CHANGE} --deployer deployer", digest(&place));
    let ran = place.run(&line);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let block = ran.out.split("\n\n").find(|b| b.starts_with("EV-PROV-001  FAILED\n")).unwrap();
    assert!(block.contains("\n  Fix: ") && block.contains("\n  Controls: "), "{block}");
    for line in ran.out.lines().chain(ran.err.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(ran.err.starts_with("sealwright: the gate to prod refuses by "), "{}", ran.err);
    assert!(ran.err.trim_end().ends_with("[POLICY_DENIED]"), "{}", ran.err);
    let recorded = place.json(0, "ledger search --type policy-evaluation");
    assert_eq!(recorded["records"].as_array().unwrap().len(), 1, "the refusal itself is on record");
}

#[test]
fn s057_a_gate_that_cannot_decide_ends_with_2_and_allows_nothing() {
    let place = organisation();
    for rules in std::fs::read_dir(place.path("ledger/attachments")).unwrap() {
        std::fs::remove_file(rules.unwrap().path()).unwrap();
    }
    let answer = gate(&place, 2, "dev");
    assert_eq!(answer["error"]["code"], "NOT_FOUND", "{answer:#}");
    assert_eq!(answer["passed"], Value::Null);
}

#[test]
fn s017_a_gate_refuses_a_tag() {
    let place = organisation();
    let answer = place.json(1, &format!("gate dev --artifact shop:latest --release {RELEASE} --deployer deployer"));
    assert!(answer["error"]["context"]["checks"].as_str().unwrap().contains("EV-ART-001"), "{answer:#}");
}

#[test]
fn a_permit_is_spent_once_and_a_rolled_back_or_edited_ledger_is_refused() {
    let place = organisation();
    attest(&place);
    let before = place.path("before");
    copy(&place.path("ledger"), &before);
    go(&place, "dev");
    let spent = place.json(0, "ledger search --type policy-evaluation");
    let decision = spent["records"][0]["payload"].as_str().unwrap();
    let again = place.json(1, &format!("promote --decision {decision} --release {RELEASE}"));
    assert_eq!(again["error"]["code"], "PERMIT_REFUSED");

    let body = place.path("ledger/bodies/001");
    let mut bytes = std::fs::read(&body).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&body, bytes).unwrap();
    let audit = place.json(1, "ledger audit");
    assert_eq!(audit["findings"][0]["kind"], "body-tampered");
    let shown = place.json(1, "ledger show 1");
    assert_eq!(shown["error"]["code"], "LEDGER_TAMPERED");

    let rolled_back = place.json(1, "ledger stats --ledger before");
    assert_eq!(rolled_back["error"]["code"], "LEDGER_ROLLED_BACK");
    assert_eq!(place.run("ledger stats --ledger before --state elsewhere").code, 0, "elsewhere nobody knows better");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
