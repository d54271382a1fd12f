//! The policy bundle: checks, tables and rules in one canonical JSON document.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::engine::Compiled;
use super::need::Tables;
use super::rules;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use crate::json::{self, Value};
use crate::limits;

/// The check that the core decides, by whether all others were decided.
pub(super) const DECIDED: &str = "EV-POL-002";

/// A policy bundle that was read, checked and compiled.
///
/// Its signature and approval are verified elsewhere; its digest is SHA-256 of the bytes it was read from.
#[derive(Clone, Debug)]
pub struct PolicyBundle {
    document: Document,
    digest: Digest,
    pub(super) tables: Tables,
    pub(super) compiled: Compiled,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Document {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) profile: Profile,
    pub(super) checks: Vec<Check>,
    pub(super) tables: Value,
    pub(super) modules: BTreeMap<String, String>,
}

/// The base a bundle decides by, with everything it leaves out of the default policy (policy section 8.2).
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// `default`, `starter`.
    pub name: String,
    /// Whether one operator runs everything.
    pub single_operator: bool,
    /// What it does not ask for, and why.
    pub leaves_out: Vec<LeftOut>,
}

/// A check, or a part of one, that a profile leaves out.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeftOut {
    /// The id of the check.
    pub check: String,
    /// `all`, or which part.
    pub part: String,
    /// Why.
    pub why: String,
}

/// What a bundle declares of a check it carries (policy section 7).
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {
    /// Its id, such as `EV-SIG-001`.
    pub id: String,
    /// The question it answers.
    pub question: String,
    /// When it passes, in words.
    pub passes: String,
    /// What a failure says, with `{placeholders}`.
    pub message: String,
    /// How to meet it, with `{placeholders}`.
    pub fix: String,
    /// The controls it serves, such as `nist:AC-5`.
    pub controls: Vec<String>,
    /// The weight of a failure in reports.
    pub severity: Severity,
    /// The role that answers for it.
    pub owner: String,
    /// Advisory before, enforced from then on; RFC 3339. What cannot be read counts as past.
    pub effective_on: String,
    /// Who may waive it.
    pub waivable: Waivable,
    /// What becomes of it on the emergency path.
    pub emergency: EmergencyRule,
    /// The gates that ask it.
    pub gates: Vec<String>,
}

/// The weight of a failure in findings and reports; it does not decide.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Low.
    Low,
    /// Moderate.
    Moderate,
    /// High.
    High,
    /// Critical.
    Critical,
}

/// Whether an exception grant may waive a check.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waivable {
    /// No grant may.
    Never,
    /// By the approvers of the exception table.
    Yes,
    /// As yes, and always with security.
    OwnerAndSecurity,
}

/// What becomes of a check on the emergency path.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmergencyRule {
    /// It is asked as ever.
    Asked,
    /// It is told and does not decide.
    Warned,
    /// It is put off until the review.
    Deferred,
    /// It is not asked.
    NotAsked,
}

impl PolicyBundle {
    /// Reads a bundle from its canonical JSON and compiles its rules.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED` over 16 MiB, `MALFORMED` if it is not canonical JSON, a check lacks a part of its metadata, its
    /// rule or its row in the tables, a rule has no check, or a rule file (named with its line) has a syntax error, a
    /// default that passes, recursion, or a function that rules may not call.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() as u64 > limits::POLICY_BUNDLE_BYTES {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("the policy bundle is longer than {} bytes; take rules out", limits::POLICY_BUNDLE_BYTES),
            ));
        }
        let document: Document = json::parse("policy bundle", bytes)?;
        if json::canonical("policy bundle", &document)? != bytes {
            return Err(malformed("it is not in canonical form (RFC 8785); write it with sorted keys and no blanks"));
        }
        require_metadata(&document)?;
        let tables = Tables::parse(&document.tables)?;
        for check in &document.checks {
            if !tables.asks(&check.id) {
                return Err(malformed(&format!(
                    "the check `{}` stands in no row of `tables.evidence` and no gate of `tables.otherGates`; \
                     say where it is asked",
                    check.id
                )));
            }
        }
        let (engine, syntax) = Compiled::parse_modules(&document.modules)?;
        let decided = rules::require_sound(&syntax)?;
        require_same(&document.checks, &decided)?;
        let compiled = Compiled::prepare(engine, &document.tables)?;
        Ok(Self { document, digest: Digest::sha256(bytes), tables, compiled })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.document.name
    }

    /// Its version.
    pub fn version(&self) -> &str {
        &self.document.version
    }

    /// SHA-256 of its bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The profile it decides by.
    pub fn profile(&self) -> &Profile {
        &self.document.profile
    }

    /// What that profile leaves out of the default policy.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.document.profile.leaves_out
    }

    /// The checks it carries, in its order.
    pub fn checks(&self) -> &[Check] {
        &self.document.checks
    }

    pub(super) fn tables_value(&self) -> &Value {
        &self.document.tables
    }

    /// The check of that id, if it is carried.
    pub fn check(&self, id: &str) -> Option<&Check> {
        self.document.checks.iter().find(|check| check.id == id)
    }
}

/// That no part of the metadata is blank: a check that cannot say what it asks must not decide.
fn require_metadata(document: &Document) -> Result<()> {
    if document.checks.is_empty() {
        return Err(malformed("it carries no check; an empty rule set would decide nothing"));
    }
    let mut seen = BTreeSet::new();
    for check in &document.checks {
        let Check { id, question, passes, message, fix, owner, effective_on, .. } = check;
        let parts = [
            ("id", id),
            ("question", question),
            ("passes", passes),
            ("message", message),
            ("fix", fix),
            ("owner", owner),
            ("effectiveOn", effective_on),
        ];
        if let Some((part, _)) = parts.iter().find(|(_, text)| text.trim().is_empty()) {
            return Err(malformed(&format!("the check `{id}` has an empty `{part}`; write it")));
        }
        for (part, list) in [("controls", &check.controls), ("gates", &check.gates)] {
            if list.is_empty() || list.iter().any(|text| text.trim().is_empty()) {
                return Err(malformed(&format!("the check `{id}` names no `{part}`; name at least one")));
            }
        }
        if !seen.insert(id) {
            return Err(malformed(&format!("the check `{id}` stands twice; keep one")));
        }
    }
    for left_out in &document.profile.leaves_out {
        if left_out.part == "all" && seen.contains(&left_out.check) {
            return Err(malformed(&format!(
                "the profile leaves out all of `{}`, which the bundle carries; keep one of the two",
                left_out.check
            )));
        }
    }
    Ok(())
}

/// That each check has a rule, and each rule a check.
fn require_same(checks: &[Check], decided: &BTreeSet<String>) -> Result<()> {
    for check in checks {
        if check.id != DECIDED && !decided.contains(&check.id) {
            return Err(malformed(&format!(
                "the check `{}` has no rule; define `checks[\"{}\"]` in a rule file",
                check.id, check.id
            )));
        }
    }
    for id in decided {
        if id == DECIDED {
            return Err(malformed(&format!("a rule defines `{DECIDED}`, which the core decides; take the rule out")));
        }
        if !checks.iter().any(|check| check.id == *id) {
            return Err(malformed(&format!(
                "a rule defines the check `{id}`, which has no metadata; \
                 say its question, message, fix and controls in `checks`"
            )));
        }
    }
    Ok(())
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Malformed, format!("the policy bundle is refused: {what}"))
}
