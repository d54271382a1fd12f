//! `snapshot` and `drift`: what runs, and whether it is what was deployed.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::deploy::shown;
use super::open::{Act, By};
use super::settings::Settings;
use super::text::Page;
use crate::error::Result;
use crate::json::Value;
use crate::predicate::Observed;
use crate::{json, limits, release};

/// An environment, by name and id.
#[derive(Args)]
pub(crate) struct Place {
    /// dev, test, staging, prod, or a name of sealwright.toml.
    #[arg(long, value_name = "NAME")]
    environment: String,
    /// Its id [default: urn:sealwright:environment:NAME].
    #[arg(long, value_name = "URI")]
    environment_id: Option<String>,
}

#[derive(Args)]
pub(crate) struct Snapshot {
    #[command(flatten)]
    place: Place,
    /// All that runs, a JSON list of {"resource": URI, "digest": {"sha256":
    /// HEX}}.
    #[arg(long, value_name = "FILE")]
    observed: PathBuf,
    /// The raw answer it was made from, which the ledger keeps
    /// [default: the same file].
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    act: Act,
}

#[derive(Args)]
pub(crate) struct Drift {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    act: Act,
}

impl Snapshot {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let environment = settings.environment(&self.place.environment, self.place.environment_id.as_deref())?;
        let read = |path: &PathBuf| limits::read_file("observed state", path, limits::DOCUMENT_BYTES);
        let bytes = read(&self.observed)?;
        let state: Vec<Observed> = json::parse("observed state", &bytes)?;
        let source = self.source.as_ref().map_or_else(|| Ok(bytes), read)?;
        let (mut ledger, key) = self.act.open(settings)?;
        let by = self.by.actor(&ledger, &key)?;
        let now = settings.now()?;
        let recorded = release::snapshot(&mut ledger, environment.clone(), by, state, &source, &key, now)?;
        shown("snapshot", &recorded, &environment)
    }
}

impl Drift {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let environment = settings.environment(&self.place.environment, self.place.environment_id.as_deref())?;
        let (mut ledger, key) = self.act.open(settings)?;
        let drift = release::drift(&mut ledger, &environment.id, &key, settings.now()?)?;
        let mut page = Page::default();
        for finding in &drift.report.findings {
            page.line(format!("{} ({})", finding.finding_type, finding.severity));
            if let Some(resource) = &finding.resource {
                page.field("resource", resource);
            }
            for (name, side) in [("expected", &finding.expected), ("observed", &finding.observed)] {
                if let Some(hex) = side.as_ref().and_then(|s| s.get("sha256")).and_then(Value::as_str) {
                    page.field(name, format!("sha256:{hex}"));
                }
            }
            page.line("");
        }
        if drift.report.findings.is_empty() {
            page.wrapped("", "", &format!("{} runs what was deployed, and nothing else", environment.id));
        }
        page.field("entry", drift.recorded.receipt.index).field("payload", &drift.recorded.payload);
        let value = json!({
            "payload": drift.recorded.payload.to_string(),
            "report": to_json(&drift.report)?,
            "receipt": to_json(&drift.recorded.receipt)?,
        });
        Ok(Answer::new(page.finish(), value).unless(!drift.report.findings.is_empty()))
    }
}
