//! Real Sigstore bundles: each passes or is refused as its owners state, and by the step that has to refuse it.
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

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::digest::Digest;
use sealwright::json::Value;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, CertificateIdentity, Expectation, Extension, Identity, Matcher, Verifier};

use self::corpora::corpora;
use self::sigstore_cases::{About, Case, Expected, GITHUB, Signer, conformance_case, now};

fn bundles() -> Option<PathBuf> {
    corpora("sigstore-bundles")
}

fn conformance(name: &str) -> Option<Case> {
    Some(conformance_case(&bundles()?.join("conformance/bundle-verify"), name))
}

fn verifier(case: &Case) -> Verifier {
    Verifier::new(case.trust().unwrap())
}

fn identity(case: &Case) -> CertificateIdentity {
    match &case.signer {
        Signer::Certificate(identity) => identity.clone(),
        Signer::Key(..) => panic!("{} is signed with a key", case.name),
    }
}

fn file(case: &Case) -> &[u8] {
    match &case.about {
        About::File(bytes) => bytes,
        _ => panic!("{} has no file", case.name),
    }
}

/// Changes a bundle's JSON.
fn changed(bundle: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(bundle).unwrap();
    change(&mut json);
    serde_json::to_vec(&json).unwrap()
}

fn code(case: &Case) -> &'static str {
    case.run().unwrap_err().code()
}

fn surprises(cases: &[Case]) -> String {
    cases.iter().filter_map(Case::surprise).map(|s| format!("{s}\n")).collect()
}

#[test]
fn s019_the_clients_suite_passes_and_each_failing_case_fails_at_its_step() {
    let Some(bundles) = bundles() else { return };
    let cases = sigstore_cases::conformance(&bundles);
    assert_eq!(cases.len(), 70);
    assert_eq!(cases.iter().filter(|c| c.expected == Expected::Passes).count(), 21);
    assert_eq!(surprises(&cases), "");
}

