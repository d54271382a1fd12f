//! The retention schedule: rules and periods of the control catalogue, and what an organisation adds to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::period::Period;
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;
use crate::{json, limits};

const FORMAT: &str = "sealwright-retention/v1";
/// In `supportEnds`, all releases that are not named.
const ALL: &str = "*";
/// The catalogue of controls, which holds retention rules and says which evidence each control asks for.
const CATALOGUE: &str = include_str!("../../report/controls.json");

/// How long records are kept. The longest rule of all enabled frameworks wins, and of all rules added.
///
/// ```
/// use sealwright::ledger::Schedule;
/// let schedule = Schedule::parse(
///     br#"{"v":"sealwright-retention/v1","frameworks":["hipaa-security-rule","pci-dss-4.0.1"]}"#,
/// )?;
/// assert_eq!(schedule.longest(&["build.provenance"]), [("hipaa-doc", "P6Y".to_owned())]);
/// # Ok::<(), sealwright::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    wire: Wire,
    rules: BTreeMap<String, Rule>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wire {
    v: String,
    /// Ids of the catalogue.
    frameworks: BTreeSet<String>,
    /// Rules beside those of the catalogue.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<AddedRule>,
    /// Periods for rules of the catalogue that leave them to the organisation, or longer ones.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    periods: BTreeMap<String, String>,
    /// When support of a release ends, by its id; `*` for all others.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    support_ends: BTreeMap<String, Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddedRule {
    id: String,
    minimum: String,
    #[serde(default)]
    starts_from: StartsFrom,
    /// For records of these kinds; of none means of all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    kinds: BTreeSet<String>,
    /// For records of these predicate types; of none means of all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    predicate_types: BTreeSet<String>,
}

/// From when on a period counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StartsFrom {
    /// When it was logged.
    #[default]
    Creation,
    /// The same, or when what it says was last in effect, if that is later.
    LastEffective,
    /// When support of its release ends.
    EndOfSupport,
    /// When its release was made.
    Release,
}

/// A rule as it is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// None if nobody says how long.
    pub(super) period: Option<Period>,
    pub(super) starts_from: StartsFrom,
}

/// What the catalogue says of retention.
struct Catalogue {
    rules: BTreeMap<String, Rule>,
    /// Whether the catalogue's period is one that may not be shortened.
    stated: BTreeMap<String, Period>,
    /// By framework: rules by kind of evidence.
    frameworks: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// By framework: all its rules.
    all: BTreeMap<String, BTreeSet<String>>,
}

static RULES: LazyLock<Result<Catalogue>> = LazyLock::new(Catalogue::read);

