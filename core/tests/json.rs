//! RFC 8785 against the published vectors.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]

use sealwright::json::{Value, canonical, parse};

#[test]
fn the_canonical_form_equals_the_published_vectors() {
    let root = std::env::var_os("SEALWRIGHT_CORPORA")
        .map_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpora").into(), std::path::PathBuf::from);
    let dir = root.join("crypto-vectors/jcs-rfc8785/testdata");
    if !dir.is_dir() {
        eprintln!("not run: 6 vectors of RFC 8785, no corpora");
        return;
    }
    let mut seen = 0;
    for entry in std::fs::read_dir(dir.join("input")).unwrap() {
        let name = entry.unwrap().file_name();
        let value: Value = parse("vector", &std::fs::read(dir.join("input").join(&name)).unwrap()).unwrap();
        let expected = std::fs::read(dir.join("output").join(&name)).unwrap();
        assert_eq!(canonical("vector", &value).unwrap(), expected, "{}", name.display());
        seen += 1;
    }
    assert!(seen >= 6, "only {seen} vectors");
}