#[test]
fn cases_that_fail_by_their_encoding_fail_at_their_step_once_it_is_repaired() {
    let Some(case) = conformance("bundle-empty-certificate-chain_fail") else { return };
    // it is the empty chain that is refused, with a checkpoint or without any proof
    let message = case.run().unwrap_err().to_string();
    assert!(message.contains("certificate chain is empty"), "{message}");

    let mut case = conformance("bundle-with-root-cert_fail").unwrap();
    case.bundle = changed(&case.bundle, |b| {
        b["verificationMaterial"]["tlogEntries"][0].as_object_mut().unwrap().remove("inclusionProof");
    });
    assert_eq!(code(&case), "UNTRUSTED_CERTIFICATE");

    // the proof is old: under a checkpoint of the log that is right, its hashes lead elsewhere
    let (mut case, good) =
        (conformance("invalid-inclusion-proof_fail").unwrap(), conformance("happy-path-v0.2").unwrap());
    let good: Value = serde_json::from_slice(&good.bundle).unwrap();
    let proof = &good["verificationMaterial"]["tlogEntries"][0]["inclusionProof"];
    let checkpoint = |b: &mut Value| {
        b["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["checkpoint"] = proof["checkpoint"].clone();
    };
    case.bundle = changed(&case.bundle, checkpoint);
    assert_eq!(code(&case), "BAD_CHECKPOINT");
    case.bundle = changed(&case.bundle, |b| {
        for name in ["rootHash", "treeSize"] {
            b["verificationMaterial"]["tlogEntries"][0]["inclusionProof"][name] = proof[name].clone();
        }
    });
    assert_eq!(code(&case), "BAD_LOG_ENTRY");

    // its body encodes the signature once only; encoded as it must be, it is still another one
    let mut case = conformance("intoto-log-entry-mismatch_fail").unwrap();
    case.bundle = changed(&case.bundle, |b| {
        let entry = &mut b["verificationMaterial"]["tlogEntries"][0]["canonicalizedBody"];
        let body = STANDARD.decode(entry.as_str().unwrap()).unwrap();
        let body = changed(&body, |body| {
            let signature = &mut body["spec"]["content"]["envelope"]["signatures"][0]["sig"];
            *signature = STANDARD.encode(signature.as_str().unwrap()).into();
        });
        *entry = STANDARD.encode(body).into();
    });
    let e = case.run().unwrap_err();
    assert!(e.code() == "BAD_LOG_ENTRY" && e.message().contains("about another signature"), "{e}");

    // a key that is one, and another's
    let mut case = conformance("managed-key-wrong-key_fail").unwrap();
    let other = PrivateKey::generate(KeyType::P256).unwrap().public().to_pem().into_bytes();
    case.signer = Signer::Key("key", other);
    assert_eq!(code(&case), "UNTRUSTED_SIGNER");

    let mut case = conformance("rekor2-timestamp-with-incorrect-time_fail").unwrap();
    case.bundle = changed(&case.bundle, |b| {
        let data = &mut b["verificationMaterial"]["timestampVerificationData"];
        let token = &mut data["rfc3161Timestamps"][0]["signedTimestamp"];
        *token = token.as_str().unwrap().replace('\n', "").into();
    });
    assert_eq!(code(&case), "EXPIRED");
}

#[test]
fn s019_all_signatures_of_cpython_releases_pass_and_none_for_another_digest_or_identity() {
    let Some(bundles) = bundles() else { return };
    let mut cases = sigstore_cases::cpython(&bundles);
    assert_eq!(cases.len(), 345);
    assert_eq!(surprises(&cases), "");
    let trust = TrustRoot::public_good().unwrap();
    for case in &mut cases {
        let right = case.about.clone();
        case.about = About::Digest(Digest::sha256(case.name.as_bytes()));
        assert_eq!(case.run_under(trust.clone()).unwrap_err().code(), "DIGEST_MISMATCH", "{}", case.name);
        // without its hint it is the signature that does not fit
        let unhinted = changed(&case.bundle, |b| {
            b["messageSignature"].as_object_mut().unwrap().remove("messageDigest");
        });
        let hinted = std::mem::replace(&mut case.bundle, unhinted);
        assert_eq!(case.run_under(trust.clone()).unwrap_err().code(), "BAD_SIGNATURE", "{}", case.name);
        (case.about, case.bundle) = (right, hinted);
        let issuer = identity(case).issuer().to_owned();
        for wrong in [
            CertificateIdentity::new("mallory@python.org", issuer),
            CertificateIdentity::new(identity(case).subject().clone(), "https://accounts.example"),
        ] {
            case.signer = Signer::Certificate(wrong);
            assert_eq!(case.run_under(trust.clone()).unwrap_err().code(), "UNTRUSTED_SIGNER", "{}", case.name);
        }
    }
}

#[test]
fn one_verifier_verifies_on_all_threads_at_once() {
    fn shared<T: Send + Sync>(_: &T) {}
    let Some(bundles) = bundles() else { return };
    let cases = sigstore_cases::cpython(&bundles);
    let verifier = Verifier::new(TrustRoot::public_good().unwrap());
    shared(&verifier);
    let passed: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|n| {
                let (cases, verifier) = (&cases, &verifier);
                let pass = move |case: &&Case| case.run_with(verifier, identity(case).into()).is_ok();
                scope.spawn(move || cases.iter().skip(n).step_by(4).filter(pass).count())
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).sum()
    });
    assert_eq!(passed, 345);
}

#[test]
fn bundles_of_every_other_client_have_their_stated_verdict() {
    let Some(bundles) = bundles() else { return };
    let cases = sigstore_cases::others(&bundles);
    assert_eq!(cases.len(), 79);
    assert_eq!(surprises(&cases), "");
}

#[test]
fn a_bundle_is_the_same_verdict_after_it_was_written_again() {
    let Some(bundles) = bundles() else { return };
    let cases = [sigstore_cases::conformance(&bundles), sigstore_cases::others(&bundles)].concat();
    for mut case in cases {
        let Ok(bundle) = sealwright::bundle::Bundle::parse(&case.bundle) else { continue };
        case.bundle = bundle.to_json();
        assert_eq!(case.surprise(), None);
        assert_eq!(sealwright::bundle::Bundle::parse(&case.bundle).unwrap(), bundle, "{}", case.name);
    }
}

