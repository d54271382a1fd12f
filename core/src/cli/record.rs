//! `record`: what people decide and ask for, signed and appended in one.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::Answer;
use super::attest::Body;
use super::commits::{self, Signers};
use super::open::{Act, Known};
use super::output;
use super::predicate_names::KnownType;
use super::settings::Settings;
use super::sign::appended;
use super::text::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::predicate::{Approval, ChangeRequest, PredicateType};
use crate::statement::Statement;

#[derive(Subcommand)]
pub(crate) enum RecordCommand {
    /// What somebody decided.
    Approval(Record),
    /// What is to change, and why.
    ChangeRequest(Change),
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

#[derive(Args)]
pub(crate) struct Change {
    #[command(flatten)]
    record: Record,
    /// The commits of the change: they become its subjects, and those who
    /// wrote them its authors.
    #[arg(long, value_name = "REV-RANGE")]
    commits: Option<String>,
    #[command(flatten)]
    signers: Signers,
    /// Refuse commits without a good signature of their author.
    #[arg(long, requires = "commits")]
    require_signed: bool,
}

impl RecordCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Approval(record) => record.run::<Approval>(settings),
            Self::ChangeRequest(change) => change.run(settings),
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
        self.append(settings, &statement)
    }

    fn append(&self, settings: &Settings, statement: &Statement) -> Result<Answer> {
        let (mut ledger, key) = self.act.open(settings)?;
        let receipt = ledger.record_statement(statement, &key, settings.now()?)?;
        appended(statement, &receipt)
    }
}

impl Change {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let Some(range) = &self.commits else { return self.record.run::<ChangeRequest>(settings) };
        let repository = &self.record.body.subjects.repository;
        let trust = self.signers.trust()?.unwrap_or_default();
        let wrote = commits::authorships(repository, range, &trust, settings.now()?)?;
        let mut doubtful = wrote.iter().filter(|w| !w.is_clear());
        if let Some(first) = doubtful.next() {
            let doubt = first.doubts().first().map_or("", |d| d.message.as_str());
            let found = format!("{} of {} commits are doubtful, the first: {doubt}", 1 + doubtful.count(), wrote.len());
            if self.require_signed {
                return Err(Error::new(ErrorKind::ExpectationUnmet, format!("{found}; `commits verify` shows all"))
                    .with("commit", first.id().hex()));
            }
            output::note(&format!("{found}; the record says so"));
        }
        let subjects = commits::subjects(&wrote, repository)?;
        let known = KnownType::of::<ChangeRequest>();
        let complete = |predicate: &mut Value| commits::add_authors(predicate, &wrote);
        let statement = self.record.body.statement_with(settings, known, subjects, complete)?;
        self.record.append(settings, &statement)
    }
}
