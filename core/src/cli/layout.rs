//! `layout`: classic in-toto layouts.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::answer::{Answer, to_json};
use super::input::digest;
use super::settings::Settings;
use super::text::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::layout::{LayoutExpectation, LayoutKey, Links, VerifiedStep, verify};
use crate::limits;
use crate::timestamp::Timestamp;
use crate::verifier::Artifact;

#[derive(Subcommand)]
pub(crate) enum LayoutCommand {
    /// Verify a layout and its links; no command of it is ever run.
    Verify(VerifyLayout),
}

#[derive(Args)]
#[command(override_usage = "sealwright layout verify --layout <FILE> --key <FILE> <ARTIFACT>")]
pub(crate) struct VerifyLayout {
    /// What the last step must have made: a file, or its sha256:HEX.
    artifact: String,
    /// The layout.
    #[arg(long, value_name = "FILE")]
    layout: PathBuf,
    /// Public key file of an owner, each of whom must have signed: PEM or JSON.
    #[arg(long = "key", value_name = "KEY", required = true)]
    keys: Vec<PathBuf>,
    /// Folder with the links.
    #[arg(long, value_name = "DIR", default_value = ".")]
    links: PathBuf,
    /// Value of a parameter that the layout takes.
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Refuse a link whose command differs from the expected one.
    #[arg(long)]
    require_commands: bool,
    /// When the layout must be valid [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

impl LayoutCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let Self::Verify(verify) = self;
        verify.run(settings)
    }
}

impl VerifyLayout {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let layout = limits::read_file("layout", &self.layout, limits::LAYOUT_BYTES)?;
        let read_key = |path: &PathBuf| LayoutKey::parse(&limits::read_file("key file", path, limits::KEY_BYTES)?);
        let owners = self.keys.iter().map(read_key).collect::<Result<Vec<_>>>()?;
        let at = self.at.map_or_else(|| settings.now(), Ok)?;
        let mut expectation = LayoutExpectation::new(Artifact::Is(digest(&self.artifact)?), at);
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter().map(|text| {
                let (name, value) = text.split_once('=').ok_or_else(|| {
                    Error::new(ErrorKind::ApiMisuse, format!("expected `NAME=VALUE`, found `{text}`; write both"))
                })?;
                Ok((name.to_owned(), value.to_owned()))
            });
            expectation = expectation.with_parameters(parameters.collect::<Result<_>>()?)?;
        }
        if self.require_commands {
            expectation = expectation.require_commands();
        }
        let verified = verify(&layout, &owners, &Links::of_folder(&self.links)?, &expectation)?;
        let mut page = Page::default();
        page.field("layout", verified.layout()).field("expires", verified.expires());
        verified.owners().iter().for_each(|owner| {
            page.field("owner", owner);
        });
        steps(&mut page, verified.steps(), "");
        for deviation in verified.command_deviations() {
            let found = format!("{} ran `{}`", deviation.step, deviation.found.join(" "));
            page.field("warning", format!("{found}, expected `{}`", deviation.expected.join(" ")));
        }
        Ok(Answer::new(page.finish(), to_json(&verified)?))
    }
}

fn steps(page: &mut Page, all: &[VerifiedStep], within: &str) {
    for step in all {
        let name = format!("{within}{}", step.name);
        page.field("step", &name);
        step.key_ids.iter().for_each(|id| {
            page.field("  by", id);
        });
        steps(page, &step.within, &format!("{name}/"));
    }
}
