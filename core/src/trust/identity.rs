//! Certificate identities: who an authority says the holder of a certificate is, and what is demanded of that.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::timestamp::Timestamp;

/// Who must hold a certificate: its subject, the issuer of the token it was given for, and what it says of the build.
///
/// As JSON: `subject` or `subjectPattern`, `issuer`, and if need be `extensions`, an object of names and values.
///
/// ```
/// use sealwright::verifier::{CertificateIdentity, Extension, Matcher};
/// let anchored = Matcher::pattern(r"https://github\.com/acme/shop/\.github/workflows/release\.yml@refs/tags/v.*")?;
/// let identity = CertificateIdentity::new(anchored, "https://token.actions.githubusercontent.com")
///     .require_extension(Extension::RunnerEnvironment, "github-hosted");
/// # let _ = identity;
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "IdentityWire")]
pub struct CertificateIdentity {
    subject: Matcher,
    issuer: String,
    extensions: BTreeMap<Extension, Matcher>,
}

/// How a text must be.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// Exactly so, byte for byte.
    Exact(String),
    /// Matched from its first to its last character by a regular expression.
    Pattern(Pattern),
}

/// A regular expression (syntax of the `regex` crate, which runs in linear time) that a whole text must match.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    anchored: Regex,
}

/// What Fulcio writes into a certificate about the build that asked for it (OIDs below 1.3.6.1.4.1.57264.1,
/// sigstore/fulcio docs/oid-info.md).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// Event of a GitHub workflow run (`.2`, superseded by [`Extension::BuildTrigger`]).
    GithubWorkflowTrigger,
    /// Commit of a GitHub workflow run (`.3`, superseded by [`Extension::SourceRepositoryDigest`]).
    GithubWorkflowSha,
    /// Display name of a GitHub workflow (`.4`).
    GithubWorkflowName,
    /// `owner/name` of a GitHub workflow run (`.5`, superseded by [`Extension::SourceRepositoryUri`]).
    GithubWorkflowRepository,
    /// Ref of a GitHub workflow run (`.6`, superseded by [`Extension::SourceRepositoryRef`]).
    GithubWorkflowRef,
    /// The build instructions that signed, such as a reusable workflow at a ref (`.9`).
    BuildSignerUri,
    /// Their commit (`.10`).
    BuildSignerDigest,
    /// `github-hosted`, `self-hosted` and the like (`.11`).
    RunnerEnvironment,
    /// The repository that was built (`.12`).
    SourceRepositoryUri,
    /// The commit that was built (`.13`).
    SourceRepositoryDigest,
    /// The ref that was built (`.14`).
    SourceRepositoryRef,
    /// The provider's immutable id of the repository (`.15`).
    SourceRepositoryIdentifier,
    /// The owner of the repository (`.16`).
    SourceRepositoryOwnerUri,
    /// The provider's immutable id of the owner (`.17`).
    SourceRepositoryOwnerIdentifier,
    /// The top-level build instructions, such as a workflow at a ref (`.18`).
    BuildConfigUri,
    /// Their commit (`.19`).
    BuildConfigDigest,
    /// The event that started the build (`.20`).
    BuildTrigger,
    /// The run (`.21`).
    RunInvocationUri,
    /// Whether the repository was public (`.22`).
    SourceRepositoryVisibility,
    /// The deployment environment of the build (`.23`).
    DeploymentEnvironment,
    /// The raw subject of the token (`.24`).
    TokenSubject,
}

/// What a verified certificate says of its holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CertificateClaims {
    /// The e-mail address, URI or name in its subject alternative name.
    pub subject: String,
    /// Who vouched for the subject: the issuer of the OIDC token.
    pub issuer: String,
    /// What it says of the build.
    pub extensions: BTreeMap<Extension, String>,
    /// First second of its validity.
    pub not_before: Timestamp,
    /// Last second of its validity.
    pub not_after: Timestamp,
}

