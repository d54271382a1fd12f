//! Evidence packs: what is in them, and that the library and the shell script refuse the same ones.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests"
)]

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::bundle::Bundle;
use sealwright::checkpoint::{Checkpoint, SignedCheckpoint, TlogProof};
use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey, PublicKey};
use sealwright::merkle::{Hash, TileId, TileReader, inclusion_proof, leaf_hash, root_of};
use sealwright::pack::{self, Built, Extension, PackDemand, PackRequest, Signers};
use sealwright::predicate::*;
use sealwright::release;
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::{Error, ErrorKind};
use serde_json::Value;
use world::{RELEASE, World, artifact, prod};

const PACK_SIGNER: &str = "records";

fn request(world: &World) -> PackRequest {
    PackRequest::new(RELEASE, world.actor("release-manager"), world::START.parse().unwrap())
}

fn try_build(world: &mut World, name: &str, signer: &str, now: Timestamp) -> Result<(PathBuf, Built), Error> {
    let folder = world.dir.path().join(name);
    let request = request(world);
    let built = pack::build(&mut world.ledger, &request, &folder, &world.keys[signer], now)?;
    Ok((folder, built))
}

fn build(world: &mut World, name: &str) -> (PathBuf, Built) {
    let now = world.now;
    try_build(world, name, PACK_SIGNER, now).unwrap()
}

/// A release with all evidence but no decision yet; small, because the script takes its time for each record.
fn begun() -> World {
    let mut world = World::new();
    world.build(&artifact());
    world
}

/// What somebody outside knows: the signers and the ledger's key, in a folder with a blank in its name.
struct Outside {
    signers: PathBuf,
    log: PathBuf,
}

impl Outside {
    fn new(world: &World) -> Self {
        Self::with_lines(world, "my signers", |line| line)
    }

    /// The signers with each line changed.
    fn with_lines(world: &World, folder: &str, change: impl Fn(String) -> String) -> Self {
        let folder = world.dir.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let mut lines = String::from("# who may sign\n\n");
        for (name, key) in &world.keys {
            fs::write(folder.join(format!("{name}.pem")), key.public().to_pem()).unwrap();
            let pack = if *name == PACK_SIGNER { "pack" } else { "" };
            lines += &change(format!("key {} {} {name}.pem {pack}\n", key.public().id(), key.public().key_type()));
        }
        let signers = folder.join("SIGNERS");
        fs::write(&signers, lines).unwrap();
        let log = folder.join("log.pub");
        fs::write(&log, world.ledger.log_key().key().to_pem()).unwrap();
        Self { signers, log }
    }

    fn demand(&self) -> Result<PackDemand, Error> {
        let log = PublicKey::from_pem(&fs::read(&self.log).unwrap())?;
        Ok(PackDemand::new(Signers::read(&self.signers)?, log))
    }

    fn by_library(&self, folder: &Path, min: Option<&Path>) -> Result<pack::PackVerdict, Error> {
        let mut demand = self.demand()?;
        if let Some(min) = min {
            demand = demand.no_older_than(fs::read(min).unwrap());
        }
        pack::verify(folder, &demand)
    }