#[test]
fn the_vector_of_dsse_is_verified_by_its_key() {
    let Some(folder) = corpora("in-toto/dsse-spec") else { return };
    let (envelope, key) = sigstore_cases::dsse::dsse_vector(&folder);
    key.verify(&envelope.pae(), &envelope.signatures()[0].sig).unwrap();
    let root = TrustRoot::new().with_key("key", key, Window::ALWAYS).unwrap();
    let expectation = Expectation::new(Artifact::AnyUnsafe, Identity::key("key"), now());
    // a good signature over what is no Statement
    let e = Verifier::new(root).verify(&envelope.to_json(), &expectation).unwrap_err();
    assert_eq!(e.code(), "UNSUPPORTED");
}

#[test]
fn what_was_found_out_is_authenticated() {
    let Some(case) = conformance("happy-path-v0.3") else { return };
    let expectation = Expectation::of_signer(identity(&case).into(), now());
    let verified = verifier(&case).verify_blob(&case.bundle, Blob::Bytes(file(&case)), &expectation).unwrap();
    assert_eq!(verified.value(), &Digest::sha256(file(&case)));
    let [signer] = verified.signers() else { panic!("one signer") };
    let claims = signer.certificate.as_ref().unwrap();
    assert_eq!((signer.name.as_str(), claims.issuer.as_str()), (claims.subject.as_str(), GITHUB));
    assert_eq!(claims.extension(Extension::BuildTrigger).as_deref(), Some("workflow_dispatch"));
    let [logged] = verified.log_entries() else { panic!("one log entry") };
    assert_eq!(logged.log, "https://rekor.sigstore.dev");
    assert_eq!(verified.signed_at(), logged.integrated_at);
    assert!(claims.not_before <= verified.signed_at().unwrap() && verified.signed_at().unwrap() <= claims.not_after);
    assert!(verified.timestamps().is_empty());

    let case = conformance("rekor2-happy-path").unwrap();
    let expectation = Expectation::of_signer(identity(&case).into(), now()).require_timestamps(1);
    let verified = verifier(&case).verify_blob(&case.bundle, Blob::Bytes(file(&case)), &expectation).unwrap();
    let [stamp] = verified.timestamps() else { panic!("one timestamp") };
    assert_eq!((verified.signed_at(), verified.log_entries()[0].integrated_at), (Some(stamp.at), None));
}

#[test]
fn a_blob_may_be_a_digest_bytes_or_a_stream() {
    let Some(case) = conformance("happy-path-v0.3") else { return };
    let (verifier, digest) = (verifier(&case), Digest::sha256(file(&case)));
    let expectation = Expectation::of_signer(identity(&case).into(), now());
    let mut stream = file(&case);
    for blob in [Blob::Digest(digest.clone()), Blob::Bytes(file(&case)), Blob::Reader(&mut stream)] {
        assert_eq!(verifier.verify_blob(&case.bundle, blob, &expectation).unwrap().value(), &digest);
    }
    let code = |blob, expectation: &Expectation| {
        verifier.verify_blob(&case.bundle, blob, expectation).map(|_| ()).unwrap_err().code()
    };
    assert_eq!(code(Blob::Bytes(b"other"), &expectation), "DIGEST_MISMATCH");
    let sha512 = Digest::of_bytes(sealwright::digest::Algorithm::Sha512, file(&case)).unwrap();
    assert_eq!(code(Blob::Digest(sha512.clone()), &expectation), "UNSUPPORTED");
    // an artifact that is demanded beside the blob must be the same one
    let named = |digest| Expectation::new(Artifact::Is(digest), identity(&case).into(), now());
    assert!(verifier.verify_blob(&case.bundle, Blob::Bytes(file(&case)), &named(sha512)).is_ok());
    assert_eq!(code(Blob::Bytes(file(&case)), &named(Digest::sha256(b"other"))), "DIGEST_MISMATCH");
    assert_eq!(code(Blob::Digest(digest), &named(Digest::sha256(b"other"))), "DIGEST_MISMATCH");
    assert_eq!(code(Blob::Bytes(file(&case)), &expectation.clone().require_type("x")), "API_MISUSE");
    // and a record is about an artifact
    let record = conformance("happy-path-intoto-in-dsse-v3").unwrap();
    assert_eq!(verifier.verify(&record.bundle, &expectation).unwrap_err().code(), "API_MISUSE");
    assert_eq!(verifier.verify(&case.bundle, &named(Digest::sha256(b"x"))).unwrap_err().code(), "UNSUPPORTED");
    let as_blob = verifier.verify_blob(&record.bundle, Blob::Bytes(b"x"), &expectation);
    assert_eq!(as_blob.unwrap_err().code(), "UNSUPPORTED");
}

