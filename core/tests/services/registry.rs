//! Bundles in real registries, one that lists referrers and one that does not, ours and cosign's.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey, PublicKey};
use sealwright::oci::{Credentials, Found, Kind, Place, PlainHttp, Reference, Registry, signed_image};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};
use serde_json::{Value, json};

#[cfg(feature = "keyless")]
use crate::bindings::BINDINGS;
use crate::harness::{Services, ran, ran_well};
use crate::peers::{PREDICATE_TYPE, cosign};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const REGISTRIES: [&str; 2] = ["/registry", "/registry_without_referrers"];

fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

fn ours() -> Registry {
    Registry::new(Credentials::Anonymous, PlainHttp::LoopbackOnly).unwrap()
}

/// A request without credentials; gives the status line and the headers.
fn request(host: &str, method: &str, path: &str, media_type: &str, body: &[u8]) -> String {
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {media_type}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).split("\r\n\r\n").next().unwrap().to_owned()
}

fn push_blob(host: &str, repository: &str, bytes: &[u8]) -> Value {
    let begun = request(host, "POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"");
    let location = begun.lines().find_map(|l| l.strip_prefix("Location: ")).unwrap();
    let place = location.strip_prefix(&format!("http://{host}")).unwrap_or(location);
    let digest = Digest::sha256(bytes);
    let mark = if place.contains('?') { '&' } else { '?' };
    let ended = request(host, "PUT", &format!("{place}{mark}digest={digest}"), "application/octet-stream", bytes);
    assert!(ended.contains(" 201 "), "{ended}");
    json!({ "mediaType": "application/octet-stream", "digest": digest, "size": bytes.len() })
}

fn push_manifest(host: &str, repository: &str, media_type: &str, manifest: &Value) -> Reference {
    let bytes = manifest.to_string().into_bytes();
    let digest = Digest::sha256(&bytes);
    let put = request(host, "PUT", &format!("/v2/{repository}/manifests/{digest}"), media_type, &bytes);
    assert!(put.contains(" 201 "), "{put}");
    format!("{host}/{repository}@{digest}").parse().unwrap()
}

/// An image that no other test has.
fn push_image(host: &str, repository: &str) -> Reference {
    push_image_with(host, repository, PrivateKey::generate(KeyType::Ed25519).unwrap().public().raw())
}

fn push_image_with(host: &str, repository: &str, content: &[u8]) -> Reference {
    let mut config = push_blob(
        host,
        repository,
        br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#,
    );
    config["mediaType"] = "application/vnd.oci.image.config.v1+json".into();
    let mut layer = push_blob(host, repository, content);
    layer["mediaType"] = "application/vnd.oci.image.layer.v1.tar".into();
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer] });
    push_manifest(host, repository, MANIFEST, &manifest)
}

fn bundle(image: &Reference, key: &PrivateKey, note: &str) -> Vec<u8> {
    let subject = ResourceDescriptor::of(image.digest().unwrap().clone()).named(image.repository());
    let statement = Statement::from_json(PREDICATE_TYPE, vec![subject], &json!({ "note": note })).unwrap();
    sign(&statement, key).unwrap().to_json()
}

/// Verifies what was found as a statement about the image by this key.
fn verify(found: &Found, image: &Reference, key: &PublicKey) {
    let root = TrustRoot::new().with_key("k", key.clone(), Window::ALWAYS).unwrap();
    let artifact = Artifact::Is(image.digest().unwrap().clone());
    let expectation = Expectation::new(artifact, Identity::key("k"), now());
    Verifier::new(root).verify(&found.bundle, &expectation).unwrap();
}

/// cosign with a key pair of its own in the test's folder.
fn cosign_key(services: &Services) -> PublicKey {
    ran_well(cosign(services).env("COSIGN_PASSWORD", "").arg("generate-key-pair"));
    PublicKey::from_pem(&services.read("cosign.pub")).unwrap()
}

#[test]
#[ignore = "needs make test-services"]
fn s021_ours_are_found_and_verified_by_cosign_and_by_us() {
    let services = Services::from_env();
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    services.write("ours.pub", key.public().to_pem());
    for registry in REGISTRIES {
        let image = push_image(services.text(registry), "ours/app");
        let sent = bundle(&image, &key, "a");
        ours().attach(&image, &sent, now()).unwrap();
        let bundles = ours().bundles(&image).unwrap();
        assert!(bundles.unreadable.is_empty(), "{bundles:?}");
        assert_eq!(bundles.found.iter().map(|f| &f.bundle).collect::<Vec<_>>(), [&sent], "{registry}");
        verify(&bundles.found[0], &image, key.public());
        let mut command = cosign(&services);
        command.args(["verify-attestation", "--key", "ours.pub", "--type", PREDICATE_TYPE, "--allow-http-registry"]);
        command.args(["--insecure-ignore-tlog", &image.to_string()]);
        let verified = ran_well(&mut command);
        let envelope: Value = serde_json::from_str(verified.out.lines().next().unwrap()).unwrap();
        let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
        assert_eq!(Statement::parse(payload).unwrap().predicate_type(), PREDICATE_TYPE);
        services.write("ours.pub", PrivateKey::generate(KeyType::P256).unwrap().public().to_pem());
        assert!(!ran(&mut command).ok, "cosign takes any key");
        services.write("ours.pub", key.public().to_pem());
    }
}

