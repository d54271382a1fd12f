//! Everything a pack of a release holds, found by walking all entries up to the checkpoint.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Ledger, LedgerRecord, Selection, attachments_named};
use crate::predicate::{
    EnvironmentSnapshot, Finding, FindingType, Predicate, PredicateType as _, Severity, TrustPolicy,
};
use crate::timestamp::Timestamp;

/// Records of a pack and what they are about.
pub(super) struct Gathered {
    /// In the order of the ledger.
    pub(super) records: Vec<LedgerRecord>,
    /// Entries without a record: those that are lost, and those that were disposed of.
    pub(super) bare: Vec<u64>,
    /// Of these, those that were disposed of.
    pub(super) disposed: BTreeSet<u64>,
    /// SHA-256 of the artifacts with a name for each.
    pub(super) artifacts: BTreeMap<Digest, String>,
    /// Digests of the policy bundles: those decided by, and the one in force.
    pub(super) policies: BTreeSet<Digest>,
    /// When the first and the last of the entries were logged.
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

impl Gathered {
    pub(super) fn entries(&self) -> usize {
        self.records.len() + self.bare.len()
    }

    /// Indexes of all entries, in order.
    pub(super) fn indexes(&self) -> BTreeSet<u64> {
        self.records.iter().map(|r| r.index).chain(self.bare.iter().copied()).collect()
    }

    /// Files that records say lie in the ledger.
    pub(super) fn attachments(&self) -> Result<BTreeSet<Digest>> {
        let names = self.records.iter().flat_map(|r| attachments_named(r.statement()));
        names.map(|hex| Digest::from_hex(Algorithm::Sha256, &hex)).collect()
    }
}

/// What is known of a release while its records are gathered; each record read may add to it.
#[derive(Clone, Default, PartialEq)]
struct Known {
    selection: Selection,
    artifacts: BTreeMap<Digest, String>,
    changes: BTreeSet<String>,
    policies: BTreeSet<Digest>,
}

/// Gathers the records of a release: tagged with it, about its artifacts, their sources, its changes and the policies it
/// was decided by, all control entries not ruled out, and all trust policies.
pub(super) fn release(ledger: &Ledger, release_id: &str) -> Result<Gathered> {
    let mut known = Known { selection: Selection::default().with("release", release_id), ..Known::default() };
    if let Some(pinned) = ledger.trust_policy()?.pinned_bundle() {
        known.add_policy(pinned);
    }
    let mut read: BTreeMap<u64, Option<LedgerRecord>> = BTreeMap::new();
    for index in trust_policies(ledger)? {
        read.insert(index, read_one(ledger, index)?);
    }
    let tagged = loop {
        let selected = ledger.select(&known.selection)?;
        for &index in selected.matched.iter().chain(&selected.control) {
            if let std::collections::btree_map::Entry::Vacant(place) = read.entry(index) {
                place.insert(read_one(ledger, index)?);
            }
        }
        let before = known.clone();
        let mut tagged = false;
        for record in read.values().flatten() {
            tagged |= record.entry.has_tag("release", release_id);
            known.learn(record, release_id)?;
        }
        if known == before {
            break tagged;
        }
    };
    for index in snapshots_compared(ledger, read.values().flatten())? {
        if let std::collections::btree_map::Entry::Vacant(place) = read.entry(index) {
            place.insert(read_one(ledger, index)?);
        }
    }
    if !tagged {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "the ledger `{}` knows nothing of the release `{}`; check its id",
                ledger.origin(),
                release_id.escape_debug()
            ),
        ));
    }
    let times = read.keys().map(|index| ledger.entry(*index)?.logged_at()).collect::<Result<Vec<_>>>()?;
    let (Some(&first), Some(&last)) = (times.first(), times.last()) else {
        return Err(Error::new(ErrorKind::Internal, "a release was found without entries"));
    };
    let bare = read.iter().filter(|(_, record)| record.is_none()).map(|(index, _)| *index).collect();
    let Known { artifacts, policies, .. } = known;
    let disposed = ledger.disposed()?.into_keys().filter(|index| read.contains_key(index)).collect();
    Ok(Gathered { records: read.into_values().flatten().collect(), bare, disposed, artifacts, policies, first, last })
}

