//! Verifying Sigstore bundles, beside the crate of the Sigstore project and the signatures that cannot be avoided.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench")]

use criterion::Criterion;
use sealwright::digest::Digest;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{CertificateIdentity, TrustRoot};
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};
use sealwright_benches::{BEACON, GITHUB, Signatures, corpora};

fn verification(c: &mut Criterion) {
    let Some(corpora) = corpora("verifying bundles") else { return };
    let cases = corpora.join("sigstore-bundles/conformance/bundle-verify");
    let artifact = std::fs::read(cases.join("a.txt")).unwrap();
    let production = corpora.join("sigstore-trust-roots/public-good/targets/trusted_root.json");
    let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
    let signatures = Signatures::default();
    for (row, case, root) in [
        ("verify bundle v0.3", "happy-path-v0.3", production),
        ("verify bundle Rekor v2", "rekor2-happy-path", cases.join("rekor2-happy-path/trusted_root.json")),
    ] {
        let bundle = std::fs::read(cases.join(case).join("bundle.sigstore.json")).unwrap();
        let root = std::fs::read_to_string(root).unwrap();
        let verifier = Verifier::new(TrustRoot::new().with_sigstore(root.as_bytes()).unwrap());
        let identity = || Identity::Certificate(CertificateIdentity::new(BEACON, GITHUB));
        let expectation = Expectation::new(Artifact::Is(Digest::sha256(&artifact)), identity(), now);
        let ours = || verifier.verify_blob(&bundle, Blob::Bytes(&artifact), &expectation).unwrap();

        let text = std::str::from_utf8(&bundle).unwrap();
        let peer_root = sigstore_verify::trust_root::TrustedRoot::from_json(&root).unwrap();
        let peer = sigstore_verify::Verifier::new(&peer_root).unwrap();
        let policy = sigstore_verify::VerificationPolicy::new(BEACON.to_owned(), GITHUB);
        let theirs = |artifact: &[u8]| {
            let bundle = sigstore_verify::types::Bundle::from_json(text).unwrap();
            peer.verify(artifact, &bundle, &policy)
        };
        // both sides pass the file that was signed, and refuse another
        ours();
        theirs(&artifact).unwrap();
        let of_any = Expectation::of_signer(identity(), now);
        assert!(verifier.verify_blob(&bundle, Blob::Bytes(b"another"), &of_any).is_err());
        assert!(theirs(b"another").is_err());

        let mut group = c.benchmark_group(row);
        group.bench_function("ours", |b| b.iter(ours));
        group.bench_function("crate", |b| b.iter(|| theirs(&artifact).unwrap()));
        group.bench_function("floor", |b| b.iter(|| signatures.verify()));
        group.finish();
    }
}

pub(crate) fn run() {
    let mut criterion = Criterion::default();
    verification(&mut criterion);
    criterion.final_summary();
}