#[test]
fn s019_another_repository_workflow_trigger_or_runner_is_refused() {
    let Some(case) = conformance("rekor2-dsse-happy-path") else { return };
    let verifier = verifier(&case);
    let demand = |identity: CertificateIdentity| {
        let expectation = Expectation::new(Artifact::Is(Digest::sha256(file(&case))), identity.into(), now());
        verifier.verify(&case.bundle, &expectation).map(|_| ()).map_err(|e| e.code())
    };
    let repository = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon";
    let right = [
        (Extension::SourceRepositoryUri, repository),
        (Extension::SourceRepositoryRef, "refs/heads/main"),
        (Extension::RunnerEnvironment, "github-hosted"),
    ];
    let all = right.iter().fold(identity(&case), |identity, (e, value)| identity.require_extension(*e, *value));
    assert_eq!(demand(all), Ok(()));
    for (extension, value) in right {
        let shorter = &value[..value.len() - 1];
        assert_eq!(demand(identity(&case).require_extension(extension, shorter)), Err("UNTRUSTED_SIGNER"));
        let pattern = Matcher::pattern(&format!("{shorter}.")).unwrap();
        assert_eq!(demand(identity(&case).require_extension(extension, pattern)), Ok(()));
        let unanchored = Matcher::pattern(shorter).unwrap();
        assert_eq!(demand(identity(&case).require_extension(extension, unanchored)), Err("UNTRUSTED_SIGNER"));
    }
    assert_eq!(
        demand(identity(&case).require_extension(Extension::DeploymentEnvironment, "x")),
        Err("UNTRUSTED_SIGNER")
    );
}

#[test]
fn s019_a_named_identity_counts_within_its_window_at_the_time_of_signing() {
    let Some(case) = conformance("happy-path-v0.3") else { return };
    let named = |from: Option<&str>, until: Option<&str>| {
        let at = |text: &str| text.parse().unwrap();
        let window = Window::new(from.map(at), until.map(at)).unwrap();
        let key = PrivateKey::generate(KeyType::P256).unwrap().public().clone();
        let trust = case.trust().unwrap().with_identity("ci", identity(&case), window).unwrap();
        let verifier = Verifier::new(trust.with_key("key", key, Window::ALWAYS).unwrap());
        let demanded = Identity::OneOf(vec!["key".to_owned(), "ci".to_owned()]);
        let expectation = Expectation::of_signer(demanded, now());
        verifier.verify_blob(&case.bundle, Blob::Bytes(file(&case)), &expectation).map_err(|e| e.code())
    };
    assert_eq!(named(None, None).unwrap().signers()[0].name, "ci");
    assert_eq!(named(Some("2024-03-01T00:00:00Z"), Some("2024-04-01T00:00:00Z")).unwrap().signers()[0].name, "ci");
    assert_eq!(named(Some("2024-04-01T00:00:00Z"), None).unwrap_err(), "NOT_YET_VALID");
    assert_eq!(named(None, Some("2024-03-01T00:00:00Z")).unwrap_err(), "EXPIRED");
    // a name that is a key's is no certificate, and the other way
    let trust = case.trust().unwrap();
    let key = PrivateKey::generate(KeyType::P256).unwrap().public().clone();
    let verifier = Verifier::new(trust.with_key("key", key, Window::ALWAYS).unwrap());
    let expectation = Expectation::of_signer(Identity::key("key"), now());
    let refused = verifier.verify_blob(&case.bundle, Blob::Bytes(file(&case)), &expectation).unwrap_err();
    assert_eq!(refused.code(), "UNTRUSTED_SIGNER");
}

