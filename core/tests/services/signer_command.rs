//! A signer command around a token, and cosign's key files with cosign.

use std::os::unix::fs::PermissionsExt as _;

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
        let asked: serde_json::Value = serde_json::from_slice(&services.read("asked")).unwrap();
        assert_eq!(asked["digest"], hex::encode(digest));
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
    ours("key import theirs.key --out pkcs8.pem");
    cosign("import-key-pair --key pkcs8.pem --output-key-prefix again");
    assert_eq!(services.read("again.pub"), services.read("theirs.pub"));
}
