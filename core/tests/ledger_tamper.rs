//! Whatever is changed in a ledger's folder behind its back, `open` or `audit` names it; and nothing panics.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod small;

use std::path::{Path, PathBuf};

use sealwright::ledger::{ATTACHMENT_LOCATION, AuditFindingKind, AuditReport, Query};
use sealwright::merkle::{decode_entries, encode_entries, encode_tile, leaf_hash};
use sealwright::predicate::TestResult;
use sealwright::{Error, predicate::PredicateType};
use small::{NOTE, Small, copy, files, of, open, open_to_append};

const SIZE: u16 = 5;
const INDEX: &str = "index.sqlite";

/// A ledger of the trust policy and four records, one of which names an attachment.
fn whole() -> Small {
    let mut small = Small::new();
    let attached = small.ledger.attach(b"<report/>").unwrap();
    let location = format!("{ATTACHMENT_LOCATION}{}", attached.hex());
    small.record("maker", &of(NOTE, b"one", &serde_json::json!({"report": {"downloadLocation": location}}))).unwrap();
    small.note("two");
    let passed = serde_json::json!({
        "result": "PASSED", "configuration": [{"uri": "https://example.org/suite"}], "sealwright_testKind": "unit"});
    small.record("maker", &of(TestResult::TYPE, b"one", &passed)).unwrap();
    small.note("four");
    assert_eq!(small.ledger.size(), u64::from(SIZE));
    assert!(audited(small.dir.path()).unwrap().is_clean());
    small
}

/// The smallest ledger whose index has rows of all kinds, in small pages, so that little of it is free space.
fn indexed() -> Small {
    let mut small = Small::new();
    let passed = serde_json::json!({
        "result": "PASSED", "configuration": [{"uri": "https://example.org/suite"}], "sealwright_testKind": "unit"});
    small.record("maker", &of(TestResult::TYPE, b"one", &passed)).unwrap();
    small.note("two");
    small.ledger.search(&Query::everything()).unwrap();
    let index = rusqlite::Connection::open(small.folder().join(INDEX)).unwrap();
    index.execute_batch("PRAGMA page_size = 512; VACUUM").unwrap();
    small
}

fn audited(dir: &Path) -> Result<AuditReport, Error> {
    open(dir)?.audit()
}

/// Whether `open` or `audit` names that something is wrong.
fn is_named(dir: &Path) -> bool {
    audited(dir).map_or(true, |report| !report.is_clean())
}

/// A copy of a small ledger with its state, to be spoiled.
struct Copy {
    dir: tempfile::TempDir,
}

impl Copy {
    fn of(small: &Small) -> Self {
        let dir = small::tempdir();
        copy(small.dir.path(), dir.path());
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("ledger").join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        small::read(self.path(name))
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// The codes or kinds of findings that name the damage.
    fn named(&self) -> Vec<String> {
        match audited(self.dir.path()) {
            Err(e) => vec![e.code().to_owned()],
            Ok(report) => report.findings.iter().map(|f| format!("{:?}", f.kind)).collect(),
        }
    }

    /// All answers that searching gives; the queries touch every table and index of the search index.
    fn answers(&self) -> Vec<Result<Vec<u64>, &'static str>> {
        let mut by_kind = Query::everything();
        by_kind.kind = Some("test.unit".to_owned());
        let mut by_digest = Query::everything();
        by_digest.digest = Some(sealwright::digest::Digest::sha256(b"one").to_string());
        let mut by_type = Query::everything();
        by_type.predicate_type = Some(NOTE.to_owned());
        by_type.since = Some(small::start().plus_millis(1500));
        let ledger = open(self.dir.path()).unwrap();
        [by_kind, by_digest, by_type, Query::everything()]
            .iter()
            .map(|query| {
                let found = ledger.search(query);
                found.map(|f| f.records.iter().map(|r| r.index).collect()).map_err(|e| e.code())
            })
            .collect()
    }

