//! What a client and a sequencer say to each other, as JSON. All of it is unauthenticated until something verified it.

use serde::{Deserialize, Serialize};

use crate::ledger::receipt::UnverifiedReceipt;

/// `POST v1/records`: records in base64, to be appended in this order, all or none.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Submission {
    pub(crate) records: Vec<String>,
}

/// The answer: a receipt for each record.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Receipts {
    pub(crate) receipts: Vec<Receipted>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Receipted {
    pub(crate) receipt: UnverifiedReceipt,
    /// The record that was there before, in base64, if its bytes are others than those submitted: the same statement by
    /// the same signer, signed twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<String>,
}

/// The answer to `POST v1/search`: where to look. The records are read and verified by whoever asked.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FoundAt {
    pub(crate) indexes: Vec<u64>,
    pub(crate) more: bool,
}

/// The answer to `GET v1/trust-policy`: the entries that hold its versions.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TrustPolicyAt {
    pub(crate) entries: Vec<u64>,
}

/// Every answer that is a refusal.
#[derive(Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) error: Refused,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) context: serde_json::Map<String, serde_json::Value>,
}
