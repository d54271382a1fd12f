//! `ingest`: the report of a tool as a signed record.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::answer::Answer;
use super::input::{Subjects, resource};
use super::settings::Settings;
use super::sign::Signing;
use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::error::Result;
use crate::ingest::junit;
use crate::limits;
use crate::predicate::TestKind;
use crate::release::attach;
use crate::statement::Statement;

#[derive(Subcommand)]
pub(crate) enum IngestCommand {
    /// A JUnit XML report, as a test result.
    Junit(Junit),
}

#[derive(Args)]
pub(crate) struct Junit {
    /// The report.
    file: PathBuf,
    #[command(flatten)]
    subjects: Subjects,
    /// Kind of tests: unit, integration, contract, system, sast, …
    #[arg(long)]
    kind: TestKind,
    /// The tool, by name and version.
    #[arg(long, value_name = "NAME")]
    tool: Option<String>,
    /// What configured the tests, NAME=FILE or NAME=sha256:HEX.
    #[arg(long, value_name = "NAME=FILE")]
    configuration: Vec<String>,
    #[command(flatten)]
    signing: Signing,
}

impl IngestCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let Self::Junit(junit) = self;
        junit.run(settings)
    }
}

impl Junit {
    fn run(self, settings: &Settings) -> Result<Answer> {
        const NAME: &str = "JUnit report";
        const MEDIA_TYPE: &str = "application/xml";
        let bytes = limits::read_file("test report", &self.file, limits::DOCUMENT_BYTES)?;
        let mut result = junit::read(&bytes)?.test_result(self.kind);
        result.configuration = self.configuration.iter().map(|text| resource(text)).collect::<Result<_>>()?;
        result.tool = self.tool.as_ref().map(|tool| {
            let tool_uri = format!("urn:sealwright:tool:{}", tool.replace(char::is_whitespace, "-"));
            ResourceDescriptor::at(tool_uri).named(tool)
        });
        result.finished_at = Some(settings.now()?);
        let subjects = self.subjects.read()?;
        let ledger = self.signing.open(settings)?;
        result.report = Some(match &ledger {
            Some(ledger) => attach(ledger, &bytes, NAME, MEDIA_TYPE)?,
            None => ResourceDescriptor::of(Digest::sha256(&bytes)).named(NAME).with_media_type(MEDIA_TYPE),
        });
        self.signing.finish(settings, &Statement::new(subjects, &result)?, ledger)
    }
}
