//! The guard: what it finds, what it leaves alone, and how often it is wrong about real files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod corpora;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sealwright::guard::{Guard, refuse};
use serde_json::json;

use self::corpora::corpora;

#[test]
fn each_secret_is_found_by_its_rule() {
    let guard = Guard::built_in();
    let long = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6";
    for (rule, text) in [
        ("private-key", "-----BEGIN EC PRIVATE KEY-----".to_owned()),
        ("aws-access-key", "id AKIAQWERTYUIOPASDFGH".to_owned()),
        ("github-token", format!("ghp_{}", &long[..36])),
        ("gitlab-token", format!("glpat-{}", &long[..20])),
        ("slack-token", format!("xoxb-{}", &long[..24])),
        ("google-api-key", format!("AIza{}", &long[..35])),
        ("stripe-key", format!("sk_live_{}", &long[..24])),
        ("npm-token", format!("npm_{}", &long[..36])),
        ("vault-token", format!("hvs.{}", &long[..24])),
        ("json-web-token", format!("eyJ{}.eyJ{}.{}", &long[..12], &long[..12], &long[..20])),
        ("authorization", format!("Authorization: Bearer {}", &long[..20])),
        ("connection-string", "postgres://app:hunter22@db.example.org/shop".to_owned()),
        ("password", r#"password = "correct horse""#.replace(' ', "")),
        ("iban", "DE89 3704 0044 0532 0130 00".to_owned()),
        ("medical-record-number", "MRN: 12345678".to_owned()),
        ("date-of-birth", "DOB 1970-01-02".to_owned()),
    ] {
        let found: Vec<_> = guard.text(&text).into_iter().map(|hit| hit.rule).collect();
        assert_eq!(found, [rule], "{text}");
    }
}

#[test]
fn what_stands_for_a_secret_is_none() {
    let guard = Guard::built_in();
    for clean in [
        "AKIAIOSFODNN7EXAMPLE",
        "postgres://app:${PASSWORD}@db.example.org/shop",
        "https://user:****@example.org/x",
        r#"password: "<your password>""#,
        "sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d",
        "1795253400000 1795253400123456789",
        "d20ace7968ba43c0219f62d71334c1095bab1602",
        "550e8400-e29b-41d4-a716-446655440000",
        "call 555-123-4567",
    ] {
        assert_eq!(guard.text(clean), [], "{clean}");
    }
}

#[test]
fn a_place_is_named_and_a_value_never() {
    let guard = Guard::built_in();
    let hits = guard.json(
        &json!({"a": [{"note": "123-45-6789"}, 4_111_111_111_111_111_u64], "123-45-6789": {"x": "MRN 12345678"}}),
    );
    let places: Vec<_> = hits.iter().map(|hit| hit.place.as_str()).collect();
    assert_eq!(places, ["", "/…/x", "/a/0/note", "/a/1"]);
    let e = refuse("record", &hits).unwrap_err();
    assert_eq!(e.code(), "REGULATED_DATA");
    assert!(!e.message().contains("6789") && !e.message().contains("4111"), "{e}");
}

#[test]
fn real_boms_and_lock_files_are_not_taken_for_secrets() {
    let guard = Guard::built_in();
    let (mut files, mut hits) = (0, Vec::new());
    for folder in ["cyclonedx", "spdx", "lockfiles"] {
        let Some(dir) = corpora(folder) else { return };
        for path in below(&dir) {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            files += 1;
            for hit in guard.text(&text) {
                hits.push(format!("{} {} {}", path.strip_prefix(&dir).unwrap().display(), hit.rule, hit.place));
            }
        }
    }
    println!("{} hits in {files} files: {hits:#?}", hits.len());
    assert!(hits.len() * 100 <= files, "{hits:#?}");
}

fn below(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// The digit that makes the Luhn sum of a card with these digits before it come out.
fn check_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .chars()
        .rev()
        .enumerate()
        .map(|(i, c)| {
            let digit = c.to_digit(10).unwrap();
            if i % 2 == 0 { (digit * 2) / 10 + (digit * 2) % 10 } else { digit }
        })
        .sum();
    (10 - sum % 10) % 10
}

proptest! {
    #[test]
    fn of_ten_numbers_that_end_otherwise_exactly_one_is_a_card(rest in "[0-9]{14}") {
        let digits = format!("4{rest}");
        let guard = Guard::built_in();
        for last in 0..10 {
            let found = guard.text(&format!("no. {digits}{last}")).iter().any(|hit| hit.rule == "card-number");
            prop_assert_eq!(found, last == check_digit(&digits));
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_no_place_lies_beyond_the_text(text in "(?s).{0,400}") {
        let lines = text.matches('\n').count() + 1;
        for hit in Guard::built_in().text(&text) {
            let line: usize = hit.place.trim_start_matches("line ").parse().unwrap();
            prop_assert!(line >= 1 && line <= lines);
        }
    }
}
