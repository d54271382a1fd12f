//! What an attacker may try with certificates, logs and keys that are all right by themselves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod instance;

use instance::{Asked, Instance, Tiled, only_uris_of, pem, tlv};
use sealwright::artifact::ResourceDescriptor;
use sealwright::bundle::Bundle;
use sealwright::digest::Digest;
use sealwright::envelope::{Envelope, IN_TOTO, Signature, pae};
use sealwright::key::{KeyType, PrivateKey};
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{CertificateIdentity, Matcher, TrustRoot, Window};
use sealwright::verifier::{Artifact, Blob, Expectation, Identity, Verifier};
use serde_json::Value;

const CI: &str = "https://forge.example/shop/.ci/release.yml@refs/heads/main";

fn at() -> Timestamp {
    "2026-06-01T08:00:00Z".parse().unwrap()
}

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn statement() -> Statement {
    let subject = ResourceDescriptor::of(Digest::sha256(b"artifact"));
    Statement::from_json("https://example.org/x/v1", vec![subject], &serde_json::json!({})).unwrap()
}

fn key() -> PrivateKey {
    PrivateKey::generate(KeyType::P256).unwrap()
}

fn demand() -> Expectation {
    let identity = CertificateIdentity::new(CI, instance::ISSUER);
    Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), identity.into(), now())
}

fn verifier(instance: &Instance) -> Verifier {
    Verifier::new(TrustRoot::new().with_sigstore(&instance.trusted_root()).unwrap())
}

/// What a record by a certificate as asked for is refused with; nothing if it passes.
fn verdict(instance: &Instance, change: impl FnOnce(&mut Asked)) -> Option<&'static str> {
    let key = key();
    let mut asked = Asked::of(CI, key.public(), at());
    change(&mut asked);
    let record = instance.record(statement().payload(), instance.certificate(&asked), &key, at()).to_json();
    verifier(instance).verify(&record, &demand()).err().map(|e| e.code())
}

#[test]
fn a_certificate_with_several_names_two_issuers_or_a_name_of_another_kind_is_nobodys() {
    let instance = Instance::new();
    assert_eq!(verdict(&instance, |_| {}), None);
    let uri = |text: &str| (0x86, text.as_bytes().to_vec());
    let dns = |text: &str| (0x82, text.as_bytes().to_vec());
    for names in [
        vec![uri(CI), uri("https://other.example")],
        vec![uri("https://other.example"), uri(CI)],
        vec![uri(CI), dns("forge.example")],
    ] {
        assert_eq!(verdict(&instance, |asked| asked.names = names.clone()), Some("UNTRUSTED_CERTIFICATE"), "{names:?}");
    }
    for names in [vec![], vec![dns(CI)], vec![(0x86, vec![])], vec![uri(&format!("{CI}\u{e9}"))]] {
        assert_eq!(verdict(&instance, |asked| asked.names = names.clone()), Some("UNTRUSTED_CERTIFICATE"), "{names:?}");
    }
    // what looks the same, or ends or begins so, is another
    for other in
        [&format!("{CI}\0"), &format!("{CI}\n"), &format!("{CI}/"), &CI.to_uppercase(), &CI[1..], &format!(" {CI}")]
    {
        assert_eq!(verdict(&instance, |asked| asked.names = vec![uri(other)]), Some("UNTRUSTED_SIGNER"), "{other:?}");
    }
    let other = |asked: &mut Asked| asked.other_issuer = Some("https://other.example".to_owned());
    assert_eq!(verdict(&instance, other), Some("UNTRUSTED_CERTIFICATE"));
    assert_eq!(verdict(&instance, |asked| asked.issuer = "https://other.example".into()), Some("UNTRUSTED_SIGNER"));
    assert_eq!(verdict(&instance, |asked| asked.with_sct = false), Some("BAD_SCT"));
    // signed before and after its validity
    assert_eq!(verdict(&instance, |asked| asked.from = at().plus_millis(1000)), Some("NOT_YET_VALID"));
    assert_eq!(verdict(&instance, |asked| asked.until = at().plus_millis(-1000)), Some("EXPIRED"));
}

