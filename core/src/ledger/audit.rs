//! The audit: every byte of the folder is what the checkpoint commits to, or it is named.
//!
//! Nothing is believed that the log's signature does not lead to. Two things are outside of that and are checked in
//! other ways: the index, which is compared row by row with the log, and the content of the lock, which must be empty.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::entry::Entry;
use super::folder::{INDEX, LOCK, UNFINISHED};
use super::store::{ATTACHMENTS, BODIES, CHECKPOINT, CONFIG, Store, TILES};
use super::{ATTACHMENT_LOCATION, Ledger};
use crate::digest::{Algorithm, DigestSet};
use crate::error::{ErrorKind, Result};
use crate::json::Value;
use crate::limits;
use crate::merkle::{BundleId, Frontier, Hash, TILE_WIDTH, TileReader as _, encode_entries, encode_tile, leaf_hash};
use crate::statement::Statement;
use crate::trust_policy::{TrustChain, is_trust_policy};

/// What an audit found.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AuditReport {
    /// Name of the log.
    pub origin: String,
    /// Number of entries audited.
    pub size: u64,
    /// Root of the checkpoint, base64.
    pub root: String,
    /// Everything that is not as it must be; empty means that the ledger is whole.
    pub findings: Vec<AuditFinding>,
}

/// One thing that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditFinding {
    /// What kind of thing.
    pub kind: AuditFindingKind,
    /// Where: a file of the folder, or an entry.
    pub place: String,
    /// What is wrong, in words.
    pub message: String,
}

/// Kinds of findings.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditFindingKind {
    /// An entry is not what the checkpoint commits to, or breaks the rules of entries.
    EntryTampered,
    /// A tile is missing or is not what the entries hash to.
    TileTampered,
    /// An entry's body is gone.
    BodyLost,
    /// A body is not the one its entry commits to.
    BodyTampered,
    /// A record does not verify under the trust policy at its index.
    RecordRefused,
    /// An entry is labelled other than what its record is.
    EntryMislabelled,
    /// A decision was spent in a way the ledger does not allow.
    PermitMisused,
    /// An attachment is not what its name says.
    AttachmentTampered,
    /// An attachment that a record names is not there.
    AttachmentLost,
    /// A file that does not belong there, or one that an unfinished append left.
    UnexpectedFile,
    /// The search index says other than the log.
    IndexDiffers,
}

impl AuditReport {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn add(&mut self, kind: AuditFindingKind, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(AuditFinding { kind, place: place.into(), message: message.into() });
    }
}

impl Ledger {
    /// Audits every byte of the folder up to the newest checkpoint.
    ///
    /// # Errors
    /// As [`Ledger::refresh`] if the checkpoint itself is refused; `LEDGER_BUSY` if another process appends for too long;
    /// `PERMISSION_DENIED` or `IO` if the folder can't be read. Everything else is a finding.
    pub fn audit(&mut self) -> Result<AuditReport> {
        // appending is held off meanwhile, so that what is written right now is not taken for damage
        let storage = self.store.shared();
        let right = match storage.acquire(self.patience) {
            Ok(right) => Some(right),
            // a folder of which the lock can't be opened, such as a copy on a read-only medium
            Err(e) if e.kind() == ErrorKind::PermissionDenied => None,
            Err(e) => return Err(e),
        };
        self.refresh()?;
        let mut report = AuditReport {
            origin: self.origin().to_owned(),
            size: self.size(),
            root: self.checkpoint.checkpoint().root().to_string(),
            findings: Vec::new(),
        };
        let mut expected = BTreeSet::from([CONFIG.to_owned(), CHECKPOINT.to_owned(), LOCK.to_owned()]);
        let entries = self.audit_tiles(&mut report, &mut expected);
        let named = self.audit_records(&entries, &mut report, &mut expected);
        self.audit_files(&named, &expected, &mut report)?;
        self.audit_index(&mut report)?;
        drop(right);
        Ok(report)
    }

