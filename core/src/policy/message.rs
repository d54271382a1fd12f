//! The text of a check: its template filled with what the rule found, bounded and clean.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bundle::Check;

/// Longest value put into a message, in characters.
const VALUE_CHARS: usize = 200;
/// Longest text of what was found, and of how to fix it, in characters; what does not fit is counted.
const TEXT_CHARS: usize = 260;

/// What a rule found, to be put into the message of its check.
pub(super) type Fields = BTreeMap<String, FieldValue>;

/// A value of a placeholder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum FieldValue {
    Number(i64),
    Text(String),
}

/// Where and about what the check was asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) environment: &'a str,
    /// SHA-256 of the artifact, as hex.
    pub(super) sha256: Option<&'a str>,
}

/// The message as printed, and the fix alone.
pub(super) fn render(check: &Check, place: Place<'_>, fields: &[Fields]) -> (String, String) {
    let none = [Fields::new()];
    let fields = if fields.is_empty() { &none } else { fields };
    let message = lines(&check.message, place, fields);
    let fix = lines(&check.fix, place, fields);
    (line(check, place, &message, &fix), fix)
}

/// A line of the template for each thing found, each line once, as many as fit.
fn lines(template: &str, place: Place<'_>, fields: &[Fields]) -> String {
    let mut all: Vec<String> = Vec::new();
    for found in fields {
        let line = fill(template, place, found);
        if !all.contains(&line) {
            all.push(line);
        }
    }
    let mut left = TEXT_CHARS;
    let fit = all.iter().take_while(|line| {
        let length = line.chars().count() + 1;
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    });
    // the first one is told in any case
    let shown = fit.count().max(1).min(all.len());
    let more = all.len() - shown;
    let mut text = shortened(&all.drain(..shown).collect::<Vec<_>>().join(" "), TEXT_CHARS);
    if more > 0 {
        text.push_str(&format!(" And {more} more."));
    }
    text
}

/// The format of checks.json: `{id} {environment} {digest12}: {message} Answers: … Controls: … Fix: …`.
pub(super) fn line(check: &Check, place: Place<'_>, message: &str, fix: &str) -> String {
    let digest12 = place.sha256.and_then(|hex| hex.get(..12)).unwrap_or("unknown");
    format!(
        "{} {} {}: {message} Answers: {} Controls: {}. Fix: {fix}",
        check.id,
        clean(place.environment),
        clean(digest12),
        check.question,
        check.controls.join(", ")
    )
}

/// Replaces each `{placeholder}`; one without a value becomes `unknown`.
fn fill(template: &str, place: Place<'_>, fields: &Fields) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            text.push('{');
            rest = after;
            break;
        };
        match (fields.get(name), name) {
            (Some(FieldValue::Text(value)), _) => text.push_str(&clean(value)),
            (Some(FieldValue::Number(value)), _) => text.push_str(&value.to_string()),
            (None, "environment") => text.push_str(&clean(place.environment)),
            (None, "digest") => match place.sha256 {
                Some(hex) => text.push_str(&clean(&format!("sha256:{hex}"))),
                None => text.push_str("unknown"),
            },
            (None, _) => text.push_str("unknown"),
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// One bounded line without control characters and without those that turn the direction of text.
pub(super) fn clean(value: &str) -> String {
    let hidden = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    shortened(&value.chars().filter(hidden).collect::<String>(), VALUE_CHARS)
}

fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