const GITHUB: &str = "https://token.actions.githubusercontent.com";

impl CertificateIdentity {
    /// Whoever holds a certificate for `subject`, given for a token of exactly this `issuer`.
    pub fn new(subject: impl Into<Matcher>, issuer: impl Into<String>) -> Self {
        Self { subject: subject.into(), issuer: issuer.into(), extensions: BTreeMap::new() }
    }

    /// Demands this of an extension, too. A certificate without it does not match.
    #[must_use]
    pub fn require_extension(mut self, extension: Extension, value: impl Into<Matcher>) -> Self {
        self.extensions.insert(extension, value.into());
        self
    }

    /// What is demanded of the subject.
    pub fn subject(&self) -> &Matcher {
        &self.subject
    }

    /// The issuer that is demanded.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What is demanded of the extensions.
    pub fn extensions(&self) -> impl Iterator<Item = (Extension, &Matcher)> {
        self.extensions.iter().map(|(e, m)| (*e, m))
    }

    /// Checks that a certificate says what is demanded.
    ///
    /// # Errors
    /// `UNTRUSTED_SIGNER`, with what was expected and found.
    pub fn check(&self, claims: &CertificateClaims) -> Result<()> {
        let differs = |what: &str, expected: &dyn fmt::Display, found: &str| {
            Error::new(
                ErrorKind::UntrustedSigner,
                format!(
                    "expected {what} `{expected}` of the signer, found `{}`; check who must sign it",
                    found.escape_debug()
                ),
            )
            .with("expected", expected)
            .with("found", found.escape_debug())
        };
        if claims.issuer != self.issuer {
            return Err(differs("the issuer", &self.issuer, &claims.issuer));
        }
        if !self.subject.matches(&claims.subject) {
            return Err(differs("the identity", &self.subject, &claims.subject));
        }
        for (extension, demanded) in &self.extensions {
            let found = claims.extension(*extension);
            if !found.as_deref().is_some_and(|found| demanded.matches(found)) {
                let found = found.as_deref().unwrap_or("nothing");
                return Err(differs(&format!("the {extension}"), demanded, found));
            }
        }
        Ok(())
    }
}

impl fmt::Display for CertificateIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.subject, self.issuer)?;
        self.extensions.iter().try_for_each(|(e, m)| write!(f, ", {e}={m}"))
    }
}

impl CertificateClaims {
    /// What the certificate says of `extension`; an old certificate of GitHub says the same in an older extension.
    pub fn extension(&self, extension: Extension) -> Option<String> {
        let older = |e| self.extensions.get(&e).cloned();
        older(extension).or_else(|| {
            if self.issuer != GITHUB {
                return None;
            }
            match extension {
                Extension::BuildTrigger => older(Extension::GithubWorkflowTrigger),
                Extension::SourceRepositoryDigest => older(Extension::GithubWorkflowSha),
                Extension::SourceRepositoryRef => older(Extension::GithubWorkflowRef),
                Extension::SourceRepositoryUri => {
                    older(Extension::GithubWorkflowRepository).map(|r| format!("https://github.com/{r}"))
                }
                _ => None,
            }
        })
    }
}

impl Matcher {
    /// A pattern that the whole text must match; it is anchored at both ends, whatever it says itself.
    ///
    /// # Errors
    /// `MALFORMED` if it is no regular expression, `LIMIT_EXCEEDED` if it is too large.
    pub fn pattern(source: &str) -> Result<Self> {
        Pattern::new(source).map(Self::Pattern)
    }

    /// Whether `text` is as demanded.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == text,
            Self::Pattern(pattern) => pattern.anchored.is_match(text),
        }
    }
}

impl From<&str> for Matcher {
    fn from(exact: &str) -> Self {
        Self::Exact(exact.to_owned())
    }
}

impl From<String> for Matcher {
    fn from(exact: String) -> Self {
        Self::Exact(exact)
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::Pattern(pattern) => write!(f, "/{}/", pattern.source),
        }
    }
}

