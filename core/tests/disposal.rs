//! Letting records go while others write, while bodies lie elsewhere, and when it is cut short.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod records_office;
mod small;
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use records_office::{LATER, approve, at, dispose, hold, officers, pci, provenance};
use sealwright::digest::Digest;
use sealwright::ledger::{AuditFindingKind, Ledger, Query};
use sealwright::predicate::*;
use sealwright::signer::sign;
use sealwright::statement::Statement;
use small::{copy, files};
use world::{World, artifact, dev, encrypts};

const HOLD: &str = "https://example.org/holds/1";

fn kinds(ledger: &mut Ledger) -> Vec<AuditFindingKind> {
    ledger.audit().unwrap().findings.iter().map(|f| f.kind).collect()
}

/// The ledger once more, as another process would open it to append.
fn open_to_append(world: &World) -> Ledger {
    world.open().unwrap().with_log_key(world.log_key()).unwrap()
}

/// A test result that names two files, one of them its own, and its entry.
fn with_files(world: &mut World) -> (u64, Digest, Digest) {
    let named = |digest: &Digest| {
        let mut report = sealwright::artifact::ResourceDescriptor::of(digest.clone());
        report.download_location = Some(format!("{}{}", sealwright::ledger::ATTACHMENT_LOCATION, digest.hex()));
        report
    };
    let (own, shared) = (world.ledger.attach(b"its own").unwrap(), world.ledger.attach(b"of two").unwrap());
    let kind = Some(TestKind::System);
    let first = world.tests_with(&artifact(), |t| {
        (t.test_kind, t.report, t.configuration) = (kind, Some(named(&own)), vec![named(&shared)]);
    });
    world.tests_with(&artifact(), |t| (t.test_kind, t.report) = (kind, Some(named(&shared))));
    (first.index, own, shared)
}

fn a_hold_of_everything(world: &World) -> Statement {
    let set = serde_json::json!({ "uriSha256": Digest::sha256(HOLD.as_bytes()).hex() });
    let set: sealwright::digest::DigestSet = serde_json::from_value(set).unwrap();
    let hold = LegalHold {
        nonce: nonce().unwrap(),
        hold_id: HOLD.to_owned(),
        action: HoldAction::Placed,
        matter: "Matter 17".to_owned(),
        custodian: world.actor("release-manager"),
        ordered_by: world.actor("release-manager"),
        at: world.now,
        scope: HoldScope::default(),
        releases: None,
    };
    let subject = sealwright::artifact::ResourceDescriptor::of(set).with_uri(HOLD);
    Statement::new(vec![subject], &hold).unwrap()
}

