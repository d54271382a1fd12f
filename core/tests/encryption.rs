//! Encryption at rest: what is readable without the key, what happens with a wrong one, and rotation.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod small;
mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealwright::digest::Digest;
use sealwright::encryption::{KeyEncryptionKey, KeyFile};
use sealwright::error::Result;
use sealwright::ledger::{Anchors, AuditFindingKind, Ledger, LedgerRecord, Pins, Query};
use sealwright::predicate::{PredicateType as _, Provenance, TestKind, TestOutcome};
use sealwright::statement::Statement;
use small::{copy, files, read};
use world::{CHANGE, COMMIT, RELEASE, World, artifact};
use zeroize::Zeroizing;

/// A world whose ledger is encrypted under this key, or plain.
fn world(kek: Option<&KeyFile>) -> World {
    let mut world = World::encrypted_with(kek);
    world.build(&artifact());
    world.go(&artifact(), &world::dev());
    world.ledger.attach(RAW_REPORT).unwrap();
    world
}

/// A type nobody knows, which the signer `records` may say.
const NOTE: &str = "https://example.org/attestation/something-else/v1";
const RAW_REPORT: &[u8] = b"planted-raw-report: 3 tests, all of them passed";

/// Everything about the records that must not be found: words of theirs, and digests that could be computed by whoever
/// guesses what they say.
fn guesses(world: &World) -> BTreeMap<String, Vec<u8>> {
    let mut guesses = BTreeMap::new();
    for (what, text) in [
        ("release", RELEASE),
        ("change", CHANGE),
        ("service", "pkg:generic/shop"),
        ("commit", COMMIT),
        ("title", "Show prices with tax"),
        ("person", "Ada Example"),
        ("component", "leftpad"),
        ("environment", "urn:example:env:dev"),
        ("type", Provenance::TYPE),
        ("type of ours", "https://sealwright.dev/attestation/change-request/v0.1"),
        ("kind", "build.provenance"),
        ("report", "planted-raw-report"),
    ] {
        guesses.insert(what.to_owned(), text.as_bytes().to_vec());
    }
    let forms = |what: &str, digest: &Digest| {
        let mut forms = BTreeMap::new();
        for (form, bytes) in [
            ("hex", digest.hex().into_bytes()),
            ("bytes", digest.bytes().to_vec()),
            ("base64", STANDARD.encode(digest.bytes()).into_bytes()),
        ] {
            forms.insert(format!("{what} in {form}"), bytes);
        }
        forms
    };
    guesses.extend(forms("artifact", &artifact()));
    guesses.extend(forms("raw report", &Digest::sha256(RAW_REPORT)));
    // the digest of version 1 of the trust policy is pinned outside, and holds keys that nobody guesses
    for index in 1..world.ledger.size() {
        let record = world.ledger.record(index).unwrap();
        guesses.extend(forms(&format!("payload {index}"), &record.statement().payload_digest()));
        guesses.extend(forms(&format!("record {index}"), &Digest::sha256(record.verified.record())));
        guesses.insert(format!("signer {index}"), record.speaker.identity.clone().into_bytes());
    }
    guesses
}

/// What is found in the bytes and in the names of all files below a folder.
fn found(folder: &Path, guesses: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let mut found = Vec::new();
    for name in files(folder) {
        let bytes = [name.as_bytes(), b"\n", &read(folder.join(&name))].concat();
        for (what, guess) in guesses {
            if bytes.windows(guess.len()).any(|window| window == guess) {
                found.push(format!("{what} in {name}"));
            }
        }
    }
    found
}

#[test]
fn nothing_of_a_record_is_readable_without_the_key_and_all_of_it_is_in_a_plain_ledger() {
    let plain = world(None);
    plain.ledger.search(&Query::everything()).unwrap();
    let wanted = guesses(&plain);
    let seen = found(plain.dir.path(), &wanted);
    for what in wanted.keys().filter(|what| !what.ends_with("bytes") && !what.starts_with("record ")) {
        let told = seen.iter().any(|s| s.starts_with(&format!("{what} in ")));
        // in base64 a digest stands only within records, which are base64 themselves
        assert!(told || what.ends_with("base64") || is_within_payloads(what), "{what} is not found in a plain ledger");
    }

    let kek = KeyFile::generate().unwrap();
    let sealed = world(Some(&kek));
    let mut query = Query::everything();
    query.release = Some(RELEASE.to_owned());
    assert!(!sealed.ledger.search(&query).unwrap().records.is_empty());
    std::fs::write(sealed.dir.path().join("kek.json"), kek.to_bytes(None).unwrap()).unwrap();
    let wanted = guesses(&sealed);
    assert!(wanted.len() > 80, "{}", wanted.len());
    assert_eq!(found(sealed.dir.path(), &wanted), Vec::<String>::new());
}

