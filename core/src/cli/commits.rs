//! `commits`: who wrote the commits of a range, by their signatures.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::answer::{Answer, to_json};
use super::input::{Repository, named};
use super::settings::Settings;
use super::text::Page;
use crate::artifact::ResourceDescriptor;
use crate::commit::{Authorship, CommitTrust, Ident};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::predicate::Actor;
use crate::timestamp::Timestamp;
use crate::trust::TrustRoot;
use crate::trust_policy::GIT_ISSUER;
use crate::verifier::{CertificateIdentity, Matcher};

#[derive(Subcommand)]
pub(crate) enum CommitsCommand {
    /// Verify who signed the commits of a range, and that they are its authors.
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The commits, as Git names them: v1.0..HEAD, or HEAD for all up to it.
    #[arg(value_name = "REV-RANGE")]
    range: String,
    #[command(flatten)]
    repository: Repository,
    #[command(flatten)]
    signers: Signers,
    /// When they are looked at [default: now].
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

/// Whose signatures on commits are believed.
#[derive(Args)]
pub(crate) struct Signers {
    /// SSH keys by principal, as gpg.ssh.allowedSignersFile has them.
    #[arg(long, value_name = "FILE")]
    allowed_signers: Vec<PathBuf>,
    /// SSH keys that are revoked, one on each line.
    #[arg(long, value_name = "FILE")]
    revoked_signers: Vec<PathBuf>,
    /// OpenPGP public keys.
    #[arg(long, value_name = "FILE")]
    openpgp_keyring: Vec<PathBuf>,
    /// Subject of certificates of gitsign: an e-mail address or URI, or an
    /// anchored pattern between slashes.
    #[arg(long, value_name = "SUBJECT", requires = "issuer")]
    identity: Vec<String>,
    /// Issuer of the tokens for these certificates.
    #[arg(long, value_name = "URI", requires = "identity")]
    issuer: Option<String>,
    /// Trusted root for the certificates [default: Sigstore's public one, as it
    /// was when this was built].
    #[arg(long, value_name = "FILE", requires = "identity")]
    trusted_root: Option<PathBuf>,
    /// Keys of a forge that signs merges on its pages in its own name: OpenPGP
    /// or allowed signers.
    #[arg(long, value_name = "NAME=FILE")]
    forge: Vec<String>,
}

impl CommitsCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<Answer> {
        match self {
            Self::Verify(verify) => verify.run(settings),
        }
    }
}

impl Verify {
    fn run(self, settings: &Settings) -> Result<Answer> {
        let trust = self.signers.trust()?.ok_or_else(|| {
            Error::new(
                ErrorKind::ApiMisuse,
                "nobody is trusted to sign; name `--allowed-signers`, `--openpgp-keyring` or `--identity` with `--issuer`",
            )
        })?;
        let at = self.at.map_or_else(|| settings.now(), Ok)?;
        let wrote = authorships(&self.repository, &self.range, &trust, at)?;
        let clear = wrote.iter().filter(|w| w.is_clear()).count();
        let doubtful = wrote.len() - clear;
        let mut page = Page::default();
        for one in &wrote {
            show(&mut page, one);
        }
        page.line(format!("{} commits, {clear} clear, {doubtful} doubtful", wrote.len()));
        let commits: Vec<Value> = wrote.iter().map(to_json).collect::<Result<_>>()?;
        let answer = json!({ "commits": commits, "clear": clear, "doubtful": doubtful });
        Ok(Answer::new(page.finish(), answer).unless(doubtful > 0))
    }
}

impl Signers {
    /// What is believed, if anything is.
    pub(crate) fn trust(&self) -> Result<Option<CommitTrust>> {
        let read = |what: &str, path: &PathBuf| limits::read_file(what, path, limits::KEYRING_BYTES as u64);
        let named_any = !(self.allowed_signers.is_empty()
            && self.openpgp_keyring.is_empty()
            && self.identity.is_empty()
            && self.forge.is_empty());
        if !named_any {
            return Ok(None);
        }
        let mut trust = CommitTrust::new();
        for path in &self.allowed_signers {
            trust = trust
                .with_allowed_signers(&read("allowed signers", path)?)
                .map_err(|e| e.with("path", path.display()))?;
        }
        for path in &self.revoked_signers {
            trust = trust
                .with_revoked_ssh_keys(&read("revoked keys", path)?)
                .map_err(|e| e.with("path", path.display()))?;
        }
        for path in &self.openpgp_keyring {
            trust = with_keyring(trust, &read("keyring", path)?).map_err(|e| e.with("path", path.display()))?;
        }
        for forge in &self.forge {
            let (name, path) = named(forge)?;
            let bytes = read("keys of a forge", &path.to_path_buf())?;
            // armor, or the first byte of a binary packet, which no text begins with
            let is_openpgp = bytes.starts_with(b"-----BEGIN PGP") || bytes.first().is_some_and(|b| b & 0x80 != 0);
            let keys = CommitTrust::new();
            let keys = if is_openpgp { with_keyring(keys, &bytes) } else { keys.with_allowed_signers(&bytes) };
            trust = trust.with_forge(name, keys.map_err(|e| e.with("path", path.display()))?);
        }
        if let Some(issuer) = &self.issuer {
            trust = trust.with_certificates(self.certificates(issuer)?)?;
        }
        Ok(Some(trust))
    }

