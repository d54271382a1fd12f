//! `verify` with certificates, and of signed files.

use std::path::PathBuf;

use serde_json::Value;

use crate::corpora::corpora;
use crate::place::Place;

const GITHUB: &str = "https://token.actions.githubusercontent.com";
const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon";

/// A folder with the bundle of a case of the clients' suite, its artifact and its root.
fn place(case: &str) -> Option<Place> {
    let folder: PathBuf = corpora("sigstore-bundles/conformance/bundle-verify")?;
    let place = Place::new();
    place.write("bundle.json", std::fs::read(folder.join(case).join("bundle.sigstore.json")).unwrap());
    let artifact = std::fs::read(folder.join(case).join("artifact"));
    place.write("artifact", artifact.unwrap_or_else(|_| std::fs::read(folder.join("a.txt")).unwrap()));
    for own in ["trusted_root.json", "key.pub"] {
        if let Ok(bytes) = std::fs::read(folder.join(case).join(own)) {
            place.write(own, bytes);
        }
    }
    Some(place)
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap()
}

#[test]
fn a_signed_file_is_verified_by_the_identity_of_its_signer() {
    let Some(place) = place("happy-path-v0.3") else { return };
    let line = format!("verify artifact --bundle bundle.json --issuer {GITHUB}");
    let workflow = format!("{BEACON}/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main");
    let answer = place.json(0, &format!("{line} --identity {workflow} --trigger workflow_dispatch"));
    assert_eq!(answer["signers"][0]["name"], workflow);
    assert!(answer["signedAt"].is_string() && answer["logEntries"][0]["log"] == "https://rekor.sigstore.dev");
    let shown = place.pass(&format!("{line} --identity-regexp {BEACON}/.* --source-repository {BEACON}"));
    assert!(shown.contains("issuer") && shown.contains("rekor.sigstore.dev"), "{shown}");
    for (more, wanted) in [
        (format!("--identity {BEACON}"), "UNTRUSTED_SIGNER"),
        (format!("--identity-regexp {BEACON}"), "UNTRUSTED_SIGNER"),
        ("--identity-regexp .* --source-ref refs/heads/other --runner github-hosted".to_owned(), "UNTRUSTED_SIGNER"),
        (format!("--identity-regexp .* --workflow {workflow} --trigger push"), "UNTRUSTED_SIGNER"),
        ("--identity-regexp .* --log-entries 2".to_owned(), "BAD_LOG_ENTRY"),
        ("--identity-regexp .* --timestamps 1".to_owned(), "BAD_TIMESTAMP"),
        ("--identity-regexp .* --at 2024-01-01T00:00:00Z".to_owned(), "BAD_LOG_ENTRY"),
    ] {
        assert_eq!(code(&place.json(1, &format!("{line} {more}"))), wanted, "{more}");
    }
    for (more, wanted) in [
        ("--identity-regexp (", "MALFORMED"),
        ("--identity-regexp .* --type release", "API_MISUSE"),
        ("--identity-regexp .* --source-uri https://example.org", "API_MISUSE"),
        ("--identity-regexp .* --trusted-root artifact", "MALFORMED"),
        ("--identity-regexp .* --trusted-root missing", "NOT_FOUND"),
        ("--key artifact --issuer x", "API_MISUSE"),
    ] {
        let line = if more.starts_with("--key") { "verify artifact --bundle bundle.json" } else { &line };
        assert_eq!(code(&place.json(2, &format!("{line} {more}"))), wanted, "{more}");
    }
    place.write("other", "other");
    let other = format!("verify other --bundle bundle.json --issuer {GITHUB} --identity {workflow}");
    assert_eq!(code(&place.json(1, &other)), "DIGEST_MISMATCH");
}

#[test]
fn a_record_is_verified_under_a_root_of_ones_own() {
    let Some(place) = place("rekor2-dsse-happy-path") else { return };
    let line = format!("verify artifact --bundle bundle.json --issuer {GITHUB} --identity-regexp {BEACON}/.*");
    assert_eq!(code(&place.json(1, &line)), "UNTRUSTED_CERTIFICATE");
    let answer = place.json(0, &format!("{line} --trusted-root trusted_root.json --timestamps 1"));
    assert_eq!(answer["timestamps"][0]["at"], answer["signedAt"]);
    let by_digest = answer["digest"].as_str().unwrap();
    let line = line.replace("verify artifact", &format!("verify {by_digest}"));
    place.pass(&format!("{line} --trusted-root trusted_root.json"));
}

#[test]
fn a_file_signed_with_a_key_is_verified_with_it_and_its_log_if_that_is_believed() {
    let Some(place) = place("managed-key-and-trusted-root") else { return };
    let answer = place.json(0, "verify artifact --bundle bundle.json --key key.pub");
    assert_eq!(answer["logEntries"].as_array().unwrap().len(), 0);
    let line = "verify artifact --bundle bundle.json --key key.pub --log-entries 1";
    assert_eq!(code(&place.json(1, line)), "BAD_LOG_ENTRY");
    let answer = place.json(0, &format!("{line} --trusted-root trusted_root.json"));
    assert_eq!(answer["logEntries"].as_array().unwrap().len(), 1);
}

#[test]
fn witnesses_are_demanded_by_their_keys() {
    let Some(place) = place("rekor2-dsse-happy-path") else { return };
    let keys = [
        "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
        "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G",
        "example.org/w+dd2b5c12+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ];
    let line = format!(
        "verify artifact --bundle bundle.json --issuer {GITHUB} --identity-regexp {BEACON}/.* --trusted-root \
         trusted_root.json --witness {} --witness {}",
        keys[0], keys[1]
    );
    let answer = place.json(0, &line);
    assert_eq!(answer["logEntries"][0]["witnesses"].as_array().unwrap().len(), 2);
    assert!(place.pass(&line).contains("witness.navigli.sunlight.geomys.org 2026-05-13"));
    assert_eq!(code(&place.json(2, &format!("{line} --quorum 3"))), "API_MISUSE");
    assert_eq!(code(&place.json(2, &format!("{line} --witness {}", keys[2]))), "API_MISUSE");
    assert_eq!(code(&place.json(2, &format!("{line} --witness {}", keys[0]))), "API_MISUSE");
    // a record of a log without witnesses
    let old = self::place("happy-path-v0.3").unwrap();
    let line =
        format!("verify artifact --bundle bundle.json --issuer {GITHUB} --identity-regexp .* --witness {}", keys[0]);
    assert_eq!(code(&old.json(1, &line)), "BAD_CHECKPOINT");
}
