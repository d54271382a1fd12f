//! The order of Debian versions (deb-version(7); Debian Policy, section 5.6.12).

use std::cmp::Ordering;

/// Whether `found` stands to `wanted` as `operator` says; `<` and `>` without `=` are older ways to write `<=` and `>=`.
pub(super) fn holds(found: &str, operator: &str, wanted: &str) -> bool {
    let order = compare(found, wanted);
    match operator {
        "<<" => order.is_lt(),
        "<=" | "<" => order.is_le(),
        "=" | "==" | "" => order.is_eq(),
        ">=" | ">" => order.is_ge(),
        ">>" => order.is_gt(),
        _ => false,
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    let ((epoch_a, rest_a), (epoch_b, rest_b)) = (epoch(a), epoch(b));
    let ((upstream_a, revision_a), (upstream_b, revision_b)) = (parts(rest_a), parts(rest_b));
    order_of_numbers(epoch_a, epoch_b)
        .then_with(|| compare_part(upstream_a, upstream_b))
        .then_with(|| compare_part(revision_a, revision_b))
}

fn epoch(version: &str) -> (&str, &str) {
    version.split_once(':').unwrap_or(("", version))
}

/// The upstream version and the revision of the package.
fn parts(version: &str) -> (&str, &str) {
    version.rsplit_once('-').unwrap_or((version, ""))
}

/// By turns what is no digit, in which `~` comes before the end and letters before the rest, and a number.
fn compare_part(mut a: &str, mut b: &str) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let ((text_a, rest_a), (text_b, rest_b)) =
            (split(a, |c| !c.is_ascii_digit()), split(b, |c| !c.is_ascii_digit()));
        let ((number_a, next_a), (number_b, next_b)) =
            (split(rest_a, |c| c.is_ascii_digit()), split(rest_b, |c| c.is_ascii_digit()));
        let order = compare_text(text_a, text_b).then_with(|| order_of_numbers(number_a, number_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (next_a, next_b);
    }
    Ordering::Equal
}

fn split(text: &str, takes: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !takes(c)).unwrap_or(text.len()))
}

fn compare_text(a: &str, b: &str) -> Ordering {
    let rank = |c: Option<char>| match c {
        Some('~') => 0,
        None => 1,
        Some(c) if c.is_ascii_alphabetic() => u32::from(c),
        Some(c) => u32::from(c) + 0x11_0000,
    };
    let (mut a, mut b) = (a.chars(), b.chars());
    loop {
        let (x, y) = (a.next(), b.next());
        let order = rank(x).cmp(&rank(y));
        if order.is_ne() || x.is_none() {
            return order;
        }
    }
}

/// Numbers of any length.
fn order_of_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_the_order_that_dpkg_has() {
        let ordered = [
            "~~",
            "~~a",
            "~",
            "0",
            "1.0~beta1~svn1245",
            "1.0~beta1",
            "1.0",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1.1",
            "1.0a",
            "1.0+dfsg",
            "1.0.1",
            "1.2",
            "1.10",
            "1:0.1",
            "2:0",
            "10:0",
        ];
        for (n, a) in ordered.iter().enumerate() {
            for (m, b) in ordered.iter().enumerate() {
                assert_eq!(compare(a, b), n.cmp(&m), "{a} {b}");
            }
        }
        assert_eq!(compare("0:1.00-0", "1.0"), Ordering::Equal);
        assert!(holds("2.36-9", ">=", "2.36") && !holds("2.36-9", "=", "2.36") && !holds("1", "!", "1"));
    }
}
