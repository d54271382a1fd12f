//! The text of a check: its template filled with what the rule found, bounded and clean.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::bundle::Check;

/// Longest value put into a message, in characters.
const VALUE_CHARS: usize = 200;
/// Most lines of one message.
const LINES: usize = 20;

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
    let mut messages: Vec<String> = Vec::new();
    let mut fixes: Vec<String> = Vec::new();
    for found in fields.iter().take(LINES) {
        let message = fill(&check.message, place, found);
        if !messages.contains(&message) {
            messages.push(message);
        }
        let fix = fill(&check.fix, place, found);
        if !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    if fields.len() > LINES {
        messages.push(format!("And {} more.", fields.len() - LINES));
    }
    let fix = fixes.join(" ");
    (line(check, place, &messages.join(" "), &fix), fix)
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
    let mut chars = value.chars().filter(hidden);
    let mut text: String = chars.by_ref().take(VALUE_CHARS).collect();
    if chars.next().is_some() {
        text.push('…');
    }
    text
}
