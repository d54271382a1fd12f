//! An encrypted ledger that is served: in the clear to whoever may read it, and to nobody else.

use std::path::Path;

use sealwright::digest::Digest;
use sealwright::encryption::KeyFile;
use sealwright::ledger::{Anchored, Ledger, Pins, Query};
use sealwright::pack;
use sealwright::predicate::*;

use crate::small::{files, read};
use crate::team::{NOTE, PLANTED, Running, Team};
use crate::world::{RELEASE, artifact, dev};

fn config(limits: &str) -> String {
    Team::config(limits, "").replace("log-key =", "encryption-key = \"kek.json\"\nlog-key =")
}

fn team() -> (Team, KeyFile) {
    let kek = KeyFile::generate().unwrap();
    let team = Team::encrypted(&kek);
    kek.write(&team.dir().join("kek.json"), None).unwrap();
    (team, kek)
}

fn with_key(team: &Team, running: &Running, name: &str, kek: &KeyFile) -> Result<Ledger, sealwright::Error> {
    Ledger::connect_encrypted(&running.url(), &team.access(name), &team.anchors(name), &team.pins(), kek)
}

/// Files below a folder that hold these bytes.
fn holding(folder: &Path, planted: &[u8]) -> Vec<String> {
    let holds = |name: &String| read(folder.join(name)).windows(planted.len()).any(|w| w == planted);
    files(folder).into_iter().filter(holds).collect()
}

#[test]
fn an_encrypted_ledger_is_served_in_the_clear_to_whoever_may_read_it() {
    let (team, kek) = team();
    let running = team.start_with(&config(""));
    // a job holds no key at all
    let mut submitter = team.submitter(&running, "build").unwrap();
    assert!(submitter.is_encrypted());
    let records: Vec<_> = (0..300).map(|n| team.note(&format!("note {n}"))).collect();
    for chunk in records.chunks(100) {
        submitter.submit(chunk, team.now()).unwrap();
    }
    let report = team.dir().join("report.txt");
    std::fs::write(&report, format!("{PLANTED} in a report").repeat(20_000)).unwrap();
    let attached = submitter.attach_file(&report).unwrap();
    // an auditor without the key reads, proves and searches
    let mut without = team.connect(&running, "auditor").unwrap();
    assert!(without.is_encrypted() && without.key_encryption_key().is_none());
    for index in [1, 255, 256, 300] {
        let record = without.record(index).unwrap();
        assert_eq!(record.verified.record(), records[usize::try_from(index).unwrap() - 1]);
        without.prove(index).unwrap().verify(record.verified.record(), without.log_key()).unwrap();
    }
    let digest = Digest::sha256(b"note 7").to_string();
    let mut query = Query::everything();
    query.digest = Some(digest);
    let found = without.search(&query).unwrap();
    assert_eq!(found.records.iter().map(|r| r.index).collect::<Vec<_>>(), [8]);
    assert_eq!(without.attachment(&attached).unwrap(), std::fs::read(&report).unwrap());
    submitter.submit(&[team.note("later")], team.now()).unwrap();
    without.refresh().unwrap();
    assert_eq!(without.record(301).unwrap().index, 301);
    // and cannot judge, for which the service would have to be believed
    assert_eq!(without.anchored(), Anchored::FirstUse);
    let code = |e: sealwright::Error| e.code();
    assert_eq!(without.complete(&query).map(|_| ()).map_err(code), Err("WRONG_KEY"));
    assert_eq!(without.audit().map(|_| ()).map_err(code), Err("WRONG_KEY"));
    assert_eq!(without.disposed().map(|_| ()).map_err(code), Err("WRONG_KEY"));
    // with the key it is a ledger like any other
    let mut with = with_key(&team, &running, "everything", &kek).unwrap();
    assert_eq!(with.complete(&query).unwrap().records.len(), 1);
    let report = with.audit().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(with_key(&team, &running, "everything", &kek).unwrap().anchored(), Anchored::Extends);
    let record = with.verify(&team.note("with the key"), team.now()).unwrap();
    assert_eq!(with.append(&record, team.now()).unwrap().index, 302);
    // another key is told to be one, and a key for a ledger that is not encrypted as well
    let other = KeyFile::generate().unwrap();
    assert_eq!(with_key(&team, &running, "auditor", &other).map(|_| ()).map_err(code), Err("WRONG_KEY"));
    running.stop();
    let plain = Team::new();
    let running = plain.start();
    assert_eq!(with_key(&plain, &running, "auditor", &kek).map(|_| ()).map_err(code), Err("WRONG_KEY"));
    assert!(!plain.submitter(&running, "build").unwrap().is_encrypted());
    running.stop();
    // a sequencer starts with the ledger's key or not at all
    for wrong in [Team::config("", ""), config("").replace("kek.json", "other.json")] {
        other.write(&team.dir().join("other.json"), None).ok();
        assert_eq!(team.try_start(&wrong).map(|_| ()).map_err(code), Err("WRONG_KEY"));
    }
    // on disk is nothing of it
    for folder in ["ledger", "server-state"] {
        assert_eq!(holding(&team.dir().join(folder), PLANTED.as_bytes()), Vec::<String>::new());
    }
    assert!(!team.log.text().contains(PLANTED));
    let mut folder =
        Ledger::open_encrypted(&team.world.folder(), &team.anchors("folder"), &Pins::none(), &kek).unwrap();
    assert!(folder.audit().unwrap().is_clean());
}

