//! Ledgers encrypted under keys that cannot be taken out: AWS KMS, OpenBao's transit engine, a PKCS#11 token.

use serde_json::Value;

use crate::harness::{Services, ran, ran_well};

/// A ledger under one key, made and used by our command.
struct Encrypted<'a> {
    services: &'a Services,
    environment: Vec<(&'static str, String)>,
}

impl Encrypted<'_> {
    fn run(&self, line: &str) -> String {
        let mut command = self.services.command(env!("CARGO_BIN_EXE_sealwright"));
        command.args(line.split_whitespace()).envs(self.environment.iter().map(|(n, v)| (*n, v.as_str())));
        ran_well(&mut command).out
    }

    fn code(&self, line: &str) -> String {
        let mut command = self.services.command(env!("CARGO_BIN_EXE_sealwright"));
        command.args(line.split_whitespace()).arg("--json");
        command.envs(self.environment.iter().map(|(n, v)| (*n, v.as_str())));
        let told: Value = serde_json::from_str(&ran(&mut command).out).unwrap();
        told["error"]["code"].as_str().unwrap_or("none").to_owned()
    }

    /// Makes a ledger under `key`, reads it, finds that `other` does not open it, and rotates it to `other`.
    fn lives_under(&self, key: &str, other: &str) {
        self.run("key generate --type ed25519 --no-passphrase --out log.pem");
        self.run("key generate --no-passphrase --out admin.pem");
        self.services.write("admin.pub", self.run("key public admin.pem"));
        self.services.write("policy.json", r#"{ "signers": [], "people": [] }"#);
        self.run("trust init --from policy.json --admin admin=admin.pub --key admin.pem --out trust.json");
        let init = "ledger init --ledger sealed --state state --origin example.org/sealed --log-key log.pem";
        self.run(&format!("{init} --trust trust.json --encryption-key {key}"));
        let audit = |key: &str| format!("ledger audit --ledger sealed --state state --encryption-key {key}");
        self.run(&audit(key));
        assert_eq!(self.code(&audit(other)), "WRONG_KEY");
        let rotate =
            format!("ledger rotate encryption-key --ledger sealed --state state --encryption-key {key} --to {other}");
        self.run(&rotate);
        self.run(&audit(other));
        assert_eq!(self.code(&audit(key)), "WRONG_KEY");
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_ledger_is_encrypted_under_keys_of_aws_kms() {
    let services = Services::from_env();
    let text = |name: &str| services.text(&format!("/kms/{name}")).to_owned();
    let environment = vec![
        ("AWS_ENDPOINT_URL", text("endpoint")),
        ("AWS_REGION", text("region")),
        ("AWS_ACCESS_KEY_ID", text("access_key_id")),
        ("AWS_SECRET_ACCESS_KEY", text("secret_access_key")),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    let key = |name: &str| format!("awskms:///{}", services.text(&format!("/kms/symmetric/{name}")));
    Encrypted { services: &services, environment }.lives_under(&key("one"), &key("two"));
}

#[test]
#[ignore = "needs make test-services"]
fn a_ledger_is_encrypted_under_keys_of_vault() {
    let services = Services::from_env();
    let environment = vec![
        ("VAULT_ADDR", services.text("/vault/address").to_owned()),
        ("VAULT_TOKEN", services.text("/vault/token").to_owned()),
        ("TRANSIT_SECRET_ENGINE_PATH", services.text("/vault/mount").to_owned()),
    ];
    let encrypted = Encrypted { services: &services, environment };
    encrypted.lives_under("hashivault://ledger-one", "hashivault://ledger-two");
}

#[test]
#[ignore = "needs make test-services"]
fn a_ledger_is_encrypted_under_keys_of_a_token() {
    let services = Services::from_env();
    let (module, token) = (services.text("/pkcs11/module"), services.text("/pkcs11/token"));
    let environment = vec![
        ("SOFTHSM2_CONF", services.text("/pkcs11/conf").to_owned()),
        ("SEALWRIGHT_PIN", services.text("/pkcs11/pin").to_owned()),
    ];
    let key = |label: &str| format!("pkcs11:token={token};object={label}?module-path={module}");
    Encrypted { services: &services, environment }.lives_under(&key("ledger-one"), &key("ledger-two"));
}