    /// Exit code and what the script says, none if a tool is missing.
    fn by_script(&self, folder: &Path, min: Option<&Path>) -> Option<(i32, String)> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pack/verify.sh");
        for tool in ["bash", "jq", "openssl", "xxd", "awk"] {
            if Command::new(tool).arg("--help").output().is_err() {
                println!("not run: `{tool}` is missing");
                return None;
            }
        }
        let mut command = Command::new("bash");
        command.arg(script).arg(&self.signers).arg(&self.log).args(min).current_dir(folder);
        let out = command.output().unwrap();
        Some((out.status.code().unwrap(), String::from_utf8_lossy(&out.stderr).into_owned()))
    }

    /// Both verify it.
    fn accept(&self, folder: &Path, min: Option<&Path>) -> pack::PackVerdict {
        if let Some((code, said)) = self.by_script(folder, min) {
            assert_eq!(code, 0, "{said}");
        }
        self.by_library(folder, min).unwrap()
    }

    /// Both refuse it, the library with this code.
    fn refuse(&self, what: &str, folder: &Path, min: Option<&Path>, code: &str) {
        let e = self.by_library(folder, min).unwrap_err();
        assert_eq!(e.code(), code, "{what}: {e:?}");
        assert!(e.kind().is_refusal(), "{what}: {e:?}");
        if let Some((exit, said)) = self.by_script(folder, min) {
            assert_eq!(exit, 1, "{what}: {said}");
        }
    }
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    for (name, bytes) in files(from) {
        let place = to.join(name);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, bytes).unwrap();
    }
}

#[test]
fn s140_a_pack_of_a_release_verifies_by_library_and_by_script() {
    let mut world = World::released(&artifact());
    let (folder, built) = build(&mut world, "pack");
    let verdict = Outside::new(&world).accept(&folder, None);
    assert_eq!(verdict.records, world.ledger.size(), "everything in this ledger is about the release");
    assert_eq!(verdict.bare_entries, 0);
    assert_eq!(verdict.extension, Extension::NotAsked);
    assert_eq!(verdict.statement, built.statement);
    assert!(built.statement.completeness.gaps.is_empty(), "{:?}", built.statement.completeness.gaps);
    let types: BTreeSet<_> = world.keys.values().map(|k| k.public().key_type().name()).collect();
    assert_eq!(types.len(), 2, "both types of key signed");
    // the statement may go into the ledger, and a pack in its own folder verifies with its own convenience copies, too
    let handed_over = world.ledger.verify(&built.record, world.now).unwrap();
    world.ledger.append(&handed_over, world.now).unwrap();
    let own = Outside { signers: folder.join("keys/SIGNERS"), log: folder.join("keys/log.pub") };
    own.by_library(&folder, None).unwrap();
}

#[test]
fn s140_every_file_dropped_altered_or_swapped_is_refused_by_both() {
    let mut world = begun();
    let (good, _) = build(&mut world, "pack");
    let outside = Outside::new(&world);
    let names: Vec<String> = files(&good).into_keys().collect();
    let broken = world.dir.path().join("broken");
    // the library is asked about every file, the slower script about one of each folder
    let mut kinds = BTreeSet::new();
    copy(&good, &broken);
    for name in &names {
        let place = broken.join(name);
        let bytes = fs::read(&place).unwrap();
        let shell = kinds.insert(name.split('/').next().unwrap().to_owned());
        let check = |what: &str| {
            let what = format!("{name} {what}");
            let e = outside.by_library(&broken, None).expect_err(&what);
            assert!(e.kind().is_refusal(), "{what}: {e:?}");
            let said = name.strip_prefix("proofs/").and_then(|n| n.split('.').next()).unwrap_or(name);
            assert!(e.message().contains(said) || name.starts_with("manifest"), "{what}: {e}");
            if shell && let Some((code, said)) = outside.by_script(&broken, None) {
                assert_eq!(code, 1, "{what}: {said}");
            }
        };
        fs::remove_file(&place).unwrap();
        check("dropped");
        let mut altered = bytes.clone();
        let middle = altered.len() / 2;
        altered[middle] ^= 1;
        fs::write(&place, altered).unwrap();
        check("altered");
        fs::write(&place, [&bytes[..], b"\n"].concat()).unwrap();
        if !name.starts_with("manifest.sig") {
            check("lengthened");
        }
        fs::write(&place, &bytes).unwrap();
    }
    outside.by_library(&broken, None).unwrap();
    for (one, other) in [("records/000001", "records/000002"), ("entries/000001", "entries/000002")] {
        let [one, other] = [one, other].map(|n| names.iter().find(|name| name.starts_with(n)).unwrap());
        copy(&good, &broken);
        fs::rename(broken.join(one), broken.join("keys/aside")).unwrap();
        fs::rename(broken.join(other), broken.join(one)).unwrap();
        fs::rename(broken.join("keys/aside"), broken.join(other)).unwrap();
        outside.refuse(&format!("{one} and {other} swapped"), &broken, None, "PACK_TAMPERED");
    }
}

