//! A signer command around a token, and cosign's key files with cosign.

use std::os::unix::fs::PermissionsExt as _;

use sealwright::digest::Digest;
use sealwright::key::read_public;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};
use serde_json::Value;

use crate::harness::{Services, ran_well};
use crate::sealed::Sealed;

const PASSPHRASE: &str = "correct horse";

#[test]
#[ignore = "needs make test-services"]
fn s020_a_planted_key_behind_a_command_signs_a_record_and_only_its_digest_leaves() {
    for curve in ["p256", "p384"] {
        let services = Services::from_env();
        let planted = services.text(&format!("/pkcs11/planted/{curve}")).to_owned();
        let script = services.write(
            "sign",
            format!(
                "#!/bin/bash\nset -e\ntee -a asked | sed 's/.*\"digest\":\"\\([0-9a-f]*\\)\".*/\\1/' | xxd -r -p > digest\n\
                 openssl pkeyutl -sign -inkey {planted} -in digest | base64\n"
            ),
        );
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let sealed = Sealed {
            services: &services,
            reference: "planted.pub".to_owned(),
            flags: vec!["--signer-command".to_owned(), "./sign".to_owned()],
            environment: Vec::new(),
        };
        let digest = sealed.signs(&planted);
        let asked = String::from_utf8(services.read("asked")).unwrap();
        let asked: Vec<Value> = asked.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(asked.len(), 2, "the record and the file: {asked:?}");
        assert_eq!(asked[0]["digest"], hex::encode(digest));
    }
}

#[test]
#[ignore = "needs make test-services"]
fn cosign_opens_our_key_files_and_we_open_its() {
    let services = Services::from_env();
    let ours = |line: &str| {
        let mut command = services.command(env!("CARGO_BIN_EXE_sealwright"));
        ran_well(command.args(line.split_whitespace()).env("SEALWRIGHT_PASSPHRASE", PASSPHRASE)).out
    };
    let cosign = |line: &str| {
        let mut command = services.command(services.text("/cosign"));
        ran_well(command.args(line.split_whitespace()).env("COSIGN_PASSWORD", PASSPHRASE)).out
    };
    for key_type in ["p256", "p384", "ed25519"] {
        ours(&format!("key generate --type {key_type} --format cosign --out {key_type}.key"));
        let public = ours(&format!("key public {key_type}.key"));
        assert_eq!(cosign(&format!("public-key --key {key_type}.key")).trim(), public.trim());
    }
    cosign("generate-key-pair --output-key-prefix theirs");
    assert_eq!(ours("key public theirs.key").into_bytes(), services.read("theirs.pub"));
    ours("key import theirs.key --out pkcs8.pem --no-passphrase");
    cosign("import-key-pair --key pkcs8.pem --output-key-prefix again");
    assert_eq!(services.read("again.pub"), services.read("theirs.pub"));
}

#[test]
#[ignore = "needs make test-services"]
fn what_cosign_signs_with_a_key_file_of_ours_verifies_here() {
    let services = Services::from_env();
    services.write("app", "what was built\n");
    for key_type in ["p256", "p384"] {
        let mut generate = services.command(env!("CARGO_BIN_EXE_sealwright"));
        let line = format!("key generate --type {key_type} --format cosign --out {key_type}.key");
        ran_well(generate.args(line.split(' ')).env("SEALWRIGHT_PASSPHRASE", PASSPHRASE));
        let mut public = services.command(env!("CARGO_BIN_EXE_sealwright"));
        let public =
            public.args(["key", "public", &format!("{key_type}.key")]).env("SEALWRIGHT_PASSPHRASE", PASSPHRASE);
        services.write("key.pub", ran_well(public).out);
        let line = format!(
            "sign-blob app --key {key_type}.key --bundle app.json --yes --use-signing-config=false --tlog-upload=false"
        );
        let mut sign = services.command(services.text("/cosign"));
        ran_well(sign.args(line.split(' ')).env("COSIGN_PASSWORD", PASSPHRASE));

        let key = read_public(&services.path("key.pub")).unwrap();
        let verifier = Verifier::new(TrustRoot::new().with_key("cosign", key, Window::ALWAYS).unwrap());
        let at = "2026-01-01T00:00:00Z".parse().unwrap();
        let verify = |blob: &[u8]| {
            let artifact = Artifact::Is(Digest::sha256(blob));
            let expectation = Expectation::new(artifact, Identity::Key("cosign".into()), at);
            verifier.verify_blob(&services.read("app.json"), Blob::Bytes(blob), &expectation).map(|_| ())
        };
        verify(b"what was built\n").unwrap();
        assert_eq!(verify(b"what was not built\n").unwrap_err().code(), "DIGEST_MISMATCH");
    }
}
