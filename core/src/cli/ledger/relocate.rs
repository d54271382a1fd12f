//! `ledger move`: from one place to another, with the same root.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::Known;
use crate::cli::output::note;
use crate::cli::settings::Settings;
use crate::cli::text::Page;
use crate::error::Result;
use crate::ledger::{Anchors, Ledger};

#[derive(Args)]
pub(crate) struct Move {
    /// Where the ledger is: a folder, or a file in TOML that describes a bucket.
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// Where it is to be: the same.
    #[arg(value_name = "TO")]
    to: PathBuf,
    #[command(flatten)]
    known: Known,
}

/// A note each time so many percent more are done.
const STEP: u64 = 10;

impl Move {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let (from, to) = (settings.place_of(&self.from)?, settings.place_of(&self.to)?);
        let anchors = Anchors::in_folder(settings.state()?);
        let people = std::io::stderr().is_terminal();
        let mut told = 0;
        let kek = settings.encryption_key(self.known.encryption_key())?;
        let moved = Ledger::move_to(&from, &to, &anchors, &self.known.pins()?, kek.as_deref(), &mut |progress| {
            let percent = progress.done * 100 / progress.all.max(1);
            if people && percent >= told + STEP {
                told = percent;
                note(&format!("{} of {} objects are in both places", progress.done, progress.all));
            }
        })?;
        let mut page = Page::default();
        page.field("ledger", &moved.to)
            .field("was", &moved.from)
            .field("entries", moved.size)
            .field("root", &moved.root);
        page.line(format!(
            "{} objects of {} bytes are the same in both places; {} were carried",
            moved.objects, moved.bytes, moved.carried
        ));
        page.wrapped("", "", "The old place takes no record any more. Keep it until the new one is backed up.");
        Ok(Answer::new(page.finish(), to_json(&moved)?))
    }
}
