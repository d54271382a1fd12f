//! SARIF 2.1.0 (OASIS), as code scanners, secret scanners and linters write it.
//!
//! `results` that are absent say that nothing was looked for (section 3.14.23); only an empty array says that nothing
//! was found. A run that did not succeed, or leaves its results in other files, is no clean one.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Map;

use super::finding::{Findings, Level};
use super::report::{Ran, Report};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, TestResult};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "sarif",
    title: "SARIF report",
    media_type: "application/sarif+json",
    recognised_by: "an object with `version` 2.1.0 and `runs`",
    says: "tool and version in `tool.driver`, times in `invocations`; its kind must be told",
    becomes: &[TestResult::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    version: String,
    runs: Vec<Run>,
    #[serde(default)]
    inline_external_properties: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    results: Option<Vec<Finding>>,
    invocations: Option<Vec<Invocation>>,
    external_property_file_references: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Tool {
    driver: Component,
    #[serde(default)]
    extensions: Vec<Component>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    name: String,
    guid: Option<String>,
    version: Option<String>,
    semantic_version: Option<String>,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    guid: Option<String>,
    default_configuration: Option<Configuration>,
    properties: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Configuration {
    level: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: Option<String>,
    rule_index: Option<i64>,
    rule: Option<RuleReference>,
    kind: Option<String>,
    level: Option<String>,
    baseline_state: Option<String>,
    suppressions: Option<Vec<Suppression>>,
    #[serde(default)]
    locations: Vec<Value>,
    properties: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleReference {
    id: Option<String>,
    index: Option<i64>,
    guid: Option<String>,
    tool_component: Option<ComponentReference>,
}

#[derive(Deserialize)]
struct ComponentReference {
    name: Option<String>,
    index: Option<i64>,
    guid: Option<String>,
}

#[derive(Deserialize)]
struct Suppression {
    status: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    start_time_utc: Option<String>,
    end_time_utc: Option<String>,
    #[serde(default)]
    tool_execution_notifications: Vec<Notification>,
    #[serde(default)]
    tool_configuration_notifications: Vec<Notification>,
    #[serde(default)]
    rule_configuration_overrides: Vec<Override>,
}

#[derive(Deserialize)]
struct Override {
    configuration: Configuration,
}

#[derive(Deserialize)]
struct Notification {
    level: Option<String>,
}

fn is(json: &Value) -> bool {
    json.get("runs").is_some() && json.get("version").and_then(Value::as_str).is_some_and(|v| v.starts_with("2."))
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let log: Log = report.typed()?;
    if log.version != "2.1.0" {
        let version = log.version.escape_debug();
        return Err(report.unsupported(format_args!("is of version `{version}`; have the tool write 2.1.0")));
    }
    if log.inline_external_properties.iter().any(|properties| properties.contains_key("results")) {
        return Err(
            report.unsupported("holds results outside of `runs`, which are not read; have the tool write them there")
        );
    }
    if log.runs.is_empty() {
        return Err(report.malformed("holds no run, so it says of nothing that it was looked at"));
    }
    // runs of one tool are one result, else the newer would hide the older
    let mut by_tool: BTreeMap<(String, Option<String>), (Ran, Findings)> = BTreeMap::new();
    for (index, run) in log.runs.iter().enumerate() {
        let driver = &run.tool.driver;
        if driver.name.is_empty() {
            return Err(report.malformed(format_args!("names no tool in `runs[{index}]`")));
        }
        let version = driver.semantic_version.clone().or_else(|| driver.version.clone());
        let key = (driver.name.clone(), version.clone());
        let (ran, found) = by_tool.entry(key).or_insert_with(|| {
            (Ran { tool: Some(driver.name.clone()), version, ..Ran::default() }, Findings::default())
        });
        count(report, index, run, found)?;
        for invocation in run.invocations.iter().flatten() {
            let started = report.time_if_any(invocation.start_time_utc.as_deref())?;
            let ended = report.time_if_any(invocation.end_time_utc.as_deref())?;
            ran.started_at = ran.started_at.into_iter().chain(started).min();
            ran.finished_at = ran.finished_at.into_iter().chain(ended).max();
        }
    }
    let kind = report.told_kind()?;
    by_tool.into_values().map(|(ran, found)| report.test_result(kind, &ran, found)).collect()
}

fn count(report: &Report<'_>, index: usize, run: &Run, found: &mut Findings) -> Result<()> {
    let outside = run.external_property_file_references.as_ref().is_some_and(|files| files.contains_key("results"));
    if outside {
        let fault = format!("keeps the results of `runs[{index}]` in other files; have the tool write them inline");
        return Err(report.unsupported(fault));
    }
    let Some(results) = &run.results else {
        return Err(report.malformed(format_args!("has no `results` in `runs[{index}]`, so nothing was looked for")));
    };
    for result in results {
        // what is no longer there is told for comparison only
        if result.baseline_state.as_deref() == Some("absent") {
            continue;
        }
        match result.kind.as_deref() {
            None | Some("fail" | "open" | "review") => {}
            Some("pass" | "notApplicable" | "informational") => continue,
            Some(other) => {
                return Err(report.malformed(format_args!("has a result of the kind `{}`", other.escape_debug())));
            }
        }
        if result.suppressions.as_ref().is_some_and(|all| is_suppressed(all)) {
            found.count("suppressed", 1);
            continue;
        }
        let rule = rule_of(report, run, result)?;
        found.add(level(report, run, result, rule)?, report.fail_at(), name(result, rule));
    }
    for invocation in run.invocations.iter().flatten() {
        found.broke("notSuccessful", u64::from(!invocation.execution_successful));
        let notes = invocation.tool_execution_notifications.iter().chain(&invocation.tool_configuration_notifications);
        let errors = notes.filter(|note| note.level.as_deref() == Some("error")).count();
        found.broke("toolErrors", u64::try_from(errors).unwrap_or(u64::MAX));
    }
    Ok(())
}

/// All of them accepted, which is also what is meant where no status is written (section 3.35.3).
fn is_suppressed(suppressions: &[Suppression]) -> bool {
    !suppressions.is_empty()
        && suppressions.iter().all(|s| s.status.as_deref().is_none_or(|status| status == "accepted"))
}

/// The rule of a result: by index, else by id or GUID in the part of the tool that is named, or in all of them.
///
/// # Errors
/// `MALFORMED` if it refers to a place that is not there (sections 3.52.5 and 3.54.4).
fn rule_of<'a>(report: &Report<'_>, run: &'a Run, result: &Finding) -> Result<Option<&'a Rule>> {
    let nowhere = || report.malformed("has a result that refers to a rule which it does not hold");
    let reference = result.rule.as_ref();
    let component = reference.and_then(|rule| rule.tool_component.as_ref());
    let named = component.map(|component| component_of(&run.tool, component).ok_or_else(nowhere)).transpose()?;
    // an index of -1 is the same as none
    let index = reference.and_then(|rule| rule.index).or(result.rule_index);
    if let Some(index) = index.and_then(|index| usize::try_from(index).ok()) {
        return named.unwrap_or(&run.tool.driver).rules.get(index).map(Some).ok_or_else(nowhere);
    }
    let all = named.into_iter().chain(std::iter::once(&run.tool.driver).chain(&run.tool.extensions));
    let rules: Vec<&Rule> = all.take(named.map_or(usize::MAX, |_| 1)).flat_map(|component| &component.rules).collect();
    if let Some(guid) = reference.and_then(|rule| rule.guid.as_ref()) {
        return rules.into_iter().find(|rule| rule.guid.as_ref() == Some(guid)).map(Some).ok_or_else(nowhere);
    }
    let Some(id) = rule_id(result) else { return Ok(None) };
    // an id may say one part more than that of its rule (section 3.52.4)
    let ids = std::iter::once(id).chain(id.rsplit_once('/').map(|(whole, _)| whole));
    Ok(ids.into_iter().find_map(|id| rules.iter().copied().find(|rule| rule.id == id)))
}

/// The part of a tool that is meant; the driver where nothing says which (section 3.54).
fn component_of<'a>(tool: &'a Tool, reference: &ComponentReference) -> Option<&'a Component> {
    let mut all = std::iter::once(&tool.driver).chain(&tool.extensions);
    match (reference.index.and_then(|index| usize::try_from(index).ok()), &reference.guid, &reference.name) {
        (Some(index), ..) => tool.extensions.get(index),
        (None, Some(guid), _) => all.find(|component| component.guid.as_ref() == Some(guid)),
        (None, None, Some(name)) => all.find(|component| component.name == *name),
        (None, None, None) => Some(&tool.driver),
    }
}

fn rule_id(result: &Finding) -> Option<&str> {
    result.rule_id.as_deref().or_else(|| result.rule.as_ref().and_then(|rule| rule.id.as_deref()))
}

/// The worse of the level (section 3.27.10) and the `security-severity` that scanners add to result or rule.
fn level(report: &Report<'_>, run: &Run, result: &Finding, rule: Option<&Rule>) -> Result<Level> {
    // what a person must still judge is not rated
    if matches!(result.kind.as_deref(), Some("open" | "review")) {
        return Ok(Level::Unknown);
    }
    let overrides = run.invocations.iter().flatten().flat_map(|invocation| &invocation.rule_configuration_overrides);
    if result.level.is_none() && overrides.into_iter().any(|changed| changed.configuration.level.is_some()) {
        return Err(report.unsupported(
            "overrides levels of rules (`ruleConfigurationOverrides`), which is not read; have the tool write the level \
             of each result",
        ));
    }
    let configured = rule.and_then(|rule| rule.default_configuration.as_ref()?.level.as_deref());
    let said = match result.level.as_deref().or(configured).unwrap_or("warning") {
        "error" => Level::High,
        "warning" => Level::Medium,
        "note" => Level::Low,
        "none" => Level::Info,
        other => return Err(report.malformed(format_args!("has a result of the level `{}`", other.escape_debug()))),
    };
    let of = |properties: Option<&Map<String, Value>>| score(properties?.get("security-severity")?);
    let scored = of(result.properties.as_ref()).or_else(|| of(rule?.properties.as_ref()));
    Ok(scored.map_or(said, |scored| scored.min(said)))
}

fn score(value: &Value) -> Option<Level> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Some(Level::of_score(number))
}

/// The rule and where; never what stands there.
fn name(result: &Finding, rule: Option<&Rule>) -> String {
    let id = rule_id(result).or_else(|| rule.map(|rule| rule.id.as_str())).unwrap_or("no rule");
    let place = result.locations.first().and_then(|location| {
        let physical = location.get("physicalLocation")?;
        let file = physical.pointer("/artifactLocation/uri").and_then(Value::as_str)?;
        let line = physical.pointer("/region/startLine").and_then(Value::as_u64);
        Some(line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}")))
    });
    place.map_or_else(|| id.to_owned(), |place| format!("{id} {place}"))
}
