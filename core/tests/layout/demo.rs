//! The demo of the in-toto project: links that its Python tool made, with RSA-PSS, in both forms.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::Error;
use sealwright::digest::Digest;
use sealwright::key::KeyType;
use sealwright::layout::{LayoutExpectation, LayoutKey, Links, VerifiedLayout, verify};
use sealwright::verifier::Artifact;
use serde_json::{Value, json};

use crate::corpora::corpora;
use crate::supply_chain::{Form, Person, now};

/// Verifies the demo in `folder` after `change` to its layout, which the demo leaves unsigned.
fn demo(folder: &Path, form: Form, change: impl FnOnce(&mut Value)) -> Result<VerifiedLayout, Error> {
    let template = std::fs::read(folder.join("demo.layout.template")).unwrap();
    let template: Value = serde_json::from_slice(&template).unwrap();
    let mut layout = template["signed"].clone();
    if let Some(payload) = template["payload"].as_str() {
        layout = serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap();
    }
    layout["expires"] = "2027-01-01T00:00:00Z".into();
    change(&mut layout);
    let owner = Person::new(KeyType::Ed25519);
    let product = Digest::of_file(&folder.join("../demo_files/foo.tar.gz")).unwrap();
    verify(
        &owner.sign(&layout, form),
        &[owner.public()],
        &Links::of_folder(folder).unwrap(),
        &LayoutExpectation::new(Artifact::Is(product), now()),
    )
}

#[test]
fn the_demo_holds_without_its_inspection_and_is_refused_with_it() {
    let Some(all) = corpora("in-toto/python-tests") else { return };
    for (folder, form) in [("demo_files", Form::Metablock), ("demo_dsse_files", Form::Dsse)] {
        let folder = all.join(folder);
        assert_eq!(demo(&folder, form, |_| {}).unwrap_err().code(), "INSPECTION_REFUSED");
        let verified = demo(&folder, form, |layout| layout["inspect"] = json!([])).unwrap();
        let steps: Vec<_> = verified.steps().iter().map(|s| s.name.as_str()).collect();
        assert_eq!(steps, ["write-code", "package"]);
        let e = demo(&folder, form, |layout| {
            layout["inspect"] = json!([]);
            layout["steps"][1]["expected_products"] = json!([["DISALLOW", "foo.tar.gz"]]);
        });
        assert_eq!(e.unwrap_err().code(), "EXPECTATION_UNMET");
        let e = demo(&folder, form, |layout| {
            layout["inspect"] = json!([]);
            layout["steps"][0]["pubkeys"] = layout["steps"][1]["pubkeys"].clone();
        });
        assert_eq!(e.unwrap_err().code(), "UNTRUSTED_SIGNER");
    }
}

#[test]
fn the_demo_with_openpgp_keys_is_unsupported() {
    let Some(all) = corpora("in-toto/python-tests") else { return };
    let e = demo(&all.join("demo_files_gpg"), Form::Metablock, |layout| layout["inspect"] = json!([])).unwrap_err();
    assert_eq!(e.code(), "UNSUPPORTED");
}

#[test]
fn the_demos_keys_are_read_from_their_files() {
    let Some(all) = corpora("in-toto/python-tests") else { return };
    let read = |name: &str| LayoutKey::parse(&std::fs::read(all.join(name)).unwrap()).unwrap();
    // computed by securesystemslib 1.6.0, `SSlibKey.from_crypto`
    let expected = [
        (
            "pems/rsa_public.pem",
            "rsassa-pss-sha256",
            "2f685fa7546f1856b123223ab086b3def14c89d24eef18f49c32508c2f60e241",
        ),
        (
            "pems/ecdsa_public.pem",
            "ecdsa-sha2-nistp256",
            "50d7e110ad65f3b2dba5c3cfc8c5ca259be9774cc26be3410044ffd4be3aa5f3",
        ),
        ("pems/ed25519_public.pem", "ed25519", "c6d8bf2e4f48b41ac2ce8eca21415ca8ef68c133b47fc33df03d4070a7e1e9cc"),
    ];
    for (name, scheme, id) in expected {
        let key = read(name);
        assert_eq!((key.scheme(), key.key_id()), (scheme, id), "{name}");
    }
    assert_eq!(read("demo_files/danny.pub").scheme(), "ed25519");
}