#[cfg(feature = "keyless")]
#[test]
#[ignore = "needs make test-services"]
fn s021_what_a_binding_attaches_is_found_by_the_others_and_by_cosign() {
    let services = Services::from_env();
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    services.write("ours.pub", key.public().to_pem());
    for registry in REGISTRIES {
        for binding in BINDINGS {
            let image = push_image(services.text(registry), "bindings/app");
            let (sent, name) = (bundle(&image, &key, "a"), image.to_string());
            services.write("sent", &sent);
            ran_well(binding.script(&services).args(["attach", &name, "sent"]));
            let bundles = ours().bundles(&image).unwrap();
            assert_eq!(bundles.found.iter().map(|f| &f.bundle).collect::<Vec<_>>(), [&sent], "{registry} {binding:?}");
            for reader in BINDINGS {
                ran_well(reader.script(&services).args(["list", &name, "found"]));
                assert!(services.read("found") == sent, "{registry}: of {binding:?} by {reader:?}");
            }
            let mut command = cosign(&services);
            command.args(["verify-attestation", "--key", "ours.pub", "--type", PREDICATE_TYPE]);
            ran_well(command.args(["--allow-http-registry", "--insecure-ignore-tlog", &name]));
        }
    }
}

#[test]
#[ignore = "needs make test-services"]
fn what_cosign_attached_is_found_and_verified_by_us_in_its_newer_and_older_form() {
    let services = Services::from_env();
    let key = cosign_key(&services);
    services.write("predicate.json", r#"{"checked":true}"#);
    for registry in REGISTRIES {
        let image = push_image(services.text(registry), "theirs/app");
        let run = |arguments: &[&str]| {
            let mut command = cosign(&services);
            command.env("COSIGN_PASSWORD", "").args(arguments).args(["--yes", "--key", "cosign.key"]);
            command.args(["--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry"]);
            ran_well(command.arg(image.to_string()));
        };
        let attest = ["attest", "--predicate", "predicate.json", "--type", PREDICATE_TYPE];
        run(&attest);
        run(&["sign"]);
        let bundles = ours().bundles(&image).unwrap();
        assert!(bundles.unreadable.is_empty() && bundles.found.len() == 2, "{registry}: {bundles:?}");
        for found in &bundles.found {
            assert_eq!(found.place, Place::Referrer);
            assert_eq!(found.annotations["dev.sigstore.bundle.content"], "dsse-envelope");
            verify(found, &image, &key);
        }
        run(&[&attest[..], &["--new-bundle-format=false"]].concat());
        run(&["sign", "--new-bundle-format=false"]);
        let bundles = ours().bundles(&image).unwrap();
        let places: Vec<_> = bundles.found.iter().map(|f| f.place).collect();
        let (referrer, older) = (Place::Referrer, [Place::CosignAttestation, Place::CosignSignature]);
        assert_eq!(places, [&[referrer, referrer][..], &older].concat(), "{:?}", bundles.unreadable);
        verify(&bundles.found[2], &image, &key);
        let payload = bundles.found[3].payload.as_deref().unwrap();
        let root = TrustRoot::new().with_key("k", key.clone(), Window::ALWAYS).unwrap();
        let signed = Expectation::new(Artifact::Is(Digest::sha256(payload)), Identity::key("k"), now());
        Verifier::new(root).verify_blob(&bundles.found[3].bundle, Blob::Bytes(payload), &signed).unwrap();
        assert_eq!(&signed_image(payload).unwrap(), image.digest().unwrap());
    }
}

#[cfg(feature = "keyless")]
#[test]
#[ignore = "needs make test-services"]
fn s021_what_was_signed_without_a_key_is_found_and_verified_by_cosign_and_theirs_by_us() {
    use sealwright::keyless::{Services as Signers, Token, sign_statement};
    use sealwright::verifier::CertificateIdentity;

    use crate::harness::Who;
    use crate::keyless::{now as present, soon};

    let services = Services::from_env();
    services.write("predicate.json", r#"{"checked":true}"#);
    let trust = TrustRoot::new().with_sigstore(&services.file("/trusted_root")).unwrap();
    let signers = Signers::from_signing_config(&services.file("/signing_config"), present()).unwrap();
    let (subject, issuer) = (services.subject(Who::Workflow), services.issuer(Who::Workflow));
    for registry in REGISTRIES {
        let image = push_image(services.text(registry), "keyless/app");
        let about = ResourceDescriptor::of(image.digest().unwrap().clone());
        let statement = Statement::from_json(PREDICATE_TYPE, vec![about], &json!({ "note": "ours" })).unwrap();
        let token = Token::parse(&services.token(Who::Workflow)).unwrap();
        let record = sign_statement(&statement, &signers, &token, &trust, present()).unwrap();
        ours().attach(&image, &record, now()).unwrap();
        let verify = |subject: &str| {
            let mut command = cosign(&services);
            command.args(["verify-attestation", "--type", PREDICATE_TYPE, "--allow-http-registry"]);
            command.args(["--certificate-identity", subject, "--certificate-oidc-issuer", &issuer]);
            ran(command.args(["--trusted-root", services.text("/trusted_root"), &image.to_string()]))
        };
        let good = verify(&subject);
        assert!(good.ok, "{registry}: {}{}", good.out, good.err);
        assert!(!verify("mallory@example.org").ok, "cosign took another subject");

        let mut attest = cosign(&services);
        attest.args(["attest", "--yes", "--predicate", "predicate.json", "--type", PREDICATE_TYPE]);
        attest.args(["--identity-token", &services.token(Who::Workflow), "--allow-http-registry"]);
        attest.args(["--signing-config", services.text("/signing_config")]);
        ran_well(attest.args(["--trusted-root", services.text("/trusted_root"), &image.to_string()]));
        let bundles = ours().bundles(&image).unwrap();
        assert!(bundles.unreadable.is_empty() && bundles.found.len() == 2, "{registry}: {bundles:?}");
        let demand = |subject: &str| {
            let identity = CertificateIdentity::new(subject, &*issuer).into();
            Expectation::new(Artifact::Is(image.digest().unwrap().clone()), identity, soon()).require_log_entries(1)
        };
        let verifier = Verifier::new(trust.clone());
        for found in &bundles.found {
            let verified = verifier.verify(&found.bundle, &demand(&subject)).unwrap();
            assert_eq!(verified.value().predicate_type(), PREDICATE_TYPE);
            let other = verifier.verify(&found.bundle, &demand("mallory@example.org")).unwrap_err();
            assert_eq!(other.code(), "UNTRUSTED_SIGNER");
        }
    }
}

#[test]
#[ignore = "needs make test-services"]
fn an_index_and_its_images_are_attached_to_apart_and_copied_whole() {
    let services = Services::from_env();
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let host = services.text("/registry");
    let content = PrivateKey::generate(KeyType::Ed25519).unwrap().public().raw().to_vec();
    let members = [push_image_with(host, "multi/app", &content), push_image(host, "multi/app")];
    let listed: Vec<Value> = members
        .iter()
        .zip(["amd64", "arm64"])
        .map(|(member, architecture)| {
            let platform = json!({ "os": "linux", "architecture": architecture });
            json!({ "mediaType": MANIFEST, "digest": member.digest(), "size": 411, "platform": platform })
        })
        .collect();
    let manifest = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": listed });
    let index = push_manifest(host, "multi/app", INDEX, &manifest);
    let resolved = ours().resolve(&index).unwrap();
    assert!(matches!(resolved.kind, Kind::Index { .. }), "{resolved:?}");
    let link = resolved.link(members[1].digest().unwrap()).unwrap();
    assert_eq!(link.platform.unwrap().architecture, "arm64");
    for (n, image) in [&index, &members[0]].into_iter().enumerate() {
        ours().attach(image, &bundle(image, &key, &n.to_string()), now()).unwrap();
    }
    assert_eq!(ours().attach(&members[1], &bundle(&index, &key, "x"), now()).unwrap_err().code(), "DIGEST_MISMATCH");
    assert_eq!(ours().bundles(&members[1]).unwrap().found.len(), 0);
    let [from] = ours().bundles(&members[0]).unwrap().found.try_into().unwrap();
    let other = services.text("/registry_without_referrers");
    let copied = push_image_with(other, "copied/app", &content);
    ours().copy_bundles(&members[0], &copied).unwrap();
    assert_eq!(ours().bundles(&copied).unwrap().found, [from]);
}

#[test]
#[ignore = "needs make test-services"]
fn of_several_writers_to_a_tag_none_is_lost() {
    let services = Services::from_env();
    let image = push_image(services.text("/registry_without_referrers"), "many/app");
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..6 {
            let (image, key) = (&image, &key);
            scope.spawn(move || ours().attach(image, &bundle(image, key, &writer.to_string()), now()).unwrap());
        }
    });
    assert_eq!(ours().bundles(&image).unwrap().found.len(), 6);
}
