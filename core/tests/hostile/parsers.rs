//! Every parser of outside bytes, by name; shared by `tests/hostile.rs` and the fuzz targets.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sealwright::bundle::Bundle;
use sealwright::checkpoint::{Checkpoint, KeyRotation, LogKeys, SignedCheckpoint, TlogProof, VerifierKey, WitnessKey};
use sealwright::ci::{CiRun, CiSystem, Environment, detect};
use sealwright::commit::{self, Commit, CommitTrust, Tag};
use sealwright::digest::{Algorithm, Digest, DigestSet};
use sealwright::encryption::{Header, KeyFile, Keyring};
use sealwright::envelope::{Envelope, IN_TOTO, Signature, pae};
use sealwright::gate::ArtifactReference;
use sealwright::guard::Guard;
use sealwright::key::{KeyType, PrivateKey, PublicKey};
#[cfg(feature = "keyless")]
use sealwright::keyless::{Services, Token};
use sealwright::layout::{LayoutExpectation, LayoutKey, Links};
use sealwright::ledger::{Fork, Receipt, ReceiptDemand, Schedule};
use sealwright::merkle::{BundleId, Hash, TileId, decode_entries, decode_tile, leaf_hash};
#[cfg(feature = "oci")]
use sealwright::oci;
use sealwright::pack::Signers;
use sealwright::policy::PolicyBundle;
use sealwright::predicate::{self, PredicateType as _, Provenance, ProvenanceV01, ProvenanceV02, TestKind, TestResult};
use sealwright::provenance::{Build, ProvenanceExpectation, SummaryExpectation};
use sealwright::sbom::{Document, Target, Vex};
use sealwright::signer::Pkcs11Uri;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{TrustRoot, Window};
use sealwright::trust_policy::{TrustPolicy, statement as statement_of};
use sealwright::verifier::{Artifact, CertificateIdentity};
use sealwright::{Error, ErrorKind, image, ingest, json, layout, sbom};

/// Reads bytes; what it makes of them is dropped, how it refuses them is told.
pub(crate) type Parser = fn(&[u8]) -> Result<(), Error>;

/// A verifier key that no input is signed by.
const LOG: &str = "example.org/log+0f16f9bf+AYJzaq27fslpeUdMlLEDT67UVmjG1xuVqApUOJRXhpUv";

