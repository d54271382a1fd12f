//! `ledger verify-proof`: a receipt, checked without the ledger.

use std::path::PathBuf;

use clap::Args;

use crate::checkpoint::{LogKeys, VerifierKey};
use crate::cli::answer::{Answer, to_json};
use crate::cli::input::record;
use crate::cli::quorum::Quorum;
use crate::cli::text::Page;
use crate::error::Result;
use crate::ledger::{Receipt, ReceiptDemand};
use crate::limits;

#[derive(Args)]
#[command(
    override_usage = "sealwright ledger verify-proof <RECEIPT> --record <RECORD>\n                                      --log-key <VKEY> [OPTIONS]"
)]
pub(crate) struct VerifyProof {
    /// The receipt, as `ledger prove` writes it.
    receipt: PathBuf,
    /// The record it is of.
    #[arg(long, value_name = "RECORD")]
    record: PathBuf,
    /// Key of the log, as a C2SP verifier key.
    #[arg(long, value_name = "VKEY")]
    log_key: String,
    /// A note by which that key was replaced; once for each, the oldest first.
    #[arg(long = "rotation", value_name = "FILE")]
    rotations: Vec<PathBuf>,
    #[command(flatten)]
    quorum: Quorum,
}

impl VerifyProof {
    pub(crate) fn run(self) -> Result<Answer> {
        let known: VerifierKey = self.log_key.parse()?;
        let read = |path: &PathBuf| limits::read_file("rotation", path, limits::CHECKPOINT_BYTES);
        let rotations = self.rotations.iter().map(read).collect::<Result<Vec<_>>>()?;
        let mut demand = ReceiptDemand::new(LogKeys::through(&known, &rotations)?);
        if let Some(witnesses) = self.quorum.demanded()? {
            demand = demand.require_witnesses(witnesses);
        }
        let receipt = Receipt::from_json(&limits::read_file("receipt", &self.receipt, 4 * limits::CHECKPOINT_BYTES)?)?;
        let verdict = receipt.check(&record(&self.record)?, &demand)?;
        let mut page = Page::default();
        page.field("entry", verdict.index).field("ledger", &verdict.origin).field("size", verdict.size);
        page.field("root", verdict.root);
        for cosigned in &verdict.cosignatures {
            page.field("cosigned", format!("{} by {}", cosigned.at, cosigned.witness));
        }
        Ok(Answer::new(page.finish(), to_json(&verdict)?))
    }
}
