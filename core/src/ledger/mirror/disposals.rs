//! What was disposed of at the source goes here as well, if the log shows it.

use std::collections::BTreeSet;

use super::marker::Marker;
use super::{Duration, ErrorKind, Followed, Ledger, Mirror, Result, limits};
use crate::ledger::archive::marker as archived_marker;
use crate::ledger::attachments_named;
use crate::ledger::sealed::header_name;
use crate::ledger::store::{ATTACHMENTS, Store};

impl Mirror {
    /// Erases what the log shows to have been disposed of, and tells it from what is lost.
    pub(super) fn carry_out_disposals(
        &self,
        ledger: &Ledger,
        marker: &mut Marker,
        followed: &mut Followed,
    ) -> Result<()> {
        if ledger.moved_to().is_some() {
            // it is followed at its new place, and takes no more until then
            return Ok(());
        }
        if followed.may_be_disposed {
            let disposed = ledger.disposed()?;
            let storage = self.store.shared();
            // headers before what they open
            let mut left = Vec::new();
            for index in disposed.keys() {
                let body = Store::body_name(*index);
                followed.mirrored.erased += u64::from(storage.size(&body)?.is_some());
                for name in [header_name(&body), body, archived_marker(*index)] {
                    if storage.size(&name)?.is_some() {
                        left.push(name);
                    }
                }
            }
            if !left.is_empty() {
                storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?.remove(&left)?;
                // it held their payload digests
                ledger.forget_index()?;
            }
            if !disposed.is_empty() {
                erase_unnamed(ledger)?;
            }
            let of_them = followed.bodyless.iter().filter(|index| disposed.contains_key(index)).count() as u64;
            followed.mirrored.disposed = of_them;
            followed.mirrored.without_body = followed.bodyless.len() as u64 - of_them;
            followed.lacking.retain(|index| !disposed.contains_key(index));
            marker.lacks(&followed.lacking);
        }
        // what only records in the archive tell, is asked again when it is named, and what lacking ones would, when they come
        if !marker.archive_unseen && followed.lacking.is_empty() {
            marker.disposed_to = ledger.size();
        }
        Ok(())
    }
}

/// Erases attachments that no record names any more: those of records that were disposed of, and were never here. Where
/// not all records can be read, nobody knows, and nothing is erased.
fn erase_unnamed(ledger: &Ledger) -> Result<()> {
    let mut named = BTreeSet::new();
    for index in 0..ledger.size() {
        match ledger.record(index) {
            Ok(record) => named.extend(attachments_named(record.statement())),
            Err(e) if e.kind() == ErrorKind::BodyDisposed => {}
            Err(_) => return Ok(()),
        }
    }
    let storage = ledger.store.shared();
    let mut unnamed = Vec::new();
    storage.list(&format!("{ATTACHMENTS}/"), &mut |name, _| {
        let hex = name.strip_prefix(ATTACHMENTS).map(|rest| rest.trim_start_matches('/'));
        if hex.is_some_and(|hex| !named.contains(hex)) {
            unnamed.push(name.to_owned());
        }
        Ok(())
    })?;
    storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?.remove(&unnamed)
}