impl Pattern {
    fn new(source: &str) -> Result<Self> {
        if source.len() > limits::PATTERN_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the pattern is longer than {} bytes; write a shorter one", limits::PATTERN_BYTES),
            ));
        }
        // alone first: `a)|(?:b` would be whole only between the anchors, and not be held by them
        let compiled = |text: &str| RegexBuilder::new(text).size_limit(limits::PATTERN_PROGRAM_BYTES).build();
        let anchored = compiled(source).and_then(|_| compiled(&format!(r"\A(?:{source})\z"))).map_err(|e| match e {
            regex::Error::CompiledTooBig(_) => {
                Error::new(ErrorKind::LimitExceeded, "the pattern is too large when compiled; write a simpler one")
            }
            e => Error::new(
                ErrorKind::Malformed,
                format!("`{}` is no regular expression; correct it, or give the exact text", source.escape_debug()),
            )
            .caused_by(e),
        })?;
        Ok(Self { source: source.to_owned(), anchored })
    }

    /// The expression as it was given.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({:?})", self.source)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl Extension {
    /// Every extension with its arc below 1.3.6.1.4.1.57264.1 and its name.
    const ALL: [(Self, u32, &'static str); 21] = [
        (Self::GithubWorkflowTrigger, 2, "githubWorkflowTrigger"),
        (Self::GithubWorkflowSha, 3, "githubWorkflowSha"),
        (Self::GithubWorkflowName, 4, "githubWorkflowName"),
        (Self::GithubWorkflowRepository, 5, "githubWorkflowRepository"),
        (Self::GithubWorkflowRef, 6, "githubWorkflowRef"),
        (Self::BuildSignerUri, 9, "buildSignerUri"),
        (Self::BuildSignerDigest, 10, "buildSignerDigest"),
        (Self::RunnerEnvironment, 11, "runnerEnvironment"),
        (Self::SourceRepositoryUri, 12, "sourceRepositoryUri"),
        (Self::SourceRepositoryDigest, 13, "sourceRepositoryDigest"),
        (Self::SourceRepositoryRef, 14, "sourceRepositoryRef"),
        (Self::SourceRepositoryIdentifier, 15, "sourceRepositoryIdentifier"),
        (Self::SourceRepositoryOwnerUri, 16, "sourceRepositoryOwnerUri"),
        (Self::SourceRepositoryOwnerIdentifier, 17, "sourceRepositoryOwnerIdentifier"),
        (Self::BuildConfigUri, 18, "buildConfigUri"),
        (Self::BuildConfigDigest, 19, "buildConfigDigest"),
        (Self::BuildTrigger, 20, "buildTrigger"),
        (Self::RunInvocationUri, 21, "runInvocationUri"),
        (Self::SourceRepositoryVisibility, 22, "sourceRepositoryVisibility"),
        (Self::DeploymentEnvironment, 23, "deploymentEnvironment"),
        (Self::TokenSubject, 24, "tokenSubject"),
    ];

    /// The name in JSON, such as `sourceRepositoryUri`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(e, ..)| *e == self).map_or("", |(.., name)| name)
    }

    pub(crate) fn of_arc(arc: u32) -> Option<Self> {
        Self::ALL.iter().find(|(_, a, _)| *a == arc).map(|(e, ..)| *e)
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Extension {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.iter().find(|(.., n)| *n == name).map(|(e, ..)| *e).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                format!(
                    "`{}` is no extension of a certificate; use one like `sourceRepositoryUri`",
                    name.escape_debug()
                ),
            )
        })
    }
}

