//! Each call that changes the folder fails once, or is the last that succeeds: what was receipted stays. Over plain and
//! over encrypted ledgers.

mod disposal;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::FolderStorage;
use super::disk::{Disk, Faults};
use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::encryption::{KeyEncryptionKey, KeyFile};
use crate::key::{KeyType, PrivateKey};
use crate::ledger::storage::Storage;
use crate::ledger::{Anchors, Ledger, Pins};
use crate::predicate::{PredicateType as _, Release, TrustPolicy};
use crate::signer::sign;
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust_policy;
use crate::verifier::Verified;

struct Place {
    dir: tempfile::TempDir,
    key: PrivateKey,
    log: Vec<u8>,
    kek: Option<KeyFile>,
}

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

impl Place {
    /// A ledger with `size` entries, all on disk.
    fn new(size: u64, encrypted: bool) -> Self {
        let place = Self::with_policy(encrypted, |_| {});
        let mut ledger = place.open(place.dir.path(), Disk::default()).unwrap();
        let records: Vec<_> = (1..size).map(|n| place.verified(&ledger, n)).collect();
        ledger.append_all(&records, now()).unwrap();
        drop(ledger);
        place
    }

    /// A ledger with a trust policy that is changed before it is signed, and nothing else.
    fn with_policy(encrypted: bool, change: impl FnOnce(&mut TrustPolicy)) -> Self {
        let key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let mut policy = trust_policy::of_one(key.public(), &[TrustPolicy::TYPE, Release::TYPE]);
        change(&mut policy);
        let record = sign(&trust_policy::statement(&policy).unwrap(), &key).unwrap().to_json();
        let log = PrivateKey::generate(KeyType::Ed25519).unwrap();
        let kek = encrypted.then(|| KeyFile::generate().unwrap());
        let place = Self { dir: tempdir(), key, log: log.to_pem().unwrap().as_bytes().to_vec(), kek };
        let anchors = Anchors::in_folder(place.dir.path().join("state"));
        let storage: Arc<dyn Storage> = Arc::new(FolderStorage::new(place.dir.path().join("ledger")));
        let records = [record];
        drop(Ledger::init_in(storage, &anchors, "example.org/faults", log, &records, place.kek(), now()).unwrap());
        place
    }

    fn kek(&self) -> Option<&dyn KeyEncryptionKey> {
        self.kek.as_ref().map(|kek| kek as _)
    }

    fn statement(n: u64) -> Statement {
        let release = Release {
            purl: format!("pkg:generic/faults@{n}"),
            package_id: None,
            release_id: Some(format!("faults-{n}")),
            release_kind: None,
        };
        Statement::new(vec![ResourceDescriptor::of(Digest::sha256(&n.to_be_bytes()))], &release).unwrap()
    }

    fn verified(&self, ledger: &Ledger, n: u64) -> Verified<Statement> {
        ledger.verify(&sign(&Self::statement(n), &self.key).unwrap().to_json(), now()).unwrap()
    }

    fn open(&self, dir: &Path, disk: Disk) -> Result<Ledger, crate::Error> {
        self.open_placing(dir, disk, Duration::ZERO)
    }

    /// As [`Place::open`]; commits are put in place if that was last done so long ago.
    fn open_placing(&self, dir: &Path, disk: Disk, place_after: Duration) -> Result<Ledger, crate::Error> {
        let mut folder = FolderStorage::on(disk, dir.join("ledger"));
        folder.place_after = place_after;
        let storage: Arc<dyn Storage> = Arc::new(folder);
        Ledger::open_in(&storage, &Anchors::in_folder(dir.join("state")), &Pins::none(), self.kek())?
            .with_log_key(PrivateKey::from_pem(&self.log, None).unwrap())
    }

