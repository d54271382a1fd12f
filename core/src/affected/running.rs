//! Where an artifact runs, from the newest snapshot of each environment and the deployments into it.
//!
//! An artifact runs from its deployment until a later successful deployment of something else in its place, or until a
//! full snapshot that does not show it. In its place is what says that it replaces it, or shares a service or a resource
//! with it; where none of these is told, nothing says that it is gone.

use std::collections::{BTreeMap, BTreeSet};

use super::{RunningBy, RunningIn};
use crate::error::Result;
use crate::ledger::{Ledger, LedgerRecord, Query};
use crate::predicate::{Coverage, Deployment, DeploymentStatus, Environment, EnvironmentSnapshot, PredicateType};
use crate::timestamp::Timestamp;

/// What is known of environments, each newest snapshot read once.
pub(super) struct Environments<'l> {
    ledger: &'l Ledger,
    complete: bool,
    snapshots: BTreeMap<String, Option<Snapshot>>,
}

struct Snapshot {
    index: u64,
    told: EnvironmentSnapshot,
    /// What runs each artifact, by digest as `<algorithm>:<hex>`.
    shown: BTreeMap<String, Vec<usize>>,
}

/// A deployment into one environment.
struct Act {
    index: u64,
    told: Deployment,
    services: BTreeSet<String>,
    has_artifact: bool,
    /// Whether it says that it took the place of the artifact.
    replaces_artifact: bool,
}

impl<'l> Environments<'l> {
    pub(super) fn new(ledger: &'l Ledger, complete: bool) -> Self {
        Self { ledger, complete, snapshots: BTreeMap::new() }
    }

    /// Where the artifact of this digest runs, production first.
    pub(super) fn running(&mut self, digest: &str) -> Result<Vec<RunningIn>> {
        let mut environments: BTreeMap<String, Environment> = BTreeMap::new();
        let mut deployed: BTreeMap<String, Vec<Act>> = BTreeMap::new();
        for record in self.about(digest, Deployment::TYPE)? {
            let act = Act::of(&record, digest)?;
            environments.insert(act.told.environment.id.clone(), act.told.environment.clone());
            deployed.entry(act.told.environment.id.clone()).or_default().push(act);
        }
        for record in self.about(digest, EnvironmentSnapshot::TYPE)? {
            let snapshot: EnvironmentSnapshot = record.statement().predicate_as()?;
            environments.entry(snapshot.environment.id.clone()).or_insert(snapshot.environment);
        }
        let mut found = Vec::new();
        for (id, environment) in environments {
            let own = deployed.remove(&id).unwrap_or_default();
            found.extend(self.running_in(&environment, digest, &own)?);
        }
        found.sort_by_key(|running| running.class != "prod");
        Ok(found)
    }

    fn about(&self, digest: &str, predicate_type: &str) -> Result<Vec<LedgerRecord>> {
        let mut query = Query::everything();
        query.digest = Some(digest.to_owned());
        query.predicate_type = Some(predicate_type.to_owned());
        self.ledger.leads_of(query, self.complete)?.records().collect()
    }

    /// `own` are the deployments of the artifact into the environment, in the order of the ledger.
    fn running_in(&mut self, environment: &Environment, digest: &str, own: &[Act]) -> Result<Option<RunningIn>> {
        let mut place = Place::of(own);
        let snapshot = self.snapshot(&environment.id)?.map(|snapshot| snapshot.about(digest));
        if let Some(seen) = &snapshot {
            place.resources.extend(seen.resources.iter().cloned());
        }
        let from = match (own.first(), &snapshot) {
            (Some(first), _) => From::Entry(first.index),
            (None, Some(seen)) => From::Time(seen.observed_at),
            (None, None) => return Ok(None),
        };
        let run = self.run(&environment.id, digest, &from, &place)?;
        let told = |by, since, resources, records| RunningIn {
            environment: environment.id.clone(),
            class: environment.class.to_string(),
            by,
            since,
            resources,
            records,
        };
        if let Some(seen) = snapshot {
            if !seen.resources.is_empty() && !run.gone_after(seen.observed_at) {
                let since = seen.since.or(run.since).unwrap_or(seen.observed_at);
                let records = run.records.iter().copied().chain([seen.index]).collect();
                return Ok(Some(told(RunningBy::Observed, since, seen.resources, records)));
            }
            let last = run.since.or(run.attempted);
            if seen.is_full && seen.resources.is_empty() && last.is_none_or(|last| last <= seen.observed_at) {
                return Ok(None);
            }
        }
        Ok(match (run.since, run.attempted) {
            (Some(since), _) => Some(told(RunningBy::Deployed, since, place.resources, run.records)),
            (None, Some(since)) => Some(told(RunningBy::Attempted, since, place.resources, run.records)),
            (None, None) => None,
        })
    }

    /// The deployments that matter to an artifact, from the newest back to the last one of something else in its place.
    fn run(&self, environment: &str, digest: &str, from: &From, place: &Place) -> Result<Run> {
        let mut run = Run::default();
        let mut ended: BTreeSet<String> = BTreeSet::new();
        for act in self.later_deployments(environment, digest, from, place)? {
            let open = !ended.contains(&act.told.deployment_id);
            match act.told.status {
                DeploymentStatus::Succeeded if act.has_artifact => {
                    run.since = Some(act.told.finished_at.unwrap_or(act.told.started_at));
                    run.records.insert(act.index);
                }
                DeploymentStatus::Succeeded => {
                    run.replaced = Some(act.told.finished_at.unwrap_or(act.told.started_at));
                    break;
                }
                _ if act.has_artifact && open => {
                    run.attempted.get_or_insert(act.told.started_at);
                    run.records.insert(act.index);
                }
                _ => {}
            }
            if act.told.status != DeploymentStatus::Started {
                ended.insert(act.told.deployment_id);
            }
        }
        Ok(run)
    }

