//! `ledger verify-proof`: a receipt, checked without the ledger.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::checkpoint::{LogKeys, VerifierKey, WitnessKey};
use crate::cli::answer::{Answer, to_json};
use crate::cli::input::record;
use crate::cli::text::Page;
use crate::error::{Error, ErrorKind, Result};
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
    /// A witness whose cosignature counts, as a C2SP verifier key.
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<String>,
    /// How many of these must have cosigned the checkpoint
    /// [default: all of them].
    #[arg(long, value_name = "COUNT", requires = "witnesses")]
    quorum: Option<usize>,
}

impl VerifyProof {
    pub(crate) fn run(self) -> Result<Answer> {
        let known: VerifierKey = self.log_key.parse()?;
        let read = |path: &PathBuf| limits::read_file("rotation", path, limits::CHECKPOINT_BYTES);
        let rotations = self.rotations.iter().map(read).collect::<Result<Vec<_>>>()?;
        let keys = LogKeys::through(&known, &rotations)?;
        let witnesses: Vec<WitnessKey> = self.witnesses.iter().map(|key| key.parse()).collect::<Result<_>>()?;
        let quorum = self.quorum.unwrap_or(witnesses.len());
        let receipt = Receipt::from_json(&limits::read_file("receipt", &self.receipt, 4 * limits::CHECKPOINT_BYTES)?)?;
        let checkpoint = receipt.verify_with(&record(&self.record)?, &keys)?;
        let cosignatures = checkpoint.cosignatures(&witnesses)?;
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
        let answer = Answer::new(page.finish(), value);
        if cosignatures.len() >= quorum {
            return Ok(answer);
        }
        Ok(answer.refused(Error::new(
            ErrorKind::BadCheckpoint,
            format!(
                "the checkpoint of the receipt is cosigned by {} of your witnesses, and {quorum} are needed; ask for a \
                 receipt under a checkpoint that they have cosigned",
                cosignatures.len()
            ),
        )))
    }
}