#[test]
fn s131_a_hold_that_goes_before_a_disposal_in_the_same_commit_stops_it() {
    let mut world = officers();
    let index = provenance(&world);
    world.now = at(LATER);
    let plan = world.ledger.plan_disposal(&pci(), Some(&[index]), world.now).unwrap();
    for officer in ["reviewer", "release-manager"] {
        approve(&mut world, officer, &plan);
    }
    world.ledger.attach(&pci().to_bytes().unwrap()).unwrap();
    // the records of a disposal that went through in a copy
    let (size, now) = (world.ledger.size(), world.tick());
    let elsewhere = small::tempdir();
    copy(world.dir.path(), elsewhere.path());
    let mut other = world::opened(
        &elsewhere.path().join("ledger"),
        &sealwright::ledger::Anchors::in_folder(elsewhere.path().join("state")),
        &sealwright::ledger::Pins::none(),
    )
    .unwrap()
    .with_log_key(world.log_key())
    .unwrap();
    other.dispose(&pci(), Some(&[index]), world.actor("records"), &world.keys["records"], now).unwrap();
    let disposal = [size, size + 1].map(|n| other.record(n).unwrap().verified.record().to_vec());

    let held = sign(&a_hold_of_everything(&world), &world.keys["records"]).unwrap().to_json();
    let verified = |world: &World, records: &[&Vec<u8>]| -> Vec<_> {
        records.iter().map(|record| world.ledger.verify(record, now).unwrap()).collect()
    };
    let together = verified(&world, &[&held, &disposal[0], &disposal[1]]);
    let refused = world.ledger.append_all(&together, now).unwrap_err();
    assert_eq!(refused.code(), "APPEND_REFUSED", "{refused}");
    let between = verified(&world, &[&disposal[0], &held, &disposal[1]]);
    assert_eq!(world.ledger.append_all(&between, now).unwrap_err().code(), "APPEND_REFUSED");
    assert_eq!(world.ledger.size(), size, "all or none");
    // and so does the withdrawal of an approval
    let dismissed = {
        let approved = world.ledger.record(size - 1).unwrap();
        let mut approval: Approval = approved.statement().predicate_as().unwrap();
        approval.nonce = nonce().unwrap();
        approval.decision = ApprovalDecision::Rejected;
        let statement = Statement::new(plan.subjects(), &approval).unwrap();
        sign(&statement, &world.keys["release-manager"]).unwrap().to_json()
    };
    let with_it = verified(&world, &[&dismissed, &disposal[0], &disposal[1]]);
    assert_eq!(world.ledger.append_all(&with_it, now).unwrap_err().code(), "APPEND_REFUSED");
    // the very same records alone are taken, and so is a hold that comes after them
    let alone = verified(&world, &[&disposal[0], &disposal[1], &held]);
    world.ledger.append_all(&alone, now).unwrap();
    assert_eq!(world.ledger.disposed().unwrap(), BTreeMap::from([(index, size + 1)]));
    assert_eq!(kinds(&mut world.ledger), [AuditFindingKind::DisposalUnfinished]);
}

#[test]
fn s131_a_hold_and_a_disposal_that_are_committed_together_leave_what_is_held() {
    let mut outcomes = [0, 0];
    for round in 0..6 {
        let mut world = officers();
        let index = provenance(&world);
        world.now = at(LATER);
        let plan = world.ledger.plan_disposal(&pci(), Some(&[index]), world.now).unwrap();
        for officer in ["reviewer", "release-manager"] {
            approve(&mut world, officer, &plan);
        }
        // so that nothing but the append itself waits for its turn
        world.ledger.attach(&pci().to_bytes().unwrap()).unwrap();
        let now = world.tick();
        let held = a_hold_of_everything(&world);
        let (mut holder, mut disposer) = (open_to_append(&world), open_to_append(&world));
        let lock = std::fs::File::open(world.folder().join("lock")).unwrap();
        lock.lock().unwrap();
        let (placed, disposed) = std::thread::scope(|scope| {
            let key = &world.keys["records"];
            let actor = world.actor("records");
            let placing = scope.spawn(move || holder.record_statement(&held, key, now));
            if round % 2 == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            let disposing = scope.spawn(move || disposer.dispose(&pci(), Some(&[index]), actor, key, now));
            // both have left what they would append when the lock is free
            std::thread::sleep(Duration::from_millis(400));
            drop(lock);
            (placing.join().unwrap(), disposing.join().unwrap())
        });
        let placed = placed.unwrap().index;
        world.ledger.refresh().unwrap();
        match disposed {
            Ok(done) => {
                assert!(done.record < placed, "entry {placed} holds what entry {} disposed of", done.record);
                assert_eq!(world.ledger.record(index).unwrap_err().code(), "BODY_DISPOSED");
                outcomes[0] += 1;
            }
            Err(e) => {
                assert_eq!(e.code(), "APPEND_REFUSED", "{e}");
                world.ledger.record(index).unwrap();
                outcomes[1] += 1;
            }
        }
        assert_eq!(kinds(&mut world.ledger), []);
    }
    println!("{} disposed before the hold, {} held", outcomes[0], outcomes[1]);
}

