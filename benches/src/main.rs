//! Prints what the last run of the benches measured: ours, the floor, the ratio; and writes `results/latest.json`.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of this project that prints what it reads in files of this project"
)]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let measured = root.join("../target/criterion");
    let mut groups: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for group in std::fs::read_dir(measured)?.flatten() {
        for side in ["ours", "floor"] {
            let estimates = group.path().join(side).join("new/estimates.json");
            let Ok(text) = std::fs::read_to_string(estimates) else { continue };
            let value: Value = serde_json::from_str(&text)?;
            let nanos = value.pointer("/median/point_estimate").and_then(Value::as_f64).unwrap_or_default();
            let name = group.file_name().to_string_lossy().into_owned();
            groups.entry(name).or_default().insert(side.to_owned(), nanos);
        }
    }
    println!("{:<28} {:>12} {:>12} {:>8}", "work", "ours", "floor", "ratio");
    let mut results = serde_json::Map::new();
    for (name, sides) in &groups {
        let ours = sides.get("ours").copied().unwrap_or_default();
        let floor = sides.get("floor").copied();
        let ratio = floor.map(|f| ours / f);
        let shown = |n: Option<f64>| n.map_or_else(|| "-".to_owned(), |n| format!("{:.1} µs", n / 1000.0));
        let shown_ratio = ratio.map_or_else(|| "-".to_owned(), |r| format!("{r:.1}"));
        println!("{name:<28} {:>12} {:>12} {shown_ratio:>8}", shown(Some(ours)), shown(floor));
        results.insert(name.clone(), json!({ "oursNanos": ours, "floorNanos": floor, "ratio": ratio }));
    }
    let out = root.join("results/latest.json");
    std::fs::create_dir_all(root.join("results"))?;
    std::fs::write(out, serde_json::to_string_pretty(&results)? + "\n")?;
    Ok(())
}
