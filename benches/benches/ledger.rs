//! The ledger beside one write that reaches the disk: appending by one, by sixteen processes and in batches; proofs,
//! searches and audits, with the memory these hold; each at several sizes, with the exponent that its cost grows by.
//!
//! `cargo bench -p sealwright-benches -- ledger [largest size]`; 10,000 entries unless said otherwise. Results are
//! checked before anything is timed. The floor is 4 KiB appended to a file and brought to disk, measured in the same run.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sealwright::digest::Digest;
use sealwright::key::{KeyType, PrivateKey, read_private};
use sealwright::ledger::{Anchors, AuditDepth, Ledger, Pins, Query};
use sealwright::predicate::{PredicateType, Release, TestResult};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust_policy;
use sealwright::verifier::Verified;
use sealwright_benches::one_operator;

const WRITERS: usize = 16;
const EACH: usize = 100;

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

struct Bench {
    dir: tempfile::TempDir,
    key: PrivateKey,
    ledger: Ledger,
    made: u64,
}

/// A test result of one of a thousand artifacts.
fn statement(n: u64) -> Statement {
    let json = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": Digest::sha256(&(n % 1000).to_be_bytes()).hex()}}],
        "predicateType": TestResult::TYPE,
        "predicate": {"result": "PASSED", "configuration": [{"uri": format!("https://example.org/suite/{n}")}],
            "sealwright_testKind": if n.is_multiple_of(2) { "unit" } else { "contract" }},
    });
    Statement::parse(serde_json::to_vec(&json).unwrap()).unwrap()
}

fn open(dir: &Path) -> Ledger {
    let anchors = Anchors::in_folder(dir.join("state"));
    let ledger = Ledger::open(&dir.join("ledger"), &anchors, &Pins::none()).unwrap();
    ledger.with_log_key(read_private(&dir.join("log.pem"), None).unwrap()).unwrap()
}

impl Bench {
    fn new() -> Self {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let record =
            sign(&trust_policy::statement(&one_operator(&key, &[Release::TYPE, TestResult::TYPE])).unwrap(), &key)
                .unwrap()
                .to_json();
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let anchors = Anchors::in_folder(dir.path().join("state"));
        let log = PrivateKey::generate(KeyType::Ed25519).unwrap();
        std::fs::write(dir.path().join("log.pem"), log.to_pem().unwrap().as_bytes()).unwrap();
        std::fs::write(dir.path().join("ci.pem"), key.to_pem().unwrap().as_bytes()).unwrap();
        let folder = dir.path().join("ledger");
        let ledger = Ledger::init(&folder, &anchors, "example.org/bench", log, &[record], now()).unwrap();
        Self { dir, key, ledger, made: 0 }
    }

    fn records(&mut self, count: u64) -> Vec<Verified<Statement>> {
        let from = self.made;
        self.made += count;
        let signed = (from..self.made).map(|n| sign(&statement(n), &self.key).unwrap().to_json());
        signed.map(|record| self.ledger.verify(&record, now()).unwrap()).collect()
    }

    fn fill(&mut self, size: u64) {
        while self.ledger.size() < size {
            let records = self.records((size - self.ledger.size()).min(1000));
            self.ledger.append_all(&records, now()).unwrap();
        }
    }
}

/// Median time of `times` runs.
fn median(times: usize, mut run: impl FnMut()) -> Duration {
    let mut spent: Vec<Duration> = (0..times)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    spent.sort_unstable();
    spent[times / 2]
}

/// What 99 of 100 runs stay under.
fn p99(times: usize, mut run: impl FnMut()) -> Duration {
    let mut spent: Vec<Duration> = (0..times)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    spent.sort_unstable();
    spent[(times * 99).div_ceil(100) - 1]
}

fn floor(dir: &Path) -> Duration {
    let mut file = std::fs::File::create(dir.join("floor")).unwrap();
    median(200, || {
        file.write_all(&[7; 4096]).unwrap();
        file.sync_data().unwrap();
    })
}

