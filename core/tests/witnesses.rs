//! Witnesses: cosignatures, what a witness refuses, and ledgers that are cosigned.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod small;

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use sealwright::checkpoint::{
    Checkpoint, Cosignature, LogKeys, SignedCheckpoint, VerifierKey, WitnessKey, Witnesses, cosign,
};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{AuditFindingKind, Fork, LogSource, Witness, WitnessAnswer};
use sealwright::merkle::{Frontier, Hash, TileId, TileReader, consistency_proof, leaf_hash, root_of};
use sealwright::timestamp::Timestamp;
use sealwright::{Error, predicate};
use small::{ORIGIN, Small, copy, open, open_to_append};

const NAME: &str = "witness.example.org/w1";

fn ed25519() -> PrivateKey {
    PrivateKey::generate(KeyType::Ed25519).unwrap()
}

fn at(second: i64) -> Timestamp {
    small::start().plus_millis(second * 1000)
}

/// A log of leaves that are numbers, and forks of it from any size on.
struct Log {
    key: PrivateKey,
}

struct Shelf(std::collections::BTreeMap<TileId, Vec<Hash>>);

impl TileReader for Shelf {
    fn tile(&self, id: TileId) -> sealwright::Result<Vec<Hash>> {
        Ok(self.0[&id].clone())
    }
}

impl Log {
    fn new() -> Self {
        Self { key: ed25519() }
    }

    fn keys(&self) -> LogKeys {
        VerifierKey::new(ORIGIN, self.key.public().clone()).unwrap().into()
    }

    /// The first `size` leaves; from `fork` on those of another history.
    fn leaves(size: u64, fork: u64) -> Vec<Hash> {
        (0..size).map(|n| leaf_hash(&[&n.to_be_bytes()[..], if n < fork { b"" } else { b"other" }].concat())).collect()
    }

    fn checkpoint(&self, size: u64, fork: u64) -> SignedCheckpoint {
        let root = root_of(&Self::leaves(size, fork));
        SignedCheckpoint::sign(Checkpoint::new(ORIGIN, size, root).unwrap(), &self.key).unwrap()
    }

    fn proof(old: u64, size: u64, fork: u64) -> Vec<Hash> {
        let tiles = Frontier::default().grow(&Self::leaves(size, fork)).unwrap().tiles;
        if old == 0 { Vec::new() } else { consistency_proof(old, size, &Shelf(tiles.into_iter().collect())).unwrap() }
    }

    fn request(&self, old: u64, size: u64, fork: u64) -> String {
        let mut body = format!("old {old}\n");
        for hash in Self::proof(old, size, fork) {
            body.push_str(&format!("{hash}\n"));
        }
        body + "\n" + self.checkpoint(size, fork).note()
    }
}

const NEVER: u64 = u64::MAX;

fn witness(folder: &Path) -> Witness {
    Witness::open(folder, NAME, ed25519()).unwrap()
}

fn answer(witness: &Witness, request: &str, second: i64) -> WitnessAnswer {
    witness.add_checkpoint(request.as_bytes(), at(second)).unwrap()
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("ok", |e| e.code())
}

