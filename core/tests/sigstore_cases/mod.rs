//! Real bundles that others made, each with who must have signed it, what it must be about, and the verdict that its
//! owners state. Where they state only that it must fail, the code of the step that has to refuse it stands here.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub(crate) mod dsse;
pub(crate) mod mutants;
mod others;

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::Error;
use sealwright::digest::Digest;
use sealwright::json::Value;
use sealwright::key::PublicKey;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, CertificateIdentity, Expectation, Identity, Verified, Verifier};

pub(crate) use self::others::others;

/// What the clients' suite calls its signer where it says nothing else.
const BEACON: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
pub(crate) const GITHUB: &str = "https://token.actions.githubusercontent.com";

/// One bundle with what is demanded of it.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) bundle: Vec<u8>,
    /// JSON trusted roots; none for the public good instance.
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) signer: Signer,
    pub(crate) about: About,
    /// Whether the instance has neither a log of signatures nor one of certificates.
    pub(crate) unlogged: bool,
    pub(crate) expected: Expected,
}

#[derive(Clone)]
pub(crate) enum Signer {
    Certificate(CertificateIdentity),
    /// A name, and a PEM file.
    Key(&'static str, Vec<u8>),
}

#[derive(Clone)]
pub(crate) enum About {
    File(Vec<u8>),
    Digest(Digest),
    /// Whatever it says itself.
    Any,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Passes,
    Refused(&'static str),
}

pub(crate) fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

impl Case {
    pub(crate) fn trust(&self) -> Result<TrustRoot, Error> {
        if self.roots.is_empty() {
            return TrustRoot::public_good();
        }
        self.roots.iter().try_fold(TrustRoot::new(), |trust, root| trust.with_sigstore(root))
    }

    /// What our verifier says, under a trust root.
    pub(crate) fn run_under(&self, trust: TrustRoot) -> Result<(), Error> {
        let (verifier, identity) = self.demand_under(trust)?;
        self.run_with(&verifier, identity)
    }

    pub(crate) fn run_with(&self, verifier: &Verifier, identity: Identity) -> Result<(), Error> {
        self.facts_with(verifier, identity).map(|_| ())
    }

    /// A verifier for the case, and what it demands of the signer.
    pub(crate) fn demand_under(&self, trust: TrustRoot) -> Result<(Verifier, Identity), Error> {
        Ok(match &self.signer {
            Signer::Certificate(identity) => (Verifier::new(trust), Identity::Certificate(identity.clone())),
            Signer::Key(name, pem) => {
                let trust = trust.with_key(*name, PublicKey::from_pem(pem)?, Window::ALWAYS)?;
                (Verifier::new(trust), Identity::key(*name))
            }
        })
    }

    /// Everything that was found out: what was signed and by whom, and the evidence.
    pub(crate) fn facts_with(&self, verifier: &Verifier, identity: Identity) -> Result<(String, Vec<String>), Error> {
        fn shown<T: std::fmt::Debug>(verified: &Verified<T>) -> (String, Vec<String>) {
            let logged = verified.log_entries().iter().map(|e| format!("{e:?}"));
            let stamped = verified.timestamps().iter().map(|t| format!("{t:?}"));
            (format!("{:?} {:?}", verified.value(), verified.signers()), logged.chain(stamped).collect())
        }
        let waived = |e: Expectation| if self.unlogged { e.unlogged_unsafe().without_sct_unsafe() } else { e };
        let text = String::from_utf8_lossy(&self.bundle);
        if text.contains("\"messageSignature\"") {
            let expectation = waived(Expectation::of_signer(identity, now()));
            let hint = message_digest(&self.bundle);
            let blob = match &self.about {
                About::File(bytes) => Blob::Bytes(bytes),
                About::Digest(digest) => Blob::Digest(digest.clone()),
                About::Any => Blob::Digest(hint.unwrap_or_else(|| Digest::sha256(b""))),
            };
            return verifier.verify_blob(&self.bundle, blob, &expectation).map(|v| shown(&v));
        }
        let artifact = match &self.about {
            About::File(bytes) => Artifact::Is(Digest::sha256(bytes)),
            About::Digest(digest) => Artifact::Is(digest.clone()),
            About::Any => Artifact::AnyUnsafe,
        };
        let expectation = waived(Expectation::new(artifact, identity, now()));
        verifier.verify(&self.bundle, &expectation).map(|v| shown(&v))
    }

