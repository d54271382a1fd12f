//! Keyless signing with Fulcio, Rekor v2 and a timestamp authority, verified by us and by others.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use sealwright::ci::Environment;
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::keyless::{
    AUDIENCE, LogVersion, RootArchive, RootSource, Services as Signers, Token, ambient_token, sign_blob,
    sign_statement, timestamp,
};
use sealwright::signer;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, CertificateIdentity, Expectation, Extension, Identity, Verifier};

use crate::harness::{Services, Who, ran, ran_well};
use crate::loopback::Loopback;
use crate::peers::{Content, PEERS, statement};

const FILE: &[u8] = b"what was built\n";

pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap()).unwrap()
}

/// When what was signed just now is verified: clocks differ by parts of a second.
pub(crate) fn soon() -> Timestamp {
    now().plus_millis(60_000)
}

fn trust(services: &Services) -> TrustRoot {
    TrustRoot::new().with_sigstore(&services.file("/trusted_root")).unwrap()
}

fn signers(services: &Services) -> Signers {
    Signers::from_signing_config(&services.file("/signing_config"), now()).unwrap()
}

fn token(services: &Services, who: Who) -> Token {
    Token::parse(&services.token(who)).unwrap()
}

fn identity(services: &Services, who: Who) -> CertificateIdentity {
    CertificateIdentity::new(services.subject(who), services.issuer(who))
}

fn stated() -> Statement {
    Statement::parse(statement("file", FILE).into_bytes()).unwrap()
}

fn sign(signers: &Signers, token: &Token, trust: &TrustRoot, content: Content) -> sealwright::Result<Vec<u8>> {
    match content {
        Content::Blob => sign_blob(&Digest::sha256(FILE), signers, token, trust, now()),
        Content::Statement => sign_statement(&stated(), signers, token, trust, now()),
    }
}

