//! What runs in a Kubernetes cluster, as `kubectl get … -o json` shows it: a snapshot, and claims about the rules that every
//! workload is held to (not as root, not privileged, limits, network policies, allowed registries).

use std::collections::BTreeMap;

use super::report::{Claim, Report, time};
use super::{Format, Reader};
use crate::artifact::ResourceDescriptor;
use crate::digest::{Algorithm, Digest};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{Coverage, EnvironmentSnapshot, Observed, PredicateType as _, Scai};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "kubernetes-workloads",
    title: "list of Kubernetes workloads",
    media_type: "application/json",
    recognised_by: "a `List` of, or one of, pods and what makes them; with network policies where there are any",
    says: "nothing of who looked and when: environment and collector must be told",
    becomes: &[EnvironmentSnapshot::TYPE, Scai::TYPE],
    holds_secrets: true,
    reader: Reader::Json { is, read },
};

/// Kinds that run something, with their name in addresses.
const WORKLOADS: &[(&str, &str)] = &[
    ("Pod", "pods"),
    ("Deployment", "deployments"),
    ("StatefulSet", "statefulsets"),
    ("DaemonSet", "daemonsets"),
    ("ReplicaSet", "replicasets"),
    ("ReplicationController", "replicationcontrollers"),
    ("Job", "jobs"),
    ("CronJob", "cronjobs"),
];
/// Kinds that may stand beside them.
const OTHERS: &[&str] = &["NetworkPolicy", "Namespace", "Service", "ServiceAccount"];

/// The items of a list, or the one thing that the document is.
pub(super) fn items(json: &Value) -> &[Value] {
    let list = json.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match json.get("items").and_then(Value::as_array) {
        Some(items) if list => items,
        _ => std::slice::from_ref(json),
    }
}

/// The kind of an item; in a typed list, items may leave it out.
pub(super) fn kind_of<'a>(json: &'a Value, item: &'a Value) -> &'a str {
    let own = item.get("kind").and_then(Value::as_str);
    let of_list = || json.get("kind")?.as_str()?.strip_suffix("List");
    own.or_else(of_list).unwrap_or_default()
}

/// The text at a pointer, or nothing.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn is(json: &Value) -> bool {
    let kinds: Vec<&str> = items(json).iter().map(|item| kind_of(json, item)).collect();
    let runs = |kind: &&str| WORKLOADS.iter().any(|(name, _)| name == kind);
    kinds.iter().any(runs) && kinds.iter().all(|kind| runs(kind) || OTHERS.contains(kind))
}

/// Something that runs: where, from which templates, and its pods. What a pod runs need not be what its template says now.
struct Workload<'a> {
    resource: String,
    namespace: &'a str,
    /// Each with labels and a `spec`: what the workload makes pods from, and the pods.
    templates: Vec<&'a Value>,
    pods: Vec<&'a Value>,
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let told = report.told;
    let environment =
        told.demand(&told.environment, "environment", "the list does not say of which environment it is")?;
    let observer = told.demand(&told.collector, "collector", "the list does not say who looked")?.clone();
    let base = told.source.as_deref().unwrap_or(&environment.id).trim_end_matches('/');
    let workloads = workloads(report, base)?;
    let mut state: Vec<Observed> = workloads.values().flat_map(observed).collect();
    state.sort_by(|a, b| (&a.resource, &a.digest).cmp(&(&b.resource, &b.digest)));
    let snapshot = EnvironmentSnapshot {
        environment: environment.clone(),
        observer,
        observed_at: told.finished_at.unwrap_or(report.now),
        coverage: told.coverage.unwrap_or(Coverage::Partial),
        state,
        source_data: report.descriptor.clone(),
    };
    let policies: Vec<&Value> =
        items(report.json).iter().filter(|item| kind_of(report.json, item) == "NetworkPolicy").collect();
    let claims = workloads.values().flat_map(|workload| rules(report, workload, &policies)).collect();
    Ok(vec![snapshot_statement(&snapshot)?, report.claims(claims)?])
}

/// A snapshot, about its state and every artifact in it.
pub(super) fn snapshot_statement(snapshot: &EnvironmentSnapshot) -> Result<Statement> {
    let mut subjects = vec![ResourceDescriptor::of(snapshot.state_digest()?).named("state")];
    let mut seen: Vec<Digest> =
        snapshot.state.iter().filter_map(|s| s.digest.as_ref()?.get(Algorithm::Sha256)).collect();
    seen.sort();
    seen.dedup();
    subjects.extend(seen.into_iter().map(ResourceDescriptor::of));
    Statement::new(subjects, snapshot)
}