    pub(crate) fn run(&self) -> Result<(), Error> {
        self.run_under(self.trust()?)
    }

    /// What happened if it was not what is expected.
    pub(crate) fn surprise(&self) -> Option<String> {
        let found = self.run();
        match (&self.expected, &found) {
            (Expected::Passes, Ok(())) => None,
            (Expected::Refused(code), Err(e)) if e.code() == *code => None,
            (expected, found) => Some(format!("{}: expected {expected:?}, found {found:?}", self.name)),
        }
    }
}

pub(crate) fn message_digest(bundle: &[u8]) -> Option<Digest> {
    let json: Value = serde_json::from_slice(bundle).ok()?;
    let digest = STANDARD.decode(json["messageSignature"]["messageDigest"]["digest"].as_str()?).ok()?;
    Digest::new(sealwright::digest::Algorithm::Sha256, digest).ok()
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub(crate) fn identity(subject: &str, issuer: &str) -> Signer {
    Signer::Certificate(CertificateIdentity::new(subject, issuer))
}

/// The step that has to refuse each case of the clients' suite that has to fail.
pub(crate) const CONFORMANCE: &[(&str, &str)] = &[
    ("bundle-empty-certificate-chain_fail", "MALFORMED"),
    ("bundle-from-wrong-instance_fail", "UNTRUSTED_CERTIFICATE"),
    ("bundle-invalid-base64-signature_fail", "MALFORMED"),
    ("bundle-malformed-json_fail", "MALFORMED"),
    ("bundle-negative-log-index_fail", "MALFORMED"),
    ("bundle-unknown-version_fail", "UNSUPPORTED"),
    ("bundle-with-root-cert_fail", "UNTRUSTED_CERTIFICATE"),
    ("checkpoint-bad-keyhint_fail", "BAD_CHECKPOINT"),
    ("checkpoint-wrong-roothash_fail", "BAD_CHECKPOINT"),
    ("dsse-invalid-sig_fail", "BAD_SIGNATURE"),
    ("dsse-mismatch-envelope_fail", "BAD_LOG_ENTRY"),
    ("dsse-mismatch-sig_fail", "BAD_LOG_ENTRY"),
    ("inclusion-proof-corrupted-hash_fail", "BAD_LOG_ENTRY"),
    ("incorrect-public-key_fail", "BAD_LOG_ENTRY"),
    ("integrated-time-in-future_fail", "EXPIRED"),
    ("intoto-expired-certificate_fail", "NOT_YET_VALID"),
    ("intoto-log-entry-mismatch_fail", "BAD_LOG_ENTRY"),
    ("intoto-missing-inclusion-proof_fail", "BAD_LOG_ENTRY"),
    ("intoto-set-outside-signing-cert-validity_fail", "EXPIRED"),
    ("intoto-tsa-timestamp-outside-cert-validity_fail", "EXPIRED"),
    ("invalid-checkpoint-signature_fail", "BAD_CHECKPOINT"),
    ("invalid-ct-key_fail", "BAD_SCT"),
    ("invalid-inclusion-proof_fail", "BAD_CHECKPOINT"),
    ("managed-key-no-key_fail", "UNTRUSTED_SIGNER"),
    ("managed-key-wrong-key_fail", "MALFORMED"),
    ("message-digest-mismatch_fail", "DIGEST_MISMATCH"),
    ("rekor2-checkpoint-missing-log-signature_fail", "BAD_CHECKPOINT"),
    ("rekor2-checkpoint-missing-origin_fail", "BAD_CHECKPOINT"),
    ("rekor2-checkpoint-missing-root-hash_fail", "BAD_CHECKPOINT"),
    ("rekor2-checkpoint-missing-size_fail", "BAD_CHECKPOINT"),
    ("rekor2-checkpoint-no-matching-signature_fail", "BAD_CHECKPOINT"),
    ("rekor2-dsse-invalid-sig_fail", "BAD_SIGNATURE"),
    ("rekor2-dsse-mismatch-envelope_fail", "BAD_LOG_ENTRY"),
    ("rekor2-dsse-mismatch-sig_fail", "BAD_LOG_ENTRY"),
    ("rekor2-no-inclusion-proof_fail", "BAD_LOG_ENTRY"),
    ("rekor2-no-timestamp_fail", "BAD_TIMESTAMP"),
    ("rekor2-timestamp-outside-trust-root-tsa-validity_fail", "BAD_TIMESTAMP"),
    ("rekor2-timestamp-outside-tsa-cert-validity_fail", "BAD_TIMESTAMP"),
    ("rekor2-timestamp-payload-mismatch_fail", "BAD_TIMESTAMP"),
    ("rekor2-timestamp-untrusted-tsa-with-embedded-cert_fail", "BAD_TIMESTAMP"),
    ("rekor2-timestamp-untrusted-tsa-without-embedded-cert_fail", "BAD_TIMESTAMP"),
    ("rekor2-timestamp-with-incorrect-time_fail", "MALFORMED"),
    ("set-invalid-signature_fail", "BAD_LOG_ENTRY"),
    ("signature-mismatch_fail", "BAD_SIGNATURE"),
    ("trust-root-tlog-missing-validity-start_fail", "MALFORMED"),
    ("wrong-hashedrekord-artifact_fail", "BAD_LOG_ENTRY"),
    ("wrong-hashedrekord-cert-and-sig_fail", "BAD_LOG_ENTRY"),
    ("wrong-hashedrekord-entry_fail", "BAD_LOG_ENTRY"),
    ("wrong-material_fail", "DIGEST_MISMATCH"),
];

/// The official suite of the Sigstore clients, with root, key, identity and artifact as its runner gives them.
pub(crate) fn conformance(bundles: &Path) -> Vec<Case> {
    let folder = bundles.join("conformance");
    let cases: Value = serde_json::from_slice(&read(&folder.join("cases.json"))).unwrap();
    let names = cases.as_array().unwrap().iter().map(|c| c["case"].as_str().unwrap().to_owned());
    names.map(|name| conformance_case(&folder.join("bundle-verify"), &name)).collect()
}

pub(crate) fn conformance_case(folder: &Path, name: &str) -> Case {
    let own = |file: &str| std::fs::read(folder.join(name).join(file)).ok();
    let text = |file: &str, default: &str| {
        own(file).map_or(default.to_owned(), |b| String::from_utf8(b).unwrap().trim().to_owned())
    };
    let signer = match own("key.pub") {
        Some(pem) => Signer::Key("key", pem),
        None => identity(&text("identity", BEACON), &text("issuer", GITHUB)),
    };
    let expected = match CONFORMANCE.iter().find(|(case, _)| *case == name) {
        Some((_, code)) => Expected::Refused(code),
        None => Expected::Passes,
    };
    assert_eq!(expected == Expected::Passes, !name.ends_with("_fail"), "{name}");
    Case {
        name: name.to_owned(),
        bundle: own("bundle.sigstore.json").unwrap(),
        roots: own("trusted_root.json").into_iter().collect(),
        signer,
        about: About::File(own("artifact").unwrap_or_else(|| read(&folder.join("a.txt")))),
        unlogged: false,
        expected,
    }
}

/// Every artifact of the CPython releases, all of them good.
pub(crate) fn cpython(bundles: &Path) -> Vec<Case> {
    let folder = bundles.join("cpython-releases");
    let verdicts = String::from_utf8(read(&folder.join("peer-verdicts.jsonl"))).unwrap();
    let mut cases = Vec::new();
    for line in verdicts.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| row[key].as_str().unwrap();
        let version: Value =
            serde_json::from_slice(&read(&folder.join(format!("versions/{}.json", text("version"))))).unwrap();
        let index = usize::try_from(row["index"].as_u64().unwrap()).unwrap();
        let release = &version.as_array().unwrap()[index]["raw"];
        assert_eq!((release["url"].as_str(), text("verdict")), (Some(text("url")), "ok"));
        let digest = Digest::from_hex(sealwright::digest::Algorithm::Sha256, text("sha256")).unwrap();
        cases.push(Case {
            name: text("url").to_owned(),
            bundle: bundle_of(release),
            roots: Vec::new(),
            signer: identity(text("identity"), text("issuer")),
            about: About::Digest(digest),
            unlogged: false,
            expected: Expected::Passes,
        });
    }
    cases
}

fn bundle_of(release: &Value) -> Vec<u8> {
    match &release["sigstore"] {
        Value::String(text) => text.clone().into_bytes(),
        bundle => serde_json::to_vec(bundle).unwrap(),
    }
}