#[test]
fn more_logs_or_timestamps_than_there_are_are_refused_and_less_is_spelled_out() {
    let Some(case) = conformance("rekor2-happy-path") else { return };
    let verifier = verifier(&case);
    let run = |bundle: &[u8], expectation: Expectation| {
        verifier.verify_blob(bundle, Blob::Bytes(file(&case)), &expectation).map(|_| ()).map_err(|e| e.code())
    };
    let plain = || Expectation::of_signer(identity(&case).into(), now());
    assert_eq!(run(&case.bundle, plain().require_log_entries(1).require_timestamps(1)), Ok(()));
    assert_eq!(run(&case.bundle, plain().require_log_entries(2)), Err("BAD_LOG_ENTRY"));
    assert_eq!(run(&case.bundle, plain().require_timestamps(2)), Err("BAD_TIMESTAMP"));
    let unlogged = changed(&case.bundle, |b| b["verificationMaterial"]["tlogEntries"] = Value::Array(vec![]));
    assert_eq!(run(&unlogged, plain()), Err("BAD_LOG_ENTRY"));
    assert_eq!(run(&unlogged, plain().require_log_entries(0)), Err("BAD_LOG_ENTRY"));
    assert_eq!(run(&unlogged, plain().unlogged_unsafe()), Ok(()));
    assert_eq!(run(&unlogged, plain().unlogged_unsafe().require_log_entries(1)), Err("BAD_LOG_ENTRY"));
    // an authenticated time is never waived
    let timeless = changed(&unlogged, |b| b["verificationMaterial"]["timestampVerificationData"] = Value::Null);
    assert_eq!(run(&timeless, plain().unlogged_unsafe()), Err("BAD_TIMESTAMP"));
    // the signature of a log or authority in the future is none
    let before = "2025-06-12T11:00:00Z".parse().unwrap();
    assert_eq!(run(&case.bundle, Expectation::of_signer(identity(&case).into(), before)), Err("BAD_TIMESTAMP"));
}

#[test]
fn without_a_log_of_certificates_a_certificate_counts_only_if_that_is_waived() {
    let Some(mut case) = conformance("happy-path-v0.3") else { return };
    let root = bundles().unwrap().join("../sigstore-trust-roots/public-good/targets/trusted_root.json");
    let root = changed(&std::fs::read(root).unwrap(), |r| r["ctlogs"] = Value::Array(vec![]));
    case.roots = vec![root];
    assert_eq!(code(&case), "BAD_SCT");
    let expectation = Expectation::of_signer(identity(&case).into(), now()).without_sct_unsafe();
    verifier(&case).verify_blob(&case.bundle, Blob::Bytes(file(&case)), &expectation).unwrap();
}

#[test]
fn what_a_later_root_says_of_a_log_replaces_what_an_earlier_one_said() {
    let Some(mut case) = conformance("happy-path-v0.3") else { return };
    let good = bundles().unwrap().join("../sigstore-trust-roots/public-good/targets/trusted_root.json");
    let good = std::fs::read(good).unwrap();
    let ended = changed(&good, |r| r["tlogs"][0]["publicKey"]["validFor"]["end"] = "2022-01-01T00:00:00Z".into());
    for (roots, verdict) in [
        (vec![good.clone()], None),
        (vec![ended.clone()], Some("BAD_LOG_ENTRY")),
        (vec![good.clone(), ended.clone()], Some("BAD_LOG_ENTRY")),
        (vec![ended, good], None),
    ] {
        case.roots = roots;
        assert_eq!(case.run().err().map(|e| e.code()), verdict);
    }
}

