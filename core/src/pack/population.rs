//! Population lists: everything of one kind in the pack, one line each, for auditors who draw samples from them.

use super::contents::signer_of;
use super::draft::Draft;
use super::gather::Gathered;
use super::manifest::Role;
use crate::digest::Algorithm;
use crate::error::Result;
use crate::ledger::LedgerRecord;
use crate::predicate::Predicate;
use crate::timestamp::Timestamp;

/// Adds `population/*.csv` (RFC 4180).
pub(super) fn add(draft: &mut Draft, gathered: &Gathered) -> Result<()> {
    let mut entries = Table::new(&["index", "logged_at", "type", "control", "signer", "payload_sha256", "bytes"]);
    let mut deployments = Table::new(&[
        "index",
        "logged_at",
        "deployment_id",
        "release",
        "environment",
        "class",
        "status",
        "started_at",
        "finished_at",
        "triggered_by",
        "executed_by",
        "changes",
        "artifact_sha256",
        "decision_payload",
        "promotion_payload",
        "signer",
    ]);
    let mut changes = Table::new(&[
        "index",
        "logged_at",
        "change_id",
        "title",
        "reason",
        "requested_by",
        "authors",
        "created_at",
        "categories",
        "risk_tier",
        "emergency",
        "impact",
        "rollback",
        "signer",
    ]);
    for record in &gathered.records {
        let index = record.index.to_string();
        let logged = record.logged_at()?.to_string();
        entries.row(&[
            &index,
            &logged,
            record.statement().predicate_type(),
            if record.entry.control { "yes" } else { "no" },
            signer_of(record),
            &record.statement().payload_digest().hex(),
            &record.entry.size.to_string(),
        ]);
        match record.statement().predicate()? {
            Predicate::Deployment(d) => {
                let payload = |r: &Option<crate::predicate::RecordRef>| -> Result<String> {
                    Ok(r.as_ref().map(|r| r.payload()).transpose()?.map(|d| d.hex()).unwrap_or_default())
                };
                deployments.row(&[
                    &index,
                    &logged,
                    &d.deployment_id,
                    &d.release_id,
                    &d.environment.id,
                    d.environment.class.name(),
                    d.status.name(),
                    &d.started_at.to_string(),
                    &d.finished_at.map(|t: Timestamp| t.to_string()).unwrap_or_default(),
                    &d.triggered_by.id,
                    &d.executed_by.id,
                    &d.change_ids.join(" "),
                    &subjects(record),
                    &payload(&d.decision)?,
                    &payload(&d.promotion)?,
                    signer_of(record),
                ]);
            }
            Predicate::ChangeRequest(c) => changes.row(&[
                &index,
                &logged,
                &c.change_id,
                &c.title,
                &c.reason,
                &c.requested_by.id,
                &c.authors.iter().map(|a| a.id.as_str()).collect::<Vec<_>>().join(" "),
                &c.created_at.to_string(),
                &c.categories.iter().map(|c| c.name()).collect::<Vec<_>>().join(" "),
                c.risk_tier.name(),
                if c.emergency.is_some() { "yes" } else { "no" },
                &c.impact.summary,
                c.rollback_plan.method.name(),
                signer_of(record),
            ]),
            _ => {}
        }
    }
    for index in &gathered.bare {
        entries.row(&[&index.to_string(), "", "", "", "", "", ""]);
    }
    draft.add("population/entries.csv", Role::Population, entries.text.as_bytes())?;
    draft.add("population/deployments.csv", Role::Population, deployments.text.as_bytes())?;
    draft.add("population/changes.csv", Role::Population, changes.text.as_bytes())?;
    Ok(())
}

fn subjects(record: &LedgerRecord) -> String {
    let digests = record.statement().subjects().iter().flat_map(|s| s.digests());
    digests.filter(|d| d.algorithm() == Algorithm::Sha256).map(|d| d.hex()).collect::<Vec<_>>().join(" ")
}

struct Table {
    text: String,
}

impl Table {
    fn new(names: &[&str]) -> Self {
        let mut table = Self { text: String::new() };
        table.row(names);
        table
    }

    fn row(&mut self, cells: &[&str]) {
        let cells: Vec<_> = cells.iter().map(|c| cell(c)).collect();
        self.text.push_str(&cells.join(","));
        self.text.push_str("\r\n");
    }
}

/// A cell that no spreadsheet takes for a formula, quoted where RFC 4180 demands it.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let safe = if formula { format!("'{text}") } else { text.to_owned() };
    if safe.contains(['"', ',', '\r', '\n', ';', '\t']) { format!("\"{}\"", safe.replace('"', "\"\"")) } else { safe }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_and_separators_are_only_text() {
        assert_eq!(cell("=HYPERLINK(\"https://evil.example\")"), "\"'=HYPERLINK(\"\"https://evil.example\"\")\"");
        for (text, written) in [
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\"'\t=1\""),
            ("a,b", "\"a,b\""),
            ("line\nline", "\"line\nline\""),
            ("plain", "plain"),
            ("", ""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
