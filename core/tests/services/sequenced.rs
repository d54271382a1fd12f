//! A ledger in a bucket behind a sequencer, and keys of a bucket that are replaced while others write.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use sealwright::digest::Digest;
use sealwright::encryption::KeyFile;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger, LogSource, Pins, Place, Query, Receipt};
use sealwright::{Error, ErrorKind};

use super::fault_proxy::{Fault, HttpProxy};
use super::grounds::{Ground, Way, fact};
use super::places::assert_clean;
use super::small::{Small, note};
use super::team::{Running, Team};

/// Credentials of the test's servers, as the environment would give them.
fn secret(name: &str) -> Option<zeroize::Zeroizing<String>> {
    let pointer = match name {
        "AWS_ACCESS_KEY_ID" => "/buckets/access_key",
        "AWS_SECRET_ACCESS_KEY" => "/buckets/secret_key",
        _ => return None,
    };
    Some(zeroize::Zeroizing::new(fact(pointer)))
}

/// A team whose ledger lies in a bucket, with `bucket.toml` beside its other files.
fn team(ground: Ground, kek: Option<&KeyFile>) -> Team {
    let place = |dir: &Path| {
        std::fs::write(dir.join("bucket.toml"), ground.description(dir, &Way::default())).unwrap();
        ground.place(dir)
    };
    let team = Team::over(kek, |_| {}, place, secret);
    if let Some(kek) = kek {
        kek.write(&team.dir().join("kek.json"), None).unwrap();
    }
    team
}

fn config(encrypted: bool) -> String {
    let config = Team::config("", "").replace("ledger = \"ledger\"", "ledger = \"bucket.toml\"");
    if encrypted { config.replace("log-key =", "encryption-key = \"kek.json\"\nlog-key =") } else { config }
}

#[test]
#[ignore = "needs make test-services"]
fn a_ledger_in_a_bucket_is_served_plain_and_encrypted() {
    for (ground, kek) in
        [(Ground::Versitygw, None), (Ground::Versitygw, Some(KeyFile::generate().unwrap())), (Ground::Seaweedfs, None)]
    {
        let team = team(ground, kek.as_ref());
        let running = team.start_with(&config(kek.is_some()));
        let mut submitter = team.submitter(&running, "build").unwrap();
        let records: Vec<_> = (0..300).map(|n| team.note(&n.to_string())).collect();
        for chunk in records.chunks(100) {
            submitter.submit(chunk, team.now()).unwrap();
        }
        std::fs::write(team.dir().join("report"), vec![7; 3_000_000]).unwrap();
        let digest = submitter.attach_file(&team.dir().join("report")).unwrap();
        let ledger = match &kek {
            Some(kek) => Ledger::connect_encrypted(
                &running.url(),
                &team.access("everything"),
                &team.anchors("everything"),
                &team.pins(),
                kek,
            ),
            None => team.connect(&running, "everything"),
        };
        let mut ledger = ledger.unwrap();
        for index in [1, 255, 256, 300] {
            let receipt = ledger.prove(index).unwrap();
            let record = ledger.record(index).unwrap();
            receipt.verify(record.verified.record(), ledger.log_key()).unwrap();
            assert_eq!(record.verified.record(), records[usize::try_from(index).unwrap() - 1]);
        }
        let mut query = Query::everything();
        query.digest = Some(Digest::sha256(b"7").to_string());
        assert_eq!(ledger.search(&query).unwrap().records.len(), 1);
        assert_eq!(ledger.complete(&query).unwrap().records.len(), 1);
        assert_eq!(ledger.attachment(&digest).unwrap(), vec![7; 3_000_000]);
        assert_clean(&mut ledger);
        // a second sequencer over the same bucket takes its turn
        let second = team.start_with(&config(kek.is_some()));
        std::thread::scope(|scope| {
            for (n, server) in [&running, &second].into_iter().enumerate() {
                let team = &team;
                scope.spawn(move || {
                    let mut submitter = team.submitter(server, "build").unwrap();
                    for m in 0..10 {
                        submitter.submit(&[team.note(&format!("by {n}: {m}"))], team.now()).unwrap();
                    }
                });
            }
        });
        second.stop();
        running.stop();
        let place = ground.place(team.dir());
        let kek = kek.as_ref().map(|kek| kek as &dyn sealwright::encryption::KeyEncryptionKey);
        let mut there = Ledger::open_at(&place, &team.anchors("there"), &Pins::none(), kek).unwrap();
        assert_eq!(there.size(), 321);
        assert_clean(&mut there);
        println!("{ground:?}, encrypted {}: {} entries through two sequencers", kek.is_some(), there.size());
    }
}

