//! `release`: releases, and what happened to them.

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::resource;
use super::open::{Act, Known};
use super::settings::Settings;
use super::sign::insert;
use super::text::{Page, to_the_second};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::Ledger;
use crate::release::{Custody, CustodyStep, begin, custody, gaps};

#[derive(Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Begin a release: give its artifacts an id.
    Begin(Begin),
    /// Show what a release is, where it runs, and what is missing.
    Show(Look),
    /// Show each hand-over of a release, in order.
    Timeline(Look),
}

#[derive(Args)]
#[command(
    override_usage = "sealwright release begin <ID> --purl <PURL>\n                                --artifact <NAME=FILE> [OPTIONS]"
)]
pub(crate) struct Begin {
    /// Id of the release.
    id: String,
    /// Package URL with version.
    #[arg(long)]
    purl: String,
    /// An artifact, NAME=FILE or NAME=sha256:HEX.
    #[arg(long = "artifact", value_name = "NAME=FILE", required = true)]
    artifacts: Vec<String>,
    #[command(flatten)]
    act: Act,
}

#[derive(Args)]
pub(crate) struct Look {
    /// Id of the release.
    id: String,
    #[command(flatten)]
    known: Known,
}

impl ReleaseCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Begin(begin) => begin.run(settings),
            Self::Show(look) => show(&look.known.open(settings)?, &look.id),
            Self::Timeline(look) => timeline(&look.known.open(settings)?, &look.id),
        }
    }
}

impl Begin {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let artifacts = self.artifacts.iter().map(|text| Ok(resource(text)?.with_uri(&self.purl)));
        let artifacts = artifacts.collect::<Result<Vec<_>>>()?;
        let (mut ledger, key) = self.act.open(settings)?;
        let recorded = begin(&mut ledger, &self.id, &self.purl, artifacts, &key, settings.now()?)?;
        let mut page = Page::default();
        page.line(format!("entry {}: release {}", recorded.receipt.index, self.id));
        page.field("payload", &recorded.payload);
        let value = json!({
            "releaseId": self.id,
            "payload": recorded.payload.to_string(),
            "receipt": to_json(&recorded.receipt)?,
        });
        Ok(Answer::new(page.finish(), value))
    }
}

fn show(ledger: &Ledger, id: &str) -> Result<Answer> {
    let custody = known(custody(ledger, id)?)?;
    let gaps = gaps(ledger, id)?;
    let mut page = Page::default();
    page.line(format!("release {id}"));
    for digest in custody.steps.iter().filter(|s| s.act == "released").flat_map(|s| &s.digests) {
        page.field("artifact", format!("sha256:{digest}"));
    }
    for step in custody.steps.iter().filter(|s| matches!(s.act, "deployed" | "observed")) {
        let place = step.environment.as_deref().unwrap_or_default();
        page.field(step.act, format!("{place} (entry {})", step.index));
    }
    for missing in &custody.missing {
        page.wrapped("missing  ", "         ", missing);
    }
    for gap in &gaps {
        let about = gap.resource.as_deref().unwrap_or_default();
        page.wrapped("gap      ", "         ", &format!("{} ({}): {about}", gap.finding_type, gap.severity));
    }
    let mut value = to_json(&custody)?;
    insert(&mut value, "gaps", to_json(&gaps)?);
    Ok(Answer::new(page.finish(), value))
}

fn timeline(ledger: &Ledger, id: &str) -> Result<Answer> {
    let custody = known(custody(ledger, id)?)?;
    let mut page = Page::default();
    for CustodyStep { index, logged_at, act, environment, signer, .. } in &custody.steps {
        let place = environment.as_deref().map(|e| format!(" {e}")).unwrap_or_default();
        let at = to_the_second(*logged_at);
        page.wrapped(&format!("{index:>6}  "), "        ", &format!("{at} {act}{place} by {signer}"));
    }
    for missing in &custody.missing {
        page.wrapped("missing ", "        ", missing);
    }
    Ok(Answer::new(page.finish(), to_json(&custody)?))
}

/// A release that the ledger knows something of.
fn known(custody: Custody) -> Result<Custody> {
    if custody.steps.is_empty() {
        let id = &custody.release_id;
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("the ledger knows nothing of a release `{}`; check its id", id.escape_debug()),
        ));
    }
    Ok(custody)
}
