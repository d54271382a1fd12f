use sealwright::key::KeyType;
use sealwright::oci::{Kind, Place};
use sealwright::signer::sign;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Expectation, Identity, Verifier};
use serde_json::json;

use crate::image::{TYPE, bundle, image, index, now, reference, registry, statement};
use crate::stub::Stub;
use crate::world::World;

#[test]
fn s021_a_bundle_from_the_registry_verifies_as_the_one_from_the_ledger() {
    for lists_referrers in [true, false] {
        let stub = Stub::new(lists_referrers);
        let image = image(&stub, "v1");
        let mut world = World::new();
        let receipt = world.provenance(image.digest().unwrap());
        let kept = world.ledger.record(receipt.index).unwrap().verified;
        registry().attach(&image, kept.record(), now()).unwrap();
        let found = registry().bundles(&image).unwrap();
        assert!(found.unreadable.is_empty() && found.found.len() == 1, "{found:?}");
        assert_eq!(found.found[0].bundle, kept.record(), "byte for byte");
        let root =
            TrustRoot::new().with_key("builder", world.keys["builder"].public().clone(), Window::ALWAYS).unwrap();
        let artifact = Artifact::Is(image.digest().unwrap().clone());
        let expectation = Expectation::new(artifact, Identity::key("builder"), now());
        let verify = |record: &[u8]| Verifier::new(root.clone()).verify(record, &expectation).unwrap();
        let (ours, theirs) = (verify(kept.record()), verify(&found.found[0].bundle));
        assert_eq!(ours.value(), theirs.value());
        assert_eq!(ours.signers(), theirs.signers());
    }
}

#[test]
fn annotations_and_types_are_those_of_cosign() {
    let stub = Stub::new(true);
    let image = image(&stub, "v1");
    let digest = registry().attach(&image, &bundle(&image, "a"), now()).unwrap();
    let manifest = stub.manifest(&digest.to_string()).unwrap();
    let annotations = json!({
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": TYPE,
        "org.opencontainers.image.created": "2026-11-21T09:30:00Z",
    });
    assert_eq!(manifest["annotations"], annotations);
    assert_eq!(manifest["artifactType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
    assert_eq!(manifest["layers"][0]["mediaType"], manifest["artifactType"]);
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json");
    assert_eq!(manifest["subject"]["digest"], image.digest().unwrap().to_string());
    let found = &registry().bundles(&image).unwrap().found[0];
    assert_eq!((serde_json::to_value(&found.annotations).unwrap(), found.place), (annotations, Place::Referrer));
}

#[test]
fn a_registry_that_lists_referrers_gets_no_tag_and_another_one_does() {
    for lists_referrers in [true, false] {
        let stub = Stub::new(lists_referrers);
        let image = image(&stub, "v1");
        let digest = registry().attach(&image, &bundle(&image, "a"), now()).unwrap();
        let tag = stub.manifest(&image.digest().unwrap().to_string().replace(':', "-"));
        assert_eq!(tag.is_none(), lists_referrers);
        if let Some(tag) = tag {
            let entry = &tag["manifests"][0];
            assert_eq!(entry["digest"], digest.to_string());
            assert_eq!(entry["artifactType"], "application/vnd.dev.sigstore.bundle.v0.3+json");
            assert_eq!(entry["annotations"]["dev.sigstore.bundle.predicateType"], TYPE);
        }
    }
}

#[test]
fn the_same_bundle_is_attached_once() {
    let stub = Stub::new(false);
    let image = image(&stub, "v1");
    let bundle = bundle(&image, "a");
    let first = registry().attach(&image, &bundle, now()).unwrap();
    assert_eq!(registry().attach(&image, &bundle, now()).unwrap(), first);
    assert_eq!(registry().bundles(&image).unwrap().found.len(), 1);
}

#[test]
fn of_eight_writers_at_once_none_is_lost() {
    let stub = Stub::new(false);
    let image = image(&stub, "v1");
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let image = &image;
            scope.spawn(move || registry().attach(image, &bundle(image, &writer.to_string()), now()).unwrap());
        }
    });
    assert_eq!(registry().bundles(&image).unwrap().found.len(), 8);
}

