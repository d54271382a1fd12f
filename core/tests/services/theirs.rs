//! What other people's clients sign, verified by us; and our keys and theirs.

use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey, read_public};
use sealwright::signer;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{
    Artifact, Blob, CertificateIdentity, Expectation, Extension, Identity, SignedBy, Verified, Verifier,
};

use crate::harness::{Ran, Services, Who, ran, ran_well};
use crate::peers::{Content, PEERS, PREDICATE_TYPE, Peer, cosign, python, statement};

const FILE: &[u8] = b"what was built\n";
const OTHER: &[u8] = b"what was not built\n";

/// When what was signed just now is verified: clocks differ by parts of a second.
fn soon() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix_millis(i64::try_from(since.as_millis()).unwrap() + 60_000).unwrap()
}

fn trust(services: &Services) -> TrustRoot {
    TrustRoot::new().with_sigstore(&services.file("/trusted_root")).unwrap()
}

fn prepared() -> Services {
    let services = Services::from_env();
    services.write("file", FILE);
    services.write("other", OTHER);
    services.write("statement", statement("file", FILE));
    services
}

/// What we find out about the file `bundle`.
struct Found {
    signer: SignedBy,
    logs: usize,
    authorities: usize,
    signed_at: Option<Timestamp>,
}

impl Found {
    fn of<T>(verified: &Verified<T>) -> Self {
        let [signer] = verified.signers() else { panic!("{:?}", verified.signers()) };
        Self {
            signer: signer.clone(),
            logs: verified.log_entries().len(),
            authorities: verified.timestamps().len(),
            signed_at: verified.signed_at(),
        }
    }
}

/// Verifies the file `bundle` as one that `identity` signed over `file`, with a log entry and a timestamp.
fn verify(
    services: &Services,
    trust: &TrustRoot,
    content: Content,
    file: &[u8],
    identity: impl Into<Identity>,
) -> sealwright::Result<Found> {
    let bundle = services.read("bundle");
    let verifier = Verifier::new(trust.clone());
    let demanded = |e: Expectation| e.require_log_entries(1).require_timestamps(1);
    match content {
        Content::Blob => {
            let expectation = demanded(Expectation::of_signer(identity.into(), soon()));
            verifier.verify_blob(&bundle, Blob::Bytes(file), &expectation).map(|v| Found::of(&v))
        }
        Content::Statement => {
            let artifact = Artifact::Is(Digest::sha256(file));
            let expectation =
                demanded(Expectation::new(artifact, identity.into(), soon())).require_type(PREDICATE_TYPE);
            verifier.verify(&bundle, &expectation).map(|v| Found::of(&v))
        }
    }
}

#[test]
#[ignore = "needs make test-services"]
fn what_each_peer_signs_we_verify_and_refuse_for_another_file_identity_or_issuer() {
    let mut bundles = 0;
    for content in [Content::Blob, Content::Statement] {
        for (peer, who) in
            PEERS.into_iter().filter(|p| p.signs(content)).flat_map(|p| [(p, Who::Person), (p, Who::Workflow)])
        {
            let services = prepared();
            peer.sign(&services, who, content, if content == Content::Blob { "file" } else { "statement" }, "bundle");
            let (subject, issuer, trust) = (services.subject(who), services.issuer(who), trust(&services));
            let verify = |file, subject: &str, issuer: &str| {
                verify(&services, &trust, content, file, CertificateIdentity::new(subject, issuer))
            };
            let found = verify(FILE, &subject, &issuer).unwrap_or_else(|e| panic!("{content:?} of {peer:?}: {e}"));
            let claims = found.signer.certificate.unwrap();
            assert_eq!((&claims.subject, &claims.issuer), (&subject, &issuer));
            assert_eq!(claims.extensions.contains_key(&Extension::SourceRepositoryUri), who == Who::Workflow);
            assert_eq!((found.logs, found.authorities), (1, 1));
            let signed_at = found.signed_at.unwrap();
            assert!(claims.not_before <= signed_at && signed_at <= claims.not_after);

            let refused = |file, subject: &str, issuer: &str| verify(file, subject, issuer).err().map(|e| e.code());
            assert_eq!(refused(OTHER, &subject, &issuer), Some("DIGEST_MISMATCH"));
            assert_eq!(refused(FILE, "mallory@example.org", &issuer), Some("UNTRUSTED_SIGNER"));
            assert_eq!(refused(FILE, &subject, "https://issuer.example.net"), Some("UNTRUSTED_SIGNER"));
            bundles += 1;
        }
    }
    assert_eq!(bundles, 8);
}

