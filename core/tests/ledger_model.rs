//! A ledger against a plain list: random sequences of appends, crashes, power losses and openings, and after each of them
//! the ledger holds exactly what was receipted.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]

mod small;

use std::collections::BTreeSet;

use proptest::prelude::*;
use sealwright::digest::Digest;
use sealwright::key::PrivateKey;
use sealwright::ledger::{Ledger, Query, Receipt};
use sealwright::signer::sign;
use sealwright::timestamp::Timestamp;
use small::{Small, copy, files, note, open_to_append, read, start};

const JOURNAL: &str = "journal";

/// What is done to a ledger.
#[derive(Clone, Copy, Debug)]
enum Act {
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
    /// The process is killed between two acts: nothing of it is closed.
    Kill,
    /// The process is killed while it appends, when so much of its frame was written.
    KillWriting(u8),
    /// The machine loses power: only what was brought to disk is there.
    PowerLoss,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Append),
        3 => (2..90_u8).prop_map(Act::Batch),
        2 => any::<u8>().prop_map(Act::Repeat),
        1 => any::<u8>().prop_map(Act::Attach),
        2 => any::<u8>().prop_map(Act::Search),
        1 => Just(Act::Rebuild),
        1 => Just(Act::Audit),
        1 => (1..100_u8).prop_map(Act::Backwards),
        1 => Just(Act::Reopen),
        2 => Just(Act::Kill),
        2 => any::<u8>().prop_map(Act::KillWriting),
        2 => Just(Act::PowerLoss),
    ];
    prop::collection::vec(act, 4..14)
}

/// A ledger, and the list it is held against.
struct Model {
    dir: tempfile::TempDir,
    /// What is on disk without the journal: the folder as it was when there was none.
    on_disk: tempfile::TempDir,
    ledger: Option<Ledger>,
    key: PrivateKey,
    now: Timestamp,
    made: u64,
    /// Payloads of the entries.
    list: Vec<Digest>,
    texts: Vec<String>,
    attached: BTreeSet<Vec<u8>>,
}

impl Model {
    fn new() -> Self {
        let Small { dir, ledger, mut keys, .. } = Small::new();
        let list = vec![ledger.record(0).unwrap().statement().payload_digest()];
        drop(ledger);
        let mut model = Self {
            ledger: None,
            key: keys.remove("maker").unwrap(),
            now: start(),
            made: 0,
            list,
            texts: Vec::new(),
            attached: BTreeSet::new(),
            on_disk: small::tempdir(),
            dir,
        };
        copy(model.dir.path(), model.on_disk.path());
        model.open();
        model
    }

    fn open(&mut self) {
        self.ledger = Some(open_to_append(self.dir.path()).unwrap());
    }

    fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().unwrap()
    }

    fn append(&mut self, texts: &[String]) -> Vec<Receipt> {
        let (now, ledger) = (self.now, self.ledger.as_mut().unwrap());
        let signed = texts.iter().map(|text| sign(&note(text), &self.key).unwrap().to_json());
        let records: Vec<_> = signed.map(|record| ledger.verify(&record, now).unwrap()).collect();
        let receipts = ledger.append_all(&records, now).unwrap();
        for (receipt, record) in receipts.iter().zip(&records) {
            receipt.verify(record.record(), ledger.log_key()).unwrap();
        }
        receipts
    }

    fn texts(&mut self, count: u64) -> Vec<String> {
        self.made += count;
        (self.made - count..self.made).map(|n| format!("note {n} {}", "x".repeat((n as usize * 37) % 900))).collect()
    }

    fn append_new(&mut self, count: u64) {
        let texts = self.texts(count);
        for (receipt, text) in self.append(&texts).iter().zip(&texts) {
            assert_eq!((receipt.index, receipt.already_there), (self.list.len() as u64, false));
            self.list.push(note(text).payload_digest());
        }
        self.texts.extend(texts);
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

    fn act(&mut self, act: Act) {
        match act {
            Act::Append => self.append_new(1),
            Act::Batch(count) => self.append_new(count.into()),
            Act::Repeat(which) => {
                let Some(text) = self.texts.get(usize::from(which) % self.texts.len().max(1)).cloned() else { return };
                let receipts = self.append(std::slice::from_ref(&text));
                assert!(receipts[0].already_there);
                assert_eq!(self.list[receipts[0].index as usize], note(&text).payload_digest());
            }
            Act::Attach(byte) => {
                self.ledger().attach(&[byte; 100]).unwrap();
                self.attached.insert(vec![byte; 100]);
            }
            Act::Search(which) => {
                let Some(text) = self.texts.get(usize::from(which) % self.texts.len().max(1)).cloned() else { return };
                let mut query = Query::everything();
                query.digest = Some(Digest::sha256(text.as_bytes()).to_string());
                let found = self.ledger().search(&query).unwrap();
                let payloads: Vec<_> = found.records.iter().map(|r| r.statement().payload_digest()).collect();
                assert_eq!(payloads, [note(&text).payload_digest()]);
            }
            Act::Rebuild => self.ledger().rebuild_index().unwrap(),
            Act::Audit => {
                let report = self.ledger().audit().unwrap();
                assert!(report.is_clean(), "{:?}", report.findings);
            }
            Act::Backwards(seconds) => self.now = self.now.plus_millis(-1000 * i64::from(seconds)),
            Act::Reopen => {
                self.ledger = None;
                self.open();
            }
            Act::Kill => self.kill(),
            Act::KillWriting(part) => {
                let before = small::tempdir();
                copy(self.dir.path(), before.path());
                let begun = journal(before.path()).len();
                let texts = self.texts(1);
                self.append(&texts);
                let written = journal(self.dir.path());
                // the journal was emptied meanwhile, or this much of a frame was written before the process died
                if written.len() > begun {
                    let end = begun + (written.len() - begun - 1) * usize::from(part) / 255;
                    std::fs::write(before.path().join("ledger").join(JOURNAL), &written[..end]).unwrap();
                }
                self.abandon(before);
            }
            Act::PowerLoss => {
                let next = small::tempdir();
                copy(self.on_disk.path(), next.path());
                let (from, to) = (self.dir.path().join("ledger"), next.path().join("ledger"));
                if from.join(JOURNAL).exists() {
                    std::fs::write(to.join(JOURNAL), other_boot(&journal(self.dir.path()))).unwrap();
                }
                // what is kept by itself is brought to disk by itself
                if from.join("attachments").exists() {
                    copy(&from.join("attachments"), &to.join("attachments"));
                }
                self.abandon(next);
            }
        }
        // nothing is in the journal: then all is on disk
        if journal(self.dir.path()).is_empty() {
            self.on_disk = small::tempdir();
            copy(self.dir.path(), self.on_disk.path());
        }
    }

    fn check(&mut self) {
        let list = self.list.clone();
        let ledger = self.ledger.as_mut().unwrap();
        ledger.refresh().unwrap();
        assert_eq!(ledger.size(), list.len() as u64);
        for index in [0, list.len() / 2, list.len() - 1] {
            assert_eq!(ledger.record(index as u64).unwrap().statement().payload_digest(), list[index]);
        }
        for bytes in &self.attached {
            assert_eq!(ledger.attachment(&Digest::sha256(bytes)).unwrap(), *bytes);
        }
    }
}

