//! Which missing bodies are explained: by a disposal record that meets EV-RET-001 as far as what remains can show.
//!
//! What was disposed of is gone, so a reader cannot compute everything again. What it can: two records officers let the
//! record go under the schedule that the decision names; the decision passed; the period that the entry alone demands
//! was over; no hold covered it. A disposal record that does not show all of this explains nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::approval::{Approvals, Asked, OFFICERS};
use super::due::least_due;
use super::schedule::Schedule;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Entry, Ledger, LedgerRecord};
use crate::predicate::{
    DisposedItem, Enforcement, EvaluationResult, Gate, PolicyEvaluation, PredicateType as _, RetentionDisposal,
};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// The disposals of a ledger.
#[derive(Debug, Default)]
pub(crate) struct Disposals {
    /// By entry that was disposed of: the entry of the record that says so.
    pub(crate) by: BTreeMap<u64, u64>,
    /// By the payload of a record that was disposed of: its entry.
    pub(crate) payloads: BTreeMap<Digest, u64>,
    /// Disposal records that explain nothing, and why.
    pub(crate) refused: Vec<(u64, String)>,
}

impl Ledger {
    /// Entries whose bodies were disposed of, each with the entry of the record that says so.
    ///
    /// # Errors
    /// Those of [`Ledger::record`], and of the storage.
    pub fn disposed(&self) -> Result<BTreeMap<u64, u64>> {
        Ok(self.disposals()?.by.clone())
    }

    pub(in crate::ledger) fn disposals(&self) -> Result<Arc<Disposals>> {
        let lost = |_| Error::new(ErrorKind::Internal, "what this handle knew of disposals was lost");
        if let Some((size, known)) = self.disposals.lock().map_err(lost)?.as_ref()
            && *size == self.size()
        {
            return Ok(Arc::clone(known));
        }
        let found = Arc::new(self.read_disposals()?);
        *self.disposals.lock().map_err(lost)? = Some((self.size(), Arc::clone(&found)));
        Ok(found)
    }

    fn read_disposals(&self) -> Result<Disposals> {
        let mut entries = Vec::new();
        self.walk(|index, entry| {
            if entry.is_of_type(RetentionDisposal::TYPE) {
                entries.push(index);
            }
            Ok(())
        })?;
        let mut disposals = Disposals::default();
        if entries.is_empty() {
            return Ok(disposals);
        }
        let approvals = self.disposal_approvals()?;
        for index in entries {
            let checked = match self.present_record(index)? {
                Some(record) if record.revoked => Err(refused("its signer or itself was revoked since")),
                Some(record) => {
                    self.check_disposal_shown(record.statement(), record.logged_at()?, index, &approvals, &[])
                }
                None => Err(refused("its own body is gone")),
            };
            match checked {
                Ok(disposal) => {
                    for item in &disposal.items {
                        disposals.by.insert(item.ledger_index, index);
                        disposals.payloads.insert(item.record.payload()?, item.ledger_index);
                    }
                }
                // no verdict on the disposal
                Err(e)
                    if matches!(
                        e.kind(),
                        ErrorKind::Io
                            | ErrorKind::PermissionDenied
                            | ErrorKind::ServiceUnavailable
                            | ErrorKind::LedgerBusy
                    ) =>
                {
                    return Err(e);
                }
                Err(e) => disposals.refused.push((index, e.message().to_owned())),
            }
        }
        Ok(disposals)
    }

    /// The record of an entry whose body is there. Asks nothing of disposals, which are found by it.
    pub(super) fn present_record(&self, index: u64) -> Result<Option<LedgerRecord>> {
        match self.store.body(index)? {
            Some(_) => self.record(index).map(Some),
            None => Ok(None),
        }
    }

