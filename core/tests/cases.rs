//! Every case of `fixtures/cases`, as the bindings run them too: the same input gives the same code in all languages.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, clippy::panic, reason = "tests")]

mod ingested;

use std::fs;
use std::path::{Path, PathBuf};

use sealwright::commit::{self, Commit, CommitTrust, Tag};
use sealwright::digest::{Algorithm, Digest, DigestSet};
use sealwright::encryption::{KeyEncryptionKey, KeyFile, open_key_encryption_key};
use sealwright::ingest::junit;
use sealwright::json::Value;
use sealwright::key::{PrivateKey, PublicKey};
use sealwright::layout::{self, LayoutExpectation, LayoutKey, Links};
use sealwright::ledger::{Anchors, Ledger, Pins, Schedule};
use sealwright::opening::Opening;
use sealwright::pack::{self, PackDemand};
use sealwright::provenance::ProvenanceExpectation;
use sealwright::signer::{self, Access};
use sealwright::statement::Statement;
use sealwright::trust::TrustRoot;
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};
use sealwright::{Result, sbom, trust_policy};
use serde_json::json;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

#[test]
fn every_case_ends_as_it_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for topic in fs::read_dir(fixtures().join("cases")).unwrap().map(|e| e.unwrap().path()) {
        for path in fs::read_dir(&topic).unwrap().map(|e| e.unwrap().path()) {
            let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let ended = run(topic.file_name().unwrap().to_str().unwrap(), &case["input"]);
            let (code, gives) = match ended {
                Ok(gives) => ("ok".to_owned(), gives),
                Err(e) => (e.code().to_owned(), json!(e.message())),
            };
            let gave_other = code == "ok" && case.get("gives").is_some_and(|expected| *expected != gives);
            if code != case["expect"] || gave_other {
                wrong.push(format!("{}: expected {}, found {code}: {gives}", path.display(), case["expect"]));
            }
            count += 1;
        }
    }
    assert!(count >= 360, "only {count} cases were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn run(topic: &str, input: &Value) -> Result<Value> {
    let text = |name: &str| input[name].as_str().unwrap();
    let json = |name: &str| serde_json::to_vec(&input[name]).unwrap();
    match topic {
        "verify" => {
            let verifier = Verifier::new(TrustRoot::from_json(&json("keys"))?);
            let expectation = Expectation::from_json(&json("expectation"), "2026-11-21T08:00:00Z".parse()?)?;
            let verified = verifier.verify(text("record").as_bytes(), &expectation)?;
            Ok(verified.signers().iter().map(|s| s.name.clone()).collect())
        }
        "blob" | "certificate" => blob(input),
        "provenance" => {
            let verifier = Verifier::new(TrustRoot::from_json(&json("keys"))?);
            let identity = Identity::key(text("signer"));
            let signed = Expectation::new(Artifact::AnyUnsafe, identity, "2026-11-21T08:00:00Z".parse()?);
            let verified = verifier.verify(text("record").as_bytes(), &signed)?;
            let checked = ProvenanceExpectation::from_json(&json("expectation"))?.check(&verified)?;
            Ok(checked.build.builder_id.into())
        }
        "commit" => {
            let trust = match input.get("trustedRoot") {
                None => CommitTrust::new().with_allowed_signers(text("allowedSigners").as_bytes())?,
                Some(_) => {
                    let root = TrustRoot::new().with_sigstore(text("trustedRoot").as_bytes())?;
                    CommitTrust::new().with_certificates(root.with_signers(&json("signers"))?)?
                }
            };
            let (raw, now) = (text("raw").as_bytes(), text("now").parse()?);
            let signer = if text("kind") == "tag" {
                commit::verify_tag(&Tag::parse(raw, text("id"))?, &trust, now)?.signer().clone()
            } else {
                let id = Digest::from_hex(Algorithm::GitCommit, text("id"))?;
                commit::verify(&Commit::parse(raw, &id)?, &trust, now)?.signer().clone()
            };
            Ok(json!(signer.principals))
        }
        "layout" => {
            let owners = input["owners"].as_array().unwrap().iter();
            let owners = owners.map(|key| LayoutKey::parse(key.as_str().unwrap().as_bytes()));
            let links = input["links"].as_object().unwrap().iter();
            let links = links.fold(Links::new(), |all, (name, link)| all.with(name, link.as_str().unwrap()));
            let expectation = LayoutExpectation::from_json(&json("expectation"), "2026-11-21T08:00:00Z".parse()?)?;
            let verified =
                layout::verify(text("layout").as_bytes(), &owners.collect::<Result<Vec<_>>>()?, &links, &expectation)?;
            Ok(verified.steps().iter().map(|step| step.name.clone()).collect())
        }
        "signer" => signer::open(text("reference"), &Access::from_json(&json("access"))?).map(|_| Value::Null),
        "statement" => {
            let subjects = sealwright::json::parse("subjects", &json("subjects"))?;
            Statement::from_json(text("predicateType"), subjects, &input["predicate"]).map(|_| Value::Null)
        }
        "payload" => Statement::parse(text("payload").into()).map(|_| Value::Null),
        "digest" => Ok(serde_json::to_value(DigestSet::from(text("text").parse::<Digest>()?)).unwrap()),
        "key" => match input.get("public") {
            Some(pem) => PublicKey::from_pem(pem.as_str().unwrap().as_bytes()).map(|key| key.id().into()),
            None => PrivateKey::from_pem(text("private").as_bytes(), input["passphrase"].as_str())
                .map(|key| key.public().id().into()),
        },
        "trust-policy" => {
            let policy = sealwright::json::parse("trust policy", &json("policy"))?;
            trust_policy::statement(&policy).map(|_| Value::Null)
        }
        "junit" => Ok(serde_json::to_value(junit::read(text("report").as_bytes())?).unwrap()),
        "ingest" => {
            let report = fs::read(fixtures().join(text("report"))).unwrap();
            ingested::run_case(input, &report).map(|taken| ingested::statements(&taken))
        }
        "sbom" if input.get("files").is_some() => {
            let folder = tempfile::tempdir().unwrap();
            for (path, text) in input["files"].as_object().unwrap() {
                let path = folder.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text.as_str().unwrap()).unwrap();
            }
            let options = sealwright::json::parse("options", &json("options"))?;
            let bom: Value = serde_json::from_slice(&sbom::generate(folder.path(), &options)?.to_json()?).unwrap();
            let components = bom["components"].as_array().unwrap().iter();
            Ok(components
                .map(|c| format!("{} {}", c["bom-ref"].as_str().unwrap(), c["scope"].as_str().unwrap()))
                .collect())
        }
        "sbom" => {
            let findings = serde_json::to_value(sbom::validate(text("document").as_bytes())?).unwrap();
            let places = findings.as_array().unwrap().iter();
            Ok(places.map(|f| format!("{} {}", f["rule"].as_str().unwrap(), f["path"].as_str().unwrap())).collect())
        }
        "image" => {
            let options = sealwright::json::parse("options", &json("options"))?;
            let bom = sbom::generate_image(&fixtures().join(text("image")), &options)?;
            Ok(bom.components.iter().map(|c| c.bom_ref.clone()).collect())
        }
        "ledger" => ledger(input),
        "opening" => opening(input),
        "encryption-key" => {
            let file = input["file"].as_str().map(|file| fixtures().join(file).display().to_string());
            let reference = file.unwrap_or_else(|| text("reference").to_owned());
            open_key_encryption_key(&reference, &Access::from_json(&json("access"))?).map(|key| key.id().into())
        }
        "schedule" => {
            let kinds: Vec<_> = input["kinds"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
            Ok(json!(Schedule::parse(&json("schedule"))?.longest(&kinds)))
        }
        "pack" => {
            let folder = Copy::of(input);
            let signers = fixtures().join(text("signers"));
            let mut demand = json!({"signers": signers, "logKey": text("logKey")});
            demand.as_object_mut().unwrap().extend(input["demand"].as_object().cloned().unwrap_or_default());
            pack::verify(&folder.path(), &PackDemand::from_json(&serde_json::to_vec(&demand).unwrap())?)
                .map(|_| Value::Null)
        }
        other => panic!("no such topic of cases: {other}"),
    }
}

