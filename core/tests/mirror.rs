//! Mirrors: pulled from a folder and over HTTP, cut short, lied to, restored; and forks that are seen from outside.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod corpora;
#[cfg(feature = "witness")]
mod loopback;
mod small;

use std::path::{Path, PathBuf};

use corpora::corpora;
use sealwright::checkpoint::{LogKeys, SignedCheckpoint, VerifierKey};
use sealwright::ledger::{
    ATTACHMENT_LOCATION, Anchors, AuditFindingKind, Ledger, LogSource, Mirror, Mirrored, Pins, TiledLog,
};
use sealwright::merkle::{decode_entries, encode_entries, encode_tile, leaf_hash};
use sealwright::signer::sign;
use sealwright::timestamp::Timestamp;
use sealwright::{Error, ErrorKind};
use small::{NOTE, Small, copy, files, note, of, open_to_append};

/// Enough for full tiles of two levels, with a partial one of each.
const MANY: usize = 300;

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("ok", |e| e.code())
}

fn append(small: &mut Small, texts: impl Iterator<Item = String>) {
    let now = small.tick();
    let records: Vec<_> = texts
        .map(|text| {
            let record = sign(&note(&text), &small.keys["maker"]).unwrap().to_json();
            small.ledger.verify(&record, now).unwrap()
        })
        .collect();
    small.ledger.append_all(&records, now).unwrap();
}

/// A ledger with attachments and many notes.
fn grown() -> Small {
    let mut small = Small::new();
    for report in [&b"<report/>"[..], &b"x".repeat(300_000)] {
        let location = format!("{ATTACHMENT_LOCATION}{}", small.ledger.attach(report).unwrap().hex());
        let statement = of(NOTE, report, &serde_json::json!({ "report": { "downloadLocation": location } }));
        small.record("maker", &statement).unwrap();
    }
    append(&mut small, (0..MANY).map(|n| format!("note {n}")));
    small
}

/// Another machine, with a state of its own.
struct Elsewhere {
    dir: tempfile::TempDir,
}

impl Elsewhere {
    fn new() -> Self {
        Self { dir: small::tempdir() }
    }

    fn anchors(&self) -> Anchors {
        Anchors::in_folder(self.dir.path().join("state"))
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("copy")
    }

    fn mirror(&self) -> Mirror {
        Mirror::open(&self.folder(), &self.anchors())
    }

    fn pull(&self, source: &LogSource, now: Timestamp) -> Result<Mirrored, Error> {
        self.mirror().pull(source, &Pins::none(), None, now, &mut |_| {})
    }

    fn open(&self) -> Result<Ledger, Error> {
        Ledger::open(&self.folder(), &self.anchors(), &Pins::none())
    }
}

/// What belongs to the ledger in a folder, byte for byte; what a process at work keeps beside it does not.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    if !folder.exists() {
        return Vec::new();
    }
    let beside = ["lock", "mirror.json", "journal"];
    let own = |name: &String| {
        !beside.contains(&name.as_str()) && !name.starts_with("index.sqlite") && !name.starts_with("queue/")
    };
    files(folder).into_iter().filter(own).map(|name| (name.clone(), small::read(folder.join(name)))).collect()
}

fn source(small: &Small) -> LogSource {
    LogSource::folder(small.folder())
}

