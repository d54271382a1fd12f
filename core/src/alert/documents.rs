//! Documents that no longer count, or soon will not.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alert, AlertKind, HOUR, Watch, all};
use crate::error::Result;
use crate::ledger::{Ledger, Query};
use crate::predicate::{PredicateType as _, Reference};
use crate::timestamp::Timestamp;

/// The documents that end before so many days are over. Of several records of one document the newest counts.
pub(super) fn ended(
    ledger: &Ledger,
    watch: &Watch,
    now: Timestamp,
    without_body: &mut BTreeSet<u64>,
) -> Result<Vec<Alert>> {
    let mut query = Query::everything();
    query.predicate_type = Some(Reference::TYPE.to_owned());
    let mut newest: BTreeMap<String, (u64, Option<Timestamp>)> = BTreeMap::new();
    for record in all(ledger, query, without_body)?.into_iter().filter(|record| !record.revoked) {
        let Ok(reference) = record.statement().predicate_as::<Reference>() else { continue };
        for document in reference.references {
            let end = Reference::expires_at(&document)?;
            if let Some(name) = document.name.or(document.download_location) {
                newest.insert(name, (record.index, end));
            }
        }
    }
    let days = i64::try_from(watch.days).unwrap_or(i64::MAX);
    let soon = now.plus_millis(days.saturating_mul(24 * HOUR));
    let alert = |(about, (index, end)): (String, (u64, Option<Timestamp>))| {
        let end = end.filter(|end| *end <= soon)?;
        let (kind, message) = match end <= now {
            true => (AlertKind::DocumentExpired, format!("`{about}` expired; get its successor and record that")),
            false => (AlertKind::DocumentExpires, format!("`{about}` expires; get its successor and record that")),
        };
        Some(Alert { at: end, kind, about, message, records: BTreeSet::from([index]) })
    };
    Ok(newest.into_iter().filter_map(alert).collect())
}