#[test]
fn a_pattern_does_not_match_across_a_line_or_a_part() {
    let instance = Instance::new();
    let run = |pattern: &str, name: &str| {
        let key = key();
        let asked = Asked::of(name, key.public(), at());
        let record = instance.record(statement().payload(), instance.certificate(&asked), &key, at()).to_json();
        let identity = CertificateIdentity::new(Matcher::pattern(pattern).unwrap(), instance::ISSUER);
        let expectation = Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), identity.into(), now());
        verifier(&instance).verify(&record, &expectation).map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(run(r"https://forge\.example/shop/.*", CI), Ok(()));
    for (pattern, name) in [
        (r"https://forge\.example/shop/.*", "https://forge.example/shop/x\nhttps://other.example"),
        (r"(?m)^https://forge\.example/shop/x$", "https://forge.example/shop/x\nhttps://other.example"),
        (r"https://forge\.example/shop/.*", "https://other.example/https://forge.example/shop/x"),
        (r"https://forge\.example/shop", CI),
        (r"a|https://forge\.example/shop/x", "https://forge.example/shop/xa"),
    ] {
        assert_eq!(run(pattern, name), Err("UNTRUSTED_SIGNER"), "{pattern} {name:?}");
    }
}

#[test]
fn constraints_on_names_in_the_middle_of_a_chain_hold_for_every_leaf() {
    let instance = Instance::with_middle(&[only_uris_of("forge.example")]);
    let verifier = verifier(&instance);
    let run = |tag: u8, name: &str| {
        let key = key();
        let mut asked = Asked::of(CI, key.public(), at());
        asked.names = vec![(tag, name.as_bytes().to_vec())];
        let record = instance.record(statement().payload(), instance.certificate(&asked), &key, at()).to_json();
        let identity = CertificateIdentity::new(Matcher::pattern(".*").unwrap(), instance::ISSUER);
        let expectation = Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), identity.into(), now());
        verifier.verify(&record, &expectation).map(|_| ()).map_err(|e| e.code())
    };
    // an e-mail address is not constrained, and its way up is found good first
    assert_eq!(run(0x81, "ada@other.example"), Ok(()));
    assert_eq!(run(0x86, "https://other.example/x"), Err("UNTRUSTED_CERTIFICATE"));
    assert_eq!(run(0x81, "ada@other.example"), Ok(()));
}

#[test]
fn a_key_of_small_order_signs_nothing_in_a_certificate_either() {
    let instance = Instance::new();
    let mut spki = PrivateKey::generate(KeyType::Ed25519).unwrap().public().spki_der().to_vec();
    let place = spki.len() - 32;
    // the neutral element, under which R = A, S = 0 is a signature over anything
    spki[place..].fill(0);
    spki[place] = 1;
    let mut asked = Asked::of(CI, key().public(), at());
    asked.spki = spki;
    let certificate = instance.certificate(&asked);
    let sig = [&asked.spki[place..], &[0; 32]].concat();
    let payload = statement().payload().to_vec();
    let entry = instance.entry(&payload, &sig, &pem("CERTIFICATE", &certificate), at());
    let envelope = Envelope::new(IN_TOTO, payload, vec![Signature::new(None, sig)]).unwrap();
    let record = Bundle::of_certificate(envelope, certificate).with_log_entry(entry).to_json();
    let e = verifier(&instance).verify(&record, &demand()).unwrap_err();
    assert!(e.code() == "MALFORMED" && e.message().contains("public key"), "{e}");
}

