//! Disposing of records: planned, decided, recorded, and only then erased.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::approval::{Asked, OFFICERS};
use super::disposed::refused;
use super::due::{Due, Retention};
use super::schedule::Schedule;
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::json;
use crate::ledger::archive::{marker, place};
use crate::ledger::sealed::header_name;
use crate::ledger::store::{ATTACHMENTS, Store};
use crate::ledger::{ATTACHMENT_LOCATION, Entry, Ledger, attachments_named};
use crate::predicate::{
    Actor, Approval, CheckOutcome, CheckResult, DisposalMethod, DisposedItem, Enforcement, Engine, EvaluationResult,
    Gate, HoldsChecked, LedgerState, LegalHold, PolicyEvaluation, PredicateType as _, RecordHints, RecordRef,
    RetentionDisposal, Selection, Tags,
};
use crate::signer::{Signer, sign};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

/// What would be disposed of, and what stands in the way.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DisposalPlan {
    /// The present, as it was told.
    pub at: Timestamp,
    /// Digest of the retention schedule; approvals name it.
    pub schedule: Digest,
    /// What may go as far as the schedule and holds say.
    pub items: Vec<Due>,
    /// What was asked for and may not go.
    pub refused: Vec<Due>,
    /// Files that only records of `items` name: they go, too.
    pub attachments: Vec<Digest>,
    /// Payloads of the approvals that let all of `items` go.
    pub approvals: Vec<Digest>,
    /// Which approvals are missing.
    pub lacking: Vec<String>,
}

/// What was disposed of.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Disposal {
    /// Entry of the decision.
    pub decision: u64,
    /// Entry of the record of the disposal.
    pub record: u64,
    /// Entries whose bodies are gone.
    pub entries: Vec<u64>,
    /// Files that are gone.
    pub attachments: Vec<Digest>,
}

impl DisposalPlan {
    /// Whether all of it may go.
    pub fn may_go(&self) -> bool {
        !self.items.is_empty() && self.refused.is_empty() && self.lacking.is_empty()
    }

    /// The subjects that an approval of this plan has: each record, and the schedule.
    pub fn subjects(&self) -> Vec<ResourceDescriptor> {
        let records = self.items.iter().map(|item| ResourceDescriptor::of(item.payload.clone()));
        records.chain([ResourceDescriptor::of(self.schedule.clone()).named("retention schedule")]).collect()
    }
}

impl Ledger {
    /// What of `entries`, or of all records, could be disposed of under `schedule` at `now`. Nothing is changed.
    ///
    /// # Errors
    /// As [`Ledger::retention`].
    pub fn plan_disposal(&self, schedule: &Schedule, entries: Option<&[u64]>, now: Timestamp) -> Result<DisposalPlan> {
        let retention = self.retention(schedule, now)?;
        let (items, refused): (Vec<_>, Vec<_>) = match entries {
            None => (retention.due().cloned().collect(), Vec::new()),
            Some(entries) => {
                let asked = self.asked(&retention, entries)?;
                asked.into_iter().partition(|due| due.is_due(now))
            }
        };
        let digest = Digest::sha256(&schedule.to_bytes()?);
        let (approvals, lacking) = self.approvals_of(&items, &digest, now)?;
        let attachments = self.attachments_only_of(&items)?;
        Ok(DisposalPlan { at: now, schedule: digest, items, refused, attachments, approvals, lacking })
    }