/// What a plain ledger holds only in records, whose payload is base64.
fn is_within_payloads(what: &str) -> bool {
    ["title", "person", "component"].contains(&what)
}

/// Whether a record answers a query, by what it says alone.
fn answers(record: &LedgerRecord, query: &Query) -> bool {
    let tags = record.statement().tags();
    let text = String::from_utf8(record.statement().payload().to_vec()).unwrap();
    let has = |values: &[String], wanted: &Option<String>| wanted.as_ref().is_none_or(|value| values.contains(value));
    has(&tags.release, &query.release)
        && has(&tags.subject, &query.digest)
        && has(&tags.kind, &query.kind)
        && query.predicate_type.as_deref().is_none_or(|t| t == record.statement().predicate_type())
        && query.commit.as_ref().is_none_or(|commit| text.contains(&format!("\"gitCommit\":\"{commit}\"")))
}

#[test]
fn an_encrypted_ledger_is_searched_audited_and_packed_as_a_plain_one() {
    let kek = KeyFile::generate().unwrap();
    let mut world = world(Some(&kek));
    let report = world.ledger.audit().unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    let mut query = Query::everything();
    let all: Vec<_> = (0..world.ledger.size()).map(|index| world.ledger.record(index).unwrap()).collect();
    for (set, count) in [
        ((|q: &mut Query| q.release = Some(RELEASE.to_owned())) as fn(&mut Query), 4),
        (|q| q.commit = Some(COMMIT.to_owned()), 3),
        (|q| q.digest = Some(artifact().to_string()), 9),
        (|q| q.predicate_type = Some(Provenance::TYPE.to_owned()), 1),
        (|q| q.kind = Some("build.provenance".to_owned()), 1),
        (|q| q.release = Some("another".to_owned()), 0),
    ] {
        set(&mut query);
        let records = world.ledger.search(&query).unwrap().records;
        assert_eq!(records.len(), count, "{query:?}");
        // by reading one after the other, without index and labels
        let scanned: Vec<u64> =
            all.iter().filter(|record| answers(record, &query)).map(|record| record.index).collect();
        assert_eq!(records.iter().map(|record| record.index).collect::<Vec<_>>(), scanned, "{query:?}");
        query = Query::everything();
    }
    // a repetition is known as one, also to another process and without an index
    let before = world.ledger.size();
    let statement = world.ledger.record(3).unwrap().statement().clone();
    let again = world.record("builder", &statement).unwrap();
    assert!(again.already_there && world.ledger.size() == before);
    assert_eq!(world.ledger.attachment(&Digest::sha256(RAW_REPORT)).unwrap(), RAW_REPORT);
    assert_eq!(world.ledger.attachment(&Digest::sha256(b"none")).unwrap_err().code(), "NOT_FOUND");
}

#[test]
fn a_wrong_key_and_no_key_are_told_as_such() {
    let (kek, other) = (KeyFile::generate().unwrap(), KeyFile::generate().unwrap());
    let world = world(Some(&kek));
    let open = |kek: &KeyFile| Ledger::open_encrypted(&world.folder(), &world.anchors(), &Pins::none(), kek);
    assert_eq!(open(&kek).unwrap().size(), world.ledger.size());
    assert_eq!(open(&other).unwrap_err().code(), "WRONG_KEY");
    let none = Ledger::open(&world.folder(), &world.anchors(), &Pins::none()).unwrap_err();
    assert_eq!(none.code(), "WRONG_KEY");
    let plain = self::world(None);
    let given = Ledger::open_encrypted(&plain.folder(), &plain.anchors(), &Pins::none(), &kek).unwrap_err();
    assert_eq!(given.code(), "WRONG_KEY");
}