    /// Deployments in the place of the artifact from `from` on, the newest first.
    fn later_deployments(&self, environment: &str, digest: &str, from: &From, place: &Place) -> Result<Vec<Act>> {
        let mut query = Query::everything();
        query.environment = Some(environment.to_owned());
        query.predicate_type = Some(Deployment::TYPE.to_owned());
        match from {
            From::Entry(first) => query.after = first.checked_sub(1),
            From::Time(observed_at) => query.since = Some(*observed_at),
        }
        let mut found: BTreeMap<u64, Act> = BTreeMap::new();
        // an environment may have thousands of others
        let mut queries = place.queries(&query);
        if queries.is_empty() {
            queries.push(query);
        }
        for query in queries {
            for record in self.ledger.leads_of(query, self.complete)?.newest_first() {
                let act = Act::of(&record?, digest)?;
                let ends = act.told.status == DeploymentStatus::Succeeded && !act.has_artifact;
                if act.told.environment.id != environment || !(act.has_artifact || place.is_taken_by(&act)) {
                    continue;
                }
                found.insert(act.index, act);
                if ends {
                    break;
                }
            }
        }
        Ok(found.into_values().rev().collect())
    }

    /// The newest snapshot of an environment whose observer was not revoked.
    fn snapshot(&mut self, environment: &str) -> Result<Option<&Snapshot>> {
        if !self.snapshots.contains_key(environment) {
            let mut query = Query::everything();
            query.environment = Some(environment.to_owned());
            query.predicate_type = Some(EnvironmentSnapshot::TYPE.to_owned());
            let mut newest = None;
            for record in self.ledger.leads_of(query, self.complete)?.newest_first() {
                let record = record?;
                let told: EnvironmentSnapshot = record.statement().predicate_as()?;
                if !record.revoked && told.environment.id == environment {
                    newest = Some(Snapshot::new(record.index, told));
                    break;
                }
            }
            self.snapshots.insert(environment.to_owned(), newest);
        }
        Ok(self.snapshots.get(environment).and_then(Option::as_ref))
    }
}

/// From where on deployments matter.
enum From {
    /// The first one of the artifact.
    Entry(u64),
    /// What was observed and never deployed can only have been replaced since.
    Time(Timestamp),
}

/// What a snapshot says of one artifact.
struct Seen {
    index: u64,
    observed_at: Timestamp,
    is_full: bool,
    /// What runs it; nothing if it is not shown.
    resources: BTreeSet<String>,
    /// The earliest time that it says it runs since.
    since: Option<Timestamp>,
}

/// What an artifact takes the place of, and what takes its place.
#[derive(Default)]
struct Place {
    services: BTreeSet<String>,
    resources: BTreeSet<String>,
}

impl Place {
    fn of(own: &[Act]) -> Self {
        let mut place = Self::default();
        for act in own {
            place.services.extend(act.services.iter().cloned());
            place.resources.extend(act.told.resources.iter().cloned());
        }
        place
    }

    /// `query` for each service and resource.
    fn queries(&self, query: &Query) -> Vec<Query> {
        let by_service = self.services.iter().map(|name| Query { service: Some(name.clone()), ..query.clone() });
        let by_resource = self.resources.iter().map(|uri| Query { resource: Some(uri.clone()), ..query.clone() });
        by_service.chain(by_resource).collect()
    }

    fn is_taken_by(&self, act: &Act) -> bool {
        let shares = |resource| self.resources.contains(resource);
        act.replaces_artifact || !self.services.is_disjoint(&act.services) || act.told.resources.iter().any(shares)
    }
}

/// What deployments say of one artifact in one environment.
#[derive(Default)]
struct Run {
    /// End of the deployment that it runs by.
    since: Option<Timestamp>,
    /// Start of the newest deployment of it that did not succeed, or not yet.
    attempted: Option<Timestamp>,
    /// End of the newest deployment of something else in its place.
    replaced: Option<Timestamp>,
    records: BTreeSet<u64>,
}

impl Run {
    /// Whether something else took its place after `time`, and it did not come back.
    fn gone_after(&self, time: Timestamp) -> bool {
        self.since.is_none() && self.attempted.is_none() && self.replaced.is_some_and(|replaced| replaced > time)
    }
}

impl Act {
    fn of(record: &LedgerRecord, digest: &str) -> Result<Self> {
        let tags = record.statement().tags();
        let told: Deployment = record.statement().predicate_as()?;
        let replaces_artifact =
            told.replaces.iter().flat_map(|set| set.entries()).any(|e| digest.split_once(':') == Some(e));
        Ok(Self {
            index: record.index,
            replaces_artifact,
            told,
            services: tags.service.into_iter().collect(),
            has_artifact: tags.subject.iter().any(|subject| subject == digest),
        })
    }
}

impl Snapshot {
    fn new(index: u64, told: EnvironmentSnapshot) -> Self {
        let mut shown: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, seen) in told.state.iter().enumerate() {
            for (algorithm, digest) in seen.digest.iter().flat_map(|set| set.entries()) {
                shown.entry(format!("{algorithm}:{digest}")).or_default().push(at);
            }
        }
        Self { index, told, shown }
    }

    fn about(&self, digest: &str) -> Seen {
        let shown = || self.shown.get(digest).into_iter().flatten().filter_map(|at| self.told.state.get(*at));
        Seen {
            index: self.index,
            observed_at: self.told.observed_at,
            is_full: self.told.coverage == Coverage::Full,
            resources: shown().map(|seen| seen.resource.clone()).collect(),
            since: shown().filter_map(|seen| seen.started_at).min(),
        }
    }
}
