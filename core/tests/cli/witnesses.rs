//! Witnesses, mirrors and rotation by commands: docs/guide/witnesses.md and mirror.md, run as they stand there.

use std::process::Command;

use serde_json::json;

use crate::place::Place;

/// A ledger with a few records of its only signer, who is also its admin.
fn organisation() -> (Place, String) {
    let place = Place::new();
    place.key("admin", "p256");
    place.key("log", "ed25519");
    place.write("sealwright.toml", "ledger = 'ledger'\nstate = 'state'\nlog-key = 'log.pem'\n");
    let policy = json!({ "threshold": 1, "signers": [], "people": [] });
    place.write("trust.json", policy.to_string());
    place.pass("trust init --from trust.json --admin admin=admin.pub --key admin.pem --out trust.sigstore.json");
    place.pass("ledger init --origin example.org/releases --trust trust.sigstore.json");
    let log_key = place.json(0, "ledger stats")["logKey"].as_str().unwrap().to_owned();
    (place, log_key)
}

/// The blocks of a guide that are marked so, as one script.
fn script(guide: &str, mark: &str) -> String {
    let path = format!("{}/../docs/guide/{guide}", env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(path).unwrap();
    let fence = format!("```{mark}\n");
    let blocks = guide.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect()
}

fn run(place: &Place, script: &str, vars: &[(&str, &str)]) {
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_sealwright")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(place.path("")).env("PATH", path);
    bash.env("HOME", place.path("")).env("SEALWRIGHT_PASSPHRASE", "correct horse").envs(vars.iter().copied());
    let ran = bash.output().unwrap();
    assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn the_commands_of_the_guides_to_witnesses_and_copies_run() {
    if Command::new("jq").arg("--version").output().is_err() {
        eprintln!("not run, no jq command");
        return;
    }
    let (place, log_key) = organisation();
    let witnesses = script("witnesses.md", "sh");
    assert!(witnesses.matches("sealwright ").count() >= 12, "{witnesses}");
    run(&place, &witnesses, &[("LOG_KEY", &log_key)]);
    let stats = place.json(0, "ledger stats");
    assert_ne!(stats["logKey"], log_key.as_str(), "the guide ends with a rotation");
    let mirror = script("mirror.md", "sh");
    assert!(mirror.matches("sealwright ").count() >= 7, "{mirror}");
    run(&place, &mirror, &[("LOG_KEY", stats["logKey"].as_str().unwrap())]);
    assert_eq!(place.json(0, "ledger stats --ledger restored")["root"], stats["root"]);
    let lag = place.json(0, "ledger mirror ledger --to copy --lag");
    assert_eq!((&lag["entries"], &lag["millis"]), (&json!(0), &json!(0)));
    assert_eq!(place.json(1, "ledger append record.json --ledger copy")["error"]["code"], "UNTRUSTED_SIGNER");
    let refused = place.json(2, "ledger append record.json --ledger copy --log-key log-2.pem");
    assert_eq!(refused["error"]["code"], "WRONG_PASSPHRASE");
}

#[test]
fn the_commands_of_the_guide_copy_an_encrypted_ledger_and_a_ledger_is_made_of_a_whole_copy_alone() {
    let (place, _) = organisation();
    place.pass("ledger key --out ledger-key.json --no-passphrase");
    let key = "--encryption-key ledger-key.json";
    place.pass(&format!("ledger init --ledger sealed --origin example.org/sealed --trust trust.sigstore.json {key}"));
    let script = script("mirror.md", "sh encrypted");
    assert_eq!(script.matches("sealwright ").count(), 2, "{script}");
    run(&place, &script, &[]);
    let pulled = place.json(0, "ledger mirror sealed --to sealed-copy");
    assert_eq!((&pulled["unproven"], &pulled["withoutBody"]), (&json!(0), &json!(0)));
    let refused = place.json(2, "ledger restore sealed-copy --ledger restored --state elsewhere");
    assert_eq!(refused["error"]["code"], "WRONG_KEY");
    place.pass(&format!("ledger restore sealed-copy --ledger restored --state elsewhere {key}"));
    place.pass(&format!("ledger audit --ledger restored --state elsewhere {key}"));
    // a copy that has lost an attachment: the policy bundle that the trust policy names
    place.pass("ledger mirror ledger --to copy");
    let attachments = place.path("copy/attachments");
    std::fs::remove_dir_all(&attachments).unwrap();
    let refused = place.json(1, "ledger restore copy --ledger from-half --state elsewhere");
    assert_eq!(
        (&refused["error"]["code"], &refused["error"]["context"]["attachments"]),
        (&json!("BODY_LOST"), &json!("1"))
    );
    assert!(place.path("from-half/mirror.json").is_file());
    place.pass("ledger restore copy --ledger from-half --state elsewhere --incomplete-unsafe");
    assert!(!place.path("from-half/mirror.json").exists());
}

#[test]
fn what_a_receipt_lacks_is_told_by_its_code() {
    let (place, log_key) = organisation();
    place.pass("ledger prove 0 --out receipt.json");
    place.pass("ledger show 0 --out record.json");
    let verify = |more: &str| format!("ledger verify-proof receipt.json --record record.json {more}");
    let found = place.json(0, &verify(&format!("--log-key {log_key}")));
    assert_eq!((&found["index"], &found["cosignatures"]), (&json!(0), &json!([])));
    place.key("w1", "ed25519");
    let witness = place.pass("key public w1.pem --witness witness.example.org/w1").trim().to_owned();
    let code = |code: i32, line: &str| place.json(code, line)["error"]["code"].as_str().unwrap().to_owned();
    assert_eq!(code(1, &verify(&format!("--log-key {log_key} --witness {witness}"))), "BAD_CHECKPOINT");
    assert_eq!(code(2, &verify(&format!("--log-key {log_key} --witness {witness} --quorum 0"))), "API_MISUSE");
    place.key("other", "ed25519");
    let other = place.pass("key public other.pem --witness example.org/releases").trim().to_owned();
    assert_eq!(code(2, &verify(&format!("--log-key {other}"))), "UNSUPPORTED");
    place.write("trust.sigstore.json", "{}");
    let line = format!("ledger verify-proof receipt.json --record trust.sigstore.json --log-key {log_key}");
    assert_eq!(code(1, &line), "LEDGER_TAMPERED");
    // no witness is named anywhere
    let nobody = if cfg!(feature = "witness") { "API_MISUSE" } else { "UNSUPPORTED" };
    assert_eq!(code(2, "ledger witness"), nobody);
    assert_eq!(code(2, "ledger mirror nowhere --to copy"), "NOT_FOUND");
    assert_eq!(code(2, "ledger cosign --log ledger --name w --key w1.pem --out x"), "NOT_FOUND");
    assert!(!place.path("x").exists());
}

#[test]
fn s003_one_witness_is_no_quorum_of_two_however_often_and_as_whatever_it_is_named() {
    let (place, log_key) = organisation();
    for name in ["w1", "w2"] {
        place.key(name, "ed25519");
    }
    let vkey = |key: &str, name: &str| {
        place.pass(&format!("key public {key}.pem --witness witness.example.org/{name}")).trim().to_owned()
    };
    let (own, twin, other) = (vkey("w1", "w1"), vkey("w1", "w2"), vkey("w2", "w2"));
    place.pass("trust show --out policy.json");
    let mut policy: serde_json::Value = serde_json::from_slice(&place.read("policy.json")).unwrap();
    policy["witnesses"] = json!([{ "name": "witness.example.org/w1", "key": own }]);
    place.write("witnessed.json", policy.to_string());
    place.pass("trust sign --from witnessed.json --key admin.pem");
    place.pass(&format!(
        "ledger cosign --log ledger --name witness.example.org/w1 --key w1.pem --pin-log-key {log_key} --memory seen \
         --out cosigned"
    ));
    place.pass("ledger witness --add cosigned");
    place.pass("ledger prove 0 --out receipt.json");
    place.pass("ledger show 0 --out record.json");
    let proof = format!("ledger verify-proof receipt.json --record record.json --log-key {log_key}");
    let code = |code: i32, more: &str| place.json(code, &format!("{proof} {more}"))["error"]["code"].clone();
    assert_eq!(place.json(0, &format!("{proof} --witness {own}"))["cosignatures"].as_array().unwrap().len(), 1);
    place.json(0, &format!("{proof} --witness {own} --witness {other} --quorum 1"));
    for too_few in [format!("--witness {own} --witness {other}"), format!("--witness {other}")] {
        assert_eq!(code(1, &too_few), "BAD_CHECKPOINT", "{too_few}");
    }
    for misuse in [
        format!("--witness {own} --witness {own}"),
        format!("--witness {own} --witness {own} --quorum 1"),
        format!("--witness {own} --witness {twin} --quorum 2"),
        format!("--witness {own} --quorum 0"),
        format!("--witness {own} --quorum 2"),
    ] {
        assert_eq!(code(2, &misuse), "API_MISUSE", "{misuse}");
    }
}

#[cfg(feature = "witness")]
#[test]
fn the_commands_of_the_guide_ask_a_witness_over_http() {
    use sealwright::ledger::Witness;
    use sealwright::timestamp::Timestamp;

    use crate::loopback::Loopback;

    let (place, log_key) = organisation();
    place.key("w1", "ed25519");
    let key = sealwright::key::read_private(&place.path("w1.pem"), None).unwrap();
    let witness = Witness::open(&place.path("memory"), "witness.example.org/w1", key).unwrap();
    let vkey = witness.key().to_string();
    let log: sealwright::checkpoint::VerifierKey = log_key.parse().unwrap();
    witness.trust_log(&log.into()).unwrap();
    // our own witness behind the protocol, as any server would put it
    let server = Loopback::new(move |request| {
        assert_eq!(request.line, "POST /add-checkpoint");
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let now = Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap()).unwrap();
        let answer = witness.add_checkpoint(request.body.as_bytes(), now).unwrap();
        (answer.status, answer.body.into_bytes())
    });
    place.pass("trust show --out policy.json");
    let mut policy: serde_json::Value = serde_json::from_slice(&place.read("policy.json")).unwrap();
    policy["quorum"] = 1.into();
    policy["witnesses"] = json!([{ "name": "witness.example.org/w1", "key": vkey }]);
    place.write("witnessed.json", policy.to_string());
    place.pass("trust sign --from witnessed.json --key admin.pem");
    let url = server.url("");
    let settings = String::from_utf8(place.read("sealwright.toml")).unwrap();
    place.write("sealwright.toml", format!("{settings}[witnesses]\n'witness.example.org/w1' = '{url}'\n"));
    run(&place, &script("witnesses.md", "sh http"), &[("WITNESS_URL", &url)]);
    let found = place.json(0, "ledger witness");
    assert_eq!((found["cosignatures"].as_array().unwrap().len(), &found["quorum"]), (1, &json!(1)));
    // one that is down meanwhile takes nothing away from what was cosigned, and is told
    let down = place.json(0, "ledger witness --witness witness.example.org/w1=http://127.0.0.1:9");
    assert_eq!(
        (&down["failed"][0]["code"], &down["cosignatures"][0]["witness"]),
        (&json!("SERVICE_UNAVAILABLE"), &json!("witness.example.org/w1"))
    );
}
