//! Every leaf of good bundles changed in turn: the bundle is refused, or the leaf is on a list that says why it carries
//! no trust, and everything that was found out stays the same.
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

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::json::Value;

use self::corpora::corpora;
use self::sigstore_cases::mutants::mutants;
use self::sigstore_cases::{Case, Signer, conformance_case};

/// Leaves (by the end of their path) of which some changes are not refused, in which bundles (by a part of their name),
/// and why they carry no trust.
const UNTRUSTED: &[(&str, &str, &str)] = &[
    ("signatures/0/keyid", "", "a hint which key to try; the signature decides"),
    ("publicKey/hint", "", "a hint which key to try; the signature decides"),
    ("inclusionProof/rootHash", "rekor2", "Rekor v2 leaves it to the signed checkpoint, and says to ignore it here"),
    ("inclusionProof/rootHash", "sct-with-extensions", "the same; this bundle is of Rekor v2, too"),
    ("inclusionProof/treeSize", "rekor2", "Rekor v2 leaves it to the signed checkpoint, and says to ignore it here"),
    ("inclusionProof/treeSize", "sct-with-extensions", "the same; this bundle is of Rekor v2, too"),
    ("inclusionProof/logIndex", "rekor2", "of Rekor v2 it is the index of the entry that is proven"),
    ("inclusionProof/logIndex", "sct-with-extensions", "the same; this bundle is of Rekor v2, too"),
    ("inclusionProof/logIndex", "custom-trust-root", "it is 0, which is the same as not said"),
    ("checkpoint/envelope", "rekor2", "the cosignatures of witnesses, which no trusted root names"),
    ("logId/keyId", "managed-key", "beside a key, an entry of an unknown log is as if it were not there"),
    ("signedTimestamp", "managed-key", "beside a key, a timestamp of an unknown authority is as if it were not there"),
    ("signedTimestamp", "", "what a token brings beside what its authority signed: certificates, and a version"),
];

fn good(bundles: &Path) -> Vec<Case> {
    let suite = [
        "happy-path-v0.1",
        "happy-path-v0.2",
        "happy-path-v0.3",
        "happy-path-intoto-in-dsse-v3",
        "intoto-with-custom-trust-root",
        "managed-key-happy-path",
        "rekor2-happy-path",
        "rekor2-dsse-happy-path",
        "rekor2-checkpoint-cosigned",
        "bundle-with-sct-with-extensions",
    ];
    let suite = suite.map(|name| conformance_case(&bundles.join("conformance/bundle-verify"), name));
    let others = sigstore_cases::others(bundles).into_iter().filter(|case| {
        ["bundleV01-intoto-no-proof", "github_provenance_demo-0.0.12-py3-none-any-bundle.jsonl", "whl.attestation"]
            .iter()
            .any(|name| case.name.contains(name))
    });
    suite.into_iter().chain(others).collect()
}

#[test]
fn a_change_of_any_leaf_is_refused_or_changes_nothing_that_is_believed() {
    let Some(bundles) = corpora("sigstore-bundles") else { return };
    let cases = good(&bundles);
    assert_eq!(cases.len(), 13);
    let mut survivors: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut used = vec![false; UNTRUSTED.len()];
    let (mut all, mut refused) = (0, 0);
    for mut case in cases {
        let (verifier, identity) = case.demand_under(case.trust().unwrap()).unwrap();
        let whole = case.facts_with(&verifier, identity.clone()).unwrap();
        let original = case.bundle.clone();
        for mutant in mutants(&original) {
            all += 1;
            case.bundle = mutant.bundle;
            let Ok(facts) = case.facts_with(&verifier, identity.clone()) else {
                refused += 1;
                continue;
            };
            let what = format!("{}: {} {}", case.name, mutant.leaf, mutant.change);
            assert_eq!(facts.0, whole.0, "{what}");
            // what is lost is refused where it is needed, which is everywhere but beside a key
            let keyed = matches!(case.signer, Signer::Key(..));
            assert!(if keyed { facts.1.iter().all(|e| whole.1.contains(e)) } else { facts.1 == whole.1 }, "{what}");
            let known = UNTRUSTED
                .iter()
                .position(|(leaf, name, _)| mutant.leaf.ends_with(leaf) && case.name.contains(name))
                .filter(|_| keyed || is_unsigned(&original, &case.bundle, &mutant.leaf));
            match known {
                Some(known) => used[known] = true,
                None => survivors.entry(format!("{} {}", case.name, mutant.leaf)).or_default().push(mutant.change),
            }
        }
    }
    assert!(survivors.is_empty(), "not refused, and on no list: {survivors:#?}");
    let unused: Vec<_> = UNTRUSTED.iter().zip(used).filter(|(_, used)| !used).collect();
    assert!(unused.is_empty(), "listed, and always refused: {unused:?}");
    eprintln!("{all} changes, {refused} refused");
    assert!(all > 5000 && refused * 100 > all * 90, "{refused} of {all}");
}

/// Whether a token at `leaf`, if there is one, differs only within the certificates it brings and the version of its
/// signer.
fn is_unsigned(original: &[u8], changed: &[u8], leaf: &str) -> bool {
    if !leaf.ends_with("signedTimestamp") {
        return true;
    }
    let token = |bundle: &[u8]| {
        let json: Value = serde_json::from_slice(bundle).unwrap();
        STANDARD.decode(json.pointer(&format!("/{leaf}")).unwrap().as_str().unwrap()).unwrap()
    };
    let (original, changed) = (token(original), token(changed));
    let parts = unsigned(&original);
    original.len() == changed.len()
        && (0..original.len()).filter(|n| original[*n] != changed[*n]).all(|n| parts.iter().any(|p| p.contains(&n)))
}

/// Where the certificates and the version of the signer stand in a TimeStampResp.
fn unsigned(token: &[u8]) -> Vec<Range<usize>> {
    let inside = |at: usize| value(token, at).start;
    let after = |at: usize| value(token, at).end;
    // TimeStampResp, its status, ContentInfo, its type, [0], SignedData, then version, digests and content
    let content_info = after(inside(0));
    let signed_data = inside(after(inside(content_info)));
    let mut at = inside(signed_data);
    for _ in 0..3 {
        at = after(at);
    }
    let mut parts = Vec::new();
    if token[at] == 0xa0 {
        parts.push(at..after(at));
        at = after(at);
    }
    let signer = inside(at);
    parts.push(value(token, inside(signer)));
    parts
}

/// Where the content of the DER value at `at` stands.
fn value(der: &[u8], at: usize) -> Range<usize> {
    let first = usize::from(der[at + 1]);
    if first < 0x80 {
        return at + 2..at + 2 + first;
    }
    let begin = at + 2 + (first & 0x7f);
    let length = der[at + 2..begin].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    begin..begin + length
}
