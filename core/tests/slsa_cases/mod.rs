//! The cases of slsa-verifier's own tests that need no network, with what it decides of each.
#![allow(dead_code, reason = "tests and an example, each with its own part")]

use std::collections::BTreeMap;
use std::path::Path;

use sealwright::Error;
use sealwright::digest::{Algorithm, Digest};
use sealwright::key::PublicKey;
use sealwright::provenance::{BuilderRef, ProvenanceExpectation, SummaryExpectation, TrustedBuilder};
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, CertificateIdentity, Expectation, Identity, Matcher, Verifier};
use serde::Deserialize;

pub(crate) const ISSUER: &str = "https://token.actions.githubusercontent.com";
const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows";
/// The builders that slsa-verifier trusts if none is named.
const BUILDERS: [&str; 4] = [
    "generator_generic_slsa3.yml",
    "builder_go_slsa3.yml",
    "builder_docker-based_slsa3.yml",
    "builder_container-based_slsa3.yml",
];

#[derive(Debug, Deserialize)]
pub(crate) struct Case {
    pub(crate) test: String,
    pub(crate) name: String,
    pub(crate) provenance: String,
    #[serde(default)]
    pub(crate) artifacts: Vec<BTreeMap<String, String>>,
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
    pub(crate) expect: String,
    offline: bool,
}

/// Those that need no network.
pub(crate) fn cases(dir: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(dir.join("cases.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str::<Case>(line).unwrap()).filter(|case| case.offline).collect()
}

pub(crate) fn now() -> Timestamp {
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
pub(crate) fn verify_build(verifier: &Verifier, dir: &Path, case: &Case) -> Result<(), Error> {
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

/// How a case is decided: `ok`, or the cause of the refusal in slsa-verifier's words; and what we say ourselves.
pub(crate) fn decide(verifier: &Verifier, dir: &Path, case: &Case) -> (&'static str, Result<(), Error>) {
    let decided = match case.test.as_str() {
        "vsa" => verify_summary(dir, case),
        _ => verify_build(verifier, dir, case),
    };
    (decided.as_ref().map_or_else(cause, |()| "ok"), decided)
}