    /// Entries and tiles against the checkpoint, byte by byte. Gives the entries that could be read.
    fn audit_tiles(&self, report: &mut AuditReport, expected: &mut BTreeSet<String>) -> Vec<(u64, Vec<u8>)> {
        let width = u64::from(TILE_WIDTH);
        let mut leaves: Vec<Hash> = Vec::new();
        let mut entries = Vec::new();
        for id in self.bundles() {
            let path = id.to_string();
            expected.insert(path.clone());
            let read = self.store.entries(id).and_then(|bundle| {
                let bytes = self.store.read(&path, (limits::ENTRY_BYTES as u64 + 2) * width)?;
                let same = encode_entries(&bundle)? == bytes;
                Ok((bundle, same))
            });
            match read {
                Ok((bundle, same)) => {
                    if !same {
                        report.add(AuditFindingKind::TileTampered, path, "it is not written as it must be");
                    }
                    for (index, bytes) in (id.index() * width..).zip(bundle) {
                        leaves.push(leaf_hash(&bytes));
                        entries.push((index, bytes));
                    }
                }
                Err(e) => {
                    report.add(AuditFindingKind::TileTampered, path, e.message());
                    // without these entries no hash above them can be checked
                    return entries;
                }
            }
        }
        let Ok(grown) = Frontier::default().grow(&leaves) else { return entries };
        if grown.root != *self.checkpoint.checkpoint().root() {
            let place = self.first_foreign_entry(&leaves);
            report.add(
                AuditFindingKind::EntryTampered,
                place,
                "the entries are not those the checkpoint commits to: one was changed, dropped, added or moved",
            );
        }
        for (id, hashes) in grown.tiles {
            let path = id.to_string();
            match self.store.read(&path, width * 32) {
                Ok(found) if found == encode_tile(&hashes) => {}
                Ok(_) => report.add(AuditFindingKind::TileTampered, &path, "it is not what the entries hash to"),
                Err(e) => report.add(AuditFindingKind::TileTampered, &path, e.message()),
            }
            expected.insert(path);
        }
        entries
    }

    fn bundles(&self) -> impl Iterator<Item = BundleId> {
        let size = self.size();
        (0..size).step_by(usize::from(TILE_WIDTH)).filter_map(move |index| BundleId::containing(index, size).ok())
    }

    /// The first entry whose stored hash differs from its bytes, as far as the tiles tell.
    fn first_foreign_entry(&self, leaves: &[Hash]) -> String {
        for id in self.bundles() {
            let Ok(hashes) = self.store.tile(id.tile()) else { break };
            for (index, hash) in (id.index() * u64::from(TILE_WIDTH)..).zip(hashes) {
                let own = usize::try_from(index).ok().and_then(|i| leaves.get(i));
                if own.is_some_and(|own| *own != hash) {
                    return format!("entry {index}");
                }
            }
        }
        "entries".to_owned()
    }

    /// Bodies and records, each under the trust policy at its index. Gives the attachments that records name.
    fn audit_records(
        &self,
        entries: &[(u64, Vec<u8>)],
        report: &mut AuditReport,
        expected: &mut BTreeSet<String>,
    ) -> BTreeMap<String, u64> {
        let mut trust = TrustChain::pinned(self.trust.versions().next().map(|(_, p)| p.payload().clone()));
        let mut named = BTreeMap::new();
        let mut last = 0;
        for (index, bytes) in entries {
            let place = format!("entry {index}");
            expected.insert(Store::body_name(*index));
            let entry = match Entry::parse(bytes) {
                Ok(entry) => entry,
                Err(e) => {
                    report.add(AuditFindingKind::EntryTampered, place, e.message());
                    continue;
                }
            };
            if entry.time < last {
                report.add(AuditFindingKind::EntryTampered, &place, "its time is before that of the entry before it");
            }
            last = entry.time;
            let statement = self.audit_record(*index, &entry, &mut trust, report);
            named.extend(statement.iter().flat_map(attachments_named).map(|name| (name, *index)));
        }
        named
    }