pub(crate) const PARSERS: &[(&str, Parser)] = &[
    ("bundle", |b| Bundle::parse(b).map(|_| ())),
    ("certificate", certificate),
    ("checkpoint", checkpoint),
    ("commit", commit),
    ("commit-signers", commit_signers),
    ("ci-environment", ci_environment),
    ("ci-system", |b| CiSystem::parse(b).map(|_| ())),
    ("cosignatures", cosignatures),
    ("digest-set", |b| json::parse::<DigestSet>("digest set", b).map(|_| ())),
    ("entries", |b| decode_entries(b, 2).and_then(|_| decode_tile(b, 2)).map(|_| ())),
    ("encryption-header", |b| Header::parse(b).map(|_| ())),
    ("encryption-key", |b| KeyFile::parse(b, Some("x")).map(|_| ())),
    ("encryption-keyring", Keyring::check),
    ("envelope", |b| Envelope::parse(b).map(|_| ())),
    ("expectation", |b| sealwright::verifier::Expectation::from_json(b, Timestamp::from_unix_millis(0)?).map(|_| ())),
    ("fork", |b| Fork::parse_and_verify(b, &LOG.parse::<VerifierKey>()?.into()).map(|_| ())),
    ("guard-rules", |b| Guard::built_in().with_rules(b).map(|_| ())),
    ("ingest", |b| ingested(None, b)),
    ("ingest-junit", |b| ingested(Some("junit"), b)),
    ("ingest-sarif", |b| ingested(Some("sarif"), b)),
    ("ingest-trivy", |b| ingested(Some("trivy"), b)),
    ("ingest-grype", |b| ingested(Some("grype"), b)),
    ("ingest-osv-scanner", |b| ingested(Some("osv-scanner"), b)),
    ("ingest-npm-audit", |b| ingested(Some("npm-audit"), b)),
    ("ingest-pip-audit", |b| ingested(Some("pip-audit"), b)),
    ("ingest-cargo-audit", |b| ingested(Some("cargo-audit"), b)),
    ("ingest-gitleaks", |b| ingested(Some("gitleaks"), b)),
    ("ingest-checkov", |b| ingested(Some("checkov"), b)),
    ("ingest-openvex", |b| ingested(Some("openvex"), b)),
    ("ingest-terraform-plan", |b| ingested(Some("terraform-plan"), b)),
    ("ingest-terraform-state", |b| ingested(Some("terraform-state"), b)),
    ("ingest-kubernetes-workloads", |b| ingested(Some("kubernetes-workloads"), b)),
    ("ingest-kubernetes-rbac", |b| ingested(Some("kubernetes-rbac"), b)),
    ("ingest-kubernetes-audit", |b| ingested(Some("kubernetes-audit"), b)),
    ("ingest-admission-review", |b| ingested(Some("admission-review"), b)),
    ("ingest-falco", |b| ingested(Some("falco"), b)),
    ("ingest-argo-cd", |b| ingested(Some("argo-cd"), b)),
    ("ingest-cert-manager", |b| ingested(Some("cert-manager"), b)),
    ("ingest-velero", |b| ingested(Some("velero"), b)),
    ("ingest-restic", |b| ingested(Some("restic"), b)),
    ("ingest-testssl", |b| ingested(Some("testssl"), b)),
    ("ingest-istio-peer-authentication", |b| ingested(Some("istio-peer-authentication"), b)),
    ("ingest-cloudtrail", |b| ingested(Some("cloudtrail"), b)),
    ("ingest-aws-settings", |b| ingested(Some("aws-settings"), b)),
    ("ingest-azure-monitor", |b| ingested(Some("azure-monitor"), b)),
    ("ingest-vault-audit", |b| ingested(Some("vault-audit"), b)),
    ("ingest-github-pull-request", |b| ingested(Some("github-pull-request"), b)),
    ("ingest-github-reviews", |b| ingested(Some("github-reviews"), b)),
    ("ingest-gitlab-merge-request", |b| ingested(Some("gitlab-merge-request"), b)),
    ("ingest-gitlab-approvals", |b| ingested(Some("gitlab-approvals"), b)),
    ("ingest-github-branch-protection", |b| ingested(Some("github-branch-protection"), b)),
    ("ingest-gitlab-branch-protection", |b| ingested(Some("gitlab-branch-protection"), b)),
    ("ingest-github-audit", |b| ingested(Some("github-audit"), b)),
    ("ingest-gitlab-audit", |b| ingested(Some("gitlab-audit"), b)),
    ("ingest-mapped", |b| ingested(Some("mapped"), b)),
    ("ingest-free-text", free_text),
    ("ingest-mapping", |b| ingest::Mapping::parse(b).map(|_| ())),
    ("ingest-told", |b| ingest::Told::from_json(b).map(|_| ())),
    ("junit", |b| ingest::junit::read(b).map(|_| ())),
    ("key", |b| PublicKey::from_pem(b).map(|_| ()).or_else(|_| PrivateKey::from_pem(b, None).map(|_| ()))),
    ("key-cosign", key_cosign),
    ("key-der", |b| PublicKey::from_spki_der(b).map(|_| ())),
    ("key-jwk", |b| PublicKey::from_jwk(b).map(|_| ())),
    ("layout", layout),
    ("log-rotation", |b| KeyRotation::parse_and_verify(b, &LOG.parse()?).map(|_| ())),
    ("log-rotations", |b| LogKeys::through(&LOG.parse()?, &[b, b]).map(|_| ())),
    #[cfg(feature = "oci")]
    ("oci-manifest", oci::check_manifest),
    ("image-layer", image::check_layer),
    #[cfg(feature = "oci")]
    ("oci-reference", |b| String::from_utf8_lossy(b).parse::<oci::Reference>().map(|_| ())),
    #[cfg(feature = "oci")]
    ("oci-payload", |b| oci::signed_image(b).map(|_| ())),
    ("sbom-lock-go", |b| lock_file_and_what_stands_beside_it("go.mod", b)),
    ("sbom-lock-pdm", |b| lock_file_and_what_stands_beside_it("pdm.lock", b)),
    ("sbom-lock-pipfile", |b| lock_file_and_what_stands_beside_it("Pipfile.lock", b)),
    ("sbom-lock-poetry", |b| lock_file_and_what_stands_beside_it("poetry.lock", b)),
    ("sbom-lock-pylock", |b| lock_file_and_what_stands_beside_it("pylock.toml", b)),
    ("sbom-lock-requirements", |b| lock_file_and_what_stands_beside_it("requirements.txt", b)),
    ("sbom-lock-uv", |b| lock_file_and_what_stands_beside_it("uv.lock", b)),
    ("log-entry", |b| sealwright::bundle::LogEntry::parse(b).map(|_| ())),
    ("policy", |b| PolicyBundle::parse(b).map(|_| ())),
    ("provenance", provenance),
    ("provenance-expectation", |b| {
        ProvenanceExpectation::from_json(b).map(|_| ()).or_else(|_| SummaryExpectation::from_json(b).map(|_| ()))
    }),
    ("receipt", |b| Receipt::from_json(b).map(|_| ())),
    ("receipt-demand", |b| ReceiptDemand::from_json(b).map(|_| ())),
    ("retention-schedule", |b| Schedule::parse(b).map(|_| ())),
    ("sbom", sbom),
    ("sbom-lock-composer", |b| lock_file("composer.lock", b)),
    ("sbom-lock-gemfile", |b| lock_file("Gemfile.lock", b)),
    ("sbom-lock-gradle", |b| lock_file("gradle.lockfile", b)),
    ("sbom-lock-mix", |b| lock_file("mix.lock", b)),
    ("sbom-lock-nuget", |b| lock_file("packages.lock.json", b)),
    ("sbom-lock-pom", |b| lock_file("pom.xml", b)),
    ("sbom-lock-swift", |b| lock_file("Package.resolved", b)),
    ("sbom-lock-bun", |b| lock_file("bun.lock", b)),
    ("sbom-lock-pnpm", |b| lock_file("pnpm-lock.yaml", b)),
    ("sbom-lock-yarn", |b| lock_file("yarn.lock", b)),
    ("sbom-license-policy", |b| sbom::LicensePolicy::from_json(b).map(|_| ())),
    ("sbom-query", |b| sbom::Query::from_json(b).map(|_| ())),
    ("sbom-range", |b| {
        let range = String::from_utf8_lossy(b).parse::<sbom::VersionRange>()?;
        let _ = range.contains("1.0");
        Ok(())
    }),
    ("sbom-tag-value", |b| faulty_sbom(&[b"SPDXVersion: SPDX-2.3\nPackageName: a\n", b].concat())),
    ("sbom-vex", |b| Vex::parse(b).map(|_| ())),
    ("sbom-xml", |b| {
        let head = b"<bom xmlns='http://cyclonedx.org/schema/bom/1.7'><components><component>";
        faulty_sbom(&[head, b, b"</component></components></bom>"].concat())
    }),
    #[cfg(feature = "keyless")]
    ("signing-config", |b| Services::from_signing_config(b, "2026-06-01T00:00:00Z".parse()?).map(|_| ())),
    ("statement", statement),
    ("text", text),
    ("timestamp", timestamp),
    ("pack-authorities", |b| Signers::default().with_certificate("i", None, KeyType::P256, b, true).map(|_| ())),
    ("trusted-root", |b| TrustRoot::new().with_sigstore(b).map(|_| ())),
    ("trusted-signers", |b| TrustRoot::from_json(b).map(|_| ())),
    ("verifier", verifier),
    #[cfg(feature = "keyless")]
    ("token", |b| Token::parse(&String::from_utf8_lossy(b)).map(|t| drop(t.publication()))),
    ("trust-policy", trust_policy),
];