#[test]
fn s007_a_ledger_restored_from_its_mirror_has_the_same_root_and_goes_on() {
    let mut small = grown();
    let elsewhere = Elsewhere::new();
    let mut told = Vec::new();
    let mirrored = elsewhere
        .mirror()
        .pull(&source(&small), &Pins::none(), None, small.now, &mut |progress| told.push(progress.done))
        .unwrap();
    let size = small.ledger.size();
    assert_eq!((mirrored.had, mirrored.size, mirrored.without_body, mirrored.attachments_missing), (0, size, 0, 0));
    assert!(mirrored.refused.is_empty());
    assert_eq!(told, [256, size]);
    assert_eq!(content(&elsewhere.folder()), content(&small.folder()));
    let mut copy = elsewhere.open().unwrap();
    assert!(copy.audit().unwrap().is_clean(), "{:?}", copy.audit().unwrap().findings);
    // what is appended to a copy would be a fork
    let key = sealwright::key::read_private(&small.dir.path().join("log.pem"), None).unwrap();
    assert_eq!(code(copy.with_log_key(key)), "API_MISUSE");

    // the ledger and the machine it was on are gone
    let root = *small.ledger.checkpoint().checkpoint().root();
    let again = Elsewhere::new();
    let place = again.dir.path().join("ledger");
    let from = LogSource::folder(elsewhere.folder());
    let restored = Mirror::open(&place, &again.anchors()).restore(&from, &Pins::none(), None, &mut |_| {}).unwrap();
    assert_eq!((restored.size, restored.root), (size, root.to_string()));
    assert_eq!(content(&place), content(&small.folder()));
    let ledger = Ledger::open(&place, &again.anchors(), &Pins::none()).unwrap();
    assert_eq!(ledger.checkpoint(), small.ledger.checkpoint());
    let key = sealwright::key::read_private(&small.dir.path().join("log.pem"), None).unwrap();
    let mut ledger = ledger.with_log_key(key).unwrap();
    let now = small.tick();
    let receipt = ledger.record_statement(&note("after"), &small.keys["maker"], now).unwrap();
    assert_eq!(receipt.index, size);
    assert!(ledger.audit().unwrap().is_clean());
    // once restored it is nothing that can be restored over
    assert_eq!(
        code(Mirror::open(&place, &again.anchors()).restore(&from, &Pins::none(), None, &mut |_| {})),
        "ALREADY_EXISTS"
    );
    // and the mirror follows the restored one
    let followed = elsewhere.pull(&LogSource::folder(&place), small.now).unwrap();
    assert_eq!((followed.had, followed.size), (size, size + 1));
}

#[test]
fn s007_a_stale_copy_is_reported_with_its_lag() {
    let mut small = grown();
    let elsewhere = Elsewhere::new();
    elsewhere.pull(&source(&small), small.now).unwrap();
    let pulled_at = small.now;
    let lag = elsewhere.mirror().lag(&source(&small), small.now).unwrap();
    assert_eq!((lag.entries, lag.millis, lag.pulled_at), (0, 0, Some(pulled_at)));

    small.note("missing for a minute");
    let first_missing = small.now;
    small.note("and another");
    let now = first_missing.plus_millis(60_000);
    let lag = elsewhere.mirror().lag(&source(&small), now).unwrap();
    assert_eq!((lag.entries, lag.millis, lag.pulled_at), (2, 60_000, Some(pulled_at)));

    // a machine that has seen more refuses to take the stale copy for the ledger, and says how far it is behind
    let target = Mirror::open(&elsewhere.dir.path().join("restored"), &small.anchors());
    let from = LogSource::folder(elsewhere.folder());
    let e = target.restore(&from, &Pins::none(), None, &mut |_| {}).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::LedgerRolledBack);
    let fact = |name: &str| e.context().iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone());
    assert_eq!(fact("lag").as_deref(), Some("2"), "{e:?}");
    assert!(e.message().contains("2 less"), "{e}");
    // and a copy never goes back either
    let older = Elsewhere::new();
    copy(&elsewhere.folder(), &older.folder());
    elsewhere.pull(&source(&small), now).unwrap();
    let behind = older.dir.path().join("copy");
    assert_eq!(code(elsewhere.pull(&LogSource::folder(behind), now)), "LEDGER_ROLLED_BACK");
}

