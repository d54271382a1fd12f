//! Which checks the tables demand for an input, how strictly, and how many people in which roles.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::bundle::Check;
use super::input::Input;
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::timestamp::Timestamp;

/// Environment classes from the first to the strictest; each comes after the one before it.
const CLASSES: [&str; 3] = ["dev", "staging", "prod"];
/// Kinds of seats that one approval table may name; their subsets are counted.
const SEAT_KINDS: usize = 8;

/// The tables of a bundle that the core itself reads; rules see all of them as `data.tables`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tables {
    vocabulary: Vocabulary,
    evidence: Vec<Row>,
    other_gates: BTreeMap<String, Vec<String>>,
    approvals: Approvals,
    tiers: Tiers,
    release_kinds: BTreeMap<String, ReleaseKind>,
}

#[derive(Clone, Debug, Deserialize)]
struct Vocabulary {
    environments: BTreeMap<String, String>,
    categories: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    check: String,
    #[serde(default)]
    test_kinds: Vec<String>,
    #[serde(flatten)]
    columns: BTreeMap<String, Value>,
}

/// How strictly a cell asks, from not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Need {
    NotAsked,
    Advised,
    Required,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Approvals {
    source_review: BTreeMap<String, Seats>,
    dev: BTreeMap<String, Seats>,
    staging: BTreeMap<String, Seats>,
    prod: BTreeMap<String, Seats>,
    max_age: BTreeMap<String, String>,
    policy: Seats,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Seats {
    Auto(Auto),
    Rows(Vec<Seat>),
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Auto {
    Auto,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seat {
    role: String,
    count: u64,
    at_least_one: Option<String>,
    /// `auto` unless one of these overlays is in force; a bundle of this format has none.
    #[serde(default)]
    auto_unless_overlay: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tiers {
    order: Vec<String>,
    of_category: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReleaseKind {
    not_asked: Vec<String>,
}

/// What the tables demand for an input; rules see it as `input.demand`.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Demand {
    /// `build`, `dev`, `staging` or `prod`: what the gate and the target are judged as.
    pub class: String,
    /// The classes a release passes before this one, in order.
    pub lower: Vec<String>,
    /// The last of them.
    pub previous: Option<String>,
    /// The tier that rules of duty go by.
    pub tier: String,
    /// Whether only ids that the trust policy maps to people count (rule S8).
    pub mapped_only: bool,
    /// Whether one approver must not have reviewed the source (rule S2).
    pub second_look: bool,
    /// Which kinds of tests.
    pub test_kinds: TestKinds,
    /// Who must review the source.
    pub source_review: ApprovalDemand,
    /// Who must approve the promotion.
    pub approvals: ApprovalDemand,
    /// Who must have approved the policy.
    pub policy_approvals: ApprovalDemand,
    /// The oldest approval of a promotion that counts, in seconds.
    pub max_age_seconds: i64,
    /// Whether the ledger must extend the highest checkpoint seen.
    pub anchored: bool,
    /// SHA-256 of the bundle that decides, as hex.
    pub bundle: String,
}

/// Kinds of tests that are demanded.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestKinds {
    /// Those that decide.
    pub required: Vec<String>,
    /// Those that are told.
    pub advised: Vec<String>,
}

/// How many people, in which roles.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalDemand {
    /// How many people in all.
    pub need: u64,
    /// Every set of seats, with how many people must be able to fill one of them. By Hall's theorem the seats can be
    /// filled with one person each exactly if every set has enough people.
    pub groups: Vec<SeatGroup>,
}

/// A set of seats.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeatGroup {
    /// For each seat the roles its person needs, all of them.
    pub seats: Vec<Vec<String>>,
    /// How many different people it takes.
    pub count: u64,
}

/// What is demanded, check by check.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) demand: Demand,
    /// How strictly each carried check is asked.
    pub(super) needs: BTreeMap<String, Need>,
}

impl Tables {
    pub(super) fn parse(tables: &Value) -> Result<Self> {
        let parsed: Self = serde_json::from_value(tables.clone()).map_err(|e| {
            Error::new(ErrorKind::Malformed, format!("`tables` of the policy bundle are not those expected: {e}"))
                .caused_by(e)
        })?;
        for row in &parsed.evidence {
            for class in CLASSES {
                if !row.columns.get(class).is_some_and(Value::is_object) {
                    return Err(Error::new(
                        ErrorKind::Malformed,
                        format!("the row of `{}` in `tables.evidence` has no column `{class}`; add it", row.check),
                    ));
                }
            }
        }
        Ok(parsed)
    }

    /// Whether any row or gate names the check.
    pub(super) fn asks(&self, check: &str) -> bool {
        self.evidence.iter().any(|row| row.check == check)
            || self.other_gates.values().flatten().any(|named| named == check)
    }

