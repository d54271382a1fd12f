//! `ledger`: append, search, prove, audit.

mod archive;
mod attachment;
mod copy;
mod dispose;
mod hold;
mod keys;
mod look;
mod proof;
mod relocate;
mod rotate;
#[cfg(feature = "serve")]
mod serve;
mod spool;
mod stats;
mod witness;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::record;
use super::open::{Append, Known};
use super::output::ProgressLine;
use super::predicate_names::short;
use super::settings::Settings;
use super::text::Page;
use crate::checkpoint::VerifierKey;
use crate::digest::Digest;
use crate::error::Result;
use crate::ledger::{Anchors, AuditDepth, Ledger, LogSource, TiledLog};
use crate::policy::starter_bundle;
use archive::{Archive, Unarchive};
use attachment::{Attach, Attachment};
use copy::{MirrorLedger, Restore};
use dispose::{Dispose, Retention};
use hold::HoldCommand;
use keys::Key;
use look::{Prove, Search, Show};
use proof::VerifyProof;
use relocate::Move;
use rotate::RotateCommand;
use stats::Stats;
use witness::{Cosign, WitnessLedger};

#[derive(Subcommand)]
pub(crate) enum LedgerCommand {
    /// Make a ledger.
    Init(Init),
    /// Append signed records, all or none.
    Append(AppendRecords),
    /// Records that wait in a folder for a network.
    #[command(subcommand)]
    Spool(spool::SpoolCommand),
    /// Serve the ledger to a team: take records, and let others read.
    #[cfg(feature = "serve")]
    Serve(serve::Serve),
    /// Find records.
    Search(Search),
    /// Show a record, proven and verified.
    Show(Show),
    /// Prove that a record is in the ledger.
    Prove(Prove),
    /// Check a receipt without the ledger.
    VerifyProof(VerifyProof),
    /// Check every byte of the ledger.
    Audit(Audit),
    /// Make the search index anew.
    Rebuild(ReadOnly),
    /// Move the ledger to another place, with the same root.
    Move(Move),
    /// Make a key to encrypt ledgers with.
    Key(Key),
    /// Replace keys of the ledger.
    #[command(subcommand)]
    Rotate(RotateCommand),
    /// Stop the disposal of records, or end that.
    #[command(subcommand)]
    Hold(HoldCommand),
    /// Show how long records are kept, and what may be disposed of.
    Retention(Retention),
    /// Dispose of records whose time is over.
    Dispose(Dispose),
    /// Move bodies to the archive.
    Archive(Archive),
    /// Move bodies back from the archive.
    Unarchive(Unarchive),
    /// Have witnesses cosign the checkpoint.
    Witness(WitnessLedger),
    /// Cosign the checkpoint of a log, as a witness.
    Cosign(Cosign),
    /// Pull a copy of a ledger, or tell how far it is behind.
    Mirror(MirrorLedger),
    /// Make a ledger of a copy.
    Restore(Restore),
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
    /// Encrypt it with this key: a file, pkcs11:…, awskms://…, or
    /// hashivault://… [default: `encryption-key` in sealwright.toml].
    #[arg(long, value_name = "KEY")]
    encryption_key: Option<PathBuf>,
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
    /// Instead check a tiled log elsewhere, a folder, a file that describes a
    /// bucket, or a URL, which need not be a ledger: its tiles and entries against its checkpoint.
    #[arg(long, value_name = "DIR|URL", requires = "pin_log_key", conflicts_with = "depth")]
    log: Option<String>,
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
            Self::Spool(spool) => spool.run(settings),
            #[cfg(feature = "serve")]
            Self::Serve(serve) => serve.run(settings),
            Self::Search(search) => search.run(settings),
            Self::Show(show) => show.run(settings),
            Self::Prove(prove) => prove.run(settings),
            Self::VerifyProof(verify) => verify.run(),
            Self::Audit(audit) => audit.run(settings),
            Self::Witness(witness) => witness.run(settings),
            Self::Cosign(cosign) => cosign.run(settings),
            Self::Mirror(mirror) => mirror.run(settings),
            Self::Restore(restore) => restore.run(settings),
            Self::Rotate(rotate) => rotate.run(settings),
            Self::Rebuild(read) => {
                let ledger = read.known.open(settings)?;
                let mut line = ProgressLine::new("entries indexed");
                ledger.rebuild_index_with(&mut |p| line.show(p.done, p.of))?;
                drop(line);
                Ok(Answer::new(format!("index of {} entries\n", ledger.size()), json!({ "size": ledger.size() })))
            }
            Self::Move(relocate) => relocate.run(settings),
            Self::Key(key) => key.run(settings),
            Self::Hold(hold) => hold.run(settings),
            Self::Retention(retention) => retention.run(settings),
            Self::Dispose(dispose) => dispose.run(settings),
            Self::Archive(archive) => archive.run(settings),
            Self::Unarchive(unarchive) => unarchive.run(settings),
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
        let (place, now) = (settings.place()?, settings.now()?);
        let kek = settings.encryption_key(self.encryption_key.as_deref())?;
        let ledger = Ledger::init_at(&place, &anchors, &self.origin, key, &trust, kek.as_deref(), now)?;
        let starter = starter_bundle()?;
        if ledger.trust_policy()?.pinned_bundle() == Some(Digest::sha256(&starter)) {
            ledger.attach(&starter)?;
        }
        let policy = ledger.trust_policy()?.payload();
        let mut page = Page::default();
        page.field("ledger", ledger.place()).field("log key", ledger.log_key()).field("trust", policy);
        page.wrapped("", "", "Give log key and trust policy digest to whoever is to check this ledger elsewhere.");
        let value = json!({
            "place": ledger.place(),
            "origin": ledger.origin(),
            "logKey": ledger.log_key().to_string(),
            "trustPolicy": policy.to_string(),
            "encryptedWith": ledger.key_encryption_key(),
        });
        Ok(Answer::new(page.finish(), value))
    }
}

