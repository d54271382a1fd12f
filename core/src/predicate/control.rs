//! Which records can turn a pass into a refusal (predicates section 1.2).
//!
//! Content is read loosely: what is not plainly harmless, or cannot be read, makes a control record. Standard types
//! are told by their family, so that another version is judged by its content, too.

use super::NAMESPACE;
use super::kind::is_openvex;
use super::scai::ATTRIBUTES;
use crate::digest::{Algorithm, Digest};
use crate::json::Value;

/// Whether a record of this type with this predicate is a control record.
pub(crate) fn is_control(predicate_type: &str, predicate: &Value) -> bool {
    if let Some(name) = predicate_type.strip_prefix(NAMESPACE) {
        return is_own_control(name, predicate);
    }
    match predicate_type {
        t if t.starts_with("https://in-toto.io/attestation/test-result/") => !is_clean_test(predicate),
        t if t.starts_with("https://in-toto.io/attestation/scai/") => !is_clean_report(predicate),
        t if t.starts_with("https://slsa.dev/verification_summary/") => {
            !is(predicate, "verificationResult", &["PASSED"])
        }
        t if is_openvex(t) => !is_clean_vex(predicate),
        t if is_vulnerability_scan(t) => !is_clean_scan(predicate),
        _ => false,
    }
}

fn is_own_control(name: &str, predicate: &Value) -> bool {
    match name.strip_suffix("/v0.1") {
        Some("approval") => {
            const STAGES: &[&str] =
                &["source-review", "change", "promotion", "deployment", "exception", "retroactive", "disposal"];
            !(is(predicate, "decision", &["APPROVED"]) && is(predicate, "stage", STAGES))
        }
        Some("deployment") => !(refers(predicate, "decision") && is(predicate, "status", &["STARTED", "SUCCEEDED"])),
        Some("publication") => !(refers(predicate, "decision") && is(predicate, "status", &["PUBLISHED"])),
        Some("policy-evaluation") => !is(predicate, "result", &["PASSED"]),
        Some("privileged-session") => !(refers(predicate, "incident") || refers(predicate, "approval")),
        Some("key-access") => {
            const HARMLESS: &[&str] = &["sign", "verify", "encrypt", "decrypt", "read", "create", "rotate"];
            !(is(predicate, "outcome", &["SUCCEEDED"]) && is(predicate, "operation", HARMLESS))
        }
        Some(
            "exception" | "promotion" | "environment-snapshot" | "audit-log-segment" | "evidence-pack" | "scorecard",
        ) => false,
        // those that always are, and those not known here
        _ => true,
    }
}

/// PASSED, and nothing that failed, warned or was found.
fn is_clean_test(predicate: &Value) -> bool {
    let none_found = match predicate.get("sealwright_counts") {
        None | Some(Value::Null) => true,
        Some(Value::Object(counts)) => counts.values().all(|count| count.as_u64() == Some(0)),
        Some(_) => false,
    };
    none_found
        && is(predicate, "result", &["PASSED"])
        && is_empty(predicate, "failedTests")
        && is_empty(predicate, "warnedTests")
}

/// Only attributes of our vocabulary, none of them denied.
///
/// SCAI has no word for denial: a condition that is `false`, `denied`, or an age over its limit, denies an attribute;
/// an attribute we do not know may be a denial by its name.
fn is_clean_report(predicate: &Value) -> bool {
    let Some(claims) = predicate.get("attributes").and_then(Value::as_array) else { return false };
    claims.iter().all(|claim| is(claim, "attribute", ATTRIBUTES) && !is_denied(claim))
}

pub(crate) fn is_denied(claim: &Value) -> bool {
    let conditions = match claim.get("conditions") {
        None | Some(Value::Null) => return false,
        Some(Value::Object(conditions)) => conditions,
        Some(_) => return true,
    };
    let number = |name: &str| conditions.get(name).and_then(Value::as_f64);
    let too_old = |limit: &str| match conditions.get(limit) {
        None => false,
        // an age or a limit that is no number cannot be shown to be kept
        Some(_) => number("ageSeconds").zip(number(limit)).is_none_or(|(age, limit)| age > limit),
    };
    conditions.values().any(|value| *value == Value::Bool(false))
        || conditions.get("denied").is_some_and(|denied| !denied.is_null())
        || too_old("rpoSeconds")
        || too_old("maxAgeSeconds")
}

/// Every statement says `not_affected` or `fixed`.
fn is_clean_vex(predicate: &Value) -> bool {
    let Some(statements) = predicate.get("statements").and_then(Value::as_array) else { return false };
    statements.iter().all(|statement| is(statement, "status", &["not_affected", "fixed"]))
}

fn is_vulnerability_scan(predicate_type: &str) -> bool {
    predicate_type.starts_with("https://in-toto.io/attestation/vulns/")
        || predicate_type.starts_with("https://cosign.sigstore.dev/attestation/vuln/")
}

/// The list of findings is there, and empty.
fn is_clean_scan(predicate: &Value) -> bool {
    predicate.pointer("/scanner/result").and_then(Value::as_array).is_some_and(Vec::is_empty)
}

/// Whether the member is one of `words`.
fn is(value: &Value, name: &str, words: &[&str]) -> bool {
    value.get(name).and_then(Value::as_str).is_some_and(|word| words.contains(&word))
}

/// Whether the member is a readable reference to a record.
fn refers(value: &Value, name: &str) -> bool {
    let sha256 = value.get(name).and_then(|to| to.pointer("/digest/sha256")).and_then(Value::as_str);
    sha256.is_some_and(|hex| Digest::from_hex(Algorithm::Sha256, hex).is_ok())
}

/// Whether the list is absent or empty.
fn is_empty(value: &Value, name: &str) -> bool {
    match value.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(_) => false,
    }
}
