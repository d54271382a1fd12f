//! All benches in one program, which is linked once: `cargo bench -p sealwright-benches`, or one of them by its name,
//! `cargo bench -p sealwright-benches -- ledger 1000000`.
#![allow(missing_docs, clippy::print_stderr, reason = "a bench")]

mod affected;
mod attest;
mod bucket;
mod command;
mod ledger;
mod sbom;
mod serve;
mod sigstore;

const NAMES: [&str; 8] = ["affected", "attest", "bucket", "command", "ledger", "sbom", "serve", "sigstore"];
/// The largest ledger, in entries, unless another is given.
const ENTRIES: u64 = 10_000;

fn main() {
    // cargo adds a flag of its own
    let given: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match given.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => NAMES.into_iter().for_each(|name| run(name, ENTRIES)),
        [name] if NAMES.contains(name) => run(name, ENTRIES),
        ["ledger", role, dir, name] => ledger::run_part(role, dir, name),
        [name @ ("ledger" | "bucket"), largest] if largest.parse::<u64>().is_ok() => {
            run(name, largest.parse().unwrap_or(ENTRIES));
        }
        _ => {
            eprintln!("expected one of {}, and after `ledger` or `bucket` the largest size", NAMES.join(", "));
            std::process::exit(2);
        }
    }
}

fn run(name: &str, largest: u64) {
    match name {
        "affected" => affected::run(),
        "attest" => attest::run(),
        "bucket" => bucket::run(largest),
        "command" => command::run(),
        "ledger" => ledger::run(largest),
        "sbom" => sbom::run(),
        "serve" => serve::run(),
        _ => sigstore::run(),
    }
}
