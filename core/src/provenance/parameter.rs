//! Parameters from outside: every value must be expected (SLSA verifying-artifacts, step 2).

use serde_json::Map;

use super::{shown, unmet};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;

/// Checks that a name of a parameter is a top-level name or an RFC 6901 pointer.
pub(super) fn validate(name: &str) -> Result<()> {
    if name.is_empty() || name == "/" {
        return Err(Error::new(
            ErrorKind::ApiMisuse,
            "a parameter has an empty name; write `inputs`, or a JSON pointer such as `/inputs/version`",
        ));
    }
    Ok(())
}

/// Checks that each value of `parameters` stands at or below one of the allowed places.
pub(super) fn only(parameters: &Map<String, Value>, allowed: &[String]) -> Result<()> {
    let allowed: Vec<_> = allowed.iter().map(|name| pointer(name)).collect();
    for (name, value) in parameters {
        walk(&format!("/{}", escaped(name)), value, &allowed)?;
    }
    Ok(())
}

/// The value that `name` points to.
pub(super) fn find<'a>(parameters: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else { return parameters.get(name) };
    let mut steps = path.split('/').map(|s| s.replace("~1", "/").replace("~0", "~"));
    let first = parameters.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(&step),
    })
}

fn walk(place: &str, value: &Value, allowed: &[String]) -> Result<()> {
    let below =
        |a: &String| place.strip_prefix(a.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if allowed.iter().any(below) {
        return Ok(());
    }
    match value {
        Value::Object(members) => {
            members.iter().try_for_each(|(name, v)| walk(&format!("{place}/{}", escaped(name)), v, allowed))
        }
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(i, v)| walk(&format!("{place}/{i}"), v, allowed))
        }
        // SLSA: unset, null and empty mean the same
        Value::Null => Ok(()),
        Value::String(text) if text.is_empty() => Ok(()),
        other => Err(unmet(
            format_args!("externalParameters{}", place.escape_debug()),
            "no such parameter",
            shown(Some(other)),
        )
        .with("parameter", place)),
    }
}

fn pointer(name: &str) -> String {
    if name.starts_with('/') { name.to_owned() } else { format!("/{}", escaped(name)) }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
