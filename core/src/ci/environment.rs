//! The variables of a build.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::{json, limits};

/// Environment variables, by name. Their values are never shown: among them are secrets.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Reads a JSON object of texts.
    ///
    /// # Errors
    /// `MALFORMED` if it is something else, `LIMIT_EXCEEDED` if it is too large.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > limits::ENVIRONMENT_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the environment has {} bytes, over {}", bytes.len(), limits::ENVIRONMENT_BYTES),
            ));
        }
        // an error of the reader quotes the beginning of what it read, which may be a secret
        json::parse("environment", bytes).map(Self).map_err(|e| {
            Error::new(e.kind(), "the environment is no JSON object of texts by name; give each variable once")
        })
    }

    /// The value of a variable; an empty one is none.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}
