//! Many processes, killed processes, locks, read-only folders and full disks.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]

mod small;

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sealwright::digest::Digest;
use sealwright::ledger::{Anchors, AuditFindingKind, Ledger, Pins, Query};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Expectation, Identity, Verified, Verifier};
use small::{Small, copy, files, note, open, open_to_append, start};

const ROLE: &str = "LEDGER_TEST_ROLE";
const DIR: &str = "LEDGER_TEST_DIR";
const NAME: &str = "LEDGER_TEST_NAME";

/// The name of [`child`] in this binary: these tests also run as a part of another.
fn child_name() -> String {
    module_path!().split_once("::").map_or("child".to_owned(), |(_, module)| format!("{module}::child"))
}

/// This test binary once more, in a role of [`child`].
fn command(role: &str, dir: &Path, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    as_child(&mut command, role, dir, name);
    command
}

fn as_child(command: &mut Command, role: &str, dir: &Path, name: &str) {
    command
        .args(["--exact", &child_name(), "--ignored", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(DIR, dir)
        .env(NAME, name)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
}

/// What the processes do that the tests start.
#[test]
#[ignore = "run by the other tests, as a process of its own"]
#[expect(clippy::disallowed_methods, reason = "what the parent said stands in the environment")]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let dir = PathBuf::from(std::env::var(DIR).unwrap());
    let name = std::env::var(NAME).unwrap();
    match role.as_str() {
        "ten" => append(&dir, &name, 10),
        "on and on" => append(&dir, &name, usize::MAX),
        "hold" => {
            let lock = std::fs::File::open(dir.join("ledger/lock")).unwrap();
            lock.lock().unwrap();
            say("held");
            std::thread::sleep(Duration::from_secs(600));
        }
        "read" => read_only(&dir),
        other => panic!("no role {other}"),
    }
}

/// One line that the parent reads, out at once.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nsaid: {line}").unwrap();
    out.flush().unwrap();
}

fn said(out: impl std::io::Read) -> impl Iterator<Item = String> {
    let lines = BufReader::new(out).lines().map_while(Result::ok);
    lines.filter_map(|line| line.strip_prefix("said: ").map(str::to_owned))
}

/// Appends notes, one at a time, every third time three at once and a file, and says each receipt before going on.
fn append(dir: &Path, name: &str, times: usize) {
    let key = sealwright::key::read_private(&dir.join("maker.pem"), None).unwrap();
    let mut ledger = open_to_append(dir).unwrap();
    let mut n = 0;
    for time in 0..times {
        let batch = if time % 3 == 2 { 3 } else { 1 };
        let records: Vec<Verified<Statement>> = (n..n + batch)
            .map(|n| ledger.verify(&sign(&note(&format!("{name} {n}")), &key).unwrap().to_json(), start()).unwrap())
            .collect();
        n += batch;
        let receipts = ledger.append_all(&records, start()).unwrap();
        for (receipt, record) in receipts.iter().zip(&records) {
            receipt.verify(record.record(), ledger.log_key()).unwrap();
            say(&format!("{} {}", receipt.index, record.value().payload_digest().hex()));
        }
        if batch == 3 {
            ledger.attach(format!("{name} {n}").as_bytes()).unwrap();
        }
    }
}

/// A small ledger whose maker's key other processes can read.
fn shared() -> Small {
    let small = Small::new();
    std::fs::write(small.dir.path().join("maker.pem"), small.keys["maker"].to_pem().unwrap().as_bytes()).unwrap();
    small
}

/// Checks that what was receipted is there: the record at its index has its payload.
fn holds(ledger: &Ledger, receipts: &[String]) {
    for receipt in receipts {
        let (index, payload) = receipt.split_once(' ').unwrap();
        let record = ledger.record(index.parse().unwrap()).unwrap();
        assert_eq!(record.statement().payload_digest().hex(), payload, "entry {index}");
    }
}

