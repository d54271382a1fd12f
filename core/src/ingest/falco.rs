//! Alerts of Falco, by priority and rule; the segment is found by the digests of the images they are about.

use super::log::{Event, Log, Matter, at, text};
use super::{Format, Reader};
use crate::json::Value;
use crate::predicate::{AuditLogSegment, LogKind, PredicateType as _};

pub(super) const FORMAT: Format = Format {
    name: "falco",
    title: "log of Falco's alerts",
    media_type: "application/x-ndjson",
    recognised_by: "objects with `rule`, `priority`, `time` and `output_fields`, one a line",
    says: "times in each entry; source and collector must be told",
    becomes: &[AuditLogSegment::TYPE],
    holds_secrets: false,
    reader: Reader::Log(Log { kind: LogKind::OsAudit, is, list: "", event }),
};

fn is(json: &Value) -> bool {
    let of = |e: &Value| ["rule", "priority", "time", "output_fields"].iter().all(|name| e.get(*name).is_some());
    of(json) || json.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(of))
}

fn event(json: &Value) -> Event {
    let field =
        |name: &str| json.get("output_fields")?.get(name)?.as_str().filter(|v| !v.is_empty()).map(str::to_owned);
    let image = field("container.image.digest").and_then(|digest| digest.parse().ok());
    Event {
        at: at(json, "/time"),
        who: field("user.name").or_else(|| field("ka.user.name")),
        what: text(json, "/rule"),
        on: field("k8s.pod.name").or_else(|| field("container.name")).or_else(|| text(json, "/hostname")),
        outcome: text(json, "/priority"),
        without: &["who", "on"],
        matters: image.map(Matter::About),
    }
}
