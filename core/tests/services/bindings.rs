//! The bindings and the command, each signing without a key and verifying what the others signed.

use std::path::{Path, PathBuf};
use std::process::Command;

use sealwright::digest::Digest;
use sealwright::key::read_private;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, CertificateIdentity, Expectation, Identity, Verifier};
use serde_json::{Value, json};

use crate::harness::{Services, Who, ran, ran_with_input};
use crate::keyless::{nowhere, soon};
use crate::peers::{Content, statement};
use crate::planted::Planted;

const FILE: &[u8] = b"what was built\n";

/// A way to the library.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ours {
    Rust,
    Command,
    Python,
    Node,
}

const OURS: [Ours; 4] = [Ours::Rust, Ours::Command, Ours::Python, Ours::Node];
pub(crate) const BINDINGS: [Ours; 2] = [Ours::Python, Ours::Node];

impl Ours {
    /// The script of this binding.
    pub(crate) fn script(self, services: &Services) -> Command {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let (program, script) = match self {
            Self::Python => (root.join("../bindings/python/.venv/bin/python"), "tests/services/ours.py"),
            _ => (PathBuf::from(services.text("/node")), "tests/services/ours.mjs"),
        };
        let mut command = services.command(program);
        command.arg(root.join(script));
        command
    }

    /// Signs `file` in the test's folder into `bundle` there, by what `given` says of a token; otherwise gives the code.
    fn sign(self, services: &Services, content: Content, given: &Value, bundle: &str) -> Result<(), String> {
        let (kind, of) = if content == Content::Blob { ("blob", "file") } else { ("statement", "statement") };
        let mut input = json!({
            "trustedRoot": services.text("/trusted_root"),
            "signingConfig": services.text("/signing_config"),
        });
        input.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        let mut script = self.script(services);
        let ran = ran_with_input(script.args(["sign", kind, of, bundle]), input.to_string().as_bytes());
        if ran.ok { Ok(()) } else { Err(format!("{}{}", ran.out.trim(), ran.err)) }
    }

    /// Nothing, or the code with which it refuses `bundle` for `file`, of this subject and issuer.
    fn verify(
        self,
        services: &Services,
        content: Content,
        (bundle, file): (&str, &str),
        (subject, issuer): (&str, &str),
    ) -> Result<(), String> {
        let root = services.text("/trusted_root");
        match self {
            Self::Rust => {
                let verifier = Verifier::new(TrustRoot::new().with_sigstore(&services.file("/trusted_root")).unwrap());
                let identity = CertificateIdentity::new(subject, issuer).into();
                let demand = Expectation::of_signer(identity, soon()).require_log_entries(1).require_timestamps(1);
                let (bundle, file) = (services.read(bundle), services.read(file));
                let artifact = Artifact::Is(Digest::sha256(&file));
                match content {
                    Content::Blob => verifier.verify_blob(&bundle, Blob::Bytes(&file), &demand).map(|_| ()),
                    Content::Statement => verifier.verify(&bundle, &demand.require_artifact(artifact)).map(|_| ()),
                }
                .map_err(|e| e.code().to_owned())
            }
            Self::Command => {
                let mut command = services.command(env!("CARGO_BIN_EXE_sealwright"));
                command.args(["verify", file, "--bundle", bundle, "--identity", subject, "--issuer", issuer]);
                let ran = ran(command.args(["--trusted-root", root, "--timestamps", "1", "--json"]));
                let answer: Value = serde_json::from_str(&ran.out).unwrap();
                let code = answer["error"]["code"].as_str().map(str::to_owned);
                assert_eq!(ran.ok, code.is_none(), "{}{}", ran.out, ran.err);
                code.map_or(Ok(()), Err)
            }
            Self::Python | Self::Node => {
                let kind = if content == Content::Blob { "blob" } else { "statement" };
                let ran = ran(self.script(services).args(["verify", kind, bundle, file, subject, issuer, root]));
                if ran.ok { Ok(()) } else { Err(format!("{}{}", ran.out.trim(), ran.err)) }
            }
        }
    }
}

fn services() -> Services {
    let services = Services::from_env();
    services.write("file", FILE);
    services.write("other", b"what was not built\n");
    services.write("statement", statement("file", FILE));
    services
}

#[test]
#[ignore = "needs make test-services"]
fn what_each_binding_signs_without_a_key_all_of_ours_verify_and_refuse_with_the_same_code() {
    let mut pairs = 0;
    for content in [Content::Blob, Content::Statement] {
        for signer in BINDINGS {
            let (services, who) = (services(), if content == Content::Blob { Who::Person } else { Who::Workflow });
            signer.sign(&services, content, &json!({ "token": services.token(who) }), "bundle").unwrap();
            let (subject, issuer) = (services.subject(who), services.issuer(who));
            for verifier in OURS {
                let verify = |file, subject: &str, issuer: &str| {
                    verifier.verify(&services, content, ("bundle", file), (subject, issuer))
                };
                assert_eq!(verify("file", &subject, &issuer), Ok(()), "{content:?} of {signer:?} by {verifier:?}");
                for (file, subject, issuer, code) in [
                    ("other", subject.as_str(), issuer.as_str(), "DIGEST_MISMATCH"),
                    ("file", "mallory@example.org", &issuer, "UNTRUSTED_SIGNER"),
                    ("file", &subject, "https://issuer.example.net", "UNTRUSTED_SIGNER"),
                ] {
                    let found = verify(file, subject, issuer);
                    assert_eq!(found, Err(code.to_owned()), "{content:?} of {signer:?} by {verifier:?}");
                }
                pairs += 1;
            }
        }
    }
    assert_eq!(pairs, 16);
}

