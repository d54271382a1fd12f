//! Keys of each type, format and place, as commands take them.

use std::process::Command;

use crate::place::Place;

const PASSPHRASE: [(&str, &str); 1] = [("SEALWRIGHT_PASSPHRASE", "correct horse")];

#[test]
fn a_key_of_each_type_signs_what_verify_accepts() {
    let place = Place::new();
    place.write("app", "app");
    place.write("plan.json", "{}");
    for key_type in ["p256", "p384", "ed25519"] {
        let id = place.key(key_type, key_type);
        let line =
            format!("attest scai --subject app --predicate scai.json --key {key_type}.pem --out {key_type}.json");
        place.write("scai.json", r#"{"attributes":[{"attribute":"BUILT"}]}"#);
        assert_eq!(place.json(0, &line)["keyId"], id.as_str());
        let verified = place.json(0, &format!("verify app --bundle {key_type}.json --key {key_type}.pub"));
        assert_eq!(verified["signers"][0]["keyType"], key_type);
    }
    let refused = place.json(1, "verify app --bundle p384.json --key p256.pub");
    assert_eq!(refused["error"]["code"], "UNTRUSTED_SIGNER");
    assert_eq!(place.json(2, "key generate --type rsa --out rsa.pem --no-passphrase")["error"]["code"], "API_MISUSE");
}

#[test]
fn a_key_goes_to_cosign_and_back() {
    let place = Place::new();
    assert_eq!(place.run_with(&PASSPHRASE, "key generate --type p256 --format cosign --out cosign.key").code, 0);
    let text = String::from_utf8(place.read("cosign.key")).unwrap();
    assert!(text.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----"), "{text}");
    assert_eq!(place.run_with(&PASSPHRASE, "key import cosign.key --out pkcs8.pem").code, 0);
    assert_eq!(place.run_with(&PASSPHRASE, "key import pkcs8.pem --format cosign --out again.key").code, 0);
    let public = place.run_with(&PASSPHRASE, "key public cosign.key").out;
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----"), "{public}");
    for file in ["pkcs8.pem", "again.key"] {
        assert_eq!(place.run_with(&PASSPHRASE, &format!("key public {file}")).out, public);
    }
    assert_eq!(place.json(2, "key public cosign.key")["error"]["code"], "WRONG_PASSPHRASE");
    for (line, code) in [
        ("key generate --format cosign --no-passphrase --out x.key", "API_MISUSE"),
        ("key generate --format pem --out x.key", "API_MISUSE"),
        ("key import none.key --no-passphrase --out x.key", "NOT_FOUND"),
    ] {
        assert_eq!(place.json(2, line)["error"]["code"], code, "{line}");
    }
    assert_eq!(place.run_with(&PASSPHRASE, "key import pkcs8.pem --out again.key").code, 2, "nothing is overwritten");
    assert!(!place.path("x.key").exists());
}

#[test]
fn a_json_web_key_is_a_public_key_like_any_other() {
    let place = Place::new();
    place.write("key.jwk", r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#);
    let shown = place.json(0, "key public key.jwk");
    assert_eq!(shown["type"], "ed25519");
    place.write("key.pub", shown["publicKey"].as_str().unwrap());
    assert_eq!(place.json(0, "key public key.pub")["keyId"], shown["keyId"]);
}

#[test]
fn a_command_signs_in_place_of_a_private_key() {
    if Command::new("openssl").arg("version").output().is_err() {
        return;
    }
    let place = Place::new();
    let id = place.key("builder", "p256");
    std::fs::rename(place.path("builder.pem"), place.path("hsm.pem")).unwrap();
    place.write(
        "hsm.sh",
        "sed 's/.*\"digest\":\"\\([0-9a-f]*\\)\".*/\\1/' | xxd -r -p > digest\nopenssl pkeyutl -sign -inkey \"$1\" -in digest | base64\n",
    );
    place.write("sign", "#!/bin/sh\nexec bash hsm.sh hsm.pem\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(place.path("sign"), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    place.write("app", "app");
    place.write("scai.json", r#"{"attributes":[{"attribute":"BUILT"}]}"#);
    let attest = "attest scai --subject app --predicate scai.json --out record.json --key builder.pub";
    assert_eq!(place.json(0, &format!("{attest} --signer-command ./sign"))["keyId"], id.as_str());
    place.pass("verify app --bundle record.json --key builder.pub");

    std::fs::remove_file(place.path("record.json")).unwrap();
    place.key("other", "p256");
    let attest = "attest scai --subject app --predicate scai.json --out record.json --key other.pub";
    assert_eq!(place.json(2, &format!("{attest} --signer-command ./sign"))["error"]["code"], "SIGNER_FAILED");
    assert!(!place.path("record.json").exists(), "nothing that was not verified is kept");
    let no_key = "attest scai --subject app --predicate scai.json --signer-command ./sign";
    assert_eq!(place.json(2, no_key)["error"]["code"], "API_MISUSE");
}

#[test]
fn a_role_of_the_settings_may_be_a_uri() {
    let place = Place::new();
    place.write(
        "sealwright.toml",
        "[keys]\nbuilder = 'gcpkms://projects/x'\ntoken = 'pkcs11:object=x?pin-value=739104'\n",
    );
    let refused = place.json(2, "key public builder");
    assert_eq!(refused["error"]["code"], "UNSUPPORTED", "{refused}");
    let refused = place.json(2, "key public token");
    assert!(!refused.to_string().contains("739104"), "{refused}");
}
