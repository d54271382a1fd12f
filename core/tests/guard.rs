//! The guard: what it finds, what it leaves alone, and how often it is wrong about real files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

mod corpora;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use sealwright::guard::{Guard, refuse};
use sealwright::limits;
use sealwright::statement::Statement;
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
fn only_a_value_that_is_a_placeholder_as_a_whole_is_one() {
    let guard = Guard::built_in();
    for value in [
        "Tr0ub4dor$3x",
        "$ecretValue",
        "hunter{2}hunter",
        "a<bcdefghi",
        "100%secret!",
        "pass*word*1",
        "exampleTr0ub4dor",
        "${A}secret1",
        "secret1${A}",
        "${A}x${B}",
        "<a>secret1<b>",
        "%A%secret%",
        "xxxx1xxxx",
        "$PASSWORDx",
        "{{a}}b{{c}}",
        "masked-not-at-all",
    ] {
        let found: Vec<_> = guard.text(&format!(r#"password = "{value}""#)).into_iter().map(|hit| hit.rule).collect();
        assert_eq!(found, ["password"], "{value}");
    }
    for value in [
        "$PASSWORD",
        "$DB_PASSWORD",
        "${DB_PASSWORD}",
        "${{secrets.PASSWORD}}",
        "{{vault.password}}",
        "<password>",
        "%PASSWORD%",
        "********",
        "xxxxxxxx",
        "XXXXXXXX",
        "changeme",
        "REDACTED",
        "[REDACTED]",
        "placeholder",
        "password",
    ] {
        assert_eq!(guard.text(&format!(r#"password = "{value}""#)), [], "{value}");
    }
    assert_eq!(guard.text("postgres://u:p%40ssw0rd@db/x").len(), 1);
    assert_eq!(guard.text("postgres://u:$PASSWORD@db/x"), []);
}

#[test]
fn a_name_tells_what_its_value_in_json_is() {
    let guard = Guard::built_in();
    let told = |value: &serde_json::Value| -> Vec<_> {
        guard.json(value).into_iter().map(|hit| format!("{} {}", hit.rule, hit.place)).collect()
    };
    let value = json!({ "password": "hunter2hunter2", "mrn": "12345678", "dob": "1980-01-02", "in": { "MRN": 12_345_678 },
        "authorization": "Bearer a1B2c3D4e5F6g7H8i9J0" });
    let mut found = told(&value);
    found.sort();
    assert_eq!(
        found,
        [
            "authorization /authorization",
            "date-of-birth /dob",
            "medical-record-number /in/MRN",
            "medical-record-number /mrn",
            "password /password"
        ]
    );
    // told by the value alone, once
    assert_eq!(told(&json!({ "card": "4111 1111 1111 1111" })), ["card-number /card"]);
    assert_eq!(told(&json!({ "123-45-6789": "x" })), ["social-security-number "]);
    assert_eq!(told(&json!({ "password": "${PASSWORD}", "note": "12345678", "dob": null })), [""; 0]);
}

#[test]
fn a_card_behind_another_number_is_found() {
    let guard = Guard::built_in();
    for text in [
        "order 7 4111111111111111",
        "2026 4111 1111 1111 1111",
        "7 4111-1111-1111-1111 2",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 4111 1111 1111 1111 16 17 18 19 20",
    ] {
        let found: Vec<_> = guard.text(text).into_iter().map(|hit| hit.rule).collect();
        assert_eq!(found, ["card-number"], "{text}");
    }
    for text in ["order 7 4111111111111112", "74111111111111111", "2026 41111111111111111 2", "4111111111111111a"] {
        assert_eq!(guard.text(text), [], "{text}");
    }
}

#[test]
fn all_that_a_subject_says_is_searched() {
    let digest = json!({ "sha256": "ab".repeat(32) });
    for subject in [
        json!({ "digest": digest, "downloadLocation": "https://u:hunter2hunter2@x.example/y" }),
        json!({ "digest": digest, "annotations": { "note": ["123-45-6789"] } }),
        json!({ "digest": digest, "annotations": { "password": "hunter2hunter2" } }),
    ] {
        let payload = json!({ "_type": "https://in-toto.io/Statement/v1", "subject": [subject],
            "predicateType": "https://x.example/y/v1", "predicate": {} });
        let statement = Statement::parse(payload.to_string().into_bytes()).unwrap();
        let e = Guard::built_in().check(&statement).unwrap_err();
        assert_eq!(e.code(), "REGULATED_DATA");
        assert!(e.message().contains("subject 0") && !e.message().contains("hunter2"), "{e}");
    }
}

#[test]
fn a_long_text_full_of_hits_gives_no_endless_list() {
    let guard = Guard::built_in();
    let text = "123-45-6789\nMRN 12345678\n".repeat(60_000);
    let hits = guard.text(&text);
    for rule in ["social-security-number", "medical-record-number"] {
        let of_rule = hits.iter().filter(|hit| hit.rule == rule).count();
        assert_eq!(of_rule, limits::GUARD_HITS, "{rule}");
    }
    assert_eq!((hits[0].place.as_str(), hits[1].place.as_str()), ("line 1", "line 3"));
    let many: Vec<_> = (0..2 * limits::GUARD_HITS).map(|_| "123-45-6789").collect();
    assert_eq!(guard.json(&json!(many)).len(), limits::GUARD_HITS);
}

#[test]
fn numbers_of_any_length_are_no_panic_under_any_check() {
    for check in ["luhn", "ssn", "iban", "nhs", "secret", "none"] {
        let rules = json!({ "v": "sealwright-guard/v1", "rules": [
            { "id": "own", "class": "phi", "pattern": r"([0-9A-Z]+)", "check": check }] });
        let guard = Guard::built_in().with_rules(rules.to_string().as_bytes()).unwrap();
        for length in 0..60 {
            for digit in ["9", "0", "4", "Z"] {
                let found = guard.text(&digit.repeat(length)).iter().any(|hit| hit.rule == "own");
                assert!(!found || check != "ssn" || length == 9, "{check} {length}");
            }
        }
        assert!(check != "ssn" || guard.text("123456789").iter().any(|hit| hit.rule == "own"));
    }
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
