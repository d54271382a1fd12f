//! Status of backups: of Velero (`kubectl get backups -A -o json`) and of restic (`restic snapshots --json`).

use std::collections::BTreeMap;

use super::report::{Claim, Report, time};
use super::workloads::{items, kind_of, text};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Scai};
use crate::statement::Statement;
use crate::timestamp::Timestamp;

pub(super) const VELERO: Format = Format {
    name: "velero",
    title: "list of Velero backups",
    media_type: "application/json",
    recognised_by: "a `List` of, or one, `Backup` of velero.io",
    says: "ends in `status`; the cluster's URI must be told as source, the longest age in `limits.rpoSeconds`",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_velero, read: velero },
};

pub(super) const RESTIC: Format = Format {
    name: "restic",
    title: "list of restic snapshots",
    media_type: "application/json",
    recognised_by: "a list of objects with `time`, `tree`, `paths` and `hostname`",
    says: "times in each; the repository's URI must be told as source, the longest age in `limits.rpoSeconds`",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is: is_restic, read: restic },
};

/// One backup that was tried.
struct Backup {
    at: Option<Timestamp>,
    done: bool,
    how: String,
    bytes: Option<u64>,
}

fn is_velero(json: &Value) -> bool {
    let items = items(json);
    !items.is_empty()
        && items
            .iter()
            .all(|item| kind_of(json, item) == "Backup" && text(item, "/apiVersion").starts_with("velero.io/"))
}

fn velero(report: &Report<'_>) -> Result<Vec<Statement>> {
    let mut series: BTreeMap<String, Vec<Backup>> = BTreeMap::new();
    for item in items(report.json) {
        let schedule = item.pointer("/metadata/labels").and_then(|l| l.get("velero.io/schedule-name"));
        let name = schedule.and_then(Value::as_str).unwrap_or_else(|| text(item, "/metadata/name"));
        let phase = text(item, "/status/phase");
        let at = ["/status/completionTimestamp", "/status/startTimestamp", "/metadata/creationTimestamp"];
        series.entry(name.to_owned()).or_default().push(Backup {
            at: at.iter().find_map(|pointer| time(text(item, pointer))),
            done: phase == "Completed",
            how: if phase.is_empty() { "New" } else { phase }.to_owned(),
            bytes: None,
        });
    }
    claims(report, series)
}

fn is_restic(json: &Value) -> bool {
    let of = |snapshot: &Value| ["time", "tree", "paths", "hostname"].iter().all(|name| snapshot.get(*name).is_some());
    json.as_array().is_some_and(|all| all.iter().all(of))
}

fn restic(report: &Report<'_>) -> Result<Vec<Statement>> {
    let mut series: BTreeMap<String, Vec<Backup>> = BTreeMap::new();
    for snapshot in report.json.as_array().into_iter().flatten() {
        let paths = snapshot.get("paths").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let name = format!("{}{}", text(snapshot, "/hostname"), paths.collect::<Vec<_>>().join(","));
        series.entry(name).or_default().push(Backup {
            at: Some(report.time(text(snapshot, "/time"))?),
            done: true,
            how: "done".to_owned(),
            bytes: snapshot.pointer("/summary/total_bytes_processed").and_then(Value::as_u64),
        });
    }
    claims(report, series)
}

/// A claim for each series of backups, by the newest that was done.
fn claims(report: &Report<'_>, series: BTreeMap<String, Vec<Backup>>) -> Result<Vec<Statement>> {
    let told = report.told;
    let source = told.demand(&told.source, "source", "the list does not say what was backed up")?.trim_end_matches('/');
    let why = "a backup is fresh only by the age that is asked for";
    let rpo = *told.demand(&report.limits().rpo_seconds, "limits.rpoSeconds", why)?;
    if series.is_empty() {
        return Err(report.malformed("lists no backup, so it shows none"));
    }
    let mut claims = Vec::new();
    for (name, mut backups) in series {
        backups.sort_by_key(|backup| backup.at);
        let target = format!("{source}/backups/{}", super::log::encoded(&name));
        let claim = Claim::of("BACKUP_FRESH", target).with("rpoSeconds", rpo);
        let claim = match backups.last() {
            Some(last) if !last.done => claim.with("lastAttempt", last.how.clone()),
            _ => claim,
        };
        let mut done = backups.iter().rev().filter(|backup| backup.done);
        let Some((newest, at)) = done.next().and_then(|backup| Some((backup, backup.at?))) else {
            claims.push(claim.denied_if(Some("no backup was ever done".to_owned())));
            continue;
        };
        let age = report.now.unix_seconds() - at.unix_seconds();
        if age < 0 {
            return Err(report.malformed(format_args!("has a backup of {at}, which is still to come")));
        }
        let mut claim = claim.with("ageSeconds", age);
        if let Some(bytes) = newest.bytes {
            claim = claim.with("sizeBytes", bytes);
            // half of the one before is more than what changes from day to day
            if let Some(before) = done.next().and_then(|backup| backup.bytes).filter(|before| bytes < before / 2) {
                claim = claim.with("warning", format!("it shrank from {before} to {bytes} bytes"));
            }
        }
        claims.push(claim);
    }
    Ok(vec![report.claims(claims)?])
}
