//! Records whose bodies are not there: through an address as in the folder, the same code for the same reason.

use sealwright::Error;
use sealwright::digest::Digest;
use sealwright::ledger::{AuditDepth, AuditFindingKind, Ledger, Query};
use sealwright::predicate::*;

use crate::records_office::{self, LATER, at, pci};
use crate::team::{Running, Team};
use crate::world::{artifact, body_name};

/// A team with records officers, and a release that was built.
fn officers() -> Team {
    let mut team = Team::with_policy(|policy| {
        for person in policy.people.iter_mut().filter(|p| p.person != "ada") {
            person.roles.push("records-officer".to_owned());
        }
        let records = policy.signers.iter_mut().find(|s| s.name == "records").unwrap();
        records.predicate_types.push(RetentionDisposal::TYPE.to_owned());
        let everything = policy.writers.iter_mut().find(|w| w.credential == "everything").unwrap();
        everything.predicate_types.push(RetentionDisposal::TYPE.to_owned());
    });
    team.world.build(&artifact());
    team
}

/// Disposes of one entry, as two officers allow.
fn dispose(team: &mut Team, entry: u64) {
    team.world.now = at(LATER);
    records_office::dispose(&mut team.world, &pci(), &[entry]).unwrap();
}

fn provenance(team: &Team) -> u64 {
    let mut query = Query::everything();
    query.kind = Some("build.provenance".to_owned());
    team.world.ledger.search(&query).unwrap().records[0].index
}

/// An entry that is disposed of, one that is archived, and one that is lost.
fn with_holes(team: &mut Team) -> [u64; 3] {
    let disposed = provenance(team);
    dispose(team, disposed);
    let (archived, lost) = (disposed + 1, disposed + 2);
    let mut ledger = team.folder().with_archive(&team.dir().join("archive")).unwrap();
    // all of the archive but one comes back
    let all = ledger.archive(LATER.parse().unwrap(), &mut |_, _| {}).unwrap().entries;
    let back: Vec<u64> = all.iter().copied().filter(|index| *index != archived).collect();
    ledger.unarchive(Some(&back), &mut |_, _| {}).unwrap();
    // the index holds what it was made with
    ledger.search(&Query::everything()).unwrap();
    drop(ledger);
    std::fs::remove_file(team.world.folder().join(body_name(lost))).unwrap();
    [disposed, archived, lost]
}

fn code<T>(done: Result<T, Error>) -> String {
    done.map(|_| "OK").unwrap_or_else(|e| e.code()).to_owned()
}

fn of(digest: &Digest) -> Query {
    let mut query = Query::everything();
    query.digest = Some(digest.to_string());
    query
}

fn remote(team: &Team, running: &Running) -> Ledger {
    team.connect(running, "auditor").unwrap()
}

#[test]
fn a_disposed_an_archived_and_a_lost_body_have_the_codes_of_the_folder_through_an_address() {
    let mut team = officers();
    let [disposed, archived, lost] = with_holes(&mut team);
    let running = team.start();
    let (folder, address) = (team.folder(), remote(&team, &running));
    for (index, expected) in
        [(disposed, "BODY_DISPOSED"), (archived, "BODY_ARCHIVED"), (lost, "BODY_LOST"), (0, "OK"), (lost + 1, "OK")]
    {
        let (here, there) = (folder.record(index), address.record(index));
        assert_eq!((code(here).as_str(), code(there).as_str()), (expected, expected), "entry {index}");
        assert_eq!(code(folder.prove(index)), code(address.prove(index)), "entry {index}");
        assert_eq!(code(address.prove(index)), expected);
    }
    let reason = |ledger: &Ledger, index| ledger.record(index).unwrap_err().message().to_owned();
    for index in [disposed, archived, lost] {
        assert_eq!(reason(&folder, index), reason(&address, index));
    }
    assert_eq!(folder.disposed().unwrap(), address.disposed().unwrap());
    // the raw answers: a body that is not here is not found, whoever asks finds why in the log
    let token = team.token("auditor");
    for index in [disposed, archived, lost] {
        let answer = running.ask("GET", &format!("/{}", body_name(index)), Some(&token), b"");
        assert_eq!((answer.status, answer.code().as_str()), (404, "NOT_FOUND"));
        let answer = running.ask("GET", &format!("/v1/receipts/{index}"), Some(&token), b"");
        assert_eq!((answer.status, answer.code()), (404, code(folder.prove(index))));
    }
    // who may not read records learns nothing of why they are not there
    let token = team.token("build");
    let answer = running.ask("GET", &format!("/{}", body_name(disposed)), Some(&token), b"");
    assert_eq!(answer.status, 403);
    running.stop();
}

