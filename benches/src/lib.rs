//! What several benches have in common: where real bundles lie, the arithmetic that verifying one cannot go without, and
//! who may write to a ledger.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "benches")]

use std::path::{Path, PathBuf};

use sealwright::key::{KeyType, PrivateKey};
use sealwright::predicate::{Admin, PredicateType as _, Profile, TrustPolicy, TrustedSigner};
use sealwright::trust_policy;

/// Who signed the bundles of the clients' conformance suite.
pub const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";

/// Who vouches for that.
pub const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// A file or folder of the corpora. Where they are absent, it is said what is not measured.
pub fn corpora(what: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SEALWRIGHT_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"), PathBuf::from);
    if !root.is_dir() {
        eprintln!("not measured, no corpora (SEALWRIGHT_CORPORA): {what}");
        return None;
    }
    Some(root)
}

/// The signatures below which the verification of a bundle cannot go: the leaf's own, its SCT, the log's promise and
/// checkpoint by P-256, and the leaf's certificate by P-384.
#[derive(Debug)]
pub struct Signatures {
    p256: (PrivateKey, Vec<u8>),
    p384: (PrivateKey, Vec<u8>),
}

const MESSAGE: [u8; 600] = [7; 600];

impl Default for Signatures {
    fn default() -> Self {
        let signed = |key_type| {
            let key = PrivateKey::generate(key_type).unwrap();
            let signature = key.sign(&MESSAGE).unwrap();
            (key, signature)
        };
        Self { p256: signed(KeyType::P256), p384: signed(KeyType::P384) }
    }
}

impl Signatures {
    /// Verifies all five.
    pub fn verify(&self) {
        for _ in 0..4 {
            self.p256.0.public().verify(&MESSAGE, &self.p256.1).unwrap();
        }
        self.p384.0.public().verify(&MESSAGE, &self.p384.1).unwrap();
    }
}

/// The trust policy of one operator, `ci`, with this key, who may say what these types hold.
pub fn one_operator(key: &PrivateKey, types: &[&str]) -> TrustPolicy {
    TrustPolicy {
        version: 1,
        supersedes: None,
        admins: vec![Admin { signer: "ci".to_owned() }],
        threshold: 1,
        signers: vec![TrustedSigner {
            name: "ci".to_owned(),
            key: Some(trust_policy::key_descriptor(key.public())),
            predicate_types: [TrustPolicy::TYPE].iter().chain(types).map(|kind| (*kind).to_owned()).collect(),
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
    }
}
