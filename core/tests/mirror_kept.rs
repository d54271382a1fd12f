//! What a mirror keeps and what it lets go: disposals, archives, encryption, and copies that are not whole.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

#[cfg(feature = "witness")]
mod loopback;
mod pair;
mod records_office;
mod small;
mod world;

use std::collections::BTreeSet;
use std::path::PathBuf;

use pair::{PLANTED, Pair, code, is_gone, marker};
use proptest::prelude::{Just, Strategy as Generated, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use sealwright::encryption::KeyFile;
use sealwright::ledger::{AuditFindingKind, Ledger, LogSource, Mirror, Pins, Place};
use small::{copy, files, read};
use world::body_name;

fn with_and_without_encryption(test: impl Fn(&mut Pair)) {
    for encrypted in [false, true] {
        test(&mut Pair::new(encrypted));
    }
}

#[test]
fn s130_what_was_disposed_of_is_gone_from_the_mirror_after_the_next_pull_and_the_rest_is_not() {
    with_and_without_encryption(|pair| {
        let gone = pair.note();
        let stays = pair.note();
        pair.pull().unwrap();
        let before = files(&pair.copy()).iter().filter(|name| name.starts_with("attachments/")).count();
        assert!(pair.copy().join(body_name(gone)).is_file());
        pair.wait_for_years();
        pair.dispose(&[gone]).unwrap();
        let pulled = pair.pull().unwrap();
        assert_eq!((pulled.erased, pulled.without_body), (1, 0), "{pulled:?}");
        assert!(pulled.is_whole());
        assert!(is_gone(&pair.copy(), gone) && pair.copy().join(body_name(stays)).is_file());
        // its report went, and the schedule that the decision names came
        assert_eq!(files(&pair.copy()).iter().filter(|name| name.starts_with("attachments/")).count(), before);
        pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
        pair.assert_clean(pair.restore("restored").unwrap());
    });
}

#[test]
fn s007_a_mirror_of_a_ledger_with_disposed_and_archived_records_is_whole_and_goes_on_where_it_was() {
    with_and_without_encryption(|pair| {
        let gone = pair.note();
        for _ in 0..5 {
            pair.note();
        }
        pair.wait_for_years();
        pair.dispose(&[gone]).unwrap();
        let archived = pair.archive_all();
        assert!(archived > 4);
        let pulled = pair.pull().unwrap();
        assert_eq!((pulled.disposed, pulled.archived, pulled.without_body, pulled.erased), (1, archived, 0, 0));
        assert!(pulled.is_whole(), "{pulled:?}");
        let marker = marker(pair);
        assert!(marker["incomplete"] == false && marker.get("lacking").is_none(), "{marker}");
        pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
        let mut bare = pair.open(&pair.copy(), &pair.anchors()).unwrap();
        let findings = bare.audit().unwrap().findings;
        let told = findings.iter().filter(|finding| finding.kind == AuditFindingKind::BodyArchived).count();
        assert_eq!(told as u64, archived, "an archive that was not named is told");
        pair.assert_clean(pair.restore("restored").unwrap());
        // what comes back from the archive comes to the mirror as well
        pair.world.ledger.unarchive(None, &mut |_, _| {}).unwrap();
        let pulled = pair.pull().unwrap();
        assert_eq!((pulled.archived, pulled.is_whole()), (0, true), "{pulled:?}");
        assert!(!files(&pair.copy()).iter().any(|name| name.starts_with("archived/")));
        let mut copy = pair.open(&pair.copy(), &pair.anchors()).unwrap();
        assert!(copy.audit().unwrap().is_clean());
    });
}

#[test]
fn without_the_archive_a_mirror_says_what_it_did_not_see_and_sees_it_once_it_is_named() {
    with_and_without_encryption(|pair| {
        pair.note();
        pair.wait_for_years();
        let archived = pair.archive_all();
        let bare = Mirror::open(&pair.copy(), &pair.anchors());
        for _ in 0..2 {
            let now = pair.world.now;
            let pulled = bare.pull(&pair.source(), &Pins::none(), pair.kek(), now, &mut |_| {}).unwrap();
            assert_eq!((pulled.archived, pulled.without_body, pulled.attachments_unseen), (archived, 0, true));
        }
        let attachments = || files(&pair.copy()).iter().filter(|name| name.starts_with("attachments/")).count();
        // that of the trust policy, which is never archived
        assert_eq!(attachments(), 1);
        assert!(pair.pull().unwrap().is_whole());
        assert_eq!(attachments(), 2);
        pair.assert_clean(pair.restore("restored").unwrap());
        // an archive that has lost a record
        let lost = files(&pair.archive()).into_iter().find(|name| name.contains('/')).unwrap();
        std::fs::remove_file(pair.archive().join(lost)).unwrap();
        assert_eq!(pair.pull().unwrap().without_body, 1);
    });
}

#[test]
fn what_a_marker_claims_to_be_archived_must_be_what_its_entry_commits_to() {
    let mut pair = Pair::new(false);
    let index = pair.note();
    let body = pair.world.folder().join(body_name(index));
    std::fs::remove_file(&body).unwrap();
    std::fs::create_dir_all(pair.world.folder().join("archived")).unwrap();
    let marker = pair.world.folder().join(body_name(index).replace("bodies", "archived"));
    for claim in ["0".repeat(64), String::new(), "x".repeat(100)] {
        std::fs::write(&marker, claim).unwrap();
        let pulled = pair.pull().unwrap();
        assert_eq!((pulled.archived, pulled.without_body), (0, 1));
    }
}

#[test]
fn s007_a_ledger_is_not_made_of_a_copy_that_is_not_whole_unless_that_is_said() {
    with_and_without_encryption(|pair| {
        let index = pair.note();
        pair.note();
        pair.pull().unwrap();
        let good = pair.elsewhere.path().join("good");
        copy(&pair.copy(), &good);
        std::fs::remove_file(pair.copy().join(body_name(index))).unwrap();
        assert_eq!(code(pair.restore("restored")), "BODY_LOST");
        let restored = pair.elsewhere.path().join("restored");
        assert!(restored.join("mirror.json").is_file(), "nobody appends to half a ledger");
        let half = pair.open(&restored, &pair.anchors()).unwrap();
        assert_eq!(code(half.with_log_key(pair.world.log_key())), "API_MISUSE");
        // and nobody pulls into it
        let mirror = Mirror::open(&restored, &pair.anchors());
        let pulled = mirror.pull(&pair.source(), &Pins::none(), pair.kek(), pair.world.now, &mut |_| {});
        assert_eq!(code(pulled), "ALREADY_EXISTS");
        // another copy has the rest
        pair.assert_clean(pair.restore_from(&LogSource::folder(&good), "restored").unwrap());
        // or somebody says that it is to go on without it
        let place = pair.elsewhere.path().join("without");
        let from = LogSource::folder(pair.copy());
        let target = pair.target(&place);
        let told = target.restore_incomplete_unsafe(&from, &Pins::none(), pair.kek(), &mut |_| {}).unwrap();
        assert_eq!((told.without_body, told.is_whole()), (1, false));
        let mut ledger = pair.open(&place, &pair.anchors()).unwrap().with_log_key(pair.world.log_key()).unwrap();
        assert_eq!(ledger.audit().unwrap().findings.len(), 1);
    });
}

#[test]
fn s007_a_record_that_is_lost_is_looked_for_alone_at_each_pull() {
    let mut pair = Pair::new(false);
    let index = pair.note();
    let body = pair.world.folder().join(body_name(index));
    let away = pair.world.dir.path().join("away");
    std::fs::rename(&body, &away).unwrap();
    assert_eq!(pair.pull().unwrap().without_body, 1);
    assert_eq!(marker(&pair)["lacking"], serde_json::json!([index]));
    assert_eq!(pair.pull().unwrap().without_body, 1);
    std::fs::rename(&away, &body).unwrap();
    assert!(pair.pull().unwrap().is_whole());
    assert!(marker(&pair).get("lacking").is_none());
    assert!(pair.open(&pair.copy(), &pair.anchors()).unwrap().audit().unwrap().is_clean());
}

#[test]
fn s007_a_mirror_of_an_encrypted_ledger_without_its_key_is_a_backup_and_tells_nothing() {
    let mut pair = Pair::new(true);
    for _ in 0..5 {
        pair.note();
    }
    let pulled = pair.pull_with(None).unwrap();
    assert_eq!((pulled.without_body, pulled.unproven), (0, pulled.size), "{pulled:?}");
    assert!(pulled.is_whole());
    let opened = Ledger::open(&pair.copy(), &pair.anchors(), &Pins::none());
    assert_eq!(code(opened), "WRONG_KEY");
    for name in files(&pair.copy()) {
        let bytes = read(pair.copy().join(&name));
        assert!(!bytes.windows(PLANTED.len()).any(|window| window == PLANTED.as_bytes()), "{name}");
        let source = pair.world.folder().join(&name);
        assert!(name == "mirror.json" || name == "lock" || bytes == read(source), "{name} is not what the source has");
    }
    pair.note();
    assert_eq!(pair.pull_with(None).unwrap().had, pulled.size);
    pair.assert_clean(pair.restore("restored").unwrap());
    // without the key nobody knows whether it is whole
    let place = pair.elsewhere.path().join("without-key");
    let from = LogSource::folder(pair.copy());
    let restored = pair.target(&place).restore(&from, &Pins::none(), None, &mut |_| {});
    assert_eq!(code(restored), "WRONG_KEY");
    assert!(!place.exists());
    // with it all of it is proven once
    let proven = pair.pull().unwrap();
    assert_eq!((proven.unproven, proven.is_whole()), (0, true));
    assert_eq!(pair.pull_with(None).unwrap().unproven, 0);
    let other = KeyFile::generate().unwrap();
    assert_eq!(code(pair.pull_with(Some(&other))), "WRONG_KEY");
    assert_eq!(code(Pair::new(false).pull_with(Some(&other))), "WRONG_KEY", "a key for a plain ledger");
}

#[test]
fn what_is_wrong_at_an_encrypted_source_is_refused_as_far_as_can_be_told_and_wholly_with_the_key() {
    let mut pair = Pair::new(true);
    let indexes: Vec<u64> = (0..6).map(|_| pair.note()).collect();
    let at = |index: u64| pair.world.folder().join(body_name(index));
    let header = |index: u64| pair.world.folder().join("keys").join(body_name(index));
    let flip = |path: PathBuf| {
        let mut bytes = read(&path);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    // told without the key: another length, a header that is none, one under a key that is not there
    std::fs::write(at(indexes[0]), b"short").unwrap();
    std::fs::write(header(indexes[1]), b"{}").unwrap();
    let foreign = String::from_utf8(read(header(indexes[2]))).unwrap();
    let by = foreign.split("wrappedBy\":\"").nth(1).unwrap().split('"').next().unwrap();
    std::fs::write(header(indexes[2]), foreign.replace(by, "0123456789abcdef")).unwrap();
    // not told: a changed ciphertext, and the header of another
    flip(at(indexes[3]));
    std::fs::copy(header(indexes[5]), header(indexes[4])).unwrap();
    let keyless = pair.pull_with(None).unwrap();
    assert_eq!(keyless.refused, indexes[..3]);
    let proven = pair.pull().unwrap();
    assert_eq!(proven.refused, indexes[..5], "{proven:?}");
    for index in &indexes[..5] {
        assert!(!pair.copy().join(body_name(*index)).exists(), "{index} was kept wrong");
    }
    let mut copy = pair.open(&pair.copy(), &pair.anchors()).unwrap();
    assert_eq!(copy.audit().unwrap().findings.len(), 5);
    assert_eq!(code(pair.restore("restored")), "BODY_LOST");
}

#[test]
fn a_record_that_is_far_too_long_at_the_source_is_refused_and_the_rest_is_pulled() {
    with_and_without_encryption(|pair| {
        let index = pair.note();
        pair.note();
        let body = std::fs::File::create(pair.world.folder().join(body_name(index))).unwrap();
        body.set_len(1 << 33).unwrap();
        let pulled = pair.pull().unwrap();
        assert_eq!((pulled.refused, pulled.without_body), (vec![index], 0));
        assert!(pair.open(&pair.copy(), &pair.anchors()).unwrap().record(index + 1).is_ok());
    });
}

#[test]
fn what_spoiled_in_an_encrypted_copy_comes_again_from_the_source() {
    let mut pair = Pair::new(true);
    let index = pair.note();
    pair.pull_with(None).unwrap();
    let body = pair.copy().join(body_name(index));
    let mut bytes = read(&body);
    bytes[7] ^= 1;
    std::fs::write(&body, bytes).unwrap();
    for attachment in files(&pair.copy()).iter().filter(|name| name.starts_with("attachments/")) {
        std::fs::write(pair.copy().join(attachment), b"spoiled").unwrap();
    }
    assert!(pair.pull().unwrap().is_whole());
    pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
}

#[cfg(feature = "witness")]
#[test]
fn an_encrypted_mirror_over_http_needs_the_key_for_attachments_alone() {
    let mut pair = Pair::new(true);
    pair.note();
    let folder = pair.world.folder();
    let server = loopback::Loopback::new(move |request| {
        let name = request.line.strip_prefix("GET /log/").unwrap();
        std::fs::read(folder.join(name)).map_or((404, Vec::new()), |bytes| (200, bytes))
    });
    let source = LogSource::open(&server.url("/log")).unwrap();
    let pulled = pair.pull_from(&source, None, pair.world.now).unwrap();
    assert!(pulled.attachments_unseen && pulled.without_body == 0 && !pulled.is_whole());
    let pulled = pair.pull_from(&source, pair.kek(), pair.world.now).unwrap();
    assert!(pulled.is_whole(), "{pulled:?}");
    // nothing new, nothing asked for but what tells that
    let asked = server.asked().len();
    pair.pull_from(&source, pair.kek(), pair.world.now).unwrap();
    let lines: Vec<_> = server.asked()[asked..].iter().map(|request| request.line.clone()).collect();
    assert!(lines.iter().all(|line| !line.contains("bodies") && !line.contains("attachments")), "{lines:?}");
    pair.assert_clean(pair.restore("restored").unwrap());
}

#[derive(Clone, Debug)]
enum Act {
    Note,
    Dispose(usize),
    Archive,
    Unarchive,
    Rotate { same_key: bool },
    Hold,
    Pull { with_key: bool },
    Lapse,
}

fn acts() -> impl Generated<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => Just(Act::Note),
        3 => any::<usize>().prop_map(Act::Dispose),
        1 => Just(Act::Archive),
        1 => Just(Act::Unarchive),
        2 => any::<bool>().prop_map(|same_key| Act::Rotate { same_key }),
        1 => Just(Act::Hold),
        4 => any::<bool>().prop_map(|with_key| Act::Pull { with_key }),
        2 => Just(Act::Lapse),
    ];
    proptest::collection::vec(act, 4..14)
}

