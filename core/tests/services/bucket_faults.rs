//! A ledger in a bucket while storage and database fail, and while two sequencers are at it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sealwright::ledger::{Ledger, Receipt, RepairKind};
use sealwright::{Error, ErrorKind};

use super::fault_proxy::{FAULTS, Fault, HttpProxy, Wire};
use super::grounds::{Ground, Way, bucket, fact};
use super::places::{assert_clean, payloads, query, texts};
use super::small::{Small, append_at, note};
use sealwright::ledger::Place;

fn host_of(url: &str) -> String {
    url.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned()
}

fn through(wire: &Wire) -> String {
    format!("postgres://sealwright@127.0.0.1:{}/postgres", wire.port)
}

fn append(small: &Small, ledger: &mut Ledger, text: &str) -> Result<Receipt, Error> {
    ledger.record_statement(&note(text), &small.keys["maker"], small.now)
}

/// What is receipted is there and proves; nothing is there that was not asked for, and nothing twice.
pub(crate) fn holds(small: &Small, receipts: &[(String, Receipt)], asked: &[String]) {
    let mut ledger = small.open().unwrap();
    for (text, receipt) in receipts {
        let record = ledger.record(receipt.index).unwrap();
        assert_eq!(record.statement().payload_digest(), note(text).payload_digest());
        receipt.verify(record.verified.record(), ledger.log_key()).unwrap();
    }
    let there = texts(&ledger);
    assert_eq!(there.iter().collect::<BTreeSet<_>>().len(), there.len(), "an entry is there twice");
    let asked: BTreeSet<_> = payloads(asked).into_iter().collect();
    assert!(there.iter().all(|payload| asked.contains(payload)));
    assert_clean(&mut ledger);
}

/// Every request of an append fails once in every way; afterwards the same append succeeds.
#[test]
#[ignore = "needs make test-services"]
fn every_request_of_an_append_fails_once_in_every_way_and_nothing_is_lost() {
    let ground = Ground::Versitygw;
    let small = Small::at(|dir| ground.place(dir));
    let proxy = HttpProxy::before(&ground.endpoint());
    let (mut asked, mut receipts, mut failed, mut survived, mut completed) = (Vec::new(), Vec::new(), 0, 0, 0);
    for retries in [0, 2] {
        let way = Way { endpoint: Some(proxy.url.clone()), timeout: 1, retries, ..Way::default() };
        let place = ground.place_by(small.dir.path(), &way);
        for fault in FAULTS {
            if retries > 0 && !matches!(fault, Fault::Forget | Fault::Deny(_) | Fault::Cut) {
                continue;
            }
            let mut nth = 0;
            loop {
                proxy.pass();
                let mut ledger = append_at(&place, small.dir.path()).unwrap();
                proxy.rule(move |asked| if asked.number == nth { fault } else { Fault::Pass });
                let text = format!("{retries} {fault:?} {nth}");
                asked.push(text.clone());
                let got = append(&small, &mut ledger, &text);
                let requests = proxy.count();
                proxy.pass();
                match got {
                    Ok(receipt) => {
                        survived += 1;
                        receipts.push((text.clone(), receipt));
                    }
                    Err(e) => {
                        failed += 1;
                        assert_ne!(e.kind(), ErrorKind::Internal, "{fault:?} {nth}: {e}");
                        let mut ledger = append_at(&place, small.dir.path()).unwrap();
                        receipts.push((text.clone(), append(&small, &mut ledger, &text).unwrap()));
                        completed +=
                            ledger.repairs().iter().filter(|repair| repair.kind == RepairKind::Completed).count();
                    }
                }
                // the whole append went by before its turn came
                if requests <= nth {
                    break;
                }
                nth += 1;
            }
        }
    }
    // requests that came late have come by now
    std::thread::sleep(Duration::from_secs(2));
    holds(&small, &receipts, &asked);
    assert_eq!(small.open().unwrap().size(), asked.len() as u64 + 1);
    assert!(failed > 20 && survived > 20, "{failed} failed, {survived} did not");
    println!(
        "{} appends with one fault: {survived} gave a receipt, {failed} an error; {completed} were completed",
        asked.len()
    );
}

