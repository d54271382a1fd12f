//! OSCAL assessment results (NIST OSCAL 1.2.1): what the newest decisions show for every control of the catalogue.
//!
//! No control is left out: one without evidence is not satisfied, with that as the remark (packs section 4.2).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::json;

use super::catalogue::{Catalogue, Control, ControlState, Shown, kinds, newest_decisions, shown};
use super::{Act, Page, ReleaseReport, policy_folder};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::predicate::{CheckResult, PolicyEvaluation};

const NAMESPACE: &str = "https://sealwright.dev/oscal";

/// The assessment results of a release as JSON. The same report gives the same bytes.
///
/// # Errors
/// As [`html`](super::html).
pub fn oscal(report: &ReleaseReport<'_>) -> Result<Vec<u8>> {
    let page = Page::new(report)?;
    let catalogue = Catalogue::read()?;
    let decisions = newest_decisions(&page);
    let kinds = kinds(&page);
    let checkpoint = report.ledger.checkpoint().checkpoint();
    let names = Names(format!("{}\n{}\n{}\n", report.release_id, checkpoint.origin(), checkpoint.root()));
    let mut observations = Vec::new();
    for (act, decision) in &decisions {
        for check in &decision.checks {
            observations.push(observation(&page, &names, act, decision, check)?);
        }
    }
    let mut findings = Vec::new();
    for control in &catalogue.controls {
        findings.push(finding(&names, control, shown(&catalogue, control, &decisions, &kinds).as_ref()));
    }
    let last = page.acts.last().map(|act| act.record.logged_at()).transpose()?;
    let last = last.ok_or_else(|| Error::new(ErrorKind::ApiMisuse, "a report without records shows nothing"))?;
    let times = || decisions.iter().map(|(_, decision)| decision.evaluated_at);
    let (start, end) = (times().min().unwrap_or(last), times().max().unwrap_or(last));
    let plan = names.uuid("policy");
    let profile = &report.ledger.trust_policy()?.predicate().profile;
    let left_out =
        profile.leaves_out.iter().map(|l| format!("{} ({}): {}", l.check, l.part, l.why)).collect::<Vec<_>>();
    let mut result = json!({
        "uuid": names.uuid("result"),
        "title": "Automated evidence check",
        "description": "What the newest gate decision for each environment shows. Generated, and no auditor's opinion.",
        "start": start.to_string(),
        "end": end.to_string(),
        "props": [
            prop("release-id", report.release_id),
            prop("ledger-origin", checkpoint.origin()),
            prop("ledger-tree-size", &checkpoint.size().to_string()),
            prop("ledger-root-hash", &checkpoint.root().to_string()),
            prop("profile", &profile.name),
            prop("single-operator", if profile.single_operator { "true" } else { "false" }),
        ],
        "reviewed-controls": { "control-selections": [ {
            "include-controls": catalogue.controls.iter().map(|c| json!({ "control-id": c.oscal_id })).collect::<Vec<_>>(),
        } ] },
        "findings": findings,
        "remarks": format!("The profile leaves out: {}", if left_out.is_empty() { "nothing".to_owned() } else { left_out.join("; ") }),
    });
    // an empty list is not allowed
    if let (Value::Object(members), false) = (&mut result, observations.is_empty()) {
        members.insert("observations".to_owned(), Value::Array(observations));
    }
    let document = json!({ "assessment-results": {
        "uuid": names.uuid("assessment-results"),
        "metadata": {
            "title": line(report.title),
            "last-modified": last.to_string(),
            "version": "1",
            "oscal-version": "1.2.1",
        },
        "import-ap": { "href": format!("#{plan}"), "remarks": "No separate plan: the policy bundle in back-matter is the plan." },
        "results": [result],
        "back-matter": { "resources": [policy(&page, &plan)?] },
    } });
    let mut bytes = serde_json::to_vec_pretty(&document)
        .map_err(|e| Error::new(ErrorKind::Internal, "assessment results have no JSON form").caused_by(e))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn observation(
    page: &Page<'_>,
    names: &Names,
    act: &Act<'_>,
    decision: &PolicyEvaluation,
    check: &CheckResult,
) -> Result<Value> {
    let mut evidence = vec![evidence(act, "decision")];
    for reference in &check.evidence {
        if let Some(act) = page.by_payload(&reference.payload()?.hex()) {
            evidence.push(self::evidence(act, "record the check rested on"));
        }
    }
    Ok(json!({
        "uuid": names.observation(act, check),
        "title": line(&format!("{} at the gate {}", check.id, decision.gate)),
        "description": line(check.message.as_deref().or(check.question.as_deref()).unwrap_or(&check.id)),
        "props": [prop("check", &check.id), prop("result", check.result.name()), prop("enforcement", check.enforcement.name())],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "relevant-evidence": evidence,
        "collected": decision.evaluated_at.to_string(),
    }))
}

fn evidence(act: &Act<'_>, what: &str) -> Value {
    json!({
        "href": act.path,
        "description": format!("{what}, ledger index {}", act.record.index),
        "props": [prop("payload-sha256", &act.payload)],
    })
}

fn finding(names: &Names, control: &Control, shown: Option<&Shown<'_, '_>>) -> Value {
    let (state, reason, remarks) = match shown {
        None => ("not-satisfied", "other", "no evidence".to_owned()),
        Some(shown) => match shown.state {
            ControlState::Satisfied => ("satisfied", "pass", "every mapped check passed, whole".to_owned()),
            ControlState::Partial => ("not-satisfied", "other", shown.why.join("; ")),
            ControlState::NotSatisfied => ("not-satisfied", "fail", "a mapped check did not pass".to_owned()),
            ControlState::Excepted => ("not-satisfied", "other", "a mapped check was excepted".to_owned()),
            ControlState::NotAsked => ("not-satisfied", "other", "no mapped check applied".to_owned()),
        },
    };
    let mut finding = json!({
        "uuid": names.uuid(&format!("finding {}", control.id)),
        "title": line(&format!("{} {}", control.reference, control.title)),
        "description": line(&remarks),
        "target": {
            "type": "statement-id",
            "target-id": format!("{}_smt", control.oscal_id),
            "status": { "state": state, "reason": reason },
        },
    });
    let related: Vec<Value> = shown
        .iter()
        .flat_map(|shown| &shown.asked)
        .map(|(act, check)| json!({ "observation-uuid": names.observation(act, check) }))
        .collect();
    if let (Value::Object(members), false) = (&mut finding, related.is_empty()) {
        members.insert("related-observations".to_owned(), Value::Array(related));
    }
    finding
}

/// The policy bundle in force, which stands for a plan.
fn policy(page: &Page<'_>, uuid: &str) -> Result<Value> {
    let ledger = page.report.ledger;
    let mut resource = json!({
        "uuid": uuid,
        "title": "Policy bundle in force",
        "description": "Checks, tables and rules, as the trust policy pins them.",
    });
    let pinned = ledger.trust_policy()?.pinned_bundle().filter(|digest| ledger.policy_bundle(digest).is_ok());
    if let (Value::Object(members), Some(hex)) = (&mut resource, pinned.map(|digest| digest.hex())) {
        let link = json!({
            "href": format!("../{}/bundle.json", policy_folder(&hex)),
            "hashes": [ { "algorithm": "SHA-256", "value": hex } ],
        });
        members.insert("rlinks".to_owned(), Value::Array(vec![link]));
    }
    Ok(resource)
}

fn prop(name: &str, value: &str) -> Value {
    json!({ "ns": NAMESPACE, "name": name, "value": line(value) })
}

/// Text as OSCAL takes it: one line that neither begins nor ends with a blank.
fn line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { "-".to_owned() } else { line }
}

