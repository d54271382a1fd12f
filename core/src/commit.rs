//! Who wrote what: signatures of Git commits and tags, verified against keys and identities that the caller trusts.
//!
//! Three kinds of signature are verified: SSH (SSHSIG under the namespace `git`), OpenPGP (feature `openpgp`) and gitsign
//! (CMS with a Fulcio certificate). What Git's own `git verify-commit` takes from the machine (a keyring, a clock, the time
//! zone) is an argument here. The signature says who made the *object*; that they are also its author is a claim of the
//! object, and [`Authorship`] tells both apart.
//!
//! ```
//! use sealwright::commit::{Authorship, Commit, CommitTrust};
//! use sealwright::digest::{Algorithm, Digest};
//! # let raw = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor Ada <ada@example.org> 1700000000 +0000\ncommitter Ada <ada@example.org> 1700000000 +0000\n\nFirst\n";
//! // what `git --no-replace-objects cat-file commit 323113be1e4f76e2203f00871f7d570ac0859070` prints
//! let id = Digest::from_hex(Algorithm::GitCommit, "323113be1e4f76e2203f00871f7d570ac0859070")?;
//! let commit = Commit::parse(raw, &id)?;
//! let trust = CommitTrust::new().with_allowed_signers(b"ada@example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio\n")?;
//! let now = "2026-11-21T08:00:00Z".parse()?;
//! let wrote = Authorship::of(&commit, &trust, now);
//! assert!(!wrote.is_clear());
//! assert_eq!(wrote.doubts()[0].kind.name(), "UNSIGNED");
//! # Ok::<(), sealwright::Error>(())
//! ```

mod allowed_signers;
mod authorship;
mod gitsign;
mod object;
#[cfg(feature = "openpgp")]
mod openpgp;
mod protobuf;
mod ssh;

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;
use crate::trust::TrustRoot;
use object::Signed;

pub use authorship::{Authorship, Doubt, DoubtKind};
pub use object::{Commit, Ident, Tag};

/// How far a signature may lie ahead of `now`: clocks of two machines differ.
const CLOCK_SKEW_MILLIS: i64 = 5 * 60 * 1000;

/// Whose signatures on commits and tags are believed. Empty, it believes nobody.
#[derive(Clone, Debug, Default)]
pub struct CommitTrust {
    ssh: Vec<allowed_signers::AllowedSigner>,
    revoked_ssh: Vec<ssh_key::public::KeyData>,
    #[cfg(feature = "openpgp")]
    openpgp: Vec<openpgp::Certificate>,
    certificates: Option<TrustRoot>,
    forges: Vec<(String, Self)>,
}

/// Who signed, by a signature that was verified against [`CommitTrust`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CommitSigner {
    /// What they signed with.
    pub key: SignerKey,
    /// Whom the key stands for, by the word of the one who trusts it: the principals of allowed signers (which may be
    /// patterns), the addresses of an OpenPGP certificate, or the subject of an X.509 certificate.
    pub principals: Vec<String>,
    /// The forge that signed in its own name, as for a merge on its web page: it vouches for the author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forge: Option<String>,
    /// When it was signed, as the signer says: of SSH the time of the commit, of OpenPGP that of the
    /// signature. Of gitsign, as a log or a timestamp authority says.
    pub signed_at: Timestamp,
}

/// What a commit was signed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[non_exhaustive]
pub enum SignerKey {
    /// An SSH key.
    Ssh {
        /// `SHA256:` and base64, as `ssh-keygen -l` prints it.
        fingerprint: String,
        /// Such as `ssh-ed25519`.
        algorithm: String,
    },
    /// A key of an OpenPGP certificate.
    OpenPgp {
        /// Of the key that signed, upper-case hex.
        fingerprint: String,
        /// Of the primary key, by which the certificate is known.
        certificate: String,
    },
    /// The key of a Fulcio certificate, by gitsign.
    Certificate {
        /// The e-mail address or URI it is for.
        subject: String,
        /// Who vouched for the subject: the issuer of the OIDC token.
        issuer: String,
    },
}

/// A commit whose signature was verified. Only [`verify`] makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifiedCommit {
    #[serde(flatten)]
    commit: Commit,
    signer: CommitSigner,
}

/// A tag whose signature was verified. Only [`verify_tag`] makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifiedTag {
    #[serde(flatten)]
    tag: Tag,
    signer: CommitSigner,
}

