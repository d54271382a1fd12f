//! What each gate decided, check by check.

use maud::{Markup, html};

use super::markup::{clean, environment, link, links, long, outcome, state, table, text, time};
use super::{Act, Page};
use crate::digest::Algorithm;
use crate::error::Result;
use crate::predicate::{CheckOutcome, CheckResult, Enforcement, EvaluationResult, PolicyEvaluation, Predicate};

pub(super) fn section(page: &Page<'_>) -> Result<Markup> {
    let decisions: Vec<_> = page
        .acts
        .iter()
        .filter_map(|act| match &act.predicate {
            Predicate::PolicyEvaluation(evaluation) => Some((act, &**evaluation)),
            _ => None,
        })
        .collect();
    if decisions.is_empty() {
        return Ok(html! { p { (state("bad", "none")) " No gate decided about this release." } });
    }
    let last = decisions.len() - 1;
    let blocks = decisions
        .iter()
        .enumerate()
        .map(|(at, (act, evaluation))| decision(page, act, evaluation, at == last))
        .collect::<Result<Vec<_>>>()?;
    Ok(html! {
        p { "Each decision is a record of its own, refusals too. Messages are those the gate gave." }
        @for block in &blocks { (block) }
    })
}

fn decision(page: &Page<'_>, act: &Act<'_>, evaluation: &PolicyEvaluation, newest: bool) -> Result<Markup> {
    let (class, word) = match evaluation.result {
        EvaluationResult::Passed => ("good", "passed"),
        EvaluationResult::Failed => ("bad", "failed"),
        EvaluationResult::Error => ("bad", "error"),
    };
    let count = |wanted: CheckOutcome| evaluation.checks.iter().filter(|c| c.result == wanted).count();
    let rows = evaluation.checks.iter().map(|c| check(page, c)).collect::<Result<Vec<_>>>()?;
    let policy = evaluation.policy.digest.as_ref().and_then(|d| d.get(Algorithm::Sha256));
    let open = newest || evaluation.result != EvaluationResult::Passed;
    Ok(html! {
        details open[open] {
            summary {
                "Gate " strong { (evaluation.gate.name()) } " " (state(class, word)) " " (time(evaluation.evaluated_at))
                span.quiet {
                    " " (count(CheckOutcome::Passed)) " passed, " (count(CheckOutcome::Failed)) " failed, "
                    (count(CheckOutcome::Error)) " errors, " (count(CheckOutcome::Excepted)) " excepted, "
                    (count(CheckOutcome::NotApplicable)) " not applicable"
                }
            }
            dl {
                dt { "Record" } dd { (link(act)) }
                @if let Some(target) = &evaluation.environment { dt { "Environment" } dd { (environment(target)) } }
                @if let Some(change) = &evaluation.change_id { dt { "Change" } dd { (text(change)) } }
                dt { "Ledger" }
                dd {
                    (evaluation.ledger_state.size) " entries, " (evaluation.selection.matched) " matched, "
                    (evaluation.selection.control) " control entries"
                }
                dt { "Policy" }
                dd {
                    @if let Some(version) = &evaluation.policy_version { "version " (text(version)) " " }
                    @if let Some(digest) = policy { "sha256:" (long(&digest.hex())) }
                }
                dt { "Records used" } dd { (evaluation.input_attestations.len()) }
            }
            (table(
                &format!("Checks of the gate {} at entry {}", evaluation.gate, act.record.index),
                &["Check", "Result", "What was found", "Evidence"],
                &rows,
            ))
        }
    })
}

/// Whether the message of a check holds its remedy already.
fn says(check: &CheckResult, fix: &str) -> bool {
    check.message.as_deref().is_some_and(|message| message.contains(fix))
}

fn check(page: &Page<'_>, check: &CheckResult) -> Result<Markup> {
    Ok(html! {
        tr {
            th scope="row" {
                code { (clean(&check.id)) }
                @if let Some(question) = &check.question { br; span.quiet { (text(question)) } }
            }
            td {
                (outcome(check.result))
                @if check.enforcement == Enforcement::Advisory { br; span.quiet { "advisory" } }
            }
            td {
                @if let Some(message) = &check.message { p { (text(message)) } }
                @if let Some(fix) = check.remediation.as_ref().filter(|fix| !says(check, fix)) { p { strong { "Fix: " } (text(fix)) } }
                @if let Some(exception) = &check.exception { p { "Exception: " (links(page, std::slice::from_ref(exception))?) } }
                @if !check.controls.is_empty() { p.quiet { (text(&check.controls.join(", "))) } }
            }
            td.refs { (links(page, &check.evidence)?) }
        }
    })
}