    /// Appends, alone and together, attaches and audits; gives what was receipted and attached before it all failed.
    fn work(&self, ledger: &mut Ledger, from: u64) -> (Vec<(u64, u64)>, Vec<Digest>) {
        let (mut receipted, mut attached) = (Vec::new(), Vec::new());
        for numbers in [vec![from], vec![from + 1, from + 2, from + 3], vec![from + 4], vec![from + 5, from + 6]] {
            let records: Vec<_> = numbers.iter().map(|n| self.verified(ledger, *n)).collect();
            if let Ok(receipts) = ledger.append_all(&records, now()) {
                for ((receipt, record), n) in receipts.iter().zip(&records).zip(numbers) {
                    receipt.verify(record.record(), ledger.log_key()).unwrap();
                    receipted.push((receipt.index, n));
                }
            }
            attached.extend(ledger.attach(&from.to_be_bytes()));
            if numbers_even(from) {
                let _ = ledger.audit();
            }
        }
        (receipted, attached)
    }
}

fn numbers_even(n: u64) -> bool {
    n.is_multiple_of(2)
}

#[test]
fn each_call_to_the_disk_that_fails_loses_nothing_that_was_receipted() {
    let mut points = 0;
    // the larger ones grow over the edge of their first tile, which is another path for few of the calls
    let plain = [(4, false, 1, false), (4, true, 1, false), (253, false, 9, false), (253, true, 9, false)];
    let encrypted = [(4, false, 3, true), (4, true, 3, true), (253, true, 29, true)];
    let (at_once, later) = (Duration::ZERO, Duration::from_secs(3600));
    let waiting = [(4, false, 1, false, later), (253, true, 9, false, later), (4, true, 3, true, later)];
    let placed = plain
        .into_iter()
        .chain(encrypted)
        .map(|(size, stays, step, encrypted)| (size, stays, step, encrypted, at_once));
    for (size, stays, step, encrypted, place_after) in placed.chain(waiting) {
        let place = Place::new(size, encrypted);
        for at in (0..).step_by(step) {
            let dir = tempdir();
            copy(place.dir.path(), dir.path());
            let faults = Arc::new(Faults::default());
            faults.at.store(u64::MAX, SeqCst);
            faults.stays.store(stays, SeqCst);
            let disk = Disk { faults: Some(Arc::clone(&faults)) };
            let mut ledger = place.open_placing(dir.path(), disk, place_after).unwrap();
            faults.calls.store(0, SeqCst);
            faults.at.store(at, SeqCst);
            let (receipted, attached) = place.work(&mut ledger, size);
            drop(ledger);
            let reached = faults.calls.load(SeqCst) > at;

            let mut after = place.open(dir.path(), Disk::default()).unwrap();
            for (index, n) in &receipted {
                let record = after.record(*index).unwrap();
                let right = Place::statement(*n).payload_digest();
                assert_eq!(record.statement().payload_digest(), right, "{size}, call {at}, stays {stays}");
            }
            for digest in &attached {
                after.attachment(digest).unwrap();
            }
            // nothing is there that was not to be appended, nothing twice, and each can be appended now
            assert!(after.size() >= size + receipted.len() as u64 && after.size() <= size + 7);
            let records: Vec<_> = (size..size + 7).map(|n| place.verified(&after, n)).collect();
            after.append_all(&records, now()).unwrap();
            assert_eq!(after.size(), size + 7, "{size}, call {at}, stays {stays}");
            let report = after.audit().unwrap();
            let what = format!("{size}, call {at}, stays {stays}, encrypted {encrypted}");
            assert!(report.is_clean(), "{what}: {:?}", report.findings);
            points += 1;
            if !reached {
                break;
            }
        }
    }
    assert!(points > 150, "{points}");
    eprintln!("{points} calls failed");
}

