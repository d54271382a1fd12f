//! The key of the log replaced: what the old one is still good for, and what only the new one is.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod small;
mod world;

use std::path::{Path, PathBuf};
use std::process::Command;

use sealwright::Error;
use sealwright::checkpoint::{KeyRotation, LogKeys, SignedCheckpoint, VerifierKey};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Ledger, LogSource, Mirror, Pins, Receipt};
use sealwright::pack::{self, PackDemand, PackRequest, Signers};
use small::{ORIGIN, Small, copy, note, open, open_to_append};
use world::{RELEASE, World, artifact};

fn ed25519() -> PrivateKey {
    PrivateKey::generate(KeyType::Ed25519).unwrap()
}

fn again(key: &PrivateKey) -> PrivateKey {
    PrivateKey::from_pem(key.to_pem().unwrap().as_bytes(), None).unwrap()
}

fn vkey(key: &PrivateKey) -> VerifierKey {
    VerifierKey::new(ORIGIN, key.public().clone()).unwrap()
}

fn old_key(small: &Small) -> PrivateKey {
    sealwright::key::read_private(&small.dir.path().join("log.pem"), None).unwrap()
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("ok", |e| e.code())
}

/// A ledger whose key was replaced after three entries, with two more after that.
fn rotated() -> (Small, PrivateKey, Receipt) {
    let mut small = Small::new();
    let early = small.note("one");
    small.note("two");
    let new = ed25519();
    let rotation = small.ledger.rotate_log_key(again(&new)).unwrap();
    assert_eq!((rotation.at().size(), rotation.old(), rotation.new_key()), (3, &vkey(&old_key(&small)), &vkey(&new)));
    small.note("three");
    small.note("four");
    (small, new, early)
}

#[test]
fn old_receipts_stay_good_and_new_ones_need_the_new_key() {
    let (small, new, early) = rotated();
    let old = old_key(&small);
    let late = small.ledger.prove(3).unwrap();
    let keys = small.ledger.log_keys();
    assert_eq!((small.ledger.log_key(), keys.first()), (&vkey(&new), &vkey(&old)));
    early.verify(&small.bytes(1), &vkey(&old)).unwrap();
    assert_eq!(code(early.verify(&small.bytes(1), &vkey(&new))), "BAD_SIGNATURE");
    late.verify(&small.bytes(3), &vkey(&new)).unwrap();
    assert_eq!(code(late.verify(&small.bytes(3), &vkey(&old))), "BAD_SIGNATURE");
    // whoever knows one key and the note knows both
    let note = keys.rotations()[0].note().to_owned();
    for known in [&old, &new] {
        let keys = LogKeys::through(&vkey(known), &[&note]).unwrap();
        early.verify_with(&small.bytes(1), &keys).unwrap();
        late.verify_with(&small.bytes(3), &keys).unwrap();
    }
    assert_eq!(code(LogKeys::through(&vkey(&ed25519()), &[&note])), "UNTRUSTED_SIGNER");
    assert!(small.open().unwrap().audit().unwrap().is_clean());
    // ledgers whose key was never replaced are as they were
    let plain = Small::new();
    assert!(!plain.folder().join("rotations").exists());
    let anchors: Vec<_> =
        std::fs::read_dir(plain.dir.path().join("state")).unwrap().map(|e| e.unwrap().path()).collect();
    let anchor = anchors.iter().find(|p| p.extension().is_some_and(|e| e == "json")).unwrap();
    assert!(!String::from_utf8(small::read(anchor)).unwrap().contains("rotations"));
}

#[test]
fn the_old_key_appends_nothing_more() {
    let (mut small, new, _) = rotated();
    assert_eq!(code(open_to_append(small.dir.path())), "UNTRUSTED_SIGNER");
    assert_eq!(code(small.ledger.rotate_log_key(old_key(&small))), "API_MISUSE", "a key never comes back");
    assert_eq!(code(small.ledger.rotate_log_key(again(&new))), "API_MISUSE");
    assert_eq!(code(small.ledger.rotate_log_key(PrivateKey::generate(KeyType::P256).unwrap())), "UNSUPPORTED");
    // a process that had opened the ledger before
    let mut small = Small::new();
    let mut before = open_to_append(small.dir.path()).unwrap();
    let new = ed25519();
    small.ledger.rotate_log_key(again(&new)).unwrap();
    let now = small.now;
    assert_eq!(code(before.record_statement(&note("late"), &small.keys["maker"], now)), "UNTRUSTED_SIGNER");
    small.note("with the new key");
    before.refresh().unwrap();
    assert_eq!((before.size(), before.log_key()), (2, &vkey(&new)));
    let mut again_open = open(small.dir.path()).unwrap().with_log_key(again(&new)).unwrap();
    again_open.record_statement(&note("and again"), &small.keys["maker"], now).unwrap();
    assert!(again_open.audit().unwrap().is_clean());
}