/// A report, of this format or of whichever it is, with all told that any format asks for.
fn ingested(format: Option<&str>, bytes: &[u8]) -> Result<(), Error> {
    let mut told = TOLD.clone();
    told.format = format.map(str::to_owned);
    // where something else is told of the tool than the report says, it is read without
    let now = "2026-11-21T08:00:00Z".parse()?;
    ingest::read(bytes, &told, now).map(|_| ()).or_else(|_| {
        told.tool = None;
        ingest::read(bytes, &told, now).map(|_| ())
    })
}

/// Text, which is all alike where nothing is found in it.
fn free_text(bytes: &[u8]) -> Result<(), Error> {
    let mut told = TOLD.clone();
    (told.format, told.kind, told.tool) = (Some("free-text".to_owned()), Some(TestKind::Secrets), None);
    let taken = ingest::read(bytes, &told, "2026-11-21T08:00:00Z".parse()?)?;
    let passed =
        taken.statements.iter().all(|s| s.predicate_as::<TestResult>().is_ok_and(|r| r.failed_tests.is_empty()));
    if passed { Err(Error::new(ErrorKind::Malformed, "nothing was found")) } else { Ok(()) }
}

static TOLD: LazyLock<ingest::Told> = LazyLock::new(|| {
    let told = br#"{"kind":"sast","tool":{"name":"x","version":"1"},"databaseDate":"2026-11-20T00:00:00Z",
        "finishedAt":"2026-11-20T00:00:00Z","source":"k8s://x/y","collector":{"id":"spiffe://x/c","kind":"workload"},
        "environment":{"id":"k8s://x","class":"prod"},"tree":{"gitTree":"4b825dc642cb6eb9a060e54bf8d69288fbee4904"},
        "subjects":[{"digest":{"gitCommit":"d20ace7968ba43c0219f62d71334c1095bab1602"}}],
        "limits":{"rpoSeconds":1,"maxAgeSeconds":1,"ciAccounts":["system:serviceaccount:ci:runner"],"registries":["r"]},
        "mapping":{"v":"sealwright-mapping/v1","becomes":{"test-result":{"kind":"dast"}},"ran":{"/status":"finished"},
            "tool":{"is":"x"},"findings":{"list":"/alerts","name":"/title"}}}"#;
    ingest::Told::from_json(told).unwrap_or_default()
});