#[test]
fn a_cosignature_is_of_one_checkpoint_one_witness_and_one_time() {
    let log = Log::new();
    let (key, other) = (ed25519(), ed25519());
    let named = |key: &PrivateKey| WitnessKey::new(NAME, key.public().clone()).unwrap();
    let checkpoint = log.checkpoint(5, NEVER);
    let line = cosign(&checkpoint, NAME, &key, at(7)).unwrap();
    let cosigned = checkpoint.with_cosignatures(&line, &[named(&key)]).unwrap();
    assert_eq!(cosigned.note(), format!("{}{line}", checkpoint.note()));
    assert_eq!(cosigned.log_note(), checkpoint.note());
    let found = cosigned.cosignatures(&[named(&key), named(&other)]).unwrap();
    assert_eq!(found.iter().map(|c: &Cosignature| (c.witness.as_str(), c.at)).collect::<Vec<_>>(), [(NAME, at(7))]);
    // whoever does not know the witness reads past it, and the log's own key is no witness
    assert!(cosigned.cosignatures(&[named(&other)]).unwrap().is_empty());
    let log_as_witness = WitnessKey::new(ORIGIN, log.key.public().clone()).unwrap();
    assert!(cosigned.cosignatures(&[log_as_witness]).unwrap().is_empty());
    let read = log.keys().parse_and_verify(cosigned.note().as_bytes()).unwrap();
    assert_eq!(read, cosigned);
    // of two of one witness the newer one stays
    for (second, stays) in [(3, 7), (9, 9)] {
        let again = cosign(&checkpoint, NAME, &key, at(second)).unwrap();
        let both = cosigned.with_cosignatures(&again, &[named(&key)]).unwrap();
        assert_eq!(both.cosignatures(&[named(&key)]).unwrap()[0].at, at(stays));
        assert_eq!(both.note().lines().count(), cosigned.note().lines().count());
    }
    // one of another checkpoint, and one whose time was changed
    let larger = log.checkpoint(6, NEVER);
    assert_eq!(code(larger.with_cosignatures(&line, &[named(&key)])), "BAD_SIGNATURE");
    let mut bytes = STANDARD.decode(line.trim_end().rsplit_once(' ').unwrap().1).unwrap();
    bytes[11] ^= 1;
    let changed = format!("— {NAME} {}\n", STANDARD.encode(bytes));
    assert_eq!(code(checkpoint.with_cosignatures(&changed, &[named(&key)])), "BAD_SIGNATURE");
    let note = format!("{}{changed}", checkpoint.note());
    let read = log.keys().parse_and_verify(note.as_bytes()).unwrap();
    assert_eq!(code(read.cosignatures(&[named(&key)])), "BAD_SIGNATURE");
    // one key that signs under two names is one witness
    let twin = WitnessKey::new("witness.example.org/twin", key.public().clone()).unwrap();
    let again = cosign(&checkpoint, twin.name(), &key, at(7)).unwrap();
    let both = cosigned.with_cosignatures(&again, &[named(&key), twin.clone()]).unwrap();
    assert_eq!(both.note(), format!("{}{again}", cosigned.note()));
    assert_eq!(both.cosignatures(&[named(&key), twin.clone()]).unwrap().len(), 1);
    assert_eq!(code(Witnesses::all(vec![named(&key), twin])), "API_MISUSE");
    let other = WitnessKey::new("witness.example.org/other", other.public().clone()).unwrap();
    for (quorum, expected) in [(1, "ok"), (2, "BAD_CHECKPOINT")] {
        let witnesses = Witnesses::new(vec![named(&key), other.clone()], quorum).unwrap();
        assert_eq!(code(witnesses.check(&both)), expected);
    }
}

#[test]
fn every_changed_byte_of_a_cosignature_is_refused_or_of_nobody() {
    let log = Log::new();
    let key = ed25519();
    let known = [WitnessKey::new(NAME, key.public().clone()).unwrap()];
    let checkpoint = log.checkpoint(3, NEVER);
    let line = cosign(&checkpoint, NAME, &key, at(1)).unwrap();
    for place in 0..line.len() {
        for to in (0..=255u8).step_by(3).chain(*b"\n +=A9") {
            let mut changed = line.clone().into_bytes();
            if changed[place] == to {
                continue;
            }
            changed[place] = to;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            match checkpoint.with_cosignatures(&changed, &known) {
                Ok(kept) => assert!(kept.cosignatures(&known).unwrap().is_empty(), "byte {place} to {to}"),
                Err(e) => assert!(matches!(e.code(), "BAD_SIGNATURE" | "MALFORMED"), "{e:?}"),
            }
        }
    }
}

#[test]
fn verifier_keys_of_witnesses_are_of_type_4_and_of_no_other() {
    let key = ed25519();
    let witness = WitnessKey::new(NAME, key.public().clone()).unwrap();
    assert_eq!(witness.to_string().parse::<WitnessKey>().unwrap(), witness);
    let log = VerifierKey::new(NAME, key.public().clone()).unwrap();
    assert_eq!(code(log.to_string().parse::<WitnessKey>()), "UNSUPPORTED");
    assert_eq!(code(witness.to_string().parse::<VerifierKey>()), "UNSUPPORTED");
    assert_eq!(code("witness+00000000+BAAA".parse::<WitnessKey>()), "MALFORMED");
    assert_eq!(code(WitnessKey::new("a b", key.public().clone())), "MALFORMED");
    let p256 = PrivateKey::generate(KeyType::P256).unwrap();
    assert_eq!(code(WitnessKey::new(NAME, p256.public().clone())), "UNSUPPORTED");
}

