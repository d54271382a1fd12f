//! Patterns of artifact rules: Python's `fnmatch` to the letter, since that is what owners of layouts tested with.
//!
//! `*` matches any run of characters, `/` among them; `?` any one; `[…]` and `[!…]` a set with ranges. Nothing escapes.

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A pattern of file paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// Any run of characters, also none.
    Run,
    /// Any one character.
    Any,
    One(char),
    /// A character within (or, negated, outside of) these ranges.
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Token {
    fn takes(&self, c: char) -> bool {
        match self {
            Self::Run => false,
            Self::Any => true,
            Self::One(own) => *own == c,
            Self::Set { negated, ranges } => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated,
        }
    }
}

impl Pattern {
    /// Reads a pattern; there is none that is malformed, only one too long.
    pub(super) fn new(text: &str) -> Result<Self> {
        if text.len() > limits::LAYOUT_PATH_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the pattern `{text}` is longer than {} bytes", limits::LAYOUT_PATH_BYTES),
            )
            .with("limit", limits::LAYOUT_PATH_BYTES));
        }
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            match c {
                '*' if tokens.last() == Some(&Token::Run) => {}
                '*' => tokens.push(Token::Run),
                '?' => tokens.push(Token::Any),
                '[' => match split_set(rest) {
                    Some((inside, after)) => {
                        tokens.push(set(inside));
                        rest = after;
                    }
                    None => tokens.push(Token::One('[')),
                },
                c => tokens.push(Token::One(c)),
            }
        }
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// The pattern as written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole of `path` matches. Takes at most the product of both lengths in steps.
    pub(super) fn matches(&self, path: &str) -> bool {
        let path: Vec<char> = path.chars().collect();
        let (mut token, mut at) = (0, 0);
        // the newest run, and where the text after it was tried last
        let mut run: Option<(usize, usize)> = None;
        loop {
            match (self.tokens.get(token), path.get(at)) {
                (Some(Token::Run), _) => {
                    run = Some((token, at));
                    token += 1;
                }
                (Some(one), Some(&c)) if one.takes(c) => {
                    token += 1;
                    at += 1;
                }
                (None, None) => return true,
                _ => {
                    let Some((start, tried)) = run.filter(|(_, tried)| *tried < path.len()) else { return false };
                    run = Some((start, tried + 1));
                    (token, at) = (start + 1, tried + 1);
                }
            }
        }
    }
}

/// What stands between `[` and its `]`, and what comes after; `None` where nothing closes the set.
fn split_set(rest: &str) -> Option<(&str, &str)> {
    let negation = usize::from(rest.starts_with('!'));
    // a `]` that comes first is a member
    let member = usize::from(rest.get(negation..)?.starts_with(']'));
    let end = negation + member + rest.get(negation + member..)?.find(']')?;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

/// Reads the inside of a set as `fnmatch.translate` of Python 3.11 does, its oddities included: it drops empty ranges
/// by joining what stands around them, and only then looks for the `!`.
fn set(inside: &str) -> Token {
    let chars: Vec<char> = inside.chars().collect();
    let mut chunks = chunks(&chars);
    for k in (1..chunks.len()).rev() {
        let (Some(from), Some(to)) = (chunks.get(k - 1).and_then(|c| c.last()), chunks.get(k).and_then(|c| c.first()))
        else {
            continue;
        };
        if from > to {
            let tail = chunks.remove(k);
            if let Some(chunk) = chunks.get_mut(k - 1) {
                chunk.pop();
                chunk.extend(tail.into_iter().skip(1));
            }
        }
    }
    let negated = chunks.first().and_then(|c| c.first()) == Some(&'!');
    if negated && let Some(first) = chunks.first_mut() {
        first.remove(0);
    }
    let mut ranges = Vec::new();
    for (k, chunk) in chunks.iter().enumerate() {
        ranges.extend(chunk.iter().map(|c| (*c, *c)));
        if let (Some(from), Some(to)) = (chunk.last(), chunks.get(k + 1).and_then(|c| c.first())) {
            ranges.push((*from, *to));
        }
    }
    Token::Set { negated, ranges }
}

/// Splits the inside of a set at each hyphen that makes a range.
fn chunks(inside: &[char]) -> Vec<Vec<char>> {
    let mut chunks: Vec<Vec<char>> = Vec::new();
    let mut start = 0;
    let mut from = if inside.first() == Some(&'!') { 2 } else { 1 };
    while let Some(hyphen) = inside.iter().skip(from).position(|c| *c == '-').map(|found| from + found) {
        chunks.push(inside.get(start..hyphen).unwrap_or_default().to_vec());
        start = hyphen + 1;
        from = hyphen + 3;
    }
    match (inside.get(start..).unwrap_or_default(), chunks.last_mut()) {
        ([], Some(last)) => last.push('-'),
        (tail, _) => chunks.push(tail.to_vec()),
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asked of Python 3.11's `fnmatch.fnmatchcase`.
    #[test]
    fn patterns_match_as_pythons_fnmatch() {
        let all = [
            ("*", "", true),
            ("*", "a/b", true),
            ("*.py", "src/a.py", true),
            ("*.py", "a.pyc", false),
            ("?", "\n", true),
            ("?", "\u{1f600}", true),
            ("?", "", false),
            ("", "", true),
            ("", "a", false),
            ("a*b*c", "axxbxxbc", true),
            ("a*b*c", "axxbxxb", false),
            ("**a**", "bab", true),
            ("[abc]", "b", true),
            ("[!abc]", "b", false),
            ("[!abc]", "", false),
            ("[a-c]x", "bx", true),
            ("[c-a]", "b", false),
            ("[!c-a]", "b", true),
            ("[c-ax]", "x", true),
            ("[]]", "]", true),
            ("[!]]", "]", false),
            ("[!]", "[!]", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("[]a", "[]a", true),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[!-a]", "b", true),
            ("[!-a]", "-", false),
            ("[^a]", "a", true),
            ("[^a]", "^", true),
            ("[^a]", "b", false),
            ("[[]", "[", true),
            ("[\\]", "\\", true),
            ("[b-a!x]", "x", false),
            ("[b-a!x]", "y", true),
            ("[a-c-e]", "d", false),
            ("[a-c-e]", "-", true),
            ("[a-cd-f]", "e", true),
            ("[--0]", ".", true),
            ("[&&~~||]", "|", true),
            (".", "a", false),
            ("a.b", "axb", false),
            ("{a,b}", "a", false),
            ("A", "a", false),
        ];
        for (pattern, path, expected) in all {
            assert_eq!(Pattern::new(pattern).unwrap().matches(path), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_takes_no_exponential_time() {
        let pattern = Pattern::new(&"*a".repeat(2000)).unwrap();
        assert!(!pattern.matches(&format!("{}b", "a".repeat(4000))));
    }

    #[test]
    fn a_pattern_longer_than_a_path_is_refused() {
        assert_eq!(Pattern::new(&"a".repeat(5000)).unwrap_err().code(), "LIMIT_EXCEEDED");
    }
}