#[test]
fn a_pull_brings_what_is_new_and_clears_what_it_replaces() {
    let mut small = grown();
    let elsewhere = Elsewhere::new();
    elsewhere.pull(&source(&small), small.now).unwrap();
    for more in [1, 255, 3, 600] {
        append(&mut small, (0..more).map(|n| format!("{more}: {n}")));
        let mirrored = elsewhere.pull(&source(&small), small.now).unwrap();
        assert_eq!((mirrored.had + more, mirrored.size), (small.ledger.size(), small.ledger.size()));
        assert_eq!(content(&elsewhere.folder()), content(&small.folder()));
    }
    assert!(elsewhere.open().unwrap().audit().unwrap().is_clean());
    // nothing new is nothing to do
    let before = content(&elsewhere.folder());
    assert_eq!(elsewhere.pull(&source(&small), small.now).unwrap().had, small.ledger.size());
    assert_eq!(content(&elsewhere.folder()), before);
}

#[test]
fn a_folder_that_is_something_else_and_a_ledger_that_is_another_are_left_alone() {
    let small = grown();
    let elsewhere = Elsewhere::new();
    std::fs::create_dir_all(elsewhere.folder()).unwrap();
    std::fs::write(elsewhere.folder().join("diary.txt"), "dear").unwrap();
    assert_eq!(code(elsewhere.pull(&source(&small), small.now)), "ALREADY_EXISTS");
    assert_eq!(files(&elsewhere.folder()), ["diary.txt"]);
    // a ledger that is no mirror is none that may be pulled over
    let mirror = Mirror::open(&small.folder(), &small.anchors());
    assert_eq!(code(mirror.pull(&source(&small), &Pins::none(), None, small.now, &mut |_| {})), "ALREADY_EXISTS");
    let other = Small::new();
    let elsewhere = Elsewhere::new();
    elsewhere.pull(&source(&small), small.now).unwrap();
    let before = content(&elsewhere.folder());
    assert_eq!(code(elsewhere.pull(&source(&other), small.now)), "LEDGER_FORKED");
    let nothing = LogSource::folder(other.dir.path().join("nothing"));
    assert_eq!(code(elsewhere.pull(&nothing, small.now)), "NOT_FOUND");
    assert_eq!(content(&elsewhere.folder()), before);
    // a pinned key and a pinned checkpoint hold from the first pull on
    let fresh = Elsewhere::new();
    let mut pins = Pins::none();
    pins.log_key = Some(other.ledger.log_key().clone());
    assert_eq!(code(fresh.mirror().pull(&source(&small), &pins, None, small.now, &mut |_| {})), "LEDGER_FORKED");
}

#[test]
fn a_copy_does_not_lie_within_its_source_and_nothing_is_left_of_one_that_could_not_begin() {
    let small = grown();
    let pull =
        |to: &Path, from: &LogSource, pins: &Pins, kek: Option<&dyn sealwright::encryption::KeyEncryptionKey>| {
            let anchors = Anchors::in_folder(small.dir.path().join("elsewhere"));
            Mirror::open(to, &anchors).pull(from, pins, kek, small.now, &mut |_| {})
        };
    let own = source(&small);
    for within in [small.folder().join("copy"), small.folder().join("bodies/../copy"), small.dir.path().to_owned()] {
        assert_eq!(code(pull(&within, &own, &Pins::none(), None)), "API_MISUSE", "{}", within.display());
        let restored = Mirror::open(&within, &small.anchors()).restore(&own, &Pins::none(), None, &mut |_| {});
        assert_eq!(code(restored), "API_MISUSE");
    }
    assert!(small.open().unwrap().audit().unwrap().is_clean());
    // a place that is no ledger, a wrong pin, and a key where none belongs
    let new = small.dir.path().join("new");
    let nothing = LogSource::folder(small.dir.path().join("nothing"));
    assert_eq!(code(pull(&new, &nothing, &Pins::none(), None)), "NOT_FOUND");
    let mut pins = Pins::none();
    pins.log_key = Some(Small::new().ledger.log_key().clone());
    assert_eq!(code(pull(&new, &own, &pins, None)), "LEDGER_FORKED");
    assert_eq!(code(pull(&new, &own, &Pins::none(), Some(&small::kek()))), "WRONG_KEY");
    assert!(!new.exists(), "{:?}", files(&new));
    let encrypted = Small::encrypted_at(|dir| sealwright::ledger::Place::Folder(dir.join("ledger")));
    let other = sealwright::encryption::KeyFile::generate().unwrap();
    assert_eq!(code(pull(&new, &source(&encrypted), &Pins::none(), Some(&other))), "WRONG_KEY");
    assert!(!new.exists(), "{:?}", files(&new));
}

