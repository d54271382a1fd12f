//! Packs with records and manifests that were signed with certificates: the library and the shell script agree on them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests"
)]

mod instance;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use instance::{Asked, ISSUER, Instance};
use sealwright::artifact::ResourceDescriptor;
use sealwright::bundle::Bundle;
use sealwright::digest::Digest;
use sealwright::envelope::{Envelope, IN_TOTO, Signature, pae};
use sealwright::error::Result;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::pack::{self, PackDemand, PackRequest, PackVerdict, Signers};
use sealwright::predicate::TrustedSigner;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use world::{RELEASE, World, artifact};

const CI: &str = "https://forge.example/shop/.ci/release.yml@refs/heads/main";
const NOTE: &str = "https://example.org/attestation/something-else/v1";

struct Scene {
    world: World,
    instance: Instance,
}

impl Scene {
    /// A release with a record by the holder of a certificate that was logged so many milliseconds after it was signed.
    fn new(late: i64) -> Self {
        let instance = Instance::new();
        let root = instance.trusted_root();
        let mut world = World::with_policy(|policy| {
            let mut descriptor = ResourceDescriptor::of(Digest::sha256(&root));
            descriptor.content = Some(base64(&root));
            policy.trusted_roots.push(descriptor);
            policy.signers.push(TrustedSigner {
                name: "ci".to_owned(),
                issuer: Some(ISSUER.to_owned()),
                identity: Some(CI.to_owned()),
                predicate_types: vec![NOTE.to_owned()],
                ..TrustedSigner::default()
            });
        });
        world.build(&artifact());
        let key = key();
        let at = world.tick();
        let certificate = instance.certificate(&Asked::of(CI, key.public(), at));
        let statement = Statement::from_json(NOTE, vec![world.subject(&artifact())], &serde_json::json!({})).unwrap();
        let record = instance.record(statement.payload(), certificate, &key, at).to_json();
        world.now = world.now.plus_millis(late);
        let now = world.now;
        let verified = world.ledger.verify(&record, now).unwrap();
        world.ledger.append(&verified, now).unwrap();
        Self { world, instance }
    }

    fn build(&mut self) -> PathBuf {
        let folder = self.world.dir.path().join("pack");
        let actor = self.world.actor("release-manager");
        let request = PackRequest::new(RELEASE, actor, world::START.parse().unwrap());
        // not at the beginning of a second, which is as exact as certificates are
        self.world.now = self.world.now.plus_millis(500);
        let now = self.world.tick();
        pack::build(&mut self.world.ledger, &request, &folder, &self.world.keys["records"], now).unwrap();
        folder
    }

    /// A SIGNERS file with all keys, and `more`; authorities are in `ca.pem`, of another instance in `other.pem`.
    fn signers(&self, more: &str) -> PathBuf {
        let folder = self.world.dir.path().join("outside");
        fs::create_dir_all(&folder).unwrap();
        let mut lines = String::new();
        for (name, key) in &self.world.keys {
            fs::write(folder.join(format!("{name}.pem")), key.public().to_pem()).unwrap();
            let pack = if *name == "records" { "pack" } else { "" };
            lines += &format!("key {} {} {name}.pem {pack}\n", key.public().id(), key.public().key_type());
        }
        fs::write(folder.join("ca.pem"), self.instance.chain_pem()).unwrap();
        fs::write(folder.join("rootless.pem"), instance::pem("CERTIFICATE", &self.instance.chain[0])).unwrap();
        fs::write(folder.join("other.pem"), Instance::new().chain_pem()).unwrap();
        fs::write(folder.join("log.pub"), self.world.ledger.log_key().key().to_pem()).unwrap();
        let signers = folder.join("SIGNERS");
        fs::write(&signers, lines + more + "\n").unwrap();
        signers
    }

    fn demand(&self, signers: &Path) -> Result<PackDemand> {
        Ok(PackDemand::new(Signers::read(signers)?, self.world.ledger.log_key().key().clone()))
    }

    fn by_library(&self, folder: &Path, signers: &Path) -> Result<PackVerdict> {
        pack::verify(folder, &self.demand(signers)?)
    }

