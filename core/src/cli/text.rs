//! Text for people: wrapped at 80 columns, and without what could steer a terminal.

use crate::timestamp::Timestamp;

const WIDTH: usize = 80;
/// Columns of a name with the blank behind it: a SHA-256 with its algorithm fits beside one.
const LABEL: usize = 9;

/// Lines of text, put together piece by piece.
#[derive(Default)]
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> &mut Self {
        self.0.push_str(text.as_ref());
        self.0.push('\n');
        self
    }

    /// Words, wrapped below `first` and then `rest`; line breaks in the text are kept.
    pub(crate) fn wrapped(&mut self, first: &str, rest: &str, text: &str) -> &mut Self {
        let mut start = first;
        for paragraph in text.split('\n') {
            let mut line = start.to_owned();
            let mut empty = true;
            for word in paragraph.split(' ').filter(|w| !w.is_empty()) {
                if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                    self.line(line.trim_end());
                    rest.clone_into(&mut line);
                    empty = true;
                }
                if !empty {
                    line.push(' ');
                }
                line.push_str(word);
                empty = false;
            }
            self.line(line.trim_end());
            start = rest;
        }
        self
    }

    /// A name and its value, the value below the name if both do not fit on a line.
    pub(crate) fn field(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Self {
        let value = value.to_string();
        if name.len() < LABEL && LABEL + value.chars().count() <= WIDTH {
            return self.line(format!("{name:<LABEL$}{value}"));
        }
        self.line(name).wrapped("  ", "  ", &value)
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }
}

/// Text of a single paragraph.
pub(crate) fn wrapped(text: &str) -> String {
    let mut page = Page::default();
    page.wrapped("", "", text);
    page.finish()
}

/// A time for people, to the second.
pub(crate) fn to_the_second(at: Timestamp) -> Timestamp {
    at.plus_millis(-at.unix_millis().rem_euclid(1000))
}

/// Text in which nothing steers a terminal or turns the direction of reading: records hold the words of others.
pub(crate) fn harmless(text: &str) -> String {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if steers(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_do_not_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\r\u{202e}c\nd\t"), "a\\u{1b}[2Jb\\u{d}\\u{202e}c\nd\\u{9}");
    }

    #[test]
    fn lines_end_at_80_columns_unless_a_word_is_longer() {
        let mut page = Page::default();
        page.wrapped("first  ", "  ", &"word ".repeat(40)).field("digest", "x".repeat(71));
        let text = page.finish();
        assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
        assert_eq!(text.matches("word").count(), 40);
        assert!(text.ends_with(&format!("\ndigest   {}\n", "x".repeat(71))), "{text}");
    }
}