impl Known {
    fn learn(&mut self, record: &LedgerRecord, release_id: &str) -> Result<()> {
        let statement = record.statement();
        let tags = statement.tags();
        let of_release = tags.release.iter().any(|r| r == release_id);
        let predicate = statement.predicate()?;
        // what was deployed or promoted under the release's name belongs here, even if the release does not hold it
        if of_release && matches!(predicate, Predicate::Release(_) | Predicate::Promotion(_) | Predicate::Deployment(_))
        {
            for subject in statement.subjects() {
                for digest in subject.digests().filter(|d| d.algorithm() == Algorithm::Sha256) {
                    self.selection = std::mem::take(&mut self.selection).with("subject", digest.to_string());
                    let name = subject.name.clone().unwrap_or_else(|| "artifact".to_owned());
                    self.artifacts.entry(digest).or_insert(name);
                }
            }
        }
        if of_release || self.artifacts.keys().any(|d| statement.has_subject(d)) {
            for change in tags.change {
                self.selection = std::mem::take(&mut self.selection).with("change", &change);
                self.changes.insert(change);
            }
            if let Predicate::PolicyEvaluation(evaluation) = predicate {
                let digest = evaluation.policy.digest.as_ref().and_then(|d| d.get(Algorithm::Sha256));
                digest.into_iter().for_each(|d| self.add_policy(d));
            }
        }
        let artifacts = self.artifacts.keys().cloned().collect();
        self.selection = std::mem::take(&mut self.selection).with_sources_of(record, &artifacts, &self.changes);
        Ok(())
    }

    fn add_policy(&mut self, digest: Digest) {
        self.selection = std::mem::take(&mut self.selection).with("subject", digest.to_string());
        self.policies.insert(digest);
    }
}

/// Snapshots of the environments the records deploy into, which drift reports among them rest on.
fn snapshots_compared<'a>(ledger: &Ledger, records: impl Iterator<Item = &'a LedgerRecord>) -> Result<Vec<u64>> {
    let mut wanted = BTreeSet::new();
    let mut environments = BTreeSet::new();
    for record in records {
        match record.statement().predicate()? {
            Predicate::DriftReport(report) => wanted.extend(report.snapshot.map(|s| s.payload()).transpose()?),
            Predicate::Deployment(deployment) => environments.extend([deployment.environment.id]),
            _ => {}
        }
    }
    let mut candidates = Vec::new();
    ledger.walk(|index, entry| {
        if environments.iter().any(|e| entry.has_tag("environment", e)) && entry.is_of_type(EnvironmentSnapshot::TYPE) {
            candidates.push(index);
        }
        Ok(())
    })?;
    let mut compared = Vec::new();
    for index in candidates {
        match read_one(ledger, index)? {
            Some(record) if wanted.contains(&record.statement().payload_digest()) => compared.push(index),
            _ => {}
        }
    }
    Ok(compared)
}

fn trust_policies(ledger: &Ledger) -> Result<Vec<u64>> {
    let mut found = Vec::new();
    ledger.walk(|index, entry| {
        if entry.is_of_type(TrustPolicy::TYPE) {
            found.push(index);
        }
        Ok(())
    })?;
    Ok(found)
}

/// The record of an entry; none if its body is gone. A record that does not verify ends the pack.
fn read_one(ledger: &Ledger, index: u64) -> Result<Option<LedgerRecord>> {
    match ledger.record(index) {
        Ok(record) => Ok(Some(record)),
        Err(e) if matches!(e.kind(), ErrorKind::BodyLost | ErrorKind::BodyDisposed) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The finding that an entry has no record.
pub(super) fn lost(index: u64) -> Finding {
    finding(FindingType::BodyLost, format!("urn:sealwright:entry:{index}"))
}

/// The finding that a file named by a record is not there.
pub(super) fn missing(location: String) -> Finding {
    finding(FindingType::MissingEvidence, location)
}

fn finding(finding_type: FindingType, resource: String) -> Finding {
    Finding {
        finding_type,
        resource: Some(resource),
        expected: None,
        observed: None,
        first_seen_at: None,
        controls: Vec::new(),
        severity: Severity::High,
    }
}