/// Verifies the signature of a commit. `now` bounds the time it says it was made at.
///
/// That the signer is the author is not checked: [`Authorship::of`] does that.
///
/// # Errors
/// `BAD_SIGNATURE` if there is none, or it is not good over this commit; `UNTRUSTED_SIGNER` if the key is not trusted;
/// `EXPIRED`, `NOT_YET_VALID` or `REVOKED` if it was not valid when it signed; `NOT_ENTITLED` if it may not sign for Git;
/// `UNSUPPORTED` for a kind of key or signature that is not read; `MALFORMED` if it can't be read; for gitsign also those
/// of [`Verifier::verify_blob`](crate::verifier::Verifier::verify_blob).
pub fn verify(commit: &Commit, trust: &CommitTrust, now: Timestamp) -> Result<VerifiedCommit> {
    let signed = commit.signed().ok_or_else(|| unsigned("commit", &commit.id().hex()))?;
    let signer = trust.signer(signed, commit.committed_at(), now).map_err(|e| e.with("commit", commit.id().hex()))?;
    Ok(VerifiedCommit { commit: commit.clone(), signer })
}

/// Verifies the signature of an annotated tag. `now` bounds the time it says it was made at.
///
/// # Errors
/// As [`verify`].
pub fn verify_tag(tag: &Tag, trust: &CommitTrust, now: Timestamp) -> Result<VerifiedTag> {
    let signed = tag.signed().ok_or_else(|| unsigned("tag", tag.id()))?;
    let signer = trust.signer(signed, tag.tagged_at(), now).map_err(|e| e.with("tag", tag.id()))?;
    Ok(VerifiedTag { tag: tag.clone(), signer })
}

impl CommitTrust {
    /// Believes nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes the keys of an `allowed_signers` file (`ssh-keygen(1)`, ALLOWED SIGNERS), each for its principals.
    ///
    /// `namespaces`, `valid-after` and `valid-before` hold, the times in UTC whether a `Z` is there or not. A line of a
    /// certificate authority is read and lets nobody sign: SSH certificates are not supported.
    ///
    /// # Errors
    /// `MALFORMED` if it is no such file, `LIMIT_EXCEEDED` if it is too long.
    pub fn with_allowed_signers(mut self, file: &[u8]) -> Result<Self> {
        self.ssh.extend(allowed_signers::read(file)?);
        Ok(self)
    }

    /// Refuses these SSH keys, whenever they signed: public keys, one on each line, as `gpg.ssh.revocationFile` has them.
    ///
    /// # Errors
    /// `UNSUPPORTED` for OpenSSH's binary revocation lists, `MALFORMED` if it is something else, `LIMIT_EXCEEDED` if it is
    /// too long.
    pub fn with_revoked_ssh_keys(mut self, file: &[u8]) -> Result<Self> {
        self.revoked_ssh.extend(allowed_signers::read_keys(file)?);
        Ok(self)
    }

    /// Believes the OpenPGP certificates (public keys) of a keyring, armored or binary, as `gpg --export` writes it.
    ///
    /// Each stands for the addresses of its user ids: whoever gives the keyring has checked that they are right.
    ///
    /// # Errors
    /// `MALFORMED` if it is none, `LIMIT_EXCEEDED` if it is too long.
    #[cfg(feature = "openpgp")]
    pub fn with_openpgp_keyring(mut self, file: &[u8]) -> Result<Self> {
        self.openpgp.extend(openpgp::read_keyring(file)?);
        Ok(self)
    }

