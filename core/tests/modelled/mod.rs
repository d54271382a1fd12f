//! The list that a ledger is held against, and what is done to both.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::strategy::Strategy;
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::{Digest, DigestSet};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger, Pins, Place, Query, Receipt, RepairKind, Schedule};
use sealwright::predicate::*;
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust_policy::KEY_ISSUER;

use super::small::{self, NOTE, Small, copy, encrypts, kek, note, opened, read, signer, start};

pub(super) const JOURNAL: &str = "journal";
/// What a journal begins with, before its first commit.
const HEADER: usize = 22 + 36 + 1 + 32 + 1;
/// The two places it moves between.
const PLACES: [&str; 2] = ["ledger", "other"];
const ARCHIVE: &str = "archive";
/// Those who let records go, and who signs for the archive.
const OFFICERS: [&str; 2] = ["second", "late"];
const RECORDS: &str = "admin-b";
/// What a note is kept for.
const KEPT_MILLIS: i64 = 24 * 3_600_000;

/// What is done to a ledger.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Append,
    Batch(u8),
    /// An earlier record once more.
    Repeat(u8),
    Attach(u8),
    Search(u8),
    Rebuild,
    Audit,
    /// The clock goes back by so many seconds.
    Backwards(u8),
    /// Closed and opened.
    Reopen,
    /// Opened by another process while this one goes on.
    Beside,
    /// The process is killed between two acts: nothing of it is closed.
    Kill,
    /// The process is killed while it appends, when so much of its frame was written.
    KillWriting(u8),
    /// The machine loses power: only what was brought to disk is there.
    PowerLoss,
    /// A hold of an earlier note, or of everything.
    Hold(u8),
    /// The oldest hold in force ends.
    Release,
    /// An earlier note is let go, if nothing holds it.
    Dispose(u8),
    Archive,
    Unarchive,
    RotateLogKey,
    /// Of an encrypted ledger; a plain one has none.
    RotateKeys,
    /// To the other of two places.
    Move,
}

pub(super) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Append),
        2 => (2..60_u8).prop_map(Act::Batch),
        2 => any::<u8>().prop_map(Act::Repeat),
        1 => any::<u8>().prop_map(Act::Attach),
        2 => any::<u8>().prop_map(Act::Search),
        1 => Just(Act::Rebuild),
        1 => Just(Act::Audit),
        1 => (1..100_u8).prop_map(Act::Backwards),
        1 => Just(Act::Reopen),
        2 => Just(Act::Beside),
        2 => Just(Act::Kill),
        2 => any::<u8>().prop_map(Act::KillWriting),
        3 => Just(Act::PowerLoss),
        1 => any::<u8>().prop_map(Act::Hold),
        1 => Just(Act::Release),
        3 => any::<u8>().prop_map(Act::Dispose),
        1 => Just(Act::Archive),
        1 => Just(Act::Unarchive),
        1 => Just(Act::RotateLogKey),
        1 => Just(Act::RotateKeys),
        2 => Just(Act::Move),
    ];
    prop::collection::vec(act, 6..20)
}

/// A hold in force.
struct Held {
    id: String,
    /// The record that placed it.
    placed: Digest,
    /// The note it holds; of none, all of them.
    note: Option<Digest>,
}

/// A ledger, and the list it is held against.
pub(super) struct Model {
    dir: tempfile::TempDir,
    /// What is on disk without the journal: the folder as it was when there was none.
    on_disk: tempfile::TempDir,
    place: &'static str,
    ledger: Option<Ledger>,
    keys: BTreeMap<&'static str, PrivateKey>,
    now: Timestamp,
    made: u64,
    /// Payloads of the entries.
    list: Vec<Digest>,
    /// Notes by their text, each with its newest entry.
    notes: Vec<(String, u64)>,
    attached: BTreeSet<Vec<u8>>,
    holds: Vec<Held>,
    /// Entries that were let go.
    gone: BTreeSet<u64>,
}

fn schedule() -> Schedule {
    let wire = r#"{"v":"sealwright-retention/v1","frameworks":[],"rules":[{"id":"all","minimum":"P1D"}]}"#;
    Schedule::parse(wire.as_bytes()).unwrap()
}

fn actor() -> Actor {
    Actor::workload("urn:example:workload:records")
}

