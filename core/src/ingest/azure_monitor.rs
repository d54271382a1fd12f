//! Azure Monitor: the activity log of a subscription as `az monitor activity-log list` prints it, and resource logs as
//! diagnostic settings export them, a line each; of these, uses of keys and secrets in Key Vault.

use super::log::{Access, Event, Log, Matter, Session, at, text};
use super::{Format, Reader};
use crate::json::Value;
use crate::predicate::{
    AccessKind, AuditLogSegment, KeyAccess, KeyOperation, KeyOutcome, KeyResource, LogKind, PredicateType as _,
    PrivilegedSession,
};

pub(super) const FORMAT: Format = Format {
    name: "azure-monitor",
    title: "Azure Monitor log",
    media_type: "application/json",
    recognised_by: "objects with `resourceId`, `operationName` and `eventTimestamp`, in a list, or with `time` and \
                    `category`, one a line",
    says: "times in each entry; source and collector must be told, and the environment where someone got in",
    becomes: &[AuditLogSegment::TYPE, PrivilegedSession::TYPE, KeyAccess::TYPE],
    holds_secrets: false,
    reader: Reader::Log(Log { kind: LogKind::CloudAudit, is, list: "", event }),
};

fn is(json: &Value) -> bool {
    let has = |e: &Value, names: &[&str]| names.iter().all(|name| e.get(*name).is_some());
    let of = |e: &Value| {
        has(e, &["resourceId", "operationName", "eventTimestamp"])
            || has(e, &["resourceId", "operationName", "time", "category"])
    };
    of(json) || json.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(of))
}

fn event(json: &Value) -> Event {
    Event {
        at: at(json, "/eventTimestamp").or_else(|| at(json, "/time")),
        who: who(json),
        what: operation(json),
        on: text(json, "/resourceId"),
        outcome: text(json, "/status/value").or_else(|| text(json, "/resultType")),
        without: &[],
        matters: matters(json),
    }
}

/// The activity log has names with a translation beside them, resource logs have plain ones.
fn operation(json: &Value) -> Option<String> {
    text(json, "/operationName/value").or_else(|| text(json, "/operationName"))
}

fn who(json: &Value) -> Option<String> {
    const NAMES: [&str; 6] = [
        "/caller",
        "/identity/claim/upn",
        "/identity/claim/http:~1~1schemas.xmlsoap.org~1ws~12005~105~1identity~1claims~1upn",
        "/identity/claim/appid",
        "/identity/claim/oid",
        "/callerIpAddress",
    ];
    NAMES.iter().find_map(|pointer| text(json, pointer))
}

/// Applications act by an id, people by an address.
fn is_human(json: &Value) -> bool {
    who(json).is_some_and(|who| who.contains('@'))
}

fn matters(json: &Value) -> Option<Matter> {
    let operation = operation(json)?;
    if text(json, "/category").as_deref() == Some("AuditEvent") {
        return key_access(json, &operation);
    }
    // it is logged when it starts and when it ends
    let kind = match operation.to_ascii_lowercase().as_str() {
        "microsoft.compute/virtualmachines/runcommand/action"
        | "microsoft.compute/virtualmachines/runcommands/write"
        | "microsoft.compute/virtualmachinescalesets/virtualmachines/runcommand/action"
        | "microsoft.containerservice/managedclusters/runcommand/action" => AccessKind::Exec,
        "microsoft.serialconsole/serialports/connect/action" => AccessKind::Console,
        _ => return None,
    };
    let Some(id) = text(json, "/correlationId") else { return Some(Matter::Without("correlationId")) };
    let target = text(json, "/resourceId")?.trim_start_matches('/').to_owned();
    match text(json, "/status/value").as_deref() {
        // it was refused, or never ran
        Some("Failed") => None,
        status => {
            let ended = status == Some("Succeeded");
            Some(Matter::Session(Session { id, human: is_human(json), target, kind, ended }))
        }
    }
}

fn key_access(json: &Value, name: &str) -> Option<Matter> {
    let (kind, rest) = match name {
        _ if name.starts_with("Secret") => (KeyResource::Secret, name.strip_prefix("Secret")?),
        _ if name.starts_with("Key") => (KeyResource::EncryptionKey, name.strip_prefix("Key")?),
        _ if name.starts_with("Certificate") => (KeyResource::Certificate, name.strip_prefix("Certificate")?),
        "VaultPut" | "VaultPatch" | "VaultAccessPolicyChangedEventGridNotification" => {
            (KeyResource::EncryptionKey, "PolicyChange")
        }
        _ => return None,
    };
    let operation = match (rest, kind) {
        ("Get" | "Backup", KeyResource::Secret) => KeyOperation::Read,
        // the public part of a key is no secret
        ("Get", _) => return None,
        ("Sign", _) => KeyOperation::Sign,
        ("Verify", _) => KeyOperation::Verify,
        ("Encrypt" | "Wrap", _) => KeyOperation::Encrypt,
        ("Decrypt" | "Unwrap", _) => KeyOperation::Decrypt,
        // the key itself leaves the vault
        ("Backup" | "Release", _) => KeyOperation::Read,
        ("Create" | "Import", _) => KeyOperation::Create,
        // a version more
        ("Set" | "Rotate", _) => KeyOperation::Rotate,
        ("Delete" | "Purge", _) => KeyOperation::Destroy,
        ("PolicyChange", _) => KeyOperation::PolicyChange,
        _ => return None,
    };
    let kind = match operation {
        KeyOperation::Sign | KeyOperation::Verify => KeyResource::SigningKey,
        _ => kind,
    };
    let status = json.pointer("/properties/httpStatusCode").and_then(Value::as_u64);
    let outcome = match (text(json, "/resultType").as_deref(), status) {
        (_, Some(401 | 403)) => KeyOutcome::Denied,
        (Some("Success"), _) => KeyOutcome::Succeeded,
        _ => KeyOutcome::Failed,
    };
    let id = text(json, "/properties/id").or_else(|| text(json, "/resourceId"))?;
    // each version has an address of its own; who may read one may read them all
    let resource = match id.strip_prefix("https://").map(|rest| rest.splitn(4, '/').collect::<Vec<_>>()) {
        Some(parts) if parts.len() > 2 => parts.into_iter().take(3).collect::<Vec<_>>().join("/"),
        _ => id.trim_start_matches('/').to_owned(),
    };
    Some(Matter::Access(Access { resource, kind, operation, human: is_human(json), outcome }))
}
