//! The audit: every byte of the folder is what the checkpoint commits to, or it is named.
//!
//! Nothing is believed that the log's signature does not lead to. Two things are outside of that and are checked in
//! other ways: the index, which is compared row by row with the log, and the content of the lock, which must be empty.

mod tree;

use std::collections::BTreeSet;

use serde::Serialize;

use super::append::may_be_refused;
use super::archive::is_marker;
use super::book::holds;
use super::entry::Entry;
use super::folder::{INDEX, UNFINISHED};
use super::index::{Compared, Row, Unusable};
use super::label::TYPE;
use super::log_key::rotation_name;
use super::mirror::UNPROVEN;
use super::sealed::KEYS;
use super::storage::IndexAt;
use super::store::{ATTACHMENTS, BODIES, CHECKPOINT, CONFIG, MIRROR, Store, TILES};
use super::{ATTACHMENT_LOCATION, Ledger, Progress};
use crate::digest::{Algorithm, DigestSet};
use crate::error::{Error, ErrorKind, Result};
use crate::json::Value;
use crate::merkle::{BundleId, TILE_WIDTH};
use crate::predicate::{PredicateType as _, TrustPolicy};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust_policy::{TrustChain, is_trust_policy};
use crate::verifier::Verified;

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
    /// Entries whose records were disposed of, as records of the ledger say.
    pub disposed: u64,
    /// How deep it went.
    pub depth: AuditDepth,
    /// Whether it was read through its service. Then only what entries, records and checkpoints lead to was looked at:
    /// neither files that nothing leads to nor the search index.
    pub through_service: bool,
    /// Everything that is not as it must be; empty means that the ledger is whole.
    pub findings: Vec<AuditFinding>,
}

/// How deep an audit goes. Each takes in those before it.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditDepth {
    /// Every entry is hashed, and every tile held against that and the checkpoint.
    Entries,
    /// Every body is held against its entry.
    Bodies,
    /// Every record is verified under the trust policy at its entry, every file and attachment is looked at, and the
    /// index is compared.
    #[default]
    Everything,
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
    /// An entry's body is gone, or that of the decision it spends.
    BodyLost,
    /// An entry's body lies in an archive that was not named, or that of the decision it spends, so it was not looked at.
    BodyArchived,
    /// A body is still there although its disposal is recorded, or what opens it or stands for it.
    DisposalUnfinished,
    /// A disposal record that explains no missing body.
    DisposalRefused,
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
    /// A cosignature or a timestamp of a checkpoint is not that of a witness or an authority of the trust policy.
    CheckpointTampered,
    /// The log signed two histories; the proof is kept beside the anchors.
    HistoryForked,
}

impl AuditReport {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn add(&mut self, kind: AuditFindingKind, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(AuditFinding { kind, place: place.into(), message: message.into() });
    }
}

impl Ledger {
    /// Audits every byte of the folder up to the newest checkpoint. Of a ledger behind an address, all that its log and
    /// its records lead to ([`AuditReport::through_service`]).
    ///
    /// # Errors
    /// As [`Ledger::refresh`] if the checkpoint itself is refused; `LEDGER_BUSY` if another process appends for too long;
    /// `PERMISSION_DENIED` or `IO` if the folder can't be read. Everything else is a finding.
    pub fn audit(&mut self) -> Result<AuditReport> {
        self.audit_to(AuditDepth::Everything)
    }

    /// Audits as deep as is asked for. Entries are gone through in parts by several threads, so that the memory this
    /// takes does not grow with the log.
    ///
    /// # Errors
    /// As [`Ledger::audit`].
    pub fn audit_to(&mut self, depth: AuditDepth) -> Result<AuditReport> {
        self.audit_with(depth, &mut |_| {})
    }

