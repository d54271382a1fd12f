//! `verify`: who must have signed, and what must vouch for it.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::input::named;
use super::quorum::Quorum;
use super::settings::Settings;
use super::text::to_the_second;
use crate::error::{Error, ErrorKind, Result};
use crate::key::read_public;
use crate::limits;
use crate::timestamp::Timestamp;
use crate::trust::{TrustRoot, Window};
use crate::verifier::{CertificateIdentity, Expectation, Extension, Identity, Matcher};

/// Who must have signed, by a key or by a certificate.
#[derive(Args)]
#[command(next_help_heading = "Who must have signed")]
pub(crate) struct Signer {
    /// Public key of one who may have signed, FILE or NAME=FILE.
    #[arg(long = "key", value_name = "FILE", required_unless_present_any = ["identity", "identity_regexp"])]
    keys: Vec<String>,
    /// Holder of the certificate: an e-mail address, or the URI of a workflow.
    #[arg(long, value_name = "SUBJECT", requires = "issuer", conflicts_with_all = ["keys", "identity_regexp"])]
    identity: Option<String>,
    /// The same as a pattern, which the whole subject must match.
    #[arg(long, value_name = "REGEX", requires = "issuer", conflicts_with = "keys")]
    identity_regexp: Option<String>,
    /// Issuer of the token that the certificate was given for.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    #[command(flatten)]
    build: Build,
    #[command(flatten)]
    evidence: Evidence,
}

/// What the certificate must say of the build that signed.
#[derive(Args)]
#[command(next_help_heading = "What the certificate must say")]
struct Build {
    /// Repository that signed, as an URI.
    #[arg(long, value_name = "URI", requires = "issuer")]
    source_repository: Option<String>,
    /// Ref that signed, such as refs/tags/v1.
    #[arg(long, value_name = "REF", requires = "issuer")]
    source_ref: Option<String>,
    /// Workflow that signed, as an URI at a ref.
    #[arg(long, value_name = "URI", requires = "issuer")]
    workflow: Option<String>,
    /// Event that started it, such as push.
    #[arg(long, value_name = "EVENT", requires = "issuer")]
    trigger: Option<String>,
    /// Where it ran: github-hosted or self-hosted.
    #[arg(long, value_name = "KIND", requires = "issuer")]
    runner: Option<String>,
}

/// What must vouch for the signature.
#[derive(Args)]
#[command(next_help_heading = "What must vouch for it")]
struct Evidence {
    /// Sigstore trusted root; of several, the newest last [default, with an
    /// identity: all that `root refresh` ever fetched of the public-good
    /// instance, else the one that is built in].
    #[arg(long = "trusted-root", value_name = "FILE")]
    trusted_roots: Vec<PathBuf>,
    /// Transparency logs that must hold it [default, with an identity: 1].
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    log_entries: usize,
    /// Timestamp authorities that must have seen it.
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    timestamps: usize,
    #[command(flatten)]
    quorum: Quorum,
    /// Take a certificate without a log entry, of an instance without logs.
    #[arg(long)]
    unlogged_unsafe: bool,
    /// Take a certificate that no log of certificates vouches for.
    #[arg(long)]
    without_sct_unsafe: bool,
}

/// Where the authorities and logs come from that are believed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "from")]
pub(crate) enum RootUsed {
    /// Nowhere: keys alone are believed.
    None,
    /// The files that were named.
    Files,
    /// What `root refresh` fetched; the newest of it.
    #[serde(rename_all = "camelCase")]
    #[cfg_attr(not(feature = "keyless"), expect(dead_code, reason = "nothing fetches one"))]
    Archive { fetched_at: Timestamp, digest: String },
    /// The program.
    BuiltIn,
}

impl fmt::Display for RootUsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Files => f.write_str("the files named"),
            Self::Archive { fetched_at, .. } => write!(f, "archive, newest fetched {}", to_the_second(*fetched_at)),
            Self::BuiltIn => f.write_str("built in"),
        }
    }
}

