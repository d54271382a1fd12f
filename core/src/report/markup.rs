//! Small pieces of a page: text of others, times, digests, links to records, tables.

use maud::{Markup, html};

use super::{Act, Page};
use crate::digest::Algorithm;
use crate::error::Result;
use crate::ledger::LedgerRecord;
use crate::predicate::{CheckOutcome, Environment, RecordRef};
use crate::timestamp::Timestamp;

/// Text of others without control characters; markup escapes the rest.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// Text of others, kept from turning the direction of what stands beside it.
pub(super) fn text(text: &str) -> Markup {
    html! { bdi { (clean(text)) } }
}

/// A time for people, in UTC.
pub(super) fn time(at: Timestamp) -> Markup {
    let iso = at.to_string();
    let shown = iso.replacen('T', " ", 1).replacen('Z', " UTC", 1);
    html! { time datetime=(iso) { (shown) } }
}

/// A hash, cut short, whole in its title.
pub(super) fn short(hex: &str) -> Markup {
    html! { code title=(hex) { (hex.get(..12).unwrap_or(hex)) "…" } }
}

/// A hash, whole, that may break anywhere.
pub(super) fn long(hex: &str) -> Markup {
    html! { code.long { (hex) } }
}

/// A link to a record: its index and short digest.
pub(super) fn link(act: &Act<'_>) -> Markup {
    html! {
        a.record href=(act.path) title={ "record of entry " (act.record.index) ", payload sha256:" (act.payload) } {
            "#" (act.record.index) " " code { (act.payload.get(..8).unwrap_or_default()) }
        }
    }
}

/// Links to the records of these references, once each.
pub(super) fn links(page: &Page<'_>, references: &[RecordRef]) -> Result<Markup> {
    let mut payloads: Vec<String> = Vec::new();
    for reference in references {
        let payload = reference.payload()?.hex();
        if !payloads.contains(&payload) {
            payloads.push(payload);
        }
    }
    Ok(html! {
        @for payload in &payloads {
            @match page.by_payload(payload) {
                Some(act) => { (link(act)) " " }
                None => { span.absent title=(payload) { "not in this pack: " (short(payload)) } " " }
            }
        }
    })
}

/// The link to a reference, or a dash.
pub(super) fn link_or_none(page: &Page<'_>, reference: Option<&RecordRef>) -> Result<Markup> {
    match reference {
        Some(reference) => links(page, std::slice::from_ref(reference)),
        None => Ok(html! { span.absent { "none" } }),
    }
}

/// An environment: its class and its id.
pub(super) fn environment(environment: &Environment) -> Markup {
    html! { strong { (environment.class.name()) } " " span.quiet { (text(&environment.id)) } }
}

/// SHA-256 of the artifacts a record is about.
pub(super) fn subjects(record: &LedgerRecord) -> Markup {
    let digests = record.statement().subjects().iter().flat_map(|s| s.digests());
    html! {
        @for digest in digests.filter(|d| d.algorithm() == Algorithm::Sha256) { (short(&digest.hex())) " " }
    }
}

/// A state as a word with a colour; the word says it without the colour.
pub(super) fn state(class: &str, word: &str) -> Markup {
    html! { span class={ "state " (class) } { (word) } }
}

pub(super) fn outcome(outcome: CheckOutcome) -> Markup {
    match outcome {
        CheckOutcome::Passed => state("good", "passed"),
        CheckOutcome::Failed => state("bad", "failed"),
        CheckOutcome::Excepted => state("warn", "excepted"),
        CheckOutcome::NotApplicable => state("none", "not applicable"),
        CheckOutcome::Error => state("bad", "error"),
    }
}

/// `1 finding`, `2 findings`.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// A table that scrolls in its own box if it is wider than the page.
pub(super) fn table(label: &str, columns: &[&str], rows: &[Markup]) -> Markup {
    html! {
        div.scroll role="region" aria-label=(label) tabindex="0" {
            table {
                caption { (label) }
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody { @for row in rows { (row) } }
            }
        }
    }
}