fn findings(dir: &Path) -> Vec<(AuditFindingKind, String)> {
    let report = open(dir).unwrap().audit().unwrap();
    report.findings.into_iter().map(|f| (f.kind, f.place)).collect()
}

#[test]
fn processes_that_append_at_once_get_each_their_own_place() {
    let small = shared();
    let children: Vec<Child> =
        (0..4).map(|n| command("ten", small.dir.path(), &format!("process {n}")).spawn().unwrap()).collect();
    let mut receipts = Vec::new();
    for mut child in children {
        receipts.extend(said(child.stdout.take().unwrap()));
        assert!(child.wait().unwrap().success());
    }
    let ledger = small.open().unwrap();
    let expected = 4 * (10 + 3 * 2);
    assert_eq!(receipts.len(), expected);
    assert_eq!(ledger.size(), 1 + expected as u64);
    let places: BTreeSet<_> = receipts.iter().map(|r| r.split_once(' ').unwrap().0).collect();
    assert_eq!(places.len(), expected);
    holds(&ledger, &receipts);
    for index in 0..ledger.size() {
        let record = ledger.record(index).unwrap();
        ledger.prove(index).unwrap().verify(record.verified.record(), ledger.log_key()).unwrap();
    }
    assert_eq!(ledger.search(&Query::everything()).unwrap().records.len(), 1 + expected);
    assert_eq!(findings(small.dir.path()), []);
}

#[test]
fn a_process_killed_while_appending_loses_nothing_that_was_receipted() {
    let mut kills = 0;
    let mut in_the_middle = 0;
    let mut leftovers = 0;
    // the second ledger is killed around the edge of its first tile
    for filled in [0, 230] {
        let mut small = shared();
        let key = &small.keys["maker"];
        let notes = (0..filled).map(|n| sign(&note(&format!("filled {n}")), key).unwrap().to_json());
        let notes: Vec<_> = notes.map(|record| small.ledger.verify(&record, start()).unwrap()).collect();
        small.ledger.append_all(&notes, start()).unwrap();
        let mut receipts: Vec<String> = Vec::new();
        for round in 0..18_u64 {
            let mut child = command("on and on", small.dir.path(), &format!("round {round}")).spawn().unwrap();
            let out = child.stdout.take().unwrap();
            let (sender, receiver) = std::sync::mpsc::channel();
            let reader = std::thread::spawn(move || said(out).for_each(|line| sender.send(line).unwrap()));
            // a moment at random: of the start and the first append, or of those after the first receipt
            let salt = Digest::sha256(format!("{filled} {round} {:?}", std::time::Instant::now()).as_bytes());
            let random = u64::from(salt.bytes()[0]);
            let mut new = Vec::new();
            if round % 3 == 0 {
                std::thread::sleep(Duration::from_millis(25 + random / 2));
            } else {
                new.push(receiver.recv().unwrap());
                std::thread::sleep(Duration::from_micros(random * 200));
            }
            child.kill().unwrap();
            assert!(!child.wait().unwrap().success(), "it was killed, not done");
            kills += 1;
            reader.join().unwrap();
            new.extend(receiver.iter());
            in_the_middle += usize::from(!new.is_empty());
            receipts.extend(new);

            let ledger = small.open().unwrap();
            holds(&ledger, &receipts);
            let found = findings(small.dir.path());
            leftovers += found.len();
            assert!(found.iter().all(|(kind, _)| *kind == AuditFindingKind::UnexpectedFile), "{found:?}");
            // the handle here lived through all of it, as that of a server does
            let mut by_another = round % 2 != 0;
            if !by_another {
                small.note(&format!("after {round}"));
                let left = findings(small.dir.path());
                // an attachment of an encrypted ledger that never got its header, which a handle looks for once
                by_another = small.ledger.is_encrypted() && !left.is_empty();
                assert!(
                    left.is_empty() || by_another && left.iter().all(|f| found.contains(f)),
                    "round {round}: {left:?}"
                );
            }
            if by_another {
                let mut fresh = open_to_append(small.dir.path()).unwrap();
                fresh.record_statement(&note(&format!("once more {round}")), &small.keys["maker"], small.now).unwrap();
            }
            assert_eq!(findings(small.dir.path()), [], "round {round}");
        }
    }
    assert!(kills >= 30 && in_the_middle >= 20, "{in_the_middle} of {kills}");
    eprintln!("{kills} kills, {in_the_middle} of them after a receipt, {leftovers} leftovers");
}

