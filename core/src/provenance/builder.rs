//! Builders that are trusted, each with who signs for it (SLSA verifying-artifacts, step 1).

use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use super::certificate::Claims;
use super::version;
use crate::error::{Error, ErrorKind, Result};
use crate::verifier::SignedBy;

/// A builder, and whose signature makes its `builder.id` believable.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct TrustedBuilder {
    /// The `builder.id`; without what stands behind `@` if `reference` says which refs do.
    pub id: String,
    /// Which refs behind `@` do.
    #[serde(default, rename = "ref")]
    pub reference: BuilderRef,
    /// Names of trusted signers that sign for it. If there are none, and `certificate_issuer` is not given either,
    /// whoever the verification demanded does; only where one builder is trusted.
    #[serde(default)]
    pub signers: Vec<String>,
    /// The builder signs by a certificate whose subject is its id, of this OIDC issuer: so do GitHub's reusable
    /// workflows.
    #[serde(default)]
    pub certificate_issuer: Option<String>,
}

/// Which refs of a builder do, behind the `@` of its id. As data: a ref, `release` or `any-unsafe`.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BuilderRef {
    /// The id is written in full, with its ref if it has one.
    #[default]
    InId,
    /// This ref; `v1.2.3` is short for `refs/tags/v1.2.3`.
    Is(String),
    /// Any tag of the form `vX.Y.Z`.
    Release,
    /// Any at all, a branch as well, which moves.
    AnyUnsafe,
}

impl<'de> Deserialize<'de> for BuilderRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.as_str() {
            "release" => Self::Release,
            "any-unsafe" => Self::AnyUnsafe,
            _ => Self::Is(text),
        })
    }
}

impl FromStr for TrustedBuilder {
    type Err = Error;

    /// Reads a builder as one types it: `ID@REF` with its ref, or `ID`, of a GitHub workflow at any release.
    fn from_str(text: &str) -> Result<Self> {
        let builder = match text.rsplit_once('@') {
            Some((id, reference)) if !reference.contains("://") => {
                Self::new(id).at(BuilderRef::Is(reference.to_owned()))
            }
            _ if text.contains("/.github/workflows/") => Self::new(text).at(BuilderRef::Release),
            _ => Self::new(text),
        };
        validate(std::slice::from_ref(&builder))?;
        Ok(builder)
    }
}

impl TrustedBuilder {
    /// The builder of exactly this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), reference: BuilderRef::InId, signers: Vec::new(), certificate_issuer: None }
    }

    /// The builder whose id is this one, `@` and one of the refs that do.
    #[must_use]
    pub fn at(mut self, reference: BuilderRef) -> Self {
        self.reference = reference;
        self
    }

    /// The trusted signer of this name signs for it, too.
    #[must_use]
    pub fn signed_by(mut self, name: impl Into<String>) -> Self {
        self.signers.push(name.into());
        self
    }

    /// It signs by a certificate of this OIDC issuer, whose subject is its id.
    #[must_use]
    pub fn signed_by_its_certificate(mut self, issuer: impl Into<String>) -> Self {
        self.certificate_issuer = Some(issuer.into());
        self
    }

    /// Whether `id` is this builder's.
    fn is(&self, id: &str) -> bool {
        let behind = || id.strip_prefix(&self.id)?.strip_prefix('@');
        match &self.reference {
            BuilderRef::InId => id == self.id,
            BuilderRef::Is(wanted) => {
                behind().is_some_and(|r| r == wanted || r.strip_prefix("refs/tags/") == Some(wanted))
            }
            BuilderRef::Release => behind().and_then(|r| r.strip_prefix("refs/tags/")).is_some_and(version::is_release),
            BuilderRef::AnyUnsafe => behind().is_some_and(|r| !r.is_empty()),
        }
    }

    fn is_paired(&self) -> bool {
        !self.signers.is_empty() || self.certificate_issuer.is_some()
    }

    /// Whether `signer` signs for it.
    fn trusts(&self, signer: &SignedBy, claims: Option<&Claims<'_>>) -> bool {
        let by_certificate = self.certificate_issuer.as_deref().zip(claims);
        !self.is_paired()
            || self.names(signer)
            || by_certificate.is_some_and(|(issuer, c)| c.issuer == issuer && self.is(c.subject))
    }

    /// Whether it is the trusted signer of one of the names. Who has no name in the trust root is known by the subject
    /// of a certificate, which anybody may have chosen, of another issuer.
    fn names(&self, signer: &SignedBy) -> bool {
        let nameless = Claims::of(signer).is_some_and(|c| c.subject == signer.name);
        !nameless && self.signers.contains(&signer.name)
    }

    fn wanted(&self) -> String {
        match &self.reference {
            BuilderRef::InId => self.id.clone(),
            BuilderRef::Is(reference) => format!("{}@{reference}", self.id),
            BuilderRef::Release => format!("{}@refs/tags/vX.Y.Z", self.id),
            BuilderRef::AnyUnsafe => format!("{}@…", self.id),
        }
    }
}