    /// Disposes of `entries`, or of all records that are due: the decision and the record of the disposal, signed by
    /// `signer`, are appended first; then bodies, salts, the headers that open them, and files that nothing else names are
    /// erased. Entries stay, and proofs still verify.
    ///
    /// # Errors
    /// `POLICY_DENIED` if something may not go (EV-RET-001), or approvals are missing; `NOT_FOUND` if nothing is due;
    /// those of [`Ledger::append_all`]. If erasing fails after the record was appended, [`Ledger::finish_disposals`] goes
    /// on.
    pub fn dispose(
        &mut self,
        schedule: &Schedule,
        entries: Option<&[u64]>,
        executed_by: Actor,
        signer: &dyn Signer,
        now: Timestamp,
    ) -> Result<Disposal> {
        self.refresh()?;
        let now = match self.size() {
            0 => now,
            size => now.max(self.entry(size - 1)?.logged_at()?),
        };
        let plan = self.plan_disposal(schedule, entries, now)?;
        check_plan(&plan)?;
        self.check_archive_named(&plan.items.iter().map(|item| item.index).collect::<Vec<_>>())?;
        // the decision names it, and whoever reads the disposal decides by it again
        self.attach(&schedule.to_bytes()?)?;
        let evaluation = self.disposal_evaluation(&plan)?;
        let decision = RecordRef::to(&evaluation.payload_digest());
        let last = plan.items.iter().max_by_key(|item| item.due_at);
        let disposal = RetentionDisposal {
            rule: last.and_then(|item| item.rule.clone()).unwrap_or_default(),
            evaluated_at: now,
            items: plan.items.iter().map(|item| disposed_item(item, self.is_encrypted())).collect::<Result<_>>()?,
            decision,
            holds_checked: HoldsChecked { size: self.size() },
            approvals: plan.approvals.iter().map(RecordRef::to).collect(),
            executed_by,
            at: now,
        };
        let subjects = plan.items.iter().map(|item| ResourceDescriptor::of(item.payload.clone())).collect();
        let statement = Statement::new(subjects, &disposal)?;
        let records = [&evaluation, &statement]
            .into_iter()
            .map(|s| self.verify(&sign(s, signer)?.to_json(), now))
            .collect::<Result<Vec<_>>>()?;
        let receipts = self.append_all(&records, now)?;
        let at = |place: usize| receipts.get(place).map(|receipt| receipt.index).unwrap_or_default();
        let mut done = Disposal {
            decision: at(0),
            record: at(1),
            entries: plan.items.iter().map(|item| item.index).collect(),
            attachments: plan.attachments,
        };
        // as whoever reads it later judges it: what it does not explain must not go
        let disposals = self.disposals()?;
        if let Some(index) = done.entries.iter().find(|index| disposals.by.get(index) != Some(&done.record)) {
            return Err(refused(&format!("entry {index}: the record of the disposal does not explain that it goes")));
        }
        self.erase(&done.entries, &done.attachments)?;
        done.entries.sort_unstable();
        Ok(done)
    }

    /// Erases what is left of records whose disposal is recorded, because erasing was cut short: their bodies, headers
    /// and markers, the files only they name, and what the index holds of them. Gives their entries.
    ///
    /// # Errors
    /// `API_MISUSE` if one of them lies in the archive, which was not named; `APPEND_REFUSED` if the ledger was moved;
    /// those of the storage.
    pub fn finish_disposals(&mut self) -> Result<Vec<u64>> {
        self.refresh()?;
        let mut left = Vec::new();
        for &index in self.disposals()?.by.keys() {
            if !self.left_of(index)?.is_empty() || self.is_indexed(index)? {
                left.push(index);
            }
        }
        self.check_archive_named(&left)?;
        // what they named is erased with the records still there to say what it was
        let mut named = BTreeSet::new();
        for &index in &left {
            if self.store.body(index)?.is_none() {
                continue;
            }
            let (_, record) = self.proven_record(index)?;
            let verified = self.trust.verify_despite_revocation(&record, index, self.entry(index)?.logged_at()?)?;
            named.extend(attachments_named(verified.value()));
        }
        let gone: BTreeSet<u64> = left.iter().copied().collect();
        let attachments = self.unnamed_but_by(&gone, named)?;
        self.erase(&left, &attachments)?;
        Ok(left)
    }

