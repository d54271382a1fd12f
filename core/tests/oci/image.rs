//! Images to attach bundles to, and who signs them.

use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::oci::{Credentials, PlainHttp, Reference, Registry};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use serde_json::{Value, json};

use crate::stub::Stub;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const TYPE: &str = "https://example.org/checked/v1";

pub(crate) fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

pub(crate) fn registry() -> Registry {
    Registry::new(Credentials::Anonymous, PlainHttp::LoopbackOnly).unwrap()
}

/// A descriptor of `bytes`.
pub(crate) fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::sha256(bytes), "size": bytes.len() })
}

/// An image whose only layer is its name, tagged by it.
pub(crate) fn image(stub: &Stub, name: &str) -> Reference {
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [descriptor("application/octet-stream", name.as_bytes())],
    });
    reference(stub).at(&stub.put_manifest(name, &manifest))
}

/// An index of two images, tagged `multi`, and the images.
pub(crate) fn index(stub: &Stub) -> (Reference, [Reference; 2]) {
    let images = ["amd64", "arm64"].map(|name| image(stub, name));
    let members: Vec<Value> = images
        .iter()
        .zip(["amd64", "arm64"])
        .map(|(image, architecture)| {
            let digest = image.digest().unwrap();
            let size = stub.manifest(&digest.to_string()).unwrap().to_string().len();
            let platform = json!({ "architecture": architecture, "os": "linux" });
            json!({ "mediaType": MANIFEST, "digest": digest, "size": size, "platform": platform })
        })
        .collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": members });
    (reference(stub).at(&stub.put_manifest("multi", &index)), images)
}

pub(crate) fn reference(stub: &Stub) -> Reference {
    format!("{}/team/app", stub.address).parse().unwrap()
}

/// A statement about the image.
pub(crate) fn statement(image: &Reference, note: &str) -> Statement {
    let subject = ResourceDescriptor::of(image.digest().unwrap().clone()).named(image.repository());
    Statement::from_json(TYPE, vec![subject], &json!({ "note": note })).unwrap()
}

/// A bundle about the image, by a key of its own.
pub(crate) fn bundle(image: &Reference, note: &str) -> Vec<u8> {
    sign(&statement(image, note), &PrivateKey::generate(KeyType::Ed25519).unwrap()).unwrap().to_json()
}