    /// As [`Ledger::audit_to`]; `progress` is told how many entries were looked at with their records.
    ///
    /// # Errors
    /// As [`Ledger::audit`].
    pub fn audit_with(&mut self, depth: AuditDepth, progress: &mut dyn FnMut(Progress)) -> Result<AuditReport> {
        self.labels.require_known()?;
        // appending is held off meanwhile, so that what is written right now is not taken for damage
        let storage = self.store.shared();
        let through_service = storage.service().is_some();
        let right = match storage.acquire(self.patience) {
            // a service shows its last commit, and nothing that is being written
            _ if through_service => None,
            Ok(mut right) => {
                // so that all is read from where it stays; whoever may only read leaves the journal as it is
                let _ = right.settle();
                Some(right)
            }
            // a folder of which the lock can't be opened, such as a copy on a read-only medium
            Err(e) if e.kind() == ErrorKind::PermissionDenied => None,
            Err(e) => return Err(e),
        };
        self.refresh()?;
        // every byte as it is now
        self.store.forget();
        let mut report = AuditReport {
            origin: self.origin().to_owned(),
            size: self.size(),
            root: self.checkpoint.checkpoint().root().to_string(),
            depth,
            through_service,
            disposed: 0,
            findings: Vec::new(),
        };
        self.audit_tiles(&mut report)?;
        // what others said of the checkpoints has no bearing on whether the index can be compared
        let mut said = AuditReport { findings: Vec::new(), ..report.clone() };
        let mut own = self.audit_witnessed(&mut said)?;
        own.extend((1..=self.log_key.rotations().len()).map(rotation_name));
        own.extend([CONFIG, CHECKPOINT, MIRROR].map(str::to_owned));
        if depth == AuditDepth::Everything && !through_service {
            // before the index is opened, which may tidy up beside it
            self.audit_files(&own, &mut report)?;
        }
        if depth != AuditDepth::Entries {
            self.audit_records(depth, &mut report, progress)?;
            self.audit_disposals(&mut report)?;
        }
        report.findings.append(&mut said.findings);
        for fork in self.forks()? {
            report.add(AuditFindingKind::HistoryForked, fork.place(), fork.told());
        }
        drop(right);
        Ok(report)
    }

    /// Bodies and records, each under the trust policy at its index, and the index beside them.
    fn audit_records(
        &self,
        depth: AuditDepth,
        report: &mut AuditReport,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        let mut trust = TrustChain::pinned(self.trust.versions().next().map(|(_, p)| p.payload().clone()));
        let mut last = 0;
        let mut index = match depth {
            AuditDepth::Everything if report.is_clean() => self.index_to_compare(report)?,
            _ => None,
        };
        let policy_type = self.labels.of(TYPE, TrustPolicy::TYPE)?.into_owned();
        let mut looked_for = BTreeSet::new();
        let mut from = 0;
        while from < self.size() {
            let to = self.size().min(from + PART);
            let entries = self.entries_between(from, to);
            let has_policy = entries.iter().any(|(_, bytes)| holds(bytes, &policy_type));
            let looked = if depth == AuditDepth::Bodies || !has_policy {
                on_threads(&entries, |(at, bytes)| self.look(*at, bytes, depth, &trust))
            } else {
                // a version of the trust policy judges what follows on it
                let mut all = Vec::new();
                for (at, bytes) in &entries {
                    let mut looked = self.look(*at, bytes, depth, &trust);
                    if let Some((verified, logged)) = looked.policy.take()
                        && let Err(e) = trust.take(&verified, *at, logged)
                    {
                        looked.add(AuditFindingKind::RecordRefused, format!("entry {at}"), e.message());
                    }
                    all.push(looked);
                }
                all
            };
            let mut rows = Vec::new();
            for ((at, _), looked) in entries.iter().zip(looked) {
                if let Some(e) = looked.failed {
                    return Err(e);
                }
                let place = format!("entry {at}");
                report.findings.extend(looked.findings);
                report.disposed += u64::from(looked.disposed);
                if looked.time.is_some_and(|time| time < last) {
                    let message = "its time is before that of the entry before it";
                    report.add(AuditFindingKind::EntryTampered, &place, message);
                }
                last = looked.time.unwrap_or(last);
                if let Some((statement, signer, logged)) = &looked.spend
                    && let Err(e) = self.check_spend(statement, signer, *logged, *at, &[])
                {
                    let kind = match e.kind() {
                        // it was looked at when it was spent, and it went by a disposal that is looked at itself
                        ErrorKind::BodyDisposed => None,
                        ErrorKind::BodyArchived => Some(AuditFindingKind::BodyArchived),
                        ErrorKind::BodyLost => Some(AuditFindingKind::BodyLost),
                        _ => Some(AuditFindingKind::PermitMisused),
                    };
                    if let Some(kind) = kind {
                        report.add(kind, &place, e.message());
                    }
                }
                for hex in looked.attachments {
                    let name = format!("{ATTACHMENTS}/{hex}");
                    if !looked_for.insert(hex.clone()) {
                        continue;
                    }
                    if self.store.storage().size(&name)?.is_none() {
                        report.add(
                            AuditFindingKind::AttachmentLost,
                            name,
                            format!("{place} names it, and it is not there"),
                        );
                    } else if report.through_service {
                        // elsewhere all that lie there are looked at
                        self.audit_attachment(&name, &hex, report)?;
                    }
                }
                rows.extend(looked.row);
            }
            if let Some(compared) = &mut index {
                compared.part(from, to, &rows);
            }
            from = to;
            progress(Progress { done: to, of: self.size() });
        }
        if let Some(difference) = index.filter(|_| report.is_clean()).and_then(Compared::finish) {
            let message = format!("{difference}; make it anew with `sealwright ledger rebuild`");
            report.add(AuditFindingKind::IndexDiffers, INDEX, message);
        }
        Ok(())
    }