    fn audit_record(
        &self,
        index: u64,
        entry: &Entry,
        trust: &mut TrustChain,
        report: &mut AuditReport,
    ) -> Option<Statement> {
        let place = format!("entry {index}");
        let body = match self.store.body(index) {
            Ok(Some(body)) => body,
            Ok(None) => {
                report.add(AuditFindingKind::BodyLost, place, "its body is not there, or too short");
                return None;
            }
            Err(e) => {
                report.add(AuditFindingKind::BodyLost, place, e.message());
                return None;
            }
        };
        if body.commitment() != entry.record || body.record.len() as u64 != entry.size {
            report.add(AuditFindingKind::BodyTampered, place, "its body is not the one the entry commits to");
            return None;
        }
        let at = entry.logged_at().ok()?;
        let verified = match trust.verify_despite_revocation(&body.record, index, at) {
            Ok(verified) => verified,
            Err(e) => {
                report.add(AuditFindingKind::RecordRefused, place, e.message());
                return None;
            }
        };
        let statement = verified.value().clone();
        if is_trust_policy(statement.predicate_type())
            && let Err(e) = trust.take(&verified, index, at)
        {
            report.add(AuditFindingKind::RecordRefused, &place, e.message());
        }
        match Entry::derive(&statement, &body, at) {
            Ok(derived) if derived == *entry => {}
            _ => report.add(AuditFindingKind::EntryMislabelled, &place, "it is labelled other than what its record is"),
        }
        let signer = trust.speaker(&verified, index).map(|s| s.signer).unwrap_or_default();
        if let Err(e) = self.check_spend(&statement, &signer, at, index, &[]) {
            report.add(AuditFindingKind::PermitMisused, place, e.message());
        }
        Some(statement)
    }

    /// Files that must not be there, and attachments.
    fn audit_files(
        &self,
        named: &BTreeMap<String, u64>,
        expected: &BTreeSet<String>,
        report: &mut AuditReport,
    ) -> Result<()> {
        let mut attached = BTreeSet::new();
        let storage = self.store.storage();
        storage.list("", &mut |name, size| {
            if let Some(hex) = name.strip_prefix(&format!("{ATTACHMENTS}/")) {
                let digest = DigestSet::of_reader(&mut storage.stream(name)?.bytes, &[Algorithm::Sha256])?;
                if digest.get(Algorithm::Sha256).is_some_and(|digest| digest.hex() == hex) {
                    attached.insert(hex.to_owned());
                } else {
                    report.add(AuditFindingKind::AttachmentTampered, name, "its bytes are not those its name says");
                }
            } else if name == LOCK {
                if size > 0 {
                    report.add(AuditFindingKind::UnexpectedFile, name, "the lock must be empty");
                }
            } else if !expected.contains(name) {
                let beyond = name.starts_with(TILES) || name.starts_with(BODIES) || name == UNFINISHED;
                let why = if beyond {
                    "nothing the checkpoint commits to; the next append clears what an unfinished one left"
                } else {
                    "it does not belong to a ledger"
                };
                report.add(AuditFindingKind::UnexpectedFile, name, why);
            }
            Ok(())
        })?;
        for (hex, index) in named.iter().filter(|(hex, _)| !attached.contains(*hex)) {
            report.add(
                AuditFindingKind::AttachmentLost,
                format!("{ATTACHMENTS}/{hex}"),
                format!("entry {index} names it, and it is not there"),
            );
        }
        Ok(())
    }

    /// The index against the log, row by row.
    fn audit_index(&self, report: &mut AuditReport) -> Result<()> {
        if !report.is_clean() {
            return Ok(());
        }
        match self.index_differs() {
            Ok(None) => Ok(()),
            Ok(Some(what)) => {
                report.add(
                    AuditFindingKind::IndexDiffers,
                    INDEX,
                    format!("{what}; make it anew with `sealwright ledger rebuild`"),
                );
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::Io => {
                report.add(AuditFindingKind::IndexDiffers, INDEX, e.message());
                Ok(())
            }
            Err(e) => Err(e),
        }
    }
}

/// Attachments that a statement says lie in this ledger, by their names.
pub(crate) fn attachments_named(statement: &Statement) -> Vec<String> {
    let mut named = Vec::new();
    let Ok(predicate) = statement.predicate_json() else { return named };
    let mut open = vec![&predicate];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                let location = members.get("downloadLocation").and_then(Value::as_str);
                named.extend(location.and_then(|l| l.strip_prefix(ATTACHMENT_LOCATION)).map(str::to_owned));
                open.extend(members.values());
            }
            _ => {}
        }
    }
    named
}
