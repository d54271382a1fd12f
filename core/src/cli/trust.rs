//! `trust`: who may say what.

mod changes;
mod policy_file;
mod revoke;
mod show;
mod sign;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::answer::Answer;
use super::output::write_file;
use super::settings::Settings;
use super::sign::{SigningKey, signed, signer};
use crate::error::Result;
use crate::signer::sign as sign_statement;
use crate::trust_policy::statement;
use policy_file::{Keys, PolicyFile};
use revoke::Revoke;
use show::Show;
use sign::Sign;

#[derive(Subcommand)]
pub(crate) enum TrustCommand {
    /// Make and sign version 1 of a trust policy.
    Init(Init),
    /// Show the trust policy in force, and the versions that wait for signatures.
    Show(Show),
    /// Propose the next version, or sign one that another admin proposed.
    Sign(Sign),
    /// Propose the next version, in which a signer, a person or a record is
    /// believed no more.
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct Init {
    /// The policy, a JSON file; types may have their short names. What is
    /// absent is filled in, profile and policy bundle from the starter bundle.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    #[command(flatten)]
    keys: Keys,
    /// The key of an admin; further ones sign the record with `trust sign`.
    #[command(flatten)]
    key: SigningKey,
    /// Where the record goes [default: stdout].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl TrustCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Init(init) => init.run(settings),
            Self::Show(show) => show.run(settings),
            Self::Sign(sign) => sign.run(settings),
            Self::Revoke(revoke) => revoke.run(settings),
        }
    }
}

impl Init {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let statement = statement(&PolicyFile::read(&self.from)?.first(&self.keys)?)?;
        let key = self.key.open(settings)?;
        let record = sign_statement(&statement, &key)?.to_json();
        if let Some(out) = &self.out {
            write_file(out, &record)?;
        }
        signed(&statement, &record, &signer(&key), self.out.as_deref())
    }
}
