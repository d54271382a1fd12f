//! Who may ask for what: nobody for anything that is not listed.

use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize, PublicKeyComponents};
use aws_lc_rs::signature::KeyPair as _;
use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealwright::digest::Digest;

use crate::team::{CALLERS, ISSUER, OTHER_ISSUER, Team, jwt, pair, submission};
use crate::world::{artifact, dev};

/// Each endpoint, and the status that a caller without the right, and one with it, is given.
fn endpoints(team: &Team) -> Vec<(&'static str, String, Vec<u8>, Vec<&'static str>)> {
    let note = submission(&[team.note("matrix")]);
    let file = Digest::sha256(b"report").hex();
    let log = ["build", "deploy", "deployer", "auditor", "everything"].to_vec();
    let records = ["deployer", "auditor", "everything"].to_vec();
    vec![
        ("GET", "/ledger.json".to_owned(), vec![], log.clone()),
        ("GET", "/checkpoint".to_owned(), vec![], log.clone()),
        ("GET", "/tile/0/000.p/3".to_owned(), vec![], log.clone()),
        ("GET", "/tile/entries/000.p/3".to_owned(), vec![], log.clone()),
        ("GET", "/v1/trust-policy".to_owned(), vec![], log.clone()),
        // entry 0 is the trust policy, entry 1 a record
        ("GET", "/bodies/000".to_owned(), vec![], log),
        ("GET", "/bodies/001".to_owned(), vec![], records.clone()),
        ("GET", "/v1/receipts/1".to_owned(), vec![], records.clone()),
        ("POST", "/v1/search".to_owned(), b"{}".to_vec(), records.clone()),
        ("PUT", format!("/attachments/{file}"), b"report".to_vec(), vec!["build", "deploy", "deployer", "everything"]),
        ("GET", format!("/attachments/{file}"), vec![], records),
        ("POST", "/v1/records".to_owned(), note, vec!["build", "everything"]),
        ("GET", "/metrics".to_owned(), vec![], vec!["monitor"]),
    ]
}

#[test]
fn each_endpoint_answers_those_who_may_and_nobody_else() {
    let mut team = Team::new();
    team.world.provenance(&artifact());
    team.world.sbom(&artifact());
    let running = team.start();
    let mut asked = 0;
    for (method, path, body, may) in endpoints(&team) {
        for (name, ..) in CALLERS {
            let answer = running.ask(method, &path, Some(&team.token(name)), &body);
            let expected = if may.contains(&name) { 200 } else { 403 };
            assert_eq!(answer.status, expected, "{name} {method} {path}: {}", answer.text());
            asked += 1;
        }
        for (why, headers) in strangers(&team) {
            let answer = running.ask_with(method, &path, &headers, &body);
            assert_eq!((answer.status, answer.code().as_str()), (401, "PERMISSION_DENIED"), "{why} {path}");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
            asked += 1;
        }
    }
    // what is not there is not told to strangers either
    for path in
        ["/", "/lock", "/index.sqlite", "/../log.pem", "/tile/0/../../log.pem", "/bodies/%2e%2e/x", "/v2/records"]
    {
        assert_eq!(running.ask("GET", path, None, b"").status, 401, "{path}");
        assert_eq!(running.ask("GET", path, Some(&team.token("everything")), b"").status, 404, "{path}");
    }
    assert_eq!(running.ask("DELETE", "/checkpoint", Some(&team.token("everything")), b"").status, 405);
    // and health is for everybody
    for path in ["/healthz", "/readyz"] {
        assert_eq!(running.ask("GET", path, None, b"").status, 200);
    }
    assert_eq!(asked, 13 * (CALLERS.len() + strangers(&team).len()));
    running.stop();
    assert!(team.folder().audit().unwrap().is_clean());
}