/// Sixteen processes append without end, and each is killed at a moment of its own; again and again, until `points` of
/// them were. Gives how many receipts they had.
fn killed_at(points: usize) -> usize {
    const WRITERS: usize = 16;
    let small = shared();
    let mut receipts: Vec<String> = Vec::new();
    let (mut killed, mut round) = (0, 0_u64);
    while killed < points {
        let mut writers = Vec::new();
        let (sender, receiver) = std::sync::mpsc::channel();
        for n in 0..WRITERS.min(points - killed) {
            let mut child = command("on and on", small.dir.path(), &format!("{round} {n}")).spawn().unwrap();
            let (out, sender) = (child.stdout.take().unwrap(), sender.clone());
            let tell = move |line: &String| sender.send(line.len()).unwrap_or_default();
            let reader = std::thread::spawn(move || said(out).inspect(tell).collect::<Vec<_>>());
            writers.push((child, reader));
        }
        // when they are at it
        for _ in 0..WRITERS {
            let _ = receiver.recv_timeout(Duration::from_secs(60));
        }
        for (n, (child, _)) in writers.iter_mut().enumerate() {
            let salt = Digest::sha256(format!("{round} {n} {:?}", std::time::Instant::now()).as_bytes());
            std::thread::sleep(Duration::from_micros(u64::from(salt.bytes()[0]) * 100));
            child.kill().unwrap();
            killed += 1;
        }
        for (mut child, reader) in writers {
            child.wait().unwrap();
            receipts.extend(reader.join().unwrap());
        }
        let mut ledger = open_to_append(small.dir.path()).unwrap();
        holds(&ledger, &receipts);
        // no entry twice, and none without its place
        let places: BTreeSet<_> = receipts.iter().map(|r| r.split_once(' ').unwrap().0).collect();
        assert_eq!(places.len(), receipts.len());
        ledger.record_statement(&note(&format!("after {round}")), &small.keys["maker"], start()).unwrap();
        let report = ledger.audit().unwrap();
        assert!(report.is_clean(), "round {round}: {:?}", report.findings);
        round += 1;
    }
    eprintln!(
        "{killed} kills in {round} rounds, {} receipts, {} entries",
        receipts.len(),
        small.open().unwrap().size()
    );
    receipts.len()
}

#[test]
fn sixteen_writers_killed_at_random_lose_nothing_that_was_receipted() {
    assert!(killed_at(32) > 0, "some of them got so far");
}

/// The same at length: `make test-long`, with `LEDGER_TEST_KILLS` points.
#[test]
#[ignore = "takes minutes; the short form runs with the others"]
#[expect(clippy::disallowed_methods, reason = "how long is said by whoever starts it")]
fn sixteen_writers_killed_at_length() {
    let points = std::env::var("LEDGER_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(500);
    assert!(killed_at(points) > points);
}

#[test]
fn processes_and_threads_that_append_at_once_are_committed_together() {
    let small = shared();
    let key = std::fs::canonicalize(small.dir.path().join("maker.pem")).unwrap();
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let (dir, key) = (small.dir.path().to_owned(), key.clone());
            std::thread::spawn(move || {
                let key = sealwright::key::read_private(&key, None).unwrap();
                let mut ledger = open_to_append(&dir).unwrap();
                let receipts = (0..20).map(|n| {
                    let statement = note(&format!("thread {thread}, {n}"));
                    // each third is one that all of them append
                    let statement = if n % 3 == 0 { note(&format!("shared {n}")) } else { statement };
                    let receipt = ledger.record_statement(&statement, &key, start()).unwrap();
                    assert_eq!(
                        ledger.record(receipt.index).unwrap().statement().payload_digest(),
                        statement.payload_digest()
                    );
                    (receipt.index, receipt.already_there)
                });
                receipts.collect::<Vec<_>>()
            })
        })
        .collect();
    let receipts: Vec<(u64, bool)> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    // 7 that are shared, and 13 of each
    let new: BTreeSet<_> =
        receipts.iter().filter(|(_, already_there)| !already_there).map(|(index, _)| *index).collect();
    assert_eq!((receipts.len(), new.len()), (160, 7 + 8 * 13));
    assert_eq!(small.open().unwrap().size(), 1 + new.len() as u64);
    assert_eq!(findings(small.dir.path()), []);
}