#[test]
#[ignore = "needs make test-services"]
fn what_a_peer_signs_with_one_instance_is_refused_by_the_trusted_root_of_another() {
    let services = prepared();
    Peer::Cosign.sign(&services, Who::Person, Content::Blob, "file", "bundle");
    let identity = CertificateIdentity::new(services.subject(Who::Person), services.issuer(Who::Person));
    for other in [TrustRoot::public_good().unwrap(), TrustRoot::staging().unwrap()] {
        let refused = verify(&services, &other, Content::Blob, FILE, identity.clone()).err().unwrap();
        assert_eq!(refused.code(), "UNTRUSTED_CERTIFICATE");
    }
}

#[test]
#[ignore = "needs make test-services"]
fn an_slsa_provenance_that_sigstore_python_attests_verifies() {
    let services = prepared();
    let provenance = serde_json::json!({
        "buildDefinition": { "buildType": "https://example.org/build/v1", "externalParameters": {} },
        "runDetails": { "builder": { "id": "https://example.org/builder" } },
    });
    services.write("predicate", provenance.to_string());
    let token = services.token(Who::Workflow);
    let kind = "https://slsa.dev/provenance/v1";
    let line = ["attest", "--predicate", "predicate", "--predicate-type", kind, "--bundle", "bundle"];
    ran_well(python(&services).args(line).args(["--identity-token", &token, "file"]));

    let identity = || CertificateIdentity::new(services.subject(Who::Workflow), services.issuer(Who::Workflow)).into();
    let verify = |file, kind| {
        let expectation = Expectation::new(Artifact::Is(Digest::sha256(file)), identity(), soon()).require_type(kind);
        Verifier::new(trust(&services)).verify(&services.read("bundle"), &expectation)
    };
    assert_eq!(verify(FILE, kind).unwrap().log_entries().len(), 1);
    assert_eq!(verify(OTHER, kind).unwrap_err().code(), "DIGEST_MISMATCH");
    assert_eq!(verify(FILE, PREDICATE_TYPE).unwrap_err().code(), "WRONG_TYPE");
}

#[test]
#[ignore = "needs make test-services"]
fn what_cosign_signs_with_a_key_we_verify_and_refuse_for_another_file_or_key() {
    for content in [Content::Blob, Content::Statement] {
        let services = prepared();
        ran_well(cosign(&services).args(["generate-key-pair", "--output-key-prefix", "k"]).env("COSIGN_PASSWORD", "x"));
        let mut command = cosign(&services);
        match content {
            Content::Blob => command.args(["sign-blob", "file"]),
            Content::Statement => command.args(["attest-blob", "--statement", "statement", "file"]),
        };
        command.args(["--yes", "--key", "k.key", "--bundle", "bundle"]).env("COSIGN_PASSWORD", "x");
        command.args(["--trusted-root", services.text("/trusted_root")]);
        ran_well(command.args(["--signing-config", services.text("/signing_config")]));

        let believing = |key| trust(&services).with_key("k", key, Window::ALWAYS).unwrap();
        let theirs = believing(read_public(&services.path("k.pub")).unwrap());
        let found = verify(&services, &theirs, content, FILE, Identity::key("k")).unwrap();
        assert_eq!((found.signer.name.as_str(), found.logs, found.authorities), ("k", 1, 1));
        assert!(found.signer.certificate.is_none());

        let refused =
            |trust: &TrustRoot, file| verify(&services, trust, content, file, Identity::key("k")).err().unwrap();
        assert_eq!(refused(&theirs, OTHER).code(), "DIGEST_MISMATCH");
        let other = believing(PrivateKey::generate(KeyType::P256).unwrap().public().clone());
        assert_eq!(refused(&other, FILE).code(), "UNTRUSTED_SIGNER");
    }
}

#[test]
#[ignore = "needs make test-services"]
fn what_we_sign_with_a_key_cosign_verifies_and_refuses_for_another_file_or_key() {
    // cosign 3.1.3 hashes with SHA-256 for every key it is given, and P-384 signs over SHA-384
    for key_type in [KeyType::P256, KeyType::Ed25519] {
        let services = prepared();
        let (ours, other) = (PrivateKey::generate(key_type).unwrap(), PrivateKey::generate(key_type).unwrap());
        services.write("ours.pub", ours.public().to_pem());
        services.write("other.pub", other.public().to_pem());
        let statement = Statement::parse(statement("file", FILE).into_bytes()).unwrap();
        services.write("bundle", signer::sign(&statement, &ours).unwrap().to_json());
        let verify = |key: &str, file: &str| -> Ran {
            let mut command = cosign(&services);
            command.args(["verify-blob-attestation", "--insecure-ignore-tlog", "--type", PREDICATE_TYPE]);
            ran(command.args(["--key", key, "--bundle", "bundle", file]))
        };
        let good = verify("ours.pub", "file");
        assert!(good.ok, "{key_type}: {} {}", good.out, good.err);
        assert!(!verify("ours.pub", "other").ok, "{key_type}: cosign took another file");
        assert!(!verify("other.pub", "file").ok, "{key_type}: cosign took another key");
    }
}
