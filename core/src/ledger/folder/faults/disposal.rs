//! A disposal that stops at any call to the disk, and is then finished.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;

use super::{Disk, Faults, Place, copy, now, tempdir};
use crate::artifact::ResourceDescriptor;
use crate::digest::Digest;
use crate::error::Result;
use crate::key::{KeyType, PrivateKey};
use crate::ledger::folder::FolderStorage;
use crate::ledger::storage::Storage as _;
use crate::ledger::{ATTACHMENT_LOCATION, Disposal, Ledger, Query, Schedule};
use crate::predicate::{
    Actor, Approval, ApprovalDecision, Capture, CaptureMethod, LeftOut, Person, PersonId, PolicyEvaluation,
    PredicateType as _, RetentionDisposal, Stage, TrustedSigner, nonce,
};
use crate::statement::Statement;
use crate::timestamp::Timestamp;
use crate::trust_policy::{self, KEY_ISSUER};

const NOTE: &str = "https://example.org/attestation/note/v1";
/// Entries that are let go: one lies here, the other in the archive. A third one stays.
const GONE: [u64; 2] = [1, 2];

fn later() -> Timestamp {
    now().plus_millis(10 * 24 * 3_600_000)
}

fn schedule() -> Schedule {
    let wire = br#"{"v":"sealwright-retention/v1","frameworks":[],"rules":[{"id":"all","minimum":"P1D"}]}"#;
    Schedule::parse(wire).unwrap()
}

fn actor() -> Actor {
    Actor::workload("urn:example:workload:records")
}

/// A note that names files of the ledger.
fn note(text: &str, files: &[&Digest]) -> Statement {
    let location = |digest: &&Digest| format!("{ATTACHMENT_LOCATION}{}", digest.hex());
    let named: Vec<_> =
        files.iter().map(|digest| serde_json::json!({ "downloadLocation": location(digest) })).collect();
    let about = ResourceDescriptor::of(Digest::sha256(text.as_bytes()));
    Statement::from_json(NOTE, vec![about], &serde_json::json!({ "text": text, "files": named })).unwrap()
}