/// A commit or tag with its signature, whoever made it; an id that fits is not to be found by chance.
fn commit(bytes: &[u8]) -> Result<(), Error> {
    let id = Digest::from_hex(Algorithm::GitCommit, "0df2bfa1cd2ba2bf0a1e9b5d3c5d4a3f2e1d0c0b")?;
    let tag = Tag::parse(bytes, &id.hex()).map(|_| ());
    match Commit::parse(bytes, &id) {
        Err(e) => {
            let id = e.context().iter().find(|(name, _)| *name == "found").map(|(_, id)| id.clone());
            let id = id.and_then(|id| Digest::from_hex(Algorithm::GitCommit, &id).ok()).ok_or(e)?;
            let commit = Commit::parse(bytes, &id)?;
            let _ = commit.co_authors().count();
            commit::verify(&commit, &TRUST, "2026-11-21T08:00:00Z".parse()?).map(|_| ()).or(tag)
        }
        Ok(_) => Ok(()),
    }
}

/// Who may have signed what is found: the key of [`SSH_COMMIT`], and somebody with a certificate.
static TRUST: LazyLock<CommitTrust> = LazyLock::new(|| {
    let identity = CertificateIdentity::new("ada@example.org", "https://example.org");
    let root = TrustRoot::public_good().and_then(|root| root.with_identity("ada", identity, Window::ALWAYS));
    let trust = CommitTrust::new().with_allowed_signers(SIGNERS);
    trust.and_then(|trust| trust.with_certificates(root?)).unwrap_or_default()
});

