//! AdmissionReview of Kubernetes (admission.k8s.io/v1), as an admission webhook answered it: what was blocked, and why.

use super::log::{Denied, Event, Log, Matter, text};
use super::workloads::image_digests;
use super::{Format, Reader};
use crate::json::Value;
use crate::predicate::{AuditLogSegment, LogKind, PredicateType as _, TestResult};

pub(super) const FORMAT: Format = Format {
    name: "admission-review",
    title: "AdmissionReview",
    media_type: "application/x-ndjson",
    recognised_by: "objects of the kind `AdmissionReview` with `request` and `response`, one a line or in a list",
    says: "no times: the end of the period, source and collector must be told",
    becomes: &[AuditLogSegment::TYPE, TestResult::TYPE],
    holds_secrets: true,
    reader: Reader::Log(Log { kind: LogKind::KubernetesAudit, is, list: "", event }),
};

fn is(json: &Value) -> bool {
    let of = |e: &Value| {
        e.get("kind").and_then(Value::as_str) == Some("AdmissionReview")
            && e.pointer("/request/uid").is_some()
            && e.pointer("/response/allowed").is_some_and(Value::is_boolean)
            && e.pointer("/request/uid") == e.pointer("/response/uid")
    };
    of(json) || json.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(of))
}

fn event(json: &Value) -> Event {
    let allowed = json.pointer("/response/allowed").and_then(Value::as_bool) == Some(true);
    let part = |pointer: &str| text(json, pointer).unwrap_or_else(|| "-".to_owned());
    let resource = format!(
        "{}/{}/{}",
        part("/request/namespace"),
        part("/request/kind/kind").to_ascii_lowercase(),
        text(json, "/request/name").or_else(|| text(json, "/request/object/metadata/generateName")).unwrap_or_default()
    );
    Event {
        at: None,
        who: text(json, "/request/userInfo/username"),
        what: text(json, "/request/operation"),
        on: text(json, "/request/kind/kind"),
        outcome: Some(if allowed { "allowed" } else { "denied" }.to_owned()),
        without: &["time"],
        matters: (!allowed).then(|| {
            Matter::Denied(Denied {
                resource,
                images: json.pointer("/request/object").map(image_digests).unwrap_or_default(),
                why: text(json, "/response/status/message").unwrap_or_else(|| "no reason was given".to_owned()),
            })
        }),
    }
}