    /// Refuses a disposal record that does not meet EV-RET-001, with everything that is still there to compute it from.
    pub(in crate::ledger) fn check_disposal(
        &self,
        statement: &Statement,
        at: Timestamp,
        index: u64,
        pending: &[(&Entry, &Statement)],
    ) -> Result<()> {
        if statement.predicate_type() != RetentionDisposal::TYPE {
            return Ok(());
        }
        let approvals = self.disposal_approvals()?;
        let disposal = self.check_disposal_shown(statement, at, index, &approvals, pending)?;
        let decision = pending
            .iter()
            .map(|(_, s)| *s)
            .find(|s| disposal.decision.payload().is_ok_and(|payload| s.payload_digest() == payload));
        let decision = decision.ok_or_else(|| refused("its decision is not appended with it"))?;
        // what others append under the same checkpoint is not looked through: a hold or a withdrawal may be among it
        if pending.iter().any(|(entry, s)| s.payload_digest() != decision.payload_digest() && may_bear_on_it(entry)) {
            return Err(refused("a record that may bear on it is appended at the same time; run it again"));
        }
        let evaluation: PolicyEvaluation = decision.predicate_as()?;
        let digest = evaluation.policy.digest.as_ref().and_then(|d| d.get(Algorithm::Sha256));
        let digest = digest.ok_or_else(|| refused("its decision names no retention schedule"))?;
        let schedule = Schedule::parse(&self.attachment(&digest)?)?;
        let retention = self.retention(&schedule, at)?;
        for item in &disposal.items {
            let payload = item.record.payload()?;
            let due = retention.records.iter().find(|due| due.index == item.ledger_index && due.payload == payload);
            let why = |why: &str| refused(&format!("entry {}: {why}", item.ledger_index));
            let due = due.ok_or_else(|| why("its record is gone, or another than the one named"))?;
            if let Some(obstacle) = due.obstacles.first() {
                return Err(why(obstacle));
            }
            let term = due.due_at.zip(due.retained_since);
            if term != Some((item.due_at, item.retained_since)) || !due.is_due(at) {
                return Err(why("its time is not over, or ends at another time than the disposal says"));
            }
        }
        Ok(())
    }

    fn asked(&self, retention: &Retention, entries: &[u64]) -> Result<Vec<Due>> {
        let wanted: BTreeSet<u64> = entries.iter().copied().collect();
        let mut asked = Vec::new();
        for index in wanted {
            let found = retention.records.iter().find(|due| due.index == index);
            asked.push(found.cloned().ok_or_else(|| {
                Error::new(
                    ErrorKind::NotFound,
                    format!("entry {index} has no record to dispose of; check its index, or it is gone already"),
                )
            })?);
        }
        Ok(asked)
    }

    /// Approvals that let all of `items` go, and what is missing.
    fn approvals_of(&self, items: &[Due], schedule: &Digest, now: Timestamp) -> Result<(Vec<Digest>, Vec<String>)> {
        let approvals = self.disposal_approvals()?;
        let index = self.size();
        let second_factor = self.demands_second_factor(index);
        let (mut named, mut lacking) = (BTreeSet::new(), Vec::new());
        for item in items {
            let asked = Asked { payload: &item.payload, schedule, index, at: now, second_factor };
            match approvals.of(&asked) {
                Ok(people) if people.len() >= OFFICERS => named.extend(people.into_values()),
                Ok(people) => lacking.push(format!(
                    "entry {}: {} of {OFFICERS} approvals by records officers",
                    item.index,
                    people.len()
                )),
                Err(why) => lacking.push(format!("entry {}: {why}", item.index)),
            }
        }
        Ok((named.into_iter().collect(), lacking))
    }

    fn attachments_only_of(&self, items: &[Due]) -> Result<Vec<Digest>> {
        let gone: BTreeSet<u64> = items.iter().map(|item| item.index).collect();
        let mut named = BTreeSet::new();
        for item in items {
            named.extend(attachments_named(self.record(item.index)?.statement()));
        }
        self.unnamed_but_by(&gone, named)
    }