impl Signer {
    /// What is believed, who of that is demanded, and where the authorities come from.
    pub(crate) fn trust(&self, settings: &Settings) -> Result<(TrustRoot, Identity, RootUsed)> {
        let mut root = TrustRoot::new();
        for path in &self.evidence.trusted_roots {
            let limit = u64::try_from(limits::TRUSTED_ROOT_BYTES).unwrap_or(u64::MAX);
            let bytes = limits::read_file("trusted root", path, limit)?;
            root = root.with_sigstore(&bytes).map_err(|e| e.with("path", path.display()))?;
        }
        if let Some(identity) = self.identity()? {
            let (root, used) = match self.evidence.trusted_roots.is_empty() {
                true => default_root(settings)?,
                false => (root, RootUsed::Files),
            };
            return Ok((root, Identity::Certificate(identity), used));
        }
        let used = if self.evidence.trusted_roots.is_empty() { RootUsed::None } else { RootUsed::Files };
        let mut names = Vec::new();
        for key in &self.keys {
            let (name, path) = if key.contains('=') { named(key)? } else { (key.as_str(), key.as_ref()) };
            root = root.with_key(name, read_public(path)?, Window::ALWAYS)?;
            names.push(name.to_owned());
        }
        Ok((root, Identity::OneOf(names), used))
    }

    /// The expectation, with what must vouch for the signature.
    pub(crate) fn demand(&self, expectation: Expectation) -> Result<Expectation> {
        let evidence = &self.evidence;
        let mut expectation =
            expectation.require_log_entries(evidence.log_entries).require_timestamps(evidence.timestamps);
        if let Some(witnesses) = evidence.quorum.demanded()? {
            expectation = expectation.require_witnesses(witnesses);
        }
        if evidence.unlogged_unsafe {
            expectation = expectation.unlogged_unsafe();
        }
        if evidence.without_sct_unsafe {
            expectation = expectation.without_sct_unsafe();
        }
        Ok(expectation)
    }

    fn identity(&self) -> Result<Option<CertificateIdentity>> {
        let subject = match (&self.identity, &self.identity_regexp) {
            (Some(exact), _) => Matcher::from(exact.as_str()),
            (None, Some(pattern)) => Matcher::pattern(pattern)?,
            (None, None) if self.issuer.is_none() => return Ok(None),
            (None, None) => {
                return Err(Error::new(
                    ErrorKind::ApiMisuse,
                    "an issuer alone names nobody; say whose certificate it must be with `--identity`",
                ));
            }
        };
        let build = &self.build;
        let demanded = [
            (Extension::SourceRepositoryUri, &build.source_repository),
            (Extension::SourceRepositoryRef, &build.source_ref),
            (Extension::BuildConfigUri, &build.workflow),
            (Extension::BuildTrigger, &build.trigger),
            (Extension::RunnerEnvironment, &build.runner),
        ];
        let identity = CertificateIdentity::new(subject, self.issuer.as_deref().unwrap_or_default());
        let demanded = demanded.into_iter().filter_map(|(e, value)| Some((e, value.as_deref()?)));
        Ok(Some(demanded.fold(identity, |identity, (e, value)| identity.require_extension(e, value))))
    }
}

/// All roots that were ever fetched of the public-good instance, so that a record verifies after they have rotated; the
/// one that is built in if none was. Touches no network.
#[cfg(feature = "keyless")]
fn default_root(settings: &Settings) -> Result<(TrustRoot, RootUsed)> {
    // without a home folder nothing was ever fetched
    let Ok(archive) = super::root::archive(settings, super::root::PUBLIC_GOOD) else { return built_in() };
    let Some(newest) = archive.roots()?.pop() else { return built_in() };
    let root = TrustRoot::new().with_sigstore(&archive.trusted_root()?)?;
    Ok((root, RootUsed::Archive { fetched_at: newest.fetched_at, digest: newest.digest.to_string() }))
}

#[cfg(not(feature = "keyless"))]
fn default_root(_: &Settings) -> Result<(TrustRoot, RootUsed)> {
    built_in()
}

fn built_in() -> Result<(TrustRoot, RootUsed)> {
    Ok((TrustRoot::public_good()?, RootUsed::BuiltIn))
}
