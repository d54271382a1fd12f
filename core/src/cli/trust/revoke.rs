//! `trust revoke`: what is believed no more, and since when.

use clap::Args;

use super::sign::Hand;
use crate::cli::answer::Answer;
use crate::cli::settings::Settings;
use crate::digest::{Algorithm, Digest};
use crate::error::{Error, ErrorKind, Result};
use crate::key::read_public;
use crate::ledger::Ledger;
use crate::predicate::Revocation;
use crate::timestamp::Timestamp;
use crate::trust_policy::{next, replace, revoke, statement};

#[derive(Args)]
pub(crate) struct Revoke {
    /// Name of a signer, a person, or the payload digest of a record.
    target: String,
    /// The first moment that is not believed, by the time of the entry; it
    /// reaches back.
    #[arg(long, value_name = "TIME")]
    since: Timestamp,
    /// Why.
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// The signer goes on under this name, with this key: a revoked name does
    /// not come back. Without a key for one who signs with certificates.
    #[arg(long, value_name = "NAME[=PUB]")]
    replace: Option<String>,
    #[command(flatten)]
    hand: Hand,
}

impl Revoke {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let now = settings.now()?;
        if self.since > now {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!("`{}` is yet to come; name when it happened, or plan an end with `validUntil`", self.since),
            ));
        }
        let ledger = self.hand.open(settings)?;
        let target = known(&ledger, &self.target)?;
        let mut draft = next(ledger.trust_policy()?);
        if let Some(text) = &self.replace {
            let (name, key) = match text.split_once('=') {
                Some((name, path)) => (name, Some(read_public(path.as_ref())?)),
                None => (text.as_str(), None),
            };
            replace(&mut draft, &target, name, key.as_ref(), now)?;
        }
        revoke(&mut draft, Revocation { target, since: self.since, reason: self.reason });
        self.hand.finish(ledger, &statement(&draft)?, None, settings)
    }
}

/// A revocation of something that was never there protects from nothing.
fn known(ledger: &Ledger, target: &str) -> Result<String> {
    let hex = target.strip_prefix("sha256:").unwrap_or(target);
    if Digest::from_hex(Algorithm::Sha256, hex).is_ok() {
        return Ok(hex.to_owned());
    }
    let named = |(_, policy): (u64, &crate::trust_policy::TrustPolicy)| {
        policy.signer(target).is_some() || policy.predicate().people.iter().any(|p| p.person == target)
    };
    if ledger.trust().versions().any(named) {
        return Ok(target.to_owned());
    }
    Err(Error::new(
        ErrorKind::NotFound,
        format!(
            "no version of the trust policy has a signer or person `{}`; name one, or the payload digest of a record",
            target.escape_debug()
        ),
    ))
}
