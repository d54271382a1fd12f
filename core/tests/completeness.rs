//! What a release must leave behind, and what of it is missing, too much, or belongs to nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod small;
mod world;

use std::collections::BTreeSet;
use std::io::Read;

use sealwright::digest::Digest;
use sealwright::ledger::{ATTACHMENT_LOCATION, Query};
use sealwright::pack::{self, PackRequest};
use sealwright::predicate::*;
use small::{Small, files, note, read};
use world::{RELEASE, World, artifact, prod};

/// A release that went all the way, and was looked at where it runs.
fn scripted() -> World {
    let mut world = World::released(&artifact());
    world.drift(&prod(), vec![]);
    world
}

#[test]
fn s001_a_scripted_release_yields_every_record_and_each_one_that_is_missing_is_named() {
    let world = scripted();
    let types: BTreeSet<String> = (0..world.ledger.size())
        .map(|index| {
            let record = world.ledger.record(index).unwrap();
            // who and when; artifact and version stand in the records
            assert!(!record.speaker.signer.is_empty() && record.logged_at().unwrap() <= world.now);
            record.statement().predicate_type().to_owned()
        })
        .collect();
    let right = [
        TrustPolicy::TYPE,
        ChangeRequest::TYPE,
        Approval::TYPE,
        Provenance::TYPE,
        Cyclonedx::TYPE,
        TestResult::TYPE,
        Release::TYPE,
        PolicyEvaluation::TYPE,
        Promotion::TYPE,
        Deployment::TYPE,
        EnvironmentSnapshot::TYPE,
        DriftReport::TYPE,
    ];
    assert_eq!(types, right.map(str::to_owned).into());
    // each of them gone in turn, but for the trust policy, without which nothing is read
    for index in 1..world.ledger.size() {
        let record = world.ledger.record(index).unwrap();
        let body = world.folder().join(world::body_name(index));
        let bytes = read(&body);
        std::fs::remove_file(&body).unwrap();
        let ledger = world.open().unwrap();
        let mut of_its_type = Query::everything();
        of_its_type.predicate_type = Some(record.statement().predicate_type().to_owned());
        for query in [Query::everything(), of_its_type] {
            assert_eq!(ledger.complete(&query).unwrap().without_body, [index]);
        }
        let mut of_another = Query::everything();
        of_another.predicate_type = Some("https://example.org/attestation/something-else/v1".to_owned());
        assert!(ledger.complete(&of_another).unwrap().without_body.is_empty());
        std::fs::write(&body, bytes).unwrap();
    }
    assert!(world.open().unwrap().complete(&Query::everything()).unwrap().without_body.is_empty());
}

#[test]
fn s010_a_piece_of_the_stored_log_that_is_altered_dropped_or_in_anothers_place_is_named() {
    let mut small = Small::new();
    let signed =
        |n: u64| sealwright::signer::sign(&note(&format!("note {n}")), &small.keys["maker"]).unwrap().to_json();
    let records: Vec<_> = (0..600).map(|n| small.ledger.verify(&signed(n), small.now).unwrap()).collect();
    small.ledger.append_all(&records, small.now).unwrap();
    assert!(small.ledger.audit().unwrap().is_clean());
    let folder = small.folder().join("tile/entries");
    let pieces = files(&folder);
    assert_eq!(pieces, ["000", "001", "002.p/89"]);
    let right: Vec<Vec<u8>> = pieces.iter().map(|piece| read(folder.join(piece))).collect();
    let mut named = |what: &str, touched: &[usize]| {
        let places: Vec<String> = small.ledger.audit().unwrap().findings.iter().map(|f| f.place.clone()).collect();
        for piece in touched {
            // by itself, by the hashes of it, or by the entry that is wrong
            let names = ["entries", "0"].map(|level| format!("tile/{level}/{}", pieces[*piece]));
            let holds = |index: &str| index.parse::<usize>().is_ok_and(|index| index / 256 == *piece);
            let told = |place: &String| names.contains(place) || place.strip_prefix("entry ").is_some_and(holds);
            assert!(places.iter().any(told), "{what} {}: {places:?}", pieces[*piece]);
        }
        for (piece, bytes) in pieces.iter().zip(&right) {
            std::fs::write(folder.join(piece), bytes).unwrap();
        }
    };
    for piece in 0..3 {
        let mut bytes = right[piece].clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(folder.join(&pieces[piece]), bytes).unwrap();
        named("altered", &[piece]);
        std::fs::remove_file(folder.join(&pieces[piece])).unwrap();
        named("dropped", &[piece]);
    }
    std::fs::write(folder.join(&pieces[0]), &right[1]).unwrap();
    std::fs::write(folder.join(&pieces[1]), &right[0]).unwrap();
    named("swapped", &[0, 1]);
    assert!(small.ledger.audit().unwrap().is_clean());
}