#[test]
#[ignore = "needs make test-services"]
fn lists_that_are_behind_lose_nothing() {
    let ground = Ground::Versitygw;
    let small = Small::at(|dir| ground.place(dir));
    let proxy = HttpProxy::before(&ground.endpoint());
    let way = Way { endpoint: Some(proxy.url.clone()), ..Way::default() };
    let place = ground.place_by(small.dir.path(), &way);
    proxy.stale_lists(true);
    let (mut asked, mut receipts) = (Vec::new(), Vec::new());
    for n in 0..12 {
        let text = format!("note {n}");
        let mut ledger = append_at(&place, small.dir.path()).unwrap();
        // every third append dies between the commit and the placing
        if n % 3 == 2 {
            proxy.rule(|asked| match asked.target.contains("/pending/") || asked.target.contains("/checkpoint") {
                false if asked.method == "PUT" => Fault::Refuse(403),
                _ => Fault::Pass,
            });
        }
        asked.push(text.clone());
        let receipt = append(&small, &mut ledger, &text);
        proxy.pass();
        receipts.push((text, receipt.unwrap()));
    }
    proxy.stale_lists(false);
    let mut ledger = append_at(&place, small.dir.path()).unwrap();
    append(&small, &mut ledger, "last").unwrap();
    asked.push("last".to_owned());
    holds(&small, &receipts, &asked);
}

#[test]
#[ignore = "needs make test-services"]
fn a_commit_that_was_not_put_in_place_is_read_and_put_in_place_by_the_next() {
    let ground = Ground::Versitygw;
    let mut small = Small::at(|dir| ground.place(dir));
    let proxy = HttpProxy::before(&ground.endpoint());
    let way = Way { endpoint: Some(proxy.url.clone()), retries: 0, ..Way::default() };
    let mut ledger = append_at(&ground.place_by(small.dir.path(), &way), small.dir.path()).unwrap();
    proxy.rule(|asked| match asked.target.contains("/bodies/") || asked.target.contains("/tile/") {
        true if asked.method == "PUT" => Fault::Refuse(503),
        _ => Fault::Pass,
    });
    let receipt = append(&small, &mut ledger, "in the air").unwrap();
    proxy.pass();
    let reader = small.open().unwrap();
    let record = reader.record(receipt.index).unwrap();
    receipt.verify(record.verified.record(), reader.log_key()).unwrap();
    small.ledger = small.open_to_append().unwrap();
    small.note("next");
    assert!(small.ledger.repairs().iter().any(|repair| repair.kind == RepairKind::Completed));
    assert_clean(&mut small.open().unwrap());
}

/// Each believes that it has the turn, for each asks another database: only the bucket is between them.
#[test]
#[ignore = "needs make test-services"]
fn two_sequencers_that_both_have_the_turn_never_both_commit() {
    const EACH: usize = 12;
    for ground in [Ground::Versitygw, Ground::Seaweedfs] {
        let small = Small::at(|dir| ground.place(dir));
        let databases = [fact("/postgres/url"), fact("/postgres/spare")];
        let busy = std::sync::atomic::AtomicUsize::new(0);
        let receipts: Vec<(String, Receipt)> = std::thread::scope(|scope| {
            let write = |writer: usize| {
                let way = Way { database: Some(databases[writer % 2].clone()), ..Way::default() };
                let place = ground.place_by(small.dir.path(), &way);
                let (small, busy) = (&small, &busy);
                move || {
                    let mut ledger = append_at(&place, small.dir.path()).unwrap();
                    let mut receipts = Vec::new();
                    for n in 0..EACH {
                        let text = format!("writer {writer} note {n}");
                        loop {
                            match append(small, &mut ledger, &text) {
                                Ok(receipt) => break receipts.push((text, receipt)),
                                Err(e) if e.kind() == ErrorKind::LedgerBusy => {
                                    busy.fetch_add(1, Ordering::SeqCst);
                                }
                                Err(e) => panic!("{e}"),
                            }
                        }
                    }
                    receipts
                }
            };
            let threads: Vec<_> = (0..4).map(|writer| scope.spawn(write(writer))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let asked: Vec<String> = receipts.iter().map(|(text, _)| text.clone()).collect();
        let indexes: BTreeSet<u64> = receipts.iter().map(|(_, r)| r.index).collect();
        assert_eq!(indexes, (1..=4 * EACH as u64).collect());
        // what a sequencer left that was overtaken, the first append of another process clears
        let mut ledger = small.open_to_append().unwrap();
        append(&small, &mut ledger, "last").unwrap();
        holds(&small, &receipts, &[asked, vec!["last".to_owned()]].concat());
        println!("{ground:?}: {} receipts, {} commits were overtaken", receipts.len(), busy.into_inner());
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_database_that_is_cut_off_again_and_again_loses_nothing() {
    let ground = Ground::Versitygw;
    let small = Small::at(|dir| ground.place(dir));
    let wire = Wire::to(&host_of(&fact("/postgres/url")));
    let way = Way { database: Some(through(&wire)), ..Way::default() };
    let place = ground.place_by(small.dir.path(), &way);
    let done = AtomicBool::new(false);
    let (mut asked, mut receipts, mut failed) = (Vec::new(), Vec::new(), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(150));
                wire.cut();
            }
        });
        let mut ledger = append_at(&place, small.dir.path()).unwrap();
        for n in 0..40 {
            let text = format!("note {n}");
            asked.push(text.clone());
            loop {
                match append(&small, &mut ledger, &text) {
                    Ok(receipt) => break receipts.push((text.clone(), receipt)),
                    Err(e) => {
                        assert!(matches!(e.kind(), ErrorKind::ServiceUnavailable | ErrorKind::LedgerBusy), "{e}");
                        failed += 1;
                    }
                }
            }
        }
        done.store(true, Ordering::SeqCst);
    });
    holds(&small, &receipts, &asked);
    println!("{} receipts with the database cut off every 150 ms; {failed} appends were tried again", receipts.len());
}

