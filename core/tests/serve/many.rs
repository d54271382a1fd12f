//! Many submitters at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use sealwright::digest::Digest;

use crate::team::{Team, submission};

#[test]
fn sixteen_submitters_at_once_each_get_receipts_of_their_own_records() {
    const EACH: usize = 12;
    let team = Arc::new(Team::new());
    let running = team.start();
    let before = team.folder().size();
    let all: Vec<(u64, String)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|who| {
                let (team, running) = (&team, &running);
                scope.spawn(move || {
                    let name = if who % 2 == 0 { "build" } else { "everything" };
                    let mut submitter = team.submitter(running, name).unwrap();
                    let mut got = Vec::new();
                    for n in 0..EACH {
                        let batch: Vec<_> = (0..1 + n % 3).map(|k| team.note(&format!("{who} {n} {k}"))).collect();
                        let receipts = submitter.submit(&batch, team.now()).unwrap();
                        assert_eq!(receipts.len(), batch.len());
                        for (receipt, record) in receipts.iter().zip(&batch) {
                            receipt.verify(record, &team.pins().log_key.unwrap()).unwrap();
                            assert!(!receipt.already_there);
                            got.push((receipt.index, Digest::sha256(record).hex()));
                        }
                        // one submission stays together
                        assert!(receipts.windows(2).all(|w| w[1].index == w[0].index + 1));
                    }
                    got
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    let indexes: BTreeSet<u64> = all.iter().map(|(index, _)| *index).collect();
    assert_eq!((all.len(), indexes.len()), (16 * EACH * 2, 16 * EACH * 2));
    let metrics = running.ask("GET", "/metrics", Some(&team.token("monitor")), b"").text();
    let count = |name: &str| -> u64 {
        metrics.lines().find_map(|l| l.strip_prefix(&format!("{name} "))).unwrap().parse().unwrap()
    };
    assert_eq!(count("sealwright_ledger_records_appended_total"), all.len() as u64);
    // they shared commits
    let commits = count("sealwright_ledger_commits_total");
    assert!(commits <= (16 * EACH) as u64, "{commits}");
    println!("{} submissions under {commits} checkpoints", 16 * EACH);
    running.stop();
    let mut ledger = team.folder();
    assert_eq!(ledger.size(), before + all.len() as u64);
    for (index, digest) in &all {
        assert_eq!(Digest::sha256(ledger.record(*index).unwrap().verified.record()).hex(), *digest);
    }
    assert!(ledger.audit().unwrap().is_clean());
}

#[test]
fn one_refused_submission_of_a_batch_takes_no_other_with_it() {
    let team = Arc::new(Team::new());
    let running = team.start();
    let (good, bad) = (team.token("build"), team.token("deploy"));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..24)
            .map(|n| {
                let (team, running, good, bad) = (&team, &running, &good, &bad);
                scope.spawn(move || {
                    let token = if n % 4 == 0 { bad } else { good };
                    running.ask("POST", "/v1/records", Some(token), &submission(&[team.note(&n.to_string())])).status
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    for (n, status) in statuses.iter().enumerate() {
        assert_eq!(*status, if n % 4 == 0 { 403 } else { 200 }, "{n}");
    }
    running.stop();
    assert_eq!(team.folder().size(), 1 + 18);
}

#[test]
fn the_same_record_by_all_at_once_is_appended_once() {
    let team = Arc::new(Team::new());
    let running = team.start();
    let record = team.note("one");
    let receipts: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                let (team, running, record) = (&team, &running, record.clone());
                scope.spawn(move || {
                    team.submitter(running, "build").unwrap().submit(&[record], team.now()).unwrap().remove(0)
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(receipts.iter().all(|r| r.index == receipts[0].index));
    assert_eq!(receipts.iter().filter(|r| !r.already_there).count(), 1);
    running.stop();
    assert_eq!(team.folder().size(), 2);
}