    fn entries(&self) -> Vec<Vec<u8>> {
        decode_entries(&self.read(&format!("tile/entries/000.p/{SIZE}")), SIZE).unwrap()
    }

    /// Writes entries and the tile over them, as an attacker without the log's key can.
    fn rewrite(&self, entries: &[Vec<u8>]) {
        self.write(&format!("tile/entries/000.p/{SIZE}"), &encode_entries(entries).unwrap());
        let hashes: Vec<_> = entries.iter().map(|e| leaf_hash(e)).collect();
        self.write(&format!("tile/0/000.p/{SIZE}"), &encode_tile(&hashes));
    }

    fn swap(&self, a: &str, b: &str) {
        let (one, other) = (self.read(a), self.read(b));
        self.write(a, &other);
        self.write(b, &one);
    }
}

/// Another value for each byte of a file, at random: each run of these tests tries others.
fn flips() -> impl Fn(&str, usize) -> u8 + Sync {
    let state = std::hash::RandomState::new();
    move |name, at| u8::try_from(std::hash::BuildHasher::hash_one(&state, (name, at)) % 255 + 1).unwrap()
}

#[test]
fn s002_every_byte_of_every_file_changed_is_named_by_open_or_audit() {
    let whole = whole();
    let names: Vec<_> = files(&whole.folder()).into_iter().filter(|n| n != INDEX).collect();
    // the lock has no bytes; the index is proven apart, below
    assert_eq!(names.len(), 2 + 2 + usize::from(SIZE) + 1 + 1, "{names:?}");
    let flip = flips();
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (names, flip, copy) = (&names, &flip, Copy::of(&whole));
            // it is derived, and would be compared each time
            std::fs::remove_file(copy.path(INDEX)).unwrap();
            scope.spawn(move || {
                for name in names {
                    let right = copy.read(name);
                    for at in (half..right.len()).step_by(2) {
                        let mut wrong = right.clone();
                        wrong[at] ^= flip(name, at);
                        copy.write(name, &wrong);
                        assert!(is_named(copy.dir.path()), "{name}, byte {at} became {:#04x}", wrong[at]);
                    }
                    copy.write(name, &right);
                }
                assert!(!is_named(copy.dir.path()));
            });
        }
    });
}

/// The index is derived: where the audit does not name a changed byte, all answers must stay what they were. Such bytes
/// are those of free space, of version counters, and of settings that do not reach what is read.
#[test]
fn s002_every_byte_of_the_index_changed_is_named_or_changes_no_answer() {
    let whole = indexed();
    let right_answers = Copy::of(&whole).answers();
    assert_eq!(right_answers[3], Ok(vec![0, 1, 2]));
    let flip = flips();
    std::thread::scope(|scope| {
        for half in 0..2 {
            let (copy, flip, right_answers) = (Copy::of(&whole), &flip, &right_answers);
            scope.spawn(move || {
                let right = copy.read(INDEX);
                let mut silent = 0;
                for at in (half..right.len()).step_by(2) {
                    // what SQLite laid beside the one before
                    for beside in ["index.sqlite-journal", "index.sqlite-wal", "index.sqlite-shm"] {
                        let _ = std::fs::remove_file(copy.path(beside));
                    }
                    let mut wrong = right.clone();
                    wrong[at] ^= flip(INDEX, at);
                    copy.write(INDEX, &wrong);
                    if !is_named(copy.dir.path()) {
                        silent += 1;
                        copy.write(INDEX, &wrong);
                        assert_eq!(copy.answers(), *right_answers, "byte {at} became {:#04x}", wrong[at]);
                    }
                }
                assert!(
                    silent < right.len() / 3,
                    "{silent} of {}: the audit looks at what is used of the index",
                    right.len() / 2
                );
            });
        }
    });
}

