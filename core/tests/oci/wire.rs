use sealwright::digest::Digest;
use sealwright::oci::{Bundles, Reference};
use serde_json::{Value, json};

use crate::image::{INDEX, MANIFEST, bundle, descriptor, image, now, reference, registry};
use crate::stub::{Instead, Stub, reply};

/// An image with one bundle attached.
fn attached() -> (Stub, Reference, Digest) {
    let stub = Stub::new(true);
    let image = image(&stub, "v1");
    let digest = registry().attach(&image, &bundle(&image, "a"), now()).unwrap();
    (stub, image, digest)
}

/// The code of the only unreadable bundle.
fn unreadable(bundles: &Bundles) -> &'static str {
    assert!(bundles.found.is_empty() && bundles.unreadable.len() == 1, "{bundles:?}");
    bundles.unreadable[0].error.code()
}

#[test]
fn a_manifest_or_bundle_with_another_digest_is_refused() {
    let (stub, image, digest) = attached();
    let other = json!({ "schemaVersion": 2, "mediaType": MANIFEST }).to_string();
    stub.answer(move |asked| {
        let hit = asked.path.ends_with(&digest.to_string());
        hit.then(|| Instead::Raw(reply("200 OK", &[("Content-Type", MANIFEST)], other.as_bytes())))
    });
    assert_eq!(unreadable(&registry().bundles(&image).unwrap()), "DIGEST_MISMATCH");
    let bundle = registry().bundles(&image).unwrap().unreadable.remove(0).digest;
    assert_eq!(registry().resolve(&image.at(&bundle)).unwrap_err().code(), "DIGEST_MISMATCH");
    stub.answer(|asked| {
        let hit = asked.method == "GET" && asked.path.contains("/blobs/");
        hit.then(|| Instead::Raw(reply("200 OK", &[], b"not the bundle")))
    });
    assert_eq!(unreadable(&registry().bundles(&image).unwrap()), "DIGEST_MISMATCH");
}

