//! The audit log of HashiCorp Vault and OpenBao: reads of secrets, uses of transit keys, changes of policies.

use super::log::{Access, Event, Log, Matter, at, text};
use super::{Format, Reader};
use crate::json::Value;
use crate::predicate::{
    AuditLogSegment, KeyAccess, KeyOperation, KeyOutcome, KeyResource, LogKind, PredicateType as _,
};

pub(super) const FORMAT: Format = Format {
    name: "vault-audit",
    title: "Vault audit log",
    media_type: "application/x-ndjson",
    recognised_by: "objects with `type` request or response, `time`, and `request` with `operation` and `path`, one a line",
    says: "times in each entry; source and collector must be told",
    becomes: &[AuditLogSegment::TYPE, KeyAccess::TYPE],
    holds_secrets: false,
    reader: Reader::Log(Log { kind: LogKind::KmsAudit, is, list: "", event }),
};

fn is(json: &Value) -> bool {
    let of = |e: &Value| {
        matches!(e.get("type").and_then(Value::as_str), Some("request" | "response"))
            && e.get("time").is_some()
            && e.pointer("/request/operation").is_some()
            && e.pointer("/request/path").is_some()
    };
    of(json) || json.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(of))
}

fn event(json: &Value) -> Event {
    let answered = json.get("type").and_then(Value::as_str) == Some("response");
    let error = text(json, "/error");
    Event {
        at: at(json, "/time"),
        who: who(json),
        what: text(json, "/request/operation"),
        on: text(json, "/request/path").map(|path| path.split('/').take(2).collect::<Vec<_>>().join("/")),
        outcome: answered.then(|| if error.is_some() { "failed".to_owned() } else { "succeeded".to_owned() }),
        // who logs in is not known yet, and a request has no outcome yet
        without: match (answered, json.pointer("/request/path").and_then(Value::as_str)) {
            (true, Some(path)) if path.starts_with("auth/") || path.starts_with("sys/") => &["who"],
            (true, _) => &[],
            (false, _) => &["who", "outcome"],
        },
        matters: if answered { matters(json, error.as_deref()) } else { None },
    }
}

fn who(json: &Value) -> Option<String> {
    ["/auth/display_name", "/auth/entity_id"].iter().find_map(|pointer| text(json, pointer))
}

fn matters(json: &Value, error: Option<&str>) -> Option<Matter> {
    let (path, verb) = (text(json, "/request/path")?, text(json, "/request/operation")?);
    let mount = text(json, "/request/mount_type").unwrap_or_default();
    let parts: Vec<&str> = path.split('/').collect();
    let (kind, operation) = match (mount.as_str(), parts.as_slice()) {
        ("transit", [_, "sign" | "hmac", ..]) | (_, ["transit", "sign" | "hmac", ..]) => {
            (KeyResource::SigningKey, KeyOperation::Sign)
        }
        ("transit", [_, "verify", ..]) | (_, ["transit", "verify", ..]) => {
            (KeyResource::SigningKey, KeyOperation::Verify)
        }
        ("transit", [_, "encrypt" | "datakey", ..]) | (_, ["transit", "encrypt" | "datakey", ..]) => {
            (KeyResource::EncryptionKey, KeyOperation::Encrypt)
        }
        ("transit", [_, "decrypt" | "rewrap", ..]) | (_, ["transit", "decrypt" | "rewrap", ..]) => {
            (KeyResource::EncryptionKey, KeyOperation::Decrypt)
        }
        ("transit", [_, "keys", _, "rotate"]) | (_, ["transit", "keys", _, "rotate"]) => {
            (KeyResource::EncryptionKey, KeyOperation::Rotate)
        }
        ("transit", [_, "keys", _, "config"]) | (_, ["transit", "keys", _, "config"]) => {
            (KeyResource::EncryptionKey, KeyOperation::PolicyChange)
        }
        ("transit", [_, "keys", _]) | (_, ["transit", "keys", _]) => (KeyResource::EncryptionKey, of_verb(&verb)?),
        (_, ["sys", "policy" | "policies", ..]) if verb != "read" && verb != "list" => {
            (KeyResource::Secret, KeyOperation::PolicyChange)
        }
        ("kv" | "database" | "aws" | "pki" | "generic" | "cubbyhole", _) | (_, ["secret" | "database", ..]) => {
            (KeyResource::Secret, of_verb(&verb)?)
        }
        _ => return None,
    };
    let outcome = match error {
        None => KeyOutcome::Succeeded,
        Some(error) if error.contains("permission denied") => KeyOutcome::Denied,
        Some(_) => KeyOutcome::Failed,
    };
    Some(Matter::Access(Access { resource: path, kind, operation, human: false, outcome }))
}

fn of_verb(verb: &str) -> Option<KeyOperation> {
    Some(match verb {
        "read" | "list" => KeyOperation::Read,
        "create" => KeyOperation::Create,
        "update" | "patch" | "rotate" => KeyOperation::Rotate,
        "delete" => KeyOperation::Destroy,
        _ => return None,
    })
}