/// Everybody who is nobody, by the headers they send.
fn strangers(team: &Team) -> Vec<(&'static str, String)> {
    let good = team.claims("everything");
    let now = team.now().unix_seconds();
    let (header, past, future) = (r#"{"alg":"EdDSA","kid":"key-1"}"#, now - 1, now + 3600);
    let ours = |header: &str, claims: &str| jwt(header, claims, |signed| pair(1).sign(signed).as_ref().to_vec());
    let expired = good.replace(&format!("\"exp\":{}", now + 300), &format!("\"exp\":{past}"));
    let x = pair(1).public_key().as_ref().to_vec();
    let hs256 = |key: &[u8]| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        jwt(r#"{"alg":"HS256","kid":"key-1"}"#, &good, |signed| hmac::sign(&key, signed).as_ref().to_vec())
    };
    let tokens = vec![
        ("an expired token", ours(header, &expired)),
        ("a token of later", ours(header, &good.replace("\"iat\"", &format!("\"nbf\":{future},\"iat\"")))),
        ("a token for others", ours(header, &good.replace("ledger.example", "other.example"))),
        ("a token of another issuer", ours(header, &good.replace(ISSUER, OTHER_ISSUER))),
        ("a token of nobody", ours(header, &good.replace("job:everything", "job:stranger"))),
        ("a token of another repository", ours(header, &good.replace("\"shop\"", "\"fork\""))),
        ("a token without a signature", jwt(r#"{"alg":"none","kid":"key-1"}"#, &good, |_| Vec::new())),
        ("a token of alg none", ours(r#"{"alg":"none","kid":"key-1"}"#, &good)),
        ("a token signed with the public key", hs256(&x)),
        ("a token signed with the public key, as text", hs256(URL_SAFE_NO_PAD.encode(&x).as_bytes())),
        ("a token of an unknown key", ours(r#"{"alg":"EdDSA","kid":"key-9"}"#, &good)),
        ("a token without a key", ours(r#"{"alg":"EdDSA"}"#, &good)),
        (
            "a token that brings its key",
            jwt(&format!(r#"{{"alg":"EdDSA","kid":"key-1","jwk":{}}}"#, jwk_of(9)), &good, |s| {
                pair(9).sign(s).as_ref().to_vec()
            }),
        ),
        (
            "the other issuer's key",
            jwt(r#"{"alg":"EdDSA","kid":"key-2"}"#, &good, |signed| pair(2).sign(signed).as_ref().to_vec()),
        ),
        ("a changed token", ours(header, &good).replacen('e', "f", 1)),
        ("no token at all", "x".to_owned()),
    ];
    let mut all: Vec<_> = tokens.into_iter().map(|(why, t)| (why, format!("Authorization: Bearer {t}\r\n"))).collect();
    let token = ours(header, &good);
    all.push(("nothing", String::new()));
    all.push(("basic authentication", "Authorization: Basic YTpi\r\n".to_owned()));
    all.push(("two tokens", format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n")));
    all.push(("a token in another header", format!("X-Authorization: Bearer {token}\r\n")));
    all.push(("a certificate that a header claims", "X-Client-Cert: CN=everything\r\n".to_owned()));
    all
}

fn jwk_of(seed: u8) -> String {
    let x = URL_SAFE_NO_PAD.encode(pair(seed).public_key().as_ref());
    format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"key-1","x":"{x}"}}"#)
}

#[test]
fn an_issuer_with_rsa_keys_is_believed_by_the_algorithm_it_names_alone() {
    let team = Team::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = PublicKeyComponents::<Vec<u8>>::from(rsa.public_key());
    let jwks = format!(
        r#"{{"keys":[{{"kty":"RSA","kid":"rsa","alg":"RS256","n":"{}","e":"{}"}}]}}"#,
        URL_SAFE_NO_PAD.encode(&public.n),
        URL_SAFE_NO_PAD.encode(&public.e)
    );
    std::fs::write(team.dir().join("keys.json"), jwks).unwrap();
    let running = team.start();
    let signed = |alg: &str, by: &'static dyn signature::RsaEncoding| {
        jwt(&format!(r#"{{"alg":"{alg}","kid":"rsa"}}"#), &team.claims("build"), |bytes| {
            let mut out = vec![0; rsa.public_modulus_len()];
            rsa.sign(by, &aws_lc_rs::rand::SystemRandom::new(), bytes, &mut out).unwrap();
            out
        })
    };
    let ask = |token: &str| running.ask("GET", "/checkpoint", Some(token), b"").status;
    assert_eq!(ask(&signed("RS256", &signature::RSA_PKCS1_SHA256)), 200);
    assert_eq!(ask(&signed("RS384", &signature::RSA_PKCS1_SHA384)), 401);
    assert_eq!(ask(&signed("PS256", &signature::RSA_PSS_SHA256)), 401);
    assert_eq!(ask(&signed("RS256", &signature::RSA_PKCS1_SHA512)), 401);
    // the well-known confusion: the public key, which everybody has, as a shared secret
    for secret in [public.n.clone(), URL_SAFE_NO_PAD.encode(&public.n).into_bytes()] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let token =
            jwt(r#"{"alg":"HS256","kid":"rsa"}"#, &team.claims("build"), |s| hmac::sign(&key, s).as_ref().to_vec());
        assert_eq!(ask(&token), 401);
    }
}

#[test]
fn s008_a_deployers_credential_writes_deployments_and_nothing_else() {
    let mut team = Team::new();
    let running = team.start();
    let before = team.folder().size();
    let token = team.token("deploy");
    let deployment = deployment(&mut team);
    let provenance = {
        // signed by the builder, entitled by the trust policy: only the submitter is wrong
        let statement = crate::small::of(crate::team::NOTE, b"x", &serde_json::json!({}));
        team.signed("records", &statement)
    };
    for (records, what) in [
        (vec![provenance.clone()], "another type"),
        (vec![deployment.clone(), provenance.clone()], "another type beside a deployment"),
    ] {
        let answer = running.ask("POST", "/v1/records", Some(&token), &submission(&records));
        assert_eq!((answer.status, answer.code().as_str()), (403, "APPEND_REFUSED"), "{what}: {}", answer.text());
        assert_eq!(team.folder().size(), before, "{what}");
    }
    // the record's own words and the caller's do not help
    let answer = running.ask_with(
        "POST",
        "/v1/records",
        &format!("Authorization: Bearer {token}\r\nX-Submitter: ci-build\r\n"),
        &submission(std::slice::from_ref(&provenance)),
    );
    assert_eq!(answer.status, 403);
    let answer = running.ask("POST", "/v1/records", Some(&token), &submission(&[deployment]));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(team.folder().size(), before + 1);
    // and the builder's writes no deployment
    let mut other = deployment_of(&mut team, 2);
    let answer =
        running.ask("POST", "/v1/records", Some(&team.token("build")), &submission(&[std::mem::take(&mut other)]));
    assert_eq!((answer.status, answer.code().as_str()), (403, "APPEND_REFUSED"));
    let answer = running.ask("POST", "/v1/records", Some(&team.token("build")), &submission(&[provenance]));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn deployment(team: &mut Team) -> Vec<u8> {
    deployment_of(team, 1)
}

fn deployment_of(team: &mut Team, number: u32) -> Vec<u8> {
    let mut deploy = team.world.deployment(&artifact(), &dev());
    deploy.deployment_id = format!("{}/{number}", deploy.deployment_id);
    // signed as the library signs one, in a copy of the ledger that nobody submits to
    let copy = team.dir().join(format!("copy-{number}"));
    crate::small::copy(&team.world.folder(), &copy);
    let anchors = sealwright::ledger::Anchors::in_folder(team.dir().join(format!("copy-state-{number}")));
    let ledger = sealwright::ledger::Ledger::open(&copy, &anchors, &sealwright::ledger::Pins::none()).unwrap();
    let mut ledger = ledger.with_log_key(team.world.log_key()).unwrap().with_submitter("ci-deploy");
    let now = team.now();
    let recorded =
        sealwright::release::deploy(&mut ledger, deploy, None, None, &team.world.keys["deployer"], now).unwrap();
    ledger.record(recorded.receipt.index).unwrap().verified.record().to_vec()
}

#[test]
fn a_trust_policy_without_writers_lets_a_sequencer_take_nothing() {
    let team = Team::with_policy(|policy| policy.writers.clear());
    let running = team.start();
    let answer = running.ask("POST", "/v1/records", Some(&team.token("everything")), &submission(&[team.note("x")]));
    assert_eq!((answer.status, answer.code().as_str()), (403, "APPEND_REFUSED"), "{}", answer.text());
    assert!(team.log.lines().iter().any(|line| line["event"] == "no-writers"));
}

#[test]
fn a_token_that_two_callers_could_show_is_nobodys() {
    let team = Team::new();
    let double = format!(
        "[[caller]]\nname = \"double\"\nroles = [\"auditor\"]\ntoken = {{ issuer = \"{ISSUER}\", subject = \"job:build\" }}\n"
    );
    let running = team.start_with(&Team::config("", &double));
    assert_eq!(running.ask("GET", "/checkpoint", Some(&team.token("build")), b"").status, 401);
    assert_eq!(running.ask("GET", "/checkpoint", Some(&team.token("deploy")), b"").status, 200);
}

#[test]
fn the_keys_of_an_issuer_are_fetched_when_a_new_one_is_shown_and_a_server_without_them_does_not_start() {
    let team = Team::new();
    let seed = std::sync::Arc::new(std::sync::atomic::AtomicU8::new(5));
    let served = std::sync::Arc::clone(&seed);
    let issuer = crate::loopback::Loopback::new(move |_| {
        (200, crate::team::jwks(served.load(std::sync::atomic::Ordering::Relaxed)).into_bytes())
    });
    let config =
        Team::config("", "").replace("keys-file = \"keys.json\"", &format!("keys-url = \"{}\"", issuer.url("/keys")));
    let running = team.start_with(&config);
    let token = |seed: u8| {
        let header = format!(r#"{{"alg":"EdDSA","kid":"key-{seed}"}}"#);
        jwt(&header, &team.claims("build"), |signed| pair(seed).sign(signed).as_ref().to_vec())
    };
    assert_eq!(running.ask("GET", "/checkpoint", Some(&token(5)), b"").status, 200);
    let before = issuer.asked().len();
    // unknown keys make the server ask again, and not more often than it may
    for _ in 0..5 {
        assert_eq!(running.ask("GET", "/checkpoint", Some(&token(6)), b"").status, 401);
    }
    assert!(issuer.asked().len() <= before + 1);
    running.stop();
    seed.store(6, std::sync::atomic::Ordering::Relaxed);
    let running = team.start_with(&config);
    assert_eq!(running.ask("GET", "/checkpoint", Some(&token(6)), b"").status, 200);
    running.stop();
    for (status, body) in [(404, b"{}".to_vec()), (200, b"<html>".to_vec()), (200, vec![b' '; 1 << 20])] {
        let broken = crate::loopback::Loopback::new(move |_| (status, body.clone()));
        let config = Team::config("", "")
            .replace("keys-file = \"keys.json\"", &format!("keys-url = \"{}\"", broken.url("/keys")));
        assert!(team.try_start(&config).is_err());
    }
}
