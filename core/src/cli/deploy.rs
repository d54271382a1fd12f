//! `promote` and `deploy`: spending a decision of the gate.

use clap::Args;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::resource;
use super::open::{Act, By};
use super::settings::Settings;
use super::text::Page;
use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::gate::Permit;
use crate::predicate::{DeploymentStatus, Environment, Strategy};
use crate::release::{self, Deploy, Recorded};
use crate::timestamp::Timestamp;

#[derive(Args)]
pub(crate) struct Promote {
    /// The decision that allows it, as the gate named it.
    #[arg(long, value_name = "sha256:HEX")]
    decision: Digest,
    /// Release.
    #[arg(long, value_name = "ID")]
    release: String,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    act: Act,
}

#[derive(Args)]
pub(crate) struct Deployment {
    /// Where, if no decision says so: dev, test, staging, prod, or a name of
    /// sealwright.toml.
    #[arg(long, value_name = "NAME", conflicts_with = "decision", required_unless_present = "decision")]
    environment: Option<String>,
    /// Id of that environment.
    #[arg(long, value_name = "URI", requires = "environment")]
    environment_id: Option<String>,
    /// What, if no decision says so: NAME=FILE or NAME=sha256:HEX.
    #[arg(long = "artifact", value_name = "NAME=FILE", conflicts_with = "decision")]
    artifacts: Vec<String>,
    /// The decision that allows it; without one, it is recorded as a gap.
    #[arg(long, value_name = "sha256:HEX")]
    decision: Option<Digest>,
    /// The promotion that spent the decision; demanded above dev.
    #[arg(long, value_name = "sha256:HEX", requires = "decision")]
    promotion: Option<Digest>,
    /// Release.
    #[arg(long, value_name = "ID")]
    release: String,
    /// A change that goes live [default: that of the decision].
    #[arg(long = "change", value_name = "ID")]
    changes: Vec<String>,
    /// Identity of the run, a URI [default: made from environment and time].
    #[arg(long, value_name = "URI")]
    deployment_id: Option<String>,
    /// A workload, function or host that it touched.
    #[arg(long = "resource", value_name = "URI")]
    resources: Vec<String>,
    /// A manifest or values file, NAME=FILE.
    #[arg(long = "configuration", value_name = "NAME=FILE")]
    configuration: Vec<String>,
    /// What ran before.
    #[arg(long = "replaces", value_name = "sha256:HEX")]
    replaces: Vec<Digest>,
    /// STARTED, SUCCEEDED, FAILED or ABORTED.
    #[arg(long, default_value = "SUCCEEDED")]
    status: DeploymentStatus,
    /// recreate, rolling, blue-green, canary, …
    #[arg(long, default_value = "recreate")]
    strategy: Strategy,
    /// When it began [default: now].
    #[arg(long, value_name = "TIME")]
    started_at: Option<Timestamp>,
    /// When it ended [default: now].
    #[arg(long, value_name = "TIME")]
    finished_at: Option<Timestamp>,
    /// Time of the oldest commit in it.
    #[arg(long, value_name = "TIME")]
    earliest_commit_at: Option<Timestamp>,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    act: Act,
}

impl Promote {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let (mut ledger, key) = self.act.open(settings)?;
        let permit = Permit::of_decision(&ledger, &self.decision)?;
        let by = self.by.actor(&ledger, &key)?;
        let recorded = release::promote(&mut ledger, &permit, &self.release, by, &key, settings.now()?)?;
        shown("promotion", &recorded, permit.environment())
    }
}

impl Deployment {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let (mut ledger, key) = self.act.open(settings)?;
        let now = settings.now()?;
        let permit = self.decision.as_ref().map(|d| Permit::of_decision(&ledger, d)).transpose()?;
        let (environment, artifacts) = match &permit {
            Some(permit) => (permit.environment().clone(), permit.artifacts().to_vec()),
            None => self.said(settings)?,
        };
        let started = self.started_at.unwrap_or(now);
        let id = self.deployment_id.unwrap_or_else(|| format!("{}/deployments/{}", environment.id, now.unix_millis()));
        let by = self.by.actor(&ledger, &key)?;
        let mut deploy = Deploy::succeeded(id, self.release, environment.clone(), artifacts, by, started);
        deploy.finished_at = (self.status != DeploymentStatus::Started).then(|| self.finished_at.unwrap_or(now));
        (deploy.status, deploy.strategy, deploy.resources) = (self.status, self.strategy, self.resources);
        deploy.change_ids = match permit.as_ref().and_then(Permit::change_id) {
            Some(change) if self.changes.is_empty() => vec![change.to_owned()],
            _ => self.changes,
        };
        deploy.configuration = self.configuration.iter().map(|text| resource(text)).collect::<Result<_>>()?;
        deploy.replaces = self.replaces.into_iter().map(Into::into).collect();
        deploy.earliest_commit_at = self.earliest_commit_at;
        let recorded = release::deploy(&mut ledger, deploy, permit.as_ref(), self.promotion.as_ref(), &key, now)?;
        shown("deployment", &recorded, &environment)
    }

    /// Environment and artifacts of a deployment without a decision.
    fn said(&self, settings: &Settings) -> Result<(Environment, Vec<ResourceDescriptor>)> {
        if self.artifacts.is_empty() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "nothing says what was deployed; name it with `--artifact`, or the decision with `--decision`",
            ));
        }
        let name = self.environment.as_deref().unwrap_or_default();
        let environment = settings.environment(name, self.environment_id.as_deref())?;
        Ok((environment, self.artifacts.iter().map(|text| resource(text)).collect::<Result<_>>()?))
    }
}

/// Shows a record that an act left.
pub(crate) fn shown(what: &str, recorded: &Recorded, environment: &Environment) -> Result<Answer> {
    let mut page = Page::default();
    page.wrapped("", "  ", &format!("entry {}: {what}, {}", recorded.receipt.index, environment.id));
    page.field("payload", &recorded.payload);
    let value = json!({
        "payload": recorded.payload.to_string(),
        "environment": to_json(environment)?,
        "receipt": to_json(&recorded.receipt)?,
    });
    Ok(Answer::new(page.finish(), value))
}
