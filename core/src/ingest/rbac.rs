//! Rights in a Kubernetes cluster, as `kubectl get clusterrolebindings,rolebindings,clusterroles,roles -A -o json` shows
//! them: whether CI can deploy, and whether more than the system itself may do everything.

use std::collections::BTreeMap;

use super::report::{Claim, Report};
use super::workloads::{items, kind_of, text};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Scai};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "kubernetes-rbac",
    title: "list of Kubernetes role bindings",
    media_type: "application/json",
    recognised_by: "a `List` of, or one of, cluster role bindings, role bindings, cluster roles and roles",
    says: "nothing of the cluster: its URI must be told as source, the accounts of CI in `limits.ciAccounts`",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

const KINDS: [&str; 4] = ["ClusterRoleBinding", "RoleBinding", "ClusterRole", "Role"];
/// The role that comes with every cluster and may do everything.
const ALL_MIGHTY: &str = "cluster-admin";
/// Roles that come with every cluster and may change workloads.
const DEPLOYING: [&str; 3] = [ALL_MIGHTY, "admin", "edit"];
/// Roles that come with every cluster and may not.
const READING: [&str; 4] = ["view", "system:basic-user", "system:discovery", "system:public-info-viewer"];

/// The roles that are shown, by namespace (none of a cluster role) and name.
type Roles<'a> = BTreeMap<(&'a str, &'a str), &'a Value>;

