//! `manifest.json`: every file of a pack with its digest, and what the records need to be matched with their entries.

use serde::{Deserialize, Serialize};

use crate::ledger::Listing;
use crate::predicate::{PackLedger, PackSelection, Profile, RecordRef, Redaction};
use crate::timestamp::Timestamp;

/// The manifest (packs section 3). Members not known here are ignored on reading.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub(super) pack_id: String,
    pub(super) selection: PackSelection,
    pub(super) ledger: PackLedger,
    pub(super) generated_at: Timestamp,
    pub(super) profile: Profile,
    pub(super) trust_policy: RecordRef,
    pub(super) files: Vec<FileLine>,
    pub(super) redactions: Vec<Redaction>,
    /// Of a pack of an encrypted ledger: what stands in the entries for types and tags of the records, by name and
    /// value. Whoever has the records learns nothing new by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<Listing>,
}

/// One file of the pack.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileLine {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) size: u64,
    pub(super) media_type: String,
    pub(super) role: Role,
    /// Of entries, proofs and records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ledger_index: Option<u64>,
    /// Of records: base64 of the 32 bytes of the entry's commitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) salt: Option<String>,
    /// Of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) payload_sha256: Option<String>,
    /// Of records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) predicate_type: Option<String>,
    /// Of records: controls that decisions take it as evidence for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) controls: Vec<String>,
}

/// What a file is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Role {
    Checkpoint,
    Entry,
    Proof,
    Record,
    Attachment,
    Trust,
    Policy,
    Report,
    Population,
    Key,
    Tool,
    /// A role this version does not know.
    #[serde(other)]
    Other,
}
