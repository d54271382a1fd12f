//! Signing without a key, and trusted roots, as far as no service is asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sigstore_trust_root::{SIGSTORE_PRODUCTION_SIGNING_CONFIG, SIGSTORE_PRODUCTION_TRUSTED_ROOT};

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
