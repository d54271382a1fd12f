//! Whether a version is in a range as Poetry and PDM write it, to tell apart several versions of one package.

use std::cmp::Ordering;

use crate::sbom::version::compare;

/// Whether `range` allows `version`; what can't be read allows all, so that no edge is lost.
pub(super) fn allows(range: &str, version: &str) -> bool {
    range.split("||").flat_map(|part| part.split('|')).any(|all| {
        let mut parts = all.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.all(|part| holds(part, version))
    })
}

fn holds(part: &str, version: &str) -> bool {
    let operators = ["===", "==", "~=", "!=", "<=", ">=", "<", ">", "^", "~", "="];
    let operator = operators.into_iter().find(|operator| part.starts_with(operator)).unwrap_or_default();
    let bound = part.strip_prefix(operator).unwrap_or(part).trim();
    if bound.is_empty() || bound == "*" {
        return true;
    }
    if let Some(start) = bound.strip_suffix(".*") {
        return starts(version, start) == (operator != "!=");
    }
    let order = compare(version, bound);
    let below = |places| next(bound, places).is_none_or(|end| compare(version, &end) == Ordering::Less);
    let numbers = release(bound);
    match operator {
        ">=" => order != Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        "<" => order == Ordering::Less,
        "!=" => order != Ordering::Equal,
        "^" => {
            let first = numbers.iter().position(|n| *n != 0).unwrap_or(numbers.len().saturating_sub(1));
            order != Ordering::Less && below(first + 1)
        }
        "~" => order != Ordering::Less && below(numbers.len().min(2)),
        "~=" => order != Ordering::Less && below(numbers.len().saturating_sub(1).max(1)),
        _ => order == Ordering::Equal,
    }
}

/// The numbers that a version begins with.
fn release(version: &str) -> Vec<u64> {
    let digits = version.split_once('!').map_or(version, |(_, rest)| rest);
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
    let numbers = digits.get(..end).unwrap_or_default().split('.');
    numbers.map_while(|n| n.parse().ok()).collect()
}

/// The version that follows all that begin with the first `places` numbers of `version`.
fn next(version: &str, places: usize) -> Option<String> {
    let mut numbers: Vec<u64> = release(version).into_iter().take(places).collect();
    let last = numbers.last_mut()?;
    *last = last.checked_add(1)?;
    Some(numbers.iter().map(u64::to_string).collect::<Vec<_>>().join("."))
}

fn starts(version: &str, start: &str) -> bool {
    let (version, start) = (release(version), release(start));
    start.iter().enumerate().all(|(n, number)| version.get(n).copied().unwrap_or(0) == *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_poetry_and_pip_are_told() {
        for (range, inside, outside) in [
            (">=1.2,<2", "1.9", "2.0"),
            ("^1.2.3", "1.9.0", "2.0.0"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("~1.2.3", "1.2.9", "1.3.0"),
            ("~1", "1.9", "2.0"),
            ("~=1.4.2", "1.4.9", "1.5"),
            ("~=1.4", "1.9", "2.0"),
            ("1.2.*", "1.2.9", "1.3"),
            ("!=1.2.*", "1.3", "1.2.1"),
            ("==1.0", "1.0.0", "1.0.1"),
            ("1.0", "1.0", "1.1"),
            (">=3 || <1", "0.9", "2.0"),
        ] {
            assert!(allows(range, inside), "{range} {inside}");
            assert!(!allows(range, outside), "{range} {outside}");
        }
        for any in ["*", "", "^x", ">="] {
            assert!(allows(any, "1.0"), "{any}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(range in r"\PC{0,40}", near in "[0-9.*<>=!~^|, a-z]{0,30}", version in r"\PC{0,20}") {
            let _ = (allows(&range, &version), allows(&near, &version), allows(&near, &near));
        }
    }
}