#[test]
fn a_thief_of_the_old_key_convinces_nobody_who_saw_the_rotation() {
    let mut small = Small::new();
    small.note("one");
    let stolen = small::tempdir();
    copy(small.dir.path(), stolen.path());
    let other_thief = small::tempdir();
    copy(small.dir.path(), other_thief.path());
    small.ledger.rotate_log_key(ed25519()).unwrap();

    // goes on as if nothing had happened
    let mut thief = open_to_append(stolen.path()).unwrap();
    thief.record_statement(&note("by the thief"), &small.keys["maker"], small.now).unwrap();
    let forked = stolen.path().join("ledger");
    assert_eq!(code(Ledger::open(&forked, &small.anchors(), &Pins::none())), "LEDGER_ROLLED_BACK");
    // or replaces the key by one of their own
    let mut thief = open_to_append(other_thief.path()).unwrap();
    thief.rotate_log_key(ed25519()).unwrap();
    let forked = other_thief.path().join("ledger");
    assert_eq!(code(Ledger::open(&forked, &small.anchors(), &Pins::none())), "LEDGER_FORKED");
    // and whoever pins the new key is not fooled on first use either
    let mut pins = Pins::none();
    pins.log_key = Some(small.ledger.log_key().clone());
    let fresh = sealwright::ledger::Anchors::in_folder(small.dir.path().join("fresh"));
    assert_eq!(code(Ledger::open(&forked, &fresh, &pins)), "LEDGER_FORKED");
    Ledger::open(&small.folder(), &fresh, &pins).unwrap();
    // the rotation taken back
    std::fs::remove_file(small.folder().join("rotations/1")).unwrap();
    assert_eq!(code(small.open()), "LEDGER_ROLLED_BACK");
}

#[test]
fn a_checkpoint_that_the_old_key_signs_after_its_time_is_refused() {
    let (small, new, _) = rotated();
    let (old, keys) = (old_key(&small), small.ledger.log_keys());
    let state = small.ledger.checkpoint().checkpoint().clone();
    let late = SignedCheckpoint::sign(state.clone(), &old).unwrap();
    assert_eq!(code(keys.parse_and_verify(late.note().as_bytes())), "UNTRUSTED_SIGNER");
    std::fs::write(small.folder().join("checkpoint"), late.note()).unwrap();
    assert_eq!(code(small.open()), "LEDGER_TAMPERED");
    // at the very size of the rotation both count, and one root alone
    let at = keys.rotations()[0].at().clone();
    for key in [&old, &new] {
        let signed = SignedCheckpoint::sign(at.clone(), key).unwrap();
        keys.parse_and_verify(signed.note().as_bytes()).unwrap();
    }
    let other = sealwright::checkpoint::Checkpoint::new(ORIGIN, at.size(), *state.root()).unwrap();
    let forked = SignedCheckpoint::sign(other, &old).unwrap();
    assert_eq!(code(keys.parse_and_verify(forked.note().as_bytes())), "LEDGER_FORKED");
    // and the new key speaks of nothing before its time
    let early = sealwright::checkpoint::Checkpoint::new(ORIGIN, 1, *state.root()).unwrap();
    let early = SignedCheckpoint::sign(early, &new).unwrap();
    assert_eq!(code(keys.parse_and_verify(early.note().as_bytes())), "UNTRUSTED_SIGNER");
}

#[test]
fn s002_every_changed_byte_of_a_rotation_is_named() {
    let (small, ..) = rotated();
    let path = small.folder().join("rotations/1");
    let right = small::read(&path);
    for place in 0..right.len() {
        let mut wrong = right.clone();
        wrong[place] ^= 1 << (place % 7);
        std::fs::write(&path, &wrong).unwrap();
        assert!(small.open().is_err(), "byte {place}");
    }
    std::fs::write(&path, &right).unwrap();
    std::fs::write(small.folder().join("rotations/2"), "x").unwrap();
    assert_eq!(code(small.open()), "LEDGER_TAMPERED");
    std::fs::remove_file(small.folder().join("rotations/2")).unwrap();
    std::fs::write(small.folder().join("rotations/3"), "x").unwrap();
    assert!(!small.open().unwrap().audit().unwrap().is_clean());
}