#[test]
fn s140_files_that_are_not_listed_are_refused_by_both() {
    let mut world = begun();
    let (good, _) = build(&mut world, "pack");
    let outside = Outside::new(&world);
    let broken = world.dir.path().join("broken");
    for extra in
        ["extra", ".hidden", "records/.x", "records/000099.sigstore.json", "new/file", "manifest.json\nmanifest.tsr"]
    {
        copy(&good, &broken);
        let place = broken.join(extra);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, "x").unwrap();
        outside.refuse(extra, &broken, None, "PACK_TAMPERED");
    }
    #[cfg(unix)]
    for (link, to) in [("README.txt", "gaps.json"), ("records/link", "../checkpoint"), ("checkpoint", "manifest.json")]
    {
        copy(&good, &broken);
        let _ = fs::remove_file(broken.join(link));
        std::os::unix::fs::symlink(to, broken.join(link)).unwrap();
        outside.refuse(&format!("link {link}"), &broken, None, "PACK_TAMPERED");
    }
}

#[test]
fn s140_wrong_signers_and_keys_are_refused_by_both() {
    let mut world = begun();
    let (folder, _) = build(&mut world, "pack");
    let stranger = PrivateKey::generate(KeyType::Ed25519).unwrap().public().to_pem();

    let wrong_log = Outside::with_lines(&world, "wrong log", |line| line);
    fs::write(&wrong_log.log, &stranger).unwrap();
    wrong_log.refuse("another ledger's key", &folder, None, "BAD_SIGNATURE");

    let no_pack = Outside::with_lines(&world, "no pack", |line| line.replace(" pack\n", "\n"));
    no_pack.refuse("nobody may sign packs", &folder, None, "UNTRUSTED_SIGNER");

    let unlisted =
        Outside::with_lines(&world, "unlisted", |l| if l.contains("tester.pem") { String::new() } else { l });
    unlisted.refuse("a record of nobody listed", &folder, None, "UNTRUSTED_SIGNER");

    let other_key = Outside::new(&world);
    fs::write(other_key.signers.with_file_name("author.pem"), &stranger).unwrap();
    let swapped = Outside::with_lines(&world, "swapped", |l| l);
    for (name, other) in [("tester", "reviewer"), ("reviewer", "tester")] {
        fs::write(swapped.signers.with_file_name(format!("{name}.pem")), world.keys[other].public().to_pem()).unwrap();
    }
    swapped.refuse("keys of the same type swapped", &folder, None, "BAD_SIGNATURE");

    let mistyped = Outside::with_lines(&world, "mistyped", |l| {
        if l.contains("tester.pem") { l.replace(" p256 ", " ed25519 ") } else { l }
    });
    mistyped.refuse("a key of another type than listed", &folder, None, "UNTRUSTED_SIGNER");
}