fn run(encrypted: bool, acts: &[Act]) {
    let mut pair = Pair::new(encrypted);
    let (mut there, mut disposed) = (BTreeSet::new(), BTreeSet::new());
    let mut held = false;
    for act in acts {
        match act {
            Act::Note => {
                there.insert(pair.note());
            }
            Act::Dispose(which) => {
                let Some(index) = there.iter().copied().nth(which % there.len().max(1)) else { continue };
                pair.wait_for_years();
                let outcome = pair.dispose(&[index]);
                assert_eq!(outcome.is_err(), held, "{outcome:?}");
                if !held {
                    there.remove(&index);
                    disposed.insert(index);
                }
            }
            Act::Archive => {
                pair.archive_all();
            }
            Act::Unarchive => {
                pair.world.ledger.unarchive(None, &mut |_, _| {}).unwrap();
            }
            Act::Rotate { same_key: true } if encrypted => {
                let kek = pair.kek.take().unwrap();
                pair.rotate(kek);
            }
            Act::Rotate { .. } if encrypted => pair.rotate(KeyFile::generate().unwrap()),
            Act::Rotate { .. } => {}
            Act::Hold if held => {}
            Act::Hold => {
                pair.hold();
                held = true;
            }
            Act::Pull { with_key } => {
                let kek = pair.kek().filter(|_| *with_key);
                pair.pull_with(kek).unwrap();
                if *with_key || !encrypted {
                    for index in &disposed {
                        assert!(is_gone(&pair.copy(), *index), "entry {index} is still in the copy");
                    }
                }
            }
            Act::Lapse => pair.wait_for_years(),
        }
    }
    let pulled = pair.pull().unwrap();
    assert!(pulled.is_whole(), "{pulled:?}");
    for index in &disposed {
        assert!(is_gone(&pair.copy(), *index), "entry {index} is still in the copy");
    }
    pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
    let restored = pair.restore("restored").unwrap().with_archive(&pair.archive()).unwrap();
    for index in &there {
        assert!(restored.record(*index).is_ok(), "entry {index}");
    }
    for index in &disposed {
        assert_eq!(code(restored.record(*index)), "BODY_DISPOSED");
    }
    pair.assert_clean(restored);
}

