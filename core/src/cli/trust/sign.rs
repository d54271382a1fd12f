//! `trust sign`: the next version of the trust policy, signed by one admin at a time.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::changes::changes;
use super::policy_file::{Keys, PolicyFile, named_keys};
use super::show::{proposal_json, write_signatures};
use crate::bundle::Bundle;
use crate::cli::answer::{Answer, to_json};
use crate::cli::input::record;
use crate::cli::open::Append;
use crate::cli::output::write_file;
use crate::cli::settings::Settings;
use crate::cli::sign::{SigningKey, insert, signed, signer};
use crate::cli::text::Page;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::ledger::Ledger;
use crate::predicate::TrustPolicy;
use crate::signer::{Signer, sign};
use crate::statement::Statement;
use crate::trust_policy::{TrustChain, TrustPolicy as Version, rotate, statement};
use crate::verifier::Verified;

#[derive(Args)]
pub(crate) struct Sign {
    /// What another admin proposed, by its payload digest or as a record. Left
    /// out, the next version is proposed.
    #[arg(value_name = "SHA256|RECORD", conflicts_with_all = ["from", "rotate", "admins", "signers", "people", "trusted_roots"])]
    proposal: Option<String>,
    /// The next version: what `trust show --out` wrote, edited.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    #[command(flatten)]
    keys: Keys,
    /// A new key for a signer, under its old name.
    #[arg(long, value_name = "NAME=PUB")]
    rotate: Vec<String>,
    #[command(flatten)]
    pub(crate) hand: Hand,
}

/// Who signs a version of the trust policy, and where the record goes.
#[derive(Args)]
pub(crate) struct Hand {
    #[command(flatten)]
    key: SigningKey,
    /// Write the record to this file, for somebody else to append it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    append: Append,
}

impl Sign {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        let given = self.proposal.as_deref().filter(|p| p.parse::<Digest>().is_err());
        if let Some(path) = given {
            return self.hand.sign_record(Path::new(path), settings);
        }
        let ledger = self.hand.open(settings)?;
        let statement = match &self.proposal {
            Some(payload) => proposed(&ledger, &payload.parse()?)?,
            None => statement(&self.draft(ledger.trust_policy()?)?)?,
        };
        self.hand.finish(ledger, &statement, None, settings)
    }

    fn draft(&self, in_force: &Version) -> Result<TrustPolicy> {
        if self.from.is_none() && self.rotate.is_empty() && self.keys.is_empty() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "nothing says what to sign; name a proposal, or what changes with `--from` or `--rotate`",
            ));
        }
        let file = self.from.as_deref().map_or_else(|| PolicyFile::of(in_force), PolicyFile::read)?;
        let mut draft = file.after(in_force, &self.keys)?;
        for (name, key) in named_keys(&self.rotate)? {
            rotate(&mut draft, &name, &key)?;
        }
        Ok(draft)
    }
}

impl Hand {
    /// The ledger: for appending, unless a file is written.
    pub(crate) fn open(&self, settings: &Settings) -> Result<Ledger> {
        if self.out.is_some() { self.append.known.open(settings) } else { self.append.open(settings) }
    }

    /// Signs what a record of another admin says. Version 1 needs no ledger yet.
    fn sign_record(&self, path: &Path, settings: &Settings) -> Result<Answer> {
        let theirs = record(path)?;
        let claimed = Statement::parse(Bundle::parse(&theirs)?.into_envelope()?.into_payload())?;
        let policy = Version::from_statement(&claimed)?;
        let now = settings.now()?;
        if policy.version() > 1 {
            let ledger = self.open(settings)?;
            let theirs = ledger.verify(&theirs, now)?;
            return self.finish(ledger, &theirs.value().clone(), Some(theirs), settings);
        }
        let verified = TrustChain::pinned(None).verify(&theirs, 0, now)?;
        let key = self.key.open(settings)?;
        check_admin(&key, &[&policy])?;
        let own = sign(verified.value(), &key)?.to_json();
        if let Some(out) = &self.out {
            write_file(out, &own)?;
        }
        signed(verified.value(), &own, &signer(&key), self.out.as_deref())
    }

    /// Signs, and appends or writes the record. `theirs` is what another admin signed, which is appended with it. Nothing
    /// is written that would be refused.
    pub(crate) fn finish(
        &self,
        mut ledger: Ledger,
        statement: &Statement,
        theirs: Option<Verified<Statement>>,
        settings: &Settings,
    ) -> Result<Answer> {
        let key = self.key.open(settings)?;
        let before = ledger.trust_policy()?.clone();
        let after = Version::from_statement(statement)?;
        check_admin(&key, &[&before, &after])?;
        let own = sign(statement, &key)?.to_json();
        let now = settings.now()?;
        let verified = ledger.verify(&own, now)?;
        let changed = changes(before.predicate(), after.predicate())?;
        if let Some(out) = &self.out {
            write_file(out, &own)?;
            let mut answer = signed(statement, &own, &signer(&key), Some(out))?;
            insert(&mut answer.json, "changes", to_json(&changed)?);
            return Ok(answer);
        }
        let records: Vec<_> = theirs.into_iter().chain([verified]).collect();
        let receipt = ledger.append_all(&records, now)?.pop();
        let receipt = receipt.ok_or_else(|| Error::new(ErrorKind::Internal, "an append gave no receipt"))?;
        let payload = statement.payload_digest();
        let mut page = Page::default();
        let mut value = json!({
            "version": after.version(),
            "payload": payload.to_string(),
            "changes": changed,
            "receipt": to_json(&receipt)?,
            "inForce": *ledger.trust_policy()?.payload() == payload,
        });
        page.line(format!("entry {}: version {} of the trust policy", receipt.index, after.version()));
        page.field("payload", &payload);
        for change in &changed {
            page.wrapped("  ", "    ", change);
        }
        match ledger.trust().proposals().find(|p| *p.policy.payload() == payload) {
            Some(proposal) => {
                write_signatures(&mut page, &proposal);
                insert(&mut value, "signatures", proposal_json(&proposal)?);
                page.wrapped("", "", &format!("Each of them signs it with: sealwright trust sign {payload} --key …"));
            }
            None => {
                page.line(format!("version {} is in force", after.version()));
            }
        }
        Ok(Answer::new(page.finish(), value))
    }
}

/// The statement of a version that waits for signatures.
fn proposed(ledger: &Ledger, payload: &Digest) -> Result<Statement> {
    let proposal = ledger.trust().proposals().find(|p| p.policy.payload() == payload).ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            format!(
                "no version of the trust policy with the payload `{payload}` waits for signatures; see `trust show`"
            ),
        )
    })?;
    Ok(ledger.record(proposal.entry)?.statement().clone())
}

/// A signature of somebody else would only be refused later, or count for nothing.
fn check_admin(key: &dyn Signer, versions: &[&Version]) -> Result<()> {
    let id = key.public_key().id();
    let is_admin = |version: &&Version| {
        let name = version.signer_of_key(&id);
        name.is_some_and(|name| version.predicate().admins.iter().any(|admin| admin.signer == name))
    };
    if versions.iter().any(is_admin) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::NotEntitled,
        format!("the key `{id}` is that of no admin of the trust policy; sign it with the key of one"),
    ))
}