    /// The entries of a part of the log, as far as they can be read; those that can't were named already.
    fn entries_between(&self, from: u64, to: u64) -> Vec<(u64, Vec<u8>)> {
        let mut entries = Vec::new();
        let mut at = from;
        while at < to {
            let end = to.min((at / WIDTH + 1) * WIDTH);
            let bundle = BundleId::containing(at, self.size()).and_then(|id| self.store.entries(id));
            entries
                .extend((at / WIDTH * WIDTH..).zip(bundle.unwrap_or_default()).filter(|(i, _)| (at..end).contains(i)));
            at = end;
        }
        entries
    }

    /// One entry and its body, and its record under the trust policy at its index.
    fn look(&self, index: u64, bytes: &[u8], depth: AuditDepth, trust: &TrustChain) -> Looked {
        let place = format!("entry {index}");
        let mut looked = Looked::default();
        let entry = match Entry::parse(bytes) {
            Ok(entry) => entry.labelled(&self.labels),
            Err(e) => return looked.with(AuditFindingKind::EntryTampered, place, e.message()),
        };
        looked.time = Some(entry.time);
        let body = match self.store.body(index) {
            Ok(Some(body)) => body,
            Ok(None) => {
                return match self.missing_body(index) {
                    Ok(e) if e.kind() == ErrorKind::BodyDisposed => {
                        looked.disposed = true;
                        looked.row = Some(Row::bare(index, entry.time));
                        looked
                    }
                    Ok(e) if e.kind() == ErrorKind::BodyArchived => {
                        looked.with(AuditFindingKind::BodyArchived, place, e.message())
                    }
                    Ok(e) => looked.with(AuditFindingKind::BodyLost, place, e.message()),
                    Err(e) if self.is_undecided(&e) => Looked { failed: Some(e), ..looked },
                    Err(_) => looked.with(AuditFindingKind::BodyLost, place, "its body is not there, or too short"),
                };
            }
            Err(e) if e.kind() == ErrorKind::LedgerTampered => {
                return looked.with(AuditFindingKind::BodyTampered, place, e.message());
            }
            Err(e) if self.is_undecided(&e) => return Looked { failed: Some(e), ..looked },
            Err(e) => return looked.with(AuditFindingKind::BodyLost, place, e.message()),
        };
        if body.commitment() != entry.record || body.record.len() as u64 != entry.size {
            let message = "its body is not the one the entry commits to";
            return looked.with(AuditFindingKind::BodyTampered, place, message);
        }
        if depth == AuditDepth::Bodies {
            return looked;
        }
        let Ok(at) = entry.logged_at() else { return looked };
        let verified = match trust.verify_despite_revocation(&body.record, index, at) {
            Ok(verified) => verified,
            Err(e) => return looked.with(AuditFindingKind::RecordRefused, place, e.message()),
        };
        match Entry::derive(verified.value(), &body, at, &self.labels) {
            Ok(derived) if derived == entry => {}
            _ => looked.add(AuditFindingKind::EntryMislabelled, place, "it is labelled other than what its record is"),
        }
        let statement = verified.value();
        looked.attachments = attachments_named(statement);
        // a trust policy that is in force from here on knows its own signers
        let speaker = trust.speaker(&verified, index).or_else(|_| self.trust.speaker(&verified, index)).ok();
        looked.row = speaker.as_ref().map(|speaker| Row::new(index, entry.time, statement, speaker.identity.clone()));
        if may_be_refused(statement.predicate_type()) {
            let signer = speaker.map(|speaker| speaker.signer).unwrap_or_default();
            looked.spend = Some((statement.clone(), signer, at));
        }
        if is_trust_policy(statement.predicate_type()) {
            looked.policy = Some((verified, at));
        }
        looked
    }

    /// Whether a fault of reading tells nothing of what was to be read.
    pub(super) fn is_undecided(&self, e: &Error) -> bool {
        let through_service = self.store.storage().service().is_some();
        e.kind() == ErrorKind::ServiceUnavailable || (through_service && e.kind() == ErrorKind::PermissionDenied)
    }

    /// Disposals that explain nothing, and bodies that should be gone.
    fn audit_disposals(&self, report: &mut AuditReport) -> Result<()> {
        // where entries or tiles are damaged, that is what has to be mended first
        let disposals = match self.disposals() {
            Err(e) if self.is_undecided(&e) => return Err(e),
            Err(_) => return Ok(()),
            Ok(disposals) => disposals,
        };
        for (index, why) in &disposals.refused {
            report.add(AuditFindingKind::DisposalRefused, format!("entry {index}"), why);
        }
        for (index, by) in &disposals.by {
            if let Some(left) = self.left_of(*index)?.first() {
                report.add(
                    AuditFindingKind::DisposalUnfinished,
                    format!("entry {index}"),
                    format!(
                        "entry {by} disposed of it, and `{left}` is still there; run `sealwright ledger dispose --finish`"
                    ),
                );
            }
        }
        Ok(())
    }

