//! A ledger against a plain list: random sequences of appends, holds, disposals, rotations, moves, crashes, power losses
//! and openings, and after each of them the ledger holds exactly what was receipted and not let go.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr, reason = "tests")]

mod modelled;
mod small;

use std::collections::BTreeMap;

use modelled::{Act, JOURNAL, Model, acts, is_cut_short, journal};
use proptest::prelude::*;
use sealwright::ledger::Query;
use small::{Small, copy, encrypts, files, note, open_to_append};

#[test]
fn whatever_happens_to_it_the_ledger_holds_what_was_receipted_and_nothing_else() {
    let acted = std::cell::RefCell::new(BTreeMap::<String, usize>::new());
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
                let did = model.act(act);
                model.check();
                *acted.borrow_mut().entry(did.to_owned()).or_default() += 1;
            }
            model.act(Act::Audit);
            model.act(Act::Rebuild);
            let mut all = Query::everything();
            all.limit = Some(10_000);
            let found = model.ledger().search(&all).unwrap();
            let payloads: Vec<_> = found.records.iter().map(|r| r.statement().payload_digest()).collect();
            assert_eq!(payloads, model.remaining());
            Ok(())
        })
        .unwrap();
    let acted = acted.into_inner();
    eprintln!("{} acts: {acted:?}", acted.values().sum::<usize>());
}

#[test]
fn each_act_has_its_effect_in_an_order_in_which_none_is_in_vain() {
    let mut model = Model::new();
    let acts = [
        (Act::Append, "appended"),
        (Act::Batch(5), "appended several"),
        (Act::Attach(7), "attached"),
        (Act::PowerLoss, "lost power"),
        (Act::Hold(0), "placed a hold"),
        (Act::Dispose(0), "held"),
        (Act::Release, "released a hold"),
        (Act::Hold(1), "placed a hold"),
        (Act::Dispose(1), "held"),
        (Act::Dispose(0), "disposed"),
        (Act::Dispose(0), "was gone already"),
        (Act::Search(0), "searched"),
        (Act::Repeat(0), "appended what was gone"),
        (Act::Repeat(0), "repeated"),
        (Act::Archive, "archived"),
        (Act::Dispose(2), "disposed"),
        (Act::Append, "appended"),
        (Act::RotateLogKey, "rotated the log key"),
        (Act::PowerLoss, "lost power"),
        (Act::Append, "appended"),
        (Act::RotateKeys, if encrypts() { "rotated the keys" } else { "had no keys to rotate" }),
        (Act::Append, "appended"),
        (Act::Beside, "opened beside"),
        (Act::PowerLoss, "lost power"),
        (Act::Move, "moved"),
        (Act::Unarchive, "unarchived"),
        (Act::Dispose(3), "disposed"),
        (Act::Move, "moved"),
        (Act::KillWriting(200), "killed while appending"),
        (Act::Kill, "killed"),
        (Act::Rebuild, "rebuilt"),
        (Act::Backwards(60), "went back in time"),
        (Act::Append, "appended"),
        (Act::Reopen, "reopened"),
        (Act::Audit, "audited"),
    ];
    for (act, effect) in acts {
        assert_eq!(model.act(act), effect, "{act:?}");
        model.check();
    }
}

#[test]
fn a_journal_cut_at_any_byte_opens_as_the_last_whole_append_left_it() {
    // the first time with its header, the second time behind what it holds
    for texts in [&["one"][..], &["one", "two"]] {
        let (text, size) = (texts[texts.len() - 1], texts.len() as u64);
        let (small, before, written) = append(texts);
        let begun = journal(&before.path().join("ledger")).len();
        for end in begun..=written.len() {
            let cut = small::tempdir();
            copy(before.path(), cut.path());
            std::fs::write(cut.path().join("ledger").join(JOURNAL), &written[..end]).unwrap();
            let mut ledger = open_to_append(cut.path()).unwrap();
            let whole = end == written.len();
            assert_eq!(ledger.size(), size + u64::from(whole), "cut at {end} of {}", written.len());
            let cut_short = is_cut_short(&written[..end], begun) && !whole;
            assert_eq!(ledger.repairs().len(), usize::from(cut_short), "cut at {end}: {:?}", ledger.repairs());
            if end % 97 == 0 || whole {
                let receipt = ledger.record_statement(&note(text), &small.keys["maker"], small.now).unwrap();
                assert_eq!((receipt.index, receipt.already_there), (size, whole));
                assert!(ledger.audit().unwrap().is_clean());
                assert!(
                    !files(&cut.path().join("ledger")).contains(&JOURNAL.to_owned()),
                    "the audit leaves it at rest"
                );
            }
        }
    }
}

/// A ledger with these notes, its folder before the last of them, and its journal afterwards.
fn append(texts: &[&str]) -> (Small, tempfile::TempDir, Vec<u8>) {
    loop {
        let mut small = Small::new();
        let (last, first) = texts.split_last().unwrap();
        first.iter().for_each(|text| drop(small.note(text)));
        let before = small::tempdir();
        copy(small.dir.path(), before.path());
        small.note(last);
        let begun = journal(&before.path().join("ledger"));
        let written = journal(&small.dir.path().join("ledger"));
        // a machine that took a second for it has put the files in place meanwhile
        if begun.is_empty() == first.is_empty() && written.len() > begun.len() && written.starts_with(&begun) {
            return (small, before, written);
        }
    }
}

#[test]
fn a_journal_with_a_changed_byte_never_brings_in_what_was_not_committed() {
    let mut small = Small::new();
    let before = small::tempdir();
    copy(small.dir.path(), before.path());
    small.note("one");
    let written = journal(&small.dir.path().join("ledger"));
    let begun = journal(&before.path().join("ledger")).len();
    // the last one says only that the frame is on disk, which whoever opens it then sees to
    let seal = written.len() - 1;
    for at in (begun..seal).step_by(7).chain([seal]) {
        let cut = small::tempdir();
        copy(before.path(), cut.path());
        let mut wrong = written.clone();
        wrong[at] ^= 0x20;
        std::fs::write(cut.path().join("ledger").join(JOURNAL), &wrong).unwrap();
        let mut ledger = open_to_append(cut.path()).unwrap();
        assert_eq!(ledger.size(), 1 + u64::from(at == seal), "byte {at}");
        assert!(ledger.audit().unwrap().is_clean());
    }
}