fn all_sequences(encrypted: bool) {
    let cases = std::env::var("SEALWRIGHT_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    runner
        .run(&acts(), |acts| {
            run(encrypted, &acts);
            Ok(())
        })
        .unwrap();
}

#[test]
fn s007_whatever_happens_to_a_ledger_its_mirror_restores_to_one_that_audits_clean() {
    all_sequences(false);
}

#[test]
fn s007_whatever_happens_to_an_encrypted_ledger_its_mirror_restores_to_one_that_audits_clean() {
    all_sequences(true);
}

#[test]
fn s007_what_is_spoiled_in_a_copy_stays_until_there_is_something_better() {
    let mut pair = Pair::new(true);
    let (body_lost, header_lost) = (pair.note(), pair.note());
    pair.pull_with(None).unwrap();
    let flip = |path: PathBuf| {
        let mut bytes = read(&path);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    // of one record the copy has the body and the source the header, of the other it is the other way round
    let key = |folder: PathBuf, index| folder.join("keys").join(body_name(index));
    flip(key(pair.copy(), body_lost));
    std::fs::remove_file(pair.world.folder().join(body_name(body_lost))).unwrap();
    flip(pair.copy().join(body_name(header_lost)));
    std::fs::remove_file(key(pair.world.folder(), header_lost)).unwrap();
    let pulled = pair.pull().unwrap();
    assert!(pulled.is_whole(), "{pulled:?}");
    pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
}

#[test]
fn s130_files_of_records_that_were_disposed_of_are_not_missing_from_a_copy() {
    with_and_without_encryption(|pair| {
        let index = pair.note();
        let body = pair.world.folder().join(body_name(index));
        let (body, header) =
            (read(&body), pair.kek.is_some().then(|| read(pair.world.folder().join("keys").join(body_name(index)))));
        pair.wait_for_years();
        pair.dispose(&[index]).unwrap();
        // cut short when its file was gone and its body was not
        std::fs::write(pair.world.folder().join(body_name(index)), body).unwrap();
        if let Some(header) = header {
            std::fs::write(pair.world.folder().join("keys").join(body_name(index)), header).unwrap();
        }
        let target = pair.elsewhere.path().join("restored");
        let restored = pair.target(&target).restore(&pair.source(), &Pins::none(), pair.kek(), &mut |_| {}).unwrap();
        assert_eq!((restored.attachments_missing, restored.is_whole()), (0, true), "{restored:?}");
        assert!(is_gone(&target, index));
        let pulled = pair.pull().unwrap();
        assert_eq!((pulled.attachments_missing, pulled.is_whole()), (0, true), "{pulled:?}");
    });
}

#[test]
fn s130_a_mirror_of_a_ledger_that_was_moved_tells_disposed_records_from_lost_ones() {
    with_and_without_encryption(|pair| {
        let (gone, late) = (pair.note(), pair.note());
        pair.wait_for_years();
        pair.dispose(&[gone]).unwrap();
        pair.pull().unwrap();
        pair.dispose(&[late]).unwrap();
        let [from, to] = [pair.world.folder(), pair.world.dir.path().join("new")].map(Place::Folder);
        Ledger::move_to(&from, &to, &pair.world.anchors(), &Pins::none(), pair.kek(), &mut |_| {}).unwrap();
        let pulled = pair.pull().unwrap();
        assert!(pulled.is_whole() && is_gone(&pair.copy(), late), "{pulled:?}");
        // and a new one
        let target = pair.elsewhere.path().join("other");
        let other = pair.target(&target).pull(&pair.source(), &Pins::none(), pair.kek(), pair.world.now, &mut |_| {});
        let other = other.unwrap();
        assert_eq!((other.disposed, other.without_body, other.attachments_missing), (2, 0, 0), "{other:?}");
    });
}

#[test]
fn s007_no_ledger_is_made_of_a_copy_whose_attachments_nobody_looked_for() {
    with_and_without_encryption(|pair| {
        pair.note();
        pair.wait_for_years();
        let archived = pair.archive_all();
        let bare = Mirror::open(&pair.copy(), &pair.anchors());
        bare.pull(&pair.source(), &Pins::none(), pair.kek(), pair.world.now, &mut |_| {}).unwrap();
        let place = pair.elsewhere.path().join("restored");
        let from = LogSource::folder(pair.copy());
        let target = || Mirror::open(&place, &pair.anchors());
        let refused = target().restore(&from, &Pins::none(), pair.kek(), &mut |_| {}).unwrap_err();
        assert_eq!(refused.code(), "BODY_ARCHIVED", "{refused}");
        assert!(place.join("mirror.json").exists() && refused.message().contains(&archived.to_string()), "{refused}");
        // the archive leads to the files, and the copy does not have them
        let named = target().with_archive(&pair.archive()).restore(&from, &Pins::none(), pair.kek(), &mut |_| {});
        assert_eq!(code(named), "BODY_LOST");
        // the source has
        pair.assert_clean(pair.restore_from(&pair.source(), "restored").unwrap());
        let without = pair.elsewhere.path().join("without");
        let target = Mirror::open(&without, &pair.anchors());
        let told = target.restore_incomplete_unsafe(&from, &Pins::none(), pair.kek(), &mut |_| {}).unwrap();
        assert!(told.attachments_unseen);
    });
}