    /// Files that must not be there, and attachments. `own` are those that are no part of the log and do belong here.
    fn audit_files(&self, own: &[String], report: &mut AuditReport) -> Result<()> {
        let (storage, size) = (self.store.storage(), self.size());
        let is_mirror = storage.size(MIRROR)?.is_some();
        storage.list("", &mut |name, _| {
            if let Some(hex) = name.strip_prefix(&format!("{ATTACHMENTS}/")) {
                self.audit_attachment(name, hex, report)?;
            } else if name.starts_with(UNPROVEN) && is_mirror {
                // of a mirror: read by nobody but the next pull
            } else if !own.iter().any(|o| o == name) && !belongs(name, size) {
                let beyond = [TILES, BODIES, KEYS].iter().any(|part| name.starts_with(part)) || name == UNFINISHED;
                let why = if beyond {
                    "nothing the checkpoint commits to; the next append clears what an unfinished one left"
                } else {
                    "it does not belong to a ledger"
                };
                report.add(AuditFindingKind::UnexpectedFile, name, why);
            }
            Ok(())
        })
    }

    fn audit_attachment(&self, name: &str, hex: &str, report: &mut AuditReport) -> Result<()> {
        let read = self.store.storage().stream(name);
        match read.and_then(|mut content| DigestSet::of_reader(&mut content.bytes, &[Algorithm::Sha256])) {
            Ok(digest) if digest.get(Algorithm::Sha256).is_some_and(|digest| digest.hex() == hex) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let why = "nothing leads to it: an attachment whose keeping was cut short, or one without its header";
                report.add(AuditFindingKind::UnexpectedFile, name, why);
            }
            // a service ends the stream of what is not as it was
            Err(e) if e.kind() != ErrorKind::LedgerTampered && !report.through_service => return Err(e),
            _ => {
                report.add(AuditFindingKind::AttachmentTampered, name, "its bytes are not those its name says");
            }
        }
        Ok(())
    }

    /// The index, if there is one that can be compared row by row.
    fn index_to_compare(&self, report: &mut AuditReport) -> Result<Option<Compared>> {
        if !self.store.storage().has_index() {
            return Ok(None);
        }
        let opened = self.store.storage().index(IndexAt::Storage).map_err(Unusable::Unwritable);
        match opened.and_then(|index| Compared::new(index, self.size())) {
            Ok(compared) => Ok(Some(compared)),
            Err(Unusable::Log(e)) => Err(e),
            Err(e) => {
                report.add(AuditFindingKind::IndexDiffers, INDEX, e.into_error().message());
                Ok(None)
            }
        }
    }
}

/// Entries that are looked at before the next are read.
const PART: u64 = 2048;
const WIDTH: u64 = TILE_WIDTH as u64;

/// Whether an object is of a ledger of so many entries: a tile, a bundle, a body, or what stands for one or opens it.
fn belongs(name: &str, size: u64) -> bool {
    let of_body = name.strip_prefix(KEYS).and_then(|rest| rest.strip_prefix('/')).filter(|of| of.starts_with(BODIES));
    Store::is_part(of_body.unwrap_or(name), size) || is_marker(name, size)
}

/// What was seen of one entry.
#[derive(Default)]
struct Looked {
    findings: Vec<AuditFinding>,
    time: Option<i64>,
    /// Attachments it names.
    attachments: Vec<String>,
    /// What the index must hold of it.
    row: Option<Row>,
    /// A record that may use a decision, with its signer and time.
    spend: Option<(Statement, String, Timestamp)>,
    policy: Option<(Verified<Statement>, Timestamp)>,
    /// Its record was disposed of.
    disposed: bool,
    /// Why it could not be looked at, where that is no verdict about it.
    failed: Option<Error>,
}

impl Looked {
    fn add(&mut self, kind: AuditFindingKind, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(AuditFinding { kind, place: place.into(), message: message.into() });
    }

    fn with(mut self, kind: AuditFindingKind, place: String, message: &str) -> Self {
        self.add(kind, place, message);
        self
    }
}

/// Does the same work for each item, by as many threads as there are processors; answers in the order of the items.
pub(super) fn on_threads<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(8));
    if threads < 2 || items.len() < 2 * threads {
        return items.iter().map(work).collect();
    }
    std::thread::scope(|scope| {
        let work = &work;
        let parts: Vec<_> = items
            .chunks(items.len().div_ceil(threads))
            .map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<_>>()))
            .collect();
        // what panics there panics here
        parts.into_iter().flat_map(|part| part.join().unwrap_or_else(|e| std::panic::resume_unwind(e))).collect()
    })
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
