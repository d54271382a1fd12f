//! `ledger retention` and `ledger dispose`: what is due, and letting it go.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::{Act, By, Known};
use crate::cli::predicate_names::short;
use crate::cli::settings::Settings;
use crate::cli::sign::{insert, recorded};
use crate::cli::text::{Page, to_the_second};
use crate::error::Result;
use crate::ledger::{DisposalPlan, Due};
use crate::predicate::{Approval, Authentication};
use crate::release::approve_disposal;

/// How long records are kept.
#[derive(Args)]
pub(crate) struct ScheduleFile {
    /// The retention schedule [default: `retention` in sealwright.toml].
    #[arg(long, value_name = "FILE")]
    schedule: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Retention {
    /// Only records whose time is over.
    #[arg(long)]
    due: bool,
    #[command(flatten)]
    schedule: ScheduleFile,
    #[command(flatten)]
    known: Known,
}

#[derive(Args)]
pub(crate) struct Dispose {
    /// Dispose of the record of this entry; more than once for more
    /// [default: all that are due].
    #[arg(long, value_name = "INDEX")]
    entry: Vec<u64>,
    /// Only show what would be disposed of, and what stands in the way.
    #[arg(long, conflicts_with_all = ["approve", "finish"])]
    what_if: bool,
    /// Sign and append an approval of the plan, as a records officer.
    #[arg(long, conflicts_with = "finish", requires = "by_name")]
    approve: bool,
    /// With --approve: how they logged in, such as mfa or hwk.
    #[arg(long, value_name = "METHOD", requires = "approve")]
    authentication: Vec<String>,
    /// Erase what an earlier disposal recorded and could not erase.
    #[arg(long)]
    finish: bool,
    #[command(flatten)]
    schedule: ScheduleFile,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    act: Act,
}

impl Retention {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let schedule = settings.schedule(self.schedule.schedule.as_deref())?;
        let ledger = self.known.open(settings)?;
        let mut retention = ledger.retention(&schedule, settings.now()?)?;
        let (due, bytes) = retention.due_total();
        let at = retention.at;
        retention.records.retain(|record| !self.due || record.is_due(at));
        let mut page = Page::default();
        for record in &retention.records {
            show(&mut page, record);
        }
        page.line(format!("{due} records of {bytes} bytes may be disposed of now"));
        let mut value = to_json(&retention)?;
        insert(&mut value, "due", json!({ "records": due, "bytes": bytes }));
        Ok(Answer::new(page.finish(), value))
    }
}

impl Dispose {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let entries = if self.entry.is_empty() { None } else { Some(self.entry.as_slice()) };
        if self.finish {
            let erased = self.act.open_ledger(settings)?.finish_disposals()?;
            let text = format!("{} bodies erased whose disposal was recorded\n", erased.len());
            return Ok(Answer::new(text, json!({ "erased": erased })));
        }
        let schedule = settings.schedule(self.schedule.schedule.as_deref())?;
        let now = settings.now()?;
        if self.what_if {
            let plan = self.act.known().open(settings)?.plan_disposal(&schedule, entries, now)?;
            return planned(&plan);
        }
        let (mut ledger, key) = self.act.open(settings)?;
        let actor = self.by.actor(&ledger, &key)?;
        if self.approve {
            let mut approver = actor;
            if !self.authentication.is_empty() {
                let (methods, authenticated_at) = (self.authentication, Some(now));
                approver.authentication = Some(Authentication { methods, authenticated_at });
            }
            return recorded::<Approval>(&approve_disposal(&mut ledger, &schedule, entries, approver, &key, now)?);
        }
        let done = ledger.dispose(&schedule, entries, actor, &key, now)?;
        let mut page = Page::default();
        page.field("decision", format!("entry {}", done.decision)).field("record", format!("entry {}", done.record));
        page.line(format!(
            "{} records and {} attachments are gone; their entries stay",
            done.entries.len(),
            done.attachments.len()
        ));
        Ok(Answer::new(page.finish(), to_json(&done)?))
    }
}

fn planned(plan: &DisposalPlan) -> Result<Answer> {
    let mut page = Page::default();
    for item in &plan.items {
        show(&mut page, item);
    }
    for due in &plan.refused {
        page.wrapped("", "  ", &format!("entry {} may not go", due.index));
        show(&mut page, due);
    }
    for lacking in &plan.lacking {
        page.wrapped("", "  ", lacking);
    }
    page.field("schedule", &plan.schedule);
    page.line(format!("{} records and {} attachments would go", plan.items.len(), plan.attachments.len()));
    let mut value = to_json(plan)?;
    insert(&mut value, "mayGo", plan.may_go().into());
    Ok(Answer::new(page.finish(), value).unless(!plan.may_go()))
}

fn show(page: &mut Page, record: &Due) {
    let end = record.due_at.map_or_else(|| "unknown".to_owned(), |at| to_the_second(at).to_string());
    page.line(format!("{:>6}  {end:<20}  {}", record.index, short(&record.predicate_type)));
    for obstacle in &record.obstacles {
        page.wrapped("        ", "        ", obstacle);
    }
}
