//! Witnesses of transparency logs, real ones and ones of our own.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod corpora;
mod instance;

use instance::{Tiled, Witness};
use sealwright::bundle::Bundle;
use sealwright::checkpoint::{WitnessKey, Witnesses};
use sealwright::digest::Digest;
use sealwright::envelope::{Envelope, IN_TOTO, Signature, pae};
use sealwright::error::Result;
use sealwright::key::{KeyType, PrivateKey};
use sealwright::statement::Statement;
use sealwright::timestamp::Timestamp;
use sealwright::trust::{CertificateIdentity, Matcher, TrustRoot, Window};
use sealwright::verifier::{Artifact, Expectation, Identity, Verified, Verifier};

const GITHUB: &str = "https://token.actions.githubusercontent.com";
/// Witnesses of public logs, as their operators publish their keys.
const REAL: [&str; 3] = [
    "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
    "staging.witness.transparency.goog/ring-any-bells+2e1a8dc9+BG5JTpLc3FJtwzgh1Uv+Qelz9qeOH2bfWjS1s0s+y4rL",
];

fn now() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn witnesses(keys: &[&str], quorum: usize) -> Result<Witnesses> {
    Witnesses::new(keys.iter().map(|key| key.parse()).collect::<Result<Vec<WitnessKey>>>()?, quorum)
}

#[test]
fn a_real_checkpoint_of_rekor_v2_has_the_quorum_of_its_public_witnesses() {
    let Some(folder) = corpora::corpora("sigstore-bundles/conformance/bundle-verify/rekor2-dsse-happy-path") else {
        return;
    };
    let bundle = std::fs::read(folder.join("bundle.sigstore.json")).unwrap();
    let root = std::fs::read(folder.join("trusted_root.json")).unwrap();
    let verifier = Verifier::new(TrustRoot::new().with_sigstore(&root).unwrap());
    let identity = CertificateIdentity::new(Matcher::pattern(".*").unwrap(), GITHUB);
    let expectation = Expectation::new(Artifact::AnyUnsafe, identity.into(), now());
    let verified = verifier.verify(&bundle, &expectation.clone().require_witnesses(witnesses(&REAL, 3).unwrap()));
    let verified = verified.unwrap();
    let [entry] = verified.log_entries() else { panic!("one entry") };
    let mut found: Vec<_> = entry.witnesses.iter().map(|w| (w.witness.as_str(), w.at.to_string())).collect();
    found.sort();
    let mut named: Vec<_> =
        REAL.iter().map(|key| (key.split_once('+').unwrap().0, "2026-05-13T19:23:34Z".to_owned())).collect();
    named.sort();
    assert_eq!(found, named);
    // without the demand nobody of them is told of
    assert!(verifier.verify(&bundle, &expectation).unwrap().log_entries()[0].witnesses.is_empty());

    // one of them was not asked, one is somebody else
    let other = Witness::new("witness.example");
    let mixed = [REAL[0], other.vkey().leak()];
    let one = expectation.clone().require_witnesses(witnesses(&mixed, 1).unwrap());
    assert_eq!(verifier.verify(&bundle, &one).unwrap().log_entries()[0].witnesses.len(), 1);
    let two = expectation.require_witnesses(witnesses(&mixed, 2).unwrap());
    let e = verifier.verify(&bundle, &two).unwrap_err();
    assert!(e.code() == "BAD_CHECKPOINT" && e.message().contains("2 of the 2 named witnesses"), "{e}");
}

/// A record signed with a key, and the logs that may hold it.
struct Scene {
    key: PrivateKey,
    logs: Vec<Tiled>,
    witnesses: Vec<Witness>,
    verifier: Verifier,
}

impl Scene {
    fn new() -> Self {
        let key = PrivateKey::generate(KeyType::P256).unwrap();
        let logs: Vec<_> = ["one.example", "two.example"].map(Tiled::new).into();
        let root = Tiled::trusted_root(&logs.iter().collect::<Vec<_>>());
        let trust = TrustRoot::new().with_key("ci", key.public().clone(), Window::ALWAYS).unwrap();
        let verifier = Verifier::new(trust.with_sigstore(&root).unwrap());
        Self { key, logs, witnesses: ["w1.example", "w2.example", "w3.example"].map(Witness::new).into(), verifier }
    }