#[test]
fn swapped_certificates_entries_and_payloads_of_good_records_are_refused() {
    let instance = Instance::new();
    let verifier = verifier(&instance);
    let make = |payload: &[u8]| {
        let key = key();
        let certificate = instance.certificate(&Asked::of(CI, key.public(), at()));
        serde_json::from_slice::<Value>(&instance.record(payload, certificate, &key, at()).to_json()).unwrap()
    };
    let other = Statement::from_json(
        "https://example.org/y/v1",
        statement().subjects().to_vec(),
        &serde_json::json!({ "other": true }),
    );
    let (one, two, three) = (make(statement().payload()), make(statement().payload()), make(other.unwrap().payload()));
    let code = |record: &Value| {
        verifier.verify(&serde_json::to_vec(record).unwrap(), &demand()).map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!((code(&one), code(&two), code(&three)), (Ok(()), Ok(()), Ok(())));
    for (place, by_two, by_three) in [
        ("/verificationMaterial/certificate", "BAD_SIGNATURE", "BAD_SIGNATURE"),
        ("/verificationMaterial/tlogEntries", "BAD_LOG_ENTRY", "BAD_LOG_ENTRY"),
        ("/verificationMaterial/tlogEntries/0/canonicalizedBody", "BAD_LOG_ENTRY", "BAD_LOG_ENTRY"),
        ("/verificationMaterial/tlogEntries/0/inclusionPromise", "BAD_LOG_ENTRY", "BAD_LOG_ENTRY"),
        ("/verificationMaterial/tlogEntries/0/inclusionProof", "BAD_LOG_ENTRY", "BAD_LOG_ENTRY"),
        ("/dsseEnvelope/signatures", "BAD_SIGNATURE", "BAD_SIGNATURE"),
        ("/dsseEnvelope", "BAD_SIGNATURE", "BAD_SIGNATURE"),
        ("/verificationMaterial", "BAD_SIGNATURE", "BAD_SIGNATURE"),
    ] {
        for (from, wanted) in [(&two, by_two), (&three, by_three)] {
            let mut mixed = one.clone();
            *mixed.pointer_mut(place).unwrap() = from.pointer(place).unwrap().clone();
            assert_eq!(code(&mixed), Err(wanted), "{place}");
        }
    }
    // an entry once more, with another index, is still one log
    let mut twice = one.clone();
    let entry = &one["verificationMaterial"]["tlogEntries"][0];
    let mut again = entry.clone();
    again["inclusionProof"]["treeSize"] = "1".into();
    twice["verificationMaterial"]["tlogEntries"] = vec![entry.clone(), again].into();
    assert_eq!(code(&twice), Err("MALFORMED"));
    let mut unproven = entry.clone();
    unproven.as_object_mut().unwrap().remove("inclusionPromise");
    unproven.as_object_mut().unwrap().remove("integratedTime");
    twice["verificationMaterial"]["tlogEntries"] = vec![entry.clone(), unproven].into();
    assert_eq!(code(&twice), Ok(()));
    let e = verifier.verify(&serde_json::to_vec(&twice).unwrap(), &demand().require_log_entries(2)).unwrap_err();
    assert_eq!(e.code(), "BAD_LOG_ENTRY", "{e}");
}

#[test]
fn a_member_that_stands_twice_is_refused_wherever_it_stands() {
    let instance = Instance::new();
    let key = key();
    let certificate = instance.certificate(&Asked::of(CI, key.public(), at()));
    let record = instance.record(statement().payload(), certificate, &key, at()).to_json();
    let text = String::from_utf8(record).unwrap();
    for member in
        ["mediaType", "verificationMaterial", "certificate", "tlogEntries", "logIndex", "payload", "sig", "payloadType"]
    {
        let doubled = text.replacen(&format!("\"{member}\":"), &format!("\"{member}\":null,\"{member}\":"), 1);
        assert_ne!(doubled, text, "{member}");
        let e = verifier(&instance).verify(doubled.as_bytes(), &demand()).unwrap_err();
        assert!(e.code() == "MALFORMED" && e.message().contains("twice"), "{member}: {e}");
    }
}

/// A verifier of a key and a log of its own, and what an entry with a changed body is refused with.
struct Keyed {
    key: PrivateKey,
    log: Tiled,
    message: Vec<u8>,
    sig: Vec<u8>,
}

impl Keyed {
    fn new() -> Self {
        let (key, message) = (key(), pae(IN_TOTO, statement().payload()));
        let sig = key.sign(&message).unwrap();
        Self { key, log: Tiled::new("log.example"), message, sig }
    }

    fn verifier(&self, window: Window) -> Verifier {
        let trust = TrustRoot::new().with_key("ci", self.key.public().clone(), window).unwrap();
        Verifier::new(trust.with_sigstore(&Tiled::trusted_root(&[&self.log])).unwrap())
    }

    fn record(&self, change: impl FnOnce(&mut Value)) -> Vec<u8> {
        let mut body = Tiled::body(&self.message, &self.sig, self.key.public());
        change(&mut body);
        let signatures = vec![Signature::new(None, self.sig.clone())];
        let envelope = Envelope::new(IN_TOTO, statement().payload().to_vec(), signatures).unwrap();
        let entry = self.log.entry(&body, 0, |log, text| vec![log.own_line(text)]);
        Bundle::of_key(envelope, self.key.public().id()).with_log_entry(entry).to_json()
    }
}

#[test]
fn an_entry_of_a_log_for_another_hash_signature_key_or_kind_is_refused() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let keyed = Keyed::new();
    let demand = Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), Identity::key("ci"), now());
    let code = |change: &dyn Fn(&mut Value)| {
        let record = keyed.record(change);
        keyed.verifier(Window::ALWAYS).verify(&record, &demand).map(|v| v.log_entries().len()).map_err(|e| e.code())
    };
    assert_eq!(code(&|_| {}), Ok(1));
    let spec = |body: &mut Value, place: &str, value: Value| {
        *body.pointer_mut(&format!("/spec/hashedRekordV002/{place}")).unwrap() = value;
    };
    let other = key();
    let again = STANDARD.encode(keyed.key.sign(&keyed.message).unwrap());
    let digest = |bytes: &[u8]| Value::from(STANDARD.encode(bytes));
    let cases: [(&str, Value); 7] = [
        ("data/algorithm", "SHA2_512".into()),
        ("data/algorithm", "MD5".into()),
        ("data/digest", digest(Digest::sha256(statement().payload()).bytes())),
        ("data/digest", digest(&[])),
        // another signature by the same key over the same, as ECDSA has many
        ("signature/content", again.into()),
        ("signature/verifier/publicKey/rawBytes", digest(other.public().spki_der())),
        ("signature/verifier", serde_json::json!({})),
    ];
    for (place, value) in cases {
        assert_eq!(code(&|body| spec(body, place, value.clone())), Err("BAD_LOG_ENTRY"), "{place} {value}");
    }
    assert_eq!(code(&|body| body["kind"] = "dsse".into()), Err("BAD_LOG_ENTRY"));
    assert_eq!(code(&|body| body["apiVersion"] = "0.0.1".into()), Err("BAD_LOG_ENTRY"));
}

