//! `ledger witness` and `ledger cosign`: having a checkpoint cosigned, and cosigning one.

#[cfg(feature = "witness")]
use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::cli::answer::{Answer, to_json};
use crate::cli::open::Known;
use crate::cli::output::write_file;
use crate::cli::settings::Settings;
use crate::cli::text::Page;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::{Ledger, Unwitnessed, Witness, Witnessed};
use crate::limits;

#[derive(Args)]
pub(crate) struct WitnessLedger {
    /// Ask this witness, which the trust policy lists, instead of those of
    /// sealwright.toml; once for each.
    #[cfg(feature = "witness")]
    #[arg(long = "witness", value_name = "NAME=URL", value_parser = name_and_url)]
    witnesses: Vec<(String, String)>,
    /// Keep the cosignatures of a checkpoint that was cosigned elsewhere, and
    /// ask nobody; once for each file.
    #[arg(long = "add", value_name = "FILE")]
    cosigned: Vec<PathBuf>,
    /// Have the checkpoint timestamped by this RFC 3161 authority, which the
    /// trust policy believes.
    #[cfg(feature = "keyless")]
    #[arg(long, value_name = "URL")]
    timestamp: Option<String>,
    #[command(flatten)]
    known: Known,
}

#[derive(Args)]
#[command(
    override_usage = "sealwright ledger cosign --log <DIR|URL> --name <NAME> --key <FILE>\n                                [OPTIONS]"
)]
pub(crate) struct Cosign {
    /// The log: its folder, the file that describes its bucket, or the URL of a
    /// server that serves it.
    #[arg(long, value_name = "DIR|URL")]
    log: String,
    /// Name of the witness, such as witness.example.org/w1.
    #[arg(long)]
    name: String,
    /// Private key of the witness, Ed25519.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Key of the log, as a C2SP verifier key; needed the first time.
    #[arg(long, value_name = "VKEY")]
    pin_log_key: Option<String>,
    /// Folder that remembers what was cosigned
    /// [default: witness, in the state folder].
    #[arg(long, value_name = "DIR")]
    memory: Option<PathBuf>,
    /// Write the cosigned checkpoint to this file [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl WitnessLedger {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let mut ledger = self.known.open(settings)?;
        for path in &self.cosigned {
            ledger.keep_cosigned(&limits::read_file("checkpoint", path, limits::CHECKPOINT_BYTES)?)?;
        }
        #[cfg(feature = "keyless")]
        if let Some(url) = &self.timestamp {
            let checkpoint = ledger.checkpoint().clone();
            let token = crate::keyless::timestamp_of_bytes(checkpoint.log_note().as_bytes(), url)?;
            ledger.keep_timestamp(&checkpoint, &token)?;
        }
        let asked = self.ask(&mut ledger, settings)?;
        shown(&ledger.witnessed()?, &asked)
    }

    /// Asks the witnesses, unless something else was asked for alone. Gives those that failed.
    #[cfg(feature = "witness")]
    fn ask(&self, ledger: &mut Ledger, settings: &Settings) -> Result<Vec<Unwitnessed>> {
        #[cfg(feature = "keyless")]
        let alone = self.timestamp.is_some() || !self.cosigned.is_empty();
        #[cfg(not(feature = "keyless"))]
        let alone = !self.cosigned.is_empty();
        let urls: BTreeMap<String, String> =
            if self.witnesses.is_empty() { settings.witnesses() } else { self.witnesses.iter().cloned().collect() };
        if alone && self.witnesses.is_empty() {
            return Ok(Vec::new());
        }
        if urls.is_empty() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "no witness is named; list their URLs under `[witnesses]` in sealwright.toml, or name one with \
                 `--witness NAME=URL`",
            ));
        }
        Ok(ledger.ask_witnesses(&urls)?.failed)
    }

    #[cfg(not(feature = "witness"))]
    fn ask(&self, _: &mut Ledger, _: &Settings) -> Result<Vec<Unwitnessed>> {
        #[cfg(feature = "keyless")]
        let alone = self.timestamp.is_some() || !self.cosigned.is_empty();
        #[cfg(not(feature = "keyless"))]
        let alone = !self.cosigned.is_empty();
        if alone {
            return Ok(Vec::new());
        }
        Err(Error::new(
            ErrorKind::Unsupported,
            "this build asks no witnesses; give checkpoints that were cosigned elsewhere with `--add`, or build it with \
             the feature `witness`",
        )
        .with("feature", "witness"))
    }
}

