//! Which numbers are what they look like.

use serde::Deserialize;

/// What a found text must fulfil to count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Check {
    /// Nothing more.
    #[default]
    None,
    /// The length and first digits of a card, and the Luhn sum (ISO/IEC 7812-1, annex B).
    Luhn,
    /// A social security number that may have been given out (SSA, "Social Security Number Randomization").
    Ssn,
    /// The remainder 1 by 97 (ISO 13616-1).
    Iban,
    /// The check digit modulo 11 (NHS Data Dictionary, "NHS NUMBER").
    Nhs,
    /// No word that only stands for a secret.
    Secret,
}

/// What stands between the groups of a number.
const SEPARATORS: [char; 2] = [' ', '-'];

impl Check {
    /// Where in `text` begins what fulfils it: all of it, or a card among other digits.
    pub(super) fn finds(self, text: &str) -> Option<usize> {
        match self {
            _ if self.holds(text) => Some(0),
            Self::Luhn => card_within(text),
            _ => None,
        }
    }

    fn holds(self, text: &str) -> bool {
        let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
        match self {
            Self::None => true,
            Self::Luhn => is_card(&digits),
            Self::Ssn => is_ssn(&digits),
            Self::Iban => is_iban(text),
            Self::Nhs => is_nhs(&digits),
            Self::Secret => !stands_for_one(text),
        }
    }
}

fn number(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + digit)
}

fn is_card(digits: &[u32]) -> bool {
    let begins = |length: usize| number(digits.get(..length).unwrap_or_default());
    let issued = match digits.len() {
        13 | 19 => begins(1) == 4 || (digits.len() == 19 && begins(2) == 62),
        14 => matches!(begins(2), 36 | 38 | 39) || (300..=305).contains(&begins(3)),
        15 => matches!(begins(2), 34 | 37),
        16 => {
            begins(1) == 4
                || (51..=55).contains(&begins(2))
                || (2221..=2720).contains(&begins(4))
                || matches!(begins(4), 6011 | 3528..=3589)
                || matches!(begins(2), 62 | 65)
        }
        _ => false,
    };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    issued && sum.is_multiple_of(10)
}

/// Where a card begins of which both ends are ends of the text or separators.
fn card_within(text: &str) -> Option<usize> {
    const LONGEST: usize = 19;
    let mut starts = std::iter::once(0).chain(text.match_indices(SEPARATORS).map(|(at, _)| at + 1));
    starts.find(|start| {
        let mut digits = Vec::new();
        for group in text.get(*start..).unwrap_or_default().split(SEPARATORS).take(LONGEST) {
            digits.extend(group.chars().take(LONGEST + 1).filter_map(|c| c.to_digit(10)));
            if digits.len() > LONGEST {
                return false;
            }
            if is_card(&digits) {
                return true;
            }
        }
        false
    })
}

fn is_ssn(digits: &[u32]) -> bool {
    let [a, b, c, d, e, f, g, h, i] = *digits else { return false };
    let (area, group, serial) = (number(&[a, b, c]), number(&[d, e]), number(&[f, g, h, i]));
    // two that were printed so often that they are nobody's
    let printed = [(78, 5, 1120), (219, 9, 9999)].contains(&(area, group, serial));
    !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0 && !printed
}

fn is_iban(text: &str) -> bool {
    let compact: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    if !(15..=34).contains(&compact.len()) {
        return false;
    }
    let (start, rest) = compact.split_at(4);
    let remainder = rest.iter().chain(start).try_fold(0, |sum: u32, c| {
        let value = c.to_digit(36)?;
        Some(if value < 10 { (sum * 10 + value) % 97 } else { (sum * 100 + value) % 97 })
    });
    remainder == Some(1)
}

fn is_nhs(digits: &[u32]) -> bool {
    let [first @ .., last] = digits else { return false };
    let sum: u32 = first.iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 10 && (11 - sum % 11) % 11 == *last && sum % 11 != 1
}

/// Whether the whole of it is a placeholder: `***`, `$PASSWORD`, `${PASSWORD}`, `<token>`, `REDACTED` and the like; or an
/// example key of a manual. A secret may have any of these signs within.
fn stands_for_one(text: &str) -> bool {
    const WORDS: [&str; 8] =
        ["REDACTED", "EXAMPLE", "PLACEHOLDER", "CHANGEME", "MASKED", "HIDDEN", "PASSWORD", "SECRET"];
    let between = |start: &str, end: &str| {
        let inner = text.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).unwrap_or_default();
        !inner.is_empty() && !inner.contains(['$', '{', '}', '<', '>', '%'])
    };
    let variable = text.strip_prefix('$').unwrap_or_default();
    let word = text.trim_matches(['[', ']', '(', ')', '*', '_', '-']);
    text.chars().all(|c| matches!(c, '*' | 'x' | 'X'))
        || (!variable.is_empty() && variable.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        || [("${", "}"), ("${{", "}}"), ("{{", "}}"), ("<", ">"), ("%", "%")].iter().any(|(a, b)| between(a, b))
        || WORDS.iter().any(|known| known.eq_ignore_ascii_case(word))
        || text.ends_with("EXAMPLE")
        || text.ends_with("EXAMPLEKEY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_hold_their_checksum_are_told_from_those_that_do_not() {
        for (check, good, bad) in [
            (Check::Luhn, "4111 1111 1111 1111", "4111 1111 1111 1112"),
            (Check::Luhn, "378282246310005", "378282246310006"),
            (Check::Luhn, "6011111111111117", "9011111111111114"),
            (Check::Ssn, "123-45-6789", "666-45-6789"),
            (Check::Ssn, "001-01-0001", "000-45-6789"),
            (Check::Ssn, "899-99-9999", "900-45-6789"),
            (Check::Ssn, "123-45-6780", "123-00-6789"),
            (Check::Ssn, "123-45-0001", "123-45-0000"),
            (Check::Ssn, "078-05-1121", "078-05-1120"),
            (Check::Iban, "GB82 WEST 1234 5698 7654 32", "GB83 WEST 1234 5698 7654 32"),
            (Check::Iban, "DE89370400440532013000", "DE89370400440532013001"),
            (Check::Nhs, "943 476 5919", "943 476 5918"),
            (Check::Secret, "s3cr3t-of-mine", "${PASSWORD}"),
        ] {
            assert!(check.holds(good), "{check:?} {good}");
            assert!(!check.holds(bad), "{check:?} {bad}");
        }
    }
}