/// Lines of a log, as they are asked for.
struct Lines {
    next: u64,
    end: u64,
    line: Vec<u8>,
}

impl Read for Lines {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.line.is_empty() && self.next < self.end {
            self.line = format!("{} service shop answered 200\n", self.next).into_bytes();
            self.next += 1;
        }
        let read = buffer.len().min(self.line.len());
        buffer[..read].copy_from_slice(&self.line[..read]);
        self.line.drain(..read);
        Ok(read)
    }
}

#[test]
fn s012_a_million_lines_of_a_log_are_one_entry_and_the_pack_holds_them_once() {
    let lines = || Lines { next: 0, end: 1_000_000, line: Vec::new() };
    let mut world = World::released(&artifact());
    let before = world.ledger.stats(world.now).unwrap();
    let log = world.ledger.attach_stream(std::io::BufReader::with_capacity(1 << 16, lines())).unwrap();
    let mut named = sealwright::artifact::ResourceDescriptor::of(log.clone());
    named.download_location = Some(format!("{ATTACHMENT_LOCATION}{}", log.hex()));
    let summary = |test: &mut TestResult| (test.test_kind, test.report) = (Some(TestKind::System), Some(named));
    world.tests_with(&artifact(), summary);
    let after = world.ledger.stats(world.now).unwrap();
    assert_eq!(after.size, before.size + 1);
    assert!(after.attachment_bytes - before.attachment_bytes > 25_000_000);
    assert!(after.body_bytes - before.body_bytes < 4096, "{}", after.body_bytes - before.body_bytes);
    assert!(after.tile_bytes - before.tile_bytes < 2048, "{}", after.tile_bytes - before.tile_bytes);
    let folder = world.dir.path().join("pack");
    let (now, by) = (world.tick(), world.actor("records"));
    let request = PackRequest::new(RELEASE, by, now);
    pack::build(&mut world.ledger, &request, &folder, &world.keys["records"], now).unwrap();
    let size = |name: &String| std::fs::metadata(folder.join(name)).unwrap().len();
    let (logs, others): (Vec<_>, Vec<_>) = files(&folder).into_iter().partition(|name| name.contains(&log.hex()));
    assert_eq!(logs.len(), 1);
    assert!(others.iter().map(size).sum::<u64>() < 2 * 1024 * 1024, "{}", others.iter().map(size).sum::<u64>());
}

#[test]
fn s014_a_record_without_a_known_release_is_listed_as_unlinked() {
    let mut world = scripted();
    assert_eq!(world.ledger.unlinked().unwrap(), [0_u64; 0], "each record of a release leads to it");
    let other = Digest::sha256(b"built by nobody");
    let foreign = [
        world.tests(&other, TestKind::Unit, TestOutcome::Passed).index,
        world.provenance_of(&other, world::BUILDER, &"9".repeat(40)).unwrap().index,
    ];
    let environment = prod();
    let mut deploy = world.deployment(&artifact(), &environment);
    deploy.release_id = "shop-9.9.9".to_owned();
    let named_wrongly = world.deploy(deploy, None, None).unwrap();
    let unlinked = world.ledger.unlinked().unwrap();
    assert_eq!(unlinked, [foreign[0], foreign[1], named_wrongly.receipt.index]);
    // a release of that name and that artifact links them
    let now = world.tick();
    let subject = world.subject(&other);
    let purl = "pkg:generic/shop@9.9.9";
    sealwright::release::begin(&mut world.ledger, "shop-9.9.9", purl, vec![subject], &world.keys["records"], now)
        .unwrap();
    assert_eq!(world.ledger.unlinked().unwrap(), [0_u64; 0]);
    // what is about nothing that anybody released stays listed
    let statement = small::of(
        "https://example.org/attestation/something-else/v1",
        b"a thing of its own",
        &serde_json::json!({ "text": "of its own" }),
    );
    let alone = world.record("records", &statement).unwrap();
    assert_eq!(world.ledger.unlinked().unwrap(), [alone.index]);
}
