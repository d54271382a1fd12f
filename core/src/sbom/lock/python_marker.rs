//! Whether extras and dependency groups let a marker hold (PEP 508, PEP 751); where it is to be installed is left open.

/// Parentheses within parentheses.
const DEPTH: usize = 32;

/// What is installed of a lock file.
pub(super) struct Chosen<'a> {
    pub(super) all_extras: bool,
    pub(super) groups: &'a [String],
}

/// Whether `marker` may hold with what is chosen, on some platform and version of Python. What can't be read may.
pub(super) fn may_hold(marker: &str, chosen: &Chosen<'_>) -> bool {
    let Some(tokens) = tokens(marker) else { return true };
    let mut rest = tokens.as_slice();
    match any(&mut rest, chosen, DEPTH) {
        Some(holds) if rest.is_empty() => holds,
        _ => true,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Text(&'a str),
    /// A name, an operator or a parenthesis.
    Word(&'a str),
}

fn tokens(marker: &str) -> Option<Vec<Token<'_>>> {
    let mut found = Vec::new();
    let mut rest = marker.trim_start();
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..)?;
        rest = if matches!(first, '\'' | '"') {
            let (text, after) = after.split_once(first)?;
            found.push(Token::Text(text));
            after
        } else {
            let is_name = |c: char| c.is_ascii_alphanumeric() || "_.".contains(c);
            let end = match first {
                '(' | ')' => 1,
                c if is_name(c) => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
                c if "<>=!~".contains(c) => rest.find(|c| !"<>=!~".contains(c)).unwrap_or(rest.len()),
                _ => return None,
            };
            let (word, after) = rest.split_at_checked(end)?;
            found.push(Token::Word(word));
            after
        }
        .trim_start();
    }
    Some(found)
}

fn take<'a>(rest: &mut &'a [Token<'a>]) -> Option<&'a Token<'a>> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(first)
}

fn take_word<'a>(rest: &mut &'a [Token<'a>], word: &str) -> bool {
    let is = rest.first() == Some(&Token::Word(word));
    if is {
        let _ = take(rest);
    }
    is
}

fn any<'a>(rest: &mut &'a [Token<'a>], chosen: &Chosen<'_>, depth: usize) -> Option<bool> {
    let mut holds = all(rest, chosen, depth)?;
    while take_word(rest, "or") {
        holds |= all(rest, chosen, depth)?;
    }
    Some(holds)
}

fn all<'a>(rest: &mut &'a [Token<'a>], chosen: &Chosen<'_>, depth: usize) -> Option<bool> {
    let mut holds = one(rest, chosen, depth)?;
    while take_word(rest, "and") {
        holds &= one(rest, chosen, depth)?;
    }
    Some(holds)
}

fn one<'a>(rest: &mut &'a [Token<'a>], chosen: &Chosen<'_>, depth: usize) -> Option<bool> {
    if take_word(rest, "(") {
        let holds = any(rest, chosen, depth.checked_sub(1)?)?;
        return take_word(rest, ")").then_some(holds);
    }
    let left = take(rest)?;
    let not = take_word(rest, "not");
    let Token::Word(operator) = take(rest)? else { return None };
    let right = take(rest)?;
    Some(match (left, *operator, right) {
        (Token::Text(_), "in", Token::Word("extras")) => chosen.all_extras != not,
        (Token::Text(group), "in", Token::Word("dependency_groups")) => {
            chosen.groups.iter().any(|chosen| chosen == group) != not
        }
        (Token::Word("extra"), "==", Token::Text(_)) | (Token::Text(_), "==", Token::Word("extra")) => {
            chosen.all_extras
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extras_and_groups_decide_and_platforms_do_not() {
        let groups = ["main".to_owned()];
        let plain = Chosen { all_extras: false, groups: &groups };
        let extras = Chosen { all_extras: true, groups: &groups };
        for (marker, without, with) in [
            ("'x' in extras", false, true),
            ("'x' not in extras", true, false),
            ("python_version < '3.9' and 'x' in extras", false, true),
            ("sys_platform == 'win32' or 'x' in extras", true, true),
            ("('x' in extras or 'dev' in dependency_groups) and os_name == 'nt'", false, true),
            ("\"main\" in dependency_groups", true, true),
            ("'dev' in dependency_groups", false, false),
            ("'dev' not in dependency_groups", true, true),
            ("extra == 'x'", false, true),
            ("sys_platform == 'linux'", true, true),
            // not understood
            ("", true, true),
            ("'x' in extras and", true, true),
            ("'x in extras", true, true),
            ("'x' in extras)", true, true),
        ] {
            assert_eq!((may_hold(marker, &plain), may_hold(marker, &extras)), (without, with), "{marker}");
        }
        assert!(may_hold(&"(".repeat(100_000), &plain));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r"\PC{0,60}", near in "(('x'|in|not|extras|and|or|[(]|[)]|==) ?){0,12}") {
            let chosen = Chosen { all_extras: true, groups: &[] };
            let _ = (may_hold(&text, &chosen), may_hold(&near, &chosen));
        }
    }
}
