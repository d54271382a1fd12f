//! Records that were disposed of because their time was over (predicates section 4.18).

use serde::{Deserialize, Serialize};

use super::field::{At, Check, ROOT};
use super::vocabulary::vocabulary;
use super::{Actor, PredicateType, RecordRef};
use crate::error::Result;
use crate::timestamp::Timestamp;

/// A disposal. Subjects: payload digests of what was disposed of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetentionDisposal {
    /// Rule by which the last of the periods ended, as the retention schedule names it.
    pub rule: String,
    /// When the ends were computed.
    pub evaluated_at: Timestamp,
    /// What was disposed of.
    pub items: Vec<DisposedItem>,
    /// The passing policy-evaluation of the gate `dispose`.
    pub decision: RecordRef,
    /// The ledger up to which holds were looked for.
    pub holds_checked: HoldsChecked,
    /// Approvals counted, of two people at least.
    pub approvals: Vec<RecordRef>,
    /// Who did it.
    pub executed_by: Actor,
    /// When.
    pub at: Timestamp,
}

/// One record that was disposed of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DisposedItem {
    /// Which.
    pub record: RecordRef,
    /// Its entry, which stays.
    pub ledger_index: u64,
    /// Start of the period.
    pub retained_since: Timestamp,
    /// End of the period.
    pub due_at: Timestamp,
    /// How body and salt went.
    pub method: DisposalMethod,
}

/// How far holds were looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldsChecked {
    /// Number of entries of the ledger.
    pub size: u64,
}

vocabulary! {
    /// How body and salt went.
    DisposalMethod {
        /// They were erased.
        PayloadErased = "payload-erased",
        /// The object that held them was deleted.
        ObjectDeleted = "object-deleted",
        /// The key that opened them was destroyed.
        KeyDestroyed = "key-destroyed",
    }
}

impl PredicateType for RetentionDisposal {
    const TYPE: &'static str = "https://sealwright.dev/attestation/retention-disposal/v0.1";

    fn validate(&self) -> Result<()> {
        let at = ROOT;
        at.text("rule", &self.rule)?;
        at.some("items", &self.items)?;
        at.check("items", &self.items)?;
        at.check("decision", &self.decision)?;
        at.check("approvals", &self.approvals)?;
        if self.approvals.len() < 2 {
            return Err(at.field("approvals").wrong("names fewer than two; a disposal needs two people's"));
        }
        at.check("executedBy", &self.executed_by)
    }
}

impl Check for DisposedItem {
    fn check(&self, at: &At<'_>) -> Result<()> {
        at.check("record", &self.record)?;
        at.not_before("dueAt", Some(self.due_at), "retainedSince", Some(self.retained_since))
    }
}
