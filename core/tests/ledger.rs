//! Appending, receipts, ids, and reading what a ledger wrote with other people's code.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod small;
mod world;

use std::collections::BTreeSet;

use sealwright::ErrorKind;
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::Digest;
use sealwright::envelope::{Envelope, Signature};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Query, Receipt};
use sealwright::predicate::{PredicateType, Provenance, Release, TestResult};
use sealwright::release;
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::trust::{TrustRoot, Window};
use sealwright::verifier::{Artifact, Expectation, Identity, Verified, Verifier};
use small::{BUILDER, NOTE, Small, files, note, of, open_to_append};
use world::{RELEASE, World, artifact};

/// What another verifier, which believes the key, says of a record: no proof for this ledger, but a `Verified`.
fn foreign(key: &PrivateKey, record: &[u8], small: &Small) -> Verified<Statement> {
    let trust = TrustRoot::new().with_key("anybody", key.public().clone(), Window::ALWAYS).unwrap();
    let expectation = Expectation::new(Artifact::AnyUnsafe, Identity::key("anybody"), small.now);
    Verifier::new(trust).verify(record, &expectation).unwrap()
}

/// What an append must leave as it is, if it refuses.
fn state(small: &Small) -> Vec<(String, Vec<u8>)> {
    let names = files(&small.folder()).into_iter().filter(|n| !n.starts_with("index.sqlite"));
    names.map(|name| (name.clone(), small::read(small.folder().join(name)))).collect()
}

#[test]
fn the_same_statement_by_the_same_signer_gives_its_first_receipt_again() {
    let mut small = Small::new();
    let first = small.note("once");
    small.note("between");
    let again = small.note("once");
    assert!(!first.already_there && again.already_there);
    assert_eq!((first.index, &first.entry, &first.salt), (again.index, &again.entry, &again.salt));
    let other = small.record("second", &note("once")).unwrap();
    assert_eq!((other.index, other.already_there), (3, false), "another signer makes another entry");
    assert_eq!(small.ledger.size(), 4);
    // another process, and one without an index, know it as well
    std::fs::remove_file(small.folder().join("index.sqlite")).unwrap();
    let mut process = open_to_append(small.dir.path()).unwrap();
    let again = process.record_statement(&note("once"), &small.keys["maker"], small.now).unwrap();
    assert_eq!((again.index, again.already_there), (first.index, true));
}

#[test]
fn closing_brings_what_was_appended_to_rest_and_says_if_it_could_not() {
    let mut small = Small::new();
    let folder = small.dir.path().join("ledger");
    let receipt = small.note("one");
    assert!(folder.join("journal").exists());
    // where the bodies are put, something else lies
    let elsewhere = small.dir.path().join("elsewhere");
    std::fs::rename(folder.join("bodies"), &elsewhere).unwrap();
    std::fs::write(folder.join("bodies"), b"").unwrap();
    assert_eq!(small.ledger.close().unwrap_err().kind(), ErrorKind::Malformed);
    std::fs::remove_file(folder.join("bodies")).unwrap();
    std::fs::rename(&elsewhere, folder.join("bodies")).unwrap();
    small.ledger.close().unwrap();
    assert!(!folder.join("journal").exists());
    assert_eq!(small::read(folder.join("checkpoint")), small.ledger.checkpoint().note().as_bytes());
    // it can be used on, and what it did not append is not its own to see to
    assert_eq!(small.note("one").index, receipt.index);
    let mut reader = small.open().unwrap();
    small.note("two");
    reader.close().unwrap();
    assert!(folder.join("journal").exists());
}

#[test]
fn a_batch_is_appended_whole_or_not_at_all() {
    let mut small = Small::new();
    let good =
        |text: &str| foreign(&small.keys["maker"], &sign(&note(text), &small.keys["maker"]).unwrap().to_json(), &small);
    let stranger = &small.keys["stranger"];
    let bad = foreign(stranger, &sign(&note("three"), stranger).unwrap().to_json(), &small);
    let before = state(&small);
    let now = small.now;
    let (one, two) = (good("one"), good("two"));
    let refused = small.ledger.append_all(&[one.clone(), two.clone(), bad], now).unwrap_err();
    assert_eq!(refused.code(), "UNTRUSTED_SIGNER");
    assert_eq!(state(&small), before);

    let receipts = small.ledger.append_all(&[one.clone(), two, one], now).unwrap();
    let places: Vec<_> = receipts.iter().map(|r| (r.index, r.already_there)).collect();
    assert_eq!(places, [(1, false), (2, false), (1, true)], "one twice in a batch is one entry");
    assert_eq!(small.ledger.append_all(&[], now).unwrap(), []);
}

