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
    /// Add signed records to the folder; needs no network and no ledger.
    Add(Add),
    /// Append the records that wait, and put aside those that are refused.
    Send(Send),
}

#[derive(Args)]
pub(crate) struct Add {
    /// The records.
    #[arg(value_name = "RECORD", required = true)]
    records: Vec<PathBuf>,
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
        let paths = records.iter().map(|record| spool.add(record, now)).collect::<Result<Vec<_>>>()?;
        let mut page = Page::default();
        for path in &paths {
            page.line(format!("waits at {}", path.display()));
        }
        let files: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
        Ok(Answer::new(page.finish(), json!({ "waiting": files })))
    }
}

impl Send {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let spool = Spool::in_folder(&self.spool);
        if spool.waiting()?.is_empty() {
            return Ok(Answer::new("nothing waits\n", json!({ "receipts": [], "refused": [], "waiting": 0 })));
        }
        let mut way = self.append.way(settings)?;
        let sent = spool.send(|record| {
            let mut receipts = way.submit(&[record.to_vec()], settings.now()?)?;
            receipts.pop().ok_or_else(|| Error::new(ErrorKind::Internal, "an append gave no receipt"))
        })?;
        let mut page = Page::default();
        let mut receipts = Vec::new();
        for (digest, receipt) in &sent.delivered {
            let already = if receipt.already_there { " was there already" } else { "" };
            page.line(format!("entry {}{already}: {digest}", receipt.index));
            receipts.push(to_json(receipt)?);
        }
        let mut refused = Vec::new();
        for (name, e) in &sent.refused {
            page.wrapped("", "  ", &format!("put aside {name}: {}", e.message()));
            refused.push(json!({ "file": name, "code": e.code(), "message": e.message() }));
        }
        let waiting = spool.waiting()?.len();
        page.line(format!("{waiting} still wait"));
        let value = json!({ "receipts": receipts, "refused": refused, "waiting": waiting });
        let answer = Answer::new(page.finish(), value).unless(!refused.is_empty());
        Ok(match sent.stopped {
            Some(e) => answer.refused(e),
            None => answer,
        })
    }
}
