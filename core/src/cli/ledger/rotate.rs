//! `ledger rotate`: replacing keys of the ledger.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::keys::EncryptionKey;
use crate::cli::answer::Answer;
use crate::cli::open::Append;
use crate::cli::output::write_file;
use crate::cli::settings::Settings;
use crate::cli::text::Page;
use crate::error::Result;

#[derive(Subcommand)]
pub(crate) enum RotateCommand {
    /// Replace the key that signs checkpoints.
    LogKey(LogKey),
    /// Replace the key that the ledger is encrypted with; no record is touched.
    EncryptionKey(EncryptionKey),
}

#[derive(Args)]
pub(crate) struct LogKey {
    /// The new private key, Ed25519.
    #[arg(long, value_name = "FILE")]
    new: PathBuf,
    /// Write the note signed by both keys to this file, for those who pin the
    /// old one.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    append: Append,
}

impl RotateCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::LogKey(rotate) => rotate.run(settings),
            Self::EncryptionKey(rotate) => rotate.run(settings),
        }
    }
}

impl LogKey {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let new = settings.private_key(&self.new)?;
        let mut ledger = self.append.open(settings)?;
        let rotation = ledger.rotate_log_key(new)?;
        if let Some(out) = &self.out {
            write_file(out, rotation.note().as_bytes())?;
        }
        let mut page = Page::default();
        page.field("at size", rotation.at().size())
            .field("old key", rotation.old())
            .field("new key", rotation.new_key());
        page.wrapped(
            "",
            "",
            "From the next append on checkpoints are signed with the new key. Give it to whoever pins the log.",
        );
        let value = json!({
            "size": rotation.at().size(),
            "root": rotation.at().root().to_string(),
            "old": rotation.old().to_string(),
            "new": rotation.new_key().to_string(),
            "note": rotation.note(),
        });
        Ok(Answer::new(page.finish(), value))
    }
}