#[test]
#[ignore = "needs make test-services"]
fn a_database_that_comes_back_empty_is_filled_again_and_one_that_is_away_stops_appends_alone() {
    let ground = Ground::Versitygw;
    let small = Small::at(|dir| ground.place(dir));
    let (first, spare) = (host_of(&fact("/postgres/url")), host_of(&fact("/postgres/spare")));
    let wire = Wire::to(&first);
    let way = Way { database: Some(through(&wire)), retries: 1, timeout: 5, ..Way::default() };
    let place = ground.place_by(small.dir.path(), &way);
    let mut ledger = append_at(&place, small.dir.path()).unwrap();
    let mut receipts = Vec::new();
    for n in 0..20 {
        let text = format!("note {n}");
        receipts.push((text.clone(), append(&small, &mut ledger, &text).unwrap()));
    }
    let everything = query(|q| q.limit = Some(1000));
    assert_eq!(ledger.search(&everything).unwrap().records.len(), 21);
    wire.lead(None);
    assert_eq!(append(&small, &mut ledger, "away").unwrap_err().kind(), ErrorKind::ServiceUnavailable);
    let reader = append_at(&place, small.dir.path()).unwrap();
    assert_eq!(reader.search(&everything).unwrap().records.len(), 21, "searching goes on in memory");
    wire.lead(Some(&spare));
    let again = append(&small, &mut ledger, "note 3").unwrap();
    assert_eq!((again.index, again.already_there), (4, true), "an empty index hides no record");
    receipts.push(("after".to_owned(), append(&small, &mut ledger, "after").unwrap()));
    let mut other = append_at(&place, small.dir.path()).unwrap();
    assert_eq!(other.search(&everything).unwrap().records.len(), 22);
    assert_clean(&mut other);
    let mut asked: Vec<String> = receipts.iter().map(|(text, _)| text.clone()).collect();
    asked.push("away".to_owned());
    // and the old one, which is behind now
    holds(&small, &receipts, &asked);
}

