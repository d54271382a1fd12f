//! Secrets that are read more often than they are.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alert, AlertKind, Use, Watch};
use crate::predicate::{KeyOperation, KeyResource};
use crate::timestamp::Timestamp;

/// What was counted of one secret or one reader.
struct Counted {
    /// In the stretch.
    now: u64,
    /// In each stretch before it, the latest first.
    before: Vec<u64>,
    /// The usual number by the service's own account, if it gives one.
    told: Option<u64>,
    first: Option<Timestamp>,
    records: BTreeSet<u64>,
}

/// What is unusual between two instants; every attempt counts, however it went.
pub(super) fn unusual(uses: &[Use], watch: &Watch, from: Timestamp, to: Timestamp) -> Vec<Alert> {
    let mut counted: BTreeMap<(AlertKind, &str), Counted> = BTreeMap::new();
    let length = to.unix_millis().saturating_sub(from.unix_millis()).max(1);
    for used in uses.iter().filter(|used| is_read(used) && used.access.at < to) {
        let access = &used.access;
        for about in [(AlertKind::UnusualReads, &*access.resource), (AlertKind::UnusualReader, &*access.actor.id)] {
            let counted = counted.entry(about).or_insert_with(|| Counted {
                now: 0,
                before: vec![0; usize::try_from(watch.before).unwrap_or(0)],
                told: None,
                first: None,
                records: BTreeSet::new(),
            });
            let count = access.count.unwrap_or(1);
            if access.at >= from {
                counted.now = counted.now.saturating_add(count);
                counted.first = Some(counted.first.map_or(access.at, |first| first.min(access.at)));
                counted.records.insert(used.index);
                // what a service says of one secret says nothing of all that somebody reads
                if about.0 == AlertKind::UnusualReads {
                    counted.told = counted.told.max(access.baseline_count);
                }
            } else {
                let age = from.unix_millis().saturating_sub(access.at.unix_millis()).saturating_sub(1) / length;
                if let Some(before) = usize::try_from(age).ok().and_then(|age| counted.before.get_mut(age)) {
                    *before = before.saturating_add(count);
                }
            }
        }
    }
    counted.into_iter().filter_map(|((kind, about), counted)| alert(kind, about, counted, watch)).collect()
}

fn alert(kind: AlertKind, about: &str, mut counted: Counted, watch: &Watch) -> Option<Alert> {
    counted.before.sort_unstable();
    let middle = counted.before.get(counted.before.len() / 2).copied().unwrap_or(0);
    let (now, usual) = (counted.now, counted.told.unwrap_or(middle));
    if now <= usual.saturating_mul(watch.times) || now < usual.saturating_add(watch.more) {
        return None;
    }
    let hours = watch.hours;
    let message = match kind {
        AlertKind::UnusualReader => {
            format!("`{about}` read secrets {now} times in {hours} hours, usually {usual} times")
        }
        _ => format!("`{about}` was read {now} times in {hours} hours, usually {usual} times"),
    };
    Some(Alert { at: counted.first?, kind, about: about.to_owned(), message, records: counted.records })
}

fn is_read(used: &Use) -> bool {
    used.access.operation == KeyOperation::Read && used.access.resource_kind == KeyResource::Secret
}