/// The same bench as one of sixteen processes: says that it is ready, waits for a line, appends.
fn write_as_one_of_many(dir: &Path, name: &str) {
    let key = read_private(&dir.join("ci.pem"), None).unwrap();
    let mut ledger = open(dir);
    let first: u64 = 1_000_000_000 + name.parse::<u64>().unwrap() * 1_000_000;
    let records: Vec<_> = (first..first + EACH as u64)
        .map(|n| ledger.verify(&sign(&statement(n), &key).unwrap().to_json(), now()).unwrap())
        .collect();
    println!("ready");
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    for record in &records {
        ledger.append(record, now()).unwrap();
    }
    println!("done");
    // closing is not part of what is measured
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
}

fn part(role: &str, dir: &Path, name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["ledger", role]).arg(dir).arg(name);
    command
}

/// The same bench as a process that audits and tells the most memory that it held, where the system tells it.
fn audit_and_tell(dir: &Path) {
    let anchors = Anchors::in_folder(dir.join("state"));
    let mut ledger = Ledger::open(&dir.join("ledger"), &anchors, &Pins::none()).unwrap();
    assert!(ledger.audit_to(AuditDepth::Bodies).unwrap().is_clean());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    println!("{}", peak.map_or(0, |kib| kib.trim().parse::<u64>().unwrap() * 1024));
}

fn memory_of_audit(dir: &Path) -> Option<u64> {
    let out = part("audit", dir, "-").output().unwrap();
    assert!(out.status.success());
    Some(String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()).filter(|bytes| *bytes > 0)
}

fn sixteen(dir: &Path) -> Duration {
    let mut children: Vec<_> = (0..WRITERS)
        .map(|n| {
            let mut command = part("write", dir, &n.to_string());
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut outs: Vec<_> = children.iter_mut().map(|c| BufReader::new(c.stdout.take().unwrap()).lines()).collect();
    let mut heard = |what: &str| outs.iter_mut().for_each(|out| assert_eq!(out.next().unwrap().unwrap(), what));
    heard("ready");
    let begun = Instant::now();
    children.iter_mut().for_each(|c| c.stdin.as_mut().unwrap().write_all(b"go\n").unwrap());
    heard("done");
    let spent = begun.elapsed();
    for mut child in children {
        child.stdin.take().unwrap().write_all(b"end\n").unwrap();
        assert!(child.wait().unwrap().success());
    }
    spent
}

/// What was measured, for the table of all benches: nanoseconds of ours and of the floor, and bytes of memory.
static MEASURED: Mutex<BTreeMap<String, BTreeMap<&'static str, u128>>> = Mutex::new(BTreeMap::new());

fn row(name: &str, size: u64, value: Duration, floor: Option<Duration>) -> f64 {
    let mut sides = BTreeMap::from([("ours", value.as_nanos())]);
    sides.extend(floor.map(|floor| ("floor", floor.as_nanos())));
    MEASURED.lock().unwrap().insert(format!("ledger of {size}: {name}"), sides);
    let micros = value.as_secs_f64() * 1e6;
    let ratio =
        floor.map_or(String::new(), |floor| format!("  {:.2}× the floor", micros / (floor.as_secs_f64() * 1e6)));
    println!("{name:<44} {size:>9}  {micros:>12.1} µs{ratio}");
    micros
}

/// The exponent that a cost grows by: the slope of a line through the logarithms.
fn exponent(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let logs: Vec<_> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let (mx, my) = (logs.iter().map(|p| p.0).sum::<f64>() / n, logs.iter().map(|p| p.1).sum::<f64>() / n);
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mx) * (y - my)).sum();
    covariance / logs.iter().map(|(x, _)| (x - mx).powi(2)).sum::<f64>()
}

/// What this bench asks of a process of its own: to write as one of many, or to audit.
pub(crate) fn run_part(role: &str, dir: &str, name: &str) {
    match role {
        "write" => write_as_one_of_many(Path::new(dir), name),
        _ => audit_and_tell(Path::new(dir)),
    }
}

