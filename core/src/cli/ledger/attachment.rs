//! `ledger attach` and `ledger attachment`: files that records name by their SHA-256.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::Answer;
use crate::cli::open::Known;
use crate::cli::output::write_stream;
use crate::cli::settings::Settings;
use crate::digest::Digest;
use crate::error::Result;
use crate::ledger::ATTACHMENT_LOCATION;

#[derive(Args)]
pub(crate) struct Attach {
    /// The file, of any length.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    known: Known,
}

#[derive(Args)]
pub(crate) struct Attachment {
    /// Its digest.
    #[arg(value_name = "sha256:HEX")]
    digest: Digest,
    /// Write it to this file.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    known: Known,
}

impl Attach {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let digest = self.known.way_for_files(settings)?.attach_file(&self.file)?;
        let location = format!("{ATTACHMENT_LOCATION}{}", digest.hex());
        let text = format!("{digest}\nrecords name it by the download location {location}\n");
        Ok(Answer::new(text, json!({ "digest": digest.to_string(), "downloadLocation": location })))
    }
}

impl Attachment {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let mut reader = self.known.open(settings)?.attachment_stream(&self.digest)?;
        let size = reader.size();
        write_stream(&self.out, &mut reader)?;
        let text = format!("{size} bytes in {}\n", self.out.display());
        Ok(Answer::new(text, json!({ "size": size, "out": self.out.display().to_string() })))
    }
}