#[test]
fn several_who_make_the_same_copy_at_once_all_have_it() {
    let small = grown();
    let elsewhere = Elsewhere::new();
    std::thread::scope(|scope| {
        let pulls: Vec<_> = (0..4).map(|_| scope.spawn(|| elsewhere.pull(&source(&small), small.now))).collect();
        for pull in pulls {
            assert_eq!(pull.join().unwrap().unwrap().size, small.ledger.size());
        }
    });
    assert!(elsewhere.open().unwrap().audit().unwrap().is_clean());
}

#[test]
fn of_several_who_make_the_same_ledger_of_a_copy_one_does_and_it_stays_one() {
    let small = grown();
    let elsewhere = Elsewhere::new();
    elsewhere.pull(&source(&small), small.now).unwrap();
    let from = || LogSource::folder(elsewhere.folder());
    let place = elsewhere.dir.path().join("restored");
    let made: Vec<_> = std::thread::scope(|scope| {
        let restore =
            || Mirror::open(&place, &elsewhere.anchors()).restore(&from(), &Pins::none(), None, &mut |_| {}).map(drop);
        let restores: Vec<_> = (0..4).map(|_| scope.spawn(restore)).collect();
        restores.into_iter().map(|restore| code(restore.join().unwrap())).collect()
    });
    assert_eq!(made.iter().filter(|code| **code == "ok").count(), 1, "{made:?}");
    assert!(made.iter().all(|code| ["ok", "ALREADY_EXISTS"].contains(code)), "{made:?}");
    assert!(!place.join("mirror.json").exists());
    assert!(Ledger::open(&place, &elsewhere.anchors(), &Pins::none()).unwrap().audit().unwrap().is_clean());
}

/// Each file of the source changed in one byte: nothing wrong is kept, whatever the pull says.
#[test]
fn s007_no_changed_tile_entry_or_record_of_a_source_is_kept() {
    let small = {
        let mut small = Small::new();
        let location = format!("{ATTACHMENT_LOCATION}{}", small.ledger.attach(b"report").unwrap().hex());
        small.record("maker", &of(NOTE, b"a", &serde_json::json!({ "x": { "downloadLocation": location } }))).unwrap();
        append(&mut small, (0..270).map(|n| format!("note {n}")));
        small
    };
    let right = content(&small.folder());
    let (mut refused, mut told) = (0, 0);
    for (number, (name, bytes)) in right.iter().enumerate() {
        // of the bodies, which are alike, only some
        if name.starts_with("bodies/") && number % 20 != 0 {
            continue;
        }
        let spoiled = small::tempdir();
        copy(small.dir.path(), spoiled.path());
        let mut wrong = bytes.clone();
        let place = (number * 7919) % wrong.len();
        wrong[place] ^= 1 << (number % 7);
        std::fs::write(spoiled.path().join("ledger").join(name), &wrong).unwrap();
        let elsewhere = Elsewhere::new();
        let pulled = elsewhere.pull(&LogSource::folder(spoiled.path().join("ledger")), small.now);
        match pulled {
            Err(e) => {
                assert!(!matches!(e.kind(), ErrorKind::Internal | ErrorKind::Io), "{name}: {e:?}");
                refused += 1;
            }
            Ok(mirrored) => {
                let missing = mirrored.refused.len() as u64 + mirrored.attachments_missing;
                assert_eq!(missing, 1, "{name}, byte {place}: {mirrored:?}");
                told += 1;
            }
        }
        for (name, bytes) in content(&elsewhere.folder()) {
            let kept = right.iter().find(|(n, _)| *n == name).map(|(_, b)| b);
            assert_eq!(kept, Some(&bytes), "{name} was kept wrong");
        }
    }
    assert!(refused >= 7 && told >= 10, "{refused} refused, {told} told");
}