/// Each workload once; pods belong to the workload that made them.
fn workloads<'a>(report: &'a Report<'_>, base: &str) -> Result<BTreeMap<String, Workload<'a>>> {
    let mut found: BTreeMap<String, Workload<'a>> = BTreeMap::new();
    for item in items(report.json) {
        let kind = kind_of(report.json, item);
        let Some((_, plural)) = WORKLOADS.iter().find(|(name, _)| *name == kind) else { continue };
        let (namespace, name) = (text(item, "/metadata/namespace"), text(item, "/metadata/name"));
        if name.is_empty() || namespace.is_empty() {
            return Err(report.malformed("has a workload without name or namespace"));
        }
        let template = match kind {
            "Pod" => item,
            "CronJob" => item.pointer("/spec/jobTemplate/spec/template").unwrap_or(&Value::Null),
            _ => item.pointer("/spec/template").unwrap_or(&Value::Null),
        };
        if !template.pointer("/spec/containers").is_some_and(Value::is_array) {
            return Err(report.malformed(format_args!("shows no containers of `{}`", name.escape_debug())));
        }
        // what a deployment ran before is kept as a set that makes nothing
        if kind == "ReplicaSet" && owner(item).is_some() && item.pointer("/spec/replicas") == Some(&Value::from(0)) {
            continue;
        }
        let (plural, name) = owner(item).unwrap_or((plural, name.to_owned()));
        // an environment that is a namespace is not named twice
        let place =
            if base.ends_with(&format!("/{namespace}")) { base.to_owned() } else { format!("{base}/{namespace}") };
        let resource = format!("{place}/{plural}/{}", super::log::encoded(&name));
        let kept = found.entry(resource.clone()).or_insert(Workload {
            resource,
            namespace,
            templates: Vec::new(),
            pods: Vec::new(),
        });
        kept.templates.push(template);
        if kind == "Pod" {
            kept.pods.push(item);
        }
    }
    Ok(found)
}

/// What made it, of the kinds that are listed here; a replica set is told by its deployment.
fn owner(item: &Value) -> Option<(&'static str, String)> {
    let owner = item.pointer("/metadata/ownerReferences/0")?;
    let (kind, name) = (text(owner, "/kind"), text(owner, "/name"));
    if kind == "ReplicaSet" {
        let hash = text(item, "/metadata/labels/pod-template-hash");
        let deployment = name.strip_suffix(hash).and_then(|name| name.strip_suffix('-')).filter(|_| !hash.is_empty());
        return Some(deployment.map_or(("replicasets", name.to_owned()), |name| ("deployments", name.to_owned())));
    }
    let (_, plural) = WORKLOADS.iter().find(|(name, _)| *name == kind)?;
    Some((plural, name.to_owned()))
}

/// One entry for each image that runs; those of live pods, else those that the template names by digest.
fn observed(workload: &Workload<'_>) -> Vec<Observed> {
    let mut running: BTreeMap<Option<Digest>, (u64, Option<Timestamp>)> = BTreeMap::new();
    for pod in &workload.pods {
        if matches!(text(pod, "/status/phase"), "Succeeded" | "Failed") {
            continue;
        }
        let since = time(text(pod, "/status/startTime"));
        let statuses = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"];
        let statuses = statuses.iter().filter_map(|name| pod.pointer(&format!("/status/{name}"))?.as_array()).flatten();
        let mut digests: Vec<Option<Digest>> = statuses.map(|status| image_digest(text(status, "/imageID"))).collect();
        if digests.is_empty() {
            digests = images(pod).map(image_digest).collect();
        }
        digests.sort();
        digests.dedup();
        for digest in digests {
            let kept = running.entry(digest).or_default();
            *kept = (kept.0 + 1, kept.1.into_iter().chain(since).min());
        }
    }
    if workload.pods.is_empty() {
        let written = workload.templates.iter().copied().flat_map(images);
        running.extend(written.map(|image| (image_digest(image), (0, None))));
    }
    let entry = |(digest, (replicas, since)): (Option<Digest>, (u64, Option<Timestamp>))| Observed {
        resource: workload.resource.clone(),
        digest: digest.map(Into::into),
        configuration: None,
        started_at: since,
        replicas: (replicas > 0).then_some(replicas),
    };
    running.into_iter().map(entry).collect()
}

fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["containers", "initContainers", "ephemeralContainers"];
    lists.into_iter().filter_map(|name| spec.get(name)?.as_array()).flatten()
}

/// The images of a pod or of a template of pods, as they are written.
fn images(template: &Value) -> impl Iterator<Item = &str> {
    template.get("spec").into_iter().flat_map(containers).map(|container| text(container, "/image"))
}

