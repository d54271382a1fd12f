//! Parameters of a layout: `{name}` in rules and commands, filled in by whoever verifies.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};

/// Values by name; none if nothing is filled in, which is another thing than an empty set.
pub(super) struct Parameters<'a>(pub(super) Option<&'a BTreeMap<String, String>>);

impl Parameters<'_> {
    pub(super) fn fill_all(&self, words: &[String]) -> Result<Vec<String>> {
        words.iter().map(|word| self.fill(word)).collect()
    }

    /// Fills one word in as Python's `str.format` does with plain names: `{{` and `}}` stand for braces.
    ///
    /// Without parameters a word is taken as it is, as the in-toto tools do; one that takes a parameter is refused, since
    /// a rule such as `DISALLOW {x}` would else forbid nothing.
    fn fill(&self, word: &str) -> Result<String> {
        let Some(values) = self.0 else {
            return match placeholder(word) {
                Some(name) => Err(missing(name)),
                None => Ok(word.to_owned()),
            };
        };
        let mut filled = String::new();
        let mut rest = word;
        while let Some(brace) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(brace);
            filled.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                filled.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                filled.push('}');
                rest = after;
            } else {
                let field = from.strip_prefix('{').and_then(|f| f.split_once('}'));
                let Some((name, after)) = field.filter(|(name, _)| is_name(name)) else { return Err(malformed(word)) };
                filled.push_str(values.get(name).ok_or_else(|| missing(name))?);
                rest = after;
            }
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// Whether it can name a parameter.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// The first `{name}` in single braces.
fn placeholder(word: &str) -> Option<&str> {
    let opening = word.match_indices('{').map(|(i, _)| i);
    opening.filter(|i| !word.get(..*i).is_some_and(|before| before.ends_with('{'))).find_map(|i| {
        let (name, after) = word.get(i + 1..)?.split_once('}')?;
        (is_name(name) && !after.starts_with('}')).then_some(name)
    })
}

fn missing(name: &str) -> Error {
    Error::new(
        ErrorKind::ApiMisuse,
        format!("the layout takes the parameter `{name}`, and no value was given for it; give one"),
    )
    .with("parameter", name)
}

fn malformed(word: &str) -> Error {
    Error::new(
        ErrorKind::Malformed,
        format!("`{word}` is no text with parameters; write `{{name}}`, and double a brace that stands for itself"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(word: &str) -> Result<String> {
        let values = BTreeMap::from([("version".to_owned(), "1.2".to_owned()), ("n-1".to_owned(), "{x}".to_owned())]);
        Parameters(Some(&values)).fill(word)
    }

    #[test]
    fn parameters_are_filled_in_once() {
        for (word, expected) in
            [("a-{version}.tgz", "a-1.2.tgz"), ("{n-1}{version}", "{x}1.2"), ("{{version}}", "{version}"), ("é", "é")]
        {
            assert_eq!(fill(word).unwrap(), expected);
        }
    }

    #[test]
    fn what_pythons_format_could_do_beyond_names_is_refused() {
        for word in ["{version.__class__}", "{version!r}", "{}", "{version", "version}", "{a b}"] {
            assert_eq!(fill(word).unwrap_err().code(), "MALFORMED", "{word}");
        }
        assert_eq!(fill("{other}").unwrap_err().code(), "API_MISUSE");
    }

    #[test]
    fn without_parameters_a_placeholder_is_refused_and_other_braces_are_kept() {
        let none = Parameters(None);
        assert_eq!(none.fill("DISALLOW-{x}").unwrap_err().code(), "API_MISUSE");
        for word in ["{{cookiecutter.name}}/{a,b}", "{{x}}", "{", "}{"] {
            assert_eq!(none.fill(word).unwrap(), word);
        }
    }
}
