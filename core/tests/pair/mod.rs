//! A ledger whose records can be disposed of, and a copy of it on another machine.
#![allow(dead_code, reason = "shared by tests that use parts of it")]

use std::path::{Path, PathBuf};

use sealwright::Error;
use sealwright::digest::Digest;
use sealwright::encryption::{KeyEncryptionKey, KeyFile};
use sealwright::ledger::{ATTACHMENT_LOCATION, Anchors, Ledger, LogSource, Mirror, Mirrored, Pins};
use sealwright::predicate::*;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;

use crate::records_office;
use crate::small::{self, read};
use crate::world::{self, World, body_name};

pub(crate) const PLANTED: &str = "planted-where-nobody-may-read-it";
const YEARS: i64 = 3 * 366 * 24 * 3_600_000;

pub(crate) fn code<T>(result: Result<T, Error>) -> &'static str {
    result.err().map_or("ok", |e| e.code())
}

/// A ledger whose records can be disposed of, and a copy of it on another machine.
pub(crate) struct Pair {
    pub(crate) world: World,
    pub(crate) kek: Option<KeyFile>,
    pub(crate) elsewhere: tempfile::TempDir,
    records: u64,
}

impl Pair {
    pub(crate) fn new(encrypted: bool) -> Self {
        let kek = encrypted.then(|| KeyFile::generate().unwrap());
        let world = World::made_by(
            |policy| {
                for person in policy.people.iter_mut().filter(|p| p.person != "ada") {
                    person.roles.push("records-officer".to_owned());
                }
                let records = policy.signers.iter_mut().find(|s| s.name == "records").unwrap();
                records.predicate_types.extend([LegalHold::TYPE, RetentionDisposal::TYPE].map(str::to_owned));
            },
            |folder, anchors, origin, log_key, trust, now| match &kek {
                Some(kek) => Ledger::init_encrypted(folder, anchors, origin, log_key, trust, kek, now),
                None => Ledger::init(folder, anchors, origin, log_key, trust, now),
            },
        );
        let mut pair = Self { world, kek, elsewhere: small::tempdir(), records: 0 };
        let archive = pair.archive();
        pair.world.ledger = pair.take_ledger().with_archive(&archive).unwrap();
        pair
    }

    /// The handle of the ledger, another one in its place.
    pub(crate) fn take_ledger(&mut self) -> Ledger {
        let opened = self.open(&self.world.folder(), &self.world.anchors()).unwrap();
        let opened = opened.with_log_key(self.world.log_key()).unwrap();
        std::mem::replace(&mut self.world.ledger, opened)
    }

    pub(crate) fn kek(&self) -> Option<&dyn KeyEncryptionKey> {
        self.kek.as_ref().map(|kek| kek as &dyn KeyEncryptionKey)
    }

    pub(crate) fn open(&self, folder: &Path, anchors: &Anchors) -> Result<Ledger, Error> {
        match &self.kek {
            Some(kek) => Ledger::open_encrypted(folder, anchors, &Pins::none(), kek),
            None => Ledger::open(folder, anchors, &Pins::none()),
        }
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.world.dir.path().join("archive")
    }

    pub(crate) fn copy(&self) -> PathBuf {
        self.elsewhere.path().join("copy")
    }

    pub(crate) fn anchors(&self) -> Anchors {
        Anchors::in_folder(self.elsewhere.path().join("state"))
    }

    pub(crate) fn source(&self) -> LogSource {
        LogSource::folder(self.world.folder())
    }