#[test]
fn what_the_trust_policy_does_not_allow_is_refused_and_nothing_is_written() {
    let mut small = Small::with_policy(|policy, keys| {
        let mut early = small::signer("late", keys, &[NOTE]);
        early.valid_from = Some(small::start().plus_millis(3_600_000));
        let mut gone = small::signer("admin-c", keys, &[NOTE]);
        gone.valid_until = Some(small::start().plus_millis(1));
        policy.signers.extend([early, gone]);
    });
    small.tick();
    let builder = |id: &str| {
        serde_json::json!({"buildDefinition": {"buildType": "https://example.org/build/v1", "externalParameters": {}},
            "runDetails": {"builder": {"id": id}}})
    };
    let old = String::from_utf8(note("old").payload().to_vec()).unwrap().replace("Statement/v1", "Statement/v0.1");
    let cases = [
        ("stranger", note("1"), "UNTRUSTED_SIGNER"),
        (
            "second",
            of(TestResult::TYPE, b"2", &serde_json::json!({"result": "PASSED", "configuration": []})),
            "NOT_ENTITLED",
        ),
        ("admin", note("3"), "NOT_ENTITLED"),
        ("maker", of("https://example.org/attestation/unlisted/v1", b"4", &serde_json::json!({})), "NOT_ENTITLED"),
        ("maker", of(Provenance::TYPE, b"5", &builder("https://example.org/builders/other")), "NOT_ENTITLED"),
        ("late", note("6"), "NOT_YET_VALID"),
        ("admin-c", note("7"), "EXPIRED"),
        ("maker", Statement::parse(old.into_bytes()).unwrap(), "APPEND_REFUSED"),
    ];
    let before = state(&small);
    let now = small.now;
    for (signer, statement, code) in cases {
        let key = &small.keys[signer];
        let record = foreign(key, &sign(&statement, key).unwrap().to_json(), &small);
        assert_eq!(
            small.ledger.append(&record, now).unwrap_err().code(),
            code,
            "{signer}: {:?}",
            statement.predicate_type()
        );
        assert_eq!(state(&small), before, "{signer}");
    }
    // the same by those who may, and when they may
    let now = small.now.plus_millis(3_600_000);
    small.ledger.record_statement(&note("6"), &small.keys["late"], now).unwrap();
    let provenance = of(Provenance::TYPE, b"5", &builder(BUILDER));
    small.ledger.record_statement(&provenance, &small.keys["maker"], now).unwrap();
}

#[test]
fn an_edited_payload_and_an_edited_signature_are_refused() {
    let small = Small::new();
    let key = &small.keys["maker"];
    let signed = sign(&note("as signed"), key).unwrap();
    let envelope = signed.envelope().unwrap();
    let edited = String::from_utf8(envelope.payload().to_vec()).unwrap().replace("as signed", "as edited");
    let kept: Vec<Signature> = envelope.signatures().to_vec();
    let mut flipped = kept[0].sig.clone();
    flipped[3] ^= 1;
    for (payload, signatures) in [
        (edited.into_bytes(), kept.clone()),
        (envelope.payload().to_vec(), vec![Signature::new(kept[0].keyid.clone(), flipped)]),
    ] {
        let record = Envelope::new(envelope.payload_type(), payload, signatures).unwrap().to_json();
        let refused = small.ledger.verify(&record, small.now).unwrap_err();
        assert_eq!(refused.code(), "BAD_SIGNATURE", "{refused}");
    }
}

#[test]
fn an_unknown_type_is_kept_and_is_no_control_record() {
    let mut small = Small::new();
    let receipt = small.note("kept");
    let record = small.ledger.record(receipt.index).unwrap();
    assert!(!record.entry.control);
    assert_eq!(record.statement().predicate_type(), NOTE);
    assert_eq!(record.entry.tag("kind").next(), None, "it is evidence of nothing");
}

#[test]
fn of_several_signers_the_one_who_may_say_it_speaks() {
    let mut small = Small::new();
    let statement = of(
        TestResult::TYPE,
        b"x",
        &serde_json::json!({
        "result": "PASSED", "configuration": [{"uri": "https://example.org/suite"}]}),
    );
    let [by_second, by_maker] = ["second", "maker"].map(|name| sign(&statement, &small.keys[name]).unwrap());
    let both = by_second
        .envelope()
        .unwrap()
        .signatures()
        .iter()
        .chain(by_maker.envelope().unwrap().signatures())
        .cloned()
        .collect();
    let record = Envelope::new(by_maker.envelope().unwrap().payload_type(), statement.payload().to_vec(), both)
        .unwrap()
        .to_json();
    let now = small.tick();
    let verified = small.ledger.verify(&record, now).unwrap();
    let receipt = small.ledger.append(&verified, now).unwrap();
    assert_eq!(small.ledger.record(receipt.index).unwrap().speaker.signer, "maker");
    assert!(small.ledger.append(&verified, now).unwrap().already_there);
}

