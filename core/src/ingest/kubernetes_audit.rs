//! The audit log of a Kubernetes API server (audit.k8s.io/v1): sessions in pods, and reads of secrets.

use super::log::{Access, Event, Log, Matter, Session, at, text};
use super::{Format, Reader};
use crate::json::Value;
use crate::predicate::{
    AccessKind, AuditLogSegment, KeyAccess, KeyOperation, KeyOutcome, KeyResource, LogKind, PredicateType as _,
    PrivilegedSession,
};

pub(super) const FORMAT: Format = Format {
    name: "kubernetes-audit",
    title: "Kubernetes audit log",
    media_type: "application/x-ndjson",
    recognised_by: "objects with `auditID`, `stage` and `verb`, one a line or in an `EventList`",
    says: "times in each entry; source and collector must be told, and the environment where someone got in",
    becomes: &[AuditLogSegment::TYPE, PrivilegedSession::TYPE, KeyAccess::TYPE],
    holds_secrets: false,
    reader: Reader::Log(Log { kind: LogKind::KubernetesAudit, is, list: "/items", event }),
};

fn is(json: &Value) -> bool {
    let of =
        |event: &Value| event.get("auditID").is_some() && event.get("stage").is_some() && event.get("verb").is_some();
    match json.get("kind").and_then(Value::as_str) {
        Some("EventList") => json.get("items").and_then(Value::as_array).is_some_and(|items| items.iter().any(of)),
        _ => of(json),
    }
}

fn event(json: &Value) -> Event {
    let stage = text(json, "/stage").unwrap_or_default();
    let code = json.pointer("/responseStatus/code").and_then(Value::as_u64);
    let (resource, subresource) = (text(json, "/objectRef/resource"), text(json, "/objectRef/subresource"));
    let ended = matches!(stage.as_str(), "ResponseComplete" | "Panic");
    Event {
        // the first versions of the format wrote `timestamp`
        at: ["/stageTimestamp", "/requestReceivedTimestamp", "/timestamp"].iter().find_map(|pointer| at(json, pointer)),
        who: text(json, "/user/username"),
        what: text(json, "/verb"),
        on: resource.clone().map(|resource| match &subresource {
            Some(sub) => format!("{resource}/{sub}"),
            None => resource,
        }),
        outcome: code.map(|code| code.to_string()),
        // a request that is not about a resource has none, and before its end it has no outcome
        without: match (resource.is_none() && json.get("requestURI").is_some(), ended) {
            (true, true) => &["on"],
            (true, false) => &["on", "outcome"],
            (false, true) => &[],
            (false, false) => &["outcome"],
        },
        matters: matters(json, code, ended),
    }
}

fn matters(json: &Value, code: Option<u64>, ended: bool) -> Option<Matter> {
    let who = text(json, "/user/username");
    let human = who.as_ref().is_some_and(|who| !who.starts_with("system:"));
    let namespace = text(json, "/objectRef/namespace").unwrap_or_else(|| "-".to_owned());
    let name = text(json, "/objectRef/name").unwrap_or_else(|| "*".to_owned());
    let resource = text(json, "/objectRef/resource")?;
    let refused = code.is_some_and(|code| code >= 400);
    match (resource.as_str(), text(json, "/objectRef/subresource").as_deref()) {
        ("pods", Some("exec" | "attach" | "portforward")) | ("nodes", Some("proxy")) if !refused && code.is_some() => {
            let (Some(id), Some(_)) = (text(json, "/auditID"), who) else {
                return Some(Matter::Without("auditID` or `user.username"));
            };
            Some(Matter::Session(Session {
                id,
                human,
                target: format!("{namespace}/{resource}/{name}"),
                kind: AccessKind::Exec,
                ended,
            }))
        }
        ("secrets", None) if ended && who.is_none() => Some(Matter::Without("user.username")),
        ("secrets", None) if ended => Some(Matter::Access(Access {
            resource: format!("{namespace}/secrets/{name}"),
            kind: KeyResource::Secret,
            operation: match text(json, "/verb")?.as_str() {
                "get" | "list" | "watch" => KeyOperation::Read,
                "create" => KeyOperation::Create,
                "update" | "patch" => KeyOperation::Rotate,
                "delete" | "deletecollection" => KeyOperation::Destroy,
                _ => return None,
            },
            human,
            outcome: match code {
                Some(401 | 403) => KeyOutcome::Denied,
                Some(code) if code < 400 => KeyOutcome::Succeeded,
                _ => KeyOutcome::Failed,
            },
        })),
        _ => None,
    }
}