#[test]
fn a_ledger_that_calls_itself_plain_does_not_open_as_one() {
    let kek = KeyFile::generate().unwrap();
    let world = world(Some(&kek));
    let config = world.folder().join("ledger.json");
    let text = String::from_utf8(read(&config)).unwrap();
    std::fs::write(&config, text.replace(r#""encryption":"sealwright-sealed/v1","#, "")).unwrap();
    assert_ne!(text, String::from_utf8(read(&config)).unwrap());
    assert!(Ledger::open(&world.folder(), &world.anchors(), &Pins::none()).is_err());
    assert!(Ledger::open_encrypted(&world.folder(), &world.anchors(), &Pins::none(), &kek).is_err());
    let fresh = Anchors::in_folder(world.dir.path().join("fresh"));
    assert!(Ledger::open(&world.folder(), &fresh, &Pins::none()).is_err());
}

#[test]
fn changed_ciphertext_and_swapped_headers_are_refused() {
    let kek = KeyFile::generate().unwrap();
    let world = world(Some(&kek));
    let attachment = files(&world.folder()).into_iter().find(|n| n.starts_with("keys/attachments/")).unwrap();
    for (name, with) in [
        ("bodies/003", None),
        ("keys/bodies/003", None),
        ("bodies/003", Some("bodies/004")),
        ("keys/bodies/003", Some("keys/bodies/004")),
        ("keys/bodies/003", Some(attachment.as_str())),
    ] {
        let changed = tempfile::tempdir().unwrap();
        copy(world.dir.path(), changed.path());
        let path = changed.path().join("ledger").join(name);
        let mut bytes = read(with.map_or(path.clone(), |with| changed.path().join("ledger").join(with)));
        if with.is_none() {
            let last = bytes.len() - 5;
            bytes[last] ^= 1;
        }
        std::fs::write(&path, bytes).unwrap();
        let anchors = Anchors::in_folder(changed.path().join("state"));
        let folder = changed.path().join("ledger");
        let mut ledger = Ledger::open_encrypted(&folder, &anchors, &Pins::none(), &kek).unwrap();
        assert_eq!(ledger.record(3).unwrap_err().code(), "LEDGER_TAMPERED", "{name} {with:?}");
        let kinds: Vec<_> =
            ledger.audit().unwrap().findings.iter().map(|f| format!("{:?} {}", f.kind, f.place)).collect();
        assert!(kinds.contains(&"BodyTampered entry 3".to_owned()), "{name}: {kinds:?}");
    }
}

#[test]
fn a_header_that_opens_nothing_of_the_ledger_is_named() {
    let kek = KeyFile::generate().unwrap();
    let mut world = world(Some(&kek));
    let size = world.ledger.size();
    let header = read(world.folder().join("keys/bodies/003"));
    let strays = [format!("keys/bodies/{:03}", size + 5), "keys/bodies/3".to_owned(), "keys/bodies/003.old".to_owned()];
    for stray in &strays {
        std::fs::write(world.folder().join(stray), &header).unwrap();
    }
    let report = world.ledger.audit().unwrap();
    let mut places: Vec<_> = report.findings.iter().map(|f| f.place.clone()).collect();
    places.sort();
    let mut expected = strays.to_vec();
    expected.sort();
    assert_eq!(places, expected, "{:?}", report.findings);
    assert!(report.findings.iter().all(|f| f.kind == AuditFindingKind::UnexpectedFile));
}

#[test]
fn what_an_append_that_was_cut_short_left_of_headers_and_files_is_cleared_by_the_next() {
    let kek = KeyFile::generate().unwrap();
    let world = world(Some(&kek));
    let size = world.ledger.size();
    drop(world.ledger);
    let folder = world.dir.path().join("ledger");
    let header = read(folder.join("keys/bodies/003"));
    std::fs::write(folder.join(format!("keys/bodies/{size:03}")), &header).unwrap();
    std::fs::write(folder.join("attachments").join("00".repeat(16)), b"half").unwrap();
    let before = files(&folder);
    let anchors = Anchors::in_folder(world.dir.path().join("state"));
    let log_key = sealwright::key::read_private(&world.dir.path().join("log.pem"), None).unwrap();
    let mut ledger =
        Ledger::open_encrypted(&folder, &anchors, &Pins::none(), &kek).unwrap().with_log_key(log_key).unwrap();
    assert_eq!(ledger.audit().unwrap().findings.len(), 2);
    let statement = small::of(NOTE, b"next", &serde_json::json!({}));
    ledger.record_statement(&statement, &world.keys["records"], world.now).unwrap();
    assert!(ledger.audit().unwrap().is_clean());
    assert_eq!(ledger.attachment(&Digest::sha256(RAW_REPORT)).unwrap(), RAW_REPORT);
    let attachments = |names: &[String]| names.iter().filter(|n| n.starts_with("attachments/")).count();
    assert_eq!(attachments(&files(&folder)), attachments(&before) - 1);
}

#[test]
fn a_rotation_writes_headers_and_leaves_tiles_bodies_and_attachments_as_they_are() {
    let (old, new) = (KeyFile::generate().unwrap(), KeyFile::generate().unwrap());
    let mut world = world(Some(&old));
    let state = |world: &World| -> BTreeMap<String, Vec<u8>> {
        // what a rotation brings to rest first is a copy of the others
        let names = files(&world.folder()).into_iter().filter(|n| n != "journal");
        names.map(|n| (n.clone(), read(world.folder().join(n)))).collect()
    };
    let before = state(&world);
    let headers = before.keys().filter(|n| n.starts_with("keys/")).count() as u64;
    let rotated = world.ledger.rotate_encryption_keys(&new, &mut |_, _| {}).unwrap();
    assert_eq!((rotated.headers, rotated.resumed, rotated.key.as_str()), (headers, false, new.id()));
    let after = state(&world);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>());
    for (name, bytes) in &before {
        let is_header = name.starts_with("keys/") || name == "keyring.json";
        assert_eq!(bytes != &after[name], is_header, "{name}");
    }
    // the handle that rotated goes on, others open with the new key, and the old one opens nothing
    world.tests(&artifact(), TestKind::System, TestOutcome::Passed);
    let open = |kek: &KeyFile| Ledger::open_encrypted(&world.folder(), &world.anchors(), &Pins::none(), kek);
    assert!(open(&new).unwrap().audit().unwrap().is_clean());
    assert_eq!(open(&old).unwrap_err().code(), "WRONG_KEY");
}

/// A key that opens so many things and then no more, so that what uses it is cut short.
struct Failing<'a>(&'a KeyFile);

