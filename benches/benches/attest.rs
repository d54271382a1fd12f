//! Signing and verifying records, beside the curve arithmetic alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, reason = "a bench")]

use criterion::Criterion;
use sealwright::artifact::ResourceDescriptor;
use sealwright::bundle::Bundle;
use sealwright::digest::Digest;
use sealwright::envelope::{Envelope, pae};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Expectation, Identity, Verifier};

/// A statement with a payload of exactly so many bytes, as the peers sign them.
fn statement(artifact: &Digest, bytes: usize) -> Statement {
    let of = |length| {
        let predicate = serde_json::json!({ "text": "t".repeat(length) });
        Statement::from_json("https://example.org/text/v1", vec![ResourceDescriptor::of(artifact.clone())], &predicate)
            .unwrap()
    };
    let statement = of(bytes - of(0).payload().len());
    assert_eq!(statement.payload().len(), bytes);
    statement
}

fn attest(c: &mut Criterion) {
    let artifact = Digest::sha256(b"artifact");
    let key = PrivateKey::generate(KeyType::P256).unwrap();
    let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
    let verifier = Verifier::new(TrustRoot::new().with_key("ci", key.public().clone(), Window::ALWAYS).unwrap());
    let expectation = Expectation::new(Artifact::Is(artifact.clone()), Identity::key("ci"), now);
    for (size, bytes) in [("1KB", 1_000), ("1MB", 1_000_000)] {
        let statement = statement(&artifact, bytes);
        let record = sign(&statement, &key).unwrap().to_json();
        let message = pae(sealwright::envelope::IN_TOTO, statement.payload());
        let signature = key.sign(&message).unwrap();
        // both sides do what they are timed for
        verifier.verify(&record, &expectation).unwrap();
        key.public().verify(&message, &signature).unwrap();

        let mut group = c.benchmark_group(format!("sign {size}"));
        group.bench_function("ours", |b| b.iter(|| sign(&statement, &key).unwrap().to_json()));
        group.bench_function("floor", |b| b.iter(|| key.sign(&message).unwrap()));
        group.finish();
        // the envelope alone, as the peers do; and the record with everything that is demanded of it
        let envelope = Bundle::parse(&record).unwrap().into_envelope().unwrap().to_json();
        let verify = |envelope: &[u8]| {
            let envelope = Envelope::parse(envelope).unwrap();
            key.public().verify(&envelope.pae(), &envelope.signatures()[0].sig)
        };
        verify(&envelope).unwrap();
        let mut wrong: serde_json::Value = serde_json::from_slice(&envelope).unwrap();
        wrong["payload"] = "dA==".into();
        verify(&serde_json::to_vec(&wrong).unwrap()).unwrap_err();
        for (row, ours) in [
            (format!("verify {size}"), &(|| verify(&envelope).unwrap()) as &dyn Fn()),
            (format!("verify record {size}"), &|| drop(verifier.verify(&record, &expectation).unwrap())),
        ] {
            let mut group = c.benchmark_group(row);
            group.bench_function("ours", |b| b.iter(ours));
            group.bench_function("floor", |b| b.iter(|| key.public().verify(&message, &signature).unwrap()));
            group.finish();
        }
    }
}

fn statements(c: &mut Criterion) {
    let built = serde_json::json!({
        "buildDefinition": { "buildType": "https://example.org/build/v1", "externalParameters": { "ref": "refs/heads/main" } },
        "runDetails": { "builder": { "id": "https://example.org/builder" } } });
    for count in [1, 1000] {
        let subjects: Vec<_> = (0..count)
            .map(|i| ResourceDescriptor::of(Digest::sha256(format!("{i}").as_bytes())).named(format!("a{i}")))
            .collect();
        let build = || Statement::from_json("https://slsa.dev/provenance/v1", subjects.clone(), &built).unwrap();
        assert_eq!(build().subjects().len(), count);
        // writing the same as plain JSON, which checks nothing
        let plain: serde_json::Value = serde_json::from_slice(build().payload()).unwrap();
        let mut group = c.benchmark_group(format!("statement {count} subjects"));
        group.bench_function("ours", |b| b.iter(build));
        group.bench_function("floor", |b| b.iter(|| serde_json::to_vec(&plain).unwrap()));
        group.finish();
    }
}

pub(crate) fn run() {
    let mut criterion = Criterion::default();
    attest(&mut criterion);
    statements(&mut criterion);
    criterion.final_summary();
}