#[test]
fn a_reader_can_not_append_and_a_wrong_log_key_is_refused() {
    let small = Small::new();
    let mut reader = small.open().unwrap();
    let refused = reader.record_statement(&note("x"), &small.keys["maker"], small.now).unwrap_err();
    assert_eq!(refused.code(), "API_MISUSE");
    let other = PrivateKey::generate(KeyType::Ed25519).unwrap();
    assert_eq!(small.open().unwrap().with_log_key(other).unwrap_err().code(), "UNTRUSTED_SIGNER");
}

#[test]
fn time_in_the_ledger_never_runs_back() {
    let mut small = Small::new();
    let first = small.note("now");
    let earlier = small.ledger.record_statement(&note("earlier"), &small.keys["maker"], small::start()).unwrap();
    let time = |r: &Receipt| small.ledger.entry(r.index).unwrap().time;
    assert_eq!(time(&first), time(&earlier));
}

#[test]
fn receipts_verify_offline_and_each_changed_character_is_refused() {
    let mut small = Small::new();
    for n in 0..6 {
        small.note(&format!("note {n}"));
    }
    let key = small.ledger.log_key().clone();
    for index in 0..small.ledger.size() {
        let receipt = small.ledger.prove(index).unwrap();
        receipt.verify(&small.bytes(index), &key).unwrap();
    }
    let receipt = small.ledger.prove(3).unwrap();
    let record = small.bytes(3);
    let changed = |text: &str, at: usize, with: char| -> Option<String> {
        let old = text[at..].chars().next().unwrap();
        (old != with).then(|| format!("{}{with}{}", &text[..at], &text[at + old.len_utf8()..]))
    };
    let mut refused = 0;
    let fields: [fn(&mut Receipt) -> &mut String; 3] = [|r| &mut r.entry, |r| &mut r.salt, |r| &mut r.proof];
    for field in fields {
        let text = field(&mut receipt.clone()).clone();
        for (at, _) in text.char_indices() {
            for with in ['0', '1', 'A', 'B', '\n', ' '] {
                let Some(other) = changed(&text, at, with) else { continue };
                let mut wrong = receipt.clone();
                field(&mut wrong).clone_from(&other);
                assert!(wrong.verify(&record, &key).is_err(), "{text}\nbecame\n{other}");
                refused += 1;
            }
        }
    }
    assert!(refused > 2000, "{refused}");
    for index in [0, 2, 4, u64::MAX] {
        let mut wrong = receipt.clone();
        wrong.index = index;
        assert!(wrong.verify(&record, &key).is_err());
    }
    for at in 0..record.len() {
        let mut wrong = record.clone();
        wrong[at] ^= 1;
        assert_eq!(receipt.verify(&wrong, &key).unwrap_err().code(), "LEDGER_TAMPERED");
    }
    let other = Small::new();
    assert!(receipt.verify(&record, other.ledger.log_key()).is_err());
}

#[test]
fn other_code_reads_checkpoint_tiles_and_entries_of_a_grown_ledger() {
    use signed_note::{Note, StandardVerifier, VerifierList};
    let mut small = Small::new();
    let key = &small.keys["maker"];
    let records: Vec<_> =
        (0..300).map(|n| foreign(key, &sign(&note(&n.to_string()), key).unwrap().to_json(), &small)).collect();
    let now = small.tick();
    // over the edge of the first tile, by steps and at once
    for batch in [&records[..3], &records[3..254], &records[254..256], &records[256..]] {
        small.ledger.append_all(batch, now).unwrap();
    }
    let read = |name: &str| small::read(small.folder().join(name));

    let text = String::from_utf8(read("checkpoint")).unwrap();
    let verifier = StandardVerifier::new(&small.ledger.log_key().to_string()).unwrap();
    let opened = Note::from_bytes(text.as_bytes()).unwrap();
    opened.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines[0], lines[1]), (small::ORIGIN, "301"));

    // the root by hand, from the entries alone
    let mut leaves: Vec<tlog_tiles::Hash> = Vec::new();
    for name in ["tile/entries/000", "tile/entries/001.p/45"] {
        let bundle = read(name);
        let mut rest = bundle.as_slice();
        while let Some((length, tail)) = rest.split_first_chunk::<2>() {
            let (entry, tail) = tail.split_at(usize::from(u16::from_be_bytes(*length)));
            leaves.push(tlog_tiles::record_hash(entry));
            rest = tail;
        }
    }
    assert_eq!(leaves.len(), 301);
    assert_eq!(root(&leaves).to_string(), lines[2]);
    let hashes = |name: &str| -> Vec<tlog_tiles::Hash> {
        read(name).chunks(32).map(|c| tlog_tiles::Hash(c.try_into().unwrap())).collect()
    };
    assert_eq!(hashes("tile/0/000"), leaves[..256]);
    assert_eq!(hashes("tile/0/001.p/45"), leaves[256..]);
    assert_eq!(hashes("tile/1/000.p/1"), [root(&leaves[..256])]);
    let report = small.ledger.audit().unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
}

