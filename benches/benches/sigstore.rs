//! Verifying Sigstore bundles, beside the crate of the Sigstore project and the signatures that cannot be avoided.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench")]

use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::timestamp::Timestamp;
use sealwright::trust::{CertificateIdentity, TrustRoot};
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};

const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn corpora() -> Option<PathBuf> {
    let root = std::env::var_os("SEALWRIGHT_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"), PathBuf::from);
    root.is_dir().then_some(root)
}

fn verification(c: &mut Criterion) {
    let Some(corpora) = corpora() else { return };
    let cases = corpora.join("sigstore-bundles/conformance/bundle-verify");
    let artifact = std::fs::read(cases.join("a.txt")).unwrap();
    let production = corpora.join("sigstore-trust-roots/public-good/targets/trusted_root.json");
    let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
    for (row, case, root) in [
        ("verify bundle v0.3", "happy-path-v0.3", production),
        ("verify bundle Rekor v2", "rekor2-happy-path", cases.join("rekor2-happy-path/trusted_root.json")),
    ] {
        let bundle = std::fs::read(cases.join(case).join("bundle.sigstore.json")).unwrap();
        let root = std::fs::read_to_string(root).unwrap();
        let verifier = Verifier::new(TrustRoot::new().with_sigstore(root.as_bytes()).unwrap());
        let identity = Identity::Certificate(CertificateIdentity::new(BEACON, GITHUB));
        let expectation = Expectation::new(Artifact::Is(Digest::sha256(&artifact)), identity, now);
        let ours = || verifier.verify_blob(&bundle, Blob::Bytes(&artifact), &expectation).unwrap();

        let text = std::str::from_utf8(&bundle).unwrap();
        let peer_root = sigstore_verify::trust_root::TrustedRoot::from_json(&root).unwrap();
        let peer = sigstore_verify::Verifier::new(&peer_root).unwrap();
        let policy = sigstore_verify::VerificationPolicy::new(BEACON.to_owned(), GITHUB);
        let theirs = || {
            let bundle = sigstore_verify::types::Bundle::from_json(text).unwrap();
            peer.verify(artifact.as_slice(), &bundle, &policy).unwrap()
        };

        let mut group = c.benchmark_group(row);
        group.bench_function("ours", |b| b.iter(ours));
        group.bench_function("crate", |b| b.iter(theirs));
        group.bench_function("floor", floor);
        group.finish();
    }
}

/// Leaf's signature and SCT, the log's checkpoint and promise, and the leaf's certificate: four of P-256, one of P-384.
fn floor(b: &mut criterion::Bencher<'_>) {
    let message = [7; 600];
    let signed = |key_type| {
        let key = PrivateKey::generate(key_type).unwrap();
        let signature = key.sign(&message).unwrap();
        (key, signature)
    };
    let (p256, p384) = (signed(KeyType::P256), signed(KeyType::P384));
    b.iter(|| {
        for _ in 0..4 {
            p256.0.public().verify(&message, &p256.1).unwrap();
        }
        p384.0.public().verify(&message, &p384.1).unwrap();
    });
}

criterion_group!(benches, verification);
criterion_main!(benches);