#[test]
fn a_rotation_of_another_history_is_refused() {
    let (small, ..) = rotated();
    let keys = [old_key(&small), ed25519()];
    let other = sealwright::checkpoint::Checkpoint::new(ORIGIN, 3, sealwright::merkle::leaf_hash(b"x")).unwrap();
    let rotation = KeyRotation::sign(&other, &keys[0], &keys[1]).unwrap();
    let fresh = small::tempdir();
    small.ledger.settle().unwrap();
    copy(small.dir.path(), fresh.path());
    std::fs::write(fresh.path().join("ledger/rotations/1"), rotation.note()).unwrap();
    let anchors = sealwright::ledger::Anchors::in_folder(fresh.path().join("no-state"));
    let opened = Ledger::open(&fresh.path().join("ledger"), &anchors, &Pins::none());
    assert!(opened.is_err(), "the checkpoint is not signed by the key it names");
    assert_eq!(code(KeyRotation::sign(&other, &keys[0], &keys[0])), "API_MISUSE");
    // a chain: each names the one before
    let mut chain = vec![ed25519()];
    let mut notes = Vec::new();
    for size in 1..5 {
        let at = sealwright::checkpoint::Checkpoint::new(ORIGIN, size, sealwright::merkle::leaf_hash(b"x")).unwrap();
        let next = ed25519();
        notes.push(KeyRotation::sign(&at, chain.last().unwrap(), &next).unwrap().note().to_owned());
        chain.push(next);
    }
    for known in &chain {
        let read = LogKeys::through(&vkey(known), &notes).unwrap();
        assert_eq!(read.all().cloned().collect::<Vec<_>>(), chain.iter().map(vkey).collect::<Vec<_>>());
    }
    notes.swap(1, 2);
    for known in &chain {
        assert!(LogKeys::through(&vkey(known), &notes).is_err());
    }
    notes.swap(1, 2);
    notes.remove(1);
    for known in &chain {
        assert!(LogKeys::through(&vkey(known), &notes).is_err());
    }
    assert_eq!(code(LogKeys::through(&vkey(&chain[0]), &vec!["x"; 1000])), "LIMIT_EXCEEDED");
}

#[test]
fn a_mirror_follows_a_rotation_and_a_restored_ledger_goes_on_with_the_new_key() {
    let mut small = Small::new();
    small.note("one");
    let elsewhere = small::tempdir();
    let anchors = sealwright::ledger::Anchors::in_folder(elsewhere.path().join("state"));
    let mirror = Mirror::open(&elsewhere.path().join("copy"), &anchors);
    let source = LogSource::folder(small.folder());
    mirror.pull(&source, &Pins::none(), None, small.now, &mut |_| {}).unwrap();
    let new = ed25519();
    small.ledger.rotate_log_key(again(&new)).unwrap();
    small.note("two");
    mirror.pull(&source, &Pins::none(), None, small.now, &mut |_| {}).unwrap();
    let place = elsewhere.path().join("ledger");
    let copy = LogSource::folder(elsewhere.path().join("copy"));
    Mirror::open(&place, &anchors).restore(&copy, &Pins::none(), None, &mut |_| {}).unwrap();
    let ledger = Ledger::open(&place, &anchors, &Pins::none()).unwrap();
    assert_eq!(ledger.log_keys(), small.ledger.log_keys());
    let mut ledger = ledger.with_log_key(new).unwrap();
    ledger.record_statement(&note("three"), &small.keys["maker"], small.now).unwrap();
    assert!(ledger.audit().unwrap().is_clean());
}

/// Exit code of the script on a pack, none if a tool is missing.
fn by_script(folder: &Path, signers: &Path, log: &Path, min: Option<&Path>) -> Option<(i32, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pack/verify.sh");
    for tool in ["bash", "jq", "openssl", "xxd", "awk"] {
        if Command::new(tool).arg("--help").output().is_err() {
            eprintln!("not run: `{tool}` is missing");
            return None;
        }
    }
    let mut command = Command::new("bash");
    command.arg(script).arg(signers).arg(log).args(min).current_dir(folder);
    let out = command.output().unwrap();
    Some((out.status.code().unwrap(), String::from_utf8_lossy(&out.stderr).into_owned()))
}