/// Identities of the parts of a document, the same for the same release in the same state of the ledger.
struct Names(String);

impl Names {
    fn observation(&self, act: &Act<'_>, check: &CheckResult) -> String {
        self.uuid(&format!("observation {} {}", act.payload, check.id))
    }

    /// A UUID of version 5 (RFC 9562 section 5.5) in the name space of URLs.
    fn uuid(&self, part: &str) -> String {
        const URL: [u8; 16] =
            [0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
        // SHA-1 is what version 5 is made of; nothing is secured by it
        let name = [&URL[..], NAMESPACE.as_bytes(), b"\n", self.0.as_bytes(), part.as_bytes()].concat();
        let mut bytes: [u8; 16] =
            digest(&SHA1_FOR_LEGACY_USE_ONLY, &name).as_ref().first_chunk().copied().unwrap_or_default();
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = (*version & 0x0f) | 0x50;
        *variant = (*variant & 0x3f) | 0x80;
        let hex = hex::encode(bytes);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| hex.get(range).unwrap_or_default());
        parts.join("-")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_one_uuid_of_version_5() {
        let names = Names("release\n".to_owned());
        let uuid = names.uuid("part");
        assert_eq!(uuid, names.uuid("part"));
        assert_ne!(uuid, names.uuid("other"));
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'5');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
    }

    #[test]
    fn text_is_one_line_without_blanks_around_it() {
        assert_eq!(line("  a\n\tb "), "a b");
        assert_eq!(line(" \n"), "-");
    }
}