impl Model {
    pub(super) fn new() -> Self {
        let small = Small::with_policy(|policy, keys| {
            for name in OFFICERS {
                policy.signers.retain(|signer| signer.name != name);
                policy.signers.push(signer(name, keys, &[NOTE, Approval::TYPE]));
                policy.people.push(Person {
                    person: name.to_owned(),
                    ids: vec![PersonId { issuer: KEY_ISSUER.to_owned(), subject: keys[name].public().id() }],
                    roles: vec!["records-officer".to_owned()],
                });
            }
            let types = [LegalHold::TYPE, RetentionDisposal::TYPE, PolicyEvaluation::TYPE];
            policy.signers.push(signer(RECORDS, keys, &types));
        });
        let Small { dir, ledger, keys, .. } = small;
        let list = vec![ledger.record(0).unwrap().statement().payload_digest()];
        drop(ledger);
        let mut model = Self {
            ledger: None,
            place: PLACES[0],
            keys,
            now: start(),
            made: 0,
            list,
            notes: Vec::new(),
            attached: BTreeSet::new(),
            holds: Vec::new(),
            gone: BTreeSet::new(),
            on_disk: small::tempdir(),
            dir,
        };
        copy(model.dir.path(), model.on_disk.path());
        model.open();
        model
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join(self.place)
    }

    fn anchors(&self) -> Anchors {
        Anchors::in_folder(self.dir.path().join("state"))
    }

    fn log_key(&self) -> PrivateKey {
        sealwright::key::read_private(&self.dir.path().join("log.pem"), None).unwrap()
    }

    fn opened(&self) -> Ledger {
        let ledger = opened(&self.folder(), &self.anchors(), &Pins::none()).unwrap();
        ledger.with_log_key(self.log_key()).unwrap().with_archive(&self.dir.path().join(ARCHIVE)).unwrap()
    }

    fn open(&mut self) {
        self.ledger = Some(self.opened());
    }

