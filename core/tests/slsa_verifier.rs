//! The cases of slsa-verifier's own tests that need no network: decided as it decides them, and for the same cause.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod corpora;
mod slsa_cases;

use std::collections::BTreeMap;

use corpora::corpora;
use sealwright::digest::{Algorithm, Digest};
use sealwright::provenance::{BuilderRef, ProvenanceExpectation, TrustedBuilder};
use sealwright::trust::TrustRoot;
use sealwright::verifier::{Artifact, CertificateIdentity, Expectation, Identity, Matcher, Verifier};
use slsa_cases::{ISSUER, cases, decide, now, verify_build};

#[test]
fn each_case_that_needs_no_network_is_decided_as_slsa_verifier_decides_it() {
    let Some(dir) = corpora("slsa-verifier") else { return };
    let verifier = Verifier::new(TrustRoot::public_good().unwrap());
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in cases(&dir) {
        let (found, decided) = decide(&verifier, &dir, &case);
        if found != case.expect {
            wrong.push(format!("{} `{}`: expected {}, {decided:?}", case.provenance, case.name, case.expect));
        }
        *counts.entry((case.test, case.expect)).or_default() += 1;
    }
    for ((test, expect), count) in &counts {
        println!("slsa-verifier {test:<16} {expect:<32} {count:>4}");
    }
    assert_eq!(counts.values().sum::<usize>(), 515);
    assert!(wrong.is_empty(), "{} of 515\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_record_of_the_corpus_is_refused_for_another_artifact_issuer_and_changed_byte() {
    let Some(dir) = corpora("slsa-verifier") else { return };
    let verifier = Verifier::new(TrustRoot::public_good().unwrap());
    let mut case = cases(&dir).into_iter().find(|c| c.test == "artifact" && c.expect == "ok").unwrap();
    verify_build(&verifier, &dir, &case).unwrap();
    let record = std::fs::read(dir.join("cli-testdata").join(&case.provenance)).unwrap();
    let digest = Digest::from_hex(Algorithm::Sha256, &case.artifacts[0]["sha256"]).unwrap();
    let other = CertificateIdentity::new(Matcher::pattern(".*").unwrap(), "https://accounts.example.org");
    let expectation = Expectation::new(Artifact::Is(digest), Identity::Certificate(other), now());
    assert_eq!(verifier.verify(&record, &expectation).unwrap_err().code(), "UNTRUSTED_SIGNER");
    case.artifacts[0].insert("sha256".to_owned(), "0".repeat(64));
    assert_eq!(verify_build(&verifier, &dir, &case).unwrap_err().code(), "DIGEST_MISMATCH");
}

#[test]
fn a_release_of_the_bazel_registry_is_believed_from_its_workflow_and_from_no_other() {
    let Some(dir) = corpora("slsa-verifier/cli-testdata/bcr") else { return };
    let verifier = Verifier::new(TrustRoot::public_good().unwrap());
    let check = |file: &str, digest: &str, workflow: &str| {
        let record = std::fs::read(dir.join(file)).unwrap();
        let anybody = CertificateIdentity::new(Matcher::pattern(r"https://github\.com/.*").unwrap(), ISSUER);
        let digest = Digest::from_hex(Algorithm::Sha256, digest).unwrap();
        let expectation = Expectation::new(Artifact::Is(digest), Identity::Certificate(anybody), now());
        let builder = TrustedBuilder::new(workflow).at(BuilderRef::Release).signed_by_its_certificate(ISSUER);
        let demanded = ProvenanceExpectation::new()
            .require_builder(builder)
            .require_source("github.com/aspect-build/rules_lint")
            .require_commit("8f70009fde0c94ade6ce2a054b94718c819126ec")
            .require_runner_environment("github-hosted")
            .require_trigger("workflow_dispatch")
            .allow_parameters(["workflow"]);
        demanded.check(&verifier.verify(&record, &expectation)?).map(|checked| checked.build.builder_id)
    };
    let publish = "https://github.com/bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml";
    let module = "06ce330900a7d6403bc8d88e5dfad6aeeb8ae40179f66bb89e69c8bf6f6b1a0b";
    assert_eq!(check("MODULE.bazel.intoto.jsonl", module, publish).unwrap(), format!("{publish}@refs/tags/v0.0.1"));
    let e = check("MODULE-wrong-signer.bazel.intoto.jsonl", module, publish).unwrap_err();
    assert_ne!(e.code(), "INTERNAL");
    assert!(e.kind().is_refusal(), "{e}");
    let ruleset = "https://github.com/bazel-contrib/.github/.github/workflows/release_ruleset.yaml";
    let archive = "1636f443b01c9ee310ee5834956d0dce374c3d3bf8d4cebc9f6b86f8304b4982";
    check("rules_lint-v1.3.1.tar.gz.intoto.jsonl", archive, ruleset).unwrap();
    let e = check("rules_lint-v1.3.1.tar.gz.intoto.jsonl", archive, publish).unwrap_err();
    assert_eq!(e.code(), "UNTRUSTED_SIGNER");
}
