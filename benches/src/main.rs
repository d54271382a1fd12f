//! Prints what the last run of the benches measured: ours, the floor, the peers and the ratios, and which targets are met;
//! and writes `results/latest.json`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of this project that prints what it reads in files of this project"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

/// Median nanoseconds by side, of rows of memory bytes.
type Sides = BTreeMap<String, f64>;

/// What stands beside ours: through our bindings, the floor, the peers.
const BESIDE: [&str; 7] = ["ours in python", "ours in node", "floor", "crate", "python", "node", "uv"];

/// What is to be reached, of one row.
#[derive(Clone, Copy)]
enum Target {
    /// This side takes at least so many times what ours does.
    AtLeast(&'static str, f64),
    /// This side takes at most so many times what ours does.
    AtMost(&'static str, f64),
    /// Ours is at most this.
    Within(f64),
}

use Target::{AtLeast, AtMost, Within};

const MILLIS: f64 = 1e6;
const MEGABYTES: f64 = 1e6;

const TARGETS: &[(&str, &[Target])] = &[
    (
        "verify bundle v0.3",
        &[
            AtLeast("python", 3.0),
            AtLeast("node", 18.0),
            AtLeast("crate", 1.25),
            AtMost("ours in python", 1.1),
            AtMost("ours in node", 1.1),
        ],
    ),
    (
        "verify bundle Rekor v2",
        &[
            AtLeast("python", 3.0),
            AtLeast("node", 18.0),
            AtLeast("crate", 1.25),
            AtMost("ours in python", 1.1),
            AtMost("ours in node", 1.1),
        ],
    ),
    ("345 bundles, process start included", &[AtLeast("python", 12.0)]),
    ("verify by command, cold", &[AtLeast("python", 18.0), AtLeast("node", 6.0)]),
    ("verify by command, cold, peak memory", &[Within(20.0 * MEGABYTES)]),
    ("sign 1KB", &[AtLeast("python", 1.8), AtLeast("node", 3.0)]),
    ("sign 1MB", &[AtLeast("python", 4.0), AtLeast("node", 2.0)]),
    ("verify 1KB", &[AtLeast("python", 1.4), AtLeast("node", 1.2)]),
    ("verify 1MB", &[AtLeast("python", 4.0), AtLeast("node", 2.0)]),
    ("statement 1 subjects", &[AtLeast("python", 20.0)]),
    ("statement 1 subjects (StatementBuilder)", &[AtLeast("python", 1.5)]),
    ("statement 1000 subjects", &[AtLeast("python", 20.0)]),
    ("statement 1000 subjects (StatementBuilder)", &[AtLeast("python", 1.5)]),
    ("read and validate CycloneDX 10000", &[AtLeast("floor", 0.4)]),
    ("validate CycloneDX 10000 by command, peak memory", &[Within(100.0 * MEGABYTES)]),
    ("SBOM of a package-lock", &[AtLeast("node", 20.0)]),
    ("SBOM of a package-lock, peak memory", &[Within(60.0 * MEGABYTES)]),
    ("SBOM of a uv.lock", &[AtLeast("uv", 1.5)]),
    ("ledger of 10000: append, one writer", &[AtLeast("floor", 0.5)]),
    ("ledger of 10000: append, batch of 1,000, each", &[Within(MILLIS / 15.0)]),
    ("ledger of 10000: append, 16 processes, each", &[Within(MILLIS / 5.0)]),
    ("ledger of 10000: receipt from disk", &[Within(0.12 * MILLIS)]),
    ("ledger of 10000: search, 20 rows, p99", &[Within(5.0 * MILLIS)]),
    ("ledger of 10000: search, 100 rows proven", &[Within(20.0 * MILLIS)]),
    ("ledger of 10000: audit, bodies as well, peak memory", &[Within(150.0 * MEGABYTES)]),
    ("affected, 1,000 SBOMs of 1,000, first question", &[Within(50.0 * MILLIS)]),
    ("import, Python", &[Within(25.0 * MILLIS)]),
    ("import, Node", &[Within(25.0 * MILLIS)]),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut rows = measured(&root.join("../target"))?;
    // a second peer of the same work stands in a row of its own, with its name in brackets
    for second in rows.keys().filter(|row| row.contains(" (")).cloned().collect::<Vec<_>>() {
        let first = second.split_once(" (").and_then(|(work, _)| rows.get(work)?.get("ours").copied());
        if let (Some(ours), Some(sides)) = (first, rows.get_mut(&second)) {
            sides.entry("ours".to_owned()).or_insert(ours);
        }
    }
    print!("{:<44} {:>10}", "work", "ours");
    BESIDE.iter().for_each(|side| print!(" {side:>17}"));
    println!();
    for (row, sides) in &rows {
        print!("{row:<44} {:>10}", sides.get("ours").map_or("-".to_owned(), |ours| shown(row, *ours)));
        BESIDE.iter().for_each(|side| print!(" {:>17}", beside(row, sides, side)));
        println!();
    }
    let judged: Vec<_> = TARGETS
        .iter()
        .flat_map(|(row, targets)| targets.iter().map(|target| (*row, *target)))
        .map(|(row, target)| (row, target, rows.get(row).and_then(|sides| target.reached(sides))))
        .collect();
    println!();
    for (row, target, reached) in &judged {
        let verdict = match reached {
            Some(found) if target.is_met(*found) => "met",
            Some(_) => "MISSED",
            None => "NOT MEASURED",
        };
        println!("{verdict:<12} {row}: {}", target.shown(row, *reached));
    }
    std::fs::create_dir_all(root.join("results"))?;
    let latest = json!({
        "machine": machine(),
        "rows": rows.iter().map(|(row, sides)| (row.clone(), with_ratios(row, sides))).collect::<BTreeMap<_, _>>(),
        "targets": judged.iter().map(|(row, target, reached)| target.as_json(row, *reached)).collect::<Vec<_>>(),
    });
    std::fs::write(root.join("results/latest.json"), serde_json::to_string_pretty(&latest)? + "\n")?;
    Ok(())
}

/// The rows that benches and peers left behind.
fn measured(target: &Path) -> Result<BTreeMap<String, Sides>, Box<dyn std::error::Error>> {
    let mut rows: BTreeMap<String, Sides> = BTreeMap::new();
    for row in std::fs::read_dir(target.join("criterion"))?.flatten() {
        for side in ["ours", "crate", "floor"] {
            let Ok(text) = std::fs::read_to_string(row.path().join(side).join("new/estimates.json")) else { continue };
            let value: Value = serde_json::from_str(&text)?;
            if let Some(nanos) = value.pointer("/median/point_estimate").and_then(Value::as_f64) {
                let name = row.file_name().to_string_lossy().into_owned();
                rows.entry(name).or_default().insert(side.to_owned(), nanos);
            }
        }
    }
    for file in ["affected", "ledger", "bucket", "command", "peers/python", "peers/node"] {
        let Ok(text) = std::fs::read_to_string(target.join(format!("{file}.json"))) else { continue };
        if text.is_empty() {
            continue;
        }
        for (row, sides) in serde_json::from_str::<BTreeMap<String, Sides>>(&text)? {
            rows.entry(row).or_default().extend(sides);
        }
    }
    Ok(rows)
}

impl Target {
    /// The figure that it is about.
    fn reached(self, sides: &Sides) -> Option<f64> {
        let ours = sides.get("ours").copied()?;
        match self {
            AtLeast(side, _) | AtMost(side, _) => sides.get(side).map(|theirs| theirs / ours),
            Within(_) => Some(ours),
        }
    }

    fn is_met(self, reached: f64) -> bool {
        match self {
            AtLeast(_, ratio) => reached >= ratio,
            AtMost(_, bound) | Within(bound) => reached <= bound,
        }
    }

    fn shown(self, row: &str, reached: Option<f64>) -> String {
        let ratio = |found: Option<f64>| found.map_or("-".to_owned(), |found| format!("{found:.2}×"));
        match self {
            AtLeast(side, bound) => format!("{side} takes {} of ours, at least {bound}×", ratio(reached)),
            AtMost(side, bound) => format!("{side} takes {} of ours, at most {bound}×", ratio(reached)),
            Within(bound) => {
                let found = reached.map_or("-".to_owned(), |found| shown(row, found));
                format!("ours is {found}, at most {}", shown(row, bound))
            }
        }
    }

    fn as_json(self, row: &str, reached: Option<f64>) -> Value {
        let (side, bound) = match self {
            AtLeast(side, ratio) => (side, json!({ "atLeast": ratio })),
            AtMost(side, ratio) => (side, json!({ "atMost": ratio })),
            Within(bound) => ("ours", json!({ "atMost": bound })),
        };
        let met = reached.map(|found| self.is_met(found));
        json!({ "row": row, "side": side, "target": bound, "reached": reached, "met": met })
    }
}

fn is_memory(row: &str) -> bool {
    row.ends_with("memory")
}

/// A side's figure, and how many times ours that is.
fn beside(row: &str, sides: &Sides, side: &str) -> String {
    match (sides.get("ours"), sides.get(side)) {
        (Some(ours), Some(other)) => format!("{} ({:.2}×)", shown(row, *other), other / ours),
        (None, Some(other)) => shown(row, *other),
        _ => "-".to_owned(),
    }
}

fn shown(row: &str, figure: f64) -> String {
    match figure {
        bytes if is_memory(row) => format!("{:.1} MB", bytes / MEGABYTES),
        n if n >= 1e9 => format!("{:.2} s", n / 1e9),
        n if n >= 1e6 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.1} µs", n / 1e3),
    }
}

fn with_ratios(row: &str, sides: &Sides) -> Value {
    let ours = sides.get("ours");
    let others: BTreeSet<_> = sides.keys().filter(|side| *side != "ours").collect();
    let ratios: BTreeMap<_, _> = others.into_iter().filter_map(|side| Some((side, sides.get(side)? / ours?))).collect();
    json!({ "unit": if is_memory(row) { "bytes" } else { "ns" }, "sides": sides, "toOurs": ratios })
}

/// On what it was measured, and what else the machine did then.
fn machine() -> Value {
    let of = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = of("/proc/cpuinfo");
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    json!({ "os": std::env::consts::OS, "architecture": std::env::consts::ARCH, "model": model, "cores": cores,
        "load": of("/proc/loadavg").trim() })
}