#[test]
fn a_search_and_a_complete_answer_meet_missing_bodies_as_in_the_folder() {
    let mut team = officers();
    let [disposed, archived, lost] = with_holes(&mut team);
    let running = team.start();
    let (folder, address) = (team.folder(), remote(&team, &running));
    let mut after = Query::everything();
    (after.after, after.limit) = (Some(lost), Some(2));
    let mut before = Query::everything();
    (before.after, before.limit) = (None, Some(usize::try_from(disposed).unwrap()));
    let mut over = before.clone();
    over.limit = Some(over.limit.unwrap() + 2);
    for (query, expected) in [
        (Query::everything(), "BODY_ARCHIVED"),
        (of(&artifact()), "BODY_ARCHIVED"),
        (after, "OK"),
        (before, "OK"),
        (over, "BODY_ARCHIVED"),
    ] {
        let (here, there) = (folder.search(&query), address.search(&query));
        assert_eq!((code(here).as_str(), code(there).as_str()), (expected, expected), "{query:?}");
    }
    let (here, there) =
        (folder.complete(&Query::everything()).unwrap(), address.complete(&Query::everything()).unwrap());
    assert_eq!(here.without_body, [disposed, archived, lost]);
    assert_eq!((here.without_body, here.records.len()), (there.without_body, there.records.len()));
    running.stop();
    // with the lost one back and the archive at hand, what was disposed of is passed over in both
    let mut ledger = team.folder().with_archive(&team.dir().join("archive")).unwrap();
    ledger.unarchive(None, &mut |_, _| {}).unwrap();
    drop(ledger);
    let running = team.start();
    let (folder, address) = (team.folder(), remote(&team, &running));
    for (after, limit, expected) in
        [(disposed - 2, 2, vec![disposed - 1]), (disposed - 1, 1, vec![archived]), (disposed, 1, vec![archived])]
    {
        let mut query = Query::everything();
        (query.limit, query.after) = (Some(limit), Some(after));
        for ledger in [&folder, &address] {
            let found = ledger.search(&query).unwrap();
            let indexes: Vec<_> = found.records.iter().map(|r| r.index).collect();
            assert_eq!((&indexes, found.more), (&expected, true), "{query:?}");
        }
    }
    running.stop();
}

#[test]
fn an_audit_through_an_address_finds_what_one_in_the_folder_finds() {
    let mut team = officers();
    let running = team.start();
    let report = team.connect(&running, "auditor").unwrap().audit().unwrap();
    assert!(report.is_clean() && report.through_service, "{:?}", report.findings);
    running.stop();
    let [disposed, archived, lost] = with_holes(&mut team);
    // a file that nothing leads to is seen in the folder alone
    std::fs::write(team.world.folder().join("stray"), b"x").unwrap();
    let running = team.start();
    for depth in [AuditDepth::Entries, AuditDepth::Bodies, AuditDepth::Everything] {
        let here = team.folder().audit_to(depth).unwrap();
        let there = remote(&team, &running).audit_to(depth).unwrap();
        let told = |report: &sealwright::ledger::AuditReport| {
            let findings = report.findings.iter().map(|f| (f.kind, f.place.clone(), f.message.clone()));
            findings.filter(|(kind, ..)| *kind != AuditFindingKind::UnexpectedFile).collect::<Vec<_>>()
        };
        assert_eq!((told(&here), here.disposed, here.root.clone()), (told(&there), there.disposed, there.root.clone()));
        let kinds: Vec<_> = there.findings.iter().map(|f| (f.kind, f.place.clone())).collect();
        let expected = match depth {
            AuditDepth::Entries => vec![],
            _ => vec![
                (AuditFindingKind::BodyArchived, format!("entry {archived}")),
                (AuditFindingKind::BodyLost, format!("entry {lost}")),
            ],
        };
        assert_eq!((kinds, there.disposed), (expected, u64::from(depth != AuditDepth::Entries)), "{disposed}");
        assert_eq!((here.through_service, there.through_service), (false, true));
        assert_eq!(here.findings.iter().any(|f| f.place == "stray"), depth == AuditDepth::Everything);
    }
    // who may not read records audits nothing but the log, and is told so, not that bodies are lost
    let mut build = team.connect(&running, "build").unwrap();
    assert!(build.audit_to(AuditDepth::Entries).unwrap().is_clean());
    assert_eq!(build.audit().unwrap_err().code(), "PERMISSION_DENIED");
    let mut auditor = remote(&team, &running);
    running.stop();
    assert_eq!(auditor.audit().unwrap_err().code(), "SERVICE_UNAVAILABLE");
}

#[test]
fn what_was_looked_for_in_vain_and_where_is_told_the_operator_and_not_the_caller() {
    let mut team = officers();
    let [_, archived, lost] = with_holes(&mut team);
    // the archive has lost it as well, and nothing knows any more what it was about
    let archive = team.dir().join("archive");
    let commitment = team.folder().entry(archived).unwrap().record;
    std::fs::remove_file(archive.join(&commitment[..2]).join(&commitment)).unwrap();
    for name in ["index.sqlite", "index.sqlite-journal"] {
        let _ = std::fs::remove_file(team.world.folder().join(name));
    }
    let config = Team::config("", "").replacen("[roles]", "archive = \"archive\"\n[roles]", 1);
    let running = team.start_with(&config);
    let token = team.token("auditor");
    for (method, path, body) in [
        ("POST", "/v1/search".to_owned(), "{}"),
        ("GET", format!("/v1/receipts/{archived}"), ""),
        ("GET", format!("/v1/receipts/{lost}"), ""),
    ] {
        let answer = running.ask(method, &path, Some(&token), body.as_bytes());
        assert_eq!((answer.status, answer.code().as_str()), (404, "BODY_LOST"), "{path}");
        assert!(!answer.text().contains(archive.to_str().unwrap()), "{}", answer.text());
    }
    running.stop();
    let told: Vec<_> = team.log.lines().into_iter().filter(|line| line["code"] == "BODY_LOST").collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().any(|line| line["message"].as_str().unwrap().contains(archive.to_str().unwrap())));
}