#[test]
fn a_pull_that_is_cut_short_goes_on_where_it_was() {
    let small = grown();
    let elsewhere = Elsewhere::new();
    // one entry bundle is out of reach
    let gone = small.folder().join("tile/entries/001.p");
    let away = small.dir.path().join("away");
    std::fs::rename(&gone, &away).unwrap();
    assert_eq!(code(elsewhere.pull(&source(&small), small.now)), "LEDGER_TAMPERED");
    assert!(elsewhere.folder().join("tile/entries/000").is_file());
    assert!(!elsewhere.folder().join("checkpoint").exists(), "half a copy is none");
    assert!(elsewhere.open().is_err());
    std::fs::rename(&away, &gone).unwrap();
    // what is there already comes from nowhere else: the source has lost it meanwhile
    std::fs::remove_file(small.folder().join("tile/entries/000")).unwrap();
    for index in 0..250 {
        std::fs::remove_file(small.folder().join(format!("bodies/{index:03}"))).unwrap();
    }
    let mirrored = elsewhere.pull(&source(&small), small.now).unwrap();
    assert_eq!((mirrored.size, mirrored.without_body), (small.ledger.size(), 0));
    assert!(elsewhere.open().unwrap().audit().unwrap().is_clean());
}

#[test]
fn a_record_that_the_source_has_lost_is_told_and_kept_where_it_was_pulled_before() {
    let mut small = grown();
    let elsewhere = Elsewhere::new();
    std::fs::remove_file(small.folder().join("bodies/120")).unwrap();
    assert_eq!(elsewhere.pull(&source(&small), small.now).unwrap().without_body, 1);
    let mut copy = elsewhere.open().unwrap();
    assert_eq!(copy.audit().unwrap().findings.iter().map(|f| f.kind).collect::<Vec<_>>(), [AuditFindingKind::BodyLost]);
    std::fs::remove_file(small.folder().join("bodies/121")).unwrap();
    small.note("more");
    elsewhere.pull(&source(&small), small.now).unwrap();
    assert!(elsewhere.folder().join("bodies/121").is_file(), "a backup keeps what it has");
}

#[test]
fn a_source_that_gives_no_records_is_mirrored_as_a_log() {
    let mut small = grown();
    small.ledger.settle().unwrap();
    let bare = small::tempdir();
    copy(small.dir.path(), bare.path());
    std::fs::remove_dir_all(bare.path().join("ledger/bodies")).unwrap();
    let elsewhere = Elsewhere::new();
    let from = LogSource::folder(bare.path().join("ledger"));
    let mirrored = elsewhere.pull(&from, small.now).unwrap();
    assert_eq!((mirrored.size, mirrored.without_body), (small.ledger.size(), small.ledger.size()));
    assert_eq!(code(elsewhere.open()), "BODY_LOST");
    let keys = LogKeys::from(small.ledger.log_key().clone());
    let copied = LogSource::folder(elsewhere.folder());
    assert_eq!(TiledLog::open(&copied, &keys).unwrap().audit(&mut |_| {}).unwrap(), small.ledger.size());
    // it goes on, and where the records are given later, they come
    small.note("more");
    let mirrored = elsewhere.pull(&source(&small), small.now).unwrap();
    assert_eq!((mirrored.had + 1, mirrored.without_body), (mirrored.size, 0));
    assert!(elsewhere.open().unwrap().audit().unwrap().is_clean());
}