#[test]
fn what_a_disposal_left_of_a_record_in_index_and_markers_goes_when_it_is_finished() {
    let mut world = officers();
    let (index, own, shared) = with_files(&mut world);
    let archive = world.dir.path().join("archive");
    world.ledger.search(&Query::everything()).unwrap();
    let before = small::tempdir();
    copy(&world.folder(), before.path());
    world.ledger = open_to_append(&world).with_archive(&archive).unwrap();
    world.ledger.archive(at(LATER), &mut |_, _| {}).unwrap();
    let archived = small::tempdir();
    copy(&world.folder(), archived.path());
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index]).unwrap();
    assert_eq!(world.ledger.attachment(&own).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(world.ledger.attachment(&shared).unwrap(), b"of two");
    let name = |folder: &str| format!("{folder}/{index:03}");
    let header = encrypts().then(|| name("keys/bodies"));
    let put_back = |from: &std::path::Path, name: &str| {
        std::fs::copy(from.join(name), world.folder().join(name)).unwrap();
    };
    // the marker alone, the header alone, the index alone
    for left in [Some(name("archived")), header, Some("index.sqlite".to_owned())].into_iter().flatten() {
        let from = if left == name("archived") { archived.path() } else { before.path() };
        put_back(from, &left);
        let mut ledger = open_to_append(&world).with_archive(&archive).unwrap();
        assert_eq!(ledger.record(index).unwrap_err().code(), "BODY_DISPOSED", "{left}");
        if left != "index.sqlite" {
            assert_eq!(kinds(&mut ledger), [AuditFindingKind::DisposalUnfinished], "{left}");
        }
        assert_eq!(ledger.finish_disposals().unwrap(), [index], "{left}");
        assert!(!files(&world.folder()).contains(&left), "{left} is still there");
        assert_eq!(kinds(&mut ledger), [], "{left}");
        assert!(ledger.finish_disposals().unwrap().is_empty(), "{left}");
    }
}

#[test]
fn an_archived_record_that_was_disposed_of_in_part_is_not_finished_without_its_archive() {
    let mut world = officers();
    let index = provenance(&world);
    let archive = world.dir.path().join("archive");
    world.ledger = open_to_append(&world).with_archive(&archive).unwrap();
    world.ledger.archive(at(LATER), &mut |_, _| {}).unwrap();
    let (before, commitment) = (small::tempdir(), world.ledger.entry(index).unwrap().record);
    copy(world.dir.path(), before.path());
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index]).unwrap();
    // as if it had been cut short before anything was erased
    let mut names = vec![format!("ledger/archived/{index:03}"), format!("archive/{}/{commitment}", &commitment[..2])];
    names.extend(encrypts().then(|| format!("ledger/keys/bodies/{index:03}")));
    for name in &names {
        std::fs::copy(before.path().join(name), world.dir.path().join(name)).unwrap();
    }
    assert_eq!(open_to_append(&world).finish_disposals().unwrap_err().code(), "API_MISUSE");
    let mut ledger = open_to_append(&world).with_archive(&archive).unwrap();
    assert_eq!(ledger.finish_disposals().unwrap(), [index]);
    assert!(names.iter().all(|name| !world.dir.path().join(name).exists()));
    assert_eq!(kinds(&mut ledger), []);
}

#[test]
fn what_explains_disposals_and_holds_stays_when_everything_else_is_archived() {
    let mut world = officers();
    let index = provenance(&world);
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index]).unwrap();
    hold(&mut world, HOLD, HoldScope::default(), &[], None).unwrap();
    // a decision of another gate goes
    let decision = world.decide(&artifact(), &dev());
    let archive = world.dir.path().join("archive");
    let now = world.tick();
    let mut ledger = open_to_append(&world).with_archive(&archive).unwrap();
    let moved = ledger.archive(now.plus_millis(1), &mut |_, _| {}).unwrap().entries;
    assert!(moved.contains(&(ledger.size() - 1)), "{moved:?}");
    assert!(!moved.is_empty() && decision.evaluation.selection.disposed == 1);
    // who does not name the archive knows what was disposed of and what is held
    let mut bare = world.open().unwrap();
    assert_eq!(bare.disposed().unwrap().keys().copied().collect::<Vec<_>>(), [index]);
    assert_eq!(bare.record(index).unwrap_err().code(), "BODY_DISPOSED");
    assert_eq!(bare.holds().unwrap().len(), 1);
    let report = bare.audit().unwrap();
    assert!(report.findings.iter().all(|f| f.kind == AuditFindingKind::BodyArchived), "{:?}", report.findings);
    assert_eq!((report.disposed, report.findings.len()), (1, moved.len()));
    assert_eq!(kinds(&mut ledger), []);
}