    /// A record that may go after two years, which names a file of its own.
    pub(crate) fn note(&mut self) -> u64 {
        self.records += 1;
        let report = format!("{PLANTED} report {}", self.records);
        let location = format!("{ATTACHMENT_LOCATION}{}", self.world.ledger.attach(report.as_bytes()).unwrap().hex());
        let statement = serde_json::json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"digest": {"sha256": Digest::sha256(report.as_bytes()).hex()}}],
            "predicateType": Provenance::TYPE,
            "predicate": {
                "buildDefinition": {
                    "buildType": "https://example.org/build/v1",
                    "externalParameters": { "planted": PLANTED, "report": { "downloadLocation": location } },
                },
                "runDetails": { "builder": { "id": world::BUILDER } },
            },
        });
        let statement = Statement::parse(serde_json::to_vec(&statement).unwrap()).unwrap();
        self.world.record("builder", &statement).unwrap().index
    }

    /// Disposes of records that are due, with the approvals it takes.
    pub(crate) fn dispose(&mut self, entries: &[u64]) -> Result<(), Error> {
        records_office::dispose(&mut self.world, &records_office::pci(), entries).map(drop)
    }

    /// Holds everything from now on.
    pub(crate) fn hold(&mut self) {
        let world = &mut self.world;
        let id = format!("https://example.org/holds/{}", world.ledger.size());
        let set = serde_json::json!({ "uriSha256": Digest::sha256(id.as_bytes()).hex() });
        let set: sealwright::digest::DigestSet = serde_json::from_value(set).unwrap();
        let hold = LegalHold {
            nonce: nonce().unwrap(),
            hold_id: id.clone(),
            action: HoldAction::Placed,
            matter: "Matter 17".to_owned(),
            custodian: world.actor("release-manager"),
            ordered_by: world.actor("release-manager"),
            at: world.now,
            scope: HoldScope::default(),
            releases: None,
        };
        let subject = sealwright::artifact::ResourceDescriptor::of(set).with_uri(&id);
        world.record("records", &Statement::new(vec![subject], &hold).unwrap()).unwrap();
    }

    pub(crate) fn rotate(&mut self, kek: KeyFile) {
        self.world.ledger.rotate_encryption_keys(&kek, &mut |_, _| {}).unwrap();
        self.kek = Some(kek);
    }

    pub(crate) fn wait_for_years(&mut self) {
        self.world.now = self.world.now.plus_millis(YEARS);
    }

    pub(crate) fn archive_all(&mut self) -> u64 {
        let before = self.world.now.plus_millis(1000);
        self.world.ledger.archive(before, &mut |_, _| {}).unwrap().entries.len() as u64
    }

    pub(crate) fn pull(&self) -> Result<Mirrored, Error> {
        self.pull_with(self.kek())
    }

    pub(crate) fn pull_with(&self, kek: Option<&dyn KeyEncryptionKey>) -> Result<Mirrored, Error> {
        self.pull_from(&self.source(), kek, self.world.now)
    }

    pub(crate) fn pull_from(
        &self,
        source: &LogSource,
        kek: Option<&dyn KeyEncryptionKey>,
        now: Timestamp,
    ) -> Result<Mirrored, Error> {
        let mirror = Mirror::open(&self.copy(), &self.anchors()).with_archive(&self.archive());
        mirror.pull(source, &Pins::none(), kek, now, &mut |_| {})
    }

    pub(crate) fn target(&self, folder: &Path) -> Mirror {
        Mirror::open(folder, &self.anchors()).with_archive(&self.archive())
    }

    pub(crate) fn restore(&self, name: &str) -> Result<Ledger, Error> {
        self.restore_from(&LogSource::folder(self.copy()), name)
    }

    pub(crate) fn restore_from(&self, copy: &LogSource, name: &str) -> Result<Ledger, Error> {
        let folder = self.elsewhere.path().join(name);
        self.target(&folder).restore(copy, &Pins::none(), self.kek(), &mut |_| {})?;
        assert!(!folder.join("mirror.json").exists());
        self.open(&folder, &self.anchors())
    }

    pub(crate) fn assert_clean(&self, ledger: Ledger) {
        let mut ledger = ledger.with_archive(&self.archive()).unwrap();
        let report = ledger.audit().unwrap();
        assert!(report.is_clean(), "{:?}", report.findings);
        assert_eq!(ledger.checkpoint().checkpoint(), self.world.ledger.checkpoint().checkpoint());
    }
}

/// Nothing of a body is in a folder.
pub(crate) fn is_gone(folder: &Path, index: u64) -> bool {
    let body = body_name(index);
    let names =
        [body.clone(), format!("keys/{body}"), format!("unproven/keys/{body}"), body.replace("bodies", "archived")];
    names.iter().all(|name| !folder.join(name).exists())
}

pub(crate) fn marker(pair: &Pair) -> serde_json::Value {
    serde_json::from_slice(&read(pair.copy().join("mirror.json"))).unwrap()
}