#[test]
fn an_index_and_its_images_are_different_artifacts_with_a_link() {
    let stub = Stub::new(true);
    let (index, [amd, arm]) = index(&stub);
    let resolved = registry().resolve(&format!("{}:multi", reference(&stub)).parse().unwrap()).unwrap();
    assert_eq!(Some(&resolved.digest), index.digest());
    let Kind::Index { members } = &resolved.kind else { panic!("{resolved:?}") };
    assert_eq!(members.len(), 2);
    let link = resolved.link(arm.digest().unwrap()).unwrap();
    assert_eq!((&link.index, link.platform.unwrap().architecture.as_str()), (index.digest().unwrap(), "arm64"));
    let stranger = image(&stub, "other");
    assert_eq!(resolved.link(stranger.digest().unwrap()).unwrap_err().code(), "EXPECTATION_UNMET");
    let alone = registry().resolve(&amd).unwrap();
    assert_eq!(alone.kind, Kind::Manifest);
    assert_eq!(alone.link(arm.digest().unwrap()).unwrap_err().code(), "EXPECTATION_UNMET");
    // a bundle about one is stored beside that one alone, and found there alone
    for (one, other) in [(&index, &amd), (&amd, &index), (&amd, &arm)] {
        let e = registry().attach(other, &bundle(one, "x"), now()).unwrap_err();
        assert_eq!(e.code(), "DIGEST_MISMATCH");
    }
    registry().attach(&index, &bundle(&index, "x"), now()).unwrap();
    assert_eq!(registry().bundles(&amd).unwrap().found.len(), 0);
    assert_eq!(registry().bundles(&index).unwrap().found.len(), 1);
}

#[test]
fn a_tag_is_looked_up_once_and_never_taken_for_a_digest() {
    let stub = Stub::new(true);
    let (first, second) = (image(&stub, "v1"), image(&stub, "v2"));
    let by_tag = format!("{}:v1", reference(&stub)).parse().unwrap();
    assert_eq!(Some(registry().resolve(&by_tag).unwrap().digest), first.digest().cloned());
    assert_eq!(registry().bundles(&by_tag).unwrap_err().code(), "API_MISUSE");
    assert_eq!(registry().attach(&by_tag, &bundle(&first, "x"), now()).unwrap_err().code(), "API_MISUSE");
    assert_eq!(registry().resolve(&reference(&stub)).unwrap_err().code(), "API_MISUSE");
    let both = |digest| format!("{by_tag}@{digest}").parse().unwrap();
    registry().resolve(&both(first.digest().unwrap())).unwrap();
    assert_eq!(registry().resolve(&both(second.digest().unwrap())).unwrap_err().code(), "DIGEST_MISMATCH");
}

#[test]
fn copied_bundles_keep_digests_and_annotations() {
    let (from, to) = (Stub::new(true), Stub::new(false));
    let (source, target) = (image(&from, "v1"), image(&to, "v1"));
    let attached = registry().attach(&source, &bundle(&source, "a"), now()).unwrap();
    from.put_blob(b"{}");
    assert_eq!(registry().copy_bundles(&source, &target).unwrap(), [attached]);
    assert_eq!(registry().bundles(&target).unwrap().found, registry().bundles(&source).unwrap().found);
    let other = image(&to, "v2");
    assert_eq!(registry().copy_bundles(&source, &other).unwrap_err().code(), "API_MISUSE");
}

#[test]
fn what_is_no_bundle_of_a_statement_is_not_attached() {
    let stub = Stub::new(true);
    let image = image(&stub, "v1");
    let key = sealwright::key::PrivateKey::generate(KeyType::P256).unwrap();
    let bundle: serde_json::Value =
        serde_json::from_slice(&sign(&statement(&image, "a"), &key).unwrap().to_json()).unwrap();
    let bare = bundle["dsseEnvelope"].to_string();
    assert_eq!(registry().attach(&image, bare.as_bytes(), now()).unwrap_err().code(), "UNSUPPORTED");
    assert_eq!(registry().attach(&image, b"{}", now()).unwrap_err().code(), "UNSUPPORTED");
    let nowhere = image.at(&sealwright::digest::Digest::sha256(b"nowhere"));
    let about = crate::image::bundle(&nowhere, "a");
    assert_eq!(registry().attach(&nowhere, &about, now()).unwrap_err().code(), "NOT_FOUND");
}
