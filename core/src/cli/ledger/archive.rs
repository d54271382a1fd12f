//! `ledger archive` and `ledger unarchive`: bodies to another folder, and back.

use clap::Args;
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::Known;
use crate::cli::output::ProgressLine;
use crate::cli::settings::Settings;
use crate::error::Result;
use crate::timestamp::Timestamp;

#[derive(Args)]
pub(crate) struct Archive {
    /// Move bodies of entries logged before this.
    #[arg(long, value_name = "TIME")]
    before: Timestamp,
    #[command(flatten)]
    known: Known,
}

#[derive(Args)]
pub(crate) struct Unarchive {
    /// Bring the body of this entry back; more than once for more
    /// [default: all].
    #[arg(long, value_name = "INDEX")]
    entry: Vec<u64>,
    #[command(flatten)]
    known: Known,
}

impl Archive {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let mut line = ProgressLine::new("bodies archived");
        let moved = self.known.open(settings)?.archive(self.before, &mut |done, of| line.show(done, of))?;
        drop(line);
        let text = format!("{} bodies of {} bytes are in the archive now\n", moved.entries.len(), moved.bytes);
        Ok(Answer::new(text, json!({ "moved": to_json(&moved)? })))
    }
}

impl Unarchive {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let entries = if self.entry.is_empty() { None } else { Some(self.entry.as_slice()) };
        let mut line = ProgressLine::new("bodies brought back");
        let moved = self.known.open(settings)?.unarchive(entries, &mut |done, of| line.show(done, of))?;
        drop(line);
        let text = format!("{} bodies of {} bytes are back in the ledger\n", moved.entries.len(), moved.bytes);
        Ok(Answer::new(text, json!({ "moved": to_json(&moved)? })))
    }
}