    /// A bundle with an entry of each log and these lines below each checkpoint.
    fn bundle(&self, logs: &[usize], lines: impl Fn(&Tiled, &str) -> Vec<String>) -> Vec<u8> {
        let subject = sealwright::artifact::ResourceDescriptor::of(Digest::sha256(b"artifact"));
        let statement =
            Statement::from_json("https://example.org/x/v1", vec![subject], &serde_json::json!({})).unwrap();
        let message = pae(IN_TOTO, statement.payload());
        let sig = self.key.sign(&message).unwrap();
        let body = Tiled::body(&message, &sig, self.key.public());
        let signatures = vec![Signature::new(None, sig)];
        let envelope = Envelope::new(IN_TOTO, statement.payload().to_vec(), signatures).unwrap();
        let bundle = Bundle::of_key(envelope, self.key.public().id());
        let entries = logs.iter().enumerate().map(|(n, log)| self.logs[*log].entry(&body, n as u64, &lines));
        entries.fold(bundle, Bundle::with_log_entry).to_json()
    }

    fn demand(&self, quorum: usize) -> Expectation {
        let keys: Vec<String> = self.witnesses.iter().map(Witness::vkey).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), Identity::key("ci"), now())
            .require_witnesses(witnesses(&keys, quorum).unwrap())
    }

    fn run(&self, bundle: &[u8], demand: &Expectation) -> std::result::Result<Verified<Statement>, &'static str> {
        self.verifier.verify(bundle, demand).map_err(|e| e.code())
    }
}

#[test]
fn a_quorum_counts_each_witness_once_and_only_those_that_are_named() {
    let scene = Scene::new();
    let [w1, w2, _] = scene.witnesses.as_slice() else { panic!("three") };
    let at = now();
    let stranger = Witness::new("w3.example");
    let bundle = scene.bundle(&[0], |log, text| {
        let again = w1.line(text, at.plus_millis(-1000));
        vec![log.own_line(text), w1.line(text, at), again, w2.line(text, at), stranger.line(text, at)]
    });
    let verified = scene.run(&bundle, &scene.demand(2)).unwrap();
    let names: Vec<_> = verified.log_entries()[0].witnesses.iter().map(|w| w.witness.as_str()).collect();
    assert_eq!(names, ["w1.example", "w2.example"]);
    assert_eq!(scene.run(&bundle, &scene.demand(3)).unwrap_err(), "BAD_CHECKPOINT");
    // beside a key no entry is demanded, but where witnesses are, one is
    let unlogged = scene.bundle(&[], |_, _| vec![]);
    assert_eq!(scene.run(&unlogged, &scene.demand(1)).unwrap_err(), "BAD_CHECKPOINT");
    // of two logs both must be witnessed, if both are demanded
    let half = scene.bundle(&[0, 1], |log, text| {
        let own = vec![log.own_line(text)];
        if log.name == "one.example" { [own, vec![w1.line(text, at)]].concat() } else { own }
    });
    assert!(scene.run(&half, &scene.demand(1)).is_ok());
    assert_eq!(scene.run(&half, &scene.demand(1).require_log_entries(2)).unwrap_err(), "BAD_CHECKPOINT");
}

#[test]
fn a_cosignature_of_another_tree_name_or_time_is_refused() {
    let scene = Scene::new();
    let (w1, at) = (&scene.witnesses[0], now());
    let refused = |lines: &dyn Fn(&Tiled, &str) -> Vec<String>| {
        scene.run(&scene.bundle(&[0], lines), &scene.demand(1)).map(|_| ()).unwrap_err()
    };
    // over another tree of the same size, as a log with two histories would show
    let fork = |log: &Tiled, text: &str| vec![log.own_line(text), w1.line(&text.replace("one", "two"), at)];
    assert_eq!(refused(&fork), "BAD_CHECKPOINT");
    // over the text alone, as the log signs it
    let plain = |log: &Tiled, text: &str| {
        let line = Tiled { key: PrivateKey::generate(KeyType::Ed25519).unwrap(), name: w1.name.clone() }.own_line(text);
        vec![log.own_line(text), line]
    };
    assert_eq!(refused(&plain), "BAD_CHECKPOINT");
    let future = |log: &Tiled, text: &str| vec![log.own_line(text), w1.line(text, at.plus_millis(600_000))];
    assert_eq!(refused(&future), "BAD_CHECKPOINT");
    // the witness signed, and the log did not
    assert_eq!(refused(&|_, text| vec![w1.line(text, at)]), "BAD_CHECKPOINT");
    // a cut line of a known witness
    let cut = |log: &Tiled, text: &str| {
        let line = w1.line(text, at);
        let keep = line.len() - 9;
        vec![log.own_line(text), format!("{}AAAAAAA=\n", &line[..keep])]
    };
    assert_eq!(refused(&cut), "BAD_CHECKPOINT");
}

