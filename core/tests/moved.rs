//! A ledger that was moved away takes nothing more, whoever had it open, and comes back over what was left there.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod records_office;
mod small;
mod world;

use records_office::{LATER, approve, at, dispose, officers_with, pci, provenance};
use sealwright::checkpoint::{WitnessKey, cosign};
use sealwright::encryption::KeyEncryptionKey;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger, Pins, Place};
use sealwright::predicate::{self, TestKind, TestOutcome};
use small::{files, read};
use world::{World, artifact, encrypts, kek};

const WITNESS: &str = "witness.example.org/w1";

fn go(world: &World, from: &str, to: &str) -> Result<sealwright::ledger::Relocated, sealwright::Error> {
    let kek = kek();
    let place = |name: &str| Place::Folder(world.dir.path().join(name));
    let key = encrypts().then_some(&kek as &dyn KeyEncryptionKey);
    Ledger::move_to(&place(from), &place(to), &world.anchors(), &Pins::none(), key, &mut |_| {})
}

fn open_to_append(world: &World, name: &str) -> Ledger {
    let anchors = Anchors::in_folder(world.dir.path().join("state"));
    let ledger = world::opened(&world.dir.path().join(name), &anchors, &Pins::none()).unwrap();
    ledger.with_log_key(world.log_key()).unwrap()
}

fn state(world: &World, name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = world.dir.path().join(name);
    // what stands for a lock and an index is made by whoever looks
    let names = files(&folder).into_iter().filter(|n| n != "lock" && !n.starts_with("index.sqlite"));
    names.map(|n| (n.clone(), read(folder.join(n)))).collect()
}

#[test]
fn a_handle_from_before_a_move_writes_nothing_any_more() {
    let witness = PrivateKey::generate(KeyType::Ed25519).unwrap();
    let key = WitnessKey::new(WITNESS, witness.public().clone()).unwrap();
    let listed = predicate::Witness { name: WITNESS.to_owned(), key: key.to_string() };
    let mut world = officers_with(|policy| policy.witnesses = vec![listed]);
    let (index, archive) = (provenance(&world), world.dir.path().join("archive"));
    world.ledger = open_to_append(&world, "ledger").with_archive(&archive).unwrap();
    world.now = at(LATER);
    // one is archived, another disposed of and still there, as if erasing had been cut short
    let before = small::tempdir();
    small::copy(&world.folder(), before.path());
    dispose(&mut world, &pci(), &[index]).unwrap();
    for folder in ["bodies", "keys/bodies"].into_iter().take(if encrypts() { 2 } else { 1 }) {
        let name = format!("{folder}/{index:03}");
        std::fs::copy(before.path().join(&name), world.folder().join(&name)).unwrap();
    }
    let tested = world.tests(&artifact(), TestKind::System, TestOutcome::Passed);
    world.now = world.now.plus_millis(3 * 366 * 86_400_000);
    let plan = world.ledger.plan_disposal(&pci(), Some(&[tested.index]), world.now).unwrap();
    for officer in ["reviewer", "release-manager"] {
        approve(&mut world, officer, &plan);
    }
    world.ledger.attach(&pci().to_bytes().unwrap()).unwrap();
    let checkpoint = world.ledger.checkpoint().clone();
    let cosigned = checkpoint.with_cosignatures(&cosign(&checkpoint, WITNESS, &witness, world.now).unwrap(), &[key]);
    let cosigned = cosigned.unwrap().note().to_owned();
    let statement = world.ledger.record(1).unwrap().statement().clone();
    let record = sealwright::signer::sign(&statement, &world.keys["author"]).unwrap().to_json();

    // each on a handle of its own, which saw the ledger before it was moved and nothing since
    type Write<'a> = (&'static str, Box<dyn FnOnce(&mut Ledger) -> Result<(), sealwright::Error> + 'a>);
    let (keys, now) = (&world.keys, world.now.plus_millis(1000));
    let mut writes: Vec<Write<'_>> = vec![
        (
            "append",
            Box::new(|l| {
                let verified = l.verify(&record, now)?;
                l.append(&verified, now).map(|_| ())
            }),
        ),
        ("attach", Box::new(|l| l.attach(b"late").map(|_| ()))),
        ("attach a stream", Box::new(|l| l.attach_stream(&b"late"[..]).map(|_| ()))),
        ("archive", Box::new(|l| l.archive(now, &mut |_, _| {}).map(|_| ()))),
        ("unarchive", Box::new(|l| l.unarchive(None, &mut |_, _| {}).map(|_| ()))),
        (
            "rotate the log key",
            Box::new(|l| l.rotate_log_key(PrivateKey::generate(KeyType::Ed25519).unwrap()).map(|_| ())),
        ),
        (
            "dispose",
            Box::new(|l| {
                let actor = predicate::Actor::workload("urn:example:workload:records");
                l.dispose(&pci(), Some(&[tested.index]), actor, &keys["records"], now).map(|_| ())
            }),
        ),
        ("finish", Box::new(|l| l.finish_disposals().map(|_| ()))),
        ("cosign", Box::new(|l| l.keep_cosigned(cosigned.as_bytes()).map(|_| ()))),
    ];
    if encrypts() {
        writes.push(("rotate keys", Box::new(|l| l.rotate_encryption_keys(&kek(), &mut |_, _| {}).map(|_| ()))));
    }
    let mut ready: Vec<_> = writes
        .into_iter()
        .map(|(what, write)| (what, write, open_to_append(&world, "ledger").with_archive(&archive).unwrap()))
        .collect();
    let moved = go(&world, "ledger", "new").unwrap();
    let before = state(&world, "ledger");
    for (what, write, ledger) in &mut ready {
        let write = std::mem::replace(write, Box::new(|_| Ok(())));
        let refused = write(ledger).unwrap_err();
        assert_eq!(refused.code(), "APPEND_REFUSED", "{what}: {refused}");
        assert!(refused.message().contains(&moved.to), "{what}: {refused}");
    }
    assert_eq!(
        before.iter().map(|(n, _)| n).collect::<Vec<_>>(),
        state(&world, "ledger").iter().map(|(n, _)| n).collect::<Vec<_>>()
    );
    assert_eq!(before, state(&world, "ledger"), "and nothing was written");
    // each of them is taken where the ledger is now
    let mut there = open_to_append(&world, "new").with_archive(&archive).unwrap();
    assert_eq!(there.finish_disposals().unwrap(), [index]);
    assert_eq!(there.keep_cosigned(cosigned.as_bytes()).unwrap().len(), 1);
    let actor = world.actor("records");
    there.dispose(&pci(), Some(&[tested.index]), actor, &world.keys["records"], now).unwrap();
    assert!(there.audit().unwrap().is_clean());
}

