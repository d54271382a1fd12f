//! The terms that a `mix.lock` is written in: a small part of Elixir's syntax, of which nothing is run.

/// Deepest nesting of terms.
const DEPTH: usize = 32;

/// A term.
#[derive(Debug, PartialEq)]
pub(super) enum Term {
    Text(String),
    /// `:name`, `name` or a number.
    Atom(String),
    /// `{a, b}`
    Tuple(Vec<Term>),
    /// `[a, b]`, in which `key: value` is a tuple of two.
    List(Vec<Term>),
    /// `%{"key": value}` or `%{"key" => value}`
    Map(Vec<(String, Term)>),
}

impl Term {
    /// The text or the name of an atom.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Atom(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads one term.
///
/// # Errors
/// The byte at which it is none, or is nested too deeply.
pub(super) fn read(text: &str) -> Result<Term, usize> {
    let mut reader = Reader { text, at: 0 };
    let term = reader.term(0)?;
    reader.blanks();
    if reader.rest().is_empty() { Ok(term) } else { Err(reader.at) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        loop {
            self.at = self.text.len() - self.rest().trim_start().len();
            if !self.rest().starts_with('#') {
                break;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn take(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn is_at(&mut self, token: &str) -> bool {
        self.blanks();
        self.rest().starts_with(token)
    }

    fn term(&mut self, depth: usize) -> Result<Term, usize> {
        if depth > DEPTH {
            return Err(self.at);
        }
        if self.take("%{") {
            self.map(depth)
        } else if self.take("{") {
            self.items("}", depth).map(Term::Tuple)
        } else if self.take("[") {
            self.items("]", depth).map(Term::List)
        } else if self.rest().starts_with('"') {
            self.string().map(Term::Text)
        } else {
            let is_atom = self.take(":");
            if is_atom && self.rest().starts_with('"') { self.string() } else { self.word() }.map(Term::Atom)
        }
    }

    fn map(&mut self, depth: usize) -> Result<Term, usize> {
        let mut pairs = Vec::new();
        while !self.take("}") {
            self.blanks();
            let key = if self.rest().starts_with('"') { self.string()? } else { self.word()? };
            if !self.take(":") && !self.take("=>") {
                return Err(self.at);
            }
            pairs.push((key, self.term(depth + 1)?));
            if !self.take(",") && !self.is_at("}") {
                return Err(self.at);
            }
        }
        Ok(Term::Map(pairs))
    }

    fn items(&mut self, end: &str, depth: usize) -> Result<Vec<Term>, usize> {
        let mut items = Vec::new();
        while !self.take(end) {
            let term = self.term(depth + 1)?;
            let is_key = matches!(term, Term::Atom(_)) && self.rest().starts_with(": ");
            if is_key {
                self.at += 1;
                let value = self.term(depth + 1)?;
                items.push(Term::Tuple(vec![term, value]));
            } else {
                items.push(term);
            }
            if !self.take(",") && !self.is_at(end) {
                return Err(self.at);
            }
        }
        Ok(items)
    }

    fn string(&mut self) -> Result<String, usize> {
        let mut text = String::new();
        let start = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = start + at + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\' | '#'))) => text.push(c),
                    // others do not stand in lock files, and `\n` and its kin would be no name or version
                    _ => return Err(start + at),
                },
                // what would be run
                '#' if self.text.get(start + at..).is_some_and(|rest| rest.starts_with("#{")) => return Err(start + at),
                c => text.push(c),
            }
        }
        Err(start)
    }

    fn word(&mut self) -> Result<String, usize> {
        let is_word = |c: char| c.is_alphanumeric() || "_@.?!-".contains(c);
        let end = self.rest().find(|c| !is_word(c)).unwrap_or(self.rest().len());
        let word = self.rest().get(..end).unwrap_or_default();
        if word.is_empty() {
            return Err(self.at);
        }
        self.at += end;
        Ok(word.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_of_each_kind_are_read() {
        let term =
            read("%{\n  # one\n  \"a\": {:hex, :a, \"1.0\", [:mix], [{:b, \"~> 1\", [hex: :b, optional: false]}]},\n}")
                .unwrap();
        let Term::Map(pairs) = term else { panic!() };
        assert_eq!(pairs[0].0, "a");
        let Term::Tuple(parts) = &pairs[0].1 else { panic!() };
        assert_eq!((parts[0].text(), parts[2].text()), (Some("hex"), Some("1.0")));
        let Term::List(needs) = &parts[4] else { panic!() };
        let Term::Tuple(need) = &needs[0] else { panic!() };
        let option =
            |name: &str, value: &str| Term::Tuple(vec![Term::Atom(name.to_owned()), Term::Atom(value.to_owned())]);
        assert_eq!(need[2], Term::List(vec![option("hex", "b"), option("optional", "false")]));
        assert_eq!(read("%{}"), Ok(Term::Map(Vec::new())));
        assert_eq!(read(r#""a\"b""#), Ok(Term::Text("a\"b".to_owned())));
    }

    #[test]
    fn what_is_no_plain_term_is_refused() {
        for text in ["", "%{", "{:a", "[1 2]", "\"#{x}\"", "\"a", "%{} x", "System.halt()", "%{a 1}"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in r#"(%\{|\{|\}|\[|\]|:|"|a|,|=>| |\n|#|\\|\PC){0,40}"#) {
            let _ = read(&text);
        }
    }
}
