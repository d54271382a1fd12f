//! A ledger as small as one can be, for tests that touch every byte of it: an admin, a maker, a second maker.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared by tests that use parts of it"
)]

#[allow(clippy::duplicate_mod, reason = "some tests use both the small ledger and the world")]
#[path = "../opened/mod.rs"]
mod opened;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sealwright::digest::Digest;
use sealwright::gate;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::ledger::{Anchors, Ledger, Pins, Place, Receipt};
use sealwright::policy::{PolicyBundle, starter_bundle};
use sealwright::predicate::*;
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::{Error, trust_policy};

pub(crate) use opened::{encrypts, kek, made, made_at, opened, opened_at};

pub(crate) const ORIGIN: &str = "example.org/small";
pub(crate) const NOTE: &str = "https://example.org/attestation/note/v1";
pub(crate) const BUILDER: &str = "https://example.org/builders/main";
pub(crate) const START: &str = "2026-11-21T08:00:00Z";
/// Everybody with a key; who of them may say what, the trust policy says.
pub(crate) const NAMES: [&str; 7] = ["admin", "admin-b", "admin-c", "maker", "second", "late", "stranger"];

pub(crate) struct Small {
    pub dir: tempfile::TempDir,
    pub place: Place,
    pub encrypted: bool,
    pub ledger: Ledger,
    pub keys: BTreeMap<&'static str, PrivateKey>,
    pub policy: TrustPolicy,
    pub now: Timestamp,
}

pub(crate) fn start() -> Timestamp {
    START.parse().unwrap()
}

pub(crate) fn signer(name: &str, keys: &BTreeMap<&'static str, PrivateKey>, types: &[&str]) -> TrustedSigner {
    TrustedSigner {
        name: name.to_owned(),
        key: Some(trust_policy::key_descriptor(keys[name].public())),
        predicate_types: types.iter().map(|t| (*t).to_owned()).collect(),
        ..TrustedSigner::default()
    }
}

fn first_policy(keys: &BTreeMap<&'static str, PrivateKey>) -> TrustPolicy {
    let bundle = PolicyBundle::parse(&starter_bundle().unwrap()).unwrap();
    let mut maker = signer("maker", keys, &[NOTE, TestResult::TYPE, Provenance::TYPE, Release::TYPE]);
    maker.speaks_for = vec![SpeaksFor { builder: Some(BUILDER.to_owned()), ..SpeaksFor::default() }];
    TrustPolicy {
        version: 1,
        supersedes: None,
        admins: vec![Admin { signer: "admin".to_owned() }],
        threshold: 1,
        signers: vec![signer("admin", keys, &[TrustPolicy::TYPE]), maker, signer("second", keys, &[NOTE])],
        writers: vec![],
        people: vec![],
        revocations: vec![],
        profile: gate::profile(&bundle),
        witnesses: vec![],
        quorum: 0,
        policy_bundle: None,
        trusted_roots: vec![],
        keyless: None,
    }
}

impl Small {
    pub(crate) fn new() -> Self {
        Self::with_policy(|_, _| {})
    }

