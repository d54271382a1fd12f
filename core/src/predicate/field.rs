//! Checks of fields that name their place in every error, such as `predicate.approver.displayName`.

use std::fmt;

use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest, DigestSet};
use crate::error::{Error, ErrorKind, Result};

/// A place in the predicate, and the checks of what stands there.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    above: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

/// The predicate itself.
pub(crate) const ROOT: At<'static> = At { above: None, step: Step::Field("predicate") };

/// What can check itself, told where it stands.
pub(crate) trait Check {
    fn check(&self, at: &At<'_>) -> Result<()>;
}

/// Text, or any number of texts: `String`, `Option` and `Vec` of such.
pub(crate) trait Texts {
    fn each(&self, at: &At<'_>, check: &dyn Fn(&At<'_>, &str) -> Result<()>) -> Result<()>;
}

impl At<'_> {
    pub(crate) fn field<'b>(&'b self, name: &'b str) -> At<'b> {
        At { above: Some(self), step: Step::Field(name) }
    }

    pub(crate) fn index(&self, index: usize) -> At<'_> {
        At { above: Some(self), step: Step::Index(index) }
    }

    /// `MALFORMED`: what stands here is wrong; `problem` says what was expected and what to do.
    pub(crate) fn wrong(&self, problem: impl fmt::Display) -> Error {
        Error::new(ErrorKind::Malformed, format!("`{self}` {problem}")).with("field", self)
    }

    /// Checks the shared types below the field `name`.
    pub(crate) fn check(&self, name: &str, value: &impl Check) -> Result<()> {
        value.check(&self.field(name))
    }

    /// Text that must not be empty, wherever it stands.
    pub(crate) fn text(&self, name: &str, value: &impl Texts) -> Result<()> {
        value.each(&self.field(name), &|at, text| {
            if text.is_empty() { Err(at.wrong("is empty; write what it asks for, or leave it out")) } else { Ok(()) }
        })
    }

    /// An absolute URI: a lower-case scheme, a colon, and something after it without blanks.
    pub(crate) fn uri(&self, name: &str, value: &impl Texts) -> Result<()> {
        value.each(&self.field(name), &|at, text| {
            if is_uri(text) {
                return Ok(());
            }
            Err(at.wrong(format_args!(
                "is `{}`, expected a URI with its scheme; write it as `https://example.org/x` or `mailto:ann@example.org`",
                text.escape_debug()
            )))
        })
    }

    /// Types that a signer or writer may say: URIs, none of them a pattern.
    pub(crate) fn types(&self, name: &str, value: &impl Texts) -> Result<()> {
        self.uri(name, value)?;
        value.each(&self.field(name), &|at, text| {
            if text.contains('*') { Err(at.wrong("holds a `*`; name each type in full")) } else { Ok(()) }
        })
    }

    /// 16 bytes in lower-case hex.
    pub(crate) fn nonce(&self, value: &str) -> Result<()> {
        if value.len() == 32 && value.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(());
        }
        Err(self.field("nonce").wrong(format_args!(
            "is `{}`, expected 32 characters of lower-case hex; take 16 fresh random bytes",
            value.escape_debug()
        )))
    }

    /// SHA-256 in lower-case hex, without the algorithm's name.
    pub(crate) fn sha256(&self, name: &str, value: &impl Texts) -> Result<()> {
        value.each(&self.field(name), &|at, text| {
            Digest::from_hex(Algorithm::Sha256, text).map(drop).map_err(|e| {
                at.wrong(format_args!("is no sha256: {}; write it without the algorithm's name", e.message()))
            })
        })
    }

    /// A list that must hold something.
    pub(crate) fn some<T>(&self, name: &str, value: &[T]) -> Result<()> {
        if value.is_empty() { Err(self.field(name).wrong("is an empty list; name at least one")) } else { Ok(()) }
    }

    /// A field that must be there because of what `because` says.
    pub(crate) fn needed(&self, name: &str, there: bool, because: &str) -> Result<()> {
        if there { Ok(()) } else { Err(self.field(name).wrong(format_args!("is missing; {because}, so add it"))) }
    }

    /// A number that must be at least 1.
    pub(crate) fn at_least_one(&self, name: &str, value: u64) -> Result<()> {
        if value > 0 { Ok(()) } else { Err(self.field(name).wrong("is 0; it starts at 1")) }
    }

    /// A time that must not be before the one in the field `other`.
    pub(crate) fn not_before<T: PartialOrd + fmt::Display>(
        &self,
        name: &str,
        later: Option<T>,
        other: &str,
        earlier: Option<T>,
    ) -> Result<()> {
        match (later, earlier) {
            (Some(later), Some(earlier)) if later < earlier => Err(self.field(name).wrong(format_args!(
                "is {later}, before `{other}`, which is {earlier}; check which of the two is right"
            ))),
            _ => Ok(()),
        }
    }

    /// A digest set that must hold a digest of `algorithm`.
    pub(crate) fn holds(&self, name: &str, set: Option<&DigestSet>, algorithm: Algorithm) -> Result<()> {
        if set.is_some_and(|set| set.get(algorithm).is_some()) {
            return Ok(());
        }
        Err(self.field(name).wrong(format_args!("has no `{}`; give that digest", algorithm.name())))
    }

    /// A resource that must be named by digest.
    pub(crate) fn digested(&self, name: &str, resource: &ResourceDescriptor) -> Result<()> {
        self.check(name, resource)?;
        self.field(name).needed("digest", resource.digest.is_some(), "only a digest says which bytes are meant")
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            write!(f, "{above}")?;
        }
        match self.step {
            Step::Field(name) if self.above.is_some() => write!(f, ".{name}"),
            Step::Field(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A lower-case scheme, a colon, and something after it without blanks.
pub(crate) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'.' | b'-'))
        && !rest.is_empty()
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}

impl<T: Check> Check for Option<T> {
    fn check(&self, at: &At<'_>) -> Result<()> {
        self.as_ref().map_or(Ok(()), |value| value.check(at))
    }
}

impl<T: Check> Check for Vec<T> {
    fn check(&self, at: &At<'_>) -> Result<()> {
        self.iter().enumerate().try_for_each(|(i, value)| value.check(&at.index(i)))
    }
}

impl Check for ResourceDescriptor {
    fn check(&self, at: &At<'_>) -> Result<()> {
        if self.uri.is_none() && self.digest.is_none() && self.content.is_none() {
            return Err(at.wrong("has no `uri`, `digest` or `content`; give it one of them"));
        }
        Ok(())
    }
}

impl Texts for String {
    fn each(&self, at: &At<'_>, check: &dyn Fn(&At<'_>, &str) -> Result<()>) -> Result<()> {
        check(at, self)
    }
}

impl<T: Texts> Texts for Option<T> {
    fn each(&self, at: &At<'_>, check: &dyn Fn(&At<'_>, &str) -> Result<()>) -> Result<()> {
        self.as_ref().map_or(Ok(()), |value| value.each(at, check))
    }
}

impl<T: Texts> Texts for Vec<T> {
    fn each(&self, at: &At<'_>, check: &dyn Fn(&At<'_>, &str) -> Result<()>) -> Result<()> {
        self.iter().enumerate().try_for_each(|(i, value)| value.each(&at.index(i), check))
    }
}
