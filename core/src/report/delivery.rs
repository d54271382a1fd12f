//! What happened: timeline, custody, tests, bills of materials, deployments, snapshots, drift.

use maud::{Markup, html};

use super::markup::{count, environment, link, link_or_none, short, state, subjects, table, text, time};
use super::summary::gap;
use super::{Act, Page};
use crate::error::Result;
use crate::predicate::{DeploymentStatus, Finding, Predicate, TestOutcome};
use crate::sbom;

pub(super) fn timeline(page: &Page<'_>) -> Result<Markup> {
    let rows = page
        .acts
        .iter()
        .map(|act| {
            Ok(html! {
                tr {
                    td { (time(act.record.logged_at()?)) }
                    td { (told(act)) @if act.record.revoked { " " (state("bad", "revoked since")) } }
                    td { (text(&act.record.speaker.signer)) }
                    td { (link(act)) }
                }
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(html! {
        p { "All records of this pack in the order of the ledger, whose time never runs back." }
        (table("Timeline", &["Logged", "What happened", "Signed by", "Record"], &rows))
        @if !page.report.bare.is_empty() {
            p { (state("bad", "without a record")) " Entries " @for index in page.report.bare { "#" (index) " " } }
        }
    })
}

/// One sentence about a record.
fn told(act: &Act<'_>) -> Markup {
    match &act.predicate {
        Predicate::TrustPolicy(p) => html! { "Trust policy version " (p.version) " signed" },
        Predicate::ChangeRequest(c) => html! { "Change requested: " (text(&c.title)) },
        Predicate::Approval(a) => html! {
            (text(a.approver.display_name.as_deref().unwrap_or(&a.approver.id))) ": "
            (a.stage.name()) " " strong { (a.decision.name().to_lowercase()) }
        },
        Predicate::Provenance(p) => html! { "Built by " (text(&p.run_details.builder.id)) },
        Predicate::Cyclonedx(_) | Predicate::Spdx(_) | Predicate::Spdx3(_) => {
            html! { "Software bill of materials made" }
        }
        Predicate::TestResult(t) => html! {
            (t.test_kind.map_or("unnamed", |k| k.name())) " tests " strong { (t.result.name().to_lowercase()) }
        },
        Predicate::Vsa(v) => html! { "Verified: " (v.verification_result.name()) },
        Predicate::Release(r) => html! { "Release begun: " (text(&r.purl)) },
        Predicate::PolicyEvaluation(e) => html! {
            "Gate " (e.gate.name()) " decided: " strong { (e.result.name().to_lowercase()) }
        },
        Predicate::Promotion(p) => html! { "Promoted into " (environment(&p.to)) },
        Predicate::Deployment(d) => html! {
            "Deployed into " (environment(&d.environment)) ": " strong { (d.status.name().to_lowercase()) }
        },
        Predicate::EnvironmentSnapshot(s) => html! { "Observed what runs in " (environment(&s.environment)) },
        Predicate::DriftReport(r) => html! {
            "Compared (" (r.kind.name()) "): " strong { (count(r.findings.len(), "finding")) }
        },
        Predicate::EvidencePack(p) => html! { "Evidence pack: " (text(&p.title)) },
        _ => html! { "Record of type " (text(act.record.statement().predicate_type())) },
    }
}

pub(super) fn custody(page: &Page<'_>) -> Result<Markup> {
    let custody = page.report.custody;
    let mut rows = Vec::new();
    for step in &custody.steps {
        let record = page.by_index(step.index);
        let decision = step.decision.as_deref().map(|payload| (payload, page.by_payload(payload)));
        rows.push(html! {
            tr {
                th scope="row" { (step.act) }
                td { @if let Some(environment) = &step.environment { (text(environment)) } }
                td { @for digest in &step.digests { (short(digest)) " " } }
                td {
                    @match decision {
                        Some((_, Some(act))) => { (link(act)) }
                        Some((payload, None)) => { span.absent { "not in this pack: " (short(payload)) } }
                        None => {}
                    }
                }
                td { (time(step.logged_at)) }
                td { (text(&step.signer)) }
                td { @if let Some(act) = record { (link(act)) } }
            }
        });
    }
    Ok(html! {
        @if custody.missing.is_empty() {
            p { (state("good", "whole")) " One digest from build to each environment, each step with its record." }
        } @else {
            p { (state("bad", "broken")) " These links are missing:" }
            ul { @for missing in &custody.missing { li { (text(missing)) } } }
        }
        (table(
            "Hand-overs of the artifacts",
            &["Step", "Environment", "SHA-256", "Decision spent", "Logged", "Signed by", "Record"],
            &rows,
        ))
    })
}

pub(super) fn tests(page: &Page<'_>) -> Result<Markup> {
    let mut tests = Vec::new();
    let mut sboms = Vec::new();
    for act in &page.acts {
        match &act.predicate {
            Predicate::TestResult(t) => {
                let class = match t.result {
                    TestOutcome::Passed => "good",
                    TestOutcome::Warned => "warn",
                    TestOutcome::Failed => "bad",
                };
                let tool = t.tool.as_ref().and_then(|t| t.uri.as_deref().or(t.name.as_deref()));
                tests.push(html! {
                    tr {
                        th scope="row" { (t.test_kind.map_or("not stated", |k| k.name())) }
                        td { (state(class, &t.result.name().to_lowercase())) }
                        td {
                            @if t.passed_tests.is_empty() && t.warned_tests.is_empty() && t.failed_tests.is_empty() {
                                "not listed; see the report it names"
                            } @else {
                                (t.passed_tests.len()) " / " (t.warned_tests.len()) " / " (t.failed_tests.len())
                            }
                            @for (name, count) in &t.counts { br; span.quiet { (text(name)) " " (count) } }
                        }
                        td { (text(tool.unwrap_or("not stated"))) }
                        td { (subjects(act.record)) }
                        td { @if let Some(at) = t.finished_at { (time(at)) } }
                        td { (link(act)) }
                    }
                });
            }
            Predicate::Cyclonedx(_) | Predicate::Spdx(_) | Predicate::Spdx3(_) => {
                let bom = sbom::read_statement(act.record.statement());
                sboms.push(html! {
                    tr {
                        @match &bom {
                            Ok(bom) => {
                                th scope="row" { (text(&bom.format)) " " (text(&bom.spec_version)) }
                                td { (bom.component_count) }
                            }
                            Err(e) => {
                                th scope="row" { (state("bad", "cannot be read")) }
                                td { (text(e.message())) }
                            }
                        }
                        td { (subjects(act.record)) }
                        td { (text(&act.record.speaker.signer)) }
                        td { (link(act)) }
                    }
                });
            }
            _ => {}
        }
    }
    let none = |what: &str| html! { p { (state("bad", "none")) " " (what) } };
    Ok(html! {
        h3 { "Tests and scans" }
        @if tests.is_empty() { (none("No test result is in this pack.")) } @else {
            (table(
                "Test results",
                &["Kind", "Result", "Passed / warned / failed by name", "Tool", "SHA-256", "Finished", "Record"],
                &tests,
            ))
        }
        h3 { "Bills of materials" }
        @if sboms.is_empty() { (none("No bill of materials is in this pack.")) } @else {
            (table("Bills of materials", &["Format", "Components", "SHA-256", "Signed by", "Record"], &sboms))
        }
    })
}

pub(super) fn deployments(page: &Page<'_>) -> Result<Markup> {
    let mut deployments = Vec::new();
    let mut snapshots = Vec::new();
    let mut drift = Vec::new();
    for act in &page.acts {
        match &act.predicate {
            Predicate::Deployment(d) => {
                let class = match d.status {
                    DeploymentStatus::Succeeded => "good",
                    DeploymentStatus::Started => "none",
                    _ => "bad",
                };
                deployments.push(html! {
                    tr {
                        th scope="row" { (environment(&d.environment)) }
                        td { (state(class, &d.status.name().to_lowercase())) }
                        td { (subjects(act.record)) }
                        td { (time(d.started_at)) @if let Some(at) = d.finished_at { br; (time(at)) } }
                        td { (text(&d.executed_by.id)) br; span.quiet { "asked by " (text(&d.triggered_by.id)) } }
                        td { (link_or_none(page, d.decision.as_ref())?) }
                        td { (link_or_none(page, d.promotion.as_ref())?) }
                        td { (link(act)) br; span.quiet { (text(&d.deployment_id)) } }
                    }
                });
            }
            Predicate::EnvironmentSnapshot(s) => snapshots.push(html! {
                tr {
                    th scope="row" { (environment(&s.environment)) }
                    td { (time(s.observed_at)) }
                    td { (s.coverage.name()) }
                    td {
                        @for seen in &s.state {
                            (text(&seen.resource)) " "
                            @match seen.digest.as_ref().and_then(|d| d.get(crate::digest::Algorithm::Sha256)) {
                                Some(digest) => (short(&digest.hex())),
                                None => (state("bad", "unknown digest")),
                            }
                            br;
                        }
                    }
                    td { (text(&s.observer.id)) }
                    td { (link(act)) }
                }
            }),
            Predicate::DriftReport(r) => drift.push((act, r)),
            _ => {}
        }
    }
    let findings = |findings: &[Finding], index: u64| {
        let rows: Vec<Markup> = findings.iter().map(gap).collect();
        table(&format!("Findings of entry {index}"), &["Kind", "About", "Severity", "First seen"], &rows)
    };
    Ok(html! {
        h3 { "Deployments" }
        @if deployments.is_empty() { p { "No deployment of this release is in the ledger." } } @else {
            (table(
                "Deployments",
                &["Environment", "Status", "SHA-256", "Began and ended", "Executed by", "Decision", "Promotion", "Record"],
                &deployments,
            ))
        }
        h3 { "What was seen running" }
        @if snapshots.is_empty() { p { (state("none", "never observed")) " No snapshot shows an artifact of this release." } } @else {
            (table("Snapshots", &["Environment", "Observed", "Coverage", "Running", "Observer", "Record"], &snapshots))
        }
        h3 { "Drift" }
        @if drift.is_empty() { p { (state("none", "never compared")) " No comparison of what runs with what was approved." } }
        @for (act, report) in &drift {
            @if report.findings.is_empty() {
                p { (state("good", "nothing found")) " at " (time(report.compared_at)) " " (link(act)) }
            } @else {
                p {
                    (state("bad", &count(report.findings.len(), "finding")))
                    " at " (time(report.compared_at)) ", then: " (report.action.name()) " " (link(act))
                }
                (findings(&report.findings, act.record.index))
            }
        }
    })
}
