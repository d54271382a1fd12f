//! Signing without a key, and trusted roots, as far as no service is asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sigstore_trust_root::{SIGSTORE_PRODUCTION_SIGNING_CONFIG, SIGSTORE_PRODUCTION_TRUSTED_ROOT};

use crate::corpora::corpora;
use crate::place::Place;
use crate::tuf_repository::Repository;

const ATTEST: &str = "attest scai --subject file --predicate predicate --keyless --out record";

fn place() -> Place {
    let place = Place::new();
    place.write("file", "what was built");
    place.write("predicate", r#"{"attributes":[{"attribute":"WITH_STACK_PROTECTION"}]}"#);
    // this one expired long ago, so that it is never sent
    let claims =
        r#"{"iss":"https://accounts.example","sub":"1","email":"ada@example.com","aud":"sigstore","exp":1000}"#;
    place.write("token", format!("e30.{}.c2VjcmV0", URL_SAFE_NO_PAD.encode(claims)));
    place
}

#[test]
fn keyless_signing_without_services_of_ones_own_says_that_the_public_ones_publish() {
    let place = place();
    let error = place.json(2, &format!("{ATTEST} --identity-token-file token"));
    assert_eq!(error["error"]["code"], "API_MISUSE");
    assert!(error["error"]["message"].as_str().unwrap().contains("`--public-good`"), "{error}");
}

#[test]
fn the_public_good_instance_is_not_taken_from_a_file_either() {
    let place = place();
    place.write("config", SIGSTORE_PRODUCTION_SIGNING_CONFIG);
    place.write("root", SIGSTORE_PRODUCTION_TRUSTED_ROOT);
    let line = format!("{ATTEST} --identity-token-file token --signing-config config --trusted-root root");
    let error = place.json(2, &line);
    assert_eq!(error["error"]["code"], "API_MISUSE");
    assert!(error["error"]["message"].as_str().unwrap().contains("--public-good"), "{error}");
}

#[test]
fn public_good_signing_shows_the_e_mail_address_before_anything_is_sent() {
    let place = place();
    let ran = place.run(&format!("{ATTEST} --identity-token-file token --public-good"));
    assert!(ran.err.contains("publishes for ever") && ran.err.contains("ada@example.com"), "{}", ran.err);
    assert!(ran.err.contains("[EXPIRED]") && !ran.err.contains("c2VjcmV0"), "{}", ran.err);
    assert!(!place.path("record").exists());
}

#[test]
fn without_a_token_it_says_where_one_may_come_from() {
    let place = place();
    let nothing = ["GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "SIGSTORE_ID_TOKEN"].map(|name| (name, ""));
    let ran = place.run_with(&nothing, &format!("{ATTEST} --public-good"));
    assert!(ran.err.contains("SIGSTORE_ID_TOKEN") && ran.code == 2, "{}", ran.err);
    let job = [("GITLAB_CI", "true")];
    let ran = place.run_with(&job, &format!("{ATTEST} --public-good"));
    assert!(ran.err.contains("id_tokens") && ran.err.contains("PERMISSION_DENIED"), "{}", ran.err);
}

#[test]
fn a_key_and_no_key_contradict_each_other() {
    let place = place();
    for more in ["--key k.pem", "--public-good --signing-config c --trusted-root r", "--signing-config c"] {
        assert_eq!(place.run(&format!("{ATTEST} {more}")).code, 2, "{more}");
    }
}

#[test]
fn roots_of_an_instance_are_fetched_once_shown_and_written_for_other_tools() {
    let (place, repository) = (place(), Repository::new());
    repository.publish(SIGSTORE_PRODUCTION_TRUSTED_ROOT.as_bytes(), 1, "2999-01-01T00:00:00Z");
    place.write("root.json", repository.root());
    assert_eq!(place.json(2, "root show ours")["error"]["code"], "NOT_FOUND");
    assert_eq!(place.json(2, "root refresh ours")["error"]["code"], "API_MISUSE");
    let refresh = format!("root refresh ours --url {} --root root.json", repository.url());
    assert_eq!(place.json(0, &refresh)["new"], true);
    assert_eq!(place.json(0, &refresh)["new"], false);
    let shown = place.json(0, "root show ours --out trusted_root.json");
    assert_eq!(shown["roots"].as_array().unwrap().len(), 1);
    let written: serde_json::Value = serde_json::from_slice(&place.read("trusted_root.json")).unwrap();
    let fetched: serde_json::Value = serde_json::from_str(SIGSTORE_PRODUCTION_TRUSTED_ROOT).unwrap();
    assert_eq!(written, fetched);
    assert_eq!(place.json(2, "root show ../ours")["error"]["code"], "API_MISUSE");
    // this instance came without a signing configuration
    let error = place.json(2, &format!("{ATTEST} --identity-token-file token --instance ours"));
    assert_eq!(error["error"]["code"], "NOT_FOUND");
}

#[test]
fn verify_takes_all_roots_that_were_ever_fetched_unless_one_is_named() {
    let Some(folder) = corpora("sigstore-bundles/conformance/bundle-verify/rekor2-dsse-happy-path") else { return };
    let (place, repository) = (place(), Repository::new());
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    place.write("bundle", read("bundle.sigstore.json"));
    place.write("production.json", SIGSTORE_PRODUCTION_TRUSTED_ROOT);
    let artifact = folder.join("../a.txt");
    let line = format!(
        "verify {} --bundle bundle --issuer https://token.actions.githubusercontent.com --identity-regexp .*",
        artifact.display()
    );
    let refused = |line: &str| place.json(1, line)["error"]["code"].as_str().unwrap().to_owned();
    assert_eq!(refused(&line), "UNTRUSTED_CERTIFICATE", "the root that is built in is of another instance");

    let root = read("trusted_root.json");
    repository.publish(&root, 1, "2999-01-01T00:00:00Z");
    place.write("root.json", repository.root());
    let refresh = format!("root refresh public-good --url {} --root root.json", repository.url());
    let first = place.json(0, &refresh);
    let answer = place.json(0, &line);
    assert_eq!(answer["trustedRoot"]["from"], "archive");
    assert_eq!(
        (&answer["trustedRoot"]["digest"], &answer["trustedRoot"]["fetchedAt"]),
        (&first["root"], &first["fetchedAt"])
    );
    assert!(place.pass(&line).contains("archive, newest fetched"));

    // the instance drops what the record rests on; it was there when the record was made
    let mut rotated: serde_json::Value = serde_json::from_slice(&root).unwrap();
    for member in ["tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities"] {
        rotated[member] = serde_json::json!([]);
    }
    let rotated = serde_json::to_vec(&rotated).unwrap();
    repository.publish(&rotated, 2, "2999-01-01T00:00:00Z");
    assert_eq!(place.json(0, &refresh)["new"], true);
    let answer = place.json(0, &line);
    assert_ne!(answer["trustedRoot"]["digest"], first["root"]);
    drop(repository);
    assert_eq!(place.json(0, &line)["trustedRoot"]["from"], "archive", "no network is asked");

    place.write("rotated.json", rotated);
    for named in ["rotated.json", "production.json"] {
        assert_eq!(refused(&format!("{line} --trusted-root {named}")), "UNTRUSTED_CERTIFICATE", "{named}");
    }
    place.write("own.json", root);
    let answer = place.json(0, &format!("{line} --trusted-root own.json"));
    assert_eq!(answer["trustedRoot"]["from"], "files");
    // another state folder has no archive
    assert_eq!(refused(&format!("{line} --state elsewhere")), "UNTRUSTED_CERTIFICATE");
    // one that was damaged is no reason to fall back to another root
    let roots = place.path(".local/state/sealwright/roots/public-good/roots");
    let newest = std::fs::read_dir(roots).unwrap().map(|e| e.unwrap().path()).max().unwrap();
    std::fs::write(newest, "{}").unwrap();
    assert_eq!(place.json(2, &line)["error"]["code"], "MALFORMED");
}
