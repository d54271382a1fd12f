//! Releases: begun once, promoted by digest, deployed, observed, and compared with what was approved.
//!
//! One digest goes from build to production. A promotion takes a [`Permit`]; what happened without one can still be
//! recorded, and is a finding from then on.

mod custody;
mod drift;
mod retention;

use serde::{Deserialize, Serialize};

use crate::artifact::ResourceDescriptor;
use crate::digest::{Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::gate::Permit;
use crate::ledger::{ATTACHMENT_LOCATION, Ledger, LedgerRecord, Receipt, Selection};
use crate::predicate::{
    self, Actor, Deployment, DeploymentStatus, Environment, EnvironmentClass, EnvironmentSnapshot, Observed,
    PolicyEvaluation, Predicate, Promotion, RecordRef, Release, Strategy, nonce,
};
use crate::signer::Signer;
use crate::statement::Statement;
use crate::timestamp::Timestamp;

pub use custody::{Custody, CustodyStep, custody, gaps};
pub(crate) use custody::{custody_of, gaps_of};
pub use drift::{Drift, drift};
pub use retention::{HoldOrder, approve_disposal, place_hold, release_hold};

/// A record that an act left in the ledger.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Recorded {
    /// Payload digest, by which other records name it.
    pub payload: Digest,
    /// Proof that it is in the ledger.
    pub receipt: Receipt,
}

/// Begins a release: gives it its id, to which all evidence about its artifacts is linked.
///
/// `purl` names the release with its version; `artifacts` are all of it, by digest.
///
/// # Errors
/// `ALREADY_EXISTS` if the id was given to something else; `MALFORMED` for a purl without version; those of the ledger.
pub fn begin(
    ledger: &mut Ledger,
    release_id: &str,
    purl: &str,
    artifacts: Vec<ResourceDescriptor>,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Recorded> {
    let release = Release {
        purl: purl.to_owned(),
        package_id: None,
        release_id: Some(release_id.to_owned()),
        release_kind: None,
    };
    let statement = Statement::new(artifacts, &release)?;
    ledger.refresh()?;
    for record in of_release(ledger, release_id)? {
        let other = record.statement();
        if matches!(other.predicate(), Ok(Predicate::Release(_))) && other.payload() != statement.payload() {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("the release id `{release_id}` was given at entry {}; choose another id", record.index),
            )
            .with("index", record.index));
        }
    }
    recorded(ledger, &statement, signer, now)
}

/// Promotes what a permit is for into its environment, and spends the permit.
///
/// # Errors
/// `PERMIT_REFUSED` if the permit was spent, came too late, or something changed since; `DIGEST_MISMATCH` if the
/// environment before runs another digest of this release: that would be a rebuild; those of the ledger.
pub fn promote(
    ledger: &mut Ledger,
    permit: &Permit,
    release_id: &str,
    promoted_by: Actor,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Recorded> {
    ledger.refresh()?;
    let records = of_release(ledger, release_id)?;
    let from = before(&records, permit.environment().class);
    if let Some((record, _)) = &from {
        for artifact in permit.artifacts().iter().flat_map(ResourceDescriptor::digests) {
            if !record.statement().has_subject(&artifact) {
                return Err(Error::new(
                    ErrorKind::DigestMismatch,
                    format!("`{artifact}` is not what the environment before runs; promote the validated digest, do not rebuild"),
                )
                .with("found", artifact));
            }
        }
    }
    let last = records.iter().rev().find(|r| match r.statement().predicate() {
        Ok(Predicate::Promotion(p)) => from.as_ref().is_some_and(|(_, e)| e.id == p.to.id),
        _ => false,
    });
    let promotion = Promotion {
        nonce: nonce()?,
        release_id: release_id.to_owned(),
        from: from.map(|(_, environment)| environment),
        to: permit.environment().clone(),
        decision: RecordRef::to(permit.decision()),
        approvals: approvals_counted(ledger, permit)?,
        previous_promotion: last.map(|r| RecordRef::to(&r.statement().payload_digest())),
        promoted_by,
        promoted_at: now,
        relocation: None,
    };
    let statement = Statement::new(permit.artifacts().to_vec(), &promotion)?;
    recorded(ledger, &statement, signer, now)
}

/// A deployment that happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Deploy {
    /// Identity of the run, a URI.
    pub deployment_id: String,
    /// Release.
    pub release_id: String,
    /// Changes that go live with it.
    #[serde(default)]
    pub change_ids: Vec<String>,
    /// Where.
    pub environment: Environment,
    /// What, by digest.
    pub artifacts: Vec<ResourceDescriptor>,
    /// Who asked.
    pub triggered_by: Actor,
    /// Who did it; not the builder.
    pub executed_by: Actor,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub finished_at: Option<Timestamp>,
    /// Outcome.
    pub status: DeploymentStatus,
    /// How.
    pub strategy: Strategy,
    /// Manifests and values with their digests.
    #[serde(default)]
    pub configuration: Vec<ResourceDescriptor>,
    /// What ran before.
    #[serde(default)]
    pub replaces: Vec<DigestSet>,
    /// Resources touched; a snapshot is compared with them.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Commit time of the oldest commit in it.
    pub earliest_commit_at: Option<Timestamp>,
}