/// Two histories by whoever holds the log key, seen by a mirror and by a reader.
#[test]
fn s003_two_histories_become_a_finding_with_both_kept_as_proof() {
    let mut small = grown();
    let elsewhere = Elsewhere::new();
    let forked = small::tempdir();
    copy(small.dir.path(), forked.path());
    small.note("what one shows");
    elsewhere.pull(&source(&small), small.now).unwrap();
    let mut other = open_to_append(forked.path()).unwrap();
    for text in ["what the other shows", "and more of it"] {
        other.record_statement(&note(text), &small.keys["maker"], small.now).unwrap();
    }
    let before = content(&elsewhere.folder());
    let e = elsewhere.pull(&LogSource::folder(forked.path().join("ledger")), small.now).unwrap_err();
    assert_eq!(e.kind(), ErrorKind::LedgerForked);
    assert_eq!(content(&elsewhere.folder()), before, "the copy stays what it was");

    let mut copy_of_good = elsewhere.open().unwrap();
    let forks = copy_of_good.forks().unwrap();
    let [fork] = forks.as_slice() else { panic!("{forks:?}") };
    assert_eq!(fork.smaller().checkpoint(), small.ledger.checkpoint().checkpoint());
    assert_eq!(fork.larger().checkpoint(), other.checkpoint().checkpoint());
    // anybody with the log's key can check the proof
    let keys = LogKeys::from(small.ledger.log_key().clone());
    assert_eq!(sealwright::ledger::Fork::parse_and_verify(&fork.to_json().unwrap(), &keys).unwrap(), *fork);
    let found: Vec<_> = copy_of_good.audit().unwrap().findings.into_iter().map(|f| f.kind).collect();
    assert_eq!(found, [AuditFindingKind::HistoryForked]);

    // a reader who saw one is refused the other, and keeps both as well
    let reader = Anchors::in_folder(small.dir.path().join("reader"));
    Ledger::open(&small.folder(), &reader, &Pins::none()).unwrap();
    assert_eq!(code(Ledger::open(&forked.path().join("ledger"), &reader, &Pins::none())), "LEDGER_FORKED");
    assert_eq!(Ledger::open(&small.folder(), &reader, &Pins::none()).unwrap().forks().unwrap().len(), 1);
    // once more is the same proof, not another
    let _ = Ledger::open(&forked.path().join("ledger"), &reader, &Pins::none());
    assert_eq!(reader.forks(&keys).unwrap().len(), 1);
}

#[test]
fn mere_damage_of_a_copy_is_no_proof_of_a_fork() {
    let small = grown();
    small.ledger.settle().unwrap();
    let damaged = small::tempdir();
    copy(small.dir.path(), damaged.path());
    let name = damaged.path().join("ledger/tile/entries/000");
    let mut entries = decode_entries(&small::read(&name), 256).unwrap();
    entries.swap(3, 4);
    std::fs::write(&name, encode_entries(&entries).unwrap()).unwrap();
    let hashes: Vec<_> = entries.iter().map(|e| leaf_hash(e)).collect();
    std::fs::write(damaged.path().join("ledger/tile/0/000"), encode_tile(&hashes)).unwrap();
    let elsewhere = Elsewhere::new();
    elsewhere.pull(&source(&small), small.now).unwrap();
    let keys = LogKeys::from(small.ledger.log_key().clone());
    let pulled = elsewhere.pull(&LogSource::folder(damaged.path().join("ledger")), small.now);
    // nothing new is read, so nothing wrong is found; a fresh mirror finds it
    assert!(pulled.is_ok());
    let fresh = Elsewhere::new();
    assert_eq!(code(fresh.pull(&LogSource::folder(damaged.path().join("ledger")), small.now)), "LEDGER_TAMPERED");
    for anchors in [elsewhere.anchors(), fresh.anchors()] {
        assert!(anchors.forks(&keys).unwrap().is_empty());
    }
}

