//! Selecting the evidence of a decision: complete up to the checkpoint, by walking all entries.

use std::collections::{BTreeMap, BTreeSet};

use super::GateRequest;
use super::environment::is_of_the_machine;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Entry, Ledger, LedgerRecord, Selected, Selection};
use crate::policy::{PolicyBundle, RefusedRecord};
use crate::predicate::{NAMESPACE, PolicyEvaluation, Predicate, PredicateType, Tags, TrustPolicy};
use crate::timestamp::Timestamp;

/// All records a decision rests on, and those that could not be read.
pub(super) struct Evidence {
    /// Records that were read and verified, in the order of the ledger.
    pub(super) records: Vec<LedgerRecord>,
    /// Entries whose record is refused.
    pub(super) refused: Vec<RefusedRecord>,
    /// Entries without a body.
    pub(super) missing: Vec<u64>,
    /// Entries whose records were disposed of.
    pub(super) disposed: u64,
    pub(super) matched: u64,
    pub(super) controls: u64,
    pub(super) last: Option<Timestamp>,
    selection: Selection,
}

/// Everything in the ledger about the artifact, its release, its change, its sources and the rules to decide by.
///
/// `also` are entries that must be readable, too.
pub(super) fn evidence(
    ledger: &Ledger,
    request: &GateRequest,
    bundle: &PolicyBundle,
    also: &[u64],
) -> Result<Evidence> {
    let mut selection = Selection::default()
        .with("release", &request.release_id)
        .with("subject", bundle.digest().to_string())
        .with_control_of("environment", &request.environment.id);
    if let Some(digest) = request.artifact.digest() {
        selection = selection.with("subject", digest.to_string());
    }
    if let Some(change) = &request.change_id {
        selection = selection.with("change", change);
    }
    let artifacts: BTreeSet<Digest> = request.artifact.digest().cloned().into_iter().collect();
    let changes: BTreeSet<String> = request.change_id.clone().into_iter().collect();
    let mut read: BTreeMap<u64, Outcome> = BTreeMap::new();
    // records name further sources (a provenance its commit, a change its revisions), which select further records
    loop {
        let selected = ledger.select(&selection)?;
        for index in selected.matched.iter().chain(&selected.control).chain(also) {
            if !read.contains_key(index) {
                read.insert(*index, read_one(ledger, *index)?);
            }
        }
        let wider = read
            .values()
            .filter_map(Outcome::record)
            .fold(selection.clone(), |s, record| s.with_sources_of(record, &artifacts, &changes));
        if wider == selection {
            return Ok(Evidence::new(read, &selected, selection));
        }
        selection = wider;
    }
}

/// The decision of this payload digest.
pub(crate) fn find_decision(ledger: &Ledger, decision: &Digest) -> Result<LedgerRecord> {
    let mut candidates = Vec::new();
    ledger.walk(|index, entry| {
        if entry.is_of_type(PolicyEvaluation::TYPE) {
            candidates.push(index);
        }
        Ok(())
    })?;
    for index in candidates.into_iter().rev() {
        let record = ledger.record(index)?;
        if record.statement().payload_digest() == *decision {
            return Ok(record);
        }
    }
    Err(Error::new(
        ErrorKind::PermitRefused,
        format!("the decision `{decision}` is not in the ledger `{}`; ask its gate", ledger.origin()),
    ))
}

impl Evidence {
    fn new(read: BTreeMap<u64, Outcome>, selected: &Selected, selection: Selection) -> Self {
        let mut evidence = Self {
            records: Vec::new(),
            refused: Vec::new(),
            missing: Vec::new(),
            disposed: 0,
            matched: selected.matched.len() as u64,
            controls: selected.controls,
            last: selected.last,
            selection,
        };
        for (index, outcome) in read {
            match outcome {
                Outcome::Read(record) => evidence.records.push(*record),
                Outcome::Refused(refused) => evidence.refused.push(refused),
                Outcome::Missing => evidence.missing.push(index),
                Outcome::Disposed => evidence.disposed += 1,
                // judged by the trust policy itself, which was read from the same entries
                Outcome::TrustPolicy => {}
            }
        }
        evidence
    }

    /// The tags that were asked for, plain.
    pub(super) fn tags(&self) -> Tags {
        let mut tags = Tags::default();
        for (name, value) in &self.selection.tags {
            let list = match *name {
                "subject" => &mut tags.subject,
                "change" => &mut tags.change,
                _ => &mut tags.release,
            };
            list.push(value.clone());
        }
        tags
    }

    /// Whether this gate has never decided about this artifact and change before.
    pub(super) fn is_first_attempt(&self, request: &GateRequest) -> bool {
        !self.records.iter().any(|r| match r.statement().predicate() {
            Ok(Predicate::PolicyEvaluation(e)) => {
                e.gate == request.gate()
                    && e.change_id == request.change_id
                    && request.artifact.digest().is_some_and(|d| r.statement().has_subject(d))
            }
            _ => false,
        })
    }
}

enum Outcome {
    Read(Box<LedgerRecord>),
    Refused(RefusedRecord),
    Missing,
    /// Its time was over, and a record says so.
    Disposed,
    TrustPolicy,
}

impl Outcome {
    fn record(&self) -> Option<&LedgerRecord> {
        match self {
            Self::Read(record) => Some(record),
            _ => None,
        }
    }
}

fn read_one(ledger: &Ledger, index: u64) -> Result<Outcome> {
    let entry = ledger.entry(index)?;
    if entry.is_of_type(TrustPolicy::TYPE) {
        return Ok(Outcome::TrustPolicy);
    }
    match ledger.record(index) {
        Ok(record) if is_unknown_control(&record) => {
            let named = record.statement().predicate_type();
            let why = format!("the type `{named}` is not known here; use a newer version");
            Ok(refused(index, entry, &Error::new(ErrorKind::Unsupported, why)))
        }
        Ok(record) => Ok(Outcome::Read(Box::new(record))),
        Err(e) if e.kind() == ErrorKind::BodyDisposed => Ok(Outcome::Disposed),
        // what is archived may say anything, until it is named or restored
        Err(e) if matches!(e.kind(), ErrorKind::BodyLost | ErrorKind::BodyArchived) => Ok(Outcome::Missing),
        Err(e) if is_of_the_machine(&e) => Err(e),
        Err(e) => Ok(refused(index, entry, &e)),
    }
}

/// A control record of ours that a later version writes: what it refuses cannot be told.
fn is_unknown_control(record: &LedgerRecord) -> bool {
    record.entry.control
        && record.statement().predicate_type().starts_with(NAMESPACE)
        && record.statement().tags().kind.is_empty()
}

fn refused(index: u64, entry: Entry, e: &Error) -> Outcome {
    Outcome::Refused(RefusedRecord {
        index,
        payload: None,
        code: e.code().to_owned(),
        signer: e.context().iter().find(|(name, _)| *name == "signer").map(|(_, value)| value.clone()),
        predicate_type: Some(entry.predicate_type),
        actor: None,
        why: e.message().to_owned(),
    })
}
