//! Which records belong to no release: named by nobody, or by a name the ledger does not know.

use std::collections::BTreeSet;

use super::walk::is_without_body;
use super::{Ledger, LedgerRecord};
use crate::digest::{Algorithm, Digest};
use crate::error::Result;
use crate::predicate::{
    ApprovalDecision, Gate, LegalHold, Predicate, PredicateType as _, RetentionDisposal, Stage, TrustPolicy,
};
use crate::statement::Statement;

/// What is known of the releases of a ledger.
#[derive(Default)]
struct Known {
    releases: BTreeSet<String>,
    /// Artifacts of releases, and the sources they were built from.
    things: BTreeSet<Digest>,
    /// Changes of these sources.
    changes: BTreeSet<String>,
    /// Where these releases went.
    environments: BTreeSet<String>,
    /// Payloads of records of the ledger.
    payloads: BTreeSet<Digest>,
}

impl Ledger {
    /// Entries of records that are linked to no release of this ledger: they name a release that it has no record of; or
    /// they name none, and are about none of its artifacts or their sources, no change of these, no environment they went
    /// to, and no other record. What is about the ledger itself (trust policies, holds, disposals and their approvals) is
    /// left out, and so is what has no body, which nobody can tell.
    ///
    /// It reads every record, so it takes longer the longer the log is.
    ///
    /// # Errors
    /// As [`Ledger::record`] for a record that is there.
    pub fn unlinked(&self) -> Result<Vec<u64>> {
        let mut records = Vec::new();
        for index in 0..self.size() {
            match self.record(index) {
                Ok(record) => records.push(record),
                Err(e) if is_without_body(&e) => {}
                Err(e) => return Err(e),
            }
        }
        let known = Known::of(&records);
        Ok(records.iter().filter(|record| !known.links(record.statement())).map(|record| record.index).collect())
    }
}

impl Known {
    fn of(records: &[LedgerRecord]) -> Self {
        let mut known = Self::default();
        let all = || records.iter().filter(|record| !record.revoked).map(LedgerRecord::statement);
        for statement in all() {
            known.payloads.insert(statement.payload_digest());
            if let Ok(Predicate::Release(release)) = statement.predicate() {
                known.releases.extend(release.release_id);
                known.things.extend(digests(statement));
            }
        }
        let mut sources = BTreeSet::new();
        for statement in all().filter(|statement| known.is_about(statement)) {
            if let Ok(Predicate::Provenance(provenance)) = statement.predicate() {
                let named = provenance.build_definition.resolved_dependencies;
                let named = named.iter().flat_map(|d| d.digests().collect::<Vec<_>>());
                sources.extend(named.filter(|d| matches!(d.algorithm(), Algorithm::GitCommit | Algorithm::GitTree)));
            }
        }
        known.things.extend(sources);
        for statement in all() {
            let tags = statement.tags();
            match statement.predicate() {
                Ok(Predicate::ChangeRequest(change)) if known.is_about(statement) => {
                    known.changes.insert(change.change_id);
                }
                Ok(Predicate::Promotion(_) | Predicate::Deployment(_)) if known.names_release(&tags.release) => {
                    known.environments.extend(tags.environment);
                    known.changes.extend(tags.change);
                }
                _ => {}
            }
        }
        known
    }

    fn is_about(&self, statement: &Statement) -> bool {
        digests(statement).any(|digest| self.things.contains(&digest))
    }

    fn names_release(&self, named: &[String]) -> bool {
        named.iter().any(|release| self.releases.contains(release))
    }

    fn links(&self, statement: &Statement) -> bool {
        let tags = statement.tags();
        if !tags.release.is_empty() {
            return self.names_release(&tags.release);
        }
        is_of_the_ledger(statement)
            || self.is_about(statement)
            || digests(statement).any(|digest| self.payloads.contains(&digest))
            || tags.change.iter().any(|change| self.changes.contains(change))
            || tags.environment.iter().any(|environment| self.environments.contains(environment))
    }
}

/// Whether a record is about the ledger itself.
fn is_of_the_ledger(statement: &Statement) -> bool {
    let own = [TrustPolicy::TYPE, LegalHold::TYPE, RetentionDisposal::TYPE];
    own.contains(&statement.predicate_type())
        || match statement.predicate() {
            Ok(Predicate::Approval(approval)) => {
                approval.stage == Stage::Disposal || approval.decision == ApprovalDecision::Dismissed
            }
            Ok(Predicate::PolicyEvaluation(evaluation)) => evaluation.gate == Gate::Dispose,
            _ => false,
        }
}

fn digests(statement: &Statement) -> impl Iterator<Item = Digest> {
    statement.subjects().iter().flat_map(|s| s.digests().collect::<Vec<_>>())
}