impl Serialize for Extension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Extension {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct IdentityWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject_pattern: Option<String>,
    issuer: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<Extension, ValueWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ValueWire {
    Exact(String),
    Pattern { pattern: String },
}

impl From<CertificateIdentity> for IdentityWire {
    fn from(identity: CertificateIdentity) -> Self {
        let (subject, subject_pattern) = match identity.subject {
            Matcher::Exact(text) => (Some(text), None),
            Matcher::Pattern(pattern) => (None, Some(pattern.source)),
        };
        let value = |m| match m {
            Matcher::Exact(text) => ValueWire::Exact(text),
            Matcher::Pattern(p) => ValueWire::Pattern { pattern: p.source },
        };
        let extensions = identity.extensions.into_iter().map(|(e, m)| (e, value(m))).collect();
        Self { subject, subject_pattern, issuer: identity.issuer, extensions }
    }
}

impl TryFrom<IdentityWire> for CertificateIdentity {
    type Error = Error;

    fn try_from(wire: IdentityWire) -> Result<Self> {
        let subject = match (wire.subject, wire.subject_pattern) {
            (Some(exact), None) => Matcher::Exact(exact),
            (None, Some(pattern)) => Matcher::pattern(&pattern)?,
            _ => {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    "an identity needs `subject` or `subjectPattern`, and one of them",
                ));
            }
        };
        let mut identity = Self::new(subject, wire.issuer);
        for (extension, value) in wire.extensions {
            let matcher = match value {
                ValueWire::Exact(text) => Matcher::Exact(text),
                ValueWire::Pattern { pattern } => Matcher::pattern(&pattern)?,
            };
            identity = identity.require_extension(extension, matcher);
        }
        Ok(identity)
    }
}

impl<'de> Deserialize<'de> for CertificateIdentity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IdentityWire::deserialize(deserializer)?.try_into().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Matcher::pattern(pattern).unwrap().matches(text)
    }

    #[test]
    fn a_pattern_holds_the_whole_text_whatever_it_says() {
        assert!(matches("a.c", "abc") && matches("^abc$", "abc") && matches("a|b", "b"));
        for (pattern, text) in
            [("b", "abc"), ("a|b", "bc"), ("a|b", "ab"), ("abc", "abc\n"), ("(?m)abc$", "abc\nd"), ("", "a")]
        {
            assert!(!matches(pattern, text), "{pattern} {text:?}");
        }
        for escape in ["a)|(?:b", ")", "(", "(?x)a#", r"a\"] {
            assert_eq!(Matcher::pattern(escape).unwrap_err().code(), "MALFORMED", "{escape}");
        }
        assert_eq!(Matcher::pattern("((a{999}){999}){999}").unwrap_err().code(), "LIMIT_EXCEEDED");
        assert_eq!(Matcher::pattern(&"a".repeat(10_000)).unwrap_err().code(), "LIMIT_EXCEEDED");
    }

    #[test]
    fn an_identity_is_the_same_after_json() {
        let text = r#"{"subjectPattern":"a.*","issuer":"https://i","extensions":{"buildTrigger":"push","buildSignerUri":{"pattern":"x+"}}}"#;
        let identity: CertificateIdentity = serde_json::from_str(text).unwrap();
        let again: CertificateIdentity = serde_json::from_str(&serde_json::to_string(&identity).unwrap()).unwrap();
        assert_eq!(identity, again);
        for wrong in [
            r#"{"subject":"a"}"#,
            r#"{"issuer":"i"}"#,
            r#"{"subject":"a","subjectPattern":"a","issuer":"i"}"#,
            r#"{"subject":"a","issuer":"i","extensions":{"other":"x"}}"#,
            r#"{"subject":"a","issuer":"i","more":1}"#,
            r#"{"subjectPattern":"(","issuer":"i"}"#,
        ] {
            assert!(serde_json::from_str::<CertificateIdentity>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_of_extensions_are_read_as_they_are_written() {
        for (extension, arc, name) in Extension::ALL {
            assert_eq!(name.parse::<Extension>().unwrap(), extension);
            assert_eq!(Extension::of_arc(arc), Some(extension));
        }
    }
}
