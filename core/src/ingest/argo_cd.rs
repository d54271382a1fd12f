//! The state of Argo CD's applications, as `kubectl get applications.argoproj.io -o json` or `argocd app get -o json` shows
//! it: what it says is running, and, where the rest of a deployment is told, the deployment that its last sync was.

use serde_json::{Map, json};

use super::report::{Report, time};
use super::workloads::{items, kind_of, snapshot_statement, text};
use super::{Format, Reader};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{Coverage, Deployment, EnvironmentSnapshot, Observed, PredicateType as _};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "argo-cd",
    title: "list of Argo CD applications",
    media_type: "application/json",
    recognised_by: "a `List` of, or one, `Application` of argoproj.io",
    says: "images, resources and the last sync in `status`; environment and collector must be told, or the rest of the deployment",
    becomes: &[EnvironmentSnapshot::TYPE, Deployment::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

fn is(json: &Value) -> bool {
    let items = items(json);
    !items.is_empty()
        && items
            .iter()
            .all(|item| kind_of(json, item) == "Application" && text(item, "/apiVersion").starts_with("argoproj.io/"))
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    match &report.told.predicate {
        Some(_) => deployment(report).map(|statement| vec![statement]),
        None => snapshot(report).map(|statement| vec![statement]),
    }
}

fn snapshot(report: &Report<'_>) -> Result<Statement> {
    let told = report.told;
    let environment =
        told.demand(&told.environment, "environment", "the list does not say of which environment it is")?;
    let base = told.source.as_deref().unwrap_or(&environment.id).trim_end_matches('/');
    let mut state = Vec::new();
    for item in items(report.json) {
        let (namespace, name) = (text(item, "/metadata/namespace"), text(item, "/metadata/name"));
        let resource = format!("{base}/{namespace}/applications/{}", super::log::encoded(name));
        let since = time(text(item, "/status/operationState/finishedAt"));
        let images = images(item);
        if images.is_empty() {
            return Err(report.malformed(format_args!("shows no images of `{}`", name.escape_debug())));
        }
        state.extend(images.into_iter().map(|digest| Observed {
            resource: resource.clone(),
            digest: digest.map(Into::into),
            configuration: None,
            started_at: since,
            replicas: None,
        }));
    }
    state.sort_by(|a, b| (&a.resource, &a.digest).cmp(&(&b.resource, &b.digest)));
    snapshot_statement(&EnvironmentSnapshot {
        environment: environment.clone(),
        observer: told.demand(&told.collector, "collector", "the list does not say who looked")?.clone(),
        observed_at: told.finished_at.unwrap_or(report.now),
        coverage: told.coverage.unwrap_or(Coverage::Partial),
        state,
        source_data: report.descriptor.clone(),
    })
}

/// Digests of the images; nothing for one that goes by a tag.
fn images(item: &Value) -> Vec<Option<Digest>> {
    let images = item.pointer("/status/summary/images").and_then(Value::as_array).into_iter().flatten();
    let mut digests: Vec<_> = images
        .filter_map(Value::as_str)
        .map(|image| image.rsplit_once('@').and_then(|(_, d)| d.parse().ok()))
        .collect();
    digests.sort();
    digests.dedup();
    digests
}

fn deployment(report: &Report<'_>) -> Result<Statement> {
    let [item] = items(report.json) else {
        return Err(report.unsupported("holds several applications; a deployment is of one, so give one"));
    };
    let part = |pointer: &str| text(item, pointer);
    let status = match part("/status/operationState/phase") {
        "Succeeded" => "SUCCEEDED",
        "Failed" | "Error" => "FAILED",
        "Running" => "STARTED",
        "Terminating" => "ABORTED",
        other => return Err(report.malformed(format_args!("says of its last sync `{}`", other.escape_debug()))),
    };
    let revision = part("/status/operationState/syncResult/revision");
    let commit = Digest::from_hex(Algorithm::GitCommit, revision)
        .map_err(|_| report.unsupported("does not say by its commit what was synced; sync from Git"))?;
    let configuration = ResourceDescriptor::of(commit).with_uri(part("/spec/source/repoURL"));
    let base = report.told_environment_id()?;
    let resources = item.pointer("/status/resources").and_then(Value::as_array).into_iter().flatten().map(|resource| {
        let namespace = text(resource, "/namespace");
        let kind = text(resource, "/kind").to_ascii_lowercase();
        format!("{base}/{namespace}/{kind}s/{}", super::log::encoded(text(resource, "/name")))
    });
    let mut members = Map::new();
    members.insert("status".to_owned(), json!(status));
    members.insert("configuration".to_owned(), json!([configuration]));
    members.insert("resources".to_owned(), resources.collect());
    for (name, pointer) in [("startedAt", "startedAt"), ("finishedAt", "finishedAt")] {
        if let Some(at) = time(part(&format!("/status/operationState/{pointer}"))) {
            members.insert(name.to_owned(), json!(at));
        }
    }
    let about: Vec<Digest> = images(item).into_iter().flatten().collect();
    Statement::from_json(Deployment::TYPE, report.subjects(&about)?, &report.completed(members)?)
}
