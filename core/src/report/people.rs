//! Approvals with all that 21 CFR 11.50 asks of a signature to be shown: printed name, time, meaning.

use maud::{Markup, html};

use super::markup::{link, state, table, text, time};
use super::{Act, Page};
use crate::error::Result;
use crate::predicate::{Approval, ApprovalDecision, CaptureMethod, Predicate};

pub(super) fn section(page: &Page<'_>) -> Result<Markup> {
    let rows = page
        .acts
        .iter()
        .filter_map(|act| match &act.predicate {
            Predicate::Approval(approval) => Some(row(page, act, approval)),
            _ => None,
        })
        .collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        return Ok(html! { p { (state("bad", "none")) " Nobody approved anything about this release." } });
    }
    Ok(html! {
        p {
            "Names and meanings are what the signers stated. Person and role are what the trust policy says of the \
             authenticated signer at the time of the entry; what a record says of its own author's roles counts for nothing."
        }
        (table(
            "Signatures, as 21 CFR 11.50 asks them to be shown",
            &["Printed name", "Decision", "Meaning", "Time claimed", "Time of entry", "Role by trust policy", "Identity", "Captured", "Record"],
            &rows,
        ))
    })
}

fn row(page: &Page<'_>, act: &Act<'_>, approval: &Approval) -> Result<Markup> {
    let policy = page.report.ledger.trust().in_force_at(act.record.index);
    let direct = approval.capture.method == CaptureMethod::DirectSignature;
    let (person, roles) = if direct {
        (act.record.speaker.person.clone(), act.record.speaker.roles.clone())
    } else {
        let person = policy.and_then(|p| p.person_of_actor(&approval.approver));
        (person.map(|p| p.person.clone()), person.map(|p| p.roles.clone()).unwrap_or_default())
    };
    let class = match approval.decision {
        ApprovalDecision::Approved => "good",
        ApprovalDecision::Rejected => "bad",
        ApprovalDecision::Dismissed => "warn",
    };
    Ok(html! {
        tr {
            th scope="row" { (text(approval.approver.display_name.as_deref().unwrap_or("not stated"))) }
            td {
                (state(class, &approval.decision.name().to_lowercase())) br; (approval.stage.name())
                @if let Some(environment) = &approval.environment { " into " (environment.class.name()) }
                @if act.record.revoked { br; (state("bad", "revoked since")) }
            }
            td { (text(&approval.meaning)) @if let Some(comment) = &approval.comment { br; span.quiet { (text(comment)) } } }
            td { (time(approval.decided_at)) }
            td { (time(act.record.logged_at()?)) }
            td {
                @if roles.is_empty() { (state("bad", "none")) } @else { (text(&roles.join(", "))) }
                br; span.quiet { "as person " (text(person.as_deref().unwrap_or("unknown"))) }
            }
            td {
                (text(&approval.approver.id))
                @if let Some(issuer) = &approval.approver.issuer { br; span.quiet { "by " (text(issuer)) } }
            }
            td {
                (approval.capture.method.name()) br;
                span.quiet { "signed by " (text(&act.record.speaker.signer)) }
                @if let Some(system) = &approval.capture.system { br; span.quiet { (text(system)) } }
            }
            td { (link(act)) }
        }
    })
}
