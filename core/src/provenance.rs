//! Provenance: what is demanded of a build, checked against a record that was verified.
//!
//! A [`crate::verifier::Verifier`] proves who signed a statement about which artifact. What the statement says of the
//! build is judged here (SLSA, verifying-artifacts, steps 1 and 2): builder and signer as a pair, source, commit, ref,
//! inputs, build type, parameters, dependencies. Nothing demanded is an error, not a pass.
//!
//! ```
//! use sealwright::provenance::ProvenanceExpectation;
//! let demanded = ProvenanceExpectation::from_json(
//!     br#"{"builders":[{"id":"https://example.org/builders/main"}],"sourceUri":"example.org/shop","sourceTag":"v1.4.0"}"#,
//! )?;
//! # let _ = demanded;
//! assert_eq!(ProvenanceExpectation::from_json(b"{}").unwrap_err().code(), "API_MISUSE");
//! # Ok::<(), sealwright::Error>(())
//! ```

mod build;
mod builder;
mod certificate;
mod check;
mod dependency;
mod expectation;
mod parameter;
mod reproduction;
mod source;
mod summary;
mod version;

use std::fmt;

use serde::Serialize;

use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::json::Value;

pub use build::{Build, ProvenanceVersion};
pub use builder::{BuilderRef, TrustedBuilder};
pub use expectation::ProvenanceExpectation;
pub use reproduction::{Reproduction, isolated, reproduced};
pub use source::Source;
pub use summary::{BUILD_REPRODUCED, SummaryExpectation};

/// A build that is what was demanded. Made only by [`ProvenanceExpectation::check`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Checked {
    /// The build.
    pub build: Build,
    /// Payload digest of the provenance.
    pub provenance: Digest,
    /// What is worth knowing and no reason to refuse.
    pub findings: Vec<Finding>,
}

/// Something that differs from what people were told, and does not decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is about, in the words of the expectation.
    pub field: &'static str,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.field, self.expected, self.found)
    }
}

/// `EXPECTATION_UNMET`: `field` is not what was demanded.
fn unmet(field: impl fmt::Display, expected: impl fmt::Display, found: impl fmt::Display) -> Error {
    let (expected, found) = (expected.to_string(), found.to_string());
    Error::new(
        ErrorKind::ExpectationUnmet,
        format!(
            "`{field}` of the build: expected `{}`, found `{}`; take the artifact that was built as demanded",
            expected.escape_debug(),
            found.escape_debug()
        ),
    )
    .with("field", field)
    .with("expected", expected)
    .with("found", found)
}

/// What is demanded, where one of several does.
fn one_of<T: fmt::Display>(all: impl IntoIterator<Item = T>) -> String {
    let all: Vec<_> = all.into_iter().map(|one| one.to_string()).collect();
    if all.is_empty() { "nothing of the kind".to_owned() } else { all.join("`, `") }
}

/// How a value is shown: text as it is, nothing as `nothing`, all else as JSON.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
