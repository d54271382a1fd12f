//! Opening the ledger a command works on.

use std::path::PathBuf;

use clap::Args;

use super::output::note;
use super::settings::{OpenSigner, Settings};
use super::sign::SigningKey;
use crate::digest::Digest;
use crate::error::Result;
use crate::ledger::{Anchored, Anchors, Ledger, Pins};
use crate::limits;
use crate::predicate::Actor;
use crate::signer::Signer;

/// What is known of the ledger from elsewhere.
#[derive(Args)]
#[command(next_help_heading = "What is known of the ledger")]
pub(crate) struct Known {
    /// Key of the log, as a C2SP verifier key.
    #[arg(long, value_name = "VKEY")]
    pin_log_key: Option<String>,
    /// Payload digest of version 1 of the trust policy.
    #[arg(long, value_name = "SHA256")]
    pin_trust_policy: Option<Digest>,
    /// A checkpoint it must extend.
    #[arg(long, value_name = "FILE")]
    min_checkpoint: Option<PathBuf>,
}

/// Options of commands that append.
#[derive(Args)]
pub(crate) struct Append {
    /// Private key of the log.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_key: Option<PathBuf>,
    /// Credential of who submits, where the trust policy lists writers.
    #[arg(long, value_name = "NAME")]
    submitter: Option<String>,
    #[command(flatten)]
    pub(crate) known: Known,
}

/// Options of commands that sign a record and append it.
#[derive(Args)]
pub(crate) struct Act {
    #[command(flatten)]
    key: SigningKey,
    #[command(flatten)]
    append: Append,
}

/// Who acts, for records that say so.
#[derive(Args)]
pub(crate) struct By {
    /// Who does it, a URI such as mailto:ann@example.org [default: the signer].
    #[arg(long, value_name = "URI")]
    by: Option<String>,
    /// Their printed name, if it is a person.
    #[arg(long, value_name = "NAME", requires = "by")]
    by_name: Option<String>,
}

impl Known {
    pub(crate) fn pins(&self) -> Result<Pins> {
        let mut pins = Pins::none();
        pins.log_key = self.pin_log_key.as_deref().map(str::parse).transpose()?;
        pins.trust_policy.clone_from(&self.pin_trust_policy);
        if let Some(path) = &self.min_checkpoint {
            pins.min_checkpoint = Some(limits::read_file("checkpoint", path, limits::CHECKPOINT_BYTES)?);
        }
        Ok(pins)
    }

    /// Opens the ledger for reading.
    pub(crate) fn open(&self, settings: &Settings) -> Result<Ledger> {
        let anchors = Anchors::in_folder(settings.state()?);
        let ledger = Ledger::open_at(&settings.place()?, &anchors, &self.pins()?)?;
        if ledger.anchored() == Anchored::FirstUse {
            note(&format!(
                "the ledger `{}` was not seen here before; its key, trust policy and checkpoint are taken as found",
                ledger.origin()
            ));
        }
        Ok(ledger)
    }
}

impl Append {
    /// Opens the ledger for appending.
    pub(crate) fn open(&self, settings: &Settings) -> Result<Ledger> {
        let ledger = self.known.open(settings)?;
        let ledger = ledger.with_log_key(settings.log_key(self.log_key.as_deref())?)?;
        Ok(match settings.submitter(self.submitter.as_deref()) {
            Some(submitter) => ledger.with_submitter(submitter),
            None => ledger,
        })
    }
}

impl Act {
    /// Opens the ledger for appending, with the key that signs.
    pub(crate) fn open(&self, settings: &Settings) -> Result<(Ledger, OpenSigner)> {
        let key = self.key.open(settings)?;
        Ok((self.append.open(settings)?, key))
    }
}

impl By {
    /// The actor named, else the signer by its name in the trust policy.
    pub(crate) fn actor(&self, ledger: &Ledger, key: &dyn Signer) -> Result<Actor> {
        let id = key.public_key().id();
        Ok(match (&self.by, &self.by_name) {
            (Some(by), Some(name)) => Actor::human(by, name),
            (Some(by), None) => Actor::workload(by),
            _ => {
                let signer = ledger.trust_policy()?.signer_of_key(&id).unwrap_or(&id);
                Actor::workload(format!("urn:sealwright:signer:{signer}"))
            }
        })
    }
}