/// Checks that the list says who signs for whom.
pub(super) fn validate(builders: &[TrustedBuilder]) -> Result<()> {
    for builder in builders {
        if builder.id.is_empty() || (builder.reference != BuilderRef::InId && builder.id.contains('@')) {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!(
                    "the builder `{}` is empty or names a ref twice; give its id, and the ref in one place",
                    builder.id.escape_debug()
                ),
            ));
        }
        if builders.len() > 1 && !builder.is_paired() {
            return Err(Error::new(
                ErrorKind::ApiMisuse,
                format!(
                    "several builders are trusted, and nothing says who signs for `{}`; name its `signers`, or the \
                     `certificateIssuer` of its certificates",
                    builder.id.escape_debug()
                ),
            ));
        }
    }
    Ok(())
}

/// Checks that `id` is a trusted builder, and the signer one who signs for it.
///
/// A certificate whose subject is the builder's id must name the very id that the provenance names.
pub(super) fn check(builders: &[TrustedBuilder], id: &str, signers: &[SignedBy]) -> Result<()> {
    if builders.is_empty() {
        return Ok(());
    }
    let pairs: Vec<_> = signers.iter().map(|s| (s, Claims::of(s))).collect();
    let signed_for = |b: &&TrustedBuilder| pairs.iter().any(|(s, c)| b.trusts(s, c.as_ref()));
    let believable: Vec<_> = builders.iter().filter(signed_for).collect();
    let all = |list: &[&TrustedBuilder]| list.iter().map(|b| b.wanted()).collect::<Vec<_>>().join("`, `");
    if believable.is_empty() {
        let (expected, found) = (all(&builders.iter().collect::<Vec<_>>()), shown(&pairs));
        return Err(Error::new(
            ErrorKind::UntrustedSigner,
            format!(
                "expected a signer that signs for the builder `{expected}`, found `{}`; take an artifact of a trusted \
                 builder, or trust this pair of signer and builder",
                found.escape_debug()
            ),
        )
        .with("field", "builders")
        .with("expected", expected)
        .with("found", found));
    }
    let own = |b: &TrustedBuilder| {
        let by_name = !b.is_paired() || pairs.iter().any(|(s, _)| b.names(s));
        b.is(id) && (by_name || pairs.iter().any(|(_, c)| c.as_ref().is_some_and(|c| c.subject == id)))
    };
    if believable.iter().any(|b| own(b)) {
        return Ok(());
    }
    Err(super::unmet("builderId", all(&believable), id))
}

fn shown(pairs: &[(&SignedBy, Option<Claims<'_>>)]) -> String {
    let one = |(signer, claims): &(&SignedBy, Option<Claims<'_>>)| match claims {
        Some(c) => c.subject.to_owned(),
        None => signer.name.clone(),
    };
    pairs.iter().map(one).collect::<Vec<_>>().join(", ")
}
