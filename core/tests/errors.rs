//! The guide to errors against the kinds there are.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::path::Path;

use sealwright::ErrorKind;

#[test]
fn the_guide_has_one_line_for_each_kind_with_its_code_class_and_exit() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guide/errors.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let mut told: Vec<Vec<String>> = guide
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
        .collect();
    assert!(told.iter().all(|line| line.len() == 6 && line.iter().all(|cell| !cell.is_empty())), "{told:?}");
    for line in &mut told {
        line.truncate(4);
    }
    let mut kinds: Vec<Vec<String>> = ErrorKind::ALL
        .iter()
        .map(|kind| {
            let exit = if kind.is_refusal() { "1" } else { "2" };
            vec![kind.code().to_owned(), format!("{kind:?}"), kind.class().name().to_owned(), exit.to_owned()]
        })
        .collect();
    told.sort_unstable();
    kinds.sort_unstable();
    assert_eq!(told, kinds);
}
