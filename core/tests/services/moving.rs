//! A ledger moves from folder to bucket and back, and only one place ever takes an append.

use std::collections::BTreeMap;

use sealwright::digest::Digest;
use sealwright::ledger::{Anchors, Ledger, Pins, Place};

use super::fault_proxy::{Fault, HttpProxy};
use super::grounds::{Ground, Way};
use super::places::{assert_clean, payloads, texts};
use super::small::{Small, append_at, files, kek, note, opened_at, read};

/// What moves: everything but the checkpoint and what a folder keeps for itself.
fn content(folder: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let moved = |name: &String| ["tile/", "bodies/", "attachments/"].iter().any(|part| name.starts_with(part));
    files(folder).into_iter().filter(moved).map(|name| (name.clone(), read(folder.join(name)))).collect()
}

fn filled(count: usize) -> (Small, Vec<String>, Digest) {
    let mut small = Small::new();
    let all: Vec<String> = (0..count).map(|n| format!("note {n}")).collect();
    for text in &all {
        small.note(text);
    }
    let attached = small.ledger.attach(b"an attachment").unwrap();
    (small, all, attached)
}

fn go(small: &Small, from: &Place, to: &Place) -> Result<sealwright::ledger::Relocated, sealwright::Error> {
    Ledger::move_to(from, to, &small.anchors(), &Pins::none(), None, &mut |_| {})
}

#[test]
fn a_ledger_moves_between_folders_with_the_same_root_and_bytes() {
    let (mut small, all, attached) = filled(20);
    let to = Place::Folder(small.dir.path().join("new"));
    let moved = go(&small, &small.place, &to).unwrap();
    assert_eq!(moved.root, small.ledger.checkpoint().checkpoint().root().to_string());
    assert_eq!(content(&small.folder()), content(&small.dir.path().join("new")));
    // a handle that was open, and one that is opened
    let again = small.open().unwrap();
    for mut old in [small.open_to_append().unwrap(), std::mem::replace(&mut small.ledger, again)] {
        let refused = old.record_statement(&note("late"), &small.keys["maker"], small.now).unwrap_err();
        assert_eq!(refused.code(), "APPEND_REFUSED", "{refused}");
        assert_eq!(old.attach(b"late").unwrap_err().code(), "APPEND_REFUSED");
        assert_eq!(old.moved_to().unwrap(), to.to_string());
        assert_eq!(texts(&old), payloads(&all));
    }
    // not to a third place from the old one; to the same once more changes nothing
    let third = Place::Folder(small.dir.path().join("third"));
    assert_eq!(go(&small, &small.place, &third).unwrap_err().code(), "APPEND_REFUSED");
    assert_eq!(go(&small, &small.place, &to).unwrap().carried, 0);
    assert_clean(&mut small.open().unwrap());
    let mut new = append_at(&to, small.dir.path()).unwrap();
    assert_eq!(new.attachment(&attached).unwrap(), b"an attachment");
    assert_eq!(new.moved_to(), None);
    new.record_statement(&note("there"), &small.keys["maker"], small.now).unwrap();
    assert_clean(&mut new);
    // the old place is an older state now, and said to be one
    assert_eq!(small.open().unwrap_err().code(), "LEDGER_ROLLED_BACK");
    // back, over what was left there
    go(&small, &to, &small.place).unwrap();
    let mut back = small.open_to_append().unwrap();
    back.record_statement(&note("back"), &small.keys["maker"], small.now).unwrap();
    assert_eq!(texts(&back), payloads(&[all, vec!["there".to_owned(), "back".to_owned()]].concat()));
    assert_clean(&mut back);
}

#[test]
fn a_ledger_does_not_move_onto_something_else() {
    let (small, ..) = filled(1);
    let other = Small::new();
    assert_eq!(go(&small, &small.place, &other.place).unwrap_err().code(), "ALREADY_EXISTS");
    let full = small.dir.path().join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("file"), "content").unwrap();
    assert_eq!(go(&small, &small.place, &Place::Folder(full)).unwrap_err().code(), "ALREADY_EXISTS");
    assert_eq!(go(&small, &small.place, &small.place).unwrap_err().code(), "API_MISUSE");
    // a copy that takes appends is no place to move to
    let copy = small.dir.path().join("copy");
    super::small::copy(&small.folder(), &copy);
    assert_eq!(go(&small, &small.place, &Place::Folder(copy)).unwrap_err().code(), "ALREADY_EXISTS");
    assert_eq!(small.open().unwrap().moved_to(), None);
}

