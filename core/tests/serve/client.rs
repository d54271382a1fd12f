//! The client against an honest sequencer: reading, files, and what an address cannot do.

use std::io::Read as _;

use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Ledger, Pins, Query};
use sealwright::remote::Access;

use crate::team::Team;

#[test]
fn a_ledger_behind_an_address_is_one_like_any_other() {
    let team = Team::new();
    let running = team.start();
    let mut submitter = team.submitter(&running, "build").unwrap();
    let records: Vec<_> = (0..300).map(|n| team.note(&n.to_string())).collect();
    for chunk in records.chunks(100) {
        submitter.submit(chunk, team.now()).unwrap();
    }
    let ledger = team.connect(&running, "auditor").unwrap();
    assert_eq!((ledger.size(), ledger.origin()), (301, team.world.ledger.origin()));
    for index in [0, 1, 255, 256, 300] {
        let receipt = ledger.prove(index).unwrap();
        receipt.verify(ledger.record(index).unwrap().verified.record(), ledger.log_key()).unwrap();
    }
    // page by page, in order, to the end
    let mut query = Query::everything();
    query.limit = Some(64);
    let mut seen = Vec::new();
    loop {
        let found = ledger.search(&query).unwrap();
        seen.extend(found.records.iter().map(|r| r.index));
        query.after = seen.last().copied();
        if !found.more {
            break;
        }
    }
    assert_eq!(seen, (0..301).collect::<Vec<u64>>());
    // a handle that was open before sees what came after
    let mut ledger = ledger;
    submitter.submit(&[team.note("later")], team.now()).unwrap();
    ledger.refresh().unwrap();
    assert_eq!(ledger.size(), 302);
    // and what is done where the ledger lies is not done through an address
    assert_eq!(ledger.rebuild_index().unwrap_err().code(), "UNSUPPORTED");
    running.stop();
}

#[test]
fn whoever_pins_the_first_key_of_a_log_goes_on_with_the_one_that_replaced_it() {
    let team = Team::new();
    let running = team.start();
    team.submitter(&running, "build").unwrap().submit(&[team.note("before")], team.now()).unwrap();
    let mut open = team.connect(&running, "auditor").unwrap();
    running.stop();
    let (old, new) = (team.world.log_key(), PrivateKey::generate(KeyType::Ed25519).unwrap());
    std::fs::write(team.dir().join("log.pem"), new.to_pem().unwrap().as_bytes()).unwrap();
    team.folder().with_log_key(old).unwrap().rotate_log_key(new).unwrap();
    let running = team.start();
    let receipts = team.submitter(&running, "build").unwrap().submit(&[team.note("after")], team.now()).unwrap();
    assert_eq!(receipts[0].index, 2);
    // the pins of the team hold the key that the log began with
    let ledger = team.connect(&running, "auditor").unwrap();
    assert_eq!(ledger.record(2).unwrap().index, 2);
    assert_ne!(Some(ledger.log_key()), team.pins().log_key.as_ref());
    // a handle that was open before has the address of the server that is gone
    assert_eq!(open.refresh().unwrap_err().code(), "SERVICE_UNAVAILABLE");
    running.stop();
}