#[test]
fn what_one_who_waits_may_not_append_is_refused_with_its_own_error() {
    let small = shared();
    let mut busy = command("on and on", small.dir.path(), "busy").spawn().unwrap();
    let mut lines = said(busy.stdout.take().unwrap());
    lines.next().unwrap();
    let drain = std::thread::spawn(move || lines.count());
    let mut ledger = open_to_append(small.dir.path()).unwrap();
    for n in 0..10 {
        // proof of another verifier gets it as far as the ledger
        let stranger = &small.keys["stranger"];
        let record = sign(&note(&format!("{n}")), stranger).unwrap().to_json();
        let trust = TrustRoot::new().with_key("anybody", stranger.public().clone(), Window::ALWAYS).unwrap();
        let expectation = Expectation::new(Artifact::AnyUnsafe, Identity::key("anybody"), start());
        let foreign = Verifier::new(trust).verify(&record, &expectation).unwrap();
        let refused = ledger.append(&foreign, start()).unwrap_err();
        assert_eq!(refused.code(), "UNTRUSTED_SIGNER", "{refused}");
        ledger.record_statement(&note(&format!("good {n}")), &small.keys["second"], start()).unwrap();
    }
    busy.kill().unwrap();
    busy.wait().unwrap();
    assert!(drain.join().unwrap() > 0);
    assert_eq!(findings(small.dir.path()), []);
}

/// Every state an append can be cut short in, made by hand: its files in the order they are written.
#[test]
fn an_append_cut_short_after_any_file_is_cleared_by_the_next() {
    // from, number appended, every how many files the writing stops
    for (from, batch, step) in [(3, 1, 1), (3, 4, 1), (250, 10, 3), (255, 2, 1), (256, 1, 1), (250, 300, 97)] {
        let mut small = shared();
        let verified = |small: &Small, n: u64| {
            let record = sign(&note(&n.to_string()), &small.keys["maker"]).unwrap().to_json();
            small.ledger.verify(&record, start()).unwrap()
        };
        let records: Vec<_> = (1..from).map(|n| verified(&small, n)).collect();
        small.ledger.append_all(&records, start()).unwrap();
        small.ledger.settle().unwrap();
        let before = small::tempdir();
        copy(small.dir.path(), before.path());
        let records: Vec<_> = (from..from + batch).map(|n| verified(&small, n)).collect();
        small.ledger.append_all(&records, start()).unwrap();

        let old: BTreeSet<_> = files(&before.path().join("ledger")).into_iter().collect();
        let order = |name: &String| {
            // the header of a body goes before it
            let body = name.strip_prefix("keys/").unwrap_or(name);
            let part = ["bodies/", "tile/0", "tile/1", "tile/e"].iter().position(|p| body.starts_with(p));
            part.map(|part| (part, body.to_owned(), body == name))
        };
        let folder = small.folder();
        let mut new: Vec<_> = files(&folder).into_iter().filter(|n| !old.contains(n)).collect();
        new.sort_by_key(order);
        assert!(new.iter().all(|name| order(name).is_some()), "{new:?}");
        let read = |name: &str| small::read(folder.join(name));
        let stops = (0..=new.len()).step_by(step).chain([new.len(), usize::MAX]);
        for stop in stops {
            let cut = small::tempdir();
            copy(before.path(), cut.path());
            for name in new.iter().take(stop) {
                let to = cut.path().join("ledger").join(name);
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::write(to, read(name)).unwrap();
            }
            let committed = stop == usize::MAX;
            if committed {
                // the last step: the checkpoint is there, and what it made superfluous is not removed yet
                std::fs::write(cut.path().join("ledger/checkpoint"), read("checkpoint")).unwrap();
            } else {
                std::fs::write(cut.path().join("ledger/unfinished"), b"half").unwrap();
            }
            let size = from + if committed { batch } else { 0 };
            assert_eq!(open(cut.path()).unwrap().size(), size);
            let found = findings(cut.path());
            assert!(found.iter().all(|(kind, _)| *kind == AuditFindingKind::UnexpectedFile), "{found:?}");
            let mut next = open_to_append(cut.path()).unwrap();
            next.record_statement(&note("next"), &small.keys["maker"], start()).unwrap();
            assert_eq!(next.size(), size + 1);
            assert_eq!(findings(cut.path()), [], "{batch} after {from}, cut after {stop} files");
        }
    }
}

