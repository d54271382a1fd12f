//! `ledger verify-proof`: a receipt, checked without the ledger.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::checkpoint::{LogKeys, VerifierKey};
use crate::cli::answer::{Answer, to_json};
use crate::cli::input::record;
use crate::cli::quorum::Quorum;
use crate::cli::text::Page;
use crate::error::Result;
use crate::ledger::Receipt;
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
        let keys = LogKeys::through(&known, &rotations)?;
        let witnesses = self.quorum.demanded()?;
        let receipt = Receipt::from_json(&limits::read_file("receipt", &self.receipt, 4 * limits::CHECKPOINT_BYTES)?)?;
        let checkpoint = receipt.verify_with(&record(&self.record)?, &keys)?;
        let cosignatures = witnesses.map_or(Ok(Vec::new()), |witnesses| witnesses.check(&checkpoint))?;
        let state = checkpoint.checkpoint();
        let mut page = Page::default();
        page.field("entry", receipt.index).field("ledger", state.origin()).field("size", state.size());
        page.field("root", state.root());
        for cosigned in &cosignatures {
            page.field("cosigned", format!("{} by {}", cosigned.at, cosigned.witness));
        }
        let value = json!({
            "index": receipt.index,
            "origin": state.origin(),
            "size": state.size(),
            "root": state.root().to_string(),
            "cosignatures": to_json(&cosignatures)?,
        });
        Ok(Answer::new(page.finish(), value))
    }
}