/// RFC 6962 section 2.1, with another implementation's node hash.
fn root(leaves: &[tlog_tiles::Hash]) -> tlog_tiles::Hash {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            tlog_tiles::node_hash(root(left), root(right))
        }
    }
}

#[test]
fn s006_a_release_id_given_twice_is_refused() {
    let mut world = World::new();
    let begin = |world: &mut World, artifact: &[u8], signer: &str| {
        let subject = ResourceDescriptor::of(Digest::sha256(artifact));
        let now = world.tick();
        release::begin(&mut world.ledger, RELEASE, world::PURL, vec![subject], &world.keys[signer], now)
    };
    begin(&mut world, b"first", "records").unwrap();
    assert_eq!(begin(&mut world, b"second", "records").unwrap_err().code(), "ALREADY_EXISTS");
    assert!(begin(&mut world, b"first", "records").unwrap().receipt.already_there, "the same again is a retry");

    // also by somebody who asks nobody before appending
    let again = Release {
        purl: "pkg:generic/other@1.0.0".to_owned(),
        package_id: None,
        release_id: Some(RELEASE.to_owned()),
        release_kind: None,
    };
    let statement = Statement::new(vec![ResourceDescriptor::of(Digest::sha256(b"third"))], &again).unwrap();
    assert_eq!(world.record("records", &statement).unwrap_err().code(), "ALREADY_EXISTS");
    // and within one batch
    let older = "https://in-toto.io/attestation/release/v0.1";
    let mut small = Small::with_policy(|policy, _| policy.signers[1].predicate_types.push(older.to_owned()));
    let key = &small.keys["maker"];
    let batch: Vec<_> = [b"a", b"b"]
        .iter()
        .map(|about| {
            let statement = of(
                Release::TYPE,
                *about,
                &serde_json::json!({
                "purl": "pkg:generic/x@1", "sealwright_releaseId": "x-1"}),
            );
            foreign(key, &sign(&statement, key).unwrap().to_json(), &small)
        })
        .collect();
    let now = small.now;
    assert_eq!(small.ledger.append_all(&batch, now).unwrap_err().code(), "ALREADY_EXISTS");
    assert_eq!(small.ledger.size(), 1);
    // and by a record of the older version of the type
    small.ledger.append(&batch[0], now).unwrap();
    let given = of(older, b"b", &serde_json::json!({"purl": "pkg:generic/x@1", "sealwright_releaseId": "x-1"}));
    assert_eq!(small.record("maker", &given).unwrap_err().code(), "ALREADY_EXISTS");
}

#[test]
fn s006_every_record_of_a_release_is_reachable_from_its_id() {
    let world = World::released(&artifact());
    let find = |set: &dyn Fn(&mut Query)| {
        let mut query = Query::everything();
        set(&mut query);
        world.ledger.search(&query).unwrap().records
    };
    // from the id to the records that carry it, from them to digests, changes and commits, from these to the rest
    let named = find(&|q| q.release = Some(RELEASE.to_owned()));
    let mut reached: BTreeSet<u64> = named.iter().map(|r| r.index).collect();
    let release = named.iter().find(|r| Release::reads(r.statement().predicate_type())).unwrap();
    for digest in release.statement().subjects().iter().flat_map(ResourceDescriptor::digests) {
        reached.extend(find(&|q| q.digest = Some(digest.to_string())).iter().map(|r| r.index));
    }
    let changes: BTreeSet<_> = named.iter().flat_map(|r| r.statement().tags().change).collect();
    assert!(!changes.is_empty());
    for change in changes {
        reached.extend(find(&|q| q.change = Some(change.clone())).iter().map(|r| r.index));
    }
    let all: BTreeSet<u64> = (1..world.ledger.size()).collect();
    assert_eq!(reached, all, "all but the trust policy");
}