#[test]
fn a_lock_blocks_while_its_holder_lives_and_no_longer() {
    let small = shared();
    let mut child = command("hold", small.dir.path(), "").spawn().unwrap();
    let mut lines = said(child.stdout.take().unwrap());
    assert_eq!(lines.next().unwrap(), "held");

    let patience = Duration::from_millis(150);
    let mut ledger = open_to_append(small.dir.path()).unwrap().with_patience(patience);
    let begun = std::time::Instant::now();
    let busy = ledger.record_statement(&note("x"), &small.keys["maker"], start()).unwrap_err();
    assert_eq!(busy.code(), "LEDGER_BUSY", "{busy}");
    assert!(begun.elapsed() >= patience && begun.elapsed() < Duration::from_secs(30));
    assert_eq!(ledger.audit().unwrap_err().code(), "LEDGER_BUSY", "what is being written is not audited");
    assert_eq!(ledger.attach(b"file").unwrap_err().code(), "LEDGER_BUSY");
    // reading goes on
    assert_eq!(ledger.search(&Query::everything()).unwrap().records.len(), 1);

    child.kill().unwrap();
    child.wait().unwrap();
    ledger.record_statement(&note("x"), &small.keys["maker"], start()).unwrap();
    assert_eq!(findings(small.dir.path()), []);
}

/// Reads all of a ledger, then tries to append; says how it went.
fn read_only(dir: &Path) {
    let mut ledger = open_to_append(dir).unwrap();
    let found = ledger.search(&Query::everything()).unwrap().records.len();
    let report = ledger.audit().unwrap();
    say(&format!("found {found}, findings {:?}", report.findings));
    let key = sealwright::key::read_private(&dir.join("maker.pem"), None).unwrap();
    let refused = ledger.record_statement(&note("more"), &key, start()).unwrap_err();
    say(&format!("{} {}", refused.code(), ledger.attach(b"more").unwrap_err().code()));
}

#[test]
fn a_folder_that_may_only_be_read_is_read_searched_and_audited_and_takes_nothing() {
    let mut small = shared();
    small.note("one");
    for indexed in ["whole", "behind", "missing"] {
        let index = small.folder().join("index.sqlite");
        small.ledger.search(&Query::everything()).unwrap();
        match indexed {
            "behind" => {
                let rows = rusqlite::Connection::open(&index).unwrap();
                rows.execute_batch("DELETE FROM key WHERE idx = 1; DELETE FROM entry WHERE idx = 1").unwrap();
            }
            "missing" => std::fs::remove_file(&index).unwrap(),
            _ => {}
        }
        for name in ["log.pem", "maker.pem"] {
            std::fs::set_permissions(small.dir.path().join(name), Permissions::from_mode(0o644)).unwrap();
        }
        let before = files(&small.folder());
        let Some(mut child) = as_somebody_who_may_only_read(small.dir.path()) else {
            eprintln!("not run: no other user can be had here, or this binary is not theirs to run");
            return;
        };
        let lines: Vec<_> = said(child.stdout.take().unwrap()).collect();
        child.wait().unwrap();
        assert_eq!(lines, ["found 2, findings []", "PERMISSION_DENIED PERMISSION_DENIED"], "index {indexed}");
        assert_eq!(files(&small.folder()), before);
    }
}