impl Deploy {
    /// A deployment that succeeded at once; the fields say more where there is more to say.
    pub fn succeeded(
        deployment_id: impl Into<String>,
        release_id: impl Into<String>,
        environment: Environment,
        artifacts: Vec<ResourceDescriptor>,
        by: Actor,
        at: Timestamp,
    ) -> Self {
        Self {
            deployment_id: deployment_id.into(),
            release_id: release_id.into(),
            change_ids: Vec::new(),
            environment,
            artifacts,
            triggered_by: by.clone(),
            executed_by: by,
            started_at: at,
            finished_at: Some(at),
            status: DeploymentStatus::Succeeded,
            strategy: Strategy::Recreate,
            configuration: Vec::new(),
            replaces: Vec::new(),
            resources: Vec::new(),
            earliest_commit_at: None,
        }
    }
}

/// Records a deployment. With a permit it spends its decision; without, it is recorded all the same, and is an
/// evidence gap from then on. Above dev, `promotion` is the payload digest of the promotion that spent the decision.
///
/// # Errors
/// `PERMIT_REFUSED` if the decision may not be used for this; those of the ledger.
pub fn deploy(
    ledger: &mut Ledger,
    deploy: Deploy,
    permit: Option<&Permit>,
    promotion: Option<&Digest>,
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Recorded> {
    let deployment = Deployment {
        nonce: nonce()?,
        deployment_id: deploy.deployment_id,
        release_id: deploy.release_id,
        change_ids: deploy.change_ids,
        environment: deploy.environment,
        triggered_by: deploy.triggered_by,
        executed_by: deploy.executed_by,
        started_at: deploy.started_at,
        finished_at: deploy.finished_at,
        status: deploy.status,
        strategy: deploy.strategy,
        strategy_detail: None,
        promotion: promotion.map(RecordRef::to),
        decision: permit.map(|p| RecordRef::to(p.decision())),
        configuration: deploy.configuration,
        configuration_diff: None,
        replaces: deploy.replaces,
        earliest_commit_at: deploy.earliest_commit_at,
        resources: deploy.resources,
        schema_migrations: Vec::new(),
        is_rollback: None,
    };
    let statement = Statement::new(deploy.artifacts, &deployment)?;
    recorded(ledger, &statement, signer, now)
}

/// Records what an observer saw running. `source` is the raw answer it was made from; the ledger keeps it.
///
/// # Errors
/// Those of the ledger; `MALFORMED` if the state has no canonical form.
pub fn snapshot(
    ledger: &mut Ledger,
    environment: Environment,
    observer: Actor,
    mut state: Vec<Observed>,
    source: &[u8],
    signer: &dyn Signer,
    now: Timestamp,
) -> Result<Recorded> {
    state.sort_by(|a, b| (&a.resource, &a.digest).cmp(&(&b.resource, &b.digest)));
    let snapshot = EnvironmentSnapshot {
        environment,
        observer,
        observed_at: now,
        coverage: predicate::Coverage::Full,
        state,
        source_data: attach(ledger, source, "observed state", "application/json")?,
    };
    let mut subjects = vec![ResourceDescriptor::of(snapshot.state_digest()?).named("state")];
    let mut seen: Vec<DigestSet> = snapshot.state.iter().filter_map(|s| s.digest.clone()).collect();
    seen.sort();
    seen.dedup();
    subjects.extend(seen.into_iter().map(ResourceDescriptor::of));
    let statement = Statement::new(subjects, &snapshot)?;
    recorded(ledger, &statement, signer, now)
}

/// Keeps a file in the ledger and gives the descriptor by which records name it.
///
/// # Errors
/// Those of [`Ledger::attach`].
pub fn attach(ledger: &Ledger, bytes: &[u8], name: &str, media_type: &str) -> Result<ResourceDescriptor> {
    let digest = ledger.attach(bytes)?;
    let mut descriptor = ResourceDescriptor::of(digest.clone()).named(name).with_media_type(media_type);
    descriptor.download_location = Some(format!("{ATTACHMENT_LOCATION}{}", digest.hex()));
    Ok(descriptor)
}

fn recorded(ledger: &mut Ledger, statement: &Statement, signer: &dyn Signer, now: Timestamp) -> Result<Recorded> {
    let receipt = ledger.record_statement(statement, signer, now)?;
    Ok(Recorded { payload: statement.payload_digest(), receipt })
}

/// All records tagged with the release, in the order of the ledger, found by walking.
fn of_release(ledger: &Ledger, release_id: &str) -> Result<Vec<LedgerRecord>> {
    let selected = ledger.select(&Selection::default().with("release", release_id))?;
    selected.matched.into_iter().map(|index| ledger.record(index)).collect()
}

/// The newest successful deployment into the environment class below `class`, with its environment.
fn before(records: &[LedgerRecord], class: EnvironmentClass) -> Option<(LedgerRecord, Environment)> {
    let below: &[EnvironmentClass] = match class {
        EnvironmentClass::Prod => &[EnvironmentClass::Staging, EnvironmentClass::Test],
        EnvironmentClass::Staging | EnvironmentClass::Test => &[EnvironmentClass::Dev],
        EnvironmentClass::Dev => &[],
    };
    records.iter().rev().find_map(|r| match r.statement().predicate() {
        Ok(Predicate::Deployment(d))
            if below.contains(&d.environment.class) && d.status == DeploymentStatus::Succeeded =>
        {
            Some((r.clone(), d.environment.clone()))
        }
        _ => None,
    })
}

/// The approvals a decision counted, from its own record.
fn approvals_counted(ledger: &Ledger, permit: &Permit) -> Result<Vec<RecordRef>> {
    let record = crate::gate::decision_record(ledger, permit.decision())?;
    let evaluation: PolicyEvaluation = record.statement().predicate_as()?;
    let counted = evaluation.checks.into_iter().find(|c| c.id == "EV-APPR-001");
    Ok(counted.map(|c| c.evidence).unwrap_or_default())
}
