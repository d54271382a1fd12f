//! Where the corpora lie: real data that others made, with known answers.
#![allow(dead_code, clippy::print_stderr, clippy::disallowed_methods, reason = "tests, each with its own part of it")]

use std::path::PathBuf;

/// The folder `path` of the corpora. Where there is none, says that what needs it was not run.
pub(crate) fn corpora(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SEALWRIGHT_CORPORA")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora").into(), PathBuf::from);
    let found = root.join(path);
    if !found.exists() {
        let must = std::env::var_os("SEALWRIGHT_DEMAND_CORPORA").is_some();
        assert!(!must, "the corpora are demanded, and `{}` is not there", found.display());
        eprintln!("not run, no corpora: {path}");
        return None;
    }
    Some(found)
}
