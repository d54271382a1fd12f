//! `ledger`: append, search, prove, audit.

mod attachment;
mod look;
mod relocate;
mod stats;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::record;
use super::open::{Append, Known};
use super::predicate_names::short;
use super::settings::Settings;
use super::text::Page;
use crate::digest::Digest;
use crate::error::Result;
use crate::ledger::{Anchors, AuditDepth, Ledger};
use crate::policy::starter_bundle;
use attachment::{Attach, Attachment};
use look::{Prove, Search, Show};
use relocate::Move;
use stats::Stats;

#[derive(Subcommand)]
pub(crate) enum LedgerCommand {
    /// Make a ledger.
    Init(Init),
    /// Append signed records, all or none.
    Append(AppendRecords),
    /// Find records.
    Search(Search),
    /// Show a record, proven and verified.
    Show(Show),
    /// Prove that a record is in the ledger.
    Prove(Prove),
    /// Check every byte of the ledger.
    Audit(Audit),
    /// Make the search index anew.
    Rebuild(ReadOnly),
    /// Move the ledger to another place, with the same root.
    Move(Move),
    /// Show the state of the ledger, what it holds by type and age, and how late evidence arrives.
    Stats(Stats),
    /// Keep a file that records name by its SHA-256.
    Attach(Attach),
    /// Write an attachment to a file.
    Attachment(Attachment),
}

#[derive(Args)]
pub(crate) struct Init {
    /// Name of the log, for ever, such as example.org/releases.
    #[arg(long)]
    origin: String,
    /// Private key of the log, Ed25519.
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// Version 1 of the trust policy, signed.
    #[arg(long, value_name = "RECORD", required = true)]
    trust: Vec<PathBuf>,
}

#[derive(Args)]
pub(crate) struct AppendRecords {
    /// The records.
    #[arg(value_name = "RECORD", required = true)]
    records: Vec<PathBuf>,
    #[command(flatten)]
    append: Append,
}

#[derive(Args)]
pub(crate) struct Audit {
    /// How deep: entries and tiles alone, bodies as well, or everything.
    #[arg(long, value_enum, default_value_t = Depth::Everything)]
    depth: Depth,
    #[command(flatten)]
    known: Known,
}

#[derive(Clone, Copy, ValueEnum)]
enum Depth {
    Entries,
    Bodies,
    Everything,
}

#[derive(Args)]
pub(crate) struct ReadOnly {
    #[command(flatten)]
    known: Known,
}

impl LedgerCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Init(init) => init.run(settings),
            Self::Append(append) => append.run(settings),
            Self::Search(search) => search.run(settings),
            Self::Show(show) => show.run(settings),
            Self::Prove(prove) => prove.run(settings),
            Self::Audit(audit) => audit.run(settings),
            Self::Rebuild(read) => {
                let ledger = read.known.open(settings)?;
                ledger.rebuild_index()?;
                Ok(Answer::new(format!("index of {} entries\n", ledger.size()), json!({ "size": ledger.size() })))
            }
            Self::Move(relocate) => relocate.run(settings),
            Self::Stats(stats) => stats.run(settings),
            Self::Attach(attach) => attach.run(settings),
            Self::Attachment(attachment) => attachment.run(settings),
        }
    }
}

impl Init {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let trust = self.trust.iter().map(|path| record(path)).collect::<Result<Vec<_>>>()?;
        let key = settings.log_key(self.log_key.as_deref())?;
        let anchors = Anchors::in_folder(settings.state()?);
        let ledger = Ledger::init_at(&settings.place()?, &anchors, &self.origin, key, &trust, settings.now()?)?;
        let starter = starter_bundle()?;
        if ledger.trust_policy()?.pinned_bundle() == Some(Digest::sha256(&starter)) {
            ledger.attach(&starter)?;
        }
        let policy = ledger.trust_policy()?.payload();
        let mut page = Page::default();
        page.field("ledger", ledger.place()).field("log key", ledger.log_key()).field("trust", policy);
        page.wrapped("", "", "Give log key and trust policy digest to whoever is to check this ledger elsewhere.");
        let value = json!({
            "folder": ledger.place(),
            "origin": ledger.origin(),
            "logKey": ledger.log_key().to_string(),
            "trustPolicy": policy.to_string(),
        });
        Ok(Answer::new(page.finish(), value))
    }
}

impl AppendRecords {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let records = self.records.iter().map(|path| record(path)).collect::<Result<Vec<_>>>()?;
        let mut ledger = self.append.open(settings)?;
        let now = settings.now()?;
        let verified = records.iter().map(|record| ledger.verify(record, now)).collect::<Result<Vec<_>>>()?;
        let receipts = ledger.append_all(&verified, now)?;
        let mut page = Page::default();
        for (verified, receipt) in verified.iter().zip(&receipts) {
            let already = if receipt.already_there { " was there already" } else { "" };
            page.line(format!("entry {}{already}: {}", receipt.index, short(verified.value().predicate_type())));
        }
        Ok(Answer::new(page.finish(), json!({ "receipts": to_json(&receipts)? })))
    }
}

impl Audit {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let depth = match self.depth {
            Depth::Entries => AuditDepth::Entries,
            Depth::Bodies => AuditDepth::Bodies,
            Depth::Everything => AuditDepth::Everything,
        };
        let mut ledger = self.known.open(settings)?;
        let report = ledger.audit_to(depth)?;
        let mut page = Page::default();
        if report.is_clean() {
            let what = match depth {
                AuditDepth::Entries => "entries and tiles are as committed",
                AuditDepth::Bodies => "entries, tiles and bodies are as committed",
                _ => "entries, records and files are as committed, and the index agrees",
            };
            page.line(format!("{} entries of {}: {what}", report.size, report.origin));
        }
        for finding in &report.findings {
            page.wrapped("", "  ", &format!("{}: {}", finding.place, finding.message));
        }
        Ok(Answer::new(page.finish(), to_json(&report)?).unless(!report.is_clean()))
    }
}