impl Schedule {
    /// The rules of these frameworks of the catalogue.
    ///
    /// # Errors
    /// `MALFORMED` for a framework that is not in the catalogue or not in force.
    pub fn of_frameworks<'f>(frameworks: impl IntoIterator<Item = &'f str>) -> Result<Self> {
        Self::of(Wire {
            v: FORMAT.to_owned(),
            frameworks: frameworks.into_iter().map(str::to_owned).collect(),
            rules: Vec::new(),
            periods: BTreeMap::new(),
            support_ends: BTreeMap::new(),
        })
    }

    /// Reads a schedule: `frameworks` (ids of the catalogue), and if wanted `rules` (each `id`, `minimum`, `startsFrom`,
    /// `kinds`, `predicateTypes`), `periods` (by rule of the catalogue) and `supportEnds` (by release id, `*` for all
    /// others).
    ///
    /// # Errors
    /// `MALFORMED`, also for a period shorter than the catalogue states; `UNSUPPORTED` for another version;
    /// `LIMIT_EXCEEDED`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > limits::SCHEDULE_BYTES {
            return Err(Error::new(ErrorKind::LimitExceeded, "the retention schedule is too long to be one"));
        }
        let wire: Wire = json::parse("retention schedule", bytes)?;
        if wire.v != FORMAT {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("a schedule of format `{}`, expected `{FORMAT}`; use a newer version", wire.v.escape_debug()),
            ));
        }
        Self::of(wire)
    }

    /// Its one form: RFC 8785 JSON. By its digest approvals and decisions name it.
    ///
    /// # Errors
    /// `INTERNAL` if it can't be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        json::canonical("retention schedule", &self.wire)
    }

    /// The rules that apply to evidence of these kinds, with their periods, the longest first; a rule without a period is
    /// left to the organisation and stands at the front.
    pub fn longest(&self, kinds: &[&str]) -> Vec<(&str, String)> {
        let kinds = kinds.iter().map(|k| (*k).to_owned()).collect();
        let since = Timestamp::from_unix_millis(0).ok();
        let mut applied = self.applying(&kinds, "");
        let end = |rule: &Rule| rule.period.as_ref().zip(since).and_then(|(p, since)| p.after(since).ok());
        applied.sort_by_key(|(id, rule)| (end(rule).map_or(i64::MIN, |t| -t.unix_millis()), *id));
        let named = applied
            .into_iter()
            .map(|(id, rule)| (id, rule.period.as_ref().map_or_else(|| "not stated".to_owned(), ToString::to_string)));
        named.collect()
    }

    /// The rules for a record. What no enabled framework asks for is kept as long as anything is.
    pub(super) fn applying(&self, kinds: &BTreeSet<String>, predicate_type: &str) -> Vec<(&str, &Rule)> {
        let mut ids: BTreeSet<&str> = BTreeSet::new();
        if let Ok(catalogue) = RULES.as_ref() {
            let enabled = || self.wire.frameworks.iter().filter_map(|f| catalogue.frameworks.get(f));
            let of_kinds = enabled().flat_map(|by_kind| kinds.iter().filter_map(|kind| by_kind.get(kind)));
            ids.extend(of_kinds.flatten().map(String::as_str));
            if ids.is_empty() {
                let all = self.wire.frameworks.iter().filter_map(|f| catalogue.all.get(f));
                ids.extend(all.flatten().map(String::as_str));
            }
        }
        let added = self.wire.rules.iter().filter(|rule| {
            (rule.kinds.is_empty() || !rule.kinds.is_disjoint(kinds))
                && (rule.predicate_types.is_empty() || rule.predicate_types.contains(predicate_type))
        });
        ids.extend(added.map(|rule| rule.id.as_str()));
        ids.into_iter().filter_map(|id| self.rules.get_key_value(id)).map(|(id, rule)| (id.as_str(), rule)).collect()
    }

    /// When support of a release ends, if somebody said so.
    pub(super) fn support_end(&self, release: &str) -> Option<Timestamp> {
        self.wire.support_ends.get(release).or_else(|| self.wire.support_ends.get(ALL)).copied()
    }

    /// All kinds and types it knows, which is what the labels of an encrypted ledger can be compared with.
    pub(super) fn known_kinds() -> BTreeSet<&'static str> {
        let catalogue = RULES.as_ref().ok();
        catalogue.into_iter().flat_map(|c| c.frameworks.values()).flat_map(|by| by.keys().map(String::as_str)).collect()
    }

    /// Types that rules were added for.
    pub(super) fn named_types(&self) -> impl Iterator<Item = &str> {
        self.wire.rules.iter().flat_map(|rule| rule.predicate_types.iter().map(String::as_str))
    }

    /// Kinds that rules were added for.
    pub(super) fn named_kinds(&self) -> impl Iterator<Item = &str> {
        self.wire.rules.iter().flat_map(|rule| rule.kinds.iter().map(String::as_str))
    }

    fn of(wire: Wire) -> Result<Self> {
        let catalogue = RULES.as_ref().map_err(|e| Error::new(ErrorKind::Internal, e.message().to_owned()))?;
        if wire.frameworks.is_empty() && wire.rules.is_empty() {
            return Err(malformed("a schedule without frameworks and rules keeps nothing; name what applies"));
        }
        if let Some(unknown) = wire.frameworks.iter().find(|f| !catalogue.all.contains_key(*f)) {
            let known: Vec<_> = catalogue.all.keys().map(String::as_str).collect();
            let unknown = unknown.escape_debug();
            return Err(malformed(&format!("the framework `{unknown}` is none in force of: {}", known.join(", "))));
        }
        let mut rules = catalogue.rules.clone();
        for (id, period) in &wire.periods {
            let rule = rules.get_mut(id).ok_or_else(|| {
                malformed(&format!("the catalogue has no rule `{}`; add it under `rules`", id.escape_debug()))
            })?;
            let period: Period = period.parse()?;
            let epoch = Timestamp::from_unix_millis(0)?;
            if let Some(stated) = catalogue.stated.get(id)
                && period.after(epoch)? < stated.after(epoch)?
            {
                return Err(malformed(&format!("the rule `{id}` states `{stated}`, and `{period}` is shorter")));
            }
            rule.period = Some(period);
        }
        for added in &wire.rules {
            let rule = Rule { period: Some(added.minimum.parse()?), starts_from: added.starts_from };
            if added.id.is_empty() || rules.insert(added.id.clone(), rule).is_some() {
                let id = added.id.escape_debug();
                return Err(malformed(&format!("the rule `{id}` is there already, or has no id; give it another one")));
            }
        }
        Ok(Self { wire, rules })
    }
}