pub(crate) const SIGNERS: &[u8] =
    b"ada@example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZ7gEIrbLOV9/xzzEFksGUesQ3rAo/HQZxAqLFc9hKr\n";

/// A commit that is well signed.
pub(crate) const SSH_COMMIT: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904
author Ada <ada@example.org> 1700000000 +0000
committer Ada <ada@example.org> 1700000000 +0000
gpgsig -----BEGIN SSH SIGNATURE-----
 U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgdnuAQitss5X3/HPMQWSwZR6xDe
 sCj8dBnECosVz2EqsAAAADZ2l0AAAAAAAAAAZzaGE1MTIAAABTAAAAC3NzaC1lZDI1NTE5
 AAAAQGYGm9N2zcuHAI4dz00ieJjI1ImREQnGLVkG+L90usL6h3dykqyfSyeEbitjrtV8St
 3hwOFcwXL3Xsf1AJYlmws=
 -----END SSH SIGNATURE-----

First
";

fn commit_signers(bytes: &[u8]) -> Result<(), Error> {
    let allowed = CommitTrust::new().with_allowed_signers(bytes).map(|_| ());
    let revoked = CommitTrust::new().with_revoked_ssh_keys(bytes).map(|_| ());
    #[cfg(feature = "openpgp")]
    let allowed = allowed.or_else(|_| CommitTrust::new().with_openpgp_keyring(bytes).map(|_| ()));
    allowed.or(revoked)
}

/// Lines that a witness gives back for a checkpoint, and keys of witnesses.
fn cosignatures(bytes: &[u8]) -> Result<(), Error> {
    static SIGNED: LazyLock<(SignedCheckpoint, WitnessKey)> = LazyLock::new(|| {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let checkpoint = Checkpoint::new("example.org/log", 1, leaf_hash(b"entry")).unwrap();
        let witness = WitnessKey::new("example.org/witness", key.public().clone()).unwrap();
        (SignedCheckpoint::sign(checkpoint, &key).unwrap(), witness)
    });
    let text = String::from_utf8_lossy(bytes);
    let _ = text.parse::<WitnessKey>();
    let (checkpoint, witness) = &*SIGNED;
    checkpoint.with_cosignatures(&text, std::slice::from_ref(witness)).map(|_| ())
}

fn checkpoint(bytes: &[u8]) -> Result<(), Error> {
    let key: VerifierKey = LOG.parse()?;
    let leaf = leaf_hash(b"entry");
    SignedCheckpoint::parse_and_verify(bytes, &key)
        .map(|_| ())
        .or_else(|_| TlogProof::parse_and_verify(bytes, &leaf, &key).map(|_| ()))
        .or_else(|_| String::from_utf8_lossy(bytes).parse::<Checkpoint>().map(|_| ()))
}

/// The environment as it comes, and as that of each system.
fn ci_environment(bytes: &[u8]) -> Result<(), Error> {
    let environment = Environment::from_json(bytes)?;
    let run = CiRun::finished("2026-11-21T09:30:00Z".parse()?);
    for system in CiSystem::built_in()? {
        let _ = system.provenance(&environment, &run);
    }
    detect(&environment).map(|_| ())
}

/// A statement of any type, and its predicate as each version of provenance.
fn provenance(bytes: &[u8]) -> Result<(), Error> {
    let statement = Statement::parse(bytes.to_vec())?;
    let predicate = statement.predicate_bytes();
    let _ = (ProvenanceV01::parse(predicate), ProvenanceV02::parse(predicate), Provenance::parse(predicate));
    Build::of(&statement).map(|_| ())
}

/// What stands in the PEM block of a cosign key, with a passphrase that opens none.
fn key_cosign(bytes: &[u8]) -> Result<(), Error> {
    let pem = format!(
        "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n{}\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n",
        STANDARD.encode(bytes)
    );
    PrivateKey::from_pem(pem.as_bytes(), None).map(|_| ())
}

