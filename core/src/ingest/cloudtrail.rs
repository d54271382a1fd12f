//! AWS CloudTrail: uses of keys and secrets, log-ins to the console, and shells by Systems Manager.

use super::log::{Access, Event, Log, Matter, Session, at, text};
use super::{Format, Reader};
use crate::json::Value;
use crate::predicate::{
    AccessKind, AuditLogSegment, KeyAccess, KeyOperation, KeyOutcome, KeyResource, LogKind, PredicateType as _,
    PrivilegedSession,
};

pub(super) const FORMAT: Format = Format {
    name: "cloudtrail",
    title: "CloudTrail log",
    media_type: "application/json",
    recognised_by: "`Records` of objects with `eventVersion`, `eventSource` and `eventName`, or one a line",
    says: "times in each entry; source and collector must be told, and the environment where someone got in",
    becomes: &[AuditLogSegment::TYPE, PrivilegedSession::TYPE, KeyAccess::TYPE],
    holds_secrets: false,
    reader: Reader::Log(Log { kind: LogKind::CloudAudit, is, list: "/Records", event }),
};

fn is(json: &Value) -> bool {
    let of = |e: &Value| ["eventVersion", "eventSource", "eventName"].iter().all(|name| e.get(*name).is_some());
    of(json) || json.get("Records").and_then(Value::as_array).is_some_and(|all| !all.is_empty() && all.iter().all(of))
}

fn event(json: &Value) -> Event {
    let failed = text(json, "/errorCode");
    Event {
        at: at(json, "/eventTime"),
        who: who(json),
        what: text(json, "/eventName"),
        on: text(json, "/eventSource"),
        outcome: Some(failed.unwrap_or_else(|| "succeeded".to_owned())),
        without: &[],
        matters: matters(json),
    }
}

fn who(json: &Value) -> Option<String> {
    let identity = json.get("userIdentity")?;
    ["/arn", "/principalId", "/invokedBy", "/userName", "/type"].iter().find_map(|pointer| text(identity, pointer))
}

fn matters(json: &Value) -> Option<Matter> {
    let (source, name) = (text(json, "/eventSource")?, text(json, "/eventName")?);
    let service = source.strip_suffix(".amazonaws.com").unwrap_or(&source);
    // people come in by IAM Identity Center as roles of this prefix
    let human = text(json, "/userIdentity/arn").is_some_and(|arn| arn.contains("/AWSReservedSSO_"))
        || matches!(
            json.pointer("/userIdentity/type").and_then(Value::as_str),
            Some("IAMUser" | "Root" | "IdentityCenterUser" | "SAMLUser")
        );
    match (service, name.as_str()) {
        ("signin", "ConsoleLogin") if text(json, "/responseElements/ConsoleLogin").as_deref() == Some("Success") => {
            session(json, human, "console", AccessKind::Console)
        }
        ("ssm", "StartSession") if json.get("errorCode").is_none() => {
            let Some(target) = text(json, "/requestParameters/target") else {
                return Some(Matter::Without("requestParameters.target"));
            };
            session(json, human, &format!("instances/{target}"), AccessKind::Exec)
        }
        ("kms" | "secretsmanager" | "ssm", _) => {
            let (kind, operation) = operation(service, &name)?;
            let resource = text(json, "/resources/0/ARN")
                .or_else(|| text(json, "/requestParameters/keyId"))
                .or_else(|| text(json, "/requestParameters/secretId"))
                .or_else(|| text(json, "/requestParameters/name"))
                .unwrap_or_else(|| format!("{service}/unnamed"));
            let outcome = match text(json, "/errorCode") {
                None => KeyOutcome::Succeeded,
                Some(code) if code.contains("Denied") || code.contains("Unauthorized") => KeyOutcome::Denied,
                Some(_) => KeyOutcome::Failed,
            };
            Some(Matter::Access(Access { resource, kind, operation, human, outcome }))
        }
        _ => None,
    }
}

fn session(json: &Value, human: bool, target: &str, kind: AccessKind) -> Option<Matter> {
    Some(match text(json, "/eventID") {
        Some(id) => Matter::Session(Session { id, human, target: target.to_owned(), kind, ended: false }),
        None => Matter::Without("eventID"),
    })
}

fn operation(service: &str, name: &str) -> Option<(KeyResource, KeyOperation)> {
    let operation = match (service, name) {
        ("kms", "Sign" | "GenerateMac") => KeyOperation::Sign,
        ("kms", "Verify" | "VerifyMac") => KeyOperation::Verify,
        ("kms", "Encrypt") => KeyOperation::Encrypt,
        ("kms", _) if name.starts_with("GenerateDataKey") => KeyOperation::Encrypt,
        ("kms", "Decrypt" | "ReEncrypt") => KeyOperation::Decrypt,
        ("kms", "CreateKey") => KeyOperation::Create,
        ("kms", "RotateKey" | "RotateKeyOnDemand")
        | ("secretsmanager", "RotateSecret" | "PutSecretValue" | "UpdateSecret") => KeyOperation::Rotate,
        ("kms", "DisableKey" | "DisableKeyRotation") => KeyOperation::Disable,
        ("kms", "ScheduleKeyDeletion" | "DeleteImportedKeyMaterial") | ("secretsmanager", "DeleteSecret") => {
            KeyOperation::Destroy
        }
        ("kms", "PutKeyPolicy" | "CreateGrant" | "RevokeGrant" | "RetireGrant")
        | ("secretsmanager", "PutResourcePolicy" | "DeleteResourcePolicy") => KeyOperation::PolicyChange,
        ("secretsmanager", "GetSecretValue" | "BatchGetSecretValue")
        | ("ssm", "GetParameter" | "GetParameters" | "GetParametersByPath") => KeyOperation::Read,
        ("secretsmanager", "CreateSecret") | ("ssm", "PutParameter") => KeyOperation::Create,
        _ => return None,
    };
    let kind = match (service, operation) {
        ("kms", KeyOperation::Sign | KeyOperation::Verify) => KeyResource::SigningKey,
        ("kms", _) => KeyResource::EncryptionKey,
        _ => KeyResource::Secret,
    };
    Some((kind, operation))
}
