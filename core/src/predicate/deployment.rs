//! A digest with its configuration was put into an environment (predicates section 4.7).

use serde::{Deserialize, Serialize};

use super::environment::EnvironmentClass;
use super::field::{At, Check, ROOT};
use super::vocabulary::vocabulary;
use super::{Actor, Environment, PredicateType, RecordRef};
use crate::artifact::ResourceDescriptor;
use crate::digest::DigestSet;
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A deployment, as it happened. Subjects: the artifacts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// 16 random bytes, hex.
    pub nonce: String,
    /// Identity of the run, a URI.
    pub deployment_id: String,
    /// Release.
    pub release_id: String,
    /// Changes that go live with it.
    pub change_ids: Vec<String>,
    /// Where.
    pub environment: Environment,
    /// Who asked.
    pub triggered_by: Actor,
    /// Workload that did it; not the builder.
    pub executed_by: Actor,
    /// Start.
    pub started_at: Timestamp,
    /// End; needed once it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// How the rollout went.
    pub status: DeploymentStatus,
    /// How it was rolled out.
    pub strategy: Strategy,
    /// Slots of a blue-green rollout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy_detail: Option<StrategyDetail>,
    /// Why it was allowed; needed with a decision above dev.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<RecordRef>,
    /// The gate it passed, spent by this `deployment_id`; absent: it happened without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<RecordRef>,
    /// Manifests, plans and values, each by digest; empty only if there are none.
    pub configuration: Vec<ResourceDescriptor>,
    /// Difference to the configuration before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration_diff: Option<ResourceDescriptor>,
    /// What ran before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<DigestSet>,
    /// Time of the oldest commit that goes live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest_commit_at: Option<Timestamp>,
    /// Cloud resources touched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Changes of data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schema_migrations: Vec<ResourceDescriptor>,
    /// True if a rollback record exists for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_rollback: Option<bool>,
}

/// Slots of a blue-green rollout.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StrategyDetail {
    /// Slot that takes no traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_slot: Option<String>,
    /// Slot that takes traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active_slot: Option<String>,
    /// When traffic was switched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switched_at: Option<Timestamp>,
    /// Until when one can switch back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby_until: Option<Timestamp>,
}

vocabulary! {
    /// How a rollout went.
    DeploymentStatus {
        /// It began.
        Started = "STARTED",
        /// It was done.
        Succeeded = "SUCCEEDED",
        /// It did not work.
        Failed = "FAILED",
        /// It was stopped.
        Aborted = "ABORTED",
    }
}

vocabulary! {
    /// How something is rolled out.
    Strategy {
        /// Stop the old, start the new.
        Recreate = "recreate",
        /// One instance after another.
        Rolling = "rolling",
        /// Two slots and a switch.
        BlueGreen = "blue-green",
        /// A share of traffic first.
        Canary = "canary",
        /// New machines for old.
        ImmutableReplace = "immutable-replace",
    }
}

impl PredicateType for Deployment {
    const TYPE: &'static str = "https://sealwright.dev/attestation/deployment/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.nonce(&self.nonce)?;
        at.uri("deploymentId", &self.deployment_id)?;
        at.text("releaseId", &self.release_id)?;
        at.uri("changeIds", &self.change_ids)?;
        at.check("environment", &self.environment)?;
        at.check("triggeredBy", &self.triggered_by)?;
        at.check("executedBy", &self.executed_by)?;
        let open = self.status == DeploymentStatus::Started;
        let status = format!("`predicate.status` is `{}`", self.status);
        at.needed("finishedAt", open || self.finished_at.is_some(), &status)?;
        at.not_before("finishedAt", self.finished_at, "predicate.startedAt", Some(self.started_at))?;
        at.check("strategyDetail", &self.strategy_detail)?;
        let gated = self.decision.is_some() && self.environment.class != EnvironmentClass::Dev;
        at.needed("promotion", !gated || self.promotion.is_some(), "it names a `decision` above dev")?;
        at.check("promotion", &self.promotion)?;
        at.check("decision", &self.decision)?;
        for (i, resource) in self.configuration.iter().enumerate() {
            at.digested(&format!("configuration[{i}]"), resource)?;
        }
        at.check("configurationDiff", &self.configuration_diff)?;
        at.uri("resources", &self.resources)?;
        at.check("schemaMigrations", &self.schema_migrations)
    }
}

impl Check for StrategyDetail {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.text("idleSlot", &self.idle_slot)?;
        at.text("activeSlot", &self.active_slot)
    }
}
