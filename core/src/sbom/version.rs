//! Order of versions and ranges of them, without asking which package manager gave them.

use std::cmp::Ordering;
use std::str::FromStr;

use super::document::short;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// Tags of what comes before a release, in their order.
const BEFORE: [&str; 11] = ["dev", "snapshot", "a", "alpha", "b", "beta", "m", "milestone", "pre", "c", "rc"];

/// Which of two versions is newer: epochs, then runs of digits by their value and of letters by the alphabet, tags such
/// as `rc` before what has none. What follows a `+` is a build and says nothing. This is the order that SemVer, PEP 440,
/// Maven, Debian and RPM share for what they have in common.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    for n in 0..a.len().max(b.len()) {
        let order = match (a.get(n), b.get(n)) {
            (Some(a), Some(b)) => part_order(a, b),
            (Some(a), None) => against_nothing(a),
            (None, Some(b)) => against_nothing(b).reverse(),
            (None, None) => Ordering::Equal,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Digits without leading zeros, or letters in lower case.
#[derive(Debug, PartialEq, Eq)]
enum Part {
    Number(String),
    Word(String),
}

fn parts(version: &str) -> Vec<Part> {
    let version = version.trim();
    let version = version.split('+').next().unwrap_or_default();
    let version =
        version.strip_prefix(['v', 'V']).filter(|r| r.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(version);
    let (epoch, rest) = version.split_once([':', '!']).unwrap_or(("0", version));
    let mut parts = vec![number(epoch)];
    let mut chars = rest.chars().peekable();
    while let Some(first) = chars.peek().copied() {
        let mut take = |is: fn(&char) -> bool| -> String {
            let mut run = String::new();
            while let Some(c) = chars.next_if(is) {
                run.push(c);
            }
            run
        };
        if first.is_ascii_digit() {
            parts.push(number(&take(char::is_ascii_digit)));
        } else if first.is_alphabetic() {
            parts.push(Part::Word(take(|c| c.is_alphabetic()).to_lowercase()));
        } else {
            chars.next();
            // Debian sorts it before everything
            if first == '~' {
                parts.push(Part::Word("dev".to_owned()));
            }
        }
    }
    parts
}

fn number(digits: &str) -> Part {
    Part::Number(digits.trim_start_matches('0').to_owned())
}

fn part_order(a: &Part, b: &Part) -> Ordering {
    match (a, b) {
        (Part::Number(a), Part::Number(b)) => (a.len(), a).cmp(&(b.len(), b)),
        (Part::Number(_), Part::Word(_)) => Ordering::Greater,
        (Part::Word(_), Part::Number(_)) => Ordering::Less,
        (Part::Word(a), Part::Word(b)) => {
            let rank = |word: &String| BEFORE.iter().position(|tag| tag == word).unwrap_or(BEFORE.len());
            (rank(a), a).cmp(&(rank(b), b))
        }
    }
}

fn against_nothing(part: &Part) -> Ordering {
    match part {
        Part::Number(digits) if digits.is_empty() => Ordering::Equal,
        Part::Number(_) => Ordering::Greater,
        Part::Word(word) if BEFORE.contains(&&**word) => Ordering::Less,
        Part::Word(_) => Ordering::Greater,
    }
}

/// A range of versions: comparisons that all must hold, as `>=1.2.0, <2`, or a range of the VERS specification, as
/// `vers:npm/1.0.0|>=1.2.0|<2.0.0`: single versions and intervals, any of which may hold.
///
/// What is within an interval is told by this library's one order of versions, whatever the type of the range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRange(Vec<Vec<Comparison>>);

/// An operator, and what a version is compared with.
type Comparison = (&'static str, String);

impl FromStr for VersionRange {
    type Err = Error;

    /// # Errors
    /// `MALFORMED` for a comparison without a version, and for none at all; of `vers:` ranges also for a version twice,
    /// and for bounds that make no intervals, as two lower ones in a row. `LIMIT_EXCEEDED` for too many comparisons.
    fn from_str(text: &str) -> Result<Self> {
        let list = text.trim();
        if list.split([',', '|']).count() > limits::VERSION_COMPARISONS {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the range has more than {} comparisons; ask in parts", limits::VERSION_COMPARISONS),
            ));
        }
        let read = match list.split_at_checked(5) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("vers:") => vers(rest),
            _ => list.split(',').map(|part| comparison(part, false)).collect::<Option<_>>().map(|all| vec![all]),
        };
        read.map(Self).ok_or_else(|| {
            Error::new(
                ErrorKind::Malformed,
                format!(
                    "`{}` is no range of versions; write it as `>=1.2.0, <2` or `vers:npm/>=1.2.0|<2`",
                    short(text)
                ),
            )
        })
    }
}

fn comparison(part: &str, quoted: bool) -> Option<Comparison> {
    let part = part.trim();
    let operators = [">=", "<=", "!=", "==", ">", "<", "="];
    let operator = operators.into_iter().find(|operator| part.starts_with(operator)).unwrap_or_default();
    let version = part.strip_prefix(operator)?.trim();
    let version = if quoted { unquoted(version)? } else { version.to_owned() };
    let sound = |b: u8| b.is_ascii_alphanumeric() || b".-+_:~!".contains(&b);
    if version.is_empty() || version.starts_with('~') || !version.bytes().all(sound) {
        return None;
    }
    match operator {
        "==" if quoted => None,
        "" | "==" => Some(("=", version)),
        operator => Some((operator, version)),
    }
}

