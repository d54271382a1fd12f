//! `ledger attach`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::Answer;
use crate::cli::open::Append;
use crate::cli::settings::Settings;
use crate::error::Result;

#[derive(Args)]
pub(crate) struct Attach {
    /// The file, of any length.
    file: PathBuf,
    #[command(flatten)]
    append: Append,
}

impl Attach {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let digest = self.append.way(settings)?.attach_file(&self.file)?;
        Ok(Answer::new(format!("{digest}\n"), json!({ "digest": digest.to_string() })))
    }
}