#[test]
fn an_upload_to_an_encrypted_ledger_lies_on_disk_encrypted() {
    use std::io::Write as _;
    let (team, _) = team();
    let running = team.start_with(&config(""));
    let content = format!("{PLANTED} in an upload ").repeat(100_000);
    let head = format!(
        "PUT /attachments/{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
        Digest::sha256(content.as_bytes()).hex(),
        team.token("build"),
        content.len()
    );
    let mut stream = running.open();
    stream.write_all(head.as_bytes()).unwrap();
    let (most, rest) = content.as_bytes().split_at(content.len() - 1);
    stream.write_all(most).unwrap();
    // all but the last byte is there, and waits
    let uploads = team.dir().join("server-state/uploads");
    let arrived = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        uploads.is_dir() && files(&uploads).iter().any(|f| read(uploads.join(f)).len() > content.len() / 2)
    });
    assert!(arrived);
    assert_eq!(holding(&uploads, PLANTED.as_bytes()), Vec::<String>::new());
    stream.write_all(rest).unwrap();
    let mut all = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut all).unwrap();
    assert_eq!(crate::team::parse(&all).unwrap().status, 200);
    assert!(files(&uploads).is_empty());
    running.stop();
}

#[test]
fn who_may_not_read_records_gets_neither_bodies_nor_keys_of_an_encrypted_ledger() {
    let (team, kek) = team();
    let running = team.start_with(&config(""));
    team.submitter(&running, "build").unwrap().submit(&[team.note("secret")], team.now()).unwrap();
    let token = team.token("build");
    for path in ["/keyring.json", "/bodies/001", "/v1/receipts/1"] {
        assert_eq!(running.ask("GET", path, Some(&token), b"").status, 403, "{path}");
    }
    assert_eq!(with_key(&team, &running, "build", &kek).unwrap_err().code(), "PERMISSION_DENIED");
    // headers and stored forms have no address
    let token = team.token("auditor");
    for path in ["/keys/bodies/001", "/keys/attachments/00", "/kek.json", "/keyring.json/"] {
        assert_eq!(running.ask("GET", path, Some(&token), b"").status, 404, "{path}");
    }
    let keyring = running.ask("GET", "/keyring.json", Some(&token), b"");
    assert_eq!(keyring.body, std::fs::read(team.world.folder().join("keyring.json")).unwrap());
    // the log itself is what lies there, labels and all
    let entries = running.ask("GET", "/tile/entries/000.p/2", Some(&token), b"");
    assert!(entries.status == 200 && !entries.text().contains(NOTE) && !entries.text().contains(TrustPolicy::TYPE));
    running.stop();
}