fn is(json: &Value) -> bool {
    let kinds: Vec<&str> = items(json).iter().map(|item| kind_of(json, item)).collect();
    kinds.iter().any(|kind| kind.ends_with("Binding")) && kinds.iter().all(|kind| KINDS.contains(kind))
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let told = report.told;
    let cluster = told.demand(&told.source, "source", "the list does not say of which cluster it is")?;
    let cluster = cluster.trim_end_matches('/');
    let all = items(report.json);
    let of = |kinds: [&'static str; 2]| all.iter().filter(move |item| kinds.contains(&kind_of(report.json, item)));
    let roles: Roles<'_> = of(["ClusterRole", "Role"])
        .map(|role| ((text(role, "/metadata/namespace"), text(role, "/metadata/name")), role))
        .collect();
    let bindings: Vec<&Value> = of(["ClusterRoleBinding", "RoleBinding"]).collect();
    let mut claims =
        vec![Claim::of("LEAST_PRIVILEGE_REVIEWED", cluster).denied_if(too_mighty(report, &bindings, &roles)?)];
    for account in &report.limits().ci_accounts {
        let mut fault = None;
        for binding in bindings.iter().filter(|binding| binds(binding, account)) {
            if deploys(report, binding, &roles)? {
                fault = Some(format!("it is bound to `{}`, which may deploy", text(binding, "/roleRef/name")));
            }
        }
        let target = format!("{cluster}/users/{}", super::log::encoded(account));
        claims.push(Claim::of("CI_CANNOT_DEPLOY", target).denied_if(fault));
    }
    Ok(vec![report.claims(claims)?])
}

/// Whoever is no part of the system and may do everything, or what everybody may.
fn too_mighty(report: &Report<'_>, bindings: &[&Value], roles: &Roles<'_>) -> Result<Option<String>> {
    for binding in bindings {
        let role = text(binding, "/roleRef/name");
        let shown = role_of(report, binding, roles)?;
        let anything =
            role == ALL_MIGHTY && !is_namespaced(binding) || shown.is_some_and(|r| rules(r).any(is_everything));
        let reads = READING.contains(&role) && !is_namespaced(binding);
        let fault = subjects(binding).find_map(|subject| {
            let name = text(subject, "/name");
            let everybody = ["system:anonymous", "system:unauthenticated", "system:authenticated"].contains(&name);
            // accounts of services are not of the system, whatever their group is called
            let system = name.starts_with("system:") && !name.starts_with("system:serviceaccount") && !everybody;
            let kube = text(subject, "/namespace") == "kube-system";
            if anything && !system && !kube {
                Some(format!("`{name}` is bound to `{role}`, which may do everything"))
            } else if everybody && !reads {
                Some(format!("`{name}`, which is everybody, is bound to `{role}`"))
            } else {
                None
            }
        });
        if fault.is_some() {
            return Ok(fault);
        }
    }
    Ok(None)
}

/// Whether it binds to a role of its own namespace, not to one of the cluster.
fn is_namespaced(binding: &Value) -> bool {
    text(binding, "/roleRef/kind") == "Role"
}

/// The role that is bound, as it is shown; `None` for one that comes with every cluster and is not shown.
fn role_of<'a>(report: &Report<'_>, binding: &Value, roles: &Roles<'a>) -> Result<Option<&'a Value>> {
    let name = text(binding, "/roleRef/name");
    let namespace = if is_namespaced(binding) { text(binding, "/metadata/namespace") } else { "" };
    match roles.get(&(namespace, name)) {
        Some(role) => {
            let aggregates = role.pointer("/aggregationRule").is_some_and(|rule| !rule.is_null());
            if aggregates && rules(role).next().is_none() {
                return Err(report.unsupported(format_args!(
                    "shows of the role `{}` only that others are put together in it; export the roles of a running cluster",
                    name.escape_debug()
                )));
            }
            Ok(Some(role))
        }
        None if !is_namespaced(binding) && (DEPLOYING.contains(&name) || READING.contains(&name)) => Ok(None),
        None => Err(report.malformed(format_args!(
            "binds to the role `{}` and does not show it: export roles and cluster roles, too",
            name.escape_debug()
        ))),
    }
}

fn subjects(binding: &Value) -> impl Iterator<Item = &Value> {
    binding.get("subjects").and_then(Value::as_array).into_iter().flatten()
}

fn rules(role: &Value) -> impl Iterator<Item = &Value> {
    role.get("rules").and_then(Value::as_array).into_iter().flatten()
}

fn has(rule: &Value, list: &str, words: &[&str]) -> bool {
    let all = rule.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    all.into_iter().any(|word| word == "*" || words.contains(&word))
}

fn is_everything(rule: &Value) -> bool {
    has(rule, "verbs", &[]) && has(rule, "resources", &[]) && has(rule, "apiGroups", &[])
}

/// Whether the account is among those of the binding: by name, as a service account, or by a group it is always in.
fn binds(binding: &Value, account: &str) -> bool {
    let service = account.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    subjects(binding).any(|subject| {
        let (kind, name) = (text(subject, "/kind"), text(subject, "/name"));
        match (kind, service) {
            ("User", _) => name == account,
            ("ServiceAccount", Some((namespace, own))) => text(subject, "/namespace") == namespace && name == own,
            ("Group", Some((namespace, _))) => {
                name == "system:authenticated"
                    || name == "system:serviceaccounts"
                    || name.strip_prefix("system:serviceaccounts:") == Some(namespace)
            }
            ("Group", None) => name == "system:authenticated",
            _ => false,
        }
    })
}

fn deploys(report: &Report<'_>, binding: &Value, roles: &Roles<'_>) -> Result<bool> {
    let shown = role_of(report, binding, roles)?;
    Ok(shown.map_or_else(|| DEPLOYING.contains(&text(binding, "/roleRef/name")), |r| rules(r).any(changes_workloads)))
}

/// Whether it lets one change what runs, enter it, or take such rights.
fn changes_workloads(rule: &Value) -> bool {
    const WORKLOADS: &[&str] = &[
        "pods",
        "deployments",
        "statefulsets",
        "daemonsets",
        "replicasets",
        "replicationcontrollers",
        "jobs",
        "cronjobs",
        "deployments/scale",
        "statefulsets/scale",
        "pods/ephemeralcontainers",
    ];
    let changes = has(rule, "verbs", &["create", "update", "patch", "delete", "deletecollection"]);
    let enters = has(rule, "resources", &["pods/exec", "pods/attach", "pods/portforward"])
        && has(rule, "verbs", &["create", "get"]);
    let takes = has(rule, "verbs", &["bind", "escalate", "impersonate"])
        || (changes && has(rule, "resources", &["rolebindings", "clusterrolebindings", "roles", "clusterroles"]));
    (changes && has(rule, "resources", WORKLOADS)) || enters || takes
}
