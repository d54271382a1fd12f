//! What becomes of a ledger while it is served: moved away, or its key replaced.

use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Ledger, Pins, Place};
use sealwright::spool::Spool;

use crate::team::{Running, Team, submission};

fn submit(team: &Team, running: &Running, text: &str) -> (u16, String) {
    let answer = running.ask("POST", "/v1/records", Some(&team.token("build")), &submission(&[team.note(text)]));
    (answer.status, answer.code())
}

/// Waits until `/readyz` says this.
fn ready(running: &Running, status: u16) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        running.ask("GET", "/readyz", None, b"").status == status
    })
}

fn move_to(team: &Team, from: &str, to: &str) {
    let place = |name: &str| Place::Folder(team.dir().join(name));
    Ledger::move_to(&place(from), &place(to), &team.anchors("mover"), &Pins::none(), None, &mut |_| {}).unwrap();
}

fn logged(team: &Team, event: &str) -> Vec<serde_json::Value> {
    team.log.lines().into_iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn a_ledger_that_was_moved_away_takes_nothing_through_serve() {
    let team = Team::new();
    let spool = Spool::in_folder(team.dir().join("drop"));
    let config = Team::config("spool-millis = 20", "[spool]\nfolder = \"drop\"\ncaller = \"build\"\n");
    let running = team.start_with(&config);
    assert_eq!(submit(&team, &running, "before").0, 200);
    move_to(&team, "ledger", "new");
    // at once, before it looked by itself, and from then on
    assert_eq!(submit(&team, &running, "late"), (503, "LEDGER_BUSY".to_owned()));
    assert!(ready(&running, 503));
    assert_eq!(submit(&team, &running, "later"), (503, "LEDGER_BUSY".to_owned()));
    assert_eq!(running.ask("GET", "/readyz", None, b"").status, 503);
    let attached = running.ask(
        "PUT",
        &format!("/attachments/{}", sealwright::digest::Digest::sha256(b"file").hex()),
        Some(&team.token("build")),
        b"file",
    );
    assert_eq!((attached.status, attached.code().as_str()), (503, "LEDGER_BUSY"));
    // what a runner left waits, and is not put aside
    spool.add(&team.note("spooled"), team.now()).unwrap();
    assert!((0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        !logged(&team, "spool-waits").is_empty()
    }));
    assert_eq!(spool.waiting().unwrap().len(), 1);
    assert!(!team.dir().join("drop/refused").exists());
    // it is told once, and not where it went to callers
    let moved = logged(&team, "ledger-moved");
    assert_eq!((moved.len(), moved[0]["code"].as_str()), (1, Some("APPEND_REFUSED")));
    assert!(moved[0]["message"].as_str().unwrap().contains("new"));
    assert_eq!(team.folder().size(), 2);
    // reading goes on
    assert_eq!(team.connect(&running, "auditor").unwrap().record(1).unwrap().index, 1);
    running.stop();
    // and none starts over it
    let e = team.try_start(&config).map(|_| ()).unwrap_err();
    assert_eq!(e.code(), "APPEND_REFUSED", "{e}");
    // moved back, it takes what waits
    move_to(&team, "new", "ledger");
    let running = team.start_with(&config);
    assert_eq!(submit(&team, &running, "after").0, 200);
    assert!((0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        spool.waiting().unwrap().is_empty()
    }));
    running.stop();
    assert_eq!(team.folder().size(), 4);
}

#[test]
fn a_ledger_that_comes_back_is_taken_up_by_the_sequencer_that_serves_it() {
    let team = Team::new();
    let running = team.start();
    move_to(&team, "ledger", "new");
    assert!(ready(&running, 503));
    move_to(&team, "new", "ledger");
    assert!(ready(&running, 200));
    assert_eq!(submit(&team, &running, "back").0, 200);
    assert_eq!(logged(&team, "recovered").len(), 1);
    running.stop();
}

/// A new key of the log, in a file, and the rotation to it by another process.
fn rotate(team: &Team, file: &str) {
    let old = team.world.log_key();
    let new = sealwright::key::read_private(&team.dir().join(file), None).unwrap();
    team.folder().with_log_key(old).unwrap().rotate_log_key(new).unwrap();
}

fn new_key(team: &Team, file: &str) {
    let new = PrivateKey::generate(KeyType::Ed25519).unwrap();
    std::fs::write(team.dir().join(file), new.to_pem().unwrap().as_bytes()).unwrap();
}