#[test]
fn s140_what_is_missing_to_verify_with_is_no_verdict() {
    let mut world = begun();
    let (folder, _) = build(&mut world, "pack");
    let cannot = |outside: &Outside, code: &str| {
        assert_eq!(outside.by_library(&folder, None).unwrap_err().code(), code);
        if let Some((exit, said)) = outside.by_script(&folder, None) {
            assert_eq!(exit, 2, "{said}");
        }
    };
    let mut outside = Outside::new(&world);
    outside.signers = world.dir.path().join("nowhere");
    cannot(&outside, "NOT_FOUND");
    let no_key = Outside::with_lines(&world, "no key", |l| l.replace("tester.pem", "lost.pem"));
    cannot(&no_key, "NOT_FOUND");
    cannot(&Outside::with_lines(&world, "odd line", |l| l.replace("key ", "kay ")), "MALFORMED");
    assert_eq!(
        Outside::with_lines(&world, "cert", |l| l.replace("key ", "cert ")).demand().unwrap_err().kind(),
        ErrorKind::Malformed
    );
    assert_eq!(
        pack::verify(&folder.join("none"), &Outside::new(&world).demand().unwrap()).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn s140_a_ledger_rolled_back_or_forked_since_the_checkpoint_seen_is_refused() {
    let mut world = begun();
    let early = world.ledger.checkpoint().note().to_owned();
    let (folder, _) = build(&mut world, "early");
    let outside = Outside::new(&world);
    let min = world.dir.path().join("min");
    fs::write(&min, &early).unwrap();
    assert_eq!(outside.accept(&folder, Some(&min)).extension, Extension::Proven, "the same state");

    world.review();
    fs::write(&min, world.ledger.checkpoint().note()).unwrap();
    outside.refuse("rolled back", &folder, Some(&min), "LEDGER_ROLLED_BACK");
    outside.accept(&folder, None);

    let (later, _) = build(&mut world, "later");
    fs::write(&min, &early).unwrap();
    assert_eq!(outside.accept(&later, Some(&min)).extension, Extension::Proven, "an earlier state");

    let fork = |size: u64| {
        let checkpoint = Checkpoint::new(world::ORIGIN, size, leaf_hash(b"fork")).unwrap();
        SignedCheckpoint::sign(checkpoint, &world.log_key()).unwrap().note().to_owned()
    };
    fs::write(&min, fork(world.ledger.size())).unwrap();
    outside.refuse("forked at the same size", &later, Some(&min), "LEDGER_FORKED");
    // a shell can't tell a fork below the size of the pack; the library can, from the proofs in the pack
    fs::write(&min, fork(world.ledger.size() - 1)).unwrap();
    assert_eq!(outside.by_library(&later, Some(&min)).unwrap_err().code(), "LEDGER_FORKED");
}

#[test]
fn s140_the_same_selection_gives_the_same_bytes_but_for_the_signature() {
    let mut world = begun();
    let now = world.now;
    let (one, first) = try_build(&mut world, "one", PACK_SIGNER, now).unwrap();
    let (two, second) = try_build(&mut world, "two", PACK_SIGNER, now.plus_millis(5000)).unwrap();
    let (mut one, mut two) = (files(&one), files(&two));
    assert_eq!(first.pack_id, second.pack_id);
    for signed in ["manifest.json", "manifest.sigstore.json"] {
        assert_ne!(one.remove(signed), two.remove(signed), "{signed}");
    }
    assert!(one == two, "files differ: {:?}", one.iter().filter(|(n, b)| two.get(*n) != Some(b)).map(|(n, _)| n));
}

#[test]
fn s140_an_unentitled_signer_leaves_nothing_behind_and_a_full_folder_is_left_alone() {
    let mut world = begun();
    let now = world.now;
    let e = try_build(&mut world, "pack", "tester", now).unwrap_err();
    assert_eq!(e.code(), "NOT_ENTITLED");
    let left: Vec<_> = fs::read_dir(world.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|n| n.to_str().unwrap().contains("pack")), "{left:?}");

    let folder = world.dir.path().join("full");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("mine"), "x").unwrap();
    assert_eq!(try_build(&mut world, "full", PACK_SIGNER, now).unwrap_err().code(), "ALREADY_EXISTS");
    assert_eq!(files(&folder).len(), 1);
    fs::create_dir(world.dir.path().join("empty")).unwrap();
    try_build(&mut world, "empty", PACK_SIGNER, now).unwrap();

    let unknown = PackRequest::new("no-such-release", world.actor("release-manager"), now);
    let folder = world.dir.path().join("none");
    let e = pack::build(&mut world.ledger, &unknown, &folder, &world.keys[PACK_SIGNER], now).unwrap_err();
    assert_eq!(e.code(), "NOT_FOUND");
    assert!(!folder.exists());
}