#[test]
fn a_body_that_its_archive_does_not_have_is_lost_and_not_archived() {
    let world = officers();
    let index = provenance(&world);
    let archive = world.dir.path().join("archive");
    let mut ledger = open_to_append(&world).with_archive(&archive).unwrap();
    ledger.archive(at(LATER), &mut |_, _| {}).unwrap();
    let commitment = ledger.entry(index).unwrap().record;
    std::fs::remove_file(archive.join(&commitment[..2]).join(&commitment)).unwrap();
    assert_eq!(ledger.record(index).unwrap_err().code(), "BODY_LOST");
    assert_eq!(kinds(&mut ledger), [AuditFindingKind::BodyLost]);
    assert_eq!(ledger.unarchive(Some(&[index]), &mut |_, _| {}).unwrap_err().code(), "BODY_LOST");
    // whoever names no archive can't know
    assert_eq!(world.ledger.record(index).unwrap_err().code(), "BODY_ARCHIVED");
}

#[test]
fn bodies_that_are_archived_or_lost_do_not_stop_appends_when_the_index_is_gone() {
    let mut world = officers();
    let archive = world.dir.path().join("archive");
    let (gone, late) = (provenance(&world), world.now);
    let statement = world.ledger.record(gone).unwrap().statement().clone();
    let kept = world.tests(&artifact(), TestKind::System, TestOutcome::Passed);
    let repeated = world.ledger.record(kept.index).unwrap().statement().clone();
    let mut with_archive = open_to_append(&world).with_archive(&archive).unwrap();
    with_archive.archive(late.plus_millis(1), &mut |_, _| {}).unwrap();
    drop(with_archive);
    std::fs::remove_file(world.folder().join(world::body_name(kept.index - 1))).unwrap_or_default();
    for name in ["index.sqlite", "index.sqlite-journal"] {
        let _ = std::fs::remove_file(world.folder().join(name));
    }
    world.ledger = open_to_append(&world);
    // what can be read is known, and not appended twice
    let again = world.record("tester", &repeated).unwrap();
    assert_eq!((again.index, again.already_there), (kept.index, true));
    // what can't be read is known to nobody, and is appended once more
    let before = world.ledger.size();
    let new = world.record("builder", &statement).unwrap();
    assert_eq!((new.index, new.already_there), (before, false));
    world.tests(&artifact(), TestKind::Contract, TestOutcome::Passed);
    // a search says what it can't look at, rather than leaving it out
    let mut all = Query::everything();
    all.kind = Some("build.provenance".to_owned());
    assert_eq!(world.ledger.search(&all).unwrap_err().code(), "BODY_ARCHIVED");
    // and with the archive at hand it finds all of it
    let mut whole = open_to_append(&world).with_archive(&archive).unwrap();
    let found: Vec<u64> = whole.search(&all).unwrap().records.iter().map(|r| r.index).collect();
    assert_eq!(found, [gone, new.index]);
    assert_eq!(kinds(&mut whole), []);
}

