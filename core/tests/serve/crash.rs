//! The command killed, stopped and cut off: what was receipted is there, and nothing is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sealwright::digest::Digest;

use crate::team::{Running, Team, submission};

/// `sealwright ledger serve`, as a process of its own.
struct Process {
    child: Child,
    running: Running,
    rest: Option<std::thread::JoinHandle<String>>,
}

impl Process {
    fn start(team: &Team) -> Self {
        std::fs::write(team.dir().join("serve.toml"), Team::config("", "")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_sealwright"))
            .args(["ledger", "serve", "--config"])
            .arg(team.dir().join("serve.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        let line: serde_json::Value = serde_json::from_str(&first).unwrap_or_else(|e| panic!("{e}: {first}"));
        assert_eq!(line["event"], "listening", "{first}");
        let running = Running::elsewhere(line["address"].as_str().unwrap().to_owned());
        let rest = std::thread::spawn(move || {
            let mut rest = String::new();
            let _ = lines.read_to_string(&mut rest);
            rest
        });
        Self { child, running, rest: Some(rest) }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.rest.take().unwrap().join().unwrap();
    }

    /// Sends SIGTERM; gives the exit code and what was logged.
    fn terminate(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        (code, self.rest.take().unwrap().join().unwrap())
    }
}

/// Submits notes until nobody answers; gives what was receipted, by index.
fn submit_on(team: &Team, running: &Running, name: &str, end: &AtomicBool, receipted: &Mutex<BTreeMap<u64, String>>) {
    let token = team.token("build");
    for n in 0.. {
        if end.load(Ordering::Relaxed) {
            return;
        }
        let record = team.note(&format!("{name} {n}"));
        let body = submission(std::slice::from_ref(&record));
        let head = format!(
            "POST /v1/records HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let Ok(mut stream) = std::net::TcpStream::connect(running.address()) else { return };
        let mut all = Vec::new();
        if stream.write_all(&[head.as_bytes(), &body].concat()).is_err() || stream.read_to_end(&mut all).is_err() {
            return;
        }
        let Some(answer) = crate::team::parse(&all).filter(|a| a.status == 200) else { return };
        // an answer that was cut off is no receipt
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(&answer.body) else { return };
        let index = json["receipts"][0]["receipt"]["index"].as_u64().unwrap();
        let before = receipted.lock().unwrap().insert(index, Digest::sha256(&record).hex());
        assert!(before.is_none(), "two records have one receipt");
    }
}

fn holds(team: &Team, receipted: &BTreeMap<u64, String>) {
    let ledger = team.folder();
    for (index, digest) in receipted {
        assert_eq!(Digest::sha256(ledger.record(*index).unwrap().verified.record()).hex(), *digest, "entry {index}");
    }
    let payloads: BTreeSet<String> =
        (0..ledger.size()).map(|i| ledger.record(i).unwrap().statement().payload_digest().hex()).collect();
    assert_eq!(payloads.len() as u64, ledger.size(), "a record is there twice");
}

#[test]
fn a_server_that_is_killed_under_load_has_lost_nothing_it_receipted() {
    let team = Team::new();
    team.real_time();
    let receipted = Mutex::new(BTreeMap::new());
    let rounds = 8;
    for round in 0..rounds {
        let server = Process::start(&team);
        let end = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for who in 0..6 {
                let (team, running, end, receipted) = (&team, &server.running, &end, &receipted);
                scope.spawn(move || submit_on(team, running, &format!("{round} {who}"), end, receipted));
            }
            // once it is at work, at another moment each time
            let begun = receipted.lock().unwrap().len();
            for _ in 0..1000 {
                if receipted.lock().unwrap().len() >= begun + 6 {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_micros(1700 * round));
            let pid = server.child.id().to_string();
            Command::new("kill").args(["-KILL", &pid]).status().unwrap();
            end.store(true, Ordering::Relaxed);
        });
        server.kill();
        holds(&team, &receipted.lock().unwrap());
    }
    let receipted = receipted.into_inner().unwrap();
    println!("{} receipts over {rounds} kills, {} entries", receipted.len(), team.folder().size());
    assert!(receipted.len() >= 6 * rounds as usize);
    // the next one comes to itself, and leaves a clean ledger
    let server = Process::start(&team);
    let mut submitter = team.submitter(&server.running, "build").unwrap();
    submitter.submit(&[team.note("after all that")], team.now()).unwrap();
    let (code, log) = server.terminate();
    assert_eq!(code, Some(0), "{log}");
    let report = team.folder().audit().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
}

#[test]
fn a_server_that_is_asked_to_stop_finishes_what_it_is_at() {
    let team = Team::new();
    team.real_time();
    let server = Process::start(&team);
    let receipted = Mutex::new(BTreeMap::new());
    let end = AtomicBool::new(false);
    // one is half sent when the signal comes, and is still taken
    let token = team.token("build");
    let body = submission(&[team.note("in flight")]);
    let head = format!(
        "POST /v1/records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let running = Running::elsewhere(server.running.address().to_owned());
    let (code, log) = std::thread::scope(|scope| {
        for who in 0..6 {
            let (team, running, end, receipted) = (&team, &running, &end, &receipted);
            scope.spawn(move || submit_on(team, running, &who.to_string(), end, receipted));
        }
        let mut stream = running.open();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&body[..10]).unwrap();
        for _ in 0..1000 {
            if receipted.lock().unwrap().len() >= 6 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let late = scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(300));
            stream.write_all(&body[10..]).unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            crate::team::parse(&all).unwrap().status
        });
        let ended = server.terminate();
        assert_eq!(late.join().unwrap(), 200);
        ended
    });
    assert_eq!(code, Some(0), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let at =
        |event: &str| lines.iter().position(|l| l["event"] == event).unwrap_or_else(|| panic!("no {event} in {log}"));
    assert!(at("stopping") < at("stopped"));
    let receipted = receipted.into_inner().unwrap();
    println!("{} receipts before the stop", receipted.len());
    assert!(!receipted.is_empty());
    holds(&team, &receipted);
    assert!(team.folder().audit().unwrap().is_clean());
}

#[test]
fn a_connection_cut_in_the_middle_and_made_again_gives_one_record() {
    let team = Arc::new(Team::new());
    let running = team.start();
    let token = team.token("build");
    for n in 0..8 {
        let record = team.note(&format!("cut {n}"));
        let body = submission(std::slice::from_ref(&record));
        let head = format!(
            "POST /v1/records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let whole = [head.as_bytes(), &body].concat();
        // in the head, in the body, before the last byte, and after all of it, without waiting for the answer
        for end in [20, head.len() + 5, whole.len() - 1, whole.len()] {
            let mut stream = running.open();
            stream.write_all(&whole[..end]).unwrap();
            drop(stream);
        }
        let mut submitter = team.submitter(&running, "build").unwrap();
        let receipt = submitter.submit(std::slice::from_ref(&record), team.now()).unwrap().remove(0);
        assert_eq!(receipt.index, 1 + n);
        receipt.verify(&record, &team.pins().log_key.unwrap()).unwrap();
    }
    running.stop();
    assert_eq!(team.folder().size(), 9);
    assert!(team.folder().audit().unwrap().is_clean());
}

#[test]
fn a_wrong_configuration_does_not_start_and_says_why() {
    let team = Team::new();
    let run = |config: &str, check: bool| {
        std::fs::write(team.dir().join("wrong.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealwright"));
        command.args(["ledger", "serve", "--json", "--config"]).arg(team.dir().join("wrong.toml"));
        if check {
            command.arg("--check");
        }
        let out = command.output().unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let text = |field: &str| answer["error"][field].as_str().unwrap_or_default().to_owned();
        (out.status.code().unwrap(), text("code"), text("message"))
    };
    let good = Team::config("", "");
    assert_eq!(run(&good, true).0, 0);
    for (config, code, why) in [
        (good.replace("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\""), "MALFORMED", "within this machine"),
        (good.replace("[roles]", "[rolls]"), "MALFORMED", "rolls"),
        (good.replace("keys.json", "no-keys.json"), "NOT_FOUND", "no-keys.json"),
        (good.replace("keys-file = \"keys.json\"", "keys-file = \"log.pem\""), "MALFORMED", "log.pem"),
    ] {
        for check in [true, false] {
            let (exit, found, message) = run(&config, check);
            assert_eq!((exit, found.as_str()), (2, code), "{message}");
            assert!(message.contains(why), "{message}");
        }
    }
    let stranger = sealwright::key::PrivateKey::generate(sealwright::key::KeyType::Ed25519).unwrap();
    std::fs::write(team.dir().join("other.pem"), stranger.to_pem().unwrap().as_bytes()).unwrap();
    let (exit, code, _) = run(&good.replace("log.pem", "other.pem"), false);
    assert_eq!((exit, code.as_str()), (1, "UNTRUSTED_SIGNER"));
    let (exit, code, _) = run(&good.replace("ledger = \"ledger\"", "ledger = \"nowhere\""), false);
    assert_eq!((exit, code.as_str()), (2, "NOT_FOUND"));
}
