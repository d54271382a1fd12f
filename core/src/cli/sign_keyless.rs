//! Signing by an identity token, and timestamps: what the options say, and what is said before anything is published.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::output::note;
use super::root::{PUBLIC_GOOD, archive};
use super::settings::Settings;
use crate::ci::Environment;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::keyless::{
    MyIdentityIsPublishedForEver, Publication, Services, Token, ambient_token, sign_blob, sign_statement, timestamp,
};
use crate::limits;
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust::TrustRoot;

/// How to sign without a key.
#[derive(Args)]
#[command(next_help_heading = "Signing without a key, and timestamps")]
pub(crate) struct Keyless {
    /// Sign by an identity token: the one named, else the one that the CI
    /// system or cloud gives to this job.
    #[arg(long, conflicts_with_all = ["key", "signer_command"])]
    keyless: bool,
    /// Identity token. Others on this machine can read a command line; a file
    /// or the variable SIGSTORE_ID_TOKEN is better.
    #[arg(long, value_name = "JWT", requires = "keyless", conflicts_with = "identity_token_file")]
    identity_token: Option<String>,
    /// File with the identity token.
    #[arg(long, value_name = "FILE", requires = "keyless")]
    identity_token_file: Option<PathBuf>,
    /// Sigstore's public-good instance. It publishes your e-mail address, or
    /// the identity of your workflow, for ever.
    #[arg(long, requires = "keyless", conflicts_with_all = ["instance", "signing_config"])]
    public_good: bool,
    /// An instance of your own, by the name `root refresh` knows it by.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["signing_config", "trusted_root"])]
    instance: Option<String>,
    /// Services that sign: a Sigstore signing configuration v0.2.
    #[arg(long, value_name = "FILE", requires_all = ["keyless", "trusted_root"])]
    signing_config: Option<PathBuf>,
    /// What verifies their answers: a Sigstore trusted root.
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// RFC 3161 timestamp authority for a signature with a key.
    #[arg(long, value_name = "URL", conflicts_with = "keyless")]
    timestamp: Option<String>,
}

/// What is signed.
pub(crate) enum Content<'a> {
    Statement(&'a Statement),
    Blob(&'a Digest),
}

impl Keyless {
    /// Signs, if that is to be done without a key: the record, and who signed it.
    pub(crate) fn sign(&self, settings: &Settings, content: &Content<'_>) -> Result<Option<(Vec<u8>, Value)>> {
        if !self.keyless {
            return Ok(None);
        }
        let now = settings.now()?;
        let services = self.services(settings, now)?;
        let trust = self.trust(settings)?;
        let token = self.token(services.audience())?;
        let public = token.publication();
        note(&announcement(&public, self.public_good));
        let record = match content {
            Content::Statement(statement) => sign_statement(statement, &services, &token, &trust, now),
            Content::Blob(digest) => sign_blob(digest, &services, &token, &trust, now),
        }?;
        Ok(Some((record, json!({ "identity": public.identity, "issuer": public.issuer }))))
    }

    /// A record that was signed with a key, with a timestamp if one is wanted.
    pub(crate) fn stamped(&self, settings: &Settings, record: Vec<u8>) -> Result<Vec<u8>> {
        match &self.timestamp {
            Some(url) => timestamp(&record, url, &self.trust(settings)?),
            None => Ok(record),
        }
    }

    fn services(&self, settings: &Settings, now: Timestamp) -> Result<Services> {
        let read = |path: &PathBuf| limits::read_file("signing configuration", path, limits::TRUSTED_ROOT_BYTES as u64);
        match (&self.signing_config, &self.instance) {
            (Some(path), _) => Services::from_signing_config(&read(path)?, now),
            (None, Some(name)) => Services::from_signing_config(&archive(settings, name)?.signing_config()?, now),
            (None, None) if self.public_good => {
                let newest = archive(settings, PUBLIC_GOOD)?.signing_config().map(Some);
                let newest = newest.or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(None) } else { Err(e) })?;
                Services::public_good(MyIdentityIsPublishedForEver, newest.as_deref(), now)
            }
            (None, None) => Err(Error::new(
                ErrorKind::ApiMisuse,
                "nothing says which services sign; name yours with `--signing-config` and `--trusted-root`, or with \
                 `--instance`; `--public-good` takes Sigstore's, which publish who you are for ever",
            )),
        }
    }

    fn trust(&self, settings: &Settings) -> Result<TrustRoot> {
        if let Some(path) = &self.trusted_root {
            let bytes = limits::read_file("trusted root", path, limits::TRUSTED_ROOT_BYTES as u64)?;
            return TrustRoot::new().with_sigstore(&bytes);
        }
        match archive(settings, self.instance.as_deref().unwrap_or(PUBLIC_GOOD))?.trusted_root() {
            Ok(bytes) => TrustRoot::new().with_sigstore(&bytes),
            Err(e) if e.kind() == ErrorKind::NotFound && self.instance.is_none() => TrustRoot::public_good(),
            Err(e) => Err(e),
        }
    }

    fn token(&self, audience: &str) -> Result<Token> {
        if let Some(token) = &self.identity_token {
            return Token::parse(token);
        }
        if let Some(path) = &self.identity_token_file {
            return Token::read(path);
        }
        ambient_token(&Environment::of_os(std::env::vars_os()), audience)?.ok_or_else(|| {
            Error::new(
                ErrorKind::ApiMisuse,
                "there is no identity token here; name one with `--identity-token-file`, set `SIGSTORE_ID_TOKEN`, or run \
                 this where a CI system gives one to its jobs",
            )
        })
    }
}

/// What the world, or the keepers of the services, will learn.
fn announcement(public: &Publication, for_ever: bool) -> String {
    let details: Vec<_> = public.details.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    let whom = format!("{}, known to {}{details}", public.identity, public.issuer);
    if for_ever {
        format!("this signature publishes for ever, in logs that everybody reads, who signs: {whom}")
    } else {
        format!("the certificate and the log of this signature will say who signs: {whom}")
    }
}
