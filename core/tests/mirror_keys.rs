//! Keys of an encrypted ledger that were rotated, in a mirror of it: what waits for the key, what takes its place, what is
//! set aside.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod pair;
mod records_office;
mod small;
mod world;

use pair::{Pair, code};
use sealwright::encryption::KeyFile;
use sealwright::ledger::{AuditFindingKind, Ledger, LogSource, Pins};
use small::{copy, files, read};
use world::body_name;

#[test]
fn rotated_keys_reach_the_mirror_and_take_the_place_of_the_older_ones_when_the_key_proved_them() {
    let mut pair = Pair::new(true);
    for _ in 0..4 {
        pair.note();
    }
    pair.pull_with(None).unwrap();
    let old = pair.kek.take().unwrap();
    pair.kek = Some(KeyFile::generate().unwrap());
    let next = KeyFile::generate().unwrap();
    pair.rotate(next);
    pair.note();
    let keyring = read(pair.copy().join("keyring.json"));
    for _ in 0..2 {
        let pulled = pair.pull_with(None).unwrap();
        assert!(pulled.keys_unproven && !pulled.is_whole(), "{pulled:?}");
        assert_eq!(read(pair.copy().join("keyring.json")), keyring, "not replaced, not mixed");
    }
    // the older key opens what it opened
    let older = Ledger::open_encrypted(&pair.copy(), &pair.anchors(), &Pins::none(), &old).unwrap();
    assert!(older.record(2).is_ok());
    drop(older);
    // a ledger is made of what the newer key opens
    pair.assert_clean(pair.restore("restored").unwrap());
    assert_eq!(code(pair.pull_with(Some(&old))), "WRONG_KEY");
    let pulled = pair.pull().unwrap();
    assert!(pulled.is_whole(), "{pulled:?}");
    assert!(!files(&pair.copy()).iter().any(|name| name.starts_with("unproven/")));
    assert_eq!(code(Ledger::open_encrypted(&pair.copy(), &pair.anchors(), &Pins::none(), &old)), "WRONG_KEY");
    pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
    pair.assert_clean(pair.restore("again").unwrap());
}

/// The switch to rotated keys, cut short after each number of headers.
#[test]
fn a_copy_whose_keys_were_being_replaced_when_it_was_cut_short_is_restored_and_goes_on() {
    let mut pair = Pair::new(true);
    for _ in 0..3 {
        pair.note();
    }
    pair.pull().unwrap();
    pair.rotate(KeyFile::generate().unwrap());
    pair.note();
    pair.pull_with(None).unwrap();
    let staged = files(&pair.copy().join("unproven"));
    let headers: Vec<&String> = staged.iter().filter(|name| name.starts_with("keys/")).collect();
    assert!(headers.len() > 4);
    let before = pair.elsewhere.path().join("before");
    copy(&pair.copy(), &before);
    for done in 0..=headers.len() + 1 {
        std::fs::remove_dir_all(pair.copy()).unwrap();
        copy(&before, &pair.copy());
        // what was put in place by then; the keyring at last
        for name in headers.iter().map(|name| name.as_str()).chain(["keyring.json"]).take(done) {
            std::fs::copy(pair.copy().join("unproven").join(name), pair.copy().join(name)).unwrap();
        }
        pair.assert_clean(pair.restore(&format!("restored-{done}")).unwrap());
        assert!(pair.pull().unwrap().is_whole());
        assert!(!files(&pair.copy()).iter().any(|name| name.starts_with("unproven/")));
        pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
    }
}

#[test]
fn keys_that_are_rotated_again_before_anybody_proved_them_lose_nothing_that_came_between() {
    let mut pair = Pair::new(true);
    pair.pull_with(None).unwrap();
    for _ in 0..2 {
        pair.rotate(KeyFile::generate().unwrap());
        pair.note();
        pair.pull_with(None).unwrap();
    }
    pair.archive_all();
    pair.rotate(KeyFile::generate().unwrap());
    assert_eq!(pair.pull_with(None).unwrap().without_body, 0);
    pair.rotate(KeyFile::generate().unwrap());
    assert!(pair.pull().unwrap().is_whole());
    pair.assert_clean(pair.restore("restored").unwrap());
}

#[test]
fn a_rotation_under_the_same_key_saves_what_only_the_mirror_has() {
    let mut pair = Pair::new(true);
    let index = pair.note();
    pair.pull().unwrap();
    let body = body_name(index);
    std::fs::remove_file(pair.world.folder().join("keys").join(&body)).unwrap();
    std::fs::remove_file(pair.world.folder().join(&body)).unwrap();
    let kek = pair.kek.take().unwrap();
    pair.world.ledger.rotate_encryption_keys(&kek, &mut |_, _| {}).unwrap();
    pair.kek = Some(kek);
    let pulled = pair.pull().unwrap();
    assert!(pulled.is_whole(), "{pulled:?}");
    assert!(pair.open(&pair.copy(), &pair.anchors()).unwrap().record(index).is_ok());
    pair.assert_clean(pair.restore("restored").unwrap());
}