/// What the process does that the next test starts.
#[test]
#[ignore = "run by another test, as a process of its own"]
fn bucket_child() {
    let (Ok(dir), Ok(description)) = (std::env::var("BUCKET_TEST_DIR"), std::env::var("BUCKET_TEST_PLACE")) else {
        return;
    };
    let name = std::env::var("BUCKET_TEST_NAME").unwrap();
    let dir = PathBuf::from(dir);
    let key = sealwright::key::read_private(&dir.join("maker.pem"), None).unwrap();
    let place = Place::Bucket(Box::new(bucket(&description)));
    let mut ledger = append_at(&place, &dir).unwrap();
    for n in 0.. {
        let text = format!("{name} note {n}");
        match ledger.record_statement(&note(&text), &key, super::small::start()) {
            Ok(receipt) => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "\nsaid: {} {text}", receipt.index).unwrap();
                out.flush().unwrap();
            }
            Err(e) => assert_eq!(e.kind(), ErrorKind::LedgerBusy, "{e}"),
        }
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_sequencer_takes_over_from_one_that_was_killed_and_every_receipt_is_there() {
    const ROUNDS: usize = 10;
    let ground = Ground::Versitygw;
    let small = Small::at(|dir| ground.place(dir));
    std::fs::write(small.dir.path().join("maker.pem"), small.keys["maker"].to_pem().unwrap().as_bytes()).unwrap();
    let start = |name: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "bucket_faults::bucket_child", "--ignored", "--nocapture", "--test-threads=1"])
            .env("BUCKET_TEST_DIR", small.dir.path())
            .env("BUCKET_TEST_PLACE", ground.description(small.dir.path(), &Way::default()))
            .env("BUCKET_TEST_NAME", name)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let said = |out: std::process::ChildStdout| -> Vec<(u64, String)> {
        let lines = BufReader::new(out).lines().map_while(Result::ok);
        let said = lines.filter_map(|line| line.strip_prefix("said: ").map(str::to_owned));
        said.filter_map(|line| {
            let (index, text) = line.split_once(' ')?;
            Some((index.parse().ok()?, text.to_owned()))
        })
        .collect()
    };
    let mut receipted = Vec::new();
    let mut taken_over = 0;
    for round in 0..ROUNDS {
        let (mut one, mut other) = (start(&format!("one {round}")), start(&format!("other {round}")));
        std::thread::sleep(Duration::from_millis(1500 + 37 * round as u64));
        one.kill().unwrap();
        one.wait().unwrap();
        let before = small.open().unwrap().size();
        let goes_on = || small.open().unwrap().size() > before;
        taken_over += usize::from((0..300).any(|_| {
            std::thread::sleep(Duration::from_millis(100));
            goes_on()
        }));
        other.kill().unwrap();
        other.wait().unwrap();
        receipted.extend(said(one.stdout.take().unwrap()));
        receipted.extend(said(other.stdout.take().unwrap()));
    }
    let mut ledger = small.open_to_append().unwrap();
    append(&small, &mut ledger, "last").unwrap();
    for (index, text) in &receipted {
        let record = ledger.record(*index).unwrap();
        assert_eq!(record.statement().payload_digest(), note(text).payload_digest(), "{text}");
    }
    assert_clean(&mut ledger);
    assert!(receipted.len() > ROUNDS && taken_over == ROUNDS, "{} {taken_over}", receipted.len());
    println!("{ROUNDS} rounds: {} receipts, the other went on in {taken_over}", receipted.len());
}

#[test]
#[ignore = "needs make test-services"]
fn secrets_are_in_no_error_and_no_debug_text() {
    let dir = super::small::tempdir();
    let way = Way { retries: 0, timeout: 1, ..Way::default() };
    let description = Ground::Versitygw.description(dir.path(), &way);
    let secrets = ["planted-secret-key", "planted-password", "planted-session-token"];
    let place = sealwright::ledger::BucketPlace::from_toml(description.as_bytes())
        .unwrap()
        .with_variable("AWS_ACCESS_KEY_ID", "somebody")
        .unwrap()
        .with_variable("AWS_SECRET_ACCESS_KEY", secrets[0])
        .unwrap()
        .with_variable("AWS_SESSION_TOKEN", secrets[2])
        .unwrap()
        .with_variable("PGPASSWORD", secrets[1])
        .unwrap();
    let mut shown = format!("{place:?} {place}");
    let anchors = sealwright::ledger::Anchors::in_folder(dir.path().join("state"));
    let place = Place::Bucket(Box::new(place));
    let mut e: Option<Box<dyn std::error::Error>> =
        Some(Box::new(Ledger::open_at(&place, &anchors, &sealwright::ledger::Pins::none(), None).unwrap_err()));
    while let Some(next) = e {
        shown += &format!("\n{next} {next:?}");
        e = next.source().map(|source| format!("{source} {source:?}").into());
    }
    for secret in secrets {
        assert!(!shown.contains(secret), "{shown}");
    }
    for bad in
        ["database = \"postgres://a:planted-password@h/d\"", "database = \"postgres://a:planted-password@h:x/d\""]
    {
        let text = format!("bucket = \"s3://b\"\n{bad}");
        let refused = sealwright::ledger::BucketPlace::from_toml(text.as_bytes()).unwrap_err();
        assert!(!refused.to_string().contains("planted"), "{refused}");
    }
}
