//! The control table by framework: no control is left out, and none is satisfied by what was not asked.

use maud::{Markup, html};

use super::Page;
use super::catalogue::{Catalogue, Control, ControlState, Framework, Shown, kinds, newest_decisions, shown};
use super::markup::{clean, link, links, outcome, state, table, text};
use crate::error::Result;

pub(super) fn section(page: &Page<'_>) -> Result<Markup> {
    let catalogue = Catalogue::read()?;
    let decisions = newest_decisions(page);
    let kinds = kinds(page);
    let mut frameworks = Vec::new();
    for framework in &catalogue.frameworks {
        let of_it = catalogue.controls.iter().filter(|c| c.framework == framework.id);
        let (mapped, others): (Vec<_>, Vec<_>) =
            of_it.map(|c| (c, shown(&catalogue, c, &decisions, &kinds))).partition(|(_, shown)| shown.is_some());
        let mapped: Vec<_> = mapped.into_iter().filter_map(|(c, shown)| Some((c, shown?))).collect();
        let others: Vec<_> = others.into_iter().map(|(c, _)| c).collect();
        frameworks.push(framework_block(page, framework, &mapped, &others)?);
    }
    Ok(html! {
        p {
            "Only controls that a check of the newest decision for each environment maps to have a state here. "
            strong { "Satisfied" } " means that every mapped check passed and was asked whole, and that each kind of evidence \
            the catalogue asks for is in this pack. " strong { "Partly shown" } " means that the checks passed, and says what \
            is missing. The catalogue is an engineering aid in our own words, no legal advice."
        }
        @for block in &frameworks { (block) }
    })
}

fn framework_block(
    page: &Page<'_>,
    framework: &Framework,
    mapped: &[(&Control, Shown<'_, '_>)],
    others: &[&Control],
) -> Result<Markup> {
    let rows = mapped.iter().map(|(control, shown)| row(page, control, shown)).collect::<Result<Vec<_>>>()?;
    let count = |wanted: ControlState| mapped.iter().filter(|(_, s)| s.state == wanted).count();
    let proposed = framework.status != "in-force";
    Ok(html! {
        h3 { (text(&framework.title)) " " span.quiet { (text(&framework.version)) @if proposed { ", proposed" } } }
        @if mapped.is_empty() {
            p.quiet { "No check of the decisions maps to a control of this framework." }
        } @else {
            p {
                (count(ControlState::Satisfied)) " satisfied, "
                (count(ControlState::Partial)) " partly shown, "
                (count(ControlState::NotSatisfied) + count(ControlState::Excepted)) " not satisfied, "
                (count(ControlState::NotAsked)) " not asked, "
                (others.len()) " without evidence in this pack"
            }
            (table(&format!("Controls of {} with a state", framework.title), &["Control", "State", "Checks", "Evidence"], &rows))
        }
        @if !others.is_empty() {
            details {
                summary { (others.len()) " controls of " (text(&framework.title)) ": no evidence in this pack" }
                ul.plain {
                    @for control in others {
                        li {
                            strong { (text(&control.reference)) } " " (text(&control.title))
                            @if control.status != "in-force" { span.quiet { " (" (text(&control.status)) ")" } }
                        }
                    }
                }
            }
        }
    })
}

fn row(page: &Page<'_>, control: &Control, shown: &Shown<'_, '_>) -> Result<Markup> {
    let (class, word) = match shown.state {
        ControlState::Satisfied => ("good", "satisfied"),
        ControlState::Partial => ("warn", "partly shown"),
        ControlState::NotSatisfied => ("bad", "not satisfied"),
        ControlState::Excepted => ("bad", "not satisfied: excepted"),
        ControlState::NotAsked => ("none", "not asked"),
    };
    let mut decisions: Vec<_> = shown.asked.iter().map(|(act, _)| *act).collect();
    decisions.dedup_by_key(|act| act.record.index);
    Ok(html! {
        tr {
            th scope="row" { (text(&control.reference)) br; span.quiet { (text(&control.title)) } }
            td {
                (state(class, word))
                @if !shown.why.is_empty() { ul.why { @for why in &shown.why { li { (text(why)) } } } }
            }
            td {
                @for (id, result) in &shown.checks { span.item { code { (clean(id)) } " " (outcome(*result)) } " " }
                div.quiet { "decided in " @for act in decisions { (link(act)) " " } }
            }
            td.refs { (links(page, &shown.evidence)?) }
        }
    })
}