fn blob(input: &Value) -> Result<Value> {
    let root = TrustRoot::from_json(&serde_json::to_vec(&input["signers"]).unwrap())?;
    let roots = input["trustedRoots"].as_array().unwrap().iter();
    let root = roots.map(|r| serde_json::to_vec(r).unwrap()).try_fold(root, |root, r| root.with_sigstore(&r))?;
    let expectation = serde_json::to_vec(&input["expectation"]).unwrap();
    let expectation = Expectation::from_json(&expectation, "2026-11-21T08:00:00Z".parse()?)?;
    let blob = match input["blob"]["digest"].as_str() {
        Some(digest) => Blob::Digest(digest.parse()?),
        None => Blob::Bytes(input["blob"]["text"].as_str().unwrap().as_bytes()),
    };
    let bundle = input["bundle"].as_str().unwrap().as_bytes();
    let verified = Verifier::new(root).verify_blob(bundle, blob, &expectation)?;
    Ok(verified.signers().iter().map(|s| s.name.clone()).collect())
}

/// Opens a copy, reads every record and audits.
fn ledger(input: &Value) -> Result<Value> {
    let folder = Copy::of(input);
    let anchors = folder.0.path().join("anchors");
    if let Some(seen) = input["anchors"].as_str() {
        copy(&fixtures().join(seen), &anchors);
    }
    let mut ledger = Ledger::open(&folder.path(), &Anchors::in_folder(anchors), &Pins::none())?;
    for index in 0..ledger.size() {
        ledger.record(index)?;
    }
    let report = ledger.audit()?;
    assert!(report.is_clean(), "{:?}", report.findings);
    Ok(Value::Null)
}

