//! Secrets stay out of records: by the names of variables, by what their values look like, and by their values.

use super::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::predicate::Provenance;

/// Words in the name of a variable that holds a secret.
const SECRET_NAMES: [&str; 14] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "CREDENTIAL",
    "APIKEY",
    "API_KEY",
    "ACCESS_KEY",
    "ACCESSKEY",
    "PRIVATE",
    "SIGNING_KEY",
    "ENCRYPTION_KEY",
    "COOKIE",
];

/// Beginnings of tokens whose makers gave them one, so that they are found.
const PREFIXES: [&str; 31] = [
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "gldt-",
    "glrt-",
    "glcbt-",
    "glptt-",
    "glft-",
    "glsoat-",
    "glagent-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "xapp-",
    "npm_",
    "pypi-",
    "dckr_pat_",
    "hvs.",
    "hvb.",
    "sk_live_",
    "rk_live_",
    "sk-ant-",
    "bkua_",
    "ya29.",
    "AIza",
];

/// Shortest value of a secret variable that is looked for in a record; a shorter one would be found by chance.
const SHORTEST: usize = 8;

/// Whether a variable of this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    SECRET_NAMES.iter().any(|word| name.contains(word)) || name.ends_with("_PAT") || name.ends_with("_PASS")
}

/// Refuses the value of a variable, or a parameter, that looks like a credential. It is not told.
pub(super) fn refuse(name: &str, value: &str) -> Result<()> {
    let Some(why) = credential(value) else { return Ok(()) };
    Err(Error::new(
        ErrorKind::Malformed,
        format!(
            "the value of `{}` looks like a credential ({why}), and a record is read by many; take it out of there, and \
             replace the credential if anybody else could read it",
            name.escape_debug()
        ),
    )
    .with("variable", name))
}

/// Refuses provenance in which something looks like a credential, or the value of a secret variable stands.
pub(super) fn refuse_in(provenance: &Provenance, environment: &Environment) -> Result<()> {
    let json = serde_json::to_value(provenance)
        .map_err(|e| Error::new(ErrorKind::Malformed, format!("the provenance has no JSON form: {e}")).caused_by(e))?;
    let secrets: Vec<_> =
        environment.iter().filter(|(name, value)| value.len() >= SHORTEST && is_secret_name(name)).collect();
    let mut open = vec![("provenance".to_owned(), &json)];
    while let Some((place, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    look(&place, name, &secrets)?;
                    open.push((name.clone(), value));
                }
            }
            Value::Array(items) => open.extend(items.iter().map(|item| (place.clone(), item))),
            Value::String(text) => look(&place, text, &secrets)?,
            _ => {}
        }
    }
    Ok(())
}

fn look(place: &str, text: &str, secrets: &[(&str, &str)]) -> Result<()> {
    refuse(place, text)?;
    match secrets.iter().find(|(_, secret)| text.contains(secret)) {
        Some((name, _)) => Err(Error::new(
            ErrorKind::Malformed,
            format!(
                "`{}` of the provenance holds the value of the secret variable `{}`; take it out of there",
                place.escape_debug(),
                name.escape_debug()
            ),
        )
        .with("variable", name)),
        None => Ok(()),
    }
}

/// Why a value looks like a credential, if it does.
fn credential(value: &str) -> Option<&'static str> {
    if value.contains("-----BEGIN") {
        return Some("a PEM block");
    }
    if urls(value).any(has_user_info) {
        return Some("a URL with user and password");
    }
    words(value).find_map(|word| {
        let known = PREFIXES.iter().any(|p| word.strip_prefix(p).is_some_and(|rest| rest.len() >= SHORTEST));
        let aws = (word.starts_with("AKIA") || word.starts_with("ASIA"))
            && word.len() == 20
            && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let jwt = word.starts_with("eyJ") && word.split('.').filter(|part| part.len() >= 10).count() >= 2;
        match (known, aws, jwt) {
            (true, _, _) => Some("the beginning of a known kind of token"),
            (_, true, _) => Some("the form of an access key id"),
            (_, _, true) => Some("the form of a JSON web token"),
            _ => None,
        }
    })
}

/// What stands behind each `://`, with the scheme before it.
fn urls(value: &str) -> impl Iterator<Item = (&str, &str)> {
    value.match_indices("://").map(|(at, mark)| {
        let (before, rest) = value.split_at(at);
        let scheme = before.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        (scheme, rest.get(mark.len()..).unwrap_or_default())
    })
}

fn has_user_info((scheme, rest): (&str, &str)) -> bool {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host.rsplit_once('@') {
        // `ssh://git@host` names an account, which is no secret
        Some((user, _)) => scheme != "ssh" || user.contains(':'),
        None => false,
    }
}

/// Runs of characters that tokens are made of.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).filter(|word| !word.is_empty())
}