#[test]
fn keys_that_somebody_put_in_the_place_of_a_ledgers_own_destroy_no_copy() {
    let mut pair = Pair::new(true);
    let index = pair.note();
    pair.pull_with(None).unwrap();
    let spoiled = pair.elsewhere.path().join("spoiled");
    copy(&pair.world.folder(), &spoiled);
    let other = Pair::new(true);
    for name in ["keyring.json".to_owned(), format!("keys/{}", body_name(0)), format!("keys/{}", body_name(index))] {
        let foreign = other.world.folder().join(name.replace(&body_name(index), &body_name(0)));
        std::fs::copy(foreign, spoiled.join(&name)).unwrap();
    }
    let pulled = pair.pull_from(&LogSource::folder(&spoiled), None, pair.world.now).unwrap();
    assert!(pulled.keys_unproven);
    pair.assert_clean(pair.restore("restored").unwrap());
    // the right ones again
    let pulled = pair.pull().unwrap();
    assert!(pulled.is_whole() && !pair.copy().join("unproven").join("keyring.json").exists());
    pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
}

#[test]
fn s007_keys_that_wait_do_not_make_way_for_others_that_nobody_proved() {
    let mut pair = Pair::new(true);
    pair.note();
    pair.pull_with(None).unwrap();
    pair.rotate(KeyFile::generate().unwrap());
    pair.note();
    pair.pull_with(None).unwrap();
    // a third keyring, and nothing but headers under it
    let put_others = |name: &str| {
        let (spoiled, other) = (pair.elsewhere.path().join(name), Pair::new(true));
        copy(&pair.world.folder(), &spoiled);
        std::fs::copy(other.world.folder().join("keyring.json"), spoiled.join("keyring.json")).unwrap();
        for header in files(&spoiled.join("keys")) {
            let foreign = other.world.folder().join("keys").join(body_name(0));
            std::fs::copy(foreign, spoiled.join("keys").join(header)).unwrap();
        }
        pair.pull_from(&LogSource::folder(&spoiled), None, pair.world.now)
    };
    assert!(put_others("third").unwrap().keys_unproven);
    // nobody has another copy
    pair.assert_clean(pair.restore("restored").unwrap());
    // what was there before came back, and the copy still waits for the key
    assert!(pair.pull_with(None).unwrap().keys_unproven);
    // so many and no more
    for number in 2..sealwright::limits::MIRRORED_KEYRINGS {
        put_others(&number.to_string()).unwrap();
    }
    let refused = put_others("one too many").unwrap_err();
    assert!(refused.code() == "WRONG_KEY" && refused.message().contains("pull once with its key"), "{refused}");
    pair.assert_clean(pair.restore("again").unwrap());
    let pulled = pair.pull().unwrap();
    assert!(pulled.is_whole(), "{pulled:?}");
    // of the keys that prove nothing stays only what has no other
    assert!(!files(&pair.copy()).iter().any(|name| name.starts_with("unproven/")));
    pair.assert_clean(pair.open(&pair.copy(), &pair.anchors()).unwrap());
}

/// A copy of which the source has lost the key of one record, before the ledger was put under another key.
fn with_a_key_that_only_the_copy_has() -> (Pair, u64, KeyFile) {
    let mut pair = Pair::new(true);
    let index = pair.note();
    pair.pull().unwrap();
    std::fs::remove_file(pair.world.folder().join("keys").join(body_name(index))).unwrap();
    let old = pair.kek.take().unwrap();
    pair.rotate(KeyFile::generate().unwrap());
    pair.note();
    (pair, index, old)
}

#[test]
fn s007_a_rotation_to_another_key_keeps_what_the_source_has_lost_until_its_own_key_opens_it() {
    let (mut pair, index, old) = with_a_key_that_only_the_copy_has();
    for _ in 0..2 {
        let pulled = pair.pull().unwrap();
        assert_eq!((pulled.without_body, pulled.keys_unproven), (1, false), "{pulled:?}");
    }
    let aside = files(&pair.copy()).into_iter().filter(|name| name.starts_with("unproven/older/")).count();
    assert_eq!(aside, 2, "its header, and the keyring that it lies under");
    let mut copy = pair.open(&pair.copy(), &pair.anchors()).unwrap();
    assert_eq!(copy.audit().unwrap().findings.iter().map(|f| f.kind).collect::<Vec<_>>(), [AuditFindingKind::BodyLost]);
    drop(copy);
    // under the older key again
    pair.rotate(old);
    let pulled = pair.pull().unwrap();
    assert!(pulled.is_whole(), "{pulled:?}");
    assert!(!files(&pair.copy()).iter().any(|name| name.starts_with("unproven/")));
    assert!(pair.open(&pair.copy(), &pair.anchors()).unwrap().record(index).is_ok());
    pair.assert_clean(pair.restore("restored").unwrap());
}

#[test]
fn s130_what_was_set_aside_of_a_record_goes_when_it_is_disposed_of() {
    let mut pair = Pair::new(true);
    let index = pair.note();
    pair.pull().unwrap();
    let old = pair.kek.take().unwrap();
    pair.rotate(KeyFile::generate().unwrap());
    let header = pair.world.folder().join("keys").join(body_name(index));
    let away = pair.world.dir.path().join("away");
    std::fs::rename(&header, &away).unwrap();
    assert_eq!(pair.pull().unwrap().without_body, 1);
    assert!(files(&pair.copy()).iter().any(|name| name.starts_with("unproven/older/")));
    std::fs::rename(&away, &header).unwrap();
    pair.wait_for_years();
    pair.dispose(&[index]).unwrap();
    let pulled = pair.pull().unwrap();
    assert!(pulled.is_whole() && pulled.disposed + pulled.erased > 0, "{pulled:?}");
    assert!(
        !files(&pair.copy()).iter().any(|name| name.ends_with(&body_name(index))),
        "nothing of it, whoever has {old:?}"
    );
}