#[test]
fn a_log_that_tessera_wrote_is_audited_as_a_foreign_one() {
    let Some(dir) = corpora("tlog/tessera-log") else { return };
    let key = String::from_utf8(small::read(dir.join("log.pub"))).unwrap();
    let keys = LogKeys::from(key.trim().parse::<VerifierKey>().unwrap());
    let place = small::tempdir();
    copy(&dir.join("log"), place.path());
    let source = LogSource::folder(place.path());
    let log = TiledLog::open(&source, &keys).unwrap();
    assert_eq!(log.audit(&mut |_| {}).unwrap(), log.checkpoint().checkpoint().size());
    let read = |size: u64| keys.parse_and_verify(&small::read(dir.join(format!("log/checkpoint.{size}")))).unwrap();
    let older: Vec<SignedCheckpoint> = [8, 12].map(read).into();
    for older in &older {
        log.extends(older.checkpoint()).unwrap();
    }
    // every file of its newest tree, changed in one byte
    let size = log.checkpoint().checkpoint().size();
    for name in [format!("tile/0/000.p/{size}"), format!("tile/entries/000.p/{size}"), "checkpoint".to_owned()] {
        let path = place.path().join(&name);
        let right = small::read(&path);
        for at in 0..right.len() {
            let mut wrong = right.clone();
            wrong[at] ^= 1;
            std::fs::write(&path, &wrong).unwrap();
            let read = TiledLog::open(&source, &keys).and_then(|log| log.audit(&mut |_| {}));
            assert!(read.is_err(), "{name}, byte {at}");
        }
        std::fs::write(&path, &right).unwrap();
    }
    // it holds no records of ours, so it is no ledger to be mirrored
    let elsewhere = Elsewhere::new();
    assert_eq!(code(elsewhere.pull(&source, small::start())), "UNSUPPORTED");
}

#[cfg(feature = "witness")]
mod over_http {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::loopback::Loopback;

    /// Serves a folder as any static file server does.
    fn serve(folder: PathBuf) -> Loopback {
        Loopback::new(move |request| static_file(&folder, &request.line))
    }

    fn static_file(folder: &Path, line: &str) -> (u16, Vec<u8>) {
        let name = line.strip_prefix("GET /log/").unwrap();
        assert!(!name.contains(".."), "{name}");
        match std::fs::read(folder.join(name)) {
            Ok(bytes) => (200, bytes),
            Err(_) => (404, b"not found".to_vec()),
        }
    }

    fn at(server: &Loopback) -> LogSource {
        LogSource::open(&server.url("/log")).unwrap()
    }

    #[test]
    fn s007_a_mirror_over_http_is_the_same_as_one_from_the_folder_and_goes_on_after_a_cut() {
        let small = grown();
        let elsewhere = Elsewhere::new();
        let left = Arc::new(AtomicUsize::new(150));
        let (folder, budget) = (small.folder(), Arc::clone(&left));
        let cut = Loopback::new(move |request| {
            if budget.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_err() {
                return (503, Vec::new());
            }
            static_file(&folder, &request.line)
        });
        assert_eq!(code(elsewhere.pull(&at(&cut), small.now)), "SERVICE_UNAVAILABLE");
        assert!(!elsewhere.folder().join("checkpoint").exists());
        left.store(usize::MAX, Ordering::SeqCst);
        let asked = cut.asked().len();
        elsewhere.pull(&at(&cut), small.now).unwrap();
        assert_eq!(content(&elsewhere.folder()), content(&small.folder()));
        // no body came twice
        let bodies: Vec<_> = cut.asked().into_iter().map(|r| r.line).filter(|line| line.contains("/bodies/")).collect();
        let once: std::collections::BTreeSet<_> = bodies.iter().collect();
        assert!(asked < 155 && bodies.len() <= once.len() + 1, "{} of {}", once.len(), bodies.len());
        assert_eq!(elsewhere.mirror().lag(&at(&cut), small.now).unwrap().entries, 0);
        // and back, from a mirror that is served
        let again = Elsewhere::new();
        let server = serve(elsewhere.folder());
        again.mirror().restore(&at(&server), &Pins::none(), None, &mut |_| {}).unwrap();
        assert_eq!(content(&again.folder()), content(&small.folder()));
    }