fn journal(dir: &std::path::Path) -> Vec<u8> {
    let path = dir.join("ledger").join(JOURNAL);
    if path.exists() { read(path) } else { Vec::new() }
}

/// A journal as a machine that was started again finds it: with the sums over a header that names another boot.
fn other_boot(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    const HEADER: usize = 22 + 36 + 1 + 32 + 1;
    if bytes.len() < HEADER {
        return bytes.to_vec();
    }
    let mut out = bytes[..HEADER].to_vec();
    out[22..58].fill(b'f');
    let mut sum: [u8; 32] = sha2::Sha256::digest(&out).into();
    let mut rest = &bytes[HEADER..];
    while !rest.is_empty() {
        let length = u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize;
        let payload = &rest[40..40 + length];
        sum = sha2::Sha256::new_with_prefix(sum).chain_update(payload).finalize().into();
        out.extend([&rest[..8], &sum, payload].concat());
        rest = &rest[40 + length..];
    }
    out
}

#[test]
fn whatever_happens_to_it_the_ledger_holds_what_was_receipted_and_nothing_else() {
    let acted = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 24,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&acts(), |acts| {
            let mut model = Model::new();
            for act in acts {
                model.act(act);
                model.check();
                acted.set(acted.get() + 1);
            }
            model.act(Act::Audit);
            model.act(Act::Rebuild);
            let mut all = Query::everything();
            all.limit = Some(10_000);
            let found = model.ledger().search(&all).unwrap();
            let payloads: Vec<_> = found.records.iter().map(|r| r.statement().payload_digest()).collect();
            assert_eq!(payloads, model.list);
            Ok(())
        })
        .unwrap();
    eprintln!("{} acts", acted.get());
}

#[test]
fn a_journal_cut_at_any_byte_opens_as_the_last_whole_append_left_it() {
    let mut small = Small::new();
    small.note("one");
    let before = small::tempdir();
    copy(small.dir.path(), before.path());
    let begun = journal(before.path()).len();
    assert!(begun > 0, "it holds the first append");
    small.note("two");
    let written = journal(small.dir.path());
    for end in begun..=written.len() {
        let cut = small::tempdir();
        copy(before.path(), cut.path());
        std::fs::write(cut.path().join("ledger").join(JOURNAL), &written[..end]).unwrap();
        let mut ledger = open_to_append(cut.path()).unwrap();
        let whole = end == written.len();
        assert_eq!(ledger.size(), if whole { 3 } else { 2 }, "cut at {end} of {}", written.len());
        assert_eq!(ledger.repairs().len(), usize::from(end != begun), "{:?}", ledger.repairs());
        if end % 97 == 0 || whole {
            let receipt = ledger.record_statement(&note("two"), &small.keys["maker"], small.now).unwrap();
            assert_eq!((receipt.index, receipt.already_there), (2, whole));
            assert!(ledger.audit().unwrap().is_clean());
            assert!(!files(&cut.path().join("ledger")).contains(&JOURNAL.to_owned()), "the audit leaves it at rest");
        }
    }
}

#[test]
fn a_journal_with_a_changed_byte_never_brings_in_what_was_not_committed() {
    let mut small = Small::new();
    let before = small::tempdir();
    copy(small.dir.path(), before.path());
    small.note("one");
    let written = journal(small.dir.path());
    let begun = journal(before.path()).len();
    for at in (begun..written.len()).step_by(7) {
        let cut = small::tempdir();
        copy(before.path(), cut.path());
        let mut wrong = written.clone();
        wrong[at] ^= 0x20;
        std::fs::write(cut.path().join("ledger").join(JOURNAL), &wrong).unwrap();
        let mut ledger = open_to_append(cut.path()).unwrap();
        assert_eq!(ledger.size(), 1, "byte {at}");
        assert!(ledger.audit().unwrap().is_clean());
    }
}