    /// Of the attachments `named`, those that no record but `gone` names.
    fn unnamed_but_by(&self, gone: &BTreeSet<u64>, mut named: BTreeSet<String>) -> Result<Vec<Digest>> {
        if named.is_empty() {
            return Ok(Vec::new());
        }
        for record in self.remaining_records()?.iter().filter(|record| !gone.contains(&record.index)) {
            for other in attachments_named(record.statement()) {
                named.remove(&other);
            }
        }
        named.iter().map(|hex| Digest::from_hex(Algorithm::Sha256, hex)).collect()
    }

    /// What is stored of an entry that was disposed of, and should not be.
    pub(in crate::ledger) fn left_of(&self, index: u64) -> Result<Vec<String>> {
        let body = Store::body_name(index);
        let mut left = Vec::new();
        for name in [header_name(&body), body, marker(index)] {
            if self.layers.bottom().size(&name)?.is_some() {
                left.push(name);
            }
        }
        if let Some(archive) = self.layers.archive() {
            let archived = place(&self.entry(index)?.record);
            if archive.size(&archived)?.is_some() {
                left.push(archived);
            }
        }
        Ok(left)
    }

    fn check_archive_named(&self, entries: &[u64]) -> Result<()> {
        if self.layers.archive().is_some() {
            return Ok(());
        }
        for index in entries {
            if self.is_archived(*index)? {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    "some of it lies in the archive, which was not named; name it, so that it is erased there as well",
                ));
            }
        }
        Ok(())
    }

    /// Erases what lies here and in the archive: attachments first, then archived copies, then bodies, each after the header
    /// that opens it, and markers last, so that what is cut short can be gone on with.
    fn erase(&mut self, entries: &[u64], attachments: &[Digest]) -> Result<()> {
        let storage = self.store.shared();
        let mut right = storage.acquire(self.patience)?;
        self.check_here()?;
        // while a body is there it tells which files it named, and while its marker is there where it is archived: so an
        // erasing that was cut short is gone on with
        right
            .remove(&attachments.iter().map(|digest| format!("{ATTACHMENTS}/{}", digest.hex())).collect::<Vec<_>>())?;
        if let Some(archive) = self.layers.archive() {
            // of each: an archiving that was cut short may have left a copy that nothing tells of
            let mut places = Vec::new();
            for index in entries {
                let place = place(&self.entry(*index)?.record);
                if archive.size(&place)?.is_some() {
                    places.push(place);
                }
            }
            if !places.is_empty() {
                archive.acquire(self.patience)?.remove(&places)?;
            }
        }
        right.remove(&entries.iter().map(|index| Store::body_name(*index)).collect::<Vec<_>>())?;
        right.remove(&entries.iter().map(|index| marker(*index)).collect::<Vec<_>>())?;
        // of a file whose header went before, nobody can tell any more whose it was
        right.remove(&storage.leftovers()?)?;
        drop(right);
        // it held their payload digests; it is made anew without them
        if !entries.is_empty() {
            self.forget_index()?;
        }
        Ok(())
    }

    fn disposal_evaluation(&self, plan: &DisposalPlan) -> Result<Statement> {
        let policy = self.trust_policy()?;
        let (size, root) = (self.size(), self.checkpoint().checkpoint().root().to_string());
        let mut schedule = ResourceDescriptor::of(plan.schedule.clone())
            .named("retention schedule")
            .with_media_type("application/vnd.sealwright.retention-schedule+json");
        schedule.download_location = Some(format!("{ATTACHMENT_LOCATION}{}", plan.schedule.hex()));
        let input = json::canonical("disposal plan", plan)?;
        let evidence: Vec<RecordRef> = plan.approvals.iter().map(RecordRef::to).collect();
        let mut subject: Vec<String> = plan.items.iter().map(|item| item.payload.to_string()).collect();
        subject.sort();
        let check = |id: &str, question: &str, controls: &[&str], evidence: &[RecordRef]| CheckResult {
            id: id.to_owned(),
            result: CheckOutcome::Passed,
            enforcement: Enforcement::Enforced,
            question: Some(question.to_owned()),
            controls: controls.iter().map(|c| (*c).to_owned()).collect(),
            message: None,
            remediation: None,
            evidence: evidence.to_vec(),
            exception: None,
        };
        let evaluation = PolicyEvaluation {
            gate: Gate::Dispose,
            profile: policy.predicate().profile.clone(),
            trust_policy: RecordRef::to(policy.payload()),
            change_id: None,
            release_id: None,
            deployer: None,
            environment: None,
            evaluated_at: plan.at,
            result: EvaluationResult::Passed,
            enforcement: Enforcement::Enforced,
            engine: Engine {
                id: concat!("pkg:cargo/sealwright@", env!("CARGO_PKG_VERSION")).to_owned(),
                configuration: None,
            },
            policy: schedule,
            policy_version: None,
            input_digest: Digest::sha256(&input).hex(),
            input_attestations: evidence.clone(),
            ledger_state: LedgerState {
                origin: self.origin().to_owned(),
                size,
                root_hash: root,
                last_entry_at: self.entry(size.saturating_sub(1))?.logged_at()?,
                anchored_at: None,
            },
            selection: Selection {
                tags: Tags { subject, ..Tags::default() },
                matched: plan.items.len() as u64,
                control: self.holds()?.len() as u64,
                disposed: self.disposals()?.by.len() as u64,
            },
            checks: vec![
                check("EV-APPR-001", "Did the right people approve?", &["nist:CM-3", "nist:AU-9(5)"], &evidence),
                check(
                    "EV-RET-001",
                    "May these records go?",
                    &["nist:AU-11", "nist:AU-9(5)", "hipaa:164.316(b)(2)(i)", "pci:10.5.1"],
                    &evidence,
                ),
            ],
            first_attempt: None,
            duration_ms: None,
        };
        let subjects = plan.items.iter().map(|item| ResourceDescriptor::of(item.payload.clone())).collect();
        Statement::new(subjects, &evaluation)
    }
}