impl KeyEncryptionKey for Failing<'_> {
    fn id(&self) -> &str {
        self.0.id()
    }
    fn encrypt(&self, secret: &[u8], context: &str) -> Result<Vec<u8>> {
        self.0.encrypt(secret, context)
    }
    fn decrypt(&self, _: &[u8], _: &str) -> Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(vec![0; 32]))
    }
}

#[test]
fn a_key_that_does_not_open_what_it_encrypts_is_refused_before_anything_is_lost() {
    let (old, new) = (KeyFile::generate().unwrap(), KeyFile::generate().unwrap());
    let mut world = world(Some(&old));
    let refused = world.ledger.rotate_encryption_keys(&Failing(&new), &mut |_, _| {}).unwrap_err();
    assert_eq!(refused.code(), "SIGNER_FAILED");
    let ledger = Ledger::open_encrypted(&world.folder(), &world.anchors(), &Pins::none(), &old).unwrap();
    assert!(ledger.record(3).is_ok());
}

#[test]
fn a_rotation_that_was_cut_short_after_any_header_leaves_a_whole_ledger_and_is_resumed() {
    let (old, new) = (KeyFile::generate().unwrap(), KeyFile::generate().unwrap());
    let base = world(Some(&old));
    let headers = files(&base.folder()).iter().filter(|n| n.starts_with("keys/")).count();
    for cut in [0, 1, headers / 2, headers - 1] {
        let dir = tempfile::tempdir().unwrap();
        copy(base.dir.path(), dir.path());
        let (folder, anchors) = (dir.path().join("ledger"), Anchors::in_folder(dir.path().join("state")));
        let mut ledger = Ledger::open_encrypted(&folder, &anchors, &Pins::none(), &old).unwrap();
        // the process ends here: a panic in the progress unwinds out of the rotation
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            ledger.rotate_encryption_keys(&new, &mut |done, _| {
                if done == cut as u64 {
                    std::panic::resume_unwind(Box::new(()))
                }
            })
        }));
        assert!(ended.is_err());
        let open = |kek: &KeyFile| Ledger::open_encrypted(&folder, &anchors, &Pins::none(), kek);
        assert_eq!(open(&old).unwrap_err().code(), "WRONG_KEY");
        let mut ledger = open(&new).unwrap();
        assert!(ledger.audit().unwrap().is_clean(), "cut after {cut}");
        let resumed = ledger.rotate_encryption_keys(&new, &mut |_, _| {}).unwrap();
        assert_eq!((resumed.resumed, resumed.headers), (true, (headers - cut) as u64));
        assert!(open(&new).unwrap().audit().unwrap().is_clean());
    }
}

