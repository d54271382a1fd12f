//! Keys in key services: moto's AWS KMS, and OpenBao's transit engine.

use crate::harness::{Services, ran_well};
use crate::sealed::{Recorder, Sealed};

fn aws<'a>(services: &'a Services, endpoint: &str, reference: String) -> Sealed<'a> {
    let text = |name: &str| services.text(&format!("/kms/{name}")).to_owned();
    let environment = vec![
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_REGION", text("region")),
        ("AWS_ACCESS_KEY_ID", text("access_key_id")),
        ("AWS_SECRET_ACCESS_KEY", text("secret_access_key")),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    Sealed { services, reference, flags: Vec::new(), environment }
}

fn vault<'a>(services: &'a Services, address: &str, reference: &str, token: &str) -> Sealed<'a> {
    let environment = vec![
        ("VAULT_ADDR", address.to_owned()),
        ("VAULT_TOKEN", token.to_owned()),
        ("TRANSIT_SECRET_ENGINE_PATH", services.text("/vault/mount").to_owned()),
    ];
    Sealed { services, reference: reference.to_owned(), flags: Vec::new(), environment }
}

#[test]
#[ignore = "needs make test-services"]
fn s020_a_planted_key_of_aws_kms_signs_a_record_and_only_its_digest_leaves() {
    for curve in ["p256", "p384"] {
        let services = Services::from_env();
        let planted = services.text(&format!("/kms/planted/{curve}")).to_owned();
        let id = services.text(&format!("/kms/keys/{curve}")).to_owned();
        let region = services.text("/kms/region").to_owned();
        for key in [id.clone(), format!("arn:aws:kms:{region}:123456789012:key/{id}")] {
            let recorder = Recorder::before(services.text("/kms/endpoint"));
            let sealed = aws(&services, &recorder.address, format!("awskms:///{key}"));
            sealed.tells_its_public_half(&planted);
            let digest = sealed.signs(&planted);
            recorder.assert_only_digest_left(&digest, &planted);
        }
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_key_of_aws_kms_that_is_not_there_or_not_to_be_reached_is_told_as_such() {
    let services = Services::from_env();
    let endpoint = services.text("/kms/endpoint");
    let none = aws(&services, endpoint, "awskms:///1234abcd-12ab-34cd-56ef-1234567890ab".to_owned());
    assert_eq!(none.refusal().0, "NOT_FOUND");
    let closed = aws(&services, "http://127.0.0.1:1", "awskms:///alias/x".to_owned());
    assert_eq!(closed.refusal().0, "SERVICE_UNAVAILABLE");
    // an endpoint in the reference is asked by TLS, which nobody speaks there
    let host = endpoint.strip_prefix("http://").unwrap();
    let readable = aws(&services, endpoint, format!("awskms://{host}/alias/x"));
    assert_eq!(readable.refusal().0, "SERVICE_UNAVAILABLE");
}

#[test]
#[ignore = "needs make test-services"]
fn s020_a_planted_key_of_vault_signs_a_record_and_only_its_digest_leaves() {
    let services = Services::from_env();
    let planted = services.text("/vault/planted").to_owned();
    let recorder = Recorder::before(services.text("/vault/address"));
    let sealed = vault(&services, &recorder.address, "hashivault://planted", services.text("/vault/token"));
    sealed.tells_its_public_half(&planted);
    let digest = sealed.signs(&planted);
    recorder.assert_only_digest_left(&digest, &planted);
}

#[test]
#[ignore = "needs make test-services"]
fn keys_that_vault_made_sign_records_that_verify() {
    for key in ["p256", "p384"] {
        let services = Services::from_env();
        let reference = format!("hashivault://{key}");
        let sealed = vault(&services, services.text("/vault/address"), &reference, services.text("/vault/token"));
        let public = ran_well(sealed.command("key public").arg(&reference));
        services.write("vault.pub", public.out);
        assert_eq!(sealed.refusal().0, "signed");
        services.write("app", "what was built\n");
        let mut attest = sealed.command("attest scai --subject app --predicate scai.json --out record.json --key");
        ran_well(attest.arg(&reference));
        ran_well(&mut sealed.command("verify app --bundle record.json --key vault.pub"));
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_key_of_vault_that_cannot_be_used_is_refused_by_why_and_the_token_is_not_told() {
    let services = Services::from_env();
    let address = services.text("/vault/address");
    for (reference, token, expected) in [
        ("hashivault://none", services.text("/vault/token"), "NOT_FOUND"),
        ("hashivault://ed25519", services.text("/vault/token"), "UNSUPPORTED"),
        ("hashivault://planted", "not-the-token-739104", "SIGNER_FAILED"),
    ] {
        let (code, told) = vault(&services, address, reference, token).refusal();
        assert_eq!(code, expected, "{reference}: {}", told.out);
        assert!(!told.out.contains("739104") && !told.err.contains("739104"), "{}", told.out);
    }
}