fn check_plan(plan: &DisposalPlan) -> Result<()> {
    let mut causes: BTreeMap<u64, String> = BTreeMap::new();
    for due in &plan.refused {
        let cause = match (due.obstacles.first(), due.due_at) {
            (Some(obstacle), _) => obstacle.clone(),
            (None, Some(end)) => format!("its time ends on {end}"),
            (None, None) => "it cannot be told when its time ends".to_owned(),
        };
        causes.insert(due.index, cause);
    }
    let mut messages: Vec<String> = causes
        .into_iter()
        .map(|(index, cause)| format!("entry {index} may not be disposed of: {cause}; wait, or have the hold released"))
        .collect();
    messages
        .extend(plan.lacking.iter().map(|lacking| format!("{lacking}; have two records officers approve this plan")));
    if !messages.is_empty() {
        return Err(Error::new(ErrorKind::PolicyDenied, messages.join("\n")).with("checks", "EV-RET-001"));
    }
    if plan.items.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "nothing is due for disposal; look again later"));
    }
    Ok(())
}

/// Whether a record may turn what was decided of a disposal.
fn may_bear_on_it(entry: &Entry) -> bool {
    entry.control || entry.is_of_type(Approval::TYPE) || entry.is_of_type(LegalHold::TYPE)
}

fn disposed_item(item: &Due, is_encrypted: bool) -> Result<DisposedItem> {
    let undecided = || Error::new(ErrorKind::Internal, "an item of a disposal has no end; report it");
    let mut record = RecordRef::to(&item.payload);
    record.annotations =
        Some(RecordHints { ledger_index: Some(item.index), predicate_type: Some(item.predicate_type.clone()) });
    Ok(DisposedItem {
        record,
        ledger_index: item.index,
        retained_since: item.retained_since.ok_or_else(undecided)?,
        due_at: item.due_at.ok_or_else(undecided)?,
        method: if is_encrypted { DisposalMethod::KeyDestroyed } else { DisposalMethod::PayloadErased },
    })
}