/// The digest that a reference to an image ends in; a tag names nothing for good.
fn image_digest(reference: &str) -> Option<Digest> {
    reference.rsplit_once('@')?.1.parse().ok()
}

/// Digests of all images of a pod or of what makes pods.
pub(super) fn image_digests(object: &Value) -> Vec<Digest> {
    let places = ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];
    let specs = places.iter().filter_map(|place| object.pointer(place));
    specs.flat_map(containers).filter_map(|container| image_digest(text(container, "/image"))).collect()
}

fn rules(report: &Report<'_>, workload: &Workload<'_>, policies: &[&Value]) -> Vec<Claim> {
    let specs = || workload.templates.iter().filter_map(|template| template.get("spec"));
    let first = |fault: &dyn Fn(&Value, &Value) -> Option<&'static str>| {
        let each = specs().flat_map(|spec| containers(spec).map(move |container| (spec, container)));
        each.into_iter()
            .find_map(|(spec, c)| fault(spec, c).map(|why| format!("container `{}` {why}", text(c, "/name"))))
    };
    let claim = |attribute, fault: Option<String>| Claim::of(attribute, &workload.resource).denied_if(fault);
    let mut claims = vec![
        claim("NON_ROOT", first(&may_be_root)),
        claim("NOT_PRIVILEGED", specs().find_map(host).or_else(|| first(&|_, container| privileged(container)))),
        claim("RESOURCE_LIMITS_SET", first(&|_, container| without_limits(container))),
        claim(
            "NETWORK_POLICY_PRESENT",
            (!workload.templates.iter().all(|pod| policies.iter().any(|p| selects(p, workload.namespace, pod))))
                .then(|| format!("no network policy of the namespace `{}` selects its pods", workload.namespace)),
        ),
    ];
    let registries = &report.limits().registries;
    if !registries.is_empty() {
        let foreign = |_: &Value, container: &Value| {
            let image = text(container, "/image");
            let allowed = registries.iter().any(|allowed| {
                image.strip_prefix(allowed.trim_end_matches('/')).is_some_and(|rest| rest.starts_with('/'))
            });
            (!allowed).then_some("runs an image of another registry")
        };
        claims.push(claim("REGISTRY_ALLOWED", first(&foreign)));
    }
    claims
}

fn may_be_root(spec: &Value, container: &Value) -> Option<&'static str> {
    let of = |name: &str| {
        let own = container.pointer(&format!("/securityContext/{name}"));
        own.or_else(|| spec.pointer(&format!("/securityContext/{name}")))
    };
    match (of("runAsUser").and_then(Value::as_i64), of("runAsNonRoot").and_then(Value::as_bool)) {
        (Some(0), _) => Some("runs as root"),
        (Some(_), _) | (None, Some(true)) => None,
        _ => Some("may run as root"),
    }
}

fn host(spec: &Value) -> Option<String> {
    let shares =
        ["hostPID", "hostNetwork", "hostIPC"].into_iter().find(|name| spec.get(*name) == Some(&Value::Bool(true)));
    shares.map(|name| format!("it shares the host by `{name}`"))
}

fn privileged(container: &Value) -> Option<&'static str> {
    let context = container.get("securityContext")?;
    let added = context.pointer("/capabilities/add").and_then(Value::as_array).into_iter().flatten();
    let mighty = ["ALL", "SYS_ADMIN", "CAP_SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_MODULE"];
    if context.get("privileged") == Some(&Value::Bool(true)) {
        Some("is privileged")
    } else if added.filter_map(Value::as_str).any(|capability| mighty.contains(&capability)) {
        Some("adds capabilities that make it privileged")
    } else {
        None
    }
}

fn without_limits(container: &Value) -> Option<&'static str> {
    let limited = |name: &str| container.pointer(&format!("/resources/limits/{name}")).is_some_and(|l| !l.is_null());
    (!(limited("cpu") && limited("memory"))).then_some("has no limit of processor or memory")
}

/// Whether a policy of the same namespace selects the pods; by labels alone, so that an expression selects nothing.
fn selects(policy: &Value, namespace: &str, pod: &Value) -> bool {
    let selector = policy.pointer("/spec/podSelector");
    let expressions = selector.and_then(|s| s.get("matchExpressions")).and_then(Value::as_array);
    let labels = selector.and_then(|s| s.get("matchLabels")).and_then(Value::as_object);
    let own = |name: &String| pod.pointer("/metadata/labels")?.get(name);
    text(policy, "/metadata/namespace") == namespace
        && selector.is_some()
        && expressions.is_none_or(Vec::is_empty)
        && labels.is_none_or(|labels| labels.iter().all(|(name, value)| own(name) == Some(value)))
}