#[test]
#[ignore = "needs make test-services"]
fn a_binding_signs_by_the_token_of_its_surroundings() {
    let services = services();
    let environment = json!({ "environment": {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": services.text("/oidc/github_request_url"),
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": services.text("/oidc/github_request_token"),
    }});
    let (subject, issuer) = (services.subject(Who::Workflow), services.issuer(Who::Workflow));
    for binding in BINDINGS {
        binding.sign(&services, Content::Statement, &environment, "bundle").unwrap();
        let found = Ours::Rust.verify(&services, Content::Statement, ("bundle", "file"), (&subject, &issuer));
        assert_eq!(found, Ok(()), "{binding:?}");
    }
}

#[test]
#[ignore = "needs make test-services"]
fn s020_a_binding_signs_with_a_planted_key_that_is_elsewhere_and_no_private_byte_leaves() {
    let services = services();
    let text = |pointer: &str| services.text(pointer);
    let token = format!("pkcs11:token={};object=p256?module-path={}", text("/pkcs11/token"), text("/pkcs11/module"));
    let aws = format!("awskms:///{}", text("/kms/keys/p256"));
    let vault =
        json!({ "address": text("/vault/address"), "token": text("/vault/token"), "mount": text("/vault/mount") });
    for (reference, planted, access) in [
        (token.as_str(), "/pkcs11/planted/p256", json!({ "pin": text("/pkcs11/pin") })),
        (aws.as_str(), "/kms/planted/p256", json!({})),
        ("hashivault://planted", "/vault/planted", json!({ "vault": vault })),
    ] {
        let planted = Planted::of(read_private(Path::new(text(planted)), None).unwrap());
        let root = TrustRoot::new().with_key("planted", planted.key.public().clone(), Window::ALWAYS).unwrap();
        for binding in BINDINGS {
            let seal = |reference: &str, access: &Value| {
                let mut script = binding.script(&services);
                script.env("SOFTHSM2_CONF", text("/pkcs11/conf")).env("AWS_EC2_METADATA_DISABLED", "true");
                script.env("AWS_ENDPOINT_URL", text("/kms/endpoint")).env("AWS_REGION", text("/kms/region"));
                script.env("AWS_ACCESS_KEY_ID", text("/kms/access_key_id"));
                script.env("AWS_SECRET_ACCESS_KEY", text("/kms/secret_access_key"));
                let input = json!({ "access": access }).to_string();
                ran_with_input(script.args(["seal", reference, "file", "sealed"]), input.as_bytes())
            };
            let ran = seal(reference, &access);
            assert!(ran.ok, "{binding:?} {reference}: {}{}", ran.out, ran.err);
            let bundle = services.read("sealed");
            let demand = Expectation::of_signer(Identity::key("planted"), soon());
            Verifier::new(root.clone()).verify_blob(&bundle, Blob::Bytes(FILE), &demand).unwrap();
            planted.assert_absent("the bundle", &bundle);
            planted.assert_absent("what was printed", format!("{}{}", ran.out, ran.err).as_bytes());
        }
    }
    for binding in BINDINGS {
        let mut script = binding.script(&services);
        script.env("SOFTHSM2_CONF", text("/pkcs11/conf")).args(["seal", &token, "file", "none"]);
        let ran = ran_with_input(&mut script, json!({ "access": { "pin": "739104" } }).to_string().as_bytes());
        assert_eq!((ran.ok, ran.out.trim()), (false, "WRONG_PASSPHRASE"), "{binding:?}: {}", ran.err);
        assert!(!services.path("none").exists() && !ran.err.contains("739104"));
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_binding_makes_nothing_of_a_wrong_token_or_without_a_service() {
    let services = services();
    let token = services.token(Who::Person);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let config = String::from_utf8(services.file("/signing_config")).unwrap();
    let down = services.write("down", config.replace(services.text("/rekor"), &nowhere()));
    let stranger = json!({ "token": token, "trustedRoot": services.write("empty", r#"{
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1" }"#) });
    for binding in BINDINGS {
        for (given, code) in [
            (json!({ "token": "no token" }), "MALFORMED"),
            (json!({ "token": services.token_of("identity=ci&audience=other") }), "API_MISUSE"),
            (json!({ "token": services.token_of("identity=ci&expires=-5") }), "EXPIRED"),
            (json!({ "token": forged }), "SIGNER_FAILED"),
            (json!({ "token": token, "signingConfig": down }), "SERVICE_UNAVAILABLE"),
            (stranger.clone(), "UNTRUSTED_CERTIFICATE"),
        ] {
            let found = binding.sign(&services, Content::Blob, &given, "bundle");
            assert_eq!(found, Err(code.to_owned()), "{binding:?} {given}");
            assert!(!services.path("bundle").exists());
        }
    }
}