#[test]
fn s140_only_records_of_the_release_and_control_records_are_selected() {
    let mut world = begun();
    let before = world.ledger.size();
    let other = Digest::sha256(b"another product");
    world.sbom(&other);
    world.tests(&other, TestKind::Unit, TestOutcome::Failed);
    world.tests(&artifact(), TestKind::Recovery, TestOutcome::Failed);
    let (folder, built) = build(&mut world, "pack");
    assert_eq!(built.statement.completeness.present, before + 1, "the failing test of this artifact, not of the other");
    assert_eq!(Outside::new(&world).by_library(&folder, None).unwrap().records, before + 1);
}

#[test]
fn s140_an_entry_whose_body_is_lost_is_in_the_pack_and_named_as_a_gap() {
    let mut world = begun();
    let sbom = world.folder().join("bodies/004");
    fs::remove_file(&sbom).unwrap();
    let (folder, built) = build(&mut world, "pack");
    let verdict = Outside::new(&world).accept(&folder, None);
    assert_eq!((verdict.records, verdict.bare_entries), (world.ledger.size() - 1, 1));
    let gaps: Vec<_> = built.statement.completeness.gaps.iter().map(|g| g.finding_type).collect();
    assert_eq!(gaps, [FindingType::MissingEvidence, FindingType::BodyLost]);
    assert!(!fs::read_to_string(folder.join("manifest.json")).unwrap().contains("records/000004"));
}

#[test]
fn s140_names_with_markup_direction_and_line_breaks_stay_text() {
    let evil = "<script>alert(1)</script>\"'&\u{202e}gnp.exe\u{202c} 🦀 line\nbreak\u{0}";
    let mut world = World::new();
    world.change_with(|c| c.title = format!("=1+1 {evil}"));
    world.build(&artifact());
    world
        .approve("reviewer", Stage::Promotion, Some(&artifact()), |a| {
            a.environment = Some(prod());
            a.approver.display_name = Some(evil.to_owned());
            a.meaning = "</td></table><img src=x onerror=alert(1)>".to_owned();
        })
        .unwrap();
    let (folder, _) = build(&mut world, "pack");
    Outside::new(&world).by_library(&folder, None).unwrap();
    let html = fs::read_to_string(folder.join("reports/index.html")).unwrap();
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(html.contains("🦀 line\nbreak\u{fffd}"));
    for tag in ["<script", "<img", "onerror=alert(1)>", "<link", "<iframe", "http-equiv=\"refresh\""] {
        assert!(!html.contains(tag), "{tag}");
    }
    assert!(html.contains(&format!("<bdi>{}", "&lt;script")), "foreign text is kept apart from the text around it");
    let csv = fs::read_to_string(folder.join("population/changes.csv")).unwrap();
    assert!(csv.contains("\"'=1+1 <script>"), "{csv}");
}

