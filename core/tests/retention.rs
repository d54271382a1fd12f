//! How long records are kept, what holds them, and letting them go.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod records_office;
mod small;
mod world;

use std::collections::BTreeMap;

use records_office::{LATER, approve, approve_with, at, dispose, hold, officers, pci, provenance};
use sealwright::digest::Digest;
use sealwright::ledger::{AuditFindingKind, Ledger, Query, Receipt, Schedule};
use sealwright::pack::{self, PackDemand, PackRequest, Signers};
use sealwright::predicate::*;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use small::{copy, files, read};
use world::{RELEASE, World, artifact, dev, encrypts};

const MUCH_LATER: &str = "2033-01-01T00:00:00Z";

#[test]
fn s129_the_longest_rule_of_each_framework_is_the_one_an_independent_table_says() {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/retention/longest.json");
    let table: BTreeMap<String, BTreeMap<String, serde_json::Value>> = serde_json::from_slice(&read(table)).unwrap();
    let mut cells = 0;
    for (framework, row) in &table {
        let schedule = Schedule::of_frameworks([framework.as_str()]).unwrap();
        for (kind, expected) in row {
            let found = schedule.longest(&[kind.as_str()]);
            let (rule, period) = &found[0];
            assert_eq!(Some(*rule), expected["rule"].as_str(), "{framework} {kind}");
            assert_eq!(period.as_str(), expected["period"].as_str().unwrap_or("not stated"), "{kind}");
            cells += 1;
        }
    }
    assert!(table.len() >= 9 && cells > 300, "{} frameworks, {cells} cells", table.len());
    // of several frameworks the longest of all
    let both = Schedule::of_frameworks(["pci-dss-4.0.1", "hipaa-security-rule"]).unwrap();
    assert_eq!(both.longest(&["build.provenance"])[0].1, "P6Y");
}

#[test]
fn s129_records_are_due_when_the_longest_rule_is_over_and_no_earlier() {
    let world = officers();
    let index = provenance(&world);
    let logged = world.ledger.entry(index).unwrap().logged_at().unwrap();
    let due = |schedule: &Schedule, now: &str| {
        let retention = world.ledger.retention(schedule, at(now)).unwrap();
        retention.records.into_iter().find(|due| due.index == index).unwrap()
    };
    for (frameworks, end) in [
        (&["pci-dss-4.0.1"][..], "2028-11-21"),
        (&["hipaa-security-rule"], "2032-11-21"),
        (&["hipaa-security-rule", "pci-dss-4.0.1"], "2032-11-21"),
        (&["soc2-tsc-2017"], "2028-11-21"),
        (&["nist-800-53r5", "pci-dss-4.0.1"], "2029-11-21"),
    ] {
        let schedule = Schedule::of_frameworks(frameworks.iter().copied()).unwrap();
        let found = due(&schedule, LATER).due_at.unwrap();
        assert!(found.to_string().starts_with(end), "{frameworks:?}: {found}");
        assert!(!due(&schedule, LATER).is_due(found.plus_millis(-1)) && due(&schedule, LATER).is_due(found));
    }
    // what nobody can tell is not due: the end of support, and a period that is left to the organisation
    let ssdf = Schedule::of_frameworks(["nist-ssdf-1.1"]).unwrap();
    assert!(due(&ssdf, MUCH_LATER).obstacles[0].contains("end of support"));
    let part11 = Schedule::of_frameworks(["fda-21cfr-part11"]).unwrap();
    assert!(due(&part11, MUCH_LATER).obstacles[0].contains("left to you"));
    let told = format!(
        r#"{{"v":"sealwright-retention/v1","frameworks":["nist-ssdf-1.1","fda-21cfr-part11"],
            "periods":{{"part11":"P10Y"}},"supportEnds":{{"{RELEASE}":"2030-01-01T00:00:00Z"}},
            "rules":[{{"id":"house","minimum":"P12Y","kinds":["sbom"]}}]}}"#
    );
    let told = due(&Schedule::parse(told.as_bytes()).unwrap(), MUCH_LATER);
    let ends = [at("2033-01-01T00:00:00Z"), logged].into_iter().max().unwrap();
    assert!(told.due_at.unwrap() >= ends && told.obstacles.is_empty(), "{told:?}");
}

