//! `pack`: evidence packs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, to_json};
use super::open::{By, Known};
use super::quorum::Quorum;
use super::settings::Settings;
use super::sign::SigningKey;
use super::text::Page;
use crate::digest::Digest;
use crate::error::Result;
use crate::key::read_public;
use crate::limits;
use crate::pack::{self, Extension, PackDemand, PackRequest, Signers};

#[derive(Subcommand)]
pub(crate) enum PackCommand {
    /// Write everything about a release to a folder that anybody can check.
    Build(Build),
    /// Check a pack against what you know from elsewhere.
    Verify(VerifyPack),
}

#[derive(Args)]
pub(crate) struct Build {
    /// Release it is about.
    #[arg(long, value_name = "ID")]
    release: String,
    /// The folder, new or empty.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Its title.
    #[arg(long)]
    title: Option<String>,
    #[command(flatten)]
    key: SigningKey,
    #[command(flatten)]
    by: By,
    #[command(flatten)]
    known: Known,
}

#[derive(Args)]
#[command(
    override_usage = "sealwright pack verify <FOLDER> --signers <FILE> --log-key <FILE>\n                              [OPTIONS]"
)]
pub(crate) struct VerifyPack {
    /// The pack.
    folder: PathBuf,
    /// Who may sign, as verify.sh reads it: lines of
    /// `key KEYID TYPE PUBLIC.pem [pack]` and
    /// `cert IDENTITY ISSUER TYPE CA.pem [pack]`.
    #[arg(long, value_name = "FILE")]
    signers: PathBuf,
    /// Public key of the log.
    #[arg(long, value_name = "FILE")]
    log_key: PathBuf,
    /// The newest checkpoint you have seen of its ledger.
    #[arg(long, value_name = "FILE")]
    min_checkpoint: Option<PathBuf>,
    /// Payload digest of version 1 of the trust policy.
    #[arg(long, value_name = "SHA256")]
    pin_trust_policy: Option<Digest>,
    #[command(flatten)]
    quorum: Quorum,
}

impl PackCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Build(build) => build.run(settings),
            Self::Verify(verify) => verify.run(),
        }
    }
}

impl Build {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let key = self.key.open(settings)?;
        let mut ledger = self.known.open(settings)?;
        let now = settings.now()?;
        let mut request = PackRequest::new(self.release, self.by.actor(&ledger, &key)?, now);
        request.title = self.title;
        let built = pack::build(&mut ledger, &request, &self.out, &key, now)?;
        let complete = &built.statement.completeness;
        let mut page = Page::default();
        page.field("pack", self.out.display()).field("id", &built.pack_id);
        page.field("manifest", &built.manifest).field("files", built.files);
        page.field("records", format!("{}, {} gaps", complete.present, complete.gaps.len()));
        let value = json!({
            "folder": self.out.display().to_string(),
            "packId": built.pack_id,
            "manifest": built.manifest.to_string(),
            "files": built.files,
            "statement": to_json(&built.statement)?,
        });
        Ok(Answer::new(page.finish(), value))
    }
}

impl VerifyPack {
    fn run(self) -> Result<Answer> {
        let mut demand = PackDemand::new(Signers::read(&self.signers)?, read_public(&self.log_key)?);
        if let Some(path) = &self.min_checkpoint {
            demand = demand.no_older_than(limits::read_file("checkpoint", path, limits::CHECKPOINT_BYTES)?);
        }
        demand.trust_policy = self.pin_trust_policy;
        demand.witnesses = self.quorum.demanded()?;
        let verdict = pack::verify(&self.folder, &demand)?;
        let (extension, in_words) = match verdict.extension {
            Extension::NotAsked => ("not-asked", "no earlier checkpoint was given to compare it with"),
            Extension::Proven => ("proven", "extends the checkpoint you gave"),
            Extension::NotShown => ("not-shown", "the proofs in the pack do not reach to the checkpoint you gave"),
        };
        let checkpoint = &verdict.checkpoint;
        let mut page = Page::default();
        page.field("verified", &verdict.statement.title).field("records", verdict.records);
        page.field("ledger", format!("{}, {} entries", checkpoint.origin(), checkpoint.size()));
        page.wrapped("         ", "         ", in_words);
        for cosigned in &verdict.cosignatures {
            page.field("cosigned", format!("{} by {}", cosigned.at, cosigned.witness));
        }
        if verdict.cosignatures.is_empty() {
            page.line("         cosigned by no witness");
        }
        for stamped in &verdict.timestamps {
            page.field("stamped", format!("{} by {}", stamped.at, stamped.authority));
        }
        page.field("gaps", verdict.statement.completeness.gaps.len());
        if verdict.has_unchecked_timestamp {
            page.wrapped("", "", "The timestamp manifest.tsr was not checked.");
        }
        let value = json!({
            "statement": to_json(&verdict.statement)?,
            "checkpoint": {
                "origin": checkpoint.origin(),
                "size": checkpoint.size(),
                "root": checkpoint.root().to_string(),
            },
            "records": verdict.records,
            "bareEntries": verdict.bare_entries,
            "disposedEntries": verdict.disposed_entries,
            "extension": extension,
            "cosignatures": to_json(&verdict.cosignatures)?,
            "timestamps": to_json(&verdict.timestamps)?,
            "hasUncheckedTimestamp": verdict.has_unchecked_timestamp,
        });
        Ok(Answer::new(page.finish(), value))
    }
}
