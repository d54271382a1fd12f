//! Certificates that cert-manager keeps, as `kubectl get certificates -A -o json` shows them.

use super::report::{Claim, Report, time};
use super::workloads::{items, kind_of, text};
use super::{Format, Reader};
use crate::error::Result;
use crate::json::Value;
use crate::predicate::{PredicateType as _, Scai};
use crate::statement::Statement;

pub(super) const FORMAT: Format = Format {
    name: "cert-manager",
    title: "list of certificates",
    media_type: "application/json",
    recognised_by: "a `List` of, or one, `Certificate` of cert-manager.io",
    says: "ends in `status.notAfter`; the cluster's URI must be told as source",
    becomes: &[Scai::TYPE],
    holds_secrets: false,
    reader: Reader::Json { is, read },
};

/// Days that a certificate should still be valid, where nobody says otherwise.
const DAYS: u64 = 14;
const DAY_SECONDS: i64 = 24 * 60 * 60;

fn is(json: &Value) -> bool {
    let items = items(json);
    !items.is_empty()
        && items.iter().all(|item| kind_of(json, item) == "Certificate" && item.pointer("/spec/secretName").is_some())
}

fn read(report: &Report<'_>) -> Result<Vec<Statement>> {
    let told = report.told;
    let cluster = told.demand(&told.source, "source", "the list does not say of which cluster it is")?;
    let least = i64::try_from(report.limits().certificate_days.unwrap_or(DAYS)).unwrap_or(i64::MAX);
    let mut claims = Vec::new();
    for item in items(report.json) {
        let (namespace, name) = (text(item, "/metadata/namespace"), text(item, "/metadata/name"));
        let target =
            format!("{}/{namespace}/certificates/{}", cluster.trim_end_matches('/'), super::log::encoded(name));
        let claim = Claim::of("CERTIFICATE_VALID", target);
        let Some(end) = time(text(item, "/status/notAfter")) else {
            claims.push(claim.denied_if(Some("it was never issued".to_owned())));
            continue;
        };
        let left = (end.unix_seconds() - report.now.unix_seconds()).div_euclid(DAY_SECONDS);
        let claim = claim.with("notAfter", end.to_string()).with("daysLeft", left);
        claims.push(if end <= report.now {
            claim.denied_if(Some("it has expired".to_owned()))
        } else if left < least {
            claim.with("warning", format!("it ends in {left} days; {least} are asked for"))
        } else {
            claim
        });
    }
    Ok(vec![report.claims(claims)?])
}