#[test]
fn one_archived_body_of_many_does_not_stop_the_index_from_being_made_anew() {
    let mut small = small::Small::new();
    let text = |n: usize| format!("note {n}");
    let records: Vec<_> = (0..1100)
        .map(|n| sign(&small::note(&text(n)), &small.keys["maker"]).unwrap().to_json())
        .map(|record| small.ledger.verify(&record, small.now).unwrap())
        .collect();
    let (first, rest) = records.split_at(1);
    small.ledger.append_all(first, small.now).unwrap();
    let later = small.tick();
    small.ledger.append_all(rest, later).unwrap();
    let archive = small.dir.path().join("archive");
    small.ledger = small.open_to_append().unwrap().with_archive(&archive).unwrap();
    assert_eq!(small.ledger.archive(later, &mut |_, _| {}).unwrap().entries, [1]);
    std::fs::remove_file(small.folder().join("bodies/x001/050")).unwrap();
    small.ledger = small.open_to_append().unwrap();
    std::fs::remove_file(small.folder().join("index.sqlite")).unwrap();
    let (known, new) = (small::note(&text(7)), small::note("new"));
    assert!(small.record("maker", &known).unwrap().already_there);
    assert_eq!(small.record("maker", &new).unwrap().index, 1101);
    // a search that leads past it does not pass over it
    assert_eq!(small.ledger.search(&Query::everything()).unwrap_err().code(), "BODY_ARCHIVED");
    // what is found without it is found
    let mut query = Query::everything();
    query.digest = Some(Digest::sha256(text(7).as_bytes()).to_string());
    assert_eq!(small.ledger.search(&query).unwrap().records[0].index, 8);
    query.digest = None;
    query.after = Some(1050);
    query.limit = Some(1000);
    assert_eq!(small.ledger.search(&query).unwrap().records.len(), 51);
    // the body comes back, and what it says is found
    small.ledger = small.open_to_append().unwrap().with_archive(&archive).unwrap();
    let mut first = Query::everything();
    first.digest = Some(Digest::sha256(text(0).as_bytes()).to_string());
    assert_eq!(small.ledger.search(&first).unwrap().records[0].index, 1);
}

#[test]
fn a_handle_that_lives_through_a_disposal_brings_nothing_of_it_back() {
    let mut world = officers();
    // known to this handle from its own append, and not in the index yet
    let appended = world.tests(&artifact(), TestKind::System, TestOutcome::Passed);
    let index = appended.index;
    let statement = world.ledger.record(index).unwrap().statement().clone();
    let other = open_to_append(&world);
    let mut old = std::mem::replace(&mut world.ledger, other);
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index]).unwrap();
    old.refresh().unwrap();
    let found = old.search(&Query::everything()).unwrap().records;
    assert!(found.iter().all(|record| record.index != index));
    assert_eq!(kinds(&mut world.ledger), [], "its row is bare");
    // the same statement is a new record now
    let now = world.tick();
    let again = old.record_statement(&statement, &world.keys["tester"], now).unwrap();
    assert_eq!((again.index, again.already_there), (old.size() - 1, false));
    assert_eq!(kinds(&mut old), []);
}

#[test]
fn a_decision_that_was_disposed_of_or_archived_is_not_called_misused() {
    let mut world = officers();
    world.go(&artifact(), &dev());
    let mut query = Query::everything();
    query.predicate_type = Some(PolicyEvaluation::TYPE.to_owned());
    let decision = world.ledger.search(&query).unwrap().records[0].index;
    // archived: named as such, and nothing else is said of its use
    let archive = world.dir.path().join("archive");
    let mut ledger = open_to_append(&world).with_archive(&archive).unwrap();
    let now = world.ledger.entry(decision).unwrap().logged_at().unwrap();
    ledger.archive(now.plus_millis(1), &mut |_, _| {}).unwrap();
    assert_eq!(kinds(&mut ledger), []);
    let found = world.open().unwrap().audit().unwrap().findings;
    assert!(found.len() > 1 && found.iter().all(|f| f.kind == AuditFindingKind::BodyArchived), "{found:?}");
    // its use rests on what could not be looked at, which is told
    assert!(found.iter().any(|f| f.message.contains("decision")), "{found:?}");
    ledger.unarchive(None, &mut |_, _| {}).unwrap();
    drop(ledger);
    // lost: named as lost
    let body = world.folder().join(world::body_name(decision));
    let bytes = small::read(&body);
    std::fs::remove_file(&body).unwrap();
    let found = world.open().unwrap().audit().unwrap().findings;
    assert!(!found.is_empty() && found.iter().all(|f| f.kind == AuditFindingKind::BodyLost), "{found:?}");
    std::fs::write(&body, bytes).unwrap();
    // disposed of, with proof: nothing is wrong, and other decisions are spent as before
    world.now = at(LATER);
    world.ledger = open_to_append(&world);
    dispose(&mut world, &pci(), &[decision]).unwrap();
    assert_eq!(kinds(&mut world.ledger), []);
    assert_eq!(kinds(&mut world.open().unwrap()), []);
    let used = world.ledger.complete(&Query::everything()).unwrap();
    let deployment = used.records.iter().find(|r| r.statement().predicate_type() == Deployment::TYPE).unwrap();
    let again: Deployment = deployment.statement().predicate_as().unwrap();
    let mut second = again.clone();
    second.deployment_id = format!("{}-again", again.deployment_id);
    let statement = Statement::new(vec![world.subject(&artifact())], &second).unwrap();
    let refused = world.record("deployer", &statement).unwrap_err();
    assert_eq!(refused.code(), "PERMIT_REFUSED", "{refused}");
    assert!(refused.message().contains("disposed"), "{refused}");
}