    pub(super) fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().unwrap()
    }

    /// Payloads of the records that were not let go.
    pub(super) fn remaining(&self) -> Vec<Digest> {
        let all = (0..).zip(&self.list);
        all.filter(|(index, _)| !self.gone.contains(index)).map(|(_, payload)| payload.clone()).collect()
    }

    fn append(&mut self, texts: &[String]) -> Vec<Receipt> {
        let (now, ledger) = (self.now, self.ledger.as_mut().unwrap());
        let signed = texts.iter().map(|text| sign(&note(text), &self.keys["maker"]).unwrap().to_json());
        let records: Vec<_> = signed.map(|record| ledger.verify(&record, now).unwrap()).collect();
        let receipts = ledger.append_all(&records, now).unwrap();
        for (receipt, record) in receipts.iter().zip(&records) {
            receipt.verify_with(record.record(), ledger.log_keys()).unwrap();
        }
        receipts
    }

    fn texts(&mut self, count: u64) -> Vec<String> {
        self.made += count;
        (self.made - count..self.made).map(|n| format!("note {n} {}", "x".repeat((n as usize * 37) % 900))).collect()
    }

    fn append_new(&mut self, count: u64) {
        let texts = self.texts(count);
        for (receipt, text) in self.append(&texts).iter().zip(texts) {
            assert_eq!((receipt.index, receipt.already_there), (self.list.len() as u64, false));
            self.list.push(note(&text).payload_digest());
            self.notes.push((text, receipt.index));
        }
    }

    /// Appends a statement by somebody, and notes what it became.
    fn record(&mut self, who: &str, statement: &Statement) {
        let (now, ledger) = (self.now, self.ledger.as_mut().unwrap());
        let receipt = ledger.record_statement(statement, &self.keys[who], now).unwrap();
        assert_eq!((receipt.index, receipt.already_there), (self.list.len() as u64, false));
        self.list.push(statement.payload_digest());
    }

    fn note(&self, which: u8) -> Option<(String, u64)> {
        self.notes.get(usize::from(which) % self.notes.len().max(1)).cloned()
    }

    fn hold(&mut self, which: u8) -> &'static str {
        // every third one is of everything
        let held = self.note(which).filter(|_| !which.is_multiple_of(3)).map(|(text, _)| note(&text).payload_digest());
        let id = format!("https://example.org/holds/{}", self.list.len());
        let subject = held.clone().map_or_else(|| thing(&id), ResourceDescriptor::of);
        let statement = self.hold_of(&id, subject, None);
        self.record(RECORDS, &statement);
        self.holds.push(Held { id, placed: statement.payload_digest(), note: held });
        "placed a hold"
    }

    fn release(&mut self) -> &'static str {
        if self.holds.is_empty() {
            return "had nothing to release";
        }
        let held = self.holds.remove(0);
        let statement = self.hold_of(&held.id, thing(&held.id), Some(&held.placed));
        self.record(RECORDS, &statement);
        "released a hold"
    }

    fn hold_of(&self, id: &str, subject: ResourceDescriptor, releases: Option<&Digest>) -> Statement {
        let hold = LegalHold {
            nonce: nonce().unwrap(),
            hold_id: id.to_owned(),
            action: if releases.is_some() { HoldAction::Released } else { HoldAction::Placed },
            matter: "Matter 17".to_owned(),
            custodian: actor(),
            ordered_by: actor(),
            at: self.now,
            scope: HoldScope::default(),
            releases: releases.map(RecordRef::to),
        };
        Statement::new(vec![subject], &hold).unwrap()
    }

    /// Lets a note go, once its time is over and both officers said so; what the ledger must answer, the list says.
    fn dispose(&mut self, which: u8) -> &'static str {
        let Some((text, index)) = self.note(which) else { return "had nothing to dispose of" };
        let last = self.ledger.as_ref().unwrap().entry(self.list.len() as u64 - 1).unwrap().logged_at().unwrap();
        self.now = self.now.max(last).plus_millis(KEPT_MILLIS + 1);
        let payload = note(&text).payload_digest();
        let planned = self.ledger.as_ref().unwrap().plan_disposal(&schedule(), Some(&[index]), self.now);
        if self.gone.contains(&index) {
            assert_eq!(planned.unwrap_err().code(), "NOT_FOUND");
            return "was gone already";
        }
        let plan = planned.unwrap();
        let held = self.holds.iter().any(|hold| hold.note.as_ref().is_none_or(|note| *note == payload));
        assert_eq!(plan.items.is_empty(), held, "{:?}", plan.refused);
        if !held {
            for officer in OFFICERS {
                let approval = self.approval(officer);
                self.record(officer, &Statement::new(plan.subjects(), &approval).unwrap());
            }
        }
        let (now, ledger) = (self.now, self.ledger.as_mut().unwrap());
        let done = ledger.dispose(&schedule(), Some(&[index]), actor(), &self.keys[RECORDS], now);
        if held {
            assert_eq!(done.unwrap_err().code(), "POLICY_DENIED");
            return "held";
        }
        let done = done.unwrap();
        assert_eq!((done.entries.as_slice(), done.record), (&[index][..], self.list.len() as u64 + 1));
        for entry in [done.decision, done.record] {
            self.list.push(ledger.record(entry).unwrap().statement().payload_digest());
        }
        self.attached.insert(schedule().to_bytes().unwrap());
        self.gone.insert(index);
        "disposed"
    }

    fn approval(&self, officer: &str) -> Approval {
        Approval {
            nonce: nonce().unwrap(),
            stage: Stage::Disposal,
            decision: ApprovalDecision::Approved,
            approver: Actor::human(format!("mailto:{officer}@example.org"), officer),
            in_role: "records-officer".to_owned(),
            meaning: "approval".to_owned(),
            decided_at: self.now,
            change_id: None,
            environment: None,
            considered: vec![],
            conditions: vec![],
            comment: None,
            review_uri: None,
            over_tree: None,
            expires_at: None,
            dismisses: None,
            capture: Capture { method: CaptureMethod::DirectSignature, system: None, source_event: None },
        }
    }

    /// Goes on in a copy of the folder, as it stands in this moment for everybody who looks at it.
    fn kill(&mut self) {
        let next = small::tempdir();
        copy(self.dir.path(), next.path());
        self.abandon(next);
    }

    /// Leaves the folder to the handle that lives on in it, and goes on in another.
    fn abandon(&mut self, next: tempfile::TempDir) {
        drop(self.ledger.take());
        self.dir = next;
        self.open();
    }

    fn repaired(&self) -> Vec<RepairKind> {
        self.ledger.as_ref().unwrap().repairs().iter().map(|repair| repair.kind).collect()
    }

    /// Does it, and says what came of it.
    pub(super) fn act(&mut self, act: Act) -> &'static str {
        let did = match act {
            Act::Append => {
                self.append_new(1);
                "appended"
            }
            Act::Batch(count) => {
                self.append_new(count.into());
                "appended several"
            }
            Act::Repeat(which) => self.repeat(which),
            Act::Attach(byte) => {
                self.ledger().attach(&[byte; 100]).unwrap();
                self.attached.insert(vec![byte; 100]);
                "attached"
            }
            Act::Search(which) => self.search(which),
            Act::Rebuild => {
                self.ledger().rebuild_index().unwrap();
                "rebuilt"
            }
            Act::Audit => {
                let report = self.ledger().audit().unwrap();
                assert!(report.is_clean(), "{:?}", report.findings);
                assert_eq!(report.disposed, self.gone.len() as u64);
                "audited"
            }
            Act::Backwards(seconds) => {
                self.now = self.now.plus_millis(-1000 * i64::from(seconds));
                "went back in time"
            }
            Act::Reopen => {
                self.ledger = None;
                self.open();
                assert_eq!(self.repaired(), [], "it was closed");
                "reopened"
            }
            Act::Beside => {
                let beside = self.opened();
                assert_eq!(beside.size(), self.list.len() as u64);
                assert!(beside.repairs().is_empty(), "{:?}", beside.repairs());
                "opened beside"
            }
            Act::Kill => {
                self.kill();
                assert_eq!(self.repaired(), [], "everything is in its place");
                "killed"
            }
            Act::KillWriting(part) => self.kill_writing(part),
            Act::PowerLoss => self.lose_power(),
            Act::Hold(which) => self.hold(which),
            Act::Release => self.release(),
            Act::Dispose(which) => self.dispose(which),
            Act::Archive => {
                let before = self.now.plus_millis(1);
                self.ledger().archive(before, &mut |_, _| {}).unwrap();
                "archived"
            }
            Act::Unarchive => {
                self.ledger().unarchive(None, &mut |_, _| {}).unwrap();
                assert!(self.ledger().archived().unwrap().is_empty());
                "unarchived"
            }
            Act::RotateLogKey => {
                let new = PrivateKey::generate(KeyType::Ed25519).unwrap();
                std::fs::write(self.dir.path().join("log.pem"), new.to_pem().unwrap().as_bytes()).unwrap();
                self.ledger().rotate_log_key(new).unwrap();
                "rotated the log key"
            }
            Act::RotateKeys if encrypts() => {
                self.ledger().rotate_encryption_keys(&kek(), &mut |_, _| {}).unwrap();
                "rotated the keys"
            }
            Act::RotateKeys => "had no keys to rotate",
            Act::Move => self.go(),
        };
        // nothing is in the journal: then all is on disk
        if journal(&self.folder()).len() <= HEADER {
            self.on_disk = small::tempdir();
            copy(self.dir.path(), self.on_disk.path());
        }
        did
    }

    fn repeat(&mut self, which: u8) -> &'static str {
        let Some((text, index)) = self.note(which) else { return "had nothing to repeat" };
        let receipt = self.append(std::slice::from_ref(&text)).remove(0);
        if !self.gone.contains(&index) {
            assert_eq!((receipt.index, receipt.already_there), (index, true));
            return "repeated";
        }
        // what was let go is known to nobody
        assert_eq!((receipt.index, receipt.already_there), (self.list.len() as u64, false));
        self.list.push(note(&text).payload_digest());
        self.notes.iter_mut().filter(|(own, _)| *own == text).for_each(|(_, at)| *at = receipt.index);
        "appended what was gone"
    }

    fn search(&mut self, which: u8) -> &'static str {
        let Some((text, index)) = self.note(which) else { return "had nothing to search for" };
        let mut query = Query::everything();
        query.digest = Some(Digest::sha256(text.as_bytes()).to_string());
        query.predicate_type = Some(NOTE.to_owned());
        let found = self.ledger().search(&query).unwrap();
        let found: Vec<_> = found.records.iter().map(|r| (r.index, r.statement().payload_digest())).collect();
        let right = Some((index, note(&text).payload_digest())).filter(|_| !self.gone.contains(&index));
        assert_eq!(found, Vec::from_iter(right));
        "searched"
    }

    fn kill_writing(&mut self, part: u8) -> &'static str {
        let before = small::tempdir();
        copy(self.dir.path(), before.path());
        let there = before.path().join(self.place);
        let begun = journal(&there).len();
        let texts = self.texts(1);
        self.append(&texts);
        let written = journal(&self.folder());
        let mut dropped = false;
        // the journal was emptied meanwhile, or this much of a frame was written before the process died
        if written.len() > begun {
            let end = begun + (written.len() - begun - 1) * usize::from(part) / 255;
            std::fs::write(there.join(JOURNAL), &written[..end]).unwrap();
            dropped = is_cut_short(&written[..end], begun);
        }
        self.abandon(before);
        assert_eq!(self.repaired(), if dropped { vec![RepairKind::Dropped] } else { vec![] });
        "killed while appending"
    }

    fn lose_power(&mut self) -> &'static str {
        let next = small::tempdir();
        copy(self.on_disk.path(), next.path());
        let (from, to) = (self.folder(), next.path().join(self.place));
        let journal = journal(&from);
        if !journal.is_empty() {
            std::fs::write(to.join(JOURNAL), other_boot(&journal)).unwrap();
        }
        // what is kept by itself is brought to disk by itself
        for kept in ["attachments", "keys/attachments", "rotations"] {
            if from.join(kept).exists() {
                copy(&from.join(kept), &to.join(kept));
            }
        }
        std::fs::copy(self.dir.path().join("log.pem"), next.path().join("log.pem")).unwrap();
        self.abandon(next);
        // what the files had lost came back from the journal, and that is said
        let completed = if journal.len() > HEADER { vec![RepairKind::Completed] } else { vec![] };
        assert_eq!(self.repaired(), completed);
        "lost power"
    }

    fn go(&mut self) -> &'static str {
        let to = PLACES.into_iter().find(|place| *place != self.place).unwrap();
        let key = kek();
        let place = |name: &str| Place::Folder(self.dir.path().join(name));
        let moved = Ledger::move_to(
            &place(self.place),
            &place(to),
            &self.anchors(),
            &Pins::none(),
            encrypts().then_some(&key as _),
            &mut |_| {},
        );
        assert_eq!(moved.unwrap().size, self.list.len() as u64);
        // the handle that was open takes nothing more
        let (statement, now) = (note("late"), self.now);
        let refused = self.ledger.as_mut().unwrap().record_statement(&statement, &self.keys["maker"], now).unwrap_err();
        assert_eq!(refused.code(), "APPEND_REFUSED", "{refused}");
        assert_eq!(self.ledger().attach(b"late").unwrap_err().code(), "APPEND_REFUSED");
        self.ledger = None;
        self.place = to;
        self.open();
        "moved"
    }

    pub(super) fn check(&mut self) {
        let (list, gone) = (self.list.clone(), self.gone.clone());
        let ledger = self.ledger.as_mut().unwrap();
        ledger.refresh().unwrap();
        assert_eq!(ledger.size(), list.len() as u64);
        let some = [0, list.len() / 2, list.len() - 1].map(|index| index as u64);
        for index in some.into_iter().chain(gone.iter().copied()) {
            match ledger.record(index) {
                Ok(record) => {
                    assert_eq!(record.statement().payload_digest(), list[index as usize]);
                    assert!(!gone.contains(&index), "entry {index} came back");
                }
                Err(e) => assert!(e.code() == "BODY_DISPOSED" && gone.contains(&index), "entry {index}: {e}"),
            }
        }
        for bytes in &self.attached {
            assert_eq!(ledger.attachment(&Digest::sha256(bytes)).unwrap(), *bytes);
        }
    }
}