#[test]
fn s140_the_report_shows_gaps_first_links_every_record_and_leaves_no_control_out() {
    let mut world = World::released(&artifact());
    // deployed without a decision, and something else seen running
    let deploy = world.deployment(&artifact(), &prod());
    world.deploy(deploy, None, None).unwrap();
    let now = world.tick();
    let seen = Observed {
        resource: "urn:example:env:prod/shop".to_owned(),
        digest: Some(Digest::sha256(b"something else").into()),
        configuration: None,
        started_at: None,
        replicas: None,
    };
    let observer = world.actor("observer");
    release::snapshot(&mut world.ledger, prod(), observer, vec![seen], b"{}", &world.keys["records"], now).unwrap();
    let now = world.tick();
    release::drift(&mut world.ledger, &prod().id, &world.keys["records"], now).unwrap();

    let (folder, built) = build(&mut world, "pack");
    assert_eq!(built.statement.completeness.gaps.len(), 1);
    assert_eq!(built.statement.completeness.present, world.ledger.size(), "the snapshot that drift rests on, too");
    assert!(folder.join(format!("attachments/{}", Digest::sha256(b"{}").hex())).is_file());
    let html = fs::read_to_string(folder.join("reports/index.html")).unwrap();
    let place = |text: &str| html.find(text).unwrap_or_else(|| panic!("no `{text}` in the report"));
    assert!(place("not an auditor's opinion") < place("<h1>"));
    assert!(place("deployment-without-decision") < place("What this is about"));
    assert!(html.contains("unapproved-digest"));
    assert!(html.contains("single operator"));
    let records = files(&folder).into_keys().filter(|n| n.starts_with("records/")).collect::<Vec<_>>();
    assert!(records.iter().all(|name| html.contains(&format!("href=\"../{name}\""))), "each record is linked");
    for link in html.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        let target = link.strip_prefix("../").map(|name| folder.join(name));
        assert!(target.is_none_or(|t| t.is_file()) && (link.starts_with("../") || link.starts_with('#')), "{link}");
    }
    let bundle: Value = serde_json::from_slice(&sealwright::policy::starter_bundle().unwrap()).unwrap();
    for left_out in bundle["profile"]["leavesOut"].as_array().unwrap() {
        assert!(html.contains(left_out["check"].as_str().unwrap()), "{left_out}");
    }
    let catalogue: Value = serde_json::from_slice(&fs::read(folder.join("catalogue/controls.json")).unwrap()).unwrap();
    for control in catalogue["controls"].as_array().unwrap() {
        let reference = control["ref"].as_str().unwrap().replace('&', "&amp;");
        assert!(html.contains(&reference), "{reference}");
    }
}

/// A tree small enough to be one tile.
struct Leaves(Vec<Hash>);

impl TileReader for Leaves {
    fn tile(&self, _: TileId) -> Result<Vec<Hash>, Error> {
        Ok(self.0.clone())
    }
}

/// What somebody does who holds the keys of the ledger and of a pack signer, and changes a pack: `edit` changes files and
/// manifest, then entries are logged anew, and everything is signed again.
fn forge(world: &World, good: &Path, edit: impl FnOnce(&Path, &mut Value)) -> PathBuf {
    let folder = world.dir.path().join("forged");
    copy(good, &folder);
    let read = |name: &str| -> Value { serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap() };
    let mut manifest = read("manifest.json");
    edit(&folder, &mut manifest);

    let mut entries: BTreeMap<String, Vec<u8>> = files(&folder);
    entries.retain(|name, _| name.starts_with("entries/"));
    let leaves: Vec<Hash> = entries.values().map(|bytes| leaf_hash(bytes)).collect();
    let size = leaves.len() as u64;
    let root = root_of(&leaves);
    let checkpoint = Checkpoint::new(world::ORIGIN, size, root).unwrap();
    let checkpoint = SignedCheckpoint::sign(checkpoint, &world.log_key()).unwrap();
    fs::write(folder.join("checkpoint"), checkpoint.note()).unwrap();
    let tree = Leaves(leaves);
    for (index, leaf) in (0..).zip(&tree.0) {
        let path = inclusion_proof(index, size, &tree).unwrap();
        let proof = TlogProof::new(index, leaf, path, checkpoint.clone()).unwrap();
        fs::write(folder.join(format!("proofs/{index:06}.tlog-proof")), proof.to_text()).unwrap();
    }

    manifest["ledger"]["rootHash"] = Value::String(root.to_string());
    for line in manifest["files"].as_array_mut().unwrap() {
        if let Ok(bytes) = fs::read(folder.join(line["path"].as_str().unwrap())) {
            line["sha256"] = Value::String(Digest::sha256(&bytes).hex());
            line["size"] = bytes.len().into();
        }
    }
    let manifest = serde_json::to_vec(&manifest).unwrap();
    fs::write(folder.join("manifest.json"), &manifest).unwrap();
    let bundle = Bundle::parse(&fs::read(folder.join("manifest.sigstore.json")).unwrap()).unwrap();
    let mut statement: Value = serde_json::from_slice(bundle.envelope().unwrap().payload()).unwrap();
    statement["subject"][0]["digest"]["sha256"] = Value::String(Digest::sha256(&manifest).hex());
    statement["predicate"]["ledger"]["rootHash"] = Value::String(root.to_string());
    let statement = Statement::parse(serde_json::to_vec(&statement).unwrap()).unwrap();
    let signed = sign(&statement, &world.keys[PACK_SIGNER]).unwrap();
    fs::write(folder.join("manifest.sigstore.json"), signed.to_json()).unwrap();
    folder
}

