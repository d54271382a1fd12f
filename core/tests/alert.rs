//! Alerts from records of access (systems rows 109, 117 and 122).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod world;

use sealwright::alert::{Alert, AlertKind, Alerts, Watch, alerts};
use sealwright::artifact::ResourceDescriptor;
use sealwright::digest::{Algorithm, Digest, DigestSet};
use sealwright::predicate::{
    Actor, Attester, KeyAccess, KeyOperation, KeyOutcome, KeyResource, PredicateType as _, Reference, TestOutcome,
    Window, nonce,
};
use sealwright::signer::sign;
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use world::World;

const SECRET: &str = "vault://secret/data/shop/database";
const KEY: &str = "awskms:///alias/tester";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// A world in which `records` tells of access, and the key of `tester` names the resource it is logged as.
fn world() -> World {
    World::with_policy(|policy| {
        for signer in &mut policy.signers {
            match &*signer.name {
                "records" => signer.predicate_types.extend([KeyAccess::TYPE, Reference::TYPE].map(str::to_owned)),
                "tester" => signer.key.as_mut().unwrap().uri = Some(KEY.to_owned()),
                _ => {}
            }
        }
    })
}

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// A use `ago` before the present.
fn used(actor: &str, ago: i64) -> KeyAccess {
    KeyAccess {
        nonce: nonce().unwrap(),
        resource: SECRET.to_owned(),
        resource_kind: KeyResource::Secret,
        operation: KeyOperation::Read,
        actor: Actor::workload(format!("urn:example:workload:{actor}")),
        at: now().plus_millis(-ago),
        outcome: KeyOutcome::Succeeded,
        purpose: None,
        signed_digest: None,
        count: None,
        window: None,
        baseline_count: None,
        source_event: ResourceDescriptor::of(Digest::sha256(b"a line of a log")),
    }
}

fn reads(actor: &str, ago: i64, count: u64) -> KeyAccess {
    let mut access = used(actor, ago);
    access.count = Some(count);
    access.window = Some(Window { from: access.at.plus_millis(-HOUR), to: access.at });
    access
}

fn record(world: &mut World, access: &KeyAccess) -> u64 {
    let name = Digest::sha256(access.resource.as_bytes()).hex();
    let subject = ResourceDescriptor::of(Digest::from_hex(Algorithm::UriSha256, &name).unwrap());
    world.record("records", &Statement::new(vec![subject], access).unwrap()).unwrap().index
}

fn found(world: &World) -> Alerts {
    alerts(&world.ledger, &Watch::default(), now()).unwrap()
}

fn kinds(found: &Alerts) -> Vec<(AlertKind, &str)> {
    found.alerts.iter().map(|alert: &Alert| (alert.kind, &*alert.about)).collect()
}

#[test]
fn s122_fifteen_reads_where_two_are_usual_raise_an_alert_and_three_do_not() {
    let mut world = world();
    for day in 1..=7 {
        record(&mut world, &reads("app", day * DAY + HOUR, 2));
    }
    let three = record(&mut world, &reads("app", 2 * HOUR, 3));
    assert!(found(&world).alerts.is_empty());
    let twelve = record(&mut world, &reads("app", HOUR, 12));
    let found = found(&world);
    assert_eq!(
        kinds(&found),
        [(AlertKind::UnusualReads, SECRET), (AlertKind::UnusualReader, "urn:example:workload:app")]
    );
    assert_eq!(found.alerts[0].message, format!("`{SECRET}` was read 15 times in 24 hours, usually 2 times"));
    assert_eq!(found.alerts[0].records, [three, twelve].into());
    assert_eq!(found.alerts[0].at, now().plus_millis(-2 * HOUR));
}

#[test]
fn s122_a_stretch_begins_with_its_first_instant_and_ends_before_its_last() {
    let mut world = world();
    for outside in [0, -HOUR, DAY + 1] {
        record(&mut world, &reads("app", outside, 15));
    }
    assert!(found(&world).alerts.is_empty());
    record(&mut world, &reads("app", DAY, 15));
    assert_eq!(found(&world).alerts.len(), 2);
}

