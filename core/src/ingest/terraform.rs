//! Terraform's and OpenTofu's JSON (format version 1): a plan is what a deployment touches, a state is what there is.
//!
//! Plans and states hold secrets in the clear, so that nothing of them but digests is kept, and what is marked sensitive
//! is not even in those.

use serde::Deserialize;
use serde_json::{Map, json};

use super::report::Report;
use super::workloads::snapshot_statement;
use super::{Format, Reader};
use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::error::Result;
use crate::json::{self, Value};
use crate::predicate::{Coverage, Deployment, EnvironmentSnapshot, Observed, PredicateType as _};
use crate::statement::Statement;

pub(super) const PLAN: Format = Format {
    name: "terraform-plan",
    title: "Terraform plan",
    media_type: "application/json",
    recognised_by: "`format_version` with `planned_values` and `resource_changes`",
    says: "version in `terraform_version`; the rest of the deployment must be told",
    becomes: &[Deployment::TYPE],
    holds_secrets: true,
    reader: Reader::Json { is: is_plan, read: plan },
};

pub(super) const STATE: Format = Format {
    name: "terraform-state",
    title: "Terraform state",
    media_type: "application/json",
    recognised_by: "`format_version` with `terraform_version` and `values`, and no plan",
    says: "environment and collector must be told, or the rest of the deployment",
    becomes: &[EnvironmentSnapshot::TYPE, Deployment::TYPE],
    holds_secrets: true,
    reader: Reader::Json { is: is_state, read: state },
};

#[derive(Deserialize)]
struct Plan {
    format_version: String,
    #[serde(default)]
    resource_changes: Vec<Change>,
    #[serde(default)]
    errored: bool,
    complete: Option<bool>,
}

#[derive(Deserialize)]
struct Change {
    address: String,
    mode: String,
    change: Actions,
}

#[derive(Deserialize)]
struct Actions {
    actions: Vec<String>,
}

#[derive(Deserialize)]
struct State {
    format_version: String,
    values: Values,
}

#[derive(Deserialize)]
struct Values {
    root_module: Module,
}

#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    child_modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Resource {
    address: String,
    mode: String,
    values: Value,
    #[serde(default)]
    sensitive_values: Value,
}

fn is_plan(json: &Value) -> bool {
    ["format_version", "planned_values"].iter().all(|name| json.get(*name).is_some())
}

fn is_state(json: &Value) -> bool {
    ["format_version", "terraform_version"].iter().all(|name| json.get(*name).is_some()) && !is_plan(json)
}

fn check_version(report: &Report<'_>, version: &str) -> Result<()> {
    if version.split('.').next() == Some("1") {
        return Ok(());
    }
    Err(report.unsupported(format_args!("is of the format version `{}`; 1 is read", version.escape_debug())))
}

fn plan(report: &Report<'_>) -> Result<Vec<Statement>> {
    let plan: Plan = report.typed()?;
    check_version(report, &plan.format_version)?;
    if plan.errored || plan.complete == Some(false) {
        return Err(report.malformed("broke off, or is of a part only"));
    }
    let base = report.told_environment_id()?;
    let touched = plan.resource_changes.iter().filter(|change| {
        change.mode == "managed"
            && change.change.actions.iter().any(|action| !matches!(action.as_str(), "no-op" | "read"))
    });
    let resources: Vec<String> = touched.map(|change| format!("{base}/{}", address(&change.address))).collect();
    let mut members = Map::new();
    members.insert("resources".to_owned(), json!(resources));
    members.insert("configuration".to_owned(), json!([report.descriptor]));
    members.insert("configurationDiff".to_owned(), json!(report.descriptor));
    let subjects =
        if report.told.subjects.is_empty() { vec![report.descriptor.clone()] } else { report.told.subjects.clone() };
    Ok(vec![Statement::from_json(Deployment::TYPE, subjects, &report.completed(members)?)?])
}

fn state(report: &Report<'_>) -> Result<Vec<Statement>> {
    let state: State = report.typed()?;
    check_version(report, &state.format_version)?;
    let mut resources = Vec::new();
    gather(state.values.root_module, &mut resources);
    if resources.is_empty() {
        return Err(report.malformed("holds no resource that is managed"));
    }
    if report.told.predicate.is_some() {
        return deployed(report, &resources).map(|statement| vec![statement]);
    }
    let told = report.told;
    let environment =
        told.demand(&told.environment, "environment", "a state does not say of which environment it is")?;
    let mut state = Vec::new();
    for resource in &resources {
        state.push(Observed {
            resource: format!("{}/{}", environment.id.trim_end_matches('/'), address(&resource.address)),
            digest: Some(resource.digest()?.into()),
            configuration: None,
            started_at: None,
            replicas: None,
        });
    }
    state.sort_by(|a, b| (&a.resource, &a.digest).cmp(&(&b.resource, &b.digest)));
    let snapshot = EnvironmentSnapshot {
        environment: environment.clone(),
        observer: told.demand(&told.collector, "collector", "a state does not say who looked")?.clone(),
        observed_at: told.finished_at.unwrap_or(report.now),
        // the state is all that Terraform manages there
        coverage: told.coverage.unwrap_or(Coverage::Partial),
        state,
        source_data: report.descriptor.clone(),
    };
    Ok(vec![snapshot_statement(&snapshot)?])
}

/// The deployment that left this state: about each resource in its normal form, so that a later one that differs shows.
fn deployed(report: &Report<'_>, resources: &[Resource]) -> Result<Statement> {
    let base = report.told_environment_id()?;
    let mut subjects = report.told.subjects.clone();
    let mut names = Vec::new();
    for resource in resources {
        subjects.push(ResourceDescriptor::of(resource.digest()?).named(&resource.address));
        names.push(format!("{base}/{}", address(&resource.address)));
    }
    let mut members = Map::new();
    members.insert("resources".to_owned(), json!(names));
    members.insert("configuration".to_owned(), json!([report.descriptor]));
    Statement::from_json(Deployment::TYPE, subjects, &report.completed(members)?)
}

fn gather(module: Module, found: &mut Vec<Resource>) {
    found.extend(module.resources.into_iter().filter(|resource| resource.mode == "managed"));
    // nesting is bounded by that of JSON
    for child in module.child_modules {
        gather(child, found);
    }
}

fn address(address: &str) -> String {
    super::log::encoded(address)
}

impl Resource {
    /// SHA-256 over the RFC 8785 form of its values, without what is sensitive.
    fn digest(&self) -> Result<Digest> {
        let mut values = self.values.clone();
        strip(&mut values, &self.sensitive_values);
        Ok(Digest::sha256(&json::canonical("resource", &values)?))
    }
}

/// Takes out what `sensitive` marks with `true`, member by member.
fn strip(value: &mut Value, sensitive: &Value) {
    match (value, sensitive) {
        (value, Value::Bool(true)) => *value = Value::Null,
        (Value::Object(members), Value::Object(marks)) => {
            for (name, mark) in marks {
                if let Some(member) = members.get_mut(name) {
                    strip(member, mark);
                }
            }
        }
        (Value::Array(items), Value::Array(marks)) => {
            items.iter_mut().zip(marks).for_each(|(item, mark)| strip(item, mark));
        }
        _ => {}
    }
}
