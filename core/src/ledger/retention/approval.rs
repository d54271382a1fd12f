//! Who let records go: approvals of stage `disposal` by two records officers (policy section 4, AU-9(5)).

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::error::Result;
use crate::ledger::{Ledger, LedgerRecord};
use crate::predicate::{Approval, ApprovalDecision, PredicateType as _, Stage};
use crate::timestamp::Timestamp;

/// The role that may let evidence go.
const OFFICER: &str = "records-officer";
/// People that must let it go.
pub(super) const OFFICERS: usize = 2;
/// How old an approval may be, in milliseconds: 14 days, as for a change (policy section 4).
const VALID_MILLIS: i64 = 14 * 24 * 3_600_000;
/// The check that demands a second factor.
const SECOND_FACTOR: &str = "EV-APPR-005";

/// All approvals of disposals that a ledger holds.
pub(super) struct Approvals(Vec<(LedgerRecord, Approval)>);

/// What must be approved, and as of when.
pub(super) struct Asked<'a> {
    pub(super) payload: &'a Digest,
    pub(super) schedule: &'a Digest,
    /// Approvals in entries from here on do not count.
    pub(super) index: u64,
    pub(super) at: Timestamp,
    pub(super) second_factor: bool,
}

impl Ledger {
    pub(super) fn disposal_approvals(&self) -> Result<Approvals> {
        let mut entries = Vec::new();
        self.walk(|index, entry| {
            if entry.is_of_type(Approval::TYPE)
                && (entry.has_tag("kind", "governance.approval") || entry.has_more_tags())
            {
                entries.push(index);
            }
            Ok(())
        })?;
        let mut approvals = Vec::new();
        for index in entries {
            // one that is gone cannot count, and cannot have counted against what is decided now
            let Some(record) = self.present_record(index)? else { continue };
            let approval: Approval = record.statement().predicate_as()?;
            if approval.stage == Stage::Disposal {
                approvals.push((record, approval));
            }
        }
        Ok(Approvals(approvals))
    }

    /// Whether approvals of disposals need a second factor under the trust policy in force at `index`.
    pub(super) fn demands_second_factor(&self, index: u64) -> bool {
        let policy = self.trust.in_force_at(index);
        !policy.is_some_and(|p| p.predicate().profile.leaves_out.iter().any(|l| l.check == SECOND_FACTOR))
    }
}

impl Approvals {
    /// The people who let a record go, each with the payload of the approval that counts; or why nobody's counts.
    pub(super) fn of(&self, asked: &Asked<'_>) -> std::result::Result<BTreeMap<&str, Digest>, String> {
        let mut people: BTreeMap<&str, Digest> = BTreeMap::new();
        let mut against: BTreeMap<&str, u64> = BTreeMap::new();
        // in the order of the ledger: somebody's later word takes the place of the earlier
        for (record, approval) in self.0.iter().filter(|(record, _)| record.index < asked.index) {
            let Some(person) = record.speaker.person.as_deref() else { continue };
            if !record.speaker.roles.iter().any(|role| role == OFFICER) {
                continue;
            }
            let statement = record.statement();
            match approval.decision {
                ApprovalDecision::Dismissed => {
                    let named = approval.dismisses.as_ref().and_then(|d| d.payload().ok());
                    if people.get(person).is_some_and(|own| Some(own) == named.as_ref()) {
                        people.remove(person);
                    }
                }
                _ if !statement.has_subject(asked.payload) => {}
                ApprovalDecision::Approved => {
                    against.remove(person);
                    if !record.revoked && self.counts(record, approval, asked) {
                        people.insert(person, statement.payload_digest());
                    }
                }
                _ => {
                    people.remove(person);
                    against.insert(person, record.index);
                }
            }
        }
        match against.into_iter().next() {
            Some((person, index)) => Err(format!("`{person}` rejected it in entry {index}")),
            None => Ok(people),
        }
    }

    fn counts(&self, record: &LedgerRecord, approval: &Approval, asked: &Asked<'_>) -> bool {
        let fresh = record.logged_at().is_ok_and(|logged| {
            let age = asked.at.unix_millis() - logged.unix_millis();
            (0..=VALID_MILLIS).contains(&age)
        });
        let methods = approval.approver.authentication.iter().flat_map(|a| &a.methods);
        fresh
            && record.statement().has_subject(asked.schedule)
            && approval.expires_at.is_none_or(|end| end > asked.at)
            && (!asked.second_factor || methods.into_iter().any(|method| method == "mfa" || method == "hwk"))
    }
}
