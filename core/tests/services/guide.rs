//! The commands in docs/guide/signing.md that need a token or a service, run as they stand there.

use crate::harness::{Services, ran_well};

#[test]
#[ignore = "needs make test-services"]
fn the_commands_of_the_signing_guide_run_with_a_token_and_with_services() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/signing.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_sealwright")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    for (kind, variables) in [
        (
            "token",
            [("MODULE", "/pkcs11/module"), ("SOFTHSM2_CONF", "/pkcs11/conf"), ("SEALWRIGHT_PIN", "/pkcs11/pin")]
                .as_slice(),
        ),
        (
            "aws",
            &[
                ("KEY_ID", "/kms/keys/p256"),
                ("AWS_ENDPOINT_URL", "/kms/endpoint"),
                ("AWS_REGION", "/kms/region"),
                ("AWS_ACCESS_KEY_ID", "/kms/access_key_id"),
                ("AWS_SECRET_ACCESS_KEY", "/kms/secret_access_key"),
            ],
        ),
        ("vault", &[("VAULT_ADDR", "/vault/address"), ("VAULT_TOKEN", "/vault/token")]),
    ] {
        let services = Services::from_env();
        services.write("app", "what was built\n");
        let block = guide.split(&format!("```sh {kind}\n")).nth(1).unwrap().split("```").next().unwrap();
        let mut bash = services.command("bash");
        bash.args(["-euo", "pipefail", "-c", block]).env("PATH", &path);
        ran_well(bash.envs(variables.iter().map(|(name, pointer)| (name, services.text(pointer)))));
        assert!(services.path(&format!("app.{kind}.json")).exists(), "{kind}");
    }
}