/// The manifest's line of the record of an entry.
fn line(manifest: &mut Value, index: u64) -> &mut Value {
    let lines = manifest["files"].as_array_mut().unwrap();
    lines.iter_mut().find(|l| l["role"] == "record" && l["ledgerIndex"] == index).unwrap()
}

fn change_entry(folder: &Path, index: u64, change: impl FnOnce(&mut Value)) {
    let path = folder.join(format!("entries/{index:06}.json"));
    let mut entry: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut entry);
    fs::write(path, sealwright::json::canonical("entry", &entry).unwrap()).unwrap();
}

#[test]
fn s140_a_manifest_signed_over_forged_content_is_refused_by_both() {
    let mut world = begun();
    let (good, _) = build(&mut world, "pack");
    let outside = Outside::new(&world);
    outside.accept(&forge(&world, &good, |_, _| {}), None);

    let swapped = forge(&world, &good, |folder, manifest| {
        let [one, two] = [1, 2].map(|i| folder.join(format!("records/{i:06}.sigstore.json")));
        let bytes = fs::read(&one).unwrap();
        fs::copy(&two, &one).unwrap();
        fs::write(&two, bytes).unwrap();
        let salts = [1, 2].map(|i| line(manifest, i)["salt"].clone());
        line(manifest, 1)["salt"] = salts[1].clone();
        line(manifest, 2)["salt"] = salts[0].clone();
    });
    outside.refuse("records swapped with their salts", &swapped, None, "LEDGER_TAMPERED");

    let payload = forge(&world, &good, |_, m| line(m, 3)["payloadSha256"] = "00".repeat(32).into());
    outside.refuse("another payload listed", &payload, None, "PACK_TAMPERED");
    let salt = forge(&world, &good, |_, m| line(m, 3)["salt"] = "AAAA".into());
    outside.refuse("a short salt", &salt, None, "PACK_TAMPERED");
    for path in ["../outside", "/etc/hostname", "records//x", "checkpoint"] {
        let listed = forge(&world, &good, |_, m| {
            let mut extra = m["files"][0].clone();
            extra["path"] = path.into();
            m["files"].as_array_mut().unwrap().push(extra);
        });
        outside.refuse(path, &listed, None, "PACK_TAMPERED");
    }
    let earlier = forge(&world, &good, |folder, _| change_entry(folder, 7, |e| e["time"] = 1.into()));
    outside.refuse("time runs back", &earlier, None, "LEDGER_TAMPERED");
    let long = forge(&world, &good, |folder, _| {
        change_entry(folder, 7, |e| e["tags"]["change"] = vec!["x".repeat(999)].into());
    });
    outside.refuse("an entry over 1 KiB", &long, None, "LEDGER_TAMPERED");
}