/// As a file, as a key, and as what somebody trusted signed: a layout, and a link.
fn layout(bytes: &[u8]) -> Result<(), Error> {
    static SIGNER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(KeyType::Ed25519).unwrap());
    let listed = format!(
        r#"{{"keyid":"0123456789","keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{}"}}}}"#,
        SIGNER.public().raw().iter().map(|b| format!("{b:02x}")).collect::<String>()
    );
    let chain = format!(
        r#"{{"_type":"layout","expires":"2030-01-01T00:00:00Z","inspect":[],"keys":{{"0123456789":{listed}}},"steps":[
            {{"_type":"step","name":"s","pubkeys":["0123456789"],"threshold":1,"expected_products":[["ALLOW","*"]],
              "expected_materials":[["MATCH","*","WITH","PRODUCTS","FROM","s"]]}}]}}"#
    );
    let key = LayoutKey::parse(listed.as_bytes())?;
    let expectation = LayoutExpectation::new(Artifact::AnyUnsafe, "2026-11-21T09:30:00Z".parse()?);
    let verify = |layout: &[u8], link: &[u8]| {
        let links = Links::new().with("s.01234567.link", link);
        layout::verify(layout, std::slice::from_ref(&key), &links, &expectation).map(|_| ())
    };
    let signed = |payload: &[u8]| -> Result<Vec<u8>, Error> {
        let signature = Signature::new(None, SIGNER.sign(&pae(IN_TOTO, payload))?);
        Ok(Envelope::new(IN_TOTO, payload.to_vec(), vec![signature])?.to_json())
    };
    let own = signed(bytes)?;
    verify(&own, b"{}")
        .or_else(|_| verify(&signed(chain.as_bytes())?, &own))
        .or_else(|_| LayoutKey::parse(bytes).map(|_| ()))
        .or_else(|_| verify(bytes, b"{}"))
}

/// A lock file of this name, alone in its folder, and as what stands beside it.
fn lock_file_and_what_stands_beside_it(name: &str, bytes: &[u8]) -> Result<(), Error> {
    let folder = tempfile::tempdir().map_err(|e| Error::io("make", name.as_ref(), e))?;
    for file in [name, "pyproject.toml", "Pipfile", "go.sum"] {
        std::fs::write(folder.path().join(file), bytes).map_err(|e| Error::io("write", name.as_ref(), e))?;
        let mut options = sbom::GenerateOptions::default();
        options.name = Some("product".to_owned());
        let made = sbom::generate(folder.path(), &options)?;
        if made.components.is_empty() {
            return Err(Error::new(ErrorKind::Malformed, format!("`{name}` holds no package")));
        }
    }
    Ok(())
}

/// One that something is wrong with, whatever stands in it.
fn faulty_sbom(bytes: &[u8]) -> Result<(), Error> {
    sbom(bytes)?;
    match sbom::validate(bytes)?.first() {
        Some(finding) => Err(Error::new(ErrorKind::Malformed, finding.message.clone())),
        None => Ok(()),
    }
}

/// A lock file of that name, alone in a folder of its own.
fn lock_file(name: &str, bytes: &[u8]) -> Result<(), Error> {
    let who = format!("sealwright-{}-{:?}", std::process::id(), std::thread::current().id());
    let folder = std::env::temp_dir().join(who);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(name), bytes).unwrap();
    let mut options = sbom::GenerateOptions::default();
    options.name = Some("product".to_owned());
    let made = sbom::generate(&folder, &options);
    std::fs::remove_dir_all(&folder).unwrap();
    made.map(|_| ())
}

/// In any of its formats, with all that is derived from it.
fn sbom(bytes: &[u8]) -> Result<(), Error> {
    let document = Document::parse(bytes)?;
    let _ = sbom::score(&document);
    let _ = sbom::merge(&[document.clone(), document.clone()], &Default::default());
    for target in [Target::CycloneDx, Target::Spdx] {
        let _ = sbom::convert(&document, target, None);
    }
    let summary = document.summary()?;
    let _ = sbom::diff(&summary, &summary);
    document.validate().map(|_| ())
}

