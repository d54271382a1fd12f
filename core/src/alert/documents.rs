//! Documents that no longer count, or soon will not.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alert, AlertKind, HOUR, Watch, each};
use crate::error::Result;
use crate::ledger::{Ledger, Query};
use crate::predicate::{PredicateType as _, Reference};
use crate::timestamp::Timestamp;

/// The documents that end before so many days are over. Of several records of one document, of the same name and about the
/// same things, the newest counts.
pub(super) fn ended(ledger: &Ledger, watch: &Watch, now: Timestamp, unread: &mut BTreeSet<u64>) -> Result<Vec<Alert>> {
    let mut query = Query::everything();
    query.predicate_type = Some(Reference::TYPE.to_owned());
    let mut newest: BTreeMap<(Vec<String>, String), (u64, Option<Timestamp>)> = BTreeMap::new();
    each(ledger, query, unread, |record| {
        if record.revoked {
            return Ok(());
        }
        let reference: Reference = record.statement().predicate_as()?;
        let about = record.statement().tags().subject;
        for document in reference.references {
            let end = Reference::expires_at(&document)?;
            let name = document.name.or(document.download_location).unwrap_or_default();
            newest.insert((about.clone(), name), (record.index, end));
        }
        Ok(())
    })?;
    let days = i64::try_from(watch.days).unwrap_or(i64::MAX);
    let soon = now.plus_millis(days.saturating_mul(24 * HOUR));
    let mut alerts = Vec::new();
    for ((_, about), (index, end)) in newest {
        let Some(end) = end.filter(|end| *end <= soon) else { continue };
        let (kind, what) = match end <= now {
            true => (AlertKind::DocumentExpired, "expired"),
            false => (AlertKind::DocumentExpires, "expires"),
        };
        let message = format!("`{about}` {what}; get its successor and record that");
        alerts.push(Alert { at: end, kind, about, message, records: BTreeSet::from([index]) });
    }
    Ok(alerts)
}
