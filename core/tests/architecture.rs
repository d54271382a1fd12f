//! Holds the module order of `core`: a module uses only modules above it, and no file is too long to read.
//!
//! The order is that of docs/architecture.md. An arrow that points down, or a cycle, fails here.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// From the bottom of the dependency order (uses nothing) to its top. Modules of one line do not use each other.
const ORDER: &[&str] = &[
    "error",
    "limits",
    "random",
    "json",
    "address",
    "timestamp",
    "digest",
    "artifact",
    "predicate",
    "statement",
    "guard",
    "envelope",
    "key",
    "merkle",
    "checkpoint",
    "bundle",
    "trust",
    "signer",
    "encryption",
    "verifier",
    "provenance",
    "ci",
    "commit",
    "keyless",
    "layout",
    "trust_policy",
    "image",
    "sbom",
    "ingest",
    "policy",
    "ledger",
    "gate",
    "release",
    "affected",
    "alert",
    "report",
    "pack",
    "oci",
    "spool",
    "remote",
    "opening",
    "serve",
    "cli",
];

/// Longest file, in lines (CONTRIBUTING.md).
const LONGEST: usize = 700;

/// Most lines of a binding, in percent of core's (decision 0018).
const BINDING_PERCENT: usize = 8;

#[test]
fn each_module_uses_only_modules_above_it() {
    let faults = faults(&sources(&root().join("src")));
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn a_planted_arrow_that_points_down_is_found() {
    let planted = BTreeMap::from([("digest.rs".to_owned(), "use crate::ledger::Ledger;".to_owned())]);
    assert_eq!(faults(&planted), ["digest.rs: `digest` uses `ledger`, which stands below it"]);
    let inline = BTreeMap::from([("error.rs".to_owned(), "fn f() { crate::json::check(b\"\"); }".to_owned())]);
    assert_eq!(faults(&inline), ["error.rs: `error` uses `json`, which stands below it"]);
    let grouped = BTreeMap::from([(
        "key.rs".to_owned(),
        "use crate::{\n  error::Error,\n  verifier::{Verified},\n};".to_owned(),
    )]);
    assert_eq!(faults(&grouped), ["key.rs: `key` uses `verifier`, which stands below it"]);
}

#[test]
fn a_path_that_climbs_out_of_its_module_is_found() {
    let planted = BTreeMap::from([("ledger/append.rs".to_owned(), "use super::super::gate::Permit;".to_owned())]);
    assert_eq!(faults(&planted), ["ledger/append.rs: `super::super::` hides which module is used; write `crate::`"]);
}

#[test]
fn a_planted_cycle_is_found() {
    let planted = BTreeMap::from([
        ("gate.rs".to_owned(), "use crate::ledger::Ledger;".to_owned()),
        ("ledger/append.rs".to_owned(), "use crate::gate::Permit;".to_owned()),
    ]);
    let found = faults(&planted);
    assert!(found.contains(&"cycle: gate -> ledger -> gate".to_owned()), "{found:?}");
}

#[test]
fn a_module_that_is_not_in_the_order_is_found() {
    let planted = BTreeMap::from([("utils.rs".to_owned(), String::new())]);
    assert_eq!(faults(&planted), ["utils.rs: `utils` is not in the module order; give it a place"]);
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    let mut long = Vec::new();
    let bindings = root().join("../bindings");
    for dir in [root().join("src"), root().join("tests"), bindings.join("python/src"), bindings.join("node/src")] {
        for (name, text) in sources(&dir) {
            if text.lines().count() > LONGEST {
                long.push(format!("{}/{name}: {} lines", dir.display(), text.lines().count()));
            }
        }
    }
    assert!(long.is_empty(), "over {LONGEST} lines:\n{}", long.join("\n"));
}

#[test]
fn a_binding_is_thin() {
    let core = lines(&root().join("src"), &["rs"]);
    // everything that is written by hand and is no test; declarations and loader of Node are generated
    for (name, folders) in [("python", ["src", "python"]), ("node", ["src", "bin"])] {
        let binding = root().join("../bindings").join(name);
        let own: usize = folders.iter().map(|f| lines(&binding.join(f), &["rs", "py", "pyi", "js", "ts"])).sum();
        assert!(own > 1000, "{name} was not found");
        assert!(100 * own <= BINDING_PERCENT * core, "{name} has {own} lines, core {core}");
    }
}

fn lines(dir: &Path, endings: &[&str]) -> usize {
    let entries = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path());
    let count = |path: std::path::PathBuf| match path.extension().and_then(|e| e.to_str()) {
        _ if path.is_dir() => lines(&path, endings),
        Some(ending) if endings.contains(&ending) => std::fs::read_to_string(&path).unwrap().lines().count(),
        _ => 0,
    };
    entries.map(count).sum()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(dir: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.map(|e| e.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// What is wrong with the arrows of these files, given by their path below `src`.
fn faults(sources: &BTreeMap<String, String>) -> Vec<String> {
    let place = |module: &str| ORDER.iter().position(|m| *m == module);
    let mut faults = Vec::new();
    let mut arrows: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources {
        let module = file.split('/').next().unwrap().trim_end_matches(".rs");
        if matches!(module, "lib" | "bin") {
            continue;
        }
        let Some(own) = place(module) else {
            faults.push(format!("{file}: `{module}` is not in the module order; give it a place"));
            continue;
        };
        if module != "cli" && text.lines().any(|l| !l.trim_start().starts_with("//") && l.contains("super::super::")) {
            faults.push(format!("{file}: `super::super::` hides which module is used; write `crate::`"));
        }
        for used in modules_used(text) {
            if used == module {
                continue;
            }
            arrows.entry(module).or_default().insert(used.clone());
            match place(&used) {
                Some(other) if other < own => {}
                Some(_) => faults.push(format!("{file}: `{module}` uses `{used}`, which stands below it")),
                None => faults.push(format!("{file}: `{module}` uses `{used}`, which is not in the module order")),
            }
        }
    }
    for start in arrows.keys() {
        let mut path = vec![(*start).to_owned()];
        cycles(start, &arrows, &mut path, &mut faults);
    }
    faults
}

fn cycles(start: &str, arrows: &BTreeMap<&str, BTreeSet<String>>, path: &mut Vec<String>, faults: &mut Vec<String>) {
    let Some(next) = arrows.get(path.last().unwrap().as_str()) else { return };
    for module in next {
        if module == start {
            // each cycle is told once, from its first name in the alphabet
            if path.iter().all(|m| m.as_str() >= start) {
                faults.push(format!("cycle: {} -> {start}", path.join(" -> ")));
            }
        } else if !path.contains(module) {
            path.push(module.clone());
            cycles(start, arrows, path, faults);
            path.pop();
        }
    }
}

/// The modules of this crate that a file names, by `crate::x` or `use crate::{x, y}`, comments and docs aside.
fn modules_used(text: &str) -> BTreeSet<String> {
    let code: String = text.lines().filter(|l| !l.trim_start().starts_with("//")).flat_map(|l| [l, "\n"]).collect();
    let mut used = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        used.insert(std::mem::take(&mut name));
                    }
                    c if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            used.insert(name);
        } else {
            used.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    used.into_iter()
        .map(|name| name.trim().split("::").next().unwrap_or_default().to_owned())
        .filter(|name| name.chars().next().is_some_and(char::is_lowercase))
        .collect()
}