#[test]
#[ignore = "needs make test-services"]
fn a_ledger_moves_to_a_bucket_and_back_with_the_same_root_and_bytes() {
    for ground in [Ground::Versitygw, Ground::Seaweedfs] {
        let (small, mut all, attached) = filled(300);
        let there = ground.place(small.dir.path());
        let moved = go(&small, &small.place, &there).unwrap();
        assert_eq!((moved.size, moved.carried), (301, moved.objects));
        let mut bucket = append_at(&there, small.dir.path()).unwrap();
        assert_eq!(bucket.attachment(&attached).unwrap(), b"an attachment");
        assert_clean(&mut bucket);
        bucket.record_statement(&note("there"), &small.keys["maker"], small.now).unwrap();
        all.push("there".to_owned());
        let back = Place::Folder(small.dir.path().join("back"));
        let returned = go(&small, &there, &back).unwrap();
        assert_eq!(returned.root, bucket.checkpoint().checkpoint().root().to_string());
        let (old, new) = (content(&small.folder()), content(&small.dir.path().join("back")));
        // but for the last entry and the partial tiles it made wider
        let same = old.iter().filter(|(name, _)| new.contains_key(*name)).collect::<Vec<_>>();
        assert!(same.len() > 300 && same.iter().all(|(name, bytes)| new[*name] == **bytes));
        let mut ledger = append_at(&back, small.dir.path()).unwrap();
        assert_eq!(texts(&ledger), payloads(&all));
        assert_clean(&mut ledger);
        let refused = bucket.record_statement(&note("late"), &small.keys["maker"], small.now).unwrap_err();
        assert_eq!(refused.code(), "APPEND_REFUSED");
        println!("{ground:?}: {} objects of {} bytes there and back", returned.objects, returned.bytes);
    }
}

/// To a bucket and back to where it was, over what it has shed meanwhile: markers, headers, and what they opened.
#[test]
#[ignore = "needs make test-services"]
fn an_encrypted_ledger_moves_to_a_bucket_and_back_over_what_was_left() {
    for ground in [Ground::Versitygw, Ground::Seaweedfs] {
        let mut small = Small::encrypted_at(|dir| Place::Folder(dir.join("ledger")));
        let mut all: Vec<String> = (0..20).map(|n| format!("note {n}")).collect();
        let early = small.note(&all[0]).index;
        let later = small.tick();
        for text in &all[1..] {
            small.note(text);
        }
        small.ledger.attach(b"an attachment").unwrap();
        let archive = small.dir.path().join("archive");
        let mut ledger = small.open_to_append().unwrap().with_archive(&archive).unwrap();
        assert_eq!(ledger.archive(later, &mut |_, _| {}).unwrap().entries, [early]);
        drop(ledger);
        let there = ground.place(small.dir.path());
        let key = kek();
        let go = |from: &Place, to: &Place| {
            Ledger::move_to(from, to, &small.anchors(), &Pins::none(), Some(&key), &mut |_| {}).unwrap()
        };
        let append = |place: &Place, text: &str| {
            let ledger = opened_at(place, true, &small.anchors()).unwrap().with_archive(&archive).unwrap();
            let log_key = sealwright::key::read_private(&small.dir.path().join("log.pem"), None).unwrap();
            let mut ledger = ledger.with_log_key(log_key).unwrap();
            ledger.unarchive(None, &mut |_, _| {}).unwrap();
            ledger.record_statement(&note(text), &small.keys["maker"], small.now).unwrap();
            assert_clean(&mut ledger);
            ledger
        };
        go(&small.place, &there);
        drop(append(&there, "there"));
        go(&there, &small.place);
        drop(append(&small.place, "back"));
        go(&small.place, &there);
        let ledger = append(&there, "there again");
        all.extend(["there", "back", "there again"].map(str::to_owned));
        assert_eq!(texts(&ledger), payloads(&all));
    }
}

/// A move whose storage fails at every request in turn, called again until it is done.
#[test]
#[ignore = "needs make test-services"]
fn a_move_that_is_cut_short_is_taken_up_and_never_leaves_two_that_append() {
    let ground = Ground::Versitygw;
    let (small, all, _) = filled(6);
    let proxy = HttpProxy::before(&ground.endpoint());
    let way = Way { endpoint: Some(proxy.url.clone()), retries: 0, timeout: 5, ..Way::default() };
    let there = ground.place_by(small.dir.path(), &way);
    let anchors = Anchors::in_folder(small.dir.path().join("state"));
    let mut tries = 0_u64;
    loop {
        let fault = [Fault::Refuse(503), Fault::Forget, Fault::Cut][tries as usize % 3];
        let nth = tries;
        proxy.rule(move |asked| if asked.number == nth { fault } else { Fault::Pass });
        let moved = go(&small, &small.place, &there);
        proxy.pass();
        let old = small.open().unwrap().moved_to().is_none();
        let new =
            Ledger::open_at(&there, &anchors, &Pins::none(), None).is_ok_and(|ledger| ledger.moved_to().is_none());
        assert!(!(old && new), "both take appends after {tries} tries");
        match moved {
            Ok(_) if new => break,
            Ok(_) => panic!("it is moved and is not there"),
            Err(_) => tries += 1,
        }
        assert!(tries < 300);
    }
    let mut ledger = append_at(&there, small.dir.path()).unwrap();
    assert_eq!(texts(&ledger), payloads(&all));
    assert_clean(&mut ledger);
    assert!(tries > 5, "{tries}");
    println!("moved at the {}th call", tries + 1);
}