#[test]
fn s002_every_file_dropped_or_cut_short_is_named() {
    let whole = whole();
    for name in files(&whole.folder()) {
        // the lock is empty and made anew at will
        if name == "lock" {
            continue;
        }
        let right = Copy::of(&whole).answers();
        for keep in [None, Some(0), Some(1), Some(2)] {
            let copy = Copy::of(&whole);
            match keep {
                None => std::fs::remove_file(copy.path(&name)).unwrap(),
                Some(halves) => {
                    let bytes = copy.read(&name);
                    copy.write(&name, &bytes[..(bytes.len() * halves / 2).min(bytes.len() - 1)]);
                }
            }
            // the index is derived: one that is not there, or has nothing yet, is no damage
            if name == INDEX && !is_named(copy.dir.path()) {
                assert_eq!(copy.answers(), right, "{keep:?}");
            } else {
                assert!(is_named(copy.dir.path()), "{name}, kept {keep:?}");
            }
        }
    }
}

#[test]
fn s002_a_lost_body_and_a_lost_attachment_are_told_from_edited_ones() {
    let whole = whole();
    let attachment = files(&whole.folder()).into_iter().find(|n| n.starts_with("attachments/")).unwrap();
    for (name, lost, edited) in [
        ("bodies/002", AuditFindingKind::BodyLost, AuditFindingKind::BodyTampered),
        (attachment.as_str(), AuditFindingKind::AttachmentLost, AuditFindingKind::AttachmentTampered),
    ] {
        let copy = Copy::of(&whole);
        let mut bytes = copy.read(name);
        std::fs::remove_file(copy.path(name)).unwrap();
        assert_eq!(copy.named(), [format!("{lost:?}")]);
        *bytes.last_mut().unwrap() ^= 1;
        copy.write(name, &bytes);
        assert_eq!(copy.named()[0], format!("{edited:?}"));
    }
}

#[test]
fn s002_each_entry_dropped_each_two_swapped_and_each_two_bodies_swapped_are_named() {
    let whole = whole();
    let size = usize::from(SIZE);
    for a in 0..size {
        let copy = Copy::of(&whole);
        let mut entries = copy.entries();
        // dropped, with the bodies behind it moved up, and the last one put twice to keep the number
        entries.remove(a);
        entries.push(entries[size - 2].clone());
        copy.rewrite(&entries);
        for later in a + 1..size {
            copy.write(&format!("bodies/00{}", later - 1), &copy.read(&format!("bodies/00{later}")));
        }
        assert!(is_named(copy.dir.path()), "entry {a} dropped");
        for b in a + 1..size {
            let copy = Copy::of(&whole);
            let mut entries = copy.entries();
            entries.swap(a, b);
            copy.rewrite(&entries);
            copy.swap(&format!("bodies/00{a}"), &format!("bodies/00{b}"));
            assert!(is_named(copy.dir.path()), "entries {a} and {b} swapped");

            let copy = Copy::of(&whole);
            copy.swap(&format!("bodies/00{a}"), &format!("bodies/00{b}"));
            let named = copy.named();
            let expected = ["LEDGER_TAMPERED".to_owned(), format!("{:?}", AuditFindingKind::BodyTampered)];
            assert!(named.iter().any(|n| expected.contains(n)), "bodies {a} and {b} swapped: {named:?}");
        }
    }
}

