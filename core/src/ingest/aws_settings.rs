//! Settings of AWS, as its command shows them: object locks, encryption and public access of buckets, encryption of disks
//! and databases, rotation of keys and secrets.

use super::report::{Claim, Report, time};
use super::workloads::text;
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Scai};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

pub(super) const FORMAT: Format = Format {
    name: "aws-settings",
    title: "answer of the aws command",
    media_type: "application/json",
    recognised_by: "one of `ObjectLockConfiguration`, `Retention`, `ServerSideEncryptionConfiguration`, \
                    `PublicAccessBlockConfiguration`, `KeyRotationEnabled`, `Rotations`, `SecretList`, `DBInstances`, `Volumes`",
    says: "keys, secrets, disks and databases name themselves; a bucket's URI must be told as source",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

type Reading = fn(&Report<'_>, &Value) -> Result<Vec<Claim>>;

/// The member by which an answer is told, and how it is read.
const SHAPES: &[(&str, Reading)] = &[
    ("ObjectLockConfiguration", object_lock),
    ("Retention", retention),
    ("ServerSideEncryptionConfiguration", bucket_encryption),
    ("PublicAccessBlockConfiguration", public_access),
    ("KeyRotationEnabled", key_rotation),
    ("Rotations", rotations),
    ("SecretList", secrets),
    ("DBInstances", databases),
    ("Volumes", volumes),
];

fn shapes(json: &Value) -> impl Iterator<Item = (&Value, Reading)> {
    SHAPES.iter().filter_map(|(name, read)| Some((json.get(*name)?, *read)))
}

fn is(json: &Value) -> bool {
    shapes(json).count() == 1
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let mut claims = Vec::new();
    for (part, read) in shapes(report.json) {
        claims.extend(read(report, part)?);
    }
    if claims.is_empty() {
        return Err(report.malformed("lists nothing, so nothing was looked at"));
    }
    // an answer that was cut into pages is not whole
    if !text(report.json, "/NextToken").is_empty() || report.json.get("Truncated") == Some(&Value::Bool(true)) {
        return Err(report.malformed("is one page of several; have the command show all"));
    }
    Ok(vec![report.claims(claims)?])
}

fn bucket(report: &Report<'_>) -> Result<String> {
    report.told.demand(&report.told.source, "source", "the answer does not say of which bucket it is").cloned()
}

fn object_lock(report: &Report<'_>, lock: &Value) -> Result<Vec<Claim>> {
    let claim = Claim::of("OBJECT_LOCK_ENABLED", bucket(report)?);
    let rule = lock.pointer("/Rule/DefaultRetention");
    let days = |name: &str| rule.and_then(|rule| rule.get(name)).and_then(Value::as_u64);
    let kept = days("Days").or_else(|| days("Years").map(|years| years.saturating_mul(365)));
    let fault = if text(lock, "/ObjectLockEnabled") != "Enabled" {
        Some("it is not enabled")
    } else if kept.is_none() {
        Some("it has no default retention, so that nothing is locked by itself")
    } else {
        None
    };
    let mode = rule.map(|rule| text(rule, "/Mode").to_ascii_lowercase()).unwrap_or_default();
    let claim = if mode.is_empty() { claim } else { claim.with("mode", mode) };
    // objects written now are locked until then
    let until =
        kept.map(|days| report.now.plus_millis(i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(86_400_000)));
    let claim = match until {
        Some(until) => claim.with("retainUntil", until.to_string()),
        None => claim,
    };
    Ok(vec![claim.denied_if(fault.map(str::to_owned))])
}

fn retention(report: &Report<'_>, retention: &Value) -> Result<Vec<Claim>> {
    let until = report.time(text(retention, "/RetainUntilDate"))?;
    let claim = Claim::of("OBJECT_LOCK_ENABLED", bucket(report)?)
        .with("mode", text(retention, "/Mode").to_ascii_lowercase())
        .with("retainUntil", until.to_string());
    Ok(vec![claim.denied_if((until <= report.now).then(|| "the lock has ended".to_owned()))])
}

fn bucket_encryption(report: &Report<'_>, configuration: &Value) -> Result<Vec<Claim>> {
    let rules = configuration.get("Rules").and_then(Value::as_array).into_iter().flatten();
    let algorithms: Vec<&str> =
        rules.map(|rule| text(rule, "/ApplyServerSideEncryptionByDefault/SSEAlgorithm")).collect();
    let known =
        !algorithms.is_empty() && algorithms.iter().all(|a| matches!(*a, "AES256" | "aws:kms" | "aws:kms:dsse"));
    let claim = Claim::of("ENCRYPTED_AT_REST", bucket(report)?).with("algorithm", algorithms.join(", "));
    Ok(vec![claim.denied_if((!known).then(|| "no default encryption is set".to_owned()))])
}

fn public_access(report: &Report<'_>, block: &Value) -> Result<Vec<Claim>> {
    let open = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]
        .into_iter()
        .find(|name| block.get(*name) != Some(&Value::Bool(true)));
    let fault = open.map(|name| format!("`{name}` is not set"));
    Ok(vec![Claim::of("NO_PUBLIC_EXPOSURE", bucket(report)?).denied_if(fault)])
}

fn key_rotation(report: &Report<'_>, enabled: &Value) -> Result<Vec<Claim>> {
    let key = text(report.json, "/KeyId");
    let target = if key.is_empty() {
        report.told.demand(&report.told.source, "source", "the answer does not say of which key it is")?.clone()
    } else {
        urn(key, "kms")
    };
    let claim = Claim::of("CREDENTIAL_ROTATED", target);
    let days = report.json.get("RotationPeriodInDays").and_then(Value::as_u64);
    let (period, most) = (days.map(|days| days.saturating_mul(86_400)), report.limits().max_age_seconds);
    let claim = match period {
        Some(seconds) => claim.with("periodSeconds", seconds),
        None => claim,
    };
    let fault = match (enabled, period, most) {
        (Value::Bool(true), None, Some(_)) => {
            return Err(report.malformed("does not say how often it rotates, which `limits.maxAgeSeconds` asks for"));
        }
        (Value::Bool(true), Some(period), Some(most)) if period > most => Some("it rotates too seldom"),
        (Value::Bool(true), _, _) => None,
        _ => Some("its rotation is not enabled"),
    };
    Ok(vec![claim.denied_if(fault.map(str::to_owned))])
}

fn rotations(report: &Report<'_>, list: &Value) -> Result<Vec<Claim>> {
    let all = list.as_array().into_iter().flatten();
    let newest =
        all.filter_map(|rotation| Some((instant(rotation.get("RotationDate")?)?, text(rotation, "/KeyId")))).max();
    let (at, key) =
        newest.ok_or_else(|| report.malformed("lists no rotation, so that nothing shows how old the key is"))?;
    Ok(vec![aged(report, &urn(key, "kms"), at)?])
}

fn secrets(report: &Report<'_>, list: &Value) -> Result<Vec<Claim>> {
    let mut claims = Vec::new();
    for secret in list.as_array().into_iter().flatten() {
        let target = urn(text(secret, "/ARN"), "secretsmanager");
        // any edit moves the date of the last change
        let dates = ["LastRotatedDate", "CreatedDate"];
        let date = dates.iter().find_map(|name| secret.get(*name).filter(|date| !date.is_null()));
        let at = date.and_then(instant);
        let at = at.ok_or_else(|| {
            report.malformed(format_args!("does not say when `{target}` was rotated or else created, or not legibly"))
        })?;
        claims.push(aged(report, &target, at)?);
    }
    Ok(claims)
}

/// How old it is against how old it may be.
fn aged(report: &Report<'_>, target: &str, at: Timestamp) -> Result<Claim> {
    let why = "a key or secret was rotated in time only by the age that is asked for";
    let most = *report.told.demand(&report.limits().max_age_seconds, "limits.maxAgeSeconds", why)?;
    let age = report.now.unix_seconds().saturating_sub(at.unix_seconds());
    if age < 0 {
        return Err(report.malformed(format_args!("has the date {at}, which is still to come")));
    }
    Ok(Claim::of("CREDENTIAL_ROTATED", target).with("ageSeconds", age).with("maxAgeSeconds", most))
}

fn databases(_: &Report<'_>, list: &Value) -> Result<Vec<Claim>> {
    let each = list.as_array().into_iter().flatten().flat_map(|database| {
        let target = urn(text(database, "/DBInstanceArn"), "rds");
        let encrypted = database.get("StorageEncrypted") == Some(&Value::Bool(true));
        let hidden = database.get("PubliclyAccessible") == Some(&Value::Bool(false));
        [
            Claim::of("ENCRYPTED_AT_REST", &target).denied_if((!encrypted).then(|| "its storage is not".to_owned())),
            Claim::of("NO_PUBLIC_EXPOSURE", &target)
                .denied_if((!hidden).then(|| "it can be reached by all".to_owned())),
        ]
    });
    Ok(each.collect())
}

fn volumes(_: &Report<'_>, list: &Value) -> Result<Vec<Claim>> {
    let each = list.as_array().into_iter().flatten().map(|volume| {
        let encrypted = volume.get("Encrypted") == Some(&Value::Bool(true));
        let target = urn(text(volume, "/VolumeId"), "ec2");
        Claim::of("ENCRYPTED_AT_REST", target).denied_if((!encrypted).then(|| "it is not".to_owned()))
    });
    Ok(each.collect())
}

/// A resource name as it is, or an id below its service.
fn urn(id: &str, service: &str) -> String {
    let id = super::log::encoded(id);
    if id.starts_with("arn:") { id } else { format!("aws://{service}/{id}") }
}

/// The command writes RFC 3339 or seconds, by its version.
fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => time(text),
        Value::Number(seconds) => {
            let seconds = seconds.as_f64().filter(|seconds| (0.0..2.5e11).contains(seconds))?;
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked above")]
            let millis = (seconds * 1000.0) as i64;
            Timestamp::from_unix_millis(millis).ok()
        }
        _ => None,
    }
}