#[test]
fn files_of_any_length_go_both_ways_and_no_other_is_kept_under_their_name() {
    let team = Team::new();
    let running = team.start();
    let content: Vec<u8> = (0..3_000_001u32).flat_map(u32::to_le_bytes).collect();
    let path = team.dir().join("report.bin");
    std::fs::write(&path, &content).unwrap();
    let submitter = team.submitter(&running, "build").unwrap();
    let digest = submitter.attach_file(&path).unwrap();
    assert_eq!(digest, Digest::sha256(&content));
    assert_eq!(submitter.attach_file(&path).unwrap(), digest);
    let ledger = team.connect(&running, "everything").unwrap();
    assert_eq!(ledger.attachment(&digest).unwrap(), content);
    let mut read = Vec::new();
    ledger.attachment_stream(&digest).unwrap().read_to_end(&mut read).unwrap();
    assert_eq!(read, content);
    assert_eq!(ledger.attach(b"small").unwrap(), Digest::sha256(b"small"));
    assert_eq!(ledger.attachment(&Digest::sha256(b"small")).unwrap(), b"small");
    assert_eq!(ledger.attachment(&Digest::sha256(b"none")).unwrap_err().code(), "NOT_FOUND");
    // who may not read records reads no files
    let build = team.connect(&running, "build").unwrap();
    assert_eq!(build.attachment(&digest).unwrap_err().code(), "PERMISSION_DENIED");
    // bytes under another's name
    let wrong = running.ask("PUT", &format!("/attachments/{}", digest.hex()), Some(&team.token("build")), b"other");
    assert_eq!((wrong.status, wrong.code().as_str()), (422, "DIGEST_MISMATCH"));
    // one that was changed on disk is not given out whole
    let stored = team.world.folder().join(format!("attachments/{}", digest.hex()));
    let mut changed = content.clone();
    changed[7] ^= 1;
    std::fs::write(&stored, &changed).unwrap();
    assert!(ledger.attachment(&digest).is_err());
    std::fs::write(&stored, &content).unwrap();
    running.stop();
    assert!(team.folder().audit().unwrap().is_clean());
    assert!(std::fs::read_dir(team.dir().join("server-state/uploads")).unwrap().next().is_none());
}

#[test]
fn whoever_has_no_right_is_told_so() {
    let team = Team::new();
    let running = team.start();
    for access in [Access::anonymous(), Access::anonymous().with_token("x.y.z").unwrap(), team.access("nothing")] {
        let e = Ledger::connect(&running.url(), &access, &team.anchors("nobody"), &team.pins()).unwrap_err();
        assert_eq!(e.code(), "PERMISSION_DENIED");
    }
    let ledger = team.connect(&running, "build").unwrap();
    assert_eq!(ledger.record(0).map(|r| r.index).unwrap(), 0);
    let mut submitter = team.submitter(&running, "build").unwrap();
    submitter.submit(&[team.note("x")], team.now()).unwrap();
    let mut ledger = ledger;
    ledger.refresh().unwrap();
    assert_eq!(ledger.record(1).unwrap_err().code(), "PERMISSION_DENIED");
    assert_eq!(ledger.search(&Query::everything()).unwrap_err().code(), "PERMISSION_DENIED");
    let mut auditor = team.connect(&running, "auditor").unwrap();
    let record = auditor.verify(&team.note("y"), team.now()).unwrap();
    assert_eq!(auditor.append(&record, team.now()).unwrap_err().code(), "PERMISSION_DENIED");
    assert_eq!(auditor.attach(b"y").unwrap_err().code(), "PERMISSION_DENIED");
    // nobody is there
    let url = running.url();
    running.stop();
    let e = Ledger::connect(&url, &team.access("build"), &team.anchors("nobody"), &Pins::none()).unwrap_err();
    assert_eq!(e.code(), "SERVICE_UNAVAILABLE");
}

#[test]
fn a_statement_signed_twice_has_one_receipt() {
    let team = Team::new();
    let running = team.start();
    let statement = crate::small::of(crate::team::NOTE, b"twice", &serde_json::json!({ "n": 1 }));
    let signer = "author";
    let (first, second) = (team.signed(signer, &statement), team.signed(signer, &statement));
    assert_ne!(first, second);
    let mut submitter = team.submitter(&running, "build").unwrap();
    let one = submitter.submit(std::slice::from_ref(&first), team.now()).unwrap().remove(0);
    let two = submitter.submit(&[second], team.now()).unwrap().remove(0);
    assert_eq!((one.index, two.index), (1, 1));
    assert!(!one.already_there && two.already_there);
    two.verify(&first, &team.pins().log_key.unwrap()).unwrap();
    let mut ledger = team.connect(&running, "everything").unwrap();
    let third = ledger.verify(&team.signed(signer, &statement), team.now()).unwrap();
    assert!(ledger.append(&third, team.now()).unwrap().already_there);
}