#[test]
#[ignore = "needs make test-services"]
fn the_command_serves_a_bucket_that_a_file_describes_and_reads_its_log() {
    let team = team(Ground::Versitygw, None);
    team.real_time();
    std::fs::write(team.dir().join("serve.toml"), config(false)).unwrap();
    let command = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealwright"));
        command.args(line.split_whitespace()).current_dir(team.dir()).env("HOME", team.dir()).stdin(Stdio::null());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            command.env(name, secret(name).unwrap().as_str());
        }
        command
    };
    let ran = |line: &str| {
        let output = command(line).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code().unwrap(), text)
    };
    let (code, said) = ran("ledger serve --config serve.toml --check");
    assert_eq!(code, 0, "{said}");
    let mut child =
        command("ledger serve --config serve.toml").stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stderr.take().unwrap()).read_line(&mut first).unwrap();
    let line: serde_json::Value = serde_json::from_str(&first).unwrap();
    let running = Running::elsewhere(line["address"].as_str().unwrap().to_owned());
    let mut submitter = team.submitter(&running, "build").unwrap();
    assert_eq!(submitter.submit(&[team.note("by the command")], team.now()).unwrap()[0].index, 1);
    child.kill().unwrap();
    child.wait().unwrap();
    // other commands that read a log read it from the bucket
    let vkey = team.pins().log_key.unwrap();
    let witness = PrivateKey::generate(KeyType::Ed25519).unwrap();
    std::fs::write(team.dir().join("witness.pem"), witness.to_pem().unwrap().as_bytes()).unwrap();
    for line in [
        format!("ledger audit --log bucket.toml --pin-log-key {vkey}"),
        format!("ledger cosign --log bucket.toml --name w.example.org/1 --key witness.pem --pin-log-key {vkey}"),
        format!("--state copies ledger mirror bucket.toml --to copy --pin-log-key {vkey}"),
        format!("--state copies --ledger restored ledger restore bucket.toml --pin-log-key {vkey}"),
    ] {
        let (code, said) = ran(&line);
        assert_eq!(code, 0, "{line}\n{said}");
    }
    // and none makes a folder of the name of the description
    for line in [
        format!("ledger mirror copy --to bucket.toml --pin-log-key {vkey}"),
        format!("--ledger bucket.toml ledger restore copy --pin-log-key {vkey}"),
    ] {
        let (code, said) = ran(&format!("{line} --json"));
        assert!(code == 2 && said.contains("UNSUPPORTED"), "{line}\n{said}");
    }
    assert_eq!(LogSource::open("bucket.toml").map(|_| ()).unwrap_err().code(), "UNSUPPORTED");
    assert!(LogSource::at(&Ground::Versitygw.place(team.dir())).is_ok());
}

/// When a writer ends, and how much it wrote until then.
#[derive(Default)]
struct End {
    now: AtomicBool,
    written: AtomicUsize,
}

