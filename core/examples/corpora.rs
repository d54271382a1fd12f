//! Verifies everything in the corpora and prints how many bundles passed and were refused, and how many had to be:
//! `cargo run --example corpora`. Ends with 1 if anything is not as its owners state.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example that reads test data"
)]

#[path = "../tests/corpora/mod.rs"]
mod corpora;
#[path = "../tests/sigstore_cases/mod.rs"]
mod sigstore_cases;
#[path = "../tests/slsa_cases/mod.rs"]
mod slsa_cases;

use std::process::ExitCode;

use sealwright::json::Value;
use sealwright::key::PublicKey;
use sealwright::trust::TrustRoot;
use sealwright::verifier::Verifier;
use sigstore_cases::{Case, Expected};

fn main() -> ExitCode {
    let Some(bundles) = corpora::corpora("sigstore-bundles") else {
        return ExitCode::FAILURE;
    };
    println!("{:<28} {:>6} {:>9} {:>7} {:>8}", "corpus", "cases", "must pass", "passed", "refused");
    let mut surprises = Vec::new();
    for (corpus, cases) in [
        ("conformance", sigstore_cases::conformance(&bundles)),
        ("cpython-releases", sigstore_cases::cpython(&bundles)),
        ("other clients", sigstore_cases::others(&bundles)),
    ] {
        surprises.extend(row(corpus, &cases));
    }
    for (corpus, file) in
        [("wycheproof P-256", "ecdsa_secp256r1_sha256_test.json"), ("wycheproof Ed25519", "ed25519_test.json")]
    {
        surprises.extend(vectors(corpus, file));
    }
    surprises.extend(slsa_verifier());
    surprises.extend(dsse_vector());
    surprises.iter().for_each(|surprise| eprintln!("{surprise}"));
    if surprises.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(corpus: &str, cases: &[Case]) -> Vec<String> {
    let must_pass = cases.iter().filter(|c| c.expected == Expected::Passes).count();
    let passed = cases.iter().filter(|c| c.run().is_ok()).count();
    print(corpus, cases.len(), must_pass, passed);
    cases.iter().filter_map(Case::surprise).map(|s| format!("{corpus}: {s}")).collect()
}

/// Signatures of a key type, good and bad (C2SP/wycheproof).
fn vectors(corpus: &str, file: &str) -> Vec<String> {
    let Some(folder) = corpora::corpora("crypto-vectors/wycheproof") else {
        return vec![format!("{corpus}: missing")];
    };
    let vectors: Value = serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap();
    let (mut all, mut must_pass, mut passed, mut surprises) = (0, 0, 0, Vec::new());
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = PublicKey::from_pem(group["publicKeyPem"].as_str().unwrap().as_bytes()).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let bytes = |name: &str| hex::decode(test[name].as_str().unwrap()).unwrap();
            let (valid, verified) = (test["result"] == "valid", key.verify(&bytes("msg"), &bytes("sig")).is_ok());
            (all, must_pass, passed) = (all + 1, must_pass + usize::from(valid), passed + usize::from(verified));
            if valid != verified {
                surprises.push(format!("{corpus}: {}: expected {valid}, found {verified}", test["tcId"]));
            }
        }
    }
    print(corpus, all, must_pass, passed);
    surprises
}

/// Provenance and verification summaries, refused for the cause that slsa-verifier names.
fn slsa_verifier() -> Vec<String> {
    let Some(folder) = corpora::corpora("slsa-verifier") else { return vec!["slsa-verifier: missing".to_owned()] };
    let (cases, verifier) = (slsa_cases::cases(&folder), Verifier::new(TrustRoot::public_good().unwrap()));
    let decided: Vec<_> = cases.iter().map(|case| slsa_cases::decide(&verifier, &folder, case)).collect();
    let passed = decided.iter().filter(|(found, _)| *found == "ok").count();
    print("slsa-verifier, offline", cases.len(), cases.iter().filter(|c| c.expect == "ok").count(), passed);
    let surprises = cases.iter().zip(decided).filter(|(case, (found, _))| *found != case.expect);
    surprises.map(|(case, (_, e))| format!("slsa-verifier: {}: expected {}, {e:?}", case.name, case.expect)).collect()
}

/// The test vector of DSSE: what is signed, and that its key signed it.
fn dsse_vector() -> Vec<String> {
    let Some(folder) = corpora::corpora("in-toto/dsse-spec") else { return vec!["DSSE: missing".to_owned()] };
    let (envelope, key) = sigstore_cases::dsse::dsse_vector(&folder);
    let passed = usize::from(key.verify(&envelope.pae(), &envelope.signatures()[0].sig).is_ok());
    print("DSSE test vector", 1, 1, passed);
    if passed == 1 { vec![] } else { vec!["DSSE: its signature is refused".to_owned()] }
}

fn print(corpus: &str, all: usize, must_pass: usize, passed: usize) {
    println!("{corpus:<28} {all:>6} {must_pass:>9} {passed:>7} {:>8}", all - passed);
}