#[test]
fn answers_without_end_are_not_read_to_it() {
    let (stub, image, _) = attached();
    stub.answer(|asked| asked.path.contains("/blobs/").then_some(Instead::Endless));
    assert_eq!(unreadable(&registry().bundles(&image).unwrap()), "LIMIT_EXCEEDED");
    stub.answer(|asked| asked.path.contains("/referrers/").then_some(Instead::Endless));
    // without a media type it is no list, and the tag is asked
    assert!(registry().bundles(&image).is_err());
    stub.answer(|_| Some(Instead::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n".to_vec())));
    assert_eq!(registry().resolve(&image).unwrap_err().code(), "LIMIT_EXCEEDED");
}

#[test]
fn a_redirect_is_followed_to_safe_places_only() {
    let (stub, image, digest) = attached();
    let elsewhere = Stub::new(true);
    let held = stub.manifest(&digest.to_string()).unwrap();
    let blob = held["layers"][0]["digest"].as_str().unwrap().to_owned();
    let bytes = registry().bundles(&image).unwrap().found.remove(0).bundle;
    elsewhere.put_blob(&bytes);
    let redirect = |to: String| {
        let blob = blob.clone();
        stub.answer(move |asked| {
            let hit = asked.method == "GET" && asked.path.ends_with(&blob);
            hit.then(|| Instead::Raw(reply("307 Temporary Redirect", &[("Location", &to)], b"")))
        });
        registry().bundles(&image).unwrap()
    };
    let there = redirect(format!("http://{}/v2/cdn/blobs/{blob}", elsewhere.address));
    assert_eq!(there.found[0].bundle, bytes);
    for unsafe_place in
        ["http://registry.example/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "http://u:p@127.0.0.1/", ""]
    {
        assert_eq!(unreadable(&redirect(unsafe_place.to_owned())), "SERVICE_UNAVAILABLE", "{unsafe_place}");
    }
    let around = redirect(format!("/v2/team/app/blobs/{blob}"));
    assert_eq!(unreadable(&around), "SERVICE_UNAVAILABLE");
}

#[test]
fn a_referrer_of_another_image_is_told_and_not_taken() {
    let (stub, image, digest) = attached();
    let other = crate::image::image(&stub, "v2");
    let size = stub.manifest(&digest.to_string()).unwrap().to_string().len();
    let entry = json!({ "mediaType": MANIFEST, "digest": digest, "size": size });
    let list = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [entry] });
    stub.put_manifest(&other.digest().unwrap().to_string().replace(':', "-"), &list);
    assert_eq!(unreadable(&registry().bundles(&other).unwrap()), "DIGEST_MISMATCH");
    assert_eq!(registry().bundles(&image).unwrap().found.len(), 1);
}

#[test]
fn one_broken_bundle_hides_no_good_one_and_other_artifacts_are_passed_over() {
    let (stub, image, digest) = attached();
    let good = stub.manifest(&digest.to_string()).unwrap();
    let put = |name: &str, change: fn(&mut Value)| {
        let mut manifest = good.clone();
        change(&mut manifest);
        stub.put_manifest(name, &manifest);
    };
    put("two-layers", |m| m["layers"] = json!([m["layers"][0], m["layers"][0]]));
    put("no-blob", |m| m["layers"][0] = descriptor("x", b"nowhere"));
    put("too-large", |m| m["layers"][0]["size"] = 99_999_999_999_u64.into());
    put("sbom", |m| m["artifactType"] = "application/spdx+json".into());
    let bundles = registry().bundles(&image).unwrap();
    let mut codes: Vec<_> = bundles.unreadable.iter().map(|u| u.error.code()).collect();
    codes.sort_unstable();
    assert_eq!((bundles.found.len(), codes), (1, vec!["LIMIT_EXCEEDED", "MALFORMED", "NOT_FOUND"]));
}

#[test]
fn an_image_under_the_tag_of_the_list_hides_no_bundle_and_is_not_overwritten() {
    let (stub, image, _) = attached();
    // `cosign copy` puts the image itself there
    let tag = image.digest().unwrap().to_string().replace(':', "-");
    let own = stub.manifest("v1").unwrap();
    stub.put_manifest(&tag, &own);
    let bundles = registry().bundles(&image).unwrap();
    assert_eq!((bundles.found.len(), bundles.unreadable[0].error.code()), (1, "MALFORMED"));
    let old = Stub::new(false);
    let image = crate::image::image(&old, "v1");
    old.put_manifest(&tag, &own);
    assert_eq!(registry().attach(&image, &bundle(&image, "b"), now()).unwrap_err().code(), "MALFORMED");
    assert_eq!(old.manifest(&tag), Some(own));
}

#[test]
fn pages_of_referrers_are_read_and_bounded() {
    let (stub, image, _) = attached();
    let all = registry().bundles(&image).unwrap().found.len();
    let path = format!("/v2/team/app/referrers/{}", image.digest().unwrap());
    let first = path.clone();
    let empty = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }).to_string();
    let page = empty.clone();
    stub.answer(move |asked| {
        let link = format!("<{first}?page=2>; rel=\"next\"");
        let headers = [("Content-Type", INDEX), ("Link", link.as_str())];
        (asked.path == first).then(|| Instead::Raw(reply("200 OK", &headers, page.as_bytes())))
    });
    assert_eq!(registry().bundles(&image).unwrap().found.len(), all);
    stub.answer(move |asked| {
        let headers = [("Content-Type", INDEX), ("Link", "</v2/team/app/referrers/x>; rel=\"next\"")];
        asked.path.contains("/referrers/").then(|| Instead::Raw(reply("200 OK", &headers, empty.as_bytes())))
    });
    assert_eq!(registry().bundles(&image).unwrap_err().code(), "LIMIT_EXCEEDED");
}

#[test]
fn what_answers_wrongly_or_not_at_all_is_unavailable() {
    let nobody: Reference = format!("127.0.0.1:1/a@{}", Digest::sha256(b"")).parse().unwrap();
    assert_eq!(registry().resolve(&nobody).unwrap_err().code(), "SERVICE_UNAVAILABLE");
    let (stub, image, _) = attached();
    for (answer, code) in [
        (reply("500 Oops", &[], b"x"), "SERVICE_UNAVAILABLE"),
        (reply("403 Forbidden", &[], b"x"), "PERMISSION_DENIED"),
        (b"garbage\r\n\r\n".to_vec(), "SERVICE_UNAVAILABLE"),
        (Vec::new(), "SERVICE_UNAVAILABLE"),
    ] {
        stub.answer(move |_| Some(Instead::Raw(answer.clone())));
        assert_eq!(registry().resolve(&image).unwrap_err().code(), code);
        assert_eq!(registry().bundles(&image).unwrap_err().code(), code);
    }
}

#[test]
fn plain_http_is_spoken_to_this_machine_alone() {
    // no such host: what is tested is that it was asked for by TLS, which fails before a byte of HTTP
    let far: Reference = "registry.invalid:80/a:v1".parse().unwrap();
    let e = registry().resolve(&far).unwrap_err();
    assert!(e.code() == "SERVICE_UNAVAILABLE" && e.message().contains("https://registry.invalid"), "{e}");
}

#[test]
fn a_call_within_an_async_runtime_is_misuse_and_no_panic() {
    let stub = Stub::new(true);
    let image = image(&stub, "v1");
    let (registry, runtime) = (registry(), tokio::runtime::Builder::new_current_thread().build().unwrap());
    let e = runtime.block_on(async { registry.resolve(&image) }).unwrap_err();
    assert_eq!(e.code(), "API_MISUSE");
    registry.resolve(&reference(&stub).at(image.digest().unwrap())).unwrap();
}