/// An address where nothing listens.
pub(crate) fn nowhere() -> String {
    format!("http://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

#[test]
#[ignore = "needs make test-services"]
fn what_we_sign_without_a_key_each_peer_verifies_and_refuses_for_another_file_identity_or_issuer() {
    for content in [Content::Blob, Content::Statement] {
        for who in [Who::Person, Who::Workflow] {
            let services = Services::from_env();
            let bundle = sign(&signers(&services), &token(&services, who), &trust(&services), content).unwrap();
            services.write("bundle", &bundle);
            services.write("file", FILE);
            services.write("other", b"what was not built\n");
            let (subject, issuer) = (services.subject(who), services.issuer(who));
            for peer in PEERS {
                let verify = |file, subject, issuer| peer.verify(&services, content, "bundle", file, (subject, issuer));
                let good = verify("file", &subject, &issuer);
                assert!(good.ok, "{content:?} of {who:?} by {peer:?}: {} {}", good.out, good.err);
                assert!(!verify("other", &subject, &issuer).ok, "{peer:?} took another file");
                assert!(!verify("file", "mallory@example.org", &issuer).ok, "{peer:?} took another subject");
                assert!(!verify("file", &subject, "https://issuer.example.net").ok, "{peer:?} took another issuer");
            }
        }
    }
}

#[test]
#[ignore = "needs make test-services"]
fn s019_what_the_authorised_workflow_signed_verifies_and_that_of_another_does_not() {
    let services = Services::from_env();
    let (signers, trust) = (signers(&services), trust(&services));
    let record = sign(&signers, &token(&services, Who::Workflow), &trust, Content::Statement).unwrap();
    let verify = |identity: CertificateIdentity| {
        let expectation =
            Expectation::new(Artifact::Is(Digest::sha256(FILE)), identity.into(), soon()).require_timestamps(1);
        Verifier::new(trust.clone()).verify(&record, &expectation.require_log_entries(1))
    };
    let workflow = || identity(&services, Who::Workflow);
    let repository = (Extension::SourceRepositoryUri, "https://github.com/example/shop");
    let verified = verify(workflow().require_extension(repository.0, repository.1)).unwrap();
    assert_eq!(verified.value().payload(), stated().payload());
    assert!(verified.signed_at().is_some());
    let mallory = CertificateIdentity::new(
        "https://github.com/mallory/shop/.github/workflows/release.yml@refs/heads/main",
        services.issuer(Who::Workflow),
    );
    for other in [
        mallory,
        workflow().require_extension(repository.0, "https://github.com/mallory/shop"),
        identity(&services, Who::Person),
    ] {
        assert_eq!(verify(other).unwrap_err().code(), "UNTRUSTED_SIGNER");
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_blob_that_was_signed_without_a_key_verifies_by_its_digest() {
    let services = Services::from_env();
    let (signers, trust) = (signers(&services), trust(&services));
    let bundle = sign(&signers, &token(&services, Who::Person), &trust, Content::Blob).unwrap();
    let verify = |file: &[u8]| {
        let expectation = Expectation::of_signer(identity(&services, Who::Person).into(), soon());
        Verifier::new(trust.clone()).verify_blob(&bundle, Blob::Bytes(file), &expectation)
    };
    let verified = verify(FILE).unwrap();
    assert_eq!(verified.log_entries().len(), 1);
    assert_eq!(verified.timestamps().len(), 1);
    assert!(verify(b"another").is_err());
}

#[test]
#[ignore = "needs make test-services"]
fn a_token_for_another_audience_or_an_expired_one_makes_no_signature() {
    let services = Services::from_env();
    let (own, trust) = (signers(&services), trust(&services));
    let code = |signers: &Signers, query: &str| {
        let token = Token::parse(&services.token_of(query)).unwrap();
        sign(signers, &token, &trust, Content::Blob).unwrap_err().code()
    };
    assert_eq!(code(&own, "identity=ci&audience=other"), "API_MISUSE");
    assert_eq!(code(&own, "identity=ci&expires=-5"), "EXPIRED");
    // and if we did not look, the certificate authority does
    assert_eq!(code(&own.clone().with_audience("other"), "identity=ci&audience=other"), "SIGNER_FAILED");
}

#[test]
#[ignore = "needs make test-services"]
fn whichever_service_is_down_nothing_is_signed() {
    let services = Services::from_env();
    let (fulcio, rekor, tsa) = (services.text("/fulcio"), services.text("/rekor"), services.text("/tsa"));
    let gone = nowhere();
    for (fulcio, rekor, tsa) in
        [(gone.as_str(), rekor, tsa), (fulcio, gone.as_str(), tsa), (fulcio, rekor, gone.as_str())]
    {
        let signers = Signers::new(fulcio, rekor, LogVersion::V2).unwrap().with_timestamp_authority(tsa).unwrap();
        let e = sign(&signers, &token(&services, Who::Person), &trust(&services), Content::Blob).unwrap_err();
        assert_eq!(e.code(), "SERVICE_UNAVAILABLE", "{fulcio} {rekor} {tsa}: {e}");
    }
}

#[test]
#[ignore = "needs make test-services"]
fn what_does_not_verify_against_the_trusted_root_is_not_given_out() {
    let services = Services::from_env();
    let public_good = TrustRoot::public_good().unwrap();
    for trust in [public_good, TrustRoot::new()] {
        for content in [Content::Blob, Content::Statement] {
            let e = sign(&signers(&services), &token(&services, Who::Person), &trust, content).unwrap_err();
            assert!(e.kind().is_refusal(), "{e:?}");
        }
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_token_that_a_runner_or_a_machine_asks_for_signs() {
    let services = Services::from_env();
    let url = services.text("/oidc/google_metadata_url");
    let host = url.trim_start_matches("http://").split('/').next().unwrap();
    let github = [
        ("GITHUB_ACTIONS", "true"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", services.text("/oidc/github_request_url")),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", services.text("/oidc/github_request_token")),
    ];
    for variables in [&github[..], &[("GCE_METADATA_HOST", host)]] {
        let token = ambient_token(&variables.iter().copied().collect::<Environment>(), AUDIENCE).unwrap().unwrap();
        sign(&signers(&services), &token, &trust(&services), Content::Statement).unwrap();
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_record_signed_with_a_key_gets_a_timestamp_of_an_authority_that_is_believed() {
    let services = Services::from_env();
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let record = signer::sign(&stated(), &key).unwrap().to_json();
    let trust = trust(&services).with_key("ci", key.public().clone(), Window::ALWAYS).unwrap();
    let stamped = timestamp(&record, services.text("/tsa"), &trust).unwrap();
    let verify = |record: &[u8]| {
        let expectation = Expectation::new(Artifact::Is(Digest::sha256(FILE)), Identity::key("ci"), soon());
        Verifier::new(trust.clone()).verify(record, &expectation.require_timestamps(1))
    };
    assert_eq!(verify(&stamped).unwrap().timestamps().len(), 1);
    assert_eq!(verify(&record).unwrap_err().code(), "BAD_TIMESTAMP");
    let stranger = timestamp(&record, services.text("/tsa"), &TrustRoot::public_good().unwrap()).unwrap_err();
    assert_eq!(stranger.code(), "BAD_TIMESTAMP");
    assert_eq!(timestamp(&record, &nowhere(), &trust).unwrap_err().code(), "SERVICE_UNAVAILABLE");
}

#[test]
#[ignore = "needs make test-services"]
fn the_command_says_what_it_makes_known_then_signs_and_writes_nothing_if_a_service_is_down() {
    let services = Services::from_env();
    services.write("predicate", "{}");
    services.write("file", FILE);
    let token = services.write("token", services.token(Who::Person));
    let mut config = String::from_utf8(services.file("/signing_config")).unwrap();
    let sign = |config: &str, out: &str| {
        let config = services.write("config", config);
        let mut command = services.command(env!("CARGO_BIN_EXE_sealwright"));
        command.args(["attest", "scai", "--subject", "file", "--predicate", "predicate", "--keyless", "--out", out]);
        command.arg("--identity-token-file").arg(&token).arg("--signing-config").arg(config);
        command.args(["--trusted-root", services.text("/trusted_root")]);
        command
    };
    services.write("predicate", r#"{"attributes":[{"attribute":"WITH_STACK_PROTECTION"}]}"#);
    let good = ran_well(&mut sign(&config, "record"));
    assert!(good.err.contains("release@example.org"), "{}", good.err);
    assert!(!services.read("record").is_empty());
    config = config.replace(services.text("/rekor"), &nowhere());
    let down = ran(&mut sign(&config, "none"));
    assert!(!down.ok && down.err.contains("SERVICE_UNAVAILABLE"), "{}", down.err);
    assert!(!services.path("none").exists());
}

#[test]
#[ignore = "needs make test-services"]
fn the_command_signs_a_file_without_a_key_and_has_what_a_key_signed_timestamped() {
    let services = Services::from_env();
    services.write("file", FILE);
    services.write("predicate", r#"{"attributes":[{"attribute":"WITH_STACK_PROTECTION"}]}"#);
    services.write("token", services.token(Who::Person));
    let (root, tsa) = (services.text("/trusted_root"), services.text("/tsa"));
    let run = |line: &str| {
        let mut command = services.command(env!("CARGO_BIN_EXE_sealwright"));
        command.args(line.split_whitespace());
        command
    };
    let code = |line: &str| {
        let answer: serde_json::Value = serde_json::from_str(&ran(&mut run(&format!("{line} --json"))).out).unwrap();
        answer["error"]["code"].as_str().unwrap_or("good").to_owned()
    };
    let config = services.text("/signing_config");
    let keyless = format!("--identity-token-file token --signing-config {config} --trusted-root {root}");
    ran_well(&mut run(&format!("sign file --keyless {keyless} --bundle keyless")));
    let (subject, issuer) = (services.subject(Who::Person), services.issuer(Who::Person));
    let verify = format!("verify file --bundle keyless --issuer {issuer} --trusted-root {root}");
    assert_eq!(code(&format!("{verify} --identity {subject} --timestamps 1")), "good");
    assert_eq!(code(&format!("{verify} --identity mallory@example.org")), "UNTRUSTED_SIGNER");

    ran_well(&mut run("key generate --type p256 --out key.pem --no-passphrase"));
    let public = ran_well(&mut run("key public key.pem"));
    services.write("key.pub", public.out);
    for (name, sign) in [
        ("blob", "sign file --key key.pem --bundle"),
        ("record", "attest scai --subject file --predicate predicate --key key.pem --out"),
    ] {
        ran_well(&mut run(&format!("{sign} plain-{name}")));
        ran_well(&mut run(&format!("{sign} {name} --timestamp {tsa} --trusted-root {root}")));
        let verify = format!("verify file --key key.pub --trusted-root {root} --timestamps 1 --bundle");
        assert_eq!(code(&format!("{verify} {name}")), "good", "{name}");
        assert_eq!(code(&format!("{verify} plain-{name}")), "BAD_TIMESTAMP", "{name}");
        // an authority that is not believed, and one that is not there
        assert_eq!(code(&format!("{sign} none --timestamp {tsa}")), "BAD_TIMESTAMP", "{name}");
        let gone = nowhere();
        assert_eq!(code(&format!("{sign} none --timestamp {gone} --trusted-root {root}")), "SERVICE_UNAVAILABLE");
        assert!(!services.path("none").exists());
    }
}

#[test]
#[ignore = "needs make test-services"]
fn the_conformance_client_verifies_what_it_signed() {
    let services = Services::from_env();
    services.write("file", FILE);
    services.write("statement", statement("file", FILE));
    let (subject, issuer) = (services.subject(Who::Person), services.issuer(Who::Person));
    for (what, in_toto) in [("file", &[][..]), ("statement", &["--in-toto"])] {
        let token = services.token(Who::Person);
        let mut sign = services.command(conformance());
        sign.arg("sign-bundle").args(in_toto).args(["--identity-token", &token, "--bundle", "bundle"]);
        sign.args(["--trusted-root", services.text("/trusted_root")]);
        ran_well(sign.args(["--signing-config", services.text("/signing_config"), what]));
        let verify = |issuer: &str, artifact: &str| -> Command {
            let mut verify = services.command(conformance());
            verify.args(["verify-bundle", "--bundle", "bundle", "--certificate-identity", &subject]);
            verify.args([
                "--certificate-oidc-issuer",
                issuer,
                "--trusted-root",
                services.text("/trusted_root"),
                artifact,
            ]);
            verify
        };
        ran_well(&mut verify(&issuer, "file"));
        ran_well(&mut verify(&issuer, &Digest::sha256(FILE).to_string()));
        assert!(!ran(&mut verify("https://issuer.example.net", "file")).ok);
        assert!(!ran(&mut verify(&issuer, "token")).ok);
    }
}

/// The example, which Cargo builds beside the tests.
fn conformance() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.join("examples/conformance")
}

#[test]
#[ignore = "needs make test-services"]
fn roots_come_from_a_repository_that_python_tuf_wrote_and_rotated() {
    let services = Services::from_env();
    let written = services.path("written");
    let mut python = services.command(services.text("/python"));
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/tuf_repository.py")).arg(&written);
    ran_well(python.args([services.text("/trusted_root"), services.text("/signing_config")]));
    let pinned = std::fs::read(written.join("1.root.json")).unwrap();
    let server = Loopback::new(move |request| {
        let file = std::fs::read(written.join(request.line.trim_start_matches("GET /")));
        file.map_or((404, Vec::new()), |bytes| (200, bytes))
    });
    let archive = RootArchive::at(services.path("archive"));
    let (root, new) = archive.refresh(&RootSource::new(server.url("/"), pinned), now()).unwrap();
    assert!(new && root.bytes == services.file("/trusted_root"));

    let trust = TrustRoot::new().with_sigstore(&archive.trusted_root().unwrap()).unwrap();
    let signers = Signers::from_signing_config(&archive.signing_config().unwrap(), now()).unwrap();
    sign(&signers, &token(&services, Who::Person), &trust, Content::Blob).unwrap();
}