impl Cosign {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let memory = match self.memory {
            Some(folder) => folder,
            None => settings.state()?.join("witness"),
        };
        let witness = Witness::open(&memory, &self.name, settings.private_key(&self.key)?)?;
        let known = self.pin_log_key.as_deref().map(str::parse).transpose()?;
        let cosigned = witness.cosign(&settings.log_source(&self.log)?, known.as_ref(), settings.now()?)?;
        let state = cosigned.checkpoint();
        let value = json!({
            "origin": state.origin(),
            "size": state.size(),
            "root": state.root().to_string(),
            "witness": witness.key().to_string(),
            "checkpoint": cosigned.note(),
        });
        let Some(out) = self.out else { return Ok(Answer::document(cosigned.note().as_bytes().to_vec(), value)) };
        write_file(&out, cosigned.note().as_bytes())?;
        let mut page = Page::default();
        page.field("log", state.origin()).field("size", state.size()).field("root", state.root());
        page.field("witness", witness.key()).field("in", out.display());
        Ok(Answer::new(page.finish(), value))
    }
}

fn shown(witnessed: &Witnessed, failed: &[Unwitnessed]) -> Result<Answer> {
    let mut page = Page::default();
    page.field("size", witnessed.size);
    page.field("cosigned", format!("{} of {} needed", witnessed.cosignatures.len(), witnessed.quorum));
    for cosigned in &witnessed.cosignatures {
        page.line(format!("  {}  {}", cosigned.at, cosigned.witness));
    }
    for stamped in &witnessed.timestamps {
        page.line(format!("  {}  {}", stamped.at, stamped.authority));
    }
    for silent in failed {
        page.wrapped("", "  ", &format!("{}: {}", silent.witness, silent.message));
    }
    let mut value = to_json(witnessed)?;
    crate::cli::sign::insert(&mut value, "failed", to_json(&failed)?);
    let answer = Answer::new(page.finish(), value);
    if witnessed.has_quorum() && worst(failed).is_none_or(|kind| kind == ErrorKind::ServiceUnavailable) {
        return Ok(answer);
    }
    Ok(answer.refused(Error::new(
        worst(failed).unwrap_or(ErrorKind::BadCheckpoint),
        format!(
            "the checkpoint of {} entries is cosigned by {} witnesses, and {} are needed; see why the others gave none",
            witnessed.size,
            witnessed.cosignatures.len(),
            witnessed.quorum
        ),
    )))
}

/// The worst of what they said: that the ledger has another history before anything else.
fn worst(failed: &[Unwitnessed]) -> Option<ErrorKind> {
    let said = |kind: ErrorKind| failed.iter().any(|failed| failed.code == kind.code());
    [ErrorKind::LedgerForked, ErrorKind::LedgerRolledBack]
        .into_iter()
        .find(|kind| said(*kind))
        .or_else(|| (!failed.is_empty()).then_some(ErrorKind::ServiceUnavailable))
}

#[cfg(feature = "witness")]
fn name_and_url(text: &str) -> Result<(String, String)> {
    let (name, url) = text.split_once('=').ok_or_else(|| {
        Error::new(
            ErrorKind::ApiMisuse,
            format!("`{}` is no witness with its URL; write `witness.example.org/w1=https://…`", text.escape_debug()),
        )
    })?;
    Ok((name.to_owned(), url.to_owned()))
}
