//! The catalogue of controls, and what the decisions of a release show for each.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Act, CONTROLS, Page};
use crate::error::Result;
use crate::json;
use crate::predicate::{CheckOutcome, CheckResult, Enforcement, PolicyEvaluation, Predicate};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Catalogue {
    pub(super) frameworks: Vec<Framework>,
    pub(super) controls: Vec<Control>,
    evidence_types: Vec<EvidenceType>,
}

#[derive(Deserialize)]
struct EvidenceType {
    id: String,
    title: String,
}

#[derive(Deserialize)]
pub(super) struct Framework {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Control {
    pub(super) oscal_id: String,
    pub(super) id: String,
    pub(super) framework: String,
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) title: String,
    pub(super) status: String,
    evidence: Evidence,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Evidence {
    all_of: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    any_of: Vec<String>,
}

/// What is shown for a control that checks of the decisions map to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ControlState {
    /// All mapped checks passed, whole, and each kind of evidence it asks for is here.
    Satisfied,
    /// All mapped checks passed, but the profile leaves something out or evidence it asks for is not here.
    Partial,
    /// A mapped check failed or could not be decided.
    NotSatisfied,
    /// A mapped check was excepted, and none failed.
    Excepted,
    /// No mapped check applied.
    NotAsked,
}

/// A mapped control with what it rests on.
pub(super) struct Shown<'p, 'a> {
    pub(super) state: ControlState,
    /// Checks by id with their worst result.
    pub(super) checks: BTreeMap<&'p str, CheckOutcome>,
    /// Each check as it was asked, with the decision that asked it.
    pub(super) asked: Vec<(&'p Act<'a>, &'p CheckResult)>,
    pub(super) evidence: Vec<crate::predicate::RecordRef>,
    /// What keeps it from being satisfied, in words.
    pub(super) why: Vec<String>,
}

impl Catalogue {
    pub(super) fn read() -> Result<Self> {
        json::parse("catalogue of controls", CONTROLS.as_bytes())
    }

    /// What kinds of evidence are called, any of which would do.
    fn titles(&self, kinds: &[String]) -> String {
        let title =
            |id: &String| self.evidence_types.iter().find(|t| t.id == *id).map_or(id.clone(), |t| t.title.clone());
        kinds.iter().map(title).collect::<Vec<_>>().join("; or ")
    }
}

/// Kinds of evidence in the report: those of its records, and those that verification itself derives.
pub(super) fn kinds(page: &Page<'_>) -> BTreeSet<String> {
    let standing = || page.acts.iter().filter(|act| !act.record.revoked).map(|act| act.record);
    let mut kinds: BTreeSet<String> = standing().flat_map(|record| record.statement().tags().kind).collect();
    if standing().next().is_some() {
        kinds.insert("signer.identity".to_owned());
    }
    let artifacts = page.report.custody.steps.iter().filter(|s| s.act == "released").flat_map(|s| &s.digests);
    if artifacts.into_iter().any(|hex| standing().any(|r| r.entry.has_tag("subject", &format!("sha256:{hex}")))) {
        kinds.insert("artifact.signature".to_owned());
    }
    // the catalogue asks for one that witnesses have cosigned
    if page.report.ledger.witnessed().is_ok_and(|w| !w.cosignatures.is_empty() && w.has_quorum()) {
        kinds.insert("ledger.checkpoint".to_owned());
    }
    kinds
}

/// The newest decision for each environment.
pub(super) fn newest_decisions<'p, 'a>(page: &'p Page<'a>) -> Vec<(&'p Act<'a>, &'p PolicyEvaluation)> {
    let mut newest = BTreeMap::new();
    for act in &page.acts {
        if let Predicate::PolicyEvaluation(evaluation) = &act.predicate {
            let environment = evaluation.environment.as_ref().map(|e| e.id.as_str());
            newest.insert((evaluation.gate, environment), (act, &**evaluation));
        }
    }
    newest.into_values().collect()
}

/// What the decisions show for a control; nothing if no check of theirs maps to it.
pub(super) fn shown<'p, 'a>(
    catalogue: &Catalogue,
    control: &Control,
    decisions: &[(&'p Act<'a>, &'p PolicyEvaluation)],
    kinds: &BTreeSet<String>,
) -> Option<Shown<'p, 'a>> {
    let mapped = |c: &&CheckResult| c.enforcement == Enforcement::Enforced && c.controls.contains(&control.id);
    let mut checks: BTreeMap<&str, CheckOutcome> = BTreeMap::new();
    let mut evidence = Vec::new();
    let mut why = Vec::new();
    let mut asked = Vec::new();
    for (act, decision) in decisions {
        for check in decision.checks.iter().filter(mapped) {
            asked.push((*act, check));
            let worst = checks.entry(&check.id).or_insert(CheckOutcome::NotApplicable);
            if weight(check.result) > weight(*worst) {
                *worst = check.result;
            }
            evidence.extend(check.evidence.iter().cloned());
            for left_out in decision.profile.leaves_out.iter().filter(|l| l.check == check.id) {
                let reason = format!("the profile leaves out, of {}: {}", left_out.check, left_out.part);
                if !why.contains(&reason) {
                    why.push(reason);
                }
            }
        }
    }
    if checks.is_empty() {
        return None;
    }
    let state = match checks.values().map(|c| weight(*c)).max() {
        Some(3..) => ControlState::NotSatisfied,
        Some(2) => ControlState::Excepted,
        Some(1) => {
            for group in control.evidence.all_of.iter().filter(|g| !g.any_of.iter().any(|k| kinds.contains(k))) {
                why.push(format!("not here: {}", catalogue.titles(&group.any_of)));
            }
            if control.evidence.all_of.is_empty() {
                why.push("the catalogue names no evidence that would prove it alone".to_owned());
            }
            if why.is_empty() { ControlState::Satisfied } else { ControlState::Partial }
        }
        _ => ControlState::NotAsked,
    };
    if state != ControlState::Partial {
        why.clear();
    }
    Some(Shown { state, checks, asked, evidence, why })
}

/// How bad a result is; from 2 on a control is not satisfied.
fn weight(outcome: CheckOutcome) -> u8 {
    match outcome {
        CheckOutcome::NotApplicable => 0,
        CheckOutcome::Passed => 1,
        CheckOutcome::Excepted => 2,
        CheckOutcome::Failed => 3,
        CheckOutcome::Error => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_of_the_catalogue_is_of_a_framework_in_it() {
        let catalogue = Catalogue::read().unwrap();
        let frameworks: BTreeSet<_> = catalogue.frameworks.iter().map(|f| &f.id).collect();
        assert!(catalogue.controls.len() > 300);
        for control in &catalogue.controls {
            assert!(frameworks.contains(&control.framework), "{}", control.id);
        }
    }
}