    #[test]
    fn a_ledger_that_grows_while_it_is_pulled_is_pulled_to_a_whole_state() {
        let mut small = grown();
        let folder = small.folder();
        let count = Arc::new(AtomicUsize::new(0));
        // another process appends beneath the pull, which takes away the partial tiles that it was about to read
        let appender = Mutex::new(open_to_append(small.dir.path()).unwrap());
        let maker =
            sealwright::key::PrivateKey::from_pem(small.keys["maker"].to_pem().unwrap().as_bytes(), None).unwrap();
        let (now, counted) = (small.now, Arc::clone(&count));
        let server = Loopback::new(move |request| {
            let n = counted.fetch_add(1, Ordering::SeqCst);
            if [5, 40, 200].contains(&n) {
                let statement = note(&format!("beneath {n}"));
                let mut appender = appender.lock().unwrap();
                appender.record_statement(&statement, &maker, now).unwrap();
                appender.settle().unwrap();
            }
            static_file(&folder, &request.line)
        });
        let elsewhere = Elsewhere::new();
        let mirrored = elsewhere.pull(&at(&server), small.now).unwrap();
        small.ledger.refresh().unwrap();
        assert!(mirrored.size > 303 && count.load(Ordering::SeqCst) > 300);
        assert!(elsewhere.open().unwrap().audit().unwrap().is_clean());
        elsewhere.pull(&at(&server), small.now).unwrap();
        assert_eq!(content(&elsewhere.folder()), content(&small.folder()));
    }

    #[test]
    fn what_a_server_answers_is_bounded_and_never_believed() {
        let small = grown();
        let elsewhere = Elsewhere::new();
        for (status, body, expected) in [
            (200, vec![b'x'; 3_000_000], "LIMIT_EXCEEDED"),
            (200, b"hello".to_vec(), "UNSUPPORTED"),
            (200, Vec::new(), "UNSUPPORTED"),
            (302, Vec::new(), "SERVICE_UNAVAILABLE"),
            (500, Vec::new(), "SERVICE_UNAVAILABLE"),
            (404, Vec::new(), "NOT_FOUND"),
        ] {
            // everything but what a ledger is known by
            let server = Loopback::new(move |request| {
                if request.line.ends_with("/ledger.json") { (404, Vec::new()) } else { (status, body.clone()) }
            });
            assert_eq!(code(elsewhere.pull(&at(&server), small.now)), expected, "{status}");
        }
        let folder = small.folder();
        for (name, body, expected) in [
            ("checkpoint", b"no note".to_vec(), "LEDGER_TAMPERED"),
            ("tile/1/000.p/1", vec![7; 32], "LEDGER_TAMPERED"),
            ("tile/1/000.p/1", vec![7; 1_000_000], "LEDGER_TAMPERED"),
            ("tile/0/000", vec![7; 8192], "LEDGER_TAMPERED"),
            ("tile/entries/000", vec![0xff; 200_000], "LEDGER_TAMPERED"),
            ("rotations/1", b"no note".to_vec(), "UNTRUSTED_SIGNER"),
        ] {
            let folder = folder.clone();
            let server = Loopback::new(move |request| {
                if request.line.ends_with(name) { (200, body.clone()) } else { static_file(&folder, &request.line) }
            });
            assert_eq!(code(Elsewhere::new().pull(&at(&server), small.now)), expected, "{name}");
        }
        for bad in ["http://example.org/log", "ftp://127.0.0.1/log", "https://user:word@example.org/", "https://"] {
            assert_eq!(code(LogSource::open(bad)), "MALFORMED", "{bad}");
        }
        let nobody = LogSource::open("http://127.0.0.1:9/log").unwrap();
        assert_eq!(code(elsewhere.pull(&nobody, small.now)), "SERVICE_UNAVAILABLE");
    }
}