    /// What an input demands of the carried `checks`.
    ///
    /// # Errors
    /// `POLICY_UNDECIDED` for a gate this bundle cannot decide, and for tables that leave a cell open.
    pub(super) fn plan(&self, checks: &[Check], input: &Input, bundle: &str) -> Result<Plan> {
        let build = input.gate == "build";
        if !build && self.other_gates.contains_key(&input.gate) {
            return Err(undecided(&format!("the bundle does not decide the gate `{}`", input.gate)));
        }
        let class = self.class(input);
        let lower = CLASSES.iter().take_while(|other| **other != class).map(|other| (*other).to_owned());
        let lower: Vec<String> = if build { Vec::new() } else { lower.collect() };
        let categories = self.categories(input);
        let bumped = input.change.as_ref().is_some_and(|change| change.bumped);
        let tier = self.tier(input, &categories);
        let high = self.tiers.order.iter().position(|other| other == "high").unwrap_or(0);
        let mapped_only = tier >= high;

        let mut needs = BTreeMap::new();
        let mut kinds: Vec<(Need, &str)> = Vec::new();
        for row in &self.evidence {
            let need = if build { self.build_need(row) } else { row.need(class, &categories, bumped) };
            kinds.extend(row.test_kinds.iter().map(|kind| (need, kind.as_str())));
            let strictest = needs.entry(row.check.clone()).or_insert(need);
            *strictest = need.max(*strictest);
        }
        let tests = kinds.iter().map(|(need, _)| *need).max().unwrap_or(Need::NotAsked);
        let of = |wanted: Need| {
            let found: BTreeSet<&str> = kinds.iter().filter(|(need, _)| *need == wanted).map(|(_, k)| *k).collect();
            found.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let test_kinds = TestKinds {
            required: if tests == Need::NotAsked { Vec::new() } else { of(tests) },
            advised: if tests == Need::Required { of(Need::Advised) } else { Vec::new() },
        };
        for check in checks {
            let need = needs.entry(check.id.clone()).or_insert(Need::NotAsked);
            if self.release_kinds.get(&input.release_kind).is_some_and(|kind| kind.not_asked.contains(&check.id)) {
                *need = Need::NotAsked;
            }
            let starts = check.effective_on.parse::<Timestamp>().map_or(i64::MIN, Timestamp::unix_seconds);
            if starts > input.now_unix {
                *need = Need::Advised.min(*need);
            }
        }
        needs.retain(|id, _| checks.iter().any(|check| check.id == *id));

        let table = match class {
            "dev" => &self.approvals.dev,
            "staging" => &self.approvals.staging,
            _ => &self.approvals.prod,
        };
        let bumped_auto = bumped && class != "dev";
        let max_age_seconds =
            categories.iter().map(|c| self.approvals.max_age.get(*c).and_then(|age| seconds(age))).min().flatten();
        Ok(Plan {
            demand: Demand {
                class: if build { "build" } else { class }.to_owned(),
                previous: lower.last().cloned(),
                lower,
                tier: self.tiers.order.get(tier).cloned().unwrap_or_default(),
                mapped_only,
                second_look: mapped_only && !build && class == "prod",
                test_kinds,
                source_review: demand(&self.approvals.source_review, &categories, false)?,
                approvals: if build { ApprovalDemand::default() } else { demand(table, &categories, bumped_auto)? },
                policy_approvals: groups(merge([&self.approvals.policy], false))?,
                max_age_seconds: max_age_seconds
                    .ok_or_else(|| undecided("`tables.approvals.maxAge` leaves a category out"))?,
                anchored: !build && class != "dev",
                bundle: bundle.to_owned(),
            },
            needs,
        })
    }

    /// The stricter of what the gate's name and the target's class say; what is unknown is prod.
    fn class(&self, input: &Input) -> &'static str {
        let of = |name: &str| {
            let class = self.vocabulary.environments.get(name).map_or("prod", String::as_str);
            CLASSES.iter().position(|other| *other == class).unwrap_or(CLASSES.len() - 1)
        };
        let place = of(&input.gate).max(of(&input.target.class));
        CLASSES.get(place).copied().unwrap_or("prod")
    }

    /// The columns in force: those of the change, or all of them.
    fn categories<'a>(&'a self, input: &'a Input) -> Vec<&'a str> {
        let all = &self.vocabulary.categories;
        let declared = input.change.as_ref().map(|change| &change.categories);
        let known = declared.filter(|list| !list.is_empty() && list.iter().all(|category| all.contains(category)));
        known.unwrap_or(all).iter().map(String::as_str).collect()
    }