#[test]
fn s002_every_file_too_many_is_named() {
    let whole = whole();
    for name in [
        "note.txt",
        "ledger.json.old",
        "checkpoint.unfinished",
        "unfinished",
        "index.sqlite-old",
        "index.sqlite-wal",
        "bodies/005",
        "bodies/x001/000",
        "tile/0/000",
        "tile/0/000.p/4",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000.p/6",
        "attachments/00",
    ] {
        let copy = Copy::of(&whole);
        std::fs::create_dir_all(copy.path(name).parent().unwrap()).unwrap();
        copy.write(name, b"more");
        assert!(is_named(copy.dir.path()), "{name}");
    }
    let copy = Copy::of(&whole);
    copy.write("lock", b"1");
    assert_eq!(copy.named(), [format!("{:?}", AuditFindingKind::UnexpectedFile)]);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_folder_is_named_and_never_written_through() {
    let whole = whole();
    let copy = Copy::of(&whole);
    let outside = copy.dir.path().join("outside");
    std::fs::write(&outside, "precious").unwrap();
    std::os::unix::fs::symlink(&outside, copy.path("unfinished")).unwrap();
    assert!(is_named(copy.dir.path()));
    let mut ledger = open_to_append(copy.dir.path()).unwrap();
    ledger.record_statement(&small::note("five"), &whole.keys["maker"], whole.now).unwrap();
    assert_eq!(small::read(&outside), b"precious");
    assert!(!is_named(copy.dir.path()));
}

#[test]
fn s002_a_rollback_of_the_whole_folder_is_refused() {
    let mut small = Small::new();
    small.note("one");
    let older = Copy::of(&small);
    let newer = small.note("two");
    assert_eq!(newer.index, 2);
    std::fs::remove_dir_all(small.folder()).unwrap();
    copy(&older.dir.path().join("ledger"), &small.folder());
    let refused = small.open().unwrap_err();
    assert_eq!(refused.code(), "LEDGER_ROLLED_BACK", "{refused}");
    // an open handle sees it as well, and appends nothing to the older state
    let refused = small.record("maker", &small::note("three")).unwrap_err();
    assert_eq!(refused.code(), "LEDGER_ROLLED_BACK", "{refused}");
    // with the state folder of that time it is a whole ledger: only what was seen elsewhere tells
    assert!(!is_named(older.dir.path()));
}

#[test]
fn s002_a_fork_by_an_attacker_with_the_log_key_is_refused() {
    for more in [1, 2] {
        let mut small = Small::new();
        small.note("one");
        let fork = Copy::of(&small);
        small.note("what was seen");
        let mut forked = open_to_append(fork.dir.path()).unwrap();
        for n in 0..more {
            forked.record_statement(&small::note(&format!("other {n}")), &small.keys["maker"], small.now).unwrap();
        }
        assert!(!is_named(fork.dir.path()), "the fork is sound in itself");
        std::fs::remove_dir_all(small.folder()).unwrap();
        copy(&fork.dir.path().join("ledger"), &small.folder());
        let refused = small.open().unwrap_err();
        assert_eq!(refused.code(), "LEDGER_FORKED", "{more} more: {refused}");
        assert_eq!(small.ledger.refresh().unwrap_err().code(), "LEDGER_FORKED");
        assert_eq!(small.ledger.audit().unwrap_err().code(), "LEDGER_FORKED");
    }
}

#[test]
fn s002_another_ledger_of_the_same_name_in_its_place_is_refused() {
    let small = Small::new();
    let other = Small::new();
    std::fs::remove_dir_all(small.folder()).unwrap();
    copy(&other.folder(), &small.folder());
    assert_eq!(small.open().unwrap_err().code(), "LEDGER_FORKED");
}

#[test]
fn s002_a_checkpoint_of_another_key_and_tiles_of_another_log_are_refused() {
    let small = whole();
    let other = whole();
    // the same origin and size, another key and other entries
    for name in ["checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5", "ledger.json"] {
        let copy = Copy::of(&small);
        copy.write(name, &small::read(other.folder().join(name)));
        assert!(is_named(copy.dir.path()), "{name}");
        if name == "checkpoint" {
            assert_eq!(open(copy.dir.path()).unwrap_err().code(), "LEDGER_TAMPERED");
        }
    }
    // all tiles and the checkpoint, so that they agree with each other
    let copy = Copy::of(&small);
    for name in ["checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5", "bodies/001", "bodies/002"] {
        copy.write(name, &small::read(other.folder().join(name)));
    }
    assert!(is_named(copy.dir.path()));
}