    fn certificates(&self, issuer: &str) -> Result<TrustRoot> {
        let mut root = match &self.trusted_root {
            Some(path) => {
                TrustRoot::new().with_sigstore(&limits::read_file("trusted root", path, limits::RECORD_BYTES)?)?
            }
            None => TrustRoot::public_good()?,
        };
        for subject in &self.identity {
            let pattern = subject.strip_prefix('/').and_then(|s| s.strip_suffix('/'));
            let matcher = pattern.map_or_else(|| Ok(Matcher::from(subject.as_str())), Matcher::pattern)?;
            let identity = CertificateIdentity::new(matcher, issuer);
            root = root.with_identity(subject, identity, crate::trust::Window::ALWAYS)?;
        }
        Ok(root)
    }
}

#[cfg(feature = "openpgp")]
fn with_keyring(trust: CommitTrust, file: &[u8]) -> Result<CommitTrust> {
    trust.with_openpgp_keyring(file)
}

#[cfg(not(feature = "openpgp"))]
fn with_keyring(_: CommitTrust, _: &[u8]) -> Result<CommitTrust> {
    Err(Error::new(ErrorKind::Unsupported, "this build reads no OpenPGP keys; build with the feature `openpgp`"))
}

/// Who wrote each commit of a range, the newest first.
pub(crate) fn authorships(
    repository: &Repository,
    range: &str,
    trust: &CommitTrust,
    now: Timestamp,
) -> Result<Vec<Authorship>> {
    Ok(repository.commits(range)?.iter().map(|commit| Authorship::of(commit, trust, now)).collect())
}

/// The commits as subjects of a statement.
pub(crate) fn subjects(wrote: &[Authorship], repository: &Repository) -> Result<Vec<ResourceDescriptor>> {
    let uri = repository.uri()?;
    wrote.iter().map(|one| one.descriptor(&uri)).collect()
}

/// Adds everybody who wrote a part to the `authors` of a change request; those who are there stay.
pub(crate) fn add_authors(predicate: &mut Value, wrote: &[Authorship]) -> Result<()> {
    let Value::Object(members) = predicate else { return Ok(()) };
    let authors = members.entry("authors").or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(authors) = authors else { return Ok(()) };
    for writer in wrote.iter().flat_map(Authorship::writers) {
        let actor = to_json(&actor(&writer))?;
        let is_there = |a: &Value| a.get("id") == actor.get("id");
        if !authors.iter().any(is_there) {
            authors.push(actor);
        }
    }
    Ok(())
}

fn actor(writer: &Ident) -> Actor {
    let address = writer.email.to_lowercase();
    let name = if writer.name.is_empty() { &address } else { &writer.name };
    Actor::human(format!("mailto:{address}"), name.clone()).vouched_by(GIT_ISSUER, address)
}

/// Columns of a commit's id, and of its author.
const ID: usize = 12;
const AUTHOR: usize = 30;
const SIGNER: usize = 80 - 2 - ID - 2 - AUTHOR - 2;

fn show(page: &mut Page, one: &Authorship) {
    let mark = if one.is_clear() { '✓' } else { '✗' };
    let id: String = one.id().hex().chars().take(ID).collect();
    let by = one.signer().map(|s| match &s.forge {
        Some(forge) => format!("by {forge}"),
        None => format!("by {}", s.principals.first().map_or("a key without an address", String::as_str)),
    });
    let (author, by) = (shortened(&one.author().email, AUTHOR), shortened(by.as_deref().unwrap_or("unknown"), SIGNER));
    page.line(format!("{mark} {id}  {author:<AUTHOR$}  {by}").trim_end());
    for doubt in one.doubts() {
        page.wrapped("    ", "    ", &format!("{}: {}", doubt.kind.name(), doubt.message));
    }
}

fn shortened(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns - 1).collect();
    kept + "…"
}
