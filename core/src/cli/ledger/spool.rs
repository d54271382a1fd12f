//! `ledger spool`: records that wait in a folder for a network.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::input::record;
use crate::cli::open::Append;
use crate::cli::settings::Settings;
use crate::cli::text::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::spool::Spool;

#[derive(Subcommand)]
pub(crate) enum SpoolCommand {
    /// Add signed records and files to the folder; needs no network and no ledger.
    Add(Add),
    /// Append what waits, and put aside what is refused.
    Send(Send),
}

#[derive(Args)]
pub(crate) struct Add {
    /// The records.
    #[arg(value_name = "RECORD", required_unless_present = "attachments")]
    records: Vec<PathBuf>,
    /// A file that records name by its SHA-256, such as a raw report; once for
    /// each.
    #[arg(long = "attach", value_name = "FILE")]
    attachments: Vec<PathBuf>,
    /// The folder.
    #[arg(long, value_name = "DIR")]
    spool: PathBuf,
}

#[derive(Args)]
pub(crate) struct Send {
    /// The folder.
    #[arg(long, value_name = "DIR")]
    spool: PathBuf,
    #[command(flatten)]
    append: Append,
}

impl SpoolCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Add(add) => add.run(settings),
            Self::Send(send) => send.run(settings),
        }
    }
}

impl Add {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let spool = Spool::in_folder(self.spool);
        let records = self.records.iter().map(|path| record(path)).collect::<Result<Vec<_>>>()?;
        let now = settings.now()?;
        // on disk before a record names them
        let attached = self.attachments.iter().map(|path| spool.attach_file(path)).collect::<Result<Vec<_>>>()?;
        let paths = records.iter().map(|record| spool.add(record, now)).collect::<Result<Vec<_>>>()?;
        let mut page = Page::default();
        for digest in &attached {
            page.line(format!("{digest} waits"));
        }
        for path in &paths {
            page.line(format!("waits at {}", path.display()));
        }
        let files: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        let attached: Vec<_> = attached.iter().map(ToString::to_string).collect();
        Ok(Answer::new(page.finish(), json!({ "waiting": files, "attached": attached })))
    }
}

impl Send {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let spool = Spool::in_folder(&self.spool);
        spool.check_there()?;
        if spool.waiting()?.is_empty() && spool.attachments()?.is_empty() {
            let value = json!({ "receipts": [], "attached": [], "refused": [], "waiting": 0, "attachmentsWaiting": 0 });
            return Ok(Answer::new("nothing waits\n", value));
        }
        let mut way = self.append.way(settings)?;
        let attached = spool.send_attachments(|path| way.attach_file(path))?;
        let mut stopped = attached.stopped;
        let mut delivered = Vec::new();
        let mut put_aside = attached.refused;
        if stopped.is_none() {
            let sent = spool.send(|record| {
                let mut receipts = way.submit(&[record.to_vec()], settings.now()?)?;
                receipts.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "an append gave no receipt"))
            })?;
            delivered = sent.delivered;
            put_aside.extend(sent.refused);
            stopped = sent.stopped;
        }
        let mut page = Page::default();
        for digest in &attached.delivered {
            page.line(format!("attached {digest}"));
        }
        let mut receipts = Vec::new();
        for (digest, receipt) in &delivered {
            let already = if receipt.already_there { " was there already" } else { "" };
            page.line(format!("entry {}{already}: {digest}", receipt.index));
            receipts.push(to_json(receipt)?);
        }
        let mut refused = Vec::new();
        for (name, e) in &put_aside {
            page.wrapped("", "  ", &format!("put aside {name}: {}", e.message()));
            refused.push(json!({ "file": name, "code": e.code(), "message": e.message() }));
        }
        let (waiting, files) = (spool.waiting()?.len(), spool.attachments()?.len());
        page.line(format!("{waiting} still wait"));
        if files > 0 {
            page.line(format!("{files} files still wait"));
        }
        let digests: Vec<_> = attached.delivered.iter().map(ToString::to_string).collect();
        let value = json!({
            "receipts": receipts,
            "attached": digests,
            "refused": refused,
            "waiting": waiting,
            "attachmentsWaiting": files,
        });
        let answer = Answer::new(page.finish(), value).unless(!refused.is_empty());
        Ok(match stopped {
            Some(e) => answer.refused(e),
            None => answer,
        })
    }
}