#[test]
fn s122_somebody_who_reads_many_secrets_is_told_though_each_is_read_but_once() {
    let mut world = world();
    for name in 0..6 {
        let mut access = used("thief", HOUR);
        access.resource = format!("vault://secret/data/{name}");
        // a read that was refused is an attempt
        access.outcome = if name == 0 { KeyOutcome::Denied } else { KeyOutcome::Succeeded };
        record(&mut world, &access);
    }
    assert_eq!(kinds(&found(&world)), [(AlertKind::UnusualReader, "urn:example:workload:thief")]);
}

#[test]
fn s122_what_the_service_itself_calls_usual_counts_before_what_was_seen() {
    let mut world = world();
    let mut access = reads("app", HOUR, 15);
    access.baseline_count = Some(14);
    record(&mut world, &access);
    assert_eq!(kinds(&found(&world)), [(AlertKind::UnusualReader, "urn:example:workload:app")]);
}

#[test]
fn s122_a_stretch_without_length_is_refused() {
    let world = world();
    for watch in [
        r#"{"hours":0}"#,
        r#"{"before":0}"#,
        r#"{"hours":9223372036854775807}"#,
        r#"{"hours":9000,"before":10}"#,
        r#"{"days":18446744073709551615}"#,
    ] {
        let watch = Watch::from_json(watch.as_bytes()).unwrap();
        assert_eq!(alerts(&world.ledger, &watch, now()).unwrap_err().code(), "API_MISUSE", "{watch:?}");
    }
    assert_eq!(Watch::from_json(br#"{"hour":1}"#).unwrap_err().code(), "MALFORMED");
}

/// A use of the key of `tester` that signed `digest`.
fn signing(digest: Option<Digest>, ago: i64) -> KeyAccess {
    let mut access = match digest {
        Some(digest) => {
            let mut access = used("tester", ago);
            access.signed_digest = Some(DigestSet::new([digest]).unwrap());
            access
        }
        None => reads("tester", ago, 3),
    };
    access.resource = KEY.to_owned();
    access.resource_kind = KeyResource::SigningKey;
    access.operation = KeyOperation::Sign;
    access
}

/// A test result, signed and recorded; gives its entry and the digest of what was signed.
fn signed(world: &mut World) -> (u64, Digest) {
    let mut test = world::test_result(world, TestOutcome::Passed);
    test.test_kind = Some(sealwright::predicate::TestKind::Unit);
    let statement = Statement::new(vec![world.subject(&Digest::sha256(b"artifact"))], &test).unwrap();
    let envelope = sign(&statement, &world.keys["tester"]).unwrap();
    let bundle = sealwright::bundle::Bundle::parse(&envelope.to_json()).unwrap();
    let digest = Digest::sha256(&bundle.into_envelope().unwrap().pae());
    let at = world.tick();
    let verified = world.ledger.verify(&envelope.to_json(), at).unwrap();
    (world.ledger.append(&verified, at).unwrap().index, digest)
}

#[test]
fn s109_a_use_of_a_key_that_left_no_record_and_a_record_without_a_use_are_told() {
    let mut world = world();
    let (entry, digest) = signed(&mut world);
    let without = found(&world);
    assert_eq!(kinds(&without), [(AlertKind::SignatureWithoutUse, KEY)]);
    assert_eq!(without.alerts[0].records, [entry].into());

    record(&mut world, &signing(Some(digest), HOUR));
    assert!(found(&world).alerts.is_empty());

    let stray = record(&mut world, &signing(Some(Digest::sha256(b"signed in secret")), HOUR));
    let stray_use = found(&world);
    assert_eq!(kinds(&stray_use), [(AlertKind::UseWithoutSignature, KEY)]);
    assert_eq!(stray_use.alerts[0].records, [stray].into());
}

#[test]
fn s109_of_uses_that_are_only_counted_nothing_is_claimed() {
    let mut world = world();
    signed(&mut world);
    record(&mut world, &signing(None, HOUR));
    assert!(found(&world).alerts.is_empty());
}

/// Records the certificate of a provider, which counts until `end`.
fn certificate(world: &mut World, end: &str) -> u64 {
    certificate_of(world, b"provider", end)
}

fn certificate_of(world: &mut World, provider: &[u8], end: &str) -> u64 {
    let mut document =
        ResourceDescriptor::of(Digest::sha256(end.as_bytes())).named("FedRAMP authorisation of the cloud");
    document.download_location = Some("https://provider.example/fedramp.pdf".to_owned());
    document.media_type = Some("application/pdf".to_owned());
    document.annotations = Some([("expiresAt".to_owned(), end.into())].into_iter().collect());
    let attester = Attester { id: "urn:example:workload:records".to_owned() };
    let subject = ResourceDescriptor::of(Digest::sha256(provider));
    let statement = Statement::new(vec![subject], &Reference { attester, references: vec![document] }).unwrap();
    world.record("records", &statement).unwrap().index
}

#[test]
fn s117_a_certificate_of_a_provider_is_told_before_it_expires_and_when_it_has_until_its_successor_is_there() {
    let kind = |end: &str| {
        let mut world = world();
        certificate(&mut world, end);
        found(&world).alerts.first().map(|alert| alert.kind)
    };
    assert_eq!(kind("2026-12-21T12:00:01Z"), None);
    assert_eq!(kind("2026-12-21T12:00:00Z"), Some(AlertKind::DocumentExpires));
    assert_eq!(kind("2026-11-21T12:00:01Z"), Some(AlertKind::DocumentExpires));
    assert_eq!(kind("2026-11-21T12:00:00Z"), Some(AlertKind::DocumentExpired));

    let mut world = world();
    let expired = certificate(&mut world, "2026-11-20T00:00:00Z");
    assert_eq!(found(&world).alerts[0].records, [expired].into());
    certificate(&mut world, "2027-11-20T00:00:00Z");
    assert!(found(&world).alerts.is_empty());
}

#[test]
fn s117_a_certificate_of_another_provider_of_the_same_name_is_no_successor() {
    let mut world = world();
    let expired = certificate_of(&mut world, b"one", "2026-11-20T00:00:00Z");
    certificate_of(&mut world, b"other", "2027-11-20T00:00:00Z");
    assert_eq!(found(&world).alerts.iter().map(|a| a.records.clone()).collect::<Vec<_>>(), [[expired].into()]);
}

#[test]
fn what_can_not_be_read_is_told_and_hides_nothing() {
    let mut world = world();
    let json = format!(
        r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{}"}}}}],"predicateType":"{}",
            "predicate":{{"references":[]}}}}"#,
        Digest::sha256(b"").hex(),
        Reference::TYPE
    );
    let statement = Statement::parse(json.into_bytes()).unwrap();
    let unread = world.record("records", &statement).unwrap().index;
    assert_eq!(found(&world).unread, [unread].into());
}

#[test]
fn s117_a_document_whose_end_is_no_time_is_no_reference() {
    let document = r#"{"digest":{"sha256":"DIGEST"},"downloadLocation":"https://x.example/a","mediaType":"a/b",
        "annotations":{"expiresAt":"soon"}}"#;
    let document = document.replace("DIGEST", &Digest::sha256(b"").hex());
    let predicate = format!(r#"{{"attester":{{"id":"https://x.example"}},"references":[{document}]}}"#);
    let e = Reference::parse(predicate.as_bytes()).unwrap_err();
    assert_eq!(e.code(), "MALFORMED");
    assert!(e.message().starts_with("`predicate.references[0].annotations.expiresAt` is no time"), "{e}");
}