fn approval(officer: &str) -> Approval {
    Approval {
        nonce: nonce().unwrap(),
        stage: Stage::Disposal,
        decision: ApprovalDecision::Approved,
        approver: Actor::human(format!("mailto:{officer}@example.org"), officer),
        in_role: "records-officer".to_owned(),
        meaning: "approval".to_owned(),
        decided_at: later(),
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

/// A ledger whose officers let two records go, with the index filled; and the three files they name: one each, and one
/// that the third record names as well.
fn ready(encrypted: bool) -> (Place, [Digest; 3]) {
    let officers = ["ada", "ben"].map(|name| (name, PrivateKey::generate(KeyType::Ed25519).unwrap()));
    let place = Place::with_policy(encrypted, |policy| {
        policy.signers[0]
            .predicate_types
            .extend([NOTE, PolicyEvaluation::TYPE, RetentionDisposal::TYPE].map(str::to_owned));
        for (name, key) in &officers {
            policy.signers.push(TrustedSigner {
                name: (*name).to_owned(),
                key: Some(trust_policy::key_descriptor(key.public())),
                predicate_types: vec![Approval::TYPE.to_owned()],
                ..TrustedSigner::default()
            });
            policy.people.push(Person {
                person: (*name).to_owned(),
                ids: vec![PersonId { issuer: KEY_ISSUER.to_owned(), subject: key.public().id() }],
                roles: vec!["records-officer".to_owned()],
            });
        }
        let second_factor = LeftOut {
            check: "EV-APPR-005".to_owned(),
            part: "all".to_owned(),
            why: "the officers of this test have keys alone".to_owned(),
        };
        policy.profile.leaves_out.push(second_factor);
    });
    let mut ledger = open(&place, place.dir.path(), Disk::default());
    let files = ["one", "two", "shared"].map(|text| ledger.attach(text.as_bytes()).unwrap());
    for statement in
        [note("here", &[&files[0], &files[2]]), note("archived", &[&files[1], &files[2]]), note("stays", &[&files[2]])]
    {
        let at = now().plus_millis(i64::try_from(ledger.size()).unwrap());
        ledger.record_statement(&statement, &place.key, at).unwrap();
    }
    ledger.search(&Query::everything()).unwrap();
    let before = ledger.entry(3).unwrap().logged_at().unwrap();
    ledger.archive(before, &mut |_, _| {}).unwrap();
    ledger.unarchive(Some(&[1]), &mut |_, _| {}).unwrap();
    let plan = ledger.plan_disposal(&schedule(), Some(&GONE), later()).unwrap();
    for (name, key) in &officers {
        let statement = Statement::new(plan.subjects(), &approval(name)).unwrap();
        ledger.record_statement(&statement, key, later()).unwrap();
    }
    ledger.attach(&schedule().to_bytes().unwrap()).unwrap();
    (place, files)
}

/// Opens it with its archive, both on the same disk.
fn open(place: &Place, dir: &Path, disk: Disk) -> Ledger {
    let archive = Arc::new(FolderStorage::on(disk.clone(), dir.join("archive")));
    archive.create().unwrap();
    let mut ledger = place.open(dir, disk).unwrap();
    ledger.layers = ledger.layers.clone().with_archive(archive);
    ledger.store = ledger.layers.store();
    ledger
}

fn dispose(place: &Place, ledger: &mut Ledger) -> Result<Disposal> {
    ledger.dispose(&schedule(), Some(&GONE), actor(), &place.key, later())
}

/// Everything that lies there, but for what is derived or empty.
fn left(dir: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![dir.join("ledger"), dir.join("archive")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().map(std::result::Result::unwrap) {
            let path = entry.path();
            let name = entry.file_name().into_string().unwrap();
            if path.is_dir() {
                open.push(path);
            } else if name != "lock" && !name.starts_with("index.sqlite") {
                found.insert(path.strip_prefix(dir).unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn s130_a_disposal_that_stops_at_any_call_to_the_disk_is_brought_to_its_end() {
    let (mut committed, mut undone) = (0, 0);
    for encrypted in [false, true] {
        let (place, files) = ready(encrypted);
        let whole = tempdir();
        copy(place.dir.path(), whole.path());
        let mut ledger = open(&place, whole.path(), Disk::default());
        let done = dispose(&place, &mut ledger).unwrap();
        assert_eq!((done.entries.as_slice(), done.attachments.len()), (&GONE[..], 2));
        assert!(ledger.audit().unwrap().is_clean());
        drop(ledger);
        let right = left(whole.path());
        for at in 0.. {
            let dir = tempdir();
            copy(place.dir.path(), dir.path());
            let faults = Arc::new(Faults::default());
            faults.at.store(u64::MAX, SeqCst);
            faults.stays.store(true, SeqCst);
            let mut ledger = open(&place, dir.path(), Disk { faults: Some(Arc::clone(&faults)) });
            faults.calls.store(0, SeqCst);
            faults.at.store(at, SeqCst);
            let told = dispose(&place, &mut ledger);
            drop(ledger);
            let reached = faults.calls.load(SeqCst) > at;

            let what = format!("call {at}, encrypted {encrypted}");
            let mut after = open(&place, dir.path(), Disk::default());
            if after.disposed().unwrap().is_empty() {
                assert!(told.is_err(), "{what}: it said that it disposed");
                assert!(after.audit().unwrap().is_clean(), "{what}");
                assert!(GONE.iter().all(|index| after.record(*index).is_ok()), "{what}");
                dispose(&place, &mut after).unwrap();
                undone += 1;
            } else {
                after.finish_disposals().unwrap();
                committed += 1;
            }
            let report = after.audit().unwrap();
            assert!(report.is_clean() && report.disposed == 2, "{what}: {:?}", report.findings);
            assert!(after.finish_disposals().unwrap().is_empty(), "{what}");
            for (file, is_there) in files.iter().zip([false, false, true]) {
                assert_eq!(after.attachment(file).is_ok(), is_there, "{what}: {file}");
            }
            assert_eq!(after.search(&Query::everything()).unwrap().records.len() as u64, after.size() - 2, "{what}");
            drop(after);
            assert_eq!(left(dir.path()), right, "{what}");
            if !reached {
                break;
            }
        }
    }
    assert!(committed > 60 && undone > 3, "{committed} after the commit, {undone} before it");
    eprintln!("{committed} disposals stopped after the commit, {undone} before it");
}