#[test]
fn a_signature_in_another_encoding_is_another_signature() {
    let key = key();
    let verifier = Verifier::new(TrustRoot::new().with_key("ci", key.public().clone(), Window::ALWAYS).unwrap());
    let expectation = Expectation::of_signer(Identity::key("ci"), now());
    let sig = key.sign(b"file").unwrap();
    let run = |sig: Vec<u8>| {
        let message = sealwright::bundle::MessageSignature::new(Some(Digest::sha256(b"file")), sig);
        let bundle = Bundle::of_key(message, key.public().id()).to_json();
        verifier.verify_blob(&bundle, Blob::Bytes(b"file"), &expectation).map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(run(sig.clone()), Ok(()));
    // the two numbers of the signature
    let r_end = 4 + usize::from(sig[3]);
    let (r, s) = (&sig[4..r_end], &sig[r_end + 2..]);
    let der = |r: &[u8], s: &[u8]| tlv(0x30, &[&tlv(2, &[r]), &tlv(2, &[s])]);
    assert_eq!(der(r, s), sig);
    for wrong in [
        der(&[&[0], r].concat(), s),
        der(r, &[&[0, 0], s].concat()),
        [&sig[..], &[0]].concat(),
        [&[0x30, 0x81, sig[1]], &sig[2..]].concat(),
        [&[0x30, 0x80], &sig[2..], &[0, 0]].concat(),
        der(s, r),
        der(&[], s),
        der(&[0], &[0]),
        der(&[1], &[1]),
        sig[..sig.len() - 1].to_vec(),
        vec![],
    ] {
        assert_eq!(run(wrong.clone()), Err("BAD_SIGNATURE"), "{wrong:02x?}");
    }
}

#[test]
fn a_record_is_no_signed_file_and_a_signed_file_no_record() {
    let key = key();
    let verifier = Verifier::new(TrustRoot::new().with_key("ci", key.public().clone(), Window::ALWAYS).unwrap());
    let payload = statement().payload().to_vec();
    // the signature over the payload alone, put into an envelope, and the other way
    let plain = key.sign(&payload).unwrap();
    let envelope = Envelope::new(IN_TOTO, payload.clone(), vec![Signature::new(None, plain)]).unwrap();
    let demand = Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), Identity::key("ci"), now());
    let e = verifier.verify(&Bundle::of_key(envelope, key.public().id()).to_json(), &demand).unwrap_err();
    assert_eq!(e.code(), "BAD_SIGNATURE");
    let over_pae = key.sign(&pae(IN_TOTO, &payload)).unwrap();
    let message = sealwright::bundle::MessageSignature::new(None, over_pae.clone());
    let bundle = Bundle::of_key(message, key.public().id()).to_json();
    let e = verifier.verify_blob(&bundle, Blob::Bytes(&payload), &demand.clone().require_artifact(Artifact::AnyUnsafe));
    assert_eq!(e.unwrap_err().code(), "BAD_SIGNATURE");
    // the type of the payload is signed, too
    for other in ["application/vnd.in-toto.x+json", "text/plain", "application/vnd.in-toto+json ", ""] {
        let envelope = Envelope::new(other, payload.clone(), vec![Signature::new(None, over_pae.clone())]).unwrap();
        let e = verifier.verify(&Bundle::of_key(envelope, key.public().id()).to_json(), &demand).unwrap_err();
        assert!(["BAD_SIGNATURE", "UNSUPPORTED"].contains(&e.code()), "{other}: {e}");
    }
}

