//! What a command answers, for people and for programs.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::json::Value;

/// The outcome of a command that got as far as an answer.
pub(crate) struct Answer {
    pub(crate) shown: Shown,
    pub(crate) json: Value,
    pub(crate) verdict: Verdict,
}

/// How an answer is shown without `--json`.
pub(crate) enum Shown {
    /// Prose, in lines of at most 80 columns.
    Text(String),
    /// A document, byte for byte.
    Document(Vec<u8>),
}

/// Whether what was asked holds.
pub(crate) enum Verdict {
    Passed,
    /// It does not, as the answer shows by its findings.
    Found,
    /// It does not, for this reason.
    Refused(Error),
}

impl Answer {
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { shown: Shown::Text(text.into()), json, verdict: Verdict::Passed }
    }

    pub(crate) fn document(bytes: Vec<u8>, json: Value) -> Self {
        Self { shown: Shown::Document(bytes), json, verdict: Verdict::Passed }
    }

    /// Refused if there are findings.
    pub(crate) fn unless(mut self, findings: bool) -> Self {
        if findings {
            self.verdict = Verdict::Found;
        }
        self
    }

    pub(crate) fn refused(mut self, error: Error) -> Self {
        self.verdict = Verdict::Refused(error);
        self
    }
}

/// A value of ours as JSON for an answer.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value)
        .map_err(|e| Error::new(crate::ErrorKind::Internal, "an answer has no JSON form").caused_by(e))
}
