//! Searches free text for secrets and for data of people before it is signed: what a ledger holds, it holds for years.
//!
//! A finding names its rule and its place, never the value. Rules are data: patterns, and a check that tells a number that
//! only looks like a card or an account from one that is. Owners add rules of their own.
//!
//! ```
//! use sealwright::guard::Guard;
//! let guard = Guard::built_in();
//! let found = guard.text("ok\npaid with 4111 1111 1111 1111");
//! assert_eq!((found[0].rule.as_str(), found[0].place.as_str()), ("card-number", "line 2"));
//! assert!(guard.text("order 4111 1111 1111 1112").is_empty());
//! ```

mod checksum;
mod rules;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;
use crate::statement::Statement;

use self::checksum::Check;

/// Rules to search by.
#[derive(Clone, Debug)]
pub struct Guard {
    rules: Vec<Rule>,
}

/// What a rule looks for.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Keys, tokens and passwords.
    Secrets,
    /// Data of people: of their health, their accounts, their cards.
    Phi,
}

/// Something that was found.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// The rule.
    pub rule: String,
    /// What it looks for.
    pub class: Class,
    /// Where: a line, or a JSON pointer.
    pub place: String,
}

#[derive(Clone, Debug)]
struct Rule {
    id: String,
    class: Class,
    pattern: Regex,
    check: Check,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: String,
    rules: Vec<RuleWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleWire {
    id: String,
    class: Class,
    pattern: String,
    #[serde(default)]
    check: Check,
}

impl Guard {
    /// The rules that come with the library.
    pub fn built_in() -> Self {
        static BUILT_IN: std::sync::LazyLock<Vec<Rule>> = std::sync::LazyLock::new(|| {
            rules::RULES
                .iter()
                .filter_map(|(id, class, pattern, check)| {
                    Some(Rule { id: (*id).to_owned(), class: *class, pattern: compiled(pattern).ok()?, check: *check })
                })
                .collect()
        });
        Self { rules: BUILT_IN.clone() }
    }

    /// With rules of one's own, from JSON: `{"v": "sealwright-guard/v1", "rules": [{"id", "class", "pattern", "check"}]}`.
    /// `class` is `secrets` or `phi`; `pattern` is a regular expression, whose first group, or whole, is what `check` looks
    /// at: `luhn`, `ssn`, `iban`, `nhs`, or `none`, which is also what is meant without it.
    ///
    /// # Errors
    /// `MALFORMED` for something that is not known, an id twice, or a pattern that is none; `UNSUPPORTED` for another
    /// version; `LIMIT_EXCEEDED` for a pattern that is too long.
    pub fn with_rules(mut self, bytes: &[u8]) -> Result<Self> {
        let wire: Wire = json::parse("guard rules", bytes)?;
        if wire.v != "sealwright-guard/v1" {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the guard rules are of the version `{}`; `sealwright-guard/v1` is read",
                    wire.v.escape_debug()
                ),
            ));
        }
        for rule in wire.rules {
            let id = rule.id.escape_debug().to_string();
            if rule.id.is_empty() || self.rules.iter().any(|known| known.id == rule.id) {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    format!("the guard rule `{id}` has no id of its own; give it one"),
                ));
            }
            if rule.pattern.len() > limits::PATTERN_BYTES {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("the guard rule `{id}` is longer than {} bytes; split it", limits::PATTERN_BYTES),
                ));
            }
            let pattern = compiled(&rule.pattern).map_err(|e| {
                Error::new(ErrorKind::Malformed, format!("the guard rule `{id}` is no regular expression: {e}"))
                    .caused_by(e)
            })?;
            if pattern.is_match("") {
                return Err(Error::new(
                    ErrorKind::Malformed,
                    format!("the guard rule `{id}` finds something in no text at all"),
                ));
            }
            self.rules.push(Rule { id: rule.id, class: rule.class, pattern, check: rule.check });
        }
        Ok(self)
    }

    /// What is found in a text, by line.
    pub fn text(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        for rule in &self.rules {
            for start in rule.finds(text) {
                let line = text.get(..start).unwrap_or_default().bytes().filter(|b| *b == b'\n').count() + 1;
                hits.push(rule.hit(format!("line {line}")));
            }
        }
        hits
    }

    /// What is found in the texts of a JSON value, member names included, by JSON pointer.
    pub fn json(&self, value: &Value) -> Vec<Hit> {
        let mut hits = Vec::new();
        self.walk(value, &mut String::new(), &mut hits);
        hits
    }

    /// Refuses a statement in which something is found.
    ///
    /// # Errors
    /// `REGULATED_DATA`, naming each rule and place and no value; those of reading the predicate.
    pub fn check(&self, statement: &Statement) -> Result<()> {
        let mut hits = self.json(&statement.predicate_json()?);
        for (index, subject) in statement.subjects().iter().enumerate() {
            let named = [("name", &subject.name), ("uri", &subject.uri), ("content", &subject.content)];
            for (member, text) in named {
                let found = self.text(text.as_deref().unwrap_or_default());
                hits.extend(found.into_iter().map(|hit| Hit { place: format!("subject {index}, `{member}`"), ..hit }));
            }
        }
        refuse("statement", &hits)
    }

    fn walk(&self, value: &Value, pointer: &mut String, hits: &mut Vec<Hit>) {
        let length = pointer.len();
        match value {
            Value::String(text) => self.at(text, pointer, hits),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    self.walk(item, pointer, hits);
                    pointer.truncate(length);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    // a name that is a finding itself is not shown
                    let before = hits.len();
                    self.at(name, pointer, hits);
                    let shown = if hits.len() > before { "…" } else { name };
                    pointer.push('/');
                    pointer.push_str(shown);
                    self.walk(member, pointer, hits);
                    pointer.truncate(length);
                }
            }
            // a number may be an account as well
            Value::Number(number) => self.at(&number.to_string(), pointer, hits),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn at(&self, text: &str, pointer: &str, hits: &mut Vec<Hit>) {
        for rule in &self.rules {
            if rule.finds(text).next().is_some() {
                hits.push(rule.hit(pointer.to_owned()));
            }
        }
    }
}

/// `REGULATED_DATA` if there are any hits; `what` names the document.
///
/// # Errors
/// `REGULATED_DATA`.
pub fn refuse(what: &str, hits: &[Hit]) -> Result<()> {
    const SHOWN: usize = 5;
    if hits.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = hits.iter().take(SHOWN).map(|hit| format!("`{}` at {}", hit.rule, hit.place)).collect();
    let more = hits.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Err(Error::new(
        ErrorKind::RegulatedData,
        format!(
            "the {what} holds what must not be signed: {}{more}; take it out, for a ledger forgets nothing",
            shown.join(", ")
        ),
    ))
}

fn compiled(pattern: &str) -> std::result::Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).size_limit(limits::PATTERN_PROGRAM_BYTES).build()
}

impl Rule {
    /// Where it finds something.
    fn finds<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.pattern.captures_iter(text).filter_map(|found| {
            let value = found.get(1).or_else(|| found.get(0))?;
            self.check.holds(value.as_str()).then_some(value.start())
        })
    }

    fn hit(&self, place: String) -> Hit {
        Hit { rule: self.id.clone(), class: self.class, place }
    }
}