    /// Checks a disposal record, at entry `index` and logged `at`, by what remains of what it disposed of. `pending` are
    /// records of the same batch that go before it.
    pub(super) fn check_disposal_shown(
        &self,
        statement: &Statement,
        at: Timestamp,
        index: u64,
        approvals: &Approvals,
        pending: &[(&Entry, &Statement)],
    ) -> Result<RetentionDisposal> {
        let disposal: RetentionDisposal = statement.predicate_as()?;
        if disposal.holds_checked.size > index || disposal.at > at {
            return Err(refused("it names a state of the ledger, or a time, that is after it"));
        }
        let (evaluation, schedule, digest) = self.disposal_decision(&disposal, index, pending)?;
        let holds = self.holds_shown(index)?;
        let second_factor = self.demands_second_factor(index);
        let named: BTreeSet<Digest> = disposal.approvals.iter().map(|r| r.payload()).collect::<Result<_>>()?;
        let mut seen = BTreeSet::new();
        for item in &disposal.items {
            let payload = item.record.payload()?;
            let why = |why: String| refused(&format!("entry {}: {why}", item.ledger_index));
            if item.ledger_index >= index || !seen.insert(item.ledger_index) {
                return Err(why("it is not before the disposal, or stands in it twice".to_owned()));
            }
            if !statement.has_subject(&payload) || !evaluation.has_subject(&payload) {
                return Err(why("it is no subject of the disposal and of its decision".to_owned()));
            }
            let entry = self.entry(item.ledger_index)?;
            check_term(&schedule, &entry, item, at).map_err(why)?;
            if let Some(hold) = holds.iter().find(|h| h.is_in_force_at(index) && h.covers(&entry, &payload)) {
                return Err(why(format!("the hold `{}` was in force", hold.placed.hold_id.escape_debug())));
            }
            let asked = Asked { payload: &payload, schedule: &digest, index, at, second_factor };
            let people = approvals.of(&asked).map_err(why)?;
            let count = people.values().filter(|approval| named.contains(approval)).count();
            if count < OFFICERS {
                return Err(why(format!("{count} records officers let it go, and {OFFICERS} must")));
            }
        }
        Ok(disposal)
    }

    /// Holds, without asking whether one of them was disposed of: none ever is.
    fn holds_shown(&self, before: u64) -> Result<Vec<super::Hold>> {
        let mut holds = self.holds()?;
        holds.retain(|hold| hold.index < before);
        Ok(holds)
    }

    /// The passing decision that a disposal names, and the schedule it was taken by.
    fn disposal_decision(
        &self,
        disposal: &RetentionDisposal,
        before: u64,
        pending: &[(&Entry, &Statement)],
    ) -> Result<(Statement, Schedule, Digest)> {
        let payload = disposal.decision.payload()?;
        let in_batch = pending.iter().map(|(_, s)| *s).find(|s| s.payload_digest() == payload).cloned();
        let statement = match in_batch {
            Some(statement) => statement,
            None => self
                .present_decision(&payload, before)?
                .ok_or_else(|| refused("the decision it names is not in the ledger"))?,
        };
        let evaluation: PolicyEvaluation = statement.predicate_as()?;
        let passed = evaluation.result == EvaluationResult::Passed && evaluation.enforcement == Enforcement::Enforced;
        if evaluation.gate != Gate::Dispose || !passed {
            return Err(refused("the decision it names is no enforced pass of the gate `dispose`"));
        }
        let digest = evaluation.policy.digest.as_ref().and_then(|d| d.get(Algorithm::Sha256));
        let digest = digest.ok_or_else(|| refused("its decision names no retention schedule by SHA-256"))?;
        let schedule = Schedule::parse(&self.attachment(&digest).map_err(|e| e.while_doing("retention schedule"))?)?;
        Ok((statement, schedule, digest))
    }

    fn present_decision(&self, payload: &Digest, before: u64) -> Result<Option<Statement>> {
        let mut candidates = Vec::new();
        self.walk(|index, entry| {
            if index < before && entry.is_of_type(PolicyEvaluation::TYPE) {
                candidates.push(index);
            }
            Ok(())
        })?;
        for index in candidates.into_iter().rev() {
            if let Some(record) = self.present_record(index)?
                && record.statement().payload_digest() == *payload
            {
                return if record.revoked {
                    Err(refused("its decision was revoked"))
                } else {
                    Ok(Some(record.statement().clone()))
                };
            }
        }
        Ok(None)
    }
}

/// The period of an item was over, by what its entry alone tells.
fn check_term(
    schedule: &Schedule,
    entry: &Entry,
    item: &DisposedItem,
    at: Timestamp,
) -> std::result::Result<(), String> {
    let least = least_due(schedule, entry).map_err(|e| e.message().to_owned())?;
    let Some(least) = least else {
        return Err("a rule that applies to it gives no period".to_owned());
    };
    let logged = entry.logged_at().map_err(|e| e.message().to_owned())?;
    if item.retained_since < logged || item.due_at < least {
        return Err(format!("its time ended on {least} at the earliest, and the disposal says {}", item.due_at));
    }
    if item.due_at > at {
        return Err(format!("its time ends on {}, which is after the disposal", item.due_at));
    }
    Ok(())
}

pub(super) fn refused(why: &str) -> Error {
    Error::new(ErrorKind::AppendRefused, format!("the disposal is not allowed: {why}; wait, or have the hold released"))
}