    /// One whose trust policy is changed before its admins sign it.
    pub(crate) fn with_policy(change: impl FnOnce(&mut TrustPolicy, &BTreeMap<&'static str, PrivateKey>)) -> Self {
        Self::made(change, encrypts(), |dir| Place::Folder(dir.join("ledger")))
    }

    /// One in another place than a folder; the folder it is given holds its keys and anchors.
    pub(crate) fn at(place: impl FnOnce(&Path) -> Place) -> Self {
        Self::made(|_, _| {}, encrypts(), place)
    }

    /// The same, encrypted.
    pub(crate) fn encrypted_at(place: impl FnOnce(&Path) -> Place) -> Self {
        Self::made(|_, _| {}, true, place)
    }

    fn made(
        change: impl FnOnce(&mut TrustPolicy, &BTreeMap<&'static str, PrivateKey>),
        encrypted: bool,
        place: impl FnOnce(&Path) -> Place,
    ) -> Self {
        let keys: BTreeMap<_, _> =
            NAMES.iter().map(|name| (*name, PrivateKey::generate(KeyType::Ed25519).unwrap())).collect();
        let mut policy = first_policy(&keys);
        change(&mut policy, &keys);
        let statement = trust_policy::statement(&policy).unwrap();
        let records: Vec<_> =
            policy.admins.iter().map(|a| sign(&statement, &keys[a.signer.as_str()]).unwrap().to_json()).collect();
        let dir = tempdir();
        let log_key = PrivateKey::generate(KeyType::Ed25519).unwrap();
        std::fs::write(dir.path().join("log.pem"), log_key.to_pem().unwrap().as_bytes()).unwrap();
        let anchors = Anchors::in_folder(dir.path().join("state"));
        let place = place(dir.path());
        let ledger = made_at(&place, encrypted, &anchors, (ORIGIN, log_key), &records, start()).unwrap();
        Self { dir, place, encrypted, ledger, keys, policy, now: start() }
    }

    /// The folder, with all that was appended in its own files.
    pub(crate) fn folder(&self) -> PathBuf {
        let _ = self.ledger.settle();
        self.dir.path().join("ledger")
    }

    pub(crate) fn anchors(&self) -> Anchors {
        Anchors::in_folder(self.dir.path().join("state"))
    }

    pub(crate) fn open(&self) -> Result<Ledger, Error> {
        opened_at(&self.place, self.encrypted, &self.anchors())
    }

    /// Opens it to append, as another process would.
    pub(crate) fn open_to_append(&self) -> Result<Ledger, Error> {
        self.open()?.with_log_key(sealwright::key::read_private(&self.dir.path().join("log.pem"), None)?)
    }

    pub(crate) fn tick(&mut self) -> Timestamp {
        self.now = self.now.plus_millis(1000);
        self.now
    }

    pub(crate) fn record(&mut self, signer: &str, statement: &Statement) -> Result<Receipt, Error> {
        let now = self.tick();
        self.ledger.record_statement(statement, &self.keys[signer], now)
    }

    pub(crate) fn note(&mut self, text: &str) -> Receipt {
        self.record("maker", &note(text)).unwrap()
    }

    /// The bytes of record `index`, as they stand in the ledger.
    pub(crate) fn bytes(&self, index: u64) -> Vec<u8> {
        self.ledger.record(index).unwrap().verified.record().to_vec()
    }
}

/// A record of a type nobody knows: kept if its signer may say it, and satisfies nothing.
pub(crate) fn note(text: &str) -> Statement {
    of(NOTE, text.as_bytes(), &serde_json::json!({ "text": text }))
}

/// A statement of any type about the SHA-256 of `about`.
pub(crate) fn of(predicate_type: &str, about: &[u8], predicate: &serde_json::Value) -> Statement {
    let statement = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": Digest::sha256(about).hex()}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    });
    Statement::parse(serde_json::to_vec(&statement).unwrap()).unwrap()
}

/// A folder in memory where the system has such, else on disk: a ledger brings each file to disk, and these tests, which
/// kill processes and no machines, would only wait for that.
pub(crate) fn tempdir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Opens the ledger of a folder that [`Small`] made, as another process would.
pub(crate) fn open(dir: &Path) -> Result<Ledger, Error> {
    opened(&dir.join("ledger"), &Anchors::in_folder(dir.join("state")), &Pins::none())
}

/// Opens it for appending.
pub(crate) fn open_to_append(dir: &Path) -> Result<Ledger, Error> {
    open(dir)?.with_log_key(sealwright::key::read_private(&dir.join("log.pem"), None)?)
}

/// Opens the ledger at `place` for appending, with the key and the anchors in `dir`.
pub(crate) fn append_at(place: &Place, dir: &Path) -> Result<Ledger, Error> {
    opened_at(place, encrypts(), &Anchors::in_folder(dir.join("state")))?
        .with_log_key(sealwright::key::read_private(&dir.join("log.pem"), None)?)
}

/// A whole file of a test.
#[expect(clippy::disallowed_methods, reason = "what tests wrote themselves needs no bound")]
pub(crate) fn read(path: impl AsRef<Path>) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// Copies a folder with all that lies in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// All files below a folder, by their path from it.
pub(crate) fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                open.push(entry);
            } else {
                files.push(entry.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    files
}