#[test]
fn a_key_counts_at_the_time_a_believed_log_saw_it_as_well_as_now() {
    let instance = Instance::new();
    let key = key();
    let payload = statement().payload().to_vec();
    let sig = key.sign(&pae(IN_TOTO, &payload)).unwrap();
    let entry = instance.entry(&payload, &sig, &key.public().to_pem(), at());
    let envelope = Envelope::new(IN_TOTO, payload, vec![Signature::new(None, sig)]).unwrap();
    let record = Bundle::of_key(envelope, key.public().id()).with_log_entry(entry).to_json();
    let demand = Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), Identity::key("ci"), now());
    let code = |from: Option<Timestamp>, until: Option<Timestamp>| {
        let trust = TrustRoot::new().with_key("ci", key.public().clone(), Window::new(from, until).unwrap()).unwrap();
        let verifier = Verifier::new(trust.with_sigstore(&instance.trusted_root()).unwrap());
        verifier.verify(&record, &demand).map(|_| ()).map_err(|e| e.code())
    };
    assert_eq!(code(None, None), Ok(()));
    assert_eq!(code(Some(at()), None), Ok(()));
    assert_eq!(code(Some(at().plus_millis(1000)), None), Err("NOT_YET_VALID"));
    assert_eq!(code(None, Some(now())), Err("EXPIRED"));
}
