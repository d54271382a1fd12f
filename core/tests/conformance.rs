//! The official suite of Sigstore clients, run as its own client runs a command line.
#![cfg(feature = "keyless")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod corpora;

use std::path::{Path, PathBuf};
use std::process::Command;

use corpora::corpora;
use sealwright::digest::Digest;

const IDENTITY: &str = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/\
                        workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// The command, which `cargo test` builds and puts beside the tests.
fn command() -> Command {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    path.push("conformance");
    assert!(
        path.exists(),
        "for a run of this test alone: cargo build -p sealwright --all-features --example conformance"
    );
    Command::new(path)
}

/// What the suite's README says of a folder of a case.
fn arguments(case: &Path, by_digest: bool) -> Vec<String> {
    let file = |name: &str| Some(case.join(name)).filter(|path| path.exists());
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let said = |name: &str, otherwise: &str| {
        file(name).map_or(otherwise.to_owned(), |path| std::fs::read_to_string(path).unwrap().trim().to_owned())
    };
    let mut arguments =
        vec!["verify-bundle".to_owned(), "--bundle".to_owned(), text(case.join("bundle.sigstore.json"))];
    match file("key.pub") {
        Some(key) => arguments.extend(["--key".to_owned(), text(key)]),
        None => {
            arguments.extend(["--certificate-identity".to_owned(), said("identity", IDENTITY)]);
            arguments.extend(["--certificate-oidc-issuer".to_owned(), said("issuer", ISSUER)]);
        }
    }
    if let Some(root) = file("trusted_root.json") {
        arguments.extend(["--trusted-root".to_owned(), text(root)]);
    }
    let artifact = file("artifact").unwrap_or_else(|| case.parent().unwrap().join("a.txt"));
    arguments.push(if by_digest { Digest::of_file(&artifact).unwrap().to_string() } else { text(artifact) });
    arguments
}

#[test]
fn each_case_of_the_conformance_suite_ends_as_it_must_by_file_and_by_digest() {
    let Some(folder) = corpora("sigstore-bundles/conformance") else { return };
    let cases = std::fs::read(folder.join("cases.json")).unwrap();
    let cases: Vec<serde_json::Value> = serde_json::from_slice(&cases).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case["case"].as_str().unwrap();
        let expected = case["expect"] == "ok";
        assert_eq!(expected, !name.ends_with("_fail"));
        for by_digest in [false, true] {
            let out = command().args(arguments(&folder.join("bundle-verify").join(name), by_digest)).output().unwrap();
            let said = String::from_utf8_lossy(&out.stderr);
            // a refusal says why; a command that was called wrongly has refused nothing
            let refused = out.status.code() == Some(1) && !said.starts_with("API_MISUSE");
            if (expected, refused) != (out.status.success(), !expected) {
                wrong.push(format!("{name} (by digest: {by_digest}): {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), 2 * cases.len(), wrong.join(""));
    assert_eq!(cases.len(), 70);
}

#[test]
fn a_command_line_without_a_bundle_or_a_verdict_is_an_error() {
    for bad in [
        &[][..],
        &["verify"],
        &["verify-bundle", "a"],
        &["sign-bundle", "--bundle", "b", "a"],
        &["sign-bundle", "--bundle"],
    ] {
        let out = command().args(bad).output().unwrap();
        assert_eq!(out.status.code(), Some(1), "{bad:?}");
        assert!(String::from_utf8_lossy(&out.stderr).starts_with("API_MISUSE"), "{bad:?}");
    }
}
