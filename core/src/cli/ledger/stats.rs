//! `ledger stats`: what a ledger holds and costs.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::Known;
use crate::cli::output::write_file;
use crate::cli::predicate_names::short;
use crate::cli::settings::Settings;
use crate::cli::sign::insert;
use crate::cli::text::Page;
use crate::error::Result;

#[derive(Args)]
pub(crate) struct Stats {
    /// Write the signed checkpoint to this file, for others to compare with.
    #[arg(long, value_name = "FILE")]
    checkpoint_out: Option<PathBuf>,
    /// Print the figures in the text format of Prometheus.
    #[arg(long)]
    prometheus: bool,
    #[command(flatten)]
    known: Known,
}

impl Stats {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let ledger = self.known.open(settings)?;
        if let Some(out) = &self.checkpoint_out {
            write_file(out, ledger.checkpoint().note().as_bytes())?;
        }
        let stats = ledger.stats(settings.now()?)?;
        let policy = ledger.trust_policy()?;
        let mut page = Page::default();
        page.field("ledger", ledger.place()).field("origin", &stats.origin).field("entries", stats.size);
        page.field("root", &stats.root).field("log key", ledger.log_key());
        page.field("trust", policy.payload()).field("version", policy.version());
        page.field("bytes", stats.bytes).field("bodies", stats.body_bytes).field("attached", stats.attachment_bytes);
        for repair in ledger.repairs() {
            page.wrapped("", "  ", &format!("repaired: {}", repair.message));
        }
        for (predicate_type, held) in &stats.types {
            page.line(format!("{:>8}  {:>12} bytes  {}", held.records, held.bytes, short(predicate_type)));
        }
        for (predicate_type, latency) in &stats.evidence_latency {
            let (p50, p95) = (latency.p50 / 1000, latency.p95 / 1000);
            page.line(format!("logged after {p50} s (median), {p95} s (p95): {}", short(predicate_type)));
        }
        let mut value = to_json(&stats)?;
        if let Some(schedule) = settings.schedule_if_named(None)? {
            let (records, bytes) = ledger.retention(&schedule, settings.now()?)?.due_total();
            page.line(format!("{records:>8}  {bytes:>12} bytes  may be disposed of now"));
            insert(&mut value, "due", json!({ "records": records, "bytes": bytes }));
        }
        let archived = ledger.archived()?.len();
        if archived > 0 {
            page.line(format!("{archived:>8}                      in the archive"));
        }
        insert(&mut value, "archived", json!(archived));
        for (name, member) in [
            ("place", json!(ledger.place())),
            ("logKey", json!(ledger.log_key().to_string())),
            ("checkpoint", json!(ledger.checkpoint().note())),
            ("trustPolicy", json!({ "version": policy.version(), "payload": policy.payload().to_string() })),
            ("repairs", to_json(&ledger.repairs())?),
        ] {
            insert(&mut value, name, member);
        }
        match self.prometheus {
            true => Ok(Answer::document(stats.to_prometheus().into_bytes(), value)),
            false => Ok(Answer::new(page.finish(), value)),
        }
    }
}