#[test]
fn a_handle_from_before_a_rotation_writes_nothing_that_nobody_could_open() {
    let kek = KeyFile::generate().unwrap();
    let mut world = world(Some(&kek));
    let mut other = Ledger::open_encrypted(&world.folder(), &world.anchors(), &Pins::none(), &kek).unwrap();
    let statement: Statement = world.ledger.record(3).unwrap().statement().clone();
    other.rotate_encryption_keys(&kek, &mut |_, _| {}).unwrap();
    let now = world.tick();
    let refused = world.ledger.record_statement(&statement, &world.keys["builder"], now).unwrap_err();
    assert_eq!(refused.code(), "WRONG_KEY");
    assert_eq!(world.ledger.attach(b"late").unwrap_err().code(), "WRONG_KEY");
    assert_eq!(world.ledger.record(3).unwrap_err().code(), "WRONG_KEY", "not tampered with: rotated");
    assert!(other.audit().unwrap().is_clean());
}

#[test]
fn those_who_append_at_once_get_each_their_own_place_and_leave_nothing_readable() {
    let kek = KeyFile::generate().unwrap();
    let world = world(Some(&kek));
    let before = world.ledger.size();
    let open = || {
        let ledger = Ledger::open_encrypted(&world.folder(), &world.anchors(), &Pins::none(), &kek).unwrap();
        ledger.with_log_key(world.log_key()).unwrap()
    };
    let (threads, each) = (4, 6);
    let indexes: Vec<u64> = std::thread::scope(|scope| {
        let appending: Vec<_> = (0..threads)
            .map(|thread| {
                let (open, world) = (&open, &world);
                scope.spawn(move || {
                    let mut ledger = open();
                    let append = |n| {
                        let text = format!("planted-{thread}-{n}");
                        let statement = small::of(NOTE, text.as_bytes(), &serde_json::json!({ "text": text }));
                        let receipt = ledger.record_statement(&statement, &world.keys["records"], world.now).unwrap();
                        receipt.index
                    };
                    (0..each).map(append).collect::<Vec<_>>()
                })
            })
            .collect();
        appending.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let places: std::collections::BTreeSet<u64> = indexes.iter().copied().collect();
    assert_eq!(places, (before..before + threads * each).collect());
    let mut ledger = open();
    assert!(ledger.audit().unwrap().is_clean());
    let mut wanted = BTreeMap::from([("text".to_owned(), b"planted-".to_vec())]);
    for index in places {
        let digest = ledger.record(index).unwrap().statement().payload_digest();
        wanted.insert(format!("payload {index}"), digest.hex().into_bytes());
    }
    assert_eq!(found(world.dir.path(), &wanted), Vec::<String>::new());
}

#[test]
fn an_independent_reader_opens_a_body_with_the_key_file_alone() {
    let kek = KeyFile::generate().unwrap();
    let world = world(Some(&kek));
    let record = world.ledger.record(4).unwrap();
    let key = world.dir.path().join("kek.json");
    std::fs::write(&key, kek.to_bytes(Some("a passphrase")).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/encrypted/open_body.py");
    let python = std::env::var("SEALWRIGHT_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let run = |what: &str| {
        Command::new(&python).arg(&script).arg(world.folder()).arg(&key).arg("a passphrase").arg(what).output().unwrap()
    };
    let body = run("4");
    if body.status.code() == Some(77) {
        println!("not run: python3 with `cryptography` is needed");
        return;
    }
    assert!(body.status.success(), "{}", String::from_utf8_lossy(&body.stderr));
    let (salt, bytes) = body.stdout.split_at(32);
    assert_eq!(bytes, record.verified.record());
    assert_eq!(Digest::sha256(&body.stdout).hex(), record.entry.record, "salt {}", hex::encode(salt));
    let report = run(&Digest::sha256(RAW_REPORT).hex());
    assert_eq!(report.stdout, RAW_REPORT);
    // and it sees a changed byte as well
    let path = world.folder().join("bodies/004");
    let mut changed = read(&path);
    changed[100] ^= 1;
    std::fs::write(&path, changed).unwrap();
    assert!(!run("4").status.success());
    assert_eq!(world.ledger.entry(4).unwrap().tag("environment").count(), record.statement().tags().environment.len());
}