    /// The higher of what the change says and what its categories say, as a place in the order of tiers.
    fn tier(&self, input: &Input, categories: &[&str]) -> usize {
        let top = self.tiers.order.len().saturating_sub(1);
        let place = |tier: &str| self.tiers.order.iter().position(|other| other == tier).unwrap_or(top);
        let of_category = |category: &&str| self.tiers.of_category.get(*category).map_or(top, |tier| place(tier));
        let declared = input.change.as_ref().map_or(top, |change| place(&change.tier));
        // with no usable category all columns count, clinical-risk among them, which is the top
        categories.iter().map(of_category).max().unwrap_or(top).max(declared)
    }

    /// The gate `build` has no columns: its list asks, and of the tests those that are asked everywhere.
    fn build_need(&self, row: &Row) -> Need {
        let listed = self.other_gates.get("build").is_some_and(|list| list.contains(&row.check));
        let everywhere = row.test_kinds.is_empty() || row.need("dev", &["any"], false) > Need::NotAsked;
        if listed && everywhere { Need::Required } else { Need::NotAsked }
    }
}

impl Row {
    fn need(&self, class: &str, categories: &[&str], bumped: bool) -> Need {
        let column = self.columns.get(class);
        let cell = |category: &&str| {
            let cell = column.and_then(|column| column.get("any").or_else(|| column.get(*category)));
            match cell.and_then(|cell| cell.get("need")).and_then(Value::as_str) {
                Some("-") => Need::NotAsked,
                Some("W") if !bumped => Need::Advised,
                // an open cell and a word unknown here are the strictest
                _ => Need::Required,
            }
        };
        categories.iter().map(cell).max().unwrap_or(Need::Required)
    }
}

fn demand(table: &BTreeMap<String, Seats>, categories: &[&str], bumped_auto: bool) -> Result<ApprovalDemand> {
    let cells: Option<Vec<&Seats>> = categories.iter().map(|category| table.get(*category)).collect();
    let cells = cells.ok_or_else(|| undecided("`tables.approvals` leaves a category out"))?;
    groups(merge(cells, bumped_auto))
}

/// The union of roles, each with the larger count, and the roles one of its people must hold as well.
fn merge<'a>(
    cells: impl IntoIterator<Item = &'a Seats>,
    bumped_auto: bool,
) -> BTreeMap<&'a str, (u64, BTreeSet<&'a str>)> {
    let mut roles: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for cell in cells {
        let rows: &[Seat] = match cell {
            Seats::Auto(Auto::Auto) => &[],
            Seats::Rows(rows) => rows,
        };
        let mut automatic = true;
        for seat in rows.iter().filter(|seat| bumped_auto || seat.auto_unless_overlay.is_empty()) {
            automatic = false;
            let (count, also) = roles.entry(&seat.role).or_default();
            *count = (*count).max(seat.count);
            also.extend(seat.at_least_one.as_deref());
        }
        if automatic && bumped_auto {
            let (count, _) = roles.entry("release-manager").or_default();
            *count = (*count).max(1);
        }
    }
    roles
}

fn groups(roles: BTreeMap<&str, (u64, BTreeSet<&str>)>) -> Result<ApprovalDemand> {
    let mut seats: Vec<(Vec<String>, u64)> = Vec::new();
    for (role, (count, also)) in roles {
        let special = also.len() as u64;
        seats.extend(also.into_iter().map(|other| (vec![role.to_owned(), other.to_owned()], 1)));
        if count > special {
            seats.push((vec![role.to_owned()], count - special));
        }
    }
    if seats.len() > SEAT_KINDS {
        return Err(undecided("`tables.approvals` asks for more kinds of people than can be matched"));
    }
    let mut groups = Vec::new();
    for set in 1..(1usize << seats.len()) {
        let chosen = seats.iter().enumerate().filter(|(place, _)| set & (1 << place) != 0).map(|(_, seat)| seat);
        groups.push(SeatGroup {
            seats: chosen.clone().map(|(roles, _)| roles.clone()).collect(),
            count: chosen.map(|(_, count)| count).sum(),
        });
    }
    Ok(ApprovalDemand { need: seats.iter().map(|(_, count)| count).sum(), groups })
}

/// Seconds of an ISO 8601 duration in whole days or hours (`P14D`, `PT24H`).
fn seconds(text: &str) -> Option<i64> {
    let (number, unit) = match (text.strip_prefix("PT"), text.strip_prefix('P')) {
        (Some(hours), _) => (hours.strip_suffix('H')?, 3600),
        (_, Some(days)) => (days.strip_suffix('D')?, 86400),
        _ => return None,
    };
    number.parse::<u32>().ok().map(|number| i64::from(number) * unit)
}

fn undecided(what: &str) -> Error {
    Error::new(ErrorKind::PolicyUndecided, what)
}