#[test]
fn s140_the_library_refuses_what_a_shell_cannot_tell() {
    let mut world = begun();
    let (good, _) = build(&mut world, "pack");
    let outside = Outside::new(&world);
    let refused = |folder: &Path, code: &str| {
        let e = outside.by_library(folder, None).unwrap_err();
        assert_eq!(e.code(), code, "{e:?}");
    };

    let mislabelled = forge(&world, &good, |folder, _| change_entry(folder, 4, |e| e["control"] = true.into()));
    refused(&mislabelled, "LEDGER_TAMPERED");

    // a listed signer says what the trust policy does not let it say
    let unentitled = forge(&world, &good, |folder, manifest| {
        let path = folder.join("records/000005.sigstore.json");
        let bundle = Bundle::parse(&fs::read(&path).unwrap()).unwrap();
        let statement = Statement::parse(bundle.into_envelope().unwrap().into_payload()).unwrap();
        let record = sign(&statement, &world.keys["deployer"]).unwrap().to_json();
        let salt = STANDARD.decode(line(manifest, 5)["salt"].as_str().unwrap()).unwrap();
        fs::write(&path, &record).unwrap();
        change_entry(folder, 5, |e| {
            e["record"] = Digest::sha256(&[&salt[..], &record].concat()).hex().into();
            e["size"] = record.len().into();
        });
    });
    refused(&unentitled, "NOT_ENTITLED");

    let without_trust = forge(&world, &good, |folder, manifest| {
        fs::remove_file(folder.join("records/000000.sigstore.json")).unwrap();
        manifest["files"].as_array_mut().unwrap().retain(|l| l["path"] != "records/000000.sigstore.json");
    });
    refused(&without_trust, "TRUST_POLICY_REFUSED");

    let fewer = forge(&world, &good, |folder, manifest| {
        fs::remove_file(folder.join("records/000005.sigstore.json")).unwrap();
        manifest["files"].as_array_mut().unwrap().retain(|l| l["path"] != "records/000005.sigstore.json");
    });
    refused(&fewer, "PACK_TAMPERED");

    let pinned = outside.demand().unwrap().pin_trust_policy(Digest::sha256(b"another trust policy"));
    assert_eq!(pack::verify(&good, &pinned).unwrap_err().code(), "TRUST_POLICY_REFUSED");
    let pin = world.ledger.trust_policy().unwrap().payload().clone();
    pack::verify(&good, &outside.demand().unwrap().pin_trust_policy(pin)).unwrap();
}

#[test]
fn s140_the_oscal_results_are_valid_and_show_every_control_without_evidence_as_not_satisfied() {
    let mut world = World::released(&artifact());
    let (folder, _) = build(&mut world, "pack");
    let oscal: Value = serde_json::from_slice(&fs::read(folder.join("reports/oscal-ar.json")).unwrap()).unwrap();
    let result = &oscal["assessment-results"]["results"][0];
    let catalogue: Value = serde_json::from_slice(&fs::read(folder.join("catalogue/controls.json")).unwrap()).unwrap();
    let findings = result["findings"].as_array().unwrap();
    assert_eq!(findings.len(), catalogue["controls"].as_array().unwrap().len());
    let states = |state: &str| findings.iter().filter(|f| f["target"]["status"]["state"] == state).count();
    assert!(states("satisfied") > 0 && states("satisfied") + states("not-satisfied") == findings.len());
    for finding in findings.iter().filter(|f| f["related-observations"].is_null()) {
        assert_eq!(finding["target"]["status"]["state"], "not-satisfied", "{finding}");
    }
    for link in oscal.to_string().split("\"href\":\"../").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(folder.join(link).is_file(), "{link}");
    }
    let root = std::env::var_os("SEALWRIGHT_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"), PathBuf::from);
    let Ok(schema) = fs::read(root.join("oscal/schemas/release-schemas/oscal_assessment-results_schema.json")) else {
        println!("not run: the OSCAL schema is missing");
        return;
    };
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let faults: Vec<_> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&oscal)
        .take(5)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
