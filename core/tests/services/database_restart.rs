//! The database beside a bucket is stopped and started again while records are appended.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sealwright::ErrorKind;
use sealwright::ledger::Receipt;

use super::bucket_faults::holds;
use super::grounds::{Ground, Way, fact, facts};
use super::small::{Small, append_at, note};

/// A server that is stopped and started; whatever happens, none of ours is left.
struct Database {
    own: Option<Child>,
}

impl Database {
    fn pid() -> Option<String> {
        let file = std::fs::read_to_string(fact("/postgres/restarted_pid")).ok()?;
        file.lines().next().map(str::to_owned)
    }

    /// Stops it by this signal, and waits until it is gone.
    fn stop(&mut self, signal: &str) {
        let pid = Self::pid().expect("it runs");
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let begun = Instant::now();
        let gone = |child: &mut Option<Child>| match child {
            Some(child) => child.try_wait().unwrap().is_some(),
            // the child of another: it is a zombie, or gone
            None => !std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z ")),
        };
        while !gone(&mut self.own) {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        self.own = None;
    }

    fn start(&mut self) {
        let words: Vec<String> =
            facts("/postgres/restart").as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect();
        let begun = Instant::now();
        loop {
            let mut command = Command::new(&words[0]);
            command.args(&words[1..]).current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            // processes of the one that was killed may hold its memory for a moment
            std::thread::sleep(Duration::from_millis(300));
            if child.try_wait().unwrap().is_none() {
                self.own = Some(child);
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not start");
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(mut child) = self.own.take() {
            let _ = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

#[test]
#[ignore = "needs make test-services"]
fn a_database_that_is_restarted_under_appends_loses_nothing_and_appends_go_on() {
    const WRITERS: usize = 3;
    let ground = Ground::Versitygw;
    let way = Way { database: Some(fact("/postgres/restarted")), timeout: 5, ..Way::default() };
    let mut small = Small::at(|dir| ground.place_by(dir, &way));
    small.note("before");
    let (ended, phase) = (AtomicBool::new(false), AtomicUsize::new(0));
    let receipts: Mutex<Vec<(usize, String, Receipt)>> = Mutex::default();
    let asked: Mutex<Vec<String>> = Mutex::new(vec!["before".to_owned()]);
    let failed = AtomicUsize::new(0);
    let mut database = Database { own: None };
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (small, ended, phase, receipts, asked, failed) = (&small, &ended, &phase, &receipts, &asked, &failed);
            scope.spawn(move || {
                let mut ledger = append_at(&small.place, small.dir.path()).unwrap();
                for n in 0.. {
                    let text = format!("writer {writer} note {n}");
                    asked.lock().unwrap().push(text.clone());
                    loop {
                        if ended.load(Ordering::SeqCst) {
                            return;
                        }
                        let at = phase.load(Ordering::SeqCst);
                        match ledger.record_statement(&note(&text), &small.keys["maker"], small.now) {
                            Ok(receipt) => {
                                receipts.lock().unwrap().push((at, text, receipt));
                                break;
                            }
                            Err(e) => {
                                let known = [ErrorKind::ServiceUnavailable, ErrorKind::LedgerBusy];
                                assert!(known.contains(&e.kind()), "{e:?}");
                                failed.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                    }
                }
            });
        }
        let got_in = |at: usize, least: usize| {
            let begun = Instant::now();
            while receipts.lock().unwrap().iter().filter(|(phase, _, _)| *phase == at).count() < least {
                assert!(begun.elapsed() < Duration::from_secs(120), "no appends after restart {at}");
                std::thread::sleep(Duration::from_millis(20));
            }
        };
        let restarts = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            got_in(0, 10);
            // in order, at once, and as when the machine loses it; kept away for longer each time
            for (nth, signal) in (1..).zip(["-INT", "-QUIT", "-KILL"]) {
                database.stop(signal);
                std::thread::sleep(Duration::from_millis(500 * nth as u64));
                database.start();
                phase.store(nth, Ordering::SeqCst);
                got_in(nth, 10);
            }
        }));
        ended.store(true, Ordering::SeqCst);
        restarts.unwrap();
    });
    let receipts: Vec<(String, Receipt)> =
        receipts.into_inner().unwrap().into_iter().map(|(_, text, receipt)| (text, receipt)).collect();
    holds(&small, &receipts, &asked.into_inner().unwrap());
    println!("{} receipts over three restarts, {} errors between", receipts.len(), failed.load(Ordering::SeqCst));
}
