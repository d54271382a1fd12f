//! Telling the story, at 80 columns.

use std::io::Write;

use crate::error::{Error, ErrorKind, Result};

const WIDTH: usize = 80;
/// Column at which the text of a step begins.
const TEXT: usize = 23;

pub(super) struct Story<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Story<'a> {
    pub(super) fn on(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    pub(super) fn title(&mut self, text: &str) -> Result<()> {
        self.line(text)?;
        self.line(&"=".repeat(text.chars().count()))
    }

    pub(super) fn heading(&mut self, text: &str) -> Result<()> {
        self.line("")?;
        self.line(text)
    }

    pub(super) fn say(&mut self, text: &str) -> Result<()> {
        self.wrapped("", "", text)
    }

    /// A step that was taken: a word, and what came of it.
    pub(super) fn step(&mut self, what: &str, text: &str) -> Result<()> {
        self.wrapped(&format!("  ✓ {what:<width$}", width = TEXT - 4), &" ".repeat(TEXT), text)
    }

    /// An attempt that is about to be refused.
    pub(super) fn attempt(&mut self, text: &str) -> Result<()> {
        self.wrapped("  ✗ ", "    ", text)
    }

    /// The refusal, in the words of the library.
    pub(super) fn refused(&mut self, text: &str) -> Result<()> {
        self.wrapped("      │ ", "      │ ", text)
    }

    /// A path or a command to be copied, so it is never broken over lines.
    pub(super) fn verbatim(&mut self, text: &str) -> Result<()> {
        self.line(&format!("  {text}"))
    }

    fn wrapped(&mut self, first: &str, rest: &str, text: &str) -> Result<()> {
        let mut line = first.to_owned();
        let mut empty = true;
        for word in text.split_whitespace() {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line)?;
                rest.clone_into(&mut line);
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.line(&line)
    }

    fn line(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{}", text.trim_end())
            .map_err(|e| Error::new(ErrorKind::Io, format!("could not print: {e}")).caused_by(e))
    }
}
