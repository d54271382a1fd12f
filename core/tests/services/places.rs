//! What a ledger does, the same wherever it lies.

use std::collections::BTreeSet;
use std::io::Read as _;

use sealwright::digest::Digest;
use sealwright::ledger::{Anchors, Ledger, Query, Receipt};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::verifier::Verified;

use super::grounds::Ground;
use super::small::{NOTE, ORIGIN, Small, note};

macro_rules! everywhere {
    ($($name:ident)*) => {
        mod folder {
            $(#[test] fn $name() { super::$name(super::Ground::Folder); })*
        }
        mod versitygw {
            $(#[test] #[ignore = "needs make test-services"] fn $name() { super::$name(super::Ground::Versitygw); })*
        }
        mod encrypted_in_versitygw {
            $(#[test] #[ignore = "needs make test-services"] fn $name() { super::$name(super::Ground::Encrypted); })*
        }
        mod seaweedfs {
            $(#[test] #[ignore = "needs make test-services"] fn $name() { super::$name(super::Ground::Seaweedfs); })*
        }
    };
}

everywhere! {
    what_is_appended_is_proven_found_and_there_for_the_next_process
    a_record_that_is_there_gives_its_first_receipt_again
    a_batch_over_tiles_is_whole_or_not_there
    many_writers_lose_no_receipt
    attachments_come_back_as_they_were
    an_index_is_made_anew_and_answers_the_same
    pages_stay_stable_while_others_append
    a_place_that_is_taken_is_refused
    random_acts_leave_it_like_a_plain_list
}

fn small_at(ground: Ground) -> Small {
    match ground {
        Ground::Encrypted => Small::encrypted_at(|dir| ground.place(dir)),
        _ => Small::at(|dir| ground.place(dir)),
    }
}

fn verified(small: &Small, ledger: &Ledger, texts: &[String]) -> Vec<Verified<Statement>> {
    let sign = |text: &String| sign(&note(text), &small.keys["maker"]).unwrap().to_json();
    texts.iter().map(|text| ledger.verify(&sign(text), small.now).unwrap()).collect()
}

pub(crate) fn query(change: impl FnOnce(&mut Query)) -> Query {
    let mut query = Query::everything();
    change(&mut query);
    query
}

/// Texts of all records but the first, in order, by walking; each proven.
pub(crate) fn texts(ledger: &Ledger) -> Vec<Digest> {
    (1..ledger.size()).map(|index| ledger.record(index).unwrap().statement().payload_digest()).collect()
}

pub(crate) fn payloads(texts: &[String]) -> Vec<Digest> {
    texts.iter().map(|text| note(text).payload_digest()).collect()
}

pub(crate) fn assert_clean(ledger: &mut Ledger) {
    let report = ledger.audit().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
}

fn what_is_appended_is_proven_found_and_there_for_the_next_process(ground: Ground) {
    let mut small = small_at(ground);
    let receipts: Vec<Receipt> = (0..5).map(|n| small.note(&format!("note {n}"))).collect();
    let mut other = small.open().unwrap();
    assert_eq!(other.size(), 6);
    for (n, receipt) in receipts.iter().enumerate() {
        let record = other.record(receipt.index).unwrap();
        receipt.verify(record.verified.record(), other.log_key()).unwrap();
        let asked = query(|q| {
            q.digest = Some(Digest::sha256(format!("note {n}").as_bytes()).to_string());
        });
        let found = other.search(&asked).unwrap();
        assert_eq!(found.records.iter().map(|r| r.index).collect::<Vec<_>>(), [receipt.index]);
    }
    let of_type = query(|q| {
        q.predicate_type = Some(NOTE.to_owned());
        q.limit = Some(3);
    });
    let found = other.search(&of_type).unwrap();
    assert_eq!((found.records.len(), found.more), (3, true));
    assert_clean(&mut other);
    assert_eq!(
        other
            .search(&query(|q| {
                q.change = Some("none".to_owned());
            }))
            .unwrap()
            .records
            .len(),
        0
    );
}

fn a_record_that_is_there_gives_its_first_receipt_again(ground: Ground) {
    let mut small = small_at(ground);
    let first = small.note("once");
    small.note("between");
    let mut other = small.open_to_append().unwrap();
    let again = other.record_statement(&note("once"), &small.keys["maker"], small.now).unwrap();
    assert_eq!((again.index, again.already_there, &again.salt), (first.index, true, &first.salt));
    assert_eq!(other.size(), 3);
}

fn a_batch_over_tiles_is_whole_or_not_there(ground: Ground) {
    let mut small = small_at(ground);
    let all: Vec<String> = (0..600).map(|n| format!("note {n}")).collect();
    let records = verified(&small, &small.ledger, &all);
    let receipts = small.ledger.append_all(&records[..300], small.now).unwrap();
    assert_eq!(receipts.iter().map(|r| r.index).collect::<Vec<_>>(), (1..=300).collect::<Vec<_>>());
    let mut refused = records[300..].to_vec();
    refused.push(sealed_by_a_stranger(&small));
    let now = small.now;
    assert_eq!(small.ledger.append_all(&refused, now).unwrap_err().code(), "UNTRUSTED_SIGNER");
    assert_eq!(small.open().unwrap().size(), 301);
    small.ledger.append_all(&records[300..], now).unwrap();
    let mut other = small.open().unwrap();
    assert_eq!(texts(&other), payloads(&all));
    assert_clean(&mut other);
}

/// A record that another verifier believes, and this ledger does not.
fn sealed_by_a_stranger(small: &Small) -> Verified<Statement> {
    use sealwright::trust::{TrustRoot, Window};
    use sealwright::verifier::{Artifact, Expectation, Identity, Verifier};
    let key = &small.keys["stranger"];
    let trust = TrustRoot::new().with_key("anybody", key.public().clone(), Window::ALWAYS).unwrap();
    let expectation = Expectation::new(Artifact::AnyUnsafe, Identity::key("anybody"), small.now);
    Verifier::new(trust).verify(&sign(&note("strange"), key).unwrap().to_json(), &expectation).unwrap()
}

fn many_writers_lose_no_receipt(ground: Ground) {
    const WRITERS: u64 = 4;
    const EACH: u64 = 8;
    let small = small_at(ground);
    let receipts: Vec<Receipt> = std::thread::scope(|scope| {
        let write = |writer: u64| {
            let small = &small;
            move || {
                let mut ledger = small.open_to_append().unwrap();
                let text = |n| note(&format!("writer {writer} note {n}"));
                (0..EACH)
                    .map(|n| ledger.record_statement(&text(n), &small.keys["maker"], small.now).unwrap())
                    .collect::<Vec<_>>()
            }
        };
        let threads: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(write(writer))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut ledger = small.open().unwrap();
    assert_eq!(receipts.iter().map(|r| r.index).collect::<BTreeSet<_>>(), (1..=WRITERS * EACH).collect());
    assert_eq!(ledger.size(), 1 + WRITERS * EACH);
    for receipt in &receipts {
        receipt.verify(ledger.record(receipt.index).unwrap().verified.record(), ledger.log_key()).unwrap();
    }
    assert_clean(&mut ledger);
}

fn attachments_come_back_as_they_were(ground: Ground) {
    let small = small_at(ground);
    let pattern = |length: usize| (0..length).map(|n| (n * 31 % 251) as u8).collect::<Vec<_>>();
    for length in [0, 1, 100_000, 40 * 1024 * 1024 + 7] {
        let bytes = pattern(length);
        let digest = small.ledger.attach_stream(&bytes[..]).unwrap();
        assert_eq!(digest, Digest::sha256(&bytes), "{length}");
        assert_eq!(small.ledger.attach_stream(&bytes[..]).unwrap(), digest);
        let mut read = Vec::new();
        let mut reader = small.open().unwrap().attachment_stream(&digest).unwrap();
        assert_eq!(reader.size(), length as u64);
        reader.read_to_end(&mut read).unwrap();
        assert!(read == bytes, "{length}");
    }
    assert_eq!(small.ledger.attachment(&Digest::sha256(b"never")).unwrap_err().code(), "NOT_FOUND");
    assert_clean(&mut small.open().unwrap());
}

fn an_index_is_made_anew_and_answers_the_same(ground: Ground) {
    let mut small = small_at(ground);
    for n in 0..20 {
        small.note(&format!("note {n}"));
    }
    let queries: Vec<Query> = (0..20)
        .map(|n| {
            query(|q| {
                q.digest = Some(Digest::sha256(format!("note {n}").as_bytes()).to_string());
            })
        })
        .chain([
            query(|q| {
                q.since = Some(small.now.plus_millis(-5000));
            }),
            query(|q| {
                q.until = Some(small.now.plus_millis(-5000));
                q.kind = Some("x".repeat(4000));
            }),
            query(|q| {
                q.after = Some(7);
                q.limit = Some(4);
                q.predicate_type = Some(NOTE.to_owned());
            }),
        ])
        .collect();
    let answers = |ledger: &Ledger| -> Vec<(Vec<u64>, bool)> {
        let found = queries.iter().map(|query| ledger.search(query).unwrap());
        found.map(|f| (f.records.iter().map(|r| r.index).collect(), f.more)).collect()
    };
    let before = answers(&small.ledger);
    assert_eq!(before[20].0.len(), 6);
    assert_eq!(before[22], (vec![8, 9, 10, 11], true));
    small.open().unwrap().rebuild_index().unwrap();
    let mut other = small.open().unwrap();
    assert_eq!(answers(&other), before);
    assert_eq!(answers(&small.ledger), before);
    assert_clean(&mut other);
}

fn pages_stay_stable_while_others_append(ground: Ground) {
    let mut small = small_at(ground);
    for n in 0..12 {
        small.note(&format!("note {n}"));
    }
    let reader = small.open().unwrap();
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let asked = query(|q| {
            q.predicate_type = Some(NOTE.to_owned());
            q.after = after;
            q.limit = Some(5);
        });
        let page = reader.search(&asked).unwrap();
        seen.extend(page.records.iter().map(|r| r.index));
        small.note(&format!("meanwhile {}", seen.len()));
        if !page.more {
            break;
        }
        after = seen.last().copied();
    }
    assert_eq!(seen, (1..=12).collect::<Vec<_>>());
}

fn a_place_that_is_taken_is_refused(ground: Ground) {
    let small = small_at(ground);
    let anchors = Anchors::in_folder(small.dir.path().join("elsewhere"));
    let key = sealwright::key::read_private(&small.dir.path().join("log.pem"), None).unwrap();
    let again = Ledger::init_at(&small.place, &anchors, ORIGIN, key, &[small.bytes(0)], None, small.now);
    assert_eq!(again.unwrap_err().code(), "ALREADY_EXISTS");
    assert_eq!(small.open().unwrap().size(), 1);
}

/// The short form of the model that the folder is checked with at length.
fn random_acts_leave_it_like_a_plain_list(ground: Ground) {
    let mut small = small_at(ground);
    let mut list: Vec<String> = Vec::new();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for act in 0..40 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        match random % 6 {
            0 | 1 => {
                list.push(format!("note {act}"));
                assert_eq!(small.note(&format!("note {act}")).index, list.len() as u64);
            }
            2 => {
                let new: Vec<String> = (0..random / 7 % 40).map(|n| format!("note {act}.{n}")).collect();
                let records = verified(&small, &small.ledger, &new);
                let receipts = small.ledger.append_all(&records, small.now).unwrap();
                assert!(receipts.iter().zip(list.len() as u64 + 1..).all(|(r, index)| r.index == index));
                list.extend(new);
            }
            3 if !list.is_empty() => {
                let at = random as usize / 11 % list.len();
                let again = small.note(&list[at].clone());
                assert_eq!((again.index, again.already_there), (at as u64 + 1, true));
            }
            4 => small.ledger = small.open_to_append().unwrap(),
            _ => {
                let after = random / 13 % (list.len() as u64 + 1);
                let asked = query(|q| {
                    q.after = Some(after);
                    q.limit = Some(1000);
                });
                let found = small.ledger.search(&asked).unwrap();
                let found: Vec<Digest> = found.records.iter().map(|r| r.statement().payload_digest()).collect();
                assert_eq!(found, payloads(&list[after as usize..]));
            }
        }
    }
    let mut ledger = small.open().unwrap();
    assert_eq!(texts(&ledger), payloads(&list));
    assert_clean(&mut ledger);
}
