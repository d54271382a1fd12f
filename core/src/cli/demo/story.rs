//! Telling the story, at 80 columns.

use std::io::Write;

use super::super::text::Page;
use crate::error::{Error, ErrorKind, Result};

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

    /// What one should know of the steps that follow.
    pub(super) fn note(&mut self, text: &str) -> Result<()> {
        self.wrapped("  ", "  ", text)
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
        let mut page = Page::default();
        page.wrapped(first, rest, text);
        self.print(&page.finish())
    }

    fn line(&mut self, text: &str) -> Result<()> {
        self.print(&format!("{}\n", text.trim_end()))
    }

    fn print(&mut self, text: &str) -> Result<()> {
        let printed = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        printed.map_err(|e| Error::new(ErrorKind::Io, format!("could not print: {e}")).caused_by(e))
    }
}