#[test]
fn a_ledger_moves_back_over_what_it_has_shed_meanwhile() {
    let mut world = officers_with(|_| {});
    let (index, archive) = (provenance(&world), world.dir.path().join("archive"));
    let report = world.ledger.attach(b"a report that goes").unwrap();
    let mut named = sealwright::artifact::ResourceDescriptor::of(report.clone());
    named.download_location = Some(format!("{}{}", sealwright::ledger::ATTACHMENT_LOCATION, report.hex()));
    let tested = world.tests_with(&artifact(), |t| (t.test_kind, t.report) = (Some(TestKind::System), Some(named)));
    // some of it lies in the archive when it leaves
    world.ledger = open_to_append(&world, "ledger").with_archive(&archive).unwrap();
    let archived = world.ledger.archive(world.now, &mut |_, _| {}).unwrap().entries;
    assert!(archived.contains(&index) && !archived.contains(&tested.index));
    go(&world, "ledger", "new").unwrap();
    // there it sheds markers, bodies, headers and a file
    world.ledger = open_to_append(&world, "new").with_archive(&archive).unwrap();
    world.ledger.unarchive(None, &mut |_, _| {}).unwrap();
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index, tested.index]).unwrap();
    assert!(world.ledger.audit().unwrap().is_clean());
    let left = state(&world, "ledger");
    let back = go(&world, "new", "ledger").unwrap();
    assert_eq!(back.root, world.ledger.checkpoint().checkpoint().root().to_string());
    let mut here = open_to_append(&world, "ledger").with_archive(&archive).unwrap();
    let findings = here.audit().unwrap().findings;
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(here.attachment(&report).unwrap_err().code(), "NOT_FOUND");
    for gone in [index, tested.index] {
        assert_eq!(here.record(gone).unwrap_err().code(), "BODY_DISPOSED");
    }
    assert!(here.archived().unwrap().is_empty());
    let now = state(&world, "ledger");
    let dropped: Vec<_> =
        left.iter().filter(|(name, _)| !now.iter().any(|(own, _)| own == name)).map(|(n, _)| n).collect();
    let parts: &[&str] = match encrypts() {
        true => &["archived/", "bodies/", "keys/bodies/", "keys/attachments/", "attachments/"],
        false => &["archived/", "bodies/", "attachments/"],
    };
    for part in parts {
        assert!(dropped.iter().any(|name| name.starts_with(part)), "{part}: {dropped:?}");
    }
    // and there and back once more
    let later = world.now.plus_millis(10_000);
    let statement = here.record(1).unwrap().statement().clone();
    drop(here);
    go(&world, "ledger", "new").unwrap();
    go(&world, "new", "ledger").unwrap();
    let mut here = open_to_append(&world, "ledger");
    assert!(here.record_statement(&statement, &world.keys["author"], later).unwrap().already_there);
    assert!(here.audit().unwrap().is_clean());
}

#[test]
fn a_foreign_file_where_the_ledger_was_stops_its_way_back() {
    let world = officers_with(|_| {});
    go(&world, "ledger", "new").unwrap();
    std::fs::write(world.folder().join("notes.txt"), "mine").unwrap();
    let refused = go(&world, "new", "ledger").unwrap_err();
    assert_eq!(refused.code(), "ALREADY_EXISTS", "{refused}");
    assert!(refused.message().contains("notes.txt"), "{refused}");
    assert_eq!(open_to_append(&world, "new").moved_to(), None);
}
