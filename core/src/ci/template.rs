//! Texts with variables in them: `{NAME}`, and `{NAME|filter}` with filters for what systems spell in their own way.

use super::environment::Environment;
use super::secret;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::{limits, provenance};

/// One text, or several of which the first counts whose variables are all set.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Vec<Part>>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Variable { name: String, filters: Vec<Filter> },
}

/// What is done to a value before it is used.
#[derive(Clone, Debug)]
enum Filter {
    /// What stands before the first of these; all if there is none.
    Before(String),
    /// What stands after the first of these; all if there is none.
    After(String),
    /// Without this at its start.
    TrimStart(String),
    /// Without this at its end.
    TrimEnd(String),
    /// As a part of a URI's path.
    Encode,
    /// As the address of a Git repository in its one spelling.
    Repository,
}

impl Template {
    /// Reads a template from data: a text, or a list of texts.
    pub(super) fn read(value: &Value) -> Result<Self> {
        let texts: Vec<&Value> = match value {
            Value::Array(list) => list.iter().collect(),
            one => vec![one],
        };
        let parse =
            |v: &&Value| v.as_str().ok_or_else(|| wrong("is neither a text nor a list of texts")).and_then(parts);
        let all = texts.iter().map(parse).collect::<Result<Vec<_>>>()?;
        if all.is_empty() { Err(wrong("is an empty list")) } else { Ok(Self(all)) }
    }

    /// The text, `None` if a variable of each alternative is not set.
    pub(super) fn fill(&self, environment: &Environment) -> Result<Option<String>> {
        for parts in &self.0 {
            if let Some(text) = fill(parts, environment)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Names of all variables.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().filter_map(|part| match part {
            Part::Variable { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }
}

fn fill(parts: &[Part], environment: &Environment) -> Result<Option<String>> {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Variable { name, filters } => {
                let Some(value) = environment.value(name) else { return Ok(None) };
                if value.len() > limits::VARIABLE_BYTES {
                    return Err(Error::new(
                        ErrorKind::LimitExceeded,
                        format!("the variable `{name}` has {} bytes, over {}", value.len(), limits::VARIABLE_BYTES),
                    ));
                }
                // the one spelling of a repository leaves user and password out; all else must have none
                if !filters.iter().any(|f| matches!(f, Filter::Repository)) {
                    secret::refuse(name, value)?;
                }
                out.push_str(&filters.iter().fold(value.to_owned(), |value, filter| filter.apply(&value)));
            }
        }
    }
    Ok(Some(out))
}

impl Filter {
    fn parse(text: &str) -> Result<Self> {
        let (name, argument) = text.split_once('=').unwrap_or((text, ""));
        let argument = argument.to_owned();
        match (name, argument.is_empty()) {
            ("before", false) => Ok(Self::Before(argument)),
            ("after", false) => Ok(Self::After(argument)),
            ("trim-start", false) => Ok(Self::TrimStart(argument)),
            ("trim-end", false) => Ok(Self::TrimEnd(argument)),
            ("encode", true) => Ok(Self::Encode),
            ("repository", true) => Ok(Self::Repository),
            _ => Err(wrong(format_args!(
                "has the filter `{}`; use before=X, after=X, trim-start=X, trim-end=X, encode or repository",
                text.escape_debug()
            ))),
        }
    }

    fn apply(&self, value: &str) -> String {
        match self {
            Self::Before(mark) => value.split_once(mark.as_str()).map_or(value, |(before, _)| before).to_owned(),
            Self::After(mark) => value.split_once(mark.as_str()).map_or(value, |(_, after)| after).to_owned(),
            Self::TrimStart(mark) => value.strip_prefix(mark.as_str()).unwrap_or(value).to_owned(),
            Self::TrimEnd(mark) => value.strip_suffix(mark.as_str()).unwrap_or(value).to_owned(),
            Self::Encode => value.bytes().map(encoded).collect(),
            Self::Repository => provenance::Source::new(value, None).repository,
        }
    }
}

/// RFC 3986: unreserved characters stand for themselves.
fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

fn parts(text: &str) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, behind) = after.split_once('}').ok_or_else(|| wrong("has a `{` without its `}`"))?;
        let mut pieces = inside.split('|');
        let name = pieces.next().unwrap_or_default();
        if !is_name(name) {
            return Err(wrong(format_args!("names the variable `{}`, which can be none", name.escape_debug())));
        }
        if secret::is_secret_name(name) {
            return Err(wrong(format_args!("names `{name}`, which by its name holds a secret")));
        }
        let filters = pieces.map(Filter::parse).collect::<Result<Vec<_>>>()?;
        parts.push(Part::Text(before.to_owned()));
        parts.push(Part::Variable { name: name.to_owned(), filters });
        rest = behind;
    }
    if rest.contains('}') {
        return Err(wrong("has a `}` without its `{`"));
    }
    parts.push(Part::Text(rest.to_owned()));
    Ok(parts)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.len() <= 128
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn wrong(problem: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Malformed, format!("a template of the CI system {problem}; write it as `refs/tags/{{NAME}}`"))
}