#[test]
fn s140_a_pack_across_a_rotation_verifies_by_either_key_and_by_no_other() {
    let mut world = World::new();
    world.build(&artifact());
    let seen = world.dir.path().join("seen");
    std::fs::write(&seen, world.ledger.checkpoint().note()).unwrap();
    let (old, new) = (world.log_key(), ed25519());
    world.ledger.rotate_log_key(again(&new)).unwrap();
    world.change();
    let folder = world.dir.path().join("pack");
    let request = PackRequest::new(RELEASE, world.actor("records"), world.now);
    pack::build(&mut world.ledger, &request, &folder, &world.keys["records"], world.now).unwrap();
    assert!(folder.join("rotations/1").is_file());

    let outside = world.dir.path().join("outside");
    std::fs::create_dir_all(&outside).unwrap();
    let mut lines = String::new();
    for (name, key) in &world.keys {
        std::fs::write(outside.join(format!("{name}.pem")), key.public().to_pem()).unwrap();
        let id = key.public().id();
        lines += &format!(
            "key {id} {} {name}.pem {}\n",
            key.public().key_type(),
            if *name == "records" { "pack" } else { "" }
        );
    }
    let signers = outside.join("SIGNERS");
    std::fs::write(&signers, lines).unwrap();
    let log = |name: &str, key: &PrivateKey| -> PathBuf {
        let path = outside.join(name);
        std::fs::write(&path, key.public().to_pem()).unwrap();
        path
    };
    let verify = |key: &PrivateKey, path: &Path, min: bool| {
        let mut demand = PackDemand::new(Signers::read(&signers).unwrap(), key.public().clone());
        if min {
            demand = demand.no_older_than(small::read(&seen));
        }
        let library = pack::verify(&folder, &demand);
        if let Some((exit, said)) = by_script(&folder, &signers, path, min.then_some(&*seen)) {
            assert_eq!(exit, i32::from(library.is_err()), "{library:?}\n{said}");
        }
        library
    };
    for (name, key) in [("old.pub", &old), ("new.pub", &new)] {
        let path = log(name, key);
        for min in [false, true] {
            assert_eq!(verify(key, &path, min).unwrap().checkpoint.size(), world.ledger.size());
        }
    }
    let stranger = ed25519();
    assert_eq!(code(verify(&stranger, &log("stranger.pub", &stranger), true)), "UNTRUSTED_SIGNER");

    // each byte of the note but in what nothing hangs on: refused by both
    let name = folder.join("rotations/1");
    let right = small::read(&name);
    for place in (0..right.len()).step_by(97) {
        let mut wrong = right.clone();
        wrong[place] ^= 1;
        std::fs::write(&name, &wrong).unwrap();
        assert!(verify(&new, &outside.join("new.pub"), false).is_err(), "byte {place}");
    }
    std::fs::remove_file(&name).unwrap();
    assert!(verify(&new, &outside.join("new.pub"), false).is_err());
    // a thief of the old key who made a pack of their own is not believed by whoever knows the new one
    std::fs::write(&name, &right).unwrap();
    verify(&new, &outside.join("new.pub"), false).unwrap();
}

#[test]
fn a_rotation_changes_the_checkpoint_by_a_mark_that_nobody_takes_for_a_signature_and_that_moves_along() {
    let mut small = Small::new();
    small.note("one");
    let before = small.ledger.checkpoint().clone();
    let new = ed25519();
    small.ledger.rotate_log_key(again(&new)).unwrap();
    let after = small.open().unwrap();
    assert_eq!(after.checkpoint().checkpoint(), before.checkpoint());
    let lines = |note: &str| note.rsplit("\n\n").next().unwrap().lines().map(str::to_owned).collect::<Vec<_>>();
    let (was, is) = (lines(before.note()), lines(after.checkpoint().note()));
    assert_eq!(is[..was.len()], was[..]);
    assert!(is.len() == was.len() + 1 && is[was.len()].starts_with("— sealwright.dev/fence "), "{is:?}");
    // what was signed is what it was, for whoever knows the first key alone
    let first = LogKeys::from(vkey(&old_key(&small)));
    assert_eq!(first.parse_and_verify(after.checkpoint().note().as_bytes()).unwrap().log_note(), before.note());
    assert!(small.open().unwrap().audit().unwrap().is_clean());
    let to = sealwright::ledger::Place::Folder(small.dir.path().join("new"));
    Ledger::move_to(&small.place, &to, &small.anchors(), &Pins::none(), None, &mut |_| {}).unwrap();
    let mut moved = Ledger::open_at(&to, &small.anchors(), &Pins::none(), None).unwrap().with_log_key(new).unwrap();
    assert!(moved.audit().unwrap().is_clean());
    assert!(small.open().unwrap().audit().unwrap().is_clean());
    // the next checkpoint has no mark any more
    moved.record_statement(&note("there"), &small.keys["maker"], small.now).unwrap();
    assert_eq!(lines(moved.checkpoint().note()).len(), 1);
    assert!(moved.audit().unwrap().is_clean());
}
