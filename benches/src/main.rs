//! Prints what the last run of the benches measured: ours, the peers, the floor and the ratios; and writes
//! `results/latest.json`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of this project that prints what it reads in files of this project"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// Median nanoseconds by side (`ours`, `crate`, `python`, `node`, `floor`).
type Sides = BTreeMap<String, f64>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut rows: BTreeMap<String, Sides> = BTreeMap::new();
    for row in std::fs::read_dir(root.join("../target/criterion"))?.flatten() {
        for side in ["ours", "crate", "floor"] {
            let estimates = row.path().join(side).join("new/estimates.json");
            let Ok(text) = std::fs::read_to_string(estimates) else { continue };
            let value: Value = serde_json::from_str(&text)?;
            if let Some(nanos) = value.pointer("/median/point_estimate").and_then(Value::as_f64) {
                let name = row.file_name().to_string_lossy().into_owned();
                rows.entry(name).or_default().insert(side.to_owned(), nanos);
            }
        }
    }
    for of_ledgers in ["ledger", "bucket"] {
        let Ok(text) = std::fs::read_to_string(root.join(format!("../target/{of_ledgers}.json"))) else { continue };
        rows.extend(serde_json::from_str::<BTreeMap<String, Sides>>(&text)?);
    }
    for peer in ["python", "node"] {
        let Ok(text) = std::fs::read_to_string(root.join(format!("../target/peers/{peer}.json"))) else { continue };
        let measured: BTreeMap<String, f64> = serde_json::from_str(&text)?;
        for (row, nanos) in measured {
            rows.entry(row).or_default().insert(peer.to_owned(), nanos);
        }
    }
    println!("{:<36} {:>9} {:>16} {:>16} {:>16} {:>16}", "work", "ours", "floor", "crate", "python", "node");
    for (row, sides) in &rows {
        // a second peer of the same work stands in a row of its own, with its name in brackets
        let same = row.split_once(" (").and_then(|(work, _)| rows.get(work));
        let ours = sides.get("ours").or_else(|| same?.get("ours")).copied();
        let beside = ["floor", "crate", "python", "node"].map(|side| beside(ours, sides.get(side).copied()));
        let [floor, the_crate, python, node] = beside;
        println!("{row:<36} {:>9} {floor:>16} {the_crate:>16} {python:>16} {node:>16}", shown(ours));
    }
    std::fs::create_dir_all(root.join("results"))?;
    std::fs::write(root.join("results/latest.json"), serde_json::to_string_pretty(&rows)? + "\n")?;
    Ok(())
}

/// A peer's time, and how many times ours that is.
fn beside(ours: Option<f64>, other: Option<f64>) -> String {
    match (ours, other) {
        (Some(ours), Some(other)) => format!("{} ({:.1}×)", shown(Some(other)), other / ours),
        (None, Some(other)) => shown(Some(other)),
        _ => "-".to_owned(),
    }
}

fn shown(nanos: Option<f64>) -> String {
    match nanos {
        Some(n) if n >= 1e9 => format!("{:.2} s", n / 1e9),
        Some(n) if n >= 1e6 => format!("{:.1} ms", n / 1e6),
        Some(n) => format!("{:.1} µs", n / 1e3),
        None => "-".to_owned(),
    }
}