pub(crate) fn run(largest: u64) {
    let mut bench = Bench::new();
    let mut grown: Vec<(&str, Vec<(f64, f64)>)> = Vec::new();
    let mut size = 1000;
    while size <= largest {
        bench.fill(size);
        assert_eq!(bench.ledger.size(), size);
        let floor = floor(bench.dir.path());
        row("floor: 4 KiB appended and on disk", size, floor, None);
        let mut figures = Vec::new();
        let records = bench.records(100);
        let mut next = records.iter();
        let one = median(100, || drop(bench.ledger.append(next.next().unwrap(), now()).unwrap()));
        figures.push(("append, one writer", row("append, one writer", size, one, Some(floor))));
        let batch = bench.records(1000);
        let begun = Instant::now();
        bench.ledger.append_all(&batch, now()).unwrap();
        let spent = begun.elapsed() / 1000;
        figures.push(("append, batch of 1,000, each", row("append, batch of 1,000, each", size, spent, Some(floor))));
        bench.ledger.search(&Query::everything()).unwrap();
        let spent = sixteen(bench.dir.path()) / u32::try_from(WRITERS * EACH).unwrap();
        figures.push(("append, 16 processes, each", row("append, 16 processes, each", size, spent, Some(floor))));

        let ledger = open(bench.dir.path());
        let proven = ledger.prove(size / 2).unwrap();
        proven.verify(ledger.record(size / 2).unwrap().verified.record(), ledger.log_key()).unwrap();
        let mut at = 0;
        let proof = median(200, || {
            at = (at + 7919) % size;
            drop(ledger.prove(at).unwrap());
        });
        figures.push(("receipt from disk", row("receipt from disk", size, proof, None)));
        let mut query = Query::everything();
        query.digest = Some(Digest::sha256(&500_u64.to_be_bytes()).to_string());
        query.limit = Some(20);
        assert!(!ledger.search(&query).unwrap().records.is_empty());
        figures.push((
            "search, 20 rows, p99",
            row("search, 20 rows, p99", size, p99(100, || drop(ledger.search(&query).unwrap())), None),
        ));
        let mut kind = Query::everything();
        kind.kind = Some("test.unit".to_owned());
        kind.limit = Some(100);
        assert_eq!(ledger.search(&kind).unwrap().records.len(), 100);
        figures.push((
            "search, 100 rows proven",
            row("search, 100 rows proven", size, median(20, || drop(ledger.search(&kind).unwrap())), None),
        ));
        drop(ledger);
        for (name, depth) in [
            ("audit, entries and tiles", AuditDepth::Entries),
            ("audit, bodies as well", AuditDepth::Bodies),
            ("audit, everything", AuditDepth::Everything),
        ] {
            if depth == AuditDepth::Everything && size > 100_000 {
                continue;
            }
            let begun = Instant::now();
            assert!(bench.ledger.audit_to(depth).unwrap().is_clean());
            figures.push((name, row(name, size, begun.elapsed(), None)));
        }
        if let Some(bytes) = memory_of_audit(bench.dir.path()) {
            let name = "audit, bodies as well, peak memory";
            println!("{name:<44} {size:>9}  {:>12.1} MB", bytes as f64 / 1e6);
            let sides = BTreeMap::from([("ours", u128::from(bytes))]);
            MEASURED.lock().unwrap().insert(format!("ledger of {size}: {name}"), sides);
        }
        for (name, micros) in figures {
            match grown.iter_mut().find(|(n, _)| *n == name) {
                Some((_, points)) => points.push((size as f64, micros)),
                None => grown.push((name, vec![(size as f64, micros)])),
            }
        }
        size *= 10;
    }
    let measured = serde_json::to_vec_pretty(&*MEASURED.lock().unwrap()).unwrap();
    std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ledger.json"), measured).unwrap();
    for (name, points) in grown.iter().filter(|(_, points)| points.len() > 1) {
        println!("{name:<44} grows with the size to the power of {:.2}", exponent(points));
    }
}
