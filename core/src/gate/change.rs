//! The change an artifact answers: its requests, folded so that no later one makes it less strict.

use crate::digest::Algorithm;
use crate::ledger::LedgerRecord;
use crate::policy;
use crate::predicate::{Actor, ChangeRequest, RiskTier};
use crate::trust_policy::{GIT_ISSUER, TrustPolicy};

/// One request of a change, in the order of the ledger.
pub(super) struct Request {
    pub(super) change: policy::Change,
    pub(super) tier: RiskTier,
    /// It can't support a release any more; what it said of risk and authors, it still says.
    pub(super) revoked: bool,
}

/// The newest request of a change by ledger order; a later one of a lower tier replaces nothing (predicates 4.1).
///
/// Categories and authors add up: whom or what an earlier request named, a later one does not take back.
pub(super) fn in_force(requests: &[Request], asked: Option<&str>) -> Option<policy::Change> {
    let asked = asked?;
    let mut newest: Option<&Request> = None;
    let mut tier = RiskTier::Low;
    let mut categories: Vec<String> = Vec::new();
    let mut authors: Vec<policy::Author> = Vec::new();
    for request in requests.iter().filter(|r| r.change.id == asked) {
        if !request.revoked && newest.is_none_or(|newest| request.tier >= newest.tier) {
            newest = Some(request);
        }
        tier = tier.max(request.tier);
        add(&mut categories, &request.change.categories);
        add(&mut authors, &request.change.authors);
    }
    let mut change = newest?.change.clone();
    change.tier = tier.name().to_owned();
    (change.categories, change.authors) = (categories, authors);
    Some(change)
}

/// `trust` holds the trust policies by which its authors are told.
pub(super) fn request(record: &LedgerRecord, change: &ChangeRequest, trust: [&TrustPolicy; 2]) -> Request {
    let revisions = record.statement().subjects().iter().filter_map(|s| {
        let digest = s.digest.as_ref()?;
        let commit = digest.get(Algorithm::GitCommit)?.hex();
        Some(policy::Revision { commit, tree: digest.get(Algorithm::GitTree).map(|t| t.hex()) })
    });
    let mut repositories: Vec<String> = record.statement().subjects().iter().filter_map(|s| s.uri.clone()).collect();
    repositories.dedup();
    let author = |a: &Actor| policy::Author { id: a.id.clone(), person: trust.iter().find_map(|t| author(a, t)) };
    Request {
        tier: change.risk_tier,
        revoked: record.revoked,
        change: policy::Change {
            id: change.change_id.clone(),
            payload: record.statement().payload_digest().hex(),
            index: record.index,
            categories: change.categories.iter().map(|c| c.name().to_owned()).collect(),
            tier: change.risk_tier.name().to_owned(),
            bumped: false,
            emergency: change.emergency.is_some(),
            authors: change.authors.iter().map(author).collect(),
            revisions: revisions.collect(),
            repositories,
        },
    }
}

/// The person behind an author. To be an author gives no right and takes the one to approve, so an address alone will
/// do, and in whatever case it is written.
fn author(actor: &Actor, trust: &TrustPolicy) -> Option<String> {
    let known = trust.person_of_actor(actor).or_else(|| {
        let address = match actor.issuer.as_deref() {
            Some(GIT_ISSUER) => actor.subject.as_deref(),
            _ => actor.id.strip_prefix("mailto:"),
        };
        trust.person(GIT_ISSUER, &address?.to_lowercase())
    });
    known.map(|p| p.person.clone())
}

fn add<T: Clone + PartialEq>(list: &mut Vec<T>, more: &[T]) {
    for one in more {
        if !list.contains(one) {
            list.push(one.clone());
        }
    }
}