    /// Believes gitsign signatures by the certificate identities that `trust` names, in place of those it believed before.
    ///
    /// A signature must bring its log entry (`gitsign.rekorMode` is `offline`): nothing is asked of the network.
    ///
    /// # Errors
    /// `API_MISUSE` if it names no identity.
    pub fn with_certificates(mut self, trust: TrustRoot) -> Result<Self> {
        if trust.identities().is_empty() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                "the trust root names no certificate identity, and would believe nobody; add one to it",
            ));
        }
        self.certificates = Some(trust);
        Ok(self)
    }

    /// Believes whatever `forge` believes, as the word of the forge called `name`: it signs in its own name what people do
    /// on its web pages, and vouches for their addresses.
    #[must_use]
    pub fn with_forge(mut self, name: impl Into<String>, forge: Self) -> Self {
        self.forges.push((name.into(), forge));
        self
    }

    /// The signer of `signed`, which says it was made `at`.
    fn signer(&self, signed: &Signed, at: Timestamp, now: Timestamp) -> Result<CommitSigner> {
        let unknown = match self.own_signer(signed, at, now) {
            Err(e) if e.kind() == ErrorKind::UntrustedSigner => e,
            decided => return decided,
        };
        for (name, forge) in &self.forges {
            match forge.own_signer(signed, at, now) {
                Err(e) if e.kind() == ErrorKind::UntrustedSigner => {}
                Err(e) => return Err(e),
                Ok(signer) => return Ok(CommitSigner { forge: Some(name.clone()), ..signer }),
            }
        }
        Err(unknown)
    }

    fn own_signer(&self, signed: &Signed, at: Timestamp, now: Timestamp) -> Result<CommitSigner> {
        let signer = match signed.signature.lines().next().unwrap_or_default().trim_end() {
            "-----BEGIN SSH SIGNATURE-----" => ssh::verify(&self.ssh, &self.revoked_ssh, signed, at)?,
            "-----BEGIN PGP SIGNATURE-----" => self.openpgp_signer(signed, now)?,
            "-----BEGIN SIGNED MESSAGE-----" => match &self.certificates {
                Some(trust) => gitsign::verify(trust, signed, now)?,
                None => return Err(untrusted("of a certificate", "an identity with a certificate")),
            },
            other => {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    format!(
                        "expected an SSH, OpenPGP or gitsign signature, found `{}`; sign it again with Git",
                        other.escape_debug()
                    ),
                ));
            }
        };
        if signer.signed_at > now.plus_millis(CLOCK_SKEW_MILLIS) {
            return Err(Error::new(
                ErrorKind::NotYetValid,
                format!(
                    "it says it was signed at `{}`, and now is `{now}`; check both clocks and sign it again",
                    signer.signed_at
                ),
            )
            .with("signedAt", signer.signed_at));
        }
        Ok(signer)
    }

    #[cfg(feature = "openpgp")]
    fn openpgp_signer(&self, signed: &Signed, now: Timestamp) -> Result<CommitSigner> {
        openpgp::verify(&self.openpgp, signed, now)
    }

    #[cfg(not(feature = "openpgp"))]
    fn openpgp_signer(&self, _: &Signed, _: Timestamp) -> Result<CommitSigner> {
        Err(Error::new(
            ErrorKind::Unsupported,
            "the signature is OpenPGP, and this build can't verify it; build with the feature `openpgp`",
        ))
    }
}

impl CommitSigner {
    /// Whether the signer is the one of this address, or a forge that vouches for it.
    pub fn vouches_for(&self, email: &str) -> bool {
        let is_theirs = || match self.key {
            SignerKey::Ssh { .. } => allowed_signers::matches(&self.principals, email),
            // the owner of a certificate writes its user ids: an asterisk there is no pattern
            _ => self.principals.iter().any(|p| p.to_lowercase() == email.to_lowercase()),
        };
        self.forge.is_some() || is_theirs()
    }
}

impl std::fmt::Display for SignerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ssh { fingerprint, .. } => f.write_str(fingerprint),
            Self::OpenPgp { certificate, .. } => f.write_str(certificate),
            Self::Certificate { issuer, .. } => f.write_str(issuer),
        }
    }
}

impl VerifiedCommit {
    /// The commit; its author and message are what the signer signed, true or not.
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    /// Who signed it.
    pub fn signer(&self) -> &CommitSigner {
        &self.signer
    }
}

impl VerifiedTag {
    /// The tag.
    pub fn tag(&self) -> &Tag {
        &self.tag
    }

    /// Who signed it.
    pub fn signer(&self) -> &CommitSigner {
        &self.signer
    }
}

fn unsigned(what: &str, id: &str) -> Error {
    Error::new(
        ErrorKind::BadSignature,
        format!("the {what} `{id}` is not signed; sign it with `git {what} -S` or `-s`"),
    )
    .with(if what == "tag" { "tag" } else { "commit" }, id)
}

fn untrusted(key: &str, expected: &str) -> Error {
    Error::new(
        ErrorKind::UntrustedSigner,
        format!(
            "expected a signature by {expected}, found one that names the key `{key}`; if it is right, add it there"
        ),
    )
    .with("found", key)
}

fn bad_signature(key: &str) -> Error {
    Error::new(
        ErrorKind::BadSignature,
        format!(
            "the signature is not one of the key `{key}` over this object; it was changed, or is that of another one"
        ),
    )
    .with("key", key)
}
