//! `gate`: ask whether an artifact may go to an environment, and record the answer.

use clap::Args;
use serde_json::json;

use super::answer::{Answer, to_json};
use super::open::Act;
use super::settings::Settings;
use super::text::Page;
use crate::error::{Error, Result};
use crate::gate::{ArtifactReference, Decision, GateRequest, decide};
use crate::predicate::{CheckOutcome, CheckResult, Profile};

#[derive(Args)]
#[command(
    override_usage = "sealwright gate <ENVIRONMENT> --artifact <REFERENCE> --release <ID>\n                       --deployer <NAME> [OPTIONS]"
)]
pub(crate) struct GateCommand {
    /// dev, test, staging, prod, or a name of sealwright.toml.
    environment: String,
    /// The artifact, sha256:HEX or name@sha256:HEX; a tag is refused.
    #[arg(long, value_name = "REFERENCE")]
    artifact: ArtifactReference,
    /// Id of the environment
    /// [default: urn:sealwright:environment:NAME].
    #[arg(long, value_name = "URI")]
    environment_id: Option<String>,
    /// Release it belongs to.
    #[arg(long, value_name = "ID")]
    release: String,
    /// Change it answers; demanded above dev.
    #[arg(long, value_name = "ID")]
    change: Option<String>,
    /// Signer that will deploy it, by its name in the trust policy.
    #[arg(long, value_name = "NAME")]
    deployer: String,
    /// Package URL of the artifact, for display.
    #[arg(long)]
    purl: Option<String>,
    #[command(flatten)]
    act: Act,
}

impl GateCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let environment = settings.environment(&self.environment, self.environment_id.as_deref())?;
        let mut request = GateRequest::new(self.artifact, environment, self.release, self.deployer);
        (request.change_id, request.purl) = (self.change, self.purl);
        let (mut ledger, key) = self.act.open(settings)?;
        let decision = decide(&mut ledger, &request, &key, settings.now()?)?;
        let value = json!({
            "passed": decision.passed(),
            "decision": decision.payload.to_string(),
            "evaluation": to_json(&decision.evaluation)?,
            "receipt": to_json(&decision.receipt)?,
        });
        let answer = Answer::new(shown(&decision, &request), value);
        Ok(match decision.enforce(&ledger) {
            Ok(_) => answer,
            Err(e) => answer.refused(shortly(&e, &decision, &self.environment)),
        })
    }
}

fn shown(decision: &Decision, request: &GateRequest) -> String {
    let count = |outcome| decision.evaluation.checks.iter().filter(|c| c.result == outcome).count();
    let mut page = Page::default();
    for check in decision.refusals() {
        page.line(format!("{}  {}", check.id, check.result));
        page.wrapped("  ", "  ", reason(check));
        if let Some(fix) = &check.remediation {
            page.wrapped("  Fix: ", "       ", fix);
        }
        if !check.controls.is_empty() {
            page.wrapped("  Controls: ", "            ", &check.controls.join(", "));
        }
        page.line("");
    }
    if decision.passed() {
        page.wrapped("", "", &format!("{} may go to {}", request.artifact, request.environment.id));
    }
    page.field(
        "checks",
        format!("{} passed, {} do not apply", count(CheckOutcome::Passed), count(CheckOutcome::NotApplicable)),
    );
    page.field("profile", profile(&decision.evaluation.profile));
    page.field("decision", &decision.payload).field("entry", decision.receipt.index);
    page.finish()
}

/// What the decision was made by, and that it does not ask everything. The record names each check left out.
fn profile(profile: &Profile) -> String {
    let operator = if profile.single_operator { ", single operator" } else { "" };
    let left_out = profile.leaves_out.iter().filter(|l| l.part == "all").count();
    match left_out {
        0 => format!("{}{operator}", profile.name),
        n => format!("{}{operator}; {n} default checks left out, named in the decision", profile.name),
    }
}

/// The message without what the block shows on lines of its own.
fn reason(check: &CheckResult) -> &str {
    let message = check.message.as_deref().unwrap_or("no reason was given");
    let tail = format!(
        " Answers: {} Controls: {}. Fix: {}",
        check.question.as_deref().unwrap_or_default(),
        check.controls.join(", "),
        check.remediation.as_deref().unwrap_or_default()
    );
    match message.strip_suffix(&tail).and_then(|text| text.split_once(": ")) {
        Some((place, reason)) if place.starts_with(&check.id) => reason,
        _ => message,
    }
}

/// The refusal without the messages, which are shown already.
fn shortly(e: &Error, decision: &Decision, environment: &str) -> Error {
    let refusing: Vec<_> = decision.refusals().map(|c| c.id.as_str()).collect();
    let message = format!("the gate to {environment} refuses by {}; meet them, then ask again", refusing.join(", "));
    e.context().iter().fold(Error::new(e.kind(), message), |e, (name, value)| e.with(name, value))
}