/// A thing without bytes: it is no record, so a hold of it alone is one of everything.
fn thing(uri: &str) -> ResourceDescriptor {
    let set = serde_json::json!({ "uriSha256": Digest::sha256(uri.as_bytes()).hex() });
    let set: DigestSet = serde_json::from_value(set).unwrap();
    ResourceDescriptor::of(set).with_uri(uri)
}

/// The journal of a folder without the room at its end; the last frame ends with its seal.
pub(super) fn journal(folder: &Path) -> Vec<u8> {
    let path = folder.join(JOURNAL);
    let mut bytes = if path.exists() { read(path) } else { Vec::new() };
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
    bytes
}

/// Whether a journal that ended at `begun` now ends within a frame or its header. Zeros are room, and a header alone is whole.
pub(super) fn is_cut_short(cut: &[u8], begun: usize) -> bool {
    let whole = if cut.len() < HEADER { begun } else { begun.max(HEADER) };
    cut.iter().skip(whole).any(|byte| *byte != 0)
}

/// A journal as a machine that was started again finds it: with the sums over a header that names another boot.
fn other_boot(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    if bytes.len() < HEADER {
        return bytes.to_vec();
    }
    let mut out = bytes[..HEADER].to_vec();
    out[22..58].fill(b'f');
    let mut sum: [u8; 32] = sha2::Sha256::digest(&out).into();
    let mut rest = &bytes[HEADER..];
    while !rest.is_empty() {
        let length = u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize;
        let (payload, seal) = (&rest[40..40 + length], rest[40 + length]);
        sum = sha2::Sha256::new_with_prefix(sum).chain_update(payload).finalize().into();
        out.extend([&rest[..8], &sum, payload, &[seal]].concat());
        rest = &rest[41 + length..];
    }
    out
}
