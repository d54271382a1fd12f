//! Tokens that a job's surroundings give it, and what is never sent.
#![cfg(feature = "keyless")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod loopback;

use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loopback::Loopback;
use sealwright::ci::Environment;
use sealwright::digest::Digest;
use sealwright::keyless::{AUDIENCE, LogVersion, Services, Token, ambient_token, sign_blob};
use sealwright::timestamp::Timestamp;
use sealwright::trust::TrustRoot;

const NOW: &str = "2026-06-01T00:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A token of `subject` that is valid for ten minutes; its signature says nothing.
fn jwt(subject: &str, audience: &str) -> String {
    let exp = now().unix_seconds() + 600;
    let claims = format!(r#"{{"iss":"https://issuer.example","sub":"{subject}","aud":"{audience}","exp":{exp}}}"#);
    format!("eyJhbGciOiJub25lIn0.{}.c2VjcmV0LXBhcnQ", URL_SAFE_NO_PAD.encode(claims))
}

fn environment(variables: &[(&str, &str)]) -> Environment {
    variables.iter().copied().collect()
}

fn subject_of(token: Option<Token>) -> String {
    token.unwrap().publication().identity
}

#[test]
fn without_a_ci_system_or_cloud_there_is_no_ambient_token() {
    let found = ambient_token(&environment(&[("HOME", "/root"), ("GITHUB_ACTIONS", "1")]), AUDIENCE).unwrap();
    assert!(found.is_none());
}

#[test]
fn a_token_in_its_variable_is_taken_before_any_other() {
    let token = jwt("project_path:shop", AUDIENCE);
    let variables = [("SIGSTORE_ID_TOKEN", token.as_str()), ("GITLAB_CI", "true"), ("GITHUB_ACTIONS", "true")];
    assert_eq!(subject_of(ambient_token(&environment(&variables), AUDIENCE).unwrap()), "project_path:shop");
}

#[test]
fn a_ci_system_that_gives_the_job_no_token_says_how_to_allow_it() {
    for (variables, hint) in [
        (vec![("GITLAB_CI", "true")], "id_tokens"),
        (vec![("GITHUB_ACTIONS", "true")], "id-token: write"),
        (
            vec![("GITHUB_ACTIONS", "true"), ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://a.example/t")],
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        ),
    ] {
        let e = ambient_token(&environment(&variables), AUDIENCE).unwrap_err();
        assert_eq!(e.code(), "PERMISSION_DENIED");
        assert!(e.message().contains(hint), "{e}");
    }
}

#[test]
fn github_is_asked_with_its_bearer_token_and_our_audience() {
    let token = jwt("repo:example/shop", AUDIENCE);
    let answer = format!(r#"{{"count":1,"value":"{token}"}}"#);
    let server = Loopback::new(move |_| (200, answer.clone().into_bytes()));
    let url = server.url("/token?api-version=2.0");
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner-secret"),
    ];
    assert_eq!(subject_of(ambient_token(&environment(&variables), AUDIENCE).unwrap()), "repo:example/shop");
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "GET /token?api-version=2.0&audience=sigstore");
    assert_eq!(asked[0].headers["authorization"], "Bearer runner-secret");
}

#[test]
fn what_github_answers_wrongly_is_told_without_a_secret() {
    for (status, body, code) in [
        (403, "no id-token permission", "SIGNER_FAILED"),
        (429, "slow down", "SERVICE_UNAVAILABLE"),
        (500, "oops", "SERVICE_UNAVAILABLE"),
        (302, "", "SERVICE_UNAVAILABLE"),
        (200, r#"{"valeu":"c2VjcmV0"}"#, "SERVICE_UNAVAILABLE"),
        (200, r#"{"value":"c2VjcmV0.c2VjcmV0.c2VjcmV0"}"#, "MALFORMED"),
    ] {
        let server = Loopback::new(move |_| (status, body.as_bytes().to_vec()));
        let url = server.url("/");
        let variables = [
            ("GITHUB_ACTIONS", "true"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "runner-secret"),
        ];
        let e = ambient_token(&environment(&variables), AUDIENCE).unwrap_err();
        assert_eq!(e.code(), code, "{status} {body}: {e}");
        let told = format!("{e:?}");
        assert!(!told.contains("runner-secret") && !told.contains("c2VjcmV0"), "{told}");
    }
}

#[test]
fn an_answer_without_end_is_cut_off() {
    let server = Loopback::new(|_| (200, vec![b' '; 2 * 1024 * 1024]));
    let url = server.url("/");
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t"),
    ];
    let e = ambient_token(&environment(&variables), AUDIENCE).unwrap_err();
    assert!(e.code() == "SERVICE_UNAVAILABLE" && e.message().contains("1048576"), "{e}");
}

#[test]
fn buildkites_agent_is_asked_by_its_command_which_sees_the_job_s_environment_alone() {
    let dir = tempfile::tempdir().unwrap();
    let agent = dir.path().join("buildkite-agent");
    let script = "#!/bin/sh\necho \"$@\" > \"$OUT\"\n/usr/bin/env >> \"$OUT\"\nprintf '%s\\n' \"$TOKEN_FOR_TEST\"\n";
    std::fs::write(&agent, script).unwrap();
    std::fs::set_permissions(&agent, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (path, out) = (dir.path().to_str().unwrap(), dir.path().join("out"));
    let token = jwt("organization:acme:pipeline:shop", AUDIENCE);
    let found_in = |path| {
        environment(&[
            ("BUILDKITE", "true"),
            ("PATH", path),
            ("OUT", out.to_str().unwrap()),
            ("TOKEN_FOR_TEST", token.as_str()),
        ])
    };
    let variables = found_in(path);
    assert_eq!(subject_of(ambient_token(&variables, AUDIENCE).unwrap()), "organization:acme:pipeline:shop");
    let told = std::fs::read_to_string(&out).unwrap();
    assert!(told.starts_with("oidc request-token --audience sigstore\n"), "{told}");
    assert!(told.contains("\nBUILDKITE=true\n") && !told.contains("CARGO"), "{told}");

    std::fs::write(&agent, "#!/bin/sh\necho secret-thing\nexit 3\n").unwrap();
    let e = ambient_token(&variables, AUDIENCE).unwrap_err();
    assert!(e.code() == "SIGNER_FAILED" && !format!("{e:?}").contains("secret-thing"), "{e:?}");
    assert_eq!(ambient_token(&found_in("/nowhere"), AUDIENCE).unwrap_err().code(), "SIGNER_FAILED");
}

#[test]
fn googles_metadata_server_is_asked_for_the_identity_of_the_machine() {
    let token = jwt("1234567890", AUDIENCE);
    let server = Loopback::new(move |_| (200, token.clone().into_bytes()));
    let variables = environment(&[("GCE_METADATA_HOST", server.host())]);
    assert_eq!(subject_of(ambient_token(&variables, AUDIENCE).unwrap()), "1234567890");
    let asked = server.asked();
    assert_eq!(
        asked[0].line,
        "GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=sigstore&format=full"
    );
    assert_eq!(asked[0].headers["metadata-flavor"], "Google");
}

#[test]
fn an_account_of_google_is_impersonated_through_the_machine_s_own() {
    let metadata = Loopback::new(|_| (200, br#"{"access_token":"access-secret","expires_in":3599}"#.to_vec()));
    let token = jwt("release", AUDIENCE);
    let iam = Loopback::new(move |_| (200, format!(r#"{{"token":"{token}"}}"#).into_bytes()));
    let endpoint = iam.url("/");
    let variables = environment(&[
        ("GCE_METADATA_HOST", metadata.host()),
        ("GOOGLE_SERVICE_ACCOUNT_NAME", "signer@acme.iam.gserviceaccount.com"),
        ("CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS", &endpoint),
    ]);
    assert_eq!(subject_of(ambient_token(&variables, AUDIENCE).unwrap()), "release");
    let scope = "https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform";
    let line = format!("GET /computeMetadata/v1/instance/service-accounts/default/token?scopes={scope}");
    assert_eq!(metadata.asked()[0].line, line);
    let asked = &iam.asked()[0];
    assert_eq!(asked.line, "POST /v1/projects/-/serviceAccounts/signer@acme.iam.gserviceaccount.com:generateIdToken");
    assert_eq!(asked.headers["authorization"], "Bearer access-secret");
    assert_eq!(asked.body, r#"{"audience":"sigstore","includeEmail":true}"#);
}

#[test]
fn a_token_is_read_from_a_file() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{}\n", jwt("s", AUDIENCE))).unwrap();
    assert_eq!(Token::read(file.path()).unwrap().publication().identity, "s");
}

#[test]
fn a_token_for_somebody_else_or_an_expired_one_is_never_sent() {
    let server = Loopback::new(|_| (200, b"{}".to_vec()));
    let services = Services::new(&server.url("/"), &server.url("/"), LogVersion::V1).unwrap();
    let sign = |token: &str, at: Timestamp| {
        let token = Token::parse(token).unwrap();
        sign_blob(&Digest::sha256(b"x"), &services, &token, &TrustRoot::new(), at).unwrap_err().code()
    };
    assert_eq!(sign(&jwt("s", "another"), now()), "API_MISUSE");
    assert_eq!(sign(&jwt("s", AUDIENCE), now().plus_millis(700_000)), "EXPIRED");
    assert!(server.asked().is_empty());
}

#[test]
fn a_log_that_signs_no_time_needs_a_timestamp_authority_before_anything_is_sent() {
    let server = Loopback::new(|_| (200, b"{}".to_vec()));
    let services = Services::new(&server.url("/"), &server.url("/"), LogVersion::V2).unwrap();
    let token = Token::parse(&jwt("s", AUDIENCE)).unwrap();
    let e = sign_blob(&Digest::sha256(b"x"), &services, &token, &TrustRoot::new(), now()).unwrap_err();
    assert_eq!(e.code(), "API_MISUSE");
    assert!(server.asked().is_empty());
}

#[test]
fn a_certificate_authority_that_refuses_is_told_from_one_that_is_not_there_and_the_token_is_not_shown() {
    let text = jwt("s", AUDIENCE);
    let token = Token::parse(&text).unwrap();
    let echo = Loopback::new(|request| (400, request.body.clone().into_bytes()));
    let fault = Loopback::new(|_| (200, b"<html>".to_vec()));
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (authority, code) in [
        (echo.url("/"), "SIGNER_FAILED"),
        (fault.url("/"), "SERVICE_UNAVAILABLE"),
        (format!("http://{gone}"), "SERVICE_UNAVAILABLE"),
    ] {
        let services = Services::new(&authority, "http://127.0.0.1:1", LogVersion::V1).unwrap();
        let e = sign_blob(&Digest::sha256(b"x"), &services, &token, &TrustRoot::new(), now()).unwrap_err();
        assert_eq!(e.code(), code, "{e}");
        assert!(!format!("{e:?}").contains(text.split('.').nth(1).unwrap()), "{e:?}");
    }
    let request: serde_json::Value = serde_json::from_str(&echo.asked()[0].body).unwrap();
    assert_eq!(echo.asked()[0].line, "POST /api/v2/signingCert");
    assert_eq!(request["credentials"]["oidcIdentityToken"], text);
    assert!(request["publicKeyRequest"]["publicKey"]["content"].as_str().unwrap().starts_with("-----BEGIN PUBLIC KEY"));
}