impl AppendRecords {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let records = self.records.iter().map(|path| record(path)).collect::<Result<Vec<_>>>()?;
        let receipts = self.append.way(settings)?.submit(&records, settings.now()?)?;
        let mut page = Page::default();
        for receipt in &receipts {
            let already = if receipt.already_there { " was there already" } else { "" };
            let entry = receipt.parsed_entry()?;
            page.line(format!("entry {}{already}: {}", receipt.index, short(&entry.predicate_type)));
        }
        Ok(Answer::new(page.finish(), json!({ "receipts": to_json(&receipts)? })))
    }
}

fn audit_log(source: &LogSource, known: &VerifierKey) -> Result<Answer> {
    let log = TiledLog::open(source, &source.keys(known)?)?;
    let mut line = ProgressLine::new("entries checked");
    let entries = log.audit(&mut |p| line.show(p.done, p.of))?;
    drop(line);
    let state = log.checkpoint().checkpoint();
    let text = format!("{entries} entries of {}: tiles and entries are as committed\n", state.origin());
    let value = json!({ "origin": state.origin(), "size": state.size(), "root": state.root().to_string() });
    Ok(Answer::new(text, value))
}

impl Audit {
    fn run(self, settings: &Settings) -> Result<Answer> {
        if let Some(place) = &self.log {
            return audit_log(&settings.log_source(place)?, &self.known.log_key()?);
        }
        let depth = match self.depth {
            Depth::Entries => AuditDepth::Entries,
            Depth::Bodies => AuditDepth::Bodies,
            Depth::Everything => AuditDepth::Everything,
        };
        let mut ledger = self.known.open(settings)?;
        let mut line = ProgressLine::new("entries audited");
        let report = ledger.audit_with(depth, &mut |p| line.show(p.done, p.of))?;
        drop(line);
        let mut page = Page::default();
        if report.is_clean() {
            let what = match depth {
                AuditDepth::Entries => "entries and tiles are as committed",
                AuditDepth::Bodies => "entries, tiles and bodies are as committed",
                _ if report.through_service => "entries, records and what they lead to are as committed",
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
