//! Appending and auditing, beside one write that reaches the disk.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench")]

use std::io::Write as _;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger};
use sealwright::predicate::{Admin, PredicateType, Profile, Release, TrustPolicy, TrustedSigner};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust_policy;

struct Bench {
    dir: tempfile::TempDir,
    key: PrivateKey,
    ledger: Ledger,
    now: Timestamp,
    made: u64,
}

impl Bench {
    fn new() -> Self {
        let key = PrivateKey::generate(KeyType::P256).unwrap();
        let policy = TrustPolicy {
            version: 1,
            supersedes: None,
            admins: vec![Admin { signer: "ci".to_owned() }],
            threshold: 1,
            signers: vec![TrustedSigner {
                name: "ci".to_owned(),
                key: Some(trust_policy::key_descriptor(key.public())),
                predicate_types: vec![TrustPolicy::TYPE.to_owned(), Release::TYPE.to_owned()],
                ..TrustedSigner::default()
            }],
            writers: vec![],
            people: vec![],
            revocations: vec![],
            profile: Profile { name: "starter".to_owned(), single_operator: true, leaves_out: vec![] },
            witnesses: vec![],
            quorum: 0,
            policy_bundle: None,
            trusted_roots: vec![],
            keyless: None,
        };
        let record = sign(&trust_policy::statement(&policy).unwrap(), &key).unwrap().to_json();
        let now: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let anchors = Anchors::in_folder(dir.path().join("state"));
        let log = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let ledger =
            Ledger::init(&dir.path().join("ledger"), &anchors, "example.org/bench", log, &[record], now).unwrap();
        Self { dir, key, ledger, now, made: 0 }
    }

    fn record(&mut self) -> Vec<u8> {
        self.made += 1;
        let release = Release {
            purl: format!("pkg:generic/bench@{}", self.made),
            package_id: None,
            release_id: Some(format!("bench-{}", self.made)),
            release_kind: None,
        };
        let subject = ResourceDescriptor::of(Digest::sha256(&self.made.to_be_bytes()));
        sign(&Statement::new(vec![subject], &release).unwrap(), &self.key).unwrap().to_json()
    }

    fn append(&mut self, records: &[Vec<u8>]) {
        let verified: Vec<_> = records.iter().map(|r| self.ledger.verify(r, self.now).unwrap()).collect();
        self.ledger.append_all(&verified, self.now).unwrap();
    }
}

fn ledger(c: &mut Criterion) {
    let mut bench = Bench::new();
    for (name, batch) in [("append 1", 1), ("append batch of 100", 100)] {
        let mut group = c.benchmark_group(name);
        group.sample_size(20);
        group.bench_function("ours", |b| {
            b.iter_custom(|times| {
                let mut spent = std::time::Duration::ZERO;
                for _ in 0..times {
                    let records: Vec<_> = (0..batch).map(|_| bench.record()).collect();
                    let begun = std::time::Instant::now();
                    bench.append(&records);
                    spent += begun.elapsed();
                }
                spent
            });
        });
        let file = bench.dir.path().join("floor");
        group.bench_function("floor", |b| {
            b.iter_batched(
                || std::fs::File::create(&file).unwrap(),
                |mut file| {
                    file.write_all(&[7; 4096]).unwrap();
                    file.sync_all().unwrap();
                },
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
    let mut group = c.benchmark_group("audit");
    group.sample_size(10);
    assert!(bench.ledger.audit().unwrap().is_clean());
    group.bench_function("ours", |b| b.iter(|| bench.ledger.audit().unwrap()));
    group.finish();
}

criterion_group!(benches, ledger);
criterion_main!(benches);