#[test]
fn a_schedule_that_shortens_or_names_what_is_not_there_is_refused() {
    let with = |rest: &str| {
        Schedule::parse(format!(r#"{{"v":"sealwright-retention/v1","frameworks":["pci-dss-4.0.1"]{rest}}}"#).as_bytes())
    };
    assert!(with("").is_ok() && with(r#","periods":{"pci-log":"P13M"}"#).is_ok());
    for (rest, code) in [
        (r#","periods":{"pci-log":"P11M"}"#, "MALFORMED"),
        (r#","periods":{"none":"P1Y"}"#, "MALFORMED"),
        (r#","rules":[{"id":"pci-log","minimum":"P1D"}]"#, "MALFORMED"),
        (r#","rules":[{"id":"x","minimum":"P1H"}]"#, "MALFORMED"),
        (r#","unknown":1"#, "MALFORMED"),
    ] {
        assert_eq!(with(rest).unwrap_err().code(), code, "{rest}");
    }
    assert_eq!(Schedule::of_frameworks(["hipaa-nprm-2025"]).unwrap_err().code(), "MALFORMED", "proposed only");
    assert_eq!(
        Schedule::parse(br#"{"v":"sealwright-retention/v2","frameworks":[]}"#).unwrap_err().code(),
        "UNSUPPORTED"
    );
}

#[test]
fn s130_after_a_disposal_the_payload_is_gone_and_every_proof_still_verifies() {
    let mut world = officers();
    let index = provenance(&world);
    let record = world.ledger.record(index).unwrap();
    let receipt = world.ledger.prove(index).unwrap();
    world.now = at(LATER);
    let done = dispose(&mut world, &pci(), &[index]).unwrap();
    assert_eq!(done.entries, [index]);

    assert_eq!(world.ledger.record(index).unwrap_err().code(), "BODY_DISPOSED");
    assert_eq!(world.open().unwrap().record(index).unwrap_err().code(), "BODY_DISPOSED");
    let record_bytes = record.verified.record();
    for name in files(&world.folder()) {
        let bytes = read(world.folder().join(&name));
        assert!(!contains(&bytes, record_bytes), "the record is still in {name}");
        assert!(!contains(&bytes, &salt_of(&receipt)), "its salt is still in {name}");
    }
    assert!(!files(&world.folder()).contains(&format!("keys/bodies/{index:03}")), "a header is left");
    // the entry, and a receipt from before
    receipt.verify(record_bytes, world.ledger.log_key()).unwrap();
    assert_eq!(world.ledger.entry(index).unwrap(), record.entry);
    // audit, index, search and gate take it for what it is
    let report = world.ledger.audit().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.disposed, 1);
    world.ledger.rebuild_index().unwrap();
    let found = world.ledger.search(&Query::everything()).unwrap();
    assert_eq!(found.records.len() as u64, world.ledger.size() - 1);
    let decision = world.decide(&artifact(), &dev());
    assert_eq!(decision.evaluation.selection.disposed, 1);
    assert!(!decision.passed(), "the provenance it needs is gone");
    assert!(decision.refusals().all(|check| check.id != "EV-LOG-001"), "and none is missing");
    // what is gone cannot go again
    assert_eq!(dispose(&mut world, &pci(), &[index]).unwrap_err().code(), "NOT_FOUND");
    // another body that is missing is not explained by it
    std::fs::remove_file(world.folder().join(world::body_name(index + 1))).unwrap();
    assert_eq!(world.ledger.record(index + 1).unwrap_err().code(), "BODY_LOST");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.len() >= part.len() && bytes.windows(part.len()).any(|window| window == part)
}

fn salt_of(receipt: &Receipt) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(&receipt.salt).unwrap()
}

#[test]
fn s130_a_pack_with_a_disposed_entry_verifies_and_its_salt_is_nowhere() {
    let mut world = officers();
    let index = provenance(&world);
    let salt = world.ledger.prove(index).unwrap().salt;
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index]).unwrap();
    let folder = world.dir.path().join("pack");
    let (now, by) = (world.tick(), world.actor("records"));
    let request = PackRequest::new(RELEASE, by, now);
    pack::build(&mut world.ledger, &request, &folder, &world.keys["records"], now).unwrap();
    let signers = Signers::read(&folder.join("keys/SIGNERS")).unwrap();
    let verdict = pack::verify(&folder, &PackDemand::new(signers, world.log_key().public().clone())).unwrap();
    assert_eq!((verdict.bare_entries, verdict.disposed_entries), (1, 1));
    assert_eq!(
        verdict.statement.completeness.gaps.iter().filter(|g| g.finding_type == FindingType::BodyLost).count(),
        0
    );
    for name in files(&folder) {
        assert!(!contains(&read(folder.join(&name)), salt.as_bytes()), "{name}");
    }
}

#[test]
fn s130_too_early_or_by_too_few_nothing_goes() {
    let mut world = officers();
    let index = provenance(&world);
    let schedule = pci();
    assert_eq!(dispose(&mut world, &schedule, &[index]).unwrap_err().code(), "POLICY_DENIED", "too early");
    world.now = at(LATER);
    let plan = world.ledger.plan_disposal(&schedule, Some(&[index]), world.now).unwrap();
    let go = |world: &mut World| {
        let (now, actor) = (world.tick(), world.actor("records"));
        world.ledger.dispose(&pci(), Some(&[index]), actor, &world.keys["records"], now).unwrap_err()
    };
    let none = go(&mut world);
    assert!(none.message().contains("0 of 2 approvals"), "{none}");
    approve(&mut world, "reviewer", &plan);
    approve(&mut world, "reviewer", &plan);
    // the same person twice, somebody without the role, of other records, of another schedule, too old, and expired
    approve(&mut world, "author", &plan);
    approve_with(&mut world, "release-manager", &plan, |_, subjects| drop(subjects.remove(0))).unwrap();
    approve_with(&mut world, "release-manager", &plan, |_, subjects| drop(subjects.pop())).unwrap();
    let end = world.now.plus_millis(2000);
    approve_with(&mut world, "release-manager", &plan, |a, _| a.expires_at = Some(end)).unwrap();
    world.now = world.now.plus_millis(10_000);
    let one = go(&mut world);
    assert!(one.message().contains("1 of 2 approvals"), "{one}");
    approve(&mut world, "release-manager", &plan);
    world.now = world.now.plus_millis(15 * 24 * 3_600_000);
    assert!(go(&mut world).message().contains("0 of 2 approvals"), "both are too old");
    // a rejection counts until the same person approves again
    for officer in ["reviewer", "release-manager"] {
        approve(&mut world, officer, &plan);
    }
    approve_with(&mut world, "reviewer", &plan, |a, _| a.decision = ApprovalDecision::Rejected).unwrap();
    assert!(go(&mut world).message().contains("`ben` rejected it"));
    approve(&mut world, "reviewer", &plan);
    let (now, actor) = (world.tick(), world.actor("records"));
    world.ledger.dispose(&schedule, Some(&[index]), actor, &world.keys["records"], now).unwrap();
}

#[test]
fn s131_a_held_record_stays_and_a_released_one_may_go() {
    let scopes: [(&str, HoldScope, bool); 6] = [
        ("everything", HoldScope::default(), true),
        ("its release", HoldScope { services: vec!["pkg:generic/shop".to_owned()], ..HoldScope::default() }, true),
        ("its type", HoldScope { predicate_types: vec![Provenance::TYPE.to_owned()], ..HoldScope::default() }, true),
        (
            "its time",
            HoldScope {
                window: Some(Window { from: at("2026-11-21T00:00:00Z"), to: at("2026-11-22T00:00:00Z") }),
                ..HoldScope::default()
            },
            true,
        ),
        ("another type", HoldScope { predicate_types: vec![Vsa::TYPE.to_owned()], ..HoldScope::default() }, false),
        (
            "another time",
            HoldScope {
                window: Some(Window { from: at("2025-01-01T00:00:00Z"), to: at("2026-01-01T00:00:00Z") }),
                ..HoldScope::default()
            },
            false,
        ),
    ];
    for (what, scope, holds) in scopes {
        let mut world = officers();
        let index = provenance(&world);
        hold(&mut world, "https://example.org/holds/1", scope.clone(), &[], None).unwrap();
        world.now = at(LATER);
        let outcome = dispose(&mut world, &pci(), &[index]);
        assert_eq!(outcome.is_err(), holds, "{what}: {outcome:?}");
        if !holds {
            continue;
        }
        let refused = outcome.unwrap_err();
        assert_eq!(refused.code(), "POLICY_DENIED");
        assert!(refused.message().contains("hold"), "{what}: {refused}");
        assert!(world.ledger.record(index).is_ok());
        let placed = world.ledger.holds().unwrap()[0].payload().clone();
        hold(&mut world, "https://example.org/holds/1", scope, &[], Some(&placed)).unwrap();
        dispose(&mut world, &pci(), &[index]).unwrap();
        assert_eq!(world.ledger.record(index).unwrap_err().code(), "BODY_DISPOSED", "{what}");
        assert!(
            world.ledger.audit().unwrap().is_clean(),
            "a hold that was released before stands in the way of nothing"
        );
    }
}

#[test]
fn s131_a_hold_of_single_records_holds_these_and_no_others() {
    let mut world = officers();
    let index = provenance(&world);
    hold(&mut world, "https://example.org/holds/2", HoldScope::default(), &[index], None).unwrap();
    world.now = at(LATER);
    let due: Vec<u64> = world.ledger.retention(&pci(), world.now).unwrap().due().map(|due| due.index).collect();
    assert!(!due.contains(&index) && !due.is_empty(), "{due:?}");
    // a hold is not placed twice, and not released by the wrong name
    let again = hold(&mut world, "https://example.org/holds/2", HoldScope::default(), &[], None);
    assert_eq!(again.unwrap_err().code(), "APPEND_REFUSED");
    let placed = world.ledger.holds().unwrap()[0].payload().clone();
    let other = hold(&mut world, "https://example.org/holds/3", HoldScope::default(), &[], Some(&placed));
    assert_eq!(other.unwrap_err().code(), "APPEND_REFUSED");
}

#[test]
fn a_control_record_goes_only_when_something_later_supersedes_it() {
    let mut world = officers();
    let change = world.change();
    world.now = at(LATER);
    let refused = dispose(&mut world, &pci(), &[change.index]).unwrap_err();
    assert!(refused.message().contains("control record"), "{refused}");
    world.change_with(|c| c.reason = "Customers insist".to_owned());
    dispose(&mut world, &pci(), &[change.index]).unwrap();
    for (entry, why) in [(0, "trust policy"), (world.ledger.size() - 1, "explains")] {
        let refused = world.ledger.plan_disposal(&pci(), Some(&[entry]), at(MUCH_LATER)).unwrap().refused;
        assert!(refused[0].obstacles.iter().any(|o| o.contains(why)), "{entry}: {:?}", refused[0].obstacles);
    }
}

#[test]
fn a_disposal_that_nobody_decided_is_refused_on_appending() {
    let mut world = officers();
    let index = provenance(&world);
    world.now = at(LATER);
    let plan = world.ledger.plan_disposal(&pci(), Some(&[index]), world.now).unwrap();
    let item = &plan.items[0];
    let approvals = ["reviewer", "release-manager"].map(|o| {
        let receipt = approve(&mut world, o, &plan);
        RecordRef::to(&world.ledger.record(receipt.index).unwrap().statement().payload_digest())
    });
    let record = |due: Timestamp, decision: &Digest| RetentionDisposal {
        rule: "pci-assess".to_owned(),
        evaluated_at: at(LATER),
        items: vec![DisposedItem {
            record: RecordRef::to(&item.payload),
            ledger_index: index,
            retained_since: item.retained_since.unwrap(),
            due_at: due,
            method: DisposalMethod::PayloadErased,
        }],
        decision: RecordRef::to(decision),
        holds_checked: HoldsChecked { size: 1 },
        approvals: approvals.to_vec(),
        executed_by: Actor::workload("urn:example:workload:records"),
        at: at(LATER),
    };
    let subject = || vec![sealwright::artifact::ResourceDescriptor::of(item.payload.clone())];
    let forged = Statement::new(subject(), &record(item.due_at.unwrap(), &Digest::sha256(b"none"))).unwrap();
    let refused = world.record("records", &forged).unwrap_err();
    assert_eq!(refused.code(), "APPEND_REFUSED", "{refused}");
    // a decision of a gate into an environment is none about a disposal
    let decision = world.decide(&artifact(), &dev()).payload;
    let forged = Statement::new(subject(), &record(item.due_at.unwrap(), &decision)).unwrap();
    assert_eq!(world.record("records", &forged).unwrap_err().code(), "APPEND_REFUSED");
    assert!(world.ledger.record(index).is_ok() && world.ledger.disposed().unwrap().is_empty());
}

#[test]
fn a_disposal_that_was_cut_short_is_told_and_brought_to_its_end() {
    let mut world = officers();
    let index = provenance(&world);
    let before = tempfile::tempdir().unwrap();
    copy(&world.folder(), before.path());
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index]).unwrap();
    // the body comes back, as if the process had died before it erased anything
    let mut names = vec![format!("bodies/{index:03}")];
    if encrypts() {
        names.push(format!("keys/bodies/{index:03}"));
    }
    for name in names {
        std::fs::copy(before.path().join(&name), world.folder().join(&name)).unwrap();
    }
    let mut ledger: Ledger = world.open().unwrap();
    let kinds: Vec<_> = ledger.audit().unwrap().findings.iter().map(|f| f.kind).collect();
    assert_eq!(kinds, [AuditFindingKind::DisposalUnfinished]);
    assert_eq!(ledger.finish_disposals().unwrap(), [index]);
    assert!(ledger.audit().unwrap().is_clean());
    assert_eq!(ledger.record(index).unwrap_err().code(), "BODY_DISPOSED");
}

#[test]
fn files_that_only_disposed_records_name_go_with_them() {
    let mut world = officers();
    let named = |digest: &Digest| {
        let mut report = sealwright::artifact::ResourceDescriptor::of(digest.clone());
        report.download_location = Some(format!("{}{}", sealwright::ledger::ATTACHMENT_LOCATION, digest.hex()));
        report
    };
    let (alone, shared) =
        (world.ledger.attach(b"only one names it").unwrap(), world.ledger.attach(b"two name it").unwrap());
    let (kind, passed) = (TestKind::System, TestOutcome::Passed);
    let first = world.tests_with(&artifact(), |t| {
        (t.test_kind, t.result) = (Some(kind), passed);
        (t.report, t.configuration) = (Some(named(&alone)), vec![named(&shared)]);
    });
    world.tests_with(&artifact(), |t| (t.test_kind, t.result, t.report) = (Some(kind), passed, Some(named(&shared))));
    world.now = at(LATER);
    let done = dispose(&mut world, &pci(), &[first.index]).unwrap();
    assert_eq!(done.attachments, std::slice::from_ref(&alone));
    assert_eq!(world.ledger.attachment(&alone).unwrap_err().code(), "NOT_FOUND");
    assert_eq!(world.ledger.attachment(&shared).unwrap(), b"two name it");
    assert!(world.ledger.audit().unwrap().is_clean());
}

#[test]
fn archived_bodies_are_read_through_their_archive_and_told_apart_from_lost_ones() {
    let mut world = officers();
    let archive = world.dir.path().join("archive");
    let index = provenance(&world);
    let before = world.ledger.record(index).unwrap().verified.record().to_vec();
    let mut ledger = world.open().unwrap().with_archive(&archive).unwrap();
    let moved = ledger.archive(at(LATER), &mut |_, _| {}).unwrap();
    assert!(moved.entries.contains(&index) && !moved.entries.contains(&0));
    assert_eq!(ledger.archived().unwrap(), moved.entries);
    assert!(!world.folder().join(world::body_name(index)).exists());
    let commitment = &ledger.entry(index).unwrap().record;
    assert!(archive.join(&commitment[..2]).join(commitment).exists(), "it is found by what its entry commits to");
    assert_eq!(ledger.record(index).unwrap().verified.record(), before);
    assert!(ledger.audit().unwrap().is_clean());
    // without the archive it is not lost, and no gate takes it for harmless
    assert_eq!(world.ledger.record(index).unwrap_err().code(), "BODY_ARCHIVED");
    let kinds: Vec<_> = world.ledger.audit().unwrap().findings.iter().map(|f| f.kind).collect();
    assert!(!kinds.is_empty() && kinds.iter().all(|k| *k == AuditFindingKind::BodyArchived), "{kinds:?}");
    // a damaged copy is not taken back
    let copy_of = archive.join(&commitment[..2]).join(commitment);
    let whole = read(&copy_of);
    std::fs::write(&copy_of, [&whole[..], b"x"].concat()).unwrap();
    assert_eq!(ledger.unarchive(Some(&[index]), &mut |_, _| {}).unwrap_err().code(), "LEDGER_TAMPERED");
    std::fs::write(&copy_of, whole).unwrap();
    let restored = ledger.unarchive(None, &mut |_, _| {}).unwrap();
    assert_eq!(restored.entries, moved.entries);
    assert!(!copy_of.exists() && ledger.archived().unwrap().is_empty());
    assert_eq!(world.ledger.record(index).unwrap().verified.record(), before);
    assert!(world.ledger.audit().unwrap().is_clean());
}

#[test]
fn what_is_archived_is_disposed_of_in_the_archive_as_well() {
    let mut world = officers();
    let archive = world.dir.path().join("archive");
    let index = provenance(&world);
    let commitment = world.ledger.entry(index).unwrap().record;
    world.ledger = world.open().unwrap().with_archive(&archive).unwrap().with_log_key(world.log_key()).unwrap();
    world.ledger.archive(at(LATER), &mut |_, _| {}).unwrap();
    world.now = at(LATER);
    dispose(&mut world, &pci(), &[index]).unwrap();
    assert!(!archive.join(&commitment[..2]).join(&commitment).exists());
    assert!(!world.ledger.archived().unwrap().contains(&index));
    assert_eq!(world.ledger.record(index).unwrap_err().code(), "BODY_DISPOSED");
    assert!(world.ledger.audit().unwrap().is_clean());
}