impl End {
    fn wait(&self, written: usize) {
        for _ in 0..6000 {
            if self.written.load(Ordering::SeqCst) >= written {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("nothing is written");
    }
}

/// Appends until told to end, and goes on after what passes; gives texts with their entries, and how often it was overtaken.
fn append_until(small: &Small, place: &Place, kek: Option<&KeyFile>, name: &str, end: &End) -> Vec<(String, u64)> {
    let open = || {
        let kek = kek.map(|kek| kek as &dyn sealwright::encryption::KeyEncryptionKey);
        let anchors = Anchors::in_folder(small.dir.path().join("state"));
        let ledger = Ledger::open_at(place, &anchors, &Pins::none(), kek)?;
        ledger.with_log_key(sealwright::key::read_private(&small.dir.path().join("log.pem"), None)?)
    };
    let mut ledger = open().unwrap();
    let mut receipts = Vec::new();
    for n in 0.. {
        if end.now.load(Ordering::SeqCst) {
            break;
        }
        let text = format!("{name} {n}");
        match ledger.record_statement(&note(&text), &small.keys["maker"], small.now) {
            Ok(receipt) => {
                receipts.push((text, receipt.index));
                end.written.fetch_add(1, Ordering::SeqCst);
            }
            Err(e) if e.kind() == ErrorKind::LedgerBusy => {}
            // the keys were replaced, which ends this writer
            Err(e) if matches!(e.kind(), ErrorKind::UntrustedSigner | ErrorKind::WrongKey) => break,
            Err(e) => panic!("{e}"),
        }
    }
    receipts
}

/// Two databases, so that each of the two has the turn, as a writer that lost it without seeing that has.
fn both_with_the_turn(small: &Small, ground: Ground) -> (Place, Place) {
    let by =
        |pointer: &str| ground.place_by(small.dir.path(), &Way { database: Some(fact(pointer)), ..Way::default() });
    (by("/postgres/url"), by("/postgres/spare"))
}

#[test]
#[ignore = "needs make test-services"]
fn a_log_key_that_is_replaced_while_another_writes_leaves_one_history_and_no_receipt_is_lost() {
    let mut met = 0;
    for round in 0..12 {
        let ground = if round % 3 == 2 { Ground::Seaweedfs } else { Ground::Versitygw };
        let small = Small::at(|dir| ground.place(dir));
        let (writers, rotators) = both_with_the_turn(&small, ground);
        let end = End::default();
        let anchors = small.anchors();
        let old = || sealwright::key::read_private(&small.dir.path().join("log.pem"), None).unwrap();
        let new = || PrivateKey::generate(KeyType::Ed25519).unwrap();
        let receipts = std::thread::scope(|scope| {
            let writing = scope.spawn(|| append_until(&small, &writers, None, "note", &end));
            end.wait(2 + round % 3);
            std::thread::sleep(std::time::Duration::from_millis(3 * round as u64));
            let mut ledger =
                Ledger::open_at(&rotators, &anchors, &Pins::none(), None).unwrap().with_log_key(old()).unwrap();
            loop {
                match ledger.rotate_log_key(new()) {
                    Ok(_) => break,
                    Err(e) if e.kind() == ErrorKind::LedgerBusy => met += 1,
                    Err(e) => panic!("{e}"),
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
            end.now.store(true, Ordering::SeqCst);
            writing.join().unwrap()
        });
        let mut ledger = small.open().unwrap();
        assert_eq!(ledger.log_keys().rotations().len(), 1);
        for (text, index) in &receipts {
            assert_eq!(ledger.record(*index).unwrap().statement().payload_digest(), note(text).payload_digest());
        }
        assert!(!receipts.is_empty());
        assert_clean(&mut ledger);
    }
    println!("12 rotations while another wrote, {met} of their commits were overtaken");
}

#[test]
#[ignore = "needs make test-services"]
fn an_encryption_key_that_is_replaced_while_another_writes_leaves_every_receipted_record_readable() {
    let (mut met, mut all) = (0, 0);
    for round in 0..12 {
        let ground = Ground::Encrypted;
        let small = Small::encrypted_at(|dir| ground.place(dir));
        let (writers, rotators) = both_with_the_turn(&small, ground);
        let (old, new) = (super::small::kek(), KeyFile::generate().unwrap());
        let end = End::default();
        let anchors = small.anchors();
        let receipts = std::thread::scope(|scope| {
            let writing = scope.spawn(|| append_until(&small, &writers, Some(&old), "note", &end));
            end.wait(2 + round % 3);
            std::thread::sleep(std::time::Duration::from_millis(3 * round as u64));
            let mut under = &old;
            loop {
                let mut ledger = Ledger::open_at(&rotators, &anchors, &Pins::none(), Some(under)).unwrap();
                match ledger.rotate_encryption_keys(&new, &mut |_, _| {}) {
                    Ok(_) => break,
                    // it is under the new key from the first step on
                    Err(e) if e.kind() == ErrorKind::LedgerBusy => (met, under) = (met + 1, &new),
                    Err(e) => panic!("{e}"),
                }
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
            end.now.store(true, Ordering::SeqCst);
            writing.join().unwrap()
        });
        let mut ledger = Ledger::open_at(&ground.place(small.dir.path()), &anchors, &Pins::none(), Some(&new)).unwrap();
        for (text, index) in &receipts {
            assert_eq!(ledger.record(*index).unwrap().statement().payload_digest(), note(text).payload_digest());
        }
        all += receipts.len();
        // no entry is there whose body nobody can open
        assert_clean(&mut ledger);
    }
    println!("12 rotations while another wrote {all} records, {met} were overtaken");
}

/// An append that stands before its commit, with the turn as it believes, while `meanwhile` is done by another that has it.
fn overtaken(small: &Small, ground: Ground, meanwhile: impl FnOnce(&Place)) -> Result<Receipt, Error> {
    let proxy = HttpProxy::before(&ground.endpoint());
    let way = Way { endpoint: Some(proxy.url.clone()), timeout: 60, ..Way::default() };
    let slow = ground.place_by(small.dir.path(), &way);
    let (_, other) = both_with_the_turn(small, ground);
    let opened = super::small::opened_at(&slow, small.encrypted, &small.anchors())?;
    let key = sealwright::key::read_private(&small.dir.path().join("log.pem"), None)?;
    let mut ledger = opened.with_log_key(key)?;
    let (reached, at_it) = mpsc::channel();
    let (go, gone) = mpsc::channel::<()>();
    let mut reached = Some(reached);
    proxy.rule(move |asked| {
        if asked.method == "PUT"
            && asked.target.contains("/pending/")
            && let Some(reached) = reached.take()
        {
            reached.send(()).unwrap();
            let _ = gone.recv();
        }
        Fault::Pass
    });
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| ledger.record_statement(&note("late"), &small.keys["maker"], small.now));
        at_it.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
        meanwhile(&other);
        go.send(()).unwrap();
        writing.join().unwrap()
    })
}

#[test]
#[ignore = "needs make test-services"]
fn a_commit_on_its_way_while_the_log_key_is_replaced_is_none_of_the_old_key() {
    for ground in [Ground::Versitygw, Ground::Seaweedfs] {
        let mut small = Small::at(|dir| ground.place(dir));
        small.note("first");
        let late = overtaken(&small, ground, |other| {
            let old = sealwright::key::read_private(&small.dir.path().join("log.pem"), None).unwrap();
            let ledger = Ledger::open_at(other, &small.anchors(), &Pins::none(), None).unwrap();
            let new = PrivateKey::generate(KeyType::Ed25519).unwrap();
            ledger.with_log_key(old).unwrap().rotate_log_key(new).unwrap();
        });
        assert_eq!(late.unwrap_err().code(), "LEDGER_BUSY");
        let mut ledger = small.open().unwrap();
        assert_eq!((ledger.size(), ledger.log_keys().rotations().len()), (2, 1));
        assert_clean(&mut ledger);
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_commit_on_its_way_while_the_encryption_key_is_replaced_leaves_no_body_that_nobody_opens() {
    let ground = Ground::Encrypted;
    let mut small = Small::encrypted_at(|dir| ground.place(dir));
    small.note("first");
    let (old, new) = (super::small::kek(), KeyFile::generate().unwrap());
    let late = overtaken(&small, ground, |other| {
        let mut ledger = Ledger::open_at(other, &small.anchors(), &Pins::none(), Some(&old)).unwrap();
        ledger.rotate_encryption_keys(&new, &mut |_, _| {}).unwrap();
    });
    assert_eq!(late.unwrap_err().code(), "LEDGER_BUSY");
    let place = ground.place(small.dir.path());
    let mut ledger = Ledger::open_at(&place, &small.anchors(), &Pins::none(), Some(&new)).unwrap();
    assert_eq!(ledger.size(), 2);
    assert_clean(&mut ledger);
}
