use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::oci::{Place, signed_image};
use sealwright::signer::sign;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};
use serde_json::{Value, json};

use crate::image::{MANIFEST, descriptor, image, now, registry, statement};
use crate::stub::Stub;

fn payload(digest: &str) -> String {
    json!({
        "critical": {
            "identity": { "docker-reference": "registry.example/team/app" },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string()
}

fn put(stub: &Stub, tag: &str, layers: &[(Value, &[u8])]) {
    layers.iter().for_each(|(_, bytes)| stub.put_blob(bytes));
    let config = descriptor("application/vnd.oci.image.config.v1+json", b"{}");
    let layers: Vec<_> = layers.iter().map(|(layer, _)| layer.clone()).collect();
    stub.put_manifest(tag, &json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers }));
}

#[test]
fn what_cosign_wrote_before_bundles_is_found_and_an_attestation_verifies() {
    let stub = Stub::new(false);
    let image = image(&stub, "v1");
    let tag = image.digest().unwrap().to_string().replace(':', "-");
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let bundle: Value = serde_json::from_slice(&sign(&statement(&image, "a"), &key).unwrap().to_json()).unwrap();
    let envelope = bundle["dsseEnvelope"].to_string();
    let mut layer = descriptor("application/vnd.dsse.envelope.v1+json", envelope.as_bytes());
    layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": "" });
    put(&stub, &format!("{tag}.att"), &[(layer, envelope.as_bytes())]);
    let payload = payload(&image.digest().unwrap().to_string());
    let mut layer = descriptor("application/vnd.dev.cosign.simplesigning.v1+json", payload.as_bytes());
    let signature = STANDARD.encode(key.sign(payload.as_bytes()).unwrap());
    layer["annotations"] = json!({ "dev.cosignproject.cosign/signature": signature });
    let mut unsigned = layer.clone();
    unsigned["annotations"] = json!({});
    put(&stub, &format!("{tag}.sig"), &[(layer, payload.as_bytes()), (unsigned, payload.as_bytes())]);

    let bundles = registry().bundles(&image).unwrap();
    let places: Vec<_> = bundles.found.iter().map(|f| f.place).collect();
    assert_eq!(places, [Place::CosignAttestation, Place::CosignSignature]);
    assert_eq!(bundles.unreadable.iter().map(|u| u.error.code()).collect::<Vec<_>>(), ["MALFORMED"]);
    let root = TrustRoot::new().with_key("k", key.public().clone(), Window::ALWAYS).unwrap();
    let expectation = Expectation::new(Artifact::Is(image.digest().unwrap().clone()), Identity::key("k"), now());
    Verifier::new(root.clone()).verify(&bundles.found[0].bundle, &expectation).unwrap();
    let found = &bundles.found[1];
    let of_payload = Expectation::new(Artifact::Is(Digest::sha256(payload.as_bytes())), Identity::key("k"), now());
    Verifier::new(root).verify_blob(&found.bundle, Blob::Bytes(payload.as_bytes()), &of_payload).unwrap();
    assert_eq!(found.payload.as_deref(), Some(payload.as_bytes()));
    let bundle: Value = serde_json::from_slice(&found.bundle).unwrap();
    assert_eq!(bundle["messageSignature"]["signature"], signature);
    assert_eq!(&signed_image(payload.as_bytes()).unwrap(), image.digest().unwrap());
}

#[test]
fn a_payload_that_names_no_image_by_sha256_is_malformed() {
    let good = payload(&Digest::sha256(b"").to_string());
    signed_image(good.as_bytes()).unwrap();
    for bad in [
        payload("latest"),
        payload(""),
        good.replace("container image", "other"),
        good.replace("docker-manifest-digest", "digest"),
        "{}".to_owned(),
    ] {
        assert_eq!(signed_image(bad.as_bytes()).unwrap_err().code(), "MALFORMED", "{bad}");
    }
}

#[test]
fn certificate_and_log_entry_of_the_annotations_stand_in_the_bundle() {
    let stub = Stub::new(false);
    let image = image(&stub, "v1");
    let tag = image.digest().unwrap().to_string().replace(':', "-");
    let payload = payload(&image.digest().unwrap().to_string());
    let body = STANDARD.encode(r#"{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{}}"#);
    let pem = |der: &str| format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
    let entry = json!({
        "SignedEntryTimestamp": "c2V0",
        "Payload": { "body": body, "integratedTime": 1_700_000_000, "logIndex": 7, "logID": "c0ff" },
    });
    let mut layer = descriptor("application/vnd.dev.cosign.simplesigning.v1+json", payload.as_bytes());
    layer["annotations"] = json!({
        "dev.cosignproject.cosign/signature": "c2ln",
        "dev.sigstore.cosign/certificate": pem("bGVhZg=="),
        "dev.sigstore.cosign/chain": format!("{}{}", pem("aW50"), pem("cm9vdA==")),
        "dev.sigstore.cosign/bundle": entry.to_string(),
    });
    put(&stub, &format!("{tag}.sig"), &[(layer, payload.as_bytes())]);
    let bundles = registry().bundles(&image).unwrap();
    let bundle: Value = serde_json::from_slice(&bundles.found[0].bundle).unwrap();
    let material = &bundle["verificationMaterial"];
    let certificates = &material["x509CertificateChain"]["certificates"];
    assert_eq!(certificates, &json!([{ "rawBytes": "bGVhZg==" }, { "rawBytes": "aW50" }, { "rawBytes": "cm9vdA==" }]));
    let log = &material["tlogEntries"][0];
    assert_eq!((&log["logIndex"], &log["integratedTime"]), (&json!("7"), &json!("1700000000")));
    assert_eq!(log["kindVersion"], json!({ "kind": "hashedrekord", "version": "0.0.1" }));
    assert_eq!((&log["logId"]["keyId"], &log["canonicalizedBody"]), (&json!("wP8="), &json!(body)));
    assert_eq!(log["inclusionPromise"]["signedEntryTimestamp"], "c2V0");
}
