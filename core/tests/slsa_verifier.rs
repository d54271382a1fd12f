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

use std::collections::BTreeMap;
use std::path::Path;

use corpora::corpora;
use sealwright::Error;
use sealwright::digest::{Algorithm, Digest};
use sealwright::key::PublicKey;
use sealwright::provenance::{BuilderRef, ProvenanceExpectation, SummaryExpectation, TrustedBuilder};
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, CertificateIdentity, Expectation, Identity, Matcher, Verifier};
use serde::Deserialize;

const ISSUER: &str = "https://token.actions.githubusercontent.com";
const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows";
/// The builders that slsa-verifier trusts if none is named.
const BUILDERS: [&str; 4] = [
    "generator_generic_slsa3.yml",
    "builder_go_slsa3.yml",
    "builder_docker-based_slsa3.yml",
    "builder_container-based_slsa3.yml",
];

#[derive(Debug, Deserialize)]
struct Case {
    test: String,
    name: String,
    provenance: String,
    #[serde(default)]
    artifacts: Vec<BTreeMap<String, String>>,
    source: Option<String>,
    builder_id: Option<String>,
    branch: Option<String>,
    tag: Option<String>,
    versioned_tag: Option<String>,
    public_key: Option<String>,
    public_key_id: Option<String>,
    #[serde(default)]
    subject_digests: Vec<String>,
    verifier_id: Option<String>,
    resource_uri: Option<String>,
    #[serde(default)]
    verified_levels: Vec<String>,
    expect: String,
    offline: bool,
}

fn cases(dir: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(dir.join("cases.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str::<Case>(line).unwrap()).filter(|case| case.offline).collect()
}

fn now() -> Timestamp {
    "2026-11-21T09:30:00Z".parse().unwrap()
}

/// The cause of a refusal in slsa-verifier's words, by our code, field and what was found.
fn cause(e: &Error) -> &'static str {
    let fact = |name: &str| e.context().iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v.as_str());
    let is_tag = fact("found").starts_with("refs/tags/");
    match (e.code(), fact("field")) {
        ("UNTRUSTED_SIGNER", "builders") => "ErrorUntrustedReusableWorkflow",
        ("EXPECTATION_UNMET", "sourceUri") => "ErrorMismatchSource",
        ("EXPECTATION_UNMET", "sourceBranch") => "ErrorMismatchBranch",
        ("EXPECTATION_UNMET", "sourceTag") if is_tag => "ErrorMismatchTag",
        ("EXPECTATION_UNMET", "sourceVersionedTag") if is_tag => "ErrorMismatchVersionedTag",
        // a tag is demanded of what was built from none
        ("EXPECTATION_UNMET", "sourceTag" | "sourceVersionedTag") => "ErrorInvalidRef",
        ("BAD_SIGNATURE", _) => "ErrorNoValidSignature",
        _ => "another",
    }
}

fn builders(named: Option<&str>) -> Vec<TrustedBuilder> {
    match named {
        Some(id) => vec![id.parse::<TrustedBuilder>().unwrap().signed_by_its_certificate(ISSUER)],
        None => BUILDERS
            .iter()
            .map(|workflow| {
                TrustedBuilder::new(format!("{GENERATOR}/{workflow}"))
                    .at(BuilderRef::Release)
                    .signed_by_its_certificate(ISSUER)
            })
            .collect(),
    }
}

/// A build's provenance: whoever GitHub vouches for may have signed it, and the builder's pair decides.
fn verify_build(verifier: &Verifier, dir: &Path, case: &Case) -> Result<(), Error> {
    let record = std::fs::read(dir.join("cli-testdata").join(&case.provenance)).unwrap();
    let anybody = CertificateIdentity::new(Matcher::pattern(r"https://github\.com/.*").unwrap(), ISSUER);
    let mut demanded = builders(case.builder_id.as_deref())
        .into_iter()
        .fold(ProvenanceExpectation::new(), ProvenanceExpectation::require_builder)
        .require_source(case.source.as_deref().unwrap());
    demanded.source_branch.clone_from(&case.branch);
    demanded.source_tag.clone_from(&case.tag);
    demanded.source_versioned_tag.clone_from(&case.versioned_tag);
    assert!(!case.artifacts.is_empty());
    for artifact in &case.artifacts {
        let digest = Digest::from_hex(Algorithm::Sha256, &artifact["sha256"]).unwrap();
        let expectation = Expectation::new(Artifact::Is(digest), Identity::Certificate(anybody.clone()), now());
        demanded.check(&verifier.verify(&record, &expectation)?)?;
    }
    Ok(())
}

fn verify_summary(dir: &Path, case: &Case) -> Result<(), Error> {
    let dir = dir.join("cli-testdata");
    let record = std::fs::read(dir.join(&case.provenance)).unwrap();
    let pem = std::fs::read(dir.join(case.public_key.as_deref().unwrap())).unwrap();
    let root = TrustRoot::new().with_key("verifier", PublicKey::from_pem(&pem)?, Window::ALWAYS)?;
    let expectation = Expectation::new(Artifact::AnyUnsafe, Identity::key("verifier"), now());
    let verified = Verifier::new(root).verify(&record, &expectation)?;
    let mut demanded = SummaryExpectation::new().require_key_id(case.public_key_id.as_deref().unwrap());
    demanded.subjects.clone_from(&case.subject_digests);
    demanded.verifier_id.clone_from(&case.verifier_id);
    demanded.resource_uri.clone_from(&case.resource_uri);
    demanded.levels.clone_from(&case.verified_levels);
    demanded.check(&verified).map(|_| ())
}

#[test]
fn each_case_that_needs_no_network_is_decided_as_slsa_verifier_decides_it() {
    let Some(dir) = corpora("slsa-verifier") else { return };
    let verifier = Verifier::new(TrustRoot::public_good().unwrap());
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in cases(&dir) {
        let decided = match case.test.as_str() {
            "vsa" => verify_summary(&dir, &case),
            _ => verify_build(&verifier, &dir, &case),
        };
        let found = decided.as_ref().map_or_else(cause, |()| "ok");
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
