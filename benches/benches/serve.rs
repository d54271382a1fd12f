//! Appending through a sequencer on loopback: sixteen clients, each a record at a time with its receipt proven, beside
//! one write that reaches the disk.
//!
//! `cargo bench -p sealwright-benches -- serve`. What was appended is counted and audited after it was timed.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::indexing_slicing, reason = "a bench")]

use std::io::Write as _;
use std::path::Path;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger, Pins};
use sealwright::predicate::{PredicateType, TestResult, TrustPolicy, Writer};
use sealwright::remote::{Access, Submitter};
use sealwright::serve::{Config, Sequencer};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust_policy;
use sealwright_benches::one_operator;

const CLIENTS: usize = 16;
const EACH: usize = 200;
const CONFIG: &str = r#"
ledger = "ledger"
state = "server-state"
log-key = "log.pem"
listen = "127.0.0.1:0"
transport = "plain-behind-proxy"
[roles]
submitter = ["append", "read-log"]
[[issuer]]
issuer = "https://issuer.example"
audience = "bench"
algorithms = ["EdDSA"]
keys-file = "keys.json"
[[caller]]
name = "ci"
credential = "ci"
roles = ["submitter"]
token = { issuer = "https://issuer.example", subject = "ci" }
[limits]
burst = 100000
requests-per-second = 100000
"#;

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn policy(key: &PrivateKey) -> TrustPolicy {
    let mut policy = one_operator(key, &[TestResult::TYPE]);
    let predicate_types = policy.signers[0].predicate_types.clone();
    policy.writers = vec![Writer { credential: "ci".to_owned(), predicate_types }];
    policy
}

fn record(key: &PrivateKey, n: usize) -> Vec<u8> {
    let json = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": Digest::sha256(&n.to_be_bytes()).hex()}}],
        "predicateType": TestResult::TYPE,
        "predicate": {"result": "PASSED", "configuration": [{"uri": format!("https://example.org/suite/{n}")}]},
    });
    sign(&Statement::parse(serde_json::to_vec(&json).unwrap()).unwrap(), key).unwrap().to_json()
}

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = (0..3).fold(0u32, |n, i| n << 8 | u32::from(*chunk.get(i).unwrap_or(&0)));
        out.extend((0..=chunk.len()).map(|i| char::from(ALPHABET[(n >> (18 - 6 * i) & 63) as usize])));
    }
    out
}

fn token(pair: &Ed25519KeyPair) -> String {
    let seconds = now().unix_seconds();
    let claims = format!(
        r#"{{"iss":"https://issuer.example","aud":"bench","sub":"ci","iat":{seconds},"exp":{}}}"#,
        seconds + 3600
    );
    let signed = format!("{}.{}", base64url(br#"{"alg":"EdDSA","kid":"k"}"#), base64url(claims.as_bytes()));
    let signature = pair.sign(signed.as_bytes());
    format!("{signed}.{}", base64url(signature.as_ref()))
}

fn floor(dir: &Path) -> Duration {
    let mut file = std::fs::File::create(dir.join("floor")).unwrap();
    let mut spent: Vec<Duration> = (0..200)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    spent.sort_unstable();
    spent[100]
}

pub(crate) fn run() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let dir = dir.path();
    let (key, log) = (PrivateKey::generate(KeyType::Ed25519).unwrap(), PrivateKey::generate(KeyType::Ed25519).unwrap());
    std::fs::write(dir.join("log.pem"), log.to_pem().unwrap().as_bytes()).unwrap();
    let first = sign(&trust_policy::statement(&policy(&key)).unwrap(), &key).unwrap().to_json();
    let anchors = Anchors::in_folder(dir.join("state"));
    let log_key = sealwright::key::read_private(&dir.join("log.pem"), None).unwrap();
    let vkey = {
        let ledger = Ledger::init(&dir.join("ledger"), &anchors, "example.org/bench", log, &[first], now()).unwrap();
        ledger.log_key().clone()
    };
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let x = base64url(pair.public_key().as_ref());
    let keys = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"k","x":"{x}"}}]}}"#);
    std::fs::write(dir.join("keys.json"), keys).unwrap();
    let config = Config::parse(CONFIG, dir).unwrap();
    let ledger = Ledger::open(config.ledger(), &Anchors::in_folder(config.state()), &Pins::none()).unwrap();
    let clock = Box::new(|| Ok(now()));
    let server = Sequencer::start(config, ledger, vec![log_key], clock, Box::new(std::io::sink())).unwrap();
    let url = format!("http://{}", server.address());

    let floor = floor(dir);
    let start = Barrier::new(CLIENTS + 1);
    let (spent, mut each) = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (url, key, pair, vkey, start) = (&url, &key, &pair, &vkey, &start);
                scope.spawn(move || {
                    let mut pins = Pins::none();
                    pins.log_key = Some(vkey.clone());
                    let access = Access::anonymous().with_token(&token(pair)).unwrap();
                    let anchors = Anchors::in_folder(dir.join(format!("state-{client}")));
                    let mut submitter = Submitter::connect(url, &access, &anchors, &pins).unwrap();
                    let records: Vec<_> = (0..EACH).map(|n| record(key, client * EACH + n)).collect();
                    start.wait();
                    let one = |record: Vec<u8>| {
                        let begun = Instant::now();
                        assert!(!submitter.submit(&[record], now()).unwrap()[0].already_there);
                        begun.elapsed()
                    };
                    records.into_iter().map(one).collect::<Vec<_>>()
                })
            })
            .collect();
        start.wait();
        let begun = Instant::now();
        let each: Vec<Duration> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (begun.elapsed(), each)
    });
    server.stop();
    server.wait().unwrap();
    let mut ledger = Ledger::open(&dir.join("ledger"), &anchors, &Pins::none()).unwrap();
    assert_eq!(ledger.size(), 1 + (CLIENTS * EACH) as u64);
    assert!(ledger.audit().unwrap().is_clean());
    each.sort_unstable();
    let rate = (CLIENTS * EACH) as f64 / spent.as_secs_f64();
    let (median, p99) = (each[each.len() / 2], each[each.len() * 99 / 100]);
    println!("append over HTTP, {CLIENTS} clients: {rate:.0} records/s, median {median:.1?}, p99 {p99:.1?}");
    println!("floor, one fsync: {floor:.1?}; {:.1} records in the time of one", rate * floor.as_secs_f64());
}
