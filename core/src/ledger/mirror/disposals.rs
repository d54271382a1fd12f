//! What was disposed of at the source goes here as well, if the log shows it.

use std::collections::BTreeSet;
use std::ops::Range;

use super::marker::Marker;
use super::settling::set_aside;
use super::{Duration, ErrorKind, Followed, Ledger, Mirror, Result, limits};
use crate::ledger::archive::marker as archived_marker;
use crate::ledger::attachments_named;
use crate::ledger::sealed::{KEYS, header_name};
use crate::ledger::store::{ATTACHMENTS, Store};

impl Mirror {
    /// Erases what the log shows to have been disposed of, and tells it from what is lost.
    pub(super) fn carry_out_disposals(
        &self,
        ledger: &mut Ledger,
        marker: &mut Marker,
        followed: &mut Followed,
    ) -> Result<()> {
        if followed.may_be_disposed {
            let disposed = ledger.disposed()?;
            let storage = self.store.shared();
            let aside = set_aside(&self.store)?;
            // headers before what they open
            let mut left = Vec::new();
            for index in disposed.keys() {
                let body = Store::body_name(*index);
                followed.mirrored.erased += u64::from(storage.size(&body)?.is_some());
                let header = header_name(&body);
                left.extend(aside.iter().filter(|name| name.ends_with(&format!("/{header}"))).cloned());
                for name in [header, body, archived_marker(*index)] {
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
            let missed = followed.files_missing.iter().filter(|(index, _)| disposed.contains_key(index));
            followed.mirrored.attachments_missing -= missed.map(|(_, files)| files).sum::<u64>();
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
fn erase_unnamed(ledger: &mut Ledger) -> Result<()> {
    let mut named = BTreeSet::new();
    let before = ledger.size();
    if !names_of(ledger, 0..before, &mut named)? {
        return Ok(());
    }
    let storage = ledger.store.shared();
    let mut right = storage.acquire(Duration::from_millis(limits::LEDGER_LOCK_MILLIS))?;
    // who pulled meanwhile brought records, and what they name
    ledger.refresh()?;
    if !names_of(ledger, before..ledger.size(), &mut named)? {
        return Ok(());
    }
    let mut unnamed = Vec::new();
    storage.list(&format!("{ATTACHMENTS}/"), &mut |name, _| {
        let hex = name.strip_prefix(ATTACHMENTS).map(|rest| rest.trim_start_matches('/'));
        if hex.is_some_and(|hex| !named.contains(hex)) {
            unnamed.push(name.to_owned());
        }
        Ok(())
    })?;
    // headers that were set aside have the same names as those in their place
    if let Some(sealed) = ledger.layers.sealed() {
        let headers: BTreeSet<String> =
            named.iter().map(|hex| sealed.attachment_header(&format!("{ATTACHMENTS}/{hex}"))).collect();
        for name in set_aside(&ledger.store)? {
            let header = name.find(&format!("/{KEYS}/{ATTACHMENTS}/")).and_then(|at| name.get(at + 1..));
            if header.is_some_and(|header| !headers.contains(header)) {
                unnamed.push(name);
            }
        }
    }
    right.remove(&unnamed)
}

/// Adds what the records of these entries name; false if one of them can't be read.
fn names_of(ledger: &Ledger, entries: Range<u64>, named: &mut BTreeSet<String>) -> Result<bool> {
    for index in entries {
        match ledger.record(index) {
            Ok(record) => named.extend(attachments_named(record.statement())),
            Err(e) if e.kind() == ErrorKind::BodyDisposed => {}
            Err(_) => return Ok(false),
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::ResourceDescriptor;
    use crate::digest::Digest;
    use crate::key::{KeyType, PrivateKey};
    use crate::ledger::{ATTACHMENT_LOCATION, Anchors, LogSource, Pins};
    use crate::predicate::{PredicateType as _, TrustPolicy};
    use crate::signer::sign;
    use crate::statement::Statement;
    use crate::timestamp::Timestamp;
    use crate::trust_policy;

    const NOTE: &str = "https://example.org/attestation/note/v1";

    fn now() -> Timestamp {
        "2026-11-21T08:00:00Z".parse().unwrap()
    }

    /// A record that names a file of its own, which is kept with it.
    fn note(ledger: &mut Ledger, key: &PrivateKey, text: &str) -> Digest {
        let file = ledger.attach(text.as_bytes()).unwrap();
        let location = format!("{ATTACHMENT_LOCATION}{}", file.hex());
        let about = ResourceDescriptor::of(Digest::sha256(text.as_bytes()));
        let predicate = serde_json::json!({ "file": { "downloadLocation": location } });
        ledger.record_statement(&Statement::from_json(NOTE, vec![about], &predicate).unwrap(), key, now()).unwrap();
        file
    }

    #[test]
    fn files_that_another_pull_brought_meanwhile_are_not_taken_for_those_of_disposed_records() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let policy = trust_policy::of_one(key.public(), &[TrustPolicy::TYPE, NOTE]);
        let trust = sign(&trust_policy::statement(&policy).unwrap(), &key).unwrap().to_json();
        let (anchors, log_key) = (Anchors::in_folder(at("state")), PrivateKey::generate(KeyType::Ed25519).unwrap());
        let mut ledger = Ledger::init(&at("ledger"), &anchors, "example.org/log", log_key, &[trust], now()).unwrap();
        let elsewhere = Anchors::in_folder(at("elsewhere"));
        let pull = || {
            let source = LogSource::folder(at("ledger"));
            Mirror::open(&at("copy"), &elsewhere).pull(&source, &Pins::none(), None, now(), &mut |_| {}).unwrap()
        };
        let first = note(&mut ledger, &key, "first");
        pull();
        // one pull is about to erase what nothing names, and another goes before it
        let mut copy = Ledger::open(&at("copy"), &elsewhere, &Pins::none()).unwrap();
        let second = note(&mut ledger, &key, "second");
        pull();
        std::fs::write(at("copy").join("attachments").join(Digest::sha256(b"x").hex()), b"x").unwrap();
        erase_unnamed(&mut copy).unwrap();
        for file in [&first, &second] {
            copy.attachment(file).unwrap();
        }
        assert!(copy.attachment(&Digest::sha256(b"x")).is_err(), "what nothing names is gone");
    }
}
