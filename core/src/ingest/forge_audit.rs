//! The audit logs of GitHub and of GitLab.

use super::log::{Event, Log, at, text};
use super::{Format, Reader};
use crate::json::Value;
use crate::predicate::{AuditLogSegment, LogKind, PredicateType as _};
use crate::timestamp::Timestamp;

pub(super) const GITHUB: Format = Format {
    name: "github-audit",
    title: "GitHub audit log",
    media_type: "application/json",
    recognised_by: "objects with `@timestamp` and `action`, in a list or one a line",
    says: "times in each entry; source and collector must be told",
    becomes: &[AuditLogSegment::TYPE],
    holds_secrets: false,
    reader: Reader::Log(Log { kind: LogKind::ScmAudit, is: is_github, list: "", event: github }),
};

pub(super) const GITLAB: Format = Format {
    name: "gitlab-audit",
    title: "GitLab audit log",
    media_type: "application/json",
    recognised_by: "objects with `author_id`, `entity_type`, `details` and `created_at`, in a list or one a line",
    says: "times in each entry; source and collector must be told",
    becomes: &[AuditLogSegment::TYPE],
    holds_secrets: false,
    reader: Reader::Log(Log { kind: LogKind::ScmAudit, is: is_gitlab, list: "", event: gitlab }),
};

fn each(json: &Value, of: fn(&Value) -> bool) -> bool {
    json.as_array().map_or_else(|| of(json), |all| !all.is_empty() && all.iter().all(of))
}

fn is_github(json: &Value) -> bool {
    each(json, |e| e.get("@timestamp").is_some_and(Value::is_number) && e.get("action").is_some_and(Value::is_string))
}

fn github(json: &Value) -> Event {
    let millis = json.get("@timestamp").and_then(Value::as_i64);
    Event {
        at: millis.and_then(|millis| Timestamp::from_unix_millis(millis).ok()),
        who: text(json, "/actor"),
        what: text(json, "/action"),
        on: text(json, "/repo").or_else(|| text(json, "/org")).or_else(|| text(json, "/business")),
        // what is in it was done
        without: &["outcome"],
        ..Event::default()
    }
}

fn is_gitlab(json: &Value) -> bool {
    each(json, |e| ["author_id", "entity_type", "details", "created_at"].iter().all(|name| e.get(*name).is_some()))
}

fn gitlab(json: &Value) -> Event {
    let what = ["/event_name", "/details/event_name", "/details/custom_message", "/details/action"];
    let changed = ["change", "add", "remove"]
        .iter()
        .find_map(|verb| text(json, &format!("/details/{verb}")).map(|of| format!("{verb} {of}")));
    Event {
        at: at(json, "/created_at"),
        who: text(json, "/details/author_name").or_else(|| json.get("author_id").map(|id| format!("id {id}"))),
        what: what.iter().find_map(|pointer| text(json, pointer)).or(changed),
        on: text(json, "/details/entity_path").or_else(|| text(json, "/entity_type")),
        without: &["outcome"],
        ..Event::default()
    }
}