/// Without percent-encoding.
fn unquoted(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        let is_hex = code.bytes().all(|b| b.is_ascii_hexdigit());
        plain.push(char::from(u8::from_str_radix(code, 16).ok().filter(|_| is_hex)?));
        plain.push_str(rest);
    }
    Some(plain)
}

/// What stands behind `vers:`: the versions and intervals any of which may hold, each as what must hold together.
fn vers(rest: &str) -> Option<Vec<Vec<Comparison>>> {
    let (kind, list) = rest.split_once('/')?;
    let sound = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".+-".contains(&b);
    if kind.is_empty() || kind == "none" || !kind.bytes().all(sound) {
        return None;
    }
    if list.trim() == "*" {
        return Some(vec![Vec::new()]);
    }
    let mut sorted: Vec<Comparison> = Vec::new();
    for part in list.split('|') {
        let read = comparison(part, true)?;
        let place = sorted.iter().position(|(_, other)| compare(&read.1, other) != Ordering::Greater);
        sorted.insert(place.unwrap_or(sorted.len()), read);
    }
    // a version twice, or versions that have no one order
    let rises =
        |(n, (_, a)): (usize, &Comparison)| sorted.iter().skip(n + 1).all(|(_, b)| compare(a, b) == Ordering::Less);
    if !sorted.iter().enumerate().all(rises) {
        return None;
    }
    let (excluded, bounds): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|(operator, _)| *operator == "!=");
    let (mut exact, mut intervals, mut open, mut last) = (Vec::new(), Vec::new(), None, "");
    for bound in bounds {
        let operator = bound.0;
        match operator {
            "=" => exact.push(vec![bound]),
            ">" | ">=" if open.is_none() => open = Some(bound),
            "<" | "<=" if last != "=" && (open.is_some() || intervals.is_empty()) => {
                intervals.push(open.take().into_iter().chain([bound]).collect());
            }
            _ => return None,
        }
        last = operator;
    }
    intervals.extend(open.map(|bound| vec![bound]));
    if intervals.is_empty() && exact.is_empty() {
        // whatever is not excluded
        intervals.push(Vec::new());
    }
    for interval in &mut intervals {
        interval.extend(excluded.iter().cloned());
    }
    intervals.extend(exact);
    Some(intervals)
}

impl VersionRange {
    /// Whether `version` is in it.
    pub fn contains(&self, version: &str) -> bool {
        let holds = |(operator, bound): &Comparison| {
            let order = compare(version, bound);
            match *operator {
                ">=" => order != Ordering::Less,
                "<=" => order != Ordering::Greater,
                ">" => order == Ordering::Greater,
                "<" => order == Ordering::Less,
                "!=" => order != Ordering::Equal,
                _ => order == Ordering::Equal,
            }
        };
        self.0.iter().any(|all| all.iter().all(holds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_many_kinds_are_ordered() {
        let rising = [
            "0.9",
            "1.0.0-alpha.1",
            "1.0.0-alpha.2",
            "1.0.0-beta",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.2",
            "1.10",
            "v2.0.0",
            "2.0.0.1",
            "1:0.1",
        ];
        for pair in rising.windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
        }
        for (a, b) in [("1.0", "1.0.0"), ("1.0.0+a", "1.0.0+b"), ("v1", "1"), ("01.2", "1.2")] {
            assert_eq!(compare(a, b), Ordering::Equal, "{a} {b}");
        }
        assert_eq!(compare("1.0~rc1", "1.0"), Ordering::Less);
        assert_eq!(compare("2.9.9-r1", "2.9.9-r2"), Ordering::Less);
        assert_eq!(compare(&"9".repeat(10_000), &"8".repeat(10_000)), Ordering::Greater);
    }

    #[test]
    fn a_range_holds_what_meets_all_its_bounds() {
        let range: VersionRange = ">=1.2.0, <2".parse().unwrap();
        for (version, inside) in [("1.2", true), ("1.9.9", true), ("2.0.0", false), ("1.1", false), ("2.0.0-rc1", true)]
        {
            assert_eq!(range.contains(version), inside, "{version}");
        }
        assert!("vers:npm/>=1.2.0|<2.0.0".parse::<VersionRange>().unwrap().contains("1.5.0"));
        for text in ["", ">=", "^1.0", "1.*", ">=1 <2", ",1"] {
            assert_eq!(text.parse::<VersionRange>().unwrap_err().code(), "MALFORMED", "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_one(a in "[0-9a-z.~:+-]{0,12}", b in "[0-9a-z.~:+-]{0,12}", c in "\\PC{0,12}") {
            assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            assert_eq!(compare(&c, &c), Ordering::Equal);
            let _ = c.parse::<VersionRange>();
            let _ = format!("vers:npm/{c}").parse::<VersionRange>();
            let _ = format!("vers:npm/>{a}|{b}|<={c}").parse::<VersionRange>();
        }
    }
}