#[test]
fn a_wrong_line_in_the_name_of_the_log_refuses_beside_a_right_one() {
    let scene = Scene::new();
    let demand = Expectation::new(Artifact::Is(Digest::sha256(b"artifact")), Identity::key("ci"), now());
    let good = scene.bundle(&[0], |log, text| vec![log.own_line(text), log.own_line(text)]);
    assert!(scene.run(&good, &demand).is_ok());
    for order in [0, 1] {
        let bundle = scene.bundle(&[0], |log, text| {
            let mut lines = vec![log.own_line(text), log.own_line(&text.replace("one", "two"))];
            lines.rotate_left(order);
            lines
        });
        assert_eq!(scene.run(&bundle, &demand).unwrap_err(), "BAD_CHECKPOINT");
    }
}

#[test]
fn witnesses_that_could_count_twice_or_never_are_misuse() {
    let [one, two] = ["w1.example", "w2.example"].map(Witness::new);
    let twin = Witness { key: PrivateKey::from_pem(one.key.to_pem().unwrap().as_bytes(), None).unwrap(), ..two };
    let (one, twin, two) = (one.vkey(), twin.vkey(), Witness::new("w2.example").vkey());
    assert!(witnesses(&[&one, &two], 2).is_ok());
    for (keys, quorum) in [
        (vec![&*one, &*two], 0),
        (vec![&*one, &*two], 3),
        (vec![&*one, &*one], 1),
        (vec![&*one, &*twin], 2),
        (vec![], 1),
    ] {
        assert_eq!(witnesses(&keys, quorum).unwrap_err().code(), "API_MISUSE", "{keys:?} {quorum}");
    }
    let log = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert_eq!(log.parse::<WitnessKey>().unwrap_err().code(), "UNSUPPORTED");
    for wrong in ["", "a+b", "w1.example+00000000+BA==", &one.replace("w1", "w3"), &one.replace('+', " ")] {
        assert_eq!(wrong.parse::<WitnessKey>().unwrap_err().code(), "MALFORMED", "{wrong}");
    }
    assert_eq!(one.parse::<WitnessKey>().unwrap().to_string(), one);
    let many: Vec<String> = (0..65).map(|n| Witness::new(&format!("w{n}.example")).vkey()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(witnesses(&many, 1).unwrap_err().code(), "LIMIT_EXCEEDED");
}

#[test]
fn an_expectation_names_its_witnesses_as_data() {
    let scene = Scene::new();
    let bundle = scene.bundle(&[0], |log, text| {
        [vec![log.own_line(text)], scene.witnesses.iter().map(|w| w.line(text, now())).collect()].concat()
    });
    let keys: Vec<_> = scene.witnesses.iter().map(Witness::vkey).collect();
    let expectation = |demanded: serde_json::Value| {
        let mut text = serde_json::json!({ "artifact": Digest::sha256(b"artifact").to_string(), "signer": "ci" });
        text.as_object_mut().unwrap().extend(demanded.as_object().unwrap().clone());
        Expectation::from_json(text.to_string().as_bytes(), now())
    };
    for three in [serde_json::json!({ "witnesses": keys, "quorum": 3 }), serde_json::json!({ "witnesses": keys })] {
        let verified = scene.run(&bundle, &expectation(three).unwrap()).unwrap();
        assert_eq!(verified.log_entries()[0].witnesses.len(), 3);
    }
    let stranger = Witness::new("w4.example").vkey();
    let four = [&keys[..], &[stranger]].concat();
    let four = serde_json::json!({ "witnesses": four });
    assert_eq!(scene.run(&bundle, &expectation(four).unwrap()).unwrap_err(), "BAD_CHECKPOINT");
    // as packs and receipts demand them
    for (wrong, code) in [
        (serde_json::json!({ "witnesses": keys, "quorum": 4 }), "API_MISUSE"),
        (serde_json::json!({ "quorum": 1 }), "API_MISUSE"),
        (serde_json::json!({ "witnesses": [keys[0], keys[0]] }), "API_MISUSE"),
        (serde_json::json!({ "witnesses": [] }), "API_MISUSE"),
        (serde_json::json!({ "witnesses": keys, "quorum": 0 }), "API_MISUSE"),
        (serde_json::json!({ "witnesses": ["x"], "quorum": 1 }), "MALFORMED"),
        (serde_json::json!({ "witnesses": { "keys": keys, "quorum": 1 } }), "MALFORMED"),
    ] {
        assert_eq!(expectation(wrong.clone()).unwrap_err().code(), code, "{wrong}");
    }
}