#[test]
fn a_trust_policy_that_changes_is_followed_without_the_key() {
    let (mut team, _) = team();
    let running = team.start_with(&config(""));
    let mut without = team.connect(&running, "auditor").unwrap();
    team.world.now = team.now();
    team.world.ledger.refresh().unwrap();
    let remote = team.connect(&running, "auditor").unwrap();
    let ledger = std::mem::replace(&mut team.world.ledger, remote);
    team.world.ledger = ledger.with_submitter("admins");
    team.world
        .change_trust_policy(|policy| {
            policy.signers.retain(|s| s.name != "tester");
        })
        .unwrap();
    let seen = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        without.refresh().unwrap();
        without.trust().versions().count() == 2
    });
    assert!(seen);
    let mut submitter = team.submitter(&running, "build").unwrap();
    submitter.submit(&[team.note("after")], team.now()).unwrap();
    running.stop();
}

#[test]
fn a_rotation_of_the_encryption_key_is_told_and_nothing_is_taken_under_the_old_one() {
    let (team, kek) = team();
    let running = team.start_with(&config(""));
    let mut submitter = team.submitter(&running, "build").unwrap();
    submitter.submit(&[team.note("before")], team.now()).unwrap();
    let new = KeyFile::generate().unwrap();
    new.write(&team.dir().join("new.json"), None).unwrap();
    let open =
        |kek: &KeyFile| Ledger::open_encrypted(&team.world.folder(), &team.anchors("r"), &Pins::none(), kek).unwrap();
    open(&kek).rotate_encryption_keys(&new, &mut |_, _| {}).unwrap();
    let body = crate::team::submission(&[team.note("late")]);
    let late = running.ask("POST", "/v1/records", Some(&team.token("build")), &body);
    assert_eq!(late.status, 503);
    let unready = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        running.ask("GET", "/readyz", None, b"").status == 503
    });
    assert!(unready);
    let told: Vec<_> = team.log.lines().into_iter().filter(|l| l["code"] == "WRONG_KEY").collect();
    assert!(!told.is_empty() && told.len() <= 2, "{told:?}");
    running.stop();
    assert_eq!(open(&new).size(), 2);
    let running = team.start_with(&config("").replace("kek.json", "new.json"));
    let mut submitter = team.submitter(&running, "build").unwrap();
    submitter.submit(&[team.note("late")], team.now()).unwrap();
    running.stop();
    assert!(open(&new).audit().unwrap().is_clean());
}

#[test]
fn a_release_and_its_pack_are_made_through_an_address_with_the_key() {
    let (mut team, kek) = team();
    let running = team.start_with(&config(""));
    let remote = with_key(&team, &running, "everything", &kek).unwrap();
    let own = std::mem::replace(&mut team.world.ledger, remote);
    team.world.now = team.now();
    let artifact = artifact();
    team.world.build(&artifact);
    let permit = team.world.permit(&artifact, &dev());
    team.world.promote(&permit).unwrap();
    let request = pack::PackRequest::new(RELEASE, team.world.actor("records"), team.now());
    let (out, now) = (team.dir().join("pack"), team.world.tick());
    pack::build(&mut team.world.ledger, &request, &out, &team.world.keys["records"], now).unwrap();
    // without it a gate refuses, and so does a pack
    team.world.ledger = team.connect(&running, "everything").unwrap();
    let gate = team.world.request(&artifact, &dev());
    let now = team.world.tick();
    let e = sealwright::gate::decide(&mut team.world.ledger, &gate, &team.world.keys["records"], now).unwrap_err();
    assert_eq!(e.code(), "WRONG_KEY");
    let (out, now) = (team.dir().join("other-pack"), team.world.tick());
    let e = pack::build(&mut team.world.ledger, &request, &out, &team.world.keys["records"], now).unwrap_err();
    assert_eq!(e.code(), "WRONG_KEY");
    assert!(!out.exists());
    team.world.ledger = own;
    running.stop();
}
