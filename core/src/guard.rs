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

use std::collections::BTreeMap;

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

    /// What is found in a text, by line; of each rule the first [`limits::GUARD_HITS`].
    pub fn text(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        for rule in &self.rules {
            let (mut line, mut counted) = (1, 0);
            for start in rule.finds(text).take(limits::GUARD_HITS) {
                line += text.get(counted..start).unwrap_or_default().bytes().filter(|b| *b == b'\n').count();
                counted = start;
                hits.push(rule.hit(format!("line {line}")));
            }
        }
        hits
    }

    /// What is found in the texts of a JSON value, in member names, and in a name and its value together, by JSON pointer;
    /// of each rule the first [`limits::GUARD_HITS`].
    pub fn json(&self, value: &Value) -> Vec<Hit> {
        let mut found = Found::default();
        self.walk(value, &mut String::new(), &mut found);
        found.hits
    }

    /// Refuses a statement in which something is found.
    ///
    /// # Errors
    /// `REGULATED_DATA`, naming each rule and place and no value; those of reading the predicate.
    pub fn check(&self, statement: &Statement) -> Result<()> {
        let mut hits = self.json(&statement.predicate_json()?);
        for (index, subject) in statement.subjects().iter().enumerate() {
            let named = [
                ("name", &subject.name),
                ("uri", &subject.uri),
                ("content", &subject.content),
                ("downloadLocation", &subject.download_location),
                ("mediaType", &subject.media_type),
            ];
            for (member, text) in named {
                let found = self.text(text.as_deref().unwrap_or_default());
                hits.extend(found.into_iter().map(|hit| Hit { place: format!("subject {index}, `{member}`"), ..hit }));
            }
            let mut found = Found::default();
            for (name, member) in subject.annotations.iter().flatten() {
                self.member(name, member, &mut String::new(), &mut found);
            }
            let place = |hit: &Hit| format!("subject {index}, `annotations`{}", hit.place);
            hits.extend(found.hits.into_iter().map(|hit| Hit { place: place(&hit), ..hit }));
            if hits.len() >= limits::GUARD_HITS {
                break;
            }
        }
        refuse("statement", &hits)
    }

    fn walk(&self, value: &Value, pointer: &mut String, found: &mut Found) {
        let length = pointer.len();
        match value {
            Value::String(text) => _ = self.at(text, pointer, found),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointer.push_str(&format!("/{index}"));
                    self.walk(item, pointer, found);
                    pointer.truncate(length);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.member(name, member, pointer, found);
                }
            }
            // a number may be an account as well
            Value::Number(number) => _ = self.at(&number.to_string(), pointer, found),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn member(&self, name: &str, member: &Value, pointer: &mut String, found: &mut Found) {
        /// Longer names are not repeated in each place.
        const NAME_BYTES: usize = 128;
        let length = pointer.len();
        // a name that is a finding itself is not shown
        let hidden = self.at(name, pointer, found) || name.len() > NAME_BYTES;
        pointer.push('/');
        pointer.push_str(if hidden { "…" } else { name });
        self.walk(member, pointer, found);
        let value = match member {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        if let Some(value) = value {
            self.together(name, &value, pointer, found);
        }
        pointer.truncate(length);
    }

    /// What neither a name nor its value tells alone: that some digits are the number of a record, some text a password.
    fn together(&self, name: &str, value: &str, pointer: &str, found: &mut Found) {
        for text in [format!("{name}: \"{value}\""), format!("{name}: {value}")] {
            for rule in &self.rules {
                let known = || rule.is_in(name) || rule.is_in(value) || found.ends_with(rule, pointer);
                if rule.is_in(&text) && !known() {
                    found.add(rule, pointer);
                }
            }
        }
    }

    /// Whether anything is found in `text`.
    fn at(&self, text: &str, pointer: &str, found: &mut Found) -> bool {
        let mut any = false;
        for rule in self.rules.iter().filter(|rule| rule.is_in(text)) {
            found.add(rule, pointer);
            any = true;
        }
        any
    }
}

/// What is found in a JSON value, and how often by each rule.
#[derive(Default)]
struct Found {
    hits: Vec<Hit>,
    counts: BTreeMap<String, usize>,
}

impl Found {
    fn add(&mut self, rule: &Rule, pointer: &str) {
        let count = self.counts.entry(rule.id.clone()).or_default();
        *count += 1;
        if *count <= limits::GUARD_HITS {
            self.hits.push(rule.hit(pointer.to_owned()));
        }
    }

    /// Whether the hits at `pointer`, which are the last ones, have one of `rule`.
    fn ends_with(&self, rule: &Rule, pointer: &str) -> bool {
        self.hits.iter().rev().take_while(|hit| hit.place == pointer).any(|hit| hit.rule == rule.id)
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
            self.check.finds(value.as_str()).map(|within| value.start() + within)
        })
    }

    fn is_in(&self, text: &str) -> bool {
        self.finds(text).next().is_some()
    }

    fn hit(&self, place: String) -> Hit {
        Hit { rule: self.id.clone(), class: self.class, place }
    }
}