fn statement(bytes: &[u8]) -> Result<(), Error> {
    let statement = Statement::parse(bytes.to_vec())?;
    // derivations that a ledger makes of whatever was signed
    let _ = statement.is_control();
    let _ = statement.tags();
    statement.predicate().map(|_| ())
}

/// As a record that claims to be one, and as an editor hands it over.
fn trust_policy(bytes: &[u8]) -> Result<(), Error> {
    let signed = Statement::parse(bytes.to_vec()).and_then(|s| TrustPolicy::from_statement(&s).map(|_| ()));
    signed.or_else(|_| statement_of(&predicate::TrustPolicy::parse(bytes)?).map(|_| ()))
}

fn text(bytes: &[u8]) -> Result<(), Error> {
    let text = String::from_utf8_lossy(bytes);
    let parsed = [
        text.parse::<Digest>().map(|_| ()),
        text.parse::<Timestamp>().map(|_| ()),
        text.parse::<Hash>().map(|_| ()),
        text.parse::<TileId>().map(|_| ()),
        text.parse::<BundleId>().map(|_| ()),
        text.parse::<VerifierKey>().map(|_| ()),
        text.parse::<ArtifactReference>().map(|_| ()),
        text.parse::<Pkcs11Uri>().map(|_| ()),
    ];
    parsed.into_iter().find(Result::is_err).unwrap_or(Ok(()))
}

/// A bundle of whatever shape, and whoever signed it, up to its statement.
fn verifier(bytes: &[u8]) -> Result<(), Error> {
    use sealwright::verifier::{Blob, Expectation, Identity, Matcher, Verifier};
    static VERIFIER: LazyLock<Result<Verifier, Error>> = LazyLock::new(|| TrustRoot::public_good().map(Verifier::new));
    let verifier = VERIFIER.as_ref().map_err(|e| Error::new(e.kind(), e.message()))?;
    let identity = Identity::Certificate(CertificateIdentity::new(Matcher::pattern(".*")?, "x"));
    let at: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let expectation = Expectation::new(Artifact::AnyUnsafe, identity.clone(), at);
    let as_record = verifier.verify(bytes, &expectation).map(|_| ());
    as_record.or_else(|_| {
        let blob = Blob::Digest(Digest::sha256(b"file"));
        verifier.verify_blob(bytes, blob, &Expectation::of_signer(identity, at)).map(|_| ())
    })
}

/// The certificate of a bundle that is in order but for it.
fn certificate(bytes: &[u8]) -> Result<(), Error> {
    let message = sealwright::bundle::MessageSignature::new(Some(Digest::sha256(b"file")), vec![0; 70]);
    verifier(&Bundle::of_certificate(message, bytes.to_vec()).to_json())
}

/// A timestamp beside a good signature by a key; one of nobody who is believed is as if it were not there, so that one
/// is demanded.
fn timestamp(bytes: &[u8]) -> Result<(), Error> {
    use sealwright::verifier::{Blob, Expectation, Identity, Verifier};
    static KEY: LazyLock<Result<PrivateKey, Error>> = LazyLock::new(|| PrivateKey::generate(KeyType::Ed25519));
    let key = KEY.as_ref().map_err(|e| Error::new(e.kind(), e.message()))?;
    let message = sealwright::bundle::MessageSignature::new(None, key.sign(b"file")?);
    let bundle = Bundle::of_key(message, key.public().id()).with_timestamp(bytes.to_vec());
    let trust = TrustRoot::public_good()?;
    let trust = trust.with_key("key", key.public().clone(), Window::ALWAYS)?;
    let expectation = Expectation::of_signer(Identity::key("key"), "2026-11-21T08:00:00Z".parse()?);
    let expectation = expectation.require_timestamps(1);
    Verifier::new(trust).verify_blob(&bundle.to_json(), Blob::Bytes(b"file"), &expectation).map(|_| ())
}