impl Catalogue {
    fn read() -> Result<Self> {
        let wire: CatalogueWire = json::parse("catalogue of controls", CATALOGUE.as_bytes())?;
        let mut rules = BTreeMap::new();
        let mut stated = BTreeMap::new();
        for (id, rule) in wire.retention_rules {
            let Some(starts_from) = rule.starts_from else { continue };
            let starts_from = match starts_from.as_str() {
                "creation" => StartsFrom::Creation,
                "later of creation and last effective date" => StartsFrom::LastEffective,
                "end of support of the release" => StartsFrom::EndOfSupport,
                "release for distribution" => StartsFrom::Release,
                other => return Err(malformed(&format!("the start `{other}` of the rule `{id}` is not known"))),
            };
            let minimum: Option<Period> = rule.minimum.as_deref().map(str::parse).transpose()?;
            if let Some(minimum) = &minimum {
                stated.insert(id.clone(), minimum.clone());
            }
            let recommended: Option<Period> = rule.recommended.as_deref().map(str::parse).transpose()?;
            rules.insert(id, Rule { period: minimum.or(recommended), starts_from });
        }
        let mut frameworks: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for framework in wire.frameworks.into_iter().filter(|f| f.status == "in-force") {
            frameworks.insert(framework.id.clone(), BTreeMap::new());
            all.insert(framework.id, BTreeSet::new());
        }
        for control in wire.controls.into_iter().filter(|c| c.status == "in-force") {
            let (Some(by_kind), Some(all)) = (frameworks.get_mut(&control.framework), all.get_mut(&control.framework))
            else {
                continue;
            };
            if !rules.contains_key(&control.retention.rule_id) {
                continue;
            }
            all.insert(control.retention.rule_id.clone());
            for kind in control.evidence.all_of.into_iter().flat_map(|group| group.any_of) {
                by_kind.entry(kind).or_default().insert(control.retention.rule_id.clone());
            }
        }
        Ok(Self { rules, stated, frameworks, all })
    }
}

fn malformed(why: &str) -> Error {
    Error::new(ErrorKind::Malformed, why)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CatalogueWire {
    retention_rules: BTreeMap<String, RuleWire>,
    frameworks: Vec<FrameworkWire>,
    controls: Vec<ControlWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleWire {
    minimum: Option<String>,
    recommended: Option<String>,
    starts_from: Option<String>,
}

#[derive(Deserialize)]
struct FrameworkWire {
    id: String,
    status: String,
}

#[derive(Deserialize)]
struct ControlWire {
    framework: String,
    status: String,
    evidence: EvidenceWire,
    retention: ControlRetention,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EvidenceWire {
    all_of: Vec<GroupWire>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupWire {
    any_of: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ControlRetention {
    rule_id: String,
}