#[test]
fn a_log_that_says_no_time_must_have_counted_between_the_signature_and_now() {
    let Some(mut case) = conformance("rekor2-happy-path") else { return };
    let root = case.roots.remove(0);
    // it was stamped on 2025-06-12 at 12:02
    for (name, at, verdict) in [
        ("end", "2025-06-12T12:00:00Z", Some("BAD_LOG_ENTRY")),
        ("end", "2025-06-12T13:00:00Z", None),
        ("start", "2026-01-01T00:00:00Z", None),
        ("start", "2027-01-01T00:00:00Z", Some("BAD_LOG_ENTRY")),
    ] {
        case.roots = vec![changed(&root, |r| {
            for log in r["tlogs"].as_array_mut().unwrap() {
                log["publicKey"]["validFor"][name] = at.into();
            }
        })];
        assert_eq!(case.run().err().map(|e| e.code()), verdict, "{name} {at}");
    }
}

#[test]
fn a_chain_that_was_found_good_once_is_not_believed_beyond_its_validity() {
    let Some(bundles) = bundles() else { return };
    let cases = sigstore_cases::cpython(&bundles);
    let (old, new) = (&cases[0], cases.last().unwrap());
    let good = bundles.join("../sigstore-trust-roots/public-good/targets/trusted_root.json");
    // the authority ends between the two
    let root = changed(&std::fs::read(good).unwrap(), |r| {
        r["certificateAuthorities"][1]["validFor"]["end"] = "2024-01-01T00:00:00Z".into();
    });
    let verifier = Verifier::new(TrustRoot::new().with_sigstore(&root).unwrap());
    for _ in 0..2 {
        assert!(old.run_with(&verifier, identity(old).into()).is_ok());
        let e = new.run_with(&verifier, identity(new).into()).unwrap_err();
        assert_eq!(e.code(), "UNTRUSTED_CERTIFICATE", "{e}");
    }
}

#[test]
fn an_identity_that_nobody_believes_an_authority_for_is_refused() {
    let Some(case) = conformance("happy-path-v0.3") else { return };
    let e = case.run_under(TrustRoot::new()).unwrap_err();
    assert_eq!(e.code(), "UNTRUSTED_CERTIFICATE");
    let e = case.run_under(TrustRoot::staging().unwrap()).unwrap_err();
    assert_eq!(e.code(), "UNTRUSTED_CERTIFICATE");
}

#[test]
fn all_of_this_passes_in_a_network_namespace_without_interfaces() {
    const HERE: &str = "all_of_this_passes_in_a_network_namespace_without_interfaces";
    let unshared = |program: &std::path::Path| {
        let mut command = std::process::Command::new("unshare");
        command.arg("-rn").arg(program);
        command
    };
    if !unshared("true".as_ref()).status().is_ok_and(|status| status.success()) {
        eprintln!("not run, no network namespaces: verification without a network");
        return;
    }
    let ran = unshared(&std::env::current_exe().unwrap()).args(["--skip", HERE]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    // the command, with the root that is built in
    let Some(case) = conformance("happy-path-v0.3") else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.txt"), file(&case)).unwrap();
    std::fs::write(path("bundle.json"), &case.bundle).unwrap();
    let command = |identity: &str| {
        let mut command = unshared(env!("CARGO_BIN_EXE_sealwright").as_ref());
        command.arg("verify").arg(path("a.txt")).arg("--bundle").arg(path("bundle.json"));
        command.args(["--issuer", GITHUB, "--identity-regexp", identity, "--json"]).output().unwrap()
    };
    let ran = command("https://github.com/sigstore-conformance/.*");
    let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((ran.status.code(), answer["signers"][0]["certificate"]["issuer"].as_str()), (Some(0), Some(GITHUB)));
    assert_eq!(answer["logEntries"][0]["log"], "https://rekor.sigstore.dev");
    let ran = command("https://github.com/sigstore-conformance/");
    let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert_eq!((ran.status.code(), answer["error"]["code"].as_str()), (Some(1), Some("UNTRUSTED_SIGNER")));
}
