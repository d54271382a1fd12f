//! Our verifier beside the `sigstore-verify` crate, on the same bundles and on bundles with one leaf changed: we never
//! take what it refuses, but for what is listed with its reason.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests"
)]

mod corpora;
mod sigstore_cases;

use std::collections::BTreeSet;

use sealwright::digest::Algorithm;
use sealwright::verifier::Matcher;
use sigstore_types::{Artifact, ArtifactDigest, DerPublicKey, HashAlgorithm};
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy, Verifier};

use self::corpora::corpora;
use self::sigstore_cases::mutants::mutants;
use self::sigstore_cases::{About, Case, Signer, conformance_case};

/// What the peer says of a case, under its own verifier of the same root.
fn peer(verifier: &Verifier, case: &Case) -> Result<(), String> {
    let text = std::str::from_utf8(&case.bundle).map_err(|e| e.to_string())?;
    let bundle = sigstore_types::Bundle::from_json(text).map_err(|e| e.to_string())?;
    let artifact = match &case.about {
        About::File(bytes) => Artifact::from_blob(bytes),
        About::Digest(digest) => {
            let algorithm = match digest.algorithm() {
                Algorithm::Sha512 => HashAlgorithm::Sha2512,
                _ => HashAlgorithm::Sha2256,
            };
            Artifact::from_digest(ArtifactDigest::new(algorithm, digest.bytes().to_vec()).unwrap())
        }
        About::Any => return Err("the peer always compares the artifact".to_owned()),
    };
    let verdict = match &case.signer {
        Signer::Certificate(identity) => {
            let Matcher::Exact(subject) = identity.subject() else { panic!("the peer knows no patterns") };
            verifier.verify(artifact, &bundle, &VerificationPolicy::new(subject.as_str(), identity.issuer()))
        }
        Signer::Key(_, pem) => {
            let pem = std::str::from_utf8(pem).unwrap();
            let key = DerPublicKey::from_pem(pem).map_err(|e| e.to_string())?;
            verifier.verify(artifact, &bundle, &PublicKeyVerificationPolicy::new(key))
        }
    };
    verdict.map(|_| ()).map_err(|e| e.to_string())
}

fn peer_verifier(case: &Case) -> Result<Verifier, String> {
    let root = match case.roots.as_slice() {
        [] => SIGSTORE_PRODUCTION_TRUSTED_ROOT,
        [root] => std::str::from_utf8(root).unwrap(),
        _ => return Err("the peer believes one root".to_owned()),
    };
    let root = TrustedRoot::from_json(root).map_err(|e| e.to_string())?;
    Verifier::new(&root).map_err(|e| e.to_string())
}

#[test]
fn the_peer_says_the_same_of_the_clients_suite_and_of_cpythons_releases() {
    let Some(bundles) = corpora("sigstore-bundles") else { return };
    for case in [sigstore_cases::conformance(&bundles), sigstore_cases::cpython(&bundles)].concat() {
        let theirs = peer_verifier(&case).and_then(|verifier| peer(&verifier, &case));
        assert_eq!(case.run().is_ok(), theirs.is_ok(), "{}: {theirs:?}", case.name);
    }
}

/// Bundles of others that we take and the peer refuses, and why.
const TAKEN: &[(&str, &str)] = &[
    (
        "github_provenance_demo",
        "GitHub's own instance has no logs; we were told to do without, which the peer can't be",
    ),
    (".attestation", "attestations of the Python package index (PEP 740) are no bundles to the peer"),
    (".tar.gz.provenance", "the same"),
];

#[test]
fn of_other_clients_bundles_we_take_no_more_than_the_peer_but_for_what_is_listed() {
    let Some(bundles) = corpora("sigstore-bundles") else { return };
    let mut listed: BTreeSet<_> = TAKEN.iter().map(|(name, _)| *name).collect();
    let mut alone = Vec::new();
    for case in sigstore_cases::others(&bundles) {
        if matches!(case.about, About::Any) {
            continue;
        }
        let theirs = peer_verifier(&case).and_then(|verifier| peer(&verifier, &case));
        if case.run().is_ok() && theirs.is_err() {
            let known = TAKEN.iter().find(|(name, _)| case.name.contains(name));
            match known {
                Some((name, _)) => _ = listed.remove(name),
                None => alone.push(format!("{}: {theirs:?}", case.name)),
            }
        }
    }
    assert!(alone.is_empty(), "we alone take: {alone:#?}");
    assert!(listed.is_empty(), "listed, and the peer takes it: {listed:?}");
}

/// Leaves (by the end of their path) of which we take a change (by its beginning) that the peer refuses, in which bundles
/// (by the beginning of their name), and why.
const LENIENT: &[(&str, &str, &str, &str)] = &[
    ("keyid", "null", "", "null is the same as not said, as in all JSON of Protocol Buffers"),
    ("hint", "null", "", "the same"),
    ("inclusionProof/logIndex", "null", "", "the same; it is 0, or of Rekor v2, which ignores it"),
    ("inclusionProof/rootHash", "null", "rekor2", "the same; Rekor v2 ignores it"),
    ("inclusionProof/treeSize", "null", "rekor2", "the same; Rekor v2 ignores it"),
    ("signedTimestamp", "byte", "rekor2", "certificates that a token brings are of no use, and not read"),
    ("signedTimestamp", "byte", "managed-key", "beside a key, evidence of somebody unknown is as if it were not there"),
    ("logId/keyId", "", "managed-key", "the same"),
];

#[test]
fn of_changed_bundles_we_take_no_more_than_the_peer_but_for_what_is_listed() {
    let Some(bundles) = corpora("sigstore-bundles") else { return };
    let mut listed: BTreeSet<_> = (0..LENIENT.len()).collect();
    let (mut both, mut theirs_alone, mut alone) = (0, 0, Vec::new());
    for name in [
        "happy-path-v0.1",
        "happy-path-v0.2",
        "happy-path-v0.3",
        "happy-path-intoto-in-dsse-v3",
        "intoto-with-custom-trust-root",
        "managed-key-happy-path",
        "rekor2-happy-path",
        "rekor2-dsse-happy-path",
    ] {
        let mut case = conformance_case(&bundles.join("conformance/bundle-verify"), name);
        let (verifier, identity) = case.demand_under(case.trust().unwrap()).unwrap();
        let theirs = peer_verifier(&case).unwrap();
        for mutant in mutants(&case.bundle.clone()) {
            case.bundle = mutant.bundle;
            let (ours, theirs) = (case.run_with(&verifier, identity.clone()), peer(&theirs, &case));
            match (ours.is_ok(), theirs.is_ok()) {
                (true, false) => {
                    let known = LENIENT.iter().position(|(leaf, change, bundle, _)| {
                        mutant.leaf.ends_with(leaf) && mutant.change.starts_with(change) && name.starts_with(bundle)
                    });
                    let what = format!("{name}: {} {}: {theirs:?}", mutant.leaf, mutant.change);
                    match known {
                        Some(known) => _ = listed.remove(&known),
                        None => alone.push(what),
                    }
                }
                (false, true) => theirs_alone += 1,
                _ => both += 1,
            }
        }
    }
    assert!(alone.is_empty(), "we alone take: {alone:#?}");
    assert!(listed.is_empty(), "listed, and the peer takes it: {listed:?}");
    eprintln!("{both} verdicts are the same, {theirs_alone} changes are taken by the peer alone");
    assert!(both > 3000, "{both}");
}