#[test]
fn a_sequencer_that_holds_the_next_key_of_the_log_goes_on_with_it() {
    let team = Team::new();
    new_key(&team, "next.pem");
    let config = Team::config("", "").replace("log-key =", "next-log-key = \"next.pem\"\nlog-key =");
    let running = team.start_with(&config);
    assert_eq!(submit(&team, &running, "before").0, 200);
    rotate(&team, "next.pem");
    // at once, before it looked by itself
    assert_eq!(submit(&team, &running, "after").0, 200);
    // its clients go on, with the pin of the first key
    let mut submitter = team.submitter(&running, "build").unwrap();
    let receipt = submitter.submit(&[team.note("by a client")], team.now()).unwrap().remove(0);
    assert_eq!(receipt.index, 3);
    assert_eq!(logged(&team, "log-key-replaced").len(), 1);
    assert!(logged(&team, "log-key-missing").is_empty());
    assert_eq!(running.ask("GET", "/readyz", None, b"").status, 200);
    running.stop();
    // and the same configuration serves it afterwards as well
    let running = team.start_with(&config);
    assert_eq!(submit(&team, &running, "again").0, 200);
    running.stop();
    let mut folder = team.folder();
    assert_eq!(folder.size(), 5);
    assert!(folder.audit().unwrap().is_clean());
}

#[test]
fn a_sequencer_without_the_new_key_of_the_log_says_what_it_needs_and_loses_nothing() {
    let team = Team::new();
    new_key(&team, "next.pem");
    let spool = Spool::in_folder(team.dir().join("drop"));
    let spooling = "[spool]\nfolder = \"drop\"\ncaller = \"build\"\n";
    let running = team.start_with(&Team::config("spool-millis = 20", spooling));
    assert_eq!(submit(&team, &running, "before").0, 200);
    rotate(&team, "next.pem");
    assert_eq!(submit(&team, &running, "late").0, 503);
    assert!(ready(&running, 503));
    assert_eq!(submit(&team, &running, "later").0, 503);
    spool.add(&team.note("spooled"), team.now()).unwrap();
    assert!((0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        !logged(&team, "spool-waits").is_empty()
    }));
    let missing = logged(&team, "log-key-missing");
    assert!(!missing.is_empty() && missing.len() <= 2, "{missing:?}");
    assert!(missing[0]["message"].as_str().unwrap().contains("give it, and start again"), "{missing:?}");
    running.stop();
    assert_eq!((team.folder().size(), spool.waiting().unwrap().len()), (2, 1));
    // a start with the old key alone is refused; with the new one all goes on
    assert_eq!(team.try_start(&Team::config("", "")).map(|_| ()).unwrap_err().code(), "UNTRUSTED_SIGNER");
    let config = Team::config("spool-millis = 20", spooling).replace("log.pem", "next.pem");
    let running = team.start_with(&config);
    assert_eq!(submit(&team, &running, "late").0, 200);
    assert!((0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        spool.waiting().unwrap().is_empty()
    }));
    running.stop();
    assert_eq!(team.folder().size(), 4);
    assert!(!team.dir().join("drop/refused").exists());
}

#[test]
fn a_spool_that_is_sent_to_a_folder_waits_where_the_ledger_was_moved_or_has_another_key() {
    let team = Team::new();
    new_key(&team, "next.pem");
    let spool = Spool::in_folder(team.dir().join("spool"));
    spool.add(&team.note("waits"), team.now()).unwrap();
    let mut ledger = team.folder().with_log_key(team.world.log_key()).unwrap().with_submitter("ci-build");
    let now = team.now();
    let mut send = || {
        let sent = spool.send(|record| {
            let verified = ledger.verify(record, now)?;
            ledger.append(&verified, now)
        });
        let sent = sent.unwrap();
        (sent.stopped.map(|e| e.code()), sent.refused.len())
    };
    move_to(&team, "ledger", "new");
    assert_eq!(send(), (Some("APPEND_REFUSED"), 0));
    move_to(&team, "new", "ledger");
    rotate(&team, "next.pem");
    assert_eq!(send(), (Some("UNTRUSTED_SIGNER"), 0));
    assert_eq!(spool.waiting().unwrap().len(), 1);
}