#[test]
fn s130_a_copy_that_archiving_left_when_it_was_cut_short_goes_with_its_record() {
    // as earlier versions left it: the copy before anything told of it
    let mut world = officers();
    let index = provenance(&world);
    let archive = world.dir.path().join("archive");
    let archived = |world: &World| {
        let commitment = world.ledger.entry(index).unwrap().record;
        archive.join(&commitment[..2]).join(&commitment)
    };
    let before = small::tempdir();
    copy(&world.folder(), before.path());
    world.ledger = open_to_append(&world).with_archive(&archive).unwrap();
    world.ledger.archive(at(LATER), &mut |_, _| {}).unwrap();
    let name = world::body_name(index);
    std::fs::copy(before.path().join(&name), world.folder().join(&name)).unwrap();
    std::fs::remove_file(world.folder().join(name.replace("bodies", "archived"))).unwrap();
    let left = small::read(archived(&world));
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index]).unwrap();
    assert!(!archived(&world).exists());
    // one that is there all the same is told, and goes when the disposal is finished
    std::fs::write(archived(&world), left).unwrap();
    assert_eq!(kinds(&mut world.ledger), [AuditFindingKind::DisposalUnfinished]);
    assert_eq!(world.ledger.finish_disposals().unwrap(), [index]);
    assert!(!archived(&world).exists());
    assert_eq!(kinds(&mut world.ledger), []);
}

#[test]
fn s130_an_archiving_that_is_cut_short_anywhere_leaves_word_of_a_copy_that_may_be_there() {
    let mut world = officers();
    let index = provenance(&world);
    let archive = world.dir.path().join("archive");
    let commitment = world.ledger.entry(index).unwrap().record;
    // no copy can be written there
    let place = archive.join(&commitment[..2]).join(&commitment);
    std::fs::create_dir_all(place.join("in the way")).unwrap();
    world.ledger = open_to_append(&world).with_archive(&archive).unwrap();
    world.ledger.archive(at(LATER), &mut |_, _| {}).unwrap_err();
    std::fs::remove_dir_all(&place).unwrap();
    world.ledger.record(index).unwrap();
    assert_eq!(kinds(&mut world.ledger), []);
    let others: Vec<u64> = world.ledger.archived().unwrap().into_iter().filter(|other| *other != index).collect();
    world.ledger.unarchive(Some(&others), &mut |_, _| {}).unwrap();
    // nobody disposes of it who does not look there
    world.now = at(LATER);
    let plan = world.ledger.plan_disposal(&pci(), Some(&[index]), world.now).unwrap();
    for officer in ["reviewer", "release-manager"] {
        approve(&mut world, officer, &plan);
    }
    let (now, actor) = (world.tick(), world.actor("records"));
    let refused = open_to_append(&world).dispose(&pci(), Some(&[index]), actor, &world.keys["records"], now);
    assert_eq!(refused.unwrap_err().code(), "API_MISUSE");
    // it is gone on with, and so is the way back, which was cut short before its end
    world.ledger.archive(at(LATER), &mut |_, _| {}).unwrap();
    let marker = world::body_name(index).replace("bodies", "archived");
    let told = small::read(world.folder().join(&marker));
    world.ledger.unarchive(Some(&[index]), &mut |_, _| {}).unwrap();
    std::fs::write(world.folder().join(&marker), told).unwrap();
    assert_eq!(world.ledger.unarchive(Some(&[index]), &mut |_, _| {}).unwrap().entries, [index]);
    assert!(!world.folder().join(&marker).exists() && !place.exists());
    world.ledger.record(index).unwrap();
}
