//! The variables of a build.

use std::collections::BTreeMap;
use std::ffi::OsString;
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
        json::parse_secret("environment", bytes, "give an object of texts by name, each variable once").map(Self)
    }

    /// The variables of a process; those that are not UTF-8 are nothing that a CI system says.
    ///
    /// ```
    /// let environment = sealwright::ci::Environment::of_os(std::env::vars_os());
    /// # let _ = environment;
    /// ```
    pub fn of_os(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        variables.into_iter().filter_map(|(n, v)| n.into_string().ok().zip(v.into_string().ok())).collect()
    }

    /// The value of a variable; an empty one is none.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
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