/// The machine loses its power: of all files only the journal is as it was.
#[test]
fn the_journal_alone_brings_back_what_was_committed_and_says_so() {
    for (size, encrypted) in [(4, false), (250, false), (4, true), (250, true)] {
        let place = Place::new(size, encrypted);
        let lost = tempdir();
        copy(place.dir.path(), lost.path());
        let mut ledger = place.open(place.dir.path(), Disk::default()).unwrap();
        let (receipted, _) = place.work(&mut ledger, size + (1 - size % 2));
        assert_eq!(receipted.len(), 7);
        let journal = std::fs::File::open(place.dir.path().join("ledger/journal")).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut &journal, &mut bytes).unwrap();
        // a frame ends with its seal; what follows is room
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1);
        // written in another boot
        let boot = "sealwright-journal/v1\n".len();
        for (n, cut) in [(0, 0), (1, 1), (2, bytes.len() / 2), (3, bytes.len() - 40)] {
            let dir = tempdir();
            copy(lost.path(), dir.path());
            let mut torn = bytes[..bytes.len() - cut].to_vec();
            if torn.len() > boot + 36 {
                torn[boot] = if torn[boot] == b'0' { b'1' } else { b'0' };
            }
            // the sums go over the header: so it was written with this boot
            let torn = super::journal::rewritten(&torn);
            std::fs::write(dir.path().join("ledger/journal"), &torn).unwrap();
            let mut after = place.open(dir.path(), Disk::default()).unwrap();
            let whole = n == 0;
            assert_eq!(after.size() == size + 7, whole, "{size}, cut {cut}: {}", after.size());
            assert!(!after.repairs().is_empty());
            for (index, n) in receipted.iter().filter(|(index, _)| *index < after.size()) {
                assert_eq!(
                    after.record(*index).unwrap().statement().payload_digest(),
                    Place::statement(*n).payload_digest()
                );
            }
            let records: Vec<_> = receipted.iter().map(|(_, n)| place.verified(&after, *n)).collect();
            after.append_all(&records, now()).unwrap();
            assert_eq!(after.size(), size + 7);
            assert!(after.audit().unwrap().is_clean());
        }
        drop(ledger);
    }
}

/// What waits in the journal is read by those who hold no lock and may write nothing, from a copy as well.
#[test]
fn what_was_committed_is_read_before_it_is_in_its_place() {
    for encrypted in [false, true] {
        let place = Place::new(4, encrypted);
        let later = Duration::from_secs(3600);
        let mut ledger = place.open_placing(place.dir.path(), Disk::default(), later).unwrap();
        let mut reader = place.open_placing(place.dir.path(), Disk::default(), later).unwrap();
        let (receipted, _) = place.work(&mut ledger, 5);
        assert_eq!(receipted.len(), 7);
        let placed = |dir: &Path| FolderStorage::new(dir.join("ledger")).placed_checkpoint().unwrap().unwrap();
        assert_ne!(placed(place.dir.path()), ledger.checkpoint().note().as_bytes(), "it was put in place");
        let copied = tempdir();
        copy(place.dir.path(), copied.path());
        reader.refresh().unwrap();
        for (index, n) in &receipted {
            assert_eq!(
                reader.record(*index).unwrap().statement().payload_digest(),
                Place::statement(*n).payload_digest()
            );
        }
        // whoever opens puts it in place, and has nothing to repair; room in the journal is no append cut short
        let mut opened = place.open(copied.path(), Disk::default()).unwrap();
        assert_eq!(opened.size(), 11);
        assert!(opened.repairs().is_empty(), "{:?}", opened.repairs());
        assert_eq!(placed(copied.path()), ledger.checkpoint().note().as_bytes());
        assert!(opened.audit().unwrap().is_clean());
        ledger.settle().unwrap();
        assert_eq!(placed(place.dir.path()), ledger.checkpoint().note().as_bytes());
        assert!(!place.dir.path().join("ledger/journal").exists());
        // what was read from the journal is read from its own file now, as is what became of it
        std::fs::remove_file(place.dir.path().join("ledger/bodies/006")).unwrap();
        assert_eq!(reader.record(6).unwrap_err().code(), "BODY_LOST");
        assert!(reader.record(7).is_ok());
    }
}