    /// Both give this verdict: none passes, else the code of the library.
    fn both(&self, folder: &Path, more: &str, code: Option<&str>) {
        let signers = self.signers(more);
        let found = self.by_library(folder, &signers).err();
        assert_eq!(found.as_ref().map(|e| e.code()), code, "{more}: {found:?}");
        assert!(found.is_none_or(|e| e.kind().is_refusal()));
        if let Some((exit, said)) = by_script(folder, &signers) {
            assert_eq!(exit, i32::from(code.is_some()), "{more}: {said}");
        }
    }
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::P256).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Exit code and what the script says, none if a tool is missing.
fn by_script(folder: &Path, signers: &Path) -> Option<(i32, String)> {
    for tool in ["bash", "jq", "openssl", "xxd", "awk"] {
        if Command::new(tool).arg("--help").output().is_err() {
            println!("not run: `{tool}` is missing");
            return None;
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pack/verify.sh");
    let mut command = Command::new("bash");
    command.arg(script).arg(signers).arg(signers.with_file_name("log.pub")).current_dir(folder);
    let out = command.output().unwrap();
    Some((out.status.code().unwrap(), String::from_utf8_lossy(&out.stderr).into_owned()))
}

#[test]
fn s140_a_record_by_a_certificate_is_verified_by_both_if_exactly_its_holder_is_listed() {
    let mut scene = Scene::new(1000);
    let folder = scene.build();
    let line = |identity: &str, issuer: &str, kind: &str, file: &str| format!("cert {identity} {issuer} {kind} {file}");
    scene.both(&folder, &line(CI, ISSUER, "p256", "ca.pem"), None);
    scene.both(&folder, &line(CI, "-", "p256", "ca.pem"), None);
    for (more, code) in [
        (String::new(), "UNTRUSTED_SIGNER"),
        (line(&CI[..CI.len() - 1], ISSUER, "p256", "ca.pem"), "UNTRUSTED_SIGNER"),
        (line(".*", ISSUER, "p256", "ca.pem"), "UNTRUSTED_SIGNER"),
        (line(CI, "https://other.example", "p256", "ca.pem"), "UNTRUSTED_SIGNER"),
        (line(CI, ISSUER, "ed25519", "ca.pem"), "UNTRUSTED_SIGNER"),
        (line(CI, ISSUER, "p256", "other.pem"), "UNTRUSTED_CERTIFICATE"),
        (line(CI, ISSUER, "p256", "rootless.pem"), "UNTRUSTED_CERTIFICATE"),
    ] {
        scene.both(&folder, &more, Some(code));
    }
    let both = format!("{}\n{}", line(CI, ISSUER, "p256", "other.pem"), line(CI, ISSUER, "p256", "ca.pem"));
    scene.both(&folder, &both, None);
    // what the pack brings for convenience does, too
    let own = folder.join("keys/SIGNERS");
    let text = fs::read_to_string(&own).unwrap();
    assert!(text.contains(&format!("cert {CI} {ISSUER} p256 authorities-")), "{text}");
    scene.by_library(&folder, &own).unwrap();
    let (exit, said) = by_script(&folder, &own).unwrap_or_default();
    assert_eq!(exit, 0, "{said}");
    // a changed record
    let name = fs::read_dir(folder.join("records")).unwrap().map(|e| e.unwrap().path()).max().unwrap();
    let mut record = fs::read(&name).unwrap();
    record.push(b'\n');
    fs::write(&name, record).unwrap();
    scene.both(&folder, &line(CI, ISSUER, "p256", "ca.pem"), Some("PACK_TAMPERED"));
    // files that are missing or none
    let broken = scene.signers(&line(CI, ISSUER, "p256", "lost.pem"));
    assert_eq!(scene.demand(&broken).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(by_script(&folder, &broken).map_or(2, |(exit, _)| exit), 2);
    let odd = scene.signers(&line(CI, ISSUER, "p256", "log.pub"));
    assert_eq!(scene.demand(&odd).unwrap_err().code(), "MALFORMED");
}

#[test]
fn s140_a_certificate_that_was_over_when_its_record_was_logged_needs_the_pinned_trust_policy() {
    let mut scene = Scene::new(3_600_000);
    let folder = scene.build();
    let line = format!("cert {CI} {ISSUER} p256 ca.pem");
    scene.both(&folder, &line, Some("EXPIRED"));
    // then the log says when it was signed, which the trust policy believes
    let first = scene.world.ledger.trust_policy().unwrap().payload().clone();
    let demand = scene.demand(&scene.signers(&line)).unwrap().pin_trust_policy(first);
    pack::verify(&folder, &demand).unwrap();
    let other = scene.demand(&scene.signers(&format!("cert {CI} {ISSUER} p256 other.pem"))).unwrap();
    let first = scene.world.ledger.trust_policy().unwrap().payload().clone();
    let e = pack::verify(&folder, &other.pin_trust_policy(first)).unwrap_err();
    assert!(["UNTRUSTED_CERTIFICATE", "EXPIRED"].contains(&e.code()), "{e}");
}

#[test]
fn s140_a_manifest_by_a_certificate_counts_if_its_holder_may_pack() {
    let mut scene = Scene::new(1000);
    let folder = scene.build();
    let listed = format!("cert {CI} {ISSUER} p256 ca.pem");
    let payload = {
        let bundle = Bundle::parse(&fs::read(folder.join("manifest.sigstore.json")).unwrap()).unwrap();
        bundle.into_envelope().unwrap().into_payload()
    };
    let made_at: Timestamp = scene.world.now;
    let sign = |change: &dyn Fn(&mut Asked)| {
        let key = key();
        let mut asked = Asked::of(CI, key.public(), made_at);
        change(&mut asked);
        let sig = key.sign(&pae(IN_TOTO, &payload)).unwrap();
        let envelope = Envelope::new(IN_TOTO, payload.clone(), vec![Signature::new(None, sig)]).unwrap();
        let bundle = Bundle::of_certificate(envelope, scene.instance.certificate(&asked));
        fs::write(folder.join("manifest.sigstore.json"), bundle.to_json()).unwrap();
    };
    sign(&|_| {});
    scene.both(&folder, &listed, Some("UNTRUSTED_SIGNER"));
    let may = format!("{listed} pack");
    scene.both(&folder, &may, None);
    // one name only, whatever separates two of them in the words of openssl
    let uri = |text: String| vec![(0x86, text.into_bytes())];
    for names in [
        uri(format!("https://other.example, URI:{CI}")),
        uri(format!("https://other.example\nURI:{CI}")),
        uri(format!("{CI}\n")),
        uri(format!("{CI}, URI:https://other.example")),
        [uri(CI.to_owned()), uri("https://other.example".to_owned())].concat(),
        [uri("https://other.example".to_owned()), uri(CI.to_owned())].concat(),
    ] {
        sign(&|asked| asked.names = names.clone());
        scene.both(&folder, &may, Some("UNTRUSTED_SIGNER"));
    }
    sign(&|asked| asked.issuer = "https://other.example".to_owned());
    scene.both(&folder, &may, Some("UNTRUSTED_SIGNER"));
    sign(&|asked| asked.until = made_at.plus_millis(-1000));
    scene.both(&folder, &may, Some("EXPIRED"));
    // up to its last second, and from the beginning of its first
    sign(&|asked| (asked.from, asked.until) = (made_at, made_at));
    scene.both(&folder, &may, Some("EXPIRED"));
    sign(&|asked| (asked.from, asked.until) = (made_at, made_at.plus_millis(1000)));
    scene.both(&folder, &may, None);
    sign(&|asked| asked.from = made_at.plus_millis(1000));
    scene.both(&folder, &may, Some("NOT_YET_VALID"));
    // the certificate of somebody, and the signature of somebody else
    sign(&|_| {});
    let path = folder.join("manifest.sigstore.json");
    let mut bundle: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64(&key().sign(&pae(IN_TOTO, &payload)).unwrap()).into();
    fs::write(&path, serde_json::to_vec(&bundle).unwrap()).unwrap();
    scene.both(&folder, &may, Some("BAD_SIGNATURE"));
}
