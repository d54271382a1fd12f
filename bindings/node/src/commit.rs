//! Signatures of Git commits and tags, and who wrote what.

use napi::Env;
use napi::bindgen_prelude::AsyncTask;
use napi_derive::napi;
use sealwright::Result;
use sealwright::commit::{self, Commit, Tag};
use sealwright::digest::{Algorithm, Digest};

use crate::data::{Json, now};
use crate::trust::TrustRoot;
use crate::work::{Work, at_once, later};

/// Whose signatures on commits and tags are believed. Empty, it believes nobody; each `with…` gives another one.
#[napi(namespace = "commit")]
pub struct CommitTrust(commit::CommitTrust);

#[napi(namespace = "commit")]
impl CommitTrust {
    /// Believes nobody yet.
    #[napi(constructor)]
    #[allow(clippy::new_without_default, reason = "JavaScript calls it")]
    pub fn new() -> Self {
        Self(commit::CommitTrust::new())
    }

    /// Believes the keys of an `allowed_signers` file of OpenSSH, each for its principals.
    #[napi]
    pub fn with_allowed_signers(&self, env: Env, file: &[u8]) -> napi::Result<CommitTrust> {
        at_once(&env, || self.0.clone().with_allowed_signers(file).map(Self))
    }

    /// Refuses these SSH keys whenever they signed: public keys, one on each line.
    #[napi]
    pub fn with_revoked_ssh_keys(&self, env: Env, file: &[u8]) -> napi::Result<CommitTrust> {
        at_once(&env, || self.0.clone().with_revoked_ssh_keys(file).map(Self))
    }

    /// Believes the OpenPGP certificates of a keyring, each for the addresses of its user ids.
    #[napi(js_name = "withOpenpgpKeyring")]
    pub fn with_openpgp_keyring(&self, env: Env, file: &[u8]) -> napi::Result<CommitTrust> {
        at_once(&env, || self.0.clone().with_openpgp_keyring(file).map(Self))
    }

    /// Believes gitsign signatures by the certificate identities that `trust` names.
    #[napi]
    pub fn with_certificates(&self, env: Env, trust: &TrustRoot) -> napi::Result<CommitTrust> {
        at_once(&env, || self.0.clone().with_certificates(trust.0.clone()).map(Self))
    }

    /// Believes what `forge` believes as the word of the forge called `name`, which vouches for the authors it names.
    #[napi]
    pub fn with_forge(&self, name: String, forge: &CommitTrust) -> CommitTrust {
        Self(self.0.clone().with_forge(name, forge.0.clone()))
    }
}

/// Who wrote a commit: what it says itself, who signed it, and what does not fit.
#[napi(namespace = "commit")]
pub struct Authorship(commit::Authorship);

#[napi(namespace = "commit")]
impl Authorship {
    /// Verifies the commit that `git cat-file commit` prints, and compares the signer with those it names.
    #[napi(ts_return_type = "Promise<Authorship>")]
    pub fn of(
        raw: &[u8],
        commit_id: String,
        trust: &CommitTrust,
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> AsyncTask<Work<Authorship>> {
        let (raw, trust) = (raw.to_vec(), trust.0.clone());
        later(move || wrote(&raw, &commit_id, &trust, at))
    }

    /// As `of`, at once.
    #[napi]
    pub fn of_sync(
        env: Env,
        raw: &[u8],
        commit_id: String,
        trust: &CommitTrust,
        #[napi(ts_arg_type = "Time")] at: Option<Json>,
    ) -> napi::Result<Self> {
        at_once(&env, || wrote(raw, &commit_id, &trust.0, at))
    }

    /// Whether a trusted signature stands behind all that it says of who made it.
    #[napi(getter)]
    pub fn is_clear(&self) -> bool {
        self.0.is_clear()
    }

    /// All that is known of who wrote it.
    #[napi(js_name = "toJSON", ts_return_type = "AuthorshipData")]
    pub fn to_json(&self, env: Env) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0))
    }

    /// The commit as a subject of a Statement.
    #[napi(ts_return_type = "ResourceDescriptor")]
    pub fn descriptor(&self, env: Env, repository: String) -> napi::Result<Json> {
        at_once(&env, || Json::of(&self.0.descriptor(&repository)?))
    }
}

fn wrote(raw: &[u8], commit_id: &str, trust: &commit::CommitTrust, at: Option<Json>) -> Result<Authorship> {
    Ok(Authorship(commit::Authorship::of(&parse(raw, commit_id)?, trust, now(at)?)))
}

/// Verifies the signature of the commit that `git cat-file commit` prints.
#[napi(namespace = "commit", js_name = "verify", ts_return_type = "Promise<VerifiedCommit>")]
pub fn commit_verify(
    raw: &[u8],
    commit_id: String,
    trust: &CommitTrust,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> AsyncTask<Work<Json>> {
    let (raw, trust) = (raw.to_vec(), trust.0.clone());
    later(move || verified(&raw, &commit_id, &trust, at))
}

/// As `verify`, at once.
#[napi(namespace = "commit", js_name = "verifySync", ts_return_type = "VerifiedCommit")]
pub fn commit_verify_sync(
    env: Env,
    raw: &[u8],
    commit_id: String,
    trust: &CommitTrust,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> napi::Result<Json> {
    at_once(&env, || verified(raw, &commit_id, &trust.0, at))
}

fn verified(raw: &[u8], commit_id: &str, trust: &commit::CommitTrust, at: Option<Json>) -> Result<Json> {
    Json::of(&commit::verify(&parse(raw, commit_id)?, trust, now(at)?)?)
}

/// Verifies the signature of the annotated tag that `git cat-file tag` prints.
#[napi(namespace = "commit", js_name = "verifyTag", ts_return_type = "Promise<VerifiedTag>")]
pub fn commit_verify_tag(
    raw: &[u8],
    tag_id: String,
    trust: &CommitTrust,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> AsyncTask<Work<Json>> {
    let (raw, trust) = (raw.to_vec(), trust.0.clone());
    later(move || verified_tag(&raw, &tag_id, &trust, at))
}

/// As `verifyTag`, at once.
#[napi(namespace = "commit", js_name = "verifyTagSync", ts_return_type = "VerifiedTag")]
pub fn commit_verify_tag_sync(
    env: Env,
    raw: &[u8],
    tag_id: String,
    trust: &CommitTrust,
    #[napi(ts_arg_type = "Time")] at: Option<Json>,
) -> napi::Result<Json> {
    at_once(&env, || verified_tag(raw, &tag_id, &trust.0, at))
}

fn verified_tag(raw: &[u8], tag_id: &str, trust: &commit::CommitTrust, at: Option<Json>) -> Result<Json> {
    Json::of(&commit::verify_tag(&Tag::parse(raw, tag_id)?, trust, now(at)?)?)
}

fn parse(raw: &[u8], commit_id: &str) -> Result<Commit> {
    Commit::parse(raw, &Digest::from_hex(Algorithm::GitCommit, commit_id)?)
}
