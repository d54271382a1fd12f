//! `record`: what people decide and ask for, signed and appended in one.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::Answer;
use super::attest::Body;
use super::open::{Act, Known};
use super::predicate_names::KnownType;
use super::settings::Settings;
use super::sign::appended;
use super::text::Page;
use crate::error::Result;
use crate::limits;
use crate::predicate::{Approval, ChangeRequest, PredicateType};

#[derive(Subcommand)]
pub(crate) enum RecordCommand {
    /// What somebody decided.
    Approval(Record),
    /// What is to change, and why.
    ChangeRequest(Record),
    /// Keep a file that records name by its digest.
    Attach {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        known: Known,
    },
}

#[derive(Args)]
pub(crate) struct Record {
    #[command(flatten)]
    body: Body,
    #[command(flatten)]
    act: Act,
}

impl RecordCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Approval(record) => record.run::<Approval>(settings),
            Self::ChangeRequest(record) => record.run::<ChangeRequest>(settings),
            Self::Attach { file, known } => {
                let bytes = limits::read_file("attachment", &file, limits::ATTACHMENT_BYTES)?;
                let digest = known.open(settings)?.attach(&bytes)?;
                let mut page = Page::default();
                page.field("attached", &digest);
                Ok(Answer::new(page.finish(), json!({ "digest": digest.to_string() })))
            }
        }
    }
}

impl Record {
    fn run<P: PredicateType>(self, settings: &Settings) -> Result<Answer> {
        let statement = self.body.statement(settings, KnownType::of::<P>())?;
        let (mut ledger, key) = self.act.open(settings)?;
        let receipt = ledger.record_statement(&statement, &key, settings.now()?)?;
        appended(&statement, &receipt)
    }
}