/// Root may write everywhere, so the child runs as nobody; others take their own right to write away.
fn as_somebody_who_may_only_read(dir: &Path) -> Option<Child> {
    let set = |mode| std::fs::set_permissions(dir, Permissions::from_mode(mode)).unwrap();
    set(0o755);
    let owner = std::fs::metadata(dir).unwrap().uid();
    if owner != 0 {
        // a folder's owner may still be told not to write to it
        for folder in ["ledger", "ledger/bodies", "ledger/tile", "state"] {
            std::fs::set_permissions(dir.join(folder), Permissions::from_mode(0o555)).unwrap();
        }
        return command("read", dir, "").spawn().ok();
    }
    let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    let binary = std::env::current_exe().unwrap();
    let may = Command::new("setpriv").args(nobody).arg("test").arg("-x").arg(&binary).status();
    if !may.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = Command::new("setpriv");
    command.args(nobody).arg(&binary);
    as_child(&mut command, "read", dir, "");
    command.spawn().ok()
}

/// A file system of a few hundred KiB, gone when dropped.
struct Tiny(tempfile::TempDir);

impl Tiny {
    fn mount(kib: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={kib}k");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).stderr(Stdio::null());
        mount.status().is_ok_and(|status| status.success()).then(|| Self(dir))
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_takes_nothing_in_halves_and_the_ledger_goes_on_when_there_is_space() {
    let Some(tiny) = Tiny::mount(512) else {
        eprintln!("not run: no file system can be mounted here");
        return;
    };
    let small = Small::new();
    copy(&small.folder(), &tiny.0.path().join("ledger"));
    let anchors = Anchors::in_folder(small.dir.path().join("state"));
    let open = || small::opened(&tiny.0.path().join("ledger"), &anchors, &Pins::none());
    let log_key = || sealwright::key::read_private(&small.dir.path().join("log.pem"), None).unwrap();
    let mut ledger = open().unwrap().with_log_key(log_key()).unwrap();
    let ballast = tiny.0.path().join("ballast");
    std::fs::write(&ballast, vec![0; 64 * 1024]).unwrap();

    let mut receipted = 1;
    let full = loop {
        // two at once: the first may find space and the second none
        let texts = [format!("{receipted} a"), format!("{receipted} b {}", "x".repeat(5000))];
        let records = texts.map(|text| {
            let record = sign(&note(&text), &small.keys["maker"]).unwrap().to_json();
            ledger.verify(&record, start()).unwrap()
        });
        match ledger.append_all(&records, start()) {
            Ok(receipts) => receipted += receipts.len() as u64,
            Err(e) => break e,
        }
        assert!(receipted < 200, "the disk never got full");
    };
    assert_eq!(full.code(), "STORAGE_FULL", "{full}");
    assert!(receipted > 3, "{receipted}");
    let whole = |what: &str, receipted: u64| {
        let mut other = open().unwrap();
        assert_eq!(other.size(), receipted, "{what}");
        let report = other.audit().unwrap();
        assert!(report.is_clean(), "{what}: {:?}", report.findings);
        let mut all = Query::everything();
        all.limit = Some(500);
        assert_eq!(other.search(&all).unwrap().records.len() as u64, receipted, "{what}");
    };
    whole("full", receipted);
    assert_eq!(ledger.attach(&[1; 600_000]).unwrap_err().code(), "STORAGE_FULL");
    whole("full, and a file refused", receipted);

    std::fs::remove_file(&ballast).unwrap();
    // the handle that failed goes on
    ledger.record_statement(&note("after"), &small.keys["maker"], start()).unwrap();
    whole("freed", receipted + 1);
}