/// Opens a ledger where it lies, with its key.
fn opening(input: &Value) -> Result<Value> {
    let key = input["encryptionKey"].as_str().map(|file| KeyFile::read(&fixtures().join(file), None)).transpose()?;
    let copied = input.get("folder").map(|_| Copy::of(input));
    let place = copied.as_ref().map(|copied| copied.path().display().to_string());
    let place = place.unwrap_or_else(|| input["place"].as_str().unwrap().to_owned());
    let anchors = tempfile::tempdir().unwrap();
    let opening = Opening::from_json(&serde_json::to_vec(&input["opening"]).unwrap(), |_| None)?;
    let kek = key.as_ref().map(|key| key as &dyn KeyEncryptionKey);
    let ledger = opening.open(&place, &Anchors::in_folder(anchors.path()), None, kek)?;
    for index in 0..ledger.size() {
        ledger.record(index)?;
    }
    assert_eq!(ledger.key_encryption_key(), key.as_ref().map(|key| key.id()));
    Ok(Value::Null)
}

/// A copy of the folder of a case, with its change.
struct Copy(tempfile::TempDir);

impl Copy {
    fn of(input: &Value) -> Self {
        let made = Self(tempfile::tempdir().unwrap());
        copy(&fixtures().join(input["folder"].as_str().unwrap()), &made.path());
        let change = &input["change"];
        if let Some(file) = change["file"].as_str() {
            let file = made.path().join(file);
            let mut bytes = fs::read(&file).unwrap_or_default();
            if change["remove"] == true {
                fs::remove_file(&file).unwrap();
            } else {
                bytes.truncate(change["keep"].as_u64().map_or(bytes.len(), |n| n as usize));
                bytes.extend_from_slice(change["append"].as_str().unwrap_or_default().as_bytes());
                fs::write(&file, bytes).unwrap();
            }
        }
        made
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("copy")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(std::result::Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
