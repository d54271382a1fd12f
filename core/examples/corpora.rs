//! Verifies everything in the corpora and prints how many bundles passed and were refused, and how many had to be:
//! `cargo run --example corpora`. Ends with 1 if anything is not as its owners state.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "an example that reads test data"
)]

#[path = "../tests/corpora/mod.rs"]
mod corpora;
#[path = "../tests/sigstore_cases/mod.rs"]
mod sigstore_cases;

use std::process::ExitCode;

use sigstore_cases::{Case, Expected};

fn main() -> ExitCode {
    let Some(bundles) = corpora::corpora("sigstore-bundles") else {
        return ExitCode::FAILURE;
    };
    println!("{:<28} {:>6} {:>9} {:>7} {:>8}", "corpus", "cases", "must pass", "passed", "refused");
    let mut surprises = Vec::new();
    for (corpus, cases) in [
        ("conformance", sigstore_cases::conformance(&bundles)),
        ("cpython-releases", sigstore_cases::cpython(&bundles)),
        ("other clients", sigstore_cases::others(&bundles)),
    ] {
        surprises.extend(row(corpus, &cases));
    }
    surprises.iter().for_each(|surprise| eprintln!("{surprise}"));
    if surprises.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn row(corpus: &str, cases: &[Case]) -> Vec<String> {
    let must_pass = cases.iter().filter(|c| c.expected == Expected::Passes).count();
    let passed = cases.iter().filter(|c| c.run().is_ok()).count();
    println!("{corpus:<28} {:>6} {must_pass:>9} {passed:>7} {:>8}", cases.len(), cases.len() - passed);
    cases.iter().filter_map(Case::surprise).map(|s| format!("{corpus}: {s}")).collect()
}
