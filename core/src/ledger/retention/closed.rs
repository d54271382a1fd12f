//! Whether what a control record says is closed or superseded, so that it may go (predicates section 4.18).

use std::collections::BTreeMap;

use crate::json::Value;
use crate::ledger::LedgerRecord;
use crate::predicate::{LegalHold, NAMESPACE, PredicateType, RetentionDisposal, TrustPolicy};

/// The newest record of each thing that control records are about.
#[derive(Default)]
pub(super) struct Newest(BTreeMap<String, u64>);

impl Newest {
    /// Takes note of a record; to be called in the order of the ledger.
    pub(super) fn learn(&mut self, record: &LedgerRecord) {
        // what was revoked since supersedes nothing
        if let Some(thing) = thing(record).filter(|_| !record.revoked) {
            self.0.insert(thing, record.index);
        }
    }

    /// Why a record must stay although its time is over; nothing if it may go.
    pub(super) fn obstacle(&self, record: &LedgerRecord) -> Option<String> {
        let predicate_type = record.statement().predicate_type();
        match predicate_type {
            TrustPolicy::TYPE => return Some("it is a trust policy, and still judges records".to_owned()),
            LegalHold::TYPE => return Some("it is a hold or its release, which explain each other".to_owned()),
            RetentionDisposal::TYPE => return Some("it explains the bodies that it disposed of".to_owned()),
            _ => {}
        }
        if !record.entry.control {
            return None;
        }
        let predicate = record.statement().predicate_json().unwrap_or_default();
        let has = |name: &str| predicate.get(name).is_some_and(|v| !v.is_null());
        let is = |name: &str, word: &str| predicate.get(name).and_then(Value::as_str) == Some(word);
        let closed = match name(predicate_type) {
            Some("incident") => has("resolvedAt"),
            Some("risk") => is("status", "closed"),
            _ => false,
        };
        let newest = thing(record).and_then(|thing| self.0.get(&thing).copied());
        if closed || newest.is_some_and(|newest| newest > record.index) {
            return None;
        }
        Some("it is a control record, and nothing after it closes or supersedes what it says".to_owned())
    }
}

/// What a control record is about: a later record about the same supersedes it. None if that cannot be told.
fn thing(record: &LedgerRecord) -> Option<String> {
    let statement = record.statement();
    let predicate = statement.predicate_json().ok()?;
    let text = |path: &str| predicate.pointer(path).and_then(Value::as_str).map(str::to_owned);
    let subjects = || {
        let mut digests: Vec<String> =
            statement.subjects().iter().flat_map(|s| s.digests()).map(|d| d.to_string()).collect();
        digests.sort();
        digests.join(" ")
    };
    let tool = |path: &str| predicate.pointer(path).map(Value::to_string).unwrap_or_default();
    let predicate_type = statement.predicate_type();
    let identity = match name(predicate_type) {
        Some("change-request") => vec![text("/changeId")?],
        Some("incident") => vec![text("/incidentId")?],
        Some("risk") => vec![text("/riskId")?],
        Some("drift-report") => vec![text("/environment/id")?, text("/kind").unwrap_or_default()],
        Some("deployment" | "rollback") => vec![text("/environment/id")?, record.statement().tags().service.join(" ")],
        Some("approval") => vec![
            text("/stage")?,
            record.speaker.person.clone()?,
            subjects(),
            text("/environment/id").unwrap_or_default(),
        ],
        Some("policy-evaluation") => {
            vec![text("/gate")?, subjects(), text("/environment/id").unwrap_or_default()]
        }
        Some(_) => return None,
        None if predicate_type.starts_with("https://in-toto.io/attestation/test-result/") => {
            vec![text("/sealwright_testKind")?, tool("/sealwright_tool"), subjects()]
        }
        None if predicate_type.starts_with("https://in-toto.io/attestation/vulns/") => {
            vec![text("/scanner/uri")?, subjects()]
        }
        None => return None,
    };
    Some(format!("{predicate_type} {}", identity.join("\n")))
}

/// The name of a type of ours.
fn name(predicate_type: &str) -> Option<&str> {
    predicate_type.strip_prefix(NAMESPACE).map(|rest| rest.split('/').next().unwrap_or(rest))
}