#[test]
fn openssl_verifies_our_cosignatures() {
    if Command::new("openssl").arg("version").output().is_err() {
        eprintln!("not run, no openssl command");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (log, key) = (Log::new(), ed25519());
    let checkpoint = log.checkpoint(9, NEVER);
    let line = cosign(&checkpoint, NAME, &key, at(0)).unwrap();
    let bytes = STANDARD.decode(line.trim_end().rsplit_once(' ').unwrap().1).unwrap();
    let time = u64::from_be_bytes(bytes[4..12].try_into().unwrap());
    assert_eq!(i64::try_from(time).unwrap(), at(0).unix_seconds());
    let text = format!("cosignature/v1\ntime {time}\n{}", checkpoint.checkpoint().body());
    std::fs::write(dir.path().join("body"), text).unwrap();
    std::fs::write(dir.path().join("signature"), &bytes[12..]).unwrap();
    std::fs::write(dir.path().join("key.pub"), key.public().to_pem()).unwrap();
    let arguments = "pkeyutl -verify -pubin -inkey key.pub -rawin -in body -sigfile signature";
    let out = Command::new("openssl").args(arguments.split(' ')).current_dir(dir.path()).output().unwrap();
    assert!(out.status.success(), "{out:?}");
}

#[test]
fn a_witness_answers_as_the_protocol_says() {
    let dir = small::tempdir();
    let (log, witness) = (Log::new(), witness(dir.path()));
    assert_eq!(answer(&witness, &log.request(0, 3, NEVER), 0).status, 404);
    witness.trust_log(&log.keys()).unwrap();

    let first = answer(&witness, &log.request(0, 3, NEVER), 1);
    assert_eq!((first.status, first.content_type), (200, "text/plain; charset=utf-8"));
    let own = [witness.key().clone()];
    let cosigned = log.checkpoint(3, NEVER).with_cosignatures(&first.body, &own).unwrap();
    assert_eq!(cosigned.cosignatures(&own).unwrap()[0].at, at(1));
    assert_eq!(witness.checkpoint(ORIGIN).unwrap().unwrap(), cosigned);

    // the size it has is told to whoever guesses another
    for old in [0, 2] {
        let conflict = answer(&witness, &log.request(old, 8, NEVER), 2);
        assert_eq!((conflict.status, conflict.content_type), (409, "text/x.tlog.size"));
        assert_eq!(conflict.body, "3\n");
    }
    assert_eq!(answer(&witness, &log.request(3, 8, NEVER), 3).status, 200);
    // the same once more is cosigned once more, which is how a checkpoint stays fresh
    assert_eq!(answer(&witness, &log.request(8, 8, NEVER), 4).status, 200);
    assert_eq!(witness.checkpoint(ORIGIN).unwrap().unwrap().cosignatures(&own).unwrap()[0].at, at(4));

    let good = log.request(8, 9, NEVER);
    let (_, checkpoint) = good.split_once("\n\n").unwrap();
    let hash = leaf_hash(b"");
    for (status, request) in [
        (400, format!("old 10\n\n{checkpoint}")),
        (400, format!("old 08\n\n{checkpoint}")),
        (400, format!("old -1\n\n{checkpoint}")),
        (400, format!("size 8\n\n{checkpoint}")),
        (400, format!("old 8\nnothash\n\n{checkpoint}")),
        (400, format!("old 8\n{}\n{checkpoint}", format!("{hash}\n").repeat(64))),
        (400, format!("old 8\n{}", "x".repeat(200_000))),
        (400, "old 8\n".to_owned()),
        (422, format!("old 8\n\n{checkpoint}")),
        (422, format!("old 8\n{hash}\n\n{checkpoint}")),
        (422, log.request(8, 9, 4)),
        (422, log.request(8, 8, 4)),
        (403, good.replace("org/small\n9\n", "org/small\n10\n")),
        (403, Log::new().request(8, 9, NEVER)),
        (404, good.replace(ORIGIN, "example.org/other")),
    ] {
        let refused = answer(&witness, &request, 5);
        assert_eq!(refused.status, status, "{request}\n{}", refused.body);
        assert!(!refused.body.contains("— "), "{}", refused.body);
    }
    assert_eq!(witness.checkpoint(ORIGIN).unwrap().unwrap().checkpoint().size(), 8);
    assert_eq!(answer(&witness, &good, 6).status, 200);
    // from nothing to something no proof is needed, and none is taken
    let dir = small::tempdir();
    let fresh = self::witness(dir.path());
    fresh.trust_log(&log.keys()).unwrap();
    let (_, checkpoint) = good.split_once("\n\n").unwrap();
    assert_eq!(answer(&fresh, &format!("old 0\n{hash}\n\n{checkpoint}"), 7).status, 422);
    assert!(fresh.checkpoint(ORIGIN).unwrap().is_none());
}

#[test]
fn a_witness_keeps_the_proof_of_two_histories_and_goes_on_with_the_one_it_knows() {
    let dir = small::tempdir();
    let (log, witness) = (Log::new(), witness(dir.path()));
    witness.trust_log(&log.keys()).unwrap();
    assert_eq!(answer(&witness, &log.request(0, 6, NEVER), 0).status, 200);
    assert_eq!(answer(&witness, &log.request(6, 6, 2), 1).status, 422);
    let kept: Vec<_> = small::files(dir.path()).into_iter().filter(|name| name.contains("/forks/")).collect();
    let [proof] = kept.as_slice() else { panic!("{kept:?}") };
    let fork = Fork::parse_and_verify(&small::read(dir.path().join(proof)), &log.keys()).unwrap();
    assert_eq!(fork.smaller().checkpoint().size(), fork.larger().checkpoint().size());
    assert_ne!(fork.smaller().checkpoint().root(), fork.larger().checkpoint().root());
    assert_eq!(answer(&witness, &log.request(6, 7, NEVER), 2).status, 200);
}

#[test]
fn a_witness_whose_memory_was_changed_does_not_cosign() {
    let dir = small::tempdir();
    let (log, witness) = (Log::new(), witness(dir.path()));
    witness.trust_log(&log.keys()).unwrap();
    assert_eq!(answer(&witness, &log.request(0, 6, NEVER), 0).status, 200);
    let memory = small::files(dir.path()).into_iter().find(|name| name.ends_with("/checkpoint")).unwrap();
    // an older one of the log, which another witness cosigned
    let older = log.checkpoint(2, NEVER);
    std::fs::write(dir.path().join(&memory), older.note()).unwrap();
    let refused = witness.add_checkpoint(log.request(2, 6, 2).as_bytes(), at(1)).unwrap_err();
    assert_eq!(refused.code(), "LEDGER_TAMPERED");
}

#[test]
fn other_keys_of_a_known_log_are_refused() {
    let dir = small::tempdir();
    let (log, witness) = (Log::new(), witness(dir.path()));
    witness.trust_log(&log.keys()).unwrap();
    witness.trust_log(&log.keys()).unwrap();
    assert_eq!(code(witness.trust_log(&Log::new().keys())), "LEDGER_FORKED");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is sent, the witness answers as the protocol says and cosigns nothing.
    #[test]
    fn a_hostile_request_is_answered_and_never_cosigned(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        cut in any::<prop::sample::Index>(),
        flip in any::<prop::sample::Index>(),
    ) {
        let dir = small::tempdir();
        let (log, witness) = (Log::new(), witness(dir.path()));
        witness.trust_log(&log.keys()).unwrap();
        let good = log.request(0, 5, NEVER).into_bytes();
        let mut flipped = good.clone();
        flipped[flip.index(good.len())] ^= 1;
        let cut = good[..cut.index(good.len())].to_vec();
        let behind = [&b"old 0\n\n"[..], &bytes].concat();
        for request in [bytes, flipped, cut, behind] {
            let answer = witness.add_checkpoint(&request, at(0)).unwrap();
            prop_assert!([400, 403, 404, 409, 422].contains(&answer.status), "{}", answer.status);
            prop_assert!(answer.body.len() < 1000);
        }
        prop_assert!(witness.checkpoint(ORIGIN).unwrap().is_none());
    }

    /// Two histories of one log, offered in any order: never are both cosigned beyond where they part.
    #[test]
    fn s003_a_witness_never_cosigns_two_histories(
        fork in 1u64..12,
        offers in prop::collection::vec((0u64..20, any::<bool>()), 1..24),
    ) {
        let dir = small::tempdir();
        let (log, witness) = (Log::new(), witness(dir.path()));
        witness.trust_log(&log.keys()).unwrap();
        let mut known = 0;
        let mut side = None;
        for (second, (more, other)) in (0..).zip(offers) {
            let size = known + more % 4;
            if size == 0 {
                continue;
            }
            let from = if other { fork } else { NEVER };
            let answer = answer(&witness, &log.request(known, size, from), second);
            // past the fork it stays on the side it was on
            let may = known <= fork || side == Some(other) || known == 0;
            if may {
                prop_assert_eq!(answer.status, 200, "{} to {}: {}", known, size, answer.body);
                known = size;
                side = (size > fork).then_some(other);
            } else {
                prop_assert_eq!(answer.status, 422);
            }
        }
    }
}

/// A ledger whose trust policy lists witnesses, of whom so many are needed.
fn witnessed(witnesses: &[&PrivateKey], quorum: u64) -> Small {
    let listed: Vec<_> = (1..).zip(witnesses).map(|(number, key)| predicate_witness(number, key)).collect();
    Small::with_policy(move |policy, _| {
        policy.witnesses = listed;
        policy.quorum = quorum;
    })
}

fn name(number: usize) -> String {
    format!("witness.example.org/w{number}")
}

fn predicate_witness(number: usize, key: &PrivateKey) -> predicate::Witness {
    let key = WitnessKey::new(name(number), key.public().clone()).unwrap();
    predicate::Witness { name: key.name().to_owned(), key: key.to_string() }
}

/// A private key once more; they are never copied.
fn again(key: &PrivateKey) -> PrivateKey {
    PrivateKey::from_pem(key.to_pem().unwrap().as_bytes(), None).unwrap()
}

#[test]
fn cosignatures_are_kept_and_carried_by_receipts_and_seen_by_other_processes() {
    let keys = [ed25519(), ed25519()];
    let mut small = witnessed(&[&keys[0], &keys[1]], 2);
    let witnesses: Vec<_> = small.ledger.trust_policy().unwrap().witnesses().to_vec();
    small.note("one");
    assert!(!small.ledger.witnessed().unwrap().has_quorum());
    assert!(!small.ledger.witnessed().unwrap().is_fresh(small.now));
    let mut elsewhere = open(small.dir.path()).unwrap();
    for (number, key) in (1..).zip(&keys) {
        let memory = small.dir.path().join(format!("witness-{number}"));
        let witness = Witness::open(&memory, &name(number), again(key)).unwrap();
        let known = small.ledger.log_key().clone();
        let cosigned = witness.cosign(&LogSource::folder(small.folder()), Some(&known), small.now).unwrap();
        assert_eq!(small.ledger.keep_cosigned(cosigned.note().as_bytes()).unwrap().len(), number);
    }
    let now = small.ledger.witnessed().unwrap();
    assert_eq!((now.size, now.cosignatures.len(), now.quorum), (2, 2, 2));
    assert!(now.has_quorum() && now.is_fresh(small.now.plus_millis(300_000)));
    assert!(!now.is_fresh(small.now.plus_millis(301_000)) && !now.is_fresh(small.now.plus_millis(-301_000)));
    elsewhere.refresh().unwrap();
    assert_eq!(elsewhere.witnessed().unwrap(), now);
    let receipt = small.ledger.prove(1).unwrap();
    let keys_of_log = small.ledger.log_keys().clone();
    let checkpoint = receipt.verify_with(&small.bytes(1), &keys_of_log).unwrap();
    assert_eq!(checkpoint.cosignatures(&witnesses).unwrap().len(), 2);
    assert!(small.ledger.audit().unwrap().is_clean(), "{:?}", small.ledger.audit());

    // the next checkpoint is another one, and what was said of this one stays
    small.note("two");
    assert!(small.ledger.witnessed().unwrap().cosignatures.is_empty());
    assert!(small::read(small.folder().join("checkpoints/002")).len() > 300);
    assert!(small.ledger.audit().unwrap().is_clean());
    assert!(open(small.dir.path()).unwrap().audit().unwrap().is_clean());
}

#[test]
fn a_cosigned_checkpoint_that_comes_late_is_kept_by_its_size() {
    let key = ed25519();
    let mut small = witnessed(&[&key], 1);
    let early = small.ledger.checkpoint().clone();
    small.note("one");
    let witnesses = small.ledger.trust_policy().unwrap().witnesses().to_vec();
    let line = cosign(&early, &name(1), &key, small.now).unwrap();
    let cosigned = early.with_cosignatures(&line, &witnesses).unwrap();
    assert_eq!(small.ledger.keep_cosigned(cosigned.note().as_bytes()).unwrap().len(), 1);
    assert!(small.ledger.witnessed().unwrap().cosignatures.is_empty(), "the newest one was not cosigned");
    assert!(small.folder().join("checkpoints/001").is_file());
    assert!(small.ledger.audit().unwrap().is_clean());
    // of nobody known, of nobody at all, and of another log
    let stranger = ed25519();
    let line = cosign(&early, "stranger.example.org", &stranger, small.now).unwrap();
    let by_stranger = format!("{}{line}", early.note());
    assert_eq!(code(small.ledger.keep_cosigned(by_stranger.as_bytes())), "NOT_FOUND");
    assert_eq!(code(small.ledger.keep_cosigned(early.note().as_bytes())), "NOT_FOUND");
    let other = Small::new();
    assert_eq!(code(small.ledger.keep_cosigned(other.ledger.checkpoint().note().as_bytes())), "BAD_SIGNATURE");
}

#[test]
fn s002_every_changed_byte_of_what_witnesses_said_is_named() {
    let key = ed25519();
    let mut small = witnessed(&[&key], 1);
    small.note("one");
    let witnesses = small.ledger.trust_policy().unwrap().witnesses().to_vec();
    let checkpoint = small.ledger.checkpoint().clone();
    let line = cosign(&checkpoint, &name(1), &key, small.now).unwrap();
    small.ledger.keep_cosigned(checkpoint.with_cosignatures(&line, &witnesses).unwrap().note().as_bytes()).unwrap();
    small.note("two");
    let cosigned = small.ledger.checkpoint().clone();
    let line = cosign(&cosigned, &name(1), &key, small.now).unwrap();
    small.ledger.keep_cosigned(cosigned.with_cosignatures(&line, &witnesses).unwrap().note().as_bytes()).unwrap();
    assert!(small.ledger.audit().unwrap().is_clean());
    let mut changes = 0;
    for name in ["checkpoint", "checkpoints/002", "checkpoints/003"] {
        let path = small.folder().join(name);
        let right = small::read(&path);
        for place in 0..right.len() {
            let mut wrong = right.clone();
            wrong[place] ^= 1 << (place % 7);
            std::fs::write(&path, &wrong).unwrap();
            let named = open(small.dir.path()).and_then(|mut ledger| ledger.audit());
            assert!(named.map_or(true, |report| !report.is_clean()), "{name}, byte {place}");
            changes += 1;
        }
        std::fs::write(&path, &right).unwrap();
    }
    assert!(changes > 900, "{changes}");
    std::fs::write(small.folder().join("checkpoints/004"), "x").unwrap();
    let report = open(small.dir.path()).unwrap().audit().unwrap();
    assert_eq!(report.findings.iter().map(|f| f.kind).collect::<Vec<_>>(), [AuditFindingKind::CheckpointTampered]);
}

/// Two histories of one ledger by somebody who holds its log key; at most one of them gets the quorum.
#[test]
fn s003_of_two_forks_of_one_size_at_most_one_has_the_quorum() {
    let keys = [ed25519(), ed25519(), ed25519()];
    let mut small = witnessed(&[&keys[0], &keys[1], &keys[2]], 2);
    small.note("what both have");
    let other = small::tempdir();
    copy(small.dir.path(), other.path());
    let known = small.ledger.log_key().clone();
    small.note("what one shows");
    let mut forked = open_to_append(other.path()).unwrap();
    let now = small.now;
    forked.record_statement(&small::note("what the other shows"), &small.keys["maker"], now).unwrap();
    assert_eq!(forked.size(), small.ledger.size());
    assert_ne!(forked.checkpoint().checkpoint().root(), small.ledger.checkpoint().checkpoint().root());

    let memories = small::tempdir();
    let mut quorums = 0;
    let mut refusals = 0;
    // each order in which three witnesses may be shown the two
    for (turn, shown_first) in [[true, true, false], [false, false, true], [true, false, true]].iter().enumerate() {
        let mut sides = [small.ledger.checkpoint().clone(), forked.checkpoint().clone()];
        for (number, (key, good_first)) in (1..).zip(keys.iter().zip(shown_first)) {
            let memory = memories.path().join(format!("{turn}-{number}"));
            let witness = Witness::open(&memory, &name(number), again(key)).unwrap();
            let folders = [small.folder(), other.path().join("ledger")];
            for side in if *good_first { [0, 1] } else { [1, 0] } {
                match witness.cosign(&LogSource::folder(&folders[side]), Some(&known), now) {
                    Ok(cosigned) => {
                        let lines = cosigned.note().rsplit("\n\n").next().unwrap();
                        sides[side] = sides[side].with_cosignatures(lines, &[witness.key().clone()]).unwrap();
                    }
                    Err(e) => {
                        assert_eq!(e.code(), "LEDGER_FORKED");
                        let names = small::files(&memory);
                        assert_eq!(names.iter().filter(|name| name.contains("/forks/")).count(), 1, "{names:?}");
                        refusals += 1;
                    }
                }
            }
        }
        let witnesses = small.ledger.trust_policy().unwrap().witnesses().to_vec();
        let have = sides.map(|side| side.cosignatures(&witnesses).unwrap().len() >= 2);
        assert!(!(have[0] && have[1]), "both have the quorum");
        quorums += usize::from(have[0]) + usize::from(have[1]);
    }
    assert_eq!((quorums, refusals), (3, 9));
}

#[test]
fn trust_policies_name_witnesses_by_keys_that_are_theirs() {
    let key = ed25519();
    let good = predicate_witness(1, &key);
    let log_type = VerifierKey::new(name(1), key.public().clone()).unwrap().to_string();
    for witnesses in [
        vec![predicate::Witness { key: log_type, ..good.clone() }],
        vec![predicate::Witness { name: "another.example.org".to_owned(), ..good.clone() }],
        vec![good.clone(), predicate_witness(2, &key)],
        vec![good.clone(), predicate_witness(1, &ed25519())],
    ] {
        let small = Small::new();
        let mut policy = small.policy.clone();
        policy.quorum = 1;
        policy.witnesses = witnesses;
        assert_eq!(code(sealwright::trust_policy::statement(&policy)), "TRUST_POLICY_REFUSED");
    }
}

#[test]
fn a_proof_of_a_fork_convinces_nobody_unless_it_is_one() {
    let log = Log::new();
    let (one, other) = (log.checkpoint(6, NEVER), log.checkpoint(6, 3));
    let wire = |a: &SignedCheckpoint, b: &SignedCheckpoint| serde_json::json!({ "v": "sealwright-fork/v1", "origin": ORIGIN, "checkpoints": [a.note(), b.note()] });
    let read = |value: &serde_json::Value| Fork::parse_and_verify(&serde_json::to_vec(value).unwrap(), &log.keys());
    read(&wire(&one, &other)).unwrap();
    assert_eq!(code(read(&wire(&one, &one))), "EXPECTATION_UNMET");
    assert_eq!(code(read(&wire(&one, &log.checkpoint(9, NEVER)))), "EXPECTATION_UNMET");
    let foreign = Log::new().checkpoint(6, 3);
    assert_eq!(code(read(&wire(&one, &foreign))), "BAD_SIGNATURE");
    // of two sizes: the root that the larger tree had, with the proof of that
    let larger = log.checkpoint(9, 3);
    let mut of_two = wire(&one, &larger);
    of_two["rootThen"] = root_of(&Log::leaves(6, 3)).to_string().into();
    of_two["proof"] = Log::proof(6, 9, 3).iter().map(ToString::to_string).collect::<Vec<_>>().into();
    read(&of_two).unwrap();
    of_two["rootThen"] = one.checkpoint().root().to_string().into();
    assert_eq!(code(read(&of_two)), "EXPECTATION_UNMET");
    of_two["rootThen"] = leaf_hash(b"any").to_string().into();
    assert_eq!(code(read(&of_two)), "EXPECTATION_UNMET");
}
